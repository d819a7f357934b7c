//! Completions that do not say which is preferred.

use crate::diag::{Code, Level, shown};
use crate::json::{Kind, Value};
use crate::rules::example::{kind_of, member};
use crate::rules::published::COMPLETION;
use crate::rules::shape::foreign_format::is_foreign;
use crate::rules::{Check, Example, Method, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E045",
        name: "completion-scores",
        level: Level::Error,
        hint: "give the preferred completion score 1 and the other 0",
    },
    page: include_str!("completion_scores.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    if report.context().method != Method::Preference || is_foreign(example) {
        return;
    }

    let completions = example.completions.into_iter().flat_map(Value::items);
    let completions: Vec<_> = completions
        .filter(|one| one.kind() == Kind::Object)
        .collect();
    let mut seen: Vec<f64> = Vec::new();
    for one in completions {
        let Some(score) = member(one, "score") else {
            if !COMPLETION.is_misspelt(one, "score") {
                report.value(one, "a completion has no `score`, expected 1 or 0");
            }
            return;
        };
        let number = score
            .as_number()
            .and_then(|number| number.parse::<f64>().ok());
        match number {
            None => {
                let found = kind_of(score);
                report.value(
                    score,
                    format!("`score` is {found}, expected the number 1 or 0"),
                );
                return;
            }
            Some(number) if number != 0.0 && number != 1.0 => {
                report.value(
                    score,
                    format!("`score` is {}, expected 1 or 0", shown(score.raw())),
                );
                return;
            }
            Some(number) if seen.contains(&number) && seen.len() == 1 => {
                report.value(
                    score,
                    format!("both completions have the score {}", shown(score.raw())),
                );
                return;
            }
            Some(number) => seen.push(number),
        }
    }
}
