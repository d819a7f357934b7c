//! The inside of JSON strings: where they end and what their escapes mean.
//!
//! [`find_special`] is the hot loop of the parser. It tries 8 bytes in one
//! register, where most keys end, then 32 bytes at a time with plain
//! comparisons, which the compiler turns into vector instructions.

use super::error::{ErrorKind, found};

/// The place of the first `"`, `\` or control character at or after `from`.
#[inline]
pub(crate) fn find_special(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if let Some(word) = bytes[at..].first_chunk() {
        if let Some(n) = first_special(*word) {
            return Some(at + n);
        }
        at += WORD;
    }
    let (chunks, _) = bytes[at..].as_chunks::<LANES>();
    for chunk in chunks {
        if chunk
            .iter()
            .fold(false, |any, &byte| any | is_special(byte))
        {
            break;
        }
        at += LANES;
    }
    let (words, tail) = bytes[at..].as_chunks();
    for word in words {
        if let Some(n) = first_special(*word) {
            return Some(at + n);
        }
        at += WORD;
    }
    tail.iter()
        .position(|&byte| is_special(byte))
        .map(|n| at + n)
}

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
pub(super) fn unescape(inside: &str) -> String {
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

/// Decodes, like [`escape`], one that the parser has accepted.
#[inline]
pub(super) fn accepted_escape(text: &str) -> (char, usize) {
    match text.as_bytes().get(1).copied().and_then(short_escape) {
        Some(decoded) => (char::from(decoded), 2),
        None => escape(text).expect("the parser has accepted every escape"),
    }
}

const LANES: usize = 32;
const WORD: usize = 8;

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// The place of the first special byte of eight.
///
/// Each subtraction may borrow from the byte above one that matches, so higher
/// marks can be wrong; the lowest, which is the only one used, cannot.
#[inline]
fn first_special(word: [u8; WORD]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let word = u64::from_le_bytes(word);
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    let marks = (below(word, 0x20) | quote | backslash) & HIGH;
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_wherever_it_stands(
            bytes in proptest::collection::vec(
                prop_oneof![20 => 0x20..=255u8, 1 => 0..0x20u8, 1 => Just(b'"'), 1 => Just(b'!'), 1 => Just(b'\\')],
                0..120,
            ),
            from in 0..120usize,
        ) {
            let from = from.min(bytes.len());
            let expected = bytes[from..].iter().position(|&b| is_special(b)).map(|n| from + n);
            prop_assert_eq!(find_special(&bytes, from), expected);
        }

        #[test]
        fn the_first_special_byte_is_found_behind_a_long_plain_text(
            n_before in 0..200usize, special in prop_oneof![0..0x20u8, Just(b'"'), Just(b'\\')], n_after in 0..70usize,
        ) {
            let mut bytes = vec![b'x'; n_before];
            bytes.push(special);
            bytes.resize(n_before + 1 + n_after, b'\n');
            prop_assert_eq!(find_special(&bytes, 0), Some(n_before));
        }
    }
}
