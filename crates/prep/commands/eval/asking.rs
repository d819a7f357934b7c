//! What it takes to ask a model about predictions: a line to it, a journal beside
//! the predictions, and somebody's consent.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use prep_submit::asking::{Inquiry, Journal, RequestId, RunError};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::args::{AskingArgs, Shared};
use crate::cloud::{Cloud, Services, failed};
use crate::failure::{Failure, plain};
use crate::ui;

/// A line to who is asked.
#[derive(Debug)]
pub(super) struct Line<'a> {
    // Hangs up before the rehearsal ends.
    pub(super) cloud: Cloud,
    services: Services<'a>,
}

impl<'a> Line<'a> {
    /// Opens a line. Nothing is sent.
    pub(super) fn open(asking: &'a AskingArgs, shared: &'a Shared) -> Result<Self, Failure> {
        let services = Services::new(&asking.cloud, shared, asking.rehearse)?;
        Ok(Self {
            cloud: services.open()?,
            services,
        })
    }

    /// Whether who is asked is played.
    pub(super) fn is_played(&self) -> bool {
        self.services.are_played()
    }
}

/// Where answers about a file are kept: beside it, under a name of its own for
/// each kind and for all that answers depend on.
pub(super) fn beside(path: &Path, kind: &str, depends: &Value) -> PathBuf {
    let path = match path == Path::new("-") {
        true => Path::new("predictions"),
        false => path,
    };
    let sum = Sha256::digest(depends.to_string());
    let sum: String = sum[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{kind}-{sum}"))
}

/// Which questions have an answer from earlier runs.
pub(super) fn kept<I: Inquiry>(
    journal: &Path,
    inquiry: &I,
    questions: &[I::Question],
) -> Result<Vec<bool>, Failure> {
    if !journal.exists() {
        return Ok(vec![false; questions.len()]);
    }
    let journal = Journal::open(journal).map_err(plain)?;
    let path = inquiry.path();
    let kept = (0..).zip(questions).map(|(index, question)| {
        let request = RequestId::of(&path, &inquiry.body(question));
        journal.has(index, &request).map_err(plain)
    });
    kept.collect()
}

/// Asks for consent, unless it was given; without it the command ends.
pub(super) fn consent(asking: &AskingArgs, line: &Line<'_>, whom: &str) -> Result<(), Failure> {
    if asking.yes || line.is_played() {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(
            Failure::new(format!("nobody can be asked whether to pay for the {whom}"))
                .hint("say so with `--yes`, or try it with `--rehearse`"),
        );
    }
    ui::ask(&format!("Ask the {whom}? [y/N]"))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new(format!("the {whom} was not asked"))),
    }
}

/// How many answers are there from earlier runs, for the end of a line.
pub(super) fn from_before(kept: u64) -> String {
    match kept {
        0 => String::new(),
        kept => format!("; {} from earlier runs", ui::count(kept)),
    }
}

/// Why asking ended early, and how it goes on.
pub(super) fn ended(whom: &str, error: RunError<io::Error>, journal: &Journal) -> Failure {
    let failure = match error {
        RunError::Call(error) => failed(format!("cannot ask the {whom}"), error),
        other => plain(other),
    };
    match journal.is_empty() {
        true => failure,
        false => failure.note("what was answered is kept; the same command goes on from there"),
    }
}
