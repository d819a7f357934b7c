//! ShareGPT: `conversations` of `from` and `value`.
//!
//! A call is a turn of its own here, so a model text and the calls behind it
//! become one turn. The call is JSON text, an object or an array of them; what
//! an observation answers is the first call that has no answer.

use std::borrow::Cow;

use super::calls;
use super::decode::Inner;
use super::draft::{Draft, Fault};
use super::shape::{self, quoted};
use super::tools;
use crate::diag::{S009, S019, S020, S022, S028};
use crate::example::{Part, Role};
use crate::json::{Kind, Value};

pub(super) fn read<'a>(
    record: Value<'_, 'a>,
    draft: &mut Draft<'a>,
    inner: &mut Inner,
) -> Result<(), Fault> {
    let mut turns = None;
    for (key, value) in record.entries().filter(|(_, value)| !value.is_null()) {
        match &*key.text {
            "conversations" | "conversation" if turns.is_none() => turns = Some(value),
            "system" | "system_prompt" => match value.as_str() {
                // An empty one is how the format says that there is none.
                Some(text) if text.is_empty() => {}
                Some(text) => draft.example.system_instruction.insert(0, text),
                None => draft.leave_out(&key, value),
            },
            "tools" | "functions" => declarations(value, draft, inner)?,
            _ => draft.leave_out(&key, value),
        }
    }
    let Some(turns) = turns.filter(|turns| turns.kind() == Kind::Array) else {
        let keys = shape::keys_of(record);
        let message = format!("expected an array under the key `conversations`, found {keys}");
        return Err(Fault::new(&S019, record.offset(), message));
    };
    for turn in turns.items() {
        add(turn, draft, inner)?;
    }
    Ok(())
}

/// Adds the tools, which are an array or the text of one.
fn declarations<'a>(
    value: Value<'_, 'a>,
    draft: &mut Draft<'a>,
    inner: &mut Inner,
) -> Result<(), Fault> {
    let at = value.offset();
    let Some(text) = value.as_str() else {
        return tools::add(value, at, draft);
    };
    if text.trim().is_empty() {
        return Ok(());
    }
    match inner.parse(&text) {
        Ok(parsed) => tools::add(parsed, at, draft),
        Err(error) => {
            let message = format!("the tools are not JSON: {}", error.message());
            Err(Fault::new(&S028, at, message))
        }
    }
}

fn add<'a>(turn: Value<'_, 'a>, draft: &mut Draft<'a>, inner: &mut Inner) -> Result<(), Fault> {
    let (mut from, mut said) = (None, None);
    for (key, value) in turn.entries().filter(|(_, value)| !value.is_null()) {
        match &*key.text {
            "from" | "role" if from.is_none() => from = Some(value),
            "value" | "content" | "text" if said.is_none() => said = Some(value),
            _ => draft.leave_out(&key, value),
        }
    }
    let Some(role) = from.and_then(Value::as_str) else {
        return Err(Fault::new(
            &S020,
            turn.offset(),
            "the turn does not say whom it is `from`",
        ));
    };
    let Some(said) = said else {
        return Err(Fault::new(&S009, turn.offset(), "the turn has no `value`"));
    };
    let at = said.offset();
    match &*role {
        "function_call" | "tool_call" => return call(said, draft, inner),
        "observation" | "tool" | "function_response" | "tool_response" => {
            return respond(said, draft, inner);
        }
        _ => {}
    }
    let Some(text) = said.as_str() else {
        let message = format!("expected text, found {}", said.kind().as_str());
        return Err(Fault::new(&S019, at, message));
    };
    match &*role {
        "human" | "user" => draft.say(Role::User, text, at),
        "gpt" | "assistant" | "chatgpt" | "bing" | "bard" | "model" | "bot" => {
            draft.say(Role::Model, text, at)
        }
        "system" => {
            draft.system(text, at);
            Ok(())
        }
        _ => {
            let message = format!(
                "expected `human`, `gpt`, `system`, `function_call` or `observation`, found {}",
                quoted(&role)
            );
            Err(Fault::new(&S020, from.map_or(at, Value::offset), message))
        }
    }
}

fn call<'a>(said: Value<'_, 'a>, draft: &mut Draft<'a>, inner: &mut Inner) -> Result<(), Fault> {
    let at = said.offset();
    let found = match said.as_str() {
        Some(text) => {
            let parsed = inner.parse(&text).map_err(|error| {
                Fault::new(
                    &S028,
                    at,
                    format!("the call is not JSON: {}", error.message()),
                )
            })?;
            calls_of(parsed, at)?
        }
        None => calls_of(said, at)?,
    };
    for (name, arguments) in found {
        // The arguments may again be text that holds an object.
        let args = if arguments.starts_with('"') {
            let mut document = crate::json::Document::new();
            let parsed = document.parse_str(&arguments).ok();
            calls::arguments(&name, parsed, at, inner).map_err(|fault| Fault { at, ..fault })?
        } else {
            arguments
        };
        add_call(name, args, at, draft)?;
    }
    Ok(())
}

/// The names of calls with the JSON of their arguments.
fn calls_of(value: Value<'_, '_>, at: usize) -> Result<Vec<(String, String)>, Fault> {
    if value.kind() != Kind::Array {
        return Ok(vec![call_of(value, at)?]);
    }
    let found: Vec<_> = value
        .items()
        .map(|item| call_of(item, at))
        .collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(Fault::new(&S028, at, "the call names no function"));
    }
    Ok(found)
}

fn call_of(value: Value<'_, '_>, at: usize) -> Result<(String, String), Fault> {
    let name = calls::name(value.get("name"), value).map_err(|fault| Fault { at, ..fault })?;
    let arguments = value.get("arguments").or_else(|| value.get("parameters"));
    match arguments.map(|arguments| (arguments, arguments.kind())) {
        Some((arguments, Kind::Object | Kind::String)) => {
            Ok((name.into_owned(), calls::json_text(arguments)))
        }
        found => {
            let found = found.map_or("none", |(_, kind)| kind.as_str());
            let message = format!(
                "expected a JSON object as the arguments of {}, found {found}",
                quoted(&name)
            );
            Err(Fault::new(&S028, at, message))
        }
    }
}

/// Adds a call to the model turn it follows, or as a turn of its own.
fn add_call<'a>(name: String, args: String, at: usize, draft: &mut Draft<'a>) -> Result<(), Fault> {
    let name: Cow<'a, str> = name.into();
    let part = Part::FunctionCall {
        name: name.clone(),
        args: args.into(),
    };
    match draft.example.contents.last_mut() {
        Some(last) if last.role == Role::Model => last.parts.push(part),
        None => return Err(Fault::new(&S022, at, "the conversation starts with a call")),
        Some(_) => draft.turn(Role::Model, vec![part], at)?,
    }
    draft.calls.add(None, name);
    Ok(())
}

/// Adds what calls gave back: one response, or an array of as many as there
/// are calls.
fn respond<'a>(said: Value<'_, 'a>, draft: &mut Draft<'a>, inner: &mut Inner) -> Result<(), Fault> {
    let at = said.offset();
    let n_waiting = draft.calls.n_waiting();
    let mut responses = Vec::new();
    if n_waiting > 1 {
        let text = said.as_str();
        let array = match &text {
            Some(text) => inner.parse(text).ok(),
            None => Some(said),
        };
        let items = array.into_iter().flat_map(Value::items);
        responses.extend(items.map(|item| (calls::json_text(item), item.kind())));
    }
    if responses.len() != n_waiting || n_waiting < 2 {
        let response = calls::response_of(said, inner);
        let name = draft.calls.answer(None, at)?;
        return draft.respond(name, response.into(), at);
    }
    for (json, kind) in responses {
        let response = if kind == Kind::Object {
            json
        } else {
            format!("{{\"result\":{json}}}")
        };
        let name = draft.calls.answer(None, at)?;
        draft.respond(name, response.into(), at)?;
    }
    Ok(())
}
