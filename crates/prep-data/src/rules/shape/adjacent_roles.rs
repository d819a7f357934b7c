//! Turns of one speaker in a row.

use crate::diag::{Code, Level};
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, Turn, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E022",
        name: "adjacent-roles",
        level: Level::Error,
        hint: "put what one speaker says in a row into one turn; `prep fix` does",
    },
    page: include_str!("adjacent_roles.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for pair in example.turns.windows(2) {
        let [first, second] = pair else {
            continue;
        };
        let who = turns::who(example, first);
        if who.role().is_none() || turns::who(example, second) != who {
            continue;
        }
        let place = second.role_value.unwrap_or(second.value);
        let owner = who.genitive();
        let text = format!(
            "turns {} and {} are both {owner}, roles take turns",
            first.n, second.n
        );
        let added = report.value(place, text);
        if let Some(edits) = merged(first, second) {
            added.repair(|| edits);
        }
    }
}

/// Puts the parts of the second turn behind those of the first, if neither has
/// anything else.
fn merged(first: &Turn<'_, '_>, second: &Turn<'_, '_>) -> Option<Vec<Edit>> {
    let is_plain = |turn: &Turn<'_, '_>| {
        let mut keys = turn.value.entries().map(|(key, _)| key.text);
        keys.all(|key| key == "role" || key == "parts") && !turn.parts.is_empty()
    };
    let (into, from) = (first.parts_value?, second.parts_value?);
    let is_mergeable = is_plain(first) && is_plain(second) && !turns::is_blank(first);
    let inside = &from.raw()[1..from.raw().len() - 1];
    is_mergeable.then(|| {
        vec![
            Edit::insert(into.end() - 1, format!(",{inside}")),
            Edit::remove(first.value.end()..second.value.end()),
        ]
    })
}
