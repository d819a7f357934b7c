//! Flags of `prep stats`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::{RuleArgs, TextOrJson};

/// Tell what a dataset is like.
///
/// Reads Gemini JSONL, compressed or not, once: examples, turns, tokens and
/// characters, languages and scripts, what is repeated, what the rules find and
/// what the service would drop. Several files are taken together. All counts
/// are exact; quantiles are, too, below 32,768, and above that at most 1/64 too
/// small. Languages are told of 4,096 examples at random if there are more.
///
/// `--format json` is {"schema":1,"model","tokenizer","basis","exact_below",
/// "datasets":[{"side","files","examples","tokens","spread","histograms",
/// "languages","scripts","system_instructions","answers","prompt_openings",
/// "answer_openings","duplicates","limit","findings","cost"}]}; a spread is
/// {"examples","min","p5","median","mean","p95","p99","max"}.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep stats train.jsonl
  prep stats train.jsonl --html report.html
  prep stats split/train.jsonl --validation split/validation.jsonl
  prep stats train.jsonl --model gemini-3.5-flash --format json")]
pub(crate) struct StatsArgs {
    /// The datasets, which are taken together; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// A validation file, to be shown beside them.
    #[arg(long, value_name = "FILE")]
    pub(crate) validation: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// A SentencePiece model to count by, instead of the vocabulary of the base
    /// model.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,

    /// How many of the most common texts are listed.
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) most: NonZeroUsize,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,

    /// Also write a report to FILE: one page that a browser shows without a
    /// network. It holds up to 500 examples; secrets that a rule finds are
    /// masked.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// The curves of a tuning job for the report, as `prep jobs metrics
    /// --format json` prints them.
    #[arg(long, value_name = "FILE", requires = "html")]
    pub(crate) metrics: Option<PathBuf>,
}
