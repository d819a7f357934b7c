//! Sends requests until they are answered, as far as that is safe.
//!
//! | what came | what is done |
//! | --- | --- |
//! | 200 to 299, or a status the request accepts | it is the answer |
//! | 401 | the token is fetched anew, once, and the request sent again: it was refused before it was read |
//! | 408, 429, 500 and above, no answer at all | sent again after a wait, if the request is [`Repeat::Safe`](crate::Repeat) |
//! | anything else | it is the error |
//!
//! A wait is drawn from nothing to a bound that doubles (full jitter), so that
//! clients that failed together do not come back together; a `Retry-After`
//! says how long it is at least. A wait that would pass the limit is not begun.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::endpoints::Endpoints;
use crate::error::{CallError, Effect, ServiceError, Tries};
use crate::http::{Http, Outcome, Repeat, Reply, ReplyStream, Request, host_of};
use crate::log::RequestLog;
use crate::secret::Secret;
use crate::stop::Stop;

/// How a request that may be repeated is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// The bound of the first wait; each is twice the one before.
    pub first: Duration,
    /// The highest bound.
    pub most: Duration,
    /// How long a call may take with all its attempts and waits.
    pub total: Duration,
}

impl Default for Retry {
    /// As Google's own libraries do: from 1 s to 60 s, for 2 minutes.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
            total: Duration::from_secs(120),
        }
    }
}

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The addresses of the services.
    pub endpoints: Endpoints,
    /// Who asks.
    pub credentials: Credentials,
    /// Who is charged for calls of a user, if not who the credentials name.
    pub quota_project: Option<String>,
    /// Where requests are written down.
    pub log: Option<RequestLog>,
    /// How requests are repeated.
    pub retry: Retry,
    /// How long it may take to reach a host.
    pub connect_timeout: Duration,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// The clock to wait by.
    pub clock: Clock,
    /// The flag that ends all waiting.
    pub stop: Stop,
}

impl ClientOptions {
    /// Takes addresses and credentials, and for the rest what is usual.
    pub fn new(endpoints: Endpoints, credentials: Credentials) -> Self {
        Self {
            endpoints,
            credentials,
            quota_project: None,
            log: None,
            retry: Retry::default(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            clock: Clock::system(),
            stop: Stop::never(),
        }
    }
}

/// Sends requests. Clones share connections and the access token.
#[derive(Debug, Clone)]
pub struct Client {
    http: Http,
    endpoints: Endpoints,
    credentials: Credentials,
    quota_project: Option<String>,
    retry: Retry,
}

impl Client {
    /// Makes a client. Nothing is sent, and no credentials are asked for yet.
    pub fn new(options: ClientOptions) -> Result<Self, CallError> {
        let http = Http::new(
            options.log,
            options.clock,
            options.stop,
            options.connect_timeout,
            options.timeout,
        );
        let http = http.map_err(|source| CallError::Transport {
            operation: "prepare connections",
            host: "this machine".to_owned(),
            tries: Tries {
                attempts: 1,
                elapsed: Duration::ZERO,
            },
            effect: Effect::None,
            source,
        })?;
        Ok(Self {
            http,
            endpoints: options.endpoints,
            credentials: options.credentials,
            quota_project: options.quota_project,
            retry: options.retry,
        })
    }

    /// Gives the addresses of the services.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Gives who asks.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Gives the clock to wait by.
    pub fn clock(&self) -> &Clock {
        &self.http.clock
    }

    /// Gives the flag that ends all waiting.
    pub fn stop(&self) -> &Stop {
        &self.http.stop
    }

    /// Gets an access token, if one is needed, and shows it to nobody.
    pub async fn authenticate(&self) -> Result<(), CallError> {
        let token = self.credentials.token(&self.http, &self.endpoints).await;
        token.map(drop)
    }

    /// Sends a request and reads its answer whole.
    pub async fn send(&self, request: &Request) -> Result<Reply, CallError> {
        match self.run(request, true).await? {
            Outcome::Whole(reply) => Ok(reply),
            Outcome::Open(_) => Err(CallError::Unreadable {
                operation: request.operation,
                reason: "it was left open".to_owned(),
            }),
        }
    }

    /// Sends a request and gives its answer as soon as it begins. It is sent
    /// again only until then. A status that the request accepts beside 200 to
    /// 299 is an error here.
    pub async fn stream(&self, request: &Request) -> Result<ReplyStream, CallError> {
        match self.run(request, false).await? {
            Outcome::Open(stream) => Ok(*stream),
            Outcome::Whole(reply) => Err(ServiceError::parse(reply.status, &reply.body).into()),
        }
    }

    /// Waits, unless the flag is raised.
    pub async fn sleep(&self, duration: Duration) -> Result<(), CallError> {
        let stopped = || CallError::Stopped {
            operation: "a wait",
            effect: Effect::None,
        };
        if self.http.stop.is_raised() {
            return Err(stopped());
        }
        tokio::select! {
            () = self.http.clock.sleep(duration) => Ok(()),
            () = self.http.stop.raised() => Err(stopped()),
        }
    }

    async fn run(&self, request: &Request, whole: bool) -> Result<Outcome, CallError> {
        let started = self.http.clock.now();
        let host = host_of(&request.address()?);
        let mut effect = Effect::None;
        let mut backoff = self.backoff();
        let mut is_fresh = false;
        let mut attempts = 0;
        loop {
            if self.http.stop.is_raised() {
                let operation = request.operation;
                return Err(CallError::Stopped { operation, effect });
            }
            let token = self.token(request).await?;
            attempts += 1;
            let headers = self.headers(token.as_ref());
            let outcome = self.http.attempt(request, &headers, attempts, whole).await;
            let error = match outcome {
                Ok(Outcome::Open(stream)) => return Ok(Outcome::Open(stream)),
                Ok(Outcome::Whole(reply)) if is_answer(request, reply.status) => {
                    return Ok(Outcome::Whole(reply));
                }
                Ok(Outcome::Whole(reply)) => {
                    if let (401, Some(token), false) = (reply.status, &token, is_fresh)
                        && self.credentials.forget(token).await
                    {
                        is_fresh = true;
                        continue;
                    }
                    let mut error = ServiceError::parse(reply.status, &reply.body);
                    error.retry_after = retry_after(&reply, self.http.clock.utc());
                    CallError::from(error)
                }
                Err(error) => error,
            };
            if error.effect() == Effect::Unknown {
                effect = Effect::Unknown;
            }
            let elapsed = self.http.clock.now() - started;
            let error = error.after(Tries { attempts, elapsed }, effect, &host);
            if request.repeat == Repeat::Never || !is_passing(&error) {
                return Err(error);
            }
            let Some(wait) = backoff.next(self.http.clock.now(), &error) else {
                return Err(error);
            };
            if self.sleep(wait).await.is_err() {
                let operation = request.operation;
                return Err(CallError::Stopped { operation, effect });
            }
        }
    }

    /// Begins to wait ever longer.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff {
            retry: self.retry,
            started: self.http.clock.now(),
            bound: self.retry.first,
        }
    }

    async fn token(&self, request: &Request) -> Result<Option<Secret>, CallError> {
        if !request.authorised {
            return Ok(None);
        }
        self.credentials.token(&self.http, &self.endpoints).await
    }

    fn headers(&self, token: Option<&Secret>) -> Vec<(&'static str, Secret)> {
        let Some(token) = token else {
            return Vec::new();
        };
        let bearer = Secret::new(format!("Bearer {}", token.expose()));
        let mut headers = vec![("authorization", bearer)];
        if let Some(project) = self.quota_project() {
            headers.push(("x-goog-user-project", Secret::new(project)));
        }
        headers
    }

    /// Gives who is charged for the calls, where that must be said.
    pub fn quota_project(&self) -> Option<String> {
        let own = self.quota_project.clone();
        own.or_else(|| self.credentials.quota_project())
    }
}

/// Waits that grow, until their time is over.
#[derive(Debug)]
pub(crate) struct Backoff {
    retry: Retry,
    started: Instant,
    bound: Duration,
}

impl Backoff {
    /// Draws the next wait, at least as long as is wanted; `None` if it would
    /// pass the limit.
    fn next(&mut self, now: Instant, error: &CallError) -> Option<Duration> {
        let wanted = error.service().and_then(|error| error.retry_after);
        let drawn = self.bound.mul_f64(fastrand::f64());
        let wait = drawn.max(wanted.unwrap_or_default());
        self.bound = (self.bound * 2).min(self.retry.most);
        let elapsed = now - self.started;
        (elapsed.saturating_add(wait) <= self.retry.total).then_some(wait)
    }

    /// Waits before another attempt; `None` if there shall be none.
    pub(crate) async fn wait(&mut self, client: &Client, error: &CallError) -> Option<()> {
        let wait = self.next(client.clock().now(), error)?;
        client.sleep(wait).await.ok()
    }
}

fn is_answer(request: &Request, status: u16) -> bool {
    (200..300).contains(&status) || request.accept.contains(&status)
}

/// Whether another attempt may end otherwise.
pub(crate) fn is_passing(error: &CallError) -> bool {
    match error {
        CallError::Transport { .. } => true,
        CallError::Service(error) => matches!(error.http, 408 | 429 | 500..),
        CallError::Unreadable { .. } | CallError::Stopped { .. } | CallError::Credentials(_) => {
            false
        }
    }
}

impl CallError {
    /// Puts in what the attempts before brought.
    fn after(mut self, tries: Tries, before: Effect, at: &str) -> Self {
        match &mut self {
            Self::Transport {
                tries: own,
                effect,
                host,
                ..
            } => {
                *own = tries;
                *effect = before;
                at.clone_into(host);
            }
            Self::Service(error) => {
                error.tries = tries;
                error.effect = before;
            }
            Self::Stopped { effect, .. } => *effect = before,
            Self::Unreadable { .. } | Self::Credentials(_) => {}
        }
        self
    }
}

/// Reads how long the service asks to wait: seconds, or a date.
fn retry_after(reply: &Reply, now: SystemTime) -> Option<Duration> {
    let value = reply.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Moves `token` on to the next page of a list, if `page` is not the last one. A
/// list that comes back to the same page would never end.
pub(crate) fn turn_page(
    operation: &'static str,
    page: &Value,
    token: &mut String,
) -> Result<bool, CallError> {
    match page["nextPageToken"].as_str().unwrap_or_default() {
        "" => Ok(false),
        next if next == token => Err(CallError::Unreadable {
            operation,
            reason: "its next page is the same one again".to_owned(),
        }),
        next => {
            next.clone_into(token);
            Ok(true)
        }
    }
}
