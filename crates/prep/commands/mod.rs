//! One file for each command.

pub(crate) mod convert;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod shell;
pub(crate) mod trace;
pub(crate) mod validate;
