//! What no page can show: files of gigabytes, and laws.

use crate::diag::Level;
use crate::example::models;
use crate::rules::tests::check_all;
use crate::rules::{Context, Dataset, Findings, Levels, Side, Validation, WholeChecker};

fn messages(findings: &Findings, code: &str) -> Vec<String> {
    let found = findings
        .found
        .iter()
        .filter(|found| found.rule.code.code == code);
    found.map(|found| found.message.clone()).collect()
}

/// What is found in a dataset of which only counts are known.
fn of_dataset(dataset: &Dataset, context: &Context, code: &str) -> Vec<String> {
    let levels = Levels::default();
    let mut findings = Findings::new(usize::MAX, false);
    WholeChecker::new(context, &levels, dataset).dataset(&mut findings);
    messages(&findings, code)
}

#[test]
fn files_are_held_to_their_limits() {
    let mut dataset = Dataset::default();
    let context = Context::default();
    dataset.bytes = 1_000_000_000;
    dataset.examples = 10_000_000;
    assert!(of_dataset(&dataset, &context, "D022").is_empty());
    assert!(of_dataset(&dataset, &context, "D023").is_empty());
    dataset.bytes += 1;
    dataset.examples += 1;
    let told = ["there are 10000001 examples, the limit is 10000000"];
    assert_eq!(of_dataset(&dataset, &context, "D022"), told);
    let told = ["the file has 1000000001 bytes, the limit is 1000000000"];
    assert_eq!(of_dataset(&dataset, &context, "D023"), told);
    dataset.multimodal = 300_001;
    let context = Context {
        model: models::find("gemini-3.5-flash"),
        ..Context::default()
    };
    let told = ["there are 300001 examples with media, the limit of `gemini-3.5-flash` is 300000"];
    assert_eq!(of_dataset(&dataset, &context, "D022"), told);
    let validation = Context {
        side: Side::Validation,
        ..Context::default()
    };
    assert!(of_dataset(&dataset, &validation, "D022").is_empty());
}

/// `val ≤ 5000 and (val ≤ 1000 or val ≤ 30 % of train)`, at its corners.
#[test]
fn validation_is_as_large_as_training_allows() {
    let n_told = |examples: u64, n_train: u64| {
        let mut validation = Validation::default();
        validation.examples = examples;
        let of_train = Context {
            validation: Some(validation),
            ..Context::default()
        };
        let of_validation = Context {
            side: Side::Validation,
            ..Context::default()
        };
        let sides = [(&of_train, n_train), (&of_validation, examples)];
        let told = sides.map(|(context, examples)| {
            let mut dataset = Dataset::default();
            dataset.examples = examples;
            of_dataset(&dataset, context, "D024").len()
        });
        told.iter().sum::<usize>()
    };
    for val in [0, 1, 999, 1000, 1001, 1500, 4999, 5000, 5001] {
        for train in [
            1, 100, 3333, 3334, 3336, 3337, 5000, 16_663, 16_667, 1_000_000,
        ] {
            let is_allowed = val <= 5000 && (val <= 1000 || val as f64 <= 0.30 * train as f64);
            assert_eq!(
                n_told(val, train),
                usize::from(!is_allowed),
                "{val} of {train}"
            );
        }
    }
}

fn line(answer: &str, n: usize) -> String {
    format!(
        "{{\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"text\":\"Say {n}.\"}}]}},\
         {{\"role\":\"model\",\"parts\":[{{\"text\":\"{answer}\"}}]}}]}}\n"
    )
}

#[test]
fn dropped_examples_are_counted_and_told_once() {
    let context = Context {
        model_name: Some("translation-llm-002".into()),
        model: models::find("translation-llm-002"),
        ..Context::default()
    };
    let long = "7".repeat(1001);
    for (n_long, high, some) in [(0, 0, 0), (5, 0, 0), (6, 0, 1), (10, 0, 1), (11, 1, 0)] {
        let answer = |n| {
            if n < n_long {
                long.clone()
            } else {
                format!("It is {n}.")
            }
        };
        let text: String = (0..100).map(|n| line(&answer(n), n)).collect();
        let findings = check_all(text.as_bytes(), &context, &Levels::default(), false);
        assert_eq!(messages(&findings, "E049").len(), n_long);
        assert_eq!(messages(&findings, "D025").len(), high, "{n_long}");
        assert_eq!(messages(&findings, "D026").len(), some, "{n_long}");
    }
}

#[test]
fn a_count_says_where_the_tokens_are() {
    let text = line(&"7".repeat(131_080), 1);
    let findings = check_all(
        text.as_bytes(),
        &Context::default(),
        &Levels::default(),
        false,
    );
    let told =
        "the example has 131084 tokens (user turns 4, model turns 131080), the limit is 131072";
    assert_eq!(messages(&findings, "E049"), [told]);
    assert!(messages(&findings, "E050").is_empty());
    let near = line(&"7".repeat(131_068), 1);
    let findings = check_all(
        near.as_bytes(),
        &Context::default(),
        &Levels::default(),
        false,
    );
    assert!(messages(&findings, "E049").is_empty());
    assert_eq!(messages(&findings, "E050").len(), 1);
}

#[test]
fn levels_lower_what_the_table_rules_out() {
    let context = Context {
        adapter_size: Some(32),
        ..Context::default()
    };
    let mut levels = Levels::default();
    levels.set("model-combination", Level::Warn).unwrap();
    let mut findings = Findings::new(9, false);
    let dataset = Dataset::default();
    WholeChecker::new(&context, &levels, &dataset).dataset(&mut findings);
    let found = findings
        .found
        .iter()
        .find(|found| found.rule.code.code == "D028");
    assert_eq!(found.map(|found| found.level), Some(Level::Warn));
}

/// A line is counted from nine tenths of the limit on, whichever model it is
/// for; shorter ones are not, and nothing is missed by that.
#[test]
fn only_long_lines_are_counted_and_nothing_is_missed() {
    let context = Context {
        model_name: Some("translation-llm-002".into()),
        model: models::find("translation-llm-002"),
        ..Context::default()
    };
    let levels = Levels::default();
    for n in (750..1010).step_by(7) {
        let text = line(&"7".repeat(n), 1);
        let [by_signs, thorough] = [false, true].map(|is_thorough| {
            let findings = check_all(text.as_bytes(), &context, &levels, is_thorough);
            [messages(&findings, "E049"), messages(&findings, "E050")]
        });
        assert_eq!(by_signs, thorough, "{n}");
        let expected = [
            usize::from(n + 4 > 1000),
            usize::from(n + 4 > 900 && n + 4 <= 1000),
        ];
        assert_eq!(by_signs.map(|told| told.len()), expected, "{n}");
    }
}
