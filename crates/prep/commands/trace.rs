//! `prep trace`: the way back from an example to its source.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use prep_data::io::passport::{SourceFiles, fingerprint};
use prep_data::io::{Input, Passport, PassportError, Stamp, checksum, sidecar};
use prep_data::pipeline::{Found, find_record};
use prep_data::source::{self, Options};
use serde_json::json;

use crate::Answer;
use crate::args::{LinePlace, TextOrJson, TraceArgs};
use crate::failure::{Failure, plain};
use crate::ui::visible;

/// Runs the command.
pub(crate) fn run(args: &TraceArgs) -> Result<Answer, Failure> {
    let traces = args
        .places
        .iter()
        .map(Trace::new)
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = anstream::stdout();
    for trace in &traces {
        match args.format {
            TextOrJson::Text => trace.print(&mut out)?,
            TextOrJson::Json => writeln!(out, "{}", trace.json())?,
        }
    }
    Ok(if traces.iter().all(Trace::is_whole) {
        Answer::Yes
    } else {
        Answer::No
    })
}

/// An example and where it came from.
struct Trace<'a> {
    place: &'a LinePlace,
    stamp: Stamp,
    source: SourceFiles,
    steps: Vec<String>,
    record: Result<Found, String>,
}

impl<'a> Trace<'a> {
    fn new(place: &'a LinePlace) -> Result<Self, Failure> {
        let path = sidecar(&place.file, "passport");
        let mut passport = Passport::open(&path)?;
        let stamp = passport.stamp(place.line)?;
        let n = passport.footer().stamps;
        let file = place.file.display();
        let Some(stamp) = stamp else {
            return Err(Failure::new(format!(
                "`{file}` has no line {}: it has {n} examples",
                place.line
            )));
        };
        let line = line_of(&place.file, place.line)?;
        if line.is_none_or(|line| fingerprint(&line) != stamp.fingerprint) {
            return Err(Failure::new(format!(
                "line {} of `{file}` is not the one its passport knows",
                place.line
            ))
            .hint("the file was changed after prep wrote it; convert again"));
        }
        let footer = passport.footer();
        let source = footer.sources.get(stamp.source as usize).cloned();
        let source = source.ok_or_else(|| Failure::from(PassportError::Damaged { path }))?;
        let record = find(&source, stamp.record);
        Ok(Self {
            place,
            steps: footer.steps.clone(),
            stamp,
            source,
            record,
        })
    }

    /// Whether the way back was found to its end.
    fn is_whole(&self) -> bool {
        self.record.is_ok()
    }

    fn names(&self) -> String {
        let names: Vec<_> = self
            .source
            .files
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        names.join(" + ")
    }

    /// The sources, with the line.
    fn from(&self) -> String {
        let line = self.stamp.line;
        let second = self.record.as_ref().ok().and_then(|found| found.second);
        match (second, &self.source.files[..]) {
            (Some(second), [a, b]) => format!("{}:{line} + {}:{}", a.path, b.path, second.line),
            _ => format!("{}:{line}", self.names()),
        }
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let LinePlace { file, line } = self.place;
        writeln!(out, "{}:{line}", file.display())?;
        writeln!(out, "  from {} (record {})", self.from(), self.stamp.record)?;
        if !self.stamp.group.is_empty() {
            writeln!(out, "  group {}", self.stamp.group)?;
        }
        for step in &self.steps {
            writeln!(out, "  by {step}")?;
        }
        match &self.record {
            Ok(found) => {
                let Some(second) = found.second else {
                    // The two lines of an aligned pair have the same number.
                    let step = u64::from(self.source.files.len() == 1);
                    return print_lines(&found.raw, found.line, step, out);
                };
                print_lines(&found.raw[..second.at - 1], found.line, 1, out)?;
                print_lines(&found.raw[second.at..], second.line, 1, out)
            }
            Err(reason) => writeln!(out, "  the record cannot be shown: {reason}"),
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "schema": 1,
            "file": self.place.file,
            "line": self.place.line,
            "origin": {
                "source": self.names(),
                "line": self.stamp.line,
                "second_line": self.record.as_ref().ok().and_then(|found| found.second).map(|second| second.line),
                "record": self.stamp.record,
                "group": (!self.stamp.group.is_empty()).then_some(&self.stamp.group),
            },
            "steps": self.steps,
            "raw": self.record.as_ref().ok().map(|found| String::from_utf8_lossy(&found.raw)),
            "problem": self.record.as_ref().err(),
        })
    }
}

/// Prints bytes with the numbers of their lines, each `step` more than the one
/// before.
fn print_lines(raw: &[u8], first: u64, step: u64, out: &mut impl Write) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(raw);
    for (line, n) in text.split('\n').zip(0..) {
        let number = first + n * step;
        let line = visible(line.trim_end_matches('\r'));
        writeln!(out, "{number:>6} | {line}")?;
    }
    Ok(())
}

impl From<PassportError> for Failure {
    fn from(error: PassportError) -> Self {
        plain(error).hint("a passport is written beside every dataset that prep makes")
    }
}

/// The bytes of one line of a dataset.
fn line_of(path: &Path, line: u64) -> Result<Option<Vec<u8>>, Failure> {
    let mut reader = BufReader::with_capacity(1 << 18, Input::open(path)?.into_reader());
    for _ in 1..line {
        reader.skip_until(b'\n')?;
    }
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes)?;
    let had_end = bytes.pop_if(|byte| *byte == b'\n').is_some();
    Ok((had_end || !bytes.is_empty()).then_some(bytes))
}

/// Finds a record in its source again, or says why it cannot be found.
fn find(source: &SourceFiles, record: u64) -> Result<Found, String> {
    let mut inputs = Vec::new();
    for file in &source.files {
        let path = Path::new(&file.path);
        let (_, blake3) =
            checksum(path).map_err(|error| format!("`{}` cannot be read: {error}", file.path))?;
        if blake3 != file.blake3 {
            return Err(format!("`{}` was changed since", file.path));
        }
        inputs.push(Input::open(path).map_err(|error| error.to_string())?);
    }
    let options: Options =
        serde_json::from_value(source.read_as.clone()).map_err(|error| error.to_string())?;
    let opened = source::open_all(inputs, &options).map_err(|error| error.to_string())?;
    let opened = opened.into_iter().next().ok_or("it is not there")?;
    let found = find_record(opened, record).map_err(|error| error.to_string())?;
    found.ok_or_else(|| "it is not there".into())
}
