//! How the pieces of a vocabulary come about.
//!
//! SentencePiece joins two neighbours whenever their joint text is a piece, the
//! best-scored first and the leftmost of equals. It looks at texts; but which
//! two neighbours give a piece is known beforehand. What happens inside the
//! stretch that becomes a piece does not depend on what stands around it, as
//! nothing crosses its ends before it is whole. So the piece is always made
//! from the same two parts: those that its own text, tokenized alone, comes to
//! last. A piece whose text comes to more than two parts is never made at all.
//! That leaves one pair for each piece, where a table of all ways to cut the
//! pieces in two would have more than twice as many.

use std::collections::HashMap;

use super::merge::{Merger, Merges};
use super::model::{Kind, ModelError, Piece};
use super::special::Specials;

/// How `▁`, which stands for a space, and a space itself are both known here.
pub(super) const SPACE: char = ' ';
pub(super) const ESCAPED: char = '\u{2581}';

/// A piece made by merging, or the character it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Char(char),
    /// The two symbols that give it.
    Pair(u32, u32),
    /// No text comes to it.
    Never,
}

/// A vocabulary without its user-defined pieces.
///
/// A symbol is a number for a piece inside the tokenizer: normal pieces by
/// descending score, then the 256 byte pieces. So the better of two merges is
/// the one with the lower symbol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    pub(super) parts: Vec<Part>,
    /// The id of each symbol, those of the bytes last.
    pub(super) ids: Vec<u32>,
}

/// The most symbols for which a merge fits into one number of 64 bits.
pub(super) const MAX_SYMBOLS: usize = 1 << 21;

/// Bounds what is looked at again and again in a text that only begins like a
/// user-defined piece.
const MAX_SPECIAL_BYTES: usize = 1024;

impl Recipe {
    /// Works out how each piece is made, and what is looked for beforehand.
    /// Takes less than 0.5 s for 262,144 pieces.
    pub(super) fn of(pieces: &[Piece<'_>]) -> Result<(Self, Specials), ModelError> {
        if pieces.len() + 256 > MAX_SYMBOLS {
            return Err(ModelError::Unsupported {
                what: "more than two million pieces",
            });
        }
        let numbered = || (0_u32..).zip(pieces);
        let of_kind = |kind| numbered().filter(move |(_, piece)| piece.kind == kind);

        if of_kind(Kind::UserDefined).any(|(_, piece)| piece.text.len() > MAX_SPECIAL_BYTES) {
            return Err(ModelError::Unsupported {
                what: "a user-defined piece longer than 1,024 bytes",
            });
        }
        let mut seen = HashMap::with_capacity(pieces.len());
        for piece in pieces {
            if seen.insert(piece.text, piece.kind).is_some() {
                return Err(ModelError::Repeated {
                    piece: piece.text.to_owned(),
                });
            }
        }

        let mut normal: Vec<_> = of_kind(Kind::Normal).collect();
        normal.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        if normal
            .windows(2)
            .any(|two| two[0].1.score == two[1].1.score)
        {
            return Err(ModelError::Unsupported {
                what: "pieces with equal scores",
            });
        }
        let texts: Vec<_> = normal.iter().map(|(_, piece)| piece.text).collect();
        let mut ids: Vec<_> = normal.iter().map(|(id, _)| *id).collect();
        ids.extend(byte_ids(&seen, pieces)?);
        let specials = Specials::of(of_kind(Kind::UserDefined).map(|(id, piece)| (piece.text, id)));
        let parts = parts(&texts)?;
        Ok((Self { parts, ids }, specials))
    }
}

fn byte_ids(seen: &HashMap<&str, Kind>, pieces: &[Piece<'_>]) -> Result<Vec<u32>, ModelError> {
    let mut by_name = HashMap::with_capacity(256);
    for (id, piece) in (0_u32..).zip(pieces) {
        if piece.kind == Kind::Byte {
            by_name.insert(piece.text, id);
        }
    }
    let ids: Option<Vec<_>> = (0..256)
        .map(|byte| format!("<0x{byte:02X}>"))
        .map(|name| by_name.get(name.as_str()).copied())
        .collect();
    // A character that were also a reserved piece would get that one's id.
    let reserved = seen.iter().filter(|(_, kind)| **kind == Kind::Reserved);
    let is_char = |text: &str| text.chars().nth(1).is_none();
    if reserved.into_iter().any(|(text, _)| is_char(text)) {
        return Err(ModelError::Unsupported {
            what: "a control piece of one character",
        });
    }
    ids.ok_or(ModelError::Unsupported {
        what: "no piece for some bytes",
    })
}

/// Works out the parts of pieces that are given by descending score.
///
/// From short to long: what a text comes to, short of becoming one piece,
/// depends on shorter pieces only.
fn parts(texts: &[&str]) -> Result<Vec<Part>, ModelError> {
    let mut parts = vec![Part::Never; texts.len()];
    let mut symbols = HashMap::new();
    for (symbol, text) in (0_u32..).zip(texts) {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            let c = if c == ESCAPED { SPACE } else { c };
            if text.starts_with(SPACE) {
                // Never met: in a text all spaces have become `▁`.
                continue;
            }
            symbols.insert(c, symbol);
            parts[symbol as usize] = Part::Char(c);
        }
    }
    let mut by_length: Vec<_> = (0_u32..)
        .zip(texts)
        .filter(|(symbol, text)| parts[*symbol as usize] == Part::Never && !text.contains(SPACE))
        .map(|(symbol, text)| (text.chars().count(), symbol))
        .collect();
    by_length.sort_unstable();
    let mut merges = Merges::with_capacity(texts.len());
    let mut merger = Merger::default();
    for (_, symbol) in by_length {
        let chars = texts[symbol as usize].chars();
        let chars = chars.map(|c| if c == ESCAPED { SPACE } else { c });
        merger.symbols.clear();
        for c in chars {
            let Some(symbol) = symbols.get(&c) else {
                return Err(ModelError::Unsupported {
                    what: "a piece with a character that is no piece",
                });
            };
            merger.symbols.push(*symbol);
        }
        if let [left, right] = *merger.merge(&merges) {
            merges.insert(left, right, symbol);
            parts[symbol as usize] = Part::Pair(left, right);
        }
    }
    Ok(parts)
}
