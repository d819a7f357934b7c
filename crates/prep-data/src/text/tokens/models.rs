//! Which base model has which vocabulary, as far as Google has said.

use super::Tokenizer;

/// The day on which [`for_model`]'s table was taken from Google's own SDK,
/// `google-genai` 3.4.0.
pub const AS_OF: &str = "2026-11-22";

/// How a model's vocabulary is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Google's SDK counts this model's tokens with this vocabulary.
    Listed,
    /// The SDK does not know the model; it is taken to have the newest
    /// vocabulary that is known.
    Assumed,
}

/// A vocabulary for a base model.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// The vocabulary.
    pub tokenizer: &'static Tokenizer,
    /// How that is known.
    pub basis: Basis,
}

/// Models of Gemma 3's vocabulary; one that ends in `*` stands for all that
/// begin so.
const GEMMA3: &[&str] = &[
    "gemini-2.0-flash",
    "gemini-2.0-flash-lite",
    "gemini-2.5-pro*",
    "gemini-2.5-flash*",
    "gemini-3-pro-preview",
    "gemini-3-flash-preview",
];
const GEMMA4: &[&str] = &[
    "gemini-3.1-flash-lite",
    "gemini-3.1-pro-preview",
    "gemini-3.5-flash",
];
/// Older than both vocabularies; the SDK cannot count these.
const OTHER: &[&str] = &["gemini-1*", "gemini-pro*", "gemini-ultra*"];

/// Chooses the vocabulary of a base model, given as the service names it, with
/// or without `publishers/google/models/` and a version (`-001`, `@001`).
///
/// A Gemini model that the SDK does not know gets the newest vocabulary, as an
/// assumption; what is no Gemini model, or one of before 2.0, gets `None`.
#[must_use]
pub fn for_model(name: &str) -> Option<Choice> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = without_version(name);
    let is_in = |list: &[&str]| {
        list.iter().any(|listed| match listed.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *listed,
        })
    };
    let choice = |tokenizer, basis| Some(Choice { tokenizer, basis });
    if is_in(GEMMA3) {
        choice(Tokenizer::gemma3(), Basis::Listed)
    } else if is_in(GEMMA4) {
        choice(Tokenizer::gemma4(), Basis::Listed)
    } else if name.starts_with("gemini-") && !is_in(OTHER) {
        choice(Tokenizer::gemma4(), Basis::Assumed)
    } else {
        None
    }
}

fn without_version(name: &str) -> &str {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, version) = name.split_at(name.len() - digits);
    match stem.strip_suffix(['-', '@']) {
        Some(stem) if version.len() == 3 => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, Basis)>) {
        let choice = for_model(name).map(|choice| (choice.tokenizer.name(), choice.basis));
        assert_eq!(choice, expected, "{name}");
    }

    #[test]
    fn models_have_the_vocabulary_of_the_sdk() {
        let gemma3 = Some(("gemma3", Basis::Listed));
        let gemma4 = Some(("gemma4", Basis::Listed));
        check("gemini-2.0-flash-001", gemma3);
        check("gemini-2.0-flash-lite", gemma3);
        check("publishers/google/models/gemini-2.5-pro", gemma3);
        check("gemini-2.5-flash-lite-preview-06-17", gemma3);
        check("gemini-3-pro-preview", gemma3);
        check("gemini-3.1-flash-lite", gemma4);
        check("gemini-3.5-flash@001", gemma4);
        check("google/gemini-3.1-pro-preview", gemma4);
    }

    #[test]
    fn a_newer_model_is_an_assumption() {
        let assumed = Some(("gemma4", Basis::Assumed));
        check("gemini-3.5-flash-lite", assumed);
        check("gemini-3.6-flash", assumed);
        check("gemini-4-pro", assumed);
    }

    #[test]
    fn other_models_have_none() {
        check("gemini-1.5-pro-002", None);
        check("gemini-pro", None);
        check("translation-llm-002", None);
        check("", None);
    }
}
