//! `prep predict` against the emulator: every prompt has one outcome, whatever
//! goes wrong on the way, and no answer is paid for twice.

#![cfg(feature = "cloud")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use prep_emulator::{Clock, Effect, Emulator, Fault, Faults, Options};
use run::{Place, Run, Started, lines_of};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// How long a job takes by the emulator's clock, which the tests move: not far
/// from that of the clients, who would get no tokens.
const PACE: Duration = Duration::from_secs(20);

/// How many examples the datasets have.
const N: usize = 30;

const SYSTEM: &str = "Answer in a word.";

/// The services on this machine, and a directory to work in.
struct Cloud {
    runtime: Runtime,
    emulator: Option<Emulator>,
    clock: Clock,
    place: Place,
    _state: TempDir,
}

impl Cloud {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let options = Options {
            pace: PACE,
            clock: clock.clone(),
            ..Options::new(state.path())
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let emulator = runtime.block_on(Emulator::start(options)).unwrap();
        Self {
            runtime,
            emulator: Some(emulator),
            clock,
            place: Place::new(),
            _state: state,
        }
    }

    /// With a model that was tuned on [`dataset`], which is `split/train.jsonl`
    /// and, as `prompts.jsonl`, what the model is asked.
    fn tuned(base: &str) -> Self {
        let cloud = Self::new();
        fs::create_dir(cloud.place.path("split")).unwrap();
        cloud.place.write("split/train.jsonl", dataset());
        cloud.place.write("prompts.jsonl", dataset());
        let bucket = "gs://prep-rehearsal/tests";
        let run = cloud.prep(&[
            "submit",
            "--no-validation",
            "--model",
            base,
            "--bucket",
            bucket,
            "--epochs",
            "2",
            "--yes",
            "--no-wait",
        ]);
        assert!(run.status.success(), "{}", run.stderr);
        cloud.clock.advance(2 * PACE);
        cloud
    }

    fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command
            .env("GOOGLE_VERTEX_BASE_URL", self.emulator().base_url())
            .env("STORAGE_EMULATOR_HOST", self.emulator().base_url())
            .env("GOOGLE_APPLICATION_CREDENTIALS", self.emulator().key_file())
            .env("GOOGLE_CLOUD_PROJECT", self.emulator().project())
            .env("GOOGLE_CLOUD_LOCATION", "us-central1")
            .env_remove("PREP_ACCESS_TOKEN");
        command
    }

    fn prep(&self, arguments: &[&str]) -> Run {
        self.place.finish(self.command(arguments))
    }

    /// Runs `prep predict`, which is to end with this status.
    fn predict(&self, arguments: &[&str], status: i32) -> Run {
        let run = self.prep(&[&["predict"], arguments].concat());
        let told = format!("{arguments:?}: {}", run.stderr);
        assert_eq!(run.status.code(), Some(status), "{told}");
        run
    }

    fn rows(&self, name: &str) -> Vec<Value> {
        lines_of(&self.place.read(name))
    }

    fn set_faults(&self, faults: Vec<Fault>) {
        self.emulator().set_faults(Faults::new(faults).unwrap());
    }

    /// The lengths of the prompts that were sent, in order.
    fn asked(&self) -> Vec<usize> {
        let requests = self.emulator().requests();
        let asked = requests.iter().filter(|request| {
            let operation = request.operation.unwrap_or_default();
            operation.ends_with("enerateContent")
        });
        let length = |headers: &[(String, String)]| {
            let mut headers = headers.iter();
            let found = headers.find(|(name, _)| name == "content-length");
            found.unwrap().1.parse().unwrap()
        };
        asked.map(|request| length(&request.headers)).collect()
    }

    /// How many requests of an operation there were.
    fn n_of(&self, operation: &str) -> usize {
        let requests = self.emulator().requests();
        requests
            .iter()
            .filter(|request| request.operation == Some(operation))
            .count()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(emulator) = self.emulator.take() {
            self.runtime.block_on(emulator.stop());
        }
    }
}

/// The n-th prompt. Each has a length of its own, by which its requests are
/// known in the log.
fn prompt(n: usize) -> String {
    format!("Question {n:02} of them all: {}", "o".repeat(n))
}

fn answer(n: usize) -> String {
    format!("the answer to question {n:02}")
}

fn example(system: Option<&str>, prompt: &str, answer: &str) -> String {
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let mut example = json!({"contents": [turn("user", prompt), turn("model", answer)]});
    if let Some(system) = system {
        example["systemInstruction"] = json!({"parts": [{"text": system}]});
    }
    format!("{example}\n")
}

fn dataset() -> String {
    (0..N)
        .map(|n| example(Some(SYSTEM), &prompt(n), &answer(n)))
        .collect()
}

/// What every row of an output has, whatever came of it.
fn check_rows(rows: &[Value], prompts: &[String]) {
    assert_eq!(rows.len(), prompts.len());
    for (row, prompt) in rows.iter().zip(prompts) {
        let asked = &row["input"]["contents"];
        assert_eq!(asked[0]["parts"][0]["text"], json!(prompt), "{row}");
        for key in [
            "input",
            "reference",
            "prediction",
            "outcome",
            "finishReason",
            "usage",
            "model",
            "settings",
        ] {
            assert!(row.get(key).is_some(), "{key}: {row}");
        }
        assert_ne!(row["prediction"], "", "{row}");
        assert!(
            row["model"].as_str().unwrap().starts_with("projects/"),
            "{row}"
        );
        assert!(row["settings"].is_object(), "{row}");
    }
}

/// All rows of [`dataset`], answered as they were trained.
fn check_all(rows: &[Value]) {
    let prompts: Vec<_> = (0..N).map(prompt).collect();
    check_rows(rows, &prompts);
    for (row, n) in rows.iter().zip(0..) {
        assert_eq!(row["prediction"], json!(answer(n)), "{row}");
        assert_eq!(row["reference"], json!(answer(n)), "{row}");
        assert_eq!(row["outcome"], "ok", "{row}");
        assert_eq!(row["finishReason"], "STOP", "{row}");
        assert!(row["usage"]["promptTokenCount"].as_u64() > Some(0), "{row}");
        assert_eq!(
            row["input"]["systemInstruction"]["parts"][0]["text"],
            SYSTEM
        );
    }
}

/// How often each prompt was sent.
fn counts(asked: &[usize]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for length in asked {
        *counts.entry(*length).or_default() += 1;
    }
    counts
}

#[test]
fn every_prompt_has_one_outcome_in_order() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let run = cloud.predict(&["prompts.jsonl"], 0);
    assert!(
        run.stderr.contains("predictions.jsonl: 30 prompts = 30 ok"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    let rows = cloud.rows("predictions.jsonl");
    check_all(&rows);
    let thinking = &rows[0]["settings"]["thinkingConfig"];
    assert_eq!(*thinking, json!({"thinkingLevel": "MINIMAL"}));
    let model = rows[0]["model"].as_str().unwrap();
    assert!(model.contains("/locations/us/endpoints/"), "{model}");
    assert_eq!(counts(&cloud.asked()).len(), N);
    assert_eq!(cloud.asked().len(), N);
    let undisturbed = cloud.place.read("predictions.jsonl");

    // Again: all is there, and nothing is sent.
    let run = cloud.predict(&["prompts.jsonl"], 0);
    assert!(
        run.stderr.contains("30 from earlier runs"),
        "{}",
        run.stderr
    );
    assert_eq!(cloud.asked().len(), N);
    assert_eq!(cloud.place.read("predictions.jsonl"), undisturbed);

    // How they are asked does not matter.
    for (name, more) in [
        ("one.jsonl", &["--concurrency", "1"][..]),
        ("sixteen.jsonl", &["--concurrency", "16"]),
        ("stream.jsonl", &["--stream"]),
    ] {
        cloud.predict(&[&["prompts.jsonl", "-o", name], more].concat(), 0);
        assert_eq!(cloud.place.read(name), undisturbed, "{name}");
    }
    let run = cloud.predict(&["prompts.jsonl", "-o", "-"], 0);
    assert_eq!(run.stdout, undisturbed);
    assert_eq!(cloud.asked().len(), 5 * N);

    // Another setting is another question; so is `--again`.
    cloud.predict(&["prompts.jsonl", "--max-output-tokens", "64"], 0);
    assert_eq!(cloud.asked().len(), 6 * N);
    let rows = cloud.rows("predictions.jsonl");
    assert_eq!(rows[0]["settings"]["maxOutputTokens"], 64);
    cloud.predict(&["prompts.jsonl"], 0);
    cloud.predict(&["prompts.jsonl", "--again"], 0);
    assert_eq!(cloud.asked().len(), 8 * N);
    assert_eq!(cloud.place.read("predictions.jsonl"), undisturbed);

    // The first few, which are there.
    cloud.predict(&["prompts.jsonl", "--limit", "7"], 0);
    assert_eq!(cloud.asked().len(), 8 * N);
    assert_eq!(cloud.rows("predictions.jsonl").len(), 7);
}

#[test]
fn what_is_no_answer_is_kept_as_what_it_is() {
    let cloud = Cloud::tuned("gemini-3.5-flash");
    let half: String = answer(1)
        .chars()
        .take(answer(1).chars().count() / 2)
        .collect();
    let table = [
        ("SAFETY", "refused", Value::Null, "SAFETY"),
        (
            "PROHIBITED_CONTENT",
            "refused",
            Value::Null,
            "PROHIBITED_CONTENT",
        ),
        ("SPII", "refused", Value::Null, "SPII"),
        ("BLOCKLIST", "refused", Value::Null, "BLOCKLIST"),
        ("BLOCKED", "refused", Value::Null, "PROHIBITED_CONTENT"),
        ("RECITATION", "recitation", Value::Null, "RECITATION"),
        ("EMPTY", "empty", Value::Null, "STOP"),
        ("MAX_TOKENS", "truncated", json!(half), "MAX_TOKENS"),
        ("OTHER", "other", Value::Null, "OTHER"),
    ];
    let prompts: Vec<_> = table
        .iter()
        .map(|(word, ..)| format!("{} [[{word}]]", prompt(1)))
        .collect();
    let lines = prompts
        .iter()
        .map(|prompt| example(Some(SYSTEM), prompt, "expected"));
    cloud.place.write("odd.jsonl", lines.collect::<String>());
    for more in [&[][..], &["--stream", "-o", "streamed.jsonl"]] {
        let run = cloud.predict(&[&["odd.jsonl", "--safety", "off"], more].concat(), 0);
        for told in [
            "5 refused",
            "1 truncated",
            "1 empty",
            "1 recitation",
            "1 other",
        ] {
            assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
        }
        assert!(run.stderr.contains("--max-output-tokens"), "{}", run.stderr);
    }
    let rows = cloud.rows("predictions.jsonl");
    check_rows(&rows, &prompts);
    for (row, (_, outcome, prediction, reason)) in rows.iter().zip(&table) {
        assert_eq!(row["outcome"], *outcome, "{row}");
        assert_eq!(row["prediction"], *prediction, "{row}");
        assert_eq!(row["finishReason"], *reason, "{row}");
        assert_eq!(row["reference"], "expected");
        assert_eq!(
            row["settings"]["safetySettings"].as_array().unwrap().len(),
            4
        );
    }
    let streamed = cloud.place.read("streamed.jsonl");
    assert_eq!(cloud.place.read("predictions.jsonl"), streamed);
}

#[test]
fn tables_text_and_pipes_are_asked() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let rows = |separator: &str| {
        let row = |n| format!("{}{separator}{}\n", prompt(n), answer(n));
        format!(
            "source{separator}target\n{}",
            (0..4).map(row).collect::<String>()
        )
    };
    cloud.place.write("table.csv", rows(","));
    cloud.place.write("table.tsv", rows("\t"));
    let text: String = (0..4).map(|n| format!("{}\r\n", prompt(n))).collect();
    cloud.place.write("text.txt", &text);
    cloud.place.write("style.txt", SYSTEM);
    let prompts: Vec<_> = (0..4).map(prompt).collect();
    for (name, first_line, has_reference) in [
        ("table.csv", 2, true),
        ("table.tsv", 2, true),
        ("text.txt", 1, false),
    ] {
        let run = cloud.predict(&[name, "--system", "@style.txt", "-o", "out.jsonl"], 0);
        assert!(!run.stderr.contains("warning"), "{name}: {}", run.stderr);
        let rows = cloud.rows("out.jsonl");
        check_rows(&rows, &prompts);
        for (row, n) in rows.iter().zip(0..) {
            assert_eq!(row["prediction"], json!(answer(n)), "{name}: {row}");
            let reference = has_reference.then(|| answer(n));
            assert_eq!(row["reference"], json!(reference), "{name}: {row}");
            let system = &row["input"]["systemInstruction"]["parts"][0]["text"];
            assert_eq!(*system, SYSTEM, "{name}: {row}");
            assert_eq!(row["origin"]["source"], name, "{row}");
            assert_eq!(row["origin"]["line"], first_line + n, "{name}: {row}");
        }
    }
    let mut command = cloud.command(&["predict", "-", "--system", SYSTEM, "-o", "piped.jsonl"]);
    command.stdin(fs::File::open(cloud.place.path("text.txt")).unwrap());
    let run = cloud.place.finish(command);
    assert!(run.status.success(), "{}", run.stderr);
    check_rows(&cloud.rows("piped.jsonl"), &prompts);

    // A converted dataset says where its examples came from, blank lines or not.
    let run = cloud
        .place
        .prep(&["convert", "table.csv", "-o", "made.jsonl"]);
    assert!(run.status.success(), "{}", run.stderr);
    cloud.predict(&["made.jsonl", "-o", "traced.jsonl"], 0);
    let lines: Vec<_> = cloud
        .rows("traced.jsonl")
        .iter()
        .map(|row| row["origin"]["line"].clone())
        .collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    let made = String::from_utf8(cloud.place.read("made.jsonl")).unwrap();
    cloud.place.write("made.jsonl", made.replace('\n', "\n\n"));
    cloud.predict(&["made.jsonl", "-o", "changed.jsonl"], 0);
    let rows = cloud.rows("changed.jsonl");
    check_rows(&rows, &prompts);
    // It is not the file that the passport was written for.
    assert!(rows.iter().all(|row| row.get("origin").is_none()));
}

#[test]
fn what_cannot_be_asked_is_told_before_anything_is_sent() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let good = example(None, &prompt(1), &answer(1));
    let check = |name: &str, content: &str, told: &[&str]| {
        cloud.place.write(name, content);
        let run = cloud.predict(&[name], 2);
        for told in told {
            assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
        }
        assert!(!cloud.place.has("predictions.jsonl"), "{name}");
    };
    check("a.txt", "one\n\nthree\n", &["a.txt:2", "the line is blank"]);
    check(
        "b.jsonl",
        &format!("{good}\n{{\"contents\": ["),
        &["b.jsonl:3", "the line is no JSON"],
    );
    check(
        "c.jsonl",
        &format!("oops\n{good}"),
        &["c.jsonl:1", "no JSON"],
    );
    check(
        "d.jsonl",
        "{\"contents\": [{\"role\": \"model\", \"parts\": [{\"text\": \"x\"}]}]}\n",
        &["d.jsonl:1", "no turn before the answer"],
    );
    check("e.jsonl", "\n\n", &["`e.jsonl` has no prompts"]);
    check("f.txt", "", &["`f.txt` has no prompts"]);
    check(
        "g.csv",
        "source,target\nHello.,Hola.\n\"broken\n",
        &["1 row of `g.csv` cannot be asked", "g.csv:3"],
    );
    check(
        "h.csv",
        "source,target\nHello.,Hola.\n,Nada.\n",
        &["h.csv:3"],
    );
    let run = cloud.predict(&["missing.jsonl"], 2);
    assert!(run.stderr.contains("missing.jsonl"), "{}", run.stderr);
    cloud.place.write("mine.jsonl", &good);
    cloud.place.write("good.jsonl", &good);
    let run = cloud.predict(&["good.jsonl", "-o", "mine.jsonl"], 2);
    assert!(run.stderr.contains("`--force`"), "{}", run.stderr);
    assert_eq!(cloud.place.read("mine.jsonl"), good.as_bytes());
    let run = cloud.predict(&["good.jsonl", "--thinking-budget", "0"], 2);
    assert!(run.stderr.contains("level of thinking"), "{}", run.stderr);
    assert_eq!(cloud.asked(), [0; 0]);
    // Without blank lines in the way, the one good line is asked.
    cloud.predict(&["b.jsonl", "--limit", "1"], 0);
    assert_eq!(cloud.asked().len(), 1);
}

/// Faults that pass, at many requests, with answers in one or in pieces.
#[test]
fn what_goes_wrong_for_a_while_costs_no_row() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    cloud.predict(&["prompts.jsonl", "-o", "undisturbed.jsonl"], 0);
    let undisturbed = cloud.place.read("undisturbed.jsonl");
    check_all(&lines_of(&undisturbed));
    let status = |code| Effect::Status {
        code,
        retry_after: None,
        message: None,
    };
    let busy = Effect::Status {
        code: 429,
        retry_after: Some(1),
        message: None,
    };
    let table = [
        (busy, 3, 6),
        (status(500), 2, 4),
        (status(503), 1, 4),
        (Effect::StatusAfter { code: 504 }, 5, 2),
        (Effect::ResetBefore, 4, 4),
        (Effect::ResetAfter, 4, 4),
        (Effect::Truncate { after: 40 }, 7, 5),
        (
            Effect::Slow {
                delay_ms: 5,
                piece: 50,
            },
            1,
            8,
        ),
        (Effect::ExpireToken, 6, 1),
    ];
    for (index, (effect, nth, times)) in table.into_iter().enumerate() {
        for stream in [false, true] {
            let fault = |nth| Fault {
                nth,
                times,
                ..Fault::on("aiplatform.endpoints.*enerateContent", effect.clone())
            };
            cloud.set_faults(vec![fault(nth), fault(nth + 14)]);
            let name = format!("out-{index}-{stream}.jsonl");
            let mut arguments = vec!["prompts.jsonl", "-o", &name];
            if stream {
                arguments.push("--stream");
            }
            let before = cloud.asked().len();
            let began = Instant::now();
            cloud.predict(&arguments, 0);
            assert_eq!(cloud.place.read(&name), undisturbed, "{effect:?} {stream}");
            let n = cloud.asked().len() - before;
            match effect {
                Effect::Slow { .. } => assert_eq!(n, N),
                Effect::ExpireToken => assert!(n > N, "{n}"),
                _ => assert_eq!(n, N + 2 * usize::try_from(times).unwrap(), "{effect:?}"),
            }
            if let Effect::Status {
                retry_after: Some(_),
                ..
            } = effect
            {
                let waited = began.elapsed();
                assert!(waited >= Duration::from_secs(1), "{waited:?}");
            }
        }
    }
}

#[test]
fn a_row_that_was_refused_is_asked_again_alone() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let bad = example(Some(SYSTEM), &format!("{} [[400]]", prompt(N)), "x");
    cloud.place.write("prompts.jsonl", dataset() + &bad);
    let run = cloud.predict(&["prompts.jsonl"], 1);
    assert!(
        run.stderr.contains("30 ok + ") || run.stderr.contains("1 error + 30 ok"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("prompt 31 has no answer"),
        "{}",
        run.stderr
    );
    let rows = cloud.rows("predictions.jsonl");
    check_all(&rows[..N]);
    assert_eq!(rows[N]["outcome"], "error");
    assert_eq!(rows[N]["prediction"], Value::Null);
    assert_eq!(rows[N]["error"]["code"], 400);
    assert_eq!(cloud.asked().len(), N + 1);
    cloud.predict(&["prompts.jsonl"], 1);
    let asked = cloud.asked();
    assert_eq!(asked.len(), N + 2);
    assert_eq!(
        asked[N + 1],
        counts(&asked).into_iter().find(|(_, n)| *n == 2).unwrap().0
    );
}

/// Lines of the journal that are whole.
fn n_kept(cloud: &Cloud, output: &str) -> usize {
    let journal = fs::read(cloud.place.path(&format!(".{output}.answers"))).unwrap_or_default();
    journal.iter().filter(|&&byte| byte == b'\n').count()
}

/// Starts a run that takes its time, and waits until so many answers are kept.
fn started_until(cloud: &Cloud, output: &str, n: usize) -> Started {
    let mut command = cloud.command(&[
        "predict",
        "prompts.jsonl",
        "-o",
        output,
        "--concurrency",
        "3",
        "--rate",
        "25",
    ]);
    let mut started = Started::new(command.stdout(Stdio::null()));
    let began = Instant::now();
    while n_kept(cloud, output) < n {
        assert!(began.elapsed() < Duration::from_secs(15), "{n} answers");
        assert!(
            started.child.try_wait().unwrap().is_none(),
            "it ended before"
        );
        thread::sleep(Duration::from_millis(3));
    }
    started
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_bytes() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    cloud.predict(&["prompts.jsonl", "-o", "undisturbed.jsonl"], 0);
    let undisturbed = cloud.place.read("undisturbed.jsonl");
    for (n, name) in [(0, "a"), (1, "b"), (5, "c"), (13, "d"), (20, "e")] {
        let output = format!("{name}.jsonl");
        let before = cloud.asked().len();
        let mut started = started_until(&cloud, &output, n);
        // A second run on the same output would pay for everything twice.
        if n == 5 {
            // However long these take, the first is not done before.
            let id = started.child.id().to_string();
            drop(Command::new("kill").args(["-STOP", &id]).status());
            for more in [&[][..], &["--again"]] {
                let arguments = [&["predict", "prompts.jsonl", "-o", &output], more].concat();
                let second = cloud.command(&arguments).output().unwrap();
                let told = String::from_utf8(second.stderr).unwrap();
                assert_eq!(second.status.code(), Some(2), "{told}");
                assert!(told.contains("another run is using"), "{told}");
            }
        }
        started.child.kill().unwrap();
        started.child.wait().unwrap();
        let kept = n_kept(&cloud, &output);
        assert!((n..N).contains(&kept), "{kept}");
        assert!(!cloud.place.has(&output));
        // What was under way when it was killed comes to its end in the log.
        thread::sleep(Duration::from_millis(30));
        let between = cloud.asked().len();
        assert!(between - before <= kept + 3 + 1, "{}", between - before);
        let run = cloud.predict(&["prompts.jsonl", "-o", &output], 0);
        assert_eq!(cloud.place.read(&output), undisturbed, "{name}");
        let asked = cloud.asked();
        assert_eq!(asked.len() - between, N - kept, "{}", run.stderr);
        // Those that were kept were sent once, the others at most twice.
        let counts = counts(&asked[before..]);
        let n_twice = counts.values().filter(|&&n| n == 2).count();
        assert_eq!(counts.len(), N);
        assert!(
            counts.values().all(|&n| n <= 2) && n_twice <= 4,
            "{counts:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_it_goes_on() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let started = started_until(&cloud, "out.jsonl", 4);
    let id = started.child.id().to_string();
    let interrupt = Command::new("kill").args(["-INT", &id]).status();
    if !interrupt.is_ok_and(|status| status.success()) {
        run::tell("there is no `kill` here");
        return;
    }
    let run = started.wait();
    assert!(!run.status.success());
    assert!(
        run.stderr.contains("the same command goes on from there"),
        "{}",
        run.stderr
    );
    let (kept, before) = (n_kept(&cloud, "out.jsonl"), cloud.asked().len());
    cloud.predict(&["prompts.jsonl", "-o", "out.jsonl"], 0);
    check_all(&cloud.rows("out.jsonl"));
    assert_eq!(cloud.asked().len() - before, N - kept);
}

#[test]
fn another_frame_than_in_training_is_told() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    cloud.place.write("bare.txt", "What is this?\nAnd that?\n");
    let run = cloud.predict(&["bare.txt"], 0);
    for told in [
        "the model was trained with the system instruction “Answer in a word.”, and is asked with no system instruction",
        "in training every prompt begins with “Question",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    let run = cloud.predict(&["bare.txt", "--system", SYSTEM, "-o", "with.jsonl"], 0);
    assert!(!run.stderr.contains("system instruction"), "{}", run.stderr);
}

#[test]
fn models_are_found_and_what_is_missing_is_told() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let ask = |more: &[&str], status| {
        cloud.predict(
            &[&["prompts.jsonl", "--limit", "2", "--force"], more].concat(),
            status,
        )
    };
    ask(&["-o", "tuned.jsonl"], 0);
    let tuned = cloud.rows("tuned.jsonl");
    let endpoint = tuned[0]["model"].as_str().unwrap();
    ask(&["-o", "endpoint.jsonl", "--endpoint", endpoint], 0);
    assert_eq!(
        cloud.rows("endpoint.jsonl")[1]["prediction"],
        json!(answer(1))
    );

    ask(&["-o", "checkpoint.jsonl", "--checkpoint", "1"], 0);
    let checkpoint = cloud.rows("checkpoint.jsonl")[0]["model"].clone();
    assert_ne!(checkpoint, endpoint);
    let run = ask(&["-o", "no.jsonl", "--checkpoint", "77"], 2);
    assert!(run.stderr.contains("no checkpoint `77`"), "{}", run.stderr);

    ask(&["-o", "base.jsonl", "--model", "gemini-3.1-flash-lite"], 0);
    let base = &cloud.rows("base.jsonl")[0];
    assert_eq!(
        base["prediction"],
        "gemini-3.1-flash-lite has not learned this."
    );
    assert_eq!(base["settings"], json!({}));
    let run = ask(&["-o", "no.jsonl", "--model", "gemini-99"], 2);
    assert!(run.stderr.contains("gemini-99"), "{}", run.stderr);
    let record = cloud.place.path("split/job.json");
    let job: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    let job = job["job"].as_str().unwrap().to_owned();
    fs::remove_file(&record).unwrap();
    ask(&["-o", "job.jsonl", "--job", &job], 0);
    ask(
        &["-o", "id.jsonl", "--job", job.rsplit('/').next().unwrap()],
        0,
    );
    assert_eq!(
        cloud.place.read("id.jsonl"),
        cloud.place.read("tuned.jsonl")
    );
    let run = ask(&["-o", "no.jsonl"], 2);
    for told in [
        "no model to ask",
        "`--job`",
        "`--endpoint`",
        "`--model`",
        "prep jobs list",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    let run = ask(&["-o", "no.jsonl", "--job", "12345"], 2);
    assert!(
        run.stderr.contains("cannot get the tuning job"),
        "{}",
        run.stderr
    );
    // What cannot be an id is refused before anything is sent.
    let n_asked = cloud.asked().len();
    let run = ask(&["-o", "no.jsonl", "--job", "../endpoints/5"], 2);
    assert!(
        run.stderr.contains("`../endpoints/5` is no id of a job"),
        "{}",
        run.stderr
    );
    assert_eq!(cloud.asked().len(), n_asked);
    assert!(!cloud.place.has("no.jsonl"));
}

/// The training set of a job says what is compared, and only of that job: an id
/// says nothing of where it is.
#[test]
fn the_record_of_a_job_elsewhere_is_not_taken() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    cloud.place.write("bare.txt", "What is this?\n");
    let run = cloud.predict(&["bare.txt", "-o", "a.jsonl"], 0);
    let is_compared = |run: &Run| run.stderr.contains("in training");
    assert!(is_compared(&run), "{}", run.stderr);
    let record = cloud.place.read("split/job.json");
    let mut record: Value = serde_json::from_slice(&record).unwrap();
    let name = record["job"].as_str().unwrap().to_owned();
    let elsewhere = name.replace("/us-central1/", "/europe-west4/");
    assert_ne!(name, elsewhere);
    record["job"] = json!(elsewhere);
    cloud.place.write("split/job.json", record.to_string());
    let run = cloud.predict(&["bare.txt", "-o", "b.jsonl", "--job", &name], 0);
    assert!(!is_compared(&run), "{}", run.stderr);
}

/// Runs a batch to its end while the emulator's clock is moved.
fn batch(cloud: &Cloud, arguments: &[&str], status: i32) -> Run {
    let bucket = ["--batch", "--bucket", "gs://prep-rehearsal/batches"];
    let command = cloud.command(&[&["predict"], arguments, &bucket[..]].concat());
    thread::scope(|scope| {
        let run = scope.spawn(|| cloud.place.finish(command));
        let mut n_looks = cloud.n_of(LOOK);
        while !run.is_finished() {
            move_on(cloud, &mut n_looks);
            thread::sleep(Duration::from_millis(20));
        }
        let run = run.join().unwrap();
        let told = format!("{arguments:?}: {}", run.stderr);
        assert_eq!(run.status.code(), Some(status), "{told}");
        run
    })
}

/// Moves the clock when a batch was looked at.
fn move_on(cloud: &Cloud, n_looks: &mut usize) {
    let n = cloud.n_of(LOOK);
    if n > *n_looks {
        *n_looks = n;
        cloud.clock.advance(PACE);
    }
}

const LOOK: &str = "aiplatform.batchPredictionJobs.get";
const CREATE: &str = "aiplatform.batchPredictionJobs.create";

#[test]
fn a_batch_writes_what_single_requests_would() {
    let cloud = Cloud::tuned("gemini-2.5-flash");
    cloud.predict(&["prompts.jsonl", "-o", "single.jsonl"], 0);
    let single = cloud.place.read("single.jsonl");
    check_all(&lines_of(&single));
    let n = cloud.asked().len();
    let run = batch(&cloud, &["prompts.jsonl"], 0);
    assert_eq!(cloud.place.read("predictions.jsonl"), single);
    for told in [
        "gs://prep-rehearsal/batches/requests-",
        ": started",
        "succeeded",
        "30 ok",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    assert_eq!(
        cloud
            .place
            .names()
            .iter()
            .filter(|name| name.contains("requests"))
            .count(),
        0
    );
    // Again: nothing is sent. Elsewhere: the batch is found.
    batch(&cloud, &["prompts.jsonl"], 0);
    let run = batch(&cloud, &["prompts.jsonl", "-o", "other.jsonl"], 0);
    assert!(run.stderr.contains("was started before"), "{}", run.stderr);
    let run = batch(&cloud, &["prompts.jsonl", "-o", "-"], 0);
    assert_eq!(run.stdout, single);
    assert_eq!(cloud.place.read("other.jsonl"), single);
    // Single requests and batches keep answers alike.
    cloud.predict(&["prompts.jsonl"], 0);
    assert_eq!((cloud.n_of(CREATE), cloud.asked().len()), (1, n));
    batch(&cloud, &["prompts.jsonl", "--again"], 0);
    assert_eq!(cloud.n_of(CREATE), 2);
}

#[test]
fn a_batch_asks_equal_prompts_and_odd_ones() {
    let cloud = Cloud::new();
    let prompt = |n: usize, word: &str| format!("{} {word}", prompt(n));
    let prompts = [
        prompt(1, ""),
        prompt(2, "[[SAFETY]]"),
        prompt(1, ""),
        prompt(3, "[[400]]"),
        prompt(4, "[[MAX_TOKENS]]"),
        prompt(1, ""),
    ];
    let lines = prompts.iter().map(|prompt| example(None, prompt, "x"));
    cloud.place.write("odd.jsonl", lines.collect::<String>());
    let arguments = [
        "odd.jsonl",
        "--model",
        "gemini-3.5-flash",
        "--temperature",
        "0",
    ];
    let run = batch(&cloud, &arguments, 1);
    assert!(
        run.stderr.contains("prompt 4 has no answer"),
        "{}",
        run.stderr
    );
    let rows = cloud.rows("predictions.jsonl");
    check_rows(&rows, &prompts);
    let outcomes: Vec<_> = rows
        .iter()
        .map(|row| row["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["ok", "refused", "ok", "error", "truncated", "ok"]
    );
    assert_eq!(rows[3]["error"]["code"], 400);
    // The same command asks what has no answer, and goes on doing so.
    for n in [2, 3] {
        batch(&cloud, &arguments, 1);
        assert_eq!(cloud.n_of(CREATE), n);
        assert_eq!(cloud.rows("predictions.jsonl"), rows);
    }
}

#[test]
fn a_batch_is_paid_for_once_whenever_it_is_killed() {
    let cloud = Cloud::tuned("gemini-2.5-flash");
    cloud.predict(&["prompts.jsonl", "-o", "single.jsonl"], 0);
    let single = cloud.place.read("single.jsonl");
    for (index, operation) in [
        "storage.objects.insert.multipart",
        CREATE,
        LOOK,
        "storage.objects.list",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("out-{index}.jsonl");
        let tokens = (100 + index).to_string();
        let arguments = ["prompts.jsonl", "-o", &name, "--max-output-tokens", &tokens];
        let before = (cloud.n_of(operation), cloud.n_of(CREATE));
        let bucket = ["--batch", "--bucket", "gs://prep-rehearsal/batches"];
        let mut command = cloud.command(&[&["predict"], &arguments[..], &bucket].concat());
        let mut started = Started::new(command.stdout(Stdio::null()));
        let began = Instant::now();
        let mut n_looks = cloud.n_of(LOOK);
        while cloud.n_of(operation) == before.0 {
            move_on(&cloud, &mut n_looks);
            assert!(began.elapsed() < Duration::from_secs(15), "{operation}");
            thread::sleep(Duration::from_millis(2));
        }
        started.child.kill().unwrap();
        started.child.wait().unwrap();
        let requests = cloud.place.path(&format!(".{name}.requests"));
        let left = fs::read(&requests).ok();
        batch(&cloud, &arguments, 0);
        assert_eq!(cloud.n_of(CREATE), before.1 + 1, "{operation}");
        // Killed in the middle of taking the results.
        if let (LOOK, Some(left)) = (operation, left) {
            let whole = cloud.place.read(&name);
            let journal = cloud.place.path(&format!(".{name}.answers"));
            let answers = fs::read_to_string(&journal).unwrap();
            let first: String = answers.split_inclusive('\n').take(11).collect();
            fs::write(&journal, first).unwrap();
            fs::write(&requests, left).unwrap();
            batch(&cloud, &arguments, 0);
            assert_eq!(cloud.n_of(CREATE), before.1 + 1);
            assert_eq!(cloud.place.read(&name), whole);
            assert!(!requests.exists());
        }
        let predictions = |bytes: &[u8]| -> Vec<_> {
            let rows = lines_of(bytes).into_iter();
            rows.map(|row| row["prediction"].clone()).collect()
        };
        assert_eq!(predictions(&cloud.place.read(&name)), predictions(&single));
    }
    // The answer of the create is lost: a look finds the batch.
    cloud.set_faults(vec![Fault::on(CREATE, Effect::StatusAfter { code: 503 })]);
    let n = cloud.n_of(CREATE);
    batch(
        &cloud,
        &["prompts.jsonl", "-o", "lost.jsonl", "--seed", "7"],
        0,
    );
    assert_eq!(cloud.n_of(CREATE), n + 1);
}

#[test]
fn a_batch_that_cannot_be_is_refused() {
    let cloud = Cloud::tuned("gemini-3.1-flash-lite");
    let refused = |arguments: &[&str], told: &str| {
        let run = cloud.predict(&[&["prompts.jsonl", "--batch"], arguments].concat(), 2);
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    };
    let bucket = ["--bucket", "gs://prep-rehearsal"];
    refused(
        &bucket,
        "no batch prediction for tuned models of Gemini 3 and later",
    );
    refused(&["--model", "gemini-2.5-flash"], "`--bucket gs://…`");
    refused(
        &["--endpoint", "projects/1/locations/us/endpoints/2"],
        "--endpoint",
    );
    assert_eq!(cloud.n_of(CREATE), 0);
    assert!(!cloud.place.has("predictions.jsonl"));
    // A rehearsal has a bucket, and a base model.
    let place = Place::with("prompts.txt", "One?\nTwo?\n");
    let run = place.prep(&[
        "predict",
        "prompts.txt",
        "--rehearse",
        "--model",
        "gemini-2.5-flash",
        "--batch",
    ]);
    assert!(run.status.success(), "{}", run.stderr);
    let rows = lines_of(&place.read("predictions.jsonl"));
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[1]["prediction"],
        "gemini-2.5-flash has not learned this."
    );
    assert_eq!(rows[1]["rehearsal"], true);
}
