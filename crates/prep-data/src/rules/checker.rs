//! One line through all rules.
//!
//! A line of the common shape whose texts show no sign is done after one pass
//! over its bytes. Any other is parsed, looked at as an [`Example`], and
//! handed to the rules whose signs it shows. A test holds the two ways
//! together: what is skipped here, no rule would have minded.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::context::{Context, Method};
use super::dataset::{Digest, Seen, Tally};
use super::example::{Example, Speaker, member};
use super::glance::{self, Glance};
use super::levels::Levels;
use super::pairs::{self, ActivePair, Pair, PairSide};
use super::plain::{self, Plain, Raw};
use super::report::{Findings, Report};
use super::{Check, RULES, Signs, tokens};
use crate::diag::Level;
use crate::example::Role;
use crate::example::models::Limits;
use crate::json::{self, Document, Kind, Value, compact};
use crate::text::normalise;
use crate::text::tokens::{Counter, Tokenizer, for_model};

/// A line as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub struct RawLine<'a> {
    /// Its bytes without the line end, and without a byte-order mark.
    pub bytes: &'a [u8],
    /// The same as text, if they are known to be UTF-8.
    pub utf8: Option<&'a str>,
    /// How many lines stand before it in its batch.
    pub number: u64,
    /// It is the first of the file, and a byte-order mark stands before it.
    pub has_bom: bool,
    /// It is the last of the file, and no line end follows.
    pub is_unterminated: bool,
    /// The line has so many bytes that it was not read; these are its first.
    pub cut_from: Option<u64>,
    /// It was looked at already, among others.
    pub seen: Option<glance::Seen<'a>>,
}

impl<'a> RawLine<'a> {
    /// A line that stands by itself.
    #[must_use]
    pub fn alone(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            utf8: std::str::from_utf8(bytes).ok(),
            number: 0,
            has_bom: false,
            is_unterminated: false,
            cut_from: None,
            seen: None,
        }
    }

    /// Whether there is nothing in the line.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOutcome {
    /// Nothing: it holds no example.
    Blank,
    /// An example no rule of error level minds.
    Valid,
    /// An example with a finding of error level, or no example at all.
    Invalid,
}

/// An active rule: its place in [`RULES`], its level and its function.
struct Active<F> {
    rule: usize,
    level: Level,
    when: Signs,
    /// The service drops an example in which the rule finds something.
    is_dropping: bool,
    check: F,
}

type OnLine = fn(&RawLine<'_>, &mut Report<'_>);
type OnFault = fn(&json::Error, &mut Report<'_>);
type OnExample = fn(&Example<'_, '_>, &mut Report<'_>);
type OnText = fn(&super::Text<'_, '_>, &mut Report<'_>);

/// Takes lines through the rules that are on. Each thread has its own.
pub struct Checker<'c> {
    context: &'c Context,
    document: Document,
    /// For lines that come alone.
    glance: Glance,
    scratch: Vec<u8>,
    on_line: Vec<Active<OnLine>>,
    on_fault: Vec<Active<OnFault>>,
    on_example: Vec<Active<OnExample>>,
    on_text: Vec<Active<OnText>>,
    /// Empty unless the context says what pairs are held to.
    on_pair: Vec<ActivePair>,
    /// Made when the first line is counted.
    counter: Option<Counter<'static>>,
    /// From how many bytes on a line's tokens are counted.
    long_bytes: u64,
    /// Every line is parsed, since its prompt is compared or kept.
    parses_all: bool,
    /// Every line is parsed and every rule asked: where plain lines have faults,
    /// and for the test of the signs.
    is_thorough: bool,
    /// Every rule is asked of every text, whatever it shows.
    asks_all: bool,
}

impl std::fmt::Debug for Checker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker")
            .field("context", self.context)
            .finish_non_exhaustive()
    }
}

impl<'c> Checker<'c> {
    /// Makes a checker of the rules that are on.
    #[must_use]
    pub fn new(context: &'c Context, levels: &Levels) -> Self {
        let mut checker = Self {
            context,
            document: Document::new(),
            glance: Glance::default(),
            scratch: Vec::new(),
            on_line: Vec::new(),
            on_fault: Vec::new(),
            on_example: Vec::new(),
            on_text: Vec::new(),
            on_pair: match &context.pairs {
                Some(_) => pairs::active(levels),
                None => Vec::new(),
            },
            asks_all: false,
            counter: None,
            long_bytes: tokens_near(context.limits()),
            parses_all: context.validation.is_some() || context.keeps_prompts(),
            // A plain line is no fault of supervised tuning, and is one of
            // preference tuning: it has no completions.
            is_thorough: context.method == Method::Preference,
        };
        for (rule, row) in RULES.iter().enumerate() {
            let (level, when) = (levels.of(rule), row.when);
            if level == Level::Allow {
                continue;
            }
            macro_rules! active {
                ($list:ident, $check:expr) => {
                    checker.$list.push(Active {
                        rule,
                        level,
                        when,
                        is_dropping: DROPPED_FOR.contains(&row.code.code),
                        check: $check,
                    })
                };
            }
            match row.check {
                Check::Line(check) => active!(on_line, check),
                Check::Fault(check) => active!(on_fault, check),
                Check::Example(check) => active!(on_example, check),
                Check::Text(check) => active!(on_text, check),
                Check::Pair(_) | Check::Prompt(_) | Check::Dataset(_) => {}
            }
        }
        checker
    }

    /// Makes a checker that parses every line and asks every rule, whatever
    /// the line shows. It is many times slower, and finds the same: tests hold
    /// [`Checker::new`] to it.
    #[must_use]
    pub fn thorough(context: &'c Context, levels: &Levels) -> Self {
        let mut checker = Self::new(context, levels);
        checker.is_thorough = true;
        checker.asks_all = true;
        checker
    }

    /// Checks a line, and counts the example in it.
    pub fn line(
        &mut self,
        line: &RawLine<'_>,
        findings: &mut Findings,
        tally: &mut Tally,
    ) -> LineOutcome {
        if self.is_thorough {
            return self.line_thoroughly(line, Signs::ALL, findings, tally);
        }
        match (line.utf8, line.seen) {
            (None, _) => self.line_thoroughly(line, Signs::STRUCTURE, findings, tally),
            (Some(text), Some(seen)) => self.line_seen(line, (text, seen), findings, tally),
            (Some(text), None) => {
                let mut alone = std::mem::take(&mut self.glance);
                alone.look(text);
                let seen = glance::Seen {
                    glance: &alone,
                    start: 0,
                };
                let outcome = self.line_seen(line, (text, seen), findings, tally);
                self.glance = alone;
                outcome
            }
        }
    }

    /// Checks a line of UTF-8 that was looked at.
    #[inline]
    fn line_seen(
        &mut self,
        line: &RawLine<'_>,
        (text, seen): (&str, glance::Seen<'_>),
        findings: &mut Findings,
        tally: &mut Tally,
    ) -> LineOutcome {
        let plain = plain::read(text, seen);
        let signs = match &plain {
            Some(plain) => signs_of_plain(text, plain, seen, self.long_bytes),
            None => Signs::STRUCTURE,
        };
        match plain {
            Some(plain)
                if signs.is_none()
                    && !self.parses_all
                    && !line.has_bom
                    && (self.on_pair.is_empty() || self.is_good_pair(&plain)) =>
            {
                tally.add(&seen_of_plain(text, &plain, seen, line.number));
                LineOutcome::Valid
            }
            _ => {
                let of_shape = if plain.is_some() {
                    Signs::NONE
                } else {
                    Signs::STRUCTURE
                };
                self.line_thoroughly(line, of_shape, findings, tally)
            }
        }
    }

    /// Parses a line and asks the rules whose signs it shows, those of its shape
    /// among them.
    fn line_thoroughly(
        &mut self,
        line: &RawLine<'_>,
        of_shape: Signs,
        findings: &mut Findings,
        tally: &mut Tally,
    ) -> LineOutcome {
        findings.begin_line();
        let outcome = self.ask_rules(line, of_shape, findings, tally);
        findings.end_line(line.bytes);
        outcome
    }

    /// The same; windows may show secrets still.
    fn ask_rules(
        &mut self,
        line: &RawLine<'_>,
        of_shape: Signs,
        findings: &mut Findings,
        tally: &mut Tally,
    ) -> LineOutcome {
        let (mut n_errors, mut is_dropped) = (0, false);
        let numbered = (line.bytes, line.number);
        for active in &self.on_line {
            let mut report = Report::new(active.place(), numbered, None, self.context, findings);
            (active.check)(line, &mut report);
            n_errors += active.n_errors(&report);
        }
        if line.cut_from.is_some() {
            return LineOutcome::Invalid;
        }
        if line.is_blank() {
            return LineOutcome::Blank;
        }
        let root = match self.document.parse(line.bytes) {
            Ok(root) => root,
            Err(error) => {
                for active in &self.on_fault {
                    let mut report =
                        Report::new(active.place(), numbered, None, self.context, findings);
                    report.is_at_end = line.is_unterminated;
                    (active.check)(&error, &mut report);
                }
                return LineOutcome::Invalid;
            }
        };
        let signs = signs_of_line(line.bytes, self.context, self.long_bytes);
        let mut example = Example::of(root, signs);
        example.signs |= of_shape;
        if example.signs.any_of(Signs::LONG) {
            let make = || tokenizer(self.context).counter();
            let counter = self.counter.get_or_insert_with(make);
            example.tokens = Some(tokens::count(&example, counter));
        }
        let mut seen = seen_of(&example, &mut self.scratch);
        if self.parses_all {
            let normalised = normalised_prompt(&example);
            if let Some(validation) = &self.context.validation {
                example.overlap = validation.find(&seen.digest, normalised);
            }
            seen.normalised = normalised.filter(|_| self.context.keeps_prompts());
        }
        for active in &self.on_example {
            if !self.asks_all && !active.when.any_of(example.signs) {
                continue;
            }
            let root = Some(root);
            let mut report = Report::new(active.place(), numbered, root, self.context, findings);
            (active.check)(&example, &mut report);
            n_errors += active.n_errors(&report);
            is_dropped |= active.is_dropping && report.n_found() > 0;
        }
        for active in &self.on_text {
            for text in &example.texts {
                if !self.asks_all && !active.when.any_of(text.signs) {
                    continue;
                }
                let root = Some(root);
                let mut report =
                    Report::new(active.place(), numbered, root, self.context, findings);
                (active.check)(text, &mut report);
                n_errors += active.n_errors(&report);
            }
        }
        if !self.on_pair.is_empty() {
            let rules = &self.on_pair;
            n_errors += ask_pairs(rules, &example, numbered, self.context, findings);
        }
        let is_invalid = n_errors > 0 || root.kind() != Kind::Object;
        if root.kind() == Kind::Object {
            seen.digest.line = line.number;
            seen.digest.is_invalid = is_invalid;
            seen.is_dropped = is_dropped;
            tally.add(&seen);
        }
        if is_invalid {
            LineOutcome::Invalid
        } else {
            LineOutcome::Valid
        }
    }

    /// Whether no rule of pairs minds the texts of a plain line.
    fn is_good_pair(&self, plain: &Plain<'_>) -> bool {
        let Some(context) = &self.context.pairs else {
            return true;
        };
        let (prompt, answer) = (plain.prompt.decoded(), plain.answer.decoded());
        let pair = Pair::new(&prompt, &answer, &context.learnt);
        self.on_pair
            .iter()
            .all(|rule| rule.ask(&pair, context).is_none())
    }
}

/// Asks the rules of pairs, and says how many errors they found.
fn ask_pairs(
    rules: &[ActivePair],
    example: &Example<'_, '_>,
    line: (&[u8], u64),
    context: &Context,
    findings: &mut Findings,
) -> u64 {
    let (Some(of_pairs), Some((prompt, answer))) = (&context.pairs, pairs::texts_of(example))
    else {
        return 0;
    };
    // Other rules speak of a text that is blank.
    if prompt.text.trim().is_empty() || answer.text.trim().is_empty() {
        return 0;
    }
    let pair = Pair::new(&prompt.text, &answer.text, &of_pairs.learnt);
    let mut n_errors = 0;
    for rule in rules {
        let Some(said) = rule.ask(&pair, of_pairs) else {
            continue;
        };
        let place = (rule.index, rule.level);
        let mut report = Report::new(place, line, Some(example.root), context, findings);
        let (text, start) = match said.side {
            PairSide::Source => (prompt, pair.source_start),
            PairSide::Target => (answer, 0),
        };
        let range = start + said.range.start..start + said.range.end;
        report.text(text, range, said.message);
        n_errors += u64::from(rule.level == Level::Error) * report.n_found();
    }
    n_errors
}

impl<F> Active<F> {
    fn place(&self) -> (usize, Level) {
        (self.rule, self.level)
    }

    fn n_errors(&self, report: &Report<'_>) -> u64 {
        match self.level {
            Level::Error => report.n_found(),
            _ => 0,
        }
    }
}

/// The rules whose findings make the service drop an example instead of
/// refusing the file.
const DROPPED_FOR: &[&str] = &["E041", "E049"];

/// From how many tokens on an example is near the limit: nine in ten. A line of
/// no more bytes need not be counted, since no text has more tokens than bytes.
pub(super) fn tokens_near(limits: &Limits) -> u64 {
    limits.example_tokens / 10 * 9
}

/// The vocabulary of the model that the dataset is for; the newest one if none
/// is known.
pub(super) fn tokenizer(context: &Context) -> &'static Tokenizer {
    let name = context.model_name.as_deref();
    let choice = name.and_then(for_model);
    choice.map_or_else(Tokenizer::gemma4, |choice| choice.tokenizer)
}

/// The signs of a line that are not of its texts.
fn signs_of_line(text: &[u8], context: &Context, long_bytes: u64) -> Signs {
    let mut signs = Signs::NONE;
    if text.len() as u64 > long_bytes {
        signs |= Signs::LONG;
    }
    if context.validation.is_some() {
        signs |= Signs::HELD_OUT;
    }
    signs
}

fn signs_of_plain(line: &str, plain: &Plain<'_>, seen: glance::Seen<'_>, long_bytes: u64) -> Signs {
    let texts = seen.start + plain.texts.start..seen.start + plain.texts.end;
    let mut signs = seen.glance.signs(texts);
    if line.len() as u64 > long_bytes {
        signs |= Signs::LONG;
    }
    if plain.may_be_blank {
        signs |= Signs::BLANK;
    }
    signs | plain.of_answers
}

/// What a plain line is to the dataset.
fn seen_of_plain<'a>(
    line: &'a str,
    plain: &Plain<'a>,
    seen: glance::Seen<'_>,
    number: u64,
) -> Seen<'a> {
    let chars = |raw: Raw<'_>| {
        let range = raw.range();
        let n = seen
            .glance
            .n_chars(seen.start + range.start..seen.start + range.end);
        u32::try_from(n).unwrap_or(u32::MAX) - raw.escapes
    };
    Seen {
        digest: Digest {
            prompt: of_prompt(&line.as_bytes()[..plain.answer_start]),
            answer: xxh3_64(plain.answer.text.as_bytes()),
            line: number,
            prompt_chars: chars(plain.prompt),
            answer_chars: chars(plain.answer),
            is_invalid: false,
        },
        system: plain.system.map(|system| system.text),
        prompt: Some(plain.prompt.text),
        answer: Some(plain.answer.text),
        ..Seen::default()
    }
}

/// The fingerprint of all that the answer follows, as canonical JSON. What most
/// of them begin with is left out: no other begins like what follows it.
fn of_prompt(canonical: &[u8]) -> u128 {
    match canonical.split_first_chunk() {
        Some((begin, text)) if plain::is_same(begin, plain::NO_SYSTEM) => xxh3_128(text),
        _ => xxh3_128(canonical),
    }
}

/// The fingerprint of all that the answer follows, in the form in which texts
/// are compared; what is no text counts as it is written. `None` if there is
/// nothing to compare.
fn normalised_prompt(example: &Example<'_, '_>) -> Option<u64> {
    let answer = example.answer().map_or(usize::MAX, |answer| answer.n);
    let before = &example.turns[..example.turns.len().min(answer - 1)];
    let mut prompt = String::new();
    let mut is_empty = true;
    for text in &example.texts {
        if text.turn <= before.len() {
            prompt.push(match text.speaker {
                Speaker::System => '\u{1}',
                Speaker::User => '\u{2}',
                Speaker::Model => '\u{3}',
            });
            let start = prompt.len();
            normalise(&text.text, &mut prompt);
            is_empty &= text.speaker == Speaker::System || prompt.len() == start;
        }
    }
    for part in before.iter().flat_map(|turn| &turn.parts) {
        if part.get("text").is_none() {
            prompt.push('\u{4}');
            prompt.push_str(part.value.raw());
            is_empty = false;
        }
    }
    (!is_empty).then(|| xxh3_64(prompt.as_bytes()))
}

/// What an example is to the dataset, by way of its canonical JSON: a plain
/// line's own bytes, and the same bytes for the same example written in
/// another way.
fn seen_of<'s>(example: &Example<'_, '_>, scratch: &'s mut Vec<u8>) -> Seen<'s> {
    scratch.clear();
    scratch.push(b'{');
    let system_text = example.system.map(|system| {
        scratch.extend_from_slice(b"\"systemInstruction\":");
        let range = turn(system, scratch);
        scratch.push(b',');
        range
    });
    scratch.extend_from_slice(b"\"contents\":[");
    let answer = example.answer();
    let n_before = example.turns.len() - usize::from(answer.is_some());
    let mut prompt_text = None;
    for before in &example.turns[..n_before] {
        let range = turn(before.value, scratch);
        scratch.push(b',');
        if before.role == Some(Role::User) {
            prompt_text = Some(range);
        }
    }
    if let Some(tools) = example.tools {
        scratch.extend_from_slice(b"\"tools\":");
        compact(tools, scratch);
    }
    let n_prompt = scratch.len();
    let answer_text = match (answer, example.completions) {
        (Some(answer), _) => turn(answer.value, scratch),
        (None, Some(completions)) => {
            compact(completions, scratch);
            n_prompt..scratch.len()
        }
        (None, None) => n_prompt..n_prompt,
    };
    let text = |range: std::ops::Range<usize>| {
        std::str::from_utf8(&scratch[range]).expect("JSON of a text is a text")
    };
    let answer = text(answer_text);
    let prompt = prompt_text.map(text);
    // What has no turn asks nothing: it is compared as it is written.
    let asked = if example.turns.is_empty() {
        example.root.raw().as_bytes()
    } else {
        &scratch[..n_prompt]
    };
    let is_multimodal = example
        .turns
        .iter()
        .flat_map(|turn| &turn.parts)
        .any(|part| part.get("fileData").is_some());
    Seen {
        digest: Digest {
            prompt: of_prompt(asked),
            answer: xxh3_64(answer.as_bytes()),
            line: 0,
            prompt_chars: chars(prompt.unwrap_or_default()),
            answer_chars: chars(answer),
            is_invalid: false,
        },
        system: system_text.map(text),
        prompt,
        answer: Some(answer).filter(|_| example.answer().is_some()),
        is_multimodal,
        ..Seen::default()
    }
}

/// Appends a turn as `prep` writes it, and says where its text is: inside the
/// quotes if it is one text, else all of its parts.
fn turn(value: Value<'_, '_>, out: &mut Vec<u8>) -> std::ops::Range<usize> {
    let (role, parts) = (member(value, "role"), member(value, "parts"));
    let n_members = value.entries().count();
    let (Some(parts), true) = (parts, n_members == 1 + usize::from(role.is_some())) else {
        let start = out.len();
        compact(value, out);
        return start..out.len();
    };
    out.push(b'{');
    if let Some(role) = role {
        out.extend_from_slice(b"\"role\":");
        compact(role, out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"parts\":");
    let start = out.len();
    compact(parts, out);
    let end = out.len();
    out.push(b'}');
    const BEFORE: &[u8] = b"[{\"text\":\"";
    const AFTER: &[u8] = b"\"}]";
    let mut items = parts.items();
    let is_one_text = items.next().is_some_and(|part| part.entries().count() == 1)
        && items.next().is_none()
        && out[start..].starts_with(BEFORE);
    if is_one_text {
        start + BEFORE.len()..end - AFTER.len()
    } else {
        start..end
    }
}

/// The characters of a raw text.
fn chars(raw: &str) -> u32 {
    let mut n = 0;
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        n += 1;
        if c == '\\' && rest.next() == Some('u') {
            rest.by_ref().take(4).for_each(drop);
        }
    }
    n
}
