//! Who asks: where access tokens come from.

use std::sync::Arc;

use crate::endpoints::Endpoints;
use crate::error::CallError;
use crate::http::Http;
use crate::secret::Secret;

/// Why there are no credentials, or no token for them.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There are none at all.
    #[error("no credentials were found")]
    None,
}

/// Where access tokens come from. Clones share the token.
#[derive(Debug, Clone)]
pub struct Credentials(Arc<Source>);

#[derive(Debug)]
enum Source {
    Anonymous,
    Token(Secret),
}

impl Credentials {
    /// Sends no token at all.
    pub fn anonymous() -> Self {
        Self(Arc::new(Source::Anonymous))
    }

    /// Sends a token that was got elsewhere. It cannot be renewed.
    pub fn access_token(token: Secret) -> Self {
        Self(Arc::new(Source::Token(token)))
    }

    /// Gives who is charged, if the credentials say so.
    pub fn quota_project(&self) -> Option<String> {
        None
    }

    pub(crate) async fn token(
        &self,
        _http: &Http,
        _endpoints: &Endpoints,
    ) -> Result<Option<Secret>, CallError> {
        match &*self.0 {
            Source::Anonymous => Ok(None),
            Source::Token(token) => Ok(Some(token.clone())),
        }
    }

    /// Drops a token that was refused; whether there can be another.
    pub(crate) async fn forget(&self, _token: &Secret) -> bool {
        false
    }
}
