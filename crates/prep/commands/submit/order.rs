//! What is asked for: flags, then the environment, then `prep.yaml`, then what
//! is usual. What is missing is told all at once.

use std::path::Path;

use prep_data::example::models::{self, Status};
use prep_submit::Environment;
use prep_submit::storage::GsUri;
use prep_submit::tuning::{AdapterSize, Method, Start, TuningRequest};

use crate::args::{DatasetPlace, MethodName, SubmitArgs};
use crate::failure::Failure;
use crate::pricing::Dollars;
use crate::rehearsal::Rehearsal;
use crate::settings::Settings;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) train: DatasetPlace,
    pub(super) validation: Option<DatasetPlace>,
    pub(super) project: String,
    pub(super) location: String,
    pub(super) bucket: GsUri,
    /// Everything but where the datasets are.
    pub(super) request: TuningRequest,
    pub(super) method: MethodName,
    pub(super) max_cost: Option<Dollars>,
    /// How many bytes are sent at once, if that is said.
    pub(super) piece: Option<usize>,
    /// What the user may not expect.
    pub(super) notes: Vec<String>,
}

/// The usual places, which `prep split` writes.
const TRAIN: &str = "split/train.jsonl";
const VALIDATION: &str = "split/validation.jsonl";

/// A setting, and where it can be set.
struct Missing {
    what: &'static str,
    flag: &'static str,
    variable: Option<&'static str>,
    key: &'static str,
}

impl Order {
    /// Settles what is asked for.
    ///
    /// # Errors
    ///
    /// All settings that are missing, or the first that has no form.
    pub(super) fn new(
        args: &SubmitArgs,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let tuning = &settings.tuning;
        let or = |flag: &Option<String>, setting: &Option<String>| {
            flag.clone().or_else(|| setting.clone())
        };
        // What a rehearsal takes for a setting that is missing.
        let usual = |usual: &str| args.rehearse.then(|| usual.to_owned());
        let mut missing = Vec::new();
        let mut want = |value: Option<String>, what, flag, variable, key| {
            value.unwrap_or_else(|| {
                missing.push(Missing {
                    what,
                    flag,
                    variable,
                    key,
                });
                String::new()
            })
        };
        let tuned =
            or(&args.from_tuned_model, &tuning.from_tuned_model).filter(|_| args.model.is_none());
        let model = or(&args.model, &tuning.model).or_else(|| settings.validate.model.clone());
        let start = match tuned {
            Some(model) => Start::Tuned {
                model,
                checkpoint: or(&args.checkpoint, &tuning.checkpoint),
            },
            None => Start::Base(want(
                model.or_else(|| usual(Rehearsal::MODEL)),
                "the base model",
                "--model",
                None,
                "tuning.model",
            )),
        };
        let project = args.cloud.project.clone();
        let project = project
            .or_else(|| environment.project.clone())
            .or_else(|| tuning.project.clone());
        let project = want(
            // A rehearsal has one project; nothing of a real one is in it.
            usual(Rehearsal::PROJECT).or(project),
            "the project",
            "--project",
            Some("GOOGLE_CLOUD_PROJECT"),
            "tuning.project",
        );
        let location = args.cloud.location.clone();
        let location = location
            .or_else(|| environment.location.clone())
            .or_else(|| tuning.location.clone())
            .or_else(|| settings.validate.location.clone());
        let location = want(
            location.or_else(|| usual(Rehearsal::LOCATION)),
            "the location of the job",
            "--location",
            Some("GOOGLE_CLOUD_LOCATION"),
            "tuning.location",
        );
        let bucket = or(&args.bucket, &tuning.bucket);
        let bucket = want(
            args.rehearse
                .then(|| format!("gs://{}", Rehearsal::BUCKET))
                .or(bucket),
            "the bucket to upload to",
            "--bucket gs://…",
            None,
            "tuning.bucket",
        );
        if !missing.is_empty() {
            return Err(lacking(&missing));
        }
        let bucket = bucket.parse().map_err(crate::failure::plain)?;
        let mut order = Self {
            train: DatasetPlace::of(or(&args.train, &tuning.train).as_deref().unwrap_or(TRAIN)),
            validation: None,
            project,
            location,
            bucket,
            request: TuningRequest::new(start, Method::Supervised, String::new()),
            method: args
                .method
                .or(tuning.method)
                .or(settings.validate.method)
                .unwrap_or(MethodName::Sft),
            max_cost: args.max_cost,
            piece: args
                .piece
                .map(|size| usize::try_from(size.0).unwrap_or(usize::MAX)),
            notes: tuning.notes.clone(),
        };
        if order.max_cost.is_none()
            && let Some(most) = settings.gates.max_cost
        {
            order.max_cost = Some(most.to_string().parse().map_err(Failure::new)?);
        }
        order.settle_validation(args, settings);
        order.settle_request(args, settings)?;
        Ok(order)
    }

    fn settle_validation(&mut self, args: &SubmitArgs, settings: &Settings) {
        if args.no_validation {
            return;
        }
        let named = args
            .validation
            .as_ref()
            .or(settings.tuning.validation.as_ref());
        self.validation = match named {
            Some(named) => Some(DatasetPlace::of(named)),
            None if Path::new(VALIDATION).exists() => Some(DatasetPlace::of(VALIDATION)),
            None => {
                self.notes.push(
                    "there is no validation set, so nothing will tell whether the model learns or learns by heart"
                        .into(),
                );
                None
            }
        };
    }

    fn settle_request(&mut self, args: &SubmitArgs, settings: &Settings) -> Result<(), Failure> {
        let tuning = &settings.tuning;
        let request = &mut self.request;
        let beta = args.beta.or(tuning.beta);
        match self.method {
            MethodName::Preference => request.method = Method::Preference { beta },
            MethodName::Sft if beta.is_some() => {
                return Err(Failure::new("`--beta` is for preference tuning")
                    .hint("say `--method preference`, or leave it out"));
            }
            MethodName::Sft => {}
        }
        request.epoch_count = args.epochs.or(tuning.epochs);
        request.learning_rate_multiplier = args
            .learning_rate_multiplier
            .or(tuning.learning_rate_multiplier);
        let of_settings = tuning.adapter_size.map(|size| size.to_string());
        let of_settings = of_settings.map(|size| size.parse::<AdapterSize>());
        let of_settings = of_settings.transpose().map_err(Failure::new)?;
        request.adapter_size = args.adapter_size.or(of_settings);
        request.export_last_checkpoint_only =
            args.export_last_checkpoint_only || tuning.export_last_checkpoint_only == Some(true);
        let or = |flag: &Option<String>, setting: &Option<String>| {
            flag.clone().or_else(|| setting.clone())
        };
        request.display_name = or(&args.display_name, &tuning.display_name);
        request.description = or(&args.description, &tuning.description);
        request.service_account = or(&args.service_account, &tuning.service_account);
        request.kms_key = or(&args.kms_key, &tuning.kms_key);
        request.labels = tuning.labels.clone();
        let labels = args.labels.iter();
        request
            .labels
            .extend(labels.map(|label| (label.key.clone(), label.value.clone())));
        Ok(())
    }

    /// The base model, if tuning starts from one.
    pub(super) fn model(&self) -> Option<&str> {
        match &self.request.start {
            Start::Base(model) => Some(model),
            Start::Tuned { .. } => None,
        }
    }
}

/// Everything that is missing, at once.
fn lacking(missing: &[Missing]) -> Failure {
    let names: Vec<_> = missing.iter().map(|setting| setting.what).collect();
    let names = match &names[..] {
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
        [] => String::new(),
    };
    let mut failure = Failure::new(format!("`prep submit` lacks {names}"));
    for Missing {
        what,
        flag,
        variable,
        key,
    } in missing
    {
        let variable = variable.map_or_else(String::new, |name| format!(", {name}"));
        failure = failure.note(format!(
            "{what} is set by `{flag}`{variable} or `{key}` in prep.yaml"
        ));
    }
    let table = models::table();
    let can = table
        .models
        .iter()
        .filter(|model| model.sft && model.status != Status::Ended);
    let can: Vec<_> = can.map(|model| format!("`{}`", model.name)).collect();
    failure
        .note(format!(
            "on {} these could be tuned: {}; `prep models` says more",
            table.as_of,
            can.join(", ")
        ))
        .hint("without an account, `prep submit --rehearse` plays all of it on this machine")
}
