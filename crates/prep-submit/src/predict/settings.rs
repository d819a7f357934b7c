//! How answers are made: sampling, thinking, safety, by the family of the model.
//!
//! Families differ in what they take. Sampling parameters are not sent unless
//! they are asked for: Gemini 3 deprecates them. A tuned model has learnt to
//! answer without thinking, so that is turned off, or down as far as the family
//! allows; how a base model thinks is left to the service unless it is said.

use std::str::FromStr;

use serde_json::{Map, Value, json};

/// Settings of generation, as far as they were chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Generation {
    /// The most tokens of an answer. Thinking counts.
    pub max_output_tokens: Option<u32>,
    /// How freely tokens are drawn.
    pub temperature: Option<f64>,
    /// From which share of the likelihood tokens are drawn.
    pub top_p: Option<f64>,
    /// A seed; the service does its best with it.
    pub seed: Option<i32>,
    /// How much the model thinks.
    pub thinking: Thinking,
    /// What is blocked.
    pub safety: Option<Safety>,
}

/// How much a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// A tuned model as little as it can, a base model as the service chooses.
    #[default]
    Default,
    /// So many tokens: 0 is not at all, -1 as the model likes (Gemini 2.5).
    Budget(i32),
    /// A level (Gemini 3).
    Level(ThinkingLevel),
}

/// A level of thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinkingLevel {
    /// As little as can be.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl ThinkingLevel {
    const NAMES: [(&'static str, Self); 4] = [
        ("MINIMAL", Self::Minimal),
        ("LOW", Self::Low),
        ("MEDIUM", Self::Medium),
        ("HIGH", Self::High),
    ];

    /// The level as the service spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find_map(|(name, level)| (*level == self).then_some(*name))
            .unwrap_or_default()
    }
}

impl FromStr for ThinkingLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut names = Self::NAMES.into_iter();
        let found =
            names.find_map(|(name, level)| name.eq_ignore_ascii_case(text).then_some(level));
        found.ok_or_else(|| {
            format!("`{text}` is no level of thinking; there are minimal, low, medium and high")
        })
    }
}

/// From which likelihood of harm on an answer is blocked, for all four
/// categories that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// The filters are off.
    Off,
    /// Nothing is blocked.
    None,
    /// What is likely harmful is blocked.
    High,
    /// What may be harmful, too.
    Medium,
    /// What is hardly harmful, too.
    Low,
}

impl Safety {
    const NAMES: [(&'static str, &'static str, Self); 5] = [
        ("off", "OFF", Self::Off),
        ("none", "BLOCK_NONE", Self::None),
        ("high", "BLOCK_ONLY_HIGH", Self::High),
        ("medium", "BLOCK_MEDIUM_AND_ABOVE", Self::Medium),
        ("low", "BLOCK_LOW_AND_ABOVE", Self::Low),
    ];

    /// The threshold as the service spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find_map(|(_, name, safety)| (*safety == self).then_some(*name))
            .unwrap_or_default()
    }
}

impl FromStr for Safety {
    type Err = String;

    /// Reads `off`, `none`, `high`, `medium` and `low`, and Google's names.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut names = Self::NAMES.into_iter();
        let is_it = |name: &str| name.eq_ignore_ascii_case(text);
        let found =
            names.find_map(|(short, name, safety)| (is_it(short) || is_it(name)).then_some(safety));
        found.ok_or_else(|| {
            format!("`{text}` is no threshold; there are off, none, high, medium and low")
        })
    }
}

/// The categories of harm that can be set.
const HARMS: [&str; 4] = [
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
];

/// Models that take the same settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Gemini 2.5 Pro: a budget of thinking that cannot be 0.
    Gemini25Pro,
    /// Gemini 2.5 Flash: any budget of thinking.
    Gemini25Flash,
    /// Gemini 2.5 Flash-Lite: a budget of 0, or of 512 and more.
    Gemini25FlashLite,
    /// Gemini 3 and later: levels of thinking, no sampling parameters.
    Gemini3,
    /// Older, of another kind, or not known: nothing is assumed.
    Other,
}

impl Family {
    /// The family of a model, by its name with or without a path in front.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let Some(version) = name.strip_prefix("gemini-") else {
            return Self::Other;
        };
        let is = |begins: &str| version.starts_with(begins);
        let major: String = version.chars().take_while(char::is_ascii_digit).collect();
        match major.parse::<u32>() {
            Ok(3..) => Self::Gemini3,
            _ if is("2.5-flash-lite") => Self::Gemini25FlashLite,
            _ if is("2.5-flash") => Self::Gemini25Flash,
            _ if is("2.5-pro") => Self::Gemini25Pro,
            _ => Self::Other,
        }
    }

    /// The least thinking that a model of the family can do, as
    /// `thinkingConfig`.
    fn least_thinking(self) -> Option<Value> {
        match self {
            Self::Gemini25Flash | Self::Gemini25FlashLite => Some(json!({"thinkingBudget": 0})),
            Self::Gemini25Pro => Some(json!({"thinkingBudget": 128})),
            Self::Gemini3 => Some(json!({"thinkingLevel": "MINIMAL"})),
            Self::Other => None,
        }
    }
}

/// What a model cannot do with the settings, or should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingProblem {
    /// Whether the service would refuse.
    pub is_refused: bool,
    /// What is wrong: a phrase.
    pub message: String,
}

impl Generation {
    /// Lists what is wrong with the settings for a model.
    #[must_use]
    pub fn problems(&self, family: Family) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut add = |is_refused, is_wrong: bool, message: String| {
            if is_wrong {
                problems.push(SettingProblem {
                    is_refused,
                    message,
                });
            }
        };
        if let Some(n) = self.max_output_tokens {
            let is_wrong = !(1..=65_536).contains(&n);
            add(
                true,
                is_wrong,
                format!("an answer of {n} tokens is not between 1 and 65,536"),
            );
        }
        if let Some(t) = self.temperature {
            let is_wrong = !(0.0..=2.0).contains(&t);
            add(
                true,
                is_wrong,
                format!("a temperature of {t} is not between 0 and 2"),
            );
        }
        if let Some(p) = self.top_p {
            let is_wrong = !(p > 0.0 && p <= 1.0);
            add(
                true,
                is_wrong,
                format!("a top-p of {p} is not above 0 and up to 1"),
            );
        }
        let samples = self.temperature.is_some() || self.top_p.is_some();
        let message = "Gemini 3 deprecates temperature and top-p: leave them out".to_owned();
        add(false, samples && family == Family::Gemini3, message);
        match (self.thinking, family) {
            (Thinking::Default, _) | (_, Family::Other) => {}
            (Thinking::Level(_), Family::Gemini3) => {}
            (Thinking::Level(_), _) => {
                add(
                    true,
                    true,
                    "Gemini 2.5 takes a budget of thinking, not a level".into(),
                );
            }
            (Thinking::Budget(_), Family::Gemini3) => {
                add(
                    true,
                    true,
                    "Gemini 3 takes a level of thinking, not a budget".into(),
                );
            }
            (Thinking::Budget(budget), family) => {
                let (is_right, range) = match family {
                    Family::Gemini25Pro => ((128..=32_768).contains(&budget), "128 to 32,768"),
                    Family::Gemini25FlashLite => (
                        budget == 0 || (512..=24_576).contains(&budget),
                        "0, or 512 to 24,576",
                    ),
                    _ => ((0..=24_576).contains(&budget), "0 to 24,576"),
                };
                let message =
                    format!("a thinking budget of {budget} is not {range}, or -1 for any");
                add(true, !is_right && budget != -1, message);
            }
        }
        problems
    }

    /// The `generationConfig` for a model, on top of what a prompt has itself.
    #[must_use]
    pub fn config(&self, family: Family, is_tuned: bool, own: &Map<String, Value>) -> Value {
        let mut config = own.clone();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                config.insert(name.into(), value);
            }
        };
        set("maxOutputTokens", self.max_output_tokens.map(Into::into));
        set("temperature", self.temperature.map(Into::into));
        set("topP", self.top_p.map(Into::into));
        set("seed", self.seed.map(Into::into));
        let thinking = match self.thinking {
            Thinking::Default if is_tuned => family.least_thinking(),
            Thinking::Default => None,
            Thinking::Budget(budget) => Some(json!({"thinkingBudget": budget})),
            Thinking::Level(level) => Some(json!({"thinkingLevel": level.as_str()})),
        };
        set("thinkingConfig", thinking);
        Value::Object(config)
    }

    /// The `safetySettings`, if they were chosen.
    #[must_use]
    pub fn safety_settings(&self) -> Option<Value> {
        let threshold = self.safety?.as_str();
        let setting = |category: &str| json!({"category": category, "threshold": threshold});
        Some(HARMS.into_iter().map(setting).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_name() {
        let check = |name: &str, family| assert_eq!(Family::of(name), family, "{name}");
        check("gemini-2.5-pro", Family::Gemini25Pro);
        check("gemini-2.5-flash", Family::Gemini25Flash);
        check("gemini-2.5-flash-lite@001", Family::Gemini25FlashLite);
        check("gemini-3.1-flash-lite", Family::Gemini3);
        check("publishers/google/models/gemini-3.5-flash", Family::Gemini3);
        check("gemini-3-flash-preview", Family::Gemini3);
        check("gemini-10-pro", Family::Gemini3);
        check("gemini-2.0-flash-001", Family::Other);
        check("translation-llm-002", Family::Other);
    }

    #[test]
    fn a_tuned_model_thinks_as_little_as_it_can() {
        let thinking = |family, is_tuned| {
            let config = Generation::default().config(family, is_tuned, &Map::new());
            config.get("thinkingConfig").cloned()
        };
        assert_eq!(
            thinking(Family::Gemini3, true),
            Some(json!({"thinkingLevel": "MINIMAL"}))
        );
        assert_eq!(
            thinking(Family::Gemini25Flash, true),
            Some(json!({"thinkingBudget": 0}))
        );
        assert_eq!(
            thinking(Family::Gemini25Pro, true),
            Some(json!({"thinkingBudget": 128}))
        );
        assert_eq!(thinking(Family::Other, true), None);
        assert_eq!(thinking(Family::Gemini3, false), None);
    }

    #[test]
    fn only_what_was_chosen_is_sent() {
        let own = Map::from_iter([("mediaResolution".to_owned(), json!("MEDIA_RESOLUTION_LOW"))]);
        let config = Generation::default().config(Family::Gemini3, false, &own);
        assert_eq!(config, json!({"mediaResolution": "MEDIA_RESOLUTION_LOW"}));
        let chosen = Generation {
            max_output_tokens: Some(256),
            temperature: Some(0.0),
            top_p: Some(0.9),
            seed: Some(7),
            thinking: Thinking::Level(ThinkingLevel::Low),
            safety: Some(Safety::Off),
        };
        assert_eq!(
            chosen.config(Family::Gemini3, true, &Map::new()),
            json!({"maxOutputTokens": 256, "temperature": 0.0, "topP": 0.9, "seed": 7,
                   "thinkingConfig": {"thinkingLevel": "LOW"}})
        );
        let safety = chosen.safety_settings().unwrap();
        let safety = safety.as_array().unwrap();
        assert_eq!(safety.len(), 4);
        assert!(safety.iter().all(|setting| setting["threshold"] == "OFF"));
        assert_eq!(Generation::default().safety_settings(), None);
    }

    #[test]
    fn what_a_family_refuses_is_told() {
        let check = |thinking, family, expected: &[bool]| {
            let generation = Generation {
                thinking,
                ..Generation::default()
            };
            let problems = generation.problems(family);
            let refused: Vec<_> = problems.iter().map(|problem| problem.is_refused).collect();
            assert_eq!(refused, expected, "{problems:?}");
        };
        check(Thinking::Budget(0), Family::Gemini25Flash, &[]);
        check(Thinking::Budget(-1), Family::Gemini25Pro, &[]);
        check(Thinking::Budget(0), Family::Gemini25Pro, &[true]);
        check(Thinking::Budget(100), Family::Gemini25FlashLite, &[true]);
        check(Thinking::Budget(0), Family::Gemini3, &[true]);
        check(
            Thinking::Level(ThinkingLevel::Low),
            Family::Gemini25Flash,
            &[true],
        );
        check(Thinking::Level(ThinkingLevel::Low), Family::Other, &[]);
        let wild = Generation {
            max_output_tokens: Some(0),
            temperature: Some(2.5),
            top_p: Some(0.0),
            ..Generation::default()
        };
        assert_eq!(wild.problems(Family::Gemini25Flash).len(), 3);
        let warned = Generation {
            temperature: Some(0.0),
            ..Generation::default()
        };
        assert!(!warned.problems(Family::Gemini3)[0].is_refused);
    }

    #[test]
    fn words_are_read() {
        assert_eq!("off".parse(), Ok(Safety::Off));
        assert_eq!("BLOCK_ONLY_HIGH".parse(), Ok(Safety::High));
        assert!("strict".parse::<Safety>().is_err());
        assert_eq!("minimal".parse(), Ok(ThinkingLevel::Minimal));
        assert!("none".parse::<ThinkingLevel>().is_err());
    }
}
