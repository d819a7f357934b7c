//! For people: by file, then by rule, errors first, each with its first places
//! and a caret under the fault.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use prep_data::diag::Level;
use prep_data::rules::{Safety, Window};
use unicode_width::UnicodeWidthStr;

use super::{FileReport, Format, Report, RuleCount, Told};
use crate::ui;

pub(super) struct Text;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const BLUE: Style = AnsiColor::Blue.on_default().bold();
const BOLD: Style = Style::new().bold();

/// How many places of a rule are shown with their surroundings.
const PLACES: usize = 3;

impl Format for Text {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for file in &report.files {
            let mut counts: Vec<_> = file.counts.iter().collect();
            counts.sort_by_key(|count| std::cmp::Reverse(count.level));
            for count in counts {
                of_rule(file, count, out)?;
            }
            writeln!(out, "{}", account(file))?;
        }
        Ok(())
    }
}

fn of_rule(file: &FileReport, count: &RuleCount, out: &mut dyn Write) -> io::Result<()> {
    let style = if count.level == Level::Error {
        RED
    } else {
        YELLOW
    };
    let code = count.rule.code;
    let times = match count.count {
        1 => String::new(),
        n => format!(", {} times", ui::count(n)),
    };
    let level = count.level;
    writeln!(
        out,
        "{style}{level}[{}]{style:#} {BOLD}{}{BOLD:#}{times}",
        code.code, code.name
    )?;
    let of_rule = |finding: &&Told| std::ptr::eq(finding.rule, count.rule);
    let mut shown = 0;
    for finding in file.findings.iter().filter(of_rule).take(PLACES) {
        place(&file.name, finding, out)?;
        shown += 1;
    }
    if count.count > shown {
        writeln!(
            out,
            "  {BLUE}={BLUE:#} and {} more",
            ui::count(count.count - shown)
        )?;
    }
    let fix = match count.rule.fix {
        Some(Safety::Safe) => "; `prep fix` repairs it",
        Some(Safety::Unsafe) => "; `prep fix --unsafe` repairs it",
        None => "",
    };
    let hint = ui::visible(code.hint);
    let fix = if hint.contains("prep fix") { "" } else { fix };
    writeln!(out, "  {BLUE}={BLUE:#} {BOLD}hint{BOLD:#}: {hint}{fix}")
}

fn place(file: &str, finding: &Told, out: &mut dyn Write) -> io::Result<()> {
    let at = match finding.place {
        Some((line, column)) => format!("{file}:{line}:{column}"),
        None => file.to_owned(),
    };
    let origin = match &finding.origin {
        Some(origin) => format!(" (from {}:{})", origin.source, origin.line),
        None => String::new(),
    };
    let (at, origin) = (ui::visible(&at), ui::visible(&origin));
    let message = ui::visible(&finding.message);
    writeln!(out, "  {BLUE}-->{BLUE:#} {at}{origin}: {message}")?;
    if finding.window.text.is_empty() {
        return Ok(());
    }
    let (line, caret) = drawn(&finding.window);
    writeln!(out, "   {BLUE}|{BLUE:#} {line}")?;
    writeln!(out, "   {BLUE}|{BLUE:#} {caret}")
}

/// A window with the line for its caret. Characters that cannot be seen are
/// shown as U+XXXX.
fn drawn(window: &Window) -> (String, String) {
    let (mut line, mut before, mut fault) = (String::new(), 0, 0);
    for (n, c) in window.text.chars().enumerate() {
        let shown = if c.is_control() || prep_data::text::signs::is_invisible(c) {
            format!("<U+{:04X}>", u32::from(c))
        } else {
            c.to_string()
        };
        let width = shown.width();
        if n < window.at {
            before += width;
        } else if n < window.at + window.length {
            fault += width;
        }
        line += &shown;
    }
    let caret = format!(
        "{}{RED}{}{RED:#}",
        " ".repeat(before),
        "^".repeat(fault.max(1))
    );
    (line, caret)
}

/// What a file came to, in one line that adds up.
pub(super) fn account(file: &FileReport) -> String {
    let name = ui::visible(&file.name);
    let mut account = format!(
        "{name}: {} = {} valid + {} invalid",
        ui::of(file.examples, "example"),
        ui::count(file.valid),
        ui::count(file.invalid)
    );
    let (errors, warnings) = (file.n_of(Level::Error), file.n_of(Level::Warn));
    if errors + warnings > 0 {
        account += &format!(
            "; {}, {}",
            ui::of(errors, "error"),
            ui::of(warnings, "warning")
        );
    }
    if file.known > 0 {
        account += &format!("; {} known from the baseline", ui::count(file.known));
    }
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_fault() {
        let drawn = |text: &str, at: usize, length: usize| {
            let window = Window {
                text: text.into(),
                at,
                length,
            };
            let (line, caret) = super::drawn(&window);
            (line, anstream::adapter::strip_str(&caret).to_string())
        };
        assert_eq!(drawn("abc", 1, 2), ("abc".into(), " ^^".into()));
        assert_eq!(drawn("你好吗", 1, 1), ("你好吗".into(), "  ^^".into()));
        assert_eq!(
            drawn("a\u{200b}b", 1, 1),
            ("a<U+200B>b".into(), " ^^^^^^^^".into())
        );
        assert_eq!(drawn("ab", 2, 1), ("ab".into(), "  ^".into()));
    }
}
