//! A validation file larger than tuning takes.

use crate::diag::{Code, Level};
use crate::example::models::{Limits, ValidationShare};
use crate::rules::{Check, Dataset, Report, Rule, Side, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D024",
        name: "validation-size",
        level: Level::Error,
        hint: "move examples from validation to training; 1000 are enough to measure with",
    },
    page: include_str!("validation_size.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let context = report.context();
    let (n, n_train, name) = match (context.side, &context.validation) {
        (Side::Validation, _) => (dataset.examples, None, "the file"),
        (Side::Train, Some(validation)) => (
            validation.examples,
            Some(dataset.examples),
            validation.name.as_str(),
        ),
        (Side::Train, None) => return,
    };
    if let Some(reason) = excess(context.limits(), n, n_train) {
        let of = context.limits_of();
        report.dataset(format!(
            "{name} has {n} validation examples, {of} is {reason}"
        ));
    }
}

/// The limit that so many validation examples exceed, in words.
fn excess(limits: &Limits, n: u64, n_train: Option<u64>) -> Option<String> {
    let most = limits.validation_examples;
    if n > most {
        return Some(most.to_string());
    }
    let (share, n_train) = (limits.validation_share?, n_train?);
    let ValidationShare { above, percent } = share;
    let is_over = n > above && n * 100 > n_train * percent;
    is_over.then(|| {
        let most = (n_train * percent / 100).max(above);
        format!("{most}: {percent} % of {n_train} training examples, or {above}")
    })
}
