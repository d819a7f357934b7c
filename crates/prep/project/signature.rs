//! A dataset in one line.
//!
//! `prep:0.1.0|in:5c9e1f02|rules:8d21a6b3|dedupe:…|split:…|n:900+100|tok:48210`:
//! the version that made it, the content of the sources, the rules it was held
//! to, how it was made free of repeats and what came of it, how it was split
//! and what came of that, the examples of each side, and the tokens of
//! training. Each part is worked out from files and settings as they are, so
//! a signature can be checked by anyone who has them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use prep_data::rules::RULES;
use serde_json::{Value, json};

use super::account;
use super::plan::Plan;
use super::record::Checksums;
use crate::args::Shared;
use crate::counting::{Vocabulary, count_files, own_tokenizer};
use crate::failure::{Failure, plain};
use crate::settings::Settings;

/// The names of the parts, in order.
const NAMES: [&str; 7] = ["prep", "in", "rules", "dedupe", "split", "n", "tok"];

/// A dataset in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature([String; 7]);

impl Signature {
    /// Works out the signature of what a plan made.
    ///
    /// # Errors
    ///
    /// When a source or a dataset cannot be read, or is not there.
    pub(crate) fn of(
        plan: &Plan,
        settings: &Settings,
        checksums: &mut Checksums,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let mut content = |path: &Path| match checksums.of(path)? {
            Some(blake3) => Ok(Value::from(blake3)),
            None => Err(Failure::new(format!("`{}` is not there", path.display()))
                .hint("`prep run` makes what is missing")),
        };
        let mut contents = |paths: &mut dyn Iterator<Item = &Path>| {
            let contents = paths.map(&mut content);
            Ok::<_, Failure>(Value::from(contents.collect::<Result<Vec<_>, _>>()?))
        };
        let sources = plan
            .sources
            .iter()
            .flat_map(|source| source.settings.files());
        let sources: Vec<_> = sources.collect();
        let inside = contents(&mut sources.iter().map(std::path::PathBuf::as_path))?;
        let reads: Vec<_> = plan.sources.iter().map(|of| of.settings.flags()).collect();
        let levels = RULES
            .iter()
            .map(|rule| (rule.code.code, rule.code.level.word()));
        let rules = json!({
            "rules": levels.collect::<Vec<_>>(),
            "validate": settings.validate,
            "fix": settings.fix,
            "filter": settings.filter,
            "pairs": settings.pairs,
        });
        let dataset = plan.dataset();
        let dedupe =
            json!({"settings": settings.dedupe, "gives": contents(&mut std::iter::once(dataset))?});
        let sides = [
            Some(&plan.train),
            Some(&plan.validation),
            plan.test.as_ref(),
        ];
        let sides: Vec<_> = sides.into_iter().flatten().collect();
        let split = json!({
            "split": settings.split,
            "mix": settings.mix,
            "weights": plan.sources.iter().map(|of| of.settings.weight).collect::<Vec<_>>(),
            "gives": contents(&mut sides.iter().map(|side| side.as_path()))?,
        });
        let n = sides.iter().map(|side| account::examples(side));
        let n = n.collect::<Result<Vec<_>, _>>()?;
        let n: Vec<_> = n.iter().map(u64::to_string).collect();
        Ok(Self([
            env!("CARGO_PKG_VERSION").to_owned(),
            short(&json!([inside, reads]))?,
            short(&rules)?,
            short(&dedupe)?,
            short(&split)?,
            n.join("+"),
            tokens(plan, settings, shared)?.to_string(),
        ]))
    }

    /// The parts that are not the same: their name, here and there.
    pub(crate) fn differences<'s>(
        &'s self,
        other: &'s Self,
    ) -> Vec<(&'static str, &'s str, &'s str)> {
        let parts = NAMES.into_iter().zip(&self.0).zip(&other.0);
        let differing = parts.filter(|((_, one), other)| one != other);
        differing
            .map(|((name, one), other)| (name, one.as_str(), other.as_str()))
            .collect()
    }

    /// The signature as the value of a label, which may hold neither colons nor
    /// bars, and 63 characters at most.
    pub(crate) fn label(&self) -> String {
        let hash = blake3::hash(self.to_string().as_bytes()).to_hex();
        hash[..32].to_owned()
    }
}

/// The tokens of the training set.
fn tokens(plan: &Plan, settings: &Settings, shared: &Shared) -> Result<u64, Failure> {
    let own = own_tokenizer(&crate::args::VocabularyArgs::default(), settings)?;
    let model = settings.tuning.model.as_deref();
    let model = model.or(settings.validate.model.as_deref());
    let vocabulary = Vocabulary::choose(model, own.as_ref());
    let train = std::slice::from_ref(&plan.train);
    let counted = count_files(train, &[vocabulary.measure], shared)?;
    let sums = counted.iter().flat_map(|file| &file.counted.sums);
    Ok(sums.map(|sum| sum.tokens.total()).sum())
}

/// The first eight digits of a hash over a value.
fn short(value: &Value) -> Result<String, Failure> {
    let json = serde_json::to_vec(value).map_err(plain)?;
    Ok(blake3::hash(&json).to_hex()[..8].to_owned())
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = NAMES.into_iter().zip(&self.0);
        let parts: Vec<_> = parts.map(|(name, part)| format!("{name}:{part}")).collect();
        f.write_str(&parts.join("|"))
    }
}

impl FromStr for Signature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no signature; `prep run` prints one at its end");
        let parts: Vec<_> = text.trim().split('|').collect();
        if parts.len() != NAMES.len() {
            return Err(error());
        }
        let mut signature = Self(Default::default());
        for ((part, name), place) in parts.iter().zip(NAMES).zip(&mut signature.0) {
            let value = part
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(':'));
            *place = value.ok_or_else(error)?.to_owned();
        }
        Ok(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_as_it_is_written() {
        let text = "prep:0.1.0|in:5c9e1f02|rules:8d21a6b3|dedupe:0|split:1|n:900+100|tok:48210";
        let signature: Signature = text.parse().unwrap();
        assert_eq!(signature.to_string(), text);
        let other: Signature = text.replace("900", "901").parse().unwrap();
        assert_eq!(signature.differences(&other), [("n", "900+100", "901+100")]);
        assert_ne!(signature.label(), other.label());
        for wrong in [
            "",
            "prep:1",
            &text.replace("rules", "rule"),
            &format!("{text}|x:1"),
        ] {
            assert!(wrong.parse::<Signature>().is_err(), "{wrong}");
        }
    }
}
