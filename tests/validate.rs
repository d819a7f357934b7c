//! `prep validate` and `prep fix` on files that nobody made for them: the JSON
//! test suite, broken UTF-8, everything that is made to break readers, and
//! real corpora, in which nothing may be called an error that is none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::run::{Place, Run, files_below, lines_of, shared};

/// The codes that say that a line is not JSON, or that its JSON is read in
/// different ways.
const JSON_CODES: &[&str] = &["E001", "E003", "E004", "E005", "E006", "E009", "E011"];

/// Validates a file and gives its findings.
fn findings(place: &Place, name: &str, flags: &[&str]) -> (Run, Vec<Value>) {
    let arguments = [&["validate", name, "--format", "jsonl"], flags].concat();
    let run = place.prep(&arguments);
    let found = lines_of(&run.stdout);
    (run, found)
}

fn code(finding: &Value) -> &str {
    finding["code"].as_str().unwrap()
}

#[test]
fn the_json_suite_is_accepted_and_refused_as_it_says() {
    let Some(folder) = shared("nasty/JSONTestSuite") else {
        return;
    };
    let mut n_lines = 0;
    let mut faults = Vec::new();
    for file in files_below(&folder) {
        let bytes = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        // A text of several lines is several lines here, and the mark at the
        // beginning is no part of the first.
        if bytes.trim_ascii().is_empty()
            || bytes.contains(&b'\n')
            || bytes.starts_with(b"\xef\xbb\xbf")
        {
            continue;
        }
        let place = Place::with("suite.jsonl", &bytes);
        let (_, found) = findings(&place, "suite.jsonl", &[]);
        let faulty: Vec<_> = found
            .iter()
            .filter(|finding| JSON_CODES.contains(&code(finding)))
            .collect();
        n_lines += 1;
        let has_place = |finding: &&Value| {
            finding["line"] == 1
                && (1..=bytes.len() as u64 + 1).contains(&finding["column"].as_u64().unwrap())
        };
        let is_right = match &name[..1] {
            // What the suite accepts and we do not: keys that are there twice.
            "y" => faulty.iter().all(|finding| code(finding) == "E003"),
            "n" => faulty.len() == 1 && faulty.iter().all(has_place),
            _ => faulty.len() <= 1,
        };
        if !is_right {
            faults.push(format!("{name}: {faulty:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_lines > 200, "only {n_lines} files were looked at");
}

#[test]
fn broken_utf8_is_found_on_its_line() {
    let Some(folder) = shared("nasty") else {
        return;
    };
    let bytes = fs::read(folder.join("utf8tests.bin")).unwrap();
    let expected: Vec<_> = (1..)
        .zip(bytes.split(|&byte| byte == b'\n'))
        .filter(|(_, line)| std::str::from_utf8(line).is_err())
        .map(|(n, _): (u64, _)| n)
        .collect();
    let place = Place::with("utf8.jsonl", &bytes);
    let (run, found) = findings(&place, "utf8.jsonl", &["--max-per-rule", "all"]);
    let found = found.iter().filter(|finding| code(finding) == "E006");
    let lines: Vec<_> = found
        .map(|finding| finding["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, expected);
    assert!(expected.len() > 20);
    assert_eq!(run.status.code(), Some(1));
}

#[test]
fn whatever_breaks_readers_is_answered() {
    let Some(folder) = shared("nasty") else {
        return;
    };
    let mut n_files = 0;
    for file in files_below(&folder) {
        let name = file.display().to_string();
        let place = Place::new();
        let run = place.prep(&["validate", &name, "--format", "json"]);
        if run.status.code() != Some(2) {
            let report: Value = serde_json::from_slice(&run.stdout).unwrap();
            let file = &report["files"][0];
            let count = |key: &str| file[key].as_u64().unwrap();
            assert_eq!(
                count("examples"),
                count("valid") + count("invalid"),
                "{name}"
            );
            let has_errors = count("errors") > 0;
            assert_eq!(run.status.code(), Some(i32::from(has_errors)), "{name}");
        }
        n_files += 1;
    }
    assert!(n_files > 400, "only {n_files} files were looked at");
}

#[test]
fn the_report_depends_on_the_file_alone() {
    let place = Place::new();
    let mut text = String::new();
    for n in 0..3000 {
        let answer = n % 700;
        text += &format!(
            "{{\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"text\":\"Question {}\"}}]}},{{\"role\":\"model\",\"parts\":[{{\"text\":\"Answer {answer}\"}}]}}]}}\n",
            n % 900
        );
        if n % 50 == 0 {
            text += "{\"contents\":[\n\n";
        }
    }
    place.write("many.jsonl", &text);
    let report = |flags: &[&str]| {
        let arguments = [&["validate", "many.jsonl", "--format", "json"], flags].concat();
        String::from_utf8(place.prep(&arguments).stdout).unwrap()
    };
    let expected = report(&["--threads", "1"]);
    assert!(expected.contains("\"E009\""));
    for flags in [
        &["--threads", "8"],
        &["--memory", "20K"],
        &["--memory", "1"],
    ] {
        assert_eq!(report(flags), expected, "{flags:?}");
    }
    let packed = place.prep(&["convert", "many.jsonl", "-o", "packed.jsonl.gz", "-q"]);
    assert_eq!(packed.status.code(), Some(0), "{}", packed.stderr);
    let (run, found) = findings(&place, "packed.jsonl.gz", &["--select", "E"]);
    assert_eq!((run.status.code(), found.len()), (Some(0), 0));
}

#[test]
fn real_corpora_have_no_errors() {
    let Some(folder) = shared("parallel") else {
        return;
    };
    let inputs: &[&[&str]] = &[
        &[
            "csv/tico19.g_en_es-419.csv",
            "--src-column",
            "sourceString",
            "--tgt-column",
            "targetString",
        ],
        &["moses/tatoeba.spa-eng.eng", "moses/tatoeba.spa-eng.spa"],
        &["moses/tatoeba.cmn-eng.eng", "moses/tatoeba.cmn-eng.cmn"],
        &["po/django.es.po"],
        &["po/python-docs-es.library.stdtypes.po"],
        &["tmx/tico19.en-es-419.tmx"],
        &["tsv/tatoeba-anki.eng-cmn.tsv"],
        &["xliff/symfony-validators.ar.xlf"],
    ];
    for input in inputs {
        let place = Place::new();
        let path = |word: &&str| match folder.join(word) {
            path if path.is_file() => path.display().to_string(),
            _ => (*word).to_owned(),
        };
        let words: Vec<_> = input.iter().map(path).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let converted = place.prep(&[&["convert"], &words[..]].concat());
        assert_eq!(converted.status.code(), Some(0), "{}", converted.stderr);
        let (run, found) = findings(&place, "train.jsonl", &[]);
        let errors: Vec<_> = found
            .iter()
            .filter(|finding| finding["level"] == "error")
            .collect();
        assert!(errors.is_empty(), "{input:?}: {errors:?}");
        assert_eq!(run.status.code(), Some(0));
        // Every finding at a line knows where its example came from.
        let at_lines = found
            .iter()
            .filter(|finding| finding["whole_file"].is_null());
        for finding in at_lines {
            let source = finding["origin"]["source"].as_str();
            assert!(
                source.is_some_and(|source| Path::new(source).is_file()),
                "{finding}"
            );
        }
    }
}

#[test]
fn what_is_fixed_keeps_where_it_came_from() {
    let place = Place::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/csv/novel.csv");
    place.prep(&["convert", &fixture.display().to_string(), "-q"]);
    let before = String::from_utf8(place.read("train.jsonl")).unwrap();
    let damaged = before.replace("\n", "\n\n");
    place.write("train.jsonl", &damaged);
    // The file was changed by someone else: it is not written over.
    let refused = place.prep(&["fix", "train.jsonl"]);
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    assert_eq!(place.read("train.jsonl"), damaged.as_bytes());
    let fixed = place.prep(&["fix", "train.jsonl", "--force"]);
    assert_eq!(fixed.status.code(), Some(0), "{}", fixed.stderr);
    assert_eq!(place.read("train.jsonl"), before.as_bytes());
    // Once more changes nothing, not even the manifest.
    let manifest = place.read("train.manifest.json");
    let again = place.prep(&["fix", "train.jsonl"]);
    assert_eq!(again.stderr, "nothing to repair\n");
    assert_eq!(place.read("train.manifest.json"), manifest);
    let traced = place.prep(&["trace", "train.jsonl:3"]);
    let traced = String::from_utf8(traced.stdout).unwrap();
    assert!(traced.contains("by prep fix"), "{traced}");
}
