//! What a tuning job needs, asked for one by one, with the command that mends
//! each.
//!
//! Nothing is written and nothing is started. Each question is asked even if
//! an earlier one went wrong, as far as it can be: all that is missing is
//! known at once. What cannot be asked, because there is no connection or the
//! service that knows is not enabled, is told as such and not guessed.

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::Client;
use crate::credentials::{CredentialsError, Identity};
use crate::error::CallError;
use crate::http::{Request, encoded};
use crate::storage::{self, GsUri};

/// What is to be examined; what is missing is not asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The project that pays.
    pub project: Option<String>,
    /// The location of tuning jobs.
    pub location: Option<String>,
    /// Where datasets are to be uploaded.
    pub bucket: Option<GsUri>,
}

/// How it stands with one of the things that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is as it must be.
    Good,
    /// It is not.
    Bad,
    /// It could not be asked.
    Unreachable,
    /// It is not known, and nobody here can tell.
    Unknown,
}

/// One of the things that are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is, as one word or two: `credentials`, `bucket`.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found, as a phrase.
    pub found: String,
    /// What to do about it: a command to type, if there is one.
    pub mend: Option<String>,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Standing::Good, found, None)
    }

    fn bad(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(name, Standing::Bad, found, Some(mend.into()))
    }

    fn new(
        name: &'static str,
        standing: Standing,
        found: impl Into<String>,
        mend: Option<String>,
    ) -> Self {
        Self {
            name,
            standing,
            found: found.into(),
            mend,
        }
    }

    /// A question that brought no answer, or another than yes and no.
    fn failed(name: &'static str, what: &str, error: &CallError) -> Self {
        let standing = match error {
            CallError::Transport { .. } | CallError::Stopped { .. } => Standing::Unreachable,
            CallError::Service(error) if error.http >= 500 || error.http == 429 => {
                Standing::Unreachable
            }
            _ => Standing::Bad,
        };
        let found = format!("{what}: {}", with_causes(error));
        Self::new(name, standing, found, None)
    }
}

/// An error and what it came from, on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

/// The permissions that tuning and prediction need in the project.
const PROJECT_PERMISSIONS: &[&str] = &[
    "aiplatform.tuningJobs.create",
    "aiplatform.tuningJobs.get",
    "aiplatform.tuningJobs.list",
    "aiplatform.tuningJobs.cancel",
    "aiplatform.endpoints.predict",
];

/// The permissions that an upload needs on the bucket.
const BUCKET_PERMISSIONS: &[&str] = &[
    "storage.objects.create",
    "storage.objects.get",
    "storage.objects.delete",
    "storage.objects.list",
];

/// The services that must be enabled.
const SERVICES: &[&str] = &["aiplatform.googleapis.com", "storage.googleapis.com"];

/// Tells of credentials that are not there at all, for want of which nothing
/// can be asked.
pub fn without_credentials(error: &CredentialsError) -> Check {
    Check::bad("credentials", with_causes(error), error.way_out())
}

/// Asks everything, in the order in which it is best mended.
pub async fn examine(client: &Client, wanted: &Wanted) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(check) = addresses(client) {
        checks.push(check);
    }
    let credentials = credentials(client).await;
    let has_token = credentials.standing == Standing::Good;
    checks.push(credentials);
    let Some(project) = &wanted.project else {
        checks.push(Check::bad(
            "project",
            "no project is set",
            "set `GOOGLE_CLOUD_PROJECT` to the id of the project",
        ));
        if has_token {
            checks.extend(bucket(client, None, wanted).await);
        }
        return checks;
    };
    if !has_token {
        return checks;
    }
    checks.push(self::project(client, project).await);
    for service in SERVICES {
        checks.push(enabled(client, project, service).await);
    }
    checks.push(permissions(client, project).await);
    if let Some(location) = &wanted.location {
        checks.push(tuning_jobs(client, project, location).await);
    }
    checks.extend(bucket(client, Some(project), wanted).await);
    checks.push(quota(project));
    checks
}

fn addresses(client: &Client) -> Option<Check> {
    let of_google = match client.endpoints().is_overridden() {
        (false, false) => return None,
        (true, true) => "stand-ins for Vertex AI and Cloud Storage are asked, not Google",
        (true, false) => "a stand-in for Vertex AI is asked; Cloud Storage is Google's own",
        (false, true) => "a stand-in for Cloud Storage is asked; Vertex AI is Google's own",
    };
    let is_half = client.endpoints().is_overridden() != (true, true);
    let standing = if is_half {
        Standing::Unknown
    } else {
        Standing::Good
    };
    let mend = is_half.then(|| {
        "set both `GOOGLE_VERTEX_BASE_URL` and `STORAGE_EMULATOR_HOST`, or neither".to_owned()
    });
    Some(Check::new("addresses", standing, of_google, mend))
}

async fn credentials(client: &Client) -> Check {
    match client.authenticate().await {
        Ok(()) => Check::good("credentials", described(&client.credentials().identity())),
        Err(CallError::Credentials(error)) => {
            let is_lost = matches!(&error, CredentialsError::Refused { source, .. }
                if matches!(**source, CallError::Transport { .. } | CallError::Stopped { .. }));
            if is_lost {
                let found = with_causes(&error);
                return Check::new("credentials", Standing::Unreachable, found, None);
            }
            without_credentials(&error)
        }
        Err(error) => Check::failed("credentials", "no access token", &error),
    }
}

/// Who asks, in words.
fn described(identity: &Identity) -> String {
    let mut text = identity.kind.to_owned();
    if let Some(principal) = &identity.principal {
        text = format!("{text} ({principal})");
    }
    if let Some(file) = &identity.file {
        text = format!("{text}, by `{}`", file.display());
    }
    text
}

/// Who asks, as `gcloud` names members.
fn member(client: &Client) -> String {
    match client.credentials().identity().principal {
        Some(email) if email.ends_with(".gserviceaccount.com") => format!("serviceAccount:{email}"),
        Some(email) => format!("user:{email}"),
        None => "user:YOUR-ADDRESS".to_owned(),
    }
}

async fn project(client: &Client, project: &str) -> Check {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Project {
        project_number: Option<String>,
        lifecycle_state: Option<String>,
    }
    const NAME: &str = "project";
    let base = client.endpoints().service("cloudresourcemanager");
    let url = format!("{base}/v1/projects/{}", encoded(project));
    let reply = client.send(&Request::get("look at the project", url)).await;
    match reply.and_then(|reply| reply.json::<Project>()) {
        Ok(found) => {
            let state = found.lifecycle_state.unwrap_or_else(|| "ACTIVE".to_owned());
            let number = found.project_number.unwrap_or_else(|| "-".to_owned());
            let found = format!("`{project}` (number {number}) is {}", state.to_lowercase());
            if state == "ACTIVE" {
                Check::good(NAME, found)
            } else {
                Check::bad(NAME, found, format!("gcloud projects undelete {project}"))
            }
        }
        Err(error) => not_enabled(NAME, "cloudresourcemanager.googleapis.com", project, &error)
            .unwrap_or_else(|| match error.http() {
                Some(403 | 404) => Check::bad(
                    NAME,
                    format!("there is no project `{project}` that these credentials may see"),
                    "gcloud projects list",
                ),
                _ => Check::failed(NAME, "the project cannot be looked at", &error),
            }),
    }
}

/// The service that would answer is not enabled, so what was asked is not known.
fn not_enabled(
    name: &'static str,
    service: &str,
    project: &str,
    error: &CallError,
) -> Option<Check> {
    let reason = error.service()?.reason.as_deref();
    (reason == Some("SERVICE_DISABLED")).then(|| {
        Check::new(
            name,
            Standing::Unknown,
            format!("it cannot be asked: `{service}` is not enabled"),
            Some(enable(service, project)),
        )
    })
}

fn enable(service: &str, project: &str) -> String {
    format!("gcloud services enable {service} --project {project}")
}

async fn enabled(client: &Client, project: &str, service: &str) -> Check {
    #[derive(Deserialize)]
    struct Service {
        state: Option<String>,
    }
    const NAME: &str = "service";
    let base = client.endpoints().service("serviceusage");
    let url = format!("{base}/v1/projects/{}/services/{service}", encoded(project));
    let reply = client.send(&Request::get("look at the service", url)).await;
    match reply.and_then(|reply| reply.json::<Service>()) {
        Ok(found) if found.state.as_deref() == Some("ENABLED") => {
            Check::good(NAME, format!("`{service}` is enabled"))
        }
        Ok(_) => Check::bad(
            NAME,
            format!("`{service}` is not enabled"),
            enable(service, project),
        ),
        Err(error) => {
            let what = format!("whether `{service}` is enabled cannot be asked");
            let disabled = not_enabled(NAME, "serviceusage.googleapis.com", project, &error);
            disabled.unwrap_or_else(|| {
                let check = Check::failed(NAME, &what, &error);
                // Who may use a service need not be allowed to look at it.
                let standing = match error.http() {
                    Some(403) => Standing::Unknown,
                    _ => check.standing,
                };
                Check { standing, ..check }
            })
        }
    }
}

async fn permissions(client: &Client, project: &str) -> Check {
    #[derive(Deserialize)]
    struct Granted {
        #[serde(default)]
        permissions: Vec<String>,
    }
    const NAME: &str = "permissions";
    let base = client.endpoints().service("cloudresourcemanager");
    let url = format!("{base}/v1/projects/{}:testIamPermissions", encoded(project));
    let ask = Request::post("ask for permissions in the project", url)
        .json(&json!({ "permissions": PROJECT_PERMISSIONS }))
        .safe();
    let reply = client.send(&ask).await;
    match reply.and_then(|reply| reply.json::<Granted>()) {
        Ok(granted) => {
            let missing = missing(PROJECT_PERMISSIONS, &granted.permissions);
            if missing.is_empty() {
                return Check::good(NAME, "tuning jobs may be started, and models asked");
            }
            let member = member(client);
            Check::bad(
                NAME,
                format!("{} missing in the project", missing.join(", ")),
                format!(
                    "gcloud projects add-iam-policy-binding {project} --member={member} --role=roles/aiplatform.user"
                ),
            )
        }
        Err(error) => not_enabled(NAME, "cloudresourcemanager.googleapis.com", project, &error)
            .unwrap_or_else(|| Check::failed(NAME, "permissions cannot be asked", &error)),
    }
}

fn missing(wanted: &[&str], granted: &[String]) -> Vec<String> {
    let is_missing = |name: &&&str| !granted.iter().any(|granted| granted == **name);
    wanted
        .iter()
        .filter(is_missing)
        .map(|name| format!("`{name}`"))
        .collect()
}

/// Lists tuning jobs: the host, the service and the permission are right.
async fn tuning_jobs(client: &Client, project: &str, location: &str) -> Check {
    const NAME: &str = "tuning jobs";
    let base = client.endpoints().vertex(location);
    let (project_part, location_part) = (encoded(project), encoded(location));
    let url = format!("{base}/v1/projects/{project_part}/locations/{location_part}/tuningJobs");
    let list = Request::get("list the tuning jobs", url).query("pageSize", "1");
    match client.send(&list).await {
        Ok(_) => Check::good(NAME, format!("they can be listed in `{location}`")),
        Err(error) => {
            let what = format!("they cannot be listed in `{location}`");
            let mut check = Check::failed(NAME, &what, &error);
            let reason = error
                .service()
                .and_then(|error| error.reason.clone())
                .unwrap_or_default();
            check.mend = match (error.http(), &*reason) {
                (Some(403), "SERVICE_DISABLED") => Some(enable(SERVICES[0], project)),
                (Some(400 | 404), _) => Some(
                    "choose a location where the model is tuned; `prep models` lists them"
                        .to_owned(),
                ),
                _ => None,
            };
            check
        }
    }
}

async fn bucket(client: &Client, project: Option<&str>, wanted: &Wanted) -> Vec<Check> {
    const NAME: &str = "bucket";
    let Some(uri) = &wanted.bucket else {
        return Vec::new();
    };
    let name = &uri.bucket;
    let found = match storage::bucket(client, name).await {
        Ok(Some(bucket)) => {
            let place = bucket.location.to_lowercase();
            let place = if place.is_empty() {
                String::new()
            } else {
                format!(" in `{place}`")
            };
            Check::good(NAME, format!("`gs://{name}` is there{place}"))
        }
        Ok(None) => {
            let project = project.unwrap_or("PROJECT");
            let location = wanted.location.as_deref().unwrap_or("LOCATION");
            let create = format!(
                "gcloud storage buckets create gs://{name} --project={project} --location={location} --uniform-bucket-level-access --public-access-prevention"
            );
            return vec![Check::bad(
                NAME,
                format!("there is no bucket `{name}`"),
                create,
            )];
        }
        // To look at the bucket itself is a permission that uploads do not need.
        Err(error) if error.http() == Some(403) => {
            let found = format!("`gs://{name}` may not be looked at, or belongs to others");
            Check::new(NAME, Standing::Unknown, found, None)
        }
        Err(error) => return vec![Check::failed(NAME, "it cannot be looked at", &error)],
    };
    vec![found, bucket_permissions(client, name).await]
}

async fn bucket_permissions(client: &Client, name: &str) -> Check {
    const NAME: &str = "uploads";
    match storage::permissions(client, name, BUCKET_PERMISSIONS).await {
        Ok(granted) => {
            let missing = missing(BUCKET_PERMISSIONS, &granted);
            if missing.is_empty() {
                return Check::good(NAME, "objects may be written, read, listed and deleted");
            }
            let member = member(client);
            Check::bad(
                NAME,
                format!("{} missing on the bucket", missing.join(", ")),
                format!(
                    "gcloud storage buckets add-iam-policy-binding gs://{name} --member={member} --role=roles/storage.objectAdmin"
                ),
            )
        }
        Err(error) => Check::failed(NAME, "permissions on the bucket cannot be asked", &error),
    }
}

/// How many jobs may run at once is not told by any call that needs no more
/// rights than tuning does.
fn quota(project: &str) -> Check {
    Check::new(
        "quota",
        Standing::Unknown,
        "how many tuning jobs may run at once (at least 1) is not asked",
        Some(format!(
            "see `Global concurrent tuning jobs` at https://console.cloud.google.com/iam-admin/quotas?project={project}"
        )),
    )
}
