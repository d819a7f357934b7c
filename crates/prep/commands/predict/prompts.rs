//! What is asked: the lines of a dataset, the rows of a table, lines of text.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use prep_data::io::{Input, OutputWriter, Sha256Wanted};
use prep_data::pipeline::{ComposeOptions, Job, Run, Sinks, ordered};
use prep_data::source::{self, Options};
use prep_submit::predict::Prompt;
use tempfile::TempDir;

use crate::args::Shared;
use crate::failure::{Failure, plain};
use crate::interrupt;
use crate::target::threads;

/// The prompts of a file, read as they are needed.
#[derive(Debug)]
pub(super) struct Prompts {
    lines: std::path::PathBuf,
    kind: Kind,
    system: Option<String>,
    pub(super) n: u64,
    /// Keeps what was made of a table, or of standard input.
    _made: Option<TempDir>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Examples,
    Text,
}

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
        let is_json = head.trim_ascii_start().starts_with(b"{");
        let is_table = [
            ".csv", ".tsv", ".xlsx", ".parquet", ".tmx", ".xlf", ".xliff", ".po",
        ]
        .iter()
        .any(|end| input.plain_name().to_lowercase().ends_with(end));
        let made = TempDir::new()?;
        let lines = made.path().join("prompts");
        let kind = if is_table {
            convert(input, &lines, shared)?;
            Kind::Examples
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
            _made: Some(made),
        };
        let mut known = 0;
        for (line, n) in prompts.iter()?.zip(1..) {
            line.map_err(|reason| {
                Failure::because(format!("`{name}` cannot be asked"), reason)
                    .at(format!("{name}:{n}"))
                    .hint("`prep validate` says what is wrong with a dataset")
            })?;
            known = n;
            if limit.is_some_and(|limit| n >= limit as u64) {
                break;
            }
        }
        prompts.n = known;
        if known == 0 {
            return Err(Failure::new(format!("`{name}` has no prompts")));
        }
        Ok(prompts)
    }

    /// The prompts in order, each a line; blank lines of a dataset are none.
    pub(super) fn iter(&self) -> Result<impl Iterator<Item = Result<Prompt, String>>, Failure> {
        let (kind, system) = (self.kind, self.system.clone());
        let lines = BufReader::new(File::open(&self.lines)?).lines();
        let lines = lines.filter(move |line| match line {
            Ok(line) => kind == Kind::Text || !line.trim().is_empty(),
            Err(_) => true,
        });
        Ok(lines.enumerate().map(move |(n, line)| {
            let line = line.map_err(|error| error.to_string())?;
            let line = match n {
                0 => line.strip_prefix('\u{feff}').unwrap_or(&line),
                _ => &line,
            };
            match kind {
                Kind::Text if line.trim().is_empty() => Err("the line is blank".to_owned()),
                Kind::Text => Ok(Prompt::of_text(line, system.as_deref())),
                Kind::Examples => {
                    let mut prompt = Prompt::of_line(line).map_err(|error| error.to_string())?;
                    if let (None, Some(system)) = (&prompt.system_instruction, &system) {
                        let with = Prompt::of_text("", Some(system));
                        prompt.system_instruction = with.system_instruction;
                    }
                    Ok(prompt)
                }
            }
        }))
    }

    /// Whether the lines are those of the input, so that its passport knows
    /// them.
    pub(super) fn are_lines_of_input(&self) -> bool {
        self.kind == Kind::Examples
    }
}

/// Makes examples of a table.
fn convert(input: Input, to: &Path, shared: &Shared) -> Result<(), Failure> {
    let sources = source::open_all(vec![input], &Options::default())?;
    let job = Job::new(sources, &ComposeOptions::default())?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let run = Run {
        pool: &pool,
        memory: shared.memory.0,
        stop: interrupt::stop(),
    };
    let sinks = Sinks {
        data: OutputWriter::create(to, Sha256Wanted::No)?,
        passport: None,
        rejects: None,
    };
    let outcome = job.run(sinks, &run)?;
    if let Some(met) = outcome
        .met
        .iter()
        .find(|met| met.code.level == prep_data::diag::Level::Error)
    {
        return Err(Failure::because(
            format!("`{}` cannot be asked as it is", met.source),
            &met.message,
        )
        .at(format!(
            "{}:{}:{}",
            met.source, met.position.line, met.position.column
        ))
        .hint("every row must be answered; `prep convert` says what else is wrong"));
    }
    Ok(outcome.data.persist()?)
}
