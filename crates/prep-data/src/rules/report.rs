//! What rules have to say, and where.
//!
//! A rule is given a [`Report`] and adds to it by byte offset; the report
//! works out the rest. What is kept of it is bounded: of each rule the first
//! findings up to a cap, and the count of all.

use std::borrow::Cow;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::context::Context;
use super::edit::Edit;
use super::example::Text;
use super::place::{self, Window};
use super::{RULES, Rule, private};
use crate::diag::{Level, Position};
use crate::json::{Value, column_of};

/// One thing that a rule found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters to this user.
    pub level: Level,
    /// Where. Inside a batch, lines count from the batch's first, from 0;
    /// `None` if it is about the file.
    pub position: Option<Position>,
    /// The JSON pointer of the value at fault; empty for the line as a whole.
    pub pointer: String,
    /// A lower-case phrase without a full stop.
    pub message: String,
    /// The line around the place.
    pub window: Window,
    /// The fingerprint of line, rule and pointer, which stays when the line
    /// moves: what a baseline knows a finding by.
    pub fingerprint: u64,
    /// The fingerprint of the line as passports have it; `None` where a line
    /// is only named.
    pub line_fingerprint: Option<u128>,
    /// How to repair it; empty if the rule cannot.
    pub repair: Vec<Edit>,
}

/// What rules found in a stretch of lines, with a bound.
#[derive(Debug, Clone)]
pub struct Findings {
    /// What was found, as far as it is kept.
    pub found: Vec<Found>,
    /// How often each rule found something, by its place in [`RULES`].
    pub counts: Vec<u64>,
    /// How many findings were not told because the baseline has them.
    pub known: u64,
    kept: Vec<usize>,
    cap: usize,
    wants_repairs: bool,
    /// Of the line that is looked at: which findings are kept, and where.
    places: Vec<(usize, Range<usize>)>,
    /// Findings come in any order, and those at the smallest lines are kept: of
    /// each rule these lines, the largest first.
    smallest: Option<Vec<BinaryHeap<u64>>>,
    /// When so many are there, those beyond the cap go.
    crowd: usize,
}

/// How many findings may be there before any of them go.
const CROWD: usize = 4096;

impl Findings {
    /// Keeps the first `cap` findings of each rule.
    #[must_use]
    pub fn new(cap: usize, wants_repairs: bool) -> Self {
        Self {
            found: Vec::new(),
            counts: vec![0; RULES.len()],
            known: 0,
            kept: vec![0; RULES.len()],
            cap,
            wants_repairs,
            places: Vec::new(),
            smallest: None,
            crowd: CROWD,
        }
    }

    /// Keeps the `cap` findings of each rule that are at the smallest lines,
    /// in whatever order they come. Costs the memory of some thousand findings
    /// more.
    #[must_use]
    pub fn of_smallest_lines(cap: usize) -> Self {
        Self {
            smallest: Some(vec![BinaryHeap::new(); RULES.len()]),
            ..Self::new(cap, false)
        }
    }

    /// Begins a line.
    pub(super) fn begin_line(&mut self) {
        self.places.clear();
    }

    /// Ends a line: no window of it shows a secret, whichever rule the window is
    /// of and whichever rules are on.
    pub(super) fn end_line(&mut self, line: &[u8]) {
        if self.places.is_empty() {
            return;
        }
        let masked = private::masked(line);
        if masked.is_same() {
            return;
        }
        for (n, place) in &self.places {
            let place = masked.place(place);
            self.found[*n].window = place::window(&masked.line, place.start, place.len());
        }
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.found.clear();
        self.counts.fill(0);
        self.known = 0;
        self.kept.fill(0);
        let smallest = self.smallest.iter_mut().flatten();
        smallest.for_each(BinaryHeap::clear);
    }

    /// Adds what was found further on, `lines` lines after the first.
    pub fn append(&mut self, later: &mut Findings, lines: u64) {
        self.known += later.known;
        for (n, count) in later.counts.iter().enumerate() {
            self.counts[n] += count;
        }
        for mut found in later.found.drain(..) {
            let n = index_of(found.rule);
            if let Some(position) = &mut found.position {
                position.line += lines;
            }
            if self.admits(n, found.position) {
                self.found.push(found);
            }
        }
        later.clear();
    }

    /// Puts what was found in the order of lines, then of rules. What is
    /// beyond the cap goes.
    pub fn sort(&mut self) {
        self.found.sort_by(|one, other| {
            let by_rule = || index_of(one.rule).cmp(&index_of(other.rule));
            one.position.cmp(&other.position).then_with(by_rule)
        });
        if self.smallest.is_some() {
            self.kept.fill(0);
            let (kept, cap) = (&mut self.kept, self.cap);
            self.found.retain(|found| {
                let kept = &mut kept[index_of(found.rule)];
                *kept += 1;
                *kept <= cap
            });
        }
    }

    /// Whether a further finding of a rule may be kept.
    fn has_room(&self, rule: usize, line: u64) -> bool {
        match &self.smallest {
            Some(smallest) => {
                let smallest = &smallest[rule];
                smallest.len() < self.cap || smallest.peek().is_some_and(|last| line < *last)
            }
            None => self.kept[rule] < self.cap,
        }
    }

    /// Whether a finding of a rule is to be kept; counts it if so.
    fn admits(&mut self, rule: usize, position: Option<Position>) -> bool {
        let line = position.map_or(0, |position| position.line);
        let is_kept = self.has_room(rule, line);
        let Some(smallest) = self.smallest.as_mut().filter(|_| is_kept) else {
            self.kept[rule] += usize::from(is_kept);
            return is_kept;
        };
        let smallest = &mut smallest[rule];
        if smallest.len() == self.cap {
            smallest.pop();
        }
        smallest.push(line);
        if self.found.len() >= self.crowd {
            self.sort();
            self.crowd = CROWD.max(2 * self.found.len());
        }
        true
    }

    /// Whether anything was found by a rule of this level.
    #[must_use]
    pub fn has(&self, level: Level, levels: &super::Levels) -> bool {
        let mut counts = self.counts.iter().enumerate();
        counts.any(|(n, &count)| count > 0 && levels.of(n) == level)
    }
}

/// A line as it may be shown, whatever it is: keys, addresses and numbers that are
/// someone's are masked as the rules that find them do, be they on or off.
#[must_use]
pub fn masked(line: &[u8]) -> Cow<'_, [u8]> {
    private::masked(line).line
}

/// The place of a rule in [`RULES`].
pub(crate) fn index_of(rule: &Rule) -> usize {
    RULES
        .iter()
        .position(|other| std::ptr::eq(*other, rule))
        .expect("only rules of the table find things")
}

/// Takes what one rule finds in one line, or in the dataset.
#[derive(Debug)]
pub struct Report<'r> {
    rule: usize,
    level: Level,
    line: &'r [u8],
    /// The line's number, from 0 in a batch.
    number: u64,
    root: Option<Value<'r, 'r>>,
    context: &'r Context,
    sink: &'r mut Findings,
    n_found: u64,
    /// The file ends with the line, and without a line end.
    pub(super) is_at_end: bool,
    /// The lines at which something of the dataset was found, if that is an error.
    lines: Vec<u64>,
}

impl<'r> Report<'r> {
    pub(super) fn new(
        (rule, level): (usize, Level),
        (line, number): (&'r [u8], u64),
        root: Option<Value<'r, 'r>>,
        context: &'r Context,
        sink: &'r mut Findings,
    ) -> Self {
        Self {
            rule,
            level,
            line,
            number,
            root,
            context,
            sink,
            n_found: 0,
            is_at_end: false,
            lines: Vec::new(),
        }
    }

    /// What the dataset is checked for.
    #[must_use]
    pub fn context(&self) -> &'r Context {
        self.context
    }

    /// Whether the file ends with this line, and without a line end.
    #[must_use]
    pub fn is_at_end_of_file(&self) -> bool {
        self.is_at_end
    }

    /// How much the rule found so far.
    pub(super) fn n_found(&self) -> u64 {
        self.n_found
    }

    /// The lines at which errors of the dataset were found so far.
    pub(super) fn lines(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().copied()
    }

    /// Adds a finding at a byte of the line.
    pub fn at(&mut self, offset: usize, message: impl Into<String>) -> Added<'_> {
        self.over(offset..offset + 1, message)
    }

    /// Adds a finding that is about a stretch of the line.
    pub fn over(&mut self, range: Range<usize>, message: impl Into<String>) -> Added<'_> {
        if self.is_only_counted(self.number) {
            return Added::default();
        }
        let (_, column) = column_of(self.line, range.start);
        let pointer = self
            .root
            .map_or_else(String::new, |root| place::pointer(root, range.start));
        let position = Position {
            line: self.number,
            column,
        };
        self.add(Some(position), pointer, message.into(), Some(range))
    }

    /// Adds a finding about a whole value.
    pub fn value(&mut self, value: Value<'_, '_>, message: impl Into<String>) -> Added<'_> {
        self.over(value.offset()..value.end(), message)
    }

    /// Adds a finding inside a text; the range is of the decoded text, in
    /// bytes.
    pub fn text(
        &mut self,
        text: &Text<'_, '_>,
        range: Range<usize>,
        message: impl Into<String>,
    ) -> Added<'_> {
        let start = text.value.offset_in(range.start);
        let end = text.value.offset_in(range.end).max(start + 1);
        self.over(start..end, message)
    }

    /// Adds a finding about the line as a whole.
    pub fn line(&mut self, message: impl Into<String>) -> Added<'_> {
        self.at(0, message)
    }

    /// Adds a finding of the dataset that shows at a line, whose number counts from
    /// one. The rules of the dataset have no line before them. The message is asked
    /// for if the finding may be kept.
    pub fn at_line(&mut self, line: u64, message: impl FnOnce() -> String) {
        let n_before = self.n_found;
        if !self.is_only_counted(line) {
            let position = Position::line(line);
            self.add(Some(position), String::new(), message(), None);
        }
        if self.n_found > n_before && self.level == Level::Error {
            self.lines.push(line);
        }
    }

    /// Whether there is no room for a finding at a line, which is counted then.
    fn is_only_counted(&mut self, line: u64) -> bool {
        // What the baseline knows is told by all of the finding.
        let is_counted = self.context.baseline.is_empty() && !self.sink.has_room(self.rule, line);
        if is_counted {
            self.n_found += 1;
            self.sink.counts[self.rule] += 1;
        }
        is_counted
    }

    /// Adds a finding about the dataset as a whole.
    pub fn dataset(&mut self, message: impl Into<String>) {
        self.add(None, String::new(), message.into(), None);
    }

    /// Counts a finding, and keeps it if there is room, unless the baseline
    /// knows it.
    fn add(
        &mut self,
        position: Option<Position>,
        pointer: String,
        message: String,
        place: Option<Range<usize>>,
    ) -> Added<'_> {
        let rule = RULES[self.rule];
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        hash.update(rule.code.code.as_bytes());
        hash.update(pointer.as_bytes());
        if self.root.is_none() && self.line.is_empty() {
            hash.update(message.as_bytes());
        } else {
            hash.update(self.line);
        }
        let fingerprint = hash.digest();
        if self.context.baseline.contains(&fingerprint) {
            self.sink.known += 1;
            return Added::default();
        }
        self.n_found += 1;
        self.sink.counts[self.rule] += 1;
        if !self.sink.admits(self.rule, position) {
            return Added::default();
        }
        let wants_repairs = self.sink.wants_repairs;
        let window = place
            .as_ref()
            .map(|place| place::window(self.line, place.start, place.len()));
        let n = self.sink.found.len();
        self.sink.places.extend(place.map(|place| (n, place)));
        self.sink.found.push(Found {
            rule,
            level: self.level,
            position,
            pointer,
            message,
            window: window.unwrap_or_default(),
            fingerprint,
            line_fingerprint: (!self.line.is_empty())
                .then(|| xxhash_rust::xxh3::xxh3_128(self.line)),
            repair: Vec::new(),
        });
        Added(self.sink.found.last_mut().filter(|_| wants_repairs))
    }
}

/// A finding that was added, for saying how to repair it.
#[derive(Debug, Default)]
pub struct Added<'f>(Option<&'f mut Found>);

impl Added<'_> {
    /// Says how to repair it. The edits are worked out only if someone wants
    /// them.
    pub fn repair(self, edits: impl FnOnce() -> Vec<Edit>) {
        if let Some(found) = self.0 {
            found.repair = edits();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn those_at_the_smallest_lines_are_kept_in_whatever_order_they_come(
            // Rules, lines, and the part in which they are found.
            found in proptest::collection::vec((0..3_usize, 1..40_u64, 0..3_usize), 0..120),
            cap in 0..9_usize,
            crowd in 0..30_usize,
        ) {
            let context = Context::default();
            let of_smallest = || Findings { crowd, ..Findings::of_smallest_lines(cap) };
            let (mut all, mut parts) = (of_smallest(), vec![of_smallest(); 3]);
            for (n, (rule, line, part)) in found.iter().enumerate() {
                let place = (*rule, Level::Warn);
                let mut report = Report::new(place, (b"", 0), None, &context, &mut parts[*part]);
                report.at_line(*line, || n.to_string());
            }
            for part in &mut parts {
                all.append(part, 0);
            }
            all.sort();
            // The obvious way; what one line shows comes in the order of parts.
            let mut expected: Vec<_> = found.iter().enumerate().collect();
            expected.sort_by_key(|(n, (rule, line, part))| (*line, *rule, *part, *n));
            let mut kept = [0; 3];
            expected.retain(|(_, (rule, ..))| {
                kept[*rule] += 1;
                kept[*rule] <= cap
            });
            let messages = expected.iter().map(|(n, _)| n.to_string());
            prop_assert!(messages.eq(all.found.iter().map(|found| found.message.clone())));
            for rule in 0..3 {
                let n = found.iter().filter(|(other, ..)| *other == rule).count();
                prop_assert_eq!(all.counts[rule], n as u64);
            }
        }
    }
}
