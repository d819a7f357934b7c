//! Tuning jobs and what comes of them.

use std::time::Duration;

use prep_emulator::{Effect, Fault, JobOutcome, stray_field};
use serde_json::{Value, json};

use crate::client::{PACE, World};
use crate::storage::put;

const JOBS: &str = "/v1/projects/prep-rehearsal/locations/us-central1/tuningJobs";

pub(crate) fn row(prompt: &str, answer: &str) -> String {
    json!({"contents": [{"role": "user", "parts": [{"text": prompt}]}, {"role": "model", "parts": [{"text": answer}]}]}).to_string() + "\n"
}

fn rows(n: usize) -> String {
    (0..n)
        .map(|n| {
            row(
                &format!("Translate: the house {n}"),
                &format!("la casa {n}"),
            )
        })
        .collect()
}

fn world(dir: &std::path::Path, faults: Vec<Fault>) -> World {
    let world = World::new(dir, faults);
    put(&world, "train.jsonl", rows(40).as_bytes());
    put(&world, "validation.jsonl", rows(4).as_bytes());
    world
}

fn body() -> Value {
    json!({"baseModel": "gemini-3.1-flash-lite", "supervisedTuningSpec": {
        "trainingDatasetUri": "gs://prep-rehearsal/train.jsonl",
        "validationDatasetUri": "gs://prep-rehearsal/validation.jsonl",
        "hyperParameters": {"epochCount": 3}},
        "labels": {"prep-run": "a1"}, "tunedModelDisplayName": "es"})
}

fn create(world: &World, body: &Value) -> Value {
    let reply = world.post(JOBS, body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let job = reply.json();
    assert_eq!(stray_field("v1", "TuningJob", &job), None);
    // The files are read on a thread.
    let name = job["name"].as_str().unwrap().to_owned();
    let path = std::path::Path::new(world.emulator().key_file())
        .parent()
        .unwrap()
        .join("jobs");
    let file = path.join(format!("{}.json", name.rsplit('/').next().unwrap()));
    for _ in 0..500 {
        let kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        if !kept["read"].is_null() {
            return job;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the job's files are not read");
}

fn path(name: &Value) -> String {
    format!("/v1/{}", name.as_str().unwrap())
}

fn finish(world: &World, job: &Value) -> Value {
    world.clock.advance(PACE * 2);
    let job = world.get(&path(&job["name"])).json();
    assert_eq!(stray_field("v1", "TuningJob", &job), None);
    job
}

#[test]
fn a_job_is_played_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let job = create(&world, &body());
    let name = path(&job["name"]);
    assert!(name.contains("/projects/314159265358/locations/us-central1/tuningJobs/"));
    let mut states = vec![];
    for _ in 0..48 {
        let now = world.get(&name).json();
        let beta = world.get(&name.replace("/v1/", "/v1beta1/")).json();
        assert_eq!(stray_field("v1beta1", "TuningJob", &beta), None);
        let detail = beta["tuningJobState"].as_str().unwrap_or("-").to_owned();
        let state = format!("{} {detail}", now["state"].as_str().unwrap());
        if states.last() != Some(&state) {
            states.push(state);
        }
        world.clock.advance(PACE / 40);
    }
    assert_eq!(
        states,
        [
            "JOB_STATE_QUEUED -",
            "JOB_STATE_PENDING -",
            "JOB_STATE_RUNNING TUNING_JOB_STATE_PROCESSING_DATASET",
            "JOB_STATE_RUNNING TUNING_JOB_STATE_TUNING",
            "JOB_STATE_RUNNING TUNING_JOB_STATE_POST_PROCESSING",
            "JOB_STATE_SUCCEEDED -",
        ]
    );
    let job = world.get(&name).json();
    let stats = &job["tuningDataStats"]["supervisedTuningDataStats"];
    assert_eq!(stats["tuningDatasetExampleCount"], "40");
    assert_eq!(stats["userMessagePerExampleDistribution"]["mean"], 2.0);
    let sum = |name: &str| stats[name]["sum"].as_str().unwrap().parse::<u64>().unwrap();
    let total = sum("userInputTokenDistribution") + sum("userOutputTokenDistribution");
    assert_eq!(stats["totalBillableTokenCount"], total.to_string());
    let hyper = &job["supervisedTuningSpec"]["hyperParameters"];
    assert_eq!(
        *hyper,
        json!({"epochCount": "3", "learningRateMultiplier": 1, "adapterSize": "ADAPTER_SIZE_TWO"})
    );
    let tuned = &job["tunedModel"];
    assert!(
        tuned["model"]
            .as_str()
            .unwrap()
            .contains("/locations/us/models/")
    );
    assert_eq!(tuned["checkpoints"].as_array().unwrap().len(), 3);
    assert_eq!(tuned["endpoint"], tuned["checkpoints"][2]["endpoint"]);
    assert!(job["createTime"].as_str() < job["startTime"].as_str());
    assert!(job["startTime"].as_str() < job["endTime"].as_str());
}

#[test]
fn a_job_goes_on_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = world(dir.path(), vec![]);
    let job = create(&first, &body());
    first.stop();
    let world = World::new(dir.path(), vec![]);
    let job = finish(&world, &job);
    assert_eq!(job["state"], "JOB_STATE_SUCCEEDED");
    let list = world.get(JOBS).json();
    assert_eq!(list["tuningJobs"][0], job);
}

#[test]
fn requests_that_are_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    put(
        &world,
        "old.jsonl",
        b"{\"input_text\":\"a\",\"output_text\":\"b\"}\n",
    );
    let with = |pointer: &str, value: Value| {
        let mut body = body();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    let spec = "/supervisedTuningSpec";
    let uri = "training_dataset_uri should be a GCS object of type JSONL.";
    let region = |region: &str| JOBS.replace("us-central1", region);
    let cases = [
        (
            JOBS.into(),
            with(
                &format!("{spec}/trainingDatasetUri"),
                json!("gs://b/train.json"),
            ),
            400,
            uri,
        ),
        (
            JOBS.into(),
            with(&format!("{spec}/trainingDatasetUri"), json!("train.jsonl")),
            400,
            uri,
        ),
        (
            JOBS.into(),
            with(
                &format!("{spec}/trainingDatasetUri"),
                json!("gs://prep-rehearsal/none.jsonl"),
            ),
            404,
            "does not exist",
        ),
        (
            JOBS.into(),
            with(
                &format!("{spec}/trainingDatasetUri"),
                json!("gs://prep-rehearsal/old.jsonl"),
            ),
            400,
            "Row: 0. Missing required `contents` field.",
        ),
        (
            JOBS.into(),
            with("/baseModel", json!("gemini-2.0-flash")),
            400,
            "Base model gemini-2.0-flash is not supported",
        ),
        (region("us-east1"), body(), 400, "is not supported"),
        (region("global"), body(), 400, "global"),
        (region("us"), body(), 404, ""),
        (
            JOBS.into(),
            with(
                &format!("{spec}/hyperParameters/adapterSize"),
                json!("ADAPTER_SIZE_THIRTY_TWO"),
            ),
            400,
            "The adapter size is not supported for this base model.",
        ),
        (
            JOBS.into(),
            with(&format!("{spec}/hyperParameters/epochCount"), json!(0)),
            400,
            "epoch_count should be positive",
        ),
        (
            JOBS.into(),
            with(&format!("{spec}/hyperParameters/batchSize"), json!(4)),
            400,
            "Unknown name \"batchSize\" at 'supervised_tuning_spec.hyper_parameters'",
        ),
        (
            JOBS.into(),
            with("/encryptionSpec", json!({"kmsKeyName": "k"})),
            400,
            "CMEK",
        ),
        (
            JOBS.into(),
            with("/labels", json!({"Run": "x"})),
            400,
            "Label Run=x",
        ),
        (
            JOBS.into(),
            with("/preTunedModel", json!({"tunedModelName": "x"})),
            400,
            "Exactly one",
        ),
        (
            JOBS.replace("prep-rehearsal", "other"),
            body(),
            403,
            "denied",
        ),
    ];
    for (path, body, status, message) in cases {
        let reply = world.post(&path, &body);
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.text());
        assert!(reply.message().contains(message), "{}", reply.text());
    }
    let both = with(&format!("{spec}/trainingDatasetUri"), json!("x"));
    let error = &world.post(JOBS, &both).json()["error"];
    assert_eq!(
        error["details"][0]["fieldViolations"][0],
        json!({
        "field": "tuning_job.supervised_tuning_spec.training_dataset_uri", "description": uri})
    );
    assert_eq!(world.get(JOBS).json(), json!({}));
}

#[test]
fn bad_data_is_dropped_or_fails_the_job() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let with = |name: &str| {
        let mut body = body();
        body["supervisedTuningSpec"]["trainingDatasetUri"] =
            json!(format!("gs://prep-rehearsal/{name}"));
        body["supervisedTuningSpec"]
            .as_object_mut()
            .unwrap()
            .remove("validationDatasetUri");
        body
    };
    let mut some = rows(15);
    some += "{\"contents\":[]}\n";
    put(&world, "some.jsonl", some.as_bytes());
    put(
        &world,
        "many.jsonl",
        (rows(3) + "{\"contents\":[]}\n").as_bytes(),
    );
    let jobs = ["some.jsonl", "many.jsonl"].map(|name| create(&world, &with(name)));
    let some = finish(&world, &jobs[0]);
    assert_eq!(some["state"], "JOB_STATE_SUCCEEDED");
    let stats = &some["tuningDataStats"]["supervisedTuningDataStats"];
    assert_eq!(stats["totalTruncatedExampleCount"], "1");
    assert_eq!(stats["truncatedExampleIndices"], json!(["16"]));
    assert_eq!(stats["droppedExampleReasons"].as_array().unwrap().len(), 1);
    let many = finish(&world, &jobs[1]);
    assert_eq!(many["state"], "JOB_STATE_FAILED");
    assert!(
        many["error"]["message"]
            .as_str()
            .unwrap()
            .contains("more than 10%")
    );
    assert!(many.get("tunedModel").is_none());
}

#[test]
fn outcomes_can_be_chosen() {
    let cases = [
        (JobOutcome::EndpointFails, "JOB_STATE_FAILED", true, false),
        (JobOutcome::Fails, "JOB_STATE_FAILED", false, false),
        (JobOutcome::Wedged, "JOB_STATE_RUNNING", false, false),
        (
            JobOutcome::PartiallySucceeds,
            "JOB_STATE_PARTIALLY_SUCCEEDED",
            true,
            true,
        ),
        (JobOutcome::Expires, "JOB_STATE_EXPIRED", false, false),
    ];
    let faults = (1..).zip(cases).map(|(nth, (outcome, ..))| {
        let mut fault = Fault::on("aiplatform.tuningJobs.create", Effect::Job { outcome });
        fault.nth = nth;
        fault
    });
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), faults.collect());
    let jobs: Vec<_> = cases.iter().map(|_| create(&world, &body())).collect();
    for ((outcome, state, has_model, has_endpoint), job) in cases.into_iter().zip(jobs) {
        let job = finish(&world, &job);
        assert_eq!(job["state"], state, "{outcome:?}");
        assert_eq!(
            job["tunedModel"].get("model").is_some(),
            has_model,
            "{outcome:?}"
        );
        assert_eq!(
            job["tunedModel"].get("endpoint").is_some(),
            has_endpoint,
            "{outcome:?}"
        );
    }
}

#[test]
fn a_job_is_cancelled_and_jobs_are_listed_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let jobs = [0, 1, 2].map(|_| create(&world, &body()));
    let cancel = format!("{}:cancel", path(&jobs[0]["name"]));
    assert_eq!(world.post(&cancel, &json!({})).json(), json!({}));
    assert_eq!(
        world.get(&path(&jobs[0]["name"])).json()["state"],
        "JOB_STATE_CANCELLING"
    );
    let job = finish(&world, &jobs[0]);
    assert_eq!(
        (&job["state"], &job["error"]["code"]),
        (&json!("JOB_STATE_CANCELLED"), &json!(1))
    );
    let page = world.get(&format!("{JOBS}?pageSize=2")).json();
    assert_eq!(page["tuningJobs"].as_array().unwrap().len(), 2);
    assert_eq!(page["tuningJobs"][0]["name"], jobs[2]["name"]);
    let next = page["nextPageToken"].as_str().unwrap();
    let page = world
        .get(&format!("{JOBS}?pageSize=2&pageToken={next}"))
        .json();
    assert_eq!(page["tuningJobs"][0]["name"], jobs[0]["name"]);
    assert!(page.get("nextPageToken").is_none());
    assert_eq!(world.get(&format!("{JOBS}?pageToken=x")).status, 400);
    assert_eq!(
        world
            .get(&JOBS.replace("us-central1", "europe-west4"))
            .json(),
        json!({})
    );
}

#[test]
fn metrics_are_found_by_the_consoles_way() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let job = finish(&world, &create(&world, &body()));
    let experiment = job["experiment"].as_str().unwrap();
    let context = world.get(&format!("/v1/{experiment}")).json();
    assert_eq!(stray_field("v1", "Context", &context), None);
    let board = context["metadata"]["backing_tensorboard_resource"]
        .as_str()
        .unwrap();
    let filter =
        format!("schema_title=\"system.ExperimentRun\" AND parent_contexts:\"{experiment}\"");
    let filter = filter.replace(' ', "%20").replace('"', "%22");
    let (contexts, id) = experiment.rsplit_once('/').unwrap();
    let runs = world.get(&format!("/v1/{contexts}?filter={filter}")).json();
    let run = runs["contexts"][0]["name"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let run = run.strip_prefix(&format!("{id}-")).unwrap();
    let run = format!("/v1/{board}/experiments/{id}/runs/{run}");
    let series = world.get(&format!("{run}/timeSeries?pageSize=1000")).json();
    let series = series["tensorboardTimeSeries"].as_array().unwrap();
    let names: Vec<_> = series
        .iter()
        .map(|series| series["displayName"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "/train_total_loss",
            "/train_fraction_of_correct_next_step_preds",
            "/train_num_predictions",
            "/eval_total_loss",
            "/eval_fraction_of_correct_next_step_preds",
            "/eval_num_predictions",
        ]
    );
    let loss = series[0]["name"].as_str().unwrap();
    let read = world
        .get(&format!("/v1/{loss}:read?maxDataPoints=-1"))
        .json();
    let points = read["timeSeriesData"]["values"].as_array().unwrap();
    assert_eq!((points.len(), &points[14]["step"]), (15, &json!("15")));
    let value = |n: usize| points[n]["scalar"]["value"].as_f64().unwrap();
    assert!(value(0) > value(14));
    let batch = world
        .get(&format!("/v1/{board}:batchRead?timeSeries={loss}"))
        .json();
    assert_eq!(batch["timeSeriesData"][0], read["timeSeriesData"]);
    assert_eq!(world.get(&format!("/v1/{contexts}?filter=x")).status, 400);
}

#[test]
fn a_tuned_model_answers_from_its_examples() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let job = finish(&world, &create(&world, &body()));
    let endpoint = path(&job["tunedModel"]["endpoint"]);
    let ask = |text: &str| json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
    let reply = world
        .post(
            &format!("{endpoint}:generateContent"),
            &ask("Translate: the house 7"),
        )
        .json();
    assert_eq!(stray_field("v1", "GenerateContentResponse", &reply), None);
    let text = &reply["candidates"][0]["content"]["parts"][0]["text"];
    assert_eq!(
        (text, &reply["candidates"][0]["finishReason"]),
        (&json!("la casa 7"), &json!("STOP"))
    );
    let usage = &reply["usageMetadata"];
    assert_eq!(
        (&usage["promptTokenCount"], &usage["totalTokenCount"]),
        (&json!(6), &json!(9))
    );
    let count = world
        .post(
            &format!("{endpoint}:countTokens"),
            &ask("Translate: the house 7"),
        )
        .json();
    assert_eq!(count["totalTokens"], 6);

    let streamed = world.post(
        &format!("{endpoint}:streamGenerateContent?alt=sse"),
        &ask("Translate: the house 7"),
    );
    assert_eq!(streamed.header("content-type"), Some("text/event-stream"));
    let events: Vec<Value> = streamed
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        events.last().unwrap()["usageMetadata"]["totalTokenCount"],
        9
    );

    for (spell, field, expected) in [
        ("[[SAFETY]]", "/candidates/0/finishReason", json!("SAFETY")),
        (
            "[[RECITATION]]",
            "/candidates/0/finishReason",
            json!("RECITATION"),
        ),
        (
            "[[MAX_TOKENS]]",
            "/candidates/0/finishReason",
            json!("MAX_TOKENS"),
        ),
        (
            "[[BLOCKED]]",
            "/promptFeedback/blockReason",
            json!("PROHIBITED_CONTENT"),
        ),
        ("[[429]]", "/error/status", json!("RESOURCE_EXHAUSTED")),
    ] {
        let reply = world
            .post(&format!("{endpoint}:generateContent"), &ask(spell))
            .json();
        assert_eq!(reply.pointer(field), Some(&expected), "{spell}");
    }
    let mut short = ask("Translate: the house 7");
    short["generationConfig"] = json!({"maxOutputTokens": 1});
    let reply = world
        .post(&format!("{endpoint}:generateContent"), &short)
        .json();
    assert_eq!(
        reply["candidates"][0]["content"]["parts"][0]["text"],
        "la c"
    );
    assert_eq!(reply["candidates"][0]["finishReason"], "MAX_TOKENS");

    for wrong in [
        endpoint.replace("/us/", "/us-central1/"),
        endpoint.replace("/us/", "/eu/"),
        format!("{endpoint}1"),
    ] {
        assert_eq!(
            world
                .post(&format!("{wrong}:generateContent"), &ask("a"))
                .status,
            404,
            "{wrong}"
        );
    }
    let base = |location: &str| {
        format!(
            "/v1/projects/prep-rehearsal/locations/{location}/publishers/google/models/gemini-3.1-flash-lite:generateContent"
        )
    };
    let said = world
        .post(&base("us"), &ask("Translate: the house 7"))
        .json();
    assert_ne!(
        said["candidates"][0]["content"]["parts"][0]["text"],
        "la casa 7"
    );
    let refused = world.post(&base("us-west1"), &ask("a"));
    assert_eq!(refused.status, 404);
    assert!(
        refused
            .message()
            .contains("was not found or your project does not have access to it")
    );
}

#[test]
fn a_model_has_checkpoints_and_a_default() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let job = finish(&world, &create(&world, &body()));
    let model = path(&job["tunedModel"]["model"]);
    let got = world.get(&model).json();
    assert_eq!(stray_field("v1", "Model", &got), None);
    assert_eq!(
        (&got["defaultCheckpointId"], &got["labels"]["prep-run"]),
        (&json!("3"), &json!("a1"))
    );
    let list = world.get(&format!("{model}:listCheckpoints")).json();
    assert_eq!(
        list["checkpoints"][1],
        json!({"checkpointId": "2", "epoch": "2", "step": "10"})
    );
    let patch = |query: &str, body: Value| {
        let path = format!("{}{query}", model.trim_end_matches("@1"));
        world.send(
            "PATCH",
            &path,
            &[("content-type", "application/json")],
            body.to_string().as_bytes(),
        )
    };
    let second = json!({"defaultCheckpointId": "2"});
    assert_eq!(patch("", second.clone()).status, 400);
    assert_eq!(
        patch(
            "?updateMask=defaultCheckpointId",
            json!({"defaultCheckpointId": "9"})
        )
        .status,
        400
    );
    let patched = patch("?updateMask=defaultCheckpointId", second).json();
    assert_eq!(patched["defaultCheckpointId"], "2");
    let job = world.get(&path(&job["name"])).json();
    assert_eq!(
        job["tunedModel"]["endpoint"],
        job["tunedModel"]["checkpoints"][1]["endpoint"]
    );
}

#[test]
fn a_batch_is_answered_in_its_bucket() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), vec![]);
    let mut old = body();
    old["baseModel"] = json!("gemini-2.5-flash");
    let tuned = create(&world, &old);
    let third = create(&world, &body());
    let (tuned, third) = (finish(&world, &tuned), finish(&world, &third));
    let line = |text: &str, role: &str| {
        json!({"request": {"contents": [{"role": role, "parts": [{"text": text}]}]}}).to_string()
            + "\n"
    };
    let input = line("Translate: the house 7", "user") + &line("a", "assistant");
    put(&world, "in.jsonl", input.as_bytes());
    let batch = |model: &Value| {
        json!({"displayName": "b", "model": model,
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://prep-rehearsal/in.jsonl"]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://prep-rehearsal/out"}}})
    };
    let jobs = "/v1/projects/prep-rehearsal/locations/us-central1/batchPredictionJobs";
    let refused = world.post(
        &jobs.replace("us-central1", "us"),
        &batch(&third["tunedModel"]["model"]),
    );
    assert_eq!(refused.status, 400, "{}", refused.text());
    let made = world.post(jobs, &batch(&tuned["tunedModel"]["model"]));
    assert_eq!(made.status, 200, "{}", made.text());
    let name = path(&made.json()["name"]);
    world.clock.advance(PACE * 2);
    let mut job = world.get(&name).json();
    for _ in 0..500 {
        if job["state"] == "JOB_STATE_SUCCEEDED" {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        job = world.get(&name).json();
    }
    assert_eq!(stray_field("v1", "BatchPredictionJob", &job), None);
    assert_eq!(
        job["completionStats"],
        json!({"successfulCount": "1", "failedCount": "1", "incompleteCount": "0"})
    );
    let directory = job["outputInfo"]["gcsOutputDirectory"].as_str().unwrap();
    let object = directory
        .strip_prefix("gs://prep-rehearsal/")
        .unwrap()
        .replace('/', "%2F");
    let out = world
        .get(&format!(
            "/storage/v1/b/prep-rehearsal/o/{object}%2Fpredictions.jsonl?alt=media"
        ))
        .text();
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let good = lines.iter().find(|line| line["status"] == "").unwrap();
    assert_eq!(
        good["response"]["candidates"][0]["content"]["parts"][0]["text"],
        "la casa 7"
    );
    let bad = lines.iter().find(|line| line["status"] != "").unwrap();
    assert!(
        bad["status"]
            .as_str()
            .unwrap()
            .starts_with("Bad Request: {\"error\":")
    );
    assert_eq!(bad["response"], json!({}));
}

#[test]
fn a_doctor_can_look_around() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let service = |name: &str| {
        world
            .get(&format!("/v1/projects/prep-rehearsal/services/{name}"))
            .json()
    };
    assert_eq!(service("aiplatform.googleapis.com")["state"], "ENABLED");
    assert_eq!(service("compute.googleapis.com")["state"], "DISABLED");
    let wanted = json!({"permissions": ["aiplatform.tuningJobs.create", "compute.disks.list"]});
    let held = world
        .post("/v1/projects/prep-rehearsal:testIamPermissions", &wanted)
        .json();
    assert_eq!(
        held,
        json!({"permissions": ["aiplatform.tuningJobs.create"]})
    );
    assert_eq!(
        world.get("/v1/projects/prep-rehearsal").json()["projectNumber"],
        "314159265358"
    );
    assert_eq!(world.get("/v1/projects/other").status, 403);
}

#[test]
fn translations_are_evaluated_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), Vec::new());
    for version in ["v1", "v1beta1"] {
        let path = |location: &str| {
            format!("/{version}/projects/prep-rehearsal/locations/{location}:evaluateInstances")
        };
        let instance =
            json!({"source": "the house", "prediction": "la casa", "reference": "la casa"});
        let comet = json!({"metricSpec": {"version": "COMET_22_SRC_REF", "sourceLanguage": "en"}, "instance": instance});
        let metricx =
            json!({"metric_spec": {"version": "METRICX_24_SRC_REF"}, "instance": instance});
        for (body, expected) in [
            (
                json!({"cometInput": comet}),
                json!({"cometResult": {"score": 1.0}}),
            ),
            (
                json!({"metricx_input": metricx}),
                json!({"metricxResult": {"score": 0.0}}),
            ),
        ] {
            let reply = world.post(&path("us-central1"), &body);
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!(reply.json(), expected);
            let schema = "EvaluateInstancesResponse";
            assert_eq!(stray_field(version, schema, &reply.json()), None);
        }
        let mut misnamed = comet.clone();
        misnamed["metricSpec"]["version"] = json!("COMET_23");
        let mut slipped = comet.clone();
        slipped["instance"]["sources"] = json!("the house");
        for (location, body, status, told) in [
            (
                "us-central1",
                json!({}),
                400,
                "input of a metric is required",
            ),
            (
                "us-central1",
                json!({"cometInput": comet, "metricxInput": metricx}),
                400,
                "Only one metric",
            ),
            (
                "us-central1",
                json!({"cometInput": misnamed}),
                400,
                "TYPE_ENUM",
            ),
            (
                "us-central1",
                json!({"cometInput": slipped}),
                400,
                "Unknown name",
            ),
            ("us-central1", json!({"bleuInput": {}}), 501, "bleuInput"),
            (
                "global",
                json!({"cometInput": comet}),
                501,
                "evaluation in `global`",
            ),
        ] {
            let reply = world.post(&path(location), &body);
            assert_eq!(reply.status, status, "{body}: {}", reply.text());
            assert!(reply.text().contains(told), "{}", reply.text());
        }
    }
}
