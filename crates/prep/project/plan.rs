//! The steps that the settings ask for.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use prep_data::io::{Manifest, OutputPaths, sidecar};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::settings::{Settings, SourceSettings, TuningSettings};

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum StepName {
    /// Sources into datasets.
    Convert,
    /// All of them into one, without what repeats.
    Dedupe,
    /// What can be repaired is.
    Fix,
    /// What is no good pair is left out.
    Filter,
    /// Training, validation and perhaps test.
    Split,
    /// Open-domain examples are blended into training.
    Mix,
    /// Everything that is wrong with it.
    Validate,
    /// What it would cost.
    Cost,
    /// What it is like, as a page to look at.
    Stats,
    /// The dataset is uploaded and the job followed to its end.
    Submit,
    /// The tuned model, and the base model, are asked.
    Predict,
    /// Whether the tuned model is better.
    Eval,
}

impl StepName {
    /// The name of its command.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Convert => "convert",
            Self::Dedupe => "dedupe",
            Self::Fix => "fix",
            Self::Filter => "filter",
            Self::Split => "split",
            Self::Mix => "mix",
            Self::Validate => "validate",
            Self::Cost => "cost",
            Self::Stats => "stats",
            Self::Submit => "submit",
            Self::Predict => "predict",
            Self::Eval => "eval",
        }
    }
}

/// One step: a command, what it reads and what it writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) name: StepName,
    /// What it works on, where several steps have one name.
    pub(crate) of: Option<String>,
    /// The command without `prep`.
    pub(crate) words: Vec<String>,
    pub(crate) reads: Vec<PathBuf>,
    /// The datasets that it writes.
    pub(crate) writes: Vec<PathBuf>,
    /// Other files that it writes.
    pub(crate) files: Vec<PathBuf>,
    /// Settings that the command reads itself.
    pub(crate) settings: Value,
}

impl Step {
    /// What it is called in the plan and in the record.
    pub(crate) fn title(&self) -> String {
        match &self.of {
            Some(of) => format!("{} {of}", self.name.as_str()),
            None => self.name.as_str().to_owned(),
        }
    }

    /// The command as it could be typed.
    pub(crate) fn command(&self) -> String {
        let words = self.words.iter().map(|word| quoted(word));
        format!("prep {}", words.collect::<Vec<_>>().join(" "))
    }

    /// The files that it leaves, as far as they are there.
    pub(crate) fn outputs(&self) -> Vec<PathBuf> {
        let beside = |data: &PathBuf| {
            let paths = OutputPaths::of(data);
            [
                data.clone(),
                sidecar(data, "passport"),
                Manifest::path_of(data),
                paths.rejects,
            ]
        };
        let mut outputs: Vec<_> = self.writes.iter().flat_map(beside).collect();
        outputs.extend(self.files.iter().cloned());
        outputs.retain(|path| path.exists());
        outputs
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%+@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A source and the dataset that is made of it.
#[derive(Debug, Clone)]
pub(crate) struct PlannedSource {
    pub(crate) name: String,
    pub(crate) settings: SourceSettings,
    pub(crate) dataset: PathBuf,
}

/// Whether a model is tuned, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tuning {
    /// The steps end with the price.
    None,
    /// For real.
    Real,
    /// Played on this machine.
    Rehearsed,
}

/// All steps, in order, and where things are.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) directory: PathBuf,
    pub(crate) sources: Vec<PlannedSource>,
    pub(crate) steps: Vec<Step>,
    /// The training set as it goes into the job.
    pub(crate) train: PathBuf,
    pub(crate) validation: PathBuf,
    pub(crate) test: Option<PathBuf>,
}

fn value_of(settings: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(settings).map_err(crate::failure::plain)
}

/// Where sides go: where `prep submit` looks for them.
const SPLIT: &str = "split";

impl Plan {
    /// Plans what the settings ask for.
    ///
    /// # Errors
    ///
    /// When they name no source, or two by one name.
    pub(crate) fn new(settings: &Settings, tuning: Tuning) -> Result<Self, Failure> {
        let directory = settings
            .directory
            .clone()
            .unwrap_or_else(|| PathBuf::from("build"));
        let sources = sources(settings, &directory)?;
        let is_own = |source: &&PlannedSource| source.settings.weight.is_none();
        let own: Vec<_> = sources.iter().filter(is_own).collect();
        if own.is_empty() {
            return Err(Failure::new("all sources have a weight").hint(
                "a source without `weight` is the dataset that the others are blended into",
            ));
        }
        let of_filter = json!([value_of(&settings.filter)?, value_of(&settings.pairs)?]);
        let mut steps: Vec<_> = sources.iter().map(convert).collect();
        let mut add = |name, words: Vec<String>, reads: Vec<PathBuf>, writes: Vec<PathBuf>| {
            let proof = (name == StepName::Split).then(|| writes[0].with_file_name("proof.json"));
            steps.push(Step {
                name,
                of: None,
                words,
                reads,
                writes,
                files: proof.into_iter().collect(),
                settings: match name {
                    StepName::Filter => of_filter.clone(),
                    _ => Value::Null,
                },
            });
        };

        let mut dataset = directory.join("dataset.jsonl");
        let own: Vec<_> = own.iter().map(|source| source.dataset.clone()).collect();
        let words = command("dedupe", &own, &dataset, settings.dedupe.flags());
        add(StepName::Dedupe, words, own, vec![dataset.clone()]);
        if let Some(fix) = settings.fix {
            let fixed = directory.join("fixed.jsonl");
            let read = vec![dataset];
            let words = command("fix", &read, &fixed, fix.flags());
            add(StepName::Fix, words, read, vec![fixed.clone()]);
            dataset = fixed;
        }
        if settings.filter.is_asked() {
            let filtered = directory.join("filtered.jsonl");
            let mut read = vec![dataset];
            let words = command("filter", &read, &filtered, settings.filter.flags());
            read.extend(settings.pairs.glossary.clone());
            add(StepName::Filter, words, read, vec![filtered.clone()]);
            dataset = filtered;
        }

        let side = |name: &str| Path::new(SPLIT).join(name);
        let is_three = settings.split.ratio.as_ref();
        let is_three = is_three.is_some_and(|ratio| ratio.to_string().matches(',').count() == 2);
        let (mut train, validation) = (side("train.jsonl"), side("validation.jsonl"));
        let test = is_three.then(|| side("test.jsonl"));
        let mut sides = vec![train.clone(), validation.clone()];
        sides.extend(test.clone());
        let read = vec![dataset];
        let words = command("split", &read, Path::new(SPLIT), settings.split.flags());
        add(StepName::Split, words, read, sides);

        let blended: Vec<_> = sources.iter().filter(|source| !is_own(source)).collect();
        if !blended.is_empty() {
            let mixed = directory.join("train.jsonl");
            let (words, read) = mix(
                &train,
                &blended,
                &validation,
                test.as_ref(),
                &mixed,
                settings,
            )?;
            add(StepName::Mix, words, read, vec![mixed.clone()]);
            train = mixed;
        }
        let mut plan = Self {
            directory,
            sources,
            steps,
            train,
            validation,
            test,
        };
        plan.check(settings)?;
        if tuning != Tuning::None {
            plan.tune(settings, tuning)?;
        }
        Ok(plan)
    }

    /// Adds the steps that look at what was made.
    fn check(&mut self, settings: &Settings) -> Result<(), Failure> {
        let of_rules = json!([value_of(&settings.validate)?, value_of(&settings.pairs)?]);
        let tuning = &settings.tuning;
        let mut words = vec!["validate".to_owned(), word(&self.train)];
        words.push(format!("--validation={}", self.validation.display()));
        let of_job = &settings.validate;
        let model = tuning.model.as_ref().filter(|_| of_job.model.is_none());
        words.extend(model.map(|model| format!("--model={model}")));
        let size = tuning
            .adapter_size
            .filter(|_| of_job.adapter_size.is_none());
        words.extend(size.map(|size| format!("--adapter-size={size}")));
        let location = tuning.location.as_ref();
        let location = location.filter(|_| of_job.location.is_none());
        words.extend(location.map(|location| format!("--location={location}")));
        let mut reads = vec![self.train.clone(), self.validation.clone()];
        reads.extend(settings.validate.baseline.clone());
        reads.extend(settings.pairs.glossary.clone());
        self.steps.push(Step {
            name: StepName::Validate,
            of: None,
            words,
            reads,
            writes: Vec::new(),
            files: Vec::new(),
            settings: of_rules,
        });

        let mut words = vec!["cost".to_owned(), word(&self.train)];
        words.extend(cost_flags(tuning, settings));
        let mut reads = vec![self.train.clone()];
        reads.extend(settings.tokenizer.clone());
        self.steps.push(Step {
            name: StepName::Cost,
            of: None,
            words,
            reads,
            writes: Vec::new(),
            files: Vec::new(),
            settings: json!({"prices": settings.prices, "model": settings.validate.model}),
        });

        let page = self.directory.join("report.html");
        let words = ["stats".to_owned(), word(&self.train)];
        let mut words = words.to_vec();
        words.push(format!("--validation={}", self.validation.display()));
        words.push(format!("--html={}", page.display()));
        self.steps.push(Step {
            name: StepName::Stats,
            of: None,
            words,
            reads: vec![self.train.clone(), self.validation.clone()],
            writes: Vec::new(),
            files: vec![page],
            settings: json!([settings.validate, settings.prices]),
        });
        Ok(())
    }

    /// Adds the steps that tune a model and use it.
    fn tune(&mut self, settings: &Settings, tuning: Tuning) -> Result<(), Failure> {
        let is_played = tuning == Tuning::Rehearsed;
        let rehearse = || is_played.then(|| "--rehearse".to_owned());
        let mut words = vec!["submit".to_owned()];
        words.push(format!("--train={}", self.train.display()));
        words.push(format!("--validation={}", self.validation.display()));
        words.extend(rehearse());
        let record = match is_played {
            true => "rehearsal.json",
            false => "job.json",
        };
        let record = Path::new(SPLIT).join(record);
        let mut add = |name,
                       of: Option<&str>,
                       words: Vec<String>,
                       reads: Vec<PathBuf>,
                       files: Vec<PathBuf>,
                       settings: Value| {
            self.steps.push(Step {
                name,
                of: of.map(str::to_owned),
                words,
                reads,
                writes: Vec::new(),
                files,
                settings,
            });
        };
        let reads = vec![self.train.clone(), self.validation.clone()];
        let of_job = json!({"tuning": value_of(&settings.tuning)?, "prices": value_of(&settings.prices)?, "validate": value_of(&settings.validate)?});
        add(
            StepName::Submit,
            None,
            words,
            reads,
            vec![record.clone()],
            of_job,
        );

        let held = self.test.as_ref().unwrap_or(&self.validation).clone();
        let tuned = self.directory.join("tuned.jsonl");
        let mut words = vec![
            "predict".to_owned(),
            word(&held),
            "-o".to_owned(),
            word(&tuned),
        ];
        words.extend(settings.predict.flags());
        words.extend(rehearse());
        let reads = vec![held.clone(), record];
        add(
            StepName::Predict,
            Some("tuned"),
            words,
            reads,
            vec![tuned.clone()],
            Value::Null,
        );

        let wants_base = settings
            .predict
            .base
            .as_ref()
            .is_none_or(|base| base.to_string() != "off");
        let named = settings.predict.base.as_ref().map(ToString::to_string);
        let model = named.filter(|name| !matches!(&**name, "on" | "off"));
        let model = model
            .or_else(|| settings.tuning.model.clone())
            .or_else(|| settings.validate.model.clone())
            .or_else(|| is_played.then(|| "gemini-3.1-flash-lite".to_owned()));
        let base = self.directory.join("base.jsonl");
        let compared = model.filter(|_| wants_base);
        if let Some(model) = &compared {
            let mut words = vec![
                "predict".to_owned(),
                word(&held),
                "-o".to_owned(),
                word(&base),
            ];
            words.push(format!("--model={model}"));
            words.extend(settings.predict.flags());
            words.extend(rehearse());
            add(
                StepName::Predict,
                Some("base"),
                words,
                vec![held],
                vec![base.clone()],
                value_of(&settings.tuning)?,
            );
        }
        let mut words = vec!["eval".to_owned()];
        let mut reads = vec![tuned.clone()];
        if compared.is_some() {
            words.extend(["--compare".to_owned(), word(&base), word(&tuned)]);
            reads.push(base);
        } else {
            words.push(word(&tuned));
        }
        words.extend(settings.evaluate.flags());
        if !settings.evaluate.remote.is_empty() {
            words.extend(rehearse());
        }
        let gates = settings.gates.fail_under.iter();
        words.extend(gates.map(|(metric, score)| format!("--fail-under={metric}={score}")));
        add(StepName::Eval, None, words, reads, Vec::new(), Value::Null);
        Ok(())
    }

    /// The dataset that is split.
    pub(crate) fn dataset(&self) -> &Path {
        let split = self.steps.iter().find(|step| step.name == StepName::Split);
        split.map_or(Path::new(""), |split| &split.reads[0])
    }

    /// The files that come from outside.
    pub(crate) fn outside(&self) -> Vec<PathBuf> {
        let made = self.steps.iter();
        let made: Vec<_> = made
            .flat_map(|step| step.writes.iter().chain(&step.files))
            .collect();
        let read = self.steps.iter().flat_map(|step| &step.reads);
        read.filter(|path| !made.contains(path)).cloned().collect()
    }
}

fn sources(settings: &Settings, directory: &Path) -> Result<Vec<PlannedSource>, Failure> {
    if settings.sources.is_empty() {
        return Err(Failure::new("the settings name no sources").hint(
            "`prep init` writes a `prep.yaml` for the files that are here; or list them under `sources:`",
        ));
    }
    let mut sources: Vec<PlannedSource> = Vec::new();
    for source in &settings.sources {
        let Some(first) = source.path.all().first() else {
            return Err(Failure::new("a source has no `path`"));
        };
        let name = source.name.clone().unwrap_or_else(|| stem(first));
        if name.contains(['/', '\\']) || name.is_empty() || OURS.contains(&&*name) {
            return Err(
                Failure::new(format!("`{name}` cannot be the name of a source"))
                    .hint("give it another with `name`"),
            );
        }
        if sources.iter().any(|known| known.name == name) {
            return Err(Failure::new(format!("two sources are called `{name}`"))
                .hint("give one of them another name with `name`"));
        }
        if let Some(weight) = source.weight
            && !(weight > 0.0 && weight < 1.0)
        {
            return Err(
                Failure::new(format!("the weight of `{name}` is {weight}")).hint(
                    "a weight is a share of the training set, above 0 and below 1, such as 0.1",
                ),
            );
        }
        sources.push(PlannedSource {
            dataset: directory.join(format!("{name}.jsonl")),
            settings: source.clone(),
            name,
        });
    }
    Ok(sources)
}

/// Names of what the steps make.
const OURS: [&str; 4] = ["dataset", "fixed", "filtered", "train"];

/// The name of a file without extensions.
fn stem(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let stem = name.split('.').find(|part| !part.is_empty());
    let stem = stem.unwrap_or(&name).to_owned();
    if OURS.contains(&&*stem) {
        return format!("{stem}-source");
    }
    stem
}

/// A path as a word that is no flag.
fn word(path: &Path) -> String {
    let word = path.display().to_string();
    if word.starts_with('-') {
        format!("./{word}")
    } else {
        word
    }
}

/// A command that reads datasets and writes one.
fn command(name: &str, reads: &[PathBuf], output: &Path, flags: Vec<String>) -> Vec<String> {
    let mut words = vec![name.to_owned()];
    words.extend(reads.iter().map(|path| word(path)));
    words.extend(["-o".to_owned(), word(output)]);
    words.extend(flags);
    words
}

fn convert(source: &PlannedSource) -> Step {
    let read = source.settings.path.all();
    Step {
        name: StepName::Convert,
        of: Some(source.name.clone()),
        words: command("convert", read, &source.dataset, source.settings.flags()),
        reads: source.settings.files(),
        writes: vec![source.dataset.clone()],
        files: Vec::new(),
        settings: Value::Null,
    }
}

/// The step that blends sources into the training set.
fn mix(
    train: &Path,
    blended: &[&PlannedSource],
    validation: &Path,
    test: Option<&PathBuf>,
    mixed: &Path,
    settings: &Settings,
) -> Result<(Vec<String>, Vec<PathBuf>), Failure> {
    let weight = |source: &&PlannedSource| source.settings.weight.unwrap_or_default();
    let others: f64 = blended.iter().map(weight).sum();
    if others >= 1.0 {
        return Err(
            Failure::new(format!("the weights of the sources add up to {others}"))
                .hint("they are shares of the training set; nothing would be left for the rest"),
        );
    }
    let mut words = vec!["mix".to_owned()];
    // Nine digits: what remains of 1 is no round number.
    let own = (1e9 * (1.0 - others)).round() / 1e9;
    words.push(format!("{}={own}", word(train)));
    let mut reads = vec![train.to_path_buf()];
    for source in blended {
        words.push(format!("{}={}", word(&source.dataset), weight(source)));
        reads.push(source.dataset.clone());
    }
    for held in [Some(validation), test.map(PathBuf::as_path)] {
        words.extend(held.map(|held| format!("--against={}", held.display())));
        reads.extend(held.map(Path::to_path_buf));
    }
    words.extend(["-o".to_owned(), word(mixed)]);
    words.extend(settings.mix.flags());
    Ok((words, reads))
}

fn cost_flags(tuning: &TuningSettings, settings: &Settings) -> Vec<String> {
    let mut flags = Vec::new();
    let model = tuning.model.as_ref().or(settings.validate.model.as_ref());
    flags.extend(model.map(|model| format!("--model={model}")));
    flags.extend(tuning.epochs.map(|epochs| format!("--epochs={epochs}")));
    // Only with both can it be told what it costs at most.
    let has_both = model.is_some() && tuning.epochs.is_some();
    let most = settings.gates.max_cost.filter(|_| has_both);
    flags.extend(most.map(|most| format!("--max-cost={most}")));
    flags
}
