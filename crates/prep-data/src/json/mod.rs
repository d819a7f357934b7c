//! Strict JSON, read once, with places.
//!
//! Chat files are converted and datasets are validated on top of this reader.
//! It is our own, and neither simd-json nor the tree of `serde_json`, because
//! both jobs need what those give away for speed or convenience:
//!
//! - the byte offset of every value and key, and of every error;
//! - duplicate keys, which a service may read differently than we do;
//! - numbers as they are written: `1.10` stays `1.10`;
//! - the input unmodified, so that what is rejected can be quoted;
//! - a bounded depth ([`DEPTH_LIMIT`]) and no recursion while parsing;
//! - reasons in words: what was expected and what was found.
//!
//! A [`Document`] is a tape of offsets that is reused from text to text, so a
//! thread that reads a batch allocates for its longest line only. A [`Value`]
//! is a place on the tape; the strings it gives borrow from the text and
//! outlive the tape. [`Elements`] finds where the elements of a big array or
//! of concatenated values end, so that a file can be cut into batches before
//! anything is parsed. Nothing here touches a file.
//!
//! ```
//! use prep_data::json::{Document, column_of};
//!
//! let mut document = Document::new();
//! let value = document.parse(br#"{"price": 1.10, "name": "caf\u00e9"}"#)?;
//! let price = value.get("price").expect("it is there");
//! assert_eq!((price.as_number(), price.offset()), (Some("1.10"), 10));
//!
//! let text = b"{\"a\": 1,\n \"b\" 2}";
//! let error = document.parse(text).expect_err("a colon is missing");
//! assert_eq!(error.message(), "expected `:` after a key, found `2`");
//! assert_eq!(column_of(text, error.offset), (1, 6));
//! # Ok::<(), prep_data::json::Error>(())
//! ```

mod compact;
mod elements;
mod error;
mod parse;
mod string;
mod value;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod suite;

pub use compact::compact;
pub use elements::{Elements, Fault, Piece, Pieces, Want};
pub use error::{Error, ErrorKind, column_of};
pub use parse::{DEPTH_LIMIT, Document};
pub(crate) use string::{find_special, loosely_unescape, unescape};
pub use value::{Entries, Items, Key, Kind, Value};
