//! Uploads with each failure at each request.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prep_submit::storage::{self, How, Upload, UploadError, Uploaded, checksums};
use prep_submit::{Client, ClientOptions, Stop};
use tempfile::TempDir;

use crate::server::{Fault, Server};

const SMALL: usize = 3000;
/// Three chunks, the last one odd.
const LARGE: usize = 2 * PIECE + 12_345;
const PIECE: usize = 4 << 20;

struct Case {
    _directory: TempDir,
    upload: Upload,
    contents: Vec<u8>,
}

fn contents(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn case(length: usize) -> Case {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("train.jsonl");
    let contents = contents(length);
    std::fs::write(&file, &contents).unwrap();
    let sums = checksums(&file, &AtomicU64::new(0)).unwrap();
    let name = sums.object_name("runs/7", "train");
    Case {
        upload: Upload {
            state: Some(directory.path().join("state/upload.json")),
            piece: PIECE,
            ..Upload::new(file, sums, "bucket", name)
        },
        contents,
        _directory: directory,
    }
}

impl Case {
    fn state(&self) -> PathBuf {
        self.upload.state.clone().unwrap()
    }

    async fn run(&self, client: &Client) -> Result<Uploaded, UploadError> {
        storage::upload(client, &self.upload).await
    }

    fn is_stored(&self, server: &Server) -> bool {
        let state = server.lock();
        let stored = state.objects.get(&self.upload.name);
        state.objects.len() == 1 && stored.is_some_and(|stored| stored.bytes == self.contents)
    }
}

#[tokio::test]
async fn small_files_go_in_one_request() {
    for length in [0, 1, SMALL] {
        let (server, case) = (Server::start(), case(length));
        let uploaded = case.run(&server.client()).await.unwrap();
        assert_eq!(uploaded.how, How::Sent);
        assert!(case.is_stored(&server));
        assert_eq!(server.kinds(), ["object", "insert"]);
        assert_eq!(case.upload.progress.load(Ordering::Relaxed), length as u64);
    }
}

#[tokio::test]
async fn large_files_go_in_chunks() {
    let (server, case) = (Server::start(), case(LARGE));
    let uploaded = case.run(&server.client()).await.unwrap();
    assert_eq!(uploaded.how, How::Sent);
    assert!(case.is_stored(&server));
    assert_eq!(
        server.kinds(),
        ["object", "begin", "chunk", "chunk", "chunk"]
    );
    assert_eq!(case.upload.progress.load(Ordering::Relaxed), LARGE as u64);
    assert!(!case.state().exists());
}

#[tokio::test]
async fn the_same_bytes_are_sent_once() {
    for length in [SMALL, LARGE] {
        let (server, case) = (Server::start(), case(length));
        case.run(&server.client()).await.unwrap();
        let before = server.kinds().len();
        let again = case.run(&server.client()).await.unwrap();
        assert_eq!(again.how, How::WasThere);
        assert_eq!(server.kinds()[before..], ["object"]);
    }
}

/// Every failure at every request of an upload ends with the object there,
/// once and whole, or with an error and no object.
#[tokio::test]
async fn each_failure_at_each_request() {
    let requests = [
        ("object", 1),
        ("insert", 1),
        ("begin", 1),
        ("chunk", 1),
        ("chunk", 2),
        ("chunk", 3),
    ];
    let passing = [
        Fault::Status(408),
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Later(5),
        Fault::Reset,
        Fault::LostAnswer,
        Fault::HalfAnswer,
        Fault::DoneBut(503),
    ];
    let small = case(SMALL);
    let large = case(LARGE);
    for (kind, nth) in requests {
        let case = if kind == "insert" { &small } else { &large };
        for fault in passing {
            let server = Server::with_faults(&[(kind, nth, fault)]);
            let done = case.run(&server.client()).await;
            let done = done.unwrap_or_else(|error| panic!("{kind} {nth} {fault:?}: {error:?}"));
            assert!(case.is_stored(&server), "{kind} {nth} {fault:?}");
            assert_eq!(done.object.name, case.upload.name);
            assert_eq!(
                case.upload.progress.load(Ordering::Relaxed),
                case.contents.len() as u64
            );
        }
        for status in [400, 403, 404] {
            if status == 404 && kind != "insert" && kind != "begin" {
                continue;
            }
            let server = Server::with_faults(&[(kind, nth, Fault::Status(status))]);
            let error = case.run(&server.client()).await.unwrap_err();
            let UploadError::Call { source, .. } = &error else {
                panic!("{kind} {nth} {status}: {error:?}");
            };
            assert_eq!(source.http(), Some(status), "{kind} {nth}");
            assert!(server.lock().objects.is_empty());
            std::fs::remove_file(case.state()).ok();
        }
    }
}

#[tokio::test]
async fn what_only_sessions_can_do_wrong() {
    type Faults = &'static [(&'static str, usize, Fault)];
    let table: [(Faults, &str); 7] = [
        (
            &[("chunk", 2, Fault::PartlyStored)],
            "less is stored than was sent",
        ),
        (
            &[("chunk", 3, Fault::PartlyStored)],
            "less is stored of the last chunk",
        ),
        (&[("chunk", 2, Fault::Gone)], "the session is gone"),
        (
            &[("chunk", 2, Fault::Reset), ("status", 1, Fault::Gone)],
            "it is gone when asked",
        ),
        (
            &[
                ("chunk", 2, Fault::Reset),
                ("status", 1, Fault::Status(503)),
                ("status", 2, Fault::Reset),
            ],
            "asking fails as well",
        ),
        (
            &[
                ("chunk", 3, Fault::LostAnswer),
                ("status", 1, Fault::LostAnswer),
            ],
            "the answers to the end are lost",
        ),
        (
            &[("chunk", 3, Fault::CutJson)],
            "the answer to the end is cut",
        ),
    ];
    let case = case(LARGE);
    for (faults, what) in table {
        let server = Server::with_faults(faults);
        case.run(&server.client())
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(case.is_stored(&server), "{what}");
        assert!(!case.state().exists(), "{what}");
    }
}

#[tokio::test]
async fn the_cut_answer_to_a_small_upload_is_looked_up() {
    let (server, case) = (
        Server::with_faults(&[("insert", 1, Fault::CutJson)]),
        case(SMALL),
    );
    assert_eq!(case.run(&server.client()).await.unwrap().how, How::WasThere);
    assert!(case.is_stored(&server));
}

#[tokio::test]
async fn a_piece_waits_for_as_long_as_it_is_asked_to() {
    let case = case(LARGE);
    let server = Server::with_faults(&[("chunk", 2, Fault::Later(33))]);
    let client = server.client();
    case.run(&client).await.unwrap();
    // Once: that nothing more was stored meanwhile is no second reason.
    assert_eq!(client.clock().slept(), [std::time::Duration::from_secs(33)]);
}

#[tokio::test]
async fn a_later_run_goes_on() {
    let case = case(LARGE);
    let broken: Vec<_> = (2..200).map(|n| ("chunk", n, Fault::Status(503))).collect();
    let server = Server::with_faults(&broken);
    let error = case.run(&server.client()).await.unwrap_err();
    let UploadError::Call {
        stored,
        bytes,
        source,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((*stored, *bytes), (PIECE as u64, LARGE as u64));
    assert_eq!(source.http(), Some(503));
    assert!(case.state().exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(case.state())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    server.lock().faults.clear();
    let begun = server.count("begin");
    let uploaded = case.run(&server.client()).await.unwrap();
    assert_eq!(uploaded.how, How::Resumed(PIECE as u64));
    assert!(case.is_stored(&server));
    assert_eq!(server.count("begin"), begun);
    assert!(!case.state().exists());
}

#[tokio::test]
async fn a_run_that_was_killed_before_its_last_answer_is_found_finished() {
    let case = case(LARGE);
    let server = Server::with_faults(&[("chunk", 2, Fault::Status(403))]);
    case.run(&server.client()).await.unwrap_err();
    let state = std::fs::read(case.state()).unwrap();
    server.lock().faults.clear();
    case.run(&server.client()).await.unwrap();
    // As if the state had been left behind, and the object not been seen.
    std::fs::write(case.state(), state).unwrap();
    let next = server.count("object") + 1;
    server.lock().faults = vec![("object", next, Fault::Status(404))];
    let uploaded = case.run(&server.client()).await.unwrap();
    assert_eq!(uploaded.how, How::Resumed(LARGE as u64));
    assert!(case.is_stored(&server));
}

#[tokio::test]
async fn a_session_of_other_bytes_is_not_taken_up() {
    let case = case(LARGE);
    let server = Server::with_faults(&[("chunk", 2, Fault::Status(403))]);
    case.run(&server.client()).await.unwrap_err();
    let mut other = contents(LARGE);
    other[5] ^= 1;
    std::fs::write(&case.upload.file, &other).unwrap();
    let sums = checksums(&case.upload.file, &AtomicU64::new(0)).unwrap();
    let changed = Upload {
        name: sums.object_name("runs/7", "train"),
        checksums: sums,
        ..case.upload.clone()
    };
    server.lock().faults.clear();
    let uploaded = storage::upload(&server.client(), &changed).await.unwrap();
    assert_eq!(uploaded.how, How::Sent);
    assert_eq!(server.lock().objects[&changed.name].bytes, other);
}

#[tokio::test]
async fn a_file_that_changed_is_never_an_object() {
    for length in [SMALL, LARGE] {
        let case = case(length);
        let mut other = case.contents.clone();
        other[length / 2] ^= 1;
        std::fs::write(&case.upload.file, other).unwrap();
        let server = Server::start();
        let error = case.run(&server.client()).await.unwrap_err();
        assert!(matches!(error, UploadError::Changed { .. }), "{error:?}");
        assert!(server.lock().objects.is_empty() && !case.state().exists());
        assert_eq!(server.count("cancel"), usize::from(length == LARGE));
        std::fs::write(&case.upload.file, "shorter").unwrap();
        let error = case.run(&server.client()).await.unwrap_err();
        let expected = format!("it has 7 bytes, not {length}");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn what_is_stored_wrong_is_deleted() {
    for length in [SMALL, LARGE] {
        let (server, case) = (Server::start(), case(length));
        server.lock().is_corrupting = true;
        let error = case.run(&server.client()).await.unwrap_err();
        assert!(
            matches!(error, UploadError::Damaged { deleted: true, .. }),
            "{error:?}"
        );
        assert!(server.lock().objects.is_empty());
    }
}

#[tokio::test]
async fn what_has_no_checksum_is_read_for_it() {
    let (server, case) = (Server::start(), case(SMALL));
    server.lock().is_silent = true;
    case.run(&server.client()).await.unwrap();
    assert_eq!(server.kinds(), ["object", "insert", "media"]);
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused() {
    let (server, case) = (Server::start(), case(SMALL));
    let other = crate::server::Stored {
        bytes: vec![0; SMALL],
        generation: 9,
    };
    server
        .lock()
        .objects
        .insert(case.upload.name.clone(), other);
    let error = case.run(&server.client()).await.unwrap_err();
    assert!(matches!(error, UploadError::Taken { .. }), "{error:?}");
    assert_eq!(server.lock().objects[&case.upload.name].generation, 9);
}

#[tokio::test]
async fn an_end_that_is_asked_for_keeps_what_is_stored() {
    let case = case(LARGE);
    let server = Server::start();
    let flag = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let options = ClientOptions {
        stop: Stop::from(Arc::clone(&flag)),
        ..server.options()
    };
    let client = Client::new(options).unwrap();
    let watch = async {
        while server.count("chunk") < 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        flag.store(true, Ordering::Relaxed);
    };
    let (ended, ()) = tokio::join!(case.run(&client), watch);
    // It may have been faster than the flag.
    if let Err(error) = ended {
        let UploadError::Call { source, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(source.is_stopped());
        assert!(case.state().exists());
        let resumed = case.run(&server.client()).await.unwrap();
        assert!(
            matches!(resumed.how, How::Resumed(_) | How::WasThere),
            "{:?}",
            resumed.how
        );
    }
    assert!(case.is_stored(&server));
}

#[tokio::test]
async fn objects_are_listed_read_and_deleted() {
    let server = Server::start();
    let client = server.client();
    for name in ["a/1", "a/2", "a/ä 3", "b"] {
        let stored = crate::server::Stored {
            bytes: name.into(),
            generation: 1,
        };
        server.lock().objects.insert(name.into(), stored);
    }
    let listed = storage::list(&client, "bucket", "a/").await.unwrap();
    let names: Vec<_> = listed.iter().map(|object| &*object.name).collect();
    assert_eq!(names, ["a/1", "a/2", "a/ä 3"]);
    let mut out = Vec::new();
    let (bytes, _) = storage::read(&client, &listed[2], &mut out).await.unwrap();
    assert_eq!((bytes, &*out), (6, "a/ä 3".as_bytes()));
    assert!(storage::delete(&client, &listed[2]).await.unwrap());
    assert!(!storage::delete(&client, &listed[2]).await.unwrap());
    assert!(
        storage::object(&client, "bucket", "a/ä 3")
            .await
            .unwrap()
            .is_none()
    );
    let newer = storage::Object {
        generation: 7,
        ..listed[0].clone()
    };
    assert!(!storage::delete(&client, &newer).await.unwrap());
    assert!(
        storage::object(&client, "bucket", "a/1")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn no_secret_is_written_down() {
    let case = case(LARGE);
    let server =
        Server::with_faults(&[("chunk", 2, Fault::Reset), ("chunk", 4, Fault::Status(403))]);
    let (client, lines) = server.logged_client();
    let error = case.run(&client).await.unwrap_err();
    let text = format!(
        "{} {error} {error:?} {client:?} {:?}",
        lines.text(),
        case.upload
    );
    assert!(
        text.contains("/upload/storage/v1/b/bucket/o?upload_id=•••"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
}
