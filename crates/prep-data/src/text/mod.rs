//! Functions of text: nothing here knows of files, examples or threads.

pub mod nearest;
mod normalise;
pub mod shingles;
pub mod signs;
pub mod sketch;
pub mod tokens;

pub use normalise::normalise;
