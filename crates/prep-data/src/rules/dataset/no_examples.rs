//! A file with nothing to learn.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D012",
        name: "no-examples",
        level: Level::Error,
        hint: "look whether this is the right file, and whether the step before it kept anything",
    },
    page: include_str!("no_examples.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    if dataset.examples == 0 {
        report.dataset("there are no examples");
    }
}
