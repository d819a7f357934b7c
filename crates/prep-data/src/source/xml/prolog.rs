//! What stands before the root element, and the root element.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

use super::markup::{Tag, Tags};
use crate::io::Input;
use crate::source::blocks::count_newlines;
use crate::source::text::{self, Text};
use crate::source::{Format, Options, SourceError};

/// The beginning of an XML document.
#[derive(Debug)]
pub(crate) struct Prolog<'a> {
    /// The root element's start tag; `None` if none was found.
    pub(crate) root: Option<Tag<'a>>,
    /// The line, from 1, on which the document declares an entity.
    entity_line: Option<u64>,
}

/// Reads the beginning of a document.
pub(crate) fn read(head: &[u8]) -> Prolog<'_> {
    let mut at = head
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let mut entity_line = None;
    loop {
        let rest = &head[at..];
        let end = if rest.starts_with(b"<?") {
            memmem::find(rest, b"?>").map(|n| n + 2)
        } else if rest.starts_with(b"<!--") {
            memmem::find(&rest[4..], b"-->").map(|n| n + 7)
        } else if rest.starts_with(b"<!DOCTYPE") {
            let doctype = doctype(rest);
            entity_line = doctype
                .entity
                .map(|entity| count_newlines(&head[..at + entity]) + 1);
            doctype.end
        } else {
            break;
        };
        let Some(end) = end else {
            return Prolog {
                root: None,
                entity_line,
            };
        };
        at += end;
        at += head[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
    }
    let mut tags = Tags::new(head);
    tags.skip_to(at);
    // Text before the root element makes it another kind of file.
    let root = tags.next().filter(|tag| tag.start == at);
    Prolog { root, entity_line }
}

/// Whether a text is a document with a root element of this local name.
pub(crate) fn is(head: &str, root: &str) -> bool {
    let head = head.strip_prefix('\u{feff}').unwrap_or(head);
    read(head.as_bytes())
        .root
        .is_some_and(|tag| tag.name == root.as_bytes())
}

/// Opens an XML input as text and checks that it may be read as `format`,
/// whose root element is `root`.
pub(crate) fn open(
    mut input: Input,
    options: &Options,
    format: Format,
    root: &str,
) -> Result<Text, SourceError> {
    let name = input.name().to_owned();
    let (encoding, told) = match options.encoding {
        Some(encoding) => (Some(encoding), None),
        None => declared(input.peek(1024).map_err(SourceError::read(&name))?)
            .map_err(|cause| SourceError::malformed(&name, format, cause))?,
    };
    let mut text = text::open(input, encoding).map_err(SourceError::read(&name))?;
    text.decision = text.decision.or(told);
    check(&text, root).map_err(|cause| SourceError::malformed(&name, format, cause))?;
    Ok(text)
}

/// Checks what comes before the first unit.
fn check(text: &Text, root: &str) -> Result<(), String> {
    let prolog = read(&text.head);
    if let Some(line) = prolog.entity_line {
        return Err(format!(
            "the document declares entities, which are refused (line {line})"
        ));
    }
    match prolog.root {
        Some(tag) if tag.name == root.as_bytes() => Ok(()),
        Some(tag) => {
            let found = String::from_utf8_lossy(tag.name);
            Err(format!(
                "its root element is `<{found}>` and not `<{root}>`"
            ))
        }
        None if text.is_whole => Err(format!("it has no root element `<{root}>`")),
        None => Err(format!(
            "no root element `<{root}>` stands in its first {} KiB",
            text.head.len() >> 10
        )),
    }
}

/// The encoding that an XML declaration names, and what to say about it.
///
/// A byte-order mark outweighs it. A declaration that can be read as ASCII and
/// names UTF-16 is a left-over of a conversion and means nothing.
fn declared(head: &[u8]) -> Result<(Option<&'static Encoding>, Option<String>), String> {
    if Encoding::for_bom(head).is_some() || !head.starts_with(b"<?xml") {
        return Ok((None, None));
    }
    let declaration = &head[..memmem::find(head, b"?>").unwrap_or(head.len())];
    let tag = Tag {
        kind: super::markup::Kind::Empty,
        name: b"xml",
        attributes: &declaration[b"<?xml".len().min(declaration.len())..],
        start: 0,
        end: declaration.len(),
    };
    let Some(label) = tag.attribute("encoding") else {
        return Ok((None, None));
    };
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok((None, None)),
        Some(encoding) if encoding == UTF_8 => Ok((Some(encoding), None)),
        Some(encoding) => {
            let told = format!("encoding {}, by the XML declaration", encoding.name());
            Ok((Some(encoding), Some(told)))
        }
        None if label.eq_ignore_ascii_case("utf-32")
            || label.to_ascii_lowercase().starts_with("ucs") =>
        {
            Ok((None, None))
        }
        None => Err(format!(
            "it declares the encoding `{label}`, which is not known"
        )),
    }
}

#[derive(Debug, Default)]
struct Doctype {
    /// Where the first entity declaration is.
    entity: Option<usize>,
    /// The first byte after it; `None` if it does not end.
    end: Option<usize>,
}

/// Reads a document type declaration at the front of a text.
fn doctype(text: &[u8]) -> Doctype {
    let mut found = Doctype::default();
    let mut at = b"<!DOCTYPE".len();
    let mut is_subset = false;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        let hidden = |from: usize, end: &[u8]| {
            memmem::find(rest.get(from..)?, end).map(|n| from + n + end.len())
        };
        let step = match byte {
            b'"' | b'\'' => hidden(1, &[byte]),
            b'<' if rest.starts_with(b"<!--") => hidden(4, b"-->"),
            b'<' if rest.starts_with(b"<?") => hidden(2, b"?>"),
            b'<' if rest.starts_with(b"<!ENTITY") => {
                found.entity = found.entity.or(Some(at));
                Some(1)
            }
            b'[' => {
                is_subset = true;
                Some(1)
            }
            b']' => {
                is_subset = false;
                Some(1)
            }
            b'>' if !is_subset => {
                found.end = Some(at + 1);
                return found;
            }
            _ => Some(1),
        };
        match step {
            Some(step) => at += step,
            None => return found,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, root: Option<&str>, entity_line: Option<u64>) {
        let prolog = read(head.as_bytes());
        let name = prolog
            .root
            .map(|tag| String::from_utf8_lossy(tag.name).into_owned());
        assert_eq!(
            (name.as_deref(), prolog.entity_line),
            (root, entity_line),
            "{head}"
        );
    }

    #[test]
    fn the_root_element_is_found() {
        check("<tmx version='1.4'>", Some("tmx"), None);
        check(
            " <?xml version='1.0'?>\n<!-- <a> -->\n<!DOCTYPE tmx SYSTEM \"a>b.dtd\"><tmx>",
            Some("tmx"),
            None,
        );
        check("<x:xliff xmlns:x='a'>", Some("xliff"), None);
        check(
            "<!DOCTYPE tmx [<!ELEMENT tmx (#PCDATA)> <!-- ]> -->]><tmx>",
            Some("tmx"),
            None,
        );
        check("text <tmx>", None, None);
        check("<!-- never closed <tmx>", None, None);
        check("", None, None);
        check("<", None, None);
    }

    #[test]
    fn entity_declarations_are_found() {
        check(
            "<!DOCTYPE a [\n<!ENTITY b \"c\">\n]>\n<a>",
            Some("a"),
            Some(2),
        );
        check(
            "\n<!DOCTYPE a [<!ENTITY % b SYSTEM 'file:///c'> %b;",
            None,
            Some(2),
        );
        check(
            "<!DOCTYPE a [<!-- <!ENTITY b 'c'> -->]><a>",
            Some("a"),
            None,
        );
    }
}
