//! Reading the XML of a part: elements by their local names, texts with their
//! references resolved.

use std::borrow::Cow;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A reader of part of a document: ends without a start are no error.
pub(super) fn xml_reader(text: &str) -> Reader<&[u8]> {
    let mut xml = Reader::from_str(text);
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    xml
}

/// Passes on to the next start tag; `None` at the end of the text.
pub(super) fn next_start<'a>(xml: &mut Reader<&'a [u8]>) -> Result<Option<BytesStart<'a>>, String> {
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Start(tag) => return Ok(Some(tag)),
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// An attribute by its local name, with its entities resolved.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(in_words)?;
        if attribute.key.local_name().as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value).map_err(in_words)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Reads the text up to the end of an element.
pub(super) fn read_text<'a>(
    xml: &mut Reader<&'a [u8]>,
    element: &str,
) -> Result<Cow<'a, str>, String> {
    let mut text = Cow::Borrowed("");
    loop {
        match xml.read_event().map_err(in_words)? {
            Event::Text(piece) => append(&mut text, piece.xml10_content()),
            Event::CData(piece) => append(&mut text, piece.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = &*reference;
                let resolved = match reference.resolve_char_ref().map_err(in_words)? {
                    Some(character) => character.to_string().into(),
                    None => quick_xml::escape::resolve_xml_entity(name)
                        .map(Cow::Borrowed)
                        .ok_or_else(|| format!("there is no entity `&{name};`"))?,
                };
                append(&mut text, resolved);
            }
            Event::End(tag) if tag.local_name().as_ref() == element => return Ok(text),
            Event::Eof => return Err(format!("`{element}` has no end")),
            _ => {}
        }
    }
}

pub(super) fn append<'a>(text: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if text.is_empty() {
        *text = piece;
    } else {
        text.to_mut().push_str(&piece);
    }
}

pub(super) fn in_words(error: impl fmt::Display) -> String {
    error.to_string()
}
