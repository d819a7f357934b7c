//! Scores two files of segments, one a line, for `benches/eval.py`.
//!
//! ```console
//! $ cargo run --release -p prep-eval --example score bleu hypotheses.txt references.txt
//! ```

#![expect(clippy::print_stdout, reason = "a score is printed")]

use std::error::Error;
use std::fs;

use prep_eval::{Bleu, Chrf, Metric, Ter, compare};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, hypotheses, references] => {
            let score = read(name, hypotheses, references)?.score();
            println!("{score:.6}");
        }
        [
            test @ ("bootstrap" | "randomization"),
            name,
            base,
            tuned,
            references,
        ] => {
            let [base, tuned] = [
                read(name, base, references)?,
                read(name, tuned, references)?,
            ];
            let comparison = match test {
                "bootstrap" => {
                    compare::bootstrap(&base, &tuned, compare::BOOTSTRAP_SAMPLES, compare::SEED)
                }
                _ => compare::randomization(
                    &base,
                    &tuned,
                    compare::RANDOMIZATION_TRIALS,
                    None,
                    compare::SEED,
                ),
            }?;
            let estimate = comparison.tuned;
            print!("{:.6} {:.6}", estimate.score, comparison.p_value);
            if let Some(resampled) = estimate.resampled {
                print!(" {:.6} {:.6}", resampled.mean, resampled.margin);
            }
            println!();
        }
        _ => {
            return Err(
                "usage: score [bootstrap|randomization] bleu|chrf|chrf++|ter FILE… REFERENCES"
                    .into(),
            );
        }
    }
    Ok(())
}

fn read(
    name: &str,
    hypotheses: &str,
    references: &str,
) -> Result<prep_eval::Segments, Box<dyn Error>> {
    let metric = match name {
        "bleu" => Metric::from(Bleu::default()),
        "chrf" => Metric::from(Chrf::default()),
        "chrf++" => Metric::from(Chrf::plus_plus()),
        "ter" => Metric::from(Ter::default()),
        _ => return Err(format!("no metric is called `{name}`").into()),
    };
    let [hypotheses, references] = [
        fs::read_to_string(hypotheses)?,
        fs::read_to_string(references)?,
    ];
    let hypotheses: Vec<_> = hypotheses.lines().map(str::trim_end).collect();
    let references: Vec<_> = references
        .lines()
        .map(|line| Some(line.trim_end()))
        .collect();
    Ok(metric.measure(&hypotheses, &[&references])?)
}
