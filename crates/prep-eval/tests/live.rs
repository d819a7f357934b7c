//! This crate against sacreBLEU, `rouge-score` and SQuAD's script on texts that
//! nobody has seen before, where Python has them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod oracle;

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use oracle::{assert_close, assert_score, measure, metric, tokenizer};
use prep_eval::compare;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// A Python process that answers questions.
struct Oracle {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts Python, or says why there is nothing to compare with.
    fn start() -> Option<Oracle> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/eval_oracle.py");
        let started = Command::new("python3")
            .arg(script)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = started else {
            eprintln!("SKIPPED: no `python3` to compare with");
            return None;
        };
        let questions = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        answers.read_line(&mut greeting).unwrap();
        if greeting.is_empty() {
            process.wait().unwrap();
            eprintln!("SKIPPED: `python3` has no sacrebleu 2.6, NumPy 2 and rouge-score");
            return None;
        }
        Some(Oracle {
            process,
            questions,
            answers,
        })
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("Python failed on {question}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Runs a test on many inputs, if there is an oracle.
fn check<S: Strategy>(n_cases: u32, strategy: S, mut test: impl FnMut(&mut Oracle, S::Value)) {
    let Some(oracle) = Oracle::start() else {
        return;
    };
    let oracle = RefCell::new(oracle);
    let test = RefCell::new(&mut test);
    let config = ProptestConfig {
        cases: n_cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&strategy, |input| {
            (test.borrow_mut())(&mut oracle.borrow_mut(), input);
            Ok(())
        })
        .unwrap();
}

/// A few words from few, so that texts have something in common, among marks
/// and spaces that tokenizers care about.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => "(the|The|cat|dog|sat|a|on|mat|año|ÑU|中国|猫|で|٣)",
        2 => "[0-9]{1,2}([.,-][0-9]{1,2})?",
        2 => r#"[-.,!?'"&<>()$%/:;@^_`{|}~+=\[\]]{1,3}"#,
        1 => "(&amp;|&lt;|&quot;|<skipped>|'s|n't|e\\.g\\.|。|、|…|«|»|€|½|👍🏽|İ|Σ|ς|ẞ)",
        1 => "\\PC{1,3}",
    ];
    let space = prop_oneof![12 => Just(" "), 4 => Just(""), 1 => Just("\u{a0}"), 1 => Just("-\n"), 1 => Just("\n"), 1 => Just("\u{3000}"), 1 => Just("\u{1d}")];
    prop::collection::vec((word, space), 0..14)
        .prop_map(|parts| {
            parts
                .into_iter()
                .map(|(word, space)| word + space)
                .collect()
        })
        .prop_filter("Python has an older Unicode", |text: &String| {
            text.chars().all(|c| !is_newly_cased(c))
        })
}

/// Tells whether Rust knows a lower case of a character and Python 3.11 (which
/// has Unicode 14) does not.
fn is_newly_cased(c: char) -> bool {
    matches!(c, '\u{1c89}' | '\u{a7cb}'..='\u{a7dc}' | '\u{10d50}'..='\u{10d65}' | '\u{16ea0}'..='\u{16eb8}')
}

/// Several references, the first whole, the others with gaps, and two systems.
fn corpus() -> impl Strategy<Value = (Vec<Vec<Option<String>>>, Vec<String>, Vec<String>)> {
    let line = (
        text(),
        prop::option::of(text()),
        prop::option::of(text()),
        text(),
        text(),
    );
    (prop::collection::vec(line, 1..7), 1..4_usize).prop_map(|(lines, n_refs)| {
        let mut references = vec![Vec::new(); n_refs];
        let (mut base, mut tuned) = (Vec::new(), Vec::new());
        for (first, second, third, one, other) in lines {
            for (texts, text) in references.iter_mut().zip([Some(first), second, third]) {
                texts.push(text);
            }
            base.push(one);
            tuned.push(other);
        }
        (references, base, tuned)
    })
}

fn options() -> impl Strategy<Value = (&'static str, Value)> {
    let tokenizers = prop::sample::select(vec!["13a", "intl", "zh", "char", "none"]);
    let smoothing = prop::sample::select(vec![
        json!({"smooth_method": "exp"}),
        json!({"smooth_method": "none"}),
        json!({"smooth_method": "floor", "smooth_value": 0.01}),
        json!({"smooth_method": "add-k", "smooth_value": 2}),
    ]);
    let bleu = (
        tokenizers,
        smoothing,
        any::<bool>(),
        any::<bool>(),
        1..6_u32,
    )
        .prop_map(|(tokenizer, mut options, lowercase, effective, order)| {
            options["tokenize"] = json!(tokenizer);
            options["lowercase"] = json!(lowercase);
            options["effective_order"] = json!(effective);
            options["max_ngram_order"] = json!(order);
            ("bleu", options)
        });
    let chrf = (1..8_u32, 0..4_u32, 1..4_u32, any::<[bool; 3]>()).prop_map(
        |(char_order, word_order, beta, [lowercase, whitespace, eps_smoothing])| {
            let options = json!({
                "char_order": char_order, "word_order": word_order, "beta": beta,
                "lowercase": lowercase, "whitespace": whitespace, "eps_smoothing": eps_smoothing,
            });
            ("chrf", options)
        },
    );
    let ter =
        any::<[bool; 4]>().prop_map(|[normalized, no_punct, asian_support, case_sensitive]| {
            let options = json!({
                "normalized": normalized, "no_punct": no_punct,
                "asian_support": asian_support, "case_sensitive": case_sensitive,
            });
            ("ter", options)
        });
    prop_oneof![bleu, chrf, ter]
}

fn ours() -> impl Strategy<Value = (&'static str, Value)> {
    let normalization = prop::sample::select(vec!["none", "space", "squad"]);
    prop_oneof![
        Just(("rouge-l", json!({}))),
        Just(("token-f1", json!({}))),
        normalization.prop_map(|name| ("exact-match", json!({ "normalization": name }))),
    ]
}

#[test]
fn scores_are_those_of_python() {
    let strategy = (
        corpus(),
        prop_oneof![4 => options().boxed(), 1 => ours().boxed()],
    );
    check(
        400,
        strategy,
        |oracle, ((references, base, _), (name, options))| {
            let question = json!({
                "ask": "score", "metric": name, "options": options,
                "hypotheses": base, "references": references,
            });
            let expected = oracle.ask(&question);
            let segments = measure(
                &metric(name, &options),
                &question["hypotheses"],
                &question["references"],
            );
            assert_score(&segments, &expected, &question.to_string());
        },
    );
}

#[test]
fn tokens_are_those_of_python() {
    let name = prop::sample::select(vec!["13a", "intl", "zh", "char", "none"]);
    check(1500, (name, text()), |oracle, (name, text)| {
        let expected = oracle.ask(&json!({"ask": "tokens", "tokenizer": name, "text": text}));
        let expected: Vec<_> = expected["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token.as_str().unwrap())
            .collect();
        assert_eq!(
            tokenizer(name).tokenize(&text),
            expected.join(" "),
            "{name} of {text:?}"
        );
    });
}

#[test]
fn edits_of_long_segments_are_those_of_python() {
    let words = |range| {
        prop::collection::vec(0_u32..30, range).prop_map(|words| {
            words
                .into_iter()
                .map(|word| format!("w{word}"))
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    check(
        40,
        (words(0..70), words(1..70)),
        |oracle, (hypothesis, reference)| {
            let question = json!({
                "ask": "score", "metric": "ter", "options": {},
                "hypotheses": [hypothesis], "references": [[reference]],
            });
            let expected = oracle.ask(&question);
            let segments = measure(
                &metric("ter", &json!({})),
                &question["hypotheses"],
                &question["references"],
            );
            assert_score(&segments, &expected, &question.to_string());
        },
    );
}

#[test]
fn comparisons_are_those_of_python() {
    let tests = prop::sample::select(vec![("bs", -1), ("ar", -1), ("ar", 50)]);
    check(
        60,
        (corpus(), options(), tests, any::<u32>()),
        |oracle, ((references, base, tuned), (name, options), (test, n_confidence), seed)| {
            // One whole reference, since fractions make ties that the last bit decides.
            let question = json!({
                "ask": "compare", "metric": name, "options": options, "base": base, "tuned": tuned,
                "references": &references[..1], "test": test, "n_samples": 60,
                "n_confidence": n_confidence, "seed": u64::from(seed) + 1,
            });
            let expected = oracle.ask(&question);
            let metric = metric(name, &options);
            let [base, tuned] = ["base", "tuned"]
                .map(|system| measure(&metric, &question[system], &question["references"]));
            let n_confidence = usize::try_from(n_confidence).ok();
            let comparison = match test {
                "bs" => compare::bootstrap(&base, &tuned, 60, u64::from(seed) + 1),
                _ => compare::randomization(&base, &tuned, 60, n_confidence, u64::from(seed) + 1),
            }
            .unwrap();
            let what = question.to_string();
            assert_close(comparison.p_value, &expected["p_value"], &what);
            for (estimate, expected) in [
                (comparison.base, &expected["base"]),
                (comparison.tuned, &expected["tuned"]),
            ] {
                assert_close(estimate.score, &expected[0], &what);
                if let Some(resampled) = estimate.resampled {
                    assert_close(resampled.mean, &expected[1], &what);
                    assert_close(resampled.margin, &expected[2], &what);
                }
            }
        },
    );
}
