//! A target with other numbers than its source.

use super::number_words::{multipliers, said};
use super::numbers::{Number, hour_of, numbers};
use super::{Marks, Pair, PairContext, Said, code, named};
use crate::diag::{Code, Level};
use crate::rules::pairs::learn::Relation;
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P004",
        name: "numbers-differ",
        level: Level::Allow,
        hint: "make the numbers of both sides agree; a converted unit is worth a second look",
    },
    page: include_str!("numbers_differ.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let is_asked =
        pair.either(Marks::ANY_DIGIT) && context.learnt.relation == Relation::Translation;
    is_asked.then(|| judge(pair, &measure(pair), context))?
}

/// The numbers that only one side has, be it in digits or in words.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Differences {
    missing: Vec<Number>,
    added: Vec<Number>,
}

pub(super) fn measure(pair: &Pair<'_>) -> Differences {
    let (source, target) = (
        of_side(pair.source, pair.of_source),
        of_side(pair.target, pair.of_target),
    );
    if source.is_empty() && target.is_empty() {
        return Differences::default();
    }
    let mut differences = Differences {
        missing: source.clone(),
        added: target.clone(),
    };
    let Differences { missing, added } = &mut differences;
    missing.retain(
        |number| match added.iter().position(|other| other.is_like(number)) {
            Some(at) => {
                added.remove(at);
                false
            }
            None => true,
        },
    );
    // What is there once may be there twice, or in words.
    drop_known(missing, &target, pair.target);
    drop_known(added, &source, pair.source);
    differences
}

fn of_side(text: &str, marks: Marks) -> Vec<Number> {
    if !marks.has(Marks::ANY_DIGIT) {
        return Vec::new();
    }
    numbers(text, &code(text, marks))
}

/// Leaves out the numbers that the other side has in another form.
fn drop_known(left: &mut Vec<Number>, other: &[Number], other_text: &str) {
    if left.is_empty() {
        return;
    }
    left.retain(|number| !other.iter().any(|known| known.is_like(number)));
    if left.is_empty() {
        return;
    }
    let (said, times) = (said(other_text), multipliers(other_text));
    let mut known = said.clone();
    let readings = other.iter().flat_map(|number| &number.readings);
    known.extend(readings.flat_map(|reading| times.iter().map(move |times| reading * times)));
    let is_said = |reading: &f64| {
        known.contains(reading) || hour_of(*reading).is_some_and(|hour| said.contains(&hour))
    };
    left.retain(|number| !number.readings.iter().any(is_said));
}

fn judge(pair: &Pair<'_>, differences: &Differences, context: &PairContext) -> Option<Said> {
    let Differences { missing, added } = differences;
    let shown = |numbers: &[Number], text: &str| {
        let shown: Vec<_> = numbers
            .iter()
            .map(|number| &text[number.range.clone()])
            .collect();
        named(&shown)
    };
    // A small number may be there in words that are not known here.
    let tolerated = context.limits().number_words_to as f64;
    let counts = |number: &&Number| {
        !number
            .readings
            .iter()
            .any(|reading| *reading <= tolerated && reading.fract() == 0.0)
    };
    match (missing.first(), added.first()) {
        (None, None) => None,
        (Some(_), Some(first)) => Some(Said::of_target(
            first.range.clone(),
            format!(
                "the target has {}, the source {}",
                shown(added, pair.target),
                shown(missing, pair.source)
            ),
        )),
        (None, Some(_)) => added.iter().find(counts).map(|first| {
            let message = format!("the source has no {}", shown(added, pair.target));
            Said::of_target(first.range.clone(), message)
        }),
        (Some(_), None) => missing.iter().find(counts).map(|first| {
            let message = format!("the target has no {}", shown(missing, pair.source));
            Said::of_source(first.range.clone(), message)
        }),
    }
}
