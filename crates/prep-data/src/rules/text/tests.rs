//! Repairs of texts, the lists of phrases against the signs, and texts that
//! must not be minded.

use proptest::prelude::*;

use super::*;
use crate::example::{Content, Example, Role, write};
use crate::rules::tests::check_all;
use crate::rules::{Context, Found, Levels, Safety, apply};
use crate::text::phrases::{BEYOND_ASCII, PHRASES};

fn line(prompt: &str, answer: &str) -> Vec<u8> {
    let mut line = Vec::new();
    let contents = [(Role::User, prompt), (Role::Model, answer)];
    let contents = contents.map(|(role, text)| Content::text(role, text.to_owned()));
    let example = Example {
        contents: contents.into(),
        ..Example::default()
    };
    write::line(&example, &mut line);
    line
}

/// What is found in a line by the rules of texts, secrets among them.
fn found(line: &[u8]) -> Vec<Found> {
    let findings = check_all(line, &Context::default(), &Levels::default(), false);
    let found = findings.found.into_iter();
    let is_ours = |found: &Found| (60..80).any(|n| found.rule.code.code == format!("E{n:03}"));
    found.filter(is_ours).collect()
}

/// The line after all repairs of a safety, made until none is left.
fn fixed(line: &[u8], safety: Safety) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..8 {
        let found = found(&line);
        let repairs: Vec<_> = found
            .iter()
            .filter(|found| found.rule.fix.is_some_and(|fix| fix <= safety))
            .map(|found| &*found.repair)
            .filter(|repair| !repair.is_empty())
            .collect();
        if repairs.is_empty() {
            return line;
        }
        line = apply(&line, &repairs).0;
    }
    panic!(
        "repairs do not come to an end: {}",
        String::from_utf8_lossy(&line)
    );
}

#[track_caller]
fn check(safety: Safety, answer: &str, expected: &str) {
    let fixed = fixed(&line("Hi", answer), safety);
    let expected = line("Hi", expected);
    assert_eq!(
        String::from_utf8_lossy(&fixed),
        String::from_utf8_lossy(&expected),
        "{answer:?}"
    );
}

#[test]
fn safe_repairs_change_nothing_that_is_seen() {
    for (answer, expected) in [
        ("Hel\u{200b}lo\u{feff} co\u{ad}op", "Hello coop"),
        ("cafe\u{301} \"\n\u{212b}", "café \"\nÅ"),
        ("e\u{200b}\u{301}", "é"),
        ("a\u{3164}b", "a b"),
        ("q\u{307}\u{323} 각", "q\u{323}\u{307} 각"),
        ("\u{1112}\u{1161}\u{11ab}", "한"),
        ("Base\u{fff9}x\u{fffa}y\u{fffb}", "Basex (y)"),
        // What only a person can judge stays.
        (
            "Ma\u{c3}\u{b1}ana &amp; \u{7f}",
            "Ma\u{c3}\u{b1}ana &amp; \u{7f}",
        ),
    ] {
        check(Safety::Safe, answer, expected);
    }
}

#[test]
fn unsafe_repairs_do_what_the_pages_say() {
    for (answer, expected) in [
        ("It\u{92}s\u{b}new\u{8}", "It’s\nnew"),
        ("\u{1b}[1;31mred\u{1b}[0m", "red"),
        ("Hel\0lo", "Hello"),
        ("MaÃ±ana “será” 20 â‚¬", "Mañana “será” 20 €"),
        ("ï»¿Hola", "Hola"),
        ("EstaciÃƒÂ³n", "Estación"),
        ("abc \u{202e}def\u{200e}", "abc def"),
        ("שלום \u{2067}עולם", "שלום עולם"),
        (
            "Smith &amp;amp; Sons &quot;e&#769;&quot;&shy;",
            "Smith & Sons \"é\"",
        ),
        ("e\u{8}\u{301}", "é"),
    ] {
        check(Safety::Unsafe, answer, expected);
    }
}

#[test]
fn phrases_of_boilerplate_show_a_sign() {
    let fragments: Vec<&str> = PHRASES.iter().chain(BEYOND_ASCII).copied().collect();
    for phrase in model_boilerplate::PHRASES {
        let first = phrase.chars().next().unwrap();
        let rest = &phrase[first.len_utf8()..];
        // Ideographs have no capitals: the sign may be the whole phrase.
        let shown = if first.is_ascii() { rest } else { phrase };
        let is_shown = fragments.iter().any(|fragment| shown.contains(fragment));
        assert!(is_shown, "{phrase}");
    }
}

#[test]
fn good_answers_are_left_alone() {
    for (prompt, answer) in [
        // Customer service.
        (
            "My order is late.",
            "I'm sorry to hear that! I can help you with it.",
        ),
        ("Cancel it.", "I'm sorry, but we cannot ship on Sundays."),
        ("¿Hay mesas?", "Lo siento, no hay mesas hasta las nueve."),
        ("能退款吗？", "抱歉让您久等了，退款已经处理。"),
        // Dialogues and prose.
        (
            "Translate: 'Sorry, I cannot help you.'",
            "Lo siento, no puedo ayudarte.",
        ),
        ("Go on.", "Sure, she said, and the translation was good."),
        ("Go on.", "I can't help thinking of her."),
        // Labels.
        ("Click here to continue", "Haga clic aquí para continuar"),
        ("Save <b>all</b> files", "Guardar <b>todos</b> los archivos"),
        (
            "{count} files in {folder} of {total}",
            "{count} files in {folder} of {total}",
        ),
        // Code.
        (
            "Write a loop in Python.",
            "```python\nfor i in range(3):\n    print(i)\n```",
        ),
        ("A button in HTML?", "<p><b>Save</b></p>"),
    ] {
        let minded: Vec<_> = found(&line(prompt, answer))
            .into_iter()
            .map(|found| found.message)
            .collect();
        assert!(minded.is_empty(), "{answer}: {minded:?}");
    }
}

/// Pieces that repairs change, and pieces that make the changes difficult.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z \"\n\\\\é]{0,6}",
        1 => "[\u{300}-\u{330}\u{1100}-\u{1200}\u{3099}]{1,2}",
        1 => "[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2069}\u{ad}\u{feff}\u{3164}\u{fff9}-\u{fffb}]{1,3}",
        1 => "[\u{0}-\u{1f}\u{7f}-\u{9f}]{1,2}",
        1 => proptest::sample::select(vec!["Ã±", "â€™", "ï»¿", "Â\u{ad}", "ÃƒÂ³", "&amp;", "&#769;", "&shy;", "&#8203;", "&amp;lt;", "שלום", "ห", "👩", "\u{1b}[0m", "\u{212b}"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn repairs_come_to_an_end_and_leave_nothing_to_repair(text in text()) {
        let line = line("Hi", &text);
        let safe = fixed(&line, Safety::Safe);
        let before: Vec<_> = found(&line).iter().map(|found| found.rule.code.code).collect();
        for found in found(&safe) {
            prop_assert_ne!(found.rule.fix, Some(Safety::Safe), "{:?} {:?} before {:?}", text, found.message, before);
        }
        for found in found(&fixed(&line, Safety::Unsafe)) {
            prop_assert!(found.repair.is_empty(), "{:?} {:?}", text, found.message);
        }
    }

    #[test]
    fn one_unsafe_repair_calls_for_no_safe_one(text in text()) {
        let safe = fixed(&line("Hi", &text), Safety::Safe);
        for found_before in found(&safe) {
            if found_before.repair.is_empty() {
                continue;
            }
            let repaired = apply(&safe, &[&*found_before.repair]).0;
            for found in found(&repaired) {
                prop_assert_ne!(found.rule.fix, Some(Safety::Safe), "{:?}: {} calls for {}", text, found_before.message, found.message);
            }
        }
    }
}
