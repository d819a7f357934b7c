//! Scores that something else gave, such as a model.

use crate::metric::{MeasureError, Metric, Segments};
use crate::signature::Setting;

/// A score that was given to each segment; that of a corpus is their mean.
///
/// [`Given::segments`] takes the scores. A segment may have none: it is left out
/// of every mean, and resamples do not draw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The name of the metric, such as `COMET`.
    pub name: String,
    /// What gave the scores, for the signature: a version of a model.
    pub version: String,
    /// Settings for the signature: names with their short forms, and values.
    pub settings: Vec<Setting>,
    /// How many references the scores are by.
    pub n_refs: usize,
    /// Whether a lower score is a better one.
    pub lower_is_better: bool,
}

/// How many numbers a row has: the halves of a score, and whether it is there.
pub(crate) const WIDTH: usize = 3;

impl Given {
    /// Makes rows of scores that can be added up and resampled.
    ///
    /// # Errors
    ///
    /// Fails when no segment has a score. One that is not finite is none.
    pub fn segments(self, scores: &[Option<f64>]) -> Result<Segments, MeasureError> {
        let scores = scores
            .iter()
            .map(|score| score.filter(|score| score.is_finite()));
        let rows: Vec<[u32; WIDTH]> = scores.map(row).collect();
        if rows.iter().all(|row| row[2] == 0) {
            return Err(MeasureError::NoSegments);
        }
        let n_refs = self.n_refs;
        Ok(Segments::of_rows(Metric::Given(self), n_refs, &rows))
    }

    /// The score of a row, if it has one.
    pub(crate) fn score_of(row: &[u32]) -> Option<f64> {
        let bits = u64::from(row[0]) | u64::from(row[1]) << 32;
        (row[2] == 1).then(|| f64::from_bits(bits))
    }
}

fn row(score: Option<f64>) -> [u32; WIDTH] {
    let bits = score.unwrap_or_default().to_bits();
    [bits as u32, (bits >> 32) as u32, u32::from(score.is_some())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare;

    fn given() -> Given {
        Given {
            name: "COMET".into(),
            version: "COMET_22_SRC_REF".into(),
            settings: vec![("service", "svc", "vertex-ai".into())],
            n_refs: 1,
            lower_is_better: false,
        }
    }

    #[test]
    fn a_score_is_the_mean_of_those_that_are_there() {
        let scores = [Some(0.5), None, Some(1.0), Some(f64::NAN)];
        let segments = given().segments(&scores).unwrap();
        let score = segments.score();
        assert_eq!((score.value, segments.len()), (0.75, 4));
        assert_eq!(
            format!("{score:.4}"),
            "COMET|nrefs:1|service:vertex-ai|version:COMET_22_SRC_REF = 0.7500"
        );
        assert_eq!(segments.score_of([0]).value, 0.5);
        assert!(segments.score_of([1, 3]).value.is_nan());
        assert_eq!(given().segments(&[None]), Err(MeasureError::NoSegments));
        let metric = segments.metric();
        assert_eq!(
            metric.measure(&["a"], &[&[Some("a")]]),
            Err(MeasureError::Given)
        );
    }

    proptest! {
        /// What has no score might as well not be there.
        #[test]
        fn segments_without_a_score_change_nothing(
            pairs in prop::collection::vec(prop::option::of((0.0_f64..1.0, 0.0_f64..1.0)), 1..40)
        ) {
            prop_assume!(pairs.iter().any(Option::is_some));
            let there: Vec<_> = pairs.iter().filter(|pair| pair.is_some()).copied().collect();
            let sides = |pairs: &[Option<(f64, f64)>]| {
                let side = |of: fn((f64, f64)) -> f64| {
                    let scores: Vec<_> = pairs.iter().map(|pair| pair.map(of)).collect();
                    given().segments(&scores).unwrap()
                };
                (side(|pair| pair.0), side(|pair| pair.1))
            };
            let ((base, tuned), (whole_base, whole_tuned)) = (sides(&pairs), sides(&there));
            prop_assert_eq!(base.score(), whole_base.score());
            prop_assert_eq!(
                compare::confidence(&base, 50, 1), compare::confidence(&whole_base, 50, 1)
            );
            prop_assert_eq!(
                compare::bootstrap(&base, &tuned, 50, 1),
                compare::bootstrap(&whole_base, &whole_tuned, 50, 1)
            );
            prop_assert_eq!(
                compare::randomization(&base, &tuned, 50, Some(50), 1),
                compare::randomization(&whole_base, &whole_tuned, 50, Some(50), 1)
            );
        }
    }
}
