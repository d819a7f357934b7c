//! Annotations as GitHub Actions reads them from a job's output: workflow
//! commands, `::error file=…,line=…,col=…,title=…::message`.

use std::io::{self, Write};

use prep_data::diag::Level;

use super::{Format, Report};

pub(super) struct Github;

impl Format for Github {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for file in &report.files {
            for finding in &file.findings {
                let kind = if finding.level == Level::Error {
                    "error"
                } else {
                    "warning"
                };
                let (line, column) = finding.place.unwrap_or((1, 1));
                let code = finding.rule.code;
                let title = property(&format!("{} {}", code.code, code.name));
                let message = format!("{}; {}", finding.message, code.hint);
                writeln!(
                    out,
                    "::{kind} file={},line={line},col={column},title={title}::{}",
                    property(&file.name),
                    data(&message)
                )?;
            }
            writeln!(out, "{}", super::text::account(file))?;
        }
        Ok(())
    }
}

/// Escapes a message.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property, which a colon or comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_ends_an_annotation() {
        assert_eq!(data("50%\n::error::x"), "50%25%0A::error::x");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
    }
}
