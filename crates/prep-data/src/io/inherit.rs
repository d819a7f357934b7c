//! Stamps that go from the lines of a dataset to the lines of the next one.
//!
//! A command that reads a dataset and writes another keeps where each example
//! came from at first. A line whose fingerprint is that of its stamp in the
//! passport beside its dataset inherits that stamp; any other line, and every
//! line of a dataset without a passport, comes from the dataset itself.

use std::io;
use std::path::{Path, PathBuf};

use super::passport::{Footer, SourceFiles, Stamps};
use super::{Passport, PassportError, Stamp, sidecar};

/// The stamps of some inputs, on their way into one passport.
#[derive(Debug)]
pub struct Inherited {
    inputs: Vec<Heir>,
    sources: Vec<SourceFiles>,
    steps: Vec<String>,
}

/// One input.
#[derive(Debug)]
struct Heir {
    /// The input itself as a source, and its number once a line needs it.
    itself: SourceFiles,
    number: Option<u32>,
    passport: Option<Ancestry>,
}

/// What the passport beside an input says.
#[derive(Debug)]
struct Ancestry {
    path: PathBuf,
    stamps: Stamps,
    /// What its sources are called here.
    sources: Vec<u32>,
}

/// A line of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineOf {
    /// The input, from 0.
    pub input: usize,
    /// The line in it, from 1.
    pub line: u64,
    /// The record in it, from 1: blank lines are none.
    pub record: u64,
    /// The fingerprint of the line without its line end.
    pub fingerprint: u128,
}

impl Inherited {
    /// Opens the passports beside the inputs, each of which is one file.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read, or is damaged.
    pub fn new(inputs: Vec<SourceFiles>) -> Result<Self, PassportError> {
        let mut this = Self {
            inputs: Vec::new(),
            sources: Vec::new(),
            steps: Vec::new(),
        };
        for itself in inputs {
            let passport = match itself.files.first() {
                Some(file) => this.ancestry(Path::new(&file.path))?,
                None => None,
            };
            this.inputs.push(Heir {
                itself,
                number: None,
                passport,
            });
        }
        Ok(this)
    }

    fn ancestry(&mut self, input: &Path) -> Result<Option<Ancestry>, PassportError> {
        let path = sidecar(input, "passport");
        let passport = match Passport::open(&path) {
            Ok(passport) => passport,
            Err(PassportError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Footer { sources, steps, .. } = passport.footer().clone();
        for step in steps {
            if !self.steps.contains(&step) {
                self.steps.push(step);
            }
        }
        let sources = sources.into_iter().map(|source| self.number(source));
        let sources = sources.collect();
        match passport.into_stamps() {
            Ok(stamps) => Ok(Some(Ancestry {
                path,
                stamps,
                sources,
            })),
            Err(source) => Err(PassportError::Read { path, source }),
        }
    }

    /// The number of a source, a new one if it has none.
    fn number(&mut self, source: SourceFiles) -> u32 {
        let known = self.sources.iter().position(|known| *known == source);
        known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        }) as u32
    }

    /// The stamp of a line. The lines of an input are asked for in ascending
    /// order; not all of them need be.
    ///
    /// # Errors
    ///
    /// When the passport cannot be read further.
    pub fn stamp(&mut self, line: &LineOf) -> Result<Stamp, PassportError> {
        if let Some(passport) = &mut self.inputs[line.input].passport {
            let stamp = passport.stamps.of_line(line.line);
            let stamp = stamp.map_err(|source| PassportError::Read {
                path: passport.path.clone(),
                source,
            })?;
            let stamp = stamp.filter(|stamp| stamp.fingerprint == line.fingerprint);
            if let Some(mut stamp) = stamp {
                let number = passport.sources.get(stamp.source as usize);
                stamp.source = *number.ok_or_else(|| PassportError::Damaged {
                    path: passport.path.clone(),
                })?;
                return Ok(stamp);
            }
        }
        let source = match self.inputs[line.input].number {
            Some(number) => number,
            None => {
                let number = self.number(self.inputs[line.input].itself.clone());
                self.inputs[line.input].number = Some(number);
                number
            }
        };
        Ok(Stamp {
            source,
            record: line.record,
            line: line.line,
            fingerprint: line.fingerprint,
            group: String::new(),
        })
    }

    /// Says what an input is, once it was read: its length and checksum may not
    /// be known before.
    pub fn settle(&mut self, input: usize, itself: SourceFiles) {
        let heir = &mut self.inputs[input];
        if let Some(number) = heir.number {
            self.sources[number as usize].clone_from(&itself);
        }
        heir.itself = itself;
    }

    /// The sources that the stamps name, and what was done before this step.
    #[must_use]
    pub fn finish(self) -> (Vec<SourceFiles>, Vec<String>) {
        (self.sources, self.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::super::passport::{SourceFile, Writer};
    use super::*;

    fn source(path: &Path) -> SourceFiles {
        SourceFiles {
            files: vec![SourceFile {
                path: path.display().to_string(),
                bytes: 1,
                blake3: "00".into(),
            }],
            read_as: serde_json::json!({}),
        }
    }

    fn stamp(source: u32, line: u64) -> Stamp {
        Stamp {
            source,
            record: line,
            line: line * 10,
            fingerprint: u128::from(line),
            group: format!("g{line}"),
        }
    }

    #[test]
    fn a_line_that_was_not_changed_keeps_its_stamp() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("train.jsonl");
        let passport = std::fs::File::create(sidecar(&data, "passport")).unwrap();
        let mut writer = Writer::new(passport).unwrap();
        // More than a block.
        for line in 1..=9000 {
            writer.push(&stamp(0, line)).unwrap();
        }
        let corpus = source(Path::new("corpus.csv"));
        let steps = vec!["prep convert".to_owned()];
        writer.finish(vec![corpus.clone()], steps.clone()).unwrap();

        let alone = directory.path().join("alone.jsonl");
        let inputs = vec![source(&alone), source(&data)];
        let mut inherited = Inherited::new(inputs.clone()).unwrap();
        let mut ask = |input, line, fingerprint| {
            let place = LineOf {
                input,
                line,
                record: line,
                fingerprint,
            };
            inherited.stamp(&place).unwrap()
        };
        let itself = |source, line, fingerprint| Stamp {
            source,
            record: line,
            line,
            fingerprint,
            group: String::new(),
        };
        assert_eq!(ask(1, 1, 1), stamp(0, 1));
        assert_eq!(ask(0, 1, 1), itself(1, 1, 1));
        assert_eq!(ask(1, 2, 77), itself(2, 2, 77));
        assert_eq!(ask(1, 8999, 8999), stamp(0, 8999));
        assert_eq!(ask(1, 9001, 9001), itself(2, 9001, 9001));
        let [alone, data] = <[_; 2]>::try_from(inputs).unwrap();
        assert_eq!(inherited.finish(), (vec![corpus, alone, data], steps));
    }
}
