//! The one shape that nearly all examples have, told in one pass.
//!
//! `prep convert` and most other tools write
//! `{"systemInstruction":{"parts":[{"text":…}]},"contents":[{"role":"user","parts":[{"text":…}]},…]}`
//! with nothing in between. In a line of exactly that shape, whose turns take
//! turns and whose escapes are the ones that JSON demands, no rule of
//! structure can find anything, unless it is of preference tuning, which has
//! no such lines. Such a line is not parsed unless its texts
//! show a sign. Anything else, be it another key, a space or damage, is `None`,
//! and the parser starts over.

use std::borrow::Cow;
use std::ops::Range;

use super::example::Speaker;
use super::glance::Seen;
use crate::json::unescape;
use crate::text::signs::Signs;

/// A line of the common shape. Texts are raw JSON without their quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    /// The text of the system instruction.
    pub(super) system: Option<Raw<'a>>,
    /// The text of the last user turn.
    pub(super) prompt: Raw<'a>,
    /// The text of the last turn, which is the model's.
    pub(super) answer: Raw<'a>,
    /// Where its first text begins and its last one ends: what comes before and
    /// after is the same in every line.
    pub(super) texts: Range<usize>,
    /// Where the last turn begins.
    pub(super) answer_start: usize,
    /// A text is empty, or may be blank.
    pub(super) may_be_blank: bool,
    /// What the answers show beside their prompts.
    pub(super) of_answers: Signs,
}

/// A raw text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a str,
    /// Where it begins in the line.
    pub(super) start: usize,
    /// How many escapes it has; each is two bytes for one character.
    pub(super) escapes: u32,
}

impl<'a> Raw<'a> {
    /// What the text says.
    pub(super) fn decoded(self) -> Cow<'a, str> {
        match self.escapes {
            0 => Cow::Borrowed(self.text),
            _ => Cow::Owned(unescape(self.text)),
        }
    }

    /// Where it stands in the line.
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

const SYSTEM: &[u8; 40] = b"{\"systemInstruction\":{\"parts\":[{\"text\":\"";
const AFTER_SYSTEM: &[u8; 50] = b"\"}]},\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"";
pub(super) const NO_SYSTEM: &[u8; 46] =
    b"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"";
const AFTER_USER: &[u8; 39] = b"\"}]},{\"role\":\"model\",\"parts\":[{\"text\":\"";
const AFTER_MODEL: &[u8; 38] = b"\"}]},{\"role\":\"user\",\"parts\":[{\"text\":\"";
const END: &[u8; 6] = b"\"}]}]}";
/// How much of [`AFTER_USER`] is still the user's turn.
const OF_USER: usize = "\"}]},".len();

/// Reads a line, without its line end, that is valid UTF-8, of which it is known
/// where its marks are.
#[inline]
pub(super) fn read<'a>(line: &'a str, seen: Seen<'_>) -> Option<Plain<'a>> {
    let next = |from| Some(seen.glance.next_special(seen.start + from)? - seen.start);
    read_texts(line, next, |_, _| {})
}

/// Reads a line, and gives every text to `each` on the way, in order. What was
/// given counts only if the line turns out to be plain. `next_special` tells
/// the place of the first `"`, `\` or control character at or after a place,
/// and may tell one behind the line.
#[inline]
pub(super) fn read_texts<'a>(
    line: &'a str,
    next_special: impl Fn(usize) -> Option<usize>,
    mut each: impl FnMut(Speaker, Raw<'a>),
) -> Option<Plain<'a>> {
    let mut scan = Scan {
        line,
        at: 0,
        may_be_blank: false,
        next_special,
    };
    let mut first = None;
    let mut system = None;
    if scan.skip(NO_SYSTEM).is_none() {
        scan.skip(SYSTEM)?;
        first = Some(scan.at);
        let text = scan.text()?;
        each(Speaker::System, text);
        system = Some(text);
        scan.skip(AFTER_SYSTEM)?;
    }
    let first = first.unwrap_or(scan.at);
    let mut of_answers = Signs::NONE;
    loop {
        let prompt = scan.text()?;
        each(Speaker::User, prompt);
        let answer_start = scan.at + OF_USER;
        scan.skip(AFTER_USER)?;
        let answer = scan.text()?;
        each(Speaker::Model, answer);
        of_answers |= Signs::of_answer(prompt.text, answer.text);
        if scan.skip(AFTER_MODEL).is_some() {
            continue;
        }
        let is_end = &line.as_bytes()[scan.at..] == END;
        return is_end.then_some(Plain {
            system,
            prompt,
            answer,
            texts: first..scan.at,
            answer_start,
            may_be_blank: scan.may_be_blank,
            of_answers,
        });
    }
}

/// Whether the bytes are the same. `==` calls a function for so few.
#[inline]
pub(super) fn is_same<const LEN: usize>(one: &[u8; LEN], other: &[u8; LEN]) -> bool {
    let ((words, rest), (others, other_rest)) = (one.as_chunks(), other.as_chunks());
    let differing = words.iter().zip(others).fold(0, |differing, (one, other)| {
        differing | (u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other))
    });
    differing == 0 && rest == other_rest
}

struct Scan<'a, N> {
    line: &'a str,
    at: usize,
    may_be_blank: bool,
    next_special: N,
}

impl<'a, N: Fn(usize) -> Option<usize>> Scan<'a, N> {
    #[inline]
    fn skip<const LEN: usize>(&mut self, token: &[u8; LEN]) -> Option<()> {
        let next = self.line.as_bytes()[self.at..].first_chunk();
        let is_there = next.is_some_and(|next| is_same(next, token));
        self.at += if is_there { LEN } else { 0 };
        is_there.then_some(())
    }

    /// Reads a text up to its closing quote.
    #[inline(always)]
    fn text(&mut self) -> Option<Raw<'a>> {
        let bytes = self.line.as_bytes();
        let start = self.at;
        let mut escapes = 0;
        let mut from = start;
        loop {
            let special = (self.next_special)(from)?;
            match bytes.get(special)? {
                b'"' => {
                    self.at = special;
                    let text = &self.line[start..special];
                    // Nothing else begins with whitespace, or an escape of it.
                    self.may_be_blank |= matches!(
                        text.as_bytes().first(),
                        None | Some(..=b' ' | b'\\' | 0xc2 | 0xe1..=0xe3)
                    ) && is_blank(text);
                    return Some(Raw {
                        text,
                        start,
                        escapes,
                    });
                }
                b'\\'
                    if matches!(
                        bytes.get(special + 1),
                        Some(b'n' | b'"' | b'\\' | b't' | b'r')
                    ) =>
                {
                    escapes += 1;
                    from = special + 2;
                }
                _ => return None,
            }
        }
    }
}

/// Whether a raw text is nothing but whitespace.
fn is_blank(raw: &str) -> bool {
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        let is_space = match c {
            '\\' => matches!(rest.next(), Some('n' | 't' | 'r')),
            c => c.is_whitespace(),
        };
        if !is_space {
            return false;
        }
    }
    true
}
