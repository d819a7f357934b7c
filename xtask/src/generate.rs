//! References that are made from the code: `docs/codes.md` from the table of
//! codes, `docs/commands.md` from the flags.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use prep_data::diag::SOURCE_CODES;

use crate::{cargo, root};

/// Writes every generated file.
pub(crate) fn write() -> Result<()> {
    for (name, text) in pages()? {
        fs::write(root().join(name), text).with_context(|| format!("cannot write `{name}`"))?;
    }
    Ok(())
}

/// Fails if a generated file is not what it would be now.
pub(crate) fn check() -> Result<()> {
    for (name, text) in pages()? {
        if fs::read_to_string(root().join(name)).unwrap_or_default() != text {
            bail!("`{name}` is out of date; run `cargo xtask generate`");
        }
    }
    eprintln!("generated files are up to date");
    Ok(())
}

fn pages() -> Result<[(&'static str, String); 2]> {
    Ok([
        ("docs/codes.md", codes()?),
        ("docs/commands.md", commands()?),
    ])
}

fn codes() -> Result<String> {
    let mut page = String::from(
        "# Codes\n\nWhat reading a source can say. A record with an **error** goes to the rejects file; a\n\
         **warning** is about a record that is kept. A code is never reused.\n\n\
         | code | name | level | what to do |\n| --- | --- | --- | --- |\n",
    );
    for code in SOURCE_CODES {
        writeln!(
            page,
            "| {} | {} | {} | {} |",
            code.code,
            code.name,
            code.level,
            code.hint.replace('|', "\\|")
        )?;
    }
    Ok(page)
}

fn commands() -> Result<String> {
    cargo(&["build", "--quiet", "--package", "prep"])?;
    let mut page =
        String::from("# Commands\n\nWhat `prep --help` and `prep COMMAND --help` print.\n");
    for command in ["", "convert", "dedupe", "trace", "completions", "man"] {
        let output = Command::new(target_directory().join("debug/prep"))
            .args((!command.is_empty()).then_some(command))
            .arg("--help")
            .env("COLUMNS", "100")
            .output()
            .context("cannot start `prep`")?;
        let help = String::from_utf8(output.stdout)?;
        let title = format!("prep {command}");
        writeln!(
            page,
            "\n## {}\n\n```text\n{}\n```",
            title.trim(),
            help.trim_end()
        )?;
    }
    Ok(page)
}

/// Where cargo builds: beside this very program.
fn target_directory() -> std::path::PathBuf {
    let executable = std::env::current_exe().unwrap_or_default();
    executable
        .ancestors()
        .nth(2)
        .unwrap_or(&root().join("target"))
        .to_path_buf()
}
