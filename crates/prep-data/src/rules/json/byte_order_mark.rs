//! A byte-order mark at the beginning of the file.

use crate::diag::{Code, Level};
use crate::rules::checker::BOM;
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

fn check(line: &RawLine<'_>, report: &mut Report<'_>) {
    if line.is_first && line.bytes.starts_with(BOM) {
        report
            .over(0..BOM.len(), "the file begins with a byte-order mark")
            .repair(|| vec![Edit::remove(0..BOM.len())]);
    }
}
