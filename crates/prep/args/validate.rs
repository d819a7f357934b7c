//! Flags of `prep validate`, and those it shares with `prep fix`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use prep_data::diag::Level;
use prep_data::rules::Method;
use schemars::JsonSchema;
use serde::Serialize;

use super::filter::PairArgs;

/// Check a dataset against what the service and good practice want.
///
/// Reads Gemini JSONL, compressed or not, and tells everything that is wrong
/// in one pass, each with its line, its column and what to do. The report goes
/// to standard output. `prep explain CODE` prints the page of a rule.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep validate train.jsonl
  prep validate train.jsonl --validation validation.jsonl --model gemini-3.5-flash
  prep validate train.jsonl --preset novel --tgt-lang es-419
  prep validate train.jsonl --level D001=error --ignore E066
  prep validate train.jsonl --format json --max-per-rule all > known.json
  prep validate train.jsonl --baseline known.json
  prep validate train.jsonl --format sarif > train.sarif

Exit status: 0 nothing at error level, 1 findings at error level, 2 could not be done.")]
pub(crate) struct ValidateArgs {
    /// The datasets to check, each by itself; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// A validation file: it is checked too, must fit the training file in
    /// size, and must have no example in common with it.
    #[arg(long, value_name = "FILE")]
    pub(crate) validation: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    #[command(flatten)]
    pub(crate) pairs: PairArgs,

    /// How to print the report.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,

    /// The most findings of each rule that are listed, or `all`; all are
    /// counted [default: 100].
    #[arg(long, value_name = "N")]
    pub(crate) max_per_rule: Option<Most>,

    /// A report that was made with `--format json` or `jsonl`; what it lists is
    /// not told again.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
}

/// Which rules count, and what they go by.
#[derive(Debug, Default, Args)]
pub(crate) struct RuleArgs {
    /// The base model that is to be tuned; its limits hold.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// The adapter size that is to be used.
    #[arg(long, value_name = "N")]
    pub(crate) adapter_size: Option<u32>,

    /// The location of the tuning job.
    #[arg(long, value_name = "REGION")]
    pub(crate) location: Option<String>,

    /// How the model is to be tuned [default: sft].
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<MethodName>,

    /// Only these rules: codes (E012), names, or beginnings of codes (E, D00).
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) select: Vec<String>,

    /// Not these rules.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,

    /// How much a rule matters.
    #[arg(long, value_name = "CODE=allow|warn|error", value_delimiter = ',')]
    pub(crate) level: Vec<CodeLevel>,
}

/// How the model is to be tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MethodName {
    /// Supervised fine-tuning.
    Sft,
    /// Preference tuning.
    Preference,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Sft => Self::Sft,
            MethodName::Preference => Self::Preference,
        }
    }
}

/// How a report of findings is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a finding.
    Jsonl,
    /// SARIF 2.1.0, for code review tools.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// A number of findings, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Most(pub(crate) usize);

impl FromStr for Most {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(usize::MAX));
        }
        let n: Result<NonZeroUsize, _> = text.parse();
        n.map(|n| Self(n.get()))
            .map_err(|_| format!("`{text}` is neither a number from 1 nor `all`"))
    }
}

/// A rule and the level it is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeLevel {
    pub(crate) code: String,
    pub(crate) level: Level,
}

impl FromStr for CodeLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = text
            .split_once('=')
            .and_then(|(code, level)| Some((code, level.parse().ok()?)));
        let (code, level) = level.ok_or_else(|| {
            format!("`{text}` sets no level; write it like D001=error, with allow, warn or error")
        })?;
        Ok(Self {
            code: code.to_owned(),
            level,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_counts_are_parsed() {
        let level = |text: &str| text.parse::<CodeLevel>().ok();
        assert_eq!(level("D001=error").unwrap().level, Level::Error);
        assert_eq!(level("e=allow").unwrap().code, "e");
        assert_eq!(level("D001=warning"), None);
        assert_eq!(level("D001"), None);
        assert_eq!("all".parse(), Ok(Most(usize::MAX)));
        assert_eq!("3".parse(), Ok(Most(3)));
        assert!("0".parse::<Most>().is_err());
    }
}
