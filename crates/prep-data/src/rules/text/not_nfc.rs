//! Text that is not in the composed form that nearly all text has.

use std::ops::Range;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc, is_nfc_quick};

use super::{changes, code_points};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E066",
        name: "not-nfc",
        level: Level::Warn,
        hint: "compose the characters; `prep fix` does",
    },
    page: include_str!("not_nfc.md"),
    fix: Some(Safety::Safe),
    when: Signs::DENORMAL,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let found = stretches(&text.text);
    let Some((first, composed)) = found.first() else {
        return;
    };
    let shown = code_points(&text.text[first.clone()]);
    let more = match found.len() {
        1 => String::new(),
        n => format!(" ({n} places)"),
    };
    let message = format!(
        "`{composed}` is written as {shown}, NFC is {}{more}",
        code_points(composed)
    );
    report
        .text(text, first.clone(), message)
        .repair(|| changes(text, &found));
}

/// The stretches that are not NFC, and their NFC. A stretch goes from one
/// character that begins anew to the next, so what NFC makes of it depends on
/// nothing else.
fn stretches(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut add = |range: Range<usize>| {
        let stretch = &text[range.clone()];
        if !is_nfc(stretch) {
            found.push((range, stretch.nfc().collect()));
        }
    };
    for (at, c) in text.char_indices() {
        let begins_anew = c.is_ascii()
            || unicode_normalization::char::canonical_combining_class(c) == 0
                && is_nfc_quick(std::iter::once(c)) != IsNormalized::Maybe;
        if begins_anew && at > start {
            add(start..at);
            start = at;
        }
    }
    add(start..text.len());
    found
}
