//! For people: scores as sacreBLEU prints them, then tables, then segments.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use prep_eval::Score;
use prep_eval::compare::{Estimate, Resampled};
use unicode_width::UnicodeWidthStr;

use super::read::last_text;
use super::rules::Rate;
use super::{
    ENOUGH, Gate, Measured, PLAYED, Report, SIGNIFICANT, Scored, Shown, Slice, Verdict, View,
    shown, shown_difference,
};
use crate::args::Test;
use crate::ui;

const RED: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();

/// How many slices of a kind, and how many lines without a prediction, are
/// told one by one.
const SLICES: usize = 20;
const LINES: usize = 5;

/// How much of a segment is shown, in characters.
const LENGTH: usize = 400;

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let digits = report.args.width;
    for (n, file) in report.files.iter().enumerate() {
        let role = match (n, report.comparisons.is_empty()) {
            (_, true) => "",
            (0, false) => " (base)",
            (_, false) => " (tuned)",
        };
        account(file, role, out)?;
        if report.comparisons.is_empty() {
            for measured in &file.measured {
                writeln!(out, "{}", line_of(measured, measured.digits(digits)))?;
            }
            slices(file, None, digits, out)?;
            rates(file, None, out)?;
        }
    }
    if let ([base, tuned], false) = (&report.files[..], report.comparisons.is_empty()) {
        comparison(report, out)?;
        slices(tuned, Some(base), digits, out)?;
        rates(tuned, Some(base), out)?;
    }
    for note in report.remote_notes() {
        writeln!(out, "{}", ui::visible(&note))?;
    }
    if let Some(judged) = &report.judged {
        writeln!(out, "\n{}", ui::visible(&judged.heading()))?;
        let rows = judged.rows().into_iter();
        let rows: Vec<Vec<_>> = rows
            .map(|row| row.iter().map(|cell| shortened(cell, 40)).collect())
            .collect();
        table(&rows, out)?;
        for note in judged.notes() {
            writeln!(out, "  {}", ui::visible(&note))?;
        }
    }
    for view in &report.views {
        segments(view, digits, out)?;
    }
    for gate in &report.gates {
        judged(gate, out)?;
    }
    Ok(())
}

/// How many segments there are, how they ended, and what becomes of those
/// without a prediction.
fn account(file: &Scored<'_>, role: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = ui::visible(file.system.name);
    let n = file.system.predictions.len() as u64;
    let mut account = format!("{BOLD}{name}{BOLD:#}{role}: {}", ui::of(n, "segment"));
    for (n, (reason, count)) in file.outcomes().into_iter().enumerate() {
        account += if n == 0 { ": " } else { ", " };
        account += &format!("{} {}", ui::visible(reason), ui::count(count));
    }
    if file.system.is_rehearsed() {
        account += "; ";
        account += PLAYED;
    }
    writeln!(out, "{account}")?;
    let n_silent = file.silent().count();
    if n_silent == 0 {
        return Ok(());
    }
    let lines = file.silent().take(LINES).map(|(n, reason)| match reason {
        Some(reason) => format!("{n} ({})", ui::visible(reason)),
        None => n.to_string(),
    });
    let lines = lines.collect::<Vec<_>>().join(", ");
    let more = if n_silent > LINES { ", …" } else { "" };
    let (counts, plural) = if n_silent == 1 {
        ("counts as an empty hypothesis", "")
    } else {
        ("count as empty hypotheses", "s")
    };
    writeln!(
        out,
        "  {} without a prediction {counts}: line{plural} {lines}{more}",
        ui::of(n_silent as u64, "segment"),
    )
}

/// A score as sacreBLEU prints it, with `μ` and `±` where it has them.
fn line_of(measured: &Measured, digits: usize) -> String {
    let score = &measured.score;
    let line = format!("{score:.digits$}");
    let Some(resampled) = measured.resampled else {
        return line;
    };
    let number = format!("{} = {:.digits$}", head(score), score.value);
    let details = line.strip_prefix(&number).unwrap_or_default();
    let Resampled { mean, margin } = resampled;
    format!("{number} (μ = {mean:.digits$} ± {margin:.digits$}){details}")
}

/// The metric with its signature.
fn head(score: &Score) -> String {
    format!("{}|{}", score.name, score.signature)
}

fn comparison(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let test = match report.args.resampling.test {
        Test::Bootstrap => "paired bootstrap resampling",
        Test::Randomization => "paired approximate randomization",
    };
    writeln!(
        out,
        "\n{test}: score (mean ± margin) and difference [interval], both at 95 %;\n\
         better or worse is what has p < {SIGNIFICANT} and an interval without 0{}",
        match report.verdicts().any(|verdict| verdict == Verdict::TooFew) {
            true => format!(", of {ENOUGH} segments or more"),
            false => String::new(),
        }
    )?;
    let header = ["", "base", "tuned", "difference", "", "p", ""];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let measured = report.files.iter().take(1).flat_map(|file| &file.measured);
    let comparisons = measured.zip(&report.comparisons);
    for (verdict, (measured, comparison)) in report.verdicts().zip(comparisons) {
        let digits = measured.digits(report.args.width);
        let estimate = |estimate: Estimate| match estimate.resampled {
            Some(resampled) => {
                let Resampled { mean, margin } = resampled;
                let score = estimate.score;
                format!("{score:.digits$} ({mean:.digits$} ± {margin:.digits$})")
            }
            None => format!("{:.digits$}", estimate.score),
        };
        let ci = comparison.ci;
        rows.push(vec![
            comparison.name.clone(),
            estimate(comparison.base),
            estimate(comparison.tuned),
            format!("{:+.digits$}", comparison.difference),
            ci.map_or_else(String::new, |(low, high)| {
                format!("[{low:+.digits$}, {high:+.digits$}]")
            }),
            format!("{:.4}", comparison.p_value),
            verdict.as_str().to_owned(),
        ]);
    }
    table(&rows, out)?;
    for comparison in &report.comparisons {
        writeln!(out, "{}|{}", comparison.name, comparison.signature)?;
    }
    Ok(())
}

/// Tables of slices, one for each `--by`, with the difference to the base
/// behind each score.
fn slices(
    file: &Scored<'_>,
    base: Option<&Scored<'_>>,
    digits: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let groups = file.slices.chunk_by(|a, b| a.by == b.by);
    for slices in groups {
        let Some(first) = slices.first() else {
            continue;
        };
        let behind = match base {
            Some(_) => ", behind each score the difference to base",
            None => "",
        };
        let by = ui::visible(&first.by);
        writeln!(out, "\nby {by}{behind}; signatures as above")?;
        let names = file
            .measured
            .iter()
            .map(|measured| measured.score.name.clone());
        let head = [String::new(), "segments".to_owned()];
        let mut rows = vec![head.into_iter().chain(names).collect()];
        let shown = slices.iter().take(SLICES);
        rows.extend(shown.map(|slice| slice_row(slice, file, base, digits)));
        table(&rows, out)?;
        if let Some(more) = slices.len().checked_sub(SLICES + 1) {
            writeln!(
                out,
                "and {} more; `--format json` has them all",
                ui::count(more as u64 + 1)
            )?;
        }
    }
    Ok(())
}

fn slice_row(
    slice: &Slice,
    file: &Scored<'_>,
    base: Option<&Scored<'_>>,
    digits: usize,
) -> Vec<String> {
    let n = ui::count(slice.segments.len() as u64);
    let mut row = vec![shortened(&slice.value, 40), n];
    for (at, measured) in file.measured.iter().enumerate() {
        let score = |measured: &Measured| {
            let segments = slice.segments.iter().copied();
            measured.segments.score_of(segments).value
        };
        let digits = measured.digits(digits);
        let value = score(measured);
        let mut cell = shown(value, digits);
        if let Some(base) = base {
            let difference = value - score(&base.measured[at]);
            cell += &format!(" ({})", shown_difference(difference, digits));
        }
        row.push(cell);
    }
    row
}

/// A table of how many predictions pass the rules of pairs, with the difference
/// to the base behind, and the first that does not pass.
fn rates(file: &Scored<'_>, base: Option<&Scored<'_>>, out: &mut dyn Write) -> io::Result<()> {
    if file.rates.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nrules of pairs: how many predictions pass, and the first that does not"
    )?;
    let share = |rate: &Rate| {
        let [passed, n] = [rate.passed(), rate.n].map(|n| ui::count(n as u64));
        format!("{passed} of {n} ({:.1} %)", rate.percent())
    };
    let mut rows = vec![match base {
        Some(_) => ["", "base", "tuned", ""].map(str::to_owned).to_vec(),
        None => ["", "passed", ""].map(str::to_owned).to_vec(),
    }];
    for (at, rate) in file.rates.iter().enumerate() {
        let code = rate.rule.rule().code;
        let mut row = vec![format!("{} {}", code.code, code.name)];
        row.extend(base.map(|base| share(&base.rates[at])));
        row.push(share(rate));
        row.push(match rate.failed.first() {
            Some((line, message)) => format!("line {line}: {}", shortened(message, 80)),
            None => String::new(),
        });
        rows.push(row);
    }
    table(&rows, out)
}

/// Writes a table: the first column to the left, the others to the right but
/// for a last one that has no header.
fn table(rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[column] - cell.width());
            let is_word = column == 0 || (column + 1 == n_columns && rows[0][column].is_empty());
            if column > 0 {
                line += "  ";
            }
            line += &if is_word {
                format!("{cell}{gap}")
            } else {
                format!("{gap}{cell}")
            };
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn segments(view: &View<'_>, digits: usize, out: &mut dyn Write) -> io::Result<()> {
    let what = match view.files[..] {
        [_, _] => "worse than before, then better".to_owned(),
        [file, ..] => format!("the lowest of {}", ui::visible(file)),
        [] => return Ok(()),
    };
    writeln!(out, "\n{what}, by {} of each segment", head(&view.ranking))?;
    for shown in &view.shown {
        segment(view, shown, digits, out)?;
    }
    Ok(())
}

fn segment(
    view: &View<'_>,
    shown: &Shown<'_>,
    digits: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let digits = digits + view.more_digits;
    let scores = shown.sides.iter();
    let scores: Vec<_> = scores
        .map(|(_, score)| format!("{score:.digits$}"))
        .collect();
    writeln!(
        out,
        "{BOLD}line {}{BOLD:#}: {} {}",
        shown.line,
        view.ranking.name,
        scores.join(" → ")
    )?;
    let mut texts = Vec::with_capacity(4);
    if let Some(input) = shown.input.map(last_text).filter(|input| !input.is_empty()) {
        texts.push(("input", input));
    }
    texts.push(("reference", shown.reference.to_owned()));
    let labels: &[&str] = match shown.sides.len() {
        2 => &["base", "tuned"],
        _ => &["prediction"],
    };
    for (label, (prediction, _)) in labels.iter().zip(&shown.sides) {
        let text = match (&prediction.text, prediction.finish_reason()) {
            (Some(text), _) => text.clone().into_owned(),
            (None, Some(reason)) => format!("(none: {reason})"),
            (None, None) => "(none)".to_owned(),
        };
        texts.push((label, text));
    }
    for (label, text) in texts {
        writeln!(out, "  {label:10}  {}", shortened(&text, LENGTH))?;
    }
    Ok(())
}

/// A text on one line, its end cut off if it is long, and nothing in it that
/// steers the terminal.
fn shortened(text: &str, limit: usize) -> String {
    let one_line = text.replace('\n', "⏎").replace('\t', "⇥");
    match one_line.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", ui::visible(&one_line[..end])),
        None => ui::visible(&one_line).into_owned(),
    }
}

fn judged(gate: &Gate, out: &mut dyn Write) -> io::Result<()> {
    if gate.is_met {
        return Ok(());
    }
    let side = if gate.score.value < gate.threshold {
        "under"
    } else {
        "over"
    };
    writeln!(
        out,
        "{RED}error{RED:#}: {}: {} is {:.4}, {side} {} (`--fail-under {}={}`)",
        ui::visible(&gate.file),
        gate.score.name,
        gate.score.value,
        gate.threshold,
        gate.metric.as_str(),
        gate.threshold
    )
}
