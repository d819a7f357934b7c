//! Examples that repeat each other, found and left out.
//!
//! The inputs are read twice. The first reading takes the fingerprints of
//! every example, and its sketch if near-duplicates are looked for; from them
//! a **plan** says which lines are left out, why, and for the sake of which
//! other line. The second reading writes what stays. All that grows with the
//! number of examples spills to the disk beyond the memory limit, but for some
//! forty bytes an example where near-duplicates are looked for.
//!
//! - **Exact** and **normalised** duplicates are all examples with one
//!   normalised fingerprint. One of them is kept.
//! - **Near-duplicates** are the connected parts of the graph whose edges are
//!   pairs of texts with a Jaccard index at the threshold or above, each
//!   verified on the texts themselves. One of each part is kept. So the parts
//!   do not depend on the order of the input, and what is left has no such
//!   pair; a text may be less similar to the one kept than to the one that
//!   links them, which the clusters show. A pair at the threshold is met with a chance of
//!   0.98, one above it soon with certainty; of texts of one template [`crowd`]
//!   says what holds.
//! - **Conflicts** are looked for in what is left: one prompt and context with
//!   several answers.

mod crowd;
pub(super) mod near;
pub(super) mod plan;
pub(super) mod verdict;
mod write;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;

pub use plan::{NearPair, NearPairs, near_pairs};

use super::convert::Met;
use super::ledger::Ledger;
use crate::io::passport::{self, SourceFile, SourceFiles};
use crate::io::{Finished, Input, InputError, OutputError, OutputWriter, PassportError, Reread};

/// What makes two examples duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// The whole example: system instruction, prompt and answer.
    #[default]
    Example,
    /// System instruction and prompt.
    User,
    /// The answer.
    Model,
}

/// Which of several duplicates is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// The first one of the input.
    #[default]
    First,
    /// The last one.
    Last,
    /// The one with the longest text, the first of several.
    Longest,
}

/// What becomes of examples with one prompt and several answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflicts {
    /// They are reported and stay.
    #[default]
    Report,
    /// They go, all of them.
    Drop,
    /// The last one of the input stays.
    Newest,
}

/// How similar near-duplicates are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(f64);

impl Threshold {
    /// The lowest threshold: below it, what is similar by chance is found.
    pub const LOWEST: f64 = 0.5;

    /// A Jaccard index from 0.5 to 1, or `None`.
    #[must_use]
    pub fn new(jaccard: f64) -> Option<Self> {
        (Self::LOWEST..=1.0)
            .contains(&jaccard)
            .then_some(Self(jaccard))
    }

    /// The Jaccard index.
    #[must_use]
    pub fn jaccard(self) -> f64 {
        self.0
    }
}

/// What is to be left out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// What makes two examples duplicates.
    pub by: By,
    /// Which one is kept.
    pub keep: Keep,
    /// Near-duplicates from this similarity on, if they are looked for.
    pub near: Option<Threshold>,
    /// What becomes of conflicts.
    pub conflicts: Conflicts,
}

/// Why a dataset could not be deduplicated.
#[derive(Debug, thiserror::Error)]
pub enum DedupeError {
    /// An input cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A passport cannot be read.
    #[error(transparent)]
    Passport(#[from] PassportError),
    /// An output, or temporary data, cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// There are more texts than can be numbered.
    #[error("near-duplicates are looked for in at most {} texts", u32::MAX)]
    TooManyTexts,
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What a run is given to work with.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// The threads to work on.
    pub pool: &'a ThreadPool,
    /// The most memory for what is kept about examples, in bytes.
    pub memory: u64,
    /// An output: temporary data goes beside it.
    pub target: &'a Path,
    /// Set from outside to stop the run.
    pub stop: &'a AtomicBool,
}

impl Means<'_> {
    pub(super) fn check_stop(&self) -> Result<(), DedupeError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(DedupeError::Interrupted);
        }
        Ok(())
    }
}

/// Where the results go.
#[derive(Debug)]
pub struct Sinks<'a> {
    /// The dataset.
    pub data: OutputWriter,
    /// Where examples came from, if that is kept.
    pub passport: Option<OutputWriter>,
    /// Where rejects and what was dropped go, once there is one; `None`:
    /// nowhere.
    pub rejects: Option<&'a Path>,
    /// Where the clusters go, if they are wanted.
    pub clusters: Option<OutputWriter>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The account.
    pub ledger: Ledger,
    /// Of each code that was met: how often, and where first.
    pub met: Vec<Met>,
    /// The dataset, waiting to be renamed.
    pub data: Finished,
    /// The passport, not yet ended.
    pub passport: Option<passport::Writer<OutputWriter>>,
    /// The sources that its stamps name.
    pub origins: Vec<SourceFiles>,
    /// What was done before.
    pub steps: Vec<String>,
    /// What was left out, if anything was.
    pub rejects: Option<Finished>,
    /// The clusters, if they were wanted.
    pub clusters: Option<Finished>,
    /// The inputs as they were read.
    pub inputs: Vec<SourceFiles>,
    /// The least similar of the pairs that count as near-duplicates, the least
    /// similar first.
    pub least_similar: Vec<Merged>,
}

/// A near-duplicate that was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// How similar it is to the one that was kept.
    pub similarity: f32,
    /// The one that was kept, as `FILE:LINE`, and the beginning of its text as
    /// it is compared.
    pub kept: (String, String),
    /// The one that was left out.
    pub dropped: (String, String),
}

/// Leaves out what `options` name, from all inputs together. The outputs are
/// begun when it is settled what is left out.
///
/// # Errors
///
/// When an input or passport cannot be read, or an output cannot be written.
/// Nothing has appeared under its name then.
pub fn dedupe<'a>(
    inputs: Vec<Input>,
    options: Options,
    wants_clusters: bool,
    sinks: impl FnOnce() -> Result<Sinks<'a>, OutputError>,
    means: &Means<'_>,
) -> Result<Outcome, DedupeError> {
    let first = plan::read(inputs, options, means)?;
    let plan = plan::settle(first, options, wants_clusters, means)?;
    let least_similar = plan.least_similar()?;
    write::write(plan, sinks()?, means, least_similar)
}

/// The inputs after the first reading, whose lines are numbered through.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) inputs: Vec<Reread>,
    /// The number of the first line of each input, and of the line after the
    /// last.
    pub(super) starts: Vec<u64>,
}

impl Inputs {
    pub(super) fn n_lines(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    /// The input of a line, and its number there, from 1.
    pub(super) fn line(&self, place: u64) -> (usize, u64) {
        let input = self.starts.partition_point(|&start| start <= place) - 1;
        (input, place - self.starts[input] + 1)
    }

    fn name(&self, place: u64) -> String {
        let (input, line) = self.line(place);
        format!("{}:{line}", self.inputs[input].name())
    }

    /// A line as messages about another line of `input` name it.
    fn name_from(&self, place: u64, input: usize) -> String {
        let (other, line) = self.line(place);
        if other == input {
            format!("line {line}")
        } else {
            format!("`{}:{line}`", self.inputs[other].name())
        }
    }

    pub(super) fn sources(&self) -> Vec<SourceFiles> {
        let source = |input: &Reread| SourceFiles {
            files: vec![SourceFile {
                path: input.name().to_owned(),
                bytes: input.bytes(),
                blake3: input.checksum().to_owned(),
            }],
            read_as: serde_json::json!({"format": "gemini"}),
        };
        self.inputs.iter().map(source).collect()
    }
}

#[cfg(test)]
mod tests;
