//! An example that is there twice.

use super::ByFingerprint;
use crate::rules::{Check, Dataset, Digest, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &crate::diag::D001,
    page: include_str!("exact_duplicate.md"),
    fix: None,
    when: Signs::REPEATED,
    check: Check::Prompt(check),
};

fn check(_: &Dataset, group: &[Digest], report: &mut Report<'_>) {
    let mut firsts = ByFingerprint::default();
    for digest in group {
        let first = *firsts.entry(digest.answer).or_insert(digest.line);
        if first < digest.line {
            report.at_line(digest.line, || {
                format!("the example is also on line {first}")
            });
        }
    }
}
