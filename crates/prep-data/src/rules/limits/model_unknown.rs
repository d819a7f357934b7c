//! A base model that the dated table does not know.

use crate::diag::{Code, Level, shown};
use crate::example::models;
use crate::rules::{Check, Dataset, Report, Rule, Side, Signs};
use crate::text::nearest::nearest;

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D029",
        name: "model-unknown",
        level: Level::Warn,
        hint: "look for a slip in the name; if there is none, `prep` knows no limits of the model",
    },
    page: include_str!("model_unknown.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(_: &Dataset, report: &mut Report<'_>) {
    let context = report.context();
    let (None, Some(name)) = (context.model, context.model_name.as_deref()) else {
        return;
    };
    if context.side != Side::Train || models::ended(name).is_some() {
        return;
    }
    let table = models::table();
    let known = table
        .models
        .iter()
        .filter(|model| model.sft || model.preference);
    let names: Vec<&str> = known.map(|model| model.name.as_str()).collect();
    let short = name.rsplit('/').next().unwrap_or(name);
    let choice = match nearest(short, names.iter().copied()) {
        Some(nearest) => format!("the nearest name in it is `{nearest}`"),
        None => format!("it has `{}`", names.join("`, `")),
    };
    let (name, as_of) = (shown(name), table.as_of);
    report.dataset(format!("{name} is not in the table of {as_of}; {choice}"));
}
