//! Rules about secrets and personal data: what must not be learnt, and is not
//! shown here either.
//!
//! A model that has learnt a key or an address may tell it to anyone. Each rule
//! finds [`Secret`]s in a text and tells them with their masks. [`masked`] finds
//! them in any line, broken or not, and whichever rules are on: what is shown of
//! a line goes through it.

pub(super) mod api_key;
pub(super) mod email_address;
pub(super) mod iban;
pub(super) mod payment_card;
pub(super) mod phone_number;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use super::example::{Example, Text};
use super::text::head;
use super::{Report, Rule, Signs};
use crate::json::{Document, Value, loosely_unescape};

/// What must not be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Secret {
    /// Where it stands in a text, in bytes.
    range: Range<usize>,
    /// What it is.
    what: &'static str,
    /// What is shown in its place.
    mask: String,
}

/// Finds secrets of one kind in a text, in order.
type Finder = fn(&str) -> Vec<Secret>;

/// Every rule, and how it finds what it tells.
const FINDERS: [(&Rule, Finder); 5] = [
    (&api_key::RULE, api_key::find),
    (&email_address::RULE, email_address::find),
    (&phone_number::RULE, phone_number::find),
    (&payment_card::RULE, payment_card::find),
    (&iban::RULE, iban::find),
];

/// Tells secrets of a text.
fn tell(secrets: Vec<Secret>, text: &Text<'_, '_>, report: &mut Report<'_>) {
    for Secret { range, what, mask } in secrets {
        report.text(text, range, format!("the text has {what}: `{mask}`"));
    }
}

/// A line as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Masked<'l> {
    /// The line with its secrets masked.
    pub(super) line: Cow<'l, [u8]>,
    /// What was masked, in order, and where its mask is.
    masks: Vec<(Range<usize>, Range<usize>)>,
}

/// Masks what is secret in a line, whether it is JSON or not. Costs a parse of a
/// line that may have secrets.
pub(super) fn masked(line: &[u8]) -> Masked<'_> {
    let mut secrets = Vec::new();
    let mut document = Document::new();
    match document.parse(line) {
        Ok(root) => in_json(line, root, &mut secrets),
        Err(_) => in_raw(line, 0, &mut secrets),
    }
    Masked::of(line, secrets)
}

/// Finds the secrets of a line that is JSON: in its texts, and in what stands
/// between them.
fn in_json(line: &[u8], root: Value<'_, '_>, secrets: &mut Vec<(Range<usize>, String)>) {
    let mut texts = Example::of(root, Signs::NONE).texts;
    texts.sort_by_key(|text| text.value.offset());
    let mut end = 0;
    for text in &texts {
        in_raw(&line[end..text.value.offset()], end, secrets);
        end = text.value.end();
        secrets.extend(find(&text.text).into_iter().map(|secret| {
            let [start, end] = [secret.range.start, secret.range.end];
            let start = text.value.offset_in(start);
            (start..text.value.offset_in(end).max(start + 1), secret.mask)
        }));
    }
    in_raw(&line[end..], end, secrets);
}

/// Finds the secrets of bytes at a place of a line, whatever they are.
fn in_raw(bytes: &[u8], at: usize, secrets: &mut Vec<(Range<usize>, String)>) {
    let (text, places) = loosely_unescape(bytes);
    secrets.extend(find(&text).into_iter().map(|secret| {
        let (start, end) = (places[secret.range.start], places[secret.range.end]);
        (at + start..at + end, secret.mask)
    }));
}

/// Finds all secrets of a text.
fn find(text: &str) -> Vec<Secret> {
    let signs = Signs::of(text.as_bytes());
    let finders = FINDERS.iter();
    let asked = finders.filter(|(rule, _)| rule.when.any_of(signs));
    asked.flat_map(|(_, find)| find(text)).collect()
}

impl<'l> Masked<'l> {
    /// Masks secrets; of two that overlap, one mask stands for both.
    fn of(line: &'l [u8], mut secrets: Vec<(Range<usize>, String)>) -> Self {
        if secrets.is_empty() {
            return Self {
                line: Cow::Borrowed(line),
                masks: Vec::new(),
            };
        }
        secrets.sort_by_key(|(range, _)| (range.start, range.end));
        let mut shown = Vec::with_capacity(line.len());
        let mut masks: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let mut at = 0;
        for (range, mask) in secrets {
            let end = range.end;
            if range.start < at
                && let Some((before, _)) = masks.last_mut()
            {
                before.end = before.end.max(end);
            } else {
                shown.extend_from_slice(&line[at..range.start]);
                let start = shown.len();
                shown.extend_from_slice(mask.as_bytes());
                masks.push((range, start..shown.len()));
            }
            at = at.max(end.min(line.len()));
        }
        shown.extend_from_slice(&line[at..]);
        Self {
            line: Cow::Owned(shown),
            masks,
        }
    }

    /// Whether there was nothing to mask.
    pub(super) fn is_same(&self) -> bool {
        self.masks.is_empty()
    }

    /// Where a place of the line is now.
    pub(super) fn place(&self, place: &Range<usize>) -> Range<usize> {
        let moved = |offset: usize, is_end: bool| {
            let (mut was, mut is) = (0, 0);
            for (range, mask) in &self.masks {
                if offset <= range.start {
                    break;
                }
                if offset < range.end {
                    return if is_end { mask.end } else { mask.start };
                }
                (was, is) = (range.end, mask.end);
            }
            is + (offset - was)
        };
        let start = moved(place.start, false);
        start..moved(place.end, true).max(start + 1)
    }
}

/// Whether a byte is of a word of ASCII, if there is one.
fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
