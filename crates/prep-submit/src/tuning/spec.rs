//! What is asked of the service when a tuning job is created.
//!
//! [`TuningRequest`] holds every option; [`TuningRequest::problems`] says what
//! is wrong with their form, all of it at once; serialised, it is the body of
//! `tuningJobs.create`. Whether a base model takes an adapter size or a
//! location is not its business: that is in the dated table of models, which
//! ages faster than this code.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::name::ResourceName;

/// The label by which a launch finds its own job again.
pub const RUN_LABEL: &str = "prep-run";

/// The label by which a job says which dataset it was tuned with. It is made of
/// the rules and settings too, which a launch does not depend on.
pub const DATASET_LABEL: &str = "prep-dataset";

/// Everything that a tuning job is created with.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningRequest {
    /// What tuning starts from.
    pub start: Start,
    /// How it is tuned.
    pub method: Method,
    /// The training dataset: `gs://BUCKET/NAME.jsonl`.
    pub training_uri: String,
    /// The validation dataset, if there is one.
    pub validation_uri: Option<String>,
    /// Passes over the training dataset; the service chooses without it.
    pub epoch_count: Option<u32>,
    /// Times the learning rate that the service would choose.
    pub learning_rate_multiplier: Option<f64>,
    /// The size of the adapter; the service chooses without it.
    pub adapter_size: Option<AdapterSize>,
    /// Whether the last checkpoint is the only one to be kept.
    pub export_last_checkpoint_only: bool,
    /// What the tuned model is called.
    pub display_name: Option<String>,
    /// What the job is about.
    pub description: Option<String>,
    /// Labels of the job; the service copies them to the model and endpoint.
    pub labels: BTreeMap<String, String>,
    /// The service account that the job runs as.
    pub service_account: Option<String>,
    /// The key that encrypts what the job makes.
    pub kms_key: Option<String>,
}

/// What tuning starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A base model, by its id.
    Base(String),
    /// A model that was tuned before.
    Tuned {
        /// `projects/P/locations/L/models/ID`, with or without `@VERSION`.
        model: String,
        /// The checkpoint to go on from, instead of the default one.
        checkpoint: Option<String>,
    },
}

/// How a model is tuned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// With examples of what to answer.
    Supervised,
    /// With pairs of a preferred and a dispreferred answer.
    Preference {
        /// How much the model is held to what it was.
        beta: Option<f64>,
    },
}

/// The sizes of adapters that Gemini models take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdapterSize {
    /// 1
    One,
    /// 2
    Two,
    /// 4
    Four,
    /// 8
    Eight,
    /// 16
    Sixteen,
}

impl AdapterSize {
    /// All of them, from the smallest.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Four, Self::Eight, Self::Sixteen];

    /// The size as a number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }

    /// The size as the service spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "ADAPTER_SIZE_ONE",
            Self::Two => "ADAPTER_SIZE_TWO",
            Self::Four => "ADAPTER_SIZE_FOUR",
            Self::Eight => "ADAPTER_SIZE_EIGHT",
            Self::Sixteen => "ADAPTER_SIZE_SIXTEEN",
        }
    }
}

impl FromStr for AdapterSize {
    type Err = String;

    /// Reads `4`, `FOUR` and `ADAPTER_SIZE_FOUR`.
    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.to_ascii_uppercase();
        let is_it = |size: &Self| {
            let name = size.as_str();
            word == name || name.strip_prefix("ADAPTER_SIZE_") == Some(&*word)
        };
        let number = |size: &Self| text == size.number().to_string();
        let found = Self::ALL
            .into_iter()
            .find(|size| is_it(size) || number(size));
        found.ok_or_else(|| format!("`{text}` is no adapter size; there are 1, 2, 4, 8 and 16"))
    }
}

impl fmt::Display for AdapterSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// An option that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// [`Start::Base`].
    BaseModel,
    /// The model of [`Start::Tuned`].
    TunedModel,
    /// The checkpoint of [`Start::Tuned`].
    Checkpoint,
    /// [`TuningRequest::training_uri`].
    Training,
    /// [`TuningRequest::validation_uri`].
    Validation,
    /// [`TuningRequest::epoch_count`].
    EpochCount,
    /// [`TuningRequest::learning_rate_multiplier`].
    LearningRateMultiplier,
    /// The beta of [`Method::Preference`].
    Beta,
    /// [`TuningRequest::display_name`].
    DisplayName,
    /// [`TuningRequest::labels`].
    Labels,
    /// [`TuningRequest::service_account`].
    ServiceAccount,
    /// [`TuningRequest::kms_key`].
    KmsKey,
}

/// What is wrong with an option: a phrase that names its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The option.
    pub field: Field,
    /// What is wrong.
    pub message: String,
}

/// The most characters of a display name.
const MOST_NAME_CHARS: usize = 128;
/// The most characters of a key of a label, and of its value.
const MOST_LABEL_CHARS: usize = 63;
/// The most labels of a resource.
const MOST_LABELS: usize = 64;

impl TuningRequest {
    /// Makes a request with nothing but what it must have.
    #[must_use]
    pub fn new(start: Start, method: Method, training_uri: impl Into<String>) -> Self {
        Self {
            start,
            method,
            training_uri: training_uri.into(),
            validation_uri: None,
            epoch_count: None,
            learning_rate_multiplier: None,
            adapter_size: None,
            export_last_checkpoint_only: false,
            display_name: None,
            description: None,
            labels: BTreeMap::new(),
            service_account: None,
            kms_key: None,
        }
    }

    /// Lists everything that is wrong with the form of the options, in the
    /// order of [`Field`].
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |field, problem: Option<String>| {
            problems.extend(problem.map(|message| Problem { field, message }));
        };
        match &self.start {
            Start::Base(model) => add(Field::BaseModel, base_model(model)),
            Start::Tuned { model, checkpoint } => {
                let name = ResourceName::model(model).err();
                add(Field::TunedModel, name.map(|error| error.to_string()));
                let is_blank = checkpoint.as_deref().is_some_and(is_blank);
                let blank = is_blank.then(|| "the checkpoint has no id".to_owned());
                add(Field::Checkpoint, blank);
            }
        }
        add(Field::Training, dataset(&self.training_uri));
        if let Some(uri) = &self.validation_uri {
            let is_training = *uri == self.training_uri;
            let same = || format!("`{uri}` is the training dataset too");
            add(
                Field::Validation,
                dataset(uri).or_else(|| is_training.then(same)),
            );
        }
        if self.epoch_count == Some(0) {
            add(Field::EpochCount, Some("0 epochs train nothing".into()));
        }
        let multiplier = self.learning_rate_multiplier;
        add(Field::LearningRateMultiplier, multiplier.and_then(positive));
        if let Method::Preference { beta } = self.method {
            add(Field::Beta, beta.and_then(positive));
        }
        add(
            Field::DisplayName,
            self.display_name.as_deref().and_then(display_name),
        );
        if self.labels.len() > MOST_LABELS {
            let n = self.labels.len();
            add(
                Field::Labels,
                Some(format!("there are {n} labels, the limit is {MOST_LABELS}")),
            );
        }
        for (key, value) in &self.labels {
            add(Field::Labels, label(key, value));
        }
        let account = self.service_account.as_deref();
        add(Field::ServiceAccount, account.and_then(service_account));
        add(Field::KmsKey, self.kms_key.as_deref().and_then(kms_key));
        problems
    }

    /// The body with the label of its run.
    #[must_use]
    pub fn labelled(mut self, run_id: &str) -> Self {
        self.labels.insert(RUN_LABEL.into(), run_id.into());
        self
    }

    fn spec(&self) -> Spec<'_> {
        Spec {
            training_dataset_uri: &self.training_uri,
            validation_dataset_uri: self.validation_uri.as_deref(),
            hyper_parameters: HyperParameters {
                epoch_count: self.epoch_count.map(|n| n.to_string()),
                learning_rate_multiplier: self.learning_rate_multiplier,
                adapter_size: self.adapter_size.map(AdapterSize::as_str),
                beta: match self.method {
                    Method::Supervised => None,
                    Method::Preference { beta } => beta,
                },
            },
            export_last_checkpoint_only: self.export_last_checkpoint_only,
        }
    }
}

impl Serialize for TuningRequest {
    /// Writes the body of `tuningJobs.create`, options that were not chosen
    /// left out, in the order in which Google documents them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        match &self.start {
            Start::Base(model) => body.serialize_entry("baseModel", model)?,
            Start::Tuned { model, checkpoint } => {
                let model = PreTunedModel {
                    tuned_model_name: model,
                    checkpoint_id: checkpoint.as_deref(),
                };
                body.serialize_entry("preTunedModel", &model)?;
            }
        }
        let spec = match self.method {
            Method::Supervised => "supervisedTuningSpec",
            Method::Preference { .. } => "preferenceOptimizationSpec",
        };
        body.serialize_entry(spec, &self.spec())?;
        let mut texts = [
            ("tunedModelDisplayName", &self.display_name),
            ("description", &self.description),
            ("serviceAccount", &self.service_account),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_ref()?)));
        texts.try_for_each(|(name, text)| body.serialize_entry(name, text))?;
        if !self.labels.is_empty() {
            body.serialize_entry("labels", &self.labels)?;
        }
        if let Some(key) = &self.kms_key {
            let spec = EncryptionSpec { kms_key_name: key };
            body.serialize_entry("encryptionSpec", &spec)?;
        }
        body.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreTunedModel<'a> {
    tuned_model_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EncryptionSpec<'a> {
    kms_key_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    training_dataset_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_dataset_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "HyperParameters::is_empty")]
    hyper_parameters: HyperParameters,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    export_last_checkpoint_only: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HyperParameters {
    /// An int64 is a string in Google's JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch_count: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_rate_multiplier: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter_size: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beta: Option<f64>,
}

impl HyperParameters {
    fn is_empty(&self) -> bool {
        let Self {
            epoch_count,
            learning_rate_multiplier,
            adapter_size,
            beta,
        } = self;
        epoch_count.is_none()
            && learning_rate_multiplier.is_none()
            && adapter_size.is_none()
            && beta.is_none()
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn base_model(model: &str) -> Option<String> {
    if is_blank(model) {
        return Some("the base model has no name".into());
    }
    if model.starts_with("projects/") {
        return Some(format!("`{model}` is a tuned model, not a base model"));
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    model
        .contains(is_odd)
        .then(|| format!("`{model}` is no name of a model"))
}

fn dataset(uri: &str) -> Option<String> {
    let Some((bucket, object)) = uri
        .strip_prefix("gs://")
        .and_then(|rest| rest.split_once('/'))
    else {
        return Some(format!("`{uri}` is not like `gs://BUCKET/NAME.jsonl`"));
    };
    if bucket.is_empty() || object.is_empty() || object.contains(['\n', '\r']) {
        return Some(format!("`{uri}` is not like `gs://BUCKET/NAME.jsonl`"));
    }
    let is_jsonl = object.len() > ".jsonl".len() && object.ends_with(".jsonl");
    (!is_jsonl).then(|| format!("`{uri}` does not end in `.jsonl`, which the service asks for"))
}

fn positive(number: f64) -> Option<String> {
    let is_positive = number.is_finite() && number > 0.0;
    (!is_positive).then(|| format!("`{number}` is not above 0"))
}

fn display_name(name: &str) -> Option<String> {
    if is_blank(name) {
        return Some("the display name is empty".into());
    }
    let n = name.chars().count();
    (n > MOST_NAME_CHARS)
        .then(|| format!("the display name has {n} characters, the limit is {MOST_NAME_CHARS}"))
}

fn label(key: &str, value: &str) -> Option<String> {
    if key == RUN_LABEL {
        return Some(format!("the label `{RUN_LABEL}` is set by prep itself"));
    }
    // Letters of scripts without case are allowed.
    let is_plain = |c: char| {
        c == '_' || c == '-' || c.is_numeric() || c.is_alphabetic() && c.to_lowercase().eq([c])
    };
    let begins_well = key
        .chars()
        .next()
        .is_some_and(|c| is_plain(c) && c.is_alphabetic());
    if !begins_well || !key.chars().all(is_plain) {
        return Some(format!(
            "the label `{key}` must begin with a small letter and have small letters, digits, `_` and `-` only"
        ));
    }
    if !value.chars().all(is_plain) {
        return Some(format!(
            "the value `{value}` of the label `{key}` must have small letters, digits, `_` and `-` only"
        ));
    }
    for (what, text) in [("key", key), ("value", value)] {
        let n = text.chars().count();
        if n > MOST_LABEL_CHARS {
            return Some(format!(
                "the {what} of the label `{key}` has {n} characters, the limit is {MOST_LABEL_CHARS}"
            ));
        }
    }
    None
}

fn service_account(account: &str) -> Option<String> {
    let is_account = account.split_once('@').is_some_and(|(name, domain)| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        !name.is_empty()
            && account.chars().all(|c| is_plain(c) || c == '@')
            && domain.ends_with(".gserviceaccount.com")
            && !domain.contains('@')
    });
    (!is_account).then(|| format!("`{account}` is not like `NAME@PROJECT.iam.gserviceaccount.com`"))
}

fn kms_key(key: &str) -> Option<String> {
    let segments: Vec<_> = key.split('/').collect();
    let is_key = matches!(
        segments[..],
        ["projects", p, "locations", l, "keyRings", r, "cryptoKeys", k]
            if [p, l, r, k].into_iter().all(super::name::is_segment)
    );
    (!is_key).then(|| {
        format!(
            "`{key}` is not like `projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY`"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plain() -> TuningRequest {
        let start = Start::Base("gemini-3.5-flash".into());
        TuningRequest::new(start, Method::Supervised, "gs://b/train.jsonl")
    }

    fn full() -> TuningRequest {
        TuningRequest {
            validation_uri: Some("gs://bucket/path/validation.jsonl".into()),
            epoch_count: Some(3),
            learning_rate_multiplier: Some(1.5),
            adapter_size: Some(AdapterSize::Four),
            export_last_checkpoint_only: true,
            display_name: Some("my-model".into()),
            description: Some("novels".into()),
            labels: [("team".to_owned(), "mt".to_owned())].into(),
            service_account: Some("sa@acme.iam.gserviceaccount.com".into()),
            kms_key: Some("projects/p/locations/l/keyRings/r/cryptoKeys/k".into()),
            ..plain()
        }
    }

    fn tuned(checkpoint: Option<&str>) -> Start {
        Start::Tuned {
            model: "projects/1/locations/us/models/7@2".into(),
            checkpoint: checkpoint.map(Into::into),
        }
    }

    /// One request for every option, and some for all at once.
    fn requests() -> Vec<TuningRequest> {
        let preference = |beta| TuningRequest {
            method: Method::Preference { beta },
            ..full()
        };
        let mut requests = vec![
            plain(),
            full(),
            full().labelled("0123abcd"),
            TuningRequest {
                start: tuned(None),
                ..full()
            },
            TuningRequest {
                start: tuned(Some("3")),
                ..plain()
            },
            preference(None),
            preference(Some(0.1)),
            TuningRequest {
                epoch_count: Some(u32::MAX),
                ..plain()
            },
            TuningRequest {
                export_last_checkpoint_only: true,
                ..plain()
            },
            TuningRequest {
                display_name: Some("Novelas — edición «final»".into()),
                ..plain()
            },
        ];
        requests.extend(AdapterSize::ALL.map(|size| TuningRequest {
            adapter_size: Some(size),
            ..plain()
        }));
        requests
    }

    #[test]
    fn a_request_is_written_as_google_documents_it() {
        let body = |request: TuningRequest| serde_json::to_value(request).unwrap();
        assert_eq!(
            body(plain()),
            json!({
                "baseModel": "gemini-3.5-flash",
                "supervisedTuningSpec": {"trainingDatasetUri": "gs://b/train.jsonl"},
            })
        );
        assert_eq!(
            body(full().labelled("a1b2c3")),
            json!({
                "baseModel": "gemini-3.5-flash",
                "supervisedTuningSpec": {
                    "trainingDatasetUri": "gs://b/train.jsonl",
                    "validationDatasetUri": "gs://bucket/path/validation.jsonl",
                    "hyperParameters": {
                        "epochCount": "3",
                        "learningRateMultiplier": 1.5,
                        "adapterSize": "ADAPTER_SIZE_FOUR",
                    },
                    "exportLastCheckpointOnly": true,
                },
                "tunedModelDisplayName": "my-model",
                "description": "novels",
                "labels": {"prep-run": "a1b2c3", "team": "mt"},
                "encryptionSpec": {"kmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
                "serviceAccount": "sa@acme.iam.gserviceaccount.com",
            })
        );
        let preference = TuningRequest {
            method: Method::Preference { beta: Some(0.1) },
            start: tuned(Some("2")),
            ..plain()
        };
        assert_eq!(
            body(preference),
            json!({
                "preTunedModel": {
                    "tunedModelName": "projects/1/locations/us/models/7@2",
                    "checkpointId": "2",
                },
                "preferenceOptimizationSpec": {
                    "trainingDatasetUri": "gs://b/train.jsonl",
                    "hyperParameters": {"beta": 0.1},
                },
            })
        );
    }

    /// Holds a value to a schema of the published description: no member that
    /// it does not know, no type and no word of an enum that is not its own.
    fn hold(value: &Value, schema: &Value, schemas: &Value, place: &str, wrong: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            return hold(value, &schemas[name], schemas, place, wrong);
        }
        if schema["readOnly"] == true {
            wrong.push(format!("{place} is for output only"));
        }
        let is_right = match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("int64")) => value
                .as_str()
                .is_some_and(|text| text.parse::<i64>().is_ok()),
            (Some("string"), _) => {
                let words = schema["enum"].as_array();
                let is_word = |words: &Vec<Value>| words.contains(value);
                value.is_string() && words.is_none_or(is_word)
            }
            (Some("number"), _) => value.is_number(),
            (Some("integer"), Some("int32")) => {
                value.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
            }
            (Some("boolean"), _) => value.is_boolean(),
            (Some("object"), _) => value.is_object(),
            (Some("array"), _) => value.is_array(),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{place} is {value}, and not {schema}"));
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let place = format!("{place}.{name}");
            let known = [&schema["properties"][name], &schema["additionalProperties"]];
            match known.into_iter().find(|schema| schema.is_object()) {
                Some(schema) => hold(member, schema, schemas, &place, wrong),
                None => wrong.push(format!("{place} is not known")),
            }
        }
    }

    #[test]
    fn requests_are_as_the_published_description_says() {
        let Some(description) = crate::testing::description("aiplatform.v1.json") else {
            return;
        };
        let schemas = &description["schemas"];
        let job = &schemas["GoogleCloudAiplatformV1TuningJob"];
        for request in requests() {
            assert_eq!(
                request.problems().len(),
                usize::from(request.labels.contains_key(RUN_LABEL))
            );
            let body = serde_json::to_value(&request).unwrap();
            let mut wrong = Vec::new();
            hold(&body, job, schemas, "job", &mut wrong);
            assert!(wrong.is_empty(), "{body}\n{}", wrong.join("\n"));
        }
        // The check can fail.
        for odd in [
            json!({"baseModell": "x"}),
            json!({"baseModel": 7}),
            json!({"state": "JOB_STATE_RUNNING"}),
            json!({"supervisedTuningSpec": {"hyperParameters": {"adapterSize": "FOUR"}}}),
            json!({"supervisedTuningSpec": {"hyperParameters": {"epochCount": 3}}}),
        ] {
            let mut wrong = Vec::new();
            hold(&odd, job, schemas, "job", &mut wrong);
            assert_eq!(wrong.len(), 1, "{odd}: {wrong:?}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let request = TuningRequest {
            start: Start::Base("projects/1/locations/us/models/7".into()),
            method: Method::Preference { beta: Some(0.0) },
            training_uri: "train.jsonl".into(),
            validation_uri: Some("gs://b/validation.json".into()),
            epoch_count: Some(0),
            learning_rate_multiplier: Some(f64::NAN),
            display_name: Some("x".repeat(129)),
            labels: [
                ("Team".to_owned(), "mt".to_owned()),
                (RUN_LABEL.to_owned(), String::new()),
                ("ok".to_owned(), "New York".to_owned()),
                ("7".to_owned(), String::new()),
                ("long".to_owned(), "x".repeat(64)),
            ]
            .into(),
            service_account: Some("me@example.com".into()),
            kms_key: Some("projects/p/locations/l/keyRings/r".into()),
            ..plain()
        };
        let problems = request.problems();
        let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
        let labels = [Field::Labels; 5];
        let mut expected = vec![
            Field::BaseModel,
            Field::Training,
            Field::Validation,
            Field::EpochCount,
            Field::LearningRateMultiplier,
            Field::Beta,
            Field::DisplayName,
        ];
        expected.extend(labels);
        expected.extend([Field::ServiceAccount, Field::KmsKey]);
        assert_eq!(fields, expected, "{problems:#?}");
    }

    #[test]
    fn forms_are_checked_one_by_one() {
        let check = |change: fn(&mut TuningRequest), expected: &[Field]| {
            let mut request = plain();
            change(&mut request);
            let problems = request.problems();
            let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
            assert_eq!(fields, expected, "{problems:?}");
        };
        check(|_| (), &[]);
        check(|r| r.display_name = Some("é".repeat(128)), &[]);
        check(|r| r.display_name = Some(" ".into()), &[Field::DisplayName]);
        check(|r| r.labels = [("日本".into(), "語".into())].into(), &[]);
        check(
            |r| r.labels = [("a".repeat(63), "1".repeat(63))].into(),
            &[],
        );
        check(
            |r| r.labels = [("a".repeat(64), String::new())].into(),
            &[Field::Labels],
        );
        check(
            |r| r.labels = (0..65).map(|n| (format!("k{n}"), String::new())).collect(),
            &[Field::Labels],
        );
        check(
            |r| r.validation_uri = Some(r.training_uri.clone()),
            &[Field::Validation],
        );
        check(
            |r| r.training_uri = "gs://b/.jsonl".into(),
            &[Field::Training],
        );
        check(
            |r| r.training_uri = "gs:///x.jsonl".into(),
            &[Field::Training],
        );
        check(
            |r| r.start = Start::Base(String::new()),
            &[Field::BaseModel],
        );
        check(
            |r| {
                r.start = Start::Tuned {
                    model: "7".into(),
                    checkpoint: Some(String::new()),
                };
            },
            &[Field::TunedModel, Field::Checkpoint],
        );
        check(
            |r| r.learning_rate_multiplier = Some(-1.0),
            &[Field::LearningRateMultiplier],
        );
        check(
            |r| r.service_account = Some("7-compute@developer.gserviceaccount.com".into()),
            &[],
        );
    }

    #[test]
    fn adapter_sizes_are_read_as_people_write_them() {
        for size in AdapterSize::ALL {
            let word = size.as_str().trim_start_matches("ADAPTER_SIZE_");
            for text in [&size.to_string(), size.as_str(), word, &word.to_lowercase()] {
                assert_eq!(text.parse(), Ok(size));
            }
        }
        for text in ["3", "32", "", "ADAPTER_SIZE_", "SIZE_ONE"] {
            assert!(
                text.parse::<AdapterSize>()
                    .unwrap_err()
                    .contains("1, 2, 4, 8 and 16")
            );
        }
    }
}
