//! Texts: the table of shared strings, rich text, and the escapes of
//! characters that XML cannot hold.

use std::borrow::Cow;

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::xml::{append, in_words, next_start, read_text, xml_reader};

const ESCAPE_LEN: usize = "_xHHHH_".len();

/// The table of shared strings, end to end in one text.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// Appends the strings of a run of them.
    pub(super) fn read(&mut self, run: &str) -> Result<(), String> {
        let mut xml = xml_reader(run);
        while let Some(tag) = next_start(&mut xml)? {
            if tag.local_name().as_ref() == "si" {
                self.text.push_str(&read_rich_text(&mut xml, "si")?);
                self.ends.push(self.text.len());
            }
        }
        Ok(())
    }

    /// The string that a cell points to.
    pub(super) fn resolve(&self, index: &str) -> Result<&str, String> {
        let found = index.trim().parse().ok().and_then(|n| self.get(n));
        found.ok_or_else(|| {
            format!(
                "there is no shared string {index}, but {} of them",
                self.ends.len()
            )
        })
    }

    fn get(&self, n: usize) -> Option<&str> {
        let start = match n {
            0 => 0,
            n => *self.ends.get(n - 1)?,
        };
        self.text.get(start..*self.ends.get(n)?)
    }
}

/// Reads the text of a string item, of all its runs, without the reading aids
/// (`rPh`) of East Asian text.
///
/// White space around a text stays, whether or not `xml:space` asks for it:
/// Excel would drop what it does not ask for, and text is never changed here.
pub(super) fn read_rich_text<'a>(
    xml: &mut Reader<&'a [u8]>,
    element: &str,
) -> Result<Cow<'a, str>, String> {
    let mut text = Cow::Borrowed("");
    let mut is_aid = false;
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "rPh" => is_aid = true,
                "t" => {
                    let piece = read_text(xml, "t")?;
                    if !is_aid {
                        append(&mut text, unescaped(piece));
                    }
                }
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "rPh" => is_aid = false,
                name if name == element => return Ok(text),
                _ => {}
            },
            Event::Eof => return Err(format!("`{element}` has no end")),
            _ => {}
        }
    }
}

/// Resolves the escapes `_xHHHH_` by which spreadsheets write characters that
/// XML cannot hold: `_x000D_` is a carriage return, and `_x005F_x000D_` the
/// seven characters `_x000D_`. Half of a surrogate pair stays as it is.
pub(super) fn unescaped(text: Cow<'_, str>) -> Cow<'_, str> {
    if !has_escape(&text) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = escape(rest);
        let second = first.and_then(|_| escape(&rest[ESCAPE_LEN..]));
        let pair = first.zip(second).and_then(|(high, low)| {
            let mut decoded = char::decode_utf16([high, low]);
            decoded.next()?.ok().filter(|_| decoded.next().is_none())
        });
        let single = first.and_then(|unit| char::from_u32(unit.into()));
        let (character, len) = match (pair, single) {
            (Some(character), _) => (character, 2 * ESCAPE_LEN),
            (None, Some(character)) => (character, ESCAPE_LEN),
            (None, None) => ('_', 1),
        };
        out.push(character);
        rest = &rest[len..];
    }
    out.push_str(rest);
    out.into()
}

/// Tells whether a text holds an `_xHHHH_` escape.
pub(super) fn has_escape(text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), b"_x").any(|at| escape(&text[at..]).is_some())
}

/// The code unit of the escape that a text begins with.
fn escape(text: &str) -> Option<u16> {
    let escape = text.as_bytes().get(..ESCAPE_LEN)?;
    let digits = text.get(2..6)?;
    let is_escape = escape.starts_with(b"_x") && escape[6] == b'_' && !digits.starts_with('+');
    is_escape.then(|| u16::from_str_radix(digits, 16).ok())?
}
