//! The lines of a dataset, in batches that any thread can take apart.
//!
//! Lines count from the first of their batch, as everywhere: whoever sees the
//! batches in order adds what came before. A byte-order mark at the beginning
//! is no part of the first line; [`LineReader::has_bom`] tells that it was
//! there. A line longer than the limit is skipped in bounded memory, and is a
//! [`Line`] whose text is [`TooLong`].

use std::io;
use std::path::PathBuf;

use crate::io::{Input, InputError};
use crate::source::Options;
use crate::source::blocks::{Block, Blocks, HEAD_BYTES, Lines, Piece, count_newlines};

/// The longest line that is read, in bytes.
pub(crate) const LINE_LIMIT: usize = Options::RECORD_LIMIT;

/// How many bytes are read at once.
const BLOCK_BYTES: usize = 1 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// An input, cut into batches of whole lines.
#[derive(Debug)]
pub(crate) struct LineReader {
    blocks: Blocks<Lines>,
    /// The input as errors name it.
    path: PathBuf,
    has_bom: bool,
    /// Where the next batch begins.
    offset: u64,
}

impl LineReader {
    /// Begins to read an input.
    ///
    /// # Errors
    ///
    /// When its first bytes cannot be read.
    pub(crate) fn new(input: Input) -> Result<Self, InputError> {
        Self::with_block(input, BLOCK_BYTES)
    }

    /// Begins to read an input, `block_bytes` at a time.
    ///
    /// # Errors
    ///
    /// When its first bytes cannot be read.
    pub(crate) fn with_block(mut input: Input, block_bytes: usize) -> Result<Self, InputError> {
        let path = PathBuf::from(input.name());
        let failed = |source| InputError::Open {
            path: path.clone(),
            source,
        };
        let has_bom = input.peek(BOM.len()).map_err(failed)? == BOM;
        let mut reader = input.into_reader();
        let mut offset = 0;
        if has_bom {
            reader.read_exact(&mut [0; BOM.len()]).map_err(failed)?;
            offset = BOM.len() as u64;
        }
        Ok(Self {
            blocks: Blocks::new(reader, Lines, block_bytes, LINE_LIMIT),
            path,
            has_bom,
            offset,
        })
    }

    /// Whether the input begins with a byte-order mark.
    #[allow(dead_code, reason = "for `validate` to tell")]
    pub(crate) fn has_bom(&self) -> bool {
        self.has_bom
    }

    /// Takes the next batch off the front of the input, or `None` at its end.
    ///
    /// # Errors
    ///
    /// When the input cannot be read further.
    pub(crate) fn next(&mut self) -> Result<Option<LineBatch>, InputError> {
        let piece = self.blocks.next().map_err(|source| self.failed(source))?;
        Ok(piece.map(|piece| {
            let offset = self.offset;
            let batch = LineBatch { offset, piece };
            self.offset += batch.bytes();
            batch
        }))
    }

    fn failed(&self, source: io::Error) -> InputError {
        InputError::Open {
            path: self.path.clone(),
            source,
        }
    }
}

/// A stretch of whole lines.
#[derive(Debug)]
pub(crate) struct LineBatch {
    /// Where it begins in the input, in bytes after decompression.
    pub(crate) offset: u64,
    piece: Piece,
}

/// One line, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Lines after the batch's first.
    pub(crate) number: u64,
    /// Where it begins in the batch, in bytes.
    pub(crate) offset: u64,
    /// What it says.
    pub(crate) text: Result<LineText<'a>, TooLong<'a>>,
    /// The input ends here, and without a line end.
    pub(crate) is_unterminated: bool,
}

impl Line<'_> {
    /// Whether nothing but white space stands in it.
    pub(crate) fn is_blank(&self) -> bool {
        self.text
            .is_ok_and(|text| text.bytes().trim_ascii().is_empty())
    }
}

/// The text of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineText<'a> {
    /// UTF-8, as the whole batch is.
    Utf8(&'a str),
    /// Something in the batch is not UTF-8; perhaps this.
    Bytes(&'a [u8]),
}

impl<'a> LineText<'a> {
    /// The line as text, if it is known to be UTF-8.
    pub(crate) fn utf8(self) -> Option<&'a str> {
        match self {
            Self::Utf8(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }

    /// The bytes of the line.
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A line that was too long to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong<'a> {
    /// What it begins with.
    pub(crate) head: &'a [u8],
    /// Its length in bytes.
    pub(crate) bytes: u64,
}

impl LineBatch {
    /// How many bytes the lines and their ends have.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.piece {
            Piece::Records(block) => block.len() as u64,
            Piece::TooLong { bytes, .. } => *bytes,
        }
    }

    /// The lines as text, if all of them are UTF-8 and were read.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.piece {
            Piece::Records(block) => simdutf8::basic::from_utf8(block).ok(),
            Piece::TooLong { .. } => None,
        }
    }

    /// Gives every line to `each`, in order, and returns how many there are.
    pub(crate) fn for_each<'a>(&'a self, each: impl FnMut(Line<'a>)) -> u64 {
        let next_newline = |bytes: &[u8], at| Some(at + memchr::memchr(b'\n', &bytes[at..])?);
        self.for_each_of(self.text(), next_newline, each)
    }

    /// The same for whoever does not look at what lines say: that they are
    /// UTF-8 is not known then.
    pub(crate) fn for_each_unread<'a>(&'a self, each: impl FnMut(Line<'a>)) -> u64 {
        let next_newline = |bytes: &[u8], at| Some(at + memchr::memchr(b'\n', &bytes[at..])?);
        self.for_each_of(None, next_newline, each)
    }

    /// The same when [`LineBatch::text`] is at hand. `next_newline` is asked for
    /// the place of one newline after the other; it gets the bytes of the batch
    /// and where the line begins.
    pub(crate) fn for_each_of<'a>(
        &'a self,
        text: Option<&'a str>,
        next_newline: impl FnMut(&[u8], usize) -> Option<usize>,
        mut each: impl FnMut(Line<'a>),
    ) -> u64 {
        match &self.piece {
            Piece::Records(block) => lines_of(block, text, next_newline, &mut each),
            Piece::TooLong { head, bytes, .. } => {
                each(Line {
                    number: 0,
                    offset: 0,
                    text: Err(TooLong {
                        head,
                        bytes: *bytes,
                    }),
                    is_unterminated: false,
                });
                1
            }
        }
    }
}

impl LineBatch {
    /// Counts the lines without looking at them.
    pub(crate) fn n_lines(&self) -> u64 {
        match &self.piece {
            Piece::Records(block) => {
                let is_open = block.last().is_some_and(|&byte| byte != b'\n');
                count_newlines(block) + u64::from(is_open)
            }
            Piece::TooLong { .. } => 1,
        }
    }
}

fn lines_of<'a>(
    block: &'a Block,
    text: Option<&'a str>,
    mut next_newline: impl FnMut(&[u8], usize) -> Option<usize>,
    each: &mut impl FnMut(Line<'a>),
) -> u64 {
    let bytes: &[u8] = block;
    let (mut at, mut number) = (0, 0);
    while at < bytes.len() {
        let newline = next_newline(bytes, at);
        let end = newline.unwrap_or(bytes.len());
        let is_crlf = newline.is_some() && bytes[at..end].ends_with(b"\r");
        let range = at..end - usize::from(is_crlf);
        let line = &bytes[range.clone()];
        each(Line {
            number,
            offset: at as u64,
            text: if line.len() > LINE_LIMIT {
                Err(TooLong {
                    head: &line[..HEAD_BYTES],
                    bytes: line.len() as u64,
                })
            } else {
                Ok(match text {
                    Some(text) => LineText::Utf8(&text[range]),
                    None => LineText::Bytes(line),
                })
            },
            is_unterminated: newline.is_none(),
        });
        number += 1;
        at = end + 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line as `line:offset:text`.
    fn lines(bytes: &[u8], block_bytes: usize) -> Vec<String> {
        let input = Input::from_bytes("x", bytes.to_vec()).unwrap();
        let mut reader = LineReader::with_block(input, block_bytes).unwrap();
        let (mut first, mut lines) = (1, Vec::new());
        while let Some(batch) = reader.next().unwrap() {
            let before = first;
            first += batch.for_each(|line| {
                let text = match line.text {
                    Ok(text) => String::from_utf8_lossy(text.bytes()).into_owned(),
                    Err(long) => format!("too long, {} bytes", long.bytes),
                };
                let (number, offset) = (before + line.number, batch.offset + line.offset);
                lines.push(format!("{number}:{offset}:{text}"));
            });
            assert_eq!(first - before, batch.n_lines());
        }
        lines
    }

    #[test]
    fn lines_are_the_same_whatever_the_block() {
        let text = b"\xef\xbb\xbf{}\r\n\n{\"a\":1}\nx\xff\n\r\nlast";
        let expected = [
            "1:3:{}",
            "2:7:",
            "3:8:{\"a\":1}",
            "4:16:x\u{fffd}",
            "5:19:",
            "6:21:last",
        ];
        for block_bytes in [1, 2, 3, 5, 8, 1000] {
            assert_eq!(lines(text, block_bytes), expected, "{block_bytes}");
        }
        assert!(lines(b"", 7).is_empty());
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped() {
        let mut text = vec![b'a'; LINE_LIMIT + 1];
        text.extend_from_slice(b"\nshort\n");
        let second = LINE_LIMIT as u64 + 2;
        let expected = [
            format!("1:0:too long, {} bytes", LINE_LIMIT + 1),
            format!("2:{second}:short"),
        ];
        // In one block the line is whole; in small ones it is skipped, and its
        // end counts.
        assert_eq!(lines(&text, 64 << 20), expected);
        let skipped = lines(&text, 1 << 16);
        assert_eq!(skipped[1], expected[1]);
        assert!(skipped[0].starts_with("1:0:too long"), "{}", skipped[0]);
    }

    #[test]
    fn text_is_known_to_be_utf8_where_the_batch_is() {
        let input = Input::from_bytes("x", "é\n".into()).unwrap();
        let mut reader = LineReader::new(input).unwrap();
        let batch = reader.next().unwrap().unwrap();
        batch.for_each(|line| assert_eq!(line.text, Ok(LineText::Utf8("é"))));
    }
}
