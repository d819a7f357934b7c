//! An example as Vertex AI reads it, and its JSONL.
//!
//! An [`Example`] borrows its text from the record it was made of, so that
//! turning a source into a dataset copies each text once, into the output.
//! Field names and their order follow the tuning dataset format of Gemini
//! (`systemInstruction`, `contents`, `tools`); the writer is in [`write`].

pub mod models;
pub(crate) mod special;
pub mod write;

use std::borrow::Cow;

/// Who speaks in a turn. Gemini tuning knows these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The prompt side; function responses are here too.
    User,
    /// The side that is learnt.
    Model,
}

impl Role {
    /// The role as the service spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Model => "model",
        }
    }
}

/// One line of a tuning dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Example<'a> {
    /// The paragraphs of the system instruction, one part each; none if empty.
    pub system_instruction: Vec<Cow<'a, str>>,
    /// The turns, in order.
    pub contents: Vec<Content<'a>>,
    /// The JSON text of the `tools` array, if there is one.
    pub tools: Option<Cow<'a, str>>,
    /// Further documented members with the JSON text of their values, in the
    /// order in which they are written (`generationConfig`, `completions`,
    /// `references`).
    pub extra: Vec<(&'static str, Cow<'a, str>)>,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order. Never empty in an example that is written.
    pub parts: Vec<Part<'a>>,
}

/// One part of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A call the model makes; `args` is the JSON text of an object.
    FunctionCall {
        /// The function's name.
        name: Cow<'a, str>,
        /// The JSON text of the arguments object.
        args: Cow<'a, str>,
    },
    /// What a call gave back; `response` is the JSON text of an object.
    FunctionResponse {
        /// The function's name.
        name: Cow<'a, str>,
        /// The JSON text of the response object.
        response: Cow<'a, str>,
    },
    /// A file in Cloud Storage or on the web.
    FileData {
        /// Its MIME type.
        mime_type: Cow<'a, str>,
        /// Its `gs://` or `https://` address.
        file_uri: Cow<'a, str>,
        /// Members that stand beside `fileData` (`videoMetadata`,
        /// `mediaResolution`) with the JSON text of their values.
        extra: Vec<(&'static str, Cow<'a, str>)>,
    },
}

impl<'a> Content<'a> {
    /// A turn of one text.
    pub fn text(role: Role, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            role,
            parts: vec![Part::Text(text.into())],
        }
    }
}
