//! Bodies on their way in and out, without holding them in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::mpsc;

/// Pieces of an upload are stored in multiples of this.
pub(crate) const QUANTUM: u64 = 256 * 1024;

/// Reads a whole body of a request whose body is small.
pub(crate) async fn read_small(body: Body, limit: usize) -> io::Result<Bytes> {
    let limited = http_body_util::Limited::new(body, limit);
    let collected = limited.collect().await.map_err(io::Error::other)?;
    Ok(collected.to_bytes())
}

/// Reads a body to its end and forgets it.
pub(crate) async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// A body that another task feeds.
#[derive(Debug)]
pub(crate) struct Pipe {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    left: Option<u64>,
}

impl Pipe {
    /// Makes a body and its feeder; with a length it is sent as one that has it.
    pub(crate) fn open(length: Option<u64>) -> (mpsc::Sender<io::Result<Bytes>>, Body) {
        let (sender, pieces) = mpsc::channel(4);
        let pipe = Self {
            pieces,
            left: length,
        };
        (sender, Body::new(pipe))
    }
}

impl http_body::Body for Pipe {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        if let (Some(left), Some(Ok(piece))) = (&mut self.left, &piece) {
            *left = left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// Sends a stretch of a file.
pub(crate) fn of_file(mut file: File, from: u64, length: u64) -> Body {
    let (sender, body) = Pipe::open(Some(length));
    tokio::task::spawn_blocking(move || {
        let mut left = length;
        if let Err(error) = file.seek(SeekFrom::Start(from)) {
            drop(sender.blocking_send(Err(error)));
            return;
        }
        while left > 0 {
            let mut piece = vec![0; usize::try_from(left.min(QUANTUM)).unwrap_or(usize::MAX)];
            let sent = match file.read_exact(&mut piece) {
                Ok(()) => {
                    left -= piece.len() as u64;
                    sender.blocking_send(Ok(piece.into()))
                }
                Err(error) => {
                    left = 0;
                    sender.blocking_send(Err(error))
                }
            };
            if sent.is_err() {
                // Whoever read it has gone.
                return;
            }
        }
    });
    body
}

/// Sends a body in small pieces with a pause before each.
pub(crate) fn slowed(mut body: Body, piece: usize, delay: Duration) -> Body {
    let length = http_body::Body::size_hint(&body).exact();
    let (sender, slow) = Pipe::open(length);
    tokio::spawn(async move {
        while let Some(frame) = body.frame().await {
            let mut data = match frame {
                Ok(frame) => frame.into_data().unwrap_or_default(),
                Err(error) => {
                    drop(sender.send(Err(io::Error::other(error))).await);
                    return;
                }
            };
            while !data.is_empty() {
                tokio::time::sleep(delay).await;
                let next = data.split_to(piece.max(1).min(data.len()));
                if sender.send(Ok(next)).await.is_err() {
                    return;
                }
            }
        }
    });
    slow
}

/// Breaks a body off after so many bytes.
pub(crate) fn truncated(mut body: Body, after: usize) -> Body {
    let length = http_body::Body::size_hint(&body).exact();
    let (sender, cut) = Pipe::open(length);
    tokio::spawn(async move {
        let mut left = after;
        while let Some(Ok(frame)) = body.frame().await {
            let mut data = frame.into_data().unwrap_or_default();
            data.truncate(left);
            left -= data.len();
            if !data.is_empty() && sender.send(Ok(data)).await.is_err() {
                return;
            }
            if left == 0 {
                break;
            }
        }
        // What was sent is to arrive before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(
            sender
                .send(Err(io::ErrorKind::ConnectionReset.into()))
                .await,
        );
    });
    cut
}

/// How much of an object is stored, and the checksum of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stored {
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

/// A file that grows, with its checksum.
#[derive(Debug)]
pub(crate) struct Writer {
    file: File,
    all: Stored,
    /// As it was at the last multiple of [`QUANTUM`].
    whole: Stored,
}

impl Writer {
    /// Goes on with a file of which so much is stored; what is behind goes.
    pub(crate) fn resume(file: File, stored: Stored) -> io::Result<Self> {
        file.set_len(stored.bytes)?;
        let mut writer = Self {
            file,
            all: stored,
            whole: stored,
        };
        writer.file.seek(SeekFrom::Start(stored.bytes))?;
        Ok(writer)
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        while !bytes.is_empty() {
            let room = QUANTUM - self.all.bytes % QUANTUM;
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.all.crc32c = crc32c::crc32c_append(self.all.crc32c, now);
            self.all.bytes += now.len() as u64;
            if self.all.bytes.is_multiple_of(QUANTUM) {
                self.whole = self.all;
            }
            bytes = later;
        }
        Ok(())
    }

    /// What is stored when all of it counts.
    pub(crate) fn all(&self) -> Stored {
        self.all
    }

    /// Forgets what is behind the last multiple of [`QUANTUM`].
    pub(crate) fn keep_whole(&mut self) -> io::Result<Stored> {
        self.file.set_len(self.whole.bytes)?;
        self.all = self.whole;
        Ok(self.whole)
    }
}

/// What came of taking a body in.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) writer: Writer,
    /// The bytes that came, stored or not.
    pub(crate) came: u64,
    /// Whether the body ended before its end.
    pub(crate) is_broken: bool,
}

/// Writes a body to a file, on a thread of its own: without its first `skip`
/// bytes, and no more than `most` of the others.
pub(crate) async fn take(
    mut body: Body,
    mut writer: Writer,
    skip: u64,
    most: u64,
) -> io::Result<Taken> {
    let (sender, mut pieces) = mpsc::channel::<Bytes>(16);
    let thread = tokio::task::spawn_blocking(move || {
        while let Some(piece) = pieces.blocking_recv() {
            writer.write(&piece)?;
        }
        Ok::<_, io::Error>(writer)
    });
    let mut came = 0;
    let mut skip = skip;
    let mut left = most;
    let mut is_broken = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            is_broken = true;
            break;
        };
        let mut data = frame.into_data().unwrap_or_default();
        came += data.len() as u64;
        let skipped = skip.min(data.len() as u64);
        skip -= skipped;
        drop(data.split_to(usize::try_from(skipped).unwrap_or(usize::MAX)));
        let kept = left.min(data.len() as u64);
        left -= kept;
        data.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        if !data.is_empty() && sender.send(data).await.is_err() {
            break;
        }
    }
    drop(sender);
    let writer = thread.await.map_err(io::Error::other)??;
    Ok(Taken {
        writer,
        came,
        is_broken,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_knows_its_checksum_at_the_last_multiple() {
        let mut writer = Writer::resume(tempfile::tempfile().unwrap(), Stored::default()).unwrap();
        let bytes = vec![7; 300_000];
        for piece in bytes.chunks(999) {
            writer.write(piece).unwrap();
        }
        assert_eq!(writer.all().crc32c, crc32c::crc32c(&bytes));
        let kept = writer.keep_whole().unwrap();
        assert_eq!(kept.bytes, QUANTUM);
        assert_eq!(kept.crc32c, crc32c::crc32c(&bytes[..262_144]));
        assert_eq!(writer.file.metadata().unwrap().len(), QUANTUM);
    }
}
