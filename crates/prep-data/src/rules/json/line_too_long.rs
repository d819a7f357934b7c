//! A line that is longer than anything a model reads.

use crate::diag::{Code, Level};
use crate::rules::{Check, RawLine, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E010",
        name: "line-too-long",
        level: Level::Error,
        hint: "split the example; no model reads one that long",
    },
    page: include_str!("line_too_long.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Line(check),
};

fn check(line: &RawLine<'_>, report: &mut Report<'_>) {
    if let Some(n_bytes) = line.cut_from {
        report.line(message(n_bytes));
    }
}

/// Says that a line of so many bytes was not read, for all who come upon one.
pub(in crate::rules) fn message(n_bytes: u64) -> String {
    format!("the line has {n_bytes} bytes and was not read; the limit is 16 MiB")
}
