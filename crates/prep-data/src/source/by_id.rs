//! Two tables joined on a column of ids, whatever the order of their rows.
//!
//! The joined table has the id by its name, `source` and `target` for the two
//! columns that are prompt and answer, as far as these can be told, and then
//! `source.NAME` for every other column of the first table and `target.NAME`
//! for every other column of the second, the chosen ones too. Ids are equal if
//! they are the same text: `7` is not `007`.
//!
//! What counts as one record: a pair of rows, a row that has no partner, and
//! whatever either table cannot read. Records come in the order of the first
//! table, so that the number of one is that of its row there; what remains of
//! the second table follows, in its order. A row is without a partner if its
//! id is empty or the other table has no row of it that can be read (S035). Of
//! rows that have one id the first counts (S034), except that an id which only
//! the first table has is S035 every time: nothing is kept of it.
//!
//! The second table is kept in memory, the first is not. Batches of the first
//! are decoded and looked up on any thread; then they take turns, in order, to
//! claim the rows they found. A claim knows its line, so that whoever comes
//! later can name it, and when all have had their turn it is known which rows
//! of the second table are left. To wait for its turn a batch waits for the
//! batches before it: they must be decoded before it, or on other threads.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};

use super::columns::{self, Side};
use super::{
    Batch, Columns, Data, Item, Opened, Options, Record, Reject, Second, Source, SourceError,
};
use crate::diag::{Finding, Position, S034, S035, shown};

/// How a table must be opened so that it can be joined.
pub(crate) fn table_options(options: &Options) -> Options {
    Options {
        // The id is the name of a column, so there are names.
        has_header: options.has_header.or(Some(true)),
        json_as_table: true,
        ..options.clone()
    }
}

/// Joins two tables on the column called `id`.
///
/// # Errors
///
/// When a table lacks that column, or one that was asked for. That the second
/// does not fit into memory shows while it is read.
pub(crate) fn join(
    first: Opened,
    second: Opened,
    id: &str,
    options: &Options,
) -> Result<Opened, SourceError> {
    let tables = [Table::new(&first, id)?, Table::new(&second, id)?];
    let chosen = [
        tables[0].side(Side::Prompt, options.src_column.as_deref(), &tables[1])?,
        tables[1].side(Side::Answer, options.tgt_column.as_deref(), &tables[0])?,
    ];
    let (columns, cells) = joined_columns(&tables, chosen);
    let mut decisions = decisions(&first, &second);
    decisions.push(format!("joined on `{}`", columns.names[0]));
    let [first_table, second_table] = tables;
    let names = [first_table.name, second_table.name];
    let kept = Kept {
        names: names.clone(),
        ids: [first_table.id, second_table.id],
        cells,
        leaves: Vec::new(),
        rows: Vec::new(),
        by_id: HashMap::new(),
        n_lines: 0,
        weight: 0,
    };
    Ok(Opened {
        format: first.format,
        names: names.to_vec(),
        columns: Some(columns),
        decisions,
        source: Box::new(Joined {
            first: first.source,
            memory: options.memory,
            n_taken: 0,
            stage: Stage::Keeping {
                second: second.source,
                kept: Box::new(kept),
            },
        }),
    })
}

/// What was guessed about both tables, then what about one, with its name.
fn decisions(first: &Opened, second: &Opened) -> Vec<String> {
    let format = (second.format != first.format).then(|| second.format.to_string());
    let about: Vec<_> = format.iter().chain(&second.decisions).collect();
    let (shared, of_first): (Vec<_>, Vec<_>) = first
        .decisions
        .iter()
        .partition(|decision| about.contains(decision));
    let of_second: Vec<_> = about
        .into_iter()
        .filter(|decision| !shared.contains(decision))
        .collect();
    let mut decisions: Vec<String> = shared.into_iter().cloned().collect();
    for (table, about) in [(first, of_first), (second, of_second)] {
        if !about.is_empty() {
            let about: Vec<_> = about.into_iter().map(String::as_str).collect();
            decisions.push(format!("`{}` ({})", table.names[0], about.join(", ")));
        }
    }
    decisions
}

/// One of the two tables.
struct Table {
    name: String,
    columns: Vec<String>,
    id: usize,
}

impl Table {
    fn new(opened: &Opened, id: &str) -> Result<Self, SourceError> {
        let columns = opened.columns.as_ref();
        let mut table = Self {
            name: opened.names[0].clone(),
            columns: columns.map_or_else(Vec::new, |columns| columns.names.clone()),
            id: 0,
        };
        table.id = table.find(id)?;
        Ok(table)
    }

    /// The one column of a name.
    fn find(&self, name: &str) -> Result<usize, SourceError> {
        let n = self.columns.iter().filter(|column| *column == name).count();
        let found = columns::find(name, &self.columns).filter(|_| n <= 1);
        found.ok_or_else(|| SourceError::Column {
            name: self.name.clone(),
            column: name.into(),
            n,
            columns: self.columns.clone(),
        })
    }

    /// Every column but the id.
    fn others(&self) -> impl Iterator<Item = usize> {
        let id = self.id;
        (0..self.columns.len()).filter(move |&column| column != id)
    }

    /// The column that is the prompt or the answer: the one that was asked
    /// for, the only one, the one whose name says so, or the one that is
    /// called a text in both tables.
    fn side(
        &self,
        side: Side,
        asked: Option<&str>,
        other: &Self,
    ) -> Result<Option<usize>, SourceError> {
        if let Some(name) = asked {
            let joined = name.strip_prefix(prefix(side));
            let found = joined.and_then(|name| self.find(name).ok());
            return found.map_or_else(|| self.find(name), Ok).map(Some);
        }
        if let Some(only) = one(self.others()) {
            return Ok(Some(only));
        }
        let name = |column: usize| &self.columns[column];
        let mut named = self
            .others()
            .filter(|&column| columns::side(name(column)) == Some(side));
        if let Some(first) = named.next() {
            return Ok(Some(first).filter(|_| named.next().is_none()));
        }
        let texts = TEXTS
            .iter()
            .filter_map(|text| self.text(text).filter(|_| other.text(text).is_some()));
        Ok(one(texts))
    }

    /// The only column that is called so, case aside.
    fn text(&self, text: &str) -> Option<usize> {
        let is = |column: &usize| self.columns[*column].trim().to_lowercase() == text;
        one(self.others().filter(is))
    }
}

/// What a column is called that holds a text and does not say of which side.
const TEXTS: &[&str] = &["text", "string", "value", "segment", "sentence", "content"];

/// What stands before the names of a table's columns once it is joined.
fn prefix(side: Side) -> &'static str {
    match side {
        Side::Prompt => "source.",
        Side::Answer => "target.",
    }
}

fn one<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next();
    first.filter(|_| items.next().is_none())
}

/// Where a cell of the joined table comes from.
#[derive(Debug, Clone, Copy)]
enum Cell {
    First(usize),
    Second(usize),
}

/// The columns of the joined table, and where their cells come from.
fn joined_columns(tables: &[Table; 2], chosen: [Option<usize>; 2]) -> (Columns, Vec<Cell>) {
    let [first, second] = tables;
    let mut names = vec![first.columns[first.id].clone()];
    let mut cells = vec![Cell::First(first.id)];
    for (name, cell) in [
        ("source", chosen[0].map(Cell::First)),
        ("target", chosen[1].map(Cell::Second)),
    ] {
        if let Some(cell) = cell {
            names.push(name.into());
            cells.push(cell);
        }
    }
    let mut sides = [None; 2];
    for column in first.others() {
        if chosen[0] == Some(column) {
            sides[0] = Some(names.len());
        }
        names.push(format!("{}{}", prefix(Side::Prompt), first.columns[column]));
        cells.push(Cell::First(column));
    }
    for column in second.others() {
        if chosen[1] == Some(column) {
            sides[1] = Some(names.len());
        }
        names.push(format!(
            "{}{}",
            prefix(Side::Answer),
            second.columns[column]
        ));
        cells.push(Cell::Second(column));
    }
    let columns = Columns {
        names,
        named: true,
        sides: Some(sides),
    };
    (columns, cells)
}

/// Two tables, as one.
#[derive(Debug)]
struct Joined {
    first: Box<dyn Source>,
    memory: u64,
    /// The batches that were given a turn.
    n_taken: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The second table is read and kept.
    Keeping {
        second: Box<dyn Source>,
        kept: Box<Kept>,
    },
    /// The first table is read.
    Pairing(Arc<Shared>),
    /// What is left of the second table is told, from this leaf on.
    Telling(Arc<Shared>, usize),
}

impl Source for Joined {
    /// Reads a batch of the second table in a call, so that a caller who wants
    /// to stop can do so in between.
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch>>, SourceError> {
        if let Stage::Keeping { second, kept } = &mut self.stage {
            if let Some(batch) = second.next_batch()? {
                kept.add(batch);
                if kept.weight > self.memory {
                    return Err(SourceError::TooManyRows {
                        name: kept.names[1].clone(),
                        limit: self.memory,
                    });
                }
                return Ok(Some(Box::new(Silent)));
            }
            let shared = Arc::new(Shared::new(std::mem::take(&mut **kept)));
            self.stage = Stage::Pairing(shared);
        }
        if let Stage::Pairing(shared) = &self.stage {
            let shared = Arc::clone(shared);
            if let Some(batch) = self.first.next_batch()? {
                let turn = self.turn(shared);
                return Ok(Some(Box::new(Pairing { batch, turn })));
            }
            self.stage = Stage::Telling(shared, 0);
        }
        let Stage::Telling(shared, leaf) = &mut self.stage else {
            unreachable!("it is the last stage")
        };
        let n = *leaf;
        if n == shared.kept.leaves.len() {
            return Ok(None);
        }
        *leaf += 1;
        let shared = Arc::clone(shared);
        let turn = self.turn(shared);
        Ok(Some(Box::new(Remainder { leaf: n, turn })))
    }
}

impl Joined {
    /// The turn of the next batch.
    fn turn(&mut self, shared: Arc<Shared>) -> Turn {
        self.n_taken += 1;
        Turn {
            n: self.n_taken - 1,
            is_over: false,
            shared,
        }
    }
}

/// A batch that tells nothing: the second table is told at the end.
#[derive(Debug)]
struct Silent;

impl Batch for Silent {
    fn decode(self: Box<Self>, _: &mut dyn FnMut(Item<'_>)) -> u64 {
        0
    }
}

/// The rows of a batch, and what else it told, copied.
#[derive(Default)]
struct Leaf {
    entries: Vec<Entry>,
    /// The cells of all rows, one after the other, with the end of each.
    text: String,
    ends: Vec<usize>,
    /// The bytes of all rows and rejects.
    raw: Vec<u8>,
    /// The number of the first row, in a table that is kept.
    first_row: usize,
}

enum Entry {
    Row {
        line: u64,
        raw: Range<usize>,
        /// Its first cell in `ends`.
        cell: usize,
    },
    Reject(Box<(u64, Finding, Range<usize>)>),
    Note(Box<Finding>),
}

impl Leaf {
    /// Decodes a batch, and returns also how many lines it has.
    fn of(batch: Box<dyn Batch>) -> (Self, u64) {
        let mut leaf = Self::default();
        let n_lines = batch.decode(&mut |item| leaf.push(item));
        (leaf, n_lines)
    }

    fn push(&mut self, item: Item<'_>) {
        let entry = match item {
            Item::Record(record) => {
                let Data::Row(cells) = record.data else {
                    unreachable!("tables have rows")
                };
                let cell = self.ends.len();
                for cell in cells {
                    self.text += cell;
                    self.ends.push(self.text.len());
                }
                Entry::Row {
                    line: record.line,
                    raw: self.copy(record.raw),
                    cell,
                }
            }
            Item::Reject(reject) => {
                let raw = self.copy(reject.raw);
                Entry::Reject(Box::new((reject.line, reject.finding, raw)))
            }
            Item::Note(finding) => Entry::Note(Box::new(finding)),
        };
        self.entries.push(entry);
    }

    fn copy(&mut self, raw: &[u8]) -> Range<usize> {
        let start = self.raw.len();
        self.raw.extend_from_slice(raw);
        start..self.raw.len()
    }

    /// The text of a cell, counted over all rows.
    fn cell(&self, n: usize) -> &str {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.text[start..self.ends[n]]
    }

    /// The line of every row, and its first cell.
    fn rows(&self) -> impl Iterator<Item = (u64, usize)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Row { line, cell, .. } => Some((*line, *cell)),
            _ => None,
        })
    }

    /// Tells a reject or a note as it was told.
    fn tell(&self, entry: &Entry, each: &mut dyn FnMut(Item<'_>)) {
        match entry {
            Entry::Row { .. } => unreachable!("rows are paired"),
            Entry::Reject(reject) => {
                let (line, finding, raw) = &**reject;
                each(Item::Reject(Reject {
                    line: *line,
                    finding: finding.clone(),
                    raw: &self.raw[raw.clone()],
                }));
            }
            Entry::Note(finding) => each(Item::Note((**finding).clone())),
        }
    }

    /// Roughly what it takes in memory, in bytes.
    fn weight(&self) -> usize {
        self.text.capacity()
            + self.raw.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.entries.capacity() * size_of::<Entry>()
    }

    fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.raw.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.entries.shrink_to_fit();
    }
}

/// The second table, and how the two are joined.
#[derive(Default)]
struct Kept {
    names: [String; 2],
    /// The column of the id in either table.
    ids: [usize; 2],
    cells: Vec<Cell>,
    /// Its batches; their lines count from the first of the file, from 0.
    leaves: Vec<Leaf>,
    /// Its rows that can be paired.
    rows: Vec<Place>,
    by_id: HashMap<Box<str>, usize>,
    n_lines: u64,
    weight: u64,
}

/// Where a row of the second table is.
struct Place {
    /// Its line, from 1.
    line: u64,
    leaf: usize,
    entry: usize,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} rows of `{}`)", self.rows.len(), self.names[1])
    }
}

impl Kept {
    /// Keeps a batch of the second table. Rows with an empty id, or one that
    /// was there before, become rejects.
    fn add(&mut self, batch: Box<dyn Batch>) {
        /// What the maps take for a row, beside its id.
        const ROW_BYTES: usize = 64 + size_of::<Place>();
        let (mut leaf, n_lines) = Leaf::of(batch);
        leaf.first_row = self.rows.len();
        let mut entries = std::mem::take(&mut leaf.entries);
        for (n, entry) in entries.iter_mut().enumerate() {
            match entry {
                Entry::Row { line, raw, cell } => {
                    *line += self.n_lines;
                    let id = leaf.cell(*cell + self.ids[1]);
                    let finding = match self.by_id.get(id) {
                        _ if is_empty(id) => Some(empty(*line)),
                        Some(&row) => Some(taken(*line, id, self.rows[row].line)),
                        None => None,
                    };
                    if let Some(finding) = finding {
                        *entry = Entry::Reject(Box::new((*line, finding, raw.clone())));
                        continue;
                    }
                    self.weight += (id.len() + ROW_BYTES) as u64;
                    self.by_id.insert(id.into(), self.rows.len());
                    self.rows.push(Place {
                        line: *line + 1,
                        leaf: self.leaves.len(),
                        entry: n,
                    });
                }
                Entry::Reject(reject) => {
                    reject.0 += self.n_lines;
                    reject.1.position.line += self.n_lines;
                }
                Entry::Note(finding) => finding.position.line += self.n_lines,
            }
        }
        leaf.entries = entries;
        leaf.shrink();
        self.n_lines += n_lines;
        self.weight += leaf.weight() as u64;
        self.leaves.push(leaf);
    }

    /// Appends a row of the second table to one of the first: the bytes to
    /// `raw`, and to `cells` those of the joined table.
    fn pair<'a>(
        &'a self,
        row: usize,
        first: &'a Leaf,
        first_cell: usize,
        raw: &mut Vec<u8>,
        cells: &mut Vec<Cow<'a, str>>,
    ) -> Second {
        let place = &self.rows[row];
        let second = &self.leaves[place.leaf];
        let Entry::Row {
            raw: second_raw,
            cell: second_cell,
            ..
        } = &second.entries[place.entry]
        else {
            unreachable!("only rows are paired")
        };
        raw.push(b'\n');
        let at = raw.len();
        raw.extend_from_slice(&second.raw[second_raw.clone()]);
        cells.clear();
        cells.extend(self.cells.iter().map(|cell| {
            Cow::Borrowed(match cell {
                Cell::First(column) => first.cell(first_cell + column),
                Cell::Second(column) => second.cell(second_cell + column),
            })
        }));
        Second {
            line: place.line,
            at,
        }
    }
}

fn is_empty(id: &str) -> bool {
    id.trim().is_empty()
}

fn empty(line: u64) -> Finding {
    Finding::new(&S035, Position::line(line), "the id is empty")
}

/// The id at `line`, from 0, is that of a line before, from 1.
fn taken(line: u64, id: &str, before: u64) -> Finding {
    let message = format!("line {before} has the id {} already", shown(id));
    Finding::new(&S034, Position::line(line), message)
}

fn missing(line: u64, id: &str, other: &str) -> Finding {
    let message = format!("`{other}` has no row with the id {}", shown(id));
    Finding::new(&S035, Position::line(line), message)
}

/// What all batches of the joined table share.
#[derive(Debug)]
struct Shared {
    kept: Kept,
    claims: Mutex<Claims>,
    /// Signalled when a turn is over.
    moved: Condvar,
}

/// What batches settle in turns.
#[derive(Debug)]
struct Claims {
    /// Whose turn it is.
    turn: u64,
    /// Whether a batch was dropped before its turn: nobody waits any more, as
    /// the run is over.
    is_broken: bool,
    /// The lines of the first table before the batch whose turn it is.
    n_lines: u64,
    /// The line of the first table, from 1, that has claimed a row; 0: none.
    claimed: Vec<u64>,
}

impl Shared {
    fn new(kept: Kept) -> Self {
        let claims = Claims {
            turn: 0,
            is_broken: false,
            n_lines: 0,
            claimed: vec![0; kept.rows.len()],
        };
        Self {
            kept,
            claims: Mutex::new(claims),
            moved: Condvar::new(),
        }
    }
}

/// The place of a batch among those that take turns.
#[derive(Debug)]
struct Turn {
    n: u64,
    is_over: bool,
    shared: Arc<Shared>,
}

impl Turn {
    /// Waits until it is this batch's turn, and takes it.
    fn take<R>(&mut self, act: impl FnOnce(&mut Claims) -> R) -> R {
        const HELD: &str = "no holder of the claims panics";
        let mut claims = self.shared.claims.lock().expect(HELD);
        while claims.turn != self.n && !claims.is_broken {
            claims = self.shared.moved.wait(claims).expect(HELD);
        }
        let acted = act(&mut claims);
        claims.turn += 1;
        drop(claims);
        self.is_over = true;
        self.shared.moved.notify_all();
        acted
    }
}

impl Drop for Turn {
    /// A batch that was never decoded, or whose decoding panicked, must not
    /// leave the others waiting for it.
    fn drop(&mut self) {
        if !self.is_over {
            if let Ok(mut claims) = self.shared.claims.lock() {
                claims.is_broken = true;
            }
            self.shared.moved.notify_all();
        }
    }
}

/// A batch of the first table, to be paired.
#[derive(Debug)]
struct Pairing {
    batch: Box<dyn Batch>,
    turn: Turn,
}

/// What becomes of a row of the first table.
#[derive(Clone, Copy)]
enum Fate {
    /// Its id is empty.
    Empty,
    /// The second table has no row for it.
    Missing,
    /// This row has its id.
    Found(usize),
    /// Its id was that of an earlier line.
    Taken(u64),
}

impl Batch for Pairing {
    fn decode(self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let Self { batch, mut turn } = *self;
        let shared = Arc::clone(&turn.shared);
        let kept = &shared.kept;
        let (leaf, n_lines) = Leaf::of(batch);
        let id_of = |cell: usize| leaf.cell(cell + kept.ids[0]);

        let mut fates: Vec<_> = leaf
            .rows()
            .map(|(line, cell)| {
                let id = id_of(cell);
                let fate = match kept.by_id.get(id) {
                    _ if is_empty(id) => Fate::Empty,
                    Some(&row) => Fate::Found(row),
                    None => Fate::Missing,
                };
                (line, fate)
            })
            .collect();
        turn.take(|claims| {
            for (line, fate) in &mut fates {
                if let Fate::Found(row) = *fate {
                    match &mut claims.claimed[row] {
                        free @ 0 => *free = claims.n_lines + *line + 1,
                        before => *fate = Fate::Taken(*before),
                    }
                }
            }
            claims.n_lines += n_lines;
        });

        let mut fates = fates.into_iter();
        let (mut joined_raw, mut cells) = (Vec::new(), Vec::new());
        for entry in &leaf.entries {
            let Entry::Row { line, raw, cell } = entry else {
                leaf.tell(entry, each);
                continue;
            };
            let (line, raw, cell) = (*line, &leaf.raw[raw.clone()], *cell);
            let (_, fate) = fates.next().expect("every row has a fate");
            let finding = match fate {
                Fate::Found(row) => {
                    joined_raw.clear();
                    joined_raw.extend_from_slice(raw);
                    let second = kept.pair(row, &leaf, cell, &mut joined_raw, &mut cells);
                    each(Item::Record(Record {
                        second: Some(second),
                        ..Record::new(line, &joined_raw, Data::Row(&cells))
                    }));
                    continue;
                }
                Fate::Empty => empty(line),
                Fate::Missing => missing(line, id_of(cell), &kept.names[1]),
                Fate::Taken(before) => taken(line, id_of(cell), before),
            };
            each(Item::Reject(Reject { line, finding, raw }));
        }
        n_lines
    }
}

/// What is left of a batch of the second table.
#[derive(Debug)]
struct Remainder {
    leaf: usize,
    turn: Turn,
}

impl Batch for Remainder {
    /// Spans no lines: those of a leaf count from the first of the file.
    fn decode(mut self: Box<Self>, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        let shared = Arc::clone(&self.turn.shared);
        let kept = &shared.kept;
        let leaf = &kept.leaves[self.leaf];
        let rows = leaf.first_row..leaf.first_row + leaf.rows().count();
        let claimed = self.turn.take(|claims| claims.claimed[rows].to_vec());
        let mut claimed = claimed.into_iter();
        for entry in &leaf.entries {
            match entry {
                Entry::Row { line, raw, cell } => {
                    if claimed.next() == Some(0) {
                        let id = leaf.cell(cell + kept.ids[1]);
                        each(Item::Reject(Reject {
                            line: *line,
                            finding: missing(*line, id, &kept.names[0]),
                            raw: &leaf.raw[raw.clone()],
                        }));
                    }
                }
                _ => leaf.tell(entry, each),
            }
        }
        0
    }

    fn input(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests;
