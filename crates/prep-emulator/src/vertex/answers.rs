//! What a tuned model answers: the answer of the example that is most alike.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The remembered examples of a tuned model.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    answers: Vec<String>,
    by_prompt: HashMap<String, usize>,
    /// The hashed words of each prompt, in order, each once.
    words: Vec<Vec<u64>>,
}

fn words(text: &str) -> Vec<u64> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut words: Vec<_> = words
        .filter(|word| !word.is_empty())
        .map(|word| super::mixed(&word.to_lowercase(), ""))
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// How many words two texts share.
fn n_shared(a: &[u64], b: &[u64]) -> usize {
    let (mut i, mut j, mut n) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                n += 1;
                i += 1;
                j += 1;
            }
        }
    }
    n
}

impl Answers {
    /// Reads what `dataset::read` remembered.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut answers = Self::default();
        for line in BufReader::new(File::open(path)?).lines() {
            let (prompt, answer): (String, String) = serde_json::from_str(&line?)?;
            let n = answers.answers.len();
            answers.words.push(words(&prompt));
            answers.answers.push(answer);
            answers.by_prompt.entry(prompt).or_insert(n);
        }
        Ok(answers)
    }

    /// The answer of the example whose prompt is this one, or else has most of
    /// its words; the earlier one of two that are as good.
    pub(crate) fn nearest(&self, prompt: &str) -> Option<&str> {
        if let Some(n) = self.by_prompt.get(prompt) {
            return Some(&self.answers[*n]);
        }
        let wanted = words(prompt);
        let mut best = (0, 1, 0);
        for (n, words) in self.words.iter().enumerate() {
            let shared = n_shared(&wanted, words);
            let all = (wanted.len() + words.len() - shared).max(1);
            if shared * best.1 > best.0 * all {
                best = (shared, all, n);
            }
        }
        self.answers.get(best.2).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_prompt_answers() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(
            file.path(),
            "[\"Translate: the red house\",\"la casa roja\"]\n[\"Translate: the dog\",\"el perro\"]\n[\"Translate: the dog\",\"otro\"]\n",
        )
        .unwrap();
        let answers = Answers::read(file.path()).unwrap();
        let cases = [
            ("Translate: the dog", "el perro"),
            ("translate: a dog!", "el perro"),
            ("house", "la casa roja"),
            ("nothing of it", "la casa roja"),
        ];
        for (prompt, expected) in cases {
            assert_eq!(answers.nearest(prompt), Some(expected), "{prompt}");
        }
        assert_eq!(Answers::default().nearest("a"), None);
    }
}
