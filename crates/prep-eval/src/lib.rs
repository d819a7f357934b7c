//! How good hypotheses are: BLEU, chrF, TER and more, and what a difference
//! between two systems is worth.
//!
//! The scores are those of sacreBLEU 2.6 to the last printed digit, and carry
//! its signatures; ROUGE-L is that of the `rouge-score` package, token F1 and
//! exact match follow the scripts of `SQuAD`. There are three nouns:
//!
//! - A [`Metric`] is a choice of what to measure, with its settings. It
//!   measures hypotheses against references, in parallel, and gives
//! - [`Segments`]: a row of small counts for each segment. Counts add up, so a
//!   corpus, a document, a slice or a resample is a sum of rows, and is scored
//!   without reading a text again. A sum makes
//! - a [`Score`]: a number with its name, its [`Signature`] and its details.
//!
//! [`compare`] resamples the rows of two systems: paired bootstrap and paired
//! approximate randomization.
//!
//! ```
//! use prep_eval::{Bleu, Metric, compare};
//!
//! let references = [Some("The cat sat on the mat."), Some("It rained all day.")];
//! let metric = Metric::from(Bleu::default());
//! let base = metric.measure(&["A cat is on a mat.", "It rained all day."], &[&references])?;
//! let tuned = metric.measure(&["The cat sat on a mat.", "It rained all day."], &[&references])?;
//!
//! assert_eq!(
//!     tuned.score().to_string(),
//!     "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 69.19 \
//!      91.7/80.0/62.5/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 12 ref_len = 12)"
//! );
//! let comparison = compare::bootstrap(&base, &tuned, 1000, 12345)?;
//! assert!(comparison.difference > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Scores that a model gave ([`Given`]) are added up and resampled likewise.
//!
//! sacreBLEU's tokenizers that need a model (`ja-mecab`, `ko-mecab`, `spm`,
//! `flores200` and their like) are not here.
//!
//! The same texts and settings give the same numbers, whatever the number of
//! threads.

mod bleu;
mod chrf;
pub mod compare;
mod f1;
mod given;
mod grams;
mod metric;
mod numpy;
mod rouge;
mod signature;
mod ter;
mod text;
mod tokenize;
mod unicode;

pub use bleu::{Bleu, Smoothing};
pub use chrf::Chrf;
pub use f1::{ExactMatch, Normalization, TokenF1};
pub use given::Given;
pub use metric::{Details, MeasureError, Metric, Score, Segments, Statistics};
pub use rouge::RougeL;
pub use signature::{SACREBLEU_VERSION, Setting, Signature};
pub use ter::Ter;
pub use tokenize::{Tokenizer, count_tokenized};
