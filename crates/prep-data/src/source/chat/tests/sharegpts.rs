//! ShareGPT, one case a line.

use super::*;

fn check(turns: &[(&str, &str)], expected: &str) {
    let turn = |(from, value): &(&str, &str)| format!(r#"{{"from":"{from}","value":{value}}}"#);
    let turns: Vec<_> = turns.iter().map(turn).collect();
    super::check(
        Format::ShareGpt,
        &format!(r#"{{"conversations":[{}]}}"#, turns.join(",")),
        expected,
    );
}

#[test]
fn turns_are_mapped() {
    check(
        &[("human", r#""Hi""#), ("gpt", r#""Ho""#)],
        &line(&["Hi", "Ho"]),
    );
    check(
        &[("user", r#""Hi""#), ("bard", r#""Ho""#)],
        &line(&["Hi", "Ho"]),
    );
    super::check(
        Format::ShareGpt,
        r#"{➤"id":"1","system":"A","conversation":[{"role":"user","content":"Hi"},{"from":"gpt","value":"Ho"}]}"#,
        r#"note S027➤ {"systemInstruction":{"parts":[{"text":"A"}]},"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    super::check(
        Format::ShareGpt,
        r#"{"conversations":[{"from":null,"role":"user","value":"Hi","weight":null},{"from":"gpt","value":"Ho"}],"system":null,"tools":null}"#,
        &line(&["Hi", "Ho"]),
    );
    check(&[("gpt", r#"➤"Ho""#)], "S022➤");
    check(&[("human", r#""Hi""#), ("human", r#"➤"Ho""#)], "S022➤");
    super::check(
        Format::ShareGpt,
        r#"{"conversations":[➤{"from":"human","value":null}]}"#,
        "S009➤",
    );
    check(&[("human", "➤7")], "S019➤");
    check(&[("narrator", r#""Ho""#)], "S020@1:27");
    super::check(Format::ShareGpt, r#"{"conversations":[➤7]}"#, "S020➤");
    super::check(Format::ShareGpt, r#"➤{"messages":[]}"#, "S019➤");
}

#[test]
fn calls_and_observations_are_mapped() {
    let call = r#""{\"name\": \"f\", \"arguments\": {\"x\": 1}}""#;
    check(
        &[
            ("human", r#""Hi""#),
            ("gpt", r#""Well""#),
            ("function_call", call),
            ("observation", r#""{\"y\": 2}""#),
            ("gpt", r#""Ho""#),
        ],
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Well"},{"functionCall":{"name":"f","args":{"x":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"y":2}}}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    let two =
        r#""[{\"name\": \"f\", \"arguments\": \"{}\"}, {\"name\": \"g\", \"arguments\": {}}]""#;
    check(
        &[
            ("human", r#""Hi""#),
            ("function_call", two),
            ("observation", r#""[{\"y\": 2}, 3]""#),
            ("gpt", r#""Ho""#),
        ],
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"y":2}}},{"functionResponse":{"name":"g","response":{"result":3}}}]},{"role":"model","parts":[{"text":"Ho"}]}]}"#,
    );
    check(
        &[("human", r#""Hi""#), ("function_call", r#"➤"f(x)""#)],
        "S028➤",
    );
    check(
        &[
            ("human", r#""Hi""#),
            ("function_call", r#"➤"{\"name\": \"f\"}""#),
        ],
        "S028➤",
    );
    check(
        &[
            ("human", r#""Hi""#),
            ("function_call", call),
            ("gpt", r#"➤"Ho""#),
        ],
        "S028➤",
    );
    check(&[("human", r#""Hi""#), ("observation", r#"➤"1""#)], "S028➤");
    check(&[("function_call", &format!("➤{call}"))], "S022➤");
}

#[test]
fn tools_may_be_text() {
    super::check(
        Format::ShareGpt,
        r#"{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Ho"}],"tools":"[{\"name\": \"f\", \"parameters\": {\"type\": \"object\", \"properties\": {\"x\": {\"type\": \"string\"}}}}]"}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Ho"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"x":{"type":"STRING"}}}}]}]}"#,
    );
    super::check(
        Format::ShareGpt,
        r#"{"conversations":[],"tools":➤"[{"}"#,
        "S028➤",
    );
}
