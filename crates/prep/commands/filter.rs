//! `prep filter`: a dataset without the pairs that are no good.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use prep_data::diag::Level;
use prep_data::io::passport::{SourceFile, SourceFiles};
use prep_data::io::{Inherited, Input, OutputWriter, Progress};
use prep_data::pipeline::{FilterOutcome, FilterRun, FilterSinks, filter, ordered, survey};
use prep_data::rules::pairs::learn::Relation;
use prep_data::rules::{
    self, Check, Context, Glossary, Learnt, Levels, PairContext, Preset, RULES, Survey, Wanted,
    pairs,
};
use prep_data::source::Options;
use prep_data::text::language::Language;
use serde_json::{Map, Value, json};

use super::validate::unknown_rule;
use crate::Answer;
use crate::args::{FilterArgs, PairArgs, Shared};
use crate::failure::{Failure, plain};
use crate::settings::{PairSettings, Settings};
use crate::target::{Product, Report, Target, account, step, threads};
use crate::{interrupt, ui};

/// How many findings of each rule a dry run shows.
const SHOWN: usize = 3;

/// Runs the command.
pub(crate) fn run(args: &FilterArgs, shared: &Shared) -> Result<Answer, Failure> {
    let started = Instant::now();
    let settings = Settings::read(shared)?;
    let preset = args.pairs.preset;
    let preset = preset
        .or(settings.filter.preset)
        .or(settings.validate.preset);
    let to_drop = [&settings.filter.drop[..], &args.drop].concat();
    let to_keep = [&settings.filter.keep[..], &args.keep].concat();
    let levels = levels(preset, &to_drop, &to_keep)?;
    let plan = PairPlan::new(&args.pairs, &settings.pairs, preset)?;
    let target = Target::new(&args.output, args.rejects.as_deref());
    if !args.dry_run {
        target.refuse_clashes(std::slice::from_ref(&args.file), shared)?;
    }
    let mut input = Input::open(&args.file)?;
    if !args.dry_run {
        target.check(shared)?;
    }
    let context = Context {
        pairs: Some(plan.learn(&mut input, shared)?),
        ..Context::default()
    };
    let progress = input.progress();
    let pool = ordered::pool(threads(shared)).map_err(plain)?;
    let bar = ui::Bar::over(vec![Arc::clone(&progress)], input.size(), shared);
    let name = input.name().to_owned();
    let mut inherited = Inherited::new(vec![source(&name, None)])?;
    let (data, passport) = if args.dry_run {
        (OutputWriter::nowhere(), None)
    } else {
        target.writers(shared)?
    };
    let sinks = FilterSinks {
        data,
        passport,
        rejects: if args.dry_run { None } else { target.rejects() },
        inherited: &mut inherited,
    };
    let run = FilterRun {
        pool: &pool,
        block_bytes: Options::BLOCK_BYTES,
        shown: SHOWN,
        stop: interrupt::stop(),
    };
    let outcome = filter(input, &context, &levels, sinks, &run)?;
    drop(bar);
    let shown = if args.dry_run { SHOWN } else { 1 };
    if !shared.quiet {
        tell(&outcome, &name, shown);
    }
    if args.dry_run {
        if !shared.quiet {
            ui::say(&format!("would be: {}", account(&outcome.ledger)));
        }
        return Ok(Answer::Yes);
    }

    let settings = plan.settings(&to_drop, &to_keep);
    let input = source(&name, Some(&progress));
    inherited.settle(0, input.clone());
    let (origins, mut steps) = inherited.finish();
    steps.push(step("filter", &settings));
    let product = Product {
        command: "filter",
        details: vec![("rules", by_rule(&outcome)), ("learnt", learnt(&context))],
        settings,
        decisions: Vec::new(),
        inputs: vec![input],
        examples: outcome.ledger.written,
        ledger: outcome.ledger,
        data: outcome.data,
        passport: outcome.passport,
        origins,
        steps,
        rejects: outcome.rejects,
        more: Vec::new(),
    };
    let report = Report::new(&[], shared);
    let written = target.finish(product, shared)?;
    report.print(&written, started);
    Ok(report.answer(&written))
}

/// The levels by which examples go: those of the preset, then what is dropped
/// and what is kept.
fn levels(preset: Option<Preset>, drop: &[String], keep: &[String]) -> Result<Levels, Failure> {
    if preset.is_none() && drop.is_empty() {
        return Err(Failure::new("there is nothing to filter by").hint(
            "choose a preset with `--preset novel`, `chat`, `ui` or `web`, or rules with `--drop`",
        ));
    }
    let mut levels = Levels::default();
    levels.set_filter(preset);
    for (names, level) in [(drop, Level::Error), (keep, Level::Warn)] {
        for name in names {
            levels.set(name, level).map_err(unknown_rule)?;
        }
    }
    for (n, rule) in RULES.iter().enumerate() {
        let is_of_dataset = matches!(rule.check, Check::Dataset(_) | Check::Prompt(_));
        let is_named = |name: &String| {
            rule.code.code.eq_ignore_ascii_case(name) || rule.code.name.eq_ignore_ascii_case(name)
        };
        if is_of_dataset && levels.of(n) == Level::Error && drop.iter().any(is_named) {
            let code = rule.code.code;
            let message = format!("`{code}` is about a dataset, not about one example");
            return Err(Failure::new(message).hint("`prep dedupe` leaves out what repeats itself"));
        }
    }
    Ok(levels)
}

/// What pairs are to be held to, before a dataset is learnt from.
#[derive(Debug)]
pub(super) struct PairPlan {
    preset: Option<Preset>,
    wanted: Wanted,
    glossary: Option<Glossary>,
    glossary_name: Option<String>,
}

impl PairPlan {
    /// Settles what flags and settings say, and reads the glossary.
    pub(super) fn new(
        args: &PairArgs,
        settings: &PairSettings,
        preset: Option<Preset>,
    ) -> Result<Self, Failure> {
        let either = |flag: &Option<String>, setting: &Option<String>| {
            flag.as_ref().or(setting.as_ref()).cloned()
        };
        let path = args.glossary.as_ref().or(settings.glossary.as_ref());
        let glossary = path.map(|path| read_glossary(path)).transpose()?;
        Ok(Self {
            preset,
            wanted: Wanted {
                source_tag: either(&args.src_lang, &settings.src_lang),
                target_tag: either(&args.tgt_lang, &settings.tgt_lang),
                source_prefix: either(&args.source_prefix, &settings.source_prefix),
            },
            glossary_name: path.map(|path| path.display().to_string()),
            glossary,
        })
    }

    /// Nothing, unless a rule of pairs is on.
    pub(super) fn if_asked(self, levels: &Levels) -> Option<Self> {
        (!pairs::active(levels).is_empty()).then_some(self)
    }

    /// Learns from pairs that were read already. Nothing is told.
    pub(super) fn learn_of<'p>(
        &self,
        pairs: impl Iterator<Item = (&'p str, &'p str)>,
    ) -> PairContext {
        let mut survey = Survey::default();
        for (prompt, answer) in pairs {
            if !survey.add(prompt, answer) {
                break;
            }
        }
        self.context(survey.finish(&self.wanted))
    }

    /// Learns from the beginning of a dataset, and tells what.
    pub(super) fn learn(&self, input: &mut Input, shared: &Shared) -> Result<PairContext, Failure> {
        let learnt = survey(input, &self.wanted)?;
        if !shared.quiet {
            ui::say(&format!("{}: {}", input.name(), told(&learnt)));
        }
        Ok(self.context(learnt))
    }

    /// Whether there are terms to keep to.
    pub(super) fn has_glossary(&self) -> bool {
        self.glossary.is_some()
    }

    fn context(&self, learnt: Learnt) -> PairContext {
        PairContext {
            // Without a preset, rules that were chosen one by one tolerate most.
            preset: self.preset.unwrap_or(Preset::Novel),
            learnt,
            glossary: self.glossary.clone(),
        }
    }

    /// The settings that bear on the output.
    fn settings(&self, drop: &[String], keep: &[String]) -> Value {
        let mut settings = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                settings.insert(name.into(), value);
            }
        };
        add("preset", self.preset.map(|preset| preset.name().into()));
        add("drop", (!drop.is_empty()).then(|| json!(drop)));
        add("keep", (!keep.is_empty()).then(|| json!(keep)));
        add("src_lang", self.wanted.source_tag.clone().map(Value::from));
        add("tgt_lang", self.wanted.target_tag.clone().map(Value::from));
        add(
            "source_prefix",
            self.wanted.source_prefix.clone().map(Value::from),
        );
        add("glossary", self.glossary_name.clone().map(Value::from));
        settings.into()
    }
}

fn read_glossary(path: &Path) -> Result<Glossary, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let cannot = format!("cannot read `{}`", path.display());
        Failure::from(anyhow::Error::new(error).context(cannot))
    })?;
    Glossary::parse(&text).map_err(|error| {
        let message = format!("`{}` is no glossary", path.display());
        Failure::because(message, error)
            .hint("write a table of two or three columns: source, target, what must not be said")
    })
}

/// What was learnt, in a line.
pub(super) fn told(learnt: &Learnt) -> String {
    let name = |language: Option<Language>, otherwise: &str| {
        language.map_or_else(|| otherwise.to_owned(), |language| language.to_string())
    };
    let mut told = vec![format!(
        "learnt from {}",
        ui::of(learnt.pairs as u64, "pair")
    )];
    let source = name(learnt.source_language, "an unknown language");
    let target = name(learnt.target_language, "an unknown language");
    told.push(
        match (
            learnt.relation,
            learnt.source_language,
            learnt.target_language,
        ) {
            (_, None, None) => "its languages cannot be told".into(),
            (Relation::Translation, ..) => format!("{source} to {target}"),
            (Relation::Answer, ..) => format!("answers in {target}, no translations"),
        },
    );
    if learnt.is_latin_american {
        told.push("of Latin America".into());
    }
    if learnt.band.spread.is_some() {
        told.push(format!(
            "targets are {:.2} times as long",
            learnt.band.middle.exp()
        ));
    }
    let shown = |text: &str| {
        format!(
            "`{}`",
            text.escape_debug().to_string().replace("\\\"", "\"")
        )
    };
    if !learnt.template.prefix.is_empty() {
        told.push(format!(
            "sources stand behind {}",
            shown(&learnt.template.prefix)
        ));
    }
    if !learnt.template.suffix.is_empty() {
        told.push(format!("and before {}", shown(&learnt.template.suffix)));
    }
    told.join(", ")
}

/// Tells what each rule said, with the first places.
fn tell(outcome: &FilterOutcome, name: &str, n_shown: usize) {
    for of_rule in &outcome.rules {
        let mut first = true;
        for (at, message) in of_rule.shown.iter().take(n_shown) {
            let times = match of_rule.found {
                found if first && found > 1 => {
                    format!(" ({} times, first here)", ui::count(found))
                }
                _ => String::new(),
            };
            first = false;
            let text = format!("{name}:{}:{}: {message}{times}", at.line, at.column);
            ui::finding(of_rule.level, of_rule.rule.code.code, &text);
        }
    }
}

fn by_rule(outcome: &FilterOutcome) -> Value {
    let rules = outcome.rules.iter().map(|of_rule| {
        let code = of_rule.rule.code;
        let counts = json!({
            "name": code.name,
            "level": of_rule.level.word(),
            "found": of_rule.found,
            "left_out": of_rule.left_out,
        });
        (code.code.to_owned(), counts)
    });
    Value::Object(rules.collect())
}

fn learnt(context: &rules::Context) -> Value {
    let Some(pairs) = &context.pairs else {
        return Value::Null;
    };
    let learnt = &pairs.learnt;
    json!({
        "pairs": learnt.pairs,
        "source_language": learnt.source_language.map(Language::code),
        "target_language": learnt.target_language.map(Language::code),
        "prefix": learnt.template.prefix,
        "suffix": learnt.template.suffix,
        "length_ratio": learnt.band.middle.exp(),
    })
}

fn source(name: &str, progress: Option<&Progress>) -> SourceFiles {
    SourceFiles {
        files: vec![SourceFile {
            path: name.to_owned(),
            bytes: progress.map_or(0, Progress::bytes),
            blake3: progress.map_or_else(String::new, Progress::checksum),
        }],
        read_as: json!({"format": "gemini"}),
    }
}
