//! Gemini's own `contents`, brought to the one spelling that is written.
//!
//! Both spellings of a field are read (`systemInstruction`,
//! `system_instruction`), and not both in one object. A batch `request` is
//! unwrapped. A turn without a role is the user's or the model's by what it
//! holds or, in a conversation of at most two turns, by its position. Thoughts
//! and their signatures are left out: tuning does not learn them.

use std::borrow::Cow;

use super::calls::{self, json_text};
use super::draft::{Draft, Fault};
use super::shape::{self, quoted};
use crate::diag::{S009, S015, S019, S020, S027, S028, S030};
use crate::example::{Content, Part, Role};
use crate::json::{Key, Kind, Value};

pub(super) fn read<'a>(record: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    let request = record
        .get("request")
        .filter(|request| request.kind() == Kind::Object);
    let Some(request) = request.filter(|_| record.get("contents").is_none()) else {
        return body(record, draft);
    };
    for (key, value) in record.entries().filter(|(key, _)| key.text != "request") {
        draft.leave_out(&key, value);
    }
    body(request, draft)
}

/// The fields of an example that are kept.
#[derive(Default)]
struct Body<'d, 'a> {
    contents: Option<Value<'d, 'a>>,
    system_instruction: Option<Value<'d, 'a>>,
    tools: Option<Value<'d, 'a>>,
    generation_config: Option<Value<'d, 'a>>,
    completions: Option<Value<'d, 'a>>,
    references: Option<Value<'d, 'a>>,
}

fn body<'a>(record: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    let mut body = Body::default();
    for (key, value) in record.entries().filter(|(_, value)| !value.is_null()) {
        match &*key.text {
            "contents" => once(&mut body.contents, &key, value)?,
            "systemInstruction" | "system_instruction" => {
                once(&mut body.system_instruction, &key, value)?;
            }
            "tools" => once(&mut body.tools, &key, value)?,
            "generationConfig" | "generation_config" => {
                once(&mut body.generation_config, &key, value)?;
            }
            "completions" => once(&mut body.completions, &key, value)?,
            "references" => once(&mut body.references, &key, value)?,
            "toolConfig" | "tool_config" | "labels" | "safetySettings" | "safety_settings"
            | "cachedContent" | "cached_content" | "model" => draft.leave_out(&key, value),
            _ => stranger(&key, value, draft),
        }
    }
    let Some(turns) = body
        .contents
        .filter(|contents| contents.kind() == Kind::Array)
    else {
        let keys = shape::keys_of(record);
        let message = format!("expected an array under the key `contents`, found {keys}");
        return Err(Fault::new(&S019, record.offset(), message));
    };
    draft.is_prompt = body.completions.or(body.references).is_some();
    if let Some(value) = body.system_instruction {
        system_instruction(value, draft)?;
    }
    contents(turns, draft)?;
    draft.example.tools = body.tools.map(tools).transpose()?;
    let kept = [
        ("generationConfig", body.generation_config),
        ("completions", body.completions),
        ("references", body.references),
    ];
    for (name, value) in kept {
        draft
            .example
            .extra
            .extend(value.map(|value| (name, json_text(value).into())));
    }
    Ok(())
}

/// Takes a field that may stand in either spelling, but not in both.
fn once<'d, 'a>(
    slot: &mut Option<Value<'d, 'a>>,
    key: &Key<'a>,
    value: Value<'d, 'a>,
) -> Result<(), Fault> {
    if slot.replace(value).is_some() {
        let message = format!("{} is here in both of its spellings", quoted(&key.text));
        return Err(Fault::new(&S015, key.offset, message));
    }
    Ok(())
}

/// Leaves out a field that is not known, naming the one it resembles.
fn stranger(key: &Key<'_>, value: Value<'_, '_>, draft: &mut Draft<'_>) {
    const MOST_NOTES: usize = 8;
    match nearest(&key.text).filter(|_| draft.notes.len() < MOST_NOTES) {
        Some(known) => {
            let message = format!(
                "left out {}: the nearest known field is `{known}`",
                quoted(&key.text)
            );
            draft.note(&S027, key.offset, message);
        }
        None => draft.leave_out(key, value),
    }
}

/// The known field at most two letters away from a name.
fn nearest(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 7] = [
        "contents",
        "systemInstruction",
        "system_instruction",
        "tools",
        "generationConfig",
        "completions",
        "references",
    ];
    const MOST: usize = 2;
    let distances = KNOWN
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= MOST);
    let measured = distances.map(|known| (distance(known, name), known));
    measured
        .filter(|(distance, _)| *distance <= MOST)
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out or changed, ignoring case.
fn distance(one: &str, other: &str) -> usize {
    let other = other.as_bytes();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

/// Reads a system instruction: a content of texts, or a text.
fn system_instruction<'a>(value: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    if let Some(text) = value.as_str() {
        draft.system(text, value.offset());
        return Ok(());
    }
    let mut parts = None;
    for (key, value) in value.entries() {
        match &*key.text {
            "parts" => parts = Some(value),
            _ => draft.leave_out(&key, value),
        }
    }
    let Some(parts) = parts else {
        let message = "expected `parts` or a text as the system instruction";
        return Err(Fault::new(&S019, value.offset(), message));
    };
    for part in listed(parts) {
        let at = part.offset();
        let Some(text) = part.get("text").and_then(Value::as_str) else {
            return Err(Fault::new(
                &S019,
                at,
                "a part of the system instruction is no text",
            ));
        };
        for (key, value) in part.entries().filter(|(key, _)| key.text != "text") {
            draft.leave_out(&key, value);
        }
        draft.system(text, at);
    }
    Ok(())
}

/// The items of an array, or the one value that stands in its place.
fn listed<'d, 'a>(value: Value<'d, 'a>) -> impl Iterator<Item = Value<'d, 'a>> {
    let single = (value.kind() != Kind::Array).then_some(value);
    value.items().chain(single)
}

fn contents<'a>(turns: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    const POSITION_SPEAKS: usize = 2;
    let is_short = turns.items().nth(POSITION_SPEAKS).is_none();
    for turn in turns.items() {
        let (role, found) = content(turn, draft)?;
        let Some(role) = role
            .or_else(|| by_parts(&found))
            .or_else(|| by_position(draft).filter(|_| is_short))
        else {
            return Err(Fault::new(&S020, turn.offset(), "the turn has no role"));
        };
        add(role, found, turn.offset(), draft)?;
    }
    Ok(())
}

/// Adds a turn; responses that follow responses join them.
fn add<'a>(
    role: Role,
    parts: Vec<Part<'a>>,
    at: usize,
    draft: &mut Draft<'a>,
) -> Result<(), Fault> {
    let are_responses = |parts: &[Part<'_>]| {
        parts
            .iter()
            .all(|part| matches!(part, Part::FunctionResponse { .. }))
    };
    match draft.example.contents.last_mut() {
        Some(Content {
            role: Role::User,
            parts: before,
        }) if role == Role::User && are_responses(before) && are_responses(&parts) => {
            before.extend(parts);
            Ok(())
        }
        _ => draft.turn(role, parts, at),
    }
}

fn by_parts(parts: &[Part<'_>]) -> Option<Role> {
    parts.iter().find_map(|part| match part {
        Part::FunctionCall { .. } => Some(Role::Model),
        Part::FunctionResponse { .. } => Some(Role::User),
        _ => None,
    })
}

fn by_position(draft: &Draft<'_>) -> Option<Role> {
    Some(match draft.example.contents.last() {
        Some(last) if last.role == Role::User => Role::Model,
        _ => Role::User,
    })
}

/// The role and the parts of a turn.
fn content<'a>(
    turn: Value<'_, 'a>,
    draft: &mut Draft<'a>,
) -> Result<(Option<Role>, Vec<Part<'a>>), Fault> {
    let (mut role, mut found) = (None, None);
    for (key, value) in turn.entries() {
        match &*key.text {
            "role" => role = role_of(value)?,
            "parts" => found = Some(value),
            _ => draft.leave_out(&key, value),
        }
    }
    let mut parts = Vec::new();
    for item in found.into_iter().flat_map(listed) {
        parts.extend(part(item, draft)?);
    }
    if parts.is_empty() {
        return Err(Fault::new(&S009, turn.offset(), "the turn has no parts"));
    }
    Ok((role, parts))
}

fn role_of(value: Value<'_, '_>) -> Result<Option<Role>, Fault> {
    match value.as_str().as_deref() {
        Some("user" | "function") => Ok(Some(Role::User)),
        Some("model") => Ok(Some(Role::Model)),
        Some("") => Ok(None),
        None if value.is_null() => Ok(None),
        Some(other) => {
            let message = format!(
                "expected the role `user` or `model`, found {}",
                quoted(other)
            );
            Err(Fault::new(&S020, value.offset(), message))
        }
        None => Err(Fault::new(&S020, value.offset(), "the role is no text")),
    }
}

/// One part; none if it is a thought.
fn part<'a>(item: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Option<Part<'a>>, Fault> {
    let at = item.offset();
    let mut data = None;
    let mut beside = Vec::new();
    let mut is_thought = false;
    let mut has_signature = false;
    for (key, value) in item.entries().filter(|(_, value)| !value.is_null()) {
        let read = match &*key.text {
            "text" => text(value)?,
            "functionCall" | "function_call" => function_call(value, draft)?,
            "functionResponse" | "function_response" => function_response(value, draft)?,
            "fileData" | "file_data" => file_data(value, draft)?,
            "inlineData" | "inline_data" => {
                return Err(Fault::new(
                    &S030,
                    key.offset,
                    "the file stands inside the record, as `inlineData`",
                ));
            }
            "videoMetadata" | "video_metadata" => {
                beside.push(("videoMetadata", video_metadata(value).into(), key));
                continue;
            }
            "mediaResolution" | "media_resolution" => {
                beside.push(("mediaResolution", json_text(value).into(), key));
                continue;
            }
            "thought" => {
                is_thought |= value.as_bool() == Some(true);
                continue;
            }
            "thoughtSignature" | "thought_signature" => {
                has_signature = true;
                draft.leave_out_name("thoughtSignature", key.offset);
                continue;
            }
            "executableCode"
            | "executable_code"
            | "codeExecutionResult"
            | "code_execution_result" => {
                let message = format!("{} is no part that tuning documents", quoted(&key.text));
                return Err(Fault::new(&S019, key.offset, message));
            }
            _ => {
                draft.leave_out(&key, value);
                continue;
            }
        };
        if data.replace(read).is_some() {
            return Err(Fault::new(
                &S019,
                key.offset,
                "the part holds two things at once",
            ));
        }
    }
    if is_thought {
        draft.leave_out_name("thought", at);
        return Ok(None);
    }
    match data {
        // The last part of a thinking model's answer may be its signature.
        None if has_signature => Ok(None),
        None => Err(Fault::new(
            &S019,
            at,
            "the part holds no text, call, response or file",
        )),
        Some(part) => Ok(Some(with_extra(part, beside, draft))),
    }
}

/// Puts what stands beside a file into its part; beside anything else it has
/// no meaning.
fn with_extra<'a>(
    mut part: Part<'a>,
    beside: Vec<(&'static str, Cow<'a, str>, Key<'a>)>,
    draft: &mut Draft<'a>,
) -> Part<'a> {
    for (name, json, key) in beside {
        match &mut part {
            Part::FileData { extra, .. } => extra.push((name, json)),
            _ => draft.leave_out_name(name, key.offset),
        }
    }
    part
}

fn text<'a>(value: Value<'_, 'a>) -> Result<Part<'a>, Fault> {
    match value.as_str() {
        Some(text) => Ok(Part::Text(text)),
        None => {
            let message = format!("expected text, found {}", value.kind().as_str());
            Err(Fault::new(&S019, value.offset(), message))
        }
    }
}

fn function_call<'a>(call: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Part<'a>, Fault> {
    let (name, args) = named(call, "args", draft)?;
    Ok(Part::FunctionCall { name, args })
}

fn function_response<'a>(
    response: Value<'_, 'a>,
    draft: &mut Draft<'a>,
) -> Result<Part<'a>, Fault> {
    let (name, response) = named(response, "response", draft)?;
    Ok(Part::FunctionResponse { name, response })
}

/// The name of a call or response and its object, which may be left out.
fn named<'a>(
    value: Value<'_, 'a>,
    member: &str,
    draft: &mut Draft<'a>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), Fault> {
    let name = calls::name(value.get("name"), value)?;
    let mut object = Cow::Borrowed("{}");
    for (key, value) in value.entries().filter(|(key, _)| key.text != "name") {
        if key.text != member {
            draft.leave_out(&key, value);
        } else if value.kind() == Kind::Object {
            object = json_text(value).into();
        } else if !value.is_null() {
            let message = format!(
                "expected an object as `{member}` of {}, found {}",
                quoted(&name),
                value.kind().as_str()
            );
            return Err(Fault::new(&S028, value.offset(), message));
        }
    }
    Ok((name, object))
}

fn file_data<'a>(file: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<Part<'a>, Fault> {
    let (mut mime_type, mut file_uri) = (None, None);
    for (key, value) in file.entries() {
        match &*key.text {
            "mimeType" | "mime_type" => once(&mut mime_type, &key, value)?,
            "fileUri" | "file_uri" => once(&mut file_uri, &key, value)?,
            _ => draft.leave_out(&key, value),
        }
    }
    match (
        mime_type.and_then(Value::as_str),
        file_uri.and_then(Value::as_str),
    ) {
        (Some(mime_type), Some(file_uri)) => Ok(Part::FileData {
            mime_type,
            file_uri,
            extra: Vec::new(),
        }),
        _ => Err(Fault::new(
            &S019,
            file.offset(),
            "the file has no `mimeType` or no `fileUri`",
        )),
    }
}

fn video_metadata(value: Value<'_, '_>) -> String {
    with_names(value, |name| match name {
        "start_offset" => "startOffset",
        "end_offset" => "endOffset",
        other => other,
    })
}

/// The tools as they are, but for the spelling of their members.
fn tools<'a>(value: Value<'_, 'a>) -> Result<Cow<'a, str>, Fault> {
    let mut out = String::from("[");
    for tool in listed(value) {
        if tool.kind() != Kind::Object {
            let message = format!("expected a tool object, found {}", tool.kind().as_str());
            return Err(Fault::new(&S019, tool.offset(), message));
        }
        if out.len() > 1 {
            out.push(',');
        }
        out += &with_names(tool, |name| match name {
            "function_declarations" => "functionDeclarations",
            other => other,
        });
    }
    out.push(']');
    Ok(out.into())
}

/// An object as compact JSON with its own keys, not those deeper, respelt.
fn with_names(object: Value<'_, '_>, respell: impl Fn(&str) -> &str) -> String {
    if object.kind() != Kind::Object {
        return json_text(object);
    }
    let mut out = vec![b'{'];
    for (n, (key, value)) in object.entries().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        crate::example::write::string(respell(&key.text), &mut out);
        out.push(b':');
        crate::json::compact(value, &mut out);
    }
    out.push(b'}');
    calls::into_text(out)
}
