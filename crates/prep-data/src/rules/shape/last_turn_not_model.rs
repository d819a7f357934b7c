//! Conversations that end with the user.

use crate::diag::{Code, Level};
use crate::rules::example::member;
use crate::rules::turns::Who;
use crate::rules::{Check, Example, Method, Report, Rule, Safety, Signs, repair, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E020",
        name: "last-turn-not-model",
        level: Level::Error,
        hint: "end with the answer to learn",
    },
    page: include_str!("last_turn_not_model.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let is_other = example.completions.is_some() || member(example.root, "references").is_some();
    if report.context().method != Method::Sft || is_other {
        return;
    }
    let Some((last, before)) = example.turns.split_last() else {
        return;
    };
    if turns::who(example, last) != Who::User {
        return;
    }
    let place = last.role_value.unwrap_or(last.value);
    let text = format!(
        "turn {} is the last and the user's: there is no answer to learn",
        last.n
    );
    let added = report.value(place, text);
    let is_answered = before
        .last()
        .is_some_and(|turn| turns::who(example, turn) == Who::Model);
    if let (true, Some(contents)) = (is_answered, example.contents) {
        added.repair(|| vec![repair::remove_item(contents, last.value)]);
    }
}
