//! Rows of another format whose columns are a conversation.

use super::decode::{Inner, conversation, json_fault, tell};
use super::shape;
use crate::diag::{Finding, Position};
use crate::json::Document;
use crate::source::{Data, Format, Item, Record, Reject};

/// The format of which the rows of a table are records, and what spoke for it.
///
/// A column of text that is called like a conversation is none, and a pair of
/// texts is a row like any other. Alpaca's three texts are not: what becomes
/// of an empty `input` is known here only.
pub(in crate::source) fn of_columns(
    names: &[String],
    is_text: impl Fn(&str) -> bool,
) -> Option<(Format, String)> {
    let shape = shape::of_keys(names)?;
    let is_table = shape.format != Format::Alpaca && shape.keys.iter().all(|key| is_text(key));
    (!is_table).then(|| (shape.format, shape.evidence("column")))
}

/// Reads the rows of a table as conversations, each from a JSON object.
#[derive(Debug)]
pub(in crate::source) struct Objects {
    format: Format,
    document: Document,
    inner: Inner,
}

impl Objects {
    pub(in crate::source) fn new(format: Format) -> Self {
        Self {
            format,
            document: Document::new(),
            inner: Inner::default(),
        }
    }

    /// Decodes one object into its notes and then a record or a reject;
    /// `position` tells the place of a byte of the object.
    pub(in crate::source) fn decode(
        &mut self,
        raw: &[u8],
        line: u64,
        position: &dyn Fn(usize) -> Position,
        each: &mut dyn FnMut(Item<'_>),
    ) {
        let parsed = self.document.parse(raw);
        let read = parsed
            .map_err(|error| json_fault(&error, raw, false))
            .and_then(|record| conversation(record, self.format, &mut self.inner));
        match read {
            Ok(draft) => {
                tell(&draft.notes, position, each);
                let data = Data::Chat(draft.example);
                each(Item::Record(Record::new(line, raw, data)));
            }
            Err(fault) => {
                let finding = Finding::new(fault.code, position(fault.at), fault.message);
                each(Item::Reject(Reject { line, finding, raw }));
            }
        }
    }
}
