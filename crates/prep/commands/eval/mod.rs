//! `prep eval`: predictions against references, and two models against each
//! other.
//!
//! All is measured once, segment by segment; a slice, a corpus and a resample
//! are sums of that. [`read`] understands files, [`rules`] asks the rules of pairs
//! about predictions, `judge` a model, whose answers [`judged`] adds up, and
//! `service` Google's evaluation service, whose scores [`remote`] are measured like
//! any; [`text`], [`json`] and [`html`] are the ways to print the [`Report`].

#[cfg(feature = "cloud")]
mod asking;
mod html;
mod json;
#[cfg(feature = "cloud")]
mod judge;
mod judged;
mod read;
mod remote;
mod rules;
#[cfg(feature = "cloud")]
mod service;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use prep_data::json::Document;
use prep_data::pipeline::ordered;
use prep_eval::compare::{self, Comparison, Resampled};
use prep_eval::{Bleu, Metric, Score, Segments, Signature, Tokenizer, count_tokenized};

use self::judged::Judged;
use self::read::{Difference, Field, Prediction, System, TextFile};
use self::remote::Remote;
use self::rules::{Asking, Rate};
use crate::Answer;
use crate::args::{EvalArgs, EvalFormat, MetricName, RemoteName, ScoreName, Script, Shared, Test};
use crate::failure::{Failure, plain};
use crate::settings::Settings;
use crate::target::{Page, threads, write_summary};
use crate::ui;

/// What is said of predictions of `--rehearse`.
const PLAYED: &str = "played in a rehearsal: no model said this";

/// Runs the command.
pub(crate) fn run(args: &EvalArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let settings = Settings::read(shared)?;
    let args = &args.with(&settings.evaluate)?;
    let asking = Asking::of(args, &settings.pairs)?;
    #[cfg(feature = "cloud")]
    let rubric = args.asking.judge.as_deref().map(judge::Rubric::read);
    #[cfg(feature = "cloud")]
    let rubric = rubric.transpose()?;
    let paths = args.files();
    let all = paths.iter().chain(&args.reference);
    read::check_stdin(all.map(PathBuf::as_path))?;
    let page = args.html.as_deref().map(Page::new);
    if let Some(page) = &page {
        let read = paths.iter().chain(&args.reference);
        #[cfg(feature = "cloud")]
        let read = read.chain(&args.asking.judge);
        page.check(read, shared)?;
    }
    let mut memory = shared.memory.0;
    let mut read = |path: &PathBuf| TextFile::read(path, &mut memory);
    let files = paths.iter().map(&mut read).collect::<Result<Vec<_>, _>>()?;
    let of_references = args.reference.iter().map(&mut read);
    let of_references = of_references.collect::<Result<Vec<_>, _>>()?;
    let systems = files.iter().map(|file| System::read(file, args.from));
    let systems = systems.collect::<Result<Vec<_>, _>>()?;
    let references = References::read(&of_references)?;

    check(args, &systems, &references, shared.quiet)?;
    #[cfg(feature = "cloud")]
    let remotes = service::score(args, &settings.pairs, shared, &systems, &references)?;
    #[cfg(not(feature = "cloud"))]
    let remotes = Vec::new();

    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    #[cfg_attr(not(feature = "cloud"), expect(unused_mut, reason = "nobody judges"))]
    let mut report = pool.install(|| {
        let asking = asking.as_ref();
        report(args, asking, &systems, &references, remotes, shared.quiet)
    })?;
    #[cfg(feature = "cloud")]
    if let Some(rubric) = &rubric {
        report.judged = Some(judge::judge(rubric, args, shared, &systems, &references)?);
    }
    if let Some(page) = page {
        let html = html::page(&report);
        page.write(html.as_bytes())?;
        if !shared.quiet {
            let name = page.path().display();
            ui::say(&format!("{name}: {}", ui::bytes(html.len() as u64)));
        }
    }
    let mut out = anstream::AutoStream::auto(std::io::stdout().lock());
    if !shared.quiet {
        match args.format {
            EvalFormat::Text => text::write(&report, &mut out)?,
            EvalFormat::Json => writeln!(out, "{:#}", json::report(&report))?,
            EvalFormat::Html => out.write_all(html::page(&report).as_bytes())?,
        }
    }
    out.flush()?;
    if shared.verbose {
        let n = systems.iter().map(|system| system.predictions.len() as u64);
        let seconds = started.elapsed().as_secs_f64();
        ui::say(&format!("{} in {seconds:.2} s", ui::of(n.sum(), "segment")));
    }
    if let Some(path) = &shared.summary {
        write_summary(path, &json::summary(&report))?;
    }
    let is_judged = report
        .judged
        .as_ref()
        .is_none_or(|judged| judged.failed() == 0);
    let is_scored = report.remotes.iter().all(|remote| remote.failed.is_empty());
    Ok(
        if is_judged && is_scored && report.gates.iter().all(|gate| gate.is_met) {
            Answer::Yes
        } else {
            Answer::No
        },
    )
}

/// All that is told.
struct Report<'a> {
    args: &'a EvalArgs,
    /// In the order of the command line; of two that are compared, the base
    /// comes first.
    files: Vec<Scored<'a>>,
    /// For each metric, if two were compared.
    comparisons: Vec<Comparison>,
    gates: Vec<Gate>,
    /// What the evaluation service said, if it was asked.
    remotes: Vec<Remote>,
    /// What a judge said, if one was asked.
    judged: Option<Judged>,
    views: Vec<View<'a>>,
    /// Those of a page, which has some even if none were asked for.
    page_views: Vec<View<'a>>,
}

/// A difference is taken for more than chance below this.
const SIGNIFICANT: f64 = 0.05;

/// How many segments tell a difference from chance at least. Of two models that
/// are equal, 5 in 100 comparisons may call one better; with 2 segments 50 did, with
/// 5 16, with 10 10, with 20 6 (simulated, normal differences): resamples of a few
/// segments are too alike. The numbers are printed all the same.
const ENOUGH: usize = 20;

/// How many segments of a kind a page shows at least.
const PAGE_SHOWN: usize = 10;

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    TooFew,
    Equal,
    Chance,
    Worse,
    Better,
}

impl Verdict {
    /// Judges a comparison. With few segments the test can call a difference
    /// significant whose interval has 0 inside: then it is not sure.
    fn of(comparison: &Comparison, n_segments: usize, is_lower_better: bool) -> Self {
        let has_zero = comparison
            .ci
            .is_some_and(|(low, high)| low <= 0.0 && high >= 0.0);
        if comparison.difference == 0.0 {
            Self::Equal
        } else if n_segments < ENOUGH {
            Self::TooFew
        } else if comparison.p_value >= SIGNIFICANT || has_zero {
            Self::Chance
        } else if (comparison.difference > 0.0) == is_lower_better {
            Self::Worse
        } else {
            Self::Better
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::TooFew => "too few to tell",
            Self::Equal => "equal",
            Self::Chance => "could be chance",
            Self::Worse => "worse",
            Self::Better => "better",
        }
    }
}

impl<'a> Report<'a> {
    fn is_comparison(&self) -> bool {
        !self.comparisons.is_empty()
    }

    /// What each comparison says.
    fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let measured = self.files.iter().take(1).flat_map(|file| &file.measured);
        measured
            .zip(&self.comparisons)
            .map(|(measured, comparison)| {
                let segments = &measured.segments;
                let is_lower_better = segments.metric().lower_is_better();
                Verdict::of(comparison, segments.n_drawn(), is_lower_better)
            })
    }

    /// What must be known of the scores of the evaluation service.
    fn remote_notes(&self) -> Vec<String> {
        let name = |remote: &Remote| self.files[remote.file].system.name;
        let remotes = self.remotes.iter();
        let mut notes: Vec<_> = remotes
            .flat_map(|remote| remote.notes(name(remote)))
            .collect();
        let base = self.files.first().filter(|_| self.is_comparison());
        for measured in base.iter().flat_map(|file| &file.measured) {
            let (n, all) = (measured.segments.n_drawn(), measured.segments.len());
            if n < all {
                notes.push(format!(
                    "{} compares the {} that have a score in both files",
                    measured.score.name,
                    ui::of(n as u64, "segment")
                ));
            }
        }
        notes
    }

    /// The file that the report is about.
    fn main(&self) -> Option<&Scored<'a>> {
        match self.is_comparison() {
            true => self.files.last(),
            false => self.files.first(),
        }
    }
}

/// A file of predictions with its scores.
struct Scored<'a> {
    system: &'a System<'a>,
    /// Of its references.
    script: Script,
    measured: Vec<Measured>,
    slices: Vec<Slice>,
    /// What the rules of pairs found, if any were asked.
    rates: Vec<Rate>,
}

/// What a metric found in a file.
struct Measured {
    name: ScoreName,
    segments: Segments,
    score: Score,
    resampled: Option<Resampled>,
    /// Of a page, with the signature that goes with it.
    interval: Option<(Resampled, Signature)>,
}

impl Measured {
    /// How many digits are printed behind the point: two more where 1 is the
    /// best, and not 100.
    fn digits(&self, width: usize) -> usize {
        match self.name {
            ScoreName::Remote(RemoteName::Comet) => width + 2,
            _ => width,
        }
    }
}

/// A number as it is printed; a mean of nothing is a dash.
fn shown(value: f64, digits: usize) -> String {
    match value.is_nan() {
        true => "–".to_owned(),
        false => format!("{value:.digits$}"),
    }
}

/// A difference as it is printed.
fn shown_difference(value: f64, digits: usize) -> String {
    match value.is_nan() {
        true => "–".to_owned(),
        false => format!("{value:+.digits$}"),
    }
}

/// The segments that have something in common.
struct Slice {
    /// What they have in common: a name, a pointer, or `length`.
    by: String,
    value: String,
    /// Their places, from 0.
    segments: Vec<usize>,
}

/// A score that was to be met.
struct Gate {
    file: String,
    metric: ScoreName,
    score: Score,
    threshold: f64,
    is_met: bool,
}

/// The segments of a file, or of two that are compared, that are worth a look.
struct View<'a> {
    files: Vec<&'a str>,
    /// The metric by which they were chosen, with its score of the first file.
    ranking: Score,
    /// How many more digits its scores have than others.
    more_digits: usize,
    shown: Vec<Shown<'a>>,
}

/// A segment that is worth a look.
struct Shown<'a> {
    /// From 1.
    line: usize,
    input: Option<&'a str>,
    reference: &'a str,
    /// Of one file, or of base and tuned: the prediction and its score.
    sides: Vec<(&'a Prediction<'a>, f64)>,
}

/// Fails unless files line up and have references.
fn check(
    args: &EvalArgs,
    systems: &[System<'_>],
    references: &References<'_>,
    is_quiet: bool,
) -> Result<(), Failure> {
    for system in systems {
        references.check(system)?;
        references.of(system)?;
    }
    match (systems, args.compare.is_empty()) {
        ([base, tuned], false) => check_pair(base, tuned, references, is_quiet),
        _ => Ok(()),
    }
}

fn report<'a>(
    args: &'a EvalArgs,
    asking: Option<&Asking>,
    systems: &'a [System<'a>],
    references: &'a References<'a>,
    remotes: Vec<Remote>,
    is_quiet: bool,
) -> Result<Report<'a>, Failure> {
    let mut metrics = args.metric.clone();
    metrics.extend(
        args.fail_under
            .iter()
            .filter_map(|threshold| match threshold.metric {
                ScoreName::Local(name) => Some(name),
                ScoreName::Remote(_) => None,
            }),
    );
    let mut files = Vec::with_capacity(systems.len());
    let mut context = None;
    for (place, system) in systems.iter().enumerate() {
        let streams = references.of(system)?;
        let script = script_of(&streams[0]);
        if !is_quiet {
            // What is compared has the same references.
            if args.compare.is_empty() || files.is_empty() {
                tell_script(args, system.name, script, &metrics);
            }
            tell_tokenized(args, system, script, &metrics);
        }
        let mut scored = score(args, system, &streams, &metrics, script)?;
        for (at, remote) in remotes.iter().enumerate() {
            if remote.file == place {
                let common = remote::common(&remotes, at, !args.compare.is_empty());
                let segments = remote.segments(system.name, &common)?;
                let name = ScoreName::Remote(remote.name);
                scored.measured.push(measured(args, name, segments)?);
            }
        }
        if let Some(asking) = asking {
            // What is compared is held to the same.
            let context = match &mut context {
                Some(context) if !args.compare.is_empty() => context,
                context => context.insert(asking.learn(system, references, is_quiet)?),
            };
            scored.rates = asking.ask(system, context);
        }
        files.push(scored);
    }
    let views_of = |n: usize| match n {
        0 => Ok(Vec::new()),
        n => views(args, n, &files, references),
    };
    let views = views_of(args.show)?;
    let page_views = views_of(match args.has_page() {
        true => args.show.max(PAGE_SHOWN),
        false => 0,
    })?;
    Ok(Report {
        args,
        comparisons: comparisons(args, &files)?,
        gates: gates(args, &files),
        remotes,
        judged: None,
        views,
        page_views,
        files,
    })
}

/// References that were named, each with a text for every segment; none if
/// the predictions have their own.
struct References<'a> {
    streams: Vec<(&'a str, Vec<Cow<'a, str>>)>,
}

impl<'a> References<'a> {
    fn read(files: &'a [TextFile]) -> Result<Self, Failure> {
        let streams = files.iter();
        let streams = streams.map(|file| Ok((file.name.as_str(), read::references(file)?)));
        let streams: Result<Vec<_>, Failure> = streams.collect();
        Ok(Self { streams: streams? })
    }

    fn check(&self, system: &System<'_>) -> Result<(), Failure> {
        for (name, texts) in &self.streams {
            let n = system.predictions.len();
            read::check_lines((system.name, n), (name, texts.len()))?;
        }
        Ok(())
    }

    /// The first reference of a segment.
    fn first(&'a self, system: &'a System<'a>, n: usize) -> &'a str {
        let own = || system.predictions[n].reference();
        let named = self.streams.first().map(|(_, texts)| &*texts[n]);
        named.or_else(own).unwrap_or_default()
    }

    fn of<'s>(&'s self, system: &'s System<'_>) -> Result<Vec<Vec<Option<&'s str>>>, Failure> {
        if self.streams.is_empty() {
            return Ok(vec![system.own_references()?]);
        }
        let streams = self.streams.iter().map(|(_, texts)| {
            let texts = texts.iter();
            texts.map(|text| Some(&**text)).collect()
        });
        Ok(streams.collect())
    }
}

/// Fails unless two models answered the same questions.
fn check_pair(
    base: &System<'_>,
    tuned: &System<'_>,
    references: &References<'_>,
    is_quiet: bool,
) -> Result<(), Failure> {
    let sizes = [base, tuned].map(|system| (system.name, system.predictions.len()));
    read::check_lines(sizes[0], sizes[1])?;
    let pairs = base.predictions.iter().zip(&tuned.predictions);
    let mut around = None;
    for (n, (a, b)) in (1_u64..).zip(pairs) {
        let difference = read::difference(a.input(), b.input());
        if difference == Difference::Around {
            around = around.or(Some(n));
        }
        let what = if difference == Difference::Turns {
            "inputs"
        } else if references.streams.is_empty() && a.reference() != b.reference() {
            "references"
        } else {
            continue;
        };
        return Err(Failure::because(
            format!("`{}` and `{}` cannot be compared", base.name, tuned.name),
            format!("their {what} differ, first on line {n}"),
        )
        .at(format!("{}:{n}:1", tuned.name))
        .hint("let `prep predict` run the same file through both models"));
    }
    if let (Some(n), false) = (around, is_quiet) {
        ui::remark(
            "note",
            &format!(
                "the models got the same turns with something else around them, such as the \
                 system instruction; first on line {n}"
            ),
        );
    }
    Ok(())
}

/// Tells the script of references by their letters.
fn script_of(references: &[Option<&str>]) -> Script {
    let (mut han, mut kana, mut letters) = (0_u64, 0_u64, 0_u64);
    for c in references.iter().flatten().flat_map(|text| text.chars()) {
        match c {
            '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => {
                kana += 1;
            }
            '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{323af}' => han += 1,
            _ if c.is_alphabetic() => letters += 1,
            _ => {}
        }
    }
    if han + kana <= letters {
        Script::Other
    } else if kana * 10 > han {
        // A Japanese text has more kana than this, a Chinese one a few names.
        Script::Japanese
    } else {
        Script::Chinese
    }
}

/// Says what follows from the script of the references.
fn tell_script(args: &EvalArgs, name: &str, script: Script, metrics: &[MetricName]) {
    let language = match script {
        Script::Chinese => "Chinese",
        Script::Japanese => "Japanese",
        Script::Other => return,
    };
    let mut choices = Vec::new();
    if metrics.contains(&MetricName::Bleu) && args.metrics.tokenize.is_none() {
        let tokenizer = args.metrics.tokenizer(script).name();
        choices.push(format!("BLEU with `--tokenize {tokenizer}`"));
    }
    if metrics.contains(&MetricName::Ter) && args.metrics.ter_counts_characters(script) {
        choices.push("TER with `--ter-normalized --ter-asian-support`".to_owned());
    }
    if !choices.is_empty() {
        ui::say(&format!(
            "{name}: the references are {language}: {}",
            choices.join(", ")
        ));
    }
}

/// Warns, when sacreBLEU does, that hypotheses seem to be tokenized.
fn tell_tokenized(args: &EvalArgs, system: &System<'_>, script: Script, metrics: &[MetricName]) {
    const MANY: usize = 100;
    let cuts = args.metrics.tokenizer(script) != Tokenizer::None;
    if !cuts || !metrics.contains(&MetricName::Bleu) {
        return;
    }
    let hypotheses = system.predictions.iter().map(Prediction::hypothesis);
    let n_tokenized = count_tokenized(&hypotheses.collect::<Vec<_>>());
    if n_tokenized >= MANY {
        ui::remark(
            "warning",
            &format!(
                "{} in `{}` end in ` .`, as if tokenized already; BLEU wants plain text",
                ui::of(n_tokenized as u64, "prediction"),
                system.name
            ),
        );
    }
}

fn score<'a>(
    args: &EvalArgs,
    system: &'a System<'a>,
    streams: &[Vec<Option<&str>>],
    metrics: &[MetricName],
    script: Script,
) -> Result<Scored<'a>, Failure> {
    let mut measured: Vec<Measured> = Vec::with_capacity(metrics.len());
    for &name in metrics {
        let metric = args.metrics.metric(name, script);
        let is_there = |other: &Measured| other.segments.metric() == &metric;
        if measured.iter().any(is_there) {
            continue;
        }
        let segments = measure(&metric, system, streams)?;
        measured.push(self::measured(args, ScoreName::Local(name), segments)?);
    }
    let mut slices = Vec::new();
    for by in &args.by {
        if by == "length" {
            slices.extend(slices_by_length(&streams[0]));
        } else {
            slices.extend(slices_by(by, system)?);
        }
    }
    Ok(Scored {
        system,
        script,
        measured,
        slices,
        rates: Vec::new(),
    })
}

/// Scores what was measured, with an interval where one is told: on a page, if
/// it is asked for, and of what a model said, which is told in no other way.
fn measured(args: &EvalArgs, name: ScoreName, segments: Segments) -> Result<Measured, Failure> {
    let mut score = segments.score();
    let (mut resampled, mut interval) = (None, None);
    let is_alone = args.compare.is_empty();
    let is_told = is_alone && (args.resampling.confidence || matches!(name, ScoreName::Remote(_)));
    if is_told || (is_alone && args.has_page()) {
        let n_samples = args
            .resampling
            .samples
            .map_or(compare::BOOTSTRAP_SAMPLES, Into::into);
        let (estimate, signature) =
            compare::confidence(&segments, n_samples, args.resampling.seed).map_err(plain)?;
        interval = estimate.resampled.map(|found| (found, signature.clone()));
        if is_told {
            score.signature = signature;
            resampled = estimate.resampled;
        }
    }
    Ok(Measured {
        name,
        segments,
        score,
        resampled,
        interval,
    })
}

fn measure(
    metric: &Metric,
    system: &System<'_>,
    streams: &[Vec<Option<&str>>],
) -> Result<Segments, Failure> {
    let hypotheses: Vec<&str> = system
        .predictions
        .iter()
        .map(Prediction::hypothesis)
        .collect();
    let streams: Vec<&[Option<&str>]> = streams.iter().map(Vec::as_slice).collect();
    let measured = metric.measure(&hypotheses, &streams);
    measured.map_err(|error| {
        let cannot = format!("cannot measure {} of `{}`", metric.name(), system.name);
        Failure::from(anyhow::Error::new(error).context(cannot))
    })
}

/// Cuts by the value of a member, in the order of the values.
fn slices_by(by: &str, system: &System<'_>) -> Result<Vec<Slice>, Failure> {
    let mut document = Document::new();
    let mut groups: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for (n, prediction) in system.predictions.iter().enumerate() {
        let value = prediction.line();
        let value = value.and_then(|line| Field(by).of(line, &mut document));
        groups.entry(value).or_default().push(n);
    }
    if groups.keys().all(Option::is_none) {
        let failure = Failure::new(format!("no line of `{}` has `{by}`", system.name));
        let first = system.predictions.iter().find_map(Prediction::line);
        let members = first.map(read::members).unwrap_or_default();
        return Err(if members.is_empty() {
            failure.note("plain text has no members; `--by length` works")
        } else {
            let members: Vec<_> = members.iter().map(|name| format!("`{name}`")).collect();
            failure
                .note(format!("its members are {}", members.join(", ")))
                .hint("what is inside a member is named by a JSON pointer, such as /origin/source")
        });
    }
    let slices = groups.into_iter().map(|(value, segments)| Slice {
        by: by.to_owned(),
        value: value.unwrap_or_else(|| "(none)".to_owned()),
        segments,
    });
    Ok(slices.collect())
}

/// Cuts by the length of the first reference, in characters.
fn slices_by_length(references: &[Option<&str>]) -> Vec<Slice> {
    const LAST: [usize; 6] = [20, 50, 100, 200, 500, usize::MAX];
    let mut first = 0;
    let mut slices = LAST.map(|last| {
        let value = match last {
            usize::MAX => format!("{first} characters and more"),
            last => format!("{first} to {last} characters"),
        };
        first = last.saturating_add(1);
        Slice {
            by: "length".to_owned(),
            value,
            segments: Vec::new(),
        }
    });
    for (n, reference) in references.iter().enumerate() {
        let length = reference.unwrap_or_default().chars().count();
        let slice = LAST.iter().position(|&last| length <= last);
        slices[slice.unwrap_or(0)].segments.push(n);
    }
    let mut slices = Vec::from(slices);
    slices.retain(|slice| !slice.segments.is_empty());
    slices
}

fn comparisons(args: &EvalArgs, files: &[Scored<'_>]) -> Result<Vec<Comparison>, Failure> {
    let ([base, tuned], false) = (files, args.compare.is_empty()) else {
        return Ok(Vec::new());
    };
    let samples = args.resampling.samples.map(usize::from);
    let seed = args.resampling.seed;
    let pairs = base.measured.iter().zip(&tuned.measured);
    let compared = pairs.map(|(base, tuned)| {
        let (base, tuned) = (&base.segments, &tuned.segments);
        match args.resampling.test {
            Test::Bootstrap => {
                let n = samples.unwrap_or(compare::BOOTSTRAP_SAMPLES);
                compare::bootstrap(base, tuned, n, seed)
            }
            Test::Randomization => {
                let n = samples.unwrap_or(compare::RANDOMIZATION_TRIALS);
                // The interval of the difference is from resamples all the same.
                let n_samples = Some(compare::BOOTSTRAP_SAMPLES);
                compare::randomization(base, tuned, n, n_samples, seed)
            }
        }
    });
    compared.collect::<Result<_, _>>().map_err(plain)
}

fn gates(args: &EvalArgs, files: &[Scored<'_>]) -> Vec<Gate> {
    // The base may be as bad as it is.
    let files = if args.compare.is_empty() {
        files
    } else {
        &files[1..]
    };
    let mut gates = Vec::new();
    for file in files {
        for threshold in &args.fail_under {
            let is_it = |measured: &&Measured| match threshold.metric {
                ScoreName::Local(name) => {
                    measured.segments.metric() == &args.metrics.metric(name, file.script)
                }
                name => measured.name == name,
            };
            let measured = file.measured.iter().find(is_it);
            let measured = measured.expect("what has a threshold is measured");
            let value = measured.score.value;
            gates.push(Gate {
                file: file.system.name.to_owned(),
                metric: threshold.metric,
                score: measured.score.clone(),
                threshold: threshold.score,
                is_met: if measured.segments.metric().lower_is_better() {
                    value <= threshold.score
                } else {
                    value >= threshold.score
                },
            });
        }
    }
    gates
}

/// Finds the segments that are worth a look: of one file the worst, of two
/// those that lost most and then those that gained most.
fn views<'a>(
    args: &EvalArgs,
    n_shown: usize,
    files: &[Scored<'a>],
    references: &'a References<'a>,
) -> Result<Vec<View<'a>>, Failure> {
    // What is compared stands side by side.
    let n_sides = if args.compare.is_empty() { 1 } else { 2 };
    let views = files.chunks(n_sides).map(|files| {
        // A model tells single segments apart better than any count.
        let is_remote = |measured: &Measured| matches!(measured.name, ScoreName::Remote(_));
        let at = files[0].measured.iter().position(is_remote);
        let sides = files.iter().map(|file| match at {
            Some(at) => Ok(file.measured[at].segments.clone()),
            None => {
                let streams = references.of(file.system)?;
                measure(&ranking(args, &files[0]), file.system, &streams)
            }
        });
        let sides = sides.collect::<Result<Vec<_>, _>>()?;
        let metric = sides[0].metric();
        let each: Vec<_> = sides.iter().map(Segments::each).collect();
        let sign = if metric.lower_is_better() { -1.0 } else { 1.0 };
        let places = match &each[..] {
            [base, tuned] => {
                let pairs = tuned.iter().zip(base);
                let gains: Vec<f64> = pairs.map(|(tuned, base)| sign * (tuned - base)).collect();
                let losses: Vec<f64> = gains.iter().map(|gain| -gain).collect();
                let mut places = lowest(&gains, n_shown);
                places.retain(|&n| gains[n] < 0.0);
                let gained = lowest(&losses, n_shown).into_iter();
                places.extend(gained.filter(|&n| gains[n] > 0.0));
                places
            }
            each => {
                let goodness: Vec<f64> = each[0].iter().map(|score| sign * score).collect();
                lowest(&goodness, n_shown)
            }
        };
        let shown = places.into_iter().map(|n| {
            let of_sides = files.iter().zip(&each);
            Shown {
                line: n + 1,
                input: files[0].system.predictions[n].input(),
                reference: references.first(files[0].system, n),
                sides: of_sides
                    .map(|(file, each)| (&file.system.predictions[n], each[n]))
                    .collect(),
            }
        });
        Ok(View {
            files: files.iter().map(|file| file.system.name).collect(),
            ranking: sides[0].score(),
            more_digits: at.map_or(0, |at| files[0].measured[at].digits(0)),
            shown: shown.collect(),
        })
    });
    views.collect()
}

/// The metric by which single segments are told apart: the one that was asked
/// for that tells most about so short a text.
fn ranking(args: &EvalArgs, file: &Scored<'_>) -> Metric {
    const BEST: [MetricName; 7] = [
        MetricName::Chrf,
        MetricName::ChrfPlusPlus,
        MetricName::Ter,
        MetricName::TokenF1,
        MetricName::Bleu,
        MetricName::RougeL,
        MetricName::Exact,
    ];
    let is_asked = |name: &MetricName| {
        let name = ScoreName::Local(*name);
        file.measured.iter().any(|other| other.name == name)
    };
    let name = BEST.into_iter().find(is_asked).unwrap_or(MetricName::Chrf);
    match args.metrics.metric(name, file.script) {
        Metric::Bleu(bleu) => Metric::from(Bleu {
            effective_order: true,
            ..bleu
        }),
        metric => metric,
    }
}

/// The places of the lowest numbers, the lowest first.
fn lowest(numbers: &[f64], n: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..numbers.len()).collect();
    places.retain(|&place| !numbers[place].is_nan());
    places.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    places.truncate(n);
    places
}

impl Scored<'_> {
    /// How generations ended, by finish reason; nothing if no line tells.
    fn outcomes(&self) -> BTreeMap<&str, u64> {
        let mut outcomes = BTreeMap::new();
        for prediction in &self.system.predictions {
            let reason = match prediction.finish_reason() {
                Some(reason) => reason,
                // Google's own word for it.
                None if prediction.line().is_some() => "FINISH_REASON_UNSPECIFIED",
                None => continue,
            };
            *outcomes.entry(reason).or_default() += 1;
        }
        outcomes
    }

    /// The lines, from 1, on which the model said nothing, and why.
    fn silent(&self) -> impl Iterator<Item = (usize, Option<&str>)> {
        let predictions = (1..).zip(&self.system.predictions);
        let silent = predictions.filter(|(_, prediction)| prediction.text.is_none());
        silent.map(|(n, prediction)| (n, prediction.finish_reason()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two models on some segments, of which the tuned one wins all.
    fn verdict_of(n: usize) -> Verdict {
        let references: Vec<_> = (0..n)
            .map(|n| format!("the cat {n} sat on the mat"))
            .collect();
        let base: Vec<_> = (0..n).map(|n| format!("a cat {n} is on a mat")).collect();
        let streams: Vec<_> = references.iter().map(|text| Some(&**text)).collect();
        let metric = Metric::from(prep_eval::Chrf::default());
        let measure = |texts: &[String]| metric.measure(texts, &[&streams]).unwrap();
        let (base, tuned) = (measure(&base), measure(&references));
        let comparison = compare::bootstrap(&base, &tuned, 200, 1).unwrap();
        Verdict::of(&comparison, tuned.n_drawn(), false)
    }

    #[test]
    fn a_few_segments_are_no_verdict() {
        for n in [1, 2, 10, ENOUGH - 1] {
            assert_eq!(verdict_of(n), Verdict::TooFew, "{n}");
        }
        assert_eq!(verdict_of(ENOUGH), Verdict::Better);
    }

    #[test]
    fn the_script_of_references_is_that_of_their_letters() {
        let script = |text: &str| script_of(&[Some(text), None]);
        assert_eq!(script("¿Dónde está la estación?"), Script::Other);
        assert_eq!(script("火车站在哪里？"), Script::Chinese);
        assert_eq!(script("请打开 Wi-Fi 并点击设置"), Script::Chinese);
        assert_eq!(script("駅はどこですか。"), Script::Japanese);
        assert_eq!(script("역은 어디에 있습니까?"), Script::Other);
        assert_eq!(script("123 !"), Script::Other);
    }

    #[test]
    fn lengths_fall_into_one_bucket_each() {
        let long = "x".repeat(501);
        let references = ["", "12345678901234567890", "123456789012345678901", &long].map(Some);
        let slices = slices_by_length(&references);
        let slices: Vec<_> = slices
            .iter()
            .map(|slice| (&*slice.value, &slice.segments[..]))
            .collect();
        assert_eq!(
            slices,
            [
                ("0 to 20 characters", &[0, 1][..]),
                ("21 to 50 characters", &[2]),
                ("501 characters and more", &[3])
            ]
        );
    }
}
