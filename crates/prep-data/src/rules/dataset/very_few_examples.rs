//! Training on so little that hardly anything can be learnt.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Side, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D011",
        name: "very-few-examples",
        level: Level::Warn,
        hint: "add examples; 100 good ones are a start",
    },
    page: include_str!("very_few_examples.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// What older documentation asked for at least.
pub(super) const LEAST: u64 = 16;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let n = dataset.examples;
    if report.context().side == Side::Train && (1..LEAST).contains(&n) {
        let there = if n == 1 {
            "there is 1 example".into()
        } else {
            format!("there are {n} examples")
        };
        report.dataset(format!("{there}; fewer than {LEAST} hardly change a model"));
    }
}
