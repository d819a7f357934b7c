//! Turns without parts.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::example::kind_of;
use crate::rules::published::CONTENT;
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E023",
        name: "parts-missing",
        level: Level::Error,
        hint: "write what is said as an array under `parts`",
    },
    page: include_str!("parts_missing.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for turn in example
        .turns
        .iter()
        .filter(|turn| turn.value.kind() == Kind::Object)
    {
        let n = turn.n;
        match turn.parts_value {
            None if CONTENT.is_misspelt(turn.value, "parts") => {}
            None => {
                report.value(turn.value, format!("turn {n} has no `parts`"));
            }
            Some(parts) if parts.kind() != Kind::Array => {
                let found = kind_of(parts);
                report.value(
                    parts,
                    format!("`parts` of turn {n} is {found}, expected an array"),
                );
            }
            Some(parts) if parts.items().next().is_none() => {
                report.value(parts, format!("`parts` of turn {n} is empty"));
            }
            Some(_) => {}
        }
    }
}
