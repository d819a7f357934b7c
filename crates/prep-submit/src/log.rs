//! One JSON line for each request.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// Where requests are written down, one line of JSON for each attempt.
///
/// A line has the time, the operation, method, host, path, status, attempt,
/// duration and sizes. It has no headers and no bodies, and in its path what
/// is secret is `•••`. Each line is written at once, so that the log of a
/// process that was killed ends with its last answer.
#[derive(Clone)]
pub struct RequestLog(Arc<Mutex<Inner>>);

struct Inner {
    out: Box<dyn Write + Send>,
    problem: Option<io::Error>,
}

/// What is written down about one attempt.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    pub(crate) time: String,
    pub(crate) operation: &'a str,
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) duration_ms: u128,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
}

impl RequestLog {
    /// Writes lines to the end of a file.
    pub fn append(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::to(file))
    }

    /// Writes lines to anything.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            out: Box::new(out),
            problem: None,
        })))
    }

    /// Takes the first reason for which a line could not be written. A full
    /// disk ends the log and not the work.
    pub fn problem(&self) -> Option<io::Error> {
        self.lock().problem.take()
    }

    pub(crate) fn write(&self, entry: &Entry<'_>) {
        let mut inner = self.lock();
        let line = serde_json::to_string(entry).map_err(io::Error::other);
        let written = line.and_then(|line| {
            inner.out.write_all(format!("{line}\n").as_bytes())?;
            inner.out.flush()
        });
        if let Err(error) = written {
            inner.problem.get_or_insert(error);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestLog")
    }
}

/// Writes a time as RFC 3339 in UTC, with milliseconds.
pub fn rfc3339(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads a time of RFC 3339, such as Google's services give.
pub(crate) fn from_rfc3339(text: &str) -> Option<SystemTime> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let since = u64::try_from(time.timestamp()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_764_329_400_250);
        assert_eq!(rfc3339(time), "2025-11-28T11:30:00.250Z");
        let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_329_400);
        assert_eq!(from_rfc3339("2025-11-28T11:30:00.250Z"), Some(whole));
        assert_eq!(from_rfc3339("2025-11-28T12:30:00+01:00"), Some(whole));
        assert_eq!(from_rfc3339("soon"), None);
    }

    #[test]
    fn a_full_disk_is_kept_as_a_problem() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = RequestLog::to(Full);
        log.write(&Entry {
            time: String::new(),
            operation: "get an object",
            method: "GET",
            host: "h",
            path: "/",
            status: None,
            error: None,
            attempt: 1,
            duration_ms: 0,
            sent_bytes: 0,
            received_bytes: 0,
        });
        assert_eq!(
            log.problem().map(|error| error.kind()),
            Some(io::ErrorKind::StorageFull)
        );
        assert!(log.problem().is_none());
    }
}
