//! Examples without turns.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::example::kind_of;
use crate::rules::published::EXAMPLE;
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E016",
        name: "contents-missing",
        level: Level::Error,
        hint: "write the turns as an array under `contents`",
    },
    page: include_str!("contents_missing.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if example.root.kind() != Kind::Object || is_foreign(example) {
        return;
    }
    match example.contents {
        None if EXAMPLE.is_misspelt(example.root, "contents") => {}
        None => {
            report.value(example.root, "the example has no `contents`");
        }
        Some(contents) if contents.kind() != Kind::Array => {
            let found = kind_of(contents);
            report.value(
                contents,
                format!("`contents` is {found}, expected an array of turns"),
            );
        }
        Some(contents) if contents.items().next().is_none() => {
            report.value(contents, "`contents` has no turns");
        }
        Some(_) => {}
    }
}
