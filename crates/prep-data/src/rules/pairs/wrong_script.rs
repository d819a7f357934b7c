//! A side in another script than that side of the dataset, or words that mix two.

use super::script::{Counts, Script};
use super::{Marks, Pair, PairContext, Said, untranslated, words};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P010",
        name: "wrong-script",
        level: Level::Allow,
        hint: "write the text in the script of its language",
    },
    page: include_str!("wrong_script.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let learnt = &context.learnt;
    let sides = [
        (pair.target, pair.of_target, learnt.target_script, true),
        (pair.source, pair.of_source, learnt.source_script, false),
    ];
    sides
        .into_iter()
        .find_map(|(text, marks, expected, is_target)| {
            let is_latin = expected == Some(Script::Latin) || expected.is_none();
            if is_latin && !marks.has(Marks::BEYOND_ASCII) {
                return None;
            }
            let (range, message) =
                judge(text, &measure(text), expected, is_target, (pair, context))?;
            Some(if is_target {
                Said::of_target(range, message)
            } else {
                Said::of_source(range, message)
            })
        })
}

/// The letters of a text by script, and the first word that mixes two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scripts {
    counts: Counts,
    mixed: Option<(std::ops::Range<usize>, Script)>,
}

pub(super) fn measure(text: &str) -> Scripts {
    Scripts {
        counts: Counts::of(text),
        mixed: mixed(text),
    }
}

/// The first word of letters that look alike in Latin, Cyrillic and Greek and
/// are of two of them.
fn mixed(text: &str) -> Option<(std::ops::Range<usize>, Script)> {
    // `TNFα` is a word, as `α` is like no other letter.
    const LIKE_LATIN: &str = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυρ";
    let script_of = |c: char| match Script::of(c)? {
        Script::Greek if !LIKE_LATIN.contains(c) => None,
        script @ (Script::Latin | Script::Cyrillic | Script::Greek) => Some(script),
        _ => None,
    };
    words(text).find_map(|(at, word)| {
        if word.is_ascii() {
            return None;
        }
        let scripts = word.split('-').map(|part| {
            let mut scripts: Vec<_> = part.chars().filter_map(script_of).collect();
            let is_long = scripts.len() >= 3;
            scripts.sort_unstable();
            scripts.dedup();
            (is_long && scripts.len() > 1).then(|| scripts[1])
        });
        let other = scripts.flatten().next()?;
        Some((at..at + word.len(), other))
    })
}

fn judge(
    text: &str,
    scripts: &Scripts,
    expected: Option<Script>,
    is_target: bool,
    (pair, context): (&Pair<'_>, &PairContext),
) -> Option<(std::ops::Range<usize>, String)> {
    /// Fewer letters may be a name or a brand.
    const FEWEST: u32 = 8;
    let side = if is_target { "target" } else { "source" };
    if let Some((range, other)) = &scripts.mixed {
        let word = &text[range.clone()];
        let message = format!(
            "the word `{word}` has {} letters among others that look alike",
            other.name()
        );
        return Some((range.clone(), message));
    }
    let expected = expected.filter(|_| context.is_bound(pair))?;
    let (total, right) = (scripts.counts.total(), scripts.counts.beside(expected));
    // A Chinese character is worth more than a letter.
    let weight = if matches!(expected, Script::Han | Script::Kana | Script::Hangul) {
        3
    } else {
        1
    };
    let wrong = total - right;
    let share = f64::from(right * weight) / f64::from((right * weight + wrong).max(1));
    let fewest = if weight > 1 { 3 * FEWEST } else { FEWEST / 2 };
    let is_right = wrong < fewest || share >= context.limits().script_share;
    if is_right || untranslated::is_copied(pair, context) {
        return None;
    }
    let most = scripts.counts.most()?;
    let message = if right == 0 {
        format!(
            "the {side} has no {} letter, it is in {} ones",
            expected.name(),
            most.name()
        )
    } else {
        format!(
            "{wrong} of the {total} letters of the {side} are not {}",
            expected.name()
        )
    };
    Some((0..text.len(), message))
}
