//! Files, in and out: inputs of any compression, outputs that appear whole or
//! not at all, and what is kept beside them.

mod atomic;
mod inherit;
mod input;
mod manifest;
mod outputs;
pub mod passport;
mod positioned;
mod reread;
mod scratch;
mod writeback;

pub use atomic::{AtomicFile, OutputError, abandon_partials, partial_path};
pub use inherit::{Inherited, LineOf};
pub use input::{Compression, Input, InputError, Progress, Seekable};
pub use manifest::{Manifest, OutputFile, checksum, checksum_of, sidecar};
pub use outputs::{
    Finished, OutputPaths, OutputWriter, Overwrite, Sha256Wanted, Syncer, Whole, commit, commit_all,
};
pub use passport::{Passport, PassportError, SourceFile, Stamp};
pub use reread::{Reread, Rereading};
pub use scratch::{Scratch, ScratchReader};
pub use writeback::STRETCH;

/// A reason in words, for errors whose facts no caller needs apart.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub String);
