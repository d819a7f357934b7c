//! Markup, fences and template tokens that are left over.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::{folded, is_in_code};
use crate::diag::{Code, Level};
use crate::rules::example::Speaker;
use crate::rules::{Check, Example, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E068",
        name: "markup-left",
        level: Level::Warn,
        hint: "remove it where the text was exported from",
    },
    page: include_str!("markup_left.md"),
    fix: None,
    when: Signs::MARKUP.and(Signs::PHRASE),
    check: Check::Example(check),
};

/// What chat templates put between turns; models and their tools read these
/// as the ends of turns.
const TEMPLATE_TOKENS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
];

/// Elements of HTML that are left over from web pages and editors.
const ELEMENTS: &[&str] = &[
    "a",
    "b",
    "big",
    "blockquote",
    "br",
    "center",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "u",
    "ul",
];

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for text in &example.texts {
        let token = token(text).or_else(|| spreadsheet_escape(&text.text));
        if let Some((range, message)) = token {
            report.text(text, range, message);
        }
    }
    for (prompt, answer) in example.answers() {
        let prompt = prompt.map_or("", |prompt| &*prompt.text);
        if asks_for_code(example, prompt) {
            continue;
        }
        if let Some((range, name)) = element(&answer.text, prompt) {
            let message = format!("the answer has the HTML tag `<{name}>`, its prompt has not");
            report.text(answer, range, message);
        } else if let Some(range) = fence_around(&answer.text, prompt) {
            report.text(
                answer,
                range,
                "the whole answer is in a ```` ``` ```` fence",
            );
        }
    }
}

fn token(text: &Text<'_, '_>) -> Option<(Range<usize>, String)> {
    static SEARCH: LazyLock<AhoCorasick> =
        LazyLock::new(|| AhoCorasick::new(TEMPLATE_TOKENS).expect("the tokens are few and short"));
    let mut found = SEARCH.find_iter(&*text.text);
    let found = found.find(|found| !is_in_code(&text.text, found.start()))?;
    let token = TEMPLATE_TOKENS[found.pattern().as_usize()];
    let message = format!("`{token}` is a token of a chat template");
    Some((found.range(), message))
}

/// `_x000D_` and its like, which spreadsheets write for control characters.
fn spreadsheet_escape(text: &str) -> Option<(Range<usize>, String)> {
    memchr::memmem::find_iter(text.as_bytes(), "_x00").find_map(|at| {
        let escape = text.get(at..at + 7)?;
        let digits = escape.strip_prefix("_x")?.strip_suffix('_')?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        let message = format!("`{escape}` is a spreadsheet's escape for U+{code:04X}");
        (code < 0x20).then(|| (at..at + escape.len(), message))
    })
}

/// Whether markup is what the user wants: the prompt or the instruction speaks
/// of it.
fn asks_for_code(example: &Example<'_, '_>, prompt: &str) -> bool {
    const WORDS: &[&str] = &[
        "html", "xml", "css", "svg", "markdown", "code", "código", "codigo", "script", "program",
        "tag", "etiqueta", "web", "json", "snippet", "function", "función", "代码", "代碼", "程序",
        "标签", "網頁", "网页", "函数", "```", "regex", "sql", "latex",
    ];
    let system = example
        .texts
        .iter()
        .filter(|text| text.speaker == Speaker::System);
    let mut texts = system.map(|text| &*text.text).chain([prompt]);
    texts.any(|text| {
        let text = folded(text);
        WORDS.iter().any(|word| text.contains(word))
    })
}

/// The first tag of a known element in an answer that shows no other sign of
/// being code, if the prompt has no such tag.
fn element(answer: &str, prompt: &str) -> Option<(Range<usize>, String)> {
    let is_page = ["<!DOCTYPE", "<!doctype", "<html", "<?xml", "<head", "<body"];
    if is_page.iter().any(|beginning| answer.contains(beginning)) {
        return None;
    }
    memchr::memchr_iter(b'<', answer.as_bytes()).find_map(|at| {
        let (length, name) = tag(&answer[at..])?;
        let is_known = ELEMENTS.contains(&name.as_str());
        let is_ours = is_known && !has_element(prompt, &name) && !is_in_code(answer, at);
        is_ours.then_some((at..at + length, name))
    })
}

/// The tag that a text begins with: its length, and the element's name in
/// lower case.
fn tag(text: &str) -> Option<(usize, String)> {
    const LONGEST: usize = 400;
    let inside = text.strip_prefix('<')?;
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let n_name = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, rest) = inside.split_at(n_name);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on = rest.starts_with(['>', '/', ' ', '\n']);
    let end = text.bytes().take(LONGEST).position(|byte| byte == b'>')?;
    (is_name && goes_on).then(|| (end + 1, name.to_ascii_lowercase()))
}

fn has_element(text: &str, name: &str) -> bool {
    let mut places = memchr::memchr_iter(b'<', text.as_bytes());
    places.any(|at| tag(&text[at..]).is_some_and(|(_, other)| other == name))
}

/// The opening fence of an answer that is nothing but a fenced block of prose.
fn fence_around(answer: &str, prompt: &str) -> Option<Range<usize>> {
    let trimmed = answer.trim();
    let inside = trimmed.strip_prefix("```")?.strip_suffix("```")?;
    let (info, body) = inside.split_once('\n')?;
    let is_prose_info = matches!(
        info.trim(),
        "" | "text" | "txt" | "plaintext" | "markdown" | "md"
    );
    let n = body.chars().count();
    let n_prose = body
        .chars()
        .filter(|c| c.is_alphabetic() || " ,.\n".contains(*c))
        .count();
    let is_prose = n > 0 && n_prose * 10 >= n * 9;
    let is_ours = is_prose_info && is_prose && !body.contains("```") && !prompt.contains("```");
    let start = answer.len() - answer.trim_start().len();
    is_ours.then(|| start..start + 3)
}
