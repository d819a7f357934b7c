//! The tokens of files, for the commands that tell of them: by which
//! vocabulary, how many, and what was left out of the count.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use prep_data::io::Input;
use prep_data::pipeline::{CountRun, Counted, count, ordered};
use prep_data::rules::{Measure, TokenCount};
use prep_data::source::Options;
use prep_data::text::tokens::{self, Tokenizer, for_model};
use serde_json::{Value, json};

use crate::args::{Shared, VocabularyArgs};
use crate::failure::{Failure, plain};
use crate::settings::Settings;
use crate::target::threads;
use crate::{interrupt, ui};

/// By what tokens are counted, and why by that.
#[derive(Debug)]
pub(crate) struct Vocabulary<'t> {
    pub(crate) name: String,
    pub(crate) measure: Measure<'t>,
    pub(crate) basis: Basis,
}

/// Why a vocabulary was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Google's SDK counts the model's tokens with it.
    Listed,
    /// The SDK does not know the model; this is the newest vocabulary.
    Assumed,
    /// No model was named; this is the newest vocabulary.
    Newest,
    /// The user named it.
    Named,
    /// There is none for the model: the count is an estimate.
    Estimate,
}

impl Basis {
    /// Names it as JSON does.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Assumed => "assumed",
            Self::Newest => "newest",
            Self::Named => "named",
            Self::Estimate => "estimate",
        }
    }
}

impl<'t> Vocabulary<'t> {
    /// Chooses the vocabulary: the user's own, else that of the model, else the
    /// newest.
    pub(crate) fn choose(model: Option<&str>, own: Option<&'t Tokenizer>) -> Self {
        let of = |tokenizer: &'t Tokenizer, basis| Self {
            name: tokenizer.name().to_owned(),
            measure: Measure::Vocabulary(tokenizer),
            basis,
        };
        let Some(model) = model else {
            return match own {
                Some(own) => of(own, Basis::Named),
                None => of(Tokenizer::gemma4(), Basis::Newest),
            };
        };
        match (own, for_model(model)) {
            (Some(own), _) => of(own, Basis::Named),
            (None, Some(choice)) => {
                let basis = match choice.basis {
                    tokens::Basis::Listed => Basis::Listed,
                    tokens::Basis::Assumed => Basis::Assumed,
                };
                of(choice.tokenizer, basis)
            }
            (None, None) => Self {
                name: "estimate".into(),
                measure: Measure::Estimate,
                basis: Basis::Estimate,
            },
        }
    }
}

/// Reads the vocabulary that a flag or the settings name.
pub(crate) fn own_tokenizer(
    args: &VocabularyArgs,
    settings: &Settings,
) -> Result<Option<Tokenizer>, Failure> {
    let Some(path) = args.tokenizer.as_ref().or(settings.tokenizer.as_ref()) else {
        return Ok(None);
    };
    let bytes = fs::read(path).map_err(|error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    })?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Tokenizer::from_model(&name.to_string_lossy(), &bytes)
        .map(Some)
        .map_err(|error| {
            let cannot = format!("cannot count tokens by `{}`", path.display());
            Failure::from(anyhow::Error::new(error).context(cannot))
                .hint("leave it out: the vocabularies of Gemini are built in")
        })
}

/// A file that was counted.
#[derive(Debug)]
pub(crate) struct CountedFile {
    pub(crate) name: String,
    pub(crate) counted: Counted,
}

/// Counts files, each by itself, by several measures at once.
pub(crate) fn count_files(
    files: &[PathBuf],
    measures: &[Measure<'_>],
    shared: &Shared,
) -> Result<Vec<CountedFile>, Failure> {
    let started = Instant::now();
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let run = CountRun {
        pool: &pool,
        measures,
        block_bytes: Options::BLOCK_BYTES,
        stop: interrupt::stop(),
    };
    let count_file = |path: &PathBuf| {
        let input = Input::open(path)?;
        let name = input.name().to_owned();
        let bar = ui::Bar::over(vec![Arc::clone(&input.progress())], input.size(), shared);
        let counted = count(input, &run)?;
        drop(bar);
        Ok(CountedFile { name, counted })
    };
    let counted: Result<Vec<_>, Failure> = files.iter().map(count_file).collect();
    let counted = counted?;
    if shared.verbose {
        let seconds = started.elapsed().as_secs_f64();
        let bytes = counted.iter().map(|file| file.counted.bytes).sum();
        let rate = ui::bytes((bytes as f64 / seconds) as u64);
        ui::say(&format!("{} in {seconds:.2} s, {rate}/s", ui::bytes(bytes)));
    }
    Ok(counted)
}

impl CountedFile {
    /// How many media the count leaves out.
    pub(crate) fn media(&self) -> u64 {
        self.counted.sums.first().map_or(0, |sum| sum.tokens.media)
    }

    /// Says what was left out of the count.
    pub(crate) fn tell_left_out(&self) {
        let name = &self.name;
        let counted = &self.counted;
        if let Some(first) = &counted.first_not_counted {
            let lines = match counted.not_examples {
                1 => "1 line is no example and was".to_owned(),
                n => format!("{} are no examples and were", ui::of(n, "line")),
            };
            let (line, column) = (first.line, first.why.column);
            let reason = &first.why.reason;
            ui::remark(
                "warning",
                &format!("{lines} not counted, the first at {name}:{line}:{column}: {reason}"),
            );
        }
        if counted.blank > 0 {
            let lines = ui::of(counted.blank, "blank line");
            ui::remark("note", &format!("{name} has {lines}"));
        }
        if self.media() > 0 {
            let media = ui::of(self.media(), "media file");
            ui::remark(
                "warning",
                &format!("{name} names {media}, whose tokens are not counted"),
            );
        }
    }

    /// What was read and what was left out, as JSON, without tokens.
    pub(crate) fn to_json(&self) -> Value {
        let counted = &self.counted;
        let first = counted.first_not_counted.as_ref().map(|first| {
            json!({
                "line": first.line,
                "column": first.why.column,
                "message": first.why.reason,
            })
        });
        json!({
            "file": self.name,
            "examples": counted.examples,
            "not_examples": counted.not_examples,
            "first_not_example": first,
            "blank_lines": counted.blank,
            "media": self.media(),
        })
    }
}

/// The tokens by who says them, as JSON.
pub(crate) fn by_role(tokens: &TokenCount) -> Value {
    json!({
        "system": tokens.system,
        "tools": tokens.tools,
        "user": tokens.user,
        "model": tokens.model,
        "completions": tokens.completions,
    })
}

/// What a run read, in the shape of all summaries.
pub(crate) fn summary(command: &str, files: &[CountedFile]) -> Value {
    let sum = |of: fn(&Counted) -> u64| -> u64 { files.iter().map(|file| of(&file.counted)).sum() };
    let inputs: Vec<_> = files
        .iter()
        .map(|file| {
            json!({
                "path": file.name,
                "examples": file.counted.examples,
                "bytes": file.counted.bytes,
            })
        })
        .collect();
    json!({
        "schema": 1,
        "command": command,
        "ledger": {
            "read": sum(|counted| counted.examples + counted.not_examples),
            "counted": sum(|counted| counted.examples),
            "not_examples": sum(|counted| counted.not_examples),
        },
        "inputs": inputs,
    })
}
