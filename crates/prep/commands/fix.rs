//! `prep fix`: a dataset, repaired as far as rules can.

use std::collections::BTreeMap;
use std::io::{BufWriter, Stdout, Write};
use std::path::Path;
use std::sync::Arc;

use prep_data::diag::Level;
use prep_data::io::passport::{SourceFile, SourceFiles};
use prep_data::io::{Inherited, Input, OutputWriter, Progress};
use prep_data::pipeline::{Changed, FixOutcome, FixRun, FixSinks, fix, ordered};
use prep_data::rules::{Levels, RULES, Safety, levels_for_repair, masked};
use serde_json::{Value, json};

use super::validate;
use crate::Answer;
use crate::args::{FixArgs, Shared};
use crate::failure::{Failure, plain};
use crate::settings::Settings;
use crate::target::{Product, Target, step, threads};
use crate::{interrupt, ui};

/// Runs the command.
pub(crate) fn run(args: &FixArgs, shared: &Shared) -> Result<Answer, Failure> {
    let of_project = Settings::read(shared)?.validate;
    let levels = levels_for_repair(&validate::levels(&args.rules, &of_project)?);
    let context = validate::context(&args.rules, &of_project);
    let output = args.output.as_deref().unwrap_or(&args.file);
    let is_in_place = output == args.file && output != Path::new("-");
    let target = Target::new(output, None).in_place(is_in_place);
    let inputs: &[_] = if is_in_place {
        &[]
    } else {
        std::slice::from_ref(&args.file)
    };
    target.refuse_clashes(inputs, shared)?;

    let input = Input::open(&args.file)?;
    let progress = input.progress();
    if !args.diff {
        target.check(shared)?;
    }
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let bar = ui::Bar::over(vec![Arc::clone(&progress)], input.size(), shared);
    let name = input.name().to_owned();
    let mut inherited = Inherited::new(vec![source(&name, None)])?;
    let (data, passport) = if args.diff {
        (OutputWriter::nowhere(), None)
    } else {
        target.writers(shared)?
    };
    let mut diff = Diff::new(args.diff, &name);
    let safety = if args.r#unsafe {
        Safety::Unsafe
    } else {
        Safety::Safe
    };
    let sinks = FixSinks {
        data,
        passport,
        inherited: &mut inherited,
        changed: &mut |changed| diff.tell(changed),
    };
    let run = FixRun {
        pool: &pool,
        safety,
        stop: interrupt::stop(),
    };
    let outcome = fix(input, &context, &levels, sinks, &run)?;
    drop(bar);
    diff.finish()?;

    let answer = answer(args, &outcome, &levels);
    let told = Told::new(&outcome, &levels, args.diff);
    let is_unchanged = is_in_place && outcome.repairs.iter().all(|&n| n == 0);
    if !args.diff && !is_unchanged {
        let settings = settings(args, safety, &outcome);
        let input = source(&name, Some(&progress));
        inherited.settle(0, input.clone());
        let (origins, mut steps) = inherited.finish();
        steps.push(step("fix", &settings));
        let product = Product {
            command: "fix",
            details: vec![("repairs", by_code(&outcome.repairs))],
            settings,
            decisions: Vec::new(),
            inputs: vec![input],
            examples: outcome.ledger.written,
            ledger: outcome.ledger,
            data: outcome.data,
            passport: outcome.passport,
            origins,
            steps,
            rejects: None,
            more: Vec::new(),
        };
        let written = target.finish(product, shared)?;
        if !shared.quiet {
            written.tell();
        }
    }
    if !shared.quiet {
        told.tell();
    }
    Ok(answer)
}

fn answer(args: &FixArgs, outcome: &FixOutcome, levels: &Levels) -> Answer {
    let would_change = args.diff && outcome.repairs.iter().any(|&n| n > 0);
    let has_errors = n_left(outcome, levels) > 0;
    if would_change || (has_errors && !args.diff) {
        Answer::No
    } else {
        Answer::Yes
    }
}

/// How many findings at error level are left.
fn n_left(outcome: &FixOutcome, levels: &Levels) -> u64 {
    let left = outcome.left.iter().enumerate();
    left.filter(|(rule, _)| levels.of(*rule) == Level::Error)
        .map(|(_, n)| n)
        .sum()
}

fn source(name: &str, progress: Option<&Progress>) -> SourceFiles {
    SourceFiles {
        files: vec![SourceFile {
            path: name.to_owned(),
            bytes: progress.map_or(0, Progress::bytes),
            blake3: progress.map_or_else(String::new, Progress::checksum),
        }],
        read_as: json!({"format": "gemini"}),
    }
}

fn settings(args: &FixArgs, safety: Safety, outcome: &FixOutcome) -> Value {
    let mut settings = json!({
        "repairs": by_code(&outcome.repairs),
        "kind": safety.as_str(),
    });
    if !args.rules.select.is_empty() {
        settings["select"] = json!(args.rules.select);
    }
    if !args.rules.ignore.is_empty() {
        settings["ignore"] = json!(args.rules.ignore);
    }
    settings
}

/// Counts of rules by their codes, those that are not 0.
fn by_code(counts: &[u64]) -> Value {
    let counts = RULES.iter().zip(counts).filter(|(_, count)| **count > 0);
    let counts: BTreeMap<_, _> = counts
        .map(|(rule, count)| (rule.code.code, count))
        .collect();
    json!(counts)
}

/// What a repair came to, as it is told.
struct Told {
    lines: Vec<String>,
}

impl Told {
    fn new(outcome: &FixOutcome, levels: &Levels, is_diff: bool) -> Self {
        let mut lines = Vec::new();
        let n_repairs: u64 = outcome.repairs.iter().sum();
        if n_repairs == 0 {
            lines.push("nothing to repair".to_owned());
        } else {
            let counts = RULES.iter().zip(&outcome.repairs).filter(|(_, n)| **n > 0);
            let counts = counts.map(|(rule, n)| format!("{} {}", rule.code.code, ui::count(*n)));
            let would = if is_diff { " to carry out" } else { "" };
            lines.push(format!(
                "{}{would} in {} ({})",
                ui::of(n_repairs, "repair"),
                ui::of(outcome.repaired + outcome.blank, "line"),
                counts.collect::<Vec<_>>().join(", ")
            ));
        }
        let n_left = n_left(outcome, levels);
        if n_left > 0 {
            let findings = ui::of(n_left, "finding");
            lines.push(format!(
                "{findings} at error level left: `prep validate` tells where"
            ));
        }
        Self { lines }
    }

    fn tell(&self) {
        self.lines.iter().for_each(|line| ui::say(line));
    }
}

/// The lines that change, as a unified diff without context, for people: secrets in
/// them are masked.
struct Diff {
    out: Option<BufWriter<Stdout>>,
    name: String,
    /// How many lines were left out or put in so far.
    left_out: u64,
    error: Option<std::io::Error>,
    is_begun: bool,
}

impl Diff {
    fn new(is_wanted: bool, name: &str) -> Self {
        Self {
            out: is_wanted.then(|| BufWriter::new(std::io::stdout())),
            name: name.to_owned(),
            left_out: 0,
            error: None,
            is_begun: false,
        }
    }

    fn tell(&mut self, changed: Changed<'_>) {
        if self.error.is_none()
            && let Err(error) = self.write(changed)
        {
            self.error = Some(error);
        }
    }

    fn write(&mut self, changed: Changed<'_>) -> std::io::Result<()> {
        let Some(out) = &mut self.out else {
            return Ok(());
        };
        if !std::mem::replace(&mut self.is_begun, true) {
            writeln!(out, "--- {0}\n+++ {0}", self.name)?;
        }
        let (before, after) = (changed.line, changed.line - self.left_out);
        match changed.after {
            Some(text) => {
                writeln!(out, "@@ -{before} +{after} @@")?;
                line(
                    out,
                    b'-',
                    if changed.had_bom { BOM } else { b"" },
                    changed.before,
                )?;
                line(out, b'+', b"", text)
            }
            None => {
                writeln!(out, "@@ -{before} +{},0 @@", after - 1)?;
                self.left_out += 1;
                line(out, b'-', b"", changed.before)
            }
        }
    }

    fn finish(self) -> std::io::Result<()> {
        self.error.map_or(Ok(()), Err)?;
        self.out.map_or(Ok(()), |mut out| out.flush())
    }
}

/// The byte-order mark of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

fn line(out: &mut impl Write, sign: u8, mark: &[u8], text: &[u8]) -> std::io::Result<()> {
    out.write_all(&[sign])?;
    out.write_all(mark)?;
    out.write_all(&masked(text))?;
    out.write_all(b"\n")
}
