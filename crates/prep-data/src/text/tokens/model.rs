//! A reader of SentencePiece `.model` files.
//!
//! Such a file is one protobuf message. The few fields that decide how a text
//! is cut are read here; a model that asks for something this tokenizer does
//! not do is refused by name rather than counted wrongly.

use std::fmt;

/// Why a SentencePiece model cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The bytes are not a SentencePiece model.
    #[error("not a SentencePiece model: {what} at byte {offset}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// Where, in bytes from the beginning of the file.
        offset: usize,
    },
    /// The model is of a kind that no Gemini model uses and that would be
    /// counted wrongly.
    #[error("the model has {what}, which is not supported")]
    Unsupported {
        /// The feature.
        what: &'static str,
    },
    /// Two pieces, of which only one can be meant, have the same text.
    #[error("the piece `{piece}` stands in the vocabulary twice")]
    Repeated {
        /// The text of both.
        piece: String,
    },
}

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Made by merging.
    Normal,
    /// Found in the text before anything is merged.
    UserDefined,
    /// Stands for a byte of a character without a piece.
    Byte,
    /// The unknown piece and control pieces: never found in a text.
    Reserved,
}

/// An entry of the vocabulary; its place is its id.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) score: f32,
    pub(super) kind: Kind,
}

impl fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {}", self.kind, self.text, self.score)
    }
}

const BPE: u64 = 2;

/// Reads the pieces of a model whose other settings are those of Gemini's:
/// byte-pair merges, bytes for unknown characters, and no normalisation but
/// that a space is written as `▁`.
pub(super) fn pieces(bytes: &[u8]) -> Result<Vec<Piece<'_>>, ModelError> {
    let mut pieces = Vec::new();
    // The defaults of the format, where a field is not there.
    let (mut model_type, mut byte_fallback, mut suffix) = (1, false, false);
    let (mut prefix, mut trim, mut escape, mut has_charsmap) = (true, true, true, false);
    let mut fields = Fields::of(bytes, 0);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(message)) => pieces.push(piece(message)?),
            (2, Value::Bytes(mut trainer)) => {
                while let Some(field) = trainer.next()? {
                    match field {
                        (3, Value::Number(n)) => model_type = n,
                        (24, Value::Number(n)) => suffix = n != 0,
                        (35, Value::Number(n)) => byte_fallback = n != 0,
                        _ => {}
                    }
                }
            }
            (3, Value::Bytes(mut normalizer)) => {
                while let Some(field) = normalizer.next()? {
                    match field {
                        (2, Value::Bytes(map)) => has_charsmap = !map.rest.is_empty(),
                        (3, Value::Number(n)) => prefix = n != 0,
                        (4, Value::Number(n)) => trim = n != 0,
                        (5, Value::Number(n)) => escape = n != 0,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if pieces.is_empty() {
        return Err(ModelError::Malformed {
            what: "no piece",
            offset: bytes.len(),
        });
    }
    for (is_so, what) in [
        (
            model_type != BPE,
            "no byte-pair merges (it is not a BPE model)",
        ),
        (!byte_fallback, "no byte fallback"),
        (suffix, "spaces at the end of words"),
        (has_charsmap, "a normalisation table"),
        (prefix, "a space put before each text"),
        (trim, "removal of spaces"),
        (!escape, "unescaped spaces"),
    ] {
        if is_so {
            return Err(ModelError::Unsupported { what });
        }
    }
    Ok(pieces)
}

fn piece(mut message: Fields<'_>) -> Result<Piece<'_>, ModelError> {
    let mut piece = Piece {
        text: "",
        score: 0.0,
        kind: Kind::Normal,
    };
    while let Some((number, value)) = message.next()? {
        match (number, value) {
            (1, Value::Bytes(text)) => {
                piece.text = std::str::from_utf8(text.rest).map_err(|_| ModelError::Malformed {
                    what: "a piece that is not UTF-8",
                    offset: text.offset,
                })?;
            }
            (2, Value::Float(score)) => piece.score = score,
            (3, Value::Number(kind)) => {
                piece.kind = match kind {
                    1 => Kind::Normal,
                    2 | 3 => Kind::Reserved,
                    4 => Kind::UserDefined,
                    5 => {
                        return Err(ModelError::Unsupported {
                            what: "pieces marked as unused",
                        });
                    }
                    6 => Kind::Byte,
                    _ => return Err(message.malformed("a piece of an unknown type")),
                }
            }
            _ => {}
        }
    }
    if piece.text.is_empty() {
        return Err(message.malformed("a piece without text"));
    }
    Ok(piece)
}

/// The value of a field.
enum Value<'a> {
    Number(u64),
    Float(f32),
    Bytes(Fields<'a>),
    Other,
}

/// The fields of a message that are still to be read.
struct Fields<'a> {
    rest: &'a [u8],
    /// Where `rest` begins in the file.
    offset: usize,
}

impl<'a> Fields<'a> {
    fn of(rest: &'a [u8], offset: usize) -> Self {
        Self { rest, offset }
    }

    fn malformed(&self, what: &'static str) -> ModelError {
        let offset = self.offset;
        ModelError::Malformed { what, offset }
    }

    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, ModelError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Other
            }
            2 => {
                let n = self.varint()?;
                let n = usize::try_from(n).map_err(|_| self.malformed("a length out of range"))?;
                Value::Bytes(self.take(n)?)
            }
            5 => {
                let bytes = self.take(4)?.rest.first_chunk().copied();
                Value::Float(f32::from_le_bytes(bytes.unwrap_or_default()))
            }
            _ => return Err(self.malformed("an unknown wire type")),
        };
        Ok(Some((tag >> 3, value)))
    }

    fn take(&mut self, n: usize) -> Result<Fields<'a>, ModelError> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.malformed("a field longer than the file"));
        };
        let taken = Fields::of(taken, self.offset);
        *self = Fields::of(rest, self.offset + n);
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, ModelError> {
        let mut number = 0;
        for n in 0..10 {
            let byte = self.take(1)?.rest.first().copied().unwrap_or_default();
            number |= u64::from(byte & 0x7f) << (7 * n);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number without end"))
    }
}
