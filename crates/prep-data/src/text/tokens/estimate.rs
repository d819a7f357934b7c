//! A guess, for when there is no vocabulary.
/// A guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// low
    pub low: usize,
    /// likely
    pub likely: usize,
    /// high
    pub high: usize,
}
/// Estimates.
pub fn estimate(text: &str) -> Estimate {
    Estimate {
        low: 0,
        likely: text.len() / 4,
        high: text.len(),
    }
}
