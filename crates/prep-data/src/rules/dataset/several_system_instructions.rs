//! System instructions that differ where one seems to be meant.

use super::Count;
use super::common_prefix::decoded;
use crate::diag::{Code, Level, shown};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D017",
        name: "several-system-instructions",
        level: Level::Warn,
        hint: "use the same text in all examples, and in production, if one is meant",
    },
    page: include_str!("several_system_instructions.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// More are a design: personas, or documents that the answers are about.
const FEW: usize = 10;

/// How many are told.
const TOLD: usize = 3;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let systems = dataset.systems().unwrap_or_default();
    let n: u64 = systems.iter().map(|system| system.examples).sum();
    let Some(most) = systems.first().filter(|_| systems.len() > 1) else {
        return;
    };
    // Beside one that nearly all have, any number are strays.
    if systems.len() > FEW && most.examples * 10 < n * 9 {
        return;
    }
    let told: Vec<_> = systems
        .iter()
        .take(TOLD)
        .map(|system| tell(system))
        .collect();
    let more = match systems.len() - told.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let n = systems.len();
    report.dataset(format!(
        "there are {n} system instructions: {}{more}",
        told.join(", ")
    ));
}

fn tell(system: &Count) -> String {
    let text = decoded(&system.shown).unwrap_or_default();
    let (text, line) = (shown(text.trim()), system.first_line);
    format!("{text} (×{}, first on line {line})", system.examples)
}
