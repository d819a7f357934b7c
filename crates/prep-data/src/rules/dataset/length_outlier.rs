//! A text far longer or shorter than the others.

use std::ops::RangeInclusive;

use super::{Lengths, Spread};
use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Digest, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D020",
        name: "length-outlier",
        level: Level::Warn,
        hint: "look whether something was joined, cut or put into the wrong column",
    },
    page: include_str!("length_outlier.md"),
    fix: None,
    when: Signs::ODD_LENGTH,
    check: Check::Prompt(check),
};

/// How many texts it takes to say what is usual.
const MANY: u64 = 100;

/// How many median deviations are usual.
const WIDTH: f64 = 6.0;

/// The least deviation that is reckoned with, in natural logarithms: where all
/// texts have nearly the same length, a third more is no wonder.
const LEAST_MAD: f64 = 0.3;

/// No text is too long below so many characters.
const NEVER_LONG: u32 = 1000;

/// No text is too short where the usual ones have fewer characters.
const NEVER_SHORT: u32 = 200;

fn check(dataset: &Dataset, group: &[Digest], report: &mut Report<'_>) {
    if dataset.examples < MANY {
        return;
    }
    let (prompts, answers) = (bounds(&dataset.prompt_chars), bounds(&dataset.answer_chars));
    for digest in group {
        for (name, chars, bounds) in [
            ("prompt", digest.prompt_chars, &prompts),
            ("answer", digest.answer_chars, &answers),
        ] {
            // That there is nothing at all, other rules say.
            if chars > 0 && !bounds.usual.contains(&chars) {
                let median = bounds.median;
                report.at_line(digest.line, || {
                    format!("the {name} has {chars} characters, the median is {median}")
                });
            }
        }
    }
}

struct Bounds {
    usual: RangeInclusive<u32>,
    median: u32,
}

/// The lengths that are within [`bounds`] whatever the deviation is, as nearly
/// all are: no factor is smaller than the exponential of 1.8, which is above 6.
pub(in crate::rules) fn surely_usual(lengths: &Lengths) -> RangeInclusive<u32> {
    const { assert!(WIDTH * LEAST_MAD > 1.79) };
    let median = lengths.spread().median;
    median.div_ceil(6)..=median.saturating_mul(6)
}

fn bounds(lengths: &Lengths) -> Bounds {
    let Spread { median, mad } = lengths.spread();
    let factor = (WIDTH * mad.max(LEAST_MAD)).exp();
    let longest = (f64::from(median) * factor) as u32;
    let shortest = (f64::from(median) / factor) as u32;
    let shortest = if median < NEVER_SHORT { 0 } else { shortest };
    Bounds {
        usual: shortest..=longest.max(NEVER_LONG),
        median,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_surely_usual_is_within_the_bounds() {
        for median in [0, 1, 2, 5, 6, 7, 100, 199, 200, 201, 999, 10_000] {
            let mut lengths = Lengths::default();
            lengths.add(median);
            let bounds = bounds(&lengths);
            let mut sure = surely_usual(&lengths).filter(|chars| *chars > 0);
            assert!(sure.all(|chars| bounds.usual.contains(&chars)), "{median}");
        }
    }
}
