//! Everything that can be wrong, found before a byte leaves this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prep_data::diag::Level;
use prep_data::io::Manifest;
use prep_submit::storage::{Checksums, GsUri, checksums};
use prep_submit::tuning::{AdapterSize, Start, TuningJob};
use prep_submit::{CallError, storage};

use super::order::Order;
use crate::Answer;
use crate::args::{DatasetPlace, RuleArgs, Shared, SubmitArgs};
use crate::cloud::Cloud;
use crate::commands::validate;
use crate::counting::{Vocabulary, count_files, own_tokenizer};
use crate::failure::Failure;
use crate::pricing::{Dollars, Price, price_of};
use crate::report::{FileReport, RuleCount};
use crate::settings::Settings;
use crate::ui;

/// Something that keeps the job from being started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) hint: Option<String>,
    /// It is not known whether something is wrong: it could not be asked.
    pub(super) is_unasked: bool,
}

/// What the preflight has found.
#[derive(Debug, Default)]
pub(super) struct Preflight {
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    pub(super) train: Option<Side>,
    pub(super) validation: Option<Side>,
    pub(super) cost: Cost,
    /// Jobs that are at work already.
    pub(super) at_work: Vec<TuningJob>,
    /// The bucket is not there and is to be made.
    pub(super) makes_bucket: bool,
}

/// A dataset on this machine.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) path: PathBuf,
    pub(super) examples: u64,
    pub(super) checksums: Checksums,
    pub(super) blake3: String,
    /// The name that it gets in the bucket.
    pub(super) object: String,
}

/// What the job costs, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Cost {
    /// Tokens of one pass.
    pub(super) tokens: Option<u64>,
    pub(super) epochs: Option<u32>,
    pub(super) price: Option<Price>,
}

impl Cost {
    /// What so many epochs cost.
    pub(super) fn of(&self, epochs: u32) -> Option<Dollars> {
        let price = self.price.as_ref()?;
        Some(Dollars::of_training(self.tokens?, epochs, price.training))
    }

    /// The cost in words.
    pub(super) fn in_words(&self) -> String {
        let (Some(tokens), Some(price)) = (self.tokens, &self.price) else {
            return "not known: `prices:` in prep.yaml can set the price".into();
        };
        let as_of = price
            .as_of
            .map_or_else(String::new, |day| format!(" of {day}"));
        let basis = format!(
            "{} at ${:.2} a million, the price{as_of} by {}",
            ui::of(tokens, "token"),
            price.training,
            price.evidence
        );
        match self.epochs {
            Some(epochs) => {
                let cost = self.of(epochs).unwrap_or(Dollars::of_training(0, 0, 0.0));
                format!("{cost}: {} × {basis}", ui::of(u64::from(epochs), "epoch"))
            }
            None => {
                let one = self.of(1).unwrap_or(Dollars::of_training(0, 0, 0.0));
                format!(
                    "{one} for each epoch: {basis}; how many there are the service chooses (40 were seen), unless `--epochs` says"
                )
            }
        }
    }
}

impl Preflight {
    fn problem(&mut self, what: impl Into<String>, hint: impl Into<Option<String>>) {
        self.problems.push(Problem {
            what: what.into(),
            hint: hint.into(),
            is_unasked: false,
        });
    }

    /// Looks at everything that is on this machine.
    pub(super) fn here(
        order: &Order,
        settings: &Settings,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        found.notes.extend(order.notes.clone());
        found.files(order, settings, shared)?;
        found.form(order);
        found.price(order, settings, shared)?;
        Ok(found)
    }

    /// The files against the rules and their manifests.
    fn files(
        &mut self,
        order: &Order,
        settings: &Settings,
        shared: &Shared,
    ) -> Result<(), Failure> {
        let file = |place: Option<&DatasetPlace>| match place {
            Some(DatasetPlace::File(path)) => Some(path.clone()),
            _ => None,
        };
        let (train, validation) = (file(Some(&order.train)), file(order.validation.as_ref()));
        let mut all_there = true;
        for path in [&train, &validation].into_iter().flatten() {
            if let Err(error) = fs::File::open(path) {
                all_there = false;
                let hint = match path.starts_with("split") {
                    true => "`prep split` makes it, of what `prep convert` made",
                    false => "name the file",
                };
                let what = format!(
                    "`{}` cannot be read: {}",
                    path.display(),
                    plain_words(&error)
                );
                // Whether the job could start is not known.
                self.problems.push(Problem {
                    what,
                    hint: Some(hint.to_owned()),
                    is_unasked: true,
                });
            }
        }
        for place in [Some(&order.train), order.validation.as_ref()] {
            if let Some(DatasetPlace::Object(uri)) = place {
                self.notes
                    .push(format!("`{uri}` is not on this machine and is not checked"));
            }
        }
        if !all_there {
            return Ok(());
        }
        let rules = RuleArgs {
            model: order.model().map(str::to_owned),
            adapter_size: order.request.adapter_size.map(AdapterSize::number),
            location: Some(order.location.clone()),
            method: Some(order.method),
            ..RuleArgs::default()
        };
        let files: Vec<_> = train.iter().cloned().collect();
        let report = validate::report(
            &files,
            validation.as_deref(),
            (&rules, &crate::args::PairArgs::default()),
            settings,
            shared,
        )?;
        for file in &report.files {
            self.judge(file);
        }
        let side = |path: &Option<PathBuf>, stem: &str| {
            let Some(path) = path else { return Ok(None) };
            let mut files = report.files.iter();
            let file = files.find(|file| file.name == path.display().to_string());
            let examples = file.map_or(0, |file| file.examples);
            side(path, stem, examples, &order.bucket).map(Some)
        };
        self.train = side(&train, "train")?;
        self.validation = side(&validation, "validation")?;
        for side in [self.train.clone(), self.validation.clone()]
            .into_iter()
            .flatten()
        {
            self.notes.extend(changed(&side)?);
        }
        if self.train.as_ref().is_some_and(|side| side.examples == 0) {
            self.problem("the training set has no examples", None);
        }
        Ok(())
    }

    /// What the rules say about a file.
    fn judge(&mut self, file: &FileReport) {
        let told = |count: &RuleCount| {
            let code = count.rule.code;
            let times = match count.count {
                1 => String::new(),
                n => format!(", {} times", ui::count(n)),
            };
            format!("{} {}{times}", code.code, code.name)
        };
        let of = |level: Level| {
            let counts = file.counts.iter().filter(move |count| count.level == level);
            counts.map(told).collect::<Vec<_>>()
        };
        let errors = of(Level::Error);
        if !errors.is_empty() {
            self.problem(
                format!("`{}`: {}", file.name, errors.join("; ")),
                format!("`prep validate {}` says where and why", file.name),
            );
        }
        let warnings = of(Level::Warn);
        if !warnings.is_empty() {
            self.notes.push(format!(
                "`{}`: {}; `prep validate` says where",
                file.name,
                warnings.join("; ")
            ));
        }
    }

    /// What the form of the options shows.
    fn form(&mut self, order: &Order) {
        let mut request = order.request.clone();
        // Where the datasets are is told apart.
        request.training_uri = "gs://bucket/train.jsonl".into();
        let problems = request.problems();
        for problem in problems {
            self.problem(problem.message, None);
        }
        if order.location == "global" {
            self.problem(
                "tuning jobs do not run in `global`",
                "take `us-central1` or `europe-west4`".to_owned(),
            );
        }
    }

    /// Tokens, epochs, price.
    fn price(
        &mut self,
        order: &Order,
        settings: &Settings,
        shared: &Shared,
    ) -> Result<(), Failure> {
        self.cost.epochs = order.request.epoch_count;
        self.cost.price = order
            .model()
            .and_then(|model| price_of(model, &settings.prices));
        if let Some(side) = &self.train {
            let own = own_tokenizer(&crate::args::VocabularyArgs::default(), settings)?;
            let vocabulary = Vocabulary::choose(order.model(), own.as_ref());
            let path = std::slice::from_ref(&side.path);
            let counted = count_files(path, &[vocabulary.measure], shared)?;
            let sums = counted.iter().flat_map(|file| &file.counted.sums);
            self.cost.tokens = Some(sums.map(|sum| sum.tokens.total()).sum());
        }
        let Some(most) = order.max_cost else {
            return Ok(());
        };
        if self.train.is_none() && matches!(order.train, DatasetPlace::File(_)) {
            // That it could not be read was told.
            return Ok(());
        }
        match (self.cost.epochs, self.cost.epochs.and_then(|n| self.cost.of(n))) {
            (None, _) => self.problem(
                format!("whether the job costs more than {most} cannot be told: the service chooses the epochs"),
                "say how many with `--epochs`".to_owned(),
            ),
            (Some(_), None) => self.problem(
                format!("whether the job costs more than {most} cannot be told: its price or its tokens are not known"),
                "set the price in prep.yaml, in US dollars for a million tokens: `prices: {MODEL: 3.00}`".to_owned(),
            ),
            (Some(_), Some(cost)) if cost > most => self.problem(
                format!("the job would cost {cost}, the limit is {most}"),
                "take fewer epochs or fewer examples, or raise `--max-cost`".to_owned(),
            ),
            _ => {}
        }
        Ok(())
    }

    /// Looks at what is in the cloud: the bucket, other jobs.
    pub(super) fn there(&mut self, order: &Order, args: &SubmitArgs, cloud: &Cloud) {
        let needs_bucket = self.train.is_some() || self.validation.is_some();
        if needs_bucket {
            match cloud.wait(storage::bucket(&cloud.client, &order.bucket.bucket)) {
                Ok(Some(_)) => self.permissions(order, cloud),
                Ok(None) if args.create_bucket => self.makes_bucket = true,
                Ok(None) => self.problem(
                    format!("there is no bucket `{}`", order.bucket.bucket),
                    "name another with `--bucket`, or make it with `--create-bucket`".to_owned(),
                ),
                Err(error) => self.call(
                    format!("cannot look at the bucket `{}`", order.bucket.bucket),
                    error,
                ),
            }
        }
        let list = prep_submit::tuning::list(&cloud.client, &order.project, &order.location, 100);
        match cloud.wait(list) {
            Ok(jobs) => {
                let at_work = jobs.into_iter().filter(|job| !job.state().is_final());
                self.at_work = at_work.collect();
            }
            Err(error) => {
                let place = format!("project `{}`, location `{}`", order.project, order.location);
                self.call(format!("cannot list the tuning jobs of {place}"), error);
            }
        }
    }

    fn permissions(&mut self, order: &Order, cloud: &Cloud) {
        let wanted = ["storage.objects.create", "storage.objects.get"];
        let asked = storage::permissions(&cloud.client, &order.bucket.bucket, &wanted);
        match cloud.wait(asked) {
            Ok(granted) => {
                let lacks = wanted
                    .iter()
                    .filter(|name| !granted.iter().any(|has| has == *name));
                let lacks: Vec<_> = lacks.map(|name| format!("`{name}`")).collect();
                if !lacks.is_empty() {
                    self.problem(
                        format!(
                            "the bucket `{}` does not allow {}",
                            order.bucket.bucket,
                            lacks.join(" and ")
                        ),
                        format!(
                            "the role `roles/storage.objectAdmin` on gs://{} has them",
                            order.bucket.bucket
                        ),
                    );
                }
            }
            // Stand-ins do not always know of permissions. The upload will
            // tell.
            Err(_) => self
                .notes
                .push("whether the bucket may be written to could not be asked".into()),
        }
    }

    /// A call that failed is a problem like any other.
    fn call(&mut self, cannot: String, error: CallError) {
        self.unasked(&crate::cloud::failed(cannot, error));
    }

    /// Notes what could not be asked. One missing login is one problem, however
    /// many calls it fails.
    pub(super) fn unasked(&mut self, failure: &Failure) {
        let (what, hint) = failure.in_words();
        let mut known = self.problems.iter();
        if hint.is_some() && known.any(|known| known.hint == hint) {
            return;
        }
        self.problems.push(Problem {
            what,
            hint,
            is_unasked: true,
        });
    }

    /// Tells all problems.
    pub(super) fn tell_problems(&self) {
        for problem in &self.problems {
            ui::error_line(&problem.what);
            if let Some(hint) = &problem.hint {
                ui::remark("hint", hint);
            }
        }
    }

    /// Whether the job can start, when nothing was sent.
    ///
    /// # Errors
    ///
    /// If that could not be found out, and nothing else is wrong.
    pub(super) fn verdict(&self) -> Result<Answer, Failure> {
        if self.problems.is_empty() {
            return Ok(Answer::Yes);
        }
        let n = self.problems.len() as u64;
        let nothing = format!("{}; nothing was sent", ui::of(n, "problem"));
        if self.problems.iter().all(|problem| problem.is_unasked) {
            return Err(Failure::new(nothing));
        }
        ui::say(&nothing);
        Ok(Answer::No)
    }
}

/// A dataset on this machine, by its checksums.
fn side(path: &Path, stem: &str, examples: u64, bucket: &GsUri) -> Result<Side, Failure> {
    let cannot = |error: std::io::Error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    };
    let progress = Arc::new(AtomicU64::new(0));
    let checksums = checksums(path, &progress).map_err(cannot)?;
    let (_, blake3) = prep_data::io::checksum(path).map_err(cannot)?;
    Ok(Side {
        path: path.into(),
        examples,
        object: checksums.object_name(&bucket.path, stem),
        checksums,
        blake3,
    })
}

/// Says so if a file is not what `prep` wrote.
fn changed(side: &Side) -> Result<Option<String>, Failure> {
    let path = side.path.display();
    let Some(manifest) = Manifest::read(&Manifest::path_of(&side.path))? else {
        return Ok(Some(format!(
            "`{path}` has no manifest: it was not made by `prep`, so its examples cannot be traced"
        )));
    };
    let name = side.path.file_name().unwrap_or_default().to_string_lossy();
    let is_same = manifest
        .output(&name)
        .is_some_and(|output| output.blake3 == side.blake3);
    Ok((!is_same).then(|| {
        format!(
            "`{path}` was changed after `prep {}` wrote it; it is taken as it is now",
            manifest.command
        )
    }))
}

fn plain_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

/// The model in words.
pub(super) fn start_in_words(start: &Start) -> String {
    match start {
        Start::Base(model) => model.clone(),
        Start::Tuned { model, checkpoint } => match checkpoint {
            Some(checkpoint) => format!("{model}, checkpoint {checkpoint}"),
            None => model.clone(),
        },
    }
}
