//! Uploads: small files in one request, large ones in pieces that survive a
//! break, a kill and a later run.
//!
//! A large file goes through a **session**. The service tells how much it has
//! stored; after anything that goes wrong it is asked, and the upload goes on
//! from there. The address of the session lets anyone write the object, so it
//! is a [`Secret`], and it is kept in a file that only its owner can read,
//! bound to the object and the checksums. A session that is gone, or is of
//! other bytes, is replaced by a new one.
//!
//! The file is read once, a piece ahead of what is being sent, and its
//! checksum is taken on the way. Before the last piece leaves, the checksum is
//! compared with what the caller says was validated: a file that changed
//! meanwhile never becomes an object. The service compares as well
//! (`x-goog-hash`), and what it says it stored is compared again at the end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Checksums, Crc32c, Object, ReadError, delete, object, read};
use crate::client::{Client, is_passing};
use crate::endpoints::Endpoints;
use crate::error::CallError;
use crate::http::{Reply, Request, encoded};
use crate::secret::Secret;

/// The most bytes that are sent in one request.
const MOST_AT_ONCE: u64 = 8 << 20;

/// What the pieces of a session must be a multiple of.
const STEP: usize = 256 << 10;

/// How many bytes a piece has, if it is not said.
const PIECE: usize = 16 << 20;

/// The slowest connection over which a piece still arrives in time, in bytes
/// a second.
const SLOWEST: u64 = 32 << 10;

/// How often a session that is gone is replaced.
const MOST_SESSIONS: u32 = 3;

/// What is to be stored, and where.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The file.
    pub file: PathBuf,
    /// What was validated; a file that is something else is not stored.
    pub checksums: Checksums,
    /// The bucket.
    pub bucket: String,
    /// The name of the object.
    pub name: String,
    /// What the object is.
    pub content_type: String,
    /// Where the session is kept for a later run. Without it an upload that
    /// was interrupted begins anew.
    pub state: Option<PathBuf>,
    /// Counts the bytes of the file that are stored or on their way.
    pub progress: Arc<AtomicU64>,
    /// How many bytes are sent at a time, in steps of 256 KiB; two of that are
    /// in memory. A break costs at most one. A file that is longer, or has more
    /// than 8 MiB, goes through a session.
    pub piece: usize,
}

impl Upload {
    /// Takes a file and where it goes, and for the rest what is usual: JSON
    /// Lines, in pieces of 16 MiB, and no state for a later run.
    pub fn new(
        file: impl Into<PathBuf>,
        checksums: Checksums,
        bucket: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            checksums,
            bucket: bucket.into(),
            name: name.into(),
            content_type: "application/jsonl".to_owned(),
            state: None,
            progress: Arc::default(),
            piece: PIECE,
        }
    }

    /// Whether all of it goes in one request.
    fn is_small(&self) -> bool {
        let piece = self.piece.max(STEP) as u64;
        self.checksums.bytes <= MOST_AT_ONCE.min(piece)
    }
}

/// What came of an upload.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The object that is there now, with the contents of the file.
    pub object: Object,
    /// How it came there.
    pub how: How,
}

/// How an object came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It had been there before, or another run was faster.
    WasThere,
    /// All of it was sent.
    Sent,
    /// An earlier run had sent this many bytes, this one the rest.
    Resumed(u64),
}

/// Why an upload failed.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The service could not be reached, or would not.
    #[error("cannot upload `{}` to `{uri}`", path.display())]
    Call {
        /// The file.
        path: PathBuf,
        /// The object.
        uri: String,
        /// How many bytes are stored and need not be sent again by the next run.
        stored: u64,
        /// How many bytes there are.
        bytes: u64,
        /// Why.
        source: Box<CallError>,
    },
    /// The file could not be read.
    #[error("cannot read `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what was validated. No object was made of it.
    #[error("`{}` changed after it was checked: {reason}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        reason: String,
    },
    /// An object of that name is there and holds something else.
    #[error("`{uri}` is there and holds something else: {reason}")]
    Taken {
        /// The object.
        uri: String,
        /// What is different.
        reason: String,
    },
    /// What was stored is not what was sent.
    #[error("what is stored at `{uri}` is not what was sent: {reason}{}", if *deleted {""} else {"; it could not be deleted"})]
    Damaged {
        /// The object.
        uri: String,
        /// What is different.
        reason: String,
        /// Whether it was deleted again.
        deleted: bool,
    },
    /// The session could not be kept for a later run.
    #[error("cannot keep the state of the upload in `{}`", path.display())]
    State {
        /// The file for it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Stores a file as an object, unless the same bytes are there already.
///
/// An object of that name is never replaced. When this returns, the service
/// has said that the object has the length and the checksum of what was
/// validated.
pub async fn upload(client: &Client, upload: &Upload) -> Result<Uploaded, UploadError> {
    let run = Run { client, upload };
    let uploaded = run.run().await?;
    upload
        .progress
        .store(upload.checksums.bytes, Ordering::Relaxed);
    run.forget_session();
    Ok(uploaded)
}

/// Describes the request with which an upload begins, and sends nothing: its
/// operation, method, address, and the metadata of the object.
#[must_use]
pub fn first_request(endpoints: &Endpoints, upload: &Upload) -> serde_json::Value {
    let (operation, kind) = match upload.is_small() {
        true => ("upload the file", "multipart"),
        false => ("begin the upload", "resumable"),
    };
    let url = insert_url(endpoints, &upload.bucket, kind);
    json!({
        "operation": operation,
        "method": "POST",
        "url": format!("{url}&name={}&ifGenerationMatch=0", encoded(&upload.name)),
        "metadata": metadata(upload),
        "bytes": upload.checksums.bytes,
    })
}

fn metadata(upload: &Upload) -> serde_json::Value {
    json!({
        "name": upload.name,
        "contentType": upload.content_type,
        "crc32c": upload.checksums.crc32c,
        "metadata": {"sha256": upload.checksums.sha256},
    })
}

fn insert_url(endpoints: &Endpoints, bucket: &str, kind: &str) -> String {
    let base = endpoints.storage();
    let bucket = encoded(bucket);
    format!("{base}/upload/storage/v1/b/{bucket}/o?uploadType={kind}")
}

struct Run<'a> {
    client: &'a Client,
    upload: &'a Upload,
}

/// A place in the service that takes bytes, and how many it has.
struct Session {
    address: Secret,
    stored: u64,
}

/// What is kept of a session for a later run.
#[derive(Serialize, Deserialize)]
struct State {
    schema: u32,
    storage: String,
    bucket: String,
    name: String,
    checksums: Checksums,
    session: String,
}

/// What the service says about a session.
enum Progress {
    Stored(u64),
    Finished(Object),
    Gone,
}

impl Run<'_> {
    async fn run(&self) -> Result<Uploaded, UploadError> {
        let path = &self.upload.file;
        let file = File::open(path).map_err(|source| self.file_error(source))?;
        let length = file
            .metadata()
            .map_err(|source| self.file_error(source))?
            .len();
        if length != self.upload.checksums.bytes {
            return Err(self.changed_length(length));
        }
        if let Some(object) = self.there().await? {
            return Ok(Uploaded {
                object,
                how: How::WasThere,
            });
        }
        if self.upload.is_small() {
            self.at_once(file).await
        } else {
            self.in_pieces(file).await
        }
    }

    /// Looks for the object. One that holds the same is what was wanted.
    async fn there(&self) -> Result<Option<Object>, UploadError> {
        let Upload { bucket, name, .. } = self.upload;
        let found = object(self.client, bucket, name).await;
        let Some(object) = found.map_err(|source| self.failed(0, source))? else {
            return Ok(None);
        };
        match self.difference(&object).await? {
            None => Ok(Some(object)),
            Some(reason) => Err(UploadError::Taken {
                uri: self.uri(),
                reason,
            }),
        }
    }

    /// Sends a small file with its metadata in one request.
    async fn at_once(&self, mut file: File) -> Result<Uploaded, UploadError> {
        let expected = &self.upload.checksums;
        let mut contents = Vec::new();
        file.read_to_end(&mut contents)
            .map_err(|source| self.file_error(source))?;
        self.check_contents(contents.len() as u64, Crc32c::default().append(&contents))?;
        // A text cannot hold its own SHA-256.
        let boundary = format!("prep-{}", expected.sha256);
        let mut body = Vec::with_capacity(contents.len() + 1024);
        let json = "application/json; charset=UTF-8";
        body.extend(format!("--{boundary}\r\ncontent-type: {json}\r\n\r\n").bytes());
        body.extend(self.metadata().to_string().bytes());
        let content_type = &self.upload.content_type;
        body.extend(format!("\r\n--{boundary}\r\ncontent-type: {content_type}\r\n\r\n").bytes());
        body.extend(contents);
        body.extend(format!("\r\n--{boundary}--\r\n").bytes());
        let kind = format!("multipart/related; boundary=\"{boundary}\"");
        let insert = Request::post("upload the file", self.insert_url("multipart"))
            .query("name", &self.upload.name)
            .query("ifGenerationMatch", "0")
            .bytes(kind, body)
            .progress(Arc::clone(&self.upload.progress))
            .timeout(patience(expected.bytes))
            .accept(&[412])
            .safe();
        let reply = self.client.send(&insert).await;
        let reply = reply.map_err(|source| self.failed(0, source))?;
        match reply.status {
            412 => self.lost_the_race().await,
            _ => self.finish(&reply, How::Sent).await,
        }
    }

    async fn in_pieces(&self, file: File) -> Result<Uploaded, UploadError> {
        let mut reader = Reader::new(file, self.upload.piece);
        let mut resumed = self.resumed().await?;
        for _ in 0..MOST_SESSIONS {
            let (mut session, how) = match resumed.take() {
                Some(Resumed::Finished(object)) => {
                    let bytes = self.upload.checksums.bytes;
                    return self.check_stored(object, How::Resumed(bytes)).await;
                }
                Some(Resumed::Session(session)) => {
                    let how = How::Resumed(session.stored);
                    (session, how)
                }
                None => match self.begin().await? {
                    Some(session) => (session, How::Sent),
                    None => return self.lost_the_race().await,
                },
            };
            match self.send(&mut session, &mut reader).await? {
                Sent::Finished(object) => return self.check_stored(object, how).await,
                Sent::Taken => return self.lost_the_race().await,
                Sent::Gone => self.forget_session(),
            }
        }
        let gone = CallError::Unreadable {
            operation: "upload the file",
            reason: format!("{MOST_SESSIONS} sessions ended before their time"),
        };
        Err(self.failed(0, gone))
    }

    /// Begins a session; `None` if the object is there by now.
    async fn begin(&self) -> Result<Option<Session>, UploadError> {
        let begin = Request::post("begin the upload", self.insert_url("resumable"))
            .query("name", &self.upload.name)
            .query("ifGenerationMatch", "0")
            .header("x-upload-content-type", &self.upload.content_type)
            .header(
                "x-upload-content-length",
                self.upload.checksums.bytes.to_string(),
            )
            .json(&self.metadata())
            .accept(&[412])
            .safe();
        let reply = self.client.send(&begin).await;
        let reply = reply.map_err(|source| self.failed(0, source))?;
        if reply.status == 412 {
            return Ok(None);
        }
        let Some(location) = reply.header("location") else {
            let missing = CallError::Unreadable {
                operation: reply.operation,
                reason: "it has no `Location`".to_owned(),
            };
            return Err(self.failed(0, missing));
        };
        let address = match location.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.client.endpoints().storage()),
            None => location.to_owned(),
        };
        let session = Session {
            address: Secret::new(address),
            stored: 0,
        };
        self.keep_session(&session.address)?;
        Ok(Some(session))
    }

    /// Sends piece after piece, each read while the one before is sent.
    async fn send(&self, session: &mut Session, reader: &mut Reader) -> Result<Sent, UploadError> {
        let total = self.upload.checksums.bytes;
        let mut backoff = self.client.backoff();
        self.set_progress(session.stored);
        reader
            .catch_up(session.stored)
            .await
            .map_err(|source| self.file_error(source))?;
        loop {
            let start = session.stored;
            let piece = reader.piece(start, total).await;
            let piece = piece.map_err(|source| self.file_error(source))?;
            if piece.is_empty() {
                return Err(self.changed_length(start));
            }
            let end = start + piece.len() as u64;
            if end == total {
                let changed = self.check_contents(total, reader.crc);
                if changed.is_err() {
                    self.cancel(session).await;
                }
                changed?;
            } else {
                reader.read_ahead(end, total);
            }
            let reply = self.put(session, start, piece, total).await;
            let mut has_waited = false;
            let now = match reply.and_then(|reply| self.progress(&reply)) {
                Ok(now) => Ok(now),
                Err(error) if is_passing(&error) || is_unreadable(&error) => {
                    self.set_progress(start);
                    if backoff.wait(self.client, &error).await.is_none() {
                        return Err(self.failed(session.stored, error));
                    }
                    has_waited = true;
                    self.status(session).await
                }
                Err(error) if error.http() == Some(412) => return Ok(Sent::Taken),
                Err(error) => Err(error),
            };
            match now.map_err(|source| self.failed(session.stored, source))? {
                Progress::Finished(object) => return Ok(Sent::Finished(object)),
                Progress::Gone => return Ok(Sent::Gone),
                Progress::Stored(stored) => {
                    if stored > session.stored {
                        backoff = self.client.backoff();
                    } else if !has_waited {
                        // It took nothing, or lost what it had: not forever.
                        let nothing = CallError::Unreadable {
                            operation: "upload the file",
                            reason: format!("it has stored {stored} of {end} bytes"),
                        };
                        if backoff.wait(self.client, &nothing).await.is_none() {
                            return Err(self.failed(stored, nothing));
                        }
                    }
                    session.stored = stored.min(total);
                    self.set_progress(session.stored);
                }
            }
        }
    }

    async fn put(
        &self,
        session: &Session,
        start: u64,
        piece: Bytes,
        total: u64,
    ) -> Result<Reply, CallError> {
        let end = start + piece.len() as u64;
        let bytes = piece.len() as u64;
        let mut put = self
            .to_session(session, "upload the file")
            .header(
                "content-range",
                format!("bytes {start}-{}/{total}", end - 1),
            )
            .bytes(self.upload.content_type.clone(), piece)
            .progress(Arc::clone(&self.upload.progress))
            .timeout(patience(bytes))
            .accept(&[308, 404, 410]);
        if end == total {
            let crc = self.upload.checksums.crc32c;
            put = put.header("x-goog-hash", format!("crc32c={crc}"));
        }
        self.client.send(&put).await
    }

    /// Asks how much of a session is stored.
    async fn status(&self, session: &Session) -> Result<Progress, CallError> {
        let total = self.upload.checksums.bytes;
        let ask = self
            .to_session(session, "ask how much is uploaded")
            .header("content-range", format!("bytes */{total}"))
            .accept(&[308, 404, 410])
            .safe();
        let reply = self.client.send(&ask).await?;
        self.progress(&reply)
    }

    fn progress(&self, reply: &Reply) -> Result<Progress, CallError> {
        match reply.status {
            404 | 410 => Ok(Progress::Gone),
            308 => {
                let Some(range) = reply.header("range") else {
                    return Ok(Progress::Stored(0));
                };
                let last = range.rsplit('-').next().and_then(|last| last.parse().ok());
                last.map(|last: u64| Progress::Stored(last + 1))
                    .ok_or_else(|| CallError::Unreadable {
                        operation: reply.operation,
                        reason: format!("it has stored `{range}`"),
                    })
            }
            _ => reply.json().map(Progress::Finished),
        }
    }

    /// Ends a session whose bytes must not become an object. If that fails it
    /// ends by itself, as its last piece never comes.
    async fn cancel(&self, session: &Session) {
        let mut cancel = self.to_session(session, "give the upload up");
        cancel.method = Method::DELETE;
        drop(self.client.send(&cancel.accept(&[404, 410, 499])).await);
        self.forget_session();
    }

    fn to_session(&self, session: &Session, operation: &'static str) -> Request {
        let bucket = encoded(&self.upload.bucket);
        let shown = format!("/upload/storage/v1/b/{bucket}/o?upload_id=•••");
        Request::to_secret(Method::PUT, operation, session.address.clone(), shown)
    }

    /// Takes up the session of an earlier run, if it was for the same bytes.
    async fn resumed(&self) -> Result<Option<Resumed>, UploadError> {
        let Some(path) = &self.upload.state else {
            return Ok(None);
        };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.state_error(source)),
        };
        // What cannot be read was not written by this version: a new session.
        let Ok(state) = serde_json::from_slice::<State>(&text) else {
            return Ok(None);
        };
        let Upload {
            bucket,
            name,
            checksums,
            ..
        } = self.upload;
        let is_same = state.schema == 1
            && state.storage == self.client.endpoints().storage()
            && (&state.bucket, &state.name, &state.checksums) == (bucket, name, checksums);
        if !is_same {
            return Ok(None);
        }
        let mut session = Session {
            address: Secret::new(state.session),
            stored: 0,
        };
        let progress = match self.status(&session).await {
            // An address that is refused is no worse than one that is gone.
            Err(error) if matches!(error.http(), Some(400..=499)) && !is_passing(&error) => {
                Progress::Gone
            }
            progress => progress.map_err(|source| self.failed(0, source))?,
        };
        Ok(match progress {
            Progress::Gone => None,
            Progress::Finished(object) => Some(Resumed::Finished(object)),
            Progress::Stored(stored) => {
                session.stored = stored.min(checksums.bytes);
                Some(Resumed::Session(session))
            }
        })
    }

    /// Keeps a session for a later run, where only the owner can read it.
    fn keep_session(&self, address: &Secret) -> Result<(), UploadError> {
        let Some(path) = &self.upload.state else {
            return Ok(());
        };
        let state = State {
            schema: 1,
            storage: self.client.endpoints().storage(),
            bucket: self.upload.bucket.clone(),
            name: self.upload.name.clone(),
            checksums: self.upload.checksums.clone(),
            session: address.expose().to_owned(),
        };
        write_private(path, &state).map_err(|source| self.state_error(source))
    }

    /// Removes what was kept. If it stays, the service says that it is gone.
    fn forget_session(&self) {
        if let Some(path) = &self.upload.state {
            drop(std::fs::remove_file(path));
        }
    }

    /// The object came to be there in the meantime: by another run, or by an
    /// answer of ours that was lost.
    async fn lost_the_race(&self) -> Result<Uploaded, UploadError> {
        if let Some(object) = self.there().await? {
            return Ok(Uploaded {
                object,
                how: How::WasThere,
            });
        }
        let contradiction = CallError::Unreadable {
            operation: "upload the file",
            reason: "it says that the object is there and that it is not".to_owned(),
        };
        Err(self.failed(0, contradiction))
    }

    async fn finish(&self, reply: &Reply, how: How) -> Result<Uploaded, UploadError> {
        match reply.json() {
            Ok(object) => self.check_stored(object, how).await,
            // It was stored; what is there can be looked at.
            Err(_) => self.lost_the_race().await,
        }
    }

    /// Compares what is stored with what was validated; on a difference the
    /// object goes again.
    async fn check_stored(&self, object: Object, how: How) -> Result<Uploaded, UploadError> {
        let Some(reason) = self.difference(&object).await? else {
            return Ok(Uploaded { object, how });
        };
        self.forget_session();
        let deleted = delete(self.client, &object).await;
        Err(UploadError::Damaged {
            uri: self.uri(),
            reason,
            deleted: deleted.is_ok(),
        })
    }

    /// How an object differs from what was validated. One without a checksum
    /// is read for it.
    async fn difference(&self, object: &Object) -> Result<Option<String>, UploadError> {
        let expected = &self.upload.checksums;
        if object.size != expected.bytes {
            let (has, is) = (object.size, expected.bytes);
            return Ok(Some(format!("it has {has} bytes, not {is}")));
        }
        let found = match object.crc32c {
            Some(found) => found,
            None => match read(self.client, object, &mut io::sink()).await {
                Ok((_, found)) => found,
                Err(ReadError::Call { source, .. }) => return Err(self.failed(0, source)),
                Err(error) => return Ok(Some(error.to_string())),
            },
        };
        let is_same = found == expected.crc32c;
        Ok((!is_same).then(|| format!("its CRC-32C is {found}, not {}", expected.crc32c)))
    }

    fn check_contents(&self, bytes: u64, crc32c: Crc32c) -> Result<(), UploadError> {
        let expected = &self.upload.checksums;
        if bytes != expected.bytes {
            return Err(self.changed_length(bytes));
        }
        if crc32c != expected.crc32c {
            return Err(UploadError::Changed {
                path: self.upload.file.clone(),
                reason: format!("its CRC-32C is {crc32c}, not {}", expected.crc32c),
            });
        }
        Ok(())
    }

    fn metadata(&self) -> serde_json::Value {
        metadata(self.upload)
    }

    fn insert_url(&self, kind: &str) -> String {
        insert_url(self.client.endpoints(), &self.upload.bucket, kind)
    }

    fn uri(&self) -> String {
        format!("gs://{}/{}", self.upload.bucket, self.upload.name)
    }

    fn set_progress(&self, bytes: u64) {
        self.upload.progress.store(bytes, Ordering::Relaxed);
    }

    fn failed(&self, stored: u64, source: CallError) -> UploadError {
        UploadError::Call {
            path: self.upload.file.clone(),
            uri: self.uri(),
            stored: if self.upload.state.is_some() {
                stored
            } else {
                0
            },
            bytes: self.upload.checksums.bytes,
            source: Box::new(source),
        }
    }

    fn file_error(&self, source: io::Error) -> UploadError {
        UploadError::File {
            path: self.upload.file.clone(),
            source,
        }
    }

    fn state_error(&self, source: io::Error) -> UploadError {
        UploadError::State {
            path: self.upload.state.clone().unwrap_or_default(),
            source,
        }
    }

    fn changed_length(&self, bytes: u64) -> UploadError {
        UploadError::Changed {
            path: self.upload.file.clone(),
            reason: format!("it has {bytes} bytes, not {}", self.upload.checksums.bytes),
        }
    }
}

enum Resumed {
    Session(Session),
    Finished(Object),
}

/// How the sending of pieces ended.
enum Sent {
    Finished(Object),
    Taken,
    Gone,
}

fn is_unreadable(error: &CallError) -> bool {
    matches!(error, CallError::Unreadable { .. })
}

/// How long a request with that many bytes may take.
fn patience(bytes: u64) -> Duration {
    Duration::from_secs(60 + bytes / SLOWEST)
}

/// Writes JSON to a file that appears whole and that only its owner can read.
fn write_private(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory)?;
    // A temporary file is readable by its owner only, and stays so.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer(&mut file, value)?;
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads a file in pieces, one ahead, and takes the checksum of what it reads
/// for the first time.
struct Reader {
    source: Option<Source>,
    ahead: Option<(u64, Reading)>,
    /// How many bytes are read at a time.
    piece: usize,
    crc: Crc32c,
}

type Reading = JoinHandle<(Source, io::Result<Bytes>)>;

/// What a thread needs to read a piece.
struct Source {
    file: File,
    crc: Crc32c,
    /// How far the checksum goes.
    checked: u64,
}

impl Reader {
    fn new(file: File, piece: usize) -> Self {
        // The last step that is not whole would be refused.
        let piece = (piece / STEP).max(1) * STEP;
        Self {
            source: Some(Source {
                file,
                crc: Crc32c::default(),
                checked: 0,
            }),
            ahead: None,
            piece,
            crc: Crc32c::default(),
        }
    }

    /// Takes the checksum of what an earlier run has sent.
    async fn catch_up(&mut self, stored: u64) -> io::Result<()> {
        let mut at = 0;
        while at < stored {
            let piece = self.piece(at, stored).await?;
            if piece.is_empty() {
                // The file is shorter; the next piece will tell.
                return Ok(());
            }
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Gives the piece that begins there; at the end of the file it is empty.
    async fn piece(&mut self, start: u64, total: u64) -> io::Result<Bytes> {
        let ready = match self.ahead.take() {
            Some((at, task)) => {
                let (source, piece) = task.await.map_err(io::Error::other)?;
                self.source = Some(source);
                (at == start).then_some(piece)
            }
            None => None,
        };
        let piece = match ready {
            Some(piece) => piece?,
            None => {
                self.read_ahead(start, total);
                let Some((_, task)) = self.ahead.take() else {
                    return Err(io::Error::other("the file is not open"));
                };
                let (source, piece) = task.await.map_err(io::Error::other)?;
                self.source = Some(source);
                piece?
            }
        };
        if let Some(source) = &self.source {
            self.crc = source.crc;
        }
        Ok(piece)
    }

    /// Begins to read the piece that begins there.
    fn read_ahead(&mut self, start: u64, total: u64) {
        let Some(mut source) = self.source.take() else {
            return;
        };
        let length = total.saturating_sub(start).min(self.piece as u64) as usize;
        self.ahead = Some((
            start,
            spawn_blocking(move || {
                let piece = source.read(start, length);
                (source, piece)
            }),
        ));
    }
}

impl Source {
    fn read(&mut self, start: u64, length: usize) -> io::Result<Bytes> {
        let mut piece = BytesMut::zeroed(length);
        self.file.seek(SeekFrom::Start(start))?;
        let mut filled = 0;
        while filled < length {
            let end = length.min(filled + STEP);
            let read = match self.file.read(&mut piece[filled..end]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.check(start + filled as u64, &piece[filled..filled + read]);
            filled += read;
        }
        piece.truncate(filled);
        Ok(piece.freeze())
    }

    /// Takes the checksum of bytes, but for those that it has been taken of.
    fn check(&mut self, at: u64, bytes: &[u8]) {
        let known = self.checked.saturating_sub(at);
        if let Some(fresh) = usize::try_from(known).ok().and_then(|n| bytes.get(n..))
            && at <= self.checked
        {
            self.crc = self.crc.append(fresh);
            self.checked += fresh.len() as u64;
        }
    }
}
