//! UTF-8 that was read as Windows-1252 or Latin-1.

use std::ops::Range;

use super::changes;
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};
use crate::text::mojibake::{self, Mojibake};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E063",
        name: "mojibake",
        level: Level::Warn,
        hint: "read the source again in its encoding, or let `prep fix` read the text back",
    },
    page: include_str!("mojibake.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::MOJIBAKE,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let found = mojibake::find(&text.text);
    let Some(first) = found.first() else {
        return;
    };
    let (was, is) = word_around(&text.text, &found, first.range.clone());
    let more = match found.len() {
        1 => String::new(),
        n => format!(" ({n} places)"),
    };
    let message = format!("`{is}` is UTF-8 read in another encoding, it was `{was}`{more}");
    report.text(text, first.range.clone(), message).repair(|| {
        let edits = found.iter();
        let edits = edits.map(|found| (found.range.clone(), found.was.clone()));
        changes(text, &edits.collect::<Vec<_>>())
    });
}

/// The word in which the first stretch is, as it was and as it is.
fn word_around(text: &str, found: &[Mojibake], first: Range<usize>) -> (String, String) {
    const LONGEST: usize = 24;
    let is_letter = |c: &char| c.is_alphabetic();
    let before = text[..first.start].chars().rev();
    let before: usize = before
        .take(LONGEST)
        .take_while(is_letter)
        .map(char::len_utf8)
        .sum();
    let start = first.start - before;
    let (mut was, mut is) = (text[start..first.start].to_owned(), String::new());
    let mut end = first.start;
    for found in found {
        let between = &text[end..found.range.start];
        if !between.chars().all(char::is_alphabetic) || found.range.end - start > 4 * LONGEST {
            break;
        }
        if found.range.start > first.start {
            was += between;
        }
        was += &found.was;
        end = found.range.end;
    }
    let after: String = text[end..]
        .chars()
        .take(LONGEST)
        .take_while(is_letter)
        .collect();
    was += &after;
    is += &text[start..end + after.len()];
    let shown = |text: String| {
        let shown = text.chars().filter(|c| !c.is_control() || *c == '\n');
        shown.map(|c| if c == '\n' { ' ' } else { c }).collect()
    };
    (shown(was), shown(is))
}
