//! The way from a corpus to a tuned model, against services that are played:
//! `prep submit` and `prep jobs` as somebody types them.

#![cfg(feature = "cloud")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use run::played::{self, BUCKET, LOCATION, MODEL, PROJECT, Played};
use run::{Place, Run, files_below};
use serde_json::{Value, json};

/// A word that no other number has.
fn word(mut n: usize) -> String {
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b"bdfgklmnprstvz"[n % 14]));
        word.push(char::from(b"aeiou"[n / 14 % 5]));
        n = n / 3 + 17 * n;
    }
    word
}

/// The corpus: rows that are not alike, and one that holds more than the
/// service takes.
fn corpus() -> String {
    let sentence = |n: usize| {
        (0..9)
            .map(|k| word(n * 9 + k))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let rows = (1..=40).map(|n| format!("{}?,{}.\n", sentence(n), sentence(n + 500)));
    let header = std::iter::once("source,target\n".to_owned());
    let mut corpus: String = header.chain(rows).collect();
    // Half a million characters are more tokens than an example may have as
    // the emulator counts them, and are fewer as the model does.
    let long = "intercontinental ".repeat(33_000);
    corpus += &format!("{long},Internacional.\n");
    corpus
}

/// A place with a split of the corpus.
fn split() -> Place {
    let place = Place::with("corpus.csv", corpus());
    for arguments in [
        &["convert", "corpus.csv"][..],
        &["validate", "train.jsonl"],
        &["split", "--ratio", "0.9"],
    ] {
        let run = place.prep(arguments);
        assert_eq!(run.status.code(), Some(0), "{arguments:?}: {}", run.stderr);
    }
    place
}

fn ok(run: &Run) {
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
}

fn out(run: &Run) -> &str {
    std::str::from_utf8(&run.stdout).unwrap()
}

fn json_of(run: &Run) -> Value {
    ok(run);
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Whether each of these is said.
fn says(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "`{wanted}` is not in\n{text}");
    }
}

/// `prep emulate`, and what it tells to export.
struct Emulate {
    child: Child,
    exports: Vec<(String, String)>,
    directory: Place,
}

impl Emulate {
    fn start(flags: &[&str]) -> Self {
        let directory = Place::new();
        let mut child = played::bare(&directory, &[&["emulate"], flags].concat())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut exports = Vec::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some(export) = line.strip_prefix("export ") {
                let (name, value) = export.split_once('=').unwrap();
                exports.push((name.to_owned(), value.trim_matches('\'').to_owned()));
            }
            if line.starts_with("The bucket is") {
                break;
            }
        }
        assert_eq!(exports.len(), 5, "{exports:?}");
        Self {
            child,
            exports,
            directory,
        }
    }

    fn prep(&self, place: &Place, arguments: &[&str]) -> Run {
        let mut command = played::bare(place, arguments);
        for (name, value) in &self.exports {
            command.env(name, value);
        }
        played::finish(&mut command)
    }

    fn base_url(&self) -> &str {
        &self.exports[0].1
    }

    /// An access token, got as a person's tools get one.
    fn token(&self) -> String {
        let user = files_below(&self.directory.path(".prep-emulator"));
        let user = user.iter().find(|path| path.ends_with("user.json"));
        let user: Value = serde_json::from_slice(&std::fs::read(user.unwrap()).unwrap()).unwrap();
        let text = |key: &str| user[key].as_str().unwrap().to_owned();
        let form = format!(
            "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
            text("client_id"),
            text("client_secret"),
            text("refresh_token").replace('/', "%2F"),
        );
        let answer = played::post(self.base_url(), "/token", &form);
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Emulate {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_whole_way() {
    let (services, place) = (Emulate::start(&["--job-seconds", "1"]), split());
    let bucket = format!("gs://{BUCKET}/novels");
    let submit = [
        "submit",
        "--yes",
        "--no-wait",
        "--model",
        MODEL,
        "--bucket",
        &bucket,
        "--epochs",
        "3",
    ];
    let run = services.prep(&place, &submit);
    ok(&run);
    says(
        &run.stderr,
        &[
            "gemini-3.1-flash-lite, tuned in us-central1 for project prep-rehearsal",
            "training    split/train.jsonl: 37 examples",
            "validation  split/validation.jsonl: 4 examples",
            "3 epochs ×",
            ": started",
            "`prep jobs watch ",
        ],
    );
    let token = services.token();
    let path = format!("/v1/projects/{PROJECT}/locations/{LOCATION}/tuningJobs");
    let jobs = played::jobs_of(services.base_url(), &path, &token);
    assert_eq!(jobs.len(), 1);
    for (key, file) in [
        ("trainingDatasetUri", "split/train.jsonl"),
        ("validationDatasetUri", "split/validation.jsonl"),
    ] {
        let uri = jobs[0]["supervisedTuningSpec"][key].as_str().unwrap();
        assert!(uri.starts_with(&format!("{bucket}/")), "{uri}");
        let stored = played::object_of(services.base_url(), uri, &token);
        assert_eq!(stored, Some(place.read(file)), "{uri}");
    }

    let run = services.prep(&place, &["jobs", "watch", "--interval", "0.1"]);
    ok(&run);
    says(
        out(&run),
        &[
            "succeeded after",
            "loss",
            "  model       projects/",
            "  endpoint    projects/",
            "CHECKPOINT",
            "  best        checkpoint",
        ],
    );
    says(&run.stderr, &["`prep predict ", "`prep jobs dropped "]);

    let metrics = json_of(&services.prep(&place, &["jobs", "metrics", "--format", "json"]));
    assert_eq!(metrics["job"], jobs[0]["name"]);
    let series = metrics["series"].as_array().unwrap();
    let names: Vec<_> = series.iter().map(|series| &series["name"]).collect();
    assert!(names.contains(&&json!("train_total_loss")), "{names:?}");
    assert!(names.contains(&&json!("eval_total_loss")), "{names:?}");
    for series in series {
        let points = series["points"].as_array().unwrap();
        assert!(!points.is_empty(), "{series}");
        assert!(points.iter().all(|point| point["value"].is_f64()));
    }

    let dropped = json_of(&services.prep(&place, &["jobs", "dropped", "--format", "json"]));
    let train = String::from_utf8(place.read("split/train.jsonl")).unwrap();
    let long = train.lines().position(|line| line.len() > 500_000).unwrap();
    assert_eq!(dropped["total"], 1);
    let example = &dropped["examples"][0];
    assert_eq!(example["index"], long as u64 + 1);
    assert_eq!(
        example["origin"],
        json!({"source": "corpus.csv", "line": 42, "record": 41})
    );
    says(
        example["reason"].as_str().unwrap(),
        &["exceeds the maximum"],
    );
    let run = services.prep(&place, &["jobs", "dropped"]);
    says(out(&run), &["corpus.csv:42"]);

    let run = services.prep(&place, &["jobs", "list"]);
    says(out(&run), &["succeeded", MODEL]);
    assert_eq!(out(&run).lines().count(), 2, "{}", out(&run));
}

#[test]
fn two_submissions_at_once_start_one_job() {
    let (played, place) = (Played::start(), split());
    let bucket = format!("gs://{BUCKET}");
    let flags = ["--bucket", &bucket, "--no-wait"];
    let started: Vec<_> = (0..4)
        .map(|_| played.start_submit(&place, &flags))
        .collect();
    for started in started {
        let run = started.wait();
        // Those that came too late say so, or find the job.
        let is_late = run
            .stderr
            .contains("another `prep submit` of `split/train.jsonl` is at work");
        assert_eq!(
            run.status.code(),
            Some(if is_late { 2 } else { 0 }),
            "{}",
            run.stderr
        );
    }
    assert_eq!(played.jobs().len(), 1);
}

#[test]
fn a_second_submission_follows_the_first_job() {
    let (played, place) = (Played::start(), split());
    let bucket = format!("gs://{BUCKET}");
    let flags = ["--bucket", &bucket];
    let run = played.submit(&place, &flags);
    ok(&run);
    says(&run.stderr, &["uploaded", ": started"]);
    says(out(&run), &["succeeded after"]);
    assert_eq!(played.jobs().len(), 1);

    let n_before = played.requests().len();
    let run = played.submit(&place, &flags);
    ok(&run);
    says(
        &run.stderr,
        &["was there already", "was started before; `--again`"],
    );
    says(out(&run), &["succeeded after"]);
    assert_eq!(played.jobs().len(), 1);
    let sent = played.operations().split_off(n_before);
    let stores = |name: &&str| name.contains("insert") || name.ends_with("create");
    assert!(!sent.iter().any(stores), "{sent:?}");

    let run = played.submit(&place, &[&flags[..], &["--again"]].concat());
    ok(&run);
    assert_eq!(played.jobs().len(), 2);

    // Another option is another run, and so is other data.
    let run = played.submit(&place, &[&flags[..], &["--adapter-size", "8"]].concat());
    ok(&run);
    assert_eq!(played.jobs().len(), 3);
    let mut train = place.read("split/train.jsonl");
    let end = train.iter().position(|&byte| byte == b'\n').unwrap();
    train.drain(..=end);
    place.write("split/train.jsonl", train);
    let run = played.submit(&place, &flags);
    ok(&run);
    says(&run.stderr, &["was changed after `prep split` wrote it"]);
    assert_eq!(played.jobs().len(), 4);
    let uris: Vec<_> = played
        .jobs()
        .iter()
        .map(|job| job["supervisedTuningSpec"]["trainingDatasetUri"].to_string())
        .collect();
    assert!(uris.iter().any(|uri| *uri != uris[0]), "{uris:?}");
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_sends_nothing() {
    let (played, place) = (Played::start(), split());
    let bucket = format!("gs://{BUCKET}/dry");
    let flags = [
        "submit",
        "--model",
        MODEL,
        "--bucket",
        &bucket,
        "--epochs",
        "2",
        "--adapter-size",
        "4",
        "--label",
        "team=novels",
        "--display-name",
        "Novels",
        "--learning-rate-multiplier",
        "0.5",
    ];
    // Whoever listens there hears it if a connection is made.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut command = played.command(&place, &[&flags[..], &["--dry-run"]].concat());
    command
        .env("GOOGLE_VERTEX_BASE_URL", &base)
        .env("STORAGE_EMULATOR_HOST", &base)
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS");
    let before = place.names();
    let shown = json_of(&played::finish(&mut command));
    assert!(listener.accept().is_err(), "a dry run has connected");
    assert_eq!(place.names(), before);
    assert_eq!(shown["problems"], json!([]));

    let run = played.prep(
        &place,
        &[&flags[..], &["--yes", "--no-wait", "--hurry", "60"]].concat(),
    );
    ok(&run);
    let mut sent = played.requests();
    sent.retain(|request| request.method == "POST" && request.operation != Some("oauth2.token"));
    let requests = shown["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 3);
    assert_eq!(sent.len(), 3);
    for (shown, sent) in requests.iter().zip(&sent) {
        assert_eq!(shown["method"], *sent.method);
        let url = shown["url"].as_str().unwrap();
        let target = url.strip_prefix(&base).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        assert_eq!(path, sent.path);
        let of = |(name, value): &(String, String)| format!("{name}={}", value.replace('/', "%2F"));
        let mut parameters: Vec<_> = sent.query.iter().map(of).collect();
        let mut expected: Vec<_> = query.split('&').filter(|part| !part.is_empty()).collect();
        parameters.sort();
        expected.sort_unstable();
        assert_eq!(parameters, expected);
        match &sent.body {
            Some(body) => assert_eq!(&shown["body"], body),
            None => {
                // The metadata of an upload is that of the object.
                let name = shown["metadata"]["name"].as_str().unwrap();
                let path = format!("/storage/v1/b/{BUCKET}/o/{}", name.replace('/', "%2F"));
                let (_, object) = played::fetch(&played.base_url(), &path, &played.access_token());
                let object: Value = serde_json::from_slice(&object).unwrap();
                for (key, value) in shown["metadata"].as_object().unwrap() {
                    assert_eq!(&object[key], value, "{key}");
                }
                let file = place.read(shown["file"].as_str().unwrap());
                assert_eq!(shown["bytes"], file.len() as u64);
                assert_eq!(played.object(&format!("gs://{BUCKET}/{name}")), Some(file));
            }
        }
    }
    assert_eq!(sent.iter().filter(|sent| sent.body.is_some()).count(), 1);
}

#[test]
fn all_problems_are_told_at_once_and_nothing_is_sent() {
    let (played, place) = (Played::start(), split());
    let mut train = place.read("split/train.jsonl");
    train.extend(b"{\"contents\":[]}\n");
    place.write("split/train.jsonl", train);
    let run = played.submit(
        &place,
        &[
            "--bucket",
            "gs://no-such-bucket",
            "--max-cost",
            "0.01",
            "--display-name",
            &"x".repeat(129),
            "--label",
            "Team=Novels",
        ],
    );
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    says(
        &run.stderr,
        &[
            "error: `split/train.jsonl`: E",
            "hint: `prep validate split/train.jsonl` says where and why",
            "error: the job would cost $",
            "error: there is no bucket `no-such-bucket`",
            "display name",
            "label",
            "nothing was sent",
        ],
    );
    let n_errors = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "));
    assert!(n_errors.count() >= 5, "{}", run.stderr);
    let asked = played.operations();
    let changes = |name: &&str| {
        name.contains("insert") || name.contains("upload") || name.ends_with("create")
    };
    assert!(!asked.iter().any(changes), "{asked:?}");
    assert_eq!(played.jobs(), [Value::Null; 0]);
    assert!(!place.has("split/job.json"));
}

#[test]
fn nothing_is_started_without_a_yes() {
    let (played, place) = (Played::start(), split());
    let bucket = format!("gs://{BUCKET}");
    let run = played.prep(&place, &["submit", "--model", MODEL, "--bucket", &bucket]);
    assert_eq!(run.status.code(), Some(2));
    says(&run.stderr, &["cost        $", "nobody to ask", "`--yes`"]);
    let asked = played.operations();
    assert!(
        !asked.iter().any(|name| name.contains("insert")),
        "{asked:?}"
    );
    assert_eq!(played.jobs(), [Value::Null; 0]);
}

#[test]
fn no_secret_is_told() {
    let (played, place) = (Played::start(), split());
    let bucket = format!("gs://{BUCKET}");
    let key: Value = serde_json::from_slice(&std::fs::read(played.key_file()).unwrap()).unwrap();
    let key = key["private_key"].as_str().unwrap().to_owned();
    // No line of the key but the two that all keys have.
    let mut secrets: Vec<String> = key
        .lines()
        .filter(|line| !line.starts_with("---"))
        .map(str::to_owned)
        .collect();
    let token = played.access_token();
    secrets.push(token.clone());
    let mut told = Vec::new();
    let mut keep = |run: &Run| {
        told.push(out(run).to_owned());
        told.push(run.stderr.clone());
    };
    let pieces = [
        "--bucket",
        &bucket,
        "--piece",
        "256K",
        "-v",
        "--log",
        "log.jsonl",
    ];
    // A session that breaks in the middle, so that all of it is told.
    let chunk = |nth: u64, effect: Value| json!({"operation": "storage.upload.chunk", "nth": nth, "times": 0, "effect": effect});
    played.set_faults(&[chunk(2, json!({"kind": "status", "code": 403}))]);
    let run = played.submit(&place, &pieces);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    keep(&run);
    let state = place.read("split/.train.jsonl.upload");
    let state: Value = serde_json::from_slice(&state).unwrap();
    let session = state["session"].as_str().unwrap();
    let id = session.split("upload_id=").nth(1).unwrap();
    secrets.push(id.split('&').next().unwrap().to_owned());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let state = std::fs::metadata(place.path("split/.train.jsonl.upload")).unwrap();
        assert_eq!(state.permissions().mode() & 0o777, 0o600);
    }
    for effect in [
        json!({"kind": "reset_before"}),
        json!({"kind": "status", "code": 400, "message": "no"}),
        json!({"kind": "lose_session"}),
    ] {
        played.set_faults(&[chunk(1, effect)]);
        keep(&played.submit(&place, &pieces));
    }
    played.set_faults(&[]);
    let run = played.submit(&place, &pieces);
    ok(&run);
    keep(&run);
    let mut command = played.command(&place, &["jobs", "show", "-v", "--log", "log.jsonl"]);
    keep(&played::finish(command.env("PREP_ACCESS_TOKEN", &token)));
    let mut command = played.command(&place, &["jobs", "list", "-v", "--log", "log.jsonl"]);
    let wrong = "ya29.not-a-token-of-this-service";
    keep(&played::finish(command.env("PREP_ACCESS_TOKEN", wrong)));
    secrets.push(wrong.to_owned());
    // Everything that is left, hidden files included.
    for path in files_below(&place.path(".")) {
        told.push(String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
    }
    assert!(
        told.iter().any(|text| text.contains("upload_id=•••")),
        "the log has no session"
    );
    for secret in &secrets {
        assert!(secret.len() > 10, "{secret}");
        let leak = told.iter().find(|text| text.contains(secret.as_str()));
        assert_eq!(leak, None, "`{secret}` is told");
    }
    // The tokens that were really sent begin as the known one does.
    let start = &token[..5];
    let leak = told.iter().find(|text| text.contains(start));
    assert_eq!(leak, None, "a token is told");
}

#[test]
fn a_rehearsal_needs_nothing_but_the_split() {
    let place = split();
    let rehearse = || played::finish(&mut played::bare(&place, &["submit", "--rehearse"]));
    let run = rehearse();
    ok(&run);
    says(
        &run.stderr,
        &[
            "rehearsal: nothing leaves this machine, and nothing costs anything",
            "cost        nothing; for real: $",
            ": started",
            "`prep predict split/validation.jsonl --rehearse`",
            "`.prep-rehearsal`",
        ],
    );
    says(out(&run), &["succeeded after", "CHECKPOINT"]);
    for text in [out(&run), &run.stderr] {
        assert!(!text.contains("https://"), "{text}");
        let mut jobs = text.lines().filter(|line| line.contains("prep jobs"));
        assert!(jobs.all(|line| line.contains("--rehearse")), "{text}");
    }
    says(&run.stderr, &["`prep jobs dropped --rehearse`"]);
    assert_eq!(place.read(".prep-rehearsal/.gitignore"), b"*\n");
    // A real job is not taken for the rehearsed one.
    assert!(place.has("split/rehearsal.json") && !place.has("split/job.json"));

    let run = rehearse();
    ok(&run);
    says(&run.stderr, &["was there already", "was started before"]);
    let jobs = files_below(&place.path(".prep-rehearsal/jobs"));
    let is_job = |path: &&std::path::PathBuf| path.extension().is_some_and(|end| end == "json");
    assert_eq!(jobs.iter().filter(is_job).count(), 1, "{jobs:?}");

    // What was played can be looked at, and nothing else.
    let look = |words: &[&str]| {
        let words = [&["jobs", "--rehearse"], words].concat();
        let run = played::finish(&mut played::bare(&place, &words));
        ok(&run);
        says(&run.stderr, &["the jobs were played on this machine"]);
        run
    };
    let run = look(&["show"]);
    says(out(&run), &["succeeded", "gemini-3.1-flash-lite"]);
    assert!(!out(&run).contains("https://"), "{}", out(&run));
    assert_eq!(out(&look(&["list"])).lines().count(), 2);
    says(
        out(&look(&["metrics", "--format", "csv"])),
        &["eval_total_loss"],
    );
    says(out(&look(&["dropped"])), &["corpus.csv:42"]);
    says(out(&look(&["watch"])), &["succeeded after"]);
    let run = played::finish(&mut played::bare(&place, &["jobs", "show"]));
    assert_eq!(run.status.code(), Some(2));
    says(&run.stderr, &["no job was launched from this directory"]);
}

#[test]
fn the_waits_of_a_test_are_not_for_google() {
    let place = split();
    let mut command = played::bare(
        &place,
        &[
            "jobs",
            "list",
            "--project",
            "p",
            "--location",
            LOCATION,
            "--hurry",
            "2",
        ],
    );
    let run = played::finish(command.env("PREP_ACCESS_TOKEN", "t"));
    assert_eq!(run.status.code(), Some(2));
    says(
        &run.stderr,
        &["error: `--hurry` is for stand-ins", "hint: "],
    );
}

#[test]
fn the_doctor_finds_what_is_wrong_and_how_to_mend_it() {
    let (played, place) = (Played::start(), Place::new());
    let bucket = format!("gs://{BUCKET}");
    let arguments = [
        "doctor", "--bucket", &bucket, "--hurry", "60", "--format", "json",
    ];
    let examine = |fault: Option<(&str, u16)>| {
        let faults = fault.map(|(operation, code)| {
            json!({"operation": operation, "times": 0, "effect": {"kind": "status", "code": code}})
        });
        played.set_faults(faults.as_slice());
        let run = played.prep(&place, &arguments);
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(report["schema"], 1);
        let mut checks = report["checks"].as_array().unwrap().clone();
        // Nobody can be asked for the quota.
        checks.retain(|check| check["name"] != "quota" && check["standing"] != "good");
        (run, checks)
    };
    let (run, checks) = examine(None);
    ok(&run);
    assert_eq!(checks, [Value::Null; 0]);
    for (operation, code, name, mend) in [
        ("oauth2.token", 400, "credentials", "service account"),
        (
            "cloudresourcemanager.projects.get",
            403,
            "project",
            "gcloud projects list",
        ),
        (
            "aiplatform.tuningJobs.list",
            404,
            "tuning jobs",
            "`prep models`",
        ),
        ("storage.buckets.get", 404, "bucket", "gcloud storage"),
    ] {
        let (run, checks) = examine(Some((operation, code)));
        assert_eq!(run.status.code(), Some(1), "{operation}: {}", run.stderr);
        assert_eq!(checks[0]["name"], name, "{operation}: {checks:?}");
        assert_eq!(checks[0]["standing"], "bad", "{operation}: {checks:?}");
        says(checks[0]["mend"].as_str().unwrap_or_default(), &[mend]);
    }
    let (run, checks) = examine(Some(("serviceusage.services.get", 503)));
    assert_eq!(run.status.code(), Some(2), "{checks:?}");
}
