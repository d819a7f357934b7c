//! System instructions that are no text.

use crate::diag::{Code, Level, shown};
use crate::json::Kind;
use crate::rules::example::{is_named, kind_of, member};
use crate::rules::published::{CONTENT, PART};
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E028",
        name: "system-not-text",
        level: Level::Error,
        hint: "write the instruction as `{\"parts\":[{\"text\":…}]}`",
    },
    page: include_str!("system_not_text.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let Some(system) = example.system else {
        return;
    };
    if let Some(text) = system.as_str() {
        let message = "the system instruction is a string, expected an object with `parts`";
        let added = report.value(system, message);
        if !text.trim().is_empty() {
            added.repair(|| {
                vec![
                    Edit::insert(system.offset(), "{\"parts\":[{\"text\":"),
                    Edit::insert(system.end(), "}]}"),
                ]
            });
        }
        return;
    }
    if system.kind() != Kind::Object {
        let found = kind_of(system);
        let message = format!("the system instruction is {found}, expected an object with `parts`");
        report.value(system, message);
        return;
    }
    let parts = match member(system, "parts") {
        None if CONTENT.is_misspelt(system, "parts") => return,
        None => {
            report.value(system, "the system instruction has no `parts`");
            return;
        }
        Some(parts) => parts,
    };
    if parts.kind() != Kind::Array || parts.items().next().is_none() {
        let message = "the `parts` of the system instruction are no array of texts";
        report.value(parts, message);
    }
    for (n, part) in (1..).zip(parts.items()) {
        let other = part.entries().find(|(key, value)| {
            let is_data = crate::rules::example::PART_DATA
                .iter()
                .any(|name| is_named(&key.text, name));
            !value.is_null() && is_data && !is_named(&key.text, "text")
        });
        if let Some((key, _)) = other {
            let name = shown(&key.text);
            let message =
                format!("part {n} of the system instruction has {name}, expected only `text`");
            report.over(repair::key_range(part, &key), message);
        } else if part.kind() != Kind::Object
            || member(part, "text").is_none() && !PART.is_misspelt(part, "text")
        {
            report.value(
                part,
                format!("part {n} of the system instruction has no `text`"),
            );
        }
    }
}
