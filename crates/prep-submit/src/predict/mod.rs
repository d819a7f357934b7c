//! Asking a model, tuned or not.
//!
//! A [`Prompt`] is what a line of a dataset asks; [`run`] asks many of them and
//! gives a [`Row`] for each, in their order; a [`Journal`] keeps what was
//! answered, so that a run that was interrupted goes on without paying twice.

pub mod batch;
mod journal;
mod limiter;
mod outcome;
mod prompt;
mod run;
mod settings;
mod sse;

pub use self::journal::{Journal, JournalError, RequestId};
pub use self::limiter::Limiter;
pub use self::outcome::{Answer, Outcome};
pub use self::prompt::{NoPrompt, Prompt};
pub use self::run::{Model, Options, Row, RowError, RunError, Summary, rows, run};
pub use self::settings::{Family, Generation, Safety, SettingProblem, Thinking, ThinkingLevel};
