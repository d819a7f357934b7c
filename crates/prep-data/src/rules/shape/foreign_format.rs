//! Lines of another format.

use crate::diag::{Code, Level};
use crate::rules::example::is_named;
use crate::rules::{Check, Example, Report, Rule, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E048",
        name: "foreign-format",
        level: Level::Error,
        hint: "run `prep convert` on the file",
    },
    page: include_str!("foreign_format.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if let Some((name, place)) = format_of(example) {
        let text = format!("the line is of {name}; `prep convert` reads it");
        report.over(place, text);
    }
}

/// Formats by the keys that tell them, the first that is all there.
const FORMATS: &[(&[&str], &str)] = &[
    (&["messages"], "a chat format (OpenAI, or Gemini 1.0)"),
    (&["conversations"], "the ShareGPT format"),
    (&["conversation"], "the ShareGPT format"),
    (&["request"], "a batch request"),
    (&["instruction", "output"], "the Alpaca format"),
    (&["instruction", "response"], "the Alpaca format"),
    (&["instruction", "instances"], "the Alpaca format"),
    (
        &["input_text", "output_text"],
        "the PaLM (text-bison) format",
    ),
    (&["text_input", "output"], "the AI Studio format"),
    (
        &["prompt", "completion"],
        "the prompt and completion format",
    ),
    (&["prompt", "response"], "a format of prompts and responses"),
    (&["question", "answer"], "a format of questions and answers"),
    (&["source", "target"], "a format of sources and targets"),
    (&["input", "output"], "a format of inputs and outputs"),
];

/// Whether the line is of another format: what is missing or unknown in it as
/// an example is then told by this rule, once.
pub(in crate::rules) fn is_foreign(example: &Example<'_, '_>) -> bool {
    format_of(example).is_some()
}

fn format_of(example: &Example<'_, '_>) -> Option<(&'static str, std::ops::Range<usize>)> {
    let root = example.root;
    let has_contents = root
        .entries()
        .any(|(key, _)| is_named(&key.text, "contents"));
    if has_contents {
        return None;
    }
    let find = |name: &str| {
        root.entries()
            .map(|(key, _)| key)
            .find(|key| key.text == name)
    };
    FORMATS.iter().find_map(|(keys, name)| {
        let mut found = keys.iter().map(|key| find(key));
        let first = found.next()??;
        let is_all = found.all(|key| key.is_some());
        is_all.then(|| (*name, repair::key_range(root, &first)))
    })
}
