//! Arrays and objects in each other beyond reason.

use crate::diag::{Code, Level};
use crate::json::{Error, ErrorKind};
use crate::rules::{Check, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E011",
        name: "json-too-deep",
        level: Level::Error,
        hint: "flatten the value; 128 levels are read",
    },
    page: include_str!("json_too_deep.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Fault(check),
};

fn check(error: &Error, report: &mut Report<'_>) {
    if matches!(error.kind, ErrorKind::TooDeep) {
        report.at(error.offset, error.message());
    }
}
