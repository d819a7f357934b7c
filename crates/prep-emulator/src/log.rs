//! What was asked, for tests to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::auth::Form;
use crate::faults::Effect;

/// A request that the emulator was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Logged {
    /// Its operation, if it has one.
    pub operation: Option<&'static str>,
    /// Its HTTP method.
    pub method: String,
    /// Its path, decoded, without the query.
    pub path: String,
    /// Its query parameters, decoded, but those that are secrets.
    pub query: Vec<(String, String)>,
    /// Its headers, in lower case, but those that are secrets.
    pub headers: Vec<(String, String)>,
    /// Its body, if it asks for a tuning job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the answer; none while there is no answer, or if the
    /// connection was reset instead.
    pub status: Option<u16>,
    /// Whether a fault struck it.
    pub is_struck: bool,
}

/// All requests, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Mutex<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    /// How many have been forgotten.
    n_gone: usize,
    last: VecDeque<Logged>,
}

/// How many requests are remembered.
const MOST: usize = 100_000;

impl Log {
    pub(crate) fn begin(
        &self,
        operation: Option<&'static str>,
        method: &str,
        path: &str,
        query: &Form,
        headers: &HeaderMap,
    ) -> usize {
        let is_open = |name: &str| !matches!(name, "upload_id" | "authorization");
        let query = query
            .names()
            .filter(|name| is_open(name))
            .map(|name| {
                (
                    name.to_owned(),
                    query.get(name).unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let headers = headers
            .iter()
            .filter(|(name, _)| is_open(name.as_str()))
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().to_owned(), value.into_owned())
            })
            .collect();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.last.len() == MOST {
            requests.last.pop_front();
            requests.n_gone += 1;
        }
        requests.last.push_back(Logged {
            operation,
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers,
            body: None,
            status: None,
            is_struck: false,
        });
        requests.n_gone + requests.last.len() - 1
    }

    /// Adds the body of a request.
    pub(crate) fn carries(&self, entry: usize, body: Option<Value>) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let place = entry.checked_sub(requests.n_gone);
        if let Some(logged) = place.and_then(|place| requests.last.get_mut(place)) {
            logged.body = body;
        }
    }

    pub(crate) fn end(&self, entry: usize, status: Option<u16>, effect: Option<&Effect>) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let place = entry.checked_sub(requests.n_gone);
        if let Some(logged) = place.and_then(|place| requests.last.get_mut(place)) {
            logged.status = status;
            logged.is_struck = effect.is_some();
        }
    }

    pub(crate) fn all(&self) -> Vec<Logged> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.last.iter().cloned().collect()
    }
}
