//! What a dataset is checked for: the method, the model, the other side.

use std::collections::{HashMap, HashSet};

use super::dataset::Digest;
use crate::example::models::{Date, Model};

/// How the model is to be tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Supervised fine-tuning.
    #[default]
    Sft,
    /// Preference tuning: two completions, one of them preferred.
    Preference,
}

/// Which part of the data a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// What is learnt.
    #[default]
    Train,
    /// What the result is measured on.
    Validation,
}

/// Everything outside a file that its rules go by.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// How the model is to be tuned.
    pub method: Method,
    /// Which part of the data the file is.
    pub side: Side,
    /// The base model as the user named it.
    pub model_name: Option<String>,
    /// What the dated table knows of it.
    pub model: Option<&'static Model>,
    /// The adapter size asked for.
    pub adapter_size: Option<u32>,
    /// The location asked for.
    pub location: Option<String>,
    /// Today, for models that retire.
    pub today: Option<Date>,
    /// The fingerprints of findings that are not to be told again.
    pub baseline: HashSet<u64>,
    /// The validation examples that training must not contain.
    pub validation: Option<Validation>,
}

/// The examples of a validation file, by fingerprint.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// The file's name.
    pub name: String,
    /// How many examples it has.
    pub examples: u64,
    /// The first line of each prompt as it is written.
    pub prompts: HashMap<u128, u64>,
}

impl Validation {
    /// Adds examples of the file.
    pub fn add(&mut self, digests: &[Digest]) {
        self.examples += digests.len() as u64;
        for digest in digests {
            self.prompts.entry(digest.prompt).or_insert(digest.line);
        }
    }
}
