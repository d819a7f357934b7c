//! Text as Python sees it: what is white space, and what lower case is.
//!
//! Python's white space is Unicode's and four control characters more. All
//! functions here work on UTF-8 bytes or `str` without decoding more than they
//! must.

use std::borrow::Cow;

/// Tells whether `str.isspace` of Python holds.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Removes white space from the end, as `str.rstrip` of Python.
pub(crate) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// Gives the text in lower case when asked to, as `str.lower` of Python.
pub(crate) fn lower(text: &str, wanted: bool) -> Cow<'_, str> {
    let is_lower = || {
        text.bytes()
            .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    };
    if !wanted || is_lower() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// Cuts UTF-8 into words at white space, as `str.split` of Python.
pub(crate) fn words(line: &[u8]) -> Words<'_> {
    Words { rest: line }
}

/// The words of a line.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let mut start = 0;
        loop {
            match space_len(&self.rest[start..]) {
                0 => break,
                len => start += len,
            }
        }
        let mut end = start;
        while end < self.rest.len() && space_len(&self.rest[end..]) == 0 {
            end += 1;
        }
        let word = &self.rest[start..end];
        self.rest = &self.rest[end..];
        (!word.is_empty()).then_some(word)
    }
}

/// Tells how many bytes the white space character at the beginning takes, 0
/// when there is none. It may be asked in the middle of a character.
#[inline]
pub(crate) fn space_len(bytes: &[u8]) -> usize {
    match *bytes {
        [b' ' | 0x09..=0x0d | 0x1c..=0x1f, ..] => 1,
        [0xc2, 0x85 | 0xa0, ..] => 2,
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_the_same_in_bytes_and_in_characters() {
        for c in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            let expected = if is_space(c) { bytes.len() } else { 0 };
            assert_eq!(space_len(bytes), expected, "{c:?}");
            assert!(bytes.len() == 1 || space_len(&bytes[1..]) == 0, "{c:?}");
        }
    }

    #[test]
    fn words_are_what_is_between_white_space() {
        #[track_caller]
        fn check(line: &str, expected: &[&str]) {
            let found: Vec<_> = words(line.as_bytes()).collect();
            let expected: Vec<_> = expected.iter().map(|word| word.as_bytes()).collect();
            assert_eq!(found, expected);
        }
        check("", &[]);
        check(" \u{3000}\u{1c} ", &[]);
        check("one", &["one"]);
        check(
            "\tone\u{a0}two\u{2028}\u{85}three\n",
            &["one", "two", "three"],
        );
        check("a\u{200b}b", &["a\u{200b}b"]);
    }
}
