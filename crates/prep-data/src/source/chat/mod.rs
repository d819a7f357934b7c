//! Conversations in JSON: OpenAI chat, ShareGPT, Alpaca, pairs, Gemini.
//!
//! One file knows each shape; what they share is a [`Draft`](draft::Draft), to
//! which turns are added in order and which knows what Gemini tuning asks of
//! a conversation. How the file is laid out (lines, one array, values over
//! several lines) is apart from that, in [`frame`]. Texts are borrowed from
//! the block unless they have escapes.
//!
//! What has no equivalent is never dropped in silence:
//!
//! - A system turn after the first user turn is moved to the system
//!   instruction, with a note (S029).
//! - Fields that Gemini tuning does not know are left out, with one note a
//!   record that names them (S027). A field that is `null` is not there.
//! - Consecutive tool results become parts of one turn, as the service wants
//!   them. Any other two turns of one role are a reject (S022): whether they
//!   are to be joined, and with what between them, is for the user to say.
//! - What only looks like a conversation (an unknown role, a call whose
//!   arguments are no object, media inside the line) is a reject, never a
//!   guess.

mod alpaca;
mod calls;
#[cfg(feature = "parquet")]
mod columns;
mod copied;
mod decode;
mod draft;
mod frame;
mod gemini;
mod media;
mod openai;
mod pair;
mod plain;
mod shape;
mod sharegpt;
mod table;
mod tools;

use std::sync::Arc;

#[cfg(feature = "parquet")]
pub(super) use self::columns::{Objects, of_columns};
pub(crate) use self::decode::json_code;
use self::decode::{ChatBatch, Reading, Skipped};
use self::frame::{ChatCutter, Cut, Frame};
use super::blocks::{Blocks, Piece};
use super::{Batch, Format, Opened, Options, Source, SourceError, text};
use crate::io::{Cause, Input};

/// Opens a JSON file of conversations, or of rows if the caller wants those.
///
/// # Errors
///
/// When it cannot be read, is empty, or its shape cannot be told.
pub(crate) fn open(input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let text = text::open(input, options.encoding).map_err(SourceError::read(&name))?;
    let malformed = |cause: String| {
        let format = options.format.unwrap_or(Format::PromptCompletion);
        SourceError::malformed(&name, format, cause)
    };
    if text.is_whole && text.head.trim_ascii().is_empty() {
        return Err(malformed("it is empty".into()));
    }
    let frame = Frame::of(&text.head);
    let mut decisions: Vec<_> = text.decision.into_iter().collect();
    decisions.extend(frame.decision().map(Into::into));
    let format = choose(&text.head, frame, options, &mut decisions).map_err(|cause| {
        SourceError::Unknown {
            name: name.clone(),
            cause: Cause(cause),
        }
    })?;
    let columns = if options.json_as_table {
        Some(table::columns(&text.head, frame).map_err(&malformed)?)
    } else {
        None
    };
    let reading = Arc::new(Reading {
        format,
        columns: columns.as_ref().map(|columns| columns.names.clone()),
        record_limit: options.record_limit,
    });
    let cutter = ChatCutter::new(frame);
    let source = ChatSource {
        name: name.clone(),
        frame,
        cut: cutter.cut().clone(),
        blocks: Blocks::new(
            text.reader,
            cutter,
            options.block_bytes,
            options.record_limit,
        ),
        reading,
        ahead: None,
    };
    Ok(Opened {
        format,
        names: vec![name],
        columns,
        decisions,
        source: Box::new(source),
    })
}

/// The format the options name, or else the one the first records show.
fn choose(
    head: &[u8],
    frame: Frame,
    options: &Options,
    decisions: &mut Vec<String>,
) -> Result<Format, String> {
    if let Some(format) = options.format.filter(|format| format.is_json()) {
        return Ok(format);
    }
    match shape::of(head, frame) {
        Some(_) | None if options.json_as_table => Ok(Format::PromptCompletion),
        Some(shape) => {
            decisions.push(shape.evidence("key"));
            Ok(shape.format)
        }
        None => Err(shape::unknown(head, frame)),
    }
}

#[derive(Debug)]
struct ChatSource {
    name: String,
    frame: Frame,
    blocks: Blocks<ChatCutter>,
    /// Where the scan stood before the piece that is taken next.
    cut: Cut,
    reading: Arc<Reading>,
    /// What was taken ahead: whether a piece is the last of the input is known
    /// once there is no other.
    ahead: Option<Result<Option<(Cut, Piece)>, SourceError>>,
}

impl ChatSource {
    /// Takes the next piece, with the place at which it begins.
    fn take(&mut self) -> Result<Option<(Cut, Piece)>, SourceError> {
        let piece = self.blocks.next().map_err(SourceError::read(&self.name))?;
        let after = self.blocks.cutter().cut().clone();
        let before = std::mem::replace(&mut self.cut, after);
        Ok(piece.map(|piece| (before, piece)))
    }

    fn batch(&self, cut: Cut, piece: Piece, is_last: bool) -> Box<dyn Batch> {
        let reading = Arc::clone(&self.reading);
        match piece {
            Piece::Records(block) => Box::new(ChatBatch {
                block,
                frame: self.frame,
                cut,
                is_last,
                reading,
            }),
            Piece::TooLong {
                head,
                bytes,
                newlines,
            } => Box::new(Skipped {
                head,
                bytes,
                newlines,
                cut,
                reading,
            }),
        }
    }
}

impl Source for ChatSource {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        let taken = self.ahead.take().unwrap_or_else(|| self.take());
        let Some((cut, piece)) = taken? else {
            return Ok(None);
        };
        // An error of reading on is told after what was read before it.
        let after = self.take();
        let is_last = matches!(after, Ok(None));
        self.ahead = Some(after);
        Ok(Some(self.batch(cut, piece, is_last)))
    }
}

#[cfg(test)]
mod tests;
