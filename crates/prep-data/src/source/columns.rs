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

/// The column that says who speaks, where each row is a turn.
const ROLE: &[&str] = &[
    "role",
    "from",
    "speaker",
    "sender",
    "角色",
    "发送者",
    "说话人",
];

/// The column of what is said.
const SAID: &[&str] = &[
    "content", "text", "value", "message", "内容", "消息", "文本",
];

/// The column of the conversation, with or without `id` behind it.
const CONVERSATION: &[&str] = &[
    "conversation",
    "dialogue",
    "dialog",
    "session",
    "thread",
    "ticket",
    "case",
    "chat",
    "会话",
    "对话",
    "工单",
];

/// Words that may follow a known name and say no more than "this is the text":
/// `source_text`, `targetString`.
const FILLERS: &[&str] = &["text", "string", "segment", "sentence"];

/// The side a column's name stands for; case and punctuation do not matter.
#[must_use]
pub fn side(name: &str) -> Option<Side> {
    let plain = plain(name);
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

/// A name without case and punctuation.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The column that names the conversation of a turn, if one alone does.
#[must_use]
pub fn conversation(names: &[String]) -> Option<usize> {
    let is_one = |name: &String| {
        let name = plain(name);
        let stem = name.strip_suffix("id").unwrap_or(&name);
        CONVERSATION.contains(&stem)
    };
    let mut found = (0..).zip(names).filter(|(_, name)| is_one(name));
    let (first, _) = found.next()?;
    found.next().is_none().then_some(first)
}

/// The columns of the role and of the text of turns, if both are there; the
/// first of each, in the order of the table.
#[must_use]
pub fn turn(names: &[String]) -> Option<(usize, usize)> {
    let of = |known: &[&str]| {
        names
            .iter()
            .position(|name| known.contains(&name.trim().to_lowercase().as_str()))
    };
    Some((of(ROLE)?, of(SAID)?))
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
    fn names_tell_the_columns_of_turns() {
        let turn = |names: [&str; 3]| turn(&names.map(str::to_owned));
        assert_eq!(turn(["ticket", "Role", "content "]), Some((1, 2)));
        assert_eq!(turn(["内容", "会话", "角色"]), Some((2, 0)));
        assert_eq!(turn(["role", "source", "target"]), None);
        let conversation = |names: [&str; 2]| conversation(&names.map(str::to_owned));
        assert_eq!(conversation(["role", "Conversation_ID"]), Some(1));
        assert_eq!(conversation(["会话", "id"]), Some(0));
        assert_eq!(conversation(["ticket", "session"]), None);
    }

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
