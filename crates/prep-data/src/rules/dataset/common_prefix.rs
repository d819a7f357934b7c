//! An instruction that every prompt begins with.

use std::borrow::Cow;

use crate::diag::{Code, Level, shown};
use crate::json::Document;
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D015",
        name: "common-prefix",
        level: Level::Warn,
        hint: "move the text into `systemInstruction`, in training and in production",
    },
    page: include_str!("common_prefix.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// Texts as short as this may be alike by chance, or by the nature of things.
pub(super) const LONG: usize = 20;

/// How many prompts must have it.
pub(super) const MANY: u64 = 5;

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let is_told = dataset.only_prompt.is_none() && dataset.examples >= MANY;
    let Some(common) = dataset.prompts.as_ref().filter(|_| is_told) else {
        return;
    };
    // Where prompts are all one text, their examples differ in other turns.
    let Some(text) = prefix(&common.prefix).filter(|_| common.prefix != common.suffix) else {
        return;
    };
    if text.chars().count() >= LONG {
        let (n, text) = (dataset.examples, shown(&text));
        report.dataset(format!(
            "all {n} prompts begin with {text}, which belongs into `systemInstruction`"
        ));
    }
}

/// What is whole of raw text that others go on after: up to its last word.
fn prefix(raw: &str) -> Option<String> {
    let text = decoded(raw)?;
    let last = text.char_indices().rev().find(|(_, c)| is_boundary(*c))?;
    Some(text[..last.0 + last.1.len_utf8()].trim().to_owned())
}

/// Whether a text may be cut beside the character: it is no letter or digit, or
/// one of a script that does not put spaces between words.
pub(super) fn is_boundary(c: char) -> bool {
    !c.is_alphanumeric() || ('\u{2e80}'..='\u{9fff}').contains(&c)
}

/// Decodes raw JSON text that may be cut inside an escape at either end.
pub(super) fn decoded(raw: &str) -> Option<String> {
    let ends = (0..=6).map(|n| raw.len().saturating_sub(n));
    let starts = [0, 1];
    let mut cuts = starts
        .into_iter()
        .flat_map(|start| ends.clone().map(move |end| start..end));
    cuts.find_map(|cut| {
        let json = format!("\"{}\"", raw.get(cut)?);
        let mut document = Document::new();
        let value = document.parse(json.as_bytes()).ok()?;
        value.as_str().map(Cow::into_owned)
    })
}
