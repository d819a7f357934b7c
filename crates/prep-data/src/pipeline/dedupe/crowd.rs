//! Near-duplicates among texts of which very many look alike.
//!
//! Texts that are made of one template share the keys of their sketches by the
//! thousand, whether or not they are similar enough, and to compare each with
//! every other takes forever. Such a **crowd** is compared at once.
//!
//! The shingles that more than half of a sample has are the **base** of the
//! crowd. Of each text only that is kept in which its set differs from the base:
//! what it has more and what it lacks. As the difference of two sets is the
//! difference of their differences, this is enough to tell the exact Jaccard
//! index of any two. With `d` shingles that differ and `s` in the set, and
//! `excess = d - s · (1 - t) / (1 + t)`, two texts are similar at `t` if and
//! only if
//!
//! ```text
//! excess + excess' ≤ 2 · (differing shingles that both have)
//! ```
//!
//! So those that are similar though they share nothing but the template are all
//! similar to the one with the least excess, and one comparison each will do.
//! All other pairs share something that differs from the base, and as much as
//! their excess says. For each differing shingle there is a list of the texts
//! that have it. Either what two have in common is counted through the lists of
//! all shingles of a text; or, as so many must be in common that one of the
//! rarest is among them, the lists of those alone are looked at, and who is met
//! there is compared.
//!
//! A differing shingle that more than [`RARE`] texts have, as far as counters
//! of a fixed size can tell, has no list. Texts with the same ones of this kind
//! are a **group**, and what was said of the base holds within it; each text is
//! compared with the best of the [`PIVOTS`] largest groups. What can be missed,
//! then, are two texts of different groups, neither of them among the largest,
//! that have no rare shingle in common. A crowd of up to [`RARE`] texts misses
//! nothing.
//!
//! What a crowd is, its base, its counters and its groups do not depend on the
//! order of the input, on memory or on threads, so neither does what is found.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::ThreadPool;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::near::{Search, Shingled};
use super::{DedupeError, Means};
use crate::io::Scratch;
use crate::pipeline::ordered;
use crate::text::shingles::suitable_len;

/// The most texts that a differing shingle may have to be looked for by it;
/// few in tests, so that a crowd of a few hundred has frequent ones, too.
const RARE: u32 = if cfg!(test) { 64 } else { 1024 };
/// How many groups are compared with all texts.
const PIVOTS: usize = 256;
/// How many texts say what the base is.
const SAMPLE: usize = 256;
/// How many texts are read, or looked up, at a time.
const AT_ONCE: usize = 256;

/// Links what is similar among the texts of a crowd, on the threads of `pool`,
/// or on this one. `members` are their sketches.
pub(super) fn link(
    search: &Search<'_>,
    members: &[u32],
    pool: Option<&ThreadPool>,
    memory: u64,
    means: &Means<'_>,
) -> Result<(), DedupeError> {
    let base = base(search, members)?;
    let mut crowd = Crowd {
        search,
        pool,
        means,
        members: Vec::with_capacity(members.len()),
        differing: Differing::new(memory / 4, means),
        base,
        counters: Counters::default(),
        most_rare: RARE,
    };
    crowd.read(members)?;
    crowd.count()?;
    crowd.link_groups()?;
    crowd.link_rare(memory / 4)
}

/// The shingles that more than half of a sample has, for each side.
fn base(search: &Search<'_>, members: &[u32]) -> Result<[Vec<u64>; 2], DedupeError> {
    let mut order = Vec::with_capacity(members.len());
    for &sketch in members {
        order.push((xxh3_64(&search.sketch(sketch)?), sketch));
    }
    order.sort_unstable();
    order.truncate(SAMPLE);
    let mut shingled = Shingled::default();
    let mut all = [Vec::new(), Vec::new()];
    for &(_, sketch) in &order {
        search.shingled(sketch, &mut shingled)?;
        for (all, set) in all.iter_mut().zip(&shingled.sets) {
            all.extend_from_slice(set);
        }
    }
    Ok(all.map(|mut all| {
        all.sort_unstable();
        let same = all.chunk_by(|one, other| one == other);
        let common = same.filter(|same| 2 * same.len() > order.len());
        common.map(|same| same[0]).collect()
    }))
}

/// Gives each item to `work` and the results to `emit`, in order: on the threads
/// of a pool, or on this one.
fn each<I: Send, R: Send>(
    pool: Option<&ThreadPool>,
    mut items: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> Result<R, DedupeError> + Sync,
    mut emit: impl FnMut(R) -> Result<(), DedupeError> + Send,
) -> Result<(), DedupeError> {
    match pool {
        Some(pool) => ordered::for_each(pool, || Ok(items.next()), work, |result| emit(result?)),
        None => items.try_for_each(|item| emit(work(item)?)),
    }
}

/// A text of a crowd.
#[derive(Debug, Clone, Copy)]
struct Member {
    text: u32,
    context: Option<u64>,
    sides: [Side; 2],
    /// Where that in which it differs begins.
    at: u64,
    /// What it has in common with all of its group.
    group: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Side {
    n_chars: u32,
    /// The length of the shingles.
    len: u32,
    n_shingles: u32,
    n_differing: u32,
    /// How many of the differing ones are not rare.
    n_frequent: u32,
}

impl Side {
    /// By how much it differs more than half of what a similar pair may.
    fn excess(&self, threshold: f64) -> f64 {
        let share = (1.0 - threshold) / (1.0 + threshold);
        f64::from(self.n_differing) - share * f64::from(self.n_shingles)
    }

    /// How many shingles one of two has and the other has not, if so many
    /// differing ones are in common.
    fn apart(self, other: Self, common: u32) -> u32 {
        self.n_differing + other.n_differing - 2 * common
    }
}

impl Member {
    fn n_differing(&self) -> usize {
        let [one, other] = &self.sides;
        (one.n_differing + other.n_differing) as usize
    }

    fn excess(&self, threshold: f64) -> [f64; 2] {
        self.sides.map(|side| side.excess(threshold))
    }
}

/// What texts differ in, one after the other: the shingles of one side, sorted,
/// then those of the other.
#[derive(Debug)]
struct Differing {
    held: Vec<u64>,
    most_held: usize,
    /// The first ones, if they do not fit.
    spilled: Option<Arc<Scratch>>,
    n_spilled: u64,
    target: std::path::PathBuf,
}

const BYTES: usize = size_of::<u64>();

impl Differing {
    fn new(memory: u64, means: &Means<'_>) -> Self {
        Self {
            held: Vec::new(),
            most_held: (memory as usize / BYTES).max(1),
            spilled: None,
            n_spilled: 0,
            target: means.target.into(),
        }
    }

    fn len(&self) -> u64 {
        self.n_spilled + self.held.len() as u64
    }

    fn push(&mut self, differing: &[u64]) -> Result<(), DedupeError> {
        if self.held.len() + differing.len() > self.most_held && !self.held.is_empty() {
            let scratch = match &mut self.spilled {
                Some(scratch) => scratch,
                none => none.insert(Arc::new(Scratch::beside(&self.target)?)),
            };
            let bytes = self.held.iter().flat_map(|number| number.to_le_bytes());
            scratch.append(&bytes.collect::<Vec<_>>())?;
            self.n_spilled += self.held.len() as u64;
            self.held.clear();
        }
        self.held.extend_from_slice(differing);
        Ok(())
    }

    /// The `n` shingles from `at` on, in memory or in `room`.
    fn get<'d>(
        &'d self,
        at: u64,
        n: usize,
        room: &'d mut Vec<u64>,
    ) -> Result<&'d [u64], DedupeError> {
        if at >= self.n_spilled {
            let start = (at - self.n_spilled) as usize;
            return Ok(&self.held[start..start + n]);
        }
        room.clear();
        // What one text differs in is spilled as a whole, or not.
        if let Some(scratch) = &self.spilled {
            let mut bytes = vec![0; n * BYTES];
            scratch.read_at(at * BYTES as u64, &mut bytes)?;
            let (numbers, _) = bytes.as_chunks::<BYTES>();
            room.extend(numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        }
        Ok(room)
    }
}

/// About how many texts have each differing shingle: as many or more.
#[derive(Debug, Default)]
struct Counters(Vec<u32>);

impl Counters {
    fn new(n_differing: u64) -> Self {
        const MOST: u64 = 1 << 22;
        let n = n_differing.clamp(256, MOST).next_power_of_two();
        Self(vec![0; n as usize])
    }

    fn place(&self, shingle: u64) -> usize {
        shingle as usize & (self.0.len() - 1)
    }

    fn add(&mut self, shingle: u64) {
        let place = self.place(shingle);
        self.0[place] = self.0[place].saturating_add(1);
    }

    fn of(&self, shingle: u64) -> u32 {
        self.0[self.place(shingle)]
    }
}

struct Crowd<'c, 's> {
    search: &'c Search<'s>,
    pool: Option<&'c ThreadPool>,
    means: &'c Means<'c>,
    members: Vec<Member>,
    differing: Differing,
    base: [Vec<u64>; 2],
    counters: Counters,
    /// The most texts that a rare shingle has, as the counters say.
    most_rare: u32,
}

impl Crowd<'_, '_> {
    /// Reads all texts, and keeps of each what differs.
    fn read(&mut self, sketches: &[u32]) -> Result<(), DedupeError> {
        let Self {
            search,
            pool,
            means,
            members,
            differing,
            base,
            ..
        } = self;
        let (search, base) = (*search, &*base);
        each(
            *pool,
            sketches.chunks(AT_ONCE),
            |sketches| {
                let mut shingled = Shingled::default();
                let (mut members, mut differing) = (Vec::new(), Vec::new());
                for &sketch in sketches {
                    search.shingled(sketch, &mut shingled)?;
                    let at = differing.len() as u64;
                    let mut sides = [Side::default(); 2];
                    for (n, side) in sides.iter_mut().enumerate() {
                        let set = &shingled.sets[n];
                        let before = differing.len();
                        difference(set, &base[n], &mut differing);
                        *side = Side {
                            n_chars: shingled.n_chars[n] as u32,
                            len: shingled.lens[n] as u32,
                            n_shingles: set.len() as u32,
                            n_differing: (differing.len() - before) as u32,
                            n_frequent: 0,
                        };
                    }
                    members.push(Member {
                        text: search.text_of(sketch),
                        context: shingled.context,
                        sides,
                        at,
                        group: 0,
                    });
                }
                Ok((members, differing))
            },
            |(read, shingles)| {
                means.check_stop()?;
                for member in read {
                    let start = member.at as usize;
                    members.push(Member {
                        at: differing.len(),
                        ..member
                    });
                    differing.push(&shingles[start..start + member.n_differing()])?;
                }
                Ok(())
            },
        )
    }

    /// Finds out which shingles are rare, and which texts have the same of those
    /// that are not.
    fn count(&mut self) -> Result<(), DedupeError> {
        let mut room = Vec::new();
        self.counters = Counters::new(self.differing.len());
        for member in &self.members {
            let all = self
                .differing
                .get(member.at, member.n_differing(), &mut room)?;
            all.iter().for_each(|&shingle| self.counters.add(shingle));
        }
        // What one of a few texts has is rare, whatever the counters say.
        let most = RARE.max(u32::try_from(self.differing.len()).unwrap_or(u32::MAX));
        self.most_rare = if self.members.len() > RARE as usize {
            RARE
        } else {
            most
        };
        for member in &mut self.members {
            let mut group = xxh3_64(&member.context.unwrap_or_default().to_le_bytes());
            let all = self
                .differing
                .get(member.at, member.n_differing(), &mut room)?;
            let (one, other) = all.split_at(member.sides[0].n_differing as usize);
            for (side, all) in member.sides.iter_mut().zip([one, other]) {
                for shingle in all {
                    if self.counters.of(*shingle) > self.most_rare {
                        side.n_frequent += 1;
                        group = xxh3_64_with_seed(&shingle.to_le_bytes(), group);
                    }
                }
            }
            member.group = group;
        }
        Ok(())
    }

    /// Links what is similar by what many have.
    fn link_groups(&self) -> Result<(), DedupeError> {
        let threshold = self.search.threshold();
        let mut order: Vec<u32> = (0..self.members.len() as u32).collect();
        let group_of = |n: &u32| self.members[*n as usize].group;
        order.sort_unstable_by_key(|n| (group_of(n), *n));
        let mut groups: Vec<&[u32]> = order
            .chunk_by(|one, other| group_of(one) == group_of(other))
            .collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.len()), group_of(&group[0])));
        let best = |group: &[u32]| self.best(group);
        let pivots = groups.iter().take(PIVOTS).map(|group| best(group));
        let pivots: Vec<Best> = pivots.collect::<Result<_, _>>()?;
        each(
            self.pool,
            groups.chunks(AT_ONCE.div_ceil(8)),
            |groups| {
                for &group in groups {
                    let own = best(group)?;
                    let is_pivot = pivots.iter().any(|pivot| pivot.group == own.group);
                    let all = pivots.iter().chain((!is_pivot).then_some(&own));
                    for pivot in all {
                        if pivot.context != own.context {
                            continue;
                        }
                        let common = pivot.frequent_in_common(&own);
                        for &n in group {
                            self.link_to(n, pivot, common, threshold);
                        }
                    }
                }
                Ok(())
            },
            |()| self.means.check_stop(),
        )
    }

    /// Links a text to the best of a group, if that is similar enough by the
    /// frequent shingles that all of both groups have in common.
    fn link_to(&self, n: u32, pivot: &Best, common: [u32; 2], threshold: f64) {
        let member = &self.members[n as usize];
        let excess = member.excess(threshold);
        for &other in &pivot.members {
            let other = &self.members[other as usize];
            let bounds = excess.iter().zip(other.excess(threshold)).zip(common);
            let mut bounds = bounds.map(|((one, other), common)| (one + other, common));
            if bounds.all(|(excess, common)| excess <= 2.0 * f64::from(common) + ROUNDING)
                && self.is_open(member, other)
                && self.is_similar(member, other, common)
            {
                self.search.unite(member.text, other.text);
            }
        }
    }

    /// Those of a group that are similar to all to which any of the group is,
    /// as far as what all have goes.
    fn best(&self, group: &[u32]) -> Result<Best, DedupeError> {
        let threshold = self.search.threshold();
        let excess = |n: &u32| self.members[*n as usize].excess(threshold);
        let mut by_excess: Vec<_> = group.iter().map(|n| (excess(n), *n)).collect();
        by_excess.sort_by(|(one, n), (other, m)| {
            let sides = one[0]
                .total_cmp(&other[0])
                .then(one[1].total_cmp(&other[1]));
            sides.then(n.cmp(m))
        });
        let mut members = Vec::new();
        let mut least = f64::INFINITY;
        for (excess, n) in by_excess {
            if excess[1] < least {
                least = excess[1];
                members.push(n);
            }
        }
        let first = &self.members[group[0] as usize];
        let mut room = Vec::new();
        let all = self
            .differing
            .get(first.at, first.n_differing(), &mut room)?;
        let (one, other) = all.split_at(first.sides[0].n_differing as usize);
        let is_frequent = |shingle: &&u64| self.counters.of(**shingle) > self.most_rare;
        let frequent = [one, other].map(|all| all.iter().filter(is_frequent).copied().collect());
        Ok(Best {
            group: first.group,
            context: first.context,
            members,
            frequent,
        })
    }

    /// Links what has rare shingles in common.
    fn link_rare(&self, memory: u64) -> Result<(), DedupeError> {
        if self.are_all_together() {
            return Ok(());
        }
        let most = (memory / 16).max(1);
        let least_excess = self.least_excess();
        let mut first = 0;
        while first < self.members.len() {
            let begin = self.members[first].at;
            let fits = |member: &Member| member.at + member.n_differing() as u64 <= begin + most;
            let n = self.members[first..].partition_point(fits).max(1);
            let index = Index::of(self, first, n)?;
            // Each has counters for all of the index.
            let at_once = AT_ONCE.max(n / 16);
            let starts = (first..self.members.len()).step_by(at_once);
            each(
                self.pool,
                starts,
                |start| {
                    let end = (start + at_once).min(self.members.len());
                    index.link(self, start..end, least_excess)
                },
                |()| self.means.check_stop(),
            )?;
            first += n;
        }
        Ok(())
    }

    /// The least excess on each side.
    fn least_excess(&self) -> [f64; 2] {
        let threshold = self.search.threshold();
        let all = self.members.iter().map(|member| member.excess(threshold));
        all.fold([f64::INFINITY; 2], |least, excess| {
            [least[0].min(excess[0]), least[1].min(excess[1])]
        })
    }

    fn are_all_together(&self) -> bool {
        let mut texts = self.members.iter().map(|member| member.text);
        let first = texts.next();
        first.is_none_or(|first| texts.all(|text| self.search.are_together(first, text)))
    }

    /// Whether it is not known yet whether two belong together, and can be told
    /// by these shingles.
    fn is_open(&self, one: &Member, other: &Member) -> bool {
        let mut sides = one.sides.iter().zip(&other.sides);
        one.context == other.context
            && sides.all(|(one, other)| {
                let len = suitable_len(one.n_chars.min(other.n_chars) as usize) as u32;
                one.len == other.len && (one.n_chars == 0 || one.len == len)
            })
            && !self.search.are_together(one.text, other.text)
    }

    /// Whether two are similar that have so many differing shingles in common.
    fn is_similar(&self, one: &Member, other: &Member, common: [u32; 2]) -> bool {
        let sides = one.sides.iter().zip(&other.sides).zip(common);
        let mut similar = sides.map(|((one, other), common)| {
            let apart = one.apart(*other, common);
            let both = (one.n_shingles + other.n_shingles).saturating_sub(apart) / 2;
            let all = one.n_shingles + other.n_shingles - both;
            all == 0 || f64::from(both) / f64::from(all) >= self.search.threshold()
        });
        similar.all(|is_similar| is_similar)
    }

    /// How many differing shingles two have in common.
    fn in_common(
        &self,
        one: &Member,
        other: &Member,
        rooms: &mut [Vec<u64>; 2],
    ) -> Result<[u32; 2], DedupeError> {
        let [room, other_room] = rooms;
        let a = self.differing.get(one.at, one.n_differing(), room)?;
        let b = self
            .differing
            .get(other.at, other.n_differing(), other_room)?;
        let (a, b) = (
            a.split_at(one.sides[0].n_differing as usize),
            b.split_at(other.sides[0].n_differing as usize),
        );
        Ok([n_common(a.0, b.0), n_common(a.1, b.1)])
    }
}

/// What rounding may do to a sum of excesses.
const ROUNDING: f64 = 1e-6;

/// The best of a group.
struct Best {
    group: u64,
    context: Option<u64>,
    members: Vec<u32>,
    /// The frequent shingles that all of the group have, for each side.
    frequent: [Vec<u64>; 2],
}

impl Best {
    fn frequent_in_common(&self, other: &Self) -> [u32; 2] {
        let [one, two] = &self.frequent;
        [
            n_common(one, &other.frequent[0]),
            n_common(two, &other.frequent[1]),
        ]
    }
}

/// Appends what is in one of two sorted sets and not in the other, sorted.
fn difference(one: &[u64], other: &[u64], out: &mut Vec<u64>) {
    let (mut i, mut j) = (0, 0);
    while i < one.len() && j < other.len() {
        let (a, b) = (one[i], other[j]);
        if a != b {
            out.push(a.min(b));
        }
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    out.extend_from_slice(&one[i..]);
    out.extend_from_slice(&other[j..]);
}

/// How many numbers two sorted sets have in common.
fn n_common(one: &[u64], other: &[u64]) -> u32 {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < one.len() && j < other.len() {
        let (a, b) = (one[i], other[j]);
        common += u32::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    common
}

/// Which of some texts have a rare shingle.
struct Index {
    /// The first of them.
    first: usize,
    n: usize,
    /// Where what begins with the same bits starts in `entries`.
    starts: Vec<u32>,
    /// Other bits of a shingle, and the text, counted from the first.
    entries: Vec<(u32, u32)>,
}

impl Index {
    /// Makes one of `n` texts from `first` on.
    fn of(crowd: &Crowd<'_, '_>, first: usize, n: usize) -> Result<Self, DedupeError> {
        let members = &crowd.members[first..first + n];
        let mut room = Vec::new();
        let mut found: Vec<(u64, u32)> = Vec::new();
        for (member, n) in members.iter().zip(0..) {
            let all = crowd
                .differing
                .get(member.at, member.n_differing(), &mut room)?;
            let rare =
                |shingle: &&u64| (2..=crowd.most_rare).contains(&crowd.counters.of(**shingle));
            found.extend(all.iter().filter(rare).map(|&shingle| (shingle, n)));
        }
        let n_starts = found.len().next_power_of_two().max(2);
        let mut starts = vec![0_u32; n_starts + 1];
        for (shingle, _) in &found {
            starts[place(*shingle, n_starts) + 1] += 1;
        }
        for n in 0..n_starts {
            starts[n + 1] += starts[n];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0); found.len()];
        for (shingle, n) in found {
            let next = &mut next[place(shingle, n_starts)];
            entries[*next as usize] = (shingle as u32, n);
            *next += 1;
        }
        Ok(Self {
            first,
            n,
            starts,
            entries,
        })
    }

    /// Links some texts to those in the index that stand before them.
    fn link(
        &self,
        crowd: &Crowd<'_, '_>,
        range: std::ops::Range<usize>,
        least_excess: [f64; 2],
    ) -> Result<(), DedupeError> {
        let threshold = crowd.search.threshold();
        let mut counts = vec![[0_u32; 2]; self.n];
        let mut touched = Vec::new();
        let (mut room, mut rooms) = (Vec::new(), [Vec::new(), Vec::new()]);
        let mut shared = [Vec::new(), Vec::new()];
        let mut n_compared = 0;
        for n in range {
            let member = &crowd.members[n];
            let all = crowd
                .differing
                .get(member.at, member.n_differing(), &mut room)?;
            let (one, other) = all.split_at(member.sides[0].n_differing as usize);
            for (shared, all) in shared.iter_mut().zip([one, other]) {
                shared.clear();
                let counted = all
                    .iter()
                    .map(|&shingle| (crowd.counters.of(shingle), shingle));
                shared.extend(counted.filter(|(count, _)| *count > 1));
            }
            let excess = member.excess(threshold);
            let least = [0, 1].map(|side| excess[side] + least_excess[side]);
            let way = way(
                &mut shared,
                least.map(|least| least / 2.0 - ROUNDING),
                crowd.most_rare,
            );
            let (sides, n_looked) = match way {
                Way::Nobody => continue,
                Way::Count => (0..2, [usize::MAX; 2]),
                Way::Compare { side, n_rarest } => (side..side + 1, [n_rarest; 2]),
            };
            let before = (n - self.first).min(self.n) as u32;
            for side in sides {
                for &(count, shingle) in shared[side].iter().take(n_looked[side]) {
                    if count > crowd.most_rare {
                        continue;
                    }
                    for other in self.have(shingle, before) {
                        let count = &mut counts[other as usize];
                        if *count == [0; 2] {
                            touched.push(other);
                        }
                        count[side] += 1;
                    }
                }
            }
            for other in touched.drain(..) {
                let count = std::mem::take(&mut counts[other as usize]);
                let other = &crowd.members[self.first + other as usize];
                let may_be = (0..2).all(|side| {
                    let (one, two) = (&member.sides[side], &other.sides[side]);
                    let most = match way {
                        // At best all that is frequent is in common, too.
                        Way::Count => count[side] + one.n_frequent.min(two.n_frequent),
                        _ => (shared[side].len() as u32).min(two.n_differing),
                    };
                    excess[side] + two.excess(threshold) <= 2.0 * f64::from(most) + ROUNDING
                });
                if may_be && crowd.is_open(member, other) {
                    n_compared += 1;
                    let common = crowd.in_common(member, other, &mut rooms)?;
                    if crowd.is_similar(member, other, common) {
                        crowd.search.unite(member.text, other.text);
                    }
                }
            }
        }
        crowd
            .search
            .n_compared
            .fetch_add(n_compared, Ordering::Relaxed);
        Ok(())
    }

    /// Those before `before` that have a shingle, in order; hardly ever one that
    /// has not.
    fn have(&self, shingle: u64, before: u32) -> impl Iterator<Item = u32> {
        let place = place(shingle, self.starts.len() - 1);
        let (start, end) = (self.starts[place], self.starts[place + 1]);
        let same = self.entries[start as usize..end as usize].iter();
        let same = same.take_while(move |(_, other)| *other < before);
        same.filter(move |(bits, _)| *bits == shingle as u32)
            .map(|(_, other)| *other)
    }
}

/// How those are found that are similar to a text.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// There are none: too little is shared with any.
    Nobody,
    /// What all have in common is counted.
    Count,
    /// Those that have one of the rarest shingles of a side are compared.
    Compare { side: usize, n_rarest: usize },
}

/// Chooses the cheaper way, given the shingles that are shared with any, after
/// how many have them, and how many a similar text must have at least. Sorts
/// them, if they are compared.
fn way(shared: &mut [Vec<(u32, u64)>; 2], least: [f64; 2], most_rare: u32) -> Way {
    /// To compare two takes as long as counting so many times.
    const COMPARING: u64 = 16;
    let cost = |shared: &[(u32, u64)]| {
        let rare = shared.iter().map(|(count, _)| *count);
        let rare = rare.filter(|count| *count <= most_rare);
        rare.map(u64::from).sum::<u64>()
    };
    let (mut way, mut least_cost) = (Way::Count, shared.iter().map(|all| cost(all)).sum());
    for (side, (shared, least)) in shared.iter_mut().zip(least).enumerate() {
        let least = least.ceil().max(0.0) as usize;
        if least > shared.len() {
            return Way::Nobody;
        }
        if least == 0 {
            continue;
        }
        // Whoever has that many of them has one of these.
        let n_rarest = shared.len() + 1 - least;
        shared.sort_unstable();
        let compared = COMPARING * cost(&shared[..n_rarest]);
        if compared < least_cost {
            (way, least_cost) = (Way::Compare { side, n_rarest }, compared);
        }
    }
    way
}

/// Where a shingle stands, of so many places, a power of two.
fn place(shingle: u64, n_places: usize) -> usize {
    (shingle >> (u64::BITS - n_places.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::shingles::jaccard;

    fn set() -> impl Strategy<Value = Vec<u64>> {
        let set = proptest::collection::btree_set(0..40_u64, 0..30);
        set.prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_differs_from_any_base_tells_the_similarity(
            one in set(), other in set(), base in set(), threshold in 0.5..1.0_f64,
        ) {
            let sides = [&one, &other].map(|set| {
                let mut differing = Vec::new();
                difference(set, &base, &mut differing);
                let side = Side {
                    n_shingles: set.len() as u32,
                    n_differing: differing.len() as u32,
                    ..Side::default()
                };
                (side, differing)
            });
            let [(a, in_one), (b, in_other)] = &sides;
            let common = n_common(in_one, in_other);
            let excess = a.excess(threshold) + b.excess(threshold);
            let similarity = jaccard(&one, &other);
            prop_assume!((similarity - threshold).abs() > 1e-9);
            prop_assert_eq!(excess <= 2.0 * f64::from(common), similarity >= threshold);
            prop_assert_eq!(a.apart(*b, common) as usize, {
                let mut apart = Vec::new();
                difference(&one, &other, &mut apart);
                apart.len()
            });
        }
    }
}
