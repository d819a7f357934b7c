//! The job that was launched last from a directory: `split/job.json`.
//!
//! `prep submit` writes it, so that `prep jobs` and `prep predict` need not be
//! told which job is meant, and so that what the service says of a line of the
//! uploaded file can be traced to its source. It holds no secret.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prep_data::io::AtomicFile;
use prep_submit::tuning::ResourceName;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, plain};

/// Where it is.
pub(crate) const PATH: &str = "split/job.json";

/// Where that of a rehearsal is.
const REHEARSED: &str = "split/rehearsal.json";

/// A launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    /// The version of this shape.
    pub(crate) schema: u32,
    /// The name of the job.
    pub(crate) job: String,
    /// The project, as it was given.
    pub(crate) project: String,
    /// The location of the job.
    pub(crate) location: String,
    /// The id of the run: what makes two launches the same.
    pub(crate) run: String,
    /// The objects in Cloud Storage that the job was launched with.
    pub(crate) objects: Vec<ObjectRecord>,
    /// The training file that was uploaded.
    pub(crate) train: FileRecord,
    /// The validation file that was uploaded.
    pub(crate) validation: Option<FileRecord>,
    /// When it was launched (RFC 3339).
    pub(crate) launched: String,
}

/// An object in Cloud Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    /// `gs://BUCKET/NAME`.
    pub(crate) uri: String,
    /// Its generation, if the service told.
    pub(crate) generation: Option<String>,
}

/// A file on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// Its path, as seen from the directory of the launch.
    pub(crate) path: PathBuf,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// Its BLAKE3 checksum, as manifests have it.
    pub(crate) blake3: String,
}

impl JobRecord {
    /// Reads the record of this directory, that of a job or that of a rehearsal;
    /// `None` if there is none.
    pub(crate) fn read(is_rehearsal: bool) -> Result<Option<Self>, Failure> {
        Self::read_from(Self::path(is_rehearsal))
    }

    fn path(is_rehearsal: bool) -> &'static Path {
        Path::new(if is_rehearsal { REHEARSED } else { PATH })
    }

    fn read_from(path: &Path) -> Result<Option<Self>, Failure> {
        let name = path.display();
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let cannot = format!("cannot read `{name}`");
                return Err(Failure::from(anyhow::Error::new(error).context(cannot)));
            }
        };
        let record = serde_json::from_slice(&text).map_err(|error| {
            Failure::because(format!("`{name}` is not as `prep submit` writes it"), error)
                .hint("remove it, and name the job instead")
        })?;
        Ok(Some(record))
    }

    /// Writes the record of this directory, over that of an earlier launch; that
    /// of a rehearsal stands apart.
    pub(crate) fn write(&self, is_rehearsal: bool) -> Result<(), Failure> {
        self.write_to(Self::path(is_rehearsal))
    }

    fn write_to(&self, path: &Path) -> Result<(), Failure> {
        let mut json = serde_json::to_string_pretty(self).map_err(plain)?;
        json.push('\n');
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = AtomicFile::create(path)?;
        file.write_all(json.as_bytes())?;
        Ok(file.persist()?)
    }

    /// The name of the job.
    pub(crate) fn name(&self) -> Result<ResourceName, Failure> {
        ResourceName::job(&self.job).map_err(|error| {
            Failure::from(anyhow::Error::new(error).context(format!("`{PATH}` names no job")))
                .hint("remove it, and name the job instead")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("job.json");
        assert!(JobRecord::read_from(&path).unwrap().is_none());
        let record = JobRecord {
            schema: 1,
            job: "projects/1/locations/us-central1/tuningJobs/7".into(),
            project: "acme".into(),
            location: "us-central1".into(),
            run: "20d0ed68f27cd9603882cf82cc59c4e6".into(),
            objects: vec![ObjectRecord {
                uri: "gs://b/train.jsonl".into(),
                generation: Some("1".into()),
            }],
            train: FileRecord {
                path: "split/train.jsonl".into(),
                bytes: 7,
                blake3: "af".into(),
            },
            validation: None,
            launched: "2026-11-28T10:00:00Z".into(),
        };
        record.write_to(&path).unwrap();
        assert_eq!(JobRecord::read_from(&path).unwrap(), Some(record.clone()));
        assert_eq!(record.name().unwrap().id, "7");
        fs::write(&path, "{}").unwrap();
        assert!(JobRecord::read_from(&path).is_err());
    }
}
