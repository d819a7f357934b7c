//! `prep mix` on real text, looked through by brute force; and what it leaves
//! behind when it is killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::collections::BTreeSet;

use run::alike::{Sets, plain};
use run::killed::kill_and_repeat;
use run::{Place, lines_of, shared, text};
use serde_json::Value;

#[test]
fn nothing_leaks_where_a_plain_blend_does() {
    let Some(data) = shared("") else { return };
    let place = Place::new();
    let input = data.join("parallel/tsv/tatoeba-anki.eng-cmn.tsv");
    place.convert(&[input.to_str().unwrap()]);
    let lines = String::from_utf8(place.read("train.jsonl")).unwrap();
    let lines: Vec<_> = lines.split_inclusive('\n').take(2000).collect();
    // Neighbours are alike in this corpus.
    let every = |n: usize| -> String { lines.iter().skip(n).step_by(3).copied().collect() };
    place.write("domain.jsonl", every(0));
    place.write("open.jsonl", every(1));
    place.write("held.jsonl", every(2));
    let run = place.prep(&[
        "mix",
        "domain.jsonl=2",
        "open.jsonl=1",
        "--against",
        "held.jsonl",
        "--summary",
        "summary.json",
    ]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);

    let read = |name: &str| lines_of(&place.read(name));
    let mixed = read("mixed.jsonl");
    let held: Vec<_> = read("held.jsonl")
        .iter()
        .map(|of| plain(text(of, 0)))
        .collect();
    let held: Vec<_> = held.iter().map(|text| Sets::of(text)).collect();
    let leaks = |examples: &[Value]| {
        let leaks = |example: &&Value| {
            let prompt = plain(text(example, 0));
            let prompt = Sets::of(&prompt);
            held.iter().any(|other| prompt.are_alike(other, 0.8))
        };
        examples.iter().filter(leaks).count()
    };
    assert_eq!(leaks(&mixed), 0);
    assert!(leaks(&read("open.jsonl")) > 20);

    let summary: Value = serde_json::from_slice(&place.read("summary.json")).unwrap();
    let of = |source: usize, name: &str| summary["sources"][source][name].as_u64().unwrap();
    let (domain, open) = (of(0, "examples"), of(1, "examples"));
    assert_eq!(domain + open, mixed.len() as u64);
    assert!(domain.abs_diff(2 * open) <= 2, "{domain} and {open}");
    // A mixture is the same on any number of threads, and with little memory.
    let whole = place.read("mixed.jsonl");
    let again = [
        "mix",
        "domain.jsonl=2",
        "open.jsonl=1",
        "--against",
        "held.jsonl",
    ];
    let again = [&again[..], &["--threads", "1", "--memory", "1K"]].concat();
    place.prep(&again);
    assert!(place.read("mixed.jsonl") == whole);
    // Each example once, and all of them from the sources.
    let said: BTreeSet<_> = whole.split(|&byte| byte == b'\n').collect();
    assert_eq!(said.len(), mixed.len() + 1);
}

#[test]
fn a_killed_run_leaves_nothing_or_all() {
    let place = Place::new();
    let row = |n: u64| {
        let word = |k: u64| format!("{:x} ", (n + 1) * (k * 7919 + 104_729) % 1_000_003);
        let prompt: String = (0..20).map(word).collect();
        format!("{prompt},\"an answer that goes on for a while, {n}\"\n")
    };
    let rows = |range: std::ops::Range<u64>| -> String { range.map(row).collect() };
    let header = "source,target\n".to_owned();
    place.write("in.csv", header.clone() + &rows(0..5000));
    place.write("more.csv", header.clone() + &rows(4000..9000));
    place.write("held.csv", header + &rows(100..300));
    place.prep(&["convert", "in.csv", "-q"]);
    place.prep(&["convert", "more.csv", "-o", "more.jsonl", "-q"]);
    place.prep(&["convert", "held.csv", "-o", "held.jsonl", "-q"]);
    // Little memory, so that there is temporary data, too.
    let flags = [
        "mix",
        "train.jsonl=3",
        "more.jsonl=2",
        "--against",
        "held.jsonl",
    ];
    let flags = [&flags[..], &["-q", "--memory", "64K"]].concat();
    kill_and_repeat(&place, &flags, &[0.1, 0.4, 0.6, 0.8, 0.9, 1.0], |_| ());
}
