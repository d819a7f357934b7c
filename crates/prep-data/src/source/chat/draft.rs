//! An example that is being put together, and what it must keep to.

use std::borrow::Cow;

use super::calls::Calls;
use super::shape::quoted;
use crate::diag::{Code, S009, S021, S022, S027, S028, S029};
use crate::example::{Content, Example, Part, Role};
use crate::json::{Key, Value};

/// Why a record is refused.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: &'static Code,
    /// The byte of the record it is about.
    pub(super) at: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: &'static Code, at: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            at,
            message: message.into(),
        }
    }
}

/// Something to tell about a record that is kept.
pub(super) type Note = Fault;

/// An example to which turns are added in order.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) example: Box<Example<'a>>,
    pub(super) notes: Vec<Note>,
    /// The calls of the last model turn.
    pub(super) calls: Calls<'a>,
    left_out: LeftOut,
    last_at: usize,
    /// Whether the conversation may end with a user turn, because what is
    /// learnt stands elsewhere.
    pub(super) is_prompt: bool,
}

/// The fields that have no place in the example.
#[derive(Debug, Default)]
struct LeftOut {
    at: usize,
    names: Vec<String>,
    has_more: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new() -> Self {
        Self {
            example: Box::default(),
            notes: Vec::new(),
            calls: Calls::default(),
            left_out: LeftOut::default(),
            last_at: 0,
            is_prompt: false,
        }
    }

    /// Adds a paragraph to the system instruction.
    pub(super) fn system(&mut self, text: Cow<'a, str>, at: usize) {
        if is_blank(&text) {
            self.note(&S027, at, "a system turn is blank; it is left out");
            return;
        }
        if !self.example.contents.is_empty() {
            let message = "a system turn stands after the first user turn; it is moved to the system instruction";
            self.note(&S029, at, message);
        }
        self.example.system_instruction.push(text);
    }

    /// Tells something once a record, with its first place.
    pub(super) fn note(&mut self, code: &'static Code, at: usize, message: impl Into<String>) {
        let message = message.into();
        if !self.notes.iter().any(|note| note.message == message) {
            self.notes.push(Note::new(code, at, message));
        }
    }

    /// Adds a turn of one text.
    pub(super) fn say(&mut self, role: Role, text: Cow<'a, str>, at: usize) -> Result<(), Fault> {
        self.turn(role, vec![Part::Text(text)], at)
    }

    /// Adds a turn.
    pub(super) fn turn(
        &mut self,
        role: Role,
        parts: Vec<Part<'a>>,
        at: usize,
    ) -> Result<(), Fault> {
        self.refuse_unanswered(at)?;
        if parts
            .iter()
            .all(|part| matches!(part, Part::Text(text) if is_blank(text)))
        {
            return Err(Fault::new(
                &S009,
                at,
                format!("the {} turn has no text", role.as_str()),
            ));
        }
        match self.example.contents.last() {
            None if role == Role::Model => {
                return Err(Fault::new(
                    &S022,
                    at,
                    "the conversation starts with a model turn",
                ));
            }
            Some(last) if last.role == role => {
                let message = format!("two {} turns follow each other", role.as_str());
                return Err(Fault::new(&S022, at, message));
            }
            _ => {}
        }
        self.last_at = at;
        self.example.contents.push(Content { role, parts });
        Ok(())
    }

    /// Adds what a call gave back: to the turn before, if that holds such
    /// responses, or as a turn of its own.
    pub(super) fn respond(
        &mut self,
        name: Cow<'a, str>,
        response: Cow<'a, str>,
        at: usize,
    ) -> Result<(), Fault> {
        let part = Part::FunctionResponse { name, response };
        match self.example.contents.last_mut() {
            Some(last) if matches!(last.parts.last(), Some(Part::FunctionResponse { .. })) => {
                last.parts.push(part);
                Ok(())
            }
            Some(last) if last.role == Role::Model => {
                self.last_at = at;
                self.example.contents.push(Content {
                    role: Role::User,
                    parts: vec![part],
                });
                Ok(())
            }
            _ => Err(Fault::new(&S022, at, "a tool response follows no call")),
        }
    }

    /// Remembers a field that is left out. One that is `null` is not there.
    pub(super) fn leave_out(&mut self, key: &Key<'_>, value: Value<'_, '_>) {
        if !value.is_null() {
            self.leave_out_name(&key.text, key.offset);
        }
    }

    /// Remembers a field that is left out, under the name to tell.
    pub(super) fn leave_out_name(&mut self, name: &str, at: usize) {
        const MOST: usize = 8;
        let left_out = &mut self.left_out;
        let is_first = left_out.names.is_empty() || at < left_out.at;
        if is_first {
            left_out.at = at;
        }
        if left_out.names.iter().any(|known| known == name) {
            return;
        }
        if left_out.names.len() == MOST {
            left_out.has_more = true;
            return;
        }
        left_out.names.push(name.into());
    }

    /// Checks what can be checked only at the end; `at` is where a
    /// conversation without turns is reported.
    pub(super) fn finish(&mut self, at: usize) -> Result<(), Fault> {
        match self.example.contents.last() {
            None => return Err(Fault::new(&S021, at, "the conversation has no turns")),
            Some(last) if last.role == Role::User && !self.is_prompt => {
                let message = "the conversation ends with a user turn";
                return Err(Fault::new(&S021, self.last_at, message));
            }
            _ => {}
        }
        if !self.left_out.names.is_empty() {
            self.notes.push(self.left_out.note());
        }
        Ok(())
    }

    /// Refuses to go on while a call of the last model turn has no response.
    fn refuse_unanswered(&mut self, at: usize) -> Result<(), Fault> {
        match self.calls.next() {
            Some(call) => {
                let message = format!("the call of {} before has no response", quoted(&call.name));
                Err(Fault::new(&S028, at, message))
            }
            None => {
                self.calls = Calls::default();
                Ok(())
            }
        }
    }
}

impl LeftOut {
    fn note(&self) -> Note {
        let names: Vec<_> = self.names.iter().map(|name| quoted(name)).collect();
        let more = if self.has_more { " and more" } else { "" };
        let message = format!(
            "left out {}{more}: Gemini tuning has no such field",
            names.join(", ")
        );
        Note::new(&S027, self.at, message)
    }
}

/// Whether a text has nothing to read.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}
