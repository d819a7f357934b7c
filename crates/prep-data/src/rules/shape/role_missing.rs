//! Turns of nobody.

use crate::diag::{Code, Level};
use crate::json::Kind;
use crate::rules::published::CONTENT;
use crate::rules::turns::Who;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, Turn, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E018",
        name: "role-missing",
        level: Level::Error,
        hint: "give every turn its role, `user` or `model`",
    },
    page: include_str!("role_missing.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if example.turns.len() < 2 {
        return;
    }
    let mut before = None;
    for turn in &example.turns {
        let who = turns::who(example, turn);
        let place = place(example, turn, before);
        before = who.role().or(place);
        let is_object = turn.value.kind() == Kind::Object;
        if who != Who::Unknown
            || !is_object
            || !turns::is_blank(turn)
            || CONTENT.is_misspelt(turn.value, "role")
        {
            continue;
        }
        let value = turn.role_value.unwrap_or(turn.value);
        let added = report.value(value, format!("turn {} has no role", turn.n));
        if let Some(role) = place {
            added.repair(|| vec![with_role(turn, role)]);
        }
    }
}

/// The role that a turn has by what it holds and by the turns around it.
fn place(
    example: &Example<'_, '_>,
    turn: &Turn<'_, '_>,
    before: Option<&'static str>,
) -> Option<&'static str> {
    let (user, model) = ("user", "model");
    let place = match before {
        None if turn.n == 1 => user,
        None => return None,
        Some(before) if before == user => model,
        Some(_) => user,
    };
    let after = example.turns.get(turn.n);
    let after = after.and_then(|after| turns::who(example, after).role());
    let holds_other = match place {
        "user" => turns::count(turn, "functionCall") > 0,
        _ => turns::count(turn, "functionResponse") > 0,
    };
    Some(place).filter(|place| after != Some(place) && !holds_other)
}

fn with_role(turn: &Turn<'_, '_>, role: &str) -> Edit {
    if let Some(value) = turn.role_value {
        return Edit::replace(value.offset()..value.end(), format!("\"{role}\""));
    }
    let mut nulls = turn.value.entries().filter(|(key, _)| key.text == "role");
    if let Some((_, null)) = nulls.next() {
        return Edit::replace(null.offset()..null.end(), format!("\"{role}\""));
    }
    let comma = if turn.value.entries().next().is_some() {
        ","
    } else {
        ""
    };
    Edit::insert(
        turn.value.offset() + 1,
        format!("\"role\":\"{role}\"{comma}"),
    )
}
