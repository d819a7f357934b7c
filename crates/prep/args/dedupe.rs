//! Flags of `prep dedupe`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use prep_data::pipeline::dedupe::{self, Options, Threshold};

/// Leave out examples that repeat each other.
///
/// Reads Gemini JSONL and writes what stays, in the order of the input. Examples
/// are duplicates if their texts are equal but for case, white space, quotes and
/// dashes. With --near, texts that share most of their characters are, too; each
/// pair is verified. What is left out stands in the rejects with its code: D001
/// exact, D003 normalised, D004 near-duplicate, D005 conflicting answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep dedupe train.jsonl
  prep dedupe train.jsonl --near 0.8 --clusters clusters.jsonl
  prep dedupe train.jsonl --by user --keep longest
  prep dedupe train.jsonl --conflicts newest
  prep dedupe a.jsonl b.jsonl -o all.jsonl")]
pub(crate) struct DedupeArgs {
    /// The datasets, which are taken together; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) inputs: Vec<PathBuf>,

    /// Where to write what stays; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "deduped.jsonl")]
    pub(crate) output: PathBuf,

    /// What makes two examples duplicates.
    #[arg(long, value_name = "WHAT", default_value = "example")]
    pub(crate) by: By,

    /// Also leave out near-duplicates: texts of this Jaccard similarity or more,
    /// from 0.5 to 1. It is measured on stretches of three characters in short
    /// texts, five in longer and eight in very long ones.
    #[arg(long, value_name = "JACCARD", value_parser = threshold)]
    pub(crate) near: Option<Threshold>,

    /// Which of several duplicates is kept.
    #[arg(long, value_name = "WHICH", default_value = "first")]
    pub(crate) keep: Keep,

    /// What becomes of examples with the same prompt and system instruction and
    /// different answers.
    #[arg(long, value_name = "HOW", default_value = "report")]
    pub(crate) conflicts: Conflicts,

    /// Write each cluster with what is kept and what is left out to FILE.
    #[arg(long, value_name = "FILE")]
    pub(crate) clusters: Option<PathBuf>,

    /// Print the N least similar pairs that count as near-duplicates, 10 at most.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "near")]
    pub(crate) show_least: usize,

    /// Where to write what is left out, instead of beside the dataset.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

impl DedupeArgs {
    /// What is to be left out.
    pub(crate) fn options(&self) -> Options {
        Options {
            by: match self.by {
                By::Example => dedupe::By::Example,
                By::User => dedupe::By::User,
                By::Model => dedupe::By::Model,
            },
            keep: match self.keep {
                Keep::First => dedupe::Keep::First,
                Keep::Last => dedupe::Keep::Last,
                Keep::Longest => dedupe::Keep::Longest,
            },
            near: self.near,
            conflicts: match self.conflicts {
                Conflicts::Report => dedupe::Conflicts::Report,
                Conflicts::Drop => dedupe::Conflicts::Drop,
                Conflicts::Newest => dedupe::Conflicts::Newest,
            },
        }
    }
}

fn threshold(text: &str) -> Result<Threshold, String> {
    let jaccard = text.parse().ok().and_then(Threshold::new);
    jaccard.ok_or_else(|| format!("`{text}` is no similarity from 0.5 to 1, such as 0.8"))
}

/// What makes two examples duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The whole example: system instruction, prompt and answer.
    Example,
    /// System instruction and prompt: all turns before the last answer.
    User,
    /// The last answer.
    Model,
}

/// Which of several duplicates is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keep {
    /// The first in the input.
    First,
    /// The last in the input.
    Last,
    /// The one with the longest text.
    Longest,
}

/// What becomes of examples with one prompt and several answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Conflicts {
    /// They are reported and stay.
    Report,
    /// They all go.
    Drop,
    /// The last one in the input stays.
    Newest,
}
