//! A method, adapter size or location that the base model does not have.

use crate::diag::{Code, Level};
use crate::example::models::{self, Model, Status};
use crate::rules::{Check, Context, Dataset, Method, Report, Rule, Side, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D028",
        name: "model-combination",
        level: Level::Error,
        hint: "choose among what `prep models` lists, or lower the rule's level if the table is out of date",
    },
    page: include_str!("model_combination.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(_: &Dataset, report: &mut Report<'_>) {
    let context = report.context();
    if context.side != Side::Train {
        return;
    }
    let messages = match (context.model, &context.model_name) {
        // One that can no longer be tuned at all is another rule's business.
        (Some(model), _) if model.status == Status::Ended => return,
        (Some(model), _) => [
            method(model, context),
            adapter(model, context),
            location(model, context),
        ],
        // What a model that is not known takes is not known either.
        (None, Some(_)) => [None, None, global(context)],
        (None, None) => [None, any_adapter(context), global(context)],
    };
    for message in messages.into_iter().flatten() {
        report.dataset(message);
    }
}

fn method(model: &Model, context: &Context) -> Option<String> {
    let (is_there, method) = match context.method {
        Method::Sft => (model.sft, "supervised examples"),
        Method::Preference => (model.preference, "preferences"),
    };
    let Model { name, .. } = model;
    (!is_there).then(|| format!("`{name}` cannot be tuned with {method}, as of {}", as_of()))
}

fn adapter(model: &Model, context: &Context) -> Option<String> {
    let size = context.adapter_size?;
    let Model {
        name,
        adapter_sizes: sizes,
        ..
    } = model;
    let is_there = sizes.is_empty() || sizes.contains(&size);
    (!is_there).then(|| {
        format!(
            "`{name}` takes the adapter sizes {}, not {size}",
            listed(sizes)
        )
    })
}

fn any_adapter(context: &Context) -> Option<String> {
    let size = context.adapter_size?;
    let mut models = models::table().models.iter();
    let is_there = models.any(|model| model.adapter_sizes.contains(&size));
    (!is_there).then(|| format!("no model takes the adapter size {size}"))
}

fn location(model: &Model, context: &Context) -> Option<String> {
    let location = context.location.as_deref()?;
    let Model {
        name, locations, ..
    } = model;
    if locations.is_empty() || locations.iter().any(|other| other == location) {
        return global(context);
    }
    let there = if model.serving.iter().any(|other| other == location) {
        ", where it is only served"
    } else {
        ""
    };
    let locations = listed(locations);
    Some(format!(
        "`{name}` is tuned in {locations}, not in `{location}`{there}"
    ))
}

/// No Gemini model is tuned everywhere at once.
fn global(context: &Context) -> Option<String> {
    let is_global = context.location.as_deref() == Some("global");
    is_global.then(|| "tuning jobs run in a region, not in `global`".into())
}

fn listed(values: &[impl std::fmt::Display]) -> String {
    let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    match values.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => values.concat(),
    }
}

fn as_of() -> models::Date {
    models::table().as_of
}
