//! What sides have in common, counted in the files that were written.
//!
//! The plan is not asked on which side a line is: the files are read again, and
//! their passports for the groups. A line that was found is known by its bytes,
//! that is, by their 128-bit fingerprint: if it is the one that the first reading
//! took of a line of the input, then it has the prompt, answer, turns and sketches
//! of that line, as these are functions of the bytes. So what two lines have in
//! common was seen when the input was read, and what is left to be seen is whether
//! any two lines with something in common were found on different sides, and
//! whether other sketches find near-duplicates on different sides. As a rule
//! neither is so, and that **settles** it.
//!
//! Should a line not be the one that is expected there, should anything turn out to
//! be in common, or should it be another try, then all is **counted**: the files
//! are read as any dataset would be, and nothing is taken from the first reading.

use std::fmt;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::atoms::{Atoms, FIRST_PROOF};
use super::quota::Sides;
use super::scan::{self, Class, Seen, Tie, Ties, for_each_knot};
use super::write::Written;
use super::{AtomCounts, Options, Side, Sinks, SplitError};
use crate::io::passport::fingerprint;
use crate::io::{Input, OutputError, Passport, PassportError, partial_path};
use crate::pipeline::dedupe::near::{Near, Sketching};
use crate::pipeline::dedupe::verdict::Bits;
use crate::pipeline::dedupe::{DedupeError, Inputs, Means};
use crate::pipeline::lines::{LineBatch, LineReader};
use crate::pipeline::ordered;
use crate::pipeline::spares::Spares;

/// How many examples have something in common with one of an earlier side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Overlap {
    /// A prompt or an answer, byte for byte.
    pub exact: u64,
    /// A prompt or an answer, normalised.
    pub normalised: u64,
    /// A prompt at the threshold.
    pub near: u64,
    /// A group.
    pub group: u64,
    /// A conversation of which one is the beginning of the other.
    pub conversation: u64,
}

impl Overlap {
    /// Whether nothing is in common.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            exact,
            normalised,
            near,
            group,
            conversation,
        } = self;
        write!(
            f,
            "exact {exact}, normalised {normalised}, near {near}, group {group}, conversation {conversation}"
        )
    }
}

/// What a split is, and that nothing leaks: `proof.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The examples of each side.
    pub sides: Vec<(Side, u64)>,
    /// The ratio that was asked for.
    pub ratio: Vec<f64>,
    /// What the sides have in common.
    pub overlap: Overlap,
    /// How similar prompts on two sides are not.
    pub near_threshold: Option<f64>,
    /// What chose this split.
    pub seed: u64,
    /// What must stay together.
    pub atoms: AtomCounts,
}

/// The examples of each side, by name.
struct Named<'p>(&'p [(Side, u64)]);

impl Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (side, n) in self.0 {
            map.serialize_entry(side.as_str(), n)?;
        }
        map.end()
    }
}

impl Serialize for Proof {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &1)?;
        map.serialize_entry("sides", &Named(&self.sides))?;
        match self.ratio[..] {
            [train, _] => map.serialize_entry("ratio", &train)?,
            _ => map.serialize_entry("ratio", &self.ratio)?,
        }
        map.serialize_entry("overlap", &self.overlap)?;
        map.serialize_entry("near_threshold", &self.near_threshold)?;
        map.serialize_entry("seed", &self.seed)?;
        map.serialize_entry("atoms", &self.atoms.atoms)?;
        map.serialize_entry("largest_atom", &self.atoms.largest)?;
        map.serialize_entry("labels", &self.atoms.labels.0)?;
        map.serialize_entry("label_examples", &self.atoms.labels.1)?;
        map.end()
    }
}

/// A line of a side, both from 0.
pub(super) type Place = (usize, u64);

/// Counts what the sides have in common, and gives the pairs of near-duplicates
/// that were missed. `salt` chooses the sketches by which they are looked for.
pub(super) fn check(
    (atoms, sides): (&Atoms, &Sides),
    written: &Written,
    options: &Options,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
    salt: u64,
) -> Result<(Overlap, Vec<(Place, Place)>), SplitError> {
    if salt == FIRST_PROOF && is_settled(atoms, sides, written, options, sinks, means)? {
        return Ok((Overlap::default(), Vec::new()));
    }
    count(written, options, sinks, means, salt)
}

/// Whether the files are seen to have nothing in common; `false` if that must be
/// counted. Takes a fifth of the time at most; a test holds the two together.
pub(super) fn is_settled(
    atoms: &Atoms,
    sides: &Sides,
    written: &Written,
    options: &Options,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
) -> Result<bool, SplitError> {
    let Some(found) = found(atoms, sides, written, sinks, means)? else {
        return Ok(false);
    };
    let side = |line: u32| found[line as usize];
    let are_tied_together = atoms
        .tied
        .iter()
        .all(|&(one, other)| side(one) == side(other));
    if !are_tied_together || !are_groups_apart(sinks, means)? {
        return Ok(false);
    }
    match (options.near, &atoms.later) {
        (None, _) => Ok(true),
        (Some(_), None) => Ok(false),
        (Some(_), Some(near)) => {
            // The few pairs whose sketches leave it open are compared as they stand in
            // the input, which was what it had been when the sides were written.
            let across = near.across(&found, &atoms.inputs, &atoms.gone, means)?;
            Ok(across.is_empty())
        }
    }
}

/// The side on which every line of the input is found in the files, or
/// [`NOWHERE`]; `None` if what they have is not what was to be written.
fn found(
    atoms: &Atoms,
    sides: &Sides,
    written: &Written,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
) -> Result<Option<Vec<u8>>, SplitError> {
    let mut found = vec![NOWHERE; atoms.prints().len()];
    for (place, side) in sinks.sides.iter().zip(0..) {
        let input = Input::open(&partial_path(&place.data))?;
        let mut reader = LineReader::new(input.without_checksum())?;
        let mut lines = written.lines(usize::from(side), sides);
        let mut is_expected = true;
        let spares = Spares::default();
        ordered::for_each(
            means.pool,
            || {
                means.check_stop()?;
                Ok(reader.next()?)
            },
            |batch: LineBatch| {
                let mut prints: Vec<Option<u128>> = spares.take().unwrap_or_default();
                batch.for_each_unread(|line| {
                    prints.push(line.text.ok().map(|text| fingerprint(text.bytes())));
                });
                prints
            },
            |mut prints: Vec<Option<u128>>| {
                for print in prints.drain(..) {
                    let line = lines.next().map(|line| line as usize);
                    match line.filter(|&line| print == Some(atoms.prints()[line])) {
                        Some(line) => found[line] = side,
                        None => is_expected = false,
                    }
                }
                spares.give(prints);
                Ok::<_, DedupeError>(())
            },
        )?;
        if !is_expected || lines.next().is_some() {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// Where a line is that is on no side.
const NOWHERE: u8 = u8::MAX;

/// Whether no group is in the passports of two sides.
fn are_groups_apart(sinks: &Sinks<'_>, means: &Means<'_>) -> Result<bool, SplitError> {
    let mut ties = Ties::new(means);
    let mut starts = Vec::new();
    let mut start = 0;
    for place in &sinks.sides {
        starts.push(start);
        start += push_groups(&partial_path(&place.passport), start, &mut ties)?;
    }
    let side = |tie: &Tie| starts.partition_point(|&start| start <= u64::from(tie.line));
    let mut are_apart = true;
    ties.visit(
        means,
        |ties: &[Tie]| {
            let mut are_apart = true;
            for_each_knot(ties, start, &mut (0, 0), |same| {
                are_apart &= same.iter().all(|tie| side(tie) == side(&same[0]));
            });
            are_apart
        },
        |of_some: bool| {
            are_apart &= of_some;
            Ok(())
        },
    )?;
    Ok(are_apart)
}

/// Reads the files as any dataset, and counts what they have in common.
pub(super) fn count(
    written: &Written,
    options: &Options,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
    salt: u64,
) -> Result<(Overlap, Vec<(Place, Place)>), SplitError> {
    let open = |path| Input::open(&partial_path(path));
    let inputs = sinks.sides.iter().map(|side| open(&side.data));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let mut ties = Ties::new(means);
    let sketching = options.near.map(|near| Sketching::of_prompts(near, salt));
    let mut near = sketching.map(|sketching| Near::new(sketching, means));
    let mut n_examples = 0;
    let inputs = scan::scan(inputs, options, sketching, means, |first, scanned| {
        ties.push(scanned, first)?;
        let examples = scanned.lines.iter();
        n_examples += examples
            .filter(|seen| matches!(seen, Seen::Example { .. }))
            .count() as u64;
        match &mut near {
            Some(near) => Ok(near.push(&mut scanned.near, first)?),
            None => Ok(()),
        }
    })?;
    if n_examples != written.ledger.written || n_examples != inputs.n_lines() {
        let message = format!(
            "{} examples were written, {n_examples} are there",
            written.ledger.written
        );
        return Err(SplitError::Leak(message));
    }
    for (place, &start) in sinks.sides.iter().zip(&inputs.starts) {
        push_groups(&partial_path(&place.passport), start, &mut ties)?;
    }

    let mut shared = Shared::new(inputs.n_lines());
    let mut gone = Bits::new(inputs.n_lines());
    ties.visit(
        means,
        |ties: &[Tie]| Found::of(ties, n_examples, &inputs),
        |found: Found| {
            means.check_stop()?;
            found
                .shared
                .iter()
                .for_each(|&(kind, line)| shared.add(kind, line));
            found.gone.iter().for_each(|&line| gone.set(line));
            Ok(())
        },
    )?;
    let mut missed = Vec::new();
    if let Some(near) = near {
        let place = |line: u64| {
            let (side, line) = inputs.line(line);
            (side, line - 1)
        };
        // What is similar on one side is no leak, and need not be looked at.
        let n_lines = |starts: &[u64]| (starts[1] - starts[0]) as usize;
        let sides = (0..).zip(inputs.starts.windows(2).map(n_lines));
        let sides: Vec<u8> = sides
            .flat_map(|(side, n)| std::iter::repeat_n(side, n))
            .collect();
        // Sides come one after the other, so `one` is on the earlier one.
        for (one, other) in near.across(&sides, &inputs, &gone, means)? {
            shared.add(Kind::Near, other);
            missed.push((place(one), place(other)));
        }
    }
    Ok((shared.counts, missed))
}

/// Adds the groups of the stamps of a side whose first line is `start`, and gives
/// the number of stamps.
fn push_groups(path: &std::path::Path, start: u64, ties: &mut Ties) -> Result<u64, SplitError> {
    let failed = |source| PassportError::Read {
        path: path.into(),
        source,
    };
    let (mut line, mut error) = (start, None);
    let mut passport = Passport::open(path)?;
    let n_stamps = passport.footer().stamps;
    if !passport.footer().grouped {
        return Ok(n_stamps);
    }
    let read = passport.for_each(|stamp| {
        if !stamp.group.is_empty() && error.is_none() {
            error = ties.push_group(&stamp.group, line).err();
        }
        line += 1;
        Ok(())
    });
    read.map_err(failed)?;
    match error {
        Some(error) => Err(OutputError::into(error)),
        None => Ok(n_stamps),
    }
}

/// In what way something is in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Normalised,
    Near,
    Group,
    Conversation,
}

/// What one partition of ties gave.
#[derive(Default)]
struct Found {
    shared: Vec<(Kind, u64)>,
    /// Examples whose prompt another one of their side has.
    gone: Vec<u64>,
}

impl Found {
    fn of(ties: &[Tie], n_examples: u64, inputs: &Inputs) -> Self {
        let mut found = Self::default();
        let mut labels = (0, 0);
        for_each_knot(ties, n_examples, &mut labels, |same| {
            let kind = match same[0].class {
                Class::Prompt | Class::Answer | Class::ShortAnswer => Kind::Normalised,
                Class::Group => Kind::Group,
                Class::Whole | Class::Beginning => Kind::Conversation,
            };
            found.share(kind, same, inputs);
            if kind == Kind::Normalised {
                let mut by_bytes = same.to_vec();
                by_bytes.sort_by_key(|tie| tie.exact);
                for same in by_bytes.chunk_by(|one, other| one.exact == other.exact) {
                    found.share(Kind::Exact, same, inputs);
                }
            }
            if same[0].class == Class::Prompt {
                let others = same[1..].iter();
                found.gone.extend(others.map(|tie| u64::from(tie.line)));
            }
        });
        found
    }

    /// Notes what is on another side than the first.
    fn share(&mut self, kind: Kind, same: &[Tie], inputs: &Inputs) {
        let side = |tie: &Tie| inputs.line(u64::from(tie.line)).0;
        let first = same.iter().map(side).min();
        let others = same.iter().filter(|tie| Some(side(tie)) != first);
        self.shared
            .extend(others.map(|tie| (kind, u64::from(tie.line))));
    }
}

/// Examples that have something in common, each counted once a kind.
struct Shared {
    counts: Overlap,
    seen: [Bits; 5],
}

impl Shared {
    fn new(n_lines: u64) -> Self {
        Self {
            counts: Overlap::default(),
            seen: [(); 5].map(|()| Bits::new(n_lines)),
        }
    }

    fn add(&mut self, kind: Kind, line: u64) {
        let seen = &mut self.seen[kind as usize];
        if seen.has(line) {
            return;
        }
        seen.set(line);
        let counts = &mut self.counts;
        *match kind {
            Kind::Exact => &mut counts.exact,
            Kind::Normalised => &mut counts.normalised,
            Kind::Near => &mut counts.near,
            Kind::Group => &mut counts.group,
            Kind::Conversation => &mut counts.conversation,
        } += 1;
    }
}
