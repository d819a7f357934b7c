//! Flags of `prep fix`.

use std::path::PathBuf;

use clap::Args;

use super::validate::RuleArgs;

/// Repair what rules can repair.
///
/// Repairs the file in its place, if it is exactly what `prep` wrote there;
/// otherwise name another with `-o`, or use `--force`. Safe repairs cannot
/// change what an example means; `--unsafe` carries out the others as well.
/// Lines end in `\n` afterwards. What is not repaired stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep fix train.jsonl
  prep fix train.jsonl --diff
  prep fix messy.jsonl --unsafe --select E063,E067 -o clean.jsonl

Exit status: 0 nothing at error level is left, 1 something is (with --diff: a line would change),
2 could not be done.")]
pub(crate) struct FixArgs {
    /// The dataset; `-` is standard input, and then the repaired one goes to
    /// standard output.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Where to write the repaired dataset, instead of in its place.
    #[arg(short, long, value_name = "FILE", conflicts_with = "diff")]
    pub(crate) output: Option<PathBuf>,

    /// Carry out safe repairs only: the default.
    #[arg(long, conflicts_with = "unsafe")]
    pub(crate) safe: bool,

    /// Carry out repairs that a person should look at, too.
    #[arg(long)]
    pub(crate) r#unsafe: bool,

    /// Print what would change, and write nothing.
    #[arg(long)]
    pub(crate) diff: bool,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}
