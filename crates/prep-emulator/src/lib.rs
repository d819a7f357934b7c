//! A strict local stand-in for Google Cloud Storage and Vertex AI.
//!
//! An [`Emulator`] serves, on loopback, what `prep` asks of Google: tokens,
//! buckets, objects and uploads, tuning jobs with their metrics and models,
//! prediction. It shares no code with the client, and holds requests to
//! Google's published descriptions, so that what passes here has a chance
//! there. What Google takes and the emulator does not play is refused with
//! 501, never ignored.
//!
//! Jobs play their states by a clock, from a start that is kept on disk;
//! training files are really read, and what is wrong with them is found. A
//! tuned model answers with the model turn of the example whose prompt is
//! most like the one it is asked. Tokens are counted as four characters each.
//!
//! ```
//! # async fn run(dir: &std::path::Path) -> Result<(), prep_emulator::StartError> {
//! use prep_emulator::{Emulator, Options};
//!
//! let emulator = Emulator::start(Options::new(dir)).await?;
//! assert!(emulator.base_url().starts_with("http://127.0.0.1:"));
//! assert!(emulator.key_file().exists());
//! emulator.stop().await;
//! # Ok(())
//! # }
//! # let dir = tempfile::tempdir().unwrap();
//! # let runtime = tokio::runtime::Runtime::new().unwrap();
//! # runtime.block_on(run(dir.path())).unwrap();
//! ```
//!
//! # Prompts with an effect
//!
//! A prompt that holds `[[SAFETY]]`, `[[RECITATION]]`, `[[PROHIBITED_CONTENT]]`
//! or another finish reason is answered with that; `[[BLOCKED]]` is blocked as
//! a prompt, `[[EMPTY]]` gets no text, `[[429]]` and other statuses refuse it.
//!
//! # Faults
//!
//! [`Faults`] is a table of what goes wrong and when, by the names of
//! [`operations`].

mod auth;
mod body;
mod clock;
mod cloud;
mod error;
mod faults;
mod log;
mod operation;
mod server;
mod storage;
mod store;
mod strict;
mod vertex;

use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use crate::clock::Clock;
pub use crate::faults::{Effect, Fault, Faults, FaultsError, JobOutcome};
pub use crate::log::Logged;

use crate::auth::Principal;
use crate::cloud::Cloud;

/// What an emulator is to be like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept; it is made if it is not there.
    pub dir: PathBuf,
    /// The port on loopback; 0 is any that is free.
    pub port: u16,
    /// The id of the one project.
    pub project: String,
    /// A bucket that is there from the start.
    pub bucket: Option<String>,
    /// How long a job takes from its creation to its end.
    pub pace: Duration,
    /// How long an access token is good for.
    pub token_lifetime: Duration,
    /// What goes wrong.
    pub faults: Faults,
    /// The time that jobs, tokens and sessions go by.
    pub clock: Clock,
}

impl Options {
    /// Keeps everything in a directory; any port, the project
    /// `prep-rehearsal` with the bucket of that name, jobs of six seconds.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            port: 0,
            project: "prep-rehearsal".into(),
            bucket: Some("prep-rehearsal".into()),
            pace: Duration::from_secs(6),
            token_lifetime: Duration::from_secs(3_600),
            faults: Faults::default(),
            clock: Clock::default(),
        }
    }
}

/// An emulator that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen on port {port} of this machine")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The directory cannot be used, or holds what the emulator did not write.
    #[error("cannot keep the emulator's state in `{}`", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An emulator that is running; it stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    cloud: Arc<Cloud>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<io::Result<()>>,
}

impl Emulator {
    /// Starts an emulator; needs a Tokio runtime, best one with several
    /// threads. Jobs that were under way when the last one stopped go on.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen {
            port: options.port,
            source,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();
        let cloud = Cloud::open(&options, &format!("http://127.0.0.1:{port}"))?;
        let cloud = Arc::new(cloud);
        vertex::resume(&cloud);
        let service = server::router(Arc::clone(&cloud))
            .into_make_service_with_connect_info::<server::Switch>();
        let (stop, stopped) = oneshot::channel();
        let serving =
            axum::serve(server::Switched(listener), service).with_graceful_shutdown(async {
                // Whether it was told or dropped, it is over.
                drop(stopped.await);
            });
        let server = tokio::spawn(serving.into_future());
        Ok(Self {
            cloud,
            stop: Some(stop),
            server,
        })
    }

    /// Gives the address that serves everything, without a slash at its end.
    pub fn base_url(&self) -> String {
        self.cloud.base_url.clone()
    }

    /// Gives the id of the project.
    pub fn project(&self) -> &str {
        &self.cloud.project
    }

    /// Gives the service-account key whose owner may do everything, for
    /// `GOOGLE_APPLICATION_CREDENTIALS`.
    pub fn key_file(&self) -> &Path {
        self.cloud.auth.key_file()
    }

    /// Gives the credentials of a user, who has to name a quota project.
    pub fn user_file(&self) -> &Path {
        self.cloud.auth.user_file()
    }

    /// Makes an access token of the service account.
    pub fn access_token(&self) -> String {
        self.cloud.auth.access_token(Principal::ServiceAccount)
    }

    /// Replaces the table of faults; counting begins again.
    pub fn set_faults(&self, faults: Faults) {
        self.cloud.fate.set(faults);
    }

    /// Lists the last requests, up to 100,000 of them, in the order in which
    /// they came.
    pub fn requests(&self) -> Vec<Logged> {
        self.cloud.log.all()
    }

    /// Stops: nothing is accepted any more, requests under way have a second
    /// to end.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        let ended = tokio::time::timeout(Duration::from_secs(1), &mut self.server).await;
        if ended.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Names the first field of a Vertex AI answer that Google's description does
/// not have, or has otherwise: for tests of answers, ours or recorded ones.
/// `version` is `v1` or `v1beta1`, `schema` a name like `TuningJob`.
pub fn stray_field(version: &str, schema: &str, answer: &serde_json::Value) -> Option<String> {
    strict::refusal_of(vertex::api_of(version), schema, answer, "")
}

/// Lists the names of all operations, each once, in the order of their table.
pub fn operations() -> Vec<&'static str> {
    let mut names: Vec<_> = operation::names().collect();
    names.dedup();
    names
}
