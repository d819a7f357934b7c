//! chrF (Popović, 2015) and chrF++ (Popović, 2017), as sacreBLEU's
//! `metrics/chrf.py`.

use crate::grams::{Grams, Vocabulary, n_grams, number};
use crate::metric::Measure;
use crate::numpy::{Real, Sampled};
use crate::signature::{Setting, case, yes_or_no};
use crate::text::{is_space, lower, words};

/// Settings of chrF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chrf {
    /// The longest n-grams of characters, 6 by default.
    pub char_order: usize,
    /// The longest n-grams of words: 0 for chrF, 2 for chrF++.
    pub word_order: usize,
    /// How many times as much recall weighs as precision, 2 by default.
    pub beta: u32,
    /// Whether letters are compared in lower case.
    pub lowercase: bool,
    /// Whether white space counts as characters.
    pub whitespace: bool,
    /// Counts an order that both texts are too short for as a little more than
    /// nothing, as Moses and NLTK do, rather than leaving it out.
    pub eps_smoothing: bool,
}

impl Default for Chrf {
    fn default() -> Self {
        Chrf {
            char_order: 6,
            word_order: 0,
            beta: 2,
            lowercase: false,
            whitespace: false,
            eps_smoothing: false,
        }
    }
}

impl Chrf {
    /// Makes the settings of chrF++, which counts words and pairs of words too.
    pub fn plus_plus() -> Self {
        Chrf {
            word_order: 2,
            ..Chrf::default()
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("chrF{}{}", self.beta, "+".repeat(self.word_order))
    }

    pub(crate) fn settings(&self) -> Vec<Setting> {
        vec![
            ("case", "c", case(self.lowercase)),
            ("eff", "e", yes_or_no(!self.eps_smoothing)),
            ("nc", "nc", self.char_order.to_string()),
            ("nw", "nw", self.word_order.to_string()),
            ("space", "s", yes_or_no(self.whitespace)),
        ]
    }

    /// Computes the F-score in the type of the sums.
    ///
    /// The constants for empty orders are Python numbers in sacreBLEU, and so
    /// is a score without any order; a little more than nothing is the same in
    /// either type.
    pub(crate) fn value<R: Real>(&self, sums: &[R]) -> Sampled {
        let zero = R::of(0.0);
        let eps = R::of(1e-16);
        let factor = R::of(f64::from(self.beta) * f64::from(self.beta));
        let one_more = R::of(f64::from(self.beta) * f64::from(self.beta) + 1.0);
        let (mut score, mut precision, mut recall, mut n_orders) = (zero, zero, zero, 0);
        let mut is_single = false;
        for order in sums.chunks_exact(3) {
            let (hypothesis, reference, matches) = (order[0], order[1], order[2]);
            let of = |total| if total > zero { matches / total } else { eps };
            let (p, r) = (of(hypothesis), of(reference));
            let denominator = factor * p + r;
            score += if denominator > zero {
                one_more * p * r / denominator
            } else {
                eps
            };
            is_single |= denominator > zero && (hypothesis > zero || reference > zero);
            if hypothesis > zero && reference > zero {
                precision += p;
                recall += r;
                n_orders += 1;
            }
        }
        if self.eps_smoothing {
            let score = R::of(100.0) * score / R::of(self.width() as f64 / 3.0);
            return if is_single {
                Sampled::of(score)
            } else {
                Sampled::double(score.wide())
            };
        }
        if n_orders == 0 {
            return Sampled::double(0.0);
        }
        let precision = precision / R::of(f64::from(n_orders));
        let recall = recall / R::of(f64::from(n_orders));
        if precision + recall == zero {
            return Sampled::double(0.0);
        }
        let score = one_more * precision * recall / (factor * precision + recall);
        Sampled::of(R::of(100.0) * score)
    }
}

/// Buffers of [`Chrf`].
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    vocabulary: Vocabulary,
    grams: Grams,
    hypothesis: Units,
    reference: Units,
    row: Vec<u32>,
}

/// What n-grams of a text are made of.
#[derive(Debug, Default)]
struct Units {
    chars: Vec<u32>,
    words: Vec<u32>,
}

impl Units {
    fn read(&mut self, chrf: &Chrf, vocabulary: &mut Vocabulary, text: &str) {
        let text = lower(text, chrf.lowercase);
        self.chars.clear();
        let chars = text.chars().filter(|&c| chrf.whitespace || !is_space(c));
        self.chars.extend(chars.map(u32::from));
        self.words.clear();
        if chrf.word_order > 0 {
            for word in words(text.as_bytes()) {
                let (start, end) = split_punctuation(word);
                self.words.push(vocabulary.id(start));
                self.words.extend(end.map(|end| vocabulary.id(end)));
            }
        }
    }
}

/// Separates a mark at the end of a word, or else one at its beginning.
fn split_punctuation(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    let n = word.len();
    if n > 1 && word[n - 1].is_ascii_punctuation() {
        (&word[..n - 1], Some(&word[n - 1..]))
    } else if n > 1 && word[0].is_ascii_punctuation() {
        (&word[..1], Some(&word[1..]))
    } else {
        (word, None)
    }
}

impl Measure for Chrf {
    type Scratch = Scratch;

    /// For each order, characters first: n-grams of the hypothesis, n-grams of
    /// the reference, matches.
    fn width(&self) -> usize {
        3 * (self.char_order + self.word_order)
    }

    /// Counts against the reference with the best score.
    fn count(&self, scratch: &mut Scratch, hypothesis: &str, references: &[&str], row: &mut [u32]) {
        scratch.vocabulary.clear();
        scratch
            .hypothesis
            .read(self, &mut scratch.vocabulary, hypothesis);
        let mut best = -1.0;
        for reference in references {
            scratch
                .reference
                .read(self, &mut scratch.vocabulary, reference);
            self.count_one(scratch);
            if references.len() == 1 {
                row.copy_from_slice(&scratch.row);
                return;
            }
            let sums: Vec<f64> = scratch.row.iter().map(|&count| f64::from(count)).collect();
            let score = self.value(&sums).value;
            if score > best {
                best = score;
                row.copy_from_slice(&scratch.row);
            }
        }
    }
}

impl Chrf {
    fn count_one(&self, scratch: &mut Scratch) {
        let Scratch {
            grams,
            hypothesis,
            reference,
            row,
            ..
        } = scratch;
        row.clear();
        for (hypothesis, reference, max_order) in [
            (&hypothesis.chars, &reference.chars, self.char_order),
            (&hypothesis.words, &reference.words, self.word_order),
        ] {
            if max_order == 0 {
                continue;
            }
            grams.clear();
            grams.add_reference(reference, max_order);
            let mut matches = vec![0; max_order];
            grams.count_matches(hypothesis, &mut matches);
            for (order, matches) in (1..).zip(matches) {
                let in_reference = n_grams(number(reference.len()), order);
                let in_hypothesis = n_grams(number(hypothesis.len()), order);
                // An order that the reference is too short for does not count.
                row.push(if in_reference > 0 { in_hypothesis } else { 0 });
                row.push(in_reference);
                row.push(matches);
            }
        }
    }
}
