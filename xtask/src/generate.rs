//! References that are made from the code: `docs/codes.md` from the table of
//! codes, `docs/commands.md` from the flags, `docs/presets.md` from the labelled
//! sets, `docs/limits.md` from the table of base models.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use prep_data::diag::{MIX_CODES, SOURCE_CODES};
use prep_data::rules::{Page, RULES, Safety};

use crate::{cargo, limits, presets, root};

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

fn pages() -> Result<[(&'static str, String); 4]> {
    Ok([
        ("docs/codes.md", codes()?),
        ("docs/presets.md", presets::page()?),
        ("docs/limits.md", limits::page()?),
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
    page.push_str(
        "\n# Rules\n\nWhat `prep validate` can say of a dataset. Each has a page, which `prep explain CODE` prints.\n\
         `prep fix` carries out **safe** repairs, and **unsafe** ones when it is asked to.\n\n\
         | code | name | level | repair | what is wrong |\n| --- | --- | --- | --- | --- |\n",
    );
    let pages = rule_pages()?;
    for rule in RULES {
        let code = rule.code;
        let summary = Page::parse(rule.page).map_err(anyhow::Error::msg)?.summary;
        writeln!(
            page,
            "| [{0}]({1}) | {2} | {3} | {4} | {5} |",
            code.code,
            pages.get(code.code).context("a rule has no page")?,
            code.name,
            code.level,
            rule.fix.map_or("", Safety::as_str),
            summary.replace('|', "\\|")
        )?;
    }
    page.push_str(
        "\n# Mixtures\n\nWhat only `prep mix` counts.\n\n| code | name | what to do |\n| --- | --- | --- |\n",
    );
    for code in MIX_CODES {
        writeln!(page, "| {} | {} | {} |", code.code, code.name, code.hint)?;
    }
    Ok(page)
}

/// The path of the page of every rule, as seen from `docs`.
fn rule_pages() -> Result<BTreeMap<String, String>> {
    let directory = "crates/prep-data/src/rules";
    let mut pages = BTreeMap::new();
    for group in fs::read_dir(root().join(directory))? {
        let group = group?;
        if !group.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(group.path())? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let title = text.lines().next().unwrap_or_default();
            let code = title.trim_start_matches("# ").split(' ').next();
            let name = path.strip_prefix(root())?.display();
            pages.insert(code.unwrap_or_default().to_owned(), format!("../{name}"));
        }
    }
    Ok(pages)
}

fn commands() -> Result<String> {
    cargo(&["build", "--quiet", "--package", "prep"])?;
    let mut page =
        String::from("# Commands\n\nWhat `prep --help` and `prep COMMAND --help` print.\n");
    for command in [
        "",
        "convert",
        "validate",
        "fix",
        "explain",
        "dedupe",
        "filter",
        "split",
        "mix",
        "stats",
        "tokens",
        "cost",
        "submit",
        "jobs",
        "jobs list",
        "jobs show",
        "jobs watch",
        "jobs cancel",
        "jobs metrics",
        "jobs dropped",
        "predict",
        "eval",
        "run",
        "init",
        "verify",
        "doctor",
        "emulate",
        "trace",
        "models",
        "schema",
        "completions",
        "man",
    ] {
        let output = Command::new(target_directory().join("debug/prep"))
            .args(command.split_whitespace())
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
