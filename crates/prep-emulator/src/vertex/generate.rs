//! Prediction: what tuned and base models answer, and what they refuse.
//!
//! A tuned model answers from its training data; a base model says that it has
//! learned nothing, so that a comparison of the two shows a difference.

use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};

use super::answers::Answers;
use super::base::{self, Base};
use super::dataset::tokens;
use super::jobs::Job;
use super::{mixed, models};
use crate::clock::rfc3339;
use crate::cloud::{Ask, Cloud, PROJECT_NUMBER, events};
use crate::error::{Answer, Refusal, json_reply};
use crate::faults::Effect;
use crate::strict::{self, Api};

/// The most tokens of a prompt.
const MOST_INPUT: u64 = 1_048_576;
/// The tokens that a thought takes, where a model thinks.
const THOUGHT: u64 = 24;
const THOUGHT_TEXT: &str =
    "**Rehearsing** I look for the example that is most like the prompt, and give its answer.";
/// The characters of a piece of a streamed answer.
const PIECE: usize = 24;

/// Who answers.
#[derive(Debug, Clone)]
pub(crate) enum Answerer {
    Base(&'static Base),
    Tuned(Arc<Job>),
}

impl Answerer {
    pub(crate) fn base(&self) -> &'static Base {
        match self {
            Self::Base(base) => base,
            Self::Tuned(job) => job.base(),
        }
    }
}

/// Finds who is asked: the endpoint or the publisher's model of the path.
fn answerer(cloud: &Cloud, ask: &Ask) -> Result<Answerer, Refusal> {
    let location = ask.parts.get("location");
    let endpoint = ask.parts.get("endpoint");
    if !endpoint.is_empty() {
        return models::of_endpoint(cloud, location, endpoint).map(Answerer::Tuned);
    }
    let model = ask.parts.get("model");
    let base = base::find(model).filter(|base| base.is_served_in(location));
    base.map(Answerer::Base).ok_or_else(|| {
        Refusal::not_found(format!(
            "Publisher model `projects/{PROJECT_NUMBER}/locations/{location}/publishers/google/models/{model}` was not found or your project does not have access to it. Please ensure you are using a valid model version."
        ))
    })
}

/// How a model is to think.
#[derive(Debug, Clone, Copy, Default)]
struct Thinking {
    thinks: bool,
    is_shown: bool,
}

/// A request that can be answered.
#[derive(Debug)]
struct Prompt {
    /// All text before the answer, as the answers are looked up.
    text: String,
    /// The last user turn.
    last: String,
    tokens: u64,
    n_candidates: u64,
    most: Option<u64>,
    stops: Vec<String>,
    thinking: Thinking,
    wants_json: bool,
}

fn read_prompt(base: &Base, request: &Value) -> Result<Prompt, Refusal> {
    for unplayed in [
        "cachedContent",
        "modelArmorConfig",
        "outputConfig",
        "continuationToken",
    ] {
        if request.get(unplayed).is_some() {
            return Err(Refusal::unsupported(format!("`{unplayed}`")));
        }
    }
    let contents = request["contents"]
        .as_array()
        .filter(|turns| !turns.is_empty());
    let contents = contents.ok_or_else(|| {
        Refusal::invalid(
            "Unable to submit request because at least one contents field is required.",
        )
    })?;
    let mut prompt = Prompt {
        text: String::new(),
        last: String::new(),
        tokens: 0,
        n_candidates: 1,
        most: None,
        stops: Vec::new(),
        thinking: Thinking::default(),
        wants_json: false,
    };
    if let Some(system) = request.get("systemInstruction") {
        let (_, n) = turn_text(system)?;
        prompt.tokens += n;
    }
    if let Some(tools) = request.get("tools") {
        prompt.tokens += tokens(&tools.to_string());
    }
    let mut calls_before = 0;
    for (n, turn) in contents.iter().enumerate() {
        let role = turn["role"].as_str().unwrap_or_default();
        let is_single = contents.len() == 1 && role.is_empty();
        if !matches!(role, "user" | "model") && !is_single {
            return Err(Refusal::invalid("Please use a valid role: user, model."));
        }
        if n == 0 && role == "model" {
            return Err(Refusal::invalid(
                "Please ensure that multiturn requests start with a user turn.",
            ));
        }
        let calls = n_parts(turn, "functionCall");
        let responses = n_parts(turn, "functionResponse");
        if responses > 0 && calls_before == 0 {
            return Err(Refusal::invalid(
                "Please ensure that function response turn comes immediately after a function call turn.",
            ));
        }
        if calls_before > 0 && responses != calls_before {
            return Err(Refusal::invalid(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            ));
        }
        calls_before = calls;
        let (text, n_tokens) = turn_text(turn)?;
        prompt.tokens += n_tokens;
        if !prompt.text.is_empty() {
            prompt.text.push('\n');
        }
        prompt.text.push_str(&text);
        prompt.last = text;
    }
    let ends_with_model = contents.last().is_some_and(|turn| turn["role"] == "model");
    if ends_with_model && matches!(base.name, "gemini-3.5-flash-lite" | "gemini-3.6-flash") {
        return Err(Refusal::invalid(
            "Requests ending with a model turn are not supported.",
        ));
    }
    if prompt.tokens > MOST_INPUT {
        return Err(Refusal::invalid(format!(
            "The input token count ({}) exceeds the maximum number of tokens allowed ({MOST_INPUT}).",
            prompt.tokens
        )));
    }
    check_safety(request)?;
    read_config(base, &request["generationConfig"], &mut prompt)?;
    Ok(prompt)
}

fn n_parts(turn: &Value, kind: &str) -> usize {
    let parts = turn["parts"].as_array().into_iter().flatten();
    parts.filter(|part| part.get(kind).is_some()).count()
}

/// The text of a turn, and its tokens.
fn turn_text(turn: &Value) -> Result<(String, u64), Refusal> {
    let parts = turn["parts"].as_array().filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| Refusal::invalid("contents.parts must not be empty."))?;
    let mut text = String::new();
    let mut n = 0;
    for part in parts {
        match part["text"].as_str() {
            Some(piece) => {
                text.push_str(piece);
                n += tokens(piece);
            }
            None if part.get("fileData").is_some() || part.get("inlineData").is_some() => n += 256,
            None if part.get("functionCall").is_some()
                || part.get("functionResponse").is_some() =>
            {
                n += tokens(&part.to_string());
            }
            None => {
                return Err(Refusal::invalid(
                    "Unable to submit request because it must have a text parameter.",
                ));
            }
        }
    }
    Ok((text, n))
}

fn check_safety(request: &Value) -> Result<(), Refusal> {
    for setting in request["safetySettings"].as_array().into_iter().flatten() {
        if setting["category"].is_null() || setting["threshold"].is_null() {
            return Err(Refusal::invalid(
                "A safety setting has a category and a threshold.",
            ));
        }
    }
    Ok(())
}

fn read_config(base: &Base, config: &Value, prompt: &mut Prompt) -> Result<(), Refusal> {
    for (name, value) in config.as_object().into_iter().flatten() {
        let within = |low: f64, high: f64| {
            let is_within = value.as_f64().is_some_and(|n| (low..=high).contains(&n));
            if is_within {
                Ok(())
            } else {
                Err(Refusal::invalid(format!(
                    "Unable to submit request because it has a {name} value of {value} but the supported range is from {low} to {high}."
                )))
            }
        };
        match name.as_str() {
            "temperature" => within(0.0, 2.0)?,
            "topP" => within(0.0, 1.0)?,
            "topK" => within(1.0, 64.0)?,
            "candidateCount" => {
                within(1.0, 8.0)?;
                prompt.n_candidates = value.as_u64().unwrap_or(1);
            }
            "maxOutputTokens" => {
                within(1.0, 65_536.0)?;
                prompt.most = value.as_u64();
            }
            "presencePenalty" | "frequencyPenalty" => within(-2.0, 1.999_999)?,
            "stopSequences" => {
                let stops = value.as_array().into_iter().flatten();
                prompt.stops = stops.filter_map(Value::as_str).map(str::to_owned).collect();
                if prompt.stops.len() > 5 {
                    return Err(Refusal::invalid("At most 5 stop sequences are allowed."));
                }
            }
            "responseMimeType" => {
                let kind = value.as_str().unwrap_or_default();
                if !matches!(kind, "text/plain" | "application/json" | "text/x.enum") {
                    return Err(Refusal::invalid(format!(
                        "Unable to submit request because the response MIME type {kind} is not supported."
                    )));
                }
                prompt.wants_json = kind == "application/json";
            }
            "responseModalities" if *value == json!(["TEXT"]) => {}
            "seed" | "mediaResolution" | "thinkingConfig" => {}
            _ => return Err(Refusal::unsupported(format!("`{name}` of a generation"))),
        }
    }
    prompt.thinking = read_thinking(base, &config["thinkingConfig"])?;
    Ok(())
}

fn read_thinking(base: &Base, config: &Value) -> Result<Thinking, Refusal> {
    let level = config["thinkingLevel"].as_str();
    let budget = config["thinkingBudget"].as_i64();
    let is_shown = config["includeThoughts"] == true;
    if level.is_some() && budget.is_some() {
        return Err(Refusal::invalid(
            "Unable to submit request because thinking_budget and thinking_level are not supported together.",
        ));
    }
    if level.is_some() && !base.has_levels() {
        return Err(Refusal::invalid(
            "Thinking level is not supported for this model.",
        ));
    }
    if budget == Some(0) && matches!(base.name, "gemini-2.5-pro") {
        return Err(Refusal::invalid(
            "The model does not support setting thinking_budget to 0.",
        ));
    }
    let range = match base.name {
        "gemini-2.5-flash" => 1..=24_576,
        "gemini-2.5-flash-lite" => 512..=24_576,
        _ => 128..=32_768,
    };
    if budget.is_some_and(|budget| !matches!(budget, -1 | 0) && !range.contains(&budget)) {
        return Err(Refusal::invalid(format!(
            "The thinking budget is not in the supported range from {} to {}.",
            range.start(),
            range.end()
        )));
    }
    let thinks = match (level, budget) {
        (Some(level), _) => level != "MINIMAL",
        (None, Some(budget)) => budget != 0,
        (None, None) => !base.name.ends_with("lite"),
    };
    if is_shown && budget == Some(0) {
        return Err(Refusal::invalid(
            "Unable to submit request because Thinking_config.include_thoughts is only enabled when thinking is enabled.",
        ));
    }
    Ok(Thinking { thinks, is_shown })
}

/// The JSON that a base model answers: the first object that has a line of the
/// prompt to itself is taken for a form and filled in. A whole number becomes one
/// from 1 to 5, `a|b|c` one of the words; which, the prompt decides. Without a
/// form it is an empty object.
fn filled_in(prompt: &str) -> String {
    let objects = prompt
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('{'));
    let mut forms = objects.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut form = forms.find(Value::is_object).unwrap_or_else(|| json!({}));
    fill_in(&mut form, prompt, "");
    form.to_string()
}

fn fill_in(form: &mut Value, prompt: &str, place: &str) {
    let choice = |n: u64| mixed(prompt, place) % n;
    match form {
        Value::Number(number) if number.is_i64() => *form = json!(1 + choice(5)),
        Value::String(text) if text.contains('|') => {
            let words: Vec<_> = text.split('|').collect();
            let word = words[usize::try_from(choice(words.len() as u64)).unwrap_or(0)];
            *form = json!(word);
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| fill_in(item, prompt, place)),
        Value::Object(members) => {
            for (name, value) in members {
                fill_in(value, prompt, &format!("{place}/{name}"));
            }
        }
        _ => {}
    }
}

/// A text that stands in double brackets in a prompt.
pub(super) fn spell(prompt: &str) -> Option<&str> {
    let (_, rest) = prompt.split_once("[[")?;
    let (word, _) = rest.split_once("]]")?;
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (!word.is_empty() && word.chars().all(is_word)).then_some(word)
}

const FINISH_REASONS: &[&str] = &[
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "MODEL_ARMOR",
    "UNEXPECTED_TOOL_CALL",
    "MALFORMED_RESPONSE",
    "LANGUAGE",
];

/// What a model says to a request.
#[derive(Debug)]
struct Said {
    /// The text of each candidate.
    texts: Vec<String>,
    finish: String,
    is_blocked: bool,
    thinking: Thinking,
    prompt_tokens: u64,
    id: String,
    model: &'static str,
    at: u64,
}

/// Answers a request that has the shape of its description.
fn say(
    cloud: &Cloud,
    answerer: &Answerer,
    request: &Value,
    effect: Option<&Effect>,
) -> Result<Said, Refusal> {
    let base = answerer.base();
    let prompt = read_prompt(base, request)?;
    let struck = match effect {
        Some(Effect::Finish { reason }) => Some(reason.as_str()),
        _ => spell(&prompt.last),
    };
    if let Some(status) = struck.and_then(|word| word.parse::<u16>().ok()) {
        return Err(Refusal::of_status(status, None));
    }
    let answer = match answerer {
        Answerer::Base(_) if prompt.wants_json => filled_in(&prompt.last),
        Answerer::Base(base) => format!("{} has not learned this.", base.name),
        Answerer::Tuned(job) => {
            let answers = remembered(cloud, job)?;
            answers.nearest(&prompt.text).unwrap_or_default().to_owned()
        }
    };
    let mut said = Said {
        texts: Vec::new(),
        finish: "STOP".into(),
        is_blocked: struck == Some("BLOCKED"),
        thinking: prompt.thinking,
        prompt_tokens: prompt.tokens,
        id: format!("rehearsal-{:016x}", mixed(&request.to_string(), base.name)),
        model: base.name,
        at: cloud.clock.now(),
    };
    let thought = if prompt.thinking.thinks { THOUGHT } else { 0 };
    let room = prompt.most.map(|most| most.saturating_sub(thought) * 4);
    for n in 0..prompt.n_candidates {
        let mut text = match n {
            0 => answer.clone(),
            n => format!("{answer} ({})", n + 1),
        };
        let stop = prompt.stops.iter().filter(|stop| !stop.is_empty());
        if let Some(end) = stop.filter_map(|stop| text.find(stop.as_str())).min() {
            text.truncate(end);
        }
        let room = room.and_then(|room| usize::try_from(room).ok());
        if let Some(room) = room
            && let Some((end, _)) = text.char_indices().nth(room)
        {
            text.truncate(end);
            said.finish = "MAX_TOKENS".into();
        }
        said.texts.push(text);
    }
    match struck {
        Some("EMPTY") => said.texts.iter_mut().for_each(String::clear),
        Some("MAX_TOKENS") => {
            for text in &mut said.texts {
                *text = text.chars().take(text.chars().count() / 2).collect();
            }
            said.finish = "MAX_TOKENS".into();
        }
        // A fault may play a reason that is not known yet, too.
        Some(reason) if FINISH_REASONS.contains(&reason) || effect.is_some() => {
            reason.clone_into(&mut said.finish);
        }
        _ => {}
    }
    Ok(said)
}

impl Said {
    fn has_text(&self) -> bool {
        matches!(&*self.finish, "STOP" | "MAX_TOKENS")
    }

    fn usage(&self) -> Value {
        let texts = self
            .texts
            .iter()
            .filter(|_| self.has_text() && !self.is_blocked);
        let output: u64 = texts.map(|text| tokens(text)).sum();
        let thoughts = if self.thinking.thinks && !self.is_blocked {
            THOUGHT
        } else {
            0
        };
        let details = |n: u64| json!([{"modality": "TEXT", "tokenCount": n}]);
        let mut usage = json!({
            "promptTokenCount": self.prompt_tokens,
            "totalTokenCount": self.prompt_tokens + output + thoughts,
            "trafficType": "ON_DEMAND",
            "promptTokensDetails": details(self.prompt_tokens),
        });
        if output > 0 {
            usage["candidatesTokenCount"] = json!(output);
            usage["candidatesTokensDetails"] = details(output);
        }
        if thoughts > 0 {
            usage["thoughtsTokenCount"] = json!(thoughts);
        }
        usage
    }

    /// A response with some candidates.
    fn response(&self, candidates: Vec<Value>, usage: Option<Value>) -> Value {
        let mut response = json!({
            "modelVersion": self.model,
            "createTime": rfc3339(self.at),
            "responseId": self.id,
        });
        if !candidates.is_empty() {
            response["candidates"] = Value::Array(candidates);
        }
        if self.is_blocked {
            response["promptFeedback"] = json!({"blockReason": "PROHIBITED_CONTENT"});
        }
        if let Some(usage) = usage {
            response["usageMetadata"] = usage;
        }
        response
    }

    fn thought(&self) -> Option<Value> {
        let is_there = self.thinking.thinks && self.thinking.is_shown;
        is_there.then(|| json!({"text": THOUGHT_TEXT, "thought": true}))
    }

    fn whole(&self) -> Value {
        if self.is_blocked {
            return self.response(Vec::new(), Some(self.usage()));
        }
        let candidate = |(n, text): (usize, &String)| {
            let mut candidate = json!({"finishReason": self.finish});
            if n > 0 {
                candidate["index"] = json!(n);
            }
            if self.has_text() {
                let mut parts: Vec<_> = self.thought().into_iter().collect();
                parts.push(json!({"text": text}));
                candidate["content"] = json!({"role": "model", "parts": parts});
                candidate["avgLogprobs"] = json!(self.logprob(text));
            } else if self.finish == "SAFETY" {
                candidate["safetyRatings"] = json!([{
                    "category": "HARM_CATEGORY_DANGEROUS_CONTENT",
                    "probability": "HIGH",
                    "blocked": true,
                }]);
            }
            candidate
        };
        let candidates = self.texts.iter().enumerate().map(candidate).collect();
        self.response(candidates, Some(self.usage()))
    }

    #[expect(clippy::cast_precision_loss, reason = "a hash is cut to 20 bits")]
    fn logprob(&self, text: &str) -> f64 {
        -((mixed(text, &self.id) >> 44) as f64 / f64::from(1 << 21)) - 0.01
    }

    /// The pieces of a streamed answer; the last has the reason and the usage.
    fn pieces(&self) -> Vec<Value> {
        if self.is_blocked || !self.has_text() {
            return vec![self.whole()];
        }
        let turn = |part: Value| json!({"content": {"role": "model", "parts": [part]}});
        let mut candidates: Vec<_> = self.thought().into_iter().map(turn).collect();
        let text: Vec<_> = self.texts.iter().flat_map(|text| text.chars()).collect();
        let pieces = text.chunks(PIECE).map(String::from_iter);
        candidates.extend(pieces.map(|piece| turn(json!({"text": piece}))));
        if candidates.is_empty() {
            candidates.push(turn(json!({"text": ""})));
        }
        let last = candidates.len() - 1;
        candidates[last]["finishReason"] = json!(self.finish);
        let response =
            |(n, candidate)| self.response(vec![candidate], (n == last).then(|| self.usage()));
        candidates.into_iter().enumerate().map(response).collect()
    }
}

/// What a tuned model has learned; read once.
fn remembered(cloud: &Cloud, job: &Job) -> Result<Arc<Answers>, Refusal> {
    let mut all = cloud.answers.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answers) = all.get(&job.id) {
        return Ok(Arc::clone(answers));
    }
    let path = cloud.jobs.path(&job.id, "answers");
    let answers = Arc::new(Answers::read(&path).map_err(Refusal::internal)?);
    all.insert(job.id.clone(), Arc::clone(&answers));
    Ok(answers)
}

/// Answers a request of a batch, as [`generate`] would.
pub(crate) fn answer_one(
    cloud: &Cloud,
    answerer: &Answerer,
    request: &Value,
) -> Result<Value, Refusal> {
    let body = request.to_string();
    let request = strict::message(Api::V1, "GenerateContentRequest", body.as_bytes())?;
    say(cloud, answerer, &request, None).map(|said| said.whole())
}

async fn asked(
    cloud: &Arc<Cloud>,
    ask: &Ask,
    api: Api,
    body: &[u8],
) -> Result<(Value, Said), Refusal> {
    let answerer = answerer(cloud, ask)?;
    let request = strict::message(api, "GenerateContentRequest", body)?;
    let (cloud, effect) = (Arc::clone(cloud), ask.effect.clone());
    // A large model's memory takes a while to read, and to search.
    let saying = tokio::task::spawn_blocking(move || {
        let said = say(&cloud, &answerer, &request, effect.as_ref());
        said.map(|said| (request, said))
    });
    saying.await.map_err(Refusal::internal)?
}

/// `:generateContent`.
pub(crate) async fn generate(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let (_, said) = asked(cloud, ask, api, body).await?;
    Ok(json_reply(200, &said.whole()))
}

/// `:streamGenerateContent`: server-sent events, or a list without `alt=sse`.
pub(crate) async fn stream(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let (request, said) = asked(cloud, ask, api, body).await?;
    if request["generationConfig"]["candidateCount"].as_u64() > Some(1) {
        return Err(Refusal::invalid(
            "Unable to submit request because candidateCount must be 1 when streaming.",
        ));
    }
    Ok(match ask.query.get("alt") {
        Some("sse") => events(said.pieces()),
        _ => json_reply(200, &Value::Array(said.pieces())),
    })
}

/// `:countTokens`.
pub(crate) fn count(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    answerer(cloud, ask)?;
    let request = strict::message(api, "CountTokensRequest", body)?;
    if request.get("instances").is_some() {
        return Err(Refusal::unsupported("`instances` of a count"));
    }
    let mut total = 0;
    let mut n_characters = 0;
    let turns = request["contents"].as_array().into_iter().flatten();
    for turn in turns.chain(request.get("systemInstruction")) {
        let (text, n) = turn_text(turn)?;
        total += n;
        n_characters += text.chars().filter(|c| !c.is_whitespace()).count();
    }
    if let Some(tools) = request.get("tools") {
        total += tokens(&tools.to_string());
    }
    Ok(json_reply(
        200,
        &json!({
            "totalTokens": total,
            "totalBillableCharacters": n_characters,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}],
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(model: &str, request: &Value) -> String {
        let base = base::find(model).unwrap();
        let read = read_prompt(base, request);
        read.err()
            .map(|refusal| refusal.message().to_owned())
            .unwrap_or_default()
    }

    #[test]
    fn prompts_that_are_refused() {
        let turn = |role: &str| json!({"role": role, "parts": [{"text": "a"}]});
        let with = |config: Value| json!({"contents": [turn("user")], "generationConfig": config});
        let call = json!({"role": "model", "parts": [{"functionCall": {"name": "f"}}]});
        let response = json!({"role": "user", "parts": [{"functionResponse": {"name": "f"}}]});
        let lite = "gemini-3.1-flash-lite";
        let cases = [
            (lite, json!({"contents": [turn("user")]}), ""),
            (lite, json!({"contents": [{"parts": [{"text": "a"}]}]}), ""),
            (lite, json!({"contents": []}), "at least one contents field"),
            (
                lite,
                json!({"contents": [turn("assistant")]}),
                "Please use a valid role: user, model.",
            ),
            (
                lite,
                json!({"contents": [turn("model")]}),
                "start with a user turn",
            ),
            (
                lite,
                json!({"contents": [{"role": "user", "parts": []}]}),
                "contents.parts must not be empty.",
            ),
            (lite, json!({"contents": [turn("user"), turn("model")]}), ""),
            (
                "gemini-3.5-flash-lite",
                json!({"contents": [turn("user"), turn("model")]}),
                "ending with a model turn",
            ),
            (
                lite,
                json!({"contents": [turn("user"), call, response]}),
                "",
            ),
            (
                lite,
                json!({"contents": [turn("user"), response]}),
                "immediately after a function call",
            ),
            (
                lite,
                json!({"contents": [turn("user"), call, turn("user")]}),
                "number of function response parts",
            ),
            (
                lite,
                with(json!({"temperature": 2.1})),
                "temperature value of 2.1",
            ),
            (lite, with(json!({"temperature": 0})), ""),
            (lite, with(json!({"candidateCount": 9})), "candidateCount"),
            (lite, with(json!({"maxOutputTokens": 0})), "maxOutputTokens"),
            (
                lite,
                with(json!({"maxOutputTokens": 65_537})),
                "maxOutputTokens",
            ),
            (
                lite,
                with(json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})),
                "At most 5",
            ),
            (
                lite,
                with(json!({"responseMimeType": "text/html"})),
                "MIME type",
            ),
            (
                lite,
                with(json!({"responseSchema": {}})),
                "does not support `responseSchema`",
            ),
            (
                lite,
                with(json!({"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}})),
                "not supported together",
            ),
            (
                "gemini-2.5-flash",
                with(json!({"thinkingConfig": {"thinkingLevel": "LOW"}})),
                "Thinking level is not supported",
            ),
            (
                "gemini-2.5-pro",
                with(json!({"thinkingConfig": {"thinkingBudget": 0}})),
                "thinking_budget to 0",
            ),
            (
                "gemini-2.5-flash-lite",
                with(json!({"thinkingConfig": {"thinkingBudget": 100}})),
                "from 512",
            ),
            (
                "gemini-2.5-flash",
                with(json!({"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": true}})),
                "include_thoughts",
            ),
            (
                lite,
                json!({"contents": [turn("user")], "cachedContent": "x"}),
                "does not support `cachedContent`",
            ),
            (
                lite,
                json!({"contents": [turn("user")], "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT"}]}),
                "a threshold",
            ),
            (
                lite,
                json!({"contents": [{"role": "user", "parts": [{"text": "a".repeat(4 * 1_048_577)}]}]}),
                "(1048577) exceeds",
            ),
        ];
        for (model, request, expected) in cases {
            let told = refusal(model, &request);
            assert!(told.contains(expected), "{model}: {told}, not {expected}");
            assert_eq!(told.is_empty(), expected.is_empty(), "{model}: {told}");
        }
    }

    #[test]
    fn a_form_is_filled_in() {
        let answer = |prompt: &str| serde_json::from_str::<Value>(&filled_in(prompt)).unwrap();
        let prompt = "Judge.\n{no json\n{\"tone\": {\"reason\": \"why\", \"score\": 1, \"better\": \"a|b\"}}\n{\"later\": 1}";
        let given = answer(prompt);
        assert_eq!(given["tone"]["reason"], "why");
        assert!(
            matches!(given["tone"]["score"].as_i64(), Some(1..=5)),
            "{given}"
        );
        assert!(
            matches!(given["tone"]["better"].as_str(), Some("a" | "b")),
            "{given}"
        );
        assert_eq!(given.as_object().unwrap().len(), 1);
        assert_eq!(answer(prompt), given);
        assert_eq!(answer("no form"), json!({}));
    }

    #[test]
    fn spells_are_words_in_double_brackets() {
        let cases = [
            ("a [[SAFETY]] b", Some("SAFETY")),
            ("[[429]]", Some("429")),
            ("[[a link]]", None),
            ("[[", None),
            ("none", None),
        ];
        for (prompt, expected) in cases {
            assert_eq!(spell(prompt), expected, "{prompt}");
        }
    }
}
