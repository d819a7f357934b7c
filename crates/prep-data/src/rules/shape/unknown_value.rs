//! Words that are none of the few that a member may be.

use crate::diag::{Code, Level, shown};
use crate::rules::published::{Form, SCHEMA, each_object};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Report, Rule, Signs};
use crate::text::nearest::nearest;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E055",
        name: "unknown-value",
        level: Level::Error,
        hint: "write one of the values that are known",
    },
    page: include_str!("unknown_value.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    each_object(example.root, &mut |object, message| {
        for (key, value) in object.entries() {
            let (Some(member), Some(word)) = (message.member(&key.text), value.as_str()) else {
                continue;
            };
            // The types of schemas have a rule of their own.
            let Form::Word(known) = member.form else {
                continue;
            };
            if std::ptr::eq(message, &SCHEMA) || known.contains(&&*word) {
                continue;
            }
            let words = || known.iter().copied();
            let expected = match nearest(&word, words()) {
                Some(near) => format!("the nearest that is known is `{near}`"),
                None => format!("known are `{}`", known.join("`, `")),
            };
            report.value(
                value,
                format!("`{}` is {}; {expected}", member.name, shown(&word)),
            );
        }
    });
}
