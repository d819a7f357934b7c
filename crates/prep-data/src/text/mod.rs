//! Texts as they are compared: functions of `&str` that know no files.

mod normalise;
pub mod shingles;
pub mod sketch;

pub use normalise::normalise;
