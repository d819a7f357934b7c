//! Which invisible characters do something where they stand.
//!
//! Joiners shape Arabic and Indic letters and hold emoji together, zero-width
//! spaces part the words of Thai and Khmer, tags make the flag of Wales. The
//! same characters between letters of Spanish are left over from a web page.

use super::bidi_control::is_bidi_control;
use super::is_tag;
use crate::text::signs::is_invisible;

/// The invisible characters that do nothing where they stand, in order. The
/// controls of direction are not among them.
pub(super) fn idle(text: &str) -> Vec<(usize, char)> {
    let mut idle = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().map(|(_, after)| *after);
        if is_invisible(c) && !is_bidi_control(c) && !is_at_work(c, before, after) {
            idle.push((at, c));
            // What does nothing is not seen by what follows.
            continue;
        }
        before = Some(c);
    }
    idle
}

fn is_at_work(c: char, before: Option<char>, after: Option<char>) -> bool {
    let beside = |is: fn(char) -> bool| before.is_some_and(is) || after.is_some_and(is);
    let between = |is: fn(char) -> bool| before.is_some_and(is) && after.is_some_and(is);
    match c {
        '\u{200d}' => before.is_some_and(is_joined) || between(is_emoji),
        '\u{200c}' => before.is_some_and(is_joined),
        '\u{200b}' => beside(is_without_spaces),
        '\u{34f}' => after.is_some_and(is_mark),
        '\u{115f}' | '\u{1160}' => beside(|c| matches!(c, '\u{1100}'..='\u{11ff}')),
        '\u{17b4}' | '\u{17b5}' => before.is_some_and(|c| matches!(c, '\u{1780}'..='\u{17ff}')),
        '\u{180b}'..='\u{180e}' => before.is_some_and(|c| matches!(c, '\u{1800}'..='\u{18af}')),
        '\u{2800}' => beside(|c| matches!(c, '\u{2801}'..='\u{28ff}')),
        '\u{1d173}'..='\u{1d17a}' => beside(|c| matches!(c, '\u{1d100}'..='\u{1d1ff}')),
        c if is_tag(c) => before.is_some_and(|c| c == '🏴' || is_tag(c)),
        _ => false,
    }
}

/// What stands in the place of an idle character: a space where it looked like
/// one.
pub(super) fn instead(c: char) -> &'static str {
    match c {
        '\u{2800}' | '\u{3164}' | '\u{ffa0}' => " ",
        // An annotation comes behind what it annotates.
        '\u{fffa}' => " (",
        '\u{fffb}' => ")",
        _ => "",
    }
}

/// What tag characters spell, if there are any: text that a model reads and a
/// person does not see.
pub(super) fn hidden_text(characters: impl Iterator<Item = char>) -> Option<String> {
    const MANY: usize = 40;
    let tags = characters.filter(|c| is_tag(*c)).filter_map(|c| {
        let c = char::from_u32(u32::from(c) - 0xe0000)?;
        (' '..='~').contains(&c).then_some(c)
    });
    let hidden: String = tags.take(MANY).collect();
    (!hidden.is_empty()).then_some(hidden)
}

/// Whether a letter runs from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        && c.is_alphabetic()
}

/// Scripts whose letters join: Arabic and its kin, Mongolian, and those of
/// India and around it.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{e00}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}' | '\u{1900}'..='\u{1cff}' | '\u{a800}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}'
        | '\u{1e900}'..='\u{1e95f}')
}

/// Scripts that set no spaces between words.
fn is_without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{1950}'..='\u{1aff}' | '\u{1b00}'..='\u{1b7f}' | '\u{a980}'..='\u{a9df}'
        | '\u{aa60}'..='\u{aadf}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{203c}' | '\u{2049}' | '\u{2190}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}')
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_judged_where_they_stand() {
        for (text, n_idle) in [
            ("👩\u{200d}👩\u{200d}👧", 0),
            ("❤\u{fe0f}\u{200d}🔥", 0),
            ("می\u{200c}خواهم", 0),
            ("क्\u{200d}ष", 0),
            ("สวัสดี\u{200b}ครับ", 0),
            (
                "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
                0,
            ),
            ("⠁\u{2800}⠃", 0),
            ("a\u{200d}b", 1),
            ("word\u{200b}\u{200b}break", 2),
            ("co\u{ad}operate", 1),
            ("\u{feff}text", 1),
            ("hi\u{e0068}\u{e0069}", 2),
            ("x\u{2060}y\u{3164}", 2),
        ] {
            assert_eq!(idle(text).len(), n_idle, "{text:?}");
        }
    }
}
