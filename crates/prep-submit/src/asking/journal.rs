//! The answers that were paid for, kept until the run is over.
//!
//! One JSON line for each answer, appended as soon as it is there: a run that
//! is killed loses none of them, and the same command goes on from there. Each
//! is known by its index and by a fingerprint of its request, so that a changed
//! input or setting is asked again and nothing else is. Lines are synced to the
//! disk in batches; what a power cut takes is the last few.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// After how many answers the file is synced.
const BATCH: usize = 16;

/// The fingerprint of a request: of where it goes and all that it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestId(String);

impl RequestId {
    /// Computes it from the path of the model and the body.
    #[must_use]
    pub fn of(model: &str, body: &Value) -> Self {
        let mut digest = Sha256::new();
        digest.update((model.len() as u64).to_le_bytes());
        digest.update(model);
        digest.update(body.to_string());
        let sum = digest.finalize();
        Self(sum[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The file of answers.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    file: File,
    end: u64,
    unsynced: usize,
    /// Where the line of an index is.
    lines: HashMap<u64, Line>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    at: u64,
    len: usize,
}

#[derive(Serialize, Deserialize)]
struct Entry<A> {
    index: u64,
    request: RequestId,
    answer: A,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("cannot use the journal `{}`", path.display())]
    File {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another run uses it.
    #[error("another run is using the journal `{}`", path.display())]
    Busy {
        /// The journal.
        path: PathBuf,
    },
    /// A line in its middle is none of a journal.
    #[error("line {line} of `{}` is not as a journal has them", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
}

impl Journal {
    /// Opens a journal, and makes it where there is none. A last line that was
    /// not written to its end is cut off.
    ///
    /// # Errors
    ///
    /// When the file cannot be used, is in use, or is no journal.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let error = |source| JournalError::File {
            path: path.into(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let file = options.open(path).map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path: path.into() }),
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
        let mut reader = BufReader::new(file);
        let (mut end, mut lines, mut number) = (0, HashMap::new(), 0);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let len = reader.read_until(b'\n', &mut bytes).map_err(error)?;
            if bytes.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            let entry: Entry<IgnoredAny> =
                serde_json::from_slice(&bytes).map_err(|_| JournalError::Damaged {
                    path: path.into(),
                    line: number,
                })?;
            lines.insert(entry.index, Line { at: end, len });
            end += len as u64;
        }
        let file = reader.into_inner();
        file.set_len(end).map_err(error)?;
        let kept = Kept {
            file,
            end,
            unsynced: 0,
            lines,
        };
        Ok(Self {
            path: path.into(),
            kept: Mutex::new(kept),
        })
    }

    /// The answer that is kept of a request, if it is.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn answer<A: DeserializeOwned>(
        &self,
        index: u64,
        request: &RequestId,
    ) -> Result<Option<A>, JournalError> {
        let mut kept = self.kept();
        let Some(&line) = kept.lines.get(&index) else {
            return Ok(None);
        };
        let entry: Entry<A> = kept.read(line).map_err(|source| self.error(source))?;
        Ok(Some(entry)
            .filter(|entry| entry.request == *request)
            .map(|entry| entry.answer))
    }

    /// Whether an answer of a request is kept.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn has(&self, index: u64, request: &RequestId) -> Result<bool, JournalError> {
        let answer = self.answer::<IgnoredAny>(index, request);
        answer.map(|answer| answer.is_some())
    }

    /// Keeps an answer.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn keep<A: Serialize>(
        &self,
        index: u64,
        request: &RequestId,
        answer: &A,
    ) -> Result<(), JournalError> {
        let entry = Entry {
            index,
            request: request.clone(),
            answer,
        };
        let append = || {
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            self.kept().append(index, &line)
        };
        append().map_err(|source| self.error(source))
    }

    /// Forgets all answers. The file stays, and stays locked, so that no other
    /// run slips in between.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn clear(&self) -> Result<(), JournalError> {
        let mut kept = self.kept();
        kept.file.set_len(0).map_err(|source| self.error(source))?;
        kept.lines.clear();
        (kept.end, kept.unsynced) = (0, 0);
        Ok(())
    }

    /// Makes what is kept outlive a power cut.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn sync(&self) -> Result<(), JournalError> {
        let synced = self.kept().sync();
        synced.map_err(|source| self.error(source))
    }

    /// How many answers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept().lines.len()
    }

    /// Whether no answer is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, source: io::Error) -> JournalError {
        JournalError::File {
            path: self.path.clone(),
            source,
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn read<A: DeserializeOwned>(&mut self, line: Line) -> io::Result<Entry<A>> {
        let mut bytes = vec![0; line.len];
        self.file.seek(SeekFrom::Start(line.at))?;
        self.file.read_exact(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    fn append(&mut self, index: u64, line: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(line) {
            // Half a line in the middle would make the file unreadable. If this
            // fails too, the next run cuts it off.
            drop(self.file.set_len(self.end));
            return Err(error);
        }
        let (at, len) = (self.end, line.len());
        self.lines.insert(index, Line { at, len });
        self.end += len as u64;
        self.unsynced += 1;
        if self.unsynced >= BATCH {
            self.sync()
        } else {
            Ok(())
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.unsynced > 0 {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::predict::{Answer, Outcome};

    fn answer(text: &str) -> Answer {
        Answer {
            outcome: Outcome::Ok,
            text: Some(text.into()),
            finish_reason: Some("STOP".into()),
            usage: Some(json!({"totalTokenCount": 3})),
            model_version: None,
        }
    }

    fn id(text: &str) -> RequestId {
        RequestId::of("models/m", &json!({"contents": text}))
    }

    #[test]
    fn answers_outlive_the_run() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        for n in 0..40 {
            journal.keep(n, &id("q"), &answer(&n.to_string())).unwrap();
        }
        assert!(matches!(
            Journal::open(&path),
            Err(JournalError::Busy { .. })
        ));
        // Killed: nothing is closed in order.
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.len(), 40);
        assert_eq!(journal.answer(7, &id("q")).unwrap(), Some(answer("7")));
        assert!(journal.has(7, &id("q")).unwrap());
        assert!(!journal.has(7, &id("another")).unwrap());
        assert!(!journal.has(40, &id("q")).unwrap());
        journal.keep(7, &id("another"), &answer("new")).unwrap();
        assert_eq!(
            journal.answer(7, &id("another")).unwrap(),
            Some(answer("new"))
        );
        assert_eq!(journal.answer(8, &id("q")).unwrap(), Some(answer("8")));
        journal.clear().unwrap();
        assert!(journal.is_empty());
        assert!(!journal.has(8, &id("q")).unwrap());
        journal.keep(3, &id("q"), &answer("late")).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.answer(3, &id("q")).unwrap(), Some(answer("late")));
        assert_eq!(journal.len(), 1);
    }

    #[test]
    fn a_line_that_was_cut_off_is_asked_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        journal.keep(0, &id("a"), &answer("A")).unwrap();
        journal.keep(1, &id("b"), &answer("B")).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        for len in 0..whole.len() {
            fs::write(&path, &whole[..len]).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.len(), usize::from(len >= first));
            journal.keep(1, &id("b"), &answer("B")).unwrap();
            drop(journal);
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.answer(1, &id("b")).unwrap(), Some(answer("B")));
        }
        fs::write(&path, "no journal\n").unwrap();
        assert!(matches!(
            Journal::open(&path),
            Err(JournalError::Damaged { line: 1, .. })
        ));
    }

    #[test]
    fn requests_are_known_by_all_that_they_say() {
        let body = json!({"contents": "a"});
        assert_eq!(RequestId::of("m", &body), RequestId::of("m", &body.clone()));
        assert_ne!(RequestId::of("m", &body), RequestId::of("n", &body));
        assert_ne!(
            RequestId::of("m", &body),
            RequestId::of("m", &json!({"contents": "b"}))
        );
    }
}
