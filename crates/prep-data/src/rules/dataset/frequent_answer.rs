//! An answer that many examples have.

use super::{FREQUENT, Repeated};
use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D019",
        name: "frequent-answer",
        level: Level::Warn,
        hint: "keep it in a few examples only, or leave it to a rule outside the model",
    },
    page: include_str!("frequent_answer.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// Fewer examples may have the same answer by chance.
const HANDFUL: u64 = 5;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let n = dataset.examples;
    let is_frequent =
        |answer: &&Repeated| answer.examples >= HANDFUL && answer.examples * FREQUENT as u64 > n;
    let frequent: Vec<_> = dataset
        .frequent_answers
        .iter()
        .filter(is_frequent)
        .collect();
    let n_frequent: u64 = frequent.iter().map(|answer| answer.examples).sum();
    // Where hardly any other answer is given, they are labels.
    let are_labels = frequent.len() > 1 && n_frequent * 10 >= n * 9;
    if are_labels || dataset.only_answer.is_some() {
        return;
    }
    for answer in frequent {
        let n_here = answer.examples;
        let share = n_here as f64 * 100.0 / n as f64;
        report.at_line(answer.first_line, || {
            format!("{n_here} of {n} examples have this answer ({share:.1} %)")
        });
    }
}
