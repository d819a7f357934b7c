//! `prep jobs`: what the service is doing.

mod dropped;
mod metrics;
pub(crate) mod record;
mod show;
pub(crate) mod watch;

use std::io::{IsTerminal, Write};

use prep_submit::tuning::{self, FollowOptions, ResourceName, TuningJob};
use serde_json::json;

use self::record::JobRecord;
use crate::Answer;
use crate::args::{CancelArgs, JobsArgs, JobsCommand, ListArgs, Shared, TextOrJson, WatchArgs};
use crate::cloud::{Cloud, Services, failed};
use crate::failure::Failure;
use crate::rehearsal::Rehearsal;
use crate::ui::{self, Align, Table};

/// Runs the command.
pub(crate) fn run(args: &JobsArgs, shared: &Shared) -> Result<Answer, Failure> {
    let services = Services::new(&args.cloud, shared, args.rehearse)?;
    if args.rehearse {
        ui::remark("note", "rehearsal: the jobs were played on this machine");
    }
    match &args.command {
        JobsCommand::List(args) => list(args, &services),
        JobsCommand::Show(args) => show::run(args, &services),
        JobsCommand::Watch(args) => watch(args, &services, shared),
        JobsCommand::Cancel(args) => cancel(args, &services),
        JobsCommand::Metrics(args) => metrics::run(args, &services),
        JobsCommand::Dropped(args) => dropped::run(args, &services),
    }
}

/// The job that is meant, and what is known of its launch.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) cloud: Cloud,
    pub(crate) name: ResourceName,
    /// The record of this directory, if it is of this job.
    pub(crate) record: Option<JobRecord>,
}

impl Wanted {
    /// Finds out which job is meant: an id, a name, or the one that was launched
    /// last. Nothing is sent.
    pub(crate) fn find(job: Option<&str>, services: &Services<'_>) -> Result<Self, Failure> {
        let record = JobRecord::read(services.are_played())?;
        let recorded = record.as_ref().map(JobRecord::name).transpose()?;
        let (name, cloud) = match (job, recorded) {
            (None, Some(name)) => (name.clone(), services.open_at(&name)?),
            (None, None) => {
                let (what, hint) = match services.are_played() {
                    true => ("rehearsed", "`prep submit --rehearse` plays one"),
                    false => ("launched", "name one; `prep jobs list` lists them"),
                };
                let cannot = format!("no job was {what} from this directory");
                return Err(Failure::new(cannot).hint(hint));
            }
            (Some(text), _) if text.starts_with("projects/") => {
                let name = ResourceName::job(text).map_err(Failure::new)?;
                (name.clone(), services.open_at(&name)?)
            }
            (Some(id), Some(name)) if name.id == id => (name.clone(), services.open_at(&name)?),
            (Some(id), _) => {
                let cloud = services.open()?;
                let name = ResourceName::of_job(&cloud.project, &cloud.location, id);
                let name = ResourceName::job(&name.to_string());
                (
                    name.map_err(|_| Failure::new(format!("`{id}` is no id of a job")))?,
                    cloud,
                )
            }
        };
        // The project is a number in one and perhaps an id in the other.
        let is_it = |record: &JobRecord| {
            record
                .name()
                .is_ok_and(|of| of.id == name.id && of.location == name.location)
        };
        let record = record.filter(is_it);
        Ok(Self {
            cloud,
            name,
            record,
        })
    }

    /// Asks the service for the job.
    pub(crate) fn get(&self) -> Result<TuningJob, Failure> {
        let job = self.cloud.wait(tuning::get(&self.cloud.client, &self.name));
        job.map_err(|error| {
            let is_missing = error.http() == Some(404);
            let failure = failed(
                format!("cannot get the tuning job `{}`", self.name.id),
                error,
            );
            match is_missing {
                true => failure.hint(format!(
                    "`prep jobs list` lists the jobs of `{}` in `{}`",
                    self.name.project, self.name.location
                )),
                false => failure,
            }
        })
    }
}

fn list(args: &ListArgs, services: &Services<'_>) -> Result<Answer, Failure> {
    let cloud = services.open()?;
    let call = tuning::list(&cloud.client, &cloud.project, &cloud.location, args.limit);
    let mut jobs = cloud.wait(call).map_err(|error| {
        let place = format!("of `{}` in `{}`", cloud.project, cloud.location);
        failed(format!("cannot list the tuning jobs {place}"), error)
    })?;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.created()));
    let mut out = anstream::stdout();
    if args.format == TextOrJson::Json {
        let jobs: Vec<_> = jobs.iter().map(TuningJob::raw).collect();
        writeln!(out, "{:#}", json!({"schema": 1, "jobs": jobs}))?;
        return Ok(Answer::Yes);
    }
    if jobs.is_empty() {
        ui::say(&format!(
            "there are no tuning jobs of `{}` in `{}`",
            cloud.project, cloud.location
        ));
        return Ok(Answer::Yes);
    }
    let heads = ["JOB", "STATE", "CREATED", "BASE MODEL", "TUNED MODEL"];
    let mut table = Table::new(heads.map(|head| (head, Align::Left)));
    for job in &jobs {
        table.row(vec![
            job.name().id.clone(),
            job.state().in_words(),
            job.created().map_or_else(|| "-".into(), ui::utc),
            job.base_model().unwrap_or("-").to_owned(),
            job.display_name().unwrap_or("-").to_owned(),
        ]);
    }
    table.write(&mut out)?;
    Ok(Answer::Yes)
}

fn watch(args: &WatchArgs, services: &Services<'_>, shared: &Shared) -> Result<Answer, Failure> {
    let wanted = Wanted::find(args.job.id(), services)?;
    let options = FollowOptions {
        poll: match services.are_played() {
            true => args.interval.min(Rehearsal::POLL),
            false => args.interval,
        },
        ..FollowOptions::default()
    };
    watch::follow(&wanted.cloud, &wanted.name, &options, args.format, shared)
}

fn cancel(args: &CancelArgs, services: &Services<'_>) -> Result<Answer, Failure> {
    let wanted = Wanted::find(args.job.id(), services)?;
    let job = wanted.get()?;
    let (id, state) = (&wanted.name.id, job.state());
    if state.is_final() {
        ui::say(&format!(
            "the job `{id}` is over already: {}",
            state.in_words()
        ));
        return Ok(Answer::No);
    }
    if !args.yes && !confirmed(&job)? {
        ui::say("the job goes on");
        return Ok(Answer::No);
    }
    let call = tuning::cancel(&wanted.cloud.client, &wanted.name);
    let cancelled = wanted.cloud.wait(call);
    cancelled.map_err(|error| failed(format!("cannot cancel the tuning job `{id}`"), error))?;
    match args.format {
        TextOrJson::Json => {
            let line = json!({"schema": 1, "job": wanted.name, "asked": "cancel"});
            writeln!(anstream::stdout(), "{line}")?;
        }
        TextOrJson::Text => ui::say(&format!(
            "asked to cancel `{id}`; it takes the service a while: `prep jobs watch {id}`"
        )),
    }
    Ok(Answer::Yes)
}

/// Asks whether a job is really to be cancelled.
fn confirmed(job: &TuningJob) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(
            Failure::new("nobody can be asked whether to cancel the job")
                .hint("say so with `--yes`"),
        );
    }
    let name = job.display_name().unwrap_or("without a name");
    let state = job.state().in_words();
    ui::say(&format!("{} ({name}) is {state}", job.name()));
    ui::ask("Cancel it? What was trained is lost, and may be charged. [y/N]")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
