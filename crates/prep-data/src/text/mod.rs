//! Functions of text: nothing here knows of files, examples or threads.

pub mod nearest;
pub mod signs;
