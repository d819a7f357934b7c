//! What cannot be read whole: units over the limit, inputs that break off.

use super::markup::{Kind, Tags};
use super::{LineCount, Margin, Places};
use crate::diag::{Finding, Position, S008, S031};
use crate::source::blocks::HEAD_BYTES;
use crate::source::{Batch, Item, Reject};

/// A unit that was skipped because of its length.
#[derive(Debug)]
pub(crate) struct TooLong {
    /// The bytes it begins with.
    pub(crate) head: Vec<u8>,
    /// The newlines in it.
    pub(crate) newlines: u64,
    pub(crate) limit: usize,
    /// The names of units.
    pub(crate) units: &'static [&'static str],
}

impl Batch for TooLong {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        each(too_long(&self.head, 0, self.limit, self.units));
        self.newlines
    }
}

/// Rejects what begins at `bytes`, which is on line `line`, for its length.
pub(crate) fn too_long<'a>(bytes: &'a [u8], line: u64, limit: usize, units: &[&str]) -> Item<'a> {
    let raw = &bytes[..bytes.len().min(HEAD_BYTES)];
    let is_unit = |name| units.iter().any(|unit| unit.as_bytes() == name);
    let start = Tags::new(raw)
        .find(|tag| is_unit(tag.name))
        .map_or(0, |tag| tag.start);
    let line = line + LineCount::new(raw).line(start);
    let message = format!("the unit is longer than {limit} bytes");
    Item::Reject(Reject {
        line,
        finding: Finding::new(&S008, Position::line(line), message),
        raw,
    })
}

/// The end of an input that ends after a unit, where more should be.
#[derive(Debug)]
pub(crate) struct Incomplete {
    pub(crate) margin: Margin,
    /// The name of the root element.
    pub(crate) root: &'static str,
}

impl Batch for Incomplete {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        each(Item::Note(incomplete(
            Places::new(&[], self.margin).position(0),
            self.root,
        )));
        0
    }
}

/// Says that the root element is not closed.
pub(crate) fn incomplete(position: Position, root: &str) -> Finding {
    let message = format!("the file ends before `</{root}>`; units may be missing");
    Finding::new(&S031, position, message)
}

/// Whether a block ends with the end tag of one of some elements.
pub(crate) fn ends_with(block: &[u8], names: &[&str]) -> bool {
    let Some(at) = memchr::memrchr(b'<', block) else {
        return false;
    };
    let last = &block[at..];
    Tags::new(last).next().is_some_and(|tag| {
        let is_one = names.iter().any(|name| name.as_bytes() == tag.name);
        is_one && tag.kind == Kind::Close && tag.end == last.len()
    })
}
