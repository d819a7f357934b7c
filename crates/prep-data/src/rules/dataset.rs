//! What is kept of a dataset while its lines go by, for the rules that look at
//! it as a whole.
//!
//! Of each example a [`Digest`] of 40 bytes is kept: who it is and how long.
//! A [`Tally`] counts over a batch, on any thread; tallies are added up in
//! input order into a [`Dataset`]. What is counted there takes memory that
//! does not grow with the number of examples.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use xxhash_rust::xxh3::xxh3_64;

pub(super) mod common_prefix;
pub(super) mod common_suffix;
pub(super) mod conflicting_answers;
pub(super) mod exact_duplicate;
pub(super) mod few_examples;
pub(super) mod frequent_answer;
pub(super) mod length_outlier;
pub(super) mod length_pile_up;
pub(super) mod no_examples;
pub(super) mod same_answers;
pub(super) mod same_prompts;
pub(super) mod several_system_instructions;
pub(super) mod some_without_system;
#[cfg(test)]
mod tests;
pub(super) mod validation_leakage;
pub(super) mod very_few_examples;

/// The lengths at which texts pile up when something upstream cut them:
/// column types, form fields, spreadsheet cells.
pub const CUT_LENGTHS: [u32; 6] = [255, 256, 1000, 1024, 4000, 32_767];

/// An answer of more than one in so many examples is never overlooked.
const FREQUENT: usize = 20;

/// How many candidates are kept for answers that are frequent.
const CANDIDATES: usize = 64;

/// An answer of one in so many examples of a batch is no candidate of it.
const RARE: usize = 40;

const _: () = assert!(RARE * CANDIDATES >= FREQUENT * (RARE + CANDIDATES));

/// A frequent value is counted once in so many values at least: more than one in
/// [`FREQUENT`] of them are it, of which one in [`RARE`] and one in [`CANDIDATES`]
/// are overlooked at most.
const COUNTED: usize =
    (RARE * CANDIDATES * FREQUENT).div_ceil(RARE * CANDIDATES - FREQUENT * (RARE + CANDIDATES));

/// The most system instructions that are told apart.
const MOST_SYSTEMS: usize = 1000;

/// How many characters of a text are kept to be shown.
const SHOWN: usize = 60;

/// A map by fingerprints, which are as good as random already: they are not
/// hashed again.
type ByFingerprint<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// The hasher that gives back the number it is given.
#[derive(Debug, Clone, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// One example, as far as the dataset needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// The fingerprint of everything but the last model turn, in canonical
    /// JSON.
    pub prompt: u128,
    /// The fingerprint of the last model turn; that of an empty one if there
    /// is none.
    pub answer: u64,
    /// Its line, from 1; inside a batch from the batch's first, from 0.
    pub line: u64,
    /// The characters of the last user turn.
    pub prompt_chars: u32,
    /// The characters of the last model turn.
    pub answer_chars: u32,
    /// A rule of error level found something in it.
    pub is_invalid: bool,
}

impl Digest {
    /// The size of a digest that is kept, in words of 8 bytes.
    pub const WORDS: usize = 5;

    /// Packs the digest into [`Digest::WORDS`] words.
    #[must_use]
    #[inline]
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        [
            self.prompt as u64,
            (self.prompt >> 64) as u64,
            self.answer,
            self.line << 1 | u64::from(self.is_invalid),
            u64::from(self.prompt_chars) | u64::from(self.answer_chars) << 32,
        ]
    }

    /// Unpacks a digest.
    #[must_use]
    #[inline]
    pub fn from_words(words: &[u64; Self::WORDS]) -> Self {
        let [low, high, answer, line, chars] = *words;
        Self {
            prompt: u128::from(low) | u128::from(high) << 64,
            answer,
            line: line >> 1,
            prompt_chars: chars as u32,
            answer_chars: (chars >> 32) as u32,
            is_invalid: line & 1 == 1,
        }
    }
}

/// A text that was met, with how often and where first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// How many examples have it.
    pub examples: u64,
    /// The first line that has it, from 1 (in a batch: from 0).
    pub first_line: u64,
    /// How it begins, as raw JSON text without quotes.
    pub shown: String,
}

/// The texts that all examples of a stretch begin and end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// What all begin with.
    pub prefix: String,
    /// What all end with.
    pub suffix: String,
}

impl Common {
    fn of(text: &str) -> Self {
        Self {
            prefix: text.to_owned(),
            suffix: text.to_owned(),
        }
    }

    #[inline]
    fn narrow(&mut self, text: &str) {
        if !begins_with(text, &self.prefix) || !ends_with(text, &self.suffix) {
            self.narrow_to(text, text);
        }
    }

    fn narrow_to(&mut self, prefix: &str, suffix: &str) {
        if !begins_with(prefix, &self.prefix) {
            let same = self.prefix.bytes().zip(prefix.bytes());
            let n = same.take_while(|(one, other)| one == other).count();
            self.prefix.truncate(self.prefix.floor_char_boundary(n));
        }
        if !ends_with(suffix, &self.suffix) {
            let same = self.suffix.bytes().rev().zip(suffix.bytes().rev());
            let n = same.take_while(|(one, other)| one == other).count();
            let start = self.suffix.len() - n;
            self.suffix.drain(..self.suffix.ceil_char_boundary(start));
        }
    }
}

/// [`str::starts_with`], in no time where nothing or one byte is in common, as
/// of most datasets after a few lines.
#[inline]
fn begins_with(text: &str, common: &str) -> bool {
    match common.as_bytes() {
        [] => true,
        [byte] => text.as_bytes().first() == Some(byte),
        _ => text.starts_with(common),
    }
}

/// The same of [`str::ends_with`].
#[inline]
fn ends_with(text: &str, common: &str) -> bool {
    match common.as_bytes() {
        [] => true,
        [byte] => text.as_bytes().last() == Some(byte),
        _ => text.ends_with(common),
    }
}

/// Values that may be frequent: the summary of Misra and Gries (1982), which
/// misses none that makes up more than one in [`CANDIDATES`] of what it is given,
/// and counts none too high. Summaries can be added up.
///
/// What makes up one in [`RARE`] of a batch at most is not given: together, no
/// value that makes up more than one in [`FREQUENT`] of all batches is missed.
#[derive(Debug, Clone, Default)]
struct Frequent(ByFingerprint<u64>);

impl Frequent {
    /// Sums up a batch. Where nothing is frequent, which is so of most batches,
    /// it takes a nanosecond a value.
    fn of(values: impl Iterator<Item = u64> + Clone) -> Self {
        let cell = |value: u64| (value % 256) as usize;
        let (mut counts, mut n) = ([0_u32; 256], 0_usize);
        for value in values.clone() {
            counts[cell(value)] += 1;
            n += 1;
        }
        let is_rare = |value: u64| counts[cell(value)] as usize * RARE <= n;
        let mut frequent = Self::default();
        if counts.iter().any(|count| *count as usize * RARE > n) {
            values
                .filter(|value| !is_rare(*value))
                .for_each(|value| frequent.add(value));
        }
        frequent
    }

    /// The values that may make up more than one in [`FREQUENT`] of the `n` that
    /// were there. Of small batches nearly all values are summed up, and nearly
    /// none of them is among these.
    fn candidates(&self, n: u64) -> impl Iterator<Item = u64> {
        let counts = self.0.iter();
        counts
            .filter(move |(_, count)| **count * COUNTED as u64 >= n)
            .map(|(value, _)| *value)
    }

    fn add(&mut self, value: u64) {
        if let Some(count) = self.0.get_mut(&value) {
            *count += 1;
        } else if self.0.len() < CANDIDATES {
            self.0.insert(value, 1);
        } else {
            self.0.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    fn append(&mut self, other: &Self) {
        for (value, count) in &other.0 {
            *self.0.entry(*value).or_default() += count;
        }
        if self.0.len() > CANDIDATES {
            let mut counts: Vec<_> = self.0.values().copied().collect();
            counts.sort_unstable_by(|one, other| other.cmp(one));
            let taken = counts[CANDIDATES];
            self.0.retain(|_, count| {
                *count = count.saturating_sub(taken);
                *count > 0
            });
        }
    }
}

/// An answer that several examples have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// How many examples have it.
    pub examples: u64,
    /// The first line that has it, from 1.
    pub first_line: u64,
}

/// Counts the answers that may be frequent.
#[derive(Debug, Clone)]
pub struct AnswerCounter(ByFingerprint<Repeated>);

impl AnswerCounter {
    /// Whether no answer may be frequent, so that there is nothing to count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts an example.
    pub fn add(&mut self, digest: &Digest) {
        if let Some(answer) = self.0.get_mut(&digest.answer) {
            answer.examples += 1;
            answer.first_line = answer.first_line.min(digest.line);
        }
    }

    /// Adds what another counter has counted.
    pub fn append(&mut self, other: &Self) {
        for (answer, counted) in &other.0 {
            if let Some(answer) = self.0.get_mut(answer) {
                answer.examples += counted.examples;
                answer.first_line = answer.first_line.min(counted.first_line);
            }
        }
    }
}

/// What an example is to the dataset, as the checker tells it. Texts are raw
/// JSON, without quotes.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) digest: Digest,
    pub(super) system: Option<&'a str>,
    pub(super) prompt: Option<&'a str>,
    pub(super) answer: Option<&'a str>,
    /// The prompt's fingerprint in normalised form, if it is to be kept.
    pub(super) normalised: Option<u64>,
    pub(super) is_multimodal: bool,
    /// The service would drop it.
    pub(super) is_dropped: bool,
}

/// The examples of a batch, counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Every example, in order.
    pub digests: Vec<Digest>,
    /// The normalised prompts of a validation file, with their lines.
    pub(super) normalised: Vec<(u64, u64)>,
    systems: Systems,
    n_without_system: u64,
    first_without_system: Option<u64>,
    prompts: Option<Common>,
    answers: Option<Common>,
    multimodal: u64,
    dropped: u64,
}

impl Tally {
    /// Forgets everything, and keeps the memory of the digests.
    pub fn clear(&mut self) {
        let mut digests = std::mem::take(&mut self.digests);
        digests.clear();
        *self = Self {
            digests,
            ..Self::default()
        };
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        self.digests.push(seen.digest);
        let normalised = seen.normalised.map(|prompt| (prompt, seen.digest.line));
        self.normalised.extend(normalised);
        match seen.system {
            Some(system) => self.systems.add(system, seen.digest.line),
            None => {
                self.n_without_system += 1;
                self.first_without_system.get_or_insert(seen.digest.line);
            }
        }
        narrow(&mut self.prompts, seen.prompt);
        narrow(&mut self.answers, seen.answer);
        self.multimodal += u64::from(seen.is_multimodal);
        self.dropped += u64::from(seen.is_dropped);
    }
}

/// System instructions with how often they were met.
///
/// Of more than [`MOST_SYSTEMS`], those with the smallest fingerprints are
/// kept. One of these is never left out of a part of the dataset either, as no
/// part has more that are smaller; so counts are exact and batches do not
/// matter.
#[derive(Debug, Clone, Default)]
struct Systems {
    counts: BTreeMap<u64, Count>,
    has_more: bool,
}

impl Systems {
    fn add(&mut self, system: &str, line: u64) {
        let fingerprint = xxh3_64(system.as_bytes());
        if let Some(count) = self.counts.get_mut(&fingerprint) {
            count.examples += 1;
            return;
        }
        let is_kept = self.counts.len() < MOST_SYSTEMS
            || self
                .counts
                .last_key_value()
                .is_some_and(|(last, _)| fingerprint < *last);
        if is_kept {
            let count = Count {
                examples: 1,
                first_line: line,
                shown: system.chars().take(SHOWN).collect(),
            };
            self.counts.insert(fingerprint, count);
        }
        self.has_more |= !is_kept;
        self.shrink();
    }

    /// Adds what a batch that begins at `line` has.
    fn append(&mut self, batch: Self, line: u64) {
        for (fingerprint, mut count) in batch.counts {
            if let Some(known) = self.counts.get_mut(&fingerprint) {
                known.examples += count.examples;
            } else {
                count.first_line += line;
                self.counts.insert(fingerprint, count);
            }
        }
        self.has_more |= batch.has_more;
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.counts.len() > MOST_SYSTEMS {
            self.counts.pop_last();
            self.has_more = true;
        }
    }
}

/// An example without the text has nothing in common with the others.
#[inline]
fn narrow(common: &mut Option<Common>, text: Option<&str>) {
    let text = text.unwrap_or_default();
    match common {
        Some(common) => common.narrow(text),
        None => *common = Some(Common::of(text)),
    }
}

/// The dataset as a whole.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Its size in bytes, uncompressed.
    pub bytes: u64,
    /// How many examples it has: lines that are JSON objects or should be.
    pub examples: u64,
    /// How many examples have media.
    pub multimodal: u64,
    /// How many examples the service would drop.
    pub dropped: u64,
    /// Examples without a system instruction.
    pub n_without_system: u64,
    /// The first of them, by its line.
    pub first_without_system: Option<u64>,
    /// What all last user turns have in common.
    pub prompts: Option<Common>,
    /// What all last model turns have in common.
    pub answers: Option<Common>,
    /// The prompt of all examples, if they have one and the same.
    pub only_prompt: Option<u128>,
    /// The answer of all examples, if they have one and the same.
    pub only_answer: Option<u64>,
    /// How long the last user turns are.
    pub prompt_chars: Lengths,
    /// How long the last model turns are.
    pub answer_chars: Lengths,
    /// The answers that are frequent, counted exactly once the dataset was
    /// read, from the most frequent.
    pub frequent_answers: Vec<Repeated>,
    /// The first last user turn of each of [`CUT_LENGTHS`], by its line.
    pub cut_prompts: [Option<u64>; CUT_LENGTHS.len()],
    /// The first last model turn of each of [`CUT_LENGTHS`], by its line.
    pub cut_answers: [Option<u64>; CUT_LENGTHS.len()],
    systems: Systems,
    frequent: Frequent,
}

impl Dataset {
    /// Adds a batch whose first line is `line`, from 1. Its digests are left
    /// with the batch, their lines made absolute.
    pub fn append(&mut self, tally: &mut Tally, line: u64) {
        for digest in &mut tally.digests {
            digest.line += line;
            let is_first = self.examples == 0;
            self.examples += 1;
            keep_if_same(&mut self.only_prompt, digest.prompt, is_first);
            keep_if_same(&mut self.only_answer, digest.answer, is_first);
            self.prompt_chars.add(digest.prompt_chars);
            self.answer_chars.add(digest.answer_chars);
            keep_if_cut(&mut self.cut_prompts, digest.prompt_chars, digest.line);
            keep_if_cut(&mut self.cut_answers, digest.answer_chars, digest.line);
        }
        for (_, of_prompt) in &mut tally.normalised {
            *of_prompt += line;
        }
        self.systems
            .append(std::mem::take(&mut tally.systems), line);
        self.n_without_system += tally.n_without_system;
        self.first_without_system = self
            .first_without_system
            .or(tally.first_without_system.map(|first| first + line));
        append_common(&mut self.prompts, tally.prompts.take());
        append_common(&mut self.answers, tally.answers.take());
        let answers = tally.digests.iter().map(|digest| digest.answer);
        self.frequent.append(&Frequent::of(answers));
        self.multimodal += tally.multimodal;
        self.dropped += tally.dropped;
    }

    /// The system instructions, from the most frequent; `None` if there are
    /// more than a thousand.
    #[must_use]
    pub fn systems(&self) -> Option<Vec<&Count>> {
        if self.systems.has_more {
            return None;
        }
        let mut systems: Vec<_> = self.systems.counts.values().collect();
        systems.sort_by_key(|count| (std::cmp::Reverse(count.examples), count.first_line));
        Some(systems)
    }

    /// Whether all examples have one prompt, and are enough to see that in.
    #[must_use]
    pub fn has_one_prompt(&self) -> bool {
        self.examples >= FEW && self.only_prompt.is_some()
    }

    /// Whether all examples have one answer that says something, and are enough
    /// to see that in.
    #[must_use]
    pub fn has_one_answer(&self) -> bool {
        let says_something = |common: &Common| !common.prefix.is_empty();
        self.examples >= FEW
            && self.only_answer.is_some()
            && self.answers.as_ref().is_some_and(says_something)
    }

    /// A counter of the answers that may be frequent. Every digest is to be
    /// added to one, in any order, and the counters to each other.
    #[must_use]
    pub fn answer_counter(&self) -> AnswerCounter {
        let none = Repeated {
            examples: 0,
            first_line: u64::MAX,
        };
        let answers = self.frequent.candidates(self.examples);
        AnswerCounter(answers.map(|answer| (answer, none)).collect())
    }

    /// Takes the exact counts of the answers that may be frequent.
    pub fn set_answers(&mut self, counter: AnswerCounter) {
        let mut answers = counter.0;
        // That there is no answer is the business of other rules.
        answers.remove(&xxh3_64(b""));
        self.frequent_answers = answers.into_values().collect();
        self.frequent_answers
            .sort_by_key(|answer| (std::cmp::Reverse(answer.examples), answer.first_line));
    }
}

/// Of two examples anything is true by chance.
const FEW: u64 = 3;

fn keep_if_cut(first: &mut [Option<u64>; CUT_LENGTHS.len()], chars: u32, line: u64) {
    if chars < CUT_LENGTHS[0] {
        return;
    }
    for (first, cut) in first.iter_mut().zip(CUT_LENGTHS) {
        if chars == cut {
            first.get_or_insert(line);
        }
    }
}

fn keep_if_same<T: PartialEq>(only: &mut Option<T>, value: T, is_first: bool) {
    if is_first {
        *only = Some(value);
    } else if only.as_ref() != Some(&value) {
        *only = None;
    }
}

fn append_common(all: &mut Option<Common>, batch: Option<Common>) {
    match (all.as_mut(), batch) {
        (Some(all), Some(batch)) => all.narrow_to(&batch.prefix, &batch.suffix),
        (None, batch) => *all = batch,
        (Some(_), None) => {}
    }
}

/// How many texts have each length, in characters: exactly up to 32,767, and
/// by powers of two above.
#[derive(Debug, Clone)]
pub struct Lengths {
    exact: Vec<u64>,
    longer: [u64; 32],
    n: u64,
    spread: OnceLock<Spread>,
}

/// How much lengths differ: by the logarithm, since twice as long is as far
/// from usual as half as long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The length in the middle.
    pub median: u32,
    /// The median of the distances from it, in natural logarithms.
    pub mad: f64,
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            exact: vec![0; Self::EXACT],
            longer: [0; 32],
            n: 0,
            spread: OnceLock::new(),
        }
    }
}

impl Lengths {
    const EXACT: usize = 32_768;

    pub(super) fn add(&mut self, chars: u32) {
        self.n += 1;
        self.spread.take();
        match self.exact.get_mut(chars as usize) {
            Some(count) => *count += 1,
            None => self.longer[chars.ilog2() as usize] += 1,
        }
    }

    /// How many texts have exactly this length; 0 above 32,767.
    #[must_use]
    pub fn exactly(&self, chars: u32) -> u64 {
        self.exact.get(chars as usize).copied().unwrap_or(0)
    }

    /// How many texts have a length of a range, which ends below 32,768.
    #[must_use]
    pub fn within(&self, chars: std::ops::Range<u32>) -> u64 {
        let end = (chars.end as usize).min(Self::EXACT);
        let start = (chars.start as usize).min(end);
        self.exact[start..end].iter().sum()
    }

    /// How much the lengths of the texts differ, empty ones left out. Worked
    /// out once.
    #[must_use]
    pub fn spread(&self) -> Spread {
        *self.spread.get_or_init(|| self.new_spread())
    }

    fn new_spread(&self) -> Spread {
        // Of what is longer than is counted exactly, the middle of the power.
        let longer = (0..)
            .zip(&self.longer)
            .map(|(power, n)| ((1_u64 << power) * 3 / 2, n));
        let exact = (0..).zip(&self.exact).skip(1);
        let counts: Vec<(f64, u64)> = exact
            .chain(longer)
            .filter(|(_, n)| **n > 0)
            .map(|(chars, n)| ((chars as f64).ln(), *n))
            .collect();
        let median = middle(&counts);
        let mut distances: Vec<_> = counts
            .iter()
            .map(|(length, n)| ((length - median).abs(), *n))
            .collect();
        distances.sort_by(|one, other| one.0.total_cmp(&other.0));
        Spread {
            median: median.exp().round() as u32,
            mad: middle(&distances),
        }
    }

    /// How many texts there are.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The smallest length that at least a share of the texts, from 0 to 1, do
    /// not exceed. Above 32,767 it is rounded up to one less than a power of
    /// two. 0 if there are no texts.
    #[must_use]
    pub fn quantile(&self, share: f64) -> u32 {
        let wanted = ((self.n as f64 * share).ceil() as u64).clamp(1, self.n.max(1));
        let mut n = 0;
        for (chars, count) in (0..).zip(&self.exact) {
            n += count;
            if n >= wanted {
                return chars;
            }
        }
        for (power, count) in (0..).zip(&self.longer) {
            n += count;
            if n >= wanted && self.n > 0 {
                return u32::MAX >> (31 - power);
            }
        }
        0
    }
}

/// The middle of values in order, each with how often it is there.
fn middle(counts: &[(f64, u64)]) -> f64 {
    let n: u64 = counts.iter().map(|(_, n)| n).sum();
    let mut before = 0;
    for (value, n_here) in counts {
        before += n_here;
        if before * 2 >= n {
            return *value;
        }
    }
    0.0
}

#[cfg(test)]
mod engine_tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_digest_survives_being_packed() {
        let digest = Digest {
            prompt: 7 << 100 | 3,
            answer: 9,
            line: 1 << 40,
            prompt_chars: 5,
            answer_chars: u32::MAX,
            is_invalid: true,
        };
        assert_eq!(Digest::from_words(&digest.to_words()), digest);
    }

    #[test]
    fn quantiles_are_lengths_that_occur() {
        let mut lengths = Lengths::default();
        for chars in [1, 2, 3, 4, 100_000] {
            lengths.add(chars);
        }
        assert_eq!([lengths.quantile(0.0), lengths.quantile(0.5)], [1, 3]);
        assert_eq!(lengths.quantile(1.0), 131_071);
        assert_eq!(Lengths::default().quantile(0.5), 0);
    }

    proptest! {
        #[test]
        fn what_is_common_does_not_depend_on_batches(
            texts in proptest::collection::vec("[ab]{0,3}[aé]{0,2}", 1..12), cut in 0..12_usize,
        ) {
            let whole = texts.iter().fold(None, |mut common, text| {
                narrow(&mut common, Some(text));
                common
            });
            let (first, second) = texts.split_at(cut.min(texts.len()));
            let mut parts = None;
            for part in [first, second] {
                let mut common = None;
                for text in part {
                    narrow(&mut common, Some(text));
                }
                append_common(&mut parts, common);
            }
            prop_assert_eq!(&parts, &whole);
            let whole = whole.unwrap();
            for text in &texts {
                prop_assert!(text.starts_with(&whole.prefix) && text.ends_with(&whole.suffix));
            }
        }

        #[test]
        fn a_frequent_value_is_never_missed(
            values in proptest::collection::vec(0..200_u64, 0..600), frequent in 0..3_u64, batch in 1..70_usize,
        ) {
            let values: Vec<_> = values.into_iter().flat_map(|value| [value, frequent]).collect();
            let mut all = Frequent::default();
            for batch in values.chunks(batch) {
                all.append(&Frequent::of(batch.iter().copied()));
            }
            let candidates: Vec<_> = all.candidates(values.len() as u64).collect();
            for value in 0..200 {
                let count = values.iter().filter(|other| **other == value).count();
                if count * FREQUENT > values.len() {
                    prop_assert!(candidates.contains(&value), "{value} {count} of {}", values.len());
                }
            }
        }
    }
}
