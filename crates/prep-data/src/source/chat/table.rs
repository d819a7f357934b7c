//! Objects as the rows of a table.
//!
//! The keys of the first object are the columns. Texts are cells as they are,
//! numbers as they are written, `null` and keys that are missing are empty
//! cells, and what is nested is compact JSON. Whether an empty cell can make
//! an example is for the template that uses it.

use std::borrow::Cow;

use super::calls;
use super::draft::{Fault, Note};
use super::frame::Frame;
use super::shape::quoted;
use crate::diag::{S019, S027};
use crate::json::{Document, Kind, Value};
use crate::source::Columns;

/// The columns that the first object gives.
pub(super) fn columns(head: &[u8], frame: Frame) -> Result<Columns, String> {
    let mut document = Document::new();
    for record in frame.candidates(head) {
        let Ok(value) = document.parse(record) else {
            continue;
        };
        if value.kind() == Kind::Object {
            let names = value.entries().map(|(key, _)| key.text.into_owned());
            return Ok(Columns {
                names: names.collect(),
                named: true,
                sides: None,
            });
        }
    }
    Err("its first records are no JSON objects, so it has no columns".into())
}

/// Fills the cells of a row and tells which keys have no column.
pub(super) fn row<'a>(
    record: Value<'_, 'a>,
    columns: &[String],
    cells: &mut Vec<Cow<'a, str>>,
) -> Result<Vec<Note>, Fault> {
    if record.kind() != Kind::Object {
        let message = format!("expected an object, found {}", record.kind().as_str());
        return Err(Fault::new(&S019, record.offset(), message));
    }
    cells.clear();
    cells.resize(columns.len(), Cow::Borrowed(""));
    let mut strangers = Vec::new();
    for (n, (key, value)) in record.entries().enumerate() {
        let is_in_place = columns.get(n).is_some_and(|name| *name == key.text);
        let column = if is_in_place {
            Some(n)
        } else {
            columns.iter().position(|name| *name == key.text)
        };
        match column {
            Some(column) => cells[column] = cell(value),
            None => strangers.push(key),
        }
    }
    let Some(first) = strangers.first() else {
        return Ok(Vec::new());
    };
    let names: Vec<_> = strangers
        .iter()
        .take(8)
        .map(|key| quoted(&key.text))
        .collect();
    let more = if strangers.len() > names.len() {
        " and more"
    } else {
        ""
    };
    let message = format!(
        "left out {}{more}: the first object has no such key",
        names.join(", ")
    );
    Ok(vec![Note::new(&S027, first.offset, message)])
}

fn cell<'a>(value: Value<'_, 'a>) -> Cow<'a, str> {
    match value.kind() {
        Kind::String => value.as_str().unwrap_or_default(),
        Kind::Null => Cow::Borrowed(""),
        Kind::Bool | Kind::Number => Cow::Borrowed(value.raw()),
        Kind::Array | Kind::Object => calls::json_text(value).into(),
    }
}
