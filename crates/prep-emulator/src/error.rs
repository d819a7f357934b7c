//! Refusals, in the two shapes in which Google writes them.
//!
//! Vertex AI and the other `googleapis.com` services answer with a
//! `google.rpc.Status`; Cloud Storage with an older shape; the token endpoint
//! with that of OAuth 2.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// One field that is wrong, as `google.rpc.BadRequest` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The path of the field, in snake case.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) description: String,
}

/// Whose shape a refusal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Cloud Storage's JSON API.
    Storage,
    /// Any service that answers with a `google.rpc.Status`.
    Rpc,
    /// The token endpoints.
    OAuth,
}

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    /// `INVALID_ARGUMENT` or its like; in Cloud Storage's shape the reason.
    name: &'static str,
    message: String,
    violations: Vec<Violation>,
    /// `SERVICE_DISABLED` or its like, and the domain it belongs to.
    info: Option<&'static str>,
    retry_after: Option<u64>,
}

pub(crate) type Reply = Response<Body>;
pub(crate) type Answer = Result<Reply, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, name: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            name,
            message: message.into(),
            violations: Vec::new(),
            info: None,
            retry_after: None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(403, "PERMISSION_DENIED", message)
    }

    /// What this machine could not do, which Google's would not say so.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(500, "INTERNAL", format!("the emulator failed: {error}"))
    }

    /// Refuses what Google takes and this emulator does not play.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(
            501,
            "UNIMPLEMENTED",
            format!("the emulator does not support {what}"),
        )
    }

    /// A refusal of several fields, as tuning jobs are refused.
    pub(crate) fn found_errors(violations: Vec<Violation>) -> Self {
        let mut message = String::from("List of found errors:\t");
        for (n, violation) in (1..).zip(&violations) {
            message += &format!(
                "{n}.Field: {}; Message: {}\t",
                violation.field, violation.description
            );
        }
        Self {
            violations,
            ..Self::invalid(message)
        }
    }

    pub(crate) fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations;
        self
    }

    pub(crate) fn with_info(mut self, reason: &'static str) -> Self {
        self.info = Some(reason);
        self
    }

    pub(crate) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// The refusal that Google's front ends give with a status.
    pub(crate) fn of_status(status: u16, message: Option<&str>) -> Self {
        let (name, usual) = match status {
            400 => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
            401 => return Self::unauthenticated(),
            403 => ("PERMISSION_DENIED", "The caller does not have permission"),
            404 => ("NOT_FOUND", "Requested entity was not found."),
            408 => ("DEADLINE_EXCEEDED", "The request timed out."),
            409 => ("ABORTED", "The operation was aborted."),
            410 => ("NOT_FOUND", "Gone"),
            412 => ("FAILED_PRECONDITION", "Precondition Failed"),
            429 => (
                "RESOURCE_EXHAUSTED",
                "Resource exhausted, please try again later.",
            ),
            499 => ("CANCELLED", "The operation was cancelled."),
            500 => ("INTERNAL", "Internal error encountered."),
            503 => ("UNAVAILABLE", "The service is currently unavailable."),
            504 => (
                "DEADLINE_EXCEEDED",
                "Deadline expired before operation could complete.",
            ),
            _ => ("UNKNOWN", "Unknown Error."),
        };
        Self::new(status, name, message.unwrap_or(usual))
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The `google.rpc.Status` of the refusal, with the HTTP status as code.
    pub(crate) fn rpc(&self) -> Value {
        let mut error = json!({
            "code": self.status,
            "message": self.message,
            "status": self.name,
        });
        let mut details = Vec::new();
        if !self.violations.is_empty() {
            let violations: Vec<_> = self
                .violations
                .iter()
                .map(|violation| {
                    json!({"field": violation.field, "description": violation.description})
                })
                .collect();
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": violations,
            }));
        }
        if let Some(reason) = self.info {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason,
                "domain": "googleapis.com",
            }));
        }
        if !details.is_empty() {
            error["details"] = Value::Array(details);
        }
        json!({"error": error})
    }

    fn storage(&self) -> Value {
        let reason = match (self.name, self.status) {
            (_, 401) => "authError",
            (_, 403) => "forbidden",
            (_, 404 | 410) => "notFound",
            (_, 409) => "conflict",
            (_, 412) => "conditionNotMet",
            (_, 429) => "rateLimitExceeded",
            (_, 500..) => "backendError",
            _ => "invalid",
        };
        json!({"error": {
            "code": self.status,
            "message": self.message,
            "errors": [{"message": self.message, "domain": "global", "reason": reason}],
        }})
    }

    /// Writes the refusal as a service would.
    pub(crate) fn reply(&self, service: Service) -> Reply {
        let body = match service {
            Service::Rpc => self.rpc(),
            Service::Storage => self.storage(),
            Service::OAuth => json!({"error": self.name, "error_description": self.message}),
        };
        let mut reply = json_reply(self.status, &body);
        if let Some(seconds) = self.retry_after {
            reply
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            reply.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(
                    "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
                ),
            );
        }
        reply
    }
}

/// A JSON answer.
pub(crate) fn json_reply(status: u16, body: &Value) -> Reply {
    let mut text = body.to_string();
    text.push('\n');
    let mut reply = bare_reply(status, Body::from(text));
    reply.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    reply
}

/// An answer with a status and a body.
pub(crate) fn bare_reply(status: u16, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
}
