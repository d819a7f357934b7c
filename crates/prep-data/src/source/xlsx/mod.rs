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

mod archive;
mod decode;
mod runs;
mod sheet;
mod strings;
mod styles;
mod workbook;
mod xml;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use memchr::memmem;

use self::decode::{RowBatch, Table};
use self::runs::Runs;
use self::sheet::{Rows, last_row};
use self::workbook::{Book, Workbook, quoted};
use super::{Batch, Columns, Format, Opened, Options, Source, SourceError};
use crate::io::Input;

/// The longest workbook that is copied to a temporary file, when it comes
/// through a pipe or is compressed once more.
const SPOOL_LIMIT: u64 = 4 << 30;
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
        let runs = workbook.rows(entry, options)?;
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
        columns: Columns {
            names,
            named,
            sides: None,
        },
        decisions,
        // From its beginning again: the file has one position, and looking
        // into the other sheets has moved it.
        runs: workbook.rows(entry, options)?,
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
            let n_filled = row.n_filled();
            if n_filled > 0 {
                let cells = row.cells[..n_filled].iter().map(ToString::to_string);
                return Ok(Some(FirstRow {
                    number: row.number,
                    cells: cells.collect(),
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

#[cfg(test)]
mod tests;
