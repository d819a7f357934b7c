//! `prep submit` while the services fail it, and while it is killed.
//!
//! Whatever fails, one of two things is true afterwards: the command has
//! succeeded, there is exactly one job, and its objects are the files byte for
//! byte; or it has said why not, and there is no job. And the same command
//! again makes the first of it.

#![cfg(feature = "cloud")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use run::played::{BUCKET, Played};
use run::{Place, Run};
use serde_json::{Value, json};

/// How many commands run at a time: most of their time they wait.
const AT_ONCE: usize = 6;

/// A submission that is disturbed.
#[derive(Debug, Clone)]
struct Row {
    faults: Vec<Value>,
    /// What is submitted beside the flags that all have.
    dataset: Dataset,
    is_followed: bool,
    expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dataset {
    /// A training and a validation set that each go in one request.
    Small,
    /// A training set that goes in two pieces.
    Pieces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// It must succeed all the same.
    Success,
    /// It must fail.
    Failure,
    /// It may do either.
    Either,
}

impl Dataset {
    const ALL: [&'static str; 3] = [
        "split/train.jsonl",
        "split/validation.jsonl",
        "pieces.jsonl",
    ];

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Small => &Self::ALL[..2],
            Self::Pieces => &Self::ALL[2..],
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Small => &[],
            Self::Pieces => &[
                "--train",
                "pieces.jsonl",
                "--no-validation",
                "--piece",
                "512K",
            ],
        }
    }
}

fn example(prompt: &str, answer: &str) -> String {
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    json!({"contents": [turn("user", prompt), turn("model", answer)]}).to_string() + "\n"
}

/// A place with a split, and with a file of so many bytes or a few more.
fn place(bytes: usize) -> Place {
    let place = Place::new();
    let rows = (0..30).map(|n| format!("Question {n}?,Respuesta {n}.\n"));
    let corpus: String = std::iter::once("source,target\n".to_owned())
        .chain(rows)
        .collect();
    place.write("corpus.csv", corpus);
    for arguments in [
        &["convert", "corpus.csv", "-q"][..],
        &["split", "--ratio", "0.8", "-q"],
    ] {
        let run = place.prep(arguments);
        assert!(run.status.success(), "{}", run.stderr);
    }
    let (mut pieces, mut n) = (String::new(), 0);
    while pieces.len() < bytes {
        n += 1;
        pieces += &example(
            &format!("Question {n}?"),
            &format!("{n} is it. ").repeat(200),
        );
    }
    place.write("pieces.jsonl", pieces);
    place
}

/// What strikes a request once and passes: asking again helps.
fn passing() -> Vec<Value> {
    vec![
        json!({"kind": "status", "code": 408}),
        json!({"kind": "status", "code": 429, "retry_after": 1}),
        json!({"kind": "status", "code": 503}),
        json!({"kind": "reset_before"}),
    ]
}

/// What strikes a request after it has had its effect, or hurts the answer.
fn after() -> Vec<Value> {
    vec![
        json!({"kind": "status_after", "code": 500}),
        json!({"kind": "reset_after"}),
        json!({"kind": "slow", "delay_ms": 3}),
        json!({"kind": "truncate", "after": 20}),
    ]
}

/// What says no.
fn refusing() -> Vec<Value> {
    let statuses = [400, 403, 404];
    let refusals = statuses.map(|code| json!({"kind": "status", "code": code}));
    refusals.into()
}

/// What is for storage, and need not mean anything to a request.
fn of_storage() -> Vec<Value> {
    vec![
        json!({"kind": "wrong_crc"}),
        json!({"kind": "store_less", "bytes": 262_144}),
        json!({"kind": "store_less", "bytes": 0}),
        json!({"kind": "lose_session"}),
    ]
}

fn fault(operation: &str, nth: u64, times: u64, effect: &Value) -> Value {
    json!({"operation": operation, "nth": nth, "times": times, "effect": effect})
}

/// The bytes of a dataset that goes in two pieces of 512 KiB.
const PIECES: usize = 800_000;

const CREATE: &str = "aiplatform.tuningJobs.create";

/// The rows for the operations that an undisturbed submission performs, so
/// many times each.
fn rows(performed: &BTreeMap<&'static str, u64>, dataset: Dataset, is_followed: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |faults: Vec<Value>, expected| {
        rows.push(Row {
            faults,
            dataset,
            is_followed,
            expected,
        });
    };
    for (&operation, &n) in performed {
        let is_create = operation == CREATE;
        let once = |expected, other| if is_create { other } else { expected };
        for nth in 1..=n {
            // The first is disturbed in every way, the others in few.
            let is_wanted = |effect: &&Value| {
                let few = [
                    json!({"kind": "status", "code": 503}),
                    json!({"kind": "status", "code": 403}),
                    json!({"kind": "reset_after"}),
                    json!({"kind": "wrong_crc"}),
                    json!({"kind": "store_less", "bytes": 0}),
                ];
                nth == 1 || few.contains(effect)
            };
            for effect in passing().iter().filter(is_wanted) {
                // A launch is not repeated; that a status came before the
                // effect cannot be seen.
                let expected = once(Expected::Success, Expected::Failure);
                add(vec![fault(operation, nth, 1, effect)], expected);
            }
            for effect in after().iter().filter(is_wanted) {
                add(vec![fault(operation, nth, 1, effect)], Expected::Success);
            }
            let of_tokens = [
                json!({"kind": "status", "code": 401}),
                json!({"kind": "expire_token"}),
            ];
            for effect in of_tokens.iter().filter(is_wanted) {
                let expected = match operation {
                    "oauth2.token" => Expected::Either,
                    _ => Expected::Success,
                };
                add(vec![fault(operation, nth, 1, effect)], expected);
            }
            let mut others = refusing();
            if operation.starts_with("storage.") {
                others.extend(of_storage());
            }
            for effect in others.iter().filter(is_wanted) {
                add(vec![fault(operation, nth, 1, effect)], Expected::Either);
            }
        }
        for effect in [
            json!({"kind": "status", "code": 401}),
            json!({"kind": "status", "code": 403}),
            json!({"kind": "status", "code": 503}),
            json!({"kind": "reset_after"}),
            json!({"kind": "expire_token"}),
            json!({"kind": "lose_session"}),
        ] {
            let of_sessions = effect["kind"] == "lose_session";
            if of_sessions && !operation.starts_with("storage.upload.") {
                continue;
            }
            add(vec![fault(operation, 1, 0, &effect)], Expected::Either);
        }
    }
    rows
}

/// What an undisturbed submission performs, and how often.
fn performed(dataset: Dataset, flags: &[&str]) -> BTreeMap<&'static str, u64> {
    let (played, place) = (Played::start(), place(PIECES));
    let bucket = format!("gs://{BUCKET}");
    let flags = [dataset.flags(), flags, &["--bucket", &bucket]].concat();
    let run = played.submit(&place, &flags);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let mut counts = BTreeMap::new();
    for operation in played.operations() {
        *counts.entry(operation).or_default() += 1;
    }
    counts
}

#[test]
fn whatever_fails_there_is_one_job_or_none() {
    let small = performed(Dataset::Small, &["--no-wait"]);
    let expected = [
        ("aiplatform.tuningJobs.create", 1),
        ("aiplatform.tuningJobs.list", 2),
        ("oauth2.token", 1),
        ("storage.buckets.get", 1),
        ("storage.buckets.testIamPermissions", 1),
        ("storage.objects.get", 2),
        ("storage.objects.insert.multipart", 2),
    ];
    assert_eq!(small, expected.into());
    check(rows(&small, Dataset::Small, false));
}

#[test]
fn whatever_fails_an_upload_in_pieces_there_is_one_job_or_none() {
    let mut pieces = performed(Dataset::Pieces, &["--no-wait"]);
    pieces.retain(|operation, _| operation.starts_with("storage.upload."));
    let expected = [("storage.upload.chunk", 2), ("storage.upload.start", 1)];
    assert_eq!(pieces, expected.into());
    let mut rows = rows(&pieces, Dataset::Pieces, false);
    // A lost answer, and then something with the question what is stored.
    let lost = json!({"kind": "reset_after"});
    for effect in [passing(), after(), refusing(), of_storage()].concat() {
        let faults = vec![
            fault("storage.upload.chunk", 2, 1, &lost),
            fault("storage.upload.query", 1, 1, &effect),
        ];
        rows.push(Row {
            faults,
            dataset: Dataset::Pieces,
            is_followed: false,
            expected: Expected::Either,
        });
    }
    check(rows);
}

#[test]
fn whatever_fails_for_a_while_a_job_is_followed_to_its_end() {
    let mut followed = performed(Dataset::Small, &[]);
    let before = performed(Dataset::Small, &["--no-wait"]);
    followed.retain(|operation, _| !before.contains_key(operation));
    assert!(followed.contains_key("aiplatform.tuningJobs.get"));
    assert!(followed.len() > 1, "{followed:?}");
    let mut all = Vec::new();
    for operation in followed.keys() {
        for effect in [passing(), after()].concat() {
            all.push(Row {
                faults: vec![fault(operation, 1, 1, &effect)],
                dataset: Dataset::Small,
                is_followed: true,
                expected: Expected::Success,
            });
        }
    }
    check(all);
}

/// Runs every row, several at a time, and tells all that do not hold.
fn check(rows: Vec<Row>) {
    let n_rows = rows.len();
    let rest = Mutex::new(rows.into_iter().enumerate());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let (played, place) = (Played::start(), place(PIECES));
                loop {
                    let next = rest.lock().unwrap().next();
                    let Some((n, row)) = next else { return };
                    if let Err(problem) = check_row(&played, &place, n, &row) {
                        wrong.lock().unwrap().push(format!("{row:?}\n{problem}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {n_rows} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn check_row(played: &Played, place: &Place, n: usize, row: &Row) -> Result<(), String> {
    let name = format!("row-{n}");
    let bucket = format!("gs://{BUCKET}/{name}");
    let mut flags = vec!["--bucket", &bucket, "--display-name", &name];
    flags.extend(row.dataset.flags());
    flags.extend((!row.is_followed).then_some("--no-wait"));
    let n_before = played.requests().len();
    played.set_faults(&row.faults);
    let run = played.submit(place, &flags);
    played.set_faults(&[]);
    let status = run.status.code();
    let requests = played.requests().split_off(n_before);
    let n_struck = requests.iter().filter(|request| request.is_struck).count();
    if n_struck < row.faults.len() {
        return Err(told(&format!("only {n_struck} requests were struck"), &run));
    }
    match row.expected {
        Expected::Success if status != Some(0) => return Err(told("it failed", &run)),
        Expected::Failure if status == Some(0) => return Err(told("it succeeded", &run)),
        _ => {}
    }
    judge(played, place, row, &name, &run)?;
    if status == Some(0) {
        return Ok(());
    }
    let again = played.submit(place, &flags);
    if again.status.code() != Some(0) {
        return Err(told("the same command again failed", &again));
    }
    judge(played, place, row, &name, &again)
}

fn told(what: &str, run: &Run) -> String {
    format!("{what}: {}\n{}", run.status, run.stderr)
}

/// Whether what is there is what was said.
fn judge(played: &Played, place: &Place, row: &Row, name: &str, run: &Run) -> Result<(), String> {
    let mut jobs = played.jobs();
    jobs.retain(|job| job["tunedModelDisplayName"] == name);
    if run.status.code() == Some(0) {
        if jobs.len() != 1 {
            return Err(told(&format!("{} jobs", jobs.len()), run));
        }
        return whole(played, place, row.dataset, &jobs[0]).map_err(|what| told(&what, run));
    }
    if !jobs.is_empty() {
        return Err(told(&format!("failed with {} jobs", jobs.len()), run));
    }
    let has = |starts: &[&str]| {
        let mut lines = run.stderr.lines();
        lines.any(|line| starts.iter().any(|start| line.starts_with(start)))
    };
    if !has(&["error: "]) || !has(&["hint: ", "note: ", "  cause: "]) {
        return Err(told("it does not say what is wrong", run));
    }
    Ok(())
}

/// Whether a job's objects are the files, and nothing is left of the uploads.
fn whole(played: &Played, place: &Place, dataset: Dataset, job: &Value) -> Result<(), String> {
    let spec = &job["supervisedTuningSpec"];
    let uris = [&spec["trainingDatasetUri"], &spec["validationDatasetUri"]];
    let uris: Vec<_> = uris.iter().filter_map(|uri| uri.as_str()).collect();
    if uris.len() != dataset.files().len() {
        return Err(format!("the job has {uris:?}"));
    }
    for (uri, file) in uris.into_iter().zip(dataset.files()) {
        let stored = played.object(uri);
        if stored.is_none_or(|stored| stored != place.read(file)) {
            return Err(format!("`{uri}` is not `{file}`"));
        }
        let (folder, file) = file.rsplit_once('/').unwrap_or((".", file));
        if place.has(&format!("{folder}/.{file}.upload")) {
            return Err(format!("the upload of `{file}` has left its state"));
        }
    }
    Ok(())
}

/// Waits until so many requests of an operation came, or were answered.
fn wait_for(played: &Played, operation: &str, n: usize, is_answered: bool) {
    let since = Instant::now();
    loop {
        let requests = played.requests();
        let mut of = requests.iter().filter(|request| {
            request.operation == Some(operation) && (!is_answered || request.status.is_some())
        });
        if of.nth(n - 1).is_some() {
            return;
        }
        let asked = played.operations();
        assert!(since.elapsed() < Duration::from_secs(20), "{asked:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_run_that_is_killed_is_taken_up_by_the_next() {
    let moments = [
        ("storage.upload.start", 1, false),
        ("storage.upload.start", 1, true),
        ("storage.upload.chunk", 1, false),
        ("storage.upload.chunk", 1, true),
        ("storage.upload.chunk", 2, false),
        ("storage.upload.chunk", 2, true),
        (CREATE, 1, false),
        (CREATE, 1, true),
    ];
    let rest = Mutex::new(moments.into_iter());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let next = rest.lock().unwrap().next();
                    let Some((operation, n, is_answered)) = next else {
                        return;
                    };
                    kill_at(operation, n, is_answered);
                }
            });
        }
    });
}

fn kill_at(operation: &str, n: usize, is_answered: bool) {
    let moment = format!("{operation} {n}, answered: {is_answered}");
    let (played, place) = (Played::start(), place(PIECES));
    // The answer of the launch takes a while after its effect.
    let slow = json!({"kind": "slow", "delay_ms": 50, "piece": 16});
    let mut faults = vec![fault(CREATE, 1, 1, &slow)];
    if operation == "storage.upload.chunk" && is_answered && n < 2 {
        // The next piece does not come through before the kill does.
        let reset = json!({"kind": "reset_before"});
        faults.push(fault(operation, n as u64 + 1, 0, &reset));
    }
    played.set_faults(&faults);
    let bucket = format!("gs://{BUCKET}");
    let flags = [Dataset::Pieces.flags(), &["--bucket", &bucket]].concat();
    let mut started = played.start_submit(&place, &flags);
    wait_for(&played, operation, n, is_answered);
    started.child.kill().unwrap();
    started.child.wait().unwrap();
    played.set_faults(&[]);
    let run = played.submit(&place, &flags);
    assert_eq!(run.status.code(), Some(0), "{moment}: {}", run.stderr);
    let jobs = played.jobs();
    assert_eq!(jobs.len(), 1, "{moment}: {}", run.stderr);
    let is_whole = whole(&played, &place, Dataset::Pieces, &jobs[0]);
    assert_eq!(is_whole, Ok(()), "{moment}: {}", run.stderr);
    // What was stored is not sent again. The last piece of the killed run may
    // have been on its way: then all was there already.
    let mut pieces = taken_pieces(&played);
    let n_taken = pieces.len();
    pieces.sort_unstable();
    pieces.dedup();
    assert!(n_taken > 0, "{moment}");
    assert_eq!(n_taken, pieces.len(), "{moment}: {}", run.stderr);
    if faults.len() > 1 {
        let is_told = ["of them by an earlier run", "was there already"]
            .iter()
            .any(|words| run.stderr.contains(words));
        assert!(is_told, "{moment}: {}", run.stderr);
    }
}

/// The ranges of the pieces of uploads that the service took.
fn taken_pieces(played: &Played) -> Vec<String> {
    let requests = played.requests();
    let taken = requests.into_iter().filter(|request| {
        request.operation == Some("storage.upload.chunk")
            && matches!(request.status, Some(200 | 308))
            && !request.is_struck
    });
    taken
        .flat_map(|request| request.headers)
        .filter(|(name, _)| name == "content-range")
        .map(|(_, range)| range)
        .collect()
}

/// The pieces of earnest: 16 MiB, and one that breaks off.
#[test]
fn a_large_file_survives_a_break() {
    let (played, place) = (Played::start(), place(17 << 20));
    played.set_faults(&[
        fault(
            "storage.upload.chunk",
            2,
            1,
            &json!({"kind": "reset_before"}),
        ),
        fault(
            "storage.upload.chunk",
            1,
            1,
            &json!({"kind": "status_after", "code": 503}),
        ),
    ]);
    let bucket = format!("gs://{BUCKET}");
    let flags = [
        "--train",
        "pieces.jsonl",
        "--no-validation",
        "--no-wait",
        "--bucket",
        &bucket,
    ];
    let run = played.submit(&place, &flags);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    let jobs = played.jobs();
    assert_eq!(jobs.len(), 1);
    assert_eq!(whole(&played, &place, Dataset::Pieces, &jobs[0]), Ok(()));
    let operations = played.operations();
    let n_of = |name: &str| {
        operations
            .iter()
            .filter(|operation| **operation == name)
            .count()
    };
    assert_eq!(n_of("storage.upload.start"), 1);
    assert!(n_of("storage.upload.query") > 0);
}
