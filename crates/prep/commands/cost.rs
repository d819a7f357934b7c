//! `prep cost`: what a tuning job would cost, by model and by epochs.

use std::io::{self, Write};
use std::num::NonZeroU32;

use prep_data::example::models::{self, Model, Status};
use prep_data::rules::Method;
use serde_json::{Value, json};

use super::tokens::estimate;
use crate::Answer;
use crate::args::{CostArgs, Shared, TextOrJson};
use crate::counting::{Basis, CountedFile, Vocabulary, count_files, own_tokenizer, summary};
use crate::failure::{Failure, plain};
use crate::pricing::{Dollars, Price, price_of};
use crate::settings::Settings;
use crate::target::write_summary;
use crate::ui::{self, Align, Table};

/// The numbers of epochs that are shown when none is asked for.
const EPOCHS: [u32; 5] = [1, 2, 3, 4, 5];

/// Runs the command.
pub(crate) fn run(args: &CostArgs, shared: &Shared) -> Result<Answer, Failure> {
    let settings = Settings::read(shared)?;
    let model = args.vocabulary.model.as_deref();
    let model = model.or(settings.validate.model.as_deref());
    let method = args.method.or(settings.validate.method);
    let method = method.map_or_else(Method::default, Method::from);
    refuse_open_limit(args, model)?;

    let own = own_tokenizer(&args.vocabulary, &settings)?;
    let (names, unpriced) = candidates(model, method, &settings);
    let mut measured = Vec::new();
    let mut rows = Vec::new();
    for name in names {
        let vocabulary = Vocabulary::choose(Some(&name), own.as_ref());
        let same = |other: &Vocabulary<'_>| other.name == vocabulary.name;
        let tokenizer = vocabulary.name.clone();
        let basis = vocabulary.basis;
        let at = measured.iter().position(same).unwrap_or(measured.len());
        if at == measured.len() {
            measured.push(vocabulary);
        }
        rows.push(Row {
            price: price_of(&name, &settings.prices),
            table: models::find(&name),
            name,
            tokenizer,
            basis,
            measure: at,
            tokens: 0,
        });
    }
    let measures: Vec<_> = measured
        .iter()
        .map(|vocabulary| vocabulary.measure)
        .collect();
    let files = count_files(&args.files, &measures, shared)?;
    for row in &mut rows {
        let billed = files
            .iter()
            .map(|file| file.counted.sums[row.measure].billed);
        row.tokens = billed.sum();
    }
    let report = Report {
        method,
        epochs: args.epochs.map(NonZeroU32::get),
        max_cost: args.max_cost,
        rows,
        unpriced,
        files,
    };
    let verdict = report.verdict()?;
    if !shared.quiet {
        let mut out = anstream::AutoStream::auto(std::io::stdout().lock());
        match args.format {
            TextOrJson::Text => report.write(verdict, &mut out)?,
            TextOrJson::Json => {
                let text = serde_json::to_string_pretty(&report.to_json(verdict)).map_err(plain)?;
                writeln!(out, "{text}")?;
            }
        }
        out.flush()?;
        report.tell_left_out();
    }
    if let Some(path) = &shared.summary {
        let mut summary = summary("cost", &report.files);
        summary["cost"] = report.to_json(verdict);
        write_summary(path, &summary)?;
    }
    match verdict {
        None | Some(Verdict::Within) => Ok(Answer::Yes),
        Some(Verdict::Above) => Ok(Answer::No),
        Some(Verdict::Unknown) => Err(report.cannot_tell()),
    }
}

/// Refuses a limit for what has no single cost.
fn refuse_open_limit(args: &CostArgs, model: Option<&str>) -> Result<(), Failure> {
    if args.max_cost.is_none() {
        return Ok(());
    }
    let (lacks, why) = match (model, args.epochs) {
        (Some(_), Some(_)) => return Ok(()),
        (None, None) => (
            "--model` and `--epochs",
            "each model has its price, and the service chooses the number of epochs itself unless it is told",
        ),
        (None, Some(_)) => ("--model", "each model has its price"),
        (Some(_), None) => (
            "--epochs",
            "the service chooses their number itself unless it is told, so the cost is not known",
        ),
    };
    Err(Failure::new(format!("`--max-cost` needs `{lacks}`")).hint(why))
}

/// The models to tell the cost of, and those whose price is not known.
pub(super) fn candidates(
    model: Option<&str>,
    method: Method,
    settings: &Settings,
) -> (Vec<String>, Vec<String>) {
    if let Some(model) = model {
        let name = models::find(model).map_or(model, |model| &model.name);
        return (vec![name.to_owned()], Vec::new());
    }
    let could_run = |model: &&Model| model.status != Status::Ended && takes(model, method);
    let listed = models::table().models.iter().filter(could_run);
    let listed = listed.map(|model| model.name.clone());
    let is_new = |name: &&String| models::find(name).is_none();
    let own = settings.prices.0.keys().filter(is_new).cloned();
    listed
        .chain(own)
        .partition(|name| price_of(name, &settings.prices).is_some())
}

fn takes(model: &Model, method: Method) -> bool {
    match method {
        Method::Sft => model.sft,
        Method::Preference => model.preference,
    }
}

/// How a cost stands to the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Within,
    Above,
    /// What was counted is within it, and not all was counted.
    Unknown,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Above => "above",
            Self::Unknown => "unknown",
        }
    }
}

/// What tuning one model would cost.
struct Row {
    name: String,
    table: Option<&'static Model>,
    price: Option<Price>,
    tokenizer: String,
    basis: Basis,
    /// The place of its measure in what was counted.
    measure: usize,
    /// Billed in one pass.
    tokens: u64,
}

impl Row {
    fn cost(&self, epochs: u32) -> Option<Dollars> {
        let price = self.price.as_ref()?;
        Some(Dollars::of_training(self.tokens, epochs, price.training))
    }

    /// The most that it may cost, as far as an estimate can tell.
    fn highest_cost(&self, epochs: u32) -> Option<Dollars> {
        if !self.is_estimate() {
            return self.cost(epochs);
        }
        let price = self.price.as_ref()?;
        let high = estimate(self.tokens).high as u64;
        Some(Dollars::of_training(high, epochs, price.training))
    }

    fn is_estimate(&self) -> bool {
        self.basis == Basis::Estimate
    }

    fn mark(&self) -> &'static str {
        if self.is_estimate() { "~" } else { "" }
    }

    /// What the table says against tuning it in this way.
    fn notes(&self, method: Method) -> Vec<String> {
        let as_of = models::table().as_of;
        let mut notes = Vec::new();
        match (self.table, models::ended(&self.name)) {
            (Some(model), _) => {
                if !takes(model, method) {
                    let method = name_of(method);
                    notes.push(format!(
                        "the table of {as_of} does not list it for `{method}`"
                    ));
                }
                if let Some(day) = model.retires.filter(|_| !model.may_retire_later) {
                    notes.push(format!("retires on {day}"));
                }
                notes.extend(model.note.clone());
            }
            (None, Some(family)) => notes.push(format!("retired in {}", family.when)),
            (None, None) => notes.push(format!("not in the table of {as_of}")),
        }
        let tokenizer = &self.tokenizer;
        match self.basis {
            Basis::Estimate => {
                let estimate = estimate(self.tokens);
                notes.push(format!(
                    "its vocabulary is not known, the tokens are an estimate: most likely {} to {}",
                    ui::count(estimate.low as u64),
                    ui::count(estimate.high as u64)
                ));
            }
            Basis::Assumed => {
                notes.push(format!(
                    "that its vocabulary is {tokenizer} is an assumption"
                ));
            }
            Basis::Named => notes.push(format!("counted with {tokenizer}")),
            Basis::Listed | Basis::Newest => {}
        }
        notes
    }

    fn to_json(&self, epochs: &[u32], method: Method) -> Value {
        let cost = |epochs: &u32| json!({"epochs": epochs, "cost": self.cost(*epochs).map(Dollars::as_f64)});
        let price = self.price.as_ref().map(|price| {
            json!({
                "training": price.training,
                "as_of": price.as_of,
                "evidence": price.evidence,
            })
        });
        let mut value = json!({
            "model": self.name,
            "tokenizer": self.tokenizer,
            "basis": self.basis.as_str(),
            "tokens_per_epoch": self.tokens,
            "price": price,
            "costs": epochs.iter().map(cost).collect::<Vec<_>>(),
            "notes": self.notes(method),
        });
        if self.is_estimate() {
            let estimate = estimate(self.tokens);
            value["estimate"] = json!({"low": estimate.low, "high": estimate.high});
        }
        value
    }
}

struct Report {
    method: Method,
    epochs: Option<u32>,
    max_cost: Option<Dollars>,
    rows: Vec<Row>,
    unpriced: Vec<String>,
    files: Vec<CountedFile>,
}

impl Report {
    fn epochs(&self) -> &[u32] {
        match &self.epochs {
            Some(epochs) => std::slice::from_ref(epochs),
            None => &EPOCHS,
        }
    }

    fn examples(&self) -> u64 {
        self.files.iter().map(|file| file.counted.examples).sum()
    }

    /// How the cost stands to the limit, if there is one.
    fn verdict(&self) -> Result<Option<Verdict>, Failure> {
        let (Some(most), Some(epochs), [row]) = (self.max_cost, self.epochs, &*self.rows) else {
            return Ok(None);
        };
        let Some(cost) = row.highest_cost(epochs) else {
            return Err(Failure::new(format!(
                "the price of tuning `{}` is not known",
                row.name
            ))
            .hint(format!(
                "set it in `prep.yaml`, in US dollars for a million tokens: `prices: {{{}: 3.00}}`",
                row.name
            )));
        };
        let is_complete = |file: &CountedFile| file.counted.not_examples == 0 && file.media() == 0;
        Ok(Some(if cost > most {
            Verdict::Above
        } else if self.files.iter().all(is_complete) {
            Verdict::Within
        } else {
            Verdict::Unknown
        }))
    }

    fn cannot_tell(&self) -> Failure {
        let most = self
            .max_cost
            .map_or_else(String::new, |most| most.to_string());
        let sum = |of: fn(&CountedFile) -> u64| self.files.iter().map(of).sum();
        let lines: u64 = sum(|file| file.counted.not_examples);
        let media: u64 = sum(CountedFile::media);
        let left_out = match (lines, media) {
            (0, media) => format!("the tokens of {}", ui::of(media, "media file")),
            (lines, 0) => ui::of(lines, "line"),
            (lines, media) => format!(
                "{} and the tokens of {}",
                ui::of(lines, "line"),
                ui::of(media, "media file")
            ),
        };
        Failure::new(format!(
            "cannot tell whether it costs more than {most}: {left_out} could not be counted"
        ))
        .hint(if lines > 0 {
            "run `prep validate` for what is wrong with those lines"
        } else {
            "leave out `--max-cost` and allow for the media yourself"
        })
    }

    fn write(&self, verdict: Option<Verdict>, out: &mut dyn Write) -> io::Result<()> {
        let examples = ui::of(self.examples(), "example");
        let how = match self.method {
            Method::Sft => "",
            Method::Preference => ", by preferences",
        };
        writeln!(out, "Tuning with {examples}{how}, in US dollars:\n")?;
        self.costs().write(out)?;
        writeln!(out)?;
        if self.epochs.is_none() {
            writeln!(
                out,
                "Without `--epochs` the service chooses the number of epochs itself; how is not known, and it may\n\
                 be far more than five: 40 for 166 examples were seen.\n"
            )?;
        }
        self.prices().write(out)?;
        let notes: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| {
                let notes = row.notes(self.method);
                (!notes.is_empty()).then(|| format!("{}: {}", row.name, notes.join("; ")))
            })
            .collect();
        if !notes.is_empty() {
            writeln!(out)?;
        }
        for note in notes {
            writeln!(out, "{}", ui::visible(&note))?;
        }
        if !self.unpriced.is_empty() {
            writeln!(
                out,
                "not shown, as no price is known: {}; `prices:` in `prep.yaml` sets one",
                self.unpriced.join(", ")
            )?;
        }
        self.write_verdict(verdict, out)
    }

    fn costs(&self) -> Table {
        let numbers: &[&str] = match self.epochs {
            Some(_) => &["EPOCHS", "TOKENS BILLED", "COST"],
            None => &["1 EPOCH", "2 EPOCHS", "3 EPOCHS", "4 EPOCHS", "5 EPOCHS"],
        };
        let mut head = vec![("MODEL", Align::Left), ("TOKENS AN EPOCH", Align::Right)];
        head.extend(numbers.iter().map(|name| (*name, Align::Right)));
        let mut table = Table::new(head);
        for row in &self.rows {
            let mark = row.mark();
            let tokens =
                |n: u128| format!("{mark}{}", ui::count(u64::try_from(n).unwrap_or(u64::MAX)));
            let one = u128::from(row.tokens);
            let mut cells = vec![row.name.clone(), tokens(one)];
            if let Some(epochs) = self.epochs {
                cells.push(ui::count(epochs.into()));
                cells.push(tokens(one * u128::from(epochs)));
            }
            cells.extend(self.epochs().iter().map(|epochs| match row.cost(*epochs) {
                Some(cost) => format!("{mark}{cost}"),
                None => "-".into(),
            }));
            table.row(cells);
        }
        table
    }

    fn prices(&self) -> Table {
        let mut table = Table::new([
            ("MODEL", Align::Left),
            ("A MILLION TOKENS", Align::Right),
            ("AS OF", Align::Left),
            ("KNOWN BY", Align::Left),
        ]);
        for row in &self.rows {
            let (price, as_of, evidence) = match &row.price {
                Some(price) => (
                    dollars(price.training),
                    price
                        .as_of
                        .map_or_else(|| "-".into(), |day| day.to_string()),
                    price.evidence.clone(),
                ),
                None => (
                    "-".into(),
                    "-".into(),
                    "not known; `prices:` in `prep.yaml` sets it".into(),
                ),
            };
            table.row(vec![row.name.clone(), price, as_of, evidence]);
        }
        table
    }

    fn write_verdict(&self, verdict: Option<Verdict>, out: &mut dyn Write) -> io::Result<()> {
        let (Some(most), Some(epochs), [row]) = (self.max_cost, self.epochs, &*self.rows) else {
            return Ok(());
        };
        let (Some(cost), Some(verdict)) = (row.highest_cost(epochs), verdict) else {
            return Ok(());
        };
        let up_to = if row.is_estimate() { "up to " } else { "" };
        let name = &row.name;
        match verdict {
            Verdict::Above => writeln!(out, "\n{name} would cost {up_to}{cost}, more than {most}"),
            Verdict::Within => writeln!(out, "\n{name} would cost {up_to}{cost}, within {most}"),
            Verdict::Unknown => Ok(()),
        }
    }

    fn tell_left_out(&self) {
        self.files.iter().for_each(CountedFile::tell_left_out);
        let sum = |of: fn(&CountedFile) -> u64| self.files.iter().map(of).sum();
        let preferences: u64 = sum(|file| file.counted.with_completions);
        let others = self.examples() - preferences;
        match self.method {
            Method::Sft if preferences > 0 => ui::remark(
                "warning",
                &format!(
                    "{} with `completions`, for preference tuning: `--method preference` tells what that costs",
                    is_or_are(preferences)
                ),
            ),
            Method::Preference if others > 0 => ui::remark(
                "warning",
                &format!(
                    "{} without `completions`, which preference tuning wants",
                    is_or_are(others)
                ),
            ),
            Method::Sft | Method::Preference => {}
        }
    }

    fn to_json(&self, verdict: Option<Verdict>) -> Value {
        let row = |row: &Row| row.to_json(self.epochs(), self.method);
        let mut report = json!({
            "schema": 1,
            "method": name_of(self.method),
            "currency": "USD",
            "as_of": models::table().as_of,
            "epochs": self.epochs,
            "examples": self.examples(),
            "models": self.rows.iter().map(row).collect::<Vec<_>>(),
            "unpriced": self.unpriced,
            "files": self.files.iter().map(CountedFile::to_json).collect::<Vec<_>>(),
        });
        if let Some(most) = self.max_cost {
            report["max_cost"] = json!(most.as_f64());
            report["verdict"] = json!(verdict.map(Verdict::as_str));
        }
        report
    }
}

fn is_or_are(n: u64) -> String {
    let verb = if n == 1 { "is" } else { "are" };
    format!("there {verb} {}", ui::of(n, "example"))
}

fn name_of(method: Method) -> &'static str {
    match method {
        Method::Sft => "sft",
        Method::Preference => "preference",
    }
}

/// A price, to the cent or with all digits that it has behind.
fn dollars(price: f64) -> String {
    let short = format!("{price:.2}");
    if short.parse() == Ok(price) {
        format!("${short}")
    } else {
        format!("${price}")
    }
}
