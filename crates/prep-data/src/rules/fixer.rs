//! One line, repaired as far as rules can.
//!
//! Rules say how to repair what they find, in edits of the line. What can be
//! repaired at once is, and the line is checked again, until no rule has a
//! repair left: so repairing twice is repairing once.

use std::borrow::Cow;

use super::checker::{Checker, LineOutcome, RawLine};
use super::context::Context;
use super::dataset::Tally;
use super::edit::{self, Edit};
use super::levels::Levels;
use super::report::Findings;
use super::{RULES, Safety};
use crate::diag::Level;

/// How often a line is checked again at most. Repairs make room for each
/// other: a key is renamed, then what it holds is looked at, then turns are
/// merged.
const ROUNDS: usize = 16;

/// Repairs lines. Each thread has its own.
#[derive(Debug)]
pub struct Fixer<'c> {
    checker: Checker<'c>,
    findings: Findings,
    tally: Tally,
    safety: Safety,
    /// How many repairs of each rule were carried out, by its place in
    /// [`RULES`].
    pub repairs: Vec<u64>,
    /// How many findings of each rule are left.
    pub left: Vec<u64>,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed<'a> {
    /// The line; borrowed if it is as it was.
    pub line: Cow<'a, [u8]>,
    /// What it is now.
    pub outcome: LineOutcome,
    /// How many repairs were carried out. A blank line that was repaired is to
    /// be left out.
    pub n_repairs: u64,
}

impl<'c> Fixer<'c> {
    /// Makes a fixer that carries out repairs up to a kind, of the rules that
    /// are on.
    #[must_use]
    pub fn new(context: &'c Context, levels: &Levels, safety: Safety) -> Self {
        Self {
            checker: Checker::new(context, levels),
            findings: Findings::new(usize::MAX, true),
            tally: Tally::default(),
            safety,
            repairs: vec![0; RULES.len()],
            left: vec![0; RULES.len()],
        }
    }

    /// Repairs a line.
    pub fn line<'a>(&mut self, line: &RawLine<'a>) -> Fixed<'a> {
        let mut fixed = Fixed {
            line: Cow::Borrowed(line.bytes),
            outcome: LineOutcome::Blank,
            n_repairs: 0,
        };
        let mut has_bom = line.has_bom;
        for round in 1..=ROUNDS {
            self.findings.clear();
            let raw = RawLine {
                utf8: match &fixed.line {
                    Cow::Borrowed(_) => line.utf8,
                    Cow::Owned(bytes) => std::str::from_utf8(bytes).ok(),
                },
                bytes: &fixed.line,
                has_bom,
                seen: None,
                ..*line
            };
            fixed.outcome = self.checker.line(&raw, &mut self.findings, &mut self.tally);
            self.tally.clear();
            if self.findings.found.is_empty() {
                return fixed;
            }
            let repaired = if round < ROUNDS {
                self.repair(&fixed.line)
            } else {
                None
            };
            if fixed.outcome == LineOutcome::Blank {
                // Its repair is that it goes.
                fixed.n_repairs = repaired.map_or(0, |(_, n_repairs)| n_repairs);
                return fixed;
            }
            let Some((repaired, n_repairs)) = repaired else {
                break;
            };
            if repaired != *fixed.line {
                fixed.line = Cow::Owned(repaired);
            }
            fixed.n_repairs += n_repairs;
            has_bom = false;
        }
        for (left, count) in self.left.iter_mut().zip(&self.findings.counts) {
            *left += count;
        }
        fixed
    }

    /// Carries out what can be done at once; `None` if there is nothing.
    fn repair(&mut self, line: &[u8]) -> Option<(Vec<u8>, u64)> {
        let wanted = self.findings.found.iter().filter(|found| {
            let is_allowed = found.rule.fix.is_some_and(|safety| safety <= self.safety);
            is_allowed && !found.repair.is_empty()
        });
        let wanted: Vec<_> = wanted.collect();
        let repairs: Vec<&[Edit]> = wanted.iter().map(|found| found.repair.as_slice()).collect();
        let (repaired, done) = edit::apply(line, &repairs);
        let mut n_repairs = 0;
        for (found, _) in wanted.iter().zip(done).filter(|(_, is_done)| *is_done) {
            self.repairs[super::report::index_of(found.rule)] += 1;
            n_repairs += 1;
        }
        (n_repairs > 0).then_some((repaired, n_repairs))
    }
}

/// The levels with which everything that can be repaired is looked for: rules
/// without a repair keep theirs, so that what is left can be told.
#[must_use]
pub fn levels_for_repair(levels: &Levels) -> Levels {
    let mut all = levels.clone();
    for rule in RULES {
        if rule.fix.is_none() && rule.code.level == Level::Warn {
            // Warnings that nobody can repair are for `prep validate`.
            all.set(rule.code.code, Level::Allow)
                .expect("the rule is in the table");
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::tests::lines_of_pages;

    fn fixed(line: &[u8], safety: Safety) -> (Vec<u8>, u64) {
        let (context, levels) = (Context::default(), Levels::default());
        let mut fixer = Fixer::new(&context, &levels, safety);
        let fixed = fixer.line(&RawLine::alone(line));
        (fixed.line.into_owned(), fixed.n_repairs)
    }

    /// What a fixed line may not have: a finding that a repair of the kind
    /// could mend.
    fn mendable(line: &[u8], safety: Safety) -> Vec<&'static str> {
        let (context, levels) = (Context::default(), Levels::default());
        let mut findings = Findings::new(usize::MAX, true);
        let mut checker = Checker::new(&context, &levels);
        checker.line(&RawLine::alone(line), &mut findings, &mut Tally::default());
        let found = findings.found.iter().filter(|found| {
            !found.repair.is_empty() && found.rule.fix.is_some_and(|fix| fix <= safety)
        });
        found.map(|found| found.rule.code.code).collect()
    }

    fn check(line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        for safety in [Safety::Safe, Safety::Unsafe] {
            let (once, _) = fixed(line, safety);
            let (twice, n_repairs) = fixed(&once, safety);
            let shown = String::from_utf8_lossy(line);
            assert_eq!(once, twice, "{shown}");
            assert_eq!(n_repairs, 0, "{shown}");
            assert_eq!(mendable(&once, safety), [""; 0], "{shown}");
        }
    }

    #[test]
    fn fixing_twice_is_fixing_once_on_every_page() {
        for line in lines_of_pages() {
            check(&line);
        }
    }

    #[test]
    fn a_good_line_is_left_alone() {
        let line = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]}]}"#;
        let (context, levels) = (Context::default(), Levels::default());
        let mut fixer = Fixer::new(&context, &levels, Safety::Unsafe);
        let fixed = fixer.line(&RawLine::alone(line.as_bytes()));
        assert!(matches!(fixed.line, Cow::Borrowed(_)));
        assert_eq!((fixed.outcome, fixed.n_repairs), (LineOutcome::Valid, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Lines of pages, cut and put together anywhere.
        #[test]
        fn fixing_twice_is_fixing_once(
            one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        ) {
            let lines = lines_of_pages();
            let (one, other) = (one.get::<Vec<u8>>(&lines), other.get::<Vec<u8>>(&lines));
            if !one.is_empty() {
                let at = at.index(one.len());
                let mut line = one[..at].to_vec();
                line.extend_from_slice(&other[at.min(other.len())..]);
                check(&line);
            }
        }
    }
}
