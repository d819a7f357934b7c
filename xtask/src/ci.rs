//! Everything that must hold before a change lands.

use anyhow::Result;

use crate::{cargo, fuzz, generate, licences};

/// Runs every step; the first that fails ends it.
pub(crate) fn run() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    licences::check()?;
    cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])?;
    generate::check()?;
    // One failure does not hide the next.
    cargo(&["test", "--locked", "--workspace", "--no-fail-fast"])?;
    cargo(&[
        "clippy",
        "--locked",
        "--no-default-features",
        "--",
        "-D",
        "warnings",
    ])?;
    fuzz::run(5)
}
