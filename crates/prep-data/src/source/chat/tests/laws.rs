//! Conversations that are written come back.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A turn of each side: what the user says, the calls with their results, and
/// the answer.
type Round = (String, Vec<(String, String)>, String);

fn text() -> impl Strategy<Value = String> {
    "(?s)[^ \t\r\n].{0,20}".prop_filter("blank texts are refused", |text| !text.trim().is_empty())
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let calls = proptest::collection::vec((text(), "(?s).{0,12}"), 0..4);
    proptest::collection::vec((text(), calls, text()), 1..6)
}

fn as_openai(rounds: &[Round]) -> String {
    let mut messages = Vec::new();
    for (n, (user, calls, model)) in rounds.iter().enumerate() {
        messages.push(json!({"role": "user", "content": user}));
        if !calls.is_empty() {
            let id = |m: usize| format!("call {n} {m}");
            let call = |(m, (name, _)): (usize, &(String, String))| {
                let arguments = json!({"of": name}).to_string();
                json!({"id": id(m), "type": "function", "function": {"name": name, "arguments": arguments}})
            };
            let tool_calls: Vec<_> = calls.iter().enumerate().map(call).collect();
            messages.push(json!({"role": "assistant", "content": null, "tool_calls": tool_calls}));
            for (m, (_, result)) in calls.iter().enumerate().rev() {
                messages.push(json!({"role": "tool", "tool_call_id": id(m), "content": result}));
            }
        }
        messages.push(json!({"role": "assistant", "content": model}));
    }
    json!({ "messages": messages }).to_string()
}

/// A result that is a JSON object is the response itself.
fn as_response(result: &str) -> serde_json::Value {
    let object = serde_json::from_str(result)
        .ok()
        .filter(serde_json::Value::is_object);
    object.unwrap_or_else(|| json!({ "result": result }))
}

fn as_gemini(rounds: &[Round]) -> serde_json::Value {
    let mut contents = Vec::new();
    for (user, calls, model) in rounds {
        contents.push(json!({"role": "user", "parts": [{"text": user}]}));
        if !calls.is_empty() {
            let call = |(name, _): &(String, String)| json!({"functionCall": {"name": name, "args": {"of": name}}});
            let response = |(name, result): &(String, String)| json!({"functionResponse": {"name": name, "response": as_response(result)}});
            contents.push(
                json!({"role": "model", "parts": calls.iter().map(call).collect::<Vec<_>>()}),
            );
            contents.push(json!({"role": "user", "parts": calls.iter().rev().map(response).collect::<Vec<_>>()}));
        }
        contents.push(json!({"role": "model", "parts": [{"text": model}]}));
    }
    json!({ "contents": contents })
}

proptest! {
    #[test]
    fn conversations_written_as_openai_come_back(all in proptest::collection::vec(rounds(), 1..5), block_bytes in 1..400_usize, is_array: bool) {
        let lines: Vec<_> = all.iter().map(|rounds| as_openai(rounds)).collect();
        let text = if is_array { format!("[{}]", lines.join(", ")) } else { lines.join("\n") };
        let options = Options { block_bytes, ..Options::default() };
        let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
        prop_assert_eq!(seen.len(), all.len());
        for (seen, rounds) in seen.iter().zip(&all) {
            let Seen::Chat { jsonl, .. } = seen else { panic!("{seen:?}") };
            let read: serde_json::Value = serde_json::from_str(jsonl).unwrap();
            prop_assert_eq!(&read, &as_gemini(rounds));
            // What is written is read again as it is.
            let again = contract::read(jsonl.as_bytes(), &open, &Options::default()).unwrap();
            prop_assert_eq!(written(&again[0]), jsonl.clone());
        }
    }

    #[test]
    fn damage_never_panics_and_every_line_is_told(
        rounds in rounds(), cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), format in 0..5_usize,
    ) {
        let formats = [Format::OpenAi, Format::ShareGpt, Format::Alpaca, Format::PromptCompletion, Format::Gemini];
        let whole = as_openai(&rounds);
        let mut damaged = whole.clone().into_bytes();
        for (at, byte) in cuts {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        damaged.retain(|byte| *byte != b'\n');
        let text = [whole.as_bytes(), &damaged, whole.as_bytes()].join(&b'\n');
        let seen = contract::read(&text, &open, &options(formats[format])).unwrap();
        let records = seen.iter().filter(|seen| !matches!(seen, Seen::Note { code, .. } if *code != "S002"));
        prop_assert_eq!(records.count(), 3);
    }
}
