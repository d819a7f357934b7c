//! The members of an example, as Google's published description of the API
//! names them.
//!
//! The tables follow the `aiplatform` discovery document (`Content`, `Part`,
//! `Tool`, `Schema`, …), and a test compares them with it. What the document
//! does not have is the example itself: its members are those of the pages on
//! tuning data. Rules about keys and types go over an example with
//! [`each_object`] and need not know how it is built.

use super::example::{camel_case, is_named};
use crate::json::Value;
use crate::text::nearest::nearest;

/// A kind of object, and the members that it may have.
#[derive(Debug)]
pub(super) struct Message {
    /// What texts call such an object: `a turn`.
    pub(super) name: &'static str,
    /// What the discovery document calls it; empty if it is not there.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the test of the tables reads it")
    )]
    pub(super) published: &'static str,
    pub(super) members: &'static [Member],
    /// Names that people give to a member, and the member's own.
    aliases: &'static [(&'static str, &'static str)],
}

/// A member of an object, by its name in camelCase.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) form: Form,
}

/// What the value of a member looks like.
#[derive(Debug)]
pub(super) enum Form {
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// A number.
    Number,
    /// A whole number of 64 bits, which JSON may write as a string.
    Count,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// An array of strings.
    Texts,
    /// An object of this kind.
    Object(&'static Message),
    /// An array of such objects.
    Objects(&'static Message),
    /// An object with keys of the user's and values of this kind.
    Map(&'static Message),
    /// An object whose inside is the user's, or no business of tuning.
    Free,
    /// Anything.
    Any,
}

const fn member(name: &'static str, form: Form) -> Member {
    Member { name, form }
}

/// A line of a tuning dataset, whatever the method.
pub(super) static EXAMPLE: Message = Message {
    name: "an example",
    published: "",
    members: &[
        member("systemInstruction", Form::Object(&CONTENT)),
        member("contents", Form::Objects(&CONTENT)),
        member("tools", Form::Objects(&TOOL)),
        member("generationConfig", Form::Object(&GENERATION_CONFIG)),
        member("toolConfig", Form::Free),
        member("safetySettings", Form::Any),
        member("labels", Form::Free),
        member("cachedContent", Form::Text),
        member("completions", Form::Objects(&COMPLETION)),
        member("references", Form::Free),
    ],
    aliases: &[
        ("system", "systemInstruction"),
        ("systemPrompt", "systemInstruction"),
        ("functions", "tools"),
    ],
};

pub(super) static CONTENT: Message = Message {
    name: "a turn",
    published: "Content",
    members: &[
        member("role", Form::Text),
        member("parts", Form::Objects(&PART)),
    ],
    aliases: &[("content", "parts"), ("text", "parts"), ("from", "role")],
};

pub(super) static PART: Message = Message {
    name: "a part",
    published: "Part",
    members: &[
        member("text", Form::Text),
        member("inlineData", Form::Object(&BLOB)),
        member("fileData", Form::Object(&FILE_DATA)),
        member("functionCall", Form::Object(&FUNCTION_CALL)),
        member("functionResponse", Form::Object(&FUNCTION_RESPONSE)),
        member("executableCode", Form::Object(&EXECUTABLE_CODE)),
        member("codeExecutionResult", Form::Object(&CODE_EXECUTION_RESULT)),
        member("videoMetadata", Form::Object(&VIDEO_METADATA)),
        member("mediaResolution", Form::Object(&MEDIA_RESOLUTION)),
        member("audioTranscription", Form::Free),
        member("speechMetadata", Form::Free),
        member("thought", Form::Flag),
        member("thoughtSignature", Form::Text),
    ],
    aliases: &[("content", "text"), ("file", "fileData")],
};

static BLOB: Message = Message {
    name: "`inlineData`",
    published: "Blob",
    members: &[
        member("mimeType", Form::Text),
        member("data", Form::Text),
        member("displayName", Form::Text),
    ],
    aliases: &[],
};

pub(super) static FILE_DATA: Message = Message {
    name: "`fileData`",
    published: "FileData",
    members: &[
        member("mimeType", Form::Text),
        member("fileUri", Form::Text),
        member("displayName", Form::Text),
    ],
    aliases: &[("uri", "fileUri"), ("url", "fileUri"), ("mime", "mimeType")],
};

pub(super) static FUNCTION_CALL: Message = Message {
    name: "`functionCall`",
    published: "FunctionCall",
    members: &[
        member("id", Form::Text),
        member("name", Form::Text),
        member("args", Form::Free),
        member("partialArgs", Form::Any),
        member("willContinue", Form::Flag),
    ],
    aliases: &[("arguments", "args"), ("parameters", "args")],
};

pub(super) static FUNCTION_RESPONSE: Message = Message {
    name: "`functionResponse`",
    published: "FunctionResponse",
    members: &[
        member("id", Form::Text),
        member("name", Form::Text),
        member("response", Form::Free),
        member("parts", Form::Any),
        member(
            "scheduling",
            Form::Word(&["SILENT", "WHEN_IDLE", "INTERRUPT"]),
        ),
    ],
    aliases: &[("content", "response"), ("output", "response")],
};

static EXECUTABLE_CODE: Message = Message {
    name: "`executableCode`",
    published: "ExecutableCode",
    members: &[
        member("id", Form::Text),
        member("code", Form::Text),
        member("language", Form::Word(&["PYTHON"])),
    ],
    aliases: &[],
};

static CODE_EXECUTION_RESULT: Message = Message {
    name: "`codeExecutionResult`",
    published: "CodeExecutionResult",
    members: &[
        member("id", Form::Text),
        member(
            "outcome",
            Form::Word(&["OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"]),
        ),
        member("output", Form::Text),
    ],
    aliases: &[],
};

static VIDEO_METADATA: Message = Message {
    name: "`videoMetadata`",
    published: "VideoMetadata",
    members: &[
        member("startOffset", Form::Text),
        member("endOffset", Form::Text),
        member("fps", Form::Number),
    ],
    aliases: &[],
};

static MEDIA_RESOLUTION: Message = Message {
    name: "`mediaResolution`",
    published: "PartMediaResolution",
    members: &[member(
        "level",
        Form::Word(&[
            "MEDIA_RESOLUTION_LOW",
            "MEDIA_RESOLUTION_MEDIUM",
            "MEDIA_RESOLUTION_HIGH",
            "MEDIA_RESOLUTION_ULTRA_HIGH",
        ]),
    )],
    aliases: &[],
};

/// The one member that is known to matter to tuning; the others have a rule of
/// their own.
pub(super) static GENERATION_CONFIG: Message = Message {
    name: "`generationConfig`",
    published: "",
    members: &[member(
        "mediaResolution",
        Form::Word(&[
            "MEDIA_RESOLUTION_LOW",
            "MEDIA_RESOLUTION_MEDIUM",
            "MEDIA_RESOLUTION_HIGH",
        ]),
    )],
    aliases: &[],
};

pub(super) static TOOL: Message = Message {
    name: "a tool",
    published: "Tool",
    members: &[
        member("functionDeclarations", Form::Objects(&FUNCTION_DECLARATION)),
        member("codeExecution", Form::Free),
        member("computerUse", Form::Free),
        member("enterpriseWebSearch", Form::Free),
        member("exaAiSearch", Form::Free),
        member("googleMaps", Form::Free),
        member("googleSearch", Form::Free),
        member("googleSearchRetrieval", Form::Free),
        member("parallelAiSearch", Form::Free),
        member("retrieval", Form::Free),
        member("urlContext", Form::Free),
    ],
    aliases: &[("functions", "functionDeclarations")],
};

pub(super) static FUNCTION_DECLARATION: Message = Message {
    name: "a function declaration",
    published: "FunctionDeclaration",
    members: &[
        member("name", Form::Text),
        member("description", Form::Text),
        member("parameters", Form::Object(&SCHEMA)),
        member("parametersJsonSchema", Form::Any),
        member("response", Form::Object(&SCHEMA)),
        member("responseJsonSchema", Form::Any),
        member("behavior", Form::Word(&["BLOCKING", "NON_BLOCKING"])),
    ],
    aliases: &[("inputSchema", "parameters"), ("args", "parameters")],
};

/// The types of a schema.
pub(super) const TYPES: &[&str] = &[
    "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL",
];

pub(super) static SCHEMA: Message = Message {
    name: "a schema",
    published: "Schema",
    members: &[
        member("type", Form::Word(TYPES)),
        member("format", Form::Text),
        member("title", Form::Text),
        member("description", Form::Text),
        member("nullable", Form::Flag),
        member("enum", Form::Texts),
        member("properties", Form::Map(&SCHEMA)),
        member("required", Form::Texts),
        member("propertyOrdering", Form::Texts),
        member("items", Form::Object(&SCHEMA)),
        member("anyOf", Form::Objects(&SCHEMA)),
        member("additionalProperties", Form::Any),
        member("default", Form::Any),
        member("example", Form::Any),
        member("pattern", Form::Text),
        member("minimum", Form::Number),
        member("maximum", Form::Number),
        member("minItems", Form::Count),
        member("maxItems", Form::Count),
        member("minLength", Form::Count),
        member("maxLength", Form::Count),
        member("minProperties", Form::Count),
        member("maxProperties", Form::Count),
        member("ref", Form::Text),
        member("defs", Form::Map(&SCHEMA)),
    ],
    aliases: &[],
};

pub(super) static COMPLETION: Message = Message {
    name: "a completion",
    published: "GeminiPreferenceExampleCompletion",
    members: &[
        member("score", Form::Number),
        member("completion", Form::Object(&CONTENT)),
    ],
    aliases: &[],
};

impl Message {
    /// The member that a key names, in camelCase or snake_case.
    pub(super) fn member(&self, key: &str) -> Option<&'static Member> {
        self.members
            .iter()
            .find(|member| is_named(key, member.name))
    }

    /// The member that an unknown key was probably meant to name.
    pub(super) fn meant(&self, key: &str) -> Option<&'static str> {
        let key = camel_case(key);
        let mut aliases = self.aliases.iter();
        let alias = aliases.find(|(alias, _)| *alias == key);
        let names = || self.members.iter().map(|member| member.name);
        alias.map_or_else(|| nearest(&key, names()), |(_, name)| Some(*name))
    }

    /// Whether an object of this kind has a key that is not known and was
    /// probably meant as this member: what is missing is then misspelt.
    pub(super) fn is_misspelt(&self, object: Value<'_, '_>, name: &str) -> bool {
        let mut keys = object.entries().map(|(key, _)| key.text);
        keys.any(|key| self.member(&key).is_none() && self.meant(&key) == Some(name))
    }
}

/// Goes over every object of an example whose members are known, outer ones
/// first, in the order in which they are written.
pub(super) fn each_object<'d, 'a>(
    root: Value<'d, 'a>,
    each: &mut dyn FnMut(Value<'d, 'a>, &'static Message),
) {
    object(root, &EXAMPLE, each);
}

fn object<'d, 'a>(
    value: Value<'d, 'a>,
    message: &'static Message,
    each: &mut dyn FnMut(Value<'d, 'a>, &'static Message),
) {
    if value.kind() != crate::json::Kind::Object {
        return;
    }
    each(value, message);
    for (key, value) in value.entries() {
        let Some(member) = message.member(&key.text) else {
            continue;
        };
        match member.form {
            Form::Object(inner) => object(value, inner, each),
            Form::Objects(inner) => value.items().for_each(|item| object(item, inner, each)),
            Form::Map(inner) => value
                .entries()
                .for_each(|(_, item)| object(item, inner, each)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    static ALL: &[&Message] = &[
        &EXAMPLE,
        &CONTENT,
        &PART,
        &BLOB,
        &FILE_DATA,
        &FUNCTION_CALL,
        &FUNCTION_RESPONSE,
        &EXECUTABLE_CODE,
        &CODE_EXECUTION_RESULT,
        &VIDEO_METADATA,
        &MEDIA_RESOLUTION,
        &GENERATION_CONFIG,
        &TOOL,
        &FUNCTION_DECLARATION,
        &SCHEMA,
        &COMPLETION,
    ];

    /// The name that Google gives a form, as far as it has one.
    fn is_form(form: &Form, published: &serde_json::Value) -> bool {
        let kind = published["type"].as_str().unwrap_or("object");
        let words = published["enum"].as_array();
        match form {
            Form::Text => kind == "string" && words.is_none(),
            Form::Flag => kind == "boolean",
            Form::Number => matches!(kind, "number" | "integer"),
            Form::Count => kind == "string" && published["format"] == "int64",
            Form::Word(known) => words.is_some_and(|words| {
                let words = words.iter().filter_map(serde_json::Value::as_str);
                let words = words.filter(|word| !word.ends_with("UNSPECIFIED"));
                words.eq(known.iter().copied())
            }),
            Form::Texts | Form::Objects(_) => kind == "array",
            Form::Object(_) | Form::Free | Form::Map(_) => kind == "object",
            Form::Any => true,
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
    fn the_tables_are_what_is_published() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/google-api/aiplatform.v1.json");
        let Ok(text) = std::fs::read(path) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "the description is not here"
            );
            eprintln!("SKIPPED: the published description is not here");
            return;
        };
        let document: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let schema = |name: &str| &document["schemas"][format!("GoogleCloudAiplatformV1{name}")];
        for message in ALL.iter().filter(|message| !message.published.is_empty()) {
            let published = &schema(message.published)["properties"];
            let theirs: BTreeSet<_> = published.as_object().unwrap().keys().collect();
            let ours: BTreeSet<_> = message
                .members
                .iter()
                .map(|one| one.name.to_owned())
                .collect();
            assert_eq!(
                ours.iter().collect::<BTreeSet<_>>(),
                theirs,
                "{}",
                message.published
            );
            for one in message.members {
                assert!(
                    is_form(&one.form, &published[one.name]),
                    "{} {}",
                    message.published,
                    one.name
                );
            }
        }
        // An example has nothing that a request, or an example of preferences,
        // does not have; `references` is of reinforcement tuning.
        let has = |name: &str, key: &str| schema(name)["properties"].get(key).is_some();
        for one in EXAMPLE
            .members
            .iter()
            .filter(|one| one.name != "references")
        {
            assert!(
                has("GenerateContentRequest", one.name) || has("GeminiPreferenceExample", one.name),
                "{}",
                one.name
            );
        }
    }

    #[test]
    fn aliases_name_members_and_are_none() {
        for message in ALL {
            for (alias, name) in message.aliases {
                assert!(message.member(alias).is_none() && message.member(name).is_some());
            }
        }
    }
}
