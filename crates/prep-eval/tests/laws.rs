//! What must hold for any texts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use prep_eval::{
    Bleu, Chrf, ExactMatch, MeasureError, Metric, RougeL, Segments, Statistics, Ter, TokenF1,
    Tokenizer, compare,
};
use proptest::prelude::*;

fn metrics() -> Vec<Metric> {
    let bleu = |tokenizer| {
        Metric::from(Bleu {
            tokenizer,
            ..Bleu::default()
        })
    };
    let mut metrics: Vec<_> = Tokenizer::ALL.into_iter().map(bleu).collect();
    metrics.extend([
        Metric::from(Chrf::default()),
        Metric::from(Chrf::plus_plus()),
        Metric::from(Ter::default()),
        Metric::from(RougeL),
        Metric::from(TokenF1),
        Metric::from(ExactMatch::default()),
    ]);
    metrics
}

fn texts(n: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("((the|cat|dog|sat|on|mat|no\\.|año|中国|👍)[ ,]?){0,12}", n)
}

fn measure(metric: &Metric, hypotheses: &[String], references: &[String]) -> Segments {
    let references: Vec<_> = references.iter().map(|text| Some(text.as_str())).collect();
    metric.measure(hypotheses, &[&references]).unwrap()
}

/// The sum of the parts differs from the whole at most by rounding, and not at
/// all for counts.
fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn counts_add_up_over_any_partition_in_any_order(
        (hypotheses, references, parts) in (1..20_usize).prop_flat_map(|n| {
            (texts(n), texts(n), prop::collection::vec(0..4_usize, n))
        }),
    ) {
        for metric in metrics() {
            let segments = measure(&metric, &hypotheses, &references);
            let mut sum = Statistics::zero(&metric);
            for part in (0..4).rev() {
                let places = (0..parts.len()).rev().filter(|&n| parts[n] == part);
                sum += &segments.sum_of(places);
            }
            prop_assert_eq!(sum.n_segments(), segments.len());
            prop_assert!(is_close(metric.score(&sum, Some(1)).value, segments.score().value));
            if !matches!(metric, Metric::RougeL(_) | Metric::TokenF1(_)) {
                prop_assert_eq!(&sum, &segments.sum());
            }
        }
    }

    #[test]
    fn a_slice_scores_as_its_texts_do((hypotheses, references, begin) in (2..9_usize).prop_flat_map(|n| {
        (texts(n), texts(n), 0..n)
    })) {
        for metric in metrics() {
            let slice = measure(&metric, &hypotheses, &references).score_of(begin..hypotheses.len());
            prop_assert_eq!(slice, measure(&metric, &hypotheses[begin..], &references[begin..]).score());
        }
    }

    #[test]
    fn identical_texts_are_perfect(mut texts in texts(1..9)) {
        texts.push("the cat sat on the mat".to_owned());
        for metric in metrics().into_iter().filter(|metric| !matches!(metric, Metric::RougeL(_))) {
            let value = measure(&metric, &texts, &texts).score().value;
            let expected = if metric.lower_is_better() { 0.0 } else { 100.0 };
            prop_assert!(is_close(value, expected), "{} of {value}", metric.name());
        }
        let latin = vec!["the cat".to_owned(); texts.len()];
        prop_assert!(is_close(measure(&RougeL.into(), &latin, &latin).score().value, 100.0));
    }

    #[test]
    fn threads_do_not_matter((hypotheses, others, references) in (30..99_usize).prop_flat_map(|n| {
        (texts(n), texts(n), texts(n))
    })) {
        let run = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| {
                metrics().iter().map(|metric| {
                    let base = measure(metric, &hypotheses, &references);
                    let tuned = measure(metric, &others, &references);
                    let bootstrap = compare::bootstrap(&base, &tuned, 20, 7).unwrap();
                    let randomization = compare::randomization(&base, &tuned, 20, Some(20), 7).unwrap();
                    (base, tuned, bootstrap, randomization)
                }).collect::<Vec<_>>()
            })
        };
        prop_assert_eq!(run(1), run(3));
    }
}

#[test]
fn a_system_does_not_differ_from_itself() {
    let texts = ["the cat sat", "on the mat", "it rained"].map(str::to_owned);
    let references = ["the cat sat on", "a mat", "it rained all day"].map(str::to_owned);
    for metric in metrics() {
        let segments = measure(&metric, &texts, &references);
        let bootstrap = compare::bootstrap(&segments, &segments, 99, 1).unwrap();
        assert_eq!(
            (bootstrap.difference, bootstrap.ci),
            (0.0, Some((0.0, 0.0)))
        );
        let randomization = compare::randomization(&segments, &segments, 99, None, 1).unwrap();
        assert_eq!((randomization.difference, randomization.ci), (0.0, None));
    }
}

#[test]
fn a_better_system_is_told_from_a_worse_one() {
    let references: Vec<_> = (0..60)
        .map(|n| format!("segment {n} has these few words in it"))
        .collect();
    let tuned = references.clone();
    let base: Vec<_> = (0..60)
        .map(|n| format!("segment {n} has other words"))
        .collect();
    for metric in metrics() {
        let [base, tuned] = [&base, &tuned].map(|texts| measure(&metric, texts, &references));
        let sign = if metric.lower_is_better() { -1.0 } else { 1.0 };
        for comparison in [
            compare::bootstrap(&base, &tuned, 200, compare::SEED).unwrap(),
            compare::randomization(&base, &tuned, 200, Some(200), compare::SEED).unwrap(),
        ] {
            assert!(comparison.difference * sign > 0.0, "{}", comparison.name);
            assert!(comparison.p_value < 0.01, "{}", comparison.name);
            let (low, high) = comparison.ci.unwrap();
            assert!(low * sign > 0.0 && high * sign > 0.0, "{}", comparison.name);
        }
    }
}

#[test]
fn texts_that_do_not_line_up_are_refused() {
    let metric = Metric::from(Bleu::default());
    let none: [&str; 0] = [];
    assert_eq!(metric.measure(&none, &[&[]]), Err(MeasureError::NoSegments));
    assert_eq!(
        metric.measure(&["a", "b"], &[&[Some("a"), Some("b")], &[Some("a")]]),
        Err(MeasureError::Lengths {
            stream: 1,
            n_hypotheses: 2,
            n_references: 1
        })
    );
    assert_eq!(
        metric.measure(&["a", "b"], &[&[Some("a"), None], &[None, None]]),
        Err(MeasureError::NoReference { segment: 1 })
    );
    assert_eq!(
        metric.measure(&["a"], &[]),
        Err(MeasureError::NoReference { segment: 0 })
    );
    let nothing = Chrf {
        char_order: 0,
        ..Chrf::default()
    };
    assert_eq!(
        Metric::from(nothing).measure(&["a"], &[&[Some("a")]]),
        Err(MeasureError::NoOrders)
    );
}

#[test]
fn systems_that_do_not_belong_together_are_refused() {
    let two = ["a", "b"].map(str::to_owned);
    let bleu = measure(&Bleu::default().into(), &two, &two);
    let chrf = measure(&Chrf::default().into(), &two, &two);
    let one = measure(&Bleu::default().into(), &two[..1], &two[..1]);
    assert_eq!(
        compare::bootstrap(&bleu, &chrf, 1, 1),
        Err(compare::CompareError::Metrics)
    );
    assert_eq!(
        compare::randomization(&bleu, &one, 1, None, 1),
        Err(compare::CompareError::Lengths { base: 2, tuned: 1 })
    );
    assert_eq!(
        compare::bootstrap(&bleu, &bleu, 0, 1),
        Err(compare::CompareError::NoSamples)
    );
}

#[test]
fn a_slice_tells_its_own_number_of_references() {
    let metric = Metric::from(ExactMatch::default());
    let segments = metric
        .measure(&["a", "b"], &[&[Some("a"), Some("b")], &[None, Some("c")]])
        .unwrap();
    let n_refs = |segments: &[usize]| {
        let signature = metric
            .measure(&["a", "b"], &[&[Some("a"), Some("b")], &[None, Some("c")]])
            .unwrap();
        signature
            .score_of(segments.iter().copied())
            .signature
            .pairs(false)[0]
            .1
            .clone()
    };
    assert_eq!(
        segments.score().signature.pairs(true)[0],
        ("#", "var".to_owned())
    );
    assert_eq!(n_refs(&[0]), "1");
    assert_eq!(n_refs(&[1]), "2");
}
