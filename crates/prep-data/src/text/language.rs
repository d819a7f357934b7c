//! In which language a text is.
//!
//! `whatlang` counts trigrams and letters; it knows some 70 languages and is
//! sure of itself on a sentence or more. That takes some ten microseconds, so
//! whoever only wants to know that a text is in the language it should be in
//! asks [`is_plainly`] first: a few words that stand in every sentence tell.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;

use whatlang::{Detector, Info, Lang};
use xxhash_rust::xxh3::xxh3_64;

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

/// A language, by its ISO 639 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(Lang);

/// The two letters of ISO 639-1 for the languages that are known here; one
/// without them goes by its three letters.
const TWO_LETTERS: &[(Lang, &str)] = &[
    (Lang::Afr, "af"),
    (Lang::Ara, "ar"),
    (Lang::Aze, "az"),
    (Lang::Bel, "be"),
    (Lang::Ben, "bn"),
    (Lang::Bul, "bg"),
    (Lang::Cat, "ca"),
    (Lang::Ces, "cs"),
    (Lang::Cmn, "zh"),
    (Lang::Dan, "da"),
    (Lang::Deu, "de"),
    (Lang::Ell, "el"),
    (Lang::Eng, "en"),
    (Lang::Epo, "eo"),
    (Lang::Est, "et"),
    (Lang::Fin, "fi"),
    (Lang::Fra, "fr"),
    (Lang::Guj, "gu"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Hrv, "hr"),
    (Lang::Hun, "hu"),
    (Lang::Ind, "id"),
    (Lang::Ita, "it"),
    (Lang::Jpn, "ja"),
    (Lang::Kat, "ka"),
    (Lang::Kor, "ko"),
    (Lang::Lat, "la"),
    (Lang::Lit, "lt"),
    (Lang::Lav, "lv"),
    (Lang::Mkd, "mk"),
    (Lang::Nld, "nl"),
    (Lang::Nob, "no"),
    (Lang::Pes, "fa"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Ron, "ro"),
    (Lang::Rus, "ru"),
    (Lang::Slk, "sk"),
    (Lang::Slv, "sl"),
    (Lang::Spa, "es"),
    (Lang::Srp, "sr"),
    (Lang::Swe, "sv"),
    (Lang::Tam, "ta"),
    (Lang::Tel, "te"),
    (Lang::Tgl, "tl"),
    (Lang::Tha, "th"),
    (Lang::Tur, "tr"),
    (Lang::Ukr, "uk"),
    (Lang::Urd, "ur"),
    (Lang::Vie, "vi"),
];

impl Language {
    /// English.
    pub const ENGLISH: Self = Self(Lang::Eng);
    /// Spanish.
    pub const SPANISH: Self = Self(Lang::Spa);
    /// Chinese, as it is written everywhere.
    pub const CHINESE: Self = Self(Lang::Cmn);
    /// German.
    pub const GERMAN: Self = Self(Lang::Deu);
    /// Japanese.
    pub const JAPANESE: Self = Self(Lang::Jpn);

    /// Finds the language of a BCP 47 tag (`es`, `es-419`, `zh_Hans`, `spa`),
    /// whatever the case; `None` if it is none that can be told here.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        let two = TWO_LETTERS.iter().find(|(_, code)| *code == primary);
        two.map(|(lang, _)| *lang)
            .or_else(|| match primary.as_str() {
                "zho" | "chi" => Some(Lang::Cmn),
                "nb" | "nn" => Some(Lang::Nob),
                code => Lang::from_code(code),
            })
            .map(Self)
    }

    /// Names it by its shortest ISO 639 code: `es`.
    #[must_use]
    pub fn code(self) -> &'static str {
        let two = TWO_LETTERS.iter().find(|(lang, _)| *lang == self.0);
        two.map_or_else(|| self.0.code(), |(_, code)| code)
    }

    /// Names it in English: `Spanish`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Lang::Cmn => "Chinese",
            lang => lang.eng_name(),
        }
    }

    /// Whether it is so near to another one that short texts are mistaken.
    #[must_use]
    pub fn is_near(self, other: Self) -> bool {
        use Lang::{
            Afr, Bel, Bul, Cat, Ces, Cmn, Dan, Fra, Hrv, Ita, Jpn, Lat, Mkd, Nld, Nob, Por, Ron,
            Rus, Slk, Slv, Spa, Srp, Swe, Ukr,
        };
        const NEAR: &[&[Lang]] = &[
            &[Spa, Por, Cat, Ita],
            &[Ita, Lat, Ron, Fra, Cat],
            &[Dan, Nob, Swe],
            &[Nld, Afr],
            &[Ces, Slk],
            &[Hrv, Srp, Slv],
            &[Rus, Ukr, Bel, Bul, Mkd],
            &[Cmn, Jpn],
        ];
        let mut groups = NEAR.iter();
        groups.any(|group| group.contains(&self.0) && group.contains(&other.0))
    }
}

impl Ord for Language {
    /// Orders by code.
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Language {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Tells the language of a text, if there is no doubt about it. Takes some ten
/// microseconds a sentence.
#[must_use]
pub fn language(text: &str) -> Option<Language> {
    let info = whatlang::detect(text)?;
    info.is_reliable().then(|| Language(info.lang()))
}

/// Tells the most likely language of a text, and how sure that is, from 0 to 1.
#[must_use]
pub fn likeliest(text: &str) -> Option<(Language, f64)> {
    let info = whatlang::detect(text)?;
    Some((Language(info.lang()), info.confidence()))
}

/// Guesses the language of a text. Costs some 50 microseconds: a dataset is
/// better sampled.
#[must_use]
pub fn guess(text: &str) -> Option<Language> {
    let (text, letters) = beginning(text);
    let info = detect(text, letters, &Detector::new())?;
    let is_of_one =
        info.script().langs().len() == 1 || matches!(info.lang(), Lang::Cmn | Lang::Jpn);
    (info.confidence() >= CONFIDENT && (letters >= LETTERS || is_of_one))
        .then(|| Language(info.lang()))
}

/// Guesses in which of some languages a text is that may be short. Where there
/// is nothing to choose from, nothing is guessed.
#[must_use]
pub fn guess_among(text: &str, languages: &[Language]) -> Option<Language> {
    if languages.len() < 2 {
        return None;
    }
    let (text, letters) = beginning(text);
    let detector = Detector::with_allowlist(languages.iter().map(|known| known.0).collect());
    let info = detect(text, letters, &detector)?;
    (info.confidence() >= CONFIDENT).then(|| Language(info.lang()))
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

fn detect(text: &str, letters: usize, detector: &Detector) -> Option<Info> {
    (letters >= LETTERS_OF_ONE).then(|| detector.detect(text))?
}

/// The words that stand in most sentences of a language, in lower case, and in
/// few of the languages beside it.
fn common_words(language: Language) -> &'static [&'static str] {
    match language.0 {
        Lang::Eng => &[
            "the", "and", "of", "to", "is", "was", "it", "that", "you", "with", "this", "for",
            "have", "are", "not", "his", "her", "they", "your", "from", "what", "there", "will",
            "my", "be", "we", "i'm", "don't",
        ],
        // Not the words that it has in common with Portuguese.
        Lang::Spa => ONLY_SPANISH,
        Lang::Fra => &[
            "les", "des", "est", "et", "dans", "pour", "une", "qui", "pas", "vous", "je", "il",
            "nous", "avec", "ce", "sur",
        ],
        Lang::Deu => &[
            "der", "die", "das", "und", "ist", "nicht", "ein", "eine", "ich", "sie", "mit", "den",
            "zu", "auf", "werden", "wird",
        ],
        // Not the words that it has in common with Spanish.
        Lang::Por => &[
            "não", "você", "uma", "um", "em", "do", "da", "dos", "das", "os", "ao", "à", "seu",
            "sua", "são", "é", "pelo", "pela", "foi", "também", "isso", "nos", "na",
        ],
        Lang::Ita => &[
            "che", "di", "non", "è", "il", "della", "sono", "gli", "nel", "del", "dei", "alla",
            "per", "ha", "si", "anche", "come",
        ],
        _ => &[],
    }
}

/// Whether a text is plainly in a language: enough of its words are such as
/// stand in most sentences of that language. `false` says nothing. Takes a
/// tenth of the time of [`language`].
#[must_use]
pub fn is_plainly(text: &str, language: Language) -> bool {
    /// One word in so many, and no fewer than two.
    const ONE_IN: usize = 5;
    if language == Language::CHINESE {
        return is_plainly_chinese(text);
    }
    let known = common_words(language);
    if known.is_empty() {
        return false;
    }
    let (mut n_words, mut n_known) = (0, 0);
    let mut word = [0_u8; 8];
    for found in text.split(|c: char| !c.is_alphanumeric() && c != '\'') {
        if found.is_empty() {
            continue;
        }
        n_words += 1;
        // The longest of them have six bytes.
        let Some(word) = word.get_mut(..found.len()) else {
            continue;
        };
        word.copy_from_slice(found.as_bytes());
        word.make_ascii_lowercase();
        n_known += usize::from(known.iter().any(|known| known.as_bytes() == word));
    }
    n_known >= 2 && n_known * ONE_IN >= n_words
}

/// The words of texts that are known to be in one language: a text most of whose
/// words are among them is in that language, too. That is told in a hundredth of
/// the time of [`language`], and of texts that no list of common words fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(HashSet<u64>);

impl Words {
    /// Takes the words of a text.
    pub fn add(&mut self, text: &str) {
        self.0.extend(fingerprints(text).flatten());
    }

    /// Whether a text has hardly a word that is not known: three of four are, and
    /// no fewer than three. `false` says nothing.
    #[must_use]
    pub fn fit(&self, text: &str) -> bool {
        let (mut n_words, mut n_known) = (0, 0);
        for word in fingerprints(text) {
            n_words += 1;
            n_known += usize::from(word.is_some_and(|word| self.0.contains(&word)));
        }
        n_known >= 3 && n_known * 4 >= n_words * 3
    }
}

/// The words of a text by fingerprint, ASCII letters in lower case; `None` for
/// one so long that it is a word nowhere.
fn fingerprints(text: &str) -> impl Iterator<Item = Option<u64>> {
    const LONGEST: usize = 32;
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(|word| {
        let mut lower = [0_u8; LONGEST];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        Some(xxh3_64(lower))
    })
}

/// Words that Spanish has and Portuguese has not.
const ONLY_SPANISH: &[&str] = &[
    "el", "los", "las", "y", "con", "del", "al", "un", "una", "unos", "unas", "su", "sus", "muy",
    "pero", "más", "es", "hay", "él", "ella", "ellos", "usted", "ustedes", "puede", "pueden",
    "hasta", "yo", "mi", "eso", "esto", "qué", "cuando", "donde", "ya", "sí", "sin", "fue",
    "hacer", "tiene", "bien", "en", "la", "le", "les", "ha", "han", "así", "mucho", "otro", "otra",
];

/// Words that Portuguese has and Spanish has not, nor had. Without `da`, `dos`,
/// `os` and `pelo`, which are Spanish too, and `com`, which ends addresses.
const ONLY_PORTUGUESE: &[&str] = &[
    "não", "você", "vocês", "um", "uma", "uns", "umas", "em", "ao", "aos", "à", "às", "seu",
    "seus", "sua", "suas", "são", "é", "pela", "pelas", "foi", "foram", "também", "isso", "isto",
    "na", "nas", "mais", "já", "até", "então", "muito", "muita", "pode", "podem", "fazer", "tem",
    "têm", "ou", "quando", "ele", "ela", "eles", "elas", "dele", "dela", "meu", "minha", "nosso",
    "nossa", "nenhum", "nenhuma", "só", "quem", "ainda", "depois", "sem", "essa", "esse", "outro",
    "outra", "estão", "num", "numa", "nome",
];

/// Tells Portuguese from Spanish, which whoever counts trigrams mistakes in
/// short texts: the other one of the two, if the text has words that only that
/// one has and hardly any of those that only the expected one has.
#[must_use]
pub fn neighbour(text: &str, expected: Language) -> Option<Language> {
    /// One word in so many, and no fewer than two.
    const ONE_IN: usize = 10;
    /// So many times as many as of the expected language.
    const TIMES: usize = 4;
    let other = match expected.0 {
        Lang::Spa => Lang::Por,
        Lang::Por => Lang::Spa,
        _ => return None,
    };
    let (mut n_words, mut n_spanish, mut n_portuguese) = (0, 0, 0);
    let mut lower = [0_u8; 8];
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        n_words += 1;
        // `São` and `Muñoz` are names.
        let has =
            |letters: &[char]| word.contains(letters) && !word.starts_with(char::is_uppercase);
        let known = lower.get_mut(..word.len()).map(|lower| {
            lower.copy_from_slice(word.as_bytes());
            lower.make_ascii_lowercase();
            &*lower
        });
        let is_in = |words: &[&str]| {
            known.is_some_and(|word| words.iter().any(|known| known.as_bytes() == word))
        };
        if is_in(ONLY_SPANISH) || has(&['ñ']) {
            n_spanish += 1;
        } else if is_in(ONLY_PORTUGUESE) || has(&['ã', 'õ']) {
            n_portuguese += 1;
        }
    }
    let (n_other, n_expected) = match other {
        Lang::Por => (n_portuguese, n_spanish),
        _ => (n_spanish, n_portuguese),
    };
    let is_other = n_other >= 2 && n_other * ONE_IN >= n_words && n_other > TIMES * n_expected;
    is_other.then_some(Language(other))
}

fn is_plainly_chinese(text: &str) -> bool {
    let (mut n_han, mut n_other) = (0, 0);
    for c in text.chars() {
        match c {
            '\u{4e00}'..='\u{9fff}' => n_han += 1,
            '\u{3040}'..='\u{30ff}' => return false,
            c if c.is_alphabetic() => n_other += 1,
            _ => {}
        }
    }
    n_han >= 4 && n_han >= n_other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_known() {
        let code = |tag: &str| Language::of_tag(tag).map(Language::code);
        assert_eq!(code("es-419"), Some("es"));
        assert_eq!(code("zh_Hans"), Some("zh"));
        assert_eq!(code("SPA"), Some("es"));
        assert_eq!(code("zho"), Some("zh"));
        assert_eq!(code("english"), None);
        assert_eq!(Language::CHINESE.to_string(), "Chinese");
    }

    #[test]
    fn sentences_are_told() {
        for (text, expected) in [
            (
                "The house at the end of the street has been empty for years.",
                "en",
            ),
            (
                "El perro que vive en la casa del final de la calle no quiere entrar cuando llueve.",
                "es",
            ),
            ("这条街尽头的房子已经空了很多年。", "zh"),
            (
                "Das Haus am Ende der Straße ist leer, und nicht ein Mensch wohnt darin.",
                "de",
            ),
        ] {
            let found = likeliest(text).map(|(language, _)| language.code());
            assert_eq!(found, Some(expected), "{text}");
            let plain = ["en", "es", "zh", "de"]
                .map(|code| is_plainly(text, Language::of_tag(code).unwrap()));
            let at = ["en", "es", "zh", "de"].map(|code| code == expected);
            assert_eq!(plain, at, "{text}");
        }
        assert!(!is_plainly("Aldous Huxley", Language::ENGLISH));
    }

    #[test]
    fn a_language_is_told_of_texts_that_show_one() {
        let code = |text: &str| guess(text).map(Language::code);
        let english = "When the train was late again, nobody who was waiting on the platform could say what had happened to it.";
        assert_eq!(code(english), Some("en"));
        let spanish = "Cuando el tren volvió a llegar tarde, nadie de los que esperaban en el andén sabía decir qué le había pasado.";
        assert_eq!(code(spanish), Some("es"));
        assert_eq!(
            code(
                "Когда поезд снова опоздал, никто из тех, кто ждал на платформе, не мог сказать, что с ним случилось. Объявления читали только по-русски, и их почти никто не слушал: все давно привыкли ждать и разговаривать друг с другом."
            ),
            Some("ru")
        );
        assert_eq!(code("電車は遅れていました"), Some("ja"));
        assert_eq!(code("火车晚点了"), Some("zh"));
        for short in ["", "OK", "42 %", "Save as", "¿Sí?"] {
            assert_eq!(code(short), None, "{short}");
        }
    }

    #[test]
    fn of_short_texts_more_is_told_among_few_languages() {
        let told = |text: &str| guess(text).into_iter();
        let known: Vec<_> = told("When the train was late again, nobody who was waiting on the platform could say what had happened to it.")
            .chain(told(
                "Cuando el tren volvió a llegar tarde, nadie de los que esperaban en el andén sabía decir qué le había pasado.",
            ))
            .collect();
        let code = |text: &str| guess_among(text, &known).map(Language::code);
        assert_eq!(code("Ensure that this value is less than"), Some("en"));
        assert_eq!(code("Introduzca un número"), Some("es"));
        assert_eq!(code("OK"), None);
        assert_eq!(guess_among("Introduzca un número", &known[..1]), None);
    }

    #[test]
    fn texts_of_known_words_fit() {
        let mut words = Words::default();
        words.add("The cold wind began to blow, and nobody spoke.");
        assert!(words.fit("Nobody began to blow the wind, Mary."));
        assert!(!words.fit("Der kalte Wind blies, and nobody spoke."));
        assert!(!words.fit("Cold wind"));
        assert!(!Words::default().fit(""));
    }

    #[test]
    fn portuguese_is_told_from_spanish() {
        let portuguese = Language::of_tag("pt").unwrap();
        let spanish = Language::SPANISH;
        for text in [
            "Não foi por nada, e para isso está aqui no momento.",
            "Nenhum jogador está pedindo um empate.",
            "Você não pode sair agora.",
            "Uma lista de tipos de concessão",
        ] {
            assert_eq!(neighbour(text, spanish), Some(portuguese), "{text}");
            assert_eq!(neighbour(text, portuguese), None, "{text}");
        }
        for text in [
            "Ningún jugador está pidiendo un empate.",
            "Los dos hermanos nos dieron el pelo que da la suerte.",
            "São Paulo, João Pessoa",
            "Dom Pedro, rey de Portugal",
        ] {
            assert_eq!(neighbour(text, spanish), None, "{text}");
        }
        let text = "No hay más jugadores en el equipo.";
        assert_eq!(neighbour(text, portuguese), Some(spanish));
        assert_eq!(neighbour("Não, obrigado.", Language::ENGLISH), None);
    }
}
