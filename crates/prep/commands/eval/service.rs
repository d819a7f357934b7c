//! `--remote`: Google's evaluation service is asked about predictions.
//!
//! A request is a segment: its source is what was asked last, less the template
//! around every source, its reference the first. Answers are kept beside the
//! predictions, one journal for each version, language and place.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prep_data::rules::Learnt;
use prep_data::rules::pairs::learn::Relation;
use prep_data::text::language::Language;
use prep_submit::asking::{self as asked, Journal};
use prep_submit::evaluate::{Scoring, Segment, Verdict, Version};
use serde_json::json;

use super::asking::{self, Line};
use super::read::{System, last_text};
use super::remote::Remote;
use super::{EvalArgs, References};
use crate::args::{RemoteName, Shared};
use crate::commands::filter::{PairPlan, told};
use crate::failure::{Failure, plain};
use crate::settings::PairSettings;
use crate::ui;

/// What is known of the price.
const PRICE: &str = "what it costs is not known: Google's page of 2026-08-22 charges nothing \
                     while it is a preview";

impl RemoteName {
    fn version(self) -> Version {
        match self {
            Self::Comet => Version::Comet22SrcRef,
            Self::Metricx => Version::Metricx24SrcRef,
            Self::MetricxRef => Version::Metricx24Ref,
            Self::MetricxSrc => Version::Metricx24Src,
        }
    }
}

/// The scores of one file that are to be had from the service.
struct Order<'a> {
    scoring: Scoring,
    path: PathBuf,
    file: &'a str,
    /// The lines that are asked about, from 0.
    lines: Vec<usize>,
    segments: Vec<Segment>,
    is_kept: Vec<bool>,
    remote: Remote,
}

/// Asks for all scores of all files.
pub(super) fn score(
    args: &EvalArgs,
    settings: &PairSettings,
    shared: &Shared,
    systems: &[System<'_>],
    references: &References<'_>,
) -> Result<Vec<Remote>, Failure> {
    if args.asking.remote.is_empty() {
        return Ok(Vec::new());
    }
    let line = Line::open(&args.asking, shared)?;
    let plan = PairPlan::new(&args.pairs, settings, None)?;
    let paths = args.files();
    let mut orders = Vec::new();
    let mut learnt = None;
    for (file, system) in systems.iter().enumerate() {
        // What is compared has the same sources.
        let learnt = match &learnt {
            Some(learnt) if !args.compare.is_empty() => learnt,
            _ => {
                let found = learn(&plan, system, references);
                if !shared.quiet {
                    tell_learnt(args, system, &found);
                }
                learnt.insert(found)
            }
        };
        let language =
            |flag: &Option<String>, setting: &Option<String>, found: Option<Language>| {
                let said = flag.as_ref().or(setting.as_ref()).cloned();
                said.or_else(|| found.map(|language| language.code().to_owned()))
            };
        let pairs = &args.pairs;
        let languages = [
            language(&pairs.src_lang, &settings.src_lang, learnt.source_language),
            language(&pairs.tgt_lang, &settings.tgt_lang, learnt.target_language),
        ];
        for &name in &args.asking.remote {
            let place = (file, &*paths[file]);
            orders.push(Order::new(
                name, &line, &languages, learnt, place, system, references,
            )?);
        }
    }
    let n_asked: usize = orders.iter().map(Order::n_asked).sum();
    if !shared.quiet {
        tell(args, &line, &orders, n_asked);
    }
    if n_asked > 0 {
        asking::consent(&args.asking, &line, "evaluation service")?;
    }
    let asked = orders.into_iter().map(|order| order.ask(&line, shared));
    asked.collect()
}

/// Learns the template around sources, and the languages.
fn learn(plan: &PairPlan, system: &System<'_>, references: &References<'_>) -> Learnt {
    let prompts = system.predictions.iter().enumerate();
    let prompts = prompts.filter_map(|(n, prediction)| {
        let prompt = last_text(prediction.input()?);
        (!prompt.is_empty()).then(|| (prompt, references.first(system, n)))
    });
    let pairs: Vec<_> = prompts.collect();
    let pairs = pairs.iter();
    plan.learn_of(pairs.map(|(prompt, reference)| (&**prompt, *reference)))
        .learnt
}

/// Tells what was learnt, and what follows from it.
fn tell_learnt(args: &EvalArgs, system: &System<'_>, learnt: &Learnt) {
    // The rules of pairs tell it, too.
    if args.pairs.preset.is_none() && learnt.pairs > 0 {
        ui::say(&format!("{}: {}", system.name, told(learnt)));
    }
    if learnt.relation == Relation::Answer {
        ui::remark(
            "note",
            &format!(
                "the references of `{}` are in the language of what was asked; COMET and MetricX \
                 were taught by translations",
                system.name
            ),
        );
    }
}

impl<'a> Order<'a> {
    fn new(
        name: RemoteName,
        line: &Line<'_>,
        languages: &[Option<String>; 2],
        learnt: &Learnt,
        (file, path): (usize, &Path),
        system: &'a System<'a>,
        references: &References<'_>,
    ) -> Result<Self, Failure> {
        let version = name.version();
        let cloud = &line.cloud;
        let mut scoring = Scoring::new(cloud.project.clone(), cloud.location.clone(), version);
        [scoring.source_language, scoring.target_language] = languages.clone();
        let mut remote = Remote {
            name,
            version: version.as_str(),
            is_played: cloud.is_rehearsal,
            wants_reference: version.wants_reference(),
            lower_is_better: version.lower_is_better(),
            languages: languages.clone(),
            file,
            scores: vec![None; system.predictions.len()],
            lacking: Vec::new(),
            failed: Vec::new(),
            kept: 0,
        };
        let (mut lines, mut segments) = (Vec::new(), Vec::new());
        for (n, prediction) in system.predictions.iter().enumerate() {
            let prompt = prediction.input().map(last_text).unwrap_or_default();
            let segment = Segment {
                source: prompt[learnt.template.source(&prompt)].to_owned(),
                prediction: prediction.hypothesis().to_owned(),
                reference: references.first(system, n).to_owned(),
            };
            match lack(version, &segment) {
                Some(what) => remote.lacking.push((n + 1, what)),
                None => {
                    lines.push(n);
                    segments.push(segment);
                }
            }
        }
        if segments.is_empty() {
            let title = name.title();
            let what = remote.lacking.first().map_or("segment", |(_, what)| what);
            let failure = Failure::because(
                format!("`{}` cannot be scored by {title}", system.name),
                format!("no line has all that it wants; line 1 has no {what}"),
            );
            return Err(match what {
                "source" => failure.hint(
                    "`prep predict` writes an `input` beside each prediction; `--remote metricx-ref` does without",
                ),
                _ => failure,
            });
        }
        let depends = json!({
            "version": remote.version, "languages": languages, "in": [cloud.project, cloud.location],
        });
        let path = asking::beside(path, &format!("scored-{}", name.as_str()), &depends);
        Ok(Self {
            is_kept: asking::kept(&path, &scoring, &segments)?,
            path,
            file: system.name,
            scoring,
            lines,
            segments,
            remote,
        })
    }

    fn n_asked(&self) -> usize {
        self.is_kept.iter().filter(|is_kept| !**is_kept).count()
    }

    fn ask(self, line: &Line<'_>, shared: &Shared) -> Result<Remote, Failure> {
        let mut remote = self.remote;
        let journal = Journal::open(&self.path).map_err(plain)?;
        let done = Arc::new(AtomicU64::new(0));
        let bar = ui::Bar::things(Arc::clone(&done), self.segments.len() as u64, shared);
        let lines = &self.lines;
        let ran = line.cloud.wait(asked::run(
            &line.cloud.client,
            &self.scoring,
            self.segments.into_iter(),
            Some(&journal),
            |row: asked::Row<Segment, Verdict>| {
                done.fetch_add(1, Ordering::Relaxed);
                let n = usize::try_from(row.index).map_or(0, |n| lines[n]);
                match row.result {
                    Ok(verdict) => remote.scores[n] = Some(verdict.score),
                    Err(error) => remote.failed.push((n + 1, error.message)),
                }
                Ok::<_, io::Error>(())
            },
        ));
        drop(bar);
        let summary = ran.map_err(|error| asking::ended("evaluation service", error, &journal))?;
        remote.kept = summary.kept;
        Ok(remote)
    }
}

/// What a segment does not have that the version looks at. What is sent must be
/// there: the service does not say what it makes of an empty text.
fn lack(version: Version, segment: &Segment) -> Option<&'static str> {
    let is_blank = |text: &str| text.trim().is_empty();
    if is_blank(&segment.prediction) {
        Some("prediction")
    } else if version.wants_source() && is_blank(&segment.source) {
        Some("source")
    } else if version.wants_reference() && is_blank(&segment.reference) {
        Some("reference")
    } else {
        None
    }
}

/// Tells what asking takes.
fn tell(args: &EvalArgs, line: &Line<'_>, orders: &[Order<'_>], n_asked: usize) {
    for order in orders {
        let remote = &order.remote;
        let kept = (order.segments.len() - order.n_asked()) as u64;
        let languages = match &remote.languages {
            [None, None] => "languages not told".to_owned(),
            [source, target] => {
                let name = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "?".to_owned());
                format!("{} to {}", name(source), name(target))
            }
        };
        ui::say(&format!(
            "{}: {} of {} ({}, {languages}){}",
            remote.name.as_str(),
            ui::of(order.n_asked() as u64, "request"),
            order.file,
            remote.version,
            asking::from_before(kept)
        ));
    }
    if args.reference.len() > 1 {
        ui::remark(
            "note",
            "the evaluation service sees the first reference alone",
        );
    }
    if line.is_played() {
        ui::remark(
            "note",
            "rehearsal: the evaluation service is played on this machine, and its scores say nothing of COMET and MetricX",
        );
    }
    if n_asked > 0 {
        ui::say(&format!(
            "evaluation service: {} in `{}`, at most {} a second; {PRICE}",
            ui::of(n_asked as u64, "request"),
            line.cloud.location,
            orders
                .first()
                .map_or(0.0, |order| order.scoring.pace.most_rate),
        ));
    }
}
