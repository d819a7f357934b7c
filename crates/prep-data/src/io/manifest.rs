//! What was made of what, with which settings: `<stem>.manifest.json`.
//!
//! A manifest is a function of the inputs, the settings and the version: it
//! holds no time and nothing of the machine. Its checksums are BLAKE3 (what
//! `b3sum` prints): a checksum is taken of every byte on the way in and out,
//! and SHA-256 would take longer than the conversion itself. Where a SHA-256
//! is asked for, as by `--summary`, it is taken too.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::passport::SourceFiles;

/// The account of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this shape.
    pub schema: u32,
    /// The program and its version.
    pub tool: String,
    /// The command that was run.
    pub command: String,
    /// Its settings, as far as they bear on the outputs.
    pub settings: Value,
    /// What was guessed, one phrase each.
    pub decisions: Vec<String>,
    /// The files that were read.
    pub inputs: Vec<SourceFiles>,
    /// The files that were written.
    pub outputs: Vec<OutputFile>,
    /// What became of every record.
    pub ledger: Value,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// Its name in the manifest's directory.
    pub path: String,
    /// How many examples it has; `None` for what is no dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<u64>,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its BLAKE3 checksum.
    pub blake3: String,
}

impl Manifest {
    /// The path of the manifest beside a dataset.
    #[must_use]
    pub fn path_of(data: &Path) -> PathBuf {
        sidecar(data, "manifest.json")
    }

    /// Reads a manifest; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no manifest.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(serde_json::from_reader(BufReader::new(file))?))
    }

    /// What the manifest says about the file of that name.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&OutputFile> {
        self.outputs.iter().find(|output| output.path == name)
    }
}

/// The path of a file that is kept beside a dataset: `train.passport` for
/// `train.jsonl`, and for `train.jsonl.gz` too.
#[must_use]
pub fn sidecar(data: &Path, extension: &str) -> PathBuf {
    data.with_file_name(format!("{}.{extension}", stem(data)))
}

/// The name of a dataset without `.jsonl` and the extension of its
/// compression.
fn stem(data: &Path) -> String {
    let name = data
        .file_name()
        .unwrap_or(data.as_os_str())
        .to_string_lossy();
    let plain = match super::Compression::of_name(data) {
        Some(_) => name.rsplit_once('.').map_or(&*name, |(plain, _)| plain),
        None => &name,
    };
    let stem = plain.rsplit_once('.').map_or(plain, |(stem, _)| stem);
    if stem.is_empty() { plain } else { stem }.to_owned()
}

/// The BLAKE3 checksum of bytes.
#[must_use]
pub fn checksum_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The length and BLAKE3 checksum of a file.
///
/// # Errors
///
/// When it cannot be read.
pub fn checksum(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        hasher.update(&buffer[..n]);
        bytes += n as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_stand_beside_the_data() {
        let check = |data: &str, expected: &str| {
            assert_eq!(sidecar(Path::new(data), "passport"), Path::new(expected));
        };
        check("train.jsonl", "train.passport");
        check("a/b.c/train.v2.jsonl.gz", "a/b.c/train.v2.passport");
        check("train", "train.passport");
        check(".jsonl", ".jsonl.passport");
    }
}
