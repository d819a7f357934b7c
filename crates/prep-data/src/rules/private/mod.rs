//! Rules about secrets and personal data: what must not be learnt, and is not
//! shown here either.
//!
//! A model that has learnt a key or an address may tell it to anyone. What
//! these rules find is told by [`Report::secret`](super::Report::secret), which
//! keeps it out of the windows of every finding of the line; messages hold a
//! mask.

pub(super) mod api_key;
pub(super) mod email_address;
pub(super) mod iban;
pub(super) mod payment_card;
pub(super) mod phone_number;
#[cfg(test)]
mod tests;

use super::text::head;

/// Whether a byte is of a word of ASCII, if there is one.
fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
