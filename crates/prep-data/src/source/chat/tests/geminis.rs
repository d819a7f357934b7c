//! Gemini's own shape, one case a line.

use super::*;

fn check(input: &str, expected: &str) {
    super::check(Format::Gemini, input, expected);
}

/// Checks the parts of the model's turn.
fn part(part: &str, expected: &str) {
    let with = |part: &str| {
        format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"Hi"}}]}},{{"role":"model","parts":[{part}]}}]}}"#)
    };
    let given = one(&with(part), &options(Format::Gemini));
    let wanted = match expected.strip_prefix("note ") {
        Some(expected) => {
            let (note, parts) = expected.split_once(' ').unwrap();
            format!("note {note} {}", with(parts))
        }
        None if expected.starts_with('S') => expected.to_owned(),
        None => with(expected),
    };
    assert_eq!(given, wanted, "{part}");
}

#[test]
fn both_spellings_become_one() {
    let turns = r#"[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}]"#;
    let whole = format!(r#"{{"systemInstruction":{{"parts":[{{"text":"A"}}]}},"contents":{turns}}}"#);
    check(&whole, &whole);
    check(&format!(r#"{{"contents":{turns},"system_instruction":"A"}}"#), &whole);
    check(&format!(r#"{{"request":{{"contents":{turns}}},"status":""}}"#), &format!("note S027@1:106 {{\"contents\":{turns}}}"));
    check(
        &format!(r#"{{"systemInstruction":{{"role":"system","parts":[{{"text":"A"}}]}},"contents":{turns}}}"#),
        &format!("note S027@1:23 {whole}"),
    );
    check(&format!(r#"{{"contents":{turns},"system_instruction":"A","systemInstruction":"A"}}"#), "S015@1:122");
    check(
        &format!(
            r#"{{"contents":{turns}, "generation_config": {{"a": 1.0}}, "tools": [{{"function_declarations": [ ]}}], "labels":{{}}, "safety_settings":[], "toolConfig":null}}"#
        ),
        &format!(
            r#"note S027@1:184 {{"contents":{turns},"tools":[{{"functionDeclarations":[]}}],"generationConfig":{{"a":1.0}}}}"#
        ),
    );
    check(&format!(r#"{{"contents":{turns},"tool":7}}"#), &format!("note S027@1:96 {{\"contents\":{turns}}}"));
}

#[test]
fn roles_may_be_blank_where_they_are_clear() {
    check(
        r#"{"contents":[{"parts":[{"text":"Hi"}]},{"role":"","parts":[{"text":"Ho"}]}]}"#,
        &line(&["Hi", "Ho"]),
    );
    check(
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"parts":[{"function_response":{"name":"f","response":{"x":1}}}]},{"role":"function","parts":[{"functionResponse":{"name":"f"}}]},{"role":"model","parts":{"text":"Ho"}}]}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"x":1}}},{"functionResponse":{"name":"f","response":{}}}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    check(
        r#"{"contents":[{"parts":[{"text":"a"}]},{"parts":[{"text":"b"}]},{"parts":[{"text":"c"}]}]}"#,
        "S020@1:14",
    );
    check(r#"{"contents":[{"role":"assistant","parts":[{"text":"a"}]}]}"#, "S020@1:22");
}

#[test]
fn parts_are_kept_left_out_or_refused() {
    part(r#"{"text":"Ho"}"#, r#"{"text":"Ho"}"#);
    part(r#"{"function_call":{"name":"f","args":{"a": [1]}}}"#, r#"{"functionCall":{"name":"f","args":{"a":[1]}}}"#);
    part(
        r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/v"},"video_metadata":{"start_offset":"1s"}}"#,
        r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/v"},"videoMetadata":{"startOffset":"1s"}}"#,
    );
    part(r#"{"text":"Hm","thought":true},{"text":"Ho"}"#, r#"note S027@1:80 {"text":"Ho"}"#);
    part(r#"{"text":"Ho","thoughtSignature":"AA"}"#, r#"note S027@1:93 {"text":"Ho"}"#);
    part(r#"{"text":"Hm","thought":true}"#, "S009@1:54");
    part(r#"{"inlineData":{}}"#, "S030@1:81");
    part(r#"{"executableCode":{}}"#, "S019@1:81");
    part(r#"{"functionCall":{"name":"f","args":"{}"}}"#, "S028@1:115");
    part(r#"{"functionCall":{"args":{}}}"#, "S028@1:96");
    part(r#"{"text":"a","functionCall":{"name":"f"}}"#, "S019@1:92");
    part(r#"{"text":""}"#, "S009@1:54");
    part("{}", "S019@1:80");
    part("", "S009@1:54");
}

#[test]
fn a_preference_may_end_with_the_user() {
    let prompt = r#""contents":[{"role":"user","parts":[{"text":"Hi"}]}]"#;
    check(&format!("{{{prompt}}}"), "S021@1:14");
    let completions = r#""completions":[{"score":1.0,"completion":{"role":"model","parts":[{"text":"Ho"}]}}]"#;
    check(&format!("{{{prompt},{completions}}}"), &format!("{{{prompt},{completions}}}"));
}
