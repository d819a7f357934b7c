//! `prep predict`: prompts in, a line for each of them out.

mod batch;
mod compared;
mod prompts;

use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prep_data::io::AtomicFile;
use prep_submit::asking::{Journal, JournalError, RunError, Summary};
use prep_submit::predict::{self, Family, Generation, Model, Options, Outcome, Thinking};
use prep_submit::tuning::{ResourceName, TuningJob};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::batch::{Batch, BatchModel, Failed};
use self::compared::Frame;
use self::prompts::Prompts;
use super::convert::text_or_file;
use super::jobs::Wanted;
use super::jobs::record::JobRecord;
use crate::Answer;
use crate::args::{PredictArgs, Shared};
use crate::cloud::{Cloud, Services, failed};
use crate::failure::{Failure, plain};
use crate::target::write_summary;
use crate::ui;

/// Runs the command.
pub(crate) fn run(args: &PredictArgs, shared: &Shared) -> Result<Answer, Failure> {
    let system = args.system.as_deref().map(text_or_file).transpose()?;
    let services = Services::new(&args.cloud, shared, args.rehearse)?;
    if args.rehearse {
        ui::remark("note", "rehearsal: the model is played on this machine");
    }
    let asked = Asked::find(args, &services)?;
    let options = options(args, &asked)?;
    let prompts = Prompts::open(&args.input, system, args.limit, shared)?;
    let trained = asked.train.as_deref().and_then(Frame::of_file);
    if let Some(trained) = trained {
        let now = Frame::of(prompts.iter()?.map_while(Result::ok));
        for difference in now.differences(&trained) {
            ui::remark("warning", &difference);
        }
    }
    let is_stdout = args.output == Path::new("-");
    // What is kept of a run that writes nowhere is not kept for long.
    let beside = match is_stdout {
        true => Beside::Nowhere(TempDir::new()?),
        false => Beside::Output(args.output.clone()),
    };
    let journal_path = beside.path("answers");
    if !is_stdout {
        refuse_foreign(&args.input, &args.output, &journal_path, shared)?;
    }
    let journal = match is_stdout && !args.batch {
        true => None,
        false => Some(open_journal(&journal_path)?),
    };
    if let Some(journal) = journal.as_ref().filter(|_| args.again) {
        journal.clear().map_err(plain)?;
    }
    let failed = match &journal {
        Some(journal) if args.batch => {
            let what = (&options, &prompts, journal);
            Batch::new(args, shared, &asked, what, beside.path("requests"))?.ask()?
        }
        _ => Failed::new(),
    };
    let mut out = Out::begin(&args.output)?;
    let mut told = Told::default();
    let mut provenance = prompts.origins(&args.input);
    let done = Arc::new(AtomicU64::new(0));
    let bar = ui::Bar::things(Arc::clone(&done), prompts.n, shared);
    let broken = Cell::new(None);
    // All were looked at before; one that changed meanwhile ends the run.
    let asked_prompts = prompts.iter()?.map_while(|prompt| match prompt {
        Ok(prompt) => Some(prompt),
        Err(reason) => {
            broken.set(Some(reason));
            None
        }
    });
    let mut put = |row: predict::Row| {
        done.fetch_add(1, Ordering::Relaxed);
        told.add(&row);
        let mut line = row.json(&options);
        if let Some(origin) = prompts.origin(row.index, &mut provenance) {
            line["origin"] = origin;
        }
        if args.rehearse {
            line["rehearsal"] = true.into();
        }
        out.put(&line)
    };
    let ran = match &journal {
        Some(journal) if args.batch => {
            predict::rows(asked_prompts, &options, journal, failed, &mut put)
        }
        journal => asked.cloud.wait(predict::run(
            &asked.cloud.client,
            asked_prompts,
            &options,
            journal.as_ref(),
            &mut put,
        )),
    };
    drop(bar);
    let summary = ran.map_err(|error| ended(error, journal.as_ref(), prompts.n))?;
    if let Some(reason) = broken.take() {
        return Err(Failure::because(
            format!("`{}` was changed", args.input.display()),
            reason,
        ));
    }
    out.finish()?;
    if !shared.quiet {
        told.tell(&args.output, summary.kept);
    }
    if let Some(path) = &shared.summary {
        write_summary(path, &told.summary(&options, summary))?;
    }
    Ok(if summary.failed == 0 {
        Answer::Yes
    } else {
        Answer::No
    })
}

/// The model that is asked.
struct Asked {
    cloud: Cloud,
    model: Model,
    family: Family,
    /// Whom a batch asks, where that is known.
    batch: Option<BatchModel>,
    /// The training set, if it is known and here.
    train: Option<PathBuf>,
}

impl Asked {
    fn find(args: &PredictArgs, services: &Services<'_>) -> Result<Self, Failure> {
        if let Some(model) = &args.model {
            let cloud = services.open()?;
            let family = Family::of(model);
            let location = serving(&cloud.location, family);
            let batch = BatchModel {
                project: cloud.project.clone(),
                location: location.clone(),
                name: format!("publishers/google/models/{model}"),
            };
            let model = Model::Base {
                project: cloud.project.clone(),
                location,
                model: model.clone(),
            };
            return Ok(Self {
                cloud,
                model,
                family,
                batch: Some(batch),
                train: None,
            });
        }
        if let Some(endpoint) = &args.endpoint {
            let name = ResourceName::endpoint(endpoint).map_err(Failure::new)?;
            return Ok(Self {
                cloud: services.open_at(&name)?,
                model: Model::Endpoint(name),
                // An endpoint does not say what is behind it.
                family: Family::Other,
                batch: None,
                train: None,
            });
        }
        let job = args.job.as_deref();
        if job.is_none() && JobRecord::read(services.are_played())?.is_none() {
            return Err(Failure::new("there is no model to ask")
                .note("no job was started from this directory")
                .hint(
                    "name one with `--job`, `--endpoint` or `--model`; `prep jobs list` lists the jobs",
                ));
        }
        let wanted = Wanted::find(job, services)?;
        let job = wanted.get()?;
        let endpoint = endpoint_of(&job, args.checkpoint.as_deref())?;
        let base = job.base_model().map(str::to_owned);
        let train = wanted.record.map(|record| record.train.path);
        let model = job.tuned_model().and_then(|tuned| tuned.model);
        Ok(Self {
            cloud: services.open_at(&endpoint)?,
            model: Model::Endpoint(endpoint),
            family: base.as_deref().map_or(Family::Other, Family::of),
            batch: model.as_ref().map(BatchModel::tuned),
            train: train.filter(|path| path.exists()),
        })
    }
}

/// Where the model of a job is asked.
fn endpoint_of(job: &TuningJob, checkpoint: Option<&str>) -> Result<ResourceName, Failure> {
    let id = &job.name().id;
    let Some(model) = job.tuned_model() else {
        return Err(Failure::new(format!(
            "the job `{id}` has no model yet: it is {}",
            job.state().in_words()
        ))
        .hint(format!("`prep jobs watch {id}` follows it")));
    };
    let endpoint = match checkpoint {
        None => model.endpoint.clone(),
        Some(wanted) => {
            let found = model.checkpoints.iter().find(|known| known.id == wanted);
            let Some(found) = found else {
                let known: Vec<_> = model
                    .checkpoints
                    .iter()
                    .map(|known| known.id.as_str())
                    .collect();
                return Err(
                    Failure::new(format!("the job `{id}` has no checkpoint `{wanted}`"))
                        .note(format!("it has {}", known.join(", "))),
                );
            };
            found.endpoint.clone()
        }
    };
    endpoint.ok_or_else(|| {
        Failure::new(format!("the model of the job `{id}` is not deployed"))
            .hint(format!("`prep jobs show {id}` says what became of it"))
    })
}

/// Where a base model is served: Gemini 3 in none of the regions.
pub(crate) fn serving(location: &str, family: Family) -> String {
    let is_region = location.contains('-');
    match family {
        Family::Gemini3 if is_region && location.starts_with("us-") => "us".into(),
        Family::Gemini3 if is_region && location.starts_with("europe-") => "eu".into(),
        Family::Gemini3 if is_region => "global".into(),
        _ => location.to_owned(),
    }
}

fn options(args: &PredictArgs, asked: &Asked) -> Result<Options, Failure> {
    let mut options = Options::new(asked.model.clone(), asked.family);
    options.generation = Generation {
        max_output_tokens: args.max_output_tokens,
        temperature: args.temperature,
        top_p: args.top_p,
        seed: args.seed,
        thinking: match (args.thinking_budget, args.thinking_level) {
            (Some(budget), _) => Thinking::Budget(budget),
            (None, Some(level)) => Thinking::Level(level),
            (None, None) => Thinking::Default,
        },
        safety: args.safety,
    };
    let mut refused = Vec::new();
    for problem in options.generation.problems(asked.family) {
        if problem.is_refused {
            refused.push(problem.message);
        } else {
            ui::remark("warning", &problem.message);
        }
    }
    if !refused.is_empty() {
        return Err(Failure::new(refused.join("; ")));
    }
    if !(args.rate > 0.0 && args.rate <= 10_000.0) {
        return Err(Failure::new(format!("`{}` is no rate", args.rate)));
    }
    options.stream = args.stream;
    options.pace.concurrency = args.concurrency;
    options.pace.most_rate = args.rate;
    options.pace.timeout = Duration::from_secs(args.timeout);
    Ok(options)
}

/// Where what belongs to a run is kept.
enum Beside {
    /// Beside its output: `.predictions.jsonl.answers`.
    Output(PathBuf),
    /// Until its end.
    Nowhere(TempDir),
}

impl Beside {
    fn path(&self, what: &str) -> PathBuf {
        match self {
            Self::Output(output) => {
                let name = output.file_name().unwrap_or_default().to_string_lossy();
                output.with_file_name(format!(".{name}.{what}"))
            }
            Self::Nowhere(directory) => directory.path().join(what),
        }
    }
}

fn open_journal(path: &Path) -> Result<Journal, Failure> {
    Journal::open(path).map_err(|error| {
        let hint = match error {
            JournalError::Busy { .. } => {
                Some("wait for it to end, or name another output with `-o`")
            }
            JournalError::Damaged { .. } => Some("remove it, and all prompts are asked anew"),
            JournalError::File { .. } => None,
        };
        let failure = plain(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// Refuses to write over a file that is no output of an earlier run.
fn refuse_foreign(
    input: &Path,
    output: &Path,
    journal: &Path,
    shared: &Shared,
) -> Result<(), Failure> {
    if !output.exists() {
        return Ok(());
    }
    let real = |path: &Path| fs::canonicalize(path).ok();
    if real(input).is_some_and(|input| real(output) == Some(input)) {
        return Err(Failure::new(format!(
            "`{}` cannot be both asked and written",
            output.display()
        ))
        .hint("name another output with `-o`"));
    }
    if shared.force || journal.exists() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` is not a file that `prep predict` wrote from here",
        output.display()
    ))
    .hint("name another with `-o`, or write over it with `--force`"))
}

/// Where predictions go: whole or not at all.
enum Out {
    Stdout(io::Stdout),
    File(AtomicFile),
}

impl Out {
    fn begin(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::Stdout(io::stdout()));
        }
        Ok(Self::File(AtomicFile::create(path)?))
    }

    fn put(&mut self, line: &Value) -> io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        match self {
            Self::Stdout(out) => out.write_all(text.as_bytes()),
            Self::File(file) => file.write_all(text.as_bytes()),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File(file) => Ok(file.persist()?),
        }
    }
}

/// Why a run ended early, and how it goes on.
fn ended(error: RunError<io::Error>, journal: Option<&Journal>, n: u64) -> Failure {
    let failure = match error {
        RunError::Call(error) => failed("cannot ask the model", error),
        other => plain(other),
    };
    match journal {
        Some(journal) if !journal.is_empty() => {
            let kept = ui::count(journal.len() as u64);
            failure.note(format!(
                "{kept} of {} are answered and kept; the same command goes on from there",
                ui::of(n, "prompt")
            ))
        }
        _ => failure,
    }
}

/// What came of all prompts.
#[derive(Debug, Default)]
struct Told {
    outcomes: std::collections::BTreeMap<&'static str, u64>,
    prompt_tokens: u64,
    answer_tokens: u64,
    /// The first prompt without an answer, and why.
    first_failure: Option<(u64, String)>,
}

impl Told {
    fn add(&mut self, row: &predict::Row) {
        let outcome = match &row.result {
            Ok(answer) => {
                let usage = answer.usage.as_ref();
                let of = |name: &str| usage.and_then(|usage| usage[name].as_u64()).unwrap_or(0);
                self.prompt_tokens += of("promptTokenCount");
                self.answer_tokens += of("candidatesTokenCount") + of("thoughtsTokenCount");
                answer.outcome.as_str()
            }
            Err(error) => {
                self.first_failure
                    .get_or_insert_with(|| (row.index + 1, error.message.clone()));
                "error"
            }
        };
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    fn tell(&self, output: &Path, kept: u64) {
        let n: u64 = self.outcomes.values().sum();
        let outcomes: Vec<_> = self
            .outcomes
            .iter()
            .map(|(outcome, n)| format!("{} {outcome}", ui::count(*n)))
            .collect();
        let kept = match kept {
            0 => String::new(),
            kept => format!("; {} from earlier runs", ui::count(kept)),
        };
        ui::say(&format!(
            "{}: {} = {}{kept}",
            output.display(),
            ui::of(n, "prompt"),
            outcomes.join(" + ")
        ));
        ui::say(&format!(
            "{} in prompts, {} in answers",
            ui::of(self.prompt_tokens, "token"),
            ui::count(self.answer_tokens)
        ));
        if let Some((line, reason)) = &self.first_failure {
            ui::remark(
                "warning",
                &format!("prompt {line} has no answer: {reason}; the same command asks it again"),
            );
        }
        let odd = |outcome: Outcome| self.outcomes.contains_key(outcome.as_str());
        if odd(Outcome::Truncated) {
            ui::remark(
                "note",
                "some answers were cut off: `--max-output-tokens` allows more",
            );
        }
    }

    fn summary(&self, options: &Options, summary: Summary) -> Value {
        json!({
            "schema": 1,
            "command": "predict",
            "ledger": {
                "read": summary.answered + summary.failed,
                "written": summary.answered + summary.failed,
            },
            "model": options.model.path(),
            "outcomes": self.outcomes,
            "answered": summary.answered,
            "answered_before": summary.kept,
            "failed": summary.failed,
            "tokens": {"prompts": self.prompt_tokens, "answers": self.answer_tokens},
        })
    }
}
