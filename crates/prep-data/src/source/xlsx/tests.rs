use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

use super::styles::Styles;
use super::*;
use crate::diag::Position;
use crate::source::Item;
use crate::source::contract::{self, Seen};

fn fixture() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/xlsx/novel.xlsx"
    );
    std::fs::read(path).unwrap()
}

/// The real files that lie beside the project, if they do.
fn books() -> Vec<PathBuf> {
    let mut paths = contract::shared_files("nasty/xlsx");
    paths.extend(contract::shared_files("nasty/frictionless"));
    let is_book = |path: &PathBuf| {
        let extension = path.extension().and_then(|it| it.to_str());
        matches!(extension, Some("xlsx" | "xls" | "ods"))
    };
    paths.retain(is_book);
    paths
}

/// One line: records, rejects, notes, then columns and decisions; or why not.
fn outcome(path: &Path) -> String {
    let opened = match open(Input::open(path).unwrap(), &Options::default()) {
        Ok(opened) => opened,
        Err(error) => return chain(&error),
    };
    let columns = opened.columns.clone().unwrap().names.len();
    let decisions = opened.decisions.join("; ");
    let seen = contract::read_all(opened).unwrap();
    let rows = seen
        .iter()
        .filter(|seen| matches!(seen, Seen::Row { .. }))
        .count();
    let mut codes: Vec<_> = seen.iter().filter_map(Seen::code).collect();
    codes.sort_unstable();
    let mut line = format!("{rows} rows of {columns}");
    for chunk in codes.chunk_by(|one, other| one == other) {
        line += &format!(", {} {}", chunk.len(), chunk[0]);
    }
    if !decisions.is_empty() {
        line += &format!("; {decisions}");
    }
    line
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), chain)
}

/// What each real file gives, after the rows with content that openpyxl
/// counts in the first sheet with any: the header, records and rejects.
const BOOKS: &[(&str, usize, &str)] = &[
    ("date.xlsx", 3, "2 rows of 2"),
    ("empty_shared_string.xlsx", 1, "0 rows of 1, 1 S002"),
    ("empty_sheet.xlsx", 0, "it has no sheet with data"),
    ("encoded_entities.xlsx", 2, "1 rows of 1"),
    ("has_x000D_.xlsx", 1, "0 rows of 1"),
    (
        "header-row.xlsx",
        3,
        "0 rows of 3, 7 S002, 2 S003; column names from row 3, the first with cells",
    ),
    (
        "hyperlinks.xlsx",
        8,
        "7 rows of 2; sheet `Links`; there is data in `Sheet2` too",
    ),
    ("inlineStr_cdata.xlsx", 2, "1 rows of 2"),
    (
        "issues.ods",
        0,
        "it is an OpenDocument file; save it as .xlsx or CSV",
    ),
    (
        "issues.xlsx",
        6,
        "5 rows of 1; sheet `datatypes`; there is data in `Sheet1`, `issue2`, `issue5`, `issue6`, `spc_chrs` too",
    ),
    (
        "merged_range.xlsx",
        3,
        "2 rows of 8, 2 S002; sheet `Sheet1`; there is data in `Sheet2` too",
    ),
    ("nonstandard-xml-ns-prefix.xlsx", 3, "2 rows of 2"),
    (
        "pass_protected.xlsx",
        0,
        "it is protected by a password; save it without one",
    ),
    ("adjust-floating-point-error.xlsx", 6, "5 rows of 4"),
    (
        "cast-int-to-string-issue-1251.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    ("cast-int-to-string-issue-1251.xlsx", 3, "2 rows of 5"),
    (
        "issue-1024.xlsx",
        54,
        "4 rows of 1, 10 S002, 49 S003; column names from row 7, the first with cells",
    ),
    ("issue-312.xlsx", 5, "3 rows of 4, 1 S002, 1 S003"),
    ("issue-313.xlsx", 3, "2 rows of 5"),
    (
        "issue-320.xlsx",
        54,
        "4 rows of 1, 10 S002, 49 S003; column names from row 7, the first with cells",
    ),
    ("issue-870.xlsx", 10, "9 rows of 8, 41 S002"),
    (
        "merged-cells-boolean.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    (
        "merged-cells.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    ("merged-cells.xlsx", 1, "0 rows of 1"),
    ("multiline-headers.xlsx", 4, "1 rows of 3, 2 S002, 2 S003"),
    ("number-format-multicode.xlsx", 4, "3 rows of 1"),
    ("preserve-formatting-percentage.xlsx", 4, "3 rows of 2"),
    ("preserve-formatting.xlsx", 2, "1 rows of 11"),
    (
        "sheet2.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    ("sheet2.xlsx", 3, "2 rows of 2"),
    (
        "sheets.xlsx",
        2,
        "1 rows of 2; sheet `Sheet1`; there is data in `Sheet2`, `Sheet3` too",
    ),
    ("skip-rows.xlsx", 4, "0 rows of 1, 3 S003"),
    ("table-infer-boolean.xlsx", 3, "2 rows of 3"),
    (
        "table-output.ods",
        0,
        "it is an OpenDocument file; save it as .xlsx or CSV",
    ),
    ("table-output.xlsx", 3, "2 rows of 2"),
    (
        "table-with-booleans.ods",
        0,
        "it is an OpenDocument file; save it as .xlsx or CSV",
    ),
    (
        "table-with-booleans.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    (
        "table-with-ints-floats-dates.ods",
        0,
        "it is an OpenDocument file; save it as .xlsx or CSV",
    ),
    (
        "table-with-ints-floats-dates.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    (
        "table-with-two-sheets.ods",
        0,
        "it is an OpenDocument file; save it as .xlsx or CSV",
    ),
    (
        "table.ods",
        0,
        "it is an OpenDocument file; save it as .xlsx or CSV",
    ),
    (
        "table.xls",
        0,
        "it is an Excel 97 workbook; save it as .xlsx or CSV",
    ),
    (
        "table.xlsx",
        3,
        "2 rows of 2; sheet `Лист1`; there is data in `Sheet 2` too",
    ),
];

#[test]
fn real_workbooks_are_read_or_refused_with_a_reason() {
    for path in books() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let known = BOOKS.iter().find(|(book, ..)| *book == name);
        let (_, n_rows, expected) = known.unwrap_or_else(|| panic!("{name} is new"));
        assert_eq!(outcome(&path), *expected, "{name}");
        let Ok(opened) = open(Input::open(&path).unwrap(), &Options::default()) else {
            continue;
        };
        let seen = contract::read_all(opened).unwrap();
        let n_notes = seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Note { .. }))
            .count();
        assert_eq!(seen.len() - n_notes + 1, *n_rows, "{name}");
    }
}

/// Every cell of every sheet is what calamine reads, in the form of text.
#[test]
fn cells_are_those_of_calamine() {
    for path in books()
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "xlsx"))
    {
        let Ok(workbook) = Workbook::open(File::open(path).unwrap()) else {
            continue;
        };
        let book = workbook.book(&Options::default()).unwrap();
        let mut calamine: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
        for sheet in &workbook.sheets {
            let ours = all_cells(workbook.rows(sheet, &Options::default()).unwrap(), &book);
            let mut theirs = Vec::new();
            let mut cells = calamine.worksheet_cells_reader(&sheet.name).unwrap();
            while let Some(cell) = cells.next_cell().unwrap() {
                let (row, column) = cell.get_position();
                theirs.push((
                    u64::from(row) + 1,
                    column as usize,
                    in_calamine(cell.get_value()),
                ));
            }
            theirs.retain(|(_, _, text)| !text.is_empty());
            let trimmed = |cells: Vec<(u64, usize, String)>| -> Vec<_> {
                let cells = cells
                    .into_iter()
                    .map(|(row, column, text)| (row, column, text.trim().to_owned()));
                cells.filter(|(_, _, text)| !text.is_empty()).collect()
            };
            assert_eq!(
                trimmed(ours),
                trimmed(theirs),
                "{} {}",
                path.display(),
                sheet.name
            );
        }
    }
}

fn all_cells(mut runs: Runs, book: &Book) -> Vec<(u64, usize, String)> {
    let mut cells = Vec::new();
    let mut next = 1;
    while let Some(run) = runs.next_run().unwrap() {
        let mut rows = Rows::new(std::str::from_utf8(&run).unwrap(), book, next);
        while let Some(row) = rows.next_row().unwrap() {
            next = row.number + 1;
            let found = row
                .cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| !cell.is_empty());
            cells.extend(found.map(|(column, cell)| (row.number, column, cell.to_string())));
        }
    }
    cells
}

fn in_calamine(value: &calamine::DataRef<'_>) -> String {
    use calamine::DataRef;
    match value {
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string().to_uppercase(),
        DataRef::DateTime(date) => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            let serial = date.as_f64();
            match (serial.fract() == 0.0, date.is_duration()) {
                (true, false) => format!("{year:04}-{month:02}-{day:02}"),
                (false, false) if serial < 1.0 => format!("{hour:02}:{minute:02}:{second:02}"),
                (_, true) => shown(&serial.to_string(), "[h]:mm:ss"),
                _ => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
        other => calamine::Data::from(other.clone()).to_string(),
    }
}

#[test]
fn the_contract_holds() {
    contract::holds(&fixture(), &open, &Options::default());
    let without = Options {
        has_header: Some(false),
        ..Options::default()
    };
    contract::holds(&fixture(), &open, &without);
    for path in books() {
        contract::holds(&std::fs::read(path).unwrap(), &open, &Options::default());
    }
}

#[test]
fn text_stays_as_it_is() {
    let opened = open(
        Input::from_bytes("novel.xlsx", fixture()).unwrap(),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(
        opened.columns.as_ref().unwrap().names,
        ["source", "target", "chapter"]
    );
    assert_eq!(
        opened.decisions,
        ["sheet `Novel`; there is data in `Notes` too"]
    );
    let note = |code, line, column| Seen::Note {
        code,
        at: Position { line, column },
    };
    let expected = [
        Seen::row(2, &["007", "007", "Chapter"]),
        Seen::row(
            3,
            &[
                "  The sea was calm.  ",
                "  El mar estaba en calma.  ",
                "one",
            ],
        ),
        Seen::row(
            4,
            &[
                "She said:\n\"Wait, please.\"",
                "Dijo:\n—Espera, por favor.",
                "one",
            ],
        ),
        Seen::row(5, &["Good night 🌙", "Buenas noches 🌙", ""]),
        Seen::row(6, &["#NAME?", "#¿NOMBRE?", "one"]),
        Seen::row(7, &["NaN", "NaN", "two"]),
        Seen::row(8, &["1e5", "1e5", "two"]),
        Seen::row(9, &["true", "verdadero", "two"]),
        Seen::row(10, &["Press \r now", "Pulse \r ahora", "two"]),
        Seen::row(11, &["He left, quietly.", "Se fue, en silencio.", "two"]),
        Seen::row(12, &["原文", "Texto original", "two"]),
        Seen::row(13, &["A number", "12345678901234", "0.1"]),
        Seen::row(
            14,
            &["A date", "2024-02-29T00:00:00", "2024-02-29T12:30:00"],
        ),
        Seen::row(15, &["A time", "08:05:00", "30:01:00"]),
        Seen::row(16, &["A formula error", "#REF!", "TRUE"]),
        note("S002", 17, 1),
        note("S002", 18, 1),
        Seen::row(19, &["After a gap", "Después de un hueco", ""]),
        Seen::Reject {
            line: 20,
            code: "S003",
            at: Position {
                line: 20,
                column: 4,
            },
            raw: "Too wide,Demasiado ancho,,stray".into(),
        },
    ];
    assert_eq!(contract::read_all(opened).unwrap(), expected);
}

/// A workbook of one sheet with the given rows, and of shared strings.
fn workbook(rows: &str, strings: &str) -> Vec<u8> {
    let rels = |entries: &str| format!("<Relationships>{entries}</Relationships>");
    let rel = |id, kind, target| {
        format!(
            r#"<Relationship Id="{id}" Type="http://x/relationships/{kind}" Target="{target}"/>"#
        )
    };
    let parts = [
        (
            "_rels/.rels",
            rels(&rel("r1", "officeDocument", "/xl/workbook.xml")),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            rels(
                &(rel("r1", "worksheet", "worksheets/a.xml")
                    + &rel("r2", "sharedStrings", "s.xml")),
            ),
        ),
        (
            "xl/workbook.xml",
            r#"<workbook><sheets><sheet name="A &amp; B" r:id="r1"/></sheets></workbook>"#.into(),
        ),
        (
            "xl/worksheets/a.xml",
            format!("<worksheet><sheetData>{rows}</sheetData><mergeCells/></worksheet>"),
        ),
        (
            "xl/s.xml",
            format!("<sst uniqueCount=\"99999999999999\">{strings}</sst>"),
        ),
    ];
    archive(parts.iter().map(|(name, text)| (*name, text.as_bytes())))
}

fn archive<'a>(parts: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The rows behind a header of two columns.
#[track_caller]
fn check(rows: &str, strings: &str, expected: &[Seen]) {
    let rows = format!("<row><c t=\"str\"><v>a</v></c><c t=\"str\"><v>b</v></c></row>{rows}");
    let bytes = workbook(&rows, strings);
    for block_bytes in [1, 50, 1 << 20] {
        let options = Options {
            block_bytes,
            ..Options::default()
        };
        assert_eq!(
            contract::read(&bytes, &open, &options).unwrap(),
            expected,
            "{block_bytes}"
        );
    }
}

#[test]
fn rows_and_cells_need_no_numbers() {
    let rows = r#"<row><c><v>1</v></c><c><v>2.50</v></c></row><row/><row r="7"><c r="B7" t="b"><v>0</v></c></row>"#;
    let blank = |line| Seen::Note {
        code: "S002",
        at: Position::line(line),
    };
    check(
        rows,
        "",
        &[
            Seen::row(2, &["1", "2.5"]),
            blank(3),
            blank(4),
            blank(5),
            blank(6),
            Seen::row(7, &["", "FALSE"]),
        ],
    );
}

#[test]
fn a_row_that_is_broken_is_rejected_and_the_next_is_read() {
    let broken = r#"<row r="2"><c t="s"><v>5</v></c></row>"#;
    let rows = format!(r#"{broken}<row r="3"><c t="s"><v>0</v></c></row>"#);
    let reject = Seen::Reject {
        line: 2,
        code: "S032",
        at: Position::line(2),
        raw: broken.into(),
    };
    check(
        &rows,
        "<si><t>ok</t></si>",
        &[reject, Seen::row(3, &["ok", ""])],
    );
}

#[test]
fn tags_in_cdata_and_comments_are_text() {
    let rows =
        "<row><c t=\"inlineStr\"><is><t><![CDATA[</row><row>]]></t></is></c><!-- </row> --></row>";
    check(rows, "", &[Seen::row(2, &["</row><row>", ""])]);
}

#[test]
fn strings_are_whole_and_unescaped() {
    let cases = [
        ("<t> a </t>", " a "),
        (
            "<r><t>a</t></r><r><t xml:space=\"preserve\"> b</t></r><rPh><t>x</t></rPh>",
            "a b",
        ),
        ("<t>&lt;&#x1F319;&amp;amp;</t>", "<🌙&amp;"),
        ("<t>a_x000D_b_xD83C__xDF19_</t>", "a\rb🌙"),
        ("<t>_x00G0__x_</t>", "_x00G0__x_"),
        ("", ""),
    ];
    let strings: String = cases
        .iter()
        .map(|(xml, _)| format!("<si>{xml}</si>"))
        .collect();
    let rows: String = (0..cases.len())
        .map(|n| format!("<row><c t=\"s\"><v>{n}</v></c><c><v>1</v></c></row>"))
        .collect();
    let expected: Vec<_> = cases
        .iter()
        .zip(2..)
        .map(|((_, text), line)| Seen::row(line, &[text, "1"]))
        .collect();
    check(&rows, &strings, &expected);
}

#[test]
fn an_escape_that_is_left_is_noted() {
    let rows = "<row><c><v>1</v></c><c t=\"str\"><v>_x005F_x000D_</v></c></row>";
    let note = Seen::Note {
        code: "S013",
        at: Position { line: 2, column: 2 },
    };
    check(rows, "", &[note, Seen::row(2, &["1", "_x000D_"])]);
}

#[test]
fn formulas_without_a_value_are_noted_once_a_row() {
    let note = |line, column| Seen::Note {
        code: "S042",
        at: Position { line, column },
    };
    let blank = |line| Seen::Note {
        code: "S002",
        at: Position::line(line),
    };
    let rows = [
        // Worked out: a number, text, no text, and an error.
        "<row><c><f>1+1</f><v>2</v></c><c t='str'><f>T(A1)</f><v>a</v></c></row>",
        "<row><c t='e'><f>1/0</f><v>#DIV/0!</v></c><c t='str'><f>T(1)</f><v></v></c></row>",
        "<row><c><v>1</v></c><c><f>1+1</f></c></row>",
        "<row><c r='B5'><f>1+1</f><v/></c><c r='A5' t='str'><f>T(A1)</f></c><c r='D5'/></row>",
        "<row><c><f t='shared' si='0'/></c></row>",
        "<row><c><v>1</v></c><c/><c><f>1+1</f></c></row>",
    ];
    check(
        &rows.concat(),
        "",
        &[
            Seen::row(2, &["2", "a"]),
            Seen::row(3, &["#DIV/0!", ""]),
            note(4, 2),
            Seen::row(4, &["1", ""]),
            note(5, 2),
            blank(5),
            note(6, 1),
            blank(6),
            note(7, 3),
            Seen::row(7, &["1", ""]),
        ],
    );
}

#[test]
fn errors_that_have_no_name_yet_are_text() {
    check(
        "<row><c t=\"e\"><v>#SPILL!</v></c></row>",
        "",
        &[Seen::row(2, &["#SPILL!", ""])],
    );
}

#[test]
fn bytes_that_are_not_text_are_rejected() {
    let mut bytes = Vec::new();
    for row in [
        &b"<row><c t='str'><v>a</v></c></row>"[..],
        b"<row>\xff</row>",
        b"<row r='3'><c><v>3</v></c></row>",
    ] {
        bytes.extend_from_slice(row);
    }
    let table = Arc::new(Table {
        book: Book::default(),
        width: 1,
        header: None,
    });
    let batch = RowBatch {
        table,
        run: bytes,
        first: 1,
        n_rows: 3,
    };
    let mut seen = Vec::new();
    Box::new(batch).decode(&mut |item| {
        seen.push(match item {
            Item::Record(record) => (
                record.line,
                String::from_utf8_lossy(record.raw).into_owned(),
            ),
            Item::Reject(reject) => (reject.line, reject.finding.code.code.to_owned()),
            Item::Note(_) => unreachable!("no row is blank"),
        });
    });
    assert_eq!(seen, [(0, "a".into()), (1, "S001".into()), (2, "3".into())]);
}

/// A number in a cell whose format has the given code.
fn shown(value: &str, code: &str) -> String {
    let styles = format!(
        r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode='{code}'/></numFmts>
        <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#
    );
    let styles = Styles::read(&styles, false).unwrap();
    styles.number_text(value.into(), 1).into_owned()
}

#[test]
fn numbers_are_as_excel_stores_them() {
    let check = |value: &str, code: &str, expected: &str| {
        assert_eq!(shown(value, code), expected, "{value} as {code}");
    };
    check("1", "General", "1");
    check("1.0", "0.00", "1");
    check("-12", "#,##0_);[Red](#,##0)", "-12");
    check("0.30000000000000004", "0.0", "0.30000000000000004");
    check("1E5", "0.00E+00", "100000");
    check("1e+300", "General", "1E300");
    check("123456789012345680", "0", "123456789012345680");
    check("45351", "yyyy\\-mm\\-dd", "2024-02-29");
    check("45351.5", "dd/mm/yyyy", "2024-02-29T12:00:00");
    check("45351.520833333336", "d/m/yy h:mm", "2024-02-29T12:30:00");
    check("0.5", "[$-409]h:mm AM/PM;@", "12:00:00");
    check("1.25", "[hh]:mm", "30:00:00");
    check("60", "\"day\" 0", "60");
    check("-1", "yyyy", "-1");
}

fn refusal(bytes: Vec<u8>, options: &Options) -> String {
    let opened =
        open(Input::from_bytes("x.xlsx", bytes).unwrap(), options).and_then(contract::read_all);
    chain(&opened.unwrap_err())
}

#[test]
fn what_is_no_table_is_refused_in_words() {
    let check = |bytes, sheet: Option<&str>, expected: &str| {
        let options = Options {
            sheet: sheet.map(Into::into),
            ..Options::default()
        };
        assert_eq!(refusal(bytes, &options), expected);
    };
    let letter = archive([("a.txt", &b"hello"[..])].into_iter());
    check(
        letter,
        None,
        "it is a zip archive and no workbook; unpack it first",
    );
    check(workbook("", ""), None, "it has no sheet with data");
    check(
        workbook("", ""),
        Some("a & b"),
        "its sheet `a & b` is empty",
    );
    check(
        workbook("", ""),
        Some("C"),
        "it has no sheet `C`; it has `A & B`",
    );
    let mut damaged = fixture();
    damaged.truncate(3000);
    let error = refusal(damaged, &Options::default());
    assert!(error.starts_with("its zip archive is damaged"), "{error}");
}

#[test]
fn a_part_that_unpacks_to_too_much_is_refused() {
    let zeros = vec![b' '; 30 << 20];
    let bomb = archive([("xl/worksheets/a.xml", &zeros[..])].into_iter());
    assert_eq!(
        refusal(bomb, &Options::default()),
        "its part `xl/worksheets/a.xml` would unpack to more than 200 times its size, 30 MiB"
    );
}

#[test]
fn a_part_that_declares_less_than_it_holds_is_refused() {
    let rows = "<row><c><v>1</v></c></row>".repeat(1000);
    let mut lying = workbook(&rows, "");
    let declared = u32::try_from(
        rows.len() + "<worksheet><sheetData></sheetData><mergeCells/></worksheet>".len(),
    );
    let declared = declared.unwrap().to_le_bytes();
    let finder = memmem::Finder::new(&declared);
    while let Some(at) = finder.find(&lying) {
        lying[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    let error = refusal(lying, &Options::default());
    assert!(
        error.ends_with("it is longer than the archive says"),
        "{error}"
    );
}

#[test]
fn flipped_bits_are_found() {
    let bytes = fixture();
    let whole = contract::read(&bytes, &open, &Options::default()).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        if let Ok(seen) = contract::read(&bytes, &open, &Options::default()) {
            // Names and times of entries have no checksum.
            assert_eq!(seen.len(), whole.len(), "byte {at}");
        }
    }
}
