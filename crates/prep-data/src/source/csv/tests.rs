use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::diag::Position;
use crate::source::contract::{self, Seen};
use crate::source::{Data, Item, PlainRow, Record, Taker};

fn check(text: &str, expected: &[Seen]) {
    let options = Options::default();
    let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
    assert_eq!(seen, expected);
    contract::holds(text.as_bytes(), &open, &options);
}

fn codes(bytes: &[u8], options: &Options) -> Vec<(&'static str, u64, u64)> {
    let seen = contract::read(bytes, &open, options).unwrap();
    let place = |seen: &Seen| match seen {
        Seen::Reject { code, at, .. } | Seen::Note { code, at } => {
            Some((*code, at.line, at.column))
        }
        _ => None,
    };
    seen.iter().filter_map(place).collect()
}

#[test]
fn cells_are_read_as_they_stand() {
    check(
        "source,target\n\"a, \"\"b\"\"\nc\",007\n é ,\u{2028}1e5\r\nx,y",
        &[
            Seen::row(2, &["a, \"b\"\nc", "007"]),
            Seen::row(4, &[" é ", "\u{2028}1e5"]),
            Seen::row(5, &["x", "y"]),
        ],
    );
}

#[test]
fn delimiters_and_headers_are_found() {
    let named = contract::read(
        b"text,category\nHello there!,greeting\nBye.,parting\n",
        &open,
        &Options::default(),
    );
    assert_eq!(
        named.unwrap()[0],
        Seen::row(2, &["Hello there!", "greeting"])
    );
    check("source;target\na,b;c\n", &[Seen::row(2, &["a,b", "c"])]);
    check(
        "a\tb\nc, d\te\n",
        &[Seen::row(1, &["a", "b"]), Seen::row(2, &["c, d", "e"])],
    );
    check(
        "Hi.\t\"Hola\" dijo.\nA\tB\n",
        &[
            Seen::row(1, &["Hi.", "\"Hola\" dijo."]),
            Seen::row(2, &["A", "B"]),
        ],
    );
    check(
        "source|target\r1|2\r3|4",
        &[Seen::row(2, &["1", "2"]), Seen::row(3, &["3", "4"])],
    );
}

#[test]
fn faults_have_their_place() {
    let options = Options::default();
    let at = |text: &str| codes(text.as_bytes(), &options);
    assert_eq!(
        at("source,target\na,b,c\nd\n"),
        [("S003", 2, 1), ("S003", 3, 1)]
    );
    assert_eq!(at("source,target\na,\"b\nc,d\n"), [("S004", 2, 3)]);
    assert_eq!(at("source,target\n\"é\" x,b\nc,d\n"), [("S005", 2, 4)]);
    assert_eq!(
        at("source,target\na\"b,c\n\n"),
        [("S006", 2, 2), ("S002", 3, 1)]
    );
    assert_eq!(at("source,target\na,b\rc,d\n"), [("S007", 2, 4)]);
    assert_eq!(at("source,target\na_x000D_,b\n"), [("S013", 2, 2)]);
    assert_eq!(
        codes(
            b"source,target\n\xc3\xa9\xe9,b\nc,\xc3\xa9\xc3\xa9\n",
            &options
        ),
        [("S001", 2, 2)]
    );
}

#[test]
fn a_stray_quote_is_told_however_the_input_is_cut() {
    check(
        "source,target\naaaa\"aaaaaaaaaaaaaaa,b\nc,d\n",
        &[
            Seen::Note {
                code: "S006",
                at: Position { line: 2, column: 5 },
            },
            Seen::row(2, &["aaaa\"aaaaaaaaaaaaaaa", "b"]),
            Seen::row(3, &["c", "d"]),
        ],
    );
}

#[test]
fn blank_lines_may_stand_before_the_header() {
    let blank = |line| Seen::Note {
        code: "S002",
        at: Position { line, column: 1 },
    };
    check(
        "\n\r\nsource,target\na,b\n",
        &[blank(1), blank(2), Seen::row(4, &["a", "b"])],
    );
}

#[test]
fn what_is_no_table_is_refused() {
    let refused =
        |text: &str| contract::read(text.as_bytes(), &open, &Options::default()).unwrap_err();
    let cause = |text: &str| {
        std::error::Error::source(&refused(text))
            .unwrap()
            .to_string()
    };
    assert_eq!(cause(" \n"), "it is empty");
    assert_eq!(
        cause("a\nb\nc\n"),
        "it has one column under every delimiter that was tried"
    );
}

#[test]
fn a_record_that_is_too_long_is_skipped() {
    let options = Options {
        record_limit: 100,
        block_bytes: 16,
        ..Options::default()
    };
    let long = "x\n".repeat(200);
    let text = format!("source,target\na,b\n\"{long}\",c\nd,e\n");
    let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
    assert_eq!(seen[0], Seen::row(2, &["a", "b"]));
    assert_eq!(seen[1].code(), Some("S008"));
    assert_eq!(seen[2], Seen::row(204, &["d", "e"]));
    let unclosed = format!("source,target\na,b\nc,\"{long}");
    assert_eq!(codes(unclosed.as_bytes(), &options), [("S004", 3, 3)]);
}

/// The records of the `csv` crate, with the options that make it take
/// anything.
fn by_csv_crate(bytes: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let records = reader.byte_records();
    records
        .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
        .collect()
}

/// The records as this module splits them, cut into blocks of `block_bytes`.
fn by_blocks(bytes: &[u8], delimiter: u8, block_bytes: usize) -> Vec<Vec<Vec<u8>>> {
    let dialect = Dialect {
        delimiter,
        quoting: true,
        terminator: b'\n',
    };
    let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut blocks = Blocks::new(reader, CsvCutter::new(dialect), block_bytes, 1 << 20);
    let mut records = Vec::new();
    while let Some(piece) = blocks.next().unwrap() {
        let Piece::Records(block) = piece else {
            panic!("nothing is too long")
        };
        records.extend(decode::split_bytes(&block, dialect));
    }
    records
}

/// Writes down what it takes, and takes plain rows or not.
#[derive(Default)]
struct Seeing {
    takes_plain: bool,
    columns: usize,
    lines: u64,
    items: Vec<String>,
}

impl Taker for Seeing {
    fn take(&mut self, item: Item<'_>) {
        let lines = self.lines;
        self.items.push(match item {
            Item::Record(Record { line, data, .. }) => {
                let Data::Row(cells) = data else {
                    panic!("no row")
                };
                format!("{lines}+{line} {cells:?}")
            }
            other => format!("{lines}+{other:?}"),
        });
    }

    fn takes_plain(&self) -> bool {
        self.takes_plain
    }

    fn take_plain(&mut self, row: PlainRow<'_>) -> bool {
        let cell = |n| std::str::from_utf8(row.cell(n)).unwrap();
        let cells: Vec<_> = (0..self.columns).map(cell).collect();
        for cell in &cells {
            assert_eq!(serde_json::to_string(cell).unwrap(), format!("\"{cell}\""));
        }
        self.items
            .push(format!("{}+{} {cells:?}", self.lines, row.line));
        true
    }
}

fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(b'"'), 3 => Just(b','), 3 => Just(b'\n'), 1 => Just(b'\r'), 4 => Just(b'a'), 1 => any::<u8>()
    ];
    proptest::collection::vec(byte, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn records_are_those_of_the_csv_crate(bytes in nasty(), block_bytes in 1..40_usize) {
        // The csv crate takes a byte-order mark off the front; so does `text`.
        prop_assume!(!bytes.starts_with(b"\xef\xbb\xbf"));
        let (ours, theirs) = (by_blocks(&bytes, b',', block_bytes), by_csv_crate(&bytes, b','));
        prop_assert_eq!(ours.len(), theirs.len());
        for (our, their) in ours.iter().zip(&theirs) {
            // A field with text behind its closing quote is a reject.
            if our.last().is_none_or(|last| last != b"text after quote") {
                prop_assert_eq!(our, their);
            }
        }
    }

    #[test]
    fn plain_rows_are_what_the_reader_makes_of_them(
        rows in proptest::collection::vec(prop_oneof![
            6 => "[a-zé€]{0,70};[a-zé,]{0,70}\r?\n",
            1 => "[a-z;\"\\\\\t\r\u{1}\u{7f}]{0,9}\n?",
        ], 0..60),
        (at, byte) in (any::<prop::sample::Index>(), any::<u8>()),
        block_bytes in prop_oneof![1..200_usize, Just(1 << 20)],
    ) {
        let mut text = format!("source;target\n{}", rows.concat()).into_bytes();
        text.insert(at.index(text.len()), byte);
        let options = Options { block_bytes, delimiter: Some(b';'), ..Options::default() };
        let seen = |takes_plain| {
            let mut seen = Seeing { takes_plain, ..Seeing::default() };
            let input = Input::from_bytes("x.csv", text.clone()).unwrap();
            if let Ok(mut opened) = open(input, &options) {
                seen.columns = opened.columns.map_or(0, |columns| columns.names.len());
                while let Some(batch) = opened.source.next_batch().unwrap() {
                    seen.lines += batch.decode_into(&mut seen);
                }
            }
            seen
        };
        prop_assert_eq!(seen(true).items, seen(false).items);
    }

    #[test]
    fn what_is_written_is_read(rows in proptest::collection::vec(("[^\0]{0,12}", "[^\0]{0,12}"), 1..20), block_bytes in 1..64_usize) {
        let mut text = String::from("source,target\n");
        for (a, b) in &rows {
            writeln!(text, "\"{}\",\"{}\"", a.replace('"', "\"\""), b.replace('"', "\"\"")).unwrap();
        }
        let options = Options { block_bytes, delimiter: Some(b','), ..Options::default() };
        let seen = contract::read(text.as_bytes(), &open, &options).unwrap();
        let cells: Vec<_> = seen.iter().filter_map(|seen| match seen {
            Seen::Row { cells, .. } => Some((cells[0].clone(), cells[1].clone())),
            _ => None,
        }).collect();
        prop_assert_eq!(cells, rows);
    }
}
