//! Which column is the prompt and which the answer, told by name.

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is given: the source segment, the question.
    Prompt,
    /// What is learnt: the target segment, the answer.
    Answer,
}

const PROMPT: &[&str] = &[
    "source",
    "src",
    "input",
    "prompt",
    "question",
    "instruction",
    "user",
    "query",
    "en",
    "original",
    "原文",
    "问题",
    "问",
];

const ANSWER: &[&str] = &[
    "target",
    "tgt",
    "output",
    "completion",
    "response",
    "answer",
    "reply",
    "model",
    "assistant",
    "translation",
    "es",
    "译文",
    "回答",
    "答",
];

/// Words that may follow a known name and say no more than "this is the text":
/// `source_text`, `targetString`.
const FILLERS: &[&str] = &["text", "string", "segment", "sentence"];

/// The side a column's name stands for; case and punctuation do not matter.
#[must_use]
pub fn side(name: &str) -> Option<Side> {
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let stem = FILLERS
        .iter()
        .find_map(|filler| plain.strip_suffix(filler))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(&plain);
    if PROMPT.contains(&stem) {
        Some(Side::Prompt)
    } else if ANSWER.contains(&stem) {
        Some(Side::Answer)
    } else {
        None
    }
}

/// The column of a name: the name itself, or the only one that differs from
/// it in case alone.
pub(crate) fn find(name: &str, columns: &[String]) -> Option<usize> {
    let exact = columns.iter().position(|column| column == name);
    exact.or_else(|| {
        let name = name.trim().to_lowercase();
        let mut alike = (0..)
            .zip(columns)
            .filter(|(_, column)| column.trim().to_lowercase() == name);
        let first = alike.next().map(|(n, _)| n);
        first.filter(|_| alike.next().is_none())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_side() {
        for name in [
            "source",
            "Source",
            "SRC",
            "source_text",
            "sourceString",
            "原文",
            "Question:",
            "e.n.",
        ] {
            assert_eq!(side(name), Some(Side::Prompt), "{name}");
        }
        for name in [
            "target",
            "targetString",
            "es",
            "译文",
            "Model",
            "Translation ",
        ] {
            assert_eq!(side(name), Some(Side::Answer), "{name}");
        }
        for name in ["", "text", "sourceLang", "id", "inputs", "category"] {
            assert_eq!(side(name), None, "{name}");
        }
    }
}
