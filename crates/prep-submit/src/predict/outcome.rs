//! What came of a request: an answer, or why there is none.
//!
//! An answer that was refused, cut off or is empty is kept as that and never
//! as an empty text: whoever scores predictions must see the difference.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::prompt::text_of;

/// What came of a request that the service took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What kind of answer it is.
    pub outcome: Outcome,
    /// What the model said, if it said anything.
    pub text: Option<String>,
    /// Why it stopped, without the prefix `FINISH_REASON_`; for a prompt that
    /// was blocked, why.
    pub finish_reason: Option<String>,
    /// What was counted, as the service answers it.
    pub usage: Option<Value>,
    /// The version of the model that answered.
    pub model_version: Option<String>,
}

/// The kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The model came to its end.
    Ok,
    /// The answer was cut off at the most tokens.
    Truncated,
    /// The prompt or the answer was blocked.
    Refused,
    /// The answer was too close to a text of others.
    Recitation,
    /// The model came to its end and said nothing.
    Empty,
    /// It stopped for another reason.
    Other,
}

impl Outcome {
    /// The outcome in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::Recitation => "recitation",
            Self::Empty => "empty",
            Self::Other => "other",
        }
    }
}

impl Answer {
    /// Reads a `GenerateContentResponse`.
    #[must_use]
    pub fn of(response: &Value) -> Self {
        let candidate = &response["candidates"][0];
        let text = Some(text_of(&candidate["content"])).filter(|text| !text.is_empty());
        let finish = candidate["finishReason"].as_str().map(plain_reason);
        let blocked = response["promptFeedback"]["blockReason"]
            .as_str()
            .map(plain_reason);
        let outcome = match (finish.unwrap_or_default(), blocked) {
            (_, Some(_)) if candidate.is_null() => Outcome::Refused,
            ("MAX_TOKENS", _) => Outcome::Truncated,
            (reason, _) if is_refusal(reason) => Outcome::Refused,
            ("RECITATION" | "IMAGE_RECITATION", _) => Outcome::Recitation,
            ("STOP", _) if text.is_some() => Outcome::Ok,
            ("STOP", _) => match has_call(candidate) {
                true => Outcome::Ok,
                false => Outcome::Empty,
            },
            ("", _) if text.is_none() => Outcome::Empty,
            _ => Outcome::Other,
        };
        let string = |value: &Value| value.as_str().map(Into::into);
        let usage = &response["usageMetadata"];
        Self {
            outcome,
            text,
            finish_reason: finish.or(blocked).map(Into::into),
            usage: usage.is_object().then(|| usage.clone()),
            model_version: string(&response["modelVersion"]),
        }
    }
}

/// A finish reason without the prefix that the reference pages print.
fn plain_reason(reason: &str) -> &str {
    let prefixes = ["FINISH_REASON_", "BLOCKED_REASON_"];
    let mut plain = prefixes
        .iter()
        .filter_map(|prefix| reason.strip_prefix(prefix));
    plain.next().unwrap_or(reason)
}

fn is_refusal(reason: &str) -> bool {
    matches!(
        reason,
        "SAFETY"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "BLOCKLIST"
            | "MODEL_ARMOR"
            | "JAILBREAK"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
    )
}

/// Whether a model that said nothing called a function.
fn has_call(candidate: &Value) -> bool {
    let parts = candidate["content"]["parts"].as_array();
    parts
        .into_iter()
        .flatten()
        .any(|part| part["functionCall"].is_object())
}

/// Joins the pieces of a streamed answer into one response.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    response: Option<Value>,
}

impl Joined {
    /// Adds a piece: parts are appended, all else is that of the last piece
    /// that says it.
    pub(crate) fn push(&mut self, piece: Value) {
        let Some(whole) = &mut self.response else {
            self.response = Some(piece);
            return;
        };
        let Value::Object(piece) = piece else { return };
        for (name, value) in piece {
            if name == "candidates" && whole["candidates"][0].is_object() {
                join_candidate(&mut whole["candidates"][0], &value[0]);
            } else {
                whole[name] = value;
            }
        }
    }

    /// The whole, `None` if there was no piece.
    pub(crate) fn finish(self) -> Option<Value> {
        self.response
    }

    /// Whether a piece said why the model stopped, or that it was blocked: an
    /// answer without is one that was cut off on the way.
    pub(crate) fn is_ended(&self) -> bool {
        let whole = self.response.as_ref();
        whole.is_some_and(|whole| {
            whole["candidates"][0]["finishReason"].is_string()
                || whole["promptFeedback"]["blockReason"].is_string()
        })
    }
}

fn join_candidate(whole: &mut Value, piece: &Value) {
    for (name, value) in piece.as_object().into_iter().flatten() {
        let more = value["parts"].as_array().filter(|_| name == "content");
        match (more, whole["content"]["parts"].as_array_mut()) {
            (Some(more), Some(parts)) => parts.extend(more.iter().cloned()),
            _ => whole[name] = value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(text: &str, reason: &str) -> Value {
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": reason}],
               "usageMetadata": {"totalTokenCount": 9}, "modelVersion": "gemini-3.5-flash"})
    }

    #[test]
    fn outcomes_are_kept_as_what_they_are() {
        let check = |response: Value, outcome, text: Option<&str>, reason: Option<&str>| {
            let answer = Answer::of(&response);
            assert_eq!(
                (
                    answer.outcome,
                    answer.text.as_deref(),
                    answer.finish_reason.as_deref()
                ),
                (outcome, text, reason),
                "{response}"
            );
        };
        check(
            answer("hola", "STOP"),
            Outcome::Ok,
            Some("hola"),
            Some("STOP"),
        );
        check(
            answer("hola", "FINISH_REASON_STOP"),
            Outcome::Ok,
            Some("hola"),
            Some("STOP"),
        );
        check(
            answer("ho", "MAX_TOKENS"),
            Outcome::Truncated,
            Some("ho"),
            Some("MAX_TOKENS"),
        );
        check(answer("", "STOP"), Outcome::Empty, None, Some("STOP"));
        check(
            answer("", "MAX_TOKENS"),
            Outcome::Truncated,
            None,
            Some("MAX_TOKENS"),
        );
        for reason in ["SAFETY", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"] {
            check(answer("", reason), Outcome::Refused, None, Some(reason));
        }
        check(
            answer("", "RECITATION"),
            Outcome::Recitation,
            None,
            Some("RECITATION"),
        );
        check(
            answer("x", "NEW_REASON"),
            Outcome::Other,
            Some("x"),
            Some("NEW_REASON"),
        );
        check(
            json!({"promptFeedback": {"blockReason": "SAFETY"}}),
            Outcome::Refused,
            None,
            Some("SAFETY"),
        );
        check(json!({}), Outcome::Empty, None, None);
        check(
            json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]}),
            Outcome::Ok,
            None,
            Some("STOP"),
        );
        check(
            json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "a"}, {"text": "b"}]}, "finishReason": "STOP"}]}),
            Outcome::Ok,
            Some("ab"),
            Some("STOP"),
        );
    }

    #[test]
    fn pieces_of_a_stream_are_joined() {
        let mut joined = Joined::default();
        let piece = |text: &str| json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]});
        joined.push(piece("Ho"));
        assert!(!joined.is_ended());
        joined.push(piece("la"));
        joined.push(json!({"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"totalTokenCount": 3}}));
        assert!(joined.is_ended());
        let answer = Answer::of(&joined.finish().unwrap());
        assert_eq!(
            (answer.outcome, answer.text.as_deref()),
            (Outcome::Ok, Some("Hola"))
        );
        assert_eq!(answer.usage.unwrap()["totalTokenCount"], 3);
        assert_eq!(Joined::default().finish(), None);
        let mut blocked = Joined::default();
        blocked.push(json!({"promptFeedback": {"blockReason": "SAFETY"}}));
        assert!(blocked.is_ended());
    }
}
