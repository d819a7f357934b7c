//! What was measured, in one line, so that a number can be had again.

use std::fmt;

/// The version of sacreBLEU whose scores these are, as signatures tell it.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// Everything that a score depends on but the texts, in sacreBLEU's form.
///
/// Prints as `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`, and
/// with `{:#}` in the short form, `#:1|c:mixed|e:no|tok:13a|s:exp|v:2.6.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    n_refs: Option<usize>,
    resampling: Resampling,
    settings: Vec<Setting>,
    version: String,
}

/// The part of a signature that a resampling adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Resampling {
    pub(crate) n_bootstrap: Option<usize>,
    pub(crate) n_randomization: Option<usize>,
    pub(crate) seed: Option<u64>,
}

/// A setting with its long and its short name.
pub type Setting = (&'static str, &'static str, String);

impl Signature {
    /// Makes a signature; no number of references means that it varies.
    pub(crate) fn new(n_refs: Option<usize>, settings: Vec<Setting>, version: String) -> Self {
        Signature {
            n_refs,
            resampling: Resampling::default(),
            settings,
            version,
        }
    }

    /// Adds how often and with which seed rows were drawn.
    pub(crate) fn with_resampling(mut self, resampling: Resampling) -> Self {
        self.resampling = resampling;
        self
    }

    /// Lists names and values in the order in which they are printed, long or
    /// short names.
    pub fn pairs(&self, short: bool) -> Vec<(&str, String)> {
        let named = |long, abbreviated| if short { abbreviated } else { long };
        let n_refs = self.n_refs.map_or("var".to_owned(), |n| n.to_string());
        let mut pairs = vec![(named("nrefs", "#"), n_refs)];
        let Resampling {
            n_bootstrap,
            n_randomization,
            seed,
        } = self.resampling;
        pairs.extend(n_bootstrap.map(|n| ("bs", n.to_string())));
        pairs.extend(n_randomization.map(|n| ("ar", n.to_string())));
        pairs.extend(seed.map(|seed| (named("seed", "rs"), seed.to_string())));
        let settings = self.settings.iter();
        pairs.extend(settings.map(|(long, short, value)| (named(long, short), value.clone())));
        pairs.push((named("version", "v"), self.version.clone()));
        pairs
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, value)) in self.pairs(f.alternate()).into_iter().enumerate() {
            let separator = if n == 0 { "" } else { "|" };
            write!(f, "{separator}{name}:{value}")?;
        }
        Ok(())
    }
}

/// Says `yes` or `no`, as signatures do.
pub(crate) fn yes_or_no(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

/// Says how letters were compared, as signatures do.
pub(crate) fn case(lowercase: bool) -> String {
    if lowercase { "lc" } else { "mixed" }.to_owned()
}
