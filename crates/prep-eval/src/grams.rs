//! Tokens and n-grams as small numbers.
//!
//! An n-gram is a node of a tree: its parent is the n-gram without the last
//! token. So equal n-grams have equal nodes, no string is made for any of
//! them, and nothing rests on hashes being different. A hypothesis only walks
//! down as far as the reference goes, since an n-gram that the reference lacks
//! has no continuation there either.
//!
//! Both types are scratch space: cleared for the next segment, not freed.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::{HashMap, HashTable};
use xxhash_rust::xxh3::xxh3_64;

/// Above this many entries a table is freed rather than cleared, so that one
/// very long segment does not slow down all that follow.
const KEPT: usize = 1 << 14;

/// Gives equal tokens equal numbers.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    table: HashTable<(u64, u32)>,
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<usize>,
}

impl Vocabulary {
    /// Forgets all tokens.
    pub(crate) fn clear(&mut self) {
        if self.table.capacity() > KEPT {
            *self = Vocabulary::default();
        } else {
            self.table.clear();
            self.bytes.clear();
            self.ends.clear();
        }
    }

    /// Gives the number of a token, a new one to a new token.
    pub(crate) fn id(&mut self, token: &[u8]) -> u32 {
        let hash = xxh3_64(token);
        let Vocabulary { table, bytes, ends } = self;
        let is_it = |&(other, id): &(u64, u32)| {
            let id = id as usize;
            let start = if id == 0 { 0 } else { ends[id - 1] };
            other == hash && bytes[start..ends[id]] == *token
        };
        if let Some(&(_, id)) = table.find(hash, is_it) {
            return id;
        }
        let id = number(ends.len());
        table.insert_unique(hash, (hash, id), |&(hash, _)| hash);
        bytes.extend_from_slice(token);
        ends.push(bytes.len());
        id
    }
}

/// Counts n-grams of up to some order: of references first, then of a
/// hypothesis against them.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    children: HashMap<u64, u32, BuildHasherDefault<Mix>>,
    counts: Vec<Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// The most that one reference has.
    limit: u32,
    /// So far in the text that is being counted.
    now: u32,
}

/// The node above all n-grams of order 1.
const ROOT: u32 = 0;

impl Grams {
    /// Forgets all n-grams.
    pub(crate) fn clear(&mut self) {
        if self.children.capacity() > KEPT {
            self.children = HashMap::default();
        }
        self.children.clear();
        self.counts.clear();
        self.counts.push(Count::default());
    }

    /// Counts the n-grams of a reference. Of several references an n-gram
    /// keeps the highest count.
    pub(crate) fn add_reference(&mut self, tokens: &[u32], order: usize) {
        for start in 0..tokens.len() {
            let mut node = ROOT;
            for &token in tokens[start..].iter().take(order) {
                let next = number(self.counts.len());
                node = *self.children.entry(key(node, token)).or_insert(next);
                if node == next {
                    self.counts.push(Count::default());
                }
                let count = &mut self.counts[node as usize];
                count.now += 1;
                count.limit = count.limit.max(count.now);
            }
        }
        self.begin_text();
    }

    /// Adds to `matches`, by order, how many n-grams of a hypothesis the
    /// references have, each at most as often as the reference with the most.
    pub(crate) fn count_matches(&mut self, tokens: &[u32], matches: &mut [u32]) {
        for start in 0..tokens.len() {
            let mut node = ROOT;
            for (&token, matches) in tokens[start..].iter().zip(&mut *matches) {
                let Some(&child) = self.children.get(&key(node, token)) else {
                    break;
                };
                node = child;
                let count = &mut self.counts[node as usize];
                count.now += 1;
                *matches += u32::from(count.now <= count.limit);
            }
        }
        self.begin_text();
    }

    fn begin_text(&mut self) {
        for count in &mut self.counts {
            count.now = 0;
        }
    }
}

/// Tells how many n-grams of one order a text of `length` tokens has.
pub(crate) fn n_grams(length: u32, order: usize) -> u32 {
    (length + 1).saturating_sub(number(order))
}

/// A count as 32 bits hold it.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).expect("a segment has fewer than 2^32 tokens and n-grams")
}

fn key(node: u32, token: u32) -> u64 {
    u64::from(node) << 32 | u64::from(token)
}

/// Spreads a key of [`Grams`] over 64 bits.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, key: u64) {
        let product = u128::from(key ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are `u64`");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// The obvious version: counters of slices.
    fn count(tokens: &[u32], order: usize) -> HashMap<&[u32], u32> {
        let mut counts = HashMap::new();
        for gram in tokens.windows(order) {
            *counts.entry(gram).or_default() += 1;
        }
        counts
    }

    fn matches(hypothesis: &[u32], references: &[Vec<u32>], order: usize) -> u32 {
        let references: Vec<_> = references
            .iter()
            .map(|tokens| count(tokens, order))
            .collect();
        let clip = |(gram, n): (&[u32], u32)| {
            let limit = references
                .iter()
                .filter_map(|counts| counts.get(gram))
                .max();
            n.min(limit.copied().unwrap_or(0))
        };
        count(hypothesis, order).into_iter().map(clip).sum()
    }

    proptest! {
        #[test]
        fn matches_are_clipped_counts(
            hypotheses in prop::collection::vec(prop::collection::vec(0_u32..4, 0..20), 1..3),
            references in prop::collection::vec(prop::collection::vec(0_u32..4, 0..20), 1..4),
            order in 1_usize..6,
        ) {
            let mut grams = Grams::default();
            grams.clear();
            for reference in &references {
                grams.add_reference(reference, order);
            }
            for hypothesis in &hypotheses {
                let mut found = vec![0; order];
                grams.count_matches(hypothesis, &mut found);
                let expected: Vec<_> = (1..=order).map(|n| matches(hypothesis, &references, n)).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn equal_tokens_have_equal_numbers(tokens in prop::collection::vec("[ab]{0,3}", 0..40)) {
            let mut vocabulary = Vocabulary::default();
            let ids: Vec<_> = tokens.iter().map(|token| vocabulary.id(token.as_bytes())).collect();
            for (token, id) in tokens.iter().zip(&ids) {
                for (other, other_id) in tokens.iter().zip(&ids) {
                    prop_assert_eq!(token == other, id == other_id);
                }
            }
        }
    }
}
