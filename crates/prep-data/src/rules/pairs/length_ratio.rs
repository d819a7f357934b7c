//! A target that is much longer or shorter than targets of this dataset are.

use super::learn::{Relation, n_chars};
use super::{Marks, Pair, PairContext, Said, code, repeated_text};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P003",
        name: "length-ratio",
        level: Level::Allow,
        hint: "look whether the sides belong together, or whether one is cut",
    },
    page: include_str!("length_ratio.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

pub(super) fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    if context.learnt.relation != Relation::Translation {
        return None;
    }
    let said = judge(pair, measure(pair)?, context)?;
    // Placeholders and addresses are no text: a side that lacks one is not short.
    if let Some(lengths) = measure_bare(pair) {
        judge(pair, lengths, context)?;
    }
    // A loop makes a text long, and is told as such.
    let is_loop = repeated_text::check(pair, context).is_some();
    (!is_loop).then_some(said)
}

/// The lengths of the sides in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lengths {
    source: usize,
    target: usize,
}

/// `None` if a side says nothing: it has no ratio, and another rule says so.
pub(super) fn measure(pair: &Pair<'_>) -> Option<Lengths> {
    lengths(pair.source, pair.target)
}

fn lengths(source: &str, target: &str) -> Option<Lengths> {
    let says_something = |text: &str| text.chars().any(char::is_alphanumeric);
    (says_something(source) && says_something(target)).then(|| Lengths {
        source: n_chars(source),
        target: n_chars(target),
    })
}

/// Measures without addresses and placeholders; `None` if there are none, or if a
/// side is nothing else.
fn measure_bare(pair: &Pair<'_>) -> Option<Lengths> {
    let bare = |text: &str, marks: Marks| -> Option<String> {
        let mut code = code(text, marks);
        code.sort_unstable_by_key(|range| range.start);
        (!code.is_empty()).then(|| {
            let (mut bare, mut at) = (String::new(), 0);
            for range in code {
                bare.push_str(text.get(at..range.start).unwrap_or_default());
                at = at.max(range.end);
            }
            bare + &text[at..]
        })
    };
    let source = bare(pair.source, pair.of_source);
    let target = bare(pair.target, pair.of_target);
    if source.is_none() && target.is_none() {
        return None;
    }
    lengths(
        source.as_deref().unwrap_or(pair.source),
        target.as_deref().unwrap_or(pair.target),
    )
}

fn judge(pair: &Pair<'_>, lengths: Lengths, context: &PairContext) -> Option<Said> {
    let (limits, band) = (context.limits(), context.learnt.band);
    let (source, target) = (lengths.source as f64, lengths.target as f64);
    // What a target is worth in characters of the source.
    let expected = source * band.middle.exp();
    let longer = source.max(target / band.middle.exp());
    if longer < limits.ratio_from_chars as f64 {
        return None;
    }
    let width = match band.spread {
        Some(spread) => (limits.ratio_spreads * spread).max(limits.ratio_least.ln()),
        None => limits.ratio_unlearnt.ln(),
    };
    // Short texts differ more: at 40 characters the band is half as wide again.
    let width = width * (1.0 + 20.0 / longer);
    let distance = (target / expected).ln();
    if distance.abs() <= width {
        return None;
    }
    let (ratio, limit) = if distance > 0.0 {
        (target / source, (band.middle + width).exp())
    } else {
        (source / target, (width - band.middle).exp())
    };
    let message = if distance > 0.0 {
        format!("the target is {ratio:.1} times as long as the source, the limit is {limit:.1}")
    } else {
        format!("the source is {ratio:.1} times as long as the target, the limit is {limit:.1}")
    };
    Some(Said::of_target(0..pair.target.len(), message))
}
