//! Flags of `prep split`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use prep_data::example::models;
use prep_data::pipeline::split::{self, MaxValidation, Options, Pointer, Ratio, Threshold};

/// Split a dataset into training and validation without leakage.
///
/// What must stay together goes to one side: examples with one group, one prompt
/// or one answer (equal but for case, white space, quotes and dashes, whatever
/// the system instruction), with prompts that are alike (--near), and
/// conversations of which one is the beginning of the other. Writes
/// split/train.jsonl, split/validation.jsonl, with three shares also
/// split/test.jsonl, and split/proof.json: what the sides have in common, counted
/// in the files that were written.
///
/// The ratio is met, give or take the largest part that must stay together (with
/// three sides, twice that), unless validation may not have as much. Which
/// side an example goes to is settled by the seed and by what stands before it:
/// examples that are appended later move none of the earlier ones if they are
/// tied to none of them. Those that are tied to one go to its side, and may move
/// a few that come later, as the ratio is still to be met; one that ties two
/// brings them to the side of the first. Only an answer that becomes a label by
/// what is appended, and a side that would be empty, are exceptions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep split --ratio 0.9
  prep split train.jsonl --ratio 0.8,0.1,0.1 --seed 7
  prep split train.jsonl --group-column document
  prep split train.jsonl --group-pointer /labels/customer --near off
  prep split train.jsonl --by tokens --stratify length -o parts")]
pub(crate) struct SplitArgs {
    /// The dataset; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "train.jsonl")]
    pub(crate) input: PathBuf,

    /// The directory to write to.
    #[arg(short, long, value_name = "DIR", default_value = "split")]
    pub(crate) output: PathBuf,

    /// The share of training, such as 0.9, or the shares of training, validation
    /// and test, such as 0.8,0.1,0.1.
    #[arg(long, value_name = "RATIO", default_value = "0.9")]
    pub(crate) ratio: Ratio,

    /// What the ratio is measured in.
    #[arg(long, value_name = "WHAT", default_value = "examples")]
    pub(crate) by: By,

    /// Chooses one of many splits.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Keep together what has one value in this column, which `prep convert
    /// --group-column` has kept in the passport. Groups that are there count even
    /// without this flag; with it, it is an error if they are not.
    #[arg(long, value_name = "NAME")]
    pub(crate) group_column: Option<String>,

    /// Keep together what has one value at this place of the example, a JSON
    /// pointer. Examples without one have no group.
    #[arg(long, value_name = "POINTER")]
    pub(crate) group_pointer: Option<Pointer>,

    /// Keep together prompts of this Jaccard similarity or more, from 0.5 to 1,
    /// measured as by `prep dedupe`; `off`: only those that are equal.
    #[arg(long, value_name = "JACCARD", default_value = "0.8", value_parser = near)]
    pub(crate) near: Near,

    /// Which equal answers keep examples together.
    #[arg(long, value_name = "WHICH", default_value = "texts")]
    pub(crate) answers: Answers,

    /// Meet the ratio within each stratum: `length` (each is of texts twice as
    /// long as the last), or a JSON pointer (examples with one value there).
    #[arg(long, value_name = "BY", value_parser = stratify)]
    pub(crate) stratify: Option<split::Stratify>,

    /// The most validation examples. By default what the service takes: 5,000,
    /// and not more than 1,000 and 30 % of training.
    #[arg(long, value_name = "N")]
    pub(crate) max_validation: Option<u64>,

    /// Bring each side into an order that the seed chooses, instead of that of
    /// the input.
    #[arg(long)]
    pub(crate) shuffle: bool,

    /// Where to write lines that are no examples, instead of beside the training
    /// set.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

impl SplitArgs {
    /// How the dataset is to be split.
    pub(crate) fn options(&self) -> Options {
        let of_service = MaxValidation::from(models::limits(None));
        let named = |examples| MaxValidation {
            examples,
            share: None,
        };
        Options {
            ratio: self.ratio,
            by: match self.by {
                By::Examples => split::By::Examples,
                By::Tokens => split::By::Tokens,
            },
            seed: self.seed,
            near: self.near.0,
            answers: match self.answers {
                Answers::Texts => split::Answers::Texts,
                Answers::All => split::Answers::All,
                Answers::None => split::Answers::None,
            },
            group: self.group_pointer.clone(),
            stratify: self.stratify.clone(),
            max_validation: self.max_validation.map_or(of_service, named),
            shuffle: self.shuffle,
        }
    }
}

/// A similarity, or none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near(pub(crate) Option<Threshold>);

pub(super) fn near(text: &str) -> Result<Near, String> {
    if text == "off" {
        return Ok(Near(None));
    }
    let jaccard = text.parse().ok().and_then(Threshold::new);
    let jaccard = jaccard.ok_or_else(|| {
        format!("`{text}` is no similarity; write one from 0.5 to 1, such as 0.8, or `off`")
    })?;
    Ok(Near(Some(jaccard)))
}

fn stratify(text: &str) -> Result<split::Stratify, String> {
    if text == "length" {
        return Ok(split::Stratify::Length);
    }
    let pointer = text.parse().map(split::Stratify::Pointer);
    pointer.map_err(|error| format!("{error}, or `length`"))
}

/// What the ratio is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Examples.
    Examples,
    /// Tokens of text.
    Tokens,
}

/// Which equal answers keep examples together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answers {
    /// All but labels, such as "yes": answers of up to 48 characters that more
    /// than 10 examples have, and more than one in 1,000.
    Texts,
    /// All.
    All,
    /// None.
    None,
}
