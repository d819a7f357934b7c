//! Function calls for a model that could not be tuned with them.

use crate::diag::{Code, Level, shown};
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E035",
        name: "function-parts-unsupported",
        level: Level::Warn,
        hint: "choose a model of the 3.x line, or tune without function calls",
    },
    page: include_str!("function_parts_unsupported.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let name = report.context().model_name.as_deref().unwrap_or_default();
    if !name.contains("gemini-2.5") {
        return;
    }
    let model = shown(name);
    let calls = turns::data(example, "functionCall");
    let parts = calls.chain(turns::data(example, "functionResponse"));
    if let Some((_, data)) = parts.min_by_key(|(_, data)| data.key.offset) {
        let text = format!(
            "`{}` is reported to be refused in tuning data of {model}",
            data.name
        );
        report.at(data.key.offset, text);
    }
}
