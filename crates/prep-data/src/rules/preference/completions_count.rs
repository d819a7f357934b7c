//! Preference examples without two answers.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::example::kind_of;
use crate::rules::published::EXAMPLE;
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Method, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E044",
        name: "completions-count",
        level: Level::Error,
        hint: "give each example exactly two completions",
    },
    page: include_str!("completions_count.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if report.context().method != Method::Preference || is_foreign(example) {
        return;
    }

    let Some(completions) = example.completions else {
        if !EXAMPLE.is_misspelt(example.root, "completions") && example.root.kind() == Kind::Object
        {
            report.value(example.root, "the example has no `completions`");
        }
        return;
    };
    if completions.kind() != Kind::Array {
        let found = kind_of(completions);
        report.value(
            completions,
            format!("`completions` is {found}, expected an array of two"),
        );
        return;
    }
    match completions.items().count() {
        2 => {}
        n => {
            let noun = if n == 1 { "completion" } else { "completions" };
            report.value(
                completions,
                format!("there are {n} {noun}, expected exactly two"),
            );
        }
    }
}
