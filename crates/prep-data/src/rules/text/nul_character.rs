//! U+0000 in a text.

use super::{Kinds, changes};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E061",
        name: "nul-character",
        level: Level::Error,
        hint: "remove it; the text may be UTF-16 or damaged",
    },
    page: include_str!("nul_character.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::CONTROL,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let kinds: Kinds = text
        .text
        .char_indices()
        .filter(|(_, c)| *c == '\0')
        .collect();
    if let Some(first) = kinds.first() {
        report
            .text(text, first, format!("the text has {kinds}"))
            .repair(|| {
                let places = kinds.places();
                changes(
                    text,
                    &places
                        .map(|(at, _)| (at..at + 1, String::new()))
                        .collect::<Vec<_>>(),
                )
            });
    }
}
