//! NumPy's arithmetic and random numbers, as far as sacreBLEU's resampling
//! rests on them.
//!
//! sacreBLEU draws with `numpy.random.default_rng(seed)`, which is PCG64
//! behind a `SeedSequence`, and adds up drawn rows in 32-bit floating point.
//! To print the same digits, so do we. The arithmetic is that of NumPy 2, in
//! which a Python number does not widen a 32-bit one; under NumPy 1 sacreBLEU
//! itself gives digits that differ in the sixth place.

use std::ops::{Add, AddAssign, Div, Mul};

/// A floating-point number that sums of rows are held in.
pub(crate) trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Div<Output = Self>
    + Send
    + Sync
{
    /// Narrows a number to this type.
    fn of(value: f64) -> Self;
    /// Widens a number.
    fn wide(self) -> f64;
}

impl Real for f64 {
    fn of(value: f64) -> f64 {
        value
    }

    fn wide(self) -> f64 {
        self
    }
}

impl Real for f32 {
    fn of(value: f64) -> f32 {
        value as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }
}

/// A score of a resample, and whether NumPy would hold it in 32 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampled {
    pub(crate) value: f64,
    pub(crate) is_single: bool,
}

impl Sampled {
    /// A score computed in the type of the sums.
    pub(crate) fn of<R: Real>(value: R) -> Self {
        Sampled {
            value: value.wide(),
            is_single: size_of::<R>() == 4,
        }
    }

    /// A score that Python computed.
    pub(crate) fn double(value: f64) -> Self {
        Sampled {
            value,
            is_single: false,
        }
    }
}

/// Scores of resamples as one array: in 32 bits if all of them are.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    values: Vec<f64>,
    is_single: bool,
}

impl Array {
    /// Makes an array as `numpy.array` does.
    pub(crate) fn new(scores: &[Sampled]) -> Self {
        Array {
            values: scores.iter().map(|score| score.value).collect(),
            is_single: scores.iter().all(|score| score.is_single),
        }
    }

    /// Gives the values in their order.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Sorts the values.
    pub(crate) fn sorted(mut self) -> Self {
        self.values.sort_by(f64::total_cmp);
        self
    }

    /// Computes the mean as `array.mean()` does, `NaN` of no values.
    pub(crate) fn mean(&self) -> f64 {
        fn mean<R: Real>(values: &[f64]) -> f64 {
            let values: Vec<R> = values.iter().map(|&value| R::of(value)).collect();
            (pairwise_sum(&values) / R::of(values.len() as f64)).wide()
        }
        if self.is_single {
            mean::<f32>(&self.values)
        } else {
            mean::<f64>(&self.values)
        }
    }

    /// Rounds to what the array can hold.
    pub(crate) fn round(&self, value: f64) -> f64 {
        if self.is_single {
            f64::from(value as f32)
        } else {
            value
        }
    }

    /// Computes the absolute difference of two arrays, value by value.
    pub(crate) fn distances(&self, other: &Array) -> Array {
        let is_single = self.is_single && other.is_single;
        let pairs = self.values.iter().zip(&other.values);
        let mut distances = Array {
            values: pairs.map(|(a, b)| (a - b).abs()).collect(),
            is_single,
        };
        // The difference of two 32-bit numbers in 64 bits, rounded once, is
        // their difference in 32 bits.
        for n in 0..distances.values.len() {
            distances.values[n] = distances.round(distances.values[n]);
        }
        distances
    }

    /// Subtracts a number from every value.
    pub(crate) fn minus(mut self, subtrahend: f64) -> Array {
        for n in 0..self.values.len() {
            self.values[n] = self.round(self.values[n] - subtrahend);
        }
        self
    }

    /// Counts the values above a limit.
    pub(crate) fn count_above(&self, limit: f64) -> usize {
        let limit = self.round(limit);
        self.values.iter().filter(|&&value| value > limit).count()
    }
}

/// Adds up as NumPy does along contiguous memory: in eight lanes, by halves
/// above 128 values.
fn pairwise_sum<R: Real>(values: &[R]) -> R {
    let n = values.len();
    if n > 128 {
        let half = n / 2 - n / 2 % 8;
        return pairwise_sum(&values[..half]) + pairwise_sum(&values[half..]);
    }
    let mut chunks = values.chunks_exact(8);
    let Some(first) = chunks.next() else {
        return values.iter().fold(R::of(0.0), |sum, &value| sum + value);
    };
    let mut lanes: [R; 8] = std::array::from_fn(|n| first[n]);
    for chunk in &mut chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    chunks
        .remainder()
        .iter()
        .fold(sum, |sum, &value| sum + value)
}

/// `numpy.random.default_rng`.
#[derive(Debug, Clone)]
pub(crate) struct Rng {
    state: u128,
    increment: u128,
    /// The upper half of the last 64 bits drawn, if it has not been used.
    half: Option<u32>,
}

impl Rng {
    /// Seeds PCG64 by way of `SeedSequence(seed)`.
    pub(crate) fn new(seed: u64) -> Self {
        let [a, b, c, d] = seed_sequence(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut rng = Rng {
            state: 0,
            increment: wide(c, d) << 1 | 1,
            half: None,
        };
        rng.step();
        rng.state = rng.state.wrapping_add(wide(a, b));
        rng.step();
        rng
    }

    fn step(&mut self) {
        const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        self.state = self
            .state
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.increment);
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let bits = folded.rotate_right((self.state >> 122) as u32);
        self.half = Some((bits >> 32) as u32);
        bits as u32
    }

    /// Fills with numbers below `n`, as `choice(n, replace=True)` does.
    pub(crate) fn choose(&mut self, n: u32, chosen: &mut [u32]) {
        if n <= 1 {
            // Nothing is drawn where there is no choice.
            chosen.fill(0);
            return;
        }
        let threshold = n.wrapping_neg() % n;
        for chosen in chosen {
            let product = loop {
                let product = u64::from(self.next_u32()) * u64::from(n);
                if product as u32 >= threshold {
                    break product;
                }
            };
            *chosen = (product >> 32) as u32;
        }
    }

    /// Fills with 32 coin throws each, the first in the lowest bit, as
    /// `integers(2, dtype=bool)` does.
    pub(crate) fn throw(&mut self, coins: &mut [u32]) {
        for coins in coins {
            *coins = self.next_u32();
        }
    }
}

/// Mixes a seed into 256 bits, as `SeedSequence(seed).generate_state(4)`.
fn seed_sequence(seed: u64) -> [u64; 4] {
    const POOL: usize = 4;
    let hash = |value: u32, constant: &mut u32, multiplier: u32| {
        let value = value ^ *constant;
        *constant = constant.wrapping_mul(multiplier);
        let value = value.wrapping_mul(*constant);
        value ^ value >> 16
    };
    let mix = |a: u32, b: u32| {
        let mixed = a
            .wrapping_mul(0xca01_f9dd)
            .wrapping_sub(b.wrapping_mul(0x4973_f715));
        mixed ^ mixed >> 16
    };
    let mut constant = 0x43b0_d7e5;
    let entropy = [seed as u32, (seed >> 32) as u32, 0, 0];
    let mut pool = entropy.map(|word| hash(word, &mut constant, 0x931e_8875));
    for from in 0..POOL {
        for to in (0..POOL).filter(|&to| to != from) {
            pool[to] = mix(pool[to], hash(pool[from], &mut constant, 0x931e_8875));
        }
    }
    let mut constant = 0x8b51_f9dd;
    let mut words = pool.iter().cycle();
    let mut next = || hash(*words.next().expect("a cycle"), &mut constant, 0x58f3_8ded);
    std::array::from_fn(|_| u64::from(next()) | u64::from(next()) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_default_rng() {
        // numpy.random.default_rng(seed).choice(n, size=6)
        #[track_caller]
        fn check(seed: u64, n: u32, expected: [u32; 6]) {
            let mut chosen = [0; 6];
            Rng::new(seed).choose(n, &mut chosen);
            assert_eq!(chosen, expected);
        }
        check(12345, 1000, [699, 227, 788, 316, 204, 797]);
        check(0, 7, [5, 4, 3, 1, 2, 0]);
        check(
            u64::MAX,
            3_000_000_000,
            [
                1_643_890_599,
                2_040_080_036,
                1_075_324_467,
                22_209_244,
                300_392_691,
                1_814_207_394,
            ],
        );
        check(1, 1, [0; 6]);
    }

    #[test]
    fn coins_are_those_of_default_rng() {
        let mut coins = [0; 2];
        Rng::new(12345).throw(&mut coins);
        assert_eq!(coins, [0xb2ff_c19d, 0x3a32_b18d]);
    }

    #[test]
    fn sums_go_by_eight_lanes_and_by_halves() {
        let values: Vec<f32> = (0..1000).map(|n| 1.0 / (n as f32 + 3.0)).collect();
        assert_eq!(pairwise_sum(&values), 5.987_468_2);
        assert_eq!(pairwise_sum(&values[..5]), 1.092_857_2);
    }
}
