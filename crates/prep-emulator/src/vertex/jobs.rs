//! Tuning jobs: refused at once, or played by the clock.
//!
//! A job's record says when it was made and what its data is like; its state
//! at any time follows from that. Nothing has to run for a job to go on, so
//! one goes on while the emulator is off. Only its files are read meanwhile,
//! on a thread; a job whose files take longer to read than its pace allows
//! stays in `TUNING_JOB_STATE_PROCESSING_DATASET` until then.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::base::{self, Base};
use super::dataset::{self, Found};
use super::{id_of, new_id, page, parent};
use crate::clock::{digits, rfc3339};
use crate::cloud::{Ask, Cloud, PROJECT_NUMBER, outcome_of};
use crate::error::{Answer, Refusal, Violation, json_reply};
use crate::faults::JobOutcome;
use crate::store::Kept;
use crate::strict::{self, Api};

/// A job, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) location: String,
    /// What its creator sent.
    pub(crate) request: Value,
    pub(crate) created: u64,
    pace: u64,
    outcome: JobOutcome,
    cancelled: Option<u64>,
    pub(crate) read: Option<Read>,
    /// The checkpoint that its creator made the default.
    pub(crate) default_checkpoint: Option<String>,
    pub(crate) model_updated: Option<u64>,
    /// The job that tuned the model that this one goes on from.
    base_model: String,
}

/// What reading its files came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Read {
    at: u64,
    pub(crate) train: Found,
    pub(crate) validation: Option<Found>,
    /// Why the job fails before training.
    failure: Option<(u32, String)>,
}

impl Kept for Job {
    fn key(&self) -> String {
        self.id.clone()
    }

    fn file(&self) -> String {
        self.id.clone()
    }
}

/// Where a job is at a time.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) state: &'static str,
    detail: Option<&'static str>,
    started: Option<u64>,
    pub(crate) ended: Option<u64>,
    error: Option<(u32, String)>,
    has_stats: bool,
    /// How much of its training is done, in thousandths.
    pub(crate) done: u64,
    pub(crate) has_model: bool,
    pub(crate) has_endpoint: bool,
}

impl Moment {
    /// Whether the dataset has been processed, and metrics have begun.
    pub(crate) fn has_stats(&self) -> bool {
        self.has_stats
    }
}

/// A checkpoint of a tuned model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    pub(crate) step: u64,
}

/// How many examples make a step.
const BATCH: u64 = 8;

impl Job {
    pub(crate) fn name(&self) -> String {
        format!("{}/tuningJobs/{}", parent(&self.location), self.id)
    }

    pub(crate) fn base(&self) -> &'static Base {
        base::find(&self.base_model).expect("a job is created for a model of the table")
    }

    /// Where its model is.
    pub(crate) fn serving(&self) -> String {
        self.base().serving(&self.location)
    }

    pub(crate) fn model_id(&self) -> String {
        id_of(&self.id, "model")
    }

    pub(crate) fn model(&self) -> String {
        format!("{}/models/{}", parent(&self.serving()), self.model_id())
    }

    /// The endpoint of a checkpoint, or of the model where it has no other.
    pub(crate) fn endpoint_id(&self, checkpoint: u64) -> String {
        id_of(&self.id, &format!("endpoint-{checkpoint}"))
    }

    pub(crate) fn endpoint(&self, checkpoint: u64) -> String {
        format!(
            "{}/endpoints/{}",
            parent(&self.serving()),
            self.endpoint_id(checkpoint)
        )
    }

    pub(crate) fn experiment_id(&self) -> String {
        format!("tuning-experiment-{}", digits(self.created))
    }

    pub(crate) fn spec(&self) -> &Value {
        &self.request["supervisedTuningSpec"]
    }

    pub(crate) fn display_name(&self) -> String {
        let given = self.request["tunedModelDisplayName"].as_str();
        given.map_or_else(|| format!("tuned-model-{}", self.model_id()), str::to_owned)
    }

    pub(crate) fn n_epochs(&self) -> u64 {
        let given = self.spec()["hyperParameters"]["epochCount"].as_str();
        let given = given.and_then(|text| text.parse().ok());
        given.unwrap_or_else(|| {
            // What the service was seen to choose: 40 for 166 examples, 10 for
            // 500; in between and beyond it is a guess.
            match self.read.as_ref().map_or(0, |read| read.train.n_kept()) {
                0..200 => 40,
                200..1_000 => 10,
                1_000..10_000 => 3,
                _ => 1,
            }
        })
    }

    pub(crate) fn steps_of_epoch(&self) -> u64 {
        let read = self.read.as_ref();
        read.map_or(1, |read| read.train.n_kept().div_ceil(BATCH).max(1))
    }

    pub(crate) fn n_steps(&self) -> u64 {
        self.steps_of_epoch() * self.n_epochs()
    }

    /// The checkpoints that a finished job has: one an epoch up to ten, else
    /// ten evenly spread; the last alone if no other was wanted.
    pub(crate) fn checkpoints(&self) -> Vec<Checkpoint> {
        let n_epochs = self.n_epochs();
        let n = n_epochs.min(10);
        let mut all = (1..=n).map(|id| {
            let epoch = (id * n_epochs).div_ceil(n);
            Checkpoint {
                id,
                epoch,
                step: epoch * self.steps_of_epoch(),
            }
        });
        if self.spec()["exportLastCheckpointOnly"] == true {
            return all.next_back().into_iter().collect();
        }
        all.collect()
    }

    /// The checkpoint that the model's endpoint serves.
    pub(crate) fn default_checkpoint(&self) -> u64 {
        let chosen = self.default_checkpoint.as_ref();
        let chosen = chosen.and_then(|id| id.parse().ok());
        chosen.unwrap_or_else(|| self.checkpoints().last().map_or(1, |last| last.id))
    }

    /// When its training begins and ends.
    pub(crate) fn training(&self) -> (u64, u64) {
        let processed = self.created + self.pace / 4;
        let begins = self
            .read
            .as_ref()
            .map_or(processed, |read| processed.max(read.at));
        (begins, begins + self.pace * 65 / 100)
    }

    /// Where the job is at a time.
    pub(crate) fn at(&self, now: u64) -> Moment {
        let uncancelled = |now| self.on_its_way(now);
        let Some(cancelled) = self.cancelled else {
            return uncancelled(now);
        };
        let mut moment = uncancelled(cancelled);
        let ended = cancelled + self.pace / 50;
        moment.state = "JOB_STATE_CANCELLING";
        moment.detail = None;
        if now >= ended {
            moment.state = "JOB_STATE_CANCELLED";
            moment.ended = Some(ended);
            moment.error = Some((1, "The tuning job was cancelled.".into()));
        }
        moment
    }

    fn on_its_way(&self, now: u64) -> Moment {
        let started = self.created + self.pace / 10;
        let (begins, ends) = self.training();
        let over = ends + self.pace / 10;
        let mut moment = Moment {
            state: "JOB_STATE_QUEUED",
            detail: None,
            started: None,
            ended: None,
            error: None,
            has_stats: false,
            done: 0,
            has_model: false,
            has_endpoint: false,
        };
        if now < self.created + self.pace / 20 {
            return moment;
        }
        moment.state = "JOB_STATE_PENDING";
        if now < started {
            return moment;
        }
        moment.state = "JOB_STATE_RUNNING";
        moment.started = Some(started);
        moment.detail = Some("TUNING_JOB_STATE_PROCESSING_DATASET");
        let Some(read) = &self.read else {
            return moment;
        };
        if now < begins || self.outcome == JobOutcome::Wedged {
            return moment;
        }
        moment.has_stats = true;
        if let Some(failure) = &read.failure {
            moment.state = "JOB_STATE_FAILED";
            moment.detail = None;
            moment.ended = Some(begins);
            moment.error = Some(failure.clone());
            return moment;
        }
        moment.detail = Some("TUNING_JOB_STATE_TUNING");
        moment.done = ((now - begins) * 1_000 / (ends - begins).max(1)).min(1_000);
        let middle = begins + (ends - begins) / 2;
        if now >= middle {
            match self.outcome {
                JobOutcome::Fails => {
                    moment.done = 500;
                    moment.error = Some((13, "Internal error encountered.".into()));
                    moment.state = "JOB_STATE_FAILED";
                }
                JobOutcome::Expires => {
                    moment.done = 500;
                    moment.error = Some((4, "The tuning job expired.".into()));
                    moment.state = "JOB_STATE_EXPIRED";
                }
                JobOutcome::UnknownState if now < ends => {
                    moment.state = "JOB_STATE_REHEARSED";
                    return moment;
                }
                _ => {}
            }
        }
        if moment.error.is_some() {
            moment.detail = None;
            moment.ended = Some(middle);
            return moment;
        }
        if now < ends {
            return moment;
        }
        moment.detail = Some("TUNING_JOB_STATE_POST_PROCESSING");
        moment.has_model = true;
        if now < over {
            return moment;
        }
        moment.detail = None;
        moment.ended = Some(over);
        moment.has_endpoint = self.outcome != JobOutcome::EndpointFails;
        moment.state = match self.outcome {
            JobOutcome::EndpointFails => {
                moment.error = Some((
                    13,
                    "Failed to create endpoint. Tuned model is uploaded and can be accessed through Model Registry.".into(),
                ));
                "JOB_STATE_FAILED"
            }
            JobOutcome::PartiallySucceeds => "JOB_STATE_PARTIALLY_SUCCEEDED",
            _ => "JOB_STATE_SUCCEEDED",
        };
        moment
    }

    /// Whether its model can be asked.
    pub(crate) fn is_served(&self, now: u64) -> bool {
        self.at(now).has_endpoint
    }

    /// The job's resource at a time.
    fn resource(&self, now: u64, api: Api) -> Value {
        let moment = self.at(now);
        let updated = [
            Some(self.created),
            moment.started,
            moment.ended,
            self.cancelled,
        ];
        let mut job = self.request.clone();
        job["name"] = json!(self.name());
        job["state"] = json!(moment.state);
        job["createTime"] = json!(rfc3339(self.created));
        job["updateTime"] = json!(rfc3339(updated.into_iter().flatten().max().unwrap_or(now)));
        job["tunedModelDisplayName"] = json!(self.display_name());
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                job[name] = value;
            }
        };
        set("startTime", moment.started.map(|at| json!(rfc3339(at))));
        set("endTime", moment.ended.map(|at| json!(rfc3339(at))));
        set(
            "error",
            moment
                .error
                .as_ref()
                .map(|(code, message)| json!({"code": code, "message": message})),
        );
        if moment.started.is_some() {
            let id = self.experiment_id();
            let experiment = format!(
                "{}/metadataStores/default/contexts/{id}",
                parent(&self.location)
            );
            set("experiment", Some(json!(experiment)));
        }
        if moment.has_stats {
            set("tuningDataStats", self.stats());
        }
        if moment.has_model && moment.ended.is_some() {
            set("tunedModel", Some(self.tuned_model(&moment)));
        }
        // These are not in the description of v1.
        if api == Api::V1Beta1 {
            set("tuningJobState", moment.detail.map(|detail| json!(detail)));
            if moment.has_stats {
                let epochs = self.n_epochs() * moment.done / 1_000;
                let steps = self.n_steps() * moment.done / 1_000;
                set(
                    "tuningJobMetadata",
                    Some(json!({
                        "completedEpochCount": epochs.to_string(),
                        "completedStepCount": steps.to_string(),
                    })),
                );
            }
        }
        if moment.has_stats {
            self.fill_defaults(&mut job);
        }
        if job.get("preTunedModel").is_some() {
            job["preTunedModel"]["baseModel"] = json!(self.base_model);
        }
        job
    }

    /// What the service chooses where the creator did not.
    fn fill_defaults(&self, job: &mut Value) {
        let spec = &mut job["supervisedTuningSpec"];
        if spec["hyperParameters"].is_null() {
            spec["hyperParameters"] = json!({});
        }
        let defaults = [
            ("epochCount", json!(self.n_epochs().to_string())),
            ("learningRateMultiplier", json!(1)),
            ("adapterSize", json!(self.base().adapter)),
        ];
        for (name, value) in defaults {
            if spec["hyperParameters"].get(name).is_none() {
                spec["hyperParameters"][name] = value;
            }
        }
    }

    fn stats(&self) -> Option<Value> {
        let found = &self.read.as_ref()?.train;
        let mut stats = json!({
            "tuningDatasetExampleCount": found.n_examples.to_string(),
            "totalTuningCharacterCount": found.n_characters.to_string(),
            "totalBillableTokenCount": (found.input_tokens + found.output_tokens).to_string(),
            "tuningStepCount": self.n_steps().to_string(),
            "userInputTokenDistribution": found.input,
            "userOutputTokenDistribution": found.output,
            "userMessagePerExampleDistribution": found.turns,
        });
        if !found.samples.is_empty() {
            stats["userDatasetExamples"] = json!(found.samples);
        }
        if found.n_dropped > 0 {
            stats["totalTruncatedExampleCount"] = json!(found.n_dropped.to_string());
            let (indices, reasons): (Vec<_>, Vec<_>) = found
                .dropped
                .iter()
                .map(|(index, reason)| (index.to_string(), reason))
                .unzip();
            stats["truncatedExampleIndices"] = json!(indices);
            stats["droppedExampleReasons"] = json!(reasons);
        }
        Some(json!({"supervisedTuningDataStats": stats}))
    }

    fn tuned_model(&self, moment: &Moment) -> Value {
        let mut model = json!({"model": format!("{}@1", self.model())});
        if moment.has_endpoint {
            model["endpoint"] = json!(self.endpoint(self.default_checkpoint()));
            if self.spec()["exportLastCheckpointOnly"] != true {
                let checkpoints: Vec<_> = self
                    .checkpoints()
                    .iter()
                    .map(|checkpoint| {
                        json!({
                            "checkpointId": checkpoint.id.to_string(),
                            "epoch": checkpoint.epoch.to_string(),
                            "step": checkpoint.step.to_string(),
                            "endpoint": self.endpoint(checkpoint.id),
                        })
                    })
                    .collect();
                model["checkpoints"] = json!(checkpoints);
            }
        }
        model
    }
}

const TRAIN: &str = "tuning_job.supervised_tuning_spec.training_dataset_uri";
const VALIDATION: &str = "tuning_job.supervised_tuning_spec.validation_dataset_uri";

fn violation(field: &str, description: impl Into<String>) -> Violation {
    Violation {
        field: field.to_owned(),
        description: description.into(),
    }
}

/// `tuningJobs.create`.
pub(crate) fn create(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let location = ask.parts.get("location");
    let request = strict::message(api, "TuningJob", body)?;
    if location == "global" {
        return Err(Refusal::precondition(
            "Tuning is not supported in location global.",
        ));
    }
    if !base::is_region(location) {
        return Err(Refusal::of_status(404, None));
    }
    for unplayed in [
        "preferenceOptimizationSpec",
        "distillationSpec",
        "reinforcementTuningSpec",
        "partnerModelTuningSpec",
        "fullFineTuningSpec",
        "veoTuningSpec",
        "veoLoraTuningSpec",
        "outputUri",
        "customBaseModel",
    ] {
        if request.get(unplayed).is_some() {
            return Err(Refusal::unsupported(format!(
                "`{unplayed}` of a tuning job"
            )));
        }
    }
    let spec = &request["supervisedTuningSpec"];
    if spec.is_null() {
        return Err(Refusal::found_errors(vec![violation(
            "tuning_job.tuning_spec",
            "Required field is not set.",
        )]));
    }
    for unplayed in ["evaluationConfig", "tuningMode"] {
        if spec.get(unplayed).is_some() {
            return Err(Refusal::unsupported(format!(
                "`{unplayed}` of a tuning job"
            )));
        }
    }
    let mut wrong = Vec::new();
    check_uri(spec, "trainingDatasetUri", TRAIN, true, &mut wrong);
    check_uri(spec, "validationDatasetUri", VALIDATION, false, &mut wrong);
    check_settings(&request, &mut wrong);
    if !wrong.is_empty() {
        return Err(Refusal::found_errors(wrong));
    }
    let base_model = base_of(cloud, &request, location)?;
    let base = base::find(&base_model).filter(|base| base.is_tunable_in(location));
    let base =
        base.ok_or_else(|| Refusal::invalid(format!("Base model {base_model} is not supported.")))?;
    let adapter = spec["hyperParameters"]["adapterSize"].as_str();
    if adapter.is_some_and(|adapter| {
        adapter != "ADAPTER_SIZE_UNSPECIFIED" && !base.adapters.contains(&adapter)
    }) {
        return Err(Refusal::invalid(
            "The adapter size is not supported for this base model.",
        ));
    }
    if base.is_third() && request.get("encryptionSpec").is_some() {
        return Err(Refusal::precondition(format!(
            "CMEK is not supported for tuning of {}.",
            base.name
        )));
    }
    for name in ["trainingDatasetUri", "validationDatasetUri"] {
        let Some(uri) = spec[name].as_str() else {
            continue;
        };
        let object = cloud.object_at(uri).ok_or_else(|| {
            Refusal::not_found(format!("The Cloud Storage object {uri} does not exist."))
        })?;
        if object.size > 1_000_000_000 {
            return Err(Refusal::invalid(format!(
                "The dataset {uri} is larger than 1 GB."
            )));
        }
        if let Some(reason) = dataset::first_row(&cloud.data_of(&object))? {
            return Err(Refusal::invalid(reason));
        }
    }
    let job = Job {
        id: new_id(cloud)?,
        location: location.to_owned(),
        base_model: base_model.clone(),
        request,
        created: cloud.clock.now(),
        pace: cloud.pace(),
        outcome: outcome_of(ask),
        cancelled: None,
        read: None,
        default_checkpoint: None,
        model_updated: None,
    };
    let job = cloud.jobs.put(job)?;
    read_aside(cloud, &job);
    Ok(json_reply(200, &job.resource(job.created, api)))
}

fn check_uri(spec: &Value, name: &str, field: &str, is_required: bool, wrong: &mut Vec<Violation>) {
    let Some(uri) = spec[name].as_str().filter(|uri| !uri.is_empty()) else {
        if is_required {
            wrong.push(violation(field, "Required field is not set."));
        }
        return;
    };
    let is_object = uri
        .strip_prefix("gs://")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(bucket, name)| !bucket.is_empty() && name.ends_with(".jsonl"));
    if !is_object {
        let short = field.rsplit('.').next().unwrap_or_default();
        wrong.push(violation(
            field,
            format!("{short} should be a GCS object of type JSONL."),
        ));
    }
}

fn check_settings(request: &Value, wrong: &mut Vec<Violation>) {
    let hyper = &request["supervisedTuningSpec"]["hyperParameters"];
    let prefix = "tuning_job.supervised_tuning_spec.hyper_parameters";
    let epochs = hyper["epochCount"].as_str();
    let epochs = epochs.and_then(|text| text.parse::<i64>().ok());
    if epochs.is_some_and(|epochs| epochs < 1) {
        wrong.push(violation(
            &format!("{prefix}.epoch_count"),
            "epoch_count should be positive.",
        ));
    }
    if hyper["learningRateMultiplier"]
        .as_f64()
        .is_some_and(|rate| rate <= 0.0)
    {
        wrong.push(violation(
            &format!("{prefix}.learning_rate_multiplier"),
            "learning_rate_multiplier should be positive.",
        ));
    }
    let display_name = request["tunedModelDisplayName"].as_str();
    if display_name.is_some_and(|name| name.chars().count() > 128) {
        wrong.push(violation(
            "tuning_job.tuned_model_display_name",
            "The display name is longer than 128 characters.",
        ));
    }
    let is_word = |text: &str| {
        text.chars().count() <= 64
            && text
                .chars()
                .all(|c| c.is_lowercase() || c.is_numeric() || matches!(c, '_' | '-'))
    };
    for (key, value) in request["labels"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if key.is_empty() || !is_word(key) || !is_word(value) {
            wrong.push(violation(
                "tuning_job.labels",
                format!("Label {key}={value} does not conform to the requirements: at most 64 lowercase letters, digits, underscores and dashes."),
            ));
        }
    }
}

/// The base model that a request names, itself or by a model to go on from.
fn base_of(cloud: &Cloud, request: &Value, location: &str) -> Result<String, Refusal> {
    let base = request["baseModel"].as_str();
    let pre_tuned = request.get("preTunedModel");
    match (base, pre_tuned) {
        (Some(base), None) => {
            let short = base.strip_prefix("publishers/google/models/");
            Ok(short.unwrap_or(base).to_owned())
        }
        (None, Some(model)) => {
            let name = model["tunedModelName"].as_str().unwrap_or_default();
            let short = name.split('@').next().unwrap_or_default();
            let found = super::models::by_name(cloud, short)
                .filter(|job| job.location == location && job.at(cloud.clock.now()).has_model);
            let job = found
                .ok_or_else(|| Refusal::not_found(format!("The model {name} is not found.")))?;
            Ok(job.base_model.clone())
        }
        _ => Err(Refusal::found_errors(vec![violation(
            "tuning_job.base_model",
            "Exactly one of base_model and pre_tuned_model is set.",
        )])),
    }
}

/// Reads a job's files on a thread and keeps what was found.
fn read_aside(cloud: &Arc<Cloud>, job: &Arc<Job>) {
    let (cloud, job) = (Arc::clone(cloud), Arc::clone(job));
    tokio::task::spawn_blocking(move || {
        let read = read(&cloud, &job);
        let kept = cloud.jobs.change(&job.id, |job| job.read = Some(read));
        // Without a disk to write to the job stays as it is; it is read again
        // when the emulator starts again.
        drop(kept);
    });
}

/// Reads the files of the jobs that were not read before the end.
pub(crate) fn resume(cloud: &Arc<Cloud>) {
    for job in cloud.jobs.starting_with("") {
        if job.read.is_none() {
            read_aside(cloud, &job);
        }
    }
}

fn read(cloud: &Cloud, job: &Job) -> Read {
    let spec = job.spec();
    let of = |name: &str, remember: Option<&std::path::Path>| {
        let uri = spec[name].as_str()?;
        let read = cloud.object_at(uri).map_or_else(
            || Err(format!("The Cloud Storage object {uri} does not exist.")),
            |object| {
                dataset::read(&cloud.data_of(&object), remember)
                    .map_err(|error| format!("{uri} cannot be read: {error}"))
            },
        );
        Some(read)
    };
    let memory = cloud.jobs.path(&job.id, "answers");
    let train = of("trainingDatasetUri", Some(&memory)).unwrap_or_else(|| Ok(Found::default()));
    let validation = of("validationDatasetUri", None).transpose();
    let at = cloud.clock.now();
    let (train, validation) = match (train, validation) {
        (Ok(train), Ok(validation)) => (train, validation),
        (Err(message), _) | (_, Err(message)) => {
            return Read {
                at,
                train: Found::default(),
                validation: None,
                failure: Some((5, message)),
            };
        }
    };
    let failure = failure(job.base(), &train, validation.as_ref());
    Read {
        at,
        train,
        validation,
        failure: failure.map(|message| (3, message)),
    }
}

fn failure(base: &Base, train: &Found, validation: Option<&Found>) -> Option<String> {
    let n = train.n_examples;
    if let Some(first) = train.first_function
        && !base.is_third()
    {
        return Some(format!(
            "Dataset example {first} of {n} contains an unsupported modality [function call] in the “parts” field, which is not supported by this model. The supported modalities are: [image, PDF document, audio, video]."
        ));
    }
    if train.n_kept() == 0 {
        return Some("All examples of the training dataset were dropped.".into());
    }
    if train.n_dropped * 10 > n {
        return Some(format!(
            "{} of {n} examples of the training dataset were dropped, which is more than 10%.",
            train.n_dropped
        ));
    }
    let n_validation = validation?.n_examples;
    let is_in_proportion = n_validation <= 1_000 || n_validation * 10 <= n * 3;
    if n_validation > 5_000 || !is_in_proportion {
        return Some(format!(
            "The validation dataset has {n_validation} examples; at most 5000 are allowed, and if there are more than 1000, at most 30% of the {n} training examples."
        ));
    }
    None
}

fn find(cloud: &Cloud, ask: &Ask) -> Result<Arc<Job>, Refusal> {
    let id = ask.parts.get("job");
    let location = ask.parts.get("location");
    let job = cloud.jobs.get(id).filter(|job| job.location == location);
    job.ok_or_else(|| {
        Refusal::not_found(format!(
            "The TuningJob \"projects/{PROJECT_NUMBER}/locations/{location}/tuningJobs/{id}\" does not exist."
        ))
    })
}

/// `tuningJobs.get`.
pub(crate) fn get(cloud: &Arc<Cloud>, ask: &Ask, api: Api) -> Answer {
    let job = find(cloud, ask)?;
    Ok(json_reply(200, &job.resource(cloud.clock.now(), api)))
}

/// `tuningJobs.list`: the newest first.
pub(crate) fn list(cloud: &Arc<Cloud>, ask: &Ask, api: Api) -> Answer {
    if ask
        .query
        .get("filter")
        .is_some_and(|filter| !filter.is_empty())
    {
        return Err(Refusal::unsupported("`filter` of tuning jobs"));
    }
    let now = cloud.clock.now();
    let location = ask.parts.get("location");
    let mut jobs = cloud.jobs.starting_with("");
    jobs.retain(|job| job.location == location);
    jobs.sort_by_key(|job| std::cmp::Reverse(job.created));
    let jobs = jobs.iter().map(|job| job.resource(now, api)).collect();
    Ok(json_reply(200, &page(jobs, "tuningJobs", &ask.query, 100)?))
}

/// `tuningJobs.cancel`; a job that has ended stays as it is.
pub(crate) fn cancel(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let job = find(cloud, ask)?;
    strict::message(api, "CancelTuningJobRequest", body)?;
    let now = cloud.clock.now();
    if job.cancelled.is_none() && job.at(now).ended.is_none() {
        cloud
            .jobs
            .change(&job.id, |job| job.cancelled = Some(now))?;
    }
    Ok(json_reply(200, &json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(n_examples: u64, n_dropped: u64) -> Found {
        Found {
            n_examples,
            n_dropped,
            ..Found::default()
        }
    }

    #[test]
    fn datasets_that_fail_a_job() {
        let base = base::find("gemini-3.5-flash").unwrap();
        let cases = [
            (found(100, 10), None, ""),
            (found(100, 11), None, "more than 10%"),
            (found(3, 3), None, "All examples"),
            (found(100, 0), Some(1_000), ""),
            (found(100, 0), Some(1_001), "1001 examples"),
            (found(20_000, 0), Some(5_000), ""),
            (found(20_000, 0), Some(5_001), "5001 examples"),
            (found(10_000, 0), Some(3_001), "3001 examples"),
        ];
        for (train, n_validation, expected) in cases {
            let validation = n_validation.map(|n| found(n, 0));
            let told = failure(base, &train, validation.as_ref()).unwrap_or_default();
            assert!(told.contains(expected), "{told}");
            assert_eq!(told.is_empty(), expected.is_empty(), "{told}");
        }
        let functions = Found {
            first_function: Some(1),
            ..found(14, 0)
        };
        assert_eq!(failure(base, &functions, None), None);
        let old = base::find("gemini-2.5-flash").unwrap();
        let told = failure(old, &functions, None).unwrap();
        assert!(told.starts_with("Dataset example 1 of 14 contains an unsupported modality"));
    }

    fn job(outcome: JobOutcome, hyper: &Value) -> Job {
        Job {
            id: "7".into(),
            location: "us-central1".into(),
            base_model: "gemini-3.5-flash".into(),
            request: json!({"supervisedTuningSpec": {"hyperParameters": hyper}}),
            created: 1_000,
            pace: 1_000,
            outcome,
            cancelled: None,
            read: Some(Read {
                at: 1_100,
                train: found(80, 0),
                validation: None,
                failure: None,
            }),
            default_checkpoint: None,
            model_updated: None,
        }
    }

    #[test]
    fn a_job_goes_through_its_states() {
        let states = |job: &Job| -> Vec<_> {
            let mut states: Vec<_> = (1_000..2_200).map(|now| job.at(now).state).collect();
            states.dedup();
            let short = |state: &str| state.trim_start_matches("JOB_STATE_").to_owned();
            states.into_iter().map(short).collect()
        };
        let cases = [
            (JobOutcome::Natural, "QUEUED PENDING RUNNING SUCCEEDED"),
            (JobOutcome::Fails, "QUEUED PENDING RUNNING FAILED"),
            (JobOutcome::EndpointFails, "QUEUED PENDING RUNNING FAILED"),
            (JobOutcome::Wedged, "QUEUED PENDING RUNNING"),
            (
                JobOutcome::UnknownState,
                "QUEUED PENDING RUNNING REHEARSED RUNNING SUCCEEDED",
            ),
            (
                JobOutcome::PartiallySucceeds,
                "QUEUED PENDING RUNNING PARTIALLY_SUCCEEDED",
            ),
            (JobOutcome::Expires, "QUEUED PENDING RUNNING EXPIRED"),
        ];
        for (outcome, expected) in cases {
            let job = job(outcome, &json!({}));
            assert_eq!(states(&job).join(" "), expected, "{outcome:?}");
        }
        let mut job = job(JobOutcome::Natural, &json!({}));
        job.cancelled = Some(1_400);
        assert_eq!(job.at(1_401).state, "JOB_STATE_CANCELLING");
        assert_eq!(job.at(1_500).error.as_ref().unwrap().0, 1);
        job.cancelled = None;
        job.read = None;
        assert_eq!(job.at(9_999).state, "JOB_STATE_RUNNING");
    }

    #[test]
    fn checkpoints_are_spread_over_the_epochs() {
        let epochs = |hyper: Value| -> Vec<u64> {
            let job = job(JobOutcome::Natural, &hyper);
            job.checkpoints()
                .iter()
                .map(|checkpoint| checkpoint.epoch)
                .collect()
        };
        assert_eq!(epochs(json!({"epochCount": "3"})), [1, 2, 3]);
        assert_eq!(
            epochs(json!({"epochCount": "25"})),
            [3, 5, 8, 10, 13, 15, 18, 20, 23, 25]
        );
        assert_eq!(epochs(json!({})).len(), 10);
        assert_eq!(job(JobOutcome::Natural, &json!({})).n_epochs(), 40);
    }
}
