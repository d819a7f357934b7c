//! The fixtures: each input with what it gives in `.expected.txt` beside it,
//! examples as they are written, notes and rejects by code and place.

use std::path::Path;

use super::*;

/// Reads an input and compares; with `UPDATE_FIXTURES` set it writes what it
/// found, to be read before it is committed.
fn check(name: &str, format: Format) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name);
    let bytes = std::fs::read(&path).unwrap();
    let opened = open(
        Input::from_bytes(name, bytes.clone()).unwrap(),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(opened.format, format, "{name}");
    let seen = contract::read_all(opened).unwrap();
    let found: String = seen.iter().map(|seen| written(seen) + "\n").collect();
    let expected = path.with_extension("expected.txt");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&expected, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(expected).unwrap(), "{name}");
    contract::holds(&bytes, &open, &Options::default());
}

#[test]
fn fixtures_give_what_stands_beside_them() {
    check("openai/support.jsonl", Format::OpenAi);
    check("openai/gemini-1.0.jsonl", Format::OpenAi);
    check("sharegpt/inn.json", Format::ShareGpt);
    check("alpaca/tasks.json", Format::Alpaca);
    check("prompt-completion/palm.jsonl", Format::PromptCompletion);
    check("gemini/mixed.jsonl", Format::Gemini);
}
