//! Tags in a stretch of XML, found without parsing it.
//!
//! This never fails: what is malformed is left to the parser that reads the
//! unit it stands in. It sees exactly the end tags that
//! [`Ends`](super::ends::Ends) sees.

use memchr::memmem;
use memchr::{memchr, memchr2};

use super::ends::is_name_end;

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It opens an element.
    Open,
    /// It closes one.
    Close,
    /// It is an element by itself.
    Empty,
}

/// A tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'a> {
    pub(crate) kind: Kind,
    /// Its local name.
    pub(crate) name: &'a [u8],
    /// Its attributes, unparsed.
    pub(crate) attributes: &'a [u8],
    /// Where its `<` is.
    pub(crate) start: usize,
    /// The first byte after its `>`, or where it breaks off.
    pub(crate) end: usize,
}

impl<'a> Tag<'a> {
    /// The value of an attribute as it is written, found by its whole name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.attributes.trim_ascii_start();
        while let Some(equals) = memchr(b'=', rest) {
            let found = rest[..equals].trim_ascii();
            rest = rest[equals + 1..].trim_ascii_start();
            let (&quote, after) = rest.split_first()?;
            if quote != b'"' && quote != b'\'' {
                return None;
            }
            let end = memchr(quote, after)?;
            if found == name.as_bytes() {
                return std::str::from_utf8(&after[..end]).ok();
            }
            rest = &after[end + 1..];
        }
        None
    }
}

/// The tags of a stretch of XML, in order.
#[derive(Debug, Clone)]
pub(crate) struct Tags<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tags<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Goes on after the bytes before `at`.
    pub(crate) fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Goes past the end of something hidden that begins `opened` bytes before
    /// its content.
    fn skip_hidden(&mut self, start: usize, opened: usize, end: &[u8]) {
        let from = start + opened;
        self.at = memmem::find(&self.bytes[from..], end)
            .map_or(self.bytes.len(), |n| from + n + end.len());
    }

    fn end_tag(&mut self, start: usize) -> Option<Tag<'a>> {
        let (name, after) = self.name(start + 2);
        let close = after + memchr2(b'>', b'<', &self.bytes[after..])?;
        self.at = close;
        if self.bytes[close] == b'<' {
            return None;
        }
        self.at += 1;
        Some(Tag {
            kind: Kind::Close,
            name,
            attributes: &[],
            start,
            end: self.at,
        })
    }

    fn start_tag(&mut self, start: usize) -> Tag<'a> {
        let (name, after) = self.name(start + 1);
        let mut quote = None;
        let mut kind = Kind::Open;
        let mut close = after;
        while let Some(&byte) = self.bytes.get(close) {
            match (byte, quote) {
                (b'<', _) | (b'>', None) => break,
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if byte == open => quote = None,
                _ => {}
            }
            close += 1;
        }
        let mut attributes = &self.bytes[after..close];
        if self.bytes.get(close) == Some(&b'>') {
            if let Some(before) = attributes.strip_suffix(b"/") {
                attributes = before;
                kind = Kind::Empty;
            }
            close += 1;
        }
        self.at = close;
        Tag {
            kind,
            name,
            attributes,
            start,
            end: close,
        }
    }

    /// The local name that begins at `from`, and where it ends.
    fn name(&self, from: usize) -> (&'a [u8], usize) {
        let rest = &self.bytes[from.min(self.bytes.len())..];
        let len = rest
            .iter()
            .position(|&byte| is_name_end(byte))
            .unwrap_or(rest.len());
        let name = &rest[..len];
        let local = name
            .iter()
            .rposition(|&byte| byte == b':')
            .map_or(0, |colon| colon + 1);
        (&name[local..], from + len)
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let start = self.at + memchr(b'<', self.bytes.get(self.at..)?)?;
            let rest = &self.bytes[start + 1..];
            match rest.first() {
                Some(b'/') => match self.end_tag(start) {
                    Some(tag) => return Some(tag),
                    None if self.at <= start => self.at = self.bytes.len(),
                    None => {}
                },
                Some(b'!') if rest.starts_with(b"!--") => self.skip_hidden(start, 4, b"-->"),
                Some(b'!') if rest.starts_with(b"![CDATA[") => self.skip_hidden(start, 9, b"]]>"),
                Some(b'?') => self.skip_hidden(start, 2, b"?>"),
                Some(b'!' | b'<' | b' ' | b'\t' | b'\r' | b'\n' | b'>') => self.at = start + 1,
                Some(_) => return Some(self.start_tag(start)),
                None => return None,
            }
        }
    }
}

/// A unit in a stretch of XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It goes up to here.
    Whole(usize),
    /// Another unit or the end of a container comes first; it goes up to there.
    Unclosed(usize),
    /// The input ends first.
    Truncated,
}

impl Extent {
    /// Where it ends, in an input of `len` bytes.
    pub(crate) fn end(self, len: usize) -> usize {
        match self {
            Self::Whole(end) | Self::Unclosed(end) => end,
            Self::Truncated => len,
        }
    }
}

/// Finds how far the unit goes that `start` opens, and leaves `tags` there.
///
/// `units` are the names of units, `containers` those of the other elements
/// after which a stream is cut.
pub(crate) fn extent(
    tags: &mut Tags<'_>,
    start: &Tag<'_>,
    units: &[&str],
    containers: &[&str],
) -> Extent {
    if start.kind == Kind::Empty {
        return Extent::Whole(start.end);
    }
    let is_one_of =
        |tag: &Tag<'_>, names: &[&str]| names.iter().any(|name| name.as_bytes() == tag.name);
    while let Some(tag) = tags.next() {
        match tag.kind {
            Kind::Close if is_one_of(&tag, units) => return Extent::Whole(tag.end),
            Kind::Close if is_one_of(&tag, containers) => return Extent::Unclosed(tag.end),
            Kind::Open | Kind::Empty if is_one_of(&tag, units) => {
                tags.skip_to(tag.start);
                return Extent::Unclosed(tag.start);
            }
            _ => {}
        }
    }
    Extent::Truncated
}
