//! Cloud Storage: buckets, objects and uploads.
//!
//! Every call that writes carries a precondition on the generation of the
//! object, which makes it safe to repeat: an insert that happened unseen
//! meets an object that it may not replace, and the object is compared with
//! what was to be stored. Objects are named by their contents
//! ([`Checksums::object_name`]), so the same bytes are uploaded once.

mod checksums;
mod upload;

use std::io::Write;

use reqwest::Method;
use serde::{Deserialize, Deserializer};
use serde_json::json;

pub use self::checksums::{Checksums, Crc32c, checksums};
pub use self::upload::{How, Upload, UploadError, Uploaded, first_request, upload};
use crate::client::Client;
use crate::error::CallError;
use crate::http::{Request, encoded};

/// A bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where it is, such as `US-CENTRAL1`.
    #[serde(default)]
    pub location: String,
    /// The number of the project that it belongs to, if it is told.
    #[serde(default)]
    pub project_number: Option<String>,
}

/// An object, without its contents.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// The bucket it is in.
    pub bucket: String,
    /// Its name in the bucket.
    pub name: String,
    /// Which of the contents that ever had this name; 0 if it is not told.
    #[serde(default, deserialize_with = "number")]
    pub generation: u64,
    /// Bytes of the contents.
    #[serde(deserialize_with = "number")]
    pub size: u64,
    /// The checksum of the contents, if it is told.
    #[serde(default)]
    pub crc32c: Option<Crc32c>,
    /// When it was written, in RFC 3339.
    #[serde(default)]
    pub updated: Option<String>,
}

impl Object {
    /// Gives its address, such as `gs://bucket/name`.
    pub fn uri(&self) -> String {
        format!("gs://{}/{}", self.bucket, self.name)
    }
}

/// Numbers of 64 bits come as text; some stand-ins send numbers.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextOrNumber {
        Text(String),
        Number(u64),
    }
    match TextOrNumber::deserialize(deserializer)? {
        TextOrNumber::Number(number) => Ok(number),
        TextOrNumber::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// An address in Cloud Storage: a bucket, and a name or the beginning of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GsUri {
    /// The bucket.
    pub bucket: String,
    /// What stands behind it, without a slash at either end; may be empty.
    pub path: String,
}

/// A text that is no address in Cloud Storage.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no address such as `gs://bucket/path`")]
pub struct BadGsUri(pub String);

impl std::str::FromStr for GsUri {
    type Err = BadGsUri;

    fn from_str(text: &str) -> Result<Self, BadGsUri> {
        let bad = || BadGsUri(text.to_owned());
        let rest = text.strip_prefix("gs://").ok_or_else(bad)?;
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_bucket = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if !(3..=222).contains(&bucket.len()) || !bucket.chars().all(is_bucket) {
            return Err(bad());
        }
        let path = path.trim_matches('/');
        if path.contains(['\r', '\n']) {
            return Err(bad());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            path: path.to_owned(),
        })
    }
}

impl std::fmt::Display for GsUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "gs://{}", self.bucket)?;
        if self.path.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.path)
    }
}

fn bucket_url(client: &Client, bucket: &str) -> String {
    let base = client.endpoints().storage();
    format!("{base}/storage/v1/b/{}", encoded(bucket))
}

fn object_url(client: &Client, bucket: &str, name: &str) -> String {
    format!("{}/o/{}", bucket_url(client, bucket), encoded(name))
}

/// Looks at a bucket; `None` if there is none of that name. A bucket that
/// belongs to others, and may not be looked at, is an error with status 403.
pub async fn bucket(client: &Client, name: &str) -> Result<Option<Bucket>, CallError> {
    let get = Request::get("look at the bucket", bucket_url(client, name)).accept(&[404]);
    let reply = client.send(&get).await?;
    match reply.status {
        404 => Ok(None),
        _ => reply.json().map(Some),
    }
}

/// Makes a bucket whose objects no one can make public, with access decided
/// for the bucket as a whole. One that is there already is an error with
/// status 409, even if an answer before it was lost: whose it is must be
/// looked at.
pub async fn create_bucket(
    client: &Client,
    project: &str,
    name: &str,
    location: &str,
) -> Result<Bucket, CallError> {
    let url = format!("{}/storage/v1/b", client.endpoints().storage());
    let create = Request::post("make the bucket", url)
        .query("project", project)
        .json(&json!({
            "name": name,
            "location": location.to_uppercase(),
            "storageClass": "STANDARD",
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": true},
                "publicAccessPrevention": "enforced",
            },
        }))
        .safe();
    client.send(&create).await?.json()
}

/// Looks at an object; `None` if there is none of that name.
pub async fn object(
    client: &Client,
    bucket: &str,
    name: &str,
) -> Result<Option<Object>, CallError> {
    let url = object_url(client, bucket, name);
    let get = Request::get("look at the object", url).accept(&[404]);
    let reply = client.send(&get).await?;
    match reply.status {
        404 => Ok(None),
        _ => reply.json().map(Some),
    }
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The service did not give it, or not all of it.
    #[error("cannot read `{uri}`")]
    Call {
        /// The object.
        uri: String,
        /// Why.
        source: CallError,
    },
    /// What came is not what is stored.
    #[error("what came of `{uri}` has the checksum {found}, what is stored has {expected}")]
    Damaged {
        /// The object.
        uri: String,
        /// The checksum that the service told.
        expected: Crc32c,
        /// The checksum of what came.
        found: Crc32c,
    },
    /// What came could not be written.
    #[error("cannot write what is read of `{uri}`")]
    Write {
        /// The object.
        uri: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Copies the contents of an object to a writer and compares the checksum, if
/// the service tells one. Gives how many bytes they were, and their checksum.
/// What was written before an error is not all, or not right.
pub async fn read(
    client: &Client,
    object: &Object,
    out: &mut impl Write,
) -> Result<(u64, Crc32c), ReadError> {
    let uri = || object.uri();
    let failed = |source| ReadError::Call { uri: uri(), source };
    let mut get = Request::get(
        "read the object",
        object_url(client, &object.bucket, &object.name),
    )
    .query("alt", "media");
    if object.generation > 0 {
        get = get.query("generation", object.generation.to_string());
    }
    let mut stream = client.stream(&get).await.map_err(failed)?;
    let told = stream.header("x-goog-hash").and_then(crc_of_header);
    let (mut bytes, mut found) = (0, Crc32c::default());
    while let Some(chunk) = stream.chunk().await.map_err(failed)? {
        bytes += chunk.len() as u64;
        found = found.append(&chunk);
        out.write_all(&chunk)
            .map_err(|source| ReadError::Write { uri: uri(), source })?;
    }
    match told.or(object.crc32c) {
        Some(expected) if expected != found => Err(ReadError::Damaged {
            uri: uri(),
            expected,
            found,
        }),
        _ => Ok((bytes, found)),
    }
}

/// Takes the checksum out of `crc32c=…,md5=…`.
fn crc_of_header(header: &str) -> Option<Crc32c> {
    let mut parts = header.split(',');
    let crc = parts.find_map(|part| part.trim().strip_prefix("crc32c="))?;
    crc.parse().ok()
}

/// Deletes these contents of an object, and no others that came under the
/// same name since. Whether there was anything to delete.
pub async fn delete(client: &Client, object: &Object) -> Result<bool, CallError> {
    let url = object_url(client, &object.bucket, &object.name);
    let delete = Request::new(Method::DELETE, "delete the object", url)
        .query("ifGenerationMatch", object.generation.to_string())
        .accept(&[404, 412])
        .safe();
    let reply = client.send(&delete).await?;
    Ok(!matches!(reply.status, 404 | 412))
}

/// Lists the objects whose names begin so, in the order of their names.
pub async fn list(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<Object>, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        #[serde(default)]
        items: Vec<Object>,
        next_page_token: Option<String>,
    }
    let mut objects = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let url = format!("{}/o", bucket_url(client, bucket));
        let mut get = Request::get("list the objects", url).query("prefix", prefix);
        if let Some(token) = token {
            get = get.query("pageToken", token);
        }
        let page: Page = client.send(&get).await?.json()?;
        objects.extend(page.items);
        token = page.next_page_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(objects);
        }
    }
}

/// Asks which of these permissions the caller has on a bucket.
pub async fn permissions(
    client: &Client,
    bucket: &str,
    wanted: &[&str],
) -> Result<Vec<String>, CallError> {
    #[derive(Deserialize)]
    struct Granted {
        #[serde(default)]
        permissions: Vec<String>,
    }
    let url = format!("{}/iam/testPermissions", bucket_url(client, bucket));
    let get = Request::get("ask for permissions on the bucket", url);
    let get = wanted
        .iter()
        .fold(get, |get, name| get.query("permissions", *name));
    let granted: Granted = client.send(&get).await?.json()?;
    Ok(granted.permissions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let uri: Result<GsUri, _> = text.parse();
            let parts = uri.as_ref().ok().map(|uri| (&*uri.bucket, &*uri.path));
            assert_eq!(parts, expected, "{text}");
        };
        check("gs://acme-mt", Some(("acme-mt", "")));
        check("gs://acme-mt/run 7/ä/", Some(("acme-mt", "run 7/ä")));
        check("gs://", None);
        check("gs://ab/x", None);
        check("s3://acme-mt/x", None);
        check("gs://Acme/x", None);
        check("acme-mt", None);
        let uri: GsUri = "gs://acme-mt/x/".parse().unwrap();
        assert_eq!(uri.to_string(), "gs://acme-mt/x");
    }

    #[test]
    fn objects_are_read() {
        let object: Object = serde_json::from_str(
            r#"{"kind":"storage#object","bucket":"b","name":"a/b","generation":"1700000000000001","size":"11","crc32c":"yZRlqg=="}"#,
        )
        .unwrap();
        assert_eq!(object.generation, 1_700_000_000_000_001);
        assert_eq!((object.size, object.uri()), (11, "gs://b/a/b".to_owned()));
        assert_eq!(
            object.crc32c,
            Some(Crc32c::default().append(b"hello world"))
        );
    }

    #[test]
    fn the_checksum_is_found_in_the_header() {
        let expected = Some(Crc32c::default().append(b"hello world"));
        assert_eq!(crc_of_header("crc32c=yZRlqg==,md5=x"), expected);
        assert_eq!(crc_of_header("md5=x, crc32c=yZRlqg=="), expected);
        assert_eq!(crc_of_header("md5=x"), None);
    }
}
