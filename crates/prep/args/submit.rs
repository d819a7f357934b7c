//! Flags of `prep submit`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use prep_submit::tuning::AdapterSize;

use super::{CloudArgs, MethodName, Size};
use crate::pricing::Dollars;

/// Upload a dataset and start the tuning job.
///
/// Checks everything first and tells all problems at once; then shows what it
/// will cost and asks. Uploads the files under names made of their contents, so
/// that the same bytes are uploaded once, starts the job once, and follows it to
/// its end. The same command again finds the job that it started before and
/// follows it; --again starts another one.
///
/// Without a Google account, --rehearse plays all of this on this machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep submit --rehearse
  prep submit --model gemini-3.1-flash-lite --project acme --location us-central1 --bucket gs://acme-tuning
  prep submit --epochs 3 --max-cost 20 --yes --no-wait
  prep submit --dry-run                     the requests, and nothing is sent
  prep submit --from-tuned-model projects/1/locations/us/models/2@1

Exit status: 0 the job succeeded (or was started, with --no-wait), 1 something is wrong with the
dataset or the job failed, 2 could not be done.")]
pub(crate) struct SubmitArgs {
    /// The training set, or `gs://…` of one that is there [default:
    /// split/train.jsonl].
    #[arg(long, value_name = "FILE")]
    pub(crate) train: Option<String>,

    /// The validation set [default: split/validation.jsonl, if it is there].
    #[arg(long, value_name = "FILE", conflicts_with = "no_validation")]
    pub(crate) validation: Option<String>,

    /// Tune without a validation set.
    #[arg(long)]
    pub(crate) no_validation: bool,

    /// The base model.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// Where to upload to: gs://BUCKET or gs://BUCKET/PREFIX.
    #[arg(long, value_name = "gs://BUCKET")]
    pub(crate) bucket: Option<String>,

    /// Make the bucket if it is not there, in the location of the job, closed to
    /// the public.
    #[arg(long)]
    pub(crate) create_bucket: bool,

    /// The name of the tuned model, of 128 characters at most.
    #[arg(long, value_name = "NAME")]
    pub(crate) display_name: Option<String>,

    /// What the tuned model is.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// How often the training set is gone through; the service chooses without.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epochs: Option<u32>,

    /// By how much the learning rate of the service is multiplied.
    #[arg(long, value_name = "X")]
    pub(crate) learning_rate_multiplier: Option<f64>,

    /// The size of the adapter: 1, 2, 4, 8 or 16; the service chooses without.
    #[arg(long, value_name = "N")]
    pub(crate) adapter_size: Option<AdapterSize>,

    /// Keep the last checkpoint only.
    #[arg(long)]
    pub(crate) export_last_checkpoint_only: bool,

    /// A label of the job, its model and its endpoint.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<Label>,

    /// The account that the job runs as.
    #[arg(long, value_name = "EMAIL")]
    pub(crate) service_account: Option<String>,

    /// The key that encrypts the tuned model.
    #[arg(long, value_name = "NAME")]
    pub(crate) kms_key: Option<String>,

    /// Go on from a model that was tuned before.
    #[arg(long, value_name = "MODEL", conflicts_with = "model")]
    pub(crate) from_tuned_model: Option<String>,

    /// Which checkpoint of it, instead of its default.
    #[arg(long, value_name = "ID", requires = "from_tuned_model")]
    pub(crate) checkpoint: Option<String>,

    /// How the model is tuned [default: sft].
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<MethodName>,

    /// Preference tuning: how far it may go from the model that it starts with.
    #[arg(long, value_name = "X")]
    pub(crate) beta: Option<f64>,

    /// Do not start a job that costs more US dollars than this; needs --epochs.
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) max_cost: Option<Dollars>,

    /// Print the requests as JSON; nothing is sent.
    #[arg(long, conflicts_with_all = ["rehearse", "yes"])]
    pub(crate) dry_run: bool,

    /// Play it on this machine: no account, nothing leaves it, nothing costs.
    #[arg(long)]
    pub(crate) rehearse: bool,

    /// Do not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// End when the job is started.
    #[arg(long)]
    pub(crate) no_wait: bool,

    /// Start another job, even if this one was started before.
    #[arg(long)]
    pub(crate) again: bool,

    /// Bytes sent at once. What is stored does not depend on it.
    #[arg(long, value_name = "SIZE", hide = true)]
    pub(crate) piece: Option<Size>,

    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("`{text}` is no label; write it like team=support"));
        };
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Where a dataset of a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DatasetPlace {
    /// On this machine.
    File(PathBuf),
    /// In Cloud Storage already.
    Object(String),
}

impl DatasetPlace {
    /// What a flag or setting means.
    pub(crate) fn of(text: &str) -> Self {
        if text.starts_with("gs://") || text.starts_with("projects/") {
            Self::Object(text.to_owned())
        } else {
            Self::File(text.into())
        }
    }
}
