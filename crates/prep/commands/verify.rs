//! `prep verify`: whether this is the dataset of a signature.

use std::io::Write;

use crate::Answer;
use crate::args::{Shared, VerifyArgs};
use crate::failure::Failure;
use crate::project::{Checksums, Plan, Signature, Tuning};
use crate::settings::Settings;

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs, shared: &Shared) -> Result<Answer, Failure> {
    let settings = Settings::read(shared)?;
    let plan = Plan::new(&settings, Tuning::None)?;
    let here = Signature::of(&plan, &settings, &mut Checksums::default(), shared)?;
    let differences = args.signature.differences(&here);
    let mut out = std::io::stdout().lock();
    if differences.is_empty() {
        writeln!(out, "it is the same dataset")?;
        return Ok(Answer::Yes);
    }
    for (name, there, here) in &differences {
        let meaning = match *name {
            "prep" => "it was made by another version",
            "in" => "the sources, or how they are read, differ",
            "rules" => "the rules, or their settings, differ",
            "dedupe" => "the dataset before the split differs",
            "split" => "the sides differ",
            "n" => "the sides have other numbers of examples",
            _ => "training has another number of tokens",
        };
        writeln!(
            out,
            "{name}: {meaning}: the signature says {there}, here it is {here}"
        )?;
    }
    Ok(Answer::No)
}
