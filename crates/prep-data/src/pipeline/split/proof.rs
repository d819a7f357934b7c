//! What sides have in common, counted in the files that were written.
//!
//! The plan is not asked: the files are read as any dataset would be, and their
//! passports for the groups.

use std::fmt;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::scan::{self, Class, Seen, Tie, Ties, for_each_knot};
use super::write::Written;
use super::{AtomCounts, Options, Side, Sinks, SplitError};
use crate::io::{Input, OutputError, Passport, PassportError, partial_path};
use crate::pipeline::dedupe::near::{Near, Sketching};
use crate::pipeline::dedupe::verdict::Bits;
use crate::pipeline::dedupe::{Inputs, Means};

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
    // What is similar on one side is no leak, and need not be looked at.
    let sketching = |near| Sketching::of_prompts(near, salt).across_inputs();
    let sketching = options.near.map(sketching);
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
        for (one, other) in near.parts(&inputs, &gone, means)? {
            // Sides come one after the other, so `one` is on the earlier one.
            if place(one).0 != place(other).0 {
                shared.add(Kind::Near, other);
                missed.push((place(one), place(other)));
            }
        }
    }
    Ok((shared.counts, missed))
}

fn push_groups(path: &std::path::Path, start: u64, ties: &mut Ties) -> Result<(), SplitError> {
    let failed = |source| PassportError::Read {
        path: path.into(),
        source,
    };
    let (mut line, mut error) = (start, None);
    let mut passport = Passport::open(path)?;
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
        None => Ok(()),
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
