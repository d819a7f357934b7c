//! `prep dedupe`: a dataset without its duplicates.

use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;
use prep_data::io::{Input, OutputWriter, Sha256Wanted};
use prep_data::pipeline::dedupe::{Means, Merged, Sinks, dedupe};
use prep_data::pipeline::ordered;
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::args::{DedupeArgs, Shared};
use crate::failure::{Failure, plain};
use crate::target::{Product, Report, Target, step, threads};
use crate::{interrupt, ui};

/// Runs the command.
pub(crate) fn run(args: &DedupeArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let clusters = args.clusters.as_deref();
    let target = Target::new(&args.output, args.rejects.as_deref()).and(clusters);
    target.refuse_clashes(&args.inputs, shared)?;
    let inputs = args
        .inputs
        .iter()
        .map(|path| Input::open(path))
        .collect::<Result<Vec<_>, _>>()?;
    target.check(shared)?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let means = Means {
        pool: &pool,
        memory: shared.memory.0,
        target: target.path(),
        stop: interrupt::stop(),
    };
    let total = inputs.iter().map(Input::size).sum();
    let progress = inputs.iter().map(Input::progress);
    let bar = ui::Bar::over(progress.collect::<Vec<Arc<_>>>(), total, shared);
    let sinks = || {
        let (data, passport) = target.writers(shared)?;
        let create = |path| OutputWriter::create(path, Sha256Wanted::No);
        Ok(Sinks {
            data,
            passport,
            rejects: target.rejects(),
            clusters: clusters.map(create).transpose()?,
        })
    };
    let outcome = dedupe(inputs, args.options(), clusters.is_some(), sinks, &means)?;
    drop(bar);

    let settings = settings(args);
    let mut steps = outcome.steps;
    steps.push(step("dedupe", &settings));
    let report = Report::new(&outcome.met, shared);
    let product = Product {
        command: "dedupe",
        settings,
        decisions: Vec::new(),
        inputs: outcome.inputs,
        examples: outcome.ledger.written,
        ledger: outcome.ledger,
        data: outcome.data,
        passport: outcome.passport,
        origins: outcome.origins,
        steps,
        rejects: outcome.rejects,
        more: outcome.clusters.into_iter().collect(),
        details: match args.near {
            Some(_) => vec![("least_similar", least_similar(&outcome.least_similar))],
            None => Vec::new(),
        },
    };
    let written = target.finish(product, shared)?;
    report.print(&written, started);
    let shown = outcome.least_similar.iter().take(args.show_least);
    shown.for_each(show);
    Ok(report.answer(&written))
}

/// The settings that bear on the output, as far as they are not the usual ones.
fn settings(args: &DedupeArgs) -> Value {
    let mut settings = Map::new();
    let mut add = |name: &str, value: String, usual: &str| {
        if value != usual {
            settings.insert(name.into(), value.into());
        }
    };
    add("by", name_of(&args.by), "example");
    add("keep", name_of(&args.keep), "first");
    add("conflicts", name_of(&args.conflicts), "report");
    if let Some(near) = args.near {
        settings.insert("near".into(), near.jaccard().into());
    }
    settings.into()
}

fn name_of(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn least_similar(pairs: &[Merged]) -> Value {
    let pair = |pair: &Merged| {
        json!({
            "similarity": pair.similarity,
            "kept": pair.kept.0,
            "dropped": pair.dropped.0,
        })
    };
    pairs.iter().map(pair).collect()
}

/// Shows a pair that counts as near-duplicates.
fn show(pair: &Merged) {
    let Merged {
        similarity,
        kept,
        dropped,
    } = pair;
    ui::say(&format!("similarity {similarity:.3}:"));
    ui::say(&format!("  {} | {}", kept.0, kept.1));
    ui::say(&format!("  {} | {}", dropped.0, dropped.1));
}
