//! Keys in the spelling of Python.

use crate::diag::{Code, Level, shown};
use crate::json::Key;
use crate::rules::example::is_named;
use crate::rules::published::each_object;
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E014",
        name: "snake-case-key",
        level: Level::Warn,
        hint: "write the key in camelCase; `prep fix` does",
    },
    page: include_str!("snake_case_key.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    each_object(example.root, &mut |object, message| {
        for (key, _) in object.entries().filter(|(key, _)| key.text.contains('_')) {
            let Some(known) = message.member(&key.text) else {
                continue;
            };
            let mut keys = object.entries().map(|(key, _)| key);
            let is_twin =
                |other: &Key<'_>| other.offset != key.offset && is_named(&other.text, known.name);
            if keys.any(|other| is_twin(&other)) {
                continue;
            }
            let range = repair::key_range(object, &key);
            let text = format!(
                "{} is in snake_case, the service writes `{}`",
                shown(&key.text),
                known.name
            );
            report
                .over(range.clone(), text)
                .repair(|| vec![Edit::replace(range, format!("\"{}\"", known.name))]);
        }
    });
}
