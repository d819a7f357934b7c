//! One prompt for all examples.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D013",
        name: "same-prompts",
        level: Level::Warn,
        hint: "put into each prompt what its answer depends on",
    },
    page: include_str!("same_prompts.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    if dataset.has_one_prompt() && !dataset.has_one_answer() {
        let n = dataset.examples;
        report.dataset(format!("all {n} examples have the same prompt"));
    }
}
