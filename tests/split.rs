//! `prep split` on real text, looked through by brute force; and what it leaves
//! behind when it is killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::collections::{BTreeMap, BTreeSet};

use run::alike::{Sets, plain};
use run::killed::kill_and_repeat;
use run::{Place, lines_of, shared, text};
use serde_json::{Value, json};

const NEAR: f64 = 0.8;

/// Real prompts: what to convert, its flags, and how many lines of it.
const REAL: &[(&str, &[&str], usize)] = &[
    (
        "chat/banking77.test.csv",
        &["--src-column", "text", "--tgt-column", "category"],
        2000,
    ),
    ("chat/vicuna-dummy.sharegpt.json", &[], 500),
    ("chat/bitext-300.input_output.jsonl", &[], 300),
    ("parallel/tsv/tatoeba-anki.eng-cmn.tsv", &[], 3000),
];

/// A prompt, and how it is compared.
type Prompt = (String, Vec<char>);

/// How many examples of one side have a prompt that is on the other: byte for
/// byte, normalised, alike.
fn leaks(train: &[Value], held_out: &[Value]) -> [usize; 3] {
    let prompt = |example: &Value| {
        let turns = example["contents"].as_array().unwrap().len() - 1;
        let texts: Vec<_> = (0..turns).map(|turn| text(example, turn)).collect();
        texts.join("\n")
    };
    let read = |side: &[Value]| -> Vec<Prompt> {
        let prompts = side.iter().map(prompt);
        prompts
            .map(|prompt| (prompt.clone(), plain(&prompt)))
            .collect()
    };
    let (train, held_out) = (read(train), read(held_out));
    let exact: BTreeSet<_> = train.iter().map(|(prompt, _)| prompt).collect();
    let normalised: BTreeSet<_> = train.iter().map(|(_, plain)| plain).collect();
    let sets: Vec<_> = train.iter().map(|(_, plain)| Sets::of(plain)).collect();
    let count = |is_leak: &dyn Fn(&Prompt) -> bool| {
        held_out.iter().filter(|example| is_leak(example)).count()
    };
    [
        count(&|(prompt, _)| exact.contains(prompt)),
        count(&|(_, plain)| normalised.contains(plain)),
        count(&|(_, plain)| {
            let one = Sets::of(plain);
            sets.iter().any(|other| one.are_alike(other, NEAR))
        }),
    ]
}

#[test]
fn nothing_leaks_where_a_random_split_does() {
    let Some(data) = shared("") else { return };
    let mut by_chance = [0; 3];
    for (name, flags, n_lines) in REAL {
        let place = Place::new();
        let input = data.join(name);
        place.convert(&[&[input.to_str().unwrap()], *flags].concat());
        let lines = String::from_utf8(place.read("train.jsonl")).unwrap();
        let lines: String = lines.split_inclusive('\n').take(*n_lines).collect();
        place.write("in.jsonl", &lines);
        let run = place.prep(&["split", "in.jsonl", "--ratio", "0.8,0.1,0.1"]);
        assert_eq!(run.status.code(), Some(0), "{}", run.stderr);

        let side = |name: &str| lines_of(&place.read(&format!("split/{name}.jsonl")));
        let (train, validation, test) = (side("train"), side("validation"), side("test"));
        assert_eq!(leaks(&train, &validation), [0; 3], "{name}");
        assert_eq!(leaks(&train, &test), [0; 3], "{name}");
        assert_eq!(leaks(&validation, &test), [0; 3], "{name}");
        let proof: Value = serde_json::from_slice(&place.read("split/proof.json")).unwrap();
        let none = json!({"exact": 0, "normalised": 0, "near": 0, "group": 0, "conversation": 0});
        assert_eq!(proof["overlap"], none, "{name}");

        // All are there, once, in the order of the input.
        let all: Vec<_> = lines.lines().collect();
        let mut n_found = 0;
        for name in ["train", "validation", "test"] {
            let side = String::from_utf8(place.read(&format!("split/{name}.jsonl"))).unwrap();
            let mut rest = all.iter();
            assert!(
                side.lines().all(|line| rest.any(|of| *of == line)),
                "{name}"
            );
            assert_eq!(proof["sides"][name], side.lines().count());
            n_found += side.lines().count();
        }
        assert_eq!(n_found, all.len());

        // What rows do that are drawn by lot.
        let examples = lines_of(lines.as_bytes());
        let lot = |n: usize| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xff;
        let (mut train, mut held_out) = (Vec::new(), Vec::new());
        for (example, n) in examples.into_iter().zip(1..) {
            if lot(n) < 51 {
                held_out.push(example);
            } else {
                train.push(example);
            }
        }
        for (sum, n) in by_chance.iter_mut().zip(leaks(&train, &held_out)) {
            *sum += n;
        }
    }
    assert!(by_chance.iter().all(|&n| n > 50), "{by_chance:?}");
}

/// The side of each line.
fn sides(place: &Place, names: &[&str]) -> BTreeMap<String, usize> {
    let mut sides = BTreeMap::new();
    for (n, name) in names.iter().enumerate() {
        let side = String::from_utf8(place.read(&format!("split/{name}.jsonl"))).unwrap();
        sides.extend(side.lines().map(|line| (line.to_owned(), n)));
    }
    sides
}

#[test]
fn threads_and_memory_do_not_matter() {
    let Some(data) = shared("parallel/tsv") else {
        return;
    };
    let place = Place::new();
    let input = data.join("tatoeba-anki.eng-cmn.tsv");
    place.convert(&[input.to_str().unwrap()]);
    let lines = String::from_utf8(place.read("train.jsonl")).unwrap();
    let lines: String = lines.split_inclusive('\n').take(4000).collect();
    place.write("in.jsonl", &lines);
    let names = ["train.jsonl", "train.passport", "train.manifest.json"];
    let names = [
        &names[..],
        &["validation.jsonl", "validation.passport", "proof.json"],
    ]
    .concat();
    for shuffle in [&[][..], &["--shuffle"]] {
        let mut first: Option<Vec<_>> = None;
        for (threads, memory) in [("1", "1G"), ("3", "1G"), ("2", "200K")] {
            let flags = ["--threads", threads, "--memory", memory, "-q"];
            let run = place.prep(&[&["split", "in.jsonl"], &flags[..], shuffle].concat());
            assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
            let outputs = names
                .iter()
                .map(|name| place.read(&format!("split/{name}")));
            let outputs: Vec<_> = outputs.collect();
            let first = first.get_or_insert_with(|| outputs.clone());
            assert!(*first == outputs, "{threads} threads, {memory}");
        }
    }
}

#[test]
fn groups_of_the_passport_stay_together() {
    let mut rows = "document,source,target\n".to_owned();
    for n in 0..200 {
        rows.push_str(&format!(
            "d{},question {n:x}x{},answer {n}\n",
            n % 20,
            n * n
        ));
    }
    let place = Place::with("in.csv", rows);
    place.convert(&["in.csv", "--group-column", "document"]);
    let split = ["split", "--group-column", "document", "--ratio", "0.7"];
    let run = place.prep(&[&split[..], &["--near", "off"]].concat());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let mut side_of = BTreeMap::new();
    for (line, side) in sides(&place, &["train", "validation"]) {
        let example: Value = serde_json::from_str(&line).unwrap();
        let answer = text(&example, 1).strip_prefix("answer ").unwrap();
        let document = answer.parse::<usize>().unwrap() % 20;
        assert_eq!(*side_of.entry(document).or_insert(side), side, "{document}");
    }
    assert_eq!(side_of.values().filter(|side| **side == 1).count(), 6);

    // What has no such groups is refused.
    let run = place.prep(&["split", "--group-column", "author"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr.contains("by the column `author`"),
        "{}",
        run.stderr
    );
    // Each example still knows where it came from.
    let trace = place.prep(&["trace", "split/validation.jsonl:1", "--format", "json"]);
    let trace: Value = serde_json::from_slice(&trace.stdout).unwrap();
    assert_eq!(trace["origin"]["source"], "in.csv");
    assert_eq!(trace["steps"].as_array().unwrap().len(), 2);
}

#[test]
fn an_earlier_test_set_does_not_stay_beside_new_sides() {
    let rows = |n: u64| format!("{:x},{:x}\n", n * n * 7919 + 13, n * n * 104_729 + 7);
    let rows: String = (1..100).map(rows).collect();
    let place = Place::with("in.csv", "source,target\n".to_owned() + &rows);
    place.convert(&["in.csv"]);
    place.prep(&["split", "--ratio", "0.8,0.1,0.1"]);
    assert!(place.has("split/test.jsonl") && place.has("split/test.passport"));
    place.prep(&["split", "--ratio", "0.8"]);
    for gone in ["test.jsonl", "test.passport", "test.manifest.json"] {
        assert!(!place.has(&format!("split/{gone}")), "{gone}");
    }
    // Somebody else's test set is not ours to remove.
    place.write("split/test.jsonl", "mine");
    let run = place.prep(&["split", "--ratio", "0.8", "--force"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert_eq!(place.read("split/test.jsonl"), b"mine");
    // What was edited stays, and nothing is written.
    place.write("split/validation.jsonl", "{}\n");
    let before = place.read("split/train.jsonl");
    let run = place.prep(&["split", "--seed", "3"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr
            .contains("`split/validation.jsonl` is not the file"),
        "{}",
        run.stderr
    );
    assert_eq!(place.read("split/train.jsonl"), before);
    assert_eq!(place.read("split/validation.jsonl"), b"{}\n");
    let run = place.prep(&["split", "--seed", "3", "--force"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
}

#[test]
fn a_pipe_and_a_packed_file_give_the_same() {
    let rows = |n: u64| format!("{:x},{:x}\n", n * n * 7919 + 13, n * n * 104_729 + 7);
    let rows: String = (1..100).map(rows).collect();
    let place = Place::with("in.csv", "source,target\n".to_owned() + &rows);
    place.convert(&["in.csv"]);
    place.prep(&["convert", "in.csv", "-o", "in.jsonl.gz"]);
    place.prep(&["split", "train.jsonl", "-o", "one"]);
    place.prep(&["split", "in.jsonl.gz", "-o", "other"]);
    let mut piped = place.command(&["split", "-", "-o", "piped", "-q"]);
    let output = piped
        .stdin(std::fs::File::open(place.path("train.jsonl")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success());
    for side in ["train.jsonl", "validation.jsonl"] {
        let one = place.read(&format!("one/{side}"));
        assert!(!one.is_empty());
        assert_eq!(one, place.read(&format!("other/{side}")));
        assert_eq!(one, place.read(&format!("piped/{side}")));
    }
}

#[test]
fn a_killed_run_leaves_nothing_or_all() {
    let place = Place::new();
    let mut rows = "source,target\n".to_owned();
    for n in 0..4000_u64 {
        let word = |k: u64| format!("{:x} ", (n % 3000 + 1) * (k * 7919 + 104_729) % 1_000_003);
        let prompt: String = (0..20).map(word).collect();
        rows.push_str(&format!("{prompt},\"an answer that goes on, {n}\"\n"));
    }
    place.write("in.csv", rows);
    place.convert(&["in.csv"]);
    // Little memory, so that there is temporary data, too.
    let flags = ["split", "-q", "--near", "0.9", "--memory", "1M"];
    let outputs = [
        "train.jsonl",
        "train.passport",
        "validation.jsonl",
        "validation.passport",
    ];
    let parts = [0.1, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0];
    kill_and_repeat(&place, &flags, &parts, |left| {
        // The proof is there when all else is, and not before.
        let has = |name: &str| left.contains_key(&format!("split/{name}"));
        assert!(!has("proof.json") || outputs.iter().all(|name| has(name)));
    });
}
