//! A line that does not follow the grammar of JSON.

use crate::diag::{Code, Level};
use crate::json::{Error, ErrorKind};
use crate::rules::{Check, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E001",
        name: "json-syntax",
        level: Level::Error,
        hint: "mend the JSON at the place named",
    },
    page: include_str!("json_syntax.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Fault(check),
};

fn check(error: &Error, report: &mut Report<'_>) {
    let is_syntax = matches!(
        error.kind,
        ErrorKind::Syntax(_) | ErrorKind::ControlCharacter(_) | ErrorKind::TrailingData(_)
    );
    if is_syntax {
        report.at(error.offset, error.message());
    }
}
