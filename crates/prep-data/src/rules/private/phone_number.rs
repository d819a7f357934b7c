//! Telephone numbers.

use std::ops::Range;

use super::{Secret, tell};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E075",
        name: "phone-number",
        level: Level::Warn,
        hint: "replace it by a placeholder",
    },
    page: include_str!("phone_number.md"),
    fix: None,
    when: Signs::DIGITS,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    tell(find(&text.text), text, report);
}

pub(super) fn find(text: &str) -> Vec<Secret> {
    let mut secrets = Vec::new();
    let mut from = 0;
    while let Some(range) = candidate(text, from) {
        from = range.end;
        if is_phone_number(text, range.clone()) {
            secrets.push(Secret {
                mask: mask(&text[range.clone()]),
                what: "a telephone number",
                range,
            });
        }
    }
    secrets
}

/// The beginning and the last two digits.
fn mask(number: &str) -> String {
    let first: String = number
        .chars()
        .take(if number.starts_with('+') { 3 } else { 1 })
        .collect();
    let last: Vec<char> = number
        .chars()
        .rev()
        .filter(char::is_ascii_digit)
        .take(2)
        .collect();
    first + "…" + &last.iter().rev().collect::<String>()
}

/// The next stretch of digits with nothing but separators between, from its
/// first digit, `+` or parenthesis.
fn candidate(text: &str, from: usize) -> Option<Range<usize>> {
    /// In bytes, between two groups.
    const MOST_SEPARATORS: usize = 4;
    let is_separator = |c: char| {
        matches!(
            c,
            ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{2010}' | '\u{2011}' | '\u{202f}'
        )
    };
    let rest = &text[from..];
    let digit = rest.find(|c: char| c.is_ascii_digit())?;
    let opening = rest[..digit].trim_end_matches(['+', '(']);
    // Two signs at most: `(+` and `+(`.
    let start = opening.len().max(digit.saturating_sub(2));
    let mut end = digit;
    for (at, c) in rest[digit..].char_indices() {
        if c.is_ascii_digit() {
            end = digit + at + 1;
        } else if !is_separator(c) || digit + at >= end + MOST_SEPARATORS {
            break;
        }
    }
    Some(from + start..from + end)
}

fn is_phone_number(text: &str, range: Range<usize>) -> bool {
    let number = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_#=/.,@%*^$€£{[".contains(c) || c == '-';
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_@%=*/^°".contains(c);
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    if before.is_some_and(is_part)
        || after.is_some_and(goes_on)
        || !(7..=15).contains(&digits.len())
    {
        return false;
    }
    let groups: Vec<&str> = number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_shape = if number.trim_start_matches('(').starts_with('+') {
        digits.len() >= 8 && digits[0] != b'0' && lengths.len() <= 6
    } else {
        is_national(number, &groups, &lengths)
            || is_announced(text, range.start) && is_grouped(&lengths)
    };
    is_shape && !is_nobodys(&digits)
}

/// Shapes that say where they are from: North America `555-123-4567`, Chinese
/// mobiles `138 0013 8000`, Spain `612 34 56 78`.
fn is_national(number: &str, groups: &[&str], lengths: &[usize]) -> bool {
    let has_no_space = |number: &str| number.contains(['-', '.', '(']);
    let (groups, lengths) = match groups {
        ["1", rest @ ..] => (rest, &lengths[1..]),
        _ => (groups, lengths),
    };
    let begins = |group: &str, first: std::ops::RangeInclusive<u8>| {
        group
            .bytes()
            .next()
            .is_some_and(|byte| first.contains(&byte))
    };
    match lengths {
        [3, 3, 4] => {
            begins(groups[0], b'2'..=b'9') && begins(groups[1], b'2'..=b'9') && has_no_space(number)
        }
        [3, 4, 4] => begins(groups[0], b'1'..=b'1') && begins(&groups[0][1..], b'3'..=b'9'),
        [3, 2, 2, 2] => begins(groups[0], b'6'..=b'9') && !number.contains('.'),
        _ => false,
    }
}

/// Whether a word before the number says that it is one.
fn is_announced(text: &str, start: usize) -> bool {
    const NEAR: usize = 28;
    const WORDS: &[&str] = &[
        "phone",
        "tel:",
        "tel.",
        "tel ",
        "telephone",
        "mobile",
        "whatsapp",
        "fax",
        "call me at",
        "call us at",
        "teléfono",
        "telefono",
        "móvil",
        "celular",
        "tlf",
        "电话",
        "電話",
        "手机",
        "手機",
    ];
    let from = text.floor_char_boundary(start.saturating_sub(NEAR));
    let before = text[from..start].to_lowercase();
    WORDS.iter().any(|word| before.contains(word))
}

/// Whether groups are those of a number, not of dates and lists.
fn is_grouped(lengths: &[usize]) -> bool {
    lengths.len() <= 5
        && lengths.iter().all(|length| *length >= 2)
        && *lengths != [4, 2, 2]
        && *lengths != [2, 2, 4]
}

/// Numbers that are set aside for documentation and films, toll-free ones, and
/// what people type in the place of a number.
fn is_nobodys(digits: &[u8]) -> bool {
    let national = digits
        .strip_prefix(b"1")
        .filter(|rest| rest.len() == 10)
        .unwrap_or(digits);
    let is_american = national.len() == 10;
    let is_film =
        is_american && (national.starts_with(b"555") || national[3..].starts_with(b"55501"));
    let tolls: [&[u8]; 8] = [
        b"800", b"822", b"833", b"844", b"855", b"866", b"877", b"888",
    ];
    let is_toll_free = is_american && tolls.iter().any(|toll| national.starts_with(toll));
    // The ranges that Ofcom keeps for drama.
    let british: [&[u8]; 3] = [b"447700900", b"442079460", b"441632960"];
    let is_drama = british.iter().any(|range| digits.starts_with(range));
    let is_same = national.iter().all(|digit| *digit == national[0]);
    let is_count = national
        .windows(2)
        .filter(|pair| pair[1] == pair[0] + 1)
        .count()
        + 3
        >= national.len();
    is_film || is_toll_free || is_drama || is_same || is_count
}
