//! Records of a block as examples or rows.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::copied::PlainChats;
use super::draft::{Draft, Fault, Note};
use super::frame::{Cut, Frame, column_after};
use super::{alpaca, gemini, openai, pair, plain, sharegpt, table};
use crate::diag::{
    Code, Finding, Position, S001, S002, S008, S010, S014, S015, S016, S017, S018, S019, S031, S041,
};
use crate::json::{self, Document, ErrorKind, Kind, Value, column_of};
use crate::source::blocks::{Block, HEAD_BYTES, count_newlines};
use crate::source::{Batch, Data, Format, Item, Items, Record, Reject, Taker};

/// What all batches of a file share.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) format: Format,
    /// The keys that are columns, if records are rows.
    pub(super) columns: Option<Vec<String>>,
    pub(super) record_limit: usize,
}

impl Reading {
    fn is_openai_chat(&self) -> bool {
        self.format == Format::OpenAi && self.columns.is_none()
    }
}

/// A block of whole records.
#[derive(Debug)]
pub(super) struct ChatBatch {
    pub(super) block: Block,
    pub(super) frame: Frame,
    /// Where it begins.
    pub(super) cut: Cut,
    /// Whether the input ends with it.
    pub(super) is_last: bool,
    pub(super) reading: Arc<Reading>,
}

impl Batch for ChatBatch {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        self.decode_into(&mut Items(each))
    }

    fn decode_into(self: Box<Self>, taker: &mut dyn Taker) -> u64 {
        let mut reader = Reader::new(&self.block, &self.reading);
        match self.frame {
            Frame::Lines => reader.lines(taker),
            Frame::Array | Frame::Values => {
                reader.elements(self.cut, self.is_last, &mut |item| taker.take(item))
            }
        }
    }
}

/// JSON that stands inside strings of the record, such as the arguments of a
/// call.
#[derive(Debug, Default)]
pub(super) struct Inner {
    document: Document,
}

impl Inner {
    pub(super) fn parse<'d, 't>(&'d mut self, text: &'t str) -> Result<Value<'d, 't>, json::Error> {
        self.document.parse_str(text)
    }
}

/// Where a record begins.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Lines after the batch's first.
    line: u64,
    /// Characters before it on its line.
    column: u64,
}

impl Place {
    /// The position of a byte of the record that begins here.
    fn of(self, record: &[u8], at: usize) -> Position {
        let (line, column) = column_of(record, at);
        Position {
            line: self.line + line,
            column: if line == 0 {
                self.column + column
            } else {
                column
            },
        }
    }
}

struct Reader<'a, 'r> {
    bytes: &'a [u8],
    /// The whole block, if it is UTF-8.
    text: Option<&'a str>,
    reading: &'r Reading,
    document: Document,
    inner: Inner,
    cells: Vec<Cow<'a, str>>,
}

impl<'a, 'r> Reader<'a, 'r> {
    fn new(bytes: &'a [u8], reading: &'r Reading) -> Self {
        Self {
            bytes,
            text: simdutf8::basic::from_utf8(bytes).ok(),
            reading,
            document: Document::new(),
            inner: Inner::default(),
            cells: Vec::new(),
        }
    }

    fn lines(&mut self, taker: &mut dyn Taker) -> u64 {
        let mut place = Place::default();
        let mut at = 0;
        let limit = self.reading.record_limit;
        let mut plain = self
            .text
            .filter(|_| taker.takes_plain() && self.reading.is_openai_chat())
            .map(|text| PlainChats::new(text, limit));
        while at < self.bytes.len() {
            if let Some(plain) = &mut plain
                && let Some((chat, next)) = plain.chat(at, place.line)
                && taker.take_plain_chat(chat)
            {
                place.line += 1;
                at = next;
                continue;
            }
            let newline = memchr::memchr(b'\n', &self.bytes[at..]).map(|n| at + n);
            let end = newline.unwrap_or(self.bytes.len());
            if self.bytes[at..end].trim_ascii().is_empty() {
                let position = Position::line(place.line);
                taker.take(Item::Note(Finding::new(
                    &S002,
                    position,
                    "the line is blank",
                )));
            } else {
                let is_crlf = newline.is_some() && self.bytes[..end].ends_with(b"\r");
                let record = at..end - usize::from(is_crlf);
                let each = &mut |item: Item<'_>| taker.take(item);
                self.record(record, place, newline.is_none(), each);
            }
            place.line += u64::from(newline.is_some());
            at = end + 1;
        }
        place.line
    }

    fn elements(&mut self, cut: Cut, is_last: bool, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let bytes = self.bytes;
        let mut elements = cut.elements;
        let mut cursor = Cursor {
            at: 0,
            place: Place {
                line: 0,
                column: cut.column,
            },
        };
        let mut is_cut_off = false;
        for piece in elements.split(bytes) {
            match piece {
                json::Piece::Element(range) => {
                    let place = cursor.go(bytes, range.start);
                    let is_open = range.end == bytes.len();
                    is_cut_off |= self.record(range, place, is_open, each);
                }
                json::Piece::Fault(fault, at) => {
                    let position = cursor.go(bytes, at).of(b"", 0);
                    each(Item::Note(Finding::new(&S041, position, fault.to_string())));
                }
            }
        }
        if let Some(fault) = elements.fault_at_end().filter(|_| is_last && !is_cut_off) {
            let position = cursor.go(bytes, bytes.len()).of(b"", 0);
            each(Item::Note(Finding::new(&S031, position, fault.to_string())));
        }
        cursor.go(bytes, bytes.len()).line
    }

    /// Reads one record and tells whether the input was found to end inside it.
    fn record(
        &mut self,
        range: Range<usize>,
        place: Place,
        is_open: bool,
        each: &mut dyn FnMut(Item<'_>),
    ) -> bool {
        let raw = &self.bytes[range.clone()];
        match self.read(range, is_open) {
            Ok(read) => {
                let (notes, data) = match read {
                    Read::Chat(draft) => (draft.notes, Data::Chat(draft.example)),
                    Read::Row(notes) => (notes, Data::Row(&self.cells)),
                };
                tell(&notes, &|at| place.of(raw, at), each);
                let line = place.line;
                each(Item::Record(Record::new(line, raw, data)));
                false
            }
            Err(fault) => {
                each(Item::Reject(Reject {
                    line: place.line,
                    finding: Finding::new(fault.code, place.of(raw, fault.at), fault.message),
                    raw: if fault.code == &S008 {
                        &raw[..HEAD_BYTES.min(raw.len())]
                    } else {
                        raw
                    },
                }));
                fault.code == &S031
            }
        }
    }

    fn read(&mut self, range: Range<usize>, is_open: bool) -> Result<Read<'a>, Fault> {
        let raw = &self.bytes[range.clone()];
        if raw.len() > self.reading.record_limit {
            let limit = self.reading.record_limit;
            return Err(too_long(raw.len() as u64, limit));
        }
        if self.reading.is_openai_chat()
            && let Some(text) = self.text
            && let Some(draft) = plain::read(&text[range.clone()])
        {
            return Ok(Read::Chat(draft));
        }
        let parsed = match self.text {
            Some(text) => self.document.parse_str(&text[range]),
            None => self.document.parse(raw),
        };
        let record = parsed.map_err(|error| json_fault(&error, raw, is_open))?;
        if let Some(columns) = &self.reading.columns {
            return table::row(record, columns, &mut self.cells).map(Read::Row);
        }
        conversation(record, self.reading.format, &mut self.inner).map(Read::Chat)
    }
}

/// Reads a record as one of the given format.
pub(super) fn conversation<'a>(
    record: Value<'_, 'a>,
    format: Format,
    inner: &mut Inner,
) -> Result<Draft<'a>, Fault> {
    if record.kind() != Kind::Object {
        let message = format!("expected an object, found {}", record.kind().as_str());
        return Err(Fault::new(&S019, record.offset(), message));
    }
    let mut draft = Draft::new();
    match format {
        Format::ShareGpt => sharegpt::read(record, &mut draft, inner),
        Format::Alpaca => alpaca::read(record, &mut draft),
        Format::PromptCompletion => pair::read(record, &mut draft, inner),
        Format::Gemini => gemini::read(record, &mut draft),
        _ => openai::read(record, &mut draft, inner),
    }?;
    draft.finish(record.offset())?;
    Ok(draft)
}

/// What a record was read as.
enum Read<'a> {
    Chat(Draft<'a>),
    /// The row's cells are in the reader.
    Row(Vec<Note>),
}

/// A place in the batch that moves forward.
struct Cursor {
    at: usize,
    place: Place,
}

impl Cursor {
    /// Moves to a byte at or behind the present one.
    fn go(&mut self, bytes: &[u8], to: usize) -> Place {
        let between = &bytes[self.at..to];
        self.place = Place {
            line: self.place.line + count_newlines(between),
            column: column_after(self.place.column, between),
        };
        self.at = to;
        self.place
    }
}

pub(super) fn tell(
    notes: &[Note],
    position: &dyn Fn(usize) -> Position,
    each: &mut dyn FnMut(Item<'_>),
) {
    for note in notes {
        let position = position(note.at);
        each(Item::Note(Finding::new(
            note.code,
            position,
            note.message.as_str(),
        )));
    }
}

pub(super) fn json_fault(error: &json::Error, raw: &[u8], is_open: bool) -> Fault {
    Fault::new(
        json_code(error, raw, is_open),
        error.offset,
        error.message(),
    )
}

/// The code of what is wrong with a text that is to be JSON; `is_open` if
/// nothing follows it, so that its end may be missing.
pub(crate) fn json_code(error: &json::Error, raw: &[u8], is_open: bool) -> &'static Code {
    let begins_open = matches!(raw.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'));
    match error.kind {
        ErrorKind::InvalidUtf8(_) => &S001,
        ErrorKind::DuplicateKey(_) => &S015,
        ErrorKind::NumberOutOfRange(_) | ErrorKind::NotFinite(_) => &S016,
        ErrorKind::LoneSurrogate(_) => &S017,
        ErrorKind::TooDeep => &S018,
        ErrorKind::TooLong(_) => &S008,
        ErrorKind::Truncated(_) if is_open && begins_open => &S031,
        _ if raw.get(error.offset) == Some(&0) => &S010,
        _ => &S014,
    }
}

fn too_long(bytes: u64, limit: usize) -> Fault {
    Fault::new(
        &S008,
        0,
        format!("the record has {bytes} bytes, the limit is {limit}"),
    )
}

/// A record that was too long to keep.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) head: Vec<u8>,
    pub(super) bytes: u64,
    pub(super) newlines: u64,
    pub(super) cut: Cut,
    pub(super) reading: Arc<Reading>,
}

impl Batch for Skipped {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let fault = too_long(self.bytes, self.reading.record_limit);
        let place = Place {
            line: 0,
            column: self.cut.column,
        };
        each(Item::Reject(Reject {
            line: 0,
            finding: Finding::new(fault.code, place.of(b"", 0), fault.message),
            raw: &self.head,
        }));
        self.newlines
    }
}
