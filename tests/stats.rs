//! `prep stats` against numbers that `fixtures/stats/record.py` recorded, and
//! what its outputs keep.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::fs;
use std::path::Path;

use run::Place;
use serde_json::{Value, json};

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/stats")
        .join(name);
    fs::read(path).unwrap()
}

fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let run = place.prep(arguments);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Compares two spreads; a number is told as `scale` of it, and a quantile of
/// more than 32,768 up to 1/64 too small.
#[track_caller]
fn check_spread(name: &str, told: &Value, expected: &Value, scale: f64) {
    assert_eq!(told.is_null(), expected.is_null(), "{name}");
    let Some(expected) = expected.as_object() else {
        return;
    };
    for (member, expected) in expected {
        let exact = expected.as_f64().unwrap();
        let is_count = member == "examples";
        let told = told[member].as_f64().unwrap() * if is_count { 1.0 } else { scale };
        let may_be_less = exact >= 32_768.0 && !["mean", "max", "min"].contains(&&**member);
        let least = if may_be_less {
            exact * 63.0 / 64.0
        } else {
            exact
        };
        let slack = 1e-6 * exact.max(1.0);
        assert!(
            told >= least - slack && told <= exact + slack,
            "{name}.{member}: {told} for {exact}"
        );
    }
}

#[test]
fn numbers_are_those_of_plain_counting() {
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    let place = Place::with("mixed.jsonl", fixture("mixed.jsonl"));
    let told = json_of(
        &place,
        &[
            "stats",
            "mixed.jsonl",
            "--model",
            "gemini-2.5-flash",
            "--format",
            "json",
        ],
    );
    assert_eq!(told["tokenizer"], "gemma3");
    let set = &told["datasets"][0];
    assert_eq!(set["examples"], expected["examples"]);
    assert_eq!(set["tokens"]["total"], expected["tokens"]);
    for (name, spread) in expected["spread"].as_object().unwrap() {
        let scale = if name == "length_ratio" { 1000.0 } else { 1.0 };
        check_spread(name, &set["spread"][name], spread, scale);
    }
    assert_eq!(
        set["spread"].as_object().unwrap().len(),
        expected["spread"].as_object().unwrap().len()
    );
    assert_eq!(set["scripts"], expected["scripts"]);
    for name in [
        "system_instructions",
        "answers",
        "prompt_openings",
        "answer_openings",
    ] {
        let (told, expected) = (&set[name], &expected[name]);
        assert_eq!(told["examples"], expected["examples"], "{name}");
        assert_eq!(told["different"], expected["different"], "{name}");
        let most = told["most_common"].as_array().unwrap().iter().map(|often| {
            json!({"examples": often["examples"], "text": often["text"], "line": often["first"]["line"]})
        });
        assert_eq!(most.collect::<Value>(), expected["most_common"], "{name}");
    }
    assert_eq!(set["duplicates"]["exact"], expected["exact_duplicates"]);
}

/// The keys of all objects, with `[]` for the elements of a list.
fn keys(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{path}.{name}");
                into.push(path.clone());
                keys(value, &path, into);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| keys(item, &format!("{path}[]"), into)),
        _ => {}
    }
}

#[test]
fn json_has_the_shape_that_is_documented() {
    let line = r#"{"contents":[{"role":"user","parts":[{"text":"Where is the late train to the river?"}]},{"role":"model","parts":[{"text":"On platform two, as always."}]}]}"#;
    let place = Place::with("a.jsonl", format!("{line}\n{line}\n[]\n\n"));
    place.write("b.jsonl", format!("{line}\n"));
    let told = json_of(
        &place,
        &[
            "stats",
            "a.jsonl",
            "--validation",
            "b.jsonl",
            "--format",
            "json",
        ],
    );
    assert_eq!(told["schema"], 1);
    assert_eq!(told["exact_below"], 32_768);
    let mut top: Vec<_> = told["datasets"][0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    top.sort();
    let expected = [
        "answer_openings",
        "answers",
        "blank_lines",
        "cost",
        "duplicates",
        "examples",
        "files",
        "findings",
        "histograms",
        "languages",
        "limit",
        "not_examples",
        "preference_examples",
        "prompt_openings",
        "scripts",
        "side",
        "spread",
        "system_instructions",
        "tokens",
    ];
    assert_eq!(top, expected);
    let set = &told["datasets"][0];
    assert_eq!(
        (&set["side"], &told["datasets"][1]["side"]),
        (&json!("train"), &json!("validation"))
    );
    assert_eq!(set["files"][0]["first_not_example"]["line"], 3);
    assert_eq!(
        (&set["blank_lines"], &set["not_examples"]),
        (&json!(1), &json!(1))
    );
    // Both examples are in the validation file.
    assert_eq!(set["findings"]["by_rule"]["D002"], 2);
    let mut all = Vec::new();
    keys(&told, "", &mut all);
    for path in [
        ".datasets[].spread.tokens.p95",
        ".datasets[].histograms.tokens.counts",
        ".datasets[].languages.sampled",
        ".datasets[].languages.prompts[].language",
        ".datasets[].answers.most_common[].first.line",
        ".datasets[].tokens.billed_per_epoch",
        ".datasets[].cost[].per_epoch",
    ] {
        assert!(all.iter().any(|known| known == path), "{path}");
    }
}

#[test]
fn threads_and_pipes_change_nothing() {
    let place = Place::with("mixed.jsonl", fixture("mixed.jsonl"));
    let told = |arguments: &[&str]| place.prep(&[&["stats", "mixed.jsonl"], arguments].concat());
    let one = told(&["--threads", "1", "--html", "one.html"]);
    let four = told(&["--threads", "4", "--html", "four.html", "--memory", "1M"]);
    assert_eq!(one.stdout, four.stdout);
    assert_eq!(place.read("one.html"), place.read("four.html"));
}

#[test]
fn a_page_that_was_edited_is_not_written_over() {
    let place = Place::with("mixed.jsonl", fixture("mixed.jsonl"));
    let page = ["stats", "mixed.jsonl", "-q", "--html", "report.html"];
    assert_eq!(place.prep(&page).status.code(), Some(0));
    assert_eq!(place.prep(&page).status.code(), Some(0));
    let mut edited = place.read("report.html");
    edited.extend_from_slice(b"mine");
    place.write("report.html", &edited);
    let run = place.prep(&page);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr
            .contains("`report.html` is not a page that `prep` wrote"),
        "{}",
        run.stderr
    );
    assert_eq!(place.read("report.html"), edited);
    let run = place.prep(&[&page[..], &["--force"]].concat());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let run = place.prep(&["stats", "mixed.jsonl", "--html", "./mixed.jsonl", "--force"]);
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(place.read("mixed.jsonl"), fixture("mixed.jsonl"));
    assert!(place.partials().is_empty());
}

#[test]
fn a_page_tells_how_its_dataset_came_about() {
    let mut corpus = String::from("source,target\n,\n");
    for n in 0..40 {
        corpus += &format!("Where is the train number {n}00{n}?,On platform {n}.\n");
    }
    corpus += "Where is the train number 3003?,On platform 3.\n";
    let place = Place::with("corpus.csv", corpus);
    let run = |arguments: &[&str]| {
        let run = place.prep(arguments);
        assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    };
    run(&["convert", "corpus.csv"]);
    run(&["dedupe", "train.jsonl"]);
    run(&["split", "deduped.jsonl", "--ratio", "0.9", "--near", "off"]);
    let both = [
        "stats",
        "split/train.jsonl",
        "--validation",
        "split/validation.jsonl",
        "--html",
        "report.html",
    ];
    run(&both);
    let page = String::from_utf8(place.read("report.html")).unwrap();
    for told in [
        ">corpus.csv</text>",
        ">42 · source</text>",
        ">41 · convert</text>",
        ">40 · dedupe</text>",
        ">− S009 1</text>",
        ">− D001 1</text>",
        ">split/validation.jsonl</text>",
        "convert read 42 and wrote 41, 41 of them to train.jsonl; 1 were left out.",
    ] {
        assert!(page.contains(told), "{told}");
    }
    assert_eq!(page.matches("class=\"ribbon\"").count(), 4);
    // What was changed since has no known origin.
    let mut changed = place.read("split/train.jsonl");
    changed.push(b'\n');
    place.write("split/train.jsonl", changed);
    run(&["stats", "split/train.jsonl", "--html", "report.html"]);
    let page = String::from_utf8(place.read("report.html")).unwrap();
    assert!(page.contains("nothing is known of how they came about"));
}
