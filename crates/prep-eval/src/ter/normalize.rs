//! Words as Tercom's normaliser makes them, as sacreBLEU's
//! `tokenizers/tokenizer_ter.py`.

use std::borrow::Cow;

use super::Ter;
use crate::text::{lower, trim_end, words};
use crate::tokenize::{push_spaced, replace, space_numbers, space_symbols, unescape};

/// Buffers for the passes over a segment.
#[derive(Debug, Default)]
pub(super) struct Normalizer {
    line: Vec<u8>,
    next: Vec<u8>,
}

impl Normalizer {
    /// Gives a segment with white space between its words.
    pub(super) fn normalize(&mut self, ter: &Ter, segment: &str) -> &[u8] {
        let segment = trim_end(segment);
        let mut segment = lower(segment, !ter.case_sensitive);
        self.line.clear();
        if ter.normalized && !segment.is_empty() {
            replace(&mut segment, "\n-", "");
            replace(&mut segment, "\n", " ");
            unescape(&mut segment);
            self.western(&segment);
        } else {
            self.line.extend_from_slice(segment.as_bytes());
        }
        if ter.normalized && ter.asian_support {
            self.edit_chars(|line, c| push_spaced(line, c, is_asian(c) || is_asian_mark(c)));
        }
        if ter.no_punct {
            self.line.retain(|byte| !b".,?:;!\"()".contains(byte));
            if ter.asian_support {
                self.edit_chars(|line, c| {
                    if !is_asian_mark(c) {
                        line.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                });
            }
        }
        &self.line
    }

    /// Gives a reference as sacreBLEU normalises it again: it does so when it
    /// reads references and when it cuts them into words. The second time only
    /// matters where the first makes new text for the rules, of `&amp;lt;` or
    /// of an ideographic space behind `'s`.
    pub(super) fn normalize_once<'a>(&mut self, ter: &Ter, reference: &'a str) -> Cow<'a, str> {
        if !ter.normalized {
            return Cow::Borrowed(reference);
        }
        let words: Vec<_> = words(self.normalize(ter, reference)).collect();
        Cow::Owned(String::from_utf8_lossy(&words.join(&b' ')).into_owned())
    }

    fn western(&mut self, segment: &str) {
        self.line.push(b' ');
        self.line.extend_from_slice(segment.as_bytes());
        self.line.push(b' ');
        space_symbols(&mut self.line, &mut self.next);
        self.next.clear();
        for (n, &byte) in self.line.iter().enumerate() {
            if self.line[n..].starts_with(b"'s ") {
                self.next.push(b' ');
            }
            self.next.push(byte);
        }
        std::mem::swap(&mut self.line, &mut self.next);
        space_numbers(&mut self.line, &mut self.next);
    }

    fn edit_chars(&mut self, mut push: impl FnMut(&mut Vec<u8>, char)) {
        self.next.clear();
        let text = match String::from_utf8_lossy(&self.line) {
            Cow::Borrowed(text) => text,
            Cow::Owned(_) => unreachable!("passes put in and take out whole characters"),
        };
        for c in text.chars() {
            push(&mut self.next, c);
        }
        std::mem::swap(&mut self.line, &mut self.next);
    }
}

/// Tells which characters are words of their own.
///
/// Kana are meant to be split too, but the expressions for that look for the
/// beginning of the line where they mean "not", and match nothing. One of the
/// ranges ends at U+3F22 for U+32FF, which changes nothing either.
fn is_asian(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2eff}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}')
}

/// Tells which characters are punctuation of Chinese and Japanese.
fn is_asian_mark(c: char) -> bool {
    matches!(c,
        '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}'
        | '\u{ff61}'..='\u{ff65}' | '\u{30fb}'
        | '\u{ff0e}' | '\u{ff0c}' | '\u{ff1f}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff01}'
        | '\u{ff02}' | '\u{ff08}' | '\u{ff09}')
}
