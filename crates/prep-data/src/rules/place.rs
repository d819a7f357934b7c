//! From a byte offset in a line to what a person can find: column, JSON
//! pointer, and a window with a caret.

use crate::json::{Kind, Value};

/// How many characters a window shows before and after the place.
const BEFORE: usize = 32;
const AFTER: usize = 44;

/// A stretch of a line around a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// The text, with `…` where the line goes on.
    pub text: String,
    /// The character of `text`, from 0, at which the place is.
    pub at: usize,
    /// How many characters are at fault, at least 1.
    pub length: usize,
}

/// Shows a stretch of a line of which `fault` bytes at `offset` are at fault.
/// Bytes that are not UTF-8 become U+FFFD.
pub(super) fn window(line: &[u8], offset: usize, fault: usize) -> Window {
    let offset = offset.min(line.len());
    // Four bytes hold any character.
    let start = offset.saturating_sub(4 * BEFORE);
    let before = String::from_utf8_lossy(&line[start..offset]);
    let n_before = before.chars().count();
    let before: String = before
        .chars()
        .skip(n_before.saturating_sub(BEFORE))
        .collect();
    let end = (offset + 4 * AFTER).min(line.len());
    let after = String::from_utf8_lossy(&line[offset..end]);
    let n_after = after.chars().count().min(AFTER);
    let shown: String = after.chars().take(AFTER).collect();
    let is_cut_before = before.len() < offset;
    let is_cut_after = offset + shown.len() < line.len();
    let dots = |is_cut: bool| if is_cut { "…" } else { "" };
    let fault = String::from_utf8_lossy(&line[offset..(offset + fault).min(line.len())]);
    Window {
        text: format!(
            "{}{before}{shown}{}",
            dots(is_cut_before),
            dots(is_cut_after)
        ),
        at: before.chars().count() + usize::from(is_cut_before),
        length: fault.chars().count().clamp(1, n_after.max(1)),
    }
}

/// The JSON pointer (RFC 6901) of the innermost value that an offset is in; a
/// key belongs to its value.
pub(super) fn pointer(root: Value<'_, '_>, offset: usize) -> String {
    let mut pointer = String::new();
    let mut value = root;
    loop {
        let inner = match value.kind() {
            Kind::Object => value
                .entries()
                .find(|(key, value)| (key.offset..value.end()).contains(&offset))
                .map(|(key, value)| (key.text.replace('~', "~0").replace('/', "~1"), value)),
            Kind::Array => (0..)
                .zip(value.items())
                .find(|(_, value)| (value.offset()..value.end()).contains(&offset))
                .map(|(n, value): (usize, _)| (n.to_string(), value)),
            _ => None,
        };
        let Some((step, inner)) = inner else {
            return pointer;
        };
        pointer.push('/');
        pointer.push_str(&step);
        value = inner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn a_pointer_leads_to_the_innermost_value() {
        let text = br#"{"contents":[{"role":"user"},{"a/b":[1,2]}]}"#;
        let mut document = Document::new();
        let root = document.parse(text).unwrap();
        let of = |needle: &str| {
            let offset = memchr::memmem::find(text, needle.as_bytes()).unwrap();
            pointer(root, offset)
        };
        assert_eq!(of("\"user\""), "/contents/0/role");
        assert_eq!(of("role"), "/contents/0/role");
        assert_eq!(of("2]"), "/contents/1/a~1b/1");
        assert_eq!(of("{\"contents"), "");
    }

    #[test]
    fn a_window_has_the_place_in_it() {
        let shown = window(b"abc", 1, 1);
        assert_eq!((shown.text.as_str(), shown.at, shown.length), ("abc", 1, 1));
        let long = format!("{}X{}", "é".repeat(100), "z".repeat(100));
        let shown = window(long.as_bytes(), 200, 1);
        assert_eq!(shown.text.chars().nth(shown.at), Some('X'));
        assert!(shown.text.starts_with('…') && shown.text.ends_with('…'));
        let end = window(b"abc", 3, 1);
        assert_eq!((end.text.as_str(), end.at), ("abc", 3));
    }
}
