//! A tuning dataset, read as the service reads it.
//!
//! Every line is parsed; what cannot be learned from is dropped, with its
//! number (from one) and a reason. The service does not publish the words of
//! its reasons; these are the emulator's.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::strict::{self, Api};

/// The most tokens of an example, input and output together.
const MOST_TOKENS: u64 = 131_072;
/// How many dropped examples are told.
const MOST_TOLD: usize = 100;
/// How many examples a tuned model remembers.
const MOST_REMEMBERED: u64 = 10_000;
/// The longest line that is looked at; the whole file may have a gigabyte.
const MOST_LINE: u64 = 64 * 1024 * 1024;
/// The most characters of a sample turn.
const MOST_SAMPLE: usize = 400;

/// What was found in a dataset.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) n_examples: u64,
    pub(crate) n_dropped: u64,
    /// Numbers and reasons of the first that were dropped.
    pub(crate) dropped: Vec<(u64, String)>,
    pub(crate) n_characters: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) input: Value,
    pub(crate) output: Value,
    pub(crate) turns: Value,
    pub(crate) samples: Vec<Value>,
    /// The first example with a function call or response, from one.
    pub(crate) first_function: Option<u64>,
}

impl Found {
    pub(crate) fn n_kept(&self) -> u64 {
        self.n_examples - self.n_dropped
    }
}

/// Counts the tokens of a text: one for every four characters.
pub(crate) fn tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

/// An example that can be learned from.
struct Example {
    input_tokens: u64,
    output_tokens: u64,
    n_characters: u64,
    n_turns: u64,
    prompt: String,
    answer: String,
    has_function: bool,
    row: Value,
}

/// Reads a dataset; the prompts and answers of the first examples go to a
/// file, one JSON array of two texts a line.
pub(crate) fn read(data: &Path, remember: Option<&Path>) -> io::Result<Found> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(data)?);
    let mut memory = match remember {
        None => None,
        Some(path) => Some(io::BufWriter::new(File::create(path)?)),
    };
    let mut found = Found::default();
    let (mut inputs, mut outputs, mut turns) = (Vec::new(), Vec::new(), Vec::new());
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = reader
            .by_ref()
            .take(MOST_LINE)
            .read_until(b'\n', &mut line)?;
        if n == 0 {
            break;
        }
        found.n_examples += 1;
        let example = match parse(&line) {
            Ok(example) => example,
            Err(reason) => {
                found.n_dropped += 1;
                if found.dropped.len() < MOST_TOLD {
                    found.dropped.push((found.n_examples, reason));
                }
                continue;
            }
        };
        if example.has_function && found.first_function.is_none() {
            found.first_function = Some(found.n_examples);
        }
        found.n_characters += example.n_characters;
        found.input_tokens += example.input_tokens;
        found.output_tokens += example.output_tokens;
        inputs.push(example.input_tokens);
        outputs.push(example.output_tokens);
        turns.push(example.n_turns);
        if found.samples.len() < 5 {
            sample(&example.row, &mut found.samples);
        }
        if found.n_kept() <= MOST_REMEMBERED
            && let Some(memory) = &mut memory
        {
            let pair = json!([example.prompt, example.answer]);
            writeln!(memory, "{pair}")?;
        }
    }
    if let Some(memory) = &mut memory {
        memory.flush()?;
    }
    found.input = distribution(inputs);
    found.output = distribution(outputs);
    found.turns = distribution(turns);
    Ok(found)
}

/// The reason why the service would refuse a job at once for its first line.
pub(crate) fn first_row(data: &Path) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    BufReader::new(File::open(data)?)
        .take(MOST_LINE)
        .read_until(b'\n', &mut line)?;
    let row = serde_json::from_slice::<Value>(&line);
    Ok(match row {
        Err(error) => Some(format!("Row: 0. Failed to parse JSON: {error}.")),
        Ok(row) if row.get("contents").is_none() => {
            Some("Row: 0. Missing required `contents` field.".into())
        }
        Ok(_) => None,
    })
}

fn parse(line: &[u8]) -> Result<Example, String> {
    let row = strict::parse(line).map_err(|refusal| refusal.message().to_owned())?;
    let Value::Object(fields) = &row else {
        return Err("The example is not a JSON object.".into());
    };
    let odd = fields.keys().find(|name| {
        !matches!(
            name.as_str(),
            "contents"
                | "systemInstruction"
                | "system_instruction"
                | "tools"
                | "generationConfig"
                | "generation_config"
        )
    });
    if let Some(odd) = odd {
        return Err(format!("Unknown field `{odd}`."));
    }
    if let Some(reason) = strict::refusal_of(Api::V1, "GenerateContentRequest", &row, "") {
        return Err(reason);
    }
    let contents = row["contents"].as_array().filter(|turns| !turns.is_empty());
    let contents = contents.ok_or("Missing required `contents` field.")?;
    let mut example = Example {
        input_tokens: 0,
        output_tokens: 0,
        n_characters: 0,
        n_turns: contents.len() as u64,
        prompt: String::new(),
        answer: String::new(),
        has_function: false,
        row: Value::Null,
    };
    let system = ["systemInstruction", "system_instruction"]
        .iter()
        .find_map(|name| row.get(name));
    if let Some(system) = system {
        let counted = count(system, false)?;
        example.input_tokens += counted.tokens;
        example.n_characters += counted.n_characters;
    }
    let mut before = None;
    for turn in contents {
        let role = turn["role"].as_str().unwrap_or_default();
        if !matches!(role, "user" | "model") {
            return Err("Please use a valid role: user, model.".into());
        }
        if before.is_none() && role == "model" {
            return Err("Please ensure that multiturn requests start with a user turn.".into());
        }
        before = Some(role);
        let counted = count(turn, true)?;
        example.has_function |= counted.has_function;
        example.n_characters += counted.n_characters;
        if role == "model" {
            if counted.text.trim().is_empty() && !counted.has_function {
                return Err("A model turn has no text.".into());
            }
            example.output_tokens += counted.tokens;
        } else {
            example.input_tokens += counted.tokens;
        }
        if !example.answer.is_empty() {
            example.prompt.push('\n');
            example.prompt.push_str(&example.answer);
            example.answer.clear();
        }
        if role == "model" {
            example.answer = counted.text;
        } else {
            if !example.prompt.is_empty() {
                example.prompt.push('\n');
            }
            example.prompt.push_str(&counted.text);
        }
    }
    if before != Some("model") {
        return Err("The last turn is not a model turn.".into());
    }
    let total = example.input_tokens + example.output_tokens;
    if total > MOST_TOKENS {
        return Err(format!(
            "The input token count ({total}) exceeds the maximum number of tokens allowed ({MOST_TOKENS})."
        ));
    }
    example.row = row;
    Ok(example)
}

struct Counted {
    text: String,
    tokens: u64,
    n_characters: u64,
    has_function: bool,
}

/// Counts a turn, whose parts may be text, files by address and functions: what
/// Google's pages on tuning show, and nothing else of what prediction takes.
fn count(turn: &Value, may_hold_more: bool) -> Result<Counted, String> {
    let parts = turn["parts"].as_array().filter(|parts| !parts.is_empty());
    let parts = parts.ok_or("contents.parts must not be empty.")?;
    let mut counted = Counted {
        text: String::new(),
        tokens: 0,
        n_characters: 0,
        has_function: false,
    };
    for part in parts {
        let mut n_kinds = 0;
        for (name, value) in part.as_object().into_iter().flatten() {
            match name.as_str() {
                "text" => {
                    let text = value.as_str().unwrap_or_default();
                    counted.text.push_str(text);
                    counted.tokens += tokens(text);
                    counted.n_characters += text.chars().count() as u64;
                    n_kinds += 1;
                }
                "fileData" | "file_data" if may_hold_more => {
                    // What an image takes by default.
                    counted.tokens += 256;
                    n_kinds += 1;
                }
                "functionCall" | "function_call" | "functionResponse" | "function_response"
                    if may_hold_more =>
                {
                    counted.tokens += tokens(&value.to_string());
                    counted.has_function = true;
                    n_kinds += 1;
                }
                "videoMetadata" | "video_metadata" | "mediaResolution" | "media_resolution"
                    if may_hold_more => {}
                other => return Err(format!("Unsupported part `{other}`.")),
            }
        }
        if n_kinds != 1 {
            return Err(
                "A part has exactly one of text, fileData, functionCall and functionResponse."
                    .into(),
            );
        }
    }
    Ok(counted)
}

/// Adds the turns of an example, cut as the service cuts them.
fn sample(row: &Value, samples: &mut Vec<Value>) {
    for turn in row["contents"].as_array().into_iter().flatten() {
        let parts = turn["parts"].as_array().into_iter().flatten();
        let texts = parts.filter_map(|part| part["text"].as_str());
        let cut: Vec<_> = texts
            .map(|text| {
                let short: String = text.chars().take(MOST_SAMPLE).collect();
                json!({"text": short})
            })
            .collect();
        if !cut.is_empty() {
            samples.push(json!({"role": turn["role"], "parts": cut}));
        }
    }
}

/// A distribution in the service's shape.
fn distribution(mut values: Vec<u64>) -> Value {
    values.sort_unstable();
    let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
        return json!({"sum": "0", "billableSum": "0"});
    };
    let n = values.len();
    let sum: u64 = values.iter().sum();
    let at = |share: usize| values[((n - 1) * share + 50) / 100];
    let width = (max - min + 1).div_ceil(10);
    let mut buckets = Vec::new();
    let mut rest = values.as_slice();
    let mut left = min;
    while !rest.is_empty() {
        let right = (left + width - 1).min(max);
        let count = rest.partition_point(|value| *value <= right);
        if count > 0 {
            buckets.push(json!({"count": count, "left": left, "right": right}));
        }
        rest = &rest[count..];
        left = right + 1;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of tokens are far below 2^53"
    )]
    let mean = sum as f64 / n as f64;
    json!({
        "sum": sum.to_string(),
        "billableSum": sum.to_string(),
        "min": min,
        "max": max,
        "mean": mean,
        "median": at(50),
        "p5": at(5),
        "p95": at(95),
        "buckets": buckets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> String {
        parse(line.as_bytes()).err().unwrap_or_default()
    }

    #[test]
    fn lines_that_cannot_be_learned_from_are_dropped() {
        let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
        let row = |contents: &[Value]| json!({"contents": contents}).to_string();
        let long = "a".repeat(4 * 131_073);
        let cases = [
            (row(&[turn("user", "a"), turn("model", "b")]), ""),
            (
                row(&[turn("user", "a"), turn("user", "a"), turn("model", "b")]),
                "",
            ),
            ("{".into(), "Invalid JSON payload received."),
            ("[]".into(), "not a JSON object"),
            ("{}".into(), "Missing required `contents`"),
            (row(&[]), "Missing required `contents`"),
            (row(&[turn("user", "a")]), "last turn is not a model turn"),
            (row(&[turn("model", "a")]), "start with a user turn"),
            (row(&[turn("assistant", "a")]), "valid role"),
            (row(&[turn("user", "a"), turn("model", " ")]), "no text"),
            (
                row(&[json!({"role": "user", "parts": []}), turn("model", "b")]),
                "must not be empty",
            ),
            (
                row(&[json!({"role": "user", "parts": [{}]}), turn("model", "b")]),
                "exactly one",
            ),
            (
                row(&[
                    json!({"role": "user", "parts": [{"inlineData": {"mimeType": "a/b", "data": "aaaa"}}]}),
                    turn("model", "b"),
                ]),
                "Unsupported part `inlineData`",
            ),
            (
                row(&[turn("user", &long), turn("model", "b")]),
                "(131074) exceeds",
            ),
            (
                r#"{"contents":[{"role":"user","parts":[{"text":1}]}]}"#.into(),
                "TYPE_STRING",
            ),
            (r#"{"contents":[],"id":1}"#.into(), "Unknown field `id`"),
            (r#"{"contents":[{"rolle":"user"}]}"#.into(), "Unknown name"),
        ];
        for (line, expected) in cases {
            let found = reason(&line);
            let shown = &line[..line.len().min(80)];
            assert!(found.contains(expected), "{shown}: {found}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{shown}: {found}");
        }
    }

    #[test]
    fn distributions_have_the_shape_of_the_service() {
        let values = distribution((1..=100).collect());
        assert_eq!(values["sum"], "5050");
        assert_eq!(values["mean"], 50.5);
        assert_eq!((&values["min"], &values["max"]), (&json!(1), &json!(100)));
        assert_eq!((&values["p5"], &values["p95"]), (&json!(6), &json!(95)));
        let buckets = values["buckets"].as_array().unwrap();
        assert_eq!(buckets.len(), 10);
        assert_eq!(buckets[0], json!({"count": 10, "left": 1, "right": 10}));
        let n: u64 = buckets
            .iter()
            .map(|bucket| bucket["count"].as_u64().unwrap())
            .sum();
        assert_eq!(n, 100);
        assert_eq!(
            distribution(vec![]),
            json!({"sum": "0", "billableSum": "0"})
        );
    }

    #[test]
    fn the_prompt_is_all_before_the_last_model_turn() {
        let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
        let row = json!({"contents": [turn("user", "a"), turn("model", "b"), turn("user", "c"), turn("model", "d")],
            "systemInstruction": {"parts": [{"text": "12345"}]}});
        let example = parse(row.to_string().as_bytes()).unwrap();
        assert_eq!((&*example.prompt, &*example.answer), ("a\nb\nc", "d"));
        assert_eq!((example.input_tokens, example.output_tokens), (4, 2));
    }
}
