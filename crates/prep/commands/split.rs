//! `prep split`: a dataset in two or three, without leakage.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use prep_data::io::{
    Finished, Input, Manifest, OutputError, OutputPaths, OutputWriter, Overwrite, Passport,
    Sha256Wanted, Whole, commit_all, sidecar,
};
use prep_data::pipeline::ordered;
use prep_data::pipeline::split::{
    Means, Outcome, Place, Proof, Side, Sinks, Stratify, Threshold, split,
};
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::args::{Answers, Shared, SplitArgs};
use crate::failure::{Failure, plain};
use crate::target::{
    Report, Target, account, overwrite, refuse_foreign_summary, step, threads, write_summary,
};
use crate::{interrupt, ui};

/// Runs the command.
pub(crate) fn run(args: &SplitArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    if args.output == Path::new("-") {
        return Err(Failure::new("two datasets cannot go to standard output")
            .hint("name a directory with `-o`"));
    }
    let outputs = Outputs::of(args);
    outputs.refuse_clashes(args, shared)?;
    check_group_column(args)?;
    let input = open(args)?;
    outputs.check(args, shared)?;
    let directory = Directory::make(&args.output)?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let means = Means {
        pool: &pool,
        memory: shared.memory.0,
        target: &outputs.sides[0].data,
        stop: interrupt::stop(),
    };
    let settings = settings(args);
    let sinks = Sinks {
        sides: outputs.written(args).map(place_of).collect(),
        rejects: &outputs.sides[0].rejects,
        sha256: if shared.summary.is_some() {
            Sha256Wanted::Yes
        } else {
            Sha256Wanted::No
        },
        step: &step("split", &settings),
    };
    let bar = ui::Bar::over(vec![input.progress()], input.size(), shared);
    let outcome = split(input, &args.options(), &sinks, &means)?;
    drop(bar);
    if !outcome.ledger.adds_up() {
        return Err(
            Failure::new(format!("the ledger does not add up: {:?}", outcome.ledger))
                .hint("this is a fault of prep; please report it with this message"),
        );
    }
    let proof = write_proof(&outputs.proof, &outcome.proof)?;
    let told = Told::new(&outcome, &outputs, args, shared);
    let summary = summary(&outcome, &outputs)?;
    outputs.commit(outcome, proof, &settings)?;
    directory.keep();
    if let Some(path) = &shared.summary {
        write_summary(path, &summary)?;
    }
    told.print(started, shared);
    Ok(Answer::Yes)
}

/// The directory of the outputs, which goes again if nothing was written.
struct Directory {
    made: Option<PathBuf>,
}

impl Directory {
    fn make(path: &Path) -> Result<Self, Failure> {
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(|source| OutputError::Create {
            path: path.into(),
            source,
        })?;
        let made = is_new.then(|| path.to_path_buf());
        Ok(Self { made })
    }

    fn keep(mut self) {
        self.made = None;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // One that is not empty stays, and there is nobody left to tell.
            drop(fs::remove_dir(path));
        }
    }
}

/// Opens the input; where it is not named and not there, says what is missing.
fn open(args: &SplitArgs) -> Result<Input, Failure> {
    Input::open(&args.input).map_err(|error| {
        let is_usual = args.input == Path::new("train.jsonl") && !args.input.exists();
        let failure = Failure::from(error);
        if is_usual {
            failure.hint("name the dataset, or make it with `prep convert`")
        } else {
            failure
        }
    })
}

/// Refuses a column that is not the one whose groups the passport has.
fn check_group_column(args: &SplitArgs) -> Result<(), Failure> {
    let Some(column) = &args.group_column else {
        return Ok(());
    };
    let path = sidecar(&args.input, "passport");
    let hint = format!("convert with `--group-column {column}`, or use `--group-pointer`");
    let passport = Passport::open(&path).map_err(|error| plain(error).hint(&hint))?;
    let footer = passport.footer();
    let setting = format!("\"group_column\":{}", Value::from(column.as_str()));
    let has_column = footer.steps.iter().any(|step| step.contains(&setting));
    if footer.grouped && has_column {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(format!("`{path}` has no groups by the column `{column}`")).hint(hint))
}

/// All that may be written.
struct Outputs {
    /// By side.
    sides: [OutputPaths; 3],
    proof: PathBuf,
}

fn place_of(paths: &OutputPaths) -> Place {
    Place {
        data: paths.data.clone(),
        passport: paths.passport.clone(),
    }
}

impl Outputs {
    fn of(args: &SplitArgs) -> Self {
        let path = |name: &str| args.output.join(name);
        let mut sides =
            Side::ALL.map(|side| OutputPaths::of(&path(&format!("{}.jsonl", side.as_str()))));
        let proof = path("proof.json");
        if let Some(rejects) = &args.rejects {
            sides[0].rejects.clone_from(rejects);
        }
        sides[0].more.push(proof.clone());
        Self { sides, proof }
    }

    /// The sides that are written.
    fn written(&self, args: &SplitArgs) -> impl Iterator<Item = &OutputPaths> {
        let sides = args.ratio.sides();
        sides.map(|side| &self.sides[side as usize])
    }

    fn refuse_clashes(&self, args: &SplitArgs, shared: &Shared) -> Result<(), Failure> {
        let [train, others @ ..] = &self.sides;
        let all = others
            .iter()
            .flat_map(|side| [&side.data, &side.passport, &side.manifest]);
        let target = Target::new(&train.data, args.rejects.as_deref());
        let target = all
            .chain([&self.proof])
            .fold(target, |target, path| target.and(Some(path)));
        target.refuse_clashes(std::slice::from_ref(&args.input), shared)
    }

    /// Refuses to write over what is not ours, unless told to.
    fn check(&self, args: &SplitArgs, shared: &Shared) -> Result<(), Failure> {
        for side in self.written(args) {
            side.check(overwrite(shared))?;
        }
        match &shared.summary {
            Some(path) if !shared.force => refuse_foreign_summary(path),
            _ => Ok(()),
        }
    }

    /// Moves all into place, the proof last. What an earlier run left goes
    /// first, so that sides of two runs never stand side by side.
    fn commit(&self, outcome: Outcome, proof: Finished, settings: &Value) -> Result<(), Failure> {
        let [train, validation, test] = &self.sides;
        let mut gone = vec![&self.proof, &test.data, &validation.data, &train.data];
        if outcome.parts.iter().all(|part| part.side != Side::Test) {
            // A test set of an earlier run does not fit the new sides. One that
            // is not ours is none of our business.
            if test.check(Overwrite::IfOurs).is_ok() {
                gone.extend([&test.passport, &test.manifest]);
            } else {
                gone.retain(|path| *path != &test.data);
            }
        }
        let gone: Vec<_> = gone.into_iter().cloned().collect();
        let ledger = serde_json::to_value(&outcome.ledger).map_err(plain)?;
        let mut rejects = outcome.rejects;
        let mut wholes = Vec::new();
        for part in outcome.parts {
            let paths = &self.sides[part.side as usize];
            let mut entries = vec![
                part.data.entry(paths, Some(part.examples)),
                part.passport.entry(paths, None),
            ];
            let mut files = vec![part.data, part.passport];
            if part.side == Side::Train {
                entries.extend(rejects.iter().map(|rejects| rejects.entry(paths, None)));
                entries.push(proof.entry(paths, None));
                files.extend(rejects.take());
            }
            let manifest = Manifest {
                schema: 1,
                tool: concat!("prep ", env!("CARGO_PKG_VERSION")).into(),
                command: "split".into(),
                settings: settings.clone(),
                decisions: Vec::new(),
                inputs: outcome.inputs.clone(),
                outputs: entries,
                ledger: ledger.clone(),
            };
            wholes.push(Whole {
                paths,
                files,
                manifest,
            });
        }
        Ok(commit_all(wholes, &gone, vec![proof])?)
    }
}

fn write_proof(path: &Path, proof: &Proof) -> Result<Finished, Failure> {
    let mut json = serde_json::to_string_pretty(proof).map_err(plain)?;
    json.push('\n');
    let mut file = OutputWriter::create(path, Sha256Wanted::No)?;
    file.put(json.as_bytes())?;
    Ok(file.finish()?)
}

/// The settings that bear on the outputs, as far as they are not the usual ones.
fn settings(args: &SplitArgs) -> Value {
    let mut settings = Map::new();
    let mut add = |name: &str, value: Value, usual: Value| {
        if value != usual {
            settings.insert(name.into(), value);
        }
    };
    let shares = args.ratio.shares();
    let ratio = match shares[..] {
        [train, _] => json!(train),
        _ => json!(shares),
    };
    add("ratio", ratio, json!(0.9));
    add("by", name_of(&args.by), json!("examples"));
    add("seed", json!(args.seed), json!(0));
    let near = args.near.0.map(Threshold::jaccard);
    add("near", json!(near), json!(0.8));
    add("answers", name_of(&args.answers), json!("texts"));
    add("max_validation", json!(args.max_validation), Value::Null);
    add("shuffle", json!(args.shuffle), json!(false));
    let pointer = args.group_pointer.as_ref().map(ToString::to_string);
    add("group_pointer", json!(pointer), Value::Null);
    let stratify = args.stratify.as_ref().map(|stratify| match stratify {
        Stratify::Length => "length".to_owned(),
        Stratify::Pointer(pointer) => pointer.to_string(),
    });
    add("stratify", json!(stratify), Value::Null);
    settings.into()
}

fn name_of(value: &impl ValueEnum) -> Value {
    let value = value.to_possible_value();
    value.map_or(Value::Null, |value| value.get_name().into())
}

fn summary(outcome: &Outcome, outputs: &Outputs) -> Result<Value, Failure> {
    let parts = outcome.parts.iter().map(|part| {
        let mut entry = json!({
            "path": outputs.sides[part.side as usize].data,
            "examples": part.examples,
            "bytes": part.data.bytes,
            "sha256": part.data.sha256,
            "blake3": part.data.blake3,
        });
        if let Some(tokens) = part.tokens {
            entry["tokens"] = tokens.into();
        }
        entry
    });
    let rejects = outcome.rejects.as_ref().map(|_| &outputs.sides[0].rejects);
    Ok(json!({
        "schema": 1,
        "command": "split",
        "ledger": outcome.ledger,
        "inputs": outcome.inputs,
        "outputs": parts.collect::<Value>(),
        "rejects": rejects,
        "proof": serde_json::to_value(&outcome.proof).map_err(plain)?,
    }))
}

/// What is told at the end.
struct Told {
    report: Report,
    lines: Vec<String>,
    notes: Vec<String>,
    read_bytes: u64,
}

impl Told {
    fn new(outcome: &Outcome, outputs: &Outputs, args: &SplitArgs, shared: &Shared) -> Self {
        let mut lines = Vec::new();
        for part in &outcome.parts {
            let name = outputs.sides[part.side as usize].data.display();
            let tokens = part.tokens.map(|tokens| ui::of(tokens, "token") + ", ");
            let examples = ui::of(part.examples, "example");
            let bytes = ui::bytes(part.data.bytes);
            lines.push(format!(
                "{name}: {examples}, {}{bytes}",
                tokens.unwrap_or_default()
            ));
        }
        let answer = match args.answers {
            Answers::None => "",
            Answers::All | Answers::Texts => ", answer",
        };
        let near = args.near.0.map(Threshold::jaccard);
        let near = near.map(|near| format!(", and no prompts alike at {near}"));
        lines.push(format!(
            "{}: the sides share no prompt{answer} or group{}",
            outputs.proof.display(),
            near.unwrap_or_default()
        ));
        lines.push(account(&outcome.ledger));
        if outcome.rejects.is_some() {
            lines.push(format!("rejects: {}", outputs.sides[0].rejects.display()));
        }
        let files = outcome.inputs.iter().flat_map(|input| &input.files);
        Self {
            report: Report::new(&outcome.met, shared),
            lines,
            notes: notes(outcome),
            read_bytes: files.map(|file| file.bytes).sum(),
        }
    }

    fn print(&self, started: Instant, shared: &Shared) {
        if shared.quiet {
            return;
        }
        self.report.print_met();
        self.lines.iter().for_each(|line| ui::say(line));
        self.notes.iter().for_each(|note| ui::remark("note", note));
        if shared.verbose {
            let seconds = started.elapsed().as_secs_f64();
            let rate = ui::bytes((self.read_bytes as f64 / seconds) as u64);
            let read = ui::bytes(self.read_bytes);
            ui::say(&format!("{read} in {seconds:.2} s, {rate}/s"));
        }
    }
}

/// What the user may not expect.
fn notes(outcome: &Outcome) -> Vec<String> {
    let mut notes = Vec::new();
    let atoms = outcome.atoms;
    let (labels, examples) = atoms.labels;
    if labels > 0 {
        notes.push(format!(
            "{} that {} have may be on several sides: short and common answers are taken for labels; `--answers all` keeps them together, too",
            ui::of(labels, "answer"),
            ui::of(examples, "example"),
        ));
    }
    let total = outcome.ledger.written as f64;
    for (part, share) in outcome.parts.iter().zip(&outcome.proof.ratio) {
        let off = (part.examples as f64 - total * share).abs();
        let is_far = part.side != Side::Train && off > 1.0 + total / 20.0;
        let is_capped = outcome.is_capped && part.side == Side::Validation;
        if is_far && !is_capped && part.tokens.is_none() {
            notes.push(format!(
                "{} has {}, the ratio says {}: {} must stay together, the first of them is on line {}",
                part.side.as_str(),
                ui::of(part.examples, "example"),
                ui::count((total * share).round() as u64),
                ui::of(atoms.largest, "example"),
                atoms.largest_line,
            ));
        }
    }
    if outcome.is_capped {
        notes.push(
            "validation has less than the ratio says: it may not have more (`--max-validation`)"
                .into(),
        );
    }
    notes
}
