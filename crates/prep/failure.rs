//! How a command fails: what, why, where, and what to do.

use std::error::Error;
use std::fmt::Display;
use std::io;

use prep_data::io::{InputError, OutputError};
use prep_data::pipeline::dedupe::DedupeError;
use prep_data::pipeline::split::SplitError;
use prep_data::pipeline::stats::StatsError;
use prep_data::pipeline::{
    CheckError, ComposeError, ConvertError, CountError, FilterError, FixError,
};
use prep_data::source::{Choice, SourceError, columns};

use crate::ui;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    at: Option<String>,
    notes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// A failure in words.
    pub(crate) fn new(message: impl Display) -> Self {
        Self::from(anyhow::anyhow!("{message}"))
    }

    /// A failure in words, and why.
    pub(crate) fn because(message: impl Display, cause: impl Display) -> Self {
        Self::from(anyhow::anyhow!("{cause}").context(message.to_string()))
    }

    /// Adds where it is, as FILE:LINE:COLUMN.
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.at = Some(place.into());
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a fact that helps to understand it.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// What and why in one phrase, and what to do.
    #[cfg(feature = "cloud")]
    pub(crate) fn in_words(&self) -> (String, Option<String>) {
        let mut what = self.error.to_string();
        let mut last = what.clone();
        for cause in self.error.chain().skip(1).map(ToString::to_string) {
            if cause != last {
                what = format!("{what}: {cause}");
            }
            last = cause;
        }
        (what, self.hint.clone())
    }

    /// Whether the reader of our output has gone, which ends the run quietly.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.error.chain().any(|cause| {
            let error = cause.downcast_ref::<io::Error>();
            error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        })
    }

    /// Prints it on standard error.
    pub(crate) fn print(&self) {
        ui::error_line(&self.error.to_string());
        let mut last = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            if cause != last {
                ui::detail("cause", &cause);
            }
            last = cause;
        }
        if let Some(place) = &self.at {
            ui::detail("at", place);
        }
        for note in &self.notes {
            ui::remark("note", note);
        }
        if let Some(hint) = &self.hint {
            ui::remark("hint", hint);
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            error,
            at: None,
            notes: Vec::new(),
            hint: None,
        }
    }
}

/// A failure whose text is the error's own.
pub(crate) fn plain(error: impl Error + Send + Sync + 'static) -> Failure {
    Failure::from(anyhow::Error::new(error))
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        plain(error)
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        match &error {
            InputError::Directory { .. } => plain(error).hint("name the files in it"),
            InputError::Open { .. } => plain(error),
        }
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        let hint = match &error {
            OutputError::NotOurs { .. } => {
                Some("move it away, name another with `-o`, or write over it with `--force`")
            }
            OutputError::Create { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("create its directory first")
            }
            OutputError::Write { source, .. } | OutputError::Scratch { source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                Some("make room on the disk; nothing was left there")
            }
            OutputError::NoFile { .. } => {
                Some("name a file that is not there yet; `-o -` writes to standard output")
            }
            OutputError::Busy { .. } => Some("wait for it, or choose another name with `-o`"),
            _ => None,
        };
        let failure = plain(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Open(error) => error.into(),
            error => {
                let hint = match &error {
                    SourceError::Malformed { choice, .. } => choice.map(flag_of),
                    SourceError::Unknown { .. } => Some(
                        "say what it is with `--from`, or name its columns with `--src-column` and `--tgt-column`",
                    ),
                    SourceError::NoPair { .. } => {
                        Some("name two files: `prep convert corpus.en corpus.es`")
                    }
                    SourceError::NoJoin { .. } => Some(
                        "name two files: `prep convert english.csv spanish.csv --id-column id`",
                    ),
                    SourceError::Column { .. } => Some(
                        "choose with `--id-column`, `--src-column` (in the first file) and `--tgt-column` (in the second)",
                    ),
                    SourceError::TooManyRows { .. } => Some("give it more with `--memory`"),
                    _ => None,
                };
                let note = match &error {
                    SourceError::Column { columns, .. } => Some(listed(columns)),
                    _ => None,
                };
                let mut failure = plain(error);
                if let Some(note) = note {
                    failure = failure.note(note);
                }
                match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
        }
    }
}

/// The flag with which a choice is made.
fn flag_of(choice: Choice) -> &'static str {
    match choice {
        Choice::Delimiter => {
            "choose the delimiter with `--delimiter`, or name both files of an aligned pair"
        }
        Choice::Languages => "choose with `--src-lang` and `--tgt-lang`",
        Choice::Sheet => "choose one with `--sheet`",
    }
}

/// The columns of a table, in words.
fn listed(columns: &[String]) -> String {
    let quoted: Vec<_> = columns.iter().map(|name| format!("`{name}`")).collect();
    format!("its columns are {}", quoted.join(", "))
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        match &error {
            ComposeError::NoColumn { columns, .. } | ComposeError::Twice { columns, .. } => {
                let note = listed(columns);
                plain(error)
                    .note(note)
                    .hint("choose one with `--src-column` and one with `--tgt-column`")
            }
            ComposeError::NoSide { columns, .. } if columns::turn(columns).is_some() => {
                let note = listed(columns);
                let known = columns::conversation(columns).map(|n| &columns[n]);
                let flag = known.map_or_else(String::new, |name| format!(" {name}"));
                plain(error).note(note).hint(format!(
                    "its rows look like turns: name the column of the conversation with `--group-column{flag}`"
                ))
            }
            ComposeError::NoSide { columns, .. } | ComposeError::Ambiguous { columns, .. } => {
                let note = listed(columns);
                plain(error).note(note).hint(
                    "choose with `--src-column` and `--tgt-column`, or write `--user` and `--model-text` templates",
                )
            }
            ComposeError::NoTable { .. } => {
                plain(error).hint("leave out the flags that name columns")
            }
        }
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::Input(error) => error.into(),
            FilterError::Output(error) => error.into(),
            FilterError::Passport(error) => error.into(),
            FilterError::Interrupted => plain(error),
        }
    }
}

impl From<FixError> for Failure {
    fn from(error: FixError) -> Self {
        match error {
            FixError::Input(error) => error.into(),
            FixError::Output(error) => error.into(),
            FixError::Passport(error) => error.into(),
            FixError::TooLong { .. } => {
                plain(error).hint("split or remove the line; `prep fix` carries all others over")
            }
            FixError::Interrupted => plain(error),
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Input(error) => error.into(),
            CheckError::Output(error) => Self::from(error)
                .hint("give it more memory with `--memory`, or make room on the disk"),
            CheckError::Interrupted => plain(error),
        }
    }
}

impl From<StatsError> for Failure {
    fn from(error: StatsError) -> Self {
        match error {
            StatsError::Input(error) => error.into(),
            StatsError::Output(error) => Self::from(error)
                .hint("give it more memory with `--memory`, or make room on the disk"),
            StatsError::Dedupe(error) => error.into(),
            StatsError::Interrupted => plain(error),
        }
    }
}

impl From<CountError> for Failure {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Input(error) => error.into(),
            CountError::Interrupted => plain(error),
        }
    }
}

impl From<ConvertError> for Failure {
    fn from(error: ConvertError) -> Self {
        match error {
            ConvertError::Source(error) => error.into(),
            ConvertError::Output(error) => error.into(),
            ConvertError::TooManyTurns { .. } => {
                plain(error).hint("give it more with `--memory`, or convert the file in parts")
            }
            ConvertError::Interrupted => plain(error),
        }
    }
}

impl From<SplitError> for Failure {
    fn from(error: SplitError) -> Self {
        let hint = match error {
            SplitError::Run(error) => return error.into(),
            SplitError::TooFewAtoms { .. } => {
                "what must stay together: one group, prompt or answer, and prompts that are alike; \
                 `--near 0.9` or `--near off`, and `--answers none` tie less"
            }
            SplitError::Leak(_) => "this is a fault of prep; please report it with this message",
        };
        plain(error).hint(hint)
    }
}

impl From<DedupeError> for Failure {
    fn from(error: DedupeError) -> Self {
        match error {
            DedupeError::Input(error) => error.into(),
            DedupeError::Output(error) => error.into(),
            DedupeError::Passport(error) => error.into(),
            DedupeError::TooManyTexts | DedupeError::Interrupted => plain(error),
        }
    }
}
