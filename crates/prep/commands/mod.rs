//! One file for each command.

pub(crate) mod convert;
pub(crate) mod cost;
pub(crate) mod dedupe;
#[cfg(feature = "cloud")]
pub(crate) mod emulate;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod filter;
pub(crate) mod fix;
pub(crate) mod init;
#[cfg(feature = "cloud")]
pub(crate) mod jobs;
pub(crate) mod mix;
pub(crate) mod models;
#[cfg(feature = "cloud")]
pub(crate) mod predict;
pub(crate) mod run;
pub(crate) mod shell;
pub(crate) mod split;
#[cfg(feature = "cloud")]
pub(crate) mod submit;
pub(crate) mod tokens;
pub(crate) mod trace;
pub(crate) mod validate;
pub(crate) mod verify;
