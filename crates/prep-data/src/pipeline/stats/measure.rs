//! What one example comes to.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::pipeline::check::raw_line;
use crate::pipeline::compared::{Prints, Reader};
use crate::pipeline::count::NotCounted;
use crate::pipeline::lines::LineBatch;
use crate::rules::{LineCounter, Measure, Speaker, TokenCount};
use crate::text::scripts::Scripts;

/// The numbers of an example. Lines count from the first of their batch.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) number: u64,
    /// Where it begins in the batch, in bytes.
    pub(super) offset: u64,
    pub(super) turns: u64,
    pub(super) has_completions: bool,
    pub(super) tokens: TokenCount,
    /// Of the system, of users, of the model.
    pub(super) chars: [u64; 3],
    pub(super) prompt_chars: u64,
    pub(super) answer_chars: u64,
    /// Fingerprints of texts, where there are such.
    pub(super) system: Option<u64>,
    pub(super) answer: Option<u64>,
    pub(super) prompt_opening: Option<u64>,
    pub(super) answer_opening: Option<u64>,
    /// What it is known by to others; `None` if it cannot be compared.
    pub(super) prints: Option<Prints>,
}

/// A batch that was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    pub(super) lines: u64,
    pub(super) blank: u64,
    pub(super) not_examples: u64,
    /// Its line counts from 1.
    pub(super) first_not_example: Option<NotCounted>,
    /// Of users, of the model, of systems.
    pub(super) scripts: [Scripts; 3],
}

/// Measures lines. Each thread has its own, and it is kept.
#[derive(Debug)]
pub(super) struct Measurer<'m> {
    counter: LineCounter<'m>,
    reader: Reader,
    heard: Heard,
}

/// The texts of an example, as far as they are needed.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) system: String,
    pub(super) prompt: String,
    pub(super) answer: String,
    chars: [u64; 3],
    has_system: bool,
    /// The turns that prompt and answer are of; 0 if there are none.
    prompt_turn: u64,
    answer_turn: u64,
}

impl Heard {
    pub(super) fn clear(&mut self) {
        self.system.clear();
        self.prompt.clear();
        self.answer.clear();
        self.chars = [0; 3];
        self.has_system = false;
        (self.prompt_turn, self.answer_turn) = (0, 0);
    }

    pub(super) fn hear(&mut self, speaker: Speaker, turn: u64, text: &str) {
        let (side, last, n) = match speaker {
            Speaker::System => {
                self.has_system = true;
                (&mut self.system, None, 0)
            }
            Speaker::User => (&mut self.prompt, Some(&mut self.prompt_turn), 1),
            Speaker::Model => (&mut self.answer, Some(&mut self.answer_turn), 2),
        };
        if let Some(last) = last
            && *last != turn
        {
            *last = turn;
            side.clear();
        }
        side.push_str(text);
        self.chars[n] += text.chars().count() as u64;
    }
}

impl<'m> Measurer<'m> {
    pub(super) fn new(measure: Measure<'m>) -> Self {
        Self {
            counter: LineCounter::new(&[measure]),
            reader: Reader::default(),
            heard: Heard::default(),
        }
    }

    pub(super) fn batch(&mut self, batch: &LineBatch) -> Measured {
        let mut measured = Measured::default();
        measured.lines = batch.for_each(|line| {
            if line.is_blank() {
                measured.blank += 1;
                return;
            }
            let Self {
                counter,
                reader,
                heard,
            } = self;
            heard.clear();
            let [of_users, of_model, of_systems] = &mut measured.scripts;
            let example = counter.listen(&raw_line(&line, false), |speaker, turn, text| {
                heard.hear(speaker, turn, text);
                match speaker {
                    Speaker::User => of_users.add(text),
                    Speaker::Model => of_model.add(text),
                    Speaker::System => of_systems.add(text),
                }
            });
            let example = match example {
                Ok(example) => example,
                Err(why) => {
                    measured.not_examples += 1;
                    let line = line.number + 1;
                    measured
                        .first_not_example
                        .get_or_insert(NotCounted { line, why });
                    return;
                }
            };
            let print =
                |text: &str| (!text.is_empty()).then(|| xxh3_64_with_seed(text.as_bytes(), 0));
            measured.rows.push(Row {
                number: line.number,
                offset: line.offset,
                turns: example.turns,
                has_completions: example.has_completions,
                tokens: example.tokens,
                chars: heard.chars,
                prompt_chars: heard.prompt.chars().count() as u64,
                answer_chars: heard.answer.chars().count() as u64,
                system: heard
                    .has_system
                    .then(|| xxh3_64_with_seed(heard.system.as_bytes(), 0)),
                answer: print(&heard.answer),
                prompt_opening: print(opening(&heard.prompt)),
                answer_opening: print(opening(&heard.answer)),
                // The reader of comparisons asks for more than the counter.
                prints: reader.read(line.text, false).ok(),
            });
        });
        measured
    }
}

/// What a text begins with: its first line, up to 16 characters and the rest of
/// the word that they end in, 32 characters at most. Scripts without spaces
/// have no such rest.
pub(super) fn opening(text: &str) -> &str {
    const CHARS: usize = 16;
    const MOST: usize = 32;
    let is_of_word = |c: char| c.is_alphanumeric() && c < '\u{2e80}';
    let text = text.trim_start();
    let mut last = None;
    for (n, (at, c)) in text.char_indices().enumerate() {
        let goes_on = n < CHARS || (n < MOST && is_of_word(c) && last.is_some_and(is_of_word));
        if c == '\n' || !goes_on {
            return text[..at].trim_end();
        }
        last = Some(c);
    }
    text.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_ends_with_a_word() {
        assert_eq!(
            opening("Translate to Spanish: the cat"),
            "Translate to Spanish"
        );
        assert_eq!(opening("  Hi\nthere"), "Hi");
        assert_eq!(opening("short"), "short");
        assert_eq!(opening(""), "");
        assert_eq!(opening("Please do this  x"), "Please do this");
        let chinese = "请把下面的句子翻译成西班牙语并保持格式不变谢谢";
        assert_eq!(opening(chinese).chars().count(), 16);
        assert_eq!(opening(&"a".repeat(50)).len(), 32);
    }
}
