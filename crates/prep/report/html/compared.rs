//! Two texts side by side, with what differs marked.
//!
//! Texts are compared word by word, and sign by sign where a script has no
//! spaces. What both have in common is a longest common subsequence.

use super::{Html, markup};

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch<'t> {
    text: &'t str,
    is_common: bool,
}

/// Texts of more words than this are not compared, but shown.
const MOST: usize = 2000;

/// One text with what the other has not marked.
pub(crate) fn marked(one: &str, other: &str) -> (Html, Html) {
    let (left, right) = stretches(one, other);
    (side(&left, "del"), side(&right, "ins"))
}

fn side(stretches: &[Stretch<'_>], tag: &str) -> Html {
    let stretch = |stretch: &Stretch<'_>| match stretch.is_common {
        true => markup!("{}", stretch.text),
        false => markup!("<{0}>{1}</{0}>", tag, stretch.text),
    };
    let inside: Html = stretches.iter().map(stretch).collect();
    markup!("<p class=\"data\" dir=\"auto\">{}</p>\n", inside)
}

fn stretches<'t>(one: &'t str, other: &'t str) -> (Vec<Stretch<'t>>, Vec<Stretch<'t>>) {
    let (left, right) = (words(one), words(other));
    let (mut in_left, mut in_right) = (vec![false; left.len()], vec![false; right.len()]);
    if left.len() <= MOST && right.len() <= MOST {
        for (l, r) in common(&left, &right) {
            in_left[l] = true;
            in_right[r] = true;
        }
    }
    (
        joined(one, &left, &in_left),
        joined(other, &right, &in_right),
    )
}

/// Words, spaces and other signs, in order; together they are the text.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut last) = (0, None);
    let kind = |c: char| match c {
        // Signs of scripts without spaces stand alone.
        c if c.is_alphanumeric() && c < '\u{2e80}' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    for (at, c) in text.char_indices() {
        let goes_on = last == Some(kind(c)) && kind(c) != 0;
        if !goes_on && at > start {
            words.push(&text[start..at]);
            start = at;
        }
        last = Some(kind(c));
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

/// The pairs of places of a longest common subsequence, in order.
fn common(left: &[&str], right: &[&str]) -> Vec<(usize, usize)> {
    let width = right.len() + 1;
    let mut longest = vec![0_u16; (left.len() + 1) * width];
    for l in (0..left.len()).rev() {
        for r in (0..right.len()).rev() {
            longest[l * width + r] = if left[l] == right[r] {
                longest[(l + 1) * width + r + 1] + 1
            } else {
                longest[(l + 1) * width + r].max(longest[l * width + r + 1])
            };
        }
    }
    let (mut l, mut r, mut pairs) = (0, 0, Vec::new());
    while l < left.len() && r < right.len() {
        if left[l] == right[r] {
            pairs.push((l, r));
            (l, r) = (l + 1, r + 1);
        } else if longest[(l + 1) * width + r] >= longest[l * width + r + 1] {
            l += 1;
        } else {
            r += 1;
        }
    }
    pairs
}

/// Words that follow each other and are both in common, or both not, as one.
fn joined<'t>(text: &'t str, words: &[&str], is_common: &[bool]) -> Vec<Stretch<'t>> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    let (mut at, mut start) = (0, 0);
    for (n, word) in words.iter().enumerate() {
        at += word.len();
        let ends = is_common.get(n + 1) != Some(&is_common[n]);
        if ends {
            stretches.push(Stretch {
                text: &text[start..at],
                is_common: is_common[n],
            });
            start = at;
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(one: &str, other: &str) -> [String; 2] {
        let (left, right) = stretches(one, other);
        [left, right].map(|side| {
            let stretch = |stretch: &Stretch<'_>| match stretch.is_common {
                true => stretch.text.to_owned(),
                false => format!("[{}]", stretch.text),
            };
            side.iter().map(stretch).collect()
        })
    }

    #[test]
    fn what_differs_is_marked() {
        let pair = shown("The cat sat.", "The dog sat down.");
        assert_eq!(pair, ["The [cat] sat.", "The [dog] sat[ down]."]);
        assert_eq!(shown("same", "same"), ["same", "same"]);
        assert_eq!(shown("", "new"), ["", "[new]"]);
        assert_eq!(shown("我爱猫", "我爱狗"), ["我爱[猫]", "我爱[狗]"]);
        assert_eq!(shown("a  b", "a b"), ["a[  ]b", "a[ ]b"]);
    }

    #[test]
    fn marks_do_not_let_text_be_markup() {
        let (left, _) = marked("<b>x", "<b>y");
        assert_eq!(
            left.into_string(),
            "<p class=\"data\" dir=\"auto\">&lt;b&gt;<del>x</del></p>\n"
        );
    }
}
