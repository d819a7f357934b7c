//! A look at the footer before it is decoded.
//!
//! The decoder believes what a footer says about its own lists: one of 2^60
//! members that take no bytes keeps it busy for ever. So the footer is walked
//! over first, in time that goes with its length: every member must have a byte.
//! The format is Thrift's compact protocol.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The most bytes of a footer that is looked at: what is longer is left to the
/// decoder.
const MOST_BYTES: u64 = 64 << 20;

/// How deep structures may stand in each other.
const MOST_DEPTH: u32 = 64;

/// Whether a file ends with a footer whose lists are as long as they say, or
/// with something that is no footer at all, which the decoder tells.
pub(super) fn is_sound(file: &mut File) -> io::Result<bool> {
    let len = file.seek(SeekFrom::End(0))?;
    if len < 12 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-8))?;
    let mut end = [0; 8];
    file.read_exact(&mut end)?;
    let [a, b, c, d, magic @ ..] = end;
    let n = u64::from(u32::from_le_bytes([a, b, c, d]));
    if magic != *b"PAR1" || n > len - 8 || n > MOST_BYTES {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(len - 8 - n))?;
    let mut footer = vec![0; n as usize];
    file.read_exact(&mut footer)?;
    Ok(Walk { rest: &footer }.structure(0).is_some())
}

/// What of a footer has not been walked over. `None` everywhere: it ends before
/// it should, or is none.
struct Walk<'f> {
    rest: &'f [u8],
}

impl Walk<'_> {
    fn structure(&mut self, depth: u32) -> Option<()> {
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            if header >> 4 == 0 {
                self.number()?;
            }
            match header & 0xf {
                // The value of a truth is its type.
                1 | 2 => {}
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > MOST_DEPTH {
            return None;
        }
        match kind {
            1..=3 => self.byte().map(drop),
            4..=6 => self.number().map(drop),
            7 => self.skip(8),
            8 => {
                let len = self.number()?;
                self.skip(len)
            }
            9 | 10 => {
                let header = self.byte()?;
                let len = match header >> 4 {
                    15 => self.number()?,
                    len => u64::from(len),
                };
                self.members(len, &[header & 0xf], depth)
            }
            11 => match self.number()? {
                0 => Some(()),
                len => {
                    let kinds = self.byte()?;
                    self.members(len, &[kinds >> 4, kinds & 0xf], depth)
                }
            },
            12 => self.structure(depth + 1),
            _ => None,
        }
    }

    fn members(&mut self, len: u64, kinds: &[u8], depth: u32) -> Option<()> {
        if len > self.rest.len() as u64 {
            return None;
        }
        for _ in 0..len {
            for kind in kinds {
                self.value(*kind, depth + 1)?;
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn skip(&mut self, len: u64) -> Option<()> {
        let rest = self.rest.get(usize::try_from(len).ok()?..)?;
        self.rest = rest;
        Some(())
    }
}
