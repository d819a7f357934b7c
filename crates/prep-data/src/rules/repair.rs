//! Edits of members and items, so that what is left is still JSON.

use std::ops::Range;

use super::edit::Edit;
use crate::json::{Key, Value};

/// The bytes of a key with its quotes.
pub(super) fn key_range(object: Value<'_, '_>, key: &Key<'_>) -> Range<usize> {
    let raw = &object.raw().as_bytes()[key.offset - object.offset()..];
    let mut end = 1;
    while let Some(&byte) = raw.get(end) {
        end += match byte {
            b'"' => break,
            b'\\' => 2,
            _ => 1,
        };
    }
    key.offset..key.offset + end + 1
}

/// Takes a member out of an object, with the comma that parted it from
/// another.
pub(super) fn remove_member(object: Value<'_, '_>, key: &Key<'_>) -> Edit {
    let spans = object.entries().map(|(key, value)| key.offset..value.end());
    remove(&spans.collect::<Vec<_>>(), |span| span.start == key.offset)
}

/// Takes the item out of an array that begins at this byte.
pub(super) fn remove_item(array: Value<'_, '_>, item: Value<'_, '_>) -> Edit {
    let spans = array.items().map(|item| item.offset()..item.end());
    remove(&spans.collect::<Vec<_>>(), |span| {
        span.start == item.offset()
    })
}

/// Removes the stretches that are meant, which follow each other; none if
/// there is none.
pub(super) fn remove(spans: &[Range<usize>], is_meant: impl Fn(&Range<usize>) -> bool) -> Edit {
    let Some(first) = spans.iter().position(&is_meant) else {
        return Edit::remove(0..0);
    };
    let n = spans[first..]
        .iter()
        .take_while(|span| is_meant(span))
        .count();
    let last = first + n - 1;
    match (spans.get(last + 1), first.checked_sub(1)) {
        (Some(next), _) => Edit::remove(spans[first].start..next.start),
        (None, Some(before)) => Edit::remove(spans[before].end..spans[last].end),
        (None, None) => Edit::remove(spans[first].start..spans[last].end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;
    use crate::rules::apply;

    fn check(line: &str, name: &str, expected: &str) {
        let mut document = Document::new();
        let root = document.parse(line.as_bytes()).unwrap();
        let (key, _) = root.entries().find(|(key, _)| key.text == name).unwrap();
        let (left, _) = apply(line.as_bytes(), &[&[remove_member(root, &key)]]);
        assert_eq!(String::from_utf8(left).unwrap(), expected);
    }

    #[test]
    fn a_member_goes_with_its_comma() {
        check(r#"{"a":1, "b":2, "c":3}"#, "a", r#"{"b":2, "c":3}"#);
        check(r#"{"a":1, "b":2, "c":3}"#, "b", r#"{"a":1, "c":3}"#);
        check(r#"{"a":1, "b":2, "c":3}"#, "c", r#"{"a":1, "b":2}"#);
        check(r#"{ "a":1 }"#, "a", "{  }");
        check(r#"{"\"a":1,"b":2}"#, "\"a", r#"{"b":2}"#);
    }

    #[test]
    fn a_key_ends_at_its_quote() {
        let line = r#"{"a\"b\\" : 1}"#;
        let mut document = Document::new();
        let root = document.parse(line.as_bytes()).unwrap();
        let (key, _) = root.entries().next().unwrap();
        assert_eq!(&line[key_range(root, &key)], r#""a\"b\\""#);
    }
}
