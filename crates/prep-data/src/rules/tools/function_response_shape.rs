//! Function responses that are none.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::example::{kind_of, member};
use crate::rules::published::FUNCTION_RESPONSE;
use crate::rules::tools::function_call_shape::name_fault;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E031",
        name: "function-response-shape",
        level: Level::Error,
        hint: "write `{\"name\":\"…\",\"response\":{…}}`",
    },
    page: include_str!("function_response_shape.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (_, data) in turns::data(example, "functionResponse") {
        let answer = data.value;
        if answer.kind() != Kind::Object {
            continue;
        }
        if let Some((place, fault)) = name_fault(answer, &FUNCTION_RESPONSE) {
            report.value(place, format!("the name of a function response {fault}"));
        }
        match member(answer, "response") {
            None if FUNCTION_RESPONSE.is_misspelt(answer, "response") => {}
            None => {
                report.value(answer, "a function response has no `response`");
            }
            Some(response) if response.kind() != Kind::Object => {
                let found = kind_of(response);
                let text = format!("`response` is {found}, expected an object");
                report.value(response, text).repair(|| {
                    vec![
                        Edit::insert(response.offset(), "{\"result\":"),
                        Edit::insert(response.end(), "}"),
                    ]
                });
            }
            Some(_) => {}
        }
    }
}
