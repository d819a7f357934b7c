//! Flags of `prep predict`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use prep_submit::predict::{Safety, ThinkingLevel};

use super::CloudArgs;

/// Ask a model, tuned or not.
///
/// Reads a validation set (the last answer of an example is the reference and
/// is not sent), a table, or plain text with a prompt a line, and writes a line
/// for each, in the order of the input: what was asked, what was expected, what
/// the model said, why it stopped, what was counted. An answer that was
/// refused, cut off or is empty is kept as that.
///
/// Answers are kept beside the output as they come. A run that was interrupted
/// goes on where it was, and nothing is paid for twice.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep predict split/validation.jsonl                     the model that was tuned last from here
  prep predict split/validation.jsonl --model gemini-3.1-flash-lite -o base.jsonl
  prep predict prompts.txt --endpoint projects/1/locations/us/endpoints/2 --system @style.txt
  prep predict split/validation.jsonl --model gemini-2.5-flash --batch --bucket gs://acme-tuning
  prep predict split/validation.jsonl --rehearse

Exit status: 0 every prompt has an answer, 1 some have none, 2 could not be done.")]
pub(crate) struct PredictArgs {
    /// The prompts: Gemini JSONL, a table, or text; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Where to write the predictions.
    #[arg(short, long, value_name = "FILE", default_value = "predictions.jsonl")]
    pub(crate) output: PathBuf,

    /// The tuned model of this job [default: the one that was started last from
    /// this directory].
    #[arg(long, value_name = "JOB", conflicts_with_all = ["endpoint", "model"])]
    pub(crate) job: Option<String>,

    /// The tuned model at this endpoint.
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    pub(crate) endpoint: Option<String>,

    /// A base model.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// Which checkpoint of the job, instead of its default.
    #[arg(long, value_name = "ID", conflicts_with_all = ["endpoint", "model"])]
    pub(crate) checkpoint: Option<String>,

    /// A system instruction for prompts that have none: text, or @FILE.
    #[arg(long, value_name = "TEXT|@FILE")]
    pub(crate) system: Option<String>,

    /// The most tokens of an answer, thinking included.
    #[arg(long, value_name = "N")]
    pub(crate) max_output_tokens: Option<u32>,

    /// How freely tokens are drawn, 0 to 2. Gemini 3 deprecates it.
    #[arg(long, value_name = "X")]
    pub(crate) temperature: Option<f64>,

    /// From which share of the likelihood tokens are drawn. Gemini 3 deprecates
    /// it.
    #[arg(long, value_name = "X")]
    pub(crate) top_p: Option<f64>,

    /// A seed; the service does its best with it.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) seed: Option<i32>,

    /// The most tokens of thinking; 0 is none, -1 as the model likes (Gemini
    /// 2.5).
    #[arg(
        long,
        value_name = "N",
        allow_hyphen_values = true,
        conflicts_with = "thinking_level"
    )]
    pub(crate) thinking_budget: Option<i32>,

    /// How much is thought: minimal, low, medium or high (Gemini 3). A tuned
    /// model thinks as little as it can unless it is told.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) thinking_level: Option<ThinkingLevel>,

    /// From which likelihood of harm on answers are blocked: off, none, high,
    /// medium or low, for all four categories.
    #[arg(long, value_name = "THRESHOLD")]
    pub(crate) safety: Option<Safety>,

    /// How many requests may be under way.
    #[arg(long, value_name = "N", default_value = "8")]
    pub(crate) concurrency: NonZeroUsize,

    /// The most requests a second; it adapts to what the service takes.
    #[arg(long, value_name = "N", default_value_t = 50.0)]
    pub(crate) rate: f64,

    /// Take answers in pieces, which keeps long ones from running into
    /// time-outs on the way.
    #[arg(long)]
    pub(crate) stream: bool,

    /// Ask all prompts in one batch job: half the price, within a day or so. Not
    /// for tuned models of Gemini 3 and later.
    #[arg(long, conflicts_with_all = ["stream", "endpoint", "checkpoint"])]
    pub(crate) batch: bool,

    /// Where the requests and answers of a batch are kept: gs://BUCKET or
    /// gs://BUCKET/PREFIX; else `tuning.bucket` of prep.yaml.
    #[arg(long, value_name = "gs://BUCKET", requires = "batch")]
    pub(crate) bucket: Option<String>,

    /// How many seconds an answer may take, up to 1800.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=1800))]
    pub(crate) timeout: u64,

    /// Take the first N prompts only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Forget the answers of earlier runs, and ask all prompts anew.
    #[arg(long)]
    pub(crate) again: bool,

    /// Ask the model of a rehearsed job, played on this machine.
    #[arg(long)]
    pub(crate) rehearse: bool,

    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}
