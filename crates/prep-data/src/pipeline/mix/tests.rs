//! Laws of mixtures, and cases that show what leaks.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::io::{Passport, Sha256Wanted, Stamp};
use crate::pipeline::ordered;

fn options() -> Options {
    Options {
        by: By::Examples,
        total: None,
        seed: 0,
        repeats: false,
        near: Threshold::new(0.8),
    }
}

fn of(total: u64) -> Options {
    Options {
        total: Some(total),
        ..options()
    }
}

/// What a run left behind.
#[derive(Debug, PartialEq)]
struct Ran {
    lines: Vec<String>,
    stamps: Vec<Stamp>,
    rejects: Vec<Value>,
    ledger: Ledger,
    shares: Vec<Share>,
}

impl Ran {
    fn set(&self) -> BTreeSet<&str> {
        self.lines.iter().map(String::as_str).collect()
    }

    /// The rejects as `source:line code message`.
    fn told(&self) -> Vec<String> {
        let told = |reject: &Value| {
            let text = |name| reject[name].as_str().unwrap().to_owned();
            let place = format!("{}:{}", text("source"), reject["line"]);
            format!("{place} {} {}", text("code"), text("message"))
        };
        self.rejects.iter().map(told).collect()
    }
}

fn run_with(
    sources: &[(&str, f64)],
    against: &[&str],
    options: &Options,
    (memory, threads): (u64, usize),
) -> Result<Ran, MixError> {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let pool = ordered::pool(NonZeroUsize::new(threads).unwrap()).unwrap();
    let means = Means {
        pool: &pool,
        memory,
        target: &path("mixed"),
        stop: &AtomicBool::new(false),
    };
    let input = |name: String, text: &str| Input::from_bytes(name, text.as_bytes().to_vec());
    let named = sources
        .iter()
        .zip('a'..)
        .map(|((text, weight), name)| Source {
            input: input(name.into(), text).unwrap(),
            weight: *weight,
        });
    let held = against.iter().zip('v'..);
    let held = held.map(|(text, name)| input(name.into(), text).unwrap());
    let rejects = path("rejects");
    let sinks = || {
        Ok(Sinks {
            data: OutputWriter::create(&path("mixed"), Sha256Wanted::No)?,
            passport: Some(OutputWriter::create(&path("passport"), Sha256Wanted::No)?),
            rejects: Some(&rejects),
        })
    };
    let outcome = mix(named.collect(), held.collect(), options, sinks, &means)?;
    assert!(outcome.ledger.adds_up(), "{:?}", outcome.ledger);
    outcome.data.persist().unwrap();
    let passport = outcome.passport.unwrap();
    let passport = passport.finish(outcome.origins, outcome.steps).unwrap();
    passport.finish().unwrap().persist().unwrap();
    if let Some(rejects) = outcome.rejects {
        rejects.persist().unwrap();
    }
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut stamps = Vec::new();
    let mut passport = Passport::open(&path("passport")).unwrap();
    let each = |stamp| {
        stamps.push(stamp);
        Ok(())
    };
    passport.for_each(each).unwrap();
    let lines: Vec<_> = read(path("mixed")).lines().map(str::to_owned).collect();
    assert_eq!(lines.len() as u64, outcome.examples);
    let rejects = read(rejects.clone());
    let rejects = rejects
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    Ok(Ran {
        lines,
        stamps,
        rejects: rejects.collect(),
        ledger: outcome.ledger,
        shares: outcome.shares,
    })
}

fn run(sources: &[(&str, f64)], against: &[&str], options: &Options) -> Result<Ran, MixError> {
    run_with(sources, against, options, (1 << 20, 2))
}

fn line(turns: &[&str]) -> String {
    let turn = |(n, text): (usize, &&str)| {
        let role = ["user", "model"][n % 2];
        json!({"role": role, "parts": [{"text": text}]})
    };
    let turns: Vec<_> = turns.iter().enumerate().map(turn).collect();
    json!({"contents": turns}).to_string() + "\n"
}

/// A set of examples that have nothing to do with each other.
fn set(name: &str, n: usize) -> String {
    let words = |n: usize| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let example = |n: usize| {
        let said = words(n + name.len());
        line(&[&format!("{name} {said}"), &format!("{said} {n} {name}?")])
    };
    (0..n).map(example).collect()
}

#[test]
fn shares_are_met_to_within_an_example() {
    let (a, b, c) = (set("one", 60), set("two", 50), set("three", 40));
    let sources = [(&*a, 3.0), (&*b, 2.0), (&*c, 1.0)];
    let examples = |ran: &Ran| {
        ran.shares
            .iter()
            .map(|share| share.examples)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        examples(&run(&sources, &[], &of(60)).unwrap()),
        [30, 20, 10]
    );
    assert_eq!(
        examples(&run(&sources, &[], &of(61)).unwrap()),
        [31, 20, 10]
    );
    assert_eq!(examples(&run(&sources, &[], &of(1)).unwrap()), [1, 0, 0]);
    // As much as there can be: all of the first, and what belongs to it.
    let most = run(&sources, &[], &options()).unwrap();
    assert_eq!(examples(&most), [60, 40, 20]);
    assert_eq!(most.ledger.dropped["D006"], 30);
    assert_eq!(most.shares[1].dropped["D006"], 10);
    assert!(most.rejects.is_empty());
    // The first is taken whole, whatever rounding does to the total.
    let odd = run(&[(&a, 0.97), (&b, 0.03)], &[], &options()).unwrap();
    assert_eq!(examples(&odd), [60, 2]);
}

#[test]
fn sources_take_turns() {
    let (a, b) = (set("one", 90), set("two", 90));
    let ran = run(&[(&a, 2.0), (&b, 1.0)], &[], &of(90)).unwrap();
    let mut n_first = 0;
    for (line, n) in ran.lines.iter().zip(1..) {
        n_first += usize::from(line.contains("one"));
        assert!((3 * n_first).abs_diff(2 * n) <= 3, "{n_first} of {n}");
    }
    // Each in its own order.
    let of_first = ran.lines.iter().filter(|line| line.contains("one"));
    let places = of_first.map(|line| a.find(line.as_str()).unwrap());
    assert!(places.is_sorted());
}

#[test]
fn a_source_with_too_little_is_told_or_repeated() {
    let (a, b) = (set("one", 20), set("two", 3));
    let sources = [(&*a, 1.0), (&*b, 1.0)];
    let error = run(&sources, &[], &of(20)).unwrap_err();
    let expected = "`b` has 3 examples that can be drawn, its share is 10";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(error, MixError::TooLittle { most: 7, .. }));
    assert_eq!(run(&sources, &[], &of(7)).unwrap().lines.len(), 7);

    let repeats = Options {
        repeats: true,
        ..of(20)
    };
    let ran = run(&sources, &[], &repeats).unwrap();
    let mut times = BTreeMap::<_, usize>::new();
    ran.lines
        .iter()
        .for_each(|line| *times.entry(line).or_default() += 1);
    let of_second = times.iter().filter(|(line, _)| line.contains("two"));
    let mut of_second: Vec<_> = of_second.map(|(_, n)| *n).collect();
    of_second.sort_unstable();
    assert_eq!(of_second, [3, 3, 4]);
    assert_eq!((ran.shares[1].written, ran.shares[1].examples), (3, 10));
    // Each still knows where it came from.
    let second: Vec<_> = b.lines().collect();
    for (line, stamp) in ran.lines.iter().zip(&ran.stamps) {
        if line.contains("two") {
            assert_eq!(second[stamp.line as usize - 1], line);
        }
    }

    let whole = Options {
        repeats: true,
        ..options()
    };
    assert_eq!(run(&sources, &[], &whole).unwrap().lines.len(), 40);
    let often = Options {
        repeats: true,
        ..of(1000)
    };
    let error = run(&sources, &[], &often).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`b` would be taken 167 times, the limit is 100"
    );
}

#[test]
fn what_repeats_is_left_out() {
    let a = line(&["Hello there", "Hola"]) + &line(&["Good night", "Buenas noches"]);
    let b = line(&["hello  there", "Hola"])
        + &line(&["Good night", "Buenas noches"])
        + &line(&["Good night", "Buenas"])
        + "nothing\n\n"
        + &line(&["Good morning", "Buenos días"])
        + &line(&["Good morning", "Buenos días"]);
    let ran = run(&[(&a, 1.0), (&b, 1.0)], &[], &options()).unwrap();
    assert_eq!(ran.lines.len(), 4);
    assert_eq!(
        ran.told(),
        [
            "b:1 D003 but for case, spacing or typography it repeats `a:1`",
            "b:2 D001 it repeats `a:2`",
            "b:4 S014 expected a value, found `nothing`",
            "b:7 D001 it repeats line 6",
        ]
    );
    assert_eq!(ran.ledger.read, 8);
    assert_eq!(ran.ledger.notes["S002"], 1);
}

#[test]
fn nothing_leaks_into_what_is_held_against_it() {
    let long = "The quick brown fox jumps over the lazy dog near the river bank today";
    let near = "The quick brown fox jumps over the lazy dog near the river bank again";
    let answer = "A whole sentence that nobody would ever write twice by accident";
    let held = line(&[long, "One"])
        + &line(&["Which?", answer])
        + &line(&["a", "b", "c", "d"])
        + &line(&["yes or no, the seventh time", "yes"]);
    let source = line(&[&long.to_uppercase(), "Two"])
        + &line(&[near, "Three"])
        + &line(&["Another question", answer])
        + &line(&["a", "b"])
        + &line(&["Something else entirely", "yes or no"])
        + &line(&[&near.replace("again", "AGAIN"), "Four"]);
    let ran = run(&[(&source, 1.0)], &[&held], &options()).unwrap();
    assert_eq!(
        ran.told(),
        [
            "a:1 D002 its prompt is also in `v:1`",
            "a:2 D002 its prompt is like, or is linked to, that in `v:1`",
            "a:3 D002 its answer is also in `v:2`",
            "a:4 D002 its conversation is also in `v:3`",
            "a:6 D002 its prompt is like, or is linked to, that in `v:1`",
        ]
    );
    assert_eq!(ran.lines.len(), 1);
    let off = Options {
        near: None,
        ..options()
    };
    assert_eq!(
        run(&[(&source, 1.0)], &[&held], &off).unwrap().lines.len(),
        3
    );
    let error = run(&[(&held, 1.0)], &[&held], &options()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a` has no example that can be drawn: all 4 are left out"
    );
}

#[test]
fn tokens_are_what_is_drawn() {
    let short: String = (0..200).map(|n| line(&[&format!("q{n}"), "a"])).collect();
    let text = "a rather long answer that goes on for some words ".repeat(5);
    let long: String = (0..50)
        .map(|n| line(&[&format!("question {n}"), &format!("{text}{n}")]))
        .collect();
    let tokens = Options {
        by: By::Tokens,
        ..of(1000)
    };
    let ran = run(&[(&short, 1.0), (&long, 1.0)], &[], &tokens).unwrap();
    for share in &ran.shares {
        let off = share.tokens.unwrap().abs_diff(500);
        assert!(off <= 60, "{share:?}");
    }
    assert!(ran.shares[0].examples > 5 * ran.shares[1].examples);
}

fn sources() -> impl Strategy<Value = Vec<(String, u32)>> {
    let example = (0_u8..30, 0_u8..4, any::<bool>());
    let lines = prop::collection::vec(example, 1..25).prop_map(|examples| {
        let text = |(prompt, answer, shout): (u8, u8, bool)| {
            let prompt = format!("Question number {prompt}, of {} letters", prompt % 7);
            let prompt = if shout { prompt.to_uppercase() } else { prompt };
            line(&[
                &prompt,
                &format!("{answer} is the answer to that question, I think"),
            ])
        };
        examples.into_iter().map(text).collect::<String>()
    });
    prop::collection::vec((lines, 1_u32..5), 1..4)
}

fn weighted(sources: &[(String, u32)]) -> Vec<(&str, f64)> {
    let weighted = sources.iter();
    weighted
        .map(|(text, weight)| (&**text, f64::from(*weight)))
        .collect()
}

fn conversation(line: &str) -> String {
    line.to_lowercase()
}

fn prompt(line: &str) -> String {
    let example: Value = serde_json::from_str(line).unwrap();
    let prompt = &example["contents"][0]["parts"][0]["text"];
    prompt.as_str().unwrap().to_lowercase()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_mixture_says_nothing_twice_and_has_its_shares(
        sources in sources(), held in sources(), seed: u64,
    ) {
        let held = held[0].0.lines().take(3).map(|line| line.to_owned() + "\n").collect::<String>();
        let options = Options { seed, near: None, ..options() };
        let Ok(ran) = run(&weighted(&sources), &[&held], &options) else {
            return Ok(());
        };
        let said: BTreeSet<_> = ran.lines.iter().map(|line| conversation(line)).collect();
        prop_assert_eq!(said.len(), ran.lines.len());
        let held: BTreeSet<_> = held.lines().map(prompt).collect();
        prop_assert!(ran.lines.iter().all(|line| !held.contains(&prompt(line))));
        let all: f64 = sources.iter().map(|source| f64::from(source.1)).sum();
        for (share, (text, weight)) in ran.shares.iter().zip(&sources) {
            let exact = f64::from(*weight) / all * ran.lines.len() as f64;
            prop_assert!((share.examples as f64 - exact).abs() < 1.0, "{:?}", share);
            prop_assert_eq!(share.read, text.lines().count() as u64);
        }
        for (line, stamp) in ran.lines.iter().zip(&ran.stamps) {
            prop_assert_eq!(stamp.fingerprint, crate::io::passport::fingerprint(line.as_bytes()));
        }
    }

    #[test]
    fn memory_and_threads_do_not_matter(sources in sources(), held in sources()) {
        let weighted = weighted(&sources);
        let held = &*held[0].0;
        let plain = run_with(&weighted, &[held], &options(), (1 << 30, 1));
        let small = run_with(&weighted, &[held], &options(), (1 << 10, 4));
        match (plain, small) {
            (Ok(plain), Ok(small)) => prop_assert_eq!(plain, small),
            (plain, small) => prop_assert_eq!(
                plain.unwrap_err().to_string(), small.unwrap_err().to_string()
            ),
        }
    }

    #[test]
    fn a_smaller_mixture_is_part_of_a_larger_one(sources in sources(), seed: u64) {
        let weighted = weighted(&sources);
        let options = |total| Options { seed, total, ..options() };
        let Ok(large) = run(&weighted, &[], &options(None)) else { return Ok(()) };
        let n = large.lines.len() as u64;
        let small = run(&weighted, &[], &options(Some(n.div_ceil(2)))).unwrap();
        // Rounding may give one source one example more, but not beyond what
        // the larger one has of it.
        for (small, large) in small.shares.iter().zip(&large.shares) {
            prop_assume!(small.examples <= large.examples);
        }
        prop_assert!(small.set().is_subset(&large.set()));
    }

    #[test]
    fn the_order_of_a_source_does_not_matter(n in 2_usize..40, total in 1_u64..20, seed: u64) {
        let text = set("some", n);
        let mut lines: Vec<_> = text.lines().collect();
        lines.reverse();
        let reversed = lines.join("\n");
        let options = Options { seed, ..of(total.min(n as u64)) };
        let one = run(&[(&text, 1.0)], &[], &options).unwrap();
        let other = run(&[(&reversed, 1.0)], &[], &options).unwrap();
        prop_assert_eq!(one.set(), other.set());
    }
}
