//! What a dataset is checked for: the method, the model, the other side.

use std::collections::{HashMap, HashSet};

use super::dataset::{Digest, Tally};
use super::pairs::PairContext;
use crate::example::models::{self, Date, Limits, Model};

/// How the model is to be tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Supervised fine-tuning.
    #[default]
    Sft,
    /// Preference tuning: two completions, one of them preferred.
    Preference,
}

/// Which part of the data a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// What is learnt.
    #[default]
    Train,
    /// What the result is measured on.
    Validation,
}

/// Everything outside a file that its rules go by.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// How the model is to be tuned.
    pub method: Method,
    /// Which part of the data the file is.
    pub side: Side,
    /// The base model as the user named it.
    pub model_name: Option<String>,
    /// What the dated table knows of it.
    pub model: Option<&'static Model>,
    /// The adapter size asked for.
    pub adapter_size: Option<u32>,
    /// The location asked for.
    pub location: Option<String>,
    /// Today, for models that retire.
    pub today: Option<Date>,
    /// The fingerprints of findings that are not to be told again.
    pub baseline: HashSet<u64>,
    /// The validation examples that training must not contain.
    pub validation: Option<Validation>,
    /// What the rules of segment pairs go by; without it they find nothing.
    pub pairs: Option<PairContext>,
}

impl Context {
    /// The limits that hold: those of the base model, or without one those that
    /// no model exceeds.
    #[must_use]
    pub fn limits(&self) -> &'static Limits {
        models::limits(self.model)
    }

    /// What limits are called after: the model, or all of them.
    #[must_use]
    pub(crate) fn limits_of(&self) -> String {
        match self.model {
            Some(model) => format!("the limit of `{}`", model.name),
            None => "the limit".into(),
        }
    }

    /// Whether the normalised prompts of the file are kept for comparing
    /// another file with it.
    pub(super) fn keeps_prompts(&self) -> bool {
        self.side == Side::Validation
    }
}

/// The examples of a validation file, by fingerprint: some 100 bytes for each.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// The file's name.
    pub name: String,
    /// How many examples it has.
    pub examples: u64,
    /// The first line of each example as it is written.
    exact: HashMap<(u128, u64), u64>,
    /// The first line of each prompt as it is written.
    prompts: HashMap<u128, u64>,
    /// The first line of each prompt in the form in which texts are compared.
    normalised: HashMap<u64, u64>,
}

/// Where a validation file has an example that is in training, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// How much of it.
    pub kind: OverlapKind,
    /// The first line that has it, from 1.
    pub line: u64,
}

/// How much of an example a validation file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverlapKind {
    /// All of it, with the same bytes.
    Example,
    /// Its prompt, with the same bytes.
    Prompt,
    /// Its prompt, but for case, spacing and typography.
    Normalised,
}

impl Validation {
    /// Makes one of a file that has no examples yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds the examples of a batch, of which [`Dataset::append`] has made the
    /// lines absolute. Prompts are known in their normalised form only if the
    /// batch was checked as [`Side::Validation`].
    ///
    /// [`Dataset::append`]: super::Dataset::append
    pub fn add(&mut self, tally: &Tally) {
        self.examples += tally.digests.len() as u64;
        for digest in &tally.digests {
            let exact = (digest.prompt, digest.answer);
            self.exact.entry(exact).or_insert(digest.line);
            self.prompts.entry(digest.prompt).or_insert(digest.line);
        }
        for (prompt, line) in &tally.normalised {
            self.normalised.entry(*prompt).or_insert(*line);
        }
    }

    /// Looks for an example, then for its prompt, then for its prompt in
    /// normalised form.
    #[must_use]
    pub fn find(&self, digest: &Digest, normalised: Option<u64>) -> Option<Overlap> {
        let overlap = |kind| move |line: &u64| Overlap { kind, line: *line };
        let exact = self.exact.get(&(digest.prompt, digest.answer));
        let prompt = || self.prompts.get(&digest.prompt);
        let normalised = || self.normalised.get(&normalised?);
        exact
            .map(overlap(OverlapKind::Example))
            .or_else(|| prompt().map(overlap(OverlapKind::Prompt)))
            .or_else(|| normalised().map(overlap(OverlapKind::Normalised)))
    }
}
