//! Parsing one unit.
//!
//! A thin coat over the parser: every event knows where it begins, and every
//! error where it is. An `&` that begins no reference passes here, because
//! texts that nobody reads (`<prop>`, `<note>`) may hold one; the texts of
//! records are checked where they are read.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

use crate::diag::{Code, S032};

/// Why a unit cannot become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static Code,
    /// The byte of the unit where it shows.
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Fault {
    /// Markup that cannot be read.
    pub(crate) fn markup(at: usize, message: impl Into<String>) -> Self {
        Self::new(&S032, at, message)
    }

    pub(crate) fn new(code: &'static Code, at: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            at,
            message: message.into(),
        }
    }
}

/// The events of one unit.
#[derive(Debug)]
pub(crate) struct Pull<'a> {
    reader: Reader<&'a [u8]>,
    start: usize,
}

impl<'a> Pull<'a> {
    pub(crate) fn new(unit: &'a str) -> Self {
        let mut reader = Reader::from_str(unit);
        reader.config_mut().allow_dangling_amp = true;
        Self { reader, start: 0 }
    }

    /// The next event. The end of the unit is an error: whoever reads a unit
    /// stops at its end tag.
    pub(crate) fn next(&mut self) -> Result<Event<'a>, Fault> {
        self.start = to_usize(self.reader.buffer_position());
        match self.reader.read_event() {
            Ok(Event::Eof) => Err(Fault::markup(self.start, "the unit ends inside an element")),
            Ok(event) => Ok(event),
            Err(error) => Err(Fault::markup(
                to_usize(self.reader.error_position()),
                phrase(&error),
            )),
        }
    }

    /// Where the last event begins.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Where the last event ends.
    pub(crate) fn end(&self) -> usize {
        to_usize(self.reader.buffer_position())
    }

    /// Passes over the rest of an element whose start tag was the last event.
    pub(crate) fn skip_element(&mut self) -> Result<(), Fault> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// An attribute of a start tag that was the last event, by its whole name.
    pub(crate) fn attribute<'t>(
        &self,
        tag: &'t BytesStart<'_>,
        name: &str,
    ) -> Result<Option<Cow<'t, str>>, Fault> {
        tag.try_get_attribute(name)
            .map(|found| found.map(|attribute| attribute.value))
            .map_err(|error| Fault::markup(self.start, format!("attributes: {error}")))
    }
}

/// The character that a reference stands for: `amp`, `#233`, `#x1F600`.
pub(crate) fn referred(name: &str) -> Result<char, String> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(format!("the entity `&{name};` is not declared")),
        };
    };
    let (digits, radix) = number
        .strip_prefix('x')
        .map_or((number, 10), |hex| (hex, 16));
    // A sign is no digit, though `from_str_radix` takes one.
    let code = digits
        .starts_with(|c: char| c.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, radix).ok());
    code.flatten()
        .filter(|&code| code != 0)
        .and_then(char::from_u32)
        .ok_or_else(|| format!("the reference `&{name};` is no character"))
}

/// Text between tags as XML reads it: references are resolved, line ends are
/// `\n`. An error has the byte where it shows.
pub(crate) fn unescape(raw: &str) -> Result<Cow<'_, str>, (usize, String)> {
    if memchr::memchr2(b'&', b'\r', raw.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(raw));
    }
    let mut text = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'&', &raw.as_bytes()[at..]) {
        push_text(&raw[at..at + step], &mut text);
        at += step;
        let rest = &raw[at + 1..];
        let len = memchr::memchr2(b';', b'&', rest.as_bytes())
            .filter(|&len| rest.as_bytes()[len] == b';');
        let len = len.ok_or_else(|| (at, dangling()))?;
        text.push(referred(&rest[..len]).map_err(|message| (at, message))?);
        at += len + 2;
    }
    push_text(&raw[at..], &mut text);
    Ok(Cow::Owned(text))
}

/// What is wrong with an `&` that begins no reference.
pub(crate) fn dangling() -> String {
    "an `&` begins no entity; it is written `&amp;`".into()
}

/// Appends text without references, its line ends as `\n`.
pub(crate) fn push_text(raw: &str, text: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        text.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    text.push_str(rest);
}

/// A parser's error as a phrase.
fn phrase(error: &Error) -> String {
    match error {
        Error::Syntax(error) => error.to_string(),
        Error::IllFormed(error) => error.to_string(),
        error => error.to_string(),
    }
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).expect("a unit is in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Result<&str, usize>) {
        let text = unescape(raw);
        assert_eq!(text.as_deref().map_err(|(at, _)| *at), expected, "{raw}");
    }

    #[test]
    fn references_are_resolved() {
        check("plain", Ok("plain"));
        check(
            "a &amp;amp; b &#233;&#x1F600;&lt;&gt;&quot;&apos;",
            Ok("a &amp; b é😀<>\"'"),
        );
        check("a\r\nb\rc&#13;\r\n", Ok("a\nb\nc\r\n"));
        check("a & b", Err(2));
        check("é &foo;", Err(3));
        check("&#0;", Err(0));
        check("&#xD800;", Err(0));
        check("&#+65;", Err(0));
        check("&#xg;", Err(0));
        check("a &", Err(2));
        check("&a &amp;", Err(0));
    }
}
