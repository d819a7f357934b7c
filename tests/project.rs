//! `prep run`: nothing is done twice, nothing stale is used, and a run that was
//! killed goes on to the same bytes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use run::{Place, Run};
use serde_json::Value;

const SETTINGS: &str = "\
sources:
  - path: corpus.csv
    system: 'Be kind.'
  - path: more.csv
  - path: open.csv
    weight: 0.25
fix: safe
dedupe: {near: 0.9}
split: {ratio: 0.8, near: off}
gates: {max_rejected: 0.1, min_examples: 10}
tuning: {model: gemini-3.1-flash-lite, epochs: 2}
";

fn rows(name: &str, range: std::ops::Range<u64>) -> String {
    let row = |n: u64| {
        let word = |k: u64| format!("{:x} ", (n + 1) * (k * 7919 + 104_729) % 1_000_003);
        let prompt: String = (0..9).map(word).collect();
        format!("{name} {prompt},\"what {name} says to number {n}, at some length\"\n")
    };
    "source,target\n".to_owned() + &range.map(row).collect::<String>()
}

fn project(n: u64) -> Place {
    let place = Place::new();
    place.write("corpus.csv", rows("corpus", 0..n));
    place.write("more.csv", rows("more", 0..n / 2));
    place.write("open.csv", rows("open", 0..n));
    place.write("prep.yaml", SETTINGS);
    place
}

fn run(place: &Place, flags: &[&str]) -> Run {
    let run = place.prep(&[&["run", "--summary", "summary.json"], flags].concat());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    run
}

/// The steps that were taken, of all that were planned.
fn taken(run: &Run) -> Vec<&str> {
    let steps = run.stderr.lines().filter(|line| line.contains(": prep "));
    steps.map(|line| line.split(": ").next().unwrap()).collect()
}

/// Everything that a run made, but for what says which steps were done.
fn made(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let mut made = BTreeMap::new();
    for directory in ["build", "split"] {
        for entry in fs::read_dir(place.path(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!name.starts_with('.'), "left behind: {name}");
            made.insert(format!("{directory}/{name}"), fs::read(&path).unwrap());
        }
    }
    made.insert("DATASET.md".into(), place.read("DATASET.md"));
    made
}

const ALL: [&str; 10] = [
    "convert corpus",
    "convert more",
    "convert open",
    "dedupe",
    "fix",
    "split",
    "mix",
    "validate",
    "cost",
    "stats",
];

#[test]
fn only_what_depends_on_a_change_is_done_again() {
    let place = project(60);
    assert_eq!(taken(&run(&place, &[])), ALL);
    let first = made(&place);
    assert_eq!(taken(&run(&place, &[])), [""; 0]);
    assert!(made(&place) == first);

    // Another row of a source that is only blended in.
    place.write("open.csv", rows("open", 1..61));
    let again = run(&place, &[]);
    assert_eq!(
        taken(&again),
        ["convert open", "mix", "validate", "cost", "stats"]
    );
    place.write("open.csv", rows("open", 0..60));
    run(&place, &[]);
    assert!(made(&place) == first, "back to what it was");

    // A row that is a duplicate changes what is read, but not what comes of it.
    let corpus = rows("corpus", 0..60);
    let twice = corpus.lines().nth(5).unwrap();
    place.write("corpus.csv", format!("{corpus}{twice}\n"));
    let again = run(&place, &[]);
    assert_eq!(taken(&again)[..2], ["convert corpus", "dedupe"]);
    assert!(!taken(&again).contains(&"convert more"));

    // A file of ours that was edited is made anew, and so is one that is gone.
    place.write("corpus.csv", corpus);
    run(&place, &[]);
    fs::remove_file(place.path("split/validation.jsonl")).unwrap();
    let again = run(&place, &[]);
    assert_eq!(taken(&again), ["split"]);
    assert!(made(&place) == first);
    place.write("build/more.jsonl", "{}\n");
    let refused = place.prep(&["run"]);
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    let again = run(&place, &["--force"]);
    assert_eq!(taken(&again), ["convert more"]);
    assert!(made(&place) == first);

    // Settings of one step.
    place.write("prep.yaml", SETTINGS.replace("ratio: 0.8", "ratio: 0.7"));
    let again = run(&place, &[]);
    assert_eq!(taken(&again), ["split", "mix", "validate", "cost", "stats"]);
    let plan = place.prep(&["run", "--dry-run"]);
    assert!(!plan.stderr.contains("error"), "{}", plan.stderr);
}

#[test]
fn the_account_adds_up_from_sources_to_sides() {
    let place = project(60);
    let corpus = rows("corpus", 0..60) + "no answer,\n" + "\"a b c\",d\n\"a b c\",d\n";
    place.write("corpus.csv", corpus);
    run(&place, &[]);
    let summary: Value = serde_json::from_slice(&place.read("summary.json")).unwrap();
    let account = &summary["account"];
    let sum = |name: &str| -> u64 {
        let codes = account[name].as_object().unwrap().values();
        codes.map(|n| n.as_u64().unwrap()).sum()
    };
    let number = |name: &str| account[name].as_u64().unwrap();
    assert_eq!(number("read"), 63 + 30 + 60);
    assert_eq!(number("read"), number("in_examples") + sum("rejected"));
    assert_eq!(number("examples"), sum("sides") + sum("dropped"));
    assert_eq!(account["rejected"]["S009"], 1);
    assert_eq!(account["dropped"]["D001"], 1);
    let lines = |name: &str| {
        place
            .read(name)
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count() as u64
    };
    assert_eq!(account["sides"]["train"], lines("build/train.jsonl"));
    assert_eq!(
        account["sides"]["validation"],
        lines("split/validation.jsonl")
    );
    // A quarter of training is blended in.
    let train = String::from_utf8(place.read("build/train.jsonl")).unwrap();
    let blended = train
        .lines()
        .filter(|line| line.contains("\"open "))
        .count();
    assert!((4 * blended).abs_diff(train.lines().count()) <= 4);
}

#[test]
fn a_signature_tells_another_dataset() {
    let place = project(60);
    run(&place, &[]);
    let mut signed = place.command(&["run", "-q"]);
    let signature = String::from_utf8(signed.output().unwrap().stdout).unwrap();
    let signature = signature.lines().last().unwrap().to_owned();
    assert!(signature.starts_with("prep:"), "{signature}");
    let record: Value = serde_json::from_slice(&place.read("build/run.json")).unwrap();
    assert_eq!(record["signature"], signature.as_str());
    let verify = || {
        let mut verify = place.command(&["verify", &signature]);
        let output = verify.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), told)
    };
    assert_eq!(verify(), (Some(0), "it is the same dataset\n".into()));
    let train = place.read("build/train.jsonl");
    let edited = String::from_utf8(train.clone()).unwrap();
    place.write("build/train.jsonl", edited.replacen("says", "said", 1));
    let (status, told) = verify();
    assert_eq!(status, Some(1));
    assert!(told.starts_with("split: the sides differ"), "{told}");
    place.write("build/train.jsonl", train);
    place.write("corpus.csv", rows("corpus", 1..61));
    let (status, told) = verify();
    assert_eq!(status, Some(1));
    assert!(told.starts_with("in: the sources"), "{told}");
    assert!(place.prep(&["verify", "prep:1"]).status.code() == Some(2));
}

#[test]
fn gates_stop_a_run() {
    let place = project(40);
    place.write("corpus.csv", rows("corpus", 0..10) + &"x,\n".repeat(12));
    let stopped = place.prep(&["run"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(
        stopped.stderr.contains("`max_rejected` is 10.0 %"),
        "{}",
        stopped.stderr
    );
    assert!(!place.has("split"));
    place.write(
        "prep.yaml",
        SETTINGS
            .replace("max_rejected: 0.1, ", "")
            .replace("min_examples: 10", "min_examples: 1000"),
    );
    let stopped = place.prep(&["run"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(
        stopped.stderr.contains("`min_examples` is 1,000"),
        "{}",
        stopped.stderr
    );
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let place = project(1500);
    let started = Instant::now();
    run(&place, &[]);
    let duration = started.elapsed();
    let whole = made(&place);
    for part in [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97] {
        fs::remove_dir_all(place.path("build")).unwrap();
        fs::remove_dir_all(place.path("split")).unwrap();
        let mut started = place.start(&["run", "-q"]);
        std::thread::sleep(duration.mul_f64(part));
        started.child.kill().unwrap();
        started.wait();
        run(&place, &[]);
        let now = made(&place);
        let names = |made: &BTreeMap<String, Vec<u8>>| made.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&now), names(&whole), "killed at {part}");
        assert!(now == whole, "killed at {part}");
    }
}

#[test]
fn the_schema_names_what_is_read() {
    let place = Place::new();
    let output = place.command(&["schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    place.write("corpus.csv", "a,b\nc,d\n");
    // Each name that editors offer is one that is read: none is refused as not
    // known, whatever is said of the value.
    let check = |name: &str, text: &str| {
        place.write("prep.yaml", text);
        let run = place.prep(&["run", "--dry-run"]);
        assert!(
            !run.stderr.contains("unknown field"),
            "{name}: {}",
            run.stderr
        );
    };
    let names = |value: &Value| -> Vec<String> {
        let names = value["properties"].as_object().unwrap().keys();
        names.cloned().collect()
    };
    for name in names(&schema) {
        check(&name, &format!("{name}: 1\n"));
    }
    let section = &schema["$defs"]["TuningSettings"];
    for name in names(section) {
        check(&name, &format!("tuning:\n  {name}: 1\n"));
    }
    assert!(names(section).contains(&"source_model_name".to_owned()));
    let unknown = "validate:\n  modle: x\n";
    place.write("prep.yaml", unknown);
    let run = place.prep(&["run"]);
    assert!(
        run.stderr.contains("nearest known key is `model`"),
        "{}",
        run.stderr
    );
    assert!(Path::new(&place.path("prep.yaml")).exists());
}

#[test]
fn init_never_writes_over_a_file() {
    let place = Place::new();
    place.write("corpus.csv", "source,target\nHello,Hola\nBye,Adiós\n");
    place.write("a.en", "One\nTwo\n");
    place.write("a.es", "Uno\nDos\n");
    place.write("notes.md", "no source");
    let prediction = r#"{"input":[],"reference":"Hola","prediction":"Hola","finishReason":"STOP"}"#;
    place.write("predictions.jsonl", format!("{prediction}\n"));
    let run = place.prep(&["init"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let text = String::from_utf8(place.read("prep.yaml")).unwrap();
    assert!(text.contains("- path: [a.en, a.es]"), "{text}");
    assert!(text.contains("- path: corpus.csv"), "{text}");
    assert!(!text.contains("notes.md"), "{text}");
    assert!(!text.contains("predictions.jsonl"), "{text}");
    let again = place.prep(&["init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    assert_eq!(place.read("prep.yaml"), text.as_bytes());
    // What it wrote is a project, comments and all.
    let plan = place.prep(&["run", "--dry-run"]);
    assert_eq!(plan.status.code(), Some(0), "{}", plan.stderr);
}

#[test]
#[cfg(feature = "cloud")]
fn a_rehearsed_run_goes_to_the_scores_and_is_not_done_twice() {
    let place = project(60);
    let first = run(&place, &["--rehearse"]);
    let tuned = ["submit", "predict tuned", "predict base", "eval"];
    assert_eq!(taken(&first), [&ALL[..], &tuned[..]].concat());
    assert!(
        first.stderr.contains("nothing leaves this machine"),
        "{}",
        first.stderr
    );
    // Scores of what was played are not taken for those of a model.
    let played = "played in a rehearsal: no model said this";
    let told = String::from_utf8_lossy(&first.stdout);
    assert_eq!(told.matches(played).count(), 2, "{told}");
    let n_held = place.read("split/validation.jsonl");
    let n_held = n_held.iter().filter(|&&byte| byte == b'\n').count();
    for name in ["build/tuned.jsonl", "build/base.jsonl"] {
        assert_eq!(run::lines_of(&place.read(name)).len(), n_held, "{name}");
    }
    let scored = place.prep(&["eval", "build/tuned.jsonl", "--format", "json"]);
    let scored: serde_json::Value = serde_json::from_slice(&scored.stdout).unwrap();
    assert_eq!(scored["rehearsal"], true);
    assert_eq!(taken(&run(&place, &["--rehearse"])), [""; 0]);
    // A gate that is not met says no.
    place.write(
        "prep.yaml",
        SETTINGS.replace("gates: {", "gates: {fail_under: {chrf: 99.9}, "),
    );
    let stopped = place.prep(&["run", "--rehearse"]);
    assert_eq!(stopped.status.code(), Some(1), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("`eval` says no"),
        "{}",
        stopped.stderr
    );
}
