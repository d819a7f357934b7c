//! Pairs: `prompt` and `completion`, and everything that is called otherwise.
//!
//! The two older Google shapes are here (`input_text`/`output_text` of PaLM,
//! `text_input`/`output` of AI Studio). Texts are kept byte for byte. Prompts
//! and completions that are arrays of messages are read as such.

use std::borrow::Cow;

use super::decode::Inner;
use super::draft::{Draft, Fault};
use super::{openai, shape, tools};
use crate::diag::S019;
use crate::example::Role;
use crate::json::{Kind, Value};
use crate::source::columns::{self, Side};

/// The names that go together, tried in this order.
const SIDES: [(&str, &str); 7] = [
    ("prompt", "completion"),
    ("prompt", "response"),
    ("input_text", "output_text"),
    ("text_input", "output"),
    ("question", "answer"),
    ("source", "target"),
    ("input", "output"),
];

/// The keys of the two sides: a known pair, or the only two that stand for a
/// side.
pub(super) fn sides<K: AsRef<str>>(keys: &[K]) -> Option<(&str, &str)> {
    let names = || keys.iter().map(AsRef::as_ref);
    let find = |name: &str| names().find(|key| *key == name);
    let known = SIDES
        .iter()
        .find_map(|(prompt, answer)| Some((find(prompt)?, find(answer)?)));
    known.or_else(|| {
        let only = |side| {
            let mut named = names().filter(|key| columns::side(key) == Some(side));
            named.next().filter(|_| named.next().is_none())
        };
        Some((only(Side::Prompt)?, only(Side::Answer)?))
    })
}

pub(super) fn read<'a>(
    record: Value<'_, 'a>,
    draft: &mut Draft<'a>,
    inner: &mut Inner,
) -> Result<(), Fault> {
    let known = SIDES
        .iter()
        .find_map(|(prompt, answer)| Some((record.get(prompt)?, record.get(answer)?)));
    let Some((prompt, answer)) = known.or_else(|| by_meaning(record)) else {
        let keys = shape::keys_of(record);
        let message = format!("expected a pair such as `prompt` and `completion`, found {keys}");
        return Err(Fault::new(&S019, record.offset(), message));
    };
    for (key, value) in record.entries() {
        match &*key.text {
            _ if [prompt.offset(), answer.offset()].contains(&value.offset()) => {}
            "system" | "system_prompt" => system(value, draft)?,
            "tools" => tools::add(value, value.offset(), draft)?,
            _ => draft.leave_out(&key, value),
        }
    }
    side(Role::User, prompt, draft, inner)?;
    side(Role::Model, answer, draft, inner)
}

#[cold]
fn by_meaning<'d, 'a>(record: Value<'d, 'a>) -> Option<(Value<'d, 'a>, Value<'d, 'a>)> {
    let keys: Vec<_> = record.entries().map(|(key, _)| key.text).collect();
    let (prompt, answer) = sides(&keys)?;
    Some((record.get(prompt)?, record.get(answer)?))
}

fn side<'a>(
    role: Role,
    value: Value<'_, 'a>,
    draft: &mut Draft<'a>,
    inner: &mut Inner,
) -> Result<(), Fault> {
    if value.kind() == Kind::Array {
        return openai::messages(value, draft, inner);
    }
    draft.say(role, text(value)?, value.offset())
}

/// A text; `null` is an empty one.
pub(super) fn text<'a>(value: Value<'_, 'a>) -> Result<Cow<'a, str>, Fault> {
    match value.as_str() {
        Some(text) => Ok(text),
        None if value.is_null() => Ok(Cow::Borrowed("")),
        None => {
            let message = format!("expected text, found {}", value.kind().as_str());
            Err(Fault::new(&S019, value.offset(), message))
        }
    }
}

/// Adds the system instruction that stands beside the texts; an empty one is
/// none.
pub(super) fn system<'a>(value: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    let text = text(value)?;
    if !text.is_empty() {
        draft.system(text, value.offset());
    }
    Ok(())
}
