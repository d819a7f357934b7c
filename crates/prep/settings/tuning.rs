//! The tuning job, as `prep.yaml` and the tuning configurations that people
//! already have spell it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::args::MethodName;

/// The tuning job.
#[derive(Debug, Default, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(crate) struct TuningSettings {
    /// The base model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// The training set: a file, or `gs://…` of one that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) train: Option<String>,
    /// The validation set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<String>,
    /// The name of the tuned model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// What the tuned model is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// How often the training set is gone through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epochs: Option<u32>,
    /// By how much the learning rate is multiplied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) learning_rate_multiplier: Option<f64>,
    /// The size of the adapter: 1, 2, 4, 8 or 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adapter_size: Option<u32>,
    /// Whether there is one checkpoint only, the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) export_last_checkpoint_only: Option<bool>,
    /// How the model is tuned: `sft` or `preference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<MethodName>,
    /// How far preference tuning may go from the base model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta: Option<f64>,
    /// The project on Google Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// The region of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// Where datasets are uploaded: `gs://BUCKET` or `gs://BUCKET/PREFIX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bucket: Option<String>,
    /// The account that the job runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_account: Option<String>,
    /// The key that encrypts the tuned model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key: Option<String>,
    /// The tuned model to go on from, instead of a base model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_tuned_model: Option<String>,
    /// The checkpoint of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<String>,
    /// Labels of the job, its model and its endpoint.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// What the user may not expect of how this was read.
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

/// Each setting: its name, other spellings, and whether these may stand at the
/// top level, where tuning configurations have them.
const NAMES: &[(&str, &[&str])] = &[
    (
        "model",
        &["source_model_name", "base_model", "source_model"],
    ),
    ("train", &["train_dataset", "training_dataset_uri"]),
    (
        "validation",
        &["validation_dataset", "validation_dataset_uri"],
    ),
    ("display_name", &["tuned_model_display_name"]),
    ("description", &[]),
    ("epochs", &["epoch", "epoch_count"]),
    ("learning_rate_multiplier", &[]),
    ("adapter_size", &[]),
    ("export_last_checkpoint_only", &[]),
    ("method", &[]),
    ("beta", &[]),
    ("project", &["project_id"]),
    ("location", &["region"]),
    ("bucket", &[]),
    ("service_account", &[]),
    ("kms_key", &["kms_key_name"]),
    ("from_tuned_model", &["pre_tuned_model"]),
    ("checkpoint", &["checkpoint_id"]),
    ("labels", &[]),
];

/// What may stand at the top level of the file: whatever tuning configurations
/// say there, and nothing that could be taken for something else.
const TOP_LEVEL: &[&str] = &[
    "source_model_name",
    "base_model",
    "source_model",
    "train_dataset",
    "validation_dataset",
    "tuned_model_display_name",
    "epoch",
    "epochs",
    "epoch_count",
    "learning_rate_multiplier",
    "adapter_size",
    "export_last_checkpoint_only",
    "project",
    "project_id",
    "location",
    "region",
    "bucket",
];

/// All names of the top level, for the message about one that is not known.
pub(super) fn top_level_names() -> &'static [&'static str] {
    static NAMES: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    NAMES.get_or_init(|| [super::SECTIONS, TOP_LEVEL].concat())
}

/// All names of the section.
fn names() -> &'static [&'static str] {
    static ALL: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let names = NAMES.iter();
        names
            .flat_map(|(name, others)| std::iter::once(*name).chain(others.iter().copied()))
            .collect()
    })
}

/// The setting that a spelling is of.
fn canonical(name: &str) -> Option<&'static str> {
    let is_it = |(known, others): &&(&str, &[&str])| *known == name || others.contains(&name);
    NAMES.iter().find(is_it).map(|(known, _)| *known)
}

/// Adds the other spellings to the schema of the settings.
pub(super) fn spell_out(schema: &mut serde_json::Value) {
    let mut section = schema["$defs"]["TuningSettings"]["properties"].take();
    for (name, others) in NAMES {
        for other in *others {
            section[*other] = section[*name].clone();
        }
    }
    // These are written in more ways than numbers are.
    section["adapter_size"] = serde_json::json!({
        "description": section["adapter_size"]["description"],
        "enum": [1, 2, 4, 8, 16, "ONE", "TWO", "FOUR", "EIGHT", "SIXTEEN",
            "ADAPTER_SIZE_ONE", "ADAPTER_SIZE_TWO", "ADAPTER_SIZE_FOUR", "ADAPTER_SIZE_EIGHT",
            "ADAPTER_SIZE_SIXTEEN", "SMALL", "MEDIUM", "LARGE"],
    });
    for name in TOP_LEVEL {
        schema["properties"][*name] = section[*name].clone();
    }
    schema["$defs"]["TuningSettings"]["properties"] = section;
}

impl TuningSettings {
    /// Reads the setting of that name, at the top level or in its section;
    /// `false` if it is none.
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        is_top: bool,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        if is_top && !TOP_LEVEL.contains(&name) {
            return Ok(false);
        }
        let Some(known) = canonical(name) else {
            return Ok(false);
        };
        fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
            place: &mut Option<T>,
            (name, known): (&str, &str),
            map: &mut A,
        ) -> Result<(), A::Error> {
            if place.is_some() {
                let twice = format!("`{name}` says again what `{known}` is");
                return Err(A::Error::custom(twice));
            }
            *place = Some(map.next_value()?);
            Ok(())
        }
        let names = (name, known);
        match known {
            "model" => once(&mut self.model, names, map)?,
            "train" => once(&mut self.train, names, map)?,
            "validation" => once(&mut self.validation, names, map)?,
            "display_name" => once(&mut self.display_name, names, map)?,
            "description" => once(&mut self.description, names, map)?,
            "epochs" => once(&mut self.epochs, names, map)?,
            "learning_rate_multiplier" => {
                once(&mut self.learning_rate_multiplier, names, map)?;
            }
            "adapter_size" => {
                let mut size: Option<AdapterSize> = self.adapter_size.map(AdapterSize::of);
                once(&mut size, names, map)?;
                if let Some(AdapterSize { size, word }) = size {
                    self.adapter_size = Some(size);
                    self.notes.extend(word);
                }
            }
            "export_last_checkpoint_only" => {
                once(&mut self.export_last_checkpoint_only, names, map)?;
            }
            "method" => {
                if self.method.is_none() {
                    self.method = map.next_value_seed(MethodSeed)?;
                }
            }
            "beta" => once(&mut self.beta, names, map)?,
            "project" => once(&mut self.project, names, map)?,
            "location" => once(&mut self.location, names, map)?,
            "bucket" => once(&mut self.bucket, names, map)?,
            "service_account" => once(&mut self.service_account, names, map)?,
            "kms_key" => once(&mut self.kms_key, names, map)?,
            "from_tuned_model" => once(&mut self.from_tuned_model, names, map)?,
            "checkpoint" => once(&mut self.checkpoint, names, map)?,
            _ => self.labels = map.next_value()?,
        }
        Ok(true)
    }

    /// Takes over what was said at the top level.
    ///
    /// # Errors
    ///
    /// When both say something.
    pub(super) fn fill(&mut self, top: Self) -> Result<(), String> {
        fn one<T>(place: &mut Option<T>, other: Option<T>, name: &str) -> Result<(), String> {
            match (&place, other) {
                (Some(_), Some(_)) => Err(format!(
                    "`{name}` stands at the top level and under `tuning`; say it once"
                )),
                (None, other) => {
                    *place = other;
                    Ok(())
                }
                (Some(_), None) => Ok(()),
            }
        }
        one(&mut self.model, top.model, "model")?;
        one(&mut self.train, top.train, "train")?;
        one(&mut self.validation, top.validation, "validation")?;
        one(&mut self.display_name, top.display_name, "display_name")?;
        one(&mut self.epochs, top.epochs, "epochs")?;
        one(
            &mut self.learning_rate_multiplier,
            top.learning_rate_multiplier,
            "learning_rate_multiplier",
        )?;
        one(&mut self.adapter_size, top.adapter_size, "adapter_size")?;
        one(
            &mut self.export_last_checkpoint_only,
            top.export_last_checkpoint_only,
            "export_last_checkpoint_only",
        )?;
        one(&mut self.project, top.project, "project")?;
        one(&mut self.location, top.location, "location")?;
        one(&mut self.bucket, top.bucket, "bucket")?;
        self.notes.extend(top.notes);
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TuningSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TuningVisitor;

        impl<'de> Visitor<'de> for TuningVisitor {
            type Value = TuningSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("settings of a tuning job by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TuningSettings, A::Error> {
                let mut settings = TuningSettings::default();
                while let Some(name) = map.next_key::<String>()? {
                    if !settings.read(&name, false, &mut map)? {
                        return Err(A::Error::unknown_field(&name, names()));
                    }
                }
                Ok(settings)
            }
        }

        deserializer.deserialize_map(TuningVisitor)
    }
}

struct MethodSeed;

impl<'de> serde::de::DeserializeSeed<'de> for MethodSeed {
    type Value = Option<MethodName>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Option<MethodName>, D::Error> {
        super::method(deserializer)
    }
}

/// The size of an adapter in any of its spellings.
struct AdapterSize {
    size: u32,
    /// What is to be told about an old word.
    word: Option<String>,
}

impl AdapterSize {
    fn of(size: u32) -> Self {
        Self { size, word: None }
    }

    fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_uppercase();
        let word = word.strip_prefix("ADAPTER_SIZE_").unwrap_or(&word);
        let size = match word {
            "1" | "ONE" => 1,
            "2" | "TWO" => 2,
            "4" | "FOUR" | "SMALL" => 4,
            "8" | "EIGHT" | "MEDIUM" => 8,
            "16" | "SIXTEEN" | "LARGE" => 16,
            _ => return None,
        };
        let is_old = matches!(word, "SMALL" | "MEDIUM" | "LARGE");
        let note = || format!("the adapter size `{text}` is taken as {size}");
        Some(Self {
            size,
            word: is_old.then(note),
        })
    }
}

impl<'de> Deserialize<'de> for AdapterSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = super::number_or_word(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no adapter size; there are 1, 2, 4, 8 and 16"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn a_tuning_configuration_is_read_as_it_is() {
        let text = "
source_model_name: gemini-2.5-flash
train_dataset: gs://mt/train.jsonl
validation_dataset: gs://mt/validation.jsonl
tuned_model_display_name: novels
epoch: 3
learning_rate_multiplier: 1.0
adapter_size: ADAPTER_SIZE_FOUR
export_last_checkpoint_only: true
";
        let tuning = Settings::parse(text).unwrap().tuning;
        assert_eq!(tuning.model.as_deref(), Some("gemini-2.5-flash"));
        assert_eq!(tuning.train.as_deref(), Some("gs://mt/train.jsonl"));
        assert_eq!(tuning.display_name.as_deref(), Some("novels"));
        assert_eq!((tuning.epochs, tuning.adapter_size), (Some(3), Some(4)));
        assert_eq!(tuning.learning_rate_multiplier, Some(1.0));
        assert_eq!(tuning.export_last_checkpoint_only, Some(true));
        let indented = text.replace('\n', "\n  ");
        let section = Settings::parse(&format!("tuning:{indented}")).unwrap();
        assert_eq!(section.tuning, tuning);
    }

    #[test]
    fn adapter_sizes_have_many_spellings() {
        let read = |size: &str| {
            let settings = Settings::parse(&format!("adapter_size: {size}"));
            let tuning = settings.unwrap().tuning;
            (tuning.adapter_size.unwrap(), tuning.notes.len())
        };
        for (size, expected) in [
            ("4", (4, 0)),
            ("'8'", (8, 0)),
            ("SIXTEEN", (16, 0)),
            ("ADAPTER_SIZE_ONE", (1, 0)),
            ("two", (2, 0)),
            ("SMALL", (4, 1)),
            ("medium", (8, 1)),
            ("LARGE", (16, 1)),
        ] {
            assert_eq!(read(size), expected, "{size}");
        }
        let refused = Settings::parse("adapter_size: 32").unwrap_err();
        assert!(refused.reason.contains("`32` is no adapter size"));
    }

    #[test]
    fn what_is_said_twice_is_refused() {
        let refused = |text: &str| Settings::parse(text).unwrap_err().reason;
        let twice = refused("epoch: 3\nepochs: 4\n");
        assert!(twice.contains("`epochs` says again"), "{twice}");
        let both = refused("epoch: 3\ntuning:\n  epochs: 4\n");
        assert!(both.contains("at the top level and under"), "{both}");
        let slip = Settings::parse("learning_rate_multiplyer: 1\n").unwrap_err();
        assert_eq!(
            slip.hint.as_deref(),
            Some("the nearest known key is `learning_rate_multiplier`")
        );
        assert_eq!(slip.place, Some((1, 1)));
        let slip = Settings::parse("tuning:\n  modle: x\n").unwrap_err();
        assert_eq!(
            slip.hint.as_deref(),
            Some("the nearest known key is `model`")
        );
    }
}
