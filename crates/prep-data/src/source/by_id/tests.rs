use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::io::Input;
use crate::source::{Format, open_all};

fn options() -> Options {
    Options {
        id_column: Some("id".into()),
        ..Options::default()
    }
}

fn opened(first: &str, second: &str, options: &Options) -> Result<Opened, SourceError> {
    let input = |name, text: &str| Input::from_bytes(name, text.as_bytes().to_vec()).unwrap();
    let mut opened = open_all(
        vec![input("en.csv", first), input("es.csv", second)],
        options,
    )?;
    assert_eq!(opened.len(), 1);
    Ok(opened.remove(0))
}

/// Every item as one line: `file:line` and what it is.
fn items(mut opened: Opened) -> Result<Vec<String>, SourceError> {
    let names = opened.names.clone();
    let (mut base, mut input) = (1, 0);
    let mut seen = Vec::new();
    while let Some(batch) = opened.source.next_batch()? {
        if batch.input() != input {
            (base, input) = (1, batch.input());
        }
        let name = &names[input];
        base += batch.decode(&mut |item| {
            seen.push(match item {
                Item::Record(record) => {
                    let Data::Row(cells) = record.data else {
                        panic!("tables have rows")
                    };
                    let second = record.second.unwrap();
                    assert_eq!(record.raw[second.at - 1], b'\n');
                    let line = second.line;
                    format!("{name}:{} + {line} {}", record.line + base, cells.join("|"))
                }
                Item::Reject(Reject { line, finding, raw }) => {
                    let raw = String::from_utf8_lossy(raw);
                    let code = finding.code.code;
                    assert_eq!(line, finding.position.line);
                    format!("{name}:{} {code} {} [{raw}]", line + base, finding.message)
                }
                Item::Note(finding) => {
                    format!(
                        "{name}:{} {}",
                        finding.position.line + base,
                        finding.code.code
                    )
                }
            });
        });
    }
    Ok(seen)
}

fn check(first: &str, second: &str, expected: &[&str]) {
    for block_bytes in [Options::BLOCK_BYTES, 1, 2, 7, 30] {
        let options = Options {
            block_bytes,
            ..options()
        };
        let seen = items(opened(first, second, &options).unwrap()).unwrap();
        assert_eq!(seen, expected, "with blocks of {block_bytes} bytes");
    }
}

#[test]
fn rows_are_paired_in_the_order_of_the_first() {
    check(
        "id,text\n3,c\n1,a\n2,\"b\nb\"\n",
        "text,id\nA,1\nB,2\nC,3\n",
        &[
            "en.csv:2 + 4 3|c|C|c|C",
            "en.csv:3 + 2 1|a|A|a|A",
            "en.csv:4 + 3 2|b\nb|B|b\nb|B",
        ],
    );
    check(
        "id,text\n7,a\n",
        "{\"id\": 7, \"es\": \"A\"}\n",
        &["en.csv:2 + 1 7|a|A|a|A"],
    );
}

#[test]
fn what_has_no_partner_is_rejected() {
    check(
        "id,text\n1,a\n ,b\n2,c\n3,d\n",
        "id,text\n4,D\n\"\",E\n3,C\n1,A\n5,F\n",
        &[
            "en.csv:2 + 5 1|a|A|a|A",
            "en.csv:3 S035 the id is empty [ ,b]",
            "en.csv:4 S035 `es.csv` has no row with the id `2` [2,c]",
            "en.csv:5 + 4 3|d|C|d|C",
            "es.csv:2 S035 `en.csv` has no row with the id `4` [4,D]",
            "es.csv:3 S035 the id is empty [\"\",E]",
            "es.csv:6 S035 `en.csv` has no row with the id `5` [5,F]",
        ],
    );
    check(
        "id,text\n7,a\n",
        "id,text\n007,A\n",
        &[
            "en.csv:2 S035 `es.csv` has no row with the id `7` [7,a]",
            "es.csv:2 S035 `en.csv` has no row with the id `007` [007,A]",
        ],
    );
}

#[test]
fn the_first_row_of_an_id_counts() {
    check(
        "id,text\n1,a\n9,x\n1,b\n9,y\n1,c\n",
        "id,text\n1,A\n1,B\n",
        &[
            "en.csv:2 + 2 1|a|A|a|A",
            "en.csv:3 S035 `es.csv` has no row with the id `9` [9,x]",
            "en.csv:4 S034 line 2 has the id `1` already [1,b]",
            "en.csv:5 S035 `es.csv` has no row with the id `9` [9,y]",
            "en.csv:6 S034 line 2 has the id `1` already [1,c]",
            "es.csv:3 S034 line 2 has the id `1` already [1,B]",
        ],
    );
}

#[test]
fn what_either_table_tells_is_kept() {
    check(
        "id,text\n1,a\n\n2\n3,c\n",
        "id,text\n\n3,C,C\n1,A\n",
        &[
            "en.csv:2 + 4 1|a|A|a|A",
            "en.csv:3 S002",
            "en.csv:4 S003 the row has 1 field, the header has 2 [2]",
            "en.csv:5 S035 `es.csv` has no row with the id `3` [3,c]",
            "es.csv:2 S002",
            "es.csv:3 S003 the row has 3 fields, the header has 2 [3,C,C]",
        ],
    );
}

#[test]
fn long_ids_are_cut_in_messages() {
    assert_eq!(shown("é"), "`é`");
    assert_eq!(shown(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
}

/// The names of the joined columns; those that are the sides stand in brackets.
fn columns(first: &str, second: &str, options: &Options) -> String {
    let columns = opened(&format!("{first}\n"), &format!("{second}\n"), options)
        .map(|opened| opened.columns.unwrap());
    let columns = match columns {
        Ok(columns) => columns,
        Err(error) => return error.to_string(),
    };
    let sides = columns.sides.unwrap();
    let names = columns.names.iter().enumerate().map(|(n, name)| {
        if sides.contains(&Some(n)) {
            format!("[{name}]")
        } else {
            name.clone()
        }
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn columns_are_chosen() {
    let check = |first: &str, second: &str, expected: &str| {
        assert_eq!(columns(first, second, &options()), expected);
    };
    check("id,x", "y,ID", "id source target [source.x] [target.y]");
    check(
        "id,note,en",
        "id,en,es",
        "id source target source.note [source.en] target.en [target.es]",
    );
    check(
        "id,note,Text",
        "id,text,note",
        "id source target source.note [source.Text] [target.text] target.note",
    );
    check(
        "id,note,x",
        "id,text",
        "id target source.note source.x [target.text]",
    );
    check(
        "id,source,prompt",
        "id,text,value",
        "id source.source source.prompt target.text target.value",
    );
    check("key,x", "id,y", "`en.csv` has no column `id`");
    check("id,x", "id,id", "`es.csv` has 2 columns called `id`");
}

#[test]
fn columns_are_chosen_as_asked() {
    let check = |src: &str, tgt: &str, expected: &str| {
        let options = Options {
            src_column: Some(src.into()),
            tgt_column: Some(tgt.into()),
            ..options()
        };
        assert_eq!(columns("id,a,b", "id,a,b", &options), expected);
    };
    let both = "id source target source.a [source.b] [target.a] target.b";
    check("b", "a", both);
    check("source.b", "target.a", both);
    check("c", "a", "`en.csv` has no column `c`");
    check("a", "source.a", "`es.csv` has no column `source.a`");
}

#[test]
fn decisions_name_the_table_where_they_differ() {
    let decisions = |second| {
        opened("id;text\n1;a\n", second, &options())
            .unwrap()
            .decisions
    };
    assert_eq!(
        decisions("id;text\n1;b\n"),
        ["delimiter semicolon", "joined on `id`"]
    );
    assert_eq!(
        decisions("id\ttext\n1\tb\n"),
        [
            "`en.csv` (delimiter semicolon)",
            "`es.csv` (tsv, delimiter tab)",
            "joined on `id`"
        ]
    );
}

#[test]
fn two_tables_are_needed() {
    let input = || Input::from_bytes("x", b"id,text\n".to_vec()).unwrap();
    for n in [1, 3] {
        let inputs = std::iter::repeat_with(input).take(n).collect();
        let error = open_all(inputs, &options()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("an id joins two tables, not {n}")
        );
    }
    let moses = Options {
        format: Some(Format::Moses),
        ..options()
    };
    let error = opened("a\n", "b\n", &moses).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `en.csv` as moses");
}

#[test]
fn what_does_not_fit_is_refused() {
    let options = Options {
        memory: 1 << 20,
        ..options()
    };
    let many: String = (0..20_000).map(|n| format!("{n},text\n")).collect();
    let joined = |first: &str, second: &str| items(opened(first, second, &options).unwrap());
    let error = joined("id,text\n1,a\n", &format!("id,text\n{many}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the rows of `es.csv` do not fit into 1 MiB of memory"
    );
    // The first table is not kept.
    let seen = joined(&format!("id,text\n{many}"), "id,text\n1,a\n").unwrap();
    assert_eq!(seen.len(), 20_000);
}

#[test]
fn a_batch_that_is_dropped_holds_up_nobody() {
    let options = Options {
        block_bytes: 1,
        ..options()
    };
    let mut opened = opened("id,text\n1,a\n2,b\n", "id,text\n", &options).unwrap();
    let mut n_items = 0;
    let mut n_batches = 0;
    while let Some(batch) = opened.source.next_batch().unwrap() {
        n_batches += 1;
        if n_batches % 2 == 0 {
            batch.decode(&mut |_| n_items += 1);
        }
    }
    assert!(n_batches > 2);
}

/// Rows by an obvious way: every row of the first with the first of the
/// second that has its id and is free.
fn expected(first: &[(u8, u8)], second: &[(u8, u8)]) -> (Vec<String>, usize) {
    let mut seen = Vec::new();
    let mut pairs = Vec::new();
    for (n, (id, text)) in first.iter().enumerate() {
        let found = second.iter().position(|(other, _)| other == id);
        if let Some(m) = found
            && !first[..n].iter().any(|(before, _)| before == id)
        {
            let (line, other, answer) = (n + 2, m + 2, second[m].1);
            seen.push(format!(
                "en.csv:{line} + {other} {id}|{text}|{answer}|{text}|{answer}"
            ));
            pairs.push(m);
        }
    }
    let n_rejects = first.len() + second.len() - 2 * pairs.len();
    (seen, n_rejects)
}

fn table(rows: &[(u8, u8)]) -> String {
    let rows = rows.iter().map(|(id, text)| format!("{id},{text}\n"));
    format!("id,text\n{}", rows.collect::<String>())
}

proptest! {
    #[test]
    fn every_row_is_paired_or_rejected(
        first in prop::collection::vec((0_u8..12, any::<u8>()), 0..20),
        second in prop::collection::vec((0_u8..12, any::<u8>()), 0..20),
        block_bytes in 1_usize..60,
    ) {
        let options = Options { block_bytes, ..options() };
        let joined = opened(&table(&first), &table(&second), &options).unwrap();
        let (rejects, pairs): (Vec<_>, Vec<_>) = items(joined)
            .unwrap()
            .into_iter()
            .partition(|item| item.contains(" S0"));
        prop_assert_eq!((pairs, rejects.len()), expected(&first, &second));
    }
}

/// The items of a source whose batches are decoded on several threads, in the
/// order of the batches.
#[test]
fn threads_give_the_same() {
    let rows = |by: u32| -> String {
        let rows = (0..3000_u32).map(|n| format!("{},text {n}\n", n * by % 2500));
        format!("id,text\n{}", rows.collect::<String>())
    };
    let (first, second) = (rows(7), rows(11));
    let options = Options {
        block_bytes: 512,
        ..options()
    };
    let render = |batch: Box<dyn Batch>| {
        let mut text = String::new();
        let n_lines = batch.decode(&mut |item| text += &format!("{item:?}\n"));
        format!("{text}{n_lines}\n")
    };
    let one_by_one = {
        let mut opened = opened(&first, &second, &options).unwrap();
        let mut texts = Vec::new();
        while let Some(batch) = opened.source.next_batch().unwrap() {
            texts.push(render(batch));
        }
        texts
    };
    let front = Arc::new(Mutex::new((opened(&first, &second, &options).unwrap(), 0)));
    let texts = Mutex::new(vec![String::new(); one_by_one.len()]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let (batch, n) = {
                        let mut front = front.lock().unwrap();
                        let Some(batch) = front.0.source.next_batch().unwrap() else {
                            return;
                        };
                        front.1 += 1;
                        (batch, front.1 - 1)
                    };
                    let text = render(batch);
                    texts.lock().unwrap()[n] = text;
                }
            });
        }
    });
    assert!(texts.into_inner().unwrap() == one_by_one);
}
