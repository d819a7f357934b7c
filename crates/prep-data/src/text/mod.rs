//! Functions of text: nothing here knows of files, examples or threads.

pub mod mojibake;
pub mod nearest;
mod normalise;
pub mod openings;
pub mod scripts;
pub mod shingles;
pub mod signs;
pub mod sketch;
pub mod tokens;

pub use normalise::normalise;
