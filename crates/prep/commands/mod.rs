//! One file for each command.

pub(crate) mod convert;
pub(crate) mod cost;
pub(crate) mod dedupe;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod models;
pub(crate) mod shell;
pub(crate) mod split;
pub(crate) mod stats;
pub(crate) mod tokens;
pub(crate) mod trace;
pub(crate) mod validate;
