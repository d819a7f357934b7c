//! Where lines are: 16 bytes for each 64 KiB that was read.

use crate::io::{InputError, Reread};
use crate::pipeline::lines::LINE_LIMIT;

/// Places of some lines, and the bytes at which they begin.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The place of each file's first line.
    files: Vec<u64>,
    /// The places of lines with their first bytes, file by file: the first of
    /// each batch, and some of the others.
    known: Vec<(u64, u64)>,
}

/// So many bytes are read at once, and lie between lines that are remembered.
const STEP: usize = 64 << 10;

impl Lines {
    /// Begins a file, whose first line is at `place`.
    pub(super) fn begin_file(&mut self, place: u64) {
        self.files.push(place);
    }

    /// Begins a batch of the last file at byte `offset`.
    pub(super) fn begin_batch(&mut self, place: u64, offset: u64) {
        self.known.push((place, offset));
    }

    /// Remembers a line of the last batch if it is far from the last that is
    /// remembered.
    pub(super) fn pass(&mut self, place: u64, offset: u64) {
        let last = self.known.last().map_or(0, |(_, last)| *last);
        if offset >= last + STEP as u64 {
            self.known.push((place, offset));
        }
    }

    /// The place of the first line of the file that was begun last.
    pub(super) fn file_start(&self) -> u64 {
        self.files.last().copied().unwrap_or_default()
    }

    /// Reads the line at a place, without its line end, and no more of it than
    /// the longest line may have. Costs reading what stands before it since the
    /// last line that is remembered.
    pub(super) fn read(&self, place: u64, rereads: &[Reread]) -> Result<Vec<u8>, InputError> {
        let file = self.files.partition_point(|start| *start <= place) - 1;
        let known = self.known.partition_point(|(start, _)| *start <= place) - 1;
        let (mut at, mut offset) = self.known[known];
        let mut line = Vec::new();
        let mut buffer = vec![0; STEP];
        loop {
            let n = rereads[file].read_some(offset, &mut buffer)?;
            if n == 0 {
                return Ok(line);
            }
            offset += n as u64;
            let mut rest = &buffer[..n];
            while let Some(end) = memchr::memchr(b'\n', rest) {
                if at == place {
                    line.extend_from_slice(&rest[..end]);
                    if line.last() == Some(&b'\r') {
                        line.pop();
                    }
                    return Ok(line);
                }
                at += 1;
                rest = &rest[end + 1..];
            }
            if at == place {
                line.extend_from_slice(rest);
                if line.len() > LINE_LIMIT {
                    line.truncate(LINE_LIMIT);
                    return Ok(line);
                }
            }
        }
    }
}
