//! Whether any texts on different sides are near-duplicates.
//!
//! After a split there are none as a rule, and then the search need not be made:
//! it is enough that no pair on different sides is similar that it would compare.
//! The keys of all sides but the largest go into a small filter, those of the
//! largest are looked up there, and hardly any is left to be brought into order:
//! a third of the time of a search.
//!
//! A search compares all pairs that share a key, or are of one crowd. What is on
//! one side only makes no crowd of texts on different sides, so crowds do not
//! matter unless there is a key for one on several sides; then this gives up.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{DedupeError, Key, Means, Pair, Search, Seen};
use crate::pipeline::ordered;
use crate::text::sketch::ROWS;

/// The side of a text that is gone.
const GONE: u8 = u8::MAX;

/// How many pairs are compared on the texts at a time.
const AT_ONCE: usize = 64;

/// Whether the search would find nothing, given the side of each line; `false`
/// if it must be made to know.
pub(super) fn is_nothing(
    search: &Search<'_>,
    sides: &[u8],
    means: &Means<'_>,
) -> Result<bool, DedupeError> {
    let Some(keys) = Keys::new(search, sides, means)? else {
        return Ok(false);
    };
    let mut bands = 0..search.texts.sketching.bands.n;
    let is_over = AtomicBool::new(false);
    let next_band = || {
        means.check_stop()?;
        Ok(bands.next().filter(|_| !is_over.load(Ordering::Relaxed)))
    };
    let mut pairs = Vec::new();
    ordered::for_each(
        means.pool,
        next_band,
        |band: usize| keys.pairs(band),
        |found: Result<Option<Vec<(u32, u32)>>, DedupeError>| {
            match found? {
                Some(found) => pairs.extend(found),
                None => is_over.store(true, Ordering::Relaxed),
            }
            Ok::<_, DedupeError>(())
        },
    )?;
    // Most that are alike share many keys.
    pairs.sort_unstable();
    pairs.dedup();
    let mut chunks = pairs.chunks(AT_ONCE);
    ordered::for_each(
        means.pool,
        || {
            means.check_stop()?;
            Ok(chunks.next().filter(|_| !is_over.load(Ordering::Relaxed)))
        },
        |pairs: &[(u32, u32)]| {
            let mut pair = Pair::default();
            for &(one, other) in pairs {
                if search.similarity(one, other, &mut pair)? >= search.threshold() {
                    is_over.store(true, Ordering::Relaxed);
                }
            }
            Ok(())
        },
        |compared: Result<(), DedupeError>| compared,
    )?;
    Ok(!is_over.into_inner())
}

/// The keys of all sides.
struct Keys<'s> {
    search: &'s Search<'s>,
    /// The side of each sketch, or [`GONE`].
    sides: Vec<u8>,
    /// The one with the most sketches.
    largest: u8,
    /// The sketches of all others.
    others: Vec<(u32, [u8; ROWS])>,
    /// The most keys of a band that may be held, and how much their filter may take.
    most: usize,
    memory: u64,
}

impl<'s> Keys<'s> {
    /// Prepares to look at them, if they fit into memory.
    fn new(
        search: &'s Search<'s>,
        sides: &[u8],
        means: &Means<'_>,
    ) -> Result<Option<Self>, DedupeError> {
        let texts = search.texts;
        let side = |(n, text): (u64, &u32)| {
            let place = texts.at[*text as usize].place;
            let is_live = search.is_live.has(n);
            if is_live { sides[place as usize] } else { GONE }
        };
        let sides: Vec<u8> = (0..).zip(&texts.of).map(side).collect();
        let mut counts = [0; GONE as usize];
        for &side in sides.iter().filter(|side| **side != GONE) {
            counts[usize::from(side)] += 1;
        }
        let largest = (0..GONE).max_by_key(|&side| counts[usize::from(side)]);
        let largest = largest.unwrap_or_default();
        let n_others = counts.iter().sum::<usize>() - counts[usize::from(largest)];
        let memory = means.memory / 8 / means.pool.current_num_threads() as u64;
        let most = (memory / 2) as usize / size_of::<Key>();
        let others_bytes = n_others * size_of::<(u32, [u8; ROWS])>();
        if n_others > most / 2 || others_bytes as u64 > means.memory / 8 {
            return Ok(None);
        }
        // So that those of the largest side are passed over once and not for every
        // band.
        let mut others = Vec::with_capacity(n_others);
        search.sketches.for_each(|sketch, rows| {
            let side = sides[sketch as usize];
            if side != largest && side != GONE {
                others.push((sketch, *rows));
            }
            Ok(())
        })?;
        Ok(Some(Self {
            search,
            sides,
            largest,
            others,
            most,
            memory,
        }))
    }

    /// Pairs of texts on different sides that share a key of one band and whose
    /// sketches leave open that they are similar; `None` if there are too many.
    fn pairs(&self, band: usize) -> Result<Option<Vec<(u32, u32)>>, DedupeError> {
        let mut keys = self.shared(band)?;
        if keys.len() > self.most {
            return Ok(None);
        }
        keys.sort_unstable();
        let mut pairs = Vec::new();
        for same in keys.chunk_by(|one, other| one.key == other.key) {
            let first = self.side(&same[0]);
            if same.iter().all(|key| self.side(key) == first) {
                continue;
            }
            if self.search.is_crowd(same)? {
                return Ok(None);
            }
            for (n, one) in same.iter().enumerate() {
                let others = same[n + 1..].iter();
                for other in others.filter(|other| self.side(other) != self.side(one)) {
                    let sketch = |key: &Key| self.search.sketch(key.sketch);
                    if self.search.may_be_similar(&sketch(one)?, &sketch(other)?) {
                        let text = |key: &Key| self.search.text_of(key.sketch);
                        pairs.push((text(one), text(other)));
                    }
                }
            }
        }
        Ok(Some(pairs))
    }

    fn side(&self, key: &Key) -> u8 {
        self.sides[key.sketch as usize]
    }

    /// All keys that are there on several sides, and a few that are not.
    fn shared(&self, band: usize) -> Result<Vec<Key>, DedupeError> {
        /// So that hardly one in thirty is taken for another.
        const ROOM: usize = 4;
        let bands = self.search.texts.sketching.bands;
        let mut seen = Seen::new(ROOM * self.others.len(), self.memory / 2);
        let others = self.others.iter().map(|(sketch, rows)| {
            let key = bands.key(rows, band);
            seen.add(key);
            let sketch = *sketch;
            Key { key, sketch }
        });
        let mut keys: Vec<Key> = others.collect();
        let mut shared = Vec::new();
        self.search.sketches.for_each(|sketch, rows| {
            if self.sides[sketch as usize] == self.largest {
                let key = bands.key(rows, band);
                if seen.has_met(key) && shared.len() <= self.most {
                    shared.push(Key { key, sketch });
                }
            }
            Ok(())
        })?;
        keys.retain(|key| seen.is_twice(key.key));
        shared.append(&mut keys);
        Ok(shared)
    }
}
