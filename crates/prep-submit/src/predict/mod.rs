//! Asking a model, tuned or not.
//!
//! A [`Prompt`] is what a line of a dataset asks; [`run`] asks many of them and
//! gives a [`Row`] for each, in their order, as [`asking`](crate::asking) does it.

pub mod batch;
mod outcome;
mod prompt;
mod run;
mod settings;
mod sse;

pub use self::outcome::{Answer, Outcome};
pub use self::prompt::{NoPrompt, Prompt};
pub use self::run::{Model, Options, Row, rows, run};
pub use self::settings::{Family, Generation, Safety, SettingProblem, Thinking, ThinkingLevel};
