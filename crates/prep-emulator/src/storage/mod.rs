//! Cloud Storage's JSON API: buckets and objects.
//!
//! Every object has a generation, a CRC32C and, up to 64 MiB, an MD5: beyond
//! that an MD5 would halve the speed of an upload, and a client must do
//! without it anyway, as composed objects have none.

mod insert;
mod resumable;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use self::insert::{compose, media, multipart, save};
pub(crate) use self::resumable::{Session, cancel, chunk, forget, query, start};
use crate::auth::Form;
use crate::body;
use crate::clock::rfc3339_millis;
use crate::cloud::{Ask, Cloud};
use crate::error::{Answer, Refusal, bare_reply, json_reply};
use crate::store::Kept;
use crate::strict::{self, Api};

/// A bucket: its resource, less what is worked out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) created: u64,
    /// What its creator set.
    pub(crate) settings: Map<String, Value>,
}

impl Kept for Bucket {
    fn key(&self) -> String {
        self.name.clone()
    }

    fn file(&self) -> String {
        self.name.clone()
    }
}

/// An object that is stored whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) generation: u64,
    pub(crate) size: u64,
    pub(crate) crc32c: u32,
    pub(crate) md5: Option<String>,
    pub(crate) component_count: Option<usize>,
    pub(crate) content_type: String,
    pub(crate) created: u64,
    /// `metadata`, `cacheControl` and the like, as they were set.
    pub(crate) settings: Map<String, Value>,
}

impl Kept for Object {
    fn key(&self) -> String {
        object_key(&self.bucket, &self.name)
    }

    fn file(&self) -> String {
        format!("{:020}", self.generation)
    }
}

fn object_key(bucket: &str, name: &str) -> String {
    format!("{bucket}/{name}")
}

/// Writes a CRC32C as Cloud Storage does: big-endian, in base 64.
pub(crate) fn crc_text(crc32c: u32) -> String {
    BASE64_STANDARD.encode(crc32c.to_be_bytes())
}

/// A refusal in Cloud Storage's words.
pub(crate) fn refuse(status: u16, message: impl Into<String>) -> Refusal {
    Refusal::new(status, "", message)
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::internal(error)
    }
}

/// The generations that a request allows.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Condition {
    is: Option<u64>,
    is_not: Option<u64>,
}

impl Condition {
    pub(crate) fn of(query: &Form) -> Result<Self, Refusal> {
        let number = |name| {
            let text = query.get(name);
            text.map(|text| {
                text.parse().map_err(|_| {
                    refuse(
                        400,
                        format!("Invalid value for: Invalid format: \"{text}\""),
                    )
                })
            })
            .transpose()
        };
        Ok(Self {
            is: number("ifGenerationMatch")?,
            is_not: number("ifGenerationNotMatch")?,
        })
    }

    /// Holds an object, or its absence, to the condition.
    pub(crate) fn hold(self, there: Option<&Object>) -> Result<(), Refusal> {
        let generation = there.map_or(0, |object| object.generation);
        if self.is.is_some_and(|is| is != generation)
            || self.is_not.is_some_and(|is_not| is_not == generation)
        {
            return Err(refuse(
                412,
                "At least one of the pre-conditions you specified did not hold.",
            ));
        }
        Ok(())
    }
}

impl Cloud {
    /// Finds a bucket.
    fn bucket(&self, name: &str) -> Result<Arc<Bucket>, Refusal> {
        self.buckets
            .get(name)
            .ok_or_else(|| refuse(404, "The specified bucket does not exist."))
    }

    /// Finds an object by its name.
    pub(crate) fn object(&self, bucket: &str, name: &str) -> Option<Arc<Object>> {
        self.objects.get(&object_key(bucket, name))
    }

    /// Finds the object of a `gs://` URI.
    pub(crate) fn object_at(&self, uri: &str) -> Option<Arc<Object>> {
        let (bucket, name) = uri.strip_prefix("gs://")?.split_once('/')?;
        self.object(bucket, name)
    }

    /// The file of an object's bytes.
    pub(crate) fn data_of(&self, object: &Object) -> PathBuf {
        self.objects.path(&object.file(), "data")
    }

    /// An object's resource.
    pub(crate) fn object_resource(&self, object: &Object) -> Value {
        let encoded: String =
            percent_encoding::utf8_percent_encode(&object.name, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        let link = format!(
            "{}/storage/v1/b/{}/o/{encoded}",
            self.base_url, object.bucket
        );
        let download = format!(
            "{}/download/storage/v1/b/{}/o/{encoded}?generation={}&alt=media",
            self.base_url, object.bucket, object.generation
        );
        let created = rfc3339_millis(object.created);
        let mut resource = json!({
            "kind": "storage#object",
            "id": format!("{}/{}/{}", object.bucket, object.name, object.generation),
            "selfLink": link,
            "mediaLink": download,
            "name": object.name,
            "bucket": object.bucket,
            "generation": object.generation.to_string(),
            "metageneration": "1",
            "contentType": object.content_type,
            "storageClass": "STANDARD",
            "size": object.size.to_string(),
            "crc32c": crc_text(object.crc32c),
            "etag": etag(object.generation),
            "timeCreated": created,
            "updated": created,
            "timeStorageClassUpdated": created,
            "timeFinalized": created,
        });
        for (name, value) in &object.settings {
            resource[name] = value.clone();
        }
        if let Some(md5) = &object.md5 {
            resource["md5Hash"] = json!(md5);
        }
        if let Some(count) = object.component_count {
            resource["componentCount"] = json!(count);
        }
        resource
    }

    fn bucket_resource(&self, bucket: &Bucket) -> Value {
        let created = rfc3339_millis(bucket.created);
        let mut resource = json!({
            "kind": "storage#bucket",
            "id": bucket.name,
            "name": bucket.name,
            "selfLink": format!("{}/storage/v1/b/{}", self.base_url, bucket.name),
            "projectNumber": crate::cloud::PROJECT_NUMBER,
            "metageneration": "1",
            "generation": bucket.created.to_string(),
            "location": "US",
            "storageClass": "STANDARD",
            "etag": etag(1),
            "timeCreated": created,
            "updated": created,
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": false},
                "publicAccessPrevention": "inherited",
            },
        });
        for (name, value) in &bucket.settings {
            match (&mut resource[name], value) {
                (Value::Object(there), Value::Object(set)) => there.extend(set.clone()),
                (there, set) => *there = set.clone(),
            }
        }
        let location = resource["location"].as_str().unwrap_or_default();
        let location = location.to_ascii_uppercase();
        let kind = match &*location {
            "US" | "EU" | "ASIA" => "multi-region",
            _ => "region",
        };
        resource["location"] = json!(location);
        resource["locationType"] = json!(kind);
        resource
    }
}

fn etag(generation: u64) -> String {
    BASE64_STANDARD.encode(generation.to_le_bytes())
}

/// Leaves the fields that a request wants: names of the first level only.
fn of_fields(mut resource: Value, query: &Form) -> Result<Value, Refusal> {
    let Some(fields) = query.get("fields") else {
        return Ok(resource);
    };
    if fields.contains(['/', '(', '*']) {
        return Err(Refusal::unsupported(format!("the field mask `{fields}`")));
    }
    let wanted: Vec<_> = fields.split(',').map(str::trim).collect();
    if let Value::Object(resource) = &mut resource {
        resource.retain(|name, _| wanted.contains(&name.as_str()));
    }
    Ok(resource)
}

/// `buckets.insert`.
pub(crate) fn bucket_insert(cloud: &Arc<Cloud>, ask: &Ask, body: &[u8]) -> Answer {
    let project = ask
        .query
        .get("project")
        .ok_or_else(|| refuse(400, "Required parameter: project"))?;
    if !cloud.is_project(project) {
        return Err(refuse(
            403,
            format!(
                "{} does not have storage.buckets.create access to the Google Cloud project. Permission 'storage.buckets.create' denied on resource (or it may not exist).",
                cloud.caller()
            ),
        ));
    }
    let mut bucket = strict::message(Api::Storage, "Bucket", body)?;
    let settings = bucket.as_object_mut().map(std::mem::take);
    let mut settings = settings.unwrap_or_default();
    let name = settings.remove("name");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    if !is_bucket_name(name) {
        return Err(refuse(400, format!("Invalid bucket name: '{name}'")));
    }
    // Output fields, which the service ignores.
    for name in [
        "kind",
        "id",
        "selfLink",
        "projectNumber",
        "etag",
        "timeCreated",
        "updated",
        "metageneration",
        "generation",
        "locationType",
    ] {
        settings.remove(name);
    }
    let prevention = settings
        .get("iamConfiguration")
        .and_then(|configuration| configuration["publicAccessPrevention"].as_str());
    if prevention.is_some_and(|value| !matches!(value, "enforced" | "inherited")) {
        return Err(refuse(
            400,
            "Invalid argument: publicAccessPrevention is `enforced` or `inherited`.",
        ));
    }
    let bucket = Bucket {
        name: name.to_owned(),
        created: cloud.clock.now(),
        settings,
    };
    let (bucket, _) = cloud.buckets.put_if(bucket, |there| match there {
        None => Ok(()),
        Some(_) => Err(refuse(
            409,
            "Your previous request to create the named bucket succeeded and you already own it.",
        )),
    })?;
    let resource = of_fields(cloud.bucket_resource(&bucket), &ask.query)?;
    Ok(json_reply(200, &resource))
}

fn is_bucket_name(name: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.starts_with(is_edge)
        && name.ends_with(is_edge)
        && name
            .chars()
            .all(|c| is_edge(c) || matches!(c, '-' | '_' | '.'))
        && !name.starts_with("goog")
        && !name.contains("..")
}

/// `buckets.get`.
pub(crate) fn bucket_get(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let bucket = cloud.bucket(ask.parts.get("bucket"))?;
    let resource = of_fields(cloud.bucket_resource(&bucket), &ask.query)?;
    Ok(json_reply(200, &resource))
}

/// `buckets.testIamPermissions`: the caller may do everything with objects.
pub(crate) fn bucket_test(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    cloud.bucket(ask.parts.get("bucket"))?;
    let wanted: Vec<_> = ask.query.all("permissions").collect();
    if let Some(odd) = wanted
        .iter()
        .find(|permission| !permission.starts_with("storage."))
    {
        return Err(refuse(
            400,
            format!("Permission {odd} is not valid for this resource."),
        ));
    }
    let mut body = json!({"kind": "storage#testIamPermissionsResponse"});
    if !wanted.is_empty() {
        body["permissions"] = json!(wanted);
    }
    Ok(json_reply(200, &body))
}

/// `objects.list`.
pub(crate) fn list(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let bucket = cloud.bucket(ask.parts.get("bucket"))?;
    let prefix = ask.query.get("prefix").unwrap_or_default();
    let delimiter = ask.query.get("delimiter").filter(|text| !text.is_empty());
    let most = match ask.query.get("maxResults") {
        None => 1_000,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|most| *most > 0)
            .ok_or_else(|| refuse(400, format!("Invalid value for maxResults: {text}")))?
            .min(1_000),
    };
    let after = match ask.query.get("pageToken") {
        None => None,
        Some(token) => {
            let name = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
            let name = name.and_then(|name| String::from_utf8(name).ok());
            Some(name.ok_or_else(|| refuse(400, "Invalid page token."))?)
        }
    };
    let mut items = Vec::new();
    let mut prefixes: BTreeMap<String, ()> = BTreeMap::new();
    let mut last = None;
    let mut next = None;
    for object in cloud
        .objects
        .starting_with(&object_key(&bucket.name, prefix))
    {
        let group = delimiter.and_then(|delimiter| {
            let rest = &object.name[prefix.len()..];
            let end = rest.find(delimiter)? + delimiter.len();
            Some(object.name[..prefix.len() + end].to_owned())
        });
        let is_seen = after.as_ref().is_some_and(|after| {
            object.name <= *after || group.as_ref().is_some_and(|group| group <= after)
        });
        if is_seen
            || group
                .as_ref()
                .is_some_and(|group| prefixes.contains_key(group))
        {
            continue;
        }
        if items.len() + prefixes.len() == most {
            next = last;
            break;
        }
        if let Some(group) = group {
            last = Some(group.clone());
            prefixes.insert(group, ());
        } else {
            last = Some(object.name.clone());
            items.push(cloud.object_resource(&object));
        }
    }
    let mut body = json!({"kind": "storage#objects"});
    if let Some(next) = next {
        body["nextPageToken"] = json!(BASE64_URL_SAFE_NO_PAD.encode(next));
    }
    if !prefixes.is_empty() {
        body["prefixes"] = prefixes.into_keys().collect();
    }
    if !items.is_empty() {
        body["items"] = json!(items);
    }
    if let Some(fields) = ask.query.get("fields") {
        // Python's client asks for these, and takes more for an answer.
        let is_plain = fields.split(',').all(|field| !field.contains('('));
        if !is_plain && !fields.starts_with("items(") {
            return Err(Refusal::unsupported(format!("the field mask `{fields}`")));
        }
    }
    Ok(json_reply(200, &body))
}

fn no_such_object(bucket: &str, name: &str) -> Refusal {
    refuse(404, format!("No such object: {bucket}/{name}"))
}

/// Finds the object of a request and holds it to the request's conditions.
fn asked_object(cloud: &Cloud, ask: &Ask) -> Result<Arc<Object>, Refusal> {
    let bucket = cloud.bucket(ask.parts.get("bucket"))?;
    let name = ask.parts.get("object");
    let object = cloud.object(&bucket.name, name);
    let wanted = ask.query.get("generation");
    let object = object.filter(|object| {
        wanted.is_none_or(|generation| generation == object.generation.to_string())
    });
    let object = object.ok_or_else(|| no_such_object(&bucket.name, name))?;
    Condition::of(&ask.query)?.hold(Some(&object))?;
    Ok(object)
}

/// `objects.get`: metadata, or the bytes with `alt=media`.
pub(crate) fn object_get(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let object = asked_object(cloud, ask)?;
    match ask.query.get("alt") {
        None | Some("json") => {
            let resource = of_fields(cloud.object_resource(&object), &ask.query)?;
            Ok(json_reply(200, &resource))
        }
        Some("media") => read(cloud, ask, &object),
        Some(alt) => Err(refuse(400, format!("Invalid value for alt: {alt}"))),
    }
}

fn read(cloud: &Cloud, ask: &Ask, object: &Object) -> Answer {
    let file = fs::File::open(cloud.data_of(object))?;
    let range = ask
        .header(RANGE.as_str())
        .and_then(|text| span(text, object.size));
    let (status, from, length) = match range {
        None => (200, 0, object.size),
        Some(Ok((from, length))) => (206, from, length),
        Some(Err(())) => {
            let mut reply = refuse(416, "The requested range cannot be satisfied.")
                .reply(crate::error::Service::Storage);
            reply
                .headers_mut()
                .insert(CONTENT_RANGE, header(&format!("bytes */{}", object.size))?);
            return Ok(reply);
        }
    };
    let mut reply = bare_reply(status, body::of_file(file, from, length));
    let headers = reply.headers_mut();
    let mut hash = format!("crc32c={}", crc_text(object.crc32c));
    if let Some(md5) = &object.md5 {
        hash += &format!(",md5={md5}");
    }
    headers.insert(CONTENT_TYPE, header(&object.content_type)?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(ETAG, header(&etag(object.generation))?);
    headers.insert("x-goog-hash", header(&hash)?);
    headers.insert("x-goog-generation", HeaderValue::from(object.generation));
    headers.insert("x-goog-metageneration", HeaderValue::from_static("1"));
    headers.insert("x-goog-storage-class", HeaderValue::from_static("STANDARD"));
    headers.insert(
        "x-goog-stored-content-length",
        HeaderValue::from(object.size),
    );
    if status == 206 {
        let last = from + length - 1;
        headers.insert(
            CONTENT_RANGE,
            header(&format!("bytes {from}-{last}/{}", object.size))?,
        );
    }
    Ok(reply)
}

pub(crate) fn header(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text).map_err(Refusal::internal)
}

/// The first byte and the length that a `Range` header wants of so many bytes;
/// an error if there are none. A header of another kind is ignored.
fn span(text: &str, size: u64) -> Option<Result<(u64, u64), ()>> {
    let (from, to) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from, to) {
        ("", suffix) => {
            let length: u64 = suffix.parse().ok()?;
            (size.saturating_sub(length), size)
        }
        (from, "") => (from.parse().ok()?, size),
        (from, to) => {
            let (from, to) = (from.parse::<u64>().ok()?, to.parse::<u64>().ok()?);
            if to < from {
                return None;
            }
            (from, (to + 1).min(size))
        }
    };
    Some(if from < to {
        Ok((from, to - from))
    } else {
        Err(())
    })
}

/// `objects.delete`.
pub(crate) fn delete(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let object = asked_object(cloud, ask)?;
    let condition = Condition::of(&ask.query)?;
    let removed = cloud.objects.remove_if(&object.key(), |there| {
        if there.is_none_or(|there| there.generation != object.generation) {
            return Err(no_such_object(&object.bucket, &object.name));
        }
        condition.hold(there)
    })?;
    if let Some(removed) = removed {
        fs::remove_file(cloud.data_of(&removed))?;
    }
    Ok(bare_reply(204, axum::body::Body::empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let cases = [
            ("bytes=0-3", Some(Ok((0, 4)))),
            ("bytes=4-", Some(Ok((4, 6)))),
            ("bytes=-3", Some(Ok((7, 3)))),
            ("bytes=-30", Some(Ok((0, 10)))),
            ("bytes=8-99", Some(Ok((8, 2)))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=3-1", None),
            ("lines=1-2", None),
        ];
        for (text, expected) in cases {
            assert_eq!(span(text, 10), expected, "{text}");
        }
    }

    #[test]
    fn names_of_buckets_are_judged() {
        for name in ["acme-mt", "a.b_c", "123"] {
            assert!(is_bucket_name(name), "{name}");
        }
        for name in [
            "ab",
            "Acme",
            "-acme",
            "acme-",
            "google",
            "a..b",
            &"a".repeat(64),
        ] {
            assert!(!is_bucket_name(name), "{name}");
        }
    }

    #[test]
    fn checksums_are_written_big_endian() {
        let cases = [
            ("", "AAAAAA=="),
            ("123456789", "4waSgw=="),
            ("hello world", "yZRlqg=="),
        ];
        for (text, expected) in cases {
            assert_eq!(crc_text(crc32c::crc32c(text.as_bytes())), expected);
        }
    }
}
