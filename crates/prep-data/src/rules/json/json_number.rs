//! Numbers that JSON does not have, or that no double holds.

use crate::diag::{Code, Level};
use crate::json::{Error, ErrorKind};
use crate::rules::{Check, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E004",
        name: "json-number",
        level: Level::Error,
        hint: "write a number that JSON has and a double can hold",
    },
    page: include_str!("json_number.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Fault(check),
};

fn check(error: &Error, report: &mut Report<'_>) {
    let is_number = matches!(
        error.kind,
        ErrorKind::NotFinite(_) | ErrorKind::NumberOutOfRange(_)
    );
    if is_number {
        report.at(error.offset, error.message());
    }
}
