//! Which host serves what.

use crate::environment::Environment;

/// The addresses of the services: Google's, or stand-ins.
///
/// A stand-in for Vertex AI stands in for the services around it as well
/// (identity, service usage, projects), so that with it nothing leaves for
/// Google but what goes to Cloud Storage, which has an override of its own.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    vertex: Option<String>,
    storage: Option<String>,
}

/// An address that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{variable}` is `{value}`, which is no address such as `http://localhost:8080`")]
pub struct BadAddress {
    /// The variable that gave it.
    pub variable: &'static str,
    /// What it said.
    pub value: String,
}

impl Endpoints {
    /// Gives Google's own addresses.
    pub fn google() -> Self {
        Self::default()
    }

    /// Gives Google's own addresses but for what the environment overrides.
    pub fn from_environment(environment: &Environment) -> Result<Self, BadAddress> {
        let base = |variable, value: &Option<String>| {
            value
                .as_deref()
                .map(|value| base_address(variable, value))
                .transpose()
        };
        Ok(Self {
            vertex: base("GOOGLE_VERTEX_BASE_URL", &environment.vertex_base)?,
            storage: base("STORAGE_EMULATOR_HOST", &environment.storage_base)?,
        })
    }

    /// Sends everything to one stand-in, such as `http://127.0.0.1:8080`.
    pub fn stand_in(base: impl Into<String>) -> Self {
        let base = base.into().trim_end_matches('/').to_owned();
        Self {
            vertex: Some(base.clone()),
            storage: Some(base),
        }
    }

    /// Whether calls to Vertex AI and to Cloud Storage go elsewhere than to Google.
    pub fn is_overridden(&self) -> (bool, bool) {
        (self.vertex.is_some(), self.storage.is_some())
    }

    /// Gives the base address of Vertex AI in a location, without a slash at
    /// its end: a region, `us` or `eu`, or `global`.
    pub fn vertex(&self, location: &str) -> String {
        match (&self.vertex, location) {
            (Some(base), _) => base.clone(),
            (None, "global") => "https://aiplatform.googleapis.com".to_owned(),
            (None, "us" | "eu") => format!("https://aiplatform.{location}.rep.googleapis.com"),
            (None, region) => format!("https://{region}-aiplatform.googleapis.com"),
        }
    }

    /// Gives the base address of Cloud Storage.
    pub fn storage(&self) -> String {
        match &self.storage {
            Some(base) => base.clone(),
            None => "https://storage.googleapis.com".to_owned(),
        }
    }

    /// Gives the base address of another Google service, such as `serviceusage`.
    pub fn service(&self, name: &str) -> String {
        match &self.vertex {
            Some(base) => base.clone(),
            None => format!("https://{name}.googleapis.com"),
        }
    }

    /// Gives where a request to one of Google's own addresses goes: to the
    /// stand-in, if there is one.
    pub(crate) fn instead_of(&self, url: &str) -> String {
        let rest = url.strip_prefix("https://").unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        match &self.vertex {
            Some(base) if host.ends_with(".googleapis.com") => format!("{base}/{path}"),
            _ => url.to_owned(),
        }
    }
}

/// Finds the location in a resource name such as
/// `projects/1/locations/us/endpoints/2`. The location of what a job makes is
/// not always that of the job: models of Gemini 3 are served in `us` and `eu`.
pub fn location_of(name: &str) -> Option<&str> {
    let mut parts = name.split('/');
    parts.find(|part| *part == "locations")?;
    parts.next().filter(|location| !location.is_empty())
}

/// Reads a base address; a bare `localhost:8080` is one over plain HTTP.
fn base_address(variable: &'static str, value: &str) -> Result<String, BadAddress> {
    let bad = || BadAddress {
        variable,
        // What stands before an `@` may be a password.
        value: value.rsplit('@').next().unwrap_or_default().to_owned(),
    };
    let with_scheme = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    let url = reqwest::Url::parse(&with_scheme).map_err(|_| bad())?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
        return Err(bad());
    }
    Ok(with_scheme.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_location_has_its_host() {
        let check = |location, host| assert_eq!(Endpoints::google().vertex(location), host);
        check(
            "us-central1",
            "https://us-central1-aiplatform.googleapis.com",
        );
        check("us", "https://aiplatform.us.rep.googleapis.com");
        check("eu", "https://aiplatform.eu.rep.googleapis.com");
        check("global", "https://aiplatform.googleapis.com");
        assert_eq!(
            Endpoints::google().service("serviceusage"),
            "https://serviceusage.googleapis.com"
        );
    }

    #[test]
    fn a_stand_in_takes_the_place_of_google_only() {
        let endpoints = Endpoints::stand_in("http://127.0.0.1:1/");
        let check = |url, expected| assert_eq!(endpoints.instead_of(url), expected);
        check(
            "https://oauth2.googleapis.com/token",
            "http://127.0.0.1:1/token",
        );
        check("https://idp.example/token", "https://idp.example/token");
        check("http://127.0.0.1:2/token", "http://127.0.0.1:2/token");
        let google = Endpoints::google();
        let url = "https://sts.googleapis.com/v1/token";
        assert_eq!(google.instead_of(url), url);
    }

    #[test]
    fn overrides_are_read() {
        let of = |vertex: &str, storage: &str| {
            Endpoints::from_environment(&Environment {
                vertex_base: Some(vertex.to_owned()),
                storage_base: Some(storage.to_owned()),
                ..Environment::default()
            })
        };
        let endpoints = of("https://proxy.example/vertex/", "localhost:9023").unwrap();
        assert_eq!(endpoints.vertex("us"), "https://proxy.example/vertex");
        assert_eq!(endpoints.service("iam"), "https://proxy.example/vertex");
        assert_eq!(endpoints.storage(), "http://localhost:9023");
        for bad in ["ftp://x", "http://", "http://u:p@x", "http://x/?a=b", "a b"] {
            let refused = of("http://x", bad).unwrap_err();
            assert_eq!(refused.variable, "STORAGE_EMULATOR_HOST");
            assert!(bad.ends_with(&refused.value) && !refused.value.contains("u:p"));
        }
    }

    #[test]
    fn locations_are_found_in_names() {
        assert_eq!(
            location_of("projects/1/locations/us/endpoints/2"),
            Some("us")
        );
        assert_eq!(location_of("projects/1/locations/eu"), Some("eu"));
        assert_eq!(location_of("projects/1/locations/"), None);
        assert_eq!(location_of("gs://b/o"), None);
    }
}
