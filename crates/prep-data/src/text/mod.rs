//! Functions of text: nothing here knows of files, examples or threads.

pub mod language;
pub mod mojibake;
pub mod nearest;
mod normalise;
pub mod openings;
pub mod phrases;
pub mod scripts;
pub mod shingles;
pub mod signs;
pub mod sketch;
pub(crate) mod suspects;
pub mod tokens;

pub use normalise::normalise;
