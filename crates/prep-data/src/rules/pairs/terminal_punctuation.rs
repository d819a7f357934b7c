//! A target that ends in another way than its source.

use super::addresses_differ::addresses;
use super::learn::Relation;
use super::presets::Ends;
use super::{Marks, Pair, PairContext, PairSide, Said, length_ratio, untranslated, wrong_language};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};
use crate::text::language::Language;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P007",
        name: "terminal-punctuation",
        level: Level::Allow,
        hint: "end the target as the source ends, by the customs of its language",
    },
    page: include_str!("terminal_punctuation.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let says_something = |text: &str| text.chars().any(char::is_alphanumeric);
    if context.learnt.relation == Relation::Answer || !says_something(pair.target) {
        return None;
    }
    let ended = measure(pair, context.target_is(Language::SPANISH));
    let said = judge(pair, ended, context)?;
    // That a text is another, or in another language, says why it ends otherwise.
    let is_told = untranslated::is_copied(pair, context)
        || length_ratio::check(pair, context).is_some()
        || wrong_language::check(pair, context).is_some_and(|told| told.side == PairSide::Target);
    (!is_told).then_some(said)
}

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Question,
    Exclamation,
    Period,
    Ellipsis,
    Colon,
    Nothing,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Question => "a question mark",
            Self::Exclamation => "an exclamation mark",
            Self::Period => "a full stop",
            Self::Ellipsis => "an ellipsis",
            Self::Colon => "a colon",
            Self::Nothing => "no punctuation",
        }
    }
}

/// How the sides end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    source: End,
    target: End,
    /// Whether a side asks anything anywhere.
    source_asks: bool,
    target_asks: bool,
    /// The first mark of the target that has no partner: `?` without `¿`.
    unpaired: Option<(usize, char)>,
}

pub(super) fn measure(pair: &Pair<'_>, is_spanish: bool) -> Ended {
    let asks = |text: &str, marks: Marks| {
        (marks.has(Marks::QUESTION) || marks.has(Marks::BEYOND_ASCII)) && text.contains(QUESTIONS)
    };
    let has_marks = pair.of_target.has(Marks::QUESTION)
        || pair.of_target.has(Marks::EXCLAMATION)
        || pair.of_target.has(Marks::BEYOND_ASCII);
    Ended {
        source: end(pair.source),
        target: end(pair.target),
        source_asks: asks(pair.source, pair.of_source),
        target_asks: asks(pair.target, pair.of_target),
        unpaired: if is_spanish && has_marks {
            unpaired(pair.target)
        } else {
            None
        },
    }
}

const QUESTIONS: [char; 4] = ['?', '？', '؟', '⁇'];

/// How a text ends, quotes, brackets and symbols behind it aside.
fn end(text: &str) -> End {
    let mut found = End::Nothing;
    let mut n_dots = 0;
    for c in text.chars().rev() {
        match c {
            '?' | '？' | '؟' | '⁇' => return End::Question,
            '!' | '！' => found = End::Exclamation,
            '…' => {
                return if found == End::Nothing {
                    End::Ellipsis
                } else {
                    found
                };
            }
            '.' | '。' | '।' | '．' => {
                n_dots += 1;
                if n_dots == 3 {
                    return if found == End::Nothing || found == End::Period {
                        End::Ellipsis
                    } else {
                        found
                    };
                }
                if found == End::Nothing {
                    found = End::Period;
                }
            }
            ':' | '：' if found == End::Nothing => return End::Colon,
            c if c.is_alphanumeric() => return found,
            // A bracket opens here: what it holds is before the end.
            _ if found != End::Nothing => return found,
            _ => {}
        }
    }
    found
}

/// The first `?` or `!` of a Spanish text that nothing opens, or `¿` or `¡`
/// that nothing closes.
fn unpaired(text: &str) -> Option<(usize, char)> {
    let skip = if text.contains(['/', '@']) {
        addresses(text)
    } else {
        Vec::new()
    };
    let (mut open, mut last_open) = (0_usize, None);
    let mut says_something = false;
    let (mut before_that, mut before) = (' ', ' ');
    for (at, c) in text.char_indices() {
        let is_skipped = skip.iter().any(|address| address.range.contains(&at));
        let next = text[at + c.len_utf8()..].chars().next();
        match c {
            _ if is_skipped => {}
            // Part of an address or of code: `x.org/?a=1`.
            '?' | '!' if next.is_some_and(char::is_alphanumeric) => {}
            // A sign that is named: `pulsa ! para salir`.
            '?' | '!' if open == 0 && before.is_whitespace() && goes_on(&text[at + 1..]) => {}
            // A run of marks is one: `¿¡Qué!?`.
            '¿' | '¡' if !matches!(before, '¿' | '¡') => {
                open += 1;
                last_open.get_or_insert((at, c));
            }
            '?' | '!' if !matches!(before, '?' | '!') && !opens(before, before_that) => {
                if open == 0 && says_something {
                    return Some((at, c));
                }
                open = open.saturating_sub(1);
                if open == 0 {
                    last_open = None;
                }
            }
            c if c.is_alphabetic() => says_something = true,
            _ => {}
        }
        (before_that, before) = (before, c);
    }
    last_open
}

/// Whether a sentence goes on behind a sign.
fn goes_on(rest: &str) -> bool {
    rest.starts_with(char::is_whitespace)
        && (rest.trim_start().chars().next()).is_some_and(|c| !c.is_uppercase())
}

/// Whether a sign opens a bracket or a quotation: what follows it is cited. A
/// straight quote opens where no word ends.
fn opens(c: char, before: char) -> bool {
    match c {
        '(' | '«' | '“' | '`' => true,
        '"' | '\'' => before.is_whitespace() || matches!(before, '(' | '¿' | '¡' | '—'),
        _ => false,
    }
}

fn judge(pair: &Pair<'_>, ended: Ended, context: &PairContext) -> Option<Said> {
    let target_end = || {
        let last = pair.target.char_indices().next_back();
        last.map_or(0..0, |(at, c)| at..at + c.len_utf8())
    };
    if let Some((at, c)) = ended.unpaired {
        let partner = match c {
            '?' => "is not opened by `¿`",
            '!' => "is not opened by `¡`",
            '¿' => "is not closed by `?`",
            _ => "is not closed by `!`",
        };
        return Some(Said::of_target(
            at..at + c.len_utf8(),
            format!("`{c}` {partner}"),
        ));
    }
    // Where a text asks is a matter of language, and of who speaks on.
    if ended.source_asks && !ended.target_asks {
        return Some(Said::of_target(
            target_end(),
            "the source asks, the target does not",
        ));
    }
    if ended.target_asks && !ended.source_asks {
        return Some(Said::of_target(
            target_end(),
            "the target asks, the source does not",
        ));
    }
    let (source, target) = (ended.source, ended.target);
    if context.limits().ends == Ends::Strict && source != target {
        let message = format!(
            "the target ends with {}, the source with {}",
            target.name(),
            source.name()
        );
        return Some(Said::of_target(target_end(), message));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told() {
        for (text, expected) in [
            ("“Why?”", End::Question),
            ("No!", End::Exclamation),
            ("Done.", End::Period),
            ("好的。", End::Period),
            ("Wait...", End::Ellipsis),
            ("Wait…", End::Ellipsis),
            ("Name:", End::Colon),
            ("Name", End::Nothing),
            ("What?!", End::Question),
            ("(See below.)", End::Period),
            ("OK 👍", End::Nothing),
            ("真的吗？", End::Question),
            ("", End::Nothing),
        ] {
            assert_eq!(end(text), expected, "{text}");
        }
    }

    #[test]
    fn spanish_marks_have_partners() {
        let of = |text: &str| unpaired(text).map(|(_, c)| c);
        for good in [
            "¿Qué?",
            "¡No, no!",
            "¿¡Qué!?",
            "Pero ¿qué es eso?",
            "¡¡¡Hola!!!",
            "¡Hola! ¿Qué tal?",
            "???",
            "Hola :-!",
            "véase x.org/?a=1",
            "¿Dónde entra la parte \"visual\"?",
            "¡Di 'amigo'!",
            "El signo \"?\" y el (!) se citan.",
            "Sustituya / por ! para mostrarlo.",
        ] {
            assert_eq!(of(good).filter(|_| good != "Hola :-!"), None, "{good}");
        }
        assert_eq!(of("Hola, qué tal?"), Some('?'));
        assert_eq!(of("¿Qué tal"), Some('¿'));
        assert_eq!(of("¿Qué tal? Bien!"), Some('!'));
        assert_eq!(of("Di \"amigo\"!"), Some('!'));
        assert_eq!(of("Hola ! Qué tal"), Some('!'));
        assert_eq!(of("Hola !"), Some('!'));
    }
}
