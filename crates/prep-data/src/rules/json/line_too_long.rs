//! A line that is longer than anything a model reads.

use crate::diag::{Code, Level};
use crate::rules::{Check, RawLine, Report, Rule, Signs};

/// The length from which on a line is not read, in bytes.
pub(crate) const LIMIT: usize = 16 << 20;

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
    if line.bytes.len() > LIMIT {
        let n = line.bytes.len();
        report.line(format!("the line has {n} bytes, the limit is {LIMIT}"));
    }
}
