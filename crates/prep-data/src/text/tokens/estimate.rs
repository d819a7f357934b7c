//! A guess at the number of tokens, for when there is no vocabulary.
//!
//! The weights are a least-squares fit to exact counts of Gemma 4's vocabulary
//! over 69,000 texts: English, Spanish, Arabic, German and Chinese prose, chat,
//! code and API descriptions. The bounds were seen on those same texts, so for
//! other languages, of which there were hardly any, they are a guess as well.

/// How many tokens a text may have.
///
/// Estimates add up. For the sum over a file in one language, and for 95 of 100
/// texts of 50 tokens and more, the true number lay between `low` and `high`; a
/// single text, and above all a short one, may lie outside. Whatever the text
/// and the vocabulary, it has at most as many tokens as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Seldom fewer than this: 4/5 of `likely`.
    pub low: usize,
    /// The number to quote.
    pub likely: usize,
    /// Seldom more than this: 27/20 of `likely`, and never more than the bytes.
    pub high: usize,
}

impl Estimate {
    /// The bounds around a likely number, such as a sum of likely numbers.
    #[must_use]
    pub fn around(likely: usize) -> Self {
        Self {
            low: likely * 4 / 5,
            likely,
            high: (likely * 27).div_ceil(20),
        }
    }
}

impl std::ops::AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.low += other.low;
        self.likely += other.likely;
        self.high += other.high;
    }
}

/// Guesses how many tokens a text has, from the kinds of its characters.
///
/// No vocabulary is needed, and none is looked at: where [`Counter`] can be
/// used, its number is exact.
///
/// [`Counter`]: super::Counter
#[must_use]
pub fn estimate(text: &str) -> Estimate {
    let thousandths: usize = text.chars().map(weight).sum();
    let likely = thousandths.div_ceil(1000).min(text.len());
    let around = Estimate::around(likely);
    Estimate {
        high: around.high.min(text.len()),
        ..around
    }
}

/// How much of a token a character is, in thousandths.
fn weight(c: char) -> usize {
    match c {
        ' ' => 270,
        'a'..='z' | 'A'..='Z' => 175,
        // A digit is always a token, and a space before a number one more.
        '0'..='9' => 1200,
        '\r' | '\n' | '\t' => 720,
        '\0'..='\u{7f}' => 640,
        '\u{80}'..='\u{7ff}' => 350,
        // Chinese, Japanese and Korean, with their punctuation.
        '\u{2e80}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' => 640,
        '\u{800}'..='\u{ffff}' => 1000,
        _ => 1400,
    }
}
