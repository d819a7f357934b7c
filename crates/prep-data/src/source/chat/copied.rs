//! OpenAI records whose texts can be copied as they are escaped.
//!
//! Most records are `{"messages":[{"role":…,"content":…},…]}` on one line,
//! with turns that take turns, and no escape that is longer than it must be.
//! Nothing of them is decoded. Whatever else a record is, it is left to the
//! general reader, to which a property test holds this.

use crate::example::{Role, special::begins_visibly};
use crate::source::PlainChat;
use crate::source::marks::Marks;

/// Finds the plain conversations of a block of lines.
#[derive(Debug)]
pub(super) struct PlainChats<'a> {
    bytes: &'a [u8],
    record_limit: usize,
    marks: Marks<'a>,
    turns: Vec<(Role, &'a [u8])>,
}

impl<'a> PlainChats<'a> {
    pub(super) fn new(text: &'a str, record_limit: usize) -> Self {
        Self {
            bytes: text.as_bytes(),
            record_limit,
            marks: Marks::new(text.as_bytes(), b'"'),
            turns: Vec::new(),
        }
    }

    /// The conversation on the line that begins at `start` and where the next
    /// line does; `None` if it is not plain, or nothing ends it. `start` must
    /// grow from call to call.
    pub(super) fn chat(&mut self, start: usize, line: u64) -> Option<(PlainChat<'_>, usize)> {
        self.turns.clear();
        let mut system = None;
        let mut scan = Scan {
            bytes: self.bytes,
            at: start,
            marks: &mut self.marks,
        };
        scan.skip(&["{", "\"messages\"", ":", "["])?;
        loop {
            let (speaker, text) = scan.message()?;
            let is_first = self.turns.is_empty() && system.is_none();
            let next = [Role::User, Role::Model][self.turns.len() % 2];
            match speaker {
                None if is_first => system = Some(text),
                Some(role) if role == next => self.turns.push((role, text)),
                _ => return None,
            }
            if scan.skip(&[","]).is_none() {
                break;
            }
        }
        scan.skip(&["]", "}"])?;
        let end = scan.at;
        let next = match self.bytes[end..] {
            [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            _ => return None,
        };
        let ends_with_model = matches!(self.turns.last(), Some((Role::Model, _)));
        if !ends_with_model || end - start > self.record_limit {
            return None;
        }
        let turns = &self.turns;
        let chat = PlainChat {
            line,
            system,
            turns,
        };
        Some((chat, next))
    }
}

struct Scan<'m, 'a> {
    bytes: &'a [u8],
    at: usize,
    marks: &'m mut Marks<'a>,
}

impl<'a> Scan<'_, 'a> {
    /// Reads a message: who speaks, `None` for the system, and the text.
    fn message(&mut self) -> Option<(Option<Role>, &'a [u8])> {
        const ROLES: [(&str, Option<Role>); 3] = [
            ("user\"", Some(Role::User)),
            ("assistant\"", Some(Role::Model)),
            ("system\"", None),
        ];
        // As Python writes it, at one go.
        self.token("{\"role\": \"")
            .or_else(|| self.skip(&["{", "\"role\"", ":", "\""]))?;
        let mut roles = ROLES.iter();
        let (_, speaker) = roles.find(|(role, _)| self.token(role).is_some())?;
        self.token(", \"content\": \"")
            .or_else(|| self.skip(&[",", "\"content\"", ":", "\""]))?;
        let text = self.text()?;
        self.skip(&["}"])?;
        Some((*speaker, text))
    }

    /// Reads the inside of a string up to its quote and moves behind that.
    fn text(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.marks.skip_to(start);
        let end = loop {
            let at = self.marks.next()?;
            match self.bytes[at..] {
                [b'"', ..] => break at,
                [b'\\', b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f', ..] => {
                    self.marks.skip_to(at + 2);
                }
                _ => return None,
            }
        };
        self.at = end + 1;
        let text = &self.bytes[start..end];
        // An escape may stand for a space.
        (begins_visibly(text) && text[0] != b'\\').then_some(text)
    }

    /// Moves behind tokens and the spaces before them.
    fn skip(&mut self, tokens: &[&str]) -> Option<()> {
        tokens.iter().try_for_each(|token| {
            while self.bytes.get(self.at) == Some(&b' ') {
                self.at += 1;
            }
            self.token(token)
        })
    }

    /// Moves behind a token if it is here.
    #[inline]
    fn token(&mut self, token: &str) -> Option<()> {
        let is_here = self.bytes[self.at..].starts_with(token.as_bytes());
        self.at += if is_here { token.len() } else { 0 };
        is_here.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The turns of a line, if it is plain.
    fn n_turns(line: &str) -> Option<usize> {
        let text = format!("{line}\n");
        let mut chats = PlainChats::new(&text, 1000);
        let (chat, next) = chats.chat(0, 0)?;
        assert_eq!(next, text.len());
        Some(chat.turns.len())
    }

    #[test]
    fn the_common_shape_is_plain() {
        let common = r#"{"messages": [{"role": "system", "content": "é\n"}, {"role": "user", "content": "a\"b"}, {"role":"assistant","content":"中"} ] }"#;
        assert_eq!(n_turns(common), Some(2));
        assert_eq!(n_turns(&format!("{common}\r")), Some(2));
        assert_eq!(n_turns(&common.replace("system", "user")), None);
        assert_eq!(n_turns(&common.replace("system", "tool")), None);
        assert_eq!(n_turns(&common.replace("assistant", "user")), None);
        assert_eq!(n_turns(&common.replace("é", "\\u00e9")), None);
        assert_eq!(n_turns(&common.replace("é", "\\/")), None);
        assert_eq!(n_turns(&common.replace("é", "")), None);
        assert_eq!(n_turns(&common.replace('中', "")), None);
        assert_eq!(n_turns(&common.replace('中', &"中".repeat(300))), None);
        assert_eq!(n_turns(&common.replace(" }", ",\"n\":1}")), None);
    }
}
