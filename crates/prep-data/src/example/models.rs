//! The dated table of base models: what each can be tuned with, and until
//! when. It is data (`models.json`), and `prep models` prints it with its
//! date: tables age faster than programs.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, written `2026-09-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day that is so many days after 1970-01-01.
    #[must_use]
    pub fn from_days(days: i64) -> Self {
        // Howard Hinnant, "chrono-compatible low-level date algorithms",
        // civil_from_days.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: month as u8,
            day: day as u8,
        }
    }

    /// How many days after 1970-01-01 the day is.
    #[must_use]
    pub fn days(self) -> i64 {
        // As above, days_from_civil.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no date; write it like 2026-09-25");
        let numbers: Vec<_> = text.split('-').map(str::parse::<u16>).collect();
        let [Ok(year), Ok(month @ 1..=12), Ok(day @ 1..=31)] = numbers[..] else {
            return Err(error());
        };
        let date = Self {
            year,
            month: month as u8,
            day: day as u8,
        };
        // The 31st of a short month would be another day.
        let is_real = Self::from_days(date.days()) == date;
        is_real.then_some(date).ok_or_else(error)
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

/// What is known of the base models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The day on which the documentation was read.
    pub as_of: Date,
    /// The models, the one to choose first.
    pub models: Vec<Model>,
    /// Families of models that are no more, by how their names begin.
    pub ended: Vec<Family>,
}

/// Models that are no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What their names begin with.
    pub begins: String,
    /// The year in which they retired.
    pub when: String,
}

/// What is known of one base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name in requests.
    pub name: String,
    /// How far along tuning it is.
    pub status: Status,
    /// Since when.
    pub status_since: Option<Date>,
    /// When the model came out.
    pub released: Option<Date>,
    /// Whether it can be tuned with supervised examples.
    pub sft: bool,
    /// Whether it can be tuned with preferences.
    pub preference: bool,
    /// The locations of its tuning jobs; none if they are not stated.
    pub locations: Vec<String>,
    /// Where tuned models are served; none if they are not stated.
    pub serving: Vec<String>,
    /// The adapter sizes it takes.
    pub adapter_sizes: Vec<u32>,
    /// The day before which it does not retire, or on which it did.
    pub retires: Option<Date>,
    /// `retires` is a promise: the model may well live longer.
    pub may_retire_later: bool,
    /// The day on which even old users are shut out, as far as was heard.
    pub shuts_down: Option<Date>,
    /// The vocabulary by which Google's own SDK counts its tokens, if it can:
    /// `gemma3` or `gemma4`.
    pub tokenizer: Option<String>,
    /// What it takes.
    pub limits: Limits,
    /// The media that an example may have; what is not listed is not stated.
    pub media: Vec<MediaLimit>,
    /// What it costs.
    pub prices: Option<Prices>,
    /// Something to know about it: a phrase.
    pub note: Option<String>,
    /// What was said of its end and of tuning it, from the surest.
    pub facts: Vec<Fact>,
}

/// How far along tuning a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Documented without reservation.
    Available,
    /// A preview, for everyone.
    Preview,
    /// A preview, not for everyone.
    LimitedPreview,
    /// One page says that it can be tuned, another that it cannot.
    Disputed,
    /// It can no longer be tuned.
    Ended,
}

impl Status {
    /// Names it as people do.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Preview => "preview",
            Self::LimitedPreview => "limited preview",
            Self::Disputed => "disputed",
            Self::Ended => "ended",
        }
    }
}

/// What tuning with a model takes, at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Tokens of one example, prompt and answer together.
    pub example_tokens: u64,
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Examples of a training file that has text only, if that is stated.
    pub text_examples: Option<u64>,
    /// Examples of a training file that has media, if that is stated.
    pub multimodal_examples: Option<u64>,
    /// Examples of a validation file.
    pub validation_examples: u64,
    /// How many there may be beside the training examples, if that is limited.
    pub validation_share: Option<ValidationShare>,
}

/// A validation file of more than so many examples may have at most so many
/// for each hundred of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationShare {
    /// Up to this many examples the share does not matter.
    pub above: u64,
    /// The share, in hundredths of the training examples.
    pub percent: u64,
}

/// What an example may have of one kind of media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaLimit {
    /// Which.
    pub kind: MediaKind,
    /// Files in one example.
    pub files: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Pages of one file.
    pub pages: Option<u64>,
    /// Minutes of one file.
    pub minutes: Option<u64>,
    /// Minutes of one video at low resolution.
    pub minutes_at_low_resolution: Option<u64>,
}

/// A kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaKind {
    /// Pictures.
    Image,
    /// PDF documents.
    Pdf,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
}

/// Prices of a model, in US dollars for a million tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// One pass of training, if it is known.
    pub training: Option<f64>,
    /// Prompts to the base model, from the lowest to the highest.
    pub input: [f64; 2],
    /// Answers of the base model, from the lowest to the highest.
    pub output: [f64; 2],
    /// By what inference is dearer once the model was tuned.
    pub tuned_factor: f64,
    /// The day of the evidence, if it has one.
    pub as_of: Option<Date>,
    /// How the prices are known: a phrase.
    pub evidence: String,
}

/// Something that was said of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What: a phrase.
    pub says: String,
    /// When.
    pub on: Option<Date>,
    /// How sure it is.
    pub evidence: Evidence,
}

/// How sure something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Google's documentation says so.
    Documented,
    /// A user saw it.
    Reported,
    /// Someone said so, and others contradict.
    Unconfirmed,
}

impl Evidence {
    /// Names it as people do.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Reported => "reported",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("models.json")).expect("the table is tested")
});

/// The table.
#[must_use]
pub fn table() -> &'static Table {
    &TABLE
}

/// Finds a model by its name, with or without the path in front of it and the
/// version behind it (`-001`, `@001`).
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let mut models = table().models.iter();
    let is_it = |model: &&Model| model.name == name;
    let is_version =
        |model: &&Model| without_version(&model.name) == without_version(name) && !name.is_empty();
    let exact = models.clone().find(is_it);
    exact.or_else(|| models.find(is_version))
}

fn without_version(name: &str) -> &str {
    let Some((stem, version)) = name.rsplit_once(['-', '@']) else {
        return name;
    };
    let is_version = version.len() == 3 && version.bytes().all(|byte| byte.is_ascii_digit());
    // `translation-llm-002` is a model of its own.
    if is_version && stem.starts_with("gemini-") {
        stem
    } else {
        name
    }
}

/// The family of models that are no more, to which a name belongs.
#[must_use]
pub fn ended(name: &str) -> Option<&'static Family> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let mut families = table().ended.iter();
    families.find(|family| name.starts_with(&family.begins))
}

static COMMON: LazyLock<Limits> = LazyLock::new(|| {
    let tunable = || table().models.iter().filter(|model| model.sft);
    let most = |of: fn(&Limits) -> u64| tunable().map(|model| of(&model.limits)).max();
    let limits = |of: fn(&Limits) -> Option<u64>| {
        let stated = tunable().filter_map(|model| of(&model.limits));
        stated.max()
    };
    Limits {
        example_tokens: most(|limits| limits.example_tokens).unwrap_or(u64::MAX),
        file_bytes: most(|limits| limits.file_bytes).unwrap_or(u64::MAX),
        text_examples: limits(|limits| limits.text_examples),
        multimodal_examples: limits(|limits| limits.multimodal_examples),
        validation_examples: most(|limits| limits.validation_examples).unwrap_or(u64::MAX),
        validation_share: tunable()
            .filter_map(|model| model.limits.validation_share)
            .max_by_key(|share| (share.percent, share.above)),
    }
});

/// The limits of a model; without one, or without knowing it, what no model
/// that can be tuned exceeds.
#[must_use]
pub fn limits(model: Option<&'static Model>) -> &'static Limits {
    model.map_or(&COMMON, |model| &model.limits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn models_are_found_by_name_and_path() {
        let model = find("publishers/google/models/gemini-3.1-flash-lite").unwrap();
        assert_eq!(model.limits.example_tokens, 131_072);
        assert!(find("gemini-9").is_none());
        let name = |name: &str| find(name).map(|model| model.name.as_str());
        assert_eq!(name("gemini-2.0-flash"), Some("gemini-2.0-flash-001"));
        assert_eq!(name("gemini-2.5-flash@001"), Some("gemini-2.5-flash"));
        assert_eq!(name("translation-llm-001"), None);
        assert_eq!(name(""), None);
        assert!(ended("google/gemini-1.5-pro-002").is_some());
        assert!(ended("gemini-2.5-pro").is_none());
    }

    #[test]
    fn without_a_model_the_widest_limits_hold() {
        let common = limits(None);
        assert_eq!(common, &find("gemini-3.5-flash").unwrap().limits);
        for model in table().models.iter().filter(|model| model.sft) {
            assert!(model.limits.example_tokens <= common.example_tokens);
            assert!(model.limits.validation_examples <= common.validation_examples);
        }
        assert_eq!(limits(find("translation-llm-002")).example_tokens, 1000);
    }

    /// What the documentation of 2026-09-25 says, model by model.
    #[test]
    fn the_table_is_what_was_read() {
        let row = |name: &str| {
            let model = find(name).unwrap();
            let sizes = model.adapter_sizes.clone();
            let prices = model.prices.as_ref();
            (
                model.sft,
                model.preference,
                sizes,
                prices.and_then(|prices| prices.training),
            )
        };
        let all = vec![1, 2, 4, 8, 16];
        assert_eq!(
            row("gemini-3.5-flash"),
            (true, false, all.clone(), Some(10.0))
        );
        assert_eq!(
            row("gemini-3.1-flash-lite"),
            (true, false, all.clone(), Some(3.0))
        );
        assert_eq!(
            row("gemini-2.5-pro"),
            (true, false, vec![1, 2, 4, 8], Some(25.0))
        );
        assert_eq!(
            row("gemini-2.5-flash"),
            (true, true, all.clone(), Some(5.0))
        );
        assert_eq!(row("gemini-2.5-flash-lite"), (true, true, all, Some(1.5)));
        assert_eq!(row("translation-llm-002"), (true, false, vec![4], None));
        assert_eq!(
            row("gemini-2.0-flash-001"),
            (false, false, vec![], Some(3.0))
        );
        // 28,256,133 tokens were billed with $42.38.
        let price = row("gemini-2.5-flash-lite").3.unwrap();
        assert!((28_256_133.0 * price / 1e6 - 42.38).abs() < 0.01);
    }

    #[test]
    fn the_table_agrees_with_itself() {
        for model in &table().models {
            let is_tunable = model.sft || model.preference;
            assert_eq!(is_tunable, model.status != Status::Ended, "{}", model.name);
            assert_eq!(
                is_tunable,
                !model.adapter_sizes.is_empty(),
                "{}",
                model.name
            );
            assert!(
                model.released.is_none_or(|day| Some(day) < model.retires),
                "{}",
                model.name
            );
            assert!(
                model.shuts_down.is_none_or(|day| Some(day) > model.retires),
                "{}",
                model.name
            );
            assert!(
                !model.may_retire_later || model.retires.is_some(),
                "{}",
                model.name
            );
            assert_eq!(find(&model.name), Some(model));
        }
    }

    #[test]
    fn dates_are_days() {
        let days = |text: &str| text.parse().map(Date::days).ok();
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2026-10-20"), Some(20_746));
        assert_eq!(days("2024-02-29"), Some(19_782));
        assert_eq!(days("2026-02-29"), None);
        assert_eq!(days("2026-13-01"), None);
        assert_eq!(days("26/10/20"), None);
    }

    proptest! {
        #[test]
        fn a_day_is_its_date(days in 0..60_000_i64) {
            let date = Date::from_days(days);
            prop_assert_eq!(date.days(), days);
            prop_assert_eq!(date.to_string().parse::<Date>(), Ok(date));
        }
    }
}
