//! `prep eval` gives the scores, signatures and p-values that sacreBLEU gave,
//! as they are recorded in `fixtures/eval`.
//!
//! The texts go in as JSONL, hypotheses as predictions and references as
//! examples, since some have line ends inside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::collections::BTreeMap;
use std::path::Path;

use run::{Place, Run, lines_of};
use serde_json::{Value, json};

/// Texts of two systems and their references, as files.
struct Corpus {
    place: Place,
    references: Vec<String>,
}

impl Corpus {
    /// Writes a corpus; `None` if a segment lacks a reference that others have,
    /// which files cannot say.
    fn write(texts: &Value) -> Option<Self> {
        let place = Place::new();
        let list = |value: &Value| value.as_array().unwrap().clone();
        for system in ["base", "tuned"] {
            let lines = list(&texts[system]).into_iter().map(|text| {
                json!({"input": {}, "prediction": text, "finishReason": "STOP"}).to_string() + "\n"
            });
            place.write(&format!("{system}.jsonl"), lines.collect::<String>());
        }
        let mut references = Vec::new();
        for (n, stream) in list(&texts["references"]).iter().enumerate() {
            let mut lines = String::new();
            for text in list(stream) {
                let turn =
                    |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
                let turns = [turn("user", "?"), turn("model", text.as_str()?)];
                lines += &json!({"contents": turns}).to_string();
                lines.push('\n');
            }
            let name = format!("references.{n}.jsonl");
            place.write(&name, lines);
            references.push(name);
        }
        Some(Self { place, references })
    }

    /// Runs the command on these references; all is well.
    fn eval(&self, arguments: &[&str], more: &[String]) -> Run {
        let mut words = vec!["eval"];
        words.extend(arguments);
        words.extend(more.iter().map(String::as_str));
        for name in &self.references {
            words.extend(["--reference", name]);
        }
        let run = self.place.prep(&words);
        assert_eq!(run.status.code(), Some(0), "{words:?}: {}", run.stderr);
        run
    }
}

fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/eval");
    lines_of(&std::fs::read(path.join(name)).unwrap())
}

fn corpora() -> BTreeMap<String, Corpus> {
    let texts = recorded("texts.jsonl").into_iter();
    let corpora = texts.filter_map(|texts| {
        let name = texts["name"].as_str().unwrap().to_owned();
        Some((name, Corpus::write(&texts)?))
    });
    corpora.collect()
}

/// The flags for what sacreBLEU's constructor was given; `None` for what the
/// command does not have.
fn flags(line: &Value) -> Option<Vec<String>> {
    let metric = line["metric"].as_str().unwrap();
    let name = match metric {
        "exact-match" if line["options"]["normalization"] == "space" => "exact",
        "exact-match" => return None,
        other => other,
    };
    let mut flags = vec!["--metric".to_owned(), name.to_owned()];
    if metric == "bleu" && line["options"]["tokenize"].is_null() {
        // The command would look at the references.
        flags.extend(["--tokenize", "13a"].map(str::to_owned));
    }
    for (option, value) in line["options"].as_object().unwrap() {
        let flag = match (metric, option.as_str()) {
            (_, "max_ngram_order") => return None,
            (_, "normalization") => continue,
            ("bleu", option) => option.replace('_', "-"),
            (metric, option) => format!("{metric}-{}", option.replace('_', "-")),
        };
        match value {
            Value::Bool(false) => {}
            Value::Bool(true) => flags.push(format!("--{flag}")),
            Value::String(text) => flags.push(format!("--{flag}={text}")),
            value => flags.push(format!("--{flag}={value}")),
        }
    }
    Some(flags)
}

#[track_caller]
fn assert_close(found: &Value, expected: &Value, what: &str) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{what}: found {found}, sacreBLEU has {expected}"
    );
}

#[test]
fn scores_and_signatures_are_those_of_sacrebleu() {
    let corpora = corpora();
    let mut n_compared = 0;
    for line in recorded("scores.jsonl") {
        let corpus = corpora.get(line["texts"].as_str().unwrap());
        let (Some(corpus), Some(flags)) = (corpus, flags(&line)) else {
            continue;
        };
        // TER looks at the references too, unless a flag of it is given.
        if line["metric"] == "ter" && flags.len() == 2 && line["texts"] != "english" {
            continue;
        }
        let what = format!("{} of {} {flags:?}", line["texts"], line["system"]);
        let file = format!("{}.jsonl", line["system"].as_str().unwrap());
        let run = corpus.eval(&[&file, "--format", "json"], &flags);
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        let metric = &report["metrics"][0];
        assert_close(&metric["score"], &line["score"], &what);
        if line["printed"].is_string() {
            assert_eq!(metric["signature"], line["signature"], "{what}");
        }
        n_compared += 1;
    }
    assert!(n_compared > 50, "only {n_compared} were compared");
}

#[test]
fn lines_are_those_that_sacrebleu_prints() {
    let corpora = corpora();
    let english = &corpora["english"];
    for line in recorded("scores.jsonl") {
        let is_default = line["options"].as_object().unwrap().is_empty();
        let Some(printed) = line["printed"].as_str().filter(|_| is_default) else {
            continue;
        };
        if line["texts"] != "english" || line["system"] != "base" {
            continue;
        }
        let run = english.eval(&["base.jsonl"], &flags(&line).unwrap());
        let report = String::from_utf8(run.stdout).unwrap();
        assert_eq!(report.lines().nth(1), Some(printed));
    }
}

#[test]
fn comparisons_are_those_of_sacrebleu() {
    let corpora = corpora();
    let mut n_compared = 0;
    for line in recorded("comparisons.jsonl") {
        let corpus = corpora.get(line["texts"].as_str().unwrap());
        let (Some(corpus), Some(mut flags)) = (corpus, flags(&line)) else {
            continue;
        };
        if line["metric"] == "ter" && flags.len() == 2 && line["texts"] != "english" {
            continue;
        }
        let is_bootstrap = line["test"] == "bs";
        let test = if is_bootstrap {
            "bootstrap"
        } else {
            "randomization"
        };
        flags.push(format!("--test={test}"));
        flags.push(format!("--samples={}", line["n_samples"]));
        flags.push(format!("--seed={}", line["seed"]));
        let what = format!("{} {flags:?}", line["texts"]);
        let arguments = ["--format", "json", "--compare", "base.jsonl", "tuned.jsonl"];
        let run = corpus.eval(&arguments, &flags);
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        let found = &report["compare"]["metrics"][0];
        assert_close(&found["p_value"], &line["p_value"], &what);
        for side in ["base", "tuned"] {
            assert_close(&found[side], &line[side][0], &what);
            if is_bootstrap {
                let resampled = &found[format!("{side}_confidence")];
                assert_close(&resampled["mean"], &line[side][1], &what);
                assert_close(&resampled["margin"], &line[side][2], &what);
            }
        }
        if is_bootstrap {
            assert_eq!(found["signature"], line["signature"], "{what}");
        }
        n_compared += 1;
    }
    assert!(n_compared >= 4, "only {n_compared} were compared");
}

#[test]
fn reports_do_not_depend_on_the_number_of_threads() {
    let corpora = corpora();
    let english = &corpora["english"];
    let report = |threads: &str| {
        let arguments = [
            "--threads",
            threads,
            "--compare",
            "base.jsonl",
            "tuned.jsonl",
        ];
        let more = ["--show=3", "--by=length", "--samples=50"].map(str::to_owned);
        english.eval(&arguments, &more).stdout
    };
    assert_eq!(report("1"), report("3"));
}

#[test]
fn texts_beyond_the_memory_are_refused() {
    let place = Place::with("hypotheses.txt", "one\n".repeat(1000));
    place.write("references.txt", "one\n".repeat(1000));
    let arguments = ["eval", "hypotheses.txt", "--reference", "references.txt"];
    let run = place.prep(&[&arguments[..], &["--memory", "6K"]].concat());
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("`references.txt`"), "{}", run.stderr);
    assert_eq!(place.prep(&arguments).status.code(), Some(0));
}
