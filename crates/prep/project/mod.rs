//! A project: all its steps from sources to a tuned model, as `prep.yaml`
//! describes it.
//!
//! A [`Plan`] is the steps that the settings ask for, each of them a command
//! that could be typed. A [`Record`] is what was done, by the content of what
//! was read and written, so that nothing is done twice and nothing stale is
//! used. An [`Account`] is the ledger from the first record to the last
//! example, a [`Signature`] the dataset in one line, and a [`card`] the dataset
//! on one page.

mod account;
pub(crate) mod card;
mod plan;
mod record;
mod signature;

pub(crate) use self::account::Account;
pub(crate) use self::plan::{Plan, Step, StepName, Tuning};
pub(crate) use self::record::{Checksums, Record};
pub(crate) use self::signature::Signature;
