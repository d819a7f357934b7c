//! A line that is JSON and no object.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::example::kind_of;
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E002",
        name: "not-an-object",
        level: Level::Error,
        hint: "write one JSON object a line; `prep convert` reads arrays and other shapes",
    },
    page: include_str!("not_an_object.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if example.root.kind() != Kind::Object {
        let found = kind_of(example.root);
        report.value(
            example.root,
            format!("an example is a JSON object, this line is {found}"),
        );
    }
}
