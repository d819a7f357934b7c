//! The way from sources to a dataset.
//!
//! The only room that starts threads. [`ordered`] runs batches in parallel and
//! hands their results on in input order; a [`Job`] is what becomes of records
//! on the way: composed into examples, or rejected, and accounted for in the
//! [`Ledger`] either way.

mod compared;
mod compose;
mod conversations;
mod convert;
pub mod dedupe;
mod ledger;
mod lines;
pub mod ordered;
mod partitions;
mod template;
mod trace;
mod writeback;

pub use compose::{ComposeError, ComposeOptions};
pub use convert::{ConvertError, Job, Met, Outcome, Part, Run, Sinks};
pub use ledger::Ledger;
pub use template::{Template, TemplateError};
pub use trace::{Found, find_record};
