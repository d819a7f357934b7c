//! Flags of every command that talks to Google Cloud.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

/// Where in Google Cloud.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cloud options")]
pub(crate) struct CloudArgs {
    /// The project; else GOOGLE_CLOUD_PROJECT, else `project` of prep.yaml.
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) project: Option<String>,

    /// The location of tuning jobs, such as us-central1; else
    /// GOOGLE_CLOUD_LOCATION, else `location` of prep.yaml.
    #[arg(long, global = true, value_name = "LOCATION")]
    pub(crate) location: Option<String>,

    /// Write every request to the end of FILE as a JSON line: what was asked,
    /// what was answered, how long it took. Nothing in it is secret.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,

    /// Wait so many times shorter, for another answer, another attempt, another
    /// look: where a stand-in is asked, which needs no patience.
    #[arg(long, global = true, value_name = "N", hide = true)]
    pub(crate) hurry: Option<NonZeroU32>,
}
