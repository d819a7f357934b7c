//! The account of a run, which adds up.

use std::collections::BTreeMap;

use serde::Serialize;

/// What became of every record: `read = written + dropped + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Records read from the inputs.
    pub read: u64,
    /// Records that are in the examples written.
    pub written: u64,
    /// Well-formed records left out on purpose, by code.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Records that could not become examples, by code.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Things told about records that were kept, by code. They are in addition.
    pub notes: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// Records left out on purpose.
    #[must_use]
    pub fn n_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Records that could not become examples.
    #[must_use]
    pub fn n_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Whether every record read is accounted for.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.read == self.written + self.n_dropped() + self.n_rejected()
    }
}
