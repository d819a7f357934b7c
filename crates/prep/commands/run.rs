//! `prep run`: a whole project, as `prep.yaml` describes it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::json;

use crate::Answer;
use crate::args::{Cli, RunArgs, Shared};
use crate::failure::Failure;
use crate::project::{Account, Checksums, Plan, Record, Signature, Step, StepName, Tuning, card};
use crate::settings::{GateSettings, Settings};
use crate::target::write_summary;
use crate::ui::{self, Align, Table};

/// Runs the command.
pub(crate) fn run(args: &RunArgs, shared: &Shared) -> Result<Answer, Failure> {
    let shared = &shared.with_config(args.project.as_ref());
    let settings = Settings::read(shared)?;
    let tuning = tuning(args, &settings)?;
    let plan = Plan::new(&settings, tuning)?;
    let steps: Vec<_> = match args.until {
        Some(last) => {
            let steps = plan.steps.iter();
            let steps: Vec<_> = steps.take_while(|step| step.name <= last).collect();
            if !steps.iter().any(|step| step.name == last) {
                let last = last.as_str();
                return Err(Failure::new(format!(
                    "the settings ask for no step `{last}`"
                )));
            }
            steps
        }
        None => plan.steps.iter().collect(),
    };
    for path in plan.outside() {
        if !path.exists() {
            return Err(Failure::new(format!("`{}` is not there", path.display())));
        }
    }
    // A step that could not even be understood is told before anything is done.
    for step in &steps {
        parsed(step, &[], shared)?;
    }
    let mut checksums = Checksums::default();
    if args.dry_run {
        let record = Record::read(&plan.directory)?;
        return show(&steps, &record, &mut checksums);
    }
    let _lock = lock(&plan.directory)?;
    let mut record = Record::read(&plan.directory)?;
    let mut done: Vec<&Step> = Vec::new();
    // Worked out once: nothing after the split changes it.
    let mut of_dataset = None;
    for step in steps {
        let why = record.why(step, &mut checksums)?;
        match why {
            None => say(shared, &format!("{}: as it was", step.title())),
            Some(why) => {
                say(
                    shared,
                    &format!("{}: {}  ({why})", step.title(), step.command()),
                );
                checksums.forget(&step.outputs());
                let mut more = Vec::new();
                if step.name == StepName::Submit {
                    // The job says which dataset it was tuned with.
                    let signature = Signature::of(&plan, &settings, &mut checksums, shared)?;
                    more.push(format!("--label={DATASET_LABEL}={}", signature.label()));
                    of_dataset = Some(signature);
                }
                let asks = match step.name {
                    StepName::Submit => true,
                    StepName::Eval => !settings.evaluate.remote.is_empty(),
                    _ => false,
                };
                more.extend((asks && args.yes).then(|| "--yes".to_owned()));
                let cli = parsed(step, &more, shared)?;
                let answer = crate::run(&cli)?;
                checksums.forget(&step.outputs());
                if answer == Answer::No {
                    ui::remark("stopped", &format!("`{}` says no", step.title()));
                    return Ok(Answer::No);
                }
                record.note(step, &mut checksums)?;
                record.write(&plan.directory)?;
            }
        }
        done.push(step);
        if !is_let_through(&settings.gates, &plan, &done)? {
            return Ok(Answer::No);
        }
    }
    let account = Account::of(&plan, &done)?;
    for line in account.lines() {
        say(shared, &line);
    }
    let mut signature = None;
    if done.iter().any(|step| step.name == StepName::Split) && done.len() == plan.steps.len() {
        let of_dataset = match of_dataset {
            Some(known) => known,
            None => Signature::of(&plan, &settings, &mut checksums, shared)?,
        };
        card::write(&plan, &account, &of_dataset)?;
        say(shared, &format!("card: {}", card::PATH));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{of_dataset}")?;
        signature = Some(of_dataset.to_string());
        record.signature.clone_from(&signature);
        record.write(&plan.directory)?;
    }
    if let Some(path) = &shared.summary {
        let summary = json!({
            "schema": 1,
            "command": "run",
            "ledger": {
                "read": account.read,
                "written": account.in_examples,
                "dropped": {},
                "rejected": account.rejected,
            },
            "account": account,
            "signature": signature,
        });
        write_summary(path, &summary)?;
    }
    Ok(Answer::Yes)
}

/// Whether a model is tuned, too: if the settings say where, or if it is played.
fn tuning(args: &RunArgs, settings: &Settings) -> Result<Tuning, Failure> {
    if args.rehearse {
        return match cfg!(feature = "cloud") {
            true => Ok(Tuning::Rehearsed),
            false => Err(Failure::new("this build of prep cannot rehearse")
                .hint("build it with the feature `cloud`")),
        };
    }
    let is_asked = settings.tuning.bucket.is_some() && cfg!(feature = "cloud");
    Ok(if is_asked { Tuning::Real } else { Tuning::None })
}

/// The label of the dataset, which is no part of what makes two jobs the same.
const DATASET_LABEL: &str = "prep-dataset";

fn say(shared: &Shared, line: &str) {
    if !shared.quiet {
        ui::say(line);
    }
}

/// A step as the command that it is, with more flags.
fn parsed(step: &Step, more: &[String], shared: &Shared) -> Result<Cli, Failure> {
    let words = std::iter::once("prep").chain(step.words.iter().map(String::as_str));
    let words = words.chain(more.iter().map(String::as_str));
    let mut cli = Cli::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let text = text.lines().next().unwrap_or_default();
        let text = text.strip_prefix("error: ").unwrap_or(text);
        Failure::because(
            format!("the settings of `{}` cannot be carried out", step.title()),
            text,
        )
        .note(format!("the command is {}", step.command()))
    })?;
    cli.shared = Shared {
        summary: None,
        ..shared.clone()
    };
    Ok(cli)
}

/// Keeps other runs out of the directory until it is dropped.
fn lock(directory: &Path) -> Result<File, Failure> {
    let cannot = |error: std::io::Error| {
        let cannot = format!("cannot write into `{}`", directory.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    };
    fs::create_dir_all(directory).map_err(cannot)?;
    let path: PathBuf = directory.join("run.lock");
    let file = File::create(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::new(format!(
            "another `prep run` is at work in `{}`",
            directory.display()
        ))
        .hint("wait for its end")),
        Err(fs::TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Shows the plan.
fn show(steps: &[&Step], record: &Record, checksums: &mut Checksums) -> Result<Answer, Failure> {
    let mut table = Table::new([
        ("STEP", Align::Left),
        ("DONE", Align::Left),
        ("COMMAND", Align::Left),
    ]);
    // What earlier steps will write: it may be what it was.
    let mut anew: Vec<(&PathBuf, String)> = Vec::new();
    for step in steps {
        let after = anew.iter().find(|(path, _)| step.reads.contains(path));
        let state = match (record.why(step, checksums)?, after) {
            (None, None) => "as it was".to_owned(),
            (None, Some((_, title))) => format!("again, if `{title}` gives something else"),
            (Some(why), _) => why,
        };
        if state != "as it was" {
            anew.extend(step.writes.iter().map(|path| (path, step.title())));
        }
        table.row(vec![step.title(), state, step.command()]);
    }
    let mut out = std::io::stdout().lock();
    table.write(&mut out)?;
    Ok(Answer::Yes)
}

/// Whether the gates let the run go on after the last step.
fn is_let_through(gates: &GateSettings, plan: &Plan, done: &[&Step]) -> Result<bool, Failure> {
    use crate::project::StepName::{Convert, Mix, Split};
    let Some(last) = done.last().map(|step| step.name) else {
        return Ok(true);
    };
    let next = plan.steps.get(done.len()).map(|step| step.name);
    // Gates look at what all steps of one name came to.
    if next == Some(last) {
        return Ok(true);
    }
    let stop = |reason: String| {
        ui::remark("stopped", &reason);
        Ok(false)
    };
    if last == Convert
        && let Some(most) = gates.max_rejected
    {
        let share = Account::of(plan, done)?.rejected_share();
        if share > most {
            return stop(format!(
                "{:.1} % of the records are rejected, `max_rejected` is {:.1} %",
                100.0 * share,
                100.0 * most
            ));
        }
    }
    if (last == Mix || last == Split && next != Some(Mix))
        && let Some(least) = gates.min_examples
    {
        let n = Account::of(plan, done)?
            .sides
            .get("train")
            .copied()
            .unwrap_or_default();
        if n < least {
            return stop(format!(
                "there are {}, `min_examples` is {}",
                ui::of(n, "training example"),
                ui::count(least)
            ));
        }
    }
    Ok(true)
}
