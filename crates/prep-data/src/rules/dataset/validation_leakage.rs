//! An example, or its prompt, that validation has too.

use crate::rules::{Check, Example, OverlapKind, Report, Rule, Signs};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &crate::diag::D002,
    page: include_str!("validation_leakage.md"),
    fix: None,
    when: Signs::HELD_OUT,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    let (Some(overlap), Some(validation)) = (example.overlap, &report.context().validation) else {
        return;
    };
    let place = format!("{}:{}", validation.name, overlap.line);
    report.line(match overlap.kind {
        OverlapKind::Example => format!("the example is also in {place}"),
        OverlapKind::Prompt => format!("the prompt is also in {place}, with another answer"),
        OverlapKind::Normalised => {
            format!("the prompt is also in {place}, but for case, spacing or typography")
        }
    });
}
