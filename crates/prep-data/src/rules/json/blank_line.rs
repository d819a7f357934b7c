//! Lines with nothing in them.

use crate::diag::{Code, Level};
use crate::rules::{Check, Edit, RawLine, Report, Rule, Safety, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E008",
        name: "blank-line",
        level: Level::Warn,
        hint: "remove the line; `prep fix` does",
    },
    page: include_str!("blank_line.md"),
    fix: Some(Safety::Safe),
    when: Signs::ALL,
    check: Check::Line(check),
};

fn check(line: &RawLine<'_>, report: &mut Report<'_>) {
    if line.is_blank() {
        report
            .line("the line is blank")
            .repair(|| vec![Edit::remove(0..line.bytes.len())]);
    }
}
