//! Texts of the prompt in which nothing is said.

use crate::diag::{Code, Level};
use crate::rules::turns::Who;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E026",
        name: "empty-text",
        level: Level::Warn,
        hint: "write the text, or leave the part out",
    },
    page: include_str!("empty_text.md"),
    fix: None,
    when: Signs::BLANK,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let is_model = |n: usize| match n.checked_sub(1) {
        None => false,
        Some(n) => example
            .turns
            .get(n)
            .is_none_or(|turn| turns::who(example, turn) == Who::Model),
    };
    for text in example.texts.iter().filter(|text| !is_model(text.turn)) {
        if text.text.trim().is_empty() {
            report.value(text.value, format!("a text of {} is blank", text.name()));
        }
    }
}
