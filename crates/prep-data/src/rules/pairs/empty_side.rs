//! A side that says nothing, opposite one that does.

use super::{Pair, PairContext, Said, n_alphanumeric};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P001",
        name: "empty-side",
        level: Level::Allow,
        hint: "write the missing side, or leave the pair out",
    },
    page: include_str!("empty_side.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, _: &PairContext) -> Option<Said> {
    judge(pair, measure(pair))
}

/// How many letters and digits the source and the target have.
pub(super) fn measure(pair: &Pair<'_>) -> (usize, usize) {
    // One is enough to be there; most texts begin with one.
    let some = |text: &str| {
        if text.chars().any(char::is_alphanumeric) {
            1
        } else {
            0
        }
    };
    match (some(pair.source), some(pair.target)) {
        (1, 1) => (1, 1),
        _ => (n_alphanumeric(pair.source), n_alphanumeric(pair.target)),
    }
}

fn judge(pair: &Pair<'_>, letters: (usize, usize)) -> Option<Said> {
    /// Fewer may be said by a sign: `Hm?` by `…?`, `No!` by `!!`.
    const FEWEST: usize = 4;
    match letters {
        (0, n) if n >= FEWEST => {
            let message = format!("the source has no letter, the target has {n}");
            Some(Said::of_source(0..pair.source.len(), message))
        }
        (n, 0) if n >= FEWEST => {
            let message = format!("the target has no letter, the source has {n}");
            Some(Said::of_target(0..pair.target.len(), message))
        }
        _ => None,
    }
}
