//! The digests of a dataset, gathered in the order of lines and given out by
//! prompt.
//!
//! As long as they fit into memory they stay where they are, packed, and what is
//! looked at again is eight bytes of each: some bits of its prompt, and its place.
//! Most prompts are there once, and of these nothing more is looked at. So a digest
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
    /// In the order of lines, as long as they fit, all but the last word.
    held: Vec<[u64; Digest::WORDS - 1]>,
    /// Their last words, which are asked for in a row.
    chars: Vec<u64>,
    /// Their [`place`]s, by the first bits of their prompts.
    places: Lists,
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
        let most = memory / 2 / (size_of::<u64>() * (Digest::WORDS + 1)) as u64;
        Self {
            held: Vec::new(),
            chars: Vec::new(),
            places: Lists::default(),
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
            for n in 0..n_before {
                spread.push(&ByPrompt(self.digest(n)))?;
            }
            push_all(&mut spread, digests)?;
            (self.held, self.chars) = (Vec::new(), Vec::new());
            self.places = Lists::default();
            self.spread = Some(spread);
            return Ok(());
        }
        let words = digests.iter().map(Digest::to_words);
        self.held.extend(words.map(|[words @ .., _]| words));
        let chars = digests
            .iter()
            .map(|digest| digest.to_words()[Digest::WORDS - 1]);
        self.chars.extend(chars);
        for (digest, n) in digests.iter().zip(n_before..) {
            let list = (digest.prompt >> (u128::BITS - BITS)) as u8;
            self.places.push(list, place(digest, n));
        }
        Ok(())
    }

    /// The digest that is held at a place.
    fn digest(&self, n: usize) -> Digest {
        let [low, high, answer, line] = self.held[n];
        Digest::from_words(&[low, high, answer, line, self.chars[n]])
    }

    /// Gives groups of digests that have one prompt, in the order of their lines,
    /// to `each` on any thread, together with what `start` made for some of the
    /// groups; that goes to `emit`. A digest that has its prompt for itself, and whose
    /// prompt and answer have so many characters that it is dull, may be left out.
    /// `every` is given every digest, if there is such a thing.
    ///
    /// # Errors
    ///
    /// When the disk fails, or the first error of `emit`.
    pub(super) fn visit<P: Send, E: From<OutputError> + Send>(
        mut self,
        pool: &ThreadPool,
        every: Option<&(impl Fn(&mut P, &Digest) + Sync)>,
        is_dull: impl Fn([u32; 2]) -> bool + Sync,
        start: impl Fn() -> P + Sync,
        each: impl Fn(&mut P, &[Digest]) + Sync,
        emit: impl FnMut(P) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        if let Some(spread) = self.spread.take() {
            let of_partition = |digests: &[ByPrompt]| {
                let (mut part, mut group) = (start(), Vec::new());
                for same in digests.chunk_by(|one, other| one.0.prompt == other.0.prompt) {
                    group.clear();
                    group.extend(same.iter().map(|digest| digest.0));
                    if let Some(every) = every {
                        group.iter().for_each(|digest| every(&mut part, digest));
                    }
                    each(&mut part, &group);
                }
                part
            };
            return spread.visit(pool, of_partition, emit);
        }
        // One bit for each digest.
        let odd_ones = |chars: &[u64]| {
            let is_odd = |chars: &u64| !is_dull([*chars as u32, (chars >> 32) as u32]);
            let bits = chars
                .iter()
                .zip(0..)
                .map(|(chars, n)| u64::from(is_odd(chars)) << n);
            bits.fold(0, |all, bit| all | bit)
        };
        let odd: Vec<u64> = pool.install(|| self.chars.par_chunks(64).map(odd_ones).collect());
        let is_odd = |n: usize| odd[n / 64] >> (n % 64) & 1 == 1;
        let of_list = |part: &mut P, places: &[u64]| {
            if let Some(every) = every {
                let digests = places.iter().map(|place| self.digest(held_at(*place)));
                digests.for_each(|digest| every(part, &digest));
            }
            let mut is_told = repeated(places);
            for (is_told, place) in is_told.iter_mut().zip(places) {
                *is_told |= is_odd(held_at(*place));
            }
            let told = places.iter().zip(is_told).filter(|(_, is_told)| *is_told);
            // First where they are, then what: so many are fetched at a time.
            let told: Vec<usize> = told.map(|(place, _)| held_at(*place)).collect();
            let mut told: Vec<_> = told.into_iter().map(|n| self.digest(n)).collect();
            told.sort_unstable_by_key(|digest| (digest.prompt, digest.line));
            told.chunk_by(|one, other| one.prompt == other.prompt)
                .for_each(|same| each(part, same));
        };
        // Few parts, as the more groups one has seen the fewer are worth a word.
        let lists = self.places.each();
        let n_parts = 4 * pool.current_num_threads();
        let mut parts = lists.chunks(lists.len().div_ceil(n_parts).max(1));
        let of_lists = |lists: &[Vec<&[u64]>]| {
            let mut part = start();
            for list in lists {
                of_list(&mut part, &list.concat());
            }
            part
        };
        ordered::for_each(pool, || Ok(parts.next()), of_lists, emit)
    }
}

/// Which places have the bits of their prompt in common with another of the list.
fn repeated(places: &[u64]) -> Vec<bool> {
    let mut is_repeated = vec![false; places.len()];
    // From the bits to the first place that has them, counted from 1. Half of the
    // table stays empty, so what is not there is told by a look or two.
    let mut firsts = vec![0_u32; (2 * places.len()).next_power_of_two()];
    let last = firsts.len() - 1;
    let bits = |at: usize| (places[at] >> 32) as usize;
    for at in 0..places.len() {
        let mut slot = bits(at) & last;
        loop {
            let Some(first) = (firsts[slot] as usize).checked_sub(1) else {
                firsts[slot] = at as u32 + 1;
                break;
            };
            if bits(first) == bits(at) {
                (is_repeated[first], is_repeated[at]) = (true, true);
                break;
            }
            slot = (slot + 1) & last;
        }
    }
    is_repeated
}

/// Numbers in 256 lists, in the order in which they came. All lists grow in one
/// stretch of memory: what many small ones leave behind as they grow is not used
/// again and costs a page fault for every page.
#[derive(Debug)]
struct Lists {
    pieces: Vec<[u64; PIECE]>,
    /// The list that each piece is of.
    of: Vec<u8>,
    /// Of each list the last piece, and how many numbers are in it.
    last: Vec<(u32, usize)>,
}

/// How many numbers a piece has.
const PIECE: usize = 32;

impl Default for Lists {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            of: Vec::new(),
            last: vec![(0, PIECE); 1 << BITS],
        }
    }
}

impl Lists {
    fn push(&mut self, list: u8, number: u64) {
        let (piece, n) = &mut self.last[usize::from(list)];
        if *n == PIECE {
            (*piece, *n) = (self.pieces.len() as u32, 0);
            self.pieces.push([0; PIECE]);
            self.of.push(list);
        }
        self.pieces[*piece as usize][*n] = number;
        *n += 1;
    }

    /// Each list that is not empty, in pieces.
    fn each(&self) -> Vec<Vec<&[u64]>> {
        let mut lists = vec![Vec::new(); 1 << BITS];
        for (n, (piece, list)) in (0..).zip(self.pieces.iter().zip(&self.of)) {
            let list = usize::from(*list);
            let filled = match self.last[list] {
                (last, filled) if last == n => filled,
                _ => PIECE,
            };
            lists[list].push(&piece[..filled]);
        }
        lists.retain(|list| !list.is_empty());
        lists
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
    const SIZE: usize = 8 * Digest::WORDS;

    #[inline]
    fn prefix(&self) -> u64 {
        (self.0.prompt >> 64) as u64
    }

    /// Word by word: what is written in pieces and read as a whole right away, as a
    /// copy does, takes 40 ns.
    #[inline]
    fn pack(&self, into: &mut [u8]) {
        for (bytes, word) in into.chunks_exact_mut(8).zip(self.0.to_words()) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }

    #[inline]
    fn unpack(from: &[u8]) -> Self {
        let word = |n: usize| {
            let bytes: [u8; 8] = std::array::from_fn(|at| from[8 * n + at]);
            u64::from_le_bytes(bytes)
        };
        Self(Digest::from_words(&std::array::from_fn(word)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;

    /// The lines of each group that is given out, but dull ones of one line; and
    /// all lines, if every digest is asked for.
    fn groups(
        digests: &[Digest],
        memory: u64,
        batch: usize,
        asks_all: bool,
    ) -> (Vec<Vec<u64>>, Vec<u64>) {
        let directory = tempfile::tempdir().unwrap();
        let mut gathered = Digests::new(memory, &directory.path().join("x"));
        for batch in digests.chunks(batch) {
            gathered.add(batch).unwrap();
        }
        let pool = ordered::pool(NonZeroUsize::new(2).unwrap()).unwrap();
        type Part = (Vec<Vec<u64>>, Vec<u64>);
        let (mut groups, mut lines) = Part::default();
        let every = |part: &mut Part, digest: &Digest| part.1.push(digest.line);
        let each = |part: &mut Part, group: &[Digest]| {
            if group.len() > 1 || !is_dull([group[0].prompt_chars, 0]) {
                part.0
                    .push(group.iter().map(|digest| digest.line).collect());
            }
        };
        let emit = |part: Part| {
            groups.extend(part.0);
            lines.extend(part.1);
            Ok::<_, OutputError>(())
        };
        let every = asks_all.then_some(&every);
        gathered
            .visit(&pool, every, is_dull, Part::default, each, emit)
            .unwrap();
        groups.sort();
        lines.sort();
        (groups, lines)
    }

    fn is_dull([prompt, answer]: [u32; 2]) -> bool {
        prompt < 3 && answer == 0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn groups_are_those_of_one_prompt_held_or_not(
            // Prompts that differ in their first bits, further on, or at their end.
            rows in proptest::collection::vec((0..3_u128, 0..3_u128, 0..3_u128, 0..5_u32), 0..80),
            memory in prop_oneof![Just(0_u64), 1..9000_u64, Just(1 << 30)],
            batch in 1..20_usize,
            asks_all: bool,
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
            let is_told = |group: &Vec<u64>| group.len() > 1 || !is_dull([digests[group[0] as usize - 1].prompt_chars, 0]);
            let mut expected: Vec<_> = expected.into_values().filter(is_told).collect();
            expected.sort();
            let (told, all) = groups(&digests, memory, batch, asks_all);
            prop_assert_eq!(told, expected);
            let n = if asks_all { digests.len() } else { 0 };
            prop_assert!(all.into_iter().eq(1..=n as u64));
        }
    }
}
