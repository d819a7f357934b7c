//! The way from sources to a dataset.
//!
//! The only room that starts threads. [`ordered`] runs batches in parallel and
//! hands their results on in input order; a [`Job`] is what becomes of records
//! on the way: composed into examples, or rejected, and accounted for in the
//! [`Ledger`] either way.

mod check;
mod compared;
mod compose;
mod conversations;
mod convert;
mod count;
pub mod dedupe;
mod digests;
mod filter;
mod fix;
mod ledger;
mod lines;
pub mod mix;
pub mod ordered;
mod partitions;
mod spares;
pub mod split;
pub mod stats;
mod template;
mod trace;
mod writeback;

pub use check::{CheckError, CheckRun, Checked, check};
pub use compose::{ComposeError, ComposeOptions};
pub use convert::{ConvertError, Job, Met, Outcome, Part, Run, Sinks};
pub use count::{CountError, CountRun, Counted, Longest, NotCounted, Sum, count};
pub use filter::{FilterError, FilterOutcome, FilterRun, FilterSinks, OfRule, filter, survey};
pub use fix::{Changed, FixError, FixOutcome, FixRun, FixSinks, fix};
pub use ledger::Ledger;
pub use template::{Template, TemplateError};
pub use trace::{Found, find_record};
