//! The crate against a scripted server on loopback: each request, with each
//! failure in the script. Nothing leaves the machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod credentials;
mod emulator;
mod server;
mod upload;
