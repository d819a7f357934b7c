//! `docs/limits.md`: the dated table of base models as a page.

use std::fmt::Write;

use anyhow::Result;
use prep_data::example::models::{self, Date, MediaKind, MediaLimit, Model, Prices};

/// Writes the page.
pub(crate) fn page() -> Result<String> {
    let table = models::table();
    let mut page = format!(
        "# Limits and prices\n\n\
         What is known of the base models that can be tuned. The documentation was read on **{}**; where\n\
         something was learnt on another day, the day stands beside it. `prep models` prints the same table,\n\
         and `prep validate`, `prep cost` and `prep submit` go by it. Google may change any of it without\n\
         telling `prep`: what the service says decides. A model that is not here is a warning and not an\n\
         error, and `prices:` in `prep.yaml` sets a price that you know better.\n\n\
         This page is made from `crates/prep-data/src/example/models.json` by `cargo xtask generate`.\n",
        table.as_of
    );
    write_models(&table.models, &mut page)?;
    write_limits(&table.models, &mut page)?;
    write_media(&table.models, &mut page)?;
    write_prices(&table.models, &mut page)?;
    write_facts(&table.models, &mut page)?;
    page.push_str("\n## Models that are no more\n\n");
    for model in table.models.iter().filter(|model| !is_tunable(model)) {
        writeln!(
            page,
            "- `{}`: tuning ended {}.",
            model.name,
            day(model.status_since)
        )?;
    }
    for family in &table.ended {
        writeln!(page, "- `{}*`: retired in {}.", family.begins, family.when)?;
    }
    Ok(page)
}

fn is_tunable(model: &Model) -> bool {
    model.sft || model.preference
}

fn write_models(models: &[Model], page: &mut String) -> Result<()> {
    page.push_str(
        "\n## What can be tuned\n\n\
         | model | methods | tuning | jobs in | served in | adapter sizes | retires |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for model in models.iter().filter(|model| is_tunable(model)) {
        let methods = [(model.sft, "sft"), (model.preference, "preference")];
        let methods = methods
            .iter()
            .filter(|(has, _)| *has)
            .map(|(_, name)| *name);
        let since = model.status_since;
        let since = since.map_or_else(String::new, |date| format!(" since {date}"));
        let retires = match model.retires {
            Some(date) if model.may_retire_later => format!("not before {date}"),
            Some(date) => date.to_string(),
            None => "not stated".to_owned(),
        };
        writeln!(
            page,
            "| `{}` | {} | {}{since} | {} | {} | {} | {retires} |",
            model.name,
            methods.collect::<Vec<_>>().join(", "),
            model.status.as_str(),
            listed(&model.locations),
            listed(&model.serving),
            listed(&model.adapter_sizes),
        )?;
    }
    Ok(())
}

fn write_limits(models: &[Model], page: &mut String) -> Result<()> {
    page.push_str(
        "\n## How much it takes\n\n\
         A validation set may have so many examples, and above the number in the last column no more than\n\
         that share of the training examples. `prep split` keeps to it.\n\n\
         | model | tokens in an example | bytes in a file | examples of text | examples with media | validation examples | of training |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    for model in models.iter().filter(|model| is_tunable(model)) {
        let limits = &model.limits;
        let share = limits.validation_share.map_or_else(
            || "-".to_owned(),
            |share| format!("above {}: {} %", grouped(share.above), share.percent),
        );
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} | {share} |",
            model.name,
            grouped(limits.example_tokens),
            grouped(limits.file_bytes),
            limits
                .text_examples
                .map_or("not stated".to_owned(), grouped),
            limits
                .multimodal_examples
                .map_or("not stated".to_owned(), grouped),
            grouped(limits.validation_examples),
        )?;
    }
    Ok(())
}

fn write_media(models: &[Model], page: &mut String) -> Result<()> {
    page.push_str(
        "\n## Media in one example\n\n| model | images | PDF files | audio | video |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for model in models.iter().filter(|model| is_tunable(model)) {
        let cell = |kind| {
            let limit = model.media.iter().find(|limit| limit.kind == kind);
            limit.map_or_else(|| "not stated".to_owned(), medium)
        };
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            model.name,
            cell(MediaKind::Image),
            cell(MediaKind::Pdf),
            cell(MediaKind::Audio),
            cell(MediaKind::Video),
        )?;
    }
    Ok(())
}

/// `1 of 100,000,000 bytes, 5 minutes (20 at low resolution)`.
fn medium(limit: &MediaLimit) -> String {
    let mut text = format!("{} of {} bytes", limit.files, grouped(limit.file_bytes));
    if let Some(pages) = limit.pages {
        text += &format!(", {pages} pages");
    }
    if let Some(minutes) = limit.minutes {
        text += &format!(", {minutes} minutes");
    }
    if let Some(minutes) = limit.minutes_at_low_resolution {
        text += &format!(" ({minutes} at low resolution)");
    }
    text
}

fn write_prices(models: &[Model], page: &mut String) -> Result<()> {
    page.push_str(
        "\n## Prices\n\n\
         In US dollars for a million tokens. Training is billed for the tokens of the training set, times\n\
         epochs. A tuned model answers at the price of the base model times the last factor. Where two\n\
         prices stand, the lower is for short prompts.\n\n\
         | model | training | prompts | answers | when tuned | as of | how it is known |\n\
         | --- | ---: | ---: | ---: | ---: | --- | --- |\n",
    );
    for model in models.iter().filter(|model| is_tunable(model)) {
        let Some(prices) = &model.prices else {
            writeln!(page, "| `{}` | - | - | - | - | - | not known |", model.name)?;
            continue;
        };
        writeln!(page, "| `{}` | {} |", model.name, price_cells(prices))?;
    }
    Ok(())
}

fn price_cells(prices: &Prices) -> String {
    let range = |[low, high]: [f64; 2]| {
        if low < high {
            format!("{low:.2} to {high:.2}")
        } else {
            format!("{low:.2}")
        }
    };
    let training = prices
        .training
        .map_or("-".to_owned(), |it| format!("{it:.2}"));
    let cells = [
        training,
        range(prices.input),
        range(prices.output),
        format!("× {}", prices.tuned_factor),
        day(prices.as_of),
        prices.evidence.clone(),
    ];
    cells.join(" | ")
}

fn write_facts(models: &[Model], page: &mut String) -> Result<()> {
    page.push_str(
        "\n## What else was said\n\n\
         *Documented*: Google's documentation says so. *Reported*: a user saw it. *Unconfirmed*: someone said\n\
         so, and others contradict.\n\n",
    );
    for model in models.iter().filter(|model| is_tunable(model)) {
        if let Some(note) = &model.note {
            writeln!(page, "- `{}`: {note}.", model.name)?;
        }
        if let Some(date) = model.shuts_down {
            let name = &model.name;
            writeln!(
                page,
                "- `{name}`: shut to everybody on {date}, as was heard."
            )?;
        }
        for fact in &model.facts {
            let on = fact.on.map_or_else(String::new, |date| format!(", {date}"));
            writeln!(
                page,
                "- `{}`: {} ({}{on}).",
                model.name,
                fact.says,
                fact.evidence.as_str()
            )?;
        }
    }
    Ok(())
}

fn day(date: Option<Date>) -> String {
    date.map_or_else(|| "not dated".to_owned(), |date| date.to_string())
}

fn listed<T: ToString>(items: &[T]) -> String {
    if items.is_empty() {
        return "not stated".to_owned();
    }
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    items.join(", ")
}

/// `1,000,000`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
