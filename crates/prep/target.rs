//! The dataset that a command writes, and all that stands beside it.
//!
//! Every command that writes examples does so through a [`Target`]: it refuses
//! what would overwrite an input, another output or somebody else's file, moves
//! the dataset, its passport, its rejects and its manifest into place together,
//! and knows the account that is told at the end. A [`Report`] tells it.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use prep_data::diag::Level;
use prep_data::io::passport::{self, SourceFiles};
use prep_data::io::{
    AtomicFile, Finished, Manifest, OutputError, OutputFile, OutputPaths, OutputWriter, Overwrite,
    Sha256Wanted, commit,
};
use prep_data::pipeline::{Ledger, Met};
use serde_json::{Value, json};

use crate::Answer;
use crate::args::Shared;
use crate::failure::{Failure, plain};
use crate::ui;

/// The number of threads to work on.
pub(crate) fn threads(shared: &Shared) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    shared.threads.unwrap_or_else(cores)
}

/// What to do about files that are in the way.
pub(crate) fn overwrite(shared: &Shared) -> Overwrite {
    if shared.force {
        Overwrite::Always
    } else {
        Overwrite::IfOurs
    }
}

/// A command as passports name it: `prep convert with {…}`.
pub(crate) fn step(command: &str, settings: &Value) -> String {
    match settings.as_object() {
        Some(settings) if settings.is_empty() => format!("prep {command}"),
        _ => format!("prep {command} with {settings}"),
    }
}

/// Where a command writes its dataset.
#[derive(Debug)]
pub(crate) struct Target {
    paths: OutputPaths,
    /// The rejects, where they are wanted.
    rejects: Option<PathBuf>,
    is_stdout: bool,
    /// The dataset replaces the one that was read: the rejects of the run that
    /// wrote it stay.
    is_in_place: bool,
}

/// What a command made, to be moved into place.
#[derive(Debug)]
pub(crate) struct Product {
    /// The command's name.
    pub(crate) command: &'static str,
    /// Its settings, as far as they bear on the outputs.
    pub(crate) settings: Value,
    /// What was guessed, one phrase each.
    pub(crate) decisions: Vec<String>,
    /// The files that were read.
    pub(crate) inputs: Vec<SourceFiles>,
    /// What became of every record.
    pub(crate) ledger: Ledger,
    /// How many examples were written.
    pub(crate) examples: u64,
    /// The dataset.
    pub(crate) data: Finished,
    /// Its passport, not yet ended, if it has one.
    pub(crate) passport: Option<passport::Writer<OutputWriter>>,
    /// The sources that the passport's stamps name.
    pub(crate) origins: Vec<SourceFiles>,
    /// What was done since, oldest first, this command last.
    pub(crate) steps: Vec<String>,
    /// The rejects, if there are any.
    pub(crate) rejects: Option<Finished>,
    /// Further files, each announced with [`Target::and`].
    pub(crate) more: Vec<Finished>,
    /// Further members of the summary.
    pub(crate) details: Vec<(&'static str, Value)>,
}

/// What was written, for whoever asks.
#[derive(Debug)]
pub(crate) struct Written {
    /// The name of the dataset, to be shown.
    name: String,
    /// Nothing was moved into place: there was no example to replace an
    /// earlier dataset with.
    is_kept: bool,
    ledger: Ledger,
    examples: u64,
    /// The bytes of the dataset.
    bytes: u64,
    /// The bytes that were read for it.
    read_bytes: u64,
    rejects: Option<PathBuf>,
}

impl Written {
    /// Tells what was written, in one line.
    pub(crate) fn tell(&self) {
        let (name, examples) = (&self.name, ui::of(self.examples, "example"));
        if self.is_kept {
            ui::say(&format!("{name}: left as it was"));
        } else {
            ui::say(&format!("{name}: {examples}, {}", ui::bytes(self.bytes)));
        }
    }
}

impl Target {
    /// The dataset at `output` (`-` is standard output) and its rejects at
    /// `rejects`, or beside it.
    pub(crate) fn new(output: &Path, rejects: Option<&Path>) -> Self {
        let is_stdout = output == Path::new("-");
        let mut paths = OutputPaths::of(output);
        let has_rejects = !is_stdout || rejects.is_some();
        if let Some(rejects) = rejects {
            paths.rejects = rejects.into();
        }
        Self {
            rejects: has_rejects.then(|| paths.rejects.clone()),
            paths,
            is_stdout,
            is_in_place: false,
        }
    }

    /// Says whether the dataset replaces the one that was read.
    pub(crate) fn in_place(mut self, is_in_place: bool) -> Self {
        self.is_in_place = is_in_place;
        self
    }

    /// Adds a further file that the command writes, if it does.
    pub(crate) fn and(mut self, path: Option<&Path>) -> Self {
        self.paths.more.extend(path.map(Path::to_path_buf));
        self
    }

    /// Where the rejects go, where they are wanted.
    pub(crate) fn rejects(&self) -> Option<&Path> {
        self.rejects.as_deref()
    }

    /// Where the dataset goes; temporary data finds room beside it.
    pub(crate) fn path(&self) -> &Path {
        &self.paths.data
    }

    /// Whether there is a dataset already, and not an empty one.
    fn has_dataset(&self) -> bool {
        !self.is_stdout && fs::metadata(&self.paths.data).is_ok_and(|file| file.len() > 0)
    }

    /// Every file that may be written.
    fn outputs<'a>(&'a self, shared: &'a Shared) -> impl Iterator<Item = &'a Path> {
        let dataset = [&self.paths.data, &self.paths.passport, &self.paths.manifest];
        let dataset = dataset.into_iter().filter(|_| !self.is_stdout);
        let more = self.rejects.iter().chain(&self.paths.more);
        let outputs = dataset.chain(more).chain(&shared.summary);
        outputs
            .map(PathBuf::as_path)
            .filter(|path| *path != Path::new("-"))
    }

    /// Refuses to write what is being read, and to write two outputs into one.
    pub(crate) fn refuse_clashes(
        &self,
        inputs: &[PathBuf],
        shared: &Shared,
    ) -> Result<(), Failure> {
        if self.rejects() == Some(Path::new("-")) {
            return Err(Failure::new("rejects cannot go to standard output")
                .hint("name a file with `--rejects`"));
        }
        let inputs: Vec<_> = inputs.iter().map(|input| place_of(input)).collect();
        let mut places = Vec::new();
        for output in self.outputs(shared) {
            let place = place_of(output);
            let name = output.display();
            if inputs.contains(&place) {
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

    /// Refuses to write over what is not ours, unless told to.
    pub(crate) fn check(&self, shared: &Shared) -> Result<(), Failure> {
        let overwrite = overwrite(shared);
        if !self.is_stdout {
            self.paths.check(overwrite)?;
        }
        match &shared.summary {
            Some(path) if overwrite == Overwrite::IfOurs => refuse_foreign_summary(path),
            _ => Ok(()),
        }
    }

    /// Begins the dataset and its passport; standard output has none.
    pub(crate) fn writers(
        &self,
        shared: &Shared,
    ) -> Result<(OutputWriter, Option<OutputWriter>), OutputError> {
        let sha256 = if shared.summary.is_some() {
            Sha256Wanted::Yes
        } else {
            Sha256Wanted::No
        };
        if self.is_stdout {
            return Ok((OutputWriter::stdout(sha256), None));
        }
        let data = OutputWriter::create(&self.paths.data, sha256)?;
        let passport = OutputWriter::create(&self.paths.passport, Sha256Wanted::No)?;
        Ok((data, Some(passport)))
    }

    /// Ends the files, moves them into place and writes the summary. A dataset
    /// is not replaced by one without examples.
    pub(crate) fn finish(&self, product: Product, shared: &Shared) -> Result<Written, Failure> {
        if !product.ledger.adds_up() {
            return Err(
                Failure::new(format!("the ledger does not add up: {:?}", product.ledger))
                    .hint("this is a fault of prep; please report it with this message"),
            );
        }
        let summary = self.summary(&product)?;
        let is_kept = product.examples == 0 && self.has_dataset();
        let read_bytes = product.inputs.iter().flat_map(|input| &input.files);
        let written = Written {
            name: self.name(),
            is_kept,
            ledger: product.ledger.clone(),
            examples: product.examples,
            bytes: product.data.bytes,
            read_bytes: read_bytes.map(|file| file.bytes).sum(),
            rejects: (product.rejects.is_some() && !is_kept).then(|| self.paths.rejects.clone()),
        };
        if !is_kept {
            self.commit(product)?;
        }
        if let Some(path) = &shared.summary {
            write_summary(path, &summary)?;
        }
        Ok(written)
    }

    fn summary(&self, product: &Product) -> Result<Value, Failure> {
        let mut summary = json!({
            "schema": 1,
            "command": product.command,
            "ledger": product.ledger,
            "inputs": product.inputs,
            "outputs": [{
                "path": self.paths.data,
                "examples": product.examples,
                "bytes": product.data.bytes,
                "sha256": product.data.sha256,
                "blake3": product.data.blake3,
            }],
            "rejects": product.rejects.as_ref().map(|_| &self.paths.rejects),
        });
        for (name, value) in &product.details {
            summary[*name] = value.clone();
        }
        Ok(summary)
    }

    fn commit(&self, product: Product) -> Result<(), Failure> {
        let mut outputs = vec![product.data.entry(&self.paths, Some(product.examples))];
        let mut files = vec![product.data];
        let mut add = |file: Finished| {
            outputs.push(file.entry(&self.paths, None));
            files.push(file);
        };
        if let Some(passport) = product.passport {
            let passport = passport.finish(product.origins, product.steps);
            let passport = passport.map_err(|source| OutputError::Write {
                path: self.paths.passport.clone(),
                source,
            })?;
            add(passport.finish()?);
        }
        product.rejects.into_iter().for_each(&mut add);
        product.more.into_iter().for_each(&mut add);
        if self.is_stdout {
            return Ok(files.into_iter().try_for_each(Finished::persist)?);
        }
        if self.is_in_place {
            outputs.extend(self.earlier_rejects());
        }
        let manifest = Manifest {
            schema: 1,
            tool: concat!("prep ", env!("CARGO_PKG_VERSION")).into(),
            command: product.command.into(),
            settings: product.settings,
            decisions: product.decisions,
            inputs: product.inputs,
            outputs,
            ledger: serde_json::to_value(&product.ledger).map_err(plain)?,
        };
        Ok(commit(&self.paths, files, &manifest)?)
    }

    /// The rejects that stand beside the dataset, if its manifest knows them.
    fn earlier_rejects(&self) -> Option<OutputFile> {
        let manifest = Manifest::read(&self.paths.manifest).ok().flatten()?;
        let name = self.paths.rejects.file_name()?.to_str()?;
        manifest.output(name).cloned()
    }

    fn name(&self) -> String {
        if self.is_stdout {
            "standard output".into()
        } else {
            self.paths.data.display().to_string()
        }
    }
}

/// A page that a command writes beside its report. No manifest names it: its
/// last line is the checksum of all that stands before.
#[derive(Debug)]
pub(crate) struct Page(PathBuf);

impl Page {
    const BEFORE: &str = "<!-- written by prep; BLAKE3 of all before this line: ";
    const AFTER: &str = " -->\n";

    /// The page at `path`.
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    /// Where it goes.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Refuses to write over what is read, over the summary, and over what is
    /// not ours, unless told to.
    pub(crate) fn check<'p>(
        &self,
        read: impl IntoIterator<Item = &'p PathBuf>,
        shared: &Shared,
    ) -> Result<(), Failure> {
        let name = self.0.display();
        if self.0 == Path::new("-") {
            return Err(Failure::new("a page cannot go to standard output").hint("name a file"));
        }
        let place = place_of(&self.0);
        let is_it = |path: &PathBuf| place_of(path) == place;
        if read.into_iter().any(is_it) || shared.summary.iter().any(is_it) {
            return Err(
                Failure::new(format!("`{name}` is to be something else, too"))
                    .hint("name another file for the page"),
            );
        }
        if overwrite(shared) == Overwrite::Always || !self.0.exists() || self.is_ours() {
            return Ok(());
        }
        Err(
            Failure::new(format!("`{name}` is not a page that `prep` wrote"))
                .hint("move it away, or write over it with `--force`"),
        )
    }

    fn is_ours(&self) -> bool {
        let is_file = fs::metadata(&self.0).is_ok_and(|file| file.is_file());
        let Some(bytes) = is_file.then(|| fs::read(&self.0).ok()).flatten() else {
            return false;
        };
        let last = Self::BEFORE.len() + 64 + Self::AFTER.len();
        let Some((page, last)) = bytes.split_at_checked(bytes.len().saturating_sub(last)) else {
            return false;
        };
        last == Self::last_line(page).as_bytes()
    }

    fn last_line(page: &[u8]) -> String {
        let checksum = prep_data::io::checksum_of(page);
        format!("{}{checksum}{}", Self::BEFORE, Self::AFTER)
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, page: &[u8]) -> Result<(), Failure> {
        let mut file = AtomicFile::create(&self.0)?;
        file.write_all(page)?;
        file.write_all(Self::last_line(page).as_bytes())?;
        Ok(file.persist()?)
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
pub(crate) fn refuse_foreign_summary(path: &Path) -> Result<(), Failure> {
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

pub(crate) fn write_summary(path: &Path, summary: &Value) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(summary).map_err(plain)?;
    json.push('\n');
    if path == Path::new("-") {
        std::io::stdout().write_all(json.as_bytes())?;
        return Ok(());
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(json.as_bytes())?;
    Ok(file.persist()?)
}

/// What a run came to, as it is told.
#[derive(Debug)]
pub(crate) struct Report {
    lines: Vec<(Level, &'static str, String)>,
    is_quiet: bool,
    is_verbose: bool,
}

impl Report {
    /// What was met on the way, each code with its first place.
    pub(crate) fn new(met: &[Met], shared: &Shared) -> Self {
        let lines = met.iter().map(|met| {
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
            if shared.verbose {
                text += &format!("\n  hint: {}", met.code.hint);
            }
            (met.code.level, met.code.code, text)
        });
        Self {
            lines: lines.collect(),
            is_quiet: shared.quiet,
            is_verbose: shared.verbose,
        }
    }

    /// Prints what was met and what was written, unless quiet is asked for.
    pub(crate) fn print(&self, written: &Written, started: Instant) {
        if self.is_quiet {
            return;
        }
        self.print_met();
        written.tell();
        ui::say(&account(&written.ledger));
        if let Some(path) = &written.rejects {
            ui::say(&format!("rejects: {}", path.display()));
        }
        if self.is_verbose {
            let seconds = started.elapsed().as_secs_f64();
            let read = written.read_bytes;
            let rate = ui::bytes((read as f64 / seconds) as u64);
            ui::say(&format!("{} in {seconds:.2} s, {rate}/s", ui::bytes(read)));
        }
    }

    /// Prints what was met on the way, unless quiet is asked for.
    pub(crate) fn print_met(&self) {
        let lines = self.lines.iter().filter(|_| !self.is_quiet);
        lines.for_each(|(level, code, text)| ui::finding(*level, code, text));
    }

    /// Whether something was met at error level.
    pub(crate) fn has_errors(&self) -> bool {
        let mut levels = self.lines.iter().map(|(level, ..)| *level);
        levels.any(|level| level == Level::Error)
    }

    /// No, and an error line, if not one example was written.
    pub(crate) fn answer(&self, written: &Written) -> Answer {
        if written.examples > 0 {
            return Answer::Yes;
        }
        ui::error_line("no example was written");
        Answer::No
    }
}

/// A ledger in one line that adds up.
pub(crate) fn account(ledger: &Ledger) -> String {
    let mut account = format!(
        "{} read = {} written",
        ui::count(ledger.read),
        ui::count(ledger.written)
    );
    let left_out = [
        ("dropped", ledger.n_dropped(), &ledger.dropped),
        ("rejected", ledger.n_rejected(), &ledger.rejected),
    ];
    for (what, n, codes) in left_out {
        if n > 0 {
            let codes = codes
                .iter()
                .map(|(code, n)| format!("{code} {}", ui::count(*n)));
            let codes = codes.collect::<Vec<_>>().join(", ");
            account += &format!(" + {} {what} ({codes})", ui::count(n));
        }
    }
    account
}
