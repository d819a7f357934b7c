//! What is asked: the lines of a dataset, the rows of a table, lines of text.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use prep_data::io::passport::{SourceFile, SourceFiles};
use prep_data::io::{Input, OutputPaths, OutputWriter, Sha256Wanted, checksum};
use prep_data::pipeline::{ComposeOptions, Job, Met, Run, Sinks, ordered};
use prep_data::source::{self, Options};
use prep_submit::predict::Prompt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::args::Shared;
use crate::failure::{Failure, plain};
use crate::interrupt;
use crate::report::{Origin, Origins, may_be_vouched};
use crate::target::threads;
use crate::ui;

/// The prompts of a file, read as they are needed.
#[derive(Debug)]
pub(super) struct Prompts {
    lines: PathBuf,
    kind: Kind,
    system: Option<String>,
    pub(super) n: u64,
    /// The blank lines between examples, from 1: they are no prompts.
    blank: Vec<u64>,
    /// The input, as it is named in messages.
    name: String,
    /// Keeps what was made of a table, or of standard input.
    _made: TempDir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Lines of a dataset.
    Examples,
    /// Lines of a dataset that was made of a table.
    Table,
    /// Lines of text.
    Text,
}

const TABLES: [&str; 8] = [
    ".csv", ".tsv", ".xlsx", ".parquet", ".tmx", ".xlf", ".xliff", ".po",
];
const JSON_LINES: [&str; 3] = [".jsonl", ".ndjson", ".json"];

impl Prompts {
    /// Opens the prompts, and looks at all of them: one that cannot be asked is
    /// told before anything is paid for.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line of it is no prompt.
    pub(super) fn open(
        path: &Path,
        system: Option<String>,
        limit: Option<usize>,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let mut input = Input::open(path)?;
        let name = input.name().to_owned();
        let head = input.peek(64 << 10)?.to_vec();
        let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&head);
        let plain_name = input.plain_name().to_lowercase();
        let is_named = |ends: &[&str]| ends.iter().any(|end| plain_name.ends_with(end));
        // A dataset whose first line is broken is not a text to be sent.
        let is_json = is_named(&JSON_LINES) || head.trim_ascii_start().starts_with(b"{");
        let made = TempDir::new()?;
        let lines = made.path().join("prompts.jsonl");
        let kind = if is_named(&TABLES) {
            convert(input, &lines, shared)?;
            Kind::Table
        } else {
            let mut copy = File::create(&lines)?;
            std::io::copy(&mut input.into_reader(), &mut copy)?;
            if is_json { Kind::Examples } else { Kind::Text }
        };
        let mut prompts = Self {
            lines,
            kind,
            system,
            n: 0,
            blank: Vec::new(),
            name,
            _made: made,
        };
        let (mut n, mut blank, mut before) = (0, Vec::new(), 0);
        for (line, prompt) in prompts.numbered()? {
            let at = format!("{}:{line}", prompts.name);
            prompt.map_err(|reason| {
                Failure::because(format!("`{}` cannot be asked", prompts.name), reason)
                    .at(at)
                    .hint(match kind {
                        Kind::Text => "nothing was sent; every line of a text is a prompt",
                        _ => "nothing was sent; `prep validate` says what is wrong with a dataset",
                    })
            })?;
            blank.extend(before + 1..line);
            (n, before) = (n + 1, line);
            if limit.is_some_and(|limit| n >= limit as u64) {
                break;
            }
        }
        (prompts.n, prompts.blank) = (n, blank);
        if n == 0 {
            return Err(Failure::new(format!("`{}` has no prompts", prompts.name)));
        }
        Ok(prompts)
    }

    /// The prompts in order, those beyond the limit left out.
    pub(super) fn iter(&self) -> Result<impl Iterator<Item = Result<Prompt, String>>, Failure> {
        let n = usize::try_from(self.n).unwrap_or(usize::MAX);
        Ok(self.numbered()?.take(n).map(|(_, prompt)| prompt))
    }

    /// The prompts with their lines, from 1; blank lines of a dataset are none.
    fn numbered(&self) -> Result<impl Iterator<Item = (u64, Result<Prompt, String>)>, Failure> {
        let (kind, system) = (self.kind, self.system.clone());
        let lines = (1..).zip(BufReader::new(File::open(&self.lines)?).lines());
        let lines = lines.filter(move |(_, line)| match line {
            Ok(line) => kind == Kind::Text || !line.trim().is_empty(),
            Err(_) => true,
        });
        Ok(lines.map(move |(number, line)| {
            let prompt = || {
                let line = line.map_err(|error| error.to_string())?;
                let line = match number {
                    1 => line.strip_prefix('\u{feff}').unwrap_or(&line),
                    _ => &line,
                };
                prompt_of(line, kind, system.as_deref())
            };
            (number, prompt())
        }))
    }

    /// Opens what is known of where the prompts came from.
    pub(super) fn origins(&self, input: &Path) -> Provenance {
        let name = input.display().to_string();
        match self.kind {
            Kind::Text => Provenance::Lines,
            Kind::Table => Origins::of(&self.lines.display().to_string(), "")
                .map_or(Provenance::Unknown, Provenance::Made),
            Kind::Examples => {
                let sum = may_be_vouched(&name)
                    .then(|| checksum(input).ok())
                    .flatten();
                sum.and_then(|(_, blake3)| Origins::of(&name, &blake3))
                    .map_or(Provenance::Unknown, Provenance::Passport)
            }
        }
    }

    /// Where a prompt came from, as the output tells it; `None` if it is not
    /// known.
    pub(super) fn origin(&self, index: u64, provenance: &mut Provenance) -> Option<Value> {
        let line = line_of(index, &self.blank);
        let origin = match provenance {
            Provenance::Unknown => None,
            Provenance::Lines => Some(Origin {
                source: self.name.clone(),
                line,
                record: line,
            }),
            Provenance::Made(origins) => origins.at_line(line),
            Provenance::Passport(origins) => origins.at(line, None),
        }?;
        Some(json!({"source": origin.source, "line": origin.line, "record": origin.record}))
    }
}

/// What is known of where prompts came from.
#[derive(Debug)]
pub(super) enum Provenance {
    /// Nothing.
    Unknown,
    /// They are the lines of the input.
    Lines,
    /// A passport that was written for this run.
    Made(Origins),
    /// The passport of the input; its manifest must vouch for it.
    Passport(Origins),
}

/// The line of a prompt, from 1, among lines of which some are blank.
fn line_of(index: u64, blank: &[u64]) -> u64 {
    let mut ranked = (0..).zip(blank);
    // Behind all of them in the common case, so this is seldom a search.
    let is_behind = blank
        .last()
        .is_none_or(|&last| last <= index + blank.len() as u64);
    let n = match is_behind {
        true => blank.len(),
        false => ranked
            .position(|(rank, &line)| line - rank > index + 1)
            .unwrap_or(blank.len()),
    };
    index + 1 + n as u64
}

fn prompt_of(line: &str, kind: Kind, system: Option<&str>) -> Result<Prompt, String> {
    if kind == Kind::Text {
        return match line.trim().is_empty() {
            true => Err("the line is blank".to_owned()),
            false => Ok(Prompt::of_text(line, system)),
        };
    }
    let mut prompt = Prompt::of_line(line).map_err(|error| error.to_string())?;
    if let (None, Some(system)) = (&prompt.system_instruction, system) {
        prompt.system_instruction = Prompt::of_text("", Some(system)).system_instruction;
    }
    Ok(prompt)
}

/// Makes examples of a table.
fn convert(input: Input, to: &Path, shared: &Shared) -> Result<(), Failure> {
    let name = input.name().to_owned();
    let sources = source::open_all(vec![input], &Options::default())?;
    let job = Job::new(sources, &ComposeOptions::default())?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let run = Run {
        pool: &pool,
        memory: shared.memory.0,
        stop: interrupt::stop(),
    };
    let passport = OutputPaths::of(to).passport;
    let sinks = Sinks {
        data: OutputWriter::create(to, Sha256Wanted::No)?,
        passport: Some(OutputWriter::create(&passport, Sha256Wanted::No)?),
        rejects: None,
    };
    let outcome = job.run(sinks, &run)?;
    // A row that is no prompt would have no outcome.
    if outcome.ledger.written < outcome.ledger.read {
        let n = outcome.ledger.read - outcome.ledger.written;
        let cannot = format!("{} of `{name}` cannot be asked", ui::of(n, "row"));
        let left_out = |met: &&Met| {
            let code = met.code.code;
            let ledger = &outcome.ledger;
            ledger.dropped.contains_key(code) || ledger.rejected.contains_key(code)
        };
        let failure = match outcome.met.iter().find(left_out) {
            Some(met) => Failure::because(cannot, &met.message).at(format!(
                "{}:{}:{}",
                met.source, met.position.line, met.position.column
            )),
            None => Failure::new(cannot),
        };
        return Err(
            failure.hint("nothing was sent; `prep convert` leaves out what cannot be asked")
        );
    }
    if let Some(passport) = outcome.passport {
        let file = SourceFile {
            path: name,
            bytes: 0,
            blake3: String::new(),
        };
        let source = SourceFiles {
            files: vec![file],
            read_as: Value::Null,
        };
        passport
            .finish(vec![source], Vec::new())?
            .finish()?
            .persist()?;
    }
    Ok(outcome.data.persist()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_count_as_lines() {
        let check = |blank: &[u64], expected: &[u64]| {
            let lines: Vec<_> = (0..expected.len() as u64)
                .map(|index| line_of(index, blank))
                .collect();
            assert_eq!(lines, expected, "{blank:?}");
        };
        check(&[], &[1, 2, 3]);
        check(&[1], &[2, 3, 4]);
        check(&[2], &[1, 3, 4]);
        check(&[1, 2, 4], &[3, 5, 6]);
        check(&[2, 4, 5], &[1, 3, 6, 7]);
    }
}
