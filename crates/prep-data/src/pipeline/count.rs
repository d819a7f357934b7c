//! The tokens of a dataset, in one pass and in bounded memory.
//!
//! Batches are counted on all threads, each with the counter that the thread
//! before left behind, so that words are remembered from batch to batch and
//! there are never more counters than threads. The sums are put together in
//! input order.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;

use super::check::raw_line;
use super::lines::{LineBatch, LineReader};
use super::ordered;
use super::spares::Spares;
use crate::io::{Input, InputError};
use crate::rules::{LineCounter, Measure, NotExample, TokenCount};

/// Why a dataset could not be counted to its end.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// The dataset cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What a count is run with.
#[derive(Debug)]
pub struct CountRun<'a> {
    /// The threads to work on.
    pub pool: &'a ThreadPool,
    /// By what tokens are told; each costs as much as the other.
    pub measures: &'a [Measure<'a>],
    /// How many bytes are read at once; the result does not depend on it.
    pub block_bytes: usize,
    /// Set from outside to stop the run.
    pub stop: &'a AtomicBool,
}

/// What a dataset comes to: `lines = examples + blank + not_examples`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Lines that were counted.
    pub examples: u64,
    /// Examples of preferences: those with `completions`.
    pub with_completions: u64,
    /// Blank lines.
    pub blank: u64,
    /// Other lines, of which nothing was counted.
    pub not_examples: u64,
    /// The first of those.
    pub first_not_counted: Option<NotCounted>,
    /// All lines.
    pub lines: u64,
    /// All bytes, after decompression.
    pub bytes: u64,
    /// The tokens by each measure, in their order.
    pub sums: Vec<Sum>,
}

/// The tokens of examples by one measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// By who says them.
    pub tokens: TokenCount,
    /// Those that one pass of training bills.
    pub billed: u64,
    /// The longest example, the first of several.
    pub longest: Option<Longest>,
}

/// The longest of some examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Longest {
    /// Its tokens, as the limit of an example counts them.
    pub tokens: u64,
    /// Its line, from 1.
    pub line: u64,
}

/// A line that is no example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCounted {
    /// The line, from 1.
    pub line: u64,
    /// Where in it, and why.
    pub why: NotExample,
}

/// Counts the tokens of a dataset.
///
/// # Errors
///
/// When it cannot be read to its end, or the caller stops it.
pub fn count(input: Input, run: &CountRun<'_>) -> Result<Counted, CountError> {
    let mut reader = LineReader::with_block(input, run.block_bytes)?;
    let counters = Spares::default();
    let mut counted = Counted::nothing(run.measures.len());
    ordered::for_each(
        run.pool,
        || {
            if run.stop.load(Ordering::Relaxed) {
                return Err(CountError::Interrupted);
            }
            Ok(reader.next()?)
        },
        |batch| {
            let mut counter = counters
                .take()
                .unwrap_or_else(|| LineCounter::new(run.measures));
            let counted = count_batch(&batch, &mut counter, run.measures.len());
            counters.give(counter);
            counted
        },
        |batch| {
            counted.append(batch);
            Ok(())
        },
    )?;
    Ok(counted)
}

/// Counts a batch. Lines count from its first, which is 1.
fn count_batch(batch: &LineBatch, counter: &mut LineCounter<'_>, measures: usize) -> Counted {
    let mut counted = Counted::nothing(measures);
    counted.lines = batch.for_each(|line| {
        if line.is_blank() {
            counted.blank += 1;
            return;
        }
        let number = line.number + 1;
        match counter.line(&raw_line(&line, false)) {
            Ok(counts) => {
                counted.examples += 1;
                counted.with_completions += u64::from(counts.has_completions);
                for (sum, tokens) in counted.sums.iter_mut().zip(counts.tokens) {
                    sum.add(*tokens, number);
                }
            }
            Err(why) => {
                counted.not_examples += 1;
                let not_counted = NotCounted { line: number, why };
                counted.first_not_counted.get_or_insert(not_counted);
            }
        }
    });
    counted.bytes = batch.bytes();
    counted
}

impl Counted {
    fn nothing(measures: usize) -> Self {
        Self {
            examples: 0,
            with_completions: 0,
            blank: 0,
            not_examples: 0,
            first_not_counted: None,
            lines: 0,
            bytes: 0,
            sums: vec![Sum::default(); measures],
        }
    }

    /// Adds what comes after.
    fn append(&mut self, other: Self) {
        let before = self.lines;
        self.examples += other.examples;
        self.with_completions += other.with_completions;
        self.blank += other.blank;
        self.not_examples += other.not_examples;
        if self.first_not_counted.is_none() {
            self.first_not_counted = other.first_not_counted.map(|first| NotCounted {
                line: before + first.line,
                ..first
            });
        }
        self.lines += other.lines;
        self.bytes += other.bytes;
        for (sum, other) in self.sums.iter_mut().zip(other.sums) {
            sum.append(other, before);
        }
    }
}

impl Sum {
    fn add(&mut self, tokens: TokenCount, line: u64) {
        self.append(
            Self {
                tokens,
                billed: tokens.billed(),
                longest: Some(Longest {
                    tokens: tokens.length(),
                    line,
                }),
            },
            0,
        );
    }

    /// Adds what comes after so many lines.
    fn append(&mut self, other: Self, before: u64) {
        self.tokens += other.tokens;
        self.billed += other.billed;
        let longest = self.longest.map_or(0, |longest| longest.tokens);
        if let Some(other) = other.longest
            && (self.longest.is_none() || other.tokens > longest)
        {
            self.longest = Some(Longest {
                line: before + other.line,
                ..other
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;
    use crate::rules::RawLine;
    use crate::rules::tests::lines_of_pages;
    use crate::text::tokens::Tokenizer;

    fn measures() -> [Measure<'static>; 2] {
        [
            Measure::Vocabulary(Tokenizer::gemma4()),
            Measure::Vocabulary(Tokenizer::gemma3()),
        ]
    }

    fn run(text: &[u8], threads: usize, block_bytes: usize) -> Counted {
        let run = CountRun {
            pool: &ordered::pool(NonZeroUsize::new(threads).unwrap()).unwrap(),
            measures: &measures(),
            block_bytes,
            stop: &AtomicBool::new(false),
        };
        count(Input::from_bytes("x", text.to_vec()).unwrap(), &run).unwrap()
    }

    /// One line after the other.
    fn obvious(text: &[u8]) -> Counted {
        let mut counter = LineCounter::new(&measures());
        let mut counted = Counted::nothing(2);
        for (line, number) in text.split_inclusive(|&byte| byte == b'\n').zip(1..) {
            counted.lines += 1;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = RawLine::alone(line);
            if line.is_blank() {
                counted.blank += 1;
                continue;
            }
            match counter.line(&line) {
                Ok(counts) => {
                    counted.examples += 1;
                    counted.with_completions += u64::from(counts.has_completions);
                    for (sum, tokens) in counted.sums.iter_mut().zip(counts.tokens) {
                        sum.tokens += *tokens;
                        sum.billed += tokens.billed();
                        if sum
                            .longest
                            .is_none_or(|longest| longest.tokens < tokens.length())
                        {
                            let tokens = tokens.length();
                            sum.longest = Some(Longest {
                                tokens,
                                line: number,
                            });
                        }
                    }
                }
                Err(why) => {
                    counted.not_examples += 1;
                    let first = NotCounted { line: number, why };
                    counted.first_not_counted.get_or_insert(first);
                }
            }
        }
        counted.bytes = text.len() as u64;
        counted
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_counted_depends_on_the_text_alone(
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
            threads in 1..4_usize,
            block_bytes in prop_oneof![1..300_usize, Just(1 << 20)],
        ) {
            let lines = lines_of_pages();
            let mut text = Vec::new();
            for pick in &picks {
                text.extend_from_slice(pick.get::<Vec<u8>>(&lines));
                text.push(b'\n');
            }
            let counted = run(&text, threads, block_bytes);
            prop_assert_eq!(counted.lines, counted.examples + counted.blank + counted.not_examples);
            prop_assert_eq!(counted, obvious(&text));
        }
    }

    #[test]
    fn the_first_longest_example_is_named() {
        let line = |text: &str| {
            format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"{text}"}}]}}]}}"#)
        };
        let text = [line("one"), line("one two"), "{".into(), line("two one")].join("\n");
        for (threads, block_bytes) in [(1, 1 << 20), (3, 40)] {
            let counted = run(text.as_bytes(), threads, block_bytes);
            let longest = Longest { tokens: 2, line: 2 };
            assert_eq!(counted.sums[0].longest, Some(longest));
            assert_eq!(counted.sums[0].tokens.total(), 5);
            assert_eq!(counted.first_not_counted.unwrap().line, 3);
        }
    }
}
