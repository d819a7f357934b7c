//! Every request that the emulator answers, by name.
//!
//! Paths are matched here and not by a web framework's router: Google's end
//! in `:verb`, and the name of an object may hold an encoded slash.

use percent_encoding::percent_decode_str;

use crate::error::Service;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Token,
    Exchange,
    Impersonate,
    ProjectGet,
    ProjectTest,
    ServiceGet,
    BucketGet,
    BucketInsert,
    BucketTest,
    ObjectGet,
    ObjectList,
    ObjectDelete,
    ObjectCompose,
    InsertMedia,
    InsertMultipart,
    UploadStart,
    UploadChunk,
    UploadQuery,
    UploadCancel,
    JobCreate,
    JobGet,
    JobList,
    JobCancel,
    ContextGet,
    ContextList,
    SeriesList,
    SeriesRead,
    SeriesBatchRead,
    ModelGet,
    ModelPatch,
    ModelCheckpoints,
    EndpointGet,
    EndpointGenerate,
    EndpointStream,
    EndpointCount,
    PublisherGenerate,
    PublisherStream,
    PublisherCount,
    BatchCreate,
    BatchGet,
    BatchList,
    BatchCancel,
    Evaluate,
}

/// A kind of request.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// `{x}` stands for one segment, or for its part before a `:`.
    template: &'static str,
    /// The query parameters that it has beside those of every request.
    parameters: &'static [&'static str],
    pub(crate) call: Call,
    pub(crate) service: Service,
    /// A scope that is enough beside that for the whole platform.
    pub(crate) scope: Option<&'static str>,
    /// Whether it needs no access token.
    pub(crate) is_open: bool,
}

/// The query parameters of every request.
const COMMON: &[&str] = &[
    "alt",
    "$alt",
    "prettyPrint",
    "quotaUser",
    "userIp",
    "$.xgafv",
];

const fn open(
    name: &'static str,
    template: &'static str,
    call: Call,
    service: Service,
) -> Operation {
    Operation {
        name,
        method: "POST",
        template,
        parameters: &[],
        call,
        service,
        scope: None,
        is_open: true,
    }
}

const fn storage(
    name: &'static str,
    method: &'static str,
    template: &'static str,
    parameters: &'static [&'static str],
    call: Call,
) -> Operation {
    Operation {
        name,
        method,
        template,
        parameters,
        call,
        service: Service::Storage,
        scope: Some("https://www.googleapis.com/auth/devstorage.full_control"),
        is_open: false,
    }
}

const fn rpc(
    name: &'static str,
    method: &'static str,
    template: &'static str,
    parameters: &'static [&'static str],
    call: Call,
) -> Operation {
    Operation {
        name,
        method,
        template,
        parameters,
        call,
        service: Service::Rpc,
        scope: None,
        is_open: false,
    }
}

const UPLOAD: &[&str] = &[
    "uploadType",
    "name",
    "contentEncoding",
    "ifGenerationMatch",
    "ifGenerationNotMatch",
    "projection",
    "userProject",
    "upload_id",
];
const PAGED: &[&str] = &["pageSize", "pageToken", "filter"];

/// All of them. The first whose method and template match is taken.
static OPERATIONS: &[Operation] = &[
    open("oauth2.token", "/token", Call::Token, Service::OAuth),
    open("sts.token", "/v1/token", Call::Exchange, Service::OAuth),
    rpc(
        "iamcredentials.generateAccessToken",
        "POST",
        "/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
        &[],
        Call::Impersonate,
    ),
    rpc(
        "cloudresourcemanager.projects.get",
        "GET",
        "/v1/projects/{project}",
        &[],
        Call::ProjectGet,
    ),
    rpc(
        "cloudresourcemanager.projects.testIamPermissions",
        "POST",
        "/v1/projects/{project}:testIamPermissions",
        &[],
        Call::ProjectTest,
    ),
    rpc(
        "cloudresourcemanager.projects.testIamPermissions",
        "POST",
        "/v3/projects/{project}:testIamPermissions",
        &[],
        Call::ProjectTest,
    ),
    rpc(
        "serviceusage.services.get",
        "GET",
        "/v1/projects/{project}/services/{service}",
        &[],
        Call::ServiceGet,
    ),
    storage(
        "storage.buckets.insert",
        "POST",
        "/storage/v1/b",
        &["project", "projection", "fields", "userProject"],
        Call::BucketInsert,
    ),
    storage(
        "storage.buckets.get",
        "GET",
        "/storage/v1/b/{bucket}",
        &["projection", "fields", "userProject"],
        Call::BucketGet,
    ),
    storage(
        "storage.buckets.testIamPermissions",
        "GET",
        "/storage/v1/b/{bucket}/iam/testPermissions",
        &["permissions", "userProject"],
        Call::BucketTest,
    ),
    storage(
        "storage.objects.list",
        "GET",
        "/storage/v1/b/{bucket}/o",
        &[
            "prefix",
            "delimiter",
            "pageToken",
            "maxResults",
            "projection",
            "fields",
            "userProject",
        ],
        Call::ObjectList,
    ),
    storage(
        "storage.objects.get",
        "GET",
        "/storage/v1/b/{bucket}/o/{object}",
        &[
            "generation",
            "ifGenerationMatch",
            "ifGenerationNotMatch",
            "projection",
            "fields",
            "userProject",
        ],
        Call::ObjectGet,
    ),
    // The address that `mediaLink` gives, and that Python's client reads from.
    storage(
        "storage.objects.get",
        "GET",
        "/download/storage/v1/b/{bucket}/o/{object}",
        &[
            "generation",
            "ifGenerationMatch",
            "ifGenerationNotMatch",
            "projection",
            "fields",
            "userProject",
        ],
        Call::ObjectGet,
    ),
    storage(
        "storage.objects.delete",
        "DELETE",
        "/storage/v1/b/{bucket}/o/{object}",
        &[
            "generation",
            "ifGenerationMatch",
            "ifGenerationNotMatch",
            "userProject",
        ],
        Call::ObjectDelete,
    ),
    storage(
        "storage.objects.compose",
        "POST",
        "/storage/v1/b/{bucket}/o/{object}/compose",
        &["ifGenerationMatch", "userProject"],
        Call::ObjectCompose,
    ),
    storage(
        "storage.objects.insert.media",
        "POST",
        "/upload/storage/v1/b/{bucket}/o",
        UPLOAD,
        Call::InsertMedia,
    ),
    storage(
        "storage.objects.insert.multipart",
        "POST",
        "/upload/storage/v1/b/{bucket}/o",
        UPLOAD,
        Call::InsertMultipart,
    ),
    storage(
        "storage.upload.start",
        "POST",
        "/upload/storage/v1/b/{bucket}/o",
        UPLOAD,
        Call::UploadStart,
    ),
    storage(
        "storage.upload.chunk",
        "PUT",
        "/upload/storage/v1/b/{bucket}/o",
        UPLOAD,
        Call::UploadChunk,
    ),
    storage(
        "storage.upload.query",
        "PUT",
        "/upload/storage/v1/b/{bucket}/o",
        UPLOAD,
        Call::UploadQuery,
    ),
    storage(
        "storage.upload.cancel",
        "DELETE",
        "/upload/storage/v1/b/{bucket}/o",
        UPLOAD,
        Call::UploadCancel,
    ),
    rpc(
        "aiplatform.tuningJobs.create",
        "POST",
        "/{v}/projects/{project}/locations/{location}/tuningJobs",
        &[],
        Call::JobCreate,
    ),
    rpc(
        "aiplatform.tuningJobs.list",
        "GET",
        "/{v}/projects/{project}/locations/{location}/tuningJobs",
        PAGED,
        Call::JobList,
    ),
    rpc(
        "aiplatform.tuningJobs.get",
        "GET",
        "/{v}/projects/{project}/locations/{location}/tuningJobs/{job}",
        &[],
        Call::JobGet,
    ),
    rpc(
        "aiplatform.tuningJobs.cancel",
        "POST",
        "/{v}/projects/{project}/locations/{location}/tuningJobs/{job}:cancel",
        &[],
        Call::JobCancel,
    ),
    rpc(
        "aiplatform.contexts.list",
        "GET",
        "/{v}/projects/{project}/locations/{location}/metadataStores/{store}/contexts",
        PAGED,
        Call::ContextList,
    ),
    rpc(
        "aiplatform.contexts.get",
        "GET",
        "/{v}/projects/{project}/locations/{location}/metadataStores/{store}/contexts/{context}",
        &[],
        Call::ContextGet,
    ),
    rpc(
        "aiplatform.tensorboards.batchRead",
        "GET",
        "/{v}/projects/{project}/locations/{location}/tensorboards/{tensorboard}:batchRead",
        &["timeSeries"],
        Call::SeriesBatchRead,
    ),
    rpc(
        "aiplatform.timeSeries.list",
        "GET",
        "/{v}/projects/{project}/locations/{location}/tensorboards/{tensorboard}/experiments/{experiment}/runs/{run}/timeSeries",
        &["pageSize", "pageToken"],
        Call::SeriesList,
    ),
    rpc(
        "aiplatform.timeSeries.read",
        "GET",
        "/{v}/projects/{project}/locations/{location}/tensorboards/{tensorboard}/experiments/{experiment}/runs/{run}/timeSeries/{series}:read",
        &["maxDataPoints"],
        Call::SeriesRead,
    ),
    rpc(
        "aiplatform.models.listCheckpoints",
        "GET",
        "/{v}/projects/{project}/locations/{location}/models/{model}:listCheckpoints",
        &["pageSize", "pageToken"],
        Call::ModelCheckpoints,
    ),
    rpc(
        "aiplatform.models.get",
        "GET",
        "/{v}/projects/{project}/locations/{location}/models/{model}",
        &[],
        Call::ModelGet,
    ),
    rpc(
        "aiplatform.models.patch",
        "PATCH",
        "/{v}/projects/{project}/locations/{location}/models/{model}",
        &["updateMask"],
        Call::ModelPatch,
    ),
    rpc(
        "aiplatform.endpoints.generateContent",
        "POST",
        "/{v}/projects/{project}/locations/{location}/endpoints/{endpoint}:generateContent",
        &[],
        Call::EndpointGenerate,
    ),
    rpc(
        "aiplatform.endpoints.streamGenerateContent",
        "POST",
        "/{v}/projects/{project}/locations/{location}/endpoints/{endpoint}:streamGenerateContent",
        &[],
        Call::EndpointStream,
    ),
    rpc(
        "aiplatform.endpoints.countTokens",
        "POST",
        "/{v}/projects/{project}/locations/{location}/endpoints/{endpoint}:countTokens",
        &[],
        Call::EndpointCount,
    ),
    rpc(
        "aiplatform.endpoints.get",
        "GET",
        "/{v}/projects/{project}/locations/{location}/endpoints/{endpoint}",
        &[],
        Call::EndpointGet,
    ),
    rpc(
        "aiplatform.publishers.models.generateContent",
        "POST",
        "/{v}/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
        &[],
        Call::PublisherGenerate,
    ),
    rpc(
        "aiplatform.publishers.models.streamGenerateContent",
        "POST",
        "/{v}/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        &[],
        Call::PublisherStream,
    ),
    rpc(
        "aiplatform.publishers.models.countTokens",
        "POST",
        "/{v}/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens",
        &[],
        Call::PublisherCount,
    ),
    rpc(
        "aiplatform.batchPredictionJobs.create",
        "POST",
        "/{v}/projects/{project}/locations/{location}/batchPredictionJobs",
        &[],
        Call::BatchCreate,
    ),
    rpc(
        "aiplatform.batchPredictionJobs.list",
        "GET",
        "/{v}/projects/{project}/locations/{location}/batchPredictionJobs",
        PAGED,
        Call::BatchList,
    ),
    rpc(
        "aiplatform.batchPredictionJobs.get",
        "GET",
        "/{v}/projects/{project}/locations/{location}/batchPredictionJobs/{job}",
        &[],
        Call::BatchGet,
    ),
    rpc(
        "aiplatform.batchPredictionJobs.cancel",
        "POST",
        "/{v}/projects/{project}/locations/{location}/batchPredictionJobs/{job}:cancel",
        &[],
        Call::BatchCancel,
    ),
    rpc(
        "aiplatform.locations.evaluateInstances",
        "POST",
        "/{v}/projects/{project}/locations/{location}:evaluateInstances",
        &[],
        Call::Evaluate,
    ),
];

/// Lists the names of all operations, for tables of faults and for tests that
/// go through them; a name may come twice.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.name)
}

/// The parts of a path that stand for something, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts(Vec<(&'static str, String)>);

impl Parts {
    /// The part of a name that the operation's template has.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// What of a request, beside its method and path, tells its operation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints<'a> {
    pub(crate) upload_type: Option<&'a str>,
    pub(crate) content_range: Option<&'a str>,
}

impl Hints<'_> {
    fn allow(self, call: Call) -> bool {
        let is_query = self
            .content_range
            .is_some_and(|range| range.trim_start().starts_with("bytes */"));
        match call {
            Call::InsertMedia => self.upload_type == Some("media"),
            Call::InsertMultipart => self.upload_type == Some("multipart"),
            Call::UploadStart => self.upload_type == Some("resumable"),
            Call::UploadQuery => is_query,
            Call::UploadChunk => !is_query,
            _ => true,
        }
    }
}

/// Finds the operation of a request.
pub(crate) fn find(
    method: &str,
    path: &str,
    hints: Hints<'_>,
) -> Option<(&'static Operation, Parts)> {
    let of_method = OPERATIONS
        .iter()
        .filter(|operation| operation.method == method && hints.allow(operation.call));
    for operation in of_method {
        if let Some(parts) = matched(operation.template, path) {
            return Some((operation, parts));
        }
    }
    None
}

/// Whether a path is one of Cloud Storage's, whose refusals look otherwise.
pub(crate) fn service_of(path: &str) -> Service {
    let is_storage = ["/storage/", "/upload/storage/", "/download/storage/"]
        .iter()
        .any(|start| path.starts_with(start));
    if is_storage {
        Service::Storage
    } else {
        Service::Rpc
    }
}

impl Operation {
    /// The first query parameter that the operation does not have.
    pub(crate) fn stray_parameter<'a>(
        &self,
        mut names: impl Iterator<Item = &'a str>,
    ) -> Option<&'a str> {
        names.find(|name| !COMMON.contains(name) && !self.parameters.contains(name))
    }
}

fn matched(template: &'static str, path: &str) -> Option<Parts> {
    let mut parts = Vec::new();
    let mut given = path.split('/');
    for wanted in template.split('/') {
        let segment = given.next()?;
        let Some(rest) = wanted.strip_prefix('{') else {
            if wanted != segment {
                return None;
            }
            continue;
        };
        let (name, verb) = rest.split_once('}')?;
        let text = percent_decode_str(segment).decode_utf8().ok()?;
        let value = if verb.is_empty() {
            // An object may have any name; elsewhere a colon begins a verb.
            if name != "object" && text.contains(':') {
                return None;
            }
            &*text
        } else {
            text.strip_suffix(verb)?
        };
        let is_known = name != "v" || matches!(value, "v1" | "v1beta1");
        if value.is_empty() || !is_known {
            return None;
        }
        parts.push((name, value.to_owned()));
    }
    given.next().is_none().then_some(Parts(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &str, path: &str, upload_type: Option<&str>, range: Option<&str>) -> String {
        let hints = Hints {
            upload_type,
            content_range: range,
        };
        let found = find(method, path, hints);
        found.map_or_else(
            || "-".into(),
            |(operation, parts)| {
                let parts: Vec<_> = parts.0.iter().map(|(_, part)| part.as_str()).collect();
                format!("{} {}", operation.name, parts.join(" "))
            },
        )
    }

    #[test]
    fn requests_are_told_apart() {
        let cases = [
            (
                "GET",
                "/storage/v1/b/x/o/run%2F7%3Aa",
                None,
                None,
                "storage.objects.get x run/7:a",
            ),
            ("GET", "/storage/v1/b/x/o/", None, None, "-"),
            (
                "POST",
                "/upload/storage/v1/b/x/o",
                Some("media"),
                None,
                "storage.objects.insert.media x",
            ),
            (
                "POST",
                "/upload/storage/v1/b/x/o",
                Some("resumable"),
                None,
                "storage.upload.start x",
            ),
            ("POST", "/upload/storage/v1/b/x/o", None, None, "-"),
            (
                "PUT",
                "/upload/storage/v1/b/x/o",
                None,
                Some("bytes */9"),
                "storage.upload.query x",
            ),
            (
                "PUT",
                "/upload/storage/v1/b/x/o",
                None,
                Some("bytes 0-1/2"),
                "storage.upload.chunk x",
            ),
            (
                "PUT",
                "/upload/storage/v1/b/x/o",
                None,
                None,
                "storage.upload.chunk x",
            ),
            (
                "GET",
                "/v1/projects/p/locations/l/tuningJobs/7",
                None,
                None,
                "aiplatform.tuningJobs.get v1 p l 7",
            ),
            (
                "POST",
                "/v1beta1/projects/p/locations/l/tuningJobs/7:cancel",
                None,
                None,
                "aiplatform.tuningJobs.cancel v1beta1 p l 7",
            ),
            (
                "GET",
                "/v1/projects/p/locations/l/tuningJobs/7:cancel",
                None,
                None,
                "-",
            ),
            (
                "GET",
                "/v2/projects/p/locations/l/tuningJobs/7",
                None,
                None,
                "-",
            ),
            (
                "GET",
                "/v1/projects/p/locations/l/models/7@1:listCheckpoints",
                None,
                None,
                "aiplatform.models.listCheckpoints v1 p l 7@1",
            ),
        ];
        for (method, path, upload_type, range, expected) in cases {
            assert_eq!(name(method, path, upload_type, range), expected, "{path}");
        }
    }
}
