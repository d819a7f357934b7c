//! What ties the examples of some files, read line by line on any thread.
//!
//! The input is read by this for the plan, and the files that were written for
//! the proof.

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

use super::{Answers, By, LABEL_CHARS, Options, Pointer, SplitError, Stratify};
use crate::io::passport::{SourceFile, SourceFiles, fingerprint};
use crate::io::{Inherited, Input, OutputError, PassportError};
use crate::json::{Document, Kind, Value, compact};
use crate::pipeline::compared::Reader;
use crate::pipeline::dedupe::near::{Batch, Sketching};
use crate::pipeline::dedupe::plan::Front;
use crate::pipeline::dedupe::verdict::ordered_by;
use crate::pipeline::dedupe::{Inputs, Means};
use crate::pipeline::lines::{LineBatch, LineText};
use crate::pipeline::ordered;
use crate::pipeline::partitions::{Packed, Partitions};
use crate::pipeline::spares::Spares;
use crate::rules::{Example, Signs, tokens};
use crate::text::tokens::{Counter, Tokenizer};

/// Why examples are tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pipeline) enum Class {
    Prompt,
    /// An answer that is no label, whoever has it.
    Answer,
    /// An answer that is one if many have it.
    ShortAnswer,
    Group,
    /// A conversation, and below the beginning of one: one of these alone ties
    /// nothing.
    Whole,
    Beginning,
}

impl Class {
    const ALL: [Self; 6] = [
        Self::Prompt,
        Self::Answer,
        Self::ShortAnswer,
        Self::Group,
        Self::Whole,
        Self::Beginning,
    ];

    /// Keeps the keys of one kind from those of others.
    fn salt(self) -> u128 {
        let kind: u128 = match self {
            Self::Prompt => 1,
            Self::Answer | Self::ShortAnswer => 2,
            Self::Group => 3,
            Self::Whole | Self::Beginning => 4,
        };
        kind.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

/// That an example has something, which ties all that have it.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) struct Tie {
    key: u128,
    pub(in crate::pipeline) class: Class,
    pub(in crate::pipeline) line: u32,
    /// Equal if it is the same byte for byte.
    pub(in crate::pipeline) exact: u64,
}

ordered_by!(Tie, this, (this.key, this.class, this.line));

impl Tie {
    fn new(key: u128, class: Class, line: u64, exact: u64) -> Self {
        Self {
            key: key ^ class.salt(),
            class,
            line: line as u32,
            exact,
        }
    }

    /// The same when so many lines come before.
    fn after(self, first: u64) -> Self {
        Self {
            line: self.line + first as u32,
            ..self
        }
    }

    /// The tie of a group.
    pub(in crate::pipeline) fn group(group: &str, line: u64) -> Self {
        Self::new(group_print(group), Class::Group, line, 0)
    }
}

impl Packed for Tie {
    const SIZE: usize = 29;

    fn prefix(&self) -> u64 {
        (self.key >> 64) as u64
    }

    fn pack(&self, into: &mut [u8]) {
        into[..16].copy_from_slice(&self.key.to_le_bytes());
        into[16..24].copy_from_slice(&self.exact.to_le_bytes());
        into[24..28].copy_from_slice(&self.line.to_le_bytes());
        into[28] = self.class as u8;
    }

    fn unpack(from: &[u8]) -> Self {
        let (mut key, mut exact, mut line) = ([0; 16], [0; 8], [0; 4]);
        key.copy_from_slice(&from[..16]);
        exact.copy_from_slice(&from[16..24]);
        line.copy_from_slice(&from[24..28]);
        Self {
            key: u128::from_le_bytes(key),
            exact: u64::from_le_bytes(exact),
            line: u32::from_le_bytes(line),
            class: Class::ALL[usize::from(from[28])],
        }
    }
}

/// All ties of some examples, of whom it is asked which must stay together.
pub(super) struct Ties {
    /// Those of texts and groups.
    texts: Partitions<Tie>,
    /// Those of whole conversations and their beginnings.
    conversations: Partitions<Tie>,
    has_beginning: bool,
}

impl Ties {
    pub(super) fn new(means: &Means<'_>) -> Self {
        Self {
            texts: Partitions::new(means.memory / 3, means.target),
            conversations: Partitions::new(means.memory / 6, means.target),
            has_beginning: false,
        }
    }

    /// Adds the ties of a batch whose first line is `first`.
    pub(super) fn push(&mut self, scanned: &Scanned, first: u64) -> Result<(), OutputError> {
        for tie in &scanned.ties {
            let ties = match tie.class {
                Class::Whole | Class::Beginning => &mut self.conversations,
                _ => &mut self.texts,
            };
            self.has_beginning |= tie.class == Class::Beginning;
            ties.push(&tie.after(first))?;
        }
        Ok(())
    }

    /// Adds that a line has a group.
    pub(super) fn push_group(&mut self, group: &str, line: u64) -> Result<(), OutputError> {
        self.texts.push(&Tie::group(group, line))
    }

    /// Gives the ties to `work` and the results to `emit`, as
    /// [`Partitions::visit`] does.
    pub(super) fn visit<R: Send>(
        self,
        means: &Means<'_>,
        work: impl Fn(&[Tie]) -> R + Sync,
        mut emit: impl FnMut(R) -> Result<(), SplitError> + Send,
    ) -> Result<(), SplitError> {
        self.texts.visit(means.pool, &work, &mut emit)?;
        // Of conversations without beginnings those are equal whose prompts
        // are.
        if self.has_beginning {
            self.conversations.visit(means.pool, &work, &mut emit)?;
        }
        Ok(())
    }
}

/// Gives the ties with one key to `each`, for all keys in order, if they tie
/// anything. Short answers that are labels do not.
pub(in crate::pipeline) fn for_each_knot(
    ties: &[Tie],
    n_examples: u64,
    labels: &mut (u64, u64),
    mut each: impl FnMut(&[Tie]),
) {
    for same in ties.chunk_by(|one, other| one.key == other.key) {
        let n = same.len() as u64;
        let is_label = same[0].class == Class::ShortAnswer && n > most_with_one_answer(n_examples);
        if is_label {
            labels.0 += 1;
            labels.1 += n;
        }
        if n > 1 && !is_label && same[0].class != Class::Beginning {
            each(same);
        }
    }
}

/// The most examples that may have a short answer that is no label.
fn most_with_one_answer(n_examples: u64) -> u64 {
    (n_examples / 1000).max(10)
}

/// The stamps beside some inputs, for whoever asks them for groups only.
pub(in crate::pipeline) fn groups_of<'n>(
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Inherited, PassportError> {
    // What the inputs are does not matter.
    let itself = |name: &str| SourceFiles {
        files: vec![SourceFile {
            path: name.to_owned(),
            bytes: 0,
            blake3: String::new(),
        }],
        read_as: serde_json::Value::Null,
    };
    Inherited::new(names.into_iter().map(itself).collect())
}

/// The print of a group.
pub(in crate::pipeline) fn group_print(group: &str) -> u128 {
    xxh3_128_with_seed(group.as_bytes(), 0)
}

/// What a line is.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) enum Seen {
    Blank,
    NoExample,
    Example {
        /// What it is told from others by.
        print: u128,
        /// By how much it counts.
        weight: u32,
        stratum: u32,
        has_group: bool,
        /// That of the line.
        fingerprint: u128,
    },
}

/// A batch that was read; lines count from its first.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Scanned {
    pub(in crate::pipeline) input: usize,
    pub(in crate::pipeline) lines: Vec<Seen>,
    pub(in crate::pipeline) ties: Vec<Tie>,
    pub(in crate::pipeline) near: Batch,
}

impl Scanned {
    fn clear(&mut self) {
        self.lines.clear();
        self.ties.clear();
    }
}

/// Reads lines, in memory that is used again.
#[derive(Default)]
struct Scanner {
    reader: Reader,
    document: Document,
    counter: Option<Counter<'static>>,
    turns: Vec<u128>,
    buffer: Vec<u8>,
}

/// Reads some inputs on all threads, and gives `emit` what was found, in order,
/// with the number of the first line through all inputs.
pub(in crate::pipeline) fn scan(
    inputs: Vec<Input>,
    options: &Options,
    sketching: Option<Sketching>,
    means: &Means<'_>,
    mut emit: impl FnMut(u64, &mut Scanned) -> Result<(), SplitError> + Send,
) -> Result<Inputs, SplitError> {
    let (scanners, spares) = (Spares::default(), Spares::default());
    let mut front = Front::new(inputs, means)?;
    let (mut starts, mut line) = (vec![0], 0);
    ordered::for_each(
        means.pool,
        || Ok(front.next()?),
        |(input, batch): (usize, LineBatch)| {
            let mut scanner: Scanner = scanners.take().unwrap_or_default();
            let mut scanned: Scanned = spares.take().unwrap_or_default();
            scanned.input = input;
            batch.for_each(|line| {
                let at = batch.offset + line.offset;
                let seen = match line.text {
                    _ if line.is_blank() => Seen::Blank,
                    Err(_) => Seen::NoExample,
                    Ok(text) => {
                        let place = (line.number, at, text.bytes().len());
                        scanner.line(text, place, options, sketching.as_ref(), &mut scanned)
                    }
                };
                scanned.lines.push(seen);
            });
            scanners.give(scanner);
            scanned
        },
        |mut scanned: Scanned| {
            while starts.len() <= scanned.input {
                starts.push(line);
            }
            let first = line;
            line += scanned.lines.len() as u64;
            if line > u64::from(u32::MAX) {
                return Err(crate::pipeline::dedupe::DedupeError::TooManyTexts.into());
            }
            emit(first, &mut scanned)?;
            scanned.clear();
            spares.give(scanned);
            Ok::<_, SplitError>(())
        },
    )?;
    let inputs = front.finish()?;
    starts.resize(inputs.len() + 1, line);
    Ok(Inputs { inputs, starts })
}

impl Scanner {
    fn line(
        &mut self,
        text: LineText<'_>,
        place: (u64, u64, usize),
        options: &Options,
        sketching: Option<&Sketching>,
        scanned: &mut Scanned,
    ) -> Seen {
        let Ok(prints) = self.reader.read(Ok(text), false) else {
            return Seen::NoExample;
        };
        let line = place.0;
        if let Some(sketching) = sketching {
            sketching.add(&self.reader, &prints, place, &mut scanned.near);
        }
        let prompt = self.reader.prompt_alone();
        let exact = self.reader.exact_prompt_alone();
        let ties = &mut scanned.ties;
        ties.push(Tie::new(prompt, Class::Prompt, line, exact));
        if let Some(answer) = prints.answer {
            let is_short = is_short(self.reader.answer());
            let class = match options.answers {
                Answers::Texts if is_short => Some(Class::ShortAnswer),
                Answers::Texts | Answers::All => Some(Class::Answer),
                Answers::None => None,
            };
            let exact = prints.exact_answer;
            ties.extend(class.map(|class| Tie::new(answer, class, line, exact)));
        }
        self.reader.turns(&mut self.turns);
        if let Some((whole, beginnings)) = self.turns.split_last() {
            let exact = exact ^ prints.exact_answer.rotate_left(1);
            ties.push(Tie::new(*whole, Class::Whole, line, exact));
            let beginnings = beginnings.iter();
            ties.extend(beginnings.map(|&print| Tie::new(print, Class::Beginning, line, 0)));
        }
        let mut seen = Parsed {
            weight: 1,
            stratum: 0,
            group: None,
        };
        if let Some(Stratify::Length) = options.stratify {
            seen.stratum = u32::BITS - prints.text_bytes.leading_zeros();
        }
        let is_parsed = options.group.is_some()
            || options.by == By::Tokens
            || matches!(options.stratify, Some(Stratify::Pointer(_)));
        if is_parsed {
            self.parsed(text.bytes(), options, &mut seen);
        }
        if let Some(group) = seen.group {
            // Apart from the groups of passports.
            ties.push(Tie::new(!group, Class::Group, line, 0));
        }
        Seen::Example {
            print: seen.group.unwrap_or(prompt),
            weight: seen.weight,
            stratum: seen.stratum,
            has_group: seen.group.is_some(),
            fingerprint: fingerprint(text.bytes()),
        }
    }

    /// Reads what only the whole line tells.
    fn parsed(&mut self, line: &[u8], options: &Options, seen: &mut Parsed) {
        let Ok(value) = self.document.parse(line) else {
            return;
        };
        if options.by == By::Tokens {
            let make = || Tokenizer::gemma4().counter();
            let counter = self.counter.get_or_insert_with(make);
            let count = tokens::count(&Example::of(value, Signs::NONE), counter);
            seen.weight = u32::try_from(count.total()).unwrap_or(u32::MAX).max(1);
        }
        if let Some(pointer) = &options.group {
            seen.group = print_at(value, pointer, &mut self.buffer);
        }
        if let Some(Stratify::Pointer(pointer)) = &options.stratify {
            let print = print_at(value, pointer, &mut self.buffer);
            seen.stratum = print.map_or(0, |print| (print as u32).max(1));
        }
    }
}

/// Whether an answer has few enough characters for a label.
fn is_short(answer: &str) -> bool {
    // A character has four bytes at most.
    answer.len() <= 4 * LABEL_CHARS && answer.chars().count() <= LABEL_CHARS
}

/// What only the whole line tells.
struct Parsed {
    weight: u32,
    stratum: u32,
    group: Option<u128>,
}

/// The print of the value at a place, if there is one.
fn print_at(value: Value<'_, '_>, pointer: &Pointer, buffer: &mut Vec<u8>) -> Option<u128> {
    let mut value = value;
    for name in &pointer.0 {
        value = match value.kind() {
            Kind::Array => value.items().nth(name.parse().ok()?)?,
            _ => value.get(name)?,
        };
    }
    if value.is_null() {
        return None;
    }
    buffer.clear();
    match value.as_str() {
        Some(text) => buffer.extend_from_slice(text.as_bytes()),
        None => compact(value, buffer),
    }
    Some(xxh3_128_with_seed(buffer, 1))
}

/// A number that the seed chooses for a print.
pub(in crate::pipeline) fn keyed(print: u128, seed: u64) -> u64 {
    xxh3_64_with_seed(&print.to_le_bytes(), seed)
}

/// Adds the ties of a batch whose first line is `first`.
pub(in crate::pipeline) fn push_ties(
    scanned: &Scanned,
    first: u64,
    ties: &mut Partitions<Tie>,
) -> Result<(), OutputError> {
    let mut all = scanned.ties.iter();
    all.try_for_each(|tie| ties.push(&tie.after(first)))
}
