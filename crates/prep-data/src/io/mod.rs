//! Files, in and out: inputs of any compression, outputs that appear whole or
//! not at all, and what is kept beside them.

pub mod input;

pub use input::{Compression, Input, InputError, Progress, Seekable};
