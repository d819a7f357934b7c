//! More examples than tuning takes.

use crate::diag::{Code, Level};
use crate::rules::{Check, Dataset, Report, Rule, Side, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "D022",
        name: "too-many-examples",
        level: Level::Error,
        hint: "leave examples out; a random part teaches nearly as much",
    },
    page: include_str!("too_many_examples.md"),
    fix: None,
    when: Signs::ALL,
    check: Check::Dataset(check),
};

fn check(dataset: &Dataset, report: &mut Report<'_>) {
    let context = report.context();
    if context.side != Side::Train {
        return;
    }
    let limits = context.limits();
    let of = context.limits_of();
    let (n, n_media) = (dataset.examples, dataset.multimodal);
    match (limits.text_examples, limits.multimodal_examples) {
        (_, Some(most)) if n_media > most => {
            report.dataset(format!(
                "there are {n_media} examples with media, {of} is {most}"
            ));
        }
        (Some(most), _) if n > most => {
            report.dataset(format!("there are {n} examples, {of} is {most}"));
        }
        _ => {}
    }
}
