//! What a text shows at first look, so that few texts need a second.
//!
//! Most rules can find something only in a text that has a certain kind of
//! character or fragment: no markup without `<` or `&`, no mojibake without
//! accented letters that stand together. [`Signs::of`] looks for all of these
//! in one pass, at several gigabytes a second where a text is plain ASCII. A
//! sign is cheap and may be wrong in one direction only: it may be there when
//! no rule minds, and must be there when one does.
//!
//! Escapes of JSON do not hide a sign, so raw strings may be looked at too: an
//! escape is ASCII, and the ones that stand for characters a rule minds
//! (`\u…`, `\b`, `\f`) are for the caller to notice.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, packed};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::{mojibake, openings};

/// A set of signs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Signs(u32);

impl Signs {
    /// No sign.
    pub const NONE: Self = Self(0);
    /// The line is not of the one common shape.
    pub const STRUCTURE: Self = Self(1);
    /// Control characters of C0 (but tab and line ends), DEL or C1.
    pub const CONTROL: Self = Self(1 << 1);
    /// U+FFFD.
    pub const REPLACEMENT: Self = Self(1 << 2);
    /// Letters that stand together as UTF-8 read as something else.
    pub const MOJIBAKE: Self = Self(1 << 3);
    /// Invisible characters, bidi controls among them.
    pub const INVISIBLE: Self = Self(1 << 4);
    /// Characters that NFC may change.
    pub const DENORMAL: Self = Self(1 << 5);
    /// `<` before a letter, `/`, `!` or `|`; `&` before a letter or `#`; ```` ``` ````.
    pub const MARKUP: Self = Self(1 << 6);
    /// `@`.
    pub const AT: Self = Self(1 << 7);
    /// Seven digits or more with nothing but separators between them.
    pub const DIGITS: Self = Self(1 << 8);
    /// A fragment of [`PHRASES`] and its like.
    pub const PHRASE: Self = Self(1 << 9);
    /// The text is empty or blank.
    pub const BLANK: Self = Self(1 << 10);
    /// The answer begins or ends with the prompt.
    pub const ECHO: Self = Self(1 << 11);
    /// The answer is long and does not end as sentences do.
    pub const OPEN_END: Self = Self(1 << 12);
    /// The line is so long that its tokens must be counted.
    pub const LONG: Self = Self(1 << 13);
    /// There is a validation file to compare with.
    pub const HELD_OUT: Self = Self(1 << 14);
    /// The answer begins as refusals do, or leads to a translation.
    pub const OPENING: Self = Self(1 << 15);
    /// Every sign.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether the sets share a sign.
    #[must_use]
    pub fn any_of(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no sign.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Both sets together, for constants.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Looks at a text of valid UTF-8, raw or decoded. Tells every sign up to
    /// [`Signs::PHRASE`]; the others are of a line, and for the caller.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let kinds = Kinds::of(text);
        let mut signs = Self::NONE;
        if kinds.control {
            signs |= Self::CONTROL;
        }
        if kinds.other {
            signs |= beyond_ascii(text);
        }
        if kinds.markup && has_markup(text) {
            signs |= Self::MARKUP;
        }
        if kinds.at {
            signs |= Self::AT;
        }
        if kinds.digit && has_digit_run(text) {
            signs |= Self::DIGITS;
        }
        if has_phrase(text, &kinds) {
            signs |= Self::PHRASE;
        }
        signs
    }

    /// Looks at an answer beside its prompt, both raw or both decoded. The cost
    /// is that of a few comparisons, however long they are.
    #[must_use]
    pub fn of_answer(prompt: &str, answer: &str) -> Self {
        /// Shorter prompts are often part of their answers.
        const SHORT: usize = 12;
        /// Shorter answers need not be sentences.
        const LONG_ANSWER: usize = 200;
        let mut signs = Self::NONE;
        let prompt = prompt.trim();
        if prompt.len() >= SHORT && answer.len() >= prompt.len() {
            let answer = answer.trim();
            if answer.starts_with(prompt) || answer.ends_with(prompt) {
                signs |= Self::ECHO;
            }
        }
        if answer.len() >= LONG_ANSWER && is_open(answer) {
            signs |= Self::OPEN_END;
        }
        if openings::is_telling(answer) {
            signs |= Self::OPENING;
        }
        signs
    }
}

impl BitOr for Signs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOrAssign for Signs {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Signs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signs({:b})", self.0)
    }
}

/// Whether a text ends as a sentence that goes on. In raw JSON a line end is
/// `\\n`, so letters of escapes are letters here: a sign may be there in vain.
#[must_use]
pub fn is_open(text: &str) -> bool {
    let last = text.trim_end().chars().next_back().unwrap_or('.');
    last.is_alphanumeric()
        || matches!(
            last,
            ',' | ';'
                | ':'
                | '-'
                | '–'
                | '—'
                | '('
                | '['
                | '{'
                | '¿'
                | '¡'
                | '，'
                | '、'
                | '；'
                | '：'
        )
}

/// Fragments that secrets and boilerplate have. A rule that looks for a phrase
/// needs a fragment of it in one of these three lists.
///
/// Each is rare in prose and in chats, since a hit costs a parse of the line.
/// Its first four bytes are rare, too, since they are what the vector search
/// looks at: `an AI` and not ` an AI`, `enguaje` and not `modelo de lenguaje`.
pub const PHRASES: &[&str] = &[
    // Boilerplate, without first letters that may be capitals.
    "an AI",
    "an artificial intelligence, I",
    "anguage model",
    "nowledge cutoff",
    "nowledge update",
    "enguaje",
    "gencia artificial,",
    "a IA,",
    "omo IA,",
    // What is left of templates.
    "INST]",
    // Secrets.
    "-----BEGIN",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "GOCSPX-",
    "eyJhb",
    "eyJ0e",
    "eyJra",
    "T3BlbkFJ",
    "sk-ant-",
    "sk-or-v1-",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "xapp-",
    "hooks.slack.com/serv",
    "pypi-AgE",
    "AccountKey=",
];

/// Fragments with an underscore, which most texts do not have.
pub const UNDERSCORED: &[&str] = &[
    "_x00",
    "sk_live_",
    "rk_live_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "hf_",
    "npm_",
    "dckr_pat_",
    "shpat_",
];

/// Fragments beyond ASCII: Chinese boilerplate, and what lost characters are
/// in GBK.
pub const BEYOND_ASCII: &[&str] = &[
    "语言模型",
    "語言模型",
    "作为AI",
    "作为一个AI",
    "作为一名AI",
    "作为人工智能",
    "作为一个人工智能",
    "作為AI",
    "作為一個AI",
    "作為人工智",
    "锟斤拷",
];

/// A search for a few fragments.
///
/// The packed search (Teddy) looks at 16 or 32 bytes at a time; where the
/// machine has no vector instructions that it knows, an automaton does it.
enum Search {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Search {
    fn new(fragments: &[&str]) -> Self {
        match packed::Searcher::new(fragments) {
            Some(packed) => Self::Packed(packed),
            None => Self::Automaton(
                AhoCorasick::new(fragments).expect("the fragments are few and short"),
            ),
        }
    }

    fn has_any(&self, text: &[u8]) -> bool {
        match self {
            Self::Packed(packed) => packed.find(text).is_some(),
            Self::Automaton(automaton) => automaton.is_match(text),
        }
    }
}

fn has_phrase(text: &[u8], kinds: &Kinds) -> bool {
    static ASCII: LazyLock<Search> = LazyLock::new(|| Search::new(PHRASES));
    static WITH_UNDERSCORE: LazyLock<Search> = LazyLock::new(|| Search::new(UNDERSCORED));
    static OTHER: LazyLock<Search> = LazyLock::new(|| Search::new(BEYOND_ASCII));
    ASCII.has_any(text)
        || kinds.underscore && WITH_UNDERSCORE.has_any(text)
        || kinds.wide && OTHER.has_any(text)
}

/// Which kinds of bytes a text has at all.
#[derive(Default)]
struct Kinds {
    control: bool,
    other: bool,
    markup: bool,
    at: bool,
    digit: bool,
    underscore: bool,
    /// Characters of three bytes and more, ideographs among them.
    wide: bool,
}

impl Kinds {
    /// Plain comparisons over stretches of fixed length, which the compiler
    /// turns into vector instructions.
    fn of(text: &[u8]) -> Self {
        const LANES: usize = 32;
        let mut sums = [0_u8; LANES];
        let (chunks, rest) = text.as_chunks::<LANES>();
        for chunk in chunks {
            for (sum, &byte) in sums.iter_mut().zip(chunk) {
                *sum |= kind_bits(byte);
            }
        }
        let mut bits = sums.iter().fold(0, |bits, sum| bits | sum);
        for &byte in rest {
            bits |= kind_bits(byte);
        }
        Self {
            control: bits & 1 != 0,
            other: bits & 0x80 != 0,
            markup: bits & 4 != 0,
            at: bits & 8 != 0,
            digit: bits & 16 != 0,
            underscore: bits & 2 != 0,
            wide: bits & 32 != 0,
        }
    }
}

#[inline]
fn kind_bits(byte: u8) -> u8 {
    let is = |is: bool, bit: u8| if is { bit } else { 0 };
    let is_control =
        ((byte < 0x20) & (byte != b'\n') & (byte != b'\r') & (byte != b'\t')) | (byte == 0x7f);
    let is_markup = (byte == b'<') | (byte == b'&') | (byte == b'`');
    (byte & 0x80)
        | is(is_control, 1)
        | is(is_markup, 4)
        | is(byte == b'@', 8)
        | is(byte.wrapping_sub(b'0') < 10, 16)
        | is(byte == b'_', 2)
        | is(byte >= 0xe4, 32)
}

fn has_markup(text: &[u8]) -> bool {
    memchr::memchr3_iter(b'<', b'&', b'`', text).any(|at| {
        let next = text.get(at + 1).copied().unwrap_or_default();
        match text[at] {
            b'<' => next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'|'),
            // `R&D` is no reference, `&#x1F600;` is the longest that there is.
            b'&' => {
                let rest = &text[at + 1..text.len().min(at + 12)];
                (next.is_ascii_alphabetic() || next == b'#') && rest.contains(&b';')
            }
            _ => text[at..].starts_with(b"```"),
        }
    })
}

/// Whether seven digits follow each other with nothing but separators between,
/// no-break spaces and hyphens beyond ASCII among them.
fn has_digit_run(text: &[u8]) -> bool {
    const MANY: u32 = 7;
    const STEP: usize = 32;
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let mut at = 0;
    while at < text.len() {
        // Most stretches of most texts have no digit.
        let stretch = &text[at..text.len().min(at + STEP)];
        if !stretch.iter().fold(false, |any, byte| any | is_digit(byte)) {
            at += stretch.len();
            continue;
        }
        at += stretch.iter().position(is_digit).unwrap_or_default();
        let mut n_digits = 0;
        while let Some(byte) = text.get(at) {
            match byte {
                b'0'..=b'9' => n_digits += 1,
                b' ' | b'-' | b'.' | b'(' | b')' | b'+' => {}
                0xc2 | 0xa0 | 0xe2 | 0x80 | 0x90 | 0x91 | 0xaf => {}
                _ => break,
            }
            if n_digits == MANY {
                return true;
            }
            at += 1;
        }
    }
    false
}

/// What [`is_quiet`] tells, for ideographs, their punctuation and ASCII alone:
/// a third of the comparisons.
#[inline]
fn is_quiet_chinese(stretch: &[u8]) -> bool {
    let n = stretch.len() - 2;
    let (leads, seconds, thirds) = (&stretch[..n], &stretch[1..=n], &stretch[2..]);
    let mut is_noisy = false;
    for ((&lead, &second), &third) in leads.iter().zip(seconds).zip(thirds) {
        let is_ideograph = lead.wrapping_sub(0xe4) <= 0xe9 - 0xe4;
        let is_punctuation = (lead == 0xe3) & (second == 0x80) & (third < 0xaa);
        let is_full_width = (lead == 0xef) & (second | 1 == 0xbd);
        is_noisy |= (lead >= 0xc0) & !(is_ideograph | is_punctuation | is_full_width);
    }
    !is_noisy
}

/// Whether no character that begins in a stretch has a sign, by the first three
/// bytes of each. The last two bytes are only looked at, not judged.
#[inline]
fn is_quiet(stretch: &[u8]) -> bool {
    let n = stretch.len() - 2;
    let (leads, seconds, thirds) = (&stretch[..n], &stretch[1..=n], &stretch[2..]);
    let mut is_noisy = false;
    for ((&lead, &second), &third) in leads.iter().zip(seconds).zip(thirds) {
        let within = |byte: u8, first: u8, last: u8| byte.wrapping_sub(first) <= last - first;
        // Latin Extended, Cyrillic, ideographs, most of Hangul.
        let is_letter = within(lead, 0xc4, 0xcb)
            | within(lead, 0xcf, 0xd1)
            | within(lead, 0xe4, 0xe9)
            | within(lead, 0xeb, 0xec);
        let is_latin_sign = (lead == 0xc2) & (second >= 0xa0) & (second != 0xad);
        // A letter after a letter, or before ASCII, is no mojibake.
        let is_latin_letter = (lead == 0xc3) & ((third < 0x80) | (third == 0xc3));
        let is_punctuation = (lead == 0xe2)
            & (((second == 0x80)
                & (within(third, 0x82, 0x8a) | within(third, 0x90, 0xa9) | (third >= 0xaf)))
                | (second == 0x82));
        let is_kana = (lead == 0xe3)
            & (((second == 0x80) & (third < 0xaa))
                | (second == 0x81)
                | (second == 0x83)
                | ((second == 0x82) & !within(third, 0x99, 0x9a)));
        let is_full_width =
            (lead == 0xef) & (within(second, 0xbc, 0xbd) | ((second == 0xb8) & (third == 0x8f)));
        let is_emoji = (lead == 0xf0) & (second == 0x9f);
        let is_quiet = is_letter
            | is_latin_sign
            | is_latin_letter
            | is_punctuation
            | is_kana
            | is_full_width
            | is_emoji;
        is_noisy |= (lead >= 0xc0) & !is_quiet;
    }
    !is_noisy
}

/// The signs of characters beyond ASCII.
///
/// Where letters stand between ASCII, each is looked at. Where ideographs
/// follow each other, stretches of 32 bytes are told at once, which is 3 times
/// as fast.
fn beyond_ascii(text: &[u8]) -> Signs {
    const STEP: usize = 32;
    let mut signs = Signs::NONE;
    let mut at = 0;
    let mut noisy_until = 0;
    while let Some(&lead) = text.get(at) {
        if lead >= 0xe3
            && at >= noisy_until
            && let Some(stretch) = text.get(at..at + STEP + 2)
        {
            if is_quiet_chinese(stretch) || is_quiet(stretch) {
                at += STEP;
                while text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    at += 1;
                }
                continue;
            }
            noisy_until = at + STEP;
        }
        let next = |n: usize| text.get(at + n).copied().unwrap_or_default();
        at += match lead {
            0..0x80 => {
                at += ascii_run(&text[at..]);
                continue;
            }
            // Latin-1: letters and punctuation.
            0xc2 => {
                signs |= match next(1) {
                    ..0xa0 => Signs::CONTROL,
                    0xad => Signs::INVISIBLE,
                    _ => Signs::NONE,
                };
                2
            }
            0xc3 => {
                let may_begin = next(2) >= 0xc2 && !signs.any_of(Signs::MOJIBAKE);
                if may_begin && mojibake::length_at(text, at).is_some() {
                    signs |= Signs::MOJIBAKE;
                }
                2
            }
            // Latin Extended A and B, Greek but its marks, Cyrillic.
            0xc4..=0xcb | 0xcf..=0xd1 => 2,
            // Unified ideographs, Hangul but its jamo.
            0xe4..=0xe9 | 0xeb..=0xec => 3,
            // Punctuation and symbols.
            0xe2 => {
                signs |= general_punctuation(next(1), next(2));
                3
            }
            // Kana and CJK punctuation, but their marks and the filler.
            0xe3 if !matches!(
                (next(1), next(2)),
                (0x80, 0xaa..=0xaf) | (0x82, 0x99 | 0x9a) | (0x85, 0xa4)
            ) =>
            {
                3
            }
            // Full-width forms, variation selector 16.
            0xef if matches!(next(1), 0xbc | 0xbd) || (next(1), next(2)) == (0xb8, 0x8f) => 3,
            // Emoji.
            0xf0 if next(1) == 0x9f => 4,
            _ => {
                let width = usize::from(lead >= 0xc0)
                    + usize::from(lead >= 0xe0)
                    + usize::from(lead >= 0xf0)
                    + 1;
                signs |= by_table(&text[at..text.len().min(at + width)]);
                width
            }
        };
    }
    signs
}

/// How many ASCII bytes a text begins with, eight at a time.
#[inline]
fn ascii_run(text: &[u8]) -> usize {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = text.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let marks = u64::from_le_bytes(*word) & HIGH;
        if marks != 0 {
            return n * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let n_tail = tail.iter().take_while(|byte| byte.is_ascii()).count();
    words.len() * 8 + n_tail
}

/// The signs of U+2000 to U+2FFF by the last two of their three bytes.
#[inline]
fn general_punctuation(second: u8, third: u8) -> Signs {
    match (second, third) {
        (0x80, 0x8b..=0x8f | 0xaa..=0xae) | (0x81, 0xa0..=0xaf) => Signs::INVISIBLE,
        // The quads, which NFC makes spaces.
        (0x80, 0x80 | 0x81) => Signs::DENORMAL,
        (0x84, 0xa6 | 0xaa | 0xab) | (0x8c, 0xa9 | 0xaa) | (0xab, 0x9c) => Signs::DENORMAL,
        // Marks around symbols, Coptic and Tifinagh marks, Cyrillic letters
        // that stand over others.
        (0x83, 0x90..) | (0xb3, 0xaf..=0xb1) | (0xb5, 0xbf) | (0xb7, 0xa0..) => {
            by_table(&[0xe2, second, third])
        }
        // Braille that looks blank.
        (0xa0, 0x80) => Signs::INVISIBLE,
        _ => Signs::NONE,
    }
}

/// The signs of one character, from Unicode's tables.
fn by_table(character: &[u8]) -> Signs {
    let Some(c) = std::str::from_utf8(character)
        .ok()
        .and_then(|text| text.chars().next())
    else {
        return Signs::NONE;
    };
    let mut signs = Signs::NONE;
    if c == '\u{fffd}' {
        signs |= Signs::REPLACEMENT;
    }
    if is_invisible(c) {
        signs |= Signs::INVISIBLE;
    }
    if canonical_combining_class(c) != 0 || is_nfc_quick(std::iter::once(c)) != IsNormalized::Yes {
        signs |= Signs::DENORMAL;
    }
    signs
}

/// Whether a character shows nothing and is no space: zero-width characters,
/// bidi controls, fillers, tags, interlinear marks, the byte-order mark, the
/// soft hyphen. Variation selectors are part of what they follow.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Signs) {
        assert_eq!(Signs::of(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn good_text_shows_nothing() {
        for text in [
            "Plain words, and numbers like 1984 or 3.14.",
            "—¿Quién anda ahí? —susurró él—. «¡Qué…!» Sí, mañana: 20 €.",
            "“Où est-ce ?” Ça va, naïve cœur, Übergröße, São João.",
            "他说：“你好，世界！”——然后走了……2019年12月31日，20个",
            "Привет, мир! Ёлка. Ελληνικά καλημέρα",
            "こんにちは、ガラス。 안녕하세요 👍🏽 ❤️ 5 < 6 & 7",
        ] {
            check(text, Signs::NONE);
        }
    }

    #[test]
    fn each_sign_is_seen() {
        check("a\u{7f}b", Signs::CONTROL);
        check("a\u{85}b", Signs::CONTROL);
        check("a\u{1}b", Signs::CONTROL);
        check("a\u{fffd}b", Signs::REPLACEMENT);
        check("maÃ±ana", Signs::MOJIBAKE);
        check("itâ€™s", Signs::MOJIBAKE);
        check("a\u{200b}b", Signs::INVISIBLE);
        check("a\u{ad}b", Signs::INVISIBLE);
        check("cafe\u{301}", Signs::DENORMAL);
        check("\u{212b}", Signs::DENORMAL);
        check("a <b>c</b>", Signs::MARKUP);
        check("a &amp; b", Signs::MARKUP);
        check("me@example.org", Signs::AT);
        check("call 555 123 4567", Signs::DIGITS);
        check("As an AI language model", Signs::PHRASE);
        check("hf_", Signs::PHRASE);
        check("作为一个AI语言模型", Signs::PHRASE);
    }

    /// Every sign but phrases, character by character and from the tables.
    fn obvious(text: &str) -> Signs {
        let mut signs = Signs::NONE;
        for c in text.chars() {
            if c.is_control() && !matches!(c, '\n' | '\r' | '\t') {
                signs |= Signs::CONTROL;
            }
            let mut bytes = [0; 4];
            signs |= by_table(c.encode_utf8(&mut bytes).as_bytes());
        }
        signs
    }

    proptest! {
        #[test]
        fn signs_of_characters_are_those_of_the_tables(
            text in proptest::collection::vec(
                prop_oneof![
                    4 => any::<char>(),
                    2 => proptest::char::range('\u{80}', '\u{33ff}'),
                    1 => proptest::char::range('\u{f900}', '\u{ffff}'),
                    2 => proptest::char::range(' ', '~'),
                ],
                0..80,
            ),
        ) {
            let text: String = text.into_iter().collect();
            let of_characters = Signs::CONTROL | Signs::REPLACEMENT | Signs::INVISIBLE | Signs::DENORMAL;
            let found = Signs::of(text.as_bytes()).0 & of_characters.0;
            prop_assert_eq!(found, obvious(&text).0, "{:?}", text);
        }

        #[test]
        fn mojibake_shows_where_it_is_found(text in "([a-zA-Z é]{0,40}|[À-ÿ]|[\u{80}-\u{bf}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Ã[±©]){0,12}") {
            let shows = Signs::of(text.as_bytes()).any_of(Signs::MOJIBAKE);
            prop_assert_eq!(shows, !mojibake::find(&text).is_empty(), "{:?}", text);
        }
    }
}
