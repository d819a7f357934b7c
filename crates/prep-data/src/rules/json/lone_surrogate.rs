//! Half of a character that UTF-16 writes in two units.

use crate::diag::{Code, Level};
use crate::json::{Error, ErrorKind};
use crate::rules::{Check, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E005",
        name: "lone-surrogate",
        level: Level::Error,
        hint: "write the whole surrogate pair, or the character itself",
    },
    page: include_str!("lone_surrogate.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Fault(check),
};

fn check(error: &Error, report: &mut Report<'_>) {
    if matches!(error.kind, ErrorKind::LoneSurrogate(_)) {
        report.at(error.offset, error.message());
    }
}
