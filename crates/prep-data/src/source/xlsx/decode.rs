//! Runs of rows as records.
//!
//! A row that the sheet leaves out is blank like one that it writes without
//! cells, and is noted as such: a row's number in the sheet is its line.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::runs::first_end;
use super::sheet::{Row, Rows, last_row};
use super::strings::has_escape;
use super::workbook::Book;
use crate::diag::{self, Finding, Position};
use crate::source::{Batch, Data, Item, Record, Reject};

/// What decoding a row needs beside the row.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) book: Book,
    pub(super) width: usize,
    pub(super) header: Option<u64>,
}

/// A run of whole rows, as XML.
pub(super) struct RowBatch {
    pub(super) table: Arc<Table>,
    pub(super) run: Vec<u8>,
    /// The number of the row that is line 0 of this batch.
    pub(super) first: u64,
    /// How many rows the batch spans, those that are not written included.
    pub(super) n_rows: u64,
}

impl fmt::Debug for RowBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowBatch")
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}

impl Batch for RowBatch {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let mut decoder = Decoder {
            table: &self.table,
            first: self.first,
            next: self.first,
            raw: Vec::new(),
            each,
        };
        match std::str::from_utf8(&self.run) {
            Ok(text) => decoder.rows(text),
            Err(_) => decoder.damaged_rows(&self.run),
        }
        self.n_rows
    }
}

/// Turns rows into items.
struct Decoder<'t, 'e> {
    table: &'t Table,
    first: u64,
    /// The row after the last that was seen. It never goes back, or a file
    /// whose rows jump to and fro would give a million notes for each.
    next: u64,
    raw: Vec<u8>,
    each: &'e mut dyn FnMut(Item<'_>),
}

impl Decoder<'_, '_> {
    /// Decodes rows one by one where some of them are not UTF-8.
    fn damaged_rows(&mut self, mut run: &[u8]) {
        while !run.is_empty() {
            let end = first_end(run, "row").unwrap_or(run.len());
            let (row, rest) = run.split_at(end);
            run = rest;
            match std::str::from_utf8(row) {
                Ok(text) => self.rows(text),
                Err(error) => {
                    let message = format!(
                        "byte {} of the row's XML is not UTF-8",
                        error.valid_up_to() + 1
                    );
                    let number = last_row(row, self.next).max(self.next);
                    self.reject(number, &diag::S001, message, row);
                }
            }
        }
    }

    fn rows(&mut self, mut text: &str) {
        // Each turn but the last ends at a row that cannot be read, and the
        // next goes on behind it.
        while !text.is_empty() {
            let table = self.table;
            let mut rows = Rows::new(text, &table.book, self.next);
            let broken = loop {
                match rows.next_row() {
                    Ok(Some(row)) => self.row(row),
                    Ok(None) => return,
                    Err(broken) => break broken,
                }
            };
            let rest = &text.as_bytes()[broken.start..];
            let end = broken.start + first_end(rest, "row").unwrap_or(rest.len());
            self.reject(
                broken.number,
                &diag::S032,
                broken.message,
                &text.as_bytes()[broken.start..end],
            );
            text = &text[end..];
        }
    }

    fn row(&mut self, row: &mut Row<'_>) {
        self.blank_rows_before(row.number);
        let line = row.number.saturating_sub(self.first);
        self.next = self.next.max(row.number + 1);
        let at = |column: usize| Position {
            line,
            column: column as u64 + 1,
        };
        if let Some(column) = row.unvalued {
            let message = format!(
                "the formula in column `{}` has no stored value",
                column_name(column)
            );
            (self.each)(Item::Note(Finding::new(&diag::S042, at(column), message)));
        }
        if self.table.header == Some(row.number) {
            return;
        }
        let width = self.table.width;
        let n_filled = row.n_filled();
        if n_filled == 0 {
            self.blank_row(line);
            return;
        }
        row.cells.truncate(n_filled.max(width));
        self.raw.clear();
        write_csv(&row.cells, &mut self.raw);
        if n_filled > width {
            let message = format!(
                "there is a cell in column `{}`, the header ends at `{}`",
                column_name(n_filled - 1),
                column_name(width.saturating_sub(1)),
            );
            let finding = Finding::new(&diag::S003, at(width), message);
            let raw = &self.raw;
            (self.each)(Item::Reject(Reject { line, finding, raw }));
            return;
        }
        if let Some(column) = row.cells.iter().position(|cell| has_escape(cell)) {
            let message = format!(
                "the text in column `{}` holds an `_xHHHH_` escape",
                column_name(column)
            );
            (self.each)(Item::Note(Finding::new(&diag::S013, at(column), message)));
        }
        // The empty cells that the row does not write.
        row.cells.resize(width, Cow::Borrowed(""));
        (self.each)(Item::Record(Record::new(
            line,
            &self.raw,
            Data::Row(&row.cells),
        )));
    }

    fn reject(&mut self, number: u64, code: &'static diag::Code, message: String, raw: &[u8]) {
        self.blank_rows_before(number);
        let line = number.saturating_sub(self.first);
        self.next = self.next.max(number + 1);
        let finding = Finding::new(code, Position::line(line), message);
        (self.each)(Item::Reject(Reject { line, finding, raw }));
    }

    /// Notes the rows that the sheet leaves out because nothing is in them.
    fn blank_rows_before(&mut self, number: u64) {
        for blank in self.next..number {
            self.blank_row(blank.saturating_sub(self.first));
        }
    }

    fn blank_row(&mut self, line: u64) {
        let finding = Finding::new(&diag::S002, Position::line(line), "the row is empty");
        (self.each)(Item::Note(finding));
    }
}

/// Writes cells as one line of CSV, without a line end.
fn write_csv(cells: &[Cow<'_, str>], into: &mut Vec<u8>) {
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            into.push(b',');
        }
        let bytes = cell.as_bytes();
        if memchr::memchr3(b'"', b',', b'\n', bytes).is_none()
            && memchr::memchr(b'\r', bytes).is_none()
        {
            into.extend_from_slice(bytes);
            continue;
        }
        into.push(b'"');
        for piece in bytes.split_inclusive(|&byte| byte == b'"') {
            into.extend_from_slice(piece);
            if piece.ends_with(b"\"") {
                into.push(b'"');
            }
        }
        into.push(b'"');
    }
}

/// The letters of a column, from 0: `A`, …, `Z`, `AA`.
fn column_name(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + (column % 26) as u8));
        if column < 26 {
            return letters.iter().rev().collect();
        }
        column = column / 26 - 1;
    }
}
