//! Comma-, semicolon- and tab-separated values.
//!
//! The source cuts blocks at record ends; batches split records into fields on
//! any thread. Fields borrow from the block, except those with doubled quotes.
//! What is no well-formed record of the table is a finding at its place; the
//! meaning given to odd bytes is that of the `csv` crate and of Python's `csv`.
//!
//! A physical line ends with a line feed. A carriage return outside of quotes
//! ends a record too, which is worth a note, unless the file has no line feed
//! at all: then it is what ends lines.

mod cut;
mod decode;
mod plain;
mod sniff;

use self::cut::CsvCutter;
use self::decode::{CsvBatch, Skipped};
use super::blocks::{Blocks, Piece};
use super::{Batch, Format, Opened, Options, Source, SourceError, text};
use crate::io::Input;

/// How the fields of a file are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dialect {
    /// What stands between two fields.
    delimiter: u8,
    /// Whether a quote at the beginning of a field opens it.
    quoting: bool,
    /// The byte after which blocks are cut and lines counted: a line feed, or
    /// a carriage return in files that have nothing else.
    terminator: u8,
}

/// What all batches of a file share.
#[derive(Debug, Clone, Copy)]
struct Layout {
    dialect: Dialect,
    /// How many fields a row has.
    n_columns: usize,
    record_limit: usize,
}

/// Opens a delimited text file.
///
/// # Errors
///
/// When it cannot be read, is empty, or no delimiter gives it two columns.
pub(crate) fn open(input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let looks_tabbed = options.format == Some(Format::Tsv) || input.plain_name().ends_with(".tsv");
    let text = text::open(input, options.encoding).map_err(SourceError::read(&name))?;
    let mut decisions: Vec<_> = text.decision.into_iter().collect();
    let sniffed = sniff::sniff(&text.head, text.is_whole, looks_tabbed, options);
    let sniffed = sniffed.map_err(|(cause, choice)| {
        let format = options.format.unwrap_or(Format::Csv);
        SourceError::malformed(&name, format, cause).choice(choice)
    })?;
    decisions.extend(sniffed.decisions);
    let layout = Layout {
        dialect: sniffed.dialect,
        n_columns: sniffed.columns.names.len(),
        record_limit: options.record_limit,
    };
    // Blank lines may stand before the header; nothing else does.
    let n_blank = text
        .head
        .iter()
        .take_while(|&byte| matches!(byte, b'\n' | b'\r'))
        .count();
    let header_at = sniffed.columns.named.then_some(n_blank);
    let cutter = CsvCutter::new(sniffed.dialect);
    Ok(Opened {
        format: if sniffed.dialect.delimiter == b'\t' {
            Format::Tsv
        } else {
            Format::Csv
        },
        names: vec![name.clone()],
        source: Box::new(CsvSource {
            name,
            blocks: Blocks::new(
                text.reader,
                cutter,
                options.block_bytes,
                options.record_limit,
            ),
            layout,
            header_at,
            had_stray: false,
        }),
        columns: Some(sniffed.columns),
        decisions,
    })
}

#[derive(Debug)]
struct CsvSource {
    name: String,
    blocks: Blocks<CsvCutter>,
    layout: Layout,
    /// How many bytes further on the header begins, if it is still to come.
    header_at: Option<usize>,
    /// Whether a stray quote was met for the batch before: it may stand in the
    /// bytes that were carried over.
    had_stray: bool,
}

impl Source for CsvSource {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        let piece = self.blocks.next().map_err(SourceError::read(&self.name))?;
        let Some(piece) = piece else { return Ok(None) };
        let has_stray = self.blocks.cutter().take_stray();
        let check_stray = std::mem::replace(&mut self.had_stray, has_stray) | has_stray;
        let layout = self.layout;
        Ok(Some(match piece {
            Piece::Records(block) => Box::new(CsvBatch {
                header_at: self.header_in(block.len()),
                block,
                layout,
                check_stray,
            }),
            Piece::TooLong {
                head,
                bytes,
                newlines,
            } => {
                self.header_in(usize::try_from(bytes).unwrap_or(usize::MAX));
                Box::new(Skipped {
                    is_unclosed: self.blocks.cutter().is_in_quotes(),
                    head,
                    bytes,
                    newlines,
                    layout,
                })
            }
        }))
    }
}

impl CsvSource {
    /// Where the header begins in the next block, if it is in it.
    fn header_in(&mut self, block_bytes: usize) -> Option<usize> {
        let at = self.header_at?;
        self.header_at = at.checked_sub(block_bytes);
        self.header_at.is_none().then_some(at)
    }
}

#[cfg(test)]
mod tests;
