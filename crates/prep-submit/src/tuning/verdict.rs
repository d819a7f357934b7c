//! What to make of a job: how it ended, whether it is stuck, which of its
//! checkpoints is best.

use std::time::{Duration, SystemTime};

use super::job::{Checkpoint, JobState, TuningJob};
use super::metrics::{EVAL_LOSS, Metrics, Point};

/// How a job that is over ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The model is there and is served.
    Succeeded,
    /// The model is there; not all that was asked for is.
    PartiallySucceeded,
    /// The model was trained, and paid for, and is in the registry, but nothing
    /// serves it.
    NotServed,
    /// There is no model.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// It took too long.
    Expired,
}

impl Ending {
    /// How a job ended; `None` if it did not.
    #[must_use]
    pub fn of(job: &TuningJob) -> Option<Self> {
        match job.state() {
            JobState::Succeeded => Some(Self::Succeeded),
            JobState::PartiallySucceeded => Some(Self::PartiallySucceeded),
            JobState::Failed if job.failed_with_model() => Some(Self::NotServed),
            JobState::Failed => Some(Self::Failed),
            JobState::Cancelled => Some(Self::Cancelled),
            JobState::Expired => Some(Self::Expired),
            _ => None,
        }
    }

    /// Whether there is a model that can be asked.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::PartiallySucceeded)
    }
}

/// Something about a job that is not as it should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// It has been running for so long, and the service has not even counted
    /// its examples.
    Wedged {
        /// How long.
        running: Duration,
    },
    /// The loss on the validation dataset has passed its best: from here on
    /// the model learns the training dataset by heart.
    RisingLoss {
        /// Where it was lowest.
        best: Point,
        /// Where it is now.
        last: Point,
    },
}

/// Tells whether a job that says it runs does nothing, as wedged jobs did that
/// were reported: no statistics of its data and no curve after `limit`.
#[must_use]
pub fn wedged(
    job: &TuningJob,
    metrics: &Metrics,
    now: SystemTime,
    limit: Duration,
) -> Option<Warning> {
    let since = job.started().or_else(|| job.created())?;
    let running = now.duration_since(since).ok()?;
    let is_silent = job.stats().is_none() && metrics.is_empty();
    let is_wedged = job.state() == JobState::Running && is_silent && running > limit;
    is_wedged.then_some(Warning::Wedged { running })
}

/// Tells whether the loss on the validation dataset rises: the last two points
/// are above the lowest, and the last by more than a hundredth of it. One point
/// alone may be noise.
#[must_use]
pub fn rising_loss(metrics: &Metrics) -> Option<Warning> {
    let series = metrics.get(EVAL_LOSS)?;
    let best = series.lowest()?;
    let [.., before, last] = &series.points[..] else {
        return None;
    };
    let is_past = before.step > best.step && before.value > best.value;
    let is_higher = last.value > best.value + best.value.abs() / 100.0;
    (is_past && is_higher).then(|| Warning::RisingLoss {
        best: best.clone(),
        last: last.clone(),
    })
}

/// Chooses the checkpoint with the lowest loss on the validation dataset, and
/// tells that loss: the one measured last before the checkpoint was taken, or
/// else the first after. `None` without checkpoints or without such a curve.
#[must_use]
pub fn best_checkpoint(job: &TuningJob, metrics: &Metrics) -> Option<(Checkpoint, f64)> {
    let points = &metrics.get(EVAL_LOSS)?.points;
    let loss_at = |step: u64| {
        let step = i64::try_from(step).ok()?;
        let before = points.iter().rev().find(|point| point.step <= step);
        before.or_else(|| points.first()).map(|point| point.value)
    };
    let checkpoints = job.tuned_model()?.checkpoints.into_iter();
    let losses = checkpoints.filter_map(|checkpoint| {
        let loss = loss_at(checkpoint.step?)?;
        (!loss.is_nan()).then_some((checkpoint, loss))
    });
    losses.min_by(|(_, a), (_, b)| a.total_cmp(b))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::metrics::Series;
    use super::*;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "so that a case is one `json!`"
    )]
    fn job(members: Value) -> TuningJob {
        let mut raw = json!({"name": "projects/1/locations/us-central1/tuningJobs/7"});
        raw.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        TuningJob::new(raw).unwrap()
    }

    fn eval_loss(values: &[f64]) -> Metrics {
        let points = values.iter().zip(1..).map(|(&value, n)| Point {
            step: n * 10,
            value,
            wall_time: None,
        });
        Metrics::of(vec![Series {
            name: EVAL_LOSS.into(),
            points: points.collect(),
        }])
    }

    #[test]
    fn a_failed_job_may_have_a_model() {
        let model = json!({"model": "projects/1/locations/us/models/9@1"});
        let check = |members, expected| assert_eq!(Ending::of(&job(members)), expected);
        check(json!({"state": "JOB_STATE_FAILED"}), Some(Ending::Failed));
        check(
            json!({"state": "JOB_STATE_FAILED", "tunedModel": model}),
            Some(Ending::NotServed),
        );
        check(
            json!({"state": "JOB_STATE_SUCCEEDED", "tunedModel": model}),
            Some(Ending::Succeeded),
        );
        check(json!({"state": "JOB_STATE_EXPIRED"}), Some(Ending::Expired));
        for state in [
            "JOB_STATE_RUNNING",
            "JOB_STATE_QUEUED",
            "JOB_STATE_NEW",
            "JOB_STATE_CANCELLING",
        ] {
            check(json!({"state": state}), None);
        }
        assert!(!Ending::NotServed.is_success() && Ending::PartiallySucceeded.is_success());
    }

    #[test]
    fn a_silent_job_is_wedged_after_an_hour() {
        let hour = Duration::from_secs(3600);
        let started = "2026-11-28T10:00:00.5Z";
        let running = json!({"state": "JOB_STATE_RUNNING", "startTime": started});
        let now = job(running.clone()).started().unwrap();
        let is_wedged = |members: &Value, metrics: &Metrics, passed: Duration| {
            wedged(&job(members.clone()), metrics, now + passed, hour).is_some()
        };
        let none = Metrics::default();
        assert!(!is_wedged(&running, &none, hour));
        assert!(is_wedged(&running, &none, hour + Duration::from_secs(1)));
        assert!(!is_wedged(&running, &eval_loss(&[1.0]), hour * 3));
        let mut counted = running.clone();
        counted["tuningDataStats"] = json!({"supervisedTuningDataStats": {}});
        assert!(!is_wedged(&counted, &none, hour * 3));
        let mut queued = running;
        queued["state"] = json!("JOB_STATE_QUEUED");
        assert!(!is_wedged(&queued, &none, hour * 3));
    }

    #[test]
    fn one_point_is_no_rise() {
        let check = |values: &[f64], expected: Option<(i64, i64)>| {
            let steps = rising_loss(&eval_loss(values)).map(|warning| match warning {
                Warning::RisingLoss { best, last } => (best.step, last.step),
                Warning::Wedged { .. } => unreachable!(),
            });
            assert_eq!(steps, expected, "{values:?}");
        };
        check(&[], None);
        check(&[1.0], None);
        check(&[1.0, 2.0], None);
        check(&[2.0, 1.0, 1.5], None);
        check(&[2.0, 1.0, 1.2, 1.5], Some((20, 40)));
        check(&[2.0, 1.0, 1.001, 1.002], None);
        check(&[2.0, 1.0, 1.5, 0.9], None);
        check(&[2.0, 1.0, f64::NAN, 1.5], None);
    }

    #[test]
    fn the_best_checkpoint_is_that_of_the_lowest_loss() {
        let checkpoint = |id: &str, step: &str| json!({"checkpointId": id, "step": step});
        let job = job(json!({"tunedModel": {"checkpoints": [
            checkpoint("1", "10"), checkpoint("2", "24"), checkpoint("3", "40"), {"checkpointId": "4"},
        ]}}));
        let best = |values: &[f64]| {
            let (checkpoint, loss) = best_checkpoint(&job, &eval_loss(values))?;
            Some((checkpoint.id, loss))
        };
        assert_eq!(best(&[2.0, 1.0, 3.0, 1.5]), Some(("2".into(), 1.0)));
        assert_eq!(best(&[2.0, 1.0, 3.0, 0.5]), Some(("3".into(), 0.5)));
        assert_eq!(best(&[]), None);
        assert!(best_checkpoint(&job, &Metrics::default()).is_none());
    }
}
