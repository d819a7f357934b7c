//! The first reading, and what follows from it.

use super::near::{self, Near, Sketching, Texts};
use super::verdict::{Bits, Kind, Member, Rival, Verdict, get_place, ordered_by, put_place};
use super::{By, Conflicts, DedupeError, Inputs, Keep, Means, Merged, Options};
use crate::io::{Input, Rereading};
use crate::pipeline::compared::{Prints, Reader};
use crate::pipeline::lines::{LineBatch, LineReader};
use crate::pipeline::ordered;
use crate::pipeline::partitions::{Packed, Partitions, Sorted};
use crate::pipeline::spares::Spares;

/// What an example is known by. Those with one `key` and one `sub` are
/// duplicates.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) struct Print {
    pub(in crate::pipeline) key: u128,
    /// What tells examples with one key apart: the answer, where the key is
    /// the prompt. 0 if there is none.
    pub(in crate::pipeline) sub: u64,
    /// Equal if the texts are, byte for byte.
    pub(in crate::pipeline) exact: u64,
    pub(in crate::pipeline) place: u64,
    text_bytes: u32,
}

ordered_by!(Print, this, (this.key, this.sub, this.place));

impl Packed for Print {
    const SIZE: usize = 41;

    fn prefix(&self) -> u64 {
        (self.key >> 64) as u64
    }

    fn pack(&self, into: &mut [u8]) {
        into[..16].copy_from_slice(&self.key.to_le_bytes());
        into[16..24].copy_from_slice(&self.sub.to_le_bytes());
        into[24..32].copy_from_slice(&self.exact.to_le_bytes());
        put_place(self.place, &mut into[32..]);
        into[37..].copy_from_slice(&self.text_bytes.to_le_bytes());
    }

    fn unpack(from: &[u8]) -> Self {
        fn bytes<const N: usize>(from: &[u8]) -> [u8; N] {
            let mut bytes = [0; N];
            bytes.copy_from_slice(&from[..N]);
            bytes
        }
        Self {
            key: u128::from_le_bytes(bytes(from)),
            sub: u64::from_le_bytes(bytes(&from[16..])),
            exact: u64::from_le_bytes(bytes(&from[24..])),
            place: get_place(&from[32..]),
            text_bytes: u32::from_le_bytes(bytes(&from[37..])),
        }
    }
}

/// The answer as it tells examples with one prompt apart.
fn sub_of(prints: &Prints) -> u64 {
    prints.answer.map_or(0, |answer| (answer as u64).max(1))
}

impl Print {
    /// How an example takes part in looking for duplicates, if it does.
    pub(in crate::pipeline) fn of_duplicate(prints: &Prints, by: By, place: u64) -> Option<Self> {
        let (key, sub, exact) = match by {
            By::Example => (
                prints.prompt,
                sub_of(prints),
                prints.exact_prompt ^ prints.exact_answer.rotate_left(1),
            ),
            By::User => (prints.prompt, 0, prints.exact_prompt),
            By::Model => (prints.answer?, 0, prints.exact_answer),
        };
        Some(Self {
            key,
            sub,
            exact,
            place,
            text_bytes: prints.text_bytes,
        })
    }

    /// How it takes part in looking for conflicts that the other does not show.
    fn of_conflict(prints: &Prints, by: By, place: u64) -> Option<Self> {
        let print = Self::of_duplicate(prints, By::Example, place);
        print.filter(|print| by == By::Model && print.sub != 0)
    }
}

/// What the first reading gave.
pub(super) struct First {
    pub(super) inputs: Inputs,
    duplicates: Partitions<Print>,
    conflicts: Partitions<Print>,
    /// Lines that are no examples.
    others: Partitions<Verdict>,
    pub(super) near: Option<Near>,
}

/// A batch after the first reading; lines count from its first.
#[derive(Default)]
struct Planned {
    input: usize,
    prints: Vec<(u64, Prints)>,
    others: Vec<u64>,
    near: near::Batch,
    n_lines: u64,
}

/// Places have five bytes.
const MOST_LINES: u64 = 1 << 40;

/// Reads all inputs for the first time.
pub(super) fn read(
    inputs: Vec<Input>,
    options: Options,
    means: &Means<'_>,
) -> Result<First, DedupeError> {
    let mut first = First {
        inputs: Inputs {
            inputs: Vec::new(),
            starts: vec![0],
        },
        duplicates: Partitions::new(means.memory / 2, means.target),
        conflicts: Partitions::new(means.memory / 4, means.target),
        others: Partitions::of_numbers(MOST_LINES, means.memory / 16, means.target),
        near: None,
    };
    let sketching = options.near.map(|near| Sketching::new(near, options.by));
    let mut near = sketching.map(|sketching| Near::new(sketching, means));
    let (readers, spares) = (Spares::default(), Spares::default());
    let mut front = Front::new(inputs, means)?;
    let (mut input, mut line) = (0, 0);
    ordered::for_each(
        means.pool,
        || front.next(),
        |(input, batch): (usize, LineBatch)| {
            let mut reader: Reader = readers.take().unwrap_or_default();
            reader.skip_answers(options.by == By::User);
            let mut planned: Planned = spares.take().unwrap_or_default();
            planned.input = input;
            planned.n_lines = batch.for_each(|line| {
                if line.is_blank() {
                    return;
                }
                // The reason is told when the line is left out.
                let Ok(prints) = reader.read(line.text, false) else {
                    planned.others.push(line.number);
                    return;
                };
                if let (Some(sketching), Ok(text)) = (&sketching, line.text) {
                    let at = batch.offset + line.offset;
                    let line = (line.number, at, text.bytes().len());
                    sketching.add(&reader, &prints, line, &mut planned.near);
                }
                planned.prints.push((line.number, prints));
            });
            readers.give(reader);
            planned
        },
        |mut planned: Planned| {
            while input < planned.input {
                first.inputs.starts.push(line);
                input += 1;
            }
            for (number, prints) in planned.prints.drain(..) {
                let place = line + number;
                if let Some(print) = Print::of_duplicate(&prints, options.by, place) {
                    first.duplicates.push(&print)?;
                }
                if let Some(print) = Print::of_conflict(&prints, options.by, place) {
                    first.conflicts.push(&print)?;
                }
            }
            for number in planned.others.drain(..) {
                first.others.push(&Verdict {
                    place: line + number,
                    kind: Kind::NoExample,
                    other: 0,
                    similarity: 0.0,
                })?;
            }
            if let Some(near) = &mut near {
                near.push(&mut planned.near, line)?;
            }
            line += planned.n_lines;
            spares.give(planned);
            Ok(())
        },
    )?;
    first.near = near;
    first.inputs.inputs = front.finish()?;
    first
        .inputs
        .starts
        .resize(first.inputs.inputs.len() + 1, line);
    Ok(first)
}

/// The lines of all inputs, one input after the other.
pub(in crate::pipeline) struct Front<'m> {
    inputs: std::vec::IntoIter<Input>,
    current: Option<(LineReader, Rereading)>,
    done: Vec<Rereading>,
    means: &'m Means<'m>,
}

impl<'m> Front<'m> {
    pub(in crate::pipeline) fn new(
        inputs: Vec<Input>,
        means: &'m Means<'m>,
    ) -> Result<Self, DedupeError> {
        let mut this = Self {
            inputs: inputs.into_iter(),
            current: None,
            done: Vec::new(),
            means,
        };
        this.advance()?;
        Ok(this)
    }

    fn advance(&mut self) -> Result<(), DedupeError> {
        self.done
            .extend(self.current.take().map(|(_, reread)| reread));
        if let Some(input) = self.inputs.next() {
            let (rereading, input) = Rereading::begin(input, self.means.target)?;
            self.current = Some((LineReader::new(input)?, rereading));
        }
        Ok(())
    }

    pub(in crate::pipeline) fn next(&mut self) -> Result<Option<(usize, LineBatch)>, DedupeError> {
        self.means.check_stop()?;
        while let Some((reader, _)) = &mut self.current {
            if let Some(batch) = reader.next()? {
                return Ok(Some((self.done.len(), batch)));
            }
            self.advance()?;
        }
        Ok(None)
    }

    pub(in crate::pipeline) fn finish(self) -> Result<Vec<crate::io::Reread>, DedupeError> {
        let rereads = self.done.into_iter().map(Rereading::finish);
        Ok(rereads.collect::<Result<_, _>>()?)
    }
}

/// Which lines go, and why.
pub(super) struct Plan {
    pub(super) inputs: Inputs,
    pub(super) verdicts: Partitions<Verdict>,
    pub(super) clusters: Option<Partitions<Member>>,
    texts: Option<Texts>,
    least: Vec<Verdict>,
}

/// What one partition of prints gave.
#[derive(Default)]
struct Found {
    verdicts: Vec<Verdict>,
    rivals: Vec<Rival>,
}

/// Decides about every line.
pub(super) fn settle(
    first: First,
    options: Options,
    wants_clusters: bool,
    means: &Means<'_>,
) -> Result<Plan, DedupeError> {
    let n_lines = first.inputs.n_lines();
    let numbered = |share| (n_lines, means.memory / share, means.target);
    let (most, memory, target) = numbered(8);
    let mut verdicts: Partitions<Verdict> = Partitions::of_numbers(most, memory, target);
    let (most, memory, target) = numbered(16);
    let mut rivals: Partitions<Rival> = Partitions::of_numbers(most, memory, target);
    let mut gone = Bits::new(n_lines);
    first.duplicates.visit(
        means.pool,
        |prints| duplicates(prints, options),
        |found: Found| {
            means.check_stop()?;
            for verdict in &found.verdicts {
                gone.set(verdict.place);
                verdicts.push(verdict)?;
            }
            found
                .rivals
                .iter()
                .try_for_each(|rival| rivals.push(rival))?;
            Ok::<_, DedupeError>(())
        },
    )?;
    let mut merged = near::Merged::default();
    let mut texts = None;
    if let Some(near) = first.near {
        let found = near.find(&first.inputs, &mut gone, options.keep, means)?;
        (merged, texts) = (found.0, Some(found.1));
    }
    first.conflicts.visit(
        means.pool,
        |prints| {
            let stays = prints.iter().filter(|print| !gone.has(print.place));
            conflicts(&stays.copied().collect::<Vec<_>>())
        },
        |found| {
            found.iter().try_for_each(|rival| rivals.push(rival))?;
            Ok::<_, DedupeError>(())
        },
    )?;

    let (most, memory, target) = numbered(8);
    let mut plan = Plan {
        inputs: first.inputs,
        verdicts: Partitions::of_numbers(most, memory, target),
        clusters: wants_clusters.then(|| Partitions::of_numbers(most, memory, target)),
        texts,
        least: Vec::new(),
    };
    let mut others = first.others.into_sorted();
    while let Some(verdict) = others.next()? {
        plan.verdicts.push(&verdict)?;
    }
    // A duplicate of a near-duplicate that goes is one of what is kept.
    let mut sorted = verdicts.into_sorted();
    while let Some(verdict) = sorted.next()? {
        let verdict = merged.follow(verdict);
        plan.add(verdict, verdict.other)?;
    }
    for verdict in merged.verdicts() {
        plan.add(verdict, verdict.other)?;
    }
    settle_conflicts(rivals.into_sorted(), &gone, options.conflicts, &mut plan)?;
    Ok(plan)
}

/// Near-duplicates, and how similar they are to what would be kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NearPairs {
    /// How many examples would be left out as near-duplicates.
    pub examples: u64,
    /// The least similar of them, the least similar first.
    pub least_similar: Vec<NearPair>,
}

/// A near-duplicate, and what would be kept for its sake. Lines are numbered
/// through all inputs from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearPair {
    /// The Jaccard index of the two.
    pub similarity: f32,
    /// The line that would be kept.
    pub kept: u64,
    /// The line that would be left out.
    pub dropped: u64,
}

/// Looks for the near-duplicates that deduplicating would leave out, and gives
/// the `most` least similar ones. Costs a reading of its own and some thirty
/// bytes an example.
///
/// # Errors
///
/// When an input cannot be read, or what does not fit into memory cannot be
/// kept on the disk.
pub fn near_pairs(
    inputs: Vec<Input>,
    threshold: super::Threshold,
    most: usize,
    means: &Means<'_>,
) -> Result<NearPairs, DedupeError> {
    let options = Options {
        near: Some(threshold),
        ..Options::default()
    };
    let plan = settle(read(inputs, options, means)?, options, false, means)?;
    let mut pairs = NearPairs::default();
    let mut verdicts = plan.verdicts.into_sorted();
    while let Some(verdict) = verdicts.next()? {
        if verdict.kind != Kind::Near {
            continue;
        }
        pairs.examples += 1;
        let least = &mut pairs.least_similar;
        let at = least.partition_point(|pair| pair.similarity <= verdict.similarity);
        if at < most {
            least.insert(
                at,
                NearPair {
                    similarity: verdict.similarity,
                    kept: verdict.other,
                    dropped: verdict.place,
                },
            );
            least.truncate(most);
        }
    }
    Ok(pairs)
}

impl Plan {
    /// Adds what becomes of a line, which is in the cluster of another.
    fn add(&mut self, verdict: Verdict, cluster: u64) -> Result<(), DedupeError> {
        /// How many of the least similar pairs are remembered.
        const N_LEAST: usize = 10;
        self.verdicts.push(&verdict)?;
        if let Some(clusters) = &mut self.clusters {
            clusters.push(&Member(Verdict {
                other: cluster,
                ..verdict
            }))?;
        }
        if verdict.kind == Kind::Near {
            let key = |verdict: &Verdict| (verdict.similarity.to_bits(), verdict.place);
            let at = self
                .least
                .partition_point(|other| key(other) < key(&verdict));
            if at < N_LEAST {
                self.least.insert(at, verdict);
                self.least.truncate(N_LEAST);
            }
        }
        Ok(())
    }

    /// The least similar pairs, with the beginnings of their texts.
    pub(super) fn least_similar(&self) -> Result<Vec<Merged>, DedupeError> {
        let mut shown = Vec::new();
        let mut reader = Reader::default();
        for verdict in &self.least {
            let mut shown_line = |place| {
                let text = match &self.texts {
                    Some(texts) => texts.excerpt(place, &self.inputs, &mut reader)?,
                    None => String::new(),
                };
                Ok::<_, DedupeError>((self.inputs.name(place), text))
            };
            shown.push(Merged {
                similarity: verdict.similarity,
                kept: shown_line(verdict.other)?,
                dropped: shown_line(verdict.place)?,
            });
        }
        Ok(shown)
    }
}

/// The duplicates among prints in order, and what conflicts in what is left.
fn duplicates(prints: &[Print], options: Options) -> Found {
    let mut found = Found::default();
    for same_key in prints.chunk_by(|a, b| a.key == b.key) {
        let mut kept_here = Vec::new();
        for same in same_key.chunk_by(|a, b| a.sub == b.sub) {
            let kept = kept(same, options.keep);
            kept_here.push(*kept);
            let gone = same.iter().filter(|print| print.place != kept.place);
            found.verdicts.extend(gone.map(|print| Verdict {
                place: print.place,
                kind: if print.exact == kept.exact {
                    Kind::Exact
                } else {
                    Kind::Normalised
                },
                other: kept.place,
                similarity: 1.0,
            }));
        }
        if options.by == By::Example && kept_here.len() > 1 {
            found.rivals.extend(conflicts(&kept_here));
        }
    }
    found
}

/// Which of some duplicates, in input order, is kept.
fn kept(same: &[Print], keep: Keep) -> &Print {
    let last = same.len() - 1;
    match keep {
        Keep::First => &same[0],
        Keep::Last => &same[last],
        Keep::Longest => same
            .iter()
            .rev()
            .max_by_key(|print| print.text_bytes)
            .unwrap_or(&same[last]),
    }
}

/// Prints, in order, whose prompt has several answers among them.
fn conflicts(prints: &[Print]) -> Vec<Rival> {
    let mut rivals = Vec::new();
    for same_key in prints.chunk_by(|a, b| a.key == b.key) {
        let answered = same_key.iter().filter(|print| print.sub != 0);
        let group = answered.clone().map(|print| print.place).min();
        let mut subs: Vec<_> = answered.clone().map(|print| print.sub).collect();
        subs.dedup();
        if let (Some(group), true) = (group, subs.len() > 1) {
            rivals.extend(answered.map(|print| Rival {
                group,
                place: print.place,
            }));
        }
    }
    rivals
}

/// Decides about lines that have one prompt and several answers.
fn settle_conflicts(
    mut rivals: Sorted<Rival>,
    gone: &Bits,
    conflicts: Conflicts,
    plan: &mut Plan,
) -> Result<(), DedupeError> {
    let (mut group, mut places) = (None, Vec::new());
    loop {
        let next = rivals.next()?;
        if next.map(|rival| rival.group) != group {
            settle_group(&places, conflicts, plan)?;
            places.clear();
            group = next.map(|rival| rival.group);
        }
        match next {
            Some(rival) if gone.has(rival.place) => {}
            Some(rival) => places.push(rival.place),
            None => return Ok(()),
        }
    }
}

/// Decides about the lines of one prompt, in input order.
fn settle_group(places: &[u64], conflicts: Conflicts, plan: &mut Plan) -> Result<(), DedupeError> {
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
        return Ok(());
    };
    if first == last {
        return Ok(());
    }
    let (kind, cluster) = match conflicts {
        Conflicts::Report => (Kind::Told, first),
        Conflicts::Drop => (Kind::Conflict, first),
        Conflicts::Newest => (Kind::Conflict, last),
    };
    let going = places.iter().copied();
    for place in going.filter(|&place| conflicts != Conflicts::Newest || place != last) {
        let verdict = Verdict {
            place,
            kind,
            other: if place == cluster { last } else { cluster },
            similarity: 1.0,
        };
        plan.add(verdict, cluster)?;
    }
    Ok(())
}
