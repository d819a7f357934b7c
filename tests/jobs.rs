//! `prep jobs` against a scripted service on loopback. Nothing leaves the
//! machine.

#![cfg(feature = "cloud")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

use run::{Place, Run, lines_of};
use serde_json::{Value, json};

const TOKEN: &str = "ya29.a-secret-of-the-test";
const JOB: &str = "projects/123/locations/us-central1/tuningJobs/7";
const JOBS: &str = "/v1/projects/acme/locations/us-central1/tuningJobs";
const BOARD: &str = "projects/123/locations/us-central1/tensorboards/77";
const EXPERIMENT: &str =
    "projects/123/locations/us-central1/metadataStores/default/contexts/tuning-experiment-1";

/// Answers a request: method and path, from the n-th on of that path.
type Script = fn(&str, &str, usize) -> (u16, Value);

/// A service that answers as its script says.
struct Service {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, script, &shared);
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, script: Script, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    let mut length = 0;
    let mut is_authorised = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        is_authorised |= line
            .trim_end()
            .eq_ignore_ascii_case(&format!("authorization: Bearer {TOKEN}"));
        if head.is_empty() {
            head = line;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    assert!(is_authorised, "{head}");
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let path = target.split('?').next().unwrap();
    let request = format!("{method} {path}");
    let n = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.iter().filter(|earlier| **earlier == request).count()
    };
    let (status, json) = script(method, path, n);
    let json = json.to_string();
    let length = json.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{json}"
    );
    // A client that was stopped does not read its answer.
    drop(stream.write_all(answer.as_bytes()));
}

/// Runs `prep jobs …` against a service, with project and location set.
fn jobs(place: &Place, service: &Service, arguments: &[&str]) -> Run {
    let all = [&["jobs"], arguments].concat();
    let mut command = place.command(&all);
    for (name, value) in surroundings(service) {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let run = Run {
        status: output.status,
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
        peak_bytes: 0,
    };
    let told = format!("{}{}", run.stderr, text(&run));
    assert!(
        !told.contains(TOKEN) && !told.contains("panicked"),
        "{told}"
    );
    run
}

fn surroundings(service: &Service) -> [(&'static str, String); 4] {
    [
        ("GOOGLE_VERTEX_BASE_URL", service.address.clone()),
        ("PREP_ACCESS_TOKEN", TOKEN.into()),
        ("GOOGLE_CLOUD_PROJECT", "acme".into()),
        ("GOOGLE_CLOUD_LOCATION", "us-central1".into()),
    ]
}

fn text(run: &Run) -> String {
    String::from_utf8(run.stdout.clone()).unwrap()
}

fn value(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(run)))
}

/// A job in some state, as the service answers it.
fn job(state: &str) -> Value {
    json!({
        "name": JOB,
        "tunedModelDisplayName": "novels",
        "baseModel": "gemini-3.5-flash",
        "state": format!("JOB_STATE_{state}"),
        "createTime": "2026-11-28T10:00:00.5Z",
        "startTime": "2026-11-28T10:01:00Z",
        "supervisedTuningSpec": {
            "trainingDatasetUri": "gs://b/train.jsonl",
            "hyperParameters": {"epochCount": "3", "learningRateMultiplier": 1, "adapterSize": "ADAPTER_SIZE_FOUR"},
        },
        "aMemberOfTheFuture": {"x": [1]},
    })
}

fn finished() -> Value {
    let mut job = job("SUCCEEDED");
    job["endTime"] = json!("2026-11-28T12:09:00Z");
    job["experiment"] = json!(EXPERIMENT);
    job["tunedModel"] = json!({
        "model": "projects/123/locations/us/models/9@1",
        "endpoint": "projects/123/locations/us/endpoints/5",
        "checkpoints": [
            {"checkpointId": "1", "epoch": "1", "step": "10", "endpoint": "projects/123/locations/us/endpoints/4"},
            {"checkpointId": "2", "epoch": "2", "step": "20", "endpoint": "projects/123/locations/us/endpoints/5"},
        ],
    });
    job["tuningDataStats"] = json!({"supervisedTuningDataStats": {
        "tuningDatasetExampleCount": "500",
        "totalBillableTokenCount": "255243",
        "totalTruncatedExampleCount": "3",
        "truncatedExampleIndices": ["3", "1"],
        "droppedExampleReasons": ["too many tokens", "an image is missing"],
    }});
    job
}

/// A service with one job, which is finished, and its curves.
fn one_job(method: &str, path: &str, _: usize) -> (u16, Value) {
    let curves = format!("{BOARD}/experiments/tuning-experiment-1/runs/r/timeSeries");
    let point = |step: u32, value: f64| json!({"step": step.to_string(), "scalar": {"value": value}, "wallTime": "2026-11-28T10:30:00Z"});
    let path = path.strip_prefix("/v1/").unwrap();
    let answer = if method == "POST" {
        json!({})
    } else if path.ends_with("/tuningJobs/7") {
        finished()
    } else if path.ends_with("/tuningJobs") {
        let mut older = job("FAILED");
        older["name"] = json!("projects/123/locations/us-central1/tuningJobs/6");
        older["createTime"] = json!("2026-11-27T10:00:00Z");
        json!({"tuningJobs": [older, finished()]})
    } else if path == EXPERIMENT {
        json!({"metadata": {"backing_tensorboard_resource": BOARD}})
    } else if path.ends_with("/contexts") {
        json!({"contexts": [{"name": format!("{EXPERIMENT}-r")}]})
    } else if path == curves {
        json!({"tensorboardTimeSeries": [
            {"name": format!("{curves}/2"), "displayName": "/eval_total_loss", "valueType": "SCALAR"},
            {"name": format!("{curves}/1"), "displayName": "/train_total_loss", "valueType": "SCALAR"},
        ]})
    } else if path.ends_with(":batchRead") {
        json!({"timeSeriesData": [
            {"tensorboardTimeSeriesId": "1", "values": [point(10, 2.0), point(20, 1.25)]},
            {"tensorboardTimeSeriesId": "2", "values": [point(10, 1.5), point(20, 1.75)]},
        ]})
    } else {
        let message = format!("`{path}` was not found.");
        return (
            404,
            json!({"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}),
        );
    };
    (200, answer)
}

#[test]
fn jobs_are_listed_the_newest_first() {
    let (place, service) = (Place::new(), Service::start(one_job));
    let run = jobs(&place, &service, &["list"]);
    assert_eq!(
        text(&run),
        "\
JOB  STATE      CREATED                  BASE MODEL        TUNED MODEL
7    succeeded  2026-11-28 10:00:00 UTC  gemini-3.5-flash  novels
6    failed     2026-11-27 10:00:00 UTC  gemini-3.5-flash  novels
",
        "{}",
        run.stderr
    );
    let listed = value(&jobs(&place, &service, &["list", "--format", "json"]));
    assert_eq!(listed["jobs"][0], finished());
    assert_eq!(service.seen(), vec![format!("GET {JOBS}"); 2]);
}

#[test]
fn a_job_is_shown_as_it_is() {
    let (place, service) = (Place::new(), Service::start(one_job));
    let shown = value(&jobs(&place, &service, &["show", "7", "--format", "json"]));
    assert_eq!(shown, json!({"schema": 1, "job": finished()}));
    let run = jobs(&place, &service, &["show", JOB]);
    let told = text(&run);
    for line in [
        "novels",
        "  job         projects/123/locations/us-central1/tuningJobs/7",
        "  state       succeeded",
        "  settings    3 epochs, learning rate × 1, adapter size four",
        "  took        2 h 8 min",
        "  examples    500 examples, 3 left out",
        "  billed      255,243 tokens, 3 times",
        "  endpoint    projects/123/locations/us/endpoints/5",
        "  console     https://console.cloud.google.com/agent-platform/tuning/locations/us-central1/tuningJob/7/monitor?project=123",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    assert_eq!(
        service.seen(),
        [format!("GET {JOBS}/7"), format!("GET /v1/{JOB}")]
    );
}

#[test]
fn curves_are_printed_whole() {
    let (place, service) = (Place::new(), Service::start(one_job));
    let metrics = value(&jobs(
        &place,
        &service,
        &["metrics", "7", "--format", "json"],
    ));
    let time = "2026-11-28T10:30:00Z";
    assert_eq!(
        metrics,
        json!({"schema": 1, "job": JOB, "series": [
            {"name": "train_total_loss", "points": [
                {"step": 10, "value": 2.0, "wall_time": time}, {"step": 20, "value": 1.25, "wall_time": time}]},
            {"name": "eval_total_loss", "points": [
                {"step": 10, "value": 1.5, "wall_time": time}, {"step": 20, "value": 1.75, "wall_time": time}]},
        ]})
    );
    let csv = text(&jobs(
        &place,
        &service,
        &["metrics", "7", "--format", "csv"],
    ));
    assert!(
        csv.starts_with("series,step,value,wall_time\ntrain_total_loss,10,2,2026-"),
        "{csv}"
    );
    assert_eq!(
        text(&jobs(&place, &service, &["metrics", "7"])),
        "\
SERIES            POINTS  FIRST  LAST  LOWEST  AT STEP
train_total_loss       2      2  1.25    1.25       20
eval_total_loss        2    1.5  1.75     1.5       10
"
    );
}

/// A job that fails with its model trained, after some looks.
fn failing(_: &str, path: &str, n: usize) -> (u16, Value) {
    if !path.contains("/tuningJobs/") {
        return (404, json!({}));
    }
    let mut answer = match n {
        1 => job("QUEUED"),
        2 => job("A_STATE_OF_THE_FUTURE"),
        3 => return (503, json!({"error": {"code": 503, "message": "busy"}})),
        4 | 5 => job("RUNNING"),
        _ => finished(),
    };
    // Whatever the clock says, it has not been running for an hour.
    answer["startTime"] = json!("2099-01-01T00:00:00Z");
    if n == 5 {
        answer["tuningJobState"] = json!("TUNING_JOB_STATE_TUNING");
    }
    if n > 5 {
        answer["state"] = json!("JOB_STATE_FAILED");
        answer["error"] = json!({"code": 13, "message": "Failed to create endpoint."});
    }
    (200, answer)
}

#[test]
fn a_job_is_watched_to_its_end() {
    let (place, service) = (Place::new(), Service::start(one_job));
    let run = jobs(&place, &service, &["watch", "7", "--interval", "0.02"]);
    let told = text(&run);
    assert_eq!(run.status.code(), Some(0), "{told}{}", run.stderr);
    let line = |end: &str| told.lines().any(|line| line.ends_with(end));
    assert!(line("  500 examples, 3 left out"), "{told}");
    assert!(line("  step 20: loss 1.25, eval loss 1.75"), "{told}");
    assert!(line("succeeded after 2 h 8 min"), "{told}");
    assert!(
        line("checkpoint 1, eval loss 1.5000, served at projects/123/locations/us/endpoints/4"),
        "{told}"
    );
    assert!(
        run.stderr
            .contains("`prep predict split/validation.jsonl --job 7`"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("`prep jobs dropped 7`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_failed_job_with_a_model_is_told_as_what_it_is() {
    let (place, service) = (Place::new(), Service::start(failing));
    let run = jobs(
        &place,
        &service,
        &["watch", "7", "--interval", "0.02", "--format", "json"],
    );
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    let events = lines_of(&run.stdout);
    let names: Vec<_> = events
        .iter()
        .map(|event| event["state"].as_str().or(event["event"].as_str()).unwrap())
        .collect();
    let running = "JOB_STATE_RUNNING";
    assert_eq!(
        names,
        [
            "JOB_STATE_QUEUED",
            "JOB_STATE_A_STATE_OF_THE_FUTURE",
            running,
            running,
            "JOB_STATE_FAILED",
            "stats",
            "over"
        ]
    );
    assert_eq!(events[3]["detail"], "TUNING_JOB_STATE_TUNING");
    let run = jobs(&place, &service, &["watch", "7", "--interval", "0.02"]);
    let told = text(&run);
    assert!(
        told.contains("the model was trained, and paid for: only nothing serves it"),
        "{told}"
    );
    assert!(
        run.stderr.contains("gcloud ai endpoints deploy-model"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_look_that_is_refused_ends_the_watching() {
    let (place, service) = (
        Place::new(),
        Service::start(|_, _, n| match n {
            1 => (200, job("RUNNING")),
            _ => (
                403,
                json!({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}),
            ),
        }),
    );
    let run = jobs(&place, &service, &["watch", "7", "--interval", "0.02"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("the job goes on"), "{}", run.stderr);
}

#[test]
fn an_interrupt_stops_the_watching_and_not_the_job() {
    let (place, service) = (
        Place::new(),
        Service::start(|_, _, _| (200, job("RUNNING"))),
    );
    let mut command = place.command(&["jobs", "watch", "7", "--interval", "60"]);
    for (name, value) in surroundings(&service) {
        command.env(name, value);
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.ends_with("running\n"), "{line}");
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    if !interrupt.is_ok_and(|status| status.success()) {
        run::tell("there is no `kill` here");
        child.kill().unwrap();
        child.wait().unwrap();
        return;
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        stderr.contains("stopped watching; the job goes on; `prep jobs watch 7`"),
        "{stderr}"
    );
    assert!(
        service
            .seen()
            .iter()
            .all(|request| request.starts_with("GET "))
    );
}

#[test]
fn a_job_is_cancelled_only_when_it_is_said() {
    let place = Place::new();
    let service = Service::start(|method, _, _| match method {
        "GET" => (200, job("RUNNING")),
        _ => (200, json!({})),
    });
    let run = jobs(&place, &service, &["cancel", "7"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("`--yes`"), "{}", run.stderr);
    assert_eq!(service.seen(), [format!("GET {JOBS}/7")]);
    let run = jobs(&place, &service, &["cancel", "7", "--yes"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert_eq!(
        service.seen().last().unwrap(),
        &format!("POST {JOBS}/7:cancel")
    );
    let over = Service::start(one_job);
    let run = jobs(&place, &over, &["cancel", "7", "--yes"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(
        run.stderr.contains("over already: succeeded"),
        "{}",
        run.stderr
    );
    assert_eq!(over.seen().len(), 1);
}

/// A dataset of three rows with a passport, and the record of its launch.
fn launched() -> Place {
    let place = Place::with(
        "corpus.csv",
        "source,target\nHello.,Hola.\nGood day.,Buenos días.\n\"Two\nlines.\",Dos líneas.\nBye.,Adiós.\n",
    );
    let run = place.prep(&["convert", "corpus.csv", "-q"]);
    assert!(run.status.success(), "{}", run.stderr);
    std::fs::create_dir(place.path("split")).unwrap();
    let blake3 = serde_json::from_slice::<Value>(&place.read("train.manifest.json")).unwrap();
    let blake3 = blake3["outputs"][0]["blake3"].clone();
    let record = json!({
        "schema": 1, "job": JOB, "project": "acme", "location": "us-central1", "run": "00",
        "objects": [], "validation": null, "launched": "2026-11-28T10:00:00Z",
        "train": {"path": "train.jsonl", "bytes": 1, "blake3": blake3},
    });
    place.write("split/job.json", record.to_string());
    place
}

#[test]
fn dropped_examples_are_traced_to_their_rows() {
    let (place, service) = (launched(), Service::start(one_job));
    let run = jobs(&place, &service, &["dropped"]);
    assert_eq!(
        text(&run),
        "\
LINE  SOURCE        REASON
   1  corpus.csv:2  an image is missing
   3  corpus.csv:4  too many tokens
",
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("3 examples left out, of which the service lists 2"),
        "{}",
        run.stderr
    );
    let report = value(&jobs(&place, &service, &["dropped", "--format", "json"]));
    assert_eq!(
        report["examples"][1],
        json!({"index": 3, "reason": "too many tokens",
               "origin": {"source": "corpus.csv", "line": 4, "record": 3}})
    );
    assert_eq!(
        (&report["total"], &report["is_sample"]),
        (&json!(3), &json!(true))
    );
}

#[test]
fn a_file_that_was_changed_is_not_traced() {
    let (place, service) = (launched(), Service::start(one_job));
    let mut train = place.read("train.jsonl");
    train.push(b'\n');
    place.write("train.jsonl", train);
    let run = jobs(&place, &service, &["dropped"]);
    assert!(
        text(&run).contains("   1  -       an image is missing"),
        "{}",
        text(&run)
    );
    assert!(
        run.stderr.contains("it was changed since"),
        "{}",
        run.stderr
    );
    // Another job than the one that was launched from here.
    std::fs::remove_file(place.path("split/job.json")).unwrap();
    let run = jobs(&place, &service, &["dropped", "7"]);
    assert!(run.stderr.contains("`--train`"), "{}", run.stderr);
    let run = jobs(
        &place,
        &service,
        &["dropped", "7", "--train", "train.jsonl"],
    );
    assert!(text(&run).contains("corpus.csv:4"), "{}", text(&run));
    assert!(run.stderr.contains("taken on trust"), "{}", run.stderr);
}

#[test]
fn the_last_job_launched_from_here_is_meant() {
    let (place, service) = (launched(), Service::start(one_job));
    let mut command = place.command(&["jobs", "show", "--format", "json"]);
    // The record says where the job is.
    command
        .env("GOOGLE_VERTEX_BASE_URL", &service.address)
        .env("PREP_ACCESS_TOKEN", TOKEN)
        .env_remove("GOOGLE_CLOUD_PROJECT")
        .env_remove("GOOGLE_CLOUD_LOCATION");
    let output = command.output().unwrap();
    assert!(output.status.success());
    assert_eq!(service.seen(), [format!("GET /v1/{JOB}")]);
    let empty = Place::new();
    let run = jobs(&empty, &service, &["show"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr
            .contains("no job was launched from this directory"),
        "{}",
        run.stderr
    );
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let place = Place::new();
    let mut command = place.command(&["jobs", "list"]);
    for name in [
        "GOOGLE_CLOUD_PROJECT",
        "GCLOUD_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
    ] {
        command.env_remove(name);
    }
    let output = command.env("PREP_ACCESS_TOKEN", TOKEN).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    for told in [
        "`--project`",
        "GOOGLE_CLOUD_PROJECT",
        "`project:`",
        "`--location`",
        "GOOGLE_CLOUD_LOCATION",
    ] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
    place.write("prep.yaml", "project: from-yaml\nlocation: europe-west4\n");
    let service = Service::start(|_, path, _| {
        assert_eq!(
            path,
            "/v1/projects/from-flag/locations/europe-west4/tuningJobs"
        );
        (200, json!({}))
    });
    let mut command = place.command(&["jobs", "list", "--project", "from-flag"]);
    command
        .env("GOOGLE_VERTEX_BASE_URL", &service.address)
        .env("PREP_ACCESS_TOKEN", TOKEN)
        .env("GOOGLE_CLOUD_PROJECT", "from-environment")
        .env_remove("GOOGLE_CLOUD_LOCATION");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(service.seen().len(), 1);
}

#[test]
fn requests_are_logged_without_secrets() {
    let (place, service) = (Place::new(), Service::start(one_job));
    jobs(&place, &service, &["show", "7", "--log", "log.jsonl"]);
    let run = jobs(&place, &service, &["show", "8", "--log", "log.jsonl", "-v"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        run.stderr.contains("cannot get the tuning job `8`"),
        "{}",
        run.stderr
    );
    let log = place.read("log.jsonl");
    assert!(!String::from_utf8(log.clone()).unwrap().contains(TOKEN));
    let entries = lines_of(&log);
    let statuses: Vec<_> = entries
        .iter()
        .map(|entry| entry["status"].as_u64())
        .collect();
    assert_eq!(statuses, [Some(200), Some(404)]);
    assert_eq!(entries[0]["path"], format!("{JOBS}/7"));
}
