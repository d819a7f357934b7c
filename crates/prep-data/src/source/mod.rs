//! Inputs of every format, as records.
//!
//! [`open`] hides format, compression, encoding and byte-order mark behind one
//! function. What it had to guess is in [`Opened::decisions`], to be printed.
//!
//! A [`Source`] cuts its input into batches on one thread, doing as little as
//! finding record boundaries takes; any thread then decodes a [`Batch`] into
//! [`Record`]s. Lines inside a batch are counted from the batch's first line,
//! so that no thread has to know what came before: the pipeline adds the rest.

use std::borrow::Cow;
use std::fmt::Debug;
use std::io;

use crate::diag::Finding;
use crate::example::Example;

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

/// One unit of source data.
#[derive(Debug)]
pub struct Record<'a> {
    /// The physical line on which it begins, from 0 within the batch.
    pub line: u64,
    /// The bytes it was decoded from, for the rejects file.
    pub raw: &'a [u8],
    /// What it says.
    pub data: Data<'a>,
}

/// What a record says.
#[derive(Debug)]
pub enum Data<'a> {
    /// A table row: one cell for each of [`Opened::columns`], in their order.
    Row(&'a [Cow<'a, str>]),
    /// A conversation that needs no composing.
    Chat(Box<Example<'a>>),
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
    },
}

/// A reason in words, for errors whose facts no caller needs apart.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub String);
