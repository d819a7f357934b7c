//! Charts as SVG, each with its numbers in words or in a table.
//!
//! Widths are percentages and heights are pixels, so that a chart fills
//! whatever room there is and its letters keep their size.

use std::fmt::Write as _;

use super::table::{Column, table};
use super::{Html, details, markup};
use crate::ui;

/// A line across a chart, at a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark<'m> {
    /// Where it is.
    pub(crate) value: u64,
    /// What stands beside it.
    pub(crate) label: &'m str,
    /// It is not to be passed: drawn through, and named where it is far off.
    pub(crate) is_limit: bool,
}

/// A histogram with bars of one width.
#[derive(Debug)]
pub(crate) struct Histogram<'h> {
    /// A name for the page, without spaces.
    pub(crate) id: &'h str,
    /// What it is of: its heading.
    pub(crate) title: &'h str,
    /// One sentence that says what is to be seen.
    pub(crate) caption: Html,
    /// What is counted on the way across: `tokens`.
    pub(crate) unit: &'h str,
    /// The values of the first bar are 0 to one less than this.
    pub(crate) width: u64,
    /// The series, each of which is drawn by itself.
    pub(crate) series: Vec<Series<'h>>,
}

/// What is drawn in a histogram.
#[derive(Debug)]
pub(crate) struct Series<'h> {
    pub(crate) name: &'h str,
    /// The height of each bar.
    pub(crate) counts: &'h [u64],
    /// How many are beyond the last.
    pub(crate) above: u64,
    /// Lines across.
    pub(crate) marks: Vec<Mark<'h>>,
}

/// Where the bars of a histogram stand, in pixels from above.
const TOP: f64 = 40.0;
const BOTTOM: f64 = 190.0;
const HEIGHT: u32 = 216;

impl Histogram<'_> {
    /// Draws it.
    pub(crate) fn to_html(&self) -> Html {
        let charts: Html = self
            .series
            .iter()
            .map(|series| self.chart(series))
            .collect();
        let (id, title, caption) = (self.id, self.title, &self.caption);
        markup!(
            "<figure class=\"chart\" aria-labelledby=\"{0}-title\">\n<h3 id=\"{0}-title\">{1}</h3>\n{2}\
             <figcaption>{3}</figcaption>\n{4}</figure>\n",
            id,
            title,
            charts,
            caption,
            details("The numbers", &self.numbers())
        )
    }

    fn chart(&self, series: &Series<'_>) -> Html {
        let Series {
            name,
            counts,
            above,
            marks,
        } = series;
        let (counts, above) = (*counts, *above);
        let n_bars = counts.len() + usize::from(above > 0);
        let most = counts
            .iter()
            .copied()
            .chain([above])
            .max()
            .unwrap_or(0)
            .max(1);
        let step = 100.0 / n_bars.max(1) as f64;
        let height = |n: u64| (n as f64 / most as f64 * (BOTTOM - TOP)).max(f64::from(n > 0));
        let mut svg = String::new();
        let mut bar = |n: usize, count: u64, class: &str| {
            let height = height(count);
            let y = BOTTOM - height;
            let x = n as f64 * step + step * 0.06;
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x:.2}%\" y=\"{y:.1}\" width=\"{:.2}%\" height=\"{height:.1}\"><title>{}: {}</title></rect>",
                step * 0.88,
                self.range(n),
                ui::of(count, "example"),
            );
        };
        for (n, count) in counts.iter().enumerate() {
            bar(n, *count, "column");
        }
        if above > 0 {
            bar(counts.len(), above, "column rest");
        }
        let reach = counts.len() as u64 * self.width;
        let at = |value: u64| value as f64 / self.width as f64 * step;
        let mut labels = String::new();
        let (mut row, mut last_end) = (0, 0.0);
        for mark in marks {
            let is_far = mark.value >= reach;
            if is_far && !mark.is_limit {
                continue;
            }
            let x = if is_far { 100.0 } else { at(mark.value) };
            row = if x - last_end < 22.0 {
                (row + 1) % 2
            } else {
                0
            };
            last_end = x;
            let y = 12 + 16 * row;
            let class = if mark.is_limit { "mark limit" } else { "mark" };
            let (anchor, nudge) = if x > 60.0 { ("end", -5) } else { ("start", 5) };
            let arrow = if is_far { " →" } else { "" };
            let _ = writeln!(
                labels,
                "<line class=\"{class}\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"{}\" y2=\"{BOTTOM}\"/>\
                 <text class=\"label\" x=\"{x:.2}%\" dx=\"{nudge}\" y=\"{y}\" text-anchor=\"{anchor}\">{} {}{arrow}</text>",
                y - 9,
                markup!("{}", mark.label),
                ui::count(mark.value),
            );
        }
        let axis = axis(n_bars as u64 * self.width, reach, above > 0);
        let description = self.description(counts, above);
        let is_one = self.series.len() == 1;
        let title = match is_one {
            true => self.title.to_owned(),
            false => format!("{}: {name}", self.title),
        };
        let heading = match is_one {
            true => Html::new(),
            false => markup!("<h4>{}</h4>\n", *name),
        };
        markup!(
            "{}<svg role=\"img\" width=\"100%\" height=\"{}\" aria-label=\"{}. {}\">\n\
             <title>{}</title><desc>{}</desc>\n{}<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/>\n{}{}</svg>\n",
            heading,
            Html::made(HEIGHT.to_string()),
            title,
            description,
            title,
            description,
            Html::made(svg),
            Html::made(BOTTOM.to_string()),
            Html::made(BOTTOM.to_string()),
            Html::made(labels),
            Html::made(axis),
        )
    }

    /// The highest bar, in words.
    fn description(&self, counts: &[u64], above: u64) -> String {
        let highest = counts
            .iter()
            .enumerate()
            .max_by_key(|(n, count)| (**count, usize::MAX - n));
        let mut text = match highest {
            Some((n, count)) => format!(
                "Most examples, {}, have {} {}.",
                ui::count(*count),
                self.range(n),
                self.unit
            ),
            None => "There are no examples.".into(),
        };
        if above > 0 {
            let more = ui::count(counts.len() as u64 * self.width);
            let _ = write!(text, " {} have {more} or more.", ui::count(above));
        }
        text
    }

    /// The values of a bar.
    fn range(&self, bar: usize) -> String {
        let start = bar as u64 * self.width;
        let n_bars = self.series.iter().map(|series| series.counts.len()).max();
        if Some(bar) >= n_bars {
            return format!("{} or more", ui::count(start));
        }
        match self.width {
            1 => ui::count(start),
            width => format!("{} to {}", ui::count(start), ui::count(start + width - 1)),
        }
    }

    fn numbers(&self) -> Html {
        let n_bars = |series: &Series<'_>| series.counts.len() + usize::from(series.above > 0);
        let n_bars = self.series.iter().map(n_bars).max().unwrap_or(0);
        let rows = (0..n_bars).map(|n| {
            let mut row = vec![markup!("{}", self.range(n))];
            for series in &self.series {
                let count = series.counts.get(n).copied().unwrap_or(series.above);
                row.push(markup!("{}", count));
            }
            row
        });
        let mut columns = vec![(self.unit, Column::Words)];
        let names = self.series.iter().map(|series| series.name);
        columns.extend(names.map(|name| (name, Column::Numbers)));
        table(self.title, &columns, rows.collect())
    }
}

/// Round values along the way across; the last bar may stand for all above.
fn axis(full: u64, reach: u64, has_above: bool) -> String {
    let mut axis = String::new();
    let step = round_step(reach.max(1).div_ceil(5));
    let y = BOTTOM + 18.0;
    let mut value = 0;
    while value <= reach {
        let x = value as f64 / full.max(1) as f64 * 100.0;
        let anchor = match x {
            x if x < 3.0 => "start",
            x if x > 94.0 => "end",
            _ => "middle",
        };
        let more = if has_above && value + step > reach && value == reach {
            "+"
        } else {
            ""
        };
        let _ = writeln!(
            axis,
            "<text class=\"tick\" x=\"{x:.2}%\" y=\"{y}\" text-anchor=\"{anchor}\">{}{more}</text>",
            ui::count(value)
        );
        value += step;
    }
    axis
}

/// The next of 1, 2, 5, 10, 20, 50 and so on.
fn round_step(step: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        if let Some(round) = [1, 2, 5]
            .map(|factor| unit.saturating_mul(factor))
            .into_iter()
            .find(|round| *round >= step)
        {
            return round;
        }
        unit = unit.saturating_mul(10);
    }
}

/// A point of a scatter.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) x: u64,
    pub(crate) y: u64,
    /// What to go to, and what it is called, if the page has it.
    pub(crate) link: Option<(String, String)>,
}

/// Two lengths against each other, both on logarithmic axes.
#[derive(Debug)]
pub(crate) struct Scatter<'s> {
    pub(crate) id: &'s str,
    pub(crate) title: &'s str,
    pub(crate) caption: Html,
    /// What the axes are of.
    pub(crate) axes: [&'s str; 2],
    pub(crate) points: &'s [Point],
    /// Ratios of y to x to draw lines at, each with a name.
    pub(crate) lines: Vec<(f64, String)>,
    /// The numbers that are to be seen in it.
    pub(crate) numbers: Html,
}

const SCATTER_HEIGHT: f64 = 420.0;

impl Scatter<'_> {
    /// Draws it. Points that have a link are shown stronger.
    pub(crate) fn to_html(&self) -> Html {
        let most = self.points.iter().map(|point| point.x.max(point.y)).max();
        let decades = (most.unwrap_or(1).max(10) as f64).log10().ceil();
        let place = |value: f64| value.max(1.0).log10() / decades;
        let (left, bottom) = (0.0, SCATTER_HEIGHT - 26.0);
        let x = |value: f64| left + place(value) * (100.0 - left);
        let y = |value: f64| bottom - place(value) * (bottom - 8.0);
        let mut svg = String::new();
        for decade in 0..=decades as u32 {
            let value = 10_u64.pow(decade);
            let (x, y) = (x(value as f64), y(value as f64));
            let anchor = match x {
                x if x < 3.0 => "start",
                x if x > 94.0 => "end",
                _ => "middle",
            };
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"8\" y2=\"{bottom}\"/>\
                 <line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{x:.2}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                bottom + 18.0,
                ui::count(value),
            );
            if decade > 0 {
                let _ = writeln!(
                    svg,
                    "<text class=\"tick\" x=\"0\" dx=\"2\" y=\"{:.1}\">{}</text>",
                    y + 13.0,
                    ui::count(value)
                );
            }
        }
        let scale = 10_f64.powf(decades);
        for (n, (ratio, name)) in self.lines.iter().enumerate() {
            // From where the line enters the square to where it leaves it.
            let start = (1.0 / ratio).max(1.0);
            let end = (scale / ratio).min(scale);
            if start >= end {
                continue;
            }
            // Left of the line and above it, where there is room.
            let named = start * (end / start).powf(0.94 - 0.06 * n as f64);
            let _ = writeln!(
                svg,
                "<line class=\"ratio\" x1=\"{:.2}%\" y1=\"{:.1}\" x2=\"{:.2}%\" y2=\"{:.1}\"/>\
                 <text class=\"label\" x=\"{:.2}%\" dx=\"-14\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                x(start),
                y(start * ratio),
                x(end),
                y(end * ratio),
                x(named),
                y(named * ratio) + 2.0,
                markup!("{}", *name),
            );
        }
        // A point without a link is a line of no length with round ends, which
        // keeps its size however the square is stretched.
        let mut path = String::new();
        for point in self.points.iter().filter(|point| point.link.is_none()) {
            let (x, y) = (x(point.x as f64) * 10.0, y(point.y as f64));
            let _ = write!(path, "M{x:.0} {y:.0}h0");
        }
        let _ = writeln!(
            svg,
            "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"{SCATTER_HEIGHT}\" viewBox=\"0 0 1000 {SCATTER_HEIGHT}\" preserveAspectRatio=\"none\"><path class=\"dots\" d=\"{path}\"/></svg>"
        );
        for point in self.points {
            if let Some((id, name)) = &point.link {
                let _ = writeln!(
                    svg,
                    "<a href=\"#{}\" tabindex=\"-1\"><circle class=\"dot\" cx=\"{:.2}%\" cy=\"{:.1}\" r=\"3.5\"><title>{}: {} and {} characters</title></circle></a>",
                    markup!("{}", id),
                    x(point.x as f64),
                    y(point.y as f64),
                    markup!("{}", name),
                    ui::count(point.x),
                    ui::count(point.y),
                );
            }
        }
        let (id, title, caption, [across, up]) = (self.id, self.title, &self.caption, self.axes);
        markup!(
            "<figure class=\"chart\" aria-labelledby=\"{0}-title\">\n<h3 id=\"{0}-title\">{1}</h3>\n\
             <p class=\"axis\">↑ {2}</p>\n<svg role=\"group\" class=\"scatter\" width=\"100%\" height=\"{3}\" aria-labelledby=\"{0}-title\">\n\
             <desc>{4}</desc>\n{5}</svg>\n<p class=\"axis across\">{6} →</p>\n<figcaption>{4}</figcaption>\n{7}</figure>\n",
            id,
            title,
            up,
            Html::made(SCATTER_HEIGHT.to_string()),
            caption,
            Html::made(svg),
            across,
            self.numbers,
        )
    }
}

/// A curve over steps.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// Steps and values, in order.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Curve {
    /// Draws it, with its first and last values in words.
    pub(crate) fn to_html(&self, id: &str) -> Html {
        const CURVE_HEIGHT: f64 = 150.0;
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return Html::new();
        };
        let values = self.points.iter().map(|(_, value)| *value);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let span = if high > low { high - low } else { 1.0 };
        let steps = if last.0 > first.0 {
            last.0 - first.0
        } else {
            1.0
        };
        let mut path = String::new();
        for (n, (step, value)) in self.points.iter().enumerate() {
            let x = (step - first.0) / steps * 1000.0;
            let y = CURVE_HEIGHT - 6.0 - (value - low) / span * (CURVE_HEIGHT - 12.0);
            let command = if n == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        let caption = format!(
            "From {} at step {} to {} at step {}; lowest {}, highest {}.",
            short(first.1),
            first.0,
            short(last.1),
            last.0,
            short(low),
            short(high)
        );
        let rows = self.points.iter().map(|(step, value)| {
            vec![
                markup!("{}", step.to_string()),
                markup!("{}", value.to_string()),
            ]
        });
        let columns = [("Step", Column::Numbers), ("Value", Column::Numbers)];
        let numbers = table(&self.name, &columns, rows.collect());
        markup!(
            "<figure class=\"chart\" aria-labelledby=\"{0}-title\">\n<h3 id=\"{0}-title\">{1}</h3>\n\
             <svg role=\"img\" class=\"curve\" width=\"100%\" height=\"{2}\" viewBox=\"0 0 1000 {2}\" preserveAspectRatio=\"none\" aria-label=\"{1}. {3}\">\n\
             <title>{1}</title><desc>{3}</desc>\n<path class=\"line\" d=\"{4}\"/></svg>\n<figcaption>{3}</figcaption>\n{5}</figure>\n",
            id,
            self.name,
            Html::made(CURVE_HEIGHT.to_string()),
            caption,
            Html::made(path),
            details("The numbers", &numbers),
        )
    }
}

/// A value with four digits.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_far_off_is_named() {
        let mut histogram = Histogram {
            id: "tokens",
            title: "Tokens of an example",
            caption: Html::new(),
            unit: "tokens",
            width: 10,
            series: vec![Series {
                name: "train",
                counts: &[4, 2],
                above: 1,
                marks: vec![Mark {
                    value: 1000,
                    label: "limit",
                    is_limit: true,
                }],
            }],
        };
        let far = histogram.to_html().into_string();
        assert!(far.contains(">limit 1,000 →</text>"), "{far}");
        assert!(far.contains("Most examples, 4, have 0 to 9 tokens. 1 have 20 or more."));
        assert_eq!(far.matches("<rect").count(), 3);
        histogram.series[0].marks[0].value = 15;
        let near = histogram.to_html().into_string();
        assert!(near.contains("x1=\"50.00%\""), "{near}");
        assert!(near.contains(">limit 15</text>"));
    }

    #[test]
    fn points_are_links_where_there_is_an_example() {
        let point = |link: Option<&str>| Point {
            x: 10,
            y: 100,
            link: link.map(|id| (id.to_owned(), "a<b:1".to_owned())),
        };
        let points = [point(None), point(Some("example-1"))];
        let scatter = Scatter {
            id: "ratio",
            title: "Ratio",
            caption: Html::new(),
            axes: ["prompt", "answer"],
            points: &points,
            lines: vec![(1.0, "as long".into())],
            numbers: Html::new(),
        };
        let svg = scatter.to_html().into_string();
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(svg.contains("href=\"#example-1\""));
        assert!(svg.contains("a&lt;b:1: 10 and 100 characters"));
        assert_eq!(svg.matches("h0").count(), 1);
    }

    #[test]
    fn a_curve_is_told_in_words() {
        let curve = Curve {
            name: "train_total_loss".into(),
            points: vec![(1.0, 2.5), (2.0, 1.25)],
        };
        let svg = curve.to_html("curve-0").into_string();
        assert!(svg.contains("From 2.5 at step 1 to 1.25 at step 2; lowest 1.25, highest 2.5."));
        assert!(
            Curve {
                name: String::new(),
                points: vec![]
            }
            .to_html("x")
            .is_empty()
        );
    }
}
