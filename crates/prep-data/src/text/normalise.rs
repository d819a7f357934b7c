//! Texts brought to one form, so that what only looks different is equal.
//!
//! In this order: characters that show nothing (soft hyphen, zero-width space,
//! word joiner, byte-order mark) go; NFKC; full case folding; NFKC again, as
//! folding may undo it; quotes of every kind become `"` or `'`, dashes and the
//! minus sign become `-`; a run of white space becomes one space, and none is
//! left at the ends. So `“Qué—  tal…”` and `"QUÉ- tal..."` are one text.
//! Everything else stays, `¿` and `¡`, accents and digits among it.
//!
//! Nearly all text takes the fast path: stretches of ASCII are copied and
//! lower-cased, and any other character that stands for itself alone is looked
//! up in a table that is filled from the slow path page by page. A text with a
//! character that may combine with its neighbours takes the slow path whole.

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

    /// Appends visible ASCII with single spaces, which does not begin with one.
    fn push_plain(&mut self, plain: &str) {
        self.flush();
        let start = self.out.len();
        self.out.push_str(plain.strip_suffix(' ').unwrap_or(plain));
        self.out[start..].make_ascii_lowercase();
        self.is_due = plain.ends_with(' ');
    }
}

/// Does the same by table, or gives up and returns `false`.
fn fast(text: &str, out: &mut String) -> bool {
    out.reserve(text.len());
    let mut spaced = Spaced::new(out);
    let mut rest = text;
    loop {
        let n_plain = plain_prefix(rest.as_bytes());
        if n_plain > 0 {
            let (plain, after) = rest.split_at(n_plain);
            spaced.push_plain(plain);
            rest = after;
        }
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { return true };
        rest = chars.as_str();
        match c {
            ' ' => spaced.space(),
            c if c.is_ascii() => spaced.push(c.to_ascii_lowercase()),
            c => match entry(c) {
                SLOW => return false,
                NOTHING => {}
                one => spaced.push(char::from_u32(one).unwrap_or(c)),
            },
        }
    }
}

/// How many bytes at the beginning are visible ASCII with single spaces, the
/// first one no space.
fn plain_prefix(bytes: &[u8]) -> usize {
    const CHUNK: usize = 16;
    if bytes.first() == Some(&b' ') {
        return 0;
    }
    let mut n = 0;
    let mut was_space = false;
    while let Some(chunk) = bytes.get(n..n + CHUNK) {
        let is_visible = chunk
            .iter()
            .fold(true, |all, &byte| all & (0x20..0x7f).contains(&byte));
        let pairs = chunk.iter().zip(&chunk[1..]);
        let is_doubled = pairs.fold(was_space & (chunk[0] == b' '), |any, (&a, &b)| {
            any | ((a == b' ') & (b == b' '))
        });
        if !is_visible || is_doubled {
            break;
        }
        was_space = chunk[CHUNK - 1] == b' ';
        n += CHUNK;
    }
    let rest = bytes[n..].iter().take_while(|&&byte| {
        let is_doubled = was_space & (byte == b' ');
        was_space = byte == b' ';
        (0x20..0x7f).contains(&byte) & !is_doubled
    });
    n + rest.count()
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
