//! Calls and responses that do not match in number.

use crate::diag::{Code, Level};
use crate::rules::turns::Who;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E033",
        name: "function-response-count",
        level: Level::Error,
        hint: "answer every call of the turn, and no more",
    },
    page: include_str!("function_response_count.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for pair in turns::runs(example).windows(2) {
        let [asked, answered] = pair else {
            continue;
        };
        let (n_calls, n_responses) = (asked.calls.len(), answered.responses.len());
        let is_other = asked.who == Who::User || answered.who == Who::Model;
        let is_unknown = answered.who == Who::Unknown && n_responses == 0;
        if n_calls == 0 || n_calls == n_responses || is_other || is_unknown {
            continue;
        }
        let (Some((caller, call)), response) = (asked.calls.first(), answered.responses.first())
        else {
            continue;
        };
        let calls = plural(n_calls, "function call");
        let responses = plural(n_responses, "response");
        let at = response.map_or(call.key.offset, |(_, data)| data.key.offset);
        report.at(
            at,
            format!(
                "turn {} has {calls}, the turn after it has {responses}",
                caller.n
            ),
        );
    }
}

fn plural(n: usize, noun: &str) -> String {
    match n {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}
