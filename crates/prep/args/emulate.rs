//! Flags of `prep emulate`.

use std::path::PathBuf;

use clap::Args;

/// Play Cloud Storage and Vertex AI on this machine, for rehearsals and tests.
///
/// Prints what to export so that `prep` and Google's own clients go there instead, then serves
/// until Ctrl-C. What is uploaded and tuned is kept in the directory, and is there again the next
/// time. Nothing leaves the machine, nothing costs anything, and nothing is learned: a tuned model
/// answers with the answer of the training example that is most like the prompt.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep emulate --port 8085
  prep emulate --dir rehearsal --job-seconds 60
  prep emulate --faults faults.json       what goes wrong, and when")]
pub(crate) struct EmulateArgs {
    /// The port on loopback; 0 is any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,

    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = ".prep-emulator")]
    pub(crate) dir: PathBuf,

    /// A table of what goes wrong, as JSON: `{"faults":[{"operation":"storage.upload.chunk",
    /// "nth":2,"effect":{"kind":"status","code":503}}]}`. `GET /_emulator/operations` lists the
    /// operations.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,

    /// How long a tuning job takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 6)]
    pub(crate) job_seconds: u64,

    /// The id of the project that is played.
    #[arg(long, value_name = "ID", default_value = "prep-rehearsal")]
    pub(crate) project: String,

    /// The bucket that is there from the start.
    #[arg(long, value_name = "NAME", default_value = "prep-rehearsal")]
    pub(crate) bucket: String,
}
