//! An answer that repeats its prompt.

use std::ops::Range;

use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E071",
        name: "echoed-prompt",
        level: Level::Warn,
        hint: "leave only the answer in the model's turn",
    },
    page: include_str!("echoed_prompt.md"),
    fix: None,
    when: Signs::ECHO,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (prompt, answer) in example.answers() {
        let Some(prompt) = prompt.map(|prompt| prompt.text.trim()) else {
            continue;
        };
        let trimmed = answer.text.trim();
        let start = answer.text.len() - answer.text.trim_start().len();
        let (range, how): (Range<usize>, _) = if trimmed == prompt {
            (0..trimmed.len(), "is the prompt")
        } else if trimmed.starts_with(prompt) && ends_a_word(trimmed, prompt.len()) {
            (0..prompt.len(), "begins with the prompt")
        } else if trimmed.ends_with(prompt) && begins_a_word(trimmed, trimmed.len() - prompt.len())
        {
            (
                trimmed.len() - prompt.len()..trimmed.len(),
                "ends with the prompt",
            )
        } else {
            continue;
        };
        if says_something(prompt) {
            let range = start + range.start..start + range.end;
            report.text(answer, range, format!("the answer {how}"));
        }
    }
}

/// Whether no word goes on at a place.
fn ends_a_word(text: &str, at: usize) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric();
    let (before, after) = text.split_at(at);
    !(before.ends_with(is_of_word) && after.starts_with(is_of_word)) || is_ideographic(before)
}

fn begins_a_word(text: &str, at: usize) -> bool {
    ends_a_word(text, at)
}

/// Whether a prompt is more than a name, a number, code or a label: several
/// words of prose, most of them in small letters.
fn says_something(prompt: &str) -> bool {
    const WORDS: usize = 5;
    const IDEOGRAPHS: usize = 8;
    let n_ideographs = prompt.chars().filter(|c| is_ideograph(*c)).count();
    let (mut n_words, mut n_small, mut n_other) = (0, 0, 0);
    for word in prompt.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !"{}<>$%_=\\/#".contains(c));
        let is_word =
            !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || "'’-".contains(c));
        n_words += usize::from(is_word);
        n_small += usize::from(is_word && word.starts_with(char::is_lowercase));
        n_other += usize::from(!word.is_empty() && !is_word);
    }
    let is_prose = n_words >= WORDS && 2 * n_small > n_words && n_words >= 3 * n_other;
    is_prose || n_ideographs >= IDEOGRAPHS
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

fn is_ideographic(text: &str) -> bool {
    text.ends_with(is_ideograph)
}
