//! Blocks of whole records from a stream of bytes.
//!
//! Every text format is cut here: a [`Cutter`] knows where records end, and
//! [`Blocks`] knows about memory. A block is read at a page boundary (the
//! kernel copies four times slower to an address 16 bytes off one), and what
//! is left over from the block before is put in front of it, so that a block
//! is one slice. Buffers are recycled when a block is dropped.
//!
//! A record longer than the limit is skipped in bounded memory, and reported.

use std::fmt;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex};

/// Which record end a scan is to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// The first in the chunk. The scanner's state is then as after that end,
    /// and the rest of the chunk is fed again.
    First,
    /// The last in the chunk. The scanner's state is then as at the end of the
    /// chunk.
    Last,
}

/// Knows where the records of a format end.
pub(crate) trait Cutter: fmt::Debug + Send {
    /// Scans the next chunk of the input, which follows the chunk before
    /// without a gap, and returns where a record ends in it: the offset of the
    /// first byte after the end.
    fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize>;
}

/// Records that are lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines;

impl Cutter for Lines {
    fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize> {
        let newline = match want {
            Want::First => memchr::memchr(b'\n', chunk),
            Want::Last => memchr::memrchr(b'\n', chunk),
        };
        newline.map(|at| at + 1)
    }
}

/// What the front of an input is.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Whole records, at least one; at the end of the input the last one may
    /// lack its terminator.
    Records(Block),
    /// A record longer than the limit. It was skipped.
    TooLong {
        /// The bytes it begins with.
        head: Vec<u8>,
        /// Its length in bytes.
        bytes: u64,
        /// The newlines inside it.
        newlines: u64,
    },
}

/// How many bytes of a record that is too long are kept for the rejects.
pub(crate) const HEAD_BYTES: usize = 4096;

const PAGE: usize = 4096;

/// An input, cut into blocks of whole records.
pub(crate) struct Blocks<C> {
    reader: Box<dyn Read + Send>,
    cutter: C,
    block_bytes: usize,
    record_limit: usize,
    /// Bytes read and not given out yet; the cutter has seen them all.
    carry: Vec<u8>,
    at_end: bool,
    pool: Arc<Pool>,
}

impl<C: fmt::Debug> fmt::Debug for Blocks<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks")
            .field("cutter", &self.cutter)
            .finish_non_exhaustive()
    }
}

impl<C: Cutter> Blocks<C> {
    /// Cuts what `reader` gives, `block_bytes` at a time.
    pub(crate) fn new(
        reader: Box<dyn Read + Send>,
        cutter: C,
        block_bytes: usize,
        record_limit: usize,
    ) -> Self {
        Self {
            reader,
            cutter,
            block_bytes: block_bytes.max(1),
            record_limit: record_limit.max(1),
            carry: Vec::new(),
            at_end: false,
            pool: Arc::default(),
        }
    }

    /// What finds the record ends.
    pub(crate) fn cutter(&mut self) -> &mut C {
        &mut self.cutter
    }

    /// Takes the next piece off the front of the input, or `None` at its end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if self.at_end {
                return Ok(self.rest());
            }
            let mut block = self.pool.take(self.carry.len(), self.block_bytes);
            block.push(&self.carry);
            let scanned = block.len();
            self.at_end = block.read_from(&mut self.reader, self.block_bytes)?;
            let end = self.cutter.scan(&block[scanned..], Want::Last);
            if let Some(end) = end {
                self.carry.clear();
                self.carry.extend_from_slice(&block[scanned + end..]);
                block.truncate(scanned + end);
                return Ok(Some(Piece::Records(block)));
            }
            self.carry.clear();
            self.carry.extend_from_slice(&block);
            if self.carry.len() > self.record_limit {
                return self.skip().map(Some);
            }
        }
    }

    /// What is left at the end of the input.
    fn rest(&mut self) -> Option<Piece> {
        if self.carry.is_empty() {
            return None;
        }
        let mut block = self.pool.take(self.carry.len(), 0);
        block.push(&self.carry);
        self.carry.clear();
        Some(Piece::Records(block))
    }

    /// Skips the rest of the record of which `carry` holds the beginning.
    fn skip(&mut self) -> io::Result<Piece> {
        let mut head = std::mem::take(&mut self.carry);
        let mut bytes = head.len() as u64;
        let mut newlines = count_newlines(&head);
        head.truncate(HEAD_BYTES);
        head.shrink_to_fit();
        while !self.at_end {
            let mut block = self.pool.take(0, self.block_bytes);
            self.at_end = block.read_from(&mut self.reader, self.block_bytes)?;
            if let Some(end) = self.cutter.scan(&block, Want::First) {
                bytes += end as u64;
                newlines += count_newlines(&block[..end]);
                self.reread(&block[end..]);
                break;
            }
            bytes += block.len() as u64;
            newlines += count_newlines(&block);
        }
        Ok(Piece::TooLong {
            head,
            bytes,
            newlines,
        })
    }

    /// Puts bytes back in front of the input, as bytes the cutter has not seen.
    fn reread(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let reader = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(io::Cursor::new(bytes.to_vec()).chain(reader));
        self.at_end = false;
    }
}

/// Counts the newlines of a stretch of bytes.
pub(crate) fn count_newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// A stretch of whole records, in a buffer that goes back to its pool.
pub(crate) struct Block {
    bytes: Vec<u8>,
    live: Range<usize>,
    pool: Arc<Pool>,
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} bytes)", self.len())
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.live.clone()]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.bytes));
    }
}

impl Block {
    fn push(&mut self, bytes: &[u8]) {
        let end = self.live.end + bytes.len();
        self.bytes[self.live.end..end].copy_from_slice(bytes);
        self.live.end = end;
    }

    fn truncate(&mut self, len: usize) {
        self.live.end = self.live.start + len;
    }

    /// Reads up to `n` bytes and returns whether the input is at its end.
    fn read_from(&mut self, reader: &mut dyn Read, n: usize) -> io::Result<bool> {
        let target = self.live.end + n;
        while self.live.end < target {
            match reader.read(&mut self.bytes[self.live.end..target]) {
                Ok(0) => return Ok(true),
                Ok(read) => self.live.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// Buffers that wait for their next block.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// A block whose live range is empty, with room for `carried` bytes that
    /// end at a page boundary and `fresh` bytes behind it.
    fn take(self: &Arc<Self>, carried: usize, fresh: usize) -> Block {
        let wanted = carried + PAGE + fresh;
        let mut idle = self.idle.lock().expect("no holder of the pool panics");
        // The one that was given back last, as most of it is still at hand.
        let found = idle.iter().rposition(|buffer| buffer.len() >= wanted);
        let bytes = found.map(|at| idle.remove(at));
        drop(idle);
        let bytes = bytes.unwrap_or_else(|| vec![0; wanted + wanted / 16]);
        let to_page = bytes[carried..].as_ptr().align_offset(PAGE);
        let start = if to_page < PAGE { to_page } else { 0 };
        Block {
            bytes,
            live: start..start,
            pool: Arc::clone(self),
        }
    }

    fn give(&self, buffer: Vec<u8>) {
        const MOST_IDLE: usize = 8;
        const MOST_BYTES: usize = 4 << 20;
        let mut idle = self.idle.lock().expect("no holder of the pool panics");
        if idle.len() < MOST_IDLE && buffer.len() <= MOST_BYTES {
            idle.push(buffer);
        }
    }
}
