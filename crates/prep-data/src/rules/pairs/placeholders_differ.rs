//! A target with other placeholders or tags than its source.

use std::ops::Range;

use super::placeholders::{Placeholder, placeholders};
use super::{Marks, Pair, PairContext, Said, named};
use crate::diag::{Code, Level};
use crate::rules::pairs::learn::Relation;
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P005",
        name: "placeholders-differ",
        level: Level::Allow,
        hint: "copy placeholders and tags from the source as they are, names included",
    },
    page: include_str!("placeholders_differ.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let is_asked =
        pair.either(Marks::PLACEHOLDER) && context.learnt.relation == Relation::Translation;
    is_asked.then(|| judge(measure(pair)))?
}

/// The placeholders that only one side has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    missing: Vec<Placeholder>,
    added: Vec<Placeholder>,
    /// The first of those that a program fills in by their order, if that order
    /// is another one.
    reordered: Option<Reordered>,
}

#[derive(Debug, PartialEq, Eq)]
struct Reordered {
    range: Range<usize>,
    source: Vec<String>,
    target: Vec<String>,
}

pub(super) fn measure(pair: &Pair<'_>) -> Differences {
    let (mut missing, mut added) = (placeholders(pair.source), placeholders(pair.target));
    let reordered = reordered(&missing, &added);
    missing.retain(|placeholder| {
        match added.iter().position(|other| other.key == placeholder.key) {
            Some(at) => {
                added.remove(at);
                false
            }
            None => true,
        }
    });
    Differences {
        missing,
        added,
        reordered,
    }
}

/// `%s` and `%d` are filled in by their order, unless they are numbered.
fn reordered(source: &[Placeholder], target: &[Placeholder]) -> Option<Reordered> {
    let by_order = |all: &[Placeholder]| -> Vec<Placeholder> {
        let is_by_order = |key: &str| {
            key.starts_with('%') && !key.contains(['$', '(', '{']) && !key.ends_with('%')
        };
        all.iter()
            .filter(|placeholder| is_by_order(&placeholder.key))
            .cloned()
            .collect()
    };
    let keys =
        |all: &[Placeholder]| -> Vec<String> { all.iter().map(|one| one.key.clone()).collect() };
    let (source, target) = (by_order(source), by_order(target));
    let (in_source, in_target) = (keys(&source), keys(&target));
    let (mut one, mut other) = (in_source.clone(), in_target.clone());
    one.sort_unstable();
    other.sort_unstable();
    (one == other && in_source != in_target).then(|| Reordered {
        range: target[0].range.clone(),
        source: in_source,
        target: in_target,
    })
}

fn judge(differences: Differences) -> Option<Said> {
    let Differences {
        missing,
        added,
        reordered,
    } = differences;
    let shown = |placeholders: &[Placeholder]| {
        let shown: Vec<_> = placeholders
            .iter()
            .map(|placeholder| &*placeholder.key)
            .collect();
        named(&shown)
    };
    match (missing.first(), added.first(), reordered) {
        (None, None, None) => None,
        (None, None, Some(order)) => {
            let (source, target) = (named(&order.source), named(&order.target));
            let message = format!("the source has {source} in this order, the target {target}");
            Some(Said::of_target(order.range, message))
        }
        (Some(_), Some(first), _) => Some(Said::of_target(
            first.range.clone(),
            format!(
                "the target has {}, the source {}",
                shown(&added),
                shown(&missing)
            ),
        )),
        (None, Some(first), _) => Some(Said::of_target(
            first.range.clone(),
            format!("the source has no {}", shown(&added)),
        )),
        (Some(first), None, _) => Some(Said::of_source(
            first.range.clone(),
            format!("the target has no {}", shown(&missing)),
        )),
    }
}
