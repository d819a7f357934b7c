//! Google's own clients against the emulator: an oracle that is not ours.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use prep_emulator::Options;

use crate::client::World;

#[test]
#[ignore = "needs Python with google-cloud-storage and google-genai: `cargo xtask oracle-emulator`"]
fn googles_own_clients_are_content() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    options.pace = Duration::from_secs(3);
    let world = World::with(options);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/official_clients.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python)
        .arg(script)
        .arg(world.emulator().base_url())
        .arg(world.emulator().key_file())
        .output()
        .unwrap();
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{errors}");
    assert!(
        out.trim_end().ends_with("Google's clients are content"),
        "{out}"
    );
}
