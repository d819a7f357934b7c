use super::*;
use crate::source::contract::{self, Seen};

fn options(format: Format) -> Options {
    Options {
        format: Some(format),
        ..Options::default()
    }
}

/// Reads a file of one line and writes what it gives: its example, and each
/// note and reject as `code@line:column`.
fn one(line: &str, options: &Options) -> String {
    let seen = contract::read(line.as_bytes(), &open, options).unwrap();
    let written: Vec<_> = seen.iter().map(written).collect();
    written.join(" ")
}

fn written(seen: &Seen) -> String {
    match seen {
        Seen::Chat { jsonl, .. } => jsonl.clone(),
        Seen::Row { cells, .. } => format!("{cells:?}"),
        Seen::Reject { code, at, .. } | Seen::Note { code, at } => {
            let kind = if matches!(seen, Seen::Note { .. }) {
                "note "
            } else {
                ""
            };
            format!("{kind}{code}@{}:{}", at.line, at.column)
        }
    }
}

/// A table of one format: a line and what it gives. A `➤` in the line is no
/// part of it but the place that is expected where `➤` stands behind a code.
fn check(format: Format, input: &str, expected: &str) {
    let (input, expected) = placed(input, expected);
    assert_eq!(one(&input, &options(format)), expected, "{input}");
    contract::holds(input.as_bytes(), &open, &options(format));
}

fn placed(input: &str, expected: &str) -> (String, String) {
    let before = input.split('➤').next().unwrap_or_default();
    let (line, column) = crate::json::column_of(input.as_bytes(), before.len());
    let place = format!("@{}:{column}", line + 1);
    assert_eq!(input.contains('➤'), expected.contains('➤'), "{input}");
    (input.replace('➤', ""), expected.replace('➤', &place))
}

/// The line of an example of user and model turns in turn.
fn line(texts: &[&str]) -> String {
    let mut out = Vec::new();
    let roles = [crate::example::Role::User, crate::example::Role::Model];
    let turns = texts.iter().zip(roles.into_iter().cycle());
    let contents = turns.map(|(&text, role)| crate::example::Content::text(role, text));
    let example = crate::example::Example {
        contents: contents.collect(),
        ..crate::example::Example::default()
    };
    crate::example::write::line(&example, &mut out);
    String::from_utf8(out).unwrap().trim_end().to_owned()
}

mod alpacas;
#[cfg(feature = "parquet")]
mod columns;
mod fixtures;
mod frames;
mod geminis;
mod laws;
mod openais;
mod real;
mod sharegpts;

/// The format that the keys of the first records show.
fn detect(text: &str) -> Option<Format> {
    let head = text.as_bytes();
    shape::of(head, Frame::of(head)).map(|shape| shape.format)
}
