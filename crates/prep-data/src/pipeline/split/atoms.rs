//! The first reading: which examples must stay together.

use super::scan::{self, Seen, Tie, Ties, for_each_knot, group_print, groups_of, keyed};
use super::{AtomCounts, By, Options, SplitError};
use crate::io::{Input, LineOf};
use crate::pipeline::dedupe::near::{Forest, Near, Sketching};
use crate::pipeline::dedupe::verdict::Bits;
use crate::pipeline::dedupe::{Inputs, Means};

/// What a line is, beside an example.
pub(super) const NO_EXAMPLE: u8 = u8::MAX - 1;
pub(super) const BLANK: u8 = u8::MAX;

/// What chooses the sketches of the first proof.
pub(super) const FIRST_PROOF: u64 = 1;

/// The lines of the input, and which of them belong together.
#[derive(Debug)]
pub(super) struct Atoms {
    pub(super) inputs: Inputs,
    /// Lines by number, from 0. What belongs together has the first as root.
    forest: Forest,
    lines: Lines,
    labels: (u64, u64),
    /// Pairs of lines that have something in common: the first that has it, and
    /// each of the others.
    pub(super) tied: Vec<(u32, u32)>,
    /// Lines whose prompt an earlier one has.
    pub(super) gone: Bits,
    /// What near-duplicates can be looked for by once more.
    pub(super) later: Option<Near>,
}

/// What is known of each line.
#[derive(Debug, Default)]
struct Lines {
    /// 0, or why it is no example.
    states: Vec<u8>,
    /// The fingerprints of examples.
    prints: Vec<u128>,
    /// What the seed made of its print.
    keys: Vec<u64>,
    /// How much it counts, if that is not 1.
    weights: Vec<u32>,
    /// Its stratum, if there are several.
    strata: Vec<u32>,
    n_examples: u64,
    n_grouped: u64,
}

/// Reads the input for the first time.
pub(super) fn read(
    input: Input,
    options: &Options,
    means: &Means<'_>,
) -> Result<Atoms, SplitError> {
    let mut lines = Lines::default();
    let mut ties = Ties::new(means);
    let sketching = |near| Sketching::of_prompts(near, 0).and_later(FIRST_PROOF);
    let sketching = options.near.map(sketching);
    let mut near = sketching.map(|sketching| Near::new(sketching, means));
    let mut groups = groups_of([input.name()])?;
    let mut record = 0;
    let inputs = scan::scan(vec![input], options, sketching, means, |first, scanned| {
        ties.push(scanned, first)?;
        for (seen, line) in scanned.lines.iter().zip(first..) {
            record += u64::from(!matches!(seen, Seen::Blank));
            let group = match seen {
                Seen::Example { fingerprint, .. } => {
                    let place = LineOf {
                        input: 0,
                        line: line + 1,
                        record,
                        fingerprint: *fingerprint,
                    };
                    groups.stamp(&place)?.group
                }
                _ => String::new(),
            };
            if !group.is_empty() {
                ties.push_group(&group, line)?;
            }
            lines.push(seen, &group, options);
        }
        match &mut near {
            Some(near) => Ok(near.push(&mut scanned.near, first)?),
            None => Ok(()),
        }
    })?;

    let forest = Forest::new(lines.states.len());
    // Those whose prompt an earlier one has need not be looked at again.
    let mut gone = Bits::new(inputs.n_lines());
    let (mut labels, mut tied) = ((0, 0), Vec::new());
    let n_examples = lines.n_examples;
    ties.visit(
        means,
        |ties: &[Tie]| Knots::of(ties, n_examples),
        |knots: Knots| {
            means.check_stop()?;
            for (one, other, is_prompt) in knots.pairs {
                forest.unite(one, other);
                tied.push((one, other));
                if is_prompt {
                    gone.set(u64::from(other));
                }
            }
            labels.0 += knots.labels.0;
            labels.1 += knots.labels.1;
            Ok(())
        },
    )?;
    let mut atoms = Atoms {
        inputs,
        forest,
        lines,
        labels,
        tied,
        gone,
        later: None,
    };
    if let Some(near) = near {
        for (one, other) in near.parts(&atoms.inputs, &atoms.gone, means)? {
            atoms.unite(one, other);
        }
        atoms.later = near.into_later();
    }
    Ok(atoms)
}

impl Lines {
    fn push(&mut self, seen: &Seen, group: &str, options: &Options) {
        let (state, key, fingerprint, of_weight, of_stratum) = match *seen {
            Seen::Blank => (BLANK, 0, 0, 0, 0),
            Seen::NoExample => (NO_EXAMPLE, 0, 0, 0, 0),
            Seen::Example {
                print,
                weight,
                stratum,
                has_group,
                fingerprint,
            } => {
                self.n_examples += 1;
                self.n_grouped += u64::from(has_group || !group.is_empty());
                let print = if group.is_empty() {
                    print
                } else {
                    group_print(group)
                };
                let key = keyed(print, options.seed);
                (0, key, fingerprint, weight, stratum)
            }
        };
        self.states.push(state);
        self.keys.push(key);
        self.prints.push(fingerprint);
        if options.by == By::Tokens {
            self.weights.push(of_weight);
        }
        if options.stratify.is_some() {
            self.strata.push(of_stratum);
        }
    }
}

/// The pairs that some ties tie.
#[derive(Default)]
struct Knots {
    /// Two lines, and whether their prompts are equal.
    pairs: Vec<(u32, u32, bool)>,
    labels: (u64, u64),
}

impl Knots {
    fn of(ties: &[Tie], n_examples: u64) -> Self {
        let mut knots = Self::default();
        for_each_knot(ties, n_examples, &mut knots.labels, |same| {
            let is_prompt = same[0].class == scan::Class::Prompt;
            let others = same[1..].iter();
            let pairs = others.map(|tie| (same[0].line, tie.line, is_prompt));
            knots.pairs.extend(pairs);
        });
        knots
    }
}

impl Atoms {
    /// Ties two lines, and all that belongs to them.
    pub(super) fn unite(&self, one: u64, other: u64) {
        self.forest.unite(one as u32, other as u32);
    }

    /// How many lines there are.
    pub(super) fn n_lines(&self) -> u32 {
        self.lines.states.len() as u32
    }

    /// How many examples there are.
    pub(super) fn n_examples(&self) -> u64 {
        self.lines.n_examples
    }

    /// What a line is: 0 if it is an example.
    pub(super) fn state(&self, line: u32) -> u8 {
        self.lines.states[line as usize]
    }

    /// The first line of the atom of an example.
    pub(super) fn root(&self, line: u32) -> u32 {
        self.forest.root(line)
    }

    /// The fingerprints of all lines; they say nothing of those that are no
    /// examples.
    pub(super) fn prints(&self) -> &[u128] {
        &self.lines.prints
    }

    /// What the seed made of an example.
    pub(super) fn key(&self, line: u32) -> u64 {
        self.lines.keys[line as usize]
    }

    /// How much an example counts.
    pub(super) fn weight(&self, line: u32) -> u32 {
        let weight = self.lines.weights.get(line as usize);
        weight.copied().unwrap_or(1)
    }

    /// The stratum of an example.
    pub(super) fn stratum(&self, line: u32) -> u32 {
        let stratum = self.lines.strata.get(line as usize);
        stratum.copied().unwrap_or(0)
    }

    /// The lines that are examples.
    pub(super) fn examples(&self) -> impl Iterator<Item = u32> {
        (0..self.n_lines()).filter(|&line| self.state(line) == 0)
    }

    /// How examples hang together.
    pub(super) fn counts(&self) -> AtomCounts {
        let mut examples = vec![0_u32; self.n_lines() as usize];
        let mut counts = AtomCounts {
            labels: self.labels,
            grouped: self.lines.n_grouped,
            ..AtomCounts::default()
        };
        for line in self.examples() {
            let root = self.root(line);
            counts.atoms += u64::from(root == line);
            let n = &mut examples[root as usize];
            *n += 1;
            if u64::from(*n) > counts.largest {
                counts.largest = u64::from(*n);
                counts.largest_line = u64::from(root) + 1;
            }
        }
        counts
    }
}
