//! Flags of `prep tokens` and `prep cost`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::{MethodName, TextOrJson};
use crate::pricing::Dollars;

/// Count the tokens of a dataset as the service counts them.
///
/// Reads Gemini JSONL, compressed or not. The vocabularies of Gemini are built
/// in, and each text is counted by itself: parts, function calls, tools and the
/// system instruction. Roles and turns cost nothing; media are not counted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep tokens train.jsonl
  prep tokens train.jsonl validation.jsonl --model gemini-3.5-flash
  prep tokens train.jsonl --format json")]
pub(crate) struct TokensArgs {
    /// The datasets to count; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) vocabulary: VocabularyArgs,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Tell what a tuning job would cost.
///
/// The tokens of one pass, times epochs, times the price of training, from a
/// dated table that `prices:` in `prep.yaml` overrides. Without --epochs, from
/// one epoch to five: the service chooses their number itself unless it is
/// told, and how is not known. Name the training file only: validation is not
/// billed, as far as is known.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep cost train.jsonl
  prep cost train.jsonl --epochs 3
  prep cost train.jsonl --model gemini-3.1-flash-lite --epochs 3 --max-cost 20

Exit status: 0 done, 1 above --max-cost, 2 could not be done, or could not be told.")]
pub(crate) struct CostArgs {
    /// The datasets to train on, taken together; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) vocabulary: VocabularyArgs,

    /// How the model is to be tuned; `preference` bills the prompt for each
    /// completion [default: sft].
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<MethodName>,

    /// How often the job is to go over the examples.
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<NonZeroU32>,

    /// Exit with status 1 if it costs more US dollars than this; needs --epochs
    /// and --model.
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) max_cost: Option<Dollars>,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// By what tokens are counted.
#[derive(Debug, Default, Args)]
pub(crate) struct VocabularyArgs {
    /// The base model that is to be tuned.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// A SentencePiece model to count by, instead of the vocabulary of the base
    /// model.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,
}
