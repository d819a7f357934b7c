//! What one look at a batch of lines tells of each: where strings of JSON end,
//! how many characters they have, and what signs their texts show.
//!
//! All lines are looked at together, 64 bytes at a time and whatever they are;
//! then a line is read by jumping from one mark to the next. Looking at each
//! line by itself, for one thing after the other, took 3 times as long on lines
//! of 370 bytes.

use std::ops::Range;

use crate::text::signs::{self, DigitRun, Signs};
use crate::text::suspects::{self, LANES, Marks, Word};

/// What a stretch of text shows, in order. One may be used again for the next.
#[derive(Debug, Clone, Default)]
pub struct Glance {
    marks: Vec<Marks>,
    /// The place of each line feed.
    newlines: Vec<usize>,
    /// Every sign, with a place in it.
    signs: Vec<(usize, Signs)>,
}

impl Glance {
    /// Looks at a text, and forgets the one before. Takes three eighths of the
    /// memory of the text.
    pub fn look(&mut self, text: &str) {
        let text = text.as_bytes();
        self.newlines.clear();
        self.signs.clear();
        let mut marks = std::mem::take(&mut self.marks);
        marks.resize(text.len().div_ceil(LANES), Marks::default());
        let (mut run, mut n_inner) = (DigitRun::default(), 0);
        // A few at a time, so that they are at hand for the second look.
        const FEW: usize = 64;
        let mut words = [Word::default(); FEW];
        for (marks, at) in marks.chunks_mut(FEW).zip((0..).step_by(FEW * LANES)) {
            let words = &mut words[..marks.len()];
            (_, n_inner) = suspects::look(&text[at..], n_inner, marks, words);
            for (word, start) in words.iter().zip((at..).step_by(LANES)) {
                // Four in five show nothing, and are done here.
                if word.newlines | word.suspects | word.digits != 0 || run.is_going_on() {
                    self.note(text, word, start, &mut run);
                }
            }
        }
        self.marks = marks;
        // Of 64 bytes, digits come first.
        if !self.signs.is_sorted_by_key(|(at, _)| *at) {
            self.signs.sort_unstable_by_key(|(at, _)| *at);
        }
    }

    /// Notes what 64 bytes show that begin at `start`.
    #[inline(never)]
    fn note(&mut self, text: &[u8], word: &Word, start: usize, run: &mut DigitRun) {
        let mut newlines = word.newlines;
        while newlines != 0 {
            self.newlines
                .push(start + newlines.trailing_zeros() as usize);
            newlines &= newlines - 1;
        }
        signs::each_of(text, word, start, run, |at, signs| {
            self.signs.push((at, signs));
        });
    }

    /// The place of each line feed, in order.
    #[must_use]
    pub fn newlines(&self) -> &[usize] {
        &self.newlines
    }

    /// The place of the first `"`, `\` or control character at or after `from`.
    #[inline]
    pub(super) fn next_special(&self, from: usize) -> Option<usize> {
        let mut n = from / LANES;
        let mut word = self.marks.get(n)?.special & (u64::MAX << (from % LANES));
        while word == 0 {
            n += 1;
            word = self.marks.get(n)?.special;
        }
        Some(n * LANES + word.trailing_zeros() as usize)
    }

    /// How many characters begin in a stretch of less than 4 GiB that begins with
    /// one.
    #[inline]
    pub(super) fn n_chars(&self, stretch: Range<usize>) -> usize {
        if stretch.is_empty() {
            return 0;
        }
        // Up to a byte, and with it.
        let up_to = |at: usize| {
            let marks = &self.marks[at / LANES];
            let inner = marks.inner & (u64::MAX >> (LANES - 1 - at % LANES));
            marks.inner_before.wrapping_add(inner.count_ones())
        };
        // A text begins with a character.
        let n_inner = up_to(stretch.end - 1).wrapping_sub(up_to(stretch.start));
        stretch.len() - n_inner as usize
    }

    /// The signs that show in a stretch.
    #[inline]
    pub(super) fn signs(&self, stretch: Range<usize>) -> Signs {
        let first = self.signs.partition_point(|(at, _)| *at < stretch.start);
        let signs = self.signs[first..].iter();
        let signs = signs.take_while(|(at, _)| *at < stretch.end);
        signs.fold(Signs::NONE, |all, (_, signs)| all | *signs)
    }
}

/// A line, seen among others.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What was seen.
    pub glance: &'a Glance,
    /// Where the line begins in it.
    pub start: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::find_special;

    #[test]
    fn characters_are_counted_at_any_length() {
        for n in [0, 1, 5, 6, 7, 100, 1000] {
            let text = "aé你👍".repeat(n);
            let mut glance = Glance::default();
            glance.look(&text);
            assert_eq!(glance.n_chars(0..text.len()), 4 * n);
        }
    }

    proptest! {
        #[test]
        fn a_stretch_shows_what_it_shows_alone(
            lines in proptest::collection::vec("([a-zé你 ]{0,90}|[0-9. -]{1,9}|@|ghp_|<b>|\\\\n|\u{200b})*", 1..5),
        ) {
            let text = lines.join("\"\n");
            let mut glance = Glance::default();
            glance.look("something else 1");
            glance.look(&text);
            prop_assert_eq!(glance.newlines(), memchr::memchr_iter(b'\n', text.as_bytes()).collect::<Vec<_>>());
            let mut at = 0;
            for line in &lines {
                let end = at + line.len();
                prop_assert_eq!(glance.signs(at..end), Signs::of(line.as_bytes()), "{:?}", line);
                prop_assert_eq!(glance.n_chars(at..end), line.chars().count());
                prop_assert_eq!(glance.next_special(at), find_special(text.as_bytes(), at));
                at = end + 2;
            }
        }
    }
}
