//! Asking Google's evaluation service how good translations are: COMET and
//! MetricX, models that were taught by people's judgements.
//!
//! A request is one segment. What a version wants of it (source, reference)
//! [`Version`] says; a score that does not come is an error, and never a number.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::asking::{Inquiry, Pace};
use crate::client::Client;
use crate::error::CallError;
use crate::http::Request;

/// What the service is asked for: a metric in one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// COMET of 2022, by source and reference; 1 is perfect.
    Comet22SrcRef,
    /// MetricX of 2024, by source and reference; 0 is perfect, 25 the worst.
    Metricx24SrcRef,
    /// MetricX of 2024, by the reference alone.
    Metricx24Ref,
    /// MetricX of 2024, by the source alone: an estimate of quality.
    Metricx24Src,
}

impl Version {
    /// All versions that the service has.
    pub const ALL: [Self; 4] = [
        Self::Comet22SrcRef,
        Self::Metricx24SrcRef,
        Self::Metricx24Ref,
        Self::Metricx24Src,
    ];

    /// The version as the service names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comet22SrcRef => "COMET_22_SRC_REF",
            Self::Metricx24SrcRef => "METRICX_24_SRC_REF",
            Self::Metricx24Ref => "METRICX_24_REF",
            Self::Metricx24Src => "METRICX_24_SRC",
        }
    }

    /// Whether it looks at the source.
    #[must_use]
    pub fn wants_source(self) -> bool {
        self != Self::Metricx24Ref
    }

    /// Whether it looks at a reference.
    #[must_use]
    pub fn wants_reference(self) -> bool {
        self != Self::Metricx24Src
    }

    /// Whether a lower score is a better one.
    #[must_use]
    pub fn lower_is_better(self) -> bool {
        self != Self::Comet22SrcRef
    }

    /// The members of a request and of its answer.
    fn members(self) -> (&'static str, &'static str) {
        match self {
            Self::Comet22SrcRef => ("cometInput", "cometResult"),
            _ => ("metricxInput", "metricxResult"),
        }
    }
}

/// A translation that is to be scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What was translated. It is sent if the version wants it.
    pub source: String,
    /// What the model said.
    pub prediction: String,
    /// What was expected. It is sent if the version wants it.
    pub reference: String,
}

/// What the service says of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The score.
    pub score: f64,
}

/// How segments are scored.
#[derive(Debug, Clone)]
pub struct Scoring {
    /// Who asks.
    pub project: String,
    /// Where: a region.
    pub location: String,
    /// What for.
    pub version: Version,
    /// The language of the sources (BCP 47), if it is said.
    pub source_language: Option<String>,
    /// The language of predictions and references (BCP 47), if it is said.
    pub target_language: Option<String>,
    /// How fast segments are sent, and how patiently.
    pub pace: Pace,
}

impl Scoring {
    /// Takes what is usual: a minute for an answer, which is the limit of the
    /// service, and 10 requests a second, which Google's own library takes care
    /// not to pass; the quota is not known.
    #[must_use]
    pub fn new(project: String, location: String, version: Version) -> Self {
        Self {
            project,
            location,
            version,
            source_language: None,
            target_language: None,
            pace: Pace {
                timeout: Duration::from_secs(60),
                most_rate: 10.0,
                ..Pace::default()
            },
        }
    }
}

const OPERATION: &str = "score a segment";

impl Inquiry for Scoring {
    type Question = Segment;
    type Answer = Verdict;

    fn path(&self) -> String {
        format!("projects/{}/locations/{}", self.project, self.location)
    }

    fn body(&self, segment: &Segment) -> Value {
        let mut spec = json!({"version": self.version.as_str()});
        let languages = [
            ("sourceLanguage", &self.source_language),
            ("targetLanguage", &self.target_language),
        ];
        for (name, language) in languages {
            if let Some(language) = language {
                spec[name] = json!(language);
            }
        }
        let mut instance = json!({"prediction": segment.prediction});
        if self.version.wants_source() {
            instance["source"] = json!(segment.source);
        }
        if self.version.wants_reference() {
            instance["reference"] = json!(segment.reference);
        }
        let (input, _) = self.version.members();
        let input = (
            input.to_owned(),
            json!({"metricSpec": spec, "instance": instance}),
        );
        Value::Object(Map::from_iter([input]))
    }

    fn request(&self, client: &Client, body: &Value) -> Request {
        let base = client.endpoints().vertex(&self.location);
        let url = format!("{base}/v1/{}:evaluateInstances", self.path());
        Request::post(OPERATION, url)
            .json(body)
            .timeout(self.pace.timeout)
    }

    async fn attempt(&self, client: &Client, request: &Request) -> Result<Verdict, CallError> {
        let answer: Value = client.send(request).await?.json()?;
        let (_, result) = self.version.members();
        // A score of 0 is there: the field knows whether it is set.
        let score = answer[result]["score"].as_f64();
        score
            .map(|score| Verdict { score })
            .ok_or_else(|| CallError::Unreadable {
                operation: OPERATION,
                reason: format!("it has no `{result}.score`"),
            })
    }

    fn pace(&self) -> &Pace {
        &self.pace
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::asking::{self, Journal, RunError, Summary};
    use crate::testing::{self, Received, Server};

    fn scoring(version: Version) -> Scoring {
        Scoring::new("acme".into(), "us-central1".into(), version)
    }

    fn segment(n: usize) -> Segment {
        Segment {
            source: format!("s{n}"),
            prediction: format!("p{n}"),
            reference: format!("r{n}"),
        }
    }

    #[test]
    fn a_version_is_sent_what_it_wants() {
        let check = |version: Version, member: &str, instance: Value| {
            let body = scoring(version).body(&segment(1));
            let spec = json!({"version": version.as_str()});
            let input = json!({"metricSpec": spec, "instance": instance});
            assert_eq!(body, json!({member: input}));
        };
        let both = json!({"source": "s1", "prediction": "p1", "reference": "r1"});
        check(Version::Comet22SrcRef, "cometInput", both.clone());
        check(Version::Metricx24SrcRef, "metricxInput", both);
        check(
            Version::Metricx24Ref,
            "metricxInput",
            json!({"prediction": "p1", "reference": "r1"}),
        );
        check(
            Version::Metricx24Src,
            "metricxInput",
            json!({"source": "s1", "prediction": "p1"}),
        );
        let mut named = scoring(Version::Comet22SrcRef);
        named.source_language = Some("en".into());
        named.target_language = Some("es-419".into());
        assert_eq!(
            named.body(&segment(1))["cometInput"]["metricSpec"],
            json!({"version": "COMET_22_SRC_REF", "sourceLanguage": "en", "targetLanguage": "es-419"})
        );
    }

    /// The versions and the members are those that Google publishes.
    #[test]
    #[expect(clippy::print_stderr, reason = "what is skipped is said aloud")]
    fn requests_are_as_google_describes_them() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/google-api/aiplatform.v1.json");
        if !path.exists() {
            assert!(std::env::var_os("CI").is_none(), "CI needs {path:?}");
            eprintln!("SKIPPED: there is no ../shared/data/google-api");
            return;
        }
        let description: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let schema = |name: &str| &description["schemas"][format!("GoogleCloudAiplatformV1{name}")];
        let mut described = Vec::new();
        for (metric, spec) in [("Comet", "CometSpec"), ("Metricx", "MetricxSpec")] {
            let versions = schema(spec)["properties"]["version"]["enum"]
                .as_array()
                .unwrap();
            let versions = versions.iter().filter_map(Value::as_str);
            described.extend(versions.filter(|version| !version.ends_with("UNSPECIFIED")));
            let score = &schema(&format!("{metric}Result"))["properties"]["score"];
            assert_eq!(score["type"], "number");
        }
        described.sort_unstable();
        let mut known = Version::ALL.map(Version::as_str);
        known.sort_unstable();
        assert_eq!(described, known);
        for version in Version::ALL {
            let (input, result) = version.members();
            let has = |message: &str, member: &str| {
                assert!(
                    schema(message)["properties"][member].is_object(),
                    "{member}"
                );
            };
            has("EvaluateInstancesRequest", input);
            has("EvaluateInstancesResponse", result);
        }
    }

    /// A service that gives the number in the prediction as a score.
    fn answer(_: &mut (), received: &Received) -> testing::Answer {
        assert_eq!(
            received.path(),
            "/v1/projects/acme/locations/us-central1:evaluateInstances"
        );
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        let text = body["cometInput"]["instance"]["prediction"]
            .as_str()
            .unwrap();
        match text {
            "p2" => testing::Answer::error(400, "no such language"),
            "p3" => testing::Answer::json(&json!({"cometResult": {}})),
            text => {
                let n: f64 = text[1..].parse().unwrap();
                testing::Answer::json(&json!({"cometResult": {"score": n / 8.0}}))
            }
        }
    }

    #[tokio::test]
    async fn a_segment_without_a_score_has_none() {
        let server = Server::start((), answer).await;
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(&directory.path().join("journal")).unwrap();
        let scoring = scoring(Version::Comet22SrcRef);
        for kept in [0, 4] {
            let mut scores = Vec::new();
            let sink = |row: asking::Row<Segment, Verdict>| {
                scores.push(row.result.map(|verdict| verdict.score).ok());
                Ok::<_, Infallible>(())
            };
            let ran: Result<Summary, RunError<_>> = asking::run(
                &server.client(),
                &scoring,
                (0..6).map(segment),
                Some(&journal),
                sink,
            )
            .await;
            let expected = Summary {
                answered: 4,
                kept,
                failed: 2,
            };
            assert_eq!(ran.unwrap(), expected);
            let expected = [Some(0.0), Some(0.125), None, None, Some(0.5), Some(0.625)];
            assert_eq!(scores, expected);
        }
    }
}
