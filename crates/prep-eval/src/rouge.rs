//! ROUGE-L (Lin, 2004), as the Python package `rouge-score` 0.1.2.

use crate::f1::balanced_f;
use crate::grams::{Vocabulary, number};
use crate::metric::Measure;
use crate::signature::{Setting, case, yes_or_no};
use crate::text::lower;

/// ROUGE-L for texts of one piece: `RougeScorer(["rougeL"])` without stemmer.
///
/// A score is the F-measure of the longest common subsequence of words in the
/// best reference; that of a corpus is the mean over its segments, times 100.
/// Words are what is left of the lower-cased text between characters other
/// than `a` to `z` and `0` to `9`. So letters with accents end a word, and a
/// segment without Latin letters and digits scores 0, whatever it is compared
/// with: the metric is made for English.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RougeL;

impl RougeL {
    pub(crate) fn settings(&self) -> Vec<Setting> {
        vec![
            ("case", "c", case(true)),
            ("tok", "tok", "rouge".to_owned()),
            ("stem", "st", yes_or_no(false)),
        ]
    }

    pub(crate) fn f_measure(row: &[u32]) -> f64 {
        let [common, hypothesis, reference] = [0, 1, 2].map(|n| f64::from(row[n]));
        balanced_f(common, hypothesis, reference)
    }
}

/// Buffers of [`RougeL`].
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    vocabulary: Vocabulary,
    hypothesis: Vec<u32>,
    reference: Vec<u32>,
    subsequence: Subsequence,
}

impl Measure for RougeL {
    type Scratch = Scratch;

    /// Words in common, of the hypothesis, of the best reference.
    fn width(&self) -> usize {
        3
    }

    fn count(&self, scratch: &mut Scratch, hypothesis: &str, references: &[&str], row: &mut [u32]) {
        let vocabulary = &mut scratch.vocabulary;
        vocabulary.clear();
        let mut read = |text: &str, tokens: &mut Vec<u32>| {
            let text = lower(text, true);
            let pieces = text
                .as_bytes()
                .split(|byte| !byte.is_ascii_lowercase() && !byte.is_ascii_digit());
            tokens.clear();
            tokens.extend(
                pieces
                    .filter(|word| !word.is_empty())
                    .map(|word| vocabulary.id(word)),
            );
        };
        read(hypothesis, &mut scratch.hypothesis);
        let mut best = -1.0;
        for reference in references {
            read(reference, &mut scratch.reference);
            let common = scratch
                .subsequence
                .length(&scratch.hypothesis, &scratch.reference);
            let counts = [
                common,
                number(scratch.hypothesis.len()),
                number(scratch.reference.len()),
            ];
            let score = RougeL::f_measure(&counts);
            if score > best {
                best = score;
                row.copy_from_slice(&counts);
            }
        }
    }
}

/// The longest common subsequence, 64 cells of the matrix at a time (Hyyrö,
/// 2004).
#[derive(Debug, Default)]
struct Subsequence {
    /// For each token, where the second text has it.
    places: Vec<u64>,
    row: Vec<u64>,
}

impl Subsequence {
    /// Computes the length of the longest common subsequence.
    fn length(&mut self, a: &[u32], b: &[u32]) -> u32 {
        let n_blocks = b.len().div_ceil(64);
        let n_tokens = a
            .iter()
            .chain(b)
            .max()
            .map_or(0, |&token| token as usize + 1);
        self.places.clear();
        self.places.resize(n_tokens * n_blocks, 0);
        for (n, &token) in b.iter().enumerate() {
            self.places[token as usize * n_blocks + n / 64] |= 1 << (n % 64);
        }
        self.row.clear();
        self.row.resize(n_blocks, !0);
        for &token in a {
            let mut carry = false;
            let places = &self.places[token as usize * n_blocks..][..n_blocks];
            for (block, &places) in self.row.iter_mut().zip(places) {
                let matches = *block & places;
                let (sum, over) = block.overflowing_add(matches);
                let (sum, over_again) = sum.overflowing_add(u64::from(carry));
                carry = over || over_again;
                *block = sum | (*block & !places);
            }
        }
        // A zero stands where the subsequence grows.
        self.row.iter().map(|block| block.count_zeros()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious version.
    fn table(a: &[u32], b: &[u32]) -> u32 {
        let mut above = vec![0; b.len() + 1];
        for x in a {
            let mut row = vec![0; b.len() + 1];
            for (n, y) in b.iter().enumerate() {
                row[n + 1] = if x == y {
                    above[n] + 1
                } else {
                    above[n + 1].max(row[n])
                };
            }
            above = row;
        }
        above[b.len()]
    }

    proptest! {
        #[test]
        fn bits_find_what_the_table_finds(
            a in prop::collection::vec(0_u32..9, 0..150),
            b in prop::collection::vec(0_u32..9, 0..150),
        ) {
            prop_assert_eq!(Subsequence::default().length(&a, &b), table(&a, &b));
        }
    }
}
