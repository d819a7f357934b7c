//! Controls of the direction of text that have nothing to direct.

use super::{Kinds, changes, invisible::is_right_to_left};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E065",
        name: "bidi-control",
        level: Level::Warn,
        hint: "remove them where no text runs from right to left",
    },
    page: include_str!("bidi_control.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::INVISIBLE,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let has_right_to_left = text.text.chars().any(is_right_to_left);
    let kinds: Kinds = if has_right_to_left {
        unbalanced(&text.text).into_iter().collect()
    } else {
        text.text
            .char_indices()
            .filter(|(_, c)| is_bidi_control(*c))
            .collect()
    };
    let Some(first) = kinds.first() else {
        return;
    };
    let why = if has_right_to_left {
        "without its other half"
    } else {
        "in a text without a letter that runs from right to left"
    };
    report
        .text(text, first, format!("{kinds} {why}"))
        .repair(|| {
            let edits = kinds.places();
            let edits = edits.map(|(at, c)| (at..at + c.len_utf8(), String::new()));
            changes(text, &edits.collect::<Vec<_>>())
        });
}

pub(super) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The embeddings, overrides and isolates that are not closed in their
/// paragraph, and the ends of what was not begun, in order.
fn unbalanced(text: &str) -> Vec<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut stray = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' | '\u{2066}'..='\u{2068}' => {
                open.push((at, c));
            }
            '\u{202c}' => match open.last() {
                Some((_, '\u{202a}'..='\u{202e}')) => {
                    open.pop();
                }
                _ => stray.push((at, c)),
            },
            // The end of an isolate ends what was begun in it.
            '\u{2069}' => {
                let isolate = open.iter().rposition(|(_, c)| *c >= '\u{2066}');
                match isolate {
                    Some(n) => stray.extend(open.drain(n..).skip(1)),
                    None => stray.push((at, c)),
                }
            }
            '\n' | '\u{2029}' => stray.append(&mut open),
            _ => {}
        }
    }
    stray.append(&mut open);
    stray.sort_unstable();
    stray
}
