//! A tuning job as the service answers it.
//!
//! The JSON is kept whole: what is not known here is still shown. Typed
//! accessors read from it when they are asked. Nothing is assumed of members
//! that are missing, of states that are new, and of integers, which come as
//! strings or as numbers.

use std::time::SystemTime;

use chrono::DateTime;
use serde_json::Value;

use super::dropped::{Dropped, DroppedExample};
use super::name::{NotAName, ResourceName};

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningJob {
    name: ResourceName,
    raw: Value,
}

/// An answer that is no tuning job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAJob {
    /// It has no name.
    #[error("the answer of the service has no `name`")]
    NoName,
    /// Its name is none of a tuning job.
    #[error("the answer of the service is no tuning job")]
    Name(#[source] NotAName),
}

/// What is going on with a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits to be prepared.
    Queued,
    /// It is being prepared.
    Pending,
    /// It runs.
    Running,
    /// It is done.
    Succeeded,
    /// It is over without having done all.
    Failed,
    /// It is being cancelled.
    Cancelling,
    /// It was cancelled.
    Cancelled,
    /// It was halted, and can go on.
    Paused,
    /// It took too long.
    Expired,
    /// It is being changed.
    Updating,
    /// It is done in part.
    PartiallySucceeded,
    /// A state that was not known when this was written, or none.
    Unknown(String),
}

impl JobState {
    const NAMES: [(&'static str, Self); 11] = [
        ("QUEUED", Self::Queued),
        ("PENDING", Self::Pending),
        ("RUNNING", Self::Running),
        ("SUCCEEDED", Self::Succeeded),
        ("FAILED", Self::Failed),
        ("CANCELLING", Self::Cancelling),
        ("CANCELLED", Self::Cancelled),
        ("PAUSED", Self::Paused),
        ("EXPIRED", Self::Expired),
        ("UPDATING", Self::Updating),
        ("PARTIALLY_SUCCEEDED", Self::PartiallySucceeded),
    ];

    /// Reads a state as the service spells it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let name = text.strip_prefix("JOB_STATE_").unwrap_or(text);
        let known = Self::NAMES.into_iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Self::Unknown(text.into()), |(_, state)| state)
    }

    /// Whether nothing will change any more. A state that is not known is not
    /// final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Succeeded
            | Self::Failed
            | Self::Cancelled
            | Self::Expired
            | Self::PartiallySucceeded => true,
            Self::Queued
            | Self::Pending
            | Self::Running
            | Self::Cancelling
            | Self::Paused
            | Self::Updating
            | Self::Unknown(_) => false,
        }
    }

    /// Whether a job came, or is coming, to nothing, so that it may be launched
    /// again.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Failed | Self::Cancelling | Self::Cancelled | Self::Expired
        )
    }

    /// The state in small letters: `running`, `partially succeeded`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let name = match self {
            Self::Unknown(text) if text.is_empty() => return "unknown".into(),
            Self::Unknown(text) => text.strip_prefix("JOB_STATE_").unwrap_or(text),
            known => {
                let mut names = Self::NAMES.iter();
                names
                    .find_map(|(name, state)| (state == known).then_some(*name))
                    .unwrap_or_default()
            }
        };
        words(name)
    }
}

/// What a job that is not over does: `tuningJobState`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DetailState(String);

impl DetailState {
    /// The state in small letters: `processing dataset`.
    #[must_use]
    pub fn in_words(&self) -> String {
        words(self.0.strip_prefix("TUNING_JOB_STATE_").unwrap_or(&self.0))
    }

    /// The state as the service spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn words(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

/// Why a job failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    /// The number of the gRPC status: 13 is internal, 1 is cancelled.
    pub code: i64,
    /// What the service says.
    pub message: String,
}

/// What a job made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TunedModel {
    /// The model, with its version.
    pub model: Option<ResourceName>,
    /// The endpoint that serves its default checkpoint.
    pub endpoint: Option<ResourceName>,
    /// The checkpoints, if more than the last was kept.
    pub checkpoints: Vec<Checkpoint>,
}

/// A checkpoint of a tuned model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its id.
    pub id: String,
    /// After which pass over the training dataset it was taken.
    pub epoch: Option<u64>,
    /// After which step.
    pub step: Option<u64>,
    /// The endpoint that serves it.
    pub endpoint: Option<ResourceName>,
}

/// The settings of tuning, as sent or as the service chose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HyperParameters {
    /// Passes over the training dataset.
    pub epoch_count: Option<u64>,
    /// Times the usual learning rate.
    pub learning_rate_multiplier: Option<f64>,
    /// The adapter size as the service spells it.
    pub adapter_size: Option<String>,
    /// How much the model is held to what it was (preference tuning).
    pub beta: Option<f64>,
}

/// What the service counted in the training dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataStats {
    /// How many examples it has.
    pub examples: Option<u64>,
    /// Tokens that are paid for. For one pass or for all of them:
    /// [`DataStats::billable_tokens_of_a_pass`] tells.
    pub billable_tokens: Option<u64>,
    /// How many steps the job takes.
    pub steps: Option<u64>,
    /// The examples that were left out.
    pub dropped: Dropped,
    /// Tokens of prompts.
    pub input_tokens: Option<Distribution>,
    /// Tokens of answers.
    pub output_tokens: Option<Distribution>,
    /// Turns of an example.
    pub turns: Option<Distribution>,
}

/// How a number is distributed over the examples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// The sum.
    pub sum: Option<f64>,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The median.
    pub median: Option<f64>,
    /// The 5th percentile.
    pub p5: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
}

impl TuningJob {
    /// Takes an answer of the service.
    ///
    /// # Errors
    ///
    /// When it has no name of a tuning job.
    pub fn new(raw: Value) -> Result<Self, NotAJob> {
        let name = raw["name"].as_str().ok_or(NotAJob::NoName)?;
        let name = ResourceName::job(name).map_err(NotAJob::Name)?;
        Ok(Self { name, raw })
    }

    /// The job as the service answered it.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// The name; its project is a number.
    #[must_use]
    pub fn name(&self) -> &ResourceName {
        &self.name
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> JobState {
        JobState::of(self.text("state").unwrap_or_default())
    }

    /// What it does in that state, if the service says.
    #[must_use]
    pub fn detail_state(&self) -> Option<DetailState> {
        let text = self.text("tuningJobState")?;
        let is_said = text != "TUNING_JOB_STATE_UNSPECIFIED";
        is_said.then(|| DetailState(text.into()))
    }

    /// What the tuned model is called.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.text("tunedModelDisplayName")
    }

    /// What it is about.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    /// The base model. A job that goes on from a tuned model may name that
    /// one's.
    #[must_use]
    pub fn base_model(&self) -> Option<&str> {
        let pre_tuned = || self.raw["preTunedModel"]["baseModel"].as_str();
        self.text("baseModel").or_else(pre_tuned)
    }

    /// The tuned model that it goes on from.
    #[must_use]
    pub fn pre_tuned_model(&self) -> Option<&str> {
        self.raw["preTunedModel"]["tunedModelName"].as_str()
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.raw["labels"][key].as_str()
    }

    /// When it was created.
    #[must_use]
    pub fn created(&self) -> Option<SystemTime> {
        self.time("createTime")
    }

    /// When it began to run.
    #[must_use]
    pub fn started(&self) -> Option<SystemTime> {
        self.time("startTime")
    }

    /// When it ended.
    #[must_use]
    pub fn ended(&self) -> Option<SystemTime> {
        self.time("endTime")
    }

    /// Why it failed or was cancelled.
    #[must_use]
    pub fn error(&self) -> Option<JobError> {
        let error = self.raw["error"].as_object()?;
        let text = error.get("message").and_then(Value::as_str);
        Some(JobError {
            code: error.get("code").and_then(integer).unwrap_or_default(),
            message: text.unwrap_or_default().trim().to_owned(),
        })
    }

    /// The context that its metrics hang on.
    #[must_use]
    pub fn experiment(&self) -> Option<&str> {
        self.text("experiment").filter(|text| !text.is_empty())
    }

    /// What it made, if it made something.
    #[must_use]
    pub fn tuned_model(&self) -> Option<TunedModel> {
        let made = &self.raw["tunedModel"];
        let name = |value: &Value| value.as_str()?.parse().ok();
        let checkpoints = made["checkpoints"].as_array().into_iter().flatten();
        let checkpoints = checkpoints.filter_map(|checkpoint| {
            let id = &checkpoint["checkpointId"];
            Some(Checkpoint {
                id: id
                    .as_str()
                    .map(Into::into)
                    .or_else(|| Some(id.as_i64()?.to_string()))?,
                epoch: count(&checkpoint["epoch"]),
                step: count(&checkpoint["step"]),
                endpoint: name(&checkpoint["endpoint"]),
            })
        });
        let made = TunedModel {
            model: name(&made["model"]),
            endpoint: name(&made["endpoint"]),
            checkpoints: checkpoints.collect(),
        };
        (made != TunedModel::default()).then_some(made)
    }

    /// The settings of tuning.
    #[must_use]
    pub fn hyper_parameters(&self) -> HyperParameters {
        let settings = &self.spec()["hyperParameters"];
        HyperParameters {
            epoch_count: count(&settings["epochCount"]),
            learning_rate_multiplier: number(&settings["learningRateMultiplier"]),
            adapter_size: settings["adapterSize"].as_str().map(Into::into),
            beta: number(&settings["beta"]),
        }
    }

    /// The training dataset.
    #[must_use]
    pub fn training_uri(&self) -> Option<&str> {
        self.spec()["trainingDatasetUri"].as_str()
    }

    /// The validation dataset.
    #[must_use]
    pub fn validation_uri(&self) -> Option<&str> {
        self.spec()["validationDatasetUri"].as_str()
    }

    /// How many passes over the training dataset are done.
    #[must_use]
    pub fn completed_epochs(&self) -> Option<u64> {
        count(&self.raw["tuningJobMetadata"]["completedEpochCount"])
    }

    /// What the service counted in the training dataset; `None` until it has.
    #[must_use]
    pub fn stats(&self) -> Option<DataStats> {
        let stats = self.raw["tuningDataStats"].as_object()?;
        let of = |name: &str| stats.get(name).filter(|stats| stats.is_object());
        let supervised = of("supervisedTuningDataStats");
        let stats = supervised
            .or_else(|| of("preferenceOptimizationDataStats"))
            .or_else(|| of("reinforcementTuningDataStats"))
            .or_else(|| of("distillationDataStats").map(|stats| &stats["trainingDatasetStats"]))?;
        let either = |a: &str, b: &str| {
            if stats[a].is_null() {
                &stats[b]
            } else {
                &stats[a]
            }
            .clone()
        };
        let indices = either("truncatedExampleIndices", "droppedExampleIndices");
        let reasons = stats["droppedExampleReasons"].as_array();
        let indices = indices.as_array().into_iter().flatten().enumerate();
        let examples = indices.filter_map(|(n, index)| {
            let reason = reasons.and_then(|reasons| reasons.get(n)?.as_str());
            Some(DroppedExample {
                index: count(index)?,
                reason: reason.filter(|reason| !reason.is_empty()).map(Into::into),
            })
        });
        let examples: Vec<_> = examples.collect();
        let total = either("totalTruncatedExampleCount", "totalDroppedExampleCount");
        Some(DataStats {
            examples: count(&stats["tuningDatasetExampleCount"]),
            billable_tokens: count(&stats["totalBillableTokenCount"]),
            steps: count(&stats["tuningStepCount"]),
            dropped: Dropped {
                total: count(&total),
                examples,
            },
            input_tokens: distribution(&stats["userInputTokenDistribution"]),
            output_tokens: distribution(&stats["userOutputTokenDistribution"]),
            turns: distribution(&stats["userMessagePerExampleDistribution"]),
        })
    }

    /// Whether the job failed although the model is there: only its endpoint
    /// could not be made.
    #[must_use]
    pub fn failed_with_model(&self) -> bool {
        let model = self.tuned_model().and_then(|made| made.model);
        self.state() == JobState::Failed && model.is_some()
    }

    /// The page of the job in the Cloud console.
    #[must_use]
    pub fn console_link(&self) -> String {
        let ResourceName {
            project,
            location,
            id,
            ..
        } = &self.name;
        format!(
            "https://console.cloud.google.com/agent-platform/tuning/locations/{location}/tuningJob/{id}/monitor?project={project}"
        )
    }

    /// The page of the job in the console of before 2026.
    #[must_use]
    pub fn old_console_link(&self) -> String {
        let ResourceName {
            project,
            location,
            id,
            ..
        } = &self.name;
        format!(
            "https://console.cloud.google.com/vertex-ai/generative/language/locations/{location}/tuning/tuningJob/{id}?project={project}"
        )
    }

    /// What Cloud Logging has about the job: every entry with its id, from
    /// when it was created.
    #[must_use]
    pub fn logs_link(&self) -> String {
        let ResourceName { project, id, .. } = &self.name;
        let is_time = |text: &&str| DateTime::parse_from_rfc3339(text).is_ok();
        let since = self.text("createTime").filter(is_time);
        let since = since.map_or_else(String::new, |time| {
            format!(
                ";startTime={}",
                time.replace(':', "%3A").replace('+', "%2B")
            )
        });
        format!(
            "https://console.cloud.google.com/logs/query;query=%22{id}%22{since}?project={project}"
        )
    }

    fn spec(&self) -> &Value {
        let specs = [
            "supervisedTuningSpec",
            "preferenceOptimizationSpec",
            "distillationSpec",
            "reinforcementTuningSpec",
        ];
        let mut specs = specs.into_iter().map(|name| &self.raw[name]);
        specs.find(|spec| spec.is_object()).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.raw[name].as_str()
    }

    fn time(&self, name: &str) -> Option<SystemTime> {
        let time = DateTime::parse_from_rfc3339(self.text(name)?).ok()?;
        Some(time.into())
    }
}

impl DataStats {
    /// The billable tokens of one pass, and whether the service had counted
    /// those of all passes.
    ///
    /// A job of 2024 gave those of one pass; what a report of 2026 quotes looks
    /// like those of all of them. They are compared with the sums of prompts
    /// and answers, where those are there.
    #[must_use]
    pub fn billable_tokens_of_a_pass(&self, epochs: Option<u64>) -> Option<(u64, bool)> {
        let billable = self.billable_tokens?;
        let sum = |tokens: &Option<Distribution>| tokens.as_ref().and_then(|tokens| tokens.sum);
        let pass = sum(&self.input_tokens).zip(sum(&self.output_tokens));
        let (Some((input, output)), Some(epochs)) = (pass, epochs) else {
            return Some((billable, false));
        };
        let passes = billable as f64 / (input + output);
        let is_for_all = epochs > 1 && (passes / epochs as f64 - 1.0).abs() < 0.1;
        Some(match is_for_all {
            true => (billable / epochs, true),
            false => (billable, false),
        })
    }
}

fn distribution(value: &Value) -> Option<Distribution> {
    value.is_object().then(|| Distribution {
        sum: number(&value["sum"]),
        min: number(&value["min"]),
        max: number(&value["max"]),
        mean: number(&value["mean"]),
        median: number(&value["median"]),
        p5: number(&value["p5"]),
        p95: number(&value["p95"]),
    })
}

/// An integer of Google's JSON: a string, or a number for who is lenient.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            let is_whole = float.fract() == 0.0 && float.abs() < 9e15;
            is_whole.then_some(float as i64)
        }),
        _ => None,
    }
}

/// An integer that counts something.
pub(crate) fn count(value: &Value) -> Option<u64> {
    integer(value).and_then(|n| n.try_into().ok())
}

/// A number of Google's JSON; `"NaN"` and `"Infinity"` are strings there.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// A job of 2024 as its owner published it, with fewer examples shown.
    fn real() -> TuningJob {
        TuningJob::new(json!({
            "name": "projects/123456789012/locations/us-central1/tuningJobs/6284765961371254784",
            "tunedModelDisplayName": "demo", "baseModel": "gemini-1.5-pro-002",
            "supervisedTuningSpec": {
                "trainingDatasetUri": "gs://samples/sft_train_data.jsonl",
                "hyperParameters": {"epochCount": "10", "learningRateMultiplier": 1, "adapterSize": "ADAPTER_SIZE_FOUR"}},
            "state": "JOB_STATE_FAILED",
            "createTime": "2024-11-03T21:08:07.734198Z", "startTime": "2024-11-03T21:08:30.888568Z",
            "endTime": "2024-11-03T21:40:37.139132Z", "updateTime": "2024-11-03T21:40:37.139132Z",
            "error": {"code": 13, "message": "Failed to create endpoint. Tuned model is uploaded and can be accessed through Model Registry."},
            "experiment": "projects/123456789012/locations/us-central1/metadataStores/default/contexts/tuning-experiment-20241103131117085279",
            "tunedModel": {"model": "projects/123456789012/locations/us-central1/models/1402067540926005248@1"},
            "tuningDataStats": {"supervisedTuningDataStats": {
                "tuningDatasetExampleCount": "500",
                "userInputTokenDistribution": {"sum": "233592", "min": 25, "max": 2932, "mean": 467.184, "median": 414, "p5": 101, "p95": 1016,
                    "buckets": [{"count": 326, "left": 25, "right": 509}]},
                "userOutputTokenDistribution": {"sum": "21651", "min": 3, "max": 237},
                "totalBillableTokenCount": "255243"}}
        }))
        .unwrap()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "so that a case is one `json!`"
    )]
    fn job(members: Value) -> TuningJob {
        let mut raw = json!({"name": "projects/1/locations/us-central1/tuningJobs/7"});
        let members = members.as_object().unwrap().clone();
        raw.as_object_mut().unwrap().extend(members);
        TuningJob::new(raw).unwrap()
    }

    #[test]
    fn a_real_job_is_read() {
        let job = real();
        assert_eq!(
            (job.name().project.as_str(), job.name().location.as_str()),
            ("123456789012", "us-central1")
        );
        assert_eq!(job.state(), JobState::Failed);
        assert!(job.failed_with_model());
        assert_eq!(job.error().unwrap().code, 13);
        let took = job
            .ended()
            .unwrap()
            .duration_since(job.started().unwrap())
            .unwrap();
        assert_eq!(took, Duration::from_micros(1_926_250_564));
        let settings = job.hyper_parameters();
        assert_eq!(
            (settings.epoch_count, settings.learning_rate_multiplier),
            (Some(10), Some(1.0))
        );
        let stats = job.stats().unwrap();
        assert_eq!(
            (stats.examples, stats.steps, stats.dropped.total),
            (Some(500), None, None)
        );
        assert_eq!(stats.input_tokens.as_ref().unwrap().sum, Some(233_592.0));
        assert_eq!(
            stats.billable_tokens_of_a_pass(Some(10)),
            Some((255_243, false))
        );
        let made = job.tuned_model().unwrap();
        assert_eq!(made.model.unwrap().version.as_deref(), Some("1"));
        assert_eq!(
            job.console_link(),
            "https://console.cloud.google.com/agent-platform/tuning/locations/us-central1/tuningJob/6284765961371254784/monitor?project=123456789012"
        );
        assert_eq!(
            job.logs_link(),
            "https://console.cloud.google.com/logs/query;query=%226284765961371254784%22;startTime=2024-11-03T21%3A08%3A07.734198Z?project=123456789012"
        );
    }

    #[test]
    fn an_unknown_state_is_not_final() {
        let state = |text: &str| job(json!({"state": text})).state();
        for (name, state_of) in JobState::NAMES {
            assert_eq!(state(&format!("JOB_STATE_{name}")), state_of);
        }
        let finals: Vec<_> = JobState::NAMES
            .iter()
            .filter(|(_, state)| state.is_final())
            .collect();
        assert_eq!(finals.len(), 5);
        let new = state("JOB_STATE_REHEARSING");
        assert!(!new.is_final() && !new.is_lost());
        assert_eq!(new.in_words(), "rehearsing");
        assert_eq!(job(json!({})).state().in_words(), "unknown");
        assert_eq!(
            JobState::PartiallySucceeded.in_words(),
            "partially succeeded"
        );
        assert!(JobState::PartiallySucceeded.is_final() && !JobState::Paused.is_final());
    }

    #[test]
    fn what_is_no_job_is_refused() {
        assert_eq!(TuningJob::new(json!({})).unwrap_err(), NotAJob::NoName);
        assert_eq!(TuningJob::new(json!([])).unwrap_err(), NotAJob::NoName);
        let model = json!({"name": "projects/1/locations/us/models/7"});
        assert!(matches!(TuningJob::new(model), Err(NotAJob::Name(_))));
    }

    #[test]
    fn integers_are_strings_or_numbers() {
        let stats = |examples: Value| {
            let stats = json!({"tuningDataStats": {"supervisedTuningDataStats": {"tuningDatasetExampleCount": examples}}});
            job(stats).stats().unwrap().examples
        };
        assert_eq!(stats(json!("500")), Some(500));
        assert_eq!(stats(json!(500)), Some(500));
        assert_eq!(stats(json!(500.0)), Some(500));
        assert_eq!(stats(json!("many")), None);
        assert_eq!(stats(json!(-1)), None);
        assert_eq!(stats(json!(0.5)), None);
    }

    #[test]
    fn dropped_examples_are_listed_for_both_methods() {
        let sft = job(json!({"tuningDataStats": {"supervisedTuningDataStats": {
            "totalTruncatedExampleCount": "3",
            "truncatedExampleIndices": ["4", 17],
            "droppedExampleReasons": ["too many tokens"],
        }}}));
        let dropped = sft.stats().unwrap().dropped;
        assert_eq!(dropped.total, Some(3));
        let listed: Vec<_> = dropped
            .examples
            .iter()
            .map(|e| (e.index, e.reason.as_deref()))
            .collect();
        assert_eq!(listed, [(4, Some("too many tokens")), (17, None)]);
        let preference = job(
            json!({"tuningDataStats": {"preferenceOptimizationDataStats": {
                "droppedExampleIndices": ["1"], "droppedExampleReasons": ["no score"],
            }}}),
        );
        assert_eq!(preference.stats().unwrap().dropped.examples[0].index, 1);
        assert!(job(json!({})).stats().is_none());
        assert!(job(json!({"tuningDataStats": {}})).stats().is_none());
    }

    #[test]
    fn tokens_of_all_passes_are_told_from_those_of_one() {
        let stats = |billable: u64| DataStats {
            billable_tokens: Some(billable),
            input_tokens: Some(Distribution {
                sum: Some(900.0),
                ..Distribution::default()
            }),
            output_tokens: Some(Distribution {
                sum: Some(100.0),
                ..Distribution::default()
            }),
            ..DataStats::default()
        };
        assert_eq!(
            stats(1000).billable_tokens_of_a_pass(Some(40)),
            Some((1000, false))
        );
        assert_eq!(
            stats(40_000).billable_tokens_of_a_pass(Some(40)),
            Some((1000, true))
        );
        assert_eq!(
            stats(1000).billable_tokens_of_a_pass(Some(1)),
            Some((1000, false))
        );
        assert_eq!(
            stats(1000).billable_tokens_of_a_pass(None),
            Some((1000, false))
        );
    }

    #[test]
    fn a_model_may_be_somewhere_else_than_its_job() {
        let job = job(json!({"tunedModel": {
        "model": "projects/1/locations/us/models/9@1",
        "endpoint": "projects/1/locations/us/endpoints/5",
        "checkpoints": [
            {"checkpointId": "1", "epoch": "1", "step": "10", "endpoint": "projects/1/locations/us/endpoints/4"},
            {"checkpointId": 2, "epoch": 2, "step": 20},
            {"epoch": "3"},
        ]}}));
        let made = job.tuned_model().unwrap();
        assert_eq!(made.endpoint.unwrap().location, "us");
        assert_eq!(made.checkpoints.len(), 2);
        assert_eq!(
            (made.checkpoints[1].id.as_str(), made.checkpoints[1].step),
            ("2", Some(20))
        );
    }
}
