//! Golden ids: those that Python's `sentencepiece` gives.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use super::*;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const MODELS: [&str; 2] = [
    "gemma3_cleaned_262144_v2.spiece.model",
    "tokenizer_gemma4.model",
];

/// A file of the shared data; `None`, loudly, where that is not at hand.
#[expect(clippy::print_stderr, reason = "a test that is not run must be seen")]
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(ROOT).join("../shared/data/tokenizer").join(name);
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

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    ids
}

/// Holds both vocabularies to lines of texts with their ids, `gemma4` where it
/// is not `gemma3`; a text `repeat`ed so many times has a checksum of its ids.
fn check(lines: &[Value]) {
    let tokenizers = [Tokenizer::gemma3(), Tokenizer::gemma4()];
    let mut counters = tokenizers.map(Tokenizer::counter);
    for line in lines {
        let text = line["text"].as_str().unwrap();
        let text = text.repeat(line["repeat"].as_u64().unwrap_or(1) as usize);
        for (tokenizer, counter) in tokenizers.iter().zip(&mut counters) {
            let found = ids(tokenizer, &text);
            let expected = &line[tokenizer.name()];
            let expected = if expected.is_null() {
                &line["gemma3"]
            } else {
                expected
            };
            if let Some(expected) = expected.as_array() {
                let expected: Vec<_> = expected
                    .iter()
                    .map(|id| id.as_u64().unwrap() as u32)
                    .collect();
                assert_eq!(found, expected, "{} {text:?}", tokenizer.name());
            } else {
                assert_eq!(checksum(&found), expected.as_u64().unwrap(), "{line}");
                assert_eq!(found.len() as u64, line["n"].as_u64().unwrap(), "{line}");
            }
            assert_eq!(counter.count(&text), found.len(), "{text:?}");
        }
    }
}

fn checksum(ids: &[u32]) -> u64 {
    ids.iter()
        .fold(0, |sum, id| (sum * 31 + u64::from(*id)) % 1_000_000_007)
}

#[test]
fn recorded_ids_are_those_of_sentencepiece() {
    let lines = lines(&Path::new(ROOT).join("fixtures/tokens/awkward.jsonl"));
    assert!(lines.len() > 100);
    check(&lines);
}

#[test]
fn golden_ids_are_those_of_sentencepiece() {
    let Some(path) = shared("golden.jsonl") else {
        return;
    };
    let lines = lines(&path);
    assert_eq!(lines.len(), 859);
    check(&lines);
}

/// The models as Google publishes them, read from their files.
pub(super) static FROM_FILES: LazyLock<Option<Vec<Vec<u8>>>> = LazyLock::new(|| {
    let paths: Option<Vec<_>> = MODELS.iter().map(|name| shared(name)).collect();
    paths.map(|paths| {
        paths
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    })
});

#[test]
fn the_embedded_file_is_packed_from_the_models() {
    let Some(models) = &*FROM_FILES else { return };
    let models = [
        ("gemma3", models[0].as_slice()),
        ("gemma4", models[1].as_slice()),
    ];
    let packed = packed::pack(&models).unwrap();
    assert!(
        packed == packed::EMBEDDED,
        "`cargo xtask vocabulary` gives another file"
    );
    let from_file = Tokenizer::from_model("mine", models[1].1).unwrap();
    assert_eq!(from_file.name(), "mine");
    for text in ["<|tool_call>call:f{x:1}<tool_call|>", "día 12\n\n</td>"] {
        assert_eq!(ids(&from_file, text), ids(Tokenizer::gemma4(), text));
        assert!(ids(&from_file, text).len() > 4);
    }
}

#[test]
fn an_estimate_is_near() {
    let Some(path) = shared("golden.jsonl") else {
        return;
    };
    let mut sum = Estimate::default();
    let (mut total, mut n_long, mut n_outside) = (0, 0, 0);
    for line in lines(&path) {
        let text = line["text"].as_str().unwrap();
        let n = line["n"].as_u64().unwrap() as usize;
        let guess = estimate(text);
        assert!(guess.low <= guess.likely && guess.likely <= guess.high);
        assert!(guess.high <= text.len());
        sum += guess;
        total += n;
        if n >= 50 {
            n_long += 1;
            n_outside += usize::from(!(guess.low..=guess.high).contains(&n));
        }
    }
    assert!((sum.low..=sum.high).contains(&total), "{total}: {sum:?}");
    assert!(n_long > 100);
    assert!(n_outside * 20 <= n_long, "{n_outside} of {n_long}");
    assert_eq!(estimate(""), Estimate::default());
}
