//! One answer for all examples.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D014",
        name: "same-answers",
        level: Level::Error,
        hint: "look whether the right column became the answer",
    },
    page: include_str!("same_answers.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    if dataset.has_one_answer() {
        let n = dataset.examples;
        report.dataset(format!("all {n} examples have the same answer"));
    }
}
