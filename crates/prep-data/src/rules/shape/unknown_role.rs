//! Roles that the service does not know.

use crate::diag::{Code, Level, shown};
use crate::rules::turns::Who;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E017",
        name: "unknown-role",
        level: Level::Error,
        hint: "use `user` and `model`; `prep fix` knows the common other words",
    },
    page: include_str!("unknown_role.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for turn in example.turns.iter().filter(|turn| turn.role.is_none()) {
        let Some((value, role)) = turn
            .role_value
            .and_then(|value| Some((value, value.as_str()?)))
        else {
            continue;
        };
        let who = turns::who(example, turn);
        if who == Who::System || turns::is_blank(turn) {
            continue;
        }
        let role = shown(&role);
        match who.role() {
            Some(known) => report
                .value(
                    value,
                    format!(
                        "turn {} has the role {role}, the service says `{known}`",
                        turn.n
                    ),
                )
                .repair(|| {
                    vec![Edit::replace(
                        value.offset()..value.end(),
                        format!("\"{known}\""),
                    )]
                }),
            None => {
                let text = format!(
                    "turn {} has the role {role}, expected `user` or `model`",
                    turn.n
                );
                report.value(value, text);
            }
        }
    }
}
