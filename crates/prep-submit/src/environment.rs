//! The environment variables that Google's tools understand, as values.
//!
//! Nothing here reads the environment: the caller hands in the look-up, so
//! that a test can hand in a table.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::secret::Secret;

/// What the environment says about credentials and addresses. An empty
/// variable counts as one that is not set, as in Google's own libraries.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `PREP_ACCESS_TOKEN`: goes before all other credentials.
    pub access_token: Option<Secret>,
    /// `GOOGLE_APPLICATION_CREDENTIALS`: a credentials file.
    pub application_credentials: Option<PathBuf>,
    /// `CLOUDSDK_CONFIG`: where gcloud keeps its files.
    pub gcloud_config: Option<PathBuf>,
    /// `HOME`, or `APPDATA` on Windows: where that is by default.
    pub home: Option<PathBuf>,
    /// `GOOGLE_CLOUD_QUOTA_PROJECT`: who is charged for calls of a user.
    pub quota_project: Option<String>,
    /// `GOOGLE_CLOUD_PROJECT`, or `GCLOUD_PROJECT`.
    pub project: Option<String>,
    /// `GOOGLE_CLOUD_LOCATION`.
    pub location: Option<String>,
    /// `GCE_METADATA_HOST`, or the older `GCE_METADATA_ROOT`.
    pub metadata_host: Option<String>,
    /// `NO_GCE_CHECK`: the metadata server is not asked.
    pub skip_metadata: bool,
    /// `GOOGLE_VERTEX_BASE_URL`: instead of all services but Cloud Storage.
    pub vertex_base: Option<String>,
    /// `STORAGE_EMULATOR_HOST`: instead of Cloud Storage.
    pub storage_base: Option<String>,
    /// The name of the variable that holds an API key, if one does
    /// (`GOOGLE_API_KEY`, `GEMINI_API_KEY`). A key cannot tune.
    pub api_key: Option<&'static str>,
}

impl Environment {
    /// Takes the variables from a look-up, which is `std::env::var_os` in a
    /// program. Values that are not UTF-8 count only where a path is meant.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let raw = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str| raw(name)?.into_string().ok();
        let path = |name: &str| raw(name).map(PathBuf::from);
        let is_true = |word: String| !matches!(&*word.to_lowercase(), "0" | "false" | "no");
        let home = if cfg!(windows) { "APPDATA" } else { "HOME" };
        Self {
            access_token: text("PREP_ACCESS_TOKEN")
                .map(|token| Secret::new(token.trim()))
                .filter(|token| !token.expose().is_empty()),
            application_credentials: path("GOOGLE_APPLICATION_CREDENTIALS"),
            gcloud_config: path("CLOUDSDK_CONFIG"),
            home: path(home),
            quota_project: text("GOOGLE_CLOUD_QUOTA_PROJECT"),
            project: text("GOOGLE_CLOUD_PROJECT").or_else(|| text("GCLOUD_PROJECT")),
            location: text("GOOGLE_CLOUD_LOCATION"),
            metadata_host: text("GCE_METADATA_HOST").or_else(|| text("GCE_METADATA_ROOT")),
            skip_metadata: text("NO_GCE_CHECK").is_some_and(is_true),
            vertex_base: text("GOOGLE_VERTEX_BASE_URL"),
            storage_base: text("STORAGE_EMULATOR_HOST"),
            api_key: ["GOOGLE_API_KEY", "GEMINI_API_KEY"]
                .into_iter()
                .find(|name| raw(name).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        Environment::from_lookup(|name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.into())
        })
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = of(&[("PREP_ACCESS_TOKEN", " \n"), ("GOOGLE_CLOUD_PROJECT", "")]);
        assert_eq!(environment.access_token, None);
        assert_eq!(environment.project, None);
    }

    #[test]
    fn the_newer_name_goes_before_the_older() {
        let environment = of(&[
            ("GCLOUD_PROJECT", "old"),
            ("GOOGLE_CLOUD_PROJECT", "new"),
            ("GCE_METADATA_ROOT", "127.0.0.1:1"),
            ("NO_GCE_CHECK", "False"),
            ("GEMINI_API_KEY", "AIzaSecret"),
        ]);
        assert_eq!(environment.project.as_deref(), Some("new"));
        assert_eq!(environment.metadata_host.as_deref(), Some("127.0.0.1:1"));
        assert!(!environment.skip_metadata);
        assert!(of(&[("NO_GCE_CHECK", "true")]).skip_metadata);
        assert_eq!(environment.api_key, Some("GEMINI_API_KEY"));
        assert!(!format!("{environment:?}").contains("AIzaSecret"));
    }
}
