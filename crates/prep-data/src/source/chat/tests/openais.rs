//! OpenAI chat, one case a line.

use super::*;

fn check(input: &str, expected: &str) {
    super::check(Format::OpenAi, input, expected);
}

/// Checks messages that stand between a user turn and the end.
fn after_hi(messages: &str, expected: &str) {
    let input = format!(r#"{{"messages":[{{"role":"user","content":"Hi"}},{messages}]}}"#);
    check(&input, expected);
}

#[test]
fn turns_are_mapped() {
    check(
        r#"{"messages":[{"role":"system","content":"A"},{"role":"developer","content":"B"},{"role":"user","content":"Hi \u00e9\n"},{"role":"assistant","content":" Ho"}]}"#,
        r#"{"systemInstruction":{"parts":[{"text":"A"},{"text":"B"}]},"contents":[{"role":"user","parts":[{"text":"Hi é\n"}]},{"role":"model","parts":[{"text":" Ho"}]}]}"#,
    );
    after_hi(r#"{"role":"model","content":"Ho"}"#, &line(&["Hi", "Ho"]));
    check(
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","value":"b"}]},{"role":"assistant","content":["c"]}]}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"}]}]}"#,
    );
}

#[test]
fn what_has_no_equivalent_is_told() {
    after_hi(
        r#"{"role":"system","content":➤"A"},{"role":"assistant","content":"Ho"}"#,
        r#"note S029➤ {"systemInstruction":{"parts":[{"text":"A"}]},"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    after_hi(
        r#"{"role":"assistant","content":"Ho",➤"weight":0,"name":"x","refusal":null}"#,
        &format!("note S027➤ {}", line(&["Hi", "Ho"])),
    );
    after_hi(
        r#"{"role":"system","content":➤""},{"role":"assistant","content":"Ho"}"#,
        &format!("note S027➤ {}", line(&["Hi", "Ho"])),
    );
}

#[test]
fn turns_out_of_order_are_refused() {
    check(r#"➤{"messages":[]}"#, "S021➤");
    check(r#"{"messages":[{"role":"user","content":➤"Hi"}]}"#, "S021➤");
    check(
        r#"{"messages":[{"role":"assistant","content":➤"Ho"}]}"#,
        "S022➤",
    );
    after_hi(r#"{"role":"user","content":➤"Hi"}"#, "S022➤");
    after_hi(
        r#"{"role":"assistant","content":"Ho"},{"role":"assistant","content":➤"Ho"}"#,
        "S022➤",
    );
    after_hi(r#"{"role":"assistant","content":➤" \n"}"#, "S009➤");
    after_hi(r#"➤{"role":"assistant","content":null}"#, "S009➤");
    after_hi(r#"{"role":➤"narrator","content":"Ho"}"#, "S020➤");
    after_hi(r#"➤{"content":"Ho"}"#, "S020➤");
    after_hi("➤3", "S019➤");
    check(r#"{"messages":➤3}"#, "S019➤");
    check(r#"➤{"contents":[],"id":1}"#, "S019➤");
    check("[➤1]", "S019➤");
    check("➤7", "S019➤");
}

const CALLS: &str = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1.10}"}},{"id":"b","type":"function","function":{"name":"g","arguments":{}}}]}"#;

#[test]
fn calls_and_their_results_are_mapped() {
    after_hi(
        &format!(
            r#"{CALLS},{{"role":"tool","tool_call_id":"b","content":"{{\"ok\": true}}"}},{{"role":"tool","tool_call_id":"a","content":"{{sunny"}},{{"role":"assistant","content":"Ho"}}"#
        ),
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1.10}}},{"functionCall":{"name":"g","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"g","response":{"ok":true}}},{"functionResponse":{"name":"f","response":{"result":"{sunny"}}}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    after_hi(
        r#"{"role":"assistant","content":"Well","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"3"},{"role":"assistant","content":"Ho"}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Well"},{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"3"}}}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    after_hi(
        CALLS,
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1.10}}},{"functionCall":{"name":"g","args":{}}}]}]}"#,
    );
}

#[test]
fn calls_that_do_not_fit_are_refused() {
    let call = |function: &str| {
        format!(r#"{{"role":"assistant","tool_calls":[{{"id":"a","function":{function}}}]}}"#)
    };
    after_hi(&call(r#"{"name":"f","arguments":➤"[1]"}"#), "S028➤");
    after_hi(&call(r#"{"name":"f","arguments":➤"{"}"#), "S028➤");
    after_hi(&call(r#"{"name":"f","arguments":➤7}"#), "S028➤");
    after_hi(&call(r#"➤{"name":"f"}"#), "S028➤");
    after_hi(&call(r#"➤{"arguments":"{}"}"#), "S028➤");
    let answered = |id: &str, mark: &str| {
        format!(r#"{CALLS},{mark}{{"role":"tool","tool_call_id":"{id}","content":"1"}}"#)
    };
    after_hi(&answered("c", "➤"), "S028➤");
    after_hi(
        &format!(r#"{},{{"role":"user","content":➤"x"}}"#, answered("a", "")),
        "S028➤",
    );
    after_hi(
        r#"➤{"role":"tool","tool_call_id":"a","content":"1"}"#,
        "S028➤",
    );
}

#[test]
fn tools_become_declarations() {
    let messages =
        r#""messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"}]"#;
    check(
        &format!(
            r#"{{{messages},"tools":➤[{{"type":"function","function":{{"name":"f","description":"d","strict":true,"parameters":{{"type":"object","additionalProperties":false,"properties":{{"type":{{"type":["string","null"],"enum":["a"]}},"n":{{"type":"array","items":{{"type":"integer","minimum":1.0}}}}}},"required":["n"]}}}}}},{{"type":"function","function":{{"name":"g","parameters":{{"type":"object","properties":{{}}}}}}}}]}}"#
        ),
        r#"note S027➤ {"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true,"enum":["a"]},"n":{"type":"ARRAY","items":{"type":"INTEGER","minimum":1.0}}},"required":["n"]}},{"name":"g"}]}]}"#,
    );
    // As it is kept in tables, where every object has the keys of all others.
    check(
        &format!(
            r#"{{{messages},"tools":[{{"type":"function","name":"f","function":null,"parameters":{{"type":"object","$defs":null,"properties":{{"a":null,"b":{{"type":"string","enum":null}}}}}}}},{{"function":{{"name":"g","strict":null,"parameters":{{"type":"object","properties":{{"a":null}}}}}}}}]}}"#
        ),
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"b":{"type":"STRING"}}}},{"name":"g"}]}]}"#,
    );
    check(
        &format!(r#"{{{messages},"tools":➤[{{"type":"retrieval"}}]}}"#),
        "S028➤",
    );
    check(
        &format!(r#"{{{messages},"tools":[],"functions":null}}"#),
        &line(&["Hi", "Ho"]),
    );
}

#[test]
fn files_are_addresses_or_refused() {
    let image = |url: &str, mark: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":[{mark}{{"type":"image_url","image_url":{{"url":"{url}"}}}}]}},{{"role":"assistant","content":"Ho"}}]}}"#
        )
    };
    for (url, mime_type) in [
        ("gs://b/a.PNG", "image/png"),
        ("https://x.org/a.b/c.jpeg?s=1", "image/jpeg"),
    ] {
        let expected = format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"fileData":{{"mimeType":"{mime_type}","fileUri":"{url}"}}}}]}},{{"role":"model","parts":[{{"text":"Ho"}}]}}]}}"#
        );
        check(&image(url, ""), &expected);
    }
    check(&image("data:image/png;base64,AA==", "➤"), "S030➤");
    check(&image("https://x.org/a", "➤"), "S030➤");
    check(&image("file:///a.png", "➤"), "S030➤");
    let part = |part: &str| format!(r#"{{"messages":[{{"role":"user","content":[➤{part}]}}]}}"#);
    check(&part(r#"{"type":"input_audio","input_audio":{}}"#), "S030➤");
    check(&part(r#"{"type":"hologram"}"#), "S019➤");
}

#[test]
fn many_calls_are_answered_in_any_order() {
    let n_calls = 100;
    let call = |n| format!(r#"{{"id":"c{n}","function":{{"name":"f{n}","arguments":"{{}}"}}}}"#);
    let response = |n| format!(r#"{{"role":"tool","tool_call_id":"c{n}","content":"1"}}"#);
    let calls: Vec<_> = (0..n_calls).map(call).collect();
    let responses: Vec<_> = (0..n_calls).rev().map(response).collect();
    let messages = format!(
        r#"{{"role":"assistant","tool_calls":[{}]}},{},{{"role":"assistant","content":"Ho"}}"#,
        calls.join(","),
        responses.join(","),
    );
    let input = format!(r#"{{"messages":[{{"role":"user","content":"Hi"}},{messages}]}}"#);
    let found = one(&input, &options(Format::OpenAi));
    let names: Vec<_> = found
        .split(r#""functionResponse":{"name":""#)
        .skip(1)
        .collect();
    assert_eq!(names.len(), n_calls);
    for (n, rest) in names.iter().rev().enumerate() {
        assert!(rest.starts_with(&format!("f{n}\"")), "{rest}");
    }
}
