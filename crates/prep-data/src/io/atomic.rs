//! Output files that appear whole or not at all.
//!
//! What is written goes to `.NAME.partial` beside the target, which is locked
//! while it is written; [`AtomicFile::persist`] syncs it and renames it into
//! place. Dropped before that, it is removed. A killed process leaves at most
//! that one file, and the next run takes it over: its lock died with its
//! owner.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::writeback;

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The temporary file cannot be made.
    #[error("cannot create `{}`", path.display())]
    Create {
        /// The target.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process is writing the same output.
    #[error("`{}` is being written by another run", path.display())]
    Busy {
        /// The target.
        path: PathBuf,
    },
    /// The target is there and is a directory or a device, which must not be
    /// replaced by a file.
    #[error("`{}` is no regular file", path.display())]
    NoFile {
        /// The target.
        path: PathBuf,
    },
    /// Writing or syncing failed.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The target.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The finished file could not be moved into place.
    #[error("cannot move the finished file to `{}`", path.display())]
    Persist {
        /// The target.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The target is there and is not what `prep` wrote.
    #[error("`{}` is not the file that `prep` wrote", path.display())]
    NotOurs {
        /// The target.
        path: PathBuf,
        /// What shows it.
        #[source]
        cause: super::Cause,
    },
    /// What does not fit into memory cannot be kept on the disk.
    #[error("cannot keep temporary data in `{}`", directory.display())]
    Scratch {
        /// The directory of the output.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest beside the target cannot be read.
    #[error("cannot read `{}`", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl OutputError {
    /// An error of writing a passport, whose path its writer does not know.
    pub(crate) fn passport(source: io::Error) -> Self {
        Self::Write {
            path: PathBuf::from("the passport"),
            source,
        }
    }
}

/// The partial files of this process.
static UNDER_WAY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn under_way() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held while the files of a run are moved into place.
static MOVING: Mutex<()> = Mutex::new(());

/// Keeps [`abandon_partials`] waiting until the files of a run, of which some
/// may be in place already, all are.
pub(super) fn moving() -> MutexGuard<'static, ()> {
    MOVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every partial file of this process, which must be about to end: for
/// one that waits for input and cannot be told to stop.
pub fn abandon_partials() {
    let _moving = moving();
    for partial in std::mem::take(&mut *under_way()) {
        // As when one is dropped, there is nobody left to tell.
        drop(fs::remove_file(partial));
    }
}

/// A file on its way to appearing under its name.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    partial: PathBuf,
    file: File,
    is_done: bool,
}

impl AtomicFile {
    /// Begins a file that will appear at `target`, or at the place to which that
    /// links: whoever made the link wants the file there.
    ///
    /// # Errors
    ///
    /// When the target is something else than a file, the temporary file cannot
    /// be made beside it, or another process is writing it.
    pub fn create(target: &Path) -> Result<Self, OutputError> {
        if fs::metadata(target).is_ok_and(|known| !known.is_file()) {
            return Err(OutputError::NoFile {
                path: target.into(),
            });
        }
        let target = behind_links(target);
        let partial = partial_path(&target);
        let file = lock(&partial).map_err(|error| {
            let path = target.clone();
            match error {
                TryLockError::WouldBlock => OutputError::Busy { path },
                TryLockError::Error(source) => OutputError::Create { path, source },
            }
        })?;
        let this = Self {
            target,
            partial,
            file,
            is_done: false,
        };
        under_way().insert(this.partial.clone());
        // What a killed run left behind is of no use.
        this.file
            .set_len(0)
            .map_err(|source| this.write_error(source))?;
        Ok(this)
    }

    /// The path under which the file will appear.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Forces what is written so far to the disk.
    ///
    /// # Errors
    ///
    /// When the disk refuses it.
    pub fn sync(&self) -> Result<(), OutputError> {
        self.file
            .sync_all()
            .map_err(|source| self.write_error(source))
    }

    fn begin(&self) -> Result<(), OutputError> {
        writeback::begin(&self.file).map_err(|source| self.write_error(source))
    }

    /// Syncs the file and moves it into place.
    ///
    /// # Errors
    ///
    /// When the disk refuses it, or it cannot be renamed.
    pub fn persist(self) -> Result<(), OutputError> {
        self.sync()?;
        rename_all(vec![self])
    }

    fn rename(&mut self) -> Result<(), OutputError> {
        self.is_done = true;
        let renamed = fs::rename(&self.partial, &self.target);
        under_way().remove(&self.partial);
        renamed.map_err(|source| OutputError::Persist {
            path: self.target.clone(),
            source,
        })
    }

    /// Another handle of the same file.
    ///
    /// # Errors
    ///
    /// When the system has no more handles.
    pub fn handle(&self) -> Result<File, OutputError> {
        self.file
            .try_clone()
            .map_err(|source| self.write_error(source))
    }

    fn write_error(&self, source: io::Error) -> OutputError {
        OutputError::Write {
            path: self.target.clone(),
            source,
        }
    }
}

/// Brings files to the disk, before any of them is moved.
///
/// # Errors
///
/// When the disk refuses one.
pub(super) fn sync_all<'f>(
    mut files: impl Iterator<Item = &'f AtomicFile> + Clone,
) -> Result<(), OutputError> {
    if cfg!(target_os = "linux") {
        // What has begun for all of them goes into the journal once.
        files.clone().try_for_each(AtomicFile::begin)?;
    }
    files.try_for_each(AtomicFile::sync)
}

/// Moves files into place, where they then stay whatever happens.
///
/// # Errors
///
/// When one cannot be renamed.
pub(super) fn rename_all(mut files: Vec<AtomicFile>) -> Result<(), OutputError> {
    files.iter_mut().try_for_each(AtomicFile::rename)?;
    let directories: BTreeSet<_> = files.iter().map(|file| file.target.parent()).collect();
    directories.into_iter().for_each(sync_directory);
    Ok(())
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_done {
            // Nothing better can be done with a failure here: the next run
            // takes the file over.
            drop(fs::remove_file(&self.partial));
            under_way().remove(&self.partial);
        }
    }
}

/// The place that a path names, its last part being no link.
fn behind_links(path: &Path) -> PathBuf {
    /// As many as Linux follows. Of links in a circle, one is replaced.
    const MOST: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST {
        let Ok(next) = fs::read_link(&path) else {
            break;
        };
        path.pop();
        path.push(next);
    }
    path
}

/// Where the file for `target` is written until it is whole.
#[must_use]
pub fn partial_path(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or(target.as_os_str()));
    name.push(".partial");
    target.with_file_name(name)
}

/// Opens and locks a file that may be left over, be in use, or vanish between
/// the two: another process may rename or remove it before the lock is held.
fn lock(path: &Path) -> Result<File, TryLockError> {
    loop {
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)
            .map_err(TryLockError::Error)?;
        file.try_lock()?;
        if is_same(&file, path).map_err(TryLockError::Error)? {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let held = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_same(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}

/// Makes renames in a directory last. Not every file system can; one that cannot
/// gives no better promise to anybody.
fn sync_directory(directory: Option<&Path>) {
    let directory = directory.filter(|directory| !directory.as_os_str().is_empty());
    if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))) {
        drop(directory.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let (link, store) = (
            directory.path().join("link"),
            directory.path().join("store"),
        );
        fs::create_dir(&store).unwrap();
        symlink("store/second", &link).unwrap();
        symlink("real", store.join("second")).unwrap();
        // The place of the file is empty at first, and then has one.
        for text in ["one", "two"] {
            let mut file = AtomicFile::create(&link).unwrap();
            assert_eq!(file.target(), store.join("real"));
            file.write_all(text.as_bytes()).unwrap();
            file.persist().unwrap();
            assert!(link.is_symlink() && store.join("second").is_symlink());
            assert_eq!(fs::read_to_string(store.join("real")).unwrap(), text);
        }
        symlink("circle", directory.path().join("circle")).unwrap();
        assert!(AtomicFile::create(&directory.path().join("circle")).is_ok());
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(directory.path()).unwrap_err();
        assert!(matches!(error, OutputError::NoFile { .. }), "{error}");
        if cfg!(unix) {
            let error = AtomicFile::create(Path::new("/dev/null")).unwrap_err();
            assert_eq!(error.to_string(), "`/dev/null` is no regular file");
        }
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("train.jsonl");
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        assert!(matches!(
            AtomicFile::create(&target),
            Err(OutputError::Busy { .. })
        ));
        drop(file);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

        fs::write(partial_path(&target), b"left over from a killed run").unwrap();
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!target.exists());
        file.persist().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
