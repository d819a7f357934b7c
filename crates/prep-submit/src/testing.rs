//! What the tests of this crate share.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, ClientOptions};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::endpoints::Endpoints;
use crate::secret::Secret;

/// A published description of an API; `None`, loudly, where the shared data is
/// missing, which it may not be in the CI.
#[expect(clippy::print_stderr, reason = "a test that does not run must be seen")]
pub(crate) fn description(file: &str) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/google-api");
    match std::fs::read(folder.join(file)) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "`{file}`: {error}");
            eprintln!("SKIPPED: `{file}` is missing");
            None
        }
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// The path with its query, as it was sent.
    pub(crate) target: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The values of a parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Vec<String> {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let values = pairs.filter(|(key, _)| *key == name);
        let decoded =
            values.map(|(_, value)| percent_encoding::percent_decode_str(value).decode_utf8());
        decoded.map(|value| value.unwrap().into_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(key, value)| (key == name).then_some(&**value))
    }
}

/// What a scripted server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It answers.
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// It closes the connection.
    Close,
    /// It answers 200 and half of a body.
    Truncated(String),
}

impl Answer {
    pub(crate) fn ok(body: &str) -> Self {
        Self::Reply(
            200,
            vec![("content-type", "application/json".into())],
            body.into(),
        )
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::ok(&body.to_string())
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({"error": {"code": status, "message": message}});
        Self::Reply(status, Vec::new(), body.to_string().into())
    }

    fn bytes(self) -> Vec<u8> {
        let (status, headers, body, cut) = match self {
            Self::Close => return Vec::new(),
            Self::Reply(status, headers, body) => (status, headers, body, 0),
            Self::Truncated(body) => (200, Vec::new(), body.clone().into_bytes(), body.len() / 2),
        };
        let mut head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n",
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        [head.as_bytes(), &body[..body.len() - cut]].concat()
    }
}

/// A server on loopback that does what a function says. It keeps a state that
/// the test can look at.
#[derive(Debug)]
pub(crate) struct Server<S> {
    address: std::net::SocketAddr,
    state: Arc<Mutex<S>>,
    task: tokio::task::JoinHandle<()>,
}

impl<S: Send + 'static> Server<S> {
    pub(crate) async fn start(state: S, answer: fn(&mut S, &Received) -> Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let Some(received) = receive(&mut stream).await else {
                        return;
                    };
                    let answer = answer(&mut state.lock().unwrap(), &received);
                    drop(stream.write_all(&answer.bytes()).await);
                    drop(stream.shutdown().await);
                });
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    /// The state; the server waits as long as it is held.
    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap()
    }

    /// A client of the server, with a clock that does not wait.
    pub(crate) fn client(&self) -> Client {
        self.client_with(|_| ())
    }

    /// A client of the server, changed before it is made.
    pub(crate) fn client_with(&self, change: impl FnOnce(&mut ClientOptions)) -> Client {
        let endpoints = Endpoints::stand_in(format!("http://{}", self.address));
        let token = Credentials::access_token(Secret::new("ya29.test"));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let mut options = ClientOptions::new(endpoints, token);
        options.clock = Clock::manual(now);
        change(&mut options);
        Client::new(options).unwrap()
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received {
        method,
        target,
        headers,
        body,
    })
}
