//! Completions that are no answer of the model in text.

use crate::diag::{Code, Level, shown};
use crate::json::{Kind, Value};
use crate::rules::example::{kind_of, member};
use crate::rules::published::{COMPLETION, CONTENT, PART};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Method, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E046",
        name: "completion-shape",
        level: Level::Error,
        hint: "write `{\"role\":\"model\",\"parts\":[{\"text\":\"…\"}]}`",
    },
    page: include_str!("completion_shape.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if report.context().method != Method::Preference || is_foreign(example) {
        return;
    }

    for one in example.completions.into_iter().flat_map(Value::items) {
        if one.kind() != Kind::Object {
            let found = kind_of(one);
            report.value(
                one,
                format!("{found} stands where a completion should, which is an object"),
            );
            continue;
        }
        match member(one, "completion") {
            None if COMPLETION.is_misspelt(one, "completion") => {}
            None => {
                report.value(one, "there is no `completion` beside the score");
            }
            Some(turn) if turn.kind() != Kind::Object => {
                let found = kind_of(turn);
                report.value(
                    turn,
                    format!("`completion` is {found}, expected a model turn"),
                );
            }
            Some(turn) => check_turn(turn, report),
        }
    }
}

fn check_turn(turn: Value<'_, '_>, report: &mut Report<'_>) {
    match member(turn, "role") {
        None if CONTENT.is_misspelt(turn, "role") => {}
        None => {
            report.value(turn, "the completion has no role, expected `model`");
        }
        Some(role) if role.is_str("model") || role.kind() != Kind::String => {}
        Some(role) => {
            let found = role.as_str().unwrap_or_default();
            report.value(
                role,
                format!(
                    "the completion has the role {}, expected `model`",
                    shown(&found)
                ),
            );
        }
    }
    let Some(parts) = member(turn, "parts") else {
        if !CONTENT.is_misspelt(turn, "parts") {
            report.value(turn, "the completion has no `parts`");
        }
        return;
    };
    if parts.kind() != Kind::Array || parts.items().next().is_none() {
        report.value(parts, "the `parts` of the completion are no array of texts");
        return;
    }
    let mut is_blank = true;
    for part in parts.items() {
        match member(part, "text") {
            None if PART.is_misspelt(part, "text") => is_blank = false,
            None => {
                report.value(part, "a part of the completion has no `text`");
                is_blank = false;
            }
            Some(text) => is_blank &= text.as_str().is_some_and(|text| text.trim().is_empty()),
        }
    }
    if is_blank {
        let text = parts.items().find_map(|part| member(part, "text"));
        report.value(text.unwrap_or(parts), "the completion has no text to learn");
    }
}
