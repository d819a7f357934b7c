//! A prompt with more than one answer.

use std::collections::HashSet;

use crate::rules::{Check, Dataset, Digest, Method, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &crate::diag::D005,
    page: include_str!("conflicting_answers.md"),
    fix: None,
    when: Signs::REPEATED,
    check: Check::Prompt(check),
};

fn check(dataset: &Dataset, group: &[Digest], report: &mut Report<'_>) {
    // Of preferences, several for one prompt are the usual thing.
    let is_design = report.context().method == Method::Preference || dataset.has_one_prompt();
    let Some((first, second)) = conflict(group).filter(|_| !is_design) else {
        return;
    };
    report.at_line(second, || {
        let answers: HashSet<_> = group.iter().map(|digest| digest.answer).collect();
        if answers.len() == 2 {
            return format!("the prompt has another answer on line {first}");
        }
        let (n, n_examples) = (answers.len(), group.len());
        format!(
            "the prompt has {n} different answers in {n_examples} examples, the first on line {first}"
        )
    });
}

/// The first line of the prompt, and the first that has another answer.
fn conflict(group: &[Digest]) -> Option<(u64, u64)> {
    let first = group.first()?;
    let second = group.iter().find(|digest| digest.answer != first.answer)?;
    Some((first.line, second.line))
}
