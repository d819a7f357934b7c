//! `prep jobs metrics`: the curves of a job.

use std::io::{self, IsTerminal, Write};

use prep_submit::tuning::metrics::{self, EVAL_LOSS};
use prep_submit::tuning::{Metrics, Series};

use super::Wanted;
use crate::Answer;
use crate::args::{MetricsArgs, MetricsFormat};
use crate::cloud::{Services, failed};
use crate::failure::Failure;
use crate::ui::{self, Align, Table};

/// How many columns a curve takes.
const WIDTH: usize = 32;

/// Runs the command.
pub(super) fn run(args: &MetricsArgs, services: &Services<'_>) -> Result<Answer, Failure> {
    let wanted = Wanted::find(args.job.id(), services)?;
    let job = wanted.get()?;
    let metrics = match job.experiment() {
        Some(experiment) => {
            let call = metrics::read(&wanted.cloud.client, experiment);
            let id = &wanted.name.id;
            let read = wanted.cloud.wait(call);
            read.map_err(|error| failed(format!("cannot read the metrics of `{id}`"), error))?
        }
        None => Metrics::default(),
    };
    let mut out = anstream::stdout();
    match args.format {
        MetricsFormat::Json => writeln!(out, "{:#}", metrics.json(&job.name().to_string()))?,
        MetricsFormat::Csv => write!(out, "{}", metrics.csv())?,
        MetricsFormat::Text if metrics.is_empty() => {
            ui::say(&format!(
                "there are no metrics yet; the job is {}",
                job.state().in_words()
            ));
        }
        MetricsFormat::Text => {
            print(&metrics, &mut out)?;
            if metrics.get(EVAL_LOSS).is_none() {
                ui::say(
                    "there are no curves of validation: the job has no validation dataset, or has not come to it",
                );
            }
        }
    }
    Ok(Answer::Yes)
}

fn print(metrics: &Metrics, out: &mut dyn Write) -> io::Result<()> {
    let is_terminal = io::stdout().is_terminal();
    let mut heads = vec![
        ("SERIES", Align::Left),
        ("POINTS", Align::Right),
        ("FIRST", Align::Right),
        ("LAST", Align::Right),
        ("LOWEST", Align::Right),
        ("AT STEP", Align::Right),
    ];
    if is_terminal {
        heads.push(("", Align::Left));
    }
    let mut table = Table::new(heads);
    for series in &metrics.series {
        let (Some(first), Some(last)) = (series.points.first(), series.last()) else {
            continue;
        };
        let lowest = series.lowest();
        let mut row = vec![
            series.name.clone(),
            ui::count(series.points.len() as u64),
            value(first.value),
            value(last.value),
            lowest.map_or_else(|| "-".into(), |point| value(point.value)),
            lowest.map_or_else(|| "-".into(), |point| point.step.to_string()),
        ];
        if is_terminal {
            row.push(curve(series));
        }
        table.row(row);
    }
    table.write(out)
}

/// A value with the digits that matter.
pub(super) fn value(value: f64) -> String {
    if value.abs() >= 1000.0 && value.fract() == 0.0 && value.abs() < 1e15 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", ui::count(value.abs() as u64));
    }
    let text = format!("{value:.4}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A curve in a line.
pub(super) fn curve(series: &Series) -> String {
    let values: Vec<_> = series.points.iter().map(|point| point.value).collect();
    ui::sparkline(&values, WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_digits_that_matter() {
        assert_eq!(
            [0.0, 1.0, 0.123_456, 1234.0, -20_500.0, f64::NAN, 0.5].map(value),
            ["0", "1", "0.1235", "1,234", "-20,500", "NaN", "0.5"]
        );
    }
}
