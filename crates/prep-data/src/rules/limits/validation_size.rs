//! A validation file larger than tuning takes.

use crate::diag::{Code, Level};
use crate::example::models::ValidationShare;
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
    let limits = context.limits();
    let most = limits.validation_examples;
    let n = match (context.side, &context.validation) {
        (Side::Validation, _) => dataset.examples,
        (Side::Train, Some(validation)) => validation.examples,
        (Side::Train, None) => return,
    };
    let of = context.limits_of();
    // That there are too many whatever training has is told of the validation
    // file, and only there.
    match (context.side, limits.validation_share) {
        (Side::Validation, _) if n > most => {
            report.dataset(format!("there are {n} validation examples, {of} is {most}"));
        }
        (Side::Train, Some(share)) if n <= most && is_over(share, n, dataset.examples) => {
            let ValidationShare { above, percent } = share;
            let n_train = dataset.examples;
            let most = (n_train * percent / 100).max(above);
            report.dataset(format!(
                "there are {n} validation examples, {of} is {most}: {percent} % of {n_train} \
                 training examples, or {above}"
            ));
        }
        _ => {}
    }
}

fn is_over(share: ValidationShare, n: u64, n_train: u64) -> bool {
    n > share.above && n * 100 > n_train * share.percent
}
