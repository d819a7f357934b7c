//! What the plan says about a line, as small records.

use super::super::partitions::Packed;

/// Why a line is left out, or what is told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Exact,
    Normalised,
    Near,
    /// It has another answer than `other`, and goes.
    Conflict,
    /// It has another answer than `other`, and stays.
    Told,
    /// It cannot be compared, and goes to the rejects.
    NoExample,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Exact,
        Self::Normalised,
        Self::Near,
        Self::Conflict,
        Self::Told,
        Self::NoExample,
    ];

    /// The name in the clusters file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::Near => "near",
            Self::Conflict | Self::Told => "conflict",
            Self::NoExample => "none",
        }
    }
}

/// What is said about a line. Ordered by line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    /// The line, numbered through all inputs from 0.
    pub(super) place: u64,
    pub(super) kind: Kind,
    /// The line for whose sake it goes.
    pub(super) other: u64,
    pub(super) similarity: f32,
}

/// The same, ordered by cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member(pub(super) Verdict);

const PLACE: usize = 5;

pub(in crate::pipeline) fn put_place(place: u64, into: &mut [u8]) {
    into[..PLACE].copy_from_slice(&place.to_le_bytes()[..PLACE]);
}

pub(in crate::pipeline) fn get_place(from: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..PLACE].copy_from_slice(&from[..PLACE]);
    u64::from_le_bytes(bytes)
}

macro_rules! ordered_by {
    ($type:ty, $self:ident, $key:expr) => {
        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                let key = |$self: &Self| $key;
                key(self).cmp(&key(other))
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl Eq for $type {}
    };
}
pub(in crate::pipeline) use ordered_by;

ordered_by!(Verdict, this, (this.place, this.kind, this.other));
ordered_by!(Member, this, (this.0.other, this.0.kind, this.0.place));

impl Packed for Verdict {
    const SIZE: usize = 2 * PLACE + 5;

    fn prefix(&self) -> u64 {
        self.place
    }

    fn pack(&self, into: &mut [u8]) {
        put_place(self.place, into);
        put_place(self.other, &mut into[PLACE..]);
        into[10..14].copy_from_slice(&self.similarity.to_le_bytes());
        into[14] = self.kind as u8;
    }

    fn unpack(from: &[u8]) -> Self {
        let mut similarity = [0; 4];
        similarity.copy_from_slice(&from[10..14]);
        Self {
            place: get_place(from),
            other: get_place(&from[PLACE..]),
            similarity: f32::from_le_bytes(similarity),
            kind: Kind::ALL[usize::from(from[14])],
        }
    }
}

impl Packed for Member {
    const SIZE: usize = Verdict::SIZE;

    fn prefix(&self) -> u64 {
        self.0.other
    }

    fn pack(&self, into: &mut [u8]) {
        self.0.pack(into);
    }

    fn unpack(from: &[u8]) -> Self {
        Self(Verdict::unpack(from))
    }
}

/// A line with an answer that others with its prompt do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rival {
    /// The first line with this prompt.
    pub(super) group: u64,
    pub(super) place: u64,
}

impl Packed for Rival {
    const SIZE: usize = 2 * PLACE;

    fn prefix(&self) -> u64 {
        self.group
    }

    fn pack(&self, into: &mut [u8]) {
        put_place(self.group, into);
        put_place(self.place, &mut into[PLACE..]);
    }

    fn unpack(from: &[u8]) -> Self {
        Self {
            group: get_place(from),
            place: get_place(&from[PLACE..]),
        }
    }
}

/// One bit for each line.
#[derive(Debug)]
pub(in crate::pipeline) struct Bits(Vec<u64>);

impl Bits {
    pub(in crate::pipeline) fn new(n: u64) -> Self {
        Self(vec![0; n.div_ceil(64) as usize])
    }

    pub(in crate::pipeline) fn set(&mut self, place: u64) {
        self.0[(place / 64) as usize] |= 1 << (place % 64);
    }

    pub(in crate::pipeline) fn has(&self, place: u64) -> bool {
        self.0[(place / 64) as usize] >> (place % 64) & 1 == 1
    }
}
