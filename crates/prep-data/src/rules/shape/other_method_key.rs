//! Keys of another method of tuning.

use crate::diag::{Code, Level};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Method, Report, Rule, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E042",
        name: "other-method-key",
        level: Level::Error,
        hint: "choose the method that the data is for, or remove the key",
    },
    page: include_str!("other_method_key.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let others: &[(&str, &str)] = match report.context().method {
        Method::Sft => &[
            ("completions", "preference tuning"),
            ("references", "reinforcement tuning"),
        ],
        Method::Preference => &[("references", "reinforcement tuning")],
    };
    for (key, _) in example.root.entries().filter(|(_, value)| !value.is_null()) {
        let other = others.iter().find(|(name, _)| *name == key.text);
        if let Some((name, method)) = other.filter(|_| !is_foreign(example)) {
            let text = format!("`{name}` is of {method}");
            report.over(repair::key_range(example.root, &key), text);
        }
    }
}
