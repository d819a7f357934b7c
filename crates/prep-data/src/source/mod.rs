//! Inputs of every format, as records.
//!
//! [`open_all`] hides format, compression, encoding and byte-order mark behind one
//! function. What it had to guess is in [`Opened::decisions`], to be printed.
//!
//! A [`Source`] cuts its input into batches on one thread, doing as little as
//! finding record boundaries takes; any thread then decodes a [`Batch`] into
//! [`Record`]s. Lines inside a batch are counted from the batch's first line,
//! so that no thread has to know what came before: the pipeline adds the rest.

pub(crate) mod blocks;
pub(crate) mod by_id;
pub(crate) mod chat;
pub mod columns;
#[cfg(test)]
pub(crate) mod contract;
pub(crate) mod csv;
mod detect;
mod marks;
pub(crate) mod moses;
mod options;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
pub(crate) mod po;
pub(crate) mod text;
pub(crate) mod tmx;
pub(crate) mod xliff;
#[cfg(feature = "xlsx")]
pub(crate) mod xlsx;
pub(crate) mod xml;

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::io;

use crate::diag::{Finding, Position};
use crate::example::{Example, Role};
use crate::io::{Cause, InputError};

pub use detect::open_all;
pub use options::{Format, InlineTags, Options};
#[cfg(feature = "parquet")]
pub use parquet::panic_is_contained;

/// A source, ready to be read.
#[derive(Debug)]
pub struct Opened {
    /// The format it is read as.
    pub format: Format,
    /// The names of the inputs it reads, in order.
    pub names: Vec<String>,
    /// The columns of its rows; `None` if its records are conversations.
    pub columns: Option<Columns>,
    /// What was guessed, one phrase each, to be shown to the user.
    pub decisions: Vec<String>,
    /// Its records.
    pub source: Box<dyn Source>,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Their names, in order; `1`, `2`, … where the table has no header.
    pub names: Vec<String>,
    /// Whether the names are the table's own.
    pub named: bool,
    /// The columns of prompt and answer where the source knows them, or knows
    /// that it cannot tell; `None` where their names are to tell.
    pub sides: Option<[Option<usize>; 2]>,
}

impl Columns {
    /// The two sides of a pair format.
    #[must_use]
    pub fn pair() -> Self {
        Self {
            names: vec!["source".into(), "target".into()],
            named: true,
            sides: None,
        }
    }
}

/// An input, cut into batches.
pub trait Source: Debug + Send {
    /// Takes the next batch off the front of the input, or `None` at its end.
    ///
    /// # Errors
    ///
    /// When the input cannot be read further, or is not of its format at all.
    /// A record that is malformed is no error: it is an [`Item::Reject`].
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError>;
}

/// A stretch of input that any thread can decode.
pub trait Batch: Debug + Send {
    /// Decodes every record, in input order, and returns how many physical
    /// lines the batch spans: the first line of the next batch is this batch's
    /// first line plus that many.
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64;

    /// Does the same for a taker, which may get rows in a form that costs less
    /// to make.
    fn decode_into(self: Box<Self>, taker: &mut dyn Taker) -> u64 {
        self.decode(&mut |item| taker.take(item))
    }

    /// Which of [`Opened::names`] its lines are those of. They count from the
    /// first again where the batch before had another input.
    fn input(&self) -> usize {
        0
    }
}

/// What decoding gives, in input order.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record that is well formed.
    Record(Record<'a>),
    /// A record that is not. It counts as read and as rejected.
    Reject(Reject<'a>),
    /// Something to tell about the input or about a record that is kept. It
    /// counts as nothing.
    Note(Finding),
}

/// Takes what a batch decodes to.
pub trait Taker {
    /// Takes the next item.
    fn take(&mut self, item: Item<'_>);

    /// Whether it takes plain records at all: finding them costs something.
    fn takes_plain(&self) -> bool {
        false
    }

    /// Takes the next record, if it is one that the taker can do with as it
    /// is; otherwise returns `false`, and gets it as an item.
    fn take_plain(&mut self, _row: PlainRow<'_>) -> bool {
        false
    }

    /// The same for a conversation.
    fn take_plain_chat(&mut self, _chat: PlainChat<'_>) -> bool {
        false
    }
}

/// A taker that wants nothing but items.
pub(crate) struct Items<'e>(pub(crate) &'e mut dyn FnMut(Item<'_>));

impl Taker for Items<'_> {
    fn take(&mut self, item: Item<'_>) {
        (self.0)(item);
    }
}

/// A row of a table, well formed, of valid UTF-8, whose cells stand in its
/// bytes as they are and hold nothing that JSON escapes: no quote, no
/// backslash, no control character.
#[derive(Debug, Clone, Copy)]
pub struct PlainRow<'a> {
    /// The physical line on which it begins, from 0 within the batch.
    pub line: u64,
    /// Its bytes.
    raw: &'a [u8],
    /// Where in `raw` each cell ends; one byte further begins the next.
    ends: &'a [usize],
}

/// A conversation, well formed, whose texts stand in the input as JSON strings
/// that are escaped as [`write::escape`](crate::example::write::escape) does
/// it. None is blank; turns of user and model alternate, the model's is last.
#[derive(Debug, Clone, Copy)]
pub struct PlainChat<'a> {
    /// The physical line on which it begins, from 0 within the batch.
    pub line: u64,
    /// The inside of the system instruction's string.
    pub system: Option<&'a [u8]>,
    /// The turns, with the insides of their strings.
    pub turns: &'a [(Role, &'a [u8])],
}

impl<'a> PlainRow<'a> {
    pub(crate) fn new(line: u64, raw: &'a [u8], ends: &'a [usize]) -> Self {
        Self { line, raw, ends }
    }

    /// The text of a column's cell.
    #[must_use]
    pub fn cell(&self, column: usize) -> &'a [u8] {
        let start = column
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] + 1);
        &self.raw[start..self.ends[column]]
    }
}

/// One unit of source data.
#[derive(Debug)]
pub struct Record<'a> {
    /// The physical line on which it begins, from 0 within the batch.
    pub line: u64,
    /// The bytes it was decoded from, for the rejects file.
    pub raw: &'a [u8],
    /// Where in `raw` each cell of a row begins.
    pub starts: Starts<'a>,
    /// What it says.
    pub data: Data<'a>,
    /// The part of it that comes from elsewhere in a second input.
    pub second: Option<Second>,
}

impl<'a> Record<'a> {
    /// A record of one input whose raw bytes do not show its cells.
    pub(crate) fn new(line: u64, raw: &'a [u8], data: Data<'a>) -> Self {
        Self {
            line,
            raw,
            starts: Starts(None),
            data,
            second: None,
        }
    }
}

/// Where in [`Record::raw`] the cells of a row begin: asked of the source when
/// something is wrong with a cell, and not before.
#[derive(Clone, Copy)]
pub struct Starts<'a>(Option<&'a dyn Fn(usize) -> usize>);

impl Starts<'_> {
    /// The offset of a column's cell, if the raw bytes show it.
    #[must_use]
    pub fn of(&self, column: usize) -> Option<usize> {
        self.0.map(|start_of| start_of(column))
    }
}

impl Debug for Starts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Starts").field(&self.0.is_some()).finish()
    }
}

/// Where a record goes on in the second input of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Second {
    /// The physical line there, from 1.
    pub line: u64,
    /// The offset in [`Record::raw`] at which its bytes begin; a newline
    /// stands before them.
    pub at: usize,
}

/// What a record says.
#[derive(Debug)]
pub enum Data<'a> {
    /// A table row: one cell for each of [`Opened::columns`], in their order.
    Row(&'a [Cow<'a, str>]),
    /// A conversation that needs no composing.
    Chat(Box<Example<'a>>),
}

/// The position of a byte of a record that begins on `line`, from 0 in its
/// batch.
pub(crate) fn place(raw: &[u8], line: u64, at: usize) -> Position {
    let before = &raw[..at.min(raw.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    Position {
        line: line + blocks::count_newlines(before),
        column: String::from_utf8_lossy(&before[line_start..])
            .chars()
            .count() as u64
            + 1,
    }
}

/// A record that cannot be read, with the reason.
#[derive(Debug)]
pub struct Reject<'a> {
    /// The physical line on which the record begins, from 0 within the batch.
    pub line: u64,
    /// What is wrong and where exactly (a position within the batch).
    pub finding: Finding,
    /// The record's bytes; a stated prefix if it was too long to keep.
    pub raw: &'a [u8],
}

/// Something a caller may decide in [`Options`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The field delimiter.
    Delimiter,
    /// The two languages.
    Languages,
    /// The sheet of a workbook.
    Sheet,
}

/// Why a source cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Reading failed.
    #[error("cannot read `{name}`")]
    Read {
        /// The input's name.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// An input cannot be opened.
    #[error(transparent)]
    Open(#[from] InputError),
    /// The input is not what its format asks for.
    #[error("cannot read `{name}` as {format}")]
    Malformed {
        /// The input's name.
        name: String,
        /// The format it was read as.
        format: Format,
        /// Why, with the place.
        #[source]
        cause: Cause,
        /// What the caller could decide to get further.
        choice: Option<Choice>,
    },
    /// The input has no text.
    #[error("`{name}` is empty")]
    Empty {
        /// The input's name.
        name: String,
    },
    /// What the input is cannot be told.
    #[error("cannot tell what `{name}` is")]
    Unknown {
        /// The input's name.
        name: String,
        /// What was seen.
        #[source]
        cause: Cause,
    },
    /// A pair of files was asked for and there are more or fewer.
    #[error("aligned text comes as two files, not as {n}")]
    NoPair {
        /// How many there are.
        n: usize,
    },
    /// An id joins two tables and there are more or fewer inputs.
    #[error("an id joins two tables, not {n}")]
    NoJoin {
        /// How many there are.
        n: usize,
    },
    /// A table that is to be joined has no such column, or several.
    #[error("`{name}` has {} `{column}`", no_or_several(*n))]
    Column {
        /// The input's name.
        name: String,
        /// The column that was asked for.
        column: String,
        /// How often it is there.
        n: usize,
        /// The names that are there.
        columns: Vec<String>,
    },
    /// The table that is kept while it is joined does not fit into memory.
    #[error("the rows of `{name}` do not fit into {} MiB of memory", limit >> 20)]
    TooManyRows {
        /// The input's name.
        name: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Two files whose lines should correspond have not as many of them.
    #[error("`{src}` and `{tgt}` do not line up")]
    Unaligned {
        /// The name of the prompt side.
        src: String,
        /// The name of the answer side.
        tgt: String,
        /// How many lines each has.
        #[source]
        lines: LineCounts,
    },
}

fn no_or_several(n: usize) -> String {
    match n {
        0 => "no column".into(),
        n => format!("{n} columns called"),
    }
}

/// The number of lines of two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{src} lines against {tgt}")]
pub struct LineCounts {
    /// Those of the prompt side.
    pub src: u64,
    /// Those of the answer side.
    pub tgt: u64,
}

impl SourceError {
    /// An error of reading the named input.
    pub(crate) fn read(name: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let name = name.into();
        move |source| Self::Read { name, source }
    }

    /// An input that is not what its format asks for.
    pub(crate) fn malformed(
        name: impl Into<String>,
        format: Format,
        cause: impl Into<String>,
    ) -> Self {
        Self::Malformed {
            name: name.into(),
            format,
            cause: Cause(cause.into()),
            choice: None,
        }
    }

    /// Adds what the caller could decide.
    #[must_use]
    pub(crate) fn choice(mut self, decidable: impl Into<Option<Choice>>) -> Self {
        if let Self::Malformed { choice, .. } = &mut self {
            *choice = decidable.into();
        }
        self
    }
}
