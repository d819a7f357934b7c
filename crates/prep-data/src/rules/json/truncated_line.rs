//! A line that ends inside its value.

use crate::diag::{Code, Level};
use crate::json::{Error, ErrorKind};
use crate::rules::{Check, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E009",
        name: "truncated-line",
        level: Level::Error,
        hint: "get the file again if its end is missing; else join the line with the next",
    },
    page: include_str!("truncated_line.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Fault(check),
};

fn check(error: &Error, report: &mut Report<'_>) {
    if !matches!(error.kind, ErrorKind::Truncated(_)) {
        return;
    }
    let reason = error.message();
    let reason = reason.replace("the end of the text", "the end of the line");
    let message = if report.is_at_end_of_file() {
        format!("the file ends inside the example: {reason}")
    } else {
        reason
    };
    report.at(error.offset, message);
}
