//! Real files, and the JSON test suite as files of one record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// A file of the shared data; `None`, loudly, where that is not at hand.
#[expect(clippy::print_stderr, reason = "a test that is not run must be seen")]
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is missing",
        path.display()
    );
    eprintln!("SKIPPED: {} is missing", path.display());
    None
}

/// Reads a file and counts what it gives: examples as `ok`, notes and rejects
/// by their codes. `n_records` is what Python's `json` counts in it.
fn check(name: &str, format: Format, n_records: usize, expected: &[(&str, usize)]) {
    let Some(path) = shared(name) else { return };
    let bytes = std::fs::read(path).unwrap();
    let opened = open(
        Input::from_bytes(name, bytes.clone()).unwrap(),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(opened.format, format, "{name}");
    let seen = contract::read_all(opened).unwrap();
    let mut counts = BTreeMap::new();
    for seen in &seen {
        let name = match seen {
            Seen::Note { code, .. } => format!("note {code}"),
            seen => seen.code().unwrap_or("ok").to_owned(),
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(counts, expected, "{name}");
    let n_seen = seen
        .iter()
        .filter(|seen| !matches!(seen, Seen::Note { .. }))
        .count();
    assert_eq!(n_seen, n_records, "{name}");
    for block_bytes in [777, 65_536] {
        let options = Options {
            block_bytes,
            ..Options::default()
        };
        assert!(
            contract::read(&bytes, &open, &options).unwrap() == seen,
            "{name} in blocks of {block_bytes}"
        );
    }
}

#[test]
fn real_files_are_counted_as_python_counts_them() {
    check(
        "chat/alpaca_zh_demo.json",
        Format::Alpaca,
        1000,
        &[("ok", 1000)],
    );
    check(
        "chat/glaive_toolcall_en_demo.sharegpt.json",
        Format::ShareGpt,
        300,
        &[("ok", 300)],
    );
    check(
        "chat/vicuna-dummy.sharegpt.json",
        Format::ShareGpt,
        500,
        &[("note S027", 500), ("ok", 500)],
    );
    check(
        "chat/bitext-300.input_output.jsonl",
        Format::PromptCompletion,
        300,
        &[("ok", 300)],
    );
    check(
        "chat/self-instruct-seed_tasks.jsonl",
        Format::Alpaca,
        175,
        &[("note S027", 175), ("ok", 175)],
    );
    // Three have a system turn and an answer, but no user turn.
    check(
        "chat/toy_chat_fine_tuning.openai.jsonl",
        Format::OpenAi,
        10,
        &[("S022", 3), ("ok", 7)],
    );
    // Every message has a `loss_weight`.
    check(
        "chat/v1_sft_demo.jsonl",
        Format::OpenAi,
        500,
        &[("note S027", 500), ("ok", 500)],
    );
}

#[test]
fn the_suite_gives_a_record_a_reject_or_an_error() {
    let Some(folder) = shared("nasty/JSONTestSuite") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for options in [
            options(Format::OpenAi),
            Options {
                json_as_table: true,
                ..Options::default()
            },
        ] {
            // An error is an answer too; an array without elements has none.
            let Ok(seen) = contract::read(&bytes, &open, &options) else {
                continue;
            };
            let is_empty = bytes
                .iter()
                .all(|byte| byte.is_ascii_whitespace() || b"[]".contains(byte));
            assert!(!seen.is_empty() || is_empty, "{} is lost", path.display());
        }
        contract::holds(&bytes, &open, &options(Format::OpenAi));
    }
}
