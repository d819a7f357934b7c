use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::Measure;
use crate::rules::tests::lines_of_pages;
use crate::text::tokens::Tokenizer;

/// What a run is like.
#[derive(Debug, Clone, Copy)]
struct How {
    threads: usize,
    block_bytes: usize,
    memory: u64,
    near: Option<f64>,
}

const USUAL: How = How {
    threads: 1,
    block_bytes: 1 << 20,
    memory: 1 << 30,
    near: None,
};

fn run(texts: &[&[u8]], how: How) -> Stats {
    let directory = tempfile::tempdir().unwrap();
    let inputs = texts.iter().zip(0..);
    let inputs = inputs.map(|(text, n)| Input::from_bytes(format!("{n}.jsonl"), text.to_vec()));
    let run = StatsRun {
        check: CheckRun {
            pool: &ordered::pool(NonZeroUsize::new(how.threads).unwrap()).unwrap(),
            memory: how.memory,
            scratch: &directory.path().join("x"),
            cap: 100,
            block_bytes: how.block_bytes,
            stop: &AtomicBool::new(false),
        },
        context: &Context::default(),
        levels: &Levels::default(),
        measure: Measure::Vocabulary(Tokenizer::gemma4()),
        most: 4,
        shown: 20,
        near: how.near.and_then(Threshold::new),
    };
    stats(inputs.collect::<Result<Vec<_>, _>>().unwrap(), &run).unwrap()
}

fn example(system: Option<&str>, user: &str, model: &str) -> String {
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let mut example = json!({"contents": [turn("user", user), turn("model", model)]});
    if let Some(system) = system {
        example["systemInstruction"] = json!({"parts": [{"text": system}]});
    }
    format!("{example}\n")
}

/// Everything that is told, but for where it stands.
fn numbers(stats: &Stats) -> String {
    let often = |frequent: &Frequent| {
        let most = frequent.most.iter().map(|often| often.examples);
        (
            frequent.examples,
            frequent.different,
            most.collect::<Vec<_>>(),
        )
    };
    let common = &stats.frequent;
    format!(
        "{:?}",
        (
            (
                stats.examples,
                stats.blank,
                stats.not_examples,
                stats.with_completions
            ),
            (
                stats.tokens,
                stats.billed,
                stats.longest.map(|(_, longest)| longest.tokens)
            ),
            (&stats.histograms, stats.ratios.summary()),
            stats.scripts.each_ref().map(Scripts::by_letters),
            [
                &common.systems,
                &common.answers,
                &common.prompt_openings,
                &common.answer_openings
            ]
            .map(often),
            (
                stats.duplicates.exact + stats.duplicates.normalised,
                stats.duplicates.clusters
            ),
            stats.duplicates.conflicting_prompts,
            &stats.languages,
        )
    )
}

/// Everything that is told.
fn all(stats: &Stats) -> String {
    format!(
        "{} {:?}",
        numbers(stats),
        (
            (
                &stats.frequent,
                &stats.duplicates,
                &stats.near,
                &stats.points,
                &stats.shown,
                &stats.others
            ),
            stats
                .files
                .iter()
                .map(|file| (&file.name, file.start, &file.first_not_example))
                .collect::<Vec<_>>(),
            stats.dropped(),
        )
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_told_depends_on_the_text_alone(
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
        threads in 1..4_usize,
        block_bytes in prop_oneof![1..300_usize, Just(1 << 20)],
        memory in prop_oneof![Just(1_u64), Just(1 << 30)],
    ) {
        let lines = lines_of_pages();
        let mut text = Vec::new();
        for pick in &picks {
            text.extend_from_slice(pick.get::<Vec<u8>>(&lines));
            text.push(b'\n');
        }
        let near = Some(0.8);
        let usual = run(&[&text], How { near, ..USUAL });
        let lines: u64 = usual.files.iter().map(|file| file.checked.lines).sum();
        prop_assert_eq!(lines, usual.examples + usual.blank + usual.not_examples);
        let other = run(&[&text], How { threads, block_bytes, memory, near });
        prop_assert_eq!(all(&other), all(&usual));
    }

    #[test]
    fn the_order_of_files_changes_no_number(
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let lines = lines_of_pages();
        let lines: Vec<_> = picks.iter().map(|pick| pick.get::<Vec<u8>>(&lines)).collect();
        let (one, other) = lines.split_at(cut.index(lines.len() + 1));
        let text = |lines: &[&Vec<u8>]| -> Vec<u8> {
            lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
        };
        let (one, other) = (text(one), text(other));
        let forth = run(&[&one, &other], USUAL);
        let back = run(&[&other, &one], USUAL);
        prop_assert_eq!(numbers(&forth), numbers(&back));
    }
}

#[test]
fn texts_are_counted_and_found_again() {
    let text: String = [
        example(Some("Be kind."), "Translate to Spanish: cat", "gato"),
        example(Some("Be kind."), "Translate to Spanish: dog", "perro"),
        example(None, "Hi", "gato"),
        example(None, "Hi", "perro"),
        example(None, "hi", "gato"),
        example(None, "Hi", "gato"),
        "\n{}\n".into(),
    ]
    .concat();
    let stats = run(&[text.as_bytes(), b""], USUAL);
    assert_eq!((stats.examples, stats.blank, stats.not_examples), (6, 1, 1));
    let first = stats.files[0].first_not_example.as_ref().unwrap();
    assert_eq!(first.line, 8);
    let often = |frequent: &Frequent| -> Vec<(u64, u64, String)> {
        let most = frequent.most.iter();
        most.map(|often| (often.examples, often.first, often.text.clone()))
            .collect()
    };
    let common = &stats.frequent;
    assert_eq!(
        often(&common.answers),
        [(4, 0, "gato".into()), (2, 1, "perro".into())]
    );
    assert_eq!(often(&common.systems), [(2, 0, "Be kind.".into())]);
    assert_eq!(
        often(&common.prompt_openings),
        [
            (3, 2, "Hi".into()),
            (2, 0, "Translate to Spanish".into()),
            (1, 4, "hi".into())
        ]
    );
    let duplicates = &stats.duplicates;
    assert_eq!((duplicates.exact, duplicates.normalised), (1, 1));
    assert_eq!(
        (duplicates.clusters, duplicates.conflicting_prompts),
        (1, 1)
    );
    assert_eq!(duplicates.largest[0].places, [2, 4, 5]);
    assert_eq!(stats.histograms.turns.summary().median, 2);
    assert_eq!(stats.histograms.system_tokens.n(), 2);
    let ratios = stats.ratios.summary();
    assert_eq!((ratios.min, ratios.max), (4000 / 25, 2500));
}

#[test]
fn examples_of_findings_are_shown_and_secrets_are_not() {
    let key = format!("AIza{}", "SyD4f8Kq2Lm9Xw7Rt5Zv1Bn3Hj6Pc0UgYeA");
    let mut text: String = (0..300)
        .map(|n| {
            example(
                None,
                &format!("What is {n} and {n}?"),
                &format!("It is {}.", 2 * n),
            )
        })
        .collect();
    text += &example(None, &format!("Use the key {key} for it"), "I will.");
    text += &format!("{{\"contents\": broken {key}\n");
    let stats = run(&[text.as_bytes()], USUAL);
    assert_eq!(stats.shown.len(), 20);
    let broken = stats.shown.iter().find(|shown| shown.is_broken).unwrap();
    assert!(broken.texts[0].text.starts_with("{\"contents\": broken "));
    assert!(
        !broken.texts[0].text.contains(&key),
        "{}",
        broken.texts[0].text
    );
    let shown = stats.shown.iter().find(|shown| shown.place == 300).unwrap();
    assert!(shown.codes.contains(&"E073"), "{:?}", shown.codes);
    assert!(shown.texts[0].text.starts_with("Use the key "));
    assert!(
        !shown.texts[0].text.contains(&key),
        "{}",
        shown.texts[0].text
    );
    assert_eq!(stats.line_of(300).1, 301);
    assert_eq!(stats.points.len(), 301);
}

#[test]
fn a_line_beyond_the_limit_is_shown_in_part() {
    let mut text = example(None, "short", "one").into_bytes();
    text.extend(std::iter::repeat_n(b'x', (16 << 20) + 1));
    text.extend_from_slice(b"\n\xef\xbb\xbf");
    let stats = run(&[b"\xef\xbb\xbf", &text], USUAL);
    assert_eq!((stats.examples, stats.not_examples), (1, 2));
    let long = &stats.shown[1];
    assert!(long.is_broken && long.texts[0].is_cut);
    assert_eq!(long.texts[0].text.len(), TEXT_SHOWN);
    let empty = run(&[b"", b"\n\n"], USUAL);
    assert_eq!((empty.examples, empty.blank), (0, 2));
}

/// The most characters of a text.
const TEXT_SHOWN: usize = 1200;

#[test]
fn near_duplicates_are_shown_as_pairs() {
    let text = [
        example(
            None,
            "Please open the window in the kitchen.",
            "I have opened the window in the kitchen.",
        ),
        example(
            None,
            "Please open the window in the kitchen!",
            "I have opened the window in the kitchens.",
        ),
        example(
            None,
            "Something else altogether, on ships",
            "And of sealing wax",
        ),
    ]
    .concat();
    let stats = run(
        &[text.as_bytes()],
        How {
            near: Some(0.8),
            ..USUAL
        },
    );
    let near = stats.near.as_ref().unwrap();
    assert_eq!(near.examples, 1);
    let pair = near.least_similar[0];
    assert_eq!((pair.kept, pair.dropped), (0, 1));
    assert!(pair.similarity >= 0.8 && stats.shown_at(1).is_some());
    assert_eq!(run(&[text.as_bytes()], USUAL).near, None);
}
