//! The second reading: every example is written to its side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::atoms::{Atoms, BLANK, NO_EXAMPLE};
use super::quota::Sides;
use super::scan::keyed;
use super::{Options, Sinks, SplitError};
use crate::diag::{Finding, Position, S002};
use crate::io::{Finished, Inherited, LineOf, OutputError, Progress, Reread, Scratch, Stamp};
use crate::pipeline::compared::Reader;
use crate::pipeline::convert::{Met, Rejects};
use crate::pipeline::dataset::DatasetWriter;
use crate::pipeline::dedupe::Means;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::lines::{LineBatch, LineReader};
use crate::pipeline::ordered;

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    /// Each side and its passport.
    pub(super) parts: Vec<(Finished, Finished)>,
    pub(super) rejects: Option<Finished>,
    pub(super) ledger: Ledger,
    pub(super) met: Vec<Met>,
    /// The lines of the input in the order of each side, where it is not that
    /// of the input.
    shuffled: Vec<Vec<u32>>,
}

impl Written {
    /// The line of the input that stands at a line of a side, both from 0.
    pub(super) fn line(&self, (side, n): (usize, u64), sides: &Sides) -> u64 {
        let line = self.lines(side, sides).nth(n as usize);
        line.map_or(0, u64::from)
    }

    /// The lines of the input in the order of a side.
    pub(super) fn lines<'w>(&'w self, side: usize, sides: &'w Sides) -> impl Iterator<Item = u32> {
        let shuffled = self.shuffled.get(side);
        let all = shuffled.is_none().then(|| (0..).zip(&sides.of));
        let of_side = all.into_iter().flatten();
        let of_side = of_side.filter(move |(_, of)| usize::from(**of) == side);
        let shuffled = shuffled.into_iter().flatten().copied();
        shuffled.chain(of_side.map(|(line, _)| line))
    }
}

/// Writes the sides.
pub(super) fn write(
    atoms: &Atoms,
    sides: &Sides,
    options: &Options,
    sinks: &Sinks<'_>,
    means: &Means<'_>,
) -> Result<Written, SplitError> {
    let input = &atoms.inputs.inputs[0];
    let mut front = Front::open(input, means)?;
    let mut emitter = Emitter::new(atoms, options, sinks, means)?;
    let spares = Mutex::new(Vec::new());
    ordered::for_each(
        means.pool,
        || front.next(),
        |(first, batch): (u64, LineBatch)| {
            let spare = spares.lock().expect("no holder of the spares panics").pop();
            let mut cut: Cut = spare.unwrap_or_default();
            let first = first as usize;
            cut.fill(&batch, &sides.of[first..], &atoms.prints()[first..]);
            cut
        },
        |mut cut: Cut| {
            emitter.emit(&cut)?;
            cut.clear();
            spares
                .lock()
                .expect("no holder of the spares panics")
                .push(cut);
            Ok::<_, SplitError>(())
        },
    )?;
    emitter.finish(sinks.step)
}

/// The lines of the input once more.
struct Front<'f> {
    input: &'f Reread,
    means: &'f Means<'f>,
    reader: LineReader,
    progress: Arc<Progress>,
    line: u64,
}

impl<'f> Front<'f> {
    fn open(input: &'f Reread, means: &'f Means<'f>) -> Result<Self, SplitError> {
        let again = input.open()?;
        Ok(Self {
            input,
            means,
            progress: again.progress(),
            reader: LineReader::new(again)?,
            line: 0,
        })
    }

    fn next(&mut self) -> Result<Option<(u64, LineBatch)>, SplitError> {
        self.means.check_stop()?;
        let Some(batch) = self.reader.next()? else {
            self.input.check(&self.progress)?;
            return Ok(None);
        };
        let first = self.line;
        self.line += batch.n_lines();
        Ok(Some((first, batch)))
    }
}

/// A batch as it is written; lines and records count from its first.
#[derive(Debug, Default)]
struct Cut {
    /// The lines of each side.
    outs: [Vec<u8>; 3],
    written: Vec<Line>,
    left_out: Vec<(u64, Finding, Vec<u8>)>,
    blank: Vec<u64>,
    n_records: u64,
    n_lines: u64,
}

/// An example in the output of a batch.
#[derive(Debug)]
struct Line {
    side: usize,
    line: u64,
    record: u64,
    fingerprint: u128,
    bytes: usize,
}

impl Cut {
    fn clear(&mut self) {
        /// More than a common batch needs is given back to the system.
        const MOST_BYTES: usize = 4 << 20;
        for out in &mut self.outs {
            out.clear();
            out.shrink_to(MOST_BYTES);
        }
        self.written.clear();
        self.left_out.clear();
        self.blank.clear();
        self.n_records = 0;
        self.n_lines = 0;
    }

    fn fill(&mut self, batch: &LineBatch, sides: &[u8], prints: &[u128]) {
        let mut reader = Reader::default();
        let n_lines = batch.n_lines();
        self.n_lines = batch.for_each_unread(|line| {
            // A file that has grown meanwhile is noticed at its end.
            let side = sides.get(line.number as usize).copied().unwrap_or(BLANK);
            if side == BLANK {
                self.blank.push(line.number);
                return;
            }
            let record = self.n_records;
            self.n_records += 1;
            let raw = match line.text {
                Ok(text) => text.bytes(),
                Err(long) => long.head,
            };
            if side == NO_EXAMPLE {
                let is_last = line.number + 1 == n_lines;
                if let Err(mut finding) = reader.read(line.text, is_last) {
                    finding.position.line = line.number;
                    self.left_out.push((record, finding, raw.to_vec()));
                }
                return;
            }
            let side = usize::from(side);
            let out = &mut self.outs[side];
            out.extend_from_slice(raw);
            out.push(b'\n');
            self.written.push(Line {
                side,
                line: line.number,
                record,
                // Should the file be another one now, that is noticed at its end.
                fingerprint: prints[line.number as usize],
                bytes: raw.len() + 1,
            });
        });
    }
}

/// Writes what batches gave, in order, and keeps the account.
struct Emitter<'a> {
    name: &'a str,
    seed: u64,
    sides: Vec<Sink>,
    inherited: Inherited,
    rejects: Rejects<'a>,
    ledger: Ledger,
    met: BTreeMap<&'static str, Met>,
    lines: u64,
    records: u64,
}

/// Where one side goes.
struct Sink {
    dataset: DatasetWriter,
    /// All lines, until they are brought into an order of their own.
    shuffle: Option<Shuffle>,
}

impl<'a> Emitter<'a> {
    fn new(
        atoms: &'a Atoms,
        options: &Options,
        sinks: &Sinks<'a>,
        means: &Means<'_>,
    ) -> Result<Self, SplitError> {
        let input = &atoms.inputs.inputs[0];
        let mut sides = Vec::new();
        for (data, passport) in sinks.writers()? {
            let shuffle = options
                .shuffle
                .then(|| Shuffle::new(input.bytes(), means))
                .transpose()?;
            sides.push(Sink {
                dataset: DatasetWriter::new(data, Some(passport))?,
                shuffle,
            });
        }
        Ok(Self {
            name: input.name(),
            seed: options.seed,
            sides,
            inherited: Inherited::new(atoms.inputs.sources())?,
            rejects: Rejects::new(Some(sinks.rejects)),
            ledger: Ledger::default(),
            met: BTreeMap::new(),
            lines: 0,
            records: 0,
        })
    }

    fn emit(&mut self, cut: &Cut) -> Result<(), SplitError> {
        let mut starts = [0; 3];
        for line in &cut.written {
            let stamp = self.inherited.stamp(&LineOf {
                input: 0,
                line: self.lines + line.line + 1,
                record: self.records + line.record + 1,
                fingerprint: line.fingerprint,
            })?;
            let sink = &mut self.sides[line.side];
            let start = starts[line.side];
            starts[line.side] += line.bytes;
            match &mut sink.shuffle {
                None => sink.dataset.stamp(&stamp)?,
                Some(shuffle) => {
                    let bytes = &cut.outs[line.side][start..starts[line.side]];
                    let key = keyed(line.fingerprint, self.seed);
                    shuffle.push(key, self.lines + line.line, &stamp, bytes)?;
                }
            }
        }
        for (sink, out) in self.sides.iter_mut().zip(&cut.outs) {
            if sink.shuffle.is_none() {
                sink.dataset.put(out)?;
            }
        }
        for line in &cut.blank {
            let position = Position::line(self.lines + line + 1);
            let note = Finding::new(&S002, position, "the line is blank");
            self.meet(&note);
            *self.ledger.notes.entry(note.code.code).or_default() += 1;
        }
        for (record, finding, raw) in &cut.left_out {
            let mut finding = finding.clone();
            finding.position.line += self.lines + 1;
            self.meet(&finding);
            *self.ledger.rejected.entry(finding.code.code).or_default() += 1;
            let record = self.records + record + 1;
            self.rejects.put(self.name, record, &finding, raw)?;
        }
        self.ledger.read += cut.n_records;
        self.ledger.written += cut.written.len() as u64;
        self.lines += cut.n_lines;
        self.records += cut.n_records;
        Ok(())
    }

    /// Remembers that a code was met.
    fn meet(&mut self, finding: &Finding) {
        let met = self.met.entry(finding.code.code).or_insert_with(|| Met {
            code: finding.code,
            count: 0,
            source: self.name.to_owned(),
            position: finding.position,
            message: finding.message.clone(),
        });
        met.count += 1;
    }

    fn finish(self, step: &str) -> Result<Written, SplitError> {
        let Self {
            sides, inherited, ..
        } = self;
        let (sources, mut steps) = inherited.finish();
        steps.push(step.to_owned());
        let (mut parts, mut shuffled) = (Vec::new(), Vec::new());
        for mut sink in sides {
            if let Some(shuffle) = sink.shuffle.take() {
                shuffled.push(shuffle.write(&mut sink)?);
            }
            let (data, passport) = sink.dataset.finish()?;
            let passport = passport.expect("every side has a passport");
            let passport = passport.finish(sources.clone(), steps.clone());
            let passport = passport.map_err(OutputError::passport)?;
            parts.push((data, passport.finish()?));
        }
        Ok(Written {
            parts,
            rejects: self.rejects.finish()?,
            ledger: self.ledger,
            met: self.met.into_values().collect(),
            shuffled,
        })
    }
}

/// Lines on their way into an order that the seed chooses: what a line says
/// gives it a number, and lines are brought into the order of the numbers. They
/// are kept on the disk, parted by the first bits of the number, and sorted one
/// part after the other in memory.
struct Shuffle {
    scratch: Arc<Scratch>,
    bits: u32,
    buckets: Vec<Bucket>,
    most_held: usize,
}

#[derive(Default)]
struct Bucket {
    held: Vec<u8>,
    /// Where it stands in the scratch file, and how long that is.
    extents: Vec<(u64, usize)>,
}

/// A line and its stamp, as they are kept.
struct Kept<'b> {
    key: u64,
    line: u64,
    stamp: Stamp,
    bytes: &'b [u8],
}

impl Shuffle {
    fn new(input_bytes: u64, means: &Means<'_>) -> Result<Self, OutputError> {
        /// Lines of a packed input need more than the file has.
        const MOST_PACKED: u64 = 8;
        let memory = (means.memory / 8).max(1);
        let n_buckets = (input_bytes * MOST_PACKED / memory + 1).next_power_of_two();
        let bits = n_buckets.trailing_zeros().min(12);
        Ok(Self {
            scratch: Arc::new(Scratch::beside(means.target)?),
            bits,
            buckets: (0..1 << bits).map(|_| Bucket::default()).collect(),
            most_held: (memory as usize >> bits).clamp(1 << 10, 1 << 20),
        })
    }

    fn push(
        &mut self,
        key: u64,
        line: u64,
        stamp: &Stamp,
        bytes: &[u8],
    ) -> Result<(), OutputError> {
        let bucket = key.checked_shr(u64::BITS - self.bits).unwrap_or(0);
        let bucket = &mut self.buckets[bucket as usize];
        let held = &mut bucket.held;
        let numbers = [
            key,
            line,
            u64::from(stamp.source),
            stamp.record,
            stamp.line,
            stamp.group.len() as u64,
            bytes.len() as u64,
        ];
        numbers
            .iter()
            .for_each(|number| held.extend_from_slice(&number.to_le_bytes()));
        held.extend_from_slice(&stamp.fingerprint.to_le_bytes());
        held.extend_from_slice(stamp.group.as_bytes());
        held.extend_from_slice(bytes);
        if held.len() >= self.most_held {
            let start = self.scratch.append(held)?;
            bucket.extents.push((start, held.len()));
            held.clear();
        }
        Ok(())
    }

    /// Writes all lines in their new order, which is returned.
    fn write(self, sink: &mut Sink) -> Result<Vec<u32>, SplitError> {
        let mut order = Vec::new();
        for bucket in self.buckets {
            let mut bytes = Vec::new();
            for (start, len) in bucket.extents {
                let at = bytes.len();
                bytes.resize(at + len, 0);
                self.scratch.read_at(start, &mut bytes[at..])?;
            }
            bytes.extend_from_slice(&bucket.held);
            let mut rest = &bytes[..];
            let mut kept = Vec::new();
            while let Some(next) = Kept::take(&mut rest) {
                kept.push(next);
            }
            kept.sort_unstable_by_key(|kept| (kept.key, kept.line));
            for kept in kept {
                sink.dataset.put(kept.bytes)?;
                sink.dataset.stamp(&kept.stamp)?;
                order.push(kept.line as u32);
            }
        }
        Ok(order)
    }
}

impl<'b> Kept<'b> {
    /// Takes what was kept first off `rest`.
    fn take(rest: &mut &'b [u8]) -> Option<Self> {
        let mut number = || {
            let (bytes, others) = rest.split_first_chunk::<8>()?;
            *rest = others;
            Some(u64::from_le_bytes(*bytes))
        };
        let (key, line) = (number()?, number()?);
        let (source, record, at_line) = (number()?, number()?, number()?);
        let (n_group, n_bytes) = (number()?, number()?);
        let (fingerprint, others) = rest.split_first_chunk::<16>()?;
        let (group, others) = others.split_at_checked(n_group as usize)?;
        let (bytes, others) = others.split_at_checked(n_bytes as usize)?;
        *rest = others;
        let stamp = Stamp {
            source: source as u32,
            record,
            line: at_line,
            fingerprint: u128::from_le_bytes(*fingerprint),
            group: String::from_utf8_lossy(group).into_owned(),
        };
        Some(Self {
            key,
            line,
            stamp,
            bytes,
        })
    }
}
