//! The common OpenAI record, read in one pass and without a tape.
//!
//! Most files hold nothing but `{"messages":[{"role":…,"content":…},…]}`.
//! Such a record is read here, from left to right; anything else, be it
//! another key, another order or damage, is `None`, and the general reader
//! starts over and says what it is. A property test holds the two together.

use std::borrow::Cow;

use super::draft::Draft;
use crate::example::Role;
use crate::json::find_special;

/// Reads a record of the common shape.
pub(super) fn read(text: &str) -> Option<Draft<'_>> {
    let mut scan = Scan { text, at: 0 };
    let mut draft = Draft::new();
    scan.skip("{")?;
    let begin = scan.at - 1;
    scan.skip("\"messages\"")?;
    scan.skip(":")?;
    scan.skip("[")?;
    loop {
        scan.message(&mut draft)?;
        if scan.skip(",").is_none() {
            break;
        }
    }
    scan.skip("]")?;
    scan.skip("}")?;
    scan.skip_space();
    if scan.at < text.len() {
        return None;
    }
    draft.finish(begin).ok()?;
    Some(draft)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Adds a message whose content is text.
    fn message(&mut self, draft: &mut Draft<'a>) -> Option<()> {
        self.skip("{")?;
        self.skip("\"role\"")?;
        self.skip(":")?;
        let role = self.string()?;
        self.skip(",")?;
        self.skip("\"content\"")?;
        self.skip(":")?;
        self.skip_space();
        let at = self.at;
        let text = self.string()?;
        self.skip("}")?;
        match &*role {
            "user" => draft.say(Role::User, text, at).ok(),
            "assistant" => draft.say(Role::Model, text, at).ok(),
            "system" => {
                draft.system(text, at);
                Some(())
            }
            _ => None,
        }
    }

    #[inline]
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.skip("\"")?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let special = find_special(bytes, start)?;
        match bytes[special] {
            b'"' => {
                self.at = special + 1;
                Some(Cow::Borrowed(&self.text[start..special]))
            }
            b'\\' => self.escaped(start, special),
            _ => None,
        }
    }

    /// Reads a string that begins at `start` and has its first escape at
    /// `special`, decoding on the way.
    fn escaped(&mut self, start: usize, mut special: usize) -> Option<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let mut out = String::with_capacity(2 * (special - start) + 64);
        let mut from = start;
        loop {
            out.push_str(&self.text[from..special]);
            match bytes[special] {
                b'"' => {
                    self.at = special + 1;
                    return Some(Cow::Owned(out));
                }
                b'\\' => {
                    let (decoded, n_bytes) = escape(&bytes[special..])?;
                    out.push(decoded);
                    from = special + n_bytes;
                }
                _ => return None,
            }
            // Texts in other scripts are often nothing but escapes.
            special = if bytes.get(from) == Some(&b'\\') {
                from
            } else {
                find_special(bytes, from)?
            };
        }
    }

    /// Moves behind a token and the space before it.
    #[inline]
    fn skip(&mut self, token: &str) -> Option<()> {
        self.skip_space();
        let is_there = self.text.as_bytes()[self.at..].starts_with(token.as_bytes());
        self.at += if is_there { token.len() } else { 0 };
        is_there.then_some(())
    }

    #[inline]
    fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
}

/// Decodes the escape that bytes begin with to a character and the number of
/// bytes it was written in; `None` if it is none, or half of a pair.
#[inline]
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let decoded = match bytes.get(1)? {
        b'n' => '\n',
        b'"' => '"',
        b'\\' => '\\',
        b'u' => {
            let unit = code_unit(bytes)?;
            if let Some(decoded) = char::from_u32(u32::from(unit)) {
                return Some((decoded, 6));
            }
            let rest = bytes.get(6..).filter(|rest| rest.starts_with(b"\\u"))?;
            let decoded = char::decode_utf16([unit, code_unit(rest)?]).next()?;
            return Some((decoded.ok()?, 12));
        }
        b't' => '\t',
        b'r' => '\r',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        _ => return None,
    };
    Some((decoded, 2))
}

/// The four digits of a `\u` escape.
fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.get(2..6)?;
    digits.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(unit << 4 | digit as u16)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Document;
    use crate::source::chat::decode::Inner;
    use crate::source::chat::openai;

    /// Reads a record both ways; what the common way reads, the general way
    /// reads the same.
    fn both_agree(text: &str) -> Option<usize> {
        let plain = read(text)?;
        let mut document = Document::new();
        let record = document.parse_str(text).unwrap();
        let mut draft = Draft::new();
        openai::read(record, &mut draft, &mut Inner::default()).unwrap();
        draft.finish(record.offset()).unwrap();
        assert_eq!(plain.example, draft.example, "{text}");
        assert_eq!(
            format!("{:?}", plain.notes),
            format!("{:?}", draft.notes),
            "{text}"
        );
        Some(plain.example.contents.len())
    }

    #[test]
    fn the_common_shape_is_read_here() {
        let read = both_agree;
        let common = r#" {"messages": [{"role": "user", "content": "a\n\u00e9"}, {"role": "assistant", "content": "b"}]} "#;
        assert_eq!(read(common), Some(2));
        assert_eq!(read(&common.replace("\\n", "\n")), None);
        assert_eq!(read(&common.replace("\\u00e9", "\\ud800")), None);
        assert_eq!(read(&common.replace(']', "],\"n\":1")), None);
        assert_eq!(read(&common.replace("user", "tool")), None);
        assert_eq!(read(r#"{"messages":[]}"#), None);
    }

    proptest! {
        #[test]
        fn what_is_read_here_is_what_the_general_reader_reads(
            turns in proptest::collection::vec((0..3_usize, r#"([ a-zé]|\\[nrtbf/]|\\u12G4|\\u00e9|\\ud83d\\ude00|\\"|\\x|	){0,12}"#), 0..6),
            (at, damage) in (any::<prop::sample::Index>(), "[ -~]{0,2}"),
            is_damaged: bool,
        ) {
            let turn = |(role, text): &(usize, String)| {
                let role = ["user", "assistant", "system"][*role];
                format!(r#"{{"role":"{role}", "content":"{text}"}}"#)
            };
            let turns: Vec<_> = turns.iter().map(turn).collect();
            let mut text = format!(r#"{{"messages":[{}]}}"#, turns.join(" ,"));
            let at = text.floor_char_boundary(at.index(text.len()));
            if is_damaged {
                text.insert_str(at, &damage);
            }
            both_agree(&text);
        }
    }
}
