//! An example as rules look at it: every part with its place in the line.
//!
//! Nothing is taken for granted here. A member that is missing is `None`, one
//! of the wrong type is there as a value, and a rule says so. Keys are found
//! in camelCase and in snake_case, since the service accepts both.

use std::borrow::Cow;

use super::Signs;
use super::context::Overlap;
use super::tokens::TokenCount;
use crate::example::Role;
use crate::json::{Key, Kind, Value};

/// A line that is JSON.
#[derive(Debug)]
pub struct Example<'d, 'a> {
    /// The whole value.
    pub root: Value<'d, 'a>,
    /// The value of `systemInstruction`.
    pub system: Option<Value<'d, 'a>>,
    /// The value of `contents`.
    pub contents: Option<Value<'d, 'a>>,
    /// The value of `tools`.
    pub tools: Option<Value<'d, 'a>>,
    /// The value of `completions`.
    pub completions: Option<Value<'d, 'a>>,
    /// The turns of `contents`, in order.
    pub turns: Vec<Turn<'d, 'a>>,
    /// The texts of the system instruction, of the turns and of the
    /// completions, in this order.
    pub texts: Vec<Text<'d, 'a>>,
    /// What the line shows.
    pub signs: Signs,
    /// Its tokens, counted if the line is so long that they may be too many.
    pub tokens: Option<TokenCount>,
    /// Where the validation file has it, or its prompt.
    pub overlap: Option<Overlap>,
}

/// One turn.
#[derive(Debug)]
pub struct Turn<'d, 'a> {
    /// Its number, from 1.
    pub n: usize,
    /// The whole turn.
    pub value: Value<'d, 'a>,
    /// The value of `role`.
    pub role_value: Option<Value<'d, 'a>>,
    /// The role, if it is one that the service knows.
    pub role: Option<Role>,
    /// The value of `parts`.
    pub parts_value: Option<Value<'d, 'a>>,
    /// The parts, in order.
    pub parts: Vec<Part<'d, 'a>>,
}

/// One part of a turn.
#[derive(Debug)]
pub struct Part<'d, 'a> {
    /// The whole part.
    pub value: Value<'d, 'a>,
    /// The members that are data (of which a part has one), in order; not those
    /// that are `null`.
    pub data: Vec<PartData<'d, 'a>>,
}

/// A member of a part that is data.
#[derive(Debug, Clone)]
pub struct PartData<'d, 'a> {
    /// The member's name in camelCase.
    pub name: &'static str,
    /// The key as it is written.
    pub key: Key<'a>,
    /// Its value.
    pub value: Value<'d, 'a>,
}

/// The members of a part that are data: the `data` union of the published
/// `Part`.
pub const PART_DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
];

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The system instruction's.
    System,
    /// A user turn's, or that of a turn whose role is not known.
    User,
    /// A model turn's, or a completion's: what is learnt.
    Model,
}

/// One text of an example.
#[derive(Debug)]
pub struct Text<'d, 'a> {
    /// The string in the line.
    pub value: Value<'d, 'a>,
    /// What it says.
    pub text: Cow<'a, str>,
    /// Whose it is.
    pub speaker: Speaker,
    /// The number of the turn, from 1; 0 for the system instruction. The turns
    /// of completions follow those of `contents`.
    pub turn: usize,
    /// What it shows.
    pub signs: Signs,
}

impl<'d, 'a> Text<'d, 'a> {
    /// Names the text as messages do: `turn 2`, `the system instruction`.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self.speaker {
            Speaker::System => "the system instruction".into(),
            _ => format!("turn {}", self.turn).into(),
        }
    }

    /// The edit that makes the text say something else.
    #[must_use]
    pub fn replaced(&self, text: &str) -> super::Edit {
        let mut json = Vec::new();
        crate::example::write::string(text, &mut json);
        super::Edit::replace(self.value.offset()..self.value.end(), json)
    }
}

/// The value of a member of an object, by its name in camelCase, found in
/// snake_case too. One that is `null` is as good as absent.
#[must_use]
pub fn member<'d, 'a>(object: Value<'d, 'a>, name: &str) -> Option<Value<'d, 'a>> {
    let mut entries = object.entries();
    entries
        .find(|(key, value)| !value.is_null() && is_named(&key.text, name))
        .map(|(_, value)| value)
}

/// Whether a key is this name in camelCase or in snake_case.
#[must_use]
pub fn is_named(key: &str, camel: &str) -> bool {
    key == camel || (key.contains('_') && camel_case(key) == camel)
}

/// A key in camelCase: `system_instruction` becomes `systemInstruction`.
#[must_use]
pub fn camel_case(key: &str) -> Cow<'_, str> {
    if !key.contains('_') {
        return Cow::Borrowed(key);
    }
    let mut camel = String::with_capacity(key.len());
    let mut is_after_underscore = false;
    for c in key.chars() {
        if c == '_' && !camel.is_empty() {
            is_after_underscore = true;
        } else if std::mem::take(&mut is_after_underscore) {
            camel.extend(c.to_uppercase());
        } else {
            camel.push(c);
        }
    }
    Cow::Owned(camel)
}

impl<'d, 'a> Example<'d, 'a> {
    /// Looks at a parsed line. `signs` are those that are not of its texts.
    #[must_use]
    pub fn of(root: Value<'d, 'a>, signs: Signs) -> Self {
        let system = member(root, "systemInstruction");
        let contents = member(root, "contents");
        let completions = member(root, "completions");
        let mut example = Self {
            root,
            system,
            contents,
            tools: member(root, "tools"),
            completions,
            turns: Vec::new(),
            texts: Vec::new(),
            signs,
            tokens: None,
            overlap: None,
        };
        if let Some(parts) = system.and_then(|system| member(system, "parts")) {
            for part in parts.items() {
                example.add_text(member(part, "text"), Speaker::System, 0);
            }
        }
        for (n, value) in (1..).zip(contents.into_iter().flat_map(Value::items)) {
            let turn = Turn::of(n, value);
            let speaker = match turn.role {
                Some(Role::Model) => Speaker::Model,
                _ => Speaker::User,
            };
            for part in &turn.parts {
                example.add_text(part.get("text"), speaker, n);
            }
            example.turns.push(turn);
        }
        let first = example.turns.len() + 1;
        for (n, value) in (first..).zip(completions.into_iter().flat_map(Value::items)) {
            let parts = member(value, "completion").and_then(|turn| member(turn, "parts"));
            for part in parts.into_iter().flat_map(Value::items) {
                example.add_text(member(part, "text"), Speaker::Model, n);
            }
        }
        example.add_signs_of_answers();
        example
    }

    /// The text of each answer with that of the prompt before it: of the parts
    /// of a user turn, the last text.
    pub fn answers(&self) -> impl Iterator<Item = (Option<&Text<'d, 'a>>, &Text<'d, 'a>)> {
        let mut prompt = None;
        self.texts
            .iter()
            .filter_map(move |text| match text.speaker {
                Speaker::Model => Some((prompt, text)),
                Speaker::User => {
                    prompt = Some(text);
                    None
                }
                Speaker::System => None,
            })
    }

    fn add_signs_of_answers(&mut self) {
        let of_answers: Vec<Signs> = self
            .answers()
            .map(|(prompt, answer)| {
                let prompt = prompt.map_or("", |prompt| &*prompt.text);
                Signs::of_answer(prompt, &answer.text)
            })
            .collect();
        let answers = self.texts.iter_mut();
        let answers = answers.filter(|text| text.speaker == Speaker::Model);
        for (text, signs) in answers.zip(of_answers) {
            text.signs |= signs;
            self.signs |= signs;
        }
    }

    /// The last turn, if it is the model's.
    #[must_use]
    pub fn answer(&self) -> Option<&Turn<'d, 'a>> {
        let last = self.turns.last();
        last.filter(|turn| turn.role == Some(Role::Model))
    }

    fn add_text(&mut self, value: Option<Value<'d, 'a>>, speaker: Speaker, turn: usize) {
        let Some((value, text)) = value.and_then(|value| Some((value, value.as_str()?))) else {
            return;
        };
        let mut signs = Signs::of(text.as_bytes());
        if text.trim().is_empty() {
            signs |= Signs::BLANK;
        }
        self.signs |= signs;
        self.texts.push(Text {
            value,
            text,
            speaker,
            turn,
            signs,
        });
    }
}

impl<'d, 'a> Turn<'d, 'a> {
    fn of(n: usize, value: Value<'d, 'a>) -> Self {
        let role_value = member(value, "role");
        let parts_value = member(value, "parts");
        let parts = parts_value.into_iter().flat_map(Value::items);
        let role = role_value.and_then(|role| match role {
            role if role.is_str("user") => Some(Role::User),
            role if role.is_str("model") => Some(Role::Model),
            _ => None,
        });
        Self {
            n,
            value,
            role_value,
            role,
            parts_value,
            parts: parts.map(Part::of).collect(),
        }
    }
}

impl<'d, 'a> Part<'d, 'a> {
    fn of(value: Value<'d, 'a>) -> Self {
        let data = value.entries().filter(|(_, value)| !value.is_null());
        let data = data.filter_map(|(key, value)| {
            let name = PART_DATA.iter().find(|name| is_named(&key.text, name))?;
            Some(PartData { name, key, value })
        });
        Self {
            value,
            data: data.collect(),
        }
    }

    /// The value of a member that is data, by its name in camelCase.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'d, 'a>> {
        self.data
            .iter()
            .find(|data| data.name == name)
            .map(|data| data.value)
    }
}

/// What a message calls the kind of a value that should have been another.
#[must_use]
pub fn kind_of(value: Value<'_, '_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        kind => kind.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_in_both_spellings() {
        assert!(is_named("systemInstruction", "systemInstruction"));
        assert!(is_named("system_instruction", "systemInstruction"));
        assert!(!is_named("systeminstruction", "systemInstruction"));
        assert!(!is_named("_role", "role"));
        assert_eq!(camel_case("file_uri"), "fileUri");
        assert_eq!(camel_case("_a__b_"), "_aB");
    }
}
