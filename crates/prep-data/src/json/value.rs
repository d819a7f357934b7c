//! Values of a parsed text, as places on its tape.

use std::borrow::Cow;
use std::fmt;

use super::string::{accepted_escape, find_special, unescape};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// Names the kind as a message would.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// One value on the tape. Its parts follow it: the items of an array, the keys
/// and values of an object in turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The first byte of the value.
    pub(super) start: u32,
    /// The byte after the value.
    pub(super) end: u32,
    /// The place on the tape after the value and all its parts.
    pub(super) next: u32,
    pub(super) tag: Tag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    True,
    False,
    Number,
    /// A string without escapes.
    Plain,
    /// A string with at least one escape.
    Escaped,
    Array,
    Object,
}

/// A value of a text `'a`, as a place on the tape `'d` of a [`Document`].
///
/// [`Document`]: super::Document
#[derive(Clone, Copy)]
pub struct Value<'d, 'a> {
    pub(super) nodes: &'d [Node],
    pub(super) at: usize,
    pub(super) text: &'a str,
}

impl<'d, 'a> Value<'d, 'a> {
    /// Says what the value is.
    pub fn kind(self) -> Kind {
        match self.node().tag {
            Tag::Null => Kind::Null,
            Tag::True | Tag::False => Kind::Bool,
            Tag::Number => Kind::Number,
            Tag::Plain | Tag::Escaped => Kind::String,
            Tag::Array => Kind::Array,
            Tag::Object => Kind::Object,
        }
    }

    /// Tells whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.node().tag == Tag::Null
    }

    /// Gives a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.node().tag {
            Tag::True => Some(true),
            Tag::False => Some(false),
            _ => None,
        }
    }

    /// Gives a number as it is written.
    pub fn as_number(self) -> Option<&'a str> {
        (self.node().tag == Tag::Number).then(|| self.raw())
    }

    /// Gives a string, borrowed from the text unless it has escapes.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        match self.node().tag {
            Tag::Plain => Some(Cow::Borrowed(self.inside())),
            Tag::Escaped => Some(Cow::Owned(unescape(self.inside()))),
            _ => None,
        }
    }

    /// Gives the items of an array; none for other values.
    pub fn items(self) -> Items<'d, 'a> {
        Items(self.parts(Tag::Array))
    }

    /// Gives the keys and values of an object in their order; none for other
    /// values.
    pub fn entries(self) -> Entries<'d, 'a> {
        Entries(self.parts(Tag::Object))
    }

    /// Gives the value of a key of an object. The cost is one comparison for
    /// each key before it.
    pub fn get(self, name: &str) -> Option<Value<'d, 'a>> {
        let mut parts = self.parts(Tag::Object);
        while let Some(key) = parts.next() {
            let value = parts.next()?;
            if key.is_str(name) {
                return Some(value);
            }
        }
        None
    }

    /// Gives the value as it is written.
    pub fn raw(self) -> &'a str {
        &self.text[self.offset()..self.end()]
    }

    /// The place of its first byte in the text.
    pub fn offset(self) -> usize {
        self.node().start as usize
    }

    /// The place after its last byte in the text.
    pub fn end(self) -> usize {
        self.node().end as usize
    }

    /// The place in the text of a byte of a string's decoded text, which begins
    /// after the opening quote. Costs reading the string up to there if it has
    /// escapes.
    pub fn offset_in(self, decoded: usize) -> usize {
        let start = self.offset() + 1;
        if self.node().tag != Tag::Escaped {
            return (start + decoded).min(self.end());
        }
        let inside = self.inside();
        let (mut raw, mut n_decoded) = (0, 0);
        while let Some(backslash) = find_special(inside.as_bytes(), raw) {
            if n_decoded + (backslash - raw) >= decoded {
                break;
            }
            n_decoded += backslash - raw;
            let (c, n_bytes) = accepted_escape(&inside[backslash..]);
            n_decoded += c.len_utf8();
            raw = backslash + n_bytes;
            if n_decoded > decoded {
                return start + backslash;
            }
        }
        (start + raw + decoded.saturating_sub(n_decoded)).min(self.end())
    }

    /// Tells whether the value is this string, without allocating for a string
    /// that has no escapes.
    pub fn is_str(self, text: &str) -> bool {
        match self.node().tag {
            Tag::Plain => self.inside() == text,
            Tag::Escaped => unescape(self.inside()) == text,
            _ => false,
        }
    }

    pub(super) fn as_tag(self) -> Tag {
        self.node().tag
    }

    /// Gives what is between the quotes of a string.
    pub(super) fn inside(self) -> &'a str {
        &self.text[self.offset() + 1..self.end() - 1]
    }

    pub(super) fn parts(self, tag: Tag) -> Parts<'d, 'a> {
        let node = self.node();
        let first = self.at + 1;
        let end = if node.tag == tag {
            node.next as usize
        } else {
            first
        };
        Parts {
            value: Value { at: first, ..self },
            end,
        }
    }

    fn node(self) -> &'d Node {
        &self.nodes[self.at]
    }
}

impl fmt::Debug for Value<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} @ {}", self.raw(), self.offset())
    }
}

/// A key of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// What it says, borrowed from the text unless it has escapes.
    pub text: Cow<'a, str>,
    /// The place of its opening quote in the text.
    pub offset: usize,
}

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'d, 'a>(Parts<'d, 'a>);

impl<'d, 'a> Iterator for Items<'d, 'a> {
    type Item = Value<'d, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// The keys and values of an object.
#[derive(Debug, Clone)]
pub struct Entries<'d, 'a>(Parts<'d, 'a>);

impl<'d, 'a> Iterator for Entries<'d, 'a> {
    type Item = (Key<'a>, Value<'d, 'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?;
        let value = self.0.next()?;
        let offset = key.offset();
        Some((
            Key {
                text: key.as_str()?,
                offset,
            },
            value,
        ))
    }
}

/// The parts of an array or object as they follow each other on the tape.
#[derive(Debug, Clone)]
pub(super) struct Parts<'d, 'a> {
    value: Value<'d, 'a>,
    end: usize,
}

impl<'d, 'a> Iterator for Parts<'d, 'a> {
    type Item = Value<'d, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.value.at >= self.end {
            return None;
        }
        let value = self.value;
        self.value.at = value.node().next as usize;
        Some(value)
    }
}
