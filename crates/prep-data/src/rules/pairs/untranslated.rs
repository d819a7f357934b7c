//! A target that is its source again.

use super::placeholders::placeholders;
use super::{Pair, PairContext, Said, words};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P002",
        name: "untranslated",
        level: Level::Allow,
        hint: "translate it, or leave the pair out",
    },
    page: include_str!("untranslated.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    judge(pair, measure(pair)?, context)
}

/// How many words of a target that is its source again are words and no names,
/// `None` if it is not: case, spaces and punctuation aside, every letter is the
/// same.
pub(super) fn measure(pair: &Pair<'_>) -> Option<usize> {
    let letters = |text: &str| -> bool {
        let mut one = text
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase);
        let mut other = pair
            .target
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase);
        one.by_ref().eq(other.by_ref())
    };
    if !letters(pair.source) {
        return None;
    }
    let found = placeholders(pair.source);
    let is_code = |at: usize| found.iter().any(|one| one.range.contains(&at));
    let all = words(pair.source).filter(|(at, _)| !is_code(*at));
    let mut n_words = 0;
    for (n, (_, word)) in all.enumerate() {
        let first = word.chars().next().unwrap_or_default();
        // What is written with a capital inside a text is a name; a Chinese
        // character is as good as half a word.
        n_words += match first {
            '\u{3040}'..='\u{9fff}' => word.chars().count().div_ceil(2),
            c if c.is_lowercase() || n == 0 && c.is_alphabetic() => 1,
            _ => 0,
        };
    }
    Some(n_words)
}

/// Whether the target is its source again: nothing that follows from that need
/// be told as well.
pub(super) fn is_copied(pair: &Pair<'_>, context: &PairContext) -> bool {
    measure(pair).is_some_and(|n_words| judge(pair, n_words, context).is_some())
}

fn judge(pair: &Pair<'_>, n_words: usize, context: &PairContext) -> Option<Said> {
    (n_words >= context.limits().copied_words).then(|| {
        Said::of_target(
            0..pair.target.len(),
            "the target is the source, word by word",
        )
    })
}
