//! What a model says of itself, or before the answer.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{folded, head};
use crate::diag::{Code, Level};
use crate::rules::{Check, Example, Report, Rule, Signs};
use crate::text::openings::{self, LEAD_BYTES, Opening};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E069",
        name: "model-boilerplate",
        level: Level::Warn,
        hint: "leave the answer alone in the turn, or drop the example",
    },
    page: include_str!("model_boilerplate.md"),
    fix: None,
    when: Signs::PHRASE.and(Signs::OPENING).and(Signs::MARKUP),
    check: Check::Example(check),
};

/// What models say of themselves; the first letter may be a capital. Each has
/// a fragment of `text::signs` after its first letter.
pub(super) const PHRASES: &[&str] = &[
    "as an AI language model",
    "as an AI assistant, I",
    "as an AI model",
    "as an AI, I",
    "as an AI I ",
    "as an artificial intelligence, I",
    "as a language model, ",
    "as a language model I ",
    "as a large language model, ",
    "am an AI language model",
    "'m an AI language model",
    "’m an AI language model",
    "just an AI language model",
    "am a large language model",
    "'m a large language model",
    "’m a large language model",
    "my knowledge cutoff",
    "my last knowledge update",
    "como modelo de lenguaje",
    "como un modelo de lenguaje",
    "como modelo de lenguaje de IA",
    "soy un modelo de lenguaje",
    "como inteligencia artificial,",
    "como una inteligencia artificial,",
    "como IA,",
    "como una IA,",
    "作为AI",
    "作为一个AI",
    "作为一名AI",
    "作为人工智能",
    "作为一个人工智能",
    "作为语言模型",
    "作为一个语言模型",
    "作为大型语言模型",
    "作为一个大型语言模型",
    "我是一个语言模型",
    "作為AI",
    "作為一個AI",
    "作為人工智慧",
    "作為語言模型",
    "作為一個語言模型",
];

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (prompt, answer) in example.answers() {
        let prompt = prompt.map_or("", |prompt| &*prompt.text);
        let text = &*answer.text;
        if let Some(range) = thought(text) {
            let shown = &text[range.clone()];
            let message = format!("the answer has the model's thoughts: `{shown}`");
            report.text(answer, range, message);
        } else if let Some(range) = lead_in(text)
            && !leads_in(prompt)
        {
            let shown = &text[range.clone()];
            report.text(answer, range, format!("the answer begins with `{shown}`"));
        } else if let Some(range) = phrase(text)
            && phrase(prompt).is_none()
        {
            let shown = &text[range.clone()];
            let message = format!("the answer speaks as a model does: `{shown}`");
            report.text(answer, range, message);
        }
    }
}

fn thought(text: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start().len();
    let tags = ["<think>", "<thinking>", "<thought>", "<|channel|>"];
    let tag = tags.iter().find(|tag| text[start..].starts_with(**tag));
    let end = || text.find("</think>").map(|at| at..at + "</think>".len());
    tag.map(|tag| start..start + tag.len()).or_else(end)
}

/// `Sure! Here is the translation:` at the beginning, up to its colon.
fn lead_in(text: &str) -> Option<Range<usize>> {
    let Some((Opening::LeadIn, length)) = openings::of(text) else {
        return None;
    };
    let start = text.len() - text.trim_start().len();
    let lead = head(text, length + LEAD_BYTES);
    let mut places = lead.char_indices().skip_while(|(at, _)| *at < start);
    let (at, colon) = places.find(|(_, c)| matches!(c, ':' | '：' | '\n'))?;
    let lead = lead[start..at].trim_end();
    let is_ours = colon != '\n' && openings::speaks_of_translation(lead);
    is_ours.then(|| start..at + colon.len_utf8())
}

/// Whether a prompt has such a lead-in itself: then it is what is translated.
fn leads_in(prompt: &str) -> bool {
    let prompt = folded(prompt);
    let leads = [
        "the translation",
        "translation:",
        "la traducción",
        "traducción:",
        "以下是翻译",
        "译文如下",
    ];
    let is_source = |lead: &&str| prompt.contains(*lead) && !prompt.trim_end().ends_with(*lead);
    leads.iter().any(is_source)
}

fn phrase(text: &str) -> Option<Range<usize>> {
    static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let phrases = PHRASES
            .iter()
            .flat_map(|phrase| [(*phrase).to_owned(), capitalised(phrase)]);
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(phrases)
            .expect("the phrases are few and short")
    });
    let found = SEARCH.find_iter(text).find(|found| {
        // A person of a story may say so.
        let before = &text[..found.start()];
        !before.ends_with(['"', '“', '«', '—', '「', '‘'])
    });
    found.map(|found| found.range())
}

fn capitalised(phrase: &str) -> String {
    let mut rest = phrase.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest.as_str().chars()).collect()
}
