//! `prep convert`: sources into one dataset.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use prep_data::io::passport::{SourceFile, SourceFiles};
use prep_data::io::{Input, Progress};
use prep_data::pipeline::{ComposeOptions, Job, Run, Sinks, Template, ordered};
use prep_data::source;
use serde_json::{Value, json};

use crate::Answer;
use crate::args::{ConvertArgs, Shared};
use crate::failure::{Failure, plain};
use crate::target::{Product, Report, Target, step, threads};
use crate::{interrupt, ui};

/// Runs the command.
pub(crate) fn run(args: &ConvertArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let target = Target::new(&args.output, args.rejects.as_deref());
    let system = args.system.as_deref().map(text_or_file).transpose()?;
    let compose = compose_options(args, system.clone());
    let options = args.source_options(shared.memory.0);

    target.refuse_clashes(&args.inputs, shared)?;
    let inputs = args
        .inputs
        .iter()
        .map(|path| Input::open(path))
        .collect::<Result<Vec<_>, _>>()?;
    let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
    let files: Vec<_> = inputs
        .iter()
        .map(|input| (input.name().to_owned(), input.progress()))
        .collect();

    let job = Job::new(source::open_all(inputs, &options)?, &compose)?;
    if !shared.quiet {
        tell_decisions(&job);
    }
    let decisions = decisions(&job);
    let names: Vec<Vec<String>> = job.parts().iter().map(|part| part.names.clone()).collect();

    target.check(shared)?;
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let bar = ui::Bar::over(
        files
            .iter()
            .map(|(_, progress)| Arc::clone(progress))
            .collect(),
        total,
        shared,
    );
    let run = Run {
        pool: &pool,
        memory: shared.memory.0,
        stop: interrupt::stop(),
    };
    let (data, passport) = target.writers(shared)?;
    let sinks = Sinks {
        data,
        passport,
        rejects: target.rejects(),
    };
    let outcome = job.run(sinks, &run)?;
    drop(bar);

    let read_as = serde_json::to_value(&options).map_err(plain)?;
    let settings = settings(args, system.as_deref(), &read_as);
    let sources = sources(&names, &files, &read_as);
    let steps = vec![step("convert", &settings)];
    let report = Report::new(&outcome.met, shared);
    let product = Product {
        command: "convert",
        settings,
        decisions,
        inputs: sources.clone(),
        ledger: outcome.ledger,
        examples: outcome.examples,
        data: outcome.data,
        passport: outcome.passport,
        origins: sources,
        steps,
        rejects: outcome.rejects,
        more: Vec::new(),
        details: Vec::new(),
    };
    let written = target.finish(product, shared)?;
    report.print(&written, started);
    Ok(
        if report.answer(&written) == Answer::Yes && !(args.strict && report.has_errors()) {
            Answer::Yes
        } else {
            Answer::No
        },
    )
}

/// The text of a flag that may name a file as `@FILE`. One newline at the end
/// of the file is not part of the text.
pub(super) fn text_or_file(text: &str) -> Result<String, Failure> {
    let Some(path) = text.strip_prefix('@') else {
        if text.trim().is_empty() {
            return Err(
                Failure::new("the system instruction is empty").hint("leave `--system` out")
            );
        }
        return Ok(text.to_owned());
    };
    let read = fs::read_to_string(path).map_err(|error| {
        Failure::from(anyhow::Error::new(error).context(format!("cannot read `{path}`")))
    })?;
    let read = read.strip_prefix('\u{feff}').unwrap_or(&read);
    let text = read
        .strip_suffix('\n')
        .map_or(read, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.trim().is_empty() {
        return Err(Failure::new(format!(
            "`{path}` holds no system instruction: it is empty"
        )));
    }
    Ok(text.to_owned())
}

fn compose_options(args: &ConvertArgs, system: Option<String>) -> ComposeOptions {
    // The columns of two tables are told apart where they are joined.
    let is_joined = args.id_column.is_some();
    let side = |template: &Option<Template>, column: &Option<String>| {
        let column = column.as_deref().filter(|_| !is_joined);
        template.clone().or_else(|| column.map(Template::column))
    };
    ComposeOptions {
        user: side(&args.user, &args.src_column),
        model_text: side(&args.model_text, &args.tgt_column),
        system,
        group_column: args.group_column.clone(),
        order_column: args.order_column.clone(),
    }
}

/// The settings that bear on the output, for the manifest.
fn settings(args: &ConvertArgs, system: Option<&str>, read_as: &Value) -> Value {
    let mut settings = read_as.clone();
    let more = json!({
        "user": args.user.as_ref().map(ToString::to_string),
        "model_text": args.model_text.as_ref().map(ToString::to_string),
        "system": system,
        "src_column": args.src_column,
        "tgt_column": args.tgt_column,
        "group_column": args.group_column,
        "order_column": args.order_column,
    });
    if let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) {
        settings.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    settings
}

/// What was read, source by source.
fn sources(
    names: &[Vec<String>],
    files: &[(String, Arc<Progress>)],
    read_as: &Value,
) -> Vec<SourceFiles> {
    let file = |name: &String| {
        let progress = files
            .iter()
            .find(|(file, _)| file == name)
            .map(|(_, progress)| progress);
        SourceFile {
            path: name.clone(),
            bytes: progress.map_or(0, |progress| progress.bytes()),
            blake3: progress.map_or_else(String::new, |progress| progress.checksum()),
        }
    };
    let source = |names: &Vec<String>| SourceFiles {
        files: names.iter().map(file).collect(),
        read_as: read_as.clone(),
    };
    names.iter().map(source).collect()
}

fn decisions(job: &Job) -> Vec<String> {
    job.parts().iter().map(decision).collect()
}

fn decision(part: &prep_data::pipeline::Part) -> String {
    let what = [part.format.to_string()]
        .into_iter()
        .chain(part.decisions.iter().cloned());
    format!(
        "{}: {}",
        part.names.join(" + "),
        what.collect::<Vec<_>>().join(", ")
    )
}

fn tell_decisions(job: &Job) {
    for part in job.parts() {
        ui::say(&decision(part));
    }
}
