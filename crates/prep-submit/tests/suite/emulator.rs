//! Uploads to `gcp-storage-emulator` of PyPI, which others wrote. It is used
//! where Python has it (`pip install gcp-storage-emulator`), by the Python that
//! `PREP_TEST_PYTHON` names or by `python3`.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prep_submit::storage::{self, How, Upload, checksums};
use prep_submit::{Client, ClientOptions, Credentials, Endpoints, Environment};

struct Emulator {
    process: Child,
    port: u16,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Starts the emulator, or says loudly that it is not there.
fn start() -> Option<Emulator> {
    let python = std::env::var("PREP_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_it = Command::new(&python)
        .args(["-c", "import gcp_storage_emulator"])
        .stderr(Stdio::null())
        .status();
    if !has_it.is_ok_and(|status| status.success()) {
        eprintln!(
            "SKIPPED: `{python}` has no gcp-storage-emulator; pip install it to run this test"
        );
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let process = Command::new(&python)
        .args([
            "-m",
            "gcp_storage_emulator",
            "start",
            "--host=127.0.0.1",
            "--in-memory",
            "--quiet",
        ])
        .args([
            format!("--port={port}"),
            "--default-bucket=acme-mt".to_owned(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let emulator = Emulator { process, port };
    for _ in 0..400 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(emulator);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("gcp-storage-emulator did not start within 20 s");
}

#[tokio::test]
async fn an_emulator_of_others_takes_uploads() {
    let Some(emulator) = start() else { return };
    let environment = Environment {
        storage_base: Some(format!("127.0.0.1:{}", emulator.port)),
        ..Environment::default()
    };
    let endpoints = Endpoints::from_environment(&environment).unwrap();
    let client = Client::new(ClientOptions::new(endpoints, Credentials::anonymous())).unwrap();
    let directory = tempfile::tempdir().unwrap();
    // In one request; in pieces, the last one odd; in pieces that end even.
    for length in [0, 5000, (20 << 20) + 77, 16 << 20] {
        let file = directory.path().join("train.jsonl");
        let line = b"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"\xc3\xa4\"}]}]}\r\n";
        let contents: Vec<u8> = line.iter().copied().cycle().take(length).collect();
        std::fs::write(&file, &contents).unwrap();
        let sums = checksums(&file, &AtomicU64::new(0)).unwrap();
        let name = sums.object_name("runs/ä 7", "train");
        let upload = Upload {
            state: Some(directory.path().join("state.json")),
            piece: 4 << 20,
            ..Upload::new(&file, sums.clone(), "acme-mt", &name)
        };
        let uploaded = storage::upload(&client, &upload).await.unwrap();
        assert_eq!(uploaded.how, How::Sent, "{length}");
        assert_eq!(uploaded.object.crc32c, Some(sums.crc32c));
        let mut back = Vec::new();
        storage::read(&client, &uploaded.object, &mut back)
            .await
            .unwrap();
        assert!(back == contents, "{length}");
        let again = storage::upload(&client, &upload).await.unwrap();
        assert_eq!(again.how, How::WasThere);
    }
    let listed = storage::list(&client, "acme-mt", "runs/ä 7/")
        .await
        .unwrap();
    assert_eq!(listed.len(), 4);
    assert!(storage::bucket(&client, "acme-mt").await.unwrap().is_some());
    assert!(storage::bucket(&client, "nobody").await.unwrap().is_none());
    let object = &listed[0];
    assert!(storage::delete(&client, object).await.unwrap());
    assert!(
        storage::object(&client, "acme-mt", &object.name)
            .await
            .unwrap()
            .is_none()
    );
}
