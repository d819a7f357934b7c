//! Cloud Storage, tuning jobs and prediction on Vertex AI, over plain HTTP.
//!
//! A [`Client`] sends a [`Request`], and knows three things about it: which
//! answers are worth another attempt, whether another attempt is allowed
//! ([`Repeat`]), and what must not be seen ([`Secret`]). Everything else is
//! built on it: [`storage`] keeps objects, [`tuning`] launches jobs and follows
//! them, [`predict`] asks models and [`evaluate`] what their answers are worth,
//! both as [`asking`] does it, [`doctor`] finds out what is missing before it
//! is needed.
//!
//! Nothing here reads the environment or the clock by itself: addresses
//! ([`Endpoints`]), credentials ([`Credentials`]), the variables
//! ([`Environment`]) and the [`Clock`] are arguments.
//!
//! Whether a call that failed took effect is part of its error
//! ([`CallError::effect`]). What may not be done twice asks before it goes on.

pub mod asking;
pub mod client;
mod clock;
pub mod credentials;
pub mod doctor;
mod endpoints;
mod environment;
pub mod error;
pub mod evaluate;
mod http;
mod log;
pub mod predict;
mod secret;
mod stop;
pub mod storage;
#[cfg(test)]
mod testing;
pub mod tuning;

pub use self::client::{Client, ClientOptions, Retry};
pub use self::clock::Clock;
pub use self::credentials::{Credentials, CredentialsError, Identity};
pub use self::endpoints::{BadAddress, Endpoints, location_of};
pub use self::environment::Environment;
pub use self::error::{CallError, Effect, ServiceError};
pub use self::http::{Body, Repeat, Reply, ReplyStream, Request, encoded};
pub use self::log::{RequestLog, rfc3339};
pub use self::secret::Secret;
pub use self::stop::Stop;
pub use reqwest::Method;
