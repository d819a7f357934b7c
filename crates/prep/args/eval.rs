//! Flags of `prep eval`. Where sacreBLEU has a flag for something, this is it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, ValueEnum};
use prep_eval::{Bleu, Chrf, ExactMatch, Metric, RougeL, Smoothing, Ter, TokenF1, Tokenizer};

use super::PairArgs;
use crate::failure::Failure;
use crate::settings::EvaluateSettings;

/// Score predictions, and tell whether a tuned model is better.
///
/// Reads what `prep predict` writes, or plain text with one hypothesis a line
/// and `--reference`. Every score is printed with its signature; BLEU, chrF
/// and TER are those of sacreBLEU to the last digit. A line without a
/// prediction, such as a refusal, counts as an empty hypothesis, and the report
/// tells how many there are. The report goes to standard output. All texts are
/// kept in memory, up to `--memory`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  prep eval tuned.jsonl
  prep eval --compare base.jsonl tuned.jsonl --show 3
  prep eval output.es --reference corpus.es --metric bleu,chrf --confidence
  prep eval output.txt --reference validation.jsonl
  prep eval tuned.jsonl --by length --by /origin/source
  prep eval tuned.jsonl --metric exact,token-f1,rouge-l
  prep eval --compare base.jsonl tuned.jsonl --preset novel
  prep eval tuned.jsonl --fail-under chrf=55
  prep eval --compare base.jsonl tuned.jsonl --html report.html
  prep eval --compare base.jsonl tuned.jsonl --judge rubric.yaml --rehearse
  prep eval --compare base.jsonl tuned.jsonl --remote comet,metricx --src-lang en --tgt-lang es-419

Exit status: 0 scored, 1 a score misses --fail-under or could not be had, 2 could not be done.")]
pub(crate) struct EvalArgs {
    /// The predictions, each file scored by itself; `-` is standard input.
    #[arg(
        value_name = "PREDICTIONS",
        required_unless_present = "compare",
        conflicts_with = "compare"
    )]
    pub(crate) predictions: Vec<PathBuf>,

    /// Compare two models that were given the same inputs in the same order,
    /// and test whether their difference could be chance.
    #[arg(long, action = ArgAction::Set, num_args = 2, value_names = ["BASE", "TUNED"])]
    pub(crate) compare: Vec<PathBuf>,

    /// The references, instead of those in the predictions: text with one a
    /// line, or Gemini JSONL, whose last model turn is the reference. Say it
    /// again for a second reference of every segment.
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: Vec<PathBuf>,

    /// What the predictions are.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) from: PredictionFormat,

    /// What to measure [default: bleu,chrf,chrf++,ter].
    #[arg(long, short, value_name = "NAME", value_delimiter = ',')]
    pub(crate) metric: Vec<MetricName>,

    /// How to print the report.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: EvalFormat,

    /// Also write a report to FILE: one page that a browser shows without a
    /// network, with confidence intervals and at least ten segments of a kind.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// How many digits of a score are printed behind the point, as text.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = width)]
    pub(crate) width: usize,

    /// Exit with status 1 if a score is under a number (TER and MetricX: over it).
    #[arg(long, value_name = "METRIC=SCORE", value_delimiter = ',')]
    pub(crate) fail_under: Vec<Threshold>,

    /// Score by the values of a member too: its name, or a JSON pointer;
    /// `length` is the length of the reference.
    #[arg(long, value_name = "FIELD")]
    pub(crate) by: Vec<String>,

    /// Show so many of the worst segments; with --compare, of those that became
    /// worse and of those that became better.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) show: usize,

    #[command(flatten, next_help_heading = "Rules of pairs")]
    pub(crate) pairs: PairArgs,

    #[cfg(feature = "cloud")]
    #[command(flatten)]
    pub(crate) asking: AskingArgs,

    #[command(flatten)]
    pub(crate) resampling: ResamplingArgs,

    #[command(flatten)]
    pub(crate) metrics: MetricArgs,
}

impl EvalArgs {
    /// The files that are scored; of two that are compared the base comes first.
    pub(crate) fn files(&self) -> &[PathBuf] {
        match self.compare.is_empty() {
            true => &self.predictions,
            false => &self.compare,
        }
    }

    /// Whether a page is made.
    pub(crate) fn has_page(&self) -> bool {
        self.html.is_some() || self.format == EvalFormat::Html
    }

    /// Fills in what no flag says: what the settings say, else what is usual.
    ///
    /// # Errors
    ///
    /// When a setting names something that is not there.
    pub(crate) fn with(&self, settings: &EvaluateSettings) -> Result<Self, Failure> {
        let mut filled = self.clone();
        let refused =
            |text: String| Failure::because("the setting `evaluate` cannot be used", text);
        if filled.metric.is_empty() {
            let known = named("metrics", &settings.metrics, "no metric");
            filled.metric = known.map_err(refused)?;
        }
        if filled.metric.is_empty() {
            filled.metric = MetricName::USUAL.to_vec();
        }
        let metrics = &mut filled.metrics;
        if let (None, Some(name)) = (metrics.tokenize, &settings.tokenize) {
            metrics.tokenize = Some(tokenizer(name).map_err(refused)?);
        }
        metrics.lowercase |= settings.lowercase == Some(true);
        filled.pairs.preset = filled.pairs.preset.or(settings.preset);
        let remote = named("remote", &settings.remote, "nothing that the service has");
        filled.settle_remote(remote.map_err(refused)?)?;
        Ok(filled)
    }

    /// Fills in what the evaluation service is asked for, and refuses what asks
    /// for its scores without it.
    fn settle_remote(&mut self, named: Vec<RemoteName>) -> Result<(), Failure> {
        #[cfg(feature = "cloud")]
        let remote = {
            let asking = &mut self.asking;
            let said = match asking.remote.is_empty() {
                true => named,
                false => std::mem::take(&mut asking.remote),
            };
            // What is named twice is asked once.
            for name in said {
                if !asking.remote.contains(&name) {
                    asking.remote.push(name);
                }
            }
            let nobody = asking.remote.is_empty() && asking.judge.is_none();
            for (is_said, flag) in [(asking.yes, "--yes"), (asking.rehearse, "--rehearse")] {
                if is_said && nobody {
                    return Err(
                        Failure::new(format!("`{flag}` is of no use: nobody is asked"))
                            .hint("name who is, with `--judge` or `--remote`"),
                    );
                }
            }
            &asking.remote
        };
        #[cfg(not(feature = "cloud"))]
        let remote = {
            if let [name, ..] = &named[..] {
                let cannot = format!("this build of prep cannot ask for `{}`", name.as_str());
                return Err(Failure::new(cannot).hint("leave out `evaluate.remote`"));
            }
            named
        };
        for threshold in &self.fail_under {
            if let ScoreName::Remote(name) = threshold.metric
                && !remote.contains(&name)
            {
                let name = name.as_str();
                let failure = Failure::new(format!(
                    "`--fail-under {name}={}` wants a score that is not asked for",
                    threshold.score
                ));
                return Err(failure.hint(format!("ask for it with `--remote {name}`")));
            }
        }
        Ok(())
    }
}

/// Models that are asked what they think of predictions.
#[cfg(feature = "cloud")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Judge and evaluation service")]
pub(crate) struct AskingArgs {
    /// Let a model judge: score each prediction on the dimensions of a rubric,
    /// or, with --compare, say which is better, in both orders. The rubric is
    /// YAML: `model`, `dimensions: [{name, question}]`, `instructions`. What it
    /// costs is told and asked; answers are kept beside the predictions.
    #[arg(long, value_name = "RUBRIC")]
    pub(crate) judge: Option<PathBuf>,

    /// Let Google's evaluation service score translations, a request for each
    /// segment: comet (COMET_22_SRC_REF, 1 is perfect), metricx
    /// (METRICX_24_SRC_REF, 0 is perfect and 25 the worst), metricx-ref and
    /// metricx-src (by the reference or the source alone). It is told
    /// --src-lang and --tgt-lang, or what is learnt. How many requests it takes
    /// is told and asked; scores are kept beside the predictions. Google's page
    /// of 2026-08-22 charges nothing while this is a preview; the price of
    /// today, the quotas, and which locations have it are not known.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub(crate) remote: Vec<RemoteName>,

    /// Pay for the judge and the service without asking.
    #[arg(long)]
    pub(crate) yes: bool,

    /// Let the judge and the service be played on this machine.
    #[arg(long)]
    pub(crate) rehearse: bool,

    #[command(flatten)]
    pub(crate) cloud: super::CloudArgs,
}

/// How much chance there is in a score.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chance")]
pub(crate) struct ResamplingArgs {
    /// Tell the 95 % confidence interval of every score.
    #[arg(long, conflicts_with = "compare")]
    pub(crate) confidence: bool,

    /// How to test a difference: paired bootstrap resampling, or paired
    /// approximate randomization.
    #[arg(long, value_name = "TEST", default_value = "bootstrap")]
    pub(crate) test: Test,

    /// How many resamples are drawn, or how often hypotheses are shuffled
    /// [default: 1000, or 10000 for randomization].
    #[arg(long, value_name = "N")]
    pub(crate) samples: Option<NonZeroUsize>,

    /// Where the random numbers begin.
    #[arg(long, value_name = "N", default_value_t = prep_eval::compare::SEED)]
    pub(crate) seed: u64,
}

/// Settings of metrics, named as sacreBLEU does.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub(crate) struct MetricArgs {
    /// BLEU: how text is cut into tokens: 13a, intl, zh, char or none [default:
    /// by the script of the references: zh for Chinese, char for Japanese, else
    /// 13a].
    #[arg(long, value_name = "NAME", value_parser = tokenizer)]
    pub(crate) tokenize: Option<Tokenizer>,

    /// BLEU: do not tell upper and lower case apart.
    #[arg(long)]
    pub(crate) lowercase: bool,

    /// BLEU: what becomes of an order of n-grams without a match.
    #[arg(long, value_name = "METHOD", default_value = "exp")]
    pub(crate) smooth_method: SmoothMethod,

    /// BLEU: the value of `floor` (0.1 by default) and `add-k` (1 by default).
    #[arg(long, value_name = "X", value_parser = non_negative)]
    pub(crate) smooth_value: Option<f64>,

    /// BLEU: leave out the orders for which a text is too short.
    #[arg(long)]
    pub(crate) effective_order: bool,

    /// chrF: the longest n-grams of characters.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = order)]
    pub(crate) chrf_char_order: usize,

    /// chrF: the longest n-grams of words; 2 makes it chrF++.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = order)]
    pub(crate) chrf_word_order: usize,

    /// chrF: how many times as much recall weighs as precision.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) chrf_beta: u32,

    /// chrF: count white space as characters.
    #[arg(long)]
    pub(crate) chrf_whitespace: bool,

    /// chrF: do not tell upper and lower case apart.
    #[arg(long)]
    pub(crate) chrf_lowercase: bool,

    /// chrF: count an order that texts are too short for, as Moses and NLTK do.
    #[arg(long)]
    pub(crate) chrf_eps_smoothing: bool,

    /// TER: tell upper and lower case apart.
    #[arg(long)]
    pub(crate) ter_case_sensitive: bool,

    /// TER: make each Chinese or Japanese character a word, with
    /// --ter-normalized. Both are set where the references are Chinese or
    /// Japanese and no flag of TER is given.
    #[arg(long)]
    pub(crate) ter_asian_support: bool,

    /// TER: remove punctuation.
    #[arg(long)]
    pub(crate) ter_no_punct: bool,

    /// TER: separate punctuation from words.
    #[arg(long)]
    pub(crate) ter_normalized: bool,
}

/// What references look like, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Mostly Chinese characters.
    Chinese,
    /// With hiragana or katakana.
    Japanese,
    /// Words with spaces between them, or what is taken for that.
    Other,
}

impl MetricArgs {
    /// The tokenizer of BLEU for references of a script.
    pub(crate) fn tokenizer(&self, script: Script) -> Tokenizer {
        self.tokenize.unwrap_or(match script {
            Script::Chinese => Tokenizer::Zh,
            Script::Japanese => Tokenizer::Char,
            Script::Other => Tokenizer::V13a,
        })
    }

    /// Whether TER is to count characters: the references ask for it, and no
    /// flag says otherwise.
    pub(crate) fn ter_counts_characters(&self, script: Script) -> bool {
        let is_set = self.ter_case_sensitive
            || self.ter_asian_support
            || self.ter_no_punct
            || self.ter_normalized;
        script != Script::Other && !is_set
    }

    /// A metric with its settings, for references of a script.
    pub(crate) fn metric(&self, name: MetricName, script: Script) -> Metric {
        let chrf = |word_order| Chrf {
            char_order: self.chrf_char_order,
            word_order,
            beta: self.chrf_beta,
            lowercase: self.chrf_lowercase,
            whitespace: self.chrf_whitespace,
            eps_smoothing: self.chrf_eps_smoothing,
        };
        match name {
            MetricName::Bleu => Metric::from(Bleu {
                tokenizer: self.tokenizer(script),
                lowercase: self.lowercase,
                smoothing: self.smoothing(),
                effective_order: self.effective_order,
                ..Bleu::default()
            }),
            MetricName::Chrf => Metric::from(chrf(self.chrf_word_order)),
            MetricName::ChrfPlusPlus => Metric::from(chrf(Chrf::plus_plus().word_order)),
            MetricName::Ter => {
                let counts_characters = self.ter_counts_characters(script);
                Metric::from(Ter {
                    normalized: self.ter_normalized || counts_characters,
                    no_punct: self.ter_no_punct,
                    asian_support: self.ter_asian_support || counts_characters,
                    case_sensitive: self.ter_case_sensitive,
                })
            }
            MetricName::Exact => Metric::from(ExactMatch::default()),
            MetricName::RougeL => Metric::from(RougeL),
            MetricName::TokenF1 => Metric::from(TokenF1),
        }
    }

    fn smoothing(&self) -> Smoothing {
        match (self.smooth_method, self.smooth_value) {
            (SmoothMethod::None, _) => Smoothing::None,
            (SmoothMethod::Exp, _) => Smoothing::Exp,
            (SmoothMethod::Floor, None) => Smoothing::FLOOR,
            (SmoothMethod::Floor, Some(value)) => Smoothing::Floor(value),
            (SmoothMethod::AddK, None) => Smoothing::ADD_K,
            (SmoothMethod::AddK, Some(value)) => Smoothing::AddK(value),
        }
    }
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A page for a browser.
    Html,
}

/// What a file of predictions is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PredictionFormat {
    /// JSONL if the first line begins as a JSON object does, else text.
    Auto,
    /// As `prep predict` writes it.
    Jsonl,
    /// One hypothesis a line.
    Text,
}

/// The name of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricName {
    /// Precision of word n-grams.
    Bleu,
    /// F-score of character n-grams.
    Chrf,
    /// F-score of character n-grams, words and pairs of words.
    #[value(name = "chrf++")]
    ChrfPlusPlus,
    /// Edits to get to the reference; the lower the better.
    Ter,
    /// How many hypotheses are a reference, white space aside.
    Exact,
    /// Longest common subsequence of words; for English.
    RougeL,
    /// F-score of the words in any order, as for `SQuAD`.
    #[value(name = "token-f1")]
    TokenF1,
}

impl MetricName {
    /// What is measured if nothing is named.
    const USUAL: [Self; 4] = [Self::Bleu, Self::Chrf, Self::ChrfPlusPlus, Self::Ter];

    /// The name as it is typed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bleu => "bleu",
            Self::Chrf => "chrf",
            Self::ChrfPlusPlus => "chrf++",
            Self::Ter => "ter",
            Self::Exact => "exact",
            Self::RougeL => "rouge-l",
            Self::TokenF1 => "token-f1",
        }
    }
}

/// A metric of Google's evaluation service, in one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RemoteName {
    /// COMET, by source and reference.
    Comet,
    /// `MetricX`, by source and reference; the lower the better.
    Metricx,
    /// `MetricX`, by the reference alone.
    MetricxRef,
    /// `MetricX`, by the source alone.
    MetricxSrc,
}

impl RemoteName {
    /// The name as it is typed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Comet => "comet",
            Self::Metricx => "metricx",
            Self::MetricxRef => "metricx-ref",
            Self::MetricxSrc => "metricx-src",
        }
    }

    /// The name as it is printed.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Comet => "COMET",
            Self::Metricx => "MetricX",
            Self::MetricxRef => "MetricX-ref",
            Self::MetricxSrc => "MetricX-src",
        }
    }
}

/// The name of a score: one that is counted here, or one of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreName {
    Local(MetricName),
    Remote(RemoteName),
}

impl ScoreName {
    /// The name as it is typed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Local(name) => name.as_str(),
            Self::Remote(name) => name.as_str(),
        }
    }
}

/// What becomes of an order of n-grams without a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SmoothMethod {
    /// The score is 0.
    None,
    /// A small number of matches is counted instead of none.
    Floor,
    /// A number is added to matches and totals.
    AddK,
    /// Half a match, a quarter for the next order, and so on.
    Exp,
}

/// How a difference is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Test {
    /// Paired bootstrap resampling (Koehn, 2004).
    Bootstrap,
    /// Paired approximate randomization (Riezler and Maxwell, 2005).
    Randomization,
}

/// A score that must be met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Threshold {
    pub(crate) metric: ScoreName,
    pub(crate) score: f64,
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(name, score)| {
            let local = MetricName::from_str(name, true).map(ScoreName::Local);
            let metric = local.or_else(|_| RemoteName::from_str(name, true).map(ScoreName::Remote));
            let metric = metric.ok()?;
            let score = score.parse().ok().filter(|score: &f64| score.is_finite())?;
            Some(Self { metric, score })
        });
        parts.ok_or_else(|| format!("`{text}` sets no threshold; write it like chrf=55"))
    }
}

/// Reads a list of names as flags take them. `none` is what one that is not known
/// names.
fn named<T: ValueEnum>(key: &str, names: &[String], none: &str) -> Result<Vec<T>, String> {
    let read = names.iter().map(|name| T::from_str(name, true));
    read.collect::<Result<_, _>>().map_err(|_| {
        let known = T::value_variants().iter();
        let known = known.filter_map(ValueEnum::to_possible_value);
        let known: Vec<_> = known.map(|name| name.get_name().to_owned()).collect();
        let (names, known) = (names.join(", "), known.join(", "));
        format!("`{key}: [{names}]` names {none}; there are {known}")
    })
}

fn tokenizer(name: &str) -> Result<Tokenizer, String> {
    let known = Tokenizer::ALL
        .into_iter()
        .find(|known| known.name() == name);
    known.ok_or_else(|| {
        let names = Tokenizer::ALL.map(Tokenizer::name).join(", ");
        format!("`{name}` is no tokenizer; there are {names}")
    })
}

fn non_negative(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("`{text}` is no number from 0"))
}

/// Reads a number of digits: a score has no more than seventeen.
fn width(text: &str) -> Result<usize, String> {
    const LIMIT: usize = 17;
    let number = text.parse().ok().filter(|&n| n <= LIMIT);
    number.ok_or_else(|| format!("`{text}` is no number from 0 to {LIMIT}"))
}

/// Reads an order of n-grams. Beyond the limit counts take more memory than
/// they tell.
fn order(text: &str) -> Result<usize, String> {
    const LIMIT: usize = 16;
    let number = text.parse().ok().filter(|&n| n <= LIMIT);
    number.ok_or_else(|| format!("`{text}` is no number from 0 to {LIMIT}"))
}

#[cfg(test)]
mod tests {
    use prep_data::rules::Preset;

    use super::*;

    #[test]
    fn thresholds_are_parsed() {
        let threshold = |text: &str| text.parse::<Threshold>().ok();
        let expected = Threshold {
            metric: ScoreName::Local(MetricName::ChrfPlusPlus),
            score: 55.5,
        };
        assert_eq!(threshold("chrf++=55.5"), Some(expected));
        let expected = Threshold {
            metric: ScoreName::Remote(RemoteName::MetricxSrc),
            score: 3.0,
        };
        assert_eq!(threshold("metricx-src=3"), Some(expected));
        assert_eq!(threshold("chrf"), None);
        assert_eq!(threshold("meteor=80"), None);
        assert_eq!(threshold("bleu=high"), None);
        assert_eq!(threshold("bleu=NaN"), None);
    }

    #[test]
    fn what_no_flag_says_the_settings_say() {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: EvalArgs,
        }
        let parsed = |words: &[&str], settings: &EvaluateSettings| {
            let words = ["eval", "tuned.jsonl"].iter().chain(words);
            <Line as clap::Parser>::parse_from(words)
                .args
                .with(settings)
        };
        let usual = parsed(&[], &EvaluateSettings::default()).unwrap();
        assert_eq!(usual.metric, MetricName::USUAL);
        let settings = EvaluateSettings {
            metrics: vec!["chrf++".into(), "exact".into()],
            tokenize: Some("intl".into()),
            lowercase: Some(true),
            preset: Some(Preset::Chat),
            ..EvaluateSettings::default()
        };
        let of_settings = parsed(&[], &settings).unwrap();
        assert_eq!(
            of_settings.metric,
            [MetricName::ChrfPlusPlus, MetricName::Exact]
        );
        assert_eq!(of_settings.metrics.tokenize, Some(Tokenizer::Intl));
        assert!(of_settings.metrics.lowercase);
        assert_eq!(of_settings.pairs.preset, Some(Preset::Chat));
        let flags = ["-m", "ter", "--tokenize", "char", "--preset", "ui"];
        let of_flags = parsed(&flags, &settings).unwrap();
        assert_eq!(of_flags.metric, [MetricName::Ter]);
        assert_eq!(of_flags.metrics.tokenize, Some(Tokenizer::Char));
        assert_eq!(of_flags.pairs.preset, Some(Preset::Ui));
        let unknown = EvaluateSettings {
            metrics: vec!["comet".into()],
            ..EvaluateSettings::default()
        };
        assert!(parsed(&[], &unknown).is_err());
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn who_is_asked_flags_or_settings_say() {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: EvalArgs,
        }
        let remote = |words: &[&str], names: &[&str]| {
            let settings = EvaluateSettings {
                remote: names.iter().map(|name| (*name).to_owned()).collect(),
                ..EvaluateSettings::default()
            };
            let words = ["eval", "tuned.jsonl"].iter().chain(words);
            let args = <Line as clap::Parser>::parse_from(words).args;
            let filled = args.with(&settings);
            filled.ok().map(|args| args.asking.remote)
        };
        assert_eq!(remote(&[], &[]), Some(Vec::new()));
        let of_settings = vec![RemoteName::Comet, RemoteName::MetricxRef];
        assert_eq!(remote(&[], &["comet", "metricx-ref"]), Some(of_settings));
        let flag = ["--remote", "metricx,metricx", "--yes"];
        assert_eq!(remote(&flag, &["comet"]), Some(vec![RemoteName::Metricx]));
        assert_eq!(remote(&[], &["bleurt"]), None);
        // What is said of the service is of no use without it.
        for stray in ["--yes", "--rehearse", "--fail-under=comet=0.8"] {
            assert_eq!(remote(&[stray], &[]), None, "{stray}");
            assert!(remote(&[stray], &["comet"]).is_some(), "{stray}");
        }
    }

    #[test]
    fn metrics_are_named_as_they_are_typed() {
        for name in MetricName::value_variants() {
            let value = name.to_possible_value().unwrap();
            assert_eq!(value.get_name(), name.as_str());
        }
        for name in RemoteName::value_variants() {
            let value = name.to_possible_value().unwrap();
            assert_eq!(value.get_name(), name.as_str());
        }
    }
}
