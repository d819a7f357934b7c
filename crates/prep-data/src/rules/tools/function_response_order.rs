//! Function responses that answer no call.

use crate::diag::{Code, Level};
use crate::rules::turns::Who;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E032",
        name: "function-response-order",
        level: Level::Error,
        hint: "put the response into the user turn after the call",
    },
    page: include_str!("function_response_order.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let runs = turns::runs(example);
    for (n, run) in runs.iter().enumerate() {
        let Some((turn, data)) = run.responses.first() else {
            continue;
        };
        let before = n.checked_sub(1).map(|n| &runs[n]);
        let is_called = before.is_some_and(|before| !before.calls.is_empty());
        let n = turn.n;
        let text = match run.who {
            Who::Model => format!("turn {n} is the model's and has a function response"),
            _ if is_called => continue,
            _ => format!("turn {n} has a function response and no turn with a call before it"),
        };
        report.at(data.key.offset, text);
    }
}
