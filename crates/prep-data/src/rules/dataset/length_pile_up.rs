//! Many texts of exactly one length, as after a cut.

use super::{CUT_LENGTHS, Lengths};
use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D021",
        name: "length-pile-up",
        level: Level::Warn,
        hint: "look for the column, form or export that cuts texts, and get them whole",
    },
    page: include_str!("length_pile_up.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// Fewer texts may have the same length by chance.
const HANDFUL: u64 = 5;

/// So many times what is usual around a length is far more.
const FAR_MORE: u64 = 4;

/// How far around is looked, on either side.
const AROUND: u32 = 20;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let sides = [
        ("prompts", &dataset.prompt_chars, &dataset.cut_prompts),
        ("answers", &dataset.answer_chars, &dataset.cut_answers),
    ];
    for (name, lengths, firsts) in sides {
        for (chars, first) in CUT_LENGTHS.into_iter().zip(firsts) {
            let n = lengths.exactly(chars);
            if let Some(line) = first.filter(|_| n >= HANDFUL && is_pile(lengths, chars)) {
                report.at_line(
                    line,
                    || format!("{n} {name} have exactly {chars} characters, as if cut there; this is the first"),
                );
            }
        }
    }
}

/// Whether far more texts have a length than the lengths around it.
fn is_pile(lengths: &Lengths, chars: u32) -> bool {
    // The neighbours may be cuts themselves.
    let below = lengths.within(chars.saturating_sub(AROUND)..chars - 1);
    let above = lengths.within(chars + 2..chars + AROUND + 1);
    let n_lengths = 2 * u64::from(AROUND - 1);
    lengths.exactly(chars) * n_lengths >= FAR_MORE * (below + above) + HANDFUL * n_lengths
}
