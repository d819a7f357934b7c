//! Parts with nothing in them.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::published::PART;
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E024",
        name: "part-without-data",
        level: Level::Error,
        hint: "give the part a text or a file, or leave it out",
    },
    page: include_str!("part_without_data.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for turn in &example.turns {
        for (n, part) in (1..).zip(&turn.parts) {
            let mut keys = part.value.entries().map(|(key, _)| key.text);
            let is_known = keys.all(|key| PART.member(&key).is_some());
            if part.value.kind() == Kind::Object && part.data.is_empty() && is_known {
                let text = format!("part {n} of turn {} has no text and no other data", turn.n);
                report.value(part.value, text);
            }
        }
    }
}
