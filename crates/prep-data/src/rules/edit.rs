//! Repairs, as replacements of stretches of a line.
//!
//! A rule that can repair what it finds says so in edits of the line's bytes.
//! So what is not wrong stays as it was written, and the difference that
//! `prep fix --diff` shows is the repair and nothing else.

use std::ops::Range;

/// A stretch of a line and what is to stand there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub range: Range<usize>,
    /// What replaces them.
    pub text: Vec<u8>,
}

impl Edit {
    /// Puts `text` in the place of a stretch.
    #[must_use]
    pub fn replace(range: Range<usize>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }

    /// Removes a stretch.
    #[must_use]
    pub fn remove(range: Range<usize>) -> Self {
        Self::replace(range, Vec::new())
    }

    /// Puts `text` before the byte at `at`.
    #[must_use]
    pub fn insert(at: usize, text: impl Into<Vec<u8>>) -> Self {
        Self::replace(at..at, text)
    }
}

/// Carries out repairs, each a set of edits that belong together.
///
/// A repair that touches what an earlier one has changed is left for the next
/// round: the caller checks the result again. Returns the new line and which
/// repairs were carried out.
#[must_use]
pub fn apply(line: &[u8], repairs: &[&[Edit]]) -> (Vec<u8>, Vec<bool>) {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut done = Vec::with_capacity(repairs.len());
    for repair in repairs {
        let is_free = repair
            .iter()
            .all(|edit| taken.iter().all(|other| !clash(edit, other)));
        if is_free {
            taken.extend(repair.iter());
        }
        done.push(is_free);
    }
    taken.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    for edit in taken {
        out.extend_from_slice(&line[at..edit.range.start]);
        out.extend_from_slice(&edit.text);
        at = edit.range.end;
    }
    out.extend_from_slice(&line[at..]);
    (out, done)
}

/// Whether two edits cannot both be carried out: they share a byte, or touch,
/// so that the order of their texts would matter.
fn clash(one: &Edit, other: &Edit) -> bool {
    one.range.start <= other.range.end && other.range.start <= one.range.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_that_clash_wait() {
        let first = [Edit::replace(0..1, "A"), Edit::remove(4..5)];
        let second = [Edit::insert(3, "-")];
        let third = [Edit::replace(4..6, "x")];
        let (line, done) = apply(b"abcdef", &[&first, &second, &third]);
        assert_eq!(String::from_utf8(line).unwrap(), "Abc-df");
        assert_eq!(done, [true, true, false]);
    }
}
