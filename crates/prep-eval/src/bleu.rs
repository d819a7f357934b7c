//! BLEU (Papineni et al., 2002), as sacreBLEU's `metrics/bleu.py`.
//!
//! The logarithms of the precisions are added up one after the other, as
//! Python did until 3.11. Later versions compensate for rounding there, which
//! can change the last of a score's seventeen digits and nothing that is
//! printed.

use crate::grams::{Grams, Vocabulary, n_grams, number};
use crate::metric::{Details, Measure};
use crate::numpy::{Real, Sampled};
use crate::signature::{Setting, case, yes_or_no};
use crate::text::words;
use crate::tokenize::{Lines, Tokenizer};

/// Settings of BLEU.
#[derive(Debug, Clone, PartialEq)]
pub struct Bleu {
    /// How segments are cut into tokens.
    pub tokenizer: Tokenizer,
    /// Whether letters are compared in lower case.
    pub lowercase: bool,
    /// What becomes of an order without a match.
    pub smoothing: Smoothing,
    /// The longest n-grams, 4 by default.
    pub max_order: usize,
    /// Leaves out the orders for which the hypothesis is too short, for the
    /// score of a single segment.
    pub effective_order: bool,
}

/// What becomes of an order without a match (Chen and Cherry, 2014).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Smoothing {
    /// The score is 0.
    None,
    /// That many matches are counted instead of none; sacreBLEU's default is
    /// 0.1.
    Floor(f64),
    /// That much is added to matches and totals above the first order;
    /// sacreBLEU's default is 1.
    AddK(f64),
    /// Half a match, a quarter for the next such order, and so on; the default.
    #[default]
    Exp,
}

impl Smoothing {
    /// [`Smoothing::Floor`] with sacreBLEU's default.
    pub const FLOOR: Smoothing = Smoothing::Floor(0.1);
    /// [`Smoothing::AddK`] with sacreBLEU's default.
    pub const ADD_K: Smoothing = Smoothing::AddK(1.0);
}

impl Default for Bleu {
    fn default() -> Self {
        Bleu {
            tokenizer: Tokenizer::default(),
            lowercase: false,
            smoothing: Smoothing::default(),
            max_order: 4,
            effective_order: false,
        }
    }
}

/// Buffers of [`Bleu`].
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    lines: Lines,
    vocabulary: Vocabulary,
    grams: Grams,
    tokens: Vec<u32>,
}

impl Scratch {
    fn tokenize(&mut self, bleu: &Bleu, segment: &str) {
        let line = self.lines.tokenize(bleu.tokenizer, segment, bleu.lowercase);
        self.tokens.clear();
        self.tokens
            .extend(words(line).map(|word| self.vocabulary.id(word)));
    }
}

impl Measure for Bleu {
    type Scratch = Scratch;

    /// Length of the hypothesis, length of the nearest reference, matches.
    fn width(&self) -> usize {
        2 + self.max_order
    }

    fn count(&self, scratch: &mut Scratch, hypothesis: &str, references: &[&str], row: &mut [u32]) {
        scratch.vocabulary.clear();
        scratch.grams.clear();
        let mut lengths = Vec::with_capacity(references.len());
        for reference in references {
            scratch.tokenize(self, reference);
            lengths.push(number(scratch.tokens.len()));
            scratch.grams.add_reference(&scratch.tokens, self.max_order);
        }
        scratch.tokenize(self, hypothesis);
        let length = number(scratch.tokens.len());
        let nearest = lengths
            .into_iter()
            .min_by_key(|&other| (length.abs_diff(other), other));
        row[0] = length;
        row[1] = nearest.unwrap_or(0);
        scratch.grams.count_matches(&scratch.tokens, &mut row[2..]);
    }
}

impl Bleu {
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let smoothing = match self.smoothing {
            Smoothing::None => "none".to_owned(),
            Smoothing::Floor(value) => format!("floor[{value:.2}]"),
            Smoothing::AddK(value) => format!("add-k[{value:.2}]"),
            Smoothing::Exp => "exp".to_owned(),
        };
        vec![
            ("case", "c", case(self.lowercase)),
            ("eff", "e", yes_or_no(self.effective_order)),
            ("tok", "tok", self.tokenizer.name().to_owned()),
            ("smooth", "s", smoothing),
        ]
    }

    /// Two lengths, then matches, then totals.
    pub(crate) fn n_sums(&self) -> usize {
        2 + 2 * self.max_order
    }

    pub(crate) fn addends(&self, row: &[u32], mut add: impl FnMut(usize, f64)) {
        for (n, &count) in row.iter().enumerate() {
            add(n, f64::from(count));
        }
        for order in 1..=self.max_order {
            add(
                1 + self.max_order + order,
                f64::from(n_grams(row[0], order)),
            );
        }
    }

    pub(crate) fn value<R: Real>(&self, sums: &[R]) -> Sampled {
        Sampled::double(self.parts(sums).score)
    }

    pub(crate) fn details(&self, sums: &[f64]) -> Details {
        let Parts {
            precisions,
            brevity_penalty,
            ..
        } = self.parts(sums);
        let whole = |sums: &[f64]| sums.iter().map(|&sum| sum as u64).collect();
        Details::Bleu {
            precisions: precisions.into_iter().map(Real::wide).collect(),
            correct: whole(&sums[2..2 + self.max_order]),
            totals: whole(&sums[2 + self.max_order..]),
            brevity_penalty,
            hypothesis_length: sums[0] as u64,
            reference_length: sums[1] as u64,
        }
    }

    fn parts<R: Real>(&self, sums: &[R]) -> Parts<R> {
        let (lengths, counts) = sums.split_at(2);
        let (correct, totals) = counts.split_at(self.max_order);
        // Lengths are cut to whole numbers, which they are but for rounding.
        let (hypothesis, reference) = (lengths[0].wide().trunc(), lengths[1].wide().trunc());
        let brevity_penalty = if hypothesis >= reference {
            1.0
        } else if hypothesis > 0.0 {
            (1.0 - reference / hypothesis).exp()
        } else {
            0.0
        };
        let zero = R::of(0.0);
        let mut precisions = vec![zero; self.max_order];
        let mut score = 0.0;
        if correct.iter().any(|&correct| correct != zero) {
            let n_orders = self.precisions(correct, totals, &mut precisions);
            let log = |precision: R| match precision.wide() {
                0.0 => -9_999_999_999.0,
                precision => precision.ln(),
            };
            let logs: f64 = precisions[..n_orders]
                .iter()
                .map(|&precision| log(precision))
                .sum();
            score = brevity_penalty * (logs / n_orders as f64).exp();
        }
        Parts {
            score,
            precisions,
            brevity_penalty,
        }
    }

    /// Computes the precision of each order, and how many orders count.
    fn precisions<R: Real>(&self, correct: &[R], totals: &[R], precisions: &mut [R]) -> usize {
        let hundred = R::of(100.0);
        let zero = R::of(0.0);
        let mut halves = 1.0;
        let mut n_orders = self.max_order;
        for n in 0..self.max_order {
            let (mut correct, mut total) = (correct[n], totals[n]);
            if let Smoothing::AddK(k) = self.smoothing
                && n > 0
            {
                correct += R::of(k);
                total += R::of(k);
            }
            if total == zero {
                break;
            }
            if self.effective_order {
                n_orders = n + 1;
            }
            precisions[n] = if correct != zero {
                hundred * correct / total
            } else {
                match self.smoothing {
                    Smoothing::Exp => {
                        halves *= 2.0;
                        hundred / (R::of(halves) * total)
                    }
                    Smoothing::Floor(value) => R::of(100.0 * value) / total,
                    Smoothing::AddK(_) | Smoothing::None => zero,
                }
            };
        }
        n_orders
    }
}

/// BLEU and what it is made of.
struct Parts<R> {
    score: f64,
    precisions: Vec<R>,
    brevity_penalty: f64,
}
