//! Texts as sets of overlapping stretches of characters, and how much two such
//! sets have in common.
//!
//! The usual words or five-grams of words see no likeness between two segments
//! of twelve words that differ in one. Characters do, if the stretches are
//! short for short texts: three up to [`SHORT`] characters, five up to
//! [`LONG`], eight beyond. Two texts are compared by the stretches that suit
//! the shorter one. A text that is shorter than a stretch is one stretch.
//!
//! A shingle is known by 64 bits, mixed: its bytes if it is ASCII, else the
//! values of its characters as digits of one number. That two of a pair of texts
//! are taken for each other happens once in 10¹⁴ pairs of 300 characters.

/// The most characters of a short text.
pub const SHORT: usize = 100;
/// The most characters of a text that is not long.
pub const LONG: usize = 5000;

/// The length of shingles, in characters, that suits a text of `n_chars`.
#[must_use]
pub fn suitable_len(n_chars: usize) -> usize {
    if n_chars <= SHORT {
        3
    } else if n_chars <= LONG {
        5
    } else {
        8
    }
}

/// The next shorter length of shingles that a text of `n_chars` must be known
/// by, too, because a text of which it shares the part `at_least` may be short
/// enough to be compared by it.
#[must_use]
pub fn shorter_len(n_chars: usize, at_least: f64) -> Option<usize> {
    let shortest = (n_chars as f64 * at_least) as usize;
    let len = suitable_len(shortest.saturating_sub(8));
    (len < suitable_len(n_chars)).then_some(len)
}

/// Appends the shingles of a text in order, repeated ones repeatedly. A text
/// that is not empty has one at least.
///
/// # Panics
///
/// If `len` is 0 or more than 8.
pub fn shingles(text: &str, len: usize, out: &mut Vec<u64>) {
    assert!((1..=8).contains(&len), "shingles have 1 to 8 characters");
    if text.is_ascii() {
        of_ascii(text.as_bytes(), len, out);
    } else {
        of_any(text, len, out);
    }
}

/// Those of a text whose characters are bytes: eight of them are a number, and
/// no shingle waits for the one before.
fn of_ascii(bytes: &[u8], len: usize, out: &mut Vec<u64>) {
    if bytes.is_empty() {
        return;
    }
    let n_shingles = (bytes.len() + 1).saturating_sub(len).max(1);
    let mask = u64::MAX >> (u64::BITS - 8 * len as u32);
    let shingle = |word: &[u8; 8]| mix(u64::from_le_bytes(*word) & mask);
    let words = bytes.windows(8).filter_map(|word| word.first_chunk());
    let before = out.len();
    out.extend(words.take(n_shingles).map(shingle));
    for at in out.len() - before..n_shingles {
        let rest = &bytes[at..];
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        out.push(shingle(&word));
    }
}

/// Those of a text of any characters.
fn of_any(text: &str, len: usize, out: &mut Vec<u64>) {
    const BASE: u64 = 0x9e6c_63d0_676a_9a99;
    let leaving = (0..len).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut tail = text.chars();
    let mut sum = 0_u64;
    let mut n = 0;
    // The last ASCII characters, packed, and how many stand in a row.
    let (mut packed, mut n_ascii) = (0_u64, 0);
    out.reserve(text.len());
    for c in text.chars() {
        sum = sum.wrapping_mul(BASE).wrapping_add(u64::from(c) + 1);
        n += 1;
        if c.is_ascii() {
            packed = packed >> 8 | u64::from(c) << (8 * (len - 1));
            n_ascii += 1;
        } else {
            n_ascii = 0;
        }
        if n > len {
            let gone = tail.next().map_or(0, |c| u64::from(c) + 1);
            sum = sum.wrapping_sub(gone.wrapping_mul(leaving));
        }
        if n >= len {
            out.push(mix(if n_ascii >= len { packed } else { sum }));
        }
    }
    if n > 0 && n < len {
        out.push(mix(sum));
    }
}

/// Spreads a number over 64 bits (the finaliser of SplitMix64).
#[must_use]
pub fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The set of shingles of a text: sorted, each once.
pub fn set(text: &str, len: usize, out: &mut Vec<u64>) {
    out.clear();
    shingles(text, len, out);
    out.sort_unstable();
    out.dedup();
}

/// The exact Jaccard index of two sets, from 0 to 1; 1 for two empty ones.
#[must_use]
pub fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < one.len() && j < other.len() {
        let (a, b) = (one[i], other[j]);
        common += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    let all = one.len() + other.len() - common;
    if all == 0 {
        1.0
    } else {
        common as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn similarity(one: &str, other: &str, len: usize) -> f64 {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        set(one, len, &mut a);
        set(other, len, &mut b);
        jaccard(&a, &b)
    }

    /// The obvious version, over strings.
    fn obvious(one: &str, other: &str, len: usize) -> f64 {
        let grams = |text: &str| -> HashSet<String> {
            let chars: Vec<char> = text.chars().collect();
            if chars.len() < len && !chars.is_empty() {
                return HashSet::from([text.to_owned()]);
            }
            chars.windows(len).map(String::from_iter).collect()
        };
        let (a, b) = (grams(one), grams(other));
        match a.union(&b).count() {
            0 => 1.0,
            all => a.intersection(&b).count() as f64 / all as f64,
        }
    }

    proptest! {
        #[test]
        fn ascii_is_as_in_any_other_text(text in "[ -~\n]{0,40}", len in 1..9_usize) {
            let (mut ascii, mut any) = (Vec::new(), Vec::new());
            of_ascii(text.as_bytes(), len, &mut ascii);
            of_any(&format!("é{text}é"), len, &mut any);
            let windows = text.len() >= len;
            prop_assert!(!windows || any.windows(ascii.len()).any(|some| some == ascii));
            prop_assert_eq!(ascii.len(), if text.is_empty() { 0 } else { (text.len() + 1).saturating_sub(len).max(1) });
        }

        #[test]
        fn it_is_the_jaccard_index_of_strings(one in "[ab你é😀 ]{0,40}", other in "[ab你é😀 ]{0,40}", len in 1..9_usize) {
            prop_assert_eq!(similarity(&one, &other, len), obvious(&one, &other, len));
        }
    }

    #[test]
    fn a_text_near_a_border_is_known_by_both_lengths() {
        assert_eq!(
            (suitable_len(100), suitable_len(101), suitable_len(6000)),
            (3, 5, 8)
        );
        assert_eq!(shorter_len(100, 0.8), None);
        assert_eq!(shorter_len(110, 0.8), Some(3));
        assert_eq!(shorter_len(200, 0.8), None);
        assert_eq!(shorter_len(5100, 0.8), Some(5));
    }

    #[test]
    fn one_word_of_twelve_is_not_much() {
        let one = "the captain of the old ship looked at the bright morning sea again";
        let other = "the captain of the old ship looked at the bright evening sea again";
        assert!(similarity(one, other, suitable_len(one.len())) > 0.8);
        assert!(similarity(one, other, 5) < 0.8);
    }
}
