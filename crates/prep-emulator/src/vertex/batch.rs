//! Batch prediction: requests from an object, answers to another.
//!
//! The answers come in another order than the requests, as Google promises
//! none: whoever reads them must go by the request that each repeats.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::base;
use super::generate::{Answerer, answer_one};
use super::{mixed, models, new_id, page, parent};
use crate::clock::rfc3339;
use crate::cloud::{Ask, Cloud, PROJECT_NUMBER};
use crate::error::{Answer, Refusal, json_reply};
use crate::storage;
use crate::store::Kept;
use crate::strict::{self, Api};

/// The most requests of a job.
const MOST_REQUESTS: u64 = 200_000;

/// A job, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Batch {
    id: String,
    location: String,
    request: Value,
    created: u64,
    pace: u64,
    cancelled: Option<u64>,
    done: Option<Done>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Done {
    at: u64,
    directory: String,
    n_answered: u64,
    n_failed: u64,
    error: Option<String>,
}

impl Kept for Batch {
    fn key(&self) -> String {
        self.id.clone()
    }

    fn file(&self) -> String {
        self.id.clone()
    }
}

impl Batch {
    fn name(&self) -> String {
        format!("{}/batchPredictionJobs/{}", parent(&self.location), self.id)
    }

    fn resource(&self, now: u64) -> Value {
        let started = self.created + self.pace / 10;
        let over = self
            .done
            .as_ref()
            .map(|done| done.at.max(self.created + self.pace));
        let over = over.filter(|over| now >= *over);
        let mut job = self.request.clone();
        job["name"] = json!(self.name());
        job["createTime"] = json!(rfc3339(self.created));
        let state = match (self.cancelled, over, &self.done) {
            (Some(_), _, _) => "JOB_STATE_CANCELLED",
            (None, Some(_), Some(done)) if done.error.is_some() => "JOB_STATE_FAILED",
            (None, Some(_), Some(_)) => "JOB_STATE_SUCCEEDED",
            _ if now < self.created + self.pace / 20 => "JOB_STATE_QUEUED",
            _ if now < started => "JOB_STATE_PENDING",
            _ => "JOB_STATE_RUNNING",
        };
        job["state"] = json!(state);
        let ended = self.cancelled.or(over);
        let updated = ended.unwrap_or(if now < started { self.created } else { started });
        job["updateTime"] = json!(rfc3339(updated));
        if now >= started {
            job["startTime"] = json!(rfc3339(started));
        }
        if let Some(ended) = ended {
            job["endTime"] = json!(rfc3339(ended));
        }
        if let (Some(_), None, Some(done)) = (over, self.cancelled, &self.done) {
            if let Some(error) = &done.error {
                job["error"] = json!({"code": 3, "message": error});
            } else {
                job["outputInfo"] = json!({"gcsOutputDirectory": done.directory});
                job["completionStats"] = json!({
                    "successfulCount": done.n_answered.to_string(),
                    "failedCount": done.n_failed.to_string(),
                    "incompleteCount": "0",
                });
            }
        }
        job
    }
}

/// Who answers a job's requests.
fn answerer(cloud: &Cloud, location: &str, request: &Value) -> Result<Answerer, Refusal> {
    let model = request["model"].as_str().unwrap_or_default();
    if let Some(name) = model.strip_prefix("publishers/google/models/") {
        let base = base::find(name).filter(|base| base.is_served_in(location));
        return base
            .map(Answerer::Base)
            .ok_or_else(|| Refusal::not_found(format!("The model {model} is not found.")));
    }
    let (name, version) = model.split_once('@').unwrap_or((model, "1"));
    let job = models::by_name(cloud, name).filter(|job| {
        version == "1" && job.serving() == location && job.at(cloud.clock.now()).has_model
    });
    let job =
        job.ok_or_else(|| Refusal::not_found(format!("The model \"{model}\" does not exist.")))?;
    if job.base().is_third() {
        return Err(Refusal::invalid(format!(
            "Batch prediction is not supported for tuned models of {}.",
            job.base().name
        )));
    }
    Ok(Answerer::Tuned(job))
}

/// `batchPredictionJobs.create`.
pub(crate) fn create(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let location = ask.parts.get("location");
    let request = strict::message(api, "BatchPredictionJob", body)?;
    let known = [
        "displayName",
        "model",
        "inputConfig",
        "outputConfig",
        "labels",
    ];
    if let Some(odd) = request
        .as_object()
        .and_then(|fields| fields.keys().find(|name| !known.contains(&name.as_str())))
    {
        return Err(Refusal::unsupported(format!(
            "`{odd}` of a batch prediction job"
        )));
    }
    if request["displayName"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::invalid("The field display_name is required."));
    }
    for (config, format) in [
        ("inputConfig", "instancesFormat"),
        ("outputConfig", "predictionsFormat"),
    ] {
        if request[config][format] != "jsonl" {
            return Err(Refusal::unsupported(format!(
                "a batch prediction job whose `{format}` is not `jsonl`"
            )));
        }
    }
    let prefix = request["outputConfig"]["gcsDestination"]["outputUriPrefix"].as_str();
    let bucket = prefix.and_then(|prefix| prefix.strip_prefix("gs://"));
    let bucket = bucket.map(|rest| rest.split('/').next().unwrap_or_default());
    if bucket.is_none_or(|bucket| cloud.buckets.get(bucket).is_none()) {
        return Err(Refusal::invalid(
            "The output URI prefix does not begin with an existing bucket.",
        ));
    }
    let uris = request["inputConfig"]["gcsSource"]["uris"].as_array();
    let uris = uris.filter(|uris| !uris.is_empty());
    let uris = uris.ok_or_else(|| Refusal::invalid("The field gcs_source.uris is required."))?;
    for uri in uris {
        let uri = uri.as_str().unwrap_or_default();
        if cloud.object_at(uri).is_none() {
            return Err(Refusal::not_found(format!(
                "The Cloud Storage object {uri} does not exist."
            )));
        }
    }
    answerer(cloud, location, &request)?;
    let batch = cloud.batches.put(Batch {
        id: new_id(cloud)?,
        location: location.to_owned(),
        request,
        created: cloud.clock.now(),
        pace: cloud.pace(),
        cancelled: None,
        done: None,
    })?;
    work_aside(cloud, &batch);
    Ok(json_reply(200, &batch.resource(batch.created)))
}

fn work_aside(cloud: &Arc<Cloud>, batch: &Arc<Batch>) {
    let (cloud, batch) = (Arc::clone(cloud), Arc::clone(batch));
    tokio::task::spawn_blocking(move || {
        let mut done = Done {
            at: 0,
            directory: String::new(),
            n_answered: 0,
            n_failed: 0,
            error: None,
        };
        if let Err(refusal) = work(&cloud, &batch, &mut done) {
            done.error = Some(refusal.message().to_owned());
        }
        done.at = cloud.clock.now();
        // Without a disk to write to the job is done again after a restart.
        drop(
            cloud
                .batches
                .change(&batch.id, |batch| batch.done = Some(done)),
        );
    });
}

/// Goes on with the jobs that were not done.
pub(crate) fn resume(cloud: &Arc<Cloud>) {
    for batch in cloud.batches.starting_with("") {
        if batch.done.is_none() && batch.cancelled.is_none() {
            work_aside(cloud, &batch);
        }
    }
}

fn work(cloud: &Cloud, batch: &Batch, done: &mut Done) -> Result<(), Refusal> {
    let answerer = answerer(cloud, &batch.location, &batch.request)?;
    let mut lines = Vec::new();
    let uris = batch.request["inputConfig"]["gcsSource"]["uris"].as_array();
    for uri in uris.into_iter().flatten().filter_map(Value::as_str) {
        let object = cloud.object_at(uri);
        let object = object.ok_or_else(|| Refusal::not_found(format!("{uri} does not exist.")))?;
        let file = fs::File::open(cloud.data_of(&object))?;
        for line in BufReader::new(file).split(b'\n') {
            let line = line?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            if lines.len() as u64 == MOST_REQUESTS {
                return Err(Refusal::invalid(format!(
                    "A job has at most {MOST_REQUESTS} requests."
                )));
            }
            lines.push(answer_line(cloud, &answerer, &line, done)?);
        }
    }
    lines.sort_by_cached_key(|line| mixed(&batch.id, line));
    let mut out = lines.join("\n");
    if !out.is_empty() {
        out.push('\n');
    }
    let prefix = batch.request["outputConfig"]["gcsDestination"]["outputUriPrefix"].as_str();
    let prefix = prefix.unwrap_or_default().trim_end_matches('/');
    let directory = format!("{prefix}/prediction-model-{}", rfc3339(batch.created));
    let (bucket, folder) = directory
        .strip_prefix("gs://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| Refusal::invalid("The output URI prefix is not a gs:// URI."))?;
    let name = format!("{folder}/predictions.jsonl");
    storage::save(cloud, bucket, &name, "application/jsonl", out.as_bytes())?;
    done.directory = directory;
    Ok(())
}

fn answer_line(
    cloud: &Cloud,
    answerer: &Answerer,
    line: &[u8],
    done: &mut Done,
) -> Result<String, Refusal> {
    let row: Value = serde_json::from_slice(line)
        .map_err(|error| Refusal::invalid(format!("An input line is not JSON: {error}")))?;
    let request = row
        .get("request")
        .ok_or_else(|| Refusal::invalid("An input line has no `request`."))?;
    let (status, response) = match answer_one(cloud, answerer, request) {
        Ok(response) => {
            done.n_answered += 1;
            (String::new(), response)
        }
        Err(refusal) => {
            done.n_failed += 1;
            (format!("Bad Request: {}", refusal.rpc()), json!({}))
        }
    };
    let time = rfc3339(cloud.clock.now());
    let out = json!({
        "status": status,
        "processed_time": time,
        "request": request,
        "response": response,
    });
    serde_json::to_string(&out).map_err(|error| Refusal::internal(io::Error::from(error)))
}

fn find(cloud: &Cloud, ask: &Ask) -> Result<Arc<Batch>, Refusal> {
    let id = ask.parts.get("job");
    let location = ask.parts.get("location");
    let batch = cloud
        .batches
        .get(id)
        .filter(|batch| batch.location == location);
    batch.ok_or_else(|| {
        Refusal::not_found(format!(
            "The BatchPredictionJob \"projects/{PROJECT_NUMBER}/locations/{location}/batchPredictionJobs/{id}\" does not exist."
        ))
    })
}

/// `batchPredictionJobs.get`.
pub(crate) fn get(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let batch = find(cloud, ask)?;
    Ok(json_reply(200, &batch.resource(cloud.clock.now())))
}

/// `batchPredictionJobs.list`: the newest first.
pub(crate) fn list(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    if ask
        .query
        .get("filter")
        .is_some_and(|filter| !filter.is_empty())
    {
        return Err(Refusal::unsupported("`filter` of batch prediction jobs"));
    }
    let now = cloud.clock.now();
    let location = ask.parts.get("location");
    let mut batches = cloud.batches.starting_with("");
    batches.retain(|batch| batch.location == location);
    batches.sort_by_key(|batch| std::cmp::Reverse(batch.created));
    let batches = batches.iter().map(|batch| batch.resource(now)).collect();
    Ok(json_reply(
        200,
        &page(batches, "batchPredictionJobs", &ask.query, 100)?,
    ))
}

/// `batchPredictionJobs.cancel`.
pub(crate) fn stop(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let batch = find(cloud, ask)?;
    let now = cloud.clock.now();
    if batch.resource(now).get("endTime").is_none() {
        cloud
            .batches
            .change(&batch.id, |batch| batch.cancelled = Some(now))?;
    }
    Ok(json_reply(200, &json!({})))
}
