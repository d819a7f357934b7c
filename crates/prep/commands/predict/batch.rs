//! `prep predict --batch`: all that has no answer yet in one job, at half the
//! price, when the service has the time.
//!
//! The requests of the batch under way are kept beside the output until its
//! results are in the journal. So a run that was killed at any moment finds the
//! same batch again, and one that ended asks only what has no answer.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prep_data::io::AtomicFile;
use prep_submit::asking::{Journal, RequestId, RowError};
use prep_submit::predict::Options;
use prep_submit::predict::batch::{
    self, BatchError, BatchJob, BatchLaunch, BatchOrder, Waiting, launch,
};
use prep_submit::storage::{self, GsUri, How, Upload, checksums};
use prep_submit::tuning::{Existing, JobState, LaunchOptions, ResourceName};
use serde_json::Value;

use super::Asked;
use super::prompts::Prompts;
use crate::args::{PredictArgs, Shared};
use crate::cloud::{Cloud, failed};
use crate::commands::submit::upload_failed;
use crate::failure::{Failure, plain};
use crate::rehearsal::Rehearsal;
use crate::settings::Settings;
use crate::ui;

/// Whom a batch asks: never an endpoint.
#[derive(Debug, Clone)]
pub(super) struct BatchModel {
    pub(super) project: String,
    pub(super) location: String,
    /// As the service names it.
    pub(super) name: String,
}

impl BatchModel {
    /// A tuned model, by its own name.
    pub(super) fn tuned(model: &ResourceName) -> Self {
        Self {
            project: model.project.clone(),
            location: model.location.clone(),
            name: model.to_string(),
        }
    }
}

/// A batch that is to be asked for.
pub(super) struct Batch<'a> {
    cloud: &'a Cloud,
    model: BatchModel,
    bucket: GsUri,
    options: &'a Options,
    prompts: &'a Prompts,
    journal: &'a Journal,
    /// Where the requests of the batch under way are kept.
    requests: PathBuf,
    is_again: bool,
    is_quiet: bool,
}

/// Why rows have no answer.
pub(super) type Failed = HashMap<u64, RowError>;

impl<'a> Batch<'a> {
    /// Settles whom to ask, and where the requests go.
    pub(super) fn new(
        args: &PredictArgs,
        shared: &Shared,
        asked: &'a Asked,
        (options, prompts, journal): (&'a Options, &'a Prompts, &'a Journal),
        requests: PathBuf,
    ) -> Result<Self, Failure> {
        let Some(model) = asked.batch.clone() else {
            return Err(Failure::new("a batch asks a model, and not its endpoint")
                .hint("name the model by its tuning job, with `--job`"));
        };
        let is_tuned = args.model.is_none();
        if let Some(reason) = batch::why_not(asked.family, is_tuned, &model.location) {
            return Err(Failure::new(reason).hint("leave out `--batch`: the run is resumable, too"));
        }
        let bucket = match args.rehearse {
            true => Some(format!("gs://{}", Rehearsal::BUCKET)),
            false => match args.bucket.clone() {
                Some(bucket) => Some(bucket),
                None => Settings::read(shared)?.tuning.bucket,
            },
        };
        let Some(bucket) = bucket else {
            return Err(
                Failure::new("there is no bucket for the requests of the batch")
                    .hint("name one with `--bucket gs://…`, or `tuning.bucket` in prep.yaml"),
            );
        };
        Ok(Self {
            cloud: &asked.cloud,
            model,
            bucket: bucket.parse().map_err(plain)?,
            options,
            prompts,
            journal,
            requests,
            is_again: args.again,
            is_quiet: shared.quiet,
        })
    }

    /// Asks all that has no answer. What was answered is in the journal then.
    pub(super) fn ask(&self) -> Result<Failed, Failure> {
        let mut failed = Failed::new();
        if self.is_again && self.requests.exists() {
            fs::remove_file(&self.requests)?;
        }
        loop {
            let mut waiting = self.look(&failed)?;
            if waiting.is_empty() {
                return Ok(failed);
            }
            let is_old = self.is_of_these(&waiting);
            if !is_old {
                self.write(&failed)?;
            }
            let existing = match self.is_again {
                true => Existing::LaunchAnew,
                false => Existing::Keep,
            };
            let (job, was_there) = self.launched(existing)?;
            let before = failed.clone();
            let n = self.take(&job, &mut waiting, &mut failed)?;
            // It was asked before, and had no answer to what has none: that is
            // asked once more.
            if n == 0 && was_there && !is_old {
                failed = before;
                waiting = self.look(&failed)?;
                let (job, _) = self.launched(Existing::LaunchAnew)?;
                self.take(&job, &mut waiting, &mut failed)?;
            }
            self.fail_rest(&mut waiting, &mut failed)?;
            self.journal.sync().map_err(plain)?;
            fs::remove_file(&self.requests)?;
        }
    }

    /// Each prompt with its request.
    fn bodies(&self) -> Result<impl Iterator<Item = Result<(u64, Value), Failure>>, Failure> {
        let bodies = (0..).zip(self.prompts.iter()?);
        Ok(bodies.map(|(index, prompt)| match prompt {
            Ok(prompt) => Ok((index, self.options.body(&prompt))),
            Err(reason) => Err(Failure::because("the prompts were changed", reason)),
        }))
    }

    fn is_answered(&self, index: u64, body: &Value) -> Result<bool, Failure> {
        let id = RequestId::of(&self.options.model.path(), body);
        self.journal.has(index, &id).map_err(plain)
    }

    /// The requests that have no answer.
    fn look(&self, failed: &Failed) -> Result<Waiting, Failure> {
        let mut waiting = Waiting::default();
        let path = self.options.model.path();
        for body in self.bodies()? {
            let (index, body) = body?;
            if failed.contains_key(&index) || self.is_answered(index, &body)? {
                waiting.know(&body);
            } else {
                waiting.add(index, RequestId::of(&path, &body), &body);
            }
        }
        Ok(waiting)
    }

    /// Whether the requests that were left by an earlier run are of these
    /// prompts and settings.
    fn is_of_these(&self, waiting: &Waiting) -> bool {
        let left = requests_of(&self.requests);
        left.is_ok_and(|left| !left.is_empty() && left.iter().all(|body| waiting.knows(body)))
    }

    /// Writes what has no answer, as much as one batch takes.
    fn write(&self, failed: &Failed) -> Result<(), Failure> {
        let mut file = AtomicFile::create(&self.requests)?;
        let (mut n, mut bytes) = (0, 0);
        for body in self.bodies()? {
            let (index, body) = body?;
            if failed.contains_key(&index) || self.is_answered(index, &body)? {
                continue;
            }
            let line = batch::request_line(&body);
            (n, bytes) = (n + 1, bytes + line.len() as u64);
            if n > 1 && (n > batch::MOST_REQUESTS || bytes > batch::MOST_BYTES) {
                break;
            }
            file.write_all(line.as_bytes())?;
        }
        Ok(file.persist()?)
    }

    /// Uploads the requests and launches the batch, or finds it.
    fn launched(&self, existing: Existing) -> Result<(BatchJob, bool), Failure> {
        let progress = Arc::new(AtomicU64::new(0));
        let sums = checksums(&self.requests, &progress)?;
        let name = sums.object_name(&self.bucket.path, "requests");
        let (project, location) = (&self.model.project, &self.model.location);
        let run = batch::run_id(project, location, &self.model.name, &sums.sha256);
        let answers = match self.bucket.path.as_str() {
            "" => format!("answers-{}", &run[..16]),
            path => format!("{path}/answers-{}", &run[..16]),
        };
        let upload = Upload::new(&self.requests, sums, &self.bucket.bucket, name);
        let uploaded = self
            .cloud
            .wait(storage::upload(&self.cloud.client, &upload));
        let uploaded = uploaded.map_err(upload_failed)?;
        let how = match uploaded.how {
            How::WasThere => "was there already".to_owned(),
            How::Sent | How::Resumed(_) => {
                format!("{} uploaded", ui::bytes(upload.checksums.bytes))
            }
        };
        self.say(&format!("{}: {how}", uploaded.object.uri()));
        let order = BatchOrder {
            project: project.clone(),
            location: location.clone(),
            model: self.model.name.clone(),
            display_name: "prep predict".into(),
            input: GsUri {
                bucket: uploaded.object.bucket,
                path: uploaded.object.name,
            },
            output: GsUri {
                bucket: self.bucket.bucket.clone(),
                path: answers,
            },
            run,
        };
        let options = LaunchOptions {
            existing,
            ..LaunchOptions::default()
        };
        let launch = launch(&self.cloud.client, &order, &options);
        match self.cloud.wait(launch) {
            Ok(BatchLaunch::Launched(job)) => {
                self.say(&format!("{}: started", job.name()));
                Ok((job, false))
            }
            Ok(BatchLaunch::Found(job)) => {
                self.say(&format!("{}: was started before", job.name()));
                Ok((job, true))
            }
            Ok(BatchLaunch::Unknown { cause, n_looks }) => {
                let error = anyhow::Error::new(cause);
                let error = error.context("whether the batch was started is not known");
                Err(Failure::from(error)
                    .note(format!("{} found none; it may still appear", ui::of(n_looks as u64, "look")))
                    .hint("run the same command in a few minutes: it looks for the batch first, and starts none that is there"))
            }
            Err(BatchError::Look(error)) => {
                let cannot = "cannot see which batch prediction jobs there are";
                Err(failed(cannot, error).note("no batch was started"))
            }
            Err(BatchError::Refused(error)) => {
                let cannot = format!("cannot start the batch in `{location}`");
                Err(failed(cannot, error).note("no batch was started"))
            }
            Err(other) => Err(plain(other)),
        }
    }

    /// Waits for a batch and takes its results; how many of them are answers.
    fn take(
        &self,
        job: &BatchJob,
        waiting: &mut Waiting,
        failed_rows: &mut Failed,
    ) -> Result<u64, Failure> {
        let mut last = None;
        let followed = batch::follow(&self.cloud.client, job, |job| {
            let state = job.state();
            if last.as_ref() != Some(&state) {
                self.say(&format!("  {}", state.in_words()));
                last = Some(state);
            }
        });
        let job = self.cloud.wait(followed).map_err(|error| {
            failed(
                format!("cannot follow the batch `{}`", job.name().id),
                error,
            )
            .note("the batch goes on; the same command finds it again")
        })?;
        let state = job.state();
        if state != JobState::Succeeded && job.output().is_none() {
            let ended = format!("the batch ended: {}", state.in_words());
            let failure = match job.error() {
                Some(reason) => Failure::because(ended, reason),
                None => Failure::new(ended),
            };
            return Err(failure.hint("the same command starts another"));
        }
        let mut n_answers = 0;
        let taken = batch::results(&self.cloud.client, &job, |request, result| {
            let Some((index, id)) = waiting.take(request) else {
                // An earlier run has taken it.
                return Ok(());
            };
            match result {
                Ok(answer) => {
                    n_answers += 1;
                    self.journal.keep(index, &id, &answer)?;
                }
                Err(error) => drop(failed_rows.insert(index, error)),
            }
            Ok(())
        });
        let n_odd: u64 = self.cloud.wait(taken).map_err(|error| {
            plain(error).note("the batch is done; the same command takes its results again")
        })?;
        if n_odd > 0 {
            let n = ui::of(n_odd, "line");
            ui::remark("warning", &format!("{n} of the results could not be read"));
        }
        Ok(n_answers)
    }

    /// What was asked and has no result has failed.
    fn fail_rest(&self, waiting: &mut Waiting, failed: &mut Failed) -> Result<(), Failure> {
        for body in requests_of(&self.requests)? {
            if let Some((index, _)) = waiting.take(&body) {
                let error = RowError {
                    http: None,
                    message: "the batch ended without a result for it".into(),
                };
                failed.insert(index, error);
            }
        }
        Ok(())
    }

    fn say(&self, text: &str) {
        if !self.is_quiet {
            ui::say(text);
        }
    }
}

/// The requests of a file.
fn requests_of(path: &Path) -> io::Result<Vec<Value>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines
        .map(|line| {
            let mut line: Value = serde_json::from_str(&line?)?;
            Ok(line["request"].take())
        })
        .collect()
}
