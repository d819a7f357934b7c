//! The rules that look at a dataset as a whole, once it was read.
//!
//! The examples come back grouped by prompt, in any order of groups, on any
//! thread; the dataset comes last.

use std::ops::RangeInclusive;

use super::context::Context;
use super::dataset::length_outlier::surely_usual;
use super::dataset::{Dataset, Digest};
use super::levels::Levels;
use super::report::{Findings, Report};
use super::{Check, RULES, Signs};
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
    on_prompt: Vec<(Signs, Active<OnPrompt>)>,
    /// The usual lengths of prompts and of answers.
    usual: [RangeInclusive<u32>; 2],
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
            usual: [&dataset.prompt_chars, &dataset.answer_chars].map(surely_usual),
            on_dataset: Vec::new(),
        };
        for (rule, row) in RULES.iter().enumerate() {
            let place = (rule, levels.of(rule));
            match row.check {
                _ if place.1 == Level::Allow => {}
                Check::Prompt(check) => checker.on_prompt.push((row.when, (place, check))),
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
        let signs = self.signs_of(group);
        if signs.is_none() {
            return;
        }
        for &(when, (place, check)) in &self.on_prompt {
            if !when.any_of(signs) {
                continue;
            }
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

    /// Whether an example that has its prompt for itself is minded by no rule that
    /// looks at those that share a prompt. Its prompt and its answer have so many
    /// characters.
    #[must_use]
    #[inline]
    pub fn is_dull(&self, [prompt, answer]: [u32; 2]) -> bool {
        let [prompts, answers] = &self.usual;
        prompts.contains(&prompt) && answers.contains(&answer)
    }

    /// What examples that share a prompt show at first look, which most do not:
    /// that there are several, or a text of odd length.
    #[inline]
    fn signs_of(&self, group: &[Digest]) -> Signs {
        let is_usual = |digest: &Digest| self.is_dull([digest.prompt_chars, digest.answer_chars]);
        let mut signs = Signs::NONE;
        if group.len() > 1 {
            signs |= Signs::REPEATED;
        }
        if !group.iter().all(is_usual) {
            signs |= Signs::ODD_LENGTH;
        }
        signs
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
