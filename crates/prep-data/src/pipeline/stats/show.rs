//! Examples that are to be seen, read again by their places.

use std::sync::Mutex;

use super::frequent::Kind;
use super::lines::Lines;
use super::measure::{Heard, opening};
use super::{StatsError, StatsRun};
use crate::io::{InputError, Reread};
use crate::rules::{Checker, Findings, LineCounter, Measure, RawLine, Speaker, Tally, masked};
use crate::text::scripts::{Language, language, language_among};

/// An example to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its place: its line, numbered through all files from 0.
    pub place: u64,
    /// Its texts in order, those of tools and media left out. Secrets are masked.
    pub texts: Vec<ShownText>,
    /// More texts follow.
    pub has_more: bool,
    /// The codes of what was found in it, in order.
    pub codes: Vec<&'static str>,
    /// Its tokens, as the limit of an example counts them.
    pub tokens: u64,
    /// The language of its last prompt.
    pub prompt_language: Option<Language>,
    /// The language of its last answer.
    pub answer_language: Option<Language>,
    /// It is no example; its one text is the line.
    pub is_broken: bool,
}

/// A text to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownText {
    /// Whose it is.
    pub speaker: Speaker,
    /// What it says, as far as it is shown.
    pub text: String,
    /// It goes on.
    pub is_cut: bool,
}

/// The most characters of one text.
const TEXT: usize = 1200;
/// The most characters of one example, and its most texts.
const ALL: usize = 4000;
const TEXTS: usize = 12;
/// The most characters of a text that many examples have.
const OFTEN: usize = 200;

/// Reads examples again.
pub(super) struct Showing<'s> {
    run: &'s StatsRun<'s>,
    rereads: &'s [Reread],
    lines: &'s Lines,
    /// The languages that short texts may be in.
    among: Vec<Language>,
    /// One at a time is enough: few lines are read again.
    counter: Mutex<LineCounter<'s>>,
}

impl<'s> Showing<'s> {
    pub(super) fn new(run: &'s StatsRun<'s>, rereads: &'s [Reread], lines: &'s Lines) -> Self {
        Self {
            run,
            rereads,
            lines,
            among: Vec::new(),
            counter: Mutex::new(LineCounter::new(&[run.measure])),
        }
    }

    /// Says which languages short texts may be in.
    pub(super) fn among(mut self, among: &[Language]) -> Self {
        self.among = among.to_vec();
        self
    }

    fn language(&self, text: &str) -> Option<Language> {
        language(text).or_else(|| language_among(text, &self.among))
    }

    /// The last prompt and the last answer at a place.
    pub(super) fn pair(&self, place: u64) -> Result<(String, String), StatsError> {
        let line = self.lines.read(place, self.rereads)?;
        let heard = hear(&line);
        Ok((heard.prompt, heard.answer))
    }

    /// A text of the example at a place, as much as is shown in a list.
    pub(super) fn text(&self, place: u64, kind: Kind) -> Result<String, StatsError> {
        let (line, _) = self.masked(place)?;
        let heard = hear(&line);
        let text = match kind {
            Kind::System => &heard.system,
            Kind::Answer => &heard.answer,
            Kind::PromptOpening => opening(&heard.prompt),
            Kind::AnswerOpening => opening(&heard.answer),
        };
        Ok(begin(text, OFTEN).0)
    }

    /// The examples at these places.
    pub(super) fn all(&self, places: &[u64]) -> Result<Vec<Shown>, StatsError> {
        places.iter().map(|place| self.example(*place)).collect()
    }

    fn example(&self, place: u64) -> Result<Shown, StatsError> {
        let (line, codes) = self.masked(place)?;
        let mut shown = Shown {
            place,
            texts: Vec::new(),
            has_more: false,
            codes,
            tokens: 0,
            prompt_language: None,
            answer_language: None,
            is_broken: false,
        };
        let mut heard = Heard::default();
        let mut room = ALL;
        let each = |speaker, turn, text: &str| {
            heard.hear(speaker, turn, text);
            if shown.texts.len() == TEXTS || room == 0 {
                shown.has_more = true;
                return;
            }
            let (begun, is_cut) = begin(text, TEXT.min(room));
            room -= begun.chars().count().min(room);
            shown.texts.push(ShownText {
                speaker,
                text: begun,
                is_cut,
            });
        };
        let mut counter = self.counter.lock().expect("no counting panics");
        match counter.listen(&RawLine::alone(&line), each) {
            Ok(example) => {
                shown.tokens = example.tokens.length();
                shown.prompt_language = self.language(&heard.prompt);
                shown.answer_language = self.language(&heard.answer);
            }
            Err(_) => {
                let (text, is_cut) = begin(&String::from_utf8_lossy(&line), TEXT);
                shown.is_broken = true;
                shown.texts.push(ShownText {
                    speaker: Speaker::User,
                    text,
                    is_cut,
                });
            }
        }
        Ok(shown)
    }

    /// The line at a place with its secrets masked, and what rules find in it.
    fn masked(&self, place: u64) -> Result<(Vec<u8>, Vec<&'static str>), InputError> {
        let bytes = self.lines.read(place, self.rereads)?;
        let findings = self.findings(&bytes);
        let codes = findings.found.iter().map(|found| found.rule.code.code);
        let codes = codes.collect();
        Ok((masked(&bytes).into_owned(), codes))
    }

    /// What rules find in a line.
    fn findings(&self, line: &[u8]) -> Findings {
        let mut findings = Findings::new(1, false);
        let mut checker = Checker::new(self.run.context, self.run.levels);
        let mut tally = Tally::default();
        checker.line(&RawLine::alone(line), &mut findings, &mut tally);
        findings
    }
}

/// The texts of a line.
fn hear(line: &[u8]) -> Heard {
    let mut heard = Heard::default();
    // Tokens are not wanted here, and the estimate is the cheapest.
    let mut counter = LineCounter::new(&[Measure::Estimate]);
    let each = |speaker, turn, text: &str| heard.hear(speaker, turn, text);
    match counter.listen(&RawLine::alone(line), each) {
        Ok(_) => heard,
        Err(_) => Heard::default(),
    }
}

/// The first characters of a text, and whether there are more.
fn begin(text: &str, chars: usize) -> (String, bool) {
    match text.char_indices().nth(chars) {
        Some((end, _)) => (text[..end].to_owned(), true),
        None => (text.to_owned(), false),
    }
}
