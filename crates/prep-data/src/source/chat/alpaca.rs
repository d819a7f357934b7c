//! Alpaca: `instruction`, `input`, `output`, and its relatives.
//!
//! Dolly's `context` and `response` are read as `input` and `output`;
//! LLaMA-Factory's `system` and `history` are known. A seed task with
//! `instances` is an example if it has exactly one of them: a record is one
//! example or none, so that the ledger counts records.

use std::borrow::Cow;

use super::draft::{Draft, Fault};
use super::pair;
use super::shape;
use crate::diag::{S009, S019};
use crate::example::Role;
use crate::json::{Kind, Value};

#[derive(Default)]
struct Task<'d, 'a> {
    instruction: Option<Value<'d, 'a>>,
    input: Option<Value<'d, 'a>>,
    output: Option<Value<'d, 'a>>,
    history: Option<Value<'d, 'a>>,
    instances: Option<Value<'d, 'a>>,
}

pub(super) fn read<'a>(record: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    let mut task = Task::default();
    for (key, value) in record.entries().filter(|(_, value)| !value.is_null()) {
        match &*key.text {
            "instruction" => task.instruction = Some(value),
            "input" | "context" if task.input.is_none() => task.input = Some(value),
            "output" | "response" if task.output.is_none() => task.output = Some(value),
            "history" => task.history = Some(value),
            "instances" => task.instances = Some(value),
            "system" | "system_prompt" => pair::system(value, draft)?,
            _ => draft.leave_out(&key, value),
        }
    }
    let Some(instruction) = task
        .instruction
        .filter(|_| task.output.or(task.instances).is_some())
    else {
        let keys = shape::keys_of(record);
        let message = format!("expected the keys `instruction` and `output`, found {keys}");
        return Err(Fault::new(&S019, record.offset(), message));
    };
    if let Some(instances) = task.instances.filter(|_| task.output.is_none()) {
        task.one_instance(instances, draft)?;
    }
    if let Some(history) = task.history {
        turns(history, draft)?;
    }
    let user = prompt(instruction, task.input)?;
    draft.say(Role::User, user, instruction.offset())?;
    let Some(output) = task.output else {
        return Err(Fault::new(
            &S009,
            record.offset(),
            "the instance has no `output`",
        ));
    };
    draft.say(Role::Model, pair::text(output)?, output.offset())
}

impl<'d, 'a> Task<'d, 'a> {
    fn one_instance(
        &mut self,
        instances: Value<'d, 'a>,
        draft: &mut Draft<'a>,
    ) -> Result<(), Fault> {
        let mut items = instances.items();
        let (Some(instance), None) = (items.next(), items.next()) else {
            let n_instances = instances.items().count();
            let message = format!(
                "expected one of `instances`, found {n_instances}; write a record for each"
            );
            return Err(Fault::new(&S019, instances.offset(), message));
        };
        for (key, value) in instance.entries() {
            match &*key.text {
                "input" => self.input = Some(value),
                "output" => self.output = Some(value),
                _ => draft.leave_out(&key, value),
            }
        }
        Ok(())
    }
}

/// The instruction, with the input behind a blank line if there is one.
fn prompt<'a>(
    instruction: Value<'_, 'a>,
    input: Option<Value<'_, 'a>>,
) -> Result<Cow<'a, str>, Fault> {
    let instruction = pair::text(instruction)?;
    let input = match input.filter(|input| !input.is_null()) {
        Some(input) => pair::text(input)?,
        None => Cow::Borrowed(""),
    };
    Ok(match (instruction.is_empty(), input.is_empty()) {
        (_, true) => instruction,
        (true, false) => input,
        (false, false) => format!("{instruction}\n\n{input}").into(),
    })
}

/// Adds the turns before: pairs of question and answer.
fn turns<'a>(history: Value<'_, 'a>, draft: &mut Draft<'a>) -> Result<(), Fault> {
    if history.kind() != Kind::Array {
        let message = format!(
            "expected an array of pairs as `history`, found {}",
            history.kind().as_str()
        );
        return Err(Fault::new(&S019, history.offset(), message));
    }
    for item in history.items() {
        let mut sides = item.items();
        let (Some(question), Some(answer), None) = (sides.next(), sides.next(), sides.next())
        else {
            return Err(Fault::new(
                &S019,
                item.offset(),
                "expected a question and an answer in `history`",
            ));
        };
        draft.say(Role::User, pair::text(question)?, question.offset())?;
        draft.say(Role::Model, pair::text(answer)?, answer.offset())?;
    }
    Ok(())
}
