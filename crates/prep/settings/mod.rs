//! What a project's `prep.yaml` says.
//!
//! A flag goes before the file, the file before the default. Keys that are not
//! known are refused, with the nearest that is: a setting that is misspelt
//! must not be a setting that is forgotten.

mod project;
mod tuning;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use prep_data::diag::Level;
use prep_data::example::models::Date;
use prep_data::rules::Preset;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::args::{MethodName, Most, Shared, language_tag};
use crate::failure::Failure;

pub(crate) use self::project::{
    DedupeSettings, EvaluateSettings, FixSettings, GateSettings, MixSettings, PredictSettings,
    SourceSettings, SplitSettings,
};
pub(crate) use self::tuning::TuningSettings;

/// The file that is read when none is named and it is there.
const DEFAULT: &str = "prep.yaml";

/// Everything a `prep.yaml` may say.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Where the data comes from.
    pub(crate) sources: Vec<SourceSettings>,
    /// Where `prep run` keeps what it makes on the way.
    pub(crate) directory: Option<PathBuf>,
    /// What `prep fix` is to repair before anything else is done.
    pub(crate) fix: Option<FixSettings>,
    /// What is left out because it repeats something.
    pub(crate) dedupe: DedupeSettings,
    /// What is kept for validation.
    pub(crate) split: SplitSettings,
    /// How sources that have a weight are blended in.
    pub(crate) mix: MixSettings,
    /// How datasets are checked.
    pub(crate) validate: ValidateSettings,
    /// What `prep filter` leaves out.
    pub(crate) filter: FilterSettings,
    /// What segment pairs are like, for `validate` and `filter`.
    pub(crate) pairs: PairSettings,
    /// A SentencePiece model to count tokens by.
    pub(crate) tokenizer: Option<PathBuf>,
    /// What training costs, where that is known better than by the table.
    pub(crate) prices: PriceSettings,
    /// The tuning job. Its settings may also stand at the top level, as tuning
    /// configurations spell them.
    pub(crate) tuning: TuningSettings,
    /// How the models are asked for predictions.
    pub(crate) predict: PredictSettings,
    /// How predictions are scored.
    pub(crate) evaluate: EvaluateSettings,
    /// What must hold for the run to go on.
    pub(crate) gates: GateSettings,
}

/// The sections, as they are spelled.
const SECTIONS: &[&str] = &[
    "sources",
    "directory",
    "fix",
    "filter",
    "pairs",
    "dedupe",
    "split",
    "mix",
    "validate",
    "tokenizer",
    "prices",
    "tuning",
    "predict",
    "evaluate",
    "gates",
];

impl Settings {
    /// Reads a section; `false` if it is none.
    fn section<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "sources" => self.sources = map.next_value()?,
            "directory" => self.directory = map.next_value()?,
            "fix" => self.fix = map.next_value()?,
            "filter" => self.filter = map.next_value()?,
            "pairs" => self.pairs = map.next_value()?,
            "dedupe" => self.dedupe = map.next_value()?,
            "split" => self.split = map.next_value()?,
            "mix" => self.mix = map.next_value()?,
            "validate" => self.validate = map.next_value()?,
            "tokenizer" => self.tokenizer = map.next_value()?,
            "prices" => self.prices = map.next_value()?,
            "predict" => self.predict = map.next_value()?,
            "evaluate" => self.evaluate = map.next_value()?,
            "gates" => self.gates = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SettingsVisitor)
    }
}

struct SettingsVisitor;

impl<'de> Visitor<'de> for SettingsVisitor {
    type Value = Settings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
        let mut settings = Settings::default();
        // What stands at the top level as tuning configurations spell it.
        let mut top = TuningSettings::default();
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format!("`{name}` is there twice")));
            }
            if name == "tuning" {
                settings.tuning = map.next_value()?;
            } else if !settings.section(&name, &mut map)? && !top.read(&name, true, &mut map)? {
                return Err(A::Error::unknown_field(&name, tuning::top_level_names()));
            }
            seen.push(name);
        }
        settings.tuning.fill(top).map_err(A::Error::custom)?;
        Ok(settings)
    }
}

/// Prices of training, by the name of the model.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct PriceSettings(pub(crate) BTreeMap<String, OwnPrice>);

/// A price of training: `10.0`, or a mapping that says how it is known.
#[derive(Debug, Serialize)]
pub(crate) struct OwnPrice {
    /// US dollars for a million tokens.
    pub(crate) training: f64,
    /// The day on which that was so.
    pub(crate) as_of: Option<Date>,
    /// How it is known.
    pub(crate) evidence: Option<String>,
}

impl JsonSchema for OwnPrice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let dollars = serde_json::json!({"type": "number", "minimum": 0});
        schemars::json_schema!({
            "description": "US dollars for a million tokens of training.",
            "oneOf": [dollars, {
                "type": "object",
                "properties": {
                    "training": dollars,
                    "as_of": {"type": "string", "format": "date"},
                    "evidence": {"type": "string"},
                },
                "required": ["training"],
                "additionalProperties": false,
            }],
        })
    }
}

impl<'de> Deserialize<'de> for OwnPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriceVisitor)
    }
}

struct PriceVisitor;

impl<'de> Visitor<'de> for PriceVisitor {
    type Value = OwnPrice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("US dollars for a million tokens, or `training`, `as_of` and `evidence`")
    }

    fn visit_f64<E: serde::de::Error>(self, training: f64) -> Result<OwnPrice, E> {
        if !(0.0..1e9).contains(&training) {
            return Err(E::custom(format!("`{training}` is no price")));
        }
        Ok(OwnPrice {
            training,
            as_of: None,
            evidence: None,
        })
    }

    fn visit_u64<E: serde::de::Error>(self, training: u64) -> Result<OwnPrice, E> {
        self.visit_f64(training as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, training: i64) -> Result<OwnPrice, E> {
        self.visit_f64(training as f64)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OwnPrice, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Known {
            training: f64,
            as_of: Option<Date>,
            evidence: Option<String>,
        }
        let known = Known::deserialize(MapAccessDeserializer::new(map))?;
        let price: OwnPrice = self.visit_f64(known.training)?;
        Ok(OwnPrice {
            as_of: known.as_of,
            evidence: known.evidence,
            ..price
        })
    }
}

/// How datasets are checked: what `prep validate` and `prep fix` go by.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ValidateSettings {
    /// The base model that is to be tuned.
    pub(crate) model: Option<String>,
    /// The adapter size that is to be used.
    pub(crate) adapter_size: Option<u32>,
    /// The location of the tuning job.
    pub(crate) location: Option<String>,
    /// How the model is to be tuned.
    #[serde(deserialize_with = "method")]
    pub(crate) method: Option<MethodName>,
    /// The kind of text whose rules of segment pairs are on.
    #[serde(deserialize_with = "preset", serialize_with = "preset_name")]
    #[schemars(with = "Option<PresetName>")]
    pub(crate) preset: Option<Preset>,
    /// The only rules that count.
    pub(crate) select: Vec<String>,
    /// The rules that do not count.
    pub(crate) ignore: Vec<String>,
    /// How much rules matter, by code, name or beginning of codes.
    pub(crate) levels: BTreeMap<String, LevelWord>,
    /// The most findings of each rule that are listed.
    #[serde(deserialize_with = "most")]
    #[schemars(with = "Option<project::Word>")]
    pub(crate) max_per_rule: Option<Most>,
    /// A report of before; what it lists is not told again.
    pub(crate) baseline: Option<PathBuf>,
}

/// What `prep filter` leaves out.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FilterSettings {
    /// The kind of text; that of `validate` if there is none.
    #[serde(deserialize_with = "preset", serialize_with = "preset_name")]
    #[schemars(with = "Option<PresetName>")]
    pub(crate) preset: Option<Preset>,
    /// What is left out as well, by code or name.
    pub(crate) drop: Vec<String>,
    /// What is kept and told.
    pub(crate) keep: Vec<String>,
}

/// What segment pairs are like.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PairSettings {
    /// The language of the sources.
    #[serde(deserialize_with = "language")]
    pub(crate) src_lang: Option<String>,
    /// The language of the targets.
    #[serde(deserialize_with = "language")]
    pub(crate) tgt_lang: Option<String>,
    /// What stands before every source.
    pub(crate) source_prefix: Option<String>,
    /// Terms to keep to.
    pub(crate) glossary: Option<PathBuf>,
}

impl FilterSettings {
    /// Whether there is anything to filter by.
    pub(crate) fn is_asked(&self) -> bool {
        self.preset.is_some() || !self.drop.is_empty()
    }

    /// The flags of `prep filter`.
    pub(crate) fn flags(&self) -> Vec<String> {
        let preset = self.preset.map(|preset| format!("--preset={preset}"));
        let drop = self.drop.iter().map(|code| format!("--drop={code}"));
        let keep = self.keep.iter().map(|code| format!("--keep={code}"));
        preset.into_iter().chain(drop).chain(keep).collect()
    }
}

fn preset_name<S: serde::Serializer>(
    preset: &Option<Preset>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    preset
        .map(|preset| preset.to_string())
        .serialize(serializer)
}

/// The presets, for the schema.
struct PresetName;

impl JsonSchema for PresetName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Preset".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": Preset::ALL.map(|preset| preset.to_string())})
    }
}

fn preset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Preset>, D::Error> {
    let word = String::deserialize(deserializer)?;
    word.parse().map(Some).map_err(serde::de::Error::custom)
}

fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let tag = String::deserialize(deserializer)?;
    language_tag(&tag)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

/// A level in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LevelWord(pub(crate) Level);

impl Serialize for LevelWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl JsonSchema for LevelWord {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": ["allow", "warn", "error"]})
    }
}

impl<'de> Deserialize<'de> for LevelWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let level = word.parse().map_err(|()| {
            serde::de::Error::custom(format!(
                "`{word}` is no level; there are `allow`, `warn` and `error`"
            ))
        })?;
        Ok(Self(level))
    }
}

fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MethodName>, D::Error> {
    let word = String::deserialize(deserializer)?;
    match word.as_str() {
        "sft" => Ok(Some(MethodName::Sft)),
        "preference" => Ok(Some(MethodName::Preference)),
        _ => Err(serde::de::Error::custom(format!(
            "`{word}` is no method; there are `sft` and `preference`"
        ))),
    }
}

fn most<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Most>, D::Error> {
    let text = number_or_word(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Reads a whole number or a word, as the text that a flag would be given.
fn number_or_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrWord {
        Number(u64),
        Word(String),
    }
    Ok(match NumberOrWord::deserialize(deserializer)? {
        NumberOrWord::Number(n) => n.to_string(),
        NumberOrWord::Word(word) => word,
    })
}

impl Settings {
    /// The JSON Schema of the file, by which editors complete it.
    pub(crate) fn schema() -> serde_json::Value {
        let schema = schemars::schema_for!(Self);
        let mut schema = schema.to_value();
        tuning::spell_out(&mut schema);
        schema["title"] = "prep.yaml".into();
        schema
    }

    /// Reads the file that `--config` names, or `prep.yaml` if it is there.
    pub(crate) fn read(shared: &Shared) -> Result<Self, Failure> {
        let path = shared.config.as_deref().unwrap_or(Path::new(DEFAULT));
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|error| error.failure(path)),
            Err(error) if shared.config.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => {
                let cannot = format!("cannot read `{}`", path.display());
                Err(Failure::from(anyhow::Error::new(error).context(cannot)))
            }
        }
    }

    fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| Unreadable::of(&error))
    }
}

/// What is wrong with a settings file.
#[derive(Debug, PartialEq, Eq)]
struct Unreadable {
    /// Line and column, from 1, if they are known.
    place: Option<(u64, u64)>,
    reason: String,
    hint: Option<String>,
}

impl Unreadable {
    fn of(error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let place = error.location().map(|at| (at.line(), at.column()));
        let text = error.to_string();
        let hint = match error {
            serde_saphyr::Error::SerdeUnknownField {
                field, expected, ..
            } => misplaced(field).or_else(|| {
                let nearest = prep_data::text::nearest::nearest(field, expected.iter().copied())?;
                Some(format!("the nearest known key is `{nearest}`"))
            }),
            _ => None,
        };
        // The place is told apart.
        let text = text.split(" at line ").next().unwrap_or_default();
        let reason = text.lines().next().unwrap_or_default();
        Self {
            place,
            hint,
            reason: reason.to_owned(),
        }
    }

    fn failure(self, path: &Path) -> Failure {
        let place = match self.place {
            Some((line, column)) => format!("{}:{line}:{column}", path.display()),
            None => path.display().to_string(),
        };
        let failure = Failure::from(anyhow::anyhow!("{}", self.reason).context(format!(
            "`{}` is not as settings are: {place}",
            path.display()
        )));
        match self.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Where a key belongs that stands in the wrong section.
fn misplaced(key: &str) -> Option<String> {
    let schema = Settings::schema();
    let sections = schema["properties"].as_object()?;
    let knows = |section: &serde_json::Value| {
        let places = ["/$ref", "/items/$ref", "/anyOf/0/$ref"];
        let defined = places.iter().find_map(|place| section.pointer(place));
        let defined = defined.and_then(|path| schema.pointer(path.as_str()?.strip_prefix('#')?));
        defined.is_some_and(|section| section["properties"].get(key).is_some())
    };
    let known = sections.iter().filter(|(_, section)| knows(section));
    let known: Vec<_> = known.map(|(name, _)| format!("`{name}:`")).collect();
    let (last, before) = known.split_last()?;
    Some(match before {
        [] => format!("`{key}` is a key of {last}"),
        _ => format!("`{key}` is a key of {} and {last}", before.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let text = "
validate:
  model: gemini-3.5-flash   # the better one
  method: preference
  ignore: [E066]
  levels:
    D001: error
  max_per_rule: all
";
        let settings = Settings::parse(text).unwrap().validate;
        assert_eq!(settings.model.as_deref(), Some("gemini-3.5-flash"));
        assert_eq!(settings.method, Some(MethodName::Preference));
        assert_eq!(settings.levels["D001"].0, Level::Error);
        assert_eq!(settings.max_per_rule, Some(Most(usize::MAX)));
        assert_eq!(settings.ignore, ["E066"]);
    }

    #[test]
    fn settings_of_pairs_are_read() {
        let text = "
validate: {preset: novel}
filter: {preset: ui, drop: [P012], keep: [P008]}
pairs: {src_lang: en, tgt_lang: es-419, glossary: terms.csv}
";
        let settings = Settings::parse(text).unwrap();
        assert_eq!(settings.validate.preset, Some(Preset::Novel));
        assert_eq!(settings.filter.preset, Some(Preset::Ui));
        assert_eq!(
            (&*settings.filter.drop, &*settings.filter.keep),
            (&["P012".to_owned()][..], &["P008".to_owned()][..])
        );
        assert_eq!(settings.pairs.tgt_lang.as_deref(), Some("es-419"));
        let refused = |text: &str| Settings::parse(text).unwrap_err().reason;
        assert!(refused("filter: {preset: poem}").contains("`poem` is no preset"));
        assert!(refused("pairs: {src_lang: klingon}").contains("`klingon` is no language"));
    }

    #[test]
    fn prices_are_read() {
        let text = "
prices:
  gemini-3.5-flash: 9
  gemini-3.1-flash-lite: 2.75
  gemini-9: {training: 4.5, as_of: 2026-11-01, evidence: our contract}
";
        let prices = Settings::parse(text).unwrap().prices.0;
        assert_eq!(prices["gemini-3.5-flash"].training, 9.0);
        assert_eq!(prices["gemini-3.1-flash-lite"].training, 2.75);
        let price = &prices["gemini-9"];
        assert_eq!(
            (price.training, price.as_of),
            (4.5, "2026-11-01".parse().ok())
        );
        assert_eq!(price.evidence.as_deref(), Some("our contract"));
        let refused = |text: &str| Settings::parse(text).unwrap_err();
        let slip = refused("prices:\n  gemini-9:\n    trainning: 4.5\n");
        assert_eq!(
            slip.hint.as_deref(),
            Some("the nearest known key is `training`")
        );
        assert!(
            refused("prices: {gemini-9: -1}")
                .reason
                .contains("`-1` is no price")
        );
        assert!(
            refused("prices: {gemini-9: cheap}")
                .reason
                .contains("cheap")
        );
        assert!(
            refused("prices: {gemini-9: {training: 1, as_of: soon}}")
                .reason
                .contains("`soon` is no date")
        );
    }

    #[test]
    fn a_key_of_another_section_is_refused_with_its_place() {
        let refused = |text| Settings::parse(text).unwrap_err();
        let slip = refused("filter:\n  tgt_lang: es\n");
        assert_eq!(slip.place, Some((2, 3)));
        let hint = "`tgt_lang` is a key of `pairs:` and `sources:`";
        assert_eq!(slip.hint.as_deref(), Some(hint));
        let slip = refused("validate: {epochs: 3}");
        assert_eq!(slip.hint.as_deref(), Some("`epochs` is a key of `tuning:`"));
    }

    #[test]
    fn a_slip_is_refused_with_the_nearest_key() {
        let refused = |text: &str| Settings::parse(text).unwrap_err();
        let slip = refused("validate:\n  modle: x\n");
        assert_eq!(
            slip.hint.as_deref(),
            Some("the nearest known key is `model`")
        );
        assert_eq!(slip.place, Some((2, 3)));
        assert!(slip.reason.contains("modle"), "{slip:?}");
        assert_eq!(
            refused("validat: {}").hint.as_deref(),
            Some("the nearest known key is `validate`")
        );
        let level = refused("validate: {levels: {D001: warning}}");
        assert!(level.reason.contains("`warning` is no level"), "{level:?}");
        assert!(Settings::parse("").is_ok() && Settings::parse("# nothing\n").is_ok());
    }
}
