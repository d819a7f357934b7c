//! Function responses of another function than the one that was called.

use std::borrow::Cow;

use crate::diag::{Code, Level, shown};
use crate::json::Value;
use crate::rules::example::member;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E053",
        name: "function-response-name",
        level: Level::Warn,
        hint: "give the response the name of the function that was called",
    },
    page: include_str!("function_response_name.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for pair in turns::runs(example).windows(2) {
        let [asked, answered] = pair else {
            continue;
        };
        let calls = asked.calls.iter();
        let called: Vec<_> = calls.filter_map(|(_, data)| name(data.value)).collect();
        if called.len() < asked.calls.len() {
            continue;
        }
        for (turn, data) in &answered.responses {
            let Some((value, text)) = member(data.value, "name").zip(name(data.value)) else {
                continue;
            };
            if let Some(first) = called.first().filter(|_| !called.contains(&text)) {
                let message = format!(
                    "turn {} answers {}, the turn before calls {}",
                    turn.n,
                    shown(&text),
                    shown(first)
                );
                report.value(value, message);
            }
        }
    }
}

/// The name of a call or response, if it has one.
fn name<'a>(call: Value<'_, 'a>) -> Option<Cow<'a, str>> {
    let name = member(call, "name").and_then(Value::as_str);
    name.filter(|name| !name.trim().is_empty())
}
