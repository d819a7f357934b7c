//! What an input is, told from its content; its name only breaks ties.

use encoding_rs::Encoding;

use super::{Format, Opened, Options, SourceError, csv};
use crate::io::{Cause, Input};

/// How much of an input is looked at to tell its format.
const HEAD_BYTES: usize = 64 << 10;

/// Opens inputs as sources, finding out what the options leave open. Two
/// aligned text files are one source; anything else is one each.
///
/// # Errors
///
/// When a format cannot be told, or an input is not of it.
pub fn open_all(inputs: Vec<Input>, options: &Options) -> Result<Vec<Opened>, SourceError> {
    inputs
        .into_iter()
        .map(|input| open(input, options))
        .collect()
}

/// Opens one input.
fn open(mut input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let head = input.peek(HEAD_BYTES).map_err(SourceError::read(&name))?;
    let format = options.format.map_or_else(|| detect(&name, head), Ok)?;
    match format {
        Format::Csv | Format::Tsv => csv::open(input, options),
        _ => Err(unknown(&name, "the format is not built in")),
    }
}

/// Tells what an input is from its first bytes.
fn detect(name: &str, head: &[u8]) -> Result<Format, SourceError> {
    let text = preview(head);
    let text = text.trim_start();
    if text.is_empty() {
        return Err(unknown(name, "it is empty"));
    }
    Ok(Format::Csv)
}

fn unknown(name: &str, cause: &str) -> SourceError {
    SourceError::Unknown {
        name: name.into(),
        cause: Cause(cause.into()),
    }
}

/// The beginning of a file as text, whatever is wrong with it.
fn preview(head: &[u8]) -> String {
    let encoding = Encoding::for_bom(head).map_or(encoding_rs::UTF_8, |(encoding, _)| encoding);
    encoding.decode(head).0.into_owned()
}
