//! The curves of a tuning job, as `prep jobs metrics --format json` prints them.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;
use crate::report::html::chart::Curve;

/// What is known of a job.
#[derive(Debug, Deserialize)]
pub(in crate::commands::stats) struct Metrics {
    schema: u32,
    pub(super) job: Option<String>,
    series: Vec<Series>,
}

#[derive(Debug, Deserialize)]
struct Series {
    name: String,
    points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
struct Point {
    step: f64,
    value: f64,
}

/// Reads the curves.
pub(in crate::commands::stats) fn read(path: &Path) -> Result<Metrics, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    })?;
    let no_metrics = |cause: String| {
        Failure::because(format!("`{}` has no curves", path.display()), cause)
            .hint("make it with `prep jobs metrics JOB --format json`")
    };
    let metrics: Metrics =
        serde_json::from_str(&text).map_err(|error| no_metrics(error.to_string()))?;
    if metrics.schema != 1 {
        return Err(no_metrics(format!(
            "its schema is {}, not 1",
            metrics.schema
        )));
    }
    Ok(metrics)
}

impl Metrics {
    /// The curves that have points, in the order in which they come.
    pub(super) fn curves(&self) -> impl Iterator<Item = Curve> {
        let series = self
            .series
            .iter()
            .filter(|series| !series.points.is_empty());
        series.map(|series| Curve {
            name: series.name.clone(),
            points: series
                .points
                .iter()
                .map(|point| (point.step, point.value))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            super::read(&path)
        };
        let metrics = read(
            r#"{"schema":1,"job":"j","series":[{"name":"train_total_loss","points":[{"step":1,"value":2.5,"wall_time":"x"}]},{"name":"empty","points":[]}]}"#,
        )
        .unwrap();
        let curves: Vec<_> = metrics.curves().collect();
        assert_eq!(curves.len(), 1);
        assert_eq!(curves[0].points, [(1.0, 2.5)]);
        assert!(read("[]").is_err());
        assert!(read(r#"{"schema":2,"series":[]}"#).is_err());
    }
}
