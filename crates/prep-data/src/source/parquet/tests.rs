use std::path::PathBuf;

use super::*;
use crate::source::contract::{self, Seen};

fn fixture() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/parquet/novel.parquet"
    );
    std::fs::read(path).unwrap()
}

/// The real files that lie beside the project, if they do.
fn files() -> Vec<PathBuf> {
    let mut paths = contract::shared_files("nasty/parquet");
    if let Some(folder) = paths.first().and_then(|path| path.ancestors().nth(3)) {
        paths.push(folder.join("chat/data-juicer.demo-dataset.parquet"));
    }
    paths
}

/// What each real file gives: how many rows, as pyarrow counts them, and
/// the last of them.
#[rustfmt::skip]
const FILES: &[(&str, usize, &[&str])] = &[
    ("alltypes_plain.parquet", 8, &["1", "false", "1", "1", "1", "10", "1.1", "10.1", "01/01/09", "1", "2009-01-01T00:01:00"]),
    ("alltypes_plain.snappy.parquet", 2, &["7", "false", "1", "1", "1", "10", "1.1", "10.1", "04/01/09", "1", "2009-04-01T00:01:00"]),
    ("binary.parquet", 12, &["\u{b}"]),
    ("byte_array_decimal.parquet", 24, &["24.00"]),
    ("concatenated_gzip_members.parquet", 513, &["513"]),
    ("data-juicer.demo-dataset.parquet", 6, &["This paper proposed a novel method on LLM pretraining.", r#"{"src":"customized","date":null,"version":null,"author":"xxx"}"#]),
    ("datapage_v2.snappy.parquet", 5, &["abc", "5", "2", "true", "[1,2]"]),
    ("delta_byte_array.parquet", 1000, &["AAAAAAAABAAAAAAA", "Mr.", "Javier", "Lewis", "Y", "CHILE", "", "Javier.Lewis@VFAxlnZEvOx.org", "2452508"]),
    ("int96_from_spark.parquet", 6, &["11464668-01-02T14:58:10.448384"]),
    ("list_columns.parquet", 3, &["[4]", r#"["efg",null,"hij","xyz"]"#]),
    ("lz4_raw_compressed.parquet", 4, &["1593604801", "def", "7.7"]),
    ("nested_lists.snappy.parquet", 3, &[r#"[[["a","b"],["c","d"],["e"]],[null,["f"]]]"#, "1"]),
    ("nulls.snappy.parquet", 8, &[r#"{"b_c_int":null}"#]),
    ("repeated_no_annotation.parquet", 6, &["6", r#"{"phone":[{"number":1111111111,"kind":"home"},{"number":2222222222,"kind":null},{"number":3333333333,"kind":"mobile"}]}"#]),
];

#[test]
fn real_files_are_read_to_their_end() {
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let known = FILES.iter().find(|(file, ..)| *file == name);
        let (_, n_rows, last) = known.unwrap_or_else(|| panic!("{name} is new"));
        let seen =
            contract::read_all(open(Input::open(&path).unwrap(), &Options::default()).unwrap())
                .unwrap();
        assert_eq!(seen.len(), *n_rows, "{name}");
        assert_eq!(
            seen.last(),
            Some(&Seen::row(*n_rows as u64, last)),
            "{name}"
        );
    }
}

#[test]
fn the_contract_holds() {
    contract::holds(&fixture(), &open, &Options::default());
    for path in files() {
        contract::holds(&std::fs::read(path).unwrap(), &open, &Options::default());
    }
}

#[test]
fn text_stays_as_it_is() {
    let options = Options {
        json_as_table: true,
        ..Options::default()
    };
    let opened = open(
        Input::from_bytes("novel.parquet", fixture()).unwrap(),
        &options,
    )
    .unwrap();
    let names = &opened.columns.as_ref().unwrap().names;
    assert_eq!(
        *names,
        ["source", "target", "chapter", "n", "day", "messages"]
    );
    let seen = contract::read_all(opened).unwrap();
    let expected = [
        ("007", "007", "Chapter"),
        (
            "  The sea was calm.  ",
            "  El mar estaba en calma.  ",
            "one",
        ),
        (
            "She said:\n\"Wait, please.\"",
            "Dijo:\n—Espera, por favor.",
            "one",
        ),
        ("Good night 🌙", "Buenas noches 🌙", ""),
        ("#NAME?", "#¿NOMBRE?", "one"),
        ("NaN", "NaN", "two"),
        ("1e5", "1e5", "two"),
        ("true", "verdadero", "two"),
        ("Press _x000D_ now", "Pulse _x000D_ ahora", "two"),
        ("He left, quietly.", "Se fue, en silencio.", "two"),
        ("原文", "Texto original", "two"),
    ];
    assert_eq!(seen.len(), expected.len());
    for (n, (seen, (source, target, chapter))) in seen.iter().zip(expected).enumerate() {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let messages = format!(
            r#"[{{"role":"user","content":{}}},{{"role":"assistant","content":{}}}]"#,
            text(source),
            text(target)
        );
        let cells = [
            source,
            target,
            chapter,
            &n.to_string(),
            "2024-02-29",
            &messages,
        ];
        assert_eq!(*seen, Seen::row(n as u64 + 1, &cells));
    }
}

/// The raw form of each record.
fn raws(bytes: Vec<u8>) -> Vec<String> {
    let mut opened = open(Input::from_bytes("x", bytes).unwrap(), &Options::default()).unwrap();
    let mut raws = Vec::new();
    while let Some(batch) = opened.source.next_batch().unwrap() {
        batch.decode(&mut |item| match item {
            Item::Record(Record { raw, .. }) | Item::Reject(Reject { raw, .. }) => {
                raws.push(String::from_utf8_lossy(raw).into_owned());
            }
            Item::Note(note) => assert_eq!(note.code.code, "S027"),
        });
    }
    raws
}

#[test]
fn a_row_is_a_json_object_too() {
    let raws = raws(fixture());
    assert_eq!(
        raws[3],
        r#"{"source":"Good night 🌙","target":"Buenas noches 🌙","n":3,"day":"2024-02-29","messages":[{"role":"user","content":"Good night 🌙"},{"role":"assistant","content":"Buenas noches 🌙"}]}"#
    );
    for raw in raws {
        serde_json::from_str::<serde_json::Value>(&raw).unwrap();
    }
}

/// Writes columns of required byte arrays, all of the same length.
fn file(schema: &str, columns: &[&[&[u8]]]) -> Vec<u8> {
    use parquet::data_type::ByteArrayType;
    use parquet::file::writer::SerializedFileWriter;
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for values in columns {
        let values: Vec<_> = values
            .iter()
            .map(|value| ByteArray::from(value.to_vec()))
            .collect();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, None, None)
            .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn a_row_that_is_not_utf8_is_rejected_alone() {
    let schema = "message m { required binary a (UTF8); required binary b; }";
    let bytes = file(schema, &[&[b"1", b"\xff", b"3"], &[b"x", b"y", b"z"]]);
    let reject = Seen::Reject {
        line: 2,
        code: "S001",
        at: Position::line(2),
        raw: b"{\"a\":\"\xff\",\"b\":\"y\"}".to_vec(),
    };
    let seen = contract::read(&bytes, &open, &Options::default()).unwrap();
    assert_eq!(
        seen,
        [Seen::row(1, &["1", "x"]), reject, Seen::row(3, &["3", "z"])]
    );
}

#[test]
fn a_row_that_is_too_long_is_rejected() {
    let bytes = file(
        "message m { required binary a (UTF8); }",
        &[&[b"1", &[b'x'; 100]]],
    );
    let options = Options {
        record_limit: 50,
        ..Options::default()
    };
    let seen = contract::read(&bytes, &open, &options).unwrap();
    assert_eq!(seen[1].code(), Some("S008"));
}

#[test]
fn values_are_written_out() {
    assert_eq!(decimal_text(&[0xff, 0x85], 2), "-1.23");
    assert_eq!(decimal_text(&5_i64.to_be_bytes(), 3), "0.005");
    assert_eq!(decimal_text(&[], 0), "0");
    assert_eq!(
        decimal_text(&i128::MIN.to_be_bytes(), 0),
        i128::MIN.to_string()
    );
    assert_eq!(date_text(0), "1970-01-01");
    assert_eq!(date_text(-1), "1969-12-31");
    assert_eq!(date_text(19_782), "2024-02-29");
    assert_eq!(date_text(-719_529), "-0001-12-31");
    assert_eq!(timestamp_text(-1, 1000, true), "1969-12-31T23:59:59.999Z");
    assert_eq!(time_text(1_000_100, 1_000_000), "00:00:01.000100");
    assert_eq!(
        [0x3c00, 0xc000, 0x0001, 0x7c00].map(half),
        [1.0, -2.0, 2_f64.powi(-24), f64::INFINITY]
    );
    assert_eq!(
        uuid_text(&[0x1a; 16]),
        "1a1a1a1a-1a1a-1a1a-1a1a-1a1a1a1a1a1a"
    );
    let mut json = Vec::new();
    write_string("a\"\\\n\u{1}é".as_bytes(), &mut json);
    assert_eq!(String::from_utf8(json).unwrap(), r#""a\"\\\n\u0001é""#);
}

#[test]
fn a_negative_place_or_size_is_refused_in_words() {
    let bytes = file("message m { required binary a (UTF8); }", &[&[b"1", b"2"]]);
    // The lowest bit of a number in the metadata is its sign.
    let refused = (0..bytes.len()).filter(|&at| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        contract::read(&bytes, &open, &Options::default()).is_err_and(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            cause.as_deref() == Some("it is damaged: a column has a negative place or size")
        })
    });
    // Its place and its size.
    assert_eq!(refused.count(), 2);
}

/// A fuzzer found it: a list of more members than a file could have, none of
/// which takes a byte.
#[test]
fn a_footer_that_lies_about_its_lists_is_refused() {
    let mut bytes = b"PAR1\x52\x0a\xc6\x00\xc6\xce\xc6\xc6\xc6\x07".to_vec();
    bytes.extend([0xeb; 18]);
    bytes.extend(b"\x03\x22\x22\x22\x22\x22\x22\x22");
    bytes.extend([0xeb; 35]);
    bytes.extend(b"0\0\0\0PAR1");
    let refused = contract::read(&bytes, &open, &Options::default());
    assert!(refused.is_err());
    // A list of 2^56 truths.
    let footer = b"\x19\xf1\xff\xff\xff\xff\xff\xff\xff\x7f\x00";
    let mut bytes = b"PAR1".to_vec();
    bytes.extend(footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    let refused = contract::read(&bytes, &open, &Options::default());
    assert!(refused.is_err());
}

/// Damage is an error, rejects or other values, and never a panic.
#[test]
fn flipped_bytes_do_not_panic() {
    let mut inputs = vec![fixture()];
    inputs.extend(files().iter().map(|path| std::fs::read(path).unwrap()));
    for bytes in inputs {
        let step = (bytes.len() / 150).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for flip in [0x01, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                drop(contract::read(&bytes, &open, &Options::default()));
            }
        }
    }
}
