//! The inside of JSON strings: where they end and what their escapes mean.
//!
//! The hot loop of the parser, `find_special`, is the writer's as well: see
//! [`crate::example::special`].

use super::error::{ErrorKind, found};
pub(crate) use crate::example::special::find_special;

/// Decodes the escape at the start of a text, which begins with `\`, to a
/// character and the number of bytes it was written in.
///
/// # Errors
///
/// What is wrong with the escape, and at which byte of it.
pub(super) fn escape(text: &str) -> Result<(char, usize), (ErrorKind, usize)> {
    match text.as_bytes().get(1) {
        None => Err((ErrorKind::Truncated("an escape after `\\`"), 1)),
        Some(b'u') => unicode_escape(text),
        Some(&letter) => match short_escape(letter) {
            Some(decoded) => Ok((char::from(decoded), 2)),
            None => Err((unknown_escape(text), 1)),
        },
    }
}

/// Gives what a letter after `\` stands for, except for `u`.
#[inline]
pub(super) fn short_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b'"' | b'\\' | b'/' => letter,
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        _ => return None,
    })
}

/// Decodes the inside of a string whose escapes the parser has accepted.
pub(crate) fn unescape(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(backslash) = find_special(rest.as_bytes(), 0) {
        out.push_str(&rest[..backslash]);
        let (decoded, n_bytes) = accepted_escape(&rest[backslash..]);
        out.push(decoded);
        rest = &rest[backslash + n_bytes..];
    }
    out.push_str(rest);
    out
}

/// Decodes bytes that may be JSON as if all of them were inside a string, and says
/// of each byte of the text, and of its end, where what it stands for begins. What
/// is no escape stays as it is, what is no UTF-8 is U+FFFD.
pub(crate) fn loosely_unescape(bytes: &[u8]) -> (String, Vec<usize>) {
    let (mut text, mut places) = (String::new(), Vec::new());
    let mut at = 0;
    let mut put = |c: char, n_bytes: usize| {
        text.push(c);
        places.resize(text.len(), at);
        at += n_bytes;
    };
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(c) = rest.chars().next() {
            let as_it_is = (c, c.len_utf8());
            let (c, n_bytes) = match c {
                '\\' => escape(rest).unwrap_or(as_it_is),
                _ => as_it_is,
            };
            put(c, n_bytes);
            rest = &rest[n_bytes..];
        }
        if !chunk.invalid().is_empty() {
            put(char::REPLACEMENT_CHARACTER, chunk.invalid().len());
        }
    }
    places.push(at);
    (text, places)
}

/// Decodes, like [`escape`], one that the parser has accepted.
#[inline]
pub(super) fn accepted_escape(text: &str) -> (char, usize) {
    match text.as_bytes().get(1).copied().and_then(short_escape) {
        Some(decoded) => (char::from(decoded), 2),
        None => escape(text).expect("the parser has accepted every escape"),
    }
}

#[cold]
fn unknown_escape(text: &str) -> ErrorKind {
    let found = found(text, 1);
    let reason = format!("expected one of `\"\\/bfnrtu` after `\\` in a string, found {found}");
    ErrorKind::Syntax(reason)
}

fn unicode_escape(text: &str) -> Result<(char, usize), (ErrorKind, usize)> {
    const N_BYTES: usize = 6;
    let unit = code_unit(text, 0)?;
    if let Some(decoded) = char::from_u32(u32::from(unit)) {
        return Ok((decoded, N_BYTES));
    }
    let has_second = text.as_bytes()[N_BYTES..].starts_with(b"\\u");
    if is_high(unit) && has_second {
        let second = code_unit(text, N_BYTES)?;
        if let Some(Ok(decoded)) = char::decode_utf16([unit, second]).next() {
            return Ok((decoded, 2 * N_BYTES));
        }
    }
    Err((ErrorKind::LoneSurrogate(unit), 0))
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

/// Reads the four digits of the `\u` escape at an offset.
fn code_unit(text: &str, offset: usize) -> Result<u16, (ErrorKind, usize)> {
    let mut unit = 0;
    for at in offset + 2..offset + 6 {
        let Some(&byte) = text.as_bytes().get(at) else {
            return Err((ErrorKind::Truncated("4 hexadecimal digits after `\\u`"), at));
        };
        let Some(digit) = char::from(byte).to_digit(16) else {
            let found = found(text, at);
            let reason = format!("expected 4 hexadecimal digits after `\\u`, found {found}");
            return Err((ErrorKind::Syntax(reason), at));
        };
        unit = unit << 4 | digit as u16;
    }
    Ok(unit)
}
