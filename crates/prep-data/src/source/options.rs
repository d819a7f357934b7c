//! What a caller decides about a source before it is opened.

use std::fmt;

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma- or semicolon-separated values (RFC 4180).
    Csv,
    /// Tab-separated values, with CSV quoting.
    Tsv,
    /// Two text files whose lines correspond.
    Moses,
    /// Translation Memory eXchange 1.4.
    Tmx,
    /// XLIFF 1.2 and 2.x.
    Xliff,
    /// gettext PO.
    Po,
    /// Apache Parquet.
    Parquet,
    /// An Excel workbook.
    Xlsx,
    /// OpenAI chat fine-tuning: `messages`.
    OpenAi,
    /// ShareGPT: `conversations` of `from` and `value`.
    ShareGpt,
    /// Alpaca: `instruction`, `input`, `output`.
    Alpaca,
    /// `prompt` and `completion`, and the two older Google shapes.
    #[serde(rename = "prompt-completion")]
    PromptCompletion,
    /// Gemini `contents`, also inside a batch `request`.
    Gemini,
}

impl Format {
    /// Every format with the name the command line gives it.
    pub const NAMES: [(Self, &'static str); 13] = [
        (Self::Csv, "csv"),
        (Self::Tsv, "tsv"),
        (Self::Moses, "moses"),
        (Self::Tmx, "tmx"),
        (Self::Xliff, "xliff"),
        (Self::Po, "po"),
        (Self::Parquet, "parquet"),
        (Self::Xlsx, "xlsx"),
        (Self::OpenAi, "openai"),
        (Self::ShareGpt, "sharegpt"),
        (Self::Alpaca, "alpaca"),
        (Self::PromptCompletion, "prompt-completion"),
        (Self::Gemini, "gemini"),
    ];

    /// The name the command line gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find_map(|&(format, name)| (format == self).then_some(name))
            .expect("every format has a name")
    }

    /// Whether records are JSON values.
    #[must_use]
    pub fn is_json(self) -> bool {
        matches!(
            self,
            Self::OpenAi | Self::ShareGpt | Self::Alpaca | Self::PromptCompletion | Self::Gemini
        )
    }
}

impl Format {
    /// Whether records are segment pairs, whose two sides need no telling.
    #[must_use]
    pub fn is_pairs(self) -> bool {
        matches!(self, Self::Moses | Self::Tmx | Self::Xliff | Self::Po)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of inline tags in translation files (`<ph>`, `<g>`, `<bpt>` …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InlineTags {
    /// They become placeholders in the text: `{1}`, `{2}` … the same number on
    /// both sides for the same tag.
    #[default]
    Keep,
    /// They are left out; the text between them stays.
    Strip,
}

/// What a caller decides. `None` and empty mean: find out, and say so.
///
/// Written as JSON it says how a source was read, so that it can be read again
/// in the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The text encoding.
    #[serde(with = "encoding_name", skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static Encoding>,
    /// The field delimiter of CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// Whether the first row of a table names its columns; `None` when that is
    /// to be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_header: Option<bool>,
    /// The language of the prompt side, where a file names languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_lang: Option<String>,
    /// The language of the answer side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tgt_lang: Option<String>,
    /// What becomes of inline tags.
    #[serde(skip_serializing_if = "is_default")]
    pub inline_tags: InlineTags,
    /// Reads JSON objects as table rows, because the caller names columns.
    #[serde(skip_serializing_if = "is_default")]
    pub json_as_table: bool,
    /// Joins two tables on this column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_column: Option<String>,
    /// Of two tables that are joined: the first one's column of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_column: Option<String>,
    /// Of two tables that are joined: the second one's column of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tgt_column: Option<String>,
    /// The sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// How much is read at once, in bytes. Any value gives the same records.
    #[serde(skip)]
    pub block_bytes: usize,
    /// The longest record that is read, in bytes. A longer one is rejected.
    #[serde(skip)]
    pub record_limit: usize,
    /// The most that may be kept of a source until it ends, in bytes.
    #[serde(skip)]
    pub memory: u64,
}

impl Options {
    /// Bytes read at once: large enough that the cost of a batch does not
    /// show, small enough that a few batches stay in the cache.
    pub const BLOCK_BYTES: usize = 256 << 10;
    /// The longest record by default: 16 MiB, some thirty times the 131,072
    /// tokens the longest example may have.
    pub const RECORD_LIMIT: usize = 16 << 20;
    /// The memory by default.
    pub const MEMORY: u64 = 1 << 30;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: None,
            encoding: None,
            delimiter: None,
            has_header: None,
            src_lang: None,
            tgt_lang: None,
            inline_tags: InlineTags::default(),
            json_as_table: false,
            id_column: None,
            src_column: None,
            tgt_column: None,
            sheet: None,
            block_bytes: Self::BLOCK_BYTES,
            record_limit: Self::RECORD_LIMIT,
            memory: Self::MEMORY,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An encoding as its name.
mod encoding_name {
    use encoding_rs::Encoding;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        encoding: &Option<&'static Encoding>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match encoding {
            Some(encoding) => serializer.serialize_str(encoding.name()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<&'static Encoding>, D::Error> {
        let Some(name) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let encoding = Encoding::for_label(name.as_bytes());
        encoding
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("`{name}` is no encoding")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        let check = |options: &Options, expected: &str| {
            let json = serde_json::to_string(options).unwrap();
            assert_eq!(json, expected);
            assert_eq!(&serde_json::from_str::<Options>(&json).unwrap(), options);
        };
        check(&Options::default(), "{}");
        let options = Options {
            format: Some(Format::PromptCompletion),
            encoding: Some(encoding_rs::GBK),
            inline_tags: InlineTags::Strip,
            tgt_lang: Some("es".into()),
            ..Options::default()
        };
        let expected = r#"{"format":"prompt-completion","encoding":"GBK","tgt_lang":"es","inline_tags":"strip"}"#;
        check(&options, expected);
    }
}
