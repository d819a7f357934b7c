//! The arrows of ARCHITECTURE.md: who may use whom.
//!
//! Inside `prep-data` the rooms are modules, and an arrow is a `crate::room`
//! in a room's files. Across crates an arrow is a dependency.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each room of `prep-data` may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("diag", &[]),
    ("text", &[]),
    ("example", &[]),
    ("json", &["example"]),
    ("io", &[]),
    ("source", &["diag", "example", "io", "json"]),
    ("rules", &["diag", "text", "example", "json"]),
    (
        "pipeline",
        &["diag", "text", "example", "json", "io", "source", "rules"],
    ),
];

/// Which of our crates each crate may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("prep-data", &[]),
    ("prep-eval", &[]),
    ("prep-emulator", &[]),
    ("prep-submit", &["prep-data"]),
    (
        "prep",
        &["prep-data", "prep-eval", "prep-submit", "prep-emulator"],
    ),
    ("xtask", &["prep-data"]),
];

/// Words that a library crate does not say, each with where it may.
const WORDS: &[(&str, &[&str])] = &[
    ("std::env", &[]),
    ("anyhow", &[]),
    ("std::thread", &["pipeline"]),
    ("rayon", &["pipeline"]),
    ("fs::read", &["io"]),
    ("fs::write", &["io"]),
    ("File::open", &["io"]),
    ("File::create", &["io"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The files of a room with their text, tests left out: a test may reach for
/// anything that makes it clearer.
fn room_files(room: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    if room.is_dir() {
        rust_files(room, &mut files);
    }
    let is_test = |path: &Path| {
        let stem = path.file_stem().unwrap().to_string_lossy();
        let is_in_tests = path.components().any(|part| part.as_os_str() == "tests");
        is_in_tests || ["tests", "contract", "laws", "suite", "speed", "check"].contains(&&*stem)
    };
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let test_modules = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod "];
        let end = test_modules
            .iter()
            .filter_map(|opening| text.find(opening))
            .min();
        let code = text[..end.unwrap_or(text.len())].to_owned();
        (path, code)
    };
    files
        .into_iter()
        .filter(|path| !is_test(path))
        .map(read)
        .collect()
}

#[test]
fn rooms_use_what_they_may() {
    let source = root().join("crates/prep-data/src");
    let mut stray = Vec::new();
    for (room, allowed) in ROOMS {
        for (path, text) in room_files(&source.join(room)) {
            for (number, line) in (1..).zip(text.lines()) {
                let used = line.split("crate::").skip(1).map(|rest| {
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    &rest[..end.unwrap_or(rest.len())]
                });
                for other in used.filter(|other| ROOMS.iter().any(|(name, _)| name == other)) {
                    if other != *room && !allowed.contains(&other) {
                        stray.push(format!(
                            "{}:{number}: `{room}` uses `{other}`",
                            path.display()
                        ));
                    }
                }
            }
        }
    }
    assert!(stray.is_empty(), "{}", stray.join("\n"));
}

#[test]
fn every_room_has_its_arrows() {
    let source = root().join("crates/prep-data/src");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "lib" || ROOMS.iter().any(|(room, _)| *room == name),
            "the room `{name}` is not in the table of arrows"
        );
    }
}

#[test]
fn libraries_leave_the_surroundings_alone() {
    let source = root().join("crates/prep-data/src");
    let mut stray = Vec::new();
    for (room, _) in ROOMS {
        for (path, text) in room_files(&source.join(room)) {
            for (word, allowed) in WORDS.iter().filter(|(_, allowed)| !allowed.contains(room)) {
                if text.contains(word) {
                    let wanted = if allowed.is_empty() {
                        "no room"
                    } else {
                        allowed[0]
                    };
                    stray.push(format!("{}: `{word}` belongs to {wanted}", path.display()));
                }
            }
        }
    }
    assert!(stray.is_empty(), "{}", stray.join("\n"));
}

#[test]
fn crates_depend_on_what_they_may() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() >= 3);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = CRATES.iter().find(|(known, _)| *known == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let is_ours = CRATES.iter().any(|(known, _)| *known == other);
            assert!(
                !is_ours || allowed.contains(&other),
                "`{name}` depends on `{other}`"
            );
        }
    }
}
