//! Whose a turn is, once words with one meaning are taken for what they mean.
//!
//! A turn of the `assistant` is the model's to every rule but the one that
//! minds the word. So each thing is told once, and repairing one does not
//! bring out another.

use super::example::{Example, Part, PartData, Turn};
use crate::example::Role;

/// Whose a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The prompt side's.
    User,
    /// The side's that is learnt.
    Model,
    /// An instruction, which does not belong among the turns.
    System,
    /// Nobody's that is known.
    Unknown,
}

impl Who {
    /// The role of a turn that speaks, in the service's spelling.
    pub(super) fn role(self) -> Option<&'static str> {
        match self {
            Self::User => Some(Role::User.as_str()),
            Self::Model => Some(Role::Model.as_str()),
            Self::System | Self::Unknown => None,
        }
    }

    /// Names the owner as messages do.
    pub(super) fn genitive(self) -> &'static str {
        match self {
            Self::User => "the user's",
            Self::Model => "the model's",
            Self::System => "an instruction",
            Self::Unknown => "nobody's",
        }
    }
}

/// Says whose a turn is.
pub(super) fn who(example: &Example<'_, '_>, turn: &Turn<'_, '_>) -> Who {
    match (turn.role, turn.role_value) {
        (Some(Role::User), _) => Who::User,
        (Some(Role::Model), _) => Who::Model,
        (None, Some(role)) if !is_blank(turn) => role
            .as_str()
            .map_or(Who::Unknown, |role| meant(&role, turn)),
        // Google's pages show function responses without a role, and allow
        // one turn to have none.
        _ if is_response(turn) || example.turns.len() == 1 => Who::User,
        _ => Who::Unknown,
    }
}

/// Whether a turn has no role, or an empty one.
pub(super) fn is_blank(turn: &Turn<'_, '_>) -> bool {
    let role = turn.role_value;
    role.is_none_or(|role| role.as_str().is_some_and(|role| role.trim().is_empty()))
}

/// What a word that is no role of the service stands for.
fn meant(role: &str, turn: &Turn<'_, '_>) -> Who {
    match role.trim().to_ascii_lowercase().as_str() {
        "system" | "developer" => Who::System,
        // Responses are given to the model, whatever they are called.
        _ if is_response(turn) => Who::User,
        "model" | "assistant" | "ai" | "bot" | "chatbot" | "gpt" | "chatgpt" | "gemini" => {
            Who::Model
        }
        "user" | "human" => Who::User,
        _ => Who::Unknown,
    }
}

/// Whether a turn holds function responses and nothing else.
pub(super) fn is_response(turn: &Turn<'_, '_>) -> bool {
    let mut parts = turn.parts.iter();
    !turn.parts.is_empty() && parts.all(|part| is_only(part, "functionResponse"))
}

/// Whether a part holds this kind of data and no other.
pub(super) fn is_only(part: &Part<'_, '_>, name: &str) -> bool {
    let mut kinds = part.data.iter().map(|data| data.name);
    kinds.next() == Some(name) && kinds.next().is_none()
}

/// The data of this kind in all turns.
pub(super) fn data<'e, 'd, 'a>(
    example: &'e Example<'d, 'a>,
    name: &'static str,
) -> impl Iterator<Item = (&'e Turn<'d, 'a>, &'e PartData<'d, 'a>)> {
    let turns = example.turns.iter();
    turns.flat_map(move |turn| {
        let data = turn.parts.iter().flat_map(|part| &part.data);
        data.filter(move |data| data.name == name)
            .map(move |data| (turn, data))
    })
}

/// How many parts of a turn hold this kind of data.
pub(super) fn count(turn: &Turn<'_, '_>, name: &str) -> usize {
    turn.parts
        .iter()
        .filter(|part| part.get(name).is_some())
        .count()
}

/// Turns of one speaker in a row, as one turn.
#[derive(Debug)]
pub(super) struct Run<'e, 'd, 'a> {
    pub(super) who: Who,
    /// The function calls in it, each with its turn.
    pub(super) calls: Vec<(&'e Turn<'d, 'a>, &'e PartData<'d, 'a>)>,
    /// The function responses in it, each with its turn.
    pub(super) responses: Vec<(&'e Turn<'d, 'a>, &'e PartData<'d, 'a>)>,
}

/// Puts turns of one speaker together: that they are several is the business
/// of one rule.
pub(super) fn runs<'e, 'd, 'a>(example: &'e Example<'d, 'a>) -> Vec<Run<'e, 'd, 'a>> {
    let mut runs: Vec<Run<'e, 'd, 'a>> = Vec::new();
    for turn in &example.turns {
        let who = who(example, turn);
        let is_same = |run: &Run<'_, '_, '_>| run.who == who && who != Who::Unknown;
        if !runs.last().is_some_and(is_same) {
            runs.push(Run {
                who,
                calls: Vec::new(),
                responses: Vec::new(),
            });
        }
        let Some(run) = runs.last_mut() else {
            continue;
        };
        for data in turn.parts.iter().flat_map(|part| &part.data) {
            match data.name {
                "functionCall" => run.calls.push((turn, data)),
                "functionResponse" => run.responses.push((turn, data)),
                _ => {}
            }
        }
    }
    runs
}
