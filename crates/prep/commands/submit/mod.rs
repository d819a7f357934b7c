//! `prep submit`: preflight, upload, launch, follow.
//!
//! The order is the promise: everything that can be wrong is found before a
//! byte leaves, what it costs is shown before it costs, the launch is asked
//! for, and it happens once.

mod order;
mod preflight;

use std::fs::{File, TryLockError};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use prep_submit::storage::{self, How, Upload, UploadError, Uploaded};
use prep_submit::tuning::{
    DatasetId, Existing, FollowOptions, Launch, LaunchError, LaunchOptions, TuningJob,
    TuningRequest, run_id,
};
use serde_json::{Value, json};

use self::order::Order;
use self::preflight::{Preflight, Side, start_in_words};
use super::jobs::record::{FileRecord, JobRecord, ObjectRecord};
use super::jobs::watch;
use crate::Answer;
use crate::args::{DatasetPlace, Shared, SubmitArgs, TextOrJson};
use crate::cloud::{self, Cloud, Services, failed};
use crate::failure::{Failure, plain};
use crate::rehearsal::Rehearsal;
use crate::settings::Settings;
use crate::ui;

/// What every line of a rehearsal begins with.
const REHEARSAL: &str = "rehearsal: nothing leaves this machine, and nothing costs anything";

/// Runs the command.
pub(crate) fn run(args: &SubmitArgs, shared: &Shared) -> Result<Answer, Failure> {
    let settings = Settings::read(shared)?;
    let order = Order::new(args, &settings, &cloud::environment())?;
    if args.rehearse {
        ui::remark("note", REHEARSAL);
    }
    let mut found = Preflight::here(&order, &settings, shared)?;
    let submission = Submission::new(&order, &found);
    if args.dry_run {
        return submission.show(&found);
    }
    let services = Services::new(&args.cloud, shared, args.rehearse)?;
    let cloud = match services.connect(order.project.clone(), order.location.clone()) {
        Ok(cloud) => {
            found.there(&order, args, &cloud);
            Some(cloud)
        }
        Err(failure) => {
            found.unasked(&failure);
            None
        }
    };
    if !shared.quiet {
        for note in &found.notes {
            ui::remark("note", note);
        }
    }
    let (true, Some(cloud)) = (found.problems.is_empty(), cloud) else {
        found.tell_problems();
        return found.verdict();
    };

    let mine = found
        .at_work
        .iter()
        .find(|job| job.label(prep_submit::tuning::RUN_LABEL) == Some(&submission.run_id));
    let is_there = mine.is_some() && !args.again;
    if !shared.quiet {
        submission.tell(&found, args.rehearse);
    }
    for job in found
        .at_work
        .iter()
        .filter(|job| Some(job.name()) != mine.map(TuningJob::name))
    {
        ui::remark(
            "note",
            &format!(
                "another job is at work: {}, {}",
                job.display_name().unwrap_or("without a name"),
                job.name().id
            ),
        );
    }
    if !is_there && !is_agreed(args)? {
        ui::say("nothing was sent");
        return Ok(Answer::No);
    }
    // Two at the same moment would both look, find no job, and start one each.
    let lock = found
        .train
        .as_ref()
        .map(|side| lock(&side.path))
        .transpose()?;
    if found.makes_bucket {
        submission.make_bucket(&cloud)?;
    }
    let mut objects = Vec::new();
    for side in [&found.train, &found.validation].into_iter().flatten() {
        objects.push(submission.upload(side, &cloud, shared)?);
    }
    let job = submission.launch(args, &cloud, shared)?;
    let record = submission.record(&job, &found, objects);
    if let Some(record) = record {
        record.write(args.rehearse)?;
    }
    // The next finds the job, and writes the same record.
    drop(lock);
    if args.no_wait {
        ui::say(&match args.rehearse {
            true => "`prep jobs watch --rehearse` follows it".to_owned(),
            false => format!("`prep jobs watch {}` follows it", job.name().id),
        });
        return Ok(Answer::Yes);
    }
    let mut follow = FollowOptions::default();
    if args.rehearse {
        follow.poll = Rehearsal::POLL;
    }
    let answer = watch::follow(&cloud, job.name(), &follow, TextOrJson::Text, shared)?;
    if args.rehearse {
        ui::remark(
            "note",
            &format!(
                "{REHEARSAL}; what was played is kept in `{}`",
                Rehearsal::directory().display()
            ),
        );
    }
    Ok(answer)
}

/// Keeps other submissions of a training set waiting outside until it is
/// dropped.
fn lock(path: &Path) -> Result<File, Failure> {
    let cannot = |error: io::Error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    };
    let file = File::open(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
            "another `prep submit` of `{}` is at work",
            path.display()
        ))
        .hint("wait until it has started the job; then this one follows it")),
        // Not all file systems can; the label of the run guards, too.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Asks, where there is somebody to ask.
fn is_agreed(args: &SubmitArgs) -> Result<bool, Failure> {
    // A rehearsal costs nothing.
    if args.yes || args.rehearse {
        return Ok(true);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(
            Failure::new("there is nobody to ask whether the job may start")
                .hint("say `--yes`; nothing was sent"),
        );
    }
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "Start the job? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The order with everything that follows from the files.
struct Submission<'o> {
    order: &'o Order,
    /// The request with the places of the datasets.
    request: TuningRequest,
    run_id: String,
}

impl<'o> Submission<'o> {
    fn new(order: &'o Order, found: &Preflight) -> Self {
        let bucket = &order.bucket.bucket;
        let uri = |place: &DatasetPlace, side: Option<&Side>| match (place, side) {
            (DatasetPlace::Object(uri), _) => uri.clone(),
            (DatasetPlace::File(_), Some(side)) => format!("gs://{bucket}/{}", side.object),
            // One that cannot be read is a problem that was told.
            (DatasetPlace::File(_), None) => String::new(),
        };
        let mut request = order.request.clone();
        request.training_uri = uri(&order.train, found.train.as_ref());
        let validation = order.validation.as_ref();
        request.validation_uri = validation.map(|place| uri(place, found.validation.as_ref()));
        let sum = |side: Option<&Side>| {
            side.map_or_else(String::new, |side| side.checksums.sha256.clone())
        };
        let (train_sum, validation_sum) =
            (sum(found.train.as_ref()), sum(found.validation.as_ref()));
        let mut datasets = vec![DatasetId {
            uri: &request.training_uri,
            checksum: &train_sum,
        }];
        if let Some(uri) = &request.validation_uri {
            datasets.push(DatasetId {
                uri,
                checksum: &validation_sum,
            });
        }
        let run_id = run_id(&order.project, &order.location, &datasets, &request);
        Self {
            order,
            request,
            run_id,
        }
    }

    /// Prints the requests that would be sent.
    fn show(&self, found: &Preflight) -> Result<Answer, Failure> {
        let order = self.order;
        let endpoints =
            prep_submit::Endpoints::from_environment(&cloud::environment()).map_err(plain)?;
        let sides = [&found.train, &found.validation].into_iter().flatten();
        let uploads = sides.map(|side| {
            let mut request = storage::first_request(&endpoints, &self.upload_of(side));
            request["file"] = json!(side.path);
            request
        });
        let mut requests: Vec<Value> = uploads.collect();
        let is_read = |place: &DatasetPlace, side: &Option<Side>| {
            side.is_some() || matches!(place, DatasetPlace::Object(_))
        };
        // A job of files that could not be read cannot be shown.
        let validation = order.validation.as_ref();
        if is_read(&order.train, &found.train)
            && validation.is_none_or(|place| is_read(place, &found.validation))
        {
            requests.push(json!({
                "operation": "start the tuning job",
                "method": "POST",
                "url": prep_submit::tuning::jobs_url(&endpoints, &order.project, &order.location),
                "body": self.request.clone().labelled(&self.run_id),
            }));
        }
        let problems = found
            .problems
            .iter()
            .map(|problem| json!({"problem": problem.what, "hint": problem.hint}));
        let shown = json!({
            "schema": 1,
            "requests": requests,
            "problems": problems.collect::<Vec<_>>(),
            "notes": found.notes,
            "cost": {
                "tokens_per_epoch": found.cost.tokens,
                "epochs": found.cost.epochs,
                "dollars": found.cost.epochs.and_then(|n| found.cost.of(n)).map(crate::pricing::Dollars::as_f64),
                "price_as_of": found.cost.price.as_ref().and_then(|price| price.as_of),
            },
        });
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&shown).map_err(plain)?
        )?;
        found.verdict()
    }

    /// Tells what is about to happen.
    fn tell(&self, found: &Preflight, is_rehearsal: bool) {
        let order = self.order;
        let side = |side: Option<&Side>, place: Option<&DatasetPlace>| match (side, place) {
            (Some(side), _) => format!(
                "{}: {}, {} → gs://{}/{}",
                side.path.display(),
                ui::of(side.examples, "example"),
                ui::bytes(side.checksums.bytes),
                order.bucket.bucket,
                side.object
            ),
            (None, Some(DatasetPlace::Object(uri))) => uri.clone(),
            _ => "none".into(),
        };
        ui::say(&format!(
            "model       {}, tuned in {} for project {}",
            start_in_words(&self.request.start),
            order.location,
            order.project
        ));
        ui::say(&format!(
            "training    {}",
            side(found.train.as_ref(), Some(&order.train))
        ));
        ui::say(&format!(
            "validation  {}",
            side(found.validation.as_ref(), order.validation.as_ref())
        ));
        let played = if is_rehearsal {
            "nothing; for real: "
        } else {
            ""
        };
        ui::say(&format!("cost        {played}{}", found.cost.in_words()));
    }

    fn make_bucket(&self, cloud: &Cloud) -> Result<(), Failure> {
        let order = self.order;
        let bucket = &order.bucket.bucket;
        let made = storage::create_bucket(&cloud.client, &order.project, bucket, &order.location);
        cloud
            .wait(made)
            .map_err(|error| failed(format!("cannot make the bucket `{bucket}`"), error))?;
        ui::say(&format!("gs://{bucket}: made, closed to the public"));
        Ok(())
    }

    fn upload_of(&self, side: &Side) -> Upload {
        let name = side.path.file_name().unwrap_or_default().to_string_lossy();
        let state = side.path.with_file_name(format!(".{name}.upload"));
        let checksums = side.checksums.clone();
        let bucket = self.order.bucket.bucket.clone();
        let upload = Upload::new(&side.path, checksums, bucket, &side.object);
        Upload {
            state: Some(state),
            piece: self.order.piece.unwrap_or(upload.piece),
            ..upload
        }
    }

    fn upload(&self, side: &Side, cloud: &Cloud, shared: &Shared) -> Result<ObjectRecord, Failure> {
        let upload = self.upload_of(side);
        let bar = ui::Bar::counting(Arc::clone(&upload.progress), side.checksums.bytes, shared);
        let uploaded = cloud.wait(storage::upload(&cloud.client, &upload));
        drop(bar);
        let Uploaded { object, how } = uploaded.map_err(upload_failed)?;
        if !shared.quiet {
            let how = match how {
                How::WasThere => "was there already".to_owned(),
                How::Sent => format!("{} uploaded", ui::bytes(side.checksums.bytes)),
                How::Resumed(before) => format!(
                    "{} uploaded, {} of them by an earlier run",
                    ui::bytes(side.checksums.bytes),
                    ui::bytes(before)
                ),
            };
            ui::say(&format!("{}: {how}", object.uri()));
        }
        Ok(ObjectRecord {
            uri: object.uri(),
            generation: Some(object.generation.to_string()),
        })
    }

    fn launch(
        &self,
        args: &SubmitArgs,
        cloud: &Cloud,
        shared: &Shared,
    ) -> Result<TuningJob, Failure> {
        let order = self.order;
        let options = LaunchOptions {
            existing: if args.again {
                Existing::LaunchAnew
            } else {
                Existing::Keep
            },
            ..LaunchOptions::default()
        };
        let launch = prep_submit::tuning::launch(
            &cloud.client,
            &order.project,
            &order.location,
            &self.request,
            &self.run_id,
            &options,
        );
        let (job, what) = match cloud.wait(launch) {
            Ok(Launch::Launched { job, was_lost }) => {
                let lost = if was_lost {
                    "; the answer was lost, and a look found it"
                } else {
                    ""
                };
                (job, format!("started{lost}"))
            }
            Ok(Launch::Found(job)) => (
                job,
                "was started before; `--again` starts another".to_owned(),
            ),
            Ok(Launch::Unknown { cause, n_looks }) => {
                let error = anyhow::Error::new(cause);
                let failure =
                    Failure::from(error.context("whether the job was started is not known"));
                return Err(failure
                    .note(format!("{} found no job of this run; it may still appear", ui::of(n_looks as u64, "look")))
                    .hint("run the same command in a few minutes: it looks for the job first, and starts none that is there"));
            }
            Err(LaunchError::Look(error)) => {
                return Err(failed("cannot see which tuning jobs there are", error)
                    .note("no job was started"));
            }
            Err(LaunchError::Refused(error)) => {
                let cannot = format!("cannot start the tuning job in `{}`", order.location);
                return Err(failed(cannot, error).note("no job was started"));
            }
        };
        if !shared.quiet {
            ui::say(&format!("{}: {what}", job.name()));
            if !args.rehearse {
                ui::say(&format!("  {}", job.console_link()));
            }
        }
        Ok(job)
    }

    /// What later commands want to know of this job.
    fn record(
        &self,
        job: &TuningJob,
        found: &Preflight,
        objects: Vec<ObjectRecord>,
    ) -> Option<JobRecord> {
        let file = |side: &Side| FileRecord {
            path: side.path.clone(),
            bytes: side.checksums.bytes,
            blake3: side.blake3.clone(),
        };
        Some(JobRecord {
            schema: 1,
            job: job.name().to_string(),
            project: self.order.project.clone(),
            location: self.order.location.clone(),
            run: self.run_id.clone(),
            objects,
            train: file(found.train.as_ref()?),
            validation: found.validation.as_ref().map(file),
            launched: prep_submit::rfc3339(job.created().unwrap_or_else(SystemTime::now)),
        })
    }
}

/// An upload that failed, with what to do.
pub(crate) fn upload_failed(error: UploadError) -> Failure {
    let hint = match &error {
        UploadError::Call { stored, bytes, .. } if *stored > 0 => format!(
            "{} of {} are stored; run the same command to go on from there",
            ui::bytes(*stored),
            ui::bytes(*bytes)
        ),
        UploadError::Call { .. } => "run the same command to try again; no job was started".into(),
        UploadError::Changed { .. } => {
            "run the command again: it checks the file as it is now".into()
        }
        UploadError::Taken { .. } => {
            "take another prefix with `--bucket gs://BUCKET/PREFIX`".into()
        }
        UploadError::File { .. } | UploadError::Damaged { .. } | UploadError::State { .. } => {
            "no job was started".into()
        }
    };
    plain(error).hint(hint)
}
