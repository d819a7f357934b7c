//! Flags of the commands that work on a whole project.

use std::path::PathBuf;

use clap::Args;

use crate::project::{Signature, StepName};

/// Carry out a whole project.
///
/// Reads `prep.yaml` and takes its steps in order: converts the sources, leaves
/// out what repeats, repairs and filters, splits without leakage, blends in
/// other examples, checks and prices. Where `tuning:` names a bucket, it goes on:
/// starts the job (and asks before), follows it, asks the tuned model and the base
/// model, and says which is better. A step whose inputs, settings and outputs
/// are what they were is not done again; a run that was interrupted goes on
/// where it was.
///
/// What is made on the way stands in `build` (`directory:` names another), the
/// sides in `split`. At the end there is one account from the first record to
/// the last example, the signature of the dataset, and its card, `DATASET.md`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep run --dry-run          what would be done, and why
  prep run
  prep run --until split
  prep run --rehearse         to a tuned model and its scores, played here
  prep run other.yaml

Exit status: 0 done, 1 a step says no or a gate is not met, 2 could not be done.")]
pub(crate) struct RunArgs {
    /// The settings of the project, instead of --config or `prep.yaml`.
    #[arg(value_name = "FILE")]
    pub(crate) project: Option<PathBuf>,

    /// The last step to take.
    #[arg(long, value_name = "STEP")]
    pub(crate) until: Option<StepName>,

    /// Tune, ask and score as well, with services that are played on this
    /// machine: no account, and nothing costs.
    #[arg(long)]
    pub(crate) rehearse: bool,

    /// Do not ask before the job is started, and before the evaluation service
    /// is asked.
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Only say what would be done, and why.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Check a dataset against its signature.
///
/// Works out the signature of the project in this directory anew, from its
/// settings, its sources and the datasets as they are, and says which parts
/// differ.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  prep verify 'prep:0.1.0|in:5c9e1f02|rules:8d21a6b3|dedupe:1b00c4d7|split:9a3fe210|n:900+100|tok:48210'

Exit status: 0 it is the same dataset, 1 it is not, 2 could not be told.")]
pub(crate) struct VerifyArgs {
    /// What `prep run` printed.
    #[arg(value_name = "SIGNATURE")]
    pub(crate) signature: Signature,
}

/// Write a `prep.yaml` for the files that are here.
///
/// Looks at the files in this directory, or at those that are named, and writes
/// settings with what it found, and comments on what else could be said. Never
/// writes over a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep init
  prep init data/corpus.csv memory.tmx")]
pub(crate) struct InitArgs {
    /// The sources; by default whatever is here and can be read.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Where to write the settings; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "prep.yaml")]
    pub(crate) output: PathBuf,
}
