//! `prep eval` gives the scores, signatures and p-values that sacreBLEU gave,
//! as they are recorded in `fixtures/eval`.
//!
//! The texts go in as JSONL, hypotheses as predictions and references as
//! examples, since some have line ends inside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "cloud")]
#[path = "eval/remote.rs"]
mod remote;
mod run;

use std::collections::BTreeMap;
use std::path::Path;

use run::{Place, Run, lines_of};
use serde_json::{Value, json};

/// Texts of two systems and their references, as files.
struct Corpus {
    place: Place,
    references: Vec<String>,
}

impl Corpus {
    /// Writes a corpus; `None` if a segment lacks a reference that others have,
    /// which files cannot say.
    fn write(texts: &Value) -> Option<Self> {
        let place = Place::new();
        let list = |value: &Value| value.as_array().unwrap().clone();
        for system in ["base", "tuned"] {
            let lines = list(&texts[system]).into_iter().map(|text| {
                json!({"input": {}, "prediction": text, "finishReason": "STOP"}).to_string() + "\n"
            });
            place.write(&format!("{system}.jsonl"), lines.collect::<String>());
        }
        let mut references = Vec::new();
        for (n, stream) in list(&texts["references"]).iter().enumerate() {
            let mut lines = String::new();
            for text in list(stream) {
                let turn =
                    |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
                let turns = [turn("user", "?"), turn("model", text.as_str()?)];
                lines += &json!({"contents": turns}).to_string();
                lines.push('\n');
            }
            let name = format!("references.{n}.jsonl");
            place.write(&name, lines);
            references.push(name);
        }
        Some(Self { place, references })
    }

    /// Runs the command on these references; all is well.
    fn eval(&self, arguments: &[&str], more: &[String]) -> Run {
        let mut words = vec!["eval"];
        words.extend(arguments);
        words.extend(more.iter().map(String::as_str));
        for name in &self.references {
            words.extend(["--reference", name]);
        }
        let run = self.place.prep(&words);
        assert_eq!(run.status.code(), Some(0), "{words:?}: {}", run.stderr);
        run
    }
}

fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/eval");
    lines_of(&std::fs::read(path.join(name)).unwrap())
}

fn corpora() -> BTreeMap<String, Corpus> {
    let texts = recorded("texts.jsonl").into_iter();
    let corpora = texts.filter_map(|texts| {
        let name = texts["name"].as_str().unwrap().to_owned();
        Some((name, Corpus::write(&texts)?))
    });
    corpora.collect()
}

/// The flags for what sacreBLEU's constructor was given; `None` for what the
/// command does not have.
fn flags(line: &Value) -> Option<Vec<String>> {
    let metric = line["metric"].as_str().unwrap();
    let name = match metric {
        "exact-match" if line["options"]["normalization"] == "space" => "exact",
        "exact-match" => return None,
        other => other,
    };
    let mut flags = vec!["--metric".to_owned(), name.to_owned()];
    if metric == "bleu" && line["options"]["tokenize"].is_null() {
        // The command would look at the references.
        flags.extend(["--tokenize", "13a"].map(str::to_owned));
    }
    for (option, value) in line["options"].as_object().unwrap() {
        let flag = match (metric, option.as_str()) {
            (_, "max_ngram_order") => return None,
            (_, "normalization") => continue,
            ("bleu", option) => option.replace('_', "-"),
            (metric, option) => format!("{metric}-{}", option.replace('_', "-")),
        };
        match value {
            Value::Bool(false) => {}
            Value::Bool(true) => flags.push(format!("--{flag}")),
            Value::String(text) => flags.push(format!("--{flag}={text}")),
            value => flags.push(format!("--{flag}={value}")),
        }
    }
    Some(flags)
}

#[track_caller]
fn assert_close(found: &Value, expected: &Value, what: &str) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{what}: found {found}, sacreBLEU has {expected}"
    );
}

#[test]
fn scores_and_signatures_are_those_of_sacrebleu() {
    let corpora = corpora();
    let mut n_compared = 0;
    for line in recorded("scores.jsonl") {
        let corpus = corpora.get(line["texts"].as_str().unwrap());
        let (Some(corpus), Some(flags)) = (corpus, flags(&line)) else {
            continue;
        };
        // TER looks at the references too, unless a flag of it is given.
        if line["metric"] == "ter" && flags.len() == 2 && line["texts"] != "english" {
            continue;
        }
        let what = format!("{} of {} {flags:?}", line["texts"], line["system"]);
        let file = format!("{}.jsonl", line["system"].as_str().unwrap());
        let run = corpus.eval(&[&file, "--format", "json"], &flags);
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        let metric = &report["metrics"][0];
        assert_close(&metric["score"], &line["score"], &what);
        if line["printed"].is_string() {
            assert_eq!(metric["signature"], line["signature"], "{what}");
        }
        n_compared += 1;
    }
    assert!(n_compared > 50, "only {n_compared} were compared");
}

#[test]
fn lines_are_those_that_sacrebleu_prints() {
    let corpora = corpora();
    let english = &corpora["english"];
    for line in recorded("scores.jsonl") {
        let is_default = line["options"].as_object().unwrap().is_empty();
        let Some(printed) = line["printed"].as_str().filter(|_| is_default) else {
            continue;
        };
        if line["texts"] != "english" || line["system"] != "base" {
            continue;
        }
        let run = english.eval(&["base.jsonl"], &flags(&line).unwrap());
        let report = String::from_utf8(run.stdout).unwrap();
        assert_eq!(report.lines().nth(1), Some(printed));
    }
}

#[test]
fn comparisons_are_those_of_sacrebleu() {
    let corpora = corpora();
    let mut n_compared = 0;
    for line in recorded("comparisons.jsonl") {
        let corpus = corpora.get(line["texts"].as_str().unwrap());
        let (Some(corpus), Some(mut flags)) = (corpus, flags(&line)) else {
            continue;
        };
        if line["metric"] == "ter" && flags.len() == 2 && line["texts"] != "english" {
            continue;
        }
        let is_bootstrap = line["test"] == "bs";
        let test = if is_bootstrap {
            "bootstrap"
        } else {
            "randomization"
        };
        flags.push(format!("--test={test}"));
        flags.push(format!("--samples={}", line["n_samples"]));
        flags.push(format!("--seed={}", line["seed"]));
        let what = format!("{} {flags:?}", line["texts"]);
        let arguments = ["--format", "json", "--compare", "base.jsonl", "tuned.jsonl"];
        let run = corpus.eval(&arguments, &flags);
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        let found = &report["compare"]["metrics"][0];
        assert_close(&found["p_value"], &line["p_value"], &what);
        for side in ["base", "tuned"] {
            assert_close(&found[side], &line[side][0], &what);
            if is_bootstrap {
                let resampled = &found[format!("{side}_confidence")];
                assert_close(&resampled["mean"], &line[side][1], &what);
                assert_close(&resampled["margin"], &line[side][2], &what);
            }
        }
        if is_bootstrap {
            assert_eq!(found["signature"], line["signature"], "{what}");
        }
        n_compared += 1;
    }
    assert!(n_compared >= 4, "only {n_compared} were compared");
}

#[test]
fn reports_do_not_depend_on_the_number_of_threads() {
    let corpora = corpora();
    let english = &corpora["english"];
    let report = |threads: &str| {
        let arguments = [
            "--threads",
            threads,
            "--compare",
            "base.jsonl",
            "tuned.jsonl",
        ];
        let more = ["--show=3", "--by=length", "--samples=50"].map(str::to_owned);
        english.eval(&arguments, &more).stdout
    };
    assert_eq!(report("1"), report("3"));
}

#[test]
fn texts_beyond_the_memory_are_refused() {
    let place = Place::with("hypotheses.txt", "one\n".repeat(1000));
    place.write("references.txt", "one\n".repeat(1000));
    let arguments = ["eval", "hypotheses.txt", "--reference", "references.txt"];
    let run = place.prep(&[&arguments[..], &["--memory", "6K"]].concat());
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("`references.txt`"), "{}", run.stderr);
    assert_eq!(place.prep(&arguments).status.code(), Some(0));
}

/// Predictions of which some lose what a rule wants kept.
fn shop(place: &Place, name: &str, answers: [Option<&str>; 4]) {
    let sources = [
        "Your order {id} costs 25 dollars.",
        "Write to help@example.com, please.",
        "Is the shop open?",
        "Thank you for waiting so long today.",
    ];
    let references = [
        "Tu pedido {id} cuesta 25 dólares.",
        "Escribe a help@example.com, por favor.",
        "¿Está abierta la tienda?",
        "Gracias por esperar tanto tiempo hoy.",
    ];
    let lines = sources.iter().zip(references).zip(answers);
    let lines = lines.map(|((source, reference), answer)| {
        let turn = json!({"role": "user", "parts": [{"text": source}]});
        json!({
            "input": {"contents": [turn]}, "reference": reference, "prediction": answer,
            "finishReason": if answer.is_some() { "STOP" } else { "SAFETY" },
        })
        .to_string()
            + "\n"
    });
    place.write(name, lines.collect::<String>());
}

#[test]
fn rules_of_pairs_say_how_many_predictions_pass() {
    let place = Place::new();
    let good = [
        Some("Tu pedido {id} cuesta 25 dólares."),
        Some("Escribe a help@example.com, por favor."),
        Some("¿Está abierta la tienda?"),
    ];
    shop(&place, "tuned.jsonl", [good[0], good[1], good[2], None]);
    let bad = Some("Tu pedido cuesta 52 dólares.");
    let copied = Some("Thank you for waiting so long today.");
    shop(
        &place,
        "base.jsonl",
        [bad, Some("Escribe, por favor."), Some(""), copied],
    );
    let report = |words: &[&str]| {
        let run = place.prep(&[&["eval", "-m", "chrf", "--format", "json"], words].concat());
        assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
        serde_json::from_slice::<Value>(&run.stdout).unwrap()
    };
    let rule = |rules: &Value, code: &str| {
        let mut rules = rules.as_array().unwrap().iter();
        let rule = rules.find(|rule| rule["code"] == code).unwrap().clone();
        (
            rule["passed"].as_u64().unwrap(),
            rule["n"].as_u64().unwrap(),
            rule["failed"][0]["line"].as_u64(),
        )
    };
    let compared = report(&["--compare", "base.jsonl", "tuned.jsonl", "--preset", "chat"]);
    let base = &compared["files"][0]["rules"];
    // Of the tuned model one line has no prediction, and is asked nothing.
    for (code, expected) in [
        ("P001", (3, 4, Some(3))),
        ("P002", (3, 4, Some(4))),
        ("P004", (3, 4, Some(1))),
        ("P005", (3, 4, Some(1))),
        ("P006", (3, 4, Some(2))),
    ] {
        assert_eq!(rule(base, code), expected, "{code}: {base:#}");
        assert_eq!(rule(&compared["rules"], code), (3, 3, None), "{code}");
    }
    // The glossary has a rule of its own, and only then.
    let codes = |report: &Value| report["rules"].to_string().contains("P014");
    assert!(!codes(&compared));
    place.write("terms.csv", "order,compra\n");
    let held = report(&["tuned.jsonl", "--preset", "chat", "--glossary", "terms.csv"]);
    assert_eq!(rule(&held["rules"], "P014"), (2, 3, Some(1)));
    // Without a preset there are none, and the settings may have one.
    assert_eq!(report(&["tuned.jsonl"])["rules"], Value::Null);
    place.write(
        "prep.yaml",
        "evaluate: {preset: chat, metrics: [exact, ter], lowercase: true}\n",
    );
    let run = place.prep(&["eval", "tuned.jsonl", "--format", "json"]);
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(found["rules"].is_array());
    assert_eq!(found["metrics"][0]["metric"], "exact");
    assert_eq!(found["metrics"][1]["metric"], "ter");
    place.write("prep.yaml", "evaluate: {metrics: [comet]}\n");
    let run = place.prep(&["eval", "tuned.jsonl"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("names no metric"), "{}", run.stderr);
}

const RUBRIC: &str = "model: gemini-3.5-flash
instructions: You know the customers of this shop.
dimensions:
  - {name: accuracy, question: Does it say what the reference says?}
  - {name: tone, question: Is it friendly?}
";

/// The journals of some kind, by their names.
fn journals_of(place: &Place, kind: &str) -> Vec<String> {
    let mut names = place.names();
    names.retain(|name| name.contains(kind));
    names
}

fn journals(place: &Place) -> Vec<String> {
    journals_of(place, ".judged-")
}

#[test]
fn a_judge_scores_predictions_and_is_paid_once() {
    let place = Place::with("rubric.yaml", RUBRIC);
    let answers = [Some("Sí."), Some("No [[EMPTY]]"), Some("Quizás."), None];
    shop(&place, "tuned.jsonl", answers);
    let words = [
        "eval",
        "tuned.jsonl",
        "-m",
        "chrf",
        "--format",
        "json",
        "--judge",
        "rubric.yaml",
    ];
    // Nobody is there to be asked, and nothing is sent.
    let cloud = [
        "--project",
        "p",
        "--location",
        "us-central1",
        "--log",
        "log.jsonl",
    ];
    let mut command = place.command(&[&words[..], &cloud].concat());
    let output = command.env("PREP_ACCESS_TOKEN", "t").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("nobody can be asked whether to pay"),
        "{told}"
    );
    assert_eq!(
        (&*place.read("log.jsonl"), journals(&place).len()),
        (&b""[..], 0)
    );
    let rehearsed = [&words[..], &["--rehearse", "--log", "log.jsonl"]].concat();
    let run = place.prep(&rehearsed);
    // One answer is empty whenever it is asked for: it is told, and the answer is no.
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("judge: 3 judgements to ask gemini-3.5-flash"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("tokens in prompts"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("the judge says nothing of line 2: it was empty"),
        "{}",
        run.stderr
    );
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let judge = &report["judge"];
    assert_eq!(judge["rehearsal"], true);
    assert_eq!(
        (&judge["failed"], &judge["not_judged"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(judge["judgements"].as_array().unwrap().len(), 3);
    assert_eq!(judge["judgements"][1]["answers"], Value::Null);
    for name in ["accuracy", "tone"] {
        let given = &judge["judgements"][0]["answers"][name];
        assert!(matches!(given["score"].as_i64(), Some(1..=5)), "{judge:#}");
        assert_eq!(given["reason"], "one sentence");
    }
    let dimension = &judge["files"][0]["dimensions"][0];
    let counts = dimension["counts"].as_array().unwrap().iter();
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), 2);
    let mean = dimension["mean"].as_f64().unwrap();
    let ci = |n: usize| dimension["ci"][n].as_f64().unwrap();
    assert!(ci(0) <= mean && mean <= ci(1), "{dimension}");
    assert_eq!(
        journals(&place).len(),
        3,
        "a journal for each round: {:?}",
        place.names()
    );
    let asked = |place: &Place| {
        let log = lines_of(&place.read("log.jsonl"));
        log.iter()
            .filter(|line| line.to_string().contains("generateContent"))
            .count()
    };
    assert_eq!(
        asked(&place),
        5,
        "two and three times the one that is empty"
    );
    // The same again asks nothing, and says the same.
    let again = place.prep(&rehearsed);
    assert_eq!(asked(&place), 5);
    assert!(
        again.stderr.contains("0 judgements to ask"),
        "{}",
        again.stderr
    );
    let mut repeated: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(repeated["judge"]["answered_before"], 5);
    repeated["judge"]["answered_before"] = judge["answered_before"].clone();
    assert_eq!(repeated["judge"], *judge);
}

#[test]
fn a_judge_sees_both_orders() {
    let place = Place::with("rubric.yaml", RUBRIC);
    shop(
        &place,
        "base.jsonl",
        [Some("Uno."), Some("Dos."), Some("Tres."), Some("Lo mismo.")],
    );
    shop(
        &place,
        "tuned.jsonl",
        [Some("One."), Some("Two."), None, Some("Lo mismo.")],
    );
    let compared = [
        "eval",
        "-m",
        "chrf",
        "--samples",
        "20",
        "--compare",
        "base.jsonl",
        "tuned.jsonl",
    ];
    let judged = ["--judge", "rubric.yaml", "--rehearse"];
    let run = place.prep(&[&compared[..], &judged, &["--format", "json"]].concat());
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let judge = &report["judge"];
    assert_eq!(
        (&judge["same"], &judge["not_judged"]),
        (&json!(1), &json!(1))
    );
    let orders = judge["judgements"].as_array().unwrap().iter();
    let orders: Vec<_> = orders.map(|one| one["order"].as_str().unwrap()).collect();
    assert_eq!(
        orders,
        ["base first", "tuned first", "base first", "tuned first"]
    );
    for dimension in judge["compare"].as_array().unwrap() {
        let of = |name: &str| dimension[name].as_u64().unwrap();
        assert_eq!(of("tuned") + of("base") + of("undecided"), 3, "{dimension}");
        assert!((0.0..=1.0).contains(&dimension["agreement"].as_f64().unwrap()));
        assert!((0.0..=1.0).contains(&dimension["win_rate"].as_f64().unwrap()));
    }
    let text = place.prep(&[&compared[..], &judged, &["--html", "report.html"]].concat());
    let told = String::from_utf8(text.stdout).unwrap();
    assert!(
        told.contains("tuned wins") && told.contains("orders agree"),
        "{told}"
    );
    let page = String::from_utf8(place.read("report.html")).unwrap();
    assert!(page.contains("What the judge says"));
    place.write("rubric.yaml", RUBRIC.replace("question", "ask"));
    let run = place.prep(&[&compared[..], &judged].concat());
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("is no rubric"), "{}", run.stderr);
}

/// Predictions of translations, behind a template; what has no text was refused.
fn translations(place: &Place, name: &str, answers: &[Option<&str>]) {
    let texts = [
        ("The house is red.", "La casa es roja."),
        ("I would like to buy bread.", "Quisiera comprar pan."),
        (
            "Where is the train station?",
            "¿Dónde está la estación de tren?",
        ),
        (
            "It rained all day long yesterday.",
            "Ayer llovió todo el día.",
        ),
        (
            "She reads a book every week.",
            "Ella lee un libro cada semana.",
        ),
        (
            "We will meet at the old bridge.",
            "Nos vemos en el puente viejo.",
        ),
    ];
    let lines = answers.iter().zip(texts.iter().cycle());
    let lines = lines.map(|(answer, (source, reference))| {
        let prompt = format!("Translate to Spanish: {source}");
        let turn = json!({"role": "user", "parts": [{"text": prompt}]});
        json!({
            "input": {"contents": [turn]}, "reference": reference, "prediction": answer,
            "finishReason": if answer.is_some() { "STOP" } else { "SAFETY" },
            "domain": if *source < "J" { "home" } else { "town" },
        })
        .to_string()
            + "\n"
    });
    place.write(name, lines.collect::<String>());
}

const TUNED: [Option<&str>; 6] = [
    Some("La casa es roja."),
    Some("Quiero comprar pan."),
    Some("¿Dónde está la estación?"),
    None,
    Some("Ella lee un libro cada semana."),
    Some("Nos vemos en el puente."),
];

#[test]
fn a_comparison_of_a_few_segments_is_no_verdict() {
    let place = Place::new();
    translations(&place, "base.jsonl", &[Some("Casa."), Some("Pan.")]);
    translations(&place, "tuned.jsonl", &TUNED[..2]);
    let words = [
        "eval",
        "--compare",
        "base.jsonl",
        "tuned.jsonl",
        "-m",
        "chrf",
    ];
    let run = place.prep(&[&words[..], &["--html", "report.html"]].concat());
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(told.contains("too few to tell"), "{told}");
    assert!(!told.contains("  better\n"), "{told}");
    let page = String::from_utf8(place.read("report.html")).unwrap();
    assert!(
        page.contains("Fewer than 20 segments are too few"),
        "{page}"
    );
    // The numbers are those that sacreBLEU prints.
    let run = place.prep(&[&words[..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let metric = &report["compare"]["metrics"][0];
    assert!(metric["p_value"].is_number() && metric["ci"].is_array());
    assert_eq!(metric["verdict"], "too few to tell");
}
