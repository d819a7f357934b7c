//! A file larger than tuning takes.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D023",
        name: "file-too-large",
        level: Level::Error,
        hint: "leave examples out",
    },
    page: include_str!("file_too_large.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let context = report.context();
    let (n, most, of) = (
        dataset.bytes,
        context.limits().file_bytes,
        context.limits_of(),
    );
    if n > most {
        report.dataset(format!("the file has {n} bytes, {of} is {most}"));
    }
}
