//! A file that is read anywhere, by many threads at once.
//!
//! Where the system can read at a place, nobody waits for anybody: moving a
//! cursor that all share would take a lock and a second call for each text that
//! is read again.

use std::fs::File;
use std::io;

/// A file without a cursor that counts.
#[derive(Debug)]
pub(super) struct Positioned {
    file: File,
    /// Held while the cursor is where it is wanted.
    #[cfg(not(unix))]
    cursor: std::sync::Mutex<()>,
}

#[cfg(unix)]
impl Positioned {
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    /// Reads some bytes from `start` on, and gives their number: 0 at the end.
    pub(super) fn read_some(&self, start: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, into, start)
    }

    /// Fills `into` with the bytes from `start` on.
    pub(super) fn read_exact(&self, start: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, start)
    }

    /// Writes all bytes from `start` on.
    pub(super) fn write_all(&self, start: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, start)
    }
}

#[cfg(not(unix))]
impl Positioned {
    pub(super) fn new(file: File) -> Self {
        let cursor = std::sync::Mutex::new(());
        Self { file, cursor }
    }

    /// Reads some bytes from `start` on, and gives their number: 0 at the end.
    pub(super) fn read_some(&self, start: u64, into: &mut [u8]) -> io::Result<usize> {
        self.at(start, |mut file| io::Read::read(&mut file, into))
    }

    /// Fills `into` with the bytes from `start` on.
    pub(super) fn read_exact(&self, start: u64, into: &mut [u8]) -> io::Result<()> {
        self.at(start, |mut file| io::Read::read_exact(&mut file, into))
    }

    /// Writes all bytes from `start` on.
    pub(super) fn write_all(&self, start: u64, bytes: &[u8]) -> io::Result<()> {
        self.at(start, |mut file| io::Write::write_all(&mut file, bytes))
    }

    fn at<T>(&self, start: u64, work: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        let cursor = self.cursor.lock();
        let _held = cursor.unwrap_or_else(std::sync::PoisonError::into_inner);
        io::Seek::seek(&mut &self.file, io::SeekFrom::Start(start))?;
        work(&self.file)
    }
}
