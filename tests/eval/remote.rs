//! `prep eval --remote` against a played evaluation service.

use serde_json::{Value, json};

use crate::run::played::Played;
use crate::run::{Place, lines_of};
use crate::{TUNED, journals_of, translations};

const REMOTE: [&str; 8] = [
    "--remote",
    "comet,metricx",
    "--src-lang",
    "en",
    "--tgt-lang",
    "es-419",
    "--format",
    "json",
];

const EVALUATE: &str = "aiplatform.locations.evaluateInstances";

fn n_evaluated(played: &Played) -> usize {
    let operations = played.operations();
    operations.iter().filter(|name| **name == EVALUATE).count()
}

#[test]
fn the_evaluation_service_is_asked_once_for_each_segment() {
    let played = Played::start();
    let place = Place::new();
    translations(&place, "tuned.jsonl", &TUNED);
    let words = [
        &["eval", "tuned.jsonl", "-m", "chrf", "--by", "domain"][..],
        &REMOTE,
    ]
    .concat();
    // Nobody is there to be asked, and nothing is sent.
    let run = played.prep(&place, &words);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    for told in [
        "sources stand behind `Translate to Spanish: `",
        "comet: 5 requests of tuned.jsonl (COMET_22_SRC_REF, en to es-419)",
        "metricx: 5 requests of tuned.jsonl (METRICX_24_SRC_REF, en to es-419)",
        "evaluation service: 10 requests in `us-central1`, at most 10 a second; what it costs is not known",
        "nobody can be asked whether to pay for the evaluation service",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    assert_eq!(played.requests().len(), 0);

    let yes = [
        &words[..],
        &["--yes", "--log", "log.jsonl", "--hurry", "60"],
    ]
    .concat();
    let run = played.prep(&place, &yes);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert_eq!(n_evaluated(&played), 10);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let comet = &report["remote"][0];
    assert_eq!(
        (&comet["metric"], &comet["scored"], &comet["failed"]),
        (&json!("comet"), &json!(5), &json!([]))
    );
    assert_eq!(
        comet["not_asked"],
        json!([{"line": 4, "lacks": "prediction"}])
    );
    let scores: Vec<_> = comet["scores"].as_array().unwrap().iter().collect();
    assert_eq!((scores[0], scores[3]), (&json!(1.0), &Value::Null));
    // The mean of those that are there.
    let known: Vec<f64> = scores.iter().filter_map(|score| score.as_f64()).collect();
    let of = |metric: &str| {
        let metrics = report["metrics"].as_array().unwrap();
        metrics.iter().find(|one| one["metric"] == metric).unwrap()
    };
    let found = of("comet")["score"].as_f64().unwrap();
    assert!((found - known.iter().sum::<f64>() / 5.0).abs() < 1e-12);
    assert_eq!(
        of("comet")["signature"],
        "nrefs:1|bs:1000|seed:12345|src:en|tgt:es-419|service:vertex-ai|version:COMET_22_SRC_REF"
    );
    let confidence = &of("comet")["confidence"];
    assert!(confidence["margin"].as_f64().unwrap() > 0.0, "{confidence}");
    assert_eq!(of("metricx")["name"], "MetricX");
    for slice in report["slices"].as_array().unwrap() {
        assert!(slice["metrics"][1]["score"].is_number(), "{slice}");
    }
    // What is sent has no template around it.
    let log = String::from_utf8(place.read("log.jsonl")).unwrap();
    assert!(!log.contains("Translate to Spanish"), "{log}");

    // The same again asks nothing, and says the same; so does one of the two.
    let again = played.prep(&place, &words);
    assert_eq!(again.status.code(), Some(0), "{}", again.stderr);
    assert!(
        again.stderr.contains("comet: 0 requests of tuned.jsonl")
            && again.stderr.contains("; 5 from earlier runs"),
        "{}",
        again.stderr
    );
    let mut repeated: Value = serde_json::from_slice(&again.stdout).unwrap();
    for remote in repeated["remote"].as_array_mut().unwrap() {
        assert_eq!(remote["answered_before"], 5);
        remote["answered_before"] = json!(0);
    }
    assert_eq!(repeated, report);
    assert_eq!(
        (n_evaluated(&played), journals_of(&place, ".scored-").len()),
        (10, 2)
    );
    // Another language is another question.
    let other: Vec<&str> = yes
        .iter()
        .map(|word| if *word == "es-419" { "es" } else { word })
        .collect();
    let run = played.prep(&place, &other);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert_eq!(n_evaluated(&played), 20);
}

#[test]
fn a_segment_that_fails_is_told_and_never_a_score() {
    let played = Played::start();
    let place = Place::new();
    let mut answers = TUNED;
    answers[1] = Some("Quiero [[400]] pan.");
    translations(&place, "tuned.jsonl", &answers);
    let words = [
        &[
            "eval",
            "tuned.jsonl",
            "-m",
            "chrf",
            "--yes",
            "--hurry",
            "60",
        ][..],
        &REMOTE,
    ]
    .concat();
    // A service that is too busy at first is asked again.
    played.set_faults(&[
        json!({"operation": EVALUATE, "nth": 2, "times": 3, "effect": {"kind": "status", "code": 429}}),
        json!({"operation": EVALUATE, "nth": 7, "effect": {"kind": "status", "code": 503}}),
        json!({"operation": EVALUATE, "nth": 9, "effect": {"kind": "reset_after"}}),
    ]);
    let run = played.prep(&place, &words);
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let comet = &report["remote"][0];
    assert_eq!(
        (&comet["scored"], &comet["scores"][1]),
        (&json!(4), &Value::Null)
    );
    assert_eq!(comet["failed"][0]["line"], 2);
    let text: Vec<&str> = words
        .iter()
        .filter(|word| !matches!(**word, "--format" | "json"))
        .copied()
        .collect();
    let run = played.prep(&place, &text);
    let told = String::from_utf8(run.stdout).unwrap();
    for line in [
        "COMET of tuned.jsonl: 1 segment not scored, and not in the mean; line 4 has no prediction",
        "COMET of tuned.jsonl: 1 segment without a score, and not in the mean; line 2: ",
        "COMET|nrefs:1|bs:1000|seed:12345|src:en|tgt:es-419|service:vertex-ai|version:COMET_22_SRC_REF = 0.",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // Where nothing has a score there is none.
    translations(&place, "none.jsonl", &[Some("[[400]]"), Some("[[400]]")]);
    let run = played.prep(
        &place,
        &[&["eval", "none.jsonl", "--yes"][..], &REMOTE].concat(),
    );
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr
            .contains("no segment of `none.jsonl` has a score of COMET"),
        "{}",
        run.stderr
    );
}

#[test]
fn killed_and_run_again_nothing_is_asked_twice() {
    let played = Played::start();
    let place = Place::new();
    let answers: Vec<_> = TUNED.iter().cycle().take(60).copied().collect();
    translations(&place, "tuned.jsonl", &answers);
    let words = [
        &[
            "eval",
            "tuned.jsonl",
            "-m",
            "chrf",
            "--yes",
            "--hurry",
            "60",
            "--threads",
            "1",
        ][..],
        &REMOTE,
    ]
    .concat();
    played.set_faults(&[
        json!({"operation": EVALUATE, "nth": 31, "times": 0, "effect": {"kind": "status", "code": 403}}),
    ]);
    let run = played.prep(&place, &words);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("the same command goes on from there"),
        "{}",
        run.stderr
    );
    let kept = journals_of(&place, ".scored-").into_iter();
    let n_kept: usize = kept.map(|name| lines_of(&place.read(&name)).len()).sum();
    assert!(0 < n_kept && n_kept <= 30, "{n_kept}");
    let before = n_evaluated(&played);
    played.set_faults(&[]);
    let run = played.prep(&place, &words);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert_eq!(n_evaluated(&played) - before, 100 - n_kept);
}

#[test]
fn base_and_tuned_are_compared_where_both_have_a_score() {
    let place = Place::new();
    let tuned: Vec<_> = TUNED.iter().cycle().take(30).copied().collect();
    let base: Vec<_> = (0..30)
        .map(|n| match n % 6 {
            1 => None,
            n => Some(
                [
                    "La casa roja.",
                    "",
                    "¿Dónde el tren?",
                    "Llovió ayer.",
                    "Lee libros.",
                    "En el puente.",
                ][n],
            ),
        })
        .collect();
    translations(&place, "base.jsonl", &base);
    translations(&place, "tuned.jsonl", &tuned);
    let compared = [
        "eval",
        "--compare",
        "base.jsonl",
        "tuned.jsonl",
        "-m",
        "chrf",
        "--rehearse",
        "--hurry",
        "600",
    ];
    let run = place.prep(
        &[
            &compared[..],
            &REMOTE,
            &["--fail-under", "comet=0.2,metricx=20"],
        ]
        .concat(),
    );
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("rehearsal: the evaluation service is played"),
        "{}",
        run.stderr
    );
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let metrics = report["compare"]["metrics"].as_array().unwrap();
    let [_, comet, metricx] = &metrics[..] else {
        panic!("{metrics:?}")
    };
    // Of MetricX less is better.
    for (metric, sign) in [(comet, 1.0), (metricx, -1.0)] {
        assert!(
            sign * metric["difference"].as_f64().unwrap() > 0.0,
            "{metric}"
        );
        assert_eq!(metric["verdict"], "better");
        let ci = |n: usize| metric["ci"][n].as_f64().unwrap();
        assert!(ci(0) <= ci(1));
    }
    assert_eq!(report["remote"][0]["rehearsal"], true);
    // Both means are of the 20 segments that both have.
    let mean = |file: usize| {
        let scores = report["remote"][2 * file]["scores"].as_array().unwrap();
        let counted = scores
            .iter()
            .enumerate()
            .filter(|(n, _)| !matches!(n % 6, 1 | 3));
        counted.filter_map(|(_, score)| score.as_f64()).sum::<f64>() / 20.0
    };
    assert!((comet["base"].as_f64().unwrap() - mean(0)).abs() < 1e-12);
    assert!((comet["tuned"].as_f64().unwrap() - mean(1)).abs() < 1e-12);
    let gates = [&compared[..], &REMOTE, &["--fail-under", "comet=0.99"]].concat();
    assert_eq!(place.prep(&gates).status.code(), Some(1));
    let text = [
        &compared[..],
        &REMOTE[..6],
        &["--show", "1", "--html", "report.html"],
    ]
    .concat();
    let run = place.prep(&text);
    let told = String::from_utf8(run.stdout).unwrap();
    for line in [
        "COMET compares the 20 segments that have a score in both files",
        "MetricX",
        "by COMET|nrefs:1",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let page = String::from_utf8(place.read("report.html")).unwrap();
    assert!(page.contains("COMET compares the 20 segments"), "{page}");
}

#[test]
fn settings_ask_the_evaluation_service_too() {
    let played = Played::start();
    let place = Place::with(
        "prep.yaml",
        "evaluate: {metrics: [chrf], remote: [metricx-src]}\npairs: {src_lang: en, tgt_lang: es}\n",
    );
    translations(&place, "tuned.jsonl", &TUNED);
    let run = played.prep(&place, &["eval", "tuned.jsonl", "--yes", "--hurry", "60"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(
        told.contains("MetricX-src|nrefs:0|bs:1000|seed:12345|src:en|tgt:es|service:vertex-ai|version:METRICX_24_SRC = "),
        "{told}"
    );
    // Text says nothing of what was translated.
    place.write("plain.txt", "La casa es roja.\n");
    place.write("references.txt", "La casa es roja.\n");
    let plain = [
        "eval",
        "plain.txt",
        "--reference",
        "references.txt",
        "--yes",
        "--hurry",
        "60",
    ];
    let run = played.prep(&place, &plain);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr.contains("`--remote metricx-ref` does without"),
        "{}",
        run.stderr
    );
    let run = played.prep(&place, &[&plain[..], &["--remote", "metricx-ref"]].concat());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
}
