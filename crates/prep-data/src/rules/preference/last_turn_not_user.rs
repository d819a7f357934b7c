//! Prompts of preference tuning that end with the model.

use crate::diag::{Code, Level};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::turns::Who;
use crate::rules::{Check, Example, Method, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E021",
        name: "last-turn-not-user",
        level: Level::Error,
        hint: "move the last answer into a completion",
    },
    page: include_str!("last_turn_not_user.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if report.context().method != Method::Preference || is_foreign(example) {
        return;
    }

    let Some(last) = example
        .turns
        .last()
        .filter(|_| example.completions.is_some())
    else {
        return;
    };
    if turns::who(example, last) == Who::Model {
        let text = format!(
            "turn {} is the last and the model's, the completions answer a user turn",
            last.n
        );
        report.value(last.role_value.unwrap_or(last.value), text);
    }
}
