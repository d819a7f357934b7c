//! The second reading: what stays is written, what goes is accounted for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Serialize;

use super::verdict::{Kind, Member, Verdict};
use super::{DedupeError, Inputs, Means, Merged, Outcome, Sinks};
use crate::diag::{Code, D001, D003, D004, D005, Finding, Position, S002};
use crate::io::passport::fingerprint;
use crate::io::{Finished, Inherited, LineOf, OutputWriter, Progress};
use crate::pipeline::compared::Reader;
use crate::pipeline::convert::{Met, Rejects};
use crate::pipeline::dataset::DatasetWriter;
use crate::pipeline::dedupe::plan::Plan;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::lines::{LineBatch, LineReader};
use crate::pipeline::ordered;
use crate::pipeline::partitions::Sorted;

/// Writes what a plan leaves.
pub(super) fn write(
    plan: Plan,
    sinks: Sinks<'_>,
    means: &Means<'_>,
    least_similar: Vec<Merged>,
) -> Result<Outcome, DedupeError> {
    let Plan {
        inputs,
        verdicts,
        clusters,
        ..
    } = plan;
    let has_passport = sinks.passport.is_some();
    let mut cluster_file = sinks.clusters;
    if let (Some(file), Some(clusters)) = (&mut cluster_file, clusters) {
        write_clusters(&inputs, clusters.into_sorted(), file)?;
    }
    let mut front = Front {
        inputs: &inputs,
        means,
        input: 0,
        current: None,
        line: 0,
        verdicts: verdicts.into_sorted(),
        next: None,
    };
    front.next = front.verdicts.next()?;
    let mut emitter = Emitter::new(&inputs, sinks.data, sinks.passport, sinks.rejects)?;
    let spares = Mutex::new(Vec::new());
    ordered::for_each(
        means.pool,
        || front.next(),
        |item: Item| {
            let spare = spares.lock().expect("no holder of the spares panics").pop();
            cut(item, &inputs, has_passport, spare.unwrap_or_default())
        },
        |mut cut: Cut| {
            emitter.emit(&mut cut)?;
            cut.clear();
            spares
                .lock()
                .expect("no holder of the spares panics")
                .push(cut);
            Ok::<_, DedupeError>(())
        },
    )?;
    let clusters = cluster_file.map(OutputWriter::finish).transpose()?;
    emitter.finish(clusters, least_similar)
}

/// A batch and what the plan says about it.
struct Item {
    input: usize,
    batch: LineBatch,
    /// The first line, numbered through all inputs.
    line: u64,
    verdicts: Vec<Verdict>,
}

/// The lines of all inputs once more, with the verdicts about them.
struct Front<'f> {
    inputs: &'f Inputs,
    means: &'f Means<'f>,
    input: usize,
    current: Option<(LineReader, Arc<Progress>)>,
    line: u64,
    verdicts: Sorted<Verdict>,
    next: Option<Verdict>,
}

impl Front<'_> {
    fn next(&mut self) -> Result<Option<Item>, DedupeError> {
        self.means.check_stop()?;
        while let Some(reread) = self.inputs.inputs.get(self.input) {
            let (reader, progress) = match &mut self.current {
                Some(current) => current,
                none => {
                    let input = reread.open()?;
                    let progress = input.progress();
                    none.insert((LineReader::new(input)?, progress))
                }
            };
            let Some(batch) = reader.next()? else {
                reread.check(progress)?;
                self.current = None;
                self.input += 1;
                continue;
            };
            let (input, line) = (self.input, self.line);
            self.line += batch.n_lines();
            let verdicts = self.verdicts_before(self.line)?;
            return Ok(Some(Item {
                input,
                batch,
                line,
                verdicts,
            }));
        }
        Ok(None)
    }

    fn verdicts_before(&mut self, line: u64) -> Result<Vec<Verdict>, DedupeError> {
        let mut verdicts = Vec::new();
        while let Some(verdict) = self.next.take_if(|verdict| verdict.place < line) {
            verdicts.push(verdict);
            self.next = self.verdicts.next()?;
        }
        Ok(verdicts)
    }
}

/// A batch as it is written; lines and records count from its first.
#[derive(Default)]
struct Cut {
    input: usize,
    out: Vec<u8>,
    written: Vec<Written>,
    left_out: Vec<LeftOut>,
    notes: Vec<Finding>,
    n_records: u64,
    n_lines: u64,
}

/// An example in the output of a batch.
struct Written {
    line: u64,
    record: u64,
    fingerprint: u128,
}

/// A line that is not written.
struct LeftOut {
    record: u64,
    finding: Finding,
    raw: Vec<u8>,
    is_dropped: bool,
}

impl Cut {
    fn clear(&mut self) {
        /// More than a common batch needs is given back to the system.
        const MOST_BYTES: usize = 4 << 20;
        self.out.clear();
        self.out.shrink_to(MOST_BYTES);
        self.written.clear();
        self.left_out.clear();
        self.notes.clear();
        self.n_records = 0;
        self.n_lines = 0;
    }
}

/// Takes what stays out of a batch. Runs on any thread.
fn cut(item: Item, inputs: &Inputs, has_passport: bool, mut cut: Cut) -> Cut {
    let Item {
        input,
        batch,
        line: first,
        verdicts,
    } = item;
    cut.input = input;
    let mut verdicts = verdicts.iter().peekable();
    let mut reader = Reader::default();
    let n_lines = batch.n_lines();
    cut.n_lines = batch.for_each_unread(|line| {
        let position = Position::line(line.number);
        if line.is_blank() {
            cut.notes
                .push(Finding::new(&S002, position, "the line is blank"));
            return;
        }
        let verdict = verdicts.next_if(|verdict| verdict.place == first + line.number);
        let record = cut.n_records;
        cut.n_records += 1;
        let raw = match line.text {
            Ok(text) => text.bytes(),
            Err(long) => long.head,
        };
        let left_out = match verdict.map(|verdict| (verdict.kind, verdict)) {
            None => None,
            Some((Kind::Told, verdict)) => {
                cut.notes.push(finding(verdict, position, input, inputs));
                None
            }
            Some((Kind::NoExample, _)) => {
                let is_last = line.number + 1 == n_lines;
                let reason = reader.read(line.text, is_last).err();
                reason.map(|mut finding| {
                    finding.position.line = line.number;
                    (finding, false)
                })
            }
            Some((_, verdict)) => Some((finding(verdict, position, input, inputs), true)),
        };
        match left_out {
            Some((finding, is_dropped)) => cut.left_out.push(LeftOut {
                record,
                finding,
                raw: raw.to_vec(),
                is_dropped,
            }),
            None => {
                cut.out.extend_from_slice(raw);
                cut.out.push(b'\n');
                cut.written.push(Written {
                    line: line.number,
                    record,
                    fingerprint: if has_passport { fingerprint(raw) } else { 0 },
                });
            }
        }
    });
    cut
}

fn code_of(kind: Kind) -> &'static Code {
    match kind {
        Kind::Exact => &D001,
        Kind::Normalised => &D003,
        Kind::Near => &D004,
        // A line that is no example has a code of its own.
        Kind::Conflict | Kind::Told | Kind::NoExample => &D005,
    }
}

fn finding(verdict: &Verdict, position: Position, input: usize, inputs: &Inputs) -> Finding {
    let other = inputs.name_from(verdict.other, input);
    let message = match verdict.kind {
        Kind::Exact => format!("it repeats {other}"),
        Kind::Normalised => {
            format!("it differs from {other} in case, spacing or typography only")
        }
        Kind::Near => format!("its similarity to {other} is {:.3}", verdict.similarity),
        Kind::Conflict | Kind::Told | Kind::NoExample => {
            format!("the prompt has another answer in {other}")
        }
    };
    Finding::new(code_of(verdict.kind), position, message)
}

/// Writes one cluster a line, in the order of the lines that are kept.
fn write_clusters(
    inputs: &Inputs,
    mut members: Sorted<Member>,
    file: &mut OutputWriter,
) -> Result<(), DedupeError> {
    let mut cluster: Vec<Verdict> = Vec::new();
    let mut line = Vec::new();
    loop {
        let next = members.next()?.map(|Member(verdict)| verdict);
        let key = |verdict: &Verdict| (verdict.other, verdict.kind);
        if cluster.first().map(key) != next.as_ref().map(key) && !cluster.is_empty() {
            line.clear();
            let cluster_line = cluster_line(inputs, &cluster);
            serde_json::to_writer(&mut line, &cluster_line)
                .expect("a cluster has string keys only");
            line.push(b'\n');
            file.put(&line)?;
            cluster.clear();
        }
        match next {
            Some(verdict) => cluster.push(verdict),
            None => return Ok(()),
        }
    }
}

/// A cluster as it is written. Lines are those of their input; where there are
/// several inputs, the files are named.
#[derive(Serialize)]
struct ClusterLine<'a> {
    kind: &'a str,
    /// `None` if none is kept, or all are.
    kept: Option<u64>,
    dropped: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    similarity: Vec<f64>,
    /// Those of a conflict that is reported, all of which are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_file: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<&'a str>,
}

fn cluster_line<'a>(inputs: &'a Inputs, cluster: &[Verdict]) -> ClusterLine<'a> {
    let Verdict { kind, other, .. } = cluster[0];
    let is_told = kind == Kind::Told;
    let is_kept = !is_told && cluster.iter().all(|verdict| verdict.place != other);
    let places = cluster.iter().map(|verdict| inputs.line(verdict.place));
    let (files, lines): (Vec<_>, Vec<_>) = places.unzip();
    let similarity = cluster
        .iter()
        .filter(|_| matches!(kind, Kind::Exact | Kind::Normalised | Kind::Near))
        .map(|verdict| rounded(verdict.similarity));
    let has_several = inputs.inputs.len() > 1;
    let (kept_file, kept) = inputs.line(other);
    let name = |input: usize| inputs.inputs[input].name();
    let (dropped, told) = if is_told {
        (Vec::new(), lines)
    } else {
        (lines, Vec::new())
    };
    ClusterLine {
        kind: kind.name(),
        kept: is_kept.then_some(kept),
        dropped,
        similarity: similarity.collect(),
        lines: told,
        kept_file: (is_kept && has_several).then(|| name(kept_file)),
        files: files
            .into_iter()
            .filter(|_| has_several)
            .map(name)
            .collect(),
    }
}

/// With six digits: more say nothing.
fn rounded(similarity: f32) -> f64 {
    (f64::from(similarity) * 1e6).round() / 1e6
}

/// Writes what batches gave, in order, and keeps the account.
struct Emitter<'a> {
    inputs: &'a Inputs,
    dataset: DatasetWriter,
    /// The stamps that its lines inherit, if it has a passport.
    inherited: Option<Inherited>,
    rejects: Rejects<'a>,
    ledger: Ledger,
    met: BTreeMap<&'static str, Met>,
    input: usize,
    /// The lines and records of the input before the next batch.
    lines: u64,
    records: u64,
}

impl<'a> Emitter<'a> {
    fn new(
        inputs: &'a Inputs,
        data: OutputWriter,
        passport: Option<OutputWriter>,
        rejects: Option<&'a Path>,
    ) -> Result<Self, DedupeError> {
        let dataset = DatasetWriter::new(data, passport)?;
        let inherited = || Inherited::new(inputs.sources());
        Ok(Self {
            inputs,
            inherited: dataset.has_passport().then(inherited).transpose()?,
            dataset,
            rejects: Rejects::new(rejects),
            ledger: Ledger::default(),
            met: BTreeMap::new(),
            input: 0,
            lines: 0,
            records: 0,
        })
    }

    fn emit(&mut self, cut: &mut Cut) -> Result<(), DedupeError> {
        if cut.input != self.input {
            self.input = cut.input;
            self.lines = 0;
            self.records = 0;
        }
        self.dataset.put(&cut.out)?;
        self.ledger.read += cut.n_records;
        self.ledger.written += cut.written.len() as u64;
        if let Some(inherited) = &mut self.inherited {
            for written in &cut.written {
                let stamp = inherited.stamp(&LineOf {
                    input: cut.input,
                    line: self.lines + written.line + 1,
                    record: self.records + written.record + 1,
                    fingerprint: written.fingerprint,
                })?;
                self.dataset.stamp(&stamp)?;
            }
        }
        for mut note in cut.notes.drain(..) {
            note.position.line += self.lines + 1;
            self.meet(&note);
            *self.ledger.notes.entry(note.code.code).or_default() += 1;
        }
        for mut left_out in cut.left_out.drain(..) {
            left_out.finding.position.line += self.lines + 1;
            let finding = &left_out.finding;
            self.meet(finding);
            let account = if left_out.is_dropped {
                &mut self.ledger.dropped
            } else {
                &mut self.ledger.rejected
            };
            *account.entry(finding.code.code).or_default() += 1;
            let record = self.records + left_out.record + 1;
            let name = self.inputs.inputs[self.input].name();
            self.rejects.put(name, record, finding, &left_out.raw)?;
        }
        self.lines += cut.n_lines;
        self.records += cut.n_records;
        Ok(())
    }

    /// Remembers that a code was met.
    fn meet(&mut self, finding: &Finding) {
        let met = self.met.entry(finding.code.code).or_insert_with(|| Met {
            code: finding.code,
            count: 0,
            source: self.inputs.inputs[self.input].name().to_owned(),
            position: finding.position,
            message: finding.message.clone(),
        });
        met.count += 1;
    }

    fn finish(
        self,
        clusters: Option<Finished>,
        least_similar: Vec<Merged>,
    ) -> Result<Outcome, DedupeError> {
        let (data, passport) = self.dataset.finish()?;
        let (origins, steps) = self.inherited.map(Inherited::finish).unwrap_or_default();
        Ok(Outcome {
            ledger: self.ledger,
            met: self.met.into_values().collect(),
            data,
            passport,
            origins,
            steps,
            rejects: self.rejects.finish()?,
            clusters,
            inputs: self.inputs.sources(),
            least_similar,
        })
    }
}
