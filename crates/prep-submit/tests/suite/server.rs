//! A small Cloud Storage with a script of failures, over plain HTTP/1.1.
//!
//! It keeps objects and sessions as section 6 of Google's protocol says, and
//! is strict: a chunk of a length that is not allowed, a range that does not
//! follow, a checksum that is wrong, a body that is not of its length fail.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use prep_submit::storage::Crc32c;
use prep_submit::{
    Client, ClientOptions, Clock, Credentials, Endpoints, RequestLog, Retry, Secret,
};
use serde_json::{Value, json};

/// The token that is accepted at first.
pub(crate) const TOKEN: &str = "ya29.s3cret-token";

/// An address at which nobody listens, and nobody can begin to: that of a
/// connection which is open. A port that is only free may be another test's next.
pub(crate) struct Nobody {
    connection: TcpStream,
    /// Keeps it open.
    _other_end: TcpListener,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            connection: TcpStream::connect(listener.local_addr().unwrap()).unwrap(),
            _other_end: listener,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.connection.local_addr().unwrap()
    }
}

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This status, and nothing is done.
    Status(u16),
    /// 429 with `Retry-After`, in seconds.
    Later(u64),
    /// The connection ends before anything is done.
    Reset,
    /// It is done, and the connection ends before the answer.
    LostAnswer,
    /// It is done, and half of the answer comes.
    HalfAnswer,
    /// It is done, and the answer is cut JSON of the right length.
    CutJson,
    /// It is done, and the answer is this status.
    DoneBut(u16),
    /// Only the first 256 KiB of the chunk are stored, or half of a smaller one.
    PartlyStored,
    /// The session is gone.
    Gone,
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// What kind it is: `object`, `insert`, `begin`, `chunk`, `status`…
    pub(crate) kind: &'static str,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let query = self.target.split_once('?')?.1;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name);
        values.next().map(|(_, value)| value)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    pub(crate) generation: u64,
}

#[derive(Debug)]
struct Session {
    name: String,
    total: usize,
    crc32c: Option<String>,
    bytes: Vec<u8>,
    finished: bool,
    /// How many bytes came and were not kept.
    passed: usize,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Stored>,
    sessions: BTreeMap<String, Session>,
    pub(crate) seen: Vec<Seen>,
    /// What fails: the kind, which of its kind (from 1), and how.
    pub(crate) faults: Vec<(&'static str, usize, Fault)>,
    pub(crate) accepted_tokens: Vec<String>,
    /// Answers for addresses that are not of Cloud Storage.
    pub(crate) answers: BTreeMap<String, (u16, Value)>,
    /// Whether objects are told without a checksum.
    pub(crate) is_silent: bool,
    /// Whether what is stored is not what was sent.
    pub(crate) is_corrupting: bool,
    /// Keeps nothing of what comes: for measurements.
    pub(crate) is_forgetful: bool,
    generation: u64,
}

/// A running server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) state: Arc<Mutex<State>>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn json(status: u16, value: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        let body = value.to_string().into_bytes();
        Self {
            status,
            headers,
            body,
        }
    }

    fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn error(status: u16, reason: &str) -> Self {
        let value = json!({"error": {"code": status, "message": format!("Scripted: {reason}."), "errors": [{"reason": reason}]}});
        Self::json(status, &value)
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            accepted_tokens: vec![TOKEN.to_owned()],
            ..State::default()
        };
        let server = Self {
            base,
            state: Arc::new(Mutex::new(state)),
        };
        let own = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = own.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    pub(crate) fn with_faults(faults: &[(&'static str, usize, Fault)]) -> Self {
        let server = Self::start();
        server.lock().faults = faults.to_vec();
        server
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Options of a client that asks here, with a clock that does not wait.
    pub(crate) fn options(&self) -> ClientOptions {
        let endpoints = Endpoints::stand_in(&self.base);
        let credentials = Credentials::access_token(Secret::new(TOKEN));
        ClientOptions {
            clock: Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            retry: Retry::default(),
            ..ClientOptions::new(endpoints, credentials)
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.options()).unwrap()
    }

    /// A client that writes everything down.
    pub(crate) fn logged_client(&self) -> (Client, Lines) {
        let lines = Lines::default();
        let log = Some(RequestLog::to(lines.clone()));
        let options = ClientOptions {
            log,
            ..self.options()
        };
        (Client::new(options).unwrap(), lines)
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.lock().seen.iter().map(|seen| seen.kind).collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.kinds().iter().filter(|seen| **seen == kind).count()
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::with_capacity(1 << 20, stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some(seen) = read_request(&mut reader) {
            let (answer, fault) = self.answer(&seen);
            match fault {
                Some(Fault::Reset | Fault::LostAnswer) => break,
                Some(Fault::HalfAnswer) => {
                    let bytes = bytes_of(&answer);
                    drop(stream.write_all(&bytes[..bytes.len() - answer.body.len() / 2 - 1]));
                    break;
                }
                _ if stream.write_all(&bytes_of(&answer)).is_err() => break,
                _ => {}
            }
        }
        drop(stream.shutdown(Shutdown::Both));
    }

    fn answer(&self, seen: &Seen) -> (Answer, Option<Fault>) {
        let mut state = self.lock();
        let kind = seen.kind;
        if state.is_forgetful {
            let answer = state.act(seen, &self.base, None);
            return (answer, None);
        }
        let authorisation = seen.headers.get("authorization").cloned();
        state.seen.push(seen.clone());
        let nth = state.seen.iter().filter(|seen| seen.kind == kind).count();
        let fault = state
            .faults
            .iter()
            .find(|(of, n, _)| *of == kind && *n == nth);
        let fault = fault.map(|(_, _, fault)| *fault);
        let is_open = matches!(kind, "token" | "other");
        let bearer = authorisation
            .as_deref()
            .and_then(|text| text.strip_prefix("Bearer "));
        let is_known =
            bearer.is_some_and(|token| state.accepted_tokens.iter().any(|known| known == token));
        if !is_open && !is_known {
            return (Answer::error(401, "authError"), None);
        }
        let answer = match fault {
            Some(Fault::Status(status)) => Answer::error(status, "scripted"),
            Some(Fault::Later(seconds)) => {
                Answer::error(429, "rateLimitExceeded").with("retry-after", seconds.to_string())
            }
            Some(Fault::Reset) => Answer::empty(0),
            _ => state.act(seen, &self.base, fault),
        };
        match fault {
            Some(Fault::DoneBut(status)) => (Answer::error(status, "done"), fault),
            Some(Fault::CutJson) => {
                let body = answer.body[..answer.body.len() / 2].to_vec();
                (Answer { body, ..answer }, fault)
            }
            _ => (answer, fault),
        }
    }
}

fn bytes_of(answer: &Answer) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Scripted\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    if answer.status != 204 {
        bytes.extend(format!("content-length: {}\r\n", answer.body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(&answer.body);
    bytes
}

fn read_request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    assert!(
        !headers.contains_key("transfer-encoding"),
        "{target} has no length"
    );
    let length = headers
        .get("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let kind = kind_of(&method, &target, &headers);
    Some(Seen {
        kind,
        method,
        target,
        headers,
        body,
    })
}

fn kind_of(method: &str, target: &str, headers: &BTreeMap<String, String>) -> &'static str {
    let is_query = headers
        .get("content-range")
        .is_some_and(|range| range.starts_with("bytes */"));
    match method {
        "PUT" if target.starts_with("/session/") && is_query => "status",
        "PUT" if target.starts_with("/session/") => "chunk",
        "DELETE" if target.starts_with("/session/") => "cancel",
        "POST" if target.contains("uploadType=multipart") => "insert",
        "POST" if target.contains("uploadType=resumable") => "begin",
        "GET" if target.contains("alt=media") => "media",
        "GET" if target.contains("/o/") => "object",
        "DELETE" if target.contains("/o/") => "delete",
        "GET" if target.contains("/o?") => "list",
        _ if target.starts_with("/storage/") => "bucket",
        _ if target.starts_with("/token") => "token",
        _ if target.starts_with("/v1/") => "vertex",
        _ => "other",
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap().to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

impl State {
    fn act(&mut self, seen: &Seen, base: &str, fault: Option<Fault>) -> Answer {
        match seen.kind {
            "object" | "media" => self.object(seen),
            "insert" => self.insert(seen),
            "begin" => self.begin(seen, base),
            "chunk" | "status" => self.session(seen, fault),
            "cancel" => {
                self.sessions.remove(&seen.target);
                Answer::empty(499)
            }
            "delete" => self.delete(seen),
            "list" => self.list(seen),
            _ => self.scripted(seen),
        }
    }

    fn scripted(&self, seen: &Seen) -> Answer {
        let path = seen.target.split('?').next().unwrap();
        let found = self.answers.get(&format!("{} {path}", seen.method));
        match found {
            Some((status, value)) if path.contains("computeMetadata") => {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                let body = text.into_bytes();
                Answer {
                    status: *status,
                    headers: Vec::new(),
                    body,
                }
                .with("metadata-flavor", "Google")
            }
            Some((status, value)) => Answer::json(*status, value),
            None => Answer::error(404, "notFound"),
        }
    }

    fn resource(&self, name: &str) -> Value {
        let stored = &self.objects[name];
        let mut crc = Crc32c::default().append(&stored.bytes);
        if self.is_corrupting {
            crc = crc.append(b"!");
        }
        let mut resource = json!({
            "kind": "storage#object", "bucket": "bucket", "name": name,
            "generation": stored.generation.to_string(),
            "size": stored.bytes.len().to_string(),
        });
        if !self.is_silent {
            resource["crc32c"] = json!(crc.to_string());
        }
        resource
    }

    fn name_of(seen: &Seen) -> String {
        let path = seen.target.split('?').next().unwrap();
        decoded(path.split_once("/o/").unwrap().1)
    }

    fn object(&self, seen: &Seen) -> Answer {
        let name = Self::name_of(seen);
        let Some(stored) = self.objects.get(&name) else {
            return Answer::error(404, "notFound");
        };
        if seen.kind == "object" {
            return Answer::json(200, &self.resource(&name));
        }
        let crc = Crc32c::default().append(&stored.bytes);
        let mut answer = Answer::empty(200);
        answer.body.clone_from(&stored.bytes);
        if self.is_silent {
            return answer;
        }
        answer.with("x-goog-hash", format!("crc32c={crc},md5=x"))
    }

    fn store(&mut self, name: &str, bytes: Vec<u8>) -> Answer {
        self.generation += 1;
        let generation = self.generation;
        self.objects
            .insert(name.to_owned(), Stored { bytes, generation });
        Answer::json(200, &self.resource(name))
    }

    fn insert(&mut self, seen: &Seen) -> Answer {
        assert_eq!(seen.query("ifGenerationMatch"), Some("0"));
        let name = decoded(seen.query("name").unwrap());
        if self.objects.contains_key(&name) {
            return Answer::error(412, "conditionNotMet");
        }
        let kind = &seen.headers["content-type"];
        let boundary = kind
            .split_once("boundary=\"")
            .unwrap()
            .1
            .trim_end_matches('"');
        let mark = format!("--{boundary}");
        let text = &seen.body;
        let find = |from: usize, what: &str| {
            let found = text[from..]
                .windows(what.len())
                .position(|at| at == what.as_bytes());
            from + found.unwrap()
        };
        let json_at = find(0, "\r\n\r\n") + 4;
        let json_end = find(json_at, &format!("\r\n{mark}"));
        let metadata: Value = serde_json::from_slice(&text[json_at..json_end]).unwrap();
        let bytes_at = find(json_end, "\r\n\r\n") + 4;
        let bytes_end = find(bytes_at, &format!("\r\n{mark}--"));
        let bytes = text[bytes_at..bytes_end].to_vec();
        assert_eq!(metadata["name"], json!(name));
        let crc = Crc32c::default().append(&bytes).to_string();
        if metadata["crc32c"] != json!(crc) {
            return Answer::error(400, "invalid");
        }
        self.store(&name, bytes)
    }

    fn begin(&mut self, seen: &Seen, base: &str) -> Answer {
        assert_eq!(seen.query("ifGenerationMatch"), Some("0"));
        let name = decoded(seen.query("name").unwrap());
        if self.objects.contains_key(&name) {
            return Answer::error(412, "conditionNotMet");
        }
        let metadata: Value = serde_json::from_slice(&seen.body).unwrap();
        let target = format!("/session/s3cret-{}", self.sessions.len());
        let session = Session {
            name,
            total: seen.headers["x-upload-content-length"].parse().unwrap(),
            crc32c: metadata["crc32c"].as_str().map(str::to_owned),
            bytes: Vec::new(),
            finished: false,
            passed: 0,
        };
        self.sessions.insert(target.clone(), session);
        Answer::empty(200).with("location", format!("{base}{target}"))
    }

    fn session(&mut self, seen: &Seen, fault: Option<Fault>) -> Answer {
        if self.is_forgetful {
            return self.pass_on(seen);
        }
        if fault == Some(Fault::Gone) {
            self.sessions.remove(&seen.target);
        }
        let Some(session) = self.sessions.get_mut(&seen.target) else {
            return Answer::error(410, "gone");
        };
        if session.finished {
            let name = session.name.clone();
            return Answer::json(200, &self.resource(&name));
        }
        if seen.kind == "chunk" {
            let range = seen.headers["content-range"]
                .strip_prefix("bytes ")
                .unwrap();
            let (span, total) = range.split_once('/').unwrap();
            let (start, end) = span.split_once('-').unwrap();
            let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
            assert_eq!(total, session.total.to_string());
            assert_eq!(end + 1 - start, seen.body.len());
            let is_last = end + 1 == session.total;
            assert!(
                is_last || seen.body.len().is_multiple_of(256 << 10),
                "{range}"
            );
            if start != session.bytes.len() {
                return Answer::error(503, "outOfStep");
            }
            let kept = match fault {
                Some(Fault::PartlyStored) => (256 << 10).min(seen.body.len() / 2),
                _ => seen.body.len(),
            };
            session.bytes.extend(&seen.body[..kept]);
            if is_last && kept == seen.body.len() {
                let crc = Crc32c::default().append(&session.bytes).to_string();
                let told = seen.headers["x-goog-hash"].strip_prefix("crc32c=").unwrap();
                if told != crc || session.crc32c.as_ref().is_some_and(|known| *known != crc) {
                    return Answer::error(400, "invalid");
                }
                session.finished = true;
                let (name, bytes) = (session.name.clone(), std::mem::take(&mut session.bytes));
                return self.store(&name, bytes);
            }
        }
        let answer = Answer::empty(308);
        match session.bytes.len() {
            0 => answer,
            stored => answer.with("range", format!("bytes=0-{}", stored - 1)),
        }
    }

    fn pass_on(&mut self, seen: &Seen) -> Answer {
        let session = self.sessions.get_mut(&seen.target).unwrap();
        session.passed += seen.body.len();
        if session.passed < session.total {
            return Answer::empty(308).with("range", format!("bytes=0-{}", session.passed - 1));
        }
        let told = seen.headers["x-goog-hash"].strip_prefix("crc32c=").unwrap();
        let size = session.total.to_string();
        let resource =
            json!({"bucket": "bucket", "name": session.name, "size": size, "crc32c": told});
        Answer::json(200, &resource)
    }

    fn delete(&mut self, seen: &Seen) -> Answer {
        let name = Self::name_of(seen);
        let Some(stored) = self.objects.get(&name) else {
            return Answer::error(404, "notFound");
        };
        if seen.query("ifGenerationMatch") != Some(&*stored.generation.to_string()) {
            return Answer::error(412, "conditionNotMet");
        }
        self.objects.remove(&name);
        Answer::empty(204)
    }

    fn list(&self, seen: &Seen) -> Answer {
        let prefix = decoded(seen.query("prefix").unwrap_or_default());
        let after = seen.query("pageToken").map(decoded).unwrap_or_default();
        let names = self
            .objects
            .keys()
            .filter(|name| name.starts_with(&prefix) && **name > after);
        // Pages of two.
        let page: Vec<_> = names.take(2).collect();
        let items: Vec<_> = page.iter().map(|name| self.resource(name)).collect();
        let mut answer = json!({"kind": "storage#objects"});
        if !items.is_empty() {
            answer["items"] = json!(items);
        }
        if page.len() == 2 {
            answer["nextPageToken"] = json!(page[1]);
        }
        Answer::json(200, &answer)
    }
}

/// A place for a log to go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
