//! Where the records of a CSV end: a state machine without I/O.
//!
//! The states are those of the `csv` crate, to which a property test holds
//! them on arbitrary bytes: a quote opens a quoted field only as the field's
//! first byte, two quotes inside it are one, and after its end anything up to
//! the next delimiter is taken as it comes. Quotes are rare, so the scan jumps
//! from quote to quote and looks for the last newline outside of them
//! afterwards; between quotes nothing is looked at byte by byte.

use std::ops::Range;

use super::Dialect;
use crate::source::blocks::{Cutter, Want};

/// Where the scan stands between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field.
    FieldStart,
    /// Inside an unquoted field, or behind a quoted one.
    Plain,
    /// Inside a quoted field.
    Quoted,
    /// Behind a quote inside a quoted field: its end, or half of two.
    QuoteInQuoted,
}

/// Cuts a CSV where records end.
#[derive(Debug)]
pub(super) struct CsvCutter {
    dialect: Dialect,
    state: State,
    /// Whether a scan met a quote inside an unquoted field since it was asked.
    stray: bool,
    /// The stretches of the chunk outside of quoted fields.
    outside: Vec<Range<usize>>,
}

impl CsvCutter {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            state: State::FieldStart,
            stray: false,
            outside: Vec::new(),
        }
    }

    /// Whether a scan met a quote inside an unquoted field since this was
    /// asked last.
    pub(super) fn take_stray(&mut self) -> bool {
        std::mem::take(&mut self.stray)
    }

    /// Whether the bytes so far end inside a quoted field.
    pub(super) fn is_in_quotes(&self) -> bool {
        self.state == State::Quoted
    }

    /// Walks over the chunk and notes the stretches outside of quotes. For
    /// `Want::First` it stops behind the first of them that holds a record
    /// end.
    fn walk(&mut self, chunk: &[u8], want: Want) {
        let mut at = 0;
        let mut outside_from = 0;
        if self.state == State::QuoteInQuoted && !chunk.is_empty() {
            self.state = State::Plain;
            if chunk[0] == b'"' {
                self.state = State::Quoted;
                at = 1;
            }
        }
        loop {
            if self.state == State::Quoted {
                let Some(end) = self.quoted_end(chunk, at) else {
                    return;
                };
                self.state = State::Plain;
                at = end;
                outside_from = end;
            }
            let Some(quote) = self.opening_quote(chunk, at) else {
                break;
            };
            self.outside.push(outside_from..quote);
            if want == Want::First && self.last_end(chunk).is_some() {
                return;
            }
            self.state = State::Quoted;
            at = quote + 1;
        }
        self.outside.push(outside_from..chunk.len());
        if let Some(&last) = chunk[at..].last() {
            self.state = self.after(last);
        }
    }

    /// The place behind the quoted field that goes on at `from`, or `None` if
    /// the chunk ends first.
    fn quoted_end(&mut self, chunk: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let quote = at + memchr::memchr(b'"', chunk.get(at..)?)?;
            match chunk.get(quote + 1) {
                Some(b'"') => at = quote + 2,
                Some(_) => return Some(quote + 1),
                None => {
                    self.state = State::QuoteInQuoted;
                    return None;
                }
            }
        }
    }

    /// The next quote that opens a field.
    fn opening_quote(&mut self, chunk: &[u8], from: usize) -> Option<usize> {
        if !self.dialect.quoting {
            return None;
        }
        for quote in memchr::memchr_iter(b'"', &chunk[from..]).map(|n| from + n) {
            let before = if quote == from {
                self.state
            } else {
                self.after(chunk[quote - 1])
            };
            if before == State::FieldStart {
                return Some(quote);
            }
            self.stray = true;
        }
        None
    }

    /// The state behind a byte outside of quotes.
    fn after(&self, byte: u8) -> State {
        if byte == self.dialect.delimiter || byte == b'\n' || byte == b'\r' {
            State::FieldStart
        } else {
            State::Plain
        }
    }

    fn last_end(&self, chunk: &[u8]) -> Option<usize> {
        let stretches = self.outside.iter().rev();
        stretches
            .filter_map(|stretch| {
                let newline = memchr::memrchr(self.dialect.terminator, &chunk[stretch.clone()])?;
                Some(stretch.start + newline + 1)
            })
            .next()
    }

    fn first_end(&self, chunk: &[u8]) -> Option<usize> {
        self.outside.iter().find_map(|stretch| {
            let newline = memchr::memchr(self.dialect.terminator, &chunk[stretch.clone()])?;
            Some(stretch.start + newline + 1)
        })
    }
}

impl Cutter for CsvCutter {
    fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize> {
        self.outside.clear();
        self.walk(chunk, want);
        match want {
            Want::Last => self.last_end(chunk),
            Want::First => {
                let end = self.first_end(chunk);
                if end.is_some() {
                    self.state = State::FieldStart;
                }
                end
            }
        }
    }
}
