//! A few bytes of a set that tell how much it has in common with another.
//!
//! A sketch has rows. Row for row, the sketches of two sets agree as often as
//! the sets do: with the chance of their Jaccard index, and by accident once in
//! 256. [`Bands`] says how many rows together are a key under which similar
//! sets are looked for, and how many such keys there must be so that hardly a
//! pair at the threshold is missed.
//!
//! An element falls into two rows, the smallest in a row stands for it (one
//! permutation hashing: Li, Owen, Zhang, 2012), so that it costs one hash and
//! not one for each row. A row that stays empty is filled with the smallest of
//! all by a hash of its own: where two sets leave a row empty, they agree there
//! as often as sets do, and where one does, they never do, as they should.

use super::shingles::mix;

/// The most rows of all sketches of a text together, in bytes: at 0.8, 13 keys of
/// five rows.
pub const ROWS: usize = 65;

/// How rows become keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    /// How many keys there are.
    pub n: usize,
    /// How many rows of each side are in a key: eight together at most.
    rows: [usize; 2],
}

impl Bands {
    /// Chooses bands for texts of one side or two whose similarity, on each
    /// side, is to be `threshold` at least: as many rows in a key as leave a
    /// pair at the threshold a chance of 0.98 to be found. Few rows mean more
    /// pairs to look at in vain.
    #[must_use]
    pub fn new(threshold: f64, n_sides: usize) -> Self {
        const CHANCE: f64 = 0.98;
        let bands = |n_rows: usize| {
            let rows = if n_sides == 1 {
                [n_rows, 0]
            } else {
                [n_rows / 2, n_rows - n_rows / 2]
            };
            Self {
                n: ROWS / n_rows,
                rows,
            }
        };
        let mut choices = (2..=8).rev().map(bands);
        let found = choices.find(|bands| bands.chance(threshold) >= CHANCE);
        found.unwrap_or_else(|| bands(2))
    }

    /// The chance that two texts of this similarity share a key.
    #[must_use]
    pub fn chance(&self, similarity: f64) -> f64 {
        let row = similarity + (1.0 - similarity) / 256.0;
        let key = row.powi((self.rows[0] + self.rows[1]) as i32);
        1.0 - (1.0 - key).powi(self.n as i32)
    }

    /// The rows of each side of a sketch.
    #[must_use]
    pub fn sides<'s>(&self, sketch: &'s [u8; ROWS]) -> [&'s [u8]; 2] {
        let (first, rest) = sketch.split_at(self.n * self.rows[0]);
        [first, &rest[..self.n * self.rows[1]]]
    }

    /// The rows of each side of a sketch, to be written.
    #[must_use]
    pub fn sides_mut<'s>(&self, sketch: &'s mut [u8; ROWS]) -> [&'s mut [u8]; 2] {
        let (first, rest) = sketch.split_at_mut(self.n * self.rows[0]);
        [first, &mut rest[..self.n * self.rows[1]]]
    }

    /// The key of a band. Keys of different bands are different but by
    /// accident.
    #[must_use]
    pub fn key(&self, sketch: &[u8; ROWS], band: usize) -> u64 {
        let [n_first, n_second] = self.rows;
        let first = word(sketch, band * n_first, n_first);
        let second = word(sketch, self.n * n_first + band * n_second, n_second);
        let rows = first | second.unbounded_shl(8 * n_first as u32);
        mix(rows ^ mix(band as u64 + 1))
    }

    /// In how many rows the sketches of two texts agree at least, on each side, if
    /// that side is as similar as `threshold`: hardly once in 30,000 times in fewer.
    #[must_use]
    pub fn fewest_equal(&self, threshold: f64) -> [usize; 2] {
        const DEVIATIONS: f64 = 4.0;
        self.rows.map(|rows| match self.n * rows {
            0 => 0,
            n => {
                let deviation = (threshold * (1.0 - threshold) / n as f64).sqrt();
                ((threshold - DEVIATIONS * deviation) * n as f64) as usize
            }
        })
    }

    /// Whether two sketches leave open that their texts are similar, which agree
    /// in [`fewest`](Self::fewest_equal) rows then.
    #[must_use]
    pub fn may_be_similar(&self, one: &[u8; ROWS], other: &[u8; ROWS], fewest: [usize; 2]) -> bool {
        let sides = self.sides(one).into_iter().zip(self.sides(other));
        let mut sides = sides.zip(fewest);
        sides.all(|((one, other), fewest)| n_equal(one, other) >= fewest)
    }
}

/// Some rows, eight at most, as one number.
fn word(sketch: &[u8; ROWS], at: usize, n_rows: usize) -> u64 {
    // Eight bytes are read at once, and not beyond the end.
    let start = at.min(ROWS - 8);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&sketch[start..start + 8]);
    let word = u64::from_le_bytes(bytes).unbounded_shr(8 * (at - start) as u32);
    let unused = u64::BITS - 8 * n_rows as u32;
    word.unbounded_shl(unused).unbounded_shr(unused)
}

fn n_equal(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    // At most 65 rows: a byte holds the sum, and sixteen are added at once.
    usize::from(pairs.fold(0_u8, |sum, (a, b)| sum + u8::from(a == b)))
}

/// Spreads what is mixed already over 64 bits once more, at half the cost.
fn spread(number: u64) -> u64 {
    const FACTOR: u128 = 0xa076_1d64_78bd_642f;
    let product = u128::from(number) * FACTOR;
    product as u64 ^ (product >> 64) as u64
}

/// Writes the sketch of a set of shingles into `out`, a row a byte, [`ROWS`] at
/// most. Sketches of different `seed`s have nothing in common.
pub fn sketch(shingles: &[u64], seed: u64, out: &mut [u8]) {
    const EMPTY: u32 = u32::MAX;
    // A power of two, so that no place need be checked.
    const PLACES: usize = ROWS.next_power_of_two();
    if shingles.is_empty() {
        out.fill(mix(seed) as u8);
        return;
    }
    let n_rows = out.len() as u64;
    let mut rows = [EMPTY; PLACES];
    let salt = mix(seed);
    for &shingle in shingles {
        let hash = spread(shingle ^ salt);
        let (low, high) = (hash as u32, (hash >> 32) as u32);
        for (place, rest) in [(low, high), (high, low)] {
            // Above the point the row, below it how small it is there.
            let product = u64::from(place) * n_rows;
            let row = &mut rows[(product >> 32) as usize % PLACES];
            // What is kept of a row in the end must not be part of a minimum.
            let value = (product as u32 & !0xff) | (rest & 0xff);
            *row = (*row).min(value);
        }
    }
    for ((row, out), n) in rows.into_iter().zip(out).zip(1_u64..) {
        let mut row = row;
        if row == EMPTY {
            let salt = mix(seed ^ (n << 48));
            row = smallest(shingles, salt);
        }
        // The low bits are random; the high ones are those of a minimum.
        *out = row as u8;
    }
}

/// The smallest number that a salt makes of a shingle. A short text leaves many rows
/// empty, so half of the time of a sketch is spent here: of four numbers none waits
/// for the one before.
fn smallest(shingles: &[u64], salt: u64) -> u32 {
    let number = |shingle: &u64| spread(shingle ^ salt) as u32;
    let (fours, rest) = shingles.as_chunks::<4>();
    let mut least = [u32::MAX; 4];
    for four in fours {
        for (least, shingle) in least.iter_mut().zip(four) {
            *least = (*least).min(number(shingle));
        }
    }
    let all = least.into_iter().chain(rest.iter().map(number));
    all.min().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two sets of `n` elements together, of which they share a part.
    fn sets(n: u64, similarity: f64, seed: u64) -> [Vec<u64>; 2] {
        let element = |i: u64| mix(i + seed * 1_000_003);
        let n_common = (n as f64 * similarity).round() as u64;
        let half = n_common + (n - n_common) / 2;
        let one = (0..half).map(element).collect();
        let other = (0..n_common).chain(half..n).map(element).collect();
        [one, other]
    }

    proptest! {
        #[test]
        fn the_smallest_number_is_the_smallest(
            shingles in proptest::collection::vec(any::<u64>(), 1..40),
            salt in any::<u64>(),
        ) {
            let all = shingles.iter().map(|shingle| spread(shingle ^ salt) as u32);
            prop_assert_eq!(Some(smallest(&shingles, salt)), all.min());
        }
    }

    #[test]
    fn rows_agree_as_often_as_sets_do() {
        for n in [5_u64, 30, 100, 400, 3000] {
            let n_common = (n as f64 * 0.8).round();
            let (similarity, mut agreed) = (n_common / n as f64, 0);
            const TRIALS: u64 = 300;
            for trial in 0..TRIALS {
                let [one, other] = sets(n, 0.8, trial);
                let mut sketches = [[0; ROWS]; 2];
                sketch(&one, 7, &mut sketches[0]);
                sketch(&other, 7, &mut sketches[1]);
                agreed += n_equal(&sketches[0], &sketches[1]);
            }
            let agreed = agreed as f64 / (TRIALS as usize * ROWS) as f64;
            let expected = similarity + (1.0 - similarity) / 256.0;
            assert!(
                (agreed - expected).abs() < 0.02,
                "{n}: {agreed} for {expected}"
            );
        }
    }

    #[test]
    fn bands_find_what_they_promise() {
        for (threshold, n_sides) in [(0.8, 1), (0.8, 2), (0.6, 1), (0.9, 2)] {
            let bands = Bands::new(threshold, n_sides);
            let (mut found, mut kept) = (0, 0);
            const TRIALS: u64 = 400;
            for trial in 0..TRIALS {
                let mut sketches = [[0; ROWS]; 2];
                for side in 0..n_sides {
                    let sets = sets(200, threshold, trial * 2 + side as u64);
                    for (of_set, set) in sketches.iter_mut().zip(&sets) {
                        let rows = &mut bands.sides_mut(of_set)[side];
                        sketch(set, side as u64, rows);
                    }
                }
                let [one, other] = &sketches;
                let mut all = 0..bands.n;
                found += usize::from(all.any(|n| bands.key(one, n) == bands.key(other, n)));
                let fewest = bands.fewest_equal(threshold);
                kept += usize::from(bands.may_be_similar(one, other, fewest));
            }
            assert!(
                found as f64 >= 0.965 * TRIALS as f64,
                "{threshold}, {n_sides}: {found}"
            );
            assert!(
                kept as f64 >= 0.995 * TRIALS as f64,
                "{threshold}, {n_sides}: {kept}"
            );
        }
        assert!(Bands::new(0.8, 1).chance(0.3) < 0.04);
    }

    #[test]
    fn other_seeds_have_nothing_in_common() {
        let set: Vec<_> = (0..50).map(mix).collect();
        let mut sketches = [[0; ROWS]; 2];
        for (of_set, seed) in sketches.iter_mut().zip(1..) {
            sketch(&set, seed, of_set);
        }
        assert!(n_equal(&sketches[0], &sketches[1]) < 10);
    }
}
