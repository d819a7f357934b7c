//! Many examples would be dropped.

use super::dropped_share_high::MOST_PERCENT;
use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D026",
        name: "dropped-share",
        level: Level::Warn,
        hint: "mend or remove the examples whose errors say that they exceed a limit",
    },
    page: include_str!("dropped_share.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// From more than this share on it is told, in hundredths.
const MANY_PERCENT: u64 = 5;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let (n, n_dropped) = (dataset.examples, dataset.dropped);
    let is_high = n_dropped * 100 > n * MOST_PERCENT;
    if n_dropped * 100 > n * MANY_PERCENT && !is_high {
        report.dataset(format!("{n_dropped} of {n} examples would be dropped"));
    }
}
