//! What the difference between two systems is worth: paired bootstrap and
//! paired approximate randomization, as sacreBLEU's `significance.py`.
//!
//! A system is what [`Metric::measure`](crate::Metric::measure) counted, so no
//! text is read here: a resample is a sum of rows. Rows are drawn by NumPy's
//! generator and added up in the precision that sacreBLEU uses, so that a seed
//! gives the numbers that it gives there (with NumPy 2), `SACREBLEU_SEED` being
//! 12345 by default. Drawing is serial, adding up is not; the result does not
//! depend on the number of threads. sacreBLEU takes a seed of 0 for none; here
//! it is a seed.
//!
//! Where references per segment differ in number or are three and more, the
//! mean lengths that TER adds up are fractions, and the order of additions in
//! sacreBLEU's linear algebra decides their last bit, which can turn a tie.

use rayon::prelude::*;
use thiserror::Error;

use crate::bleu::Smoothing;
use crate::metric::{Metric, Segments};
use crate::numpy::{Array, Real, Rng, Sampled};
use crate::signature::{Resampling, Signature};

/// The seed that sacreBLEU uses by default.
pub const SEED: u64 = 12345;
/// How many resamples sacreBLEU's paired bootstrap draws by default.
pub const BOOTSTRAP_SAMPLES: usize = 1000;
/// How many trials sacreBLEU's approximate randomization makes by default.
pub const RANDOMIZATION_TRIALS: usize = 10_000;

/// A score, and how far it could be from what other segments would give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Of all segments.
    pub score: f64,
    /// Over the resamples, if there were any.
    pub resampled: Option<Resampled>,
}

/// Scores of resamples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampled {
    /// Their mean.
    pub mean: f64,
    /// Half the width of the 95 % confidence interval, as sacreBLEU prints it
    /// behind `±`.
    pub margin: f64,
}

/// Two systems on the same segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Which metric: `BLEU`, `chrF2++`.
    pub name: String,
    /// What all numbers depend on.
    pub signature: Signature,
    /// The system that was there before.
    pub base: Estimate,
    /// The system that is compared with it.
    pub tuned: Estimate,
    /// The score of `tuned` less that of `base`.
    pub difference: f64,
    /// How likely so large a difference is if there is none.
    pub p_value: f64,
    /// The 95 % confidence interval of the difference over the resamples,
    /// which is ours, not sacreBLEU's.
    pub ci: Option<(f64, f64)>,
}

/// Why two systems cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompareError {
    /// They were measured with different settings.
    #[error("the systems were measured with different settings")]
    Metrics,
    /// They did not translate the same segments.
    #[error("{base} segments against {tuned}")]
    Lengths {
        /// How many segments the first has.
        base: usize,
        /// How many segments the second has.
        tuned: usize,
    },
    /// Scores were not given to the same segments.
    #[error("the systems have scores of different segments")]
    Scored,
    /// There is nothing to draw.
    #[error("the number of resamples is 0")]
    NoSamples,
}

/// Estimates how far a score could be from what other segments would give, by
/// bootstrap resampling: the mean and the margin that sacreBLEU prints with
/// `--confidence`. The signature gains `bs` and `seed`.
///
/// # Errors
///
/// Fails when there are no resamples to draw.
pub fn confidence(
    segments: &Segments,
    n_samples: usize,
    seed: u64,
) -> Result<(Estimate, Signature), CompareError> {
    check_samples(n_samples)?;
    let [scores] = bootstrap_scores([segments], n_samples, &mut Rng::new(seed));
    // sacreBLEU takes the exact mean here, and NumPy's in comparisons.
    let mean = scores.values().iter().sum::<f64>() / scores.values().len() as f64;
    let estimate = Estimate {
        score: segments.score().value,
        resampled: Some(Resampled {
            mean: scores.round(mean),
            ..resampled(&scores)
        }),
    };
    let resampling = Resampling {
        n_bootstrap: Some(n_samples),
        seed: Some(seed),
        ..Resampling::default()
    };
    Ok((estimate, signature(segments, resampling)))
}

/// The mean of some numbers, and where it could be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// The lower end of its 95 % confidence interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Estimates the mean of numbers, with a percentile interval over bootstrap
/// resamples; `None` of no numbers, or without resamples. It takes as many
/// draws as there are numbers, `n_samples` times.
#[must_use]
pub fn mean(numbers: &[f64], n_samples: usize, seed: u64) -> Option<Mean> {
    let n = u32::try_from(numbers.len()).ok().filter(|&n| n > 0)?;
    let count = numbers.len() as f64;
    let mut rng = Rng::new(seed);
    let mut chosen = vec![0; numbers.len()];
    let resample = |_| {
        rng.choose(n, &mut chosen);
        chosen.iter().map(|&at| numbers[at as usize]).sum::<f64>() / count
    };
    let mut means: Vec<f64> = (0..n_samples).map(resample).collect();
    means.sort_by(f64::total_cmp);
    // A fortieth at each end.
    let cut = n_samples / 40;
    Some(Mean {
        value: numbers.iter().sum::<f64>() / count,
        low: *means.get(cut)?,
        high: *means.get(n_samples.checked_sub(cut + 1)?)?,
    })
}

/// Compares two systems by paired bootstrap resampling (Koehn, 2004).
///
/// Draws as many segments as there are, with replacement, `n_samples` times,
/// and scores both systems on them. The p-value is how often the difference
/// strays from its mean by more than the difference itself.
///
/// # Errors
///
/// Fails when the systems do not belong together or nothing is drawn.
pub fn bootstrap(
    base: &Segments,
    tuned: &Segments,
    n_samples: usize,
    seed: u64,
) -> Result<Comparison, CompareError> {
    check_pair(base, tuned)?;
    check_samples(n_samples)?;
    let [base_scores, tuned_scores] =
        bootstrap_scores([base, tuned], n_samples, &mut Rng::new(seed));
    let (base_score, tuned_score) = (base.score().value, tuned.score().value);
    let distances = tuned_scores.distances(&base_scores);
    let mean = distances.mean();
    let strays = distances.minus(mean);
    Ok(Comparison {
        name: base.metric().name(),
        signature: signature(
            base,
            Resampling {
                n_bootstrap: Some(n_samples),
                seed: Some(seed),
                ..Resampling::default()
            },
        ),
        base: Estimate {
            score: base_score,
            resampled: Some(resampled(&base_scores)),
        },
        tuned: Estimate {
            score: tuned_score,
            resampled: Some(resampled(&tuned_scores)),
        },
        difference: tuned_score - base_score,
        p_value: p_value(&strays, (base_score - tuned_score).abs()),
        ci: Some(interval(&base_scores, &tuned_scores)),
    })
}

/// Compares two systems by paired approximate randomization (Riezler and
/// Maxwell, 2005).
///
/// Throws a coin for each segment whether the systems swap their hypotheses,
/// `n_trials` times. The p-value is how often the difference is larger than
/// the one that was found. With `n_samples`, bootstrap resamples are drawn
/// after that for the margins and the interval.
///
/// # Errors
///
/// Fails when the systems do not belong together or nothing is drawn.
pub fn randomization(
    base: &Segments,
    tuned: &Segments,
    n_trials: usize,
    n_samples: Option<usize>,
    seed: u64,
) -> Result<Comparison, CompareError> {
    check_pair(base, tuned)?;
    check_samples(n_trials)?;
    check_samples(n_samples.unwrap_or(1))?;
    let mut rng = Rng::new(seed);
    let (base_score, tuned_score) = (base.score().value, tuned.score().value);
    let distances = shuffled_distances(base, tuned, n_trials, &mut rng);
    let p_value = p_value(&distances, (base_score - tuned_score).abs());
    let (mut of_base, mut of_tuned, mut ci) = (None, None, None);
    if let Some(n_samples) = n_samples {
        // The base is resampled from the seed, as it is when it stands alone;
        // what is compared with it, after the coins, and both for the interval.
        let [alone] = bootstrap_scores([base], n_samples, &mut Rng::new(seed));
        let [base_scores, tuned_scores] = bootstrap_scores([base, tuned], n_samples, &mut rng);
        of_base = Some(resampled(&alone));
        of_tuned = Some(resampled(&tuned_scores));
        ci = Some(interval(&base_scores, &tuned_scores));
    }
    Ok(Comparison {
        name: base.metric().name(),
        signature: signature(
            base,
            Resampling {
                n_bootstrap: n_samples,
                n_randomization: Some(n_trials),
                seed: Some(seed),
            },
        ),
        base: Estimate {
            score: base_score,
            resampled: of_base,
        },
        tuned: Estimate {
            score: tuned_score,
            resampled: of_tuned,
        },
        difference: tuned_score - base_score,
        p_value,
        ci,
    })
}

fn check_pair(base: &Segments, tuned: &Segments) -> Result<(), CompareError> {
    if base.metric() != tuned.metric() {
        return Err(CompareError::Metrics);
    }
    if base.len() != tuned.len() {
        return Err(CompareError::Lengths {
            base: base.len(),
            tuned: tuned.len(),
        });
    }
    if !base.drawn().eq(tuned.drawn()) {
        return Err(CompareError::Scored);
    }
    Ok(())
}

fn check_samples(n: usize) -> Result<(), CompareError> {
    if n == 0 {
        Err(CompareError::NoSamples)
    } else {
        Ok(())
    }
}

fn signature(segments: &Segments, resampling: Resampling) -> Signature {
    segments
        .metric()
        .signature(segments.n_refs())
        .with_resampling(resampling)
}

/// Tells how many values from either end the middle 95 % of `n` begin.
fn tail(n: usize) -> usize {
    n / 40
}

fn resampled(scores: &Array) -> Resampled {
    let sorted = scores.clone().sorted();
    let values = sorted.values();
    let (lower, upper) = (
        values[tail(values.len())],
        values[values.len() - tail(values.len()) - 1],
    );
    Resampled {
        mean: sorted.mean(),
        margin: sorted.round(0.5 * sorted.round(upper - lower)),
    }
}

fn interval(base: &Array, tuned: &Array) -> (f64, f64) {
    let pairs = tuned.values().iter().zip(base.values());
    let mut differences: Vec<f64> = pairs.map(|(tuned, base)| tuned - base).collect();
    differences.sort_by(f64::total_cmp);
    let n = differences.len();
    (differences[tail(n)], differences[n - tail(n) - 1])
}

/// One more than how often chance did better, so that it is never 0.
fn p_value(differences: &Array, found: f64) -> f64 {
    let n_larger = differences.count_above(found);
    (n_larger + 1) as f64 / (differences.values().len() + 1) as f64
}

/// How many draws are made before they are added up, about.
const DRAWS: usize = 1 << 20;

/// Why a number of segments has 32 bits.
const MANY: &str = "counts of 2^32 segments do not fit into memory";

/// Scores each system on the same resamples.
///
/// While the pool adds up one portion of resamples, the next is drawn.
fn bootstrap_scores<const N: usize>(
    systems: [&Segments; N],
    n_samples: usize,
    rng: &mut Rng,
) -> [Array; N] {
    if systems[0].metric().is_sacrebleu() {
        bootstrap_scores_in::<f32, N>(systems, n_samples, rng)
    } else {
        bootstrap_scores_in::<f64, N>(systems, n_samples, rng)
    }
}

fn bootstrap_scores_in<R: Real, const N: usize>(
    systems: [&Segments; N],
    n_samples: usize,
    rng: &mut Rng,
) -> [Array; N] {
    let metric = systems[0].metric();
    let n_segments = systems[0].n_drawn();
    let n = u32::try_from(n_segments).expect(MANY);
    let rows = systems.map(Segments::addends::<R>);
    let mut draw = |n_samples: usize| {
        let mut chosen = vec![0; n_samples * n_segments];
        rng.choose(n, &mut chosen);
        chosen
    };
    let portion = (DRAWS / n_segments)
        .clamp(1, n_samples)
        .max(rayon::current_num_threads());
    let portions = |done: usize| portion.min(n_samples - done);
    let mut scores: Vec<[Sampled; N]> = Vec::with_capacity(n_samples);
    let mut chosen = draw(portions(0));
    while scores.len() < n_samples {
        let n_chosen = chosen.len() / n_segments;
        let n_next = portions(scores.len() + n_chosen);
        let score = |chosen: &[u32]| {
            rows.each_ref()
                .map(|rows| metric.value(&sum_of(rows, metric.n_sums(), chosen)))
        };
        let (more, next) = rayon::join(
            || chosen.par_chunks(n_segments).map(score).collect::<Vec<_>>(),
            || draw(n_next),
        );
        scores.extend(more);
        chosen = next;
    }
    std::array::from_fn(|n| Array::new(&scores.iter().map(|scores| scores[n]).collect::<Vec<_>>()))
}

/// Adds up rows one after the other, as NumPy does along the first axis.
fn sum_of<R: Real>(rows: &[R], width: usize, chosen: &[u32]) -> Vec<R> {
    let mut sums = vec![R::of(0.0); width];
    for &segment in chosen {
        let row = &rows[segment as usize * width..][..width];
        for (sum, &addend) in sums.iter_mut().zip(row) {
            *sum += addend;
        }
    }
    sums
}

/// Computes the absolute difference of scores for each trial in which some
/// segments have changed sides.
fn shuffled_distances(base: &Segments, tuned: &Segments, n_trials: usize, rng: &mut Rng) -> Array {
    let metric = whole(base.metric());
    let n_segments = base.n_drawn();
    let n = u32::try_from(n_segments).expect(MANY);
    let width = metric.n_sums();
    let (base, tuned) = (base.addends::<f64>(), tuned.addends::<f64>());
    let sum = |rows: &[f64]| sum_of(rows, width, &(0..n).collect::<Vec<_>>());
    let (sum_of_base, sum_of_tuned) = (sum(&base), sum(&tuned));
    // A segment that changes sides takes its difference along.
    let differences: Vec<f64> = base.iter().zip(&tuned).map(|(a, b)| a - b).collect();
    // With a multiple of 32 trials no coin of a word is left over but the last.
    let portion = (32 * DRAWS / n_segments)
        .clamp(1, n_trials)
        .next_multiple_of(32);
    let mut scores = Vec::with_capacity(n_trials);
    while scores.len() < n_trials {
        let n_thrown = portion.min(n_trials - scores.len());
        let mut coins = vec![0; (n_thrown * n_segments).div_ceil(32)];
        rng.throw(&mut coins);
        let distance = |trial: usize| {
            let mut first = sum_of_tuned.clone();
            for (n, difference) in (trial * n_segments..).zip(differences.chunks_exact(width)) {
                let is_head = f64::from(coins[n / 32] >> (n % 32) & 1);
                for (sum, difference) in first.iter_mut().zip(difference) {
                    *sum += is_head * difference;
                }
            }
            let both = sum_of_base.iter().zip(&sum_of_tuned);
            let second: Vec<_> = both
                .zip(&first)
                .map(|((a, b), first)| a + b - first)
                .collect();
            let (first, second) = (metric.value(&first).value, metric.value(&second).value);
            Sampled::double((first - second).abs())
        };
        scores.par_extend((0..n_thrown).into_par_iter().map(distance));
    }
    Array::new(&scores)
}

/// The metric with which sacreBLEU scores shuffled systems: it adds the `k` of
/// add-k smoothing in place, to whole numbers, which drops its fraction.
fn whole(metric: &Metric) -> Metric {
    match metric {
        Metric::Bleu(bleu) => {
            let mut bleu = bleu.clone();
            if let Smoothing::AddK(k) = &mut bleu.smoothing {
                *k = k.trunc();
            }
            Metric::Bleu(bleu)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_its_interval() {
        assert_eq!(mean(&[], 100, SEED), None);
        assert_eq!(mean(&[1.0], 0, SEED), None);
        let certain = Mean {
            value: 2.0,
            low: 2.0,
            high: 2.0,
        };
        assert_eq!(mean(&[2.0; 7], 1000, SEED), Some(certain));
        // A fair coin thrown 400 times: 0.5, give or take 1.96 times 0.025.
        let coins: Vec<f64> = (0..400).map(|n| f64::from(n % 2)).collect();
        let coin = mean(&coins, 1000, SEED).expect("there are numbers");
        assert_eq!(coin.value, 0.5);
        assert!((coin.low - 0.451).abs() < 0.01, "{coin:?}");
        assert!((coin.high - 0.549).abs() < 0.01, "{coin:?}");
        assert_eq!(mean(&coins, 1000, SEED), Some(coin));
    }
}
