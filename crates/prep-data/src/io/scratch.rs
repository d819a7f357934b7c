//! Temporary data that does not fit into memory.
//!
//! A [`Scratch`] is a file without a name in the directory of the output: the
//! disk that has room for the result, and never a memory file system, as `/tmp`
//! may be. The system takes it back when the process ends, however it ends.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::OutputError;
use super::positioned::Positioned;

/// A file without a name that is written at its end and read anywhere.
#[derive(Debug)]
pub struct Scratch {
    directory: PathBuf,
    file: Positioned,
    /// Its length. Writers take turns.
    bytes: Mutex<u64>,
}

impl Scratch {
    /// Makes one in the directory of `target`, an output.
    ///
    /// # Errors
    ///
    /// [`OutputError::Scratch`], when the directory does not take it.
    pub fn beside(target: &Path) -> Result<Self, OutputError> {
        let parent = target.parent();
        let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new(".")).to_path_buf();
        match tempfile::tempfile_in(&directory) {
            Ok(file) => Ok(Self {
                directory,
                file: Positioned::new(file),
                bytes: Mutex::new(0),
            }),
            Err(source) => Err(OutputError::Scratch { directory, source }),
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        *self.len()
    }

    /// Writes at the end and returns where the bytes begin.
    ///
    /// # Errors
    ///
    /// [`OutputError::Scratch`], when the disk is full or fails.
    pub fn append(&self, bytes: &[u8]) -> Result<u64, OutputError> {
        let mut len = self.len();
        let start = *len;
        let written = self.file.write_all(start, bytes);
        written.map_err(|source| self.failed(source))?;
        *len += bytes.len() as u64;
        Ok(start)
    }

    /// Reads the bytes from `start` on; all of `into` must have been written.
    ///
    /// # Errors
    ///
    /// [`OutputError::Scratch`], when the disk fails.
    pub fn read_at(&self, start: u64, into: &mut [u8]) -> Result<(), OutputError> {
        let read = self.file.read_exact(start, into);
        read.map_err(|source| self.failed(source))
    }

    fn len(&self) -> MutexGuard<'_, u64> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, source: io::Error) -> OutputError {
        OutputError::Scratch {
            directory: self.directory.clone(),
            source,
        }
    }

    /// Reads it from its beginning, beside other readers.
    #[must_use]
    pub fn reader(self: Arc<Self>) -> ScratchReader {
        ScratchReader {
            scratch: self,
            at: 0,
        }
    }
}

/// Reads a [`Scratch`] from beginning to end.
#[derive(Debug)]
pub struct ScratchReader {
    scratch: Arc<Scratch>,
    at: u64,
}

impl Read for ScratchReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.scratch.bytes() - self.at).unwrap_or(usize::MAX);
        let n = into.len().min(left);
        let into = &mut into[..n];
        match self.scratch.read_at(self.at, into) {
            Ok(()) => {}
            Err(OutputError::Scratch { source, .. }) => return Err(source),
            Err(error) => return Err(io::Error::other(error)),
        }
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_and_leaves_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let scratch = Scratch::beside(&directory.path().join("train.jsonl")).unwrap();
        assert_eq!(scratch.append(b"one").unwrap(), 0);
        assert_eq!(scratch.append(b"two").unwrap(), 3);
        let mut middle = [0; 4];
        scratch.read_at(1, &mut middle).unwrap();
        assert_eq!(&middle, b"netw");
        // Writing goes on at the end, wherever reading was.
        assert_eq!(scratch.append(b"three").unwrap(), 6);
        let mut all = String::new();
        Arc::new(scratch).reader().read_to_string(&mut all).unwrap();
        assert_eq!(all, "onetwothree");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let error = Scratch::beside(Path::new("no/such/directory/out.jsonl")).unwrap_err();
        assert!(matches!(error, OutputError::Scratch { .. }), "{error}");
    }
}
