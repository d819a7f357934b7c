//! One JSON object a finding.

use std::io::{self, Write};

use super::{Format, Report};

pub(super) struct Jsonl;

impl Format for Jsonl {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for file in &report.files {
            for finding in &file.findings {
                writeln!(out, "{}", finding.to_json(&file.name))?;
            }
        }
        Ok(())
    }
}
