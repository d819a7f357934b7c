//! A byte-order mark at the beginning of the file.

use crate::diag::{Code, Level};
use crate::rules::{Check, Edit, RawLine, Report, Rule, Safety, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E007",
        name: "byte-order-mark",
        level: Level::Error,
        hint: "remove the first three bytes; `prep fix` does",
    },
    page: include_str!("byte_order_mark.md"),
    fix: Some(Safety::Safe),
    when: Signs::ALL,
    check: Check::Line(check),
};

/// The mark is no part of the line, so there is nothing to edit: lines are
/// written without it.
fn check(line: &RawLine<'_>, report: &mut Report<'_>) {
    if line.has_bom {
        report
            .line("the file begins with a byte-order mark")
            .repair(|| vec![Edit::insert(0, "")]);
    }
}
