//! Strict JSON, read once, with places.
