//! The bytes of a JSON string that are not themselves: quotes, backslashes and
//! control characters.
//!
//! Reading and writing JSON both stand on finding the next one. Eight bytes are
//! tried in one register first, where most keys end and where dense quotes are;
//! then 32 at a time with plain comparisons, which the compiler turns into
//! vector instructions. The end of a text, shorter than that, is looked at
//! together with what stands before it.

const LANES: usize = 32;
const WORD: usize = 8;

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
    let (chunks, rest) = bytes[at..].as_chunks::<LANES>();
    let clean = chunks
        .iter()
        .take_while(|chunk| !has_special(chunk))
        .count();
    at += clean * LANES;
    if clean == chunks.len() && at - from + rest.len() >= LANES {
        // Nothing up to the last few bytes: one look at the last stretch.
        let last = bytes.last_chunk::<LANES>();
        if last.is_some_and(|last| !has_special(last)) {
            return None;
        }
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

#[inline]
fn has_special(bytes: &[u8; LANES]) -> bool {
    bytes
        .iter()
        .fold(false, |any, &byte| any | is_special(byte))
}

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

/// Whether a text plainly begins with something to see; `false` does not say
/// that it does not.
#[inline]
pub(crate) fn begins_visibly(text: &[u8]) -> bool {
    // White space beyond ASCII begins with 0xc2, 0xe1, 0xe2 or 0xe3.
    matches!(text.first(), Some(b'!'..=b'~' | 0xc3..=0xe0 | 0xe4..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_white_space_begins_visibly() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_whitespace() || c.is_control()) {
            assert!(!begins_visibly(c.to_string().as_bytes()), "{c:?}");
        }
        assert!(!begins_visibly(b""));
        assert!(begins_visibly("é".as_bytes()) && begins_visibly("中".as_bytes()));
    }

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
