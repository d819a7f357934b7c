//! `prep convert`: sources into one dataset.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use prep_data::diag::Level;
use prep_data::io::passport::{SourceFile, SourceFiles};
use prep_data::io::{
    AtomicFile, Input, Manifest, OutputError, OutputPaths, OutputWriter, Overwrite, Progress,
    Sha256Wanted, commit,
};
use prep_data::pipeline::{ComposeOptions, Job, Outcome, Run, Sinks, Template, ordered};
use prep_data::source;
use serde_json::{Value, json};

use crate::Answer;
use crate::args::{ConvertArgs, Shared};
use crate::failure::{Failure, plain};
use crate::{interrupt, ui};

/// Runs the command.
pub(crate) fn run(args: &ConvertArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let target = Target::new(args);
    let system = args.system.as_deref().map(text_or_file).transpose()?;
    let compose = compose_options(args, system.clone());
    let options = args.source_options(shared.memory.0);

    target.refuse_clashes(shared)?;
    let inputs = args
        .inputs
        .iter()
        .map(|path| Input::open(path))
        .collect::<Result<Vec<_>, _>>()?;
    let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
    let files: Vec<_> = inputs
        .iter()
        .map(|input| (input.name().to_owned(), input.progress()))
        .collect();

    let job = Job::new(source::open_all(inputs, &options)?, &compose)?;
    if !shared.quiet {
        tell_decisions(&job);
    }
    let decisions = decisions(&job);
    let names: Vec<Vec<String>> = job.parts().iter().map(|part| part.names.clone()).collect();

    target.check(shared)?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let bar = ui::Bar::over(
        files
            .iter()
            .map(|(_, progress)| Arc::clone(progress))
            .collect(),
        total,
        shared,
    );
    let run = Run {
        pool: &pool,
        memory: shared.memory.0,
        stop: interrupt::stop(),
    };
    let outcome = job.run(target.sinks(shared)?, &run)?;
    drop(bar);

    let read_as = serde_json::to_value(&options).map_err(plain)?;
    let settings = settings(args, system.as_deref(), &read_as);
    let sources = sources(&names, &files, &read_as);
    let read: u64 = sources
        .iter()
        .flat_map(|source| &source.files)
        .map(|file| file.bytes)
        .sum();
    let report = Report::new(&outcome, shared.verbose);
    let written = target.finish(outcome, settings, decisions, sources)?;
    if let Some(path) = &shared.summary {
        write_summary(path, &written)?;
    }
    if !shared.quiet {
        report.print(&target, &written, read, started);
    }
    report.answer(args.strict)
}

/// The number of threads to work on.
fn threads(shared: &Shared) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    shared.threads.unwrap_or_else(cores)
}

/// The text of a flag that may name a file as `@FILE`. One newline at the end
/// of the file is not part of the text.
fn text_or_file(text: &str) -> Result<String, Failure> {
    let Some(path) = text.strip_prefix('@') else {
        if text.trim().is_empty() {
            return Err(
                Failure::new("the system instruction is empty").hint("leave `--system` out")
            );
        }
        return Ok(text.to_owned());
    };
    let read = fs::read_to_string(path).map_err(|error| {
        Failure::from(anyhow::Error::new(error).context(format!("cannot read `{path}`")))
    })?;
    let read = read.strip_prefix('\u{feff}').unwrap_or(&read);
    let text = read
        .strip_suffix('\n')
        .map_or(read, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.trim().is_empty() {
        return Err(Failure::new(format!(
            "`{path}` holds no system instruction: it is empty"
        )));
    }
    Ok(text.to_owned())
}

fn compose_options(args: &ConvertArgs, system: Option<String>) -> ComposeOptions {
    // The columns of two tables are told apart where they are joined.
    let is_joined = args.id_column.is_some();
    let side = |template: &Option<Template>, column: &Option<String>| {
        let column = column.as_deref().filter(|_| !is_joined);
        template.clone().or_else(|| column.map(Template::column))
    };
    ComposeOptions {
        user: side(&args.user, &args.src_column),
        model_text: side(&args.model_text, &args.tgt_column),
        system,
        group_column: args.group_column.clone(),
        order_column: args.order_column.clone(),
    }
}

/// The settings that bear on the output, for the manifest.
fn settings(args: &ConvertArgs, system: Option<&str>, read_as: &Value) -> Value {
    let mut settings = read_as.clone();
    let more = json!({
        "user": args.user.as_ref().map(ToString::to_string),
        "model_text": args.model_text.as_ref().map(ToString::to_string),
        "system": system,
        "src_column": args.src_column,
        "tgt_column": args.tgt_column,
        "group_column": args.group_column,
        "order_column": args.order_column,
    });
    if let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) {
        settings.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    settings
}

/// What was read, source by source.
fn sources(
    names: &[Vec<String>],
    files: &[(String, Arc<Progress>)],
    read_as: &Value,
) -> Vec<SourceFiles> {
    let file = |name: &String| {
        let progress = files
            .iter()
            .find(|(file, _)| file == name)
            .map(|(_, progress)| progress);
        SourceFile {
            path: name.clone(),
            bytes: progress.map_or(0, |progress| progress.bytes()),
            blake3: progress.map_or_else(String::new, |progress| progress.checksum()),
        }
    };
    let source = |names: &Vec<String>| SourceFiles {
        files: names.iter().map(file).collect(),
        read_as: read_as.clone(),
    };
    names.iter().map(source).collect()
}

fn decisions(job: &Job) -> Vec<String> {
    job.parts().iter().map(decision).collect()
}

fn decision(part: &prep_data::pipeline::Part) -> String {
    let what = [part.format.to_string()]
        .into_iter()
        .chain(part.decisions.iter().cloned());
    format!(
        "{}: {}",
        part.names.join(" + "),
        what.collect::<Vec<_>>().join(", ")
    )
}

fn tell_decisions(job: &Job) {
    for part in job.parts() {
        ui::say(&decision(part));
    }
}

/// Where the command writes.
struct Target<'a> {
    paths: OutputPaths,
    /// The rejects, where they are wanted.
    rejects: Option<PathBuf>,
    is_stdout: bool,
    args: &'a ConvertArgs,
}

/// What was written, for whoever asks.
struct Written {
    /// Nothing was moved into place: there was no example to replace an
    /// earlier dataset with.
    is_kept: bool,
    summary: Value,
    rejects: Option<PathBuf>,
    bytes: u64,
}

impl<'a> Target<'a> {
    fn new(args: &'a ConvertArgs) -> Self {
        let is_stdout = args.output == Path::new("-");
        let mut paths = OutputPaths::of(&args.output);
        if let Some(rejects) = &args.rejects {
            paths.rejects.clone_from(rejects);
        }
        let rejects = (!is_stdout || args.rejects.is_some()).then(|| paths.rejects.clone());
        Self {
            paths,
            rejects,
            is_stdout,
            args,
        }
    }

    /// Whether there is a dataset already, and not an empty one.
    fn has_dataset(&self) -> bool {
        !self.is_stdout && fs::metadata(&self.paths.data).is_ok_and(|file| file.len() > 0)
    }

    /// Every file that may be written.
    fn outputs<'b>(&'b self, shared: &'b Shared) -> Vec<&'b Path> {
        let dataset = [&self.paths.data, &self.paths.passport, &self.paths.manifest];
        let dataset = dataset.into_iter().filter(|_| !self.is_stdout);
        let outputs = dataset.chain(&self.rejects).chain(&shared.summary);
        outputs
            .map(PathBuf::as_path)
            .filter(|path| *path != Path::new("-"))
            .collect()
    }

    /// Refuses to write what is being read, and to write two outputs into one.
    fn refuse_clashes(&self, shared: &Shared) -> Result<(), Failure> {
        if self.args.rejects.as_deref() == Some(Path::new("-")) {
            return Err(Failure::new("rejects cannot go to standard output")
                .hint("name a file with `--rejects`"));
        }
        let mut places = Vec::new();
        for output in self.outputs(shared) {
            let place = place_of(output);
            let name = output.display();
            if self
                .args
                .inputs
                .iter()
                .any(|input| place_of(input) == place)
            {
                return Err(Failure::new(format!("`{name}` is an input and an output"))
                    .hint("write somewhere else with `-o`, `--rejects` or `--summary`"));
            }
            if places.contains(&place) {
                return Err(
                    Failure::new(format!("two outputs are to be written to `{name}`"))
                        .hint("name another file with `-o`, `--rejects` or `--summary`"),
                );
            }
            places.push(place);
        }
        Ok(())
    }

    fn check(&self, shared: &Shared) -> Result<(), Failure> {
        let overwrite = if shared.force {
            Overwrite::Always
        } else {
            Overwrite::IfOurs
        };
        if !self.is_stdout {
            self.paths.check(overwrite)?;
        }
        match &shared.summary {
            Some(path) if overwrite == Overwrite::IfOurs => refuse_foreign_summary(path),
            _ => Ok(()),
        }
    }

    fn sinks(&self, shared: &Shared) -> Result<Sinks<'_>, OutputError> {
        let sha256 = if shared.summary.is_some() {
            Sha256Wanted::Yes
        } else {
            Sha256Wanted::No
        };
        let (data, passport) = if self.is_stdout {
            (OutputWriter::stdout(sha256), None)
        } else {
            let data = OutputWriter::create(&self.paths.data, sha256)?;
            let passport = OutputWriter::create(&self.paths.passport, Sha256Wanted::No)?;
            (data, Some(passport))
        };
        Ok(Sinks {
            data,
            passport,
            rejects: self.rejects.as_deref(),
        })
    }

    /// Ends the files and moves them into place.
    fn finish(
        &self,
        outcome: Outcome,
        settings: Value,
        decisions: Vec<String>,
        sources: Vec<SourceFiles>,
    ) -> Result<Written, Failure> {
        if !outcome.ledger.adds_up() {
            return Err(
                Failure::new(format!("the ledger does not add up: {:?}", outcome.ledger))
                    .hint("this is a fault of prep; please report it with this message"),
            );
        }
        let ledger = serde_json::to_value(&outcome.ledger).map_err(plain)?;
        let summary = json!({
            "schema": 1,
            "command": "convert",
            "ledger": ledger,
            "inputs": sources,
            "outputs": [{
                "path": self.paths.data,
                "examples": outcome.examples,
                "bytes": outcome.data.bytes,
                "sha256": outcome.data.sha256,
                "blake3": outcome.data.blake3,
            }],
            "rejects": outcome.rejects.as_ref().map(|_| &self.paths.rejects),
        });
        let is_kept = outcome.examples == 0 && self.has_dataset();
        let written = Written {
            is_kept,
            summary,
            rejects: (outcome.rejects.is_some() && !is_kept).then(|| self.paths.rejects.clone()),
            bytes: outcome.data.bytes,
        };
        if is_kept {
            return Ok(written);
        }
        let mut outputs = vec![outcome.data.entry(&self.paths, Some(outcome.examples))];
        let mut files = vec![outcome.data];
        if let Some(passport) = outcome.passport {
            let steps = vec![step(&settings)];
            let passport =
                passport
                    .finish(sources.clone(), steps)
                    .map_err(|source| OutputError::Write {
                        path: self.paths.passport.clone(),
                        source,
                    })?;
            let passport = passport.finish()?;
            outputs.push(passport.entry(&self.paths, None));
            files.push(passport);
        }
        if let Some(rejects) = outcome.rejects {
            outputs.push(rejects.entry(&self.paths, None));
            files.push(rejects);
        }
        if self.is_stdout {
            for file in files {
                file.persist()?;
            }
            return Ok(written);
        }
        let manifest = Manifest {
            schema: 1,
            tool: concat!("prep ", env!("CARGO_PKG_VERSION")).into(),
            command: "convert".into(),
            settings,
            decisions,
            inputs: sources,
            outputs,
            ledger,
        };
        commit(&self.paths, files, &manifest)?;
        Ok(written)
    }

    fn name(&self) -> String {
        if self.is_stdout {
            "standard output".into()
        } else {
            self.args.output.display().to_string()
        }
    }
}

/// The command as passports name it.
fn step(settings: &Value) -> String {
    match settings.as_object() {
        Some(settings) if settings.is_empty() => "prep convert".into(),
        _ => format!("prep convert with {settings}"),
    }
}

/// Where a file is, or will be, by its one true name.
fn place_of(path: &Path) -> PathBuf {
    if let Ok(place) = fs::canonicalize(path) {
        return place;
    }
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = fs::canonicalize(directory.unwrap_or(Path::new(".")));
    match (directory, path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.into(),
    }
}

/// Refuses to write a summary over a file that is none. No manifest names
/// summaries: they are known by their shape.
fn refuse_foreign_summary(path: &Path) -> Result<(), Failure> {
    if path == Path::new("-") || !path.exists() {
        return Ok(());
    }
    let is_short =
        |path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() < 1 << 24);
    let is_summary = is_short(path)
        && fs::read(path).is_ok_and(|bytes| {
            serde_json::from_slice::<Value>(&bytes).is_ok_and(|value| {
                value["schema"].is_u64()
                    && value["command"].is_string()
                    && value["ledger"].is_object()
            })
        });
    if is_summary {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` is not a file that `prep` wrote",
        path.display()
    ))
    .hint("move it away, or write over it with `--force`"))
}

fn write_summary(path: &Path, written: &Written) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(&written.summary).map_err(plain)?;
    json.push('\n');
    if path == Path::new("-") {
        std::io::stdout().write_all(json.as_bytes())?;
        return Ok(());
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(json.as_bytes())?;
    file.sync()?;
    Ok(file.persist()?)
}

/// What the run came to, as it is told.
struct Report {
    lines: Vec<(Level, &'static str, String)>,
    ledger: prep_data::pipeline::Ledger,
    examples: u64,
    is_verbose: bool,
}

impl Report {
    fn new(outcome: &Outcome, is_verbose: bool) -> Self {
        let lines = outcome.met.iter().map(|met| {
            let times = if met.count == 1 {
                String::new()
            } else {
                format!(" ({} times, first here)", ui::count(met.count))
            };
            let place = format!(
                "{}:{}:{}",
                met.source, met.position.line, met.position.column
            );
            let mut text = format!("{place}: {}{times}", met.message);
            if is_verbose {
                text += &format!("\n  hint: {}", met.code.hint);
            }
            (met.code.level, met.code.code, text)
        });
        Self {
            lines: lines.collect(),
            ledger: outcome.ledger.clone(),
            examples: outcome.examples,
            is_verbose,
        }
    }

    fn print(&self, target: &Target<'_>, written: &Written, read: u64, started: Instant) {
        for (level, code, text) in &self.lines {
            ui::finding(*level, code, text);
        }
        let name = target.name();
        if written.is_kept {
            ui::say(&format!("{name}: left as it was"));
        } else {
            let (examples, size) = (ui::of(self.examples, "example"), ui::bytes(written.bytes));
            ui::say(&format!("{name}: {examples}, {size}"));
        }
        ui::say(&self.account());
        if let Some(path) = &written.rejects {
            ui::say(&format!("rejects: {}", path.display()));
        }
        if self.is_verbose {
            let seconds = started.elapsed().as_secs_f64();
            let rate = ui::bytes((read as f64 / seconds) as u64);
            ui::say(&format!("{} in {seconds:.2} s, {rate}/s", ui::bytes(read)));
        }
    }

    /// The ledger in one line that adds up.
    fn account(&self) -> String {
        let ledger = &self.ledger;
        let rejected = ledger
            .rejected
            .iter()
            .map(|(code, n)| format!("{code} {}", ui::count(*n)));
        let codes = rejected.collect::<Vec<_>>().join(", ");
        let mut account = format!(
            "{} read = {} written",
            ui::count(ledger.read),
            ui::count(ledger.written)
        );
        if ledger.n_rejected() > 0 {
            account += &format!(" + {} rejected ({codes})", ui::count(ledger.n_rejected()));
        }
        account
    }

    fn answer(&self, strict: bool) -> Result<Answer, Failure> {
        if self.examples == 0 {
            ui::error_line("no example was written");
            return Ok(Answer::No);
        }
        let has_error = self
            .lines
            .iter()
            .any(|(level, _, _)| *level == Level::Error);
        Ok(if strict && has_error {
            Answer::No
        } else {
            Answer::Yes
        })
    }
}
