//! Following a job: a line for each thing that happens on standard output, and
//! on a terminal a status with the curves below them.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prep_submit::tuning::{
    self, Ending, Event, FollowOptions, Followed, Metrics, ResourceName, TuningJob, Warning,
};
use serde_json::{Value, json};

use super::metrics::{curve, value};
use super::show;
use crate::Answer;
use crate::args::{ProgressWhen, Shared, TextOrJson};
use crate::cloud::{Cloud, failed};
use crate::failure::Failure;
use crate::interrupt;
use crate::ui::{self, visible};

/// Follows a job to its end and tells how it ended: yes if there is a model
/// that can be asked. Ctrl-C leaves the job alone.
pub(crate) fn follow(
    cloud: &Cloud,
    name: &ResourceName,
    options: &FollowOptions,
    format: TextOrJson,
    shared: &Shared,
) -> Result<Answer, Failure> {
    let mut teller = Teller {
        format,
        is_quiet: shared.quiet,
        is_rehearsal: cloud.is_rehearsal,
        status: status(shared, format),
        problem: None,
    };
    let mut tell = |event: Event<'_>| teller.tell(&event);
    let followed = cloud.wait(tuning::follow(&cloud.client, name, options, &mut tell));
    teller.status.finish_and_clear();
    if let Some(problem) = teller.problem.take() {
        return Err(problem.into());
    }
    let go_on = || match cloud.is_rehearsal {
        true => "`prep jobs watch --rehearse` follows the job again".to_owned(),
        false => format!(
            "the job goes on; `prep jobs watch {}` follows it again",
            name.id
        ),
    };
    match followed {
        Ok(Followed::Over(job, metrics)) => {
            teller.end(&job, &metrics)?;
            let is_success = Ending::of(&job).is_some_and(Ending::is_success);
            Ok(if is_success { Answer::Yes } else { Answer::No })
        }
        Ok(Followed::Stopped(_)) => {
            ui::say(&format!("stopped watching; {}", go_on()));
            interrupt::pass_on();
            Ok(Answer::Yes)
        }
        Err(error) => {
            let cannot = format!("cannot follow the tuning job `{}`", name.id);
            Err(failed(cannot, error).note(go_on()))
        }
    }
}

/// What a curve is called in a line; `None`: it is left to `prep jobs metrics`.
fn in_short(name: &str) -> Option<&str> {
    Some(match name {
        "train_total_loss" => "loss",
        "eval_total_loss" => "eval loss",
        "train_fraction_of_correct_next_step_preds" => "accuracy",
        "eval_fraction_of_correct_next_step_preds" => "eval accuracy",
        "train_num_predictions" | "eval_num_predictions" => return None,
        other => other,
    })
}

/// The status below the lines, hidden where there is no terminal to draw on.
fn status(shared: &Shared, format: TextOrJson) -> ProgressBar {
    let is_wanted = shared.progress == ProgressWhen::Auto
        && !shared.quiet
        && format == TextOrJson::Text
        && io::stderr().is_terminal();
    if !is_wanted {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

struct Teller {
    format: TextOrJson,
    is_quiet: bool,
    is_rehearsal: bool,
    status: ProgressBar,
    /// Why nobody listens any more.
    problem: Option<io::Error>,
}

impl Teller {
    fn tell(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        if let Event::Looked(job, metrics) = event {
            self.status.set_message(panel(job, metrics));
            return ControlFlow::Continue(());
        }
        let line = match self.format {
            TextOrJson::Text if self.is_quiet => None,
            TextOrJson::Text => words(event),
            TextOrJson::Json => shape(event).map(|shape| shape.to_string()),
        };
        let Some(line) = line else {
            return ControlFlow::Continue(());
        };
        let time = match self.format {
            TextOrJson::Text => format!("{}  ", ui::utc(SystemTime::now())),
            TextOrJson::Json => String::new(),
        };
        // The status makes room for the line.
        let written = self
            .status
            .suspend(|| writeln!(anstream::stdout(), "{time}{}", visible(&line)));
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.problem = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn end(&self, job: &TuningJob, metrics: &Metrics) -> io::Result<()> {
        let mut out = anstream::stdout();
        if self.format == TextOrJson::Json {
            let end = json!({"schema": 1, "event": "over", "job": job.raw()});
            return writeln!(out, "{end}");
        }
        let (verdict, next) = show::verdict(job, self.is_rehearsal);
        writeln!(out, "{}", visible(&verdict))?;
        if let Some(error) = job.error() {
            show::line(
                &mut out,
                "error",
                format!("{} (code {})", error.message, error.code),
            )?;
        }
        show::print_made(job, metrics, &mut out)?;
        if !self.is_rehearsal {
            show::print_links(job, &mut out)?;
        }
        if let Some(next) = next {
            ui::remark("hint", &next);
        }
        let dropped = job.stats().map_or(0, |stats| stats.dropped.count());
        if dropped > 0 {
            let which = match self.is_rehearsal {
                true => "--rehearse",
                false => &job.name().id,
            };
            ui::remark(
                "hint",
                &format!("`prep jobs dropped {which}` tells which examples were left out"),
            );
        }
        Ok(())
    }
}

/// What happened, in words.
fn words(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::State(job) => state(job),
        Event::Stats(_, stats) => show::counted(stats),
        Event::Epochs(n) => format!("{} done", ui::of(*n, "epoch")),
        Event::Points(metrics) => {
            let last = metrics.series.iter().filter_map(|series| {
                let point = series.last()?;
                Some(format!(
                    "{} {}",
                    in_short(&series.name)?,
                    value(point.value)
                ))
            });
            let step = metrics.series.iter().filter_map(|series| series.last());
            let step = step.map(|point| point.step).max().unwrap_or_default();
            format!("step {step}: {}", last.collect::<Vec<_>>().join(", "))
        }
        Event::Warning(Warning::Wedged { running }) => format!(
            "warning: it has been running for {} and has not even counted the examples; \
             it may be stuck: consider `prep jobs cancel`",
            ui::duration(*running)
        ),
        Event::Warning(Warning::RisingLoss { best, last }) => format!(
            "warning: the eval loss rises: {} at step {}, {} at step {}; \
             the checkpoint near the lowest may be the best, and fewer epochs enough",
            value(best.value),
            best.step,
            value(last.value),
            last.step
        ),
        Event::Trouble(error) => format!("a look failed, the next may not: {error}"),
        Event::Looked(..) => return None,
    })
}

/// What happened, as JSON.
fn shape(event: &Event<'_>) -> Option<Value> {
    let (name, facts) = match event {
        Event::State(job) => (
            "state",
            json!({"state": job.raw()["state"], "detail": job.raw()["tuningJobState"]}),
        ),
        Event::Stats(job, _) => ("stats", json!({"stats": job.raw()["tuningDataStats"]})),
        Event::Epochs(n) => ("epochs", json!({"completed": n})),
        Event::Points(metrics) => {
            let last = metrics.series.iter().filter_map(|series| {
                let point = series.last()?;
                Some(json!({"name": series.name, "step": point.step, "value": point.value}))
            });
            ("points", json!({"last": last.collect::<Vec<_>>()}))
        }
        Event::Warning(Warning::Wedged { running }) => (
            "warning",
            json!({"kind": "wedged", "running_seconds": running.as_secs()}),
        ),
        Event::Warning(Warning::RisingLoss { best, last }) => (
            "warning",
            json!({
                "kind": "rising-eval-loss",
                "best": {"step": best.step, "value": best.value},
                "last": {"step": last.step, "value": last.value},
            }),
        ),
        Event::Trouble(error) => ("trouble", json!({"message": error.to_string()})),
        Event::Looked(..) => return None,
    };
    let mut shape = json!({"schema": 1, "event": name});
    for (key, fact) in facts.as_object().into_iter().flatten() {
        shape[key] = fact.clone();
    }
    Some(shape)
}

fn state(job: &TuningJob) -> String {
    let detail = job.detail_state().filter(|_| !job.state().is_final());
    let detail = detail.map_or_else(String::new, |detail| format!(", {}", detail.in_words()));
    job.state().in_words() + &detail
}

/// The status: state, age, passes, and the curves.
fn panel(job: &TuningJob, metrics: &Metrics) -> String {
    let mut head = vec![state(job)];
    head.extend(show::age(job));
    let epochs = job
        .completed_epochs()
        .zip(job.hyper_parameters().epoch_count);
    head.extend(epochs.map(|(done, all)| format!("epoch {done} of {all}")));
    let mut lines = vec![head.join(" · ")];
    let width = metrics.series.iter().map(|series| series.name.len()).max();
    let width = width.unwrap_or_default();
    for series in &metrics.series {
        if let Some(last) = series.last() {
            let (name, last) = (&series.name, value(last.value));
            lines.push(format!("  {name:<width$}  {} {last}", curve(series)));
        }
    }
    visible(&lines.join("\n")).into_owned()
}
