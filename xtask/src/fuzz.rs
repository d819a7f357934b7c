//! Fuzzing on the one toolchain there is.
//!
//! The targets are ordinary libFuzzer programs. What the compiler adds for
//! coverage is asked for by flags that the stable compiler takes; the
//! sanitizers, which it does not have, are of little use to code without
//! `unsafe`.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::root;

const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions";

/// Builds every target and runs each for so many seconds.
pub(crate) fn run(seconds: u32) -> Result<()> {
    let directory = root().join("fuzz");
    let triple = host()?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    eprintln!("$ cargo build --release  # in fuzz/, with coverage");
    let status = Command::new(cargo)
        .args(["build", "--locked", "--release", "--target", &triple])
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .current_dir(&directory)
        .status()?;
    if !status.success() {
        bail!("the fuzz targets do not build");
    }
    fs::create_dir_all(directory.join("artifacts"))?;
    let mut targets: Vec<_> = fs::read_dir(directory.join("fuzz_targets"))?
        .map(|entry| {
            Ok(entry?
                .path()
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned())
        })
        .collect::<Result<_>>()?;
    targets.sort();
    let binaries = directory.join("target").join(&triple).join("release");
    // One on each core.
    let next = Mutex::new(targets.iter());
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let fuzz_some = || {
            loop {
                let target = next.lock().expect("no holder panics").next();
                let Some(target) = target else {
                    return Ok(());
                };
                fuzz(&directory, &binaries.join(target), target, seconds)?;
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(fuzz_some)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("a target fails without a panic"))
    })
}

/// Runs one target for so many seconds.
fn fuzz(directory: &Path, binary: &Path, target: &str, seconds: u32) -> Result<()> {
    let corpus = directory.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let output = Command::new(binary)
        .arg(format!("-max_total_time={seconds}"))
        .args([
            "-max_len=4096",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-artifact_prefix=artifacts/",
        ])
        .arg(&corpus)
        .arg(directory.join("seeds"))
        .current_dir(directory)
        .output()
        .with_context(|| format!("cannot start the fuzz target `{target}`"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<_> = log.lines().filter(|line| !line.contains("cov:")).collect();
        let end = &lines[lines.len().saturating_sub(60)..];
        bail!("the fuzz target `{target}` failed:\n{}", end.join("\n"));
    }
    let done = log.lines().rfind(|line| line.contains("DONE"));
    eprintln!(
        "$ fuzz {target} for {seconds} s\n  {}",
        done.unwrap_or("done")
    );
    Ok(())
}

/// The host's target triple: naming it keeps build scripts free of the flags.
fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("cannot start `rustc`")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("`rustc -vV` names the host")
}
