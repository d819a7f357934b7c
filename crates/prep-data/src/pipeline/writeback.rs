//! Syncing an output while it is being written.
//!
//! Promising that an output is on the disk costs a sync, and at the end of a
//! run all of the output would wait for it: a third of the time of a 1 GB
//! conversion. So a thread syncs every stretch as it comes, while the others
//! work; the sync at the end then finds little to do.

use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use crate::io::{OutputError, Syncer};

/// How many bytes are written between two syncs.
const STRETCH: u64 = 16 << 20;

/// A thread that syncs outputs now and then.
#[derive(Debug)]
pub(crate) struct Writeback {
    thread: Option<Thread>,
    since: u64,
}

#[derive(Debug)]
struct Thread {
    wake: SyncSender<()>,
    handle: JoinHandle<Result<(), OutputError>>,
}

impl Writeback {
    /// Begins to sync some outputs, all at once when enough was written.
    pub(crate) fn new(syncers: Vec<Syncer>) -> Self {
        let thread = (!syncers.is_empty()).then(|| {
            let (wake, wakes) = mpsc::sync_channel(1);
            let handle = thread::spawn(move || {
                wakes
                    .iter()
                    .try_for_each(|()| syncers.iter().try_for_each(Syncer::sync))
            });
            Thread { wake, handle }
        });
        Self { thread, since: 0 }
    }

    /// Tells that so many bytes were written.
    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.since += bytes as u64;
        if self.since >= STRETCH {
            self.since = 0;
            if let Some(thread) = &self.thread {
                // Full: a sync is waiting already. Closed: a sync failed,
                // which `finish` tells.
                let _full_or_closed = thread.wake.try_send(());
            }
        }
    }

    /// Ends the thread, and tells whether a sync failed.
    pub(crate) fn finish(self) -> Result<(), OutputError> {
        match self.thread {
            Some(thread) => {
                drop(thread.wake);
                thread.handle.join().expect("a sync does not panic")
            }
            None => Ok(()),
        }
    }
}
