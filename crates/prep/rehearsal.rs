//! A rehearsal: Google's services are played on this machine, by a server in
//! this process, and everything else is as it would be.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use prep_emulator::{Emulator, Options};
use prep_submit::Environment;
use tokio::runtime::{Builder, Runtime};

use crate::failure::{Failure, plain};

/// Where the played services keep their objects and jobs.
const DIRECTORY: &str = ".prep-rehearsal";

/// Played services, until this is dropped.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    // The server runs on threads of its own: the client has its own runtime.
    runtime: Runtime,
    emulator: Option<Emulator>,
}

impl Rehearsal {
    /// The project that is played.
    pub(crate) const PROJECT: &'static str = "prep-rehearsal";
    /// Its bucket.
    pub(crate) const BUCKET: &'static str = "prep-rehearsal";
    /// Where it tunes, unless something else is said.
    pub(crate) const LOCATION: &'static str = "us-central1";
    /// What it tunes, unless something else is said.
    pub(crate) const MODEL: &'static str = "gemini-3.1-flash-lite";

    /// How often a job is looked at: what is played takes seconds.
    pub(crate) const POLL: Duration = Duration::from_secs(1);

    /// Begins to play.
    pub(crate) fn start() -> Result<Self, Failure> {
        hide()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let emulator = runtime.block_on(Emulator::start(Options::new(DIRECTORY)));
        let emulator = emulator.map_err(plain)?;
        Ok(Self {
            runtime,
            emulator: Some(emulator),
        })
    }

    /// An environment in which everything goes to the played services.
    pub(crate) fn environment(&self) -> Environment {
        let emulator = self.emulator.as_ref();
        let base = emulator.map(Emulator::base_url);
        let key: Option<PathBuf> = emulator.map(|emulator| emulator.key_file().to_owned());
        Environment {
            application_credentials: key,
            vertex_base: base.clone(),
            storage_base: base,
            ..Environment::default()
        }
    }

    /// Where the played services keep what they have.
    pub(crate) fn directory() -> &'static Path {
        Path::new(DIRECTORY)
    }
}

/// Makes the directory, which is of no interest to a repository.
fn hide() -> std::io::Result<()> {
    fs::create_dir_all(DIRECTORY)?;
    fs::write(Path::new(DIRECTORY).join(".gitignore"), "*\n")
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        if let Some(emulator) = self.emulator.take() {
            self.runtime.block_on(emulator.stop());
        }
    }
}
