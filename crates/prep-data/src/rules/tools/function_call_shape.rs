//! Function calls that are none.

use crate::diag::{Code, Level};
use crate::json::{Document, Kind, Value, compact};
use crate::rules::example::{kind_of, member};
use crate::rules::published::{self, Message};
use crate::rules::turns::Who;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E030",
        name: "function-call-shape",
        level: Level::Error,
        hint: "write `{\"name\":\"…\",\"args\":{…}}`, in a model turn",
    },
    page: include_str!("function_call_shape.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (turn, data) in turns::data(example, "functionCall") {
        let call = data.value;
        if call.kind() != Kind::Object {
            continue;
        }
        if turns::who(example, turn) == Who::User {
            let text = format!("turn {} is the user's and calls a function", turn.n);
            report.at(data.key.offset, text);
        }
        if let Some((place, fault)) = name_fault(call, &published::FUNCTION_CALL) {
            report.value(place, format!("the name of a function call {fault}"));
        }
        check_args(call, report);
    }
}

/// What is wrong with the name of a call or response, and where.
pub(super) fn name_fault<'d, 'a>(
    call: Value<'d, 'a>,
    message: &Message,
) -> Option<(Value<'d, 'a>, String)> {
    let Some(name) = member(call, "name") else {
        let is_misspelt = message.is_misspelt(call, "name");
        return (!is_misspelt).then(|| (call, "is missing".to_owned()));
    };
    match name.as_str() {
        None => Some((name, format!("is {}, expected a string", kind_of(name)))),
        Some(text) if text.trim().is_empty() => Some((name, "is empty".to_owned())),
        Some(_) => None,
    }
}

fn check_args(call: Value<'_, '_>, report: &mut Report<'_>) {
    let Some(args) = member(call, "args").filter(|args| args.kind() != Kind::Object) else {
        return;
    };
    let found = kind_of(args);
    let added = report.value(args, format!("`args` is {found}, expected an object"));
    if let Some(object) = args.as_str().and_then(|text| object_in(&text)) {
        added.repair(|| vec![Edit::replace(args.offset()..args.end(), object)]);
    }
}

/// The JSON object that a string holds.
fn object_in(text: &str) -> Option<Vec<u8>> {
    let mut document = Document::new();
    let value = document.parse(text.as_bytes()).ok()?;
    let mut object = Vec::new();
    compact(value, &mut object);
    (value.kind() == Kind::Object).then_some(object)
}
