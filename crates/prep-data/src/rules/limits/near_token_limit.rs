//! An example with nearly more tokens than the model reads.

use super::tell;
use crate::diag::{Code, Level};
use crate::rules::checker::tokens_near;
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E050",
        name: "near-token-limit",
        level: Level::Warn,
        hint: "shorten it, or split it: the service may count a little more",
    },
    page: include_str!("near_token_limit.md"),
    fix: None,
    when: Signs::LONG,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let limits = report.context().limits();
    let near = tokens_near(limits) + 1..=limits.example_tokens;
    let count = example
        .tokens
        .filter(|count| near.contains(&count.length()));
    if let Some(count) = count {
        tell(example, &count, report);
    }
}
