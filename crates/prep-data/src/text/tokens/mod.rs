//! Token counts as the service makes them, exact and fast.
//!
//! Gemini's vocabularies are SentencePiece models that merge pairs. A
//! [`Tokenizer`] gives the ids that SentencePiece gives on any text, held to it
//! by recorded and by live comparison; a [`Counter`] gives their number faster,
//! as it remembers words.
//!
//! The service counts each text by itself and adds up: `parts[].text`, the name
//! of a function call or response and, all the way down, the keys and the
//! string values of its arguments (numbers, booleans and null count nothing),
//! the texts of the system instruction, and of a tool its names, descriptions,
//! `enum` values and property keys. No token is counted for a role, a turn or
//! the beginning. So a sum of [`Counter::count`] is what is billed.
//!
//! A count is at most the text's length in bytes, whatever the vocabulary: a
//! text of no more bytes than a limit has tokens needs no counting.
//!
//! How it is fast: a text is cut between characters that stand beside each
//! other in no piece ([`vocabulary::Joins`]), so nothing can merge across the
//! cut; what is between two cuts is looked up among the words met before
//! ([`counter`]), and merged only when it is new ([`merge`]), with one pair for
//! each piece ([`recipe`]). All of it is derived from the model.

mod counter;
mod estimate;
mod merge;
mod model;
mod models;
mod packed;
mod recipe;
mod special;
mod vocabulary;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use counter::Counter;
pub use estimate::{Estimate, estimate};
pub use model::ModelError;
pub use models::{AS_OF, Basis, Choice, for_model};
pub use packed::{PackError, pack};

use merge::Merger;
use recipe::Recipe;
use special::Specials;
use vocabulary::{Inner, Vocabulary};

/// A vocabulary, ready to cut texts into tokens.
#[derive(Debug)]
pub struct Tokenizer {
    name: String,
    vocabulary: Arc<Vocabulary>,
    specials: Specials,
    inner: Inner,
}

/// A stretch of a text that no token crosses the ends of.
enum Span {
    /// A user-defined piece, by its id.
    Special(u32),
    /// From one byte to another.
    Word { start: usize, end: usize },
}

impl Tokenizer {
    /// Reads a SentencePiece `.model` file. Takes less than 0.5 s for
    /// 262,144 pieces.
    ///
    /// # Errors
    ///
    /// When the bytes are not such a file, or when the model is of another kind
    /// than those of Gemini: it must be BPE with byte fallback and without
    /// normalisation.
    pub fn from_model(name: &str, bytes: &[u8]) -> Result<Self, ModelError> {
        let (recipe, specials) = Recipe::of(&model::pieces(bytes)?)?;
        let vocabulary = Arc::new(Vocabulary::build(recipe));
        Ok(Self::new(name, vocabulary, specials))
    }

    fn new(name: &str, vocabulary: Arc<Vocabulary>, specials: Specials) -> Self {
        Self {
            name: name.to_owned(),
            inner: vocabulary.joins.inner(|byte| specials.is_first(byte)),
            vocabulary,
            specials,
        }
    }

    /// The vocabulary of Gemini 2.0, 2.5 and the first previews of 3. The
    /// first call unpacks it, in some 20 ms.
    #[must_use]
    pub fn gemma3() -> &'static Self {
        &packed::embedded()[0]
    }

    /// The vocabulary of Gemini 3.1 and 3.5: the same as [`Self::gemma3`] but
    /// for the names of some reserved pieces. The first call unpacks it, in
    /// some 20 ms.
    #[must_use]
    pub fn gemma4() -> &'static Self {
        &packed::embedded()[1]
    }

    /// What the vocabulary is called: `gemma3`, `gemma4`, or as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes a counter for one thread.
    #[must_use]
    pub fn counter(&self) -> Counter<'_> {
        Counter::new(self)
    }

    /// Appends the ids of a text's tokens, without any for its beginning or
    /// end. Takes n log n for n bytes, whatever is in them.
    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        let mut merger = Merger::default();
        self.each_span(text, |span| match span {
            Span::Special(id) => ids.push(id),
            Span::Word { start, end } => {
                let symbols = self.vocabulary.merge(&text[start..end], &mut merger);
                let of_symbol = |symbol: &u32| self.vocabulary.ids[*symbol as usize];
                ids.extend(symbols.iter().map(of_symbol));
            }
        });
    }

    /// Cuts a text into user-defined pieces and the words between them.
    #[inline]
    fn each_span(&self, text: &str, mut each: impl FnMut(Span)) {
        let bytes = text.as_bytes();
        let mut start = 0;
        let mut at = 0;
        while at < bytes.len() {
            if let Some((id, n)) = self.specials.longest(&bytes[at..]) {
                if start < at {
                    each(Span::Word { start, end: at });
                }
                each(Span::Special(id));
                at += n;
                start = at;
                continue;
            }
            let joins = &self.vocabulary.joins;
            if start < at && !joins.may_join(&text[start..at], &text[at..]) {
                each(Span::Word { start, end: at });
                start = at;
            }
            let mut pairs = bytes[at..].windows(2);
            let n = pairs.position(|two| !self.inner.has(two[0], two[1]));
            at = n.map_or(bytes.len(), |n| at + n + 1);
        }
        if start < at {
            each(Span::Word { start, end: at });
        }
    }
}
