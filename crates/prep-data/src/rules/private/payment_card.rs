//! Numbers of payment cards.

use super::{Secret, is_word, tell};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E076",
        name: "payment-card",
        level: Level::Warn,
        hint: "replace it by a placeholder",
    },
    page: include_str!("payment_card.md"),
    fix: None,
    when: Signs::DIGITS,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    tell(find(&text.text), text, report);
}

pub(super) fn find(text: &str) -> Vec<Secret> {
    let bytes = text.as_bytes();
    let mut secrets = Vec::new();
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + step;
        let (end, lengths) = groups(bytes, start);
        at = end;
        let digits: Vec<u8> = bytes[start..end]
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .copied()
            .collect();
        let is_part = |byte: Option<u8>| is_word(byte) || byte == Some(b'-');
        let is_alone = !is_part(text[..start].bytes().next_back())
            && !is_part(text[end..].bytes().next())
            && !text[..start].ends_with(['.', ',', '/', '+', '=']);
        if is_alone && is_grouped(&lengths) && is_card(&digits) {
            let digit = |digits: &[u8]| String::from_utf8_lossy(digits).into_owned();
            let mask = format!(
                "{}…{}",
                digit(&digits[..4]),
                digit(&digits[digits.len() - 4..])
            );
            secrets.push(Secret {
                range: start..end,
                what: "the number of a payment card",
                mask,
            });
        }
    }
    secrets
}

/// The end of the number that begins at a place, and the lengths of its groups,
/// which have one space or hyphen between.
fn groups(bytes: &[u8], start: usize) -> (usize, Vec<usize>) {
    let mut lengths = Vec::new();
    let mut at = start;
    let mut separator = None;
    loop {
        let n = bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        lengths.push(n);
        at += n;
        let next = bytes
            .get(at)
            .copied()
            .filter(|byte| matches!(byte, b' ' | b'-'));
        let is_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if next.is_none() || !is_digit || separator.is_some_and(|first| Some(first) != next) {
            return (at, lengths);
        }
        separator = next;
        at += 1;
    }
}

/// Whether digits are grouped as on a card, or not at all.
fn is_grouped(lengths: &[usize]) -> bool {
    matches!(
        lengths,
        [13..=19] | [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 1] | [4, 4, 4, 4, 1..=3]
    )
}

/// Whether an issuer gives such numbers, and the last digit checks the others.
fn is_card(digits: &[u8]) -> bool {
    let number = |n: usize| {
        digits[..n]
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let is_issued = match digits.len() {
        13 => number(1) == 4,
        14 => matches!(number(3), 300..=305) || matches!(number(2), 36 | 38),
        15 => matches!(number(2), 34 | 37),
        16..=19 => {
            let is_visa = number(1) == 4 && matches!(digits.len(), 16 | 19);
            let is_mastercard = digits.len() == 16
                && (matches!(number(2), 51..=55) || matches!(number(4), 2221..=2720));
            let is_other = number(4) == 6011
                || matches!(number(3), 644..=649)
                || matches!(number(2), 62 | 65)
                || matches!(number(4), 3528..=3589);
            is_visa || is_mastercard || is_other
        }
        _ => false,
    };
    is_issued && has_luhn(digits) && digits.iter().any(|digit| *digit != digits[1])
}

/// The checksum of ISO/IEC 7812.
fn has_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip(0..)
        .map(|(digit, n)| {
            let digit = u32::from(digit - b'0') * (1 + n % 2);
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
