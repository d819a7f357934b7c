//! One record of a source, found again by its number.

use crate::source::{Item, Opened, Second, SourceError};

/// A record as it stands in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The physical line on which it begins, from 1.
    pub line: u64,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// Where it goes on in a second input.
    pub second: Option<Second>,
}

/// Reads a source up to its `wanted`-th record, from 1; `None` if it has
/// fewer. Costs reading the source that far.
///
/// # Errors
///
/// When the source cannot be read.
pub fn find_record(mut opened: Opened, wanted: u64) -> Result<Option<Found>, SourceError> {
    let (mut line, mut input, mut records) = (1, 0, 0);
    let mut found = None;
    while let Some(batch) = opened.source.next_batch()? {
        if batch.input() != input {
            input = batch.input();
            line = 1;
        }
        line += batch.decode(&mut |item| {
            let (record_line, raw, second) = match &item {
                Item::Record(record) => (record.line, record.raw, record.second),
                Item::Reject(reject) => (reject.line, reject.raw, None),
                Item::Note(_) => return,
            };
            records += 1;
            if records == wanted {
                found = Some(Found {
                    line: line + record_line,
                    raw: raw.to_vec(),
                    second,
                });
            }
        });
        if found.is_some() {
            break;
        }
    }
    Ok(found)
}
