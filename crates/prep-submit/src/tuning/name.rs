//! Names of resources: where they are, and whose.
//!
//! The service answers with names whose location need not be the one that was
//! asked: a job in `us-central1` makes a model in `us`. So the location of
//! every request comes from the name of what it asks for.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A name such as `projects/P/locations/L/models/ID@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceName {
    /// The project: its number in what the service answers, else its id.
    pub project: String,
    /// The location.
    pub location: String,
    /// What it is a name of: `tuningJobs`, `models`, `endpoints`.
    pub collection: String,
    /// Its id.
    pub id: String,
    /// The version or alias behind `@`.
    pub version: Option<String>,
}

/// A text that is no name of a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not like `projects/PROJECT/locations/LOCATION/{collection}/ID`")]
pub struct NotAName {
    /// The text.
    pub text: String,
    /// What it should have been a name of.
    pub collection: &'static str,
}

impl ResourceName {
    /// Makes the name of a tuning job.
    #[must_use]
    pub fn of_job(project: &str, location: &str, id: &str) -> Self {
        Self {
            project: project.into(),
            location: location.into(),
            collection: JOBS.into(),
            id: id.into(),
            version: None,
        }
    }

    /// Reads the name of a tuning job.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn job(text: &str) -> Result<Self, NotAName> {
        Self::expect(text, JOBS)
    }

    /// Reads the name of a model.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn model(text: &str) -> Result<Self, NotAName> {
        Self::expect(text, "models")
    }

    /// Reads the name of an endpoint.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn endpoint(text: &str) -> Result<Self, NotAName> {
        Self::expect(text, "endpoints")
    }

    fn expect(text: &str, collection: &'static str) -> Result<Self, NotAName> {
        let name = text.parse().ok();
        name.filter(|name: &Self| name.collection == collection)
            .ok_or_else(|| NotAName {
                text: text.into(),
                collection,
            })
    }

    /// The name without its version.
    #[must_use]
    pub fn without_version(&self) -> Self {
        Self {
            version: None,
            ..self.clone()
        }
    }
}

const JOBS: &str = "tuningJobs";

impl FromStr for ResourceName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let parse = || {
            let mut segments = text.split('/');
            let mut next = || segments.next().filter(|segment| is_segment(segment));
            let ("projects", project) = (next()?, next()?) else {
                return None;
            };
            let ("locations", location) = (next()?, next()?) else {
                return None;
            };
            let (collection, last) = (next()?, next()?);
            if segments.next().is_some() {
                return None;
            }
            let (id, version) = match last.split_once('@') {
                Some((id, version)) => (id, Some(version)),
                None => (last, None),
            };
            let is_whole = !id.is_empty() && version != Some("");
            is_whole.then(|| Self {
                project: project.into(),
                location: location.into(),
                collection: collection.into(),
                id: id.into(),
                version: version.map(Into::into),
            })
        };
        parse().ok_or_else(|| NotAName {
            text: text.into(),
            collection: "COLLECTION",
        })
    }
}

/// Whether a text can stand between two slashes of a name. It becomes part of
/// an address, so nothing that means something there is let through.
pub(crate) fn is_segment(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@');
    !text.is_empty() && text.chars().all(is_plain) && !text.chars().all(|c| c == '.')
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            project,
            location,
            collection,
            id,
            version,
        } = self;
        write!(
            f,
            "projects/{project}/locations/{location}/{collection}/{id}"
        )?;
        version
            .iter()
            .try_for_each(|version| write!(f, "@{version}"))
    }
}

impl Serialize for ResourceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for text in [
            "projects/123456789012/locations/us-central1/tuningJobs/6284765961371254784",
            "projects/acme-mt/locations/us/models/1402067540926005248@1",
            "projects/google.com:acme/locations/eu/endpoints/77",
            "projects/p/locations/us/models/1@default",
        ] {
            assert_eq!(text.parse::<ResourceName>().unwrap().to_string(), text);
        }
        let model = ResourceName::model("projects/1/locations/us/models/7@2").unwrap();
        assert_eq!(
            (
                model.location.as_str(),
                model.id.as_str(),
                model.version.as_deref()
            ),
            ("us", "7", Some("2"))
        );
        assert_eq!(
            model.without_version().to_string(),
            "projects/1/locations/us/models/7"
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "7",
            "projects/p/locations/us/tuningJobs",
            "projects/p/locations/us/tuningJobs/",
            "projects/p/locations/us/tuningJobs/7/x",
            "projects/p/locations/us/models/7",
            "projects/p/locations/../tuningJobs/7",
            "projects/p/locations/us/tuningJobs/7?x=y",
            "projects/p q/locations/us/tuningJobs/7",
            "/projects/p/locations/us/tuningJobs/7",
        ] {
            let refused = ResourceName::job(text).unwrap_err();
            assert!(refused.to_string().contains("tuningJobs/ID"), "{text}");
        }
    }
}
