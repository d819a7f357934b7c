//! Who asks: where access tokens come from, and how they are renewed.
//!
//! | order | what | how a token is got |
//! | --- | --- | --- |
//! | 1 | `PREP_ACCESS_TOKEN` | it is one |
//! | 2 | the file that `GOOGLE_APPLICATION_CREDENTIALS` names | by its type, see [`file`] |
//! | 3 | the file of `gcloud auth application-default login` | the same |
//! | 4 | the metadata server of a machine of Google's, if one answers in time | a request to it |
//! | 5 | `gcloud auth print-access-token` | runs it |
//!
//! gcp_auth reads and uses the keys of service accounts and runs gcloud. The
//! requests for tokens are sent from here and not by gcp_auth, for three
//! reasons: they go through the proxies and into the log like all others;
//! what the token endpoint answers is told ("Token has been expired or
//! revoked"), where gcp_auth says that the request failed; and files are read
//! from where `CLOUDSDK_CONFIG` says they are.
//!
//! A token is renewed before it ends, and once when the service refuses it.
//! With stand-ins for both services only credentials that are named count (1
//! and 2): nobody's own login goes to a stand-in unasked.

mod file;
mod grant;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use self::grant::Grant;
use crate::endpoints::Endpoints;
use crate::environment::Environment;
use crate::error::CallError;
use crate::http::Http;
use crate::secret::Secret;

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_secs(225);

/// Why there are no credentials, or no token for them.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There are none at all.
    #[error("no credentials were found{}", api_key.map_or_else(String::new, |name| format!("; `{name}` holds an API key, which neither tuning nor Cloud Storage accepts")))]
    Missing {
        /// The variable that holds an API key.
        api_key: Option<&'static str>,
    },
    /// An API key was given as an access token.
    #[error("`{given_by}` holds an API key, which neither tuning nor Cloud Storage accepts")]
    ApiKey {
        /// Where it was given.
        given_by: &'static str,
    },
    /// The file could not be read.
    #[error("cannot read the credentials in `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what such files are.
    #[error("`{}` holds no credentials: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong; none of its values.
        reason: String,
    },
    /// The file holds credentials of a type that is not supported.
    #[error("`{}` holds credentials of the type `{kind}`, which is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The type, and what of it is not supported.
        kind: String,
    },
    /// The token endpoint would not give a token.
    #[error("{who} gets no access token")]
    Refused {
        /// Whose token it is.
        who: String,
        /// What makes it work again.
        way_out: &'static str,
        /// Why.
        source: Box<CallError>,
    },
    /// gcloud would not give a token.
    #[error("gcloud gives no access token")]
    Gcloud {
        /// Why.
        source: gcp_auth::Error,
    },
}

/// Logging in for programs.
const LOG_IN: &str = "run `gcloud auth application-default login`";

impl CredentialsError {
    /// Tells what to do about it.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::ApiKey { .. } => LOG_IN,
            Self::File { .. } | Self::Malformed { .. } => {
                "point `GOOGLE_APPLICATION_CREDENTIALS` to a credentials file, or unset it"
            }
            Self::Unsupported { .. } => {
                "set `PREP_ACCESS_TOKEN` to what `gcloud auth print-access-token` prints"
            }
            Self::Refused { way_out, .. } => way_out,
            Self::Gcloud { .. } => "run `gcloud auth login`",
        }
    }
}

impl From<CredentialsError> for CallError {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}

/// Who asks, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What kind of credentials they are: "a service account", say.
    pub kind: &'static str,
    /// Who it is, if that is known: the address of a service account.
    pub principal: Option<String>,
    /// The file they are in.
    pub file: Option<PathBuf>,
    /// The project that they belong to, if they say so.
    pub project: Option<String>,
}

/// Where access tokens come from. Clones share the token.
#[derive(Debug, Clone)]
pub struct Credentials(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    file: Option<PathBuf>,
    quota_project: Option<String>,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
enum Source {
    Anonymous,
    Fixed,
    Grant(Grant),
}

/// An access token and when it ends.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: Secret,
    pub(crate) ends: Option<Instant>,
}

impl Credentials {
    fn of(source: Source, file: Option<&Path>, token: Option<Token>) -> Self {
        Self(Arc::new(Inner {
            source,
            file: file.map(Path::to_owned),
            quota_project: None,
            token: Mutex::new(token),
        }))
    }

    /// Sends no token at all.
    pub fn anonymous() -> Self {
        Self::of(Source::Anonymous, None, None)
    }

    /// Sends a token that was got elsewhere. It cannot be renewed.
    pub fn access_token(token: Secret) -> Self {
        let ends = None;
        Self::of(Source::Fixed, None, Some(Token { text: token, ends }))
    }

    /// Reads credentials from a file of any of Google's types.
    pub fn from_file(path: &Path) -> Result<Self, CredentialsError> {
        let (grant, quota_project) = file::read(path)?;
        Ok(Self(Arc::new(Inner {
            source: Source::Grant(grant),
            file: Some(path.to_owned()),
            quota_project,
            token: Mutex::default(),
        })))
    }

    /// Finds credentials in the order of this module. Files are read; the
    /// metadata server and gcloud are asked when the first token is needed.
    pub fn from_environment(
        environment: &Environment,
        endpoints: &Endpoints,
    ) -> Result<Self, CredentialsError> {
        if let Some(token) = &environment.access_token {
            if is_api_key(token.expose()) {
                let given_by = "PREP_ACCESS_TOKEN";
                return Err(CredentialsError::ApiKey { given_by });
            }
            return Ok(Self::access_token(token.clone()));
        }
        if let Some(path) = &environment.application_credentials {
            return Self::from_file(path);
        }
        if endpoints.is_overridden() == (true, true) {
            return Ok(Self::anonymous());
        }
        if let Some(path) = well_known(environment)
            && path.exists()
        {
            return Self::from_file(&path);
        }
        let grant = Grant::surroundings(environment);
        Ok(Self::of(Source::Grant(grant), None, None))
    }

    /// Tells who asks, as far as it is known without asking anyone. What the
    /// surroundings offer is known after the first token.
    pub fn identity(&self) -> Identity {
        let (kind, principal, project) = match &self.0.source {
            Source::Anonymous => ("nobody", None, None),
            Source::Fixed => ("an access token", None, None),
            Source::Grant(grant) => (grant.kind(), grant.principal(), grant.project()),
        };
        Identity {
            kind,
            principal,
            file: self.0.file.clone(),
            project,
        }
    }

    /// Gives who is charged for calls, if the credentials name a project.
    pub fn quota_project(&self) -> Option<String> {
        self.0.quota_project.clone()
    }

    /// Gives a token that has not ended, as far as is known; `None` if none is sent.
    pub(crate) async fn token(
        &self,
        http: &Http,
        endpoints: &Endpoints,
    ) -> Result<Option<Secret>, CallError> {
        let mut token = self.0.token.lock().await;
        let now = http.clock.now();
        let is_good = |token: &Token| token.ends.is_none_or(|ends| now + MARGIN < ends);
        if let Some(token) = token.as_ref().filter(|token| is_good(token)) {
            return Ok(Some(token.text.clone()));
        }
        let Source::Grant(grant) = &self.0.source else {
            return Ok(None);
        };
        let fresh = grant.token(http, endpoints).await?;
        let text = fresh.text.clone();
        *token = Some(fresh);
        Ok(Some(text))
    }

    /// Drops a token that was refused; whether there can be another.
    pub(crate) async fn forget(&self, refused: &Secret) -> bool {
        let Source::Grant(_) = &self.0.source else {
            return false;
        };
        let mut token = self.0.token.lock().await;
        if token.as_ref().is_some_and(|token| token.text == *refused) {
            *token = None;
        }
        true
    }
}

/// Whether a text is an API key and not an access token.
fn is_api_key(text: &str) -> bool {
    text.starts_with("AIza") || text.starts_with("AQ.")
}

/// Where gcloud keeps the credentials for programs.
fn well_known(environment: &Environment) -> Option<PathBuf> {
    const NAME: &str = "application_default_credentials.json";
    if let Some(directory) = &environment.gcloud_config {
        return Some(directory.join(NAME));
    }
    let home = environment.home.as_ref()?;
    let directory = if cfg!(windows) {
        home.join("gcloud")
    } else {
        home.join(".config/gcloud")
    };
    Some(directory.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_is_recognised() {
        for key in ["AIzaSyExample", "AQ.Ab8Example"] {
            let environment = Environment {
                access_token: Some(Secret::new(key)),
                ..Environment::default()
            };
            let refused = Credentials::from_environment(&environment, &Endpoints::google());
            let refused = refused.unwrap_err();
            let expected = "`PREP_ACCESS_TOKEN` holds an API key, which neither tuning nor Cloud Storage accepts";
            assert_eq!(refused.to_string(), expected);
            assert!(!format!("{refused:?}").contains(key));
        }
    }

    #[test]
    fn the_order_holds() {
        let directory = tempfile::tempdir().unwrap();
        let user = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","quota_project_id":"q"}"#;
        let path = directory
            .path()
            .join("application_default_credentials.json");
        std::fs::write(&path, user).unwrap();
        let mut environment = Environment {
            gcloud_config: Some(directory.path().to_owned()),
            skip_metadata: true,
            ..Environment::default()
        };
        let google = Endpoints::google();
        let kind = |environment: &Environment, endpoints: &Endpoints| {
            let found = Credentials::from_environment(environment, endpoints).unwrap();
            (found.identity().kind, found.quota_project())
        };
        let quota = Some("q".to_owned());
        assert_eq!(kind(&environment, &google), ("a user", quota.clone()));
        // A stand-in does not get the login of its user.
        let stand_in = Endpoints::stand_in("http://127.0.0.1:1");
        assert_eq!(kind(&environment, &stand_in), ("nobody", None));
        environment.application_credentials = Some(path);
        assert_eq!(kind(&environment, &stand_in), ("a user", quota));
        environment.access_token = Some(Secret::new("ya29.x"));
        assert_eq!(kind(&environment, &google), ("an access token", None));
        let nothing = Environment::default();
        assert_eq!(kind(&nothing, &google).0, "what the surroundings offer");
    }
}
