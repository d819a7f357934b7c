//! Which scripts of Unicode letters are of.

use unicode_script::{Script, UnicodeScript};

/// Counts of letters by script, by its name in the Unicode standard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scripts(Vec<(Script, u64)>);

impl Scripts {
    /// Counts the letters of a text. ASCII costs next to nothing.
    pub fn add(&mut self, text: &str) {
        let latin = text.bytes().filter(u8::is_ascii_alphabetic).count();
        self.count(Script::Latin, latin as u64);
        if text.is_ascii() {
            return;
        }
        for c in text.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()) {
            match c.script() {
                Script::Common | Script::Inherited | Script::Unknown => {}
                script => self.count(script, 1),
            }
        }
    }

    /// Adds what others have.
    pub fn append(&mut self, other: &Self) {
        for (script, letters) in &other.0 {
            self.count(*script, *letters);
        }
    }

    /// The scripts with their letters, from the most frequent.
    #[must_use]
    pub fn by_letters(&self) -> Vec<(&'static str, u64)> {
        let mut scripts: Vec<_> = self
            .0
            .iter()
            .map(|(script, letters)| (script.full_name(), *letters))
            .collect();
        scripts.sort_by_key(|(name, letters)| (std::cmp::Reverse(*letters), *name));
        scripts
    }

    fn count(&mut self, script: Script, letters: u64) {
        if letters == 0 {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += letters,
            None => self.0.push((script, letters)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_by_script() {
        let scripts = |text: &str| {
            let mut scripts = Scripts::default();
            scripts.add(text);
            scripts.by_letters()
        };
        assert_eq!(scripts("Hola, ¿qué tal? 42"), [("Latin", 10)]);
        assert_eq!(
            scripts("Привет, мир 世界 ok"),
            [("Cyrillic", 9), ("Han", 2), ("Latin", 2)]
        );
        assert_eq!(scripts("12:30 — …"), []);
        let mut all = Scripts::default();
        all.add("ab");
        let mut other = Scripts::default();
        other.add("cde שלום");
        all.append(&other);
        assert_eq!(all.by_letters(), [("Latin", 5), ("Hebrew", 4)]);
    }
}
