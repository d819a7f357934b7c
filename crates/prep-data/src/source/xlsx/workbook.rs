//! A workbook: its sheets, and what they share.
//!
//! Parts point to each other through relationships, so a part's name says
//! nothing: what the workbook is, which part is which sheet and where the
//! shared strings are, is looked up.

use std::borrow::Cow;
use std::fs::File;

use super::archive::{Archive, HELD_LIMIT};
use super::runs::{Elements, Runs};
use super::strings::{Strings, unescaped};
use super::styles::Styles;
use super::xml::{attribute, next_start, xml_reader};
use crate::source::Options;

/// A workbook's archive and its table of contents.
pub(super) struct Workbook {
    archive: Archive,
    pub(super) sheets: Vec<SheetEntry>,
    strings: Option<String>,
    styles: Option<String>,
    is_1904: bool,
}

impl Workbook {
    pub(super) fn open(file: File) -> Result<Self, String> {
        let archive = Archive::open(file)?;
        let main = main_part(&archive)?;
        let relationships = relationships(&archive, &main)?;
        let target = |kind: &str| {
            let found = relationships.iter().find(|one| one.kind == kind)?;
            let is_there = archive.size(&found.target).is_some();
            is_there.then(|| found.target.clone())
        };
        let (strings, styles) = (target("sharedStrings"), target("styles"));
        let text = archive.text(&main)?;
        let mut xml = xml_reader(&text);
        let mut sheets = Vec::new();
        let (mut is_workbook, mut is_1904) = (false, false);
        while let Some(tag) = next_start(&mut xml)? {
            match tag.local_name().as_ref() {
                "workbook" => is_workbook = true,
                "workbookPr" => {
                    if let Some(value) = attribute(&tag, "date1904")? {
                        is_1904 = matches!(&*value, "1" | "true");
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
        Ok(Self {
            archive,
            sheets,
            strings,
            styles,
            is_1904,
        })
    }

    /// The sheets that may be read.
    pub(super) fn candidates(&self, options: &Options) -> Result<Vec<&SheetEntry>, String> {
        let Some(asked) = &options.sheet else {
            return Ok(self.sheets.iter().collect());
        };
        let mut sheets = self.sheets.iter();
        let exact = sheets.clone().find(|sheet| sheet.name == *asked);
        let found = exact.or_else(|| sheets.find(|sheet| sheet.name.eq_ignore_ascii_case(asked)));
        match found {
            Some(sheet) => Ok(vec![sheet]),
            None => Err(format!(
                "it has no sheet `{asked}`; it has {}",
                quoted(&self.sheets)
            )),
        }
    }

    /// Reads what all sheets share.
    pub(super) fn book(&self, options: &Options) -> Result<Book, String> {
        let styles = match &self.styles {
            Some(part) => self.archive.text(part)?,
            None => String::new(),
        };
        let mut book = Book {
            strings: Strings::default(),
            styles: Styles::read(&styles, self.is_1904)?,
        };
        if let Some(part) = &self.strings {
            if self.archive.size(part) > Some(HELD_LIMIT) {
                return Err(format!(
                    "its shared strings take more than {} MiB",
                    HELD_LIMIT >> 20
                ));
            }
            let mut runs = Runs::new(part, self.archive.reader(part)?, Elements::STRINGS, options);
            while let Some(run) = runs.next_run()? {
                let text = std::str::from_utf8(&run)
                    .map_err(|_| format!("its part `{part}` is not UTF-8"))?;
                book.strings.read(text)?;
            }
        }
        Ok(book)
    }

    /// The rows of a sheet, from its beginning. The file has one position:
    /// these are done with once another sheet is begun.
    pub(super) fn rows(&self, sheet: &SheetEntry, options: &Options) -> Result<Runs, String> {
        let reader = self.archive.reader(&sheet.part)?;
        Ok(Runs::new(&sheet.part, reader, Elements::ROWS, options))
    }
}

/// A sheet by its entry in the workbook.
#[derive(Debug)]
pub(super) struct SheetEntry {
    pub(super) name: String,
    part: String,
    pub(super) is_hidden: bool,
}

/// Names sheets, with commas between them.
pub(super) fn quoted<'a>(sheets: impl IntoIterator<Item = &'a SheetEntry>) -> String {
    let names = sheets.into_iter();
    let names: Vec<_> = names.map(|sheet| format!("`{}`", sheet.name)).collect();
    names.join(", ")
}

/// What all sheets of a workbook share.
#[derive(Debug, Default)]
pub(super) struct Book {
    strings: Strings,
    styles: Styles,
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
            Kind::Shared => self.strings.resolve(&value)?.into(),
            Kind::Formula => unescaped(value),
            Kind::Bool => match value.trim() {
                "1" | "true" => "TRUE".into(),
                "0" | "false" => "FALSE".into(),
                _ => value,
            },
            Kind::Inline | Kind::Plain => value,
            Kind::Number => self.styles.number_text(value, style),
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

/// Finds the part that the package says is the document.
fn main_part(archive: &Archive) -> Result<String, String> {
    let has = |part| archive.size(part).is_some();
    if !has("_rels/.rels") {
        return Err(match has("content.xml") || has("mimetype") {
            true => "it is an OpenDocument file; save it as .xlsx or CSV".into(),
            false => "it is a zip archive and no workbook; unpack it first".into(),
        });
    }
    let relationships = relationships(archive, "")?;
    let main = relationships
        .into_iter()
        .find(|one| one.kind == "officeDocument");
    let main = main.ok_or("it has no main part")?.target;
    match main.rsplit('.').next() {
        Some("bin") => Err("it is a binary workbook (.xlsb); save it as .xlsx or CSV".into()),
        _ if !has(&main) => Err(format!("its part `{main}` is missing")),
        _ => Ok(main),
    }
}

/// What a part points to; the package itself for an empty name.
fn relationships(archive: &Archive, part: &str) -> Result<Vec<Relationship>, String> {
    let (base, file) = part.split_at(part.rfind('/').map_or(0, |slash| slash + 1));
    let text = archive.text(&format!("{base}_rels/{file}.rels"))?;
    let mut xml = xml_reader(&text);
    let mut relationships = Vec::new();
    while let Some(tag) = next_start(&mut xml)? {
        if tag.local_name().as_ref() == "Relationship" {
            let kind = attribute(&tag, "Type")?.unwrap_or_default();
            let target = attribute(&tag, "Target")?.unwrap_or_default();
            relationships.push(Relationship {
                id: attribute(&tag, "Id")?.unwrap_or_default(),
                kind: kind.rsplit('/').next().unwrap_or_default().into(),
                target: resolve(base, &target),
            });
        }
    }
    Ok(relationships)
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
