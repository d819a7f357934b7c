//! `prep models`: the dated table of base models.

use std::io::{self, Write};

use prep_data::example::models::{self, MediaKind, Model, Prices, Table};
use prep_data::text::nearest::nearest;
use serde_json::json;

use crate::Answer;
use crate::args::{ModelsArgs, TextOrJson};
use crate::failure::{Failure, plain};
use crate::ui;

/// Runs the command.
pub(crate) fn run(args: &ModelsArgs) -> Result<Answer, Failure> {
    let table = models::table();
    let chosen = args
        .models
        .iter()
        .map(|name| find(name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = anstream::stdout();
    if args.format == TextOrJson::Json {
        let all = table.models.iter().collect();
        let chosen = if chosen.is_empty() { all } else { chosen };
        print_json(table, &chosen, &mut out)?;
    } else if chosen.is_empty() {
        print_table(table, &mut out)?;
    } else {
        for (n, model) in chosen.iter().enumerate() {
            if n > 0 {
                writeln!(out)?;
            }
            print_model(table, model, &mut out)?;
        }
    }
    Ok(Answer::Yes)
}

fn find(name: &str) -> Result<&'static Model, Failure> {
    let table = models::table();
    models::find(name).ok_or_else(|| {
        let failure = Failure::new(format!(
            "the table of {} has no model `{name}`",
            table.as_of
        ));
        let ended = models::ended(name);
        let names = table.models.iter().map(|model| model.name.as_str());
        match (ended, nearest(name, names)) {
            (Some(family), _) => failure.hint(format!(
                "it retired in {}; run `prep models` for those that can be tuned",
                family.when
            )),
            (None, Some(nearest)) => failure.hint(format!("the nearest name is `{nearest}`")),
            (None, None) => failure.hint("run `prep models` for all of them"),
        }
    })
}

fn print_json(table: &Table, chosen: &[&Model], out: &mut impl Write) -> Result<(), Failure> {
    let value = json!({
        "schema": 1,
        "as_of": table.as_of,
        "models": chosen,
        "ended": table.ended,
    });
    let text = serde_json::to_string_pretty(&value).map_err(plain)?;
    writeln!(out, "{text}")?;
    Ok(())
}

fn print_table(table: &Table, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "Base models as Google documented them on {}. TRAINING is in US dollars for a million tokens.\n",
        table.as_of
    )?;
    let mut rows = vec![
        [
            "MODEL", "METHODS", "STATUS", "JOBS IN", "ADAPTERS", "RETIRES", "TRAINING",
        ]
        .map(str::to_owned),
    ];
    rows.extend(table.models.iter().map(row));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end())?;
    }
    let notes = table
        .models
        .iter()
        .filter_map(|model| Some((model, model.note.as_ref()?)));
    writeln!(out)?;
    for (model, note) in notes {
        writeln!(out, "{}: {note}", model.name)?;
    }
    for family in &table.ended {
        writeln!(out, "{}*: retired in {}", family.begins, family.when)?;
    }
    Ok(())
}

fn row(model: &Model) -> [String; 7] {
    [
        model.name.clone(),
        methods(model),
        model.status.as_str().into(),
        listed(&model.locations, " "),
        listed(&model.adapter_sizes, " "),
        retirement(model).unwrap_or_else(|| "-".into()),
        model
            .prices
            .as_ref()
            .and_then(|prices| prices.training)
            .map_or_else(|| "-".into(), dollars),
    ]
}

fn methods(model: &Model) -> String {
    match (model.sft, model.preference) {
        (true, true) => "sft preference".into(),
        (true, false) => "sft".into(),
        (false, true) => "preference".into(),
        (false, false) => "-".into(),
    }
}

fn retirement(model: &Model) -> Option<String> {
    let day = model.retires?;
    Some(if model.may_retire_later {
        format!("from {day}")
    } else {
        day.to_string()
    })
}

fn listed(values: &[impl ToString], between: &str) -> String {
    if values.is_empty() {
        return "-".into();
    }
    values
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(between)
}

fn dollars(price: f64) -> String {
    format!("{price:.2}")
}

fn print_model(table: &Table, model: &Model, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} (as of {})", model.name, table.as_of)?;
    let mut line = |name: &str, text: String| writeln!(out, "  {name:<13}{text}");
    let since = model
        .status_since
        .map_or_else(String::new, |day| format!(", since {day}"));
    line("tuning", format!("{}{since}", model.status.as_str()))?;
    line("methods", methods(model))?;
    line("jobs in", listed(&model.locations, ", "))?;
    line("served in", listed(&model.serving, ", "))?;
    line("adapters", listed(&model.adapter_sizes, ", "))?;
    if let Some(day) = model.released {
        line("released", day.to_string())?;
    }
    if let Some(retirement) = retirement(model) {
        line("retires", retirement)?;
    }
    if let Some(day) = model.shuts_down {
        line("shuts down", format!("{day}, as reported"))?;
    }
    line(
        "vocabulary",
        model
            .tokenizer
            .clone()
            .unwrap_or_else(|| "not known".into()),
    )?;
    for limit in limits(model) {
        line("at most", limit)?;
    }
    for media in &model.media {
        line("at most", media_limit(media))?;
    }
    if let Some(prices) = &model.prices {
        for price in listed_prices(prices) {
            line("price", price)?;
        }
        let on = prices
            .as_of
            .map_or_else(String::new, |day| format!(", {day}"));
        line("known by", format!("{}{on}", prices.evidence))?;
    }
    if let Some(note) = &model.note {
        line("note", note.clone())?;
    }
    for fact in &model.facts {
        let on = fact.on.map_or_else(String::new, |day| format!(" {day}"));
        line(
            "said",
            format!("{} ({}{on})", fact.says, fact.evidence.as_str()),
        )?;
    }
    Ok(())
}

fn limits(model: &Model) -> Vec<String> {
    let limits = &model.limits;
    let mut lines = vec![
        format!("{} in an example", ui::of(limits.example_tokens, "token")),
        format!("{} in a file", ui::of(limits.file_bytes, "byte")),
    ];
    if let Some(most) = limits.text_examples {
        lines.push(format!("{} of text", ui::of(most, "training example")));
    }
    if let Some(most) = limits.multimodal_examples {
        lines.push(format!("{} with media", ui::of(most, "training example")));
    }
    let validation = ui::of(limits.validation_examples, "validation example");
    lines.push(match limits.validation_share {
        Some(share) => format!(
            "{validation}, above {} of them {} % of training",
            ui::count(share.above),
            share.percent
        ),
        None => validation,
    });
    lines
}

fn media_limit(media: &models::MediaLimit) -> String {
    let kind = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Pdf => "PDF file",
        MediaKind::Audio => "audio file",
        MediaKind::Video => "video",
    };
    let pages = media.pages.map(|n| ui::of(n, "page"));
    let minutes = media
        .minutes
        .map(|n| match media.minutes_at_low_resolution {
            Some(low) => format!("{} ({low} at low resolution)", ui::of(n, "minute")),
            None => ui::of(n, "minute"),
        });
    let each = [Some(ui::bytes(media.file_bytes)), pages, minutes];
    let each: Vec<_> = each.into_iter().flatten().collect();
    format!(
        "{} in an example, each of {}",
        ui::of(media.files, kind),
        each.join(" and ")
    )
}

fn listed_prices(prices: &Prices) -> Vec<String> {
    let span = |[low, high]: [f64; 2]| {
        if low < high {
            format!("${}–{}", dollars(low), dollars(high))
        } else {
            format!("${}", dollars(low))
        }
    };
    let training = prices
        .training
        .map(|price| format!("${} for a million tokens of training", dollars(price)));
    let dearer = match prices.tuned_factor {
        1.0 => String::new(),
        factor => format!(", × {factor} when tuned"),
    };
    let (input, output) = (span(prices.input), span(prices.output));
    let inference = format!("{input} for a million tokens of prompts, {output} of answers{dearer}");
    training.into_iter().chain([inference]).collect()
}
