//! Tools that are not written as Gemini reads them.

use std::borrow::Cow;

use crate::diag::{Code, Level, shown};
use crate::json::{Kind, Value};
use crate::rules::example::{kind_of, member};
use crate::rules::published::{FUNCTION_DECLARATION, TYPES};
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs};
use crate::text::nearest::nearest;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E036",
        name: "tools-shape",
        level: Level::Error,
        hint: "write `[{\"functionDeclarations\":[{\"name\":…,\"parameters\":…}]}]`",
    },
    page: include_str!("tools_shape.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let Some(tools) = example.tools.filter(|_| !is_foreign(example)) else {
        return;
    };
    let Some(tools) = array(tools, "`tools`", report) else {
        return;
    };
    let mut names = Vec::new();
    for tool in tools.items() {
        if tool.kind() != Kind::Object {
            let found = kind_of(tool);
            report.value(tool, format!("a tool is {found}, expected an object"));
        } else if is_bare_function(tool) {
            let text = "a function stands where a tool should; wrap it in `functionDeclarations`";
            report.value(tool, text);
        } else if let Some(functions) = member(tool, "functionDeclarations") {
            let Some(functions) = array(functions, "`functionDeclarations`", report) else {
                continue;
            };
            for function in functions.items() {
                declaration(function, &mut names, report);
            }
        } else if tool.entries().next().is_none() {
            report.value(tool, "the tool is empty, expected `functionDeclarations`");
        }
    }
}

/// Whether a tool is a function by itself, as OpenAI writes it or without what
/// it should be wrapped in. Its keys are then told once, by this rule.
pub(in crate::rules) fn is_bare_function(tool: Value<'_, '_>) -> bool {
    let is_declared = member(tool, "functionDeclarations").is_some();
    let is_function = member(tool, "function").is_some() || member(tool, "name").is_some();
    !is_declared && is_function
}

/// The value if it is an array with something in it; else tells so.
fn array<'d, 'a>(
    value: Value<'d, 'a>,
    name: &str,
    report: &mut Report<'_>,
) -> Option<Value<'d, 'a>> {
    if value.kind() != Kind::Array {
        let found = kind_of(value);
        report.value(value, format!("{name} is {found}, expected an array"));
        return None;
    }
    Some(value)
}

fn declaration<'a>(
    function: Value<'_, 'a>,
    names: &mut Vec<Cow<'a, str>>,
    report: &mut Report<'_>,
) {
    if function.kind() != Kind::Object {
        let found = kind_of(function);
        report.value(
            function,
            format!("a function declaration is {found}, expected an object"),
        );
        return;
    }
    match member(function, "name") {
        None if FUNCTION_DECLARATION.is_misspelt(function, "name") => {}
        None => {
            report.value(function, "a function declaration has no name");
        }
        Some(value) => match value.as_str() {
            None => {
                let found = kind_of(value);
                report.value(
                    value,
                    format!("the name of a function is {found}, expected a string"),
                );
            }
            Some(name) if !is_name(&name) => {
                let text = format!(
                    "{} is no name of a function: letters, digits, `_`, `.`, `:` and `-`, at most \
                     128, the first a letter or `_`",
                    shown(&name)
                );
                report.value(value, text);
            }
            Some(name) if names.contains(&name) => {
                report.value(value, format!("{} is declared twice", shown(&name)));
            }
            Some(name) => names.push(name),
        },
    }
    for key in ["parameters", "response"] {
        if let Some(value) = member(function, key) {
            schema(value, report);
        }
    }
}

fn is_name(name: &str) -> bool {
    const MOST: usize = 128;
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_rest = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    name.starts_with(is_first) && name.chars().all(is_rest) && name.len() <= MOST
}

/// Minds the types of a schema and of those inside it.
fn schema(value: Value<'_, '_>, report: &mut Report<'_>) {
    if value.kind() != Kind::Object {
        let found = kind_of(value);
        report.value(value, format!("a schema is {found}, expected an object"));
        return;
    }
    if let Some(kind) = member(value, "type") {
        type_of(kind, report);
    }
    if let Some(items) = member(value, "items") {
        inner(items, report);
    }
    for key in ["properties", "defs"] {
        let inside = member(value, key).into_iter().flat_map(Value::entries);
        inside.for_each(|(_, value)| schema(value, report));
    }
    let any_of = member(value, "anyOf").into_iter().flat_map(Value::items);
    any_of.for_each(|value| schema(value, report));
}

/// What is no object inside a schema has a rule of its own.
fn inner(value: Value<'_, '_>, report: &mut Report<'_>) {
    if value.kind() == Kind::Object {
        schema(value, report);
    }
}

fn type_of(kind: Value<'_, '_>, report: &mut Report<'_>) {
    let Some(word) = kind.as_str() else {
        let found = kind_of(kind);
        let text = format!("the type of a schema is {found}, expected a word such as `STRING`");
        report.value(kind, text);
        return;
    };
    if TYPES.contains(&&*word) {
        return;
    }
    let upper = word.to_ascii_uppercase();
    let shown = shown(&word);
    if TYPES.contains(&upper.as_str()) {
        report
            .value(kind, format!("the type {shown} is written `{upper}`"))
            .repair(|| {
                vec![Edit::replace(
                    kind.offset()..kind.end(),
                    format!("\"{upper}\""),
                )]
            });
        return;
    }
    let text = match nearest(&word, TYPES.iter().copied()) {
        Some(near) => format!("{shown} is no type; the nearest is `{near}`"),
        None => format!("{shown} is no type; known are `{}`", TYPES.join("`, `")),
    };
    report.value(kind, text);
}
