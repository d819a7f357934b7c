//! The tokenizers of BLEU that need no model.
//!
//! sacreBLEU's are chains of regular expressions. Here each expression is one
//! pass over the line. All that they look for but the classes of `intl` is
//! ASCII, and "any character but a digit" may as well be its last byte before
//! and its first byte after, so those passes run over UTF-8 bytes.

use std::borrow::Cow;

use crate::text::{is_space, lower, trim_end, words};
use crate::unicode::{Class, class};

/// How BLEU cuts a segment into tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tokenizer {
    /// As `mteval-v13a`, for languages with Western punctuation; the default.
    #[default]
    V13a,
    /// As `mteval-v14 --international-tokenization`: at any punctuation and
    /// symbol of Unicode.
    Intl,
    /// At every Chinese character, and as `mteval-v13a` in between.
    Zh,
    /// At every character.
    Char,
    /// At white space only.
    None,
}

impl Tokenizer {
    /// Lists all tokenizers.
    pub const ALL: [Tokenizer; 5] = [
        Tokenizer::V13a,
        Tokenizer::Intl,
        Tokenizer::Zh,
        Tokenizer::Char,
        Tokenizer::None,
    ];

    /// Names the tokenizer as signatures do.
    pub fn name(self) -> &'static str {
        match self {
            Tokenizer::V13a => "13a",
            Tokenizer::Intl => "intl",
            Tokenizer::Zh => "zh",
            Tokenizer::Char => "char",
            Tokenizer::None => "none",
        }
    }

    /// Chooses the tokenizer that sacreBLEU takes for a target language when
    /// none is named, by its two-letter code.
    ///
    /// For Japanese and Korean that is one that needs a model, so there is
    /// none here.
    pub fn for_language(language: &str) -> Option<Tokenizer> {
        match language {
            "zh" => Some(Tokenizer::Zh),
            "ja" | "ko" => None,
            _ => Some(Tokenizer::V13a),
        }
    }

    /// Gives the tokens of a segment with one space between them.
    pub fn tokenize(self, segment: &str) -> String {
        let mut lines = Lines::default();
        let tokens: Vec<_> = words(lines.tokenize(self, segment, false)).collect();
        String::from_utf8_lossy(&tokens.join(&b' ')).into_owned()
    }
}

/// Counts the hypotheses that end in a full stop of its own.
///
/// sacreBLEU warns from 100 on that the text has been tokenized already, which
/// makes BLEU too high, unless it is told to `force`.
pub fn count_tokenized<H: AsRef<str>>(hypotheses: &[H]) -> usize {
    let is_tokenized = |hypothesis: &&H| hypothesis.as_ref().ends_with(" .");
    hypotheses.iter().filter(is_tokenized).count()
}

/// Buffers for the passes, to be used again for the next segment.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    line: Vec<u8>,
    next: Vec<u8>,
    chars: Vec<(char, Class)>,
    next_chars: Vec<(char, Class)>,
}

impl Lines {
    /// Gives a segment with white space between its tokens.
    pub(crate) fn tokenize(&mut self, how: Tokenizer, segment: &str, lowercase: bool) -> &[u8] {
        let segment = lower(segment, lowercase);
        let segment = trim_end(&segment);
        self.line.clear();
        match how {
            Tokenizer::V13a => self.v13a(segment),
            Tokenizer::Intl => self.intl(segment),
            Tokenizer::Zh => self.zh(segment),
            Tokenizer::Char => {
                for c in segment.chars() {
                    push_spaced(&mut self.line, c, true);
                }
            }
            Tokenizer::None => self.line.extend_from_slice(segment.as_bytes()),
        }
        &self.line
    }

    fn v13a(&mut self, segment: &str) {
        let mut segment = Cow::Borrowed(segment);
        for (old, new) in [("<skipped>", ""), ("-\n", ""), ("\n", " ")] {
            replace(&mut segment, old, new);
        }
        unescape(&mut segment);
        self.line.push(b' ');
        self.line.extend_from_slice(segment.as_bytes());
        self.line.push(b' ');
        space_symbols(&mut self.line, &mut self.next);
        space_numbers(&mut self.line, &mut self.next);
    }

    fn zh(&mut self, segment: &str) {
        for c in segment.trim_matches(is_space).chars() {
            push_spaced(&mut self.line, c, is_chinese(c));
        }
        space_symbols(&mut self.line, &mut self.next);
        space_numbers(&mut self.line, &mut self.next);
    }

    fn intl(&mut self, segment: &str) {
        const SPACE: (char, Class) = (' ', Class::Other);
        let (line, next) = (&mut self.chars, &mut self.next_chars);
        line.clear();
        line.extend(segment.chars().map(|c| (c, class(c))));
        let is_mark = |(_, class): (char, Class)| class == Class::Punctuation;
        let is_number = |(_, class): (char, Class)| class == Class::Number;
        // (\P{N})(\p{P}) and (\p{P})(\P{N})
        let after = |a, b| [a, SPACE, b, SPACE];
        space_pairs(line, next, |a, b| !is_number(a) && is_mark(b), after);
        let before = |a, b| [SPACE, a, SPACE, b];
        space_pairs(line, next, |a, b| is_mark(a) && !is_number(b), before);
        for &(c, class) in &*line {
            push_spaced(&mut self.line, c, class == Class::Symbol);
        }
    }
}

/// Puts spaces around ASCII symbols, all but the apostrophe, comma, hyphen
/// and full stop: `[\{-\~\[-\` -\&\(-\+\:-\@\/]`.
pub(crate) fn space_symbols(line: &mut Vec<u8>, next: &mut Vec<u8>) {
    next.clear();
    for &byte in &*line {
        if matches!(byte, b' '..=b'&' | b'('..=b'+' | b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~')
        {
            next.extend_from_slice(&[b' ', byte, b' ']);
        } else {
            next.push(byte);
        }
    }
    std::mem::swap(line, next);
}

/// Separates commas and full stops that are not inside a number, and hyphens
/// after a digit.
pub(crate) fn space_numbers(line: &mut Vec<u8>, next: &mut Vec<u8>) {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let is_stop = |byte| matches!(byte, b'.' | b',');
    let after = |a, b| [a, b' ', b, b' '];
    let before = |a, b| [b' ', a, b' ', b];
    // ([^0-9])([\.,]), ([\.,])([^0-9]) and ([0-9])(-)
    space_pairs(line, next, |a, b| is_stop(b) && !is_digit(a), after);
    space_pairs(line, next, |a, b| is_stop(a) && !is_digit(b), before);
    space_pairs(line, next, |a, b| b == b'-' && is_digit(a), after);
}

/// Replaces neighbours from left to right, as a regular expression of two
/// characters does: what one match has taken, the next cannot.
fn space_pairs<T: Copy>(
    line: &mut Vec<T>,
    next: &mut Vec<T>,
    is_pair: impl Fn(T, T) -> bool,
    spaced: impl Fn(T, T) -> [T; 4],
) {
    next.clear();
    let mut rest = &line[..];
    while let [a, tail @ ..] = rest {
        match tail {
            [b, tail @ ..] if is_pair(*a, *b) => {
                next.extend_from_slice(&spaced(*a, *b));
                rest = tail;
            }
            _ => {
                next.push(*a);
                rest = tail;
            }
        }
    }
    std::mem::swap(line, next);
}

/// Adds a character, with spaces around it if it is a token of its own.
pub(crate) fn push_spaced(line: &mut Vec<u8>, c: char, is_token: bool) {
    if is_token {
        line.push(b' ');
    }
    line.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    if is_token {
        line.push(b' ');
    }
}

/// Turns the four entities of XML that sacreBLEU knows into characters, one
/// after the other, so that `&amp;lt;` becomes `<`.
pub(crate) fn unescape(text: &mut Cow<'_, str>) {
    if text.contains('&') {
        for (entity, c) in [
            ("&quot;", "\""),
            ("&amp;", "&"),
            ("&lt;", "<"),
            ("&gt;", ">"),
        ] {
            replace(text, entity, c);
        }
    }
}

/// Replaces every occurrence and allocates only if there is one.
pub(crate) fn replace(text: &mut Cow<'_, str>, old: &str, new: &str) {
    if text.contains(old) {
        *text = Cow::Owned(text.replace(old, new));
    }
}

/// Tells what the `zh` tokenizer takes for Chinese.
///
/// sacreBLEU writes two of its ranges beyond U+FFFF with four digits too few,
/// so they begin and end elsewhere: everything from U+2001 to U+2A6D is in.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{2001}'..='\u{2a6d}'
        | '\u{2e80}'..='\u{2eff}'
        | '\u{2f00}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_mteval_and_its_kin() {
        #[track_caller]
        fn check(segment: &str, expected: [&str; 5]) {
            assert_eq!(
                Tokenizer::ALL.map(|tokenizer| tokenizer.tokenize(segment)),
                expected
            );
        }
        let same = |text| [text; 5];
        check("", same(""));
        check(" \u{3000}\n", same(""));
        check(
            "U.S. is 3.5-4 %.",
            [
                "U . S . is 3.5 - 4 % .",
                "U . S . is 3.5-4 % .",
                "U . S . is 3.5 - 4 % .",
                "U . S . i s 3 . 5 - 4 % .",
                "U.S. is 3.5-4 %.",
            ],
        );
        check(
            "中国a→b &amp; «c»",
            [
                "中国a→b & «c»",
                "中国a → b & amp ; « c »",
                "中 国 a → b & amp ; «c»",
                "中 国 a → b & a m p ; « c »",
                "中国a→b &amp; «c»",
            ],
        );
    }

    #[test]
    fn a_full_stop_of_its_own_gives_tokenized_text_away() {
        assert_eq!(
            count_tokenized(&["It rained .", "It rained.", "It rained . "]),
            1
        );
    }

    #[test]
    fn languages_have_the_tokenizer_of_sacrebleu() {
        assert_eq!(Tokenizer::for_language("es"), Some(Tokenizer::V13a));
        assert_eq!(Tokenizer::for_language("zh"), Some(Tokenizer::Zh));
        assert_eq!(Tokenizer::for_language("ja"), None);
    }
}
