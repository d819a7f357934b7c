//! Model turns in which nothing is said.

use crate::diag::{Code, Level};
use crate::json::Value;
use crate::rules::turns::Who;
use crate::rules::{Check, Edit, Example, Part, Report, Rule, Safety, Signs, Turn, repair, turns};
use crate::text::signs::is_invisible;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E012",
        name: "empty-model-turn",
        level: Level::Error,
        hint: "write the answer, or leave the example out",
    },
    page: include_str!("empty_model_turn.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::BLANK.and(Signs::INVISIBLE),
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let turns = example.turns.iter();
    for turn in turns.filter(|turn| turns::who(example, turn) == Who::Model) {
        let Some(text) = blank_text(turn) else {
            continue;
        };
        let message = format!("turn {} has no text for the model to learn", turn.n);
        let added = report.value(text, message);
        if let Some(edit) = without(example, turn) {
            added.repair(|| vec![edit]);
        }
    }
}

/// The first text of a turn that has only texts, all of them blank.
fn blank_text<'d, 'a>(turn: &Turn<'d, 'a>) -> Option<Value<'d, 'a>> {
    let is_blank = |part: &Part<'_, '_>| {
        let text = part.get("text").and_then(Value::as_str);
        turns::is_only(part, "text") && text.is_some_and(|text| is_blank(&text))
    };
    let first = turn.parts.first()?;
    turn.parts.iter().all(is_blank).then(|| first.get("text"))?
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Takes the turn out with its prompt, if another prompt and answer are left
/// and no function call loses its response.
fn without(example: &Example<'_, '_>, turn: &Turn<'_, '_>) -> Option<Edit> {
    let all = &example.turns;
    let prompt = &all[turn.n.checked_sub(2)?];
    let is_user = |turn: &Turn<'_, '_>| turns::who(example, turn) == Who::User;
    let is_alone = prompt.n == 1 || !is_user(&all[prompt.n - 2]);
    let is_followed = all.get(turn.n).is_none_or(is_user);
    let has_response = turns::count(prompt, "functionResponse") > 0;
    if !is_user(prompt) || !is_alone || !is_followed || has_response || all.len() < 4 {
        return None;
    }
    let gone = prompt.value.offset()..turn.value.end();
    let spans = all.iter().map(|turn| turn.value.offset()..turn.value.end());
    Some(repair::remove(&spans.collect::<Vec<_>>(), |span| {
        gone.start <= span.start && span.end <= gone.end
    }))
}
