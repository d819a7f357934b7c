//! Files that are made to break readers: none may hang, crash or be taken for
//! less than it is.
//!
//! The first half is given collections of others, which are not in this
//! repository; the second half writes its traps itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use run::{Place, shared, text};
use serde_json::Value;

/// Memory that a conversion may hold, whatever the input.
const MEMORY: u64 = 150 << 20;

#[test]
fn tables_of_bug_reports_are_read_or_refused() {
    sweep("nasty/frictionless", &["csv"]);
}

#[test]
fn the_cases_of_the_json_suite_are_read_or_refused() {
    sweep("nasty/JSONTestSuite", &["openai"]);
}

#[test]
fn workbooks_are_read_or_refused() {
    sweep("nasty/xlsx", &["tmx"]);
}

#[test]
fn parquet_files_are_read_or_refused() {
    sweep("nasty/parquet", &["xliff"]);
}

#[test]
fn naughty_strings_are_read_or_refused() {
    let Some(folder) = shared("nasty") else {
        return;
    };
    for name in ["blns.json", "blns.txt", "utf8tests.bin", "utf8tests.txt"] {
        offer(&folder.join(name), &["csv", "openai", "tmx", "po", "xliff"]);
    }
}

/// Offers every file below a folder, as what it is and as what it is not.
fn sweep(folder: &str, formats: &[&str]) {
    let Some(folder) = shared(folder) else { return };
    let files = run::files_below(&folder);
    assert!(files.len() > 10, "{}", folder.display());
    for (file, n) in files.iter().zip(0..) {
        // The formats take turns: a tenth of the files are offered as all.
        let all = ["csv", "openai", "tmx", "po", "xliff"];
        offer(file, if n % 10 == 0 { &all } else { formats });
    }
}

/// Gives a file to `prep`, which reads or refuses it. [`Place::convert`] holds
/// what must be true after every run.
fn offer(file: &Path, formats: &[&str]) {
    let path = file.to_str().unwrap();
    let run = Place::new().convert(&[path]);
    // A table of unknown columns is read by its first one.
    let names = run.stderr.split_once("note: its columns are `");
    if let Some((name, _)) = names.and_then(|(_, names)| names.split_once('`')) {
        let name = name.replace('{', "{{").replace('}', "}}");
        let template = format!("{{{name}}}");
        Place::new().convert(&[path, "--user", &template, "--model-text", &template]);
    }
    for format in formats {
        Place::new().convert(&[path, "--from", format]);
    }
    Place::new().convert(&[path, "--no-header", "--user", "{1}", "--model-text", "{1}"]);
}

#[test]
fn cells_are_what_csv_spectrum_says() {
    let Some(folder) = shared("nasty/csv-spectrum") else {
        return;
    };
    for file in run::files_below(&folder.join("csvs")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        offer(&file, &["csv", "po"]);
        // Its expected values are those of another row.
        if name == "location_coordinates" {
            continue;
        }
        let expected = fs::read(folder.join(format!("json/{name}.json"))).unwrap();
        let expected: Vec<BTreeMap<String, String>> = serde_json::from_slice(&expected).unwrap();
        let header: Vec<_> = expected[0].keys().cloned().collect();
        let template: Vec<_> = header.iter().map(|name| format!("<{{{name}}}>")).collect();
        let template = template.join("|");
        let first = format!("{{{}}}", header[0]);

        let place = Place::new();
        let path = file.to_str().unwrap();
        place.convert(&[path, "--user", &template, "--model-text", &first]);
        let examples = place.examples();
        let texts: Vec<_> = examples.iter().map(|example| text(example, 0)).collect();
        let joined = expected.iter().map(|row| {
            let cells: Vec<_> = row.values().map(|cell| format!("<{cell}>")).collect();
            cells.join("|")
        });
        assert_eq!(texts, joined.collect::<Vec<_>>(), "{name}");
    }
}

/// Converts a file, and tells what came of it: the examples, then the rejects,
/// then the notes; or the error.
fn outcome(name: &str, content: impl AsRef<[u8]>, flags: &[&str]) -> Vec<String> {
    let place = Place::with(name, content);
    let run = place.convert(&[&[name], flags].concat());
    if run.status.code() == Some(2) {
        let lines = run.stderr.lines().map(str::trim);
        return lines
            .filter(|line| line.starts_with("error: ") || line.starts_with("cause: "))
            .map(str::to_owned)
            .collect();
    }
    let examples = place.examples();
    let examples = examples
        .iter()
        .map(|example| format!("{} → {}", text(example, 0), text(example, 1)));
    let rejects = place.rejects();
    let rejects = rejects.iter().map(|reject| {
        let code = reject["code"].as_str().unwrap();
        format!("{code} at {}:{}", reject["line"], reject["column"])
    });
    let notes = place.ledger().notes;
    let notes = notes.iter().map(|(code, n)| format!("{n} × {code}"));
    examples.chain(rejects).chain(notes).collect()
}

/// Holds what comes of a CSV.
fn csv(content: impl AsRef<[u8]>, expected: &[&str]) {
    let content = content.as_ref();
    let shown = String::from_utf8_lossy(&content[..content.len().min(200)]).into_owned();
    assert_eq!(outcome("in.csv", content, &[]), expected, "{shown:?}");
}

/// A text in UTF-16, with its bytes in the order that `bytes_of` gives.
fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes_of).collect()
}

#[test]
fn encodings_are_told_and_read() {
    let plain = "source,target\nniño,mañana\nhello there,qué tal\n";
    let expected = ["niño → mañana", "hello there → qué tal"];
    let marked = format!("\u{feff}{plain}");
    csv(plain, &expected);
    csv(&marked, &expected);
    csv(utf16(&marked, u16::to_le_bytes), &expected);
    csv(utf16(&marked, u16::to_be_bytes), &expected);
    csv(utf16(plain, u16::to_le_bytes), &expected);
    csv(utf16(plain, u16::to_be_bytes), &expected);

    let latin1: Vec<_> = plain.chars().map(|c| c as u8).collect();
    csv(&latin1, &expected);
    let place = Place::with("in.csv", &latin1);
    let run = place.convert(&["in.csv"]);
    assert!(run.stderr.contains("windows-1252"), "{}", run.stderr);
    let run = place.prep(&["convert", "in.csv", "--encoding", "utf-8", "--force"]);
    assert!(run.stderr.contains("S001"), "{}", run.stderr);

    // Half a character at the end of UTF-16.
    let mut cut = utf16(&marked, u16::to_le_bytes);
    cut.pop();
    assert_eq!(outcome("in.csv", cut, &[]).len(), 2);
}

#[test]
fn characters_that_end_no_line_are_data() {
    csv(
        "source,target\na\u{2028}b,c\u{85}d\ne\u{b}f,g\u{c}h\n",
        &["a\u{2028}b → c\u{85}d", "e\u{b}f → g\u{c}h"],
    );
    csv("source,target\na\0b,c\nd,e\n", &["d → e", "S010 at 2:2"]);
    csv("source,target\n\"a\rb\",c\n", &["a\rb → c"]);
    csv(
        "source,target\na,b\rc,d\ne,f\n",
        &["a → b", "c → d", "e → f", "1 × S007"],
    );
    csv("source,target\ra,b\rc,d\r", &["a → b", "c → d"]);
    csv("source,target\r\na,\"b\r\nc\"\r\n", &["a → b\r\nc"]);
}

/// Fails: what is found in a cell is placed at the beginning of its record.
#[test]
fn what_is_wrong_with_a_cell_is_placed_in_the_cell() {
    csv("source,target\na\0b,c\n", &["S010 at 2:2"]);
    csv("source,target\na,\"b\nc\0\"\n", &["S010 at 3:2"]);
    csv(
        "source,target\nb,#REF!\nc,\n",
        &["S011 at 2:3", "S009 at 3:3"],
    );
}

/// The carriage return is why the rows are ragged: whoever mends them has to
/// be told.
#[test]
fn a_lone_carriage_return_is_told_even_where_it_spoils_the_row() {
    csv(
        "source,target\na\rb,c\nd,e\n",
        &["b → c", "d → e", "S003 at 2:1", "1 × S007"],
    );
}

#[test]
fn rows_that_are_no_rows_are_rejected_by_line() {
    csv(
        "source,target\na,b,c\nd\ne,f\n",
        &["e → f", "S003 at 2:1", "S003 at 3:1"],
    );
    csv("source,target\n\na,b\n\n\n", &["a → b", "3 × S002"]);
    csv(
        "source,target\na,b \"c\" d\n",
        &["a → b \"c\" d", "1 × S006"],
    );
    csv("source,target\n\"a\" b,c\nd,e\n", &["d → e", "S005 at 2:4"]);
    csv(
        "source,target\n,a\nb,\n\"\",\"\"\n",
        &["S009 at 2:1", "S009 at 3:3", "S009 at 4:2"],
    );
    csv(
        "source,target\n#NAME?,a\nb,#REF!\n#hash,c\n",
        &["#hash → c", "S011 at 2:1", "S011 at 3:3"],
    );
    csv(
        "source,target\na_x000D_b,c\n",
        &["a_x000D_b → c", "1 × S013"],
    );
    // Nothing is a number, a date or a missing value.
    csv(
        "source,target\n007,NaN\ntrue,1e5\n  a  ,null\n",
        &["007 → NaN", "true → 1e5", "  a   → null"],
    );
    let cell = "x".repeat(32_767);
    let kept = format!("{cell} → a");
    csv(format!("source,target\n{cell},a\n"), &[&kept, "1 × S012"]);
    let longer = "x".repeat(32_768);
    csv(
        format!("source,target\n{longer},a\n"),
        &[&format!("{longer} → a")],
    );
}

#[test]
fn an_unclosed_quote_names_where_it_opens_and_what_it_swallows() {
    let place = Place::with("in.csv", "source,target\na,b\nc,\"d\ne,f\ng,h\n");
    let run = place.convert(&["in.csv"]);
    assert_eq!(place.ledger().rejected, [("S004".to_owned(), 1)]);
    let reject = &place.rejects()[0];
    assert_eq!(
        (reject["line"].as_u64(), reject["column"].as_u64()),
        (Some(3), Some(3))
    );
    let message = reject["message"].as_str().unwrap();
    assert!(message.contains("3 lines"), "{message}");
    assert!(run.stderr.contains("in.csv:3:3") && run.stderr.contains(message));
    assert_eq!(
        reject["raw"].as_str().unwrap().trim_end(),
        "c,\"d\ne,f\ng,h"
    );
}

#[test]
fn headers_that_do_not_tell_are_refused_with_their_columns() {
    let refused = |content: &str, expected: &[&str]| {
        let place = Place::with("in.csv", content);
        let run = place.convert(&["in.csv"]);
        assert_eq!(run.status.code(), Some(2), "{content:?}: {}", run.stderr);
        for expected in expected {
            assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
        }
    };
    refused(
        "source,source,target\na,b,c\n",
        &["`source` and `source`", "--src-column"],
    );
    refused(
        "one,two,three\na,b,c\n",
        &["`one`, `two`, `three`", "--src-column"],
    );
    refused("source\na\nb\n", &["one column", "--delimiter"]);
    refused("", &["empty"]);
    refused("\n\n\n", &["empty"]);
    refused("\u{feff}", &["empty"]);
    csv("source,,target,\na,x,b,\n", &["a → b"]);
    let by = |flags: &[&str]| outcome("in.csv", "source,source,target\na,b,c\n", flags);
    let twice = by(&["--src-column", "source", "--tgt-column", "target"]);
    assert!(twice[0].starts_with("error: "), "{twice:?}");
}

#[test]
fn json_that_readers_disagree_about_is_rejected_by_record() {
    let good = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
    let with = |extra: &str| format!("{},{extra}}}", &good[..good.len() - 1]);
    let content = |text: &str| good.replace("\"a\"", text);
    let check = |line: &str, code: &str| {
        let outcome = outcome("in.jsonl", format!("{good}\n{line}\n{good}\n"), &[]);
        let (rejects, kept): (Vec<_>, Vec<_>) =
            outcome.iter().partition(|line| line.starts_with('S'));
        let shown = &line[..line.len().min(120)];
        assert_eq!(kept, ["a → b", "a → b"], "{shown}");
        let place = format!("{code} at 2:");
        assert!(
            matches!(&rejects[..], [one] if one.starts_with(&place)),
            "{shown}: {rejects:?}"
        );
    };
    check(&with(r#""messages":[]"#), "S015");
    check(&with(r#""mess\u0061ges":[]"#), "S015");
    check(&with(r#""weight":1e999"#), "S016");
    check(&content(r#""\ud800""#), "S017");
    check(&content(r#""\udc00\ud800""#), "S017");
    check(&content(&"[".repeat(100_000)), "S018");
    check(
        &with(&format!(
            "\"x\":{}1{}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        )),
        "S018",
    );
    check(&content("'a'"), "S014");
    check(&content("NaN"), "S016");
    check(&content("\"a\tb\""), "S014");
    check(&format!("{good},"), "S014");
    check(&format!("{good}{good}"), "S014");
    check(&good[..40], "S014");
    check("null", "S019");

    let bomb = "[".repeat(100_000);
    for flags in [
        &[][..],
        &["--from", "openai"],
        &["--from", "gemini"],
        &["--from", "csv"],
    ] {
        let outcome = outcome("in.json", &bomb, flags);
        assert!(!outcome.is_empty(), "{flags:?}");
    }
}

#[test]
fn entities_are_neither_multiplied_nor_fetched() {
    let tmx = |entities: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE tmx [\n{entities}]>\n<tmx version=\"1.4\"><header srclang=\"en\"/><body>\n\
             <tu><tuv xml:lang=\"en\"><seg>&j;</seg></tuv><tuv xml:lang=\"es\"><seg>x</seg></tuv></tu>\n\
             <tu><tuv xml:lang=\"en\"><seg>a &amp; b</seg></tuv><tuv xml:lang=\"es\"><seg>c</seg></tuv></tu>\n\
             </body></tmx>\n"
        )
    };
    let mut bomb = "<!ENTITY a \"aaaaaaaaaa\">\n".to_owned();
    for (name, inner) in ('b'..='j').zip('a'..) {
        let inner = format!("&{inner};").repeat(10);
        writeln!(bomb, "<!ENTITY {name} \"{inner}\">").unwrap();
    }
    for entities in [bomb.as_str(), "<!ENTITY j SYSTEM \"secret.txt\">\n"] {
        let place = Place::with("in.tmx", tmx(entities));
        place.write("secret.txt", "the secret");
        let run = place.convert(&["in.tmx"]);
        assert!(run.peak_bytes < MEMORY);
        let told = run.stderr.contains("error[S032]") || run.stderr.contains("error: ");
        assert!(told, "{}", run.stderr);
        for name in place.names() {
            let content = String::from_utf8_lossy(&place.read(&name)).into_owned();
            assert!(name == "secret.txt" || !content.contains("the secret"));
            assert!(!content.contains(&"a".repeat(100)), "{name}");
        }
        if run.status.code() != Some(2) {
            assert_eq!(text(&place.examples()[0], 0), "a & b");
        }
    }
}

/// A workbook with one sheet, of which one part is given.
fn workbook(path: &Path, part: &str, content: impl Fn(&mut dyn std::io::Write)) {
    let ns = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                r#"<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>"#
            ),
        ),
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{ns}" xmlns:r="{relations}"><sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                r#"<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                r#"<worksheet xmlns="{ns}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>source</t></is></c><c r="B1" t="inlineStr"><is><t>target</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2" t="s"><v>0</v></c></row></sheetData></worksheet>"#
            ),
        ),
        (
            "xl/sharedStrings.xml",
            format!(r#"<sst xmlns="{ns}"><si><t>b</t></si></sst>"#),
        ),
    ];
    let mut zip = zip::ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, plain) in parts {
        zip.start_file(name, options).unwrap();
        if name == part {
            content(&mut zip);
        } else {
            zip.write_all(plain.as_bytes()).unwrap();
        }
    }
    zip.finish().unwrap().into_inner().unwrap();
}

#[test]
fn a_zip_bomb_is_refused_in_little_memory() {
    let place = Place::new();
    workbook(&place.path("good.xlsx"), "none", |_| ());
    place.convert(&["good.xlsx"]);
    assert_eq!(text(&place.examples()[0], 1), "b");

    let megabyte = vec![b'a'; 1 << 20];
    for part in [
        "xl/sharedStrings.xml",
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
    ] {
        let place = Place::new();
        workbook(&place.path("in.xlsx"), part, |out| {
            out.write_all(b"<sst><si><t>").unwrap();
            (0..300).for_each(|_| out.write_all(&megabyte).unwrap());
        });
        let run = place.convert(&["in.xlsx"]);
        assert_eq!(run.status.code(), Some(2), "{part}: {}", run.stderr);
        assert!(run.peak_bytes < MEMORY, "{part}: {} bytes", run.peak_bytes);
    }
}

#[test]
fn a_cell_without_end_is_skipped_in_little_memory() {
    let place = Place::new();
    let mut file = BufWriter::new(File::create(place.path("in.csv")).unwrap());
    file.write_all(b"source,target\na,b\n\"").unwrap();
    let megabyte = [b"word ".repeat(200_000), b"\n".to_vec()].concat();
    (0..200).for_each(|_| file.write_all(&megabyte).unwrap());
    file.write_all(b"\",c\nd,e\n").unwrap();
    file.into_inner().unwrap();
    let run = place.convert(&["in.csv"]);
    assert!(run.peak_bytes < MEMORY, "{} bytes", run.peak_bytes);
    let ledger = place.ledger();
    assert_eq!((ledger.read, ledger.written), (3, 2), "{ledger:?}");
    assert_eq!(ledger.rejected, [("S008".to_owned(), 1)]);
    let reject = &place.rejects()[0];
    assert_eq!(
        (reject["line"].as_u64(), reject["record"].as_u64()),
        (Some(3), Some(2))
    );
    assert_eq!(text(&place.examples()[1], 0), "d");
    // Behind it the lines are still counted.
    let run = place.prep(&["trace", "train.jsonl:2"]);
    let shown = String::from_utf8(run.stdout).unwrap();
    assert!(shown.contains("in.csv:204 (record 3)"), "{shown}");
    assert!(run.peak_bytes < MEMORY, "{} bytes", run.peak_bytes);
}

#[test]
fn a_file_without_newlines_is_answered_in_little_memory() {
    let place = Place::new();
    let mut file = BufWriter::new(File::create(place.path("in.txt")).unwrap());
    let megabyte = b"word ".repeat(200_000);
    (0..100).for_each(|_| file.write_all(&megabyte).unwrap());
    file.into_inner().unwrap();
    let flags: [&[&str]; 4] = [
        &[],
        &["--from", "openai"],
        &["--from", "tmx"],
        &[
            "--no-header",
            "--delimiter",
            "|",
            "--user",
            "{1}",
            "--model-text",
            "{1}",
        ],
    ];
    for flags in flags {
        let place = &place;
        for name in place.names().iter().filter(|name| *name != "in.txt") {
            fs::remove_file(place.path(name)).unwrap();
        }
        let run = place.convert(&[&["in.txt"], flags].concat());
        assert!(
            run.peak_bytes < MEMORY,
            "{flags:?}: {} bytes",
            run.peak_bytes
        );
        assert_ne!(run.status.code(), Some(0), "{flags:?}: {}", run.stderr);
    }
}

#[test]
fn what_is_no_file_to_read_is_named() {
    let place = Place::with("in.csv", "source,target\na,b\n");
    fs::create_dir(place.path("folder")).unwrap();
    let refused = |arguments: &[&str], expected: &[&str]| {
        let run = place.convert(arguments);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {}", run.stderr);
        for expected in expected {
            assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
        }
    };
    refused(&["none.csv"], &["`none.csv`", "No such file"]);
    refused(&["in.csv", "none.csv"], &["`none.csv`"]);
    refused(&["folder"], &["`folder`", "directory"]);
    refused(
        &["in.csv", "-o", "none/train.jsonl"],
        &["`none/", "create its directory"],
    );
    refused(
        &["in.csv", "--user", "{nothing}"],
        &["`nothing`", "`source`, `target`"],
    );
    assert!(!place.has("none"));
    refused(&["in.csv", "-o", "folder"], &["folder"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let place = Place::with("in.csv", "source,target\na,b\n");
    let mode = |name: &str, mode| {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("in.csv", 0);
    mode("", 0o777);
    let mut command = place.command(&["convert", "in.csv"]);
    if fs::metadata(place.path("in.csv")).unwrap().uid() == 0 {
        // Root reads everything; somebody else runs it then.
        command.uid(65_534);
    }
    let Ok(output) = command.output() else {
        run::tell("nobody but root can run prep here: unreadable files are not tested");
        return;
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("`in.csv`") && stderr.contains("ermission denied"),
        "{stderr}"
    );
    assert_eq!(place.names(), ["in.csv"]);
}

#[test]
fn no_output_takes_the_place_of_an_input() {
    let example = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]}]}"#;
    let place = Place::with("train.jsonl", format!("{example}\n"));
    let table = "source,target\na,b\nragged\n";
    place.write("good.csv", "source,target\na,b\n");
    place.write("in.csv", table);
    place.write("in.rejects.jsonl", format!("{example}\n"));
    let cases: [&[&str]; 9] = [
        &["train.jsonl"],
        &["train.jsonl", "--force"],
        &["./train.jsonl", "-o", "../../$PWD/train.jsonl"],
        &["in.rejects.jsonl", "-o", "in.jsonl", "--force"],
        &[
            "in.csv",
            "-o",
            "out.jsonl",
            "--rejects",
            "in.csv",
            "--force",
        ],
        &["in.csv", "-o", "out.jsonl", "--summary", "in.csv"],
        &["in.csv", "-o", "out.jsonl", "--rejects", "out.jsonl"],
        // Two outputs under one name are as bad.
        &["in.csv", "-o", "out.jsonl", "--summary", "out.jsonl"],
        &["good.csv", "-o", "out.jsonl", "--rejects", "./out.jsonl"],
    ];
    let mut wrong = String::new();
    for arguments in cases {
        let pwd = place
            .path("")
            .to_str()
            .unwrap()
            .trim_matches('/')
            .to_owned();
        let up = "../".repeat(pwd.matches('/').count() + 1);
        let arguments: Vec<_> = arguments
            .iter()
            .map(|word| word.replace("../../$PWD", &format!("{up}{pwd}")))
            .collect();
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        let run = place.prep(&[&["convert"], &words[..]].concat());
        if run.status.code() != Some(2) {
            writeln!(wrong, "{arguments:?}: {}", run.status).unwrap();
        }
        if place.read("in.csv") != table.as_bytes() {
            writeln!(wrong, "{arguments:?}: the input is gone").unwrap();
            place.write("in.csv", table);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(place.read("train.jsonl"), format!("{example}\n").as_bytes());
}

/// A table whose dataset is larger than a megabyte.
fn large_table() -> String {
    let rows = (0..20_000).map(|n| format!("the prompt of row {n},the answer to it\n"));
    std::iter::once("source,target\n".to_owned())
        .chain(rows)
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let place = Place::with("in.csv", large_table());
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = place.command(&["convert", "in.csv", "-o", "-"]);
    let output = command
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");

    // A file that may not grow further; nobody has to be root for it.
    place.prep(&["convert", "in.csv"]);
    let before = place.read("train.jsonl");
    let output = shell(
        &place,
        "trap '' XFSZ; ulimit -f 1000; exec \"$PREP\" convert in.csv --user 'Say: {source}' --src-lang en",
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot write `train.jsonl`"), "{stderr}");
    assert_eq!(place.partials(), [""; 0]);
    assert_eq!(place.read("train.jsonl"), before);

    let mount = "mkdir full && mount -t tmpfs -o size=1m none full || exit 77\ncd full\n\"$PREP\" convert ../in.csv >&2\nstatus=$?\nls -A\nexit $status";
    let output = shell(&place, &format!("exec unshare --mount sh -c '{mount}'"));
    if !matches!(output.status.code(), Some(0..=2))
        || String::from_utf8_lossy(&output.stderr).contains("unshare")
    {
        run::tell("no file system can be mounted here: a full disk is half tested");
        return;
    }
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("No space left") && stderr.contains("make room"),
        "{stderr}"
    );
    assert_eq!(output.stdout, b"", "left on the full disk");
}

#[cfg(target_os = "linux")]
fn shell(place: &Place, script: &str) -> std::process::Output {
    Command::new("sh")
        .args(["-c", script])
        .current_dir(place.path(""))
        .env("PREP", env!("CARGO_BIN_EXE_prep"))
        .output()
        .unwrap()
}

/// Values of all kinds in one object, so that a reject of any of them is seen
/// to carry its bytes.
#[test]
fn rejects_carry_the_bytes_that_were_there() {
    let place = Place::with(
        "in.csv",
        b"source,target\nok \xc3\xb1\xc3\xb3\xc3\xa9,yes \xc3\xb1\nbad \xff,x\n",
    );
    place.convert(&["in.csv"]);
    let rejects: Vec<Value> = place.rejects();
    assert_eq!(rejects[0]["code"], "S001");
    assert_eq!(
        (rejects[0]["line"].as_u64(), rejects[0]["column"].as_u64()),
        (Some(3), Some(5))
    );
    assert_eq!(rejects[0]["raw_base64"], "YmFkIP8seA==");
}
