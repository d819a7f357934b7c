//! Records of a CSV block as rows.

use std::borrow::Cow;

use memchr::memmem;

use super::plain::PlainRows;
use super::{Dialect, Layout};
use crate::diag::{Code, Finding, Position, S001, S002, S003, S004, S005, S006, S007, S008, S013};
use crate::source::blocks::{Block, count_newlines};
use crate::source::{Batch, Data, Item, Items, Record, Reject, Starts, Taker, place};

/// A block of whole records.
#[derive(Debug)]
pub(super) struct CsvBatch {
    pub(super) block: Block,
    pub(super) layout: Layout,
    /// Where the header begins, which is no data, if it is in this block.
    pub(super) header_at: Option<usize>,
    /// Whether an unquoted field may hold a quote.
    pub(super) check_stray: bool,
}

impl Batch for CsvBatch {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        self.decode_into(&mut Items(each))
    }

    fn decode_into(self: Box<Self>, taker: &mut dyn Taker) -> u64 {
        let bytes: &[u8] = &self.block;
        let mut reader = Reader {
            text: simdutf8::basic::from_utf8(bytes).ok(),
            check_stray: self.check_stray,
            check_escapes: memmem::find(bytes, b"_x00").is_some(),
            ..Reader::new(bytes, self.layout)
        };
        let mut plain = reader
            .text
            .filter(|_| taker.takes_plain() && !reader.check_escapes)
            .and_then(|text| PlainRows::new(text, self.layout));
        while reader.at < bytes.len() {
            if let Some(plain) = &mut plain
                && let Some((row, next)) = plain.row(reader.at, reader.line)
                && self.header_at != Some(reader.at)
                && taker.take_plain(row)
            {
                reader.at = next;
                reader.line += 1;
                continue;
            }
            let record = reader.split();
            if record.is_blank {
                taker.take(Item::Note(Finding::new(
                    &S002,
                    Position::line(record.line),
                    "the line is blank",
                )));
            } else if self.header_at != Some(record.start) {
                reader.tell(&record, &mut |item| taker.take(item));
            }
        }
        reader.line
    }
}

/// Where a record is, and what was odd about it.
struct Split {
    start: usize,
    end: usize,
    line: u64,
    is_blank: bool,
    /// The offset of a quote that opens a field and is never closed.
    unclosed: Option<usize>,
    /// The offset of text behind a closing quote.
    after_quote: Option<usize>,
    /// The offset of a carriage return that ended the record by itself.
    lone_cr: Option<usize>,
}

/// One field, its quotes left out.
#[derive(Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    is_quoted: bool,
    has_doubled: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// The whole block, if it is UTF-8.
    text: Option<&'a str>,
    layout: Layout,
    check_stray: bool,
    check_escapes: bool,
    at: usize,
    line: u64,
    fields: Vec<Field>,
    cells: Vec<Cow<'a, str>>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], layout: Layout) -> Self {
        Self {
            bytes,
            text: None,
            layout,
            check_stray: false,
            check_escapes: false,
            at: 0,
            line: 0,
            fields: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Splits the record at `at` into `fields` and moves behind it.
    fn split(&mut self) -> Split {
        let mut record = Split {
            start: self.at,
            end: self.at,
            line: self.line,
            is_blank: false,
            unclosed: None,
            after_quote: None,
            lone_cr: None,
        };
        self.fields.clear();
        loop {
            let quoted = self.layout.dialect.quoting && self.bytes.get(self.at) == Some(&b'"');
            let field_end = if quoted {
                self.quoted_field(&mut record)
            } else {
                self.plain_field(self.at)
            };
            record.end = field_end;
            match self.bytes.get(field_end) {
                Some(&byte) if byte == self.layout.dialect.delimiter => self.at = field_end + 1,
                Some(&byte) => {
                    self.end_record(&mut record, byte);
                    break;
                }
                None => {
                    self.at = field_end;
                    break;
                }
            }
        }
        record.is_blank = record.end == record.start;
        record
    }

    /// Adds the unquoted field that begins at `start`, and returns its end.
    fn plain_field(&mut self, start: usize) -> usize {
        let delimiter = self.layout.dialect.delimiter;
        let rest = &self.bytes[start..];
        let end = start + memchr::memchr3(delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
        self.fields.push(Field {
            start,
            end,
            is_quoted: false,
            has_doubled: false,
        });
        end
    }

    /// Adds the quoted field whose opening quote is at `at`, and returns the
    /// place of what ends it.
    fn quoted_field(&mut self, record: &mut Split) -> usize {
        let start = self.at + 1;
        let mut has_doubled = false;
        let mut from = start;
        let end = loop {
            let Some(quote) = memchr::memchr(b'"', &self.bytes[from..]) else {
                record.unclosed = Some(self.at);
                break self.bytes.len();
            };
            let quote = from + quote;
            if self.bytes.get(quote + 1) != Some(&b'"') {
                break quote;
            }
            has_doubled = true;
            from = quote + 2;
        };
        self.line += self.count_lines(start..end);
        self.fields.push(Field {
            start,
            end,
            is_quoted: true,
            has_doubled,
        });
        if record.unclosed.is_some() {
            return end;
        }
        match self.bytes.get(end + 1) {
            None | Some(b'\n' | b'\r') => end + 1,
            Some(&byte) if byte == self.layout.dialect.delimiter => end + 1,
            Some(_) => {
                record.after_quote.get_or_insert(end + 1);
                let tail = self.plain_field(end + 1);
                self.fields.pop();
                tail
            }
        }
    }

    /// Moves behind the record's terminator.
    fn end_record(&mut self, record: &mut Split, terminator: u8) {
        let is_crlf = terminator == b'\r' && self.bytes.get(record.end + 1) == Some(&b'\n');
        self.at = record.end + 1 + usize::from(is_crlf);
        if terminator == b'\n' || is_crlf || self.layout.dialect.terminator == b'\r' {
            self.line += 1;
        } else {
            record.lone_cr = Some(record.end);
        }
    }

    fn count_lines(&self, range: std::ops::Range<usize>) -> u64 {
        let terminator = self.layout.dialect.terminator;
        memchr::memchr_iter(terminator, &self.bytes[range]).count() as u64
    }

    /// Hands on the record that was split.
    fn tell(&mut self, record: &Split, each: &mut dyn FnMut(Item<'_>)) {
        let raw = &self.bytes[record.start..record.end];
        // Of a record that is rejected, too: it may be why.
        if let Some(at) = record.lone_cr {
            let message = "a carriage return by itself ends the record";
            each(Item::Note(self.finding(&S007, record, at, message.into())));
        }
        if let Some(finding) = self.fault(record) {
            each(Item::Reject(Reject {
                line: record.line,
                finding,
                raw,
            }));
            return;
        }
        self.note(record, each);
        match self.text {
            Some(text) => fill(&self.fields, text, 0, &mut self.cells),
            // The record is valid: `fault` has looked.
            None => {
                let text = std::str::from_utf8(raw).unwrap_or_default();
                fill(&self.fields, text, record.start, &mut self.cells);
            }
        }
        let start_of = |column: usize| self.fields[column].start - record.start;
        each(Item::Record(Record {
            starts: Starts(Some(&start_of)),
            ..Record::new(record.line, raw, Data::Row(&self.cells))
        }));
    }

    /// What makes the record no row of the table.
    fn fault(&self, record: &Split) -> Option<Finding> {
        if let Some(quote) = record.unclosed {
            let swallowed = count_newlines(&self.bytes[quote..]);
            return Some(self.finding(&S004, record, quote, swallowed_by_quote(swallowed)));
        }
        if let Some(at) = record.after_quote {
            return Some(self.finding(
                &S005,
                record,
                at,
                "text goes on behind the closing quote".into(),
            ));
        }
        if self.text.is_none() {
            let raw = &self.bytes[record.start..record.end];
            if let Err(error) = std::str::from_utf8(raw) {
                let at = record.start + error.valid_up_to();
                let message = format!("byte 0x{:02x} is not UTF-8", self.bytes[at]);
                return Some(self.finding(&S001, record, at, message));
            }
        }
        let (found, wanted) = (self.fields.len(), self.layout.n_columns);
        if found != wanted {
            let fields = if found == 1 { "field" } else { "fields" };
            let message = format!("the row has {found} {fields}, the header has {wanted}");
            return Some(self.finding(&S003, record, record.start, message));
        }
        None
    }

    /// Tells what is odd about a record that is kept.
    fn note(&self, record: &Split, each: &mut dyn FnMut(Item<'_>)) {
        if self.check_stray {
            for field in self.fields.iter().filter(|field| !field.is_quoted) {
                if let Some(at) = memchr::memchr(b'"', &self.bytes[field.start..field.end]) {
                    let message = "a quote inside an unquoted field is taken as text";
                    each(Item::Note(self.finding(
                        &S006,
                        record,
                        field.start + at,
                        message.into(),
                    )));
                    break;
                }
            }
        }
        if self.check_escapes {
            let raw = &self.bytes[record.start..record.end];
            if let Some(at) = memmem::find(raw, b"_x00").filter(|&at| is_escape(&raw[at..])) {
                let message = "the text holds a spreadsheet's `_xHHHH_` escape";
                each(Item::Note(self.finding(
                    &S013,
                    record,
                    record.start + at,
                    message.into(),
                )));
            }
        }
    }

    fn finding(&self, code: &'static Code, record: &Split, at: usize, message: String) -> Finding {
        Finding::new(
            code,
            place(&self.bytes[record.start..], record.line, at - record.start),
            message,
        )
    }
}

/// A record that was too long to keep.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) head: Vec<u8>,
    pub(super) bytes: u64,
    pub(super) newlines: u64,
    /// Whether the input ended inside a quoted field of it.
    pub(super) is_unclosed: bool,
    pub(super) layout: Layout,
}

impl Batch for Skipped {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let limit = self.layout.record_limit;
        let quote = open_quote(&self.head, self.layout);
        let finding = match quote {
            Some(quote) if self.is_unclosed => Finding::new(
                &S004,
                place(&self.head, 0, quote),
                swallowed_by_quote(self.newlines),
            ),
            _ => {
                let mut message =
                    format!("the record has {} bytes, the limit is {limit}", self.bytes);
                if quote.is_some() {
                    message += "; most of it stands between two quotes";
                }
                Finding::new(&S008, place(&self.head, 0, quote.unwrap_or(0)), message)
            }
        };
        each(Item::Reject(Reject {
            line: 0,
            finding,
            raw: &self.head,
        }));
        self.newlines
    }
}

/// The offset of the quote that opens a field and is not closed in `head`.
fn open_quote(head: &[u8], layout: Layout) -> Option<usize> {
    Reader::new(head, layout).split().unclosed
}

/// The first records of a file, for telling its dialect.
pub(super) struct Sampled {
    pub(super) records: Vec<Vec<String>>,
    /// How many fields stand in quotes.
    pub(super) n_quoted: usize,
    /// How many records have a quote that does not enclose a field.
    pub(super) faults: usize,
}

/// Splits all records, the last one only if it is whole, and keeps the first
/// `most`.
pub(super) fn sample(head: &[u8], is_whole: bool, dialect: Dialect, most: usize) -> Sampled {
    let layout = Layout {
        dialect,
        n_columns: 0,
        record_limit: 0,
    };
    let mut reader = Reader::new(head, layout);
    let mut sampled = Sampled {
        records: Vec::new(),
        n_quoted: 0,
        faults: 0,
    };
    while reader.at < head.len() {
        let record = reader.split();
        if record.end == head.len() && !is_whole && !sampled.records.is_empty() {
            break;
        }
        sampled.faults += usize::from(record.after_quote.is_some() || record.unclosed.is_some());
        if record.is_blank {
            continue;
        }
        sampled.n_quoted += reader.fields.iter().filter(|field| field.is_quoted).count();
        if sampled.records.len() == most {
            continue;
        }
        let text = |field: &Field| {
            let text = String::from_utf8_lossy(&head[field.start..field.end]);
            if field.has_doubled {
                halve_quotes(&text)
            } else {
                text.into_owned()
            }
        };
        sampled
            .records
            .push(reader.fields.iter().map(text).collect());
    }
    sampled
}

fn swallowed_by_quote(newlines: u64) -> String {
    let lines = if newlines == 1 { "line" } else { "lines" };
    format!(
        "the quote that opens here is never closed; it swallowed {newlines} {lines} to the end of the file"
    )
}

/// Whether the bytes begin with `_xHHHH_`.
fn is_escape(bytes: &[u8]) -> bool {
    bytes.len() >= 7 && bytes[6] == b'_' && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}

/// Makes cells of fields; `base` is where `text` begins in the block.
fn fill<'a>(fields: &[Field], text: &'a str, base: usize, cells: &mut Vec<Cow<'a, str>>) {
    cells.clear();
    cells.extend(fields.iter().map(|field| {
        let cell = &text[field.start - base..field.end - base];
        if field.has_doubled {
            Cow::Owned(halve_quotes(cell))
        } else {
            Cow::Borrowed(cell)
        }
    }));
}

/// A text in which two quotes are one.
fn halve_quotes(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some(quote) = memchr::memchr(b'"', rest.as_bytes()) {
        text.push_str(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    text + rest
}

/// The records of a block as bytes, for tests.
#[cfg(test)]
pub(super) fn split_bytes(bytes: &[u8], dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
    let layout = Layout {
        dialect,
        n_columns: 0,
        record_limit: 0,
    };
    let mut reader = Reader::new(bytes, layout);
    let mut records = Vec::new();
    while reader.at < bytes.len() {
        let record = reader.split();
        if !record.is_blank {
            let mut fields: Vec<_> = reader
                .fields
                .iter()
                .map(|field| field.unquoted(bytes))
                .collect();
            // Where text follows a closing quote, the csv crate goes on with
            // the field; here the record is a reject, so only say how it went.
            if record.after_quote.is_some() {
                fields.push(b"text after quote".to_vec());
            }
            records.push(fields);
        }
    }
    records
}

#[cfg(test)]
impl Field {
    fn unquoted(&self, bytes: &[u8]) -> Vec<u8> {
        let bytes = &bytes[self.start..self.end];
        if !self.has_doubled {
            return bytes.to_vec();
        }
        let mut unquoted = Vec::new();
        let mut rest = bytes.iter().copied();
        while let Some(byte) = rest.next() {
            unquoted.push(byte);
            if byte == b'"' {
                rest.next();
            }
        }
        unquoted
    }
}
