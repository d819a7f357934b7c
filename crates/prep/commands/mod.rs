//! One file for each command.

pub(crate) mod convert;
pub(crate) mod dedupe;
pub(crate) mod shell;
pub(crate) mod trace;
