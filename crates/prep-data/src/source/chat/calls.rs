//! Function calls and their responses, as JSON texts.

use std::borrow::Cow;
use std::collections::HashMap;

use super::decode::Inner;
use super::draft::Fault;
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
    let may_be_object = text.trim_ascii_start().starts_with('{');
    let parsed = may_be_object.then(|| inner.parse(text).ok()).flatten();
    if let Some(object) = parsed.and_then(|value| object(value).ok()) {
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

/// A call that waits for its response.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Cow<'a, str>,
    is_answered: bool,
}

/// The calls of a turn.
#[derive(Debug, Default)]
pub(super) struct Calls<'a> {
    all: Vec<Call<'a>>,
    /// How many at the front have their response. Responses usually come in
    /// the order of the calls, so that nothing has to be looked for.
    n_answered: usize,
    /// Where each id stands, once one had to be looked for among many.
    places: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Calls<'a> {
    /// Adds a call that has no response yet.
    pub(super) fn add(&mut self, id: Option<Cow<'a, str>>, name: Cow<'a, str>) {
        let is_answered = false;
        self.all.push(Call {
            id,
            name,
            is_answered,
        });
    }

    /// The first call that has no response.
    pub(super) fn next(&self) -> Option<&Call<'a>> {
        self.all.get(self.n_answered)
    }

    /// How many calls have no response.
    pub(super) fn n_waiting(&self) -> usize {
        self.all.iter().filter(|call| !call.is_answered).count()
    }

    /// Marks the call with this id as answered and gives its name. Without an
    /// id it is the first that has no response.
    pub(super) fn answer(&mut self, id: Option<&str>, at: usize) -> Result<Cow<'a, str>, Fault> {
        let Some(place) = self.place(id) else {
            let message = match id {
                Some(id) => format!(
                    "no call before has the id {}, or it has its response",
                    quoted(id)
                ),
                None => "no call before waits for this response".into(),
            };
            return Err(Fault::new(&S028, at, message));
        };
        let call = &mut self.all[place];
        call.is_answered = true;
        let name = call.name.clone();
        while self
            .all
            .get(self.n_answered)
            .is_some_and(|call| call.is_answered)
        {
            self.n_answered += 1;
        }
        Ok(name)
    }

    /// The place of a call that has no response, by its id.
    fn place(&mut self, id: Option<&str>) -> Option<usize> {
        const FEW: usize = 32;
        let is_asked =
            |call: &Call<'_>| !call.is_answered && (id.is_none() || call.id.as_deref() == id);
        let first = self.n_answered;
        if is_asked(self.all.get(first)?) {
            return Some(first);
        }
        let n_waiting = self.all.len() - first;
        if n_waiting > FEW && self.places.is_empty() {
            let ids = self.all.iter().enumerate().rev();
            self.places = ids
                .filter_map(|(place, call)| Some((call.id.clone()?, place)))
                .collect();
        }
        match self.places.get(id?) {
            Some(&place) if is_asked(&self.all[place]) => Some(place),
            _ if n_waiting > FEW => None,
            _ => (first..self.all.len()).find(|&place| is_asked(&self.all[place])),
        }
    }
}
