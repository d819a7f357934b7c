//! The vocabularies that come with `prep`, in one compressed file.
//!
//! Gemma 3 and Gemma 4 have the same ordinary pieces, so these are stored once,
//! as the pair each is made from rather than as text; then come the
//! user-defined pieces of each. Made by `cargo xtask vocabulary`.
//!
//! The layout, before zstd, all numbers little-endian: how many pieces (u32);
//! the left part of each, then the right, three planes of bytes each, lowest
//! first (a character has [`CHAR`] on the left and its code point on the right,
//! a piece that is never made has [`CHAR`] on both); how many runs of ids
//! (u32), first id and length (u32 each) of each; then for each vocabulary its
//! name and how many user-defined pieces it has (u32), and id (u32) and text of
//! each. A text is its length (u32) and its bytes.

use std::sync::{Arc, OnceLock};

use super::Tokenizer;
use super::model::{self, ModelError};
use super::recipe::{ESCAPED, Part, Recipe, SPACE};
use super::special::Specials;
use super::vocabulary::Vocabulary;

/// See `vocabulary/README.md` for where it is from and its licence.
pub(super) const EMBEDDED: &[u8] = include_bytes!("../../../vocabulary/gemma.zst");

const LEVEL: i32 = 22;
const MAX_BYTES: usize = 16 << 20;
const CHAR: u32 = 0xff_ffff;

/// Why models cannot be packed into one file.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A model cannot be used at all.
    #[error("cannot use the model `{name}`")]
    Model {
        /// Which.
        name: String,
        /// Why.
        source: ModelError,
    },
    /// The ordinary pieces are not the same in all models.
    #[error("the ordinary pieces of `{name}` are not those of the first model")]
    Differs {
        /// The model that differs.
        name: String,
    },
    /// The bytes could not be compressed.
    #[error("cannot compress the vocabulary")]
    Compress(#[source] std::io::Error),
}

/// The tokenizers in the file, Gemma 3 and Gemma 4.
pub(super) fn embedded() -> &'static [Tokenizer; 2] {
    static TOKENIZERS: OnceLock<[Tokenizer; 2]> = OnceLock::new();
    TOKENIZERS.get_or_init(|| {
        let tokenizers = unpack(EMBEDDED).and_then(|all| all.try_into().ok());
        tokenizers.expect("the embedded file is what `pack` made of two models")
    })
}

/// Packs SentencePiece models, given by name and bytes, into the file that is
/// embedded. The same models give the same bytes.
///
/// # Errors
///
/// When one of the models cannot be used, or when they differ in more than
/// their user-defined pieces.
pub fn pack(models: &[(&str, &[u8])]) -> Result<Vec<u8>, PackError> {
    let mut recipes = Vec::new();
    let mut specials = Vec::new();
    for (name, bytes) in models {
        let made = model::pieces(bytes).and_then(|pieces| Recipe::of(&pieces));
        let (recipe, special) = made.map_err(|source| PackError::Model {
            name: (*name).to_owned(),
            source,
        })?;
        recipes.push(recipe);
        specials.push(special);
    }
    let mut out = Vec::new();
    for (recipe, (name, _)) in recipes.iter().zip(models) {
        if *recipe != recipes[0] {
            return Err(PackError::Differs {
                name: (*name).to_owned(),
            });
        }
    }
    if let Some(recipe) = recipes.first() {
        put_recipe(&mut out, recipe);
    }
    for (specials, (name, _)) in specials.iter().zip(models) {
        put_text(&mut out, name);
        put(&mut out, specials.pieces().count());
        let mut pieces: Vec<_> = specials.pieces().collect();
        pieces.sort_unstable_by_key(|(_, id)| *id);
        for (text, id) in pieces {
            put(&mut out, id as usize);
            put_text(
                &mut out,
                &text.replace(SPACE, ESCAPED.encode_utf8(&mut [0; 4])),
            );
        }
    }
    zstd::bulk::compress(&out, LEVEL).map_err(PackError::Compress)
}

fn put_recipe(out: &mut Vec<u8>, recipe: &Recipe) {
    put(out, recipe.parts.len());
    let pairs = recipe.parts.iter().map(|part| match *part {
        Part::Char(c) => (CHAR, c as u32),
        Part::Pair(left, right) => (left, right),
        Part::Never => (CHAR, CHAR),
    });
    let (left, right): (Vec<_>, Vec<_>) = pairs.unzip();
    for side in [left, right] {
        for plane in 0..3 {
            out.extend(side.iter().map(|n| (n >> (8 * plane)) as u8));
        }
    }
    let runs: Vec<_> = recipe.ids.chunk_by(|a, b| a + 1 == *b).collect();
    put(out, runs.len());
    for run in runs {
        put(out, run[0] as usize);
        put(out, run.len());
    }
}

fn put(out: &mut Vec<u8>, n: usize) {
    let n = u32::try_from(n).expect("a vocabulary has fewer than 2^32 of anything");
    out.extend(n.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len());
    out.extend(text.as_bytes());
}

/// Reads what [`pack`] wrote; `None` if it did not write that.
pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<Tokenizer>> {
    let bytes = zstd::bulk::decompress(bytes, MAX_BYTES).ok()?;
    let mut rest = bytes.as_slice();
    let vocabulary = Arc::new(Vocabulary::build(take_recipe(&mut rest)?));
    let mut tokenizers = Vec::new();
    while !rest.is_empty() {
        let name = take_text(&mut rest)?;
        let mut pieces = Vec::new();
        for _ in 0..take(&mut rest)? {
            let id = take(&mut rest)?;
            pieces.push((take_text(&mut rest)?, id));
        }
        let vocabulary = Arc::clone(&vocabulary);
        tokenizers.push(Tokenizer::new(name, vocabulary, Specials::of(pieces)));
    }
    Some(tokenizers)
}

/// How the embedded pieces come about.
#[cfg(test)]
pub(super) fn embedded_recipe() -> Recipe {
    let bytes = zstd::bulk::decompress(EMBEDDED, MAX_BYTES).expect("it is zstd");
    take_recipe(&mut bytes.as_slice()).expect("it begins with a recipe")
}

fn take_recipe(rest: &mut &[u8]) -> Option<Recipe> {
    let n = take(rest)? as usize;
    let planes = rest.split_off(..n.checked_mul(6)?)?;
    let plane = |at: usize| &planes[at * n..(at + 1) * n];
    let side = |first: usize| {
        let bytes = plane(first)
            .iter()
            .zip(plane(first + 1))
            .zip(plane(first + 2));
        bytes.map(|((a, b), c)| u32::from_le_bytes([*a, *b, *c, 0]))
    };
    let part = |(left, right)| match (left, right) {
        (CHAR, CHAR) => Some(Part::Never),
        (CHAR, c) => char::from_u32(c).map(Part::Char),
        (left, right) => Some(Part::Pair(left, right)),
    };
    let parts = side(0).zip(side(3)).map(part).collect::<Option<Vec<_>>>()?;
    let mut ids = Vec::with_capacity(n + 256);
    for _ in 0..take(rest)? {
        let first = take(rest)?;
        let n = take(rest)?;
        ids.extend(first..first.checked_add(n)?);
    }
    (ids.len() == n + 256).then_some(Recipe { parts, ids })
}

fn take(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let n = take(rest)? as usize;
    std::str::from_utf8(rest.split_off(..n)?).ok()
}
