//! A target without the term that the glossary asks for.

use super::learn::Relation;
use super::{Pair, PairContext, Said, named};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P014",
        name: "glossary-term",
        level: Level::Allow,
        hint: "use the term of the glossary, or add what else is right to it",
    },
    page: include_str!("glossary_term.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let glossary = context.glossary.as_ref()?;
    let is_asked = context.learnt.relation == Relation::Translation;
    is_asked.then(|| judge(&glossary.breaches(pair.source, pair.target)))?
}

fn judge(breaches: &[super::glossary::Breach<'_>]) -> Option<Said> {
    let first = breaches.first()?;
    let more = match breaches.len() {
        1 => String::new(),
        n => format!(" (and {} more of the glossary)", n - 1),
    };
    Some(match &first.forbidden {
        Some((range, term)) => Said::of_target(
            range.clone(),
            format!("`{}` must not be `{term}`{more}", first.term),
        ),
        None => Said::of_source(
            first.range.clone(),
            format!(
                "`{}` must be {} in the target{more}",
                first.term,
                named(first.wanted)
            ),
        ),
    })
}
