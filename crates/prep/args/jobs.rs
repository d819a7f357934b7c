//! Flags of `prep jobs`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::{CloudArgs, TextOrJson};

/// See what tuning jobs do, follow them, and cancel them.
///
/// JOB is the id of a job, or its whole name
/// (`projects/P/locations/L/tuningJobs/ID`), which needs no --project and
/// --location. Without it, it is the job that `prep submit` launched last from
/// this directory.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep jobs list                       the jobs of the project, the newest first
  prep jobs show                       the job that was launched last from here
  prep jobs watch                      follow it to its end; Ctrl-C leaves it alone
  prep jobs metrics --format csv       its curves
  prep jobs dropped                    the examples that the service left out, and where they came from
  prep jobs cancel 6284765961371254784
  prep jobs show --rehearse            the job of the last rehearsal in this directory")]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) command: JobsCommand,

    /// Look at the jobs of `prep submit --rehearse` in this directory.
    #[arg(long, global = true)]
    pub(crate) rehearse: bool,

    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}

/// What `prep jobs` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List the jobs of the project in the location, the newest first.
    List(ListArgs),
    /// Print all that is known of a job.
    Show(ShowArgs),
    /// Follow a job to its end. Exit status 0 if it has succeeded, 1 if not.
    Watch(WatchArgs),
    /// Cancel a job. Training that was done may be charged.
    Cancel(CancelArgs),
    /// Print the curves of a job: losses, accuracy, numbers of predictions.
    Metrics(MetricsArgs),
    /// Print the examples that the service left out of training, with their
    /// reasons and their places in the sources.
    Dropped(DroppedArgs),
}

/// Which job.
#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    /// The id or the name of the job; the last one launched from here without it.
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
}

impl JobArgs {
    /// The id or the name, if one is given.
    pub(crate) fn id(&self) -> Option<&str> {
        self.job.as_deref()
    }
}

/// Flags of `prep jobs list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The most jobs that are listed.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,

    /// How to print them.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Flags of `prep jobs show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// How to print it; `json` has the job as the service answers it, under
    /// `job`.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Flags of `prep jobs watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// How to print what happens: lines, or a JSON object a line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,

    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = interval)]
    pub(crate) interval: Duration,
}

/// Flags of `prep jobs cancel`.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// Do not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// How to print what was done.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Flags of `prep jobs metrics`.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// How to print them; `json` and `csv` have every point.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: MetricsFormat,
}

/// How curves are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricsFormat {
    /// For people: where each curve begins and ends, and where it is lowest.
    Text,
    /// For programs.
    Json,
    /// For spreadsheets: one point a line.
    Csv,
}

/// Flags of `prep jobs dropped`.
#[derive(Debug, Args)]
pub(crate) struct DroppedArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// The training file as it was uploaded, if `prep submit` did not launch
    /// the job from here.
    #[arg(long, value_name = "FILE")]
    pub(crate) train: Option<PathBuf>,

    /// How to print them.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Reads a number of seconds.
fn interval(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().unwrap_or_default();
    let is_right = (0.01..=86_400.0).contains(&seconds);
    let error = || format!("`{text}` is no number of seconds from 0.01 to 86400");
    is_right
        .then(|| Duration::from_secs_f64(seconds))
        .ok_or_else(error)
}
