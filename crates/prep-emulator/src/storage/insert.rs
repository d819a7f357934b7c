//! Objects that come in one request, and what makes an upload an object.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use md5::{Digest, Md5};
use memchr::memmem;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::{Condition, Object, crc_text, refuse};
use crate::body::{self, Pipe, Stored, Writer};
use crate::cloud::{Ask, Cloud};
use crate::error::{Answer, Refusal, json_reply};
use crate::store::Kept;
use crate::strict::{self, Api};

/// The largest object that gets an MD5 without asking.
const MOST_FOR_MD5: u64 = 64 * 1024 * 1024;
/// The most bytes of an object's metadata in a request.
const MOST_METADATA: usize = 1024 * 1024;

/// What a request says of the object that it makes.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) crc32c: Option<String>,
    pub(crate) md5: Option<String>,
    pub(crate) settings: Map<String, Value>,
}

impl Said {
    /// Reads an object's resource.
    pub(crate) fn parse(body: &[u8], bucket: &str) -> Result<Self, Refusal> {
        let mut resource = strict::message(Api::Storage, "Object", body)?;
        let fields = resource.as_object_mut().map(std::mem::take);
        let mut said = Self::default();
        for (name, value) in fields.unwrap_or_default() {
            let text = || value.as_str().map(str::to_owned);
            match &*name {
                "name" => said.name = text(),
                "contentType" => said.content_type = text(),
                "crc32c" => said.crc32c = text(),
                "md5Hash" => said.md5 = text(),
                "bucket" if value == bucket => {}
                "bucket" => {
                    return Err(refuse(
                        400,
                        "The bucket in the resource is not that of the URL.",
                    ));
                }
                "metadata" | "cacheControl" | "contentDisposition" | "contentLanguage"
                | "customTime" => {
                    said.settings.insert(name, value);
                }
                "storageClass" if value == "STANDARD" => {}
                // Output fields, which the service ignores.
                "kind"
                | "id"
                | "selfLink"
                | "mediaLink"
                | "generation"
                | "metageneration"
                | "size"
                | "etag"
                | "timeCreated"
                | "updated"
                | "componentCount"
                | "timeFinalized"
                | "timeDeleted"
                | "timeStorageClassUpdated" => {}
                _ => return Err(Refusal::unsupported(format!("`{name}` of an object"))),
            }
        }
        Ok(said)
    }

    /// The object's name, which the query or the resource gives.
    pub(crate) fn named(&self, query: Option<&str>) -> Result<String, Refusal> {
        let name = match (query, &self.name) {
            (Some(query), Some(name)) if query != name => {
                return Err(refuse(
                    400,
                    "The name in the resource is not that of the query.",
                ));
            }
            (Some(name), _) => name,
            (None, Some(name)) => name,
            (None, None) => return Err(refuse(400, "Required parameter: name")),
        };
        let is_fit = !name.is_empty()
            && name.len() <= 1_024
            && !name.contains(['\r', '\n'])
            && name != "."
            && name != "..";
        if is_fit {
            Ok(name.to_owned())
        } else {
            Err(refuse(400, "Invalid object name."))
        }
    }

    /// Adds the checksums of `x-goog-hash` headers.
    pub(crate) fn with_hashes(mut self, ask: &Ask) -> Self {
        for pair in ask
            .headers_of("x-goog-hash")
            .flat_map(|value| value.split(','))
        {
            match pair.trim().split_once('=') {
                Some(("crc32c", value)) => self.crc32c = Some(value.to_owned()),
                Some(("md5", value)) => self.md5 = Some(value.to_owned()),
                _ => {}
            }
        }
        self
    }
}

/// Bytes that are ready to be an object.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) said: Said,
    pub(crate) condition: Condition,
    pub(crate) stored: Stored,
    pub(crate) component_count: Option<usize>,
    /// Where the bytes are; the file is moved.
    pub(crate) file: PathBuf,
}

/// Makes an object of bytes, if they are what was said of them; they are gone
/// if not.
pub(crate) fn finish(cloud: &Cloud, finished: Finished) -> Result<Arc<Object>, Refusal> {
    let file = finished.file.clone();
    let made = place(cloud, finished);
    if made.is_err() && file.exists() {
        fs::remove_file(file)?;
    }
    made
}

fn place(cloud: &Cloud, finished: Finished) -> Result<Arc<Object>, Refusal> {
    let Finished { said, stored, .. } = finished;
    let crc32c = crc_text(stored.crc32c);
    if let Some(claimed) = &said.crc32c
        && *claimed != crc32c
    {
        return Err(refuse(
            400,
            format!("Provided CRC32C \"{claimed}\" doesn't match calculated CRC32C \"{crc32c}\"."),
        ));
    }
    let wants_md5 = finished.component_count.is_none() && stored.bytes <= MOST_FOR_MD5;
    let md5 = if wants_md5 || said.md5.is_some() {
        Some(md5_of(&finished.file)?)
    } else {
        None
    };
    if let (Some(claimed), Some(md5)) = (&said.md5, &md5)
        && claimed != md5
    {
        return Err(refuse(
            400,
            format!("Provided MD5 hash \"{claimed}\" doesn't match calculated MD5 hash \"{md5}\"."),
        ));
    }
    let object = Object {
        bucket: finished.bucket,
        name: finished.name,
        generation: cloud.next_generation(),
        size: stored.bytes,
        crc32c: stored.crc32c,
        md5,
        component_count: finished.component_count,
        content_type: said
            .content_type
            .unwrap_or_else(|| "application/octet-stream".into()),
        created: cloud.clock.now(),
        settings: said.settings,
    };
    let data = cloud.data_of(&object);
    fs::rename(&finished.file, &data)?;
    let put = cloud
        .objects
        .put_if(object, |there| finished.condition.hold(there));
    match put {
        Ok((object, replaced)) => {
            if let Some(replaced) = replaced {
                fs::remove_file(cloud.data_of(&replaced))?;
            }
            Ok(object)
        }
        Err(refusal) => {
            fs::remove_file(data)?;
            Err(refusal)
        }
    }
}

fn md5_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Md5::new();
    let mut piece = vec![0; 256 * 1024];
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            return Ok(BASE64_STANDARD.encode(digest.finalize()));
        }
        digest.update(&piece[..n]);
    }
}

/// A new file for bytes that are not an object yet.
fn scratch(cloud: &Cloud) -> io::Result<(PathBuf, File)> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let path = cloud.scratch.join(format!("{serial}.part"));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)?;
    Ok((path, file))
}

/// Stores a body and makes it an object.
async fn store(cloud: &Arc<Cloud>, ask: &Ask, body: Body, name: String, said: Said) -> Answer {
    let bucket = ask.parts.get("bucket").to_owned();
    let condition = Condition::of(&ask.query)?;
    condition.hold(cloud.object(&bucket, &name).as_deref())?;
    let (path, file) = scratch(cloud)?;
    let writer = Writer::resume(file, Stored::default())?;
    let taken = body::take(body, writer, 0, u64::MAX).await?;
    if taken.is_broken {
        fs::remove_file(path)?;
        return Err(refuse(400, "The request's body is not whole."));
    }
    let finished = Finished {
        bucket,
        name,
        said,
        condition,
        stored: taken.writer.all(),
        component_count: None,
        file: path,
    };
    let object = finish_aside(cloud, finished).await?;
    Ok(json_reply(200, &cloud.object_resource(&object)))
}

/// Makes an object of bytes of the emulator's own: what a batch job writes.
pub(crate) fn save(
    cloud: &Cloud,
    bucket: &str,
    name: &str,
    content_type: &str,
    bytes: &[u8],
) -> Result<Arc<Object>, Refusal> {
    cloud.bucket(bucket)?;
    let (path, file) = scratch(cloud)?;
    let mut writer = Writer::resume(file, Stored::default())?;
    writer.write(bytes)?;
    let said = Said {
        content_type: Some(content_type.to_owned()),
        ..Said::default()
    };
    let finished = Finished {
        bucket: bucket.to_owned(),
        name: name.to_owned(),
        said,
        condition: Condition::default(),
        stored: writer.all(),
        component_count: None,
        file: path,
    };
    finish(cloud, finished)
}

/// [`finish`] on a thread that may take its time.
pub(crate) async fn finish_aside(
    cloud: &Arc<Cloud>,
    finished: Finished,
) -> Result<Arc<Object>, Refusal> {
    let cloud = Arc::clone(cloud);
    let finishing = tokio::task::spawn_blocking(move || finish(&cloud, finished));
    finishing.await.map_err(Refusal::internal)?
}

/// `objects.insert` with the bytes alone.
pub(crate) async fn media(cloud: &Arc<Cloud>, ask: Ask) -> Answer {
    cloud.bucket(ask.parts.get("bucket"))?;
    let body = ask.take_body();
    let said = Said {
        content_type: ask.header(CONTENT_TYPE.as_str()).map(str::to_owned),
        ..Said::default()
    };
    let said = said.with_hashes(&ask);
    let name = said.named(ask.query.get("name"))?;
    store(cloud, &ask, body, name, said).await
}

/// `objects.insert` with metadata and bytes.
pub(crate) async fn multipart(cloud: &Arc<Cloud>, ask: Ask) -> Answer {
    let bucket = cloud.bucket(ask.parts.get("bucket"))?;
    let content_type = ask.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let boundary = boundary(content_type).ok_or_else(|| {
        refuse(
            400,
            "The content type is multipart/related with a boundary.",
        )
    })?;
    let body = ask.take_body();
    let (metadata, media_type, media) = open_parts(body, &boundary).await?;
    let mut said = Said::parse(&metadata, &bucket.name)?.with_hashes(&ask);
    match (&said.content_type, media_type) {
        (Some(said), Some(media)) if *said != media => {
            return Err(refuse(
                400,
                format!(
                    "Content-Type specified in the upload ({media}) does not match Content-Type specified in metadata ({said}). If it was a resumable upload, Content-Type was specified by X-Upload-Content-Type."
                ),
            ));
        }
        (None, media) => said.content_type = media,
        _ => {}
    }
    let name = said.named(ask.query.get("name"))?;
    store(cloud, &ask, media, name, said).await
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/related") {
        return None;
    }
    let found = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!found.is_empty()).then_some(found)
}

/// Reads up to the second part; gives the first part's bytes, the second's
/// type, and the second's bytes as a body that breaks if the parts do not end
/// as they should.
async fn open_parts(
    mut body: Body,
    boundary: &str,
) -> Result<(Bytes, Option<String>, Body), Refusal> {
    let malformed = || refuse(400, "Malformed multipart body.");
    let opening = format!("--{boundary}\r\n");
    let between = format!("\r\n--{boundary}\r\n");
    let mut buffer = BytesMut::new();
    let head = loop {
        if let Some(head) = parse_head(&buffer, opening.as_bytes(), between.as_bytes()) {
            break head;
        }
        if buffer.len() > MOST_METADATA {
            return Err(malformed());
        }
        match body.frame().await {
            Some(Ok(frame)) => buffer.extend(frame.into_data().unwrap_or_default()),
            _ => return Err(malformed()),
        }
    };
    let metadata_type = header_of(&buffer[head.metadata_headers.clone()], "content-type");
    if !metadata_type.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(refuse(
            400,
            "The first part of a multipart upload is application/json.",
        ));
    }
    let media_type = header_of(&buffer[head.media_headers.clone()], "content-type");
    let metadata = Bytes::copy_from_slice(&buffer[head.metadata.clone()]);
    let rest = buffer.split_off(head.media);
    let (sender, media) = Pipe::open(None);
    let closing = format!("\r\n--{boundary}");
    tokio::spawn(async move {
        if let Err(error) = forward(body, rest, closing.as_bytes(), &sender).await {
            drop(sender.send(Err(error)).await);
        }
    });
    Ok((metadata, media_type, media))
}

struct Head {
    metadata_headers: std::ops::Range<usize>,
    metadata: std::ops::Range<usize>,
    media_headers: std::ops::Range<usize>,
    media: usize,
}

fn parse_head(buffer: &[u8], opening: &[u8], between: &[u8]) -> Option<Head> {
    let find = |from: usize, what: &[u8]| Some(from + memmem::find(&buffer[from..], what)?);
    let headers = find(0, opening)? + opening.len();
    // A part without headers begins with an empty line.
    let end_of = |headers: usize| {
        if buffer[headers..].starts_with(b"\r\n") {
            return Some((headers, headers + 2));
        }
        find(headers, b"\r\n\r\n").map(|end| (end, end + 4))
    };
    let (headers_end, metadata) = end_of(headers)?;
    let metadata_end = find(metadata, between)?;
    let media_headers = metadata_end + between.len();
    let (media_headers_end, media) = end_of(media_headers)?;
    Some(Head {
        metadata_headers: headers..headers_end,
        metadata: metadata..metadata_end,
        media_headers: media_headers..media_headers_end,
        media,
    })
}

fn header_of(headers: &[u8], name: &str) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    headers.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// Sends on what comes before the closing boundary.
async fn forward(
    mut body: Body,
    mut held: BytesMut,
    closing: &[u8],
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    loop {
        if let Some(at) = memmem::find(&held, closing) {
            let mut tail = held.split_off(at);
            if !held.is_empty() {
                drop(sender.send(Ok(held.freeze())).await);
            }
            while let Some(frame) = body.frame().await {
                let data = frame.map_err(io::Error::other)?.into_data();
                tail.extend(data.unwrap_or_default());
                if tail.len() > closing.len() + 64 {
                    return Err(broken("something follows the second part"));
                }
            }
            let end = tail[closing.len()..].trim_ascii_end();
            return if end == b"--" {
                Ok(())
            } else {
                Err(broken("something follows the second part"))
            };
        }
        // The boundary may be cut in two.
        let ready = held.len().saturating_sub(closing.len());
        if ready > 0 {
            let piece = held.split_to(ready).freeze();
            if sender.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
        }
        match body.frame().await {
            Some(frame) => {
                let data = frame.map_err(io::Error::other)?.into_data();
                held.extend(data.unwrap_or_default());
            }
            None => return Err(broken("the last boundary is missing")),
        }
    }
}

/// `objects.compose`: at most 32 objects one behind the other.
pub(crate) async fn compose(cloud: &Arc<Cloud>, ask: &Ask, body: &[u8]) -> Answer {
    let bucket = cloud.bucket(ask.parts.get("bucket"))?;
    let name = ask.parts.get("object").to_owned();
    let condition = Condition::of(&ask.query)?;
    let query_name = Some(name.as_str());
    let mut request = strict::message(Api::Storage, "ComposeRequest", body)?;
    let destination = request["destination"].take();
    let destination = if destination.is_null() {
        Value::Object(Map::new())
    } else {
        destination
    };
    let said = Said::parse(destination.to_string().as_bytes(), &bucket.name)?;
    let name = said.named(query_name)?;
    if request["deleteSourceObjects"] == true {
        return Err(Refusal::unsupported("`deleteSourceObjects`"));
    }
    let sources = request["sourceObjects"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if !(1..=32).contains(&sources.len()) {
        return Err(refuse(
            400,
            "The number of source components provided is between 1 and 32.",
        ));
    }
    let mut parts = Vec::new();
    for source in &sources {
        let part = source["name"].as_str().unwrap_or_default();
        let object = cloud.object(&bucket.name, part);
        let object = object.ok_or_else(|| refuse(404, format!("Object not found: {part}")))?;
        let wanted = [
            &source["generation"],
            &source["objectPreconditions"]["ifGenerationMatch"],
        ];
        for generation in wanted.into_iter().filter_map(Value::as_str) {
            if generation != object.generation.to_string() {
                return Err(refuse(412, "A source object's generation is another."));
            }
        }
        parts.push(object);
    }
    let count = parts
        .iter()
        .map(|part| part.component_count.unwrap_or(1))
        .sum();
    let aside = Arc::clone(cloud);
    let joining = tokio::task::spawn_blocking(move || {
        let (path, file) = scratch(&aside)?;
        let mut writer = Writer::resume(file, Stored::default())?;
        let mut piece = vec![0; 256 * 1024];
        for part in &parts {
            let mut file = File::open(aside.data_of(part))?;
            loop {
                let n = file.read(&mut piece)?;
                if n == 0 {
                    break;
                }
                writer.write(&piece[..n])?;
            }
        }
        Ok::<_, io::Error>((path, writer.all()))
    });
    let (file, stored) = joining.await.map_err(Refusal::internal)??;
    let finished = Finished {
        bucket: bucket.key(),
        name,
        said,
        condition,
        stored,
        component_count: Some(count),
        file,
    };
    let object = finish_aside(cloud, finished).await?;
    Ok(json_reply(200, &cloud.object_resource(&object)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_found() {
        let cases = [
            ("multipart/related; boundary=\"a b\"", Some("a b")),
            ("multipart/related; charset=x; boundary=ab", Some("ab")),
            ("multipart/mixed; boundary=ab", None),
            ("multipart/related", None),
        ];
        for (text, expected) in cases {
            assert_eq!(boundary(text).as_deref(), expected, "{text}");
        }
    }
}
