//! So many examples would be dropped that the job fails.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D025",
        name: "dropped-share-high",
        level: Level::Error,
        hint: "mend or remove the examples whose errors say that they exceed a limit",
    },
    page: include_str!("dropped_share_high.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// From more than this share on the job fails, in hundredths.
pub(super) const MOST_PERCENT: u64 = 10;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let (n, n_dropped) = (dataset.examples, dataset.dropped);
    if n_dropped * 100 > n * MOST_PERCENT {
        report.dataset(format!(
            "{n_dropped} of {n} examples would be dropped, and with more than {MOST_PERCENT} % the job fails"
        ));
    }
}
