//! What an access token is given for: the exact requests of each kind.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gcp_auth::TokenProvider;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use super::{CredentialsError, LOG_IN, Token};
use crate::client::is_passing;
use crate::endpoints::Endpoints;
use crate::environment::Environment;
use crate::error::{CallError, ServiceError};
use crate::http::{Http, Outcome, Reply, Request, encoded};
use crate::log::from_rfc3339;
use crate::secret::Secret;

/// The one scope that covers all that is done here.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where users' and service accounts' tokens are given.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// How long the metadata server has to show that it is there.
const PROBE: Duration = Duration::from_millis(1500);

/// How often a token is asked for.
const ATTEMPTS: u32 = 3;

#[derive(Debug)]
pub(super) enum Grant {
    ServiceAccount(Box<ServiceAccount>),
    User(User),
    Impersonated(Impersonated),
    External(External),
    Surroundings(Surroundings),
}

#[derive(Debug)]
pub(super) struct ServiceAccount {
    pub(super) key: gcp_auth::CustomServiceAccount,
    pub(super) email: String,
    pub(super) key_id: Option<String>,
    pub(super) token_uri: String,
    pub(super) project: Option<String>,
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) refresh_token: Secret,
    pub(super) account: Option<String>,
}

#[derive(Debug)]
pub(super) struct Impersonated {
    pub(super) source: Box<Grant>,
    pub(super) url: String,
    pub(super) delegates: Vec<String>,
}

#[derive(Debug)]
pub(super) struct External {
    pub(super) audience: String,
    pub(super) subject_token_type: String,
    pub(super) token_url: String,
    pub(super) impersonation_url: Option<String>,
    pub(super) subject: SubjectSource,
    /// The field of a JSON answer that holds the token; all of it otherwise.
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) enum SubjectSource {
    File(PathBuf),
    Url(String, Vec<(String, Secret)>),
}

/// The metadata server or gcloud, whichever is there.
#[derive(Debug)]
pub(super) struct Surroundings {
    metadata_host: Option<String>,
    skip_metadata: bool,
    api_key: Option<&'static str>,
    found: OnceCell<Found>,
}

#[derive(Debug)]
enum Found {
    Metadata { base: String, email: Option<String> },
    Gcloud,
}

impl Grant {
    pub(super) fn surroundings(environment: &Environment) -> Self {
        Self::Surroundings(Surroundings {
            metadata_host: environment.metadata_host.clone(),
            skip_metadata: environment.skip_metadata,
            api_key: environment.api_key,
            found: OnceCell::new(),
        })
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::ServiceAccount(_) => "a service account",
            Self::User(_) => "a user",
            Self::Impersonated(_) => "an impersonated service account",
            Self::External(_) => "a workload identity",
            Self::Surroundings(surroundings) => match surroundings.found.get() {
                None => "what the surroundings offer",
                Some(Found::Metadata { .. }) => "the service account of this machine",
                Some(Found::Gcloud) => "the user of gcloud",
            },
        }
    }

    pub(super) fn principal(&self) -> Option<String> {
        match self {
            Self::ServiceAccount(account) => Some(account.email.clone()),
            Self::User(user) => user.account.clone(),
            Self::Impersonated(impersonated) => account_of(&impersonated.url),
            Self::External(external) => account_of(external.impersonation_url.as_deref()?),
            Self::Surroundings(surroundings) => match surroundings.found.get()? {
                Found::Metadata { email, .. } => email.clone(),
                Found::Gcloud => None,
            },
        }
    }

    pub(super) fn project(&self) -> Option<String> {
        match self {
            Self::ServiceAccount(account) => account.project.clone(),
            _ => None,
        }
    }

    pub(super) async fn token(
        &self,
        http: &Http,
        endpoints: &Endpoints,
    ) -> Result<Token, CredentialsError> {
        match self {
            Self::ServiceAccount(account) => account.token(http, endpoints).await,
            Self::User(user) => user.token(http, endpoints).await,
            Self::Impersonated(impersonated) => {
                let source = Box::pin(impersonated.source.token(http, endpoints)).await?;
                let Impersonated { url, delegates, .. } = impersonated;
                impersonate(http, endpoints, &source.text, url, delegates).await
            }
            Self::External(external) => external.token(http, endpoints).await,
            Self::Surroundings(surroundings) => surroundings.token(http).await,
        }
    }
}

/// Takes the account out of `…/serviceAccounts/{account}:generateAccessToken`.
fn account_of(url: &str) -> Option<String> {
    let rest = url.split_once("/serviceAccounts/")?.1;
    Some(rest.split_once(':')?.0.to_owned())
}

/// What all token endpoints answer.
#[derive(Deserialize)]
struct TokenReply {
    access_token: Secret,
    expires_in: Option<u64>,
}

fn token_of(reply: &Reply, http: &Http) -> Result<Token, CallError> {
    // The reason would quote the answer, which may hold a token.
    let parsed: TokenReply = reply.json().map_err(|_| CallError::Unreadable {
        operation: reply.operation,
        reason: "it holds no `access_token`".to_owned(),
    })?;
    let ends = parsed
        .expires_in
        .and_then(|seconds| http.clock.now().checked_add(Duration::from_secs(seconds)));
    Ok(Token {
        text: parsed.access_token,
        ends,
    })
}

/// Sends a request for a token, again if that may help.
async fn ask(
    http: &Http,
    request: &Request,
    headers: &[(&'static str, Secret)],
) -> Result<Reply, CallError> {
    let mut attempt = 1;
    loop {
        let outcome = http.attempt(request, headers, attempt, true).await;
        let error = match outcome {
            Ok(Outcome::Whole(reply)) if (200..300).contains(&reply.status) => return Ok(reply),
            Ok(Outcome::Whole(reply)) => ServiceError::parse(reply.status, &reply.body).into(),
            Ok(Outcome::Open(_)) => CallError::Unreadable {
                operation: request.operation,
                reason: "it was left open".to_owned(),
            },
            Err(error) => error,
        };
        if attempt == ATTEMPTS || !is_passing(&error) || http.stop.is_raised() {
            return Err(error);
        }
        http.clock
            .sleep(Duration::from_secs(1 << (attempt - 1)))
            .await;
        attempt += 1;
    }
}

fn form(operation: &'static str, url: String, fields: &[(&str, &str)]) -> Request {
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    Request::post(operation, url).bytes("application/x-www-form-urlencoded", body)
}

fn refused(
    who: impl Into<String>,
    way_out: &'static str,
) -> impl FnOnce(CallError) -> CredentialsError {
    let who = who.into();
    move |source| CredentialsError::Refused {
        who,
        way_out,
        source: Box::new(source),
    }
}

impl ServiceAccount {
    /// Signs a claim with the key and trades it for a token.
    async fn token(&self, http: &Http, endpoints: &Endpoints) -> Result<Token, CredentialsError> {
        let way_out =
            "make a new key for the service account, or set the clock of this machine right";
        let failed = refused(format!("the service account `{}`", self.email), way_out);
        let assertion =
            self.assertion(http.clock.utc())
                .map_err(|error| CredentialsError::Refused {
                    who: format!("the service account `{}`", self.email),
                    way_out,
                    source: Box::new(CallError::Unreadable {
                        operation: "sign a claim",
                        reason: error.to_string(),
                    }),
                })?;
        let request = form(
            "get an access token",
            endpoints.instead_of(&self.token_uri),
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", assertion.expose()),
            ],
        );
        let reply = ask(http, &request, &[]).await;
        reply
            .and_then(|reply| token_of(&reply, http))
            .map_err(failed)
    }

    fn assertion(&self, now: SystemTime) -> Result<Secret, gcp_auth::Error> {
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        // The clock of the machine may run ahead of the service's.
        let issued = since.as_secs().saturating_sub(10);
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let claims = json!({
            "iss": self.email,
            "aud": self.token_uri,
            "scope": SCOPE,
            "iat": issued,
            "exp": issued + 3600,
        });
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.signer().sign(signed.as_bytes())?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Ok(Secret::new(format!("{signed}.{signature}")))
    }
}

impl User {
    async fn token(&self, http: &Http, endpoints: &Endpoints) -> Result<Token, CredentialsError> {
        let request = form(
            "get an access token",
            endpoints.instead_of(TOKEN_URI),
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &self.client_id),
                ("client_secret", self.client_secret.expose()),
                ("refresh_token", self.refresh_token.expose()),
            ],
        );
        let reply = ask(http, &request, &[]).await;
        reply
            .and_then(|reply| token_of(&reply, http))
            .map_err(refused("the user who logged in with gcloud", LOG_IN))
    }
}

/// Trades the token of one account for one of a service account.
async fn impersonate(
    http: &Http,
    endpoints: &Endpoints,
    source: &Secret,
    url: &str,
    delegates: &[String],
) -> Result<Token, CredentialsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Impersonation {
        access_token: Secret,
        expire_time: String,
    }
    let account = account_of(url).unwrap_or_else(|| "of the credentials file".to_owned());
    let failed = refused(
        format!("the service account `{account}`"),
        "give who asks the role `roles/iam.serviceAccountTokenCreator` on the service account, and enable `iamcredentials.googleapis.com`",
    );
    let request = Request::post("impersonate the service account", endpoints.instead_of(url))
        .json(&json!({"delegates": delegates, "scope": [SCOPE], "lifetime": "3600s"}));
    let bearer = Secret::new(format!("Bearer {}", source.expose()));
    let reply = ask(http, &request, &[("authorization", bearer)]).await;
    let parsed = reply.and_then(|reply| {
        reply
            .json::<Impersonation>()
            .map_err(|_| CallError::Unreadable {
                operation: reply.operation,
                reason: "it holds no `accessToken`".to_owned(),
            })
    });
    let parsed = parsed.map_err(failed)?;
    let left = from_rfc3339(&parsed.expire_time)
        .and_then(|ends| ends.duration_since(http.clock.utc()).ok())
        .unwrap_or(Duration::from_secs(3600));
    Ok(Token {
        text: parsed.access_token,
        ends: http.clock.now().checked_add(left),
    })
}

impl External {
    async fn token(&self, http: &Http, endpoints: &Endpoints) -> Result<Token, CredentialsError> {
        let way_out =
            "see that the workload identity pool accepts the token of the credential source";
        let failed = || {
            refused(
                format!("the workload identity `{}`", self.audience),
                way_out,
            )
        };
        let subject = self.subject(http).await.map_err(failed())?;
        // What is impersonated is given a narrower scope in the second step.
        let request = form(
            "get an access token",
            endpoints.instead_of(&self.token_url),
            &[
                (
                    "grant_type",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                ),
                ("audience", &self.audience),
                ("scope", SCOPE),
                (
                    "requested_token_type",
                    "urn:ietf:params:oauth:token-type:access_token",
                ),
                ("subject_token", subject.expose()),
                ("subject_token_type", &self.subject_token_type),
            ],
        );
        let reply = ask(http, &request, &[]).await;
        let token = reply
            .and_then(|reply| token_of(&reply, http))
            .map_err(failed())?;
        match &self.impersonation_url {
            None => Ok(token),
            Some(url) => impersonate(http, endpoints, &token.text, url, &[]).await,
        }
    }

    /// Gets the token that another identity provider gave.
    async fn subject(&self, http: &Http) -> Result<Secret, CallError> {
        let operation = "get the token of the credential source";
        let unreadable = |reason: String| CallError::Unreadable { operation, reason };
        let text = match &self.subject {
            SubjectSource::File(path) => std::fs::read_to_string(path)
                .map_err(|error| unreadable(format!("`{}`: {error}", path.display())))?,
            SubjectSource::Url(url, headers) => {
                let mut request = Request::get(operation, url.clone()).without_token();
                request.secret_headers.clone_from(headers);
                let reply = ask(http, &request, &[]).await?;
                String::from_utf8_lossy(&reply.body).into_owned()
            }
        };
        let Some(field) = &self.field else {
            return Ok(Secret::new(text.trim()));
        };
        let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let token = value.and_then(|value| value[field].as_str().map(Secret::new));
        token.ok_or_else(|| unreadable(format!("it has no field `{field}` with a text")))
    }
}

impl Surroundings {
    async fn token(&self, http: &Http) -> Result<Token, CredentialsError> {
        let found = self
            .found
            .get_or_try_init(|| self.look_around(http))
            .await?;
        match found {
            Found::Metadata { base, .. } => {
                let url = format!("{base}/instance/service-accounts/default/token");
                let request = metadata("get an access token", url).query("scopes", SCOPE);
                let reply = ask(http, &request, &[]).await;
                reply
                    .and_then(|reply| token_of(&reply, http))
                    .map_err(refused(
                        "the service account of this machine",
                        "give this machine a service account with the scope `cloud-platform`",
                    ))
            }
            Found::Gcloud => gcloud(http).await,
        }
    }

    async fn look_around(&self, http: &Http) -> Result<Found, CredentialsError> {
        let host = self.metadata_host.as_deref();
        let base = format!(
            "http://{}/computeMetadata/v1",
            host.unwrap_or("metadata.google.internal")
        );
        if !self.skip_metadata && is_metadata_server(http, &base).await {
            let url = format!("{base}/instance/service-accounts/default/email");
            let email = metadata("ask who this machine is", url);
            let reply = ask(http, &email, &[]).await.ok();
            let email = reply.and_then(|reply| String::from_utf8(reply.body.to_vec()).ok());
            return Ok(Found::Metadata { base, email });
        }
        match gcloud(http).await {
            Ok(_) => Ok(Found::Gcloud),
            // It is not installed.
            Err(CredentialsError::Gcloud {
                source: gcp_auth::Error::Io(..),
            }) => Err(CredentialsError::Missing {
                api_key: self.api_key,
            }),
            Err(error) => Err(error),
        }
    }
}

fn metadata(operation: &'static str, url: String) -> Request {
    Request::new(Method::GET, operation, url)
        .header("metadata-flavor", "Google")
        .timeout(Duration::from_secs(10))
}

/// Whether what answers at that address is a metadata server. It is asked
/// once, and soon: elsewhere nothing answers there.
async fn is_metadata_server(http: &Http, base: &str) -> bool {
    let probe = metadata("look for a metadata server", format!("{base}/instance/id"));
    let probe = probe.timeout(PROBE);
    match http.attempt(&probe, &[], 1, true).await {
        Ok(Outcome::Whole(reply)) => reply.header("metadata-flavor") == Some("Google"),
        _ => false,
    }
}

/// Runs gcloud, which takes a second or two, on a thread that may wait.
async fn gcloud(http: &Http) -> Result<Token, CredentialsError> {
    let runtime = tokio::runtime::Handle::current();
    let run = move || {
        runtime.block_on(async {
            let gcloud = gcp_auth::GCloudAuthorizedUser::new().await?;
            gcloud.token(&[SCOPE]).await
        })
    };
    let token = tokio::task::spawn_blocking(run).await;
    let token = token.unwrap_or(Err(gcp_auth::Error::Str("the thread that ran it ended")));
    let token = token.map_err(|source| CredentialsError::Gcloud { source })?;
    // gcloud hands out a token that may be as old as its cache: it is used
    // for as long as the service takes it, and for half an hour at most.
    Ok(Token {
        text: Secret::new(token.as_str()),
        ends: Some(http.clock.now() + Duration::from_secs(1800)),
    })
}
