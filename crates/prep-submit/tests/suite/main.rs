//! The crate against a scripted server on loopback: each request, with each
//! failure in the script. Nothing leaves the machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod client;
mod credentials;
mod doctor;
mod emulator;
mod server;
mod speed;
mod upload;
