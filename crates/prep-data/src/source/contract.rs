//! What every format must keep, as one suite of checks.
//!
//! The records of an input are the same whatever the block size, and an input
//! cut off anywhere is reported or read, never a panic.

use super::{Data, Item, Opened, Options, SourceError};
use crate::diag::Position;
use crate::example::write;
use crate::io::Input;

/// An item with its place in the file, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Row {
        line: u64,
        cells: Vec<String>,
    },
    Chat {
        line: u64,
        jsonl: String,
    },
    Reject {
        line: u64,
        code: &'static str,
        at: Position,
        raw: Vec<u8>,
    },
    Note {
        code: &'static str,
        at: Position,
    },
}

impl Seen {
    /// A row, for expectations.
    pub(crate) fn row(line: u64, cells: &[&str]) -> Self {
        let cells = cells.iter().map(|&cell| cell.into()).collect();
        Self::Row { line, cells }
    }

    /// The code of a reject or note.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Reject { code, .. } | Self::Note { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// Reads a source to its end, making every line absolute, from 1.
pub(crate) fn read_all(mut opened: Opened) -> Result<Vec<Seen>, SourceError> {
    let mut seen = Vec::new();
    let (mut base, mut input) = (1, 0);
    while let Some(batch) = opened.source.next_batch()? {
        if batch.input() != input {
            (base, input) = (1, batch.input());
        }
        let place = |position: Position| Position {
            line: position.line + base,
            ..position
        };
        base += batch.decode(&mut |item| {
            seen.push(match item {
                Item::Record(record) => match record.data {
                    Data::Row(cells) => Seen::Row {
                        line: record.line + base,
                        cells: cells.iter().map(ToString::to_string).collect(),
                    },
                    Data::Chat(example) => {
                        let mut jsonl = Vec::new();
                        write::line(&example, &mut jsonl);
                        Seen::Chat {
                            line: record.line + base,
                            jsonl: String::from_utf8(jsonl)
                                .expect("examples are text")
                                .trim_end()
                                .into(),
                        }
                    }
                },
                Item::Reject(reject) => Seen::Reject {
                    line: reject.line + base,
                    code: reject.finding.code.code,
                    at: place(reject.finding.position),
                    raw: reject.raw.to_vec(),
                },
                Item::Note(finding) => Seen::Note {
                    code: finding.code.code,
                    at: place(finding.position),
                },
            });
        });
    }
    Ok(seen)
}

/// The real files of a folder that lie beside the project, sorted; none,
/// loudly, where they do not, which only CI does not forgive.
#[cfg(any(feature = "parquet", feature = "xlsx"))]
pub(crate) fn shared_files(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        let missing = format!("{} is missing", folder.display());
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        #[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
        {
            eprintln!("SKIPPED: {missing}");
        }
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// How a format is opened.
pub(crate) type Open<'a> = &'a dyn Fn(Input, &Options) -> Result<Opened, SourceError>;

/// Reads bytes with the given options.
pub(crate) fn read(
    bytes: &[u8],
    open: Open<'_>,
    options: &Options,
) -> Result<Vec<Seen>, SourceError> {
    let input = Input::from_bytes("test", bytes.to_vec()).map_err(SourceError::read("test"))?;
    read_all(open(input, options)?)
}

/// Holds a format to the contract on one input.
pub(crate) fn holds(bytes: &[u8], open: Open<'_>, options: &Options) {
    let with_blocks = |block_bytes| {
        let options = Options {
            block_bytes,
            ..options.clone()
        };
        read(bytes, open, &options).map_err(|error| error.to_string())
    };
    let whole = with_blocks(Options::BLOCK_BYTES);
    for block_bytes in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(
            with_blocks(block_bytes),
            whole,
            "with blocks of {block_bytes} bytes"
        );
    }
    let step = (bytes.len() / 200).max(1);
    for cut in (0..bytes.len()).step_by(step) {
        // Reported or read: what matters is that it comes to an end.
        drop(read(&bytes[..cut], open, options));
    }
}
