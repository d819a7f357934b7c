//! The rules that look at a dataset as a whole, once it was read.
//!
//! The examples come back grouped by prompt, in any order of groups, on any
//! thread; the dataset comes last.

use super::context::Context;
use super::dataset::{Dataset, Digest};
use super::levels::Levels;
use super::report::{Findings, Report};
use super::{Check, RULES};
use crate::diag::Level;

/// Takes a dataset through the rules that are on.
#[derive(Debug)]
pub struct WholeChecker<'c> {
    context: &'c Context,
    levels: &'c Levels,
    dataset: &'c Dataset,
}

impl<'c> WholeChecker<'c> {
    /// Makes a checker of a dataset that was read to its end.
    #[must_use]
    pub fn new(context: &'c Context, levels: &'c Levels, dataset: &'c Dataset) -> Self {
        Self {
            context,
            levels,
            dataset,
        }
    }

    /// Checks the examples that share a prompt, in the order of their lines.
    /// Lines of `newly_invalid` are those that no earlier rule of error level
    /// had found fault with.
    pub fn prompt(&self, group: &[Digest], findings: &mut Findings, newly_invalid: &mut Vec<u64>) {
        self.run(findings, |check, level, report| {
            let Check::Prompt(check) = check else {
                return;
            };
            check(self.dataset, group, report);
            if level == Level::Error {
                let is_valid = |line: &u64| {
                    let digest = group.iter().find(|digest| digest.line == *line);
                    digest.is_some_and(|digest| !digest.is_invalid)
                };
                newly_invalid.extend(report.lines().filter(is_valid));
            }
        });
    }

    /// Checks the dataset.
    pub fn dataset(&self, findings: &mut Findings) {
        self.run(findings, |check, _, report| {
            if let Check::Dataset(check) = check {
                check(self.dataset, report);
            }
        });
    }

    fn run(&self, findings: &mut Findings, mut each: impl FnMut(&Check, Level, &mut Report<'_>)) {
        for (rule, row) in RULES.iter().enumerate() {
            let level = self.levels.of(rule);
            if level != Level::Allow && matches!(row.check, Check::Prompt(_) | Check::Dataset(_)) {
                let place = (rule, level);
                let mut report = Report::new(place, (b"", 0), None, self.context, findings);
                each(&row.check, level, &mut report);
            }
        }
    }
}
