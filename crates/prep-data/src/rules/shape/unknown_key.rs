//! Keys that the published description does not have.

use crate::diag::{Code, Level, shown};
use crate::rules::published::{GENERATION_CONFIG, Message, TOOL, each_object};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::tools::tools_shape::is_bare_function;
use crate::rules::{Check, Example, Report, Rule, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E013",
        name: "unknown-key",
        level: Level::Error,
        hint: "correct the key, or keep what it says beside the dataset",
    },
    page: include_str!("unknown_key.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    each_object(example.root, &mut |object, message| {
        // What is in these, other rules mind.
        let is = |other: &'static Message| std::ptr::eq(message, other);
        if is(&GENERATION_CONFIG) || is(&TOOL) && is_bare_function(object) {
            return;
        }
        for (key, _) in object.entries() {
            if message.member(&key.text).is_some() {
                continue;
            }
            let name = shown(&key.text);
            let about = message.name;
            let text = match message.meant(&key.text) {
                Some(known) => {
                    format!("{about} has no key {name}; the nearest that is known is `{known}`")
                }
                None => format!("{about} has no key {name}; {}", known(message)),
            };
            report.over(repair::key_range(object, &key), text);
        }
    });
}

/// Lists what an object may have.
fn known(message: &Message) -> String {
    const MOST: usize = 4;
    let names: Vec<_> = message.members.iter().map(|member| member.name).collect();
    let shown: Vec<_> = names
        .iter()
        .take(MOST)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("it has {}{more}", shown.join(", "))
}
