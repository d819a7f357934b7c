//! Google's services, played in this process, and what they have after a run.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use prep_emulator::{Emulator, Faults, Logged, Options};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Place, Run, Started};

/// The project that is played, and the bucket in it.
pub(crate) const PROJECT: &str = "prep-rehearsal";
pub(crate) const BUCKET: &str = "prep-rehearsal";
pub(crate) const LOCATION: &str = "us-central1";
pub(crate) const MODEL: &str = "gemini-3.1-flash-lite";

/// How much faster than in earnest the waiting goes.
const HURRY: &str = "60";

/// Services that are played until this is dropped.
#[derive(Debug)]
pub(crate) struct Played {
    runtime: Runtime,
    emulator: Emulator,
    directory: TempDir,
}

impl Played {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("played-")
            .tempdir()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut options = Options::new(directory.path());
        options.pace = Duration::from_millis(400);
        change(&mut options);
        let emulator = runtime.block_on(Emulator::start(options)).unwrap();
        Self {
            runtime,
            emulator,
            directory,
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What goes wrong from now on: rows of a table of faults.
    pub(crate) fn set_faults(&self, faults: &[Value]) {
        let table = serde_json::json!({"faults": faults}).to_string();
        self.emulator.set_faults(Faults::parse(&table).unwrap());
    }

    pub(crate) fn requests(&self) -> Vec<Logged> {
        self.emulator.requests()
    }

    /// The operations that were asked for, in order.
    pub(crate) fn operations(&self) -> Vec<&'static str> {
        let requests = self.requests();
        requests
            .iter()
            .filter_map(|request| request.operation)
            .collect()
    }

    pub(crate) fn access_token(&self) -> String {
        self.emulator.access_token()
    }

    pub(crate) fn base_url(&self) -> String {
        self.emulator.base_url()
    }

    pub(crate) fn key_file(&self) -> &Path {
        self.emulator.key_file()
    }

    /// `prep` with everything that it needs to find these services, and
    /// nothing of this machine's.
    pub(crate) fn command(&self, place: &Place, arguments: &[&str]) -> Command {
        let mut command = bare(place, arguments);
        command
            .env("GOOGLE_CLOUD_PROJECT", PROJECT)
            .env("GOOGLE_CLOUD_LOCATION", LOCATION)
            .env("GOOGLE_APPLICATION_CREDENTIALS", self.key_file())
            .env("GOOGLE_VERTEX_BASE_URL", self.base_url())
            .env("STORAGE_EMULATOR_HOST", self.base_url());
        command
    }

    /// Runs `prep` to its end.
    pub(crate) fn prep(&self, place: &Place, arguments: &[&str]) -> Run {
        finish(&mut self.command(place, arguments))
    }

    /// Runs `prep submit`, in a hurry and without asking.
    pub(crate) fn submit(&self, place: &Place, arguments: &[&str]) -> Run {
        self.prep(place, &[&submission(), arguments].concat())
    }

    /// Starts `prep submit`, in a hurry and without asking.
    pub(crate) fn start_submit(&self, place: &Place, arguments: &[&str]) -> Started {
        let mut command = self.command(place, &[&submission(), arguments].concat());
        Started::new(command.stdout(Stdio::null()))
    }

    /// All jobs, as the service tells them.
    pub(crate) fn jobs(&self) -> Vec<Value> {
        let of = format!("/v1/projects/{PROJECT}/locations/{LOCATION}/tuningJobs?pageSize=100");
        jobs_of(&self.base_url(), &of, &self.access_token())
    }

    /// The contents of an object by its `gs://` address, if it is there.
    pub(crate) fn object(&self, uri: &str) -> Option<Vec<u8>> {
        object_of(&self.base_url(), uri, &self.access_token())
    }
}

/// `prep submit` with what all submissions of these tests have.
fn submission() -> [&'static str; 8] {
    [
        "submit", "--yes", "--model", MODEL, "--hurry", HURRY, "--epochs", "2",
    ]
}

/// `prep` with nothing of this machine's that could lead it to Google.
pub(crate) fn bare(place: &Place, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| {
        let name = name.to_string_lossy();
        let starts = [
            "GOOGLE_",
            "GCLOUD_",
            "GCE_",
            "CLOUDSDK_",
            "GEMINI_",
            "PREP_",
        ];
        starts.iter().any(|start| name.starts_with(start))
    }) {
        command.env_remove(name);
    }
    command
        .env_remove("STORAGE_EMULATOR_HOST")
        .env("HOME", place.path("home"))
        .env("NO_GCE_CHECK", "true");
    command
}

/// Runs a command to its end, with a status that the contract knows.
pub(crate) fn finish(command: &mut Command) -> Run {
    let mut stdout = tempfile::tempfile().unwrap();
    let started = Started::new(command.stdout(stdout.try_clone().unwrap()));
    let mut run = started.wait();
    std::io::Seek::rewind(&mut stdout).unwrap();
    stdout.read_to_end(&mut run.stdout).unwrap();
    assert!(
        matches!(run.status.code(), Some(0..=2)) && !run.stderr.contains("panicked"),
        "{}\n{}",
        run.status,
        run.stderr
    );
    run
}

/// Jobs, by the path that lists them.
pub(crate) fn jobs_of(base_url: &str, path: &str, token: &str) -> Vec<Value> {
    let (status, body) = fetch(base_url, path, token);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let page: Value = serde_json::from_slice(&body).unwrap();
    assert!(
        page["nextPageToken"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
    );
    page["tuningJobs"].as_array().cloned().unwrap_or_default()
}

/// The contents of an object by its `gs://` address, if it is there.
pub(crate) fn object_of(base_url: &str, uri: &str, token: &str) -> Option<Vec<u8>> {
    let (bucket, name) = uri.strip_prefix("gs://")?.split_once('/')?;
    let name = name.replace('/', "%2F");
    let path = format!("/storage/v1/b/{bucket}/o/{name}?alt=media");
    match fetch(base_url, &path, token) {
        (200, body) => Some(body),
        (404, _) => None,
        (status, body) => panic!("{uri}: {status} {}", String::from_utf8_lossy(&body)),
    }
}

/// Asks a stand-in for something: the status and the body.
pub(crate) fn fetch(base_url: &str, path: &str, token: &str) -> (u16, Vec<u8>) {
    // A person's token needs to say who is charged.
    let head = format!(
        "GET {path} HTTP/1.0\r\nauthorization: Bearer {token}\r\nx-goog-user-project: {PROJECT}\r\n"
    );
    exchange(base_url, &head, "")
}

/// Sends a form to a stand-in, which answers with JSON.
pub(crate) fn post(base_url: &str, path: &str, form: &str) -> Value {
    let kind = "application/x-www-form-urlencoded";
    let head = format!("POST {path} HTTP/1.0\r\ncontent-type: {kind}\r\n");
    let (status, body) = exchange(base_url, &head, form);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// Sends a request with no more than a socket. Over HTTP/1.0 the answer ends
/// with the connection.
fn exchange(base_url: &str, head: &str, body: &str) -> (u16, Vec<u8>) {
    let host = base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{head}host: {host}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let mut windows = answer.windows(4);
    let end = windows.position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_off(end + 4))
}
