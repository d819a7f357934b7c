//! What many examples have: texts, and each other.
//!
//! Fingerprints come back by value, so each is counted exactly, whatever the
//! order of the input and the number of threads.

use std::cmp::Reverse;

use crate::pipeline::dedupe::plan::Print;
use crate::pipeline::dedupe::verdict::{get_place, ordered_by, put_place};
use crate::pipeline::partitions::Packed;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    System,
    Answer,
    PromptOpening,
    AnswerOpening,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::System,
        Self::Answer,
        Self::PromptOpening,
        Self::AnswerOpening,
    ];
}

/// A text of an example, by its fingerprint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed {
    pub(super) fingerprint: u64,
    pub(super) kind: Kind,
    pub(super) place: u64,
}

ordered_by!(Keyed, this, (this.fingerprint, this.kind, this.place));

impl Packed for Keyed {
    const SIZE: usize = 14;

    fn prefix(&self) -> u64 {
        self.fingerprint
    }

    fn pack(&self, into: &mut [u8]) {
        into[..8].copy_from_slice(&self.fingerprint.to_le_bytes());
        into[8] = self.kind as u8;
        put_place(self.place, &mut into[9..]);
    }

    fn unpack(from: &[u8]) -> Self {
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&from[..8]);
        Self {
            fingerprint: u64::from_le_bytes(fingerprint),
            kind: Kind::ALL[usize::from(from[8])],
            place: get_place(&from[9..]),
        }
    }
}

/// Texts of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frequent {
    /// How many examples have one.
    pub examples: u64,
    /// How many different ones there are.
    pub different: u64,
    /// Those that most examples have, from the most frequent; of equals the
    /// one that comes first.
    pub most: Vec<Often>,
}

/// A text that examples have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Often {
    /// How many.
    pub examples: u64,
    /// The place of the first.
    pub first: u64,
    /// How it begins.
    pub text: String,
}

/// Texts of all kinds, counted.
#[derive(Debug)]
pub(super) struct Counted {
    kinds: [Frequent; 4],
    most: usize,
}

impl Counted {
    pub(super) fn new(most: usize) -> Self {
        Self {
            kinds: Default::default(),
            most,
        }
    }

    /// Counts what came back in order.
    pub(super) fn of(keyed: &[Keyed], most: usize) -> Self {
        let mut counted = Self::new(most);
        let is_same = |one: &Keyed, other: &Keyed| {
            (one.fingerprint, one.kind) == (other.fingerprint, other.kind)
        };
        for same in keyed.chunk_by(is_same) {
            let kind = &mut counted.kinds[same[0].kind as usize];
            let examples = same.len() as u64;
            kind.examples += examples;
            kind.different += 1;
            kind.keep(
                Often {
                    examples,
                    first: same[0].place,
                    text: String::new(),
                },
                most,
            );
        }
        counted
    }

    /// Adds what other fingerprints came to.
    pub(super) fn append(&mut self, other: Self) {
        for (kind, other) in self.kinds.iter_mut().zip(other.kinds) {
            kind.examples += other.examples;
            kind.different += other.different;
            for often in other.most {
                kind.keep(often, self.most);
            }
        }
    }

    /// The texts of a kind, which `text` reads at their first places.
    pub(super) fn frequent<E>(
        &self,
        kind: Kind,
        text: impl Fn(u64) -> Result<String, E>,
    ) -> Result<Frequent, E> {
        let mut frequent = self.kinds[kind as usize].clone();
        for often in &mut frequent.most {
            often.text = text(often.first)?;
        }
        Ok(frequent)
    }
}

impl Frequent {
    fn keep(&mut self, often: Often, most: usize) {
        let key = |often: &Often| (Reverse(often.examples), often.first);
        let at = self.most.partition_point(|other| key(other) < key(&often));
        if at < most {
            self.most.insert(at, often);
            self.most.truncate(most);
        }
    }
}

/// Examples that repeat each other, as deduplicating by example sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Examples that are the same as an earlier one, byte for byte.
    pub exact: u64,
    /// Examples that are, but for case, white space and typography.
    pub normalised: u64,
    /// How many clusters there are of two examples or more.
    pub clusters: u64,
    /// Prompts, normalised, that have several answers.
    pub conflicting_prompts: u64,
    /// The clusters with most examples.
    pub largest: Vec<Cluster>,
}

/// Examples that are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// How many.
    pub examples: u64,
    /// How many of them are not the same as the first, byte for byte.
    pub normalised: u64,
    /// The places of the first ones.
    pub places: Vec<u64>,
}

/// So many places of a cluster are kept.
const PLACES: usize = 3;

impl Duplicates {
    /// Looks at prints that came back in order.
    pub(super) fn of(prints: &[Print], most: usize) -> Self {
        let mut duplicates = Self::default();
        for same_prompt in prints.chunk_by(|one, other| one.key == other.key) {
            let mut answers = 0;
            for same in same_prompt.chunk_by(|one, other| one.sub == other.sub) {
                answers += u64::from(same[0].sub != 0);
                if same.len() == 1 {
                    continue;
                }
                let is_exact = |print: &&Print| print.exact == same[0].exact;
                let exact = same[1..].iter().filter(is_exact).count() as u64;
                let cluster = Cluster {
                    examples: same.len() as u64,
                    normalised: same.len() as u64 - 1 - exact,
                    places: places_of(same),
                };
                duplicates.exact += exact;
                duplicates.normalised += cluster.normalised;
                duplicates.clusters += 1;
                duplicates.keep(cluster, most);
            }
            duplicates.conflicting_prompts += u64::from(answers > 1);
        }
        duplicates
    }

    /// Adds what other prints came to.
    pub(super) fn append(&mut self, other: Self, most: usize) {
        self.exact += other.exact;
        self.normalised += other.normalised;
        self.clusters += other.clusters;
        self.conflicting_prompts += other.conflicting_prompts;
        for cluster in other.largest {
            self.keep(cluster, most);
        }
    }

    fn keep(&mut self, cluster: Cluster, most: usize) {
        let key = |cluster: &Cluster| (Reverse(cluster.examples), cluster.places[0]);
        let at = self
            .largest
            .partition_point(|other| key(other) < key(&cluster));
        if at < most {
            self.largest.insert(at, cluster);
            self.largest.truncate(most);
        }
    }
}

/// The first place, and the first of those that are written in another way.
fn places_of(same: &[Print]) -> Vec<u64> {
    let mut seen = Vec::new();
    let mut places = Vec::new();
    for print in same {
        if !seen.contains(&print.exact) {
            seen.push(print.exact);
            places.push(print.place);
        }
        if places.len() == PLACES {
            return places;
        }
    }
    let rest = same.iter().map(|print| print.place);
    let rest: Vec<_> = rest.filter(|place| !places.contains(place)).collect();
    places.extend(rest.into_iter().take(PLACES - seen.len()));
    places
}
