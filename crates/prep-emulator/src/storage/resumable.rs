//! Resumable uploads: sessions, and the pieces that come into them.
//!
//! A session's address authorises what is sent to it. What is stored of it is
//! always a multiple of 256 KiB until the last piece has come, whatever breaks
//! in between.

use std::fs::{self, OpenOptions};
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::insert::{Finished, Said, finish_aside};
use super::{Condition, header, refuse};
use crate::body::{self, QUANTUM, Stored, Writer};
use crate::cloud::{Ask, Cloud};
use crate::error::{Answer, Refusal, Reply, bare_reply, json_reply};
use crate::faults::Effect;
use crate::store::Kept;

/// How long a session can be used, in microseconds: a week.
const LIFE: u64 = 7 * 24 * 3_600 * 1_000_000;

/// An upload that is under way, or that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    bucket: String,
    name: String,
    content_type: Option<String>,
    crc32c: Option<String>,
    md5: Option<String>,
    settings: Map<String, Value>,
    condition: Condition,
    total: Option<u64>,
    stored: Stored,
    state: State,
    created: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Open,
    /// The resource of the object that it became.
    Done(Value),
    /// The refusal's status and message that it ended with.
    Ended(u16, String),
}

impl Kept for Session {
    fn key(&self) -> String {
        self.id.clone()
    }

    fn file(&self) -> String {
        self.id.clone()
    }
}

/// `objects.insert` with a session: its address is in `Location`.
pub(crate) async fn start(cloud: &Arc<Cloud>, ask: Ask) -> Answer {
    let bucket = cloud.bucket(ask.parts.get("bucket"))?;
    let condition = Condition::of(&ask.query)?;
    let total = match ask.header("x-upload-content-length") {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| refuse(400, format!("Invalid X-Upload-Content-Length: {text}")))?,
        ),
    };
    let upload_type = ask.header("x-upload-content-type").map(str::to_owned);
    let body_type = ask.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let is_json = body_type.starts_with("application/json");
    let body = ask.take_small_body().await?;
    if !body.is_empty() && !is_json {
        return Err(refuse(
            400,
            format!("Unsupported content with type: {body_type}"),
        ));
    }
    let mut said = Said::parse(&body, &bucket.name)?;
    match (&said.content_type, upload_type) {
        (Some(said), Some(upload)) if *said != upload => {
            return Err(refuse(
                400,
                format!(
                    "Content-Type specified in the upload ({upload}) does not match Content-Type specified in metadata ({said}). If it was a resumable upload, Content-Type was specified by X-Upload-Content-Type."
                ),
            ));
        }
        (None, upload) => said.content_type = upload,
        _ => {}
    }
    let name = said.named(ask.query.get("name"))?;
    condition.hold(cloud.object(&bucket.name, &name).as_deref())?;
    let id = BASE64_URL_SAFE_NO_PAD.encode(cloud.random()?);
    let session = Session {
        id: id.clone(),
        bucket: bucket.name.clone(),
        name: name.clone(),
        content_type: said.content_type,
        crc32c: said.crc32c,
        md5: said.md5,
        settings: said.settings,
        condition,
        total,
        stored: Stored::default(),
        state: State::Open,
        created: cloud.clock.now(),
    };
    cloud.uploads.put(session)?;
    let name: String =
        percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).collect();
    let address = format!(
        "{}/upload/storage/v1/b/{}/o?uploadType=resumable&name={name}&upload_id={id}",
        cloud.base_url, bucket.name
    );
    let mut reply = bare_reply(200, Body::empty());
    reply.headers_mut().insert(LOCATION, header(&address)?);
    reply
        .headers_mut()
        .insert("x-guploader-uploadid", header(&id)?);
    Ok(reply)
}

/// What a `Content-Range` says.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    /// The first byte and the one behind the last; none for a query.
    span: Option<(u64, u64)>,
    total: Option<u64>,
}

fn content_range(text: &str) -> Option<Piece> {
    let (span, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse::<u64>().ok()?),
    };
    if span == "*" {
        return Some(Piece { span: None, total });
    }
    let (first, last) = span.split_once('-')?;
    let (first, end) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()? + 1);
    let is_fit = first < end && total.is_none_or(|total| end <= total);
    is_fit.then_some(Piece {
        span: Some((first, end)),
        total,
    })
}

fn session(cloud: &Cloud, ask: &Ask) -> Result<Arc<Session>, Refusal> {
    let id = ask.query.get("upload_id");
    let id = id.ok_or_else(|| refuse(400, "Required parameter: upload_id"))?;
    let session = cloud.uploads.get(id);
    let session = session
        .filter(|session| session.bucket == ask.parts.get("bucket"))
        .ok_or_else(|| refuse(404, "The upload session does not exist."))?;
    if cloud.clock.now() > session.created + LIFE {
        return Err(refuse(410, "The upload session has expired."));
    }
    if let State::Ended(status, message) = &session.state {
        return Err(refuse(*status, message.clone()));
    }
    Ok(session)
}

/// 308 with how much is stored.
fn incomplete(stored: Stored) -> Result<Reply, Refusal> {
    let mut reply = bare_reply(308, Body::empty());
    if stored.bytes > 0 {
        let last = stored.bytes - 1;
        reply
            .headers_mut()
            .insert(RANGE, header(&format!("bytes=0-{last}"))?);
    }
    Ok(reply)
}

fn range_of(ask: &Ask) -> Result<Piece, Refusal> {
    let length = ask
        .header(CONTENT_LENGTH.as_str())
        .and_then(|text| text.parse::<u64>().ok());
    let piece = match ask.header(CONTENT_RANGE.as_str()) {
        Some(text) => content_range(text)
            .ok_or_else(|| refuse(400, format!("Failed to parse Content-Range header: {text}")))?,
        // The whole file in one piece.
        None => {
            let length = length.ok_or_else(|| refuse(411, "Content-Length is required."))?;
            Piece {
                span: (length > 0).then_some((0, length)),
                total: Some(length),
            }
        }
    };
    let expected = piece.span.map_or(0, |(first, end)| end - first);
    if length.is_some_and(|length| length != expected) {
        return Err(refuse(
            400,
            "The Content-Range does not match the Content-Length of the request.",
        ));
    }
    Ok(piece)
}

/// Asks how much of a session is stored; a file without bytes ends with it.
pub(crate) async fn query(cloud: &Arc<Cloud>, ask: Ask) -> Answer {
    let lock = cloud.upload_lock(ask.query.get("upload_id").unwrap_or_default());
    let _locked = lock.lock().await;
    let session = session(cloud, &ask)?;
    let piece = range_of(&ask)?;
    if let State::Done(resource) = &session.state {
        return Ok(json_reply(200, resource));
    }
    let total = agreed_total(&session, piece.total)?;
    if total == Some(0) {
        let writer = open(cloud, &session)?;
        return end(cloud, &ask, &session, &writer).await;
    }
    incomplete(session.stored)
}

fn agreed_total(session: &Session, total: Option<u64>) -> Result<Option<u64>, Refusal> {
    match (session.total, total) {
        (Some(known), Some(total)) if known != total => Err(refuse(
            400,
            format!("The upload was begun with {known} bytes, the request says {total}."),
        )),
        (known, total) => Ok(total.or(known)),
    }
}

fn open(cloud: &Cloud, session: &Session) -> Result<Writer, Refusal> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(cloud.uploads.path(&session.id, "part"))?;
    Ok(Writer::resume(file, session.stored)?)
}

/// Takes a piece of the file.
pub(crate) async fn chunk(cloud: &Arc<Cloud>, ask: Ask) -> Answer {
    let lock = cloud.upload_lock(ask.query.get("upload_id").unwrap_or_default());
    let _locked = lock.lock().await;
    let session = session(cloud, &ask)?;
    let piece = range_of(&ask)?;
    let body = ask.take_body();
    if let State::Done(resource) = &session.state {
        body::drain(body).await;
        return Ok(json_reply(200, resource));
    }
    let total = agreed_total(&session, piece.total)?;
    if total != session.total {
        cloud
            .uploads
            .change(&session.id, |session| session.total = total)?;
    }
    let Some((first, past)) = piece.span else {
        let writer = open(cloud, &session)?;
        return end(cloud, &ask, &session, &writer).await;
    };
    let is_last = total == Some(past);
    if !is_last && !(past - first).is_multiple_of(QUANTUM) {
        return Err(refuse(
            400,
            "Invalid request.  The number of bytes uploaded is required to be equal or greater than 262144, except for the final request (it's recommended to be the exact multiple of 262144).  The received request contained a number of bytes that does not meet this requirement.",
        ));
    }
    if first > session.stored.bytes {
        return Err(refuse(
            400,
            format!(
                "Invalid request.  The piece begins at {first}, {} bytes are stored.",
                session.stored.bytes
            ),
        ));
    }
    let most = match ask.effect {
        Some(Effect::StoreLess { bytes }) => Some(bytes / QUANTUM * QUANTUM),
        _ => None,
    };
    let skip = session.stored.bytes - first;
    let writer = open(cloud, &session)?;
    let taken = body::take(body, writer, skip, most.unwrap_or(u64::MAX)).await?;
    let mut writer = taken.writer;
    let is_whole = !taken.is_broken && taken.came == past - first && most.is_none();
    if is_whole && is_last {
        return end(cloud, &ask, &session, &writer).await;
    }
    let stored = writer.keep_whole()?;
    cloud
        .uploads
        .change(&session.id, |session| session.stored = stored)?;
    incomplete(stored)
}

/// Makes an object of a session whose last byte has come.
async fn end(cloud: &Arc<Cloud>, ask: &Ask, session: &Session, writer: &Writer) -> Answer {
    let said = Said {
        name: None,
        content_type: session.content_type.clone(),
        crc32c: session.crc32c.clone(),
        md5: session.md5.clone(),
        settings: session.settings.clone(),
    };
    let finished = Finished {
        bucket: session.bucket.clone(),
        name: session.name.clone(),
        said: said.with_hashes(ask),
        condition: session.condition,
        stored: writer.all(),
        component_count: None,
        file: cloud.uploads.path(&session.id, "part"),
    };
    let made = finish_aside(cloud, finished).await;
    let state = match &made {
        Ok(object) => State::Done(cloud.object_resource(object)),
        Err(refusal) => State::Ended(refusal.status(), refusal.message().to_owned()),
    };
    cloud
        .uploads
        .change(&session.id, |session| session.state = state)?;
    let object = made?;
    Ok(json_reply(200, &cloud.object_resource(&object)))
}

/// Cancels a session.
pub(crate) async fn cancel(cloud: &Arc<Cloud>, ask: Ask) -> Answer {
    let lock = cloud.upload_lock(ask.query.get("upload_id").unwrap_or_default());
    let _locked = lock.lock().await;
    let session = session(cloud, &ask)?;
    if matches!(session.state, State::Open) {
        forget(cloud, &session.id, 410, "The upload session was cancelled.")?;
    }
    Ok(bare_reply(499, Body::empty()))
}

/// Ends a session without an object.
pub(crate) fn forget(cloud: &Cloud, id: &str, status: u16, message: &str) -> Result<(), Refusal> {
    let message = message.to_owned();
    cloud.uploads.change(id, |session| {
        session.state = State::Ended(status, message);
    })?;
    let part = cloud.uploads.path(id, "part");
    if part.exists() {
        fs::remove_file(part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_pieces_are_read() {
        let piece = |span, total| Some(Piece { span, total });
        let cases = [
            ("bytes 0-99/200", piece(Some((0, 100)), Some(200))),
            ("bytes 0-99/*", piece(Some((0, 100)), None)),
            ("bytes */200", piece(None, Some(200))),
            ("bytes */*", piece(None, None)),
            ("bytes 5-4/9", None),
            ("bytes 0-9/9", None),
            ("bytes=0-9/9", None),
            ("bytes 0-9", None),
        ];
        for (text, expected) in cases {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }
}
