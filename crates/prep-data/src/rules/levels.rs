//! Which rules count, and how much: `--select`, `--ignore` and `--level`.

use crate::diag::Level;

use super::{Preset, RULES};

/// A word that names no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rule is called `{name}`")]
pub struct SelectError {
    /// The word.
    pub name: String,
    /// The rule whose code or name is nearest to it.
    pub nearest: Option<&'static str>,
}

/// The level of every rule.
#[derive(Debug, Clone)]
pub struct Levels(Vec<Level>);

impl Default for Levels {
    /// Every rule at its own level.
    fn default() -> Self {
        Self(RULES.iter().map(|rule| rule.code.level).collect())
    }
}

impl Levels {
    /// The level of a rule, by its place in [`RULES`].
    #[must_use]
    pub fn of(&self, rule: usize) -> Level {
        self.0[rule]
    }

    /// Sets the level of all rules that a word names: a code (`E012`), a name
    /// (`empty-model-turn`), or the beginning of codes (`E`, `D00`).
    ///
    /// # Errors
    ///
    /// When it names none.
    pub fn set(&mut self, name: &str, level: Level) -> Result<(), SelectError> {
        for rule in named(name)? {
            self.0[rule] = level;
        }
        Ok(())
    }

    /// Gives the rules of segment pairs the levels of a preset.
    pub fn set_pairs(&mut self, preset: Preset) {
        for (code, level) in preset.levels().filter(|(code, _)| code.starts_with('P')) {
            self.set_code(code, level);
        }
    }

    /// Gives the rules the levels that `prep filter` goes by: what is no example
    /// is an error as ever, what only deserves a look is off, and the preset
    /// says the rest.
    pub fn set_filter(&mut self, preset: Option<Preset>) {
        for level in &mut self.0 {
            if *level == Level::Warn {
                *level = Level::Allow;
            }
        }
        for (code, level) in preset.into_iter().flat_map(Preset::levels) {
            self.set_code(code, level);
        }
    }

    fn set_code(&mut self, code: &str, level: Level) {
        let rules = RULES.iter().zip(&mut self.0);
        for (_, own) in rules.filter(|(rule, _)| rule.code.code == code) {
            *own = level;
        }
    }

    /// Leaves only the rules that the words name. One that is off by default
    /// warns when it is selected.
    ///
    /// # Errors
    ///
    /// When a word names none.
    pub fn select(&mut self, names: &[String]) -> Result<(), SelectError> {
        let mut is_selected = vec![false; RULES.len()];
        for name in names {
            for rule in named(name)? {
                is_selected[rule] = true;
            }
        }
        for (level, is_selected) in self.0.iter_mut().zip(is_selected) {
            *level = match (*level, is_selected) {
                (_, false) => Level::Allow,
                (Level::Allow, true) => Level::Warn,
                (level, true) => level,
            };
        }
        Ok(())
    }
}

/// The rules that a word names, by their places in [`RULES`].
fn named(name: &str) -> Result<Vec<usize>, SelectError> {
    let is_prefix = |code: &str| {
        code.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let rules: Vec<_> = RULES
        .iter()
        .enumerate()
        .filter(|(_, rule)| {
            rule.code.name.eq_ignore_ascii_case(name)
                || (!name.is_empty() && is_prefix(rule.code.code))
        })
        .map(|(n, _)| n)
        .collect();
    if !rules.is_empty() {
        return Ok(rules);
    }
    let names = RULES
        .iter()
        .flat_map(|rule| [rule.code.code, rule.code.name]);
    Err(SelectError {
        name: name.to_owned(),
        nearest: crate::text::nearest::nearest(name, names),
    })
}
