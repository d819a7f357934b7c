//! The plainest HTTP client: it sends what it is told, broken off if need be.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use prep_emulator::{Clock, Emulator, Fault, Faults, Options};
use serde_json::Value;
use tokio::runtime::Runtime;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The error's message, whatever the shape.
    pub(crate) fn message(&self) -> String {
        let message = &self.json()["error"]["message"];
        message.as_str().unwrap_or_default().to_owned()
    }
}

/// An emulator with the runtime that it is on.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) emulator: Option<Emulator>,
    pub(crate) clock: Clock,
    pub(crate) token: String,
    port: u16,
}

/// How long jobs take by the clock of the tests.
pub(crate) const PACE: Duration = Duration::from_secs(1_000);

impl World {
    pub(crate) fn new(dir: &Path, faults: Vec<Fault>) -> Self {
        let mut options = Options::new(dir);
        options.pace = PACE;
        options.token_lifetime = 100 * PACE;
        options.faults = Faults::new(faults).unwrap();
        Self::with(options)
    }

    pub(crate) fn with(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let clock = options.clock.clone();
        let emulator = runtime.block_on(Emulator::start(options)).unwrap();
        let base_url = emulator.base_url();
        let port = base_url.rsplit(':').next().unwrap().parse().unwrap();
        Self {
            token: emulator.access_token(),
            emulator: Some(emulator),
            runtime,
            clock,
            port,
        }
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    pub(crate) fn stop(mut self) {
        let emulator = self.emulator.take().unwrap();
        self.runtime.block_on(emulator.stop());
    }

    /// Sends a request with a token and reads the answer.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        self.try_send(method, path, headers, body, body.len())
            .unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            body.as_bytes(),
        )
    }

    /// Sends a request of which only the first bytes of the body come.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        n_sent: usize,
    ) -> io::Result<Reply> {
        let path = path.trim_start_matches(&*self.emulator().base_url());
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            head += &format!("authorization: Bearer {}\r\n", self.token);
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        stream.write_all(&body[..n_sent])?;
        if n_sent < body.len() {
            // Time for what was sent to be taken in before it breaks off.
            std::thread::sleep(Duration::from_millis(100));
            stream.shutdown(std::net::Shutdown::Both)?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        parse(&bytes)
    }
}

fn parse(bytes: &[u8]) -> io::Result<Reply> {
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status
        .and_then(|status| status.parse().ok())
        .ok_or_else(cut)?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut reply = Reply {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    };
    if reply.header("transfer-encoding") == Some("chunked") {
        reply.body = dechunk(&reply.body).ok_or_else(cut)?;
    }
    let length = reply.header("content-length").map(str::to_owned);
    if length.is_some_and(|length| length != reply.body.len().to_string()) {
        return Err(cut());
    }
    Ok(reply)
}

fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        let data = bytes.get(end + 2..end + 2 + size)?;
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(data);
        bytes = bytes.get(end + 4 + size..)?;
    }
}
