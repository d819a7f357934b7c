//! International bank account numbers.

use super::{Secret, is_word, tell};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E077",
        name: "iban",
        level: Level::Warn,
        hint: "replace it by a placeholder",
    },
    page: include_str!("iban.md"),
    fix: None,
    when: Signs::DIGITS,
    check: Check::Text(check),
};

/// The length of the numbers of each country, from the IBAN registry.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    tell(find(&text.text), text, report);
}

pub(super) fn find(text: &str) -> Vec<Secret> {
    let bytes = text.as_bytes();
    let mut secrets = Vec::new();
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(u8::is_ascii_uppercase) {
        let start = at + step;
        at = start + 1;
        if is_word(text[..start].bytes().next_back()) {
            continue;
        }
        if let Some(end) = end_of_iban(bytes, start) {
            at = end;
            secrets.push(Secret {
                range: start..end,
                what: "a bank account number",
                mask: format!("{}…", &text[start..start + 4]),
            });
        }
    }
    secrets
}

/// The end of the number that begins at a place, if it is one.
fn end_of_iban(bytes: &[u8], start: usize) -> Option<usize> {
    /// Every country's numbers have that many digits in a row somewhere.
    const DIGITS: usize = 7;
    let country = std::str::from_utf8(bytes.get(start..start + 2)?).ok()?;
    let at = LENGTHS
        .binary_search_by_key(&country, |(country, _)| country)
        .ok()?;
    let length = LENGTHS[at].1;
    let mut number = Vec::with_capacity(length);
    let mut end = start;
    let mut run = 0;
    let mut longest_run = 0;
    while number.len() < length {
        let byte = *bytes.get(end)?;
        // Groups of four, with a space between.
        if byte == b' ' && number.len() % 4 == 0 && bytes.get(end - 1) != Some(&b' ') {
            end += 1;
            continue;
        }
        if !byte.is_ascii_alphanumeric() || byte.is_ascii_lowercase() {
            return None;
        }
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        longest_run = longest_run.max(run);
        number.push(byte);
        end += 1;
    }
    let are_check_digits = number[2..4].iter().all(u8::is_ascii_digit);
    let is_alone = !is_word(bytes.get(end).copied());
    let is_iban = are_check_digits && is_alone && longest_run >= DIGITS && has_checksum(&number);
    is_iban.then_some(end)
}

/// The checksum of ISO 7064, mod 97: with the first four at the end and
/// letters as numbers, the remainder is 1.
fn has_checksum(number: &[u8]) -> bool {
    let turned = number[4..].iter().chain(&number[..4]);
    let remainder = turned.fold(0_u32, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}
