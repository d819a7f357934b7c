//! A side in another language than that side of the dataset.

use super::script::{Counts, Script};
use super::{Pair, PairContext, Said, n_alphanumeric, untranslated};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};
use crate::text::language::{Language, Words, is_plainly, likeliest, neighbour};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P009",
        name: "wrong-language",
        level: Level::Allow,
        hint: "leave the pair out, or say with `--src-lang` and `--tgt-lang` which languages are meant",
    },
    page: include_str!("wrong_language.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

pub(super) fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    if !context.is_bound(pair) || untranslated::is_copied(pair, context) {
        return None;
    }
    let learnt = &context.learnt;
    let sides = [
        Side {
            text: pair.target,
            expected: learnt.target_language,
            words: &learnt.target_words,
            script: learnt.target_script,
            name: "target",
        },
        Side {
            text: pair.source,
            expected: learnt.source_language,
            words: &learnt.source_words,
            script: learnt.source_script,
            name: "source",
        },
    ];
    let from_letters = context.limits().language_letters;
    sides.into_iter().find_map(|side| {
        let seems = measure(&side, from_letters)?;
        let message = judge(seems, &side, context)?;
        Some(if side.name == "target" {
            Said::of_target(0..side.text.len(), message)
        } else {
            Said::of_source(0..side.text.len(), message)
        })
    })
}

/// A side, and what is expected of it.
pub(super) struct Side<'a> {
    text: &'a str,
    expected: Option<Language>,
    words: &'a Words,
    script: Option<Script>,
    name: &'static str,
}

/// In which other language a text seems to be, and how sure that is; `None` if
/// it is plainly in the expected one, or too short to tell. What is cheap is
/// asked first: few texts have their trigrams counted.
pub(super) fn measure(side: &Side<'_>, from_letters: usize) -> Option<(Language, f64)> {
    let (text, expected) = (side.text, side.expected?);
    // No text has more letters than bytes; one in Chinese says more in each.
    if text.len() < from_letters || is_plainly(text, expected) {
        return None;
    }
    let weight = text
        .chars()
        .filter(|c| ('\u{3040}'..='\u{9fff}').contains(c))
        .count();
    if n_alphanumeric(text) + 2 * weight < from_letters {
        return None;
    }
    // What is in another script, another rule tells.
    if side.script.is_some() && Counts::of(text).most() != side.script {
        return None;
    }
    if let Some(found) = neighbour(text, expected) {
        return Some((found, 1.0));
    }
    if side.words.fit(text) {
        return None;
    }
    likeliest(text).filter(|(found, _)| *found != expected)
}

fn judge((found, sure): (Language, f64), side: &Side<'_>, context: &PairContext) -> Option<String> {
    let (text, expected) = (side.text, side.expected?);
    let limits = context.limits();
    // Languages that are near each other are mistaken in short texts.
    let is_long = text.len() >= 2 * limits.language_letters;
    let is_near = found.is_near(expected);
    let is_sure = sure >= limits.language_sure && (!is_near || is_long && sure >= 0.99)
        || is_plainly(text, found)
        || neighbour(text, expected) == Some(found);
    is_sure.then(|| format!("the {} seems to be {found}, not {expected}", side.name))
}
