//! The tokens of a line, by one vocabulary or by several at once.
//!
//! A line of the common shape is counted text by text as it is read; any other
//! is parsed and walked by [`tokens`]. A test holds the two ways together.

use super::example::{Example, Speaker, kind_of};
use super::json::line_too_long;
use super::plain::{self, Raw};
use super::tokens::{self, TokenCount};
use super::{RawLine, Signs};
use crate::json::{Document, Kind, column_of, find_special};
use crate::text::tokens::{Counter, Tokenizer, estimate};

/// How the tokens of a text are told.
#[derive(Debug, Clone, Copy)]
pub enum Measure<'t> {
    /// Exactly, by a vocabulary.
    Vocabulary(&'t Tokenizer),
    /// From the kinds of its characters, as [`estimate`] does: the likely
    /// number.
    Estimate,
}

/// Counts the tokens of lines. Each thread has its own, and it is kept: it
/// remembers words, 1.5 MiB of them for each vocabulary.
#[derive(Debug)]
pub struct LineCounter<'t> {
    document: Document,
    meters: Vec<Meter<'t>>,
    counts: Vec<TokenCount>,
}

/// What an example comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts<'c> {
    /// Its tokens by each measure, in their order.
    pub tokens: &'c [TokenCount],
    /// It is one of preferences: it has `completions`.
    pub has_completions: bool,
}

/// What an example comes to whose texts were listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Its tokens by the first measure.
    pub tokens: TokenCount,
    /// How many turns it has, without those of completions.
    pub turns: u64,
    /// It is one of preferences: it has `completions`.
    pub has_completions: bool,
}

/// Why a line is no example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExample {
    /// Where that shows, in characters from 1.
    pub column: u64,
    /// A phrase.
    pub reason: String,
}

impl<'t> LineCounter<'t> {
    /// Makes one that counts by all of these measures.
    #[must_use]
    pub fn new(measures: &[Measure<'t>]) -> Self {
        Self {
            document: Document::new(),
            meters: measures.iter().map(|measure| Meter::of(*measure)).collect(),
            counts: Vec::new(),
        }
    }

    /// Counts the tokens of a line that is not blank.
    ///
    /// # Errors
    ///
    /// When it is no JSON object with turns. Whether the service would take
    /// those is for the rules to say.
    pub fn line(&mut self, line: &RawLine<'_>) -> Result<Counts<'_>, NotExample> {
        let has_completions = match line.utf8 {
            Some(text) if self.plain(text) => false,
            _ => self.any(line)?,
        };
        Ok(Counts {
            tokens: &self.counts,
            has_completions,
        })
    }

    /// Counts the tokens of a line that is not blank, and gives every text to
    /// `each` with whose it is and the number of its turn, as
    /// [`Example::texts`] has them.
    ///
    /// # Errors
    ///
    /// When it is no JSON object with turns; nothing was given then.
    pub fn listen(
        &mut self,
        line: &RawLine<'_>,
        mut each: impl FnMut(Speaker, u64, &str),
    ) -> Result<Heard, NotExample> {
        let mut turns = 0;
        let is_plain = line.utf8.is_some_and(|text| {
            let mut raws = Vec::new();
            let next = |from| find_special(text.as_bytes(), from);
            if plain::read_texts(text, next, |speaker, raw| raws.push((speaker, raw))).is_none() {
                return false;
            }
            self.start();
            for (speaker, raw) in raws {
                turns += u64::from(speaker != Speaker::System);
                let text = raw.decoded();
                self.count(speaker, &text);
                let turn = if speaker == Speaker::System { 0 } else { turns };
                each(speaker, turn, &text);
            }
            true
        });
        let mut has_completions = false;
        if !is_plain {
            has_completions = self.example(line, |example| {
                turns = example.turns.len() as u64;
                for text in &example.texts {
                    each(text.speaker, text.turn as u64, &text.text);
                }
            })?;
        }
        Ok(Heard {
            tokens: self.counts.first().copied().unwrap_or_default(),
            turns,
            has_completions,
        })
    }

    /// Counts a text by all measures.
    fn count(&mut self, speaker: Speaker, text: &str) {
        for (meter, count) in self.meters.iter_mut().zip(&mut self.counts) {
            let n = meter.count(text) as u64;
            match speaker {
                Speaker::System => count.system += n,
                Speaker::User => count.user += n,
                Speaker::Model => count.model += n,
            }
        }
    }

    /// Counts a line if it is plain.
    fn plain(&mut self, line: &str) -> bool {
        self.start();
        let each = |speaker, text: Raw<'_>| self.count(speaker, &text.decoded());
        let next = |from| find_special(line.as_bytes(), from);
        plain::read_texts(line, next, each).is_some()
    }

    /// Counts any line, and tells whether it has completions.
    fn any(&mut self, line: &RawLine<'_>) -> Result<bool, NotExample> {
        self.example(line, |_| {})
    }

    /// Counts any line, and shows the example in it.
    fn example(
        &mut self,
        line: &RawLine<'_>,
        show: impl FnOnce(&Example<'_, '_>),
    ) -> Result<bool, NotExample> {
        self.start();
        if let Some(n_bytes) = line.cut_from {
            return Err(NotExample::at_start(line_too_long::message(n_bytes)));
        }
        let root = self.document.parse(line.bytes).map_err(|error| {
            let (_, column) = column_of(line.bytes, error.offset);
            NotExample {
                column,
                reason: error.message(),
            }
        })?;
        if root.kind() != Kind::Object {
            let found = kind_of(root);
            return Err(NotExample::at_start(format!(
                "an example is a JSON object, this line is {found}"
            )));
        }
        let example = Example::of(root, Signs::NONE);
        if example.turns.is_empty() {
            return Err(NotExample::at_start("the example has no turns".into()));
        }
        for (meter, count) in self.meters.iter_mut().zip(&mut self.counts) {
            *count = tokens::count_by(&example, |text| meter.count(text));
        }
        show(&example);
        Ok(example.completions.is_some())
    }

    fn start(&mut self) {
        self.counts.clear();
        self.counts.resize(self.meters.len(), TokenCount::default());
    }
}

impl NotExample {
    fn at_start(reason: String) -> Self {
        Self { column: 1, reason }
    }
}

/// A measure at work.
#[derive(Debug)]
enum Meter<'t> {
    Counter(Box<Counter<'t>>),
    Estimate,
}

impl<'t> Meter<'t> {
    fn of(measure: Measure<'t>) -> Self {
        match measure {
            Measure::Vocabulary(tokenizer) => Self::Counter(Box::new(tokenizer.counter())),
            Measure::Estimate => Self::Estimate,
        }
    }

    fn count(&mut self, text: &str) -> usize {
        match self {
            Self::Counter(counter) => counter.count(text),
            Self::Estimate => estimate(text).likely,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example::write;
    use crate::rules::tests::lines_of_pages;

    fn counter() -> LineCounter<'static> {
        LineCounter::new(&[
            Measure::Vocabulary(Tokenizer::gemma3()),
            Measure::Vocabulary(Tokenizer::gemma4()),
            Measure::Estimate,
        ])
    }

    /// Counts a line both ways if it is plain, and gives the counts and whether
    /// it is.
    fn both_ways(counter: &mut LineCounter<'_>, line: &str) -> (Vec<TokenCount>, bool) {
        let is_plain = counter.plain(line);
        let plain = counter.counts.clone();
        let parsed = counter.any(&RawLine::alone(line.as_bytes()));
        if is_plain {
            assert_eq!(parsed, Ok(false), "{line}");
            assert_eq!(plain, counter.counts, "{line}");
        }
        let mut texts = 0;
        let line = RawLine::alone(line.as_bytes());
        let heard = counter.listen(&line, |_, _, _| texts += 1);
        match &parsed {
            Ok(_) => assert_eq!(heard.map(|heard| heard.tokens), Ok(counter.counts[0])),
            Err(why) => assert_eq!((heard.as_ref().err(), texts), (Some(why), 0)),
        }
        (plain, is_plain)
    }

    #[test]
    fn every_line_of_every_page_counts_the_same_both_ways() {
        let mut counter = counter();
        let lines = lines_of_pages();
        let texts = lines.iter().filter_map(|line| str::from_utf8(line).ok());
        let n_plain = texts.filter(|line| both_ways(&mut counter, line).1).count();
        assert!(n_plain > 20, "{n_plain}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn plain_lines_count_the_same_both_ways(
            system in proptest::option::of(".{0,20}"),
            turns in proptest::collection::vec("(\\PC|[ \n\t\"\\\\<>]){0,30}", 1..5),
        ) {
            let quoted = |text: &str| {
                let mut json = Vec::new();
                write::string(text, &mut json);
                String::from_utf8(json).unwrap()
            };
            let mut line = String::from("{");
            if let Some(system) = &system {
                line += &format!("\"systemInstruction\":{{\"parts\":[{{\"text\":{}}}]}},", quoted(system));
            }
            let contents: Vec<_> = turns.iter().zip(["user", "model"].into_iter().cycle()).map(|(text, role)| {
                format!("{{\"role\":\"{role}\",\"parts\":[{{\"text\":{}}}]}}", quoted(text))
            }).collect();
            line += &format!("\"contents\":[{}]}}", contents.join(","));
            let mut counter = counter();
            both_ways(&mut counter, &line);
            let counts = counter.line(&RawLine::alone(line.as_bytes())).unwrap();
            let mut alone = Tokenizer::gemma4().counter();
            let texts = system.iter().chain(&turns);
            let sum: usize = texts.map(|text| alone.count(text)).sum();
            prop_assert_eq!(counts.tokens[1].total(), sum as u64);
        }
    }

    #[test]
    fn texts_are_heard_with_their_turns() {
        let heard = |line: &str| {
            let mut texts = Vec::new();
            let each = |speaker, turn, text: &str| texts.push(format!("{speaker:?} {turn} {text}"));
            let heard = counter().listen(&RawLine::alone(line.as_bytes()), each);
            (texts.join("; "), heard.unwrap().turns)
        };
        let plain = r#"{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"text":"a\"b"}]},{"role":"model","parts":[{"text":"c"}]}]}"#;
        let expected = ("System 0 S; User 1 a\"b; Model 2 c".to_owned(), 2);
        assert_eq!(heard(plain), expected);
        assert_eq!(heard(&plain.replace(':', ": ")), expected);
        let call = r#"{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]}],"completions":[{"completion":{"parts":[{"text":"c"}]}}]}"#;
        assert_eq!(heard(call), ("User 1 a; User 1 b; Model 3 c".to_owned(), 2));
    }

    #[test]
    fn a_line_that_is_no_example_says_why() {
        let mut counter = counter();
        let mut why = |line: &str| {
            let line = RawLine::alone(line.as_bytes());
            let not = counter.line(&line).unwrap_err();
            format!("{}: {}", not.column, not.reason)
        };
        assert_eq!(
            why("[1]"),
            "1: an example is a JSON object, this line is an array"
        );
        assert_eq!(why("{}"), "1: the example has no turns");
        assert_eq!(why(r#"{"contents":"hi"}"#), "1: the example has no turns");
        assert_eq!(
            why(r#"{"é":1,"contents":[]]"#),
            "21: expected `,` or `}` after a value, found `]`"
        );
    }
}
