//! The codes of what only a whole dataset shows: examples that repeat each
//! other, or contradict each other.
//!
//! They are warnings about examples that are well formed. An example that is
//! left out for one of them is `dropped` in the ledger, and stands in the
//! rejects with its code.

use super::{Code, Level};

/// `D001`: an example that says, byte for byte, what another says.
pub static D001: Code = Code {
    code: "D001",
    name: "exact-duplicate",
    level: Level::Warn,
    hint: "keep one of them: a model learns a repeated example by heart",
};

/// `D002`: an example, or its prompt, that the validation set has, too.
pub static D002: Code = Code {
    code: "D002",
    name: "validation-leakage",
    level: Level::Error,
    hint: "remove it from one of the two files, or let `prep split` make them",
};

/// `D003`: an example that differs from another in case, spacing or
/// typography only.
pub static D003: Code = Code {
    code: "D003",
    name: "normalised-duplicate",
    level: Level::Warn,
    hint: "keep the one that is spelled as the model should write",
};

/// `D004`: an example that shares most of its text with another.
pub static D004: Code = Code {
    code: "D004",
    name: "near-duplicate",
    level: Level::Warn,
    hint: "keep one of them, or both if what differs is what is to be learnt",
};

/// `D005`: the same prompt and system instruction with different answers.
pub static D005: Code = Code {
    code: "D005",
    name: "conflicting-answers",
    level: Level::Warn,
    hint: "decide on one answer, or say in the prompt what makes the difference",
};

/// `D006`: an example of a source that a mixture has no room for.
pub static D006: Code = Code {
    code: "D006",
    name: "not-drawn",
    level: Level::Allow,
    hint: "raise the weight of its source, or the total",
};

/// The codes that no rule has: only a mixture is told them.
pub static MIX_CODES: &[&Code] = &[&D006];
