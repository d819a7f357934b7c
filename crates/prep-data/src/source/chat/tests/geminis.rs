//! Gemini's own shape, one case a line.

use super::*;

fn check(input: &str, expected: &str) {
    super::check(Format::Gemini, input, expected);
}

/// Checks the parts of the model's turn.
fn part(part: &str, expected: &str) {
    let whole = |part: &str| {
        format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"text":"Hi"}}]}},{{"role":"model","parts":[{part}]}}]}}"#
        )
    };
    let expected = match expected.strip_prefix("note S027➤ ") {
        Some(parts) => format!("note S027➤ {}", whole(parts)),
        None if expected.starts_with('S') => expected.to_owned(),
        None => whole(expected),
    };
    check(&whole(part), &expected);
}

/// Checks parts that make the model's turn no turn.
fn no_turn(part: &str) {
    let whole = format!(
        r#"{{"contents":[{{"role":"user","parts":[{{"text":"Hi"}}]}},➤{{"role":"model","parts":[{part}]}}]}}"#
    );
    check(&whole, "S009➤");
}

#[test]
fn both_spellings_become_one() {
    let turns =
        r#"[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}]"#;
    let whole =
        format!(r#"{{"systemInstruction":{{"parts":[{{"text":"A"}}]}},"contents":{turns}}}"#);
    check(&whole, &whole);
    check(
        &format!(r#"{{"contents":{turns},"system_instruction":"A"}}"#),
        &whole,
    );
    check(
        &format!(r#"{{"request":{{"contents":{turns}}},➤"status":""}}"#),
        &format!("note S027➤ {{\"contents\":{turns}}}"),
    );
    check(
        &format!(
            r#"{{"systemInstruction":{{➤"role":"system","parts":[{{"text":"A"}}]}},"contents":{turns}}}"#
        ),
        &format!("note S027➤ {whole}"),
    );
    check(
        &format!(r#"{{"contents":{turns},"system_instruction":"A",➤"systemInstruction":"A"}}"#),
        "S015➤",
    );
    check(
        &format!(
            r#"{{"contents":{turns}, "generation_config": {{"a": 1.0}}, "tools": [{{"function_declarations": [ ]}}], ➤"labels":{{}}, "safety_settings":[], "toolConfig":null}}"#
        ),
        &format!(
            r#"note S027➤ {{"contents":{turns},"tools":[{{"functionDeclarations":[]}}],"generationConfig":{{"a":1.0}}}}"#
        ),
    );
    check(
        &format!(r#"{{"contents":{turns},➤"tool":7}}"#),
        &format!("note S027➤ {{\"contents\":{turns}}}"),
    );
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
        r#"{"contents":[➤{"parts":[{"text":"a"}]},{"parts":[{"text":"b"}]},{"parts":[{"text":"c"}]}]}"#,
        "S020➤",
    );
    check(
        r#"{"contents":[{"role":➤"assistant","parts":[{"text":"a"}]}]}"#,
        "S020➤",
    );
}

#[test]
fn parts_are_kept_left_out_or_refused() {
    part(r#"{"text":"Ho"}"#, r#"{"text":"Ho"}"#);
    part(
        r#"{"function_call":{"name":"f","args":{"a": [1]}}}"#,
        r#"{"functionCall":{"name":"f","args":{"a":[1]}}}"#,
    );
    part(
        r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/v"},"video_metadata":{"start_offset":"1s"}}"#,
        r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/v"},"videoMetadata":{"startOffset":"1s"}}"#,
    );
    part(
        r#"➤{"text":"Hm","thought":true},{"text":"Ho"}"#,
        r#"note S027➤ {"text":"Ho"}"#,
    );
    part(
        r#"{"text":"Ho",➤"thoughtSignature":"AA"}"#,
        r#"note S027➤ {"text":"Ho"}"#,
    );
    no_turn(r#"{"text":"Hm","thought":true}"#);
    part(r#"{➤"inlineData":{}}"#, "S030➤");
    part(r#"{➤"executableCode":{}}"#, "S019➤");
    part(r#"{"functionCall":{"name":"f","args":➤"{}"}}"#, "S028➤");
    part(r#"{"functionCall":➤{"args":{}}}"#, "S028➤");
    part(r#"{"text":"a",➤"functionCall":{"name":"f"}}"#, "S019➤");
    no_turn(r#"{"text":""}"#);
    part("➤{}", "S019➤");
    no_turn("");
}

#[test]
fn a_preference_may_end_with_the_user() {
    let prompt = r#""contents":[{"role":"user","parts":[{"text":"Hi"}]}]"#;
    check(
        &format!("{{{prompt}}}").replace("[{\"role", "[➤{\"role"),
        "S021➤",
    );
    let completions =
        r#""completions":[{"score":1.0,"completion":{"role":"model","parts":[{"text":"Ho"}]}}]"#;
    check(
        &format!("{{{prompt},{completions}}}"),
        &format!("{{{prompt},{completions}}}"),
    );
}
