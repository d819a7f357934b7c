//! The report as a page, from the parts that `prep stats --html` is made of.

use prep_eval::compare::{Comparison, Resampled};
use serde_json::json;

use super::read::last_text;
use super::rules::Rate;
use super::{
    ENOUGH, Measured, PLAYED, Report, SIGNIFICANT, Scored, Shown, Slice, Verdict, View, shown,
    shown_difference,
};
use crate::args::Test;
use crate::report::html::compared::marked;
use crate::report::html::table::{Column, bar, table};
use crate::report::html::{
    Html, Masthead, Section, data, data_block_of, details, markup, shell, visible,
};
use crate::ui;

/// How many lines without a prediction, and of a rule, are told one by one.
const LINES: usize = 5;

/// How many digits of a score are behind the point.
const DIGITS: usize = 2;

/// How many slices of a kind are in a table at once.
const SLICES: usize = 40;

/// Makes the page.
pub(super) fn page(report: &Report<'_>) -> String {
    let mut sections = vec![
        section("scores", "Scores", "What was measured", scores(report)),
        section(
            "outcomes",
            "Outcomes",
            "How answers ended",
            outcomes(report),
        ),
    ];
    let more = [
        (
            "rules",
            "Rules",
            "How many predictions pass the rules",
            rates(report),
        ),
        ("judge", "Judge", "What the judge says", judged(report)),
        (
            "slices",
            "Slices",
            "Where the scores come from",
            slices(report),
        ),
        ("segments", "Segments", "What to look at", views(report)),
    ];
    let more = more.into_iter().filter(|(.., body)| !body.is_empty());
    sections.extend(more.map(|(id, name, heading, body)| section(id, name, heading, body)));
    let names: Vec<_> = report
        .files
        .iter()
        .map(|file| visible(file.system.name))
        .collect();
    let masthead = Masthead {
        title: format!("{} · prep eval", names.join(", ")),
        about: about(report),
        headline: headline(report),
        lead: lead(report),
    };
    let data = json!({"examples": []});
    shell(&masthead, &sections, &foot(report), &data).into_string()
}

fn section(id: &'static str, name: &'static str, heading: &str, body: Html) -> Section {
    Section {
        id,
        name,
        heading: markup!("{}", heading),
        body,
    }
}

fn about(report: &Report<'_>) -> Html {
    let mut files = report.files.iter();
    let played = match files.any(|file| file.system.is_rehearsed()) {
        true => format!("; {PLAYED}"),
        false => String::new(),
    };
    match (&report.files[..], report.is_comparison()) {
        ([base, tuned], true) => markup!(
            "{} compared with {}{}",
            data(tuned.system.name),
            data(base.system.name),
            played
        ),
        (files, _) => {
            let names = files.iter().map(|file| file.system.name);
            markup!(
                "Predictions in {}{}",
                data(&names.collect::<Vec<_>>().join(", ")),
                played
            )
        }
    }
}

/// The verdict in one sentence.
fn headline(report: &Report<'_>) -> String {
    let missed: Vec<_> = report.gates.iter().filter(|gate| !gate.is_met).collect();
    if let [gate, ..] = &missed[..] {
        return match missed.len() {
            1 => format!("{} misses what it was to reach.", gate.score.name),
            n => format!("{n} scores miss what they were to reach."),
        };
    }
    if report.is_comparison() {
        return verdict(report);
    }
    match &report.files[..] {
        [file] => {
            let n = ui::of(file.system.predictions.len() as u64, "segment");
            let first = file.measured.first();
            first.map_or_else(String::new, |measured| {
                let score = &measured.score;
                let value = shown(score.value, measured.digits(DIGITS));
                format!("{} is {value} on {n}.", score.name)
            })
        }
        files => format!("{} were scored.", ui::of(files.len() as u64, "file")),
    }
}

fn verdict(report: &Report<'_>) -> String {
    let named = |wanted: Verdict| {
        let verdicts = report.verdicts().zip(&report.comparisons);
        let names = verdicts.filter(|(verdict, _)| *verdict == wanted);
        names
            .map(|(_, comparison)| &*comparison.name)
            .collect::<Vec<_>>()
    };
    let (better, worse) = (named(Verdict::Better), named(Verdict::Worse));
    let all = report.comparisons.len();
    let rest = match all - better.len() - worse.len() {
        0 => String::new(),
        _ => "; what else was measured could be chance".to_owned(),
    };
    match (better.len(), worse.len()) {
        (0, 0) if named(Verdict::Equal).len() == all => "The two models score the same.".to_owned(),
        (0, 0) if !named(Verdict::TooFew).is_empty() => {
            format!("Fewer than {ENOUGH} segments are too few to tell the two models apart.")
        }
        (0, 0) => "No metric tells the two models apart: it could be chance.".to_owned(),
        (n, 0) if n == all => "The tuned model is better, by every metric.".to_owned(),
        (0, n) if n == all => "The tuned model is worse, by every metric.".to_owned(),
        (_, 0) => format!("The tuned model is better by {}{rest}.", better.join(", ")),
        (0, _) => format!("The tuned model is worse by {}{rest}.", worse.join(", ")),
        _ => format!(
            "The tuned model is better by {} and worse by {}{rest}.",
            better.join(", "),
            worse.join(", ")
        ),
    }
}

fn lead(report: &Report<'_>) -> Html {
    let Some(main) = report.main() else {
        return Html::new();
    };
    let mut tiles = vec![(
        "segments".to_owned(),
        ui::count(main.system.predictions.len() as u64),
    )];
    for (n, measured) in main.measured.iter().enumerate() {
        let digits = measured.digits(DIGITS);
        let score = shown(measured.score.value, digits);
        tiles.push(match report.comparisons.get(n) {
            Some(comparison) => {
                let difference = shown_difference(comparison.difference, digits);
                (
                    format!("{}, {difference} to the base", comparison.name),
                    score,
                )
            }
            None => (measured.score.name.clone(), score),
        });
    }
    let silent = main.silent().count() as u64;
    if silent > 0 {
        tiles.push(("without a prediction".into(), ui::count(silent)));
    }
    let tiles: Html = tiles
        .into_iter()
        .map(|(name, number)| markup!("<div><dt>{}</dt><dd>{}</dd></div>\n", name, number))
        .collect();
    markup!("<dl class=\"tiles\">\n{}</dl>\n", tiles)
}

fn number(value: f64, digits: usize) -> Html {
    markup!("{}", shown(value, digits))
}

fn scores(report: &Report<'_>) -> Html {
    let notes = report.remote_notes().into_iter();
    let notes: Html = notes
        .map(|note| markup!("<p class=\"quiet\">{}.</p>\n", note))
        .collect();
    let tables = match report.is_comparison() {
        true => comparison(report),
        false => alone(report),
    };
    markup!("{}{}", tables, notes)
}

fn alone(report: &Report<'_>) -> Html {
    let each = report.files.iter().map(|file| {
        let rows = file.measured.iter().map(|measured| {
            let digits = measured.digits(DIGITS);
            let interval = measured.interval.as_ref();
            vec![
                markup!("{}", measured.score.name),
                number(measured.score.value, digits),
                interval.map_or_else(Html::new, |(resampled, _)| within(*resampled, digits)),
            ]
        });
        let columns = [
            ("Metric", Column::Words),
            ("Score", Column::Numbers),
            ("95 % interval", Column::Numbers),
        ];
        let caption = format!("Scores of {}", file.system.name);
        let signatures = file.measured.iter().map(|measured| {
            let plain = &measured.score.signature;
            let signature = measured
                .interval
                .as_ref()
                .map_or(plain, |(_, signature)| signature);
            format!("{}|{signature}", measured.score.name)
        });
        markup!(
            "{}{}",
            table(&caption, &columns, rows.collect()),
            told_signatures(signatures)
        )
    });
    each.collect()
}

/// A mean with its margin.
fn within(resampled: Resampled, digits: usize) -> Html {
    let Resampled { mean, margin } = resampled;
    markup!("{}", format!("{mean:.digits$} ± {margin:.digits$}"))
}

/// The signatures, for whoever wants to repeat it.
fn told_signatures(signatures: impl Iterator<Item = String>) -> Html {
    let lines: Html = signatures
        .map(|signature| markup!("<p><code>{}</code></p>\n", signature))
        .collect();
    details("Signatures", &lines)
}

fn comparison(report: &Report<'_>) -> Html {
    let row = |((measured, comparison), verdict): ((&Measured, &Comparison), Verdict)| {
        let digits = measured.digits(DIGITS);
        let number = |value| number(value, digits);
        let interval = |resampled: Option<Resampled>| {
            resampled.map_or_else(Html::new, |found| within(found, digits))
        };
        let ci = comparison.ci;
        vec![
            markup!("{}", comparison.name),
            number(comparison.base.score),
            interval(comparison.base.resampled),
            number(comparison.tuned.score),
            interval(comparison.tuned.resampled),
            markup!("{}", shown_difference(comparison.difference, digits)),
            ci.map_or_else(Html::new, |(low, high)| {
                markup!("{}", format!("{low:+.digits$} to {high:+.digits$}"))
            }),
            markup!("{}", format!("{:.4}", comparison.p_value)),
            markup!("{}", verdict.as_str()),
        ]
    };
    let measured = report.files.iter().take(1).flat_map(|file| &file.measured);
    let rows = measured.zip(&report.comparisons).zip(report.verdicts());
    let rows = rows.map(row);
    let columns = [
        ("Metric", Column::Words),
        ("Base", Column::Numbers),
        ("95 % interval", Column::Numbers),
        ("Tuned", Column::Numbers),
        ("95 % interval", Column::Numbers),
        ("Difference", Column::Numbers),
        ("95 % interval", Column::Numbers),
        ("p", Column::Numbers),
        ("Tuned is", Column::Words),
    ];
    let test = match report.args.resampling.test {
        Test::Bootstrap => "paired bootstrap resampling",
        Test::Randomization => "paired approximate randomization",
    };
    let note = format!(
        "By {test}. Better or worse is what has p < {SIGNIFICANT}, an interval of the difference without 0, and {ENOUGH} segments or more."
    );
    let signatures = report.comparisons.iter();
    let signatures =
        signatures.map(|comparison| format!("{}|{}", comparison.name, comparison.signature));
    markup!(
        "{}<p class=\"quiet\">{}</p>\n{}",
        table("Base and tuned", &columns, rows.collect()),
        note,
        told_signatures(signatures)
    )
}

fn outcomes(report: &Report<'_>) -> Html {
    let each = report.files.iter().map(|file| {
        let n = file.system.predictions.len() as u64;
        let outcomes = file.outcomes();
        let rows = outcomes
            .into_iter()
            .map(|(reason, count)| vec![data(reason), markup!("{}", count), bar(count, n)]);
        let rows: Vec<_> = rows.collect();
        let table = match rows.is_empty() {
            true => markup!(
                "<p>{} does not say how answers ended.</p>\n",
                data(file.system.name)
            ),
            false => {
                let columns = [
                    ("Finish reason", Column::Words),
                    ("Predictions", Column::Numbers),
                    ("Share", Column::Words),
                ];
                let caption = format!("Finish reasons in {}", file.system.name);
                self::table(&caption, &columns, rows)
            }
        };
        let lines: Vec<_> = file
            .silent()
            .take(LINES)
            .map(|(n, _)| n.to_string())
            .collect();
        let silent = match file.silent().count() {
            0 => Html::new(),
            n => markup!(
                "<p>{} without a prediction, scored as empty: line {}{}.</p>\n",
                ui::of(n as u64, "segment"),
                lines.join(", "),
                if n > LINES { ", …" } else { "" }
            ),
        };
        markup!("{}{}", table, silent)
    });
    each.collect()
}

fn rates(report: &Report<'_>) -> Html {
    let (base, shown): (Option<&Scored<'_>>, &[Scored<'_>]) =
        match (&report.files[..], report.is_comparison()) {
            ([base, tuned], true) => (Some(base), std::slice::from_ref(tuned)),
            (files, _) => (None, files),
        };
    let each = shown
        .iter()
        .filter(|file| !file.rates.is_empty())
        .map(|file| {
            let mut columns = vec![("Rule", Column::Words)];
            columns.extend(base.map(|_| ("Base", Column::Numbers)));
            let name = if base.is_some() { "Tuned" } else { "Pass" };
            columns.extend([(name, Column::Numbers), ("Does not pass", Column::Words)]);
            let share = |rate: &Rate| {
                markup!(
                    "{} of {} ({} %)",
                    rate.passed(),
                    rate.n,
                    format!("{:.1}", rate.percent())
                )
            };
            let rows = file.rates.iter().enumerate().map(|(n, rate)| {
                let code = rate.rule.rule().code;
                let mut row = vec![markup!("{} {}", code.code, code.name)];
                row.extend(base.map(|base| share(&base.rates[n])));
                row.push(share(rate));
                let failed = rate.failed.iter().take(LINES);
                let failed = failed.map(|(line, message)| format!("line {line}: {message}"));
                let more = if rate.failed.len() > LINES {
                    "; …"
                } else {
                    ""
                };
                row.push(data(&format!(
                    "{}{more}",
                    failed.collect::<Vec<_>>().join("; ")
                )));
                row
            });
            table(
                &format!("Rules of pairs on {}", file.system.name),
                &columns,
                rows.collect(),
            )
        });
    each.collect()
}

fn judged(report: &Report<'_>) -> Html {
    let Some(judged) = &report.judged else {
        return Html::new();
    };
    let mut rows = judged.rows().into_iter();
    let header = rows.next().unwrap_or_default();
    let columns = header.iter().enumerate().map(|(n, name)| match n {
        0 => ("Dimension", Column::Words),
        _ => (&**name, Column::Numbers),
    });
    let columns: Vec<_> = columns.collect();
    let rows = rows.map(|row| row.iter().map(|cell| data(cell)).collect());
    let notes: Html = judged
        .notes()
        .into_iter()
        .map(|note| markup!("<p class=\"quiet\">{}.</p>\n", note))
        .collect();
    let caption = judged.heading();
    markup!("{}{}", table(&caption, &columns, rows.collect()), notes)
}

fn slices(report: &Report<'_>) -> Html {
    let (base, shown): (Option<&Scored<'_>>, &[Scored<'_>]) =
        match (&report.files[..], report.is_comparison()) {
            ([base, tuned], true) => (Some(base), std::slice::from_ref(tuned)),
            (files, _) => (None, files),
        };
    let groups = shown.iter().flat_map(|file| {
        let groups = file.slices.chunk_by(|one, other| one.by == other.by);
        groups.map(move |slices| (file, slices))
    });
    groups
        .map(|(file, slices)| slice_table(file, base, slices))
        .collect()
}

fn slice_table(file: &Scored<'_>, base: Option<&Scored<'_>>, slices: &[Slice]) -> Html {
    let by = slices.first().map_or("", |slice| &slice.by);
    let mut columns = vec![(by, Column::Words), ("Segments", Column::Numbers)];
    let names = file.measured.iter().map(|measured| &*measured.score.name);
    columns.extend(names.map(|name| (name, Column::Numbers)));
    let rows = slices.iter().take(SLICES).map(|slice| {
        let mut row = vec![data(&slice.value), markup!("{}", slice.segments.len())];
        for (n, measured) in file.measured.iter().enumerate() {
            let score = |measured: &Measured| {
                measured
                    .segments
                    .score_of(slice.segments.iter().copied())
                    .value
            };
            let digits = measured.digits(DIGITS);
            let value = score(measured);
            row.push(match base {
                Some(base) => {
                    let difference = value - score(&base.measured[n]);
                    let difference = shown_difference(difference, digits);
                    markup!("{} ({})", shown(value, digits), difference)
                }
                None => number(value, digits),
            });
        }
        row
    });
    let behind = match base {
        Some(_) => ", behind each score the difference to the base",
        None => "",
    };
    let caption = format!("{} by {by}{behind}", file.system.name);
    let more = match slices.len().checked_sub(SLICES) {
        None | Some(0) => Html::new(),
        Some(more) => markup!("<p class=\"quiet\">And {} more.</p>\n", more),
    };
    markup!("{}{}", table(&caption, &columns, rows.collect()), more)
}

fn views(report: &Report<'_>) -> Html {
    let each = report
        .page_views
        .iter()
        .filter(|view| !view.shown.is_empty());
    let each = each.map(|view| {
        let what = match &view.files[..] {
            [_, _] => "What became worse, then what became better".to_owned(),
            files => format!("The lowest of {}", files.join(", ")),
        };
        let marks = match view.files.len() {
            2 => "What only one of the two says is marked.",
            _ => "What only reference or prediction says is marked.",
        };
        let segments: Html = view
            .shown
            .iter()
            .map(|shown| segment(view, shown))
            .collect();
        markup!(
            "<h3>{}</h3>\n<p class=\"quiet\">By {} of each segment. {}</p>\n{}",
            what,
            view.ranking.name,
            marks,
            segments
        )
    });
    each.collect()
}

fn segment(view: &View<'_>, shown: &Shown<'_>) -> Html {
    let said = |who: &str, text: Html| {
        markup!(
            "<div class=\"said\"><span class=\"who\">{}</span>\n{}</div>\n",
            who,
            text
        )
    };
    let mut above = Html::new();
    if let Some(input) = shown.input.map(last_text).filter(|input| !input.is_empty()) {
        above.push(&said("Input", data_block_of(&input)));
    }
    let texts: Vec<String> = shown
        .sides
        .iter()
        .map(
            |(prediction, _)| match (&prediction.text, prediction.finish_reason()) {
                (Some(text), _) => text.clone().into_owned(),
                (None, Some(reason)) => format!("(none: {reason})"),
                (None, None) => "(none)".to_owned(),
            },
        )
        .collect();
    let digits = DIGITS + view.more_digits;
    let scores: Vec<_> = shown
        .sides
        .iter()
        .map(|(_, score)| format!("{score:.digits$}"))
        .collect();
    let [left, right] = match &texts[..] {
        [base, tuned] => {
            above.push(&said("Reference", data_block_of(shown.reference)));
            let (base, tuned) = marked(base, tuned);
            [("Base", base), ("Tuned", tuned)]
        }
        texts => {
            let text = texts.first().map_or("", String::as_str);
            let (reference, text) = marked(shown.reference, text);
            [("Reference", reference), ("Prediction", text)]
        }
    };
    markup!(
        "<div class=\"twins\">\n<h4>Line {}: {} {}</h4>\n{}<div class=\"sides\">\n<div>\n{}</div>\n<div>\n{}</div>\n</div>\n</div>\n",
        shown.line,
        view.ranking.name,
        scores.join(" → "),
        above,
        said(left.0, left.1),
        said(right.0, right.1)
    )
}

fn foot(report: &Report<'_>) -> Html {
    let gates = report.gates.iter().map(|gate| {
        let met = if gate.is_met { "is met" } else { "is missed" };
        let name = gate.metric.as_str();
        markup!(
            "<p>{}={} {} by {}: {}</p>\n",
            name,
            gate.threshold.to_string(),
            met,
            data(&gate.file),
            number(gate.score.value, 4)
        )
    });
    let gates: Html = gates.collect();
    markup!(
        "{}<p>Made by prep {}. Scores carry their signatures; resamples begin at seed {}.</p>\n",
        gates,
        env!("CARGO_PKG_VERSION"),
        report.args.resampling.seed
    )
}
