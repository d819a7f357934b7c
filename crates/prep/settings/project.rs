//! The steps of a project: where the data comes from, and what becomes of it.
//!
//! Each section knows how its settings are spelled as flags, so that a step of
//! `prep run` is a command that could be typed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use prep_data::rules::Preset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Flags, put together.
#[derive(Debug, Default)]
pub(crate) struct Flags(Vec<String>);

impl Flags {
    /// Adds a flag if its setting says something.
    fn value(mut self, flag: &str, value: Option<&(impl ToString + ?Sized)>) -> Self {
        if let Some(value) = value {
            // One word, so that a value may begin with a dash.
            self.0.push(format!("{flag}={}", value.to_string()));
        }
        self
    }

    /// Adds a flag if it is on.
    fn switch(mut self, flag: &str, is_on: Option<bool>) -> Self {
        if is_on == Some(true) {
            self.0.push(flag.into());
        }
        self
    }

    /// Adds a flag for each value.
    fn each<T: ToString>(mut self, flag: &str, values: &[T]) -> Self {
        let values = values.iter();
        self.0
            .extend(values.map(|value| format!("{flag}={}", value.to_string())));
        self
    }

    fn words(self) -> Vec<String> {
        self.0
    }
}

/// A number or a word, as flags take it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Word {
    /// `true` or `false`: YAML takes `off` for it, too.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truth(true) => f.write_str("on"),
            Self::Truth(false) => f.write_str("off"),
            Self::Whole(n) => n.fmt(f),
            Self::Number(n) => n.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// One value, or several.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMore<T> {
    /// One.
    One(T),
    /// Several.
    More(Vec<T>),
}

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl<T> OneOrMore<T> {
    /// All of them.
    pub(crate) fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(all) => all,
        }
    }
}

/// Where data comes from, as `prep convert` reads it.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceSettings {
    /// The file, or the two files that belong together.
    pub(crate) path: OneOrMore<PathBuf>,
    /// What the source is called; by default as its file.
    pub(crate) name: Option<String>,
    /// The format, where it is not to be found out.
    pub(crate) from: Option<String>,
    /// The prompt, made of columns.
    pub(crate) user: Option<String>,
    /// The answer, made of columns.
    pub(crate) model_text: Option<String>,
    /// The system instruction of every example; `@FILE` reads it from a file.
    pub(crate) system: Option<String>,
    /// The column of the prompt.
    pub(crate) src_column: Option<String>,
    /// The column of the answer.
    pub(crate) tgt_column: Option<String>,
    /// The column that joins two tables.
    pub(crate) id_column: Option<String>,
    /// The column that says what belongs to one conversation.
    pub(crate) group_column: Option<String>,
    /// The column that says in which order.
    pub(crate) order_column: Option<String>,
    /// The language of the prompt.
    pub(crate) src_lang: Option<String>,
    /// The language of the answer.
    pub(crate) tgt_lang: Option<String>,
    /// What becomes of inline tags: `keep` or `strip`.
    pub(crate) inline_tags: Option<String>,
    /// What stands between fields.
    pub(crate) delimiter: Option<String>,
    /// The encoding.
    pub(crate) encoding: Option<String>,
    /// Whether the first row names the columns; `false`: it does not.
    pub(crate) header: Option<bool>,
    /// The sheet of a workbook.
    pub(crate) sheet: Option<String>,
    /// The share of training examples that this source is to have, from 0 to 1.
    /// A source with a weight is no part of the dataset that is split: it is
    /// blended into the training set, without what would leak.
    pub(crate) weight: Option<f64>,
}

impl SourceSettings {
    /// The flags of `prep convert`.
    pub(crate) fn flags(&self) -> Vec<String> {
        Flags::default()
            .value("--from", self.from.as_ref())
            .value("--user", self.user.as_ref())
            .value("--model-text", self.model_text.as_ref())
            .value("--system", self.system.as_ref())
            .value("--src-column", self.src_column.as_ref())
            .value("--tgt-column", self.tgt_column.as_ref())
            .value("--id-column", self.id_column.as_ref())
            .value("--group-column", self.group_column.as_ref())
            .value("--order-column", self.order_column.as_ref())
            .value("--src-lang", self.src_lang.as_ref())
            .value("--tgt-lang", self.tgt_lang.as_ref())
            .value("--inline-tags", self.inline_tags.as_ref())
            .value("--delimiter", self.delimiter.as_ref())
            .value("--encoding", self.encoding.as_ref())
            .switch("--no-header", self.header.map(|has| !has))
            .value("--sheet", self.sheet.as_ref())
            .words()
    }

    /// The files that are read for it: the sources, and that of its system
    /// instruction.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let system = self.system.as_deref();
        let system = system.and_then(|text| text.strip_prefix('@'));
        let files = self.path.all().iter().cloned();
        files.chain(system.map(PathBuf::from)).collect()
    }
}

/// Which repairs are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FixSettings {
    /// Those that change nothing that is meant.
    Safe,
    /// All.
    Unsafe,
}

impl FixSettings {
    /// The flags of `prep fix`.
    pub(crate) fn flags(self) -> Vec<String> {
        let is_unsafe = self == Self::Unsafe;
        Flags::default().switch("--unsafe", Some(is_unsafe)).words()
    }
}

/// What is left out because it repeats something.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DedupeSettings {
    /// What is compared: `example`, `user` or `model`.
    pub(crate) by: Option<String>,
    /// From which similarity on examples are near-duplicates.
    pub(crate) near: Option<f64>,
    /// Which one stays: `first`, `last` or `longest`.
    pub(crate) keep: Option<String>,
    /// What becomes of several answers to one prompt: `report`, `drop` or
    /// `newest`.
    pub(crate) conflicts: Option<String>,
}

impl DedupeSettings {
    /// The flags of `prep dedupe`.
    pub(crate) fn flags(&self) -> Vec<String> {
        Flags::default()
            .value("--by", self.by.as_ref())
            .value("--near", self.near.as_ref())
            .value("--keep", self.keep.as_ref())
            .value("--conflicts", self.conflicts.as_ref())
            .words()
    }
}

/// What is kept for validation.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SplitSettings {
    /// The share of training, or the shares of all sides: `0.8,0.1,0.1`.
    pub(crate) ratio: Option<Word>,
    /// `examples` or `tokens`.
    pub(crate) by: Option<String>,
    /// Chooses one of many splits.
    pub(crate) seed: Option<u64>,
    /// What has one value in this column stays together.
    pub(crate) group_column: Option<String>,
    /// What has one value at this place stays together.
    pub(crate) group_pointer: Option<String>,
    /// Prompts of this similarity stay together; `off`: those that are equal.
    pub(crate) near: Option<Word>,
    /// Which equal answers keep examples together: `texts`, `all` or `none`.
    pub(crate) answers: Option<String>,
    /// `length` or a place in the example.
    pub(crate) stratify: Option<String>,
    /// The most validation examples.
    pub(crate) max_validation: Option<u64>,
    /// Whether each side is brought into an order that the seed chooses.
    pub(crate) shuffle: Option<bool>,
}

impl SplitSettings {
    /// The flags of `prep split`.
    pub(crate) fn flags(&self) -> Vec<String> {
        Flags::default()
            .value("--ratio", self.ratio.as_ref())
            .value("--by", self.by.as_ref())
            .value("--seed", self.seed.as_ref())
            .value("--group-column", self.group_column.as_ref())
            .value("--group-pointer", self.group_pointer.as_ref())
            .value("--near", self.near.as_ref())
            .value("--answers", self.answers.as_ref())
            .value("--stratify", self.stratify.as_ref())
            .value("--max-validation", self.max_validation.as_ref())
            .switch("--shuffle", self.shuffle)
            .words()
    }
}

/// How sources that have a weight are blended in.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MixSettings {
    /// What weights are measured in: `examples` or `tokens`.
    pub(crate) by: Option<String>,
    /// Chooses one of many mixtures.
    pub(crate) seed: Option<u64>,
}

impl MixSettings {
    /// The flags of `prep mix`.
    pub(crate) fn flags(&self) -> Vec<String> {
        Flags::default()
            .value("--by", self.by.as_ref())
            .value("--seed", self.seed.as_ref())
            .words()
    }
}

/// How the models are asked for predictions.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PredictSettings {
    /// The base model to compare with; by default the one that is tuned. `off`:
    /// none.
    pub(crate) base: Option<Word>,
    /// The most tokens of an answer.
    pub(crate) max_output_tokens: Option<u64>,
    /// How freely tokens are drawn.
    pub(crate) temperature: Option<f64>,
    /// Of how much of the probability.
    pub(crate) top_p: Option<f64>,
    /// Makes answers repeatable, as far as the service does.
    pub(crate) seed: Option<i64>,
    /// The most tokens of thinking.
    pub(crate) thinking_budget: Option<i64>,
    /// How much is thought: `minimal`, `low`, `medium` or `high`.
    pub(crate) thinking_level: Option<String>,
    /// From when on answers are blocked; `off`: never.
    pub(crate) safety: Option<Word>,
    /// How many requests are open at a time.
    pub(crate) concurrency: Option<u64>,
}

impl PredictSettings {
    /// The flags of `prep predict`.
    pub(crate) fn flags(&self) -> Vec<String> {
        Flags::default()
            .value("--max-output-tokens", self.max_output_tokens.as_ref())
            .value("--temperature", self.temperature.as_ref())
            .value("--top-p", self.top_p.as_ref())
            .value("--seed", self.seed.as_ref())
            .value("--thinking-budget", self.thinking_budget.as_ref())
            .value("--thinking-level", self.thinking_level.as_ref())
            .value("--safety", self.safety.as_ref())
            .value("--concurrency", self.concurrency.as_ref())
            .words()
    }
}

/// How predictions are scored.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EvaluateSettings {
    /// The metrics: `bleu`, `chrf`, `chrf++`, `ter` and others.
    pub(crate) metrics: Vec<String>,
    /// How BLEU takes text apart.
    pub(crate) tokenize: Option<String>,
    /// Whether case does not count.
    pub(crate) lowercase: Option<bool>,
    /// The kind of text: how many predictions pass its rules of segment pairs
    /// is told.
    #[serde(
        deserialize_with = "super::preset",
        serialize_with = "super::preset_name"
    )]
    #[schemars(with = "Option<super::PresetName>")]
    pub(crate) preset: Option<Preset>,
    /// What Google's evaluation service is asked for, a request for each segment:
    /// `comet`, `metricx`, `metricx-ref`, `metricx-src`.
    pub(crate) remote: Vec<String>,
}

impl EvaluateSettings {
    /// The flags of `prep eval`.
    pub(crate) fn flags(&self) -> Vec<String> {
        Flags::default()
            .each("--metric", &self.metrics)
            .value("--tokenize", self.tokenize.as_ref())
            .switch("--lowercase", self.lowercase)
            .value("--preset", self.preset.as_ref())
            .each("--remote", &self.remote)
            .words()
    }
}

/// What must hold for the run to go on.
#[derive(Debug, Default, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GateSettings {
    /// The most that the job may cost, in US dollars.
    pub(crate) max_cost: Option<f64>,
    /// The largest share of source records that may be rejected, from 0 to 1.
    pub(crate) max_rejected: Option<f64>,
    /// The least training examples.
    pub(crate) min_examples: Option<u64>,
    /// The lowest scores of the tuned model, by metric.
    pub(crate) fail_under: BTreeMap<String, f64>,
}
