//! The zip archive that a workbook is: where its parts are, and what is in
//! them.
//!
//! Nothing an archive declares is trusted: a part must end where its declared
//! size and checksum say, and the declared sizes have limits.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::xml::in_words;

/// The most that all parts may take together: ten times a sheet of Excel's
/// full height with two short columns.
const UNPACKED_LIMIT: u64 = 4 << 30;
/// The most that a part may take which is held in memory.
pub(super) const HELD_LIMIT: u64 = 1 << 30;
/// How many times its packed size a part may take, once that is more than
/// [`RATIO_FROM`]. Sheets of like rows reach 50.
const RATIO_LIMIT: u64 = 200;
/// The size up to which the ratio does not matter.
const RATIO_FROM: u64 = 10 << 20;

/// An archive, its parts in any order.
pub(super) struct Archive {
    file: File,
    parts: Vec<Part>,
}

impl Archive {
    /// Lists the parts of an archive, and looks at the sizes they declare.
    pub(super) fn open(file: File) -> Result<Self, String> {
        let damaged = |error| format!("its zip archive is damaged: {error}");
        let mut archive = ZipArchive::new(file).map_err(damaged)?;
        let mut parts = Vec::new();
        for n in 0..archive.len() {
            let entry = archive.by_index_raw(n).map_err(damaged)?;
            let name = entry.name().map_err(in_words)?.replace('\\', "/");
            if entry.encrypted() {
                return Err("it is protected by a password; save it without one".into());
            }
            let is_deflated = match entry.compression() {
                CompressionMethod::Stored => false,
                CompressionMethod::Deflated => true,
                other => {
                    return Err(format!(
                        "its part `{name}` is packed with {other}, which workbooks do not use"
                    ));
                }
            };
            parts.push(Part {
                start: entry.data_start().ok_or("its zip archive is damaged")?,
                packed: entry.compressed_size(),
                size: entry.size(),
                crc: entry.crc32(),
                is_deflated,
                name,
            });
        }
        check_sizes(&parts)?;
        let file = archive.into_inner();
        Ok(Self { file, parts })
    }

    /// The size of a part, unpacked; `None` if there is no such part.
    pub(super) fn size(&self, name: &str) -> Option<u64> {
        self.part(name).map(|part| part.size)
    }

    /// A part from its beginning. The file has one position, so that no other
    /// part can be read until this one is done with.
    pub(super) fn reader(&self, name: &str) -> Result<PartReader, String> {
        let part = self
            .part(name)
            .ok_or_else(|| format!("its part `{name}` is missing"))?;
        PartReader::new(&self.file, part).map_err(in_words)
    }

    /// A small part as text.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        let mut text = String::new();
        self.reader(name)?
            .take(HELD_LIMIT)
            .read_to_string(&mut text)
            .map_err(|error| format!("its part `{name}` cannot be read: {error}"))?;
        Ok(text)
    }

    fn part(&self, name: &str) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.name.eq_ignore_ascii_case(name))
    }
}

/// A part of the archive, by its place.
struct Part {
    name: String,
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    is_deflated: bool,
}

/// The content of a part, which must be what the archive declares.
pub(super) struct PartReader {
    inner: Box<dyn Read + Send>,
    left: u64,
    crc: Crc,
    declared: u32,
}

impl PartReader {
    fn new(file: &File, part: &Part) -> io::Result<Self> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(part.start))?;
        let packed = file.take(part.packed);
        Ok(Self {
            inner: match part.is_deflated {
                true => Box::new(DeflateDecoder::new(packed)),
                false => Box::new(packed),
            },
            left: part.size,
            crc: Crc::new(),
            declared: part.crc,
        })
    }
}

impl Read for PartReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        let damaged = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if n == 0 && !into.is_empty() {
            return match (self.left, self.crc.sum() == self.declared) {
                (0, true) => Ok(0),
                (0, false) => damaged("its checksum does not match"),
                _ => damaged("it is shorter than the archive says"),
            };
        }
        self.crc.update(&into[..n]);
        match self.left.checked_sub(n as u64) {
            Some(left) => self.left = left,
            None => return damaged("it is longer than the archive says"),
        }
        Ok(n)
    }
}

fn check_sizes(parts: &[Part]) -> Result<(), String> {
    let total = parts
        .iter()
        .fold(0_u64, |total, part| total.saturating_add(part.size));
    if total > UNPACKED_LIMIT {
        return Err(format!(
            "it would unpack to {} MiB, the limit is {}",
            total >> 20,
            UNPACKED_LIMIT >> 20
        ));
    }
    let is_bomb = |part: &&Part| part.size > RATIO_FROM && part.size / RATIO_LIMIT > part.packed;
    match parts.iter().find(is_bomb) {
        None => Ok(()),
        Some(part) => Err(format!(
            "its part `{}` would unpack to more than {RATIO_LIMIT} times its size, {} MiB",
            part.name,
            part.size >> 20
        )),
    }
}
