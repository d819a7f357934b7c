//! Token F1 and exact match, as the evaluation script of `SQuAD` 2.0.

use std::borrow::Cow;

use crate::grams::{Grams, Vocabulary, number};
use crate::metric::Measure;
use crate::signature::Setting;
use crate::text::{is_space, lower, words};
use crate::unicode::{Class, class};

/// How many words hypothesis and reference share, in any order.
///
/// The F-measure over the words of the best reference; that of a corpus is the
/// mean over its segments, times 100. Texts are normalised as in
/// [`Normalization::Squad`] and cut at white space, so a sentence of a language
/// without spaces is one word. Two texts without words agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenF1;

/// How many hypotheses are one of their references, in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExactMatch {
    /// What is done to both before they are compared.
    pub normalization: Normalization,
}

/// What is done to texts before they are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Normalization {
    /// Nothing: every byte counts.
    None,
    /// White space goes from both ends, and runs of it become one space; the
    /// default.
    #[default]
    Whitespace,
    /// Letters become lower case, ASCII punctuation and the articles `a`, `an`
    /// and `the` go, then white space as above.
    Squad,
}

impl Normalization {
    fn name(self) -> &'static str {
        match self {
            Normalization::None => "none",
            Normalization::Whitespace => "space",
            Normalization::Squad => "squad",
        }
    }

    fn apply(self, text: &str) -> Cow<'_, str> {
        let text = match self {
            Normalization::None => return Cow::Borrowed(text),
            Normalization::Whitespace => Cow::Borrowed(text),
            Normalization::Squad => Cow::Owned(without_articles(text)),
        };
        let words: Vec<&str> = text
            .split(is_space)
            .filter(|word| !word.is_empty())
            .collect();
        Cow::Owned(words.join(" "))
    }
}

/// Lower-cases, and removes ASCII punctuation and English articles.
///
/// An article is one where `\b(a|an|the)\b` matches in Python, so also next to
/// a mark that is neither a letter nor a number.
fn without_articles(text: &str) -> String {
    let text = lower(text, true);
    let text: String = text.chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let is_word = |c: char| matches!(class(c), Class::Letter | Class::Number);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let is_run = |c: char| is_word(c) == is_word(first);
        let (run, tail) = rest.split_at(rest.find(|c| !is_run(c)).unwrap_or(rest.len()));
        kept.push_str(if matches!(run, "a" | "an" | "the") {
            " "
        } else {
            run
        });
        rest = tail;
    }
    kept
}

impl ExactMatch {
    pub(crate) fn settings(&self) -> Vec<Setting> {
        vec![("norm", "nr", self.normalization.name().to_owned())]
    }
}

impl Measure for ExactMatch {
    type Scratch = ();

    /// 1 for a match.
    fn width(&self) -> usize {
        1
    }

    fn count(&self, (): &mut (), hypothesis: &str, references: &[&str], row: &mut [u32]) {
        let hypothesis = self.normalization.apply(hypothesis);
        let is_match = |reference: &&str| self.normalization.apply(reference) == hypothesis;
        row[0] = u32::from(references.iter().any(is_match));
    }
}

impl TokenF1 {
    pub(crate) fn settings(&self) -> Vec<Setting> {
        vec![("norm", "nr", Normalization::Squad.name().to_owned())]
    }

    pub(crate) fn f_measure(row: &[u32]) -> f64 {
        let [common, hypothesis, reference] = [0, 1, 2].map(|n| f64::from(row[n]));
        if hypothesis == 0.0 || reference == 0.0 {
            return f64::from(hypothesis == reference);
        }
        balanced_f(common, hypothesis, reference)
    }
}

/// The harmonic mean of precision and recall, from what is common and what
/// each side has; 0 if nothing is common.
pub(crate) fn balanced_f(common: f64, hypothesis: f64, reference: f64) -> f64 {
    if common == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (common / hypothesis, common / reference);
    2.0 * precision * recall / (precision + recall)
}

/// Buffers of [`TokenF1`].
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    vocabulary: Vocabulary,
    grams: Grams,
    hypothesis: Vec<u32>,
    reference: Vec<u32>,
}

impl Measure for TokenF1 {
    type Scratch = Scratch;

    /// Words in common, of the hypothesis, of the best reference.
    fn width(&self) -> usize {
        3
    }

    fn count(&self, scratch: &mut Scratch, hypothesis: &str, references: &[&str], row: &mut [u32]) {
        let vocabulary = &mut scratch.vocabulary;
        vocabulary.clear();
        let mut read = |text: &str, tokens: &mut Vec<u32>| {
            let text = Normalization::Squad.apply(text);
            tokens.clear();
            tokens.extend(words(text.as_bytes()).map(|word| vocabulary.id(word)));
        };
        read(hypothesis, &mut scratch.hypothesis);
        let mut best = -1.0;
        for reference in references {
            read(reference, &mut scratch.reference);
            scratch.grams.clear();
            scratch.grams.add_reference(&scratch.reference, 1);
            let mut counts = [
                0,
                number(scratch.hypothesis.len()),
                number(scratch.reference.len()),
            ];
            scratch
                .grams
                .count_matches(&scratch.hypothesis, &mut counts[..1]);
            let score = TokenF1::f_measure(&counts);
            if score > best {
                best = score;
                row.copy_from_slice(&counts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_normalised_as_by_squad() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(Normalization::Squad.apply(text), expected);
        }
        check("The  cat, a dog; AN owl!", "cat dog owl");
        check("Anna the-re", "anna there");
        check("a\u{301} la", "\u{301} la");
        check("a.m. at\u{a0}the\u{3000}end", "am at end");
        check("«the» año", "« » año");
        check("A", "");
        check("贵宾 the 猫", "贵宾 猫");
    }

    #[test]
    fn normalisations_differ_in_what_they_overlook() {
        #[track_caller]
        fn check(a: &str, b: &str, expected: [bool; 3]) {
            let all = [
                Normalization::None,
                Normalization::Whitespace,
                Normalization::Squad,
            ];
            assert_eq!(all.map(|how| how.apply(a) == how.apply(b)), expected);
        }
        check("Yes.", "Yes.", [true, true, true]);
        check("Yes. ", "Yes.", [false, true, true]);
        check("Yes", "the yes!", [false, false, true]);
        check("Yes", "No", [false, false, false]);
    }
}
