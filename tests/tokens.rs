//! `prep tokens` and `prep cost` against what Google's own SDK counts, as
//! `fixtures/tokens/record_examples.py` recorded it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::fs;
use std::path::Path;

use run::{Place, shared};
use serde_json::Value;

const ROLES: [&str; 4] = ["system", "tools", "user", "model"];

/// The recorded examples with the counts of each.
fn recorded() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tokens/examples.jsonl");
    let recorded: Vec<Value> = fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(recorded.len() >= 7);
    recorded
}

/// A directory with the examples as a dataset, each as many times as asked.
fn dataset(recorded: &[Value], times: usize) -> Place {
    let place = Place::new();
    let lines: String = recorded
        .iter()
        .map(|line| format!("{}\n", line["example"]))
        .collect();
    place.write("train.jsonl", lines.repeat(times).as_bytes());
    place
}

fn count_of(recorded: &Value, role: &str, vocabulary: &str) -> u64 {
    recorded["counts"][role][vocabulary].as_u64().unwrap()
}

fn total_of(recorded: &Value, vocabulary: &str) -> u64 {
    let counts = ROLES.map(|role| count_of(recorded, role, vocabulary));
    counts.into_iter().sum()
}

fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let run = place.prep(arguments);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Counts the examples and compares all sums with what the SDK counts.
#[track_caller]
fn check(flags: &[&str], vocabulary: &str, tokenizer: &str) {
    let recorded = recorded();
    let place = dataset(&recorded, 1);
    let counted = json_of(
        &place,
        &[&["tokens", "train.jsonl", "--format", "json"], flags].concat(),
    );
    assert_eq!(counted["tokenizer"], tokenizer);
    for role in ROLES {
        let expected: u64 = recorded
            .iter()
            .map(|line| count_of(line, role, vocabulary))
            .sum();
        assert_eq!(counted["by_role"][role], expected, "{role}");
    }
    let totals: Vec<_> = recorded
        .iter()
        .map(|line| total_of(line, vocabulary))
        .collect();
    let file = &counted["files"][0];
    assert_eq!(counted["total"], totals.iter().sum::<u64>());
    assert_eq!(file["total"], counted["total"]);
    assert_eq!(file["examples"], recorded.len());
    let max = *totals.iter().max().unwrap();
    let line = totals.iter().position(|total| *total == max).unwrap() + 1;
    assert_eq!(
        (&file["max"], &file["max_line"]),
        (&max.into(), &line.into())
    );
}

#[test]
fn totals_are_those_of_the_sdk() {
    check(&["--model", "gemini-2.5-flash"], "gemma3", "gemma3");
    check(&["--model", "gemini-3.5-flash"], "gemma4", "gemma4");
    check(&[], "gemma4", "gemma4");
}

#[test]
fn a_vocabulary_in_a_file_counts_as_the_one_that_is_built_in() {
    let Some(folder) = shared("tokenizer") else {
        return;
    };
    let path = folder.join("gemma3_cleaned_262144_v2.spiece.model");
    let path = path.to_str().unwrap();
    let flags = ["--model", "gemini-3.5-flash", "--tokenizer", path];
    check(&flags, "gemma3", "gemma3_cleaned_262144_v2.spiece.model");
}

#[test]
fn a_cost_is_tokens_by_epochs_by_price() {
    let recorded = recorded();
    let place = dataset(&recorded, 200);
    let priced = json_of(
        &place,
        &["cost", "train.jsonl", "--epochs", "3", "--format", "json"],
    );
    let models = priced["models"].as_array().unwrap();
    assert!(models.len() >= 3);
    for model in models {
        let vocabulary = model["tokenizer"].as_str().unwrap();
        let totals = recorded.iter().map(|line| total_of(line, vocabulary));
        let tokens = 200 * totals.sum::<u64>();
        assert_eq!(model["tokens_per_epoch"], tokens);
        let price = model["price"]["training"].as_f64().unwrap();
        let cost = model["costs"][0]["cost"].as_f64().unwrap();
        let expected = tokens as f64 * 3.0 * price / 1e6;
        assert!((cost - expected).abs() < 1e-9, "{model}");
    }
}

#[test]
fn threads_do_not_matter() {
    let place = dataset(&recorded(), 600);
    let print = |threads: &str| {
        let arguments = ["tokens", "train.jsonl", "--threads", threads];
        String::from_utf8(place.prep(&arguments).stdout).unwrap()
    };
    let one = print("1");
    assert!(one.contains("train.jsonl"), "{one}");
    assert_eq!(one, print("3"));
}
