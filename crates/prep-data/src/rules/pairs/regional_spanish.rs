//! Words and forms of Spain in a dataset whose targets are Spanish of America.

use super::forms::{ENDINGS, NOT_OF_SPAIN, OF_SPAIN, RANKS};
use super::{Pair, PairContext, Said, words};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P012",
        name: "regional-spanish",
        level: Level::Allow,
        hint: "write it as it is said in Latin America",
    },
    page: include_str!("regional_spanish.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    if !context.learnt.is_latin_american {
        return None;
    }
    judge(pair, &measure(pair.target))
}

/// A form of Spain in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    at: usize,
    word: String,
    instead: &'static str,
}

/// The forms of Spain that a text has, in order.
pub(super) fn measure(text: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut before = String::new();
    let mut words = words(text).peekable();
    while let Some((at, word)) = words.next() {
        let lower = word.to_lowercase();
        let is_first = text[..at].trim_end().is_empty()
            || text[..at].ends_with(['¿', '¡', '—', '«', '“', '"'])
            || text[..at].trim_end().ends_with(['.', '?', '!', '…']);
        let may_be_name = !is_first && word.chars().next().is_some_and(char::is_uppercase);
        let next = words.peek().map_or("", |(_, next)| next);
        if is_address(&lower, next) {
            // `Vuestra Majestad` is said to a king in America as well.
        } else if let Some(instead) = of_spain(&before, &lower, may_be_name) {
            forms.push(Form {
                at,
                word: word.to_owned(),
                instead,
            });
        }
        before = lower;
    }
    forms
}

/// Whether a word begins the address of a person of rank.
fn is_address(lower: &str, next: &str) -> bool {
    matches!(lower, "vuestra" | "vuestras") && {
        let next = next.to_lowercase();
        RANKS.contains(&next.strip_suffix("es").unwrap_or(&next))
            || RANKS.contains(&next.strip_suffix('s').unwrap_or(&next))
    }
}

/// What is said in America instead of a word; `before` stands before it.
fn of_spain(before: &str, lower: &str, may_be_name: bool) -> Option<&'static str> {
    let known = OF_SPAIN.iter().find(|form| form.word == lower);
    if let Some(form) = known {
        let is_meant = form.after.is_empty() || form.after.contains(&before);
        return is_meant.then_some(form.instead);
    }
    // A name is looked up and not taken apart.
    if may_be_name || NOT_OF_SPAIN.contains(&lower) {
        return None;
    }
    let ending = ENDINGS.iter().find(|(ending, least)| {
        lower
            .strip_suffix(ending)
            .is_some_and(|stem| stem.len() >= *least)
    });
    ending.map(|_| "the form of `ustedes`")
}

fn judge(_: &Pair<'_>, forms: &[Form]) -> Option<Said> {
    let first = forms.first()?;
    let more = match forms.len() {
        1 => String::new(),
        2 => " (and one more)".into(),
        n => format!(" (and {} more)", n - 1),
    };
    let message = format!(
        "`{}` is of Spain; in America: {}{more}",
        first.word, first.instead
    );
    Some(Said::of_target(
        first.at..first.at + first.word.len(),
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_spain_are_told_from_others() {
        let of = |text: &str| -> Vec<String> {
            measure(text).into_iter().map(|form| form.word).collect()
        };
        assert_eq!(
            of("¿Habéis visto vuestro ordenador? Os lo dije."),
            ["Habéis", "vuestro", "ordenador", "Os"]
        );
        assert_eq!(
            of("Si pudierais venir, hablaríais con él."),
            ["pudierais", "hablaríais"]
        );
        assert_eq!(of("Coge el móvil."), ["Coge", "móvil"]);
        for good in [
            "Dieciséis países, seis meses y maíz en el país.",
            "Una aplicación móvil para su dispositivo móvil.",
            "Vale la pena. El jersey beis. Los caos y deseos.",
            "El SO macOS y los otros.",
            "Como mande Vuestra Majestad. Mire vuestra merced.",
        ] {
            assert!(of(good).is_empty(), "{good}: {:?}", of(good));
        }
    }
}
