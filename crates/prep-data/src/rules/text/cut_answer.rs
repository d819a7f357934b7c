//! A long answer that stops in the middle of a sentence.

use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs};
use crate::text::signs::is_open;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E072",
        name: "cut-answer",
        level: Level::Warn,
        hint: "look at the source: the answer may go on there",
    },
    page: include_str!("cut_answer.md"),
    fix: None,
    when: Signs::OPEN_END,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (prompt, answer) in example.answers() {
        let text = answer.text.trim_end();
        // The translation of a text that goes on goes on, too.
        let source = prompt.map_or("", |prompt| prompt.text.trim_end());
        let is_translation = is_open(source) && 2 * source.len() > text.len();
        if is_cut(text) && !is_translation {
            let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
            let tail: String = text.chars().rev().take(24).collect();
            let tail: String = tail.chars().rev().collect();
            let tail = tail
                .split_once(char::is_whitespace)
                .map_or(&*tail, |(_, tail)| tail);
            let message = format!("the answer stops in the middle of a sentence: `…{tail}`");
            report.text(answer, last..text.len(), message);
        }
    }
}

/// Whether a text stops where its other sentences do not. Lists, code, verse
/// and signatures stop without a full stop, and so do their other lines.
fn is_cut(text: &str) -> bool {
    const LONG: usize = 200;
    if !is_open(text) || text.chars().count() < LONG || looks_like_code(text) {
        return false;
    }
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let Some((last, before)) = lines.split_last() else {
        return false;
    };
    // A list, or code, may have been meant to follow.
    if last.ends_with([':', '：', ';', '；']) {
        return false;
    }
    if is_item(last) || last.contains("://") && last.split_whitespace().count() < 6 {
        return false;
    }
    let n_ends = sentence_ends(last);
    let n_words = words(last);
    let n_closed = before.iter().filter(|line| !is_open(line)).count();
    let are_closed = before.len() >= 2 && n_closed * 5 >= before.len() * 4;
    // What follows the last full stop of the line.
    let rest = after_last_end(last);
    let goes_on = rest.starts_with(char::is_alphabetic) && words(rest) >= 2;
    let stops_short =
        ends_in_small_word(last) || last.ends_with([',', '，', '、', '(', '（', '¿', '¡']);
    if stops_short {
        n_words >= 4 && (n_ends >= 1 || n_closed > 0)
    } else if !last.ends_with(char::is_alphabetic)
        || last_word(last).contains('.')
        || hands_over(if n_ends == 0 { last } else { rest })
    {
        // A number, an address, a name of a file or what is handed over may well
        // be the end.
        false
    } else {
        n_ends >= 2 && goes_on
            || n_ends >= 1 && goes_on && before.is_empty()
            || are_closed && n_words >= 8
    }
}

/// Whether a sentence hands over a first command, request or word, which ends as
/// it likes: `My first command is pwd`. Prompts that make a model play someone
/// end so.
fn hands_over(sentence: &str) -> bool {
    let head: String = sentence.chars().take(12).collect();
    let head = head.to_lowercase();
    let openings = ["my first ", "mi primer", "我的第一"];
    openings.iter().any(|words| head.starts_with(words))
}

fn looks_like_code(text: &str) -> bool {
    let n_code = text
        .bytes()
        .filter(|byte| b"{}<>=;|\\`$_".contains(byte))
        .count();
    n_code * 50 > text.len() || text.contains("```")
}

/// Whether a line is an item of a list, a heading or a row of a table.
fn is_item(line: &str) -> bool {
    let after_number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with(['-', '*', '•', '#', '|', '>', '·', '+'])
        || after_number.len() < line.len() && after_number.starts_with(['.', ')', '、', ':', '：'])
}

/// How many sentences end inside a line.
fn sentence_ends(line: &str) -> usize {
    ends(line).count()
}

fn ends(line: &str) -> impl Iterator<Item = usize> + '_ {
    let mut rest = line.char_indices().peekable();
    std::iter::from_fn(move || {
        while let Some((at, c)) = rest.next() {
            let is_before_space = rest.peek().is_some_and(|(_, next)| next.is_whitespace());
            match c {
                '。' | '！' | '？' => return Some(at + c.len_utf8()),
                '.' | '!' | '?' if is_before_space => return Some(at + 1),
                _ => {}
            }
        }
        None
    })
}

fn after_last_end(line: &str) -> &str {
    ends(line).last().map_or("", |at| line[at..].trim_start())
}

/// Words; an ideograph is as much as half of one.
fn words(text: &str) -> usize {
    let n_ideographs = text
        .chars()
        .filter(|c| matches!(c, '\u{3400}'..='\u{9fff}'))
        .count();
    text.split_whitespace().count() + n_ideographs / 2
}

/// Whether a line ends in a word that no sentence ends in.
fn ends_in_small_word(line: &str) -> bool {
    const SMALL: &[&str] = &[
        "the", "a", "an", "of", "and", "or", "but", "because", "with", "from", "his", "their",
        "our", "my", "your", "el", "la", "los", "las", "un", "una", "de", "del", "y", "o", "que",
        "con", "por", "para", "en", "su", "sus", "se",
    ];
    SMALL.contains(&last_word(line))
}

fn last_word(line: &str) -> &str {
    line.rsplit(char::is_whitespace).next().unwrap_or_default()
}
