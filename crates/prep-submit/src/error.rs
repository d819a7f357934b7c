//! Why a call failed, and whether it took effect all the same.
//!
//! Google's services answer errors in several shapes: the one of
//! `google.rpc.Status` with details, the same in a list of one, the older one
//! of Cloud Storage with `errors`, the one of token endpoints with `error` as
//! a word; and proxies, load balancers and uploads answer in XML, HTML or
//! plain words. [`ServiceError::parse`] reads them all.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::credentials::CredentialsError;

/// Whether what was asked for happened, when the answer is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It did not happen.
    None,
    /// Nobody knows: the answer was lost, or the service does not say.
    Unknown,
}

/// How often and how long a call was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Attempts, from 1.
    pub attempts: u32,
    /// From the first attempt to the last answer.
    pub elapsed: Duration,
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs();
        match self.attempts {
            1 => write!(f, "1 attempt"),
            n if seconds == 0 => write!(f, "{n} attempts"),
            n => write!(f, "{n} attempts in {seconds} s"),
        }
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer came: the connection could not be made or was lost, or it
    /// took too long.
    #[error("no answer from `{host}` to {tries}")]
    Transport {
        /// What was called, as in [`crate::Request::operation`].
        operation: &'static str,
        /// The host, with its port if that is unusual.
        host: String,
        /// How often it was tried.
        tries: Tries,
        /// Whether it happened all the same.
        effect: Effect,
        /// What the connection said, without addresses.
        source: TransportError,
    },
    /// The service answered that it will not.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// The answer is not what such a call answers.
    #[error("the answer of the service to {operation} makes no sense: {reason}")]
    Unreadable {
        /// What was called.
        operation: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The caller asked for an end.
    #[error("stopped during {operation}")]
    Stopped {
        /// What was called.
        operation: &'static str,
        /// Whether it happened all the same.
        effect: Effect,
    },
    /// There is no access token to send.
    #[error("cannot get an access token")]
    Credentials(#[source] CredentialsError),
}

impl CallError {
    /// Tells whether what was asked for may have happened all the same.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Transport { effect, .. } | Self::Stopped { effect, .. } => *effect,
            Self::Service(error) => error.effect,
            Self::Unreadable { .. } => Effect::Unknown,
            Self::Credentials(_) => Effect::None,
        }
    }

    /// Gives the answer of the service, if it is one.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// Gives the HTTP status of the answer, if there was one.
    pub fn http(&self) -> Option<u16> {
        self.service().map(|error| error.http)
    }

    /// Whether the caller asked for the end.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }
}

/// What went wrong with a connection.
#[derive(Debug)]
pub struct TransportError {
    /// What went wrong.
    pub kind: TransportKind,
    reason: String,
}

/// The kinds of what can go wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// It could not be made: the name is not known, nobody listens, TLS failed.
    Connect,
    /// It took too long.
    Timeout,
    /// It broke.
    Broken,
}

impl TransportError {
    pub(crate) fn timeout(after: Duration) -> Self {
        Self {
            kind: TransportKind::Timeout,
            reason: format!("it took longer than {} s", after.as_secs().max(1)),
        }
    }
}

impl From<reqwest::Error> for TransportError {
    /// Takes the innermost reasons and not the address, which may be secret.
    fn from(error: reqwest::Error) -> Self {
        let kind = if error.is_timeout() {
            TransportKind::Timeout
        } else if error.is_connect() {
            TransportKind::Connect
        } else {
            TransportKind::Broken
        };
        let error = error.without_url();
        let mut reasons: Vec<String> = Vec::new();
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            let reason = error.to_string();
            // Each level repeats the next, or says it in other words.
            if !reasons.iter().any(|known| known.contains(&reason)) {
                reasons.push(reason);
            }
            cause = error.source();
        }
        // The first says no more than that the request failed.
        if reasons.len() > 1 {
            reasons.remove(0);
        }
        Self {
            kind,
            reason: reasons.join(": "),
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for TransportError {}

/// One field that the service minds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field, in the service's spelling (snake case).
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// An error that a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub http: u16,
    /// The canonical name, such as `PERMISSION_DENIED`, if it was told.
    pub status: Option<String>,
    /// What the service says, on one line and without a full stop.
    pub message: String,
    /// The reason as one word, such as `SERVICE_DISABLED` or `conditionNotMet`.
    pub reason: Option<String>,
    /// The fields it minds.
    pub violations: Vec<Violation>,
    /// What more it tells about the reason: `service`, `consumer`, `permission`…
    pub metadata: Vec<(String, String)>,
    /// How long it asks to wait before another attempt.
    pub retry_after: Option<Duration>,
    /// How often it was tried.
    pub tries: Tries,
    /// Whether it happened all the same.
    pub effect: Effect,
}

impl Error for ServiceError {}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service answered {}", self.http)?;
        if self.tries.attempts > 1 {
            write!(f, " to {}", self.tries)?;
        }
        if self.message.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.message)
    }
}

impl From<ServiceError> for CallError {
    fn from(error: ServiceError) -> Self {
        Self::Service(Box::new(error))
    }
}

/// The most of a body that is not JSON that is told, in characters.
const MOST_WORDS: usize = 300;

impl ServiceError {
    /// Reads the body of an answer whose status is an error.
    pub fn parse(http: u16, body: &[u8]) -> Self {
        let mut error = Self {
            http,
            status: None,
            message: String::new(),
            reason: None,
            violations: Vec::new(),
            metadata: Vec::new(),
            retry_after: None,
            tries: Tries {
                attempts: 1,
                elapsed: Duration::ZERO,
            },
            effect: effect_of(http),
        };
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => error.read(&value),
            Err(_) => error.message = words(&String::from_utf8_lossy(body)),
        }
        error
    }

    fn read(&mut self, value: &Value) {
        // Streams and batches answer a list of one.
        let value = value.get(0).unwrap_or(value);
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        let error = &value["error"];
        if let Some(word) = error.as_str() {
            // A token endpoint.
            let description = text(value, "error_description").unwrap_or_default();
            self.message = one_line(&description);
            self.reason = text(value, "error_subtype").or_else(|| Some(word.to_owned()));
            self.status = Some(word.to_owned());
            return;
        }
        self.message = one_line(&text(error, "message").unwrap_or_default());
        self.status = text(error, "status");
        let of_storage = error["errors"].as_array().into_iter().flatten();
        self.reason = of_storage.filter_map(|one| text(one, "reason")).next();
        for detail in error["details"].as_array().into_iter().flatten() {
            let name = detail["@type"].as_str().unwrap_or_default();
            if name.ends_with("google.rpc.ErrorInfo") {
                self.reason = text(detail, "reason").or(self.reason.take());
                let known = detail["metadata"].as_object().into_iter().flatten();
                let pairs = known
                    .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                self.metadata.extend(pairs);
            }
            let violations = detail["fieldViolations"].as_array().into_iter().flatten();
            self.violations.extend(violations.map(|one| Violation {
                field: text(one, "field").unwrap_or_default(),
                description: one_line(&text(one, "description").unwrap_or_default()),
            }));
        }
        if self.message.is_empty() && error.is_null() {
            self.message = words(&value.to_string());
        }
    }
}

/// Whether a status leaves open if the call took effect. What is refused did
/// not happen; what failed, or took too long, may have.
fn effect_of(http: u16) -> Effect {
    match http {
        408 | 499 | 500.. => Effect::Unknown,
        _ => Effect::None,
    }
}

/// Puts a message on one line; Google separates parts of it by tabs.
fn one_line(message: &str) -> String {
    let words: Vec<_> = message.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// Takes the words out of XML, HTML or plain text.
fn words(text: &str) -> String {
    // The code and the message are all that is worth telling of XML.
    let tagged = |tag: &str| {
        let after = text.split_once(&format!("<{tag}>"))?.1;
        Some(after.split_once(&format!("</{tag}>"))?.0)
    };
    let said = match (tagged("Message"), tagged("title")) {
        (Some(message), _) => message.to_owned(),
        (None, Some(title)) => title.to_owned(),
        (None, None) => text.to_owned(),
    };
    let line = one_line(&said);
    match line.char_indices().nth(MOST_WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(http: u16, body: &str) -> String {
        let error = ServiceError::parse(http, body.as_bytes());
        let status = error.status.as_deref().unwrap_or("-");
        let reason = error.reason.as_deref().unwrap_or("-");
        format!("{error} | {status} | {reason}")
    }

    #[test]
    fn every_shape_of_error_is_read() {
        let check = |http, body, expected: &str| assert_eq!(told(http, body), expected);
        check(
            403,
            r#"{"error":{"code":403,"message":"Permission 'aiplatform.tuningJobs.create' denied.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"IAM_PERMISSION_DENIED","domain":"aiplatform.googleapis.com","metadata":{"permission":"aiplatform.tuningJobs.create"}}]}}"#,
            "the service answered 403: Permission 'aiplatform.tuningJobs.create' denied | PERMISSION_DENIED | IAM_PERMISSION_DENIED",
        );
        check(
            429,
            r#"[{"error":{"code":429,"message":"Resource exhausted, please try again later.","status":"RESOURCE_EXHAUSTED"}}]"#,
            "the service answered 429: Resource exhausted, please try again later | RESOURCE_EXHAUSTED | -",
        );
        check(
            404,
            r#"{"error":{"code":404,"message":"The specified bucket does not exist.","errors":[{"message":"…","domain":"global","reason":"notFound"}]}}"#,
            "the service answered 404: The specified bucket does not exist | - | notFound",
        );
        check(
            400,
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked.","error_subtype":"invalid_rapt"}"#,
            "the service answered 400: Token has been expired or revoked | invalid_grant | invalid_rapt",
        );
        check(
            403,
            "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access denied.</Message></Error>",
            "the service answered 403: Access denied | - | -",
        );
        check(
            502,
            "<html><head><title>502 Bad Gateway</title></head><body>…</body></html>",
            "the service answered 502: 502 Bad Gateway | - | -",
        );
        check(
            412,
            "Precondition Failed",
            "the service answered 412: Precondition Failed | - | -",
        );
        check(503, "", "the service answered 503 | - | -");
        check(
            500,
            r#"{"detail":"oops"}"#,
            r#"the service answered 500: {"detail":"oops"} | - | -"#,
        );
        check(
            500,
            r#""text""#,
            r#"the service answered 500: "text" | - | -"#,
        );
    }

    #[test]
    fn violations_are_kept() {
        let body = r#"{"error":{"code":400,"message":"List of found errors:\t1.Field: tuning_job.x; Message: bad.\t","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"tuning_job.x","description":"bad."}]}]}}"#;
        let error = ServiceError::parse(400, body.as_bytes());
        assert_eq!(
            error.message,
            "List of found errors: 1.Field: tuning_job.x; Message: bad"
        );
        let violation = Violation {
            field: "tuning_job.x".into(),
            description: "bad".into(),
        };
        assert_eq!(error.violations, [violation]);
    }

    #[test]
    fn a_refusal_has_no_effect_and_a_failure_may() {
        for http in [400, 401, 403, 404, 409, 412, 429] {
            assert_eq!(
                ServiceError::parse(http, b"").effect,
                Effect::None,
                "{http}"
            );
        }
        for http in [408, 499, 500, 502, 503, 504] {
            assert_eq!(
                ServiceError::parse(http, b"").effect,
                Effect::Unknown,
                "{http}"
            );
        }
    }

    #[test]
    fn a_long_page_is_cut() {
        let error = ServiceError::parse(502, "ä ".repeat(1000).as_bytes());
        assert_eq!(error.message.chars().count(), MOST_WORDS + 1);
    }
}
