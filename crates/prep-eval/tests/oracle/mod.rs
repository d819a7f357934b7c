//! What sacreBLEU is asked, as this crate is asked it.

use prep_eval::{
    Bleu, Chrf, ExactMatch, Metric, Normalization, RougeL, Segments, Smoothing, Ter, TokenF1,
    Tokenizer,
};
use serde_json::Value;

/// Makes a metric of what sacreBLEU's constructor would take.
pub(crate) fn metric(name: &str, options: &Value) -> Metric {
    let is = |key: &str| options[key].as_bool().unwrap_or(false);
    let order = |key: &str, default: usize| options[key].as_u64().map_or(default, |n| n as usize);
    match name {
        "bleu" => Metric::Bleu(Bleu {
            tokenizer: tokenizer(options["tokenize"].as_str().unwrap_or("13a")),
            lowercase: is("lowercase"),
            smoothing: smoothing(options),
            max_order: order("max_ngram_order", 4),
            effective_order: is("effective_order"),
        }),
        "chrf" => Metric::Chrf(Chrf {
            char_order: order("char_order", 6),
            word_order: order("word_order", 0),
            beta: order("beta", 2) as u32,
            lowercase: is("lowercase"),
            whitespace: is("whitespace"),
            eps_smoothing: is("eps_smoothing"),
        }),
        "ter" => Metric::Ter(Ter {
            normalized: is("normalized"),
            no_punct: is("no_punct"),
            asian_support: is("asian_support"),
            case_sensitive: is("case_sensitive"),
        }),
        "rouge-l" => Metric::RougeL(RougeL),
        "token-f1" => Metric::TokenF1(TokenF1),
        "exact-match" => Metric::ExactMatch(ExactMatch {
            normalization: match options["normalization"].as_str().unwrap() {
                "none" => Normalization::None,
                "space" => Normalization::Whitespace,
                "squad" => Normalization::Squad,
                other => panic!("`{other}`"),
            },
        }),
        other => panic!("`{other}`"),
    }
}

pub(crate) fn tokenizer(name: &str) -> Tokenizer {
    *Tokenizer::ALL
        .iter()
        .find(|tokenizer| tokenizer.name() == name)
        .unwrap()
}

fn smoothing(options: &Value) -> Smoothing {
    let value = |default| options["smooth_value"].as_f64().unwrap_or(default);
    match options["smooth_method"].as_str().unwrap_or("exp") {
        "none" => Smoothing::None,
        "floor" => Smoothing::Floor(value(0.1)),
        "add-k" => Smoothing::AddK(value(1.0)),
        "exp" => Smoothing::Exp,
        other => panic!("`{other}`"),
    }
}

/// Measures texts as JSON has them: hypotheses, and lists of references with
/// gaps.
pub(crate) fn measure(metric: &Metric, hypotheses: &Value, references: &Value) -> Segments {
    let texts = |value: &Value| -> Vec<Option<String>> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let hypotheses: Vec<_> = texts(hypotheses).into_iter().map(Option::unwrap).collect();
    let references: Vec<_> = references.as_array().unwrap().iter().map(texts).collect();
    let borrowed: Vec<Vec<_>> = references
        .iter()
        .map(|texts| texts.iter().map(Option::as_deref).collect())
        .collect();
    let slices: Vec<_> = borrowed.iter().map(Vec::as_slice).collect();
    metric.measure(&hypotheses, &slices).unwrap()
}

/// Fails unless two numbers are equal but for the last bits.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: &Value, what: &str) {
    let expected = expected
        .as_f64()
        .unwrap_or_else(|| panic!("{what}: {expected} is no number"));
    let tolerance = 1e-9 * expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: found {found}, sacreBLEU has {expected}"
    );
}

/// Fails unless a score, those of its segments and its signature are what
/// sacreBLEU has.
#[track_caller]
pub(crate) fn assert_score(segments: &Segments, expected: &Value, what: &str) {
    let score = segments.score();
    assert_close(score.value, &expected["score"], what);
    if let Some(printed) = expected["printed"].as_str() {
        assert_eq!(score.to_string(), printed, "{what}");
        assert_eq!(
            score.signature.to_string(),
            expected["signature"].as_str().unwrap(),
            "{what}"
        );
        assert_eq!(
            format!("{:#}", score.signature),
            expected["short"].as_str().unwrap(),
            "{what}"
        );
    }
    let each = expected["each"].as_array().unwrap();
    assert_eq!(segments.len(), each.len(), "{what}");
    for (n, (found, expected)) in segments.each().into_iter().zip(each).enumerate() {
        assert_close(found, expected, &format!("{what}, segment {n}"));
    }
}
