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
                        column_of(value).ok_or_else(|| format!("there is no cell `{value}`"))?;
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
mod tests {
    use std::io::{Cursor, Write};
    use std::path::{Path, PathBuf};

    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::source::contract::{self, Seen};

    fn fixture() -> Vec<u8> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/xlsx/novel.xlsx"
        );
        std::fs::read(path).unwrap()
    }

    /// The real files that lie beside the project, if they do.
    fn shared(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data")
            .join(folder);
        let Ok(entries) = std::fs::read_dir(&folder) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{} is missing",
                folder.display()
            );
            #[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
            {
                eprintln!("SKIPPED: {} is missing", folder.display());
            }
            return Vec::new();
        };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| {
            extensions
                .iter()
                .any(|&one| path.extension().is_some_and(|it| it == one))
        });
        paths.sort();
        paths
    }

    fn books() -> Vec<PathBuf> {
        let extensions = ["xlsx", "xls", "ods"];
        let mut paths = shared("nasty/xlsx", &extensions);
        paths.extend(shared("nasty/frictionless", &extensions));
        paths
    }

    /// One line: records, rejects, notes, then columns and decisions; or why not.
    fn outcome(path: &Path) -> String {
        let opened = match open(Input::open(path).unwrap(), &Options::default()) {
            Ok(opened) => opened,
            Err(error) => return chain(&error),
        };
        let columns = opened.columns.clone().unwrap().names.len();
        let decisions = opened.decisions.join("; ");
        let seen = contract::read_all(opened).unwrap();
        let rows = seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Row { .. }))
            .count();
        let mut codes: Vec<_> = seen.iter().filter_map(Seen::code).collect();
        codes.sort_unstable();
        let mut line = format!("{rows} rows of {columns}");
        for chunk in codes.chunk_by(|one, other| one == other) {
            line += &format!(", {} {}", chunk.len(), chunk[0]);
        }
        if !decisions.is_empty() {
            line += &format!("; {decisions}");
        }
        line
    }

    fn chain(error: &dyn std::error::Error) -> String {
        error.source().map_or_else(|| error.to_string(), chain)
    }

    /// What each real file gives, after the rows with content that openpyxl
    /// counts in the first sheet with any: the header, records and rejects.
    const BOOKS: &[(&str, usize, &str)] = &[
        ("date.xlsx", 3, "2 rows of 2"),
        ("empty_shared_string.xlsx", 1, "0 rows of 1, 1 S002"),
        ("empty_sheet.xlsx", 0, "it has no sheet with data"),
        ("encoded_entities.xlsx", 2, "1 rows of 1"),
        ("has_x000D_.xlsx", 1, "0 rows of 1"),
        (
            "header-row.xlsx",
            3,
            "0 rows of 3, 7 S002, 2 S003; column names from row 3, the first with cells",
        ),
        (
            "hyperlinks.xlsx",
            8,
            "7 rows of 2; sheet `Links`; there is data in `Sheet2` too",
        ),
        ("inlineStr_cdata.xlsx", 2, "1 rows of 2"),
        (
            "issues.ods",
            0,
            "it is an OpenDocument file; save it as .xlsx or CSV",
        ),
        (
            "issues.xlsx",
            6,
            "5 rows of 1; sheet `datatypes`; there is data in `Sheet1`, `issue2`, `issue5`, `issue6`, `spc_chrs` too",
        ),
        (
            "merged_range.xlsx",
            3,
            "2 rows of 8, 2 S002; sheet `Sheet1`; there is data in `Sheet2` too",
        ),
        ("nonstandard-xml-ns-prefix.xlsx", 3, "2 rows of 2"),
        (
            "pass_protected.xlsx",
            0,
            "it is protected by a password; save it without one",
        ),
        ("adjust-floating-point-error.xlsx", 6, "5 rows of 4"),
        (
            "cast-int-to-string-issue-1251.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        ("cast-int-to-string-issue-1251.xlsx", 3, "2 rows of 5"),
        (
            "issue-1024.xlsx",
            54,
            "4 rows of 1, 10 S002, 49 S003; column names from row 7, the first with cells",
        ),
        ("issue-312.xlsx", 5, "3 rows of 4, 1 S002, 1 S003"),
        ("issue-313.xlsx", 3, "2 rows of 5"),
        (
            "issue-320.xlsx",
            54,
            "4 rows of 1, 10 S002, 49 S003; column names from row 7, the first with cells",
        ),
        ("issue-870.xlsx", 10, "9 rows of 8, 41 S002"),
        (
            "merged-cells-boolean.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        (
            "merged-cells.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        ("merged-cells.xlsx", 1, "0 rows of 1"),
        ("multiline-headers.xlsx", 4, "1 rows of 3, 2 S002, 2 S003"),
        ("number-format-multicode.xlsx", 4, "3 rows of 1"),
        ("preserve-formatting-percentage.xlsx", 4, "3 rows of 2"),
        ("preserve-formatting.xlsx", 2, "1 rows of 11"),
        (
            "sheet2.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        ("sheet2.xlsx", 3, "2 rows of 2"),
        (
            "sheets.xlsx",
            2,
            "1 rows of 2; sheet `Sheet1`; there is data in `Sheet2`, `Sheet3` too",
        ),
        ("skip-rows.xlsx", 4, "0 rows of 1, 3 S003"),
        ("table-infer-boolean.xlsx", 3, "2 rows of 3"),
        (
            "table-output.ods",
            0,
            "it is an OpenDocument file; save it as .xlsx or CSV",
        ),
        ("table-output.xlsx", 3, "2 rows of 2"),
        (
            "table-with-booleans.ods",
            0,
            "it is an OpenDocument file; save it as .xlsx or CSV",
        ),
        (
            "table-with-booleans.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        (
            "table-with-ints-floats-dates.ods",
            0,
            "it is an OpenDocument file; save it as .xlsx or CSV",
        ),
        (
            "table-with-ints-floats-dates.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        (
            "table-with-two-sheets.ods",
            0,
            "it is an OpenDocument file; save it as .xlsx or CSV",
        ),
        (
            "table.ods",
            0,
            "it is an OpenDocument file; save it as .xlsx or CSV",
        ),
        (
            "table.xls",
            0,
            "it is an Excel 97 workbook; save it as .xlsx or CSV",
        ),
        (
            "table.xlsx",
            3,
            "2 rows of 2; sheet `Лист1`; there is data in `Sheet 2` too",
        ),
    ];

    #[test]
    fn real_workbooks_are_read_or_refused_with_a_reason() {
        for path in books() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let known = BOOKS.iter().find(|(book, ..)| *book == name);
            let (_, n_rows, expected) = known.unwrap_or_else(|| panic!("{name} is new"));
            assert_eq!(outcome(&path), *expected, "{name}");
            let Ok(opened) = open(Input::open(&path).unwrap(), &Options::default()) else {
                continue;
            };
            let seen = contract::read_all(opened).unwrap();
            let n_notes = seen
                .iter()
                .filter(|seen| matches!(seen, Seen::Note { .. }))
                .count();
            assert_eq!(seen.len() - n_notes + 1, *n_rows, "{name}");
        }
    }

    /// Every cell of every sheet is what calamine reads, in the form of text.
    #[test]
    fn cells_are_those_of_calamine() {
        for path in books()
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "xlsx"))
        {
            let Ok(workbook) = Workbook::open(File::open(path).unwrap()) else {
                continue;
            };
            let book = workbook.book(&Options::default()).unwrap();
            let mut calamine: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
            for sheet in &workbook.sheets {
                let ours = all_cells(
                    workbook
                        .runs(&sheet.part, "row", &Options::default())
                        .unwrap(),
                    &book,
                );
                let mut theirs = Vec::new();
                let mut cells = calamine.worksheet_cells_reader(&sheet.name).unwrap();
                while let Some(cell) = cells.next_cell().unwrap() {
                    let (row, column) = cell.get_position();
                    theirs.push((
                        u64::from(row) + 1,
                        column as usize,
                        in_calamine(cell.get_value(), &book),
                    ));
                }
                theirs.retain(|(_, _, text)| !text.is_empty());
                let trimmed = |cells: Vec<(u64, usize, String)>| -> Vec<_> {
                    let cells = cells
                        .into_iter()
                        .map(|(row, column, text)| (row, column, text.trim().to_owned()));
                    cells.filter(|(_, _, text)| !text.is_empty()).collect()
                };
                assert_eq!(
                    trimmed(ours),
                    trimmed(theirs),
                    "{} {}",
                    path.display(),
                    sheet.name
                );
            }
        }
    }

    fn all_cells(mut runs: Runs, book: &Book) -> Vec<(u64, usize, String)> {
        let mut cells = Vec::new();
        let mut next = 1;
        while let Some(run) = runs.next_run().unwrap() {
            let mut rows = Rows::new(std::str::from_utf8(&run).unwrap(), book, next);
            while let Some(row) = rows.next_row().unwrap() {
                next = row.number + 1;
                let found = row
                    .cells
                    .iter()
                    .enumerate()
                    .filter(|(_, cell)| !cell.is_empty());
                cells.extend(found.map(|(column, cell)| (row.number, column, cell.to_string())));
            }
        }
        cells
    }

    fn in_calamine(value: &calamine::DataRef<'_>, book: &Book) -> String {
        use calamine::DataRef;
        match value {
            DataRef::Float(number) => number.to_string(),
            DataRef::Bool(value) => value.to_string().to_uppercase(),
            DataRef::DateTime(date) => {
                let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
                let serial = date.as_f64();
                match (serial.fract() == 0.0, date.is_duration()) {
                    (true, false) => format!("{year:04}-{month:02}-{day:02}"),
                    (false, false) if serial < 1.0 => format!("{hour:02}:{minute:02}:{second:02}"),
                    (_, true) => date_text(serial, NumberFormat::Duration, book.is_1904).unwrap(),
                    _ => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
                }
            }
            other => calamine::Data::from(other.clone()).to_string(),
        }
    }

    #[test]
    fn the_contract_holds() {
        contract::holds(&fixture(), &open, &Options::default());
        let without = Options {
            has_header: Some(false),
            ..Options::default()
        };
        contract::holds(&fixture(), &open, &without);
        for path in books() {
            contract::holds(&std::fs::read(path).unwrap(), &open, &Options::default());
        }
    }

    #[test]
    fn text_stays_as_it_is() {
        let opened = open(
            Input::from_bytes("novel.xlsx", fixture()).unwrap(),
            &Options::default(),
        )
        .unwrap();
        assert_eq!(
            opened.columns.as_ref().unwrap().names,
            ["source", "target", "chapter"]
        );
        assert_eq!(
            opened.decisions,
            ["sheet `Novel`; there is data in `Notes` too"]
        );
        let note = |code, line, column| Seen::Note {
            code,
            at: Position { line, column },
        };
        let expected = [
            Seen::row(2, &["007", "007", "Chapter"]),
            Seen::row(
                3,
                &[
                    "  The sea was calm.  ",
                    "  El mar estaba en calma.  ",
                    "one",
                ],
            ),
            Seen::row(
                4,
                &[
                    "She said:\n\"Wait, please.\"",
                    "Dijo:\n—Espera, por favor.",
                    "one",
                ],
            ),
            Seen::row(5, &["Good night 🌙", "Buenas noches 🌙", ""]),
            Seen::row(6, &["#NAME?", "#¿NOMBRE?", "one"]),
            Seen::row(7, &["NaN", "NaN", "two"]),
            Seen::row(8, &["1e5", "1e5", "two"]),
            Seen::row(9, &["true", "verdadero", "two"]),
            Seen::row(10, &["Press \r now", "Pulse \r ahora", "two"]),
            Seen::row(11, &["He left, quietly.", "Se fue, en silencio.", "two"]),
            Seen::row(12, &["原文", "Texto original", "two"]),
            Seen::row(13, &["A number", "12345678901234", "0.1"]),
            Seen::row(
                14,
                &["A date", "2024-02-29T00:00:00", "2024-02-29T12:30:00"],
            ),
            Seen::row(15, &["A time", "08:05:00", "30:01:00"]),
            Seen::row(16, &["A formula error", "#REF!", "TRUE"]),
            note("S002", 17, 1),
            note("S002", 18, 1),
            Seen::row(19, &["After a gap", "Después de un hueco", ""]),
            Seen::Reject {
                line: 20,
                code: "S003",
                at: Position {
                    line: 20,
                    column: 4,
                },
                raw: "Too wide,Demasiado ancho,,stray".into(),
            },
        ];
        assert_eq!(contract::read_all(opened).unwrap(), expected);
    }

    /// A workbook of one sheet with the given rows, and of shared strings.
    fn workbook(rows: &str, strings: &str) -> Vec<u8> {
        let rels = |entries: &str| format!("<Relationships>{entries}</Relationships>");
        let rel = |id, kind, target| {
            format!(
                r#"<Relationship Id="{id}" Type="http://x/relationships/{kind}" Target="{target}"/>"#
            )
        };
        let parts = [
            (
                "_rels/.rels",
                rels(&rel("r1", "officeDocument", "/xl/workbook.xml")),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                rels(
                    &(rel("r1", "worksheet", "worksheets/a.xml")
                        + &rel("r2", "sharedStrings", "s.xml")),
                ),
            ),
            (
                "xl/workbook.xml",
                r#"<workbook><sheets><sheet name="A &amp; B" r:id="r1"/></sheets></workbook>"#
                    .into(),
            ),
            (
                "xl/worksheets/a.xml",
                format!("<worksheet><sheetData>{rows}</sheetData><mergeCells/></worksheet>"),
            ),
            (
                "xl/s.xml",
                format!("<sst uniqueCount=\"99999999999999\">{strings}</sst>"),
            ),
        ];
        archive(parts.iter().map(|(name, text)| (*name, text.as_bytes())))
    }

    fn archive<'a>(parts: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// The rows behind a header of two columns.
    #[track_caller]
    fn check(rows: &str, strings: &str, expected: &[Seen]) {
        let rows = format!("<row><c t=\"str\"><v>a</v></c><c t=\"str\"><v>b</v></c></row>{rows}");
        let bytes = workbook(&rows, strings);
        for block_bytes in [1, 50, 1 << 20] {
            let options = Options {
                block_bytes,
                ..Options::default()
            };
            assert_eq!(
                contract::read(&bytes, &open, &options).unwrap(),
                expected,
                "{block_bytes}"
            );
        }
    }

    #[test]
    fn rows_and_cells_need_no_numbers() {
        let rows = r#"<row><c><v>1</v></c><c><v>2.50</v></c></row><row/><row r="7"><c r="B7" t="b"><v>0</v></c></row>"#;
        let blank = |line| Seen::Note {
            code: "S002",
            at: Position::line(line),
        };
        check(
            rows,
            "",
            &[
                Seen::row(2, &["1", "2.5"]),
                blank(3),
                blank(4),
                blank(5),
                blank(6),
                Seen::row(7, &["", "FALSE"]),
            ],
        );
    }

    #[test]
    fn a_row_that_is_broken_is_rejected_and_the_next_is_read() {
        let broken = r#"<row r="2"><c t="s"><v>5</v></c></row>"#;
        let rows = format!(r#"{broken}<row r="3"><c t="s"><v>0</v></c></row>"#);
        let reject = Seen::Reject {
            line: 2,
            code: "S032",
            at: Position::line(2),
            raw: broken.into(),
        };
        check(
            &rows,
            "<si><t>ok</t></si>",
            &[reject, Seen::row(3, &["ok", ""])],
        );
    }

    #[test]
    fn tags_in_cdata_and_comments_are_text() {
        let rows = "<row><c t=\"inlineStr\"><is><t><![CDATA[</row><row>]]></t></is></c><!-- </row> --></row>";
        check(rows, "", &[Seen::row(2, &["</row><row>", ""])]);
    }

    #[test]
    fn strings_are_whole_and_unescaped() {
        let cases = [
            ("<t> a </t>", " a "),
            (
                "<r><t>a</t></r><r><t xml:space=\"preserve\"> b</t></r><rPh><t>x</t></rPh>",
                "a b",
            ),
            ("<t>&lt;&#x1F319;&amp;amp;</t>", "<🌙&amp;"),
            ("<t>a_x000D_b_xD83C__xDF19_</t>", "a\rb🌙"),
            ("<t>_x00G0__x_</t>", "_x00G0__x_"),
            ("", ""),
        ];
        let strings: String = cases
            .iter()
            .map(|(xml, _)| format!("<si>{xml}</si>"))
            .collect();
        let rows: String = (0..cases.len())
            .map(|n| format!("<row><c t=\"s\"><v>{n}</v></c><c><v>1</v></c></row>"))
            .collect();
        let expected: Vec<_> = cases
            .iter()
            .zip(2..)
            .map(|((_, text), line)| Seen::row(line, &[text, "1"]))
            .collect();
        check(&rows, &strings, &expected);
    }

    #[test]
    fn an_escape_that_is_left_is_noted() {
        let rows = "<row><c><v>1</v></c><c t=\"str\"><v>_x005F_x000D_</v></c></row>";
        let note = Seen::Note {
            code: "S013",
            at: Position { line: 2, column: 2 },
        };
        check(rows, "", &[note, Seen::row(2, &["1", "_x000D_"])]);
    }

    #[test]
    fn errors_that_have_no_name_yet_are_text() {
        check(
            "<row><c t=\"e\"><v>#SPILL!</v></c></row>",
            "",
            &[Seen::row(2, &["#SPILL!", ""])],
        );
    }

    #[test]
    fn bytes_that_are_not_text_are_rejected() {
        let mut bytes = Vec::new();
        for row in [
            &b"<row><c t='str'><v>a</v></c></row>"[..],
            b"<row>\xff</row>",
            b"<row r='3'><c><v>3</v></c></row>",
        ] {
            bytes.extend_from_slice(row);
        }
        let table = Arc::new(Table {
            book: Book::default(),
            width: 1,
            header: None,
        });
        let batch = RowBatch {
            table,
            run: bytes,
            first: 1,
            n_rows: 3,
        };
        let mut seen = Vec::new();
        Box::new(batch).decode(&mut |item| {
            seen.push(match item {
                Item::Record(record) => (
                    record.line,
                    String::from_utf8_lossy(record.raw).into_owned(),
                ),
                Item::Reject(reject) => (reject.line, reject.finding.code.code.to_owned()),
                Item::Note(_) => unreachable!("no row is blank"),
            });
        });
        assert_eq!(seen, [(0, "a".into()), (1, "S001".into()), (2, "3".into())]);
    }

    #[test]
    fn numbers_are_as_excel_stores_them() {
        let check = |value: &str, code: &str, expected: &str| {
            let text = number_text(value.into(), NumberFormat::of_code(code), false);
            assert_eq!(text, expected, "{value} as {code}");
        };
        check("1", "General", "1");
        check("1.0", "0.00", "1");
        check("-12", "#,##0_);[Red](#,##0)", "-12");
        check("0.30000000000000004", "0.0", "0.30000000000000004");
        check("1E5", "0.00E+00", "100000");
        check("1e+300", "General", "1E300");
        check("123456789012345680", "0", "123456789012345680");
        check("45351", "yyyy\\-mm\\-dd", "2024-02-29");
        check("45351.5", "dd/mm/yyyy", "2024-02-29T12:00:00");
        check("45351.520833333336", "d/m/yy h:mm", "2024-02-29T12:30:00");
        check("0.5", "[$-409]h:mm AM/PM;@", "12:00:00");
        check("1.25", "[hh]:mm", "30:00:00");
        check("60", "\"day\" 0", "60");
        check("-1", "yyyy", "-1");
    }

    fn refusal(bytes: Vec<u8>, options: &Options) -> String {
        let opened =
            open(Input::from_bytes("x.xlsx", bytes).unwrap(), options).and_then(contract::read_all);
        chain(&opened.unwrap_err())
    }

    #[test]
    fn what_is_no_table_is_refused_in_words() {
        let check = |bytes, sheet: Option<&str>, expected: &str| {
            let options = Options {
                sheet: sheet.map(Into::into),
                ..Options::default()
            };
            assert_eq!(refusal(bytes, &options), expected);
        };
        let letter = archive([("a.txt", &b"hello"[..])].into_iter());
        check(
            letter,
            None,
            "it is a zip archive and no workbook; unpack it first",
        );
        check(workbook("", ""), None, "it has no sheet with data");
        check(
            workbook("", ""),
            Some("a & b"),
            "its sheet `a & b` is empty",
        );
        check(
            workbook("", ""),
            Some("C"),
            "it has no sheet `C`; it has `A & B`",
        );
        let mut damaged = fixture();
        damaged.truncate(3000);
        let error = refusal(damaged, &Options::default());
        assert!(error.starts_with("its zip archive is damaged"), "{error}");
    }

    #[test]
    fn a_part_that_unpacks_to_too_much_is_refused() {
        let zeros = vec![b' '; 30 << 20];
        let bomb = archive([("xl/worksheets/a.xml", &zeros[..])].into_iter());
        assert_eq!(
            refusal(bomb, &Options::default()),
            "its part `xl/worksheets/a.xml` would unpack to more than 200 times its size, 30 MiB"
        );
    }

    #[test]
    fn a_part_that_declares_less_than_it_holds_is_refused() {
        let rows = "<row><c><v>1</v></c></row>".repeat(1000);
        let mut lying = workbook(&rows, "");
        let declared = u32::try_from(
            rows.len() + "<worksheet><sheetData></sheetData><mergeCells/></worksheet>".len(),
        );
        let declared = declared.unwrap().to_le_bytes();
        let finder = memmem::Finder::new(&declared);
        while let Some(at) = finder.find(&lying) {
            lying[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
        }
        let error = refusal(lying, &Options::default());
        assert!(
            error.ends_with("it is longer than the archive says"),
            "{error}"
        );
    }

    #[test]
    fn flipped_bits_are_found() {
        let bytes = fixture();
        let whole = contract::read(&bytes, &open, &Options::default()).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            if let Ok(seen) = contract::read(&bytes, &open, &Options::default()) {
                // Names and times of entries have no checksum.
                assert_eq!(seen.len(), whole.len(), "byte {at}");
            }
        }
    }
}
