//! The evaluation service: what translations are worth, played.
//!
//! COMET and MetricX are large models. Here a score is what prediction and
//! reference have in common, so that a better prediction tends to have a better
//! score; it has nothing else of theirs. A version that sees no reference gives
//! a number that the texts decide, and that means nothing.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::generate::spell;
use super::{base, mixed};
use crate::cloud::Ask;
use crate::error::{Answer, Refusal, json_reply};
use crate::strict::{self, Api};

/// The worst score of MetricX; 0 is the best.
const WORST: f64 = 25.0;

/// `:evaluateInstances`, of one translation.
pub(crate) fn evaluate(ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let location = ask.parts.get("location");
    if !base::is_region(location) {
        return Err(Refusal::unsupported(format!("evaluation in `{location}`")));
    }
    let request = strict::message(api, "EvaluateInstancesRequest", body)?;
    let members = request.as_object().into_iter().flatten();
    let inputs: Vec<_> = members.filter(|(name, _)| *name != "location").collect();
    let reply = match inputs[..] {
        [(name, input)] if name == "cometInput" => {
            json!({"cometResult": {"score": score(input)?}})
        }
        [(name, input)] if name == "metricxInput" => {
            json!({"metricxResult": {"score": score(input)?}})
        }
        [(name, _)] => return Err(Refusal::unsupported(format!("`{name}` of an evaluation"))),
        [] => return Err(Refusal::invalid("The input of a metric is required.")),
        _ => return Err(Refusal::invalid("Only one metric can be evaluated.")),
    };
    Ok(json_reply(200, &reply))
}

/// Scores an instance by the version that is asked for.
fn score(input: &Value) -> Result<f64, Refusal> {
    let text = |name: &str| {
        let text = input["instance"][name].as_str();
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::invalid(format!("instance.{name} is required.")))
    };
    let version = input["metricSpec"]["version"].as_str().unwrap_or_default();
    let prediction = text("prediction")?;
    if let Some(status) = spell(prediction).and_then(|word| word.parse().ok()) {
        return Err(Refusal::of_status(status, None));
    }
    match version {
        "COMET_22_SRC_REF" => {
            text("source")?;
            Ok(likeness(prediction, text("reference")?))
        }
        "METRICX_24_SRC_REF" => {
            text("source")?;
            Ok(WORST * (1.0 - likeness(prediction, text("reference")?)))
        }
        "METRICX_24_REF" => Ok(WORST * (1.0 - likeness(prediction, text("reference")?))),
        "METRICX_24_SRC" => {
            let hundredths = mixed(text("source")?, prediction) % 2501;
            Ok(f64::from(u32::try_from(hundredths).unwrap_or(0)) / 100.0)
        }
        _ => Err(Refusal::invalid("metric_spec.version is required.")),
    }
}

/// How many pairs of neighbouring characters two texts share (Dice), from 0 to
/// 1, rounded to four digits.
fn likeness(one: &str, other: &str) -> f64 {
    if one == other {
        return 1.0;
    }
    let pairs = |text: &str| {
        let next = text.chars().skip(1);
        text.chars().zip(next).collect::<Vec<_>>()
    };
    let (one, other) = (pairs(one), pairs(other));
    let n = one.len() + other.len();
    if n == 0 {
        return 0.0;
    }
    let mut left: HashMap<_, u32> = HashMap::new();
    for pair in one {
        *left.entry(pair).or_default() += 1;
    }
    let mut shared = 0;
    for pair in other {
        if let Some(n @ 1..) = left.get_mut(&pair) {
            *n -= 1;
            shared += 1;
        }
    }
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (2e4 * count(shared) / count(n)).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_what_is_alike() {
        let input = |version: &str, prediction: &str| {
            json!({
                "metricSpec": {"version": version},
                "instance": {"source": "the house", "prediction": prediction, "reference": "la casa"},
            })
        };
        let of = |version: &str, prediction: &str| score(&input(version, prediction)).unwrap();
        assert_eq!(of("COMET_22_SRC_REF", "la casa"), 1.0);
        assert_eq!(of("COMET_22_SRC_REF", "la cas"), 0.9091);
        assert_eq!(of("COMET_22_SRC_REF", "xyz"), 0.0);
        for version in ["METRICX_24_SRC_REF", "METRICX_24_REF"] {
            assert_eq!(of(version, "la casa"), 0.0);
            assert_eq!(of(version, "xyz"), 25.0);
        }
        let estimate = of("METRICX_24_SRC", "la casa");
        assert!((0.0..=25.0).contains(&estimate));
        assert_eq!(of("METRICX_24_SRC", "la casa"), estimate);
    }

    #[test]
    fn what_a_version_wants_must_be_there() {
        let check = |version: Option<&str>, members: &[&str], missing: &str| {
            let instance = members.iter().map(|name| ((*name).to_owned(), json!("a")));
            let instance = Value::Object(instance.collect());
            let input = json!({"metricSpec": {"version": version}, "instance": instance});
            let told = score(&input).err();
            let told = told.map(|refusal| refusal.message().to_owned());
            assert_eq!(told.unwrap_or_default(), missing, "{input}");
        };
        let all = ["source", "prediction", "reference"];
        check(None, &all, "metric_spec.version is required.");
        check(
            Some("COMET_VERSION_UNSPECIFIED"),
            &all,
            "metric_spec.version is required.",
        );
        check(
            Some("COMET_22_SRC_REF"),
            &all[..2],
            "instance.reference is required.",
        );
        check(
            Some("COMET_22_SRC_REF"),
            &all[1..],
            "instance.source is required.",
        );
        check(Some("METRICX_24_REF"), &all[1..], "");
        check(Some("METRICX_24_SRC"), &all[..2], "");
        check(
            Some("METRICX_24_SRC"),
            &all[..1],
            "instance.prediction is required.",
        );
    }
}
