//! Character references of HTML that were not decoded.

use std::ops::Range;

use super::{changes, entities, is_in_code};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Safety, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E067",
        name: "html-entity",
        level: Level::Warn,
        hint: "decode them; `prep fix --unsafe` does",
    },
    page: include_str!("html_entity.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::MARKUP,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    let found = references(&text.text);
    let Some((first, c)) = found.first() else {
        return;
    };
    let shown = &text.text[first.clone()];
    let meant = match c {
        '\u{a0}' => "a no-break space".to_owned(),
        c if c.is_control() || c.is_whitespace() || crate::text::signs::is_invisible(*c) => {
            super::code_points(&c.to_string())
        }
        c => format!("`{c}`"),
    };
    let more = match found.len() {
        1 => String::new(),
        n => format!(" ({n} places)"),
    };
    let message = format!("`{shown}` is HTML for {meant}{more}");
    report.text(text, first.clone(), message).repair(|| {
        let edits = found.iter().filter(|(_, c)| !c.is_control());
        let edits = edits.map(|(range, c)| (range.clone(), c.to_string()));
        changes(text, &edits.collect::<Vec<_>>())
    });
}

/// The references outside of code, and what they stand for.
fn references(text: &str) -> Vec<(Range<usize>, char)> {
    let mut found = Vec::new();
    let mut end = 0;
    for at in memchr::memchr_iter(b'&', text.as_bytes()) {
        if at < end {
            continue;
        }
        if let Some((length, c)) = entities::decode(&text[at..])
            && !is_in_code(text, at)
        {
            end = at + length;
            found.push((at..end, c));
        }
    }
    found
}
