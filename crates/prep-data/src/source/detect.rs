//! What an input is, told from its content; its name only breaks ties.

use encoding_rs::Encoding;

#[cfg(feature = "parquet")]
use super::parquet;
#[cfg(feature = "xlsx")]
use super::xlsx;
use super::{Format, Opened, Options, SourceError, by_id, chat, csv, moses, po, tmx, xliff};
use crate::io::{Cause, Input};

/// How much of an input is looked at to tell its format.
const HEAD_BYTES: usize = 64 << 10;

/// How zip archives, empty ones too, and Excel 97 workbooks begin.
const WORKBOOKS: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0"];

/// Opens inputs as sources, finding out what the options leave open. Two
/// aligned text files are one source, as are two tables that are joined on a
/// column; anything else is one each.
///
/// # Errors
///
/// When a format cannot be told, or an input is not of it.
pub fn open_all(inputs: Vec<Input>, options: &Options) -> Result<Vec<Opened>, SourceError> {
    if let Some(column) = &options.id_column {
        let n = inputs.len();
        let [first, second] =
            <[Input; 2]>::try_from(inputs).map_err(|_| SourceError::NoJoin { n })?;
        if options.format == Some(Format::Moses) {
            let cause = "its lines have no columns on which it could be joined";
            return Err(SourceError::malformed(first.name(), Format::Moses, cause));
        }
        let options = by_id::table_options(options);
        let (first, second) = (open(first, &options)?, open(second, &options)?);
        return Ok(vec![by_id::join(first, second, column, &options)?]);
    }
    let mut inputs = inputs;
    if options.format == Some(Format::Moses) && inputs.len() != 2 {
        return Err(SourceError::NoPair { n: inputs.len() });
    }
    if let [a, b] = &mut inputs[..]
        && (options.format == Some(Format::Moses) || options.format.is_none() && are_aligned(a, b)?)
    {
        let (target, source) = (inputs.pop(), inputs.pop());
        let (Some(source), Some(target)) = (source, target) else {
            unreachable!("there are two")
        };
        return Ok(vec![moses::open(source, target, options)?]);
    }
    inputs
        .into_iter()
        .map(|input| open(input, options))
        .collect()
}

/// Whether two inputs are line-aligned texts: their names differ in one piece
/// such as a language, and neither is of another format.
fn are_aligned(a: &mut Input, b: &mut Input) -> Result<bool, SourceError> {
    if moses::pair_of_names(a.plain_name(), b.plain_name()).is_none() {
        return Ok(false);
    }
    for input in [a, b] {
        let name = input.name().to_owned();
        let plain_name = input.plain_name().to_owned();
        let head = input.peek(HEAD_BYTES).map_err(SourceError::read(&name))?;
        let is_other = !matches!(structured(head, &plain_name), None | Some(Seen::Empty))
            || has_name(&plain_name, TABLES);
        if is_other {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How the names of tables end.
const TABLES: &[&str] = &["csv", "tsv", "tab"];
/// How the names of JSON end.
const JSON: &[&str] = &["json", "jsonl", "ndjson"];

/// Whether a name ends in one of these.
fn has_name(name: &str, extensions: &[&str]) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extensions
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Opens one input.
fn open(mut input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let plain_name = input.plain_name().to_owned();
    let head = input.peek(HEAD_BYTES).map_err(SourceError::read(&name))?;
    let format = match options.format {
        Some(format) => format,
        None => match structured(head, &plain_name) {
            Some(Seen::Format(format)) => format,
            Some(Seen::Json) => return chat::open(input, options),
            Some(Seen::Empty) => return Err(SourceError::Empty { name }),
            Some(Seen::Foreign(what)) => return Err(unknown(&name, what)),
            None => Format::Csv,
        },
    };
    match format {
        Format::Csv | Format::Tsv => csv::open(input, options),
        Format::Tmx => tmx::open(input, options),
        Format::Xliff => xliff::open(input, options),
        Format::Po => po::open(input, options),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::open(input, options),
        #[cfg(feature = "xlsx")]
        Format::Xlsx => xlsx::open(input, options),
        Format::OpenAi
        | Format::ShareGpt
        | Format::Alpaca
        | Format::PromptCompletion
        | Format::Gemini => chat::open(input, options),
        Format::Moses => Err(SourceError::NoPair { n: 1 }),
        #[cfg(not(all(feature = "parquet", feature = "xlsx")))]
        Format::Parquet | Format::Xlsx => {
            Err(unknown(&name, "this build of prep cannot read such files"))
        }
    }
}

/// What the beginning of an input shows.
enum Seen {
    /// Its format.
    Format(Format),
    /// JSON, of a shape that is still to be told.
    Json,
    /// Nothing: there is no text.
    Empty,
    /// Something that no format begins with, in words.
    Foreign(&'static str),
}

/// What the first bytes show, unless they are plain text.
fn structured(head: &[u8], name: &str) -> Option<Seen> {
    if let Some(binary) = binary(head) {
        return Some(binary);
    }
    let text = preview(head);
    let text = text.trim_start();
    match text.as_bytes().first() {
        None => Some(Seen::Empty),
        Some(b'<') if tmx::is(text) => Some(Seen::Format(Format::Tmx)),
        Some(b'<') if xliff::is(text) => Some(Seen::Format(Format::Xliff)),
        Some(b'<') if text.starts_with("<?xml") => {
            Some(Seen::Foreign("it is XML, but neither TMX nor XLIFF"))
        }
        Some(b'{' | b'[') if is_json(text) || has_name(name, JSON) => Some(Seen::Json),
        _ => po::is(text).then_some(Seen::Format(Format::Po)),
    }
}

/// Formats that are not text, by their first bytes.
fn binary(head: &[u8]) -> Option<Seen> {
    if head.starts_with(b"PAR1") {
        Some(Seen::Format(Format::Parquet))
    } else if WORKBOOKS.iter().any(|magic| head.starts_with(magic)) {
        // Old workbooks are told apart, and refused by name, where workbooks
        // are read.
        Some(Seen::Format(Format::Xlsx))
    } else if head.starts_with(b"%PDF") {
        Some(Seen::Foreign("it is a PDF; extract its text first"))
    } else {
        None
    }
}

/// Whether a text is JSON rather than prose that begins with a bracket.
fn is_json(text: &str) -> bool {
    text[1..]
        .trim_start()
        .starts_with(['"', '{', '}', '[', ']'])
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
