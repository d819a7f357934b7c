//! Runs every `console` block of the documentation and of `tests/cmd`.
//!
//! A block is a session in a shell: lines that begin with `$ ` are commands,
//! what follows is all that the command prints, and `[exit N]` stands behind a
//! command that ends with another status than 0. The blocks of one file run
//! in one directory of their own, in order, with the project's `fixtures`
//! beside them. `...` alone on a line stands for any lines, and `[..]` within
//! one for any text: a time, a name that the service gives.
//!
//! A Chinese page has the sessions of the English one, which are run there
//! only; that they are the same is a test of its own.
//!
//! `UPDATE_TRANSCRIPTS=1 cargo test --test transcripts` writes what commands
//! print into the files: read the difference before committing it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Sessions of several files run at once: a rehearsal mostly waits.
const WORKERS: usize = 4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files with sessions, in any language.
fn pages() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md"), root().join("README.zh.md")];
    for directory in ["tests/cmd", "docs"] {
        let entries = fs::read_dir(root().join(directory)).into_iter().flatten();
        documents.extend(entries.map(|entry| entry.unwrap().path()));
    }
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    documents
}

/// The files whose sessions are run.
fn documents() -> Vec<PathBuf> {
    let mut documents = pages();
    documents.retain(|path| english_of(path).is_none());
    documents
}

/// The page of which this one is the Chinese version.
fn english_of(path: &Path) -> Option<PathBuf> {
    let stem = path.to_str().unwrap().strip_suffix(".zh.md")?;
    Some(PathBuf::from(format!("{stem}.md")))
}

/// The `console` blocks of a page.
fn sessions(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```console\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_translated_page_has_the_sessions_of_the_original() {
    let mut n_pages = 0;
    for page in pages() {
        let Some(english) = english_of(&page) else {
            continue;
        };
        n_pages += 1;
        let (translated, original) = (sessions(&page), sessions(&english));
        assert_eq!(translated.len(), original.len(), "{}", page.display());
        for (translated, original) in translated.iter().zip(&original) {
            assert_eq!(translated, original, "{}", page.display());
        }
    }
    assert!(n_pages >= 3, "only {n_pages} translated pages were found");
}

#[test]
fn sessions_print_what_is_written() {
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let documents = documents();
    let (next, n_commands) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut differences = Vec::new();
        while let Some(document) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = fs::read_to_string(document).unwrap();
            let played = play(&text, &n_commands);
            if played == text {
                continue;
            }
            if update {
                fs::write(document, &played).unwrap();
            }
            let difference = difference(&text, &played);
            differences.push(format!("{}:\n{difference}", document.display()));
        }
        differences
    };
    let mut differences: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let played = workers.into_iter().map(|worker| worker.join().unwrap());
        played.flatten().collect()
    });
    differences.sort();
    let differences = differences.concat();
    let n_commands = n_commands.into_inner();
    assert!(n_commands > 20, "only {n_commands} commands were found");
    assert!(update || differences.is_empty(), "{differences}");
}

/// The document with the sessions as they go now.
fn play(text: &str, n_commands: &AtomicUsize) -> String {
    let directory = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root().join("fixtures"), directory.path().join("fixtures")).unwrap();
    let mut played = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(played, "{line}").unwrap();
        if line.trim() != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| line.trim() != "```") {
            let Some(first) = line.strip_prefix("$ ") else {
                panic!("a session begins with a command, not with `{line}`");
            };
            writeln!(played, "{line}").unwrap();
            let mut command = first.to_owned();
            // A here-document or a line that ends with a backslash goes on.
            while command.ends_with('\\') || is_open_document(&command) {
                let line = lines.next().expect("a command comes to its end");
                writeln!(played, "{line}").unwrap();
                write!(command, "\n{line}").unwrap();
            }
            let mut expected = Vec::new();
            while let Some(line) =
                lines.next_if(|line| !line.starts_with("$ ") && line.trim() != "```")
            {
                expected.push(line);
            }
            n_commands.fetch_add(1, Ordering::Relaxed);
            let actual = run(&command, directory.path());
            let actual: Vec<_> = actual.lines().collect();
            let shown = if agrees(&expected, &actual) {
                expected
            } else {
                actual
            };
            shown
                .iter()
                .for_each(|line| writeln!(played, "{line}").unwrap());
        }
    }
    if text.ends_with('\n') {
        played
    } else {
        played.trim_end_matches('\n').to_owned()
    }
}

fn is_open_document(command: &str) -> bool {
    let mut lines = command.lines();
    let first = lines.next().unwrap_or_default();
    let Some((_, mark)) = first.split_once("<<") else {
        return false;
    };
    let mark = mark.trim_start_matches(['-', '\'']);
    let mark: String = mark.chars().take_while(|c| c.is_alphanumeric()).collect();
    !mark.is_empty() && !lines.any(|line| line == mark)
}

/// What a command prints, and its status if that is not 0.
fn run(command: &str, directory: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_prep"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", binary.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(directory)
        .env("PATH", path)
        .env_remove("NO_COLOR")
        // What this machine knows of Google Cloud is no part of a session.
        .env_remove("GOOGLE_CLOUD_PROJECT")
        .env_remove("GCLOUD_PROJECT")
        .env_remove("GOOGLE_CLOUD_LOCATION")
        .env_remove("GOOGLE_VERTEX_BASE_URL")
        .env_remove("STORAGE_EMULATOR_HOST")
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    match output.status.code() {
        Some(0) => {}
        Some(status) => writeln!(printed, "[exit {status}]").unwrap(),
        None => printed.push_str("[killed]\n"),
    }
    printed
}

/// Whether a command printed what was expected, `...` standing for any lines.
fn agrees(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((&"...", rest)) => (0..=actual.len()).any(|n| agrees(rest, &actual[n..])),
        Some((first, rest)) => {
            let line = actual.first();
            line.is_some_and(|line| fits(first, line)) && agrees(rest, &actual[1..])
        }
    }
}

/// Whether a line is as expected, `[..]` standing for any text.
fn fits(expected: &str, actual: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == actual,
        Some((start, rest)) => actual.strip_prefix(start).is_some_and(|actual| {
            let mut ends = actual.char_indices().map(|(n, _)| n).chain([actual.len()]);
            ends.any(|n| fits(rest, &actual[n..]))
        }),
    }
}

#[test]
fn any_text_and_any_lines_are_as_expected() {
    assert!(fits("took [..] s, [..]", "took 1.5 s, é"));
    assert!(!fits("took [..] s", "took 1.5 ms"));
    assert!(fits("[..]", ""));
    assert!(agrees(&["a", "...", "[..] d"], &["a", "b", "c", "c d"]));
    assert!(!agrees(&["a", "..."], &["b"]));
}

fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = before
        .iter()
        .zip(&after)
        .take_while(|(a, b)| a == b)
        .count();
    let same_end = before[same..]
        .iter()
        .rev()
        .zip(after[same..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!("  from line {}:\n", same + 1);
    for line in &before[same..before.len() - same_end] {
        writeln!(text, "  - {line}").unwrap();
    }
    for line in &after[same..after.len() - same_end] {
        writeln!(text, "  + {line}").unwrap();
    }
    text
}
