//! OpenAI chat fine-tuning: `messages`, with `tools` beside them.
//!
//! The 2024 form of Gemini 1.0 (`role` is `user` or `model`) is read here
//! too, and so are the forms other tools made of it: `value` for `text` in a
//! content part, arguments as an object, a tool's result as a value.

use super::decode::Inner;
use super::draft::{Draft, Fault, is_blank};
use super::shape::{self, quoted};
use super::{calls, media, tools};
use crate::diag::{S009, S019, S020, S028, S030};
use crate::example::{Part, Role};
use crate::json::{Kind, Value};

pub(super) fn read<'a>(
    record: Value<'_, 'a>,
    draft: &mut Draft<'a>,
    inner: &mut Inner,
) -> Result<(), Fault> {
    let mut found = None;
    for (key, value) in record.entries() {
        match &*key.text {
            "messages" => found = Some(value),
            "tools" | "functions" => tools::add(value, value.offset(), draft)?,
            _ => draft.leave_out(&key, value),
        }
    }
    let Some(found) = found else {
        let keys = shape::keys_of(record);
        let message = format!("expected the key `messages`, found {keys}");
        return Err(Fault::new(&S019, record.offset(), message));
    };
    messages(found, draft, inner)
}

/// Adds the turns of an array of messages.
pub(super) fn messages<'a>(
    array: Value<'_, 'a>,
    draft: &mut Draft<'a>,
    inner: &mut Inner,
) -> Result<(), Fault> {
    if array.kind() != Kind::Array {
        let message = format!(
            "expected an array of messages, found {}",
            array.kind().as_str()
        );
        return Err(Fault::new(&S019, array.offset(), message));
    }
    for item in array.items() {
        Message::read(item, draft)?.add(draft, inner)?;
    }
    Ok(())
}

/// The members of a message; those that are `null` are not there.
struct Message<'d, 'a> {
    at: usize,
    role: Value<'d, 'a>,
    content: Option<Value<'d, 'a>>,
    tool_calls: Option<Value<'d, 'a>>,
    function_call: Option<Value<'d, 'a>>,
    tool_call_id: Option<Value<'d, 'a>>,
    name: Option<Value<'d, 'a>>,
}

impl<'d, 'a> Message<'d, 'a> {
    fn read(item: Value<'d, 'a>, draft: &mut Draft<'a>) -> Result<Self, Fault> {
        let at = item.offset();
        if item.kind() != Kind::Object {
            let message = format!("expected a message object, found {}", item.kind().as_str());
            return Err(Fault::new(&S019, at, message));
        }
        let mut message = Self {
            at,
            role: item,
            content: None,
            tool_calls: None,
            function_call: None,
            tool_call_id: None,
            name: None,
        };
        for (key, value) in item.entries().filter(|(_, value)| !value.is_null()) {
            match &*key.text {
                "role" => message.role = value,
                "content" => message.content = Some(value),
                "tool_calls" => message.tool_calls = Some(value),
                "function_call" => message.function_call = Some(value),
                "tool_call_id" => message.tool_call_id = Some(value),
                "name" => message.name = Some(value),
                _ => draft.leave_out(&key, value),
            }
        }
        if message.role.kind() == Kind::Object {
            return Err(Fault::new(&S020, at, "the message has no role"));
        }
        Ok(message)
    }

    fn add(self, draft: &mut Draft<'a>, inner: &mut Inner) -> Result<(), Fault> {
        let role = self.role.as_str().unwrap_or_default();
        let is_tool = matches!(&*role, "tool" | "function");
        if let Some(name) = self.name.filter(|_| !is_tool) {
            draft.leave_out_name("name", name.offset());
        }
        match &*role {
            "user" => self.say(Role::User, draft),
            "assistant" | "model" => self.answer(draft, inner),
            "system" | "developer" => self.system(draft),
            "tool" | "function" => self.respond(draft, inner),
            _ => {
                let found = if role.is_empty() {
                    self.role.kind().as_str().into()
                } else {
                    quoted(&role)
                };
                let message =
                    format!("expected a role such as `user` or `assistant`, found {found}");
                Err(Fault::new(&S020, self.role.offset(), message))
            }
        }
    }

    /// Adds a turn that has nothing but content.
    fn say(self, role: Role, draft: &mut Draft<'a>) -> Result<(), Fault> {
        let Some(content) = self.content else {
            let message = format!("the {} turn has no content", role.as_str());
            return Err(Fault::new(&S009, self.at, message));
        };
        match content.as_str() {
            Some(text) => draft.say(role, text, content.offset()),
            None => {
                let parts = parts(content, draft)?;
                draft.turn(role, parts, content.offset())
            }
        }
    }

    /// Adds a turn of the assistant: text, then calls.
    fn answer(self, draft: &mut Draft<'a>, inner: &mut Inner) -> Result<(), Fault> {
        let tool_calls = self
            .tool_calls
            .filter(|value| value.items().next().is_some());
        if let Some(odd) = self.tool_calls.filter(|value| value.kind() != Kind::Array) {
            let message = format!("expected an array of calls, found {}", odd.kind().as_str());
            return Err(Fault::new(&S028, odd.offset(), message));
        }
        if tool_calls.is_none() && self.function_call.is_none() {
            return self.say(Role::Model, draft);
        }
        let mut turn = match self.content {
            Some(content) => parts(content, draft)?,
            None => Vec::new(),
        };
        turn.retain(|part| !matches!(part, Part::Text(text) if is_blank(text)));
        let mut ids = Vec::new();
        for item in tool_calls.into_iter().flat_map(Value::items) {
            // Some tools write the function's members into the call itself.
            let function = item.get("function").filter(|value| !value.is_null());
            turn.push(function_call(function.unwrap_or(item), inner)?);
            ids.push(item.get("id").and_then(Value::as_str));
        }
        if let Some(value) = self.function_call {
            turn.push(function_call(value, inner)?);
            ids.push(None);
        }
        let names = turn.iter().filter_map(|part| match part {
            Part::FunctionCall { name, .. } => Some(name.clone()),
            _ => None,
        });
        let names: Vec<_> = names.collect();
        draft.turn(Role::Model, turn, self.at)?;
        for (id, name) in ids.into_iter().zip(names) {
            draft.calls.add(id, name);
        }
        Ok(())
    }

    fn system(self, draft: &mut Draft<'a>) -> Result<(), Fault> {
        let Some(content) = self.content else {
            return Err(Fault::new(&S009, self.at, "the system turn has no content"));
        };
        for part in parts(content, draft)? {
            let Part::Text(text) = part else {
                let message = "the system instruction holds a file; it can hold text only";
                return Err(Fault::new(&S019, content.offset(), message));
            };
            draft.system(text, content.offset());
        }
        Ok(())
    }

    /// Adds the result of a call. A legacy `function` message names the
    /// function; a `tool` message gives the id of the call.
    fn respond(self, draft: &mut Draft<'a>, inner: &mut Inner) -> Result<(), Fault> {
        let id = self.tool_call_id.and_then(Value::as_str);
        let called = draft.calls.answer(id.as_deref(), self.at)?;
        if let Some(name) = self
            .name
            .and_then(Value::as_str)
            .filter(|name| *name != called)
        {
            let message = format!(
                "the response is of {}, the call was of {}",
                quoted(&name),
                quoted(&called)
            );
            return Err(Fault::new(&S028, self.at, message));
        }
        let response = match self.content {
            None => "{\"result\":null}".into(),
            Some(content) if content.kind() == Kind::Array => match joined_text(content) {
                Some(text) => calls::response(&text, inner),
                None => calls::response_of(content, inner),
            },
            Some(content) => calls::response_of(content, inner),
        };
        draft.respond(called, response.into(), self.at)
    }
}

/// The parts of a content: one text, or an array of parts.
fn parts<'a>(content: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Vec<Part<'a>>, Fault> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Part::Text(text)]);
    }
    if content.kind() != Kind::Array {
        let message = format!(
            "expected text or an array of parts, found {}",
            content.kind().as_str()
        );
        return Err(Fault::new(&S019, content.offset(), message));
    }
    let mut parts = Vec::new();
    for item in content.items() {
        parts.extend(part(item, draft)?);
    }
    Ok(parts)
}

/// One part of a content; none for a refusal, which is left out.
fn part<'a>(item: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Option<Part<'a>>, Fault> {
    if let Some(text) = item.as_str() {
        return Ok(Some(Part::Text(text)));
    }
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    match &*kind {
        "text" | "input_text" | "output_text" => text_part(item, draft).map(Some),
        "image_url" => image(item, draft).map(Some),
        "refusal" => {
            draft.leave_out_name("refusal", item.offset());
            Ok(None)
        }
        "input_audio" | "audio" | "file" | "image" => {
            let message = format!(
                "the part {} holds its data inside the record",
                quoted(&kind)
            );
            Err(Fault::new(&S030, item.offset(), message))
        }
        _ => {
            let message = format!(
                "expected a part of type `text` or `image_url`, found {}",
                quoted(&kind)
            );
            Err(Fault::new(&S019, item.offset(), message))
        }
    }
}

fn text_part<'a>(item: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Part<'a>, Fault> {
    let mut text = None;
    for (key, value) in item.entries() {
        match &*key.text {
            "type" => {}
            "text" | "value" if text.is_none() => text = value.as_str(),
            _ => draft.leave_out(&key, value),
        }
    }
    text.map(Part::Text)
        .ok_or_else(|| Fault::new(&S019, item.offset(), "the text part has no `text`"))
}

/// An image by its address, which stands in an object or by itself.
fn image<'a>(item: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Part<'a>, Fault> {
    let mut address = None;
    for (key, value) in item.entries().filter(|(key, _)| key.text != "type") {
        match &*key.text {
            "image_url" if value.kind() == Kind::Object => {
                for (key, value) in value.entries() {
                    match &*key.text {
                        "url" => address = value.as_str(),
                        _ => draft.leave_out(&key, value),
                    }
                }
            }
            "image_url" => address = value.as_str(),
            _ => draft.leave_out(&key, value),
        }
    }
    match address {
        Some(address) => media::file(address, item.offset()),
        None => Err(Fault::new(&S019, item.offset(), "the image has no `url`")),
    }
}

/// The texts of an array of text parts, joined; `None` if it is another array.
fn joined_text(content: Value<'_, '_>) -> Option<String> {
    let mut joined = String::new();
    for item in content.items() {
        let text = item.as_str().or_else(|| item.get("text")?.as_str())?;
        joined.push_str(&text);
    }
    Some(joined)
}

/// A call as the part of a turn.
fn function_call<'a>(value: Value<'_, 'a>, inner: &mut Inner) -> Result<Part<'a>, Fault> {
    let name = calls::name(value.get("name"), value)?;
    let args = calls::arguments(&name, value.get("arguments"), value.offset(), inner)?;
    let args = args.into();
    Ok(Part::FunctionCall { name, args })
}
