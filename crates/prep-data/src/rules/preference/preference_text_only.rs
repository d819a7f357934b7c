//! Files and function calls in preference tuning.

use crate::diag::{Code, Level};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Method, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E051",
        name: "preference-text-only",
        level: Level::Error,
        hint: "leave out what is no text, or choose supervised tuning",
    },
    page: include_str!("preference_text_only.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if report.context().method != Method::Preference || is_foreign(example) {
        return;
    }

    for turn in &example.turns {
        for data in turn.parts.iter().flat_map(|part| &part.data) {
            if data.name != "text" {
                let text = format!(
                    "turn {} has `{}`, preference tuning takes text only",
                    turn.n, data.name
                );
                report.at(data.key.offset, text);
            }
        }
    }
}
