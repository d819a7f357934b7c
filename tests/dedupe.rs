//! `prep dedupe` on real text, held to brute force; and what it leaves behind
//! when it is killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use run::alike::{Sets, plain};
use run::killed::kill_and_repeat;
use run::{Place, lines_of, shared, text};
use serde_json::Value;

const NEAR: f64 = 0.8;

/// Real prompts: what to convert, its flags, and how many lines of it.
const REAL: &[(&str, &[&str], usize)] = &[
    (
        "chat/banking77.test.csv",
        &["--src-column", "text", "--tgt-column", "category"],
        1500,
    ),
    ("chat/vicuna-dummy.sharegpt.json", &[], 300),
    ("chat/bitext-300.input_output.jsonl", &[], 300),
    ("parallel/tsv/tatoeba-anki.eng-cmn.tsv", &[], 1500),
];

/// All pairs at the threshold, every one compared whose sizes allow it. The
/// shorter text says how long the stretches are.
fn brute_force(texts: &[Vec<char>]) -> Vec<(usize, usize)> {
    let sets: Vec<_> = texts.iter().map(|text| Sets::of(text)).collect();
    let mut pairs = Vec::new();
    for n in 0..texts.len() {
        for m in n + 1..texts.len() {
            if sets[n].are_alike(&sets[m], NEAR) {
                pairs.push((n, m));
            }
        }
    }
    pairs
}

/// What belongs together, by linking pairs.
struct Linked(Vec<usize>);

impl Linked {
    fn new(n: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut this = Self((0..n).collect());
        for (one, other) in pairs {
            let (one, other) = (this.root(one), this.root(other));
            this.0[one.max(other)] = one.min(other);
        }
        this
    }

    fn root(&self, n: usize) -> usize {
        if self.0[n] == n {
            n
        } else {
            self.root(self.0[n])
        }
    }
}

/// The pairs of one that is kept and one that goes for it, lines from 0.
fn merged(clusters: &[Value]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for cluster in clusters
        .iter()
        .filter(|cluster| cluster["kind"] != "conflict")
    {
        let kept = cluster["kept"].as_u64().unwrap() as usize - 1;
        for dropped in cluster["dropped"].as_array().unwrap() {
            pairs.push((kept, dropped.as_u64().unwrap() as usize - 1));
        }
    }
    pairs
}

#[test]
fn near_duplicates_are_those_of_brute_force() {
    let Some(data) = shared("") else { return };
    let (mut n_true, mut n_found, mut n_merged, mut n_right) = (0, 0, 0, 0);
    for (name, flags, n_lines) in REAL {
        let place = Place::new();
        let input = data.join(name);
        place.convert(&[&[input.to_str().unwrap()], *flags].concat());
        let lines = String::from_utf8(place.read("train.jsonl")).unwrap();
        let lines: String = lines.split_inclusive('\n').take(*n_lines).collect();
        place.write("in.jsonl", &lines);
        let near = [
            "--by",
            "user",
            "--near",
            "0.8",
            "--clusters",
            "clusters.jsonl",
        ];
        let run = place.prep(&[&["dedupe", "in.jsonl"], &near[..]].concat());
        assert_eq!(run.status.code(), Some(0), "{}", run.stderr);

        let examples = lines_of(lines.as_bytes());
        let prompt = |example: &Value| {
            let turns = example["contents"].as_array().unwrap().len() - 1;
            let texts: Vec<_> = (0..turns).map(|turn| text(example, turn)).collect();
            plain(&texts.join(" "))
        };
        let texts: Vec<_> = examples.iter().map(prompt).collect();
        let pairs = brute_force(&texts);
        let clusters = lines_of(&place.read("clusters.jsonl"));
        let merged = merged(&clusters);
        let found = Linked::new(texts.len(), merged.iter().copied());
        let truth = Linked::new(texts.len(), pairs.iter().copied());
        let is_found = |(one, other): &&(usize, usize)| found.root(*one) == found.root(*other);
        let is_right = |(one, other): &&(usize, usize)| truth.root(*one) == truth.root(*other);
        n_true += pairs.len();
        n_found += pairs.iter().filter(is_found).count();
        n_merged += merged.len();
        n_right += merged.iter().filter(is_right).count();
    }
    assert!(n_true > 500, "{n_true} pairs prove little");
    let (recall, precision) = (
        n_found as f64 / n_true as f64,
        n_right as f64 / n_merged as f64,
    );
    assert!(recall >= 0.97, "{n_found} of {n_true}");
    assert!(precision >= 0.995, "{n_right} of {n_merged}");
}

#[test]
fn stamps_go_from_dataset_to_dataset() {
    let place = Place::with("in.csv", "source,target\na,b\nc,d\na,b\ne,f\n");
    place.convert(&["in.csv"]);
    let run = place.prep(&["dedupe", "train.jsonl", "-o", "out.jsonl"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let trace = place.prep(&["trace", "out.jsonl:3", "--format", "json"]);
    let trace: Value = serde_json::from_slice(&trace.stdout).unwrap();
    assert_eq!(trace["origin"]["source"], "in.csv");
    assert_eq!(
        (&trace["origin"]["line"], &trace["raw"]),
        (&5.into(), &"e,f".into())
    );
    assert_eq!(
        trace["steps"],
        serde_json::json!(["prep convert", "prep dedupe"])
    );

    // What has no passport, or was changed, comes from the dataset itself.
    let edited = String::from_utf8(place.read("out.jsonl"))
        .unwrap()
        .replace("\"c\"", "\"x\"");
    place.write("edited.jsonl", edited);
    place.prep(&["dedupe", "edited.jsonl", "-o", "again.jsonl"]);
    let trace = place.prep(&["trace", "again.jsonl:2", "--format", "json"]);
    let trace: Value = serde_json::from_slice(&trace.stdout).unwrap();
    assert_eq!(trace["origin"]["source"], "edited.jsonl");
    assert_eq!(trace["origin"]["line"], 2);
    assert!(trace["problem"].is_null(), "{trace}");
}

#[test]
fn a_pipe_and_a_packed_file_give_the_same() {
    let place = Place::with("in.csv", "source,target\na,b\nA,B\nc,d\na,b\n");
    place.convert(&["in.csv"]);
    place.convert(&["in.csv", "-o", "in.jsonl.gz", "--force"]);
    place.prep(&["convert", "in.csv", "-o", "in.jsonl.gz"]);
    place.prep(&["dedupe", "train.jsonl", "-o", "one.jsonl"]);
    place.prep(&["dedupe", "in.jsonl.gz", "-o", "other.jsonl"]);
    let mut piped = place.command(&["dedupe", "-", "-o", "-", "-q", "--near", "0.8"]);
    let output = piped
        .stdin(std::fs::File::open(place.path("train.jsonl")).unwrap())
        .output()
        .unwrap();
    assert_eq!(place.read("one.jsonl"), place.read("other.jsonl"));
    assert_eq!(place.read("one.jsonl"), output.stdout);
    assert_eq!(lines_of(&output.stdout).len(), 2);
}

#[test]
fn a_killed_run_leaves_nothing_or_all() {
    let place = Place::new();
    let mut rows = "source,target\n".to_owned();
    for n in 0..6000_u64 {
        let word = |k: u64| format!("{:x} ", (n % 4000 + 1) * (k * 7919 + 104_729) % 1_000_003);
        let prompt: String = (0..20).map(word).collect();
        rows.push_str(&format!(
            "{prompt},\"an answer that goes on for a while, {n}\"\n"
        ));
    }
    place.write("in.csv", rows);
    place.convert(&["in.csv"]);
    let flags = [
        "dedupe",
        "train.jsonl",
        "-o",
        "out.jsonl",
        "--clusters",
        "clusters.jsonl",
    ];
    // Little memory, so that there is temporary data, too.
    let flags = [
        &flags[..],
        &["-q", "--by", "user", "--near", "0.9", "--memory", "1M"],
    ]
    .concat();
    kill_and_repeat(&place, &flags, &[0.1, 0.4, 0.6, 0.8, 0.9, 1.0], |_| ());
}
