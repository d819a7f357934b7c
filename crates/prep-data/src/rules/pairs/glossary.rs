//! Terms that a translation must keep to.
//!
//! A glossary is a table: a term of the source, what it is called in the
//! target (`|` between what is equally right), and, if wanted, what it must not
//! be called. A term without a translation stays as it is. Lines that begin
//! with `#`, and a head line `source,target`, are no terms. Case does not
//! matter, and endings may follow the words of the target (`moneda` is found in
//! `monedas`), since languages inflect.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// Why a glossary cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlossaryError {
    /// A line has no term of the source.
    #[error("line {line} names no term")]
    NoTerm {
        /// The line, from 1.
        line: usize,
    },
    /// A line has more than three columns.
    #[error("line {line} has {columns} columns, a glossary has two or three")]
    TooManyColumns {
        /// The line, from 1.
        line: usize,
        /// How many it has.
        columns: usize,
    },
    /// There is not one term.
    #[error("it has no terms")]
    Empty,
    /// The terms are too many to be searched for at once.
    #[error("its terms are too many to be searched for at once")]
    TooMany,
}

/// The terms.
#[derive(Debug, Clone)]
pub struct Glossary {
    terms: Vec<Term>,
    search: AhoCorasick,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    source: String,
    wanted: Vec<String>,
    forbidden: Vec<String>,
}

/// A term that was not kept to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach<'g> {
    /// The term as the glossary has it.
    pub(super) term: &'g str,
    /// Where it stands in the source.
    pub(super) range: Range<usize>,
    /// What the target should have.
    pub(super) wanted: &'g [String],
    /// What the target has and must not have, and where.
    pub(super) forbidden: Option<(Range<usize>, &'g str)>,
}

impl Glossary {
    /// Reads a glossary: tab-separated if the first line with a term has a tab,
    /// comma-separated otherwise.
    ///
    /// # Errors
    ///
    /// When a line is no term, or there is none.
    pub fn parse(text: &str) -> Result<Self, GlossaryError> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = (1..).zip(text.lines().map(str::trim_end));
        let mut lines = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .peekable();
        let is_tabbed = lines.peek().is_some_and(|(_, line)| line.contains('\t'));
        let mut terms = Vec::new();
        for (n, (line, text)) in lines.enumerate() {
            let cells = if is_tabbed {
                text.split('\t')
                    .map(|cell| cell.trim().to_owned())
                    .collect()
            } else {
                cells(text)
            };
            let head = cells
                .iter()
                .map(|cell| cell.to_lowercase())
                .collect::<Vec<_>>();
            let is_head = matches!(
                head.first().map(String::as_str),
                Some("source" | "src" | "term" | "source term")
            );
            if n == 0 && is_head {
                continue;
            }
            terms.push(Term::of(cells, line)?);
        }
        if terms.is_empty() {
            return Err(GlossaryError::Empty);
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(terms.iter().map(|term| term.source.to_lowercase()))
            .map_err(|_| GlossaryError::TooMany)?;
        Ok(Self { terms, search })
    }

    /// How many terms there are.
    #[must_use]
    pub fn n_terms(&self) -> usize {
        self.terms.len()
    }

    /// The terms of a source that its target does not keep to.
    pub(super) fn breaches(&self, source: &str, target: &str) -> Vec<Breach<'_>> {
        let folded = Folded::of(source);
        let mut in_target = None;
        let mut breaches = Vec::new();
        for found in self.search.find_iter(&folded.text) {
            if !is_whole(&folded.text, found.range()) {
                continue;
            }
            let term = &self.terms[found.pattern().as_usize()];
            let target = in_target.get_or_insert_with(|| Folded::of(target));
            let forbidden = term
                .forbidden
                .iter()
                .find_map(|word| Some((target.find(word)?, &**word)));
            let is_kept = term.wanted.iter().any(|word| target.find(word).is_some());
            if forbidden.is_some() || !is_kept {
                breaches.push(Breach {
                    term: &term.source,
                    range: folded.place(found.start())..folded.place(found.end()),
                    wanted: &term.wanted,
                    forbidden,
                });
            }
        }
        breaches
    }
}

impl Term {
    fn of(cells: Vec<String>, line: usize) -> Result<Self, GlossaryError> {
        let columns = cells.len();
        if columns > 3 {
            return Err(GlossaryError::TooManyColumns { line, columns });
        }
        let mut cells = cells.into_iter();
        let source = cells.next().unwrap_or_default();
        if source.is_empty() {
            return Err(GlossaryError::NoTerm { line });
        }
        let list = |cell: Option<String>| -> Vec<String> {
            let cell = cell.unwrap_or_default();
            let terms = cell
                .split('|')
                .map(str::trim)
                .filter(|term| !term.is_empty());
            terms.map(str::to_owned).collect()
        };
        let (mut wanted, forbidden) = (list(cells.next()), list(cells.next()));
        if wanted.is_empty() {
            wanted.push(source.clone());
        }
        Ok(Self {
            source,
            wanted,
            forbidden,
        })
    }
}

/// The cells of a line of CSV; a glossary has no line breaks in them.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if is_quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' | ';' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// A text in lower case, with the way back to where it stood.
#[derive(Debug)]
struct Folded {
    text: String,
    /// Where lower case is longer or shorter: places of both texts, in order.
    shifts: Vec<(usize, usize)>,
}

impl Folded {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self {
                text: text.to_ascii_lowercase(),
                shifts: Vec::new(),
            };
        }
        let mut folded = String::with_capacity(text.len());
        let mut shifts = Vec::new();
        for (at, c) in text.char_indices() {
            folded.extend(c.to_lowercase());
            let end = at + c.len_utf8();
            if shifts
                .last()
                .map_or(0, |(folded, at): &(usize, usize)| folded.wrapping_sub(*at))
                != folded.len().wrapping_sub(end)
            {
                shifts.push((folded.len(), end));
            }
        }
        Self {
            text: folded,
            shifts,
        }
    }

    /// Where a place of the folded text is in the text.
    fn place(&self, at: usize) -> usize {
        let shift = self.shifts.iter().rfind(|(folded, _)| *folded <= at);
        shift.map_or(at, |(folded, place)| at - folded + place)
    }

    /// Where a term stands, with an ending or without.
    fn find(&self, term: &str) -> Option<Range<usize>> {
        let term = term.to_lowercase();
        let found = self
            .text
            .match_indices(&term)
            .find(|(at, _)| begins_word(&self.text, *at));
        let (at, found) = found?;
        Some(self.place(at)..self.place(at + found.len()))
    }
}

fn is_wordly(c: char) -> bool {
    // Chinese and Japanese do not divide words.
    c.is_alphanumeric() && !matches!(c, '\u{3040}'..='\u{9fff}')
}

fn begins_word(text: &str, at: usize) -> bool {
    let begins_with_word = text[at..].chars().next().is_some_and(is_wordly);
    !(begins_with_word && text[..at].chars().next_back().is_some_and(is_wordly))
}

/// Whether a stretch is made of whole words; a plural `s` may follow.
fn is_whole(text: &str, range: Range<usize>) -> bool {
    let ends_with_word = text[range.clone()]
        .chars()
        .next_back()
        .is_some_and(is_wordly);
    let rest = &text[range.end..];
    let rest = rest
        .strip_prefix("es")
        .filter(|rest| !rest.starts_with(is_wordly))
        .unwrap_or(rest);
    let rest = rest
        .strip_prefix('s')
        .filter(|rest| !rest.starts_with(is_wordly))
        .unwrap_or(rest);
    begins_word(text, range.start) && !(ends_with_word && rest.starts_with(is_wordly))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_kept_or_broken() {
        let glossary = Glossary::parse("source,target,not\n# money\ngold coin,moneda de oro,pieza de oro\ngold,oro|áureo\nPikachu,\n\"sword, long\",espada larga\n").unwrap();
        assert_eq!(glossary.n_terms(), 4);
        let of = |source: &str, target: &str| -> Vec<String> {
            let breaches = glossary.breaches(source, target);
            breaches
                .iter()
                .map(|breach| {
                    assert!(source.get(breach.range.clone()).is_some());
                    format!(
                        "{} {:?}",
                        breach.term,
                        breach
                            .forbidden
                            .as_ref()
                            .map(|(range, _)| &target[range.clone()])
                    )
                })
                .collect()
        };
        assert_eq!(of("A gold mine", "Una mina de ORO"), Vec::<String>::new());
        assert_eq!(of("A gold coin", "Una moneda de oro"), Vec::<String>::new());
        assert_eq!(of("Gold!", "¡Plata!"), ["gold None"]);
        assert_eq!(
            of("A gold coin", "Una pieza de oro"),
            ["gold coin Some(\"pieza de oro\")"]
        );
        assert_eq!(of("golden", "dorado"), Vec::<String>::new());
        assert_eq!(of("Pikachu runs", "Pica corre"), ["Pikachu None"]);
        assert_eq!(of("ÉÀ İ gold", "x"), ["gold None"]);
    }

    #[test]
    fn a_glossary_that_is_none_is_refused() {
        let refused = |text: &str| Glossary::parse(text).unwrap_err();
        assert_eq!(refused(""), GlossaryError::Empty);
        assert_eq!(refused("source\ttarget\n"), GlossaryError::Empty);
        assert_eq!(refused("a,b\n,c\n"), GlossaryError::NoTerm { line: 2 });
        assert_eq!(
            refused("a,b,c,d\n"),
            GlossaryError::TooManyColumns {
                line: 1,
                columns: 4
            }
        );
    }
}
