//! What the fuzz targets hold decoders to.
//!
//! Any bytes are read to the end or refused with an error, and what is read
//! does not depend on how the input is cut into blocks.

use std::sync::Once;

use prep_data::io::Input;
use prep_data::json::Document;
use prep_data::rules::{Checker, Context, Findings, Fixer, Levels, LineOutcome, RawLine, Safety, Tally};
use prep_data::source::{Data, Format, Item, Opened, Options, SourceError, open_all, panic_is_contained};

/// Reads bytes as a format, in two ways that must agree.
pub fn read_as(format: Format, bytes: &[u8]) {
    keep_contained_panics();
    let with_blocks = |block_bytes| {
        let options = Options {
            format: Some(format),
            block_bytes,
            record_limit: 1 << 16,
            ..Options::default()
        };
        let inputs = match format {
            Format::Moses => halves(bytes),
            _ => vec![bytes],
        };
        read(&inputs, &options)
    };
    let whole = with_blocks(Options::BLOCK_BYTES);
    assert_eq!(with_blocks(1 + bytes.len() % 61), whole);
}

/// libFuzzer's panic hook aborts, also where a panic is about to become an
/// error: puts one before it that knows those.
fn keep_contained_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let abort = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic_is_contained() {
                abort(panic);
            }
        }));
    });
}

/// Finds out what the bytes are, and reads them.
pub fn detect(bytes: &[u8]) {
    keep_contained_panics();
    drop(read(&[bytes], &Options::default()));
}

/// Parses bytes as JSON: what is accepted is JSON to `serde_json` too.
pub fn json(bytes: &[u8]) {
    let mut document = Document::new();
    match document.parse(bytes) {
        Ok(value) => {
            let mut compact = Vec::new();
            prep_data::json::compact(value, &mut compact);
            let theirs: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
            if let Ok(theirs) = theirs {
                assert_eq!(serde_json::from_slice::<serde_json::Value>(&compact).ok(), Some(theirs));
            }
        }
        Err(error) => assert!(error.offset <= bytes.len() && !error.message().is_empty()),
    }
}

/// Takes every line through the rules, with and without the signs: the same is
/// found, at places that are in the line.
pub fn rules(bytes: &[u8]) {
    let (context, levels) = (Context::default(), Levels::default());
    for line in bytes.split(|&byte| byte == b'\n') {
        let by_signs = found(&mut Checker::new(&context, &levels), line);
        let thorough = found(&mut Checker::thorough(&context, &levels), line);
        assert_eq!(by_signs, thorough);
    }
}

/// What a checker finds in a line, and the example as the dataset knows it.
fn found(checker: &mut Checker<'_>, line: &[u8]) -> String {
    let mut findings = Findings::new(usize::MAX, false);
    let mut tally = Tally::default();
    checker.line(&RawLine::alone(line), &mut findings, &mut tally);
    let mut told = String::new();
    for found in &findings.found {
        let column = found.position.map_or(1, |position| position.column);
        assert!(column as usize <= line.len() + 1 && !found.message.is_empty());
        told += &format!("{} {column} {} {}\n", found.rule.code.code, found.pointer, found.message);
    }
    for digest in &mut tally.digests {
        digest.is_invalid = false;
    }
    format!("{told}{:?}", tally.digests)
}

/// Repairs every line: twice is once, and what was JSON stays JSON.
pub fn fix(bytes: &[u8]) {
    let (context, levels) = (Context::default(), Levels::default());
    for safety in [Safety::Safe, Safety::Unsafe] {
        let mut fixer = Fixer::new(&context, &levels, safety);
        for line in bytes.split(|&byte| byte == b'\n') {
            let once = fixer.line(&RawLine::alone(line));
            if once.outcome == LineOutcome::Blank {
                continue;
            }
            let twice = fixer.line(&RawLine::alone(&once.line));
            assert_eq!((&twice.line, twice.n_repairs), (&once.line, 0));
            let mut document = Document::new();
            if document.parse(line).is_ok() {
                assert!(document.parse(&once.line).is_ok());
            }
        }
    }
}

/// The two files of a pair: what is before the first NUL, and what is behind.
fn halves(bytes: &[u8]) -> Vec<&[u8]> {
    let middle = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len() / 2);
    vec![&bytes[..middle], &bytes[middle..]]
}

/// What reading gives, as text: every record, reject and note.
fn read(inputs: &[&[u8]], options: &Options) -> Result<String, String> {
    let open = |bytes: &&[u8]| Input::from_bytes("fuzz", bytes.to_vec()).map_err(|error| error.to_string());
    let inputs = inputs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let sources = open_all(inputs, options).map_err(|error| error.to_string())?;
    let mut seen = String::new();
    for source in sources {
        drain(source, &mut seen).map_err(|error| error.to_string())?;
    }
    Ok(seen)
}

fn drain(mut opened: Opened, seen: &mut String) -> Result<(), SourceError> {
    use std::fmt::Write;
    let mut base = 0;
    while let Some(batch) = opened.source.next_batch()? {
        base += batch.decode(&mut |item| {
            let told = match item {
                Item::Record(record) => {
                    let line = record.line + base;
                    match record.data {
                        Data::Row(cells) => writeln!(seen, "{line} {cells:?}"),
                        Data::Chat(example) => writeln!(seen, "{line} {example:?}"),
                    }
                }
                Item::Reject(reject) => {
                    let position = reject.finding.position;
                    writeln!(seen, "{} {} {}", reject.finding.code.code, position.line + base, position.column)
                }
                Item::Note(note) => writeln!(seen, "{} {}", note.code.code, note.position.line + base),
            };
            told.expect("a string takes everything");
        });
    }
    Ok(())
}
