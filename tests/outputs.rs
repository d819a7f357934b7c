//! What `prep` leaves on the disk, whatever happens to it: whole files or
//! none, and nobody's work written over.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use run::{Place, Started, lines_of};
use serde_json::Value;

const TABLE: &str = "source,target\na,b\nc,d\n";

#[test]
fn the_same_run_twice_gives_the_same_files() {
    let place = Place::with("in.csv", TABLE);
    place.convert(&["in.csv"]);
    let names = place.names();
    let before: Vec<_> = names.iter().map(|name| place.read(name)).collect();
    let run = place.convert(&["in.csv"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert_eq!(place.names(), names);
    for (name, before) in names.iter().zip(before) {
        assert!(place.read(name) == before, "`{name}` is another");
    }
    // A run with other settings may take its place.
    place.convert(&["in.csv", "--user", "Say: {source}"]);
    assert_eq!(run::text(&place.examples()[0], 0), "Say: a");
}

#[test]
fn rejects_of_an_earlier_run_do_not_stay() {
    let place = Place::with("in.csv", format!("{TABLE}ragged\n"));
    place.convert(&["in.csv"]);
    assert_eq!(place.rejects().len(), 1);
    place.write("in.csv", TABLE);
    place.convert(&["in.csv"]);
    assert!(!place.has("train.rejects.jsonl"));
}

#[test]
fn a_file_that_someone_edited_is_kept() {
    for name in ["train.jsonl", "train.passport", "train.rejects.jsonl"] {
        let place = Place::with("in.csv", format!("{TABLE}ragged\n"));
        place.convert(&["in.csv"]);
        let mut edited = place.read(name);
        // As long as before: only its checksum tells.
        let last = edited.len() - 3;
        edited[last] ^= 1;
        place.write(name, &edited);
        place.write("in.csv", "source,target\nother,text\n");
        let others: Vec<_> = place.names();
        let before: Vec<_> = others.iter().map(|name| place.read(name)).collect();

        let run = place.prep(&["convert", "in.csv"]);
        assert_eq!(run.status.code(), Some(2), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("`{name}`")) && run.stderr.contains("--force"));
        let after: Vec<_> = others.iter().map(|name| place.read(name)).collect();
        assert!(before == after && others == place.names(), "{name}");

        let run = place.convert(&["in.csv", "--force"]);
        assert_eq!(run.status.code(), Some(0), "{name}: {}", run.stderr);
        assert_eq!(run::text(&place.examples()[0], 0), "other");
        let run = place.convert(&["in.csv"]);
        assert_eq!(run.status.code(), Some(0), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_file_that_prep_did_not_write_is_kept() {
    for name in [
        "train.jsonl",
        "train.passport",
        "train.rejects.jsonl",
        "train.manifest.json",
    ] {
        let place = Place::with("in.csv", format!("{TABLE}ragged\n"));
        place.write(name, "mine\n");
        let run = place.prep(&["convert", "in.csv"]);
        assert_eq!(run.status.code(), Some(2), "{name}: {}", run.stderr);
        assert_eq!(place.read(name), b"mine\n");
        assert_eq!(place.names().len(), 2, "{:?}", place.names());
        let run = place.convert(&["in.csv", "--force"]);
        assert_eq!(run.status.code(), Some(0), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_summary_does_not_replace_what_is_no_summary() {
    let place = Place::with("in.csv", TABLE);
    place.write("notes.txt", "mine\n");
    let run = place.prep(&["convert", "in.csv", "--summary", "notes.txt"]);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    assert_eq!(place.read("notes.txt"), b"mine\n");
    assert_eq!(place.names().len(), 2, "{:?}", place.names());
    place.prep(&["convert", "in.csv", "--summary", "notes.txt", "--force"]);
    assert!(place.read("notes.txt").starts_with(b"{"));
    // A summary of an earlier run may go.
    place.write("in.csv", "source,target\na,b\n");
    let run = place.prep(&["convert", "in.csv", "--summary", "notes.txt"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
}

#[test]
fn strict_is_a_no_where_something_was_rejected() {
    let place = Place::with("in.csv", format!("{TABLE}ragged\n"));
    let run = place.convert(&["in.csv"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let run = place.convert(&["in.csv", "--strict"]);
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    assert_eq!(place.examples().len(), 2);
    // A note is no reject.
    place.write("in.csv", format!("{TABLE}\n"));
    let run = place.convert(&["in.csv", "--strict"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
}

#[test]
fn quiet_is_quiet_but_for_errors() {
    let place = Place::with("in.csv", format!("{TABLE}ragged\n"));
    let run = place.prep(&["convert", "-q", "in.csv"]);
    assert_eq!(run.status.code(), Some(0));
    assert_eq!((run.stdout, run.stderr.as_str()), (Vec::new(), ""));
    let run = place.prep(&["convert", "-q", "none.csv"]);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    // Without it, data still goes to standard output alone.
    let run = place.prep(&["convert", "in.csv", "-o", "-"]);
    assert_eq!(lines_of(&run.stdout).len(), 2);
    assert!(
        run.stderr
            .contains("3 read = 2 written + 1 rejected (S003 1)")
    );
}

/// Fails: they go to a file whose name is `-`.
#[test]
fn rejects_to_standard_output_make_no_file_called_so() {
    let place = Place::with("in.csv", format!("{TABLE}ragged\n"));
    let run = place.prep(&["convert", "-q", "in.csv", "--rejects", "-"]);
    assert!(!place.has("-"), "{:?}", place.names());
    match run.status.code() {
        Some(2) => assert!(run.stderr.contains("--rejects"), "{}", run.stderr),
        _ => assert_eq!(lines_of(&run.stdout)[0]["code"], "S003"),
    }
}

#[test]
fn the_summary_has_its_shape() {
    let place = Place::with("in.csv", format!("{TABLE}ragged\n\n"));
    let run = place.convert(&["in.csv"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let summary: Value = serde_json::from_slice(&place.read("summary.json")).unwrap();
    let data = place.read("train.jsonl");
    assert_eq!(summary["schema"], 1);
    assert_eq!(summary["command"], "convert");
    assert_eq!(
        summary["ledger"],
        serde_json::json!({
            "read": 3, "written": 2, "dropped": {}, "rejected": {"S003": 1}, "notes": {"S002": 1},
        })
    );
    assert_eq!(summary["inputs"].as_array().unwrap().len(), 1);
    let outputs = summary["outputs"].as_array().unwrap();
    assert_eq!(outputs[0]["path"], "train.jsonl");
    assert_eq!(outputs[0]["examples"], 2);
    assert_eq!(outputs[0]["bytes"], data.len());
    let sha256 = outputs[0]["sha256"].as_str().unwrap();
    assert_eq!(sha256.len(), 64);
    if let Ok(output) = Command::new("sha256sum")
        .arg(place.path("train.jsonl"))
        .output()
    {
        let expected = String::from_utf8(output.stdout).unwrap();
        assert_eq!(sha256, &expected[..64]);
    }
    // The manifest tells the same.
    let manifest: Value = serde_json::from_slice(&place.read("train.manifest.json")).unwrap();
    assert_eq!(manifest["ledger"], summary["ledger"]);
    assert_eq!(manifest["outputs"][0]["blake3"], outputs[0]["blake3"]);
    // To standard output as well.
    let run = place.prep(&["convert", "-q", "in.csv", "--summary", "-"]);
    let printed: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(printed, summary);
}

#[test]
fn a_trace_knows_when_a_file_is_not_the_one_it_was() {
    let place = Place::with("in.csv", TABLE);
    place.convert(&["in.csv"]);
    let trace = |expected: i32, words: &str| {
        let run = place.prep(&["trace", "train.jsonl:2"]);
        let told = String::from_utf8(run.stdout).unwrap() + &run.stderr;
        assert_eq!(run.status.code(), Some(expected), "{told}");
        assert!(told.contains(words), "{told}");
    };
    trace(0, "3 | c,d");
    place.write("in.csv", TABLE.replace('c', "e"));
    trace(1, "was changed since");
    fs::remove_file(place.path("in.csv")).unwrap();
    trace(1, "cannot be read");
    let edited = String::from_utf8(place.read("train.jsonl"))
        .unwrap()
        .replace('d', "x");
    place.write("train.jsonl", edited);
    trace(2, "is not the one its passport knows");
    let run = place.prep(&["trace", "train.jsonl:3"]);
    assert!(run.status.code() == Some(2) && run.stderr.contains("no line 3"));
}

/// A table that takes a while: about 50 MB.
fn large_table() -> String {
    let answer = "an answer that goes on for a while, and then some more ".repeat(4);
    let mut table = "source,target\n".to_owned();
    for n in 0..200_000 {
        table.push_str(&format!("the prompt of row {n},\"{answer}\"\n"));
    }
    table
}

#[test]
fn a_killed_run_leaves_the_old_dataset_or_the_whole_new_one() {
    let place = Place::with("in.csv", large_table());
    place.write("small.csv", TABLE);
    let started = Instant::now();
    place.prep(&["convert", "in.csv"]);
    let duration = started.elapsed();
    let whole = place.read("train.jsonl");
    assert_eq!(whole.iter().filter(|&&byte| byte == b'\n').count(), 200_000);
    place.convert(&["small.csv"]);
    let small = place.read("train.jsonl");

    let nanos = || {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .subsec_nanos()
    };
    let check = |started: Started, when: &str| {
        let mut started = started;
        started.child.kill().unwrap();
        started.wait();
        let found = place.read("train.jsonl");
        assert!(
            found == small || found == whole,
            "killed {when}: `train.jsonl` is neither the old nor the new one"
        );
        // Whatever was left there does not stand in the way.
        let next = place.prep(&["convert", "small.csv"]);
        assert_eq!(
            next.status.code(),
            Some(0),
            "killed {when}: {}",
            next.stderr
        );
        assert!(place.read("train.jsonl") == small);
        let traced = place.prep(&["trace", "train.jsonl:2"]);
        assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    };
    for part in [0.02, 0.3, 0.7, 0.85, 0.95, 1.0] {
        let started = place.start(&["convert", "-q", "in.csv"]);
        let jitter = f64::from(nanos() % 1000) / 1000.0 * 0.1;
        std::thread::sleep(duration.mul_f64(part + jitter));
        check(started, &format!("at {part}"));
    }
    // Where the files take their places.
    for n in 0..8 {
        let mut started = place.start(&["convert", "-q", "in.csv"]);
        wait_for(|| {
            place.has(".train.manifest.json.partial") || started.child.try_wait().unwrap().is_some()
        });
        std::thread::sleep(Duration::from_micros(u64::from(nanos() % 1000) * n));
        check(started, "at the renames");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_and_ends_by_the_signal() {
    use std::os::unix::process::ExitStatusExt;

    let place = Place::with("in.csv", large_table());
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        for wait_ms in [0, 15] {
            let started = place.start(&["convert", "in.csv"]);
            wait_for(|| place.has(".train.jsonl.partial"));
            std::thread::sleep(Duration::from_millis(wait_ms));
            let process = started.child.id().to_string();
            let sent = Command::new("kill")
                .args(["-s", signal, &process])
                .status()
                .unwrap();
            assert!(sent.success());
            let run = started.wait();
            assert_eq!(
                run.status.signal(),
                Some(number),
                "{}: {}",
                run.status,
                run.stderr
            );
            assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
            assert_eq!(place.names(), ["in.csv"]);
        }
    }
}

/// Fails: while it waits for input, a run does not hear the signal; a second
/// one ends it and leaves the temporary files.
#[cfg(unix)]
#[test]
fn a_run_that_waits_for_input_can_be_interrupted() {
    use std::os::unix::process::ExitStatusExt;

    let place = Place::new();
    let mut command = place.command(&["convert", "-"]);
    let command = command.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"source,target\n").unwrap();
    (0..100_000).for_each(|n| writeln!(stdin, "row {n},text").unwrap());
    stdin.flush().unwrap();
    wait_for(|| place.has(".train.jsonl.partial"));
    std::thread::sleep(Duration::from_millis(500));
    let process = child.id().to_string();
    Command::new("kill")
        .args(["-s", "INT", &process])
        .status()
        .unwrap();
    let since = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            None if since.elapsed() < Duration::from_secs(2) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            status => break status,
        }
    };
    // Whatever came of it, the process ends here.
    drop(stdin);
    child.wait().unwrap();
    let status = status.expect("the run ends when it is interrupted");
    assert_eq!(status.signal(), Some(2), "{status}");
    assert_eq!(place.names(), [""; 0]);
}

/// Waits until something holds, as long as a run may take.
fn wait_for(mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(20), "it never came");
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_reader_that_leaves_ends_the_run_quietly() {
    let place = Place::with("in.csv", large_table());
    let mut command = place.command(&["convert", "in.csv", "-o", "-", "-q"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut head = [0; 1000];
    stdout.read_exact(&mut head).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0), "{}", output.status);
    assert_eq!(place.names(), ["in.csv"]);
}

#[test]
fn the_second_of_two_runs_is_told_of_the_first() {
    let place = Place::with("in.csv", TABLE);
    let mut command = place.command(&["convert", "-"]);
    let mut first = command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = first.stdin.take().unwrap();
    stdin.write_all(b"source,target\n").unwrap();
    // More than is looked at before the outputs are begun.
    (0..100_000).for_each(|n| writeln!(stdin, "row {n},text").unwrap());
    stdin.flush().unwrap();
    wait_for(|| place.has(".train.jsonl.partial"));

    let mut command = place.command(&["convert", "in.csv"]);
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("is being written by another run"),
        "{stderr}"
    );
    // Another output is nobody's business.
    let mut command = place.command(&["convert", "in.csv", "-o", "other.jsonl"]);
    assert!(command.stderr(Stdio::null()).status().unwrap().success());

    drop(stdin);
    assert!(first.wait().unwrap().success());
    assert_eq!(place.examples().len(), 100_000);
    assert_eq!(place.partials(), [""; 0]);
}
