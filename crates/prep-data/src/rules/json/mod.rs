//! Rules about lines and JSON: what the service cannot even parse.

pub(super) mod blank_line;
pub(super) mod byte_order_mark;
pub(super) mod duplicate_key;
pub(super) mod json_number;
pub(super) mod json_syntax;
pub(super) mod json_too_deep;
pub(super) mod line_too_long;
pub(super) mod lone_surrogate;
pub(super) mod not_an_object;
pub(super) mod not_utf_8;
pub(super) mod truncated_line;
