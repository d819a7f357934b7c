//! The report to look at.

pub(super) mod curves;
mod examples;
mod repeats;

use prep_data::diag::Level;
use prep_data::pipeline::stats::{Bars, Frequent, Histogram as Counts, Stats};
use prep_data::rules::{Safety, Window};
use prep_data::text::language::Language;
use serde_json::json;

use self::curves::Metrics;
use super::provenance::{Chain, is_unchanged};
use super::text::ratio;
use super::{Dataset, Report, limit_of, share};
use crate::counting::Basis;
use crate::report::html::chart::{Histogram, Mark, Point, Scatter, Series};
use crate::report::html::table::{Column, bar, table};
use crate::report::html::{Html, Masthead, Section, data, details, markup, sentence, shell};
use crate::report::{RuleCount, Told};
use crate::ui;

/// How many bars a histogram has.
const BARS: u64 = 48;

/// How many places of a rule are shown.
const PLACES: usize = 3;

/// How many languages and scripts are listed.
const LISTED: usize = 8;

/// Makes the page.
pub(super) fn page(report: &Report<'_>, metrics: Option<&Metrics>) -> String {
    let chain = chain(report);
    let mut sections = vec![
        report.lengths(),
        report.languages(),
        report.findings(),
        report.repeats(),
        report.common(),
        provenance(&chain),
    ];
    sections.extend(metrics.and_then(job));
    sections.push(report.examples());
    let masthead = Masthead {
        title: format!("{} · prep stats", report.datasets[0].name()),
        about: about(report),
        headline: headline(report),
        lead: lead(report),
    };
    let data = json!({"examples": report.example_data()});
    shell(&masthead, &sections, &foot(report), &data).into_string()
}

fn chain(report: &Report<'_>) -> Chain {
    let files = report.datasets.iter().flat_map(|set| &set.stats.files);
    Chain::of(files.map(|file| (&*file.name, &*file.blake3)))
}

/// What the page is about.
fn about(report: &Report<'_>) -> Html {
    let train = &report.datasets[0];
    let mut about = markup!("What is in {}", data(&train.name()));
    if let Some(validation) = report.datasets.get(1) {
        about.push(&markup!(", and in {}", data(&validation.name())));
    }
    if let Some(model) = report.model() {
        about.push(&markup!(", for {}", data(model)));
    }
    about
}

/// The verdict in one sentence.
fn headline(report: &Report<'_>) -> String {
    let set = &report.datasets[0];
    let stats = &set.stats;
    let invalid: u64 = report
        .datasets
        .iter()
        .flat_map(|set| &set.found)
        .map(|file| file.invalid)
        .sum();
    let examples = ui::of(stats.examples, "example");
    let errors: u64 = report
        .datasets
        .iter()
        .map(|set| set.n_of(Level::Error))
        .sum();
    let warnings = set.n_of(Level::Warn);
    if stats.examples == 0 {
        return "There is nothing to tune with.".into();
    }
    if invalid > 0 {
        let have = if invalid == 1 { "has" } else { "have" };
        return format!(
            "{} {have} an error: mend what is wrong before tuning.",
            ui::of(invalid, "line")
        );
    }
    if errors > 0 {
        return format!("{examples}, and something is wrong with them as a whole.");
    }
    if stats.dropped() > 0 {
        return format!(
            "The service would drop {} of {examples}.",
            ui::count(stats.dropped())
        );
    }
    match warnings {
        0 => format!("{examples}, and no rule minds any of them."),
        warnings => format!(
            "{examples} without an error; {} to look at.",
            ui::of(warnings, "warning")
        ),
    }
}

/// What else is to be known at once: two sentences and the main numbers.
fn lead(report: &Report<'_>) -> Html {
    let set = &report.datasets[0];
    let stats = &set.stats;
    let mut sentences = Vec::new();
    if let (Some(prompt), Some(answer)) = (
        main_language(&stats.languages.prompts),
        main_language(&stats.languages.answers),
    ) {
        sentences.push(match prompt == answer {
            true => format!("Prompts and answers are mostly in {prompt}."),
            false => format!("Prompts are mostly in {prompt}, answers in {answer}."),
        });
    }
    let repeats = stats.duplicates.exact + stats.duplicates.normalised;
    if repeats > 0 {
        let repeat = if repeats == 1 { "repeats" } else { "repeat" };
        sentences.push(format!(
            "{} {repeat} an earlier one.",
            ui::of(repeats, "example")
        ));
    }
    let tokens = stats.histograms.tokens.summary();
    let examples = match report.datasets.get(1) {
        Some(validation) => format!(
            "examples, and {} for validation",
            ui::count(validation.stats.examples)
        ),
        None => "examples".to_owned(),
    };
    let mut tiles = vec![
        (&*examples, ui::count(stats.examples)),
        ("tokens", ui::count(stats.tokens.total())),
        ("tokens in the median example", ui::count(tokens.median)),
        ("tokens in the longest", ui::count(tokens.max)),
        ("errors", ui::count(set.n_of(Level::Error))),
        ("warnings", ui::count(set.n_of(Level::Warn))),
        ("repeated examples", ui::count(repeats)),
    ];
    match &report.costs[..] {
        [] => {}
        [only] => tiles.push(("for one pass", only.cost.to_string())),
        [least, .., most] if least.cost == most.cost => {
            tiles.push(("for one pass", least.cost.to_string()));
        }
        [least, .., most] => tiles.push((
            "for one pass, by model",
            format!("{} – {}", least.cost, most.cost),
        )),
    }
    let tiles: Html = tiles
        .into_iter()
        .map(|(name, number)| markup!("<div><dt>{}</dt><dd>{}</dd></div>\n", name, number))
        .collect();
    let sentences = match sentences.is_empty() {
        true => Html::new(),
        false => markup!("<p class=\"lead\">{}</p>\n", sentences.join(" ")),
    };
    markup!("{}<dl class=\"tiles\">\n{}</dl>\n", sentences, tiles)
}

/// A language that more than half of what was told is in.
fn main_language(counts: &[(Option<Language>, u64)]) -> Option<&'static str> {
    let told = counts
        .iter()
        .filter_map(|(language, n)| Some(((*language)?, *n)));
    let all: u64 = told.clone().map(|(_, n)| n).sum();
    let (language, n) = told.max_by_key(|(_, n)| *n)?;
    (2 * n > all).then_some(language.name())
}

impl Report<'_> {
    /// A part for each dataset, under its name if there are two.
    fn each(&self, of: impl Fn(&Dataset) -> Html) -> Html {
        let part = |set: &Dataset| match self.datasets.len() {
            1 => of(set),
            _ => markup!("<h3>{}</h3>\n{}", capital(set.side), of(set)),
        };
        self.datasets.iter().map(part).collect()
    }

    fn lengths(&self) -> Section {
        let histograms = [
            self.histogram("tokens", "Tokens of an example", "tokens", |stats| {
                &stats.histograms.tokens
            }),
            self.histogram(
                "prompts",
                "Characters of the last prompt",
                "characters",
                |stats| &stats.histograms.prompt_chars,
            ),
            self.histogram(
                "answers",
                "Characters of the last answer",
                "characters",
                |stats| &stats.histograms.answer_chars,
            ),
        ];
        let [tokens, prompts, answers] = histograms;
        let body = markup!(
            "{}<div class=\"pair\">\n{}{}</div>\n{}{}",
            tokens,
            prompts,
            answers,
            self.scatter(),
            details("All numbers", &self.each(spreads))
        );
        Section {
            id: "lengths",
            name: "Lengths",
            heading: markup!("How long examples are"),
            body,
        }
    }

    fn histogram(&self, id: &str, title: &str, unit: &str, of: fn(&Stats) -> &Counts) -> Html {
        let train = of(&self.datasets[0].stats);
        let summary = train.summary();
        let reach = self.datasets.iter().map(|set| of(&set.stats).reach()).max();
        let bars: Vec<(&str, Bars)> = self
            .datasets
            .iter()
            .map(|set| {
                (
                    set.side,
                    of(&set.stats).bars_to(BARS, reach.unwrap_or_default()),
                )
            })
            .collect();
        let is_one = bars.len() == 1;
        let series = bars.iter().zip(&self.datasets).map(|((name, bars), set)| {
            let summary = of(&set.stats).summary();
            let mark = |value, label, is_limit| Mark {
                value,
                label,
                is_limit,
            };
            let mut marks = Vec::new();
            if summary.n > 0 {
                marks.push(mark(summary.median, "median", false));
            }
            if summary.p95 > summary.median {
                marks.push(mark(summary.p95, "95 of 100 up to", false));
            }
            if id == "tokens" {
                marks.push(mark(self.limit, "limit", true));
            }
            Series {
                name: if is_one { "Examples" } else { name },
                counts: &bars.counts,
                above: bars.above,
                marks,
            }
        });
        let mut caption = markup!(
            "Half of the examples have up to {} {}, 95 of 100 up to {}; the longest has {}.",
            summary.median,
            unit,
            summary.p95,
            summary.max
        );
        if id == "tokens" {
            let dropped = match self.datasets[0].stats.dropped() {
                0 => "none".to_owned(),
                dropped => ui::count(dropped),
            };
            caption.push(&markup!(
                " The limit of {} is {}; the service would drop {}.",
                limit_of(&self.context).replace('`', ""),
                self.limit,
                dropped
            ));
        }
        Histogram {
            id,
            title,
            caption,
            unit,
            width: bars[0].1.width,
            series: series.collect(),
        }
        .to_html()
    }

    fn scatter(&self) -> Html {
        let set = &self.datasets[0];
        let stats = &set.stats;
        let summary = stats.ratios.summary();
        if summary.n == 0 {
            return Html::new();
        }
        let points: Vec<_> = stats
            .points
            .iter()
            .map(|point| Point {
                x: point.prompt_chars,
                y: point.answer_chars,
                link: stats
                    .shown
                    .binary_search_by_key(&point.place, |shown| shown.place)
                    .is_ok()
                    .then(|| (self.anchor(0, point.place), set.place(point.place))),
            })
            .collect();
        let thousandths = |n: u64| ratio(n as f64 / 1000.0);
        let which = match stats.points.len() as u64 {
            n if n < summary.n => format!("{} examples at random. ", ui::count(n)),
            _ => String::new(),
        };
        let caption = markup!(
            "{}Half of the answers have up to {} times the characters of their prompts; 90 of 100 have {} to {} times. \
             A strong point leads to its example.",
            which,
            thousandths(summary.median),
            thousandths(summary.p5),
            thousandths(summary.p95)
        );
        let rows = [
            ("smallest", summary.min),
            ("5 of 100 up to", summary.p5),
            ("median", summary.median),
            ("95 of 100 up to", summary.p95),
            ("99 of 100 up to", summary.p99),
            ("largest", summary.max),
        ];
        let rows = rows.map(|(name, n)| vec![markup!("{}", name), markup!("{}", thousandths(n))]);
        let columns = [
            ("Answer to prompt", Column::Words),
            ("Ratio", Column::Numbers),
        ];
        let numbers = table(
            "Answers by the length of their prompts",
            &columns,
            rows.into(),
        );
        Scatter {
            id: "ratio",
            title: "Answers by the length of their prompts",
            caption,
            axes: [
                "characters of the last prompt",
                "characters of the last answer",
            ],
            points: &points,
            lines: vec![(1.0, "as long as the prompt".into())],
            numbers: details("The numbers", &numbers),
        }
        .to_html()
    }

    fn languages(&self) -> Section {
        let of = |set: &Dataset| {
            let stats = &set.stats;
            let languages = &stats.languages;
            let sampled = match languages.sampled < stats.examples {
                true => markup!(
                    "<p class=\"quiet\">Told of {} examples at random; texts that are short, or like several languages, are not told.</p>\n",
                    languages.sampled
                ),
                false => markup!(
                    "<p class=\"quiet\">Texts that are short, or like several languages, are not told.</p>\n"
                ),
            };
            let [users, model, _] = &stats.scripts;
            markup!(
                "{}<div class=\"pair\">\n{}{}{}{}</div>\n",
                sampled,
                language_table("Languages of prompts", &languages.prompts),
                language_table("Languages of answers", &languages.answers),
                script_table("Scripts of users", &users.by_letters()),
                script_table("Scripts of the model", &model.by_letters()),
            )
        };
        Section {
            id: "languages",
            name: "Languages",
            heading: markup!("Languages and scripts"),
            body: self.each(of),
        }
    }

    fn findings(&self) -> Section {
        let of = |set: &Dataset| {
            let counts = set.counts();
            if counts.is_empty() {
                return markup!("<p>No rule found anything.</p>\n");
            }
            counts.iter().map(|count| self.rule(set, count)).collect()
        };
        Section {
            id: "findings",
            name: "Findings",
            heading: markup!("What the rules found"),
            body: self.each(of),
        }
    }

    fn rule(&self, set: &Dataset, count: &RuleCount) -> Html {
        let code = count.rule.code;
        let findings = set.found.iter().flat_map(|file| {
            let of_rule = |told: &&Told| std::ptr::eq(told.rule, count.rule);
            file.findings
                .iter()
                .filter(of_rule)
                .map(|told| (&*file.name, told))
        });
        let places: Html = findings
            .take(PLACES)
            .map(|(file, told)| place(file, told))
            .collect();
        let has_example = set
            .stats
            .shown
            .iter()
            .any(|shown| shown.codes.contains(&code.code));
        let button = match has_example {
            true => markup!(
                "<p><button type=\"button\" class=\"inline\" data-code=\"{0}\">Examples with {0}</button></p>\n",
                code.code
            ),
            false => Html::new(),
        };
        let level = match count.level {
            Level::Error => "error",
            _ => "warning",
        };
        let fix = match count.rule.fix {
            _ if code.hint.contains("prep fix") => "",
            Some(Safety::Safe) => "; `prep fix` repairs it",
            Some(Safety::Unsafe) => "; `prep fix --unsafe` repairs it",
            None => "",
        };
        markup!(
            "<div class=\"finding\">\n<h3><span class=\"level {0}\">{0}</span> <span>{1} {2}</span> <span class=\"times\">{3}</span></h3>\n\
             <p class=\"quiet\">{4}</p>\n{5}{6}</div>\n",
            level,
            code.code,
            code.name,
            if count.count == 1 {
                "once".to_owned()
            } else {
                format!("{} times", ui::count(count.count))
            },
            sentence(&format!("{}{fix}.", capital(code.hint))),
            places,
            button
        )
    }

    fn common(&self) -> Section {
        let of = |set: &Dataset| {
            let frequent = &set.stats.frequent;
            let lists = [
                ("System instructions", &frequent.systems, 1),
                ("Prompts begin with", &frequent.prompt_openings, 2),
                ("Answers begin with", &frequent.answer_openings, 2),
                ("Whole answers", &frequent.answers, 2),
            ];
            let lists: Html = lists
                .into_iter()
                .map(|(name, frequent, least)| common_table(set, name, frequent, least))
                .collect();
            match lists.is_empty() {
                true => markup!(
                    "<p>No two examples have a beginning, an answer or a system instruction in common.</p>\n"
                ),
                false => lists,
            }
        };
        Section {
            id: "common",
            name: "In common",
            heading: markup!("What examples have in common"),
            body: self.each(of),
        }
    }
}

/// A sentence or a name with a capital at its beginning.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn place(file: &str, told: &Told) -> Html {
    let at = match told.place {
        Some((line, column)) => format!("{file}:{line}:{column}"),
        None => file.to_owned(),
    };
    let origin = match &told.origin {
        Some(origin) => markup!(
            " <span class=\"quiet\">(from {})</span>",
            data(&format!("{}:{}", origin.source, origin.line))
        ),
        None => Html::new(),
    };
    markup!(
        "<p class=\"place\">{}{}: {}</p>\n{}",
        data(&at),
        origin,
        markup!("<bdi>{}</bdi>", sentence(&told.message)),
        window(&told.window)
    )
}

/// The line around a fault, the fault marked.
fn window(window: &Window) -> Html {
    if window.text.is_empty() {
        return Html::new();
    }
    let chars = || window.text.chars();
    let before: String = chars().take(window.at).collect();
    let fault: String = chars().skip(window.at).take(window.length).collect();
    let after: String = chars().skip(window.at + window.length).collect();
    let fault = match fault.is_empty() {
        true => markup!("<mark>⟨here⟩</mark>"),
        false => markup!("<mark>{}</mark>", fault),
    };
    markup!(
        "<pre class=\"window\" dir=\"ltr\">{}{}{}</pre>\n",
        before,
        fault,
        after
    )
}

fn language_table(name: &str, counts: &[(Option<Language>, u64)]) -> Html {
    let all: u64 = counts.iter().map(|(_, n)| n).sum();
    let rows = counts.iter().take(LISTED).map(|(language, n)| {
        let name = language.map_or("not told", Language::name);
        vec![
            markup!("{}", name),
            bar(*n, all),
            markup!("{}", share(*n, all)),
            markup!("{}", *n),
        ]
    });
    let columns = [
        ("Language", Column::Words),
        ("", Column::Words),
        ("Share", Column::Numbers),
        ("Examples", Column::Numbers),
    ];
    table(name, &columns, rows.collect())
}

fn script_table(name: &str, scripts: &[(&'static str, u64)]) -> Html {
    let all: u64 = scripts.iter().map(|(_, n)| n).sum();
    let rows = scripts.iter().take(LISTED).map(|(script, letters)| {
        vec![
            markup!("{}", *script),
            bar(*letters, all),
            markup!("{}", share(*letters, all)),
            markup!("{}", *letters),
        ]
    });
    let columns = [
        ("Script", Column::Words),
        ("", Column::Words),
        ("Share", Column::Numbers),
        ("Letters", Column::Numbers),
    ];
    table(name, &columns, rows.collect())
}

fn common_table(set: &Dataset, name: &str, frequent: &Frequent, least: u64) -> Html {
    let often = frequent.most.iter().filter(|often| often.examples >= least);
    let rows: Vec<_> = often
        .map(|often| {
            vec![
                markup!("<span class=\"data\" dir=\"auto\">{}</span>", often.text),
                bar(often.examples, set.stats.examples),
                markup!("{}", often.examples),
                markup!("{}", data(&set.place(often.first))),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Html::new();
    }
    let caption = format!("{name}: {} different", ui::count(frequent.different));
    let columns = [
        ("Text", Column::Words),
        ("Share", Column::Words),
        ("Examples", Column::Numbers),
        ("First", Column::Words),
    ];
    table(&caption, &columns, rows)
}

/// All spreads of a dataset in one table.
fn spreads(set: &Dataset) -> Html {
    let histograms = &set.stats.histograms;
    let measures = [
        ("Turns", &histograms.turns),
        ("Tokens", &histograms.tokens),
        (
            "Tokens of the system instruction",
            &histograms.system_tokens,
        ),
        ("Tokens of tools", &histograms.tools_tokens),
        ("Tokens of users", &histograms.user_tokens),
        ("Tokens of the model", &histograms.model_tokens),
        (
            "Characters of the system instruction",
            &histograms.system_chars,
        ),
        ("Characters of users", &histograms.user_chars),
        ("Characters of the model", &histograms.model_chars),
    ];
    let rows = measures
        .into_iter()
        .filter(|(_, counts)| counts.n() > 0)
        .map(|(name, counts)| {
            let summary = counts.summary();
            vec![
                markup!("{}", name),
                markup!("{}", summary.n),
                markup!("{}", summary.min),
                markup!("{}", summary.p5),
                markup!("{}", summary.median),
                markup!("{}", format!("{:.1}", summary.mean)),
                markup!("{}", summary.p95),
                markup!("{}", summary.p99),
                markup!("{}", summary.max),
            ]
        });
    let numbers = [
        "Examples", "Min", "P5", "Median", "Mean", "P95", "P99", "Max",
    ];
    let mut columns = vec![("An example has", Column::Words)];
    columns.extend(numbers.map(|name| (name, Column::Numbers)));
    table("How examples are spread", &columns, rows.collect())
}

fn provenance(chain: &Chain) -> Section {
    let body = match chain.steps.is_empty() {
        true => markup!(
            "<p>No manifest stands beside these files that is of them as they are now: \
             nothing is known of how they came about.</p>\n"
        ),
        false => steps(chain),
    };
    Section {
        id: "origin",
        name: "Origin",
        heading: markup!("Where it comes from"),
        body,
    }
}

fn steps(chain: &Chain) -> Html {
    let said: Vec<_> = chain
        .steps
        .iter()
        .map(|step| {
            let left_out: u64 = step.left_out.values().sum();
            format!(
                "{} read {} and wrote {}, {} of them to {}; {} were left out",
                step.command,
                ui::count(step.read),
                ui::count(step.written),
                ui::count(step.examples),
                step.output,
                ui::count(left_out)
            )
        })
        .collect();
    let flow = chain
        .flow()
        .to_html("From source to dataset", &format!("{}.", said.join(". ")));
    let rows = chain.steps.iter().map(|step| {
        let inputs: Html = step
            .inputs
            .iter()
            .map(|input| {
                let changed = match is_unchanged(&input.path, &input.blake3) {
                    Some(false) => " (changed since)",
                    _ => "",
                };
                markup!(
                    "<div>{} <code>{}</code> {}{}</div>",
                    data(&input.path),
                    input.blake3.get(..12).unwrap_or(&input.blake3),
                    ui::bytes(input.bytes),
                    changed
                )
            })
            .collect();
        let left_out: Vec<_> = step
            .left_out
            .iter()
            .map(|(code, n)| format!("{code} {}", ui::count(*n)))
            .collect();
        vec![
            markup!("prep {} {}", step.command, step.settings.join(", ")),
            inputs,
            markup!("{}", step.read),
            markup!("{}", step.written),
            markup!("{}", left_out.join(", ")),
            markup!(
                "{} <code>{}</code>",
                data(&step.output),
                step.blake3.get(..12).unwrap_or(&step.blake3)
            ),
            data(&step.tool),
        ]
    });
    let columns = [
        ("Command", Column::Words),
        ("Read from, with the beginning of its BLAKE3", Column::Words),
        ("Read", Column::Numbers),
        ("Written", Column::Numbers),
        ("Left out", Column::Words),
        ("Written to", Column::Words),
        ("By", Column::Words),
    ];
    markup!(
        "{}{}",
        flow,
        table(
            "The steps, as manifests tell them",
            &columns,
            rows.collect()
        )
    )
}

/// The curves of the job.
fn job(metrics: &Metrics) -> Option<Section> {
    let curves: Html = metrics
        .curves()
        .zip(0_u32..)
        .map(|(curve, n)| curve.to_html(&format!("curve-{n}")))
        .collect();
    let name = match &metrics.job {
        Some(job) => markup!("<p class=\"quiet\">{}</p>\n", data(job)),
        None => Html::new(),
    };
    (!curves.is_empty()).then(|| Section {
        id: "job",
        name: "Tuning job",
        heading: markup!("What the job made of it"),
        body: markup!("{}<div class=\"pair\">\n{}</div>\n", name, curves),
    })
}

fn foot(report: &Report<'_>) -> Html {
    let name = &report.vocabulary.name;
    let tokens = match report.vocabulary.basis {
        Basis::Estimate => {
            "Tokens are an estimate, as the vocabulary of the model is not known.".to_owned()
        }
        Basis::Newest => format!("Tokens are counted with {name}, the newest vocabulary."),
        _ => format!("Tokens are counted with {name}."),
    };
    let prices: Vec<_> = report
        .costs
        .iter()
        .map(|cost| {
            let as_of = cost
                .price
                .as_of
                .map_or_else(String::new, |date| format!(" ({date})"));
            format!("{} {}{as_of}", cost.model, cost.cost)
        })
        .collect();
    let prices = match prices.is_empty() {
        true => Html::new(),
        false => markup!(
            "<p>One pass of training costs: {}.</p>\n",
            prices.join(", ")
        ),
    };
    let files: Html = report
        .datasets
        .iter()
        .flat_map(|set| &set.stats.files)
        .map(|file| {
            markup!(
                "<p>{}: {}, BLAKE3 <code>{}</code></p>\n",
                data(&file.name),
                ui::bytes(file.bytes),
                file.blake3
            )
        })
        .collect();
    markup!(
        "{}<p>{} Quantiles are exact below 32,768 and at most 1/64 too small above.</p>\n{}<p>Made by prep {} without a network; it needs none.</p>\n",
        files,
        tokens,
        prices,
        env!("CARGO_PKG_VERSION")
    )
}
