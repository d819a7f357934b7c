//! What is known of base models: which can be tuned, where, and how.
//!
//! The table is the emulator's own, made from Google's pages of 2026-08-22 and
//! 2026-09-25; a model that is not in it cannot be tuned here.

/// A base model.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) name: &'static str,
    /// Whether it can be tuned.
    pub(crate) is_tunable: bool,
    pub(crate) adapters: &'static [&'static str],
    /// The adapter size that the service chooses.
    pub(crate) adapter: &'static str,
}

const UP_TO_SIXTEEN: &[&str] = &[
    "ADAPTER_SIZE_ONE",
    "ADAPTER_SIZE_TWO",
    "ADAPTER_SIZE_FOUR",
    "ADAPTER_SIZE_EIGHT",
    "ADAPTER_SIZE_SIXTEEN",
];
const UP_TO_EIGHT: &[&str] = &[
    "ADAPTER_SIZE_ONE",
    "ADAPTER_SIZE_TWO",
    "ADAPTER_SIZE_FOUR",
    "ADAPTER_SIZE_EIGHT",
];

const fn tunable(
    name: &'static str,
    adapters: &'static [&'static str],
    adapter: &'static str,
) -> Base {
    Base {
        name,
        is_tunable: true,
        adapters,
        adapter,
    }
}

const fn other(name: &'static str) -> Base {
    Base {
        name,
        is_tunable: false,
        adapters: &[],
        adapter: "",
    }
}

static BASES: &[Base] = &[
    tunable("gemini-3.5-flash", UP_TO_SIXTEEN, "ADAPTER_SIZE_TWO"),
    tunable("gemini-3.1-flash-lite", UP_TO_SIXTEEN, "ADAPTER_SIZE_TWO"),
    tunable("gemini-3.5-flash-lite", UP_TO_SIXTEEN, "ADAPTER_SIZE_TWO"),
    tunable("gemini-2.5-pro", UP_TO_EIGHT, "ADAPTER_SIZE_FOUR"),
    tunable("gemini-2.5-flash", UP_TO_SIXTEEN, "ADAPTER_SIZE_FOUR"),
    tunable("gemini-2.5-flash-lite", UP_TO_SIXTEEN, "ADAPTER_SIZE_FOUR"),
    other("gemini-3.6-flash"),
    other("gemini-3.1-pro-preview"),
];

/// The regions of older models that this table knows.
const REGIONS: &[&str] = &[
    "us-central1",
    "us-east1",
    "us-east4",
    "us-west1",
    "us-west4",
    "northamerica-northeast1",
    "southamerica-east1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west9",
    "europe-southwest1",
    "asia-east1",
    "asia-northeast1",
    "asia-northeast3",
    "asia-south1",
    "asia-southeast1",
    "australia-southeast1",
];

/// Finds a base model.
pub(crate) fn find(name: &str) -> Option<&'static Base> {
    BASES.iter().find(|base| base.name == name)
}

/// Whether a location is a region.
pub(crate) fn is_region(location: &str) -> bool {
    REGIONS.contains(&location)
}

impl Base {
    /// Whether it is of the third generation, which is served from the
    /// multi-regions only.
    pub(crate) fn is_third(&self) -> bool {
        self.name.starts_with("gemini-3")
    }

    /// Whether it can be tuned in a region.
    pub(crate) fn is_tunable_in(&self, location: &str) -> bool {
        let is_there = !self.is_third() || matches!(location, "us-central1" | "europe-west4");
        self.is_tunable && is_there && is_region(location)
    }

    /// Where a model that was tuned in a region is served.
    pub(crate) fn serving(&self, location: &str) -> String {
        match (self.is_third(), location) {
            (true, "us-central1") => "us".into(),
            (true, _) => "eu".into(),
            (false, region) => region.into(),
        }
    }

    /// Whether the base model itself is served there.
    pub(crate) fn is_served_in(&self, location: &str) -> bool {
        let is_wide = matches!(location, "us" | "eu" | "global");
        if self.is_third() {
            is_wide
        } else {
            location == "global" || is_region(location)
        }
    }

    /// Whether it thinks by levels and not by a budget.
    pub(crate) fn has_levels(&self) -> bool {
        self.is_third()
    }
}
