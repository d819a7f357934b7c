//! `prep jobs show`: all that is known of a job.

use std::io::{self, Write};
use std::time::SystemTime;

use prep_submit::tuning::{Checkpoint, DataStats, Ending, Metrics, TuningJob, best_checkpoint};
use serde_json::json;

use super::Wanted;
use crate::Answer;
use crate::args::{ShowArgs, TextOrJson};
use crate::cloud::Services;
use crate::failure::Failure;
use crate::ui::{self, Align, Table, visible};

/// Runs the command.
pub(super) fn run(args: &ShowArgs, services: &Services<'_>) -> Result<Answer, Failure> {
    let job = Wanted::find(args.job.id(), services)?.get()?;
    let mut out = anstream::stdout();
    match args.format {
        TextOrJson::Json => writeln!(out, "{:#}", json!({"schema": 1, "job": job.raw()}))?,
        TextOrJson::Text => {
            print(&job, &mut out)?;
            print_made(&job, &Metrics::default(), &mut out)?;
            if !services.are_played() {
                print_links(&job, &mut out)?;
            }
        }
    }
    Ok(Answer::Yes)
}

/// One line of what is known.
pub(super) fn line(out: &mut dyn Write, name: &str, text: impl AsRef<str>) -> io::Result<()> {
    writeln!(out, "  {name:<12}{}", visible(text.as_ref()))
}

fn print(job: &TuningJob, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        visible(job.display_name().unwrap_or("a tuning job"))
    )?;
    line(out, "job", job.name().to_string())?;
    let detail = job.detail_state().filter(|_| !job.state().is_final());
    let detail = detail.map_or_else(String::new, |detail| format!(", {}", detail.in_words()));
    line(out, "state", job.state().in_words() + &detail)?;
    let texts = [
        ("about", job.description()),
        ("base model", job.base_model()),
        ("goes on from", job.pre_tuned_model()),
        ("training", job.training_uri()),
        ("validation", job.validation_uri()),
    ];
    for (name, text) in texts {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            line(out, name, text)?;
        }
    }
    print_settings(job, out)?;
    let times = [
        ("created", job.created()),
        ("started", job.started()),
        ("ended", job.ended()),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            line(out, name, ui::utc(time))?;
        }
    }
    if let (Some(since), Some(until)) = (job.started(), job.ended()) {
        line(
            out,
            "took",
            ui::duration(until.duration_since(since).unwrap_or_default()),
        )?;
    }
    if let Some(stats) = job.stats() {
        print_stats(&stats, job, out)?;
    }
    if let Some(error) = job.error() {
        line(
            out,
            "error",
            format!("{} (code {})", error.message, error.code),
        )?;
    }
    Ok(())
}

fn print_settings(job: &TuningJob, out: &mut dyn Write) -> io::Result<()> {
    let settings = job.hyper_parameters();
    let size = settings.adapter_size.map(|size| {
        size.strip_prefix("ADAPTER_SIZE_")
            .map_or(size.clone(), str::to_lowercase)
    });
    let done = match job.completed_epochs() {
        Some(done) if !job.state().is_final() => format!(", {done} done"),
        _ => String::new(),
    };
    let all = [
        settings.epoch_count.map(|n| ui::of(n, "epoch") + &done),
        settings
            .learning_rate_multiplier
            .map(|x| format!("learning rate × {x}")),
        size.map(|size| format!("adapter size {size}")),
        settings.beta.map(|beta| format!("beta {beta}")),
    ];
    let all: Vec<_> = all.into_iter().flatten().collect();
    match all.is_empty() {
        true => Ok(()),
        false => line(out, "settings", all.join(", ")),
    }
}

fn print_stats(stats: &DataStats, job: &TuningJob, out: &mut dyn Write) -> io::Result<()> {
    line(out, "examples", counted(stats))?;
    let epochs = job.hyper_parameters().epoch_count;
    if let Some((tokens, _)) = stats.billable_tokens_of_a_pass(epochs) {
        let times = epochs.map_or_else(String::new, |n| format!(", {}", ui::of(n, "time")));
        line(out, "billed", ui::of(tokens, "token") + &times)?;
    }
    Ok(())
}

/// What the service counted, in words.
pub(super) fn counted(stats: &DataStats) -> String {
    let examples = stats.examples.map(|n| ui::of(n, "example"));
    let mut text = examples.unwrap_or_else(|| "the examples are counted".into());
    if let Some(steps) = stats.steps {
        text += &format!(", {}", ui::of(steps, "step"));
    }
    let dropped = stats.dropped.count();
    if dropped > 0 {
        text += &format!(", {} left out", ui::count(dropped));
    }
    text
}

/// Prints what a job made, and what is to be done when that is not all.
pub(super) fn print_made(
    job: &TuningJob,
    metrics: &Metrics,
    out: &mut dyn Write,
) -> io::Result<()> {
    let made = job.tuned_model().unwrap_or_default();
    if let Some(model) = &made.model {
        line(out, "model", model.to_string())?;
    }
    if let Some(endpoint) = &made.endpoint {
        line(out, "endpoint", endpoint.to_string())?;
    }
    if !made.checkpoints.is_empty() {
        print_checkpoints(&made.checkpoints, out)?;
    }
    if let Some((best, loss)) = best_checkpoint(job, metrics) {
        let place = best
            .endpoint
            .map_or_else(String::new, |name| format!(", served at {name}"));
        line(
            out,
            "best",
            format!("checkpoint {}, eval loss {loss:.4}{place}", best.id),
        )?;
    }
    Ok(())
}

fn print_checkpoints(checkpoints: &[Checkpoint], out: &mut dyn Write) -> io::Result<()> {
    let number = |n: Option<u64>| n.map_or_else(|| "-".into(), ui::count);
    let mut table = Table::new([
        ("  CHECKPOINT", Align::Left),
        ("EPOCH", Align::Right),
        ("STEP", Align::Right),
        ("ENDPOINT", Align::Left),
    ]);
    for checkpoint in checkpoints {
        let endpoint = checkpoint.endpoint.as_ref();
        table.row(vec![
            format!("  {}", checkpoint.id),
            number(checkpoint.epoch),
            number(checkpoint.step),
            endpoint.map_or_else(|| "-".into(), ToString::to_string),
        ]);
    }
    table.write(out)
}

/// Prints where the job can be seen.
pub(super) fn print_links(job: &TuningJob, out: &mut dyn Write) -> io::Result<()> {
    line(out, "console", job.console_link())?;
    line(out, "logs", job.logs_link())
}

/// How a job that is over ended, and what to do next.
pub(super) fn verdict(job: &TuningJob, is_rehearsal: bool) -> (String, Option<String>) {
    let took = match (job.created(), job.ended()) {
        (Some(since), Some(until)) => {
            let took = until.duration_since(since).unwrap_or_default();
            format!(" after {}", ui::duration(took))
        }
        _ => String::new(),
    };
    let id = &job.name().id;
    match Ending::of(job) {
        Some(Ending::Succeeded | Ending::PartiallySucceeded) => (
            format!("{}{took}", job.state().in_words()),
            Some(match is_rehearsal {
                true => "`prep predict split/validation.jsonl --rehearse` asks the model".into(),
                false => format!("`prep predict split/validation.jsonl --job {id}` asks the model"),
            }),
        ),
        Some(Ending::NotServed) => {
            let made = job.tuned_model().and_then(|made| made.model);
            let (location, model) = made.map_or_else(Default::default, |name| (name.location, name.id));
            (
                format!("failed{took}, but the model was trained, and paid for: only nothing serves it"),
                Some(format!(
                    "do not tune again; deploy it from the Model Registry of the console, or with \
                     `gcloud ai endpoints create --region={location} --display-name=NAME` and \
                     `gcloud ai endpoints deploy-model ENDPOINT --region={location} --model={model} --display-name=NAME`"
                )),
            )
        }
        Some(Ending::Failed) => (
            format!("failed{took}: there is no model"),
            (!is_rehearsal).then(|| "what the service logged stands behind the link `logs`; a job of the same kind may be launched again".into()),
        ),
        Some(Ending::Cancelled) => (format!("cancelled{took}"), None),
        Some(Ending::Expired) => (format!("expired{took}: there is no model"), None),
        None => (job.state().in_words(), None),
    }
}

/// How long a job has been there.
pub(super) fn age(job: &TuningJob) -> Option<String> {
    let since = job.created()?;
    let until = job.ended().unwrap_or_else(SystemTime::now);
    Some(ui::duration(until.duration_since(since).ok()?))
}
