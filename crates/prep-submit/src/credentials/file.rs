//! Credential files: `service_account`, `authorized_user`,
//! `impersonated_service_account`, and `external_account` whose subject token
//! comes from a file or an address.
//!
//! An `external_account` with AWS, an executable or a certificate as its
//! source needs signatures or programs of others, and is refused by name.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::CredentialsError;
use super::grant::{External, Grant, Impersonated, ServiceAccount, SubjectSource, User};
use crate::secret::Secret;

/// Reads a file, and who is charged for its user's calls.
pub(super) fn read(path: &Path) -> Result<(Grant, Option<String>), CredentialsError> {
    let text = std::fs::read_to_string(path).map_err(|source| CredentialsError::File {
        path: path.to_owned(),
        source,
    })?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        malformed(
            path,
            format!("it is not JSON ({:?} error)", error.classify()),
        )
    })?;
    let quota_project = value["quota_project_id"].as_str().map(str::to_owned);
    Ok((grant(path, &value)?, quota_project))
}

fn malformed(path: &Path, reason: impl Into<String>) -> CredentialsError {
    CredentialsError::Malformed {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

fn grant(path: &Path, value: &Value) -> Result<Grant, CredentialsError> {
    let kind = value["type"].as_str().unwrap_or_default();
    let unsupported = |kind: String| CredentialsError::Unsupported {
        path: path.to_owned(),
        kind,
    };
    match kind {
        "service_account" => service_account(path, value),
        "authorized_user" => Ok(Grant::User(user(path, value)?)),
        "impersonated_service_account" => {
            #[derive(Deserialize)]
            struct Fields {
                service_account_impersonation_url: String,
                #[serde(default)]
                delegates: Vec<String>,
            }
            let fields: Fields = fields(path, value)?;
            let source = grant(path, &value["source_credentials"])?;
            if matches!(source, Grant::Impersonated(_)) {
                return Err(unsupported(format!("{kind} of another {kind}")));
            }
            Ok(Grant::Impersonated(Impersonated {
                source: Box::new(source),
                url: fields.service_account_impersonation_url,
                delegates: fields.delegates,
            }))
        }
        "external_account" => external(path, value),
        "" if value.is_object() => Err(malformed(path, "it has no `type`")),
        "" => Err(malformed(path, "it is no object with a `type`")),
        other => Err(unsupported(other.to_owned())),
    }
}

/// Reads the fields of a type. What is wrong is told by name, and no value is
/// told: it may be the secret one.
fn fields<T: serde::de::DeserializeOwned>(
    path: &Path,
    value: &Value,
) -> Result<T, CredentialsError> {
    T::deserialize(value).map_err(|error| {
        let error = error.to_string();
        let reason = if error.starts_with("missing field") {
            error
        } else {
            "a field is not of its type".to_owned()
        };
        malformed(path, reason)
    })
}

fn service_account(path: &Path, value: &Value) -> Result<Grant, CredentialsError> {
    #[derive(Deserialize)]
    struct Fields {
        client_email: String,
        private_key_id: Option<String>,
        token_uri: String,
        project_id: Option<String>,
        #[serde(rename = "private_key")]
        _private_key: Secret,
    }
    let fields: Fields = fields(path, value)?;
    let key = gcp_auth::CustomServiceAccount::from_json(&value.to_string());
    let key = key.map_err(|error| malformed(path, error.to_string()))?;
    Ok(Grant::ServiceAccount(Box::new(ServiceAccount {
        key,
        email: fields.client_email,
        key_id: fields.private_key_id,
        token_uri: fields.token_uri,
        project: fields.project_id,
    })))
}

fn user(path: &Path, value: &Value) -> Result<User, CredentialsError> {
    #[derive(Deserialize)]
    struct Fields {
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
        #[serde(default)]
        account: String,
    }
    let fields: Fields = fields(path, value)?;
    Ok(User {
        client_id: fields.client_id,
        client_secret: fields.client_secret,
        refresh_token: fields.refresh_token,
        account: Some(fields.account).filter(|account| !account.is_empty()),
    })
}

fn external(path: &Path, value: &Value) -> Result<Grant, CredentialsError> {
    #[derive(Deserialize)]
    struct Fields {
        audience: String,
        subject_token_type: String,
        token_url: String,
        service_account_impersonation_url: Option<String>,
    }
    let fields: Fields = fields(path, value)?;
    let source = &value["credential_source"];
    let text = |key: &str| source[key].as_str().map(str::to_owned);
    let source_of = |what: &str| CredentialsError::Unsupported {
        path: path.to_owned(),
        kind: format!("external_account with {what} as its source"),
    };
    let field = match source["format"]["type"].as_str() {
        None | Some("text") => None,
        Some("json") => source["format"]["subject_token_field_name"]
            .as_str()
            .map(str::to_owned),
        Some(other) => return Err(source_of(&format!("a format `{other}`"))),
    };
    let subject = if let Some(file) = text("file") {
        SubjectSource::File(file.into())
    } else if source["environment_id"].is_string() {
        return Err(source_of("AWS"));
    } else if source["executable"].is_object() {
        return Err(source_of("an executable"));
    } else if source["certificate"].is_object() {
        return Err(source_of("a certificate"));
    } else if let Some(url) = text("url") {
        let headers = source["headers"].as_object().into_iter().flatten();
        let pairs =
            headers.filter_map(|(name, value)| Some((name.clone(), Secret::new(value.as_str()?))));
        SubjectSource::Url(url, pairs.collect())
    } else {
        return Err(malformed(
            path,
            "its `credential_source` names neither a file nor an address",
        ));
    };
    Ok(Grant::External(External {
        audience: fields.audience,
        subject_token_type: fields.subject_token_type,
        token_url: fields.token_url,
        impersonation_url: fields.service_account_impersonation_url,
        subject,
        field,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.json");
        std::fs::write(&path, text).unwrap();
        match read(&path) {
            Ok((grant, quota)) => format!("{} {quota:?}", grant.kind()),
            Err(error) => {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("s3cret"), "{shown}");
                let place = path.display().to_string();
                error.to_string().replace(&place, "FILE")
            }
        }
    }

    #[test]
    fn every_type_is_read_or_refused_by_name() {
        let check = |text, expected| assert_eq!(told(text), expected);
        check(
            r#"{"type":"authorized_user","client_id":"c","client_secret":"s3cret","refresh_token":"r","quota_project_id":"q"}"#,
            r#"a user Some("q")"#,
        );
        check(
            r#"{"type":"authorized_user","client_id":"c","client_secret":"s3cret"}"#,
            "`FILE` holds no credentials: missing field `refresh_token`",
        );
        check(
            r#"{"type":"authorized_user","client_id":"c","client_secret":["s3cret"],"refresh_token":"r"}"#,
            "`FILE` holds no credentials: a field is not of its type",
        );
        check(
            r#"{"type":"impersonated_service_account","service_account_impersonation_url":"https://i/v1/projects/-/serviceAccounts/a@b:generateAccessToken","source_credentials":{"type":"authorized_user","client_id":"c","client_secret":"s3cret","refresh_token":"r"}}"#,
            "an impersonated service account None",
        );
        check(
            r#"{"type":"external_account","audience":"a","subject_token_type":"t","token_url":"u","credential_source":{"file":"/x"}}"#,
            "a workload identity None",
        );
        check(
            r#"{"type":"external_account","audience":"a","subject_token_type":"t","token_url":"u","credential_source":{"environment_id":"aws1","url":"http://x"}}"#,
            "`FILE` holds credentials of the type `external_account with AWS as its source`, which is not supported",
        );
        check(
            r#"{"type":"external_account_authorized_user","refresh_token":"s3cret"}"#,
            "`FILE` holds credentials of the type `external_account_authorized_user`, which is not supported",
        );
        check(
            r#"{"type":"service_account","client_email":"a@b","token_uri":"u","private_key":"s3cret"}"#,
            "`FILE` holds no credentials: failed to parse PKCS#8 RSA key pair: no items found",
        );
        check(
            r#"{"key":"s3cret"}"#,
            "`FILE` holds no credentials: it has no `type`",
        );
        check(
            "s3cret",
            "`FILE` holds no credentials: it is not JSON (Syntax error)",
        );
    }
}
