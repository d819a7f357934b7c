//! What the XML formats share: where units end, how their text reads.
//!
//! TMX and XLIFF are long rows of small units, so neither is parsed as one
//! document. [`ends`] finds the ends of units in a stream of any length,
//! [`markup`] finds their beginnings in a block, and each unit is then parsed
//! by itself ([`pull`]), so that one that is malformed costs itself and no
//! other. Comments, CDATA sections and processing instructions are seen
//! through everywhere. No depth is ever a recursion.
//!
//! Only local names count: `<xlf:unit>` is a `<unit>`. Entities are the five
//! of XML and character references; a document that declares its own is
//! refused ([`prolog`]). Line ends inside texts become `\n`, as XML demands of
//! every reader; nothing else is changed.

pub(crate) mod broken;
#[cfg(test)]
pub(crate) mod check;
pub(crate) mod ends;
pub(crate) mod inline;
pub(crate) mod language;
pub(crate) mod markup;
pub(crate) mod prolog;
pub(crate) mod pull;

use self::pull::Fault;
use crate::diag::{Finding, Position};
use crate::source::blocks::count_newlines;

/// The place of a batch: what its own lines and columns are counted from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Margin {
    /// The characters before the batch on its first line.
    characters: u64,
}

impl Margin {
    /// Moves on over the bytes of a batch.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        match memchr::memrchr(b'\n', bytes) {
            Some(at) => self.characters = count_characters(&bytes[at + 1..]),
            None => self.characters += count_characters(bytes),
        }
    }

    /// Moves to the beginning of a line, where the column is not known.
    pub(crate) fn reset(&mut self) {
        self.characters = 0;
    }
}

/// Positions in a batch. Asked for in ascending order, as they nearly always
/// are, they cost one look at each byte, however many units are rejected.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    bytes: &'a [u8],
    beginning: Margin,
    margin: Margin,
    line: u64,
    at: usize,
}

impl<'a> Places<'a> {
    /// The positions in a batch that begins at a margin.
    pub(crate) fn new(bytes: &'a [u8], margin: Margin) -> Self {
        Self {
            bytes,
            beginning: margin,
            margin,
            line: 0,
            at: 0,
        }
    }

    /// The position of a byte.
    pub(crate) fn position(&mut self, at: usize) -> Position {
        if at < self.at {
            *self = Self::new(self.bytes, self.beginning);
        }
        let passed = &self.bytes[self.at..at.min(self.bytes.len())];
        self.margin.pass(passed);
        self.line += count_newlines(passed);
        self.at += passed.len();
        Position {
            line: self.line,
            column: self.margin.characters + 1,
        }
    }

    /// The finding for what is wrong with a unit that begins at `start`.
    pub(crate) fn finding(&mut self, fault: Fault, start: usize) -> Finding {
        Finding::new(fault.code, self.position(start + fault.at), fault.message)
    }
}

/// Counts characters as the bytes that do not continue one, which holds for
/// text with invalid bytes too.
fn count_characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64
}

/// Lines of a batch, asked for in ascending order: each byte is looked at once.
#[derive(Debug)]
pub(crate) struct LineCount<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCount<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 0,
        }
    }

    /// The line of a byte at or after the one asked for before.
    pub(crate) fn line(&mut self, at: usize) -> u64 {
        self.line += count_newlines(&self.bytes[self.at..at]);
        self.at = at;
        self.line
    }

    /// The number of newlines in the whole batch.
    pub(crate) fn total(mut self) -> u64 {
        self.line(self.bytes.len())
    }
}
