//! The project's own chores.
//!
//! - `cargo xtask ci`: everything that must hold, in the order in which it
//!   fails fastest; what CI runs.
//! - `cargo xtask generate`: writes the generated references; `--check` only
//!   tells whether they are up to date.
//! - `cargo xtask oracle`: counts the records of the shared corpora with
//!   independent readers, where Python is there.
//! - `cargo xtask vocabulary GEMMA3 GEMMA4`: packs the SentencePiece models that
//!   are embedded.
//! - `cargo xtask oracle-eval`: records the scores of sacreBLEU again, where
//!   Python has it.
//! - `cargo xtask oracle-emulator`: drives the emulator with Google's own
//!   clients, where Python (or `PYTHON`) has them.
//! - `cargo xtask alarms`: writes what the rules say of the shared corpora.
//! - `cargo xtask screenshot`: draws `docs/report.png`, where Chromium is there.
//! - `cargo xtask fuzz [SECONDS]`: builds every fuzz target and runs each.

#![expect(clippy::print_stderr, reason = "a chore tells what it does")]

mod alarms;
mod ci;
mod fuzz;
mod generate;
mod licences;
mod limits;
mod oracle;
mod presets;
mod screenshot;
mod vocabulary;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run(),
        ["generate"] => generate::write(),
        ["generate", "--check"] => generate::check(),
        ["licences"] => licences::check(),
        ["oracle"] => oracle::run(),
        ["alarms"] => alarms::run(),
        ["vocabulary", gemma3, gemma4] => vocabulary::write(gemma3, gemma4),
        ["oracle-eval"] => oracle::record_scores(),
        ["oracle-emulator"] => oracle::emulator(),
        ["screenshot"] => screenshot::write(),
        ["fuzz"] => fuzz::run(10),
        ["fuzz", seconds] => fuzz::run(seconds.parse().context("the seconds are a number")?),
        _ => {
            bail!(
                "usage: cargo xtask ci | generate [--check] | licences | oracle | oracle-eval \
                 | oracle-emulator | screenshot | alarms | vocabulary GEMMA3 GEMMA4 | fuzz [SECONDS]"
            )
        }
    }
}

/// The workspace's directory.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in the workspace")
}

/// Runs a command in the workspace and fails if it fails.
fn run(program: &str, arguments: &[&str]) -> Result<()> {
    eprintln!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    if !status.success() {
        bail!("`{program} {}` failed", arguments.join(" "));
    }
    Ok(())
}

/// Runs the `cargo` that runs this.
fn cargo(arguments: &[&str]) -> Result<()> {
    run(
        &std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()),
        arguments,
    )
}
