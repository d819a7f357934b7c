//! Laws that hold whatever the data, and cases that show what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::io::Sha256Wanted;
use crate::pipeline::ordered;

const EXACT_ONLY: Options = Options {
    by: By::Example,
    keep: Keep::First,
    near: None,
    conflicts: Conflicts::Report,
};

/// What a run left behind.
#[derive(Debug, Clone, PartialEq)]
struct Ran {
    data: String,
    rejects: String,
    clusters: String,
    ledger: Ledger,
}

impl Ran {
    /// The clusters, each with the lines in it, the one that is kept first.
    fn clusters(&self) -> Vec<(String, Vec<u64>)> {
        let cluster = |line: &str| {
            let cluster: Value = serde_json::from_str(line).unwrap();
            let kept = cluster["kept"].as_u64();
            let dropped = cluster["dropped"].as_array().unwrap().iter();
            let lines = kept
                .into_iter()
                .chain(dropped.map(|line| line.as_u64().unwrap()));
            (
                cluster["kind"].as_str().unwrap().to_owned(),
                lines.collect(),
            )
        };
        self.clusters.lines().map(cluster).collect()
    }
}

fn run_with(inputs: &[&str], options: Options, memory: u64, threads: usize) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let rejects = path("rejects");
    let sinks = || {
        Ok(Sinks {
            data: OutputWriter::create(&path("data"), Sha256Wanted::No)?,
            passport: None,
            rejects: Some(&rejects),
            clusters: Some(OutputWriter::create(&path("clusters"), Sha256Wanted::No)?),
        })
    };
    let pool = ordered::pool(NonZeroUsize::new(threads).unwrap()).unwrap();
    let target = path("data");
    let means = Means {
        pool: &pool,
        memory,
        target: &target,
        stop: &AtomicBool::new(false),
    };
    let inputs = inputs.iter().zip('a'..);
    let inputs =
        inputs.map(|(text, name)| Input::from_bytes(name, text.as_bytes().to_vec()).unwrap());
    let outcome = dedupe(inputs.collect(), options, true, sinks, &means).unwrap();
    assert!(outcome.ledger.adds_up(), "{:?}", outcome.ledger);
    outcome.data.persist().unwrap();
    outcome.clusters.unwrap().persist().unwrap();
    if let Some(rejects) = outcome.rejects {
        rejects.persist().unwrap();
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    Ran {
        data: read(&target),
        rejects: read(&rejects),
        clusters: read(&path("clusters")),
        ledger: outcome.ledger,
    }
}

fn run(input: &str, options: Options) -> Ran {
    run_with(&[input], options, 1 << 30, 2)
}

fn line(system: &str, user: &str, model: &str) -> String {
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let mut example = json!({"contents": [turn("user", user), turn("model", model)]});
    if !system.is_empty() {
        example["systemInstruction"] = json!({"parts": [{"text": system}]});
    }
    example.to_string() + "\n"
}

/// The lines of `input` that stay, from 1, and the rest with their codes.
fn check(input: &[String], options: Options, kept: &[u64], left_out: &[(u64, &str)]) {
    let ran = run(&input.concat(), options);
    let expected: String = kept.iter().map(|n| &*input[*n as usize - 1]).collect();
    assert_eq!(ran.data, expected);
    let rejects = ran
        .rejects
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rejects: Vec<_> = rejects
        .map(|reject| {
            let n = reject["line"].as_u64().unwrap();
            assert_eq!(
                reject["raw"].as_str(),
                Some(input[n as usize - 1].trim_end())
            );
            (n, reject["code"].as_str().unwrap().to_owned())
        })
        .collect();
    let left_out = left_out.iter().map(|(n, code)| (*n, (*code).to_owned()));
    assert_eq!(rejects, left_out.collect::<Vec<_>>());
}

#[test]
fn what_counts_is_chosen() {
    let input = [
        line("", "Hello", "Hola"),
        line("", "hello ", "HOLA"),
        line("", "Hello", "Hola"),
        line("", "Hello", "Buenas"),
        line("", "Bye", "Hola"),
    ];
    let by = |by| Options { by, ..EXACT_ONLY };
    check(
        &input,
        by(By::Example),
        &[1, 4, 5],
        &[(2, "D003"), (3, "D001")],
    );
    check(
        &input,
        by(By::User),
        &[1, 5],
        &[(2, "D003"), (3, "D001"), (4, "D001")],
    );
    check(
        &input,
        by(By::Model),
        &[1, 4],
        &[(2, "D003"), (3, "D001"), (5, "D001")],
    );
}

#[test]
fn what_is_kept_is_chosen() {
    let input = [
        line("", "Hello", "Hola"),
        line("", "Hello  ", "Hola"),
        line("", "hello", "hola"),
    ];
    let keep = |keep| Options { keep, ..EXACT_ONLY };
    check(&input, keep(Keep::First), &[1], &[(2, "D003"), (3, "D003")]);
    check(&input, keep(Keep::Last), &[3], &[(1, "D003"), (2, "D003")]);
    check(
        &input,
        keep(Keep::Longest),
        &[2],
        &[(1, "D003"), (3, "D003")],
    );
}

#[test]
fn conflicts_are_told_dropped_or_settled() {
    let input = [
        line("S", "Hello", "Hola"),
        line("S", "hello", "Buenas"),
        line("T", "Hello", "Salut"),
        line("S", "Hello", "¿Qué tal?"),
    ];
    for by in [By::Example, By::Model] {
        let conflicts = |conflicts| Options {
            conflicts,
            by,
            ..EXACT_ONLY
        };
        check(&input, conflicts(Conflicts::Report), &[1, 2, 3, 4], &[]);
        check(
            &input,
            conflicts(Conflicts::Newest),
            &[3, 4],
            &[(1, "D005"), (2, "D005")],
        );
        let all = [(1, "D005"), (2, "D005"), (4, "D005")];
        check(&input, conflicts(Conflicts::Drop), &[3], &all);
    }
    let told = run(&input.concat(), EXACT_ONLY);
    assert_eq!(told.ledger.notes, BTreeMap::from([("D005", 3)]));
    assert_eq!(
        told.clusters,
        "{\"kind\":\"conflict\",\"kept\":null,\"dropped\":[],\"lines\":[1,2,4]}\n"
    );
}

#[test]
fn lines_that_are_no_examples_are_rejected() {
    let input = [
        line("", "a", "b"),
        "{\"contents\":\n".to_owned(),
        "\n".to_owned(),
        "[]\r\n".to_owned(),
        line("", "a", "b"),
    ];
    let ran = run(&input.concat(), EXACT_ONLY);
    assert_eq!(ran.data, input[0]);
    assert_eq!(
        ran.ledger.rejected,
        BTreeMap::from([("S014", 1), ("S019", 1)])
    );
    assert_eq!(ran.ledger.dropped, BTreeMap::from([("D001", 1)]));
    assert_eq!(ran.ledger.notes, BTreeMap::from([("S002", 1)]));
    let lines = ran
        .rejects
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let places: Vec<_> = lines
        .map(|line| (line["line"].as_u64(), line["record"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [(Some(2), Some(2)), (Some(4), Some(3)), (Some(5), Some(4))]
    );
}

#[test]
fn inputs_are_taken_together() {
    let (one, other) = (line("", "a", "b"), line("", "c", "d"));
    let first = format!("{one}{other}");
    let second = format!("{other}\n{one}");
    let ran = run_with(&[&first, second.trim_end()], EXACT_ONLY, 1 << 30, 2);
    assert_eq!(ran.data, first);
    assert_eq!(
        ran.clusters,
        "{\"kind\":\"exact\",\"kept\":1,\"dropped\":[3],\"similarity\":[1.0],\"kept_file\":\"a\",\"files\":[\"b\"]}\n\
         {\"kind\":\"exact\",\"kept\":2,\"dropped\":[1],\"similarity\":[1.0],\"kept_file\":\"a\",\"files\":[\"b\"]}\n"
    );
    assert!(ran.rejects.contains("it repeats `a:1`"), "{}", ran.rejects);
}

/// Ten sentences and what is made of them.
fn text(sentence: usize, edits: &[usize]) -> String {
    const WORDS: &str = "the old captain looked at his ship and slowly walked down to where a cold \
        green river meets the harbour because nobody had told him about those seven letters";
    let words: Vec<_> = WORDS.split(' ').collect();
    let mut chosen: Vec<String> = (0..22)
        .map(|n| words[(n * (sentence * 2 + 1) + sentence * 5) % words.len()].to_owned())
        .collect();
    for edit in edits {
        let n = chosen.len();
        chosen[edit % n] = format!("word{edit}");
    }
    chosen.join(" ")
}

fn examples() -> impl Strategy<Value = Vec<String>> {
    let edits = proptest::collection::vec(0..40_usize, 0..3);
    let spelling = prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)];
    let example = (0..4_usize, edits, spelling, 0..3_usize).prop_map(
        |(sentence, edits, spelling, answer)| {
            let text = text(sentence, &edits);
            let text = match spelling {
                0 => text,
                1 => text.to_uppercase(),
                _ => text.replace(' ', "  "),
            };
            let answer = ["yes", "no, not at all", "Yes"][answer];
            line("", &text, answer)
        },
    );
    let other = prop_oneof![Just("nothing\n".to_owned()), Just("\n".to_owned())];
    proptest::collection::vec(prop_oneof![12 => example, 1 => other], 0..40)
}

fn options() -> impl Strategy<Value = Options> {
    let by = prop_oneof![Just(By::Example), Just(By::User), Just(By::Model)];
    let keep = prop_oneof![Just(Keep::First), Just(Keep::Last), Just(Keep::Longest)];
    let near = prop_oneof![
        Just(None),
        Just(Threshold::new(0.7)),
        Just(Threshold::new(0.9))
    ];
    let conflicts = prop_oneof![
        Just(Conflicts::Report),
        Just(Conflicts::Drop),
        Just(Conflicts::Newest)
    ];
    (by, keep, near, conflicts).prop_map(|(by, keep, near, conflicts)| Options {
        by,
        keep,
        near,
        conflicts,
    })
}

/// Which examples are in one cluster: sets of lines with their duplicates, each
/// as the sorted texts of its lines.
fn groups(input: &[String], ran: &Ran) -> BTreeSet<Vec<String>> {
    let mut group_of: Vec<usize> = (0..=input.len()).collect();
    for (kind, lines) in ran.clusters() {
        let Some((&first, rest)) = lines.split_first() else {
            continue;
        };
        for &line in rest.iter().filter(|_| kind != "conflict") {
            let (from, to) = (group_of[line as usize], group_of[first as usize]);
            group_of
                .iter_mut()
                .filter(|group| **group == from)
                .for_each(|group| *group = to);
        }
    }
    let mut groups: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (line, group) in input.iter().zip(&group_of[1..]) {
        groups.entry(*group).or_default().push(line.clone());
    }
    let sorted = groups.into_values().map(|mut group| {
        group.sort();
        group
    });
    sorted.filter(|group| group.len() > 1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn twice_is_once(input in examples(), options in options()) {
        let once = run(&input.concat(), options);
        let twice = run(&once.data, options);
        prop_assert_eq!(&twice.data, &once.data);
        prop_assert_eq!(twice.ledger.n_dropped(), 0);
    }

    #[test]
    fn spilling_and_threads_change_nothing(input in examples(), options in options(), threads in 1..4_usize) {
        let input = input.concat();
        let held = run(&input, options);
        prop_assert_eq!(&run_with(&[&input], options, 16, threads), &held);
        prop_assert_eq!(&run_with(&[&input], options, 20_000, threads), &held);
    }

    #[test]
    fn any_order_gives_the_same_clusters(input in examples(), options in options(), seed in any::<u64>()) {
        let mut shuffled = input.clone();
        let key = |line: &String| crate::text::shingles::mix(seed ^ xxhash_rust::xxh3::xxh3_64(line.as_bytes()));
        shuffled.sort_by_key(key);
        let one = groups(&input, &run(&input.concat(), options));
        let other = groups(&shuffled, &run(&shuffled.concat(), options));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn nothing_is_lost(input in examples(), options in options()) {
        let ran = run(&input.concat(), options);
        let mut lines: Vec<_> = ran.data.lines().map(str::to_owned).collect();
        for reject in ran.rejects.lines() {
            let reject: Value = serde_json::from_str(reject).unwrap();
            lines.push(reject["raw"].as_str().unwrap().to_owned());
        }
        lines.sort();
        let mut expected: Vec<_> = input.iter().map(|line| line.trim_end().to_owned()).collect();
        expected.retain(|line| !line.is_empty());
        expected.sort();
        prop_assert_eq!(lines, expected);
    }
}

#[test]
fn what_is_similar_enough_is_a_near_duplicate() {
    let (one, alike, other) = (text(1, &[]), text(1, &[7]), text(2, &[]));
    let near = |jaccard| Options {
        near: Threshold::new(jaccard),
        by: By::User,
        ..EXACT_ONLY
    };
    let input = [
        line("S", &one, "a"),
        line("S", &other, "b"),
        line("S", &alike, "c"),
        line("T", &alike, "d"),
        line("S", &alike, "e"),
    ];
    // The last one repeats what is a near-duplicate, so it is one, too. The
    // other system instruction keeps the fourth apart.
    check(&input, near(0.7), &[1, 2, 4], &[(3, "D004"), (5, "D004")]);
    check(&input, near(1.0), &[1, 2, 3, 4], &[(5, "D001")]);
    // As an example it is also its answer.
    let whole = Options {
        by: By::Example,
        ..near(0.7)
    };
    check(&input, whole, &[1, 2, 3, 4, 5], &[]);
}

/// Texts of one template, of which each is alike to every other and few are
/// similar enough.
#[test]
fn texts_of_one_template_are_compared_in_time() {
    let number = |n: u64| crate::text::shingles::mix(n) % 1_000_000;
    let prompt = |n: u64| {
        format!(
            "please tell me where order {:06} of {:06} is",
            number(n),
            number(n + 5000)
        )
    };
    let mut input: Vec<_> = (0..3000).map(|n| line("", &prompt(n), "a")).collect();
    input.push(line(
        "",
        &prompt(7).replace("tell", "TELL").replace(" is", " is?"),
        "a",
    ));
    let options = Options {
        by: By::User,
        near: Threshold::new(0.9),
        ..EXACT_ONLY
    };
    let ran = run(&input.concat(), options);
    let last = ran
        .clusters()
        .into_iter()
        .find(|(_, lines)| lines.contains(&3001));
    assert_eq!(last, Some(("near".into(), vec![8, 3001])));
    assert!(ran.ledger.written > 2900, "{:?}", ran.ledger);
}
