//! An input file or standard input, decompressed by content.
//!
//! Compression is told by magic bytes and never by name, so a `.csv` that is
//! really a gzip is read as what it is. The bytes that leave the disk are
//! counted for the progress bar and hashed for the manifest on the way, once.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{OutputError, Scratch};

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip, RFC 1952; several members are read one after the other.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
}

impl Compression {
    /// Every compression, in the order in which extensions are tried.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Zstd, Self::Bzip2, Self::Xz];

    /// Tells the compression from a file's first bytes.
    #[must_use]
    pub fn of_content(head: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| {
            let magic: &[u8] = match compression {
                Self::Gzip => b"\x1f\x8b",
                Self::Zstd => b"\x28\xb5\x2f\xfd",
                Self::Bzip2 => b"BZh",
                Self::Xz => b"\xfd7zXZ\0",
            };
            head.starts_with(magic)
        })
    }

    /// Tells the compression from a file's name, for outputs.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL
            .into_iter()
            .find(|compression| extension.eq_ignore_ascii_case(compression.extension()))
    }

    /// The extension of such files, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
            Self::Bzip2 => "bz2",
            Self::Xz => "xz",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "Zstandard",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        })
    }
}

/// Why an input cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The path names a directory.
    #[error("`{}` is a directory", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be opened or read.
    #[error("cannot read `{}`", path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// How far an input has been read: shared with whoever draws the bar.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    checksum: Mutex<Option<blake3::Hasher>>,
    is_unsummed: AtomicBool,
}

impl Progress {
    /// Bytes that have left the file so far, before decompression.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The BLAKE3 checksum of the bytes read so far, in hexadecimal; empty if
    /// the input is read without one.
    #[must_use]
    pub fn checksum(&self) -> String {
        if self.is_unsummed.load(Ordering::Relaxed) {
            return String::new();
        }
        let checksum = self
            .checksum
            .lock()
            .expect("no reader panics while it hashes");
        checksum
            .as_ref()
            .map_or_else(|| blake3::hash(b""), blake3::Hasher::finalize)
            .to_hex()
            .to_string()
    }

    fn add(&self, bytes: &[u8]) {
        self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if self.is_unsummed.load(Ordering::Relaxed) {
            return;
        }
        let mut checksum = self
            .checksum
            .lock()
            .expect("no reader panics while it hashes");
        checksum
            .get_or_insert_with(blake3::Hasher::new)
            .update(bytes);
    }
}

/// An input, open and decompressed, of which the beginning may be looked at.
pub struct Input {
    name: String,
    path: Option<PathBuf>,
    size: Option<u64>,
    compression: Option<Compression>,
    head: Vec<u8>,
    reader: Box<dyn Read + Send>,
    progress: Arc<Progress>,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// When the path is a directory, or cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path == Path::new("-") {
            return Self::new("standard input".into(), None, None, Box::new(io::stdin())).map_err(
                |source| InputError::Open {
                    path: path.into(),
                    source,
                },
            );
        }
        let failed = |source| InputError::Open {
            path: path.into(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(InputError::Directory { path: path.into() });
        }
        let size = metadata.is_file().then_some(metadata.len());
        let name = path.display().to_string();
        Self::new(name, Some(path.into()), size, Box::new(file)).map_err(failed)
    }

    /// An input of the given bytes, for tests and for what is already at hand.
    ///
    /// # Errors
    ///
    /// When the bytes begin like a compressed file and do not go on like one.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> io::Result<Self> {
        let size = bytes.len() as u64;
        Self::new(name.into(), None, Some(size), Box::new(Cursor::new(bytes)))
    }

    /// An input that is not packed, whatever its first bytes are.
    pub(super) fn plain(name: String, size: u64, raw: Box<dyn Read + Send>) -> Self {
        let progress = Arc::new(Progress::default());
        let counted = Counted {
            inner: raw,
            progress: Arc::clone(&progress),
        };
        Self {
            name,
            path: None,
            size: Some(size),
            compression: None,
            head: Vec::new(),
            reader: Box::new(counted),
            progress,
        }
    }

    fn new(
        name: String,
        path: Option<PathBuf>,
        size: Option<u64>,
        raw: Box<dyn Read + Send>,
    ) -> io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let mut counted = Counted {
            inner: raw,
            progress: Arc::clone(&progress),
        };
        let mut head = Vec::new();
        fill(&mut counted, &mut head, 8)?;
        let compression = Compression::of_content(&head);
        let (head, reader): (_, Box<dyn Read + Send>) = match compression {
            None => (head, Box::new(counted)),
            Some(compression) => {
                let packed = BufReader::with_capacity(1 << 18, Cursor::new(head).chain(counted));
                (Vec::new(), decompressor(compression, packed)?)
            }
        };
        Ok(Self {
            name,
            path,
            size,
            compression,
            head,
            reader,
            progress,
        })
    }

    /// The same input, whose checksum nobody asks for: then none is taken, which
    /// saves 0.15 s a gigabyte.
    #[must_use]
    pub fn without_checksum(self) -> Self {
        self.progress.is_unsummed.store(true, Ordering::Relaxed);
        self
    }

    /// The same input, of which all that is read from now on, and was looked
    /// at before, is written to `copy`.
    pub(super) fn copying_to(mut self, copy: Arc<Scratch>) -> Result<Self, OutputError> {
        copy.append(&self.head)?;
        let inner = self.reader;
        self.reader = Box::new(Copying { inner, copy });
        Ok(self)
    }

    /// The name to show: the path as given, or `standard input`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path, unless this is standard input.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The file name without directories and without the extension of its
    /// compression: `corpus.en` for `data/corpus.en.gz`.
    #[must_use]
    pub fn plain_name(&self) -> &str {
        let name = self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name);
        match self.compression {
            Some(compression) => name
                .strip_suffix(compression.extension())
                .and_then(|name| name.strip_suffix('.'))
                .unwrap_or(name),
            None => name,
        }
    }

    /// The size on disk in bytes, where it is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// How the file is packed.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// The counter that reading advances.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// The first bytes after decompression: `n` of them, or all there are.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        if self.head.len() < n {
            let missing = n - self.head.len();
            fill(&mut self.reader, &mut self.head, missing)?;
        }
        Ok(&self.head[..self.head.len().min(n)])
    }

    /// The whole input as bytes, from the beginning, decompressed.
    #[must_use]
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        if self.head.is_empty() {
            self.reader
        } else {
            Box::new(Cursor::new(self.head).chain(self.reader))
        }
    }

    /// The whole input with random access, for formats whose index is at the
    /// end. A plain file is used as it is; anything else is first copied to an
    /// unnamed temporary file, `limit` bytes of it at most.
    ///
    /// # Errors
    ///
    /// When reading or writing fails, or the input is longer than `limit`
    /// once decompressed.
    pub fn into_seekable(self, limit: u64) -> io::Result<Seekable> {
        if let (Some(path), None) = (&self.path, self.compression) {
            let mut file = File::open(path)?;
            if file.metadata()?.is_file() {
                hash_rest(self)?;
                return Ok(Seekable(file));
            }
            // A pipe with a name: what was peeked is gone from it.
            file = tempfile::tempfile()?;
            return spool(self, file, limit);
        }
        let file = tempfile::tempfile()?;
        spool(self, file, limit)
    }
}

/// An input with random access.
#[derive(Debug)]
pub struct Seekable(File);

impl Seekable {
    /// The file, at its beginning.
    #[must_use]
    pub fn into_file(self) -> File {
        self.0
    }
}

/// Reads an input to its end so that its checksum is that of the whole file.
fn hash_rest(input: Input) -> io::Result<()> {
    io::copy(&mut input.into_reader(), &mut io::sink())?;
    Ok(())
}

fn spool(input: Input, mut file: File, limit: u64) -> io::Result<Seekable> {
    let copied = io::copy(&mut input.into_reader().take(limit + 1), &mut file)?;
    if copied > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {} MiB once unpacked", limit >> 20),
        ));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(Seekable(file))
}

fn decompressor(
    compression: Compression,
    packed: impl BufRead + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new(packed, true)),
    })
}

/// Appends up to `n` bytes, fewer only at the end of the input.
fn fill(reader: &mut impl Read, into: &mut Vec<u8>, n: usize) -> io::Result<()> {
    reader.by_ref().take(n as u64).read_to_end(into)?;
    Ok(())
}

/// Copies what passes.
struct Copying {
    inner: Box<dyn Read + Send>,
    copy: Arc<Scratch>,
}

impl Read for Copying {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.copy.append(&into[..n]).map_err(io::Error::other)?;
        Ok(n)
    }
}

/// Counts and hashes what passes.
struct Counted {
    inner: Box<dyn Read + Send>,
    progress: Arc<Progress>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.progress.add(&into[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> Vec<u8> {
        let mut input = Input::from_bytes("x", bytes).unwrap();
        input.peek(3).unwrap();
        let mut all = Vec::new();
        input.into_reader().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn compression_is_told_by_content() {
        let text = b"hello, hello, hello".to_vec();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&text).unwrap();
        let mut xz =
            lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
        xz.write_all(&text).unwrap();
        assert_eq!(read(text.clone()), text);
        assert_eq!(read(gzip.finish().unwrap()), text);
        assert_eq!(read(bzip2.finish().unwrap()), text);
        assert_eq!(read(xz.finish().unwrap()), text);
        assert_eq!(read(zstd::encode_all(&text[..], 1).unwrap()), text);
    }

    #[test]
    fn what_was_read_is_counted_and_hashed() {
        let input = Input::from_bytes("x", b"abc".to_vec()).unwrap();
        let progress = input.progress();
        io::copy(&mut input.into_reader(), &mut io::sink()).unwrap();
        assert_eq!(progress.bytes(), 3);
        assert_eq!(
            progress.checksum(),
            blake3::hash(b"abc").to_hex().to_string()
        );
    }

    #[test]
    fn a_directory_is_refused() {
        let error = Input::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
        assert!(matches!(error, InputError::Directory { .. }), "{error}");
    }
}
