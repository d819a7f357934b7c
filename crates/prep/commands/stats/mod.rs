//! `prep stats`: what a dataset is like.
//!
//! [`text`] and [`json`] print it; [`html`] makes the report.

mod html;
mod json;
mod provenance;
mod text;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use prep_data::io::Input;
use prep_data::pipeline::dedupe::Threshold;
use prep_data::pipeline::stats::{Stats, StatsRun, stats};
use prep_data::pipeline::{CheckRun, ordered};
use prep_data::rules::{Context, Levels, Side};
use prep_data::source::Options;

use super::cost::candidates;
use super::validate::{context, levels};
use crate::Answer;
use crate::args::{Shared, StatsArgs, TextOrJson, VocabularyArgs};
use crate::counting::{Vocabulary, own_tokenizer};
use crate::failure::{Failure, plain};
use crate::pricing::{Dollars, Price, price_of};
use crate::report::FileReport;
use crate::settings::Settings;
use crate::target::{Page, threads, write_summary};
use crate::{interrupt, ui};

/// How many findings of each rule are kept.
const MOST_FINDINGS: usize = 100;

/// How many examples a report has.
const MOST_EXAMPLES: usize = 500;

/// How many clusters, pairs and common texts a report has.
const MOST_SHOWN: usize = 12;

/// From which similarity on pairs of a report are near-duplicates.
const NEAR: f64 = 0.8;

/// Runs the command.
pub(crate) fn run(args: &StatsArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let page = args.html.as_deref().map(Page::new);
    if let Some(page) = &page {
        let read = args.files.iter().chain(&args.validation);
        page.check(read.chain(&args.metrics), shared)?;
    }
    let metrics = args.metrics.as_deref().map(html::curves::read);
    let metrics = metrics.transpose()?;
    let settings = Settings::read(shared)?;
    let levels = levels(&args.rules, &settings.validate)?;
    let context = context(&args.rules, &settings.validate);
    let vocabulary_args = VocabularyArgs {
        model: args.rules.model.clone(),
        tokenizer: args.tokenizer.clone(),
    };
    let own = own_tokenizer(&vocabulary_args, &settings)?;
    let vocabulary = Vocabulary::choose(context.model_name.as_deref(), own.as_ref());
    let measuring = Measuring {
        args,
        shared,
        levels: &levels,
        vocabulary: &vocabulary,
    };
    let mut datasets = Vec::new();
    let mut context = context;
    if let Some(validation) = &args.validation {
        let held_out = Context {
            side: Side::Validation,
            ..context.clone()
        };
        let files = std::slice::from_ref(validation);
        let mut measured = measuring.dataset("validation", files, &held_out)?;
        let held_out = measured.stats.files.first_mut();
        context.validation = held_out.map(|file| std::mem::take(&mut file.checked.held_out));
        datasets.push(measured);
    }
    datasets.insert(0, measuring.dataset("train", &args.files, &context)?);
    let costs = costs(&context, &vocabulary, &settings, &datasets[0].stats);
    let report = Report {
        datasets,
        costs,
        limit: context.limits().example_tokens,
        most: args.most.get(),
        context,
        vocabulary,
    };
    if let Some(page) = page {
        let html = html::page(&report, metrics.as_ref());
        page.write(html.as_bytes())?;
        if !shared.quiet {
            let name = page.path().display();
            ui::say(&format!("{name}: {}", ui::bytes(html.len() as u64)));
        }
    }
    if !shared.quiet {
        let mut out = anstream::AutoStream::auto(std::io::stdout().lock());
        match args.format {
            TextOrJson::Text => report.write(&mut out)?,
            TextOrJson::Json => {
                let text = serde_json::to_string_pretty(&report.to_json()).map_err(plain)?;
                writeln!(out, "{text}")?;
            }
        }
        out.flush()?;
    }
    if shared.verbose {
        let seconds = started.elapsed().as_secs_f64();
        let files = report.datasets.iter().flat_map(|set| &set.stats.files);
        let bytes = files.map(|file| file.checked.dataset.bytes).sum();
        let rate = ui::bytes((bytes as f64 / seconds) as u64);
        ui::say(&format!("{} in {seconds:.2} s, {rate}/s", ui::bytes(bytes)));
    }
    if let Some(path) = &shared.summary {
        write_summary(path, &report.summary())?;
    }
    Ok(Answer::Yes)
}

/// What datasets are measured by.
struct Measuring<'a> {
    args: &'a StatsArgs,
    shared: &'a Shared,
    levels: &'a Levels,
    vocabulary: &'a Vocabulary<'a>,
}

/// What is told of some datasets.
struct Report<'r> {
    /// Training, and validation if it is named.
    datasets: Vec<Dataset>,
    /// What a pass over the training data costs, by model.
    costs: Vec<Cost>,
    context: Context,
    vocabulary: Vocabulary<'r>,
    /// The most tokens of an example.
    limit: u64,
    /// How many common texts are listed.
    most: usize,
}

/// Files that were measured together.
struct Dataset {
    /// `train` or `validation`.
    side: &'static str,
    stats: Stats,
    /// What the rules found, by file.
    found: Vec<FileReport>,
}

/// What a pass costs with a model.
struct Cost {
    model: String,
    price: Price,
    cost: Dollars,
}

impl Measuring<'_> {
    fn dataset(
        &self,
        side: &'static str,
        files: &[PathBuf],
        context: &Context,
    ) -> Result<Dataset, Failure> {
        let (args, shared) = (self.args, self.shared);
        let pool = ordered::pool(threads(shared)).map_err(plain)?;
        let scratch = std::env::temp_dir().join("prep");
        let has_page = args.html.is_some();
        let run = StatsRun {
            check: CheckRun {
                pool: &pool,
                memory: shared.memory.0,
                scratch: &scratch,
                cap: MOST_FINDINGS,
                block_bytes: Options::BLOCK_BYTES,
                stop: interrupt::stop(),
            },
            context,
            levels: self.levels,
            measure: self.vocabulary.measure,
            most: match has_page {
                true => args.most.get().max(MOST_SHOWN),
                false => args.most.get(),
            },
            shown: if has_page { MOST_EXAMPLES } else { 0 },
            near: Threshold::new(NEAR).filter(|_| has_page),
        };
        let inputs = files.iter().map(|path| Input::open(path));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let total = inputs.iter().map(Input::size).sum();
        let progress = inputs.iter().map(Input::progress).collect();
        let bar = ui::Bar::over(progress, total, shared);
        let stats = stats(inputs, &run)?;
        drop(bar);
        let found = stats.files.iter().map(|file| {
            FileReport::new(file.name.clone(), &file.checked, self.levels, &file.blake3)
        });
        Ok(Dataset {
            side,
            found: found.collect(),
            stats,
        })
    }
}

impl Dataset {
    /// The names of the files.
    fn name(&self) -> String {
        let files = &self.stats.files;
        match &files[..] {
            [file] => file.name.clone(),
            [first, ..] => format!("{} and {} more", first.name, files.len() - 1),
            [] => String::new(),
        }
    }

    /// A place as FILE:LINE.
    fn place(&self, place: u64) -> String {
        let (file, line) = self.stats.line_of(place);
        format!("{}:{line}", file.name)
    }

    /// How often each rule found something in all files, the most severe and
    /// then the most frequent first.
    fn counts(&self) -> Vec<crate::report::RuleCount> {
        let mut counts: Vec<crate::report::RuleCount> = Vec::new();
        for count in self.found.iter().flat_map(|file| &file.counts) {
            let is_same =
                |known: &&mut crate::report::RuleCount| std::ptr::eq(known.rule, count.rule);
            match counts.iter_mut().find(is_same) {
                Some(known) => known.count += count.count,
                None => counts.push(*count),
            }
        }
        counts.sort_by_key(|count| {
            let code = count.rule.code.code;
            (std::cmp::Reverse((count.level, count.count)), code)
        });
        counts
    }

    /// How many findings of a level there are.
    fn n_of(&self, level: prep_data::diag::Level) -> u64 {
        self.found.iter().map(|file| file.n_of(level)).sum()
    }
}

impl Report<'_> {
    fn model(&self) -> Option<&str> {
        self.context.model_name.as_deref()
    }

    fn summary(&self) -> serde_json::Value {
        let files = self.datasets.iter().flat_map(|set| &set.stats.files);
        let inputs: Vec<_> = files
            .map(|file| {
                serde_json::json!({
                    "path": file.name,
                    "examples": file.checked.examples,
                    "bytes": file.bytes,
                })
            })
            .collect();
        let sum =
            |of: fn(&Stats) -> u64| self.datasets.iter().map(|set| of(&set.stats)).sum::<u64>();
        serde_json::json!({
            "schema": 1,
            "command": "stats",
            "ledger": {
                "read": sum(|stats| stats.examples + stats.not_examples),
                "measured": sum(|stats| stats.examples),
                "not_examples": sum(|stats| stats.not_examples),
            },
            "inputs": inputs,
            "stats": self.to_json(),
        })
    }
}

/// What one pass costs: with the model that is named, or with each whose
/// vocabulary the tokens were counted by.
fn costs(
    context: &Context,
    vocabulary: &Vocabulary<'_>,
    settings: &Settings,
    stats: &Stats,
) -> Vec<Cost> {
    let named = context.model_name.as_deref();
    let (names, _) = candidates(named, context.method, settings);
    let is_counted = |name: &String| {
        named.is_some() || Vocabulary::choose(Some(name), None).name == vocabulary.name
    };
    let names = names.into_iter().filter(is_counted);
    let mut costs: Vec<_> = names
        .filter_map(|model| {
            let price = price_of(&model, &settings.prices)?;
            Some(Cost {
                cost: Dollars::of_training(stats.billed, 1, price.training),
                model,
                price,
            })
        })
        .collect();
    costs.sort_by(|one, other| (one.cost, &one.model).cmp(&(other.cost, &other.model)));
    costs
}

/// What the limit of tokens is called after.
fn limit_of(context: &Context) -> String {
    match context.model {
        Some(model) => format!("`{}`", model.name),
        None => "every model".into(),
    }
}

/// A share as a percentage: `12 %`, and `<1 %` for what is not nothing.
fn share(n: u64, of: u64) -> String {
    if of == 0 || n == 0 {
        return "0 %".into();
    }
    let percent = u128::from(n) * 100 / u128::from(of);
    match percent {
        0 => "<1 %".into(),
        percent => format!("{percent} %"),
    }
}
