//! Flags of `prep mix`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use prep_data::pipeline::mix::{self, Options};

use super::split::{Near, near};

/// Blend datasets by weights.
///
/// Reads Gemini JSONL and writes one dataset of all sources, each with the share
/// that its weight gives it. What an earlier line says, too, is left out, and
/// with --against whatever would leak into the validation set. Examples are
/// drawn by a hash of what they say: the same ones each time, and never one
/// twice, unless --repeat allows it. The sources take turns evenly, each in its
/// own order.
///
/// What is left out stands in the rejects with its code: D001 and D003
/// repeated, D002 leaking. Examples that are not drawn are counted (D006) and
/// stay where they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep mix split/train.jsonl=9 general.jsonl=1 --against split/validation.jsonl
  prep mix train.jsonl=0.8 chat.jsonl=0.2 --by tokens --total 2000000
  prep mix train.jsonl=1 general.jsonl=1 --repeat
  prep mix train.jsonl=1 --total 1000 -o sample.jsonl")]
pub(crate) struct MixArgs {
    /// The datasets, the in-domain set first, each with its weight: any numbers,
    /// of which only the ratio counts.
    #[arg(value_name = "FILE=WEIGHT", required = true)]
    pub(crate) sources: Vec<Weighted>,

    /// Where to write the mixture; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "mixed.jsonl")]
    pub(crate) output: PathBuf,

    /// What weights and total are measured in.
    #[arg(long, value_name = "WHAT", default_value = "examples")]
    pub(crate) by: By,

    /// How many examples, or tokens, the mixture is to have. By default as many
    /// as there can be without repeating; with --repeat, as many as take the
    /// first dataset whole.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) total: Option<u64>,

    /// Chooses one of many mixtures.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// A validation set. What would leak into it is left out: examples with an
    /// equal or nearly equal prompt, an equal answer that is no label, the same
    /// group or conversation. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Vec<PathBuf>,

    /// From which Jaccard similarity on a prompt leaks, from 0.5 to 1; `off`:
    /// only those that are equal.
    #[arg(long, value_name = "JACCARD", default_value = "0.8", value_parser = near)]
    pub(crate) near: Near,

    /// Take examples more than once where a dataset has too few.
    #[arg(long)]
    pub(crate) repeat: bool,

    /// Where to write what is left out, instead of beside the mixture.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

impl MixArgs {
    /// How the datasets are to be mixed.
    pub(crate) fn options(&self) -> Options {
        Options {
            by: match self.by {
                By::Examples => mix::By::Examples,
                By::Tokens => mix::By::Tokens,
            },
            total: self.total,
            seed: self.seed,
            repeats: self.repeat,
            near: self.near.0,
        }
    }
}

/// A dataset and its weight.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighted {
    /// The dataset.
    pub(crate) path: PathBuf,
    /// Above 0.
    pub(crate) weight: f64,
}

impl FromStr for Weighted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((path, weight)) = text.rsplit_once('=') else {
            return Err(format!("`{text}` has no weight; write it like {text}=0.9"));
        };
        let number: Option<f64> = weight.parse().ok();
        let is_weight = |weight: &f64| *weight > 0.0 && *weight < 1e12;
        match number.filter(is_weight) {
            Some(weight) if !path.is_empty() => Ok(Self {
                path: path.into(),
                weight,
            }),
            _ if path.is_empty() => Err(format!("`{text}` names no file")),
            _ => Err(format!("`{weight}` is no weight; write a number above 0")),
        }
    }
}

/// What weights and total are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Examples.
    Examples,
    /// Tokens of text.
    Tokens,
}
