//! A dataset without the examples that rules at error level mind.
//!
//! What stays is written as it was, byte for byte, with its stamp. What goes is
//! accounted for by the first rule that minded it: an example that a pair rule
//! or a rule about texts minds is dropped, a line that is no example is rejected;
//! both stand in the rejects with code and reason.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;

use super::check::raw_line;
use super::convert::Rejects;
use super::dataset::DatasetWriter;
use super::ledger::Ledger;
use super::lines::{LineBatch, LineReader};
use super::ordered;
use super::spares::Spares;
use crate::diag::{Finding, Level, Position, S002};
use crate::io::passport::{self, fingerprint};
use crate::io::{
    Finished, Inherited, Input, InputError, LineOf, OutputError, OutputWriter, PassportError,
};
use crate::json::Document;
use crate::rules::{
    Checker, Context, Findings, Found, Learnt, Levels, LineOutcome, RULES, Rule, Survey, Tally,
    Wanted, pairs,
};

/// Why a dataset could not be filtered.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// It cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Where its examples came from cannot be read.
    #[error(transparent)]
    Passport(#[from] PassportError),
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What a filter is run with.
#[derive(Debug)]
pub struct FilterRun<'a> {
    /// The threads to work on.
    pub pool: &'a ThreadPool,
    /// How many bytes are read at once; the result does not depend on it.
    pub block_bytes: usize,
    /// How many findings of each rule are kept to be shown, the first ones.
    pub shown: usize,
    /// Set from outside to stop the run.
    pub stop: &'a AtomicBool,
}

/// Where a filter writes.
#[derive(Debug)]
pub struct FilterSinks<'a> {
    /// The dataset.
    pub data: OutputWriter,
    /// Where examples came from, if that is kept.
    pub passport: Option<OutputWriter>,
    /// Where what is left out goes, once there is something; `None`: nowhere.
    pub rejects: Option<&'a Path>,
    /// The stamps that its lines inherit.
    pub inherited: &'a mut Inherited,
}

/// What one rule said.
#[derive(Debug, Clone)]
pub struct OfRule {
    /// The rule.
    pub rule: &'static Rule,
    /// Its level.
    pub level: Level,
    /// In how many examples it found something.
    pub found: u64,
    /// How many went for it; one that several rules mind goes for the first.
    pub left_out: u64,
    /// The first findings: line and column from 1, and what was said.
    pub shown: Vec<(Position, String)>,
}

/// What a filter came to.
#[derive(Debug)]
pub struct FilterOutcome {
    /// The account of the examples.
    pub ledger: Ledger,
    /// What each rule said that said something, in the order of the table.
    pub rules: Vec<OfRule>,
    /// The dataset, waiting to be renamed.
    pub data: Finished,
    /// The passport, not yet ended.
    pub passport: Option<passport::Writer<OutputWriter>>,
    /// What was left out, if anything was.
    pub rejects: Option<Finished>,
}

/// How many bytes of a dataset are looked at to learn what it is like: some
/// 10,000 pairs of sentences.
const SURVEY_BYTES: usize = 4 << 20;

/// Learns what the pairs of a dataset are like, from its first 4 MiB. The input
/// is read from its beginning afterwards.
///
/// # Errors
///
/// When it cannot be read.
pub fn survey(input: &mut Input, wanted: &Wanted) -> Result<Learnt, InputError> {
    let path = input.name().into();
    let head = input
        .peek(SURVEY_BYTES)
        .map_err(|source| InputError::Open { path, source })?;
    let mut survey = Survey::default();
    let mut document = Document::new();
    let mut wants_more = true;
    let whole = match memchr::memrchr(b'\n', head) {
        // The last line may be cut.
        Some(end) if head.len() == SURVEY_BYTES => &head[..end],
        _ => head,
    };
    for line in whole.split(|&byte| byte == b'\n') {
        if !wants_more {
            break;
        }
        pairs::pair_of_line(line.trim_ascii(), &mut document, |prompt, answer| {
            wants_more = survey.add(prompt, answer);
        });
    }
    Ok(survey.finish(wanted))
}

/// Writes the examples of a dataset that no rule of error level minds.
///
/// # Errors
///
/// When it cannot be read to its end, or written; nothing has appeared under
/// its name then.
pub fn filter(
    input: Input,
    context: &Context,
    levels: &Levels,
    sinks: FilterSinks<'_>,
    run: &FilterRun<'_>,
) -> Result<FilterOutcome, FilterError> {
    let name = input.name().to_owned();
    let mut reader = LineReader::with_block(input, run.block_bytes)?;
    let mut has_bom = reader.has_bom();
    let has_passport = sinks.passport.is_some();
    let spares = Spares::default();
    let mut emitter = Emitter::new(sinks, name, run.shown)?;
    ordered::for_each(
        run.pool,
        || {
            if run.stop.load(Ordering::Relaxed) {
                return Err(FilterError::Interrupted);
            }
            let batch = reader.next()?;
            Ok(batch.map(|batch| (batch, std::mem::take(&mut has_bom))))
        },
        |(batch, has_bom): (LineBatch, bool)| {
            let mut sifted: Sifted = spares.take().unwrap_or_default();
            sifted.sift(&batch, has_bom, context, levels, has_passport);
            sifted
        },
        |mut sifted: Sifted| {
            emitter.emit(&mut sifted)?;
            sifted.clear();
            spares.give(sifted);
            Ok(())
        },
    )?;
    emitter.finish(levels)
}

/// A batch that was sifted; lines and records count from its first.
#[derive(Default)]
struct Sifted {
    /// The lines that stay.
    out: Vec<u8>,
    kept: Vec<Kept>,
    left_out: Vec<LeftOut>,
    /// What rules said of examples, kept or not.
    said: Vec<Said>,
    n_records: u64,
    n_blank: u64,
    n_lines: u64,
    tally: Tally,
}

/// A line that stays.
struct Kept {
    line: u64,
    record: u64,
    fingerprint: u128,
}

/// A line that goes.
struct LeftOut {
    record: u64,
    finding: Finding,
    raw: Vec<u8>,
    is_dropped: bool,
}

/// What a rule said of an example first.
struct Said {
    /// The rule's place in [`RULES`].
    rule: usize,
    position: Position,
    message: String,
    left_out: bool,
}

impl Sifted {
    fn clear(&mut self) {
        /// More than a common batch needs is given back to the system.
        const MOST_BYTES: usize = 4 << 20;
        self.out.clear();
        self.out.shrink_to(MOST_BYTES);
        self.kept.clear();
        self.left_out.clear();
        self.said.clear();
        self.tally.clear();
        (self.n_records, self.n_blank, self.n_lines) = (0, 0, 0);
    }

    fn sift(
        &mut self,
        batch: &LineBatch,
        has_bom: bool,
        context: &Context,
        levels: &Levels,
        has_passport: bool,
    ) {
        let mut checker = Checker::new(context, levels);
        let mut findings = Findings::new(usize::MAX, false);
        self.n_lines = batch.for_each(|line| {
            let raw = raw_line(&line, has_bom && line.number == 0);
            let outcome = checker.line(&raw, &mut findings, &mut self.tally);
            if outcome == LineOutcome::Blank {
                self.n_blank += 1;
            } else {
                self.add(raw.bytes, line.number, outcome, &findings, has_passport);
            }
            if !findings.found.is_empty() {
                findings.clear();
            }
        });
    }

    fn add(
        &mut self,
        raw: &[u8],
        line: u64,
        outcome: LineOutcome,
        findings: &Findings,
        has_passport: bool,
    ) {
        let record = self.n_records;
        self.n_records += 1;
        let mut errors = findings
            .found
            .iter()
            .filter(|found| found.level == Level::Error);
        let reason = errors.next().filter(|_| outcome == LineOutcome::Invalid);
        for (rule, _) in findings.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let is_it = |found: &&Found| std::ptr::eq(found.rule, RULES[rule]);
            let Some(found) = findings.found.iter().find(is_it) else {
                continue;
            };
            self.said.push(Said {
                rule,
                position: found.position.unwrap_or(Position::line(line)),
                message: found.message.clone(),
                left_out: reason.is_some_and(|reason| std::ptr::eq(reason.rule, found.rule)),
            });
        }
        match reason {
            Some(found) => self.left_out.push(LeftOut {
                record,
                finding: Finding::new(
                    found.rule.code,
                    found.position.unwrap_or(Position::line(line)),
                    found.message.clone(),
                ),
                raw: raw.to_vec(),
                is_dropped: is_choice(found.rule),
            }),
            None => {
                self.out.extend_from_slice(raw);
                self.out.push(b'\n');
                self.kept.push(Kept {
                    line,
                    record,
                    fingerprint: if has_passport { fingerprint(raw) } else { 0 },
                });
            }
        }
    }
}

/// Whether to leave an example out for a rule is a choice: it is an example, and
/// the rule minds what it says.
fn is_choice(rule: &Rule) -> bool {
    let code = rule.code.code;
    code.starts_with('P') || ("E060".."E080").contains(&code)
}

/// How often a rule said something, and what it said first.
#[derive(Default, Clone)]
struct SaidOften {
    found: u64,
    left_out: u64,
    shown: Vec<(Position, String)>,
}

/// Writes what batches gave, in order, and keeps the account.
struct Emitter<'a> {
    name: String,
    dataset: DatasetWriter,
    rejects: Rejects<'a>,
    inherited: &'a mut Inherited,
    ledger: Ledger,
    /// By the rule's place in [`RULES`].
    rules: Vec<SaidOften>,
    most_shown: usize,
    lines: u64,
}

impl<'a> Emitter<'a> {
    fn new(sinks: FilterSinks<'a>, name: String, most_shown: usize) -> Result<Self, FilterError> {
        Ok(Self {
            name,
            dataset: DatasetWriter::new(sinks.data, sinks.passport)?,
            rejects: Rejects::new(sinks.rejects),
            inherited: sinks.inherited,
            ledger: Ledger::default(),
            rules: vec![SaidOften::default(); RULES.len()],
            most_shown,
            lines: 0,
        })
    }

    fn emit(&mut self, sifted: &mut Sifted) -> Result<(), FilterError> {
        self.dataset.put(&sifted.out)?;
        let records = self.ledger.read;
        self.ledger.read += sifted.n_records;
        self.ledger.written += sifted.kept.len() as u64;
        if sifted.n_blank > 0 {
            *self.ledger.notes.entry(S002.code).or_default() += sifted.n_blank;
        }
        if self.dataset.has_passport() {
            for kept in &sifted.kept {
                let stamp = self.inherited.stamp(&LineOf {
                    input: 0,
                    line: self.lines + kept.line + 1,
                    record: records + kept.record + 1,
                    fingerprint: kept.fingerprint,
                })?;
                self.dataset.stamp(&stamp)?;
            }
        }
        for mut said in sifted.said.drain(..) {
            let of_rule = &mut self.rules[said.rule];
            of_rule.found += 1;
            of_rule.left_out += u64::from(said.left_out);
            if of_rule.shown.len() < self.most_shown {
                said.position.line += self.lines + 1;
                of_rule.shown.push((said.position, said.message));
            }
            if !said.left_out {
                let code = RULES[said.rule].code.code;
                *self.ledger.notes.entry(code).or_default() += 1;
            }
        }
        for mut left_out in sifted.left_out.drain(..) {
            left_out.finding.position.line += self.lines + 1;
            let account = if left_out.is_dropped {
                &mut self.ledger.dropped
            } else {
                &mut self.ledger.rejected
            };
            *account.entry(left_out.finding.code.code).or_default() += 1;
            let record = records + left_out.record + 1;
            self.rejects
                .put(&self.name, record, &left_out.finding, &left_out.raw)?;
        }
        self.lines += sifted.n_lines;
        Ok(())
    }

    fn finish(self, levels: &Levels) -> Result<FilterOutcome, FilterError> {
        let (data, passport) = self.dataset.finish()?;
        let rules = self.rules.into_iter().enumerate();
        let said = rules.filter(|(_, said)| said.found > 0);
        let rules = said.map(|(n, said)| OfRule {
            rule: RULES[n],
            level: levels.of(n),
            found: said.found,
            left_out: said.left_out,
            shown: said.shown,
        });
        Ok(FilterOutcome {
            ledger: self.ledger,
            rules: rules.collect(),
            data,
            passport,
            rejects: self.rejects.finish()?,
        })
    }
}
