//! An object that has a key twice.

use crate::diag::{Code, Level};
use crate::json::{Error, ErrorKind};
use crate::rules::{Check, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E003",
        name: "duplicate-key",
        level: Level::Error,
        hint: "keep one of the two; readers do not agree on which counts",
    },
    page: include_str!("duplicate_key.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Fault(check),
};

fn check(error: &Error, report: &mut Report<'_>) {
    if matches!(error.kind, ErrorKind::DuplicateKey(_)) {
        report.at(error.offset, error.message());
    }
}
