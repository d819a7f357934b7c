//! An example with more tokens than the model reads.

use super::tell;
use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E049",
        name: "too-many-tokens",
        level: Level::Error,
        hint: "shorten it, or split it into several examples; the service drops it",
    },
    page: include_str!("too_many_tokens.md"),
    fix: None,
    when: Signs::LONG,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let limit = report.context().limits().example_tokens;
    let count = example.tokens.filter(|count| count.length() > limit);
    if let Some(count) = count {
        tell(example, &count, report);
    }
}
