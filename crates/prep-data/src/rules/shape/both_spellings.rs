//! Keys that are there in camelCase and in snake_case.

use crate::diag::{Code, Level, shown};
use crate::rules::example::is_named;
use crate::rules::published::each_object;
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Report, Rule, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E015",
        name: "both-spellings",
        level: Level::Error,
        hint: "keep one of the two",
    },
    page: include_str!("both_spellings.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    each_object(example.root, &mut |object, message| {
        for known in message.members {
            let keys = object.entries().map(|(key, _)| key);
            let mut keys = keys.filter(|key| is_named(&key.text, known.name));
            let Some(first) = keys.next() else {
                continue;
            };
            for key in keys {
                let (one, other) = (shown(&first.text), shown(&key.text));
                let text = format!("{one} is here again as {other}");
                report.over(repair::key_range(object, &key), text);
            }
        }
    });
}
