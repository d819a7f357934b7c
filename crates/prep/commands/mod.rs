//! One file for each command.

pub(crate) mod convert;
pub(crate) mod dedupe;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod models;
pub(crate) mod shell;
pub(crate) mod split;
pub(crate) mod trace;
pub(crate) mod validate;
