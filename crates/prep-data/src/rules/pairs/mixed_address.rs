//! An answer that addresses its reader in two ways.

use super::forms::{ADDRESS, AddressForm};
use super::{Pair, PairContext, Said, words};
use crate::diag::{Code, Level};
use crate::rules::{Check, Rule, Signs};
use crate::text::language::Language;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P013",
        name: "mixed-address",
        level: Level::Allow,
        hint: "decide on one form of address, and keep to it in an answer",
    },
    page: include_str!("mixed_address.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let language = context.learnt.target_language?;
    let is_known = [Language::SPANISH, Language::GERMAN, Language::CHINESE].contains(&language);
    is_known.then(|| judge(&measure(pair.target, language)))?
}

/// Each form of address that a text has, with the first word that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used<'t> {
    form: &'static str,
    at: usize,
    word: &'t str,
}

pub(super) fn measure(text: &str, language: Language) -> Vec<Used<'_>> {
    let mut used: Vec<Used<'_>> = Vec::new();
    let mut add = |form: &'static str, at: usize, word| {
        if used.iter().all(|other| other.form != form) {
            used.push(Used { form, at, word });
        }
    };
    if language == Language::CHINESE {
        for (at, c) in text.char_indices() {
            let word = &text[at..at + c.len_utf8()];
            match c {
                '您' => add("您", at, word),
                '你' | '妳' => add("你", at, word),
                _ => {}
            }
        }
        return used;
    }
    let mut is_first = true;
    for (at, word) in words(text) {
        is_first |= text[..at].trim_end().ends_with(['.', '!', '?', ':', '\n']);
        let form = form_of(word, language, is_first);
        if let Some(form) = form {
            add(form.form, at, word);
        }
        is_first = false;
    }
    used
}

fn form_of(word: &str, language: Language, is_first: bool) -> Option<&'static AddressForm> {
    let lower = word.to_lowercase();
    ADDRESS.iter().find(|form| {
        let is_language = form.language == language.code();
        // German `Sie` is `she` in small letters, and at the beginning of a
        // sentence nobody knows.
        let is_cased = form.is_cased && (is_first || word != form.word);
        is_language && form.word.to_lowercase() == lower && !is_cased
    })
}

fn judge(used: &[Used<'_>]) -> Option<Said> {
    let [first, second, ..] = used else {
        return None;
    };
    let message = format!(
        "the answer says `{}` ({}) here and `{}` ({}) before",
        second.word, second.form, first.word, first.form
    );
    Some(Said::of_target(
        second.at..second.at + second.word.len(),
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_address_are_told() {
        let of = |text: &'static str, code: &str| -> Vec<&str> {
            let language = Language::of_tag(code).unwrap();
            measure(text, language)
                .into_iter()
                .map(|used| used.form)
                .collect()
        };
        assert_eq!(of("Tú sabes que usted puede.", "es"), ["tú", "usted"]);
        assert_eq!(of("¿Podés venir? Tenés tiempo.", "es"), ["vos"]);
        assert_eq!(of("Ella tiene su libro.", "es"), Vec::<&str>::new());
        assert_eq!(of("您好，你在吗", "zh"), ["您", "你"]);
        assert_eq!(
            of("Kannst du mir sagen, ob Sie kommen?", "de"),
            ["du", "Sie"]
        );
        assert_eq!(of("Sie kommt, und sie bleibt bei dir.", "de"), ["du"]);
    }
}
