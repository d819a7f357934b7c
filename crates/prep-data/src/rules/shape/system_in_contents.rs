//! Instructions that stand among the turns.

use crate::diag::{Code, Level};
use crate::rules::example::is_named;
use crate::rules::turns::Who;
use crate::rules::{Check, Edit, Example, Part, Report, Rule, Safety, Signs, Turn, repair, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E027",
        name: "system-in-contents",
        level: Level::Error,
        hint: "move the text to `systemInstruction`; `prep fix` does",
    },
    page: include_str!("system_in_contents.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let is_system = |turn: &&Turn<'_, '_>| turns::who(example, turn) == Who::System;
    for turn in example.turns.iter().filter(is_system) {
        let place = turn.role_value.unwrap_or(turn.value);
        let text = format!(
            "turn {} is an instruction, it belongs into `systemInstruction`",
            turn.n
        );
        let added = report.value(place, text);
        if turn.n == 1 {
            added.repair(|| moved(example).unwrap_or_default());
        }
    }
}

/// Makes a system instruction of the turns that the example begins with.
fn moved(example: &Example<'_, '_>) -> Option<Vec<Edit>> {
    let contents = example.contents?;
    let mut keys = example.root.entries().map(|(key, _)| key);
    let (mut before, mut has_system) = (None, false);
    for key in keys.by_ref() {
        has_system |= is_named(&key.text, "systemInstruction");
        if is_named(&key.text, "contents") {
            before = Some(key.offset);
        }
    }
    let is_system = |turn: &&Turn<'_, '_>| turns::who(example, turn) == Who::System;
    let system: Vec<_> = example.turns.iter().take_while(is_system).collect();
    let is_text =
        |part: &Part<'_, '_>| turns::is_only(part, "text") && part.value.entries().count() == 1;
    let is_movable = |turn: &&Turn<'_, '_>| {
        let mut keys = turn.value.entries().map(|(key, _)| key.text);
        !turn.parts.is_empty()
            && turn.parts.iter().all(is_text)
            && keys.all(|key| key == "role" || key == "parts")
    };
    let is_last = system.len() == example.turns.len();
    if has_system || is_last || !system.iter().all(is_movable) {
        return None;
    }
    let parts = system.iter().filter_map(|turn| turn.parts_value);
    let parts: Vec<_> = parts
        .map(|parts| &parts.raw()[1..parts.raw().len() - 1])
        .collect();
    let instruction = format!("\"systemInstruction\":{{\"parts\":[{}]}},", parts.join(","));
    let gone = system.first()?.value.offset()..system.last()?.value.end();
    let spans = contents.items().map(|turn| turn.offset()..turn.end());
    let removal = repair::remove(&spans.collect::<Vec<_>>(), |span| {
        gone.start <= span.start && span.end <= gone.end
    });
    Some(vec![Edit::insert(before?, instruction), removal])
}
