//! How answers begin that a model gave instead of the answer.
//!
//! A refusal and a lead-in (`Here is the translation:`) stand at the beginning,
//! so one look at the first words is enough, and texts that hold the same words
//! further on, as dialogues do, are not looked at twice.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What an answer begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// An apology.
    Apology,
    /// A statement of what the speaker cannot do.
    Inability,
    /// Words that lead to the answer.
    LeadIn,
}

use Opening::{Apology, Inability, LeadIn};

type Openings = &'static [(&'static str, Opening)];

const ENGLISH_I: Openings = &[
    ("i'm sorry", Apology),
    ("i'm very sorry", Apology),
    ("i'm really sorry", Apology),
    ("i am sorry", Apology),
    ("i'm afraid", Apology),
    ("i apologi", Apology),
    ("i regret", Apology),
    ("i cannot", Inability),
    ("i can not", Inability),
    ("i can't", Inability),
    ("i'm unable", Inability),
    ("i am unable", Inability),
    ("i'm not able", Inability),
    ("i am not able", Inability),
    ("i won't", Inability),
    ("i must decline", Inability),
];
const CHINESE: Openings = &[
    ("抱歉", Apology),
    ("很抱歉", Apology),
    ("非常抱歉", Apology),
    ("对不起", Apology),
    ("對不起", Apology),
    ("不好意思", Apology),
    ("我无法", Inability),
    ("我無法", Inability),
    ("我不能", Inability),
    ("以下", LeadIn),
    ("这是", LeadIn),
    ("這是", LeadIn),
    ("翻译", LeadIn),
    ("翻譯", LeadIn),
    ("译文", LeadIn),
    ("譯文", LeadIn),
    ("当然", LeadIn),
    ("當然", LeadIn),
    ("好的", LeadIn),
];

/// The openings whose first letter is this, in lower case and with straight
/// apostrophes.
const fn openings(first: u8) -> Openings {
    match first.to_ascii_lowercase() {
        b'i' => ENGLISH_I,
        b's' => &[("sorry", Apology), ("sure", LeadIn)],
        b'm' => &[
            ("my apologies", Apology),
            ("me temo", Apology),
            ("me disculpo", Apology),
        ],
        b'u' => &[("unfortunately", Apology)],
        b'h' => &[("here is", LeadIn), ("here's", LeadIn)],
        b'c' => &[
            ("certainly", LeadIn),
            ("claro", LeadIn),
            ("con gusto", LeadIn),
        ],
        b'o' => &[("of course", LeadIn), ("ok", LeadIn)],
        b't' => &[
            ("the translat", LeadIn),
            ("translat", LeadIn),
            ("traducción", LeadIn),
        ],
        b'a' => &[("aquí", LeadIn), ("absolutely", LeadIn)],
        b'l' => &[
            ("lo siento", Apology),
            ("lamento", Apology),
            ("lamentable", Apology),
            ("la traducción", LeadIn),
        ],
        b'n' => &[("no puedo", Inability), ("no me es posible", Inability)],
        b'd' => &[("disculp", Apology), ("desafortunada", Apology)],
        b'p' => &[
            ("perdón", Apology),
            ("pido disculpas", Apology),
            ("por supuesto", LeadIn),
        ],
        b'e' => &[("esta es la traducción", LeadIn)],
        0xe4..=0xe9 => CHINESE,
        _ => &[],
    }
}

/// Says what an answer begins with, and how many bytes of it, white space
/// before it included; the case of letters does not matter.
#[must_use]
pub fn of(answer: &str) -> Option<(Opening, usize)> {
    let mut start = answer.len() - answer.trim_start().len();
    // In raw JSON, white space may be escaped.
    while let Some(b'n' | b't' | b'r') = answer.as_bytes()[start..]
        .strip_prefix(b"\\")
        .and_then(<[u8]>::first)
    {
        start += 2;
        start = answer.len() - answer[start..].trim_start().len();
    }
    let text = &answer[start..];
    let list = openings(*text.as_bytes().first()?);
    let mut list = list.iter().filter(|(words, _)| may_begin(text, words));
    list.find_map(|(words, opening)| {
        let length = length_of_prefix(text, words)?;
        Some((*opening, start + length))
    })
}

/// Whether a text may begin with these words, by its first two or three bytes:
/// the case of ASCII may differ, and ideographs have none. Few answers get
/// beyond that, and comparing characters takes 20 times as long.
#[inline]
fn may_begin(text: &str, words: &str) -> bool {
    let (text, words) = (text.as_bytes(), words.as_bytes());
    match (text, words) {
        ([lead, ..], _) if *lead >= IDEOGRAPH => text.first_chunk::<3>() == words.first_chunk(),
        ([_, second, ..], [_, expected, ..]) if second.is_ascii() => {
            second.eq_ignore_ascii_case(expected)
        }
        _ => text.len() > 1,
    }
}

/// How many bytes of a text are these words, whatever the case and the shape
/// of apostrophes.
fn length_of_prefix(text: &str, words: &str) -> Option<usize> {
    let mut rest = text.chars();
    for word in words.chars() {
        let c = rest.next()?;
        let is_same = c == word
            || (c == '’' && word == '\'')
            || (c.is_uppercase() && c.to_lowercase().eq(std::iter::once(word)));
        if !is_same {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}

/// Whether an answer is to be looked at: it begins like a refusal, or leads to
/// a translation.
#[must_use]
pub fn is_telling(answer: &str) -> bool {
    if !may_open(answer) {
        return false;
    }
    match of(answer) {
        Some((LeadIn, length)) => speaks_of_translation(head(answer, length + LEAD_BYTES)),
        Some(_) => true,
        None => false,
    }
}

/// Whether [`of`] may know how an answer begins, by its first two or three bytes:
/// most answers need no further look.
#[inline]
fn may_open(answer: &str) -> bool {
    match answer.as_bytes() {
        [first, second, third, ..] if *first >= IDEOGRAPH => {
            SECONDS[usize::from(*first)] >> (second.wrapping_add(*third) % 64) & 1 != 0
        }
        // `í` may be an `i` in capitals, for all that these bytes tell.
        [first, second, ..] if first.is_ascii() && !second.is_ascii() => {
            SECONDS[usize::from(*first)] != 0
        }
        [first, second, ..] => SECONDS[usize::from(*first)] >> (second % 64) & 1 != 0,
        _ => false,
    }
}

/// What ideographs begin with, or something above.
const IDEOGRAPH: u8 = 0xe4;

/// For each first byte the second ones that openings have, as bits by their
/// remainder to 64; all of them where white space may stand before. Of ideographs,
/// many of which begin with the same two bytes, the sum of the second and third.
static SECONDS: [u64; 256] = {
    let mut seconds = [0; 256];
    let mut first = 0;
    while first < 256 {
        let list = openings(first as u8);
        let mut n = 0;
        while n < list.len() {
            let words = list[n].0.as_bytes();
            if words[0] != (first as u8).to_ascii_lowercase() {
                // Of another ideograph.
            } else if words[0] >= IDEOGRAPH {
                seconds[first] |= 1 << (words[1].wrapping_add(words[2]) % 64);
            } else {
                seconds[first] |= 1 << (words[1] % 64) | 1 << (words[1].to_ascii_uppercase() % 64);
            }
            n += 1;
        }
        // An escape is white space, and Unicode has some behind four bytes.
        seconds[first] |= match first {
            9..=13 | 0x20 | 0x5c => u64::MAX,
            0xc2 => 1 << (0x85 % 64) | 1 << (0xa0 % 64),
            0xe1 => 1 << (0x9a % 64),
            0xe2 => 1 << (0x80 % 64) | 1 << (0x81 % 64),
            0xe3 => 1 << (0x80 % 64),
            _ => 0,
        };
        first += 1;
    }
    seconds
};

/// How far a lead-in goes at most.
pub const LEAD_BYTES: usize = 120;

/// Whether a text has a word for translations.
#[must_use]
pub fn speaks_of_translation(text: &str) -> bool {
    static WORDS: LazyLock<[Finder<'static>; 6]> = LazyLock::new(|| {
        ["ranslat", "raduc", "翻译", "翻譯", "译文", "譯文"]
            .map(|word| Finder::new(word).into_owned())
    });
    WORDS
        .iter()
        .any(|word| word.find(text.as_bytes()).is_some())
}

/// The first bytes of a text, to the end of a character.
#[must_use]
pub fn head(text: &str, n_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(n_bytes)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_openings() -> Vec<&'static str> {
        let lists = (0..=u8::MAX).flat_map(openings);
        lists.map(|(words, _)| *words).collect()
    }

    fn all_spaces() -> Vec<String> {
        let all = ('\0'..=char::MAX).filter(|c| c.is_whitespace());
        all.map(String::from).collect()
    }

    proptest! {
        #[test]
        fn an_opening_may_be_one_by_its_first_bytes(
            space in prop_oneof![
                "(\\\\n| |\u{3000}|\u{a0}){0,2}",
                proptest::sample::select(all_spaces()),
            ],
            words in prop::sample::select(all_openings()),
            to_upper: bool,
            other in ".{0,3}",
        ) {
            let words = if to_upper { words.to_uppercase() } else { words.replace('\'', "’") };
            for answer in [format!("{space}{words}{other}"), format!("{other}{words}"), other] {
                prop_assert!(may_open(&answer) || of(&answer).is_none(), "{:?}", answer);
            }
        }
    }

    #[test]
    fn openings_are_known_by_their_words() {
        for (answer, expected) in [
            ("I’m sorry, but", Some(Apology)),
            ("  LO SIENTO, pero", Some(Apology)),
            ("\\n\\nSorry", Some(Apology)),
            ("No puedo ayudarte", Some(Inability)),
            ("抱歉，我无法", Some(Apology)),
            ("抱", None),
            ("I", None),
            ("I’M SORRY", Some(Apology)),
            ("SURE", Some(LeadIn)),
            ("surge", None),
            ("Here's the translation:", Some(LeadIn)),
            ("Él dijo: lo siento", None),
            ("\"I'm sorry\"", None),
            ("\\", None),
            ("", None),
        ] {
            assert_eq!(of(answer).map(|(opening, _)| opening), expected, "{answer}");
        }
        assert!(is_telling("Sure! Here is the translation: Hola"));
        assert!(!is_telling("Sure, I will come."));
    }
}
