//! Function calls and their responses, as JSON texts.

use std::borrow::Cow;

use super::decode::Inner;
use super::draft::{Call, Draft, Fault};
use super::shape::quoted;
use crate::diag::S028;
use crate::example::write;
use crate::json::{Kind, Value, compact};

/// A value as compact JSON.
pub(super) fn json_text(value: Value<'_, '_>) -> String {
    let mut out = Vec::with_capacity(value.raw().len());
    compact(value, &mut out);
    into_text(out)
}

/// What was written as JSON, as text.
pub(super) fn into_text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("JSON is written from text")
}

/// The name of a function; `of` is the object that should have it.
pub(super) fn name<'a>(
    value: Option<Value<'_, 'a>>,
    of: Value<'_, 'a>,
) -> Result<Cow<'a, str>, Fault> {
    match value.and_then(Value::as_str) {
        Some(name) if !name.trim().is_empty() => Ok(name),
        _ => Err(Fault::new(&S028, of.offset(), "the call names no function")),
    }
}

/// The arguments of a call: an object, or a string that holds one.
pub(super) fn arguments(
    name: &str,
    value: Option<Value<'_, '_>>,
    of: usize,
    inner: &mut Inner,
) -> Result<String, Fault> {
    let Some(value) = value else {
        let message = format!("the call of {} has no arguments", quoted(name));
        return Err(Fault::new(&S028, of, message));
    };
    let refused = |reason: String| {
        let message = format!(
            "the arguments of {} are not a JSON object: {reason}",
            quoted(name)
        );
        Fault::new(&S028, value.offset(), message)
    };
    let Some(text) = value.as_str() else {
        return object(value).map_err(|found| refused(format!("they are {found}")));
    };
    match inner.parse(&text) {
        Ok(parsed) => object(parsed).map_err(|found| refused(format!("they are {found}"))),
        Err(error) => Err(refused(error.message())),
    }
}

fn object(value: Value<'_, '_>) -> Result<String, &'static str> {
    match value.kind() {
        Kind::Object => Ok(json_text(value)),
        kind => Err(kind.as_str()),
    }
}

/// The response object that a tool's text makes: itself, if it is a JSON
/// object, or an object that has it as `result`.
pub(super) fn response(text: &str, inner: &mut Inner) -> String {
    if text.trim_ascii_start().starts_with('{')
        && let Some(object) = inner.parse(text).ok().and_then(|value| object(value).ok())
    {
        return object;
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    out.extend_from_slice(b"{\"result\":");
    write::string(text, &mut out);
    out.push(b'}');
    into_text(out)
}

/// The response object that a value makes.
pub(super) fn response_of(value: Value<'_, '_>, inner: &mut Inner) -> String {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => response(&text, inner),
        (None, Kind::Object) => json_text(value),
        (None, _) => format!("{{\"result\":{}}}", json_text(value)),
    }
}

impl<'a> Draft<'a> {
    /// Marks the call with this id as answered and gives its name. Without an
    /// id it is the first that has no answer.
    pub(super) fn answer(&mut self, id: Option<&str>, at: usize) -> Result<Cow<'a, str>, Fault> {
        // Responses usually come in the order of the calls.
        let is_next = |call: &&mut Call<'a>| !call.is_answered;
        let is_asked = |call: &Call<'a>| id.is_none() || call.id.as_deref() == id;
        let found = match self.calls.iter_mut().find(is_next) {
            Some(call) if is_asked(call) => Some(call),
            _ => self
                .calls
                .iter_mut()
                .find(|call| !call.is_answered && is_asked(call)),
        };
        match (found, id) {
            (Some(call), _) => {
                call.is_answered = true;
                Ok(call.name.clone())
            }
            (None, Some(id)) => {
                let message = format!(
                    "no call before has the id {}, or it has its response",
                    quoted(id)
                );
                Err(Fault::new(&S028, at, message))
            }
            (None, None) => Err(Fault::new(
                &S028,
                at,
                "no call before waits for this response",
            )),
        }
    }
}
