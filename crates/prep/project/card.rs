//! The dataset on one page: `DATASET.md`.
//!
//! What is known stands between two marks, and is written anew by every run.
//! What stands around them is the user's own and stays.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use prep_data::io::AtomicFile;
use serde_json::Value;

use super::account::{self, Account};
use super::plan::Plan;
use super::signature::Signature;
use crate::failure::Failure;
use crate::ui;

/// Where the card is.
pub(crate) const PATH: &str = "DATASET.md";

const BEGIN: &str = "<!-- prep: what follows is written by `prep run` -->";
const END: &str = "<!-- prep: what follows is yours -->";

/// What nobody but the user knows.
const YOURS: &str = "\n## What only you can say\n\n\
- Who owns the texts, and under which licence may they be used?\n\
- Whose personal data is in them, and do these people know?\n\
- What is the tuned model for, and what is it not for?\n";

/// Writes the card.
pub(crate) fn write(plan: &Plan, account: &Account, signature: &Signature) -> Result<(), Failure> {
    let path = Path::new(PATH);
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("# Dataset\n\n{BEGIN}\n{END}\n{YOURS}")
        }
        Err(error) => {
            let cannot = format!("cannot read `{PATH}`");
            return Err(Failure::from(anyhow::Error::new(error).context(cannot)));
        }
    };
    let (Some(begin), Some(end)) = (before.find(BEGIN), before.find(END)) else {
        return Err(
            Failure::new(format!("`{PATH}` is not a card that `prep run` wrote"))
                .note(format!("it lacks the lines `{BEGIN}` and `{END}`"))
                .hint("move it away, or put these lines where the card is to be"),
        );
    };
    if end < begin {
        return Err(Failure::new(format!(
            "the marks in `{PATH}` are in the wrong order"
        )));
    }
    let known = known(plan, account, signature)?;
    let text = format!("{}{BEGIN}\n\n{known}\n{}", &before[..begin], &before[end..]);
    if text == before {
        return Ok(());
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file.persist()?)
}

/// What is known.
fn known(plan: &Plan, account: &Account, signature: &Signature) -> Result<String, Failure> {
    let mut page = format!("Signature: `{signature}`\n");
    page += "\n## Sources\n\n| source | read as | records | examples | BLAKE3 |\n| --- | --- | ---: | ---: | --- |\n";
    for source in &plan.sources {
        let manifest = account::manifest(&source.dataset)?;
        let read = manifest.ledger["read"].as_u64().unwrap_or_default();
        let examples = account::examples(&source.dataset)?;
        let decisions = manifest.decisions.join("; ");
        let files = manifest.inputs.iter().flat_map(|input| &input.files);
        let sums = files.map(|file| format!("`{}`", &file.blake3[..16.min(file.blake3.len())]));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            cell(&source.name),
            cell(&decisions),
            ui::count(read),
            ui::count(examples),
            sums.collect::<Vec<_>>().join(" "),
        );
    }
    page += "\n## What was done\n\n| step | read | written | dropped | rejected |\n| --- | ---: | ---: | ---: | ---: |\n";
    for step in &account.steps {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            cell(&step.step),
            ui::count(step.read),
            ui::count(step.written),
            ui::count(step.dropped),
            ui::count(step.rejected),
        );
    }
    page.push('\n');
    for line in account.lines() {
        let _ = writeln!(page, "    {line}");
    }
    page += "\nThe commands:\n\n```sh\n";
    for step in &plan.steps {
        let _ = writeln!(page, "{}", step.command());
    }
    page += "```\n\n## Leakage\n\n";
    page += &leakage(plan)?;
    Ok(page)
}

/// What the proof of the split says.
fn leakage(plan: &Plan) -> Result<String, Failure> {
    let path = plan.validation.with_file_name("proof.json");
    let bytes = fs::read(&path).map_err(|error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    })?;
    let proof: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let cannot = format!("`{}` is no proof", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    })?;
    let overlap = proof["overlap"].as_object().into_iter().flatten();
    let overlap = overlap.map(|(kind, n)| format!("{kind} {n}"));
    let threshold = match &proof["near_threshold"] {
        Value::Null => "not looked for".to_owned(),
        threshold => format!("from a Jaccard index of {threshold} on"),
    };
    Ok(format!(
        "What the sides have in common, counted in the files that were written: {}. Near-duplicates: {threshold}.\n",
        overlap.collect::<Vec<_>>().join(", "),
    ))
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
