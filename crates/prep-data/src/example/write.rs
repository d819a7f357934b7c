//! Examples as JSON Lines: compact, camelCase, UTF-8 with no escape that JSON
//! does not demand.
//!
//! [`escape`] copies the stretches between special bytes whole; finding those
//! is in [`special`](super::special). A property test holds it to
//! `serde_json`.

use super::special::find_special;
use super::{Content, Example, Part, Role};

/// Appends the JSONL line of an example, with its newline.
///
/// JSON texts inside the example (`tools`, `args`, …) are written as they are.
pub fn line(example: &Example<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    system_instruction(&example.system_instruction, out);
    out.extend_from_slice(b"\"contents\":[");
    separated(&example.contents, out, content);
    out.push(b']');
    if let Some(tools) = &example.tools {
        out.extend_from_slice(b",\"tools\":");
        out.extend_from_slice(tools.as_bytes());
    }
    for (name, json) in &example.extra {
        member(name, json, out);
    }
    out.extend_from_slice(b"}\n");
}

/// Appends the line of a conversation like [`line`], from texts that are
/// escaped already.
pub(crate) fn escaped_line(system: Option<&[u8]>, turns: &[(Role, &[u8])], out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(system) = system {
        out.extend_from_slice(b"\"systemInstruction\":{\"parts\":[{\"text\":\"");
        out.extend_from_slice(system);
        out.extend_from_slice(b"\"}]},");
    }
    out.extend_from_slice(b"\"contents\":[");
    separated(turns, out, |(role, text), out| {
        out.extend_from_slice(match role {
            Role::User => b"{\"role\":\"user\",\"parts\":[{\"text\":\"",
            Role::Model => b"{\"role\":\"model\",\"parts\":[{\"text\":\"".as_slice(),
        });
        out.extend_from_slice(text);
        out.extend_from_slice(b"\"}]}");
    });
    out.extend_from_slice(b"]}\n");
}

/// Appends the `systemInstruction` member and its comma; nothing if there is
/// no paragraph.
pub fn system_instruction<T: AsRef<str>>(paragraphs: &[T], out: &mut Vec<u8>) {
    if paragraphs.is_empty() {
        return;
    }
    out.extend_from_slice(b"\"systemInstruction\":{\"parts\":[");
    separated(paragraphs, out, |text, out| text_part(text.as_ref(), out));
    out.extend_from_slice(b"]},");
}

fn content(content: &Content<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"role\":\"");
    out.extend_from_slice(content.role.as_str().as_bytes());
    out.extend_from_slice(b"\",\"parts\":[");
    separated(&content.parts, out, part);
    out.extend_from_slice(b"]}");
}

fn part(part: &Part<'_>, out: &mut Vec<u8>) {
    match part {
        Part::Text(text) => text_part(text, out),
        Part::FunctionCall { name, args } => {
            named(
                b"{\"functionCall\":{\"name\":",
                name,
                b",\"args\":",
                args,
                out,
            );
        }
        Part::FunctionResponse { name, response } => {
            named(
                b"{\"functionResponse\":{\"name\":",
                name,
                b",\"response\":",
                response,
                out,
            );
        }
        Part::FileData {
            mime_type,
            file_uri,
            extra,
        } => {
            out.extend_from_slice(b"{\"fileData\":{\"mimeType\":");
            string(mime_type, out);
            out.extend_from_slice(b",\"fileUri\":");
            string(file_uri, out);
            out.push(b'}');
            for (name, json) in extra {
                member(name, json, out);
            }
            out.push(b'}');
        }
    }
}

fn named(before: &[u8], name: &str, between: &[u8], json: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    string(name, out);
    out.extend_from_slice(between);
    out.extend_from_slice(json.as_bytes());
    out.extend_from_slice(b"}}");
}

fn member(name: &str, json: &str, out: &mut Vec<u8>) {
    out.push(b',');
    string(name, out);
    out.push(b':');
    out.extend_from_slice(json.as_bytes());
}

fn text_part(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"text\":");
    string(text, out);
    out.push(b'}');
}

fn separated<T>(items: &[T], out: &mut Vec<u8>, mut each: impl FnMut(&T, &mut Vec<u8>)) {
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        each(item, out);
    }
}

/// Appends a JSON string with its quotes.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

/// Appends a text escaped for the inside of a JSON string, and tells whether a
/// NUL character is in it: whoever minds need not look again.
pub fn escape(text: &str, out: &mut Vec<u8>) -> bool {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    let mut done = 0;
    let mut has_nul = false;
    while let Some(special) = find_special(bytes, done) {
        out.extend_from_slice(&bytes[done..special]);
        escape_byte(bytes[special], out);
        has_nul |= bytes[special] == 0;
        done = special + 1;
    }
    out.extend_from_slice(&bytes[done..]);
    has_nul
}

#[cold]
fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.push(b'\\');
    out.push(short);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(example: &Example<'_>, expected: &str) {
        let mut out = Vec::new();
        line(example, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
    }

    #[test]
    fn a_line_has_the_documented_members_in_order() {
        let pair = Example {
            system_instruction: vec!["Be \"brief\".".into()],
            contents: vec![
                Content::text(Role::User, "a\nb"),
                Content::text(Role::Model, "é\u{2028}\u{1}"),
            ],
            ..Example::default()
        };
        check(
            &pair,
            "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be \\\"brief\\\".\"}]},\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\\nb\"}]},{\"role\":\"model\",\"parts\":[{\"text\":\"é\u{2028}\\u0001\"}]}]}",
        );
        let tools = Example {
            contents: vec![
                Content {
                    role: Role::Model,
                    parts: vec![Part::FunctionCall {
                        name: "f".into(),
                        args: "{\"x\":1}".into(),
                    }],
                },
                Content {
                    role: Role::User,
                    parts: vec![Part::FunctionResponse {
                        name: "f".into(),
                        response: "{}".into(),
                    }],
                },
            ],
            tools: Some("[]".into()),
            ..Example::default()
        };
        check(
            &tools,
            r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}],"tools":[]}"#,
        );
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(text in "(?s).{0,120}") {
            let mut out = Vec::new();
            string(&text, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
