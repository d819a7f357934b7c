//! Characters that were lost on the way: U+FFFD, and what it became.

use super::Kinds;
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E062",
        name: "replacement-character",
        level: Level::Warn,
        hint: "restore the characters from the source; they cannot be guessed",
    },
    page: include_str!("replacement_character.md"),
    fix: None,
    when: Signs::REPLACEMENT.and(Signs::PHRASE),
    check: Check::Text(check),
};

/// What three pairs of lost bytes are, when UTF-8 is read as GBK.
const MISREAD: &str = "锟斤拷";

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let lost = text.text.char_indices();
    let kinds: Kinds = lost.filter(|(_, c)| *c == '\u{fffd}').collect();
    if let Some(first) = kinds.first() {
        report.text(text, first, format!("{kinds} stands for what was lost"));
    } else if let Some(at) = text.text.find(MISREAD) {
        let message = "`锟斤拷` stands for what was lost: U+FFFD read as GBK";
        report.text(text, at..at + MISREAD.len(), message);
    }
}
