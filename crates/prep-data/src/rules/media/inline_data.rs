//! Files that stand inside the line.

use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E037",
        name: "inline-data",
        level: Level::Error,
        hint: "upload the file and write `fileData` with its address",
    },
    page: include_str!("inline_data.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (turn, data) in turns::data(example, "inlineData") {
        let text = format!(
            "turn {} has a file inside the line, expected `fileData`",
            turn.n
        );
        report.over(data.key.offset..data.value.offset(), text);
    }
}
