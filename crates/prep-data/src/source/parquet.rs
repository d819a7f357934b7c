//! Parquet files, as a table of their top-level fields.
//!
//! One thread decodes the pages of every column, some hundreds of rows at a
//! time; any thread then puts rows together from values and levels. Memory is
//! bounded by a page and a dictionary of each column.
//!
//! A cell is text. Text is not touched; numbers, dates and decimals are
//! written out; a null is an empty cell; lists, structs and maps are compact
//! JSON. [`Record::raw`] is the whole row as one JSON object, whose values
//! have their own types.
//!
//! Rows that are conversations (`messages`, `conversations`, …) are read from
//! that object like lines of JSONL, unless the caller names columns. Members
//! that are null are then left out of it: a struct of Parquet has all of its
//! members in every row, so null is how it says that one is not there.
//!
//! The `parquet` crate's own record reader is not used: it ends at a text that
//! is not UTF-8, with its columns no longer in step, where only that row is to
//! be rejected.

mod footer;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;

use super::{
    Batch, Columns, Data, Format, Item, Opened, Options, Record, Reject, Source, SourceError, chat,
};
use crate::diag::{self, Finding, Position};
use crate::io::Input;

/// The longest file that is copied to a temporary one, when it comes through a
/// pipe or is compressed once more.
const SPOOL_LIMIT: u64 = 64 << 30;
/// The most rows that are read at once.
const MAX_BATCH_ROWS: usize = 1024;
/// How deep fields may be nested.
const MAX_DEPTH: usize = 64;

/// Opens a Parquet file.
///
/// # Errors
///
/// When the input cannot be read, or is damaged.
pub(crate) fn open(input: Input, options: &Options) -> Result<Opened, SourceError> {
    let name = input.name().to_owned();
    let seekable = input
        .into_seekable(SPOOL_LIMIT)
        .map_err(SourceError::read(&name))?;
    let malformed = |cause| SourceError::malformed(&name, Format::Parquet, cause);
    let mut file = seekable.into_file();
    if !footer::is_sound(&mut file).map_err(SourceError::read(&name))? {
        return Err(malformed(
            "it is damaged: its footer says other lengths than it has".to_owned(),
        ));
    }
    let reader = contained(|| SerializedFileReader::new(file)).map_err(malformed)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<_> = schema
        .get_fields()
        .iter()
        .map(|field| field.name().to_owned())
        .collect();
    let is_text = |name: &str| {
        let mut fields = schema.get_fields().iter();
        fields.any(|field| field.name() == name && field.is_primitive())
    };
    let (chat, decision) = match chat::of_columns(&names, is_text) {
        Some((format, decision)) if !options.json_as_table => (Some(format), Some(decision)),
        _ => (None, None),
    };
    let (fields, n_columns) = top_fields(schema, chat.is_none()).map_err(malformed)?;
    Ok(Opened {
        format: Format::Parquet,
        names: vec![name.clone()],
        columns: chat.is_none().then_some(Columns {
            names,
            named: true,
            sides: None,
        }),
        decisions: decision.into_iter().collect(),
        source: Box::new(Table {
            name,
            reader,
            fields: fields.into(),
            chat,
            n_columns,
            next_group: 0,
            columns: Vec::new(),
            rows_left: 0,
            batch_rows: 1,
            block_bytes: options.block_bytes,
            limit: options.record_limit,
        }),
    })
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread would be turned into an error. A panic hook
/// that asks this need not print what the user is told anyway.
#[must_use]
pub fn panic_is_contained() -> bool {
    CONTAINED.get()
}

/// Runs the `parquet` crate, which panics at some damaged files, and turns
/// that into the error it should have been. What it worked on is not used
/// again.
fn contained<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    let before = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    match outcome {
        Ok(result) => result.map_err(|error| match error {
            ParquetError::General(text) | ParquetError::EOF(text) => {
                format!("it is damaged: {text}")
            }
            ParquetError::NYI(text) => format!("it uses what is not supported: {text}"),
            other => format!("it is damaged: {other}"),
        }),
        Err(_) => Err("it is damaged".into()),
    }
}

/// Whether a column is at a place or of a size that no column can have.
///
/// The `parquet` crate asserts this. That is contained like its other panics,
/// but the panic hook has then printed already, and the hook is not ours.
fn has_negative_range(column: &ColumnChunkMetaData) -> bool {
    let start = column.dictionary_page_offset();
    start.unwrap_or_else(|| column.data_page_offset()) < 0 || column.compressed_size() < 0
}

/// A file, as a source.
struct Table {
    name: String,
    reader: SerializedFileReader<File>,
    fields: Arc<[Field]>,
    /// What the rows are read as, if they are conversations.
    chat: Option<Format>,
    /// How many leaves the fields have.
    n_columns: usize,
    next_group: usize,
    /// The columns of the current row group.
    columns: Vec<ColumnReader>,
    rows_left: usize,
    batch_rows: usize,
    block_bytes: usize,
    limit: usize,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Source for Table {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        let malformed = |cause| SourceError::malformed(&self.name, Format::Parquet, cause);
        while self.rows_left == 0 {
            if self.next_group == self.reader.num_row_groups() {
                return Ok(None);
            }
            let group =
                contained(|| self.reader.get_row_group(self.next_group)).map_err(malformed)?;
            if group.num_columns() != self.n_columns {
                return Err(malformed("it is damaged: a row group lacks columns".into()));
            }
            let metadata = group.metadata();
            if metadata.columns().iter().any(has_negative_range) {
                return Err(malformed(
                    "it is damaged: a column has a negative place or size".into(),
                ));
            }
            let n_rows = usize::try_from(metadata.num_rows()).unwrap_or(0);
            let n_bytes = usize::try_from(metadata.total_byte_size()).unwrap_or(0);
            let row_bytes = (n_bytes / n_rows.max(1)).max(1);
            self.columns = contained(|| {
                (0..group.num_columns())
                    .map(|n| group.get_column_reader(n))
                    .collect()
            })
            .map_err(malformed)?;
            self.batch_rows = (self.block_bytes / row_bytes).clamp(1, MAX_BATCH_ROWS);
            self.rows_left = n_rows;
            self.next_group += 1;
        }
        let n_rows = self.batch_rows.min(self.rows_left);
        let columns = contained(|| {
            self.columns
                .iter_mut()
                .map(|column| Column::read(column, n_rows))
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(malformed)?;
        self.rows_left -= n_rows;
        Ok(Some(Box::new(RowBatch {
            fields: Arc::clone(&self.fields),
            chat: self.chat,
            columns,
            n_rows,
            limit: self.limit,
        })))
    }
}

/// Some rows, column by column.
struct RowBatch {
    fields: Arc<[Field]>,
    chat: Option<Format>,
    columns: Vec<Column>,
    n_rows: usize,
    limit: usize,
}

impl fmt::Debug for RowBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowBatch")
            .field("n_rows", &self.n_rows)
            .finish_non_exhaustive()
    }
}

impl Batch for RowBatch {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let mut rows = Rows {
            batch: &self,
            at: vec![Cursor::default(); self.columns.len()],
            raw: Vec::new(),
            starts: Vec::new(),
            cells: Vec::new(),
        };
        let mut chat = self.chat.map(chat::Objects::new);
        for line in 0..self.n_rows as u64 {
            match rows.read() {
                Ok(()) if let Some(chat) = &mut chat => {
                    let position = |at| Position {
                        line,
                        column: rows.starts.partition_point(|&start| start <= at) as u64,
                    };
                    chat.decode(&rows.raw, line, &position, each);
                }
                Ok(()) => each(Item::Record(Record::new(
                    line,
                    &rows.raw,
                    Data::Row(&rows.cells),
                ))),
                Err(Fault {
                    code,
                    column,
                    message,
                }) => {
                    let position = Position {
                        line,
                        column: column as u64 + 1,
                    };
                    let finding = Finding::new(code, position, message);
                    let raw = &rows.raw;
                    each(Item::Reject(Reject { line, finding, raw }));
                }
            }
        }
        self.n_rows as u64
    }
}

/// Why a row is rejected.
struct Fault {
    code: &'static diag::Code,
    column: usize,
    message: String,
}

/// Puts rows together, one after the other.
struct Rows<'a> {
    batch: &'a RowBatch,
    /// How far each column is read.
    at: Vec<Cursor>,
    /// The row as JSON. Text that is not UTF-8 stands in it as it is.
    raw: Vec<u8>,
    /// Where in it each field begins.
    starts: Vec<usize>,
    /// The row as text, but for what is nested in a conversation.
    cells: Vec<Cow<'a, str>>,
}

impl Rows<'_> {
    /// Reads the next row; one with a fault is still read to its end.
    fn read(&mut self) -> Result<(), Fault> {
        self.raw.clear();
        self.starts.clear();
        self.cells.clear();
        let mut fault = None;
        for n in 0..self.batch.fields.len() {
            if let Err(found) = self.read_field(n) {
                fault.get_or_insert(found);
            }
        }
        self.raw
            .extend_from_slice(if self.raw.is_empty() { b"{}" } else { b"}" });
        let limit = self.batch.limit;
        if self.raw.len() > limit {
            self.raw.truncate(limit);
            fault.get_or_insert_with(|| Fault {
                code: &diag::S008,
                column: 0,
                message: format!("the row is longer than {limit} bytes"),
            });
        }
        fault.map_or(Ok(()), Err)
    }

    fn read_field(&mut self, n: usize) -> Result<(), Fault> {
        let batch = self.batch;
        let field = &batch.fields[n];
        let start = self.raw.len();
        self.starts.push(start);
        self.raw.push(if start == 0 { b'{' } else { b',' });
        write_string(field.name.as_bytes(), &mut self.raw);
        self.raw.push(b':');
        let fault = |code, what| Fault {
            code,
            column: n,
            message: format!("{what} in column `{}`", field.name),
        };
        let out_of_step = |_| fault(&diag::S031, "values are missing");
        let value_start = self.raw.len();
        let cell = if let Some(leaf) = field.node.as_scalar() {
            let value = leaf
                .take(&batch.columns, &mut self.at)
                .map_err(out_of_step)?;
            value.write(&mut self.raw);
            value.into_text()
        } else {
            let written = field
                .node
                .write(&batch.columns, &mut self.at, &mut self.raw);
            written.map_err(out_of_step)?;
            match &self.raw[value_start..] {
                b"null" => Some(Cow::Borrowed("")),
                json => simdutf8::basic::from_utf8(json)
                    .ok()
                    .map(|json| match batch.chat {
                        Some(_) => Cow::Borrowed(""),
                        None => Cow::Owned(json.to_owned()),
                    }),
            }
        };
        field.drop_null(start, value_start, &mut self.raw);
        self.cells
            .push(cell.ok_or_else(|| fault(&diag::S001, "there are bytes that are not UTF-8"))?);
        Ok(())
    }
}

/// A column has fewer values than its levels or its neighbours say.
#[derive(Debug)]
struct OutOfStep;

/// The values of one leaf of the schema, with their levels.
#[derive(Debug)]
struct Column {
    values: Values,
    /// Empty where every value is there.
    definitions: Vec<i16>,
    /// Empty where nothing repeats.
    repetitions: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Column {
    /// Reads the next rows of a column.
    fn read(reader: &mut ColumnReader, n_rows: usize) -> Result<Self, ParquetError> {
        let (mut definitions, mut repetitions) = (Vec::new(), Vec::new());
        macro_rules! read {
            ($reader:ident, $variant:ident) => {{
                let mut values = Vec::new();
                let mut n_read = 0;
                while n_read < n_rows {
                    let (def, rep) = (Some(&mut definitions), Some(&mut repetitions));
                    let (n, _, n_levels) =
                        $reader.read_records(n_rows - n_read, def, rep, &mut values)?;
                    if n == 0 && n_levels == 0 {
                        return Err(ParquetError::EOF(
                            "a column has fewer rows than its row group".into(),
                        ));
                    }
                    n_read += n;
                }
                Values::$variant(values)
            }};
        }
        let values = match reader {
            ColumnReader::BoolColumnReader(reader) => read!(reader, Bool),
            ColumnReader::Int32ColumnReader(reader) => read!(reader, Int32),
            ColumnReader::Int64ColumnReader(reader) => read!(reader, Int64),
            ColumnReader::Int96ColumnReader(reader) => read!(reader, Int96),
            ColumnReader::FloatColumnReader(reader) => read!(reader, Float),
            ColumnReader::DoubleColumnReader(reader) => read!(reader, Double),
            ColumnReader::ByteArrayColumnReader(reader) => read!(reader, Bytes),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => read!(reader, Fixed),
        };
        Ok(Self {
            values,
            definitions,
            repetitions,
        })
    }
}

/// How far a column is read.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    level: usize,
    value: usize,
}

/// A top-level field.
#[derive(Debug)]
struct Field {
    name: String,
    node: Node,
    /// Whether it is written when it is null.
    keeps_null: bool,
}

impl Field {
    /// Takes back what was written from `start` if the value behind it is a
    /// null to be left out.
    fn drop_null(&self, start: usize, value_start: usize, json: &mut Vec<u8>) {
        if !self.keeps_null && json[value_start..] == *b"null" {
            json.truncate(start);
        }
    }
}

/// A field of the schema, with the levels at which it is there.
#[derive(Debug)]
enum Node {
    Leaf(Leaf),
    Struct(Vec<Field>),
    /// There if the definition level is at least `definition`.
    Optional {
        definition: i16,
        inner: Box<Node>,
    },
    /// The same, and further elements while the repetition level is
    /// `repetition`.
    List {
        definition: i16,
        repetition: i16,
        element: Box<Node>,
    },
    Map {
        definition: i16,
        repetition: i16,
        key: Box<Node>,
        value: Box<Node>,
    },
}

#[derive(Debug)]
struct Leaf {
    column: usize,
    definition: i16,
    scalar: Scalar,
}

/// How a value reads.
#[derive(Debug, Clone, Copy)]
enum Scalar {
    Plain,
    Unsigned,
    Decimal(usize),
    Date,
    /// Of day, in parts of a second.
    Time(i64),
    /// Since 1970, in parts of a second; with a `Z` if it is UTC.
    Timestamp(i64, bool),
    Float16,
    Uuid,
}

/// A value that was taken.
enum Value<'a> {
    Null,
    /// Text; bytes that nobody has checked.
    Bytes(&'a [u8]),
    /// Text that was written out.
    Text(String),
    /// A JSON number or boolean.
    Number(String),
}

impl<'a> Value<'a> {
    fn write(&self, json: &mut Vec<u8>) {
        match self {
            Self::Null => json.extend_from_slice(b"null"),
            Self::Bytes(bytes) => write_string(bytes, json),
            Self::Text(text) => write_string(text.as_bytes(), json),
            Self::Number(number) => json.extend_from_slice(number.as_bytes()),
        }
    }

    /// The text of a cell, if it is text.
    fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => Some(Cow::Borrowed("")),
            Self::Bytes(bytes) => simdutf8::basic::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Text(text) | Self::Number(text) => Some(Cow::Owned(text)),
        }
    }
}

/// Writes what stands at the cursors into a list or map.
type WriteElement<'a> = dyn FnMut(&mut [Cursor], &mut Vec<u8>) -> Result<(), OutOfStep> + 'a;

impl Node {
    /// The leaf of a field that is one value or null.
    fn as_scalar(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) => Some(leaf),
            Self::Optional { inner, .. } => match &**inner {
                Self::Leaf(leaf) => Some(leaf),
                _ => None,
            },
            _ => None,
        }
    }

    /// Writes what stands at the cursors as JSON, and moves them behind it.
    fn write(
        &self,
        columns: &[Column],
        at: &mut [Cursor],
        json: &mut Vec<u8>,
    ) -> Result<(), OutOfStep> {
        match self {
            Self::Leaf(leaf) => leaf.take(columns, at)?.write(json),
            Self::Struct(fields) => {
                json.push(b'{');
                let first = json.len();
                for field in fields {
                    let start = json.len();
                    if start > first {
                        json.push(b',');
                    }
                    write_string(field.name.as_bytes(), json);
                    json.push(b':');
                    let value_start = json.len();
                    field.node.write(columns, at, json)?;
                    field.drop_null(start, value_start, json);
                }
                json.push(b'}');
            }
            Self::Optional { definition, inner } => {
                match self.is_there(*definition, columns, at)? {
                    true => inner.write(columns, at, json)?,
                    false => {
                        self.skip(at);
                        json.extend_from_slice(b"null");
                    }
                }
            }
            Self::List {
                definition,
                repetition,
                element,
            } => {
                json.push(b'[');
                self.each(
                    *definition,
                    *repetition,
                    columns,
                    at,
                    json,
                    &mut |at, json| element.write(columns, at, json),
                )?;
                json.push(b']');
            }
            Self::Map {
                definition,
                repetition,
                key,
                value,
            } => {
                json.push(b'{');
                self.each(
                    *definition,
                    *repetition,
                    columns,
                    at,
                    json,
                    &mut |at, json| {
                        let start = json.len();
                        key.write(columns, at, json)?;
                        if json.get(start) != Some(&b'"') {
                            // JSON has no other keys than text.
                            let plain = json.split_off(start);
                            write_string(&plain, json);
                        }
                        json.push(b':');
                        value.write(columns, at, json)
                    },
                )?;
                json.push(b'}');
            }
        }
        Ok(())
    }

    /// Writes the elements of a list or map, with commas between them.
    fn each(
        &self,
        definition: i16,
        repetition: i16,
        columns: &[Column],
        at: &mut [Cursor],
        json: &mut Vec<u8>,
        write: &mut WriteElement<'_>,
    ) -> Result<(), OutOfStep> {
        if !self.is_there(definition, columns, at)? {
            self.skip(at);
            return Ok(());
        }
        let leaf = self.first_leaf().ok_or(OutOfStep)?;
        let repetitions = &columns.get(leaf.column).ok_or(OutOfStep)?.repetitions;
        loop {
            write(at, json)?;
            if repetitions.get(at[leaf.column].level) != Some(&repetition) {
                return Ok(());
            }
            json.push(b',');
        }
    }

    /// Tells whether the definition level at the cursor reaches the given one.
    fn is_there(
        &self,
        definition: i16,
        columns: &[Column],
        at: &[Cursor],
    ) -> Result<bool, OutOfStep> {
        let leaf = self.first_leaf().ok_or(OutOfStep)?;
        let column = columns.get(leaf.column).ok_or(OutOfStep)?;
        let level = column
            .definitions
            .get(at[leaf.column].level)
            .ok_or(OutOfStep)?;
        Ok(*level >= definition)
    }

    /// Passes the one level that each leaf has for something that is not there.
    fn skip(&self, at: &mut [Cursor]) {
        match self {
            Self::Leaf(leaf) => at[leaf.column].level += 1,
            Self::Struct(fields) => fields.iter().for_each(|field| field.node.skip(at)),
            Self::Optional { inner, .. } => inner.skip(at),
            Self::List { element, .. } => element.skip(at),
            Self::Map { key, value, .. } => {
                key.skip(at);
                value.skip(at);
            }
        }
    }

    fn first_leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) => Some(leaf),
            Self::Struct(fields) => fields.iter().find_map(|field| field.node.first_leaf()),
            Self::Optional { inner, .. } => inner.first_leaf(),
            Self::List { element, .. } => element.first_leaf(),
            Self::Map { key, .. } => key.first_leaf(),
        }
    }
}

impl Leaf {
    /// Takes the next value, or null where the levels say that there is none.
    fn take<'a>(&self, columns: &'a [Column], at: &mut [Cursor]) -> Result<Value<'a>, OutOfStep> {
        let column = columns.get(self.column).ok_or(OutOfStep)?;
        let cursor = &mut at[self.column];
        if self.definition > 0 {
            let level = column.definitions.get(cursor.level).ok_or(OutOfStep)?;
            cursor.level += 1;
            if *level < self.definition {
                return Ok(Value::Null);
            }
        }
        let n = cursor.value;
        cursor.value += 1;
        self.scalar.value(&column.values, n).ok_or(OutOfStep)
    }
}

impl Scalar {
    fn value<'a>(self, values: &'a Values, n: usize) -> Option<Value<'a>> {
        Some(match values {
            Values::Bool(values) => Value::Number(values.get(n)?.to_string()),
            Values::Int32(values) => self.integer(i64::from(*values.get(n)?), 32),
            Values::Int64(values) => self.integer(*values.get(n)?, 64),
            Values::Int96(values) => Value::Text(int96_text(values.get(n)?)),
            Values::Float(values) => number(f64::from(*values.get(n)?), values.get(n)?.to_string()),
            Values::Double(values) => double(*values.get(n)?),
            Values::Bytes(values) => self.bytes(values.get(n)?.data()),
            Values::Fixed(values) => self.bytes(values.get(n)?.data()),
        })
    }

    fn integer<'a>(self, value: i64, bits: u32) -> Value<'a> {
        match self {
            Self::Unsigned if bits == 32 => Value::Number((value as u32).to_string()),
            Self::Unsigned => Value::Number((value as u64).to_string()),
            Self::Decimal(scale) => Value::Number(decimal_text(&value.to_be_bytes(), scale)),
            Self::Date => Value::Text(date_text(value)),
            Self::Time(unit) => Value::Text(time_text(value, unit)),
            Self::Timestamp(unit, is_utc) => Value::Text(timestamp_text(value, unit, is_utc)),
            _ => Value::Number(value.to_string()),
        }
    }

    fn bytes(self, bytes: &[u8]) -> Value<'_> {
        match (self, bytes) {
            (Self::Decimal(scale), _) => Value::Number(decimal_text(bytes, scale)),
            (Self::Float16, &[low, high]) => double(half(u16::from_le_bytes([low, high]))),
            (Self::Uuid, bytes) if bytes.len() == 16 => Value::Text(uuid_text(bytes)),
            _ => Value::Bytes(bytes),
        }
    }
}

fn double<'a>(value: f64) -> Value<'a> {
    match value.abs() {
        1e-7..1e21 => number(value, value.to_string()),
        _ if value == 0.0 => Value::Number("0".into()),
        _ => number(value, format!("{value:E}")),
    }
}

/// A number as JSON has it; the others are text.
fn number<'a>(value: f64, text: String) -> Value<'a> {
    match value.is_finite() {
        true => Value::Number(text),
        false => Value::Text(text),
    }
}

/// A half-precision float.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction) * 2_f64.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// A big-endian two's complement number with some of its digits behind a
/// point.
fn decimal_text(bytes: &[u8], scale: usize) -> String {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut rest: Vec<u8> = bytes.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in rest.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let mut digits = Vec::new();
    while rest.iter().any(|&byte| byte != 0) {
        let mut remainder = 0;
        for byte in &mut rest {
            let value = remainder * 256 + u32::from(*byte);
            *byte = (value / 10) as u8;
            remainder = value % 10;
        }
        digits.push(char::from(b'0' + remainder as u8));
    }
    digits.resize(digits.len().max(scale + 1), '0');
    if scale > 0 {
        digits.insert(scale, '.');
    }
    let sign = if is_negative { "-" } else { "" };
    sign.chars().chain(digits.into_iter().rev()).collect()
}

/// The date of a day since 1970, in the proleptic Gregorian calendar.
fn date_text(day: i64) -> String {
    // Counted from March of the year 0, in eras of 400 years, so that the leap
    // day is the last of its year.
    let shifted = day.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year_of_era + next;
    let sign = if year < 0 { "-" } else { "" };
    format!("{sign}{:04}-{month:02}-{day:02}", year.abs())
}

/// A time of day, with as many digits behind the second as it needs in threes.
fn time_text(value: i64, unit: i64) -> String {
    let (second, part) = (value.div_euclid(unit), value.rem_euclid(unit));
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    let nanos = part * (1_000_000_000 / unit);
    if nanos != 0 {
        let digits = format!("{nanos:09}");
        let n_digits = digits.trim_end_matches('0').len().div_ceil(3) * 3;
        text.push('.');
        text.push_str(&digits[..n_digits]);
    }
    text
}

fn timestamp_text(value: i64, unit: i64, is_utc: bool) -> String {
    let day = unit * 86_400;
    let date = date_text(value.div_euclid(day));
    let time = time_text(value.rem_euclid(day), unit);
    format!("{date}T{time}{}", if is_utc { "Z" } else { "" })
}

/// A timestamp of old Impala and Spark: nanoseconds of a Julian day.
fn int96_text(value: &Int96) -> String {
    const JULIAN_1970: i64 = 2_440_588;
    const DAY: i64 = 86_400_000_000_000;
    let &[low, high, day] = value.data() else {
        return String::new();
    };
    let nanos = i64::from(low) | i64::from(high) << 32;
    // What is more than a day, or less than none, counts on.
    let days = nanos.div_euclid(DAY) + i64::from(day) - JULIAN_1970;
    format!(
        "{}T{}",
        date_text(days),
        time_text(nanos.rem_euclid(DAY), 1_000_000_000)
    )
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (n, byte) in bytes.iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Writes a JSON string, escaping what JSON requires and no more.
fn write_string(text: &[u8], json: &mut Vec<u8>) {
    json.push(b'"');
    let mut rest = text;
    while let Some(at) = rest
        .iter()
        .position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        json.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => json.extend_from_slice(b"\\\""),
            b'\\' => json.extend_from_slice(b"\\\\"),
            b'\n' => json.extend_from_slice(b"\\n"),
            b'\r' => json.extend_from_slice(b"\\r"),
            b'\t' => json.extend_from_slice(b"\\t"),
            control => write!(json, "\\u{control:04x}").expect("memory takes what is written"),
        }
        rest = &rest[at + 1..];
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

/// Reads the schema as the fields of a row, and counts the columns.
fn top_fields(schema: &Type, keeps_null: bool) -> Result<(Vec<Field>, usize), String> {
    let mut tree = Tree {
        n_columns: 0,
        keeps_null,
    };
    let fields = tree.fields(schema.get_fields(), 0, 0, 0)?;
    Ok((fields, tree.n_columns))
}

/// Counts the leaves while the tree is built: a leaf is a column.
struct Tree {
    n_columns: usize,
    keeps_null: bool,
}

impl Tree {
    fn fields(
        &mut self,
        types: &[Arc<Type>],
        definition: i16,
        repetition: i16,
        depth: usize,
    ) -> Result<Vec<Field>, String> {
        let mut fields = Vec::new();
        for field in types {
            fields.push(Field {
                name: field.name().to_owned(),
                node: self.node(field, definition, repetition, depth)?,
                keeps_null: self.keeps_null,
            });
        }
        Ok(fields)
    }

    /// The node of a field inside one with the given levels.
    fn node(
        &mut self,
        field: &Type,
        definition: i16,
        repetition: i16,
        depth: usize,
    ) -> Result<Node, String> {
        let info = field.get_basic_info();
        let how = if info.has_repetition() {
            info.repetition()
        } else {
            Repetition::REQUIRED
        };
        let (definition, repetition) = match how {
            Repetition::REQUIRED => (definition, repetition),
            Repetition::OPTIONAL => (definition + 1, repetition),
            Repetition::REPEATED => (definition + 1, repetition + 1),
        };
        let inner = self.value(field, definition, repetition, depth)?;
        Ok(match how {
            Repetition::REQUIRED => inner,
            Repetition::OPTIONAL => Node::Optional {
                definition,
                inner: inner.into(),
            },
            Repetition::REPEATED => Node::List {
                definition,
                repetition,
                element: inner.into(),
            },
        })
    }

    /// The same, when it is there.
    fn value(
        &mut self,
        field: &Type,
        definition: i16,
        repetition: i16,
        depth: usize,
    ) -> Result<Node, String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "its fields are nested deeper than {MAX_DEPTH} levels"
            ));
        }
        if field.is_primitive() {
            self.n_columns += 1;
            return Ok(Node::Leaf(Leaf {
                column: self.n_columns - 1,
                definition,
                scalar: scalar(field),
            }));
        }
        let info = field.get_basic_info();
        let (converted, logical) = (info.converted_type(), info.logical_type_ref());
        let is_list =
            converted == ConvertedType::LIST || matches!(logical, Some(LogicalType::List));
        let is_map = matches!(converted, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE)
            || matches!(logical, Some(LogicalType::Map));
        let repeated = match field.get_fields() {
            [only] if only.get_basic_info().has_repetition() => Some(only),
            _ => None,
        };
        let repeated =
            repeated.filter(|only| only.get_basic_info().repetition() == Repetition::REPEATED);
        if let Some(repeated) = repeated.filter(|_| is_list || is_map) {
            let (definition, repetition) = (definition + 1, repetition + 1);
            let depth = depth + 1;
            let inside = if repeated.is_group() {
                repeated.get_fields()
            } else {
                &[]
            };
            if let ([key, value], true) = (inside, is_map) {
                return Ok(Node::Map {
                    definition,
                    repetition,
                    key: self.node(key, definition, repetition, depth)?.into(),
                    value: self.node(value, definition, repetition, depth)?.into(),
                });
            }
            // What was written before lists had three levels, by the names it
            // had: the repeated group is then the element itself.
            let name = repeated.name();
            let is_old = name == "array" || name.strip_suffix("_tuple") == Some(field.name());
            let element = match inside {
                [only] if !is_old => self.node(only, definition, repetition, depth)?,
                _ => self.value(repeated, definition, repetition, depth)?,
            };
            return Ok(Node::List {
                definition,
                repetition,
                element: element.into(),
            });
        }
        Ok(Node::Struct(self.fields(
            field.get_fields(),
            definition,
            repetition,
            depth + 1,
        )?))
    }
}

/// How the values of a column read, from its annotations.
fn scalar(field: &Type) -> Scalar {
    let info = field.get_basic_info();
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    };
    if let Some(logical) = info.logical_type_ref() {
        match logical {
            LogicalType::Integer(integer) if !integer.is_signed => return Scalar::Unsigned,
            LogicalType::Decimal(decimal) => return decimal_scalar(decimal.scale),
            LogicalType::Date => return Scalar::Date,
            LogicalType::Time(time) => return Scalar::Time(unit(&time.unit)),
            LogicalType::Timestamp(time) => {
                return Scalar::Timestamp(unit(&time.unit), time.is_adjusted_to_u_t_c);
            }
            LogicalType::Float16 => return Scalar::Float16,
            LogicalType::Uuid => return Scalar::Uuid,
            _ => {}
        }
    }
    match (info.converted_type(), field) {
        (ConvertedType::DECIMAL, Type::PrimitiveType { scale, .. }) => decimal_scalar(*scale),
        (ConvertedType::DATE, _) => Scalar::Date,
        (ConvertedType::TIME_MILLIS, _) => Scalar::Time(1_000),
        (ConvertedType::TIME_MICROS, _) => Scalar::Time(1_000_000),
        (ConvertedType::TIMESTAMP_MILLIS, _) => Scalar::Timestamp(1_000, true),
        (ConvertedType::TIMESTAMP_MICROS, _) => Scalar::Timestamp(1_000_000, true),
        (
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64,
            _,
        ) => Scalar::Unsigned,
        _ => Scalar::Plain,
    }
}

/// A decimal; no number has more digits behind its point than 4 KiB hold.
fn decimal_scalar(scale: i32) -> Scalar {
    Scalar::Decimal(usize::try_from(scale).unwrap_or(0).min(4096))
}

#[cfg(test)]
mod tests;
