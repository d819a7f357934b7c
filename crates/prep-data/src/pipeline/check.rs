//! A dataset through all rules, in one pass and in bounded memory.
//!
//! Lines are checked on all threads. In input order, what was found is put
//! together and each example leaves a digest of 40 bytes; at the end the
//! digests come back by prompt, from memory or from the disk, for the rules
//! that look at the dataset as a whole.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;

use super::digests::Digests;
use super::lines::{Line, LineBatch, LineReader};
use super::ordered;
use super::spares::Spares;
use crate::io::{Input, InputError, OutputError};
use crate::rules::dataset::AnswerCounter;
use crate::rules::{
    Checker, Context, Dataset, Digest, Findings, Glance, Levels, LineOutcome, RawLine, Seen, Tally,
    Validation, WholeChecker,
};

/// Why a dataset could not be checked to its end.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The dataset cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// What does not fit into memory cannot be put on the disk.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What a check is run with.
#[derive(Debug)]
pub struct CheckRun<'a> {
    /// The threads to work on.
    pub pool: &'a ThreadPool,
    /// The most that digests may take in memory, in bytes.
    pub memory: u64,
    /// A file beside which there is room for digests that do not fit.
    pub scratch: &'a Path,
    /// How many findings of each rule are kept, the first ones; all are
    /// counted.
    pub cap: usize,
    /// How many bytes are read at once; the result does not depend on it.
    pub block_bytes: usize,
    /// Set from outside to stop the run.
    pub stop: &'a AtomicBool,
}

/// What a check came to: `examples = valid + invalid`.
#[derive(Debug)]
pub struct Checked {
    /// Lines that are not blank.
    pub examples: u64,
    /// Those that no rule of error level minds.
    pub valid: u64,
    /// The others.
    pub invalid: u64,
    /// Lines, blank ones included.
    pub lines: u64,
    /// What was found: in the order of lines what each line shows, then what
    /// the dataset shows at a line, then what it shows as a whole.
    pub findings: Findings,
    /// The dataset as a whole.
    pub dataset: Dataset,
    /// The examples by fingerprint, to hold training data against.
    pub held_out: Validation,
}

/// Checks a dataset.
///
/// # Errors
///
/// When it cannot be read to its end, or the digests fit neither into memory
/// nor on the disk.
pub fn check(
    input: Input,
    context: &Context,
    levels: &Levels,
    run: &CheckRun<'_>,
) -> Result<Checked, CheckError> {
    let name = input.name().to_owned();
    let mut reader = LineReader::with_block(input, run.block_bytes)?;
    let mut has_bom = reader.has_bom();
    let spares = Spares::default();
    let mut gathered = Gathered::new(name, context, run);
    ordered::for_each(
        run.pool,
        || {
            if run.stop.load(Ordering::Relaxed) {
                return Err(CheckError::Interrupted);
            }
            let batch = reader.next()?;
            Ok(batch.map(|batch| (batch, std::mem::take(&mut has_bom))))
        },
        |(batch, has_bom): (LineBatch, bool)| {
            let mut done = spares.take().unwrap_or_else(|| Done::new(run.cap));
            done.check(&batch, has_bom, context, levels);
            done
        },
        |mut done| {
            gathered.add(&mut done)?;
            spares.give(done);
            Ok(())
        },
    )?;
    gathered.finish(context, levels, run)
}

/// A batch that was checked. Lines count from its first.
#[derive(Debug)]
pub(super) struct Done {
    findings: Findings,
    tally: Tally,
    /// Of the batch before, to be used again.
    glance: Glance,
    valid: u64,
    invalid: u64,
    lines: u64,
    bytes: u64,
}

impl Done {
    pub(super) fn new(cap: usize) -> Self {
        Self {
            findings: Findings::new(cap, false),
            tally: Tally::default(),
            glance: Glance::default(),
            valid: 0,
            invalid: 0,
            lines: 0,
            bytes: 0,
        }
    }

    pub(super) fn check(
        &mut self,
        batch: &LineBatch,
        has_bom: bool,
        context: &Context,
        levels: &Levels,
    ) {
        let mut checker = Checker::new(context, levels);
        let (mut valid, mut invalid) = (0, 0);
        let text = batch.text();
        if let Some(text) = text {
            self.glance.look(text);
        }
        let glance = text.map(|_| &self.glance);
        let each = |line: Line<'_>| {
            let seen = glance.map(|glance| Seen {
                glance,
                start: line.offset as usize,
            });
            let line = RawLine {
                seen,
                ..raw_line(&line, has_bom && line.number == 0)
            };
            match checker.line(&line, &mut self.findings, &mut self.tally) {
                LineOutcome::Blank => {}
                LineOutcome::Valid => valid += 1,
                LineOutcome::Invalid => invalid += 1,
            }
        };
        let lines = match glance {
            Some(glance) => {
                let mut newlines = glance.newlines().iter().copied();
                batch.for_each_of(text, |_, _| newlines.next(), each)
            }
            None => batch.for_each(each),
        };
        (self.valid, self.invalid, self.lines) = (valid, invalid, lines);
        self.bytes = batch.bytes();
    }
}

/// A line as rules look at it.
pub(super) fn raw_line<'a>(line: &Line<'a>, has_bom: bool) -> RawLine<'a> {
    let (bytes, utf8, cut_from) = match line.text {
        Ok(text) => (text.bytes(), text.utf8(), None),
        Err(long) => (long.head, None, Some(long.bytes)),
    };
    RawLine {
        bytes,
        utf8,
        number: line.number,
        has_bom,
        is_unterminated: line.is_unterminated,
        cut_from,
        seen: None,
    }
}

/// Everything that was checked so far.
#[derive(Debug)]
pub(super) struct Gathered {
    checked: Checked,
    digests: Digests,
    is_held_out: bool,
}

impl Gathered {
    pub(super) fn new(name: String, context: &Context, run: &CheckRun<'_>) -> Self {
        Self {
            checked: Checked {
                examples: 0,
                valid: 0,
                invalid: 0,
                lines: 0,
                findings: Findings::new(run.cap, false),
                dataset: Dataset::default(),
                held_out: Validation::new(name),
            },
            digests: Digests::new(run.memory, run.scratch),
            is_held_out: context.side == crate::rules::Side::Validation,
        }
    }

    pub(super) fn add(&mut self, done: &mut Done) -> Result<(), CheckError> {
        let checked = &mut self.checked;
        let before = checked.lines;
        checked.findings.append(&mut done.findings, before + 1);
        checked.dataset.append(&mut done.tally, before + 1);
        checked.dataset.bytes += done.bytes;
        self.digests.add(&done.tally.digests)?;
        if self.is_held_out {
            checked.held_out.add(&done.tally);
        }
        checked.valid += done.valid;
        checked.invalid += done.invalid;
        checked.examples += done.valid + done.invalid;
        checked.lines += done.lines;
        done.tally.clear();
        Ok(())
    }

    pub(super) fn finish(
        self,
        context: &Context,
        levels: &Levels,
        run: &CheckRun<'_>,
    ) -> Result<Checked, CheckError> {
        let mut checked = self.checked;
        let mut answers = checked.dataset.answer_counter();
        let none = answers.clone();
        let whole = WholeChecker::new(context, levels, &checked.dataset);
        let mut found = Findings::of_smallest_lines(run.cap);
        let mut newly_invalid = Vec::new();
        let count_answer =
            |of_prompts: &mut OfPrompts, digest: &Digest| of_prompts.answers.add(digest);
        self.digests.visit(
            run.pool,
            (!none.is_empty()).then_some(&count_answer),
            |chars| whole.is_dull(chars),
            || OfPrompts {
                findings: Findings::of_smallest_lines(run.cap),
                newly_invalid: Vec::new(),
                answers: none.clone(),
            },
            |of_prompts, group| {
                whole.prompt(
                    group,
                    &mut of_prompts.findings,
                    &mut of_prompts.newly_invalid,
                );
            },
            |mut of_prompts| {
                found.append(&mut of_prompts.findings, 0);
                answers.append(&of_prompts.answers);
                newly_invalid.append(&mut of_prompts.newly_invalid);
                if run.stop.load(Ordering::Relaxed) {
                    return Err(CheckError::Interrupted);
                }
                Ok(())
            },
        )?;
        newly_invalid.sort_unstable();
        newly_invalid.dedup();
        checked.valid -= newly_invalid.len() as u64;
        checked.invalid += newly_invalid.len() as u64;
        found.sort();
        checked.findings.append(&mut found, 0);
        checked.dataset.set_answers(answers);
        let mut found = Findings::new(run.cap, false);
        WholeChecker::new(context, levels, &checked.dataset).dataset(&mut found);
        checked.findings.append(&mut found, 0);
        Ok(checked)
    }
}

/// What the examples of some prompts show together.
struct OfPrompts {
    findings: Findings,
    newly_invalid: Vec<u64>,
    answers: AnswerCounter,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;
    use crate::rules::tests::{check_all, lines_of_pages};

    fn told(findings: &Findings) -> Vec<String> {
        let mut told: Vec<_> = findings
            .found
            .iter()
            .map(|found| {
                format!(
                    "{:?} {} {} {}",
                    found.position, found.rule.code.code, found.pointer, found.message
                )
            })
            .collect();
        told.sort();
        told
    }

    fn run(text: &[u8], threads: usize, block_bytes: usize, memory: u64, cap: usize) -> Checked {
        let directory = tempfile::tempdir().unwrap();
        let input = Input::from_bytes("x.jsonl", text.to_vec()).unwrap();
        let run = CheckRun {
            pool: &ordered::pool(NonZeroUsize::new(threads).unwrap()).unwrap(),
            memory,
            scratch: &directory.path().join("x"),
            cap,
            block_bytes,
            stop: &AtomicBool::new(false),
        };
        check(input, &Context::default(), &Levels::default(), &run).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_is_found_depends_on_the_text_alone(
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
            threads in 1..4_usize,
            block_bytes in prop_oneof![1..300_usize, Just(1 << 20)],
            memory in prop_oneof![Just(1_u64), Just(1 << 30)],
            has_bom: bool,
            is_terminated: bool,
        ) {
            let lines = lines_of_pages();
            let mut text = if has_bom { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
            for pick in &picks {
                text.extend_from_slice(pick.get::<Vec<u8>>(&lines));
                text.push(b'\n');
            }
            if !is_terminated && text.len() > 3 {
                text.pop();
            }
            let checked = run(&text, threads, block_bytes, memory, usize::MAX);
            let obvious = check_all(&text, &Context::default(), &Levels::default(), false);
            prop_assert_eq!(told(&checked.findings), told(&obvious));
            prop_assert_eq!(checked.examples, checked.valid + checked.invalid);
        }
    }

    #[test]
    fn of_each_rule_the_first_findings_are_kept() {
        let line = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]}]}"#;
        let text: String = (0..50)
            .map(|n| {
                format!(
                    "{}\n[]\n",
                    line.replace("\"a\"", &format!("\"{}\"", n % 25))
                )
            })
            .collect();
        for (threads, block_bytes) in [(1, 1 << 20), (3, 40)] {
            let checked = run(text.as_bytes(), threads, block_bytes, 1 << 20, 2);
            let lines = |code: &str| -> Vec<u64> {
                let found = checked.findings.found.iter();
                let found = found.filter(|found| found.rule.code.code == code);
                found
                    .filter_map(|found| Some(found.position?.line))
                    .collect()
            };
            assert_eq!(lines("E002"), [2, 4]);
            assert_eq!(
                (checked.valid, checked.invalid, checked.lines),
                (50, 50, 100)
            );
        }
    }
}
