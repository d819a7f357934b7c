//! A dataset, split so that nothing leaks from one side into another.
//!
//! Examples that must stay together are one **atom**: those with one group, one
//! prompt, one answer, prompts that are near-duplicates of each other, and
//! conversations of which one is the beginning of another. Prompts and answers
//! are equal if they are after normalisation, whatever the system instruction.
//! A **label** is an answer of a few characters that many examples have, such
//! as "yes": it keeps nothing together, or all would be one.
//!
//! The input is read once for what ties examples, and once more to write the
//! sides. Then the files that were written are read again for the **proof**: what
//! they have in common is counted, and must be nothing. Near-duplicates are looked
//! for with other sketches then; should that find a pair that was missed before, it
//! is tied and all is done again.
//!
//! What is promised about sides is at [`split`]. Some forty bytes for each line
//! are kept in memory, eight for each pair of lines that something ties, and sixty
//! for each line where near-duplicates are looked for; all else goes to the disk
//! beyond the memory limit.

mod atoms;
mod proof;
mod quota;
pub(super) mod scan;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::convert::Met;
use super::dedupe::DedupeError;
pub use super::dedupe::{Means, Threshold};
use super::ledger::Ledger;
use crate::example::models::Limits;
use crate::io::passport::SourceFiles;
use crate::io::{
    Finished, Input, InputError, OutputError, OutputWriter, PassportError, Sha256Wanted,
};
pub use proof::{Overlap, Proof};

/// One side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// What a model learns from.
    Train,
    /// What is looked at while it learns.
    Validation,
    /// What is kept for the end.
    Test,
}

impl Side {
    /// All sides, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Its name, which its files have, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A ratio of millionths that add up to one.
const WHOLE: u32 = 1_000_000;

/// How much each side is to have: two sides or three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// In millionths; 0 for a side that there is none of.
    parts: [u32; 3],
}

impl Ratio {
    /// The sides there are.
    pub fn sides(self) -> impl Iterator<Item = Side> {
        let sides = Side::ALL.into_iter().zip(self.parts);
        sides.filter(|(_, part)| *part > 0).map(|(side, _)| side)
    }

    /// The share of each side, from 0 to 1.
    #[must_use]
    pub fn shares(self) -> Vec<f64> {
        let parts = self.parts.into_iter().filter(|part| *part > 0);
        parts
            .map(|part| f64::from(part) / f64::from(WHOLE))
            .collect()
    }
}

impl FromStr for Ratio {
    type Err = String;

    /// Reads `0.9`, the share of training, or `0.8,0.2` or `0.8,0.1,0.1`: the
    /// shares of training, validation and test.
    fn from_str(text: &str) -> Result<Self, String> {
        let error =
            || format!("`{text}` is no ratio; write it like 0.9 or 0.8,0.1,0.1, which add up to 1");
        let part = |text: &str| {
            let share: f64 = text.trim().parse().map_err(|_| error())?;
            let part = (share * f64::from(WHOLE)).round();
            let is_share = share > 0.0 && share < 1.0 && part >= 1.0;
            is_share.then_some(part as u32).ok_or_else(error)
        };
        let parts = text.split(',').map(part).collect::<Result<Vec<_>, _>>()?;
        let parts = match parts[..] {
            [train] => [train, WHOLE - train, 0],
            [train, validation] => [train, validation, 0],
            [train, validation, test] => [train, validation, test],
            _ => return Err(error()),
        };
        // Thirds, as they are commonly written.
        let sum: u32 = parts.iter().sum();
        if sum.abs_diff(WHOLE) > 1000 || parts[1] == 0 {
            return Err(error());
        }
        let [_, validation, test] = parts;
        Ok(Self {
            parts: [WHOLE - validation - test, validation, test],
        })
    }
}

/// What the ratio is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Examples.
    #[default]
    Examples,
    /// Tokens of text, as the newest models count them.
    Tokens,
}

/// Which equal answers keep examples together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answers {
    /// All but labels: answers of at most [`LABEL_CHARS`] characters that more
    /// than ten examples have, and more than one of a thousand.
    #[default]
    Texts,
    /// All.
    All,
    /// None.
    None,
}

/// The most characters of a label.
pub const LABEL_CHARS: usize = 48;

/// Within what the ratio is to be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stratify {
    /// Examples of about the same length: twice as long is the next stratum.
    Length,
    /// Examples with one value at a place.
    Pointer(Pointer),
}

/// A place in an example, as JSON Pointer (RFC 6901) writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl FromStr for Pointer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(names) = text.strip_prefix('/') else {
            return Err(format!(
                "`{text}` is no place in an example; write it like /labels/customer"
            ));
        };
        let names = names.split('/');
        let unescaped = names.map(|name| name.replace("~1", "/").replace("~0", "~"));
        Ok(Self(unescaped.collect()))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
        let mut names = self.0.iter().map(escaped);
        names.try_for_each(|name| write!(f, "/{name}"))
    }
}

/// How many validation examples there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxValidation {
    /// So many.
    pub examples: u64,
    /// More than the first number only up to so many for each hundred of
    /// training.
    pub share: Option<(u64, u64)>,
}

impl From<&Limits> for MaxValidation {
    fn from(limits: &Limits) -> Self {
        let share = limits.validation_share;
        Self {
            examples: limits.validation_examples,
            share: share.map(|share| (share.above, share.percent)),
        }
    }
}

/// How a dataset is to be split.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How much each side has.
    pub ratio: Ratio,
    /// What the ratio is measured in.
    pub by: By,
    /// Chooses one of many splits.
    pub seed: u64,
    /// Prompts of this similarity stay together, if they are looked for.
    pub near: Option<Threshold>,
    /// Which equal answers keep examples together.
    pub answers: Answers,
    /// Examples with one value at this place stay together, as do those with
    /// one group in the passport.
    pub group: Option<Pointer>,
    /// Within what the ratio is to be met.
    pub stratify: Option<Stratify>,
    /// How many validation examples there may be.
    pub max_validation: MaxValidation,
    /// The sides are in an order that the seed chooses, not in that of the
    /// input.
    pub shuffle: bool,
}

/// Why a dataset could not be split.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// It cannot be read or written.
    #[error(transparent)]
    Run(#[from] DedupeError),
    /// There are fewer atoms than sides.
    #[error("cannot split {examples} examples into {sides} sides{}", why(*atoms, *examples))]
    TooFewAtoms {
        /// The examples.
        examples: u64,
        /// How many there are of what must stay together.
        atoms: u64,
        /// The sides.
        sides: usize,
    },
    /// The sides that were written have something in common.
    #[error("the sides have something in common still: {0}")]
    Leak(String),
}

/// Why there are so few atoms, in words.
fn why(atoms: u64, examples: u64) -> String {
    match atoms {
        _ if atoms == examples => String::new(),
        1 => ": they must all stay together".into(),
        atoms => format!(": they are {atoms} sets that must stay together"),
    }
}

impl From<OutputError> for SplitError {
    fn from(error: OutputError) -> Self {
        Self::Run(error.into())
    }
}

impl From<InputError> for SplitError {
    fn from(error: InputError) -> Self {
        Self::Run(error.into())
    }
}

impl From<PassportError> for SplitError {
    fn from(error: PassportError) -> Self {
        Self::Run(error.into())
    }
}

/// Where a side is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The dataset.
    pub data: PathBuf,
    /// Where its examples came from.
    pub passport: PathBuf,
}

/// Where the results go.
#[derive(Debug)]
pub struct Sinks<'a> {
    /// The sides, as many as the ratio has.
    pub sides: Vec<Place>,
    /// Where lines go that are no examples.
    pub rejects: &'a Path,
    /// Whether the SHA-256 of the datasets is wanted.
    pub sha256: Sha256Wanted,
    /// What this step is called in passports.
    pub step: &'a str,
}

impl Sinks<'_> {
    fn writers(&self) -> Result<Vec<(OutputWriter, OutputWriter)>, OutputError> {
        let writers = self.sides.iter().map(|side| {
            let data = OutputWriter::create(&side.data, self.sha256)?;
            let passport = OutputWriter::create(&side.passport, Sha256Wanted::No)?;
            Ok((data, passport))
        });
        writers.collect()
    }
}

/// A side that was written, waiting to be renamed.
#[derive(Debug)]
pub struct Part {
    /// Which.
    pub side: Side,
    /// Its examples.
    pub examples: u64,
    /// Its tokens, if they were counted.
    pub tokens: Option<u64>,
    /// The dataset.
    pub data: Finished,
    /// Its passport.
    pub passport: Finished,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The account.
    pub ledger: Ledger,
    /// Of each code that was met: how often, and where first.
    pub met: Vec<Met>,
    /// The sides.
    pub parts: Vec<Part>,
    /// The lines that are no examples, if there are any.
    pub rejects: Option<Finished>,
    /// What the sides have in common, counted in what was written.
    pub proof: Proof,
    /// What was said of the atoms.
    pub atoms: AtomCounts,
    /// Validation has less than the ratio says because it may not have more.
    pub is_capped: bool,
    /// The input as it was read.
    pub inputs: Vec<SourceFiles>,
}

/// How examples hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtomCounts {
    /// The atoms.
    pub atoms: u64,
    /// The examples of the largest.
    pub largest: u64,
    /// Its first line, from 1.
    pub largest_line: u64,
    /// The labels, and how many examples have one.
    pub labels: (u64, u64),
    /// The examples that have a group.
    pub grouped: u64,
}

/// Splits a dataset.
///
/// Two things are promised. **The ratio**: of two sides, each has what the ratio
/// says, give or take the largest atom at most, unless validation may not have as
/// much; of three, give or take two such. With strata this is so in each. **Growth**: whether an atom goes to a side is settled where its first
/// example stands, by a keyed hash of that example's group or prompt, and by
/// what the atoms that begin before it have. So examples that are appended move
/// none of the earlier ones if they are tied to none of them. Those that are
/// tied to one go where it is; each may move a few atoms that begin later, as
/// the ratio is to be met still, and one that ties two atoms joins them where
/// the first is. The two exceptions: an answer that becomes a label, or ceases
/// to be one, by what is appended; and a side that would stay empty, which is
/// given the smallest atom.
///
/// # Errors
///
/// When the input or its passport cannot be read, an output cannot be written,
/// or the dataset cannot be split as it is asked. Nothing has appeared under
/// its name then.
pub fn split(
    input: Input,
    options: &Options,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
) -> Result<Outcome, SplitError> {
    /// What one search for near-duplicates misses, another one finds.
    const MOST_TRIES: u64 = 5;
    let atoms = atoms::read(input, options, means)?;
    let mut n_try = 1;
    loop {
        let sides = quota::assign(&atoms, options)?;
        let written = write::write(&atoms, &sides, options, sinks, means)?;
        let (overlap, missed) =
            proof::check((&atoms, &sides), &written, options, sinks, means, n_try)?;
        if overlap.is_nothing() {
            return Ok(outcome(&atoms, &sides, written, overlap, options));
        }
        if missed.is_empty() || n_try == MOST_TRIES {
            return Err(SplitError::Leak(overlap.to_string()));
        }
        for (one, other) in missed {
            atoms.unite(written.line(one, &sides), written.line(other, &sides));
        }
        n_try += 1;
    }
}

fn outcome(
    atoms: &atoms::Atoms,
    sides: &quota::Sides,
    written: write::Written,
    overlap: Overlap,
    options: &Options,
) -> Outcome {
    let counts = atoms.counts();
    let parts: Vec<_> = written
        .parts
        .into_iter()
        .zip(options.ratio.sides())
        .map(|((data, passport), side)| Part {
            side,
            examples: sides.examples[side as usize],
            tokens: (options.by == By::Tokens).then(|| sides.weights[side as usize]),
            data,
            passport,
        })
        .collect();
    Outcome {
        ledger: written.ledger,
        met: written.met,
        proof: Proof {
            sides: parts
                .iter()
                .map(|part| (part.side, part.examples))
                .collect(),
            ratio: options.ratio.shares(),
            overlap,
            near_threshold: options.near.map(Threshold::jaccard),
            seed: options.seed,
            atoms: counts,
        },
        parts,
        rejects: written.rejects,
        atoms: counts,
        is_capped: sides.is_capped,
        inputs: atoms.inputs.sources(),
    }
}

#[cfg(test)]
mod tests;
