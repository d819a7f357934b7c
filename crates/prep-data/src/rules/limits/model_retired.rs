//! A base model that retired, or soon does.

use crate::diag::{Code, Level};
use crate::example::models::{self, Date, Model};
use crate::rules::{Check, Dataset, Report, Rule, Side, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D027",
        name: "model-retired",
        level: Level::Warn,
        hint: "choose a model that `prep models` lists as living longer",
    },
    page: include_str!("model_retired.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

/// How many days ahead are told.
const SOON: i64 = 90;

fn check(_: &Dataset, report: &mut Report<'_>) {
    let context = report.context();
    if context.side != Side::Train {
        return;
    }
    let message = match (context.model, context.model_name.as_deref()) {
        (Some(model), _) => context.today.and_then(|today| end_of(model, today)),
        (None, Some(name)) => {
            models::ended(name).map(|family| format!("`{name}` retired in {}", family.when))
        }
        (None, None) => None,
    };
    if let Some(message) = message {
        report.dataset(message);
    }
}

/// What is to be said about the end of a model.
fn end_of(model: &Model, today: Date) -> Option<String> {
    let Model { name, .. } = model;
    let day = model.retires?;
    let left = day.days() - today.days();
    let told = match (left, model.may_retire_later) {
        (left, _) if left > SOON => return None,
        (1.., true) => format!("`{name}` may retire from {day} on, in {left} days"),
        (1.., false) => format!("`{name}` retires on {day}, in {left} days"),
        (_, true) => format!("`{name}` may have retired: it was promised until {day}"),
        (_, false) => format!("`{name}` retired on {day}"),
    };
    let note = model.note.as_deref().filter(|_| left < 1);
    Some(match note {
        Some(note) => format!("{told}; {note}"),
        None => told,
    })
}
