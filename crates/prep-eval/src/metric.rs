//! Metrics, what they count, and scores.

use std::fmt;
use std::ops::AddAssign;

use rayon::prelude::*;
use thiserror::Error;

use crate::bleu::Bleu;
use crate::chrf::Chrf;
use crate::f1::{ExactMatch, TokenF1};
use crate::given::{self, Given};
use crate::numpy::{Real, Sampled};
use crate::rouge::RougeL;
use crate::signature::{SACREBLEU_VERSION, Setting, Signature};
use crate::ter::Ter;

/// What to measure, and how.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Precision of word n-grams.
    Bleu(Bleu),
    /// F-score of character n-grams, and of word n-grams for chrF++.
    Chrf(Chrf),
    /// Edits to get to a reference; the lower the better.
    Ter(Ter),
    /// How many hypotheses are a reference.
    ExactMatch(ExactMatch),
    /// F-score of the longest common subsequence of words.
    RougeL(RougeL),
    /// F-score of the bag of words.
    TokenF1(TokenF1),
    /// The mean of scores that something else gave.
    Given(Given),
}

/// Counts something in one segment at a time.
pub(crate) trait Measure: Sync {
    /// Buffers that one thread uses for segment after segment.
    type Scratch: Default;

    /// How many counts a segment has.
    fn width(&self) -> usize;

    /// Counts; the row comes in as zeros, and there is a reference.
    fn count(
        &self,
        scratch: &mut Self::Scratch,
        hypothesis: &str,
        references: &[&str],
        row: &mut [u32],
    );
}

impl Metric {
    /// Names the metric, its main settings included: `BLEU`, `chrF2++`.
    pub fn name(&self) -> String {
        match self {
            Metric::Bleu(_) => "BLEU".to_owned(),
            Metric::Chrf(chrf) => chrf.name(),
            Metric::Ter(_) => "TER".to_owned(),
            Metric::ExactMatch(_) => "ExactMatch".to_owned(),
            Metric::RougeL(_) => "ROUGE-L".to_owned(),
            Metric::TokenF1(_) => "TokenF1".to_owned(),
            Metric::Given(given) => given.name.clone(),
        }
    }

    /// Tells whether a lower score is a better one.
    pub fn lower_is_better(&self) -> bool {
        match self {
            Metric::Ter(_) => true,
            Metric::Given(given) => given.lower_is_better,
            _ => false,
        }
    }

    /// Counts in every segment, on the threads of the current rayon pool.
    ///
    /// Each of `references` has one text for each hypothesis, or `None` where
    /// it has none; a segment needs one at least. Segments keep their order.
    /// Memory is what the counts take, at most a hundred bytes a segment with
    /// the default settings.
    ///
    /// # Errors
    ///
    /// Fails when there are no segments, when they do not line up, or when the
    /// metric does not count.
    pub fn measure<H>(
        &self,
        hypotheses: &[H],
        references: &[&[Option<&str>]],
    ) -> Result<Segments, MeasureError>
    where
        H: AsRef<str> + Sync,
    {
        if self.width() == 0 {
            return Err(MeasureError::NoOrders);
        }
        let n_refs = count_references(hypotheses.len(), references)?;
        let counts = match self {
            Metric::Bleu(metric) => count(metric, hypotheses, references),
            Metric::Chrf(metric) => count(metric, hypotheses, references),
            Metric::Ter(metric) => count(metric, hypotheses, references),
            Metric::ExactMatch(metric) => count(metric, hypotheses, references),
            Metric::RougeL(metric) => count(metric, hypotheses, references),
            Metric::TokenF1(metric) => count(metric, hypotheses, references),
            Metric::Given(_) => return Err(MeasureError::Given),
        };
        Ok(Segments {
            metric: self.clone(),
            n_segments: hypotheses.len(),
            n_refs,
            counts,
        })
    }

    /// Scores a sum of counts.
    ///
    /// `n_refs` is for the signature: how many references each segment had,
    /// `None` if that varied. The sum must be of this metric's counts.
    pub fn score(&self, statistics: &Statistics, n_refs: Option<usize>) -> Score {
        Score {
            name: self.name(),
            value: self.value(&statistics.sums).value,
            signature: self.signature(n_refs),
            details: match self {
                Metric::Bleu(bleu) => bleu.details(&statistics.sums),
                Metric::Ter(_) => Details::Ter {
                    n_edits: statistics.sums[0] as u64,
                    reference_length: statistics.sums[1],
                },
                _ => Details::None,
            },
        }
    }

    /// Tells everything that scores depend on but the texts.
    pub(crate) fn signature(&self, n_refs: Option<usize>) -> Signature {
        let ours = || format!("prep-{}", env!("CARGO_PKG_VERSION"));
        let (settings, version): (Vec<Setting>, String) = match self {
            Metric::Bleu(bleu) => (bleu.settings(), SACREBLEU_VERSION.to_owned()),
            Metric::Chrf(chrf) => (chrf.settings(), SACREBLEU_VERSION.to_owned()),
            Metric::Ter(ter) => (ter.settings(), SACREBLEU_VERSION.to_owned()),
            Metric::ExactMatch(exact) => (exact.settings(), ours()),
            Metric::RougeL(rouge) => (rouge.settings(), ours()),
            Metric::TokenF1(f1) => (f1.settings(), ours()),
            Metric::Given(given) => (given.settings.clone(), given.version.clone()),
        };
        Signature::new(n_refs, settings, version)
    }

    /// Computes a score from sums, in their type where sacreBLEU does.
    pub(crate) fn value<R: Real>(&self, sums: &[R]) -> Sampled {
        match self {
            Metric::Bleu(bleu) => bleu.value(sums),
            Metric::Chrf(chrf) => chrf.value(sums),
            Metric::Ter(_) => Ter::value(sums),
            Metric::ExactMatch(_) | Metric::RougeL(_) | Metric::TokenF1(_) => {
                Sampled::double(100.0 * sums[0].wide() / sums[1].wide())
            }
            Metric::Given(_) => Sampled::double(sums[0].wide() / sums[1].wide()),
        }
    }

    /// Tells whether the metric is one of sacreBLEU's.
    pub(crate) fn is_sacrebleu(&self) -> bool {
        matches!(self, Metric::Bleu(_) | Metric::Chrf(_) | Metric::Ter(_))
    }

    fn width(&self) -> usize {
        match self {
            Metric::Bleu(metric) => metric.width(),
            Metric::Chrf(metric) => metric.width(),
            Metric::Ter(metric) => metric.width(),
            Metric::ExactMatch(metric) => metric.width(),
            Metric::RougeL(metric) => metric.width(),
            Metric::TokenF1(metric) => metric.width(),
            Metric::Given(_) => given::WIDTH,
        }
    }

    /// How many numbers a sum of counts has.
    pub(crate) fn n_sums(&self) -> usize {
        match self {
            Metric::Bleu(bleu) => bleu.n_sums(),
            Metric::Chrf(metric) => metric.width(),
            Metric::Ter(_)
            | Metric::ExactMatch(_)
            | Metric::RougeL(_)
            | Metric::TokenF1(_)
            | Metric::Given(_) => 2,
        }
    }

    /// Gives what a segment's counts add to the sums.
    pub(crate) fn addends(&self, row: &[u32], mut add: impl FnMut(usize, f64)) {
        let mut mean_of = |value| {
            add(0, value);
            add(1, 1.0);
        };
        match self {
            Metric::Bleu(bleu) => bleu.addends(row, add),
            Metric::Chrf(_) => (0..)
                .zip(row)
                .for_each(|(n, &count)| add(n, f64::from(count))),
            Metric::Ter(_) => Ter::addends(row, add),
            Metric::ExactMatch(_) => mean_of(f64::from(row[0])),
            Metric::RougeL(_) => mean_of(RougeL::f_measure(row)),
            Metric::TokenF1(_) => mean_of(TokenF1::f_measure(row)),
            Metric::Given(_) => {
                if let Some(score) = Given::score_of(row) {
                    mean_of(score);
                }
            }
        }
    }

    /// Whether a segment can be drawn: something is known of it.
    fn is_drawn(&self, row: &[u32]) -> bool {
        !matches!(self, Metric::Given(_)) || Given::score_of(row).is_some()
    }
}

/// How many segments a thread takes at a time, at least.
const PORTION: usize = 32;

fn count<M, H>(metric: &M, hypotheses: &[H], references: &[&[Option<&str>]]) -> Vec<u32>
where
    M: Measure,
    H: AsRef<str> + Sync,
{
    let width = metric.width();
    let mut counts = vec![0; hypotheses.len() * width];
    let portions = counts
        .par_chunks_mut(width * PORTION)
        .zip(hypotheses.par_chunks(PORTION));
    portions
        .enumerate()
        .for_each_init(M::Scratch::default, |scratch, (n, (rows, hypotheses))| {
            let mut present = Vec::with_capacity(references.len());
            let segments = (n * PORTION..)
                .zip(hypotheses)
                .zip(rows.chunks_exact_mut(width));
            for ((segment, hypothesis), row) in segments {
                present.clear();
                present.extend(references.iter().filter_map(|texts| texts[segment]));
                metric.count(scratch, hypothesis.as_ref(), &present, row);
            }
        });
    counts
}

/// How many references each segment has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum References {
    All(usize),
    Each(Vec<u32>),
}

fn count_references(
    n_segments: usize,
    references: &[&[Option<&str>]],
) -> Result<References, MeasureError> {
    if n_segments == 0 {
        return Err(MeasureError::NoSegments);
    }
    for (stream, texts) in references.iter().enumerate() {
        if texts.len() != n_segments {
            return Err(MeasureError::Lengths {
                stream,
                n_hypotheses: n_segments,
                n_references: texts.len(),
            });
        }
    }
    let present = |segment: usize| {
        references
            .iter()
            .filter(move |texts| texts[segment].is_some())
            .count()
    };
    if let Some(segment) = (0..n_segments).find(|&segment| present(segment) == 0) {
        return Err(MeasureError::NoReference { segment });
    }
    let first = present(0);
    if (1..n_segments).all(|segment| present(segment) == first) {
        return Ok(References::All(first));
    }
    let each = (0..n_segments).map(|segment| present(segment) as u32);
    Ok(References::Each(each.collect()))
}

/// What a metric counted, segment by segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segments {
    metric: Metric,
    n_segments: usize,
    n_refs: References,
    counts: Vec<u32>,
}

#[expect(clippy::len_without_is_empty, reason = "there is a segment at least")]
impl Segments {
    /// Takes rows as a metric has them.
    pub(crate) fn of_rows<const WIDTH: usize>(
        metric: Metric,
        n_refs: usize,
        rows: &[[u32; WIDTH]],
    ) -> Self {
        Segments {
            metric,
            n_segments: rows.len(),
            n_refs: References::All(n_refs),
            counts: rows.as_flattened().to_vec(),
        }
    }

    /// Gives the metric that counted.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Tells how many segments there are.
    pub fn len(&self) -> usize {
        self.n_segments
    }

    /// Adds up all segments.
    pub fn sum(&self) -> Statistics {
        self.sum_of(0..self.n_segments)
    }

    /// Adds up some segments, given by their places from 0, in this order. A
    /// place may be given more than once.
    ///
    /// # Panics
    ///
    /// Panics when there is no such segment.
    pub fn sum_of(&self, segments: impl IntoIterator<Item = usize>) -> Statistics {
        let mut statistics = Statistics::zero(&self.metric);
        for segment in segments {
            statistics.n_segments += 1;
            self.metric
                .addends(self.row(segment), |n, addend| statistics.sums[n] += addend);
        }
        statistics
    }

    /// Scores all segments together.
    pub fn score(&self) -> Score {
        self.score_of(0..self.n_segments)
    }

    /// Scores some segments together: a document, or a slice of the corpus.
    ///
    /// # Panics
    ///
    /// Panics when there is no such segment.
    pub fn score_of(&self, segments: impl IntoIterator<Item = usize> + Clone) -> Score {
        let n_refs = self.n_refs_of(segments.clone());
        self.metric.score(&self.sum_of(segments), n_refs)
    }

    /// Scores each segment by itself, in order.
    ///
    /// A score of BLEU then wants [`Bleu::effective_order`].
    pub fn each(&self) -> Vec<f64> {
        let value = |segment| self.metric.value(&self.sum_of([segment]).sums).value;
        (0..self.n_segments).into_par_iter().map(value).collect()
    }

    /// Tells how many references each segment has, `None` if that varies.
    pub(crate) fn n_refs(&self) -> Option<usize> {
        self.n_refs_of(0..self.n_segments)
    }

    fn n_refs_of(&self, segments: impl IntoIterator<Item = usize>) -> Option<usize> {
        let each = match &self.n_refs {
            References::All(n) => return Some(*n),
            References::Each(each) => each,
        };
        let mut counts = segments.into_iter().map(|segment| each[segment]);
        let first = counts.next()?;
        counts.all(|n| n == first).then_some(first as usize)
    }

    fn row(&self, segment: usize) -> &[u32] {
        let width = self.metric.width();
        &self.counts[segment * width..][..width]
    }

    /// Gives what each segment that can be drawn adds to the sums, one row after
    /// the other.
    pub(crate) fn addends<R: Real>(&self) -> Vec<R> {
        let width = self.metric.n_sums();
        let mut addends = vec![R::of(0.0); self.n_drawn() * width];
        for (segment, sums) in self.drawn().zip(addends.chunks_exact_mut(width)) {
            let row = self.row(segment);
            self.metric
                .addends(row, |n, addend| sums[n] = R::of(addend));
        }
        addends
    }

    /// Tells how many segments a resample draws from: all, less those that were
    /// given no score.
    pub fn n_drawn(&self) -> usize {
        match self.metric {
            Metric::Given(_) => self.drawn().count(),
            _ => self.n_segments,
        }
    }

    /// Gives the places of the segments that a resample draws from.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = usize> {
        let segments = 0..self.n_segments;
        segments.filter(|&segment| self.metric.is_drawn(self.row(segment)))
    }
}

/// A sum of counts over segments, which makes a score.
///
/// Sums of disjoint sets of segments add up to the sum of all. All but the
/// reference length of TER with several references and the means of ROUGE-L
/// and token F1 are whole numbers, so the order does not matter either.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    n_segments: usize,
    sums: Vec<f64>,
}

impl Statistics {
    /// Makes the sum of no segments.
    pub fn zero(metric: &Metric) -> Self {
        Statistics {
            n_segments: 0,
            sums: vec![0.0; metric.n_sums()],
        }
    }

    /// Tells how many segments were added up.
    pub fn n_segments(&self) -> usize {
        self.n_segments
    }
}

impl AddAssign<&Statistics> for Statistics {
    /// Adds the sum of other segments, counted by the same metric.
    fn add_assign(&mut self, other: &Statistics) {
        assert_eq!(self.sums.len(), other.sums.len(), "counts of one metric");
        self.n_segments += other.n_segments;
        for (sum, addend) in self.sums.iter_mut().zip(&other.sums) {
            *sum += addend;
        }
    }
}

/// A number that says how good hypotheses are.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Which metric: `BLEU`, `chrF2++`.
    pub name: String,
    /// From 0 to 100, though TER can be higher; on a scale of its own, or no
    /// number at all, if it was given.
    pub value: f64,
    /// What else the number depends on.
    pub signature: Signature,
    /// What the number is made of.
    pub details: Details,
}

/// What a score is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Details {
    /// The parts of BLEU.
    Bleu {
        /// For each order of n-grams, in percent and smoothed.
        precisions: Vec<f64>,
        /// For each order, how many n-grams of the hypotheses a reference has.
        correct: Vec<u64>,
        /// For each order, how many n-grams the hypotheses have.
        totals: Vec<u64>,
        /// From 0 to 1, less than 1 when the hypotheses are too short.
        brevity_penalty: f64,
        /// In tokens.
        hypothesis_length: u64,
        /// Of the reference nearest in length to each hypothesis, in tokens.
        reference_length: u64,
    },
    /// The parts of TER.
    Ter {
        /// Words inserted, deleted and replaced, and stretches moved.
        n_edits: u64,
        /// The mean over the references of a segment, in words, added up.
        reference_length: f64,
    },
    /// Nothing more than the score.
    None,
}

impl fmt::Display for Score {
    /// Writes `NAME|SIGNATURE = VALUE` and the details, as sacreBLEU prints
    /// it; the precision is that of the format, 2 digits by default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(
            f,
            "{}|{} = {:.digits$}",
            self.name, self.signature, self.value
        )?;
        let Details::Bleu {
            precisions,
            brevity_penalty,
            hypothesis_length,
            reference_length,
            ..
        } = &self.details
        else {
            return Ok(());
        };
        for (n, precision) in precisions.iter().enumerate() {
            write!(f, "{}{precision:.1}", if n == 0 { ' ' } else { '/' })?;
        }
        let ratio = match *reference_length {
            0 => 0.0,
            length => *hypothesis_length as f64 / length as f64,
        };
        write!(
            f,
            " (BP = {brevity_penalty:.3} ratio = {ratio:.3} \
             hyp_len = {hypothesis_length} ref_len = {reference_length})"
        )
    }
}

/// Why hypotheses cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MeasureError {
    /// There is nothing to measure.
    #[error("there are no segments")]
    NoSegments,
    /// chrF counts neither characters nor words.
    #[error("the n-grams of characters and those of words have order 0")]
    NoOrders,
    /// Hypotheses and references do not line up.
    #[error("{n_hypotheses} hypotheses against {n_references} references")]
    Lengths {
        /// Which of the references, from 0.
        stream: usize,
        /// How many hypotheses there are.
        n_hypotheses: usize,
        /// How many texts these references have.
        n_references: usize,
    },
    /// Scores of this metric are given, not counted.
    #[error("the metric cannot be counted")]
    Given,
    /// A segment cannot be compared with anything.
    #[error("segment {} has no reference", segment + 1)]
    NoReference {
        /// Which segment, from 0.
        segment: usize,
    },
}

macro_rules! from_options {
    ($($name:ident),*) => {
        $(impl From<$name> for Metric {
            fn from(options: $name) -> Metric {
                Metric::$name(options)
            }
        })*
    };
}

from_options!(Bleu, Chrf, Ter, ExactMatch, RougeL, TokenF1);
