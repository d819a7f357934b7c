//! What a dataset is like, learnt from its beginning: the template around every
//! source, the usual ratio of lengths, the languages and scripts of both sides.
//!
//! Whoever reads a dataset gives its first pairs to a [`Survey`], before the
//! rules see any. So a stream is read once, and what is found does not depend
//! on threads. A dataset whose beginning is unlike the rest is not learnt
//! rightly; say then what is known in [`Wanted`].

use std::collections::BTreeMap;
use std::ops::Range;

use super::script::{Counts, Script};
use crate::text::language::{self, Language, Words, is_plainly};

/// How many pairs a survey takes at most: the band of lengths is settled within
/// one in a hundred long before.
const MOST_PAIRS: usize = 20_000;

/// How far a template goes before the source, and behind it, in bytes.
const ENDS_BYTES: usize = 400;

/// Of how many pairs the language is told: a few hundred settle a majority.
const MOST_TOLD: usize = 400;

/// What is known of a dataset beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The language of the sources as a BCP 47 tag.
    pub source_tag: Option<String>,
    /// The language of the targets as a BCP 47 tag; `es-419` is Spanish of
    /// America.
    pub target_tag: Option<String>,
    /// What stands before every source.
    pub source_prefix: Option<String>,
}

/// What stands around the source in every prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// Before it.
    pub prefix: String,
    /// Behind it.
    pub suffix: String,
}

impl Template {
    /// Where the source is in a prompt; all of it if the template is not there.
    #[must_use]
    pub fn source(&self, prompt: &str) -> Range<usize> {
        let start = if prompt.starts_with(&self.prefix) {
            self.prefix.len()
        } else {
            0
        };
        let rest = &prompt[start..];
        let is_there = !self.suffix.is_empty() && rest.ends_with(&self.suffix);
        start..prompt.len() - if is_there { self.suffix.len() } else { 0 }
    }
}

/// The usual ratio of lengths, target to source in characters, as a logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Band {
    /// The median.
    pub middle: f64,
    /// The median distance from it, scaled to a standard deviation; `None` if
    /// there were too few pairs to learn it from.
    pub spread: Option<f64>,
}

/// What the target is to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Relation {
    /// The same in another language.
    #[default]
    Translation,
    /// An answer, in the same language.
    Answer,
}

/// What a dataset is like.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learnt {
    /// How many pairs it was learnt from.
    pub pairs: usize,
    /// What stands around every source.
    pub template: Template,
    /// How long targets are.
    pub band: Band,
    /// The language of the sources.
    pub source_language: Option<Language>,
    /// The language of the targets.
    pub target_language: Option<Language>,
    /// Words of the sources, of such as are in their language.
    pub source_words: Words,
    /// Words of the targets, of such as are in their language.
    pub target_words: Words,
    /// The script of the sources.
    pub source_script: Option<Script>,
    /// The script of the targets.
    pub target_script: Option<Script>,
    /// The targets are Spanish of America.
    pub is_latin_american: bool,
    /// What a target is to its source.
    pub relation: Relation,
}

/// The first pairs of a dataset: prompts and answers.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    pairs: Vec<(String, String)>,
}

impl Survey {
    /// Takes a pair, and tells whether more are wanted.
    pub fn add(&mut self, prompt: &str, answer: &str) -> bool {
        self.pairs.push((prompt.to_owned(), answer.to_owned()));
        self.pairs.len() < MOST_PAIRS
    }

    /// Says what the pairs are like.
    #[must_use]
    pub fn finish(&self, wanted: &Wanted) -> Learnt {
        let template = self.template(wanted);
        let pairs: Vec<(&str, &str)> = self
            .pairs
            .iter()
            .map(|(prompt, answer)| (&prompt[template.source(prompt)], &**answer))
            .collect();
        let source_script = script_of(pairs.iter().map(|pair| pair.0));
        let target_script = script_of(pairs.iter().map(|pair| pair.1));
        let sources = || pairs.iter().map(|pair| pair.0);
        let targets = || pairs.iter().map(|pair| pair.1);
        let (source_language, source_words) = language_of(sources, wanted.source_tag.as_deref());
        let (target_language, target_words) = language_of(targets, wanted.target_tag.as_deref());
        let relation = match (source_language, target_language) {
            (Some(source), Some(target)) if source == target => Relation::Answer,
            _ => Relation::Translation,
        };
        Learnt {
            pairs: pairs.len(),
            band: band(&pairs, source_script, target_script),
            is_latin_american: is_latin_american(wanted, &template),
            template,
            source_language,
            target_language,
            source_words,
            target_words,
            source_script,
            target_script,
            relation,
        }
    }

    fn template(&self, wanted: &Wanted) -> Template {
        let prompts = || self.pairs.iter().map(|(prompt, _)| &**prompt);
        let heads = prompts().map(|prompt| &prompt[..prompt.floor_char_boundary(ENDS_BYTES)]);
        let prefix = match &wanted.source_prefix {
            Some(prefix) => prefix.clone(),
            None => prefix_of(&common(heads.map(str::to_owned))),
        };
        // Backwards, what texts end with is what they begin with.
        let longer = prompts().filter(|prompt| prompt.len() > prefix.len());
        let tails = longer.map(|prompt| {
            let start = prompt.len().saturating_sub(ENDS_BYTES);
            prompt[prompt.ceil_char_boundary(start)..]
                .chars()
                .rev()
                .collect()
        });
        let backwards = common(tails);
        let suffix = suffix_of(&backwards.chars().rev().collect::<String>());
        Template { prefix, suffix }
    }
}

/// What all but one in twenty of the texts begin with. Of the texts in order,
/// those that share the longest beginning stand together.
fn common(texts: impl Iterator<Item = String>) -> String {
    const FEWEST: usize = 4;
    let mut texts: Vec<String> = texts.collect();
    if texts.len() < FEWEST {
        return String::new();
    }
    texts.sort_unstable();
    let n_shared = (texts.len() * 19).div_ceil(20);
    let shared = texts.windows(n_shared).map(|window| {
        let (first, last) = (&window[0], &window[n_shared - 1]);
        let same = first
            .bytes()
            .zip(last.bytes())
            .take_while(|(one, other)| one == other);
        let n = first.floor_char_boundary(same.count());
        &first[..n]
    });
    shared
        .max_by_key(|shared| shared.len())
        .unwrap_or_default()
        .to_owned()
}

/// The part of a common beginning that is a template: up to a colon, a quote or
/// a line end, and with a word in it. `The ` is none.
fn prefix_of(shared: &str) -> String {
    const ENDS: [char; 10] = [':', '：', '\n', '"', '“', '«', '「', '>', '`', '|'];
    let Some((at, c)) = shared.char_indices().rfind(|(_, c)| ENDS.contains(c)) else {
        return String::new();
    };
    let mut end = at + c.len_utf8();
    end += shared[end..].len()
        - shared[end..]
            .trim_start_matches([' ', '\n', '"', '“'])
            .len();
    let has_words = shared[..end].chars().filter(|c| c.is_alphabetic()).count() >= 2;
    if has_words {
        shared[..end].to_owned()
    } else {
        String::new()
    }
}

/// The part of a common end that is a template: from a line end or a quote on.
fn suffix_of(shared: &str) -> String {
    match shared.find(['\n', '"', '”', '»', '」', '<', '`', '|']) {
        Some(at) => shared[at..].to_owned(),
        None => String::new(),
    }
}

fn is_latin_american(wanted: &Wanted, template: &Template) -> bool {
    if let Some(tag) = &wanted.target_tag {
        let mut parts = tag.split(['-', '_']).map(str::to_ascii_lowercase);
        let is_spanish = parts
            .next()
            .is_some_and(|part| part == "es" || part == "spa");
        return is_spanish && parts.next().is_some_and(|region| region != "es");
    }
    let said = template.prefix.to_lowercase();
    [
        "latin american",
        "latin-american",
        "latinoam",
        "es-419",
        "es-mx",
        "mexican spanish",
    ]
    .iter()
    .any(|name| said.contains(name))
}

/// The script of most texts, if it is that of four in five.
fn script_of<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Script> {
    let mut votes: BTreeMap<Script, usize> = BTreeMap::new();
    for text in texts.take(MOST_TOLD) {
        if let Some(script) = Counts::of(text).most() {
            *votes.entry(script).or_default() += 1;
        }
    }
    majority(&votes)
}

/// The language of the texts: the one that was said, or that of most of them, if
/// there are enough that leave no doubt. With the words of texts that are in it.
fn language_of<'t, I: Iterator<Item = &'t str>>(
    texts: impl Fn() -> I,
    said: Option<&str>,
) -> (Option<Language>, Words) {
    const LETTERS: usize = 20;
    /// More texts have few words that others have not.
    const MOST_READ: usize = 5_000;
    let can_be_told = |text: &&str| {
        super::n_alphanumeric(text) >= LETTERS
            || text.chars().any(|c| Script::of(c) == Some(Script::Han))
    };
    let told: Vec<_> = texts()
        .filter(can_be_told)
        .take(MOST_TOLD)
        .map(|text| (text, language::language(text)))
        .collect();
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for language in told.iter().filter_map(|(_, language)| *language) {
        *votes.entry(language.code()).or_default() += 1;
    }
    let said = said.and_then(Language::of_tag);
    let language = said.or_else(|| majority(&votes).and_then(Language::of_tag));
    let mut words = Words::default();
    if let Some(language) = language {
        let in_it = told.iter().filter(|(_, told)| *told == Some(language));
        let plain = texts()
            .take(MOST_READ)
            .filter(|text| is_plainly(text, language));
        in_it
            .map(|(text, _)| *text)
            .chain(plain)
            .for_each(|text| words.add(text));
    }
    (language, words)
}

fn majority<T: Copy + Ord>(votes: &BTreeMap<T, usize>) -> Option<T> {
    let total: usize = votes.values().sum();
    let (most, n) = votes.iter().max_by_key(|(_, n)| **n)?;
    (n * 5 >= total * 4).then_some(*most)
}

/// The band of lengths: the median of the logarithm of the ratio and the median
/// distance from it, which a fifth of bad pairs do not move.
fn band(pairs: &[(&str, &str)], source: Option<Script>, target: Option<Script>) -> Band {
    const FEWEST: usize = 100;
    const FROM_CHARS: usize = 20;
    /// Makes a standard deviation of a median distance.
    const SCALE: f64 = 1.4826;
    let lengths = pairs
        .iter()
        .map(|(source, target)| (n_chars(source), n_chars(target)));
    let mut ratios: Vec<f64> = lengths
        .filter(|(source, target)| *source.min(target) > 0 && *source.max(target) >= FROM_CHARS)
        .map(|(source, target)| (target as f64 / source as f64).ln())
        .collect();
    if ratios.len() < FEWEST {
        let density = |script: Option<Script>| script.map_or(10.0, Script::density);
        return Band {
            middle: (density(target) / density(source)).ln(),
            spread: None,
        };
    }
    let middle = median(&mut ratios);
    let mut distances: Vec<f64> = ratios.iter().map(|ratio| (ratio - middle).abs()).collect();
    Band {
        middle,
        spread: Some(SCALE * median(&mut distances)),
    }
}

fn median(values: &mut [f64]) -> f64 {
    let at = values.len() / 2;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

/// Counts the characters that say something: white space says nothing.
pub(super) fn n_chars(text: &str) -> usize {
    let begins = text
        .bytes()
        .filter(|byte| byte & 0xc0 != 0x80 && !byte.is_ascii_whitespace());
    begins.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(prompts: &[String]) -> Survey {
        let mut survey = Survey::default();
        for prompt in prompts {
            survey.add(prompt, "una respuesta");
        }
        survey
    }

    #[test]
    fn a_template_is_what_nearly_all_prompts_share() {
        let of = |make: &dyn Fn(&str) -> String| {
            let words = [
                "Apples", "Bread", "Cheese", "Dates", "Eggs", "Figs", "Grapes", "Ham", "Ice",
                "Jam", "Kale", "Leeks",
            ];
            let prompts: Vec<_> = words.iter().map(|word| make(word)).collect();
            survey(&prompts).template(&Wanted::default())
        };
        let template = of(&|word| format!("Translate to Spanish: {word}"));
        assert_eq!(
            (&*template.prefix, &*template.suffix),
            ("Translate to Spanish: ", "")
        );
        assert_eq!(template.source("Translate to Spanish: Apples"), 22..28);
        assert_eq!(template.source("Apples"), 0..6);
        let quoted = of(&|word| format!("Say \"{word}\" in Spanish.\n\nBe brief."));
        assert_eq!(
            (&*quoted.prefix, &*quoted.suffix),
            ("Say \"", "\" in Spanish.\n\nBe brief.")
        );
        let none = of(&|word| format!("The {word} is here."));
        assert_eq!(none, Template::default());
    }

    #[test]
    fn spanish_of_america_is_known_where_it_is_said() {
        let of = |tag: &str| {
            let wanted = Wanted {
                target_tag: Some(tag.into()),
                ..Wanted::default()
            };
            survey(&[]).finish(&wanted).is_latin_american
        };
        assert_eq!(
            ["es-419", "es_MX", "es", "es-ES", "pt-BR"].map(of),
            [true, true, false, false, false]
        );
    }

    #[test]
    fn a_fifth_of_bad_pairs_does_not_move_the_band() {
        let pairs: Vec<(String, String)> = (0..500)
            .map(|n| {
                (
                    "x".repeat(30 + n % 50),
                    "y".repeat(if n % 6 == 0 { 600 } else { 33 + n % 50 }),
                )
            })
            .collect();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(one, other)| (&**one, &**other))
            .collect();
        let band = band(&pairs, None, None);
        assert!((0.0..0.15).contains(&band.middle), "{band:?}");
        assert!(band.spread.is_some_and(|spread| spread < 0.2), "{band:?}");
    }
}
