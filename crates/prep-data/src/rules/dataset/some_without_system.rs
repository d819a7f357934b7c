//! A system instruction in some examples only.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D018",
        name: "some-without-system",
        level: Level::Warn,
        hint: "give all examples the system instruction that production has, or none",
    },
    page: include_str!("some_without_system.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let (n, n_without) = (dataset.examples, dataset.n_without_system);
    let Some(first) = dataset.first_without_system.filter(|_| n_without < n) else {
        return;
    };
    report.at_line(first, || {
        format!("{n_without} of {n} examples have no system instruction; this is the first")
    });
}
