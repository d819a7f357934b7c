//! Where each example came from, kept beside the data.
//!
//! A passport has one stamp for each line of its JSONL, in order: source file,
//! record number, physical line, a 128-bit fingerprint of the line (XXH3), and
//! the group it belongs to, if one was asked for. It takes some twenty bytes
//! for an example and is read from the middle without reading the rest.
//!
//! The file, all integers little-endian or LEB128:
//!
//! ```text
//! "prep-passport-1\n"
//! blocks of up to 4096 stamps, one after the other; each stamp is
//!     source, zigzag(record − last record − 1), zigzag(line − last line), fingerprint (16 bytes),
//!     group length, group
//! the offsets of the blocks, 8 bytes each
//! a JSON object: {"schema":1,"stamps":n,"blocks":n,"grouped":bool,"sources":[…],"steps":[…]}
//! the length of that object, 8 bytes
//! "prep-passport-1\n"
//! ```
//!
//! `record` and `line` start at 0 in each block.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

const MAGIC: &[u8; 16] = b"prep-passport-1\n";
const BLOCK_STAMPS: u64 = 4096;

/// Where one example came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The source, an index into [`Footer::sources`].
    pub source: u32,
    /// The record's number in its source, from 1.
    pub record: u64,
    /// The physical line on which the record begins, from 1.
    pub line: u64,
    /// The fingerprint of the example's JSONL line, without its newline.
    pub fingerprint: u128,
    /// The group the example must stay together with; empty if there is none.
    pub group: String,
}

/// The fingerprint of a JSONL line without its newline.
#[must_use]
pub fn fingerprint(line: &[u8]) -> u128 {
    xxh3_128(line)
}

/// A file that examples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its path as it was given.
    pub path: String,
    /// Its length in bytes, as it lay on the disk.
    pub bytes: u64,
    /// Its BLAKE3 checksum, as it lay on the disk.
    pub blake3: String,
}

/// A source: one file, or two that were read side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFiles {
    /// The files.
    pub files: Vec<SourceFile>,
    /// How they were read, so that a record can be found again.
    pub read_as: serde_json::Value,
}

/// What a passport says about all its stamps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Footer {
    /// The version of the format.
    pub schema: u32,
    /// How many stamps there are: one for each line.
    pub stamps: u64,
    /// How many blocks there are.
    pub blocks: u64,
    /// Whether stamps have groups.
    pub grouped: bool,
    /// The files the examples came from.
    pub sources: Vec<SourceFiles>,
    /// What was done on the way, oldest first: one line a command.
    pub steps: Vec<String>,
}

/// Writes a passport, stamp by stamp.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    written: u64,
    offsets: Vec<u64>,
    stamps: u64,
    grouped: bool,
    last: (u64, u64),
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a passport.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self {
            out,
            written: MAGIC.len() as u64,
            offsets: Vec::new(),
            stamps: 0,
            grouped: false,
            last: (0, 0),
            buffer: Vec::with_capacity(1 << 17),
        })
    }

    /// Adds the stamp of the next line.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn push(&mut self, stamp: &Stamp) -> io::Result<()> {
        if self.stamps.is_multiple_of(BLOCK_STAMPS) {
            self.flush()?;
            self.offsets.push(self.written);
            self.last = (0, 0);
        }
        let (record, line) = self.last;
        let place = [
            u64::from(stamp.source),
            zigzag(stamp.record, record + 1),
            zigzag(stamp.line, line),
        ];
        if stamp.group.is_empty() && place.iter().all(|&number| number < 0x80) {
            // Nearly every stamp: each number is its own LEB128.
            let mut bytes = [0; 20];
            for (byte, number) in bytes.iter_mut().zip(place) {
                *byte = number as u8;
            }
            bytes[3..19].copy_from_slice(&stamp.fingerprint.to_le_bytes());
            self.buffer.extend_from_slice(&bytes);
        } else {
            place
                .iter()
                .for_each(|&number| leb128(number, &mut self.buffer));
            self.buffer
                .extend_from_slice(&stamp.fingerprint.to_le_bytes());
            leb128(stamp.group.len() as u64, &mut self.buffer);
            self.buffer.extend_from_slice(stamp.group.as_bytes());
            self.grouped |= !stamp.group.is_empty();
        }
        self.last = (stamp.record, stamp.line);
        self.stamps += 1;
        Ok(())
    }

    /// Ends the passport and gives back what it was written to.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn finish(mut self, sources: Vec<SourceFiles>, steps: Vec<String>) -> io::Result<W> {
        for offset in &self.offsets {
            self.buffer.extend_from_slice(&offset.to_le_bytes());
        }
        let footer = Footer {
            schema: 1,
            stamps: self.stamps,
            blocks: self.offsets.len() as u64,
            grouped: self.grouped,
            sources,
            steps,
        };
        let json = serde_json::to_vec(&footer)?;
        self.buffer.extend_from_slice(&json);
        self.buffer
            .extend_from_slice(&(json.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(MAGIC);
        self.flush()?;
        Ok(self.out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// A passport, open for looking stamps up and for reading them in order.
#[derive(Debug)]
pub struct Passport {
    file: BufReader<File>,
    footer: Footer,
    /// Where the list of block offsets begins, which is where stamps end.
    index: u64,
}

/// Why a passport cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PassportError {
    /// The file cannot be opened or read.
    #[error("cannot read the passport `{}`", path.display())]
    Read {
        /// The passport.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no passport, or a damaged one.
    #[error("`{}` is no passport, or it is damaged", path.display())]
    Damaged {
        /// The passport.
        path: PathBuf,
    },
}

impl Passport {
    /// Opens a passport.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is damaged.
    pub fn open(path: &Path) -> Result<Self, PassportError> {
        let read = |source| PassportError::Read {
            path: path.into(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(read)?);
        match Self::read_footer(&mut file) {
            Ok(Some((footer, index))) => Ok(Self {
                file,
                footer,
                index,
            }),
            Ok(None) => Err(PassportError::Damaged { path: path.into() }),
            Err(error) => Err(read(error)),
        }
    }

    fn read_footer(file: &mut BufReader<File>) -> io::Result<Option<(Footer, u64)>> {
        let end = file.seek(SeekFrom::End(0))?;
        let tail = 8 + MAGIC.len() as u64;
        if end < tail + MAGIC.len() as u64 {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(end - tail))?;
        let mut length = [0; 8];
        let mut magic = [0; 16];
        file.read_exact(&mut length)?;
        file.read_exact(&mut magic)?;
        let length = u64::from_le_bytes(length);
        if &magic != MAGIC || length > end - tail {
            return Ok(None);
        }
        let start = end - tail - length;
        file.seek(SeekFrom::Start(start))?;
        let footer: Result<Footer, _> = serde_json::from_reader(file.take(length));
        Ok(footer.ok().and_then(|footer| {
            let index = start.checked_sub(footer.blocks.checked_mul(8)?)?;
            Some((footer, index))
        }))
    }

    /// What the passport says about all its stamps.
    #[must_use]
    pub fn footer(&self) -> &Footer {
        &self.footer
    }

    /// The stamp of a line, from 1, or `None` if there is no such line.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn stamp(&mut self, line: u64) -> io::Result<Option<Stamp>> {
        if line == 0 || line > self.footer.stamps {
            return Ok(None);
        }
        let (block, within) = ((line - 1) / BLOCK_STAMPS, (line - 1) % BLOCK_STAMPS);
        self.file.seek(SeekFrom::Start(self.index + 8 * block))?;
        let mut offset = [0; 8];
        self.file.read_exact(&mut offset)?;
        self.file
            .seek(SeekFrom::Start(u64::from_le_bytes(offset)))?;
        let mut last = (0, 0);
        for _ in 0..within {
            read_stamp(&mut self.file, &mut last)?;
        }
        read_stamp(&mut self.file, &mut last).map(Some)
    }

    /// Gives every stamp in order to `each`.
    ///
    /// # Errors
    ///
    /// When reading fails, or `each` does.
    pub fn for_each(&mut self, mut each: impl FnMut(Stamp) -> io::Result<()>) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        let mut last = (0, 0);
        for n in 0..self.footer.stamps {
            if n.is_multiple_of(BLOCK_STAMPS) {
                last = (0, 0);
            }
            each(read_stamp(&mut self.file, &mut last)?)?;
        }
        Ok(())
    }
}

/// The stamps of a passport, to be taken one after the other.
#[derive(Debug)]
pub(super) struct Stamps {
    file: BufReader<File>,
    /// How many were taken, and how many there are.
    n: u64,
    n_stamps: u64,
    last: (u64, u64),
}

impl Passport {
    /// Begins to take stamps in order.
    pub(super) fn into_stamps(mut self) -> io::Result<Stamps> {
        self.file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        Ok(Stamps {
            file: self.file,
            n: 0,
            n_stamps: self.footer.stamps,
            last: (0, 0),
        })
    }
}

impl Stamps {
    /// The stamp of a line, from 1, or `None` if there is none. Lines are asked
    /// for in ascending order.
    pub(super) fn of_line(&mut self, line: u64) -> io::Result<Option<Stamp>> {
        let mut stamp = None;
        while self.n < line.min(self.n_stamps) {
            if self.n.is_multiple_of(BLOCK_STAMPS) {
                self.last = (0, 0);
            }
            stamp = Some(read_stamp(&mut self.file, &mut self.last)?);
            self.n += 1;
        }
        Ok(stamp.filter(|_| self.n == line))
    }
}

fn read_stamp(input: &mut impl Read, last: &mut (u64, u64)) -> io::Result<Stamp> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the stamp is damaged");
    let source = u32::try_from(read_leb128(input)?).map_err(|_| damaged())?;
    let record = unzigzag(read_leb128(input)?, last.0.wrapping_add(1));
    let line = unzigzag(read_leb128(input)?, last.1);
    let mut fingerprint = [0; 16];
    input.read_exact(&mut fingerprint)?;
    let length = read_leb128(input)?;
    let mut group = Vec::new();
    if input.by_ref().take(length).read_to_end(&mut group)? as u64 != length {
        return Err(damaged());
    }
    *last = (record, line);
    Ok(Stamp {
        source,
        record,
        line,
        fingerprint: u128::from_le_bytes(fingerprint),
        group: String::from_utf8(group).map_err(|_| damaged())?,
    })
}

fn zigzag(value: u64, base: u64) -> u64 {
    let difference = value.wrapping_sub(base).cast_signed();
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

fn unzigzag(code: u64, base: u64) -> u64 {
    let difference = (code >> 1) ^ (code & 1).wrapping_neg();
    base.wrapping_add(difference)
}

fn leb128(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_leb128(input: &mut impl Read) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the number has no end",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamps() -> impl Strategy<Value = Vec<Stamp>> {
        let stamp = (
            0..3_u32,
            any::<u64>(),
            any::<u64>(),
            any::<u128>(),
            "[a-zé]{0,3}",
        )
            .prop_map(|(source, record, line, fingerprint, group)| Stamp {
                source,
                record,
                line,
                fingerprint,
                group,
            });
        proptest::collection::vec(stamp, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(few in stamps(), repeats in prop_oneof![Just(1_usize), Just(300)]) {
            let stamps: Vec<_> = few.iter().cycle().take(few.len() * repeats).cloned().collect();
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut writer = Writer::new(file.reopen().unwrap()).unwrap();
            for stamp in &stamps {
                writer.push(stamp).unwrap();
            }
            writer.finish(Vec::new(), vec!["convert".into()]).unwrap();
            let mut passport = Passport::open(file.path()).unwrap();
            let mut read = Vec::new();
            passport.for_each(|stamp| { read.push(stamp); Ok(()) }).unwrap();
            prop_assert_eq!(&read, &stamps);
            for line in [1, stamps.len() / 2, stamps.len()] {
                let expected = line.checked_sub(1).and_then(|n| stamps.get(n)).cloned();
                prop_assert_eq!(passport.stamp(line as u64).unwrap(), expected);
            }
        }
    }

    #[test]
    fn a_damaged_passport_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"prep-passport-1\nprep-passport-1\n........").unwrap();
        assert!(matches!(
            Passport::open(file.path()),
            Err(PassportError::Damaged { .. })
        ));
    }
}
