//! Runs of the `prep` binary, each in a directory of its own, and what holds
//! after every one of them.

#![allow(dead_code, reason = "no test target uses all of it")]

pub(crate) mod alike;
pub(crate) mod browser;
pub(crate) mod killed;
#[cfg(feature = "cloud")]
pub(crate) mod played;

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A run that takes longer hangs. Each takes a few seconds; on a machine with
/// seven other things to do per core, one took 20.
const LIMIT: Duration = Duration::from_secs(90);

/// A directory in which `prep` is run.
#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// The most memory it held, in bytes; 0 where that cannot be told.
    pub(crate) peak_bytes: u64,
}

/// A command that was started, and where its output goes.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) child: Child,
    stderr: File,
    since: Instant,
    command: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("prep-").tempdir().unwrap();
        Self { directory }
    }

    /// A place that holds one file.
    pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        place.write(name, content);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The names of the files here, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The temporary files here.
    pub(crate) fn partials(&self) -> Vec<String> {
        let mut names = self.names();
        names.retain(|name| name.ends_with(".partial"));
        names
    }

    /// The command, to be given more than arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prep"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    /// Starts `prep` and does not wait for it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        Started::new(self.command(arguments).stdout(Stdio::null()))
    }

    /// Runs `prep` to its end. It ends by itself, in time, with a status the
    /// contract knows, and leaves no temporary file.
    pub(crate) fn prep(&self, arguments: &[&str]) -> Run {
        self.finish(self.command(arguments))
    }

    /// Runs a command of [`Place::command`] to its end, with the same to hold.
    pub(crate) fn finish(&self, mut command: Command) -> Run {
        let mut stdout = tempfile::tempfile().unwrap();
        let started = Started::new(command.stdout(stdout.try_clone().unwrap()));
        let words = started.command.clone();
        let mut run = started.wait();
        stdout.rewind().unwrap();
        stdout.read_to_end(&mut run.stdout).unwrap();
        assert!(
            matches!(run.status.code(), Some(0..=2)) && !run.stderr.contains("panicked"),
            "{words}: {}\n{}",
            run.status,
            run.stderr
        );
        if run.status.code() == Some(2) {
            let mut lines = run.stderr.lines();
            assert!(
                lines.any(|line| line
                    .strip_prefix("error: ")
                    .is_some_and(|rest| !rest.is_empty())),
                "{words}: status 2 with no word of why:\n{}",
                run.stderr
            );
        }
        assert_eq!(self.partials(), [""; 0], "{words}: left behind");
        run
    }

    /// Runs `prep convert … --summary summary.json`, and checks all that holds
    /// whatever the input.
    pub(crate) fn convert(&self, arguments: &[&str]) -> Run {
        let run = self.prep(&[&["convert", "--summary", "summary.json"], arguments].concat());
        if run.status.code() == Some(2) {
            assert!(!self.has("train.jsonl"), "{arguments:?}: {}", run.stderr);
        } else {
            self.check_outputs(&run);
        }
        run
    }

    /// The ledger of the last conversion.
    pub(crate) fn ledger(&self) -> Ledger {
        let summary: Value = serde_json::from_slice(&self.read("summary.json")).unwrap();
        let ledger = &summary["ledger"];
        let codes = |key: &str| {
            let codes = ledger[key].as_object().unwrap().iter();
            codes
                .map(|(code, n)| (code.clone(), n.as_u64().unwrap()))
                .collect()
        };
        Ledger {
            read: ledger["read"].as_u64().unwrap(),
            written: ledger["written"].as_u64().unwrap(),
            dropped: codes("dropped"),
            rejected: codes("rejected"),
            notes: codes("notes"),
            examples: summary["outputs"][0]["examples"].as_u64().unwrap(),
        }
    }

    /// The examples of the last conversion.
    pub(crate) fn examples(&self) -> Vec<Value> {
        lines_of(&self.read("train.jsonl"))
    }

    /// The rejects of the last conversion.
    pub(crate) fn rejects(&self) -> Vec<Value> {
        match self.has("train.rejects.jsonl") {
            true => lines_of(&self.read("train.rejects.jsonl")),
            false => Vec::new(),
        }
    }

    /// What a conversion leaves: a ledger that adds up, examples that are
    /// examples, and every record that is none in the rejects.
    fn check_outputs(&self, run: &Run) {
        let ledger = self.ledger();
        let count = |codes: &[(String, u64)]| codes.iter().map(|(_, n)| n).sum::<u64>();
        let left_out = count(&ledger.dropped) + count(&ledger.rejected);
        assert_eq!(ledger.read, ledger.written + left_out, "{ledger:?}");

        let examples = self.examples();
        assert_eq!(examples.len() as u64, ledger.examples, "{ledger:?}");
        for (example, n) in examples.iter().zip(1..) {
            let contents = example["contents"].as_array().unwrap();
            assert_eq!(contents[0]["role"], "user", "line {n}");
            assert_eq!(contents[contents.len() - 1]["role"], "model", "line {n}");
            let parts = contents.iter().map(|turn| turn["parts"].as_array());
            assert!(parts.flatten().all(|parts| !parts.is_empty()), "line {n}");
        }

        let rejects = self.rejects();
        let mut codes: Vec<(String, u64)> = Vec::new();
        for reject in &rejects {
            let text = |key: &str| reject[key].as_str().filter(|text| !text.is_empty());
            let number = |key: &str| reject[key].as_u64().filter(|&n| n > 0);
            assert!(
                text("source").is_some() && text("message").is_some(),
                "{reject}"
            );
            assert!(
                number("line").is_some() && number("record").is_some(),
                "{reject}"
            );
            let raw = reject["raw"].as_str().or(reject["raw_base64"].as_str());
            assert!(raw.is_some(), "{reject}");
            let code = text("code").unwrap();
            match codes.iter_mut().find(|(known, _)| known == code) {
                Some((_, n)) => *n += 1,
                None => codes.push((code.into(), 1)),
            }
        }
        codes.sort();
        let mut expected = [ledger.dropped.clone(), ledger.rejected.clone()].concat();
        expected.sort();
        assert_eq!(codes, expected, "the rejects are not those of the ledger");
        // Nothing read, nothing said: that must not look like success.
        if ledger.examples == 0 {
            assert_eq!(run.status.code(), Some(1), "{ledger:?}");
            assert!(run.stderr.contains("error"), "{}", run.stderr);
        }
    }
}

impl Started {
    pub(crate) fn new(command: &mut Command) -> Self {
        let stderr = tempfile::tempfile().unwrap();
        command.stderr(stderr.try_clone().unwrap());
        let words = command.get_args().map(|word| word.to_string_lossy());
        let words = format!("prep {}", words.collect::<Vec<_>>().join(" "));
        Self {
            child: command.spawn().unwrap(),
            stderr,
            since: Instant::now(),
            command: words,
        }
    }

    /// Waits for the end, and kills what does not come to it.
    pub(crate) fn wait(mut self) -> Run {
        let mut peak_bytes = 0;
        let status = loop {
            peak_bytes = peak_bytes.max(peak_of(self.child.id()));
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.since.elapsed() > LIMIT {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("{} took more than {LIMIT:?}", self.command);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let mut stderr = Vec::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_end(&mut stderr).unwrap();
        Run {
            status,
            stdout: Vec::new(),
            stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
            peak_bytes,
        }
    }
}

/// The most memory a process has held, where the system tells.
fn peak_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    kib.map_or(0, |kib| kib.trim().parse::<u64>().unwrap() << 10)
}

/// The account of a conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) read: u64,
    pub(crate) written: u64,
    pub(crate) dropped: Vec<(String, u64)>,
    pub(crate) rejected: Vec<(String, u64)>,
    pub(crate) notes: Vec<(String, u64)>,
    pub(crate) examples: u64,
}

/// The values of a JSONL file, which ends each with a newline.
pub(crate) fn lines_of(jsonl: &[u8]) -> Vec<Value> {
    let mut lines: Vec<_> = jsonl.split(|&byte| byte == b'\n').collect();
    let last = lines.pop();
    assert_eq!(last, Some(&[][..]), "the last line has no newline");
    let value = |line: &[u8]| {
        serde_json::from_slice(line)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)))
    };
    lines.into_iter().map(value).collect()
}

/// The text of a turn of an example, from 0.
pub(crate) fn text(example: &Value, turn: usize) -> &str {
    example["contents"][turn]["parts"][0]["text"]
        .as_str()
        .unwrap()
}

/// A folder of the data that is shared and not copied; `None`, loudly, where
/// it is missing.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(folder);
    if path.is_dir() {
        return Some(fs::canonicalize(path).unwrap());
    }
    skip(&format!("`{}` is missing", path.display()));
    None
}

/// Says that something is not tested here, which no run of the CI may do.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    tell(reason);
}

/// Says that something cannot be tested on this machine.
#[expect(clippy::print_stderr, reason = "a test that does not run must be seen")]
pub(crate) fn tell(reason: &str) {
    eprintln!("SKIPPED: {reason}");
}

/// Every file below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
