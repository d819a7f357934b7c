//! `prep validate`: a dataset through all rules.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use prep_data::diag::Level;
use prep_data::example::models::{self, Date};
use prep_data::io::Input;
use prep_data::pipeline::{CheckRun, Checked, check, ordered};
use prep_data::rules::{Context, Levels, Method, SelectError, Side};
use prep_data::source::Options;
use serde_json::{Value, json};

use super::filter::PairPlan;
use crate::Answer;
use crate::args::{PairArgs, RuleArgs, Shared, ValidateArgs};
use crate::failure::{Failure, plain};
use crate::report::{FileReport, Report, may_be_vouched};
use crate::settings::{Settings, ValidateSettings};
use crate::target::{threads, write_summary};
use crate::{interrupt, ui};

/// How many findings of each rule are listed unless someone says otherwise.
const MOST: usize = 100;

/// Runs the command.
pub(crate) fn run(args: &ValidateArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let mut settings = Settings::read(shared)?;
    let of_rules = &mut settings.validate;
    of_rules.max_per_rule = args.max_per_rule.or(of_rules.max_per_rule);
    of_rules.baseline = args.baseline.clone().or(of_rules.baseline.take());
    let validation = args.validation.as_deref();
    let report = report(
        &args.files,
        validation,
        (&args.rules, &args.pairs),
        &settings,
        shared,
    )?;

    // A report has a thousand lines, and standard output is written line by line.
    let out = anstream::AutoStream::auto(std::io::stdout().lock());
    let mut out = BufWriter::new(out);
    if !shared.quiet {
        report.write(args.format, &mut out)?;
    }
    out.flush()?;
    if shared.verbose {
        let seconds = started.elapsed().as_secs_f64();
        let bytes = report.files.iter().map(|file| file.bytes).sum();
        let rate = ui::bytes((bytes as f64 / seconds) as u64);
        ui::say(&format!("{} in {seconds:.2} s, {rate}/s", ui::bytes(bytes)));
    }
    if let Some(path) = &shared.summary {
        write_summary(path, &summary(&report))?;
    }
    Ok(if report.has_errors() {
        Answer::No
    } else {
        Answer::Yes
    })
}

/// Checks training sets, each against the validation set if there is one, and
/// that too.
pub(super) fn report(
    files: &[PathBuf],
    validation: Option<&Path>,
    (rules, pairs): (&RuleArgs, &PairArgs),
    settings: &Settings,
    shared: &Shared,
) -> Result<Report, Failure> {
    let (of_pairs, settings) = (&settings.pairs, &settings.validate);
    let preset = pairs.preset.or(settings.preset);
    let mut levels = Levels::default();
    if let Some(preset) = preset {
        levels.set_pairs(preset);
    }
    let levels = with_levels(levels, rules, settings)?;
    let pairs = PairPlan::new(pairs, of_pairs, preset)?.if_asked(&levels);
    let mut context = context(rules, settings);
    if let Some(baseline) = &settings.baseline {
        context.baseline = known(baseline)?;
    }
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let scratch = std::env::temp_dir().join("prep");
    let run = CheckRun {
        pool: &pool,
        memory: shared.memory.0,
        scratch: &scratch,
        cap: settings.max_per_rule.map_or(MOST, |most| most.0),
        block_bytes: Options::BLOCK_BYTES,
        stop: interrupt::stop(),
    };
    let mut report = Report::default();
    let mut of_validation = None;
    if let Some(path) = validation {
        let held_out = Context {
            side: Side::Validation,
            ..context.clone()
        };
        let (mut checked, blake3) =
            check_file(path, &held_out, pairs.as_ref(), &levels, &run, shared)?;
        context.validation = Some(std::mem::take(&mut checked.held_out));
        of_validation = Some(FileReport::new(name(path), &checked, &levels, &blake3));
    }
    for path in files {
        let (checked, blake3) = check_file(path, &context, pairs.as_ref(), &levels, &run, shared)?;
        let file = FileReport::new(name(path), &checked, &levels, &blake3);
        report.files.push(file);
    }
    report.files.extend(of_validation);
    Ok(report)
}

/// Checks one file; gives the checksum of what was read, too, if it matters.
fn check_file(
    path: &Path,
    context: &Context,
    pairs: Option<&PairPlan>,
    levels: &Levels,
    run: &CheckRun<'_>,
    shared: &Shared,
) -> Result<(Checked, String), Failure> {
    let mut input = Input::open(path)?;
    if !may_be_vouched(&name(path)) {
        input = input.without_checksum();
    }
    let mut context = Cow::Borrowed(context);
    if let Some(pairs) = pairs {
        context.to_mut().pairs = Some(pairs.learn(&mut input, shared)?);
    }
    let progress = input.progress();
    let bar = ui::Bar::over(vec![Arc::clone(&progress)], input.size(), shared);
    let checked = check(input, &context, levels, run)?;
    drop(bar);
    Ok((checked, progress.checksum()))
}

fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".into()
    } else {
        path.display().to_string()
    }
}

/// What the rules go by, as flags and settings say.
pub(super) fn context(args: &RuleArgs, settings: &ValidateSettings) -> Context {
    let method = args.method.or(settings.method);
    let model_name = args.model.clone().or(settings.model.clone());
    Context {
        method: method.map_or_else(Method::default, Method::from),
        model: model_name.as_deref().and_then(models::find),
        model_name,
        adapter_size: args.adapter_size.or(settings.adapter_size),
        location: args.location.clone().or(settings.location.clone()),
        today: today(),
        ..Context::default()
    }
}

/// Today in UTC; `None` if the clock is before 1970.
fn today() -> Option<Date> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Some(Date::from_days(
        i64::try_from(since.as_secs() / 86_400).ok()?,
    ))
}

/// The levels of the rules, as settings and then flags say: what is selected,
/// then what is ignored, then what has a level of its own. Flags select in
/// place of the settings, and add to what they ignore.
pub(super) fn levels(args: &RuleArgs, settings: &ValidateSettings) -> Result<Levels, Failure> {
    with_levels(Levels::default(), args, settings)
}

fn with_levels(
    mut levels: Levels,
    args: &RuleArgs,
    settings: &ValidateSettings,
) -> Result<Levels, Failure> {
    let selected = [&args.select, &settings.select];
    if let Some(selected) = selected.into_iter().find(|names| !names.is_empty()) {
        levels.select(selected).map_err(unknown_rule)?;
    }
    for name in settings.ignore.iter().chain(&args.ignore) {
        levels.set(name, Level::Allow).map_err(unknown_rule)?;
    }
    // The longer a name, the fewer rules it names: `D001` goes before `D`.
    let mut of_file: Vec<_> = settings.levels.iter().collect();
    of_file.sort_by_key(|(name, _)| name.len());
    for (name, level) in of_file {
        levels.set(name, level.0).map_err(unknown_rule)?;
    }
    for set in &args.level {
        levels.set(&set.code, set.level).map_err(unknown_rule)?;
    }
    Ok(levels)
}

pub(super) fn unknown_rule(error: SelectError) -> Failure {
    let hint = match error.nearest {
        Some(nearest) => format!("the nearest is `{nearest}`"),
        None => "`prep explain` lists them all".into(),
    };
    plain(error).hint(hint)
}

/// The fingerprints of the findings in a report of before.
fn known(path: &PathBuf) -> Result<HashSet<u64>, Failure> {
    let unusable = |what: &str| {
        Failure::new(format!("`{}` is no baseline: {what}", path.display())).hint(
            "make one with `prep validate FILE --format json --max-per-rule all > known.json`",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    })?;
    let findings = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(whole)) if whole.contains_key("findings") => {
            whole["findings"].as_array().cloned().unwrap_or_default()
        }
        _ => {
            let lines = text.lines().map(serde_json::from_str);
            lines
                .collect::<Result<Vec<Value>, _>>()
                .map_err(|_| unusable("it is neither JSON nor JSON Lines"))?
        }
    };
    let fingerprint = |finding: &Value| {
        let digits = finding["fingerprint"].as_str()?;
        u64::from_str_radix(digits, 16).ok()
    };
    let known: Option<HashSet<_>> = findings.iter().map(fingerprint).collect();
    known.ok_or_else(|| unusable("a finding in it has no fingerprint"))
}

fn summary(report: &Report) -> Value {
    let mut summary = report.summary();
    summary["schema"] = json!(1);
    summary["command"] = json!("validate");
    summary["ledger"] = json!({
        "read": summary["examples"],
        "valid": summary["valid"],
        "invalid": summary["invalid"],
    });
    summary["inputs"] = report
        .files
        .iter()
        .map(|file| json!({"path": file.name, "examples": file.examples, "bytes": file.bytes}))
        .collect();
    summary
}
