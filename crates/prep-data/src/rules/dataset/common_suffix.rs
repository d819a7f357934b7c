//! An instruction that every prompt ends with.

use super::common_prefix::{LONG, MANY, decoded, is_boundary};
use crate::diag::{Code, Level, shown};
use crate::rules::{Check, Dataset, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D016",
        name: "common-suffix",
        level: Level::Warn,
        hint: "move the text into `systemInstruction`, in training and in production",
    },
    page: include_str!("common_suffix.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let is_told = dataset.only_prompt.is_none() && dataset.examples >= MANY;
    let Some(common) = dataset.prompts.as_ref().filter(|_| is_told) else {
        return;
    };
    let Some(text) = suffix(&common.suffix).filter(|_| common.prefix != common.suffix) else {
        return;
    };
    if text.chars().count() >= LONG {
        let (n, text) = (dataset.examples, shown(&text));
        report.dataset(format!(
            "all {n} prompts end with {text}, which belongs into `systemInstruction`"
        ));
    }
}

/// What is whole of raw text that others go on before: from its first word on.
/// Its first character may be the end of an escape, so it does not count.
fn suffix(raw: &str) -> Option<String> {
    let text = decoded(raw)?;
    let mut chars = text.char_indices();
    let (at, c) = chars.find(|(_, c)| is_boundary(*c))?;
    let after = if at == 0 { c.len_utf8() } else { at };
    Some(text[after..].trim().to_owned())
}
