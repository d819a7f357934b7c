//! Sources, examples and the parallel pipeline between them.
//!
//! Three nouns carry the crate. A **source** is an input file of some format,
//! cut into batches on one thread. A **record** is one unit of it: a table
//! row, a segment pair, a conversation. An **example** is one line of a Gemini
//! tuning dataset. [`pipeline::convert`] takes the first to the last, in
//! parallel, in input order and in bounded memory.
//!
//! The rooms, and what each may use, are drawn in `ARCHITECTURE.md`; a test
//! holds the arrows.

pub mod diag;
pub mod example;
pub mod io;
pub mod json;
pub mod pipeline;
pub mod source;
pub mod text;
