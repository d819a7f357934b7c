//! What texts have in common, by brute force: no code of `prep` is in it.

use std::cmp::Ordering;

/// A prompt as the brute force sees it: its own, plain idea of what counts.
pub(crate) fn plain(text: &str) -> Vec<char> {
    let lower = text.to_lowercase();
    let typed = lower.chars().map(|c| match c {
        '“' | '”' | '«' | '»' => '"',
        '‘' | '’' => '\'',
        '–' | '—' => '-',
        c => c,
    });
    let typed: String = typed.collect();
    let words: Vec<_> = typed.split_whitespace().collect();
    words.join(" ").chars().collect()
}

/// The set of stretches of characters of a text, in order.
fn stretches(text: &[char], len: usize) -> Vec<&[char]> {
    let mut stretches: Vec<_> = if text.len() < len {
        vec![text]
    } else {
        text.windows(len).collect()
    };
    stretches.sort_unstable();
    stretches.dedup();
    stretches
}

/// The Jaccard index by its definition.
fn jaccard(one: &[&[char]], other: &[&[char]]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < one.len() && j < other.len() {
        match one[i].cmp(other[j]) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + 1),
        }
    }
    f64::from(common) / (one.len() + other.len() - common as usize) as f64
}

/// The sets by which a text is compared with any other.
pub(crate) struct Sets<'t> {
    len: usize,
    by_len: [Vec<&'t [char]>; 3],
}

impl<'t> Sets<'t> {
    pub(crate) fn of(text: &'t [char]) -> Self {
        Self {
            len: text.len(),
            by_len: [3, 5, 8].map(|len| stretches(text, len)),
        }
    }

    /// Whether two texts are as similar as `threshold`. The shorter one says
    /// how long the stretches are.
    pub(crate) fn are_alike(&self, other: &Self, threshold: f64) -> bool {
        let n = match self.len.min(other.len) {
            0..=100 => 0,
            101..=5000 => 1,
            _ => 2,
        };
        let (one, other) = (&self.by_len[n], &other.by_len[n]);
        let (fewer, more) = (one.len().min(other.len()), one.len().max(other.len()));
        fewer as f64 >= more as f64 * threshold && jaccard(one, other) >= threshold
    }
}
