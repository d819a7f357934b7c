//! A dataset on its way to the disk, its passport beside it.
//!
//! Promising that an output is on the disk costs a sync, and at the end of a
//! run all of the output would wait for it: a third of the time of a 1 GB
//! conversion. So a thread lets the disk have every stretch as it comes, while
//! the others work; the sync at the end then finds little to do. The dataset
//! does not wait for its passport, which is a twentieth of it: each has a
//! thread.

use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use crate::io::passport;
use crate::io::{Finished, OutputError, OutputWriter, STRETCH, Stamp, Syncer};

/// Enough bytes for a write of the system to be worth its while.
const FULL: usize = 256 << 10;
/// How many bytes of a passport the disk is given at a time: the stamps of two
/// or three stretches of the dataset.
const PASSPORT_STRETCH: usize = STRETCH / 8;

/// Writes a dataset and, if it has one, its passport.
#[derive(Debug)]
pub(crate) struct DatasetWriter {
    data: OutputWriter,
    /// Lines that wait to be written together.
    buffer: Vec<u8>,
    writeback: Writeback,
    passport: Option<(passport::Writer<OutputWriter>, Writeback)>,
}

impl DatasetWriter {
    /// Begins a dataset.
    ///
    /// # Errors
    ///
    /// When the passport cannot be written, or the system has no more handles.
    pub(crate) fn new(
        data: OutputWriter,
        passport: Option<OutputWriter>,
    ) -> Result<Self, OutputError> {
        let passport = passport.map(|passport| {
            let writeback = Writeback::new(passport.syncer()?, PASSPORT_STRETCH);
            let passport = passport::Writer::new(passport).map_err(OutputError::passport)?;
            Ok((passport, writeback))
        });
        Ok(Self {
            writeback: Writeback::new(data.syncer()?, STRETCH),
            data,
            buffer: Vec::new(),
            passport: passport.transpose()?,
        })
    }

    /// Whether stamps are kept.
    pub(crate) fn has_passport(&self) -> bool {
        self.passport.is_some()
    }

    /// Adds lines, each with its line end. Few lines are written together with
    /// those that follow, many at once and without a copy.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub(crate) fn put(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        if lines.len() < FULL {
            self.buffer.extend_from_slice(lines);
            if self.buffer.len() < FULL {
                return Ok(());
            }
            return self.flush();
        }
        self.flush()?;
        self.write(lines)
    }

    /// Adds the stamp of the next line, if stamps are kept.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn stamp(&mut self, stamp: &Stamp) -> Result<(), OutputError> {
        /// What nearly every stamp takes without its group.
        const BYTES: usize = 20;
        if let Some((passport, writeback)) = &mut self.passport {
            passport.push(stamp).map_err(OutputError::passport)?;
            writeback.wrote(BYTES + stamp.group.len());
        }
        Ok(())
    }

    /// Ends the dataset, which then waits to be synced and renamed, and gives back
    /// its passport, whose footer is still to come.
    ///
    /// # Errors
    ///
    /// When the disk refuses one of them, or refused it before.
    pub(crate) fn finish(
        mut self,
    ) -> Result<(Finished, Option<passport::Writer<OutputWriter>>), OutputError> {
        self.flush()?;
        if let Some((_, writeback)) = &self.passport {
            // Beside the end of the dataset.
            writeback.go_on();
        }
        self.writeback.finish()?;
        let data = self.data.finish()?;
        let passport = self.passport.map(|(passport, writeback)| {
            writeback.finish()?;
            Ok(passport)
        });
        Ok((data, passport.transpose()?))
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        if !buffer.is_empty() {
            self.write(&buffer)?;
            buffer.clear();
        }
        self.buffer = buffer;
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        self.data.put(lines)?;
        self.writeback.wrote(lines.len());
        Ok(())
    }
}

/// Brings an output to the disk as it grows, on a thread of its own.
#[derive(Debug)]
struct Writeback {
    /// What the thread will need, until there is one.
    syncer: Option<Syncer>,
    thread: Option<SyncThread>,
    stretch: usize,
    /// The bytes written since the thread was last woken.
    since: usize,
}

#[derive(Debug)]
struct SyncThread {
    wake: SyncSender<()>,
    handle: JoinHandle<Result<(), OutputError>>,
}

impl Writeback {
    /// Wakes the thread whenever `stretch` bytes were written; what is no file
    /// needs none.
    fn new(syncer: Option<Syncer>, stretch: usize) -> Self {
        Self {
            syncer,
            thread: None,
            stretch,
            since: 0,
        }
    }

    fn wrote(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= self.stretch {
            self.since = 0;
            self.begin();
            self.go_on();
        }
    }

    #[cold]
    fn begin(&mut self) {
        if let Some(syncer) = self.syncer.take() {
            let (wake, wakes) = mpsc::sync_channel(1);
            let sync = move || wakes.iter().try_for_each(|()| syncer.begin());
            let handle = thread::spawn(sync);
            self.thread = Some(SyncThread { wake, handle });
        }
    }

    /// Wakes the thread, if there is one, for what was written meanwhile.
    fn go_on(&self) {
        if let Some(thread) = &self.thread {
            // Full: it will wake anyway. Closed: the disk refused something,
            // which `finish` tells.
            let _full_or_closed = thread.wake.try_send(());
        }
    }

    /// Lets the disk have the rest, ends the thread, and tells whether the disk
    /// refused something.
    fn finish(self) -> Result<(), OutputError> {
        self.go_on();
        match (self.thread, self.syncer) {
            (Some(SyncThread { wake, handle }), _) => {
                drop(wake);
                handle.join().expect("asking the disk does not panic")
            }
            (None, Some(syncer)) => syncer.begin(),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::io::Sha256Wanted;
    use crate::io::passport::Passport;

    fn stamp(n: u64) -> Stamp {
        Stamp {
            source: 0,
            record: n,
            line: n,
            fingerprint: u128::from(n),
            group: String::new(),
        }
    }

    #[test]
    fn lines_come_out_as_they_were_put_whatever_their_number() {
        let directory = tempfile::tempdir().unwrap();
        let (data, kept) = (directory.path().join("a"), directory.path().join("b"));
        let create = |path| OutputWriter::create(path, Sha256Wanted::No).unwrap();
        let mut dataset = DatasetWriter::new(create(&data), Some(create(&kept))).unwrap();
        assert!(dataset.has_passport());
        let mut expected = Vec::new();
        // Few, many, many at once, and enough in all for the disk to have some on the way.
        let sizes = [3, FULL - 1, 0, 7, FULL, FULL + 1, 1, 4 * FULL, FULL / 2];
        for (n, size) in (1..).zip(sizes.iter().cycle().take(100)) {
            let lines = vec![b'a' + (n % 26) as u8; *size];
            dataset.put(&lines).unwrap();
            dataset.stamp(&stamp(n)).unwrap();
            expected.extend(lines);
        }
        assert!(expected.len() > STRETCH);
        let (finished, passport) = dataset.finish().unwrap();
        assert_eq!(finished.bytes, expected.len() as u64);
        finished.persist().unwrap();
        assert_eq!(fs::read(&data).unwrap(), expected);
        let passport = passport.unwrap().finish(Vec::new(), Vec::new()).unwrap();
        passport.finish().unwrap().persist().unwrap();
        let mut passport = Passport::open(&kept).unwrap();
        assert_eq!(passport.footer().stamps, 100);
        assert_eq!(passport.stamp(100).unwrap(), Some(stamp(100)));
    }

    #[test]
    fn a_dataset_that_goes_nowhere_keeps_no_stamps() {
        let mut dataset = DatasetWriter::new(OutputWriter::nowhere(), None).unwrap();
        dataset.put(b"{}\n").unwrap();
        dataset.stamp(&stamp(1)).unwrap();
        let (finished, passport) = dataset.finish().unwrap();
        assert_eq!(finished.bytes, 3);
        assert!(passport.is_none());
    }
}
