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
    if let Some(n) = line.cut_from {
        report.line(format!(
            "the line has {n} bytes and was not read; the limit is 16 MiB"
        ));
    }
}
