//! Prompts that are asked of a model, and the lines that come of them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::outcome::{Answer, Joined};
use super::prompt::Prompt;
use super::settings::{Family, Generation};
use super::sse::Events;
use crate::asking::{self, Inquiry, Journal, Pace, RequestId, RowError, RunError, Summary};
use crate::client::Client;
use crate::error::{CallError, ServiceError};
use crate::http::Request;
use crate::tuning::ResourceName;

/// Which model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// A tuned one, by its endpoint: its name says where it is served.
    Endpoint(ResourceName),
    /// A base model.
    Base {
        /// Who is charged.
        project: String,
        /// `us`, `eu`, `global`, or a region for models before Gemini 3.
        location: String,
        /// The id of the model.
        model: String,
    },
}

impl Model {
    /// The path of the model.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Endpoint(name) => name.to_string(),
            Self::Base {
                project,
                location,
                model,
            } => {
                format!("projects/{project}/locations/{location}/publishers/google/models/{model}")
            }
        }
    }

    fn location(&self) -> &str {
        match self {
            Self::Endpoint(name) => &name.location,
            Self::Base { location, .. } => location,
        }
    }

    fn is_tuned(&self) -> bool {
        matches!(self, Self::Endpoint(_))
    }
}

/// How prompts are asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model.
    pub model: Model,
    /// What family it is of. An endpoint does not say; its job does.
    pub family: Family,
    /// How answers are made.
    pub generation: Generation,
    /// Whether answers come in pieces, which keeps long ones from running into
    /// time-outs on the way.
    pub stream: bool,
    /// How fast prompts are asked, and how patiently.
    pub pace: Pace,
}

impl Options {
    /// Takes what is usual.
    #[must_use]
    pub fn new(model: Model, family: Family) -> Self {
        Self {
            model,
            family,
            generation: Generation::default(),
            stream: false,
            pace: Pace::default(),
        }
    }

    /// The body of a request.
    #[must_use]
    pub fn body(&self, prompt: &Prompt) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Option<&Value>| {
            if let Some(value) = value {
                body.insert(name.into(), value.clone());
            }
        };
        set("contents", Some(&prompt.contents));
        set("systemInstruction", prompt.system_instruction.as_ref());
        set("tools", prompt.tools.as_ref());
        set("toolConfig", prompt.tool_config.as_ref());
        set("safetySettings", self.generation.safety_settings().as_ref());
        let config = self.config(prompt);
        set(
            "generationConfig",
            Some(&config).filter(|config| **config != json!({})),
        );
        Value::Object(body)
    }

    fn config(&self, prompt: &Prompt) -> Value {
        let is_tuned = self.model.is_tuned();
        self.generation
            .config(self.family, is_tuned, &prompt.generation_config)
    }
}

const OPERATION: &str = "ask the model";

/// A prompt that is done with.
pub type Row = asking::Row<Prompt, Answer>;

impl Row {
    /// The row as a line of the output. What has no text has `null`, and the
    /// reason beside it.
    #[must_use]
    pub fn json(&self, options: &Options) -> Value {
        let mut settings = options.config(&self.question);
        if let Some(safety) = options.generation.safety_settings() {
            settings["safetySettings"] = safety;
        }
        let mut line = json!({
            "input": self.question.input(),
            "reference": self.question.reference,
            "prediction": null,
            "outcome": "error",
            "finishReason": null,
            "usage": null,
            "model": options.model.path(),
            "settings": settings,
        });
        match &self.result {
            Ok(answer) => {
                line["prediction"] = json!(answer.text);
                line["outcome"] = json!(answer.outcome.as_str());
                line["finishReason"] = json!(answer.finish_reason);
                line["usage"] = json!(answer.usage);
                line["modelVersion"] = json!(answer.model_version);
            }
            Err(error) => line["error"] = json!({"code": error.http, "message": error.message}),
        }
        line
    }
}

/// Asks all prompts, and gives the rows to `sink` in their order, as
/// [`asking::run`].
///
/// # Errors
///
/// As [`asking::run`].
pub async fn run<E>(
    client: &Client,
    prompts: impl Iterator<Item = Prompt>,
    options: &Options,
    journal: Option<&Journal>,
    sink: impl FnMut(Row) -> Result<(), E>,
) -> Result<Summary, RunError<E>> {
    asking::run(client, options, prompts, journal, sink).await
}

/// Gives the rows of all prompts to `sink` in their order and asks nothing:
/// their answers are in the journal, why they have none in `failed`, by index.
///
/// # Errors
///
/// When the journal or the sink fails.
pub fn rows<E>(
    prompts: impl Iterator<Item = Prompt>,
    options: &Options,
    journal: &Journal,
    mut failed: HashMap<u64, RowError>,
    mut sink: impl FnMut(Row) -> Result<(), E>,
) -> Result<Summary, RunError<E>> {
    let path = options.model.path();
    let mut summary = Summary::default();
    for (index, prompt) in (0..).zip(prompts) {
        let id = RequestId::of(&path, &options.body(&prompt));
        let answer = journal.answer(index, &id).map_err(RunError::Journal)?;
        let result = answer.ok_or_else(|| {
            failed.remove(&index).unwrap_or_else(|| RowError {
                http: None,
                message: "it was not asked".into(),
            })
        });
        match &result {
            Ok(_) => summary.answered += 1,
            Err(_) => summary.failed += 1,
        }
        let row = Row {
            index,
            question: prompt,
            result,
            was_kept: false,
            attempts: 0,
        };
        sink(row).map_err(RunError::Sink)?;
    }
    Ok(summary)
}

impl Inquiry for Options {
    type Question = Prompt;
    type Answer = Answer;

    fn path(&self) -> String {
        self.model.path()
    }

    fn body(&self, prompt: &Prompt) -> Value {
        self.body(prompt)
    }

    fn request(&self, client: &Client, body: &Value) -> Request {
        let base = client.endpoints().vertex(self.model.location());
        let path = self.model.path();
        // Whole seconds, rounded up: the server gives up no sooner than we do.
        let seconds = self.pace.timeout.as_millis().div_ceil(1000).to_string();
        let request = match self.stream {
            true => Request::post(OPERATION, format!("{base}/v1/{path}:streamGenerateContent"))
                .query("alt", "sse"),
            false => Request::post(OPERATION, format!("{base}/v1/{path}:generateContent")),
        };
        request
            .json(body)
            .timeout(self.pace.timeout)
            .header("x-server-timeout", seconds)
    }

    async fn attempt(&self, client: &Client, request: &Request) -> Result<Answer, CallError> {
        let response = match self.stream {
            true => streamed(client, request).await,
            false => client.send(request).await.and_then(|reply| reply.json()),
        };
        Ok(Answer::of(&response?))
    }

    fn pace(&self) -> &Pace {
        &self.pace
    }

    /// A tuned model may be; a base model is there or is not.
    fn may_be_new(&self) -> bool {
        self.model.is_tuned()
    }
}

/// Takes an answer in pieces, and joins them.
async fn streamed(client: &Client, request: &Request) -> Result<Value, CallError> {
    let unreadable = |reason: String| CallError::Unreadable {
        operation: OPERATION,
        reason,
    };
    let mut stream = client.stream(request).await?;
    let (mut events, mut joined) = (Events::default(), Joined::default());
    let mut problem = None;
    while let Some(bytes) = stream.chunk().await? {
        events.push(
            &bytes,
            &mut |data| match serde_json::from_slice::<Value>(data) {
                // An error in the middle of a stream comes as an event.
                Ok(piece) if piece["error"].is_object() || piece[0]["error"].is_object() => {
                    let code = piece["error"]["code"]
                        .as_u64()
                        .or(piece[0]["error"]["code"].as_u64());
                    let http = code
                        .and_then(|code| u16::try_from(code).ok())
                        .unwrap_or(500);
                    problem.get_or_insert(ServiceError::parse(http, data).into());
                }
                Ok(piece) => joined.push(piece),
                Err(error) => {
                    problem.get_or_insert(unreadable(error.to_string()));
                }
            },
        );
    }
    match (problem, joined.is_ended()) {
        (Some(problem), _) => Err(problem),
        (None, false) => Err(unreadable("it broke off before its end".into())),
        (None, true) => joined
            .finish()
            .ok_or_else(|| unreadable("it is empty".into())),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::outcome::Outcome;
    use super::super::settings::Safety;
    use super::*;
    use crate::testing::{self, Received, Server};

    /// A model that says what it was asked, once the script lets it.
    #[derive(Debug)]
    struct Echo {
        /// What the n-th request for a text is answered with instead.
        script: fn(&str, usize) -> Option<testing::Answer>,
        /// How often each text was asked, and how often answered.
        asked: HashMap<String, usize>,
        answered: HashMap<String, usize>,
    }

    fn echo(script: fn(&str, usize) -> Option<testing::Answer>) -> Echo {
        Echo {
            script,
            asked: HashMap::new(),
            answered: HashMap::new(),
        }
    }

    impl Echo {
        fn answer(&mut self, received: &Received) -> testing::Answer {
            assert_eq!(received.method, "POST");
            assert_eq!(received.header("x-server-timeout"), Some("300"));
            let body: Value = serde_json::from_slice(&received.body).unwrap();
            let text = body["contents"][0]["parts"][0]["text"]
                .as_str()
                .unwrap()
                .to_owned();
            let n = self.asked.entry(text.clone()).or_default();
            *n += 1;
            if let Some(answer) = (self.script)(&text, *n) {
                return answer;
            }
            *self.answered.entry(text.clone()).or_default() += 1;
            let said = |text: &str| json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]});
            if received.path().ends_with(":streamGenerateContent") {
                assert_eq!(received.query("alt"), ["sse"]);
                let mut end = said("!");
                end["candidates"][0]["finishReason"] = json!("STOP");
                end["usageMetadata"] = json!({"totalTokenCount": 3});
                return testing::Answer::ok(&format!(
                    "data: {}\r\n\r\ndata: {end}\r\n\r\n",
                    said(&text)
                ));
            }
            assert_eq!(
                received.path(),
                "/v1/projects/1/locations/us/endpoints/5:generateContent"
            );
            let mut whole = said(&format!("{text}!"));
            whole["candidates"][0]["finishReason"] = json!("STOP");
            testing::Answer::json(&whole)
        }
    }

    fn options() -> Options {
        let endpoint = ResourceName::endpoint("projects/1/locations/us/endpoints/5").unwrap();
        Options::new(Model::Endpoint(endpoint), Family::Gemini3)
    }

    fn prompts(n: usize) -> impl Iterator<Item = Prompt> {
        (0..n).map(|n| Prompt::of_text(&format!("q{n}"), None))
    }

    type Ran = (
        Vec<(u64, String, bool)>,
        Result<Summary, RunError<Infallible>>,
    );

    async fn ask(
        server: &Server<Echo>,
        n: usize,
        options: &Options,
        journal: Option<&Journal>,
    ) -> Ran {
        let mut rows = Vec::new();
        let sink = |row: Row| {
            let text = match &row.result {
                Ok(answer) => answer.text.clone().unwrap_or_default(),
                Err(error) => format!("error {}", error.http.unwrap_or_default()),
            };
            rows.push((row.index, text, row.was_kept));
            Ok(())
        };
        let summary = run(&server.client(), prompts(n), options, journal, sink).await;
        (rows, summary)
    }

    fn expected(n: u64) -> Vec<(u64, String, bool)> {
        (0..n).map(|n| (n, format!("q{n}!"), false)).collect()
    }

    #[tokio::test]
    async fn rows_come_in_the_order_of_the_prompts() {
        for stream in [false, true] {
            let server = Server::start(echo(|_, _| None), Echo::answer).await;
            let options = Options {
                stream,
                ..options()
            };
            let (rows, summary) = ask(&server, 100, &options, None).await;
            assert_eq!(rows, expected(100));
            assert_eq!(
                summary.unwrap(),
                Summary {
                    answered: 100,
                    ..Summary::default()
                }
            );
        }
    }

    #[tokio::test]
    async fn what_passes_is_borne() {
        let script = |text: &str, n: usize| match (text, n) {
            ("q1", 1..=4) => Some(testing::Answer::error(503, "busy")),
            ("q2", 1..=2) => Some(testing::Answer::Close),
            ("q3", 1) => Some(testing::Answer::Truncated("{\"candidates\": []}".into())),
            ("q4", 1..=20) => Some(testing::Answer::error(429, "too much")),
            ("q5", 1) => Some(testing::Answer::ok("<html>")),
            _ => None,
        };
        for stream in [false, true] {
            let server = Server::start(echo(script), Echo::answer).await;
            let options = Options {
                stream,
                ..options()
            };
            let (rows, _) = ask(&server, 10, &options, None).await;
            assert_eq!(rows, expected(10));
        }
    }

    #[tokio::test]
    async fn a_refused_row_is_an_error_and_the_others_are_not() {
        let script = |text: &str, _| match text {
            "q3" => Some(testing::Answer::error(400, "bad")),
            "q5" => Some(testing::Answer::error(500, "broken")),
            _ => None,
        };
        let server = Server::start(echo(script), Echo::answer).await;
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(&directory.path().join("journal")).unwrap();
        let (rows, summary) = ask(&server, 10, &options(), Some(&journal)).await;
        assert_eq!(
            summary.unwrap(),
            Summary {
                answered: 8,
                kept: 0,
                failed: 2
            }
        );
        assert_eq!(
            (rows[3].1.as_str(), rows[5].1.as_str()),
            ("error 400", "error 500")
        );
        assert_eq!(server.state().asked["q5"], 5);
        assert_eq!(journal.len(), 8);
    }

    #[tokio::test]
    async fn what_no_prompt_survives_ends_the_run() {
        for status in [401, 403] {
            let script: fn(&str, usize) -> _ = match status {
                401 => |_, _| Some(testing::Answer::error(401, "no")),
                _ => |_, _| Some(testing::Answer::error(403, "no")),
            };
            let server = Server::start(echo(script), Echo::answer).await;
            let (rows, summary) = ask(&server, 1000, &options(), None).await;
            assert!(rows.is_empty());
            assert!(matches!(summary, Err(RunError::Call(error)) if error.http() == Some(status)));
        }
        let server = Server::start(
            echo(|_, _| Some(testing::Answer::error(400, "bad"))),
            Echo::answer,
        )
        .await;
        let (_, summary) = ask(&server, 1000, &options(), None).await;
        assert!(
            matches!(summary, Err(RunError::GivenUp { n: 20.., .. })),
            "{summary:?}"
        );
        assert!(server.state().asked.len() < 100);
    }

    #[tokio::test]
    async fn a_new_endpoint_may_be_missing_for_a_while() {
        let settles: fn(&str, usize) -> _ =
            |_, n| (n <= 3).then(|| testing::Answer::error(404, "Endpoint not found"));
        let server = Server::start(echo(settles), Echo::answer).await;
        let one = Options {
            pace: Pace {
                concurrency: std::num::NonZeroUsize::MIN,
                ..Pace::default()
            },
            ..options()
        };
        let (rows, _) = ask(&server, 1, &one, None).await;
        assert_eq!(rows, expected(1));
        let never: fn(&str, usize) -> _ =
            |_, _| Some(testing::Answer::error(404, "Endpoint not found"));
        let server = Server::start(echo(never), Echo::answer).await;
        let (_, summary) = ask(&server, 1, &one, None).await;
        assert!(matches!(summary, Err(RunError::Call(error)) if error.http() == Some(404)));
        // A base model that is missing is missing.
        let server = Server::start(echo(never), Echo::answer).await;
        let base = Model::Base {
            project: "acme".into(),
            location: "us".into(),
            model: "gemini-99".into(),
        };
        let base = Options { model: base, ..one };
        let (_, summary) = ask(&server, 1, &base, None).await;
        assert!(matches!(summary, Err(RunError::Call(error)) if error.http() == Some(404)));
        assert_eq!(server.state().asked["q0"], 1);
    }

    /// Killed at any point and run again: the same rows, and nothing that was
    /// stored is asked again.
    #[tokio::test]
    async fn a_run_goes_on_without_paying_twice() {
        let directory = tempfile::tempdir().unwrap();
        for killed_at in [0, 1, 7, 29] {
            let server = Server::start(echo(|_, _| None), Echo::answer).await;
            let path = directory.path().join(killed_at.to_string());
            let journal = Journal::open(&path).unwrap();
            let mut left = killed_at;
            let (client, options) = (server.client(), options());
            let sink = |_| {
                left -= 1;
                if left < 0 { Err(()) } else { Ok(()) }
            };
            let killed = run(&client, prompts(30), &options, Some(&journal), sink);
            assert!(matches!(killed.await, Err(RunError::Sink(()))));
            let n_kept = journal.len();
            drop(journal);
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.len(), n_kept);
            let (rows, summary) = ask(&server, 30, &options, Some(&journal)).await;
            let texts: Vec<_> = rows
                .iter()
                .map(|(n, text, _)| (*n, text.clone(), false))
                .collect();
            assert_eq!(texts, expected(30));
            assert_eq!(summary.unwrap().kept, n_kept as u64);
            // Once more: all is there, nothing is asked.
            let before: usize = server.state().answered.values().sum();
            let (again, summary) = ask(&server, 30, &options, Some(&journal)).await;
            assert!(again.iter().all(|(_, _, was_kept)| *was_kept));
            assert_eq!(summary.unwrap().kept, 30);
            assert_eq!(server.state().answered.values().sum::<usize>(), before);
            // Another setting is another question.
            let mut changed = options;
            changed.generation.max_output_tokens = Some(7);
            let (_, summary) = ask(&server, 30, &changed, Some(&journal)).await;
            assert_eq!(summary.unwrap().kept, 0);
        }
    }

    #[test]
    fn a_line_of_output_has_all_that_belongs_to_it() {
        let mut options = options();
        options.generation.safety = Some(Safety::Off);
        let mut prompt = Prompt::of_text("Hello", Some("Be kind."));
        prompt.reference = Some("Hola".into());
        let answer = Answer {
            outcome: Outcome::Refused,
            text: None,
            finish_reason: Some("SAFETY".into()),
            usage: Some(json!({"totalTokenCount": 3})),
            model_version: Some("gemini-3.5-flash".into()),
        };
        let row = |result| Row {
            index: 0,
            question: prompt.clone(),
            result,
            was_kept: false,
            attempts: 1,
        };
        let line = row(Ok(answer)).json(&options);
        let known = |name: &str| line[name].clone();
        assert_eq!(known("prediction"), Value::Null);
        assert_eq!(known("reference"), "Hola");
        assert_eq!(
            (known("outcome"), known("finishReason")),
            (json!("refused"), json!("SAFETY"))
        );
        assert_eq!(known("model"), "projects/1/locations/us/endpoints/5");
        assert_eq!(
            known("settings")["thinkingConfig"],
            json!({"thinkingLevel": "MINIMAL"})
        );
        assert_eq!(
            known("settings")["safetySettings"]
                .as_array()
                .unwrap()
                .len(),
            4
        );
        assert_eq!(known("input")["contents"][0]["parts"][0]["text"], "Hello");
        let failed = RowError {
            http: Some(400),
            message: "bad".into(),
        };
        let line = row(Err(failed)).json(&options);
        assert_eq!(
            (&line["outcome"], &line["error"]["code"]),
            (&json!("error"), &json!(400))
        );
    }

    #[test]
    fn base_models_are_asked_at_their_publisher() {
        let model = Model::Base {
            project: "acme".into(),
            location: "us".into(),
            model: "gemini-3.5-flash".into(),
        };
        assert_eq!(
            model.path(),
            "projects/acme/locations/us/publishers/google/models/gemini-3.5-flash"
        );
        let options = Options::new(model, Family::Gemini3);
        let body = options.body(&Prompt::of_text("a", None));
        assert_eq!(
            body,
            json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]})
        );
    }
}
