//! `prep jobs dropped`: the examples that the service left out, and the rows
//! that they came from.
//!
//! The service names an example by its line in the uploaded training file.
//! The passport beside that file knows the source of each line, if it is still
//! the file that was uploaded, which its checksum tells.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use prep_data::io::passport::fingerprint;
use prep_data::io::{Input, Passport, checksum, sidecar};
use prep_submit::tuning::{Dropped, TuningJob};
use serde_json::{Value, json};

use super::Wanted;
use super::record::FileRecord;
use crate::Answer;
use crate::args::{DroppedArgs, TextOrJson};
use crate::cloud::Services;
use crate::failure::Failure;
use crate::ui::{self, Align, Table};

/// Runs the command.
pub(super) fn run(args: &DroppedArgs, services: &Services<'_>) -> Result<Answer, Failure> {
    let wanted = Wanted::find(args.job.id(), services)?;
    let job = wanted.get()?;
    let mut out = anstream::stdout();
    let Some(stats) = job.stats() else {
        let state = job.state().in_words();
        if args.format == TextOrJson::Json {
            let problem = "the service has not counted the examples";
            let report = Report::default().json(&job, None, Some(problem));
            writeln!(out, "{report:#}")?;
        } else {
            ui::say(&format!(
                "the service has not counted the examples; the job is {state}"
            ));
        }
        return Ok(Answer::Yes);
    };
    let recorded = wanted.record.as_ref().map(|record| &record.train);
    let report = Report::of(&stats.dropped, args.train.as_deref(), recorded)?;
    match args.format {
        TextOrJson::Json => {
            let json = report.json(&job, Some(&stats.dropped), None);
            writeln!(out, "{json:#}")?;
        }
        TextOrJson::Text => report.print(&stats.dropped, &mut out)?,
    }
    Ok(Answer::Yes)
}

/// Where an example came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    source: String,
    line: u64,
    record: u64,
}

/// The dropped examples, with what could be found out about them.
#[derive(Debug, Default)]
struct Report {
    origins: BTreeMap<u64, Origin>,
    /// The training file, if the lines are known to be of it or said to be.
    train: Option<PathBuf>,
    /// Why sources are not told.
    problem: Option<String>,
}

impl Report {
    fn of(
        dropped: &Dropped,
        named: Option<&Path>,
        recorded: Option<&FileRecord>,
    ) -> Result<Self, Failure> {
        let mut report = Self::default();
        let wanted: Vec<_> = dropped
            .in_file_order()
            .iter()
            .map(|one| one.index)
            .collect();
        if wanted.is_empty() {
            return Ok(report);
        }
        let path = named.or(recorded.map(|file| &*file.path));
        let Some(path) = path else {
            report.problem = Some(
                "it is not known which file was uploaded: the job was not launched from here; \
                 name the file with `--train`"
                    .into(),
            );
            return Ok(report);
        };
        report.train = Some(path.into());
        if let Some(recorded) = recorded
            && let Some(problem) = difference(path, recorded)
        {
            report.problem = Some(problem);
            return Ok(report);
        }
        match origins(path, &wanted) {
            Ok(origins) => report.origins = origins,
            Err(problem) => report.problem = Some(problem),
        }
        if named.is_some() && recorded.is_none() && report.problem.is_none() {
            report.problem = Some(format!(
                "that `{}` is what was uploaded is taken on trust",
                path.display()
            ));
        }
        Ok(report)
    }

    fn print(&self, dropped: &Dropped, out: &mut dyn Write) -> Result<(), Failure> {
        let count = dropped.count();
        if count == 0 {
            ui::say("the service left no example out");
            return Ok(());
        }
        let mut table = Table::new([
            ("LINE", Align::Right),
            ("SOURCE", Align::Left),
            ("REASON", Align::Left),
        ]);
        for example in dropped.in_file_order() {
            let origin = self.origins.get(&example.index);
            table.row(vec![
                ui::count(example.index),
                origin.map_or_else(
                    || "-".into(),
                    |from| format!("{}:{}", from.source, from.line),
                ),
                example.reason.clone().unwrap_or_else(|| "-".into()),
            ]);
        }
        table.write(out)?;
        let listed = dropped.examples.len() as u64;
        let sample = match dropped.is_sample() {
            true => format!(", of which the service lists {}", ui::count(listed)),
            false => String::new(),
        };
        ui::say(&format!("{} left out{sample}", ui::of(count, "example")));
        if let Some(problem) = &self.problem {
            ui::remark("note", problem);
        }
        Ok(())
    }

    fn json(&self, job: &TuningJob, dropped: Option<&Dropped>, problem: Option<&str>) -> Value {
        let examples = dropped.into_iter().flat_map(Dropped::in_file_order);
        let examples = examples.map(|example| {
            let origin = self.origins.get(&example.index).map(|origin| {
                json!({"source": origin.source, "line": origin.line, "record": origin.record})
            });
            json!({"index": example.index, "reason": example.reason, "origin": origin})
        });
        json!({
            "schema": 1,
            "job": job.name(),
            "total": dropped.map(Dropped::count),
            "is_sample": dropped.map(Dropped::is_sample),
            "train": self.train,
            "examples": examples.collect::<Vec<_>>(),
            "problem": problem.or(self.problem.as_deref()),
        })
    }
}

/// Tells if a file is not the one that was uploaded.
fn difference(path: &Path, recorded: &FileRecord) -> Option<String> {
    let name = path.display();
    match checksum(path) {
        Ok((_, blake3)) if blake3 == recorded.blake3 => None,
        Ok(_) => Some(format!(
            "`{name}` is not what was uploaded: it was changed since, so its lines are others"
        )),
        Err(error) => Some(format!("`{name}` cannot be read: {error}")),
    }
}

/// Finds the sources of lines, given in order, of a dataset.
fn origins(path: &Path, wanted: &[u64]) -> Result<BTreeMap<u64, Origin>, String> {
    let name = path.display();
    let mut passport =
        Passport::open(&sidecar(path, "passport")).map_err(|error| error.to_string())?;
    let input = Input::open(path).map_err(|error| error.to_string())?;
    let mut reader = BufReader::with_capacity(1 << 18, input.into_reader());
    let cannot = |error: std::io::Error| format!("`{name}` cannot be read: {error}");
    let (mut origins, mut read, mut line) = (BTreeMap::new(), 0, Vec::new());
    for &index in wanted {
        for _ in read + 1..index {
            reader.skip_until(b'\n').map_err(cannot)?;
        }
        line.clear();
        reader.read_until(b'\n', &mut line).map_err(cannot)?;
        line.pop_if(|byte| *byte == b'\n');
        read = index;
        let stamp = passport.stamp(index).map_err(cannot)?;
        let stamp = stamp.filter(|stamp| stamp.fingerprint == fingerprint(&line));
        let Some(stamp) = stamp else {
            return Err(format!(
                "line {index} of `{name}` is not the one its passport knows"
            ));
        };
        let source = passport.footer().sources.get(stamp.source as usize);
        let files = source.into_iter().flat_map(|source| &source.files);
        let files: Vec<_> = files.map(|file| file.path.as_str()).collect();
        let origin = Origin {
            source: files.join(" + "),
            line: stamp.line,
            record: stamp.record,
        };
        origins.insert(index, origin);
    }
    Ok(origins)
}
