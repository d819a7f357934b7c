//! Tokens of each kind of credentials, and what is told when there is none.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use prep_submit::{
    CallError, Client, ClientOptions, Credentials, CredentialsError, Endpoints, Environment,
    Request, RequestLog,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Fault, Lines, Server};

/// A key that was made for these tests and opens nothing.
const KEY: &str = include_str!("key.pem");

struct Case {
    directory: TempDir,
    server: Server,
    lines: Lines,
}

impl Case {
    /// A server whose tokens are good for `get`, which needs one.
    fn new() -> Self {
        let server = Server::start();
        {
            let mut state = server.lock();
            let mut answer = |of: &str, value: Value| {
                state.answers.insert(of.to_owned(), (200, value));
            };
            answer("GET /v1/x", json!({}));
            answer(
                "POST /token",
                json!({"access_token": "s3cret-1", "expires_in": 3599, "token_type": "Bearer"}),
            );
            state.accepted_tokens = vec!["s3cret-1".to_owned(), "s3cret-2".to_owned()];
        }
        Self {
            directory: tempfile::tempdir().unwrap(),
            server,
            lines: Lines::default(),
        }
    }

    fn file(&self, value: &Value) -> PathBuf {
        let path = self.directory.path().join("credentials.json");
        std::fs::write(&path, value.to_string()).unwrap();
        path
    }

    fn client(&self, credentials: Credentials) -> Client {
        let options = ClientOptions {
            credentials,
            log: Some(RequestLog::to(self.lines.clone())),
            ..self.server.options()
        };
        Client::new(options).unwrap()
    }

    fn client_of(&self, path: &Path) -> Client {
        self.client(Credentials::from_file(path).unwrap())
    }

    fn get(&self) -> Request {
        Request::get("ask", format!("{}/v1/x", self.server.base))
    }

    /// The form that a token was asked for with.
    fn form(&self, nth: usize) -> String {
        let state = self.server.lock();
        let tokens: Vec<_> = state
            .seen
            .iter()
            .filter(|seen| seen.kind == "token")
            .collect();
        String::from_utf8(tokens[nth].body.clone()).unwrap()
    }

    fn nothing_leaked(&self, more: &str) {
        let text = format!("{}{more}", self.lines.text());
        assert!(
            !text.contains("s3cret") && !text.contains("BEGIN"),
            "{text}"
        );
    }
}

fn user() -> Value {
    json!({"type": "authorized_user", "client_id": "c&d", "client_secret": "s3cret-client", "refresh_token": "s3cret-refresh", "quota_project_id": "payer"})
}

fn account(server: &Server) -> Value {
    json!({
        "type": "service_account", "project_id": "p", "private_key_id": "k1", "private_key": KEY,
        "client_email": "prep@p.iam.gserviceaccount.com", "token_uri": format!("{}/token", server.base),
    })
}

#[tokio::test]
async fn a_user_is_asked_for_and_charged() {
    let case = Case::new();
    let client = case.client_of(&case.file(&user()));
    client.send(&case.get()).await.unwrap();
    client.send(&case.get()).await.unwrap();
    assert_eq!(case.server.kinds(), ["token", "vertex", "vertex"]);
    assert_eq!(
        case.form(0),
        "grant_type=refresh_token&client_id=c%26d&client_secret=s3cret-client&refresh_token=s3cret-refresh"
    );
    let seen = case.server.lock().seen.clone();
    assert_eq!(seen[1].headers["x-goog-user-project"], "payer");
    assert!(!seen[0].headers.contains_key("x-goog-user-project"));
    assert!(!seen[0].headers.contains_key("authorization"));
    case.nothing_leaked(&format!("{client:?}"));
}

#[tokio::test]
async fn a_key_signs_what_it_claims() {
    let case = Case::new();
    let client = case.client_of(&case.file(&account(&case.server)));
    client.send(&case.get()).await.unwrap();
    let form = case.form(0);
    let prefix = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let jwt = form.strip_prefix(prefix).unwrap();
    let parts: Vec<_> = jwt.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("{jwt}")
    };
    let read = |part: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(
        read(header),
        json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
    );
    assert_eq!(
        read(claims),
        json!({
            "iss": "prep@p.iam.gserviceaccount.com",
            "aud": format!("{}/token", case.server.base),
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "iat": 1_799_999_990_u64,
            "exp": 1_800_003_590_u64,
        })
    );
    let der: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(der).unwrap();
    let pair = ring::signature::RsaKeyPair::from_pkcs8(&der).unwrap();
    let public = ring::signature::UnparsedPublicKey::new(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        pair.public().as_ref(),
    );
    let signed = format!("{header}.{claims}");
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(signed.as_bytes(), &signature).unwrap();
    let identity = client.credentials().identity();
    assert_eq!(
        identity.principal.as_deref(),
        Some("prep@p.iam.gserviceaccount.com")
    );
    assert_eq!(identity.project.as_deref(), Some("p"));
    case.nothing_leaked(&format!("{client:?} {identity:?}"));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    for method in ["GET", "POST"] {
        let case = Case::new();
        let client = case.client_of(&case.file(&user()));
        client.send(&case.get()).await.unwrap();
        {
            let mut state = case.server.lock();
            state.accepted_tokens = vec!["s3cret-2".to_owned()];
            let fresh = json!({"access_token": "s3cret-2", "expires_in": 3599});
            state.answers.insert("POST /token".into(), (200, fresh));
            state.answers.insert("POST /v1/x".into(), (200, json!({})));
            state.seen.clear();
        }
        let request = match method {
            "GET" => case.get(),
            // Refused before it was read, a launch may be sent again.
            _ => Request::post("start", format!("{}/v1/x", case.server.base)),
        };
        client.send(&request).await.unwrap();
        assert_eq!(case.server.kinds(), ["vertex", "token", "vertex"]);
        case.server.lock().accepted_tokens.clear();
        let error = client.send(&request).await.unwrap_err();
        assert_eq!(error.http(), Some(401));
        case.nothing_leaked(&format!("{error:?} {error}"));
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let case = Case::new();
    let client = case.client_of(&case.file(&user()));
    client.send(&case.get()).await.unwrap();
    client
        .clock()
        .sleep(std::time::Duration::from_secs(3300))
        .await;
    client.send(&case.get()).await.unwrap();
    assert_eq!(case.server.count("token"), 1);
    client
        .clock()
        .sleep(std::time::Duration::from_secs(100))
        .await;
    client.send(&case.get()).await.unwrap();
    assert_eq!(case.server.count("token"), 2);
}

#[tokio::test]
async fn what_the_token_endpoint_says_is_told() {
    let case = Case::new();
    let refusal = json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."});
    case.server
        .lock()
        .answers
        .insert("POST /token".into(), (400, refusal));
    let client = case.client_of(&case.file(&user()));
    let error = client.send(&case.get()).await.unwrap_err();
    let CallError::Credentials(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        error.to_string(),
        "the user who logged in with gcloud gets no access token"
    );
    assert_eq!(
        error.way_out(),
        "run `gcloud auth application-default login`"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        cause,
        "the service answered 400: Token has been expired or revoked"
    );
    assert_eq!(case.server.count("token"), 1);
}

#[tokio::test]
async fn the_token_endpoint_is_asked_again() {
    for fault in [Fault::Status(503), Fault::Reset, Fault::HalfAnswer] {
        let case = Case::new();
        case.server.lock().faults = vec![("token", 1, fault), ("token", 2, fault)];
        let client = case.client_of(&case.file(&user()));
        client.send(&case.get()).await.unwrap();
        assert_eq!(case.server.count("token"), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn a_cut_answer_with_a_token_is_not_quoted() {
    let case = Case::new();
    case.server
        .lock()
        .answers
        .insert("POST /token".into(), (200, json!("s3cret")));
    let client = case.client_of(&case.file(&user()));
    let error = client.send(&case.get()).await.unwrap_err();
    case.nothing_leaked(&format!("{error} {error:?}"));
}

#[tokio::test]
async fn a_service_account_is_impersonated() {
    let case = Case::new();
    let path = "/v1/projects/-/serviceAccounts/tuner@p.iam.gserviceaccount.com:generateAccessToken";
    let granted = json!({"accessToken": "s3cret-2", "expireTime": "2027-01-15T09:00:00Z"});
    case.server
        .lock()
        .answers
        .insert(format!("POST {path}"), (200, granted));
    // The address of Google's gives way to the stand-in.
    let file = case.file(&json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": format!("https://iamcredentials.googleapis.com{path}"),
        "delegates": ["d"],
        "source_credentials": user(),
    }));
    let client = case.client_of(&file);
    client.send(&case.get()).await.unwrap();
    let seen = case.server.lock().seen.clone();
    assert_eq!(seen[1].headers["authorization"], "Bearer s3cret-1");
    let body: Value = serde_json::from_slice(&seen[1].body).unwrap();
    assert_eq!(
        body,
        json!({"delegates": ["d"], "scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "3600s"})
    );
    assert_eq!(seen[2].headers["authorization"], "Bearer s3cret-2");
    let identity = client.credentials().identity();
    assert_eq!(
        identity.principal.as_deref(),
        Some("tuner@p.iam.gserviceaccount.com")
    );
    case.nothing_leaked(&format!("{client:?}"));
}

#[tokio::test]
async fn a_workload_identity_is_traded() {
    let case = Case::new();
    let subject = case.directory.path().join("subject.json");
    std::fs::write(&subject, r#"{"id_token":"s3cret-subject"}"#).unwrap();
    case.server.lock().answers.insert(
        "GET /subject".into(),
        (200, json!({"id_token": "s3cret-subject"})),
    );
    let format = json!({"type": "json", "subject_token_field_name": "id_token"});
    let sources = [
        json!({"file": subject, "format": format}),
        json!({"url": format!("{}/subject", case.server.base), "headers": {"X-Key": "s3cret-key"}, "format": format}),
    ];
    for (nth, source) in sources.into_iter().enumerate() {
        let file = case.file(&json!({
            "type": "external_account", "audience": "//iam/pool", "subject_token_type": "urn:jwt",
            "token_url": "https://sts.googleapis.com/token", "credential_source": source,
        }));
        let client = case.client_of(&file);
        client.send(&case.get()).await.unwrap();
        assert_eq!(
            case.form(nth),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=%2F%2Fiam%2Fpool&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&subject_token=s3cret-subject&subject_token_type=urn%3Ajwt"
        );
        case.nothing_leaked(&format!("{client:?}"));
    }
    let seen = case.server.lock().seen.clone();
    let asked = seen.iter().find(|seen| seen.target == "/subject").unwrap();
    assert_eq!(asked.headers["x-key"], "s3cret-key");
}

#[tokio::test]
async fn the_metadata_server_is_found() {
    let case = Case::new();
    {
        let mut state = case.server.lock();
        let base = "GET /computeMetadata/v1/instance";
        let token = json!({"access_token": "s3cret-1", "expires_in": 3000, "token_type": "Bearer"});
        state
            .answers
            .insert(format!("{base}/id"), (200, json!("1")));
        state.answers.insert(
            format!("{base}/service-accounts/default/token"),
            (200, token),
        );
        state.answers.insert(
            format!("{base}/service-accounts/default/email"),
            (200, json!("m@p.iam.gserviceaccount.com")),
        );
    }
    let host = case.server.base.strip_prefix("http://").unwrap().to_owned();
    let environment = Environment {
        metadata_host: Some(host),
        ..Environment::default()
    };
    let credentials = Credentials::from_environment(&environment, &Endpoints::google()).unwrap();
    let client = case.client(credentials);
    client.send(&case.get()).await.unwrap();
    let seen = case.server.lock().seen.clone();
    assert!(
        seen[..3]
            .iter()
            .all(|seen| seen.headers["metadata-flavor"] == "Google")
    );
    let identity = client.credentials().identity();
    assert_eq!(identity.kind, "the service account of this machine");
    assert_eq!(
        identity.principal.as_deref(),
        Some("m@p.iam.gserviceaccount.com")
    );
    case.nothing_leaked(&format!("{client:?}"));
}

#[tokio::test]
async fn without_anything_there_is_a_way_out() {
    let environment = Environment {
        skip_metadata: true,
        api_key: Some("GEMINI_API_KEY"),
        ..Environment::default()
    };
    let case = Case::new();
    let credentials = Credentials::from_environment(&environment, &Endpoints::google()).unwrap();
    let error = case
        .client(credentials)
        .send(&case.get())
        .await
        .unwrap_err();
    let CallError::Credentials(error) = error else {
        panic!("{error:?}")
    };
    // Where gcloud is installed it is asked, and speaks for itself.
    if matches!(error, CredentialsError::Missing { .. }) {
        assert_eq!(
            error.to_string(),
            "no credentials were found; `GEMINI_API_KEY` holds an API key, which neither tuning nor Cloud Storage accepts"
        );
    }
    assert_eq!(case.server.count("vertex"), 0);
}
