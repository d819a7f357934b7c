//! What can be wrong with data, and where: findings, their codes and levels.
//!
//! Bad data is not an error. It is a [`Finding`], and reading goes on. How a
//! finding reads on a screen is decided here too, in one place.

mod codes;
mod dataset;

use std::fmt;
use std::str::FromStr;

pub use codes::*;
pub use dataset::*;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported; the record is kept.
    Warn,
    /// Reported; the record cannot become an example.
    Error,
}

impl Level {
    /// The level as flags and programs write it: `allow`, `warn`, `error`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let levels = [Self::Allow, Self::Warn, Self::Error];
        levels
            .into_iter()
            .find(|level| level.word() == word)
            .ok_or(())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Warn => "warning",
            Self::Error => "error",
        })
    }
}

/// A kind of finding, with an identity that never changes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// The stable code, for example `S003`. Never reused.
    pub code: &'static str,
    /// A name that reads well after "allow", for example `ragged-row`.
    pub name: &'static str,
    /// How much it matters unless the user says otherwise.
    pub level: Level,
    /// One thing to do about it: a phrase in the imperative.
    pub hint: &'static str,
}

/// A name from the data as messages show it: in backticks, and cut if it is a
/// whole text.
pub(crate) fn shown(name: &str) -> String {
    const MOST: usize = 60;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Physical line, from 1. Inside a batch: lines after the batch's first,
    /// from 0, until the pipeline has made it absolute.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// The first column of a line.
    #[must_use]
    pub fn line(line: u64) -> Self {
        Self { line, column: 1 }
    }
}

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: &'static Code,
    /// Where.
    pub position: Position,
    /// A lower-case phrase without a full stop, names and values in backticks.
    pub message: String,
}

impl Finding {
    /// Makes a finding of the given kind at a place.
    pub fn new(code: &'static Code, position: Position, message: impl Into<String>) -> Self {
        Self {
            code,
            position,
            message: message.into(),
        }
    }
}
