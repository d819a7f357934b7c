//! One attempt at one request: what is sent, what comes back, what is written
//! down about it.
//!
//! TLS is rustls with ring, and trusts what the machine trusts: the roots are
//! those of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`, read by
//! rustls-native-certs. A bundle compiled in would age with the binary and
//! not know a company's own proxy. A machine without any roots can still talk
//! to a stand-in over plain HTTP. `HTTPS_PROXY` and `NO_PROXY` are honoured,
//! except for hosts on this machine and the metadata server, which no proxy
//! can reach.
//!
//! Redirects are never followed: 308 means something else to Cloud Storage,
//! and a token must not follow one to another host. HTTP/2 is not offered: an
//! upload fills its connection by itself, and a window of HTTP/2 only slows it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::error::{CallError, Effect, TransportError, TransportKind};
use crate::log::{Entry, RequestLog, rfc3339};
use crate::secret::Secret;
use crate::stop::Stop;

/// Whether a request may be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Sent twice, it has the effect of once: it only reads, or carries a
    /// precondition that its second coming cannot meet.
    Safe,
    /// Sent twice, it may happen twice. It is sent once.
    Never,
}

/// What a request carries.
#[derive(Debug, Clone, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes of a content type.
    Bytes {
        /// The content type.
        content_type: String,
        /// The bytes; they are shared and not copied between attempts.
        bytes: Bytes,
        /// Counts bytes as they leave, and takes them back when an attempt fails.
        progress: Option<Arc<AtomicU64>>,
    },
}

impl Body {
    fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes { bytes, .. } => bytes.len() as u64,
        }
    }
}

/// Where a request goes.
#[derive(Clone)]
enum Target {
    Plain(String),
    Secret { url: Secret, shown: String },
}

/// A request, and what may be done with it.
///
/// ```
/// use prep_submit::{Repeat, Request};
///
/// let get = Request::get("get a tuning job", "https://host/v1/projects/p/locations/l/tuningJobs/1");
/// assert_eq!(get.repeat, Repeat::Safe);
/// let create = Request::post("start a tuning job", "https://host/v1/projects/p/locations/l/tuningJobs")
///     .json(&serde_json::json!({"baseModel": "gemini-3.5-flash"}));
/// assert_eq!(create.repeat, Repeat::Never);
/// ```
#[derive(Clone)]
pub struct Request {
    /// What it does, for people: "start a tuning job".
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    target: Target,
    query: Vec<(&'static str, String)>,
    /// Headers, beside those of the body and of authorisation.
    pub headers: Vec<(&'static str, String)>,
    pub(crate) secret_headers: Vec<(String, Secret)>,
    /// What it carries.
    pub body: Body,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// How long an attempt may take; the client's default if it is not said.
    pub timeout: Option<Duration>,
    /// Which statuses are answers and not errors, beside 200 to 299.
    pub accept: &'static [u16],
    /// Whether it needs an access token.
    pub authorised: bool,
}

impl Request {
    /// Makes a request; `GET` is safe to repeat, any other method is not
    /// until [`Request::safe`] says so.
    pub fn new(method: Method, operation: &'static str, url: impl Into<String>) -> Self {
        Self::to(Target::Plain(url.into()), method, operation)
    }

    /// Makes a request to an address that must not be seen; in the log stands
    /// `shown` instead of its path.
    pub fn to_secret(
        method: Method,
        operation: &'static str,
        url: Secret,
        shown: impl Into<String>,
    ) -> Self {
        let shown = shown.into();
        Self::to(Target::Secret { url, shown }, method, operation)
    }

    fn to(target: Target, method: Method, operation: &'static str) -> Self {
        let repeat = if method == Method::GET {
            Repeat::Safe
        } else {
            Repeat::Never
        };
        Self {
            operation,
            method,
            target,
            query: Vec::new(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: Body::Empty,
            repeat,
            timeout: None,
            accept: &[],
            authorised: true,
        }
    }

    /// Makes a request that only reads.
    pub fn get(operation: &'static str, url: impl Into<String>) -> Self {
        Self::new(Method::GET, operation, url)
    }

    /// Makes a request that is sent once.
    pub fn post(operation: &'static str, url: impl Into<String>) -> Self {
        Self::new(Method::POST, operation, url)
    }

    /// Adds a parameter to the query; both sides are encoded.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Carries a value as JSON.
    ///
    /// # Panics
    ///
    /// If the value cannot be JSON: a map whose keys are not strings.
    #[must_use]
    pub fn json(self, value: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(value).expect("a request has keys that are strings");
        self.bytes("application/json; charset=UTF-8", bytes)
    }

    /// Carries bytes.
    #[must_use]
    pub fn bytes(mut self, content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes {
            content_type: content_type.into(),
            bytes: bytes.into(),
            progress: None,
        };
        self
    }

    /// Counts the bytes of the body as they leave.
    #[must_use]
    pub fn progress(mut self, counter: Arc<AtomicU64>) -> Self {
        if let Body::Bytes { progress, .. } = &mut self.body {
            *progress = Some(counter);
        }
        self
    }

    /// Says that sending it twice has the effect of once.
    #[must_use]
    pub fn safe(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    /// Says which statuses are answers and not errors, beside 200 to 299.
    #[must_use]
    pub fn accept(mut self, statuses: &'static [u16]) -> Self {
        self.accept = statuses;
        self
    }

    /// Says how long an attempt may take; for a stream, until its next bytes.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends no access token.
    #[must_use]
    pub fn without_token(mut self) -> Self {
        self.authorised = false;
        self
    }

    /// Gives the address, or `None` if it must not be seen.
    pub fn url(&self) -> Option<String> {
        match &self.target {
            Target::Plain(url) => Some(self.with_query(url)),
            Target::Secret { .. } => None,
        }
    }

    fn with_query(&self, url: &str) -> String {
        let pairs = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        match (query.is_empty(), url.contains('?')) {
            (true, _) => url.to_owned(),
            (false, true) => format!("{url}&{query}"),
            (false, false) => format!("{url}?{query}"),
        }
    }

    pub(crate) fn address(&self) -> Result<Url, CallError> {
        let address = match &self.target {
            Target::Plain(url) => self.with_query(url),
            Target::Secret { url, .. } => self.with_query(url.expose()),
        };
        let url = Url::parse(&address).map_err(|error| error.to_string());
        let checked = url.and_then(|url| match url.scheme() {
            "http" | "https" => Ok(url),
            _ => Err("it is neither http nor https".to_owned()),
        });
        checked.map_err(|reason| CallError::Unreadable {
            operation: self.operation,
            reason: format!("the address of the request is none: {reason}"),
        })
    }

    fn shown_path(&self, url: &Url) -> String {
        match (&self.target, url.query()) {
            (Target::Secret { shown, .. }, _) => shown.clone(),
            (Target::Plain(_), Some(query)) => format!("{}?{query}", url.path()),
            (Target::Plain(_), None) => url.path().to_owned(),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("url", &self.url().as_deref().unwrap_or("•••"))
            .field("body_bytes", &self.body.len())
            .field("repeat", &self.repeat)
            .finish_non_exhaustive()
    }
}

/// What stays as it is in a part of a path or a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Encodes a part of a path or of a query; a slash is encoded as well, which
/// the names of objects need.
pub fn encoded(part: &str) -> String {
    utf8_percent_encode(part, UNRESERVED).to_string()
}

/// An answer, whole.
#[derive(Clone)]
pub struct Reply {
    /// What was called.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The headers; some may be secret, so they are not shown.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How many attempts it took.
    pub attempts: u32,
}

impl Reply {
    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| CallError::Unreadable {
            operation: self.operation,
            reason: error.to_string(),
        })
    }

    /// Gives a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// An answer whose body is still on its way.
#[derive(Debug)]
pub struct ReplyStream {
    /// The HTTP status.
    pub status: u16,
    /// How many attempts it took to get here.
    pub attempts: u32,
    response: reqwest::Response,
    record: Record,
    timeout: Duration,
    stop: Stop,
}

impl ReplyStream {
    /// Takes the next bytes of the body, or `None` at its end. A break in the
    /// middle is an error: what came before was not all.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        let next = self.response.chunk();
        let next = within(&self.stop, self.timeout, next).await;
        match next {
            Ok(Some(bytes)) => {
                self.record.received += bytes.len() as u64;
                Ok(Some(bytes))
            }
            Ok(None) => Ok(None),
            Err(fault) => {
                self.record.error = Some(fault.to_string());
                Err(fault.error(&self.record, Effect::Unknown, self.attempts, Duration::ZERO))
            }
        }
    }

    /// Gives a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }
}

/// Why an attempt brought no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    Transport(TransportError),
    Stopped,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl Fault {
    /// Whether the request may have been read, as far as the connection tells.
    pub(crate) fn effect(&self) -> Effect {
        match self {
            Self::Transport(error) if error.kind == TransportKind::Connect => Effect::None,
            Self::Transport(_) | Self::Stopped => Effect::Unknown,
        }
    }

    fn error(self, record: &Record, effect: Effect, attempts: u32, elapsed: Duration) -> CallError {
        self.into_error(
            record.operation,
            record.host.clone(),
            effect,
            attempts,
            elapsed,
        )
    }

    pub(crate) fn into_error(
        self,
        operation: &'static str,
        host: String,
        effect: Effect,
        attempts: u32,
        elapsed: Duration,
    ) -> CallError {
        match self {
            Self::Stopped => CallError::Stopped { operation, effect },
            Self::Transport(source) => CallError::Transport {
                operation,
                host,
                tries: crate::error::Tries { attempts, elapsed },
                effect,
                source,
            },
        }
    }
}

/// What an attempt brought.
pub(crate) enum Outcome {
    Whole(Reply),
    Open(Box<ReplyStream>),
}

/// The connections, and what is needed to use them.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    through_proxies: reqwest::Client,
    direct: reqwest::Client,
    pub(crate) log: Option<RequestLog>,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    pub(crate) timeout: Duration,
}

impl Http {
    pub(crate) fn new(
        log: Option<RequestLog>,
        clock: Clock,
        stop: Stop,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Self, TransportError> {
        let tls = tls();
        let build = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(connect_timeout)
                .user_agent(concat!("prep/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            through_proxies: build().build()?,
            direct: build().no_proxy().build()?,
            log,
            clock,
            stop,
            timeout,
        })
    }

    /// Sends a request once. An answer of any status is an answer.
    ///
    /// `whole` is for a body that is wanted in one piece; otherwise the body
    /// of a success is left on its way.
    pub(crate) async fn attempt(
        &self,
        request: &Request,
        extra: &[(&'static str, Secret)],
        attempt: u32,
        whole: bool,
    ) -> Result<Outcome, CallError> {
        let url = request.address()?;
        let mut record = Record::new(self, request, &url, attempt);
        let timeout = request.timeout.unwrap_or(self.timeout);
        let client = if is_near(&url) {
            &self.direct
        } else {
            &self.through_proxies
        };
        let mut builder = client.request(request.method.clone(), url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let own = request.secret_headers.iter();
        let own = own.map(|(name, value)| (name.as_str(), value));
        let extra = extra.iter().map(|(name, value)| (*name, value));
        for (name, value) in extra.filter(|_| may_carry_secrets(&url)).chain(own) {
            let mut value =
                HeaderValue::from_str(value.expose()).map_err(|_| bad_header(request, name))?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        let mut sent = Sent::default();
        match &request.body {
            Body::Empty if request.method == Method::GET => {}
            // Google's front ends refuse a POST without a length.
            Body::Empty => builder = builder.header("content-length", "0"),
            Body::Bytes {
                content_type,
                bytes,
                progress,
            } => {
                builder = builder.header(CONTENT_TYPE, content_type);
                builder = match progress {
                    None => builder.body(bytes.clone()),
                    Some(counter) => {
                        sent = Sent::new(counter);
                        builder
                            .header("content-length", bytes.len())
                            .body(sent.counted(bytes.clone()))
                    }
                };
            }
        }
        let response = match within(&self.stop, timeout, builder.send()).await {
            Ok(response) => response,
            Err(fault) => return Err(record.lost(fault)),
        };
        let status = response.status().as_u16();
        record.status = Some(status);
        let is_success = response.status().is_success();
        if is_success {
            sent.keep();
        }
        if !whole && is_success {
            return Ok(Outcome::Open(Box::new(ReplyStream {
                status,
                attempts: attempt,
                response,
                record,
                timeout,
                stop: self.stop.clone(),
            })));
        }
        let headers = response.headers().clone();
        let body = match within(&self.stop, timeout, collect(response)).await {
            Ok(body) => body,
            Err(fault) => return Err(record.lost(fault)),
        };
        record.received = body.len() as u64;
        if request.accept.contains(&status) {
            sent.keep();
        }
        Ok(Outcome::Whole(Reply {
            operation: request.operation,
            status,
            headers,
            body,
            attempts: attempt,
        }))
    }
}

async fn collect(mut response: reqwest::Response) -> Result<Bytes, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(bytes) = response.chunk().await? {
        body.extend_from_slice(&bytes);
    }
    Ok(body.freeze())
}

/// Waits for an answer, but not past the time-out or a raised flag.
async fn within<T>(
    stop: &Stop,
    timeout: Duration,
    answer: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        answer = tokio::time::timeout(timeout, answer) => match answer {
            Ok(answer) => answer.map_err(|error| Fault::Transport(error.into())),
            Err(_) => Err(Fault::Transport(TransportError::timeout(timeout))),
        },
        () = stop.raised() => Err(Fault::Stopped),
    }
}

fn bad_header(request: &Request, name: &str) -> CallError {
    CallError::Unreadable {
        operation: request.operation,
        reason: format!("the value for the header `{name}` has characters that no header may have"),
    }
}

/// Whether a host is this machine or the metadata server.
fn is_near(url: &Url) -> bool {
    is_loopback(url)
        || matches!(
            url.host_str(),
            Some("metadata.google.internal" | "169.254.169.254")
        )
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let parsed: Option<std::net::IpAddr> = address.parse().ok();
    host == "localhost"
        || host.ends_with(".localhost")
        || parsed.is_some_and(|address| address.is_loopback())
}

/// Whether a token may be sent there: over plain HTTP it does not leave this
/// machine. A stand-in elsewhere must do without.
fn may_carry_secrets(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

fn tls() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    // Certificates that cannot be read are as good as not there: the
    // connection that needs one says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The bytes that an attempt counted; they are taken back if it fails.
#[derive(Default)]
struct Sent(Option<(Arc<AtomicU64>, Arc<AtomicU64>)>);

/// How many bytes of a body are handed over at once.
const PIECE: usize = 256 << 10;

impl Sent {
    fn new(counter: &Arc<AtomicU64>) -> Self {
        Self(Some((Arc::clone(counter), Arc::default())))
    }

    fn counted(&self, mut bytes: Bytes) -> reqwest::Body {
        let (counter, own) = self.0.clone().unwrap_or_default();
        let pieces = std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let piece = bytes.split_to(bytes.len().min(PIECE));
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
            own.fetch_add(piece.len() as u64, Ordering::Relaxed);
            Some(Ok::<_, std::convert::Infallible>(piece))
        });
        reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
    }

    fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some((counter, own)) = &self.0 {
            counter.fetch_sub(own.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// A line of the log, written when the attempt is over, whichever way.
struct Record {
    log: Option<RequestLog>,
    clock: Clock,
    time: String,
    started: Instant,
    operation: &'static str,
    method: Method,
    host: String,
    path: String,
    attempt: u32,
    status: Option<u16>,
    error: Option<String>,
    sent: u64,
    received: u64,
}

impl Record {
    fn new(http: &Http, request: &Request, url: &Url, attempt: u32) -> Self {
        Self {
            log: http.log.clone(),
            clock: http.clock.clone(),
            time: rfc3339(http.clock.utc()),
            started: http.clock.now(),
            operation: request.operation,
            method: request.method.clone(),
            host: host_of(url),
            path: request.shown_path(url),
            attempt,
            status: None,
            error: None,
            sent: request.body.len(),
            received: 0,
        }
    }

    fn lost(&mut self, fault: Fault) -> CallError {
        self.error = Some(fault.to_string());
        let effect = fault.effect();
        fault.error(self, effect, self.attempt, Duration::ZERO)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Some(log) = &self.log else { return };
        log.write(&Entry {
            time: std::mem::take(&mut self.time),
            operation: self.operation,
            method: self.method.as_str(),
            host: &self.host,
            path: &self.path,
            status: self.status,
            error: self.error.take(),
            attempt: self.attempt,
            duration_ms: (self.clock.now() - self.started).as_millis(),
            sent_bytes: self.sent,
            received_bytes: self.received,
        });
    }
}

pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
