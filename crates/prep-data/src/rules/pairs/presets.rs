//! The presets: for each kind of text, what its rules tolerate and how much
//! they matter. The only place with numbers; each says why.
//!
//! `prep filter` drops what is at error level. A preset therefore has at error
//! level what is hardly ever right in texts of its kind, and as a warning what
//! a person should look at. `cargo xtask presets` measures both on the labelled
//! sets of `fixtures/pairs`, and `docs/presets.md` keeps the result.

use std::fmt;
use std::str::FromStr;

use crate::diag::Level;
use crate::diag::Level::{Allow, Error, Warn};

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Fiction: dialogue, free translation, numbers as words.
    Novel,
    /// Chat in games and customer service: short, informal, with placeholders.
    Chat,
    /// Texts of a program: placeholders and punctuation are part of it.
    Ui,
    /// Text of web pages, mined: boilerplate, addresses, other languages.
    Web,
}

/// How the ends of the sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Ends {
    /// A question must be one on both sides.
    Questions,
    /// The last sign must be of the same kind.
    Strict,
}

/// What the rules of a preset tolerate.
#[derive(Debug)]
pub(in crate::rules) struct Limits {
    /// From how many words on an untranslated text is no title or name.
    pub(in crate::rules) copied_words: usize,
    /// How many robust standard deviations the logarithm of the ratio of
    /// lengths may be from the middle of the dataset.
    pub(in crate::rules) ratio_spreads: f64,
    /// The narrowest band, however regular a dataset: this many times as long
    /// as is usual, or as short.
    pub(in crate::rules) ratio_least: f64,
    /// The band of a dataset that is too small to learn one from.
    pub(in crate::rules) ratio_unlearnt: f64,
    /// Shorter texts have no usual ratio, in characters of the longer side.
    pub(in crate::rules) ratio_from_chars: usize,
    /// The greatest whole number that may be missing on one side, as it may be
    /// there in words that are not known (`a dozen`, `una veintena`).
    pub(in crate::rules) number_words_to: u64,
    /// How the last signs are compared.
    pub(in crate::rules) ends: Ends,
    /// Brackets must be on both sides, not only be closed.
    pub(in crate::rules) counts_brackets: bool,
    /// From how many letters on a language is told.
    pub(in crate::rules) language_letters: usize,
    /// How sure the other language must be, from 0 to 1.
    pub(in crate::rules) language_sure: f64,
    /// The least share of letters in the expected script.
    pub(in crate::rules) script_share: f64,
    /// How often a stretch may follow itself, beyond what is a loop anywhere.
    pub(in crate::rules) more_repeats: usize,
}

static NOVEL: Limits = Limits {
    // `The end.` and a line in another language inside a dialogue stay as they
    // are; six words in a row do not.
    copied_words: 6,
    // A translator merges and splits sentences: of 1,000 Tatoeba pairs the
    // widest is at 5.5 spreads.
    ratio_spreads: 6.0,
    ratio_least: 3.0,
    // Of bicleaner-hardrules' 3.0 good dialogue fails: `No.` is `—No quiero.`
    ratio_unlearnt: 4.0,
    ratio_from_chars: 40,
    // Fiction spells numbers out, in ways that no list has.
    number_words_to: 1000,
    ends: Ends::Questions,
    counts_brackets: false,
    // Names and cries are most of a short line.
    language_letters: 40,
    language_sure: 0.95,
    script_share: 0.5,
    // Refrains, and a knock at the door.
    more_repeats: 3,
};

static CHAT: Limits = Limits {
    copied_words: 5,
    ratio_spreads: 6.0,
    ratio_least: 3.0,
    // `gg` is `buena partida`: short forms have no ratio, long ones do.
    ratio_unlearnt: 4.0,
    ratio_from_chars: 30,
    // `1v1` and levels are digits on both sides; `one sec` is not.
    number_words_to: 12,
    ends: Ends::Questions,
    counts_brackets: false,
    // Chat is full of names, commands and loan words.
    language_letters: 40,
    language_sure: 0.95,
    script_share: 0.4,
    // `ja ja ja ja` and `gogogo`.
    more_repeats: 3,
};

static UI: Limits = Limits {
    // `Site administration` has no excuse, `Wi-Fi` has.
    copied_words: 4,
    ratio_spreads: 6.0,
    // Labels grow: `Log in` is `Iniciar sesión`.
    ratio_least: 2.5,
    ratio_unlearnt: 3.5,
    ratio_from_chars: 20,
    number_words_to: 2,
    ends: Ends::Strict,
    counts_brackets: true,
    language_letters: 40,
    language_sure: 0.95,
    script_share: 0.3,
    more_repeats: 0,
};

static WEB: Limits = Limits {
    copied_words: 4,
    // Mined pairs are misaligned by the thousand; OpusCleaner and
    // bicleaner-hardrules cut at a ratio of 1.7 to 3.
    ratio_spreads: 4.0,
    ratio_least: 2.0,
    ratio_unlearnt: 3.0,
    ratio_from_chars: 20,
    number_words_to: 12,
    ends: Ends::Questions,
    counts_brackets: true,
    // OpusCleaner tells the language of any line; below 20 letters it is a guess.
    language_letters: 25,
    language_sure: 0.9,
    script_share: 0.5,
    more_repeats: 0,
};

/// The levels of the rules, in each preset.
///
/// What translates nothing is an error anywhere. A lost placeholder breaks a
/// program and a bot; in a novel, braces are typography. Numbers and addresses
/// are facts for a bot, a program and a web page, and often words in a novel.
/// Punctuation is a matter of taste but in a program. Which Spanish is meant is
/// known only where it is said, and nobody wants examples dropped for a word.
const LEVELS: &[(&str, [Level; 4])] = &[
    //        novel  chat   ui     web
    ("P001", [Error, Error, Error, Error]),
    ("P002", [Error, Error, Warn, Error]),
    ("P003", [Error, Error, Warn, Error]),
    ("P004", [Warn, Error, Error, Error]),
    ("P005", [Warn, Error, Error, Warn]),
    ("P006", [Warn, Error, Error, Error]),
    ("P007", [Warn, Warn, Warn, Allow]),
    ("P008", [Warn, Allow, Warn, Warn]),
    ("P009", [Error, Error, Warn, Error]),
    ("P010", [Error, Error, Error, Error]),
    ("P011", [Error, Error, Error, Error]),
    ("P012", [Warn, Warn, Warn, Allow]),
    ("P013", [Allow, Warn, Warn, Allow]),
    ("P014", [Warn, Error, Error, Allow]),
    // Rules about single texts that drop an example when filtering: characters
    // that are lost, two encodings in one text, a model that talks about itself.
    ("E062", [Error, Error, Error, Error]),
    ("E063", [Error, Error, Error, Error]),
    ("E067", [Allow, Allow, Allow, Error]),
    ("E068", [Allow, Allow, Allow, Error]),
    ("E069", [Error, Error, Error, Error]),
];

impl Preset {
    /// All presets, in the order of their columns.
    pub const ALL: [Self; 4] = [Self::Novel, Self::Chat, Self::Ui, Self::Web];

    /// Names it as flags do.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Novel => "novel",
            Self::Chat => "chat",
            Self::Ui => "ui",
            Self::Web => "web",
        }
    }

    pub(in crate::rules) fn limits(self) -> &'static Limits {
        match self {
            Self::Novel => &NOVEL,
            Self::Chat => &CHAT,
            Self::Ui => &UI,
            Self::Web => &WEB,
        }
    }

    /// The levels of the rules that it sets, by code: of pair rules for
    /// checking and filtering, of others (whose code begins with `E`) for
    /// filtering only.
    pub fn levels(self) -> impl Iterator<Item = (&'static str, Level)> {
        LEVELS
            .iter()
            .map(move |(code, levels)| (*code, levels[self as usize]))
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|preset| preset.name() == name).ok_or_else(|| {
            format!("`{name}` is no preset; there are `novel`, `chat`, `ui` and `web`")
        })
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
