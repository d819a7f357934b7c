//! What can be said about a text: functions of `&str` that touch no file and
//! start no thread.

pub mod tokens;
