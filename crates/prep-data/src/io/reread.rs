//! Inputs that are read more than once.
//!
//! A plain file is simply opened again. What cannot be, as a pipe, or would
//! have to be unpacked again, is copied on the way to a [`Scratch`]. Either way
//! the second reading gives the same bytes, or an error: a file that was
//! changed in between is noticed by its checksum.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::positioned::Positioned;
use super::{Cause, Input, InputError, OutputError, Progress, Scratch};

/// An input that is being read for the first time.
#[derive(Debug)]
pub struct Rereading {
    name: String,
    path: Option<PathBuf>,
    progress: Arc<Progress>,
    copy: Option<Arc<Scratch>>,
}

impl Rereading {
    /// Prepares to read an input again, and gives it back; `target` is an
    /// output, beside which there is room for a copy.
    ///
    /// # Errors
    ///
    /// When a copy is needed and cannot be begun.
    pub fn begin(input: Input, target: &Path) -> Result<(Self, Input), OutputError> {
        let is_file = input.size().is_some() && input.compression().is_none();
        let path = input.path().filter(|_| is_file).map(Path::to_path_buf);
        let mut this = Self {
            name: input.name().to_owned(),
            path,
            progress: input.progress(),
            copy: None,
        };
        if this.path.is_some() {
            return Ok((this, input));
        }
        let copy = Arc::new(Scratch::beside(target)?);
        this.copy = Some(Arc::clone(&copy));
        Ok((this, input.copying_to(copy)?))
    }

    /// Ends the first reading.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened again.
    pub fn finish(self) -> Result<Reread, InputError> {
        let place = match (self.copy, self.path) {
            (Some(copy), _) => Place::Copy(copy),
            (None, path) => {
                let path = path.unwrap_or_default();
                let file = File::open(&path).map_err(|source| InputError::Open {
                    path: path.clone(),
                    source,
                })?;
                Place::File(path, Positioned::new(file))
            }
        };
        Ok(Reread {
            name: self.name,
            bytes: self.progress.bytes(),
            checksum: self.progress.checksum(),
            place,
        })
    }
}

/// An input that was read once and can be read again, from its beginning or
/// anywhere.
#[derive(Debug)]
pub struct Reread {
    name: String,
    bytes: u64,
    checksum: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(PathBuf, Positioned),
    Copy(Arc<Scratch>),
}

impl Reread {
    /// The name to show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its length in bytes as it lay on the disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its BLAKE3 checksum as it lay on the disk.
    #[must_use]
    pub fn checksum(&self) -> &str {
        &self.checksum
    }

    /// Begins to read it from its beginning.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(&self) -> Result<Input, InputError> {
        match &self.place {
            Place::File(path, _) => Input::open(path),
            Place::Copy(copy) => {
                let reader = Box::new(Arc::clone(copy).reader());
                Ok(Input::plain(self.name.clone(), copy.bytes(), reader))
            }
        }
    }

    /// Checks that what was read again is what was read before.
    ///
    /// # Errors
    ///
    /// When it was changed in between.
    pub fn check(&self, again: &Progress) -> Result<(), InputError> {
        let is_file = matches!(self.place, Place::File(..));
        if is_file && again.checksum() != self.checksum {
            return Err(InputError::Open {
                path: PathBuf::from(&self.name),
                source: io::Error::other(Cause("it was changed while it was read".into())),
            });
        }
        Ok(())
    }

    /// Reads some bytes from `start` on, and gives their number: 0 at the end.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn read_some(&self, start: u64, into: &mut [u8]) -> Result<usize, InputError> {
        let read = match &self.place {
            Place::File(_, file) => file.read_some(start, into),
            Place::Copy(copy) => {
                let rest = copy.bytes().saturating_sub(start);
                let n = into.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
                let read = copy.read_at(start, &mut into[..n]);
                read.map(|()| n).map_err(io::Error::other)
            }
        };
        read.map_err(|source| InputError::Open {
            path: PathBuf::from(&self.name),
            source,
        })
    }

    /// Reads the bytes from `start` on.
    ///
    /// # Errors
    ///
    /// When reading fails, or the input is shorter.
    pub fn read_at(&self, start: u64, into: &mut [u8]) -> Result<(), InputError> {
        let read = match &self.place {
            Place::File(_, file) => file.read_exact(start, into),
            Place::Copy(copy) => copy.read_at(start, into).map_err(io::Error::other),
        };
        read.map_err(|source| InputError::Open {
            path: PathBuf::from(&self.name),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reread(path: &Path) -> Reread {
        let input = Input::open(path).unwrap();
        let (rereading, mut input) = Rereading::begin(input, path).unwrap();
        input.peek(2).unwrap();
        io::copy(&mut input.into_reader(), &mut io::sink()).unwrap();
        rereading.finish().unwrap()
    }

    #[test]
    fn the_second_reading_is_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let (plain, packed) = (directory.path().join("a"), directory.path().join("b"));
        std::fs::write(&plain, "one two").unwrap();
        std::fs::write(&packed, zstd::encode_all(&b"one two"[..], 1).unwrap()).unwrap();
        for path in [plain, packed] {
            let reread = reread(&path);
            let mut middle = [0; 3];
            reread.read_at(2, &mut middle).unwrap();
            assert_eq!(&middle, b"e t");
            let mut some = [0; 9];
            let n = reread.read_some(4, &mut some).unwrap();
            assert_eq!(&some[..n], b"two");
            assert_eq!(reread.read_some(7, &mut some).unwrap(), 0);
            let again = reread.open().unwrap();
            let progress = again.progress();
            let mut all = String::new();
            again.into_reader().read_to_string(&mut all).unwrap();
            assert_eq!(all, "one two");
            reread.check(&progress).unwrap();
        }
    }

    #[test]
    fn a_change_in_between_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let reread = reread(&path);
        std::fs::write(&path, "two").unwrap();
        let again = reread.open().unwrap();
        let progress = again.progress();
        io::copy(&mut again.into_reader(), &mut io::sink()).unwrap();
        let error = reread.check(&progress).unwrap_err();
        assert!(matches!(error, InputError::Open { .. }), "{error}");
    }
}
