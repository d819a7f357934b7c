//! Records into examples.
//!
//! What does not depend on the record is worked out once, in a [`Plan`]: the
//! JSON around the texts is ready as bytes, so that a table row costs the
//! copying and escaping of its cells and no more. A property test holds the
//! bytes to those of [`Example`] and its writer.

use std::borrow::Cow;

use super::template::{Piece, Template};
use crate::diag::{Code, Finding, S009, S010, S011, S012, S037, shown};
use crate::example::special::begins_visibly;
use crate::example::{Content, Example, Part, Role, write};
use crate::source::columns::{self, Side};
use crate::source::{Columns, Data, PlainChat, PlainRow, Record, place};

/// What a caller decides about composing.
#[derive(Debug, Clone, Default)]
pub struct ComposeOptions {
    /// The prompt; `None`: the column whose name says so.
    pub user: Option<Template>,
    /// The answer; `None`: the column whose name says so.
    pub model_text: Option<Template>,
    /// The system instruction of every example.
    pub system: Option<String>,
    /// The column of what must stay together.
    pub group_column: Option<String>,
    /// The column that orders the turns of a conversation.
    pub order_column: Option<String>,
}

impl ComposeOptions {
    /// The templates that say more than a column's name, one phrase each.
    pub(crate) fn templates(&self) -> impl Iterator<Item = String> {
        let sides = [(Side::Prompt, &self.user), (Side::Answer, &self.model_text)];
        sides.into_iter().filter_map(|(side, template)| {
            let template = template.as_ref().filter(|template| !template.is_column())?;
            let line = template.to_string().replace('\n', "\\n");
            Some(format!("{} template {}", role(side), shown(&line)))
        })
    }
}

/// Why the columns of a table cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A named column is not there.
    #[error("`{input}` has no column `{column}`")]
    NoColumn {
        /// The input.
        input: String,
        /// The name that was asked for.
        column: String,
        /// The names that are there.
        columns: Vec<String>,
    },
    /// A column name is there twice.
    #[error("`{input}` has {n} columns called `{column}`")]
    Twice {
        /// The input.
        input: String,
        /// The name.
        column: String,
        /// How often it is there.
        n: usize,
        /// The names that are there.
        columns: Vec<String>,
    },
    /// No column name says which side it is.
    #[error("no column of `{input}` is known to be the {side}")]
    NoSide {
        /// The input.
        input: String,
        /// What was looked for.
        side: &'static str,
        /// The names that are there.
        columns: Vec<String>,
    },
    /// Several column names say that they are the same side.
    #[error("{} of `{input}` could each be the {side}", list(found))]
    Ambiguous {
        /// The input.
        input: String,
        /// What was looked for.
        side: &'static str,
        /// The candidates.
        found: Vec<String>,
        /// The names that are there.
        columns: Vec<String>,
    },
    /// The input's records are conversations already.
    #[error("the records of `{input}` are conversations and have no columns")]
    NoTable {
        /// The input.
        input: String,
    },
}

fn list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// How the records of one source become examples.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Table rows, one example each.
    Rows(RowPlan),
    /// Table rows that are turns.
    Turns(TurnPlan),
    /// Records that are conversations.
    Chats(ChatPlan),
}

/// Rows into examples.
#[derive(Debug)]
pub(crate) struct RowPlan {
    /// The line up to the prompt, between prompt and answer, and behind it.
    frame: [Vec<u8>; 3],
    user: Vec<Piece<usize>>,
    model: Vec<Piece<usize>>,
    group: Option<usize>,
    /// The same for rows whose cells are copied as they are.
    copies: Copies,
}

/// A line as bytes and cells in turn: what stands before each column, and
/// what stands behind the last.
#[derive(Debug)]
struct Copies {
    before: Vec<(Vec<u8>, usize)>,
    after: Vec<u8>,
}

/// Rows into turns of conversations.
#[derive(Debug)]
pub(crate) struct TurnPlan {
    pub(crate) group: usize,
    pub(crate) role: usize,
    pub(crate) text: usize,
    pub(crate) order: Option<usize>,
    pub(crate) system: Option<String>,
}

/// Conversations as they are.
#[derive(Debug)]
pub(crate) struct ChatPlan {
    system: Option<String>,
}

impl Plan {
    /// Settles how the records of an input become examples, and says what was
    /// guessed.
    ///
    /// # Errors
    ///
    /// When the columns cannot be told.
    pub(crate) fn new(
        input: &str,
        columns: Option<&Columns>,
        options: &ComposeOptions,
    ) -> Result<(Self, Option<String>), ComposeError> {
        let Some(columns) = columns else {
            if options.user.is_some()
                || options.model_text.is_some()
                || options.group_column.is_some()
            {
                return Err(ComposeError::NoTable {
                    input: input.into(),
                });
            }
            let system = options.system.clone();
            return Ok((Self::Chats(ChatPlan { system }), None));
        };
        let table = Table { input, columns };
        let group = options
            .group_column
            .as_deref()
            .map(|name| table.column(name))
            .transpose()?;
        if let (Some(group), None, None) = (group, &options.user, &options.model_text)
            && let Some(turns) = table.turns(group, options)?
        {
            let (role, text) = (&columns.names[turns.role], &columns.names[turns.text]);
            let decision = format!("conversations of `{role}` and `{text}`");
            return Ok((Self::Turns(turns), Some(decision)));
        }
        let (user, user_guess) = table.side(options.user.as_ref(), Side::Prompt)?;
        let (model, model_guess) = table.side(options.model_text.as_ref(), Side::Answer)?;
        let guesses: Vec<_> = [(user_guess, "user"), (model_guess, "model")]
            .into_iter()
            .filter_map(|(guess, role)| Some(format!("`{}` → {role}", guess?)))
            .collect();
        let decision = (!guesses.is_empty()).then(|| format!("columns {}", guesses.join(", ")));
        let frame = frame(options.system.as_deref());
        let plan = RowPlan {
            copies: Copies::new(&frame, &user, &model),
            frame,
            user,
            model,
            group,
        };
        Ok((Self::Rows(plan), decision))
    }
}

/// The bytes around the two texts of a pair.
fn frame(system: Option<&str>) -> [Vec<u8>; 3] {
    const MARK: &str = "\u{1}";
    let example = Example {
        system_instruction: system.map(Cow::Borrowed).into_iter().collect(),
        contents: vec![
            Content::text(Role::User, MARK),
            Content::text(Role::Model, MARK),
        ],
        ..Example::default()
    };
    let mut line = Vec::new();
    write::line(&example, &mut line);
    let mark = b"\"text\":\"\\u0001\"";
    let second = memchr::memmem::rfind(&line, mark).expect("the answer is in the line");
    let first = memchr::memmem::rfind(&line[..second], mark).expect("the prompt is in the line");
    let (before, after) = (b"\"text\":\"".len(), mark.len() - 1);
    [
        line[..first + before].to_vec(),
        line[first + after..second + before].to_vec(),
        line[second + after..].to_vec(),
    ]
}

/// A table whose columns are looked for.
struct Table<'a> {
    input: &'a str,
    columns: &'a Columns,
}

impl Table<'_> {
    /// The template of a side and, if it was guessed, the column's name.
    fn side(
        &self,
        asked: Option<&Template>,
        side: Side,
    ) -> Result<(Vec<Piece<usize>>, Option<String>), ComposeError> {
        if let Some(template) = asked {
            for name in template.columns() {
                self.column(name)?;
            }
            let resolved = template
                .resolve(self.columns)
                .map_err(|column| self.no_column(column))?;
            return Ok((resolved, None));
        }
        let column = self.guess(side)?;
        Ok((
            vec![Piece::Column(column)],
            Some(self.columns.names[column].clone()),
        ))
    }

    /// The column whose name says which side it is.
    fn guess(&self, side: Side) -> Result<usize, ComposeError> {
        let names = &self.columns.names;
        if let Some([prompt, answer]) = self.columns.sides {
            let known = if side == Side::Prompt { prompt } else { answer };
            return known.ok_or_else(|| self.no_side(side));
        }
        if !self.columns.named && names.len() == 2 {
            return Ok(if side == Side::Prompt { 0 } else { 1 });
        }
        let known = (0..)
            .zip(names)
            .filter(|(_, name)| columns::side(name) == Some(side));
        let found: Vec<(usize, &String)> = known.collect();
        match found[..] {
            [(column, _)] => Ok(column),
            [] => Err(self.no_side(side)),
            _ => Err(ComposeError::Ambiguous {
                input: self.input.into(),
                side: role(side),
                found: found.into_iter().map(|(_, name)| name.clone()).collect(),
                columns: names.clone(),
            }),
        }
    }

    /// The column of a name that was asked for.
    fn column(&self, name: &str) -> Result<usize, ComposeError> {
        let n = self
            .columns
            .names
            .iter()
            .filter(|column| *column == name)
            .count();
        if n > 1 {
            return Err(ComposeError::Twice {
                input: self.input.into(),
                column: name.into(),
                n,
                columns: self.columns.names.clone(),
            });
        }
        columns::find(name, &self.columns.names).ok_or_else(|| self.no_column(name.into()))
    }

    fn no_column(&self, column: String) -> ComposeError {
        ComposeError::NoColumn {
            input: self.input.into(),
            column,
            columns: self.columns.names.clone(),
        }
    }

    fn no_side(&self, side: Side) -> ComposeError {
        ComposeError::NoSide {
            input: self.input.into(),
            side: role(side),
            columns: self.columns.names.clone(),
        }
    }

    /// How rows are turns, if there is a column for the role and one for the
    /// text.
    fn turns(
        &self,
        group: usize,
        options: &ComposeOptions,
    ) -> Result<Option<TurnPlan>, ComposeError> {
        let Some((role, text)) = columns::turn(&self.columns.names) else {
            return Ok(None);
        };
        let order = options
            .order_column
            .as_deref()
            .map(|name| self.column(name))
            .transpose()?;
        Ok(Some(TurnPlan {
            group,
            role,
            text,
            order,
            system: options.system.clone(),
        }))
    }
}

/// What a side is called in messages.
fn role(side: Side) -> &'static str {
    match side {
        Side::Prompt => "prompt",
        Side::Answer => "answer",
    }
}

/// What became of a record.
pub(crate) enum Composed {
    /// Its line was appended to the output; this is its group.
    Written(String),
    /// It cannot be an example.
    Refused(Finding),
}

/// A row with its place.
struct Row<'r> {
    record: &'r Record<'r>,
    cells: &'r [Cow<'r, str>],
}

impl Row<'_> {
    /// A finding about a cell, placed at its beginning or, for a byte that is
    /// in it as it is, there.
    fn finding(
        &self,
        code: &'static Code,
        column: usize,
        byte: Option<u8>,
        message: String,
    ) -> Finding {
        let Record {
            line, raw, starts, ..
        } = *self.record;
        let Some(start) = starts.of(column) else {
            return at_line(code, line, message);
        };
        let inside = byte.and_then(|byte| memchr::memchr(byte, &raw[start..]));
        Finding::new(code, place(raw, line, start + inside.unwrap_or(0)), message)
    }
}

impl RowPlan {
    /// Appends the line of a row to `out`, or says why there is none. Leaves
    /// `out` as it was then.
    fn compose(&self, row: &Row<'_>, out: &mut Vec<u8>, note: &mut dyn FnMut(Finding)) -> Composed {
        let start = out.len();
        out.extend_from_slice(&self.frame[0]);
        let user = fill(&self.user, "prompt", row, out, note);
        out.extend_from_slice(&self.frame[1]);
        let model = user.and_then(|()| fill(&self.model, "answer", row, out, note));
        out.extend_from_slice(&self.frame[2]);
        match model {
            Ok(()) => {
                let group = self.group.map(|group| row.cells[group].to_string());
                Composed::Written(group.unwrap_or_default())
            }
            Err(finding) => {
                out.truncate(start);
                Composed::Refused(finding)
            }
        }
    }
}

impl Copies {
    fn new(frame: &[Vec<u8>; 3], user: &[Piece<usize>], model: &[Piece<usize>]) -> Self {
        let (mut before, mut bytes) = (Vec::new(), Vec::new());
        for (frame, pieces) in frame.iter().zip([user, model, &[]]) {
            bytes.extend_from_slice(frame);
            for piece in pieces {
                match piece {
                    Piece::Text(text) => {
                        write::escape(text, &mut bytes);
                    }
                    Piece::Column(column) => before.push((std::mem::take(&mut bytes), *column)),
                }
            }
        }
        Self {
            before,
            after: bytes,
        }
    }
}

impl RowPlan {
    /// Whether rows may be [copied](Self::copy).
    pub(crate) fn copies(&self) -> bool {
        self.group.is_none()
    }

    /// Appends the line of a row to `out` like [`compose`], if there is plainly
    /// nothing to say about its cells; otherwise does nothing and returns
    /// `false`.
    pub(crate) fn copy(&self, row: &PlainRow<'_>, out: &mut Vec<u8>) -> bool {
        let Copies { before, after } = &self.copies;
        let is_sound = |(_, column): &(_, usize)| is_plainly_sound(row.cell(*column));
        if !self.copies() || !before.iter().all(is_sound) {
            return false;
        }
        for (bytes, column) in before {
            out.extend_from_slice(bytes);
            out.extend_from_slice(row.cell(*column));
        }
        out.extend_from_slice(after);
        true
    }
}

/// Whether a cell begins with something to see and not like a spreadsheet's
/// error, and is shorter than one that a spreadsheet cut.
fn is_plainly_sound(cell: &[u8]) -> bool {
    begins_visibly(cell) && cell[0] != b'#' && cell.len() < EXCEL_CELL
}

/// Appends the escaped text of one side.
fn fill(
    pieces: &[Piece<usize>],
    side: &str,
    row: &Row<'_>,
    out: &mut Vec<u8>,
    note: &mut dyn FnMut(Finding),
) -> Result<(), Finding> {
    let mut blank = None;
    let mut has_text = false;
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                write::escape(text, out);
            }
            Piece::Column(column) => {
                let cell = &*row.cells[*column];
                if is_blank(cell) {
                    blank.get_or_insert(*column);
                } else {
                    has_text = true;
                }
                check_cell(row, *column, side, note)?;
                if write::escape(cell, out) {
                    let message = format!("the {side} has a NUL character");
                    return Err(row.finding(&S010, *column, Some(0), message));
                }
            }
        }
    }
    match blank {
        Some(column) if !has_text => {
            Err(row.finding(&S009, column, None, format!("the {side} is empty")))
        }
        _ => Ok(()),
    }
}

/// Whether a text says nothing. Most texts begin with something to see.
fn is_blank(text: &str) -> bool {
    let begins_visibly = text.as_bytes().first().is_some_and(u8::is_ascii_graphic);
    !begins_visibly && text.trim_start().is_empty()
}

/// The longest text an Excel cell holds, in UTF-16 units.
const EXCEL_CELL: usize = 32_767;

/// Looks for damage in a cell that is used.
fn check_cell(
    row: &Row<'_>,
    column: usize,
    side: &str,
    note: &mut dyn FnMut(Finding),
) -> Result<(), Finding> {
    let cell = &*row.cells[column];
    if cell.starts_with('#') && is_spreadsheet_error(cell) {
        let message = format!("the {side} is the spreadsheet error `{}`", cell.trim());
        return Err(row.finding(&S011, column, None, message));
    }
    if cell.len() >= EXCEL_CELL && cell.encode_utf16().count() == EXCEL_CELL {
        let message =
            format!("the {side} has exactly 32,767 characters, where a spreadsheet cuts a cell");
        note(row.finding(&S012, column, None, message));
    }
    Ok(())
}

fn is_spreadsheet_error(cell: &str) -> bool {
    matches!(
        cell.trim(),
        "#NAME?"
            | "#REF!"
            | "#VALUE!"
            | "#DIV/0!"
            | "#N/A"
            | "#NULL!"
            | "#NUM!"
            | "#SPILL!"
            | "#CALC!"
            | "#FIELD!"
            | "#BLOCKED!"
            | "#CONNECT!"
            | "#GETTING_DATA"
            | "#UNKNOWN!"
    )
}

pub(crate) fn at_line(code: &'static Code, line: u64, message: String) -> Finding {
    Finding::new(code, crate::diag::Position::line(line), message)
}

impl ChatPlan {
    /// Whether conversations may be [copied](Self::copy).
    pub(crate) fn copies(&self) -> bool {
        self.system.is_none()
    }

    /// Appends the line of a conversation to `out` like
    /// [`compose`](Self::compose), unless there is a system instruction to put
    /// into it; then does nothing and returns `false`.
    pub(crate) fn copy(&self, chat: &PlainChat<'_>, out: &mut Vec<u8>) -> bool {
        if self.copies() {
            write::escaped_line(chat.system, chat.turns, out);
        }
        self.copies()
    }

    /// Appends the line of a conversation to `out`, or says why there is none.
    pub(crate) fn compose(
        &self,
        line: u64,
        mut example: Example<'_>,
        out: &mut Vec<u8>,
        note: &mut dyn FnMut(Finding),
    ) -> Composed {
        if let Some(finding) = nul_character(&example, line) {
            return Composed::Refused(finding);
        }
        if let Some(system) = &self.system {
            if !example.system_instruction.is_empty() {
                let message = "its own system instruction gives way to the one asked for";
                note(at_line(&S037, line, message.into()));
            }
            example.system_instruction = vec![Cow::Owned(system.clone())];
        }
        write::line(&example, out);
        Composed::Written(String::new())
    }
}

fn nul_character(example: &Example<'_>, line: u64) -> Option<Finding> {
    let parts = (1..)
        .zip(&example.contents)
        .flat_map(|(n, content)| content.parts.iter().map(move |part| (n, part)));
    for (n, part) in parts {
        if let Part::Text(text) = part
            && memchr::memchr(0, text.as_bytes()).is_some()
        {
            return Some(at_line(
                &S010,
                line,
                format!("turn {n} has a NUL character"),
            ));
        }
    }
    None
}

/// Composes any record but a turn.
pub(crate) fn compose(
    plan: &Plan,
    mut record: Record<'_>,
    out: &mut Vec<u8>,
    note: &mut dyn FnMut(Finding),
) -> Composed {
    let data = std::mem::replace(&mut record.data, Data::Row(&[]));
    match (plan, data) {
        (Plan::Rows(plan), Data::Row(cells)) => {
            let row = Row {
                record: &record,
                cells,
            };
            plan.compose(&row, out, note)
        }
        (Plan::Chats(plan), Data::Chat(example)) => plan.compose(record.line, *example, out, note),
        _ => unreachable!("a plan is made for what its source gives"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns(names: &[&str]) -> Columns {
        Columns {
            names: names.iter().map(|&name| name.into()).collect(),
            named: true,
            sides: None,
        }
    }

    fn plan(
        names: &[&str],
        options: &ComposeOptions,
    ) -> Result<(Plan, Option<String>), ComposeError> {
        Plan::new("x.csv", Some(&columns(names)), options)
    }

    #[test]
    fn columns_are_found_by_name() {
        let decision = |names: &[&str]| plan(names, &ComposeOptions::default()).unwrap().1.unwrap();
        assert_eq!(
            decision(&["id", "Source", "Target"]),
            "columns `Source` → user, `Target` → model"
        );
        assert_eq!(
            decision(&["译文", "原文"]),
            "columns `原文` → user, `译文` → model"
        );
    }

    #[test]
    fn templates_are_named_and_columns_are_not() {
        let templates = |user, model| {
            let options = ComposeOptions {
                user: Some(user),
                model_text: model,
                ..ComposeOptions::default()
            };
            options.templates().collect::<Vec<_>>().join(", ")
        };
        let parse = |template| Template::parse(template).unwrap();
        assert_eq!(templates(Template::column("a"), None), "");
        assert_eq!(
            templates(parse("Say\n{a} {{}}"), Some(parse("{a}{b}"))),
            "prompt template `Say\\n{a} {{}}`, answer template `{a}{b}`"
        );
    }

    #[test]
    fn what_is_ambiguous_is_an_error() {
        let error = |names: &[&str]| {
            plan(names, &ComposeOptions::default())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(&["text", "meta"]),
            "no column of `x.csv` is known to be the prompt"
        );
        assert_eq!(
            error(&["prompt", "act"]),
            "no column of `x.csv` is known to be the answer"
        );
        assert_eq!(
            error(&["source", "input", "output"]),
            "`source` and `input` of `x.csv` could each be the prompt"
        );
        let options = ComposeOptions {
            user: Some(Template::parse("{nope}").unwrap()),
            ..ComposeOptions::default()
        };
        let missing = plan(&["source", "target"], &options).unwrap_err();
        assert_eq!(missing.to_string(), "`x.csv` has no column `nope`");
        let options = ComposeOptions {
            user: Some(Template::column("a")),
            ..ComposeOptions::default()
        };
        let twice = plan(&["a", "a", "target"], &options).unwrap_err();
        assert_eq!(twice.to_string(), "`x.csv` has 2 columns called `a`");
    }

    /// Composes a row of two cells on line 7.
    fn composed(
        plan: &Plan,
        cells: [&str; 2],
        out: &mut Vec<u8>,
        note: &mut dyn FnMut(Finding),
    ) -> Composed {
        let cells = cells.map(Cow::Borrowed);
        let record = Record::new(7, b"", Data::Row(&cells));
        compose(plan, record, out, note)
    }

    fn refused(source: &str, target: &str) -> Option<&'static str> {
        let (plan, _) = plan(&["source", "target"], &ComposeOptions::default()).unwrap();
        let mut out = b"before".to_vec();
        match composed(&plan, [source, target], &mut out, &mut |_| {}) {
            Composed::Written(_) => None,
            Composed::Refused(finding) => {
                assert_eq!(
                    (out.as_slice(), finding.position.line),
                    (b"before".as_slice(), 7)
                );
                Some(finding.code.code)
            }
        }
    }

    #[test]
    fn damaged_rows_are_refused() {
        assert_eq!(refused("a", "b"), None);
        assert_eq!(refused("", "b"), Some("S009"));
        assert_eq!(refused("a", " \u{a0}\n"), Some("S009"));
        assert_eq!(refused("a", "b\0"), Some("S010"));
        assert_eq!(refused("#NAME?", "b"), Some("S011"));
        assert_eq!(refused("#hashtag", "b"), None);
    }

    #[test]
    fn a_cut_cell_is_told() {
        let (plan, _) = plan(&["source", "target"], &ComposeOptions::default()).unwrap();
        let mut notes = Vec::new();
        let cell = "é".repeat(32_767);
        composed(&plan, ["a", &cell], &mut Vec::new(), &mut |finding| {
            notes.push(finding.code.code);
        });
        assert_eq!(notes, ["S012"]);
    }

    proptest! {
        #[test]
        fn rows_are_copied_as_they_are_composed(
            cells in proptest::array::uniform2(prop_oneof![
                "[#a-z \u{85}\u{a0}\u{c0}\u{e9}\u{1680}\u{2003}\u{3000}\u{4e00}\u{1f600}]{0,4}",
                Just("#N/A".to_string()),
                Just("é".repeat(EXCEL_CELL)),
            ]),
            user in prop_oneof![Just("{source}"), Just("\"{target}\"\n{source}"), Just("{target} {target}")],
            system in proptest::option::of(".{0,20}"),
        ) {
            let options = ComposeOptions {
                user: Some(Template::parse(user).unwrap()),
                system,
                ..ComposeOptions::default()
            };
            let (plan, _) = plan(&["source", "target"], &options).unwrap();
            let Plan::Rows(rows) = &plan else { panic!("no rows") };
            let raw = cells.join(",");
            let ends = [cells[0].len(), raw.len()];
            let row = PlainRow::new(7, raw.as_bytes(), &ends);
            let mut copied = b"before".to_vec();
            if rows.copy(&row, &mut copied) {
                let mut out = b"before".to_vec();
                let mut notes = Vec::new();
                let written = composed(&plan, cells.each_ref().map(String::as_str), &mut out, &mut |note| notes.push(note));
                prop_assert!(matches!(written, Composed::Written(group) if group.is_empty()));
                prop_assert_eq!(notes, []);
                prop_assert_eq!(copied, out);
            } else {
                prop_assert_eq!(copied, b"before");
                let all_visible = cells.iter().all(|cell| cell.starts_with(|c: char| c.is_ascii_lowercase() || c == '\u{4e00}'));
                prop_assert!(!all_visible, "{:?}", cells);
            }
        }

        #[test]
        fn rows_are_written_as_examples_are(
            source in "[^\0]{0,40}[a-z]", target in "[^\0]{0,40}[a-z]", system in proptest::option::of(".{0,20}")
        ) {
            let options = ComposeOptions {
                user: Some(Template::parse("«{source}»\n").unwrap()),
                system: system.clone(),
                ..ComposeOptions::default()
            };
            let (plan, _) = plan(&["source", "target"], &options).unwrap();
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            composed(&plan, [&source, &target], &mut fast, &mut |_| {});
            let example = Example {
                system_instruction: system.map(Cow::Owned).into_iter().collect(),
                contents: vec![
                    Content::text(Role::User, format!("«{source}»\n")),
                    Content::text(Role::Model, target),
                ],
                ..Example::default()
            };
            write::line(&example, &mut slow);
            prop_assert_eq!(fast, slow);
        }
    }
}
