//! The first reading: what of each source is left, and what is drawn of it.

use super::{By, MixError, Options};
use crate::diag::{Code, D001, D002, D003, Level};
use crate::io::{Inherited, Input, LineOf};
use crate::pipeline::dedupe::near::{Forest, Near, Sketching};
use crate::pipeline::dedupe::verdict::{Bits, ordered_by};
use crate::pipeline::dedupe::{Inputs, Means};
use crate::pipeline::partitions::{Packed, Partitions};
use crate::pipeline::split::scan::{self, Class, Seen, Tie, for_each_knot, keyed, push_ties};
use crate::pipeline::split::{self, Answers, MaxValidation};

/// An example that would leak: no error here, since it is left out.
static LEAKS: Code = Code {
    level: Level::Warn,
    hint: "nothing: it is left out",
    ..D002
};

/// What is to become of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Blank,
    NoExample,
    /// It can be drawn.
    Left,
    /// Another line says the same, byte for byte.
    Exact,
    /// Another line says the same, normalised.
    Normalised,
    /// It has something of what is held against it.
    Prompt,
    Answer,
    Similar,
    Group,
    Conversation,
}

impl Fate {
    /// Whether it is settled already that the line is not drawn.
    fn leaks(self) -> bool {
        use Fate::{Answer, Conversation, Group, Prompt, Similar};
        matches!(self, Prompt | Answer | Similar | Group | Conversation)
    }

    /// The code of what is left out for it, and what is said of the other line.
    pub(super) fn told(self) -> Option<(&'static Code, &'static str)> {
        Some(match self {
            Self::Blank | Self::NoExample | Self::Left => return None,
            Self::Exact => (&D001, "it repeats"),
            Self::Normalised => (&D003, "but for case, spacing or typography it repeats"),
            Self::Prompt => (&LEAKS, "its prompt is also in"),
            Self::Answer => (&LEAKS, "its answer is also in"),
            Self::Similar => (&LEAKS, "its prompt is like, or is linked to, that in"),
            Self::Group => (&LEAKS, "it is of the same group as"),
            Self::Conversation => (&LEAKS, "its conversation is also in"),
        })
    }
}

/// What is drawn of each source.
pub(super) struct Plan {
    /// What is held against the sources, then the sources.
    pub(super) inputs: Inputs,
    /// How many inputs are held against the sources.
    pub(super) n_against: usize,
    pub(super) fates: Vec<Fate>,
    /// The line for the sake of which a line is left out.
    pub(super) others: Vec<u32>,
    /// By source.
    pub(super) drawn: Vec<Drawn>,
    /// Tokens, if that is what is measured.
    weights: Vec<u32>,
    /// Lines that are drawn beside the whole rounds.
    extra: Bits,
}

/// How much of a source is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drawn {
    /// The share that its weight gives it.
    pub(super) share: f64,
    /// How often all of it is taken.
    pub(super) rounds: u64,
    /// How many examples are drawn beside these.
    pub(super) n_extra: u64,
    /// How many examples are left.
    pub(super) n_left: u64,
}

impl Drawn {
    /// How many examples of the mixture are from it.
    pub(super) fn examples(&self) -> u64 {
        self.rounds * self.n_left + self.n_extra
    }
}

impl Plan {
    /// Whether a line is in a round of its source.
    pub(super) fn has(&self, source: usize, round: u64, line: u64) -> bool {
        self.fates[line as usize] == Fate::Left
            && (round < self.drawn[source].rounds || self.extra.has(line))
    }

    /// How many rounds a source goes, at least one: it is accounted for in the
    /// first.
    pub(super) fn rounds(&self, source: usize) -> u64 {
        let drawn = &self.drawn[source];
        (drawn.rounds + u64::from(drawn.n_extra > 0)).max(1)
    }

    /// The tokens of an example, if that is what is measured.
    pub(super) fn tokens(&self, line: u64) -> Option<u64> {
        self.weights.get(line as usize).copied().map(u64::from)
    }
}

/// That a line can be drawn, and when.
#[derive(Debug, Clone, Copy)]
struct Lot {
    key: u64,
    line: u32,
}

ordered_by!(Lot, this, (this.key, this.line));

impl Packed for Lot {
    const SIZE: usize = 12;

    fn prefix(&self) -> u64 {
        self.key
    }

    fn pack(&self, into: &mut [u8]) {
        into[..8].copy_from_slice(&self.key.to_le_bytes());
        into[8..].copy_from_slice(&self.line.to_le_bytes());
    }

    fn unpack(from: &[u8]) -> Self {
        let (mut key, mut line) = ([0; 8], [0; 4]);
        key.copy_from_slice(&from[..8]);
        line.copy_from_slice(&from[8..12]);
        Self {
            key: u64::from_le_bytes(key),
            line: u32::from_le_bytes(line),
        }
    }
}

/// Reads all inputs for the first time, and draws.
pub(super) fn plan(
    sources: Vec<Input>,
    weights: &[f64],
    against: Vec<Input>,
    options: &Options,
    means: &Means<'_>,
) -> Result<Plan, MixError> {
    let n_against = against.len();
    let n_sources = sources.len();
    let mut inputs = against;
    inputs.extend(sources);
    let reading = Reading::new(&inputs, n_against, options, means)?;
    let (mut plan, lots) = reading.read(inputs, n_sources)?;
    let targets = targets(&plan, weights, options)?;
    for (source, (lots, target)) in lots.into_iter().zip(targets).enumerate() {
        plan.draw(source, lots, target)?;
    }
    Ok(plan)
}

/// The first reading, as far as it has come.
struct Reading<'m> {
    options: &'m Options,
    means: &'m Means<'m>,
    n_against: usize,
    fates: Vec<Fate>,
    weights: Vec<u32>,
    groups: Inherited,
}

impl<'m> Reading<'m> {
    fn new(
        inputs: &[Input],
        n_against: usize,
        options: &'m Options,
        means: &'m Means<'m>,
    ) -> Result<Self, MixError> {
        Ok(Self {
            options,
            means,
            n_against,
            fates: Vec::new(),
            weights: Vec::new(),
            groups: scan::groups_of(inputs.iter().map(Input::name))?,
        })
    }

    fn read(
        mut self,
        inputs: Vec<Input>,
        n_sources: usize,
    ) -> Result<(Plan, Vec<Partitions<Lot>>), MixError> {
        let Self { options, means, .. } = self;
        let splitting = splitting(options);
        let near = splitting.near.filter(|_| self.n_against > 0);
        let sketching = near.map(|near| Sketching::of_prompts(near, 0));
        let mut near = sketching.map(|sketching| Near::new(sketching, means));
        let mut ties = Partitions::new(means.memory / 2, means.target);
        let lots = || Partitions::new(means.memory / 4 / n_sources as u64, means.target);
        let mut lots: Vec<_> = (0..n_sources).map(|_| lots()).collect();
        // Of the input that is being read: its number, first line and records.
        let (mut current, mut start, mut record) = (0, 0, 0);
        let inputs = scan::scan(inputs, &splitting, sketching, means, |first, scanned| {
            push_ties(scanned, first, &mut ties)?;
            if scanned.input != current {
                (current, start, record) = (scanned.input, first, 0);
            }
            for (seen, line) in scanned.lines.iter().zip(first..) {
                record += u64::from(!matches!(seen, Seen::Blank));
                if let Seen::Example { fingerprint, .. } = seen {
                    if let Some(source) = current.checked_sub(self.n_against) {
                        lots[source].push(&Lot {
                            key: keyed(*fingerprint, options.seed),
                            line: line as u32,
                        })?;
                    }
                    if self.n_against > 0 {
                        let stamp = self.groups.stamp(&LineOf {
                            input: current,
                            line: line - start + 1,
                            record,
                            fingerprint: *fingerprint,
                        })?;
                        if !stamp.group.is_empty() {
                            ties.push(&Tie::group(&stamp.group, line))?;
                        }
                    }
                }
                self.push(seen);
            }
            match &mut near {
                Some(near) => Ok(near.push(&mut scanned.near, first)?),
                None => Ok(()),
            }
        })?;
        let others = vec![0; self.fates.len()];
        let mut plan = Plan {
            n_against: self.n_against,
            extra: Bits::new(inputs.n_lines()),
            inputs,
            fates: self.fates,
            others,
            drawn: Vec::new(),
            weights: self.weights,
        };
        plan.leave_out(ties, near, means)?;
        Ok((plan, lots))
    }

    fn push(&mut self, seen: &Seen) {
        let (fate, weight) = match seen {
            Seen::Blank => (Fate::Blank, 0),
            Seen::NoExample => (Fate::NoExample, 0),
            Seen::Example { weight, .. } => (Fate::Left, *weight),
        };
        self.fates.push(fate);
        if self.options.by == By::Tokens {
            self.weights.push(weight);
        }
    }
}

/// How a split would read them: what ties examples is what leaks.
fn splitting(options: &Options) -> split::Options {
    split::Options {
        ratio: "0.5".parse().expect("a half is a ratio"),
        by: options.by,
        seed: options.seed,
        near: options.near,
        answers: Answers::Texts,
        group: None,
        stratify: None,
        max_validation: MaxValidation {
            examples: 0,
            share: None,
        },
        shuffle: false,
    }
}

/// Lines that are left out, each with the reason and the other line.
#[derive(Default)]
struct Found {
    left_out: Vec<(u32, Fate, u32)>,
    /// Lines with one prompt.
    pairs: Vec<(u32, u32)>,
}

impl Found {
    /// What some ties say; lines before `start` are those that are held
    /// against the others.
    fn of(ties: &[Tie], n_examples: u64, start: u64) -> Self {
        let mut found = Self::default();
        let is_held = |tie: &Tie| u64::from(tie.line) < start;
        for_each_knot(ties, n_examples, &mut (0, 0), |same| {
            let class = same[0].class;
            let fate = match class {
                Class::Prompt => Fate::Prompt,
                Class::Answer | Class::ShortAnswer => Fate::Answer,
                Class::Group => Fate::Group,
                Class::Whole | Class::Beginning => Fate::Conversation,
            };
            if let Some(held) = same.iter().find(|tie| is_held(tie)) {
                let others = same.iter().filter(|tie| !is_held(tie));
                found
                    .left_out
                    .extend(others.map(|tie| (tie.line, fate, held.line)));
            }
            if class == Class::Prompt {
                let others = same[1..].iter();
                found
                    .pairs
                    .extend(others.map(|tie| (same[0].line, tie.line)));
            }
            if class == Class::Whole {
                // Ties of one class are in the order of their lines.
                let mut whole = same
                    .iter()
                    .filter(|tie| tie.class == Class::Whole && !is_held(tie));
                let Some(first) = whole.next() else { return };
                found.left_out.extend(whole.map(|tie| {
                    let is_exact = tie.exact == first.exact;
                    let fate = if is_exact {
                        Fate::Exact
                    } else {
                        Fate::Normalised
                    };
                    (tie.line, fate, first.line)
                }));
            }
        });
        found
    }
}

impl Plan {
    fn leave_out(
        &mut self,
        ties: Partitions<Tie>,
        near: Option<Near>,
        means: &Means<'_>,
    ) -> Result<(), MixError> {
        let start = self.inputs.starts[self.n_against];
        let n_examples = self.fates.iter().filter(|fate| **fate == Fate::Left);
        let n_examples = n_examples.count() as u64;
        let forest = Forest::new(self.fates.len());
        let mut gone = Bits::new(self.inputs.n_lines());
        ties.visit(
            means.pool,
            |ties: &[Tie]| Found::of(ties, n_examples, start),
            |found: Found| {
                means.check_stop()?;
                for (one, other) in found.pairs {
                    forest.unite(one, other);
                    gone.set(u64::from(other));
                }
                for (line, fate, other) in found.left_out {
                    self.leave(line, fate, other);
                }
                Ok::<_, MixError>(())
            },
        )?;
        let Some(near) = near else { return Ok(()) };
        for (one, other) in near.parts(&self.inputs, &gone, means)? {
            forest.unite(one as u32, other as u32);
        }
        for line in start..self.inputs.n_lines() {
            // The root is the first line of all that belong together.
            let root = forest.root(line as u32);
            if u64::from(root) < start && self.fates[line as usize] != Fate::NoExample {
                self.leave(line as u32, Fate::Similar, root);
            }
        }
        Ok(())
    }

    /// Leaves a line out. What leaks is told as such, for its plainest reason.
    fn leave(&mut self, line: u32, fate: Fate, other: u32) {
        let known = &mut self.fates[line as usize];
        let is_worse = match (known.leaks(), fate.leaks()) {
            (false, leaks) => leaks || *known == Fate::Left,
            (true, leaks) => leaks && (fate as u8) < (*known as u8),
        };
        if is_worse {
            *known = fate;
            self.others[line as usize] = other;
        }
    }

    /// The lines of a source.
    fn lines(&self, source: usize) -> std::ops::Range<u64> {
        let input = self.n_against + source;
        self.inputs.starts[input]..self.inputs.starts[input + 1]
    }

    /// By how much an example counts.
    fn weight(&self, line: u64) -> u64 {
        self.tokens(line).unwrap_or(1)
    }

    /// Draws so much of a source.
    fn draw(
        &mut self,
        source: usize,
        lots: Partitions<Lot>,
        target: Target,
    ) -> Result<(), MixError> {
        let mut drawn = Drawn {
            share: target.share,
            rounds: target.amount / target.has,
            n_extra: 0,
            n_left: target.n_left,
        };
        let rest = target.amount % target.has;
        let (mut lots, mut sum) = (lots.into_sorted(), 0);
        while sum < rest {
            let Some(lot) = lots.next()? else { break };
            let line = u64::from(lot.line);
            if self.fates[line as usize] != Fate::Left {
                continue;
            }
            let weight = self.weight(line);
            // As near as one example can bring it.
            if 2 * (rest - sum) < weight {
                break;
            }
            sum += weight;
            drawn.n_extra += 1;
            self.extra.set(line);
        }
        debug_assert_eq!(self.drawn.len(), source);
        self.drawn.push(drawn);
        Ok(())
    }
}

/// How much is to be drawn of a source, in examples or tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Target {
    share: f64,
    amount: u64,
    /// How much there is.
    has: u64,
    /// How many examples are left of it.
    n_left: u64,
}

/// How much is to be drawn of each source.
fn targets(plan: &Plan, weights: &[f64], options: &Options) -> Result<Vec<Target>, MixError> {
    let sum: f64 = weights.iter().sum();
    let mut targets = Vec::new();
    for (source, weight) in weights.iter().enumerate() {
        let lines = plan.lines(source);
        let left = lines
            .clone()
            .filter(|&line| plan.fates[line as usize] == Fate::Left);
        let (mut has, mut n_left) = (0, 0);
        for line in left {
            has += plan.weight(line);
            n_left += 1;
        }
        if n_left == 0 {
            let records = lines.filter(|&line| plan.fates[line as usize] != Fate::Blank);
            return Err(MixError::Empty {
                name: plan.name(source),
                read: records.count() as u64,
            });
        }
        targets.push(Target {
            share: weight / sum,
            amount: 0,
            has,
            n_left,
        });
    }
    // The largest total for which a source has enough.
    let most = |target: &Target| (target.has as f64 / target.share * (1.0 + 1e-12)) as u64;
    let mut without_repeating = targets.iter().map(most).min().unwrap_or(0);
    // Rounding may leave room for an example more of each.
    for _ in 0..targets.len() {
        apportion(&mut targets, without_repeating + 1);
        if targets.iter().any(|target| target.amount > target.has) {
            break;
        }
        without_repeating += 1;
    }
    let total = match options.total {
        Some(total) => total,
        None if options.repeats => targets.first().map_or(0, most),
        None => without_repeating,
    };
    apportion(&mut targets, total);
    for (source, target) in targets.iter().enumerate() {
        let name = || plan.name(source);
        if target.amount > target.has && !options.repeats {
            return Err(MixError::TooLittle {
                name: name(),
                has: target.has,
                needs: target.amount,
                unit: match options.by {
                    By::Examples => "examples",
                    By::Tokens => "tokens",
                },
                most: without_repeating,
            });
        }
        let times = target.amount.div_ceil(target.has);
        if times > MixError::MOST_TIMES {
            return Err(MixError::TooOften {
                name: name(),
                times,
            });
        }
    }
    Ok(targets)
}

/// Takes a total apart by shares, whole numbers that add up to it: those whose
/// fraction is largest are rounded up, the first of several.
fn apportion(targets: &mut [Target], total: u64) {
    let exact = |target: &Target| target.share * total as f64 * (1.0 + 1e-12);
    for target in targets.iter_mut() {
        target.amount = (exact(target) as u64).min(total);
    }
    let given: u64 = targets.iter().map(|target| target.amount).sum();
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by(|&one, &other| {
        let fraction = |n: usize| exact(&targets[n]).fract();
        fraction(other).total_cmp(&fraction(one))
    });
    let missing = total.saturating_sub(given) as usize;
    for &n in order.iter().cycle().take(missing) {
        targets[n].amount += 1;
    }
}

impl Plan {
    fn name(&self, source: usize) -> String {
        let input = &self.inputs.inputs[self.n_against + source];
        input.name().to_owned()
    }
}
