//! UTF-8 that was read as Windows-1252 or Latin-1, and what it was.
//!
//! `ñ` is two bytes in UTF-8; read as Windows-1252 they are `Ã±`. Such a text
//! can be read back: its characters are bytes again, and the bytes are UTF-8.
//! But good text holds such characters, too: `qué…»` would be a Chinese
//! character. So what can be read back is not enough. A stretch counts only if
//! it is nothing that a person would type: a letter is followed by a sign that
//! does not follow letters, or several characters in a row can be read back.

use std::ops::Range;
use std::sync::LazyLock;

use encoding_rs::WINDOWS_1252;

/// What the bytes 0x80 to 0x9f are in Windows-1252.
static SPECIALS: LazyLock<[char; 32]> = LazyLock::new(|| {
    let mut specials = ['\0'; 32];
    for (byte, special) in (0x80_u8..).zip(&mut specials) {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(std::slice::from_ref(&byte));
        *special = text.chars().next().unwrap_or(char::from(byte));
    }
    specials
});

/// A stretch of a text that was read in the wrong encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mojibake {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What it was.
    pub was: String,
}

/// Finds the stretches of a text that are UTF-8 read as Windows-1252 or
/// Latin-1, and what they were.
#[must_use]
pub fn find(text: &str) -> Vec<Mojibake> {
    let mut found: Vec<Mojibake> = Vec::new();
    let mut at = 0;
    while let Some(step) = memchr::memchr(0xc3, &text.as_bytes()[at..]) {
        let start = at + step;
        if let Some(length) = length_at(text.as_bytes(), start) {
            at = start + length;
            found.push(Mojibake {
                range: start..at,
                was: read_back(&text[start..at]),
            });
        } else {
            at = start + 2;
        }
    }
    found
}

/// Reads a stretch back, as often as it was misread.
fn read_back(text: &str) -> String {
    let mut was = decoded(text).unwrap_or_default();
    while let Some(before) = decoded(&was) {
        if before.chars().count() >= was.chars().count() {
            break;
        }
        was = before;
    }
    was
}

fn decoded(text: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = text.chars().map(byte_of).collect();
    String::from_utf8(bytes?).ok()
}

/// The byte that a character was, if it was one beyond ASCII.
#[inline]
pub(super) fn byte_of(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0x80..0x100 => u8::try_from(code).ok(),
        0x152..=0x2122 => {
            let n = SPECIALS.iter().position(|special| *special == c)?;
            u8::try_from(0x80 + n).ok()
        }
        _ => None,
    }
}

/// The character that Windows-1252 has for a C1 control, if it has one.
#[must_use]
pub fn of_control(c: char) -> Option<char> {
    let n = u32::from(c).checked_sub(0x80)?;
    let special = *SPECIALS.get(usize::try_from(n).ok()?)?;
    (special != c).then_some(special)
}

/// How a byte that goes on a character shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// As punctuation that follows letters in good text.
    Common,
    /// As a sign that may follow a letter or punctuation.
    Possible,
    /// As nothing that follows a letter.
    Strange,
}

fn shows(byte: u8) -> Shows {
    match byte {
        // … ‘ ’ “ ” – — nbsp « » ‹ ›
        0x85 | 0x91..=0x94 | 0x96 | 0x97 | 0xa0 | 0xab | 0xbb | 0x8b | 0x9b => Shows::Common,
        // € ™ • ¡ £ § © ª ® ° ² ³ · ¹ º ¼ ½ ¾ ¿
        0x80
        | 0x99
        | 0x95
        | 0xa1
        | 0xa3
        | 0xa7
        | 0xa9
        | 0xaa
        | 0xae
        | 0xb0
        | 0xb2
        | 0xb3
        | 0xb7
        | 0xb9
        | 0xba
        | 0xbc..=0xbf => Shows::Possible,
        _ => Shows::Strange,
    }
}

/// The length in bytes of the stretch that begins at a letter U+00C0 to
/// U+00FF (its first byte is 0xc3), if it is mojibake.
///
/// The text is valid UTF-8; only the characters around the place are looked
/// at.
pub(super) fn length_at(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut n_characters, mut n_strange) = (start, 0, 0);
    let mut is_sure = false;
    let mut first = (0, Shows::Strange);
    while let Some((lead, width)) = byte_at(text, at) {
        let n_more = match lead {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => break,
        };
        let mut bytes = [lead, 0, 0, 0];
        let mut end = at + width;
        let mut n_read = 0;
        for byte in &mut bytes[1..=n_more] {
            let Some((next, width)) = byte_at(text, end) else {
                break;
            };
            *byte = next;
            end += width;
            n_read += 1;
        }
        let bytes = &bytes[..=n_more];
        // C1 is none of the characters that text had, unless it was misread
        // twice.
        let is_control = n_characters == 0 && lead == 0xc2 && bytes[1] < 0xa0;
        if n_read < n_more || is_control || std::str::from_utf8(bytes).is_err() {
            break;
        }
        if n_characters == 0 {
            first = (lead, shows(bytes[1]));
        }
        n_characters += 1;
        n_strange += u32::from(bytes[1..].iter().any(|byte| shows(*byte) == Shows::Strange));
        // Punctuation, symbols and emoji; the byte-order mark.
        is_sure |= n_more == 3
            || (lead == 0xe2 && matches!(bytes[1], 0x80 | 0x82 | 0x84 | 0x86 | 0x9c | 0x98))
            || bytes == b"\xef\xbb\xbf";
        at = end;
    }
    let is_mojibake = match (n_characters, first) {
        (0, _) => false,
        _ if is_sure => true,
        (1, (0xc2 | 0xc3, shown)) => {
            let is_held_back = is_capital_or_quote_before(text, start);
            let goes_on = text
                .get(at)
                .is_some_and(|next| next.is_ascii_alphabetic() || *next == 0xc3);
            shown == Shows::Strange || !is_held_back || goes_on
        }
        // The letters of Polish and its kin.
        (1, (0xc4 | 0xc5, Shows::Possible)) => !is_capital_or_quote_before(text, start),
        (1, (0xc4..=0xdf, Shows::Strange)) => true,
        (1, (0xc4..=0xdf, _)) => false,
        (1, _) => n_strange > 0,
        // `Ã` and `Â` twice are the mark of what was misread twice.
        (2, (0xc2 | 0xc3, _)) => true,
        (2, _) => n_strange > 0,
        _ => true,
    };
    is_mojibake.then_some(at - start)
}

/// The byte that the character at a place was, and the character's width.
fn byte_at(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let width = match text.get(at)? {
        0xc2..=0xcb => 2,
        0xe2 => 3,
        _ => return None,
    };
    let c = std::str::from_utf8(text.get(at..at + width)?).ok()?;
    Some((byte_of(c.chars().next()?)?, width))
}

/// Whether the character before a place is a capital letter, of ASCII or
/// Latin-1, or opens a quotation: then punctuation may well follow the letter.
fn is_capital_or_quote_before(text: &[u8], at: usize) -> bool {
    match text[..at] {
        [.., 0xc3, last] => (0x80..=0x9e).contains(&last),
        // « and the quotation marks of U+2018 to U+201F.
        [.., 0xc2, 0xab] | [.., 0xe2, 0x80, 0x98..=0x9f] => true,
        [.., last] => last.is_ascii_uppercase() || matches!(last, b'"' | b'\'' | b'('),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn misread(text: &str) -> String {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(text.as_bytes());
        text.into_owned()
    }

    fn repaired(text: &str) -> String {
        let mut repaired = String::new();
        let mut at = 0;
        for Mojibake { range, was } in find(text) {
            repaired += &text[at..range.start];
            repaired += &was;
            at = range.end;
        }
        repaired + &text[at..]
    }

    #[test]
    fn misread_text_is_read_back() {
        for text in [
            "mañana",
            "¿Qué haces aquí? ¡Él está en São Paulo!",
            "MAÑANA, ÁRBOL",
            "it’s “here”… — 20 €",
            "voilà l’été",
            "你好，世界。",
            "Привет",
            "łódź, Wałęsa",
            "😀 ok",
            "£5 and 3°",
        ] {
            assert_eq!(repaired(&misread(text)), text, "{}", misread(text));
            let twice = misread(&misread(text));
            assert_eq!(repaired(&twice), text, "{twice}");
        }
        let latin: String = "mañana será él".bytes().map(char::from).collect();
        assert_eq!(repaired(&latin), "mañana será él");
    }

    #[test]
    fn good_text_is_left_alone() {
        for text in [
            "«¿Por qué…» —dijo él—. Sí—¿quieres?",
            "qué…» é— ó” í’ á… —sé—¿y?",
            "NÃO, IRMÃ… A MANHÃ— “IRMû IRMû CORAÇÃO MÃE",
            "CAFÉ… PERÚ» CAFÉ™ JOSɔ QUɗ É… È— Ó…",
            "Spaß… „Spaß“ größer «Â» ä, ö; ü:",
            "Tiếng Việt: ĐÂY LÀ ĐẤT NƯỚC… Ân, Ông, Ở — “Â”",
            "santé\u{a0}» payé\u{a0}: à\u{a0}«\u{a0}Paris\u{a0}»",
            "Þetta er maður… ég— það»",
            "20 °C, £5, 1.º, ½, ©2024, ¿qué? ¡ñ!",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_can_be_read_back(text in "[ -~À-ÿ\u{80}-\u{bf}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{0,24}") {
            for Mojibake { range, was } in find(&text) {
                prop_assert!(!was.is_empty());
                prop_assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
                prop_assert!(was.chars().count() < text[range].chars().count());
            }
        }
    }
}
