//! What was done, by the content of what was read and written.
//!
//! A step need not be done again if its command, its settings and this
//! program are what they were, what it reads has the content that it had, and
//! what it wrote is there unchanged. Everything is told by checksums: times and
//! names of files do not count.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prep_data::io::{AtomicFile, checksum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::Step;
use crate::failure::{Failure, plain};

/// This program: another version may write other bytes.
const TOOL: &str = concat!("prep ", env!("CARGO_PKG_VERSION"));

/// All steps that were done, by title.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) schema: u32,
    pub(crate) steps: BTreeMap<String, Done>,
    /// The signature of the dataset that the last whole run made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
}

/// A step that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    tool: String,
    words: Vec<String>,
    settings: Value,
    /// The BLAKE3 checksum of each file.
    inputs: BTreeMap<PathBuf, String>,
    outputs: BTreeMap<PathBuf, String>,
}

/// The checksums of files, each taken once as long as it is not written.
#[derive(Debug, Default)]
pub(crate) struct Checksums(BTreeMap<PathBuf, String>);

impl Checksums {
    /// The checksum of a file; `None` if it is not there.
    pub(crate) fn of(&mut self, path: &Path) -> Result<Option<String>, Failure> {
        if let Some(known) = self.0.get(path) {
            return Ok(Some(known.clone()));
        }
        match checksum(path) {
            Ok((_, blake3)) => {
                self.0.insert(path.into(), blake3.clone());
                Ok(Some(blake3))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::from(
                anyhow::Error::new(error).context(format!("cannot read `{}`", path.display())),
            )),
        }
    }

    /// Forgets what a step may have written.
    pub(crate) fn forget(&mut self, paths: &[PathBuf]) {
        for path in paths {
            self.0.remove(path);
        }
    }

    fn all(&mut self, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>, Failure> {
        let mut checksums = BTreeMap::new();
        for path in paths {
            if let Some(blake3) = self.of(path)? {
                checksums.insert(path.clone(), blake3);
            }
        }
        Ok(checksums)
    }
}

impl Record {
    /// Reads the record in a directory; an empty one if there is none.
    pub(crate) fn read(directory: &Path) -> Result<Self, Failure> {
        let path = Self::path(directory);
        let cannot = || format!("cannot read `{}`", path.display());
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::from(anyhow::Error::new(error).context(cannot()))
                    .hint("delete it: all steps are done again then")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self {
                schema: 1,
                ..Self::default()
            }),
            Err(error) => Err(Failure::from(anyhow::Error::new(error).context(cannot()))),
        }
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), Failure> {
        let mut json = serde_json::to_string_pretty(self).map_err(plain)?;
        json.push('\n');
        let mut file = AtomicFile::create(&Self::path(directory))?;
        file.write_all(json.as_bytes())?;
        Ok(file.persist()?)
    }

    fn path(directory: &Path) -> PathBuf {
        directory.join("run.json")
    }

    /// Why a step must be done, or `None` if it was.
    pub(crate) fn why(
        &self,
        step: &Step,
        checksums: &mut Checksums,
    ) -> Result<Option<String>, Failure> {
        let Some(done) = self.steps.get(&step.title()) else {
            return Ok(Some("not done yet".into()));
        };
        if done.tool != TOOL {
            return Ok(Some(format!("it was done by {}", done.tool)));
        }
        if done.words != step.words || done.settings != step.settings {
            return Ok(Some("its settings changed".into()));
        }
        let now = checksums.all(&step.reads)?;
        if let Some(path) = differing(&done.inputs, &now) {
            return Ok(Some(format!("`{}` changed", path.display())));
        }
        for (path, blake3) in &done.outputs {
            match checksums.of(path)? {
                Some(now) if now == *blake3 => {}
                Some(_) => return Ok(Some(format!("`{}` was changed", path.display()))),
                None => return Ok(Some(format!("`{}` is gone", path.display()))),
            }
        }
        Ok(None)
    }

    /// Notes that a step was done.
    pub(crate) fn note(&mut self, step: &Step, checksums: &mut Checksums) -> Result<(), Failure> {
        let done = Done {
            tool: TOOL.into(),
            words: step.words.clone(),
            settings: step.settings.clone(),
            inputs: checksums.all(&step.reads)?,
            outputs: checksums.all(&step.outputs())?,
        };
        self.steps.insert(step.title(), done);
        Ok(())
    }
}

/// A file that is not the same in both.
fn differing<'a>(
    one: &'a BTreeMap<PathBuf, String>,
    other: &'a BTreeMap<PathBuf, String>,
) -> Option<&'a PathBuf> {
    let changed = one.iter().find(|(path, sum)| other.get(*path) != Some(sum));
    let new = other.keys().find(|path| !one.contains_key(*path));
    changed.map(|(path, _)| path).or(new)
}
