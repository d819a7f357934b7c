//! Real files of every format, from the outside.
//!
//! None of them is in this repository. What Python's own readers count in each
//! is kept in `fixtures/counts.tsv`; that is how many records `prep` has to
//! read, at any number of threads and any batch size.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use run::{Place, shared, text};
use serde_json::Value;

/// What has to be said about a file, since it does not say it itself.
const FLAGS: &[(&str, &[&str])] = &[
    (
        "chat/awesome-chatgpt-prompts.2025-01.csv",
        &["--src-column", "act", "--tgt-column", "prompt"],
    ),
    (
        "chat/banking77.test.csv",
        &["--src-column", "text", "--tgt-column", "category"],
    ),
    (
        "chat/data-juicer.demo-dataset.csv",
        &["--src-column", "text", "--tgt-column", "meta"],
    ),
    (
        "chat/data-juicer.demo-dataset.tsv",
        &["--src-column", "text", "--tgt-column", "meta"],
    ),
    (
        "chat/data-juicer.demo-dataset.jsonl",
        &["--src-column", "text", "--tgt-column", "meta"],
    ),
    (
        "chat/data-juicer.demo-dataset.parquet",
        &["--src-column", "text", "--tgt-column", "meta"],
    ),
];

/// The file that Python cannot count without a package: the same table as its
/// three sisters.
const PARQUET: (&str, u64) = ("chat/data-juicer.demo-dataset.parquet", 6);

/// Aligned files, the side of the prompt first.
const PAIRS: &[(&str, &str)] = &[
    (
        "parallel/moses/tatoeba.cmn-eng.cmn",
        "parallel/moses/tatoeba.cmn-eng.eng",
    ),
    (
        "parallel/moses/tatoeba.spa-eng.eng",
        "parallel/moses/tatoeba.spa-eng.spa",
    ),
];

/// What is not an example in these files, by code. All other files are taken
/// whole.
const REJECTED: &[(&str, &[(&str, u64)])] = &[
    // Conversations that begin with the assistant.
    ("chat/toy_chat_fine_tuning.openai.jsonl", &[("S022", 3)]),
    // Terms without a translation.
    ("parallel/csv/tico19.f_en-es_XX.csv", &[("S009", 306)]),
    // Fuzzy, untranslated and obsolete entries.
    ("parallel/po/python-docs-es.faq.general.po", &[("S023", 7)]),
    (
        "parallel/po/python-docs-es.library.functions.po",
        &[("S025", 2)],
    ),
    (
        "parallel/po/python-docs-es.library.stdtypes.po",
        &[("S023", 103), ("S024", 123), ("S025", 8)],
    ),
    (
        "parallel/po/python-docs-es.tutorial.controlflow.po",
        &[("S025", 1)],
    ),
    // Units with `state="needs-translation"` or `needs-review-translation`.
    ("parallel/xliff/mozilla-vpn.es_ES.xliff", &[("S024", 32)]),
    ("parallel/xliff/symfony-validators.ar.xlf", &[("S024", 6)]),
    (
        "parallel/xliff/symfony-validators.zh_CN.xlf",
        &[("S023", 9), ("S024", 6)],
    ),
    // Documents about mark-up, of which many have nothing but a source.
    (
        "parallel/xliff/oasis-2.1-valid/allExtensions.xlf",
        &[("S024", 2)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/everything-core.xlf",
        &[("S024", 3)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/sourceOnly.xlf",
        &[("S024", 1)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/testTranslateWithTarget.xlf",
        &[("S024", 3)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/toSegment.xlf",
        &[("S024", 3)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/toSegmentAndOrder.xlf",
        &[("S024", 1)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/typeSubTypeValues.xlf",
        &[("S024", 1)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/withCommentAnnotations.xlf",
        &[("S024", 1)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/withModulesAttributesInEc.xlf",
        &[("S024", 2)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/withReferences.xlf",
        &[("S024", 1)],
    ),
    (
        "parallel/xliff/oasis-2.1-valid/withTBXExtension.xlf",
        &[("S024", 1)],
    ),
];

/// Datasets with at most this many examples are traced line by line.
const TRACED_WHOLE: u64 = 120;

#[test]
fn chat_files_are_read_whole() {
    check_all("chat/");
}

#[test]
fn tables_and_aligned_files_are_read_whole() {
    check_all("parallel/csv/");
    check_all("parallel/tsv/");
    check_all("parallel/moses/");
}

#[test]
fn catalogues_are_read_whole() {
    check_all("parallel/po/");
}

#[test]
fn translation_memories_are_read_whole() {
    check_all("parallel/tmx/");
}

#[test]
fn localisation_files_are_read_whole() {
    check_all("parallel/xliff/");
}

#[test]
fn every_file_is_counted() {
    for folder in ["chat", "parallel"] {
        let Some(folder) = shared(folder) else { return };
        let data = folder.parent().unwrap();
        let found: BTreeSet<_> = run::files_below(&folder)
            .iter()
            .map(|path| {
                path.strip_prefix(data)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let folder = format!("{}/", folder.file_name().unwrap().display());
        let known: BTreeSet<_> = counts(&folder).into_iter().map(|(name, _)| name).collect();
        assert_eq!(known, found);
    }
}

/// How many records each file below a folder has.
fn counts(folder: &str) -> Vec<(String, u64)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/counts.tsv");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let counts = lines.map(|line| {
        let (name, count) = line.split_once('\t').unwrap();
        (name.to_owned(), count.parse().unwrap())
    });
    let more = [(PARQUET.0.to_owned(), PARQUET.1)];
    let counts = counts
        .chain(more)
        .filter(|(name, _)| name.starts_with(folder));
    counts.collect()
}

/// Converts every file below a folder, and looks at all that comes of it.
fn check_all(folder: &str) {
    if shared(folder).is_none() {
        return;
    }
    let counts = counts(folder);
    let failed: Vec<_> = counts
        .iter()
        .filter(|(name, _)| !is_second_side(name))
        .filter(|(name, count)| {
            std::panic::catch_unwind(|| check(name, *count))
                .inspect_err(|_| report(name))
                .is_err()
        })
        .map(|(name, _)| name)
        .collect();
    assert!(!counts.is_empty() && failed.is_empty(), "{failed:#?}");
}

#[expect(
    clippy::print_stderr,
    reason = "the file belongs to the panic above it"
)]
fn report(name: &str) {
    eprintln!("… in {name}");
}

/// The other side of a file, if it is one of an aligned pair.
fn second_side(name: &str) -> Option<&'static str> {
    let pair = PAIRS.iter().find(|(first, _)| *first == name);
    pair.map(|(_, second)| *second)
}

fn is_second_side(name: &str) -> bool {
    PAIRS.iter().any(|(_, second)| *second == name)
}

fn check(name: &str, count: u64) {
    let data = shared("").unwrap();
    let place = Place::new();
    let inputs: Vec<_> = std::iter::once(name)
        .chain(second_side(name))
        .map(|name| data.join(name).to_str().unwrap().to_owned())
        .collect();
    let flags = FLAGS.iter().find(|(known, _)| *known == name);
    let mut arguments: Vec<_> = inputs.iter().map(String::as_str).collect();
    arguments.extend(flags.map_or(&[][..], |(_, flags)| flags));

    let run = place.convert(&arguments);
    assert_ne!(run.status.code(), Some(2), "{}", run.stderr);
    let ledger = place.ledger();
    assert_eq!(ledger.read, count, "{ledger:?}");
    let rejected = REJECTED.iter().find(|(known, _)| *known == name);
    let rejected: Vec<_> = rejected
        .map_or(&[][..], |(_, codes)| codes)
        .iter()
        .map(|(code, n)| ((*code).to_owned(), *n))
        .collect();
    assert_eq!(ledger.rejected, rejected);
    assert_eq!(ledger.dropped, []);

    let outputs = ["train.jsonl", "train.passport", "train.rejects.jsonl"];
    let bytes = |place: &Place| outputs.map(|name| place.has(name).then(|| place.read(name)));
    let expected = bytes(&place);
    for settings in [
        ["--threads", "1"],
        ["--threads", "8"],
        ["--batch-size", "1000"],
    ] {
        let other = Place::new();
        other.convert(&[&arguments[..], &settings].concat());
        for ((name, expected), other) in outputs.iter().zip(&expected).zip(bytes(&other)) {
            assert!(*expected == other, "`{name}` is another with {settings:?}");
        }
    }
    if ledger.examples > 0 {
        check_traces(&place, &inputs, &ledger);
    }
}

/// Holds the way back from examples to what stands in the source.
fn check_traces(place: &Place, inputs: &[String], ledger: &run::Ledger) {
    let n = ledger.examples;
    for line in BTreeSet::from([1, n.div_ceil(2), n]) {
        let run = place.prep(&["trace", &format!("train.jsonl:{line}")]);
        assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
        let shown = String::from_utf8(run.stdout).unwrap();
        let (_, first) = shown.split_once(" | ").expect("the record is shown");
        let first = first.lines().next().unwrap();
        let run = place.prep(&["trace", &format!("train.jsonl:{line}"), "--format", "json"]);
        let trace: Value = serde_json::from_slice(&run.stdout).unwrap();
        assert!(
            shown.contains(&format!(
                ":{} (record {})",
                trace["origin"]["line"], trace["origin"]["record"]
            )),
            "{shown}"
        );
        assert!(trace["raw"].as_str().unwrap().starts_with(first), "{shown}");
        check_origin(&trace, inputs);
    }
    if n > TRACED_WHOLE {
        return;
    }
    // Examples and rejects together are all the records, each one once.
    let mut arguments = vec!["trace".to_owned(), "--format".into(), "json".into()];
    arguments.extend((1..=n).map(|line| format!("train.jsonl:{line}")));
    let run = place.prep(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let traces = run::lines_of(&run.stdout);
    let of_examples = traces.iter().map(|trace| &trace["origin"]["record"]);
    let rejects = place.rejects();
    let of_rejects = rejects.iter().map(|reject| &reject["record"]);
    let mut records: Vec<_> = of_examples
        .chain(of_rejects)
        .map(|n| n.as_u64().unwrap())
        .collect();
    records.sort_unstable();
    assert_eq!(records, (1..=ledger.read).collect::<Vec<_>>());
}

/// Holds that the raw text of a trace stands in its source, on its line.
fn check_origin(trace: &Value, inputs: &[String]) {
    let raw = trace["raw"].as_str().unwrap();
    let line = trace["origin"]["line"].as_u64().unwrap() as usize;
    assert_eq!(trace["origin"]["source"], inputs.join(" + "));
    let raws: Vec<_> = match inputs {
        [_] => vec![raw],
        _ => raw.split('\n').collect(),
    };
    assert_eq!(raws.len(), inputs.len(), "{raw}");
    for (raw, input) in raws.into_iter().zip(inputs) {
        if input.ends_with(".parquet") {
            continue;
        }
        let source = fs::read_to_string(input).unwrap();
        let rest = match line {
            1 => source.as_str(),
            line => {
                let (before, _) = source.match_indices('\n').nth(line - 2).unwrap();
                &source[before + 1..]
            }
        };
        let column = rest
            .find(raw)
            .expect("the record is what stands in the source");
        assert!(
            !rest[..column].contains('\n'),
            "the record is not on line {line}: {raw}"
        );
    }
}

#[test]
fn aligned_text_is_carried_over_as_it_is() {
    let Some(data) = shared("parallel") else {
        return;
    };
    for (first, second) in PAIRS {
        let path = |name: &str| data.join(name.strip_prefix("parallel/").unwrap());
        let place = Place::new();
        place.convert(&[
            path(first).to_str().unwrap(),
            path(second).to_str().unwrap(),
        ]);
        let sides = [first, second].map(|name| fs::read_to_string(path(name)).unwrap());
        for (turn, side) in sides.iter().enumerate() {
            let examples = place.examples();
            let texts: Vec<_> = examples.iter().map(|example| text(example, turn)).collect();
            assert!(
                texts.iter().copied().eq(side.lines()),
                "{first}, turn {turn}"
            );
        }
    }
    let path = data.join("tsv/tatoeba-anki.eng-cmn.tsv");
    let place = Place::new();
    place.convert(&[path.to_str().unwrap()]);
    let source = fs::read_to_string(path).unwrap();
    let rows = source
        .lines()
        .map(|line| line.split('\t').take(2).collect::<Vec<_>>());
    let examples = place.examples();
    assert!(
        rows.eq(examples
            .iter()
            .map(|example| vec![text(example, 0), text(example, 1)]))
    );
}
