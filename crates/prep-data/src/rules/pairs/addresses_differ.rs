//! A target with other addresses than its source.

use std::ops::Range;

use super::{Pair, PairContext, Said, may_have_addresses, named};
use crate::diag::{Code, Level};
use crate::rules::pairs::learn::Relation;
use crate::rules::{Check, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "P006",
        name: "addresses-differ",
        level: Level::Allow,
        hint: "copy web and e-mail addresses from the source; only their language may change",
    },
    page: include_str!("addresses_differ.md"),
    fix: None,
    when: Signs::NONE,
    check: Check::Pair(check),
};

fn check(pair: &Pair<'_>, context: &PairContext) -> Option<Said> {
    let may_have_any = may_have_addresses(pair.source, pair.of_source)
        || may_have_addresses(pair.target, pair.of_target);
    let is_asked = may_have_any && context.learnt.relation == Relation::Translation;
    is_asked.then(|| judge(measure(pair)))?
}

/// The addresses that only one side has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    missing: Vec<Address>,
    added: Vec<Address>,
}

/// An address in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// As it is written.
    shown: String,
    /// Without what names a language.
    key: String,
}

pub(super) fn measure(pair: &Pair<'_>) -> Differences {
    let (mut missing, mut added) = (addresses(pair.source), addresses(pair.target));
    missing.retain(
        |address| match added.iter().position(|other| other.key == address.key) {
            Some(at) => {
                added.remove(at);
                false
            }
            None => true,
        },
    );
    Differences { missing, added }
}

fn judge(differences: Differences) -> Option<Said> {
    let Differences { missing, added } = differences;
    let shown = |addresses: &[Address]| {
        let shown: Vec<_> = addresses.iter().map(|address| &*address.shown).collect();
        named(&shown)
    };
    match (missing.first(), added.first()) {
        (None, None) => None,
        (Some(_), Some(first)) => Some(Said::of_target(
            first.range.clone(),
            format!(
                "the target has {}, the source {}",
                shown(&added),
                shown(&missing)
            ),
        )),
        (None, Some(first)) => Some(Said::of_target(
            first.range.clone(),
            format!("the source has no {}", shown(&added)),
        )),
        (Some(first), None) => Some(Said::of_source(
            first.range.clone(),
            format!("the target has no {}", shown(&missing)),
        )),
    }
}

/// The web and e-mail addresses of a text, in order.
pub(super) fn addresses(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split(is_outside) {
        let start = at;
        at = start + word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
        let begin = ["http://", "https://", "ftp://", "www."]
            .iter()
            .filter_map(|head| word.find(head))
            .min();
        let begin = begin.or_else(|| is_mail(word.trim_end_matches(END)).then_some(0));
        let Some(begin) = begin else { continue };
        let mut address = word[begin..].trim_end_matches(END);
        // A closing bracket belongs to it only if it was opened there.
        while address.ends_with([')', ']']) && !address.contains(['(', '[']) {
            address = address[..address.len() - 1].trim_end_matches(END);
        }
        if address.contains("://") && address.ends_with("://") {
            continue;
        }
        let start = start + begin;
        found.push(Address {
            range: start..start + address.len(),
            shown: address.to_owned(),
            key: key(address),
        });
    }
    found
}

/// What ends a sentence and no address.
const END: [char; 8] = ['.', ',', ';', ':', '!', '?', '\'', '*'];

fn is_outside(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '<' | '>' | '"' | '“' | '”' | '«' | '»' | '`' | '|' | '\\' | '{' | '}'
        )
        || matches!(
            c,
            '，' | '。' | '、' | '（' | '）' | '：' | '；' | '！' | '？' | '「' | '」'
        )
        || matches!(c, '\u{4e00}'..='\u{9fff}')
}

fn is_mail(word: &str) -> bool {
    let Some((name, host)) = word.trim_start_matches('(').split_once('@') else {
        return false;
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%');
    let Some((domain, top)) = host.rsplit_once('.') else {
        return false;
    };
    !name.is_empty()
        && name.chars().all(is_name)
        && !domain.is_empty()
        && domain
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        && top.len() >= 2
        && top.chars().all(|c| c.is_ascii_alphabetic())
}

/// An address without what names a language: `en.example.org/es-419/help` is
/// `example.org/help`.
fn key(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let bare = bare.trim_start_matches("www.").trim_end_matches('/');
    let parts = bare.split('/').enumerate().filter_map(|(n, part)| {
        if n == 0 {
            let (first, rest) = part.split_once('.').unwrap_or(("", part));
            return Some(if is_tag(first) && rest.contains('.') {
                rest
            } else {
                part
            });
        }
        (!is_tag(part)).then_some(part)
    });
    parts.collect::<Vec<_>>().join("/")
}

fn is_tag(part: &str) -> bool {
    let (language, region) = part.split_once(['-', '_']).unwrap_or((part, ""));
    let is_region = region.is_empty()
        || (2..=4).contains(&region.len())
            && region.bytes().all(|byte| byte.is_ascii_alphanumeric());
    language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_region
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_known() {
        let of = |text: &str| -> Vec<String> {
            addresses(text)
                .into_iter()
                .map(|address| {
                    assert_eq!(text[address.range.clone()], address.shown);
                    address.key
                })
                .collect()
        };
        assert_eq!(
            of("See https://example.org/en/a?b=1, or write to me@example.org."),
            ["example.org/a?b=1", "me@example.org"]
        );
        assert_eq!(
            of("(https://en.wikipedia.org/wiki/Cat_(animal))"),
            ["wikipedia.org/wiki/Cat_(animal))"]
        );
        assert_eq!(of("请访问https://example.org/help。"), ["example.org/help"]);
        assert_eq!(of("<a href=\"http://x.org\">"), ["x.org"]);
        assert!(of("@everyone, 5@home, and/or, http://").is_empty());
    }
}
