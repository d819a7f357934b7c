//! The tables that pieces are made with, built from a recipe.

use super::merge::{Merger, Merges};
use super::recipe::{ESCAPED, Part, Recipe, SPACE};

/// No symbol stands for this character.
const NO_SYMBOL: u32 = u32::MAX;

const PAGE_BITS: u32 = 8;
const PAGE: usize = 1 << PAGE_BITS;

/// Everything but the user-defined pieces.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) merges: Merges,
    pub(super) joins: Joins,
    /// The symbol of each character, in pages of 256; page 0 of `symbols` is
    /// the one of characters that have none.
    pages: Vec<u16>,
    symbols: Vec<u32>,
    /// The symbol of byte 0.
    first_byte: u32,
    /// The id of each symbol.
    pub(super) ids: Vec<u32>,
}

impl Vocabulary {
    pub(super) fn build(recipe: Recipe) -> Self {
        let Recipe { parts, ids } = recipe;
        let mut pages = vec![0; (char::MAX as usize >> PAGE_BITS) + 1];
        let mut symbols = vec![NO_SYMBOL; PAGE];
        let mut merges = Merges::with_capacity(parts.len());
        let mut joins = Joins::default();
        // The first and last character of each piece; a piece whose parts come
        // after it waits for the next round.
        let mut ends = vec![None; parts.len()];
        let mut waiting: Vec<_> = Vec::new();
        for (symbol, part) in (0_u32..).zip(&parts) {
            if let Part::Char(c) = *part {
                ends[symbol as usize] = Some((c, c));
                let mut put = |c: char| {
                    let page: &mut u16 = &mut pages[c as usize >> PAGE_BITS];
                    if *page == 0 {
                        *page = (symbols.len() >> PAGE_BITS) as u16;
                        symbols.resize(symbols.len() + PAGE, NO_SYMBOL);
                    }
                    symbols[usize::from(*page) << PAGE_BITS | (c as usize % PAGE)] = symbol;
                };
                put(c);
                if c == SPACE {
                    put(ESCAPED);
                }
            }
        }
        let mut join = |symbol: u32, part: &Part| {
            let Part::Pair(left, right) = *part else {
                return true;
            };
            let (Some((first, a)), Some((b, last))) = (ends[left as usize], ends[right as usize])
            else {
                return false;
            };
            ends[symbol as usize] = Some((first, last));
            merges.insert(left, right, symbol);
            joins.add(a, b);
            true
        };
        for (symbol, part) in (0..).zip(&parts) {
            if !join(symbol, part) {
                waiting.push(symbol);
            }
        }
        // Parts are shorter than what they give, so each round has fewer.
        while !waiting.is_empty() {
            let n_waiting = waiting.len();
            waiting.retain(|&symbol| !join(symbol, &parts[symbol as usize]));
            assert!(waiting.len() < n_waiting, "no piece is a part of itself");
        }
        Self {
            merges,
            joins,
            pages,
            symbols,
            first_byte: parts.len() as u32,
            ids,
        }
    }

    /// Merges a word that has no user-defined piece in it. A character without
    /// a piece is given by its bytes.
    pub(super) fn merge<'m>(&self, word: &str, merger: &'m mut Merger) -> &'m [u32] {
        merger.symbols.clear();
        for c in word.chars() {
            let page = usize::from(self.pages[c as usize >> PAGE_BITS]);
            match self.symbols[page << PAGE_BITS | (c as usize % PAGE)] {
                NO_SYMBOL => {
                    let mut bytes = [0; 4];
                    let bytes = c.encode_utf8(&mut bytes).bytes();
                    let symbols = bytes.map(|byte| self.first_byte + u32::from(byte));
                    merger.symbols.extend(symbols);
                }
                symbol => merger.symbols.push(symbol),
            }
        }
        merger.merge(&self.merges)
    }
}

/// Which characters stand beside each other in some piece.
///
/// Where two do not, no merge can cross, and a text may be cut between them
/// without any token being another. That is why words can be counted one by
/// one, and remembered. Asked about two characters that never meet, the answer
/// may be "they do" (pairs share bits): a word is then longer than need be, and
/// its tokens are the same.
#[derive(Debug)]
pub(super) struct Joins {
    /// By the last byte of one character and the first of the next.
    bytes: Box<[[u64; 4]; 256]>,
    pairs: Vec<u64>,
}

const PAIR_BITS: u32 = 19;

impl Default for Joins {
    fn default() -> Self {
        Self {
            bytes: Box::new([[0; 4]; 256]),
            pairs: vec![0; 1 << (PAIR_BITS - 6)],
        }
    }
}

impl Joins {
    fn add(&mut self, a: char, b: char) {
        let bit = pair_bit(a, b);
        self.pairs[bit >> 6] |= 1 << (bit & 63);
        let (last, first) = edge(a, b);
        if is_set(&self.bytes[usize::from(last)], first) {
            return;
        }
        for a in spellings(a) {
            for b in spellings(b) {
                let (last, first) = edge(a, b);
                set(&mut self.bytes[usize::from(last)], first);
            }
        }
    }

    /// Whether the character before a place in the text and the one after it
    /// may be in one piece.
    #[inline]
    pub(super) fn may_join(&self, before: &str, after: &str) -> bool {
        let (Some(a), Some(b)) = (before.chars().next_back(), after.chars().next()) else {
            return false;
        };
        let space = |c| if c == ESCAPED { SPACE } else { c };
        let bit = pair_bit(space(a), space(b));
        self.pairs[bit >> 6] >> (bit & 63) & 1 == 1
    }

    /// Where a text need not be looked at more closely: inside a character, and
    /// between two bytes that are joined often. `is_first` tells whether a
    /// user-defined piece begins with a byte.
    pub(super) fn inner(&self, is_first: impl Fn(u8) -> bool) -> Inner {
        let mut table = Box::new([[0; 4]; 256]);
        for last in 0..=u8::MAX {
            for first in 0..=u8::MAX {
                let is_joined = is_set(&self.bytes[usize::from(last)], first);
                // `▁` is a space, and begins with the byte 0xe2.
                let is_first = is_first(first) || (first == 0xe2 && is_first(b' '));
                // Between characters of three bytes and more the two bytes say
                // little: the characters have to be looked at.
                let is_wide = last >= 0x80 && first >= 0xe0;
                let is_continued = (0x80..0xc0).contains(&first);
                if is_continued || (is_joined && !is_first && !is_wide) {
                    set(&mut table[usize::from(last)], first);
                }
            }
        }
        Inner { table }
    }
}

/// The places between two bytes at which a text is not cut.
#[derive(Debug)]
pub(super) struct Inner {
    table: Box<[[u64; 4]; 256]>,
}

impl Inner {
    #[inline]
    pub(super) fn has(&self, before: u8, after: u8) -> bool {
        is_set(&self.table[usize::from(before)], after)
    }
}

#[inline]
fn pair_bit(a: char, b: char) -> usize {
    let pair = u64::from(a as u32) << 32 | u64::from(b as u32);
    (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PAIR_BITS)) as usize
}

/// A space is written in two ways.
fn spellings(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c).chain((c == SPACE).then_some(ESCAPED))
}

/// The last byte of one character and the first of the next.
fn edge(a: char, b: char) -> (u8, u8) {
    let (mut x, mut y) = ([0; 4], [0; 4]);
    let last = *a
        .encode_utf8(&mut x)
        .as_bytes()
        .last()
        .expect("a character has bytes");
    (last, b.encode_utf8(&mut y).as_bytes()[0])
}

fn set(bits: &mut [u64; 4], n: u8) {
    bits[usize::from(n >> 6)] |= 1 << (n & 63);
}

#[inline]
fn is_set(bits: &[u64; 4], n: u8) -> bool {
    bits[usize::from(n >> 6)] >> (n & 63) & 1 == 1
}
