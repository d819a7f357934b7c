//! SARIF 2.1.0 (OASIS, 2020), the format that code review tools read.

use std::io::{self, Write};

use prep_data::diag::Level;
use prep_data::rules::{Page, RULES, Rule};
use serde_json::{Value, json};

use super::{FileReport, Format, Report, Told};

pub(super) struct Sarif;

impl Format for Sarif {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let results = report.files.iter().flat_map(|file| {
            let findings = file.findings.iter();
            findings.map(|finding| result(file, finding))
        });
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "prep",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": RULES.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                }},
                "columnKind": "unicodeCodePoints",
                "results": results.collect::<Vec<_>>(),
            }],
        });
        writeln!(out, "{log:#}")
    }
}

fn descriptor(rule: &Rule) -> Value {
    let summary = Page::parse(rule.page).map_or_else(|_| String::new(), |page| page.summary);
    json!({
        "id": rule.code.code,
        "name": rule.code.name,
        "shortDescription": {"text": summary},
        "help": {"text": rule.code.hint, "markdown": rule.page},
        "defaultConfiguration": {
            "level": level(rule.code.level),
            "enabled": rule.code.level != Level::Allow,
        },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Allow => "none",
        Level::Warn => "warning",
        Level::Error => "error",
    }
}

fn result(file: &FileReport, finding: &Told) -> Value {
    let rule_index = RULES
        .iter()
        .position(|rule| std::ptr::eq(*rule, finding.rule));
    let artifact = json!({"uri": uri(&file.name)});
    let mut physical = json!({"artifactLocation": artifact});
    if let Some((line, column)) = finding.place {
        physical["region"] = json!({"startLine": line, "startColumn": column});
    }
    let mut result = json!({
        "ruleId": finding.rule.code.code,
        "ruleIndex": rule_index,
        "level": level(finding.level),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"prepFinding/v1": format!("{:016x}", finding.fingerprint)},
    });
    if let Some(origin) = &finding.origin {
        result["relatedLocations"] = json!([{
            "message": {"text": format!("made from record {}", origin.record)},
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&origin.source)},
                "region": {"startLine": origin.line},
            },
        }]);
    }
    result
}

/// A path as a relative or absolute URI reference (RFC 3986): everything but
/// unreserved characters and slashes in percent-encoding.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uri_references() {
        assert_eq!(uri("data/train set#1.jsonl"), "data/train%20set%231.jsonl");
    }
}
