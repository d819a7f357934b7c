//! Following a job until it is over.
//!
//! The loop asks for the job, and for its curves once it has an experiment,
//! tells what has changed as [`Event`]s, and waits. It ends at a final state
//! and at no other: a state that is not known is one to wait through. Stopping
//! it ([`Stop`](crate::Stop)) stops the watching and not the job.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::job::{DataStats, DetailState, JobState, TuningJob};
use super::metrics::{self, Metrics};
use super::name::ResourceName;
use super::service;
use super::verdict::{Warning, rising_loss, wedged};
use crate::client::Client;
use crate::error::CallError;

/// How a job is followed.
#[derive(Debug, Clone, Copy)]
pub struct FollowOptions {
    /// How long to wait between two looks.
    pub poll: Duration,
    /// After how long without a sign a job is called stuck.
    pub wedged_after: Duration,
    /// For how long looks may fail before the following ends.
    pub patience: Duration,
}

impl Default for FollowOptions {
    /// Looks every 30 s; calls a job stuck after an hour; bears failing looks
    /// for half an hour.
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(30),
            wedged_after: Duration::from_secs(60 * 60),
            patience: Duration::from_secs(30 * 60),
        }
    }
}

/// Something that has happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The state, or what the job does in it, is another; also at the first
    /// look.
    State(&'a TuningJob),
    /// The service has counted the examples.
    Stats(&'a TuningJob, &'a DataStats),
    /// One more pass over the training dataset is done.
    Epochs(u64),
    /// There are new points.
    Points(&'a Metrics),
    /// Something is not as it should be. Each is told once.
    Warning(Warning),
    /// A look failed; the next may not.
    Trouble(&'a CallError),
    /// A look is over: whoever draws a screen draws it now.
    Looked(&'a TuningJob, &'a Metrics),
}

/// What is told of a job. It says whether to go on: whoever nobody listens to
/// any more need not.
pub type Tell<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + Send + 'a;

/// How the following ended.
#[derive(Debug)]
pub enum Followed {
    /// The job is over.
    Over(TuningJob, Metrics),
    /// The stop flag was raised, or what was told was to end it; the job goes
    /// on. What was seen last.
    Stopped(Option<TuningJob>),
}

/// Follows a job.
///
/// # Errors
///
/// When a look is refused (the job is not there, or may not be seen), or looks
/// have failed for too long. The job goes on.
pub async fn follow(
    client: &Client,
    name: &ResourceName,
    options: &FollowOptions,
    tell: &mut Tell<'_>,
) -> Result<Followed, CallError> {
    let mut watch = Watch::new(options);
    let mut failing = None;
    let is_ended = AtomicBool::new(false);
    let mut tell = |event: Event<'_>| {
        if tell(event).is_break() {
            is_ended.store(true, Ordering::Relaxed);
        }
    };
    loop {
        match service::get(client, name).await {
            Ok(job) => {
                failing = None;
                let mut metrics = None;
                if let Some(experiment) = job.experiment().filter(|_| !watch.is_blind) {
                    match metrics::read(client, experiment).await {
                        Ok(read) => metrics = Some(read),
                        Err(error) if error.is_stopped() => {}
                        Err(error) => {
                            // Who may see the job need not be allowed to see
                            // its curves; once refused, they are let be.
                            watch.is_blind = is_refusal(&error);
                            tell(Event::Trouble(&error));
                        }
                    }
                }
                watch.look(job, metrics, client, &mut tell);
                if let Some((job, metrics)) = watch.over() {
                    return Ok(Followed::Over(job, metrics));
                }
            }
            Err(error) if error.is_stopped() => return Ok(Followed::Stopped(watch.job)),
            Err(error) => {
                let since = *failing.get_or_insert(client.clock().now());
                let failed_for = client.clock().now().saturating_duration_since(since);
                if is_refusal(&error) || failed_for >= options.patience {
                    return Err(error);
                }
                tell(Event::Trouble(&error));
            }
        }
        if is_ended.load(Ordering::Relaxed) || client.sleep(options.poll).await.is_err() {
            return Ok(Followed::Stopped(watch.job));
        }
    }
}

/// Whether asking again would be answered alike.
fn is_refusal(error: &CallError) -> bool {
    match error {
        CallError::Service(error) => !matches!(error.http, 408 | 429 | 499..),
        CallError::Transport { .. } | CallError::Unreadable { .. } => false,
        CallError::Stopped { .. } | CallError::Credentials(_) => true,
    }
}

/// What has been seen and told.
struct Watch<'o> {
    options: &'o FollowOptions,
    job: Option<TuningJob>,
    metrics: Metrics,
    state: Option<(JobState, Option<DetailState>)>,
    stats: Option<DataStats>,
    epochs: Option<u64>,
    has_told_wedged: bool,
    /// The step of the lowest loss that a warning was about.
    told_best: Option<i64>,
    is_blind: bool,
}

impl<'o> Watch<'o> {
    fn new(options: &'o FollowOptions) -> Self {
        Self {
            options,
            job: None,
            metrics: Metrics::default(),
            state: None,
            stats: None,
            epochs: None,
            has_told_wedged: false,
            told_best: None,
            is_blind: false,
        }
    }

    fn look(
        &mut self,
        job: TuningJob,
        metrics: Option<Metrics>,
        client: &Client,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) {
        let state = Some((job.state(), job.detail_state()));
        if self.state != state {
            self.state = state;
            tell(Event::State(&job));
        }
        let stats = job.stats();
        if let Some(stats) = &stats
            && self.stats.as_ref() != Some(stats)
        {
            tell(Event::Stats(&job, stats));
        }
        self.stats = stats.or(self.stats.take());
        if let Some(epochs) = job.completed_epochs().filter(|&n| n > 0)
            && self.epochs != Some(epochs)
        {
            self.epochs = Some(epochs);
            tell(Event::Epochs(epochs));
        }
        // A board that is empty for once has not lost its points.
        if let Some(metrics) = metrics.filter(|metrics| !metrics.is_empty()) {
            let is_new = metrics != self.metrics;
            self.metrics = metrics;
            if is_new {
                tell(Event::Points(&self.metrics));
            }
        }
        self.warn(&job, client, tell);
        tell(Event::Looked(&job, &self.metrics));
        self.job = Some(job);
    }

    fn warn(&mut self, job: &TuningJob, client: &Client, tell: &mut (dyn FnMut(Event<'_>) + Send)) {
        if !self.has_told_wedged {
            let now = client.clock().utc();
            if let Some(warning) = wedged(job, &self.metrics, now, self.options.wedged_after) {
                self.has_told_wedged = true;
                tell(Event::Warning(warning));
            }
        }
        if let Some(warning) = rising_loss(&self.metrics) {
            let Warning::RisingLoss { best, .. } = &warning else {
                return;
            };
            let best = Some(best.step);
            if self.told_best != best {
                self.told_best = best;
                tell(Event::Warning(warning));
            }
        }
    }

    /// The job and its curves, if it is over.
    fn over(&mut self) -> Option<(TuningJob, Metrics)> {
        let is_over = self.job.as_ref().is_some_and(|job| job.state().is_final());
        let job = self.job.take_if(|_| is_over)?;
        Some((job, std::mem::take(&mut self.metrics)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::super::name::ResourceName;
    use super::*;
    use crate::testing::{Answer, Received, Server};

    const BOARD: &str = "projects/1/locations/us-central1/tensorboards/77";
    const EXPERIMENT: &str =
        "projects/1/locations/us-central1/metadataStores/default/contexts/tuning-experiment-1";

    /// A job that shows one frame after the other, the last for ever.
    #[derive(Debug, Default)]
    struct Film {
        frames: Vec<Frame>,
        n: usize,
    }

    #[derive(Debug, Clone)]
    enum Frame {
        Job(Value, Vec<f64>),
        Status(u16),
    }

    impl Film {
        fn answer(&mut self, received: &Received) -> Answer {
            let path = received.path().strip_prefix("/v1/").unwrap();
            if path.contains("/tuningJobs/") {
                let frame = self.frames[self.n.min(self.frames.len() - 1)].clone();
                self.n += 1;
                return match frame {
                    Frame::Status(status) => Answer::error(status, "no"),
                    Frame::Job(mut job, _) => {
                        job["name"] = json!("projects/1/locations/us-central1/tuningJobs/7");
                        Answer::json(&job)
                    }
                };
            }
            let Frame::Job(_, losses) = &self.frames[(self.n - 1).min(self.frames.len() - 1)]
            else {
                return Answer::error(500, "no");
            };
            let curve = format!("{BOARD}/experiments/tuning-experiment-1/runs/r/timeSeries/5");
            let points = losses
                .iter()
                .zip(1..)
                .map(|(loss, n)| json!({"step": (n * 10).to_string(), "scalar": {"value": loss}}));
            let answer = if path == EXPERIMENT {
                json!({"metadata": {"backing_tensorboard_resource": BOARD}})
            } else if path.ends_with("/contexts") {
                json!({"contexts": [{"name": format!("{EXPERIMENT}-r")}]})
            } else if path.ends_with("/timeSeries") {
                json!({"tensorboardTimeSeries": [{"name": curve, "displayName": "/eval_total_loss"}]})
            } else {
                json!({"timeSeriesData": [{"tensorboardTimeSeriesId": "5", "values": points.collect::<Vec<_>>()}]})
            };
            Answer::json(&answer)
        }
    }

    fn told(event: &Event<'_>) -> Option<String> {
        Some(match event {
            Event::State(job) => match job.detail_state() {
                Some(detail) => format!("{}, {}", job.state().in_words(), detail.in_words()),
                None => job.state().in_words(),
            },
            Event::Stats(_, stats) => format!("{} examples", stats.examples.unwrap_or_default()),
            Event::Epochs(n) => format!("epoch {n}"),
            Event::Points(metrics) => format!("{} points", metrics.n_points()),
            Event::Warning(Warning::Wedged { .. }) => "wedged".into(),
            Event::Warning(Warning::RisingLoss { best, .. }) => {
                format!("rising since {}", best.step)
            }
            Event::Trouble(error) => format!("trouble {}", error.http().unwrap_or_default()),
            Event::Looked(..) => return None,
        })
    }

    async fn watch(frames: Vec<Frame>) -> (Vec<String>, Result<Followed, CallError>) {
        let server = Server::start(Film { frames, n: 0 }, Film::answer).await;
        let name = ResourceName::of_job("1", "us-central1", "7");
        let client = server.client();
        let mut events = Vec::new();
        let options = FollowOptions::default();
        let mut tell = |event: Event<'_>| {
            events.extend(told(&event));
            ControlFlow::Continue(())
        };
        let followed = follow(&client, &name, &options, &mut tell).await;
        (events, followed)
    }

    fn state(name: &str) -> Value {
        json!({"state": format!("JOB_STATE_{name}")})
    }

    #[tokio::test]
    async fn a_job_is_followed_to_its_end() {
        let mut running = state("RUNNING");
        running["tuningJobState"] = json!("TUNING_JOB_STATE_TUNING");
        running["experiment"] = json!(EXPERIMENT);
        running["tuningDataStats"] =
            json!({"supervisedTuningDataStats": {"tuningDatasetExampleCount": "500"}});
        let mut later = running.clone();
        later["tuningJobMetadata"] = json!({"completedEpochCount": "1"});
        let mut done = later.clone();
        done["state"] = json!("JOB_STATE_SUCCEEDED");
        let frames = vec![
            Frame::Job(state("QUEUED"), vec![]),
            Frame::Job(state("QUEUED"), vec![]),
            Frame::Job(state("REHEARSING"), vec![]),
            Frame::Job(running.clone(), vec![]),
            Frame::Job(running, vec![2.0]),
            Frame::Job(later.clone(), vec![2.0, 1.0, 1.2, 1.5]),
            Frame::Job(later.clone(), vec![2.0, 1.0, 1.2, 1.5, 1.6]),
            Frame::Job(later, vec![]),
            Frame::Job(done, vec![]),
        ];
        let (events, followed) = watch(frames).await;
        assert_eq!(
            events,
            [
                "queued",
                "rehearsing",
                "running, tuning",
                "500 examples",
                "1 points",
                "epoch 1",
                "4 points",
                "rising since 20",
                "5 points",
                "succeeded, tuning",
            ]
        );
        let Followed::Over(job, metrics) = followed.unwrap() else {
            panic!()
        };
        assert_eq!((job.state(), metrics.n_points()), (JobState::Succeeded, 5));
    }

    #[tokio::test]
    async fn failing_looks_are_borne_for_a_while() {
        // The client repeats a look by itself until its own limit.
        let mut frames = vec![Frame::Job(state("RUNNING"), vec![])];
        frames.extend(vec![Frame::Status(503); 40]);
        frames.push(Frame::Job(state("CANCELLED"), vec![]));
        let (events, followed) = watch(frames).await;
        assert!(matches!(followed, Ok(Followed::Over(..))), "{followed:?}");
        assert!(events.contains(&"trouble 503".to_owned()), "{events:?}");
        let (_, followed) = watch(vec![Frame::Status(503)]).await;
        assert_eq!(followed.unwrap_err().http(), Some(503));
        let (events, followed) = watch(vec![Frame::Status(404)]).await;
        assert_eq!((followed.unwrap_err().http(), events.len()), (Some(404), 0));
    }

    #[tokio::test]
    async fn a_wedged_job_is_told_once() {
        let mut running = state("RUNNING");
        // The clock of the test begins in September 2026.
        running["startTime"] = json!("2026-09-21T13:00:00Z");
        let mut frames = vec![Frame::Job(running, vec![]); 400];
        frames.push(Frame::Job(state("CANCELLED"), vec![]));
        let (events, _) = watch(frames).await;
        assert_eq!(events, ["running", "wedged", "cancelled"]);
    }

    #[tokio::test]
    async fn stopping_stops_the_watching() {
        let film = Film {
            frames: vec![Frame::Job(state("RUNNING"), vec![])],
            n: 0,
        };
        let server = Server::start(film, Film::answer).await;
        let name = ResourceName::of_job("1", "us-central1", "7");
        let flag = Arc::new(AtomicBool::new(false));
        let client = server.client_with(|options| options.stop = Arc::clone(&flag).into());
        let mut looks = 0;
        let mut tell = |event: Event<'_>| {
            if matches!(event, Event::Looked(..)) {
                looks += 1;
                flag.store(looks == 3, Ordering::Relaxed);
            }
            ControlFlow::Continue(())
        };
        let followed = follow(&client, &name, &FollowOptions::default(), &mut tell)
            .await
            .unwrap();
        let Followed::Stopped(Some(job)) = followed else {
            panic!("{followed:?}")
        };
        assert_eq!((job.state(), looks), (JobState::Running, 3));
        flag.store(false, Ordering::Relaxed);
        let mut tell = |_: Event<'_>| ControlFlow::Break(());
        let followed = follow(&client, &name, &FollowOptions::default(), &mut tell).await;
        assert!(matches!(followed, Ok(Followed::Stopped(Some(_)))));
    }
}
