//! The curves of a job, by the way that the console goes: from the
//! experiment's context to its TensorBoard, to the run, to the time series.
//!
//! Curves are made up, and the same for a job whenever they are asked for: the
//! loss falls towards a floor with a little noise, and that of the validation
//! set rises again after a few epochs. They grow while the job trains.

use std::sync::Arc;

use serde_json::{Value, json};

use super::jobs::Job;
use super::{id_of, mixed, page, parent};
use crate::clock::rfc3339;
use crate::cloud::{Ask, Cloud, PROJECT_NUMBER};
use crate::error::{Answer, Refusal, json_reply};

/// The most points of a series.
const MOST_POINTS: u64 = 1_000;

/// A metric of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metric {
    Loss,
    Correct,
    Predictions,
}

/// A series of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Series {
    metric: Metric,
    is_validation: bool,
}

impl Series {
    const ALL: [(Metric, &'static str); 3] = [
        (Metric::Loss, "total_loss"),
        (Metric::Correct, "fraction_of_correct_next_step_preds"),
        (Metric::Predictions, "num_predictions"),
    ];

    fn of(job: &Job) -> Vec<Self> {
        let read = job.read.as_ref();
        let has_validation = read.is_some_and(|read| read.validation.is_some());
        let sides: &[bool] = if has_validation {
            &[false, true]
        } else {
            &[false]
        };
        sides
            .iter()
            .flat_map(|&is_validation| {
                Self::ALL.map(|(metric, _)| Self {
                    metric,
                    is_validation,
                })
            })
            .collect()
    }

    fn display_name(self) -> String {
        let (_, name) = Self::ALL[self.metric as usize];
        let side = if self.is_validation { "eval" } else { "train" };
        format!("/{side}_{name}")
    }

    fn id(self, job: &Job) -> String {
        id_of(&job.id, &self.display_name())
    }

    /// The steps that have a point.
    fn steps(self, job: &Job) -> Vec<u64> {
        let n_steps = job.n_steps();
        let every = if self.is_validation {
            job.steps_of_epoch()
        } else {
            n_steps.div_ceil(MOST_POINTS)
        };
        (1..=n_steps)
            .filter(|step| step.is_multiple_of(every.max(1)))
            .collect()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "steps are few, and a hash is cut to 20 bits"
    )]
    fn value(self, job: &Job, step: u64) -> f64 {
        let chance = |thing: &str| (mixed(&job.id, thing) >> 44) as f64 / f64::from(1 << 20);
        let epoch = step as f64 / job.steps_of_epoch() as f64;
        let start = 2.2 + chance("start");
        let floor = 0.6 + 0.4 * chance("floor");
        let overfit = 0.04 * (epoch - 3.0).max(0.0);
        let (floor, rise) = if self.is_validation {
            (floor + 0.25, overfit)
        } else {
            (floor, 0.0)
        };
        let noise = chance(&format!("{}-{step}", self.is_validation)) - 0.5;
        let spread = if self.is_validation { 0.02 } else { 0.12 };
        let loss = floor + (start - floor) * (-0.9 * epoch).exp() + rise + spread * noise;
        match self.metric {
            Metric::Loss => loss,
            Metric::Correct => (-0.5 * loss).exp(),
            Metric::Predictions => {
                let read = job.read.as_ref();
                let found = read.and_then(|read| {
                    if self.is_validation {
                        read.validation.as_ref()
                    } else {
                        Some(&read.train)
                    }
                });
                let (tokens, kept) =
                    found.map_or((0, 1), |found| (found.output_tokens, found.n_kept().max(1)));
                let per_step = if self.is_validation {
                    tokens
                } else {
                    tokens * 8 / kept
                };
                per_step as f64
            }
        }
    }

    /// The points that are there at a time.
    fn points(self, job: &Job, now: u64) -> Vec<Value> {
        let n_steps = job.n_steps().max(1);
        let done = n_steps * job.at(now).done / 1_000;
        let (begins, ends) = job.training();
        self.steps(job)
            .into_iter()
            .take_while(|step| *step <= done)
            .map(|step| {
                let at = begins + (ends - begins) * step / n_steps;
                json!({
                    "wallTime": rfc3339(at),
                    "step": step.to_string(),
                    "scalar": {"value": self.value(job, step)},
                })
            })
            .collect()
    }

    fn data(self, job: &Job, now: u64) -> Value {
        let mut data = json!({
            "tensorboardTimeSeriesId": self.id(job),
            "valueType": "SCALAR",
        });
        let points = self.points(job, now);
        if !points.is_empty() {
            data["values"] = json!(points);
        }
        data
    }
}

impl Job {
    fn run_id(&self) -> String {
        format!("experiment-run-{}", self.id)
    }

    fn tensorboard(&self) -> String {
        format!(
            "{}/tensorboards/{}",
            parent(&self.location),
            id_of(&self.location, "tensorboard")
        )
    }

    fn contexts(&self) -> String {
        format!("{}/metadataStores/default/contexts", parent(&self.location))
    }

    fn experiment_context(&self) -> Value {
        let id = self.experiment_id();
        let name = format!("{}/{id}", self.contexts());
        json!({
            "name": name,
            "displayName": id,
            "createTime": rfc3339(self.created),
            "updateTime": rfc3339(self.created),
            "schemaTitle": "system.Experiment",
            "schemaVersion": "0.0.1",
            "metadata": {
                "experiment_deleted": false,
                "backing_tensorboard_resource": self.tensorboard(),
            },
        })
    }

    fn run_context(&self) -> Value {
        let experiment = self.experiment_id();
        let run = self.run_id();
        let name = format!("{}/{experiment}-{run}", self.contexts());
        let parent = format!("{}/{experiment}", self.contexts());
        json!({
            "name": name,
            "displayName": run,
            "createTime": rfc3339(self.created),
            "updateTime": rfc3339(self.created),
            "schemaTitle": "system.ExperimentRun",
            "schemaVersion": "0.0.1",
            "parentContexts": [parent],
            "metadata": {},
        })
    }

    fn run(&self) -> String {
        format!(
            "{}/experiments/{}/runs/{}",
            self.tensorboard(),
            self.experiment_id(),
            self.run_id()
        )
    }

    fn series_name(&self, series: Series) -> String {
        format!("{}/timeSeries/{}", self.run(), series.id(self))
    }
}

/// The jobs of a location whose metrics have begun.
fn jobs_with_metrics(cloud: &Cloud, ask: &Ask) -> Vec<Arc<Job>> {
    let location = ask.parts.get("location");
    let now = cloud.clock.now();
    let mut jobs = cloud.jobs.starting_with("");
    jobs.retain(|job| job.location == location && job.at(now).has_stats());
    jobs
}

fn check_store(ask: &Ask) -> Result<(), Refusal> {
    let store = ask.parts.get("store");
    if store == "default" {
        return Ok(());
    }
    Err(Refusal::not_found(format!(
        "MetadataStore {store} is not found."
    )))
}

/// `contexts.get`.
pub(crate) fn context_get(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    check_store(ask)?;
    let id = ask.parts.get("context");
    let location = ask.parts.get("location");
    let jobs = cloud.jobs.starting_with("");
    let contexts = jobs
        .iter()
        .filter(|job| job.location == location)
        .flat_map(|job| [job.experiment_context(), job.run_context()]);
    let name = format!("{}/metadataStores/default/contexts/{id}", parent(location));
    let mut found = contexts.filter(|context| context["name"] == name.as_str());
    let context = found
        .next()
        .ok_or_else(|| Refusal::not_found(format!("Context with name {name} does not exist.")))?;
    Ok(json_reply(200, &context))
}

/// What a filter of contexts asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    schema_title: Option<String>,
    parent: Option<String>,
}

/// Reads the filters that are played: `schema_title="…"` and
/// `parent_contexts:"…"`, joined by `AND`.
fn filter(text: &str) -> Option<Filter> {
    let mut filter = Filter::default();
    for term in text.split(" AND ") {
        let term = term.trim();
        let quoted = |rest: &str| {
            let inner = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
            (!inner.contains('"')).then(|| inner.to_owned())
        };
        if let Some(rest) = term.strip_prefix("schema_title") {
            filter.schema_title = Some(quoted(rest.trim().strip_prefix('=')?)?);
        } else {
            let rest = ["parent_contexts", "parentContexts"]
                .iter()
                .find_map(|name| term.strip_prefix(name))?;
            filter.parent = Some(quoted(rest.trim().strip_prefix(':')?)?);
        }
    }
    Some(filter)
}

/// `contexts.list`.
pub(crate) fn context_list(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    check_store(ask)?;
    let filter = match ask.query.get("filter").filter(|text| !text.is_empty()) {
        None => Filter::default(),
        Some(text) => {
            filter(text).ok_or_else(|| Refusal::invalid(format!("Invalid filter: {text}")))?
        }
    };
    let wanted_number = format!("projects/{PROJECT_NUMBER}/");
    if let Some(parent) = &filter.parent
        && !parent.starts_with(&wanted_number)
    {
        return Err(Refusal::invalid(format!(
            "Invalid filter: {parent} does not name the project by its number."
        )));
    }
    let jobs = jobs_with_metrics(cloud, ask);
    let contexts = jobs
        .iter()
        .flat_map(|job| [job.experiment_context(), job.run_context()])
        .filter(|context| {
            let title = filter.schema_title.as_ref();
            title.is_none_or(|title| context["schemaTitle"] == title.as_str())
        })
        .filter(|context| {
            let parent = filter.parent.as_ref();
            parent.is_none_or(|parent| context["parentContexts"][0] == parent.as_str())
        })
        .collect();
    Ok(json_reply(
        200,
        &page(contexts, "contexts", &ask.query, 100)?,
    ))
}

/// `timeSeries.list`.
pub(crate) fn series_list(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let run = format!(
        "{}/tensorboards/{}/experiments/{}/runs/{}",
        parent(ask.parts.get("location")),
        ask.parts.get("tensorboard"),
        ask.parts.get("experiment"),
        ask.parts.get("run")
    );
    let jobs = jobs_with_metrics(cloud, ask);
    let job = jobs.iter().find(|job| job.run() == run);
    let job =
        job.ok_or_else(|| Refusal::not_found(format!("TensorboardRun {run} is not found.")))?;
    let now = cloud.clock.now();
    let series = Series::of(job)
        .into_iter()
        .filter(|series| !series.points(job, now).is_empty())
        .map(|series| {
            json!({
                "name": job.series_name(series),
                "displayName": series.display_name(),
                "valueType": "SCALAR",
                "createTime": rfc3339(job.training().0),
                "updateTime": rfc3339(job.training().0),
                "pluginName": "scalars",
            })
        })
        .collect();
    let most = 1_000;
    let mut query = ask.query.clone();
    if query.get("pageSize").is_none() {
        query.add("pageSize", "50");
    }
    Ok(json_reply(
        200,
        &page(series, "tensorboardTimeSeries", &query, most)?,
    ))
}

/// The series of a name.
fn series(jobs: &[Arc<Job>], name: &str) -> Option<(Arc<Job>, Series)> {
    jobs.iter().find_map(|job| {
        let mut all = Series::of(job).into_iter();
        let series = all.find(|series| job.series_name(*series) == name)?;
        Some((Arc::clone(job), series))
    })
}

fn no_such_series(name: &str) -> Refusal {
    Refusal::not_found(format!("TensorboardTimeSeries {name} is not found."))
}

/// `timeSeries.read`.
pub(crate) fn series_read(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let name = format!(
        "{}/tensorboards/{}/experiments/{}/runs/{}/timeSeries/{}",
        parent(ask.parts.get("location")),
        ask.parts.get("tensorboard"),
        ask.parts.get("experiment"),
        ask.parts.get("run"),
        ask.parts.get("series")
    );
    let jobs = jobs_with_metrics(cloud, ask);
    let (job, series) = series(&jobs, &name).ok_or_else(|| no_such_series(&name))?;
    let most = match ask.query.get("maxDataPoints") {
        None => 1_000,
        Some("-1") => usize::MAX,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|most| (1..=10_000).contains(most))
            .ok_or_else(|| Refusal::invalid(format!("Invalid max_data_points: {text}")))?,
    };
    let mut data = series.data(&job, cloud.clock.now());
    if let Some(values) = data["values"].as_array_mut() {
        thin(values, most);
    }
    Ok(json_reply(200, &json!({"timeSeriesData": data})))
}

/// Leaves so many points, evenly spread.
fn thin(values: &mut Vec<Value>, most: usize) {
    let n = values.len();
    if n > most {
        let mut place = 0;
        values.retain(|_| {
            place += 1;
            place * most / n > (place - 1) * most / n
        });
    }
}

/// `tensorboards.batchRead`.
pub(crate) fn series_batch_read(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let board = format!(
        "{}/tensorboards/{}",
        parent(ask.parts.get("location")),
        ask.parts.get("tensorboard")
    );
    let jobs = jobs_with_metrics(cloud, ask);
    let now = cloud.clock.now();
    let mut data = Vec::new();
    for name in ask.query.all("timeSeries") {
        let found = series(&jobs, name).filter(|(job, _)| job.tensorboard() == board);
        let (job, series) = found.ok_or_else(|| no_such_series(name))?;
        data.push(series.data(&job, now));
    }
    if data.is_empty() {
        return Err(Refusal::invalid("The field time_series is required."));
    }
    Ok(json_reply(200, &json!({"timeSeriesData": data})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        let both = r#"schema_title="system.ExperimentRun" AND parent_contexts:"projects/1/x""#;
        let read = filter(both).unwrap();
        assert_eq!(read.schema_title.as_deref(), Some("system.ExperimentRun"));
        assert_eq!(read.parent.as_deref(), Some("projects/1/x"));
        for bad in [
            "schema_title=system",
            "name=\"x\"",
            "parent_contexts=\"x\"",
            "",
        ] {
            assert_eq!(filter(bad), None, "{bad}");
        }
    }

    #[test]
    fn points_are_thinned_evenly() {
        let mut values: Vec<_> = (0..10).map(|n| json!(n)).collect();
        thin(&mut values, 4);
        assert_eq!(values, [2, 4, 7, 9].map(|n| json!(n)));
    }
}
