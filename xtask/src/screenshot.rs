//! The picture of a report that README shows: `docs/report.png`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, root};

/// The most bytes that the picture may have.
const MOST_BYTES: u64 = 300_000;

/// Makes a report of the real corpus in `fixtures` and has Chromium draw it.
pub(crate) fn write() -> Result<()> {
    cargo(&["build", "--package", "prep"])?;
    let prep = root().join("target/debug/prep");
    let place = root().join("target/screenshot");
    // One of an earlier run.
    drop(fs::remove_dir_all(&place));
    fs::create_dir_all(&place)?;
    let run = |arguments: &[&str]| -> Result<()> {
        let status = Command::new(&prep)
            .args(arguments)
            .current_dir(&place)
            .status()?;
        if !status.success() {
            bail!("`prep {}` failed", arguments.join(" "));
        }
        Ok(())
    };
    fs::copy(
        root().join("fixtures/po/django.es.po"),
        place.join("django.es.po"),
    )?;
    run(&["convert", "django.es.po", "--quiet"])?;
    run(&["stats", "train.jsonl", "--html", "report.html", "--quiet"])?;
    let picture = root().join("docs/report.png");
    let page = place.join("report.html");
    let status = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .args(["--virtual-time-budget=3000", "--window-size=1200,1500"])
        .arg("--blink-settings=preferredColorScheme=1")
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .status()
        .context("cannot start `chromium`")?;
    let bytes = fs::metadata(&picture).map_or(0, |file| file.len());
    if !status.success() || bytes == 0 {
        bail!("Chromium drew nothing");
    }
    if bytes > MOST_BYTES {
        bail!(
            "`{}` has {bytes} bytes, the most are {MOST_BYTES}",
            picture.display()
        );
    }
    eprintln!("`{}` has {bytes} bytes", picture.display());
    Ok(())
}
