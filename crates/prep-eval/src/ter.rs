//! TER (Snover et al., 2006), as sacreBLEU's `metrics/ter.py` and
//! `metrics/lib_ter.py`, which follow Tercom.
//!
//! A hypothesis becomes a reference by inserting, deleting and replacing
//! words, and by moving stretches of them. Moves are found greedily: of all
//! that bring words to where the reference has them, the one that saves most,
//! again and again until none saves anything. Which one wins a tie decides
//! what comes after, so candidates, their order and the limits are sacreBLEU's
//! to the letter. Its cache of matrix rows holds what would be computed again
//! and changes no result, so here is none.

mod distance;
mod normalize;

use crate::grams::{Vocabulary, number};
use crate::metric::Measure;
use crate::numpy::{Real, Sampled};
use crate::signature::{Setting, case, yes_or_no};
use crate::text::words;
use distance::{Distance, Edit};
use normalize::Normalizer;

/// Settings of TER.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ter {
    /// Separates punctuation from words and replaces entities of XML.
    pub normalized: bool,
    /// Removes punctuation.
    pub no_punct: bool,
    /// With `normalized`, makes each Chinese or Japanese character a word;
    /// with `no_punct`, removes their punctuation too.
    pub asian_support: bool,
    /// Tells upper and lower case apart.
    pub case_sensitive: bool,
}

impl Ter {
    pub(crate) fn settings(&self) -> Vec<Setting> {
        vec![
            ("case", "c", case(!self.case_sensitive)),
            ("tok", "t", "tercom".to_owned()),
            ("norm", "nr", yes_or_no(self.normalized)),
            ("punct", "pn", yes_or_no(!self.no_punct)),
            ("asian", "as", yes_or_no(self.asian_support)),
        ]
    }

    /// Edits, and the mean length of the references.
    pub(crate) fn addends(row: &[u32], mut add: impl FnMut(usize, f64)) {
        let &[n_edits, length, n_references] = row else {
            unreachable!("a row of TER has three counts");
        };
        add(0, f64::from(n_edits));
        add(1, f64::from(length) / f64::from(n_references));
    }

    pub(crate) fn value<R: Real>(sums: &[R]) -> Sampled {
        let zero = R::of(0.0);
        if sums[1] > zero {
            Sampled::of(R::of(100.0) * (sums[0] / sums[1]))
        } else {
            // Nothing to compare with: all wrong, or nothing to do.
            Sampled::double(if sums[0] > zero { 100.0 } else { 0.0 })
        }
    }
}

/// Buffers of [`Ter`].
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    normalizer: Normalizer,
    /// For the first of the two times that a reference is normalised.
    twice: Normalizer,
    vocabulary: Vocabulary,
    hypothesis: Vec<u32>,
    reference: Vec<u32>,
    search: Search,
}

impl Measure for Ter {
    type Scratch = Scratch;

    /// Edits, words of all references together, number of references.
    fn width(&self) -> usize {
        3
    }

    fn count(&self, scratch: &mut Scratch, hypothesis: &str, references: &[&str], row: &mut [u32]) {
        let Scratch {
            normalizer,
            twice,
            vocabulary,
            hypothesis: words_hyp,
            reference: words_ref,
            search,
        } = scratch;
        vocabulary.clear();
        let mut read = |text: &str, tokens: &mut Vec<u32>| {
            tokens.clear();
            tokens.extend(words(normalizer.normalize(self, text)).map(|word| vocabulary.id(word)));
        };
        read(hypothesis, words_hyp);
        row[0] = u32::MAX;
        for reference in references {
            read(&twice.normalize_once(self, reference), words_ref);
            row[0] = row[0].min(search.n_edits(words_hyp, words_ref));
            row[1] += number(words_ref.len());
            row[2] += 1;
        }
    }
}

/// The longest stretch that is moved, in words.
const MAX_LENGTH: usize = 10;
/// The longest way that it is moved.
const MAX_WAY: usize = 50;
/// After so many candidates the search for moves ends.
const MAX_CANDIDATES: usize = 1000;

/// The search for moves, and its buffers.
#[derive(Debug, Default)]
struct Search {
    distance: Distance,
    alignment: Alignment,
    places: Places,
    words: Vec<u32>,
    shifted: Vec<u32>,
}

/// A stretch of the hypothesis, and where it could go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    start: usize,
    length: usize,
    target: usize,
}

impl Search {
    /// Computes how many edits make one text of the other.
    fn n_edits(&mut self, hypothesis: &[u32], reference: &[u32]) -> u32 {
        if reference.is_empty() {
            return number(hypothesis.len());
        }
        self.words.clear();
        self.words.extend_from_slice(hypothesis);
        self.distance.set_reference(reference, hypothesis);
        self.places.set(reference);
        let mut n_candidates = 0;
        let mut n_shifts = 0;
        loop {
            let n_edits = self.distance.align(&self.words);
            let best = self.best_shift(n_edits, reference, &mut n_candidates);
            match best {
                Some((gain, shift)) if gain > 0 && n_candidates < MAX_CANDIDATES => {
                    shift.apply(&self.words, &mut self.shifted);
                    std::mem::swap(&mut self.words, &mut self.shifted);
                    n_shifts += 1;
                }
                _ => return n_shifts + n_edits,
            }
        }
    }

    /// Finds the move that saves most, and how many edits that is, before the
    /// move itself is counted.
    ///
    /// Of equals the longer wins, then the one from farther left, then the one
    /// to farther left.
    fn best_shift(
        &mut self,
        n_edits: u32,
        reference: &[u32],
        n_candidates: &mut usize,
    ) -> Option<(i64, Shift)> {
        let Search {
            distance,
            alignment,
            places,
            words,
            shifted,
        } = self;
        alignment.read(distance.edits());
        let mut best: Option<((i64, usize), Shift)> = None;
        for start in 0..words.len() {
            for place in places.of(words[start]) {
                if place.abs_diff(start) > MAX_WAY {
                    continue;
                }
                let pairs = words[start..].iter().zip(&reference[place..]);
                let n_equal = pairs.take(MAX_LENGTH).take_while(|(a, b)| a == b).count();
                for length in 1..=n_equal {
                    if !alignment.is_worth_it(start, place, length) {
                        continue;
                    }
                    let mut previous = None;
                    for end in place..=(place + length).min(reference.len()) {
                        let target = alignment.target_before(end);
                        if previous.replace(target) == Some(target) {
                            continue;
                        }
                        let shift = Shift {
                            start,
                            length,
                            target,
                        };
                        shift.apply(words, shifted);
                        let gain = i64::from(n_edits)
                            - i64::from(distance.after(words, shifted, shift.end()));
                        *n_candidates += 1;
                        let is_better = best.is_none_or(|(other, than)| {
                            (gain, length) > other
                                || (gain, length) == other
                                    && (start, target) < (than.start, than.target)
                        });
                        if is_better {
                            best = Some(((gain, length), shift));
                        }
                    }
                    if *n_candidates >= MAX_CANDIDATES {
                        return best.map(|((gain, _), shift)| (gain, shift));
                    }
                }
            }
        }
        best.map(|((gain, _), shift)| (gain, shift))
    }
}

impl Shift {
    /// Tells from where on the words are as before.
    fn end(&self) -> usize {
        let Shift {
            start,
            length,
            target,
        } = *self;
        if target < start {
            start + length
        } else if target > start + length {
            target
        } else {
            length + target
        }
    }

    /// Moves the stretch.
    fn apply(&self, words: &[u32], shifted: &mut Vec<u32>) {
        let Shift {
            start,
            length,
            target,
        } = *self;
        shifted.clear();
        shifted.extend_from_slice(words);
        if target < start {
            shifted[target..start + length].rotate_right(length);
        } else {
            // A target within the stretch is counted from its end.
            let end = self.end().min(words.len());
            shifted[start..end].rotate_left(length);
        }
    }
}

/// Where a hypothesis and a reference stand against each other.
#[derive(Debug, Default)]
struct Alignment {
    /// For each word of the reference, how many words of the hypothesis are
    /// used up with it.
    used: Vec<usize>,
    is_wrong_in_reference: Vec<bool>,
    is_wrong_in_hypothesis: Vec<bool>,
}

impl Alignment {
    fn read(&mut self, edits: &[Edit]) {
        self.used.clear();
        self.is_wrong_in_reference.clear();
        self.is_wrong_in_hypothesis.clear();
        for &edit in edits {
            let is_wrong = edit != Edit::Keep;
            if edit != Edit::Insert {
                self.is_wrong_in_hypothesis.push(is_wrong);
            }
            if edit != Edit::Delete {
                self.is_wrong_in_reference.push(is_wrong);
                self.used.push(self.is_wrong_in_hypothesis.len());
            }
        }
    }

    /// Tells whether a stretch is wrong where it is and missed where the
    /// reference has it, and would not be moved into itself.
    fn is_worth_it(&self, start: usize, place: usize, length: usize) -> bool {
        let inside = start + 1..start + length + 1;
        self.is_wrong_in_hypothesis[start..][..length].contains(&true)
            && self.is_wrong_in_reference[place..][..length].contains(&true)
            && !inside.contains(&self.used[place])
    }

    /// Gives the place in the hypothesis that comes before a word of the
    /// reference.
    fn target_before(&self, place: usize) -> usize {
        if place == 0 { 0 } else { self.used[place - 1] }
    }
}

/// Where the reference has each word, from left to right.
#[derive(Debug, Default)]
struct Places {
    /// For each word, one more than its first place, or 0.
    first: Vec<usize>,
    /// For each place, one more than the next with the same word, or 0.
    next: Vec<usize>,
}

impl Places {
    fn set(&mut self, reference: &[u32]) {
        self.first.clear();
        self.next.clear();
        self.next.resize(reference.len(), 0);
        for (place, &word) in reference.iter().enumerate().rev() {
            let word = word as usize;
            if word >= self.first.len() {
                self.first.resize(word + 1, 0);
            }
            self.next[place] = self.first[word];
            self.first[word] = place + 1;
        }
    }

    fn of(&self, word: u32) -> impl Iterator<Item = usize> + use<'_> {
        let first = self.first.get(word as usize).copied().unwrap_or(0);
        std::iter::successors(first.checked_sub(1), |&place| {
            self.next[place].checked_sub(1)
        })
    }
}
