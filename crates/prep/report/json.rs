//! Everything as one JSON object.

use std::collections::BTreeMap;
use std::io::{self, Write};

use prep_data::diag::Level;
use serde_json::{Value, json};

use super::{FileReport, Format, Report};

pub(super) struct Json;

impl Format for Json {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let findings = report.files.iter().flat_map(|file| {
            let findings = file.findings.iter();
            findings.map(|finding| finding.to_json(&file.name))
        });
        let whole = json!({
            "schema": 1,
            "files": report.files.iter().map(file).collect::<Vec<_>>(),
            "summary": report.summary(),
            "findings": findings.collect::<Vec<_>>(),
        });
        writeln!(out, "{whole:#}")
    }
}

fn file(file: &FileReport) -> Value {
    json!({
        "file": file.name,
        "examples": file.examples,
        "valid": file.valid,
        "invalid": file.invalid,
        "lines": file.lines,
        "bytes": file.bytes,
        "errors": file.n_of(Level::Error),
        "warnings": file.n_of(Level::Warn),
        "known": file.known,
    })
}

impl Report {
    /// What all files add up to.
    pub(crate) fn summary(&self) -> Value {
        let sum = |of: &dyn Fn(&FileReport) -> u64| self.files.iter().map(of).sum::<u64>();
        let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
        for count in self.files.iter().flat_map(|file| &file.counts) {
            *by_rule.entry(count.rule.code.code).or_default() += count.count;
        }
        json!({
            "examples": sum(&|file| file.examples),
            "valid": sum(&|file| file.valid),
            "invalid": sum(&|file| file.invalid),
            "errors": sum(&|file| file.n_of(Level::Error)),
            "warnings": sum(&|file| file.n_of(Level::Warn)),
            "known": sum(&|file| file.known),
            "by_rule": by_rule,
        })
    }
}
