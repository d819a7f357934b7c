//! How fast an upload is beside the plainest one there is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use prep_submit::storage::{self, Upload, checksums};

use crate::server::{Server, TOKEN};

const BYTES: usize = 1 << 30;
const PIECE: usize = 16 << 20;

/// The same requests from a socket, without checksums or anything else.
fn plain(server: &Server, file: &std::path::Path) {
    let host = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut file = std::fs::File::open(file).unwrap();
    let mut piece = vec![0; PIECE];
    let mut answer = [0; 4096];
    let begin = format!(
        "POST /upload/storage/v1/b/bucket/o?uploadType=resumable&name=x&ifGenerationMatch=0 HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\nx-upload-content-length: {BYTES}\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    stream.write_all(begin.as_bytes()).unwrap();
    let read = stream.read(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    let target = text
        .split_once(&server.base)
        .unwrap()
        .1
        .split_once("\r\n")
        .unwrap()
        .0;
    let mut start = 0;
    while start < BYTES {
        file.read_exact(&mut piece).unwrap();
        let end = start + PIECE;
        let head = format!(
            "PUT {target} HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\ncontent-range: bytes {start}-{}/{BYTES}\r\nx-goog-hash: crc32c=AAAAAA==\r\ncontent-length: {PIECE}\r\n\r\n",
            end - 1
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&piece).unwrap();
        assert!(stream.read(&mut answer).unwrap() > 0);
        start = end;
    }
}

#[tokio::test]
#[ignore = "a measurement: `cargo test --release -p prep-submit speed -- --ignored --nocapture`"]
async fn an_upload_is_about_as_fast_as_a_plain_one() {
    let server = Server::start();
    server.lock().is_forgetful = true;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("train.jsonl");
    let mut out = std::fs::File::create(&file).unwrap();
    for nth in 0..BYTES / PIECE {
        out.write_all(&vec![nth as u8; PIECE]).unwrap();
    }
    let sums = checksums(&file, &AtomicU64::new(0)).unwrap();
    let client = server.client();
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let begun = Instant::now();
        plain(&server, &file);
        theirs = theirs.min(begun.elapsed());
        let begun = Instant::now();
        let upload = Upload::new(&file, sums.clone(), "bucket", "train.jsonl");
        storage::upload(&client, &upload).await.unwrap();
        ours = ours.min(begun.elapsed());
    }
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    eprintln!("1 GiB: {ours:?}, a plain one {theirs:?}, ratio {ratio:.2}");
    assert!(ratio < 1.3, "{ratio:.2}");
}
