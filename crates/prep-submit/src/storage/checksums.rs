//! The checksums of a file: CRC-32C, which Cloud Storage knows of every
//! object, and SHA-256, which names the object.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A CRC-32C (Castagnoli). It is written as Cloud Storage writes it: base64 of
/// its four bytes, the highest first.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Crc32c(pub u32);

impl Crc32c {
    /// Gives the checksum of what was before with these bytes behind it.
    #[must_use]
    pub fn append(self, bytes: &[u8]) -> Self {
        Self(crc32c::crc32c_append(self.0, bytes))
    }
}

impl fmt::Display for Crc32c {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0.to_be_bytes()))
    }
}

impl fmt::Debug for Crc32c {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc32c({self})")
    }
}

/// A text that is no CRC-32C in base64.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no CRC-32C in base64")]
pub struct BadCrc32c(String);

impl FromStr for Crc32c {
    type Err = BadCrc32c;

    fn from_str(text: &str) -> Result<Self, BadCrc32c> {
        let bad = || BadCrc32c(text.to_owned());
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| bad())?;
        let bytes = bytes.try_into().map_err(|_| bad())?;
        Ok(Self(u32::from_be_bytes(bytes)))
    }
}

impl Serialize for Crc32c {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Crc32c {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// Its length.
    pub bytes: u64,
    /// Its CRC-32C.
    pub crc32c: Crc32c,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Checksums {
    /// Names an object by its contents, such as `run/train-9f2c41d0a1b2c3d4.jsonl`.
    /// The same bytes get the same name.
    pub fn object_name(&self, prefix: &str, stem: &str) -> String {
        let prefix = prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let short = self.sha256.get(..16).unwrap_or(&self.sha256);
        format!("{prefix}{slash}{stem}-{short}.jsonl")
    }
}

/// How much of a file is read at once: small enough to be still in the cache
/// for the second checksum.
const BLOCK: usize = 256 << 10;

/// Reads a file once for both checksums, and counts its bytes as they are
/// read. It waits for the disk: 1 to 2 GB/s where the processor has
/// instructions for SHA-256.
pub fn checksums(path: &Path, progress: &AtomicU64) -> io::Result<Checksums> {
    let mut file = File::open(path)?;
    let mut block = vec![0; BLOCK];
    let mut sha256 = Sha256::new();
    let (mut bytes, mut crc) = (0, Crc32c::default());
    loop {
        let read = match file.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sha256.update(&block[..read]);
        crc = crc.append(&block[..read]);
        bytes += read as u64;
        progress.store(bytes, Ordering::Relaxed);
    }
    let digest = sha256.finalize();
    Ok(Checksums {
        bytes,
        crc32c: crc,
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(Crc32c::default().append(bytes).to_string(), expected);
        };
        check(b"", "AAAAAA==");
        check(b"123456789", "4waSgw==");
        check(b"hello world", "yZRlqg==");
        assert_eq!("4waSgw==".parse::<Crc32c>().unwrap(), Crc32c(0xE306_9283));
        for bad in ["", "4waSgw", "AAAA", "?"] {
            assert!(bad.parse::<Crc32c>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_is_read_once_for_both() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, b"hello world").unwrap();
        let progress = AtomicU64::new(0);
        let sums = checksums(&path, &progress).unwrap();
        assert_eq!(sums.bytes, progress.into_inner());
        assert_eq!(sums.crc32c.to_string(), "yZRlqg==");
        let sha256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
        assert_eq!(sums.sha256, sha256);
        assert_eq!(
            sums.object_name("/a/b/", "train"),
            "a/b/train-b94d27b9934d3e08.jsonl"
        );
        assert_eq!(
            sums.object_name("", "validation"),
            "validation-b94d27b9934d3e08.jsonl"
        );
    }
}
