//! Which characters are letters, numbers, punctuation and symbols.
//!
//! The classes decide tokens, and tokens decide scores, so they are those of
//! the package that sacreBLEU asks, and not those of the Rust release at hand.

mod table;

/// A general category of Unicode without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Any `L*`.
    Letter,
    /// Any `N*`.
    Number,
    /// Any `P*`.
    Punctuation,
    /// Any `S*`.
    Symbol,
    /// Marks, separators, controls and what is not assigned.
    Other,
}

/// Classifies a character.
pub(crate) fn class(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Number,
        '\0'..=' ' => Class::Other,
        _ => look_up(c),
    }
}

fn look_up(c: char) -> Class {
    let c = u32::from(c);
    let n = table::RUNS.partition_point(|&(_, last, _)| last < c);
    match table::RUNS.get(n) {
        Some(&(first, _, class)) if first <= c => class,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_the_shortcuts_agree_with_it() {
        let runs = &table::RUNS;
        assert!(runs.iter().all(|(first, last, _)| first <= last));
        assert!(runs.windows(2).all(|pair| pair[0].1 < pair[1].0));
        for c in '\0'..='\u{7f}' {
            assert_eq!(class(c), look_up(c), "{c:?}");
        }
    }

    #[test]
    fn classes_are_those_of_unicode() {
        for (c, expected) in [
            ('ñ', Class::Letter),
            ('書', Class::Letter),
            ('٣', Class::Number),
            ('Ⅷ', Class::Number),
            ('。', Class::Punctuation),
            ('¿', Class::Punctuation),
            ('_', Class::Punctuation),
            ('€', Class::Symbol),
            ('🙂', Class::Symbol),
            ('`', Class::Symbol),
            ('\u{301}', Class::Other),
            ('\u{a0}', Class::Other),
            ('\u{10ffff}', Class::Other),
        ] {
            assert_eq!(class(c), expected, "{c:?}");
        }
    }
}
