//! Conversations that the model begins.

use crate::diag::{Code, Level};
use crate::rules::turns::Who;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E019",
        name: "first-turn-not-user",
        level: Level::Error,
        hint: "begin with what the user says, or leave the turn out",
    },
    page: include_str!("first_turn_not_user.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let mut turns = example.turns.iter();
    let first = turns.find(|turn| turns::who(example, turn) != Who::System);
    let Some(first) = first.filter(|turn| turns::who(example, turn) == Who::Model) else {
        return;
    };
    let text = format!(
        "turn {} is the model's, a conversation begins with the user",
        first.n
    );
    report.value(first.role_value.unwrap_or(first.value), text);
}
