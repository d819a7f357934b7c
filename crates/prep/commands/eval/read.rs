//! Predictions and references, as files have them.
//!
//! A line is a segment: the n-th line of every file belongs to the n-th
//! segment. So a line is never skipped, and a blank line of text is an empty
//! segment, as it is for sacreBLEU.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use prep_data::io::Input;
use prep_data::json::{Document, Kind, Value, column_of, compact};

use crate::args::PredictionFormat;
use crate::failure::Failure;
use crate::ui;

/// A file in memory.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) name: String,
    text: String,
}

impl TextFile {
    /// Reads a file to its end, compressed or not. What it takes is taken off
    /// `memory`.
    pub(super) fn read(path: &Path, memory: &mut u64) -> Result<Self, Failure> {
        let input = Input::open(path)?;
        let name = input.name().to_owned();
        let mut bytes = Vec::new();
        let read = input
            .into_reader()
            .take(memory.saturating_add(1))
            .read_to_end(&mut bytes);
        read.map_err(|error| {
            Failure::from(anyhow::Error::new(error).context(format!("cannot read `{name}`")))
        })?;
        let Some(left) = memory.checked_sub(bytes.len() as u64) else {
            return Err(Failure::because(
                format!("cannot keep `{name}` in memory"),
                "with the files before it, it is larger than `--memory` allows",
            )
            .hint("give it more with `--memory`"));
        };
        *memory = left;
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(.."\u{feff}".len());
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(offset).copied().unwrap_or_default();
            let (line, column) = column_of(error.as_bytes(), offset);
            Failure::because(
                format!("`{name}` is not UTF-8"),
                format!("expected UTF-8, found the byte 0x{byte:02x}"),
            )
            .at(format!("{name}:{}:{column}", line + 1))
        })?;
        if text.is_empty() {
            return Err(Failure::new(format!("`{name}` is empty")));
        }
        Ok(Self { name, text })
    }

    /// Whether it begins as a JSON object with a member does. A text may well
    /// begin with a brace.
    fn is_json(&self) -> bool {
        let after = self.text.trim_start().strip_prefix('{');
        after.is_some_and(|rest| rest.trim_start().starts_with(['"', '}']))
    }

    /// Gives each line to `read`, parsed, and collects what it makes of it.
    fn json_lines<'a, T>(
        &'a self,
        what: &str,
        read: impl Fn(&'a str, Value<'_, 'a>) -> Result<T, Misfit>,
    ) -> Result<Vec<T>, Failure> {
        let mut document = Document::new();
        let lines = (1..).zip(self.text.lines());
        let read = lines.map(|(n, line)| {
            let misfit = match document.parse_str(line) {
                Ok(value) => match read(line, value) {
                    Ok(made) => return Ok(made),
                    Err(misfit) => misfit,
                },
                Err(error) => Misfit {
                    offset: error.offset,
                    cause: error.message(),
                    hint: None,
                },
            };
            let (_, column) = column_of(line.as_bytes(), misfit.offset);
            let failure = Failure::because(format!("`{}` is not {what}", self.name), misfit.cause)
                .at(format!("{}:{n}:{column}", self.name));
            Err(match misfit.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            })
        });
        read.collect()
    }

    /// The lines of a text, without white space at their ends.
    fn text_lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(str::trim_end)
    }
}

/// What a line should not have, or should.
struct Misfit {
    offset: usize,
    cause: String,
    hint: Option<&'static str>,
}

impl Misfit {
    fn of(value: Value<'_, '_>, expected: &str) -> Self {
        Self {
            offset: value.offset(),
            cause: format!("expected {expected}, found {}", value.kind().as_str()),
            hint: None,
        }
    }
}

/// What a model made of a list of inputs.
#[derive(Debug)]
pub(super) struct System<'a> {
    pub(super) name: &'a str,
    /// By line.
    pub(super) predictions: Vec<Prediction<'a>>,
}

/// One line of predictions.
#[derive(Debug)]
pub(super) struct Prediction<'a> {
    /// What the model said, if it said anything.
    pub(super) text: Option<Cow<'a, str>>,
    /// What else the line has, if it is JSON. A text has lines by the hundred
    /// thousand, and nothing else.
    json: Option<Box<JsonLine<'a>>>,
}

/// What a line of JSON has besides the prediction.
#[derive(Debug)]
struct JsonLine<'a> {
    line: &'a str,
    /// The JSON of its input.
    input: Option<&'a str>,
    reference: Option<Cow<'a, str>>,
    finish_reason: Option<Cow<'a, str>>,
    /// Whether it was played, and no model said it.
    is_rehearsed: bool,
}

impl<'a> Prediction<'a> {
    /// What is scored.
    pub(super) fn hypothesis(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The line, if it is JSON.
    pub(super) fn line(&self) -> Option<&'a str> {
        self.json.as_ref().map(|json| json.line)
    }

    /// The JSON of its input.
    pub(super) fn input(&self) -> Option<&'a str> {
        self.json.as_ref()?.input
    }

    /// The reference that the line has itself.
    pub(super) fn reference(&self) -> Option<&str> {
        self.json.as_ref()?.reference.as_deref()
    }

    /// Why the model ended.
    pub(super) fn finish_reason(&self) -> Option<&str> {
        self.json.as_ref()?.finish_reason.as_deref()
    }
}

impl<'a> System<'a> {
    /// Understands a file of predictions.
    pub(super) fn read(file: &'a TextFile, format: PredictionFormat) -> Result<Self, Failure> {
        let is_json = match format {
            PredictionFormat::Auto => file.is_json(),
            PredictionFormat::Jsonl => true,
            PredictionFormat::Text => false,
        };
        let predictions = if is_json {
            file.json_lines("as `prep predict` writes it", prediction)?
        } else {
            let of_text = |line| Prediction {
                text: Some(Cow::Borrowed(line)),
                json: None,
            };
            file.text_lines().map(of_text).collect()
        };
        Ok(Self {
            name: &file.name,
            predictions,
        })
    }

    /// Whether predictions of it were played in a rehearsal.
    pub(super) fn is_rehearsed(&self) -> bool {
        let mut lines = self
            .predictions
            .iter()
            .filter_map(|said| said.json.as_ref());
        lines.any(|line| line.is_rehearsed)
    }

    /// The references that the lines have themselves.
    pub(super) fn own_references(&self) -> Result<Vec<Option<&str>>, Failure> {
        let references = self.predictions.iter().zip(1..);
        let references = references.map(|(prediction, n)| match prediction.reference() {
            Some(reference) => Ok(Some(reference)),
            None => Err(Failure::new(format!(
                "line {n} of `{}` has no reference",
                self.name
            ))
            .hint("name the references with `--reference FILE`: text with one a line, or Gemini JSONL")),
        });
        references.collect()
    }
}

fn prediction<'a>(line: &'a str, value: Value<'_, 'a>) -> Result<Prediction<'a>, Misfit> {
    if value.kind() != Kind::Object {
        return Err(Misfit::of(value, "an object"));
    }
    if value.get("prediction").is_none() && value.get("finishReason").is_none() {
        return Err(Misfit {
            offset: value.offset(),
            cause: "the object has neither `prediction` nor `finishReason`".to_owned(),
            hint: Some(if value.get("contents").is_some() {
                "this is a dataset; `prep predict` makes predictions of it"
            } else {
                "lines that are plain text are read with `--from text`"
            }),
        });
    }
    let text = |name: &str| match value.get(name) {
        None => Ok(None),
        Some(member) if member.is_null() => Ok(None),
        Some(member) => match member.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(Misfit::of(member, &format!("a string or null as `{name}`"))),
        },
    };
    let json = JsonLine {
        line,
        input: value.get("input").map(Value::raw),
        reference: text("reference")?,
        finish_reason: text("finishReason")?,
        is_rehearsed: value.get("rehearsal").and_then(Value::as_bool) == Some(true),
    };
    Ok(Prediction {
        text: text("prediction")?,
        json: Some(Box::new(json)),
    })
}

/// Reads the references of a file: its lines, or the last model turns.
pub(super) fn references(file: &TextFile) -> Result<Vec<Cow<'_, str>>, Failure> {
    if !file.is_json() {
        return Ok(file.text_lines().map(Cow::Borrowed).collect());
    }
    file.json_lines("a file of references", |_, value| {
        if let Some(reference) = value.get("reference") {
            return reference
                .as_str()
                .ok_or_else(|| Misfit::of(reference, "a string as `reference`"));
        }
        let contents = value.get("contents").ok_or_else(|| Misfit {
            offset: value.offset(),
            cause: "the object has neither `contents` nor `reference`".to_owned(),
            hint: None,
        })?;
        let last = contents.items().last();
        let is_of_model = |turn: &Value<'_, '_>| {
            let role = turn.get("role");
            role.is_some_and(|role| role.is_str("model"))
        };
        let turn = last.filter(is_of_model).ok_or_else(|| Misfit {
            offset: last.unwrap_or(contents).offset(),
            cause: "the last turn is not one of the model".to_owned(),
            hint: None,
        })?;
        Ok(text_of(turn))
    })
}

/// The text of a turn, its parts joined; thoughts are no part of an answer.
fn text_of<'a>(turn: Value<'_, 'a>) -> Cow<'a, str> {
    let parts = turn.get("parts").into_iter().flat_map(Value::items);
    let is_said = |part: &Value<'_, '_>| {
        let thought = part.get("thought").and_then(Value::as_bool);
        thought != Some(true)
    };
    let texts = parts
        .filter(is_said)
        .filter_map(|part| part.get("text")?.as_str());
    texts
        .reduce(|mut all, text| {
            all.to_mut().push_str(&text);
            all
        })
        .unwrap_or_default()
}

/// Gives what was asked last in an input, for people to read.
pub(super) fn last_text(input: &str) -> String {
    let mut document = Document::new();
    let Ok(value) = document.parse_str(input) else {
        return String::new();
    };
    let contents = value.get("contents").unwrap_or(value);
    match (value.as_str(), contents.items().last()) {
        (Some(text), _) => text.into_owned(),
        (None, Some(turn)) => text_of(turn).into_owned(),
        (None, None) => String::new(),
    }
}

/// How the inputs of two models differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// They do not, or a text does not tell what was asked.
    None,
    /// The turns are the same, what is around them is not: a base model may
    /// want a longer system instruction.
    Around,
    /// They are not the same question.
    Turns,
}

/// Tells how two inputs differ, however their JSON is spaced.
pub(super) fn difference(a: Option<&str>, b: Option<&str>) -> Difference {
    let (Some(a), Some(b)) = (a, b) else {
        return Difference::None;
    };
    let (mut of_a, mut of_b) = (Document::new(), Document::new());
    if a == b {
        return Difference::None;
    }
    let (Ok(a), Ok(b)) = (of_a.parse_str(a), of_b.parse_str(b)) else {
        return Difference::Turns;
    };
    let is_same = |a: Value<'_, '_>, b: Value<'_, '_>| {
        let plain = |value| {
            let mut out = Vec::new();
            compact(value, &mut out);
            out
        };
        plain(a) == plain(b)
    };
    match (a.get("contents"), b.get("contents")) {
        _ if is_same(a, b) => Difference::None,
        (Some(a), Some(b)) if is_same(a, b) => Difference::Around,
        _ => Difference::Turns,
    }
}

/// A member to slice by: a name at the top, or a JSON pointer.
#[derive(Debug)]
pub(super) struct Field<'a>(pub(super) &'a str);

impl Field<'_> {
    /// Gives the value in a line as it is shown: strings as they are, all else
    /// as compact JSON, `None` where it is missing or null.
    pub(super) fn of(&self, line: &str, document: &mut Document) -> Option<String> {
        let mut value = document.parse_str(line).ok()?;
        match self.0.strip_prefix('/') {
            None => value = value.get(self.0)?,
            Some(pointer) => {
                for step in pointer.split('/') {
                    let step = step.replace("~1", "/").replace("~0", "~");
                    value = match value.kind() {
                        Kind::Array => value.items().nth(step.parse().ok()?)?,
                        _ => value.get(&step)?,
                    };
                }
            }
        }
        if value.is_null() {
            return None;
        }
        if let Some(text) = value.as_str() {
            return Some(text.into_owned());
        }
        let mut out = Vec::new();
        compact(value, &mut out);
        String::from_utf8(out).ok()
    }
}

/// The names of the members of a line.
pub(super) fn members(line: &str) -> Vec<String> {
    let mut document = Document::new();
    let value = document.parse_str(line);
    let entries = value.iter().flat_map(|value| value.entries());
    entries.map(|(key, _)| key.text.into_owned()).collect()
}

/// Fails when two files differ in length.
pub(super) fn check_lines(a: (&str, usize), b: (&str, usize)) -> Result<(), Failure> {
    if a.1 == b.1 {
        return Ok(());
    }
    let (n_a, n_b) = (ui::of(a.1 as u64, "line"), ui::count(b.1 as u64));
    Err(Failure::because(
        format!("`{}` and `{}` do not line up", a.0, b.0),
        format!("{n_a} against {n_b}"),
    ))
}

/// Fails when standard input is named more than once: it can be read once.
pub(super) fn check_stdin<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
    if paths.filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::new("standard input is named more than once"));
    }
    Ok(())
}
