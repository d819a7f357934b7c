//! Flags of `prep convert`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use encoding_rs::Encoding;
use prep_data::pipeline::Template;
use prep_data::source::{Format, InlineTags, Options};

use super::values;

/// Convert your files to Gemini JSONL.
///
/// Reads CSV, TSV, aligned text files, TMX, XLIFF, PO, Parquet, Excel, and chat
/// data as OpenAI, ShareGPT, Alpaca, prompt/completion or Gemini JSON; what a
/// file is, is told from its content. Files may be compressed (gzip, zstd,
/// bzip2, xz). Writes train.jsonl, and beside it where each example came from
/// (train.passport), what was done (train.manifest.json), and every record that
/// could not become an example (train.rejects.jsonl).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep convert corpus.csv
  prep convert corpus.csv --user 'Translate to Spanish: {source}' --system @style.txt
  prep convert memory.tmx --src-lang en --tgt-lang es
  prep convert corpus.en corpus.es
  prep convert english.csv spanish.csv --id-column id
  prep convert tickets.xlsx --group-column ticket --order-column time
  zcat big.csv.gz | prep convert - -o - | head -3")]
pub(crate) struct ConvertArgs {
    /// The files to convert; `-` is standard input.
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<PathBuf>,

    /// Where to write the dataset; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "train.jsonl")]
    pub(crate) output: PathBuf,

    /// What the files are.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) from: From,

    /// The prompt, made of columns: 'Translate: {source}'.
    #[arg(long, value_name = "TEMPLATE", value_parser = template)]
    pub(crate) user: Option<Template>,

    /// The answer, made of columns.
    #[arg(long, value_name = "TEMPLATE", value_parser = template)]
    pub(crate) model_text: Option<Template>,

    /// The system instruction of every example; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT|@FILE")]
    pub(crate) system: Option<String>,

    /// The column of the prompt.
    #[arg(long, value_name = "NAME", conflicts_with = "user")]
    pub(crate) src_column: Option<String>,

    /// The column of the answer.
    #[arg(long, value_name = "NAME", conflicts_with = "model_text")]
    pub(crate) tgt_column: Option<String>,

    /// Join two tables on the column of their ids: the first has the prompts,
    /// the second the answers. In templates, {source.NAME} is a column of the
    /// first and {target.NAME} one of the second.
    #[arg(long, value_name = "NAME")]
    pub(crate) id_column: Option<String>,

    /// The column of what belongs together. With a column `role` (or `from`,
    /// `speaker`, `sender`, `角色`) and one `content` (or `text`, `message`,
    /// `内容`), the rows of one group become one conversation.
    #[arg(long, value_name = "NAME")]
    pub(crate) group_column: Option<String>,

    /// The column that orders the turns of a conversation.
    #[arg(long, value_name = "NAME", requires = "group_column")]
    pub(crate) order_column: Option<String>,

    /// The language of the prompt, where a file names languages.
    #[arg(long, value_name = "LANG")]
    pub(crate) src_lang: Option<String>,

    /// The language of the answer; `es` finds `es-419`.
    #[arg(long, value_name = "LANG")]
    pub(crate) tgt_lang: Option<String>,

    /// What becomes of inline tags of TMX and XLIFF.
    #[arg(long, value_name = "HOW", default_value = "keep")]
    pub(crate) inline_tags: Tags,

    /// The character between two fields, or `tab`.
    #[arg(long, value_name = "CHAR", value_parser = values::delimiter)]
    pub(crate) delimiter: Option<u8>,

    /// The text encoding, such as utf-8, utf-16le, windows-1252, gbk.
    #[arg(long, value_name = "NAME", value_parser = values::encoding)]
    pub(crate) encoding: Option<&'static Encoding>,

    /// The first row of a table is data.
    #[arg(long)]
    pub(crate) no_header: bool,

    /// The sheet of a workbook.
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,

    /// Where to write what could not be converted, instead of beside the dataset.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// Exit with status 1 if anything was rejected.
    #[arg(long)]
    pub(crate) strict: bool,

    /// Bytes read at once. The output does not depend on it.
    #[arg(long, value_name = "SIZE", hide = true)]
    pub(crate) batch_size: Option<super::Size>,
}

impl ConvertArgs {
    /// How the sources are to be read.
    pub(crate) fn source_options(&self, memory: u64) -> Options {
        let names_columns = self.user.is_some()
            || self.model_text.is_some()
            || self.src_column.is_some()
            || self.tgt_column.is_some();
        let of_join = |column: &Option<String>| column.clone().filter(|_| self.id_column.is_some());
        let default = Options::default();
        Options {
            format: match self.from {
                From::Auto => None,
                From::Format(format) => Some(format),
            },
            encoding: self.encoding,
            delimiter: self.delimiter,
            has_header: self
                .no_header
                .then_some(false)
                .or(names_columns.then_some(true)),
            src_lang: self.src_lang.clone(),
            tgt_lang: self.tgt_lang.clone(),
            inline_tags: self.inline_tags.into(),
            json_as_table: names_columns || self.group_column.is_some(),
            id_column: self.id_column.clone(),
            src_column: of_join(&self.src_column),
            tgt_column: of_join(&self.tgt_column),
            sheet: self.sheet.clone(),
            block_bytes: self
                .batch_size
                .map_or(default.block_bytes, |size| size.0 as usize),
            memory,
            ..default
        }
    }
}

fn template(text: &str) -> Result<Template, String> {
    Template::parse(text).map_err(|error| error.to_string())
}

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// To be found out.
    Auto,
    /// This.
    Format(Format),
}

impl ValueEnum for From {
    fn value_variants<'a>() -> &'a [Self] {
        static VARIANTS: [From; 14] = {
            let mut variants = [From::Auto; 14];
            let mut n = 0;
            while n < Format::NAMES.len() {
                variants[n + 1] = From::Format(Format::NAMES[n].0);
                n += 1;
            }
            variants
        };
        &VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Format(format) => format.name(),
        }))
    }
}

/// What becomes of inline tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tags {
    /// They become placeholders: {1}, {2}.
    Keep,
    /// They are left out.
    Strip,
}

impl std::convert::From<Tags> for InlineTags {
    fn from(tags: Tags) -> Self {
        match tags {
            Tags::Keep => Self::Keep,
            Tags::Strip => Self::Strip,
        }
    }
}
