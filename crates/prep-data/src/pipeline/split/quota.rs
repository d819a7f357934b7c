//! Which side an atom goes to.
//!
//! Atoms are taken in the order in which they begin. How far each side is behind
//! what the ratio says, or ahead of it, is kept in **bounds**. Inside them the
//! hash of the atom decides, with a chance that leans towards the side that is
//! behind; at the bounds it is settled. Bounds are as wide as a common atom, and
//! wider where many examples were seen, never wider than the largest atom: so
//! there is room for the hash, and what grew elsewhere moves little.
//!
//! All numbers are whole, in millionths: machines agree on them.

use std::collections::BTreeMap;

use super::atoms::Atoms;
use super::{MaxValidation, Options, Ratio, Side, SplitError};

/// The side of every line.
#[derive(Debug)]
pub(super) struct Sides {
    /// By line: the side, or what the line is beside an example.
    pub(super) of: Vec<u8>,
    pub(super) examples: [u64; 3],
    pub(super) weights: [u64; 3],
    /// Validation has less than the ratio says because it may not have more.
    pub(super) is_capped: bool,
}

/// What must stay together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Atom {
    pub(super) key: u64,
    pub(super) weight: u64,
    pub(super) examples: u64,
    pub(super) stratum: u32,
}

/// Settles the side of every example.
pub(super) fn assign(atoms: &Atoms, options: &Options) -> Result<Sides, SplitError> {
    let n_lines = atoms.n_lines() as usize;
    let mut sizes = vec![(0_u32, 0_u64); n_lines];
    for line in atoms.examples() {
        let (examples, weight) = &mut sizes[atoms.root(line) as usize];
        *examples += 1;
        *weight += u64::from(atoms.weight(line));
    }
    let atom = |root: u32| Atom {
        key: atoms.key(root),
        weight: sizes[root as usize].1,
        examples: u64::from(sizes[root as usize].0),
        stratum: atoms.stratum(root),
    };
    let mut quotas = Quotas::new(options.ratio, options.max_validation);
    let mut of: Vec<u8> = (0..atoms.n_lines()).map(|line| atoms.state(line)).collect();
    let mut n_atoms = [0_u64; 3];
    for line in atoms.examples() {
        let root = atoms.root(line);
        if root == line {
            let side = quotas.side_of(&atom(root));
            n_atoms[side as usize] += 1;
            of[line as usize] = side as u8;
        } else {
            of[line as usize] = of[root as usize];
        }
    }
    let mut sides = Sides {
        of,
        examples: quotas.examples,
        weights: quotas.weights,
        is_capped: quotas.is_capped,
    };
    for side in options.ratio.sides() {
        if n_atoms[side as usize] == 0 {
            let root = sides.smallest_to_give(atoms, &n_atoms, atom);
            let root = root.ok_or_else(|| too_few(atoms, options, &n_atoms))?;
            let from = sides.of[root as usize];
            n_atoms[usize::from(from)] -= 1;
            n_atoms[side as usize] += 1;
            sides.give(atoms, root, side, &atom(root));
        }
    }
    Ok(sides)
}

fn too_few(atoms: &Atoms, options: &Options, n_atoms: &[u64; 3]) -> SplitError {
    SplitError::TooFewAtoms {
        examples: atoms.n_examples(),
        atoms: n_atoms.iter().sum(),
        sides: options.ratio.sides().count(),
    }
}

impl Sides {
    /// The smallest atom of a side that has another.
    fn smallest_to_give(
        &self,
        atoms: &Atoms,
        n_atoms: &[u64; 3],
        atom: impl Fn(u32) -> Atom,
    ) -> Option<u32> {
        let roots = atoms.examples().filter(|&line| atoms.root(line) == line);
        let spare = roots.filter(|&root| n_atoms[usize::from(self.of[root as usize])] > 1);
        spare.min_by_key(|&root| {
            let Atom { weight, key, .. } = atom(root);
            (weight, key, root)
        })
    }

    fn give(&mut self, atoms: &Atoms, root: u32, side: Side, atom: &Atom) {
        let from = usize::from(self.of[root as usize]);
        self.examples[from] -= atom.examples;
        self.weights[from] -= atom.weight;
        self.examples[side as usize] += atom.examples;
        self.weights[side as usize] += atom.weight;
        for line in atoms.examples().filter(|&line| atoms.root(line) == root) {
            self.of[line as usize] = side as u8;
        }
    }
}

/// What the sides have so far.
#[derive(Debug)]
pub(super) struct Quotas {
    ratio: Ratio,
    max: MaxValidation,
    strata: BTreeMap<u32, Stratum>,
    pub(super) examples: [u64; 3],
    pub(super) weights: [u64; 3],
    is_capped: bool,
}

#[derive(Debug, Default)]
struct Stratum {
    weights: [u64; 3],
    total: u64,
    n_atoms: u64,
    largest: u64,
}

impl Quotas {
    pub(super) fn new(ratio: Ratio, max: MaxValidation) -> Self {
        Self {
            ratio,
            max,
            strata: BTreeMap::new(),
            examples: [0; 3],
            weights: [0; 3],
            is_capped: false,
        }
    }

    /// Settles the side of the atom that begins next.
    pub(super) fn side_of(&mut self, atom: &Atom) -> Side {
        let has_room = self.has_room(atom);
        let stratum = self.strata.entry(atom.stratum).or_default();
        let wanted = stratum.wanted(self.ratio, atom, true);
        let side = match wanted {
            Side::Validation if !has_room => {
                self.is_capped = true;
                stratum.wanted(self.ratio, atom, false)
            }
            side => side,
        };
        stratum.add(side, atom);
        self.weights[side as usize] += atom.weight;
        self.examples[side as usize] += atom.examples;
        side
    }

    /// Whether validation may have this one, too.
    fn has_room(&self, atom: &Atom) -> bool {
        let [train, validation, _] = self.examples;
        let validation = validation + atom.examples;
        let is_in_share = self.max.share.is_none_or(|(above, percent)| {
            validation <= above || validation * 100 <= train * percent
        });
        validation <= self.max.examples && is_in_share
    }
}

impl Stratum {
    /// The side for an atom, if validation may have it or not.
    fn wanted(&self, ratio: Ratio, atom: &Atom, has_room: bool) -> Side {
        const WHOLE: i128 = super::WHOLE as i128;
        let weight = i128::from(atom.weight);
        let total = i128::from(self.total);
        // What an atom commonly has, before this one.
        let common = if self.n_atoms == 0 {
            weight / i128::from(atom.examples.max(1))
        } else {
            (total / i128::from(self.n_atoms)).max(1)
        };
        let held_out = [Side::Validation, Side::Test].map(|side| {
            let part = i128::from(ratio.parts[side as usize]);
            let has = i128::from(self.weights[side as usize]) * WHOLE;
            let target = part * total;
            let wide = (i128::from(self.largest) * WHOLE).min(target / 4);
            Held {
                side,
                part,
                behind: target - has,
                behind_with: target + part * weight - has,
                bound: wide.max(common * WHOLE),
            }
        });
        let may_have = |held: &&Held| held.part > 0 && (has_room || held.side == Side::Test);
        let due = held_out.iter().filter(may_have);
        let due = due
            .filter(|held| held.behind_with > held.bound && weight * WHOLE < 2 * held.behind_with);
        if let Some(held) = due.max_by_key(|held| held.behind_with) {
            return held.side;
        }
        let point = (u128::from(atom.key) * (WHOLE as u128)) >> 64;
        let mut from = 0;
        for held in &held_out {
            let lean = held.behind.clamp(-held.bound, held.bound);
            let chance = held.part * (held.bound + lean) / held.bound;
            let is_hit = (from..from + chance).contains(&(point as i128));
            from += chance;
            let is_within = weight * WHOLE - held.behind_with <= held.bound;
            if is_hit && is_within && may_have(&held) {
                return held.side;
            }
        }
        Side::Train
    }

    fn add(&mut self, side: Side, atom: &Atom) {
        self.weights[side as usize] += atom.weight;
        self.total += atom.weight;
        self.n_atoms += 1;
        self.largest = self.largest.max(atom.weight);
    }
}

/// A side that is not for training.
struct Held {
    side: Side,
    part: i128,
    /// How much less it has than the ratio says, in millionths.
    behind: i128,
    /// The same with the atom on another side.
    behind_with: i128,
    bound: i128,
}
