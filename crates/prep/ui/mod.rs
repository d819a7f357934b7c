//! All that is seen on a terminal: colours, errors, counts, the bar.
//!
//! Everything here goes to standard error. Colour appears on a terminal only,
//! and nothing depends on it.

mod number;
mod progress;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use prep_data::diag::Level;

pub(crate) use self::number::{bytes, count, of};
pub(crate) use self::progress::Bar;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const BOLD: Style = Style::new().bold();

/// Prints what failed.
pub(crate) fn error_line(message: &str) {
    eprintln!("{RED}error{RED:#}: {message}");
}

/// Prints what belongs to the line before.
pub(crate) fn detail(label: &str, message: &str) {
    eprintln!("  {BOLD}{label}{BOLD:#}: {message}");
}

/// Prints a note or hint that stands by itself.
pub(crate) fn remark(label: &str, message: &str) {
    eprintln!("{CYAN}{label}{CYAN:#}: {message}");
}

/// Prints something that is told in passing.
pub(crate) fn say(message: &str) {
    eprintln!("{message}");
}

/// Prints a finding with its place.
pub(crate) fn finding(level: Level, code: &str, text: &str) {
    let style = if level == Level::Error { RED } else { YELLOW };
    eprintln!("{style}{level}[{code}]{style:#} {text}");
}
