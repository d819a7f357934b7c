//! Rows that are turns, gathered into conversations.
//!
//! Chat logs interleave conversations, so a conversation is whole only when
//! the input ends: rows are kept until then, in memory, up to a stated limit.
//! Conversations come out in the order of their first rows.

use std::borrow::Cow;
use std::collections::HashMap;

use super::compose::TurnPlan;
use crate::diag::{Code, S009, S010, S020, S021, S022, S033, S038, S039, shown};
use crate::example::{Content, Example, Part, Role};

/// A row with its place, as it waits for its conversation.
#[derive(Debug)]
pub(crate) struct TurnRow {
    pub(crate) group: String,
    pub(crate) role: String,
    pub(crate) text: String,
    pub(crate) order: String,
    /// Where it comes from; absolute once the emitter has seen it.
    pub(crate) place: RowPlace,
    pub(crate) raw: Vec<u8>,
}

/// Where a row is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowPlace {
    pub(crate) source: u32,
    pub(crate) record: u64,
    pub(crate) line: u64,
}

impl TurnRow {
    /// Takes a row's turn out of its cells.
    pub(crate) fn new(
        plan: &TurnPlan,
        place: RowPlace,
        cells: &[Cow<'_, str>],
        raw: &[u8],
    ) -> Self {
        Self {
            group: cells[plan.group].to_string(),
            role: cells[plan.role].trim().to_lowercase(),
            text: cells[plan.text].to_string(),
            order: plan
                .order
                .map(|order| cells[order].to_string())
                .unwrap_or_default(),
            place,
            raw: raw.to_vec(),
        }
    }

    /// Roughly what the row takes in memory, in bytes.
    fn weight(&self) -> u64 {
        let texts = self.group.len()
            + self.role.len()
            + self.text.len()
            + self.order.len()
            + self.raw.len();
        (texts + size_of::<Self>()) as u64
    }
}

/// Conversations that are being gathered.
#[derive(Debug)]
pub(crate) struct Conversations {
    places: HashMap<String, usize>,
    groups: Vec<Vec<TurnRow>>,
    weight: u64,
    is_ordered: bool,
    system: Option<String>,
}

/// What becomes of a gathered conversation.
pub(crate) enum Gathered {
    /// It is an example of these rows; the others are refused.
    Example {
        example: Example<'static>,
        group: String,
        first: RowPlace,
        n_rows: u64,
        refused: Vec<(TurnRow, Refusal)>,
        /// Whether a row was joined with the row before.
        has_merged: bool,
    },
    /// It is none, for this reason.
    Refused {
        rows: Vec<TurnRow>,
        refusal: Refusal,
    },
}

/// Why a row or a conversation is not written.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: &'static Code,
    pub(crate) message: String,
}

impl Refusal {
    fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl Conversations {
    pub(crate) fn new(plan: &TurnPlan) -> Self {
        Self {
            places: HashMap::new(),
            groups: Vec::new(),
            weight: 0,
            is_ordered: plan.order.is_some(),
            system: plan.system.clone(),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: TurnRow) {
        self.weight += row.weight();
        match self.places.get(&row.group) {
            Some(&place) => self.groups[place].push(row),
            None => {
                self.places.insert(row.group.clone(), self.groups.len());
                self.groups.push(vec![row]);
            }
        }
    }

    /// Roughly what the rows take in memory, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    /// What becomes of each conversation, in the order of their first rows.
    pub(crate) fn finish(self) -> impl Iterator<Item = Gathered> {
        let Self {
            groups,
            is_ordered,
            system,
            ..
        } = self;
        groups
            .into_iter()
            .map(move |rows| gather(rows, is_ordered, system.as_deref()))
    }
}

/// Makes an example of the rows of one conversation.
fn gather(mut rows: Vec<TurnRow>, is_ordered: bool, system: Option<&str>) -> Gathered {
    if is_ordered {
        sort(&mut rows);
    }
    let n_answered = rows
        .iter()
        .rposition(|row| speaker(&row.role) == Some(Speaker::Model))
        .map_or(0, |n| n + 1);
    if let Some(refusal) = fault(&rows, n_answered) {
        return Gathered::Refused { rows, refusal };
    }
    let trailing = rows.split_off(n_answered).into_iter();
    let refused = trailing
        .map(|row| (row, Refusal::new(&S039, "no answer follows the turn")))
        .collect();
    let group = rows[0].group.clone();
    let first = rows[0].place;
    let n_rows = rows.len() as u64;
    let mut example = Example {
        system_instruction: system
            .map(|system| Cow::Owned(system.to_owned()))
            .into_iter()
            .collect(),
        ..Example::default()
    };
    let mut has_merged = false;
    for row in rows {
        let role = match speaker(&row.role) {
            Some(Speaker::System) if system.is_some() => continue,
            Some(Speaker::System) | None => {
                example.system_instruction.push(row.text.into());
                continue;
            }
            Some(Speaker::User) => Role::User,
            Some(Speaker::Model) => Role::Model,
        };
        match example.contents.last_mut() {
            Some(content) if content.role == role => {
                content.parts.push(Part::Text(row.text.into()));
                has_merged = true;
            }
            _ => example.contents.push(Content::text(role, row.text)),
        }
    }
    Gathered::Example {
        example,
        group,
        first,
        n_rows,
        refused,
        has_merged,
    }
}

/// What makes the rows no conversation to learn from.
fn fault(rows: &[TurnRow], n_answered: usize) -> Option<Refusal> {
    if rows[0].group.trim().is_empty() {
        return Some(Refusal::new(&S033, "the row names no conversation"));
    }
    let name = shown(&rows[0].group);
    for (n, row) in (1..).zip(rows) {
        if speaker(&row.role).is_none() {
            let message = format!(
                "turn {n} of conversation {name} has the role {}",
                shown(&row.role)
            );
            return Some(Refusal::new(&S020, message));
        }
        if row.text.trim().is_empty() {
            return Some(Refusal::new(
                &S009,
                format!("turn {n} of conversation {name} is empty"),
            ));
        }
        if row.text.contains('\0') {
            return Some(Refusal::new(
                &S010,
                format!("turn {n} of conversation {name} has a NUL character"),
            ));
        }
    }
    if n_answered == 0 {
        return Some(Refusal::new(
            &S021,
            format!("conversation {name} has no answer to learn"),
        ));
    }
    let first = rows
        .iter()
        .map(|row| speaker(&row.role))
        .find(|speaker| *speaker != Some(Speaker::System));
    if first == Some(Some(Speaker::Model)) {
        return Some(Refusal::new(
            &S022,
            format!("conversation {name} begins with an answer"),
        ));
    }
    None
}

/// Sorts rows by their order column: as numbers if all are, else as texts,
/// which is right for ISO 8601 times. Rows that are equal keep file order.
fn sort(rows: &mut [TurnRow]) {
    let numbers: Option<Vec<f64>> = rows
        .iter()
        .map(|row| row.order.trim().parse().ok())
        .collect();
    match numbers {
        Some(numbers) if numbers.iter().all(|number| number.is_finite()) => {
            let key = |row: &TurnRow| row.order.trim().parse::<f64>().unwrap_or_default();
            rows.sort_by(|a, b| key(a).total_cmp(&key(b)));
        }
        _ => rows.sort_by(|a, b| a.order.cmp(&b.order)),
    }
}

/// Who speaks in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    User,
    Model,
    System,
}

fn speaker(role: &str) -> Option<Speaker> {
    Some(match role {
        "user" | "human" | "customer" | "client" | "player" | "prompter" | "usuario"
        | "cliente" | "jugador" | "用户" | "玩家" | "客户" | "顾客" => Speaker::User,
        "model" | "assistant" | "gpt" | "bot" | "agent" | "support" | "asistente" | "agente"
        | "soporte" | "客服" | "助手" | "机器人" => Speaker::Model,
        "system" | "developer" | "sistema" | "系统" => Speaker::System,
        _ => return None,
    })
}

/// The code under which merged rows are noted.
pub(crate) static MERGED: &Code = &S038;
