//! What the rules say of real data: every file of the shared corpora that
//! `prep convert` reads, converted and validated with the default rules. The
//! counts are kept in `docs/alarms.md`, for people to judge.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cargo, root};

/// The files, each with the flags that say what it holds.
const FILES: &[(&str, &[&str])] = &[
    ("chat/alpaca_zh_demo.json", &[]),
    (
        "chat/awesome-chatgpt-prompts.2025-01.csv",
        &["--src-column", "act", "--tgt-column", "prompt"],
    ),
    (
        "chat/banking77.test.csv",
        &["--src-column", "text", "--tgt-column", "category"],
    ),
    ("chat/bitext-300.input_output.jsonl", &[]),
    ("chat/glaive_toolcall_en_demo.sharegpt.json", &[]),
    ("chat/toy_chat_fine_tuning.openai.jsonl", &[]),
    ("chat/v1_sft_demo.jsonl", &[]),
    ("chat/vicuna-dummy.sharegpt.json", &[]),
    (
        "parallel/moses/tatoeba.cmn-eng.eng",
        &["parallel/moses/tatoeba.cmn-eng.cmn"],
    ),
    (
        "parallel/moses/tatoeba.spa-eng.eng",
        &["parallel/moses/tatoeba.spa-eng.spa"],
    ),
    ("parallel/po/django-admin.zh_Hans.po", &[]),
    ("parallel/po/django.es.po", &[]),
    ("parallel/po/python-docs-es.faq.general.po", &[]),
    ("parallel/po/python-docs-es.library.functions.po", &[]),
    ("parallel/po/python-docs-es.library.stdtypes.po", &[]),
    ("parallel/po/python-docs-es.tutorial.controlflow.po", &[]),
    ("parallel/tmx/tico19.en-es-419.tmx", &[]),
    ("parallel/tsv/tatoeba-anki.eng-cmn.tsv", &[]),
    ("parallel/xliff/mozilla-vpn.es_ES.xliff", &[]),
    ("parallel/xliff/symfony-validators.ar.xlf", &[]),
    ("parallel/xliff/symfony-validators.de.xlf", &[]),
    ("parallel/xliff/symfony-validators.es.xlf", &[]),
    ("parallel/xliff/symfony-validators.zh_CN.xlf", &[]),
];

/// Writes the table.
pub(crate) fn run() -> Result<()> {
    let data = root().join("../shared/data");
    if !data.is_dir() {
        bail!("`../shared/data` is not there");
    }
    cargo(&["build", "--quiet", "--release", "--package", "prep"])?;
    let prep = root().join("target/release/prep");
    let work = std::env::temp_dir().join("prep-alarms");
    fs::create_dir_all(&work)?;
    let mut page = String::from(
        "# What the rules say of real data\n\n\
         Every file below was converted with `prep convert` and checked with `prep validate`, all default\n\
         rules on (`cargo xtask alarms` does it again). Nobody prepared these files for tuning, so a\n\
         warning is not a false alarm as such; an error would be.\n\n\
         | file | examples | errors | warnings | by rule |\n| --- | ---: | ---: | ---: | --- |\n",
    );
    for (file, flags) in FILES {
        let summary = alarms(&prep, &data, &work, file, flags)
            .with_context(|| format!("cannot check `{file}`"))?;
        let count = |key: &str| summary[key].as_u64().unwrap_or_default();
        let by_rule = summary["by_rule"].as_object().into_iter().flatten();
        let by_rule: Vec<_> = by_rule.map(|(code, n)| format!("{code} {n}")).collect();
        writeln!(
            page,
            "| `{file}` | {} | {} | {} | {} |",
            count("examples"),
            count("errors"),
            count("warnings"),
            by_rule.join(", ")
        )?;
    }
    fs::remove_dir_all(&work)?;
    fs::write(root().join("docs/alarms.md"), page).context("cannot write `docs/alarms.md`")
}

/// Converts a file, validates it, and gives the summary of the report.
fn alarms(prep: &Path, data: &Path, work: &Path, file: &str, flags: &[&str]) -> Result<Value> {
    let flags = flags.iter().map(|flag| match data.join(flag) {
        path if path.is_file() => path,
        _ => PathBuf::from(flag),
    });
    let converted = Command::new(prep)
        .args(["convert", "-q", "-o", "train.jsonl", "--force"])
        .arg(data.join(file))
        .args(flags)
        .current_dir(work)
        .output()?;
    if !converted.status.success() {
        bail!("{}", String::from_utf8_lossy(&converted.stderr));
    }
    let validated = Command::new(prep)
        .args(["validate", "train.jsonl", "--format", "json"])
        .current_dir(work)
        .output()?;
    let report: Value = serde_json::from_slice(&validated.stdout)?;
    Ok(report["summary"].clone())
}
