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
use std::ops::{BitOr, BitOrAssign, Range};

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::suspects::{self, LANES, Marks, Word};
use super::{mojibake, openings, phrases};

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
    /// A fragment of [`phrases::PHRASES`] and its like.
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
    /// Of examples with the same prompt: there are several.
    pub const REPEATED: Self = Self(1 << 16);
    /// Of the same: the length of a text is not what is usual in the dataset.
    pub const ODD_LENGTH: Self = Self(1 << 17);
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
        let (mut words, mut marks) = ([Word::default(); 8], [Marks::default(); 8]);
        let (mut signs, mut at, mut run) = (Self::NONE, 0, DigitRun::default());
        while at < text.len() {
            let (n, _) = suspects::look(&text[at..], 0, &mut marks, &mut words);
            for word in &words[..n] {
                each_of(text, word, at, &mut run, |_, found| signs |= found);
                at += LANES;
            }
        }
        signs
    }

    /// Looks at an answer beside its prompt, both raw or both decoded. The cost
    /// is that of a few comparisons, however long they are.
    #[must_use]
    #[inline]
    pub fn of_answer(prompt: &str, answer: &str) -> Self {
        /// Shorter answers need not be sentences.
        const LONG_ANSWER: usize = 200;
        let mut signs = Self::NONE;
        if is_echo(trim(prompt), trim(answer)) {
            signs |= Self::ECHO;
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

/// [`str::trim`], in no time where there is nothing to trim.
#[inline]
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Whether an answer begins or ends with its prompt, which is not short: short
/// ones are often part of their answers. Their first and last bytes tell nearly
/// always that it does not.
#[inline]
fn is_echo(prompt: &str, answer: &str) -> bool {
    const SHORT: usize = 12;
    const SOME: usize = 8;
    let (of_prompt, of_answer) = (prompt.as_bytes(), answer.as_bytes());
    let may_begin = of_answer.first_chunk::<SOME>() == of_prompt.first_chunk();
    let may_end = of_answer.last_chunk::<SOME>() == of_prompt.last_chunk();
    (may_begin || may_end)
        && prompt.len() >= SHORT
        && (answer.starts_with(prompt) || answer.ends_with(prompt))
}

/// Whether a text ends as a sentence that goes on. In raw JSON a line end is
/// `\\n`, so letters of escapes are letters here: a sign may be there in vain.
#[must_use]
pub fn is_open(text: &str) -> bool {
    let last = match text.as_bytes().last() {
        Some(byte) if byte.is_ascii_graphic() => char::from(*byte),
        _ => text.trim_end().chars().next_back().unwrap_or('.'),
    };
    // The usual end in Chinese and Japanese, which is far on in Unicode's tables.
    last != '。' && last.is_alphanumeric()
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

/// Gives each sign of 64 bytes of a text to `each`, with a place in it, as `word`
/// tells of them; they begin at `start`. Digits come first; otherwise signs come in
/// order.
#[inline]
pub(crate) fn each_of(
    text: &[u8],
    word: &Word,
    start: usize,
    run: &mut DigitRun,
    mut each: impl FnMut(usize, Signs),
) {
    if word.digits != 0 || run.is_going_on() {
        run.go_on(text, word, start, &mut each);
    }
    let mut suspects = word.suspects;
    while suspects != 0 {
        let at = start + suspects.trailing_zeros() as usize;
        suspects &= suspects - 1;
        let signs = signs_at(text, at);
        if !signs.is_none() {
            each(at, signs);
        }
    }
}

/// The digits that a text ended with so far, which may go on.
#[derive(Debug, Default)]
pub(crate) struct DigitRun {
    /// From where on digits may stand together and were not looked at.
    start: usize,
    /// How many certainly stand together before `start`.
    n_before: u32,
    /// How many there are at most.
    n_digits: u32,
}

/// So many digits are a sign.
const MANY_DIGITS: u32 = 7;

impl DigitRun {
    /// Whether what comes next may go on with digits.
    #[inline]
    pub(crate) fn is_going_on(&self) -> bool {
        self.n_digits > 0
    }

    /// Takes in the next 64 bytes, which begin at `start`. Whether the digits
    /// in them stand together is looked at only where they would be enough.
    fn go_on(
        &mut self,
        text: &[u8],
        word: &Word,
        start: usize,
        each: &mut impl FnMut(usize, Signs),
    ) {
        let end = text.len().min(start + LANES);
        if self.n_digits == 0 {
            (self.start, self.n_before) = (start, 0);
        }
        self.n_digits += word.digits.count_ones();
        if self.n_digits >= MANY_DIGITS {
            let range = self.start..end;
            let n = each_digit_run(text, range, self.n_before, |at| each(at, Signs::DIGITS));
            (self.start, self.n_before, self.n_digits) = (end, n, n);
        }
        let n_last = word.joins.leading_ones();
        if n_last < u64::BITS {
            let last = !(u64::MAX >> n_last);
            self.start = start + LANES - n_last as usize;
            self.n_before = 0;
            self.n_digits = (word.digits & last).count_ones();
        }
    }
}

/// The signs of what stands at a place that is suspected.
fn signs_at(text: &[u8], at: usize) -> Signs {
    let next = |n: usize| text.get(at + n).copied().unwrap_or_default();
    let signs = match text[at] {
        b'\t' | b'\n' | b'\r' => Signs::NONE,
        0..0x20 | 0x7f => Signs::CONTROL,
        b'@' => Signs::AT,
        b'<' | b'&' | b'`' if is_markup_at(text, at) => Signs::MARKUP,
        // Latin-1: letters and punctuation.
        0xc2 => match next(1) {
            ..0xa0 => Signs::CONTROL,
            0xad => Signs::INVISIBLE,
            _ => Signs::NONE,
        },
        0xc3 if next(2) >= 0xc2 && is_mojibake_at(text, at) => Signs::MOJIBAKE,
        // Latin Extended A and B, Greek but its marks, Cyrillic; Latin-1.
        0xc3..=0xcb | 0xcf..=0xd1 => Signs::NONE,
        // Unified ideographs, Hangul but its jamo.
        0xe4..=0xe9 | 0xeb..=0xec => Signs::NONE,
        // Punctuation and symbols.
        0xe2 => general_punctuation(next(1), next(2)),
        lead @ 0xc0.. => {
            let width = usize::from(lead >= 0xe0) + usize::from(lead >= 0xf0) + 2;
            by_table(&text[at..text.len().min(at + width)])
        }
        _ => Signs::NONE,
    };
    if phrases::is_at(text, at) {
        signs | Signs::PHRASE
    } else {
        signs
    }
}

/// Whether letters at a place are UTF-8 read as something else. A quotation mark
/// before them may be the string's own, and then nothing stands before them.
fn is_mojibake_at(text: &[u8], at: usize) -> bool {
    mojibake::length_at(text, at).is_some()
        || text[..at].ends_with(b"\"") && mojibake::length_at(&text[at..], 0).is_some()
}

/// Whether `<`, `&` or a backtick at a place begins markup.
fn is_markup_at(text: &[u8], at: usize) -> bool {
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
}

/// Gives the place of the seventh digit wherever seven follow each other in a
/// stretch with nothing but separators between, no-break spaces and hyphens
/// beyond ASCII among them. `n_digits` stand before the stretch; tells how many,
/// seven for more, stand at its end.
fn each_digit_run(
    text: &[u8],
    stretch: Range<usize>,
    mut n_digits: u32,
    mut each: impl FnMut(usize),
) -> u32 {
    for (&byte, at) in text[stretch.clone()].iter().zip(stretch) {
        if byte.is_ascii_digit() {
            if n_digits == MANY_DIGITS - 1 {
                each(at);
            }
            n_digits = MANY_DIGITS.min(n_digits + 1);
        } else if !joins_digits(byte) {
            n_digits = 0;
        }
    }
    n_digits
}

/// Whether a byte may stand in a number.
fn joins_digits(byte: u8) -> bool {
    matches!(
        byte,
        b'0'..=b'9'
            | b' '
            | b'-'
            | b'.'
            | b'('
            | b')'
            | b'+'
            | 0xc2
            | 0xa0
            | 0xe2
            | 0x80
            | 0x90
            | 0x91
            | 0xaf
    )
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

    fn has_seven_digits(text: &[u8]) -> bool {
        let mut n = 0;
        text.iter().any(|byte| {
            n = match byte {
                b'0'..=b'9' => n + 1,
                byte if joins_digits(*byte) => n,
                _ => 0,
            };
            n == MANY_DIGITS
        })
    }

    fn has_markup(text: &str) -> bool {
        let bytes = text.as_bytes();
        (0..text.len()).any(|at| b"<&`".contains(&bytes[at]) && is_markup_at(bytes, at))
    }

    fn all_phrases() -> impl Iterator<Item = &'static str> {
        phrases::PHRASES
            .iter()
            .chain(phrases::BEYOND_ASCII)
            .copied()
    }

    proptest! {
        #[test]
        fn a_phrase_is_seen_wherever_it_stands(
            before in "[a-z é语]{0,200}", after in "[a-z é语]{0,200}",
            phrase in proptest::sample::select(all_phrases().collect::<Vec<_>>()),
        ) {
            let text = format!("{before}{phrase}{after}");
            prop_assert!(Signs::of(text.as_bytes()).any_of(Signs::PHRASE));
        }

        #[test]
        fn no_phrase_is_seen_in_vain(
            text in "[a-zA-Z0-9 _,.-]{0,90}(an A|INST|ghp_|作为A|作为一个AI|le model){0,2}[a-z]{0,9}",
        ) {
            let has_phrase = all_phrases().any(|phrase| text.contains(phrase));
            prop_assert_eq!(Signs::of(text.as_bytes()).any_of(Signs::PHRASE), has_phrase);
        }

        #[test]
        fn digits_and_markup_are_seen_where_they_are(
            text in "([a-z ]{0,80}|[0-9]{1,3}|[ .()+-]{1,70}|语{0,30}|\u{a0}|<b|<|&|;|#|``?`?){0,40}",
        ) {
            let signs = Signs::of(text.as_bytes());
            prop_assert_eq!(signs.any_of(Signs::DIGITS), has_seven_digits(text.as_bytes()), "{:?}", text);
            prop_assert_eq!(signs.any_of(Signs::MARKUP), has_markup(&text), "{:?}", text);
        }

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
