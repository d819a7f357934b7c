//! Files without an address that the service can read.

use crate::diag::{Code, Level, shown};
use crate::json::Kind;
use crate::rules::example::{kind_of, member};
use crate::rules::published;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E039",
        name: "file-uri",
        level: Level::Error,
        hint: "write a `gs://bucket/name` or `https://` address",
    },
    page: include_str!("file_uri.md"),
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
        let Some(uri) = member(file, "fileUri") else {
            if !published::FILE_DATA.is_misspelt(file, "fileUri") {
                report.value(file, "`fileData` has no `fileUri`");
            }
            continue;
        };
        match uri.as_str() {
            None => {
                let found = kind_of(uri);
                report.value(uri, format!("`fileUri` is {found}, expected a string"));
            }
            Some(address) => {
                if let Some(fault) = fault(&address) {
                    report.value(uri, format!("{} {fault}", shown(&address)));
                }
            }
        }
    }
}

fn fault(address: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = address.split_once("://") else {
        return Some(match address.split_once(':') {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("data") => {
                "is a file inside the line, expected an address"
            }
            _ => "is no `gs://` or `https://` address",
        });
    };
    let (place, name) = rest.split_once('/').unwrap_or((rest, ""));
    match scheme {
        "gs" if place.is_empty() || name.is_empty() => Some("names no object in a bucket"),
        "http" | "https" if place.is_empty() => Some("names no host"),
        "gs" | "http" | "https" if address.contains(char::is_control) => {
            Some("has a control character in it")
        }
        "gs" | "http" | "https" => None,
        _ => Some("is no `gs://` or `https://` address"),
    }
}
