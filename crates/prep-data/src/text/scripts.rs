//! Which scripts letters are of, and which language a text is in.
//!
//! Scripts are those of Unicode. The language is a guess from trigrams, of some
//! seventy languages; of a text that is too short, or that two languages fit
//! about as well, there is none. Of shorter texts more can be told when it is
//! known which languages they may be in.

use unicode_script::{Script, UnicodeScript};
use whatlang::{Detector, Info, Lang};

/// A text in a script that many languages share must have so many letters.
const LETTERS: usize = 20;

/// One in a script that hardly another language has.
const LETTERS_OF_ONE: usize = 4;

/// How sure a guess must be. Of English and Spanish sentences of 20 letters or
/// more, 98 of 100 guesses that are so sure are right, of longer texts all
/// but one in a thousand; what is called reliable (0.9) leaves twice as many
/// untold.
const CONFIDENT: f64 = 0.5;

/// So many characters of a text are looked at.
const CHARS: usize = 1000;

/// Counts of letters by script, by its name in the Unicode standard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scripts(Vec<(Script, u64)>);

impl Scripts {
    /// Counts the letters of a text. ASCII costs next to nothing.
    pub fn add(&mut self, text: &str) {
        let latin = text.bytes().filter(u8::is_ascii_alphabetic).count();
        self.count(Script::Latin, latin as u64);
        if text.is_ascii() {
            return;
        }
        for c in text.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()) {
            match c.script() {
                Script::Common | Script::Inherited | Script::Unknown => {}
                script => self.count(script, 1),
            }
        }
    }

    /// Adds what others have.
    pub fn append(&mut self, other: &Self) {
        for (script, letters) in &other.0 {
            self.count(*script, *letters);
        }
    }

    /// The scripts with their letters, from the most frequent.
    #[must_use]
    pub fn by_letters(&self) -> Vec<(&'static str, u64)> {
        let mut scripts: Vec<_> = self
            .0
            .iter()
            .map(|(script, letters)| (script.full_name(), *letters))
            .collect();
        scripts.sort_by_key(|(name, letters)| (std::cmp::Reverse(*letters), *name));
        scripts
    }

    fn count(&mut self, script: Script, letters: u64) {
        if letters == 0 {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += letters,
            None => self.0.push((script, letters)),
        }
    }
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language {
    /// Its code in ISO 639-3.
    pub code: &'static str,
    /// Its name in English.
    pub name: &'static str,
}

/// Guesses the language of a text. Costs some 50 microseconds: a dataset is
/// better sampled.
#[must_use]
pub fn language(text: &str) -> Option<Language> {
    let (text, letters) = beginning(text);
    let info = guess(text, letters, &Detector::new())?;
    let is_of_one =
        info.script().langs().len() == 1 || matches!(info.lang(), Lang::Cmn | Lang::Jpn);
    (info.confidence() >= CONFIDENT && (letters >= LETTERS || is_of_one))
        .then(|| Language::of(info.lang()))
}

/// Guesses in which of some languages a text is that may be short. Where there
/// is nothing to choose from, nothing is guessed.
#[must_use]
pub fn language_among(text: &str, languages: &[Language]) -> Option<Language> {
    let known = languages
        .iter()
        .filter_map(|known| Lang::from_code(known.code));
    let known: Vec<_> = known.collect();
    if known.len() < 2 {
        return None;
    }
    let (text, letters) = beginning(text);
    let detector = Detector::with_allowlist(known);
    let info = guess(text, letters, &detector)?;
    (info.confidence() >= CONFIDENT).then(|| Language::of(info.lang()))
}

/// The part of a text that is looked at, and how many letters it has.
fn beginning(text: &str) -> (&str, usize) {
    let end = text
        .char_indices()
        .nth(CHARS)
        .map_or(text.len(), |(end, _)| end);
    let text = &text[..end];
    (text, text.chars().filter(|c| c.is_alphabetic()).count())
}

fn guess(text: &str, letters: usize, detector: &Detector) -> Option<Info> {
    (letters >= LETTERS_OF_ONE).then(|| detector.detect(text))?
}

impl Language {
    fn of(lang: Lang) -> Self {
        Self {
            code: lang.code(),
            name: lang.eng_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_by_script() {
        let scripts = |text: &str| {
            let mut scripts = Scripts::default();
            scripts.add(text);
            scripts.by_letters()
        };
        assert_eq!(scripts("Hola, ¿qué tal? 42"), [("Latin", 10)]);
        assert_eq!(
            scripts("Привет, мир 世界 ok"),
            [("Cyrillic", 9), ("Han", 2), ("Latin", 2)]
        );
        assert_eq!(scripts("12:30 — …"), []);
        let mut all = Scripts::default();
        all.add("ab");
        let mut other = Scripts::default();
        other.add("cde שלום");
        all.append(&other);
        assert_eq!(all.by_letters(), [("Latin", 5), ("Hebrew", 4)]);
    }

    #[test]
    fn a_language_is_told_of_texts_that_show_one() {
        let code = |text: &str| language(text).map(|language| language.code);
        let english = "When the train was late again, nobody who was waiting on the platform could say what had happened to it.";
        assert_eq!(code(english), Some("eng"));
        let spanish = "Cuando el tren volvió a llegar tarde, nadie de los que esperaban en el andén sabía decir qué le había pasado.";
        assert_eq!(code(spanish), Some("spa"));
        assert_eq!(
            code(
                "Когда поезд снова опоздал, никто из тех, кто ждал на платформе, не мог сказать, что с ним случилось. Объявления читали только по-русски, и их почти никто не слушал: все давно привыкли ждать и разговаривать друг с другом."
            ),
            Some("rus")
        );
        assert_eq!(code("電車は遅れていました"), Some("jpn"));
        assert_eq!(code("火车晚点了"), Some("cmn"));
        for short in ["", "OK", "42 %", "Save as", "¿Sí?"] {
            assert_eq!(code(short), None, "{short}");
        }
    }

    #[test]
    fn of_short_texts_more_is_told_among_few_languages() {
        let told = |text: &str| language(text).into_iter();
        let known: Vec<_> = told("When the train was late again, nobody who was waiting on the platform could say what had happened to it.")
            .chain(told(
                "Cuando el tren volvió a llegar tarde, nadie de los que esperaban en el andén sabía decir qué le había pasado.",
            ))
            .collect();
        let code = |text: &str| language_among(text, &known).map(|language| language.code);
        assert_eq!(code("Ensure that this value is less than"), Some("eng"));
        assert_eq!(code("Introduzca un número"), Some("spa"));
        assert_eq!(code("OK"), None);
        assert_eq!(language_among("Introduzca un número", &known[..1]), None);
    }
}
