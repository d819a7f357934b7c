//! Lines, arrays, values over several lines, and rows.

use super::*;
use crate::source::Data;

const PAIR: &str = r#"{"prompt":"a","completion":"b"}"#;

fn formatted(format: Option<Format>) -> Options {
    Options {
        format,
        ..Options::default()
    }
}

/// Checks a file of pairs: `ok` and a line for each example, `code@line:column`
/// for the rest.
fn check(text: &str, expected: &str) {
    let options = formatted(Some(Format::PromptCompletion));
    let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
    let brief = |seen: &Seen| match seen {
        Seen::Chat { line, .. } => format!("ok@{line}"),
        other => written(other),
    };
    let brief: Vec<_> = seen.iter().map(brief).collect();
    assert_eq!(brief.join(" "), expected, "{text}");
    contract::holds(text.as_bytes(), &open, &options);
}

#[test]
fn lines_are_records() {
    check(
        &format!("{PAIR}\n{PAIR}\r\n \n{PAIR}"),
        "ok@1 ok@2 note S002@3:1 ok@4",
    );
    check(&format!("\n{PAIR}\n\n"), "note S002@1:1 ok@2 note S002@3:1");
    check(
        &format!("{{\"prompt\":\n{PAIR}\n{PAIR}"),
        "S014@1:11 ok@2 ok@3",
    );
    check(&format!("oh\n{PAIR}\n"), "S014@1:1 ok@2");
    check(
        &format!("{PAIR}\n{{\"prompt\":\"a\",\"compl"),
        "ok@1 S031@2:21",
    );
    check(&format!("{PAIR}{PAIR}x\n{PAIR}"), "S014@1:32 ok@2");
}

#[test]
fn elements_of_an_array_are_records() {
    check(&format!("[{PAIR},{PAIR}]"), "ok@1 ok@1");
    check(&format!("[\n  {PAIR},\n  {PAIR}\n]\n"), "ok@2 ok@3");
    check(
        &format!("[{PAIR},{{\"é\" 1}},{PAIR}, 7]"),
        "ok@1 S014@1:39 ok@1 S019@1:75",
    );
    check(
        &format!("[{PAIR} {PAIR},]"),
        "ok@1 note S041@1:34 ok@1 note S041@1:66",
    );
    check(&format!("[{PAIR},\n{PAIR}"), "ok@1 ok@2 note S031@2:32");
    check(&format!("[{PAIR},\n{{\"prompt\":"), "ok@1 S031@2:11");
    check("[]", "");
}

#[test]
fn values_over_several_lines_are_records() {
    let pretty = "{\n  \"prompt\": \"a\",\n  \"completion\": \"b\"\n}";
    check(&format!("{pretty}\n{pretty}\n"), "ok@1 ok@5");
    check(&format!("{PAIR}{PAIR}\n{PAIR}"), "ok@1 ok@1 ok@2");
    check(
        &format!("{pretty}\n{{\n  \"prompt\": \"a\" 7}} {pretty}"),
        "ok@1 S014@6:17 ok@6",
    );
}

#[test]
fn damage_has_its_code_and_place() {
    let field = |value: &str| format!(r#"{{"prompt":"é","completion":{value}}}"#);
    check(&field("\"b\",\"prompt\":1"), "S015@1:32");
    check(&field("NaN"), "S016@1:28");
    check(&field("1e999"), "S016@1:28");
    check(&field(r#""\ud800""#), "S017@1:29");
    check(&field(&"[".repeat(200)), "S018@1:155");
    check(&field("\"\0\""), "S010@1:29");
    check(&field("\"\t\""), "S014@1:29");
    check(&field(r#""\u0000""#), "ok@1");
    let options = formatted(Some(Format::PromptCompletion));
    for bytes in [
        &b"{\"prompt\":\"\xc3\xa9\xc3\xa9\xff\"}\n"[..],
        b"[{\"prompt\":\"\xc3\xa9\xc3\xa9\xff\"}]",
    ] {
        let seen = contract::read(bytes, &open, &options).unwrap();
        let expected = if bytes[0] == b'[' {
            "S001@1:15"
        } else {
            "S001@1:14"
        };
        assert_eq!(written(&seen[0]), expected);
        contract::holds(bytes, &open, &options);
    }
}

#[test]
fn a_record_that_is_too_long_is_skipped() {
    let long = format!(r#"{{"prompt":"{}"}}"#, "é\\n".repeat(3000));
    for text in [
        format!("{PAIR}\n{long}\n{PAIR}\n"),
        format!("[{PAIR},\n{long},{PAIR}]"),
    ] {
        for block_bytes in [16, 1000, 1 << 20] {
            let options = Options {
                record_limit: 5000,
                block_bytes,
                ..formatted(Some(Format::PromptCompletion))
            };
            let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
            assert_eq!(seen[0].code(), None);
            assert_eq!(seen[1].code(), Some("S008"));
            let line = if text.starts_with('[') { 2 } else { 3 };
            assert!(
                matches!(seen[2], Seen::Chat { line: found, .. } if found == line),
                "{seen:?}"
            );
            assert_eq!(seen.len(), 3);
        }
    }
}

#[test]
fn formats_are_told_by_keys() {
    let told = |text: &str| detect(text);
    assert_eq!(
        told(r#"{"id":{"contents":1},"messages":[]}"#),
        Some(Format::OpenAi)
    );
    assert_eq!(
        told("[{\"conversations\": [{\"from"),
        Some(Format::ShareGpt)
    );
    assert_eq!(
        told("[\n{\n\"request\":{\"contents\":[]}}]"),
        Some(Format::Gemini)
    );
    assert_eq!(told(r#"{"contents":[]}"#), Some(Format::Gemini));
    assert_eq!(
        told(r#"{"instruction":"","input":"","output":""}"#),
        Some(Format::Alpaca)
    );
    assert_eq!(
        told(r#"{"instruction":"","instances":[]}"#),
        Some(Format::Alpaca)
    );
    assert_eq!(
        told("{oh\n{\"input_text\":\"\",\"output_text\":\"\"}"),
        Some(Format::PromptCompletion)
    );
    assert_eq!(
        told(r#"{"text":"a","meta":{"prompt":1,"completion":2}}"#),
        None
    );
    assert_eq!(told("source,target\n"), None);
    assert_eq!(told(""), None);
    let input = Input::from_bytes("x", PAIR.into()).unwrap();
    let opened = open(input, &Options::default()).unwrap();
    assert_eq!(opened.decisions, ["by its keys `prompt` and `completion`"]);
}

#[test]
fn what_cannot_be_told_is_refused() {
    let cause = |text: &str| {
        let refused = contract::read(text.as_bytes(), &open, &Options::default()).unwrap_err();
        std::error::Error::source(&refused).unwrap().to_string()
    };
    assert_eq!(cause(" \n"), "it is empty");
    assert_eq!(
        cause(r#"{"text":"a"}"#),
        "its first record has no known shape; its keys are `text`"
    );
    assert_eq!(cause("oh"), "its first records are no JSON objects");
}

#[test]
fn objects_are_rows_if_the_caller_wants_rows() {
    let options = Options {
        json_as_table: true,
        ..Options::default()
    };
    let text = "{\"a\":\" x\\n\",\"b\":1.10}\n{\"b\":null,\"a\":[1, {\"c\": true}]}\n{\"a\":true,\"c\":1,\"d\":2}\n[]\n";
    let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
    let expected = [
        Seen::row(1, &[" x\n", "1.10"]),
        Seen::row(2, &["[1,{\"c\":true}]", ""]),
    ];
    assert_eq!(seen[..2], expected);
    assert_eq!(written(&seen[2]), "note S027@3:11");
    assert_eq!(seen[3], Seen::row(3, &["true", ""]));
    assert_eq!(written(&seen[4]), "S019@4:1");
    contract::holds(text.as_bytes(), &open, &options);
    let opened = open(Input::from_bytes("x", text.into()).unwrap(), &options).unwrap();
    assert_eq!(opened.columns.unwrap().names, ["a", "b"]);
}

#[test]
fn texts_are_borrowed_unless_they_have_escapes() {
    let input = Input::from_bytes("x", PAIR.into()).unwrap();
    let mut opened = open(input, &Options::default()).unwrap();
    let batch = opened.source.next_batch().unwrap().unwrap();
    batch.decode(&mut |item| {
        let crate::source::Item::Record(record) = item else {
            panic!("{item:?}")
        };
        let Data::Chat(example) = record.data else {
            panic!("not a conversation")
        };
        let text = &example.contents[0].parts[0];
        assert!(matches!(
            text,
            crate::example::Part::Text(std::borrow::Cow::Borrowed("a"))
        ));
    });
}
