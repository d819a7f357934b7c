//! Several datasets, blended into one by weights.
//!
//! The sources come in order, the in-domain set first. An example that an
//! earlier line says, too, is left out, and so is one that would leak into a
//! set that is held **against** the mixture: one with a prompt of it, equal or
//! nearly so, an answer that is no label, a group or a conversation. From what
//! is left of each source as much is **drawn** as its weight says.
//!
//! Which examples are drawn depends on the seed and on what they say, and on
//! nothing else: those of a smaller mixture are among those of a larger one,
//! and the order of a source does not matter. No example is drawn twice, unless
//! repeating is asked for; then a source is taken whole as often as it fits,
//! and what remains is drawn.
//!
//! The mixture is in the order of the sources, which take turns evenly: any
//! stretch of it has about the same shares as the whole. All sources are read
//! twice. Some thirty bytes for each line are kept in memory, and fifty more
//! where near-duplicates are looked for; all else goes to the disk beyond the
//! memory limit.

mod plan;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::convert::Met;
use super::dedupe::DedupeError;
pub use super::dedupe::{Means, Threshold};
use super::ledger::Ledger;
pub use super::split::By;
use super::split::SplitError;
use crate::io::passport::{self, SourceFiles};
use crate::io::{Finished, Input, InputError, OutputError, OutputWriter, PassportError};

/// How datasets are mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// What weights and total are measured in.
    pub by: By,
    /// How much there is to be of all sources together. Without it, as much as
    /// there can be without repeating; if repeating is allowed, as much as
    /// takes the first source whole.
    pub total: Option<u64>,
    /// Chooses one of many mixtures.
    pub seed: u64,
    /// Whether a source that has too little is taken more than once.
    pub repeats: bool,
    /// From which similarity on a prompt leaks, if that is looked for.
    pub near: Option<Threshold>,
}

/// A dataset to be mixed in.
#[derive(Debug)]
pub struct Source {
    /// The dataset.
    pub input: Input,
    /// How much of it there is to be, beside the others. Above 0.
    pub weight: f64,
}

/// Where the results go.
#[derive(Debug)]
pub struct Sinks<'a> {
    /// The mixture.
    pub data: OutputWriter,
    /// Where examples came from, if that is kept.
    pub passport: Option<OutputWriter>,
    /// Where lines go that are no examples, and examples that repeat or leak.
    pub rejects: Option<&'a Path>,
}

/// What became of one source.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Share {
    /// The source.
    pub path: String,
    /// The share that its weight gives it, from 0 to 1.
    pub share: f64,
    /// Its records.
    pub read: u64,
    /// How many of its records are in the mixture.
    pub written: u64,
    /// How many examples of the mixture are from it: more, if it repeats.
    pub examples: u64,
    /// Their tokens, if that is what is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Its records that were left out on purpose, by code.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Its records that are no examples, by code.
    pub rejected: BTreeMap<&'static str, u64>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The account of all sources. What is held against them is not in it.
    pub ledger: Ledger,
    /// The account of each source, in order.
    pub shares: Vec<Share>,
    /// The examples of the mixture: as many as records were written, and more
    /// if a source repeats.
    pub examples: u64,
    /// Of each code that was met: how often, and where first.
    pub met: Vec<Met>,
    /// The mixture, waiting to be renamed.
    pub data: Finished,
    /// The passport, not yet ended.
    pub passport: Option<passport::Writer<OutputWriter>>,
    /// The sources that its stamps name.
    pub origins: Vec<SourceFiles>,
    /// What was done before.
    pub steps: Vec<String>,
    /// What was left out, if anything was.
    pub rejects: Option<Finished>,
    /// The files that were read: sources, then those held against them.
    pub inputs: Vec<SourceFiles>,
}

/// Why datasets could not be mixed.
#[derive(Debug, thiserror::Error)]
pub enum MixError {
    /// They cannot be read or written.
    #[error(transparent)]
    Run(#[from] DedupeError),
    /// A source has no example that could be drawn.
    #[error("`{name}` has no example that can be drawn{}", left_out(*read))]
    Empty {
        /// The source.
        name: String,
        /// Its records.
        read: u64,
    },
    /// A source has less than its weight says.
    #[error("`{name}` has {has} {unit} that can be drawn, its share is {needs}")]
    TooLittle {
        /// The source.
        name: String,
        /// What can be drawn.
        has: u64,
        /// What its weight says.
        needs: u64,
        /// Examples or tokens.
        unit: &'static str,
        /// The largest total with which nothing repeats.
        most: u64,
    },
    /// A source would be repeated more often than makes sense.
    #[error(
        "`{name}` would be taken {times} times, the limit is {}",
        Self::MOST_TIMES
    )]
    TooOften {
        /// The source.
        name: String,
        /// How often.
        times: u64,
    },
}

impl MixError {
    /// The most often that a source is taken: what a model sees so often, it
    /// learns by heart.
    pub const MOST_TIMES: u64 = 100;
}

fn left_out(read: u64) -> String {
    match read {
        0 => String::new(),
        read => format!(": all {read} are left out"),
    }
}

impl From<OutputError> for MixError {
    fn from(error: OutputError) -> Self {
        Self::Run(error.into())
    }
}

impl From<InputError> for MixError {
    fn from(error: InputError) -> Self {
        Self::Run(error.into())
    }
}

impl From<PassportError> for MixError {
    fn from(error: PassportError) -> Self {
        Self::Run(error.into())
    }
}

impl From<SplitError> for MixError {
    fn from(error: SplitError) -> Self {
        match error {
            SplitError::Run(error) => Self::Run(error),
            SplitError::TooFewAtoms { .. } | SplitError::Leak(_) => {
                unreachable!("reading splits nothing")
            }
        }
    }
}

/// Mixes `sources`, without what is in `against`. The outputs are begun when it
/// is settled what is drawn.
///
/// # Errors
///
/// When an input or passport cannot be read, an output cannot be written, or a
/// source has too little. Nothing has appeared under its name then.
pub fn mix<'a>(
    sources: Vec<Source>,
    against: Vec<Input>,
    options: &Options,
    sinks: impl FnOnce() -> Result<Sinks<'a>, OutputError>,
    means: &Means<'_>,
) -> Result<Outcome, MixError> {
    let (inputs, weights) = sources
        .into_iter()
        .map(|source| (source.input, source.weight))
        .unzip();
    let weights: Vec<f64> = weights;
    let plan = plan::plan(inputs, &weights, against, options, means)?;
    write::write(&plan, sinks()?, means)
}

#[cfg(test)]
mod tests;
