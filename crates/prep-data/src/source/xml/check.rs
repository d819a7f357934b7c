//! What the tests of both formats share.

use std::error::Error as _;
use std::path::Path;

use proptest::prelude::*;

use crate::source::contract::{self, Open, Seen};
use crate::source::{Options, SourceError};

/// Items as short texts: `line: source | target`, `line:column code`.
pub(crate) fn shown(seen: &[Seen]) -> Vec<String> {
    let shown = seen.iter().map(|seen| match seen {
        Seen::Row { line, cells } => format!("{line}: {}", cells.join(" | ")),
        Seen::Reject { code, at, .. } => format!("{}:{} {code}", at.line, at.column),
        Seen::Note { code, at } => format!("{}:{} note {code}", at.line, at.column),
        Seen::Chat { .. } => unreachable!("units are no conversations"),
    });
    shown.collect()
}

/// What an error says about its cause.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(crate) fn cause(error: SourceError) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// Holds a fixture to the contract and to the examples beside it.
pub(crate) fn fixture(path: &str, open: Open<'_>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(path);
    let bytes = std::fs::read(&path).unwrap();
    let expected = std::fs::read_to_string(path.with_extension("jsonl")).unwrap();
    let text = |turn: &serde_json::Value| turn["parts"][0]["text"].as_str().unwrap().to_owned();
    let expected: Vec<_> = expected
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|example| vec![text(&example["contents"][0]), text(&example["contents"][1])])
        .collect();
    let seen = contract::read(&bytes, open, &Options::default()).unwrap();
    let rows = seen.iter().filter_map(|seen| match seen {
        Seen::Row { cells, .. } => Some(cells.clone()),
        _ => None,
    });
    assert_eq!(rows.collect::<Vec<_>>(), expected, "{}", path.display());
    contract::holds(&bytes, open, &Options::default());
}

/// Damage to a text: where, how many bytes are lost, and what stands instead.
pub(crate) type Damage = Vec<(prop::sample::Index, usize, &'static str)>;

/// Some damage, made of what XML is sensitive to.
pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let new = prop::sample::select(vec![
        "",
        "",
        "<",
        ">",
        "/",
        "&",
        "&foo;",
        "'",
        "\"",
        "\n",
        "\r",
        "é",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "</tu>",
        "<tu>",
        "<tuv",
        "</tuv>",
        "</seg>",
        "</unit>",
        "<unit>",
        "</segment>",
        "</trans-unit>",
        "<trans-unit>",
        "</target>",
        "</group>",
        "<group translate='no'>",
        "</file>",
        "<skeleton>",
        "</skeleton>",
        "\0",
        "xml:lang='fr'",
    ]);
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..20, new), 1..5)
}

/// Holds a damaged fixture to the contract.
pub(crate) fn damaged(path: &str, damage: Damage, open: Open<'_>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(path);
    let mut bytes = std::fs::read(path).unwrap();
    for (at, lost, new) in damage {
        let at = at.index(bytes.len());
        let end = (at + lost).min(bytes.len());
        bytes.splice(at..end, new.bytes());
    }
    contract::holds(&bytes, open, &Options::default());
}

/// A file that is fetched and not part of the project; `None` where it is
/// absent, which only CI does not forgive.
pub(crate) fn shared(path: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/parallel")
        .join(path);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("CI").is_none() => {
            #[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
            {
                eprintln!("SKIPPED: {}: {error}", path.display());
            }
            None
        }
        Err(error) => panic!("{}: {error}", path.display()),
    }
}
