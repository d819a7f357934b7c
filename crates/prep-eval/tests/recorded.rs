//! Scores, signatures, tokens and comparisons that sacreBLEU 2.6, `rouge-score`
//! and the script of SQuAD gave, recorded by `cargo xtask oracle-eval`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oracle;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use oracle::{assert_close, assert_score, measure, metric, tokenizer};
use prep_eval::{Segments, compare};
use serde_json::Value;

fn lines(name: &str) -> Vec<Value> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/eval");
    let text = fs::read_to_string(fixtures.join(name)).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!lines.is_empty());
    lines
}

fn texts() -> BTreeMap<String, Value> {
    let by_name = |corpus: Value| (corpus["name"].as_str().unwrap().to_owned(), corpus);
    lines("texts.jsonl").into_iter().map(by_name).collect()
}

fn segments(texts: &BTreeMap<String, Value>, line: &Value, system: &str) -> Segments {
    let corpus = &texts[line["texts"].as_str().unwrap()];
    let metric = metric(line["metric"].as_str().unwrap(), &line["options"]);
    measure(&metric, &corpus[system], &corpus["references"])
}

fn name(line: &Value) -> String {
    format!(
        "{} on {} {}, {}",
        line["metric"], line["texts"], line["system"], line["options"]
    )
}

#[test]
fn scores_and_signatures_are_those_recorded() {
    let texts = texts();
    for line in lines("scores.jsonl") {
        let segments = segments(&texts, &line, line["system"].as_str().unwrap());
        assert_score(&segments, &line, &name(&line));
    }
}

#[test]
fn tokens_are_those_recorded() {
    for line in lines("tokens.jsonl") {
        let tokenizer = tokenizer(line["tokenizer"].as_str().unwrap());
        let expected: Vec<_> = line["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token.as_str().unwrap())
            .collect();
        let text = line["text"].as_str().unwrap();
        assert_eq!(
            tokenizer.tokenize(text),
            expected.join(" "),
            "{} of {text:?}",
            tokenizer.name()
        );
    }
}

#[test]
fn confidence_is_that_recorded() {
    let texts = texts();
    for line in lines("confidence.jsonl") {
        let segments = segments(&texts, &line, "base");
        let n_samples = line["n_bootstrap"].as_u64().unwrap() as usize;
        let seed = line["seed"].as_u64().unwrap();
        let (estimate, signature) = compare::confidence(&segments, n_samples, seed).unwrap();
        let resampled = estimate.resampled.unwrap();
        let printed = format!(
            "{:.6} (μ = {:.6} ± {:.6})",
            estimate.score, resampled.mean, resampled.margin
        );
        assert_eq!(
            printed,
            line["printed"].as_str().unwrap(),
            "{}",
            name(&line)
        );
        assert_eq!(signature.to_string(), line["signature"].as_str().unwrap());
    }
}

#[test]
fn comparisons_are_those_recorded() {
    let texts = texts();
    for line in lines("comparisons.jsonl") {
        let [base, tuned] = ["base", "tuned"].map(|system| segments(&texts, &line, system));
        let n_samples = line["n_samples"].as_u64().unwrap() as usize;
        let n_confidence = line["n_confidence"].as_u64().map(|n| n as usize);
        let seed = line["seed"].as_u64().unwrap();
        let comparison = match line["test"].as_str().unwrap() {
            "bs" => compare::bootstrap(&base, &tuned, n_samples, seed),
            _ => compare::randomization(&base, &tuned, n_samples, n_confidence, seed),
        }
        .unwrap();
        let what = format!("{} of {}", line["test"], name(&line));
        assert_eq!(
            comparison.signature.to_string(),
            line["signature"].as_str().unwrap(),
            "{what}"
        );
        assert_eq!(
            format!("{:#}", comparison.signature),
            line["short"].as_str().unwrap(),
            "{what}"
        );
        assert_close(comparison.p_value, &line["p_value"], &what);
        for (estimate, expected) in [
            (comparison.base, &line["base"]),
            (comparison.tuned, &line["tuned"]),
        ] {
            assert_close(estimate.score, &expected[0], &what);
            match estimate.resampled {
                Some(resampled) => {
                    assert_close(resampled.mean, &expected[1], &what);
                    assert_close(resampled.margin, &expected[2], &what);
                }
                None => assert!(expected[1].is_null() && expected[2].is_null(), "{what}"),
            }
        }
    }
}
