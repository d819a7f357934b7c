//! A target in which a stretch follows itself again and again.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::{Pair, PairContext, Said};
use crate::diag::shown;
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P011",
        name: "repeated-text",
        level: Level::Allow,
        hint: "leave the pair out: a model that learns loops makes loops",
    },
    page: include_str!("repeated_text.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

pub(super) fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let target = measure(pair.target)?;
    let source = measure(pair.source);
    judge(pair, &target, source.as_ref(), context)
}

/// A stretch that follows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loop {
    /// The stretch and all that repeats it.
    range: Range<usize>,
    /// The stretch alone.
    unit: Range<usize>,
    /// How often it is there.
    times: usize,
}

/// The longest stretches that are looked for, in words or Chinese characters.
const LONGEST: usize = 12;

/// The longest loop of a text: a stretch of words, or of characters where words
/// are not divided, that follows itself more often than language does; or one
/// letter again and again.
pub(super) fn measure(text: &str) -> Option<Loop> {
    if text.len() < FEWEST_BYTES {
        return None;
    }
    let tokens = tokens(text);
    let of_words = may_loop(&tokens).then(|| longest(&tokens)).flatten();
    of_words.or_else(|| one_letter(text))
}

/// A loop of fewer bytes is an exclamation.
const FEWEST_BYTES: usize = 24;

/// The longest loop of words.
fn longest(tokens: &[(u64, Range<usize>)]) -> Option<Loop> {
    let mut longest: Option<Loop> = None;
    for period in 1..=LONGEST.min(tokens.len() / 2) {
        let least = match period {
            1 => 6,
            2 => 4,
            _ => 3,
        };
        let mut run = 0;
        for n in period..=tokens.len() {
            if n < tokens.len() && tokens[n].0 == tokens[n - period].0 {
                run += 1;
                continue;
            }
            let times = run / period + 1;
            if times >= least {
                let first = n - run - period;
                let range = tokens[first].1.start..tokens[n - 1].1.end;
                let unit = tokens[first].1.start..tokens[first + period - 1].1.end;
                let is_longer = longest
                    .as_ref()
                    .is_none_or(|longest| range.len() > longest.range.len());
                if range.len() >= FEWEST_BYTES && is_longer {
                    longest = Some(Loop { range, unit, times });
                }
            }
            run = 0;
        }
    }
    longest
}

/// Whether enough words are there again: in every loop five stand where the same
/// word stood before. A word that only looks so is looked at for nothing. Most
/// sentences are done with here.
fn may_loop(tokens: &[(u64, Range<usize>)]) -> bool {
    const FEWEST: usize = 5;
    let mut seen = [0_u64; 16];
    let again = tokens.iter().filter(|(token, _)| {
        let place = &mut seen[(token >> 6) as usize % 16];
        let bit = 1 << (token & 63);
        let was_there = *place & bit != 0;
        *place |= bit;
        was_there
    });
    again.take(FEWEST).count() == FEWEST
}

/// The words of a text by fingerprint, case and punctuation aside; each Chinese
/// or Japanese character is a word.
fn tokens(text: &str) -> Vec<(u64, Range<usize>)> {
    let mut tokens = Vec::with_capacity(text.len() / 5);
    let mut start = None;
    let mut word = String::new();
    let mut end_word = |word: &mut String, start: &mut Option<usize>, end: usize| {
        if let Some(start) = start.take() {
            tokens.push((xxh3_64(word.as_bytes()), start..end));
            word.clear();
        }
    };
    for (at, c) in text.char_indices() {
        let is_alone = matches!(c, '\u{3040}'..='\u{9fff}');
        let is_letter = matches!(c, '\u{4e00}'..='\u{9fff}') || c.is_alphanumeric();
        if is_alone || !is_letter {
            end_word(&mut word, &mut start, at);
        }
        if is_letter {
            start.get_or_insert(at);
            if c.is_ascii() {
                word.push(c.to_ascii_lowercase());
            } else {
                word.extend(c.to_lowercase());
            }
        }
        if is_alone {
            end_word(&mut word, &mut start, at + c.len_utf8());
        }
    }
    end_word(&mut word, &mut start, text.len());
    tokens
}

/// One letter that stands so often in a row that no cry is that long.
fn one_letter(text: &str) -> Option<Loop> {
    const MANY: usize = 30;
    let (mut before, mut times, mut start) = ('\0', 0, 0);
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        if c == before {
            times += 1;
            continue;
        }
        if times >= MANY && before.is_alphanumeric() {
            return Some(Loop {
                range: start..at,
                unit: start..start + before.len_utf8(),
                times,
            });
        }
        (before, times, start) = (c, 1, at);
    }
    None
}

fn judge(
    pair: &Pair<'_>,
    found: &Loop,
    source: Option<&Loop>,
    context: &PairContext,
) -> Option<Said> {
    let unit = &pair.target[found.unit.clone()];
    // Laughter and singing are loops of one syllable.
    let is_cry = unit.len() <= 6 && unit.chars().all(char::is_alphabetic) && !unit.contains(' ');
    let more = context.limits().more_repeats + if is_cry { 6 } else { 0 };
    let least = if unit.contains(' ') { 3 } else { 6 } + more;
    let in_source = source.map_or(0, |source| source.times);
    if found.times < least || found.times <= 2 * in_source {
        return None;
    }
    let message = format!("{} is there {} times in a row", shown(unit), found.times);
    Some(Said::of_target(found.range.clone(), message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_loop_is_one_that_may_be(
            words in proptest::collection::vec(0..40_usize, 1..14),
            times in 1..8_usize,
            around in proptest::collection::vec(0..400_usize, 0..30),
        ) {
            let mut text = words.repeat(times);
            text.splice(0..0, around.iter().copied());
            text.extend(around.iter().map(|word| word / 7));
            let text: String = text.iter().map(|word| format!("word{word} ")).collect();
            let tokens = tokens(&text);
            prop_assert!(may_loop(&tokens) || longest(&tokens).is_none(), "{text}");
        }
    }

    #[test]
    fn loops_are_found() {
        let times = |text: &str| measure(text).map(|found| found.times);
        assert_eq!(
            times("the end of the end of the end of the end of it"),
            Some(4)
        );
        assert_eq!(times("I see. I see. I see. I see. I see."), Some(5));
        assert_eq!(times("谢谢你谢谢你谢谢你谢谢你谢谢你"), Some(5));
        assert_eq!(times(&"a".repeat(40)), Some(40));
        assert_eq!(times("No, no, no. I said no to all of them."), None);
        assert_eq!(times("-----------------------------------------"), None);
        assert_eq!(times("one two one two"), None);
    }
}
