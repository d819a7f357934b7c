//! Units of the common shape, read without a parser.
//!
//! It reads `<tu>`s in which elements stand only where TMX has them, names
//! have no prefix, and no text that counts has tags, CDATA or comments. What
//! it reads, the parser reads the same, which a test holds; it declines the
//! rest, units it could reject among them. On a memory of short sentences this
//! is some seven times as fast as parsing.

use std::borrow::Cow;

use memchr::memchr;

use super::super::xml::language::Wanted;
use super::unescape;

/// A unit of the common shape.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    pub(super) texts: [Cow<'a, str>; 2],
    /// The first byte after it.
    pub(super) end: usize,
}

/// Reads the unit that begins at `start`, or declines.
pub(super) fn unit<'a>(text: &'a str, start: usize, wanted: &[Wanted; 2]) -> Option<Plain<'a>> {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        at: start,
    };
    let mut sides = [None, None];
    scan.literal(b"<tu")?;
    scan.attributes()?;
    loop {
        scan.space();
        if scan.literal(b"</tu>").is_some() {
            break;
        }
        if scan.literal(b"<tuv").is_none() {
            scan.remark()?;
            continue;
        }
        let language = scan.attributes()?;
        let seg = scan.variant()?;
        let Some(n) = wanted.iter().position(|wanted| wanted.is(language)) else {
            continue;
        };
        if sides[n].replace(seg).is_some() {
            return None;
        }
    }
    let [Some(source), Some(target)] = sides else {
        return None;
    };
    Some(Plain {
        texts: [unescape(source).ok()?, unescape(target).ok()?],
        end: scan.at,
    })
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        let found = self.bytes.get(self.at..)?.starts_with(literal);
        found.then(|| self.at += literal.len())
    }

    /// Passes the rest of a start tag, and returns the language it names, or
    /// an empty one.
    fn attributes(&mut self) -> Option<&'a str> {
        let mut language = "";
        let mut is_xml_lang = false;
        loop {
            let before = self.at;
            self.space();
            if *self.bytes.get(self.at)? == b'>' {
                self.at += 1;
                return Some(language);
            }
            if self.at == before {
                return None;
            }
            let start = self.at;
            while self.bytes.get(self.at).is_some_and(|&byte| is_name(byte)) {
                self.at += 1;
            }
            let name = &self.bytes[start..self.at];
            let rest = self.bytes.get(self.at..)?;
            let &[b'=', quote @ (b'"' | b'\''), ..] = rest else {
                return None;
            };
            let value = self.at + 2;
            let len = memchr(quote, &self.bytes[value..])?;
            self.at = value + len + 1;
            if memchr(b'<', &self.bytes[value..value + len]).is_some() || name.is_empty() {
                return None;
            }
            match name {
                // The parser takes the first of two, this one neither.
                b"xml:lang" if is_xml_lang => return None,
                b"xml:lang" => {
                    is_xml_lang = true;
                    language = &self.text[value..value + len];
                }
                b"lang" => return None,
                _ => {}
            }
        }
    }

    /// Passes text without tags, up to the `<` after it.
    fn plain_text(&mut self) -> Option<&'a str> {
        let len = memchr(b'<', &self.bytes[self.at..])?;
        let text = &self.text[self.at..self.at + len];
        self.at += len;
        Some(text)
    }

    /// Passes the content and the end tag of a `<tuv>`, and returns its text.
    fn variant(&mut self) -> Option<&'a str> {
        loop {
            self.space();
            if self.literal(b"<seg>").is_some() {
                break;
            }
            self.remark()?;
        }
        let text = self.plain_text()?;
        self.literal(b"</seg>")?;
        self.space();
        self.literal(b"</tuv>")?;
        Some(text)
    }

    /// Passes a `<prop>` or a `<note>`.
    fn remark(&mut self) -> Option<()> {
        let end: &[u8] = match self.bytes.get(self.at..self.at + 5)? {
            b"<prop" => b"</prop>",
            b"<note" => b"</note>",
            _ => return None,
        };
        self.at += 5;
        self.attributes()?;
        self.plain_text()?;
        self.literal(end)
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.')
}
