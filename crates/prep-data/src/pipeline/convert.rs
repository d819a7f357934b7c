//! Sources into one dataset, with its passport, its rejects and its ledger.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;
use serde::Serialize;

use super::compose::{self, ComposeError, ComposeOptions, Composed, Plan, at_line};
use super::conversations::{Conversations, Gathered, MERGED, RowPlace, TurnRow};
use super::dataset::DatasetWriter;
use super::ledger::Ledger;
use super::ordered;
use super::spares::Spares;
use crate::diag::{Code, Finding, Position, shown};
use crate::example::write;
use crate::io::passport::{self, fingerprint};
use crate::io::{Finished, OutputError, OutputWriter, Sha256Wanted, Stamp};
use crate::source::{
    Batch, Data, Format, Item, Opened, PlainChat, PlainRow, Record, Source, SourceError, Taker,
};

/// Why a conversion could not be carried to its end.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The conversations do not fit into memory.
    #[error("the conversations do not fit into {} MiB of memory", limit >> 20)]
    TooManyTurns {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Sources whose columns are settled, ready to be converted.
#[derive(Debug)]
pub struct Job {
    parts: Vec<Part>,
}

/// One source of a job.
#[derive(Debug)]
pub struct Part {
    /// The names of its inputs.
    pub names: Vec<String>,
    /// Its format.
    pub format: Format,
    /// What was guessed about it, one phrase each.
    pub decisions: Vec<String>,
    source: Box<dyn Source>,
    plan: Plan,
}

impl Job {
    /// Settles how the records of every source become examples.
    ///
    /// # Errors
    ///
    /// When the columns of one cannot be told.
    pub fn new(sources: Vec<Opened>, options: &ComposeOptions) -> Result<Self, ComposeError> {
        let parts = sources.into_iter().map(|opened| {
            let input = opened.names.join(" + ");
            let (plan, decision) = Plan::new(&input, opened.columns.as_ref(), options)?;
            let mut decisions = opened.decisions;
            decisions.extend(options.templates());
            decisions.extend(decision.filter(|_| !opened.format.is_pairs()));
            Ok(Part {
                names: opened.names,
                format: opened.format,
                decisions,
                source: opened.source,
                plan,
            })
        });
        Ok(Self {
            parts: parts.collect::<Result<_, _>>()?,
        })
    }

    /// The sources, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Converts everything.
    ///
    /// # Errors
    ///
    /// When a source cannot be read to its end or an output cannot be written.
    /// Nothing has appeared under its name then.
    pub fn run(self, sinks: Sinks<'_>, run: &Run<'_>) -> Result<Outcome, ConvertError> {
        let (sources, plans): (Vec<_>, Vec<_>) = self
            .parts
            .into_iter()
            .map(|part| ((part.names, part.source), part.plan))
            .unzip();
        let (names, sources): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
        let spares = Spares::default();
        let mut front = Front {
            sources,
            part: 0,
            run,
        };
        let mut emitter = Emitter::new(sinks, &plans, names, run)?;
        ordered::for_each(
            run.pool,
            || front.next(),
            |(part, batch): Numbered| {
                decode(part, batch, &plans[part], spares.take().unwrap_or_default())
            },
            |mut decoded| {
                emitter.emit(&mut decoded)?;
                if let Some(spare) = decoded.spare() {
                    spares.give(spare);
                }
                Ok(())
            },
        )?;
        emitter.finish()
    }
}

/// What a conversion is run with.
#[derive(Debug)]
pub struct Run<'a> {
    /// The threads to work on.
    pub pool: &'a ThreadPool,
    /// The most that conversations may take while they are gathered, in bytes.
    pub memory: u64,
    /// Set from outside to stop the run.
    pub stop: &'a AtomicBool,
}

/// Where a conversion writes.
#[derive(Debug)]
pub struct Sinks<'a> {
    /// The dataset.
    pub data: OutputWriter,
    /// Where examples came from, if that is kept.
    pub passport: Option<OutputWriter>,
    /// Where rejects go, once there is one; `None`: nowhere.
    pub rejects: Option<&'a Path>,
}

/// What a conversion came to.
#[derive(Debug)]
pub struct Outcome {
    /// The account.
    pub ledger: Ledger,
    /// How many examples were written.
    pub examples: u64,
    /// Of each code that was met: how often, and where first.
    pub met: Vec<Met>,
    /// The dataset, waiting to be renamed.
    pub data: Finished,
    /// The passport, not yet ended: its footer needs the inputs' checksums.
    pub passport: Option<passport::Writer<OutputWriter>>,
    /// The rejects, if there are any.
    pub rejects: Option<Finished>,
}

/// A code that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The code.
    pub code: &'static Code,
    /// How often.
    pub count: u64,
    /// The input in which it was met first.
    pub source: String,
    /// Where.
    pub position: Position,
    /// What was said there.
    pub message: String,
}

/// A batch and the number of its source.
type Numbered = (usize, Box<dyn Batch>);

/// The batches of all sources, one source after the other.
struct Front<'r> {
    sources: Vec<Box<dyn Source>>,
    part: usize,
    run: &'r Run<'r>,
}

impl Front<'_> {
    fn next(&mut self) -> Result<Option<Numbered>, ConvertError> {
        if self.run.stop.load(Ordering::Relaxed) {
            return Err(ConvertError::Interrupted);
        }
        while let Some(source) = self.sources.get_mut(self.part) {
            if let Some(batch) = source.next_batch()? {
                return Ok(Some((self.part, batch)));
            }
            self.part += 1;
        }
        Ok(None)
    }
}

/// A batch as it leaves its thread; lines and records count from the batch's
/// first.
#[derive(Default)]
struct Decoded {
    part: usize,
    /// The input of the part.
    input: usize,
    out: Vec<u8>,
    written: Vec<Written>,
    turns: Vec<TurnRow>,
    rejects: Vec<Rejected>,
    notes: Vec<Finding>,
    n_records: u64,
    n_lines: u64,
}

impl Decoded {
    /// Empties what was written out; `None` if the buffer is larger than a
    /// common batch needs, and better given back to the system.
    fn spare(mut self) -> Option<Self> {
        const MOST_BYTES: usize = 4 << 20;
        self.out.clear();
        self.n_records = 0;
        (self.out.capacity() <= MOST_BYTES).then_some(self)
    }
}

/// An example in the output of a batch.
struct Written {
    line: u64,
    record: u64,
    fingerprint: u128,
    group: String,
}

/// A record that is no example.
struct Rejected {
    record: u64,
    finding: Finding,
    raw: Vec<u8>,
}

/// Decodes a batch and composes its examples. Runs on any thread.
fn decode(part: usize, batch: Box<dyn Batch>, plan: &Plan, mut decoded: Decoded) -> Decoded {
    decoded.part = part;
    decoded.input = batch.input();
    decoded.n_lines = batch.decode_into(&mut Composing {
        plan,
        decoded: &mut decoded,
    });
    decoded
}

/// Composes what it takes.
struct Composing<'d> {
    plan: &'d Plan,
    decoded: &'d mut Decoded,
}

impl Taker for Composing<'_> {
    fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Record(record) => self.decoded.add(record, self.plan),
            Item::Reject(reject) => self.decoded.reject(reject.finding, reject.raw),
            Item::Note(finding) => self.decoded.notes.push(finding),
        }
    }

    fn takes_plain(&self) -> bool {
        match self.plan {
            Plan::Rows(plan) => plan.copies(),
            Plan::Chats(plan) => plan.copies(),
            Plan::Turns(_) => false,
        }
    }

    fn take_plain(&mut self, row: PlainRow<'_>) -> bool {
        let Plan::Rows(plan) = self.plan else {
            return false;
        };
        self.decoded.copy(row.line, |out| plan.copy(&row, out))
    }

    fn take_plain_chat(&mut self, chat: PlainChat<'_>) -> bool {
        let Plan::Chats(plan) = self.plan else {
            return false;
        };
        self.decoded.copy(chat.line, |out| plan.copy(&chat, out))
    }
}

impl Decoded {
    fn add(&mut self, record: Record<'_>, plan: &Plan) {
        let (line, raw) = (record.line, record.raw);
        if let (Plan::Turns(plan), Data::Row(cells)) = (plan, &record.data) {
            let place = RowPlace {
                record: self.n_records,
                line,
                ..RowPlace::default()
            };
            self.turns.push(TurnRow::new(plan, place, cells, raw));
            self.n_records += 1;
            return;
        }
        let start = self.out.len();
        let notes = &mut self.notes;
        match compose::compose(plan, record, &mut self.out, &mut |note| notes.push(note)) {
            Composed::Written(group) => self.wrote(start, line, group),
            Composed::Refused(finding) => self.reject(finding, raw),
        }
    }

    /// Accounts for what `copy` appends, if it does.
    fn copy(&mut self, line: u64, copy: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let start = self.out.len();
        let is_copied = copy(&mut self.out);
        if is_copied {
            self.wrote(start, line, String::new());
        }
        is_copied
    }

    /// Accounts for the example whose line begins at `start` in the output.
    fn wrote(&mut self, start: usize, line: u64, group: String) {
        self.written.push(Written {
            line,
            record: self.n_records,
            fingerprint: fingerprint(&self.out[start..self.out.len() - 1]),
            group,
        });
        self.n_records += 1;
    }

    fn reject(&mut self, finding: Finding, raw: &[u8]) {
        self.rejects.push(Rejected {
            record: self.n_records,
            finding,
            raw: raw.to_vec(),
        });
        self.n_records += 1;
    }
}

/// Writes what batches gave, in order, and keeps the account.
struct Emitter<'a> {
    dataset: DatasetWriter,
    rejects: Rejects<'a>,
    /// The names of the inputs of every part.
    names: Vec<Vec<String>>,
    memory: u64,
    conversations: Option<Conversations>,
    ledger: Ledger,
    examples: u64,
    met: BTreeMap<&'static str, Met>,
    part: usize,
    input: usize,
    /// The first line of the next batch, from 1.
    line: u64,
    /// The records before the next batch.
    records: u64,
}

impl<'a> Emitter<'a> {
    fn new(
        sinks: Sinks<'a>,
        plans: &[Plan],
        names: Vec<Vec<String>>,
        run: &Run<'_>,
    ) -> Result<Self, ConvertError> {
        let gathers = plans.iter().find_map(|plan| match plan {
            Plan::Turns(plan) => Some(Conversations::new(plan)),
            _ => None,
        });
        Ok(Self {
            dataset: DatasetWriter::new(sinks.data, sinks.passport)?,
            rejects: Rejects::new(sinks.rejects),
            names,
            memory: run.memory,
            conversations: gathers,
            ledger: Ledger::default(),
            examples: 0,
            met: BTreeMap::new(),
            part: 0,
            input: 0,
            line: 1,
            records: 0,
        })
    }

    fn emit(&mut self, decoded: &mut Decoded) -> Result<(), ConvertError> {
        if decoded.part != self.part {
            self.part = decoded.part;
            self.input = decoded.input;
            self.line = 1;
            self.records = 0;
        } else if decoded.input != self.input {
            self.input = decoded.input;
            self.line = 1;
        }
        self.dataset.put(&decoded.out)?;
        self.examples += decoded.written.len() as u64;
        self.ledger.written += decoded.written.len() as u64;
        self.ledger.read += decoded.n_records;
        for written in decoded.written.drain(..) {
            self.dataset.stamp(&Stamp {
                source: self.part as u32,
                record: self.records + written.record + 1,
                line: self.line + written.line,
                fingerprint: written.fingerprint,
                group: written.group,
            })?;
        }
        for mut note in decoded.notes.drain(..) {
            note.position.line += self.line;
            self.note(&note);
        }
        for mut rejected in decoded.rejects.drain(..) {
            rejected.finding.position.line += self.line;
            let record = self.records + rejected.record + 1;
            self.reject(
                self.part,
                self.input,
                record,
                &rejected.finding,
                &rejected.raw,
            )?;
        }
        for mut turn in decoded.turns.drain(..) {
            turn.place.source = self.part as u32;
            turn.place.record += self.records + 1;
            turn.place.line += self.line;
            self.gather(turn)?;
        }
        self.line += decoded.n_lines;
        self.records += decoded.n_records;
        Ok(())
    }

    fn gather(&mut self, turn: TurnRow) -> Result<(), ConvertError> {
        let limit = self.memory;
        if let Some(conversations) = &mut self.conversations {
            conversations.push(turn);
            if conversations.weight() > limit {
                return Err(ConvertError::TooManyTurns { limit });
            }
        }
        Ok(())
    }

    /// Remembers that a code was met.
    fn meet(&mut self, part: usize, input: usize, finding: &Finding) {
        let met = self.met.entry(finding.code.code).or_insert_with(|| Met {
            code: finding.code,
            count: 0,
            source: self.names[part][input].clone(),
            position: finding.position,
            message: finding.message.clone(),
        });
        met.count += 1;
    }

    fn note(&mut self, finding: &Finding) {
        self.meet(self.part, self.input, finding);
        *self.ledger.notes.entry(finding.code.code).or_default() += 1;
    }

    fn reject(
        &mut self,
        part: usize,
        input: usize,
        record: u64,
        finding: &Finding,
        raw: &[u8],
    ) -> Result<(), ConvertError> {
        self.meet(part, input, finding);
        *self.ledger.rejected.entry(finding.code.code).or_default() += 1;
        Ok(self
            .rejects
            .put(&self.names[part][input], record, finding, raw)?)
    }

    fn finish(mut self) -> Result<Outcome, ConvertError> {
        if let Some(conversations) = self.conversations.take() {
            for gathered in conversations.finish() {
                self.write_conversation(gathered)?;
            }
        }
        let (data, passport) = self.dataset.finish()?;
        Ok(Outcome {
            ledger: self.ledger,
            examples: self.examples,
            met: self.met.into_values().collect(),
            data,
            passport,
            rejects: self.rejects.finish()?,
        })
    }

    fn write_conversation(&mut self, gathered: Gathered) -> Result<(), ConvertError> {
        let refused = match gathered {
            Gathered::Example {
                example,
                group,
                first,
                n_rows,
                refused,
                has_merged,
            } => {
                let mut line = Vec::new();
                write::line(&example, &mut line);
                self.dataset.put(&line)?;
                self.examples += 1;
                self.ledger.written += n_rows;
                self.dataset.stamp(&Stamp {
                    source: first.source,
                    record: first.record,
                    line: first.line,
                    fingerprint: fingerprint(&line[..line.len() - 1]),
                    group: group.clone(),
                })?;
                if has_merged {
                    let message = format!(
                        "turns of one speaker in a row were joined in conversation {}",
                        shown(&group)
                    );
                    self.part = first.source as usize;
                    self.input = 0;
                    self.note(&at_line(MERGED, first.line, message));
                }
                refused
            }
            Gathered::Refused { rows, refusal } => {
                rows.into_iter().map(|row| (row, refusal.clone())).collect()
            }
        };
        for (row, refusal) in refused {
            let finding = at_line(refusal.code, row.place.line, refusal.message);
            self.reject(
                row.place.source as usize,
                0,
                row.place.record,
                &finding,
                &row.raw,
            )?;
        }
        Ok(())
    }
}

/// The rejects file, made when there is something to put into it.
pub(super) struct Rejects<'a> {
    path: Option<&'a Path>,
    writer: Option<OutputWriter>,
    /// Lines that are still to be written.
    buffer: Vec<u8>,
}

/// One line of the rejects file.
#[derive(Serialize)]
struct RejectLine<'a> {
    source: &'a str,
    line: u64,
    column: u64,
    record: u64,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

impl<'a> Rejects<'a> {
    /// Rejects that go to `path`, or nowhere.
    pub(super) fn new(path: Option<&'a Path>) -> Self {
        Self {
            path,
            writer: None,
            buffer: Vec::new(),
        }
    }
}

impl Rejects<'_> {
    /// Adds a record that is left out, with the reason.
    pub(super) fn put(
        &mut self,
        source: &str,
        record: u64,
        finding: &Finding,
        raw: &[u8],
    ) -> Result<(), OutputError> {
        use base64::Engine;
        /// How much is written at once: a call for each line would cost more
        /// than all else that is done about it.
        const AT_ONCE: usize = 64 << 10;
        let Some(path) = self.path else { return Ok(()) };
        let text = std::str::from_utf8(raw).ok();
        let line = RejectLine {
            source,
            line: finding.position.line,
            column: finding.position.column,
            record,
            code: finding.code.code,
            message: &finding.message,
            raw: text,
            raw_base64: text
                .is_none()
                .then(|| base64::engine::general_purpose::STANDARD.encode(raw)),
        };
        serde_json::to_writer(&mut self.buffer, &line).expect("a reject has string keys only");
        self.buffer.push(b'\n');
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(OutputWriter::create(path, Sha256Wanted::No)?),
        };
        if self.buffer.len() >= AT_ONCE {
            writer.put(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Ends the file, if there is one.
    pub(super) fn finish(self) -> Result<Option<Finished>, OutputError> {
        let Some(mut writer) = self.writer else {
            return Ok(None);
        };
        writer.put(&self.buffer)?;
        writer.finish().map(Some)
    }
}
