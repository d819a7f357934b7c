//! Tokenizes a file as often as asked and says how long it took: our side of
//! `benches/tokens.py`.
//!
//! `cargo run --release -p prep-data --example tokens -- MODEL TEXTS ROUNDS`,
//! where `TEXTS` has a JSON string a line. Prints one JSON object: seconds to
//! load, seconds of each round of counting and of encoding, and how many tokens
//! each text has.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "its output is its result")]

use std::hint::black_box;
use std::time::Instant;

use prep_data::text::tokens::for_model;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [model, path, rounds] = &*arguments else {
        panic!("usage: tokens MODEL TEXTS ROUNDS");
    };
    let texts: Vec<String> = std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();

    let start = Instant::now();
    let tokenizer = for_model(model).unwrap().tokenizer;
    let load = start.elapsed().as_secs_f64();

    let mut counting = Vec::new();
    let mut encoding = Vec::new();
    let mut ids = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..rounds.parse().unwrap() {
        // A new counter each time: none of the words is known beforehand.
        let start = Instant::now();
        let mut counter = tokenizer.counter();
        counts.clear();
        counts.extend(texts.iter().map(|text| counter.count(text)));
        counting.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        ids.clear();
        for text in &texts {
            tokenizer.encode(text, &mut ids);
        }
        encoding.push(start.elapsed().as_secs_f64());
        black_box(&ids);
    }
    let checksum = ids
        .iter()
        .fold(0, |sum, id| (sum * 31 + u64::from(*id)) % 1_000_000_007);
    let result = serde_json::json!({
        "load": load,
        "count": counting,
        "encode": encoding,
        "counts": counts,
        "checksum": checksum,
    });
    println!("{result}");
}
