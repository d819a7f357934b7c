//! Valid examples have no fault, and every known kind of damage is found on
//! the line where it was done, under the code that minds it.
//!
//! Examples are built at random or of real segment pairs; each damage of the
//! table is done to each of them at a random place.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::json::{self as reader, Document};
use crate::rules::published::{Message, each_object};

/// A kind of damage: the codes of which one must be found, and what is done
/// to an example at a place chosen by a number. It is `false` if the example
/// has no such place.
type Damage = (&'static [&'static str], fn(&mut Value, usize) -> bool);

const DAMAGES: &[Damage] = &[
    (&["E012"], |example, n| set_text(example, "model", n, " \n")),
    (&["E012"], |example, n| {
        set_text(example, "model", n, "\u{200b}")
    }),
    (&["E013"], |example, _| {
        put(example, "", "metadata", json!({"id": 1}))
    }),
    (&["E013"], |example, n| {
        put(any_turn(example, n), "", "weight", json!(0))
    }),
    (&["E015"], |example, _| {
        put(example, "", "generationConfig", json!({}))
            && put(example, "", "generation_config", json!({}))
    }),
    (&["E016"], |example, _| {
        put(example, "", "contents", json!([]))
    }),
    (&["E016"], |example, _| take(example, "", "contents")),
    (&["E017"], |example, n| {
        put(any_turn(example, n), "", "role", json!("assistant"))
    }),
    (&["E017"], |example, n| {
        put(any_turn(example, n), "", "role", json!("narrator"))
    }),
    (&["E018"], |example, n| {
        !is_response(any_turn(example, n)) && take(any_turn(example, n), "", "role")
    }),
    (&["E019"], |example, _| {
        !turns(example).is_empty() && {
            turns(example).remove(0);
            true
        }
    }),
    (&["E020"], |example, _| turns(example).pop().is_some()),
    (&["E019", "E020", "E022"], |example, n| {
        let turns = turns(example);
        let n = n % (turns.len() - 1);
        turns.swap(n, n + 1);
        true
    }),
    (&["E022"], |example, n| {
        let turns = turns(example);
        let n = n % turns.len();
        turns.insert(n, turns[n].clone());
        true
    }),
    (&["E023"], |example, n| {
        put(any_turn(example, n), "", "parts", json!([]))
    }),
    (&["E023"], |example, n| {
        put(any_turn(example, n), "", "parts", json!("Hi"))
    }),
    (&["E023"], |example, n| {
        take(any_turn(example, n), "", "parts")
    }),
    (&["E024"], |example, n| {
        push(any_turn(example, n), "/parts", json!({}))
    }),
    (&["E025"], |example, n| {
        put(any_turn(example, n), "/parts/0", "text", json!("Hi"))
            && put(
                any_turn(example, n),
                "/parts/0",
                "fileData",
                json!({"mimeType": "image/png", "fileUri": "gs://b/a.png"}),
            )
    }),
    (&["E026"], |example, n| set_text(example, "user", n, "\t")),
    (&["E027"], |example, n| {
        put(any_turn(example, n), "", "role", json!("system"))
    }),
    (&["E028"], |example, _| {
        put(example, "", "systemInstruction", json!("Be kind."))
    }),
    (&["E028"], |example, _| {
        put(
            example,
            "",
            "systemInstruction",
            json!({"parts": [{"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}]}),
        )
    }),
    (&["E029"], |example, _| {
        put(example, "/systemInstruction", "role", json!("system"))
    }),
    (&["E030"], |example, _| {
        let Some(args) = find(example, "functionCall").and_then(|call| call.get_mut("args")) else {
            return false;
        };
        *args = json!(args.to_string());
        true
    }),
    (&["E030"], |example, _| {
        find(example, "functionCall").is_some_and(|call| take(call, "", "name"))
    }),
    (&["E031"], |example, _| {
        find(example, "functionResponse").is_some_and(|it| put(it, "", "response", json!("cold")))
    }),
    (&["E032"], |example, n| {
        let answer = json!({"functionResponse": {"name": "look", "response": {}}});
        !has(example, "functionCall") && push(any_turn(example, n), "/parts", answer)
    }),
    (&["E033"], |example, _| {
        let turns = turns(example);
        let Some(n) = turns.iter().position(is_response) else {
            return false;
        };
        let again = turns[n]["parts"][0].clone();
        push(&mut turns[n], "/parts", again)
    }),
    (&["E053"], |example, _| {
        find(example, "functionResponse").is_some_and(|it| put(it, "", "name", json!("call_1")))
    }),
    (&["E034"], |example, _| {
        find(example, "functionCall").is_some_and(|call| put(call, "", "name", json!("other")))
    }),
    (&["E036"], |example, _| {
        find(example, "parameters").is_some_and(|schema| put(schema, "", "type", json!("object")))
    }),
    (&["E036"], |example, _| {
        put(
            example,
            "",
            "tools",
            json!([{"type": "function", "function": {"name": "look"}}]),
        )
    }),
    (&["E037"], |example, n| {
        push(
            any_turn(example, n),
            "/parts",
            json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        )
    }),
    (&["E038"], |example, n| {
        put(
            any_turn(example, n),
            "/parts/0",
            "thoughtSignature",
            json!("AAAA"),
        )
    }),
    (&["E038"], |example, n| {
        push(
            any_turn(example, n),
            "/parts",
            json!({"thought": true, "text": "Hm."}),
        )
    }),
    (&["E039"], |example, _| {
        find(example, "fileData").is_some_and(|file| put(file, "", "fileUri", json!("C:\\a.png")))
    }),
    (&["E040"], |example, _| {
        find(example, "fileData").is_some_and(|file| take(file, "", "mimeType"))
    }),
    (&["E041"], |example, _| {
        let file = json!({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a.mp4"}});
        push(any_turn(example, 0), "/parts", file.clone())
            && push(any_turn(example, 0), "/parts", file)
    }),
    (&["E042"], |example, _| {
        put(example, "", "references", json!({"answer": "Hi"}))
    }),
    (&["E043"], |example, _| {
        put(example, "", "generationConfig", json!({"temperature": 1}))
    }),
    (&["E047"], |example, n| {
        put(any_turn(example, n), "/parts/0", "text", json!(5))
    }),
    (&["E047"], |example, n| {
        let turns = turns(example);
        let n = n % turns.len();
        turns[n] = json!("Hi");
        true
    }),
    (&["E048"], |example, _| {
        *example = json!({"messages": [{"role": "user", "content": "Hi"}]});
        true
    }),
    (&["E052"], |example, n| {
        put(any_turn(example, n), "/parts/0", "fileData", Value::Null)
    }),
    (&["E054"], |example, _| {
        find(example, "fileData").is_some_and(|file| put(file, "", "mimeType", json!("audio/mp3")))
    }),
    (&["E055"], |example, _| {
        put(
            example,
            "",
            "generationConfig",
            json!({"mediaResolution": "HIGH"}),
        )
    }),
];

/// Damage to examples of preference tuning.
const DAMAGES_OF_PREFERENCE: &[Damage] = &[
    (&["E021"], |example, _| {
        push(
            example,
            "/contents",
            json!({"role": "model", "parts": [{"text": "Hi"}]}),
        )
    }),
    (&["E042"], |example, _| {
        put(example, "", "references", json!({"answer": "Hi"}))
    }),
    (&["E044"], |example, n| {
        example["completions"].as_array_mut().is_some_and(|all| {
            all.remove(n % 2);
            true
        })
    }),
    (&["E044"], |example, _| take(example, "", "completions")),
    (&["E045"], |example, n| {
        put(any_completion(example, n), "", "score", json!(0.5))
    }),
    (&["E045"], |example, n| {
        let score = example["completions"][n % 2]["score"].clone();
        put(any_completion(example, n + 1), "", "score", score)
    }),
    (&["E046"], |example, n| {
        put(
            any_completion(example, n),
            "/completion",
            "role",
            json!("user"),
        )
    }),
    (&["E046"], |example, n| {
        put(
            any_completion(example, n),
            "/completion/parts/0",
            "text",
            json!(" "),
        )
    }),
    (&["E046"], |example, n| {
        put(any_completion(example, n), "", "completion", json!("Hi"))
    }),
    (&["E051"], |example, n| {
        push(
            any_turn(example, n),
            "/parts",
            json!({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}),
        )
    }),
];

fn turns(example: &mut Value) -> &mut Vec<Value> {
    example["contents"].as_array_mut().unwrap()
}

fn any_turn(example: &mut Value, n: usize) -> &mut Value {
    let turns = turns(example);
    let n = n % turns.len();
    &mut turns[n]
}

fn any_completion(example: &mut Value, n: usize) -> &mut Value {
    &mut example["completions"][n % 2]
}

fn is_response(turn: &Value) -> bool {
    turn["parts"][0].get("functionResponse").is_some()
}

/// Puts a member into the object at a pointer.
fn put(value: &mut Value, pointer: &str, key: &str, member: Value) -> bool {
    let object = value.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.is_some_and(|object| {
        object.insert(key.to_owned(), member);
        true
    })
}

fn take(value: &mut Value, pointer: &str, key: &str) -> bool {
    let object = value.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.is_some_and(|object| object.remove(key).is_some())
}

fn push(value: &mut Value, pointer: &str, item: Value) -> bool {
    let array = value.pointer_mut(pointer).and_then(Value::as_array_mut);
    array.is_some_and(|array| {
        array.push(item);
        true
    })
}

fn has(example: &mut Value, key: &str) -> bool {
    find(example, key).is_some()
}

/// The first value under a key, wherever it is.
fn find<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(object) => object
            .iter_mut()
            .find_map(|(name, value)| match name == key {
                true => Some(value),
                false => find(value, key),
            }),
        Value::Array(array) => array.iter_mut().find_map(|value| find(value, key)),
        _ => None,
    }
}

/// Makes the one text of a turn of this role say something else.
fn set_text(example: &mut Value, role: &str, n: usize, text: &str) -> bool {
    let is_text = |turn: &&mut Value| {
        let parts = turn["parts"].as_array().map_or(&[][..], Vec::as_slice);
        turn["role"] == role && parts.len() == 1 && parts[0].get("text").is_some()
    };
    let mut meant: Vec<_> = turns(example).iter_mut().filter(is_text).collect();
    let n_turns = meant.len();
    n_turns > 0 && put(meant[n % n_turns], "/parts/0", "text", json!(text))
}

/// Checks a damaged line between two good ones: one of the codes is found on
/// it, and no error anywhere else.
fn check(good: &str, damaged: &str, codes: &[&str], method: Method) {
    let text = format!("{good}\n{damaged}\n{good}\n");
    let found = errors_and_codes(&text, method);
    let on_line = |line: u64| {
        let found = found
            .iter()
            .filter(move |found| found.position.map(|at| at.line) == Some(line));
        found.map(|found| found.rule.code.code).collect::<Vec<_>>()
    };
    assert!(
        on_line(2).iter().any(|code| codes.contains(code)),
        "{codes:?} are not in {:?} of {damaged}",
        on_line(2)
    );
    let elsewhere = found.iter().filter(|found| found.level == Level::Error);
    let elsewhere: Vec<_> = elsewhere
        .filter(|found| found.position.is_some_and(|at| at.line != 2))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// What the rules of structure find.
fn errors_and_codes(text: &str, method: Method) -> Vec<Found> {
    let context = Context {
        method,
        ..Context::default()
    };
    let found = check_all(text.as_bytes(), &context, &Levels::default(), false).found;
    let is_of_structure = |found: &Found| found.rule.code.code.starts_with('E');
    found.into_iter().filter(is_of_structure).collect()
}

fn check_all_damages(example: &Value, damages: &[Damage], n: usize, method: Method) {
    let good = example.to_string();
    let errors: Vec<_> = errors_and_codes(&good, method)
        .into_iter()
        .filter(|found| found.level == Level::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?} in {good}");
    for (codes, damage) in damages {
        let mut damaged = example.clone();
        if damage(&mut damaged, n) {
            check(&good, &damaged.to_string(), codes, method);
            check_repairs(&damaged.to_string(), method);
        }
    }
}

/// Asserts that each repair by itself makes its finding go away, and brings
/// out nothing that a safe repair could mend.
fn check_repairs(line: &str, method: Method) {
    let found = errors_and_codes(line, method);
    let is_safe = |found: &&Found| found.rule.fix == Some(Safety::Safe) && !found.repair.is_empty();
    let safe = |found: &[Found]| found.iter().filter(is_safe).count();
    // Turns count anew when one is gone, so messages may stay the same.
    let like = |all: &[Found], one: &Found| {
        all.iter()
            .filter(|other| other.rule.code == one.rule.code)
            .count()
    };
    for one in found.iter().filter(|one| !one.repair.is_empty()) {
        let (repaired, _) = apply(line.as_bytes(), &[&one.repair]);
        let repaired = String::from_utf8(repaired).unwrap();
        let left = errors_and_codes(&repaired, method);
        let code = one.rule.code.code;
        assert!(
            like(&left, one) < like(&found, one),
            "{code} is still in {repaired}, from {line}"
        );
        let n_mended = usize::from(is_safe(&one));
        assert!(
            safe(&left) + n_mended <= safe(&found),
            "{code} brings out {left:?} in {repaired}, from {line}"
        );
    }
}

/// Damage to the bytes of a line.
fn check_damages_of_bytes(example: &Value, n: usize) {
    let good = example.to_string();
    let members = members(&good);
    let (at, key, raw, message) = &members[n % members.len()];

    // A quote is lost; escaped ones are part of a text.
    let quotes = quotes(&good);
    let mut damaged = good.clone();
    damaged.remove(quotes[n % quotes.len()]);
    let faults = ["E001", "E003", "E004", "E005", "E009", "E011"];
    check(&good, &damaged, &faults, Method::Sft);

    let mut damaged = good.clone();
    damaged.insert_str(*at, &format!("{raw},"));
    check(&good, &damaged, &["E003"], Method::Sft);

    // A letter too many. In the middle of a key the nearest is still known.
    let mut damaged = good.clone();
    damaged.insert(at + 1 + n % key.len(), 'q');
    check(&good, &damaged, &["E013"], Method::Sft);

    let snake: String = key
        .chars()
        .map(|c| {
            if c.is_uppercase() {
                format!("_{}", c.to_lowercase())
            } else {
                c.to_string()
            }
        })
        .collect();
    if snake != *key && message.member(key).is_some() {
        let damaged = good.replacen(&format!("\"{key}\""), &format!("\"{snake}\""), 1);
        check(&good, &damaged, &["E014"], Method::Sft);
    }

    let damaged: String = good
        .chars()
        .take(1 + n % (good.chars().count() - 1))
        .collect();
    check(&good, &damaged, &["E009", "E001"], Method::Sft);
}

/// Every member that the rules know: where it begins, its key, and its text.
fn members(line: &str) -> Vec<(usize, String, String, &'static Message)> {
    let mut document = Document::new();
    let root: reader::Value<'_, '_> = document.parse(line.as_bytes()).unwrap();
    let mut members = Vec::new();
    each_object(root, &mut |object, message| {
        for (key, value) in object.entries() {
            let raw = line[key.offset..value.end()].to_owned();
            members.push((key.offset, key.text.into_owned(), raw, message));
        }
    });
    members
}

/// The places of the quotes that begin and end strings.
fn quotes(line: &str) -> Vec<usize> {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut quotes = Vec::new();
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            quotes.push(at);
        }
        at += if byte == b'\\' { 2 } else { 1 };
    }
    quotes
}

fn text() -> impl Strategy<Value = String> {
    "[A-Za-z¿你][ -~é\n]{0,24}"
}

/// An exchange: what the user gives, and what the model says to it.
fn exchange() -> impl Strategy<Value = (Value, Vec<Value>)> {
    let file = json!({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}});
    let plain = (text(), text())
        .prop_map(|(prompt, answer)| (json!([{"text": prompt}]), vec![json!([{"text": answer}])]));
    let seen = (text(), text()).prop_map(move |(prompt, answer)| {
        (
            json!([file, {"text": prompt}]),
            vec![json!([{"text": answer}])],
        )
    });
    let called = (text(), text(), 1..3_usize).prop_map(|(prompt, answer, n)| {
        let calls =
            vec![json!({"functionCall": {"name": "look", "args": {"what_for": prompt}}}); n];
        let answers =
            vec![json!({"functionResponse": {"name": "look", "response": {"role": "x"}}}); n];
        (
            json!([{"text": prompt}]),
            vec![
                Value::Array(calls),
                Value::Array(answers),
                json!([{"text": answer}]),
            ],
        )
    });
    prop_oneof![3 => plain, 1 => seen, 1 => called]
}

fn example() -> impl Strategy<Value = Value> {
    let exchanges = proptest::collection::vec(exchange(), 1..4);
    (proptest::option::of(text()), exchanges).prop_map(|(system, exchanges)| {
        let mut turns = Vec::new();
        for (prompt, rest) in exchanges {
            for parts in std::iter::once(prompt).chain(rest) {
                let role = if turns.len() % 2 == 0 {
                    "user"
                } else {
                    "model"
                };
                turns.push(json!({"role": role, "parts": parts}));
            }
        }
        let mut example = json!({"contents": turns});
        if let Some(system) = system {
            example["systemInstruction"] = json!({"parts": [{"text": system}]});
        }
        if has(&mut example, "functionCall") {
            let schema = json!({"type": "OBJECT", "properties": {"what_for": {"type": "STRING"}}});
            example["tools"] =
                json!([{"functionDeclarations": [{"name": "look", "parameters": schema}]}]);
        }
        example
    })
}

/// JSON of the keys that examples have, with no regard to what belongs where.
fn jumble() -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(
        &[
            "contents",
            "role",
            "parts",
            "text",
            "fileData",
            "file_data",
            "mimeType",
            "fileUri",
            "functionCall",
            "functionResponse",
            "name",
            "args",
            "response",
            "systemInstruction",
            "system_instruction",
            "tools",
            "functionDeclarations",
            "parameters",
            "type",
            "properties",
            "items",
            "completions",
            "completion",
            "score",
            "thought",
            "generationConfig",
            "mediaResolution",
            "labels",
            "inlineData",
            "content",
            "part",
        ][..],
    );
    let word = proptest::sample::select(
        &[
            "user",
            "model",
            "assistant",
            "system",
            "tool",
            "",
            " ",
            "Hi",
            "object",
            "gs://b/a.png",
            "image/jpeg",
            "{}",
        ][..],
    );
    let leaf = prop_oneof![
        6 => word.prop_map(|word| json!(word)),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(|flag| json!(flag)),
        1 => (0..3).prop_map(|number| json!(number)),
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        let members = proptest::collection::vec((key.clone(), inner.clone()), 0..4);
        let members = members.prop_map(|members| {
            members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()
        });
        prop_oneof![
            2 => members.prop_map(Value::Object),
            1 => proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_a_line_is_repairs_leave_json(system in jumble(), turns in proptest::collection::vec(jumble(), 0..4), tools in jumble(), is_turn: bool) {
        let turns: Vec<_> = turns.into_iter().map(|turn| if is_turn {
            json!({"role": turn["role"], "parts": [turn]})
        } else {
            turn
        }).collect();
        let line = json!({"systemInstruction": system, "contents": turns, "tools": tools}).to_string();
        agree(line.as_bytes());
        for method in [Method::Sft, Method::Preference] {
            for safety in [Safety::Safe, Safety::Unsafe] {
                let (fixed, _) = repaired(&line, method, safety);
                prop_assert!(serde_json::from_str::<Value>(&fixed).is_ok(), "{}", fixed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn damage_is_found_where_it_was_done(example in example(), n: u16) {
        check_all_damages(&example, DAMAGES, n.into(), Method::Sft);
        check_damages_of_bytes(&example, n.into());
    }

    #[test]
    fn repairs_of_much_damage_come_to_an_end(
        mut example in example(), places in proptest::collection::vec((0..DAMAGES.len(), any::<u16>()), 1..5),
    ) {
        for (damage, n) in places {
            if example["contents"].as_array().is_some_and(|turns| turns.len() > 1 && turns.iter().all(Value::is_object)) {
                let (_, damage) = DAMAGES[damage];
                damage(&mut example, n.into());
            }
        }
        for safety in [Safety::Safe, Safety::Unsafe] {
            let (fixed, _) = repaired(&example.to_string(), Method::Sft, safety);
            twice(&fixed, Method::Sft, safety);
        }
    }

    #[test]
    fn damage_to_preferences_is_found(prompt in text(), better in text(), worse in text(), n: u16) {
        let completion = |score: u8, text: &str| {
            json!({"score": score, "completion": {"role": "model", "parts": [{"text": text}]}})
        };
        let example = json!({
            "contents": [{"role": "user", "parts": [{"text": prompt}]}],
            "completions": [completion(1, &better), completion(0, &worse)],
        });
        check_all_damages(&example, DAMAGES_OF_PREFERENCE, n.into(), Method::Preference);
    }
}

#[test]
fn every_damage_of_the_table_can_be_done() {
    let text = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let file = json!({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}});
    let plain = json!({
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [file, {"text": "What is it?"}]},
            text("model", "A cat."),
            text("user", "And now?"),
            text("model", "A dog."),
        ],
    });
    let schema = json!({"type": "OBJECT", "properties": {"where": {"type": "STRING"}}});
    let called = json!({
        "contents": [
            text("user", "What is it?"),
            {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"where": "here"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"is": "a cat"}}}]},
            text("model", "A cat."),
        ],
        "tools": [{"functionDeclarations": [{"name": "look", "parameters": schema}]}],
    });
    for (codes, damage) in DAMAGES {
        let can_be_done = [&plain, &called].map(|example| damage(&mut example.clone(), 0));
        assert!(can_be_done.contains(&true), "{codes:?}");
    }
    for n in 0..8 {
        check_all_damages(&plain, DAMAGES, n, Method::Sft);
        check_all_damages(&called, DAMAGES, n, Method::Sft);
        check_damages_of_bytes(&plain, n);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
fn damage_to_real_segments_is_found() {
    const EVERY: usize = 97;
    const MOST: usize = 20;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/parallel/moses");
    for (source, target) in [
        ("tatoeba.spa-eng.eng", "tatoeba.spa-eng.spa"),
        ("tatoeba.cmn-eng.cmn", "tatoeba.cmn-eng.eng"),
    ] {
        let read = |name: &str| std::fs::read_to_string(folder.join(name));
        let (Ok(source), Ok(target)) = (read(source), read(target)) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "the shared data is not here"
            );
            eprintln!("SKIPPED: the shared data is not here");
            return;
        };
        let pairs = source.lines().zip(target.lines()).enumerate();
        for (n, (source, target)) in pairs.step_by(EVERY).take(MOST) {
            let example = json!({"contents": [
                {"role": "user", "parts": [{"text": source}]},
                {"role": "model", "parts": [{"text": target}]},
            ]});
            check_all_damages(&example, DAMAGES, n, Method::Sft);
            check_damages_of_bytes(&example, n);
        }
    }
}
