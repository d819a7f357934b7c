//! Conversations that are written come back.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::example::write;
use crate::source::{Data, Item, PlainChat, Record, Taker};

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

    #[test]
    fn plain_conversations_are_what_the_reader_makes_of_them(
        chats in proptest::collection::vec((plain_turns(), any::<bool>(), any::<bool>()), 1..8),
        (at, damage) in (any::<prop::sample::Index>(), prop_oneof![3 => Just(String::new()), 1 => "[ -~]{1,2}", 1 => "[\n\r\t]"]),
        block_bytes in prop_oneof![1..400_usize, Just(1 << 20)],
    ) {
        let lines = chats.iter().map(|(turns, is_spaced, is_crlf)| {
            let (colon, comma) = if *is_spaced { (": ", ", ") } else { (":", ",") };
            let turn = |(role, text): &(&str, String)| {
                format!("{{\"role\"{colon}\"{role}\"{comma}\"content\"{colon}\"{text}\"}}")
            };
            let turns: Vec<_> = turns.iter().map(turn).collect();
            let end = if *is_crlf { "\r\n" } else { "\n" };
            format!("{{\"messages\"{colon}[{}]}}{end}", turns.join(comma))
        });
        let mut text: String = lines.collect();
        let at = text.floor_char_boundary(at.index(text.len()));
        text.insert_str(at, &damage);
        let seen = |takes_plain| {
            let mut seen = Seeing { takes_plain, ..Seeing::default() };
            let options = Options { block_bytes, format: Some(Format::OpenAi), ..Options::default() };
            let input = Input::from_bytes("x.jsonl", text.clone().into_bytes()).unwrap();
            if let Ok(mut opened) = open(input, &options) {
                while let Some(batch) = opened.source.next_batch().unwrap() {
                    seen.lines += batch.decode_into(&mut seen);
                }
            }
            seen
        };
        prop_assert_eq!(seen(true).items, seen(false).items);
    }
}

/// Turns of which most make a plain conversation.
fn plain_turns() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let text = prop_oneof![
        6 => r#"[a-zé中]([ a-zé中]|\\[nrtbf"\\]){0,40}"#,
        1 => r#"([ \u{a0}a-z]|\\[nrt/"\\]|\\u00e9|\\u0000|\\ud83d\\ude00){0,4}"#,
    ];
    let pairs = proptest::collection::vec((text.clone(), text.clone()), 0..4);
    let odd = proptest::option::weighted(
        0.1,
        (
            prop_oneof![Just("user"), Just("system"), Just("tool")],
            text.clone(),
        ),
    );
    (proptest::option::of(text), pairs, odd).prop_map(|(system, pairs, odd)| {
        let system = system.map(|text| ("system", text));
        let pairs = pairs
            .into_iter()
            .flat_map(|(user, model)| [("user", user), ("assistant", model)]);
        system.into_iter().chain(pairs).chain(odd).collect()
    })
}

/// Writes down what it takes, and takes plain conversations or not.
#[derive(Default)]
struct Seeing {
    takes_plain: bool,
    lines: u64,
    items: Vec<String>,
}

impl Seeing {
    fn chat(&mut self, line: u64, jsonl: Vec<u8>) {
        let jsonl = String::from_utf8(jsonl).unwrap();
        self.items.push(format!("{}+{line} {jsonl}", self.lines));
    }
}

impl Taker for Seeing {
    fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Record(Record { line, data, .. }) => {
                let Data::Chat(example) = data else {
                    panic!("no conversation")
                };
                let mut jsonl = Vec::new();
                write::line(&example, &mut jsonl);
                self.chat(line, jsonl);
            }
            other => self.items.push(format!("{}+{other:?}", self.lines)),
        }
    }

    fn takes_plain(&self) -> bool {
        self.takes_plain
    }

    fn take_plain_chat(&mut self, chat: PlainChat<'_>) -> bool {
        let mut jsonl = Vec::new();
        write::escaped_line(chat.system, chat.turns, &mut jsonl);
        self.chat(chat.line, jsonl);
        true
    }
}
