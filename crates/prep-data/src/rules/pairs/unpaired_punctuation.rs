//! Brackets and quotation marks of a target that are not closed, or were not opened.

use std::ops::Range;

use super::learn::Relation;
use super::placeholders::placeholders;
use super::{Marks, Pair, PairContext, Said};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P008",
        name: "unpaired-punctuation",
        level: Level::Allow,
        hint: "close what was opened, or open what was closed",
    },
    page: include_str!("unpaired_punctuation.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let has_any = |marks: Marks| marks.has(Marks::PAIRED) || marks.has(Marks::BEYOND_ASCII);
    if !has_any(pair.of_target) && !has_any(pair.of_source) {
        return None;
    }
    judge(pair, &measure(pair), context)
}

/// The pairs of both sides.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pairs {
    source: Side,
    target: Side,
}

/// The brackets and quotes of a text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Side {
    /// The first sign that has no partner.
    unpaired: Option<(usize, char)>,
    /// How many round brackets open.
    n_round: usize,
}

/// What opens and what closes.
const PAIRED: [(char, char); 9] = [
    ('(', ')'),
    ('[', ']'),
    ('（', '）'),
    ('「', '」'),
    ('『', '』'),
    ('《', '》'),
    ('【', '】'),
    ('«', '»'),
    ('“', '”'),
];

pub(super) fn measure(pair: &Pair<'_>) -> Pairs {
    Pairs {
        source: side(pair.source, &code(pair.source, pair.of_source)),
        target: side(pair.target, &code(pair.target, pair.of_target)),
    }
}

/// Where a text has placeholders: their brackets are not of the text.
fn code(text: &str, marks: Marks) -> Vec<Range<usize>> {
    if !marks.has(Marks::PLACEHOLDER) {
        return Vec::new();
    }
    let found = placeholders(text).into_iter();
    found.map(|placeholder| placeholder.range).collect()
}

fn side(text: &str, skip: &[Range<usize>]) -> Side {
    let mut side = Side::default();
    // German closes with what English opens with; Danish turns guillemets.
    let is_german = text.contains('„');
    let is_turned =
        matches!((text.find('»'), text.find('«')), (Some(one), Some(other)) if one < other);
    let mut open: Vec<(usize, char, char)> = Vec::new();
    let mut straight = None;
    let (mut before, mut is_at_start) = (' ', true);
    for (at, c) in text.char_indices() {
        if skip.iter().any(|range| range.contains(&at)) {
            before = c;
            continue;
        }
        let (c, was) = match c {
            '“' if is_german => ('”', c),
            '„' => ('“', c),
            '»' if is_turned => ('«', c),
            '«' if is_turned => ('»', c),
            c => (c, c),
        };
        if c == '"' {
            // Inches are no quotation marks.
            if !(before.is_ascii_digit() && straight.is_none()) {
                straight = if straight.is_some() {
                    None
                } else {
                    Some((at, c))
                };
            }
        } else if let Some((_, close)) = PAIRED.iter().find(|(open, _)| *open == c) {
            if !is_face(text, at, c) {
                open.push((at, was, *close));
                side.n_round += usize::from(matches!(c, '(' | '（'));
            }
        } else if c == '»' && is_at_start && at > 0 {
            // A speech that goes on in a new paragraph is marked so.
        } else if PAIRED.iter().any(|(_, close)| *close == c) {
            if let Some(n) = open
                .iter()
                .rposition(|(.., close)| *close == c || is_wide(*close, c))
            {
                open.remove(n);
            } else if !(is_face(text, at, c) || c != '”' && is_list_mark(text, at)) {
                side.unpaired.get_or_insert((at, was));
            }
        }
        is_at_start = c == '\n' || is_at_start && c.is_whitespace();
        before = was;
    }
    let left = open.first().map(|(at, c, _)| (*at, *c));
    side.unpaired = side.unpaired.or(left).or(straight);
    side
}

/// A full-width bracket may close a narrow one.
fn is_wide(one: char, other: char) -> bool {
    matches!((one, other), (')', '）') | ('）', ')'))
}

/// `:)`, `;-(`, `:'(`: a face. Its eyes follow no letter, but people smile behind
/// a word without a space: `hola:)`.
fn is_face(text: &str, at: usize, c: char) -> bool {
    let head = text[..at].trim_end_matches(['-', '^', '\'']);
    let has_nose = head.len() + 1 >= at;
    let mut head = head.chars().rev();
    let (eyes, before) = (head.next(), head.next());
    let is_apart = before.is_none_or(|c| !c.is_alphanumeric());
    let has_eyes = match eyes {
        Some(':' | ';' | '=') => is_apart || matches!(c, ')' | ']'),
        Some('x' | 'X' | 'D') => is_apart && matches!(c, ')' | '('),
        Some('8') => is_apart && c == ')',
        _ => false,
    };
    has_nose && has_eyes
}

/// `a)` and `12)` at the beginning of a line or a phrase.
fn is_list_mark(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let start = before
        .rfind(|c: char| c.is_whitespace())
        .map_or(0, |n| n + 1);
    let mark = before[before.ceil_char_boundary(start)..].trim_start_matches(['(', '¿', '¡']);
    (1..=2).contains(&mark.chars().count()) && mark.chars().all(char::is_alphanumeric)
}

fn judge(_: &Pair<'_>, pairs: &Pairs, context: &PairContext) -> Option<Said> {
    let Pairs { source, target } = pairs;
    if source.unpaired.is_none()
        && let Some((at, c)) = target.unpaired
    {
        let what = if PAIRED.iter().any(|(open, _)| *open == c) || matches!(c, '"' | '„') {
            "is not closed"
        } else {
            "was not opened"
        };
        return Some(Said::of_target(
            at..at + c.len_utf8(),
            format!("`{c}` {what}"),
        ));
    }
    let is_compared = context.limits().counts_brackets
        && context.learnt.relation == Relation::Translation
        && source.unpaired.is_none();
    if is_compared && source.n_round != target.n_round {
        let message = format!(
            "the target has {} in brackets, the source {}",
            times(target.n_round),
            times(source.n_round)
        );
        return Some(Said::of_target(0..1, message));
    }
    None
}

fn times(n: usize) -> String {
    match n {
        0 => "nothing".into(),
        1 => "one thing".into(),
        n => format!("{n} things"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_told() {
        for good in [
            "(a) [b] “c” «d» \"e\"",
            "a) one b) two",
            ":) ;-( :(",
            "5\" screen",
            "„Ja“, sagte er.",
            "»Ja«, sagte er.",
            "“One.\n“Two.”\n",
            "（好）",
            "「好」",
            "«Uno.\n»Dos.»",
            "—Sí —dijo—.",
            "don’t",
            "Elegiste 'natación'(swimming).",
            "el artículo 8(2) y la lista:(a)",
            "hola:) y =( :'( x( 8-)",
            "3D(x)",
        ] {
            let is_known = good.starts_with("“One");
            assert_eq!(
                side(good, &[]).unpaired.filter(|_| !is_known),
                None,
                "{good}"
            );
        }
        for (bad, c) in [
            ("(a", '('),
            ("word]", ']'),
            ("“Ja", '“'),
            ("Ja”", '”'),
            ("a \"b", '"'),
            ("word)", ')'),
            ("「好", '「'),
            ("de 1998)", ')'),
        ] {
            assert_eq!(side(bad, &[]).unpaired.map(|(_, c)| c), Some(c), "{bad}");
        }
    }
}
