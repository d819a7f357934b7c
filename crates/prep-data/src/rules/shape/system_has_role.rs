//! System instructions with a role.

use crate::diag::{Code, Level};
use crate::json::{Key, Value};
use crate::rules::{Check, Example, Report, Rule, Safety, Signs, repair};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E029",
        name: "system-has-role",
        level: Level::Warn,
        hint: "remove the role; `prep fix` does",
    },
    page: include_str!("system_has_role.md"),
    fix: Some(Safety::Safe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let Some(system) = example.system else {
        return;
    };
    let role = |(key, value): &(Key<'_>, Value<'_, '_>)| key.text == "role" && !value.is_null();
    if let Some((key, _)) = system.entries().find(role) {
        let message = "the role of a system instruction is ignored";
        report
            .over(repair::key_range(system, &key), message)
            .repair(|| vec![repair::remove_member(system, &key)]);
    }
}
