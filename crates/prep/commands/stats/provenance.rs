//! How a dataset came about, as the manifests beside it and beside what it was
//! made of tell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prep_data::io::{Manifest, checksum};
use serde_json::Value;

use crate::report::html::flow::{Flow, Loss, Node, Ribbon};

/// So many steps are followed back.
const MOST_STEPS: usize = 32;

/// One run that wrote a dataset.
#[derive(Debug)]
pub(super) struct Step {
    /// The program and its version.
    pub(super) tool: String,
    pub(super) command: String,
    /// The settings that were not the usual ones.
    pub(super) settings: Vec<String>,
    pub(super) inputs: Vec<Input>,
    /// The dataset, as it is found from here.
    pub(super) output: String,
    pub(super) examples: u64,
    pub(super) blake3: String,
    pub(super) read: u64,
    pub(super) written: u64,
    /// What was left out, by code.
    pub(super) left_out: BTreeMap<String, u64>,
}

/// What a run read.
#[derive(Debug)]
pub(super) struct Input {
    /// The path as the run was given it.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) blake3: String,
    /// The step that wrote it, if that is known.
    made_by: Option<usize>,
}

/// The runs behind some datasets, each after those it needs.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) steps: Vec<Step>,
    by_manifest: BTreeMap<PathBuf, usize>,
}

impl Chain {
    /// Follows the datasets back; each comes with the checksum of what was
    /// read, since a manifest is not of a file that was changed.
    pub(super) fn of<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let mut chain = Self::default();
        for (path, blake3) in files {
            chain.follow(Path::new(path), blake3, 0);
        }
        chain
    }

    /// The step that wrote a file, if its manifest says so.
    fn follow(&mut self, path: &Path, blake3: &str, depth: usize) -> Option<usize> {
        let manifest_path = Manifest::path_of(path);
        if let Some(known) = self.by_manifest.get(&manifest_path) {
            return Some(*known);
        }
        if depth > MOST_STEPS {
            return None;
        }
        let manifest = Manifest::read(&manifest_path).ok().flatten()?;
        let output = manifest.output(path.file_name()?.to_str()?)?.clone();
        if output.blake3 != blake3 {
            return None;
        }
        let files = manifest.inputs.iter().flat_map(|input| &input.files);
        let inputs = files
            .map(|file| Input {
                made_by: found_from(path, &file.path)
                    .and_then(|input| self.follow(&input, &file.blake3, depth + 1)),
                path: file.path.clone(),
                bytes: file.bytes,
                blake3: file.blake3.clone(),
            })
            .collect();
        let count = |name: &str| manifest.ledger[name].as_u64().unwrap_or_default();
        let mut left_out = BTreeMap::new();
        for why in ["dropped", "rejected"] {
            for (code, n) in manifest.ledger[why].as_object().into_iter().flatten() {
                *left_out.entry(code.clone()).or_default() += n.as_u64().unwrap_or_default();
            }
        }
        self.steps.push(Step {
            tool: manifest.tool.clone(),
            command: manifest.command.clone(),
            settings: settings(&manifest.settings),
            inputs,
            output: path.display().to_string(),
            examples: output.examples.unwrap_or_default(),
            blake3: output.blake3,
            read: count("read"),
            written: count("written"),
            left_out,
        });
        let step = self.steps.len() - 1;
        self.by_manifest.insert(manifest_path, step);
        Some(step)
    }

    /// The steps as ribbons.
    pub(super) fn flow(&self) -> Flow {
        let mut flow = Flow::default();
        // The node of each step's dataset.
        let mut node_of: Vec<usize> = Vec::new();
        for step in &self.steps {
            let mut from: Vec<usize> = Vec::new();
            for input in &step.inputs {
                from.extend(input.made_by.map(|by| node_of[by]));
            }
            let known: u64 = from.iter().map(|node| flow.nodes[*node].examples).sum();
            let sources = step.inputs.iter().filter(|input| input.made_by.is_none());
            let sources: Vec<_> = sources.map(|input| file_name(&input.path)).collect();
            if !sources.is_empty() {
                let examples = step.read.saturating_sub(known);
                let node = Node {
                    name: sources.join(" + "),
                    by: "source".into(),
                    examples,
                    depth: 0,
                };
                let at = flow.nodes.iter().position(|known| *known == node);
                from.push(at.unwrap_or_else(|| {
                    flow.nodes.push(node);
                    flow.nodes.len() - 1
                }));
            }
            let depth = from.iter().map(|node| flow.nodes[*node].depth + 1).max();
            flow.nodes.push(Node {
                name: step.output.clone(),
                by: step.command.clone(),
                examples: step.examples,
                depth: depth.unwrap_or_default(),
            });
            let to = flow.nodes.len() - 1;
            node_of.push(to);
            // Where several datasets were read, what is left of each is as
            // much of it as of all.
            let all: u64 = from.iter().map(|node| flow.nodes[*node].examples).sum();
            for node in &from {
                let share = |n: u64| {
                    let of = u128::from(flow.nodes[*node].examples) * u128::from(n);
                    u64::try_from(of / u128::from(all.max(1))).unwrap_or(n)
                };
                let losses: Vec<_> = step
                    .left_out
                    .iter()
                    .map(|(name, n)| (name.clone(), share(*n)))
                    .collect();
                flow.ribbons.push(Ribbon {
                    from: *node,
                    to,
                    examples: share(step.examples),
                });
                for (name, examples) in losses.into_iter().filter(|(_, n)| *n > 0) {
                    let loss = Loss {
                        from: *node,
                        name,
                        examples,
                    };
                    // The sides of a split have one ledger.
                    if !flow.losses.contains(&loss) {
                        flow.losses.push(loss);
                    }
                }
            }
        }
        flow
    }
}

/// A file that a run was given by `named`, as it is found from here: by that
/// name, or beside what the run wrote, or one directory up.
fn found_from(output: &Path, named: &str) -> Option<PathBuf> {
    let named = Path::new(named);
    let mut directory = output.parent();
    let mut places = vec![named.to_path_buf()];
    for _ in 0..2 {
        let Some(here) = directory else { break };
        places.push(here.join(named));
        directory = here.parent();
    }
    places
        .into_iter()
        .find(|place| Manifest::path_of(place).exists())
}

/// Whether a file is still what a checksum says.
pub(super) fn is_unchanged(path: &str, blake3: &str) -> Option<bool> {
    let (_, is) = checksum(Path::new(path)).ok()?;
    Some(is == blake3)
}

fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(
        || path.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Settings as flags have them.
fn settings(settings: &Value) -> Vec<String> {
    let members = settings.as_object().into_iter().flatten();
    let shown = members.map(|(name, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("{name} {value}")
    });
    shown.collect()
}
