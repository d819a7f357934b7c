//! The second reading: the sources take turns.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::plan::{Drawn, Fate, Plan};
use super::{MixError, Outcome, Share, Sinks};
use crate::diag::{D006, Finding, Position, S002};
use crate::io::passport::fingerprint;
use crate::io::{Cause, Inherited, InputError, LineOf, OutputError, Progress};
use crate::pipeline::compared::Reader;
use crate::pipeline::convert::{Met, Rejects};
use crate::pipeline::dataset::DatasetWriter;
use crate::pipeline::dedupe::{Inputs, Means};
use crate::pipeline::ledger::Ledger;
use crate::pipeline::lines::LineReader;

/// Writes what was drawn.
pub(super) fn write(plan: &Plan, sinks: Sinks<'_>, means: &Means<'_>) -> Result<Outcome, MixError> {
    let mut account = Account::new(plan, sinks.rejects);
    let n_sources = plan.drawn.len();
    let mut streams: Vec<_> = (0..n_sources)
        .map(|source| Stream::new(plan, source))
        .collect();
    let mut mixture = Mixture::new(plan, sinks)?;
    loop {
        // The source that is furthest behind.
        let progress = |stream: &&mut Stream<'_>| {
            let of = plan.drawn[stream.source].examples();
            (stream.given < of).then(|| (2.0 * stream.given as f64 + 1.0) / of as f64)
        };
        let behind = streams
            .iter_mut()
            .filter_map(|stream| Some((progress(&stream)?, stream)));
        let next = behind.min_by(|(one, _), (other, _)| one.total_cmp(other));
        let Some((_, stream)) = next else { break };
        let line = stream.next(plan, &mut account, means)?;
        let line = line.ok_or_else(|| changed(plan, stream.source))?;
        mixture.put(plan, stream, &line)?;
    }
    for stream in &mut streams {
        // To its end: all of it is accounted for.
        if stream.next(plan, &mut account, means)?.is_some() {
            return Err(changed(plan, stream.source));
        }
    }
    mixture.finish(plan, account)
}

/// A source that gives more or less than it did in the first reading.
fn changed(plan: &Plan, source: usize) -> MixError {
    let input = &plan.inputs.inputs[plan.n_against + source];
    let error = InputError::Open {
        path: input.name().into(),
        source: io::Error::other(Cause("it was changed while it was read".into())),
    };
    error.into()
}

/// A line that was drawn, in the batch of its stream.
#[derive(Debug, Clone)]
struct Line {
    bytes: std::ops::Range<usize>,
    /// In the source, from 0.
    line: u64,
    record: u64,
    fingerprint: u128,
}

/// The lines that are drawn of one source, one after the other.
struct Stream<'p> {
    source: usize,
    inputs: &'p Inputs,
    round: u64,
    reader: Option<(LineReader, Arc<Progress>)>,
    /// The drawn lines of a batch, each with its line end.
    bytes: Vec<u8>,
    lines: std::vec::IntoIter<Line>,
    /// Lines and records before the next batch.
    n_lines: u64,
    n_records: u64,
    /// How many lines were given.
    given: u64,
}

impl<'p> Stream<'p> {
    fn new(plan: &'p Plan, source: usize) -> Self {
        Self {
            source,
            inputs: &plan.inputs,
            round: 0,
            reader: None,
            bytes: Vec::new(),
            lines: Vec::new().into_iter(),
            n_lines: 0,
            n_records: 0,
            given: 0,
        }
    }

    /// The next line, or `None` at the end of the last round.
    fn next(
        &mut self,
        plan: &Plan,
        account: &mut Account<'_>,
        means: &Means<'_>,
    ) -> Result<Option<Line>, MixError> {
        loop {
            if let Some(line) = self.lines.next() {
                self.given += 1;
                return Ok(Some(line));
            }
            means.check_stop()?;
            if self.round == plan.rounds(self.source) {
                return Ok(None);
            }
            self.read(plan, account)?;
        }
    }

    /// Reads the next batch, or ends the round.
    fn read(&mut self, plan: &Plan, account: &mut Account<'_>) -> Result<(), MixError> {
        let input = plan.n_against + self.source;
        let reread = &self.inputs.inputs[input];
        let (reader, progress) = match &mut self.reader {
            Some(reader) => reader,
            none => {
                let again = reread.open()?;
                let progress = again.progress();
                none.insert((LineReader::new(again)?, progress))
            }
        };
        let Some(batch) = reader.next()? else {
            reread.check(progress)?;
            self.reader = None;
            self.round += 1;
            (self.n_lines, self.n_records) = (0, 0);
            return Ok(());
        };
        let (mut lines, mut failed) = (Vec::new(), None);
        self.bytes.clear();
        let start = self.inputs.starts[input];
        let n_batch = batch.n_lines();
        let n_lines = batch.for_each(|line| {
            let number = self.n_lines + line.number;
            let place = start + number;
            let raw = match line.text {
                Ok(text) => text.bytes(),
                Err(long) => long.head,
            };
            // A file that has grown meanwhile is noticed at its end.
            let fate = plan.fates.get(place as usize).copied();
            let fate = fate.unwrap_or(Fate::Blank);
            let record = self.n_records;
            self.n_records += u64::from(fate != Fate::Blank);
            let is_drawn = fate == Fate::Left && plan.has(self.source, self.round, place);
            if is_drawn {
                let at = self.bytes.len();
                self.bytes.extend_from_slice(raw);
                self.bytes.push(b'\n');
                lines.push(Line {
                    bytes: at..self.bytes.len(),
                    line: number,
                    record,
                    fingerprint: fingerprint(raw),
                });
            }
            if self.round > 0 || failed.is_some() {
                return;
            }
            let share = &mut account.shares[self.source];
            share.read += u64::from(fate != Fate::Blank);
            match fate {
                Fate::Left if is_drawn => share.written += 1,
                Fate::Left => *share.dropped.entry(D006.code).or_default() += 1,
                Fate::Blank => account.blank(self.source, number),
                Fate::NoExample => {
                    let read = account.reader.read(line.text, line.number + 1 == n_batch);
                    if let Err(mut finding) = read {
                        finding.position.line = number + 1;
                        failed = account.reject(self.source, record, &finding, raw).err();
                    }
                }
                _ => {
                    failed = account
                        .leave(plan, self.source, (number, record), fate, raw)
                        .err();
                }
            }
        });
        self.n_lines += n_lines;
        self.lines = lines.into_iter();
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// What became of the records of all sources.
struct Account<'a> {
    shares: Vec<Share>,
    names: Vec<String>,
    rejects: Rejects<'a>,
    met: BTreeMap<&'static str, Met>,
    n_blank: u64,
    reader: Reader,
}

impl<'a> Account<'a> {
    fn new(plan: &Plan, rejects: Option<&'a Path>) -> Self {
        let inputs = &plan.inputs.inputs[plan.n_against..];
        let shares = inputs.iter().zip(&plan.drawn);
        let shares = shares.map(|(input, drawn)| Share {
            path: input.name().to_owned(),
            share: drawn.share,
            ..Share::default()
        });
        Self {
            shares: shares.collect(),
            names: inputs.iter().map(|input| input.name().to_owned()).collect(),
            rejects: Rejects::new(rejects),
            met: BTreeMap::new(),
            n_blank: 0,
            reader: Reader::default(),
        }
    }

    fn blank(&mut self, source: usize, line: u64) {
        self.n_blank += 1;
        let finding = Finding::new(&S002, Position::line(line + 1), "the line is blank");
        self.meet(source, &finding);
    }

    /// Accounts for a line that is no example.
    fn reject(
        &mut self,
        source: usize,
        record: u64,
        finding: &Finding,
        raw: &[u8],
    ) -> Result<(), OutputError> {
        self.meet(source, finding);
        let rejected = &mut self.shares[source].rejected;
        *rejected.entry(finding.code.code).or_default() += 1;
        self.rejects
            .put(&self.names[source], record + 1, finding, raw)
    }

    /// Accounts for an example that repeats another, or leaks.
    fn leave(
        &mut self,
        plan: &Plan,
        source: usize,
        (line, record): (u64, u64),
        fate: Fate,
        raw: &[u8],
    ) -> Result<(), OutputError> {
        let Some((code, why)) = fate.told() else {
            return Ok(());
        };
        let input = plan.n_against + source;
        let place = plan.inputs.starts[input] + line;
        let (of, other) = plan.inputs.line(u64::from(plan.others[place as usize]));
        let other = if of == input {
            format!("line {other}")
        } else {
            format!("`{}:{other}`", plan.inputs.inputs[of].name())
        };
        let finding = Finding::new(code, Position::line(line + 1), format!("{why} {other}"));
        self.meet(source, &finding);
        let dropped = &mut self.shares[source].dropped;
        *dropped.entry(code.code).or_default() += 1;
        self.rejects
            .put(&self.names[source], record + 1, &finding, raw)
    }

    /// Remembers that a code was met.
    fn meet(&mut self, source: usize, finding: &Finding) {
        let met = self.met.entry(finding.code.code).or_insert_with(|| Met {
            code: finding.code,
            count: 0,
            source: self.names[source].clone(),
            position: finding.position,
            message: finding.message.clone(),
        });
        met.count += 1;
    }

    fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        for share in &self.shares {
            ledger.read += share.read;
            ledger.written += share.written;
            for (code, n) in &share.dropped {
                *ledger.dropped.entry(code).or_default() += n;
            }
            for (code, n) in &share.rejected {
                *ledger.rejected.entry(code).or_default() += n;
            }
        }
        if self.n_blank > 0 {
            ledger.notes.insert(S002.code, self.n_blank);
        }
        ledger
    }
}

/// The mixture, as far as it is written.
struct Mixture {
    dataset: DatasetWriter,
    /// The stamps that its lines inherit, if it has a passport.
    inherited: Option<Inherited>,
    /// The number of the first round of each source among all rounds: each
    /// round reads the stamps from the beginning.
    firsts: Vec<usize>,
    /// The tokens of each source, if that is what is measured.
    tokens: Vec<Option<u64>>,
}

impl Mixture {
    fn new(plan: &Plan, sinks: Sinks<'_>) -> Result<Self, MixError> {
        let (mut firsts, mut rounds) = (Vec::new(), Vec::new());
        let sources = plan.inputs.sources();
        for (source, itself) in sources[plan.n_against..].iter().enumerate() {
            firsts.push(rounds.len());
            rounds.extend((0..plan.rounds(source)).map(|_| itself.clone()));
        }
        let dataset = DatasetWriter::new(sinks.data, sinks.passport)?;
        let inherited = || Inherited::new(rounds);
        Ok(Self {
            inherited: dataset.has_passport().then(inherited).transpose()?,
            dataset,
            firsts,
            tokens: vec![None; plan.drawn.len()],
        })
    }

    /// Adds a line that its stream has just given.
    fn put(&mut self, plan: &Plan, stream: &Stream<'_>, line: &Line) -> Result<(), MixError> {
        self.dataset.put(&stream.bytes[line.bytes.clone()])?;
        let start = plan.inputs.starts[plan.n_against + stream.source];
        if let Some(tokens) = plan.tokens(start + line.line) {
            *self.tokens[stream.source].get_or_insert(0) += tokens;
        }
        if let Some(inherited) = &mut self.inherited {
            let stamp = inherited.stamp(&LineOf {
                input: self.firsts[stream.source] + stream.round as usize,
                line: line.line + 1,
                record: line.record + 1,
                fingerprint: line.fingerprint,
            })?;
            self.dataset.stamp(&stamp)?;
        }
        Ok(())
    }

    fn finish(self, plan: &Plan, mut account: Account<'_>) -> Result<Outcome, MixError> {
        let (data, passport) = self.dataset.finish()?;
        let shares = account.shares.iter_mut().zip(&plan.drawn);
        for ((share, drawn), tokens) in shares.zip(self.tokens) {
            share.examples = drawn.examples();
            share.tokens = tokens;
        }
        let (origins, steps) = self.inherited.map(Inherited::finish).unwrap_or_default();
        let mut inputs = plan.inputs.sources();
        inputs.rotate_left(plan.n_against);
        Ok(Outcome {
            ledger: account.ledger(),
            examples: plan.drawn.iter().map(Drawn::examples).sum(),
            shares: account.shares,
            met: account.met.into_values().collect(),
            data,
            passport,
            origins,
            steps,
            rejects: account.rejects.finish()?,
            inputs,
        })
    }
}
