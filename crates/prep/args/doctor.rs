//! Flags of `prep doctor`.

use clap::Args;
use prep_submit::storage::GsUri;

use super::{CloudArgs, TextOrJson};

/// Check what a tuning job needs, one by one, and how to mend it.
///
/// Credentials, project, services, permissions, location, bucket. Nothing is
/// written and nothing is started. Without a connection it says what it could
/// not ask.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep doctor
  prep doctor --project acme --location us-central1 --bucket gs://acme-mt
  prep doctor --format json

Exit status: 0 all is well, 1 something must be mended, 2 something could not be asked.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,

    /// Where datasets are to be uploaded: gs://BUCKET.
    #[arg(long, value_name = "URI")]
    pub(crate) bucket: Option<GsUri>,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}
