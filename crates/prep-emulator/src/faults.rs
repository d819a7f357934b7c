//! What goes wrong, and when: a table that is read from JSON.
//!
//! A fault names the requests that it is for and what happens to them. Among
//! the requests it matches they are counted from one; it strikes at the
//! `nth` and at the `times - 1` after it. Where several faults would strike a
//! request, the first of the table does.
//!
//! ```
//! let faults = prep_emulator::Faults::parse(r#"{"faults": [
//!     {"operation": "storage.upload.chunk", "nth": 2, "effect": {"kind": "status", "code": 503}},
//!     {"operation": "aiplatform.tuningJobs.create", "effect": {"kind": "reset_after"}},
//!     {"operation": "storage.*", "path": "*/train.jsonl", "times": 3,
//!      "effect": {"kind": "slow", "delay_ms": 20}}
//! ]}"#)?;
//! assert_eq!(faults.len(), 3);
//! # Ok::<(), prep_emulator::FaultsError>(())
//! ```

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::operation;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The request has no effect and is answered with a status.
    Status {
        /// The HTTP status.
        code: u16,
        /// The seconds of a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
        /// The message, instead of the one that is usual for the status.
        #[serde(default)]
        message: Option<String>,
    },
    /// The request has its effect, and is answered with a status all the same.
    StatusAfter {
        /// The HTTP status.
        code: u16,
    },
    /// The connection is reset before the request has any effect.
    ResetBefore,
    /// The request has its effect, and the connection is reset before the
    /// answer is sent.
    ResetAfter,
    /// The body of the answer comes in small pieces with a pause before each.
    Slow {
        /// The pause, in milliseconds.
        delay_ms: u64,
        /// The bytes of a piece.
        #[serde(default = "sixty_four")]
        piece: usize,
    },
    /// The connection is reset after so many bytes of the answer's body.
    Truncate {
        /// The bytes that are sent.
        after: usize,
    },
    /// The answer gives a CRC32C that is not the object's: in an object's
    /// metadata and in `x-goog-hash`.
    WrongCrc,
    /// A piece of an upload is stored in part only, and the answer is 308.
    StoreLess {
        /// The bytes of the piece that are stored, rounded down to 256 KiB.
        bytes: u64,
    },
    /// The upload session is forgotten, and the answer is 410.
    LoseSession,
    /// The access token of the request expires first.
    ExpireToken,
    /// The tuning job that the request creates ends otherwise.
    Job {
        /// How it ends.
        outcome: JobOutcome,
    },
    /// The candidates of a generated answer end otherwise.
    Finish {
        /// `SAFETY`, `RECITATION`, `MAX_TOKENS` or another finish reason, or
        /// `BLOCKED` for a prompt that is blocked.
        reason: String,
    },
}

fn sixty_four() -> usize {
    64
}

/// How a tuning job ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// As its data deserves.
    #[default]
    Natural,
    /// `FAILED` with an internal error in the middle of tuning.
    Fails,
    /// `FAILED` because no endpoint could be created; the model is there.
    EndpointFails,
    /// `RUNNING` for ever: neither data statistics nor metrics appear.
    Wedged,
    /// A state that no client can know comes after `RUNNING`.
    UnknownState,
    /// `PARTIALLY_SUCCEEDED`, with a model.
    PartiallySucceeds,
    /// `EXPIRED` before it was tuned.
    Expires,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The name of an operation, see [`crate::operations`]; a `*` stands for
    /// any characters. All operations if absent.
    #[serde(default)]
    pub operation: Option<String>,
    /// The HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// The decoded path, without the query; a `*` stands for any characters.
    #[serde(default)]
    pub path: Option<String>,
    /// Which of the matching requests is the first to be struck, from one.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many requests are struck, from that one on; 0 is all of them.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    pub effect: Effect,
}

fn one() -> u64 {
    1
}

impl Fault {
    /// Strikes an operation with an effect, the first time.
    pub fn on(operation: &str, effect: Effect) -> Self {
        Self {
            operation: Some(operation.to_owned()),
            method: None,
            path: None,
            nth: 1,
            times: 1,
            effect,
        }
    }

    fn is_for(&self, operation: &str, method: &str, path: &str) -> bool {
        let is = |pattern: &Option<String>, text: &str| {
            pattern.as_deref().is_none_or(|pattern| glob(pattern, text))
        };
        is(&self.operation, operation) && is(&self.method, method) && is(&self.path, path)
    }
}

/// The table of what goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    faults: Vec<Fault>,
}

/// A table of faults that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// It is not JSON of the table's shape.
    #[error("the faults are not a table of faults")]
    Shape(#[from] serde_json::Error),
    /// It names an operation that the emulator does not have.
    #[error("fault {n} is for `{operation}`, which is no operation of the emulator")]
    Operation {
        /// Which fault, from one.
        n: usize,
        /// The operation that it names.
        operation: String,
    },
}

impl Faults {
    /// Reads a table: `{"faults": […]}`. A name that is not known is an error.
    pub fn parse(json: &str) -> Result<Self, FaultsError> {
        Self::new(serde_json::from_str::<Self>(json)?.faults)
    }

    /// Makes a table of faults.
    pub fn new(faults: Vec<Fault>) -> Result<Self, FaultsError> {
        for (n, fault) in (1..).zip(&faults) {
            if let Some(operation) = &fault.operation
                && !operation::names().any(|name| glob(operation, name))
            {
                return Err(FaultsError::Operation {
                    n,
                    operation: operation.clone(),
                });
            }
        }
        Ok(Self { faults })
    }

    /// Counts the faults of the table.
    pub fn len(&self) -> usize {
        self.faults.len()
    }

    /// Tells whether nothing goes wrong.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The table, with how often each fault was met.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    rows: Mutex<Vec<(Fault, u64)>>,
}

impl Fate {
    pub(crate) fn new(faults: Faults) -> Self {
        let fate = Self::default();
        fate.set(faults);
        fate
    }

    /// Replaces the table; counting begins again.
    pub(crate) fn set(&self, faults: Faults) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        *rows = faults.faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// Counts a request, and tells what strikes it.
    pub(crate) fn strike(&self, operation: &str, method: &str, path: &str) -> Option<Effect> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut effect = None;
        for (fault, met) in rows.iter_mut() {
            if fault.is_for(operation, method, path) {
                *met += 1;
                let is_due = *met >= fault.nth
                    && (fault.times == 0 || *met < fault.nth.saturating_add(fault.times));
                if is_due && effect.is_none() {
                    effect = Some(fault.effect.clone());
                }
            }
        }
        effect
    }
}

/// Matches text against a pattern in which `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some(at) = text.find(part) else {
            return false;
        };
        text = &text[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        let cases = [
            ("a.b", "a.b", true),
            ("a.*", "a.b", true),
            ("*", "", true),
            ("*.b", "a.b", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("a.b", "a.bc", false),
            ("*/train.jsonl", "/b/run/train.jsonl", true),
            ("ab*ba", "aba", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_fault_strikes_when_it_is_due() {
        let mut fault = Fault::on("storage.objects.*", Effect::ResetBefore);
        fault.nth = 2;
        fault.times = 2;
        let fate = Fate::new(Faults::new(vec![fault]).unwrap());
        let struck: Vec<_> = (0..5)
            .map(|_| fate.strike("storage.objects.get", "GET", "/x").is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(fate.strike("storage.buckets.get", "GET", "/x"), None);
    }

    #[test]
    fn unknown_names_are_refused() {
        let cases = [
            (
                r#"{"faults":[{"operation":"storage.objects.got","effect":{"kind":"reset_after"}}]}"#,
                "fault 1 is for",
            ),
            (
                r#"{"faults":[{"effect":{"kind":"explode"}}]}"#,
                "not a table",
            ),
            (
                r#"{"faults":[{"effect":{"kind":"reset_after"},"when":1}]}"#,
                "not a table",
            ),
            (r#"{"fault":[]}"#, "not a table"),
        ];
        for (table, expected) in cases {
            let error = Faults::parse(table).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
