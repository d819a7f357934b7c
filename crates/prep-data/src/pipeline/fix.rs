//! A dataset, repaired line by line.
//!
//! Every line is written again, repaired as far as rules can, and its example
//! keeps where it came from. Lines that are blank are left out; nothing else
//! is. What could not be repaired is counted, for `prep validate` to tell.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;

use super::check::raw_line;
use super::dataset::DatasetWriter;
use super::ledger::Ledger;
use super::lines::{LineBatch, LineReader};
use super::ordered;
use crate::io::passport::{self, fingerprint};
use crate::io::{
    Finished, Inherited, Input, InputError, LineOf, OutputError, OutputWriter, PassportError,
};
use crate::rules::{Context, Fixer, Levels, LineOutcome, RULES, Safety};

/// Why a dataset could not be repaired.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// It cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Where its examples came from cannot be read.
    #[error(transparent)]
    Passport(#[from] PassportError),
    /// A line is too long to be carried over.
    #[error("line {line} of `{name}` has {bytes} bytes, the limit is 16 MiB")]
    TooLong {
        /// The dataset.
        name: String,
        /// The line, from 1.
        line: u64,
        /// Its length.
        bytes: u64,
    },
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What a repair is run with.
#[derive(Debug)]
pub struct FixRun<'a> {
    /// The threads to work on.
    pub pool: &'a ThreadPool,
    /// How far repairs may go.
    pub safety: Safety,
    /// Set from outside to stop the run.
    pub stop: &'a AtomicBool,
}

/// Where a repair writes.
pub struct FixSinks<'a> {
    /// The dataset.
    pub data: OutputWriter,
    /// Where examples came from, if that is kept.
    pub passport: Option<OutputWriter>,
    /// The stamps that its lines inherit.
    pub inherited: &'a mut Inherited,
    /// Is told of every line that changes, in order.
    pub changed: &'a mut (dyn FnMut(Changed<'_>) + Send),
}

impl fmt::Debug for FixSinks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixSinks")
            .field("data", &self.data)
            .field("inherited", &self.inherited)
            .finish_non_exhaustive()
    }
}

/// A line that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed<'a> {
    /// Its number in the input, from 1.
    pub line: u64,
    /// What it was, without its line end.
    pub before: &'a [u8],
    /// A byte-order mark stood before it, which is gone.
    pub had_bom: bool,
    /// What it is; `None` if it is left out.
    pub after: Option<&'a [u8]>,
}

/// What a repair came to.
#[derive(Debug)]
pub struct FixOutcome {
    /// The account of the examples.
    pub ledger: Ledger,
    /// How many examples were repaired.
    pub repaired: u64,
    /// How many blank lines were left out.
    pub blank: u64,
    /// How many repairs of each rule were carried out, by its place in
    /// [`RULES`].
    pub repairs: Vec<u64>,
    /// How many findings of each rule are left, by its place in [`RULES`].
    pub left: Vec<u64>,
    /// The dataset, waiting to be renamed.
    pub data: Finished,
    /// The passport, not yet ended.
    pub passport: Option<passport::Writer<OutputWriter>>,
}

/// Repairs a dataset.
///
/// # Errors
///
/// When it cannot be read to its end, or written; nothing has appeared under
/// its name then.
pub fn fix(
    input: Input,
    context: &Context,
    levels: &Levels,
    sinks: FixSinks<'_>,
    run: &FixRun<'_>,
) -> Result<FixOutcome, FixError> {
    let name = input.name().to_owned();
    let mut reader = LineReader::new(input)?;
    let mut has_bom = reader.has_bom();
    let mut emitter = Emitter::new(sinks, name, has_bom)?;
    ordered::for_each(
        run.pool,
        || {
            if run.stop.load(Ordering::Relaxed) {
                return Err(FixError::Interrupted);
            }
            let batch = reader.next()?;
            Ok(batch.map(|batch| (batch, std::mem::take(&mut has_bom))))
        },
        |(batch, has_bom): (LineBatch, bool)| {
            let repaired = repair(&batch, has_bom, context, levels, run.safety);
            (batch, repaired)
        },
        |(batch, repaired)| emitter.emit(&batch, &repaired),
    )?;
    emitter.finish()
}

/// A batch that was repaired.
struct Repaired {
    /// Its lines as they are to be written.
    out: Vec<u8>,
    lines: Vec<RepairedLine>,
    repairs: Vec<u64>,
    left: Vec<u64>,
    too_long: Option<(u64, u64)>,
    n_lines: u64,
}

/// A line that was repaired, or not.
struct RepairedLine {
    /// Where it ends in the output, its line end included.
    end: usize,
    n_repairs: u64,
    is_blank: bool,
    /// The fingerprint by which the passport knows the line.
    before: u128,
    /// The fingerprint of the line as it is written.
    after: u128,
}

fn repair(
    batch: &LineBatch,
    has_bom: bool,
    context: &Context,
    levels: &Levels,
    safety: Safety,
) -> Repaired {
    let mut fixer = Fixer::new(context, levels, safety);
    let mut out = Vec::with_capacity(usize::try_from(batch.bytes()).unwrap_or(0) + 1);
    let (mut lines, mut too_long) = (Vec::new(), None);
    let n_lines = batch.for_each(|line| {
        let raw = raw_line(&line, has_bom && line.number == 0);
        if let Some(bytes) = raw.cut_from {
            too_long.get_or_insert((line.number, bytes));
            return;
        }
        let fixed = fixer.line(&raw);
        let is_blank = fixed.outcome == LineOutcome::Blank;
        if !is_blank || fixed.n_repairs == 0 {
            out.extend_from_slice(&fixed.line);
            out.push(b'\n');
        }
        let before = fingerprint(raw.bytes);
        let is_changed = matches!(fixed.line, Cow::Owned(_));
        lines.push(RepairedLine {
            end: out.len(),
            n_repairs: fixed.n_repairs,
            is_blank,
            before,
            after: if is_changed {
                fingerprint(&fixed.line)
            } else {
                before
            },
        });
    });
    Repaired {
        out,
        lines,
        repairs: fixer.repairs,
        left: fixer.left,
        too_long,
        n_lines,
    }
}

/// Writes what batches gave, in order, and keeps the account.
struct Emitter<'a> {
    name: String,
    dataset: DatasetWriter,
    inherited: &'a mut Inherited,
    changed: &'a mut (dyn FnMut(Changed<'_>) + Send),
    ledger: Ledger,
    repaired: u64,
    blank: u64,
    repairs: Vec<u64>,
    left: Vec<u64>,
    /// The lines before the next batch.
    lines: u64,
    has_bom: bool,
}

impl<'a> Emitter<'a> {
    fn new(sinks: FixSinks<'a>, name: String, has_bom: bool) -> Result<Self, FixError> {
        Ok(Self {
            name,
            dataset: DatasetWriter::new(sinks.data, sinks.passport)?,
            inherited: sinks.inherited,
            changed: sinks.changed,
            ledger: Ledger::default(),
            repaired: 0,
            blank: 0,
            repairs: vec![0; RULES.len()],
            left: vec![0; RULES.len()],
            lines: 0,
            has_bom,
        })
    }

    fn emit(&mut self, batch: &LineBatch, repaired: &Repaired) -> Result<(), FixError> {
        if let Some((number, bytes)) = repaired.too_long {
            return Err(FixError::TooLong {
                name: self.name.clone(),
                line: self.lines + number + 1,
                bytes,
            });
        }
        self.dataset.put(&repaired.out)?;
        add(&mut self.repairs, &repaired.repairs);
        add(&mut self.left, &repaired.left);
        for (number, line) in (1..).zip(&repaired.lines) {
            if line.is_blank {
                self.blank += u64::from(line.n_repairs > 0);
                continue;
            }
            self.ledger.read += 1;
            self.ledger.written += 1;
            self.repaired += u64::from(line.n_repairs > 0);
            if self.dataset.has_passport() {
                let mut stamp = self.inherited.stamp(&LineOf {
                    input: 0,
                    line: self.lines + number,
                    record: self.ledger.read,
                    fingerprint: line.before,
                })?;
                stamp.fingerprint = line.after;
                self.dataset.stamp(&stamp)?;
            }
        }
        if repaired.lines.iter().any(|line| line.n_repairs > 0) {
            self.tell_changes(batch, repaired);
        }
        self.lines += repaired.n_lines;
        Ok(())
    }

    fn tell_changes(&mut self, batch: &LineBatch, repaired: &Repaired) {
        let has_bom = self.has_bom;
        let mut lines = repaired.lines.iter();
        let mut start = 0;
        batch.for_each(|line| {
            let Some(fixed) = lines.next() else {
                return;
            };
            let after = &repaired.out[start..fixed.end];
            start = fixed.end;
            if let (Ok(text), true) = (line.text, fixed.n_repairs > 0) {
                (self.changed)(Changed {
                    line: self.lines + line.number + 1,
                    before: text.bytes(),
                    had_bom: has_bom && self.lines + line.number == 0,
                    after: after.strip_suffix(b"\n"),
                });
            }
        });
    }

    fn finish(self) -> Result<FixOutcome, FixError> {
        let (data, passport) = self.dataset.finish()?;
        Ok(FixOutcome {
            ledger: self.ledger,
            repaired: self.repaired,
            blank: self.blank,
            repairs: self.repairs,
            left: self.left,
            data,
            passport,
        })
    }
}

fn add(sums: &mut [u64], counts: &[u64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += count;
    }
}
