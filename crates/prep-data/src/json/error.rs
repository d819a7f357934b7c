//! What is wrong with a text, where, and how to say it.

use std::fmt;

/// Why a text is not the JSON that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes from the start of the text; its length at most.
    pub offset: usize,
}

impl Error {
    /// Says what was expected and what was found, without the place.
    pub fn message(&self) -> String {
        self.kind.to_string()
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text does not follow the grammar; the reason in words.
    Syntax(String),
    /// An object has this key twice; the place is that of the second.
    DuplicateKey(String),
    /// The number is beyond what a double-precision number can hold.
    NumberOutOfRange(String),
    /// `NaN`, `Infinity` or another of their spellings stands for a value.
    NotFinite(String),
    /// Half of a surrogate pair is escaped without the other half.
    LoneSurrogate(u16),
    /// Arrays and objects are nested deeper than [`DEPTH_LIMIT`].
    ///
    /// [`DEPTH_LIMIT`]: super::DEPTH_LIMIT
    TooDeep,
    /// The text is not UTF-8; the first byte that is not.
    InvalidUtf8(u8),
    /// A control character stands unescaped in a string.
    ControlCharacter(u8),
    /// Something follows the value; what it is.
    TrailingData(String),
    /// The text ends inside a value; what was expected there.
    Truncated(&'static str),
    /// The text is longer than offsets of 32 bits reach; its length in bytes.
    TooLong(usize),
}

impl ErrorKind {
    /// Makes the error of this kind at a byte offset.
    pub(super) fn at(self, offset: usize) -> Error {
        Error { kind: self, offset }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(reason) => f.write_str(reason),
            Self::DuplicateKey(name) => {
                write!(f, "expected each key once, found {} again", quoted(name))
            }
            Self::NumberOutOfRange(number) => {
                write!(
                    f,
                    "expected a number within ±1.8e308, found {}",
                    quoted(number)
                )
            }
            Self::NotFinite(word) => write!(
                f,
                "expected a finite number or `null`, found {}, which JSON cannot hold",
                quoted(word)
            ),
            Self::LoneSurrogate(unit) => write!(
                f,
                "expected both halves of a surrogate pair, found only `\\u{unit:04x}`"
            ),
            Self::TooDeep => write!(
                f,
                "expected at most {} levels of nesting, found another",
                super::DEPTH_LIMIT
            ),
            Self::InvalidUtf8(byte) => write!(f, "expected UTF-8, found the byte 0x{byte:02x}"),
            Self::ControlCharacter(byte) => write!(
                f,
                "expected `{}` in a string, found {}",
                escape_of(*byte),
                name_of(char::from(*byte))
            ),
            Self::TrailingData(found) => {
                write!(f, "expected nothing after the value, found {found}")
            }
            Self::Truncated(expected) => {
                write!(f, "expected {expected}, found the end of the text")
            }
            Self::TooLong(bytes) => {
                write!(f, "expected at most 4294967295 bytes, found {bytes}")
            }
        }
    }
}

/// Counts the `\n` before a byte offset, from 0, and the characters since the
/// last of them, from 1. The cost is that of reading the text up to there.
pub fn column_of(text: &[u8], offset: usize) -> (u64, u64) {
    let before = &text[..offset.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count();
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let is_continuation = |byte: u8| byte & 0xc0 == 0x80;
    let column = before[start..]
        .iter()
        .filter(|&&byte| !is_continuation(byte))
        .count();
    (line as u64, column as u64 + 1)
}

/// Describes what stands at an offset: a word, a character or its name.
pub(super) fn found(text: &str, offset: usize) -> String {
    let rest = &text[offset..];
    let word_end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    match (&rest[..word_end.unwrap_or(rest.len())], rest.chars().next()) {
        (_, None) => "the end of the text".to_owned(),
        ("", Some(first)) => name_of(first),
        (word, _) => quoted(word),
    }
}

/// Puts a text into backticks, its end cut off if it is long.
fn quoted(text: &str) -> String {
    const LIMIT: usize = 40;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("`{}…`", text[..end].escape_debug()),
        None if text.contains(char::is_control) => format!("`{}`", text.escape_debug()),
        None => format!("`{text}`"),
    }
}

fn name_of(c: char) -> String {
    match c {
        '\n' => "a line break".to_owned(),
        '\r' => "a carriage return".to_owned(),
        '\t' => "a tab".to_owned(),
        '\u{feff}' => "a byte-order mark".to_owned(),
        '`' => "a backtick".to_owned(),
        c if c.is_control() || c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
        c => format!("`{c}`"),
    }
}

fn escape_of(byte: u8) -> String {
    match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        _ => format!("\\u{byte:04x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_0_and_characters_from_1() {
        let text = "a\nbé😀c\n".as_bytes();
        assert_eq!(column_of(text, 0), (0, 1));
        assert_eq!(column_of(text, 1), (0, 2));
        assert_eq!(column_of(text, 2), (1, 1));
        assert_eq!(column_of(text, 9), (1, 4));
        assert_eq!(column_of(text, text.len()), (2, 1));
        assert_eq!(column_of(text, 1000), (2, 1));
    }
}
