//! The curves of a job, as the console's monitor shows them.
//!
//! They lie in a TensorBoard that the job's experiment names: a walk of five
//! requests, in the location of the experiment. A job that has just begun has
//! none of it; what is not there yet is an empty set of curves and no error.

use serde_json::{Value, json};

use super::job::{integer, number};
use super::service::{self, address};
use crate::client::{Client, turn_page};
use crate::endpoints::location_of;
use crate::error::CallError;
use crate::http::Request;

/// The curves of a job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// In the order of [`NAMES`], then by name.
    pub series: Vec<Series>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The service's name without the slash in front: `train_total_loss`.
    pub name: String,
    /// Its points, by step.
    pub points: Vec<Point>,
}

/// One point.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The step of training.
    pub step: i64,
    /// The value.
    pub value: f64,
    /// When it was measured, as the service writes it.
    pub wall_time: Option<String>,
}

/// The loss on the training dataset.
pub const TRAIN_LOSS: &str = "train_total_loss";
/// The loss on the validation dataset.
pub const EVAL_LOSS: &str = "eval_total_loss";

/// The curves that are known, in the order in which they are shown.
pub const NAMES: [&str; 7] = [
    TRAIN_LOSS,
    EVAL_LOSS,
    "train_fraction_of_correct_next_step_preds",
    "eval_fraction_of_correct_next_step_preds",
    "train_num_predictions",
    "eval_num_predictions",
    "preference_optimization_train_loss",
];

impl Metrics {
    /// The curve of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }

    /// How many points there are in all curves.
    #[must_use]
    pub fn n_points(&self) -> usize {
        self.series.iter().map(|series| series.points.len()).sum()
    }

    /// Whether there is no point yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_points() == 0
    }

    /// The curves as `prep jobs metrics --format json` writes them.
    #[must_use]
    pub fn json(&self, job: &str) -> Value {
        let point = |point: &Point| {
            json!({
                "step": point.step,
                "value": point.value,
                "wall_time": point.wall_time,
            })
        };
        let series = self.series.iter().map(|series| {
            let points: Vec<_> = series.points.iter().map(point).collect();
            json!({"name": series.name, "points": points})
        });
        json!({"schema": 1, "job": job, "series": series.collect::<Vec<_>>()})
    }

    /// The curves as a table, one point a line, values with all their digits.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::from("series,step,value,wall_time\n");
        for series in &self.series {
            let name = quoted(&series.name);
            for point in &series.points {
                let time = quoted(point.wall_time.as_deref().unwrap_or_default());
                csv += &format!("{name},{},{},{time}\n", point.step, point.value);
            }
        }
        csv
    }

    /// Brings curves and points into order.
    pub(super) fn of(mut series: Vec<Series>) -> Self {
        for series in &mut series {
            series
                .points
                .sort_by(|a, b| (a.step, &a.wall_time).cmp(&(b.step, &b.wall_time)));
        }
        let place = |name: &str| NAMES.iter().position(|known| *known == name);
        series.sort_by(|a, b| {
            let place = |series: &Series| place(&series.name).unwrap_or(NAMES.len());
            (place(a), &a.name).cmp(&(place(b), &b.name))
        });
        Self { series }
    }
}

impl Series {
    /// The last point.
    #[must_use]
    pub fn last(&self) -> Option<&Point> {
        self.points.last()
    }

    /// The point with the lowest value, the first of equals.
    #[must_use]
    pub fn lowest(&self) -> Option<&Point> {
        let numbers = self.points.iter().filter(|point| !point.value.is_nan());
        numbers.min_by(|a, b| a.value.total_cmp(&b.value))
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Reads the points of a `timeSeriesData`. A value of zero is not written, as
/// it is the default.
fn points(data: &Value) -> Vec<Point> {
    let points = data["values"].as_array().into_iter().flatten();
    let point = |point: &Value| {
        let scalar = point.get("scalar")?;
        let value = match scalar.get("value") {
            None => 0.0,
            Some(value) => number(value)?,
        };
        let step = match point.get("step") {
            None => 0,
            Some(step) => integer(step)?,
        };
        Some(Point {
            step,
            value,
            wall_time: point["wallTime"].as_str().map(Into::into),
        })
    };
    points.filter_map(point).collect()
}

const READ: &str = "read the metrics of a tuning job";
/// How many curves are asked for in one request: their names are long.
const CURVES_AT_ONCE: usize = 8;
/// A batch gives no more points of a curve than this, and beyond it a random
/// sample: whoever has that many is asked for alone.
const SAMPLED_FROM: usize = 1000;

/// Reads the curves of a job from its experiment (see
/// [`TuningJob::experiment`](super::TuningJob::experiment)), of which the
/// location is that of the job.
///
/// # Errors
///
/// When a call fails; what is not there yet is no error.
pub async fn read(client: &Client, experiment: &str) -> Result<Metrics, CallError> {
    let Some(run) = run_of(client, experiment).await? else {
        return Ok(Metrics::default());
    };
    let curves = curves_of(client, &run).await?;
    let mut series = Vec::new();
    for curves in curves.chunks(CURVES_AT_ONCE) {
        series.extend(batch(client, &run, curves).await?);
    }
    Ok(Metrics::of(series))
}

/// A run of a TensorBoard.
struct Run {
    location: String,
    tensorboard: String,
    name: String,
}

/// A curve by its resource name and by the name that people see.
struct Curve {
    resource: String,
    name: String,
}

async fn run_of(client: &Client, experiment: &str) -> Result<Option<Run>, CallError> {
    let (Some(location), Some((store, id))) = (
        location_of(experiment),
        experiment.rsplit_once("/contexts/"),
    ) else {
        let reason = format!("`{experiment}` is no experiment");
        return Err(CallError::Unreadable {
            operation: READ,
            reason,
        });
    };
    let get = |path: &str| Request::get(READ, address(client, location, path));
    let Some(context) = found(client, &get(experiment)).await? else {
        return Ok(None);
    };
    let Some(tensorboard) = context["metadata"]["backing_tensorboard_resource"].as_str() else {
        return Ok(None);
    };
    let filter =
        format!("schema_title=\"system.ExperimentRun\" AND parent_contexts:\"{experiment}\"");
    let contexts = get(&format!("{store}/contexts")).query("filter", filter);
    let Some(contexts) = found(client, &contexts).await? else {
        return Ok(None);
    };
    let Some(context) = contexts["contexts"][0]["name"].as_str() else {
        return Ok(None);
    };
    let context = context.rsplit('/').next().unwrap_or(context);
    let run = context.strip_prefix(&format!("{id}-")).unwrap_or(context);
    Ok(Some(Run {
        location: location.into(),
        name: format!("{tensorboard}/experiments/{id}/runs/{run}"),
        tensorboard: tensorboard.into(),
    }))
}

async fn curves_of(client: &Client, run: &Run) -> Result<Vec<Curve>, CallError> {
    let url = address(client, &run.location, &format!("{}/timeSeries", run.name));
    let (mut curves, mut token) = (Vec::new(), String::new());
    loop {
        let mut request = Request::get(READ, url.clone()).query("pageSize", "1000");
        if !token.is_empty() {
            request = request.query("pageToken", token.clone());
        }
        let Some(page) = found(client, &request).await? else {
            return Ok(curves);
        };
        let listed = page["tensorboardTimeSeries"]
            .as_array()
            .into_iter()
            .flatten();
        curves.extend(listed.filter_map(|curve| {
            let resource = curve["name"].as_str()?;
            let name = curve["displayName"].as_str()?;
            let is_scalar = curve["valueType"]
                .as_str()
                .is_none_or(|kind| kind == "SCALAR");
            is_scalar.then(|| Curve {
                resource: resource.into(),
                name: name.strip_prefix('/').unwrap_or(name).into(),
            })
        }));
        if !turn_page(READ, &page, &mut token)? {
            return Ok(curves);
        }
    }
}

async fn batch(client: &Client, run: &Run, curves: &[Curve]) -> Result<Vec<Series>, CallError> {
    let url = address(
        client,
        &run.location,
        &format!("{}:batchRead", run.tensorboard),
    );
    let mut request = Request::get(READ, url);
    for curve in curves {
        request = request.query("timeSeries", curve.resource.clone());
    }
    let Some(answer) = found(client, &request).await? else {
        return Ok(Vec::new());
    };
    let mut series = Vec::new();
    for data in answer["timeSeriesData"].as_array().into_iter().flatten() {
        let id = data["tensorboardTimeSeriesId"].as_str().unwrap_or_default();
        // An id may come as the last part of a name, or as the whole of it.
        let is_it =
            |curve: &&Curve| curve.resource == id || curve.resource.rsplit('/').next() == Some(id);
        let Some(curve) = curves.iter().find(is_it) else {
            continue;
        };
        let mut points = points(data);
        if points.len() >= SAMPLED_FROM {
            let url = address(client, &run.location, &format!("{}:read", curve.resource));
            let request = Request::get(READ, url).query("maxDataPoints", "-1");
            if let Some(whole) = found(client, &request).await? {
                points = self::points(&whole["timeSeriesData"]);
            }
        }
        series.push(Series {
            name: curve.name.clone(),
            points,
        });
    }
    Ok(series)
}

/// Asks for something that need not be there yet.
async fn found(client: &Client, request: &Request) -> Result<Option<Value>, CallError> {
    match service::read(client, request).await {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.http() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Received, Server};

    const EXPERIMENT: &str = "projects/123/locations/europe-west4/metadataStores/default/contexts/tuning-experiment-2026";
    const BOARD: &str = "projects/123/locations/europe-west4/tensorboards/77";

    fn values(n: i64) -> Vec<Value> {
        let value = |step: i64| {
            let time = format!("2026-11-28T10:{:02}:00Z", step % 60);
            json!({"wallTime": time, "step": step.to_string(), "scalar": {"value": step as f64 / 8.0}})
        };
        (1..=n).map(value).collect()
    }

    /// A TensorBoard as the fact sheet describes it.
    #[derive(Debug, Default)]
    struct Board {
        paths: Vec<String>,
        missing: &'static str,
        points: i64,
    }

    impl Board {
        fn answer(&mut self, received: &Received) -> Answer {
            assert_eq!(received.method, "GET");
            let path = received.path().strip_prefix("/v1/").unwrap().to_owned();
            self.paths.push(path.clone());
            if !self.missing.is_empty() && path.ends_with(self.missing) {
                return Answer::error(404, "not found");
            }
            let run = format!("{BOARD}/experiments/tuning-experiment-2026/runs/run-1/timeSeries");
            let one = |id: &str, name: &str| json!({"name": format!("{run}/{id}"), "displayName": name, "valueType": "SCALAR"});
            let (store, _) = EXPERIMENT.rsplit_once('/').unwrap();
            let answer = if path == EXPERIMENT {
                json!({"metadata": {"backing_tensorboard_resource": BOARD}})
            } else if path == store {
                let filter = format!(
                    "schema_title=\"system.ExperimentRun\" AND parent_contexts:\"{EXPERIMENT}\""
                );
                assert_eq!(received.query("filter"), [filter]);
                json!({"contexts": [{"name": format!("{store}/tuning-experiment-2026-run-1")}]})
            } else if path == run {
                match &received.query("pageToken")[..] {
                    [] => {
                        json!({"tensorboardTimeSeries": [one("1", "/eval_total_loss")], "nextPageToken": "2"})
                    }
                    _ => json!({"tensorboardTimeSeries": [
                        one("2", "/train_total_loss"),
                        {"name": format!("{run}/3"), "displayName": "/pictures", "valueType": "BLOB_SEQUENCE"},
                    ]}),
                }
            } else if path == format!("{BOARD}:batchRead") {
                assert_eq!(
                    received.query("timeSeries"),
                    [format!("{run}/1"), format!("{run}/2")]
                );
                let shown = self.points.min(1000);
                json!({"timeSeriesData": [
                    {"tensorboardTimeSeriesId": "2", "valueType": "SCALAR", "values": values(shown)},
                    {"tensorboardTimeSeriesId": "1", "valueType": "SCALAR", "values": [
                        {"step": "20", "scalar": {"value": 1.5}}, {"step": "10", "scalar": {}},
                        {"step": "30", "tensor": {}},
                    ]},
                ]})
            } else if path == format!("{run}/2:read") {
                assert_eq!(received.query("maxDataPoints"), ["-1"]);
                json!({"timeSeriesData": {"tensorboardTimeSeriesId": "2", "values": values(self.points)}})
            } else {
                return Answer::error(404, &path);
            };
            Answer::json(&answer)
        }
    }

    async fn read_of(board: Board) -> (Metrics, Vec<String>) {
        let server = Server::start(board, Board::answer).await;
        let metrics = read(&server.client(), EXPERIMENT).await.unwrap();
        let paths = server.state().paths.clone();
        (metrics, paths)
    }

    #[tokio::test]
    async fn curves_are_read_in_five_requests() {
        let (metrics, paths) = read_of(Board {
            points: 3,
            ..Board::default()
        })
        .await;
        assert_eq!(paths.len(), 5);
        let names: Vec<_> = metrics.series.iter().map(|series| &*series.name).collect();
        assert_eq!(names, ["train_total_loss", "eval_total_loss"]);
        let eval: Vec<_> = metrics
            .get(EVAL_LOSS)
            .unwrap()
            .points
            .iter()
            .map(|p| (p.step, p.value))
            .collect();
        // Zero is not written; points come in any order.
        assert_eq!(eval, [(10, 0.0), (20, 1.5)]);
        assert_eq!(
            metrics.json("projects/1/locations/l/tuningJobs/7"),
            json!({"schema": 1, "job": "projects/1/locations/l/tuningJobs/7", "series": [
                {"name": "train_total_loss", "points": [
                    {"step": 1, "value": 0.125, "wall_time": "2026-11-28T10:01:00Z"},
                    {"step": 2, "value": 0.25, "wall_time": "2026-11-28T10:02:00Z"},
                    {"step": 3, "value": 0.375, "wall_time": "2026-11-28T10:03:00Z"}]},
                {"name": "eval_total_loss", "points": [
                    {"step": 10, "value": 0.0, "wall_time": null},
                    {"step": 20, "value": 1.5, "wall_time": null}]},
            ]})
        );
        assert_eq!(
            metrics.csv(),
            "series,step,value,wall_time\n\
             train_total_loss,1,0.125,2026-11-28T10:01:00Z\n\
             train_total_loss,2,0.25,2026-11-28T10:02:00Z\n\
             train_total_loss,3,0.375,2026-11-28T10:03:00Z\n\
             eval_total_loss,10,0,\n\
             eval_total_loss,20,1.5,\n"
        );
    }

    #[tokio::test]
    async fn a_long_curve_is_read_whole() {
        let (metrics, paths) = read_of(Board {
            points: 1500,
            ..Board::default()
        })
        .await;
        assert_eq!(paths.len(), 6);
        assert_eq!(metrics.get(TRAIN_LOSS).unwrap().points.len(), 1500);
    }

    #[tokio::test]
    async fn what_is_not_there_yet_is_no_error() {
        for missing in [
            "tuning-experiment-2026",
            "/contexts",
            "/timeSeries",
            ":batchRead",
        ] {
            let (metrics, _) = read_of(Board {
                missing,
                ..Board::default()
            })
            .await;
            assert!(metrics.is_empty(), "{missing}");
        }
        let server = Server::start(Board::default(), Board::answer).await;
        let error = read(&server.client(), "tuning-experiment-2026")
            .await
            .unwrap_err();
        assert!(matches!(error, CallError::Unreadable { .. }));
    }
}
