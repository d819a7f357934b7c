//! Control characters that no text needs.

use std::ops::Range;

use super::{Kinds, changes};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};
use crate::text::mojibake;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E060",
        name: "control-character",
        level: Level::Warn,
        hint: "look where they come from; most are left over from a terminal or a wrong encoding",
    },
    page: include_str!("control_character.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::CONTROL,
    check: Check::Text(check),
};

/// U+0000 has a rule of its own, and what is half of mojibake is told as that.
fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let is_ours = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\0');
    let misread = mojibake::find(&text.text);
    let is_misread = |at: usize| misread.iter().any(|found| found.range.contains(&at));
    let controls = text.text.char_indices();
    let kinds: Kinds = controls
        .filter(|(at, c)| is_ours(*c) && !is_misread(*at))
        .collect();
    let Some(first) = kinds.first() else {
        return;
    };
    let message = format!("control character {kinds}");
    report.text(text, first, message).repair(|| {
        let edits = kinds.places().map(|(at, c)| replacement(&text.text, at, c));
        changes(text, &edits.collect::<Vec<_>>())
    });
}

/// What is to stand in the place of a control character: a line end where it
/// began a line, the character that Windows-1252 has there, or nothing. The
/// rest of a terminal's escape sequence goes with its beginning.
fn replacement(text: &str, at: usize, c: char) -> (Range<usize>, String) {
    let mut end = at + c.len_utf8();
    let text_then = match c {
        '\u{b}' | '\u{c}' | '\u{85}' => "\n".to_owned(),
        '\u{1b}' => {
            end += sequence(&text[end..]);
            String::new()
        }
        c => mojibake::of_control(c)
            .map(String::from)
            .unwrap_or_default(),
    };
    (at..end, text_then)
}

/// The length of what follows the escape of a colour or a movement: `[31m`.
fn sequence(text: &str) -> usize {
    let Some(inside) = text.strip_prefix('[') else {
        return 0;
    };
    let n = inside
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b';');
    let n = n.count();
    let is_whole = inside
        .as_bytes()
        .get(n)
        .is_some_and(u8::is_ascii_alphabetic);
    if is_whole { n + 2 } else { 0 }
}
