//! `prep init`: settings for the files that are here.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use prep_data::io::{Input, Manifest, sidecar};
use prep_data::pipeline::{ComposeError, ComposeOptions, Job};
use prep_data::source::{self, Options, columns};

use crate::Answer;
use crate::args::{InitArgs, Shared};
use crate::failure::Failure;
use crate::ui;

/// Runs the command.
pub(crate) fn run(args: &InitArgs, shared: &Shared) -> Result<Answer, Failure> {
    let is_stdout = args.output == Path::new("-");
    if !is_stdout && args.output.exists() {
        let path = args.output.display();
        return Err(Failure::new(format!("`{path}` is there already"))
            .hint("`prep init` never writes over a file; name another with `-o`"));
    }
    let files = if args.files.is_empty() {
        candidates()?
    } else {
        args.files.clone()
    };
    let found = look(&files, !args.files.is_empty())?;
    if found.is_empty() {
        return Err(Failure::new("there is nothing here that could be a source")
            .hint("name the files: prep init data/corpus.csv"));
    }
    if !shared.quiet {
        for one in &found {
            ui::say(&format!("{}: {}", one.names(), one.what));
        }
    }
    let text = settings(&found);
    if is_stdout {
        io::stdout().write_all(text.as_bytes())?;
        return Ok(Answer::Yes);
    }
    let cannot = |error: io::Error| {
        let cannot = format!("cannot write `{}`", args.output.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    };
    // Another program may have made it meanwhile.
    let mut file = fs::File::create_new(&args.output).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    if !shared.quiet {
        ui::say(&format!(
            "{}: look it over, then `prep run --dry-run` shows what it does",
            args.output.display()
        ));
    }
    Ok(Answer::Yes)
}

/// What could be a source.
struct Found {
    files: Vec<PathBuf>,
    /// The column of the conversation, if rows are turns.
    group_column: Option<String>,
    /// Its format and what was guessed.
    what: String,
}

impl Found {
    /// Proposes files as one source.
    fn of(files: Vec<PathBuf>) -> Result<Self, Refused> {
        let mut options = ComposeOptions::default();
        let mut parts = opened(&files, &options);
        if let Err(Refused::Columns(ComposeError::NoSide { columns, .. })) = &parts
            && columns::turn(columns).is_some()
            && let Some(n) = columns::conversation(columns)
        {
            options.group_column = Some(columns[n].clone());
            parts = opened(&files, &options);
        }
        Ok(Self {
            what: parts?.into_iter().next().unwrap_or_default(),
            group_column: options.group_column,
            files,
        })
    }

    fn names(&self) -> String {
        let names = self.files.iter().map(|path| path.display().to_string());
        names.collect::<Vec<_>>().join(" + ")
    }
}

/// The files of this directory that are not hidden and not made by `prep`.
fn candidates() -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(".")? {
        let entry = entry?;
        let path = PathBuf::from(entry.file_name());
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_made = Manifest::path_of(&path).exists()
            || [".manifest.json", ".passport", ".rejects.jsonl"]
                .iter()
                .any(|end| name.ends_with(end));
        let is_settings = [".yaml", ".yml", ".md", ".txt~"]
            .iter()
            .any(|end| name.ends_with(end));
        if entry.path().is_file() && !name.starts_with('.') && !is_made && !is_settings {
            files.push(path);
        }
    }
    files.retain(|path| !sidecar(path, "passport").exists() && !is_predictions(path));
    files.sort();
    Ok(files)
}

/// Whether `prep predict` wrote it. Its references are those of validation, so
/// as a source it would be leakage.
fn is_predictions(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut first = Vec::new();
    let mut start = BufReader::new(file).take(1 << 20);
    let is_read = start.read_until(b'\n', &mut first).is_ok();
    let object = serde_json::from_slice::<serde_json::Value>(&first).unwrap_or_default();
    is_read && object.get("finishReason").is_some() && object.get("prediction").is_some()
}

/// Opens what can be opened. Two aligned texts are one source.
fn look(files: &[PathBuf], is_named: bool) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    let mut rest: Vec<_> = files.to_vec();
    while !rest.is_empty() {
        let first = rest.remove(0);
        let partner = rest.iter().position(|other| {
            let two = [first.clone(), other.clone()];
            matches!(opened(&two, &ComposeOptions::default()), Ok(parts) if parts.len() == 1)
        });
        let files = match partner {
            Some(n) => vec![first, rest.remove(n)],
            None => vec![first],
        };
        let names: Vec<_> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        match Found::of(files) {
            Ok(one) => found.push(one),
            // A file that was named must be a source; another may be anything.
            Err(refused) if is_named => return Err(refused.into()),
            Err(Refused::Unreadable(_)) => {}
            Err(Refused::Columns(error)) => {
                let name = names.join("` and `");
                ui::remark("note", &format!("`{name}` is left out: {error}"));
            }
        }
    }
    Ok(found)
}

/// Why files are not proposed as a source.
enum Refused {
    /// They are in no format that is read.
    Unreadable(Failure),
    /// Their columns do not say what is what.
    Columns(ComposeError),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unreadable(failure) => failure,
            Refused::Columns(error) => error.into(),
        }
    }
}

/// What the sources of some files are, in words.
fn opened(files: &[PathBuf], options: &ComposeOptions) -> Result<Vec<String>, Refused> {
    let sources = || -> Result<_, Failure> {
        let inputs = files.iter().map(|path| Input::open(path));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        Ok(source::open_all(inputs, &Options::default())?)
    };
    let sources = sources().map_err(Refused::Unreadable)?;
    let job = Job::new(sources, options).map_err(Refused::Columns)?;
    let told = job.parts().iter().map(|part| {
        let what = [part.format.to_string()].into_iter();
        let what = what.chain(part.decisions.iter().cloned());
        what.collect::<Vec<_>>().join(", ")
    });
    Ok(told.collect())
}

/// The settings, with comments on what else could be said.
fn settings(found: &[Found]) -> String {
    let mut text = String::from(
        "# A project for `prep run`. `prep schema > prep.schema.json` writes a JSON Schema by which\n\
         # editors complete this file.\n\nsources:\n",
    );
    for one in found {
        let paths: Vec<_> = one
            .files
            .iter()
            .map(|path| scalar(&path.display().to_string()))
            .collect();
        let path = match &paths[..] {
            [path] => path.clone(),
            paths => format!("[{}]", paths.join(", ")),
        };
        let _ = writeln!(text, "  - path: {path}   # {}", one.what.replace('\n', " "));
        if let Some(column) = &one.group_column {
            let _ = writeln!(text, "    group_column: {}", scalar(column));
        }
    }
    text += "    # user: 'Translate to Spanish: {source}'   # the prompt, made of columns\n\
        \x20   # system: '@style.txt'                       # an instruction for every example\n\
        \x20   # weight: 0.1                               # blended into training as a tenth of it\n\
        \n\
        # fix: safe               # repairs what can be repaired without doubt\n\
        # filter: {preset: novel} # novel, chat, ui or web\n\
        # pairs: {tgt_lang: es-419, glossary: terms.csv} # what the filter goes by\n\
        dedupe:\n\
        \x20 near: 0.8              # leave out the line to keep what is only nearly the same\n\
        split:\n\
        \x20 ratio: 0.9\n\
        validate:\n\
        \x20 levels: {}             # D001: error, E066: allow\n\
        tuning:\n\
        \x20 model: gemini-3.1-flash-lite   # `prep models` lists what can be tuned\n\
        \x20 epochs: 3\n\
        \x20 # adapter_size: 4\n\
        \x20 # project: my-project\n\
        \x20 # location: us-central1\n\
        \x20 # bucket: gs://my-bucket\n\
        gates:\n\
        \x20 max_cost: 50            # US dollars\n\
        \x20 max_rejected: 0.05\n";
    text
}

/// A text as YAML takes it.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if text.chars().all(is_plain) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.')
    {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}
