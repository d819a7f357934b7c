//! How records lie in a file, and where it may be cut.

use crate::json::{self, Document, Elements, Kind};
use crate::source::blocks::{Cutter, Lines, Want};

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// One a line.
    Lines,
    /// As the elements of one array.
    Array,
    /// One after the other, over any number of lines.
    Values,
}

impl Frame {
    /// Tells the frame from the first bytes of a file.
    ///
    /// An object that ends where its line ends speaks for lines, and so does
    /// anything that is no object. Where the first object spans lines, it may
    /// be pretty-printed or the line may be broken: if the value that its
    /// brackets enclose is not JSON, and a later line is by itself an object,
    /// the file has lines.
    pub(super) fn of(head: &[u8]) -> Self {
        let text = head.trim_ascii_start();
        match text.first() {
            Some(b'[') => return Self::Array,
            Some(b'{') => {}
            _ => return Self::Lines,
        }
        let Some(newline) = memchr::memchr(b'\n', text) else {
            return if has_several(text) {
                Self::Values
            } else {
                Self::Lines
            };
        };
        let line = &text[..newline];
        let first = Elements::new().scan(text, json::Want::First);
        let spans_lines = first.is_none_or(|end| end > newline);
        let is_values = if spans_lines {
            first.is_some_and(|end| is_object(&text[..end])) || !has_object_line(text)
        } else {
            has_several(line)
        };
        if is_values { Self::Values } else { Self::Lines }
    }

    /// What to tell about a frame that is not the usual one.
    pub(super) fn decision(self) -> Option<&'static str> {
        match self {
            Self::Lines => None,
            Self::Array => Some("records are the elements of one JSON array"),
            Self::Values => Some("records are JSON values that follow each other, not lines"),
        }
    }

    /// The first records of a file; the last one may be cut off.
    pub(super) fn candidates(self, head: &[u8]) -> Vec<&[u8]> {
        const MOST: usize = 100;
        if self == Self::Lines {
            let lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            return lines.filter(|line| !line.is_empty()).take(MOST).collect();
        }
        let mut elements = Elements::new();
        let ranges = elements.split(head).filter_map(|piece| match piece {
            json::Piece::Element(range) => Some(range),
            json::Piece::Fault(..) => None,
        });
        ranges.take(MOST).map(|range| &head[range]).collect()
    }
}

/// Whether a line holds several objects; the last one may be cut off.
fn has_several(line: &[u8]) -> bool {
    let mut elements = Elements::new();
    let mut n_objects = 0;
    for piece in elements.split(line) {
        match piece {
            json::Piece::Element(range) if is_object(&line[range.clone()]) => n_objects += 1,
            json::Piece::Element(range) if range.end == line.len() && line[range.start] == b'{' => {
                break;
            }
            _ => return false,
        }
    }
    n_objects > 1
}

fn has_object_line(text: &[u8]) -> bool {
    const MOST_LINES: usize = 1000;
    let lines = text.split(|&byte| byte == b'\n').take(MOST_LINES);
    lines
        .filter(|line| line.first() == Some(&b'{'))
        .any(is_object)
}

fn is_object(text: &[u8]) -> bool {
    let mut document = Document::new();
    document
        .parse(text)
        .is_ok_and(|value| value.kind() == Kind::Object)
}

/// Where a file may be cut, with what a batch from there on must know.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut {
    pub(super) elements: Elements,
    /// How many characters of the line stand before it.
    pub(super) column: u64,
}

/// Cuts a file of any frame.
#[derive(Debug)]
pub(super) struct ChatCutter {
    frame: Frame,
    elements: Elements,
    /// Characters since the last line break.
    column: u64,
    cut: Cut,
}

impl ChatCutter {
    pub(super) fn new(frame: Frame) -> Self {
        Self {
            frame,
            elements: Elements::new(),
            column: 0,
            cut: Cut::default(),
        }
    }

    /// The place of the last cut.
    pub(super) fn cut(&self) -> &Cut {
        &self.cut
    }
}

impl Cutter for ChatCutter {
    fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize> {
        if self.frame == Frame::Lines {
            return Lines.scan(chunk, want);
        }
        let end = match want {
            Want::First => self.elements.scan(chunk, json::Want::First),
            Want::Last => self.elements.scan(chunk, json::Want::Last),
        };
        if let Some(end) = end {
            self.cut = Cut {
                elements: self.elements.at_cut(),
                column: column_after(self.column, &chunk[..end]),
            };
        }
        let n_seen = end.filter(|_| want == Want::First).unwrap_or(chunk.len());
        self.column = column_after(self.column, &chunk[..n_seen]);
        end
    }
}

/// The characters since the last line break after `bytes`, if there were
/// `column` of them before.
pub(super) fn column_after(column: u64, bytes: &[u8]) -> u64 {
    match memchr::memrchr(b'\n', bytes) {
        Some(newline) => count_characters(&bytes[newline + 1..]),
        None => column + count_characters(bytes),
    }
}

/// Counts the characters of a stretch of UTF-8: the bytes that begin one.
fn count_characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64
}
