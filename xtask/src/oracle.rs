//! Counts of real files by readers that share nothing with ours.
//!
//! `oracle.py` counts the records of every file of the shared corpora with
//! Python's own readers; the counts are kept in `fixtures/counts.tsv`, so that
//! `tests/corpora.rs` can hold `prep` to them on machines without Python.
//!
//! `eval_oracle.py` scores the texts of `eval_texts.py` with sacreBLEU and its
//! like; the scores are kept in `fixtures/eval` for the tests of `prep-eval`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{root, run as run_command};

/// Counts again and compares with what is kept; writes what differs.
pub(crate) fn run() -> Result<()> {
    let output = Command::new("python3")
        .arg(root().join("xtask/oracle.py"))
        .current_dir(root())
        .output()
        .context("cannot start `python3`")?;
    if !output.status.success() {
        bail!(
            "the counts failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let path = root().join("fixtures/counts.tsv");
    if fs::read(&path).unwrap_or_default() == output.stdout {
        eprintln!("`fixtures/counts.tsv` is what Python counts");
        return Ok(());
    }
    fs::write(&path, &output.stdout).context("cannot write `fixtures/counts.tsv`")?;
    bail!("`fixtures/counts.tsv` was not what Python counts; it is now: look at the difference");
}

/// Records scores, tokens and comparisons again; Git tells what changed.
pub(crate) fn record_scores() -> Result<()> {
    run_command(
        "python3",
        &["xtask/eval_oracle.py", "record", "fixtures/eval"],
    )
}
