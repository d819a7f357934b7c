//! How fast the reader is, beside `serde_json`, on chat lines made up here.
//!
//! `cargo test --release -p prep-data json::speed -- --ignored --nocapture`

use std::hint::black_box;
use std::time::Instant;

use super::{Document, Elements, Piece, Value, Want, compact};

const N_BYTES: usize = 100 << 20;
const PROSE: &str = "The night train from Oaxaca was late again, and nobody on the platform \
    seemed surprised: they had brought chairs, oranges, a radio and all the time in the world. ";

struct Lines {
    name: &'static str,
    text: Vec<u8>,
}

impl Lines {
    /// Chat lines with three turns, each of some repetitions of some prose.
    fn new(name: &'static str, prose: &str, n_repeats: usize) -> Self {
        let content = serde_json::to_string(&prose.repeat(n_repeats)).unwrap();
        let mut text = Vec::with_capacity(N_BYTES + (1 << 20));
        for n in 0.. {
            if text.len() >= N_BYTES {
                break;
            }
            let line = format!(
                "{{\"id\":{n},\"messages\":[{{\"role\":\"system\",\"content\":\"Be brief.\"}},\
                 {{\"role\":\"user\",\"content\":{content}}},\
                 {{\"role\":\"assistant\",\"content\":{content}}}]}}\n"
            );
            text.extend_from_slice(line.as_bytes());
        }
        Self { name, text }
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.text.as_slice();
        std::iter::from_fn(move || {
            let end = memchr::memchr(b'\n', rest)? + 1;
            let line;
            (line, rest) = rest.split_at(end);
            Some(line)
        })
    }

    /// Runs some work three times and tells the best throughput.
    #[expect(clippy::print_stderr, reason = "figures are what this is run for")]
    fn time(&self, what: &str, mut work: impl FnMut()) {
        let seconds = |_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        };
        let best = (0..3).map(seconds).fold(f64::INFINITY, f64::min);
        let rate = self.text.len() as f64 / best / 1e9;
        eprintln!("{:<22} {what:<28} {rate:6.2} GB/s", self.name);
    }
}

/// Looks at every string, as a conversion does.
fn n_text_bytes(value: Value<'_, '_>) -> usize {
    let own = value.as_str().map_or(0, |text| text.len());
    let items: usize = value.items().map(n_text_bytes).sum();
    let entries = value
        .entries()
        .map(|(key, value)| key.text.len() + n_text_bytes(value));
    own + items + entries.sum::<usize>()
}

#[test]
#[ignore = "a measurement, for a release build"]
fn throughput() {
    let inputs = [
        Lines::new("prose, 5 KB strings", PROSE, 32),
        Lines::new("prose, 160 B strings", PROSE, 1),
        Lines::new("words, 12 B strings", "yes, please.", 1),
        Lines::new(
            "Spanish, 2 KB strings",
            "¿Cómo está usted, señor Núñez? Aquí está todo más tranquilo. ",
            32,
        ),
        Lines::new(
            "Chinese, 3 KB strings",
            "这列火车又晚点了,但是站台上没有人感到惊讶。",
            48,
        ),
        Lines::new(
            "dialogue, escaped",
            "\"No,\" she said.\n\"Not again.\"\n",
            64,
        ),
    ];
    for lines in &inputs {
        measure(lines);
    }
}

fn measure(lines: &Lines) {
    let mut document = Document::new();
    lines.time("parse", || {
        for line in lines.each() {
            black_box(document.parse(line).unwrap());
        }
    });
    lines.time("parse, read strings", || {
        for line in lines.each() {
            black_box(n_text_bytes(document.parse(line).unwrap()));
        }
    });
    let mut out = Vec::new();
    lines.time("parse, compact", || {
        for line in lines.each() {
            out.clear();
            compact(document.parse(line).unwrap(), &mut out);
        }
    });
    lines.time("serde_json::Value", || {
        for line in lines.each() {
            black_box(serde_json::from_slice::<serde_json::Value>(line).unwrap());
        }
    });
    lines.time("serde_json IgnoredAny", || {
        for line in lines.each() {
            black_box(serde_json::from_slice::<serde::de::IgnoredAny>(line).unwrap());
        }
    });
    lines.time("find lines", || {
        black_box(lines.each().count());
    });
    lines.time("Elements::scan, last", || {
        let mut elements = Elements::new();
        for chunk in lines.text.chunks(1 << 20) {
            black_box(elements.scan(chunk, Want::Last));
        }
    });
    lines.time("Elements::split", || {
        let pieces = Elements::new()
            .split(&lines.text)
            .filter(|piece| matches!(piece, Piece::Element(_)))
            .count();
        black_box(pieces);
    });
}
