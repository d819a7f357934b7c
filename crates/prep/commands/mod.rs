//! One file for each command.

pub(crate) mod convert;
pub(crate) mod cost;
pub(crate) mod dedupe;
#[cfg(feature = "cloud")]
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod fix;
#[cfg(feature = "cloud")]
pub(crate) mod jobs;
pub(crate) mod models;
pub(crate) mod shell;
pub(crate) mod split;
pub(crate) mod tokens;
pub(crate) mod trace;
pub(crate) mod validate;
