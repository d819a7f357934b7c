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

/// Prompts of one template, or of `n_kinds` that are alike: so many common
/// characters, then others.
#[derive(Debug, Clone, Copy)]
struct Template {
    n_common: usize,
    n_other: usize,
    n_kinds: u64,
    slot: Slot,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Digits,
    Words,
    /// Some words are much more frequent than others.
    FewWords,
}

impl Template {
    fn prompt(self, n: u64) -> String {
        let number = |n: u64| crate::text::shingles::mix(n);
        let word = |n: u64| format!("{:x} ", number(n + 77) & 0xfff_ffff >> (4 * (n % 4)));
        let common = (0..).map(|n| word(n + 1_000_000));
        let mut prompt = String::new();
        let mut fill = |len: usize, words: &mut dyn Iterator<Item = String>| {
            let end = prompt.len() + len;
            prompt.extend(words.take(len));
            prompt.truncate(end);
        };
        fill(self.n_common, &mut common.into_iter());
        let kind = number(n * 3 + 1) % self.n_kinds;
        fill(
            16 * usize::from(self.n_kinds > 1),
            &mut (0..).map(|k| word(2_000_000 + 50 * kind + k)),
        );
        let mut others = (0..).map(|k| {
            let random = number(n * 1000 + k);
            match self.slot {
                Slot::Digits => format!("{random}"),
                Slot::Words => word(random % 300),
                Slot::FewWords => word(random % (1 + (random >> 32) % 60)),
            }
        });
        fill(self.n_other, &mut others);
        prompt
    }

    fn prompts(self, n: u64) -> Vec<String> {
        (0..n).map(|n| self.prompt(n)).collect()
    }
}

/// What people, and enemies, put around texts.
fn templates() -> Vec<Template> {
    let mut templates = Vec::new();
    for n_common in [50, 100, 200, 500, 1000] {
        for n_other in [10, 20, 40, 80] {
            for slot in [Slot::Digits, Slot::Words, Slot::FewWords] {
                templates.push(Template {
                    n_common,
                    n_other,
                    n_kinds: 1,
                    slot,
                });
            }
        }
    }
    templates
}

const NEAR_PROMPTS: Options = Options {
    by: By::User,
    keep: Keep::First,
    near: Some(Threshold(0.8)),
    conflicts: Conflicts::Report,
};

/// Whatever all texts have in common, each is compared with some others and not
/// with all.
#[test]
fn texts_of_one_template_are_not_all_compared() {
    const N: u64 = 1500;
    for template in templates() {
        // Reading long templates says no more and takes long.
        if template.n_common > 200 && (template.n_common, template.n_other) != (500, 80) {
            continue;
        }
        let prompts = template.prompts(N);
        let input: String = prompts.iter().map(|prompt| line("", prompt, "a")).collect();
        let directory = tempfile::tempdir().unwrap();
        let pool = ordered::pool(NonZeroUsize::new(2).unwrap()).unwrap();
        let means = Means {
            pool: &pool,
            memory: 1 << 30,
            target: &directory.path().join("data"),
            stop: &AtomicBool::new(false),
        };
        let input = Input::from_bytes("in", input.into_bytes()).unwrap();
        let first = plan::read(vec![input], NEAR_PROMPTS, &means).unwrap();
        let n_compared = first.near.unwrap().n_compared(&first.inputs, &means);
        // Half of all pairs, and those by sketches; most templates need a few
        // comparisons a text.
        assert!(n_compared < N * N / 4, "{template:?}: {n_compared}");
    }
}

/// What is found on different sides, and whether a search was needed for it.
fn check_across(prompts: &[String], sides: &[u8], gone: &[usize], memory: u64) {
    let input: String = prompts.iter().map(|prompt| line("", prompt, "a")).collect();
    let directory = tempfile::tempdir().unwrap();
    let pool = ordered::pool(NonZeroUsize::new(2).unwrap()).unwrap();
    let means = Means {
        pool: &pool,
        memory,
        target: &directory.path().join("data"),
        stop: &AtomicBool::new(false),
    };
    let input = Input::from_bytes("in", input.into_bytes()).unwrap();
    let first = plan::read(vec![input], NEAR_PROMPTS, &means).unwrap();
    let (near, inputs) = (first.near.unwrap(), first.inputs);
    let mut is_gone = verdict::Bits::new(prompts.len() as u64);
    gone.iter().for_each(|&line| is_gone.set(line as u64));
    let found = near.across(sides, &inputs, &is_gone, &means).unwrap();
    let expected = near.across_by_search(sides, &inputs, &is_gone, &means);
    assert_eq!(found, expected, "{prompts:?} {sides:?}");
}

/// Texts that differ in some of a few words, each on one of a few sides.
fn texts_on_sides() -> impl Strategy<Value = Vec<(String, u8)>> {
    const WORDS: [&str; 6] = [
        "the captain looked",
        "a long way from home",
        "once more",
        "at sea",
        "and then they said nothing",
        "x",
    ];
    let text = proptest::collection::vec(0..WORDS.len(), 1..9);
    let text = text.prop_map(|words| words.iter().map(|&n| WORDS[n]).collect());
    let side = prop_oneof![12 => Just(0_u8), 2 => Just(1), 1 => Just(2)];
    proptest::collection::vec((text, side), 2..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_found_across_sides_is_what_a_search_finds(
        texts in texts_on_sides(),
        gone in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        memory in prop_oneof![Just(1 << 30), 1..20_000_u64],
    ) {
        let (texts, sides): (Vec<_>, Vec<_>) = texts.into_iter().unzip();
        let gone: Vec<_> = gone.iter().map(|index| index.index(texts.len())).collect();
        check_across(&texts, &sides, &gone, memory);
    }
}

/// Crowds, too: on one side or on both.
#[test]
fn what_is_found_across_sides_of_a_crowd_is_what_a_search_finds() {
    let template = Template {
        n_common: 200,
        n_other: 20,
        n_kinds: 1,
        slot: Slot::Words,
    };
    let crowd = template.prompts(100);
    let other = |n: u64| format!("{:x}", crate::text::shingles::mix(n)).repeat(3);
    for n_across in [0, 1, 40] {
        let mut prompts = crowd.clone();
        prompts.extend((0..50).map(other));
        let mut sides = vec![0; 100 - n_across];
        sides.extend(vec![1; n_across]);
        sides.extend((0..50).map(|n| u8::from(n % 5 == 0)));
        check_across(&prompts, &sides, &[], 1 << 30);
    }
}

/// The clusters of brute force, as the lowest line of each line's.
fn brute_force(prompts: &[String]) -> Vec<usize> {
    let len = crate::text::shingles::suitable_len(prompts[0].chars().count());
    let sets: Vec<_> = prompts
        .iter()
        .map(|prompt| {
            let (mut normalised, mut set) = (String::new(), Vec::new());
            crate::text::normalise(prompt, &mut normalised);
            crate::text::shingles::set(&normalised, len, &mut set);
            set
        })
        .collect();
    let forest = near::Forest::new(prompts.len());
    for (n, one) in sets.iter().enumerate() {
        for (m, other) in sets[..n].iter().enumerate() {
            let is_known = forest.root(n as u32) == forest.root(m as u32);
            if !is_known && crate::text::shingles::jaccard(one, other) >= 0.8 {
                forest.unite(n as u32, m as u32);
            }
        }
    }
    (0..prompts.len() as u32)
        .map(|n| forest.root(n) as usize)
        .collect()
}

#[test]
fn of_texts_of_one_template_those_of_brute_force_are_found() {
    const N: u64 = 300;
    let (mut n_true, mut n_found) = (0, 0);
    for template in templates() {
        // Where it is settled what is similar the result is either all or none.
        let is_hard = (4..12).contains(&(template.n_common / template.n_other));
        if !is_hard || template.n_common > 200 {
            continue;
        }
        for n_kinds in [1, 3] {
            let template = Template {
                n_kinds,
                ..template
            };
            let mut prompts = template.prompts(N);
            // Some that are similar whatever the template.
            for n in 0..20 {
                let mut prompt = prompts[n * 7].clone();
                prompt.replace_range(template.n_common - 9..template.n_common - 8, "é");
                prompts.push(prompt);
            }
            let truth = brute_force(&prompts);
            let input: String = prompts.iter().map(|prompt| line("", prompt, "a")).collect();
            let ran = run(&input, NEAR_PROMPTS);
            let mut found: Vec<_> = (0..prompts.len()).collect();
            for (kind, lines) in ran.clusters() {
                for line in lines.iter().filter(|_| kind != "conflict") {
                    found[*line as usize - 1] = lines[0] as usize - 1;
                }
            }
            // Nothing is together that is not together by brute force.
            for (n, root) in found.iter().enumerate() {
                assert_eq!(truth[n], truth[*root], "{template:?}, {n} and {root}");
            }
            let n_parts = |roots: &[usize]| BTreeSet::from_iter(roots).len();
            n_true += prompts.len() - n_parts(&truth);
            n_found += prompts.len() - n_parts(&found);
        }
    }
    assert!(n_true > 1000, "{n_true}");
    assert!(
        n_found as f64 >= 0.97 * n_true as f64,
        "{n_found} of {n_true}"
    );
}

fn of_templates() -> impl Strategy<Value = Vec<String>> {
    let slot = prop_oneof![Just(Slot::Digits), Just(Slot::Words), Just(Slot::FewWords)];
    let template = (
        prop_oneof![Just(60), Just(150)],
        8..40_usize,
        1..3_u64,
        slot,
    )
        .prop_map(|(n_common, n_other, n_kinds, slot)| Template {
            n_common,
            n_other,
            n_kinds,
            slot,
        });
    (template, 0..10_000_u64, 60..160_u64).prop_map(|(template, first, n)| {
        let prompts = (first..first + n).map(|n| template.prompt(n));
        prompts.map(|prompt| line("", &prompt, &prompt)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn crowds_do_not_depend_on_order_memory_or_threads(
        input in of_templates(), options in options(), seed in any::<u64>(), threads in 1..4_usize,
    ) {
        let held = run(&input.concat(), options);
        prop_assert_eq!(&run_with(&[&input.concat()], options, 16, threads), &held);
        prop_assert_eq!(&run_with(&[&input.concat()], options, 50_000, threads), &held);
        let mut shuffled = input.clone();
        shuffled.sort_by_key(|line| crate::text::shingles::mix(seed ^ xxhash_rust::xxh3::xxh3_64(line.as_bytes())));
        prop_assert_eq!(groups(&input, &held), groups(&shuffled, &run(&shuffled.concat(), options)));
    }
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
