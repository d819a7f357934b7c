//! Asking many prompts in one job: a batch, which costs half and takes its
//! time.
//!
//! The service reads the requests from an object, answers them within a day
//! or two, and writes lines in any order, each with the request that it
//! answers. So results are joined to the requests that wait ([`Waiting`]) by
//! what was asked and by nothing else. Like a tuning job, a batch is launched
//! by looking, asking once, and looking: each is paid for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, BufRead, BufReader, Seek};
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::outcome::Answer;
use super::settings::Family;
use crate::asking::{JournalError, RequestId, RowError};
use crate::client::{Client, turn_page};
use crate::error::{CallError, Effect, ServiceError};
use crate::http::Request;
use crate::storage::{self, BadGsUri, GsUri, ReadError};
use crate::tuning::{Existing, JobState, LaunchOptions, RUN_LABEL, ResourceName};

/// The most requests of a job.
pub const MOST_REQUESTS: usize = 200_000;
/// The most bytes of a job's requests.
pub const MOST_BYTES: u64 = 1_000_000_000;

/// Tells why the service has no batches for a model; `None` if it has.
#[must_use]
pub fn why_not(family: Family, is_tuned: bool, location: &str) -> Option<&'static str> {
    match (is_tuned, family) {
        (true, Family::Gemini3) => {
            Some("the service has no batch prediction for tuned models of Gemini 3 and later")
        }
        (true, _) if location == "global" => {
            Some("the service has no batch prediction for tuned models in `global`")
        }
        _ => None,
    }
}

/// Makes the line of a request.
#[must_use]
pub fn request_line(body: &Value) -> String {
    format!("{}\n", json!({"request": body}))
}

/// What is to be asked, of whom, and where the answers go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchOrder {
    /// Who is charged.
    pub project: String,
    /// Where the model is.
    pub location: String,
    /// The model, which is never an endpoint here:
    /// `publishers/google/models/ID`, or the name of a tuned one.
    pub model: String,
    /// What the job is called.
    pub display_name: String,
    /// The object with the requests.
    pub input: GsUri,
    /// What the names of the objects with the answers begin with.
    pub output: GsUri,
    /// What makes two batches the same: [`run_id`].
    pub run: String,
}

impl BatchOrder {
    fn url(&self, client: &Client) -> String {
        let (project, location) = (&self.project, &self.location);
        let base = client.endpoints().vertex(location);
        format!("{base}/v1/projects/{project}/locations/{location}/batchPredictionJobs")
    }

    /// Gives the body of the request that launches it.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({
            "displayName": self.display_name,
            "model": self.model,
            "inputConfig": {
                "instancesFormat": "jsonl",
                "gcsSource": {"uris": [self.input.to_string()]},
            },
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": self.output.to_string()},
            },
            "labels": {RUN_LABEL: self.run},
        })
    }
}

/// Computes the id of a batch of the model, its place and the SHA-256 of the
/// requests: 32 hexadecimal digits, which a label can hold.
#[must_use]
pub fn run_id(project: &str, location: &str, model: &str, requests: &str) -> String {
    let mut digest = Sha256::new();
    for text in ["prep-batch-1", project, location, model, requests] {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    hex(&digest.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A batch as the service answers it.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchJob {
    name: ResourceName,
    raw: Value,
}

impl BatchJob {
    fn new(operation: &'static str, raw: Value) -> Result<Self, CallError> {
        let name = raw["name"].as_str().unwrap_or_default();
        let name: Option<ResourceName> = name.parse().ok();
        match name.filter(|name| name.collection == "batchPredictionJobs") {
            Some(name) => Ok(Self { name, raw }),
            None => Err(CallError::Unreadable {
                operation,
                reason: "the answer is no batch prediction job".into(),
            }),
        }
    }

    /// Gives the name.
    #[must_use]
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// Gives the state.
    #[must_use]
    pub fn state(&self) -> JobState {
        JobState::of(self.raw["state"].as_str().unwrap_or_default())
    }

    /// Gives why it failed, in the words of the service.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.raw["error"]["message"].as_str()
    }

    /// Gives where the answers are, once there are any.
    #[must_use]
    pub fn output(&self) -> Option<&str> {
        self.raw["outputInfo"]["gcsOutputDirectory"].as_str()
    }

    fn created(&self) -> Option<SystemTime> {
        let time = self.raw["createTime"].as_str()?;
        Some(DateTime::parse_from_rfc3339(time).ok()?.into())
    }
}

/// What a launch came to.
#[derive(Debug)]
pub enum BatchLaunch {
    /// There is a new job.
    Launched(BatchJob),
    /// The job was there already.
    Found(BatchJob),
    /// Nobody knows: the answer was lost, and no look has found a job. It may
    /// still appear.
    Unknown {
        /// What became of the request.
        cause: CallError,
        /// How many looks found nothing.
        n_looks: usize,
    },
}

/// Why a batch has no results.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It could not be seen whether it is there already. None was launched.
    #[error("cannot see which batch prediction jobs there are")]
    Look(#[source] CallError),
    /// The service refused, or could not be reached. None was launched.
    #[error("cannot start the batch prediction job")]
    Refused(#[source] CallError),
    /// The service names no place of the answers that can be read.
    #[error("cannot find the answers of the batch")]
    Place(#[source] BadGsUri),
    /// The answers cannot be listed.
    #[error("cannot list the answers of the batch")]
    List(#[source] CallError),
    /// The answers cannot be read.
    #[error(transparent)]
    Read(ReadError),
    /// An answer cannot be kept.
    #[error(transparent)]
    Journal(JournalError),
    /// They cannot be kept on this machine.
    #[error("cannot keep the answers of the batch")]
    Keep(#[source] io::Error),
}

/// Launches a batch, or finds the one that was launched before.
///
/// # Errors
///
/// When none was launched, which then is sure.
pub async fn launch(
    client: &Client,
    order: &BatchOrder,
    options: &LaunchOptions,
) -> Result<BatchLaunch, BatchError> {
    let before = look(client, order).await.map_err(BatchError::Look)?;
    let known: HashSet<ResourceName> = before.iter().map(|job| job.name.clone()).collect();
    if options.existing == Existing::Keep
        && let Some(job) = newest(before.into_iter().filter(|job| !job.state().is_lost()))
    {
        return Ok(BatchLaunch::Found(job));
    }
    const OPERATION: &str = "start a batch prediction job";
    let create = Request::post(OPERATION, order.url(client))
        .json(&order.body())
        .timeout(options.timeout);
    let created = match client.send(&create).await {
        Ok(reply) => match reply.json() {
            Ok(raw) => BatchJob::new(OPERATION, raw),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let cause = match created {
        Ok(job) => return Ok(BatchLaunch::Launched(job)),
        Err(error) if error.effect() == Effect::None => return Err(BatchError::Refused(error)),
        Err(error) => error,
    };
    let mut n_looks = 0;
    for &wait in &options.waits {
        if client.sleep(wait).await.is_err() {
            break;
        }
        // A look that fails says nothing; the next may say more.
        let Ok(jobs) = look(client, order).await else {
            continue;
        };
        n_looks += 1;
        if let Some(job) = newest(jobs.into_iter().filter(|job| !known.contains(&job.name))) {
            return Ok(BatchLaunch::Launched(job));
        }
    }
    Ok(BatchLaunch::Unknown { cause, n_looks })
}

fn newest(jobs: impl Iterator<Item = BatchJob>) -> Option<BatchJob> {
    jobs.max_by_key(BatchJob::created)
}

/// The jobs of the same run. Costs a request for each hundred jobs that there
/// are.
async fn look(client: &Client, order: &BatchOrder) -> Result<Vec<BatchJob>, CallError> {
    const OPERATION: &str = "list batch prediction jobs";
    let (mut jobs, mut token) = (Vec::new(), String::new());
    loop {
        let mut request = Request::get(OPERATION, order.url(client)).query("pageSize", "100");
        if !token.is_empty() {
            request = request.query("pageToken", token.clone());
        }
        let page: Value = client.send(&request).await?.json()?;
        for raw in page["batchPredictionJobs"].as_array().into_iter().flatten() {
            if raw["labels"][RUN_LABEL] == *order.run {
                jobs.push(BatchJob::new(OPERATION, raw.clone())?);
            }
        }
        if !turn_page(OPERATION, &page, &mut token)? {
            return Ok(jobs);
        }
    }
}

/// Follows a batch to its end, and tells it at every look. Looks are a second
/// apart at first and half a minute later on; they may fail for half an hour.
///
/// # Errors
///
/// When it may not be seen, looks have failed for too long, or the stop flag
/// is raised. The batch goes on.
pub async fn follow(
    client: &Client,
    job: &BatchJob,
    mut tell: impl FnMut(&BatchJob),
) -> Result<BatchJob, CallError> {
    const OPERATION: &str = "get a batch prediction job";
    const PATIENCE: Duration = Duration::from_secs(30 * 60);
    let base = client.endpoints().vertex(&job.name.location);
    let get = Request::get(OPERATION, format!("{base}/v1/{}", job.name));
    let mut poll = Duration::from_secs(1);
    let mut failing = None;
    loop {
        let looked = match client.send(&get).await {
            Ok(reply) => match reply.json() {
                Ok(raw) => BatchJob::new(OPERATION, raw),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match looked {
            Ok(job) => {
                failing = None;
                tell(&job);
                if job.state().is_final() {
                    return Ok(job);
                }
            }
            Err(error) => {
                let now = client.clock().now();
                let since = *failing.get_or_insert(now);
                let may_pass = match &error {
                    CallError::Service(error) => matches!(error.http, 408 | 429 | 499..),
                    CallError::Transport { .. } | CallError::Unreadable { .. } => true,
                    CallError::Stopped { .. } | CallError::Credentials(_) => false,
                };
                if !may_pass || now.saturating_duration_since(since) >= PATIENCE {
                    return Err(error);
                }
            }
        }
        client.sleep(poll).await?;
        poll = (poll * 2).min(Duration::from_secs(30));
    }
}

/// What came of a request.
pub type BatchResult = Result<Answer, RowError>;

/// Reads the results of a batch, and gives each with its request, in the order
/// of the service, which is none. They are kept in a temporary file
/// meanwhile. Lines that are no results are counted, and given back.
///
/// # Errors
///
/// When they cannot be read whole. What was given is right all the same.
pub async fn results(
    client: &Client,
    job: &BatchJob,
    mut each: impl FnMut(&Value, BatchResult) -> Result<(), JournalError>,
) -> Result<u64, BatchError> {
    let Some(directory) = job.output() else {
        return Ok(0);
    };
    let directory: GsUri = directory.parse().map_err(BatchError::Place)?;
    let prefix = format!("{}/", directory.path);
    let objects = storage::list(client, &directory.bucket, &prefix).await;
    let objects = objects.map_err(BatchError::List)?;
    let mut n_odd = 0;
    for object in objects
        .iter()
        .filter(|object| object.name.ends_with(".jsonl"))
    {
        let mut file = tempfile::tempfile().map_err(BatchError::Keep)?;
        let read = storage::read(client, object, &mut file).await;
        read.map_err(BatchError::Read)?;
        file.rewind().map_err(BatchError::Keep)?;
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(BatchError::Keep)?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice::<Value>(&line) {
                Ok(line) if line["request"].is_object() => {
                    each(&line["request"], result(&line)).map_err(BatchError::Journal)?;
                }
                _ => n_odd += 1,
            }
        }
    }
    Ok(n_odd)
}

/// Reads a line of results. An error stands in `status`:
/// `Bad Request: {"error": {"code": 400, …}}`.
fn result(line: &Value) -> BatchResult {
    let status = line["status"].as_str().unwrap_or_default();
    if status.is_empty() && line["error"].is_null() {
        return match line["response"]
            .as_object()
            .is_some_and(|it| !it.is_empty())
        {
            true => Ok(Answer::of(&line["response"])),
            false => Err(RowError {
                http: None,
                message: "the batch has neither an answer nor an error for it".into(),
            }),
        };
    }
    let json = match status.find('{') {
        Some(at) => serde_json::from_str(&status[at..]).unwrap_or_default(),
        None => line.clone(),
    };
    let code = json["error"]["code"].as_u64();
    let http = code.and_then(|code| u16::try_from(code).ok());
    let said = ServiceError::parse(http.unwrap_or(500), json.to_string().as_bytes()).message;
    let message = match (json["error"].is_object(), line["error"].as_str()) {
        (true, _) if !said.is_empty() => said,
        (_, Some(error)) => error.to_owned(),
        _ => status.to_owned(),
    };
    Err(RowError { http, message })
}

/// The requests that wait for their results.
///
/// A result names its request by repeating it. Of equal requests each takes
/// one result. Should the service repeat a request otherwise than it was sent,
/// with its settings spelled out, say, its turns still tell which it is.
#[derive(Debug, Default)]
pub struct Waiting {
    ids: HashMap<u64, RequestId>,
    whole: HashMap<[u8; 16], VecDeque<u64>>,
    turns: HashMap<[u8; 16], VecDeque<u64>>,
}

impl Waiting {
    /// Adds a request.
    pub fn add(&mut self, index: u64, id: RequestId, body: &Value) {
        self.ids.insert(index, id);
        let of_whole = self.whole.entry(key(&canonical(body))).or_default();
        of_whole.push_back(index);
        let of_turns = self.turns.entry(key(&turns(body))).or_default();
        of_turns.push_back(index);
    }

    /// Takes note of a request that does not wait, so that its result is not
    /// taken for that of another.
    pub fn know(&mut self, body: &Value) {
        self.whole.entry(key(&canonical(body))).or_default();
    }

    /// Tells whether a request was added or noted.
    #[must_use]
    pub fn knows(&self, body: &Value) -> bool {
        self.whole.contains_key(&key(&canonical(body)))
    }

    /// Takes the request that a repeated one is, if it waits.
    pub fn take(&mut self, body: &Value) -> Option<(u64, RequestId)> {
        match self.whole.get_mut(&key(&canonical(body))) {
            Some(queue) => first(queue, &mut self.ids),
            None => first(self.turns.get_mut(&key(&turns(body)))?, &mut self.ids),
        }
    }

    /// Counts the requests that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Tells whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// The first of a queue that still waits: it may have been taken by its other
/// key.
fn first(queue: &mut VecDeque<u64>, ids: &mut HashMap<u64, RequestId>) -> Option<(u64, RequestId)> {
    while let Some(index) = queue.pop_front() {
        if let Some(id) = ids.remove(&index) {
            return Some((index, id));
        }
    }
    None
}

fn key(value: &Value) -> [u8; 16] {
    let sum = Sha256::digest(value.to_string());
    let mut key = [0; 16];
    key.copy_from_slice(&sum[..16]);
    key
}

/// A request with what may be written in two ways written in one: the order of
/// members, their case, whole numbers.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            let member = |(name, value): (&String, &Value)| (camel(name), canonical(value));
            Value::Object(sorted.into_iter().map(member).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel + letters.as_str()
    })
}

/// Who says what in a request: its system instruction and turns.
fn turns(body: &Value) -> Value {
    let body = canonical(body);
    let texts = |content: &Value| {
        let parts = content["parts"].as_array().into_iter().flatten();
        parts.map(|part| part["text"].clone()).collect::<Value>()
    };
    let contents = body["contents"].as_array().into_iter().flatten();
    let turns = contents.map(|turn| json!([turn["role"], texts(turn)]));
    json!([texts(&body["systemInstruction"]), turns.collect::<Value>()])
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Outcome;
    use super::*;
    use crate::testing::{self, Received, Server};

    fn order() -> BatchOrder {
        BatchOrder {
            project: "acme".into(),
            location: "us-central1".into(),
            model: "publishers/google/models/gemini-2.5-flash".into(),
            display_name: "prep predict".into(),
            input: "gs://bucket/requests.jsonl".parse().unwrap(),
            output: "gs://bucket/answers".parse().unwrap(),
            run: run_id("acme", "us-central1", "m", "9f2c41d0"),
        }
    }

    fn request(text: &str, more: &Value) -> Value {
        let mut request = json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    }

    #[test]
    fn tuned_models_of_gemini_3_have_no_batches() {
        assert!(
            why_not(Family::Gemini3, true, "us")
                .unwrap()
                .contains("Gemini 3")
        );
        assert!(why_not(Family::Gemini25Flash, true, "global").is_some());
        assert_eq!(why_not(Family::Gemini25Flash, true, "us-central1"), None);
        assert_eq!(why_not(Family::Gemini3, false, "global"), None);
    }

    #[test]
    fn an_id_is_of_all_that_is_asked() {
        let id = run_id("acme", "us", "m", "9f");
        assert_eq!(id.len(), 32);
        for other in [
            run_id("acm", "eus", "m", "9f"),
            run_id("acme", "eu", "m", "9f"),
            run_id("acme", "us", "n", "9f"),
            run_id("acme", "us", "m", "9e"),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn results_find_their_requests() {
        let mut waiting = Waiting::default();
        let plain = json!({});
        let set = json!({"generationConfig": {"temperature": 0, "maxOutputTokens": 7}});
        let add = |waiting: &mut Waiting, index, body: &Value| {
            waiting.add(index, RequestId::of("m", body), body);
        };
        let take = |waiting: &mut Waiting, body: &Value| waiting.take(body).map(|(index, _)| index);
        for (index, text, more) in [
            (0, "a", &plain),
            (1, "b", &set),
            (2, "a", &plain),
            (3, "c", &set),
        ] {
            add(&mut waiting, index, &request(text, more));
        }
        // It has its answer; what was asked with other settings has not.
        waiting.know(&request("c", &plain));
        assert_eq!(waiting.len(), 4);
        assert_eq!(take(&mut waiting, &request("c", &plain)), None);
        assert!(waiting.knows(&request("c", &plain)) && !waiting.knows(&request("d", &plain)));
        // In another spelling, and with a member that was not sent.
        let spelled = json!({"generation_config": {"max_output_tokens": 7.0, "temperature": 0.0}});
        assert_eq!(
            waiting.take(&request("b", &spelled)),
            Some((1, RequestId::of("m", &request("b", &set))))
        );
        let labelled = json!({"labels": {"x": "y"}});
        assert_eq!(take(&mut waiting, &request("c", &labelled)), Some(3));
        assert_eq!(take(&mut waiting, &request("a", &plain)), Some(0));
        assert_eq!(take(&mut waiting, &request("a", &plain)), Some(2));
        assert_eq!(take(&mut waiting, &request("a", &plain)), None);
        assert_eq!(take(&mut waiting, &request("d", &plain)), None);
        assert!(waiting.is_empty());
    }

    /// The outcome and text of an answer, or the status and words of an error.
    type Told<'a> = Result<(Outcome, Option<&'a str>), (Option<u16>, &'a str)>;

    #[test]
    fn a_line_is_an_answer_or_says_why_not() {
        let check = |line: Value, expected: Told<'_>| {
            let result = result(&line);
            let told = match &result {
                Ok(answer) => Ok((answer.outcome, answer.text.as_deref())),
                Err(error) => Err((error.http, error.message.as_str())),
            };
            assert_eq!(told, expected, "{line}");
        };
        let said = json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]});
        check(
            json!({"status": "", "response": said}),
            Ok((Outcome::Ok, Some("x"))),
        );
        check(
            json!({"status": "", "response": {"promptFeedback": {"blockReason": "SAFETY"}}}),
            Ok((Outcome::Refused, None)),
        );
        check(
            json!({"status": "Bad Request: {\"error\": {\"code\": 400, \"message\": \"Please use a valid role: user, model.\", \"status\": \"INVALID_ARGUMENT\"}}", "response": {}}),
            Err((Some(400), "Please use a valid role: user, model")),
        );
        check(
            json!({"status": "it was too late", "response": {}}),
            Err((None, "it was too late")),
        );
        check(
            json!({"error": {"code": 429, "message": "busy"}}),
            Err((Some(429), "busy")),
        );
        check(
            json!({"status": "", "response": {}}),
            Err((None, "the batch has neither an answer nor an error for it")),
        );
    }

    /// A service that loses the answers of its creates, or not.
    #[derive(Debug, Default)]
    struct Vertex {
        jobs: Vec<Value>,
        creates: usize,
        loses: bool,
        busy_looks: usize,
    }

    impl Vertex {
        fn answer(&mut self, received: &Received) -> testing::Answer {
            let path = "/v1/projects/acme/locations/us-central1/batchPredictionJobs";
            if received.method == "POST" {
                assert_eq!(received.path(), path);
                self.creates += 1;
                let mut job: Value = serde_json::from_slice(&received.body).unwrap();
                let n = self.creates;
                job["name"] = json!(format!(
                    "projects/1/locations/us-central1/batchPredictionJobs/{n}"
                ));
                job["state"] = json!("JOB_STATE_PENDING");
                job["createTime"] = json!(format!("2026-11-28T10:00:{n:02}Z"));
                self.jobs.insert(0, job.clone());
                return match self.loses {
                    true => testing::Answer::Close,
                    false => testing::Answer::json(&job),
                };
            }
            if received.path() == path {
                // A page for each job.
                let n: usize = received
                    .query("pageToken")
                    .first()
                    .map_or(0, |n| n.parse().unwrap());
                let next = if n + 1 < self.jobs.len() {
                    (n + 1).to_string()
                } else {
                    String::new()
                };
                let jobs = &self.jobs[n.min(self.jobs.len())..(n + 1).min(self.jobs.len())];
                return testing::Answer::json(
                    &json!({"batchPredictionJobs": jobs, "nextPageToken": next}),
                );
            }
            if self.busy_looks > 0 {
                self.busy_looks -= 1;
                return testing::Answer::error(503, "busy");
            }
            let mut job = self.jobs[0].clone();
            self.jobs[0]["state"] = json!(match job["state"].as_str().unwrap() {
                "JOB_STATE_PENDING" => "JOB_STATE_OF_THE_FUTURE",
                _ => "JOB_STATE_SUCCEEDED",
            });
            job["seen"] = json!(true);
            testing::Answer::json(&job)
        }
    }

    #[tokio::test]
    async fn a_batch_is_launched_once() {
        for loses in [false, true] {
            let server = Server::start(Vertex::default(), Vertex::answer).await;
            server.state().loses = loses;
            let client = server.client();
            let options = LaunchOptions::default();
            let first = launch(&client, &order(), &options).await.unwrap();
            assert!(matches!(first, BatchLaunch::Launched(_)), "{first:?}");
            let second = launch(&client, &order(), &options).await.unwrap();
            assert!(matches!(second, BatchLaunch::Found(_)), "{second:?}");
            assert_eq!(server.state().creates, 1);
            // Other requests are another batch; so is one that came to nothing.
            let other = BatchOrder {
                run: "another".into(),
                ..order()
            };
            let third = launch(&client, &other, &options).await.unwrap();
            assert!(matches!(third, BatchLaunch::Launched(_)), "{third:?}");
            let found = launch(&client, &order(), &options).await.unwrap();
            let BatchLaunch::Found(job) = found else {
                panic!("{found:?}");
            };
            assert_eq!(job.name().id, "1");
            server.state().jobs[1]["state"] = json!("JOB_STATE_CANCELLED");
            let anew = launch(&client, &order(), &options).await.unwrap();
            assert!(matches!(anew, BatchLaunch::Launched(_)), "{anew:?}");
            assert_eq!(server.state().creates, 3);
        }
    }

    #[tokio::test]
    async fn a_refused_batch_is_no_batch() {
        let server = Server::start((), |(), received| match received.method.as_str() {
            "GET" => testing::Answer::ok("{}"),
            _ => testing::Answer::error(400, "no"),
        })
        .await;
        let launched = launch(&server.client(), &order(), &LaunchOptions::default()).await;
        assert!(
            matches!(launched, Err(BatchError::Refused(_))),
            "{launched:?}"
        );
    }

    #[tokio::test]
    async fn a_batch_is_followed_to_a_final_state() {
        let server = Server::start(Vertex::default(), Vertex::answer).await;
        let client = server.client();
        let launched = launch(&client, &order(), &LaunchOptions::default()).await;
        let BatchLaunch::Launched(job) = launched.unwrap() else {
            panic!("it was not there");
        };
        server.state().busy_looks = 3;
        let mut states = Vec::new();
        let over = follow(&client, &job, |job| states.push(job.state().in_words())).await;
        assert_eq!(over.unwrap().state(), JobState::Succeeded);
        assert_eq!(states, ["pending", "of the future", "succeeded"]);
    }
}
