//! The emulator over HTTP, by a client that shares nothing with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "service/client.rs"]
mod client;
#[path = "service/description.rs"]
mod description;
#[path = "service/faults.rs"]
mod faults;
#[path = "service/official.rs"]
mod official;
#[path = "service/storage.rs"]
mod storage;
#[path = "service/tokens.rs"]
mod tokens;
#[path = "service/vertex.rs"]
mod vertex;
