//! Where in a text a sign may be, 64 bytes at a time.
//!
//! Most bytes of most texts are part of no sign, and telling so must cost next
//! to nothing: this looks at three bytes in a row of 64 places at once, and
//! leaves what may be a sign to be judged byte by byte. It is the technique of
//! simdutf8 and Teddy: a set of bytes is a *box*, some upper halves times some
//! lower halves, so whether a byte is in eight boxes is two look-ups in tables
//! of 16 and an `and`. On texts without signs it is 6 times as fast as a search
//! for phrases and comparisons of each kind, which were two passes.
//!
//! It may suspect in vain. That it never overlooks is held by the laws of
//! [`super::signs`].

use std::sync::LazyLock;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};

use super::phrases::WINDOWS;

/// How many bytes are looked at at once.
pub(crate) const LANES: usize = 64;
/// How many bytes of a place are looked at.
const WINDOW: usize = 3;

/// What 64 bytes show at once. Bit `n` is that of byte `n`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// Where a sign may be: at each of its bytes, or at one of them.
    pub(crate) suspects: u64,
    /// Digits.
    pub(crate) digits: u64,
    /// Digits, what may stand between them, and everything beyond ASCII.
    pub(crate) joins: u64,
    /// Line feeds.
    pub(crate) newlines: u64,
}

/// What is kept of 64 bytes, to be asked for when a line is read. The less it is,
/// the more of the text is still at hand then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `"`, `\` and control characters: what ends or interrupts a string of JSON.
    pub(crate) special: u64,
    /// Bytes that begin no character.
    pub(crate) inner: u64,
    /// How many of them stand before, whatever the multiple of 2³².
    pub(crate) inner_before: u32,
}

/// Looks at as many bytes as there are words for, from the front of a text. Before
/// it, `n_inner` bytes begin no character. Returns for how many words there was
/// text, and how many bytes begin no character now. There are as many marks as
/// words.
pub(crate) fn look(
    text: &[u8],
    n_inner: u32,
    marks: &mut [Marks],
    words: &mut [Word],
) -> (usize, u32) {
    static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);
    let n_words = words.len().min(text.len().div_ceil(LANES));
    // Whole stretches, with the two bytes that follow each.
    let n_whole = n_words.min(text.len().saturating_sub(WINDOW - 1) / LANES);
    let (words, more_words) = words[..n_words].split_at_mut(n_whole);
    let (marks, more_marks) = marks[..n_words].split_at_mut(n_whole);
    let mut n_inner = dispatch!(*LEVEL, simd => look_at(simd, text, n_inner, marks, words));
    if !more_words.is_empty() {
        let text = &text[n_whole * LANES..];
        let n = text.len().min(more_words.len() * LANES);
        let mut padded = [b' '; 3 * LANES];
        let n_copied = text.len().min(2 * LANES + WINDOW - 1);
        padded[..n_copied].copy_from_slice(&text[..n_copied]);
        n_inner = dispatch!(
            *LEVEL,
            simd => look_at(simd, &padded, n_inner, more_marks, more_words)
        );
        // Of the blanks behind the text, none is a sign, but all may stand in a number.
        if let Some(word) = more_words.last_mut()
            && !n.is_multiple_of(LANES)
        {
            word.joins &= !(u64::MAX << (n % LANES));
        }
    }
    (n_words, n_inner)
}

/// Looks at all stretches that there are words for, and returns how many bytes
/// begin no character so far. The text goes on for two bytes behind the last.
///
/// A stretch is taken in as many parts as it takes vectors of the machine's own
/// width: wider ones, which the library makes of two, took 2.5 times as many
/// instructions on AVX2.
#[inline(always)]
fn look_at<S: Simd>(
    simd: S,
    text: &[u8],
    mut n_inner: u32,
    marks: &mut [Marks],
    words: &mut [Word],
) -> u32 {
    let sets = Sets::new(simd, &TABLES);
    // `for` loops, as a closure would be compiled without the instructions.
    for (n, (kept, word)) in marks.iter_mut().zip(words).enumerate() {
        let at = n * LANES;
        let Some(stretch) = text.get(at..at + LANES + WINDOW - 1) else {
            break;
        };
        let (mut all, mut marks) = (Word::default(), Marks::default());
        for from in (0..LANES).step_by(S::u8s::LEN) {
            let (part, of_part) = sets.look(simd, &stretch[from..from + S::u8s::LEN + WINDOW - 1]);
            all.suspects |= part.suspects << from;
            all.digits |= part.digits << from;
            all.joins |= part.joins << from;
            all.newlines |= part.newlines << from;
            marks.special |= of_part.special << from;
            marks.inner |= of_part.inner << from;
        }
        marks.inner_before = n_inner;
        // One instruction here, a dozen elsewhere.
        n_inner = n_inner.wrapping_add(marks.inner.count_ones());
        (*word, *kept) = (all, marks);
    }
    n_inner
}

/// The tables, ready to be looked up.
struct Sets<S: Simd> {
    kinds: Halves<S>,
    phrases: [Halves<S>; WINDOW],
    usual: [Halves<S>; WINDOW],
    others: [Halves<S>; WINDOW],
}

impl<S: Simd> Sets<S> {
    #[inline(always)]
    fn new(simd: S, tables: &Tables) -> Self {
        let [usual, others] = &tables.quiet;
        Self {
            kinds: Halves::new(simd, &tables.kinds),
            phrases: Halves::of_window(simd, &tables.phrases),
            usual: Halves::of_window(simd, usual),
            others: Halves::of_window(simd, others),
        }
    }

    /// Looks at as many bytes as a vector has, and the two behind them.
    #[inline(always)]
    fn look(&self, simd: S, stretch: &[u8]) -> (Word, Marks) {
        let first = Bytes::of(S::u8s::from_slice(simd, &stretch[..S::u8s::LEN]));
        let second = Bytes::of(S::u8s::from_slice(simd, &stretch[1..=S::u8s::LEN]));
        let third = Bytes::of(S::u8s::from_slice(simd, &stretch[2..]));
        let window = [first, second, third];
        let bytes = first.bytes;
        let kind = self.kinds.boxes(first);
        let alarming = (kind & kinds::ALARMING) | boxes_of(&self.phrases, window);
        let joins = kind & (kinds::DIGIT | kinds::BETWEEN_DIGITS);
        let other = bytes.simd_ge(0x80).to_bitmask();
        let quote = bytes.simd_eq(b'"') | bytes.simd_eq(b'\\');
        let mut word = Word {
            suspects: alarming.simd_ne(0).to_bitmask(),
            digits: (kind & kinds::DIGIT).simd_ne(0).to_bitmask(),
            joins: joins.simd_ne(0).to_bitmask() | other,
            newlines: bytes.simd_eq(b'\n').to_bitmask(),
        };
        let mut marks = Marks {
            special: (quote | bytes.simd_lt(0x20)).to_bitmask(),
            ..Marks::default()
        };
        if other != 0 {
            let lead = bytes.simd_ge(0xc0).to_bitmask();
            marks.inner = other & !lead;
            let mut noisy = lead & boxes_of(&self.usual, window).simd_eq(0).to_bitmask();
            if noisy != 0 {
                noisy &= boxes_of(&self.others, window).simd_eq(0).to_bitmask();
            }
            word.suspects |= noisy;
        }
        (word, marks)
    }
}

/// In which boxes each byte and the two behind it are.
#[inline(always)]
fn boxes_of<S: Simd>(sets: &[Halves<S>; WINDOW], window: [Bytes<S>; WINDOW]) -> S::u8s {
    sets[0].boxes(window[0]) & sets[1].boxes(window[1]) & sets[2].boxes(window[2])
}

/// Bytes and their halves.
#[derive(Clone, Copy)]
struct Bytes<S: Simd> {
    bytes: S::u8s,
    upper: S::u8s,
    lower: S::u8s,
}

impl<S: Simd> Bytes<S> {
    #[inline(always)]
    fn of(bytes: S::u8s) -> Self {
        Self {
            bytes,
            upper: bytes >> 4,
            lower: bytes & 0x0f,
        }
    }
}

/// Eight boxes, ready to be looked up.
#[derive(Clone, Copy)]
struct Halves<S: Simd> {
    upper: S::u8s,
    lower: S::u8s,
}

impl<S: Simd> Halves<S> {
    #[inline(always)]
    fn new(simd: S, boxes: &Boxes) -> Self {
        Self {
            upper: S::u8s::from_slice(simd, &boxes.upper[..S::u8s::LEN]),
            lower: S::u8s::from_slice(simd, &boxes.lower[..S::u8s::LEN]),
        }
    }

    #[inline(always)]
    fn of_window(simd: S, [first, second, third]: &[Boxes; WINDOW]) -> [Self; WINDOW] {
        [
            Self::new(simd, first),
            Self::new(simd, second),
            Self::new(simd, third),
        ]
    }

    /// In which boxes each byte is.
    #[inline(always)]
    fn boxes(&self, of: Bytes<S>) -> S::u8s {
        self.upper.swizzle_dyn_within_blocks(of.upper)
            & self.lower.swizzle_dyn_within_blocks(of.lower)
    }
}

/// Eight sets of bytes: bit `n` of a half's entry says that bytes with that half
/// may be in set `n`. The 16 entries are there four times, once for each block
/// of a vector.
struct Boxes {
    upper: [u8; LANES],
    lower: [u8; LANES],
}

impl Boxes {
    const NONE: Self = Self {
        upper: [0; LANES],
        lower: [0; LANES],
    };

    /// The smallest boxes that hold these bytes.
    fn add(&mut self, set: u8, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            for block in 0..LANES / 16 {
                self.upper[block * 16 + usize::from(byte >> 4)] |= set;
                self.lower[block * 16 + usize::from(byte & 0x0f)] |= set;
            }
        }
    }

    #[cfg(test)]
    fn of(&self, byte: u8) -> u8 {
        self.upper[usize::from(byte >> 4)] & self.lower[usize::from(byte & 0x0f)]
    }
}

struct Tables {
    /// Single bytes.
    kinds: Boxes,
    /// The first, second and third byte of what phrases are known by.
    phrases: [Boxes; WINDOW],
    /// The first, second and third byte of characters without a sign; of those
    /// of two bytes, what follows them too.
    quiet: [[Boxes; WINDOW]; 2],
}

/// The sets of single bytes.
mod kinds {
    pub(super) const DIGIT: u8 = 1 << 6;
    /// What may stand between the digits of one number, in ASCII.
    pub(super) const BETWEEN_DIGITS: u8 = 1 << 7;
    pub(super) const ALARMING: u8 = !(DIGIT | BETWEEN_DIGITS);
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    kinds: kinds_of_bytes(),
    phrases: phrases_by_window(),
    quiet: quiet_characters(),
});

fn kinds_of_bytes() -> Boxes {
    let mut kinds = Boxes::NONE;
    // Not tab, line feed and carriage return.
    kinds.add(1, (0..0x10).filter(|byte| !matches!(byte, 9 | 10 | 13)));
    kinds.add(1 << 1, 0x10..0x20);
    kinds.add(1 << 2, *b"@`");
    kinds.add(1 << 3, *b"<");
    kinds.add(1 << 4, *b"&");
    kinds.add(1 << 5, [0x7f]);
    kinds.add(kinds::DIGIT, b'0'..=b'9');
    kinds.add(kinds::BETWEEN_DIGITS, *b" -.()+");
    kinds
}

/// Characters by what their bytes may be; a box holds all combinations. The
/// second eight are looked at only where the first are not enough, which is rare
/// in English, Spanish and Chinese.
fn quiet_characters() -> [[Boxes; WINDOW]; 2] {
    let any = || 0..=u8::MAX;
    let mut quiet = [const { [const { Boxes::NONE }; WINDOW] }; 2];
    let mut n = 0;
    let mut add = |first: &[u8], second: &[u8], third: &[u8]| {
        let boxes: &mut [Boxes; WINDOW] = &mut quiet[n / 8];
        for (set, bytes) in boxes.iter_mut().zip([first, second, third]) {
            set.add(1 << (n % 8), bytes.iter().copied());
        }
        n += 1;
    };
    let set = |bytes: &mut dyn Iterator<Item = u8>| bytes.collect::<Vec<u8>>();
    let any = set(&mut any());
    // Ideographs, most of Hangul.
    let ideographs = set(&mut (0xe4..=0xe9).chain([0xeb, 0xec]));
    add(&ideographs, &any, &any);
    // Latin-1 but the soft hyphen, and with it `½`, which its box shares.
    let signs = set(&mut (0xa0..=0xbf).filter(|byte| byte & 0x0f != 0x0d));
    add(&[0xc2], &signs, &any);
    // A letter before ASCII, or after a letter, is no mojibake.
    add(&[0xc3], &any, &set(&mut (0..0x80)));
    add(&[0xc3], &any, &[0xc3]);
    // Dashes, quotation marks, dots.
    add(&[0xe2], &[0x80], &set(&mut (0x90..=0x9f)));
    let punctuation =
        set(&mut (0x82..=0xbf).filter(|byte| matches!(byte & 0x0f, 2..=9) && byte & 0xf0 != 0x90));
    add(&[0xe2], &[0x80], &punctuation);
    // CJK punctuation, full-width forms.
    add(&[0xe3], &[0x80], &set(&mut (0x80..=0x9f)));
    add(&[0xef], &[0xbc, 0xbd], &any);
    // The second eight. Latin Extended, Cyrillic, currencies.
    add(
        &[0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcf],
        &any,
        &any,
    );
    add(&[0xd0, 0xd1], &any, &any);
    add(&[0xe2], &[0x82], &any);
    // Kana but their marks.
    add(&[0xe3], &[0x81, 0x83], &any);
    let unmarked = set(&mut (0x80..=0xbf).filter(|byte| byte & 0xf0 != 0x90));
    add(&[0xe3], &[0x82], &unmarked);
    let beside = set(&mut (0x90..=0x9f).filter(|byte| !matches!(byte, 0x99 | 0x9a)));
    add(&[0xe3], &[0x82], &beside);
    // Variation selector 16, emoji.
    add(&[0xef], &[0xb8], &[0x8f]);
    add(&[0xf0], &[0x9f], &any);
    quiet
}

/// Phrases by three of their bytes, in eight groups.
fn phrases_by_window() -> [Boxes; WINDOW] {
    let mut boxes = [const { Boxes::NONE }; WINDOW];
    for (n, group) in WINDOWS.iter().enumerate() {
        for window in *group {
            for (set, byte) in boxes.iter_mut().zip(**window) {
                set.add(1 << n, [byte]);
            }
        }
    }
    boxes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a stretch shows, byte by byte.
    fn obvious(text: &[u8]) -> (Vec<Word>, Vec<Marks>) {
        let n_words = text.len().div_ceil(LANES);
        let mut words = vec![Word::default(); n_words];
        let mut marks = vec![Marks::default(); n_words];
        let mut n_inner = 0;
        let byte = |at: usize| text.get(at).copied().unwrap_or(b' ');
        for at in 0..text.len() {
            let bit = 1 << (at % LANES);
            let window = [byte(at), byte(at + 1), byte(at + 2)];
            let all = |sets: &[Boxes; WINDOW]| {
                let boxes = sets.iter().zip(window).map(|(set, byte)| set.of(byte));
                boxes.fold(0xff, |all, some| all & some)
            };
            let kind = TABLES.kinds.of(byte(at));
            let (word, marks) = (&mut words[at / LANES], &mut marks[at / LANES]);
            if at.is_multiple_of(LANES) {
                marks.inner_before = n_inner;
            }
            let is_noisy = byte(at) >= 0xc0 && TABLES.quiet.iter().all(|sets| all(sets) == 0);
            if kind & kinds::ALARMING != 0 || all(&TABLES.phrases) != 0 || is_noisy {
                word.suspects |= bit;
            }
            if byte(at).is_ascii_digit() {
                word.digits |= bit;
            }
            if byte(at).is_ascii_digit() || b" -.()+".contains(&byte(at)) || byte(at) >= 0x80 {
                word.joins |= bit;
            }
            if matches!(byte(at), b'"' | b'\\' | 0..0x20) {
                marks.special |= bit;
            }
            if byte(at) & 0xc0 == 0x80 {
                marks.inner |= bit;
                n_inner += 1;
            }
            if byte(at) == b'\n' {
                word.newlines |= bit;
            }
        }
        (words, marks)
    }

    #[test]
    fn a_box_of_one_kind_holds_nothing_else() {
        for byte in 0..=u8::MAX {
            let kind = TABLES.kinds.of(byte);
            let is_alarming =
                matches!(byte, 0..9 | 11 | 12 | 14..0x20 | 0x7f) || b"@`<&".contains(&byte);
            assert_eq!(kind & kinds::ALARMING != 0, is_alarming, "{byte:#x}");
            assert_eq!(kind & kinds::DIGIT != 0, byte.is_ascii_digit(), "{byte:#x}");
            let is_between = b" -.()+".contains(&byte);
            assert_eq!(kind & kinds::BETWEEN_DIGITS != 0, is_between, "{byte:#x}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn every_byte_is_told_as_if_it_were_alone(
            bytes in proptest::collection::vec(
                prop_oneof![8 => 0x20..0x7f_u8, 1 => any::<u8>(), 1 => Just(b'1'), 1 => Just(b' '), 1 => Just(b'\n')],
                0..500,
            ),
            most in 1..8_usize,
        ) {
            let (mut words, mut marks) = (vec![Word::default(); most], vec![Marks::default(); most]);
            let (mut found, mut n_inner) = ((Vec::new(), Vec::new()), 0);
            while found.0.len() * LANES < bytes.len() {
                let rest = &bytes[found.0.len() * LANES..];
                let (n, n_inner_now) = look(rest, n_inner, &mut marks, &mut words);
                n_inner = n_inner_now;
                found.0.extend_from_slice(&words[..n]);
                found.1.extend_from_slice(&marks[..n]);
            }
            prop_assert_eq!(n_inner as usize, bytes.iter().filter(|byte| **byte & 0xc0 == 0x80).count());
            prop_assert_eq!(found, obvious(&bytes));
        }
    }
}
