//! Counts of real files by readers that share nothing with ours.
//!
//! `oracle.py` counts the records of every file of the shared corpora with
//! Python's own readers; the counts are kept in `fixtures/counts.tsv`, so that
//! `tests/corpora.rs` can hold `prep` to them on machines without Python.
//!
//! `oracle_tokens.py` gives the token ids of every line of every file, and of
//! every file as one text, by Python's `sentencepiece`; ours are compared with
//! them where that is installed.
//! `eval_oracle.py` scores the texts of `eval_texts.py` with sacreBLEU and its
//! like; the scores are kept in `fixtures/eval` for the tests of `prep-eval`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use prep_data::text::tokens::Tokenizer;

use crate::{cargo, root, run as run_command};

/// Compares everything that Python can tell.
pub(crate) fn run() -> Result<()> {
    tokens()?;
    counts()
}

/// Compares the ids of all shared text with those of `sentencepiece`.
fn tokens() -> Result<()> {
    let output = Command::new("python3")
        .arg(root().join("xtask/oracle_tokens.py"))
        .output()
        .context("cannot start `python3`")?;
    if output.status.code() == Some(3) {
        eprintln!("SKIPPED: Python has no `sentencepiece`");
        return Ok(());
    }
    if !output.status.success() {
        bail!(
            "the tokens failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let data = root().join("../shared/data");
    let expected = String::from_utf8(output.stdout)?;
    let mut counters = [Tokenizer::gemma3(), Tokenizer::gemma4()].map(Tokenizer::counter);
    let mut total = 0;
    for line in expected.lines() {
        let (name, expected) = line.split_once('\t').context("a line has a tab")?;
        let text = fs::read_to_string(data.join(name))?;
        let mut found = Vec::new();
        for (tokenizer, counter) in [Tokenizer::gemma3(), Tokenizer::gemma4()]
            .iter()
            .zip(&mut counters)
        {
            for texts in [text.split('\n').collect(), vec![&*text]] {
                let mut ids = Vec::new();
                let mut n_counted = 0;
                for text in texts {
                    tokenizer.encode(text, &mut ids);
                    n_counted += counter.count(text);
                }
                if n_counted != ids.len() {
                    bail!(
                        "`{name}`: {n_counted} tokens are counted, {} given",
                        ids.len()
                    );
                }
                total += n_counted;
                let sum = ids
                    .iter()
                    .fold(0, |sum, id| (sum * 31 + u64::from(*id)) % 1_000_000_007);
                found.push(format!("{n_counted}:{sum}"));
            }
        }
        if found.join("\t") != expected {
            bail!("`{name}`: {} is not {expected}", found.join("\t"));
        }
    }
    eprintln!(
        "{total} tokens of {} files are those of `sentencepiece`",
        expected.lines().count()
    );
    Ok(())
}

/// Counts again and compares with what is kept; writes what differs.
fn counts() -> Result<()> {
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

/// Drives the emulator with Google's own clients: the test that does so is not
/// run otherwise, as most machines lack them.
pub(crate) fn emulator() -> Result<()> {
    cargo(&[
        "test",
        "--package",
        "prep-emulator",
        "--test",
        "service",
        "--",
        "--ignored",
        "googles_own_clients",
    ])
}
