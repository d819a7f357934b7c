//! Thoughts, which are not learnt.

use crate::diag::{Code, Level};
use crate::json::Key;
use crate::rules::example::is_named;
use crate::rules::{Check, Example, Report, Rule, Safety, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E038",
        name: "thought-part",
        level: Level::Error,
        hint: "remove the thought and its signature",
    },
    page: include_str!("thought_part.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for turn in &example.turns {
        for part in &turn.parts {
            let minded = |key: &Key<'_>| {
                ["thought", "thoughtSignature"]
                    .iter()
                    .any(|name| is_named(&key.text, name))
            };
            let there = part
                .value
                .entries()
                .filter(|(key, value)| minded(key) && !value.is_null());
            let Some((key, value)) = there.clone().next() else {
                continue;
            };
            let text = format!(
                "turn {} has `{}`, which tuning does not learn",
                turn.n, key.text
            );
            let added = report.over(repair::key_range(part.value, &key), text);
            let is_thought = value.as_bool() == Some(true);
            if is_thought && turn.parts.len() > 1 {
                if let Some(parts) = turn.parts_value {
                    added.repair(|| vec![repair::remove_item(parts, part.value)]);
                }
            } else if !is_thought && !part.data.is_empty() {
                added.repair(|| vec![repair::remove_member(part.value, &key)]);
            }
        }
    }
}
