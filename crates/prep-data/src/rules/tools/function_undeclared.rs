//! Calls of functions that the example does not declare.

use std::borrow::Cow;

use crate::diag::{Code, Level, shown};
use crate::json::Value;
use crate::rules::example::member;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};
use crate::text::nearest::nearest;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E034",
        name: "function-undeclared",
        level: Level::Warn,
        hint: "declare the function under `tools`, or correct the name",
    },
    page: include_str!("function_undeclared.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let names = declared(example);
    let mut told: Vec<String> = Vec::new();
    for (_, data) in turns::data(example, "functionCall") {
        let Some(value) = member(data.value, "name") else {
            continue;
        };
        let Some(name) = value.as_str().filter(|name| !name.trim().is_empty()) else {
            continue;
        };
        if names.contains(&name) || told.iter().any(|other| *other == name) {
            continue;
        }
        let near = nearest(&name, names.iter().map(|name| &**name));
        let shown = shown(&name);
        let text = match near {
            _ if example.tools.is_none() => format!("{shown} is called, and there are no `tools`"),
            Some(near) => format!("{shown} is called and not declared; the nearest is `{near}`"),
            None => format!("{shown} is called and not declared"),
        };
        report.value(value, text);
        told.push(name.into_owned());
    }
}

/// The names of the functions that the example declares.
fn declared<'a>(example: &Example<'_, 'a>) -> Vec<Cow<'a, str>> {
    let tools = example.tools.into_iter().flat_map(Value::items);
    let lists = tools.filter_map(|tool| member(tool, "functionDeclarations"));
    let names = lists
        .flat_map(Value::items)
        .filter_map(|one| member(one, "name"));
    names.filter_map(Value::as_str).collect()
}
