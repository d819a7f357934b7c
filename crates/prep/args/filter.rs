//! Flags of `prep filter`, and those it shares with `prep validate`.

use std::path::PathBuf;

use clap::Args;
use prep_data::rules::Preset;

/// Leave out examples whose pair of prompt and answer is no good.
///
/// Reads Gemini JSONL and writes what stays, in the order of the input. A preset
/// says what is tolerated in texts of its kind; what it tolerates least is left
/// out and stands in the rejects with its code, and what deserves a look is told.
/// What sides are compared with (the template around the source, the languages,
/// the usual ratio of lengths) is learnt from the first 4 MiB and printed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prep filter train.jsonl --preset novel --dry-run
  prep filter train.jsonl --preset novel --tgt-lang es-419
  prep filter train.jsonl --preset ui --glossary terms.csv --drop P012
  prep filter train.jsonl --preset web --keep P008 -o clean.jsonl

`prep explain P004` prints the page of a rule; docs/presets.md says how well each does.")]
pub(crate) struct FilterArgs {
    /// The dataset; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Where to write what stays; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "filtered.jsonl")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) pairs: PairArgs,

    /// Leave out what these rules find as well: codes (P012), names, or
    /// beginnings of codes.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) drop: Vec<String>,

    /// Keep what only these rules mind, and tell it.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,

    /// Write nothing; print how many would go by which rule, with examples.
    #[arg(long, conflicts_with_all = ["output", "rejects"])]
    pub(crate) dry_run: bool,

    /// Where to write what is left out, instead of beside the dataset.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// What segment pairs are held to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PairArgs {
    /// The kind of text: turns the rules of segment pairs on.
    #[arg(long, value_name = "novel|chat|ui|web")]
    pub(crate) preset: Option<Preset>,

    /// The language of the sources, such as `en`, instead of what is learnt.
    #[arg(long, value_name = "TAG", value_parser = language_tag)]
    pub(crate) src_lang: Option<String>,

    /// The language of the targets, such as `es`; `es-419` is Spanish of
    /// Latin America, and then words of Spain are told.
    #[arg(long, value_name = "TAG", value_parser = language_tag)]
    pub(crate) tgt_lang: Option<String>,

    /// What stands before every source in a prompt, instead of what is learnt.
    #[arg(long, value_name = "TEXT")]
    pub(crate) source_prefix: Option<String>,

    /// Terms to keep to: CSV or TSV of source, target and, if wanted, what must
    /// not be said.
    #[arg(long, value_name = "FILE")]
    pub(crate) glossary: Option<PathBuf>,
}

/// Reads a language tag of a language that can be told.
pub(crate) fn language_tag(tag: &str) -> Result<String, String> {
    match prep_data::text::language::Language::of_tag(tag) {
        Some(_) => Ok(tag.to_owned()),
        None => Err(format!(
            "`{tag}` is no language that can be told; write a tag such as en, es-419 or zh"
        )),
    }
}
