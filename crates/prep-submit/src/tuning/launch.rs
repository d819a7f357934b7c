//! Launching a job once.
//!
//! Creating a job cannot be repeated: each time is a job more, and each is
//! paid for. So every job has the id of its run as a label, and a launch is a
//! look for that label, one request that is sent once, and, when nobody knows
//! what became of it, more looks: after 10, 30 and 60 seconds. What a launch
//! that failed leaves open is said ([`Launch::Unknown`]), and the next one
//! begins with a look.

use std::collections::HashSet;
use std::time::Duration;

use super::job::TuningJob;
use super::name::ResourceName;
use super::service::{address, job_of, list};
use super::spec::{RUN_LABEL, TuningRequest};
use crate::client::Client;
use crate::error::{CallError, Effect};
use crate::http::Request;

/// How a job is launched.
#[derive(Debug, Clone)]
pub struct LaunchOptions {
    /// What to do about a job of the same run that is there already.
    pub existing: Existing,
    /// How long the one request may take.
    pub timeout: Duration,
    /// How long to wait before each look, when the outcome is not known.
    pub waits: Vec<Duration>,
}

impl Default for LaunchOptions {
    /// Follows an existing job; 90 s for the request; looks after 10, 30 and
    /// 60 s.
    fn default() -> Self {
        Self {
            existing: Existing::Keep,
            timeout: Duration::from_secs(90),
            waits: [10, 30, 60].map(Duration::from_secs).into(),
        }
    }
}

/// What to do about a job of the same run that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is the job: none is launched.
    Keep,
    /// Another one is launched beside it.
    LaunchAnew,
}

/// What a launch came to.
#[derive(Debug)]
pub enum Launch {
    /// There is a new job.
    Launched {
        /// The job.
        job: TuningJob,
        /// The answer was lost, and a look found it.
        was_lost: bool,
    },
    /// The job was there already.
    Found(TuningJob),
    /// Nobody knows: the answer was lost, and no look has found a job. It may
    /// still appear.
    Unknown {
        /// What became of the request.
        cause: CallError,
        /// How many looks found nothing.
        n_looks: usize,
    },
}

/// Why there is no new job. There surely is none.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It could not be seen whether the job is there already.
    #[error("cannot see which tuning jobs there are")]
    Look(#[source] CallError),
    /// The service refused, or could not be reached.
    #[error("cannot start the tuning job")]
    Refused(#[source] CallError),
}

/// Launches a job, or finds the one that was launched before. `request` is
/// without the label of the run; what is wrong with its form
/// ([`TuningRequest::problems`]) was told before.
///
/// # Errors
///
/// When no job was launched, which then is sure.
pub async fn launch(
    client: &Client,
    project: &str,
    location: &str,
    request: &TuningRequest,
    run_id: &str,
    options: &LaunchOptions,
) -> Result<Launch, LaunchError> {
    let look = || async {
        let jobs = list(client, project, location, usize::MAX).await?;
        Ok(jobs
            .into_iter()
            .filter(|job| job.label(RUN_LABEL) == Some(run_id))
            .collect())
    };
    let before: Vec<TuningJob> = look().await.map_err(LaunchError::Look)?;
    let known: HashSet<ResourceName> = before.iter().map(|job| job.name().clone()).collect();
    if options.existing == Existing::Keep
        && let Some(job) = newest(before.into_iter().filter(is_worth_keeping))
    {
        return Ok(Launch::Found(job));
    }
    let cause = match create(client, project, location, request, run_id, options).await {
        Ok(job) => {
            return Ok(Launch::Launched {
                job,
                was_lost: false,
            });
        }
        Err(error) if error.effect() == Effect::None => return Err(LaunchError::Refused(error)),
        Err(error) => error,
    };
    let mut n_looks = 0;
    for &wait in &options.waits {
        if client.sleep(wait).await.is_err() {
            break;
        }
        // A look that fails says nothing; the next may say more.
        let Ok(jobs) = look().await else { continue };
        n_looks += 1;
        let new = jobs.into_iter().filter(|job| !known.contains(job.name()));
        if let Some(job) = newest(new) {
            return Ok(Launch::Launched {
                job,
                was_lost: true,
            });
        }
    }
    Ok(Launch::Unknown { cause, n_looks })
}

async fn create(
    client: &Client,
    project: &str,
    location: &str,
    request: &TuningRequest,
    run_id: &str,
    options: &LaunchOptions,
) -> Result<TuningJob, CallError> {
    const OPERATION: &str = "start a tuning job";
    let path = format!("projects/{project}/locations/{location}/tuningJobs");
    let create = Request::post(OPERATION, address(client, location, &path))
        .json(&request.clone().labelled(run_id))
        .timeout(options.timeout);
    let reply = client.send(&create).await?;
    job_of(OPERATION, reply.json()?)
}

/// Whether a job need not be launched again. One that failed but has a model
/// was paid for: there is more to be had from it than from another.
fn is_worth_keeping(job: &TuningJob) -> bool {
    !job.state().is_lost() || job.failed_with_model()
}

fn newest(jobs: impl Iterator<Item = TuningJob>) -> Option<TuningJob> {
    jobs.max_by_key(TuningJob::created)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::spec::{Method, Start};
    use super::*;
    use crate::testing::{Answer, Received, Server};

    const RUN: &str = "20d0ed68f27cd9603882cf82cc59c4e6";
    const PATH: &str = "/v1/projects/acme/locations/us-central1/tuningJobs";

    fn request() -> TuningRequest {
        let start = Start::Base("gemini-3.5-flash".into());
        TuningRequest::new(start, Method::Supervised, "gs://b/train.jsonl")
    }

    /// What goes wrong with a request.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Fault {
        /// The connection is closed before anything is done.
        ClosedBefore,
        /// The connection is closed after it is done.
        ClosedAfter,
        /// A status, before anything is done.
        Status(u16),
        /// A status, after it is done.
        StatusAfter(u16),
        /// 200 and no JSON, after it is done.
        Garbage,
        /// 200 and half of the answer, after it is done.
        Truncated,
        /// 200 and JSON that is no job, after it is done.
        NotAJob,
    }

    const FAULTS: [Fault; 18] = [
        Fault::ClosedBefore,
        Fault::ClosedAfter,
        Fault::Status(400),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(408),
        Fault::Status(409),
        Fault::Status(429),
        Fault::Status(499),
        Fault::Status(500),
        Fault::Status(503),
        Fault::StatusAfter(500),
        Fault::StatusAfter(503),
        Fault::StatusAfter(504),
        Fault::Garbage,
        Fault::Truncated,
        Fault::NotAJob,
    ];

    /// A service that does as it should but for the requests that a script
    /// spoils.
    #[derive(Debug, Default)]
    struct Vertex {
        jobs: Vec<Value>,
        creates: usize,
        requests: usize,
        faults: Vec<(std::ops::Range<usize>, Fault)>,
    }

    impl Vertex {
        fn with(faults: Vec<(std::ops::Range<usize>, Fault)>) -> Self {
            Self {
                faults,
                ..Self::default()
            }
        }

        fn answer(&mut self, received: &Received) -> Answer {
            let n = self.requests;
            self.requests += 1;
            let mut faults = self.faults.iter();
            let fault = faults.find_map(|(when, fault)| when.contains(&n).then_some(*fault));
            match fault {
                Some(Fault::ClosedBefore) => return Answer::Close,
                Some(Fault::Status(status)) => return Answer::error(status, "no"),
                _ => {}
            }
            let answer = self.act(received);
            match fault {
                Some(Fault::ClosedAfter) => Answer::Close,
                Some(Fault::StatusAfter(status)) => Answer::error(status, "oops"),
                Some(Fault::Garbage) => Answer::ok("<html>"),
                Some(Fault::Truncated) => Answer::Truncated(answer.to_string()),
                Some(Fault::NotAJob) => Answer::ok(r#"{"nextPageToken":""}"#),
                _ => Answer::ok(&answer.to_string()),
            }
        }

        fn act(&mut self, received: &Received) -> Value {
            assert_eq!(received.path(), PATH);
            if received.method == "GET" {
                return json!({"tuningJobs": self.jobs});
            }
            assert_eq!(received.method, "POST");
            self.creates += 1;
            let mut job: Value = serde_json::from_slice(&received.body).unwrap();
            assert_eq!(job["labels"][RUN_LABEL], RUN);
            let n = self.jobs.len() + 1;
            job["name"] = json!(format!("projects/123/locations/us-central1/tuningJobs/{n}"));
            job["state"] = json!("JOB_STATE_PENDING");
            job["createTime"] = json!(format!("2026-11-28T10:00:{n:02}Z"));
            self.jobs.push(job.clone());
            job
        }
    }

    async fn run(server: &Server<Vertex>, existing: Existing) -> Result<Launch, LaunchError> {
        let options = LaunchOptions {
            existing,
            ..LaunchOptions::default()
        };
        let client = server.client();
        launch(&client, "acme", "us-central1", &request(), RUN, &options).await
    }

    #[tokio::test]
    async fn a_second_launch_finds_the_first() {
        let server = Server::start(Vertex::default(), Vertex::answer).await;
        let first = run(&server, Existing::Keep).await.unwrap();
        assert!(
            matches!(
                first,
                Launch::Launched {
                    was_lost: false,
                    ..
                }
            ),
            "{first:?}"
        );
        let second = run(&server, Existing::Keep).await.unwrap();
        assert!(matches!(second, Launch::Found(_)), "{second:?}");
        assert_eq!(server.state().creates, 1);
        let anew = run(&server, Existing::LaunchAnew).await.unwrap();
        assert!(
            matches!(
                anew,
                Launch::Launched {
                    was_lost: false,
                    ..
                }
            ),
            "{anew:?}"
        );
        assert_eq!(server.state().creates, 2);
    }

    #[tokio::test]
    async fn a_lost_job_is_launched_again() {
        let again = async |change: fn(&mut Value)| {
            let server = Server::start(Vertex::default(), Vertex::answer).await;
            run(&server, Existing::Keep).await.unwrap();
            change(&mut server.state().jobs[0]);
            let launch = run(&server, Existing::Keep).await.unwrap();
            matches!(launch, Launch::Launched { .. })
        };
        for state in [
            "JOB_STATE_FAILED",
            "JOB_STATE_CANCELLED",
            "JOB_STATE_CANCELLING",
            "JOB_STATE_EXPIRED",
        ] {
            assert!(
                again(match state {
                    "JOB_STATE_FAILED" => |job| job["state"] = json!("JOB_STATE_FAILED"),
                    "JOB_STATE_CANCELLED" => |job| job["state"] = json!("JOB_STATE_CANCELLED"),
                    "JOB_STATE_CANCELLING" => |job| job["state"] = json!("JOB_STATE_CANCELLING"),
                    _ => |job| job["state"] = json!("JOB_STATE_EXPIRED"),
                })
                .await,
                "{state}"
            );
        }
        assert!(!again(|job| job["state"] = json!("JOB_STATE_SUCCEEDED")).await);
        assert!(!again(|job| job["state"] = json!("JOB_STATE_REHEARSING")).await);
        assert!(
            !again(|job| {
                job["state"] = json!("JOB_STATE_FAILED");
                job["tunedModel"] = json!({"model": "projects/123/locations/us/models/9@1"});
            })
            .await
        );
        assert!(again(|job| job["labels"] = json!({RUN_LABEL: "another"})).await);
    }

    /// Whatever goes wrong with whichever request, and for however long: there
    /// is never more than one job, what is said of it is true, and the same
    /// command again leaves exactly one.
    #[tokio::test]
    async fn whatever_fails_there_is_one_job() {
        for fault in FAULTS {
            for first in 0..5 {
                for n in [1, 2, 100] {
                    let script = vec![(first..first + n, fault)];
                    let place = format!("{fault:?} at request {first}, {n} times");
                    check(script, &place).await;
                }
            }
        }
    }

    /// The answer of the create is lost, and then something else goes wrong.
    #[tokio::test]
    async fn whatever_fails_after_a_lost_answer_there_is_one_job() {
        for lost in [Fault::ClosedAfter, Fault::StatusAfter(503), Fault::Garbage] {
            for fault in FAULTS {
                let script = vec![(1..2, lost), (2..3, fault)];
                check(script, &format!("{lost:?}, then {fault:?}")).await;
            }
        }
    }

    async fn check(script: Vec<(std::ops::Range<usize>, Fault)>, place: &str) {
        let server = Server::start(Vertex::with(script), Vertex::answer).await;
        let launched = run(&server, Existing::Keep).await;
        let n_jobs = {
            let state = server.state();
            assert!(state.creates <= 1, "{place}: {} creates", state.creates);
            state.jobs.len()
        };
        match &launched {
            Ok(Launch::Launched { .. }) => assert_eq!(n_jobs, 1, "{place}"),
            Ok(Launch::Found(job)) => panic!("{place}: {job:?} was there before"),
            Ok(Launch::Unknown { .. }) => {}
            Err(error) => assert_eq!(n_jobs, 0, "{place}: {error:?}"),
        }
        server.state().faults.clear();
        let again = run(&server, Existing::Keep).await.unwrap();
        assert!(!matches!(again, Launch::Unknown { .. }), "{place}");
        let state = server.state();
        assert_eq!((state.jobs.len(), state.creates), (1, 1), "{place}");
    }

    #[tokio::test]
    async fn looks_are_taken_after_ten_thirty_and_sixty_seconds() {
        let script = vec![(1..2, Fault::Status(504))];
        let server = Server::start(Vertex::with(script), Vertex::answer).await;
        let client = server.client();
        let options = LaunchOptions::default();
        let launched = launch(&client, "acme", "us-central1", &request(), RUN, &options).await;
        assert!(matches!(
            launched.unwrap(),
            Launch::Unknown { n_looks: 3, .. }
        ));
        let waits: Vec<_> = client
            .clock()
            .slept()
            .iter()
            .map(Duration::as_secs)
            .collect();
        assert_eq!(waits, [10, 30, 60]);
    }
}
