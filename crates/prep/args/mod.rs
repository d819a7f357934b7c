//! Every flag, in one place: its name, help, type and default.
//!
//! The help, the man page and the completions are made from these structs.
//! Parsing checks form only; what a flag means in its surroundings is settled
//! by the command.

#[cfg(feature = "cloud")]
mod cloud;
mod convert;
mod dedupe;
#[cfg(feature = "cloud")]
mod doctor;
#[cfg(feature = "cloud")]
mod emulate;
mod eval;
mod filter;
mod fix;
#[cfg(feature = "cloud")]
mod jobs;
mod mix;
#[cfg(feature = "cloud")]
mod predict;
mod project;
mod split;
mod stats;
#[cfg(feature = "cloud")]
mod submit;
mod tokens;
mod validate;
mod values;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

#[cfg(feature = "cloud")]
pub(crate) use self::cloud::CloudArgs;
pub(crate) use self::convert::ConvertArgs;
pub(crate) use self::dedupe::DedupeArgs;
#[cfg(feature = "cloud")]
pub(crate) use self::doctor::DoctorArgs;
#[cfg(feature = "cloud")]
pub(crate) use self::emulate::EmulateArgs;
#[cfg(feature = "cloud")]
pub(crate) use self::eval::AskingArgs;
pub(crate) use self::eval::{
    EvalArgs, EvalFormat, MetricName, PredictionFormat, RemoteName, ScoreName, Script, Test,
};
pub(crate) use self::filter::{FilterArgs, PairArgs, language_tag};
pub(crate) use self::fix::FixArgs;
#[cfg(feature = "cloud")]
pub(crate) use self::jobs::{
    CancelArgs, DroppedArgs, JobsArgs, JobsCommand, ListArgs, MetricsArgs, MetricsFormat, ShowArgs,
    WatchArgs,
};
pub(crate) use self::mix::{MixArgs, Weighted};
#[cfg(feature = "cloud")]
pub(crate) use self::predict::PredictArgs;
pub(crate) use self::project::{InitArgs, RunArgs, VerifyArgs};
pub(crate) use self::split::{Answers, SplitArgs};
pub(crate) use self::stats::StatsArgs;
#[cfg(feature = "cloud")]
pub(crate) use self::submit::{DatasetPlace, SubmitArgs};
pub(crate) use self::tokens::{CostArgs, TokensArgs, VocabularyArgs};
pub(crate) use self::validate::{MethodName, Most, ReportFormat, RuleArgs, ValidateArgs};
pub(crate) use self::values::{LinePlace, Size};

/// From your own text to a tuned Gemini model.
#[derive(Debug, Parser)]
#[command(name = "prep", version, max_term_width = 100)]
#[command(after_help = "\
Examples:
  prep init; prep run                     a whole project, from sources to a checked split
  prep convert corpus.csv                 two columns into train.jsonl
  prep convert corpus.en corpus.es        two aligned text files
  prep validate train.jsonl               everything that is wrong with it
  prep fix train.jsonl                    what can be repaired without doubt
  prep dedupe train.jsonl --near 0.8      without what repeats itself
  prep filter train.jsonl --preset novel  without pairs that are no translations
  prep split --ratio 0.9                  train.jsonl into split/, without leakage
  prep mix a.jsonl=9 b.jsonl=1            two datasets blended
  prep submit --rehearse                  upload, start and follow the job, played here
  prep stats train.jsonl --html report.html   what it is like, to look at
  prep cost split/train.jsonl             what tuning with it would cost
  prep jobs watch                         follow a tuning job to its end
  prep eval --compare base.jsonl tuned.jsonl   is the tuned model better
  prep trace train.jsonl:812              where an example came from

Exit status: 0 yes, 1 no (findings at error level, a gate not met), 2 could not be done.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// What `prep` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Convert(Box<ConvertArgs>),
    Validate(Box<ValidateArgs>),
    Fix(Box<FixArgs>),
    /// Print the page of a rule, or the list of all rules.
    Explain(ExplainArgs),
    Dedupe(DedupeArgs),
    Filter(Box<FilterArgs>),
    Split(Box<SplitArgs>),
    Mix(Box<MixArgs>),
    Stats(Box<StatsArgs>),
    Tokens(TokensArgs),
    Cost(CostArgs),
    #[cfg(feature = "cloud")]
    Submit(Box<SubmitArgs>),
    #[cfg(feature = "cloud")]
    Jobs(Box<JobsArgs>),
    #[cfg(feature = "cloud")]
    Predict(Box<PredictArgs>),
    Eval(Box<EvalArgs>),
    Run(RunArgs),
    Init(InitArgs),
    Verify(VerifyArgs),
    #[cfg(feature = "cloud")]
    Doctor(Box<DoctorArgs>),
    #[cfg(feature = "cloud")]
    Emulate(EmulateArgs),
    /// Print where an example came from.
    Trace(TraceArgs),
    /// Print what is known of the base models, with the date of the table.
    Models(ModelsArgs),
    /// Print the JSON Schema of `prep.yaml`, by which editors complete it.
    Schema,
    /// Print the completions of a shell.
    Completions(CompletionsArgs),
    /// Print the man page.
    Man,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shared options")]
pub(crate) struct Shared {
    /// The settings of the project, instead of `prep.yaml` where it exists.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print more: a hint with every finding, times and rates.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,

    /// When to draw a progress bar: `auto` is on a terminal.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: ProgressWhen,

    /// Threads to work on; all cores by default. The output does not depend on it.
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// The most memory for what must be kept until the input ends.
    #[arg(long, global = true, value_name = "SIZE", default_value = "1G")]
    pub(crate) memory: Size,

    /// Write over files that `prep` did not write, or that were changed since.
    #[arg(long, global = true)]
    pub(crate) force: bool,

    /// Write the ledger and the counts to FILE as one JSON object.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
}

impl Shared {
    /// The same with other settings, if there are.
    pub(crate) fn with_config(&self, config: Option<&PathBuf>) -> Self {
        let mut shared = self.clone();
        if let Some(config) = config {
            shared.config = Some(config.clone());
        }
        shared
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl When {
    /// Makes the choice hold for everything that is printed.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => return,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// When to draw a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressWhen {
    /// When standard error is a terminal.
    Auto,
    /// Never.
    Never,
}

/// Flags of `prep trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The example, as FILE:LINE.
    #[arg(value_name = "FILE:LINE", required = true)]
    pub(crate) places: Vec<LinePlace>,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Flags of `prep models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Print all that is known of these models.
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Flags of `prep explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Codes (E012) or names (empty-model-turn) of rules; none lists them all.
    #[arg(value_name = "CODE")]
    pub(crate) codes: Vec<String>,
}

/// Flags of `prep completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}
