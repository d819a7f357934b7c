//! Members that are `null`.

use crate::diag::{Code, Level, shown};
use crate::rules::published::{Form, each_object};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Report, Rule, Safety, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E052",
        name: "null-member",
        level: Level::Warn,
        hint: "remove the key; `prep fix` does",
    },
    page: include_str!("null_member.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    each_object(example.root, &mut |object, message| {
        for (key, value) in object.entries().filter(|(_, value)| value.is_null()) {
            let is_free = |form: &Form| matches!(form, Form::Any);
            let Some(known) = message.member(&key.text) else {
                continue;
            };
            if is_free(&known.form) {
                continue;
            }
            let text = format!("{} is `null`, which is as good as absent", shown(&key.text));
            report
                .value(value, text)
                .repair(|| vec![repair::remove_member(object, &key)]);
        }
    });
}
