//! Texts brought to one form, so that what only looks different is equal.
//!
//! In this order: characters that show nothing (soft hyphen, zero-width space,
//! word joiner, byte-order mark) go; NFKC; full case folding; NFKC again, as
//! folding may undo it; quotes of every kind become `"` or `'`, dashes and the
//! minus sign become `-`; a run of white space becomes one space, and none is
//! left at the ends. So `“Qué—  tal…”` and `"QUÉ- tal..."` are one text.
//! Everything else stays, `¿` and `¡`, accents and digits among it.
//!
//! Nearly all text takes the fast path: ASCII is copied and lower-cased eight
//! bytes at a time, and any other character that stands for itself alone is
//! looked up in a table that is filled from the slow path page by page. A text with a
//! character that may combine with its neighbours takes the slow path whole.

use std::cell::Cell;
use std::sync::OnceLock;

use caseless::Caseless;
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Appends the form in which a text is compared.
///
/// Applying it twice is applying it once. The cost is linear.
pub fn normalise(text: &str, out: &mut String) {
    let start = out.len();
    if !fast(text, out) {
        out.truncate(start);
        slow(text, out);
    }
}

/// The obvious version.
fn slow(text: &str, out: &mut String) {
    let mut spaced = Spaced::new(out);
    unified(text.chars()).for_each(|c| spaced.push(c));
}

/// All but white space.
fn unified(chars: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let folded = chars
        .filter(|c| !is_invisible(*c))
        .nfkc()
        .default_case_fold();
    folded.nfkc().filter(|c| !is_invisible(*c)).map(typography)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn typography(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '❝' | '❞' | '〝' | '〞' | '〟' => '"',
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | 'ʼ' | '❛' | '❜' => '\'',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        c => c,
    }
}

/// A text that gets one space for any run of white space, and none at its ends.
struct Spaced<'o> {
    out: &'o mut String,
    start: usize,
    is_due: bool,
}

impl<'o> Spaced<'o> {
    fn new(out: &'o mut String) -> Self {
        Self {
            start: out.len(),
            out,
            is_due: false,
        }
    }

    fn space(&mut self) {
        self.is_due = self.out.len() > self.start;
    }

    fn push(&mut self, c: char) {
        if c.is_whitespace() {
            return self.space();
        }
        self.flush();
        self.out.push(c);
    }

    fn flush(&mut self) {
        if self.is_due {
            self.out.push(' ');
            self.is_due = false;
        }
    }
}

/// Does the same by table, or gives up and returns `false`.
fn fast(text: &str, out: &mut String) -> bool {
    /// More than common texts need is given back to the system.
    const MOST_KEPT: usize = 1 << 20;
    thread_local! {
        static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut buffer = BUFFER.take();
    // A character that is no ASCII has two bytes at least and becomes one of
    // four at most; and words are written whole.
    let most = 2 * text.len() + WORD;
    if buffer.len() < most {
        buffer.resize(most, 0);
    }
    let end = unify(text, &mut buffer);
    // Characters were put together from whole ones.
    let normalised = end.and_then(|end| simdutf8::basic::from_utf8(&buffer[..end]).ok());
    out.push_str(normalised.unwrap_or_default());
    let is_done = normalised.is_some();
    if buffer.len() <= MOST_KEPT {
        BUFFER.set(buffer);
    }
    is_done
}

const WORD: usize = size_of::<u64>();

/// Writes what becomes of a text, and says how much that is; `None` if
/// characters may combine.
fn unify(text: &str, buffer: &mut [u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        let mut is_after_space = end == 0 || buffer[end - 1] == b' ';
        while let Some(word) = bytes[at..].first_chunk() {
            let (lower, n_plain) = plain(u64::from_le_bytes(*word), is_after_space);
            // What is no more plain is overwritten.
            buffer[end..end + WORD].copy_from_slice(&lower.to_le_bytes());
            if n_plain < WORD {
                at += n_plain;
                end += n_plain;
                break;
            }
            // Nothing of this waits for what was found out about the word, so the
            // next ones are begun meanwhile.
            at += WORD;
            end += WORD;
            is_after_space = lower.to_le_bytes()[WORD - 1] == b' ';
        }
        // Near the end of the text, or where something is not plain. What is
        // not is seldom alone.
        let mut is_first = true;
        while let Some(&byte) = bytes.get(at) {
            // U+5000 to U+9FFF, most of Chinese, stand for themselves.
            if (0xe5..=0xe9).contains(&byte) {
                buffer[end..end + 3].copy_from_slice(&bytes[at..at + 3]);
                at += 3;
                end += 3;
                continue;
            }
            // U+00C0 to U+00FF, most of what Western European text has beside ASCII,
            // are letters and the same in lower case, but for `×`, `÷` and `ß`.
            if let &[0xc3, low, ..] = &bytes[at..]
                && !matches!(low, 0x97 | 0xb7 | 0x9f)
            {
                buffer[end] = 0xc3;
                buffer[end + 1] = low | 0x20;
                at += 2;
                end += 2;
                is_first = false;
                continue;
            }
            if byte.is_ascii() && !is_first && bytes.len() - at >= WORD {
                break;
            }
            is_first = false;
            let c = text[at..].chars().next()?;
            at += c.len_utf8();
            let one = match c {
                ' '..='~' => u32::from(c.to_ascii_lowercase()),
                c => entry(c),
            };
            let one = match one {
                SLOW => return None,
                NOTHING => continue,
                one => char::from_u32(one)?,
            };
            if one == ' ' && (end == 0 || buffer[end - 1] == b' ') {
                continue;
            }
            end += one.encode_utf8(&mut buffer[end..]).len();
        }
    }
    let is_spaced = end > 0 && buffer[end - 1] == b' ';
    Some(end - usize::from(is_spaced))
}

/// Eight bytes in lower case, and how many at their beginning are visible ASCII
/// with single spaces.
fn plain(word: u64, is_after_space: bool) -> (u64, usize) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x80 * ONES;
    // Each step works on eight numbers below 128 at once, whose sums do not
    // carry; the top bits are what it finds out.
    let low = word & !TOPS;
    let is_printable = (low + 0x60 * ONES) & !(low + ONES) & !word & TOPS;
    let is_space = !(((low ^ (0x20 * ONES)) + 0x7f * ONES) | word) & TOPS;
    let is_doubled = is_space & ((is_space << 8) | (u64::from(is_after_space) << 7));
    let is_upper = (low + (0x80 - 0x41) * ONES) & !(low + (0x80 - 0x5b) * ONES) & !word & TOPS;
    let n_plain = ((!is_printable & TOPS) | is_doubled).trailing_zeros() / u8::BITS;
    (word | (is_upper >> 2), n_plain as usize)
}

/// The character may combine with its neighbours, or becomes several.
const SLOW: u32 = u32::MAX;
/// The character goes.
const NOTHING: u32 = u32::MAX - 1;

const PAGE: usize = 256;
const N_PAGES: usize = 0x11_0000 / PAGE;

/// What becomes of a character, wherever it stands.
fn entry(c: char) -> u32 {
    static PAGES: [OnceLock<Box<[u32; PAGE]>>; N_PAGES] = [const { OnceLock::new() }; N_PAGES];
    let (page, at) = (c as usize / PAGE, c as usize % PAGE);
    PAGES[page].get_or_init(|| page_of(page))[at]
}

fn page_of(page: usize) -> Box<[u32; PAGE]> {
    let mut entries = Box::new([SLOW; PAGE]);
    for (entry, c) in entries.iter_mut().zip(page * PAGE..) {
        if let Some(c) = char::from_u32(c as u32) {
            *entry = alone(c);
        }
    }
    entries
}

/// What becomes of a character that has no neighbours, if neighbours that are
/// no combining marks cannot change it.
fn alone(c: char) -> u32 {
    if is_invisible(c) {
        return NOTHING;
    }
    let mut unified = unified(std::iter::once(c));
    let (Some(one), None) = (unified.next(), unified.next()) else {
        return SLOW;
    };
    let stands_alone = |c: char| {
        canonical_combining_class(c) == 0 && is_nfkc_quick(c.nfkc_of()) == IsNormalized::Yes
    };
    if one.is_whitespace() {
        u32::from(' ')
    } else if stands_alone(c) && stands_alone(one) {
        u32::from(one)
    } else {
        SLOW
    }
}

/// A character in NFKC.
trait NfkcOf {
    fn nfkc_of(self) -> impl Iterator<Item = char>;
}

impl NfkcOf for char {
    fn nfkc_of(self) -> impl Iterator<Item = char> {
        std::iter::once(self).nfkc()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(text: &str) -> String {
        let mut out = String::new();
        normalise(text, &mut out);
        out
    }

    #[test]
    fn what_only_looks_different_is_equal() {
        let check = |text: &str, expected: &str| assert_eq!(normalised(text), expected);
        check("  Hello,\tWORLD!\r\n\r\nBye ", "hello, world! bye");
        check("“Qué—  tal…”", "\"qué- tal...\"");
        check("«¿Cómo estás?» – ¡Bien!", "\"¿cómo estás?\" - ¡bien!");
        check("It’s ‘fine’ − 5 ‐ 3", "it's 'fine' - 5 - 3");
        check("Straße ΣΊΣΥΦΟΣ ﬁn Ⅷ ½", "strasse σίσυφοσ fin viii 1⁄2");
        check("e\u{301}cole ÉCOLE", "école école");
        check("ＡＢＣ　１２３", "abc 123");
        check("你好，　世界。", "你好, 世界。");
        check("co\u{ad}op\u{200b}er\u{feff}ate", "cooperate");
        check("한국어 각", "한국어 각");
        check("👩\u{200d}👩\u{200d}👧 Ok", "👩\u{200d}👩\u{200d}👧 ok");
        check("", "");
        check(" \u{3000}\n", "");
    }

    #[test]
    fn what_is_there_stays() {
        let mut out = String::from("kept ");
        normalise(" A", &mut out);
        normalise("e\u{301}", &mut out);
        assert_eq!(out, "kept aé");
    }

    /// Text in which everything that matters is frequent.
    fn texts() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            8 => proptest::char::range(' ', '~'),
            3 => Just(' '),
            1 => prop_oneof![Just('\n'), Just('\t'), Just('\u{a0}'), Just('\u{2003}'), Just('\u{85}')],
            2 => proptest::char::range('\u{a1}', '\u{24f}'),
            1 => proptest::char::range('\u{300}', '\u{36f}'),
            1 => proptest::char::range('\u{370}', '\u{5ff}'),
            1 => proptest::char::range('\u{1100}', '\u{11ff}'),
            1 => proptest::char::range('\u{1e00}', '\u{206f}'),
            1 => proptest::char::range('\u{3000}', '\u{30ff}'),
            1 => proptest::char::range('\u{ac00}', '\u{d7a3}'),
            1 => proptest::char::range('\u{fb00}', '\u{ffef}'),
            1 => any::<char>(),
        ];
        proptest::collection::vec(character, 0..80).prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_fast_path_is_the_slow_one(text in texts()) {
            let mut expected = String::new();
            slow(&text, &mut expected);
            prop_assert_eq!(normalised(&text), expected);
        }

        #[test]
        fn twice_is_once(text in texts()) {
            let once = normalised(&text);
            prop_assert_eq!(normalised(&once), once);
        }
    }

    #[test]
    fn every_character_alone_is_as_the_slow_path_has_it() {
        for c in '\u{80}'..='\u{1ffff}' {
            // Between two letters, so that it can combine with the first.
            let text: String = ['e', c, 'f'].iter().collect();
            let mut expected = String::new();
            slow(&text, &mut expected);
            assert_eq!(normalised(&text), expected, "{c:?}");
        }
    }
}
