//! What a dataset is like: one reading, in bounded memory.
//!
//! Batches are measured on all threads. Each example leaves a row of numbers;
//! in input order the rows are counted in [`Histogram`]s, and its fingerprints
//! go to partitions, which spill to the disk beyond the memory limit. So what
//! is counted is counted exactly, with four exceptions that the fields name:
//! quantiles of large values, languages, points and examples, which are those
//! of a sample. The sample depends on where the lines stand and on nothing
//! else.
//!
//! Texts are not kept: those that are to be shown are read again, by their
//! place, and their secrets are masked.

mod frequent;
mod histogram;
mod lines;
mod measure;
mod show;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

pub use self::frequent::{Cluster, Duplicates, Frequent, Often};
pub use self::histogram::{Bars, EXACT, Histogram, Summary};
pub use self::show::{Shown, ShownText};

use self::frequent::{Counted, Keyed, Kind};
use self::lines::Lines;
use self::measure::{Measured, Measurer, Row};
use self::show::Showing;
use super::check::{CheckError, CheckRun, Checked, Done, Gathered};
use super::count::{Longest, NotCounted};
use super::dedupe::plan::Print;
use super::dedupe::{self, By, DedupeError, NearPairs, Threshold, near_pairs};
use super::lines::{LineBatch, LineReader};
use super::ordered;
use super::partitions::Partitions;
use super::spares::Spares;
use crate::io::{Input, InputError, OutputError, Reread, Rereading};
use crate::rules::{Context, Levels, Measure, Speaker, TokenCount};
use crate::text::language::{Language, guess, guess_among};
use crate::text::scripts::Scripts;

/// Of so many examples the language is told.
const LANGUAGES: usize = 4096;

/// So many examples are points of the scatter.
const POINTS: usize = 2000;

/// Why a dataset could not be measured to its end.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// An input cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// What does not fit into memory cannot be put on the disk.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Near-duplicates cannot be looked for.
    #[error(transparent)]
    Dedupe(DedupeError),
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<CheckError> for StatsError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Input(error) => Self::Input(error),
            CheckError::Output(error) => Self::Output(error),
            CheckError::Interrupted => Self::Interrupted,
        }
    }
}

impl From<DedupeError> for StatsError {
    fn from(error: DedupeError) -> Self {
        match error {
            DedupeError::Input(error) => Self::Input(error),
            DedupeError::Output(error) => Self::Output(error),
            DedupeError::Interrupted => Self::Interrupted,
            other => Self::Dedupe(other),
        }
    }
}

/// What a dataset is measured with.
#[derive(Debug)]
pub struct StatsRun<'a> {
    /// The threads, the memory and the bounds. The rules are those of
    /// [`check`](super::check), file by file.
    pub check: CheckRun<'a>,
    /// What the rules go by.
    pub context: &'a Context,
    /// How much they matter.
    pub levels: &'a Levels,
    /// By what tokens are told.
    pub measure: Measure<'a>,
    /// How many of the most common texts and of the largest clusters are
    /// listed.
    pub most: usize,
    /// How many examples are shown: those of findings first, then others at
    /// random.
    pub shown: usize,
    /// From which similarity on near-duplicates are looked for, if they are.
    /// They cost a reading of their own.
    pub near: Option<Threshold>,
}

/// What some files are like, taken together.
#[derive(Debug)]
pub struct Stats {
    /// The files, in the order in which they were read.
    pub files: Vec<FileStats>,
    /// Lines that are examples; `lines = examples + blank + not_examples`.
    pub examples: u64,
    /// Examples of preferences: those with `completions`.
    pub with_completions: u64,
    /// Blank lines.
    pub blank: u64,
    /// Other lines, of which nothing was measured.
    pub not_examples: u64,
    /// All tokens, by who says them.
    pub tokens: TokenCount,
    /// Those that one pass of training bills.
    pub billed: u64,
    /// The longest example, the first of several: its file and line.
    pub longest: Option<(usize, Longest)>,
    /// How examples are spread.
    pub histograms: Histograms,
    /// The ratio of the characters of the last answer to those of the last
    /// prompt, in thousandths, of examples that have both.
    pub ratios: Histogram,
    /// The letters of all texts of users, of the model, and of systems.
    pub scripts: [Scripts; 3],
    /// The languages of a sample.
    pub languages: Languages,
    /// What examples have in common, exactly counted.
    pub frequent: Commons,
    /// Examples that repeat each other, as `dedupe` sees it.
    pub duplicates: Duplicates,
    /// Near-duplicates, if they were looked for.
    pub near: Option<NearPairs>,
    /// A sample of examples by the characters of last prompt and last answer,
    /// in the order of their places.
    pub points: Vec<Point>,
    /// Examples to look at, in the order of their places.
    pub shown: Vec<Shown>,
    /// What else is to be seen: the lines of clusters and pairs, by place.
    pub others: BTreeMap<u64, Shown>,
}

/// A file that was measured.
#[derive(Debug)]
pub struct FileStats {
    /// Its name.
    pub name: String,
    /// How many bytes it has where it lies.
    pub bytes: u64,
    /// Its BLAKE3 checksum.
    pub blake3: String,
    /// The place of its first line: lines are numbered through all files from
    /// 0.
    pub start: u64,
    /// The first line that is no example.
    pub first_not_example: Option<NotCounted>,
    /// What the rules found.
    pub checked: Checked,
}

/// How examples are spread by this and that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histograms {
    /// Turns, without those of completions.
    pub turns: Histogram,
    /// Tokens, as the limit of an example counts them.
    pub tokens: Histogram,
    /// Tokens of all user turns.
    pub user_tokens: Histogram,
    /// Tokens of all model turns and of completions.
    pub model_tokens: Histogram,
    /// Tokens of the system instruction, of examples that have one.
    pub system_tokens: Histogram,
    /// Tokens of tools, of examples that have them.
    pub tools_tokens: Histogram,
    /// Characters of all user turns.
    pub user_chars: Histogram,
    /// Characters of all model turns and of completions.
    pub model_chars: Histogram,
    /// Characters of the system instruction, of examples that have one.
    pub system_chars: Histogram,
    /// Characters of the last user turn.
    pub prompt_chars: Histogram,
    /// Characters of the last model turn or completion.
    pub answer_chars: Histogram,
}

/// The languages of the last prompts and the last answers of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Languages {
    /// How many examples were looked at: all, or 4,096 at random.
    pub sampled: u64,
    /// Of the prompts, from the most frequent. `None` is too short, or like
    /// several languages.
    pub prompts: Vec<(Option<Language>, u64)>,
    /// Of the answers.
    pub answers: Vec<(Option<Language>, u64)>,
    /// The languages of the longer texts, one of which is looked for in short
    /// ones.
    pub among: Vec<Language>,
    /// From which language to which, of examples with both, from the most
    /// frequent.
    pub pairs: Vec<((Language, Language), u64)>,
}

/// What examples have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commons {
    /// System instructions.
    pub systems: Frequent,
    /// Last answers.
    pub answers: Frequent,
    /// What last prompts begin with: 16 characters, and the word they end in.
    pub prompt_openings: Frequent,
    /// What last answers begin with.
    pub answer_openings: Frequent,
}

/// An example in the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its place: its line, numbered through all files from 0.
    pub place: u64,
    /// The characters of the last user turn.
    pub prompt_chars: u64,
    /// The characters of the last model turn or completion.
    pub answer_chars: u64,
}

impl Stats {
    /// The file of a place, and the line there, from 1.
    #[must_use]
    pub fn line_of(&self, place: u64) -> (&FileStats, u64) {
        let after = self.files.partition_point(|file| file.start <= place);
        let file = &self.files[after.saturating_sub(1)];
        (file, place - file.start + 1)
    }

    /// An example that is to be seen, if its place is among them.
    #[must_use]
    pub fn shown_at(&self, place: u64) -> Option<&Shown> {
        let at = self.shown.binary_search_by_key(&place, |shown| shown.place);
        at.map_or_else(|_| self.others.get(&place), |at| self.shown.get(at))
    }

    /// How many examples the service would drop, by the rules that are on.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let files = self.files.iter();
        files.map(|file| file.checked.dataset.dropped).sum()
    }
}

/// Measures files, which are taken together; the rules take them one by one.
///
/// A file that is a pipe or packed is copied to an unnamed file on the way,
/// since some lines are read again.
///
/// # Errors
///
/// When a file cannot be read to its end, or what is kept of examples fits
/// neither into memory nor on the disk.
pub fn stats(inputs: Vec<Input>, run: &StatsRun<'_>) -> Result<Stats, StatsError> {
    let mut gathering = Gathering::new(run);
    let mut rereads = Vec::new();
    for input in inputs {
        let (rereading, input) = Rereading::begin(input, run.check.scratch)?;
        gathering.read(input)?;
        rereads.push(rereading.finish()?);
    }
    gathering.finish(&rereads)
}

/// A batch that was measured, and checked.
struct Batch {
    offset: u64,
    measured: Measured,
    checked: Done,
}

/// An example of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Drawn {
    /// What it is drawn by: the smallest are in the sample.
    lot: u64,
    place: u64,
    prompt_chars: u64,
    answer_chars: u64,
}

struct Gathering<'r> {
    run: &'r StatsRun<'r>,
    stats: Stats,
    /// The place of the next file's first line.
    start: u64,
    lines: Lines,
    keyed: Partitions<Keyed>,
    prints: Partitions<Print>,
    /// The heap of those that were drawn so far, the largest lot on top.
    drawn: std::collections::BinaryHeap<Drawn>,
}

/// A quarter of the memory each: digests, texts, prints; the rest is for the
/// partition that is being visited.
const SHARES: u64 = 4;

impl<'r> Gathering<'r> {
    fn new(run: &'r StatsRun<'r>) -> Self {
        let memory = run.check.memory / SHARES;
        Self {
            run,
            stats: Stats {
                files: Vec::new(),
                examples: 0,
                with_completions: 0,
                blank: 0,
                not_examples: 0,
                tokens: TokenCount::default(),
                billed: 0,
                longest: None,
                histograms: Histograms::default(),
                ratios: Histogram::default(),
                scripts: Default::default(),
                languages: Languages::default(),
                frequent: Commons::default(),
                duplicates: Duplicates::default(),
                near: None,
                points: Vec::new(),
                shown: Vec::new(),
                others: BTreeMap::new(),
            },
            start: 0,
            lines: Lines::default(),
            keyed: Partitions::new(memory, run.check.scratch),
            prints: Partitions::new(memory, run.check.scratch),
            drawn: std::collections::BinaryHeap::new(),
        }
    }

    /// Reads one file.
    fn read(&mut self, input: Input) -> Result<(), StatsError> {
        let run = self.run;
        let check = CheckRun {
            memory: run.check.memory / SHARES,
            ..run.check
        };
        let (name, progress) = (input.name().to_owned(), input.progress());
        let mut reader = LineReader::with_block(input, check.block_bytes)?;
        let mut has_bom = reader.has_bom();
        let (measurers, spares) = (Spares::default(), Spares::default());
        let mut checked = Gathered::new(name.clone(), run.context, &check);
        let mut first_not_example = None;
        self.lines.begin_file(self.start);
        ordered::for_each(
            check.pool,
            || {
                if check.stop.load(Ordering::Relaxed) {
                    return Err(StatsError::Interrupted);
                }
                let batch = reader.next()?;
                Ok(batch.map(|batch| (batch, std::mem::take(&mut has_bom))))
            },
            |(batch, has_bom): (LineBatch, bool)| {
                let mut done = spares.take().unwrap_or_else(|| Done::new(check.cap));
                done.check(&batch, has_bom, run.context, run.levels);
                let measurer = measurers.take();
                let mut measurer = measurer.unwrap_or_else(|| Measurer::new(run.measure));
                let measured = measurer.batch(&batch);
                measurers.give(measurer);
                Batch {
                    offset: batch.offset,
                    measured,
                    checked: done,
                }
            },
            |mut batch| {
                if first_not_example.is_none() {
                    let first = batch.measured.first_not_example.take();
                    first_not_example = first.map(|mut first| {
                        first.line += self.start - self.lines.file_start();
                        first
                    });
                }
                self.add(&batch)?;
                checked.add(&mut batch.checked)?;
                spares.give(batch.checked);
                Ok(())
            },
        )?;
        self.stats.files.push(FileStats {
            name,
            bytes: progress.bytes(),
            blake3: progress.checksum(),
            start: self.lines.file_start(),
            first_not_example,
            checked: checked.finish(run.context, run.levels, &check)?,
        });
        Ok(())
    }

    /// Adds a batch, which begins at the place after the last.
    fn add(&mut self, batch: &Batch) -> Result<(), StatsError> {
        let measured = &batch.measured;
        self.lines.begin_batch(self.start, batch.offset);
        self.stats.blank += measured.blank;
        self.stats.not_examples += measured.not_examples;
        for (all, scripts) in self.stats.scripts.iter_mut().zip(&measured.scripts) {
            all.append(scripts);
        }
        for row in &measured.rows {
            self.lines
                .pass(self.start + row.number, batch.offset + row.offset);
            self.row(row)?;
        }
        self.start += measured.lines;
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), StatsError> {
        let place = self.start + row.number;
        let line = place - self.lines.file_start() + 1;
        let stats = &mut self.stats;
        stats.examples += 1;
        stats.with_completions += u64::from(row.has_completions);
        stats.tokens += row.tokens;
        stats.billed += row.tokens.billed();
        let tokens = row.tokens.length();
        if stats
            .longest
            .is_none_or(|(_, longest)| longest.tokens < tokens)
        {
            stats.longest = Some((stats.files.len(), Longest { tokens, line }));
        }
        stats.histograms.add(row);
        if row.prompt_chars > 0 && row.answer_chars > 0 {
            let thousandths = u128::from(row.answer_chars) * 1000 / u128::from(row.prompt_chars);
            let thousandths = u64::try_from(thousandths).unwrap_or(u64::MAX);
            stats.ratios.add(thousandths);
        }
        let keys = [
            (Kind::System, row.system),
            (Kind::Answer, row.answer),
            (Kind::PromptOpening, row.prompt_opening),
            (Kind::AnswerOpening, row.answer_opening),
        ];
        for (kind, fingerprint) in keys {
            if let Some(fingerprint) = fingerprint {
                self.keyed.push(&Keyed {
                    fingerprint,
                    kind,
                    place,
                })?;
            }
        }
        let print = row.prints.as_ref();
        let print = print.and_then(|prints| Print::of_duplicate(prints, By::Example, place));
        if let Some(print) = print {
            self.prints.push(&print)?;
        }
        self.draw(Drawn {
            lot: lot(place),
            place,
            prompt_chars: row.prompt_chars,
            answer_chars: row.answer_chars,
        });
        Ok(())
    }

    fn draw(&mut self, drawn: Drawn) {
        if self.drawn.len() < LANGUAGES {
            self.drawn.push(drawn);
        } else if let Some(mut last) = self.drawn.peek_mut()
            && drawn < *last
        {
            *last = drawn;
        }
    }

    fn finish(self, rereads: &[Reread]) -> Result<Stats, StatsError> {
        let Self {
            run,
            mut stats,
            lines,
            keyed,
            prints,
            drawn,
            ..
        } = self;
        let pool = run.check.pool;
        let means = dedupe::Means {
            pool,
            memory: run.check.memory,
            target: run.check.scratch,
            stop: run.check.stop,
        };
        let mut counted = Counted::new(run.most);
        keyed.visit(
            pool,
            |keyed| Counted::of(keyed, run.most),
            |partition| {
                counted.append(partition);
                stop_if_asked(run)
            },
        )?;
        prints.visit(
            pool,
            |prints| Duplicates::of(prints, run.most),
            |partition| {
                stats.duplicates.append(partition, run.most);
                stop_if_asked(run)
            },
        )?;
        if let Some(threshold) = run.near {
            let inputs: Result<Vec<_>, _> = rereads.iter().map(Reread::open).collect();
            stats.near = Some(near_pairs(inputs?, threshold, run.most, &means)?);
        }
        let drawn = drawn.into_sorted_vec();
        let showing = Showing::new(run, rereads, &lines);
        stats.languages = languages(&drawn, &showing, run)?;
        let showing = showing.among(&stats.languages.among);
        stats.points = points(&drawn);
        stats.frequent = commons(&counted, &showing)?;
        let wanted = chosen(&stats, &drawn, run.shown);
        stats.shown = showing.all(&wanted)?;
        let mut others = places_of_groups(&stats);
        others.retain(|place| wanted.binary_search(place).is_err());
        let others = showing.all(&others)?;
        stats.others = others
            .into_iter()
            .map(|shown| (shown.place, shown))
            .collect();
        mark(&mut stats);
        Ok(stats)
    }
}

fn stop_if_asked(run: &StatsRun<'_>) -> Result<(), StatsError> {
    match run.check.stop.load(Ordering::Relaxed) {
        true => Err(StatsError::Interrupted),
        false => Ok(()),
    }
}

impl Histograms {
    fn add(&mut self, row: &Row) {
        let tokens = &row.tokens;
        self.turns.add(row.turns);
        self.tokens.add(tokens.length());
        self.user_tokens.add(tokens.user);
        self.model_tokens.add(tokens.model + tokens.completions);
        let [system, user, model] = row.chars;
        self.user_chars.add(user);
        self.model_chars.add(model);
        if row.system.is_some() {
            self.system_tokens.add(tokens.system);
            self.system_chars.add(system);
        }
        if tokens.tools > 0 {
            self.tools_tokens.add(tokens.tools);
        }
        self.prompt_chars.add(row.prompt_chars);
        self.answer_chars.add(row.answer_chars);
    }
}

/// What a place is drawn by: the finaliser of SplitMix64, which spreads
/// neighbours all over.
fn lot(place: u64) -> u64 {
    let mut lot = place.wrapping_add(0x9e37_79b9_7f4a_7c15);
    lot = (lot ^ (lot >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    lot = (lot ^ (lot >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    lot ^ (lot >> 31)
}

fn points(drawn: &[Drawn]) -> Vec<Point> {
    let mut points: Vec<_> = drawn
        .iter()
        .filter(|drawn| drawn.prompt_chars > 0 && drawn.answer_chars > 0)
        .take(POINTS)
        .map(|drawn| Point {
            place: drawn.place,
            prompt_chars: drawn.prompt_chars,
            answer_chars: drawn.answer_chars,
        })
        .collect();
    points.sort_by_key(|point| point.place);
    points
}

fn languages(
    drawn: &[Drawn],
    showing: &Showing<'_>,
    run: &StatsRun<'_>,
) -> Result<Languages, StatsError> {
    /// A language that so many of 100 longer texts are in may be that of short
    /// ones.
    const PERCENT: u64 = 5;
    type Side = (String, Option<Language>);
    let longer = |text: String| {
        let told = guess(&text);
        (text, told)
    };
    let told: Result<Vec<(Side, Side)>, StatsError> = run.check.pool.install(|| {
        drawn
            .par_iter()
            .map(|drawn| {
                let (prompt, answer) = showing.pair(drawn.place)?;
                Ok((longer(prompt), longer(answer)))
            })
            .collect()
    });
    let told = told?;
    let counts = by_count(
        told.iter()
            .flat_map(|(one, other)| [one.1, other.1])
            .flatten(),
    );
    let all: u64 = counts.iter().map(|(_, n)| n).sum();
    let among = counts.iter().filter(|(_, n)| n * 100 >= all * PERCENT);
    let among: Vec<_> = among.map(|(language, _)| *language).collect();
    let shorter = |(text, told): Side| told.or_else(|| guess_among(&text, &among));
    let told: Vec<_> = run.check.pool.install(|| {
        let sides = told.into_par_iter();
        let told = sides.map(|(prompt, answer)| (shorter(prompt), shorter(answer)));
        told.collect()
    });
    let pairs = told
        .iter()
        .filter_map(|(from, to)| Some(((*from)?, (*to)?)));
    Ok(Languages {
        sampled: told.len() as u64,
        prompts: by_count(told.iter().map(|(prompt, _)| *prompt)),
        answers: by_count(told.iter().map(|(_, answer)| *answer)),
        pairs: by_count(pairs),
        among,
    })
}

/// Counts things, the most frequent first.
fn by_count<T: Ord + Copy>(things: impl Iterator<Item = T>) -> Vec<(T, u64)> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    things.for_each(|thing| *counts.entry(thing).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(thing, n)| (std::cmp::Reverse(*n), *thing));
    counts
}

fn commons(counted: &Counted, showing: &Showing<'_>) -> Result<Commons, StatsError> {
    let of = |kind| counted.frequent(kind, |place| showing.text(place, kind));
    Ok(Commons {
        systems: of(Kind::System)?,
        answers: of(Kind::Answer)?,
        prompt_openings: of(Kind::PromptOpening)?,
        answer_openings: of(Kind::AnswerOpening)?,
    })
}

/// The places of examples to look at, in order: of each rule the first lines,
/// up to half of them, then what was drawn.
fn chosen(stats: &Stats, drawn: &[Drawn], most: usize) -> Vec<u64> {
    /// Of one rule.
    const FIRST: usize = 5;
    let mut places = std::collections::BTreeSet::new();
    let mut of_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &stats.files {
        for found in &file.checked.findings.found {
            let seen = of_rule.entry(found.rule.code.code).or_default();
            if let Some(position) = found.position
                && *seen < FIRST
                && places.len() < most / 2
            {
                *seen += 1;
                places.insert(file.start + position.line - 1);
            }
        }
    }
    for drawn in drawn {
        if places.len() >= most {
            break;
        }
        places.insert(drawn.place);
    }
    places.into_iter().collect()
}

/// The places of clusters and of pairs, in order, if examples are shown.
fn places_of_groups(stats: &Stats) -> Vec<u64> {
    if stats.shown.is_empty() {
        return Vec::new();
    }
    let clusters = stats.duplicates.largest.iter();
    let clusters = clusters.flat_map(|cluster| cluster.places.iter().copied());
    let pairs = stats.near.iter().flat_map(|near| &near.least_similar);
    let pairs = pairs.flat_map(|pair| [pair.kept, pair.dropped]);
    let mut places: Vec<_> = clusters.chain(pairs).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Adds what only the whole dataset shows to the examples at which it shows.
fn mark(stats: &mut Stats) {
    let mut codes: BTreeMap<u64, Vec<&'static str>> = BTreeMap::new();
    for file in &stats.files {
        for found in &file.checked.findings.found {
            if let Some(position) = found.position {
                let place = file.start + position.line - 1;
                codes.entry(place).or_default().push(found.rule.code.code);
            }
        }
    }
    for shown in stats.shown.iter_mut().chain(stats.others.values_mut()) {
        if let Some(codes) = codes.get(&shown.place) {
            shown.codes.extend(codes);
        }
        shown.codes.sort_unstable();
        shown.codes.dedup();
    }
}

/// Whose texts [`Stats::scripts`] are about, in its order.
pub const SCRIPTS_OF: [Speaker; 3] = [Speaker::User, Speaker::Model, Speaker::System];

#[cfg(test)]
mod tests;
