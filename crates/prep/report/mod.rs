//! What rules found, written down: for people, for programs, for code review.
//!
//! One format is one file with a [`Format`]. A [`Report`] has everything
//! settled that they share: where each finding stands, where its example came
//! from, and what all of it adds up to.

mod github;
pub(crate) mod html;
mod json;
mod jsonl;
mod sarif;
mod text;

use std::io::{self, Write};

use prep_data::diag::Level;
use prep_data::io::{Manifest, Passport, sidecar};
use prep_data::pipeline::Checked;
use prep_data::rules::{Found, RULES, Rule, Window};
use serde_json::{Value, json};

use crate::args::ReportFormat;

/// A way to write a report.
trait Format {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// Findings in some files.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) files: Vec<FileReport>,
}

/// Findings in one file.
#[derive(Debug)]
pub(crate) struct FileReport {
    pub(crate) name: String,
    pub(crate) examples: u64,
    pub(crate) valid: u64,
    pub(crate) invalid: u64,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// Findings that the baseline has already.
    pub(crate) known: u64,
    /// How often each rule found something, in the order of the table; only
    /// rules that did.
    pub(crate) counts: Vec<RuleCount>,
    /// The findings that are kept, in order.
    pub(crate) findings: Vec<Told>,
}

/// How often a rule found something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleCount {
    pub(crate) rule: &'static Rule,
    pub(crate) level: Level,
    pub(crate) count: u64,
}

/// A finding, ready to be told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) rule: &'static Rule,
    pub(crate) level: Level,
    /// Line and column, from 1; `None` for the file as a whole.
    pub(crate) place: Option<(u64, u64)>,
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) window: Window,
    pub(crate) fingerprint: u64,
    pub(crate) origin: Option<Origin>,
}

/// Where an example came from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) source: String,
    pub(crate) line: u64,
    pub(crate) record: u64,
}

impl FileReport {
    /// Settles what was found in a file. `blake3` is the checksum of what was
    /// read, by which its manifest may know it; it may be empty unless
    /// [`may_be_vouched`].
    pub(crate) fn new(
        name: String,
        checked: &Checked,
        levels: &prep_data::rules::Levels,
        blake3: &str,
    ) -> Self {
        let counts = RULES.iter().enumerate().map(|(n, rule)| RuleCount {
            rule,
            level: levels.of(n),
            count: checked.findings.counts[n],
        });
        let mut origins = Origins::of(&name, blake3);
        let findings = checked.findings.found.iter();
        Self {
            examples: checked.examples,
            valid: checked.valid,
            invalid: checked.invalid,
            lines: checked.lines,
            bytes: checked.dataset.bytes,
            known: checked.findings.known,
            counts: counts.filter(|count| count.count > 0).collect(),
            findings: findings
                .map(|found| Told::new(found, &mut origins))
                .collect(),
            name,
        }
    }

    /// How many findings of a level there are.
    pub(crate) fn n_of(&self, level: Level) -> u64 {
        let counts = self.counts.iter().filter(|count| count.level == level);
        counts.map(|count| count.count).sum()
    }
}

impl Report {
    /// Whether something was found at error level.
    pub(crate) fn has_errors(&self) -> bool {
        self.files.iter().any(|file| file.n_of(Level::Error) > 0)
    }

    /// Writes the report.
    pub(crate) fn write(&self, format: ReportFormat, out: &mut dyn Write) -> io::Result<()> {
        let format: &dyn Format = match format {
            ReportFormat::Text => &text::Text,
            ReportFormat::Json => &json::Json,
            ReportFormat::Jsonl => &jsonl::Jsonl,
            ReportFormat::Sarif => &sarif::Sarif,
            ReportFormat::Github => &github::Github,
        };
        format.write(self, out)
    }
}

impl Told {
    fn new(found: &Found, origins: &mut Option<Origins>) -> Self {
        let place = found
            .position
            .map(|position| (position.line, position.column));
        let origin = match (place, origins) {
            (Some((line, _)), Some(origins)) => origins.at(line, found.line_fingerprint),
            _ => None,
        };
        Self {
            rule: found.rule,
            level: found.level,
            place,
            pointer: found.pointer.clone(),
            message: found.message.clone(),
            window: found.window.clone(),
            fingerprint: found.fingerprint,
            origin,
        }
    }

    /// The finding as programs read it.
    fn to_json(&self, file: &str) -> Value {
        let (line, column) = self.place.unwrap_or((1, 1));
        let mut finding = json!({
            "code": self.rule.code.code,
            "name": self.rule.code.name,
            "level": self.level.word(),
            "file": file,
            "line": line,
            "column": column,
            "pointer": self.pointer,
            "message": self.message,
            "hint": self.rule.code.hint,
            "fix": self.rule.fix.map(prep_data::rules::Safety::as_str),
            "fingerprint": format!("{:016x}", self.fingerprint),
        });
        if let Some(origin) = &self.origin {
            finding["origin"] = json!({
                "source": origin.source,
                "line": origin.line,
                "record": origin.record,
            });
        }
        if self.place.is_none() {
            finding["whole_file"] = json!(true);
        }
        finding
    }
}

/// The passport of a file, asked line by line.
#[derive(Debug)]
pub(crate) struct Origins {
    passport: Passport,
    last: Option<(u64, prep_data::io::Stamp)>,
    /// The manifest says that the file is the one the passport was written
    /// for.
    is_vouched: bool,
}

/// Whether a file has a passport and a manifest that may vouch for it, for which
/// its checksum must be known.
pub(crate) fn may_be_vouched(name: &str) -> bool {
    let path = std::path::Path::new(name);
    sidecar(path, "passport").is_file() && Manifest::path_of(path).is_file()
}

impl Origins {
    /// Opens the passport beside a file, if there is one.
    pub(crate) fn of(name: &str, blake3: &str) -> Option<Self> {
        let path = std::path::Path::new(name);
        let passport = Passport::open(&sidecar(path, "passport")).ok()?;
        let manifest = Manifest::read(&Manifest::path_of(path)).ok().flatten();
        let is_vouched = manifest.is_some_and(|manifest| {
            let file = path.file_name().and_then(|name| name.to_str());
            let output = file.and_then(|name| manifest.output(name));
            output.is_some_and(|output| output.blake3 == blake3)
        });
        Some(Self {
            passport,
            last: None,
            is_vouched,
        })
    }

    /// Where the example on a line came from, as the passport says.
    #[cfg(feature = "cloud")]
    pub(crate) fn at_line(&mut self, line: u64) -> Option<Origin> {
        let stamp = self.passport.stamp(line).ok().flatten()?;
        self.at(line, Some(stamp.fingerprint))
    }

    /// Where the example on a line came from, if the line is still the one
    /// that was written there: by its fingerprint, or else by the manifest.
    pub(crate) fn at(&mut self, line: u64, fingerprint: Option<u128>) -> Option<Origin> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != line) {
            self.last = Some((line, self.passport.stamp(line).ok().flatten()?));
        }
        let (_, stamp) = self.last.as_ref()?;
        let is_same = fingerprint.map_or(self.is_vouched, |line| line == stamp.fingerprint);
        if !is_same {
            return None;
        }
        let source = self.passport.footer().sources.get(stamp.source as usize)?;
        Some(Origin {
            source: source.files.first()?.path.clone(),
            line: stamp.line,
            record: stamp.record,
        })
    }
}
