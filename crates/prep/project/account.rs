//! One account from the first record of the sources to the last example of
//! the job, put together from the manifests of all steps.

use std::collections::BTreeMap;
use std::path::Path;

use prep_data::io::Manifest;
use serde::Serialize;
use serde_json::Value;

use super::plan::{Plan, Step, StepName};
use crate::failure::Failure;
use crate::ui;

/// What became of everything.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(crate) struct Account {
    /// Records of all sources.
    pub(crate) read: u64,
    /// Those that could not become examples, by code.
    pub(crate) rejected: BTreeMap<String, u64>,
    /// Those that are in an example.
    pub(crate) in_examples: u64,
    /// Examples that were made of them.
    pub(crate) examples: u64,
    /// Examples that were left out on the way, by code.
    pub(crate) dropped: BTreeMap<String, u64>,
    /// Examples of each side, as they go into the job.
    pub(crate) sides: BTreeMap<String, u64>,
    /// By step: its title, and what it read, wrote, dropped and rejected.
    pub(crate) steps: Vec<StepAccount>,
}

/// What one step did.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(crate) struct StepAccount {
    pub(crate) step: String,
    pub(crate) read: u64,
    pub(crate) written: u64,
    pub(crate) dropped: u64,
    pub(crate) rejected: u64,
}

impl Account {
    /// Puts the account together, of the steps that were done.
    ///
    /// # Errors
    ///
    /// When a manifest is missing, or the account does not add up.
    pub(crate) fn of(plan: &Plan, done: &[&Step]) -> Result<Self, Failure> {
        let mut account = Self::default();
        let mut sides = BTreeMap::new();
        for step in done.iter().filter(|step| !step.writes.is_empty()) {
            let manifest = manifest(&step.writes[0])?;
            let ledger = &manifest.ledger;
            let number = |name: &str| ledger[name].as_u64().unwrap_or_default();
            let (dropped, rejected) = (codes(&ledger["dropped"]), codes(&ledger["rejected"]));
            account.steps.push(StepAccount {
                step: step.title(),
                read: number("read"),
                written: number("written"),
                dropped: dropped.values().sum(),
                rejected: rejected.values().sum(),
            });
            if step.name == StepName::Convert {
                account.read += number("read");
                account.in_examples += number("written");
                account.examples += examples(&step.writes[0])?;
                add(&mut account.rejected, rejected);
            } else {
                add(&mut account.dropped, dropped);
                add(&mut account.dropped, rejected);
            }
            match step.name {
                StepName::Split => {
                    for side in &step.writes {
                        let name = side.file_stem().unwrap_or_default();
                        sides.insert(name.to_string_lossy().into_owned(), examples(side)?);
                    }
                }
                StepName::Mix => {
                    sides.insert("train".into(), examples(&step.writes[0])?);
                }
                _ => {}
            }
        }
        if sides.is_empty() {
            // Not split yet: all that is there is on the way.
            let on_the_way = plan.on_the_way(done);
            let on_the_way = on_the_way.iter().map(|path| examples(path));
            let on_the_way: Result<Vec<_>, _> = on_the_way.collect();
            sides.insert("on the way".into(), on_the_way?.iter().sum());
        }
        account.sides = sides;
        account.check()
    }

    fn check(self) -> Result<Self, Failure> {
        let of_sources = self.in_examples + self.rejected.values().sum::<u64>();
        let of_examples = self.n_sides() + self.dropped.values().sum::<u64>();
        if self.read == of_sources && self.examples == of_examples {
            return Ok(self);
        }
        Err(
            Failure::new(format!("the ledger does not add up: {self:?}"))
                .hint("this is a fault of prep; please report it with this message"),
        )
    }

    fn n_sides(&self) -> u64 {
        self.sides.values().sum()
    }

    /// The share of records that were rejected, from 0 to 1.
    pub(crate) fn rejected_share(&self) -> f64 {
        self.rejected.values().sum::<u64>() as f64 / self.read.max(1) as f64
    }

    /// The account in two lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let listed = |codes: &BTreeMap<String, u64>| {
            let listed = codes
                .iter()
                .map(|(code, n)| format!("{code} {}", ui::count(*n)));
            listed.collect::<Vec<_>>().join(", ")
        };
        let mut sources = format!(
            "{} read = {} in examples",
            ui::of(self.read, "record"),
            ui::count(self.in_examples)
        );
        if !self.rejected.is_empty() {
            let n = self.rejected.values().sum();
            sources += &format!(" + {} rejected ({})", ui::count(n), listed(&self.rejected));
        }
        let sides = self
            .sides
            .iter()
            .map(|(side, n)| format!("{} {side}", ui::count(*n)));
        let mut examples = format!(
            "{} = {}",
            ui::of(self.examples, "example"),
            sides.collect::<Vec<_>>().join(" + ")
        );
        if !self.dropped.is_empty() {
            let n = self.dropped.values().sum();
            examples += &format!(" + {} left out ({})", ui::count(n), listed(&self.dropped));
        }
        vec![sources, examples]
    }
}

fn add(sums: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (code, n) in more {
        *sums.entry(code).or_default() += n;
    }
}

fn codes(codes: &Value) -> BTreeMap<String, u64> {
    let codes = codes.as_object().into_iter().flatten();
    codes
        .map(|(code, n)| (code.clone(), n.as_u64().unwrap_or_default()))
        .collect()
}

/// The manifest beside a dataset.
pub(super) fn manifest(data: &Path) -> Result<Manifest, Failure> {
    let path = Manifest::path_of(data);
    match Manifest::read(&path)? {
        Some(manifest) => Ok(manifest),
        None => Err(Failure::new(format!("`{}` is gone", path.display()))
            .hint("run it again: the step that wrote it is done anew")),
    }
}

/// How many examples a dataset has, as its manifest says.
pub(super) fn examples(data: &Path) -> Result<u64, Failure> {
    let name = data.file_name().unwrap_or_default().to_string_lossy();
    let manifest = manifest(data)?;
    let output = manifest.output(&name);
    Ok(output
        .and_then(|output| output.examples)
        .unwrap_or_default())
}

impl Plan {
    /// The datasets that no step has read yet, of those that were done.
    fn on_the_way<'p>(&'p self, done: &[&'p Step]) -> Vec<&'p Path> {
        let is_read = |path: &Path| {
            done.iter()
                .any(|step| step.reads.iter().any(|read| read == path))
        };
        let written = done.iter().flat_map(|step| &step.writes);
        let written = written.map(std::path::PathBuf::as_path);
        written.filter(|path| !is_read(path)).collect()
    }
}
