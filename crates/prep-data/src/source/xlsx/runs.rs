//! A part of a workbook, cut into runs of whole elements.
//!
//! Elements end where an end tag of their name is that no comment and no CDATA
//! section hides. Most parts have neither, and then only the last such tag of
//! a block is looked for, from its end.

use std::io::{self, Read};

use memchr::memmem;

use super::archive::PartReader;
use crate::source::Options;

/// What a part is cut into.
pub(super) struct Elements {
    /// The elements that are kept whole.
    name: &'static str,
    /// The element they are all in.
    parent: &'static str,
}

impl Elements {
    pub(super) const ROWS: Self = Self {
        name: "row",
        parent: "sheetData",
    };
    pub(super) const STRINGS: Self = Self {
        name: "si",
        parent: "sst",
    };
}

/// A part as runs of whole elements.
pub(super) struct Runs {
    part: String,
    reader: PartReader,
    elements: Elements,
    buffer: Vec<u8>,
    block_bytes: usize,
    limit: usize,
    is_done: bool,
}

impl Runs {
    pub(super) fn new(
        part: &str,
        reader: PartReader,
        elements: Elements,
        options: &Options,
    ) -> Self {
        Self {
            part: part.into(),
            reader,
            elements,
            buffer: Vec::new(),
            block_bytes: options.block_bytes,
            limit: options.record_limit,
            is_done: false,
        }
    }

    /// Reads up to the end of an element, about a block further.
    pub(super) fn next_run(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut wanted = self.block_bytes.max(1);
        while !self.is_done {
            let had = self.buffer.len();
            self.read(wanted)?;
            let is_end = self.buffer.len() == had;
            if let Some(end) = last_end(&self.buffer, self.elements.name) {
                let rest = self.buffer.split_off(end);
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            if first_end(&self.buffer, self.elements.parent).is_some()
                || is_empty_tag(&self.buffer, self.elements.parent)
            {
                return self.finish();
            }
            if is_end {
                return Err(format!("its part `{}` ends in the middle", self.part));
            }
            if self.buffer.len() > self.limit {
                return Err(format!(
                    "an element `{}` of its part `{}` is longer than {} MiB",
                    self.elements.name,
                    self.part,
                    self.limit >> 20
                ));
            }
            // Twice as far each time, so that a long element costs no more
            // than its length.
            wanted = wanted.max(self.buffer.len());
        }
        Ok(None)
    }

    fn read(&mut self, wanted: usize) -> Result<(), String> {
        self.reader
            .by_ref()
            .take(wanted as u64)
            .read_to_end(&mut self.buffer)
            .map_err(|error| format!("its part `{}` is damaged: {error}", self.part))?;
        Ok(())
    }

    /// Ends the runs with what stands between the last element and the end of
    /// the parent: rows in one empty tag. What follows holds no elements; it
    /// is read so that the checksum is.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, String> {
        self.is_done = true;
        let mut last = std::mem::take(&mut self.buffer);
        last.truncate(first_end(&last, self.elements.parent).unwrap_or(0));
        io::copy(&mut self.reader, &mut io::sink())
            .map_err(|error| format!("its part `{}` is damaged: {error}", self.part))?;
        Ok(Some(last))
    }
}

/// Tells whether a text holds an empty element such as `<sheetData/>`.
fn is_empty_tag(text: &[u8], element: &str) -> bool {
    memmem::find_iter(text, element).any(|at| {
        let is_start = text[..at].ends_with(b"<") || text[..at].ends_with(b":");
        let tag = text[at..].split(|&byte| byte == b'>').next();
        is_start && tag.is_some_and(|tag| tag.len() < text.len() - at && tag.ends_with(b"/"))
    })
}

/// The place after the last end tag of an element that is not inside CDATA or
/// a comment, where a text begins outside both.
fn last_end(text: &[u8], element: &str) -> Option<usize> {
    if memmem::find(text, b"<!").is_some() {
        let mut end = 0;
        while let Some(next) = first_end(&text[end..], element) {
            end += next;
        }
        return (end > 0).then_some(end);
    }
    memmem::rfind_iter(text, element).find_map(|at| end_tag(text, at, element))
}

/// The place after the first such end tag.
pub(super) fn first_end(text: &[u8], element: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = memmem::find_iter(&text[from..], element)
            .find_map(|at| end_tag(text, from + at, element))?;
        // What hides tags, if it begins before this one.
        let Some(at) = memmem::find(&text[from..end], b"<!") else {
            return Some(end);
        };
        let hidden = &text[from + at..];
        let close: &[u8] = match hidden {
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'!', b'[', ..] => b"]]>",
            _ => b">",
        };
        from += at + memmem::find(hidden, close)? + close.len();
    }
}

/// The place after the end tag whose name ends in an element's name at the
/// given place, if it is one: `</row>`, `</x:row>`.
fn end_tag(text: &[u8], at: usize, element: &str) -> Option<usize> {
    let after = at + element.len();
    let spaces = text[after..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    if text.get(after + spaces) != Some(&b'>') {
        return None;
    }
    let before = &text[..at];
    let prefix = match before.strip_suffix(b":") {
        Some(before) => {
            let name = before
                .iter()
                .rev()
                .take_while(|&&byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            &before[..before.len() - name.count()]
        }
        None => before,
    };
    prefix.ends_with(b"</").then_some(after + spaces + 1)
}
