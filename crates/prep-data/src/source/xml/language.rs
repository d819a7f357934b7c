//! Languages that a file names, and the one that was asked for.
//!
//! Languages compare without regard to case, and `-` and `_` are one. Asked
//! for `es`, a file's `es-419` will do, unless it has `es-ES` as well: then
//! only the user can tell. A file's own `es` is what `es` means before
//! anything longer.

use std::fmt::Write as _;

/// Whether two names are the same language.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let folded = |byte: u8| {
        if byte == b'_' {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        }
    };
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .all(|(one, other)| folded(one) == folded(other))
}

/// Whether a language that was asked for takes in one that is named.
pub(crate) fn covers(asked: &str, named: &str) -> bool {
    match named.split_at_checked(asked.len()) {
        Some((front, rest)) => {
            is_same(asked, front) && (rest.is_empty() || rest.starts_with(['-', '_']))
        }
        None => false,
    }
}

/// The languages that a file names, as it first spells them, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named(Vec<String>);

impl Named {
    /// How many are kept: beyond that a file does not name languages.
    const MOST: usize = 500;

    /// Adds a language and returns whether it is new.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        let is_new = !name.is_empty() && self.0.len() < Self::MOST && !self.knows(name);
        if is_new {
            self.0.push(name.into());
        }
        is_new
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|known| is_same(known, name))
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// The languages in backticks, or that there is none.
    pub(crate) fn list(&self) -> String {
        list(&self.0)
    }
}

/// Names in backticks with commas between them.
fn list(names: &[impl AsRef<str>]) -> String {
    let mut list = String::new();
    for name in names {
        let comma = if list.is_empty() { "" } else { ", " };
        write!(list, "{comma}`{}`", name.as_ref()).expect("a string takes all");
    }
    if list.is_empty() { "none".into() } else { list }
}

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The prompt side.
    Source,
    /// The answer side.
    Target,
}

impl End {
    /// Its name in a phrase.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// The language wanted on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    end: End,
    asked: String,
    /// The file's language that it is, once the file has named one.
    found: Option<String>,
}

impl Wanted {
    /// The language asked for, as far as the languages named so far tell.
    pub(crate) fn new(end: End, asked: &str, named: &Named) -> Result<Self, String> {
        let asked = asked.trim();
        let exact = named.names().iter().find(|name| is_same(asked, name));
        let covered: Vec<_> = named
            .names()
            .iter()
            .filter(|name| covers(asked, name))
            .collect();
        let found = match (exact, &covered[..]) {
            (Some(exact), _) => Some(exact.clone()),
            (None, []) => None,
            (None, [one]) => Some((*one).clone()),
            (None, several) => return Err(ambiguous(asked, several)),
        };
        Ok(Self {
            end,
            asked: asked.into(),
            found,
        })
    }

    /// Takes note of a language that the file has not named before.
    pub(crate) fn see(&mut self, name: &str) -> Result<(), String> {
        match &self.found {
            _ if !covers(&self.asked, name) => {}
            None => self.found = Some(name.into()),
            Some(found) if is_same(found, &self.asked) => {}
            Some(found) => return Err(ambiguous(&self.asked, &[found.as_str(), name])),
        }
        Ok(())
    }

    /// Whether a language is the one wanted.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.found
            .as_deref()
            .is_some_and(|found| is_same(found, name))
    }

    /// The language in the file's spelling, or as it was asked for.
    pub(crate) fn name(&self) -> &str {
        self.found.as_deref().unwrap_or(&self.asked)
    }

    pub(crate) fn is_found(&self) -> bool {
        self.found.is_some()
    }

    /// What to say if the file names languages but not this one.
    pub(crate) fn missing(&self, named: &Named) -> String {
        format!(
            "it has no text in `{}`; the languages it names are {}",
            self.asked,
            named.list()
        )
    }

    /// What to say about a language that was not asked for by its whole name.
    pub(crate) fn decision(&self) -> Option<String> {
        let noun = self.end.noun();
        match &self.found {
            Some(found) if is_same(found, &self.asked) => None,
            Some(found) => Some(format!(
                "{noun} language `{found}`, asked for as `{}`",
                self.asked
            )),
            None => Some(format!(
                "{noun} language `{}`, which the beginning of the file does not name",
                self.asked
            )),
        }
    }
}

fn ambiguous(asked: &str, names: &[impl AsRef<str>]) -> String {
    format!(
        "`{asked}` is more than one of its languages: {}",
        list(names)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_match_by_subtags() {
        assert!(is_same("es-MX", "ES_mx") && !is_same("es", "es-MX"));
        assert!(covers("es", "es-419") && covers("ES", "es_MX") && covers("es", "es"));
        assert!(!covers("es", "est") && !covers("es-MX", "es") && !covers("e", "es"));
    }

    fn check(asked: &str, head: &[&str], later: &[&str], expected: Result<Option<&str>, &str>) {
        let mut named = Named::default();
        for name in head {
            named.add(name);
        }
        let found = Wanted::new(End::Target, asked, &named).and_then(|mut wanted| {
            for name in later {
                wanted.see(name)?;
            }
            Ok(wanted.found)
        });
        assert_eq!(
            found.as_ref().map(Option::as_deref).map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn what_is_asked_for_is_found() {
        check("es", &["en", "es-419"], &[], Ok(Some("es-419")));
        check("es", &["es-ES", "es"], &["es-MX"], Ok(Some("es")));
        check("es", &["en"], &["fr", "es_MX"], Ok(Some("es_MX")));
        check("fr", &["en"], &["es"], Ok(None));
        let several = "`es` is more than one of its languages: `es-ES`, `es-MX`";
        check("es", &["es-ES", "es-MX"], &[], Err(several));
        check("es", &["es-ES"], &["es-MX"], Err(several));
    }
}
