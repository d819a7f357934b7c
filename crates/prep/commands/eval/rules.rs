//! How many predictions pass the rules of segment pairs.
//!
//! The source is what was asked last, the target what the model said. What
//! rules compare with (template, languages, usual lengths) is learnt from the
//! references: a model that answers too long every time must not make that
//! usual. Of two models that are compared both are held to the same. A line on
//! which the model said nothing is not asked about; it is told elsewhere.

use prep_data::rules::pairs::{self, ActivePair};
use prep_data::rules::{Levels, Pair, PairContext};

use super::read::{System, last_text};
use super::{EvalArgs, References};
use crate::commands::filter::{PairPlan, told};
use crate::failure::Failure;
use crate::settings::PairSettings;
use crate::ui;

/// The rule that has nothing to say without a glossary.
const OF_GLOSSARY: &str = "P014";

/// What predictions are held to, if a preset turns rules on.
#[derive(Debug)]
pub(super) struct Asking {
    rules: Vec<ActivePair>,
    plan: PairPlan,
}

/// What a rule found in a file.
#[derive(Debug)]
pub(super) struct Rate {
    pub(super) rule: ActivePair,
    /// How many predictions were asked about.
    pub(super) n: usize,
    /// The lines, from 1, that do not pass, and why.
    pub(super) failed: Vec<(usize, String)>,
}

impl Rate {
    pub(super) fn passed(&self) -> usize {
        self.n - self.failed.len()
    }

    /// The share that passes, in percent.
    pub(super) fn percent(&self) -> f64 {
        if self.n == 0 {
            return 100.0;
        }
        self.passed() as f64 * 100.0 / self.n as f64
    }
}

impl Asking {
    /// Settles what flags and settings ask for; `None` if they ask for nothing.
    pub(super) fn of(args: &EvalArgs, settings: &PairSettings) -> Result<Option<Self>, Failure> {
        let Some(preset) = args.pairs.preset else {
            return Ok(None);
        };
        let mut levels = Levels::default();
        levels.set_pairs(preset);
        let plan = PairPlan::new(&args.pairs, settings, Some(preset))?;
        let mut rules = pairs::active(&levels);
        if !plan.has_glossary() {
            rules.retain(|active| active.rule().code.code != OF_GLOSSARY);
        }
        Ok(Some(Self { rules, plan }))
    }

    /// Learns what pairs are like from the references of a file.
    pub(super) fn learn(
        &self,
        system: &System<'_>,
        references: &References<'_>,
        is_quiet: bool,
    ) -> Result<PairContext, Failure> {
        let asked = system.predictions.iter().enumerate();
        let asked = asked.filter_map(|(n, prediction)| {
            let source = last_text(prediction.input()?);
            (!source.is_empty()).then(|| (source, references.first(system, n)))
        });
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            return Err(Failure::because(
                format!("`{}` cannot be held to rules of pairs", system.name),
                "no line says what was asked",
            )
            .hint("`prep predict` writes an `input` beside each prediction; without them leave out `--preset`"));
        }
        let pairs = asked.iter();
        let pairs = pairs.map(|(source, reference)| (source.as_str(), *reference));
        let context = self.plan.learn_of(pairs);
        if !is_quiet {
            ui::say(&format!("{}: {}", system.name, told(&context.learnt)));
        }
        Ok(context)
    }

    /// Asks every rule about every prediction, in the order of the table.
    pub(super) fn ask(&self, system: &System<'_>, context: &PairContext) -> Vec<Rate> {
        let rate = |&rule: &ActivePair| Rate {
            rule,
            n: 0,
            failed: Vec::new(),
        };
        let mut rates: Vec<_> = self.rules.iter().map(rate).collect();
        for (line, prediction) in (1..).zip(&system.predictions) {
            let (Some(input), Some(target)) = (prediction.input(), &prediction.text) else {
                continue;
            };
            let prompt = last_text(input);
            if prompt.is_empty() {
                continue;
            }
            let pair = Pair::new(&prompt, target, &context.learnt);
            for rate in &mut rates {
                rate.n += 1;
                if let Some(said) = rate.rule.ask(&pair, context) {
                    rate.failed.push((line, said.message));
                }
            }
        }
        rates
    }
}
