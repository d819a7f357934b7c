//! `prep mix`: datasets blended by weights.

use std::path::PathBuf;
use std::time::Instant;

use prep_data::io::Input;
use prep_data::pipeline::mix::{Means, MixError, Outcome, Share, Sinks, Source, mix};
use prep_data::pipeline::ordered;
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::args::{MixArgs, Shared};
use crate::failure::{Failure, plain};
use crate::target::{Product, Report, Target, step, threads};
use crate::{interrupt, ui};

/// Runs the command.
pub(crate) fn run(args: &MixArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let target = Target::new(&args.output, args.rejects.as_deref());
    let sources = args.sources.iter().map(|source| source.path.clone());
    let inputs: Vec<PathBuf> = sources.chain(args.against.iter().cloned()).collect();
    target.refuse_clashes(&inputs, shared)?;
    let open = |source: &crate::args::Weighted| {
        Ok::<_, Failure>(Source {
            input: Input::open(&source.path)?,
            weight: source.weight,
        })
    };
    let sources = args.sources.iter().map(open);
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let against = args.against.iter().map(|path| Input::open(path));
    let against = against.collect::<Result<Vec<_>, _>>()?;
    target.check(shared)?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let means = Means {
        pool: &pool,
        memory: shared.memory.0,
        target: target.path(),
        stop: interrupt::stop(),
    };
    let bar = {
        let inputs = || sources.iter().map(|source| &source.input).chain(&against);
        let progress = inputs().map(Input::progress).collect();
        ui::Bar::over(progress, inputs().map(Input::size).sum(), shared)
    };
    let sinks = || {
        let (data, passport) = target.writers(shared)?;
        Ok(Sinks {
            data,
            passport,
            rejects: target.rejects(),
        })
    };
    let outcome = mix(sources, against, &args.options(), sinks, &means).map_err(failure)?;
    drop(bar);

    let settings = settings(args);
    let report = Report::new(&outcome.met, shared);
    let shares = outcome.shares.clone();
    let written = target.finish(product(outcome, settings), shared)?;
    report.print(&written, started);
    if !shared.quiet {
        shares.iter().for_each(tell);
    }
    Ok(report.answer(&written))
}

fn product(outcome: Outcome, settings: Value) -> Product {
    let mut steps = outcome.steps;
    steps.push(step("mix", &settings));
    Product {
        command: "mix",
        settings,
        decisions: Vec::new(),
        inputs: outcome.inputs,
        examples: outcome.examples,
        ledger: outcome.ledger,
        data: outcome.data,
        passport: outcome.passport,
        origins: outcome.origins,
        steps,
        rejects: outcome.rejects,
        more: Vec::new(),
        details: vec![("sources", json!(outcome.shares))],
    }
}

/// The settings that bear on the output, as far as they are not the usual ones.
fn settings(args: &MixArgs) -> Value {
    let options = args.options();
    let weights = args.sources.iter().map(|source| source.weight);
    let mut settings = Map::new();
    settings.insert("weights".into(), weights.collect());
    if options.by == prep_data::pipeline::mix::By::Tokens {
        settings.insert("by".into(), "tokens".into());
    }
    if let Some(total) = options.total {
        settings.insert("total".into(), total.into());
    }
    if options.seed != 0 {
        settings.insert("seed".into(), options.seed.into());
    }
    if options.repeats {
        settings.insert("repeat".into(), true.into());
    }
    if !args.against.is_empty() {
        let paths = args.against.iter().map(|path| path.display().to_string());
        settings.insert("against".into(), paths.collect());
        let near = options
            .near
            .map(prep_data::pipeline::mix::Threshold::jaccard);
        settings.insert("near".into(), near.into());
    }
    settings.into()
}

/// Says what to do about a source that has too little.
fn failure(error: MixError) -> Failure {
    let hint = match &error {
        MixError::TooLittle { most, .. } => Some(format!(
            "`--total {most}` repeats nothing; with `--repeat` it is taken more than once"
        )),
        MixError::TooOften { .. } => Some("lower its weight, or the total".to_owned()),
        MixError::Empty { .. } => Some("leave it out, or look at what is in it".to_owned()),
        MixError::Run(_) => None,
    };
    match (error, hint) {
        (MixError::Run(error), _) => error.into(),
        (error, Some(hint)) => plain(error).hint(hint),
        (error, None) => plain(error),
    }
}

/// Tells what a source gave.
fn tell(share: &Share) {
    let Share {
        path,
        share: part,
        written,
        examples,
        tokens,
        ..
    } = share;
    let of = ui::of(share.read, "record");
    let from = if examples == written {
        format!("{} of {of}", ui::count(*examples))
    } else {
        let (examples, written) = (ui::of(*examples, "example"), ui::count(*written));
        format!("{examples} from {written} of {of}")
    };
    let tokens = tokens.map_or_else(String::new, |tokens| {
        format!(", {}", ui::of(tokens, "token"))
    });
    ui::say(&format!(
        "  {path}: {from}{tokens} (share {:.1} %)",
        100.0 * part
    ));
}
