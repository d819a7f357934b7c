//! The report on a terminal.

use std::io::{self, Write};

use prep_data::diag::Level;
use prep_data::pipeline::stats::{Frequent, Histogram, SCRIPTS_OF, Stats};
use prep_data::rules::Speaker;
use prep_data::text::language::Language;
use prep_data::text::scripts::Scripts;
use unicode_width::UnicodeWidthChar;

use super::{Dataset, Report, limit_of, share};
use crate::counting::Basis;
use crate::ui::{self, Align, Table};

/// How many bars a histogram has.
const BARS: u64 = 10;

/// How many scripts and languages are named.
const NAMED: usize = 4;

/// What a histogram is of, and where it is.
type OfStats = (&'static str, fn(&Stats) -> &Histogram);

/// What is told in numbers.
const MEASURES: &[OfStats] = &[
    ("turns", |stats| &stats.histograms.turns),
    ("tokens", |stats| &stats.histograms.tokens),
    ("system tokens", |stats| &stats.histograms.system_tokens),
    ("tools tokens", |stats| &stats.histograms.tools_tokens),
    ("user tokens", |stats| &stats.histograms.user_tokens),
    ("model tokens", |stats| &stats.histograms.model_tokens),
    ("system characters", |stats| &stats.histograms.system_chars),
    ("user characters", |stats| &stats.histograms.user_chars),
    ("model characters", |stats| &stats.histograms.model_chars),
    ("answer / prompt", |stats| &stats.ratios),
];

/// What is drawn.
const DRAWN: &[OfStats] = &[
    ("tokens of an example", |stats| &stats.histograms.tokens),
    ("characters of the last prompt", |stats| {
        &stats.histograms.prompt_chars
    }),
    ("characters of the last answer", |stats| {
        &stats.histograms.answer_chars
    }),
];

impl Report<'_> {
    /// Writes the report as text.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for set in &self.datasets {
            writeln!(out, "{}", ui::visible(&set.headline()))?;
        }
        let has_examples = self.datasets.iter().any(|set| set.stats.examples > 0);
        if has_examples {
            writeln!(out)?;
            self.spreads().write(out)?;
        }
        for (name, of) in DRAWN.iter().filter(|_| has_examples) {
            writeln!(out)?;
            self.draw(name, *of, out)?;
        }
        for set in &self.datasets {
            writeln!(out)?;
            if self.datasets.len() > 1 {
                writeln!(out, "{}:", ui::visible(&set.name()))?;
            }
            self.facts(set).write(out)?;
            self.write_common(set, out)?;
        }
        writeln!(out)?;
        writeln!(out, "{}", ui::visible(&self.basis()))
    }

    fn spreads(&self) -> Table {
        let is_one = self.datasets.len() == 1;
        let mut head = vec![("AN EXAMPLE HAS", Align::Left)];
        if !is_one {
            head.push(("OF", Align::Left));
        }
        let numbers = [
            "EXAMPLES", "MIN", "P5", "MEDIAN", "MEAN", "P95", "P99", "MAX",
        ];
        head.extend(numbers.map(|name| (name, Align::Right)));
        let mut table = Table::new(head);
        for (name, of) in MEASURES {
            let mut name = (*name).to_owned();
            for set in &self.datasets {
                let histogram = of(&set.stats);
                if histogram.n() == 0 {
                    continue;
                }
                let mut row = vec![std::mem::take(&mut name)];
                if !is_one {
                    row.push(set.side.to_owned());
                }
                row.extend(numbers_of(
                    histogram,
                    std::ptr::eq(histogram, &set.stats.ratios),
                ));
                table.row(row);
            }
        }
        table
    }

    /// Draws histograms of all datasets beside each other, each to its own
    /// highest bar.
    fn draw(
        &self,
        name: &str,
        of: fn(&Stats) -> &Histogram,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let reach = self.datasets.iter().map(|set| of(&set.stats).reach());
        let reach = reach.max().unwrap_or_default();
        let bars: Vec<_> = self
            .datasets
            .iter()
            .map(|set| of(&set.stats).bars_to(BARS, reach))
            .collect();
        let width = bars[0].width;
        let mut labels: Vec<_> = (0..bars[0].counts.len() as u64)
            .map(|n| match width {
                1 => ui::count(n),
                _ => format!(
                    "{} – {}",
                    ui::count(n * width),
                    ui::count((n + 1) * width - 1)
                ),
            })
            .collect();
        let has_above = bars.iter().any(|bars| bars.above > 0);
        if has_above {
            labels.push(format!(
                "{} …",
                ui::count(bars[0].counts.len() as u64 * width)
            ));
        }
        let label_width = labels.iter().map(|label| label.chars().count()).max();
        let label_width = label_width.unwrap_or_default();
        let columns = ui::columns().saturating_sub(label_width + 4) / self.datasets.len();
        let bar_width = columns.saturating_sub(12).clamp(8, 40);
        write!(out, "{name}")?;
        if self.datasets.len() > 1 {
            let sides = self.datasets.iter().map(|set| set.side);
            write!(out, ": {}", sides.collect::<Vec<_>>().join(", then "))?;
        }
        writeln!(out)?;
        for (n, label) in labels.iter().enumerate() {
            let padding = " ".repeat(label_width - label.chars().count());
            let mut line = format!("  {padding}{label}  ");
            for bars in &bars {
                let count = bars.counts.get(n).copied().unwrap_or(bars.above);
                let most = bars.counts.iter().max().copied().unwrap_or_default();
                let bar = ui::bar(count, most.max(bars.above), bar_width);
                let shown = format!("{bar} {}", ui::count(count));
                let padding = (bar_width + 12).saturating_sub(shown.chars().count());
                line += &format!("{shown}{}", " ".repeat(padding));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn facts(&self, set: &Dataset) -> Table {
        let stats = &set.stats;
        let mut table = Table::new([("ALL OF IT", Align::Left), ("", Align::Left)]);
        let mut row = |name: &str, text: String| table.row(vec![name.into(), text]);
        row("languages", languages(stats));
        row("scripts", scripts(stats));
        row(
            "system instructions",
            systems(&stats.frequent.systems, stats.examples),
        );
        let duplicates = &stats.duplicates;
        row(
            "duplicates",
            format!(
                "{} exact, {} normalised; {} with several answers",
                ui::count(duplicates.exact),
                ui::count(duplicates.normalised),
                ui::of(duplicates.conflicting_prompts, "prompt"),
            ),
        );
        row("findings", findings(set));
        row(
            "would be dropped",
            format!(
                "{} of {}; the limit of {} is {} tokens an example",
                ui::count(stats.dropped()),
                ui::count(stats.examples),
                limit_of(&self.context),
                ui::count(self.limit),
            ),
        );
        if set.side == "train" {
            row("one pass costs", self.cost(stats));
        }
        table
    }

    fn cost(&self, stats: &Stats) -> String {
        let tokens = ui::of(stats.billed, "token");
        match (&self.costs[..], self.model()) {
            ([], _) => format!("{tokens}; no price is known"),
            ([only], _) => format!("{tokens}, {} with {}", only.cost, only.model),
            ([least, .., most], _) => format!(
                "{tokens}, from {} with {} to {} with {}",
                least.cost, least.model, most.cost, most.model
            ),
        }
    }

    fn write_common(&self, set: &Dataset, out: &mut dyn Write) -> io::Result<()> {
        let frequent = &set.stats.frequent;
        let lists = [
            ("system instructions", &frequent.systems, 1),
            ("prompts begin with", &frequent.prompt_openings, 2),
            ("answers begin with", &frequent.answer_openings, 2),
            ("answers", &frequent.answers, 2),
        ];
        for (name, frequent, least) in lists {
            let often = frequent.most.iter().take(self.most);
            let often: Vec<_> = often.filter(|often| often.examples >= least).collect();
            if often.is_empty() {
                continue;
            }
            writeln!(
                out,
                "\n{name}, the most common of {}",
                ui::count(frequent.different)
            )?;
            let width = often
                .iter()
                .map(|often| ui::count(often.examples).len())
                .max();
            let width = width.unwrap_or_default();
            let room = ui::columns().saturating_sub(width + 4);
            for often in often {
                let text = one_line(&often.text, room);
                writeln!(out, "  {:>width$}  {text}", ui::count(often.examples))?;
            }
        }
        Ok(())
    }

    /// How the tokens were counted, in one line.
    fn basis(&self) -> String {
        let name = &self.vocabulary.name;
        match self.vocabulary.basis {
            Basis::Estimate => {
                "tokens are an estimate: the vocabulary of the model is not known".into()
            }
            Basis::Newest => format!(
                "tokens are counted with {name}, the newest vocabulary; `--model` chooses that of a model"
            ),
            _ => format!("tokens are counted with {name}"),
        }
    }
}

impl Dataset {
    /// What it comes to, in one line.
    pub(super) fn headline(&self) -> String {
        let stats = &self.stats;
        let mut line = format!(
            "{}: {}, {}",
            self.name(),
            ui::of(stats.examples, "example"),
            ui::of(stats.tokens.total(), "token"),
        );
        match stats.not_examples {
            0 => {}
            1 => line += ", and 1 line that is no example",
            n => line += &format!(", and {} lines that are no examples", ui::count(n)),
        }
        if stats.with_completions > 0 {
            line += &format!(", {} of preferences", ui::count(stats.with_completions));
        }
        line
    }
}

fn numbers_of(histogram: &Histogram, is_ratio: bool) -> Vec<String> {
    let summary = histogram.summary();
    let number = |n: u64| match is_ratio {
        true => ratio(n as f64 / 1000.0),
        false => ui::count(n),
    };
    let mean = match is_ratio {
        true => ratio(summary.mean / 1000.0),
        false => format!("{:.1}", summary.mean),
    };
    vec![
        ui::count(summary.n),
        number(summary.min),
        number(summary.p5),
        number(summary.median),
        mean,
        number(summary.p95),
        number(summary.p99),
        number(summary.max),
    ]
}

/// A ratio, as exact as one wants to read it.
pub(super) fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 10.0 => format!("{ratio:.2}"),
        ratio if ratio < 1000.0 => format!("{ratio:.1}"),
        ratio => ui::count(ratio.round() as u64),
    }
}

fn languages(stats: &Stats) -> String {
    let languages = &stats.languages;
    let side = |counts: &[(Option<Language>, u64)]| {
        let shown = counts.iter().take(NAMED).map(|(language, n)| {
            let name = language.map_or("not told", Language::name);
            format!("{name} {}", share(*n, languages.sampled))
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    if languages.sampled == 0 {
        return "none".into();
    }
    let (prompts, answers) = (side(&languages.prompts), side(&languages.answers));
    let mut text = format!("prompts {prompts}; answers {answers}");
    if languages.sampled < stats.examples {
        text += &format!(" (of {} at random)", ui::count(languages.sampled));
    }
    text
}

fn scripts(stats: &Stats) -> String {
    let of = |scripts: &Scripts| {
        let scripts = scripts.by_letters();
        let all = scripts.iter().map(|(_, letters)| letters).sum();
        let shown = scripts.iter().take(NAMED);
        let shown = shown.map(|(name, letters)| format!("{name} {}", share(*letters, all)));
        shown.collect::<Vec<_>>().join(", ")
    };
    let mut sides = Vec::new();
    for (scripts, speaker) in stats.scripts.iter().zip(SCRIPTS_OF) {
        let name = match speaker {
            Speaker::User => "users",
            Speaker::Model => "model",
            Speaker::System => "systems",
        };
        let text = of(scripts);
        if !text.is_empty() {
            sides.push(format!("{name} {text}"));
        }
    }
    match sides.is_empty() {
        true => "none".into(),
        false => sides.join("; "),
    }
}

fn systems(systems: &Frequent, examples: u64) -> String {
    match systems.different {
        0 => "none".into(),
        different => format!(
            "{} different, in {} of {}",
            ui::count(different),
            ui::count(systems.examples),
            ui::of(examples, "example"),
        ),
    }
}

fn findings(set: &Dataset) -> String {
    let (errors, warnings) = (set.n_of(Level::Error), set.n_of(Level::Warn));
    let mut text = format!(
        "{}, {}",
        ui::of(errors, "error"),
        ui::of(warnings, "warning")
    );
    let counts = set.counts();
    if !counts.is_empty() {
        let codes = counts.iter().take(8);
        let codes =
            codes.map(|count| format!("{} {}", count.rule.code.code, ui::count(count.count)));
        text += &format!(" ({}", codes.collect::<Vec<_>>().join(", "));
        text += if counts.len() > 8 { ", …)" } else { ")" };
    }
    text
}

/// A text on one line of at most `width` columns.
fn one_line(text: &str, width: usize) -> String {
    let text = text.replace('\n', "↵").replace('\t', " ");
    let text = ui::visible(&text).into_owned();
    let (mut columns, mut line) = (0, String::new());
    for c in text.chars() {
        columns += c.width().unwrap_or(0);
        if columns >= width {
            line.push('…');
            return line;
        }
        line.push(c);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_on_their_line() {
        assert_eq!(one_line("a\nb", 10), "a↵b");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("你好吗", 5), "你好…");
        assert_eq!(one_line("\u{1b}[2J", 20), "\\u{1b}[2J");
    }

    #[test]
    fn ratios_are_short() {
        assert_eq!(
            [ratio(0.051), ratio(12.34), ratio(12345.6)],
            ["0.05", "12.3", "12,346"]
        );
    }
}
