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

/// A rule that is on: its place in [`RULES`], its level and its function.
type Active<F> = ((usize, Level), F);
type OnPrompt = fn(&Dataset, &[Digest], &mut Report<'_>);
type OnDataset = fn(&Dataset, &mut Report<'_>);

/// Takes a dataset through the rules that are on.
#[derive(Debug)]
pub struct WholeChecker<'c> {
    context: &'c Context,
    dataset: &'c Dataset,
    on_prompt: Vec<Active<OnPrompt>>,
    on_dataset: Vec<Active<OnDataset>>,
}

impl<'c> WholeChecker<'c> {
    /// Makes a checker of a dataset that was read to its end.
    #[must_use]
    pub fn new(context: &'c Context, levels: &Levels, dataset: &'c Dataset) -> Self {
        let mut checker = Self {
            context,
            dataset,
            on_prompt: Vec::new(),
            on_dataset: Vec::new(),
        };
        for (rule, row) in RULES.iter().enumerate() {
            let place = (rule, levels.of(rule));
            match row.check {
                _ if place.1 == Level::Allow => {}
                Check::Prompt(check) => checker.on_prompt.push((place, check)),
                Check::Dataset(check) => checker.on_dataset.push((place, check)),
                _ => {}
            }
        }
        checker
    }

    /// Checks the examples that share a prompt, in the order of their lines.
    /// Lines of `newly_invalid` are those that no earlier rule of error level
    /// had found fault with.
    pub fn prompt(&self, group: &[Digest], findings: &mut Findings, newly_invalid: &mut Vec<u64>) {
        for &(place, check) in &self.on_prompt {
            let mut report = self.report(place, findings);
            check(self.dataset, group, &mut report);
            if place.1 == Level::Error {
                let is_valid = |line: &u64| {
                    let digest = group.iter().find(|digest| digest.line == *line);
                    digest.is_some_and(|digest| !digest.is_invalid)
                };
                newly_invalid.extend(report.lines().filter(is_valid));
            }
        }
    }

    /// Checks the dataset.
    pub fn dataset(&self, findings: &mut Findings) {
        for &(place, check) in &self.on_dataset {
            check(self.dataset, &mut self.report(place, findings));
        }
    }

    fn report<'r>(&'r self, place: (usize, Level), findings: &'r mut Findings) -> Report<'r> {
        Report::new(place, (b"", 0), None, self.context, findings)
    }
}
