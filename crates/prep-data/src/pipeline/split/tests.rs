//! Laws that hold whatever the data, and cases that show what ties.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::quota::{Atom, Quotas};
use super::*;
use crate::io::{Passport, Stamp};
use crate::pipeline::ordered;

const NO_LIMIT: MaxValidation = MaxValidation {
    examples: u64::MAX,
    share: None,
};

fn options(ratio: &str) -> Options {
    Options {
        ratio: ratio.parse().unwrap(),
        by: By::Examples,
        seed: 0,
        near: None,
        answers: Answers::Texts,
        group: None,
        stratify: None,
        max_validation: NO_LIMIT,
        shuffle: false,
    }
}

/// What a run left behind.
#[derive(Debug, PartialEq)]
struct Ran {
    sides: Vec<String>,
    stamps: Vec<Vec<Stamp>>,
    rejects: String,
    ledger: Ledger,
    proof: Proof,
    is_capped: bool,
}

impl Ran {
    /// The side of each line, which must all be different.
    fn side_of(&self) -> BTreeMap<&str, usize> {
        let lines = self.sides.iter().enumerate();
        lines
            .flat_map(|(side, lines)| lines.lines().map(move |line| (line, side)))
            .collect()
    }
}

/// Gives `act` a directory to write the sides in.
fn scene<T>(
    options: &Options,
    memory: u64,
    threads: usize,
    act: impl FnOnce(&Sinks<'_>, &Means<'_>) -> T,
) -> T {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let place = |side: Side| Place {
        data: path(side.as_str()),
        passport: path(&format!("{}.passport", side.as_str())),
    };
    let rejects = path("rejects");
    let sinks = Sinks {
        sides: options.ratio.sides().map(place).collect(),
        rejects: &rejects,
        sha256: Sha256Wanted::No,
        step: "split",
    };
    let pool = ordered::pool(NonZeroUsize::new(threads).unwrap()).unwrap();
    let means = Means {
        pool: &pool,
        memory,
        target: &path("train"),
        stop: &AtomicBool::new(false),
    };
    act(&sinks, &means)
}

fn run_with(
    input: &str,
    options: &Options,
    memory: u64,
    threads: usize,
) -> Result<Ran, SplitError> {
    scene(options, memory, threads, |sinks, means| {
        run_in(input, options, sinks, means)
    })
}

fn run_in(
    input: &str,
    options: &Options,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
) -> Result<Ran, SplitError> {
    let input = Input::from_bytes("in.jsonl", input.as_bytes().to_vec()).unwrap();
    let outcome = split(input, options, sinks, means)?;
    assert!(outcome.ledger.adds_up(), "{:?}", outcome.ledger);
    assert!(outcome.proof.overlap.is_nothing());
    for part in outcome.parts {
        part.data.persist().unwrap();
        part.passport.persist().unwrap();
    }
    if let Some(rejects) = outcome.rejects {
        rejects.persist().unwrap();
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let stamps = sinks.sides.iter().map(|side| {
        let mut stamps = Vec::new();
        let mut passport = Passport::open(&side.passport).unwrap();
        passport
            .for_each(|stamp| {
                stamps.push(stamp);
                Ok(())
            })
            .unwrap();
        stamps
    });
    Ok(Ran {
        sides: sinks.sides.iter().map(|side| read(&side.data)).collect(),
        stamps: stamps.collect(),
        rejects: read(sinks.rejects),
        ledger: outcome.ledger,
        proof: outcome.proof,
        is_capped: outcome.is_capped,
    })
}

fn run(input: &str, options: &Options) -> Result<Ran, SplitError> {
    run_with(input, options, 1 << 30, 2)
}

fn line(turns: &[&str], group: &str) -> String {
    let turn = |(n, text): (usize, &&str)| {
        let role = ["user", "model"][n % 2];
        json!({"role": role, "parts": [{"text": text}]})
    };
    let turns: Vec<_> = turns.iter().enumerate().map(turn).collect();
    let mut example = json!({"contents": turns});
    if !group.is_empty() {
        example["labels"] = json!({"group": group});
    }
    example.to_string() + "\n"
}

/// Lines that nothing ties.
fn loose(n: std::ops::Range<usize>) -> String {
    let word = |n: usize| format!("{:016x}", crate::text::shingles::mix(n as u64));
    let lines = n.map(|n| line(&[&word(2 * n), &word(2 * n + 1)], ""));
    lines.collect()
}

/// Whether two lines among many others are on one side, whatever the seed.
fn are_together(one: &str, other: &str, options: &Options) -> bool {
    let input = one.to_owned() + &loose(0..6) + other + &loose(6..12);
    (0..12).all(|seed| {
        let options = Options {
            seed,
            ..options.clone()
        };
        let ran = run(&input, &options).unwrap();
        let sides = ran.side_of();
        sides[one.trim_end()] == sides[other.trim_end()]
    })
}

#[test]
fn what_is_equal_or_alike_stays_together() {
    let half = options("0.5");
    let check = |one: &[&str], other: &[&str], options: &Options, expected| {
        let (one, other) = (line(one, ""), line(other, ""));
        assert_eq!(
            are_together(&one, &other, options),
            expected,
            "{one}{other}"
        );
    };
    check(&["Where?", "Here."], &["Why?", "So."], &half, false);
    check(&["Where?", "Here."], &["where? ", "There."], &half, true);
    check(&["Where?", "Here."], &["Whence?", "HERE."], &half, true);
    let no_answers = Options {
        answers: Answers::None,
        ..half.clone()
    };
    check(
        &["Where?", "Here."],
        &["Whence?", "HERE."],
        &no_answers,
        false,
    );
    let long = "How do I cancel the order that I placed here yesterday";
    let (one, other) = (format!("{long} evening?"), format!("{long} morning?"));
    check(&[&one, "So."], &[&other, "No."], &half, false);
    let near = Options {
        near: Threshold::new(0.8),
        ..half.clone()
    };
    check(&[&one, "So."], &[&other, "No."], &near, true);
    // The beginning of a conversation, and the whole of it.
    check(
        &["Hi", "Hello", "Where?", "Here."],
        &["Hi", "Hello", "Where?", "Here.", "Why?", "So."],
        &half,
        true,
    );
    check(
        &["Hi", "Hello", "Where?", "Here."],
        &["Hi", "Hello", "Who?", "I."],
        &half,
        false,
    );
    let grouped = Options {
        group: Some("/labels/group".parse().unwrap()),
        ..half.clone()
    };
    let of = |text: &str, group| line(&[text, text], group);
    assert!(are_together(&of("a", "g"), &of("b", "g"), &grouped));
    assert!(!are_together(&of("a", "g"), &of("b", "h"), &grouped));
    assert!(!are_together(&of("a", ""), &of("b", ""), &grouped));
    assert!(!are_together(&of("a", "g"), &of("b", "g"), &half));
}

#[test]
fn the_system_instruction_does_not_part_prompts() {
    let with = |system: &str| {
        let mut example: Value = serde_json::from_str(&line(&["Where?", system], "")).unwrap();
        example["systemInstruction"] = json!({"parts": [{"text": system}]});
        example.to_string() + "\n"
    };
    assert!(are_together(&with("S"), &with("T"), &options("0.5")));
}

#[test]
fn labels_tie_nothing() {
    let labelled: String = (0..60)
        .map(|n| line(&[&format!("question {n}"), ["yes", "no"][n % 2]], ""))
        .collect();
    let ran = run(&labelled, &options("0.9")).unwrap();
    assert_eq!(ran.proof.sides, [(Side::Train, 54), (Side::Validation, 6)]);
    assert_eq!(ran.proof.atoms.labels, (2, 60));
    assert_eq!(ran.proof.atoms.atoms, 60);
    let all = Options {
        answers: Answers::All,
        ..options("0.5")
    };
    let ran = run(&labelled, &all).unwrap();
    assert_eq!(ran.proof.atoms.atoms, 2);
    for side in &ran.sides {
        let answers: BTreeSet<_> = side.lines().map(|line| line.contains("yes")).collect();
        assert_eq!(answers.len(), 1);
    }
    // A text that many have ties them all.
    let long = "I am sorry, but this is something that I cannot help you with here.";
    let boilerplate: String = (0..60)
        .map(|n| line(&[&format!("question {n}"), long], ""))
        .collect();
    let error = run(&boilerplate, &options("0.9")).unwrap_err();
    assert!(
        matches!(
            error,
            SplitError::TooFewAtoms {
                atoms: 1,
                examples: 60,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_cannot_be_split_is_an_error() {
    let error = |input: &str, ratio| run(input, &options(ratio)).unwrap_err().to_string();
    assert_eq!(error("", "0.9"), "cannot split 0 examples into 2 sides");
    assert_eq!(
        error(&loose(0..2), "0.8,0.1,0.1"),
        "cannot split 2 examples into 3 sides"
    );
    // Two are enough for two sides, whatever the ratio.
    assert_eq!(
        run(&loose(0..2), &options("0.9")).unwrap().proof.sides[1].1,
        1
    );
}

#[test]
fn an_atom_that_is_most_of_it_is_for_training() {
    let grouped = Options {
        group: Some("/labels/group".parse().unwrap()),
        ..options("0.5")
    };
    let group: String = (0..90)
        .map(|n| line(&[&n.to_string(), &format!("{n}?")], "g"))
        .collect();
    let ran = run(&(group + &loose(0..10)), &grouped).unwrap();
    assert_eq!(ran.proof.sides, [(Side::Train, 90), (Side::Validation, 10)]);
    assert_eq!(ran.proof.atoms.largest_line, 1);
}

#[test]
fn validation_has_no_more_than_it_may() {
    let ran = |max_validation| {
        let options = Options {
            max_validation,
            ..options("0.5")
        };
        run(&loose(0..400), &options).unwrap()
    };
    let limited = ran(MaxValidation {
        examples: 30,
        share: None,
    });
    assert_eq!(limited.proof.sides[1].1, 30);
    assert!(limited.is_capped);
    let limited = ran(MaxValidation {
        examples: 1000,
        share: Some((20, 30)),
    });
    let [(_, train), (_, validation)] = limited.proof.sides[..] else {
        panic!("{:?}", limited.proof)
    };
    assert_eq!(validation, train * 30 / 100);
    assert!(!ran(NO_LIMIT).is_capped);
}

#[test]
fn lines_that_are_no_examples_are_rejected() {
    let input = loose(0..10) + "\n{\"contents\":[\n" + &loose(10..20) + "[]";
    let ran = run(&input, &options("0.8")).unwrap();
    assert_eq!((ran.ledger.read, ran.ledger.written), (22, 20));
    assert_eq!(
        ran.ledger.rejected,
        BTreeMap::from([("S014", 1), ("S019", 1)])
    );
    assert_eq!(ran.ledger.notes, BTreeMap::from([("S002", 1)]));
    let rejects: Vec<Value> = ran
        .rejects
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let place = |reject: &Value| (reject["line"].as_u64(), reject["record"].as_u64());
    assert_eq!(place(&rejects[0]), (Some(12), Some(11)));
    assert_eq!(place(&rejects[1]), (Some(23), Some(22)));
    let lines = ran.stamps.iter().flatten().map(|stamp| stamp.line);
    let lines: BTreeSet<_> = lines.collect();
    assert_eq!(lines, (1..=10).chain(13..=22).collect());
}

#[test]
fn shuffling_changes_the_order_only() {
    let input = loose(0..300);
    for seed in [0, 1] {
        let plain = Options {
            seed,
            ..options("0.8,0.1,0.1")
        };
        let shuffled = Options {
            shuffle: true,
            ..plain.clone()
        };
        let plain = run(&input, &plain).unwrap();
        let shuffled = [(1 << 30, 1), (1 << 16, 3)]
            .map(|(memory, threads)| run_with(&input, &shuffled, memory, threads).unwrap());
        assert_eq!(shuffled[0], shuffled[1]);
        for (one, other) in plain.sides.iter().zip(&shuffled[0].sides) {
            let sorted = |lines: &str| -> Vec<String> {
                let mut lines: Vec<_> = lines.lines().map(String::from).collect();
                lines.sort();
                lines
            };
            assert_ne!(one, other);
            assert_eq!(sorted(one), sorted(other));
        }
        for (side, stamps) in shuffled[0].sides.iter().zip(&shuffled[0].stamps) {
            for (line, stamp) in side.lines().zip(stamps) {
                let of_input = input.lines().nth(stamp.line as usize - 1);
                assert_eq!(of_input, Some(line));
            }
        }
    }
}

#[test]
fn strata_have_the_ratio_each() {
    let groups = ["a", "b", "c"];
    let input: String = (0..300)
        .map(|n| line(&[&n.to_string(), &format!("{n}?")], groups[n * n % 7 % 3]))
        .collect();
    let options = Options {
        stratify: Some(Stratify::Pointer("/labels/group".parse().unwrap())),
        ..options("0.8")
    };
    let ran = run(&input, &options).unwrap();
    for group in groups {
        let has = |side: usize| {
            let lines = ran.sides[side].lines();
            lines
                .filter(|line| line.contains(&format!("{{\"group\":\"{group}\"}}")))
                .count() as f64
        };
        let (train, validation) = (has(0), has(1));
        assert!(
            (validation - (train + validation) * 0.2).abs() <= 1.0,
            "{group}"
        );
    }
}

#[test]
fn tokens_are_what_is_split() {
    let input: String = (0..400)
        .map(|n| {
            let prompt = "word ".repeat(1 + n * n % 50) + &n.to_string();
            line(&[&prompt, &format!("{n}?")], "")
        })
        .collect();
    let options = Options {
        by: By::Tokens,
        ..options("0.9")
    };
    let ran = run(&input, &options).unwrap();
    let words = |side: usize| ran.sides[side].matches("word").count() as f64;
    let share = words(1) / (words(0) + words(1));
    assert!((0.09..0.11).contains(&share), "{share}");
}

#[test]
fn ratios_add_up() {
    let shares = |text: &str| text.parse::<Ratio>().map(Ratio::shares).ok();
    assert_eq!(shares("0.9"), Some(vec![0.9, 0.1]));
    assert_eq!(shares("0.8, 0.1, 0.1"), Some(vec![0.8, 0.1, 0.1]));
    assert_eq!(
        shares("0.334,0.333,0.333").map(|shares| shares.len()),
        Some(3)
    );
    for wrong in [
        "1",
        "0",
        "90",
        "0.9,0.2",
        "0.5,0.5,0",
        "x",
        "",
        "0.25,0.25,0.25,0.25",
    ] {
        assert_eq!(shares(wrong), None, "{wrong}");
    }
}

/// Numbers that few have, so that they tie.
fn small() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..400_usize, 1 => 0..6_usize]
}

/// Examples as prompt, answer and group, which tie them if they are equal.
fn examples() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    proptest::collection::vec((small(), small(), small()), 2..120)
}

fn lines(examples: &[(usize, usize, usize)]) -> Vec<String> {
    let line = |(n, &(prompt, answer, group)): (usize, &(usize, usize, usize))| {
        // No two lines are equal: white space does not count.
        let prompt = format!("p{prompt}{}", " ".repeat(n));
        line(&[&prompt, &format!("a{answer}")], &format!("g{group}"))
    };
    examples.iter().enumerate().map(line).collect()
}

/// The atoms by their definition: examples with one number.
fn atoms_of(examples: &[(usize, usize, usize)]) -> Vec<usize> {
    let n = examples.len();
    let has = |of: fn(&(usize, usize, usize)) -> usize, value| {
        examples
            .iter()
            .filter(|example| of(example) == value)
            .count()
    };
    let mut root: Vec<usize> = (0..n).collect();
    loop {
        let before = root.clone();
        for i in 0..n {
            for j in 0..n {
                let (one, other) = (&examples[i], &examples[j]);
                let is_label = has(|example| example.1, one.1) > 10;
                let is_tied =
                    one.0 == other.0 || one.2 == other.2 || (one.1 == other.1 && !is_label);
                if is_tied {
                    let least = root[i].min(root[j]);
                    (root[i], root[j]) = (least, least);
                }
            }
        }
        if root == before {
            return root;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sides_are_disjoint_cover_and_share_nothing(
        examples in examples(),
        ratio in prop_oneof![Just("0.9"), Just("0.5"), Just("0.8,0.1,0.1"), Just("0.6,0.3,0.1")],
        seed in 0..4_u64,
    ) {
        let lines = lines(&examples);
        let options = Options {
            seed,
            group: Some("/labels/group".parse().unwrap()),
            ..options(ratio)
        };
        let root = atoms_of(&examples);
        let n_atoms = root.iter().collect::<BTreeSet<_>>().len();
        let ran = match run(&lines.concat(), &options) {
            Ok(ran) => ran,
            Err(SplitError::TooFewAtoms { atoms, sides, .. }) => {
                prop_assert_eq!(atoms as usize, n_atoms);
                prop_assert!(n_atoms < sides);
                return Ok(());
            }
            Err(error) => panic!("{error}"),
        };
        let sides = ran.side_of();
        prop_assert_eq!(sides.len(), lines.len());
        prop_assert_eq!(ran.sides.iter().map(|side| side.lines().count()).sum::<usize>(), lines.len());
        // Each side is in the order of the input.
        for (n, side) in ran.sides.iter().enumerate() {
            let expected: String = lines.iter().filter(|line| sides[line.trim_end()] == n).map(String::as_str).collect();
            prop_assert_eq!(side, &expected);
            prop_assert!(!side.is_empty());
        }
        let side: Vec<_> = lines.iter().map(|line| sides[line.trim_end()]).collect();
        for n in 0..lines.len() {
            prop_assert_eq!(side[n], side[root[n]]);
        }
        prop_assert_eq!(ran.proof.atoms.atoms as usize, n_atoms);
        let largest = (0..lines.len()).map(|n| root.iter().filter(|&&of| of == n).count()).max();
        let largest = largest.unwrap() as f64;
        prop_assert_eq!(ran.proof.atoms.largest as f64, largest);
        let most = if ran.sides.len() == 2 { largest } else { 2.0 * largest };
        for ((_, has), share) in ran.proof.sides.iter().zip(&ran.proof.ratio) {
            let wanted = lines.len() as f64 * share;
            prop_assert!((*has as f64 - wanted).abs() <= most, "{has} of {wanted}, the largest is {largest}");
        }
    }

    /// What is appended and not tied to what was there moves nothing; what
    /// makes an atom grow moves nothing that begins before it.
    #[test]
    fn sides_of_earlier_atoms_depend_on_earlier_atoms_only(
        sizes in proptest::collection::vec(prop_oneof![8 => 1..4_u64, 1 => 1..60_u64], 1..400),
        keys in any::<u64>(),
        ratio in prop_oneof![Just("0.9"), Just("0.5"), Just("0.8,0.1,0.1"), Just("0.3,0.7")],
        at in any::<prop::sample::Index>(),
        grown in 1..30_u64,
        n_kept in any::<prop::sample::Index>(),
    ) {
        let sides = |sizes: &[u64]| -> Vec<Side> {
            let mut quotas = Quotas::new(ratio.parse().unwrap(), NO_LIMIT);
            let atoms = (0..).zip(sizes).map(|(n, &size)| Atom {
                key: crate::text::shingles::mix(keys.wrapping_add(n)),
                weight: size,
                examples: size,
                stratum: 0,
            });
            atoms.map(|atom| quotas.side_of(&atom)).collect()
        };
        let all = sides(&sizes);
        let n_kept = n_kept.index(sizes.len());
        prop_assert_eq!(&sides(&sizes[..n_kept])[..], &all[..n_kept]);
        let at = at.index(sizes.len());
        let mut bigger = sizes.clone();
        bigger[at] += grown;
        let after = sides(&bigger);
        prop_assert_eq!(&after[..at], &all[..at]);

        // The ratio, at any time.
        let parts = ratio.parse::<Ratio>().unwrap().parts;
        let (mut has, mut total, mut largest) = ([0_u64; 3], 0, 0);
        for (&size, &side) in sizes.iter().zip(&all) {
            has[side as usize] += size;
            total += size;
            largest = size.max(largest);
            let most = if parts[2] == 0 { largest } else { 2 * largest };
            for (has, part) in has.iter().zip(parts) {
                let wanted = total * u64::from(part);
                let off = (has * u64::from(WHOLE)).abs_diff(wanted);
                prop_assert!(off <= most * u64::from(WHOLE), "{off} of {most}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn memory_and_threads_do_not_matter(
        examples in examples(),
        repeats in 1..5_usize,
        memory in prop_oneof![1..5000_u64, Just(1 << 16)],
        threads in 1..4_usize,
    ) {
        let input = lines(&examples).concat().repeat(repeats);
        let options = Options {
            near: Threshold::new(0.8),
            ..options("0.7")
        };
        let (one, other) = (run(&input, &options), run_with(&input, &options, memory, threads));
        match (one, other) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
            (one, other) => prop_assert_eq!(one.unwrap_err().to_string(), other.unwrap_err().to_string()),
        }
    }
}

#[test]
fn appending_moves_nothing() {
    let old = loose(0..1000);
    let grown = old.clone() + &loose(1000..1700);
    for (ratio, near) in [("0.9", None), ("0.7,0.2,0.1", Threshold::new(0.95))] {
        let options = Options {
            near,
            ..options(ratio)
        };
        let (before, after) = (run(&old, &options).unwrap(), run(&grown, &options).unwrap());
        let after = after.side_of();
        for (line, side) in before.side_of() {
            assert_eq!(after[line], side, "{line}");
        }
    }
}

#[test]
fn an_atom_that_grows_moves_few_others() {
    // Every tenth of 5000 atoms grows by one, which was appended.
    let key = crate::text::shingles::mix;
    let sides = |size: fn(u64) -> u64| -> Vec<Side> {
        let mut quotas = Quotas::new("0.9".parse().unwrap(), NO_LIMIT);
        let atoms = (0..5000).map(|n| Atom {
            key: key(n),
            weight: size(n),
            examples: size(n),
            stratum: 0,
        });
        atoms.map(|atom| quotas.side_of(&atom)).collect()
    };
    let before = sides(|n| 1 + n % 3);
    let after = sides(|n| 1 + n % 3 + u64::from(n % 10 == 7));
    let moved = before
        .iter()
        .zip(&after)
        .filter(|(one, other)| one != other);
    let n_moved = moved.count();
    assert!(n_moved < 300, "{n_moved}");
    let n_validation = before
        .iter()
        .filter(|side| **side == Side::Validation)
        .count();
    assert!((400..600).contains(&n_validation), "{n_validation}");
}

#[test]
fn another_seed_is_another_split() {
    let input = loose(0..200);
    let sides = |seed| {
        let options = Options {
            seed,
            ..options("0.8")
        };
        run(&input, &options).unwrap().sides
    };
    assert_ne!(sides(1), sides(2));
    assert_eq!(sides(1), sides(1));
}

#[test]
fn the_proof_finds_what_a_plan_has_parted() {
    let long = "How do I cancel the order that I placed here yesterday";
    let (one, other) = (format!("{long} evening?"), format!("{long} morning?"));
    let input = line(&[&one, "So."], "") + &line(&[&other, "No."], "");
    let planned = options("0.5");
    scene(&planned, 1 << 30, 2, |sinks, means| {
        let input = Input::from_bytes("in.jsonl", input.into_bytes()).unwrap();
        // A plan that does not look for near-duplicates parts two of them.
        let atoms = atoms::read(input, &planned, means).unwrap();
        let sides = quota::assign(&atoms, &planned).unwrap();
        let written = write::write(&atoms, &sides, &planned, sinks, means).unwrap();
        let near = Options {
            near: Threshold::new(0.8),
            ..planned.clone()
        };
        for (asked, n) in [(&planned, 0), (&near, 1)] {
            let (overlap, missed) =
                proof::check((&atoms, &sides), &written, asked, sinks, means, 1).unwrap();
            assert_eq!((overlap.near, missed.len() as u64), (n, n));
            assert!(missed.iter().all(|pair| *pair == ((0, 0), (1, 0))));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever a plan has parted: what the files have in common is seen without
    /// reading them as a dataset.
    #[test]
    fn what_is_settled_is_what_is_counted(
        examples in examples(),
        moved in proptest::collection::vec(any::<(prop::sample::Index, bool)>(), 0..3),
        // A line of a file, and what becomes of it.
        changed in proptest::option::weighted(0.2, any::<(bool, bool, prop::sample::Index)>()),
        has_near in any::<bool>(),
        shuffle in any::<bool>(),
    ) {
        let options = Options {
            near: Threshold::new(0.8).filter(|_| has_near),
            group: Some("/labels/group".parse().unwrap()),
            shuffle,
            ..options("0.7")
        };
        scene(&options, 1 << 30, 2, |sinks, means| {
            let input = lines(&examples).concat().into_bytes();
            let input = Input::from_bytes("in.jsonl", input).unwrap();
            let atoms = atoms::read(input, &options, means).unwrap();
            let Ok(mut sides) = quota::assign(&atoms, &options) else { return Ok(()) };
            for (line, side) in moved {
                let line = line.index(sides.of.len());
                sides.of[line] = u8::from(side);
            }
            let written = write::write(&atoms, &sides, &options, sinks, means).unwrap();
            if let Some((of_validation, is_gone, line)) = changed {
                // A line that is another one, or not there.
                let path = crate::io::partial_path(&sinks.sides[usize::from(of_validation)].data);
                let text = std::fs::read_to_string(&path).unwrap();
                let mut lines: Vec<&str> = text.lines().collect();
                prop_assume!(!lines.is_empty());
                let line = line.index(lines.len());
                if is_gone {
                    lines.remove(line);
                } else {
                    lines[line] = "{\"contents\":[{\"role\":\"user\",\"parts\":[]}]}";
                }
                std::fs::write(&path, lines.join("\n")).unwrap();
                prop_assert!(!proof::is_settled(&atoms, &sides, &written, &options, sinks, means).unwrap());
                return Ok(());
            }
            let is_settled = proof::is_settled(&atoms, &sides, &written, &options, sinks, means).unwrap();
            let (overlap, missed) = proof::count(&written, &options, sinks, means, 1).unwrap();
            prop_assert_eq!(is_settled, overlap.is_nothing());
            prop_assert!(missed.is_empty() || !is_settled);
            Ok(())
        })?;
    }
}
