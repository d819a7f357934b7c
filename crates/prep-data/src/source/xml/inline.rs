//! Texts with inline tags.
//!
//! A tag is what stands for formatting or code of the original document. Kept,
//! it becomes `{1}`, `{2}` … in the text: numbered in the order of the source,
//! the same number for the same tag of the target, never a number that either
//! text already has in braces. A tag that opens something and the one that
//! closes it are two tags. The code inside a tag (`<ph>&lt;br/&gt;</ph>`) is
//! not text and goes with it, and so does a `<sub>` in it: a sub-flow such as
//! the title of an image is no part of the sentence it stands in. Markers that
//! carry no code (`hi`, `mrk`) leave their text and nothing else. An element
//! that the format does not have is taken for formatting: its text stays.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};

use super::pull::{Fault, Pull, dangling, push_text, referred};
use crate::source::InlineTags;

/// What an inline element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inline {
    /// One tag, with its code inside.
    Tag(Role),
    /// Two tags with text between them.
    Span,
    /// Text with a remark on it.
    Marker,
    /// A character that XML cannot hold.
    Character,
}

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Alone,
    Opens,
    Closes,
}

/// A format's inline elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vocabulary {
    /// What an element is, by its local name.
    pub(crate) element: fn(&str) -> Inline,
    /// The attributes that identify a tag across the sides, the best first.
    pub(crate) ids: fn(Role) -> &'static [&'static str],
    /// The attribute that joins a closing tag to the opening tag of its side.
    pub(crate) pair: Option<&'static str>,
    /// Whether an id means one tag, whatever its element and attribute.
    pub(crate) is_id_enough: bool,
    /// Whether `<mrk mtype="seg">` marks segments.
    pub(crate) has_segments: bool,
}

/// What makes a tag of one side the same as a tag of the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    role: Role,
    /// The id, or the element's name where it has none.
    id: String,
    /// How many tags of this role and id came before.
    nth: usize,
}

/// One side of a unit: its text, and where the tags stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Side {
    text: String,
    tags: Vec<(usize, Key)>,
    segments: Vec<Segment>,
}

/// A part of a side that is a segment by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) id: String,
    text: std::ops::Range<usize>,
    tags: std::ops::Range<usize>,
}

impl Side {
    /// Reads the rest of an element whose start tag was the last event.
    pub(crate) fn read(pull: &mut Pull<'_>, vocabulary: Vocabulary) -> Result<Self, Fault> {
        Reading {
            pull,
            vocabulary,
            side: Self::default(),
            open: Vec::new(),
            counts: HashMap::new(),
            pairs: HashMap::new(),
        }
        .read()
    }

    /// Whether it has neither text that is not blank nor tags.
    pub(crate) fn is_blank(&self) -> bool {
        self.tags.is_empty() && self.text.trim().is_empty()
    }

    /// The segments marked in it.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// A segment as a side of its own.
    pub(crate) fn part(&self, segment: &Segment) -> Self {
        let tags = self.tags[segment.tags.clone()].iter();
        Self {
            text: self.text[segment.text.clone()].into(),
            tags: tags
                .map(|(at, key)| (at - segment.text.start, key.clone()))
                .collect(),
            segments: Vec::new(),
        }
    }
}

/// A side while it is read. The maps are there because a hostile unit may have
/// a million tags.
struct Reading<'p, 'a> {
    pull: &'p mut Pull<'a>,
    vocabulary: Vocabulary,
    side: Side,
    /// The elements that are open, the innermost last.
    open: Vec<Open>,
    /// How many tags there are of each role and id.
    counts: HashMap<(Role, String), usize>,
    /// The ids of opening tags that wait for their closing tags.
    pairs: HashMap<String, Vec<String>>,
}

/// An element that is open.
enum Open {
    Marker,
    Span { id: String },
    Segment(usize),
}

impl Reading<'_, '_> {
    fn read(mut self) -> Result<Side, Fault> {
        loop {
            match self.pull.next()? {
                Event::Text(text) => {
                    if let Some(at) = memchr::memchr(b'&', text.as_bytes()) {
                        return Err(Fault::markup(self.pull.start() + at, dangling()));
                    }
                    push_text(&text, &mut self.side.text);
                }
                Event::CData(text) => push_text(&text.into_inner(), &mut self.side.text),
                Event::GeneralRef(name) => {
                    let c = referred(&name)
                        .map_err(|message| Fault::markup(self.pull.start(), message))?;
                    self.side.text.push(c);
                }
                Event::Start(tag) => self.start(&tag, false)?,
                Event::Empty(tag) => self.start(&tag, true)?,
                Event::End(_) => match self.open.pop() {
                    None => return Ok(self.side),
                    Some(open) => self.close(open),
                },
                _ => {}
            }
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, is_empty: bool) -> Result<(), Fault> {
        let name = tag.local_name();
        let name = name.as_ref();
        let element = (self.vocabulary.element)(name);
        match element {
            Inline::Tag(role) => {
                let id = self.identify(tag, name, role)?;
                self.tag(role, id);
            }
            Inline::Span if is_empty => {
                let id = self.identify(tag, name, Role::Alone)?;
                self.tag(Role::Alone, id);
            }
            Inline::Span => {
                let id = self.identify(tag, name, Role::Opens)?;
                self.tag(Role::Opens, id.clone());
                self.open.push(Open::Span { id });
            }
            Inline::Marker if is_empty => {}
            Inline::Marker => {
                let open = self.marker(tag, name)?;
                self.open.push(open);
            }
            Inline::Character => {
                let hex = self.pull.attribute(tag, "hex")?.unwrap_or_default();
                let c = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                let failed =
                    || Fault::markup(self.pull.start(), format!("`{hex}` is no character"));
                self.side.text.push(c.ok_or_else(failed)?);
            }
        }
        if !is_empty && matches!(element, Inline::Tag(_) | Inline::Character) {
            self.pull.skip_element()?;
        }
        Ok(())
    }

    fn marker(&mut self, tag: &BytesStart<'_>, name: &str) -> Result<Open, Fault> {
        let may_segment = self.vocabulary.has_segments && name == "mrk";
        if !may_segment || self.pull.attribute(tag, "mtype")?.as_deref() != Some("seg") {
            return Ok(Open::Marker);
        }
        let id = self
            .pull
            .attribute(tag, "mid")?
            .unwrap_or_default()
            .into_owned();
        let (text, tags) = (self.side.text.len(), self.side.tags.len());
        self.side.segments.push(Segment {
            id,
            text: text..text,
            tags: tags..tags,
        });
        Ok(Open::Segment(self.side.segments.len() - 1))
    }

    fn close(&mut self, open: Open) {
        match open {
            Open::Marker => {}
            Open::Span { id } => self.tag(Role::Closes, id),
            Open::Segment(n) => {
                let (text, tags) = (self.side.text.len(), self.side.tags.len());
                self.side.segments[n].text.end = text;
                self.side.segments[n].tags.end = tags;
            }
        }
    }

    /// What identifies a tag across the sides.
    fn identify(&mut self, tag: &BytesStart<'_>, name: &str, role: Role) -> Result<String, Fault> {
        let mut id = name.to_owned();
        for attribute in (self.vocabulary.ids)(role) {
            if let Some(value) = self.pull.attribute(tag, attribute)? {
                id = match self.vocabulary.is_id_enough {
                    true => value.into_owned(),
                    false => format!("{name} {attribute}={value}"),
                };
                break;
            }
        }
        let pair = match self.vocabulary.pair {
            Some(attribute) if role != Role::Alone => self.pull.attribute(tag, attribute)?,
            _ => None,
        };
        if let Some(pair) = pair {
            match role {
                Role::Closes => id = self.pairs.get_mut(&*pair).and_then(Vec::pop).unwrap_or(id),
                _ => self
                    .pairs
                    .entry(pair.into_owned())
                    .or_default()
                    .push(id.clone()),
            }
        }
        Ok(id)
    }

    fn tag(&mut self, role: Role, id: String) {
        let count = self.counts.entry((role, id.clone())).or_default();
        let key = Key {
            role,
            id,
            nth: *count,
        };
        *count += 1;
        self.side.tags.push((self.side.text.len(), key));
    }
}

/// The texts of two sides.
pub(crate) fn pair(source: Side, target: Side, tags: InlineTags) -> [String; 2] {
    if tags == InlineTags::Strip || (source.tags.is_empty() && target.tags.is_empty()) {
        return [source.text, target.text];
    }
    let mut numbers = Numbers::avoiding(&[&source.text, &target.text]);
    let source = numbers.write(&source);
    [source, numbers.write(&target)]
}

/// The numbers given to tags so far.
struct Numbers {
    taken: HashSet<usize>,
    given: HashMap<Key, usize>,
    next: usize,
}

impl Numbers {
    /// Numbers that stand in none of the texts in braces.
    fn avoiding(texts: &[&str]) -> Self {
        let braced = texts.iter().flat_map(|text| text.split('{').skip(1));
        let numbers = braced.filter_map(|rest| rest.split_once('}')?.0.parse().ok());
        Self {
            taken: numbers.collect(),
            given: HashMap::new(),
            next: 1,
        }
    }

    fn of(&mut self, key: &Key) -> usize {
        if let Some(number) = self.given.get(key) {
            return *number;
        }
        while self.taken.contains(&self.next) {
            self.next += 1;
        }
        self.given.insert(key.clone(), self.next);
        self.next += 1;
        self.next - 1
    }

    fn write(&mut self, side: &Side) -> String {
        let mut text = String::with_capacity(side.text.len() + 3 * side.tags.len());
        let mut at = 0;
        for (place, key) in &side.tags {
            text.push_str(&side.text[at..*place]);
            write!(text, "{{{}}}", self.of(key)).expect("a string takes all");
            at = *place;
        }
        text.push_str(&side.text[at..]);
        text
    }
}
