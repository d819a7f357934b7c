//! The state of everything that is played, and how a request meets it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request};
use bytes::Bytes;
use http_body_util::BodyExt;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use crate::auth::{Auth, Form, Principal};
use crate::body::{self, Pipe};
use crate::clock::{Clock, micros};
use crate::error::{Answer, Refusal, Reply, Service, bare_reply, json_reply};
use crate::faults::{Effect, Fate, JobOutcome};
use crate::log::Log;
use crate::operation::{self, Call, Hints, Operation, Parts};
use crate::storage::{self, Bucket, Object, Session};
use crate::store::Shelf;
use crate::vertex::{self, Answers, Batch, Job};
use crate::{Options, StartError};

/// The number of the one project.
pub(crate) const PROJECT_NUMBER: &str = "314159265358";
/// The most bytes of a body that is read into memory.
const MOST_SMALL: usize = 32 * 1024 * 1024;

/// Everything that is played.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) base_url: String,
    pub(crate) project: String,
    pub(crate) pace: Duration,
    pub(crate) clock: Clock,
    pub(crate) auth: Auth,
    pub(crate) fate: Fate,
    pub(crate) log: Log,
    pub(crate) scratch: PathBuf,
    pub(crate) buckets: Shelf<Bucket>,
    pub(crate) objects: Shelf<Object>,
    pub(crate) uploads: Shelf<Session>,
    pub(crate) jobs: Shelf<Job>,
    pub(crate) batches: Shelf<Batch>,
    /// What tuned models answer, once read.
    pub(crate) answers: Mutex<HashMap<String, Arc<Answers>>>,
    last_generation: AtomicU64,
    upload_locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// A request, taken apart.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) parts: Parts,
    pub(crate) query: Form,
    headers: HeaderMap,
    /// Behind a lock for no other reason than to be shared between threads.
    body: Mutex<Body>,
    /// Its place in the log.
    entry: usize,
    /// What strikes it, where the operation itself has to play that.
    pub(crate) effect: Option<Effect>,
}

impl Ask {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn headers_of(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// Takes the body; it is empty afterwards.
    pub(crate) fn take_body(&self) -> Body {
        std::mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the body, which is a message and not a file.
    pub(crate) async fn take_small_body(&self) -> Result<Bytes, Refusal> {
        body::read_small(self.take_body(), MOST_SMALL)
            .await
            .map_err(|error| {
                Refusal::invalid(format!("The request's body cannot be read: {error}"))
            })
    }

    fn is_json(&self) -> bool {
        self.header("content-type").is_none_or(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json")
        })
    }
}

impl Cloud {
    /// Opens the directory's state.
    pub(crate) fn open(options: &Options, base_url: &str) -> Result<Self, StartError> {
        let dir = &options.dir;
        let at = |source| StartError::Directory {
            path: dir.clone(),
            source,
        };
        let scratch = dir.join("scratch");
        let open = || {
            fs::create_dir_all(dir)?;
            if scratch.exists() {
                fs::remove_dir_all(&scratch)?;
            }
            fs::create_dir_all(&scratch)?;
            let auth = Auth::plant(
                dir,
                base_url,
                &options.project,
                options.token_lifetime,
                options.clock.clone(),
            )?;
            let objects = Shelf::<Object>::open(dir.join("objects"))?;
            let all = objects.starting_with("");
            let last = all.iter().map(|object| object.generation).max();
            let cloud = Self {
                base_url: base_url.to_owned(),
                project: options.project.clone(),
                pace: options.pace,
                clock: options.clock.clone(),
                auth,
                fate: Fate::new(options.faults.clone()),
                log: Log::default(),
                scratch: scratch.clone(),
                buckets: Shelf::open(dir.join("buckets"))?,
                objects,
                uploads: Shelf::open(dir.join("uploads"))?,
                jobs: Shelf::open(dir.join("jobs"))?,
                batches: Shelf::open(dir.join("batches"))?,
                answers: Mutex::default(),
                last_generation: AtomicU64::new(last.unwrap_or_default()),
                upload_locks: Mutex::default(),
            };
            if let Some(bucket) = &options.bucket
                && cloud.buckets.get(bucket).is_none()
            {
                cloud.buckets.put(Bucket {
                    name: bucket.clone(),
                    created: cloud.clock.now(),
                    settings: json!({
                        "location": "US-CENTRAL1",
                        "iamConfiguration": {
                            "uniformBucketLevelAccess": {"enabled": true},
                            "publicAccessPrevention": "enforced",
                        },
                    })
                    .as_object()
                    .cloned()
                    .unwrap_or_default(),
                })?;
            }
            Ok(cloud)
        };
        open().map_err(at)
    }

    /// Whether a name or a number is the project's.
    pub(crate) fn is_project(&self, project: &str) -> bool {
        project == self.project || project == PROJECT_NUMBER
    }

    /// Who the callers are, for messages.
    pub(crate) fn caller(&self) -> String {
        format!("rehearsal@{}.iam.gserviceaccount.com", self.project)
    }

    /// A generation that is larger than any before.
    pub(crate) fn next_generation(&self) -> u64 {
        let now = self.clock.now();
        let next = |last: u64| Some(now.max(last + 1));
        let last = self
            .last_generation
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let last = last.unwrap_or_else(|last| last);
        now.max(last + 1)
    }

    /// Bytes that nobody can guess.
    pub(crate) fn random(&self) -> Result<[u8; 24], Refusal> {
        let mut bytes = [0; 24];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(Refusal::internal)?;
        Ok(bytes)
    }

    /// The lock of an upload session: one piece at a time.
    pub(crate) fn upload_lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let locks = self.upload_locks.lock();
        let mut locks = locks.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(id.to_owned()).or_default())
    }

    /// How long a job takes, in microseconds.
    pub(crate) fn pace(&self) -> u64 {
        micros(self.pace)
    }
}

/// What becomes of a request's connection.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reply(Reply),
    Reset,
}

/// Answers a request, faults included.
pub(crate) async fn serve(cloud: Arc<Cloud>, request: Request<Body>) -> Outcome {
    let (head, body) = request.into_parts();
    let method = head.method.as_str();
    let path = head.uri.path();
    let query = Form::parse(head.uri.query().unwrap_or_default());
    if path.starts_with("/_emulator/") {
        return Outcome::Reply(own(&cloud, path));
    }
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let hints = Hints {
        upload_type: query.get("uploadType"),
        content_range: text("content-range"),
    };
    let found = operation::find(method, path, hints);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let name = found.as_ref().map(|(operation, _)| operation.name);
    let entry = cloud
        .log
        .begin(name, method, &decoded, &query, &head.headers);
    let Some((operation, parts)) = found else {
        body::drain(body).await;
        let refusal = Refusal::not_found(format!(
            "The requested URL {path} was not found on this server."
        ));
        cloud.log.end(entry, Some(404), None);
        return Outcome::Reply(refusal.reply(operation::service_of(path)));
    };
    let effect = cloud.fate.strike(operation.name, method, &decoded);
    let authorization = text("authorization").map(str::to_owned);
    let before = match &effect {
        Some(Effect::ResetBefore) => {
            cloud.log.end(entry, None, effect.as_ref());
            return Outcome::Reset;
        }
        Some(Effect::Status {
            code,
            retry_after,
            message,
        }) => Some(Refusal::of_status(*code, message.as_deref()).retry_after(*retry_after)),
        Some(Effect::LoseSession) => {
            let id = query.get("upload_id").unwrap_or_default();
            let lost = storage::forget(&cloud, id, 410, "Gone");
            Some(lost.err().unwrap_or_else(|| Refusal::of_status(410, None)))
        }
        Some(Effect::ExpireToken) => {
            let token = authorization.as_deref().unwrap_or_default();
            cloud.auth.revoke(token.trim_start_matches("Bearer "));
            None
        }
        _ => None,
    };
    let answer = if let Some(refusal) = before {
        body::drain(body).await;
        Err(refusal)
    } else {
        let ask = Ask {
            parts,
            query,
            headers: head.headers,
            body: Mutex::new(body),
            entry,
            effect: effect.clone(),
        };
        let admitted = admit(&cloud, operation, &ask, authorization.as_deref());
        match admitted {
            Ok(()) => answer(&cloud, operation, ask).await,
            Err(refusal) => {
                body::drain(ask.take_body()).await;
                Err(refusal)
            }
        }
    };
    let reply = answer.unwrap_or_else(|refusal| refusal.reply(operation.service));
    let outcome = after(reply, operation, effect.as_ref()).await;
    let status = match &outcome {
        Outcome::Reply(reply) => Some(reply.status().as_u16()),
        Outcome::Reset => None,
    };
    cloud.log.end(entry, status, effect.as_ref());
    outcome
}

/// The emulator's own pages.
fn own(cloud: &Cloud, path: &str) -> Reply {
    match path {
        "/_emulator/requests" => json_reply(200, &json!({"requests": cloud.log.all()})),
        "/_emulator/operations" => json_reply(200, &json!({"operations": crate::operations()})),
        _ => Refusal::of_status(404, None).reply(Service::Rpc),
    }
}

/// Holds a request to what comes before its operation.
fn admit(
    cloud: &Cloud,
    operation: &Operation,
    ask: &Ask,
    authorization: Option<&str>,
) -> Result<(), Refusal> {
    // The address of an upload session is credential enough.
    let is_of_session = matches!(
        operation.call,
        Call::UploadChunk | Call::UploadQuery | Call::UploadCancel
    );
    let needs_none = operation.is_open || (is_of_session && authorization.is_none());
    if !needs_none {
        let principal = cloud.auth.judge(authorization, operation.scope)?;
        let is_platform = operation.service == Service::Rpc;
        let quota = ask.header("x-goog-user-project");
        if is_platform && principal == Principal::User && quota.is_none() {
            return Err(Refusal::denied(
                "Your application is authenticating by using local Application Default Credentials. The aiplatform.googleapis.com API requires a quota project, which is not set by default. To learn how to set your quota project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .",
            )
            .with_info("SERVICE_DISABLED"));
        }
        if let Some(quota) = quota
            && !cloud.is_project(quota)
        {
            return Err(Refusal::denied(format!(
                "Caller does not have required permission to use project {quota}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission."
            ))
            .with_info("USER_PROJECT_DENIED"));
        }
    }
    if let Some(name) = operation.stray_parameter(ask.query.names()) {
        return Err(Refusal::invalid(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found in request message."
        ))
        .with_violations(vec![crate::error::Violation {
            field: String::new(),
            description: format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found in request message."
            ),
        }]));
    }
    let project = ask.parts.get("project");
    if !project.is_empty() && !cloud.is_project(project) {
        return Err(Refusal::denied(format!(
            "Permission '{}' denied on resource '//aiplatform.googleapis.com/projects/{project}' (or it may not exist).",
            operation.name
        ))
        .with_info("IAM_PERMISSION_DENIED"));
    }
    Ok(())
}

async fn answer(cloud: &Arc<Cloud>, operation: &Operation, ask: Ask) -> Answer {
    match operation.call {
        Call::InsertMedia => return storage::media(cloud, ask).await,
        Call::InsertMultipart => return storage::multipart(cloud, ask).await,
        Call::UploadStart => return storage::start(cloud, ask).await,
        Call::UploadChunk => return storage::chunk(cloud, ask).await,
        Call::UploadQuery => return storage::query(cloud, ask).await,
        Call::UploadCancel => return storage::cancel(cloud, ask).await,
        _ => {}
    }
    let body = ask.take_small_body().await?;
    let is_form = matches!(operation.call, Call::Token | Call::Exchange);
    if !is_form && !body.is_empty() && !ask.is_json() {
        return Err(Refusal::invalid(
            "The content type of the request is not application/json.",
        ));
    }
    if operation.call == Call::JobCreate {
        let body = serde_json::from_slice(&body).ok();
        cloud.log.carries(ask.entry, body);
    }
    let api = vertex::api_of(ask.parts.get("v"));
    match operation.call {
        Call::Token => cloud.auth.token(&form(&ask, &body)?),
        Call::Exchange => cloud.auth.exchange(&form(&ask, &body)?),
        Call::Impersonate => cloud.auth.impersonate(ask.parts.get("account"), &body),
        Call::ProjectGet => Ok(json_reply(200, &project(cloud))),
        Call::ProjectTest => project_test(&body),
        Call::ServiceGet => Ok(json_reply(200, &service(&ask))),
        Call::BucketInsert => storage::bucket_insert(cloud, &ask, &body),
        Call::BucketGet => storage::bucket_get(cloud, &ask),
        Call::BucketTest => storage::bucket_test(cloud, &ask),
        Call::ObjectList => storage::list(cloud, &ask),
        Call::ObjectGet => storage::object_get(cloud, &ask),
        Call::ObjectDelete => storage::delete(cloud, &ask),
        Call::ObjectCompose => storage::compose(cloud, &ask, &body).await,
        Call::JobCreate => vertex::job_create(cloud, &ask, api, &body),
        Call::JobGet => vertex::job_get(cloud, &ask, api),
        Call::JobList => vertex::job_list(cloud, &ask, api),
        Call::JobCancel => vertex::job_cancel(cloud, &ask, api, &body),
        Call::ContextGet => vertex::context_get(cloud, &ask),
        Call::ContextList => vertex::context_list(cloud, &ask),
        Call::SeriesList => vertex::series_list(cloud, &ask),
        Call::SeriesRead => vertex::series_read(cloud, &ask),
        Call::SeriesBatchRead => vertex::series_batch_read(cloud, &ask),
        Call::ModelGet => vertex::model_get(cloud, &ask),
        Call::ModelPatch => vertex::model_patch(cloud, &ask, api, &body),
        Call::ModelCheckpoints => vertex::model_checkpoints(cloud, &ask),
        Call::EndpointGet => vertex::endpoint_get(cloud, &ask),
        Call::EndpointGenerate | Call::PublisherGenerate => {
            vertex::generate(cloud, &ask, api, &body).await
        }
        Call::EndpointStream | Call::PublisherStream => {
            vertex::stream(cloud, &ask, api, &body).await
        }
        Call::EndpointCount | Call::PublisherCount => vertex::count(cloud, &ask, api, &body),
        Call::BatchCreate => vertex::batch_create(cloud, &ask, api, &body),
        Call::BatchGet => vertex::batch_get(cloud, &ask),
        Call::BatchList => vertex::batch_list(cloud, &ask),
        Call::BatchCancel => vertex::batch_cancel(cloud, &ask),
        Call::Evaluate => vertex::evaluate(&ask, api, &body),
        Call::InsertMedia
        | Call::InsertMultipart
        | Call::UploadStart
        | Call::UploadChunk
        | Call::UploadQuery
        | Call::UploadCancel => Err(Refusal::internal("an upload has been answered above")),
    }
}

/// The form of a request for a token.
fn form(ask: &Ask, body: &[u8]) -> Result<Form, Refusal> {
    let kind = ask.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::new(
            400,
            "invalid_request",
            "The content type is application/x-www-form-urlencoded.",
        ));
    }
    Ok(Form::parse(&String::from_utf8_lossy(body)))
}

fn project(cloud: &Cloud) -> Value {
    json!({
        "projectNumber": PROJECT_NUMBER,
        "projectId": cloud.project,
        "name": "Rehearsal",
        "lifecycleState": "ACTIVE",
        "createTime": "2026-01-01T00:00:00.000Z",
    })
}

/// `projects.testIamPermissions`: the caller may do what a tuning user may.
fn project_test(body: &[u8]) -> Answer {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        permissions: Vec<String>,
    }
    let body: Body = serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))?;
    let has = |permission: &String| {
        ["aiplatform.", "storage.", "serviceusage.services."]
            .iter()
            .any(|start| permission.starts_with(start))
    };
    let held: Vec<_> = body.permissions.into_iter().filter(has).collect();
    let reply = if held.is_empty() {
        json!({})
    } else {
        json!({"permissions": held})
    };
    Ok(json_reply(200, &reply))
}

fn service(ask: &Ask) -> Value {
    let name = ask.parts.get("service");
    let is_enabled = matches!(
        name,
        "aiplatform.googleapis.com"
            | "storage.googleapis.com"
            | "iamcredentials.googleapis.com"
            | "serviceusage.googleapis.com"
            | "cloudresourcemanager.googleapis.com"
    );
    json!({
        "name": format!("projects/{PROJECT_NUMBER}/services/{name}"),
        "config": {"name": name},
        "state": if is_enabled { "ENABLED" } else { "DISABLED" },
        "parent": format!("projects/{PROJECT_NUMBER}"),
    })
}

/// What a fault makes of an answer.
async fn after(reply: Reply, operation: &Operation, effect: Option<&Effect>) -> Outcome {
    let reply = match effect {
        Some(Effect::ResetAfter) => return Outcome::Reset,
        Some(Effect::StatusAfter { code }) => {
            Refusal::of_status(*code, None).reply(operation.service)
        }
        Some(Effect::Slow { delay_ms, piece }) => {
            let delay = Duration::from_millis(*delay_ms);
            reply.map(|body| body::slowed(body, *piece, delay))
        }
        Some(Effect::Truncate { after }) => reply.map(|body| body::truncated(body, *after)),
        Some(Effect::WrongCrc) => wrong_crc(reply).await,
        _ => reply,
    };
    Outcome::Reply(reply)
}

/// A CRC32C that no object of a test is likely to have.
const WRONG_CRC: &str = "/////w==";

async fn wrong_crc(reply: Reply) -> Reply {
    let (mut head, body) = reply.into_parts();
    if head.headers.contains_key("x-goog-hash") {
        let wrong = HeaderValue::from_static("crc32c=/////w==");
        head.headers.insert("x-goog-hash", wrong);
        return Reply::from_parts(head, body);
    }
    let Ok(bytes) = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return bare_reply(500, Body::empty());
    };
    let Ok(mut resource) = serde_json::from_slice::<Value>(&bytes) else {
        return Reply::from_parts(head, Body::from(bytes));
    };
    if resource.get("crc32c").is_some() {
        resource["crc32c"] = json!(WRONG_CRC);
    }
    head.headers.remove("content-length");
    Reply::from_parts(head, Body::from(resource.to_string()))
}

/// How the tuning job of a request is to end.
pub(crate) fn outcome_of(ask: &Ask) -> JobOutcome {
    match ask.effect {
        Some(Effect::Job { outcome }) => outcome,
        _ => JobOutcome::Natural,
    }
}

/// An answer of server-sent events.
pub(crate) fn events(events: Vec<Value>) -> Reply {
    let (sender, body) = Pipe::open(None);
    tokio::spawn(async move {
        for event in events {
            let line = format!("data: {event}\r\n\r\n");
            if sender.send(Ok::<_, io::Error>(line.into())).await.is_err() {
                return;
            }
        }
    });
    let mut reply = bare_reply(200, body);
    reply.headers_mut().insert(
        axum::http::header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    reply
}
