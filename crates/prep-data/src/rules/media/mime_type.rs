//! Files whose type is missing or cannot be tuned with.

use crate::diag::{Code, Level, shown};
use crate::json::Kind;
use crate::rules::example::{kind_of, member};
use crate::rules::published;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E040",
        name: "mime-type",
        level: Level::Error,
        hint: "write the type, such as `image/png` or `application/pdf`",
    },
    page: include_str!("mime_type.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (_, data) in turns::data(example, "fileData") {
        let file = data.value;
        if file.kind() != Kind::Object {
            continue;
        }
        let Some(mime_type) = member(file, "mimeType") else {
            if !published::FILE_DATA.is_misspelt(file, "mimeType") {
                report.value(file, "`fileData` has no `mimeType`");
            }
            continue;
        };
        match mime_type.as_str() {
            None => {
                let found = kind_of(mime_type);
                report.value(
                    mime_type,
                    format!("`mimeType` is {found}, expected a string"),
                );
            }
            Some(text) if super::Media::of(&text).is_none() => {
                let text = format!(
                    "{} is no type of an image, audio, video or PDF file",
                    shown(&text)
                );
                report.value(mime_type, text);
            }
            Some(_) => {}
        }
    }
}
