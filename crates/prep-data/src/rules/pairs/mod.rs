//! Rules about a segment pair: what the user says last, and what the model
//! answers.
//!
//! They are off unless a [`Preset`] turns them on, as the answer of a chat is
//! no translation of the question. What a rule compares with (the template
//! around the source, the usual ratio of lengths, the languages) is learnt from
//! the beginning of the dataset: [`learn`]. Where both sides are in one
//! language, the target answers the source instead of translating it, and the
//! rules that compare the sides keep still.
//!
//! A rule measures and then judges, in two functions: `measure` looks at texts
//! and knows no limit, `judge` holds the measure to the limits of the preset.
//! Neither knows of JSON, so a plain line costs no parse unless something was
//! found in it.

pub(super) mod addresses_differ;
pub(super) mod empty_side;
mod forms;
mod glossary;
pub(super) mod glossary_term;
pub mod learn;
pub(super) mod length_ratio;
pub(super) mod mixed_address;
mod number_words;
mod numbers;
pub(super) mod numbers_differ;
mod placeholders;
pub(super) mod placeholders_differ;
pub(super) mod presets;
pub(super) mod regional_spanish;
pub(super) mod repeated_text;
mod script;
pub(super) mod terminal_punctuation;
#[cfg(test)]
mod tests;
pub(super) mod unpaired_punctuation;
pub(super) mod untranslated;
pub(super) mod wrong_language;
pub(super) mod wrong_script;

use std::ops::Range;

pub use glossary::{Glossary, GlossaryError};
pub use learn::{Learnt, Survey, Wanted};
pub use presets::Preset;

use super::glance::{self, Glance};
use super::{Check, Example, Levels, RULES, Rule, Speaker, Text};
use crate::diag::Level;
use crate::text::language::Language;
use presets::Limits;

/// What pair rules go by: the limits of a preset, what was learnt from the
/// dataset, and a glossary.
#[derive(Debug, Clone)]
pub struct PairContext {
    /// The limits.
    pub preset: Preset,
    /// What the dataset is like.
    pub learnt: Learnt,
    /// The terms that must be kept to.
    pub glossary: Option<Glossary>,
}

impl PairContext {
    pub(super) fn limits(&self) -> &'static Limits {
        self.preset.limits()
    }

    /// Whether the sides of a pair must be in the languages of the dataset. An
    /// answer need not: it may be a translation, a name or a program that was
    /// asked for.
    pub(super) fn is_bound(&self, pair: &Pair<'_>) -> bool {
        /// Words for languages, and for texts that have none.
        const OTHERS: [&str; 22] = [
            "nglish",
            "nglés",
            "panish",
            "spañol",
            "rench",
            "rancés",
            "erman",
            "lemán",
            "hinese",
            "chino",
            "英",
            "法语",
            "法文",
            "日语",
            "德语",
            "西班牙",
            "中文",
            "拼音",
            "代码",
            "ython",
            "code",
            "SQL",
        ];
        let is_answer = self.learnt.relation == learn::Relation::Answer;
        !is_answer
            || !(crate::text::openings::speaks_of_translation(pair.source)
                || OTHERS.iter().any(|word| pair.source.contains(word)))
    }

    pub(super) fn target_is(&self, language: Language) -> bool {
        self.learnt.target_language == Some(language)
    }
}

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairSide {
    /// What is translated, or asked.
    Source,
    /// What the model says.
    Target,
}

/// What a pair rule has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// About which side.
    pub side: PairSide,
    /// About which stretch of it, in bytes.
    pub range: Range<usize>,
    /// In which words.
    pub message: String,
}

impl Said {
    fn of_target(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            side: PairSide::Target,
            range,
            message: message.into(),
        }
    }

    fn of_source(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            side: PairSide::Source,
            range,
            message: message.into(),
        }
    }
}

/// A function that looks at a pair.
pub type PairCheck = fn(&Pair<'_>, &PairContext) -> Option<Said>;

/// The two texts of a pair.
#[derive(Debug, Clone)]
pub struct Pair<'t> {
    /// What is translated, without the template around it.
    pub source: &'t str,
    /// What it becomes.
    pub target: &'t str,
    /// How many bytes of the prompt stand before the source.
    pub source_start: usize,
    /// Which characters the sides have.
    of_source: Marks,
    of_target: Marks,
}

impl<'t> Pair<'t> {
    /// Takes the template off a prompt.
    #[must_use]
    pub fn new(prompt: &'t str, answer: &'t str, learnt: &Learnt) -> Self {
        let range = learnt.template.source(prompt);
        let source = &prompt[range.clone()];
        Self {
            source,
            target: answer,
            source_start: range.start,
            of_source: Marks::of(source),
            of_target: Marks::of(answer),
        }
    }

    fn either(&self, mark: Marks) -> bool {
        (self.of_source.0 | self.of_target.0) & mark.0 != 0
    }
}

/// The kinds of bytes that a text has: one look spares most rules theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks(u16);

impl Marks {
    const DIGIT: Self = Self(1);
    /// What placeholders and tags begin with.
    const PLACEHOLDER: Self = Self(2);
    /// What most addresses have: `@` or `/`.
    const ADDRESS: Self = Self(4);
    const QUESTION: Self = Self(8);
    const EXCLAMATION: Self = Self(16);
    /// ASCII brackets and straight quotes.
    const PAIRED: Self = Self(32);
    const BEYOND_ASCII: Self = Self(64);
    const ANY_DIGIT: Self = Self(Self::DIGIT.0 | Self::BEYOND_ASCII.0);

    fn of(text: &str) -> Self {
        const TABLE: [u16; 256] = {
            let mut table = [0; 256];
            let mut byte = 0;
            while byte < 256 {
                table[byte] = match byte as u8 {
                    b'0'..=b'9' => Marks::DIGIT.0,
                    b'{' | b'%' | b'<' | b'\\' | b'$' => Marks::PLACEHOLDER.0,
                    b'[' | b']' => Marks::PLACEHOLDER.0 | Marks::PAIRED.0,
                    b'@' | b'/' => Marks::ADDRESS.0,
                    b'?' => Marks::QUESTION.0,
                    b'!' => Marks::EXCLAMATION.0,
                    b'(' | b')' | b'"' => Marks::PAIRED.0,
                    128.. => Marks::BEYOND_ASCII.0,
                    _ => 0,
                };
                byte += 1;
            }
            table
        };
        let marks = text
            .bytes()
            .fold(0, |marks, byte| marks | TABLE[usize::from(byte)]);
        Self(marks)
    }

    fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }
}

/// Whether a text may have addresses.
fn may_have_addresses(text: &str, marks: Marks) -> bool {
    marks.has(Marks::ADDRESS) || memchr::memmem::find(text.as_bytes(), b"www.").is_some()
}

/// Where a text has addresses and placeholders: what a program reads.
fn code(text: &str, marks: Marks) -> Vec<Range<usize>> {
    let mut code = Vec::new();
    if may_have_addresses(text, marks) {
        let found = addresses_differ::addresses(text).into_iter();
        code.extend(found.map(|address| address.range));
    }
    if marks.has(Marks::PLACEHOLDER) {
        let found = placeholders::placeholders(text).into_iter();
        code.extend(found.map(|placeholder| placeholder.range));
    }
    code
}

/// The pair of an example: its last prompt and its answer, if each is one text.
pub(super) fn texts_of<'e, 'd, 'a>(
    example: &'e Example<'d, 'a>,
) -> Option<(&'e Text<'d, 'a>, &'e Text<'d, 'a>)> {
    let answer = example.answer()?;
    let alone = |turn: usize, speaker: Speaker| {
        let mut texts = example.texts.iter();
        let text = texts.find(|text| text.turn == turn && text.speaker == speaker);
        let is_alone = texts.next().is_none_or(|next| next.turn != turn);
        let n_parts = example
            .turns
            .get(turn - 1)
            .map_or(0, |turn| turn.parts.len());
        text.filter(|_| is_alone && n_parts == 1)
    };
    let n = answer.n.checked_sub(1).filter(|&n| n > 0)?;
    Some((alone(n, Speaker::User)?, alone(answer.n, Speaker::Model)?))
}

/// Gives the pair of a line of Gemini JSONL to `each`, if it has one.
pub fn pair_of_line(
    line: &[u8],
    document: &mut crate::json::Document,
    each: impl FnOnce(&str, &str),
) {
    if let Ok(text) = std::str::from_utf8(line) {
        let mut glance = Glance::default();
        glance.look(text);
        let seen = glance::Seen {
            glance: &glance,
            start: 0,
        };
        if let Some(plain) = super::plain::read(text, seen) {
            each(&plain.prompt.decoded(), &plain.answer.decoded());
            return;
        }
    }
    if let Ok(root) = document.parse(line) {
        let example = Example::of(root, super::Signs::NONE);
        if let Some((prompt, answer)) = texts_of(&example) {
            each(&prompt.text, &answer.text);
        }
    }
}

/// A pair rule that is on.
#[derive(Debug, Clone, Copy)]
pub struct ActivePair {
    /// The rule's place in [`RULES`].
    pub index: usize,
    /// How much it matters.
    pub level: Level,
    check: PairCheck,
}

impl ActivePair {
    /// Asks the rule about a pair.
    #[must_use]
    pub fn ask(&self, pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
        (self.check)(pair, context)
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        RULES[self.index]
    }
}

/// The pair rules that are on at these levels, in the order of the table.
#[must_use]
pub fn active(levels: &Levels) -> Vec<ActivePair> {
    let rules = RULES.iter().enumerate();
    let pairs = rules.filter_map(|(index, rule)| match rule.check {
        Check::Pair(check) => Some(ActivePair {
            index,
            level: levels.of(index),
            check,
        }),
        _ => None,
    });
    pairs.filter(|rule| rule.level > Level::Allow).collect()
}

/// Counts the letters and digits of a text.
fn n_alphanumeric(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// The words of a text with their places. A word is of letters, digits and the
/// apostrophes and hyphens inside it.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '-');
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let start = rest + text[rest..].find(char::is_alphanumeric)?;
            let end = text[start..]
                .find(|c| !is_word(c))
                .map_or(text.len(), |n| start + n);
            rest = end;
            let word = text[start..end].trim_end_matches(['\'', '’', '-']);
            if !word.is_empty() {
                return Some((start, word));
            }
        }
    })
}

/// A list of things as messages name them: the first few, in backticks.
fn named<T: AsRef<str>>(things: &[T]) -> String {
    const MANY: usize = 4;
    let shown: Vec<_> = things
        .iter()
        .take(MANY)
        .map(|thing| format!("`{}`", thing.as_ref()))
        .collect();
    match things.len() {
        0..=MANY => shown.join(", "),
        n => format!("{} and {} more", shown.join(", "), n - MANY),
    }
}
