//! How a number is spread over examples, from counts alone.
//!
//! A [`Histogram`] counts each value below [`EXACT`] by itself, and larger ones in
//! buckets of 1/64 of their power of two. Number, smallest, largest and mean
//! are exact; so is every quantile below [`EXACT`], and one above is at most
//! 1/64 too small. Histograms do not depend on the order in which they are filled.

use std::fmt;

/// Values below this are counted one by one.
pub const EXACT: u64 = 1 << 15;

/// Buckets for each power of two above.
const STEPS: u64 = 64;

/// Counts of values.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    n: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("summary", &self.summary())
            .finish_non_exhaustive()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: Vec::new(),
            n: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }
}

/// What is told of a histogram. All are 0 where nothing was counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// How many values there are.
    pub n: u64,
    /// The sum of all values.
    pub sum: u128,
    /// The smallest.
    pub min: u64,
    /// The smallest value that at least 5 of 100 do not exceed.
    pub p5: u64,
    /// The same for 50 of 100.
    pub median: u64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The same for 95 of 100.
    pub p95: u64,
    /// The same for 99 of 100.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        let bucket = bucket_of(value);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.n += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many values were counted.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many values are at least `value`; exact below [`EXACT`] and at
    /// the bounds of buckets above.
    #[must_use]
    pub fn n_from(&self, value: u64) -> u64 {
        self.counts.iter().skip(bucket_of(value)).sum()
    }

    /// The smallest value that at least `percent` of 100 do not exceed: the
    /// nearest rank.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> u64 {
        if self.n == 0 {
            return 0;
        }
        let rank = (u128::from(self.n) * u128::from(percent))
            .div_ceil(100)
            .max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                // A bucket may begin before the smallest value there is.
                return start_of(bucket).clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// What is told of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        if self.n == 0 {
            return Summary::default();
        }
        Summary {
            n: self.n,
            sum: self.sum,
            min: self.min,
            p5: self.quantile(5),
            median: self.quantile(50),
            mean: self.sum as f64 / self.n as f64,
            p95: self.quantile(95),
            p99: self.quantile(99),
            max: self.max,
        }
    }

    /// Counts values again in about `most` bars of one round width from 0, of
    /// which the last has everything above the 99th percentile if a few
    /// values are so large that they would leave the others no room.
    #[must_use]
    pub fn bars(&self, most: u64) -> Bars {
        self.bars_to(most, self.reach())
    }

    /// Up to which value bars must reach to show nearly all.
    #[must_use]
    pub fn reach(&self) -> u64 {
        if self.n == 0 {
            return 0;
        }
        let p99 = self.quantile(99).max(1);
        if self.max / 2 > p99 { p99 } else { self.max }
    }

    /// The same as [`Histogram::bars`], as far as `reach`: for histograms that are
    /// to be shown beside each other.
    #[must_use]
    pub fn bars_to(&self, most: u64, reach: u64) -> Bars {
        let width = round_up((reach + 1).div_ceil(most.max(1)));
        let n_bars = (reach / width + 1) as usize;
        let mut bars = Bars {
            width,
            counts: vec![0; n_bars],
            above: 0,
        };
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let bar = usize::try_from(start_of(bucket) / width).unwrap_or(usize::MAX);
            match bars.counts.get_mut(bar) {
                Some(bar) => *bar += count,
                None => bars.above += count,
            }
        }
        bars
    }
}

/// A histogram with bars of one width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    /// The values of the first bar are 0 to one less than this, and so on.
    pub width: u64,
    /// How many values each bar has.
    pub counts: Vec<u64>,
    /// How many are beyond the last.
    pub above: u64,
}

fn bucket_of(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let power = u64::from(value.ilog2());
    let step = (value >> (power - STEPS.ilog2() as u64)) - STEPS;
    let octave = power - u64::from(EXACT.ilog2());
    (EXACT + octave * STEPS + step) as usize
}

/// The smallest value of a bucket.
fn start_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let (octave, step) = ((bucket - EXACT) / STEPS, (bucket - EXACT) % STEPS);
    let power = u64::from(EXACT.ilog2()) + octave;
    (STEPS + step) << (power - u64::from(STEPS.ilog2()))
}

/// The next of 1, 2, 5, 10, 20, 50 and so on.
fn round_up(width: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let round = unit.saturating_mul(factor);
            if round >= width {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.add(*value));
        histogram
    }

    #[test]
    fn buckets_follow_each_other() {
        let mut last = 0;
        for bucket in 1..(EXACT + 20 * STEPS) as usize {
            let start = start_of(bucket);
            assert!(start > last);
            assert_eq!(
                (bucket_of(start), bucket_of(start - 1)),
                (bucket, bucket - 1)
            );
            last = start;
        }
        assert_eq!(
            bucket_of(u64::from(u32::MAX)),
            bucket_of(u64::from(u32::MAX) - 1)
        );
    }

    #[test]
    fn nothing_has_an_empty_histogram() {
        assert_eq!(Histogram::default().summary(), Summary::default());
        assert_eq!(Histogram::default().bars(10).counts, [0]);
    }

    #[test]
    fn bars_have_round_widths() {
        let bars = histogram(&[0, 3, 9, 10, 19, 95]).bars(10);
        assert_eq!((bars.width, bars.above), (10, 0));
        assert_eq!(bars.counts, [3, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
        let mut values = vec![5; 199];
        values.push(1_000_000);
        let bars = histogram(&values).bars(10);
        assert_eq!((bars.width, bars.above), (1, 1));
        assert_eq!(bars.counts, [0, 0, 0, 0, 0, 199]);
    }

    proptest! {
        #[test]
        fn a_summary_is_that_of_the_sorted_values(
            mut values in proptest::collection::vec(
                prop_oneof![0..100_u64, 0..40_000_u64, 0..u64::from(u32::MAX)], 1..200),
        ) {
            let summary = histogram(&values).summary();
            values.sort_unstable();
            let n = values.len();
            let rank = |percent: usize| values[(n * percent).div_ceil(100).max(1) - 1];
            prop_assert_eq!((summary.min, summary.max), (values[0], values[n - 1]));
            prop_assert_eq!(summary.sum, values.iter().map(|value| u128::from(*value)).sum::<u128>());
            for (percent, told) in [(5, summary.p5), (50, summary.median), (95, summary.p95), (99, summary.p99)] {
                let exact = rank(percent);
                prop_assert!(told <= exact && exact - told <= exact / 64, "{told} for {exact}");
                prop_assert!(exact >= EXACT || told == exact);
            }
        }

        #[test]
        fn every_value_is_in_a_bar(
            values in proptest::collection::vec(0..200_000_u64, 0..100),
            most in 1..40_u64,
        ) {
            let bars = histogram(&values).bars(most);
            prop_assert_eq!(bars.counts.iter().sum::<u64>() + bars.above, values.len() as u64);
            prop_assert!(bars.counts.len() as u64 <= most.max(1));
        }
    }
}
