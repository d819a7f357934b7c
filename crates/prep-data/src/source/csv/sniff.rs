//! What a delimited file is made of, told from its beginning.

use super::Dialect;
use super::decode::{self, Sampled};
use crate::source::columns::side;
use crate::source::{Choice, Columns, Options};

/// What was found out.
pub(super) struct Sniffed {
    pub(super) dialect: Dialect,
    pub(super) columns: Columns,
    pub(super) decisions: Vec<String>,
}

const ONE_COLUMN: &str = "it has one column under every delimiter that was tried";

/// How many records are compared.
const SAMPLE: usize = 200;

/// The delimiters that are tried, in order of preference.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Finds out delimiter, quoting, line ends and header.
///
/// # Errors
///
/// Says why the text is no table of two columns or more.
pub(super) fn sniff(
    head: &[u8],
    is_whole: bool,
    looks_tabbed: bool,
    options: &Options,
) -> Result<Sniffed, (String, Option<Choice>)> {
    if head.iter().all(u8::is_ascii_whitespace) {
        return Err(("it is empty".into(), None));
    }
    let terminator = if memchr::memchr(b'\n', head).is_none() && head.contains(&b'\r') {
        b'\r'
    } else {
        b'\n'
    };
    let samples = |delimiter| Sample::take(head, is_whole, delimiter, terminator);
    let sample = match options.delimiter {
        Some(delimiter) => samples(delimiter),
        None => DELIMITERS
            .into_iter()
            .map(samples)
            .max_by_key(|sample| sample.score(looks_tabbed))
            .expect("there are delimiters to try"),
    };
    let first = sample
        .records
        .first()
        .ok_or(("its first record has no end".into(), None))?;
    if first.len() < 2 && sample.typical_fields < 2 {
        return Err((ONE_COLUMN.into(), Some(Choice::Delimiter)));
    }
    let mut decisions = Vec::new();
    if options.delimiter.is_none() {
        decisions.push(format!("delimiter {}", name_of(sample.dialect.delimiter)));
    }
    if terminator == b'\r' {
        decisions.push("lines end with a carriage return".into());
    }
    if !sample.dialect.quoting {
        decisions.push("quotes are text, as they do not enclose fields".into());
    } else if sample.dialect.delimiter == b'\t' && sample.n_quoted > 0 {
        decisions.push("quotes enclose fields".into());
    }
    let columns = columns(first, &sample, options, &mut decisions);
    Ok(Sniffed {
        dialect: sample.dialect,
        columns,
        decisions,
    })
}

/// Whether the first record names the columns, and how they are called.
fn columns(
    first: &[String],
    sample: &Sample,
    options: &Options,
    decisions: &mut Vec<String>,
) -> Columns {
    let is_named = first.iter().any(|name| side(name).is_some());
    let named = options.has_header.unwrap_or_else(|| {
        if is_named || first.len() != 2 {
            return true;
        }
        if looks_like_names(first) && !sample.records[1..].iter().any(|row| looks_like_names(row)) {
            return true;
        }
        decisions.push("no header: the first row is data".into());
        false
    });
    if named {
        return Columns {
            names: first.to_vec(),
            named,
            sides: None,
        };
    }
    let n_columns = sample.typical_fields.max(1);
    Columns {
        names: (1..=n_columns).map(|n| n.to_string()).collect(),
        named,
        sides: None,
    }
}

/// Whether every field could be the name of a column: a word or two, with
/// nothing that a sentence has.
fn looks_like_names(row: &[String]) -> bool {
    row.iter().all(|field| {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
        field.chars().count() > 1 && field.chars().all(is_plain) && field.split(' ').count() <= 2
    })
}

fn name_of(delimiter: u8) -> String {
    match delimiter {
        b',' => "comma".into(),
        b';' => "semicolon".into(),
        b'\t' => "tab".into(),
        b'|' => "vertical bar".into(),
        _ => format!("`{}`", char::from(delimiter).escape_default()),
    }
}

/// The first records under one delimiter.
struct Sample {
    dialect: Dialect,
    records: Vec<Vec<String>>,
    /// How many fields stand in quotes.
    n_quoted: usize,
    /// The most frequent number of fields.
    typical_fields: usize,
    /// How many records have that number.
    n_typical: usize,
}

impl Sample {
    fn take(head: &[u8], is_whole: bool, delimiter: u8, terminator: u8) -> Self {
        let dialect = Dialect {
            delimiter,
            quoting: true,
            terminator,
        };
        let quoted = decode::sample(head, is_whole, dialect, SAMPLE);
        if quoted.faults == 0 || delimiter != b'\t' {
            return Self::new(dialect, quoted);
        }
        let dialect = Dialect {
            quoting: false,
            ..dialect
        };
        Self::new(dialect, decode::sample(head, is_whole, dialect, SAMPLE))
    }

    fn new(dialect: Dialect, sampled: Sampled) -> Self {
        let records = sampled.records;
        let count = |n: usize| records.iter().filter(|record| record.len() == n).count();
        let lengths = records.iter().map(Vec::len);
        let (n_typical, typical_fields) = lengths.map(|n| (count(n), n)).max().unwrap_or((0, 0));
        Self {
            dialect,
            records,
            n_quoted: sampled.n_quoted,
            typical_fields,
            n_typical,
        }
    }

    /// How well the delimiter fits: first, that it gives columns at all and
    /// known names; then, how many records agree, in tenths.
    fn score(&self, looks_tabbed: bool) -> (bool, bool, usize, bool, bool) {
        let first = self.records.first();
        let known = first.is_some_and(|first| first.iter().any(|name| side(name).is_some()));
        let agreement = self.n_typical * 10 / self.records.len().max(1);
        (
            self.typical_fields > 1,
            known,
            agreement,
            looks_tabbed == (self.dialect.delimiter == b'\t'),
            self.dialect.delimiter == b',',
        )
    }
}
