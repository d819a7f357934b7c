//! Rules about what texts hold: characters that should not be there, and words
//! that are not the answer.

pub(super) mod bidi_control;
pub(super) mod control_character;
pub(super) mod cut_answer;
pub(super) mod echoed_prompt;
mod entities;
pub(super) mod html_entity;
mod invisible;
pub(super) mod invisible_character;
pub(super) mod markup_left;
pub(super) mod model_boilerplate;
pub(super) mod mojibake;
pub(super) mod not_nfc;
pub(super) mod nul_character;
pub(super) mod refusal;
pub(super) mod replacement_character;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};
use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{Edit, Text};
pub(super) use crate::text::openings::head;

/// Characters of a few kinds that a text has, for telling them in one finding.
struct Kinds(Vec<(usize, char)>);

impl FromIterator<(usize, char)> for Kinds {
    fn from_iter<I: IntoIterator<Item = (usize, char)>>(characters: I) -> Self {
        Self(characters.into_iter().collect())
    }
}

impl Kinds {
    /// Where the first is.
    fn first(&self) -> Option<Range<usize>> {
        let (at, c) = self.0.first()?;
        Some(*at..at + c.len_utf8())
    }

    fn places(&self) -> impl Iterator<Item = (usize, char)> + '_ {
        self.0.iter().copied()
    }
}

impl fmt::Display for Kinds {
    /// Names each kind, in order of appearance, and how often it is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MANY: usize = 4;
        let mut kinds: Vec<(char, usize)> = Vec::new();
        for (_, c) in &self.0 {
            // Tags are one kind: together they spell something.
            let same = |other: char| other == *c || is_tag(other) && is_tag(*c);
            match kinds.iter_mut().find(|(other, _)| same(*other)) {
                Some((_, n)) => *n += 1,
                None => kinds.push((*c, 1)),
            }
        }
        for (n, (c, count)) in kinds.iter().take(MANY).enumerate() {
            f.write_str(if n > 0 { ", " } else { "" })?;
            write!(f, "U+{:04X}", u32::from(*c))?;
            if let Some(name) = name_of(*c) {
                write!(f, " ({name})")?;
            }
            if *count > 1 {
                write!(f, " {count} times")?;
            }
        }
        match kinds.len() {
            0..=MANY => Ok(()),
            n => write!(f, " and {} more kinds", n - MANY),
        }
    }
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// What people call a character that cannot be seen.
fn name_of(c: char) -> Option<&'static str> {
    Some(match c {
        '\0' => "the NUL character",
        '\u{7}' => "bell",
        '\u{8}' => "backspace",
        '\u{b}' => "vertical tab",
        '\u{c}' => "form feed",
        '\u{1a}' => "substitute, the end of a file on DOS",
        '\u{1b}' => "escape",
        '\u{7f}' => "delete",
        '\u{85}' => "next line, or `…` of Windows-1252",
        '\u{91}' | '\u{92}' => "a quotation mark of Windows-1252",
        '\u{93}' | '\u{94}' => "a double quotation mark of Windows-1252",
        '\u{96}' | '\u{97}' => "a dash of Windows-1252",
        '\u{ad}' => "soft hyphen",
        '\u{34f}' => "combining grapheme joiner",
        '\u{61c}' => "Arabic letter mark",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "Hangul filler",
        '\u{180e}' => "Mongolian vowel separator",
        '\u{200b}' => "zero-width space",
        '\u{200c}' => "zero-width non-joiner",
        '\u{200d}' => "zero-width joiner",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "end of an embedding",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2060}' => "word joiner",
        '\u{2061}'..='\u{2064}' => "invisible operator",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "end of an isolate",
        '\u{2800}' => "blank Braille pattern",
        '\u{feff}' => "byte-order mark",
        '\u{fff9}'..='\u{fffb}' => "interlinear annotation",
        '\u{fffd}' => "replacement character",
        c if is_tag(c) => "tag character",
        _ => return None,
    })
}

/// The code points of a text: `U+0065 U+0301`.
fn code_points(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        let space = if shown.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = write!(shown, "{space}U+{:04X}", u32::from(c));
    }
    shown
}

/// The edits that put something else in the place of stretches of a text,
/// which come in order.
///
/// If the new text had something that a safe repair would change (marks that
/// meet their letter when what stood between goes), it is changed at once, and
/// the text is replaced as a whole.
fn changes(text: &Text<'_, '_>, changes: &[(Range<usize>, String)]) -> Vec<Edit> {
    /// To find a place in a text with escapes costs reading it up to there.
    const MANY: usize = 64;
    let mut new = String::with_capacity(text.text.len());
    let mut at = 0;
    for (range, instead) in changes {
        new += &text.text[at..range.start];
        new += instead;
        at = range.end;
    }
    new += &text.text[at..];
    let tidy = tidied(&new);
    let is_tidy = tidy == new || tidied(&text.text) != *text.text;
    if !is_tidy {
        return vec![text.replaced(&tidy)];
    }
    if changes.len() > MANY {
        return vec![text.replaced(&new)];
    }
    let edits = changes.iter().map(|(range, instead)| {
        let range = text.value.offset_in(range.start)..text.value.offset_in(range.end);
        let mut json = Vec::new();
        crate::example::write::string(instead, &mut json);
        Edit::replace(range, &json[1..json.len() - 1])
    });
    edits.collect()
}

/// A text as the safe repairs of this group leave it.
fn tidied(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut at = 0;
    for (place, c) in invisible::idle(text) {
        tidy += &text[at..place];
        tidy += invisible::instead(c);
        at = place + c.len_utf8();
    }
    tidy += &text[at..];
    if is_nfc(&tidy) {
        tidy
    } else {
        tidy.nfc().collect()
    }
}

/// Whether a place of a text is inside of code: between backticks, or in a
/// fenced block.
fn is_in_code(text: &str, at: usize) -> bool {
    let before = &text[..at];
    if before.matches("```").count() % 2 == 1 {
        return true;
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.matches('`').count() % 2 == 1
}

/// A text in lower case and with straight apostrophes, for comparisons.
fn folded(text: &str) -> String {
    text.replace('’', "'").to_lowercase()
}

/// Where one of the words is first, and where it ends.
fn first_of(text: &str, words: &[&str]) -> Option<Range<usize>> {
    let found = words.iter().filter_map(|word| {
        let at = text.find(word)?;
        Some(at..at + word.len())
    });
    found.min_by_key(|range| range.start)
}
