//! `prep filter` on real corpora: what it drops of good ones, that filtering
//! twice is filtering once, and that threads do not matter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::fs;
use std::path::Path;

use run::{Place, shared};
use serde_json::Value;

const PRESETS: [&str; 4] = ["novel", "chat", "ui", "web"];

/// Corpora that people have translated and checked, each with the presets that
/// are made for such texts. Tatoeba is of short sentences, most of them spoken;
/// the other files are what they say.
const GOOD: &[(&[&str], &[&str])] = &[
    (
        &["moses/tatoeba.spa-eng.eng", "moses/tatoeba.spa-eng.spa"],
        &PRESETS,
    ),
    (
        &["moses/tatoeba.cmn-eng.eng", "moses/tatoeba.cmn-eng.cmn"],
        &PRESETS,
    ),
    (&["tsv/tatoeba-anki.eng-cmn.tsv"], &PRESETS),
    (&["tmx/tico19.en-es-419.tmx"], &["novel", "chat", "web"]),
    (&["po/django.es.po"], &["ui", "web"]),
    (&["po/django-admin.zh_Hans.po"], &["ui"]),
    (&["xliff/mozilla-vpn.es_ES.xliff"], &["ui", "chat"]),
    (&["xliff/symfony-validators.de.xlf"], &["ui"]),
];

/// Dialogue of novels and games that people have translated, in
/// `fixtures/pairs/corpora`: what `novel` and `chat` are made for.
const DIALOGUE: [&str; 2] = ["the_question", "renpy_tutorial"];

/// The most that a preset may drop of a corpus that is good.
const MOST_DROPPED: f64 = 0.02;

/// Filters the dataset, and gives the summary.
fn filter(place: &Place, flags: &[&str]) -> Value {
    let mut arguments = vec![
        "filter",
        "train.jsonl",
        "--summary",
        "summary.json",
        "--force",
    ];
    arguments.extend(flags);
    let run = place.prep(&arguments);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    serde_json::from_slice(&place.read("summary.json")).unwrap()
}

/// A pair as a line of Gemini JSONL.
fn example(source: &str, target: &str) -> String {
    let turn =
        |role: &str, text: &str| serde_json::json!({"role": role, "parts": [{"text": text}]});
    serde_json::json!({"contents": [turn("user", source), turn("model", target)]}).to_string()
}

fn convert(place: &Place, data: &Path, files: &[&str]) {
    let paths: Vec<_> = files.iter().map(|file| data.join(file)).collect();
    let mut arguments: Vec<_> = vec!["convert", "--force"];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let run = place.prep(&arguments);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
}

/// Holds a preset to what it may drop of the dataset.
fn hold(place: &Place, preset: &str, what: &str) {
    let ledger = &filter(place, &["--preset", preset])["ledger"];
    let count = |n: &Value| n.as_u64().unwrap() as f64;
    let dropped = 1.0 - count(&ledger["written"]) / count(&ledger["read"]);
    assert!(dropped <= MOST_DROPPED, "{what}, {preset}: {ledger}");
}

#[test]
fn good_corpora_stay() {
    let Some(data) = shared("parallel") else {
        return;
    };
    for (files, presets) in GOOD {
        let place = Place::new();
        convert(&place, &data, files);
        for preset in *presets {
            hold(&place, preset, &files.join(", "));
        }
    }
}

#[test]
fn good_dialogue_stays() {
    for name in DIALOGUE {
        let path = format!("fixtures/pairs/corpora/{name}.tsv");
        let corpus = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let lines = corpus.lines().filter(|line| !line.starts_with("# "));
        let pairs = lines.map(|line| line.split_once('\t').unwrap());
        let examples: Vec<String> = pairs
            .map(|(source, target)| example(source, target))
            .collect();
        assert!(examples.len() >= 70, "{name}: {}", examples.len());
        let place = Place::with("train.jsonl", examples.join("\n"));
        for preset in ["novel", "chat"] {
            hold(&place, preset, name);
        }
    }
}

#[test]
fn the_same_stays_whatever_the_threads_and_however_often() {
    let Some(data) = shared("parallel") else {
        return;
    };
    let place = Place::new();
    convert(&place, &data, &["tmx/tico19.en-es-419.tmx"]);
    let flags = [
        "--preset",
        "web",
        "--drop",
        "P008,P012",
        "--tgt-lang",
        "es-419",
    ];
    let with = |more: &[&'static str]| [&flags[..], more].concat();
    let one = filter(&place, &with(&["--threads", "1"]));
    let (data, rejects) = (
        place.read("filtered.jsonl"),
        place.read("filtered.rejects.jsonl"),
    );
    assert!(
        one["ledger"]["dropped"]["P003"].as_u64().unwrap() > 0,
        "{one}"
    );
    let four = filter(&place, &with(&["--threads", "4"]));
    assert_eq!(one["rules"], four["rules"]);
    assert_eq!(data, place.read("filtered.jsonl"));
    assert_eq!(rejects, place.read("filtered.rejects.jsonl"));
    place.write("train.jsonl", &data);
    let again = filter(&place, &with(&[]));
    assert_eq!(
        again["ledger"]["read"], again["ledger"]["written"],
        "{again}"
    );
    assert_eq!(data, place.read("filtered.jsonl"));
}

#[test]
fn nothing_is_lost() {
    let lines = [
        example("You have 5 coins.", "Tienes 5 monedas."),
        example("You have 5 coins.", "Tienes 7 monedas."),
        "not JSON".to_owned(),
        String::new(),
        r#"{"contents":[]}"#.to_owned(),
        example("Hello", "Hola"),
    ];
    let place = Place::with("train.jsonl", lines.join("\r\n"));
    let summary = filter(
        &place,
        &["--preset", "ui", "--src-lang", "en", "--tgt-lang", "es"],
    );
    let ledger = &summary["ledger"];
    assert_eq!(
        (&ledger["read"], &ledger["written"]),
        (&5.into(), &2.into()),
        "{ledger}"
    );
    assert_eq!(ledger["dropped"], serde_json::json!({"P004": 1}));
    assert_eq!(
        ledger["rejected"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_u64)
            .sum::<u64>(),
        2
    );
    let rejects = run::lines_of(&place.read("filtered.rejects.jsonl"));
    let places: Vec<_> = rejects
        .iter()
        .map(|reject| (reject["line"].as_u64(), reject["record"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [(Some(2), Some(2)), (Some(3), Some(3)), (Some(5), Some(4))]
    );
    assert_eq!(rejects[0]["raw"], lines[1]);
    let kept = format!("{}\n{}\n", lines[0], lines[5]);
    assert_eq!(
        String::from_utf8(place.read("filtered.jsonl")).unwrap(),
        kept
    );
}
