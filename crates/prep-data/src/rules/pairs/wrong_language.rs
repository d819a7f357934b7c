//! A side in another language than that side of the dataset.

use super::script::Counts;
use super::{Pair, PairContext, Said, n_alphanumeric, untranslated};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};
use crate::text::language::{Language, is_plainly, likeliest, neighbour};

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
        (
            pair.target,
            learnt.target_language,
            learnt.target_script,
            "target",
        ),
        (
            pair.source,
            learnt.source_language,
            learnt.source_script,
            "source",
        ),
    ];
    sides
        .into_iter()
        .find_map(|(text, expected, script, name)| {
            let expected = expected?;
            let (found, sure) = measure(text, expected, context.limits().language_letters)?;
            // What is in another script, another rule tells.
            let is_in_script = script.is_none() || Counts::of(text).most() == script;
            let message =
                is_in_script.then(|| judge((found, sure), expected, name, text, context))??;
            Some(if name == "target" {
                Said::of_target(0..text.len(), message)
            } else {
                Said::of_source(0..text.len(), message)
            })
        })
}

/// In which other language a text seems to be, and how sure that is; `None` if
/// it is plainly in the expected one, or too short to tell.
pub(super) fn measure(
    text: &str,
    expected: Language,
    from_letters: usize,
) -> Option<(Language, f64)> {
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
    match likeliest(text) {
        Some((found, sure)) if !found.is_near(expected) => Some((found, sure)),
        other => match neighbour(text, expected) {
            Some(found) => Some((found, 1.0)),
            None => other.filter(|(found, _)| *found != expected),
        },
    }
}

fn judge(
    (found, sure): (Language, f64),
    expected: Language,
    side: &str,
    text: &str,
    context: &PairContext,
) -> Option<String> {
    let limits = context.limits();
    // Languages that are near each other are mistaken in short texts.
    let is_long = text.len() >= 2 * limits.language_letters;
    let is_near = found.is_near(expected);
    let is_sure = sure >= limits.language_sure && (!is_near || is_long && sure >= 0.99)
        || is_plainly(text, found)
        || neighbour(text, expected) == Some(found);
    is_sure.then(|| format!("the {side} seems to be {found}, not {expected}"))
}
