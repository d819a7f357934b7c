//! Characters that show nothing and do nothing where they stand.

use super::{Kinds, changes};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E064",
        name: "invisible-character",
        level: Level::Warn,
        hint: "remove them; `prep fix` does",
    },
    page: include_str!("invisible_character.md"),
    fix: Some(Safety::Safe),
    when: Signs::INVISIBLE,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let idle = super::invisible::idle(&text.text);
    let kinds: Kinds = idle.iter().copied().collect();
    let Some(first) = kinds.first() else {
        return;
    };
    let hidden = super::invisible::hidden_text(idle.iter().map(|(_, c)| *c));
    let hidden = hidden.map(|hidden| format!(", which spell `{hidden}`"));
    let message = format!("invisible {kinds}{}", hidden.unwrap_or_default());
    report.text(text, first, message).repair(|| {
        let edits = idle.iter();
        let edits = edits.map(|(at, c)| {
            (
                *at..at + c.len_utf8(),
                super::invisible::instead(*c).to_owned(),
            )
        });
        changes(text, &edits.collect::<Vec<_>>())
    });
}
