//! Byte-pair merging: the best pair first, the leftmost of equals.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// No symbol.
pub(super) const NONE: u32 = u32::MAX;

const SYMBOL_BITS: u32 = 21;
const SYMBOL_MASK: u64 = (1 << SYMBOL_BITS) - 1;
const EMPTY: u64 = u64::MAX;

/// Which two symbols give which.
///
/// An open hash table at most half full. A merge is one number: left, right
/// and result, 21 bits each, so that most pairs that give nothing are known by
/// one look at memory.
#[derive(Debug)]
pub(super) struct Merges {
    slots: Vec<u64>,
    shift: u32,
}

impl Merges {
    pub(super) fn with_capacity(n: usize) -> Self {
        let n_slots = (n * 2).next_power_of_two().max(2);
        Self {
            slots: vec![EMPTY; n_slots],
            shift: u64::BITS - n_slots.trailing_zeros(),
        }
    }

    pub(super) fn insert(&mut self, left: u32, right: u32, result: u32) {
        let key = key(left, right);
        let mut at = self.home(key);
        while self.slots[at] != EMPTY {
            at = self.after(at);
        }
        self.slots[at] = key << SYMBOL_BITS | u64::from(result);
    }

    /// The symbol that two neighbours give, or [`NONE`].
    #[inline]
    pub(super) fn get(&self, left: u32, right: u32) -> u32 {
        let key = key(left, right);
        let mut at = self.home(key);
        loop {
            let slot = self.slots[at];
            if slot >> SYMBOL_BITS == key {
                return (slot & SYMBOL_MASK) as u32;
            }
            if slot == EMPTY {
                return NONE;
            }
            at = self.after(at);
        }
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }
}

#[inline]
fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << SYMBOL_BITS | u64::from(right)
}

/// The longest word whose best pair is found by looking at all of them.
const SHORT: usize = 48;

/// Where words are merged; its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Merger {
    /// The word: what is to be merged, then what has come of it.
    pub(super) symbols: Vec<u32>,
    /// What each symbol and the one after it give, while a long word is merged.
    results: Vec<u32>,
    /// The neighbours of each symbol, while a long word is merged.
    links: Vec<(u32, u32)>,
    queue: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Merger {
    /// Merges what is in `symbols`. Takes n log n for n symbols.
    pub(super) fn merge(&mut self, merges: &Merges) -> &[u32] {
        if self.symbols.len() <= SHORT {
            self.merge_short(merges);
        } else {
            self.merge_long(merges);
        }
        &self.symbols
    }

    /// Looks for the best pair among all, again and again. What is merged away
    /// stays in its place, as a pair that gives nothing: with so few, looking
    /// past it is cheaper than closing the gap.
    fn merge_short(&mut self, merges: &Merges) {
        let symbols = &mut self.symbols[..];
        let n = symbols.len();
        let mut results = [NONE; SHORT];
        // The place of the symbol after each, and of the one before.
        let mut next = [0_u8; SHORT];
        let mut previous = [0_u8; SHORT];
        for at in 1..n {
            results[at - 1] = merges.get(symbols[at - 1], symbols[at]);
            next[at - 1] = at as u8;
            previous[at] = (at - 1) as u8;
        }
        let mut n_merged = 0;
        loop {
            let (mut best, mut result) = (0, NONE);
            for (at, &other) in results[..n].iter().enumerate() {
                if other < result {
                    (best, result) = (at, other);
                }
            }
            if result == NONE {
                break;
            }
            n_merged += 1;
            let gone = usize::from(next[best]);
            symbols[best] = result;
            symbols[gone] = NONE;
            results[gone] = NONE;
            results[best] = NONE;
            // The last symbol has none after it, which is written as 0.
            let after = usize::from(next[gone]);
            next[best] = next[gone];
            if after > 0 {
                previous[after] = best as u8;
                results[best] = merges.get(result, symbols[after]);
            }
            if best > 0 {
                let before = usize::from(previous[best]);
                results[before] = merges.get(symbols[before], result);
            }
        }
        if n_merged > 0 {
            self.symbols.retain(|symbol| *symbol != NONE);
        }
    }

    /// The same with a queue. What is in it may be out of date: an entry
    /// counts only while the pair at its place still gives the same symbol.
    fn merge_long(&mut self, merges: &Merges) {
        let Self {
            symbols,
            results,
            links,
            queue,
        } = self;
        let pairs = symbols.windows(2);
        results.clear();
        results.extend(pairs.map(|pair| merges.get(pair[0], pair[1])));
        results.push(NONE);
        let n = u32::try_from(symbols.len()).expect("a text is shorter than 4 GiB");
        links.clear();
        links.extend((0..n).map(|at| (at.wrapping_sub(1), at + 1)));
        queue.clear();
        let pairs = results
            .iter()
            .zip(0..)
            .filter(|(result, _)| **result != NONE);
        queue.extend(pairs.map(|(result, at)| Reverse((*result, at))));
        while let Some(Reverse((result, at))) = queue.pop() {
            let left = at as usize;
            if results[left] != result {
                continue;
            }
            let right = links[left].1 as usize;
            symbols[left] = result;
            symbols[right] = NONE;
            results[right] = NONE;
            let next = links[right].1;
            links[left].1 = next;
            results[left] = NONE;
            if next < n {
                links[next as usize].0 = at;
                results[left] = merges.get(result, symbols[next as usize]);
                if results[left] != NONE {
                    queue.push(Reverse((results[left], at)));
                }
            }
            let before = links[left].0;
            if before < n {
                let place = before as usize;
                results[place] = merges.get(symbols[place], result);
                if results[place] != NONE {
                    queue.push(Reverse((results[place], before)));
                }
            }
        }
        symbols.retain(|symbol| *symbol != NONE);
    }
}
