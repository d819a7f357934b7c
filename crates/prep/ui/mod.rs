//! All that is seen on a terminal: colours, errors, counts, the bar.
//!
//! Everything here goes to standard error. Colour appears on a terminal only,
//! and nothing depends on it.

mod chart;
mod number;
mod progress;
#[cfg(feature = "cloud")]
mod sparkline;
mod table;
#[cfg(feature = "cloud")]
mod time;

use std::borrow::Cow;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use prep_data::diag::Level;

pub(crate) use self::chart::{bar, columns};
pub(crate) use self::number::{bytes, count, of};
pub(crate) use self::progress::Bar;
#[cfg(feature = "cloud")]
pub(crate) use self::sparkline::sparkline;
pub(crate) use self::table::{Align, Table};
#[cfg(feature = "cloud")]
pub(crate) use self::time::{duration, utc};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const BOLD: Style = Style::new().bold();

/// A text in which control characters are made visible, all but line ends and
/// tabs: names and data must not steer the terminal.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Prints what failed.
pub(crate) fn error_line(message: &str) {
    let message = visible(message);
    eprintln!("{RED}error{RED:#}: {message}");
}

/// Prints what belongs to the line before.
pub(crate) fn detail(label: &str, message: &str) {
    let message = visible(message);
    eprintln!("  {BOLD}{label}{BOLD:#}: {message}");
}

/// Prints a note or hint that stands by itself.
pub(crate) fn remark(label: &str, message: &str) {
    let message = visible(message);
    eprintln!("{CYAN}{label}{CYAN:#}: {message}");
}

/// Prints something that is told in passing.
pub(crate) fn say(message: &str) {
    eprintln!("{}", visible(message));
}

/// Asks a question, to be answered on the same line.
#[cfg(feature = "cloud")]
pub(crate) fn ask(question: &str) -> std::io::Result<()> {
    anstream::eprint!("{} ", visible(question));
    std::io::Write::flush(&mut anstream::stderr())
}

/// Prints a finding with its place.
pub(crate) fn finding(level: Level, code: &str, text: &str) {
    let style = if level == Level::Error { RED } else { YELLOW };
    let text = visible(text);
    eprintln!("{style}{level}[{code}]{style:#} {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shown_steers_the_terminal() {
        assert_eq!(visible("a\tb\nc"), "a\tb\nc");
        assert_eq!(visible("\u{1b}[2J\r\u{9b}é"), "\\u{1b}[2J\\u{d}\\u{9b}é");
    }
}
