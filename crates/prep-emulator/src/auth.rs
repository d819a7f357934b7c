//! Credentials: who may have an access token, and which tokens are good.
//!
//! A service-account key and a user's credentials are planted in the
//! emulator's directory. Their tokens are signed with a secret that is kept
//! there too, so that they outlive a restart.
//!
//! The key's private half is `demo_key.pem`, the same in every copy of this
//! program: it is public and guards nothing but a rehearsal on loopback.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hmac, rsa, signature};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::{Clock, rfc3339};
use crate::error::{Answer, Refusal, json_reply};
use crate::store::write_whole;

const DEMO_KEY: &str = include_str!("demo_key.pem");
const KEY_ID: &str = "prepemulatorprepemulatorprepemulator0001";
const CLIENT_ID: &str = "314159265358-rehearsal.apps.googleusercontent.com";
const CLIENT_SECRET: &str = "rehearsal-client-secret";
const REFRESH_TOKEN: &str = "1//rehearsal-refresh-token";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How far a client's clock may be ahead, in seconds.
const SKEW: u64 = 300;

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Principal {
    ServiceAccount,
    /// A person, whose requests must name a quota project.
    User,
}

#[derive(Debug, Serialize, Deserialize)]
struct Grant {
    principal: Principal,
    scope: String,
    /// Seconds since 1970.
    expires: u64,
    /// Makes two tokens of one second differ.
    serial: u64,
}

/// The issuer and the judge of tokens.
#[derive(Debug)]
pub(crate) struct Auth {
    clock: Clock,
    lifetime: Duration,
    secret: hmac::Key,
    public_key: Vec<u8>,
    email: String,
    token_uri: String,
    key_file: PathBuf,
    user_file: PathBuf,
    revoked: Mutex<HashSet<String>>,
}

impl Auth {
    /// Plants the credentials in a directory.
    pub(crate) fn plant(
        dir: &Path,
        base_url: &str,
        project: &str,
        lifetime: Duration,
        clock: Clock,
    ) -> io::Result<Self> {
        let invalid = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
        let secret_file = dir.join("secret");
        let secret = match fs::read(&secret_file) {
            Ok(secret) => secret,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut secret = vec![0; 32];
                SystemRandom::new()
                    .fill(&mut secret)
                    .map_err(|error| invalid(&error))?;
                write_whole(&secret_file, &secret)?;
                secret
            }
            Err(error) => return Err(error),
        };
        let der: String = DEMO_KEY
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        let der = BASE64_STANDARD
            .decode(der)
            .map_err(|error| invalid(&error))?;
        let pair = rsa::KeyPair::from_pkcs8(&der).map_err(|error| invalid(&error))?;
        let auth = Self {
            clock,
            lifetime,
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            public_key: pair.public().as_ref().to_vec(),
            email: format!("rehearsal@{project}.iam.gserviceaccount.com"),
            token_uri: format!("{base_url}/token"),
            key_file: dir.join("key.json"),
            user_file: dir.join("user.json"),
            revoked: Mutex::default(),
        };
        let key = json!({
            "type": "service_account",
            "project_id": project,
            "private_key_id": KEY_ID,
            "private_key": DEMO_KEY,
            "client_email": auth.email,
            "client_id": "100000000000000000001",
            "auth_uri": format!("{base_url}/o/oauth2/auth"),
            "token_uri": auth.token_uri,
            "auth_provider_x509_cert_url": format!("{base_url}/oauth2/v1/certs"),
            "client_x509_cert_url": format!("{base_url}/robot/v1/metadata/x509/rehearsal"),
            "universe_domain": "googleapis.com",
        });
        let user = json!({
            "type": "authorized_user",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "quota_project_id": project,
            "token_uri": auth.token_uri,
            "universe_domain": "googleapis.com",
        });
        write_whole(&auth.key_file, format!("{key:#}\n").as_bytes())?;
        write_whole(&auth.user_file, format!("{user:#}\n").as_bytes())?;
        Ok(auth)
    }

    pub(crate) fn key_file(&self) -> &Path {
        &self.key_file
    }

    pub(crate) fn user_file(&self) -> &Path {
        &self.user_file
    }

    /// Makes a token for everything.
    pub(crate) fn access_token(&self, principal: Principal) -> String {
        self.issue(principal, CLOUD_PLATFORM, self.lifetime)
    }

    fn seconds(&self) -> u64 {
        self.clock.now() / 1_000_000
    }

    fn issue(&self, principal: Principal, scope: &str, lifetime: Duration) -> String {
        let mut serial = [0; 8];
        // Without randomness tokens of one second would be equal, no more.
        let _ = SystemRandom::new().fill(&mut serial);
        let grant = Grant {
            principal,
            scope: scope.to_owned(),
            expires: self.seconds() + lifetime.as_secs(),
            serial: u64::from_le_bytes(serial),
        };
        let payload = serde_json::to_vec(&grant).expect("a grant is plain data");
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
        let tag = hmac::sign(&self.secret, payload.as_bytes());
        format!("ya29.{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// Makes a token worthless from now on.
    pub(crate) fn revoke(&self, token: &str) {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.insert(token.to_owned());
    }

    /// Judges the `Authorization` header of a request to an API.
    ///
    /// `scope` is a scope that is enough beside that for the whole platform.
    pub(crate) fn judge(
        &self,
        header: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Principal, Refusal> {
        let Some(header) = header else {
            return Err(Refusal::new(
                401,
                "UNAUTHENTICATED",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            )
            .with_info("CREDENTIALS_MISSING"));
        };
        let token = header.strip_prefix("Bearer ");
        let token = token.ok_or_else(Refusal::unauthenticated)?;
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if revoked.contains(token) {
            return Err(Refusal::unauthenticated().with_info("ACCESS_TOKEN_EXPIRED"));
        }
        drop(revoked);
        let grant = if token.starts_with("ya29.") {
            self.grant(token).ok_or_else(Refusal::unauthenticated)?
        } else {
            self.self_signed(token)
                .map_err(|_| Refusal::unauthenticated())?
        };
        if grant.expires <= self.seconds() {
            return Err(Refusal::unauthenticated().with_info("ACCESS_TOKEN_EXPIRED"));
        }
        let is_enough = |given: &str| given == CLOUD_PLATFORM || Some(given) == scope;
        if !grant.scope.split(' ').any(is_enough) {
            return Err(
                Refusal::denied("Request had insufficient authentication scopes.")
                    .with_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            );
        }
        Ok(grant.principal)
    }

    fn grant(&self, token: &str) -> Option<Grant> {
        let (payload, tag) = token.strip_prefix("ya29.")?.split_once('.')?;
        let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.secret, payload.as_bytes(), &tag).ok()?;
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// Takes a JWT of the key as a token, as AIP-4111 allows.
    fn self_signed(&self, token: &str) -> Result<Grant, &'static str> {
        let claims = self.claims(token)?;
        if claims["sub"] != self.email.as_str() {
            return Err("Invalid sub");
        }
        let scope = match (claims["scope"].as_str(), claims["aud"].as_str()) {
            (Some(scope), None) => scope,
            (None, Some(audience)) if audience.starts_with("https://") => CLOUD_PLATFORM,
            _ => return Err("A self-signed JWT has a scope or an audience"),
        };
        Ok(Grant {
            principal: Principal::ServiceAccount,
            scope: scope.to_owned(),
            expires: claims["exp"].as_u64().unwrap_or_default(),
            serial: 0,
        })
    }

    /// The claims of a JWT that the key signed and whose times are right.
    fn claims(&self, token: &str) -> Result<Value, &'static str> {
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let (signed, signature) = token.rsplit_once('.').ok_or("Not a JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("Not a JWT")?;
        let json = |text: &str| serde_json::from_slice::<Value>(&decode(text)?).ok();
        let header = json(header).ok_or("Invalid JWT header")?;
        if header["alg"] != "RS256" {
            return Err("Invalid JWT: the algorithm is not RS256");
        }
        if header["kid"].as_str().is_some_and(|kid| kid != KEY_ID) {
            return Err("Invalid JWT: the key is unknown");
        }
        let signature = decode(signature).ok_or("Invalid JWT signature")?;
        let key = signature::UnparsedPublicKey::new(
            &signature::RSA_PKCS1_2048_8192_SHA256,
            &self.public_key,
        );
        key.verify(signed.as_bytes(), &signature)
            .map_err(|_| "Invalid JWT Signature.")?;
        let claims = json(claims).ok_or("Invalid JWT claims")?;
        if claims["iss"] != self.email.as_str() {
            return Err("Invalid issuer: Not a valid email or user ID.");
        }
        let now = self.seconds();
        let (Some(issued), Some(expires)) = (claims["iat"].as_u64(), claims["exp"].as_u64()) else {
            return Err("Invalid JWT: it needs `iat` and `exp` in whole seconds");
        };
        if issued > now + SKEW || expires <= now || expires > issued + 3_600 {
            return Err(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
            );
        }
        Ok(claims)
    }

    /// `POST /token`: a token for a signed claim or for a refresh token.
    pub(crate) fn token(&self, form: &Form) -> Answer {
        match form.get("grant_type") {
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
                let grant = |message| Refusal::new(400, "invalid_grant", message);
                let assertion = form.required("assertion")?;
                let claims = self.claims(assertion).map_err(grant)?;
                let audience = claims["aud"].as_str().unwrap_or_default();
                if audience != self.token_uri && audience != GOOGLE_TOKEN_URI {
                    return Err(grant("Invalid JWT: Failed audience check."));
                }
                let scope = claims["scope"].as_str().unwrap_or_default();
                let is_scope = |scope: &str| scope.starts_with("https://www.googleapis.com/auth/");
                if scope.is_empty() || !scope.split(' ').all(is_scope) {
                    return Err(Refusal::new(
                        400,
                        "invalid_scope",
                        "Invalid OAuth scope or ID token audience provided.",
                    ));
                }
                Ok(self.token_reply(Principal::ServiceAccount, scope))
            }
            Some("refresh_token") => {
                if form.required("client_id")? != CLIENT_ID
                    || form.required("client_secret")? != CLIENT_SECRET
                {
                    return Err(Refusal::new(
                        401,
                        "invalid_client",
                        "The OAuth client was not found.",
                    ));
                }
                if form.required("refresh_token")? != REFRESH_TOKEN {
                    return Err(Refusal::new(
                        400,
                        "invalid_grant",
                        "Token has been expired or revoked.",
                    ));
                }
                Ok(self.token_reply(Principal::User, CLOUD_PLATFORM))
            }
            _ => Err(Refusal::new(
                400,
                "unsupported_grant_type",
                "Invalid grant_type",
            )),
        }
    }

    fn token_reply(&self, principal: Principal, scope: &str) -> crate::error::Reply {
        let token = self.issue(principal, scope, self.lifetime);
        let expires_in = self.lifetime.as_secs().saturating_sub(1);
        json_reply(
            200,
            &json!({"access_token": token, "expires_in": expires_in, "token_type": "Bearer"}),
        )
    }

    /// `POST /v1/token` of the security token service: a JWT of the planted
    /// key stands for the token of another identity provider.
    pub(crate) fn exchange(&self, form: &Form) -> Answer {
        if form.get("grant_type") != Some("urn:ietf:params:oauth:grant-type:token-exchange") {
            return Err(Refusal::new(
                400,
                "unsupported_grant_type",
                "Invalid grant_type",
            ));
        }
        for name in ["audience", "subject_token_type"] {
            form.required(name)?;
        }
        if form.required("requested_token_type")? != "urn:ietf:params:oauth:token-type:access_token"
        {
            return Err(Refusal::new(
                400,
                "invalid_request",
                "Invalid requested_token_type",
            ));
        }
        let claims = self
            .claims(form.required("subject_token")?)
            .map_err(|message| Refusal::new(400, "invalid_grant", message))?;
        drop(claims);
        let token = self.issue(
            Principal::ServiceAccount,
            form.required("scope")?,
            self.lifetime,
        );
        Ok(json_reply(
            200,
            &json!({
                "access_token": token,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": self.lifetime.as_secs(),
            }),
        ))
    }

    /// `:generateAccessToken` of a service account, for whoever has a token.
    pub(crate) fn impersonate(&self, email: &str, body: &[u8]) -> Answer {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[serde(default)]
            delegates: Vec<String>,
            scope: Vec<String>,
            #[serde(default)]
            lifetime: Option<String>,
        }
        let body: Body = serde_json::from_slice(body)
            .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))?;
        if email != self.email || !body.delegates.is_empty() {
            return Err(Refusal::not_found(
                "Not found; Gaia id not found for email ".to_owned() + email,
            ));
        }
        if body.scope.is_empty() {
            return Err(Refusal::invalid("Request contains an invalid argument."));
        }
        let seconds = match &body.lifetime {
            None => 3_600,
            Some(text) => text
                .strip_suffix('s')
                .and_then(|seconds| seconds.parse().ok())
                .filter(|seconds| (1..=3_600).contains(seconds))
                .ok_or_else(|| Refusal::invalid("The lifetime is at most 3600s."))?,
        };
        let lifetime = self.lifetime.min(Duration::from_secs(seconds));
        let token = self.issue(Principal::ServiceAccount, &body.scope.join(" "), lifetime);
        let expires = self.clock.now() + crate::clock::micros(lifetime);
        Ok(json_reply(
            200,
            &json!({"accessToken": token, "expireTime": rfc3339(expires)}),
        ))
    }
}

/// A decoded query or form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(text: &str) -> Self {
        let decode = |part: &str| {
            let part = part.replace('+', " ");
            percent_encoding::percent_decode_str(&part)
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Self(pairs.map(pair).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(known, _)| known == name);
        pairs.map(|(_, value)| value.as_str())
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            Refusal::new(
                400,
                "invalid_request",
                format!("Missing required parameter: {name}"),
            )
        })
    }
}
