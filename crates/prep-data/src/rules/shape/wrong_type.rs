//! Members of the wrong JSON type.

use crate::diag::{Code, Level, shown};
use crate::json::{Kind, Value};
use crate::rules::example::{kind_of, member};
use crate::rules::published::{CONTENT, Form, Message, PART, each_object};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E047",
        name: "wrong-type",
        level: Level::Error,
        hint: "write the value as the type that is expected",
    },
    page: include_str!("wrong_type.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    for turn in example.contents.into_iter().flat_map(Value::items) {
        item(turn, &CONTENT, report);
        for part in member(turn, "parts").into_iter().flat_map(Value::items) {
            item(part, &PART, report);
        }
    }
    each_object(example.root, &mut |object, message| {
        for (key, value) in object.entries().filter(|(_, value)| !value.is_null()) {
            if let Some(member) = message.member(&key.text)
                && !TOLD_ELSEWHERE.contains(&(message.name, member.name))
            {
                check_form(&member.form, &key.text, value, report);
            }
        }
    });
}

/// Members whose type is the business of another rule.
const TOLD_ELSEWHERE: &[(&str, &str)] = &[
    ("an example", "systemInstruction"),
    ("an example", "contents"),
    ("an example", "tools"),
    ("an example", "completions"),
    ("an example", "labels"),
    ("an example", "toolConfig"),
    ("an example", "cachedContent"),
    ("a turn", "parts"),
    ("`functionCall`", "name"),
    ("`functionCall`", "args"),
    ("`functionResponse`", "name"),
    ("`functionResponse`", "response"),
    ("`fileData`", "fileUri"),
    ("`fileData`", "mimeType"),
    ("a part", "inlineData"),
    ("a part", "thought"),
    ("a part", "thoughtSignature"),
    ("a tool", "functionDeclarations"),
    ("a function declaration", "name"),
    ("a function declaration", "parameters"),
    ("a schema", "type"),
    ("a completion", "score"),
    ("a completion", "completion"),
];

fn check_form(form: &Form, key: &str, value: Value<'_, '_>, report: &mut Report<'_>) {
    let (kinds, expected): (&[Kind], _) = match form {
        Form::Text | Form::Word(_) => (&[Kind::String], "a string"),
        Form::Flag => (&[Kind::Bool], "`true` or `false`"),
        Form::Number => (&[Kind::Number], "a number"),
        Form::Count => (&[Kind::Number, Kind::String], "a number"),
        Form::Texts => (&[Kind::Array], "an array of strings"),
        Form::Objects(_) => (&[Kind::Array], "an array of objects"),
        Form::Object(_) | Form::Map(_) | Form::Free => (&[Kind::Object], "an object"),
        Form::Any => return,
    };
    let key = shown(key);
    let found = kind_of(value);
    if !kinds.contains(&value.kind()) {
        report.value(value, format!("{key} is {found}, expected {expected}"));
    }
    if matches!(form, Form::Texts) {
        for item in value.items().filter(|item| item.kind() != Kind::String) {
            let found = kind_of(item);
            report.value(
                item,
                format!("{found} stands in {key}, expected {expected}"),
            );
        }
    }
}

/// Minds an item of an array of objects that is none.
fn item(value: Value<'_, '_>, message: &Message, report: &mut Report<'_>) {
    if value.kind() != Kind::Object {
        let found = kind_of(value);
        report.value(
            value,
            format!(
                "{found} stands where {} should, which is an object",
                message.name
            ),
        );
    }
}
