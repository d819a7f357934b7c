//! The rows and cells of a sheet.
//!
//! Neither rows nor cells need say where they are: one that does not follows
//! the one before it. So the number of the last row of a run is told by the
//! same rules on the thread that cuts and on those that decode.

use std::borrow::Cow;

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::runs::first_end;
use super::strings::read_rich_text;
use super::workbook::{Book, Kind};
use super::xml::{in_words, read_text, xml_reader};

/// The rows a sheet can have.
const MAX_ROWS: u64 = 1 << 20;
/// The columns a sheet can have.
const MAX_COLUMNS: usize = 1 << 14;

/// The rows of a run, one by one.
pub(super) struct Rows<'a> {
    xml: Reader<&'a [u8]>,
    book: &'a Book,
    next: u64,
    row: Row<'a>,
}

impl<'a> Rows<'a> {
    /// Reads a run whose first row has the given number, unless it says
    /// another.
    pub(super) fn new(text: &'a str, book: &'a Book, next: u64) -> Self {
        Self {
            xml: xml_reader(text),
            book,
            next,
            row: Row::default(),
        }
    }

    pub(super) fn next_row(&mut self) -> Result<Option<&mut Row<'a>>, Broken> {
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
                Ok(()) => Ok(Some(&mut self.row)),
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
        self.row.unvalued = None;
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
        let text = text.unwrap_or_else(|| {
            self.row.unvalued.get_or_insert(column);
            Cow::Borrowed("")
        });
        // A cell that comes after those to its right is put in its place.
        if column >= self.row.cells.len() {
            self.row.cells.resize(column + 1, Cow::Borrowed(""));
        }
        self.row.cells[column] = text;
        Ok(())
    }

    /// Reads to the end of a cell; `None` if it has a formula and no value.
    ///
    /// An empty value is one where the type says that the formula gave text,
    /// and only there: some programs write `<v/>` for what they did not work
    /// out.
    fn read_value(&mut self, kind: Kind, style: usize) -> Result<Option<Cow<'a, str>>, String> {
        let mut text = Cow::Borrowed("");
        let (mut has_formula, mut has_value) = (false, false);
        loop {
            match self.xml.read_event().map_err(in_words)? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "f" => has_formula = true,
                    "v" if kind != Kind::Inline => {
                        let value = read_text(&mut self.xml, "v")?;
                        has_value = !value.is_empty() || kind == Kind::Formula;
                        text = self.book.text_of(value, kind, style)?;
                    }
                    "is" => {
                        text = read_rich_text(&mut self.xml, "is")?;
                        has_value = true;
                    }
                    _ => {}
                },
                Event::End(tag) if tag.local_name().as_ref() == "c" => {
                    return Ok((has_value || !has_formula).then_some(text));
                }
                Event::Eof => return Err("a cell has no end".into()),
                _ => {}
            }
        }
    }
}

/// A row with the text of its cells.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    pub(super) number: u64,
    pub(super) cells: Vec<Cow<'a, str>>,
    /// The column of the first cell that has a formula and no value.
    pub(super) unvalued: Option<usize>,
}

impl Row<'_> {
    /// How many cells there are up to the last that is not empty.
    pub(super) fn n_filled(&self) -> usize {
        let last = self.cells.iter().rposition(|cell| !cell.is_empty());
        last.map_or(0, |last| last + 1)
    }
}

/// A row that cannot be read.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) number: u64,
    /// Where it begins in the run.
    pub(super) start: usize,
    pub(super) message: String,
}

/// The number of the last row of a run, whose first has the given number
/// unless it says another; one less if there is no row.
pub(super) fn last_row(run: &[u8], first: u64) -> u64 {
    if memmem::find(run, b"<!").is_none()
        && let Some(Some(number)) = memmem::rfind_iter(run, "row").find_map(|at| said_row(run, at))
    {
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
