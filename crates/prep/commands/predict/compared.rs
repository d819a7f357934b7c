//! What was said around the prompts in training, and what is said now.
//!
//! A tuned model answers best to what it was tuned with. So the system
//! instruction and the words around every prompt are compared with those of
//! the training set, and a difference is told.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use prep_submit::predict::Prompt;
use serde_json::Value;

/// How many examples are looked at.
const MOST: usize = 1000;

/// How many characters in common are no accident.
const LEAST: usize = 8;

/// What examples have in common.
#[derive(Debug, Default)]
pub(super) struct Frame {
    systems: BTreeSet<String>,
    n: usize,
    /// What all prompts begin with.
    prefix: Option<String>,
}

impl Frame {
    /// The frame of the examples in a file; `None` if it is not there.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        let lines = BufReader::new(File::open(path).ok()?).lines();
        let prompts = lines.map_while(Result::ok).take(MOST);
        let prompts = prompts.filter_map(|line| Prompt::of_line(&line).ok());
        Some(Self::of(prompts))
    }

    /// The frame of some prompts.
    pub(super) fn of(prompts: impl Iterator<Item = Prompt>) -> Self {
        let mut frame = Self::default();
        for prompt in prompts.take(MOST) {
            frame.n += 1;
            let system = prompt.system_instruction.as_ref().map(text_of);
            frame.systems.insert(system.unwrap_or_default());
            let turns = prompt.contents.as_array();
            let first = turns.and_then(|turns| turns.first()).map(text_of);
            let first = first.unwrap_or_default();
            frame.prefix = Some(match frame.prefix.take() {
                None => first,
                Some(prefix) => common(&prefix, &first).to_owned(),
            });
        }
        frame
    }

    /// What differs from how a model was trained.
    pub(super) fn differences(&self, trained: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.n == 0 || trained.n == 0 {
            return differences;
        }
        if self.systems.is_disjoint(&trained.systems) {
            let told = |frame: &Self| match frame.systems.first().map(String::as_str) {
                Some("") | None => "no system instruction".to_owned(),
                Some(text) => format!("the system instruction “{}”", begun(text)),
            };
            differences.push(format!(
                "the model was trained with {}, and is asked with {}",
                told(trained),
                told(self)
            ));
        }
        let of_training = trained.prefix.as_deref().unwrap_or_default().trim();
        let of_prompts = self.prefix.as_deref().unwrap_or_default();
        let is_template = trained.n > 1 && of_training.chars().count() >= LEAST;
        if is_template && !of_prompts.starts_with(of_training) {
            differences.push(format!(
                "in training every prompt begins with “{}”, here they do not",
                begun(of_training)
            ));
        }
        differences
    }
}

fn text_of(content: &Value) -> String {
    let parts = content["parts"].as_array().into_iter().flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

/// What two texts begin with.
fn common<'t>(one: &'t str, other: &str) -> &'t str {
    let same = one.char_indices().zip(other.chars());
    let differs = same.into_iter().find(|((_, one), other)| one != other);
    let end = match differs {
        Some(((at, _), _)) => at,
        None => one.len().min(other.len()),
    };
    &one[..end]
}

/// The beginning of a text.
fn begun(text: &str) -> String {
    const MOST_CHARS: usize = 60;
    match text.char_indices().nth(MOST_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(system: Option<&str>, prompts: &[&str]) -> Frame {
        Frame::of(prompts.iter().map(|text| Prompt::of_text(text, system)))
    }

    #[test]
    fn what_is_as_in_training_is_not_told() {
        let trained = frame(
            Some("Be kind."),
            &["Translate: one", "Translate: two", "Translate: öl"],
        );
        assert!(
            frame(Some("Be kind."), &["Translate: x"])
                .differences(&trained)
                .is_empty()
        );
        assert!(Frame::default().differences(&trained).is_empty());
    }

    #[test]
    fn what_differs_is_told() {
        let trained = frame(Some("Be kind."), &["Translate: one", "Translate: two"]);
        assert_eq!(
            frame(None, &["one", "two"]).differences(&trained),
            [
                "the model was trained with the system instruction “Be kind.”, and is asked with no system instruction",
                "in training every prompt begins with “Translate:”, here they do not",
            ]
        );
        let plain = frame(None, &["a", "b"]);
        let told = frame(Some("Be kind."), &["c"]).differences(&plain);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].ends_with("asked with the system instruction “Be kind.”"),
            "{told:?}"
        );
    }
}
