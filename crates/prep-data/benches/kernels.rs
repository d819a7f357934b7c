//! How fast the inner loops are, in bytes of input, each beside the obvious
//! way of doing the same.
//!
//! Inputs are made here and are the same every time. Before two ways are
//! timed, what they give is compared.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use std::hint::black_box;
use std::io;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use prep_data::example::{Content, Example, Part, Role, write};
use prep_data::io::{Input, Passport, Stamp, passport};
use prep_data::json::Document;
use prep_data::rules::{Checker, Context, Findings, Levels, LineOutcome, RawLine, Signs, Tally};
use prep_data::source::{Data, Item, Options, open_all};
use prep_data::text::tokens::{Tokenizer, estimate};
use serde_json::Value;

/// The bytes of text on each side of an input.
const SIDE_BYTES: usize = 2 << 20;
const N_STAMPS: u64 = 200_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    escape(&mut criterion);
    tables(&mut criterion);
    chats(&mut criterion);
    bitexts(&mut criterion);
    passports(&mut criterion);
    checks(&mut criterion);
    tokens(&mut criterion);
    criterion.final_summary();
}

const ENGLISH: &[&str] = &[
    "the",
    "night",
    "train",
    "was",
    "late",
    "again",
    "and",
    "nobody",
    "on",
    "platform",
    "seemed",
    "surprised",
    "they",
    "had",
    "brought",
    "oranges",
    "radio",
    "all",
    "time",
    "in",
    "world",
];
const CHINESE: &[&str] = &[
    "夜里的火车",
    "又晚了，",
    "站台上",
    "没有人",
    "觉得奇怪。",
    "他们带着橘子",
    "和一台收音机，",
    "有的是时间。",
];
const SPANISH: &[&str] = &[
    "el",
    "tren",
    "de",
    "la",
    "noche",
    "llegó",
    "otra",
    "vez",
    "tarde",
    "y",
    "nadie",
    "parecía",
    "extrañado",
    "según",
    "mañana",
    "también",
    "corazón",
    "niños",
    "allí",
    "pequeño",
    "canción",
];

/// Segments of 6 to 29 words, the same every time.
fn segments(words: &[&str]) -> Vec<String> {
    let mut state = 1_u64;
    let mut roll = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut segments = Vec::new();
    let mut n_bytes = 0;
    while n_bytes < SIDE_BYTES {
        let n_words = 6 + roll(24);
        let words: Vec<_> = (0..n_words).map(|_| words[roll(words.len())]).collect();
        let segment = words.join(" ") + ".";
        n_bytes += segment.len();
        segments.push(segment);
    }
    segments
}

/// English and Spanish segments, side by side.
fn pairs() -> Vec<(String, String)> {
    segments(ENGLISH)
        .into_iter()
        .zip(segments(SPANISH))
        .collect()
}

/// A text made of a piece for each pair.
fn text_of(piece: impl Fn(&str, &str) -> String) -> String {
    pairs().iter().map(|(en, es)| piece(en, es)).collect()
}

/// A group whose rates are those of reading so many bytes.
fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    n_bytes: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(n_bytes as u64));
    group
}

/// What was read: how many records, and how many bytes of text in them. It is
/// cheap to take and differs as soon as something is lost.
#[derive(Debug, Default, PartialEq)]
struct Sum {
    n_records: usize,
    n_text_bytes: usize,
}

impl Sum {
    fn record<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        self.n_records += 1;
        let lengths = texts.into_iter().map(|text| text.as_ref().len());
        self.n_text_bytes += lengths.sum::<usize>();
    }
}

/// Reads inputs to their end, on this thread.
fn read_sources(inputs: Vec<Input>) -> Sum {
    let mut sum = Sum::default();
    for mut opened in open_all(inputs, &Options::default()).unwrap() {
        while let Some(batch) = opened.source.next_batch().unwrap() {
            batch.decode(&mut |item| match item {
                Item::Record(record) => match record.data {
                    Data::Row(cells) => sum.record(cells),
                    Data::Chat(example) => sum.record(texts(&example)),
                },
                Item::Reject(reject) => panic!("{:?}", reject.finding),
                Item::Note(finding) => panic!("{finding:?}"),
            });
        }
    }
    sum
}

fn texts<'a>(example: &'a Example<'_>) -> impl Iterator<Item = &'a str> {
    let parts = example.contents.iter().flat_map(|content| &content.parts);
    parts.filter_map(|part| match part {
        Part::Text(text) => Some(&**text),
        _ => None,
    })
}

/// Times the reading of files, given by name and text, and the obvious way.
fn beside(
    criterion: &mut Criterion,
    name: &str,
    files: &[(&str, &str)],
    obvious: Option<(&str, &dyn Fn() -> Sum)>,
) {
    let inputs = || {
        files
            .iter()
            .map(|(name, text)| Input::from_bytes(*name, text.as_bytes().to_vec()).unwrap())
            .collect::<Vec<_>>()
    };
    let sum = read_sources(inputs());
    assert!(sum.n_records > 10_000, "{name}: {sum:?}");
    let n_bytes = files.iter().map(|(_, text)| text.len()).sum();
    let mut group = group(criterion, name, n_bytes);
    group.bench_function("prep", |bencher| {
        bencher.iter_batched(inputs, read_sources, BatchSize::LargeInput);
    });
    if let Some((peer, obvious)) = obvious {
        assert_eq!(obvious(), sum, "{name}");
        group.bench_function(peer, |bencher| bencher.iter(obvious));
    }
    group.finish();
}

/// Writing texts as JSON strings.
fn escape(criterion: &mut Criterion) {
    let quoted = |segment: String| segment.replace(' ', "\" \"");
    let inputs = [
        ("english", segments(ENGLISH)),
        ("spanish", segments(SPANISH)),
        (
            "quotes",
            segments(ENGLISH).into_iter().map(quoted).collect(),
        ),
    ];
    for (name, segments) in inputs {
        let ours = |out: &mut Vec<u8>| {
            out.clear();
            segments.iter().for_each(|text| write::string(text, out));
        };
        let theirs = |out: &mut Vec<u8>| {
            out.clear();
            for text in &segments {
                serde_json::to_writer(&mut *out, text).unwrap();
            }
        };
        let (mut out, mut expected) = (Vec::new(), Vec::new());
        ours(&mut out);
        theirs(&mut expected);
        assert!(out == expected, "{name}");
        let n_bytes = segments.iter().map(String::len).sum();
        let mut group = group(criterion, &format!("escape/{name}"), n_bytes);
        group.bench_function("prep", |bencher| bencher.iter(|| ours(&mut out)));
        group.bench_function("serde_json", |bencher| bencher.iter(|| theirs(&mut out)));
        group.finish();
    }
}

/// Cutting and decoding CSV.
fn tables(criterion: &mut Criterion) {
    let header = "source,target\n";
    let plain = text_of(|en, es| format!("{en},{es}\n"));
    let quoted = text_of(|en, es| {
        let es = es.replace(" y ", "\n\"\"y\"\" ");
        format!("\"{en}\",\"{es}\"\n")
    });
    for (name, rows) in [("csv/unquoted", plain), ("csv/quoted", quoted)] {
        let table = header.to_owned() + &rows;
        let obvious = || {
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let mut row = csv::StringRecord::new();
            let mut sum = Sum::default();
            while reader.read_record(&mut row).unwrap() {
                sum.record(&row);
            }
            sum
        };
        beside(
            criterion,
            name,
            &[("table.csv", &table)],
            Some(("csv", &obvious)),
        );
    }
}

/// Parsing lines of chat, and making examples of them.
fn chats(criterion: &mut Criterion) {
    let lines = text_of(|en, es| {
        let message = |role: &str, text: &str| {
            let text = serde_json::to_string(text).unwrap();
            format!(r#"{{"role":"{role}","content":{text}}}"#)
        };
        let (user, model) = (
            message("user", en),
            message("assistant", &format!("{es}\n")),
        );
        format!("{{\"messages\":[{user},{model}]}}\n")
    });
    parse(criterion, &lines);
    let obvious = || {
        let mut sum = Sum::default();
        for line in lines.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let messages = record["messages"].as_array().unwrap();
            sum.record(messages.iter().map(|m| m["content"].as_str().unwrap()));
        }
        sum
    };
    let files = [("chat.jsonl", &*lines)];
    beside(
        criterion,
        "openai",
        &files,
        Some(("serde_json::Value", &obvious)),
    );
    // The same with a key of its own, which the reader of the common shape
    // leaves to the general one.
    let lines = lines.replace("]}\n", "],\"tools\":[]}\n");
    beside(criterion, "openai/tools", &[("chat.jsonl", &lines)], None);
}

fn parse(criterion: &mut Criterion, lines: &str) {
    let mut group = group(criterion, "json", lines.len());
    let mut document = Document::new();
    group.bench_function("prep", |bencher| {
        bencher.iter(|| {
            for line in lines.lines() {
                black_box(document.parse_str(line).unwrap());
            }
        });
    });
    group.bench_function("serde_json::Value", |bencher| {
        bencher.iter(|| {
            for line in lines.lines() {
                black_box(serde_json::from_str::<Value>(line).unwrap());
            }
        });
    });
    group.finish();
}

/// Reading segment pairs.
fn bitexts(criterion: &mut Criterion) {
    let [en, es] = [
        text_of(|en, _| format!("{en}\n")),
        text_of(|_, es| format!("{es}\n")),
    ];
    let obvious = || {
        let mut sum = Sum::default();
        for (en, es) in en.lines().zip(es.lines()) {
            sum.record([en.to_owned(), es.to_owned()]);
        }
        sum
    };
    beside(
        criterion,
        "moses",
        &[("novel.en", &en), ("novel.es", &es)],
        Some(("str::lines", &obvious)),
    );
    let units = text_of(|en, es| {
        format!(
            "<tu>\n<tuv xml:lang=\"en\"><seg>{en}</seg></tuv>\n\
             <tuv xml:lang=\"es\"><seg>{es}</seg></tuv>\n</tu>\n"
        )
    });
    let memory = format!(
        "<?xml version=\"1.0\"?>\n<tmx version=\"1.4\">\n<header srclang=\"en\"/>\n<body>\n\
         {units}</body>\n</tmx>\n"
    );
    beside(
        criterion,
        "tmx",
        &[("novel.tmx", &memory)],
        Some(("quick_xml", &|| pull(&memory))),
    );
    let entries = text_of(|en, es| format!("#: src/a.c:1\nmsgid \"{en}\"\nmsgstr \"{es}\"\n\n"));
    let catalogue = "msgid \"\"\nmsgstr \"Language: es\\n\"\n\n".to_owned() + &entries;
    beside(criterion, "po", &[("novel.po", &catalogue)], None);
}

/// Reads a TMX as the manual of `quick_xml` would, leaving out all it may hold
/// but plain pairs.
fn pull(memory: &str) -> Sum {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(memory);
    let (mut sum, mut segments, mut is_inside) = (Sum::default(), Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => is_inside = start.name().as_ref() == "seg",
            Event::Text(text) if is_inside => segments.push(String::from(&*text)),
            Event::End(end) => {
                is_inside = false;
                if end.name().as_ref() == "tu" {
                    sum.record(segments.drain(..));
                }
            }
            Event::Eof => return sum,
            _ => {}
        }
    }
}

/// Writing and reading passports; the bytes are those of the passport.
fn passports(criterion: &mut Criterion) {
    let stamps: Vec<_> = (1..=N_STAMPS)
        .map(|n| Stamp {
            record: n,
            line: n + 1,
            fingerprint: passport::fingerprint(&n.to_le_bytes()),
            ..Stamp::default()
        })
        .collect();
    let write = |out: Vec<u8>| {
        let mut writer = passport::Writer::new(out).unwrap();
        for stamp in &stamps {
            writer.push(stamp).unwrap();
        }
        writer.finish(Vec::new(), Vec::new()).unwrap()
    };
    let bytes = write(Vec::new());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    let read = || {
        let mut n_read = 0;
        let mut each = |stamp: Stamp| -> io::Result<()> {
            n_read += u64::from(stamp.record > 0);
            Ok(())
        };
        let mut passport = Passport::open(file.path()).unwrap();
        passport.for_each(&mut each).unwrap();
        n_read
    };
    assert_eq!(read(), N_STAMPS);
    let mut group = group(criterion, "passport", bytes.len());
    group.bench_function("write", |bencher| {
        let empty = || Vec::with_capacity(bytes.len());
        bencher.iter_batched(empty, write, BatchSize::LargeInput);
    });
    group.bench_function("read", |bencher| bencher.iter(read));
    group.finish();
}

/// Lines that no rule minds, through all rules, and their signs alone; beside
/// them the parser, which is what a line that shows a sign costs at least.
fn checks(criterion: &mut Criterion) {
    for (name, words) in [
        ("english", ENGLISH),
        ("spanish", SPANISH),
        ("chinese", CHINESE),
    ] {
        let lines = clean_lines(words);
        let n_bytes = lines.iter().map(String::len).sum();
        let mut group = group(criterion, &format!("check_{name}"), n_bytes);
        let (context, levels) = (Context::default(), Levels::default());
        let check = || {
            let mut checker = Checker::new(&context, &levels);
            let (mut findings, mut tally) = (Findings::new(9, false), Tally::default());
            let valid = lines.iter().filter(|line| {
                let line = RawLine {
                    bytes: line.as_bytes(),
                    utf8: Some(line),
                    ..RawLine::alone(b"")
                };
                checker.line(&line, &mut findings, &mut tally) == LineOutcome::Valid
            });
            (valid.count(), findings.found.len())
        };
        assert_eq!(check(), (lines.len(), 0), "{name}");
        group.bench_function("prep", |bencher| bencher.iter(check));
        let signs = || {
            lines
                .iter()
                .filter(|line| !Signs::of(line.as_bytes()).is_none())
                .count()
        };
        assert_eq!(signs(), 0, "{name}");
        group.bench_function("signs", |bencher| bencher.iter(signs));
        let mut document = Document::new();
        group.bench_function("parse", |bencher| {
            bencher.iter(|| {
                lines
                    .iter()
                    .filter(|line| document.parse_str(line).is_ok())
                    .count()
            });
        });
        group.finish();
    }
}

/// Examples of some hundred bytes, as `prep` writes them.
fn clean_lines(words: &[&str]) -> Vec<String> {
    const SENTENCES: usize = 3;
    let mut words = words.iter().cycle();
    let mut sentence = |n: usize| {
        let words: Vec<_> = words.by_ref().take(7 + n % 9).copied().collect();
        format!("{}.", words.join(" "))
    };
    let mut lines = Vec::new();
    let mut n_bytes = 0;
    while n_bytes < SIDE_BYTES {
        let n = lines.len();
        // A question, so that no answer begins with its prompt.
        let prompt = sentence(n).replace('.', "?");
        let answer: Vec<_> = (0..SENTENCES).map(|m| sentence(n + 5 * m)).collect();
        let contents = vec![
            Content::text(Role::User, prompt),
            Content::text(Role::Model, answer.join(" ")),
        ];
        let example = Example {
            contents,
            ..Example::default()
        };
        let mut line = Vec::new();
        write::line(&example, &mut line);
        n_bytes += line.len();
        let line = String::from_utf8(line).unwrap();
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Counting tokens, beside making their ids and beside a guess. The words are
/// few, so the counter knows most of them; `benches/tokens.py` has real texts.
fn tokens(criterion: &mut Criterion) {
    let text = text_of(|en, es| format!("{en}\n{es}\n"));
    let tokenizer = Tokenizer::gemma4();
    let mut ids = Vec::new();
    tokenizer.encode(&text, &mut ids);
    assert_eq!(tokenizer.counter().count(&text), ids.len());
    let mut group = group(criterion, "tokens", text.len());
    group.bench_function("count", |bencher| {
        let mut counter = tokenizer.counter();
        bencher.iter(|| counter.count(&text));
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            ids.clear();
            tokenizer.encode(&text, &mut ids);
            ids.len()
        });
    });
    group.bench_function("estimate", |bencher| {
        bencher.iter(|| estimate(&text));
    });
    group.finish();
}
