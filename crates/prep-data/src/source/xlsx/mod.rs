//! Excel workbooks (`.xlsx`, `.xlsm`), one sheet as a table.
//!
//! A workbook is a zip archive of XML parts. The sheet's part is inflated as a
//! stream and cut after `</row>` on one thread; any thread parses the rows of
//! a run. Memory is bounded but for the table of shared strings, which any
//! cell may point into and which is kept whole: its text, and 8 bytes for each
//! string. A row's number in the sheet is its line.
//!
//! calamine, which knows the format's corners, lends its calendar and is the
//! oracle of the tests; it does not read here. Its cell reader borrows the
//! workbook, so no [`Source`] can keep it; it gives up the whole file at an
//! error value that it has no name for; and it allocates as many strings as
//! the file says it has.
//!
//! Nothing an archive declares is trusted: a part must end where its declared
//! size and checksum say, and the declared sizes have limits.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use calamine::{ExcelDateTime, ExcelDateTimeType};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::{CompressionMethod, ZipArchive};

use super::{
    Batch, Columns, Data, Format, Item, Opened, Options, Record, Reject, Source, SourceError,
};
use crate::diag::{self, Finding, Position};
use crate::io::Input;

/// The longest workbook that is copied to a temporary file, when it comes
/// through a pipe or is compressed once more.
const SPOOL_LIMIT: u64 = 4 << 30;
/// The most that all parts may take together: ten times a sheet of Excel's
/// full height with two short columns.
const UNPACKED_LIMIT: u64 = 4 << 30;
/// The most that a part may take which is held in memory.
const HELD_LIMIT: u64 = 1 << 30;
/// How many times its packed size a part may take, once that is more than
/// [`RATIO_FROM`]. Sheets of like rows reach 50.
const RATIO_LIMIT: u64 = 200;
/// The size up to which the ratio does not matter.
const RATIO_FROM: u64 = 10 << 20;
/// The rows a sheet can have.
const MAX_ROWS: u64 = 1 << 20;
/// The columns a sheet can have.
const MAX_COLUMNS: usize = 1 << 14;

const OLE_MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Opens one sheet of a workbook.
///
/// # Errors
///
/// When the input is not an `.xlsx` workbook, is protected by a password, is
/// damaged, unpacks to more than the limits, or its sheet has no data.
pub(crate) fn open(mut input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let is_ole = input
        .peek(8)
        .map_err(SourceError::read(&name))?
        .starts_with(OLE_MAGIC);
    let file = input
        .into_seekable(SPOOL_LIMIT)
        .map_err(SourceError::read(&name))?
        .into_file();
    let chosen = match is_ole {
        true => Err(about_ole(file)),
        false => Workbook::open(file).and_then(|workbook| choose_sheet(&workbook, options)),
    };
    let chosen = chosen.map_err(|cause| SourceError::malformed(&name, Format::Xlsx, cause))?;
    Ok(Opened {
        format: Format::Xlsx,
        names: vec![name.clone()],
        columns: Some(chosen.columns),
        decisions: chosen.decisions,
        source: Box::new(Sheet {
            name,
            table: Arc::new(chosen.table),
            runs: chosen.runs,
            next_row: 1,
        }),
    })
}

/// Says what an OLE container is: Excel 97, a password, or neither.
fn about_ole(file: File) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = file.take(64 << 20).read_to_end(&mut bytes) {
        return error.to_string();
    }
    // Streams are named in the container's directory, in UTF-16.
    let has = |stream: &str| {
        let name: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memmem::find(&bytes, &name).is_some()
    };
    let what = if has("EncryptedPackage") {
        "it is protected by a password; save it without one"
    } else if has("Workbook") || has("Book") {
        "it is an Excel 97 workbook; save it as .xlsx or CSV"
    } else {
        "it is an OLE document and holds no workbook"
    };
    what.into()
}

/// A sheet that was chosen and looked into as far as its header.
struct Chosen {
    table: Table,
    columns: Columns,
    decisions: Vec<String>,
    runs: Runs,
}

/// Chooses the first visible sheet with data, or the one that is asked for.
fn choose_sheet(workbook: &Workbook, options: &Options) -> Result<Chosen, String> {
    let book = workbook.book(options)?;
    let mut with_data = Vec::new();
    for entry in workbook.candidates(options)? {
        let runs = workbook.runs(&entry.part, "row", options)?;
        if let Some(first) =
            first_row(runs, &book).map_err(|cause| format!("sheet `{}`: {cause}", entry.name))?
        {
            with_data.push((entry, first));
        }
    }
    // A hidden sheet is read when nothing else is there to read.
    with_data.sort_by_key(|(entry, _)| entry.is_hidden);
    let Some((entry, first)) = with_data.first() else {
        return Err(match &options.sheet {
            Some(asked) => format!("its sheet `{asked}` is empty"),
            None => "it has no sheet with data".into(),
        });
    };
    let mut decisions = Vec::new();
    if with_data.len() > 1 {
        let others = quoted(with_data[1..].iter().map(|(entry, _)| *entry));
        decisions.push(format!(
            "sheet `{}`; there is data in {others} too",
            entry.name
        ));
    } else if entry.is_hidden && options.sheet.is_none() {
        decisions.push(format!("sheet `{}`, although it is hidden", entry.name));
    }
    let named = options.has_header != Some(false);
    if named && first.number > 1 {
        decisions.push(format!(
            "column names from row {}, the first with cells",
            first.number
        ));
    }
    let names = match named {
        true => first.cells.clone(),
        false => (1..=first.cells.len()).map(|n| n.to_string()).collect(),
    };
    Ok(Chosen {
        table: Table {
            book,
            width: names.len(),
            header: named.then_some(first.number),
        },
        columns: Columns { names, named },
        decisions,
        // From its beginning again: the file has one position, and looking
        // into the other sheets has moved it.
        runs: workbook.runs(&entry.part, "row", options)?,
    })
}

/// The first row of a sheet that has a cell with content.
struct FirstRow {
    number: u64,
    cells: Vec<String>,
}

fn first_row(mut runs: Runs, book: &Book) -> Result<Option<FirstRow>, String> {
    let mut next_row = 1;
    while let Some(run) = runs.next_run()? {
        let text = std::str::from_utf8(&run).map_err(|_| "its XML is not UTF-8")?;
        let mut rows = Rows::new(text, book, next_row);
        while let Some(row) = rows.next_row().map_err(|broken| broken.message)? {
            next_row = row.number + 1;
            if let Some(last) = row.cells.iter().rposition(|cell| !cell.is_empty()) {
                let cells = row.cells[..=last].iter().map(ToString::to_string).collect();
                return Ok(Some(FirstRow {
                    number: row.number,
                    cells,
                }));
            }
        }
    }
    Ok(None)
}

/// One sheet, as a source.
struct Sheet {
    name: String,
    table: Arc<Table>,
    runs: Runs,
    /// The row after the last that was handed out.
    next_row: u64,
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Source for Sheet {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        let run = self
            .runs
            .next_run()
            .map_err(|cause| SourceError::malformed(&self.name, Format::Xlsx, cause))?;
        let Some(run) = run else { return Ok(None) };
        let first = self.next_row;
        let last = last_row(&run, first).max(first - 1);
        self.next_row = last + 1;
        Ok(Some(Box::new(RowBatch {
            table: Arc::clone(&self.table),
            run,
            first,
            n_rows: last + 1 - first,
        })))
    }
}

/// What decoding a row needs beside the row.
#[derive(Debug)]
struct Table {
    book: Book,
    width: usize,
    header: Option<u64>,
}

/// A run of whole rows, as XML.
struct RowBatch {
    table: Arc<Table>,
    run: Vec<u8>,
    /// The number of the row that is line 0 of this batch.
    first: u64,
    /// How many rows the batch spans, those that are not written included.
    n_rows: u64,
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

    fn row(&mut self, row: &Row<'_>) {
        self.blank_rows_before(row.number);
        let line = row.number.saturating_sub(self.first);
        self.next = self.next.max(row.number + 1);
        if self.table.header == Some(row.number) {
            return;
        }
        let width = self.table.width;
        let n_cells = row
            .cells
            .iter()
            .rposition(|cell| !cell.is_empty())
            .map_or(0, |last| last + 1);
        if n_cells == 0 {
            self.blank_row(line);
            return;
        }
        self.raw.clear();
        write_csv(
            &row.cells[..n_cells.max(width).min(row.cells.len())],
            &mut self.raw,
        );
        if n_cells > width {
            let position = Position {
                line,
                column: width as u64 + 1,
            };
            let message = format!(
                "there is a cell in column `{}`, the header ends at `{}`",
                column_name(n_cells - 1),
                column_name(width.saturating_sub(1)),
            );
            let finding = Finding::new(&diag::S003, position, message);
            let raw = &self.raw;
            (self.each)(Item::Reject(Reject { line, finding, raw }));
            return;
        }
        if let Some(column) = row.cells.iter().position(|cell| has_escape(cell)) {
            let position = Position {
                line,
                column: column as u64 + 1,
            };
            let message = format!(
                "the text in column `{}` holds an `_xHHHH_` escape",
                column_name(column)
            );
            (self.each)(Item::Note(Finding::new(&diag::S013, position, message)));
        }
        let cells = &row.cells[..];
        let padded;
        let cells = match cells.len() >= width {
            true => &cells[..width],
            false => {
                padded = pad(cells, width);
                &padded[..]
            }
        };
        (self.each)(Item::Record(Record {
            line,
            raw: &self.raw,
            data: Data::Row(cells),
        }));
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

/// Appends the empty cells that a row does not write.
fn pad<'a>(cells: &[Cow<'a, str>], width: usize) -> Vec<Cow<'a, str>> {
    let mut padded = cells.to_vec();
    padded.resize(width, Cow::Borrowed(""));
    padded
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

/// A row with the text of its cells.
#[derive(Debug, Default)]
struct Row<'a> {
    number: u64,
    cells: Vec<Cow<'a, str>>,
}

/// A row that cannot be read.
#[derive(Debug)]
struct Broken {
    number: u64,
    /// Where it begins in the run.
    start: usize,
    message: String,
}

/// The rows of a run, one by one.
struct Rows<'a> {
    xml: Reader<&'a [u8]>,
    book: &'a Book,
    next: u64,
    row: Row<'a>,
}

impl<'a> Rows<'a> {
    /// Reads a run whose first row has the given number, unless it says
    /// another.
    fn new(text: &'a str, book: &'a Book, next: u64) -> Self {
        Self {
            xml: xml_reader(text),
            book,
            next,
            row: Row::default(),
        }
    }

    fn next_row(&mut self) -> Result<Option<&Row<'a>>, Broken> {
        loop {
            let start = usize::try_from(self.xml.buffer_position()).expect("it is within a slice");
            self.row.number = self.next;
            let result = match self.xml.read_event() {
                Ok(Event::Start(tag)) if tag.local_name().as_ref() == "row" => self.read_row(&tag),
                Ok(Event::Eof) => return Ok(None),
                Ok(_) => continue,
                Err(error) => Err(error.to_string()),
            };
            let number = self.row.number;
            self.next = number + 1;
            return match result {
                Ok(()) => Ok(Some(&self.row)),
                Err(message) => Err(Broken {
                    number,
                    start,
                    message,
                }),
            };
        }
    }

    /// Reads the cells of a row whose start tag was read.
    fn read_row(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        self.row.cells.clear();
        if let Some(number) = row_number(tag) {
            self.row.number = number;
        }
        loop {
            match self.xml.read_event().map_err(in_words)? {
                Event::Start(tag) if tag.local_name().as_ref() == "c" => self.read_cell(&tag)?,
                Event::End(tag) if tag.local_name().as_ref() == "row" => return Ok(()),
                Event::Eof => return Err("the row has no end".into()),
                _ => {}
            }
        }
    }

    /// Reads a cell whose start tag was read, into its place.
    fn read_cell(&mut self, tag: &BytesStart<'a>) -> Result<(), String> {
        let mut column = self.row.cells.len();
        let mut style = 0;
        let mut kind = Kind::Number;
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(in_words)?;
            let value = &*attribute.value;
            match attribute.key.as_ref() {
                "r" => {
                    column =
                        column_of(value).ok_or_else(|| format!("there is no cell `{value}`"))?
                }
                "s" => style = value.parse().unwrap_or(0),
                "t" => kind = Kind::of(value),
                _ => {}
            }
        }
        if column >= MAX_COLUMNS {
            return Err(format!("a sheet has {MAX_COLUMNS} columns, not more"));
        }
        let text = self.read_value(kind, style)?;
        // A cell that comes after those to its right is put in its place.
        if column >= self.row.cells.len() {
            self.row.cells.resize(column + 1, Cow::Borrowed(""));
        }
        self.row.cells[column] = text;
        Ok(())
    }

    /// Reads to the end of a cell.
    fn read_value(&mut self, kind: Kind, style: usize) -> Result<Cow<'a, str>, String> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.xml.read_event().map_err(in_words)? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "v" if kind != Kind::Inline => {
                        let value = read_text(&mut self.xml, "v")?;
                        text = self.book.text_of(value, kind, style)?;
                    }
                    "is" => text = read_rich_text(&mut self.xml, "is")?,
                    _ => {}
                },
                Event::End(tag) if tag.local_name().as_ref() == "c" => return Ok(text),
                Event::Eof => return Err("a cell has no end".into()),
                _ => {}
            }
        }
    }
}

/// What the value of a cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Shared,
    Inline,
    Formula,
    Bool,
    /// Text as it stands: an error value or an ISO date.
    Plain,
}

impl Kind {
    fn of(attribute: &str) -> Self {
        match attribute {
            "n" => Self::Number,
            "s" => Self::Shared,
            "inlineStr" | "is" => Self::Inline,
            "str" => Self::Formula,
            "b" => Self::Bool,
            _ => Self::Plain,
        }
    }
}

/// The number of a row, where its tag says one that a sheet can have.
fn row_number(tag: &BytesStart<'_>) -> Option<u64> {
    let attribute = tag.try_get_attribute("r").ok()??;
    attribute
        .value
        .parse()
        .ok()
        .filter(|number| (1..=MAX_ROWS).contains(number))
}

/// The column of a cell reference such as `AB12`, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.take(4).fold(0, |column, letter| {
        column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    column.checked_sub(1)
}

fn in_words(error: impl fmt::Display) -> String {
    error.to_string()
}

/// A reader of part of a document: ends without a start are no error.
fn xml_reader(text: &str) -> Reader<&[u8]> {
    let mut xml = Reader::from_str(text);
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    xml
}

/// Reads the text up to the end of an element.
fn read_text<'a>(xml: &mut Reader<&'a [u8]>, element: &str) -> Result<Cow<'a, str>, String> {
    let mut text = Cow::Borrowed("");
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Text(piece) => append(&mut text, piece.xml10_content()),
            Event::CData(piece) => append(&mut text, piece.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = &*reference;
                let resolved = match reference.resolve_char_ref().map_err(in_words)? {
                    Some(character) => character.to_string().into(),
                    None => quick_xml::escape::resolve_xml_entity(name)
                        .map(Cow::Borrowed)
                        .ok_or_else(|| format!("there is no entity `&{name};`"))?,
                };
                append(&mut text, resolved);
            }
            Event::End(tag) if tag.local_name().as_ref() == element => return Ok(text),
            Event::Eof => return Err(format!("`{element}` has no end")),
            _ => {}
        }
    }
}

fn append<'a>(text: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if text.is_empty() {
        *text = piece;
    } else {
        text.to_mut().push_str(&piece);
    }
}

/// Reads the text of a string item, of all its runs, without the reading aids
/// (`rPh`) of East Asian text.
///
/// White space around a text stays, whether or not `xml:space` asks for it:
/// Excel would drop what it does not ask for, and text is never changed here.
fn read_rich_text<'a>(xml: &mut Reader<&'a [u8]>, element: &str) -> Result<Cow<'a, str>, String> {
    let mut text = Cow::Borrowed("");
    let mut is_aid = false;
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "rPh" => is_aid = true,
                "t" => {
                    let piece = read_text(xml, "t")?;
                    if !is_aid {
                        append(&mut text, unescaped(piece));
                    }
                }
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "rPh" => is_aid = false,
                name if name == element => return Ok(text),
                _ => {}
            },
            Event::Eof => return Err(format!("`{element}` has no end")),
            _ => {}
        }
    }
}

/// Resolves the escapes `_xHHHH_` by which spreadsheets write characters that
/// XML cannot hold: `_x000D_` is a carriage return, and `_x005F_x000D_` the
/// seven characters `_x000D_`. Half of a surrogate pair stays as it is.
fn unescaped(text: Cow<'_, str>) -> Cow<'_, str> {
    if !has_escape(&text) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = escape(rest);
        let second = first.and_then(|_| escape(&rest[ESCAPE_LEN..]));
        let pair = first.zip(second).and_then(|(high, low)| {
            let mut decoded = char::decode_utf16([high, low]);
            decoded.next()?.ok().filter(|_| decoded.next().is_none())
        });
        let single = first.and_then(|unit| char::from_u32(unit.into()));
        let (character, len) = match (pair, single) {
            (Some(character), _) => (character, 2 * ESCAPE_LEN),
            (None, Some(character)) => (character, ESCAPE_LEN),
            (None, None) => ('_', 1),
        };
        out.push(character);
        rest = &rest[len..];
    }
    out.push_str(rest);
    out.into()
}

const ESCAPE_LEN: usize = "_xHHHH_".len();

/// The code unit of the escape that a text begins with.
fn escape(text: &str) -> Option<u16> {
    let escape = text.as_bytes().get(..ESCAPE_LEN)?;
    let digits = text.get(2..6)?;
    let is_escape = escape.starts_with(b"_x") && escape[6] == b'_' && !digits.starts_with('+');
    is_escape.then(|| u16::from_str_radix(digits, 16).ok())?
}

/// Tells whether a text holds an `_xHHHH_` escape.
fn has_escape(text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), b"_x").any(|at| escape(&text[at..]).is_some())
}

/// What all sheets of a workbook share.
#[derive(Debug, Default)]
struct Book {
    strings: Strings,
    formats: Vec<NumberFormat>,
    is_1904: bool,
}

impl Book {
    /// The text of a cell, from the value that the sheet holds.
    fn text_of<'a>(
        &'a self,
        value: Cow<'a, str>,
        kind: Kind,
        style: usize,
    ) -> Result<Cow<'a, str>, String> {
        Ok(match kind {
            Kind::Shared if value.is_empty() => value,
            Kind::Shared => {
                let found = value.trim().parse().ok().and_then(|n| self.strings.get(n));
                let missing = || {
                    format!(
                        "there is no shared string {value}, but {} of them",
                        self.strings.len()
                    )
                };
                found.ok_or_else(missing)?.into()
            }
            Kind::Formula => unescaped(value),
            Kind::Bool => match value.trim() {
                "1" | "true" => "TRUE".into(),
                "0" | "false" => "FALSE".into(),
                _ => value,
            },
            Kind::Inline | Kind::Plain => value,
            Kind::Number => {
                let format = self.formats.get(style).copied().unwrap_or_default();
                number_text(value, format, self.is_1904)
            }
        })
    }
}

/// Writes a number as what it is shown as, if that is a date, or else in the
/// shortest form that reads as the same number.
fn number_text(value: Cow<'_, str>, format: NumberFormat, is_1904: bool) -> Cow<'_, str> {
    let Ok(number) = value.trim().parse::<f64>() else {
        return value;
    };
    if let Some(date) = date_text(number, format, is_1904) {
        return date.into();
    }
    let digits = value.strip_prefix('-').unwrap_or(&value);
    let is_integer = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_integer && !digits.starts_with('0') || value == "0" || !number.is_finite() {
        return value;
    }
    if number == 0.0 {
        return "0".into();
    }
    match number.abs() {
        1e-7..1e21 => number.to_string().into(),
        _ => format!("{number:E}").into(),
    }
}

/// What a cell's number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum NumberFormat {
    #[default]
    Number,
    Date,
    Time,
    DateTime,
    Duration,
}

impl NumberFormat {
    /// One of the formats that have a number and no code (ECMA-376 18.8.30).
    fn built_in(id: u32) -> Self {
        match id {
            14..=17 | 27..=31 | 36 | 50..=58 => Self::Date,
            18..=21 | 32..=35 | 45 | 47 => Self::Time,
            22 => Self::DateTime,
            46 => Self::Duration,
            _ => Self::Number,
        }
    }

    /// A format by its code, of which the first section counts.
    fn of_code(code: &str) -> Self {
        let (mut has_date, mut has_time, mut has_month) = (false, false, false);
        let mut characters = code.chars();
        while let Some(character) = characters.next() {
            match character.to_ascii_lowercase() {
                '\\' | '_' | '*' => drop(characters.next()),
                '"' => drop(characters.by_ref().find(|&c| c == '"')),
                '[' => {
                    let inside: String = characters.by_ref().take_while(|&c| c != ']').collect();
                    let mut inside = inside.chars().map(|c| c.to_ascii_lowercase());
                    let unit = inside.next();
                    if matches!(unit, Some('h' | 'm' | 's')) && inside.all(|c| Some(c) == unit) {
                        return Self::Duration;
                    }
                }
                ';' => break,
                'd' | 'y' => has_date = true,
                'h' | 's' => has_time = true,
                'm' => has_month = true,
                // `General`, and the exponent of `0.00E+00`.
                _ => {}
            }
        }
        match (has_date, has_time) {
            (true, true) => Self::DateTime,
            (true, false) => Self::Date,
            (false, true) => Self::Time,
            // A lone `m` is a month, beside `h` or `s` it is minutes.
            (false, false) if has_month => Self::Date,
            (false, false) => Self::Number,
        }
    }
}

/// Writes a serial number as an ISO 8601 date, time or both, if it is in the
/// range that has dates. What the format does not show is written where it is
/// not zero.
fn date_text(serial: f64, format: NumberFormat, is_1904: bool) -> Option<String> {
    const DAY_AFTER_9999: f64 = 2_958_466.0;
    if format == NumberFormat::Number || !(0.0..DAY_AFTER_9999).contains(&serial) {
        return None;
    }
    if format == NumberFormat::Duration {
        let seconds = (serial * 86_400_000.0).round() / 1000.0;
        let (hours, minutes) = (
            (seconds / 3600.0).floor(),
            (seconds % 3600.0 / 60.0).floor(),
        );
        return Some(format!("{hours}:{minutes:02}:{:02}", seconds % 60.0));
    }
    let date = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let mut time = format!("{hour:02}:{minute:02}:{second:02}");
    if milli > 0 {
        time.push_str(&format!(".{milli:03}"));
    }
    Some(match format {
        NumberFormat::Date if time == "00:00:00" => date,
        NumberFormat::Time if serial < 1.0 => time,
        _ => format!("{date}T{time}"),
    })
}

/// The table of shared strings, end to end in one text.
#[derive(Debug, Default)]
struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    fn push(&mut self, string: &str) {
        self.text.push_str(string);
        self.ends.push(self.text.len());
    }

    fn get(&self, n: usize) -> Option<&str> {
        let start = match n {
            0 => 0,
            n => *self.ends.get(n - 1)?,
        };
        self.text.get(start..*self.ends.get(n)?)
    }

    fn len(&self) -> usize {
        self.ends.len()
    }
}

/// A workbook's archive and its table of contents.
struct Workbook {
    file: File,
    parts: Vec<Part>,
    sheets: Vec<SheetEntry>,
    strings: Option<String>,
    styles: Option<String>,
    is_1904: bool,
}

/// A sheet by its entry in the workbook.
#[derive(Debug)]
struct SheetEntry {
    name: String,
    part: String,
    is_hidden: bool,
}

fn quoted<'a>(sheets: impl Iterator<Item = &'a SheetEntry>) -> String {
    let names: Vec<_> = sheets.map(|sheet| format!("`{}`", sheet.name)).collect();
    names.join(", ")
}

impl Workbook {
    fn open(file: File) -> Result<Self, String> {
        let (file, parts) = list_parts(file)?;
        let mut workbook = Self {
            file,
            parts,
            sheets: Vec::new(),
            strings: None,
            styles: None,
            is_1904: false,
        };
        let main = workbook.main_part()?;
        workbook.read_contents(&main)?;
        Ok(workbook)
    }

    /// Finds the part that the package says is the document.
    fn main_part(&self) -> Result<String, String> {
        if self.part("_rels/.rels").is_none() {
            return Err(match self.part("content.xml").or(self.part("mimetype")) {
                Some(_) => "it is an OpenDocument file; save it as .xlsx or CSV".into(),
                None => "it is a zip archive and no workbook; unpack it first".into(),
            });
        }
        let relationships = self.relationships("")?;
        let main = relationships
            .into_iter()
            .find(|one| one.kind == "officeDocument");
        let main = main.ok_or("it has no main part")?.target;
        match main.rsplit('.').next() {
            Some("bin") => Err("it is a binary workbook (.xlsb); save it as .xlsx or CSV".into()),
            _ if self.part(&main).is_none() => Err(format!("its part `{main}` is missing")),
            _ => Ok(main),
        }
    }

    fn read_contents(&mut self, main: &str) -> Result<(), String> {
        let relationships = self.relationships(main)?;
        let target = |kind: &str| {
            let found = relationships.iter().find(|one| one.kind == kind);
            found.map(|one| one.target.clone())
        };
        let text = self.held(main)?;
        let mut xml = xml_reader(&text);
        let mut sheets = Vec::new();
        let mut is_workbook = false;
        loop {
            let Event::Start(tag) = (match xml.read_event().map_err(in_words)? {
                Event::Eof => break,
                event => event,
            }) else {
                continue;
            };
            match tag.local_name().as_ref() {
                "workbook" => is_workbook = true,
                "workbookPr" => {
                    if let Some(value) = attribute(&tag, "date1904")? {
                        self.is_1904 = matches!(&*value, "1" | "true");
                    }
                }
                "sheet" => {
                    let id = attribute(&tag, "id")?.unwrap_or_default();
                    // Sheets of charts, macros and dialogues hold no cells.
                    let found = relationships
                        .iter()
                        .find(|one| one.id == id && one.kind == "worksheet");
                    if let Some(relationship) = found {
                        sheets.push(SheetEntry {
                            name: attribute(&tag, "name")?.unwrap_or_default(),
                            part: relationship.target.clone(),
                            is_hidden: attribute(&tag, "state")?
                                .is_some_and(|state| state != "visible"),
                        });
                    }
                }
                _ => {}
            }
        }
        if !is_workbook {
            return Err(format!("its main part `{main}` is no workbook"));
        }
        self.sheets = sheets;
        self.strings = target("sharedStrings");
        self.styles = target("styles");
        Ok(())
    }

    /// The sheets that may be read.
    fn candidates(&self, options: &Options) -> Result<Vec<&SheetEntry>, String> {
        let Some(asked) = &options.sheet else {
            return Ok(self.sheets.iter().collect());
        };
        let exact = self.sheets.iter().find(|sheet| sheet.name == *asked);
        let found = exact.or_else(|| {
            self.sheets
                .iter()
                .find(|sheet| sheet.name.eq_ignore_ascii_case(asked))
        });
        match found {
            Some(sheet) => Ok(vec![sheet]),
            None => Err(format!(
                "it has no sheet `{asked}`; it has {}",
                quoted(self.sheets.iter())
            )),
        }
    }

    /// Reads what all sheets share.
    fn book(&self, options: &Options) -> Result<Book, String> {
        let mut book = Book {
            is_1904: self.is_1904,
            ..Book::default()
        };
        if let Some(styles) = self
            .styles
            .as_deref()
            .filter(|part| self.part(part).is_some())
        {
            book.formats = read_formats(&self.held(styles)?)?;
        }
        if let Some(strings) = self
            .strings
            .as_deref()
            .filter(|part| self.part(part).is_some())
        {
            let mut runs = self.runs(strings, "si", options)?;
            while let Some(run) = runs.next_run()? {
                let text = std::str::from_utf8(&run)
                    .map_err(|_| format!("its part `{strings}` is not UTF-8"))?;
                read_strings(text, &mut book.strings)?;
            }
        }
        Ok(book)
    }

    fn part(&self, name: &str) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.name.eq_ignore_ascii_case(name))
    }

    fn stream(&self, name: &str) -> Result<PartReader, String> {
        let part = self
            .part(name)
            .ok_or_else(|| format!("its part `{name}` is missing"))?;
        PartReader::new(&self.file, part).map_err(in_words)
    }

    /// A small part as text.
    fn held(&self, name: &str) -> Result<String, String> {
        let mut text = String::new();
        self.stream(name)?
            .take(HELD_LIMIT)
            .read_to_string(&mut text)
            .map_err(|error| format!("its part `{name}` cannot be read: {error}"))?;
        Ok(text)
    }

    /// A part as runs of whole elements of the given name.
    fn runs(&self, name: &str, element: &'static str, options: &Options) -> Result<Runs, String> {
        if element == "si" && self.part(name).is_some_and(|part| part.size > HELD_LIMIT) {
            return Err(format!(
                "its shared strings take more than {} MiB",
                HELD_LIMIT >> 20
            ));
        }
        Ok(Runs {
            part: name.into(),
            reader: self.stream(name)?,
            buffer: Vec::new(),
            element,
            parent: if element == "si" { "sst" } else { "sheetData" },
            block_bytes: options.block_bytes,
            limit: options.record_limit,
            is_done: false,
        })
    }

    /// What a part points to; the package itself for an empty name.
    fn relationships(&self, part: &str) -> Result<Vec<Relationship>, String> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let base = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let text = self.held(&format!("{base}_rels/{file}.rels"))?;
        let mut xml = xml_reader(&text);
        let mut relationships = Vec::new();
        loop {
            match xml.read_event().map_err(in_words)? {
                Event::Start(tag) if tag.local_name().as_ref() == "Relationship" => {
                    let kind = attribute(&tag, "Type")?.unwrap_or_default();
                    let target = attribute(&tag, "Target")?.unwrap_or_default();
                    relationships.push(Relationship {
                        id: attribute(&tag, "Id")?.unwrap_or_default(),
                        kind: kind.rsplit('/').next().unwrap_or_default().into(),
                        target: resolve(&base, &target),
                    });
                }
                Event::Eof => return Ok(relationships),
                _ => {}
            }
        }
    }
}

/// How one part of a package points to another.
struct Relationship {
    id: String,
    /// The last segment of its type, which strict and transitional files share.
    kind: String,
    target: String,
}

/// The name of a part that is given relative to a folder.
fn resolve(base: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let path = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{base}{target}"),
    };
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." | "" => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// An attribute by its local name, with its entities resolved.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(in_words)?;
        if attribute.key.local_name().as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value).map_err(in_words)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Reads the number format of each cell style.
fn read_formats(text: &str) -> Result<Vec<NumberFormat>, String> {
    let mut xml = xml_reader(text);
    let mut custom = Vec::new();
    let mut formats = Vec::new();
    let mut is_cell_style = false;
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId")?.and_then(|id| id.parse::<u32>().ok());
                    let code = attribute(&tag, "formatCode")?;
                    custom.extend(id.zip(code.map(|code| NumberFormat::of_code(&code))));
                }
                "cellXfs" => is_cell_style = true,
                "xf" if is_cell_style => {
                    let id = attribute(&tag, "numFmtId")?
                        .and_then(|id| id.parse().ok())
                        .unwrap_or(0);
                    let found = custom.iter().find(|(custom, _)| *custom == id);
                    formats.push(
                        found.map_or_else(|| NumberFormat::built_in(id), |(_, format)| *format),
                    );
                }
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => is_cell_style = false,
            Event::Eof => return Ok(formats),
            _ => {}
        }
    }
}

fn read_strings(text: &str, into: &mut Strings) -> Result<(), String> {
    let mut xml = xml_reader(text);
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Start(tag) if tag.local_name().as_ref() == "si" => {
                let string = read_rich_text(&mut xml, "si")?;
                into.push(&string);
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// A part of the archive, by its place.
#[derive(Debug)]
struct Part {
    name: String,
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    is_deflated: bool,
}

/// Lists the parts of an archive, after a look at the sizes they declare.
fn list_parts(file: File) -> Result<(File, Vec<Part>), String> {
    let mut archive =
        ZipArchive::new(file).map_err(|error| format!("its zip archive is damaged: {error}"))?;
    let mut parts = Vec::new();
    for n in 0..archive.len() {
        let entry = archive
            .by_index_raw(n)
            .map_err(|error| format!("its zip archive is damaged: {error}"))?;
        let name = entry.name().map_err(in_words)?.replace('\\', "/");
        if entry.encrypted() {
            return Err("it is protected by a password; save it without one".into());
        }
        let is_deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                return Err(format!(
                    "its part `{name}` is packed with {other}, which workbooks do not use"
                ));
            }
        };
        parts.push(Part {
            start: entry.data_start().ok_or("its zip archive is damaged")?,
            packed: entry.compressed_size(),
            size: entry.size(),
            crc: entry.crc32(),
            is_deflated,
            name,
        });
    }
    check_sizes(&parts)?;
    Ok((archive.into_inner(), parts))
}

fn check_sizes(parts: &[Part]) -> Result<(), String> {
    let total = parts
        .iter()
        .fold(0_u64, |total, part| total.saturating_add(part.size));
    if total > UNPACKED_LIMIT {
        return Err(format!(
            "it would unpack to {} MiB, the limit is {}",
            total >> 20,
            UNPACKED_LIMIT >> 20
        ));
    }
    let is_bomb = |part: &&Part| part.size > RATIO_FROM && part.size / RATIO_LIMIT > part.packed;
    match parts.iter().find(is_bomb) {
        None => Ok(()),
        Some(part) => Err(format!(
            "its part `{}` would unpack to more than {RATIO_LIMIT} times its size, {} MiB",
            part.name,
            part.size >> 20
        )),
    }
}

/// The content of a part, which must be what the archive declares.
struct PartReader {
    inner: Box<dyn Read + Send>,
    left: u64,
    crc: Crc,
    declared: u32,
}

impl PartReader {
    fn new(file: &File, part: &Part) -> io::Result<Self> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(part.start))?;
        let packed = file.take(part.packed);
        Ok(Self {
            inner: match part.is_deflated {
                true => Box::new(DeflateDecoder::new(packed)),
                false => Box::new(packed),
            },
            left: part.size,
            crc: Crc::new(),
            declared: part.crc,
        })
    }
}

impl Read for PartReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        let damaged = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if n == 0 && !into.is_empty() {
            return match (self.left, self.crc.sum() == self.declared) {
                (0, true) => Ok(0),
                (0, false) => damaged("its checksum does not match"),
                _ => damaged("it is shorter than the archive says"),
            };
        }
        self.crc.update(&into[..n]);
        match self.left.checked_sub(n as u64) {
            Some(left) => self.left = left,
            None => return damaged("it is longer than the archive says"),
        }
        Ok(n)
    }
}

/// A part as runs of whole elements.
struct Runs {
    part: String,
    reader: PartReader,
    buffer: Vec<u8>,
    /// The element that is kept whole, and the one they are all in.
    element: &'static str,
    parent: &'static str,
    block_bytes: usize,
    limit: usize,
    is_done: bool,
}

impl Runs {
    /// Reads up to the end of an element, about a block further.
    fn next_run(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut wanted = self.block_bytes.max(1);
        while !self.is_done {
            let had = self.buffer.len();
            self.read(wanted)?;
            let is_end = self.buffer.len() == had;
            if let Some(end) = last_end(&self.buffer, self.element) {
                let rest = self.buffer.split_off(end);
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            if first_end(&self.buffer, self.parent).is_some()
                || is_empty_tag(&self.buffer, self.parent)
            {
                return self.finish();
            }
            if is_end {
                return Err(format!("its part `{}` ends in the middle", self.part));
            }
            if self.buffer.len() > self.limit {
                return Err(format!(
                    "an element `{}` of its part `{}` is longer than {} MiB",
                    self.element,
                    self.part,
                    self.limit >> 20
                ));
            }
            // Twice as far each time, so that a long element costs no more
            // than its length.
            wanted = wanted.max(self.buffer.len());
        }
        Ok(None)
    }

    fn read(&mut self, wanted: usize) -> Result<(), String> {
        self.reader
            .by_ref()
            .take(wanted as u64)
            .read_to_end(&mut self.buffer)
            .map_err(|error| format!("its part `{}` is damaged: {error}", self.part))?;
        Ok(())
    }

    /// Ends the runs with what stands between the last element and the end of
    /// the parent: rows in one empty tag. What follows holds no elements; it
    /// is read so that the checksum is.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, String> {
        self.is_done = true;
        let mut last = std::mem::take(&mut self.buffer);
        last.truncate(first_end(&last, self.parent).unwrap_or(0));
        io::copy(&mut self.reader, &mut io::sink())
            .map_err(|error| format!("its part `{}` is damaged: {error}", self.part))?;
        Ok(Some(last))
    }
}

/// Tells whether a text holds an empty element such as `<sheetData/>`.
fn is_empty_tag(text: &[u8], element: &str) -> bool {
    memmem::find_iter(text, element).any(|at| {
        let is_start = text[..at].ends_with(b"<") || text[..at].ends_with(b":");
        let tag = text[at..].split(|&byte| byte == b'>').next();
        is_start && tag.is_some_and(|tag| tag.len() < text.len() - at && tag.ends_with(b"/"))
    })
}

/// The place after the last end tag of an element that is not inside CDATA or
/// a comment, where a text begins outside both.
fn last_end(text: &[u8], element: &str) -> Option<usize> {
    if memmem::find(text, b"<!").is_some() {
        let mut end = 0;
        while let Some(next) = first_end(&text[end..], element) {
            end += next;
        }
        return (end > 0).then_some(end);
    }
    memmem::rfind_iter(text, element).find_map(|at| end_tag(text, at, element))
}

/// The place after the first such end tag.
fn first_end(text: &[u8], element: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = memmem::find_iter(&text[from..], element)
            .find_map(|at| end_tag(text, from + at, element))?;
        // What hides tags, if it begins before this one.
        let Some(at) = memmem::find(&text[from..end], b"<!") else {
            return Some(end);
        };
        let hidden = &text[from + at..];
        let close: &[u8] = match hidden {
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'!', b'[', ..] => b"]]>",
            _ => b">",
        };
        from += at + memmem::find(hidden, close)? + close.len();
    }
}

/// The place after the end tag whose name ends in an element's name at the
/// given place, if it is one: `</row>`, `</x:row>`.
fn end_tag(text: &[u8], at: usize, element: &str) -> Option<usize> {
    let after = at + element.len();
    let spaces = text[after..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    if text.get(after + spaces) != Some(&b'>') {
        return None;
    }
    let before = &text[..at];
    let prefix = match before.strip_suffix(b":") {
        Some(before) => {
            let name = before
                .iter()
                .rev()
                .take_while(|&&byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            &before[..before.len() - name.count()]
        }
        None => before,
    };
    prefix.ends_with(b"</").then_some(after + spaces + 1)
}

/// The number of the last row of a run, whose first has the given number
/// unless it says another; one less if there is no row.
fn last_row(run: &[u8], first: u64) -> u64 {
    let is_plain = memmem::find(run, b"<!").is_none();
    let said = is_plain.then(|| memmem::rfind_iter(run, "row").find_map(|at| said_row(run, at)));
    if let Some(Some(Some(number))) = said {
        return number;
    }
    // The last row does not say its number: count.
    let text = String::from_utf8_lossy(run);
    let mut xml = xml_reader(&text);
    let mut last = first.saturating_sub(1);
    loop {
        match xml.read_event() {
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == "row" => {
                last = row_number(&tag).unwrap_or(last + 1);
            }
            Ok(Event::Eof) => return last,
            // A row that is broken counts as the decoder counts it: it ends
            // at its end tag, and the next begins there.
            Err(_) => {
                let at = usize::try_from(xml.error_position())
                    .unwrap_or(text.len())
                    .min(text.len());
                let rest = &text.as_bytes()[at..];
                let Some(end) = first_end(rest, "row") else {
                    return last;
                };
                return last_row(&rest[end..], last + 1);
            }
            Ok(_) => {}
        }
    }
}

/// What the row's start tag at the given place says of its number: nothing if
/// there is no such tag here, and nothing inside if it does not say.
fn said_row(run: &[u8], at: usize) -> Option<Option<u64>> {
    let before = &run[..at];
    let is_start = before.ends_with(b"<") || before.ends_with(b":") && !before.ends_with(b"</");
    let follows = run.get(at + 3)?;
    if !is_start || !(follows.is_ascii_whitespace() || b"/>".contains(follows)) {
        return None;
    }
    let end = at + memchr::memchr(b'>', &run[at..])? + 1;
    let text = std::str::from_utf8(&run[at..end]).ok()?;
    // With the angle bracket and without the prefix, it is a document.
    let text = format!("<{text}");
    match xml_reader(&text).read_event() {
        Ok(Event::Start(tag)) => Some(row_number(&tag)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
