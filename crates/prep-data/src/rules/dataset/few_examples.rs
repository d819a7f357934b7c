//! Training on less than the documentation suggests to begin with.

use super::very_few_examples;
use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Side, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D010",
        name: "few-examples",
        level: Level::Warn,
        hint: "add examples; 100 good ones are a start",
    },
    page: include_str!("few_examples.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// What the documentation suggests to begin with.
const SUGGESTED: u64 = 100;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let n = dataset.examples;
    if report.context().side == Side::Train && (very_few_examples::LEAST..SUGGESTED).contains(&n) {
        report.dataset(format!(
            "there are {n} examples; {SUGGESTED} or more are suggested"
        ));
    }
}
