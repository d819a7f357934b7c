//! In which script letters are, as far as pair rules tell scripts apart.

/// A script, or a family that is written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Script {
    /// Latin.
    Latin,
    /// Chinese characters.
    Han,
    /// Hiragana and Katakana.
    Kana,
    /// Hangul.
    Hangul,
    /// Cyrillic.
    Cyrillic,
    /// Greek.
    Greek,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Devanagari.
    Devanagari,
    /// Thai.
    Thai,
    /// Any other.
    Other,
}

impl Script {
    /// The script of a letter; `None` for what is no letter.
    #[inline]
    pub(super) fn of(c: char) -> Option<Self> {
        Some(match c {
            'a'..='z' | 'A'..='Z' => Self::Latin,
            '\0'..='\u{7f}' => return None,
            'ª' | 'º' | 'µ' => return None,
            // Of these most texts are, and all are letters: no table is asked.
            'À'..='Ö' | 'Ø'..='ö' | 'ø'..='\u{24f}' => Self::Latin,
            '\u{4e00}'..='\u{9fff}' => Self::Han,
            _ if !c.is_alphabetic() => return None,
            '\u{80}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}' => Self::Latin,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Self::Greek,
            '\u{400}'..='\u{52f}' => Self::Cyrillic,
            '\u{590}'..='\u{5ff}' => Self::Hebrew,
            '\u{600}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' => {
                Self::Arabic
            }
            '\u{900}'..='\u{97f}' => Self::Devanagari,
            '\u{e00}'..='\u{e7f}' => Self::Thai,
            '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => Self::Kana,
            '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
            | '々' => Self::Han,
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' | '\u{3130}'..='\u{318f}' => {
                Self::Hangul
            }
            _ => Self::Other,
        })
    }

    /// Names it as messages do.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Latin => "Latin",
            Self::Han => "Chinese",
            Self::Kana => "Japanese",
            Self::Hangul => "Korean",
            Self::Cyrillic => "Cyrillic",
            Self::Greek => "Greek",
            Self::Arabic => "Arabic",
            Self::Hebrew => "Hebrew",
            Self::Devanagari => "Devanagari",
            Self::Thai => "Thai",
            Self::Other => "another",
        }
    }

    /// Whether letters of the two stand beside each other in one language.
    pub(super) fn goes_with(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::Han, Self::Kana | Self::Hangul) | (Self::Kana | Self::Hangul, Self::Han)
            )
    }

    /// How many characters of this script say what ten Latin letters say: a
    /// rule of thumb for datasets that are too small to learn from.
    pub(super) fn density(self) -> f64 {
        match self {
            Self::Han => 3.2,
            Self::Kana => 5.0,
            Self::Hangul => 5.0,
            Self::Thai | Self::Arabic | Self::Hebrew => 8.5,
            _ => 10.0,
        }
    }
}

/// The letters of a text by script, most of them Latin in most texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts([u32; 11]);

impl Counts {
    pub(super) fn of(text: &str) -> Self {
        let mut counts = Self::default();
        for c in text.chars() {
            if let Some(script) = Script::of(c) {
                counts.0[script as usize] += 1;
            }
        }
        counts
    }

    pub(super) fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// The letters that go with a script.
    pub(super) fn beside(&self, expected: Script) -> u32 {
        let counts = ALL.iter().zip(self.0);
        counts
            .filter(|(script, _)| script.goes_with(expected))
            .map(|(_, n)| n)
            .sum()
    }

    /// The script of most letters.
    pub(super) fn most(&self) -> Option<Script> {
        let (script, n) = ALL.iter().zip(self.0).max_by_key(|(_, n)| *n)?;
        (n > 0).then_some(*script)
    }
}

const ALL: [Script; 11] = [
    Script::Latin,
    Script::Han,
    Script::Kana,
    Script::Hangul,
    Script::Cyrillic,
    Script::Greek,
    Script::Arabic,
    Script::Hebrew,
    Script::Devanagari,
    Script::Thai,
    Script::Other,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_letter_has_no_script() {
        for c in '\0'..=char::MAX {
            let is_letter = c.is_alphabetic() && !matches!(c, 'ª' | 'º' | 'µ');
            assert_eq!(Script::of(c).is_some(), is_letter, "{c:?}");
        }
        assert_eq!(
            "aé中".chars().map(Script::of).collect::<Vec<_>>(),
            [Some(Script::Latin), Some(Script::Latin), Some(Script::Han)]
        );
    }
}
