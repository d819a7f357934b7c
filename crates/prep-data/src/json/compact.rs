//! Values written again without what a reader may leave out.

use super::string::{accepted_escape, find_special};
use super::value::{Tag, Value};
use crate::example::write;

/// Appends a value as compact JSON.
///
/// There is no whitespace outside strings, strings are UTF-8 with no escape
/// that JSON does not demand, and numbers are as they were written. It calls
/// itself once for each level, of which there are at most
/// [`DEPTH_LIMIT`](super::DEPTH_LIMIT).
pub fn compact(value: Value<'_, '_>, out: &mut Vec<u8>) {
    match value.as_tag() {
        Tag::Array => array(value, out),
        Tag::Object => object(value, out),
        _ => scalar(value, out),
    }
}

fn array(value: Value<'_, '_>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, item) in value.items().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        compact(item, out);
    }
    out.push(b']');
}

fn object(value: Value<'_, '_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, part) in value.parts(Tag::Object).enumerate() {
        match n {
            0 => {}
            n if n % 2 == 0 => out.push(b','),
            _ => out.push(b':'),
        }
        compact(part, out);
    }
    out.push(b'}');
}

/// A string without escapes holds nothing that needs one, so it is copied.
fn scalar(value: Value<'_, '_>, out: &mut Vec<u8>) {
    match value.as_tag() {
        Tag::Escaped => escaped(value.inside(), out),
        _ => out.extend_from_slice(value.raw().as_bytes()),
    }
}

/// Copies a string but for the escapes that are longer than they must be.
fn escaped(inside: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = inside;
    while let Some(backslash) = find_special(rest.as_bytes(), 0) {
        let (decoded, n_bytes) = accepted_escape(&rest[backslash..]);
        let (before, after) = rest.split_at(backslash + n_bytes);
        if n_bytes == 2 && decoded != '/' {
            out.extend_from_slice(before.as_bytes());
        } else {
            out.extend_from_slice(&before.as_bytes()[..backslash]);
            write::escape(decoded.encode_utf8(&mut [0; 4]), out);
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn check(text: &str, expected: &str) {
        let mut document = Document::new();
        let mut out = Vec::new();
        compact(document.parse(text.as_bytes()).unwrap(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn only_what_must_be_written_is_written() {
        check(" [ 1.10 , -0 , 1E+2 , true ] ", "[1.10,-0,1E+2,true]");
        check("{ }", "{}");
        check(
            "{ \"a b\" : [ ] ,\n\t\"\\u0063\\/\" : { \"d\" : null } }",
            r#"{"a b":[],"c/":{"d":null}}"#,
        );
        check(
            r#""\u00e9\ud83d\ude00\u0000\u007f\n""#,
            "\"é😀\\u0000\u{7f}\\n\"",
        );
    }
}
