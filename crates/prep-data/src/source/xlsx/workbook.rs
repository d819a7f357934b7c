//! A workbook: its sheets, and what they share.
//!
//! Parts point to each other through relationships, so a part's name says
//! nothing: what the workbook is, which part is which sheet and where the
//! shared strings are, is looked up.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;

use quick_xml::events::Event;

use super::archive::{HELD_LIMIT, Part, PartReader, list_parts};
use super::runs::Runs;
use super::strings::{Strings, read_strings, unescaped};
use super::styles::{NumberFormat, number_text, read_formats};
use super::xml::{attribute, in_words, xml_reader};
use crate::source::Options;

/// A workbook's archive and its table of contents.
pub(super) struct Workbook {
    file: File,
    parts: Vec<Part>,
    pub(super) sheets: Vec<SheetEntry>,
    strings: Option<String>,
    styles: Option<String>,
    is_1904: bool,
}

impl Workbook {
    pub(super) fn open(file: File) -> Result<Self, String> {
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
    pub(super) fn candidates(&self, options: &Options) -> Result<Vec<&SheetEntry>, String> {
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
    pub(super) fn book(&self, options: &Options) -> Result<Book, String> {
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
    pub(super) fn runs(
        &self,
        name: &str,
        element: &'static str,
        options: &Options,
    ) -> Result<Runs, String> {
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

/// A sheet by its entry in the workbook.
#[derive(Debug)]
pub(super) struct SheetEntry {
    pub(super) name: String,
    pub(super) part: String,
    pub(super) is_hidden: bool,
}

pub(super) fn quoted<'a>(sheets: impl Iterator<Item = &'a SheetEntry>) -> String {
    let names: Vec<_> = sheets.map(|sheet| format!("`{}`", sheet.name)).collect();
    names.join(", ")
}

/// What all sheets of a workbook share.
#[derive(Debug, Default)]
pub(super) struct Book {
    strings: Strings,
    formats: Vec<NumberFormat>,
    pub(super) is_1904: bool,
}

impl Book {
    /// The text of a cell, from the value that the sheet holds.
    pub(super) fn text_of<'a>(
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

/// What the value of a cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Shared,
    Inline,
    Formula,
    Bool,
    /// Text as it stands: an error value or an ISO date.
    Plain,
}

impl Kind {
    pub(super) fn of(attribute: &str) -> Self {
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
