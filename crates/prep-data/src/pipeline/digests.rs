//! The digests of a dataset, gathered in the order of lines and given out by
//! prompt.
//!
//! As long as they fit into memory they stay where they are, and what is brought
//! into order is eight bytes of each: some bits of its prompt, and its place. Most
//! prompts are there once, and of these nothing more is looked at. So a digest
//! costs a third of what it costs in [`Partitions`], where those go that do not
//! fit; a test holds the two ways together.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use rayon::ThreadPool;
use rayon::prelude::*;

use super::ordered;
use super::partitions::{Packed, Partitions};
use crate::io::OutputError;
use crate::rules::Digest;

/// Digests, in memory or beyond it.
#[derive(Debug)]
pub(super) struct Digests {
    /// In the order of lines, as long as they fit.
    held: Vec<Digest>,
    /// Their [`place`]s, by the first bits of their prompts.
    places: Vec<Vec<u64>>,
    /// How many are held at most.
    most: usize,
    /// All of them, once they do not fit.
    spread: Option<Partitions<ByPrompt>>,
    memory: u64,
    scratch: PathBuf,
}

/// How many bits of a prompt tell the lists of places apart.
const BITS: u32 = 8;

/// What stands for a digest while it is brought into order: 32 bits of its prompt
/// beyond the first, and where it is held.
fn place(digest: &Digest, n: usize) -> u64 {
    let bits = (digest.prompt >> (u128::BITS - BITS - 32)) as u32;
    u64::from(bits) << 32 | n as u64
}

/// Where the digest of a place is held.
fn held_at(place: u64) -> usize {
    place as u32 as usize
}

impl Digests {
    /// Makes room for digests in half of `memory` bytes, and beyond them in the
    /// directory of `scratch`.
    pub(super) fn new(memory: u64, scratch: &Path) -> Self {
        let most = memory / 2 / (size_of::<Digest>() + size_of::<u64>()) as u64;
        Self {
            held: Vec::new(),
            places: vec![Vec::new(); 1 << BITS],
            most: u32::try_from(most).unwrap_or(u32::MAX) as usize,
            spread: None,
            memory,
            scratch: scratch.into(),
        }
    }

    /// Adds the digests of the lines that follow.
    ///
    /// # Errors
    ///
    /// When memory is used up and the disk takes no more.
    pub(super) fn add(&mut self, digests: &[Digest]) -> Result<(), OutputError> {
        if let Some(spread) = &mut self.spread {
            return push_all(spread, digests);
        }
        let n_before = self.held.len();
        if n_before + digests.len() > self.most {
            let mut spread = Partitions::new(self.memory, &self.scratch);
            push_all(&mut spread, &self.held)?;
            push_all(&mut spread, digests)?;
            (self.held, self.places) = (Vec::new(), Vec::new());
            self.spread = Some(spread);
            return Ok(());
        }
        self.held.extend_from_slice(digests);
        for (digest, n) in digests.iter().zip(n_before..) {
            let list = (digest.prompt >> (u128::BITS - BITS)) as usize;
            self.places[list].push(place(digest, n));
        }
        Ok(())
    }

    /// Gives groups of digests that have one prompt, in the order of their lines,
    /// to `each` on any thread, together with what `start` made for some of the
    /// groups; that goes to `emit`. A digest that is dull and has its prompt for
    /// itself may be left out.
    ///
    /// # Errors
    ///
    /// When the disk fails, or the first error of `emit`.
    pub(super) fn visit<P: Send, E: From<OutputError> + Send>(
        self,
        pool: &ThreadPool,
        is_dull: impl Fn(&Digest) -> bool + Sync,
        start: impl Fn() -> P + Sync,
        each: impl Fn(&mut P, &[Digest]) + Sync,
        emit: impl FnMut(P) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        if let Some(spread) = self.spread {
            let of_partition = |digests: &[ByPrompt]| {
                let (mut part, mut group) = (start(), Vec::new());
                for same in digests.chunk_by(|one, other| one.0.prompt == other.0.prompt) {
                    group.clear();
                    group.extend(same.iter().map(|digest| digest.0));
                    each(&mut part, &group);
                }
                part
            };
            return spread.visit(pool, of_partition, emit);
        }
        let held = &self.held;
        let dull: Vec<bool> = pool.install(|| held.par_iter().map(&is_dull).collect());
        let mut lists = self.places.into_iter();
        let of_list = |mut places: Vec<u64>| {
            places.sort_unstable();
            let (mut part, mut group) = (start(), Vec::new());
            for alike in places.chunk_by(|one, other| one >> 32 == other >> 32) {
                if let [place] = alike
                    && dull[held_at(*place)]
                {
                    continue;
                }
                group.clear();
                group.extend(alike.iter().map(|place| held[held_at(*place)]));
                // They may differ further on.
                group.sort_unstable_by_key(|digest| (digest.prompt, digest.line));
                group
                    .chunk_by(|one, other| one.prompt == other.prompt)
                    .for_each(|same| each(&mut part, same));
            }
            part
        };
        ordered::for_each(pool, || Ok(lists.next()), of_list, emit)
    }
}

fn push_all(spread: &mut Partitions<ByPrompt>, digests: &[Digest]) -> Result<(), OutputError> {
    digests
        .iter()
        .try_for_each(|digest| spread.push(&ByPrompt(*digest)))
}

/// Digests in the order of prompts, then of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ByPrompt(Digest);

impl Ord for ByPrompt {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |digest: &Digest| (digest.prompt, digest.line);
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for ByPrompt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Packed for ByPrompt {
    const SIZE: usize = Digest::BYTES;

    #[inline]
    fn prefix(&self) -> u64 {
        (self.0.prompt >> 64) as u64
    }

    #[inline]
    fn pack(&self, into: &mut [u8]) {
        self.0.write(into);
    }

    #[inline]
    fn unpack(from: &[u8]) -> Self {
        let bytes = from
            .first_chunk()
            .expect("records are unpacked as they were packed");
        Self(Digest::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;

    /// The lines of each group that is given out, but dull ones of one line.
    fn groups(digests: &[Digest], memory: u64, batch: usize) -> Vec<Vec<u64>> {
        let directory = tempfile::tempdir().unwrap();
        let mut gathered = Digests::new(memory, &directory.path().join("x"));
        for batch in digests.chunks(batch) {
            gathered.add(batch).unwrap();
        }
        let pool = ordered::pool(NonZeroUsize::new(2).unwrap()).unwrap();
        let mut all = Vec::new();
        let each = |part: &mut Vec<Vec<u64>>, group: &[Digest]| {
            if group.len() > 1 || !is_dull(&group[0]) {
                part.push(group.iter().map(|digest| digest.line).collect());
            }
        };
        let emit = |part: Vec<Vec<u64>>| {
            all.extend(part);
            Ok::<_, OutputError>(())
        };
        gathered
            .visit(&pool, is_dull, Vec::new, each, emit)
            .unwrap();
        all.sort();
        all
    }

    fn is_dull(digest: &Digest) -> bool {
        digest.prompt_chars < 3
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn groups_are_those_of_one_prompt_held_or_not(
            // Prompts that differ in their first bits, further on, or at their end.
            rows in proptest::collection::vec((0..3_u128, 0..3_u128, 0..3_u128, 0..5_u32), 0..80),
            memory in prop_oneof![Just(0_u64), 1..9000_u64, Just(1 << 30)],
            batch in 1..20_usize,
        ) {
            let digests: Vec<_> = rows.iter().zip(1..).map(|((first, second, last, chars), line)| Digest {
                prompt: first << 120 | second << 90 | last,
                prompt_chars: *chars,
                line,
                ..Digest::default()
            }).collect();
            let mut expected: BTreeMap<u128, Vec<u64>> = BTreeMap::new();
            for digest in &digests {
                expected.entry(digest.prompt).or_default().push(digest.line);
            }
            let is_told = |group: &Vec<u64>| group.len() > 1 || !is_dull(&digests[group[0] as usize - 1]);
            let mut expected: Vec<_> = expected.into_values().filter(is_told).collect();
            expected.sort();
            prop_assert_eq!(groups(&digests, memory, batch), expected);
        }
    }
}
