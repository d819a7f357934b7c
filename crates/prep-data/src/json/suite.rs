//! The reader against Nicolas Seriot's JSONTestSuite.

use std::path::{Path, PathBuf};

use super::{Document, Error, ErrorKind};

/// What the suite accepts and we refuse, by design.
const DUPLICATES: [&str; 2] = [
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
];

#[test]
fn the_suite_is_accepted_and_refused_as_its_names_say() {
    let n_files = each_file(|name, text, outcome| match (name.as_bytes()[0], outcome) {
        (b'y', Err(error)) if DUPLICATES.contains(&name) => {
            assert!(
                matches!(error.kind, ErrorKind::DuplicateKey(_)),
                "{name}: {error}"
            );
        }
        (b'y', Err(error)) => panic!("{name}: {error} at {}", error.offset),
        (b'y', Ok(())) => assert!(!DUPLICATES.contains(&name), "{name} is accepted"),
        (b'n', Ok(())) => panic!("{name} is accepted"),
        (_, Err(error)) => assert!(error.offset <= text.len(), "{name}: {error}"),
        (_, Ok(())) => {}
    });
    assert!(
        n_files == 0 || n_files > 200,
        "{n_files} files are not the suite"
    );
}

fn each_file(check: impl Fn(&str, &[u8], Result<(), Error>)) -> usize {
    let files = suite();
    let mut document = Document::new();
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read(path).unwrap();
        check(name, &text, document.parse(&text).map(|_| ()));
    }
    files.len()
}

#[expect(clippy::print_stderr, reason = "a suite that is not run must be seen")]
fn suite() -> Vec<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = shared.join("nasty/JSONTestSuite");
    let Ok(files) = std::fs::read_dir(&folder) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing",
            folder.display()
        );
        eprintln!("SKIPPED: {} is missing", folder.display());
        return Vec::new();
    };
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect()
}
