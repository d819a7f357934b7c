//! Settings of a request, which tuning is not known to read.

use crate::diag::{Code, Level, shown};
use crate::json::{Key, Value};
use crate::rules::example::is_named;
use crate::rules::published::TOOL;
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Report, Rule, Safety, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E043",
        name: "ignored-config",
        level: Level::Warn,
        hint: "remove it; give such settings when you use the tuned model",
    },
    page: include_str!("ignored_config.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if is_foreign(example) {
        return;
    }
    const OF_REQUESTS: &[&str] = &["toolConfig", "safetySettings", "labels", "cachedContent"];
    let mut told = |object: Value<'_, '_>, key: &Key<'_>| {
        let text = format!(
            "{} is a setting of requests, tuning is not known to read it",
            shown(&key.text)
        );
        report
            .over(repair::key_range(object, key), text)
            .repair(|| vec![repair::remove_member(object, key)]);
    };
    for (key, value) in example.root.entries().filter(|(_, value)| !value.is_null()) {
        if OF_REQUESTS.iter().any(|name| is_named(&key.text, name)) {
            told(example.root, &key);
        }
        if is_named(&key.text, "generationConfig") {
            for (key, _) in value.entries().filter(|(_, value)| !value.is_null()) {
                if !is_named(&key.text, "mediaResolution") {
                    told(value, &key);
                }
            }
        }
    }
    for tool in example.tools.into_iter().flat_map(Value::items) {
        for (key, _) in tool.entries().filter(|(_, value)| !value.is_null()) {
            let is_function = is_named(&key.text, "functionDeclarations");
            if !is_function && TOOL.member(&key.text).is_some() {
                told(tool, &key);
            }
        }
    }
}
