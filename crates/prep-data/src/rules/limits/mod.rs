//! Rules about what base models take, by the dated table.

use super::{Context, Example, Report, TokenCount};
use crate::text::tokens::{Basis, for_model};

pub(super) mod dropped_share;
pub(super) mod dropped_share_high;
pub(super) mod file_too_large;
pub(super) mod model_combination;
pub(super) mod model_retired;
pub(super) mod model_unknown;
pub(super) mod near_token_limit;
#[cfg(test)]
mod tests;
pub(super) mod too_many_examples;
pub(super) mod too_many_tokens;
pub(super) mod validation_size;

/// Tells how many tokens an example has, at its longest text.
fn tell(example: &Example<'_, '_>, count: &TokenCount, report: &mut Report<'_>) {
    let context = report.context();
    let about = if is_exact(context) { "" } else { "about " };
    let (of, limit) = (context.limits_of(), context.limits().example_tokens);
    let parts = [
        ("system instruction", count.system),
        ("tools", count.tools),
        ("user turns", count.user),
        ("model turns", count.model),
        ("longest completion", count.longest_completion),
    ];
    let parts = parts.into_iter().filter(|(_, n)| *n > 0);
    let parts: Vec<_> = parts.map(|(name, n)| format!("{name} {n}")).collect();
    let (n, parts) = (count.length(), parts.join(", "));
    let message = format!("the example has {about}{n} tokens ({parts}), {of} is {limit}");
    let longest = example
        .texts
        .iter()
        .rev()
        .max_by_key(|text| text.text.len());
    match longest {
        Some(text) => report.text(text, 0..0, message),
        None => report.line(message),
    };
}

/// Whether it is known how the model counts; without a model, how the newest
/// ones do.
fn is_exact(context: &Context) -> bool {
    let Some(name) = context.model_name.as_deref() else {
        return true;
    };
    for_model(name).is_some_and(|choice| choice.basis == Basis::Listed)
}
