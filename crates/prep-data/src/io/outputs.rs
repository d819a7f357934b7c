//! The files of one run, which take their places together.
//!
//! Beside a dataset stand its passport, its rejects, if there are any, and its
//! manifest. All are written under temporary names, synced, and then renamed,
//! the manifest last. A process killed between two renames leaves the new
//! manifest under its temporary name: the next run knows from it that what it
//! finds is ours.
//!
//! A file that is there already is replaced only if it is byte for byte what
//! a manifest says was written there, or when the caller insists.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::atomic::{AtomicFile, OutputError, moving, partial_path, rename_all, sync_all};
use super::manifest::{Manifest, OutputFile, checksum, sidecar};
use super::{Cause, Compression, writeback};

/// What to do about a file that is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Replace it if it is what `prep` wrote there.
    IfOurs,
    /// Replace it.
    Always,
}

/// The names of the files of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputPaths {
    /// The dataset.
    pub data: PathBuf,
    /// Where its examples came from.
    pub passport: PathBuf,
    /// What could not become an example.
    pub rejects: PathBuf,
    /// The account of the run.
    pub manifest: PathBuf,
    /// Further files of the run, such as a list of clusters.
    pub more: Vec<PathBuf>,
}

impl OutputPaths {
    /// The names that belong to a dataset.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self {
            data: data.into(),
            passport: sidecar(data, "passport"),
            rejects: sidecar(data, "rejects.jsonl"),
            manifest: Manifest::path_of(data),
            more: Vec::new(),
        }
    }

    /// How the manifest names a file: by its name alone if it stands beside.
    fn name_of(&self, path: &Path) -> String {
        match path.file_name() {
            Some(name) if path.parent() == self.manifest.parent() => {
                name.to_string_lossy().into_owned()
            }
            _ => path.display().to_string(),
        }
    }

    /// Checks that whatever stands in the way may be replaced.
    ///
    /// # Errors
    ///
    /// [`OutputError::NotOurs`] for the first file that may not.
    pub fn check(&self, overwrite: Overwrite) -> Result<(), OutputError> {
        if overwrite == Overwrite::Always {
            return Ok(());
        }
        let mut manifests = Vec::new();
        for path in [&self.manifest, &partial_path(&self.manifest)] {
            match Manifest::read(path) {
                Ok(manifest) => manifests.extend(manifest),
                // A manifest that was being written when its run was killed.
                Err(_) if path != &self.manifest => {}
                Err(source) if source.is_data_error() => {
                    return Err(OutputError::NotOurs {
                        path: path.clone(),
                        cause: Cause(format!("it is no manifest: {source}")),
                    });
                }
                Err(source) => {
                    return Err(OutputError::Manifest {
                        path: path.clone(),
                        source,
                    });
                }
            }
        }
        [&self.data, &self.passport, &self.rejects]
            .into_iter()
            .chain(&self.more)
            .try_for_each(|path| check_ours(path, &self.name_of(path), &manifests))
    }
}

trait IsDataError {
    fn is_data_error(&self) -> bool;
}

impl IsDataError for io::Error {
    fn is_data_error(&self) -> bool {
        matches!(
            self.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        )
    }
}

/// Checks that a file is absent, or what one of the manifests says.
fn check_ours(path: &Path, name: &str, manifests: &[Manifest]) -> Result<(), OutputError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(OutputError::Create {
                path: path.into(),
                source,
            });
        }
    };
    if !metadata.is_file() {
        return Err(OutputError::NoFile { path: path.into() });
    }
    let not_ours = |cause: String| OutputError::NotOurs {
        path: path.into(),
        cause: Cause(cause),
    };
    let known: Vec<_> = manifests
        .iter()
        .filter_map(|manifest| manifest.output(name))
        .collect();
    let Some(last) = known.last() else {
        return Err(not_ours("no manifest beside it names it".into()));
    };
    if known.iter().all(|output| output.bytes != metadata.len()) {
        let (is, was) = (metadata.len(), last.bytes);
        return Err(not_ours(format!(
            "it has {is} bytes, in its manifest it has {was}"
        )));
    }
    let (_, blake3) = checksum(path).map_err(|source| OutputError::Create {
        path: path.into(),
        source,
    })?;
    if known.iter().any(|output| output.blake3 == blake3) {
        return Ok(());
    }
    let (is, was) = (&blake3[..8], last.blake3.get(..8).unwrap_or_default());
    Err(not_ours(format!(
        "its checksum begins with {is}, in its manifest it begins with {was}"
    )))
}

/// Writes one output: compressed if its name says so, counted and hashed as it
/// reaches the disk.
pub struct OutputWriter {
    packed: Packed,
}

impl std::fmt::Debug for OutputWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutputWriter").finish_non_exhaustive()
    }
}

/// The compressions an output may have.
enum Packed {
    Plain(Hashed),
    Gzip(flate2::write::GzEncoder<Hashed>),
    Zstd(zstd::Encoder<'static, Hashed>),
    Bzip2(bzip2::write::BzEncoder<Hashed>),
    Xz(Box<lzma_rust2::XzWriter<Hashed>>),
}

/// Whether an output's SHA-256 is wanted beside its BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sha256Wanted {
    /// It is.
    Yes,
    /// It is not, which saves half of the time of a conversion.
    No,
}

/// An output that is written, and waits to be synced and renamed.
#[derive(Debug)]
pub struct Finished {
    file: Option<AtomicFile>,
    path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its BLAKE3 checksum in hexadecimal.
    pub blake3: String,
    /// Its SHA-256 in hexadecimal, if it was wanted.
    pub sha256: Option<String>,
}

impl OutputWriter {
    /// Begins an output that will appear at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be created.
    pub fn create(path: &Path, sha256: Sha256Wanted) -> Result<Self, OutputError> {
        let file = AtomicFile::create(path)?;
        let handle = file.handle()?;
        let hashed = Hashed::new(Box::new(handle), Some(file), path, sha256);
        Self::packed(hashed, Compression::of_name(path), path)
    }

    /// An output that goes nowhere, and is counted and hashed all the same.
    #[must_use]
    pub fn nowhere() -> Self {
        let path = Path::new("nowhere");
        let hashed = Hashed::new(Box::new(io::sink()), None, path, Sha256Wanted::No);
        Self {
            packed: Packed::Plain(hashed),
        }
    }

    /// An output that goes to standard output as it is.
    #[must_use]
    pub fn stdout(sha256: Sha256Wanted) -> Self {
        let path = Path::new("standard output");
        Self {
            packed: Packed::Plain(Hashed::new(Box::new(io::stdout()), None, path, sha256)),
        }
    }

    fn packed(
        hashed: Hashed,
        compression: Option<Compression>,
        path: &Path,
    ) -> Result<Self, OutputError> {
        let failed = |source| OutputError::Create {
            path: path.into(),
            source,
        };
        let packed = match compression {
            None => Packed::Plain(hashed),
            // No time and no name in the header: the same bytes every time.
            Some(Compression::Gzip) => Packed::Gzip(flate2::write::GzEncoder::new(
                hashed,
                flate2::Compression::new(6),
            )),
            Some(Compression::Zstd) => Packed::Zstd(zstd::Encoder::new(hashed, 3).map_err(failed)?),
            Some(Compression::Bzip2) => Packed::Bzip2(bzip2::write::BzEncoder::new(
                hashed,
                bzip2::Compression::new(6),
            )),
            Some(Compression::Xz) => {
                let options = lzma_rust2::XzOptions::with_preset(4);
                Packed::Xz(Box::new(
                    lzma_rust2::XzWriter::new(hashed, options).map_err(failed)?,
                ))
            }
        };
        Ok(Self { packed })
    }

    /// A handle with which another thread may bring to the disk what is written
    /// so far; `None` if the output is no file.
    ///
    /// # Errors
    ///
    /// When the system has no more handles.
    pub fn syncer(&self) -> Result<Option<Syncer>, OutputError> {
        let Some(file) = &self.hashed().file else {
            return Ok(None);
        };
        let path = file.target().to_path_buf();
        Ok(Some(Syncer {
            file: file.handle()?,
            path,
        }))
    }

    /// Ends the output.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(self) -> Result<Finished, OutputError> {
        let path = self.path();
        let hashed = match self.packed {
            Packed::Plain(hashed) => Ok(hashed),
            Packed::Gzip(encoder) => encoder.finish(),
            Packed::Zstd(encoder) => encoder.finish(),
            Packed::Bzip2(encoder) => encoder.finish(),
            Packed::Xz(encoder) => encoder.finish(),
        };
        let hashed = hashed.map_err(|source| OutputError::Write {
            path: path.clone(),
            source,
        })?;
        hashed.finish()
    }

    fn hashed(&self) -> &Hashed {
        match &self.packed {
            Packed::Plain(hashed) => hashed,
            Packed::Gzip(encoder) => encoder.get_ref(),
            Packed::Zstd(encoder) => encoder.get_ref(),
            Packed::Bzip2(encoder) => encoder.get_ref(),
            Packed::Xz(encoder) => encoder.inner(),
        }
    }

    fn path(&self) -> PathBuf {
        self.hashed().path.clone()
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.packed {
            Packed::Plain(hashed) => hashed,
            Packed::Gzip(encoder) => encoder,
            Packed::Zstd(encoder) => encoder,
            Packed::Bzip2(encoder) => encoder,
            Packed::Xz(encoder) => encoder,
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// [`OutputError::Write`], with the target's name.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.writer().write_all(bytes);
        written.map_err(|source| OutputError::Write {
            path: self.path(),
            source,
        })
    }
}

impl Write for OutputWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

/// Brings what was written to the disk while more is written.
#[derive(Debug)]
pub struct Syncer {
    file: File,
    path: PathBuf,
}

impl Syncer {
    /// Lets the disk have what is written so far. The output must still be
    /// finished, which waits until it is there.
    ///
    /// # Errors
    ///
    /// When the disk refuses it. The system may tell that once: the caller must
    /// not lose it.
    pub fn begin(&self) -> Result<(), OutputError> {
        writeback::begin(&self.file).map_err(|source| OutputError::Write {
            path: self.path.clone(),
            source,
        })
    }
}

/// Counts and hashes what reaches the file.
struct Hashed {
    out: Box<dyn Write + Send>,
    file: Option<AtomicFile>,
    path: PathBuf,
    bytes: u64,
    blake3: blake3::Hasher,
    sha256: Option<Sha256>,
}

impl Hashed {
    fn new(
        out: Box<dyn Write + Send>,
        file: Option<AtomicFile>,
        path: &Path,
        sha256: Sha256Wanted,
    ) -> Self {
        Self {
            out,
            file,
            path: path.into(),
            bytes: 0,
            blake3: blake3::Hasher::new(),
            sha256: (sha256 == Sha256Wanted::Yes).then(Sha256::new),
        }
    }

    fn finish(mut self) -> Result<Finished, OutputError> {
        self.out.flush().map_err(|source| OutputError::Write {
            path: self.path.clone(),
            source,
        })?;
        Ok(Finished {
            file: self.file,
            path: self.path,
            bytes: self.bytes,
            blake3: self.blake3.finalize().to_hex().to_string(),
            sha256: self.sha256.map(|sha256| hex(&sha256.finalize())),
        })
    }
}

/// The most that is written at once, in bytes. A longer write gets page-cache
/// folios so large that the system has to look for them: beyond half a
/// megabyte its time doubled. It is also still in the cache when it is hashed.
const MOST_WRITTEN: usize = 512 << 10;

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(MOST_WRITTEN)];
        let n = self.out.write(bytes)?;
        self.bytes += n as u64;
        self.blake3.update(&bytes[..n]);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(&bytes[..n]);
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

impl Finished {
    /// Syncs the file and moves it into place, for one that stands by itself.
    ///
    /// # Errors
    ///
    /// When the disk refuses it, or it cannot be renamed.
    pub fn persist(self) -> Result<(), OutputError> {
        self.file.map_or(Ok(()), AtomicFile::persist)
    }

    /// The file as its manifest names it.
    #[must_use]
    pub fn entry(&self, paths: &OutputPaths, examples: Option<u64>) -> OutputFile {
        OutputFile {
            path: paths.name_of(&self.path),
            examples,
            bytes: self.bytes,
            blake3: self.blake3.clone(),
        }
    }
}

/// A dataset of a run, to be moved into place.
#[derive(Debug)]
pub struct Whole<'a> {
    /// Its names.
    pub paths: &'a OutputPaths,
    /// The files that were written.
    pub files: Vec<Finished>,
    /// The manifest that names them.
    pub manifest: Manifest,
}

/// Moves the files of a run into place and writes the manifest that names
/// them. A rejects file of an earlier run goes when the manifest names none.
///
/// # Errors
///
/// When a file cannot be written or renamed.
pub fn commit(
    paths: &OutputPaths,
    files: Vec<Finished>,
    manifest: &Manifest,
) -> Result<(), OutputError> {
    let manifest = manifest.clone();
    let whole = Whole {
        paths,
        files,
        manifest,
    };
    commit_all(vec![whole], &[], Vec::new())
}

/// Moves several datasets of one run into place together. Files of an earlier
/// run that this one does not write, `gone`, go first; `last` come after all
/// others.
///
/// # Errors
///
/// When a file cannot be written, renamed or removed.
pub fn commit_all(
    datasets: Vec<Whole<'_>>,
    gone: &[PathBuf],
    last: Vec<Finished>,
) -> Result<(), OutputError> {
    let _moving = moving();
    let mut manifests = Vec::new();
    for dataset in &datasets {
        let path = &dataset.paths.manifest;
        let mut out = AtomicFile::create(path)?;
        let mut json = serde_json::to_string_pretty(&dataset.manifest)
            .expect("a manifest has string keys only");
        json.push('\n');
        out.write_all(json.as_bytes())
            .map_err(|source| OutputError::Write {
                path: path.clone(),
                source,
            })?;
        manifests.push(out);
    }
    let (mut files, mut no_rejects) = (Vec::new(), Vec::new());
    for dataset in datasets {
        let rejects = &dataset.paths.rejects;
        let name = dataset.paths.name_of(rejects);
        no_rejects.extend(dataset.manifest.output(&name).is_none().then_some(rejects));
        files.extend(dataset.files);
    }
    let files = files.into_iter().chain(last);
    let files: Vec<_> = files.filter_map(|finished| finished.file).collect();
    sync_all(files.iter().chain(&manifests))?;
    gone.iter().try_for_each(|path| remove(path))?;
    rename_all(files)?;
    no_rejects.into_iter().try_for_each(|path| remove(path))?;
    rename_all(manifests)
}

fn remove(path: &Path) -> Result<(), OutputError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(OutputError::Write {
            path: path.into(),
            source,
        }),
        _ => Ok(()),
    }
}
