//! Parts with more than one thing in them.

use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E025",
        name: "part-with-several",
        level: Level::Error,
        hint: "make a part of each",
    },
    page: include_str!("part_with_several.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for turn in &example.turns {
        for (n, part) in (1..).zip(&turn.parts) {
            let Some((first, others)) = part.data.split_first() else {
                continue;
            };
            // The same member in two spellings has a rule of its own.
            let Some(second) = others.iter().find(|other| other.name != first.name) else {
                continue;
            };
            let text = format!(
                "part {n} of turn {} has `{}` and `{}`, a part has one of them",
                turn.n, first.name, second.name
            );
            report.over(repair::key_range(part.value, &second.key), text);
        }
    }
}
