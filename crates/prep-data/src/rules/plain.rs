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

use super::example::Speaker;
use crate::json::{find_special, unescape};
use crate::text::signs::Signs;

/// A line of the common shape. Texts are raw JSON without their quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    /// The text of the system instruction.
    pub(super) system: Option<Raw<'a>>,
    /// The text of the last user turn.
    pub(super) prompt: Raw<'a>,
    /// The text of the last turn, which is the model's.
    pub(super) answer: Raw<'a>,
    /// The line from its first text to its last: what comes before and after
    /// is the same in every line, and a third of a short one.
    pub(super) texts: &'a str,
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

    /// The characters of the decoded text.
    pub(super) fn chars(self) -> u32 {
        u32::try_from(n_chars(self.text)).unwrap_or(u32::MAX) - self.escapes
    }
}

/// How many characters a text has: of eight bytes at a time, those that begin
/// one. Twice as fast as `chars().count()` on texts of some hundred bytes.
fn n_chars(text: &str) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    /// So many words give sums that a byte can hold.
    const WORDS: usize = 31;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut n_inside = 0;
    for stretch in words.chunks(WORDS) {
        let mut sums = 0_u64;
        for word in stretch {
            let word = u64::from_le_bytes(*word);
            // The upper bit is set and the next is not.
            sums += (word >> 7) & !(word >> 6) & ONES;
        }
        n_inside += sums.wrapping_mul(ONES) >> 56;
    }
    let n_rest = rest.iter().filter(|byte| **byte & 0xc0 == 0x80).count();
    text.len() - usize::try_from(n_inside).unwrap_or(usize::MAX) - n_rest
}

const SYSTEM: &str = "\"systemInstruction\":{\"parts\":[{\"text\":\"";
const AFTER_SYSTEM: &str = "\"}]},";
const CONTENTS: &str = "\"contents\":[";
const USER: &str = "{\"role\":\"user\",\"parts\":[{\"text\":\"";
const MODEL: &str = "{\"role\":\"model\",\"parts\":[{\"text\":\"";
const AFTER_TEXT: &str = "\"}]}";

/// Reads a line, without its line end, that is valid UTF-8.
#[inline]
pub(super) fn read(line: &str) -> Option<Plain<'_>> {
    read_texts(line, |_, _| {})
}

/// Reads a line as [`read`] does, and gives every text to `each` on the way,
/// in order. What was given counts only if the line turns out to be plain.
#[inline]
pub(super) fn read_texts<'a>(
    line: &'a str,
    mut each: impl FnMut(Speaker, Raw<'a>),
) -> Option<Plain<'a>> {
    let mut scan = Scan {
        line,
        at: 0,
        may_be_blank: false,
    };
    scan.skip("{")?;
    let mut first = None;
    let system = if scan.skip(SYSTEM).is_some() {
        first = Some(scan.at);
        let text = scan.text()?;
        scan.skip(AFTER_SYSTEM)?;
        each(Speaker::System, text);
        Some(text)
    } else {
        None
    };
    scan.skip(CONTENTS)?;
    let mut of_answers = Signs::NONE;
    loop {
        scan.skip(USER)?;
        let first = *first.get_or_insert(scan.at);
        let prompt = scan.text()?;
        each(Speaker::User, prompt);
        scan.skip(AFTER_TEXT)?;
        scan.skip(",")?;
        let answer_start = scan.at;
        scan.skip(MODEL)?;
        let answer = scan.text()?;
        each(Speaker::Model, answer);
        let last = scan.at;
        scan.skip(AFTER_TEXT)?;
        of_answers |= Signs::of_answer(prompt.text, answer.text);
        if scan.skip(",").is_some() {
            continue;
        }
        scan.skip("]}")?;
        return (scan.at == line.len()).then_some(Plain {
            system,
            prompt,
            answer,
            texts: &line[first..last],
            answer_start,
            may_be_blank: scan.may_be_blank,
            of_answers,
        });
    }
}

struct Scan<'a> {
    line: &'a str,
    at: usize,
    may_be_blank: bool,
}

impl<'a> Scan<'a> {
    #[inline]
    fn skip(&mut self, token: &str) -> Option<()> {
        let is_there = self.line.as_bytes()[self.at..].starts_with(token.as_bytes());
        self.at += if is_there { token.len() } else { 0 };
        is_there.then_some(())
    }

    /// Reads a text up to its closing quote.
    #[inline]
    fn text(&mut self) -> Option<Raw<'a>> {
        let bytes = self.line.as_bytes();
        let start = self.at;
        let mut escapes = 0;
        let mut from = start;
        loop {
            let special = find_special(bytes, from)?;
            match bytes[special] {
                b'"' => {
                    self.at = special;
                    let text = &self.line[start..special];
                    // Whitespace is a space, an escape or beyond ASCII.
                    self.may_be_blank |= match text.as_bytes().first() {
                        None => true,
                        Some(first) => !first.is_ascii_graphic() || *first == b'\\',
                    } && is_blank(text);
                    return Some(Raw { text, escapes });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_at_any_length() {
        for n in [0, 1, 31, 32, 33, 8159, 8160, 8161, 20_000] {
            let text = "aé你👍".repeat(n);
            assert_eq!(n_chars(&text), 4 * n);
        }
    }
}
