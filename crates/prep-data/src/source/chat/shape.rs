//! Which format a record is of, told by its keys.

use super::frame::Frame;
use super::pair;
use crate::json::Value;
use crate::source::Format;

/// A format and the keys that spoke for it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) format: Format,
    pub(super) keys: Vec<String>,
}

impl Shape {
    fn new(format: Format, keys: &[&str]) -> Self {
        let keys = keys.iter().map(|&key| key.into()).collect();
        Self { format, keys }
    }

    /// What spoke for the format; `noun` is what a key is called here.
    pub(super) fn evidence(&self, noun: &str) -> String {
        let names: Vec<_> = self.keys.iter().map(|key| quoted(key)).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        format!("by its {noun}{plural} {}", names.join(" and "))
    }
}

/// The shape of the first record that has a known one.
pub(super) fn of(head: &[u8], frame: Frame) -> Option<Shape> {
    let candidates = frame.candidates(head);
    candidates
        .into_iter()
        .find_map(|record| of_keys(&outer_keys(record)))
}

/// Says which keys were found where none makes a known shape.
pub(super) fn unknown(head: &[u8], frame: Frame) -> String {
    let candidates = frame.candidates(head);
    let keys = candidates
        .into_iter()
        .map(outer_keys)
        .find(|keys| !keys.is_empty());
    match keys {
        Some(keys) => format!(
            "its first record has no known shape; its keys are {}",
            list(&keys)
        ),
        None => "its first records are no JSON objects".into(),
    }
}

pub(super) fn of_keys(keys: &[String]) -> Option<Shape> {
    let has = |name: &str| keys.iter().any(|key| key == name);
    let single = [
        ("messages", Format::OpenAi),
        ("conversations", Format::ShareGpt),
        ("conversation", Format::ShareGpt),
        ("contents", Format::Gemini),
        ("request", Format::Gemini),
    ];
    let by_one = single
        .into_iter()
        .find(|(name, _)| has(name))
        .map(|(name, format)| Shape::new(format, &[name]));
    let alpaca = ["output", "instances", "response"];
    let by_alpaca = || {
        let answer = alpaca
            .into_iter()
            .find(|name| has(name))
            .filter(|_| has("instruction"))?;
        Some(Shape::new(Format::Alpaca, &["instruction", answer]))
    };
    let by_pair = || {
        let (prompt, answer) = pair::sides(keys)?;
        Some(Shape::new(Format::PromptCompletion, &[prompt, answer]))
    };
    by_one.or_else(by_alpaca).or_else(by_pair)
}

/// The keys of the object that a text begins with, which may be cut off or
/// broken; none if it begins with no object.
fn outer_keys(text: &[u8]) -> Vec<String> {
    let text = text.trim_ascii_start();
    let mut keys = Vec::new();
    if text.first() != Some(&b'{') {
        return keys;
    }
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => break,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let Some(n) = string_len(&text[at..]) else {
                    break;
                };
                let is_key = text[at + n + 1..].trim_ascii_start().first() == Some(&b':');
                if depth == 1 && is_key {
                    keys.push(String::from_utf8_lossy(&text[at..at + n]).into_owned());
                }
                at += n + 1;
            }
            _ => {}
        }
    }
    keys
}

/// The bytes before the quote that ends a string.
fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The keys of a record, for a message.
pub(super) fn keys_of(record: Value<'_, '_>) -> String {
    let keys: Vec<_> = record.entries().map(|(key, _)| key.text).collect();
    list(&keys)
}

/// Names in backticks with commas between them; long lists and names are cut.
fn list(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 12;
    let mut listed: Vec<_> = names
        .iter()
        .take(MOST)
        .map(|name| quoted(name.as_ref()))
        .collect();
    if names.len() > MOST {
        listed.push(format!("{} more", names.len() - MOST));
    }
    listed.join(", ")
}

/// A name from the data in backticks, cut if it is long.
pub(super) fn quoted(name: &str) -> String {
    const MOST: usize = 40;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", name[..end].escape_debug()),
        None if name.contains(char::is_control) => format!("`{}`", name.escape_debug()),
        None => format!("`{name}`"),
    }
}
